"""The figures of benchmarks/timeline.py: shares by edit, condition and group of sounds, targets, and failures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
from timeline_cases import CLEAN, COPIES, EDITS, PRECISE, SAME_EVERYWHERE, SHORT, VOCODED, WARPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from timeline_score import Score

GROUPS = ("all", "tuning", "held-out")
RIGHT_KINDS, RIGHT_POSITIONS, RIGHT_WARPS = 0.97, 0.95, 0.95  # shares of the pairs
MOST_OFF = {"delay": 0.02, "drift": 2.0}  # samples, ppm
NULL_DB = -50.0
RIGHT_UNRELATED = 0.95
DIFFERENT, SURE = "different-content", 0.8
KNOWN = (*EDITS, *SHORT, *COPIES, *PRECISE, *WARPS)  # in the order of the tables


class Outcome(msgspec.Struct, frozen=True):
    """One pair: how it was made, and what was found.

    score: of an edit; None where nothing was found for an error.  off: of a delay in samples, of a clock in ppm.
    edits: reported of a copy that has none.  causes: (id, confidence) of an unrelated pair.
    """

    part: str
    sound: str
    edit: str
    condition: str
    held_out: bool
    score: Score | None = None
    off: float | None = None
    null_db: float | None = None
    edits: int | None = None
    causes: tuple[tuple[str, float], ...] = ()
    method: str = "error"
    truth: str = ""
    got: str = ""

    @property
    def kinds(self) -> bool:
        return self.score is not None and self.score.kinds

    @property
    def positions(self) -> bool:
        return self.score is not None and self.score.kinds and self.score.positions

    @property
    def column(self) -> str:
        """The condition without which vocoder it was."""
        return self.condition.split(" ", maxsplit=1)[0]

    @property
    def different(self) -> bool:
        """Whether an unrelated pair is first of all called that."""
        return bool(self.causes) and self.causes[0][0] == DIFFERENT

    @property
    def misnamed(self) -> bool:
        """Whether an unrelated pair has another cause that is said to be sure."""
        return any(name != DIFFERENT and confidence >= SURE for name, confidence in self.causes)


class Target(msgspec.Struct, frozen=True):
    """What a figure has to be: at least `limit`, or at most."""

    name: str
    value: float
    limit: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.value <= self.limit if self.at_most else self.value >= self.limit

    def __str__(self) -> str:
        sign = "at most" if self.at_most else "at least"
        return f"{'met   ' if self.met else 'MISSED'} {self.name}: {self.value:.4g} ({sign} {self.limit:g})"


def share(values: Iterable[bool]) -> float:
    """Of the values, how many are true, 0 to 1; 1 of none."""
    every = list(values)
    return sum(every) / len(every) if every else 1.0


def by_group(found: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Those of all, of the tuning and of the held-out sounds; a group that has none is left out."""
    parts = {
        "all": list(found),
        "tuning": [one for one in found if not one.held_out],
        "held-out": [one for one in found if one.held_out],
    }
    return {name: part for name, part in parts.items() if part}


# Targets


def targets(part: str, found: Sequence[Outcome]) -> list[Target]:
    """The targets of a part."""
    return TARGETS[part](found)


def _edit_targets(found: Sequence[Outcome]) -> list[Target]:
    counted = [one for one in found if one.column != VOCODED]
    made = []
    for group, part in by_group(counted).items():
        made.append(Target(f"{group}: right kinds", share(one.kinds for one in part), RIGHT_KINDS))
        made.append(Target(f"{group}: right positions", share(one.positions for one in part), RIGHT_POSITIONS))
    return made


def _unedited_targets(found: Sequence[Outcome]) -> list[Target]:
    return [
        Target("copies with an edit reported", sum(one.edits != 0 for one in found), 0, at_most=True),
        Target("copies not laid at all", sum(one.method == "none" for one in found), 0, at_most=True),
    ]


