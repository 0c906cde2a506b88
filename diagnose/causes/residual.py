"""A copy against its reference: what a gain leaves over, what a filter leaves over, and what the rest looks like.

Only for pairs of one waveform (timeline "waveform").  With a the reference and b the generated sound, aligned and
without their means, r = b - g a is what the fault added or took away; its place in time, in frequency and in
amplitude tells clicks from noise and a filter from a clipper.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from diagnose.analysis.comb import BestComb, best_comb, fine_spectrum
from diagnose.arrays import quantile, runs
from diagnose.causes.fit import slope
from diagnose.metrics.edges import EDGE_S
from diagnose.spectrogram import Framing, stft_blocks

if TYPE_CHECKING:
    from diagnose.analysis import Pair
    from diagnose.arrays import Floats

FRAMING = Framing(n_fft=1024, hop=512, padding="none")
EXCERPT = 1 << 20  # samples: 24 s at 44.1 kHz tell what broke; the ends of a longer sound are looked at apart
BANDS = 40
LOWEST_BIN = 2
TRANSFER_DB = -50.0
WEAKER_DB = -6.0
HEARD_DB = -40.0  # a cell this far under the loudest counts
LOUD_DB = -20.0
KEPT_DB = -8.0
GONE_DB = -13.0  # under a twentieth of its power
PIECE_S = 0.005
PIECE_GONE_DB = -20.0
PIECE_HEARD_DB = -35.0
LOUDEST_SHARE = 0.002
MAP_BINS = 48
MAINS_HZ = (50.0, 60.0)
HUM_TEETH, HUM_BINS, LEAST_TOOTH = 12, 1.5, 0.03
STRONGEST = 0.003
TINY = 1e-30


class Residual:
    """What b - g a is like.  All shares are of its energy, 0 to 1."""

    def __init__(self, pair: Pair) -> None:
        ours, theirs = pair.overlap
        self.rate = pair.rate
        self.gain = pair.gain * (pair.timeline.polarity or 1)
        self._ends = [_difference(ours[part], theirs[part], pair.means, self.gain) for part in self._edges(ours.size)]
        middle = pair.worst_stretch(EXCERPT)
        self.a = ours[middle].astype(np.float64) - pair.means[0]
        self.b = theirs[middle].astype(np.float64) - pair.means[1]
        self.whole = ours.size
        self.r = self.b - self.gain * self.a

    def _edges(self, size: int) -> tuple[slice, slice]:
        width = round(EDGE_S * self.rate)
        return slice(0, width), slice(max(size - width, 0), size)

    @cached_property
    def energy(self) -> float:
        return float(np.square(self.r).sum()) + TINY

    @cached_property
    def level_db(self) -> float:
        """Power of the residual over that of the generated sound, dB; -120 for an exact copy."""
        return _db(self.energy / (float(np.square(self.b).sum()) + TINY))

    @cached_property
    def edge_shares(self) -> tuple[float, float]:
        """Share of the residual in the first and in the last 20 ms."""
        total = self.energy * self.whole / max(self.r.size, 1)
        return tuple(min(float(np.square(end).sum()) / max(total, TINY), 1.0) for end in self._ends)  # type: ignore[return-value]

    @cached_property
    def loudest_share(self) -> float:
        """Share in its loudest 0.2 % of the samples: near 1 for spikes, 0.02 for noise."""
        count = max(int(LOUDEST_SHARE * self.r.size), 1)
        return float(np.partition(np.square(self.r), -count)[-count:].sum()) / self.energy

    @cached_property
    def curve(self) -> tuple[Floats, Floats]:
        """(mean of a, mean of b) [shape=(bins,)] in 48 bins of equal count of a: the curve of a memoryless fault."""
        order = np.argsort(self.a)
        groups = [group for group in np.array_split(order, MAP_BINS) if group.size]
        return np.array([self.a[g].mean() for g in groups]), np.array([self.b[g].mean() for g in groups])

    @cached_property
    def curve_share(self) -> float:
        """Share that the curve explains: near 1 for clipping, 0 or less for all that is no function of a sample."""
        fitted = np.interp(self.a, *self.curve)
        return 1 - float(np.square(self.b - fitted).sum()) / self.energy

    @cached_property
    def compression(self) -> float:
        """Slope of the curve at its ends over that in its middle: under 1 where the loud is squeezed."""
        x, y = self.curve
        rise = np.diff(y) / np.maximum(np.diff(x), 1e-12)
        middle = rise[len(rise) // 4 : -(len(rise) // 4)]
        return (
            float((rise[:2].mean() + rise[-2:].mean()) / 2 / max(float(middle.mean()), 1e-12)) if middle.size else 1.0
        )

    @cached_property
    def _cells(self) -> dict[str, Floats]:
        """Powers of a and b and their cross-power by frame and band, and the bands' middle frequencies."""
        edges = np.array(
            sorted({int(edge) for edge in np.geomspace(LOWEST_BIN, 0.95 * FRAMING.n_fft / 2, BANDS + 1)}), np.intp
        )
        rows: list[tuple[Floats, Floats, Floats]] = []
        bins = np.zeros((3, FRAMING.n_fft // 2 + 1), complex)
        for ours, theirs in zip(stft_blocks(self.a, FRAMING), stft_blocks(self.b, FRAMING), strict=True):
            products = (np.abs(ours) ** 2, np.abs(theirs) ** 2, theirs * np.conj(ours))
            bins += [part.sum(axis=0) for part in products]
            rows.append(tuple(np.add.reduceat(part[:, : edges[-1]], edges[:-1], axis=1) for part in products))  # type: ignore[arg-type]
        if not rows:
            empty = np.zeros((0, edges.size - 1))
            return {
                "a": empty,
                "b": empty,
                "cross": empty.astype(complex),
                "hz": np.zeros(0),
                "bins": bins,
                "width": np.diff(edges),
            }
        a, b, cross = (np.concatenate(column) for column in zip(*rows, strict=True))
        hz = np.sqrt(edges[:-1] * (edges[1:] - 1).clip(1)) * self.rate / FRAMING.n_fft
        return {"a": a, "b": b, "cross": cross, "hz": hz, "bins": bins, "width": np.diff(edges)}

    @cached_property
    def transfer(self) -> tuple[Floats, Floats]:
        """(hz, |H| in dB) of the bands in which the reference is heard; H = sum B A* / sum |A|**2.

        A band that noise has covered (under half coherent, and no weaker than before) says nothing and is left out.
        """
        cells = self._cells
        power, other, cross = cells["a"].sum(axis=0), cells["b"].sum(axis=0), np.abs(cells["cross"].sum(axis=0))
        heard = power > power.max(initial=0.0) * 10 ** (TRANSFER_DB / 10)
        response = 20 * np.log10(np.maximum(cross / np.maximum(power, TINY), 1e-6))
        coherent = cross**2 > 0.5 * power * other
        gone = other < 10 ** (WEAKER_DB / 10) * self.gain**2 * power
        told = heard & (coherent | gone)
        return cells["hz"][told], response[told]

    @cached_property
    def coherence(self) -> float:
        """Upper quartile of the coherence over the loud bands (20 dB): near 1 for a copy under any noise or filter."""
        cells = self._cells
        power, other, cross = cells["a"].sum(axis=0), cells["b"].sum(axis=0), np.abs(cells["cross"].sum(axis=0))
        loud = power > power.max(initial=0.0) * 10 ** (LOUD_DB / 10)
        values = cross[loud] ** 2 / np.maximum(power[loud] * other[loud], TINY)
        return quantile(values, 0.75) if values.size else 0.0

    @cached_property
    def filter_gain_db(self) -> float:
        """How far a filter of 40 bands lowers the residual under what a gain leaves, dB >= 0."""
        cells = self._cells
        return self._lowered_db(*(cells[key].sum(axis=0) for key in ("a", "b", "cross")))

    @cached_property
    def fine_filter_gain_db(self) -> float:
        """The same for a filter with a value for each bin, dB >= 0."""
        return self._lowered_db(*self._cells["bins"])

    @cached_property
    def frame_gain_db(self) -> float:
        """The same for a gain with a value for each frame, dB >= 0: a fade, a tremolo, a compressor."""
        cells = self._cells
        return self._lowered_db(*(cells[key].sum(axis=1) for key in ("a", "b", "cross")))

    def _lowered_db(self, power: Floats, other: Floats, cross: Floats) -> float:
        left = (other - np.abs(cross) ** 2 / np.maximum(power.real, TINY)).real.sum()
        plain = (other - 2 * self.gain * cross.real + self.gain**2 * power).real.sum()
        return max(_db(float(plain) / max(float(left), TINY)), 0.0) if plain > 0 else 0.0

    @cached_property
    def _left(self) -> tuple[Floats, Floats]:
        """Power of b - H a by cell, and of H a."""
        cells = self._cells
        power = cells["a"].sum(axis=0)
        response = cells["cross"].sum(axis=0) / np.maximum(power, TINY)
        through = np.abs(response) ** 2 * cells["a"]
        left = cells["b"] - 2 * (np.conj(response) * cells["cross"]).real + through
        return np.maximum(left, 0), through

    @cached_property
    def follows(self) -> float:
        """Slope of the residual's level over the sound's, cell by cell: 0 for what was added, 1 for what was bent."""
        # By bin: a wide band is louder in both, and would make any noise follow.
        left, through = (part / self._cells["width"] for part in self._left)
        heard = through > through.max(initial=0.0) * 1e-6
        if heard.sum() < 16:
            return 0.0
        x, y = 10 * np.log10(through[heard] + TINY), 10 * np.log10(left[heard] + TINY)
        return slope(x, y)

    @cached_property
    def unsteadiness_db(self) -> float:
        """Standard deviation of the residual's frame levels, dB: under 1 for steady noise."""
        frames = self._left[0].sum(axis=1)
        return float((10 * np.log10(frames + 1e-9 * frames.max(initial=TINY))).std()) if frames.size else 0.0

    @cached_property
    def holes(self) -> float:
        """Share of the reference's heard cells of time and frequency that are gone, in kept bands.

        Gone is under a twentieth of its power, the gain removed.
        """
        ours = self.gain**2 * self._cells["a"]
        heard = ours > ours.max(initial=0.0) * 10 ** (HEARD_DB / 10)
        # Only in bands that are kept on the whole: what a filter takes away is no hole.
        heard &= self._cells["b"].sum(axis=0) > 10 ** (KEPT_DB / 10) * ours.sum(axis=0)
        gone = heard & (self._cells["b"] < 10 ** (GONE_DB / 10) * ours)
        return float(gone.sum()) / max(float(heard.sum()), 1.0)

    @cached_property
    def silences(self) -> tuple[float, list[tuple[float, float]]]:
        """(share of a's energy, [(start, end) in s]) of the pieces of 5 ms that sound in a and are 20 dB down in b."""
        width = max(round(PIECE_S * self.rate), 1)
        count = self.a.size // width
        ours, theirs = (np.square(x[: count * width]).reshape(count, width).mean(axis=1) for x in (self.a, self.b))
        heard = ours > ours.max(initial=0.0) * 10 ** (PIECE_HEARD_DB / 10)
        gone = heard & (theirs < 10 ** (PIECE_GONE_DB / 10) * self.gain**2 * ours)
        spans = [(float(s * width / self.rate), float(e * width / self.rate)) for s, e in runs(gone)]
        return float(ours[gone].sum()) / max(float(ours.sum()), TINY), spans

    @cached_property
    def _fine(self) -> tuple[Floats, Floats] | None:
        return fine_spectrum(self.r.astype(np.float32), self.rate, 0.0)

    @cached_property
    def lines(self) -> dict[float, float]:
        """Share of the residual on the low multiples of 50 and of 60 Hz; empty where it is too short to tell."""
        return {mains: mains_share(*self._fine, mains) for mains in MAINS_HZ} if self._fine else {}

    @cached_property
    def comb(self) -> BestComb | None:
        """The comb of a frame rate in the residual, as comb_share finds it."""
        return best_comb(*self._fine, self.rate) if self._fine else None

    @property
    def lined(self) -> float:
        """The largest share of the residual on lines: the mains' or a frame rate's."""
        return max([*self.lines.values(), self.comb.value if self.comb else 0.0, 0.0])

    @cached_property
    def tonal(self) -> float:
        """Share of the residual's energy in its strongest 0.3 % of frequencies: near 1 for a few lines."""
        if self._fine is None:
            return 0.0
        power = self._fine[0]
        count = max(int(STRONGEST * power.size), 3)
        return float(np.partition(power, -count)[-count:].sum()) / max(float(power.sum()), TINY)


def mains_share(spectrum: Floats, hz: Floats, mains: float) -> float:
    """Share of a spectrum on the multiples of mains up to the 12th; 0 unless one of the first two, or two, are there.

    A whistle at 1000 Hz lies on a multiple of 50 as well.
    """
    total = max(float(spectrum.sum()), TINY)
    width = HUM_BINS * hz[1]
    teeth = [float(spectrum[np.abs(hz - k * mains) <= width].sum()) / total for k in range(1, HUM_TEETH + 1)]
    several = sum(tooth > LEAST_TOOTH for tooth in teeth) >= 2 or max(teeth[:2]) > LEAST_TOOTH
    return sum(teeth) if several else 0.0


def _difference(ours: Floats, theirs: Floats, means: tuple[float, float], gain: float) -> Floats:
    return np.asarray((theirs.astype(np.float64) - means[1]) - gain * (ours.astype(np.float64) - means[0]))


def _db(ratio: float) -> float:
    return float(10 * np.log10(max(ratio, 1e-12)))
