"""Is what is wrong for 20 ms in 10 minutes found?  And is nothing found where nothing is wrong?

    python benchmarks/places.py                    # all of it, into reports/places.json
    python benchmarks/places.py --part found --sounds tuning --count 20

Parts: found, moments that are wrong in 30 s; long, in 10 minutes; good, copies in which nothing is wrong; filled,
mu-law, and a rate halved without a filter; vocoders, the recordings beside the project through good ones; time, what a
comparison takes with and without.  Every third sound is held out.  Exit status 1 where a target is missed.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import parts
import places_cases as make
import soxr
import timeline_cases as cases
from places_report import LOCAL, Outcome, facts, printed, targets

import diagnose
from diagnose.audio import Audio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline_edits import Samples

    from diagnose.results.report import Report

SHORT_S, LONG_S = 30.0, 600.0
LONG_SOUNDS = ("drum_loop", "singing_voice", "speech.ogg", "strings.ogg", "flute")  # of both groups
LONG_CONDITIONS = ("clean", "MP3")
PARTS = ("found", "long", "good", "filled", "vocoders")


class Case(msgspec.Struct, frozen=True):
    """One pair to be made."""

    part: str
    sound: str
    fault: str
    condition: str = "clean"


def planned(part: str, names: Sequence[str]) -> list[Case]:
    """All cases of a part."""
    if part == "found":
        return [Case(part, *each) for each in itertools.product(names, make.FAULTS, make.CONDITIONS)]
    if part == "long":
        few = [name for name in LONG_SOUNDS if name in names]
        every = itertools.product(few, (*make.PLACED, "none"), LONG_CONDITIONS)
        return [Case(part, *each) for each in every]
    if part == "good":
        return [Case(part, name, "none", copy) for name in names for copy in (*make.COPIES, make.OTHER_RATE)]
    if part == "filled":
        return [Case(part, name, fault) for name in names for fault in ("mu-law", "every second sample")]
    folder = cases.SHARED / "vocoders"
    recordings = [name for name in cases.RECORDINGS if name in names and not name.startswith("e2e")]
    made = [(name, path) for name in recordings for path in sorted(folder.glob(f"{name[0]}-*.flac"))]
    return [Case(part, name, "none", path.name) for name, path in made if "recording" not in path.name]


def measured(case: Case) -> Outcome:
    """The outcome of a case; an exception is one that found nothing and gave every alarm."""
    try:
        return _measured(case)
    except Exception as error:  # noqa: BLE001 - the others are to be measured all the same
        got = f"{type(error).__name__}: {error}"[:200]
        return Outcome(case.part, case.sound, case.fault, case.condition, cases.is_held_out(case.sound), "error", got)


def _measured(case: Case) -> Outcome:
    rng = cases.seeded(case.part, case.sound, case.fault, case.condition)
    if case.part == "vocoders":
        folder = cases.SHARED / "vocoders"
        return _judged(case, diagnose.compare(str(folder / case.sound), str(folder / case.condition)), [])
    samples, rate = make.long_sound(case.sound, LONG_S if case.part == "long" else SHORT_S)
    if case.part == "filled":
        mu_law = case.fault == "mu-law"
        made, its = (make.through_mu_law(samples), rate) if mu_law else make.every_second(samples, rate)
        return _judged(case, _compared(samples, rate, made, its), [])
    places: make.Spans = []
    broken = samples
    if case.fault != "none":
        broken, places = make.FAULTS[case.fault](samples, rate, cases.seeded(case.sound, case.fault))
    if case.condition == make.OTHER_RATE:
        made = soxr.resample(samples, rate, 32_000).astype(np.float32)
        return _judged(case, _compared(samples, rate, made, 32_000), [])
    return _judged(case, _compared(samples, rate, make.heard(broken, rate, case.condition, rng), rate), places)


def _compared(ours: Samples, rate: int, theirs: Samples, its: int) -> Report:
    return diagnose.compare(Audio(ours[None], rate), Audio(theirs[None], its))


def _judged(case: Case, report: Report, places: make.Spans) -> Outcome:
    """What the report says, held against where the places are."""
    rows = {row.name: row for row in report.metrics}
    alarms = [row.name for row in report.metrics if row.verdict in ("WARN", "FAIL")]
    assert report.pair is not None
    found = [(place.start, place.end) for place in report.pair.places]
    off = [min((_apart(place, other) for other in found), default=float("inf")) for place in places]
    stray = sum(all(_apart(other, place) > 0.03 for place in places) for other in found)
    boxes = [box for box in report.regions if box.metric == "bad_places"]
    return Outcome(
        *(case.part, case.sound, case.fault, case.condition, cases.is_held_out(case.sound), report.verdict),
        alarms=tuple(alarms),
        places=len(places),
        off_ms=tuple(round(1000 * each, 2) for each in off if each < float("inf")),
        stray=stray,
        boxes=len(boxes),
        values={name: rows[name].change for name in LOCAL},
        causes=tuple((cause.id, cause.confidence) for cause in report.causes),
    )


def _apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    """By how much one span lies outside the other, or, where they overlap, their middles from each other at most."""
    gap = max(one[0] - other[1], other[0] - one[1], 0.0)
    return gap if gap > 0 else 0.0


BENCHMARK = parts.Benchmark(
    about=__doc__ or "",
    report="places.json",
    parts=PARTS,
    planned=planned,
    measured=measured,
    printed=printed,
    targets=targets,
    facts=facts,
    at_once=2,
)

if __name__ == "__main__":
    parts.main(BENCHMARK)
