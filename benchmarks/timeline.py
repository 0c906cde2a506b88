"""How often is the timeline right?  Edits whose script is known x sounds x conditions, and pairs without an edit.

    python benchmarks/timeline.py                        # all of it, into reports/timeline.json
    python benchmarks/timeline.py --part edits --count 200 --sounds tuning

Parts: edits, their kinds and positions; unedited, copies of which nothing may be reported; precise, delays of a
fraction of a sample and clocks; unrelated, pairs that have nothing in common, through diagnose.compare; warped, other
timings.  Every third sound is held out.  Exit status 1 where a target is missed.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import parts
import timeline_cases as cases
from msgspec.structs import replace
from timeline_report import Outcome, facts, printed, targets
from timeline_score import edits_of, null_db, score

import diagnose
from diagnose.audio import Audio
from diagnose.stft_cache import StftCache
from diagnose.timeline import lay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from timeline_edits import Edited, Samples

    from diagnose.timeline.segment import Segment, Timeline

UNRELATED = 14
HALF = "delay +0.5"
LONGEST_SAID = 8  # edits of a script that a line shows


class Case(msgspec.Struct, frozen=True):
    """One pair to be made; of an unrelated one, `edit` is the other sound."""

    part: str
    sound: str
    edit: str
    condition: str = cases.CLEAN

    @property
    def names(self) -> tuple[str, str, str]:
        return self.sound, self.edit, self.condition


def planned(part: str, names: Sequence[str]) -> list[Case]:
    """All cases of a part."""
    if part == "edits":
        return [case for name in names for case in _edits(name)]
    if part == "unedited":
        return [Case(part, name, copy) for name in names for copy in cases.COPIES]
    if part == "unrelated":
        few = [names[index] for index in np.linspace(0, len(names) - 1, min(UNRELATED, len(names))).astype(int)]
        return [Case(part, a, b) for a, b in itertools.permutations(few, 2)]
    edits = cases.PRECISE if part == "precise" else cases.WARPS
    return [Case(part, *each) for each in itertools.product(names, edits, cases.SAME_EVERYWHERE)]


def _edits(name: str) -> list[Case]:
    found = [Case("edits", name, *each) for each in itertools.product(cases.EDITS, cases.SAME_EVERYWHERE)]
    found += [Case("edits", name, edit) for edit in cases.SHORT]
    moved = [edit for edit in cases.EDITS if not edit.startswith(cases.NO_PLAN)]
    long = [edit for edit in moved if not edit.endswith("periodically")]  # these are shorter than is heard by bands
    copies = [f"{cases.VOCODED} {copy}" for copy in cases.all_sounds()[name].copies]
    return found + [Case("edits", name, *each) for each in itertools.product(long, copies)]


# One case


def laid(reference: Samples, generated: Samples, rate: int) -> Timeline:
    """What is measured."""
    ours, theirs = (StftCache(side, float(np.mean(side, dtype=np.float64))) for side in (reference, generated))
    return lay(ours, theirs, rate)


def measured(case: Case) -> Outcome:
    """The outcome of a case; an exception is one that got everything wrong."""
    try:
        return MEASURES[case.part](case)
    except Exception as error:  # noqa: BLE001 - the others are to be measured all the same
        return replace(_blank(case), got=f"{type(error).__name__}: {error}"[:200])


def _blank(case: Case) -> Outcome:
    """An outcome in which nothing is found yet."""
    return Outcome(case.part, *case.names, held_out=cases.is_held_out(case.sound))


def _scored(case: Case) -> Outcome:
    """An edit: its script, and of a delay or a clock how far the number is off."""
    pair, rate = cases.pair_of(case.sound, case.edit), cases.all_sounds()[case.sound].rate
    generated = cases.heard(pair, case.names, rate)
    found = laid(pair.reference, generated, rate)
    return judged(case, pair, generated, found)


def judged(case: Case, pair: Edited, generated: Samples, found: Timeline) -> Outcome:
    """How the timeline that was found of a case compares with how it was made."""
    rate, off, null = cases.all_sounds()[case.sound].rate, None, None
    if case.edit.startswith("delay "):
        off = abs(found.delay - pair.truth.delay)
        null = null_db(found, pair.reference, generated, rate) if case.edit == HALF else None
    if case.edit.startswith("drift "):
        off = abs((found.drift_ppm or 0.0) - (pair.truth.drift_ppm or 0.0))
    return replace(
        _blank(case),
        score=score(pair, found, rate, generated if case.condition == "noise" else None),
        off=off,
        null_db=null,
        method=found.method,
        truth=said(pair.truth.segments, rate),
        got=said(found.segments, rate),
    )


def _unedited(case: Case) -> Outcome:
    """A copy: right where no edit is reported.  Before a whole delay there is silence, which may be called inserted."""
    sound = cases.all_sounds()[case.sound]
    copy = cases.COPIES[case.edit](sound.samples, sound.rate, cases.seeded(case.sound, case.edit))
    found = laid(sound.samples, copy, sound.rate)
    edits = edits_of(found.segments)
    if case.edit == cases.WHOLE_DELAY and edits and edits[0].content == "silence" and edits[0].generated[0] == 0:
        edits = edits[1:]
    return replace(_blank(case), edits=len(edits), method=found.method, truth="no edit", got=said(edits, sound.rate))


def _unrelated(case: Case) -> Outcome:
    """Two sounds: how they are laid at the lower rate, and what the whole comparison names."""
    one, other = (cases.all_sounds()[name] for name in (case.sound, case.edit))
    rate = min(one.rate, other.rate)
    found = laid(cases.at_rate(case.sound, rate), cases.at_rate(case.edit, rate), rate)
    report = diagnose.compare(*(Audio(side.samples[None], side.rate) for side in (one, other)))
    causes = tuple((cause.id, cause.confidence) for cause in report.causes)
    got = ", ".join(f"{name} {confidence:.2f}" for name, confidence in causes)
    return replace(
        _blank(case), method=found.method, causes=causes, truth="none, different-content", got=got or "no cause"
    )


MEASURES: dict[str, Callable[[Case], Outcome]] = {
    "edits": _scored,
    "unedited": _unedited,
    "precise": _scored,
    "unrelated": _unrelated,
    "warped": _scored,
}


def said(segments: Sequence[Segment], rate: int) -> str:
    """A script in a line: kind, place in the reference (r) or the generated sound (g) in s, length in ms."""
    edits = edits_of(segments)
    words = []
    for one in edits[:LONGEST_SAID]:
        side, name = (one.reference, "r") if one.kind in ("lost", "replaced") else (one.generated, "g")
        words.append(f"{one.kind} {name}{side[0] / rate:.3f}+{1000 * (side[1] - side[0]) / rate:.0f}")
    words += [f"and {len(edits) - LONGEST_SAID} more"] if len(edits) > LONGEST_SAID else []
    return ", ".join(words) or "no edit"


BENCHMARK = parts.Benchmark(
    about=__doc__ or "",
    report="timeline.json",
    parts=tuple(MEASURES),
    planned=planned,
    measured=measured,
    printed=printed,
    targets=targets,
    facts=facts,
    at_once=6,
)

if __name__ == "__main__":
    parts.main(BENCHMARK)
