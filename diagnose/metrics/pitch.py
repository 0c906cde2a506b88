"""Fundamental frequency, voicing and harmonic-to-noise ratio, from the pitch track (Boersma 1993)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.arrays import median
from diagnose.metrics.metric import Metric, Unmeasurable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.analysis import Signal


def f0_hz(signal: Signal) -> float:
    """Median fundamental frequency of the voiced frames, Hz."""
    voiced = _voiced(signal)
    return median(signal.pitch.f0_hz[voiced])


def hnr_db(signal: Signal) -> float:
    """Mean of 10 log10(r / (1 - r)) over the voiced frames, dB, at most 40; r is the periodicity.

    Source: Boersma 1993, equation 4.  Interpolation limits what can be told: above 40 dB, and above 24 dB for a
    bright sound of 1500 Hz.
    """
    periodicity = np.minimum(signal.pitch.periodicity[_voiced(signal)], 1 - 1e-4)
    return float((10 * np.log10(periodicity / (1 - periodicity))).mean(dtype=np.float64))


def _voiced(signal: Signal) -> NDArray[np.bool_]:
    if signal.pitch.f0_hz.size == 0:
        raise Unmeasurable("shorter than one pitch frame")
    voiced = signal.pitch.voiced
    if not voiced.any():
        raise Unmeasurable("no frame has a pitch between 60 and 2000 Hz")
    return voiced


def voiced_share(signal: Signal) -> float:
    """Share of the frames that have a pitch, 0 to 1."""
    if signal.pitch.f0_hz.size == 0:
        raise Unmeasurable("shorter than one pitch frame")
    if signal.moments.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    return float(signal.pitch.voiced.mean())


METRICS = (
    Metric("voiced_share", "share", "frames with a pitch", voiced_share, picture="pitch"),
    Metric("f0_hz", "Hz", "median fundamental frequency", f0_hz, picture="pitch"),
    Metric("hnr_db", "dB", "harmonic-to-noise ratio of the voiced frames", hnr_db, picture="pitch"),
)
