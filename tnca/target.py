"""The target: the mel of a sound in its contract, and the errors of a grown mel in dB."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose import audio as sounds
from diagnose.audio import Audio
from diagnose.errors import InputError

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.mel.contract import MelContract
    from tnca.config import Target as Settings

LONGEST_S = 60.0
HIGH_HZ = 4000.0
LAST_FRAMES = 6
ERRORS = ("mel_error_db", "mel_error_high_db", "mel_error_end_db", "mel_flicker_db")


class Target(msgspec.Struct, frozen=True, eq=False):
    """values: mel [shape=(bands, frames)] in the contract's unit.  sound: what it was made of, mono, at its rate."""

    values: Floats
    contract: MelContract
    sound: Audio

    @property
    def top_db(self) -> float:
        """The level of the loudest cell."""
        return float(levels_db(self.values, self.contract).max())

    @property
    def levels_db(self) -> Floats:
        """dB under the loudest cell; what the floor hides lies on it."""
        return levels_db(self.values, self.contract) - self.top_db

    def errors_db(self, grown: Floats) -> dict[str, float]:
        """mean |grown - target| in dB: over all cells, above 4 kHz, in the last 6 frames; and of its change from frame

        to frame, which is flicker.
        """
        error = levels_db(grown, self.contract) - levels_db(self.values, self.contract)
        high = centres_hz(self.contract) > HIGH_HZ
        parts = (error, error[high], error[:, -LAST_FRAMES:], np.diff(error, axis=1))
        return {name: float(np.abs(part).mean()) for name, part in zip(ERRORS, parts, strict=True) if part.size}


def target_of(sound: Audio, settings: Settings) -> Target:
    """Raises InputError for a sound without a frame, without a level, or of over a minute."""
    contract = settings.mel
    grid = contract.grid
    whole = grid.hop * settings.frames_multiple
    # What a run appended before is not held against its reference.wav.
    if sound.duration_s > LONGEST_S + (whole - grid.hop) / grid.rate:
        raise InputError(f"{sound.name}: {sound.duration_s:.0f} s; use a note of up to {LONGEST_S:g} s")
    mono = Audio(sound.mono[None], sound.rate, sound.name)
    resampled = sounds.resample(mono, contract.grid.rate)
    length = math.ceil(resampled.length / whole) * whole if settings.frames_multiple > 1 else resampled.length
    padded = Audio(np.pad(resampled.samples, ((0, 0), (0, length - resampled.length))), grid.rate, sound.name)
    if resampled.length < grid.n_fft:
        raise InputError(
            f"{sound.name}: {1000 * sound.duration_s:.3g} ms is too short for one frame of "
            f"{1000 * grid.n_fft / grid.rate:.3g} ms; give a longer note"
        )
    if not np.any(resampled.samples):
        raise InputError(f"{sound.name}: is silent; use another sound")
    values = contract.mel(padded.mono).values
    if float(np.ptp(values)) == 0:
        raise InputError(f"{sound.name}: every cell of its mel is the same ({values.flat[0]:.4g}); use another sound")
    return Target(values, contract, padded)


def levels_db(values: Floats, contract: MelContract) -> Floats:
    """Values in dB of power, at the contract's clip or above."""
    scale = contract.levels.scale(1.0)
    lowest = max(contract.levels.clip_power, 1e-30)
    plain = np.asarray(values, np.float64)
    if contract.levels.name in ("power", "magnitude"):  # below 0 is nothing, not a level of the other sign
        plain = np.maximum(plain, 0)
    return 10 * np.log10(np.maximum(scale.to_power(plain), lowest))


def centres_hz(contract: MelContract) -> Floats:
    """Where each band peaks [shape=(bands,)]."""
    from diagnose.spectrogram import mel_edges

    return mel_edges(contract.grid)[1:-1]
