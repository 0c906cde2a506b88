"""The tolerance for a spread: how far one more run may be from the mean of N runs."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from diagnose.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

CHANCE = 1e-4  # that a check of a case, over all its metrics, fails by noise alone
LEAST_RUNS = 3
FACTOR = 3.0  # times the furthest run seen: what a normal spread hardly ever needs, and a skewed one does
METHOD = (
    "prediction interval of one more run, t s sqrt(1 + 1/N), two-sided Student t with N - 1 degrees of freedom; "
    f"a chance of {CHANCE:g} a check, shared by the metrics of a case (Bonferroni); "
    f"at least {FACTOR:g} times the furthest run's distance from the mean"
)


def tolerance(values: Sequence[float], metrics: int) -> float:
    """How far one more run may lie from the mean of N runs' values, in their unit: prediction() or, where that is
    wider, FACTOR times the distance of the furthest.

    The second is for skewed figures (a largest deficit is 0 in most runs and something in a few), whose tail is
    longer than a normal one's of that s.  A figure that jumps in one run of a hundred is covered by neither.
    """
    mean = statistics.fmean(values)
    furthest = max(abs(value - mean) for value in values)
    return max(prediction(statistics.stdev(values), len(values), metrics), FACTOR * furthest)


def prediction(spread: float, measured: int, metrics: int, single: bool = False) -> float:
    """t s sqrt(1 + 1/N): what |one more run - centre| stays under, but for a chance of CHANCE / metrics.

    spread: sample standard deviation s of the N = measured runs.  The centre is their mean, or, where single, one
    other run: then the factor is sqrt(2).  Assumes that runs are independent and their figures normal.
    Hahn and Meeker, Statistical Intervals (1991), section 4.7.
    """
    if spread == 0:
        return 0.0
    return student(CHANCE / metrics, measured - 1) * spread * math.sqrt(1 + (1 if single else 1 / measured))


def student(chance: float, freedom: int) -> float:
    """The t > 0 with P(|T| > t) = chance for Student's t distribution; chance from 1e-12 to 1.

    By bisection on both_tails(); relative error under 1e-4 (1 - A cancels where chance nears 1e-12).
    """
    if not 1e-12 <= chance < 1 or freedom < 1:
        raise InputError(f"no t for a probability of {chance:g} with {freedom} degrees of freedom; use more runs")
    low, high = 0.0, 1.0
    while both_tails(high, freedom) > chance:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if both_tails(middle, freedom) > chance else (low, middle)
    return (low + high) / 2


def both_tails(t: float, freedom: int) -> float:
    """P(|T| > t) = 1 - A(t), with the finite series of Abramowitz and Stegun 26.7.3 (odd) and 26.7.4 (even)."""
    angle = math.atan2(t, math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    if freedom % 2:
        term, total = cosine, cosine if freedom > 1 else 0.0
        for k in range(2, freedom - 2, 2):
            term *= k / (k + 1) * cosine**2
            total += term
        return 1 - 2 / math.pi * (angle + sine * total)
    term = total = 1.0
    for k in range(1, freedom - 2, 2):
        term *= k / (k + 1) * cosine**2
        total += term
    return 1 - sine * total
