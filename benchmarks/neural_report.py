"""What is said of the answers of neural.py: figures of groups and families, confusion, reliability, the answers."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from neural_kinds import KINDS, Kind, held_sounds
from reliability import NO_CLAIM, binned, calibration_error
from reported import FAILED, GROUPS, LEFT_OUT, NOTHING, SURE, row

import diagnose

if TYPE_CHECKING:
    from collections.abc import Sequence


class Case(msgspec.Struct, frozen=True):
    """One pair to be made: a kind at one of its amounts, on a sound, beside the recording or the pipeline's output."""

    kind: str
    amount: float
    sound: str
    against: str

    @property
    def of(self) -> Kind:
        return KINDS[self.kind]

    @property
    def group(self) -> str:
        return GROUPS[2 * self.of.held_out + (self.sound in held_sounds())]


class Outcome(msgspec.Struct, frozen=True):
    """What was said of a pair; causes as (id, confidence), most likely first.  verdict: or LEFT_OUT, or FAILED."""

    case: Case
    verdict: str
    causes: tuple[tuple[str, float], ...] = ()
    error: str = ""

    @property
    def first(self) -> str:
        return self.causes[0][0] if self.causes else (FAILED if self.verdict == FAILED else NOTHING)

    @property
    def confidence(self) -> float:
        """Of the first cause; 0 where there is none."""
        return self.causes[0][1] if self.causes else 0.0

    @property
    def right(self) -> bool:
        """The first cause is one of the kind's; of a harmless one, no FAIL, and nothing sure that is not a trace."""
        kind = self.case.of
        if kind.right:
            return self.first in kind.right
        return self.verdict not in ("FAIL", FAILED) and all(
            sure < SURE or cause in kind.traces for cause, sure in self.causes
        )

    @property
    def among_three(self) -> bool:
        return any(cause in self.case.of.right for cause, _ in self.causes[:3])

    @property
    def sure_wrong(self) -> bool:
        """The first cause has 0.8 or more, and is neither right nor a trace; unknown is never sure and wrong."""
        kind = self.case.of
        return self.confidence >= SURE and self.first not in (*kind.right, *kind.traces, "unknown")


def share(part: int, whole: int) -> float:
    return round(part / max(whole, 1), 4)


def figures(found: Sequence[Outcome]) -> dict[str, float | int]:
    """Of faults and of harmless changes: how many, and which shares are right, and sure."""
    asked = [one for one in found if one.verdict != LEFT_OUT]
    faulty = [one for one in asked if one.case.of.right]
    harmless = [one for one in asked if not one.case.of.right]
    right = [one for one in faulty if one.right]
    return {
        "kinds": len({one.case.kind for one in asked}),
        "faults": len(faulty),
        "right_first": share(len(right), len(faulty)),
        "right_among_three": share(sum(one.among_three for one in faulty), len(faulty)),
        "sure_wrong": sum(one.sure_wrong for one in faulty),
        "sure_of_right": share(sum(one.confidence >= SURE for one in right), len(right)),
        "unnamed": sum(one.first == NOTHING for one in faulty),
        "passed": sum(one.verdict == "PASS" for one in faulty),
        "harmless": len(harmless),
        "harmless_right": share(sum(one.right for one in harmless), len(harmless)),
        "failed": sum(one.verdict == FAILED for one in asked),
        "inaudible": len(found) - len(asked),
    }


def reliability(found: Sequence[Outcome]) -> dict[str, object]:
    """First causes by confidence: how sure on average, and how many right; error: mean distance, weighed by number.

    Traces are left out: they are neither right nor wrong; and who claims nothing.
    """
    named = [
        (one.confidence, one.first in one.case.of.right)
        for one in found
        if one.causes and one.first not in (*one.case.of.traces, *NO_CLAIM)
    ]
    return {"expected_calibration_error": round(calibration_error(named), 4), "bins": binned(named)}


def confusion(found: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    """The ids that are right, joined -> named first -> how many."""
    table: dict[str, Counter[str]] = {}
    for one in found:
        if one.verdict != LEFT_OUT and one.case.of.right:
            table.setdefault(" / ".join(one.case.of.right), Counter())[one.first] += 1
    return {right: dict(row.most_common()) for right, row in sorted(table.items())}


def result_of(found: Sequence[Outcome], show: bool) -> dict[str, object]:
    """What is kept; kind by kind and answer by answer only where nothing is held out, or is to be shown."""
    tuned = [one for one in found if one.case.group == GROUPS[0]]
    held = [one for one in found if one.case.group != GROUPS[0]]
    shown = list(found) if show else tuned
    families = dict.fromkeys(kind.family for kind in KINDS.values())
    parts = {"tuned": tuned, "held out": held}
    return {
        "version": diagnose.__version__,
        "date": datetime.now(UTC).date().isoformat(),
        "kinds": len({one.case.kind for one in found}),
        "parts": {name: figures(part) for name, part in parts.items() if part},
        "groups": {
            name: figures(ones) for name in GROUPS if (ones := [one for one in found if one.case.group == name])
        },
        "families": {
            name: {
                family: figures(ones)
                for family in families
                if (ones := [one for one in part if one.case.of.family == family])
            }
            for name, part in parts.items()
            if part
        },
        "reliability": {name: reliability(part) for name, part in parts.items() if part},
        "confusion": confusion(shown),
        "by_kind": {name: row(ones) for name in KINDS if (ones := [one for one in shown if one.case.kind == name])},
        "answers": [
            [*msgspec.to_builtins(one.case).values(), one.verdict, [list(cause) for cause in one.causes], one.error]
            for one in shown
        ],
    }


def written(result: dict) -> str:
    """JSON, an answer a line: kind, amount, sound, against, verdict, causes, error."""
    rest = {name: value for name, value in result.items() if name != "answers"}
    answers = ",\n  ".join(json.dumps(answer) for answer in result["answers"])
    return f'{json.dumps(rest, indent=1)[:-2]},\n "answers": [\n  {answers}\n ]\n}}\n'


def printed(result: dict) -> str:
    """A line for each kind that may be seen, each family and each group."""
    lines = [f"{'kind':36s}  n right sure-wrong  commonest wrong"]
    for name, one in result["by_kind"].items():
        wrong = ", ".join(f"{cause} {count}" for cause, count in list(one["wrong"].items())[:3])
        lines.append(f"{name:36s} {one['pairs']:2d} {one['right']:5d} {one['sure_wrong']:10d}  {wrong}")
    head = f"{'':24s} kinds faults right top-3 sure-wrong sure-of-right unnamed | harmless right | failed inaudible"
    for title, table in (*result["families"].items(), ("in all", {**result["parts"], **result["groups"]})):
        lines += ["", f"{title}", head]
        lines += [_line(name, group) for name, group in table.items()]
    for name, one in result["reliability"].items():
        lines.append(f"{name}: expected calibration error {one['expected_calibration_error']:.3f}")
    return "\n".join(lines)


def _line(name: str, group: dict) -> str:
    return (
        f"{name:24s} {group['kinds']:5d} {group['faults']:6d} {group['right_first']:5.1%} "
        f"{group['right_among_three']:5.1%} {group['sure_wrong']:10d} {group['sure_of_right']:13.1%} "
        f"{group['unnamed']:7d} | {group['harmless']:8d} {group['harmless_right']:5.1%} | "
        f"{group['failed']:6d} {group['inaudible']:9d}"
    )
