"""Verdicts: compare the change of a metric with its limit: PASS, WARN, FAIL, or no verdict."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import msgspec

from diagnose.results.limit import as_threshold

if TYPE_CHECKING:
    from diagnose.metrics import Measurement, Metric
    from diagnose.results.limit import Limit, Threshold
    from diagnose.results.verdict import Verdict


class Judgement(msgspec.Struct, frozen=True):
    """verdict: None where the metric has no limits or no number.  warn, fail: the levels of change it was held to.

    severity: how far the change went on the way to the fail level (1 is on it); for sorting, worst first.
    """

    verdict: Verdict | None = None
    warn: float | None = None
    fail: float | None = None
    severity: float = 0.0


class Figures(msgspec.Struct, frozen=True):
    """One metric of a pair: both values (None for a metric of the pair), and their change."""

    reference: float | None
    generated: float | None
    change: float | None
    reason: str | None = None


class Changed(Protocol):
    """What a verdict is on: Figures, or the row of a report."""

    @property
    def reference(self) -> float | None: ...
    @property
    def generated(self) -> float | None: ...
    @property
    def change(self) -> float | None: ...


def change_of(metric: Metric, reference: Measurement, generated: Measurement) -> Figures:
    """Generated - reference, or generated / reference for a ratio; None and the reason where either is missing."""
    before, after = reference.value, generated.value
    reasons = [f"{side}: {m.reason}" for side, m in (("reference", reference), ("generated", generated)) if m.reason]
    if before is None or after is None:
        return Figures(before, after, None, "; ".join(dict.fromkeys(reasons)))
    if metric.scale == "linear":
        return Figures(before, after, after - before)
    if before == 0:
        return Figures(before, after, None, "reference: is 0, and nothing can be divided by it")
    return Figures(before, after, after / before)


def judge(metric: Metric, figures: Changed, limit: Limit | None) -> Judgement:
    """The verdict on one metric's change."""
    if limit is None or (limit.warn is None and limit.fail is None):
        return Judgement()
    warn, fail = (_level(level, figures.reference) for level in (limit.warn, limit.fail))
    if figures.change is None:
        # A number that only the reference has was lost on the way; one that neither has says nothing.
        lost = figures.reference is not None and figures.generated is None
        return Judgement("WARN" if lost else None, warn, fail)
    reached = {
        "warn": _reached(metric, figures.change, warn, limit),
        "fail": _reached(metric, figures.change, fail, limit),
    }
    verdict: Verdict = "FAIL" if reached["fail"] >= 1 else "WARN" if reached["warn"] >= 1 else "PASS"
    return Judgement(verdict, warn, fail, max(reached["fail"], reached["warn"] / 10))


def _level(level: float | Threshold | None, reference: float | None) -> float | None:
    return None if level is None else as_threshold(level).at(reference)


def _reached(metric: Metric, change: float, level: float | None, limit: Limit) -> float:
    """How far the change went from the ideal towards the level: 0 not at all, 1 on it."""
    if level is None:
        return 0.0
    if metric.scale == "log":
        return _ratio_reached(change, level, limit.direction)
    offset, span = change - metric.ideal, level - metric.ideal
    if limit.direction == "both":
        offset, span = abs(offset), abs(span)
    elif limit.direction == "lower":
        offset, span = -offset, -span
    if span <= 0:  # a level on the ideal itself: any step past it counts
        return float("inf") if offset > 0 else 0.0
    return max(offset / span, 0.0)


def _ratio_reached(change: float, level: float, direction: str) -> float:
    """A ratio and its inverse are equally far from 1, so ratios are held against each other as logarithms."""
    if change <= 0:
        return 0.0 if direction == "higher" else float("inf")
    offset, span = math.log(change), math.log(level)
    if direction == "both":
        offset, span = abs(offset), abs(span)
    if span == 0:  # a level on the ideal itself: any step to the worse side is beyond it
        return float("inf") if (offset < 0 if direction == "lower" else offset > 0) else 0.0
    return max(offset / span, 0.0)
