"""How often is the cause right, of faults as other people report them?  benchmarks/reported_faults.py x sounds.

    python benchmarks/reported.py                                  # all of it, into reports/reported.json
    python benchmarks/reported.py --part tuned --sounds-per-kind 2 # what may be worked on
    python benchmarks/reported.py --kinds gate few_bits --jobs 1   # some of them, and nothing is written
    python benchmarks/reported.py --part tuned --answers FILE      # and every answer of what may be tuned on

Kinds whose zlib.crc32(name) % 3 is 0 are held out, and so is every third sound; of the four groups only the first,
neither held out, is to be tuned on.  A kind is made at each of its amounts on so many sounds, drawn by the hash of
both names, and on half as many that are held out.  Right: the first cause is one of those that the kind allows; of a
kind that nobody calls faulty, no FAIL and no cause at 0.8 or above.  Sure and wrong: the first cause has 0.8 or more
and is none of those.  Confidences are judged on faults alone, as benchmarks/reliability.py has it.  Pairs that differ
by less than -50 dB and nowhere by 2 % of the peak are left out and counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np
import reliability
import sounds
from reliability import FAILED, NOTHING, SURE, First, Named
from reported_faults import KINDS
from reported_kinds import all_sounds

import diagnose
from diagnose.audio import from_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reported_kinds import Made

Asked, Answered = TypeVar("Asked"), TypeVar("Answered")
REPORTS = Path(__file__).resolve().parents[1] / "reports"
INAUDIBLE, INAUDIBLE_PEAK = 10 ** (-50 / 20), 0.02
LEFT_OUT = "inaudible"
GROUPS = ("tuned", "sound held out", "kind held out", "both held out")


class Case(msgspec.Struct, frozen=True):
    """One pair to be made: a kind at one of its amounts, on a sound."""

    kind: str
    amount: float
    sound: str

    @property
    def seed(self) -> int:
        return zlib.crc32(f"{self.kind}/{self.amount}/{self.sound}".encode())

    @property
    def group(self) -> str:
        return GROUPS[2 * KINDS[self.kind].held_out + (self.sound in held_sounds())]


class Outcome(msgspec.Struct, frozen=True):
    """What was said of a pair; causes most likely first.  verdict: or LEFT_OUT, or FAILED."""

    case: Case
    verdict: str
    causes: tuple[Named, ...] = ()
    error: str = ""

    @property
    def first(self) -> str:
        return self.causes[0].id if self.causes else (FAILED if self.verdict == FAILED else NOTHING)

    @property
    def right(self) -> bool:
        allowed = KINDS[self.case.kind].right
        if allowed:
            return self.first in allowed
        return self.verdict not in ("FAIL", FAILED) and all(cause.confidence < SURE for cause in self.causes)

    @property
    def sure_wrong(self) -> bool:
        return bool(self.causes) and self.causes[0].confidence >= SURE and self.first not in KINDS[self.case.kind].right

    @property
    def claim(self) -> First:
        return First(self.first, self.causes[0].confidence if self.causes else 0.0, self.right)


# What is asked


def held_sounds() -> set[str]:
    return sounds.held_out(list(all_sounds()))


def planned(part: str, kinds: Sequence[str], per_kind: int) -> list[Case]:
    """The cases of a part, tuned, held-out or all: each kind on per_kind sounds, and on half as many held-out ones."""
    held, found = held_sounds(), []
    for name in kinds:
        drawn = sorted(all_sounds(), key=lambda sound, name=name: zlib.crc32(f"{name}/{sound}".encode()))  # type: ignore[misc]
        chosen = [sound for sound in drawn if sound not in held][:per_kind]
        chosen += [sound for sound in drawn if sound in held][: -(-per_kind // 2)]
        found += [Case(name, amount, sound) for amount in KINDS[name].amounts for sound in chosen]
    return [case for case in found if part == "all" or (case.group == GROUPS[0]) == (part == "tuned")]


def pair_of(case: Case) -> Made:
    """(reference, its rate, generated, its rate); the same ones whenever and wherever they are made."""
    audio = all_sounds()[case.sound]
    return KINDS[case.kind].make(audio.samples, audio.rate, np.random.default_rng(case.seed), case.amount)


def audible(pair: Made) -> bool:
    """False for two that fit each other sample by sample but for what nobody hears."""
    reference, rate, generated, other_rate = pair
    if rate != other_rate or reference.shape != generated.shape or not np.isfinite(generated).all():
        return True
    apart = np.abs(generated - reference)
    quiet = np.sqrt(np.mean(apart**2)) < INAUDIBLE * np.sqrt(np.mean(reference**2))
    return not (quiet and apart.max() < INAUDIBLE_PEAK * np.abs(reference).max())


def measured(case: Case) -> Outcome:
    """What diagnose.compare says of a case; an exception is an answer that is not right."""
    pair = pair_of(case)
    if KINDS[case.kind].right and not audible(pair):
        return Outcome(case, LEFT_OUT)
    reference, rate, generated, other_rate = pair
    try:
        given = from_array(reference.astype(np.float32), rate, "reference")
        made = from_array(generated.astype(np.float32), other_rate, "generated", mend=True)
        report = diagnose.compare(given, made)
    except Exception as error:  # noqa: BLE001 - the others are to be measured all the same
        return Outcome(case, FAILED, error=f"{type(error).__name__}: {error}"[:200])
    return Outcome(case, report.verdict, reliability.named(report.causes))


# What is reported


def figures(found: Sequence[Outcome]) -> dict[str, Any]:
    """Of faults and of harmless copies: how many, the share that is right, and how many are sure and wrong."""
    asked = [one for one in found if one.verdict != LEFT_OUT]
    faulty = [one for one in asked if KINDS[one.case.kind].right]
    copies = [one for one in asked if not KINDS[one.case.kind].right]
    return {
        "kinds": len({one.case.kind for one in asked}),
        "faults": len(faulty),
        "right": round(sum(one.right for one in faulty) / max(len(faulty), 1), 4),
        "sure_wrong": sum(one.sure_wrong for one in faulty),
        "unnamed": sum(one.first == NOTHING for one in faulty),
        "confidence": reliability.figures([one.claim for one in faulty]),
        "copies": len(copies),
        "copies_right": round(sum(one.right for one in copies) / max(len(copies), 1), 4),
        "copies_sure_wrong": sum(one.sure_wrong for one in copies),
        "failed": sum(one.verdict == FAILED for one in asked),
        "inaudible": len(found) - len(asked),
    }


def row(found: Sequence[Outcome]) -> dict[str, object]:
    """One kind: pairs, right, sure and wrong, and the wrong first causes with their numbers, commonest first."""
    asked = [one for one in found if one.verdict != LEFT_OUT]
    wrong = Counter(one.first for one in asked if not one.right)
    return {
        "pairs": len(asked),
        "right": sum(one.right for one in asked),
        "sure_wrong": sum(one.sure_wrong for one in asked),
        "wrong": dict(wrong.most_common()),
        "inaudible": len(found) - len(asked),
    }


def result_of(found: Sequence[Outcome], show: bool) -> dict[str, object]:
    """What is kept: the groups apart; kind by kind only where it is not held out, or is to be shown."""
    groups = {name: figures([one for one in found if one.case.group == name]) for name in GROUPS}
    shown = [one for one in found if show or one.case.group == GROUPS[0]]
    rows = {name: [one for one in shown if one.case.kind == name] for name in KINDS}
    return {
        "version": diagnose.__version__,
        "date": datetime.now(UTC).date().isoformat(),
        "kinds": len(KINDS),
        "groups": {name: group for name, group in groups.items() if group["faults"] or group["copies"]},
        "by_kind": {name: row(ones) for name, ones in rows.items() if ones},
        "wrong": [msgspec.to_builtins(one) for one in shown if one.verdict != LEFT_OUT and not one.right],
    }


def printed(result: dict) -> str:
    """A line for each kind that may be seen, and one for each group."""
    lines = [f"{'kind':32s}  n right sure-wrong  commonest wrong"]
    for name, one in result["by_kind"].items():
        wrong = ", ".join(f"{cause} {count}" for cause, count in list(one["wrong"].items())[:2])
        lines.append(f"{name:32s} {one['pairs']:2d} {one['right']:5d} {one['sure_wrong']:10d}  {wrong}")
    for name, group in result["groups"].items():
        lines.append(
            f"{name}: {group['kinds']} kinds, {group['faults']} faults, right {group['right']:.1%}, "
            f"sure and wrong {group['sure_wrong']}, nothing named {group['unnamed']}; "
            f"{group['copies']} copies, right {group['copies_right']:.1%}, "
            f"sure and wrong {group['copies_sure_wrong']}; "
            f"failed {group['failed']}, inaudible {group['inaudible']}; "
            f"calibration error {group['confidence']['ece']:.3f}, "
            f"of the right ones {group['confidence']['right_and_sure']:.1%} sure"
        )
    return "\n".join(lines)


def run(measured: Callable[[Asked], Answered], cases: Sequence[Asked], jobs: int, chunksize: int = 4) -> list[Answered]:
    """measured(case) of all, in order, in so many processes."""
    if jobs == 1:
        return _counted(map(measured, cases), len(cases))
    with ProcessPoolExecutor(jobs) as pool:
        return _counted(pool.map(measured, cases, chunksize=chunksize), len(cases))


def _counted(outcomes: Iterable[Answered], count: int) -> list[Answered]:
    """All of them; how many are done is said meanwhile."""
    found = []
    for done, outcome in enumerate(outcomes, 1):
        print(f"\r{done} of {count} pairs", end="\n" if done == count else "", file=sys.stderr, flush=True)
        found.append(outcome)
    return found


def main() -> None:
    """Measure, keep, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("tuned", "held-out", "all"), default="all")
    parser.add_argument("--kinds", nargs="+", choices=sorted(KINDS), metavar="NAME", help="only these; not kept")
    parser.add_argument("--sounds-per-kind", type=int, default=4)
    parser.add_argument("--show-held-out", action="store_true", help="kind by kind: then they no longer are")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--out", default=str(REPORTS / "reported.json"))
    parser.add_argument("--answers", metavar="FILE", help="where all answers of the tuned group are kept, a line each")
    options = parser.parse_args()
    cases = planned(options.part, options.kinds or list(KINDS), options.sounds_per_kind)
    found = run(measured, cases, options.jobs)
    reliability.keep(options.answers, [one for one in found if one.case.group == GROUPS[0]])
    result = result_of(found, options.show_held_out)
    print(printed(result))
    if options.kinds is None:
        out = Path(options.out)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps({"part": options.part, **result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
