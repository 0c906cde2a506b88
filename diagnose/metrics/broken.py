"""Broken samples: those that are NaN or infinite, and those that are stuck at full scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.analysis.stuck import stuck_stretches
from diagnose.metrics.metric import Metric, Value
from diagnose.text import number

if TYPE_CHECKING:
    from diagnose.analysis import Signal
    from diagnose.results.report import MetricRow


def nonfinite_share(signal: Signal) -> Value:
    """Share of the samples of all channels that are NaN or infinite, 0 to 1.

    detail: how many they are, the time of the first, the longest stretch in which any channel has them, in s, and the
    channels, from 1.  A sound that was read without mend=True has none, or it would have been refused.
    """
    broken = signal.audio.broken
    if broken is None:
        return Value(0.0)
    start, end = broken.longest
    channels = ", ".join(map(str, broken.channels))
    places = {"count": broken.count, "first_s": broken.first_s, "start_s": start, "end_s": end}
    return Value(broken.share, {**places, "channels": channels})


def stuck_share(signal: Signal) -> Value:
    """Share of the samples in stretches of 5 ms or more at one value of full scale, 0 to 1; the worst channel counts.

    What NaN becomes where a float is cast to an integer, and what a buffer plays that is stuck.  detail: the time of
    the channel's first, its longest stretch, in s, its value, and the channel, from 1.
    """
    rate, worst = signal.rate, Value(0.0)
    for channel, samples in enumerate(signal.audio.samples, 1):
        found = stuck_stretches(samples, rate)
        share = sum(stop - start for start, stop in found) / samples.size
        if share > worst.value:
            start, stop = max(found, key=lambda stretch: stretch[1] - stretch[0])
            places = {"first_s": found[0][0] / rate, "start_s": start / rate, "end_s": stop / rate}
            worst = Value(share, {**places, "value": float(samples[start]), "channel": channel})
    return worst


def _nonfinite_phrase(row: MetricRow, change: float) -> str:
    if change == 0:
        return "every sample is finite"
    count = int(row.detail["count"])
    samples = "1 sample is" if count == 1 else f"{count} samples ({number(row.generated, 'share')}) are"
    return f"{samples} NaN or infinite, the first at {row.detail['first_s']:.3f} s"


def _stuck_phrase(row: MetricRow, change: float) -> str:
    if not row.generated:
        return "no sample is stuck at full scale"
    length = 1000 * (float(row.detail["end_s"]) - float(row.detail["start_s"]))
    share, first = number(row.generated, "share"), row.detail["first_s"]
    return f"{share} of the samples are stuck at {row.detail['value']:+.4g}, from {first:.3f} s, up to {length:.3g} ms"


METRICS = (
    Metric(
        "nonfinite_share",
        "share",
        "samples that are NaN or infinite",
        nonfinite_share,
        at="whole",
        later=True,
        phrase=_nonfinite_phrase,
        picture="envelope",
        region=("broken",),
    ),
    Metric(
        "stuck_share",
        "share",
        "samples stuck at full scale",
        stuck_share,
        at="file",
        later=True,
        phrase=_stuck_phrase,
        picture="levels",
        region=("stuck",),
    ),
)
