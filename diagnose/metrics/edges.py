"""The first and last 20 ms against the rest: what a wrong padding or mask leaves at the borders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.analysis.moments import decibels, moments
from diagnose.metrics.metric import Metric, Unmeasurable

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.analysis import Signal
    from diagnose.audio import Samples
    from diagnose.results.report import MetricRow

EDGE_S = 0.020
EDGE_FLOOR_DB = -45.0  # 20 ms at the border are masked by what is so much louder beside them


def edge_db(samples: Samples, rate: int, mean: float, side: str) -> float:
    """10 log10(mean power of the first or last 20 ms / mean power of the interior), dB, at least -45; mean removed.

    What lies lower is not heard: there one sound's dither would be 40 dB over the other's digital silence.
    """
    width = round(EDGE_S * rate)
    if samples.size < 4 * width:
        raise Unmeasurable(f"shorter than 80 ms: no interior beside two edges of {1000 * EDGE_S:g} ms")
    edge = samples[:width] if side == "left" else samples[-width:]
    inside = moments(samples[width:-width])
    interior = inside.mean_square - 2 * mean * inside.mean + mean**2
    if interior <= 1e-12 * inside.mean_square or interior <= 0:
        raise Unmeasurable("silence between the edges")
    return max(decibels(float(np.mean(np.square(edge - mean, dtype=np.float64))) / interior), EDGE_FLOOR_DB)


def edge_left_db(signal: Signal) -> float:
    """Level of the first 20 ms over the interior, dB."""
    return edge_db(signal.mono, signal.rate, signal.moments.mean, "left")


def edge_right_db(signal: Signal) -> float:
    """Level of the last 20 ms over the interior, dB."""
    return edge_db(signal.mono, signal.rate, signal.moments.mean, "right")


def _edge_phrase(side: str) -> Callable[[MetricRow, float], str]:
    def phrase(row: MetricRow, change: float) -> str:
        way = "louder" if change > 0 else "softer"
        return f"{side} 20 ms {abs(change):.1f} dB {way}, against the middle, than in the reference"

    return phrase


METRICS = (
    Metric(
        "edge_left_db",
        "dB",
        "first 20 ms against the interior",
        edge_left_db,
        version=2,
        phrase=_edge_phrase("first"),
        picture="edges",
        region=("edge", "left"),
    ),
    Metric(
        "edge_right_db",
        "dB",
        "last 20 ms against the interior",
        edge_right_db,
        version=2,
        phrase=_edge_phrase("last"),
        picture="edges",
        region=("edge", "right"),
    ),
)
