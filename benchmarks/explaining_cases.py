"""What the engine that explains by undoing is asked: sounds with faults, ordinary copies of them, and other sounds.

for case in planned("pairs", list(every_sound())):
    reference, generated = pair_of(case)
"""

from __future__ import annotations

import itertools
import zlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import foreign
import msgspec
import numpy as np
import ordinary
import sounds

from diagnose.faults import INJECTORS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from diagnose.audio import Audio
    from diagnose.faults import Injector

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TEN = (
    *("gain", "dc-offset", "polarity", "clipping", "quantisation", "high-frequency-loss", "tilt", "band-gap"),
    *("dropout", "noise", "hum", "clicks"),
)
SEVERITIES = (0.5, 1.0)
MIDDLE = 0.5
PAIRS, TRIPLES = 12, 4  # of faults, a sound
ORDINARY_SOUNDS = (*sounds.REAL, "plucked_melody", "spoken_syllables", "drum_loop", "church_bell", "surf")
# Three real ones and three that are made; trumpet.ogg, brass_swell and hall_ensemble are held out.
FOREIGN_SOUNDS = ("violin.wav", "trumpet.ogg", "speech.ogg", "brass_swell", "drum_loop", "hall_ensemble")
OURS, COPY, GATE, FORCED = "ours", "ordinary copy", "as compare asks", "forced"
PARTS = ("single", "pairs", "three", "ordinary", "unrelated", "foreign")


class Case(msgspec.Struct, frozen=True):
    """One pair to be made.

    names: of the faults, in their order; of the injector; of the ordinary copy; or of the other sound.  by: who made
    the fault, OURS or a foreign tool; else COPY; of two sounds that are unrelated, whether the engine is asked GATE or
    FORCED.  severity: 0 to 1; of a foreign injector, the index of its setting.
    """

    part: str
    sound: str
    names: tuple[str, ...]
    by: str = OURS
    severity: float = 1.0

    @property
    def seed(self) -> int:
        return seed_of(self.sound, *self.names, self.severity)

    @property
    def truth(self) -> tuple[str, ...]:
        """The causes that should be named, in the order of the faults."""
        if self.by in (COPY, GATE, FORCED):
            return ()
        if self.by == OURS:
            return tuple(INJECTORS[name].cause for name in self.names)
        return (injectors()[self.names[0]].cause,)

    @property
    def also(self) -> tuple[str, ...]:
        """Causes that the tool brings with it, which are no mistake to name."""
        return injectors()[self.names[0]].also if self.names[0] in injectors() else ()


def seed_of(*what: object) -> int:
    return zlib.crc32("/".join(str(each) for each in what).encode())


@lru_cache(maxsize=1)
def every_sound() -> dict[str, Audio]:
    return {name: make() for name, make in sounds.SOUNDS.items()} | sounds.real_sounds(DATA)


def is_held_out(name: str) -> bool:
    return name in sounds.held_out(list(every_sound()))


@lru_cache(maxsize=1)
def injectors() -> dict[str, foreign.Injector]:
    return {each.name: each for each in foreign.available()}


# The cases of a part


def planned(part: str, names: Sequence[str]) -> list[Case]:
    """All cases of a part."""
    return PLANS[part](part, [name for name in every_sound() if name in names])


def _ours(name: str) -> list[Injector]:
    """The faults that the engine has operations for, and that can happen to the sound."""
    found = [each for each in INJECTORS.values() if each.cause in TEN and not each.vocoded]
    return [each for each in found if each.fits(every_sound()[name])]


def _single(part: str, names: Sequence[str]) -> list[Case]:
    """Each fault at middle and high severity; one that has no severity, once."""
    return [
        Case(part, name, (fault.name,), OURS, severity)
        for name in names
        for fault in _ours(name)
        for severity in (SEVERITIES if fault.unit else SEVERITIES[1:])
    ]


def _pairs(part: str, names: Sequence[str]) -> list[Case]:
    """Some ordered pairs of faults whose causes differ."""
    return [case for name in names for case in _together(part, name, 2, PAIRS)]


def _three(part: str, names: Sequence[str]) -> list[Case]:
    """Some ordered triples of faults whose causes differ."""
    return [case for name in names for case in _together(part, name, 3, TRIPLES)]


def _together(part: str, name: str, faults: int, count: int) -> list[Case]:
    every = [
        tuple(fault.name for fault in some)
        for some in itertools.permutations(_ours(name), faults)
        if len({fault.cause for fault in some}) == faults
    ]
    drawn = np.random.default_rng(seed_of(name)).permutation(len(every))[:count]
    return [Case(part, name, every[index], OURS, MIDDLE) for index in drawn]


def _ordinary(part: str, names: Sequence[str]) -> list[Case]:
    few = [name for name in names if name in ORDINARY_SOUNDS]
    return [Case(part, name, (copy,), COPY) for name in few for copy in ordinary.available()]


def _unrelated(part: str, names: Sequence[str]) -> list[Case]:
    """Each sound beside one other, drawn among all."""
    found = []
    for name in names:
        others = [other for other in every_sound() if other != name]
        other = others[np.random.default_rng(seed_of("unrelated", name)).integers(len(others))]
        found += [Case(part, name, (other,), by) for by in (GATE, FORCED)]
    return found


def _foreign(part: str, names: Sequence[str]) -> list[Case]:
    """Each foreign fault at each setting, and those of ours that have the same causes, on the same sounds."""
    few = [name for name in names if name in FOREIGN_SOUNDS]
    causes = {each.cause for each in injectors().values()}
    theirs = [
        Case(part, name, (each.name,), each.tool, float(index))
        for name in few
        for each in injectors().values()
        for index in range(len(each.severities))
    ]
    return theirs + [case for case in _single(part, few) if INJECTORS[case.names[0]].cause in causes]


PLANS: dict[str, Callable[[str, Sequence[str]], list[Case]]] = {
    "single": _single,
    "pairs": _pairs,
    "three": _three,
    "ordinary": _ordinary,
    "unrelated": _unrelated,
    "foreign": _foreign,
}


# The sounds of a case


def pair_of(case: Case) -> tuple[Audio, Audio]:
    """(reference, generated sound), with all their channels."""
    sound = every_sound()[case.sound]
    if case.by in (GATE, FORCED):
        return sound, every_sound()[case.names[0]]
    if case.by == COPY:
        return sound, ordinary.ORDINARY[case.names[0]](sound)
    if case.by == OURS:
        return sound, broken_by(case.sound, case.names, case.severity)
    return sound, injectors()[case.names[0]].inject(sound, int(case.severity), case.seed)


def broken_by(name: str, chosen: Sequence[str], severity: float) -> Audio:
    """The sound with these faults, in their order; a fault draws the same whatever stands beside it."""
    broken = every_sound()[name]
    for fault in chosen:
        broken = INJECTORS[fault].inject(broken, severity, np.random.default_rng(seed_of(name, fault, severity)))
    return broken
