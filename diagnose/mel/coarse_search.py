"""The first step of the search, in seconds and Hz: how long frames are, where they lie, what the bands cover.

The mel is taken as if it had been made at the sound's own rate, on a few frames, and groups of bands are compared
instead of bands, so that a hypothesis that is off by a band or two still fits better than one that is far off.
"""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.mel.fit import line, logarithm
from diagnose.mel.known import FORMULAS, NORMS
from diagnose.spectrogram import MelGrid, mel_edges

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.mel.fit import Frames, Sound, View
    from diagnose.spectrogram import Padding

WINDOWS_S = tuple(0.0085 * 2 ** (step / 2) for step in range(8))
FIRST_WINDOWS_S = (0.024, 0.048)
FMAX_HZ = tuple(3500 * 1.12**step for step in range(18))
FMIN_HZ = (0.0, 40.0, 80.0, 125.0)
GROUPS = 24
KEPT_RANGES = 24
FEW_RANGES = 4
KEPT_TIMES = 3
LOWEST_NATS = 12.0  # what is more silent than that outweighs nothing


class Time(msgspec.Struct, frozen=True, order=True):
    """How long a frame is, the centre of the first, and the way from one to the next, in s."""

    window_s: float
    first_s: float
    hop_s: float

    @property
    def padding(self) -> Padding:
        """How frames are laid whose first one is centred there."""
        return "centre" if self.first_s == 0 else "none" if self.first_s == self.window_s / 2 else "same-reflect"


class Range(msgspec.Struct, frozen=True, order=True):
    """Which frequencies the bands cover, by which formula, and the norm of their filters."""

    fmin: float
    fmax: float
    formula: Literal["slaney", "htk"]
    norm: Literal["slaney", "none"]


class Coarse:
    """One view of an array; frames: the few of it that are compared."""

    def __init__(self, view: View, sound: Sound, frames: Frames) -> None:
        self._sound, self._frames = sound, frames
        self._bands, self._count = view.logarithms.shape
        self._spectra: dict[Time, Integrals] = {}
        self._filters: dict[Range, NDArray[np.float64]] = {}
        self._known: dict[tuple[Time, Range], float] = {}
        size = -(-self._bands // GROUPS)
        self._group = np.kron(np.eye(-(-self._bands // size)), np.ones(size))[:, : self._bands].astype(np.float32)
        self._heard = view.heard[:, frames].astype(np.float32)
        counts = self._group @ self._heard
        self._filled = counts > size / 2
        self._counts = counts[self._filled]
        self._values = self._means(view.logarithms[:, frames])

    @cached_property
    def ranges(self) -> list[tuple[float, Range]]:
        """(misfit, range), the best first, with two windows and frames that are centred: not far off in any case."""
        first = [Time(window, 0.0, self._sound.seconds / self._count) for window in FIRST_WINDOWS_S]
        return sorted((self.misfit(time, span), span) for time in first for span in self._ranges())

    def best(self) -> list[tuple[Time, Range]]:
        """The best few, and the best of each way to lay the first frame; the best first."""
        kept = list(dict.fromkeys(span for _, span in self.ranges))[:KEPT_RANGES]
        found = sorted((self.misfit(time, span), time) for time in self._times() for span in kept[:FEW_RANGES])
        times = list(dict.fromkeys(time for _, time in found))
        of_each = {time.padding: time for time in reversed(times)}
        chosen = dict.fromkeys((*times[:KEPT_TIMES], *of_each.values()))
        ranked = sorted(min((self.misfit(time, span), time, span) for span in kept) for time in chosen)
        return [(time, span) for _, time, span in ranked]

    def misfit(self, time: Time, span: Range) -> float:
        """1 - r**2 over groups of bands."""
        if (time, span) not in self._known:
            edges = self._edges(msgspec.structs.replace(span, norm="none"))
            logs = logarithm(self._integrals(time).filtered(edges), LOWEST_NATS)
            widths = -np.log(edges[2:] - edges[:-2])[:, None]
            for norm in NORMS:
                means = self._means(logs + widths if norm == "slaney" else logs)
                self._known[time, msgspec.structs.replace(span, norm=norm)] = line(means, self._values)[2]
        return self._known[time, span]

    def _means(self, cells: Floats) -> Floats:
        """Over the heard cells of each group of bands that has enough of them."""
        return (self._group @ (cells * self._heard))[self._filled] / self._counts

    def _ranges(self) -> Iterator[Range]:
        for fmax in sorted({min(fmax, self._sound.rate / 2) for fmax in FMAX_HZ}):
            for fmin, formula, norm in itertools.product(FMIN_HZ, FORMULAS, NORMS):
                yield Range(fmin, fmax, formula, norm)

    def _times(self) -> Iterator[Time]:
        """Those that give about as many frames as there are."""
        seconds, count = self._sound.seconds, self._count
        for window in WINDOWS_S:
            for part in (0.15, 0.5, 0.85):
                yield Time(window, 0.0, seconds / (count - part))
                hop = seconds / (count + part)
                yield Time(window, hop / 2, hop)
            for part in (0.15, 0.85):
                yield Time(window, window / 2, max(seconds - window, 0.0) / (count - part))

    def _integrals(self, time: Time) -> Integrals:
        if time not in self._spectra:
            centres = time.first_s + time.hop_s * self._frames
            self._spectra[time] = Integrals(np.sqrt(self._sound.power_near(time.window_s, centres)).T)
        return self._spectra[time]

    def _edges(self, span: Range) -> NDArray[np.float64]:
        """Edges of the filters in bins."""
        if span not in self._filters:
            rate, n_fft = self._sound.rate, self._sound.fine_n_fft
            grid = MelGrid(rate, n_fft, n_fft, self._bands, span.fmin, span.fmax, span.formula)
            self._filters[span] = mel_edges(grid) * n_fft / rate
        return self._filters[span]


class Integrals:
    """Triangular filters over magnitudes [shape=(bins, frames)] without a matrix: their second integral, bent thrice.

    The filter that rises from a to b and falls to c gives (I(c) - I(b)) / (c - b) - (I(b) - I(a)) / (b - a), where I is
    the second integral of the magnitude, taken as constant from each bin to the next.
    """

    def __init__(self, magnitude: Floats) -> None:
        self._magnitude = np.pad(magnitude, ((0, 1), (0, 0))).astype(np.float64)
        self._once = np.zeros_like(self._magnitude)
        np.cumsum(self._magnitude[:-1], axis=0, out=self._once[1:])
        self._twice = np.zeros_like(self._magnitude)
        np.cumsum(self._once[:-1] + self._magnitude[:-1] / 2, axis=0, out=self._twice[1:])

    def filtered(self, edges: NDArray[np.float64]) -> Floats:
        """Sums of filters of height 1 [shape=(len(edges) - 2, frames)]; edges in bins, rising."""
        whole = np.minimum(edges.astype(np.intp), len(self._once) - 1)
        part = (edges - whole)[:, None]
        at = self._twice[whole] + part * (self._once[whole] + part / 2 * self._magnitude[whole])
        slopes = np.diff(at, axis=0) / np.diff(edges)[:, None]
        return np.maximum(np.diff(slopes, axis=0), 0)
