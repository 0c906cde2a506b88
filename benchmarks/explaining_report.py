"""The figures of benchmarks/explaining.py: shares by part and group of sounds, targets, and what was wrong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from explaining_cases import FORCED, GATE, OURS
from reliability import FAILED, NOTHING, First, Named
from reliability import figures as reliability_of
from timeline_report import Target

from diagnose.operations.scene import ORDINARY_DB

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Shares of the pairs, as issue 20 has them.
SINGLE_FIRST, SINGLE_TOO_MANY = 0.97, 0.05
BOTH_NAMED, BOTH_TOO_MANY = 0.85, 0.1
POINTS_BELOW, CAUSES_NEAR = 5.0, 8
MATTERS_DB = 1.0
SHOWN = 25  # wrong answers in a table


class Outcome(msgspec.Struct, frozen=True):
    """One pair: the causes of what was injected, and of the chain, what explains the most first.

    part, sound, names, by, severity, also: as in the case.  asked: whether the engine was; it is not where the
    alignment finds no copy.  without_db: the distance that is left when one of the faults is left out, each as it was
    injected.  said: the difference, and each step with what it leaves when it is left out, and when it is not; of one
    that failed, what was raised.  causes: those that compare names, where it is asked.
    """

    part: str
    sound: str
    names: tuple[str, ...]
    by: str
    severity: float
    truth: tuple[str, ...]
    also: tuple[str, ...]
    held_out: bool
    asked: bool = False
    failed: bool = False
    found: tuple[str, ...] = ()
    proven: bool = False
    without_db: tuple[float, ...] = ()
    said: str = ""
    seconds: float = 0.0
    causes: tuple[Named, ...] = ()

    @property
    def claim(self) -> First:
        """The first cause that compare names, but for what the tool brings with it."""
        first = next((cause for cause in self.causes if cause.id not in self.also), None)
        if first is None:
            return First(FAILED if self.failed else NOTHING, 0.0, right=False)
        return First(first.id, first.confidence, (first.id,) == self.truth)

    @property
    def right(self) -> bool:
        """Whether all that was injected is named; of one fault, first."""
        if self.failed:
            return False
        if len(self.truth) != 1:
            return set(self.truth) <= set(self.found)
        return tuple(each for each in self.found if each not in self.also)[:1] == self.truth

    @property
    def named(self) -> int:
        """How many of the faults are named."""
        return len(set(self.truth) & set(self.found))

    @property
    def too_many(self) -> bool:
        """Whether anything is named that was not injected."""
        return bool(set(self.found) - set(self.truth) - set(self.also))

    @property
    def wrong(self) -> bool:
        return not self.right or self.too_many

    @property
    def matters(self) -> bool:
        """Whether leaving out any of the faults costs 1 dB or more over ordinary loss."""
        over = (10 * math.log10(1 + 10 ** ((each - ORDINARY_DB) / 10)) for each in self.without_db)
        return all(each >= MATTERS_DB for each in over)

    def __str__(self) -> str:
        proven = ", proven" if self.proven else ""
        found = ", ".join(self.found) or "no step"
        return f"{self.made}: {found}{proven} [{self.said}]"

    @property
    def made(self) -> str:
        """What was compared."""
        severity = f" at {self.severity:g}" if self.truth else ""
        return f"{self.sound}, {' + '.join(self.names)}{severity}"


# Tables


def share(values: Iterable[bool]) -> float:
    """Of the values, how many are true, 0 to 1; not a number of none."""
    every = list(values)
    return sum(every) / len(every) if every else math.nan


def table(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Shares of the pairs: right, a step too many; of the chains that are proofs, those with a wrong step."""
    proven = [each for each in outcomes if each.proven]
    return {
        "pairs": len(outcomes),
        "right": share(each.right for each in outcomes),
        "a step too many": share(each.too_many for each in outcomes),
        "proven": share(each.proven for each in outcomes),
        "proven, with a wrong step": share(each.too_many for each in proven),
        "median s": float(np.median([each.seconds for each in outcomes])) if outcomes else math.nan,
    }


