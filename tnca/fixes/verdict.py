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
    """Came true: on the mean at least `amount` better, and by more than the spread.  Worse: the same, downwards.

    Anything between is no effect, however small the spread: less than the amount is less than was claimed.
    """
    before, after = ([each for each in side if each is not None] for side in (broken, fixed))
    if len(before) < len(broken) or len(after) < len(fixed):
        lacking = " and ".join(["broken"] * (len(before) < len(broken)) + ["fixed"] * (len(after) < len(fixed)))
        return Verdict("no effect", None, None, None, 0.0, f"{prediction.metric} could not be had ({lacking})")
    changes = [
        goodness(b, prediction.direction) - goodness(a, prediction.direction)
        for a, b in zip(before, after, strict=True)
    ]
    change = statistics.fmean(changes)
    spread = statistics.stdev(changes) if len(changes) > 1 else 0.0
    word: Word = "no effect"
    if abs(change) >= prediction.amount and abs(change) > spread:
        word = "came true" if change > 0 else "made it worse"
    means = statistics.fmean(before), statistics.fmean(after)
    return Verdict(word, *means, change, spread, _says(prediction, change, spread))


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