def _precise_targets(found: Sequence[Outcome]) -> list[Target]:
    clean = [one for one in found if one.condition == CLEAN]
    made = [
        Target(f"clean: largest error of a {kind}", _largest(clean, kind), limit, at_most=True)
        for kind, limit in MOST_OFF.items()
    ]
    nulls = [one.null_db for one in clean if one.null_db is not None]
    return [*made, Target("clean: null of half a sample, dB", max(nulls, default=float("-inf")), NULL_DB, at_most=True)]


def _largest(found: Sequence[Outcome], kind: str) -> float:
    errors = [float("inf") if one.off is None else one.off for one in found if one.edit.startswith(kind)]
    return max(errors, default=0.0)


def _unrelated_targets(found: Sequence[Outcome]) -> list[Target]:
    return [
        Target('method "none"', share(one.method == "none" for one in found), RIGHT_UNRELATED),
        Target(f"first cause {DIFFERENT}", share(one.different for one in found), RIGHT_UNRELATED),
        Target(
            "another cause said to be sure", share(one.misnamed for one in found), 1 - RIGHT_UNRELATED, at_most=True
        ),
    ]


def _warp_targets(found: Sequence[Outcome]) -> list[Target]:
    groups = by_group(found).items()
    return [Target(f"{group}: right maps", share(one.positions for one in part), RIGHT_WARPS) for group, part in groups]


TARGETS: dict[str, Callable[[Sequence[Outcome]], list[Target]]] = {
    "edits": _edit_targets,
    "unedited": _unedited_targets,
    "precise": _precise_targets,
    "unrelated": _unrelated_targets,
    "warped": _warp_targets,
}


def failed(one: Outcome) -> bool:
    """Whether a pair is wrong; of the precise ones, which noise and codecs blur, the clean ones."""
    if one.part == "unedited":
        return one.edits != 0 or one.method == "none"
    if one.part == "unrelated":
        return one.method != "none" or not one.different or one.misnamed
    if one.part == "precise":
        kind = one.edit.split(" ", maxsplit=1)[0]
        if one.condition != CLEAN:
            return False
        return one.off is None or one.off > MOST_OFF[kind] or (one.null_db is not None and one.null_db > NULL_DB)
    return not one.positions


# Tables


def rows(found: Sequence[Outcome]) -> dict[str, dict[str, dict[str, float | int]]]:
    """Edit -> condition -> figures."""
    table: dict[str, dict[str, list[Outcome]]] = {}
    for one in found:
        table.setdefault(one.edit, {}).setdefault(one.column, []).append(one)
    order = [edit for edit in KNOWN if edit in table] + sorted(set(table) - set(KNOWN))
    return {edit: {name: cell(part) for name, part in table[edit].items()} for edit in order}


