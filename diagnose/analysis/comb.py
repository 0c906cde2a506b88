"""Frame-rate comb: how much of a spectrum lies on the multiples of rate / hop, for the hops of known vocoders."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from diagnose.analysis.spectra import cutoff
from diagnose.mel.known import VOCODER_FRAMES, VOCODER_HOPS
from diagnose.spectrogram import Framing, locked, power_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.audio import Samples

RESOLUTION_S = 0.75  # window length: lines 86 Hz apart lie over 60 bins apart
HALF_WIDTH_BINS = 1.5  # a line in a Hann window
LOWEST_HZ = 20.0
HIGHEST_HZ = 8000.0
FEWEST_TEETH = 4
CLEARLY = 0.02  # a larger hop has to explain this much more than a smaller one


class Comb(msgspec.Struct, frozen=True, eq=False, dict=True):
    """How much of a power spectrum [shape=(bins,)] lies on the multiples of spacing Hz.

    share: energy within 1.5 bins of k * spacing, k >= 1, over all energy from 20 Hz to 8 kHz, corrected for chance:
    (s - c) / (1 - c) with c the share of bins on the comb; 0 for any smooth spectrum, 1 for a pure comb.
    """

    long_term: Floats
    hz: Floats
    spacing: float

    @cached_property
    def share(self) -> float:
        return float(shares(self.long_term, self.hz, (self.spacing,))[0])

    @cached_property
    def filled(self) -> float:
        """Fraction of the teeth up to 8 kHz or the cut-off whose density is 4 times that between them."""
        teeth = int(min(HIGHEST_HZ, cutoff(self.long_term, self.hz)) / self.spacing)
        if teeth < FEWEST_TEETH:
            return 0.0
        number = _nearest_tooth(self.hz, self.spacing)
        end = int(np.searchsorted(number, teeth + 1))
        # Bin 2k + 1 gathers tooth k, bin 2k what lies about it.
        place = 2 * number
        place[_teeth(self.hz.size, float(self.hz[1]), (self.spacing,)).places] += 1
        place = place[:end]
        energy = np.bincount(place, self.long_term[:end], 2 * teeth + 2)
        density = energy / np.maximum(np.bincount(place, minlength=2 * teeth + 2), 1)
        return float((density[3::2] > 4 * density[2::2]).mean())

    @property
    def value(self) -> float:
        return self.share * self.filled**2


def _nearest_tooth(hz: Floats, spacing: float) -> NDArray[np.intp]:
    return np.rint(hz / spacing).astype(np.intp)


class Teeth(NamedTuple):
    """Bins on several combs, comb after comb: their places, where each comb's begin, and how many it has."""

    places: NDArray[np.intp]
    starts: NDArray[np.intp]
    counts: NDArray[np.intp]


@lru_cache(maxsize=64)
def _teeth(bins: int, step: float, spacings: tuple[float, ...]) -> Teeth:
    """Which of the bins, step Hz apart, are heard and lie within 1.5 bins of a multiple of each spacing in Hz."""
    hz = np.arange(bins) * step
    places = []
    for spacing in spacings:
        number = _nearest_tooth(hz, spacing)
        on = (np.abs(hz - number * spacing) <= HALF_WIDTH_BINS * step) & (number >= 1) & (hz > LOWEST_HZ)
        places.append(np.flatnonzero(on))
    counts = np.array([each.size for each in places])
    return Teeth(locked(np.concatenate(places)), locked(np.cumsum(counts) - counts), locked(counts))


def shares(long_term: Floats, hz: Floats, spacings: tuple[float, ...]) -> Floats:
    """Comb.share at each spacing in Hz, every one below the highest frequency."""
    heard = int(np.searchsorted(hz, LOWEST_HZ, "right"))
    total = long_term[heard:].sum()
    if total <= 0:
        return np.zeros(len(spacings))
    teeth = _teeth(hz.size, float(hz[1]), spacings)
    chance = teeth.counts / (hz.size - heard)
    share = np.add.reduceat(long_term[teeth.places], teeth.starts) / total
    told = chance <= 0.5  # over it, the spectrum is too coarse to tell the teeth from what is between
    return np.where(told, np.maximum((share - chance) / np.where(told, 1 - chance, 1.0), 0.0), 0.0)


class BestComb(msgspec.Struct, frozen=True):
    """The comb of a known frame rate that explains most; hop_samples is None where none explains anything.

    value: Comb.value, 0 to 1.  hop_rate_hz: the rate whose hop it is, the sound's own or that of a known vocoder.
    """

    value: float = 0.0
    hop_samples: int | None = None
    hop_rate_hz: int = 0
    spacing_hz: float = 0.0
    filled: float = 0.0

    @property
    def detail(self) -> dict[str, float | int | str]:
        """Where it was found, as a report has it; empty where no comb was."""
        if self.hop_samples is None:
            return {}
        found = {"hop_samples": self.hop_samples, "hop_rate_hz": self.hop_rate_hz, "spacing_hz": self.spacing_hz}
        return {**found, "filled": self.filled}


def best_comb(spectrum: Floats, hz: Floats, rate: int) -> BestComb:
    """Largest Comb.value over the known hops; of hops alike, the smallest."""
    best = BestComb()
    own = [(rate, hop) for hop in VOCODER_HOPS]
    # A hum outlives resampling, at the frame rate of the vocoder's own rate.
    foreign = [(other, hop) for other, hop in VOCODER_FRAMES if other != rate]
    known = own + foreign
    spacings = tuple(source / hop for source, hop in known)
    for (source, hop), spacing, share in zip(known, spacings, shares(spectrum, hz, spacings), strict=True):
        if share <= best.value + CLEARLY:  # filled is at most 1, and costs more
            continue
        comb = Comb(spectrum, hz, spacing)
        if comb.value > best.value + CLEARLY:
            best = BestComb(comb.value, hop, source, comb.spacing, comb.filled)
    return best


def fine_spectrum(samples: Samples, rate: int, mean: float) -> tuple[Floats, Floats] | None:
    """(power, hz) up to 8 kHz in windows of up to 0.75 s; None where the sound is too short for lines."""
    size = 1 << int(np.floor(np.log2(max(min(samples.size, RESOLUTION_S * rate), 2))))
    if size < 4096:
        return None
    total = np.zeros(size // 2 + 1)
    for power in power_blocks(samples, Framing(size, size, "none"), mean):
        total += power.sum(axis=0)
    hz = np.fft.rfftfreq(size, 1 / rate)
    searched = int(np.searchsorted(hz, HIGHEST_HZ)) + 1
    return total[:searched], hz[:searched]
