"""Faults of the catalogue -> JSON (diagnose.rule/1) and the terminal."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from diagnose.render.layout import Labelled, print_parts
from diagnose.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from diagnose.faults import Fault, Injector

WIDTH = len("confused with  ")
# Where a fault happens; of what is no fault of a stage, nothing is said.
HAPPENS = {"samples": "in the samples", "mel": "inside the mel", "interface": "where one stage reads another's output"}
BOLD = "bold"


def to_json(faults: Sequence[Fault]) -> str:
    """One object and a newline; every fault in full."""
    found = {
        "schema": "diagnose.rule/1",
        "tool": {"name": "timbre-diagnose", "version": VERSION},
        "causes": [_object(fault) for fault in faults],
    }
    return json.dumps(found, indent=2, allow_nan=False) + "\n"


def _object(fault: Fault) -> dict[str, Any]:
    return {
        "id": fault.id,
        "family": fault.family,
        "domain": fault.domain,
        "title": fault.title,
        "what": fault.what,
        "told_by": fault.told_by,
        "confused_with": dict(fault.confused_with),
        "fix": fault.fix,
        "metric": fault.metric,
        "metric_reason": fault.no_metric or None,
        "rivals": list(fault.rivals),
        "can_be_undone": bool(fault.fits),
        "injectors": [_injector(injector) for injector in fault.injectors],
    }


def _injector(injector: Injector) -> dict[str, Any]:
    graded = bool(injector.unit)
    return {
        "name": injector.name,
        "about": injector.about,
        "unit": injector.unit or None,
        "weak": injector.weak if graded else None,
        "strong": injector.strong if graded else None,
    }


def print_list(faults: Sequence[Fault]) -> None:
    """Write the ids with their titles to stdout, by family."""
    print_parts(list(_listed(faults)))


def _listed(faults: Sequence[Fault]) -> Iterator[Labelled]:
    width = max(len(fault.id) for fault in faults) + 2
    for family, members in itertools.groupby(faults, key=lambda fault: fault.family):
        yield Labelled("", family, text_style=BOLD)
        yield from (Labelled(f"  {fault.id}".ljust(width + 2), fault.title) for fault in members)


def print_faults(faults: Sequence[Fault]) -> None:
    """Write faults in full to stdout, an empty line between two."""
    parts: list[Labelled] = []
    for fault in faults:
        parts += [Labelled("", "")] if parts else []
        parts += _parts(fault)
    print_parts(parts)


def _parts(fault: Fault) -> Iterator[Labelled]:
    yield Labelled(f"{fault.id}  ", fault.title, BOLD)
    yield _line("what it is", fault.what)
    yield _line("told by", fault.told_by)
    labels = itertools.chain(["confused with"], itertools.repeat(""))
    yield from (_line(next(labels), f"{other}: {how}") for other, how in fault.confused_with.items())
    if fault.rivals:
        yield _line("rivals", f"{', '.join(fault.rivals)}: can give the same samples, and is then listed beside it")
    yield _line("fix", fault.fix)
    yield _line("family", fault.family + (f", {HAPPENS[fault.domain]}" if fault.family != "content" else ""))
    yield _line("metric", f"{fault.metric} breaks its limit" if fault.metric else f"none: {fault.no_metric}")
    labels = itertools.chain(["injectors"], itertools.repeat(""))
    yield from (_line(next(labels), _injected(injector)) for injector in fault.injectors)


def _injected(injector: Injector) -> str:
    span = f", {injector.weak:g} to {injector.strong:g} {injector.unit}" if injector.unit else ""
    return f"{injector.name}: {injector.about}{span}"


def _line(label: str, text: str) -> Labelled:
    return Labelled(label.ljust(WIDTH), text)
