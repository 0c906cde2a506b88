"""Spectral shape: the mean of each frame's figure over the frames that hold sound.

Those are above -60 dB of the loudest: a decay into silence would else be an average of rounding noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.analysis.spectra import cutoff
from diagnose.metrics.metric import Metric, Unmeasurable

if TYPE_CHECKING:
    from diagnose.analysis import Signal
    from diagnose.results.report import MetricRow


def _mean_over_sound(signal: Signal, figure: str) -> float:
    frames = signal.frames
    if frames.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    return float(getattr(frames, figure)[frames.sounding].mean(dtype=np.float64))


def spectral_centroid_hz(signal: Signal) -> float:
    """Mean over frames of the spectral centroid, Hz."""
    return _mean_over_sound(signal, "centroid")


def spectral_bandwidth_hz(signal: Signal) -> float:
    """Mean over frames of the spectral bandwidth, Hz."""
    return _mean_over_sound(signal, "bandwidth")


def rolloff85_hz(signal: Signal) -> float:
    """Mean over frames of the 85 % roll-off, Hz."""
    return _mean_over_sound(signal, "rolloff85")


def rolloff95_hz(signal: Signal) -> float:
    """Mean over frames of the 95 % roll-off, Hz."""
    return _mean_over_sound(signal, "rolloff95")


def spectral_flatness(signal: Signal) -> float:
    """Mean over frames of the spectral flatness, 0 to 1."""
    return _mean_over_sound(signal, "flatness")


def cutoff_hz(signal: Signal) -> float:
    """Cut-off frequency of the long-term spectrum, Hz."""
    if signal.frames.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    return cutoff(signal.frames.long_term, signal.frames.hz)


def _flatness_phrase(row: MetricRow, change: float) -> str:
    if change == 0:
        return "neither noisier nor more tonal"
    way = "noisier" if change > 0 else "more tonal"
    return f"{way}: flatness {row.reference or 0:.3g} to {row.generated or 0:.3g}"


METRICS = (
    Metric(
        "spectral_centroid_hz",
        "Hz",
        "centre of gravity of the spectrum",
        spectral_centroid_hz,
        picture="bands",
        region=("shape", "centroid"),
    ),
    Metric(
        "spectral_bandwidth_hz",
        "Hz",
        "spread of the spectrum about its centroid",
        spectral_bandwidth_hz,
        picture="bands",
        region=("shape", "bandwidth"),
    ),
    Metric(
        "rolloff85_hz",
        "Hz",
        "85 % of the magnitude lies below",
        rolloff85_hz,
        picture="bands",
        region=("shape", "rolloff85"),
    ),
    Metric(
        "rolloff95_hz",
        "Hz",
        "95 % of the magnitude lies below",
        rolloff95_hz,
        picture="bands",
        region=("shape", "rolloff95"),
    ),
    Metric(
        "spectral_flatness",
        "share",
        "noise-like (1) or tone-like (0)",
        spectral_flatness,
        phrase=_flatness_phrase,
        picture="bands",
        region=("shape", "flatness"),
    ),
    Metric(
        "cutoff_hz",
        "Hz",
        "highest frequency above -60 dB of the strongest",
        cutoff_hz,
        picture="bands",
        region=("cutoff",),
    ),
)
