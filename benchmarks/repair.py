"""How much of a fault does `diagnose compare --repair` take back, and does it ever make a sound worse?

    python benchmarks/repair.py                        # all of it, into reports/repair.json
    python benchmarks/repair.py --part lost --count 20

Parts: undone, faults of our own that can be undone, one or two at once, on six sounds of which three are real; lost,
faults that cannot, with which no repair may bring a sound farther from its reference.  The share that is recovered is
(before - after) / (before - floor), in dB of the distance that a repair is judged by, at most 1; the floor is ordinary
loss, -35 dB, or what the best repair would have, where the fault keeps 8 bits of each sample and no more.  Exit
status 1 where a target is missed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import parts
from explaining_cases import every_sound
from repair_cases import PARTS, Case, best, broken, planned
from timeline_report import Target

import diagnose
from diagnose.repairs.distance import Ruler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.audio import Audio

ORDINARY_DB = -35.0
LEAST_RECOVERED = 0.8  # median share of a fault
SAME_DB = 0.01  # by which a distance may be rounded up
SHOWN = 30


class Outcome(msgspec.Struct, frozen=True):
    """One pair: what was done, the distances in dB without and with the repair, and what was undone.

    floor_db: the distance that the best repair would have, or ordinary loss where that is more.
    judged: whether compare found anything over a limit.  failed: what was raised.
    """

    sound: str
    fault: str
    severity: float
    judged: bool = False
    before_db: float | None = None
    after_db: float | None = None
    undone: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    floor_db: float = ORDINARY_DB
    seconds: float = 0.0
    failed: str = ""

    @property
    def share(self) -> float:
        """Of the distance over ordinary loss, what is recovered; 1 where there was no such distance."""
        if self.before_db is None or self.after_db is None:
            return 0.0
        if self.before_db <= self.floor_db + 1.0:
            return float(self.after_db <= self.before_db + SAME_DB)
        return min((self.before_db - self.after_db) / (self.before_db - self.floor_db), 1.0)

    @property
    def is_worse(self) -> bool:
        both = self.before_db is not None and self.after_db is not None
        return bool(self.failed) or (both and (self.after_db or 0.0) > (self.before_db or 0.0) + SAME_DB)

    def __str__(self) -> str:
        if self.failed:
            return f"{self.sound}, {self.fault} at {self.severity:g}: {self.failed}"
        figures = "not measured" if self.before_db is None else f"{self.before_db:.0f} to {self.after_db:.0f} dB"
        undone = ", ".join(self.undone) or ("nothing" if self.judged else "nothing: it passes")
        return f"{self.sound}, {self.fault} at {self.severity:g}: {figures}; undone: {undone}; {', '.join(self.causes)}"


def measured(case: Case) -> Outcome:
    """What a repair comes to; an exception counts as a sound made worse."""
    before = Outcome(case.sound, case.fault, case.severity)
    try:
        reference = every_sound()[case.sound]
        generated = broken(case)
        started = time.perf_counter()
        report = diagnose.compare(reference, generated, repair=True)
        seconds = round(time.perf_counter() - started, 3)
    except Exception as error:  # noqa: BLE001 - the others are to be measured all the same
        return msgspec.structs.replace(before, failed=f"{type(error).__name__}: {error}"[:200])
    found = report.repair
    assert found is not None
    return msgspec.structs.replace(
        before,
        judged=report.verdict in ("WARN", "FAIL"),
        before_db=found.distance_before_db,
        after_db=found.distance_after_db,
        undone=tuple(dict.fromkeys(one for each in found.undone for one in each.ids)),
        left=tuple(dict.fromkeys(each.id for each in found.left_undone)),
        causes=tuple(cause.id for cause in report.causes[:3]),
        floor_db=_floor_db(case, reference),
        seconds=seconds,
    )


def _floor_db(case: Case, reference: Audio) -> float:
    """The distance of what the best repair would be, at least that of ordinary loss."""
    ideal = best(case)
    if ideal is reference:
        return ORDINARY_DB
    rows, targets = (dict(enumerate(each.samples.astype(np.float64))) for each in (ideal, reference))
    return max(Ruler(targets, reference.rate, 0).distance_db(rows), ORDINARY_DB)


def _asked(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those in which something is over a limit: what passes is not repaired."""
    return [each for each in outcomes if each.judged or each.failed]


def _by_fault(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = {}
    for each in _asked(outcomes):
        found.setdefault(each.fault, []).append(each)
    return found


def printed(part: str, outcomes: Sequence[Outcome]) -> str:
    lines = [f"\n{part}: {len(outcomes)} pairs, {len(_asked(outcomes))} of them over a limit"]
    lines.append(f"{'fault':24} {'pairs':>5} {'recovered, mean':>16} {'median':>7} {'least':>6} {'worse':>6}")
    for fault, every in _by_fault(outcomes).items():
        shares = [each.share for each in every]
        figures = f"{np.mean(shares):16.2f} {np.median(shares):7.2f} {min(shares):6.2f}"
        lines.append(f"{fault:24} {len(every):5} {figures} {sum(each.is_worse for each in every):6}")
    poor = [each for each in _asked(outcomes) if each.is_worse or (part == "undone" and each.share < LEAST_RECOVERED)]
    lines += [f"  {each}" for each in poor[:SHOWN]]
    return "\n".join([*lines, *map(str, targets(part, outcomes))])


def targets(part: str, outcomes: Sequence[Outcome]) -> list[Target]:
    asked = _asked(outcomes)
    found = [Target(f"{part}: pairs made worse", sum(each.is_worse for each in outcomes), 0.0, at_most=True)]
    if part == "undone":
        found.append(Target("undone: recovered, mean", float(np.mean([each.share for each in asked])), LEAST_RECOVERED))
    return found


def facts(part: str, outcomes: Sequence[Outcome]) -> dict[str, object]:
    asked = _asked(outcomes)
    shares = [each.share for each in asked]
    return {
        "pairs": len(outcomes),
        "over a limit": len(asked),
        "recovered, mean": round(float(np.mean(shares)), 4) if shares else None,
        "recovered, 80 % and more": round(float(np.mean([each >= LEAST_RECOVERED for each in shares])), 4),
        "made worse": sum(each.is_worse for each in outcomes),
        "median s": float(np.median([each.seconds for each in outcomes])),
        "by fault": {
            fault: {
                "pairs": len(every),
                "recovered, mean": round(float(np.mean([each.share for each in every])), 3),
                "recovered, least": round(min(each.share for each in every), 3),
            }
            for fault, every in _by_fault(outcomes).items()
        },
        "pairs that are worse or poor": [str(each) for each in asked if each.is_worse or each.share < LEAST_RECOVERED]
        if part == "undone"
        else [str(each) for each in asked if each.is_worse],
    }


BENCHMARK = parts.Benchmark(
    about=__doc__ or "",
    report="repair.json",
    parts=PARTS,
    planned=planned,
    measured=measured,
    printed=printed,
    targets=targets,
    facts=facts,
    at_once=4,
)

if __name__ == "__main__":
    parts.main(BENCHMARK)
