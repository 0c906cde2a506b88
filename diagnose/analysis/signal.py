"""Signal: one sound with the quantities that several metrics share, each computed once, on first use."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from diagnose.analysis.clicks import click_times
from diagnose.analysis.moments import SILENCE, Moments, moments
from diagnose.analysis.pitch import track
from diagnose.analysis.spectra import analyse, analyse_native, summed_energy
from diagnose.stft_cache import StftCache

if TYPE_CHECKING:
    from diagnose.analysis.pitch import PitchTrack
    from diagnose.analysis.spectra import NativeSpectrum, SpectralFrames
    from diagnose.arrays import Floats
    from diagnose.audio import Audio, Samples

CANCELLED = 0.5  # of the power that the mean of channels keeps that have nothing in common


class Signal:
    """A sound under measurement; every metric of one sound is a function of this."""

    def __init__(self, audio: Audio) -> None:
        self.audio = audio

    @property
    def rate(self) -> int:
        return self.audio.rate

    @property
    def mono(self) -> Samples:
        return self.audio.mono

    @cached_property
    def moments(self) -> Moments:
        """Mean, mean square and extremes of the mono mix."""
        return moments(self.mono)

    @cached_property
    def clicks(self) -> Floats:
        """Times of steps and spikes in the mono mix, s."""
        return click_times(self.mono, self.rate)

    @cached_property
    def cancels(self) -> bool:
        """Whether the mean of the channels holds less than half of what it would of channels with nothing in common."""
        count = self.audio.channels
        if count == 1:
            return False
        alone = sum(moments(channel).variance for channel in self.audio.samples) / count
        return alone > SILENCE and self.moments.variance < CANCELLED * alone / count

    @cached_property
    def stft(self) -> StftCache:
        """Power spectra of the mono mix, its mean removed first."""
        return StftCache(self.mono, self.moments.mean)

    @cached_property
    def frames(self) -> SpectralFrames:
        """Spectral frames of the mono mix, its mean removed first."""
        return analyse(self.stft, self.rate)

    @cached_property
    def native(self) -> NativeSpectrum:
        """Spectrum of the file as it is, its mean left in."""
        return analyse_native(self.stft, self.rate)

    @cached_property
    def summed_energy(self) -> tuple[Floats, Floats]:
        """Energy below each frequency, for the bands: (edges in Hz, summed energy)."""
        return summed_energy(self.frames.long_term, self.frames.hz)

    @cached_property
    def pitch(self) -> PitchTrack:
        """Fundamental frequency and periodicity, frame by frame, the mean removed first."""
        return track(self.mono, self.rate, self.moments.mean)