def table_of_three(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """As table, and the share in which two of the three or all are named."""
    figures = table(outcomes)
    return {"pairs": figures.pop("pairs"), "two or more": share(each.named >= 2 for each in outcomes), **figures}


def table_without_step(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Pairs that have nothing to explain, and how many were given no step."""
    return {
        "pairs": len(outcomes),
        "asked": sum(each.asked for each in outcomes),
        "without a step": sum(not each.found and not each.failed for each in outcomes),
        "proven": sum(each.proven for each in outcomes),
    }


def tables(part: str, found: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """The figures of a part by groups, each with a name; of what was asked where something was injected."""
    if part == "ordinary":
        copies = dict.fromkeys(name for each in found for name in each.names)
        by_copy = {name: [each for each in found if each.names == (name,)] for name in copies}
        return {name: table_without_step(some) for name, some in (by_copy | {"all": list(found)}).items()}
    if part == "unrelated":
        return {by: table_without_step([each for each in found if each.by == by]) for by in (GATE, FORCED)}
    if part == "foreign":
        return {cause: beside_ours(found, cause) for cause in _causes(found)}
    figures = table_of_three if part == "three" else table
    made = {}
    for name, some in _groups(found).items():
        made[name] = figures(some)
        if part != "single":
            made[f"{name}, all of which matter"] = figures([each for each in some if each.matters])
    return made


def _groups(found: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """What the engine was asked of, on the sounds for tuning and on those held out."""
    asked = [each for each in found if each.asked]
    both = {
        "tuning": [each for each in asked if not each.held_out],
        "held out": [each for each in asked if each.held_out],
    }
    return {name: some for name, some in both.items() if some}


def _causes(found: Sequence[Outcome]) -> list[str]:
    """The causes of what foreign tools broke, and "all"."""
    return [*dict.fromkeys(each.truth[0] for each in found if each.by != OURS), "all"]


def beside_ours(found: Sequence[Outcome], cause: str) -> dict[str, float]:
    """Of a cause, or of "all": what foreign tools broke beside what our own faults did, and the points between."""
    some = [each for each in found if cause in (each.truth[0], "all")]
    asked = [each for each in some if each.asked]
    theirs, ours = [each for each in asked if each.by != OURS], [each for each in asked if each.by == OURS]
    right, our_right = (share(each.right for each in one) for one in (theirs, ours))
    too_many, our_too_many = (share(each.too_many for each in one) for one in (theirs, ours))
    return {
        "pairs": len(theirs),
        "no copy": sum(not each.asked for each in some if each.by != OURS),
        "right": right,
        "a step too many": too_many,
        "our pairs": len(ours),
        "our right": our_right,
        "our step too many": our_too_many,
        "points": 100 * (right - our_right),
        "points of too many": 100 * (too_many - our_too_many),
    }


def confidences(found: Sequence[Outcome]) -> dict[str, dict[str, float | int]]:
    """How honest compare is about foreign faults, on the sounds for tuning and on those held out."""
    theirs = [each for each in found if each.by != OURS]
    both = {
        "tuning": [each for each in theirs if not each.held_out],
        "held out": [each for each in theirs if each.held_out],
    }
    return {
        name: {"pairs": len(some), **reliability_of([each.claim for each in some])}
        for name, some in both.items()
        if some
    }


# Targets


def targets(part: str, found: Sequence[Outcome]) -> list[Target]:
    """The targets of a part; those that are of sounds held out, where there are any."""
    if part == "ordinary":
        return [Target("copies that were given a step", sum(each.wrong for each in found), 0, at_most=True)]
    if part == "unrelated":
        return _unrelated_targets(found)
    if part == "foreign":
        below = [-figures["points"] for cause, figures in tables(part, found).items() if cause != "all"]
        near = sum(each <= POINTS_BELOW for each in below)
        return [Target(f"causes at most {POINTS_BELOW:g} points below our own", near, CAUSES_NEAR)]
    if part == "three":
        return []
    name, named, too_many = ("held out", SINGLE_FIRST, SINGLE_TOO_MANY)
    if part == "pairs":
        name, named, too_many = ("held out, all of which matter", BOTH_NAMED, BOTH_TOO_MANY)
    figures = tables(part, found).get(name)
    if figures is None or not figures["pairs"]:
        return []
    return [
        Target(f"{name}: {'both named' if part == 'pairs' else 'named first'}", figures["right"], named),
        Target(f"{name}: a step too many", figures["a step too many"], too_many, at_most=True),
    ]


def _unrelated_targets(found: Sequence[Outcome]) -> list[Target]:
    made = []
    for by in (GATE, FORCED):
        some = [each for each in found if each.by == by]
        made.append(Target(f"{by}: proven", sum(each.proven for each in some), 0, at_most=True))
        made.append(Target(f"{by}: with a step", sum(each.wrong for each in some), 0, at_most=True))
    return made


# What is printed, and kept


def failures(found: Sequence[Outcome]) -> list[Outcome]:
    """What the engine was asked of and got wrong: the proofs first."""
    wrong = [each for each in found if each.asked and each.wrong]
    return sorted(wrong, key=lambda each: (each.by == OURS, not (each.proven and each.too_many), each.right))


def printed(part: str, found: Sequence[Outcome]) -> str:
    """The part in lines."""
    lost = sum(not each.asked for each in found)
    failed = sum(each.failed for each in found)
    lines = [f"{part}: {len(found)} pairs, {lost} that the alignment finds to be no copy, {failed} that failed"]
    for name, figures in tables(part, found).items():
        row = ", ".join(f"{what} {value:.3g}" for what, value in figures.items())
        lines.append(f"  {name:32s} {row}")
    if part == "foreign":
        lines += [f"  compare, {name}: {figures}" for name, figures in confidences(found).items()]
    lines += [f"  {target}" for target in targets(part, found)]
    bad = failures(found)
    lines += [f"  - {each}" for each in bad[:SHOWN]]
    return "\n".join((*lines, f"  and {len(bad) - SHOWN} more wrong") if len(bad) > SHOWN else lines)


def facts(part: str, found: Sequence[Outcome]) -> dict[str, object]:
    """What is kept of a part."""
    return {
        "pairs": len(found),
        "failed": sum(each.failed for each in found),
        "no copy": [each.made for each in found if not each.asked],
        "targets": [msgspec.to_builtins(target) | {"met": target.met} for target in targets(part, found)],
        "tables": {name: _without_nan(figures) for name, figures in tables(part, found).items()},
        **({"confidence": confidences(found)} if part == "foreign" else {}),
        "wrong": [msgspec.to_builtins(each) for each in failures(found)],
    }


def _without_nan(figures: dict[str, float]) -> dict[str, float | None]:
    """Figures as JSON can hold them: a share of nothing is null."""
    return {name: None if math.isnan(value) else value for name, value in figures.items()}
