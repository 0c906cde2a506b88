"""Level: RMS, peaks, crest, bias, clipping."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import soxr

from diagnose.analysis.moments import decibels
from diagnose.audio import blocks
from diagnose.metrics.metric import Metric, Unmeasurable
from diagnose.text import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from diagnose.analysis import Signal
    from diagnose.audio import Samples
    from diagnose.results.report import MetricRow


LEAST_TOP = 0.25  # distance of a flat top from the mean, over the peak's
LEAST_FLAT = 3  # samples of a flat top
CORNER = 6  # steps beyond a flat top, in tolerances


def rms(signal: Signal) -> float:
    """sqrt(mean(x**2)), bias included; its change is the quotient generated / reference."""
    return signal.moments.rms


def rms_dbfs(signal: Signal) -> float:
    """20 log10(rms) with 0 dBFS = RMS of 1.0 (a full-scale square wave; a full-scale sine has -3.01)."""
    if signal.moments.mean_square == 0:
        raise Unmeasurable("digital silence has no level in dB")
    return decibels(signal.moments.mean_square)


def peak_dbfs(signal: Signal) -> float:
    """20 log10(max |x|) over all channels of the file."""
    peak = float(np.abs([signal.audio.samples.min(), signal.audio.samples.max()]).max())
    if peak == 0:
        raise Unmeasurable("digital silence has no level in dB")
    return decibels(peak**2)


def true_peak_dbtp(signal: Signal) -> float:
    """20 log10(max |x|) over all channels after 4 times oversampling, dBTP.

    Source: ITU-R BS.1770-4, Annex 2, with soxr's interpolator for the 48-tap example filter.  At most
    0.7 dB under the continuous peak for content up to 0.45 of the rate.
    """
    peak = max(_oversampled_peak(channel, signal.rate) for channel in signal.audio.samples)
    if peak == 0:
        raise Unmeasurable("digital silence has no level in dB")
    return decibels(peak**2)


def _oversampled_peak(samples: Samples, rate: int) -> float:
    stream = soxr.ResampleStream(rate, 4 * rate, 1, dtype="float32")
    peak = float(np.abs([samples.min(), samples.max()]).max())
    for part in blocks(samples.shape[0]):
        last = part.stop == samples.shape[0]
        raised = stream.resample_chunk(np.ascontiguousarray(samples[part]), last=last)
        if raised.size:
            peak = max(peak, float(raised.max()), -float(raised.min()))
    return peak


def crest_db(signal: Signal) -> float:
    """20 log10(max |x - mean| / rms(x - mean)), dB: 0 for a square wave, 3.01 for a sine."""
    now = signal.moments
    if now.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    return decibels(max(now.highest - now.mean, now.mean - now.lowest) ** 2 / now.variance)


def dc_share(signal: Signal) -> float:
    """mean(x)**2 / mean(x**2): the share of the power that is bias, 0 to 1."""
    now = signal.moments
    if now.mean_square == 0:
        raise Unmeasurable("silence: no power to take a share of")
    return min(now.mean**2 / now.mean_square, 1.0)


def clipped_share(signal: Signal) -> float:
    """Share of the file's samples that lie on a flat top at the extremes, 0 to 1; the worst channel counts.

    A flat top is at least 3 consecutive samples within `tolerance` of the channel's maximum or minimum that
    is entered or left by a corner: beyond it the samples go in steps of over 6 tolerances.  A sine's own crest
    is flat but round; where it has 3 such samples, the steps beyond are under 5.  The
    tolerance is 1.5 steps of 16 bits or 1e-4 of the peak.  A flat stretch under a quarter of the way from the
    mean to the peak is a pause between pulses, not a top.  Soft clipping has no flat top and is not counted;
    resampling destroys flat tops, so this is measured on the file as it is.
    For a sine of amplitude 1 cut at c, the share is 1 - (2 / pi) asin(c).
    """
    return max(_clipped_share(channel) for channel in signal.audio.samples)


def _clipped_share(samples: Samples) -> float:
    highest, lowest = float(samples.max()), float(samples.min())
    tolerance = max(1.5 / 32768, 1e-4 * max(highest, -lowest))
    if highest - lowest <= 2 * tolerance:
        return 0.0
    mean = float(samples.mean(dtype=np.float64))
    least = LEAST_TOP * max(highest - mean, mean - lowest)
    tops = [level for level in (highest, lowest) if abs(level - mean) >= least]
    return sum(_flat_samples(samples, level, tolerance) for level in tops) / samples.shape[0]


def _flat_samples(samples: Samples, level: float, tolerance: float) -> int:
    """Number of samples in flat tops at level; only the few samples near it are walked."""
    near = np.concatenate(
        [part.start + np.flatnonzero(np.abs(samples[part] - level) <= tolerance) for part in blocks(samples.size)]
    )
    if not (near[2:] - near[:-2] == LEAST_FLAT - 1).any():
        return 0
    breaks = np.flatnonzero(np.diff(near) > 1) + 1
    first = near[np.concatenate(([0], breaks))]
    last = near[np.concatenate((breaks - 1, [near.size - 1]))]
    corner = np.maximum(_step_beyond(samples, first, -1), _step_beyond(samples, last, 1))
    length = last - first + 1
    flat = (length >= LEAST_FLAT) & (corner > CORNER * tolerance)
    return int(length[flat].sum())


def _step_beyond(samples: Samples, end: NDArray[np.intp], way: int) -> NDArray[np.float32]:
    """The largest of the first two steps beyond the end of a run; the first may be cut short by the top itself."""
    last = samples.size - 1
    places = [np.clip(end + way * distance, 0, last) for distance in (0, 1, 2)]
    return np.maximum(np.abs(samples[places[1]] - samples[places[0]]), np.abs(samples[places[2]] - samples[places[1]]))


def side_share(signal: Signal) -> float:
    """Power of (L - R)/2 over that of (L + R)/2 and (L - R)/2 together, 0 (mono) to 1 (opposite channels)."""
    channels = signal.audio.samples
    if len(channels) > 2:
        raise Unmeasurable(f"{len(channels)} channels have no one side signal")
    if len(channels) == 1 and not signal.moments.silent:
        return 0.0
    mid = side = 0.0
    for part in blocks(signal.audio.length):
        left, right = channels[[0, -1], part].astype(np.float64)
        mid += float(np.square(left + right).sum())
        side += float(np.square(left - right).sum())
    if len(channels) == 1 or mid + side == 0:
        raise Unmeasurable("silence: no power to take a share of")
    return side / (mid + side)


def _rms_phrase(row: MetricRow, change: float) -> str:
    if change == 0:
        return "silent"
    if abs(change - 1) < 0.005:
        return "as loud as the reference"
    factor = max(change, 1 / change)
    if factor > 100:
        return f"{20 * math.log10(factor):.0f} dB too {'loud' if change > 1 else 'quiet'}"
    shown = f"{factor:.1f}" if factor >= 1.5 else f"{factor:.2f}"
    return f"{shown} times too {'loud' if change > 1 else 'quiet'}"


def _share_phrase(what: str) -> Callable[[MetricRow, float], str]:
    return lambda row, change: f"{number(row.generated, 'share')} of {what}"


METRICS = (
    Metric(
        "rms_ratio",
        "ratio",
        "root mean square of the samples, bias included",
        rms,
        ideal=1.0,
        scale="log",
        phrase=_rms_phrase,
        picture="levels",
    ),
    Metric("rms_dbfs", "dBFS", "root mean square level", rms_dbfs, picture="levels"),
    Metric("peak_dbfs", "dBFS", "highest sample of any channel", peak_dbfs, at="whole", picture="levels"),
    Metric("true_peak_dbtp", "dBTP", "highest point between samples", true_peak_dbtp, at="whole", picture="levels"),
    Metric("crest_db", "dB", "peak over RMS, without bias", crest_db, picture="levels"),
    Metric(
        "dc_share",
        "share",
        "share of the power that is bias (DC)",
        dc_share,
        phrase=_share_phrase("the power is DC"),
        picture="levels",
    ),
    Metric(
        "side_share",
        "share",
        "power in the difference of the channels",
        side_share,
        at="whole",
        phrase=_share_phrase("the power lies in the difference of the channels"),
    ),
    Metric(
        "clipped_share",
        "share",
        "share of the samples on a flat top",
        clipped_share,
        at="file",
        phrase=_share_phrase("the samples lie on a flat top"),
        picture="levels",
    ),
)
