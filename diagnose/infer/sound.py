"""The sound that a mel was made from: its spectra at any rate, at the frames that are asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose import audio
from diagnose.spectrogram import Framing, power_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.audio import Audio

    Floats = NDArray[np.floating[Any]]
    Frames = NDArray[np.intp]

EXCERPT_S = 30.0  # a grid shows in the first half minute
FINE_S = 0.1


class Sound:
    """seconds: of the whole sound; spectra are of its first 30 s."""

    def __init__(self, sound: Audio) -> None:
        self.rate, self.seconds = sound.rate, sound.duration_s
        self._excerpt = audio.Audio(sound.mono[None, : round(EXCERPT_S * sound.rate)], sound.rate, sound.name)
        self._length = sound.length
        self._at: dict[int, Floats] = {sound.rate: self._excerpt.mono}
        self._power: dict[tuple[int, Framing, bytes], Floats] = {}

    @cached_property
    def excerpt_s(self) -> float:
        return self._excerpt.duration_s

    def at(self, rate: int) -> Floats:
        """Samples of the excerpt at that rate, float64."""
        if rate not in self._at:
            self._at[rate] = audio.resample(self._excerpt, rate).mono
        return self._at[rate]

    def length(self, rate: int) -> int:
        """Samples of the whole sound at that rate."""
        return round(self._length * rate / self.rate)

    def power(self, rate: int, framing: Framing, frames: Frames) -> Floats:
        """|STFT|**2 [shape=(len(frames), n_fft/2 + 1)] of those frames of the framing; remembered."""
        key = (rate, framing, frames.tobytes())
        if key not in self._power:
            starts = frames * framing.hop - framing.margin
            reflect = framing.padding.endswith("reflect")
            self._power[key] = power_at(self.at(rate), starts, framing.n_fft, reflect=reflect)
        return self._power[key]

    @property
    def fine_n_fft(self) -> int:
        """Length of the transforms of power_near: 0.1 s, so that no filter falls between two bins."""
        return 64 * max(1, round(FINE_S * self.rate / 64))

    def power_near(self, window_s: float, centres_s: Floats) -> Floats:
        """|STFT|**2 at the sound's own rate of frames of window_s, at most 0.1 s, centred on the given times."""
        length = min(max(16, round(window_s * self.rate)), self.fine_n_fft)
        starts = np.round(centres_s * self.rate - length / 2).astype(np.intp)
        return power_at(self.at(self.rate), starts, length, n_fft=self.fine_n_fft)
