"""How the sound moves: the range of its mel values and of its frame energies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.analysis.mel_grid import MEL_HOP, mel_grid
from diagnose.metrics.metric import Metric, Unmeasurable
from diagnose.scale import Decibel, LogMagnitude
from diagnose.spectrogram import mel_filterbank

if TYPE_CHECKING:
    from diagnose.analysis import Signal

CLIP = 1e-5
HIGHEST_NATS = 16.0  # a mel of full scale is under 7
STEP_NATS = 0.001
FRAME_FLOOR_DB = -80.0  # of the loudest frame: what lies below is the noise of 16 bits, or nothing


def log_mel_spread_nats(signal: Signal) -> float:
    """95th minus 5th percentile of ln(max(mel of |STFT|, 1e-5)), nats, the mean removed first.

    Taken from a histogram in steps of 0.001 nats, so that the mel of an hour need not be kept; every other frame
    of BigVGAN's grid, for frames that half overlap have the same distribution.
    """
    if signal.moments.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    grid = msgspec.structs.replace(mel_grid(signal.rate), hop=2 * MEL_HOP)
    basis, scale = mel_filterbank(grid).T, LogMagnitude(CLIP)
    counts = np.zeros(int((HIGHEST_NATS - np.log(CLIP)) / STEP_NATS) + 1, np.intp)
    for power in signal.stft.power(grid.framing):
        values = scale.from_power(np.square(np.sqrt(power) @ basis))
        place = ((values - np.float32(np.log(CLIP))) / STEP_NATS).astype(np.intp)
        counts += np.bincount(np.clip(place, 0, counts.size - 1).ravel(), minlength=counts.size)
    below = np.cumsum(counts) / counts.sum()
    low, high = np.searchsorted(below, (0.05, 0.95))
    return float(high - low) * STEP_NATS


def frame_energy_spread_db(signal: Signal) -> float:
    """Standard deviation of 10 log10(frame power), dB; frames under -80 dB of the loudest count as -80."""
    power = signal.frames.power
    if signal.frames.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    return float(Decibel(float(power.max()), FRAME_FLOOR_DB).from_power(power).std(dtype=np.float64))


METRICS = (
    Metric("log_mel_spread_nats", "nats", "range of the log-mel values, 5 % to 95 %", log_mel_spread_nats),
    Metric(
        "frame_energy_spread_db", "dB", "how much the frame energies vary", frame_energy_spread_db, picture="envelope"
    ),
)
