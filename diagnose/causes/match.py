"""Does the generated spectrogram fit the reference's better at another speed, pitch or mel range?

Both are laid on a log-frequency axis and 64 slots of time; every hypothesis is a way to read the one as the other,
and its score is Pearson's r of the levels (dB, floor -60) over all cells.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.analysis.pitch import parabola
from diagnose.causes.fit import correlation
from diagnose.mel.known import MISTAKEN_FMAXES, VOCODER_FMAX_HZ
from diagnose.spectrogram import MEL_FORMULAS, Framing

if TYPE_CHECKING:
    from diagnose.analysis import Pair
    from diagnose.arrays import Floats
    from diagnose.stft_cache import StftCache

FRAMING = Framing(n_fft=2048, hop=512, padding="centre")
SLOTS = 64
MOST_FRAMES = 4096
STEPS = 48  # an octave
LOWEST_HZ = 80.0
HIGHEST_HZ = 7600.0
RANGE_DB = 60.0
FURTHEST_CENTS = 1500.0
# Highest frequencies of mels in use: half of 16, 22.05, 24, 44.1 and 48 kHz, and what speech models cut at.
KNOWN_FIT = 0.04
SCALES = np.geomspace(0.72, 1.25, 57)


class Shift(msgspec.Struct, frozen=True):
    """r at a shift of the frequency axis; cents > 0 where the generated sound is higher."""

    r: float
    cents: float


class Warp(msgspec.Struct, frozen=True):
    """r where a mel was read in another range or by another formula than it was made in."""

    r: float
    name: str
    scale: float = 1.0


class Match:
    """Scores of the readings of a pair.

    aligned: slot on slot of the overlap.  stretched: both from their first to their last sample, whatever length.
    """

    def __init__(self, pair: Pair) -> None:
        self.rate = pair.rate
        self.lengths = (pair.reference.mono.size, pair.generated.mono.size)
        self._sounds = {
            "aligned": pair.overlap_stfts,
            "stretched": (pair.reference.stft, pair.generated.stft),
        }
        top = min(HIGHEST_HZ, 0.45 * pair.rate)
        self.axis = LOWEST_HZ * 2 ** np.arange(0, np.log2(top / LOWEST_HZ), 1 / STEPS)

    @property
    def length_ratio(self) -> float:
        """Length of the generated sound over the reference's."""
        return self.lengths[1] / self.lengths[0]

    @cached_property
    def aligned(self) -> tuple[Floats, Floats]:
        """Levels [shape=(slots, frequencies)] of both, slot on slot of the overlap."""
        return self._levels("aligned")

    @cached_property
    def stretched(self) -> tuple[Floats, Floats]:
        """Levels of both, each in 64 slots of its own length."""
        return self._levels("stretched")

    def _levels(self, which: str) -> tuple[Floats, Floats]:
        first, second = (self._picture(sound) for sound in self._sounds[which])
        return first, second

    def _picture(self, spectra: StftCache) -> Floats:
        power = _slots(spectra, _framing(spectra.samples.size))
        place = np.clip(self.axis * FRAMING.n_fft / self.rate, 0, power.shape[1] - 1.001)
        below = place.astype(int)
        part = place - below
        level = 10 * np.log10(power + 1e-20)
        level = (1 - part) * level[:, below] + part * level[:, below + 1]
        return np.asarray(np.maximum(level, level.max() - RANGE_DB))

    @cached_property
    def same(self) -> float:
        """r as they lie."""
        return correlation(*self.aligned)

    @cached_property
    def same_stretched(self) -> float:
        """r at the same pitch, the one stretched to the other's length."""
        return correlation(*self.stretched)

    @cached_property
    def shifted(self) -> Shift:
        """The best shift in pitch, as they lie."""
        return best_shift(*self.aligned)

    @cached_property
    def shifted_stretched(self) -> Shift:
        """The best shift in pitch, stretched."""
        return best_shift(*self.stretched)

    @cached_property
    def warped(self) -> Warp:
        """The best of the mel mistakes, as they lie: another fmax (Slaney's scale), or HTK's formula for Slaney's."""
        slaney, slaney_hz = MEL_FORMULAS["slaney"]
        htk, htk_hz = MEL_FORMULAS["htk"]
        top = np.array(VOCODER_FMAX_HZ)
        mels = slaney(self.axis)
        found = [self._warp("fmax", slaney_hz(mels / scale), float(scale)) for scale in SCALES]
        found.append(self._warp("htk read as slaney", htk_hz(mels / slaney(top) * htk(top))))
        found.append(self._warp("slaney read as htk", slaney_hz(htk(self.axis) / htk(top) * slaney(top))))
        return max(found, key=lambda warp: warp.r)

    def _warp(self, name: str, source: Floats, scale: float = 1.0) -> Warp:
        """source: where in the reference [Hz] what is heard at each frequency of the axis comes from."""
        ours, theirs = self.aligned
        inside = (source >= self.axis[0]) & (source < self.axis[-1])
        place = np.interp(source[inside], self.axis, np.arange(self.axis.size))
        below = np.minimum(place.astype(int), self.axis.size - 2)
        part = place - below
        read = (1 - part) * ours[:, below] + part * ours[:, below + 1]
        return Warp(correlation(read, theirs[:, inside]), name, scale)

    @cached_property
    def reversed_r(self) -> float:
        """r with the one played backwards."""
        return correlation(self.aligned[0][::-1], self.aligned[1])

    @cached_property
    def average(self) -> float:
        """r of the long-term spectra: whether the same material is there, in whatever order."""
        ours, theirs = (10 * np.log10((10 ** (part / 10)).mean(axis=0)) for part in self.stretched)
        return correlation(np.maximum(ours, ours.max() - RANGE_DB), np.maximum(theirs, theirs.max() - RANGE_DB))