def cell(found: Sequence[Outcome]) -> dict[str, float | int]:
    """Figures of pairs: of an edit, and of a number."""
    made: dict[str, float | int] = {"pairs": len(found)}
    if found[0].part == "unedited":
        return {**made, "wrong": sum(failed(one) for one in found)}
    if found[0].part == "unrelated":
        return {**made, "right": share(not failed(one) for one in found)}
    scores = [one.score for one in found if one.score]
    made |= {"kinds": share(one.kinds for one in found), "positions": share(one.positions for one in found)}
    made |= {"by_sound": sum(one.by_sound for one in scores), "edits": sum(one.edits for one in scores)}
    made |= {name: sum(getattr(one, name) for one in scores) for name in ("edits_placed", "edits_long")}
    made |= {"periods": sum(one.period is True for one in scores), "not_whole": sum(not one.whole for one in scores)}
    offs = sorted(one.off for one in found if one.off is not None)
    if offs and found[0].part == "precise":
        made |= {"median_off": offs[len(offs) // 2], "largest_off": offs[-1]}
    nulls = [one.null_db for one in found if one.null_db is not None]
    return {**made, "worst_null_db": max(nulls)} if nulls else made


def facts(part: str, found: Sequence[Outcome]) -> dict[str, object]:
    """What is kept of a part."""
    return {
        "pairs": len(found),
        "sounds": sorted({one.sound for one in found}),
        "targets": [
            # A number that is not there is infinitely far off, which JSON cannot say.
            {"name": one.name, "value": float(one.value) if math.isfinite(one.value) else None, "met": bool(one.met)}
            for one in targets(part, found)
        ],
        "groups": {name: rows(each) for name, each in by_group(found).items()} if part != "unrelated" else {},
        "failures": [line(one) for one in found if failed(one)],
    }


def line(one: Outcome) -> str:
    """A failure: sound, edit, condition, truth, got."""
    words = [one.sound, one.edit, one.condition, one.method, f"truth: {one.truth}", f"got: {one.got}"]
    numbers = {"off": one.off, "null dB": one.null_db}
    if one.score:
        numbers |= {"worst ms": one.score.worst_ms, "sound dB": one.score.worst_db}
    return "; ".join([*words, *(f"{name} {value:.3g}" for name, value in numbers.items() if value is not None)])


def printed(part: str, found: Sequence[Outcome]) -> str:
    """Tables, targets and failures of a part, in lines."""
    lines = [f"== {part}: {len(found)} pairs of {len({one.sound for one in found})} sounds"]
    for group, each in by_group(found).items() if part not in ("unrelated", "unedited") else ():
        lines += _table(group, each)
    if part == "unedited":
        lines += [f"{edit:24s} {row[CLEAN]['wrong']:4d} of {row[CLEAN]['pairs']}" for edit, row in rows(found).items()]
    lines += _unrelated_lines(found) if part == "unrelated" else []
    lines += ["", *map(str, targets(part, found)), ""]
    return "\n".join([*lines, *(f"failed: {line(one)}" for one in found if failed(one))])


def _unrelated_lines(found: Sequence[Outcome]) -> list[str]:
    methods = [one.method for one in found]
    return [f"method {name}: {methods.count(name)}" for name in sorted(set(methods))]


def _table(group: str, found: Sequence[Outcome]) -> list[str]:
    """Of each edit and condition: right kinds, right positions and pairs, or how far off numbers are."""
    columns = [name for name in (*SAME_EVERYWHERE, VOCODED) if any(one.column == name for one in found)]
    precise = found[0].part == "precise"
    shown = "median < largest error in samples or ppm, worst null" if precise else "right kinds, right positions, pairs"
    head = f"-- {group}: {shown}"
    lines = [head, " " * 24 + "".join(f"{name:>24s}" for name in columns)]
    for edit, row in rows(found).items():
        lines.append(f"{edit:24s}" + "".join(_shown(row.get(name)) for name in columns))
    if precise:
        return lines
    totals = {name: cell([one for one in found if one.column == name]) for name in columns}
    lines.append(f"{'in all':24s}" + "".join(_shown(totals[name]) for name in columns))
    scores = [one.score for one in found if one.score]
    edits, placed = sum(one.edits for one in scores), sum(one.edits_placed for one in scores)
    long, by_sound = sum(one.edits_long for one in scores), sum(one.by_sound for one in scores)
    partial = sum(not one.whole for one in scores)
    if not edits:
        return lines
    regular = [one.period for one in scores if one.period is not None]
    lines.append(
        f"of {edits} edits {placed} are placed right, {long} are as long as they are; "
        f"{by_sound} scripts are right as they make the same sound; {partial} do not cover "
        f"both sounds; {sum(regular)} of {len(regular)} periods are right"
    )
    return lines


def _shown(figures: dict[str, float | int] | None) -> str:
    if figures is None:
        return " " * 24
    if "largest_off" in figures:
        null = f" {figures['worst_null_db']:.0f}dB" if "worst_null_db" in figures else ""
        return f"{figures['median_off']:8.4f}<{figures['largest_off']:.4f}{null}".rjust(24)
    return f"{figures['kinds']:8.1%}{figures['positions']:8.1%}{figures['pairs']:6d}".rjust(24)
