"""Clicks: single steps and spikes that stand out of the curvature around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.audio import blocks
from diagnose.metrics.metric import Metric, Unmeasurable, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.audio import Samples
    from diagnose.metrics.signal import Signal

LOCAL_S = 0.050  # the neighbourhood whose curvature is normal
GUARD_S = 0.0015  # the click itself, left out of its neighbourhood
OVER_RMS = 8.0  # white noise reaches 5.5 once in an hour
OVER_PEAK = 3.0  # a voice's or a bow's pulses have neighbours of their own height


def click_times(samples: Samples, rate: int) -> NDArray[np.float64]:
    """Times in s at which |x[n-1] - 2 x[n] + x[n+1]| is over 8 times its RMS within 50 ms around and over
    3 times any other value there, 1.5 ms about the click itself left out.

    The second difference is the simplest prediction error; essentia's ClickDetector uses LPC of order 12.
    Clicks nearer than 25 ms to each other hide each other: a train of pulses is a hum, not clicks.
    """
    reach, guard = round(LOCAL_S / 2 * rate), max(round(GUARD_S * rate), 1)
    found = [part.start + _clicks_within(samples, part, reach, guard) for part in blocks(samples.size)]
    return np.concatenate(found) / rate


def _clicks_within(samples: Samples, part: slice, reach: int, guard: int) -> NDArray[np.intp]:
    """Positions relative to part.start; the neighbourhood may reach outside part."""
    start = max(part.start - reach - 1, 0)
    curvature = np.abs(np.diff(samples[start : part.stop + reach + 1], 2))
    if curvature.size < 2 * guard + 2:
        return np.zeros(0, np.intp)
    padded = np.pad(curvature, reach)
    energy = np.concatenate(([0.0], np.cumsum(np.square(padded, dtype=np.float64))))
    around = energy[2 * reach + 1 :] - energy[: -2 * reach - 1]
    own = energy[reach + guard + 1 :][: curvature.size] - energy[reach - guard :][: curvature.size]
    rms = np.sqrt(np.maximum(around - own, 0) / (2 * (reach - guard)))
    candidates = np.flatnonzero(curvature > np.maximum(OVER_RMS * rms, 1e-4))
    position = candidates + start + 1 - part.start
    candidates = candidates[(position >= 0) & (position < part.stop - part.start)]
    kept = [at for at in candidates if _stands_alone(padded, at + reach, reach, guard)]
    return np.asarray(kept, np.intp) + start + 1 - part.start


def _stands_alone(curvature: NDArray[np.float32], at: int, reach: int, guard: int) -> bool:
    """True at the highest point of a click whose surroundings stay under a third of it."""
    height = curvature[at]
    itself = curvature[at - guard : at + guard + 1]
    if at - guard + int(np.argmax(itself)) != at:
        return False
    around = max(curvature[at - reach : at - guard].max(), curvature[at + guard + 1 : at + reach + 1].max())
    return bool(height > OVER_PEAK * around)


def clicks_per_s(signal: Signal) -> Value:
    """Number of clicks over the duration, 1/s."""
    if signal.moments.variance <= 0:
        raise Unmeasurable("silence: no energy beside the bias")
    times = click_times(signal.mono, signal.rate)
    detail = {"count": int(times.size)} | ({"first_s": float(times[0])} if times.size else {})
    return Value(times.size / signal.audio.duration_s, detail)


METRICS = (Metric("clicks_per_s", "1/s", "steps and spikes a second", clicks_per_s),)
