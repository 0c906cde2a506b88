"""Did a prediction come true?  The change of its figure, seed by seed, against the amount and the seeds' spread."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tnca.fixes.catalogue import Direction, Prediction

Word = Literal["came true", "no effect", "made it worse"]
# Student's t, one-sided 95 %, with 1, 2, ... degrees of freedom; beyond them 1.645 + 1.7 / degrees, to 0.01.
STUDENT = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833)
LEAST_RATIO = 1e-6  # 120 dB from 1: silence


class Verdict(msgspec.Struct, frozen=True):
    """broken, fixed: means over the seeds.  change: mean improvement, above 0 is better, in the metric's unit or, for

    a metric that is best at 1, in dB of its distance from 1.  spread: sample standard deviation of the improvement
    over the seeds, each against itself.  uncertainty: how far chance may take the mean, see uncertainty().
    """

    word: Word
    broken: float | None
    fixed: float | None
    change: float | None
    spread: float
    uncertainty: float
    says: str


def decide(prediction: Prediction, broken: Sequence[float | None], fixed: Sequence[float | None]) -> Verdict:
    """Came true: on the mean at least `amount` better, and surely better.  Made it worse: the same, downwards.

    Surely: |mean| > t s / sqrt(n), Student's t at 95 % (one-sided) with n - 1 degrees of freedom, of the improvements
    of n seeds, each against itself.  Anything else is no effect: less than the amount is less than was claimed.  A
    side that has no figure has lost.
    """
    lacking = [sum(value is None for value in side) for side in (broken, fixed)]
    if any(lacking):
        return _lacking(prediction, *lacking)
    before, after = ([value for value in side if value is not None] for side in (broken, fixed))
    changes = [
        goodness(b, prediction.direction) - goodness(a, prediction.direction)
        for a, b in zip(before, after, strict=True)
    ]
    change = statistics.fmean(changes)
    spread = statistics.stdev(changes) if len(changes) > 1 else 0.0
    unsure = uncertainty(spread, len(changes))
    word: Word = "no effect"
    if abs(change) >= prediction.amount and abs(change) > unsure:
        word = "came true" if change > 0 else "made it worse"
    means = statistics.fmean(before), statistics.fmean(after)
    return Verdict(word, *means, change, spread, unsure, _says(prediction, change, unsure))


def uncertainty(spread: float, count: int) -> float:
    """How far a mean of so many may lie from the truth by chance; 0 of a single one, of which nothing is known."""
    if count < 2:
        return 0.0
    student = STUDENT[count - 2] if count - 2 < len(STUDENT) else 1.645 + 1.7 / (count - 1)
    return student * spread / math.sqrt(count)


def _lacking(prediction: Prediction, broken: int, fixed: int) -> Verdict:
    word: Word = "no effect" if broken == fixed else "came true" if fixed < broken else "made it worse"
    said = f"{prediction.metric} not measurable in {broken} without it, in {fixed} with it (silent, or diverged)"
    return Verdict(word, None, None, None, 0.0, 0.0, said)


def goodness(value: float, direction: Direction) -> float:
    """Larger is better: the value, its negative, or minus its distance from 1 in dB."""
    match direction:
        case "higher":
            return value
        case "lower":
            return -value
        case "to one":
            return -abs(20 * math.log10(max(value, LEAST_RATIO)))


def _says(prediction: Prediction, change: float, unsure: float) -> str:
    """The figure that decides."""
    amount = f"{abs(change):.3g} {unit(prediction)}".strip()
    better = "better" if change > 0 else "worse"
    said = "no change" if change == 0 else f"{amount} {better}"
    undecided = "; use more seeds" if prediction.amount <= abs(change) <= unsure else ""
    return f"{said} ± {unsure:.2g}, at least {prediction.amount:g} required{undecided}"


def unit(prediction: Prediction) -> str:
    """Of a change; "" for a share or another number without one."""
    return "dB" if prediction.direction == "to one" or prediction.metric.endswith("_db") else ""
