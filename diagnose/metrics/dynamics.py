"""How the sound moves: the range of its mel values and of its frame energies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.metrics.metric import Metric, Unmeasurable
from diagnose.metrics.order import quantile
from diagnose.scale import Decibel, LogMagnitude

if TYPE_CHECKING:
    from diagnose.metrics.signal import Signal

FRAME_FLOOR_DB = -80.0  # of the loudest frame: what lies below is the noise of 16 bits, or nothing


def log_mel_spread_nats(signal: Signal) -> float:
    """95th minus 5th percentile of ln(max(mel of |STFT|, 1e-5)), nats, the mean removed first."""
    if signal.moments.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    values = signal.mel.to(LogMagnitude(1e-5)).values
    return quantile(values, 0.95) - quantile(values, 0.05)


def frame_energy_spread_db(signal: Signal) -> float:
    """Standard deviation of 10 log10(frame power), dB; frames under -80 dB of the loudest count as -80."""
    power = signal.spectral.power
    if not signal.spectral.sounding.any():
        raise Unmeasurable("silence: no energy beside the bias")
    return float(Decibel(float(power.max()), FRAME_FLOOR_DB).from_power(power).std(dtype=np.float64))


METRICS = (
    Metric("log_mel_spread_nats", "nats", "range of the log-mel values, 5 % to 95 %", log_mel_spread_nats),
    Metric("frame_energy_spread_db", "dB", "how much the frame energies vary", frame_energy_spread_db),
)
