"""The catalogue of causes: one Fault an id, in which everything that is known of it is found, one file a family.

CATALOGUE["dc-offset"].fix          -> "remove the bias of the last layer, ..."
CATALOGUE["dc-offset"].injectors    -> ways to break a sound like that
INJECTORS["white_noise"].inject(audio, severity=0.5, rng=np.random.default_rng(0)) -> Audio

To add a fault is to add one object in the file of its family, and its tests.
"""

from __future__ import annotations

from diagnose.errors import InputError
from diagnose.faults import added, channels, content, data, level, mel, pitch, segments, spectrum, time
from diagnose.faults.fault import Fault
from diagnose.injectors import Injector

CATALOGUE: dict[str, Fault] = {
    fault.id: fault
    for family in (level, data, channels, time, segments, pitch, spectrum, added, mel, content)
    for fault in family.FAULTS
}
INJECTORS: dict[str, Injector] = {
    injector.name: injector for fault in CATALOGUE.values() for injector in fault.injectors
}


def fault_named(id: str) -> Fault:  # noqa: A002 - the contract's word
    """The fault of this id.  Raises InputError, which names the nearest ids, where there is none."""
    if id in CATALOGUE:
        return CATALOGUE[id]
    if id in INJECTORS:
        raise InputError(f"{id!r} is an injector, not a cause; the cause is {INJECTORS[id].cause}")
    import difflib  # only where there is something to say

    close = difflib.get_close_matches(id.lower().replace("_", "-"), CATALOGUE, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "`diagnose rule` lists all"
    raise InputError(f"no cause {id!r}; {hint}")


__all__ = ["CATALOGUE", "INJECTORS", "Fault", "Injector", "fault_named"]
