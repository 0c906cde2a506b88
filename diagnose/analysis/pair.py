"""Pair: two aligned sounds, with the quantities that several metrics of the pair share."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from diagnose.align import align
from diagnose.analysis.distances import measure_spectra
from diagnose.stft_cache import StftCache

if TYPE_CHECKING:
    from diagnose.align import Alignment
    from diagnose.analysis.distances import SpectralDistance
    from diagnose.analysis.signal import Signal
    from diagnose.audio import Samples


class Pair:
    """Reference and generated sound at one rate; every metric of a pair is a function of this.

    files: both as they were read, at their own rates and with all their channels.
    """

    def __init__(self, reference: Signal, generated: Signal, files: tuple[Signal, Signal] | None = None) -> None:
        if reference.rate != generated.rate:
            raise ValueError(f"both sounds of a pair must have one rate, not {reference.rate} and {generated.rate}")
        self.reference = reference
        self.generated = generated
        self.files = files or (reference, generated)

    @property
    def rate(self) -> int:
        return self.reference.rate

    @property
    def means(self) -> tuple[float, float]:
        return self.reference.moments.mean, self.generated.moments.mean

    @cached_property
    def alignment(self) -> Alignment:
        return align(self.reference.stft, self.generated.stft, self.rate)

    @property
    def gain(self) -> float:
        """Amplitude of the generated sound over the reference, bias aside; removed before every distance."""
        return self.alignment.gain

    @property
    def overlap(self) -> tuple[Samples, Samples]:
        """Both mono mixes, delay removed, cut to one length; views, neither mean nor gain removed."""
        return self.alignment.overlap(self.reference.mono, self.generated.mono)

    @cached_property
    def overlap_stfts(self) -> tuple[StftCache, StftCache]:
        """Power spectra of the overlap, neither level nor delay left in; a signal's own where it is in it whole."""
        first, second = (
            signal.stft if part.size == signal.mono.size else StftCache(part, mean)
            for signal, part, mean in zip((self.reference, self.generated), self.overlap, self.means, strict=True)
        )
        return first, second

    @cached_property
    def distances(self) -> SpectralDistance:
        """One pass over both spectra at three resolutions."""
        return measure_spectra(*self.overlap_stfts, self.gain, self.rate)

    def worst_stretch(self, size: int) -> slice:
        """The size samples of the overlap with the largest log-spectral distance; all of a shorter one."""
        length = self.overlap[0].size
        if length <= size:
            return slice(0, length)
        summed = np.concatenate(([0.0], np.cumsum(self.distances.log_spectral, dtype=np.float64)))
        frames = max(round(size / length * (summed.size - 1)), 1)
        worst = int(np.argmax(summed[frames:] - summed[:-frames]))
        start = min(round(worst / (summed.size - 1) * length), length - size)
        return slice(start, start + size)

    def forget_stfts(self) -> None:
        """Let all power spectra go, ten times as large as the samples; what was measured stays."""
        for stft in (*self.overlap_stfts, *(signal.stft for signal in self.files)):
            stft.forget()
        self.reference.stft.forget()
        self.generated.stft.forget()

    @property
    def caveat(self) -> str | None:
        """What to read with a number that needs the two sounds laid on each other."""
        if self.alignment.method != "none":
            return None
        return f"not aligned: no delay correlates (best r {self.alignment.correlation:.2f}); both start at 0 s"

    @property
    def silent(self) -> bool:
        """Whether either sound has no energy beside its bias."""
        return self.reference.moments.silent or self.generated.moments.silent
