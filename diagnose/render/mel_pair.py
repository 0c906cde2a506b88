"""The two spectrograms of a pair and their difference, as every picture of a pair draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.analysis.mel_grid import mel_grid
from diagnose.scale import Decibel, Magnitude
from diagnose.spectrogram import MEL_FORMULAS, mel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.analysis import Pair
    from diagnose.arrays import Floats

RANGE_DB = 80.0
DIFFERENCE_DB = 30.0
TICKS_HZ = (100, 500, 1000, 2000, 4000, 8000)


class MelPair(msgspec.Struct, frozen=True, eq=False):
    """Log-mel spectrograms [shape=(bands, frames)] on one scale, delay and DC removed.

    reference, generated: dB below the reference's maximum, -80 to 0 (and above, where the generated one is louder).
    difference: generated minus reference in dB, gain removed.  begin_s, seconds: the overlap, on the reference's clock.
    """

    reference: Floats
    generated: Floats
    difference: Floats
    highest_hz: float
    begin_s: float
    seconds: float


def mel_pair(pair: Pair) -> MelPair:
    """Of the mono mixes on their overlap, on the grid of the mel metrics."""
    grid = mel_grid(pair.rate)
    ours, theirs = (
        mel(samples, grid, Magnitude(), mean) for samples, mean in zip(pair.overlap, pair.means, strict=True)
    )
    top = float(np.square(ours.values).max()) or 1.0
    scale = Decibel(top, -RANGE_DB)
    levels = [part.to(scale).values for part in (ours, theirs)]
    matched = scale.from_power(np.square(theirs.values / np.float32(pair.gain)))
    begin = pair.to_reference_s(0.0)
    return MelPair(levels[0], levels[1], matched - levels[0], grid.fmax, begin, pair.overlap[0].size / pair.rate)


def mel_heights(hz: Sequence[float], highest_hz: float) -> list[float]:
    """Where frequencies lie on the mel axis: 0 for 0 Hz, 1 for the highest; what is above it lies on it."""
    mels = MEL_FORMULAS["slaney"][0](np.minimum(np.array([*hz, highest_hz], float), highest_hz))
    heights: list[float] = (mels[:-1] / mels[-1]).tolist()
    return heights


def frequency_ticks(highest_hz: float) -> list[tuple[float, str]]:
    """(height from the bottom 0..1, label) on the mel axis."""
    shown = [hz for hz in TICKS_HZ if hz <= highest_hz]
    labels = [f"{hz / 1000:g} kHz" if hz >= 1000 else f"{hz} Hz" for hz in shown]
    return list(zip(mel_heights(shown, highest_hz), labels, strict=True))
