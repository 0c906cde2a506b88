"""Signal: one sound with what several metrics share, each computed on first use and once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from diagnose.metrics import pitch, spectrum
from diagnose.metrics.level import Moments, moments
from diagnose.spectra import Spectra
from diagnose.spectrogram import MelGrid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from diagnose.audio import Audio, Samples
    from diagnose.metrics.pitch import PitchTrack
    from diagnose.metrics.spectrum import NativeSpectrum, SpectralFrames

    Floats = NDArray[np.floating[Any]]


MEL_BANDS = 80
MEL_HIGHEST_HZ = 8000.0
MEL_HOP = 256


def mel_grid(rate: int) -> MelGrid:
    """Grid of the mel metrics: bigvgan_base_22khz_80band's, at the signal's own rate, frames centred."""
    return MelGrid(rate, hop=MEL_HOP, bands=MEL_BANDS, fmax=min(MEL_HIGHEST_HZ, rate / 2), padding="centre")


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
    def spectra(self) -> Spectra:
        """Power spectra of the mono mix, its mean removed first."""
        return Spectra(self.mono, self.moments.mean)

    @cached_property
    def spectral(self) -> SpectralFrames:
        """Spectral frames of the mono mix, its mean removed first."""
        return spectrum.analyse(self.spectra, self.rate)

    @cached_property
    def native(self) -> NativeSpectrum:
        """Spectrum of the file as it is, its mean left in."""
        return spectrum.analyse_native(self.spectra, self.rate)

    @cached_property
    def summed_energy(self) -> tuple[Floats, Floats]:
        """Energy below each frequency, for the bands: (edges in Hz, summed energy)."""
        return spectrum.summed_energy(self.spectral.long_term, self.spectral.hz)

    @cached_property
    def pitch(self) -> PitchTrack:
        """Fundamental frequency and periodicity, frame by frame, the mean removed first."""
        return pitch.track(self.mono, self.rate, self.moments.mean)
