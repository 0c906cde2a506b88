"""The metrics: METRICS in the order of a report, and measure() for one sound or a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.metrics import (
    bands,
    broken,
    channels,
    clicks,
    comb,
    distance,
    dynamics,
    edges,
    fill,
    level,
    loudness,
    pitch,
    places,
    spectrum,
    timing,
)
from diagnose.metrics.metric import Measurement, Metric, Unmeasurable, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from diagnose.analysis import Pair, Signal
    from diagnose.results.report import MetricRow

    Before = Callable[[str], None]


def nothing(_name: str) -> None:
    """What is done before each metric, where nobody asked."""


def duration_s(signal: Signal) -> float:
    """Length of the file, s."""
    return signal.audio.duration_s


def _duration_phrase(row: MetricRow, change: float) -> str:
    if abs(change) < 0.0005:
        return "as long as the reference"
    return f"{abs(change):.3f} s {'longer' if change > 0 else 'shorter'} than the reference"


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "duration_s", "s", "length of the file", duration_s, at="whole", phrase=_duration_phrase, picture="envelope"
        ),
        *broken.METRICS,
        *level.METRICS,
        *loudness.METRICS,
        *spectrum.METRICS,
        *bands.METRICS,
        *edges.METRICS,
        *clicks.METRICS,
        *dynamics.METRICS,
        *comb.METRICS,
        *pitch.METRICS,
        *timing.METRICS,
        *distance.METRICS,
        *places.METRICS,
        *fill.METRICS,
        *channels.METRICS,
    )
}


OF_A_SIGNAL = tuple(name for name, metric in METRICS.items() if metric.of == "signal")
OF_A_PAIR = tuple(name for name, metric in METRICS.items() if metric.of == "pair")
Measured = dict[str, Measurement]


def measure_signal(
    common: Signal, file: Signal | None = None, names: Iterable[str] | None = None, before: Before = nothing
) -> Measured:
    """Metrics of one sound, in the order of the names; every one that a sound has, in order, by default.

    file: the same sound as it was read, where that differs.  before: is called with the name of each, before it.
    """
    found = {}
    for name in OF_A_SIGNAL if names is None else names:
        before(name)
        found[name] = METRICS[name].measure((file or common) if METRICS[name].at != "common" else common)
    return found


def measure_pair(pair: Pair, names: Iterable[str] | None = None, before: Before = nothing) -> Measured:
    """The named metrics that only a pair has, all of them by default, in order; before as above."""
    unlike = "the content is another: nothing of the two can be laid on each other"
    found = {}
    for name in OF_A_PAIR if names is None else names:
        before(name)
        told = not pair.unrelated or name == "content_distance"
        found[name] = METRICS[name].measure(pair) if told else Measurement(None, METRICS[name].unit, reason=unlike)
    return found


__all__ = [
    "METRICS",
    "OF_A_PAIR",
    "OF_A_SIGNAL",
    "Measurement",
    "Metric",
    "Unmeasurable",
    "Value",
    "channels",
    "edges",
    "measure_pair",
    "measure_signal",
    "nothing",
]
