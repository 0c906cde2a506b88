"""Find the grid of a mel: the sound is analysed with one grid after the other until one reproduces the array.

coarse.py finds about where to look, in seconds and Hz.  From there, and from every known contract, one field after
the other is changed, in whole numbers, as long as the fit gets better.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace

from diagnose.mel.coarse_search import Coarse, Range, Time
from diagnose.mel.fit import Fit, Fits, Pooled, Reading
from diagnose.mel.known import FMAXES, FMINS, FORMULAS, HOPS, N_FFTS, NORMS, PADDINGS, RATES
from diagnose.spectrogram import Framing, MelGrid, Padding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from diagnose.mel.fit import Frames, Sound, View

POOLED: tuple[Pooled, ...] = ("magnitude", "power")
COARSE_FRAMES = 40
FINE_FRAMES = 56
ALIVE = 0.25  # of a frame's cells
STARTS = 3
BETTER = 0.995  # a step is taken where it leaves less than this share of the misfit
WORTH_ANOTHER = 0.9  # and another round where the last left less than this
GOOD = 1e-5
EXACT = 1e-8  # 1 - r**2: what float32 leaves
HOP_REACH = 0.02
MOST_HOPS = 24
FMAX_FACTORS = (0.9, 0.95, 0.98, 1.02, 1.05, 1.1)


class Search:
    """One view of an array, and the sound it came from."""

    def __init__(self, view: View, sound: Sound) -> None:
        self.view, self.sound = view, sound
        self.bands, self.frames = view.logarithms.shape
        self.fits = Fits(view, sound, self._chosen(FINE_FRAMES))

    def run(self, known: Sequence[Reading] = ()) -> list[Fit]:
        """Fits, the best first; known: readings to start from too."""
        starts = [*known, *(start for time, span in self.coarse.best() for start in self._starts(time, span))]
        fits = sorted((self.fits.of(start) for start in starts), key=lambda fit: fit.misfit)
        for fit in _distinct(fits)[:STARTS]:
            if self._descend(fit).misfit < GOOD:
                break
        if self.fits.best.misfit > GOOD:
            # Rate, window, hop and first frame may be wrong together, each making up for the others.
            self._descend(self._better(self.fits.best, self._anywhere))
        for equal in self._equals(self.fits.best.reading.grid):
            self.fits.of(Reading(equal, self.fits.best.reading.pooled))
        return self.fits.ranked

    @cached_property
    def coarse(self) -> Coarse:
        """About where to look."""
        return Coarse(self.view, self.sound, self._chosen(COARSE_FRAMES))

    def _chosen(self, count: int) -> Frames:
        """Up to count frames, evenly among those of the excerpt in which something is heard, the ends included."""
        inside = max(1, int(self.frames * min(1.0, self.sound.excerpt_s / self.sound.seconds)))
        alive = np.flatnonzero(self.view.heard[:, :inside].mean(axis=0) > ALIVE)
        if alive.size < min(count, inside) // 4:
            alive = np.arange(inside)
        return np.unique(alive[np.linspace(0, alive.size - 1, min(count, alive.size)).astype(np.intp)])

    def _starts(self, time: Time, span: Range) -> Iterator[Reading]:
        """Readings in whole numbers that are near a time and a range."""
        for rate in self._rates(span.fmax / 1.15):
            for n_fft in (each for each in N_FFTS if abs(each / rate / time.window_s - 1) < 0.25):
                for hop in self._hops(rate, n_fft, time.padding, time.hop_s)[:4]:
                    fmax = min(span.fmax, rate / 2)
                    framing = (rate, n_fft, hop, self.bands)
                    yield Reading(
                        MelGrid(*framing, span.fmin, fmax, span.formula, span.norm, time.padding), "magnitude"
                    )

    def _rates(self, fmax: float) -> list[int]:
        """The sound's own, and those in use, that hold fmax."""
        return [rate for rate in dict.fromkeys((self.sound.rate, *RATES)) if fmax <= rate / 2]

    def _hops(self, rate: int, n_fft: int, padding: Padding, near_s: float) -> list[int]:
        """Hops that give the number of frames exactly, and those in use that nearly do; at least the nearest."""
        near = near_s * rate
        length = self.sound.length(rate)
        span = range(max(1, int(near * (1 - HOP_REACH))), int(near * (1 + HOP_REACH)) + 2)
        exact = [hop for hop in span if Framing(n_fft, hop, padding).count(length) == self.frames]
        return [*exact[:MOST_HOPS], *(hop for hop in HOPS if hop in span and hop not in exact)] or [round(near) or 1]

    # From a start to the best that is near

    def _descend(self, start: Fit) -> Fit:
        """From start, one field after the other, as long as the fit gets better."""
        best = start
        for moves in (self._roughly, self._in_filters, self._in_whole):
            best = self._better(best, moves)
        while best.misfit > EXACT:
            before = best.misfit
            for moves in (self._in_range, self._in_filters, self._in_time, self._finely, self._in_whole):
                best = self._better(best, moves)
            if best.misfit > WORTH_ANOTHER * before:
                break
        return best

    def _better(self, best: Fit, moves: Callable[[Reading], Iterable[Reading]]) -> Fit:
        """The best of the moves, where it is better."""
        if best.misfit < EXACT:
            return best
        found = min((self.fits.of(each) for each in moves(best.reading)), key=lambda fit: fit.misfit)
        return found if found.misfit < BETTER * best.misfit else best

    def _in_range(self, at: Reading) -> Iterator[Reading]:
        """Another fmin or fmax, first of all one in use."""
        grid, nyquist = at.grid, at.grid.rate / 2
        near = (each for each in (*FMAXES, nyquist) if 0.8 * grid.fmax < each < 1.25 * grid.fmax)
        for fmax in (*near, *(factor * grid.fmax for factor in FMAX_FACTORS)):
            if grid.fmin < fmax <= nyquist:
                yield Reading(replace(grid, fmax=fmax), at.pooled)
        for fmin in FMINS:
            if fmin < grid.fmax:
                yield Reading(replace(grid, fmin=fmin), at.pooled)

    def _in_filters(self, at: Reading) -> Iterator[Reading]:
        for formula in FORMULAS:
            for norm in NORMS:
                yield from (Reading(replace(at.grid, formula=formula, norm=norm), pooled) for pooled in POOLED)

    def _in_time(self, at: Reading) -> Iterator[Reading]:
        """Other hops and first frames."""
        grid = at.grid
        for padding in PADDINGS:
            for hop in self._hops(grid.rate, grid.n_fft, padding, grid.hop / grid.rate):
                yield Reading(replace(grid, padding=padding, hop=hop), at.pooled)

    def _in_whole(self, at: Reading) -> Iterator[Reading]:
        """Other rates, frame lengths and hops that are nearly the same in seconds."""
        grid = at.grid
        yield at
        hop_s = grid.hop / grid.rate
        for rate in self._rates(grid.fmax / 1.01):
            for n_fft in (each for each in N_FFTS if 0.7 < each / rate / (grid.n_fft / grid.rate) < 1.45):
                hops = self._hops(rate, n_fft, grid.padding, hop_s)
                nearest = min(hops, key=lambda hop: abs(hop / rate - hop_s))
                for hop in dict.fromkeys((nearest, *(each for each in hops if each in HOPS))):
                    fmax = min(grid.fmax, rate / 2)
                    yield Reading(replace(grid, rate=rate, n_fft=n_fft, hop=hop, fmax=fmax), at.pooled)

    def _anywhere(self, at: Reading) -> Iterator[Reading]:
        """Other rates, frame lengths, hops and first frames, all at once."""
        for padding in PADDINGS[1:]:
            yield from self._in_whole(Reading(replace(at.grid, padding=padding), at.pooled))

    def _roughly(self, at: Reading) -> Iterator[Reading]:
        """Any number for fmin and fmax, under each formula and each kind of sum."""
        for formula in FORMULAS:
            yield from (self._stepped(Reading(replace(at.grid, formula=formula), pooled), 4) for pooled in POOLED)

    def _finely(self, at: Reading) -> Iterator[Reading]:
        """Any number for fmin and fmax, more exactly."""
        yield self._stepped(at, 7)

    def _stepped(self, at: Reading, steps: int) -> Reading:
        """fmin and fmax by ever smaller steps."""
        best = self.fits.of(at)
        step_hz, factor = 16.0, 0.03
        for _ in range(steps):
            grid = best.reading.grid
            tries = (
                replace(grid, fmin=max(0.0, grid.fmin - step_hz)),
                replace(grid, fmin=min(grid.fmin + step_hz, grid.fmax / 2)),
                replace(grid, fmax=max(grid.fmax * (1 - factor), 2 * grid.fmin)),
                replace(grid, fmax=min(grid.fmax * (1 + factor), grid.rate / 2)),
            )
            found = min((self.fits.of(Reading(each, at.pooled)) for each in tries), key=lambda fit: fit.misfit)
            if found.misfit < best.misfit:
                best = found
            else:
                step_hz, factor = step_hz / 3, factor / 3
        return best.reading

    def _equals(self, grid: MelGrid) -> Iterator[MelGrid]:
        """What may give the very same array: the same in seconds at other rates, other edges, numbers in use."""
        fmin = min(FMINS, key=lambda each: abs(each - grid.fmin))
        for rate in dict.fromkeys((grid.rate, *self._rates(grid.fmax / 1.01))):
            n_fft, hop = grid.n_fft * rate / grid.rate, grid.hop * rate / grid.rate
            if n_fft % 2 or hop % 1:
                continue
            usual = min((*FMAXES, rate / 2), key=lambda each: abs(each - grid.fmax))
            at_rate = replace(grid, rate=rate, n_fft=int(n_fft), hop=int(hop), fmax=min(grid.fmax, rate / 2))
            for same in (at_rate, replace(at_rate, fmin=fmin, fmax=min(usual, rate / 2))):
                yield same
                if same.padding.startswith("centre"):
                    yield from (replace(same, padding=padding) for padding in ("centre", "centre-reflect"))


def _distinct(fits: Sequence[Fit]) -> list[Fit]:
    """The best of each window, first frame and range."""
    best: dict[tuple[Any, ...], Fit] = {}
    for fit in fits:
        grid = fit.reading.grid
        window = round(4 * np.log2(grid.n_fft / grid.rate))
        best.setdefault((window, grid.padding, grid.fmax, grid.formula, grid.norm), fit)
    return list(best.values())
