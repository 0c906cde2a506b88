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
SPREADS = 2.0
LEAST_RATIO = 1e-6  # 120 dB from 1: silence


class Verdict(msgspec.Struct, frozen=True):
    """broken, fixed: means over the seeds.  change: mean improvement, above 0 is better, in the metric's unit or, for

    a metric that is best at 1, in dB of its distance from 1.  spread: sample standard deviation of the improvement
    over the seeds, each against itself; 0 where nothing is drawn.
    """

    word: Word
    broken: float | None
    fixed: float | None
    change: float | None
    spread: float
    says: str


def decide(prediction: Prediction, broken: Sequence[float | None], fixed: Sequence[float | None]) -> Verdict:
    """Came true: on the mean at least `amount` better, and by more than twice the spread.  Worse: the same, downwards.

    Anything between is no effect: less than the amount is less than was claimed.  Twice the spread of three seeds is
    t = 3.5 with two degrees of freedom: by chance one in twenty-seven.  A side that has no figure has lost.
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
    word: Word = "no effect"
    if abs(change) >= prediction.amount and abs(change) > SPREADS * spread:
        word = "came true" if change > 0 else "made it worse"
    means = statistics.fmean(before), statistics.fmean(after)
    return Verdict(word, *means, change, spread, _says(prediction, change, spread))


def _lacking(prediction: Prediction, broken: int, fixed: int) -> Verdict:
    word: Word = "no effect" if broken == fixed else "came true" if fixed < broken else "made it worse"
    said = f"{prediction.metric} could not be had from {broken} without it, from {fixed} with it (silence, or diverged)"
    return Verdict(word, None, None, None, 0.0, said)


def goodness(value: float, direction: Direction) -> float:
    """Larger is better: the value, its negative, or minus its distance from 1 in dB."""
    match direction:
        case "higher":
            return value
        case "lower":
            return -value
        case "to one":
            return -abs(20 * math.log10(max(value, LEAST_RATIO)))


def _says(prediction: Prediction, change: float, spread: float) -> str:
    """The figure that decides."""
    unit = "dB" if prediction.direction == "to one" or prediction.metric.endswith("_db") else ""
    amount = f"{abs(change):.3g} {unit}".strip()
    better = "better" if change > 0 else "worse"
    said = "the same" if change == 0 else f"{amount} {better}"
    return f"{said}, spread {spread:.2g}, {prediction.amount:g} were to be seen"
