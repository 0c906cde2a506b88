"""Steps and spikes a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.analysis.clicks import click_times
from diagnose.metrics.metric import Metric, Unmeasurable, Value

if TYPE_CHECKING:
    from diagnose.analysis import Signal


def clicks_per_s(signal: Signal) -> Value:
    """Number of clicks over the duration, 1/s."""
    if signal.moments.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    if signal.mono.size < 3:
        raise Unmeasurable("shorter than 3 samples")
    times = click_times(signal.mono, signal.rate)
    detail = {"count": int(times.size)} | ({"first_s": float(times[0])} if times.size else {})
    return Value(times.size / signal.audio.duration_s, detail)


METRICS = (
    Metric("clicks_per_s", "1/s", "steps and spikes a second", clicks_per_s, picture="edges", region=("clicks",)),
)
