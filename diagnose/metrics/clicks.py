"""Steps and spikes: how many a second, and how many that the reference does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.analysis.clicks import OVER_PEAK, REACH_S, SAME_S, added_clicks, sharpest
from diagnose.metrics.metric import Metric, Unmeasurable, Value

if TYPE_CHECKING:
    from diagnose.analysis import Pair, Signal
    from diagnose.results.report import MetricRow


def clicks_per_s(signal: Signal) -> Value:
    """Number of clicks over the duration, 1/s."""
    if signal.moments.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    if signal.mono.size < 3:
        raise Unmeasurable("shorter than 3 samples")
    times = signal.clicks
    detail = {"count": int(times.size)} | ({"first_s": float(times[0])} if times.size else {})
    return Value(times.size / signal.audio.duration_s, detail)


def clicks_added(pair: Pair) -> Value:
    """Number of clicks of the generated sound that the reference does not have, clicks.

    None of the reference's lies within 2 ms, and nothing of it within 25 ms is a third as sharp: where phases are a
    vocoder's own, each pulse of a voice has a shape of its own.  Of a copy, or of a sound in the reference's timing.
    """
    if pair.timeline.method not in ("waveform", "spectrogram"):
        raise Unmeasurable("the timing is not the reference's")
    theirs = pair.generated.clicks
    at = np.array([pair.laid.from_generated(time * pair.rate) / pair.rate for time in theirs])
    new = added_clicks(pair.reference.clicks, at)
    added = np.array([heard for heard, own in zip(theirs[new], at[new], strict=True) if _is_sharper(pair, heard, own)])
    return Value(float(added.size), {"first_s": float(added[0])} if added.size else {})


def _is_sharper(pair: Pair, heard: float, own: float) -> bool:
    """Whether a click at heard s of the generated sound is sharper than what the reference has there, at own s."""
    theirs = sharpest(pair.generated.mono, pair.rate, heard, SAME_S)
    return theirs > OVER_PEAK * pair.gain * sharpest(pair.reference.mono, pair.rate, own, REACH_S)


def _added_phrase(row: MetricRow, change: float) -> str:
    if not change:
        return "no clicks that the reference does not have"
    count = "a click" if change == 1 else f"{change:.0f} clicks"
    return f"{count} that the reference does not have, the first at {row.detail['first_s']:.3f} s"


METRICS = (
    Metric("clicks_per_s", "1/s", "steps and spikes a second", clicks_per_s, picture="edges", region=("clicks",)),
    Metric(
        "clicks_added",
        "clicks",
        "steps and spikes that the reference does not have",
        clicks_added,
        "pair",
        later=True,
        phrase=_added_phrase,
        picture="edges",
        region=("clicks",),
    ),
)