def made_for_hz(scale: float) -> float:
    """fmax of the mel that was read as one to 8 kHz, from the factor that the mel axis shrank by.

    A known one where it is within 4 %: the scale goes in steps of 1 %.
    """
    slaney, slaney_hz = MEL_FORMULAS["slaney"]
    made = float(slaney_hz(slaney(np.array(VOCODER_FMAX_HZ)) / scale))
    others = [hz for hz in MISTAKEN_FMAXES if hz != VOCODER_FMAX_HZ]
    nearest = min(others, key=lambda hz: abs(hz / made - 1))
    return nearest if abs(nearest / made - 1) < KNOWN_FIT else made


def best_shift(ours: Floats, theirs: Floats) -> Shift:
    """The shift along the frequency axis, up to 1500 cents either way, with the highest r; to a few cents."""
    reach = int(FURTHEST_CENTS * STEPS / 1200)
    scores = _shifted(ours, theirs, reach)
    best = int(np.argmax(scores))
    if not 0 < best < scores.size - 1:
        return Shift(float(scores[best]), (best - reach) * 1200 / STEPS)
    offset, _ = parabola(*scores[best - 1 : best + 2])
    return Shift(float(scores[best]), float(best - reach + offset) * 1200 / STEPS)


def _shifted(ours: Floats, theirs: Floats, reach: int) -> Floats:
    """Pearson's r of what overlaps at each shift from -reach to reach; products by FFT, sums by running totals."""
    columns = ours.shape[1]
    size = 1 << int(np.ceil(np.log2(2 * columns)))
    spectrum = np.conj(np.fft.rfft(ours - ours.mean(), size)) * np.fft.rfft(theirs - theirs.mean(), size)
    steps = np.arange(-reach, reach + 1)
    products = np.fft.irfft(spectrum.sum(axis=0), size)[steps]
    count = (columns - np.abs(steps)) * ours.shape[0]
    sums = []
    for picture, first in ((ours, np.maximum(-steps, 0)), (theirs, np.maximum(steps, 0))):
        centred = picture - picture.mean()
        totals = [np.concatenate(([0.0], np.cumsum((centred**k).sum(axis=0)))) for k in (1, 2)]
        last = first + columns - np.abs(steps)
        sums.append([total[last] - total[first] for total in totals])
    (a, aa), (b, bb) = sums
    norm = np.sqrt(np.maximum(aa - a * a / count, 0) * np.maximum(bb - b * b / count, 0))
    return np.where(norm > 1e-9, (products - a * b / count) / np.maximum(norm, 1e-9), 0.0)


def _framing(length: int) -> Framing:
    """Frames 512 samples apart, and further in long sounds: 4096 of them show what 64 slots can hold."""
    factor = max(1, -(-length // (MOST_FRAMES * FRAMING.hop)))
    return Framing(FRAMING.n_fft, FRAMING.hop * factor, FRAMING.padding)


def _slots(spectra: StftCache, framing: Framing) -> Floats:
    """Mean power [shape=(64, bins)] in 64 equal stretches of time."""
    count = framing.count(spectra.samples.size)
    edges = np.linspace(0, count, SLOTS + 1)
    sums, done = np.zeros((SLOTS, framing.n_fft // 2 + 1)), 0
    for power in spectra.power(framing):
        frame = np.arange(done, done + len(power))
        # How much of each frame lies in each slot: a frame at an edge is shared.
        share = np.clip(np.minimum(frame + 1, edges[1:, None]) - np.maximum(frame, edges[:-1, None]), 0, 1)
        sums += share @ power
        done += len(power)
    return sums / (count / SLOTS)
