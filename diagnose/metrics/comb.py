"""Frame-rate comb: energy on multiples of rate / hop, the hum of a vocoder that gets the same frame again and again.

After Pons et al., Upsampling artifacts in neural audio synthesis (arXiv 2010.14356): what a network repeats
every hop samples is a line spectrum at k * rate / hop.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from diagnose.metrics.metric import Metric, Unmeasurable, Value
from diagnose.metrics.spectrum import cutoff
from diagnose.spectrogram import Framing, locked, power_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.audio import Samples
    from diagnose.metrics.signal import Signal

    Floats = NDArray[np.floating[Any]]

# Hop sizes in samples of the vocoders in use, 5 to 25 ms at 16 to 48 kHz.
HOPS = (
    64,
    80,
    100,
    120,
    128,
    150,
    160,
    192,
    200,
    220,
    240,
    256,
    275,
    300,
    320,
    384,
    400,
    441,
    480,
    512,
    600,
    640,
    960,
    1024,
)
# (rate in Hz, hop) of published vocoders, for files that were resampled since.
VOCODERS = (
    (22_050, 256),
    (24_000, 240),
    (24_000, 256),
    (24_000, 300),
    (16_000, 160),
    (16_000, 200),
    (16_000, 256),
    (44_100, 512),
    (48_000, 480),
    (48_000, 512),
)
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


def comb_share(signal: Signal) -> Value:
    """Largest share * filled**2 over the known hops, 0 to 1, on the mono mix at the file's own rate.

    The product asks for a whole comb: a steady tone puts all its energy on some multiple of some frame rate,
    and leaves most of the teeth empty.  Of hops that explain the sound alike the smallest is named.  A note
    whose pitch *is* the frame rate cannot be told from a comb; its reference then has the same share.
    """
    if signal.moments.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    found = fine_spectrum(signal.mono, signal.rate, signal.moments.mean)
    if found is None:
        raise Unmeasurable("too short to tell lines at the frame rate apart")
    return best_comb(*found, signal.rate)


def best_comb(spectrum: Floats, hz: Floats, rate: int) -> Value:
    """Largest Comb.value over the known hops, with the hop it was found at; of hops alike, the smallest."""
    best = Value(0.0)
    own = [(rate, hop) for hop in HOPS]
    # A hum outlives resampling, at the frame rate of the vocoder's own rate.
    foreign = [(other, hop) for other, hop in VOCODERS if other != rate]
    known = own + foreign
    spacings = tuple(source / hop for source, hop in known)
    for (source, hop), spacing, share in zip(known, spacings, shares(spectrum, hz, spacings), strict=True):
        if share <= best.value + CLEARLY:  # filled is at most 1, and costs more
            continue
        comb = Comb(spectrum, hz, spacing)
        if comb.value <= best.value + CLEARLY:
            continue
        detail = {"hop_samples": hop, "hop_rate_hz": source, "spacing_hz": comb.spacing, "filled": comb.filled}
        best = Value(comb.value, detail)
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


METRICS = (Metric("comb_share", "share", "energy on multiples of the frame rate", comb_share, at="file"),)
