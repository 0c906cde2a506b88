"""Which grid is this mel on?  The sound it came from is read under one grid after the other until one gives the array.

Two steps.  First in seconds and Hz, coarsely and on a few frames: how long a frame is, how far apart they are, where
the first lies, which frequencies the bands cover.  Then in whole numbers: from the best of those, and from every
known contract, one field after the other is changed as long as the fit gets better.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec
import numpy as np

from diagnose.spectrogram import Framing, MelGrid, Padding, mel_edges, mel_filterbank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from diagnose.infer.sound import Frames, Sound

    Floats = NDArray[np.floating[Any]]

Pooled = Literal["power", "magnitude"]
Time = tuple[float, float, float]
Range = tuple[float, float, str, str]

RATES = (8_000, 11_025, 16_000, 20_000, 22_050, 24_000, 32_000, 44_100, 48_000)
N_FFTS = (256, 400, 480, 512, 600, 640, 800, 882, 960, 1024, 1200, 1280, 1600, 1764, 1920, 2048, 2400, 4096, 8192)
FMINS = (0.0, 20.0, 27.5, 30.0, 40.0, 50.0, 55.0, 60.0, 64.0, 70.0, 75.0, 80.0, 90.0, 95.0, 100.0, 125.0, 150.0, 200.0)
FMAXES = (3400.0, 3800.0, 4000.0, 5500.0, 5512.5, 6000.0, 7000.0, 7500.0, 7600.0, 8000.0, 9000.0, 9500.0, 10_000.0)
FMAXES += (11_000.0, 11_025.0, 12_000.0, 14_000.0, 15_000.0, 16_000.0, 18_000.0, 20_000.0, 22_050.0, 24_000.0)
HOPS = (64, 80, 100, 110, 120, 128, 160, 200, 220, 240, 250, 256, 275, 300, 320, 400, 441, 480, 512, 600, 1024, 1200)
PADDINGS: tuple[Padding, ...] = ("centre", "centre-reflect", "same-reflect", "none")

FILTERS = (("slaney", "slaney"), ("htk", "none"), ("slaney", "none"), ("htk", "slaney"))

WINDOWS_S = tuple(0.0085 * 2 ** (step / 2) for step in range(8))
FIRST_WINDOWS_S = (0.024, 0.048)
COARSE_FMAX_HZ = tuple(3500 * 1.12**step for step in range(18))
COARSE_FMIN_HZ = (0.0, 40.0, 80.0, 125.0)
COARSE_FRAMES = 40
GROUPS = 24
FINE_FRAMES = 56
KEPT_RANGES = 24
FEW_RANGES = 4
KEPT_TIMES = 3
STARTS = 3
# Under the loudest sum: silence is not minus infinity, and in the coarse step it outweighs nothing.
LOWEST_NATS = 60.0
COARSE_LOWEST_NATS = 12.0
BETTER = 0.995  # a step is taken where it leaves less than this share of the misfit
GOOD = 1e-5
EXACT = 1e-8  # 1 - r**2: what float32 leaves
HOP_REACH = 0.02


class Reading(msgspec.Struct, frozen=True):
    """A hypothesis: the grid, and what its filters sum."""

    grid: MelGrid
    pooled: Pooled


class Fit(msgspec.Struct, frozen=True):
    """values = slope * ln(sum) + offset, over the cells above the floor.

    misfit: 1 - r**2.  residual_db: root mean square of what is left over, in dB of what is summed.
    """

    reading: Reading
    slope: float
    offset: float
    misfit: float
    residual_db: float


class Search:
    """values [shape=(bands, frames)]: logarithms.  heard: the cells that are not on a floor."""

    def __init__(self, values: Floats, heard: NDArray[np.bool_], sound: Sound) -> None:
        self.values, self.heard, self.sound = values, heard, sound
        self.bands, self.frames = values.shape
        self.seconds = sound.seconds
        self._fits: dict[Reading, Fit] = {}
        self._spectra: dict[Time, Floats] = {}
        self._logs: dict[tuple[Time, float, float, str], dict[str, float]] = {}
        self._bases: dict[Range, tuple[Floats, Floats]] = {}
        self._few = self._chosen(COARSE_FRAMES)
        self._many = self._chosen(FINE_FRAMES)
        self._heard_many = heard[:, self._many]
        self._values_many = values[:, self._many][self._heard_many]
        self._make_groups()

    def _chosen(self, count: int) -> Frames:
        """Up to count frames, evenly among those of the excerpt in which something is heard, the ends included."""
        inside = int(self.frames * min(1.0, self.sound.excerpt_s / self.seconds))
        alive = np.flatnonzero(self.heard[:, :inside].mean(axis=0) > 0.25)
        if alive.size < 4:
            alive = np.arange(max(inside, 1))
        return np.unique(alive[np.linspace(0, alive.size - 1, min(count, alive.size)).astype(np.intp)])

    def _make_groups(self) -> None:
        """For the coarse step: means over groups of bands, so that a range that is off by a band still fits."""
        size = -(-self.bands // GROUPS)
        self._group = np.kron(np.eye(-(-self.bands // size)), np.ones(size))[:, : self.bands].astype(np.float32)
        self._heard_few = self.heard[:, self._few].astype(np.float32)
        counts = self._group @ self._heard_few
        self._groups_heard = counts > size / 2
        self._group_counts = counts[self._groups_heard]
        sums = self._group @ (self.values[:, self._few] * self._heard_few)
        self._group_values = sums[self._groups_heard] / self._group_counts

    @property
    def best(self) -> Fit:
        """Of all that were tried."""
        return min(self._fits.values(), key=lambda fit: fit.misfit)

    # How well a reading fits

    def fit(self, reading: Reading) -> Fit:
        """How well the reading gives the array; remembered."""
        if reading not in self._fits:
            grid = reading.grid
            power = self.sound.power(grid.rate, grid.framing, self._many)
            sums = _filters(grid) @ (np.sqrt(power) if reading.pooled == "magnitude" else power).T
            heard = self._heard_many
            slope, offset, misfit, left = _line(_logarithm(sums, LOWEST_NATS)[heard].astype(np.float64), self._values_many)
            unit = (20 if reading.pooled == "magnitude" else 10) / np.log(10)
            self._fits[reading] = Fit(reading, slope, offset, misfit, unit * left / max(abs(slope), 1e-9))
        return self._fits[reading]

    # The coarse step: seconds and Hz

    def coarse(self) -> list[tuple[float, Time, Range]]:
        """(misfit, time, range) of the best, as if the mel had been made at the sound's own rate."""
        middle = self.seconds / self.frames
        ranges = sorted(
            (self._coarse_misfit((window, 0.0, middle), each), each)
            for window in FIRST_WINDOWS_S
            for each in self._all_ranges()
        )
        kept = list(dict.fromkeys(each for _, each in ranges))[:KEPT_RANGES]
        few = kept[:FEW_RANGES]
        found = sorted((self._coarse_misfit(time, each), time, each) for time in self._times() for each in few)
        times = list(dict.fromkeys(time for _, time, _ in found))
        # The best few, and the best of each way to place the first frame.
        times = list(dict.fromkeys((*times[:KEPT_TIMES], *{_padding(time): time for time in reversed(times)}.values())))
        return sorted(min((self._coarse_misfit(time, each), time, each) for each in kept) for time in times)

    def _all_ranges(self) -> Iterator[Range]:
        highest = self.sound.rate / 2
        for fmax in sorted({min(fmax, highest) for fmax in COARSE_FMAX_HZ}):
            for fmin, (formula, norm) in itertools.product(COARSE_FMIN_HZ, FILTERS):
                yield fmin, fmax, formula, norm

    def _times(self) -> Iterator[Time]:
        """(window, centre of the first frame, hop) in s that give about as many frames as there are."""
        for window in WINDOWS_S:
            for part in (0.15, 0.5, 0.85):
                hop = self.seconds / (self.frames - part)
                yield window, 0.0, hop
                hop = self.seconds / (self.frames + part)
                yield window, hop / 2, hop
            for part in (0.15, 0.85):
                hop = max(self.seconds - window, 0.0) / (self.frames - part)
                yield window, window / 2, hop

    def _coarse_misfit(self, time: Time, span: Range) -> float:
        """1 - r**2 over groups of bands."""
        fmin, fmax, formula, norm = span
        key = (time, fmin, fmax, formula)
        if key not in self._logs:
            spectra = self._coarse_spectra(time)
            filters, width = self._coarse_filters((fmin, fmax, formula, "none"))
            logs = _logarithm(filters @ spectra, COARSE_LOWEST_NATS)
            self._logs[key] = {"none": self._grouped_misfit(logs), "slaney": self._grouped_misfit(logs + width)}
        return self._logs[key][norm]

    def _grouped_misfit(self, logs: Floats) -> float:
        means = (self._group @ (logs * self._heard_few))[self._groups_heard] / self._group_counts
        return _line(means, self._group_values)[2]

    def _coarse_spectra(self, time: Time) -> Floats:
        """|STFT| [shape=(bins, frames)] of the few frames."""
        if time not in self._spectra:
            window, first, hop = time
            self._spectra[time] = np.sqrt(self.sound.power_near(window, first + hop * self._few)).T
        return self._spectra[time]

    def _coarse_filters(self, span: Range) -> tuple[Floats, Floats]:
        """Filters of height 1 and, as a logarithm, what the norm makes of each."""
        if span not in self._bases:
            fmin, fmax, formula, _ = span
            n_fft = self.sound.fine_n_fft
            grid = MelGrid(self.sound.rate, n_fft, n_fft, self.bands, fmin, fmax, cast(Any, formula), "none", "none")
            edges = mel_edges(grid)
            self._bases[span] = mel_filterbank(grid), -np.log(edges[2:] - edges[:-2])[:, None]
        return self._bases[span]

    # The fine step: whole numbers

    def starts(self, time: Time, span: Range) -> list[Reading]:
        """Readings in whole numbers that are near a time and a range."""
        window, _, hop = time
        fmin, fmax, formula, norm = span
        padding = _padding(time)
        found = []
        for rate in dict.fromkeys((self.sound.rate, *RATES)):
            if fmax > 1.15 * rate / 2:
                continue
            for n_fft in (n for n in N_FFTS if abs(n / rate / window - 1) < 0.25):
                for whole in self.hops(rate, n_fft, padding, hop)[:4]:
                    grid = MelGrid(
                        rate, n_fft, whole, self.bands, fmin, min(fmax, rate / 2), cast(Any, formula), cast(Any, norm), padding
                    )
                    found.append(Reading(grid, "magnitude"))
        return found

    def hops(self, rate: int, n_fft: int, padding: Padding, near_s: float) -> list[int]:
        """Hops that give the number of frames exactly, and those in use that nearly do."""
        near = near_s * rate
        length = self.sound.length(rate)
        span = range(max(1, int(near * (1 - HOP_REACH))), int(near * (1 + HOP_REACH)) + 2)
        exact = [hop for hop in span if Framing(n_fft, hop, padding).count(length) == self.frames]
        return [*exact[:24], *(hop for hop in HOPS if hop in span and hop not in exact)]

    def descend(self, start: Reading) -> Fit:
        """From start, one field after the other, as long as the fit gets better."""
        best = self.fit(start)
        for moves in (self._exactly, self._in_filters, self._in_whole):
            best = self._better(best, moves)
        while best.misfit > EXACT:
            before = best.misfit
            for moves in (self._in_range, self._in_filters, self._in_time, self._finely, self._in_whole):
                best = self._better(best, moves)
            if best.misfit > 0.9 * before:
                break
        return best

    def _better(self, best: Fit, moves: Callable[[Reading], Iterable[Reading]]) -> Fit:
        if best.misfit < EXACT:
            return best
        found = min((self.fit(each) for each in moves(best.reading)), key=lambda fit: fit.misfit)
        return found if found.misfit < BETTER * best.misfit else best

    def _in_range(self, at: Reading) -> Iterable[Reading]:
        grid = at.grid
        for fmax in (*FMAXES, grid.rate / 2):
            if 0.8 * grid.fmax < fmax < 1.25 * grid.fmax and fmax <= grid.rate / 2:
                yield changed(at, fmax=fmax)
        for fmin in FMINS:
            yield changed(at, fmin=fmin)
        for factor in (0.9, 0.95, 0.98, 1.02, 1.05, 1.1):
            if factor * grid.fmax <= grid.rate / 2:
                yield changed(at, fmax=factor * grid.fmax)

    def _in_filters(self, at: Reading) -> Iterable[Reading]:
        for formula in ("slaney", "htk"):
            for norm in ("slaney", "none"):
                for pooled in ("magnitude", "power"):
                    grid = msgspec.structs.replace(at.grid, formula=cast(Any, formula), norm=cast(Any, norm))
                    yield Reading(grid, cast(Pooled, pooled))

    def _in_time(self, at: Reading) -> Iterable[Reading]:
        grid = at.grid
        for padding in PADDINGS:
            for hop in self.hops(grid.rate, grid.n_fft, padding, grid.hop / grid.rate):
                yield changed(at, padding=padding, hop=hop)

    def _anywhere(self, at: Reading) -> Iterable[Reading]:
        """Other rates, frame lengths, hops and first frames."""
        for padding in PADDINGS[1:]:
            yield from self._in_whole(changed(at, padding=padding))

    def _in_whole(self, at: Reading) -> Iterable[Reading]:
        """Other rates, frame lengths and hops that are nearly the same in seconds."""
        grid = at.grid
        hop = grid.hop / grid.rate
        yield at
        for rate in dict.fromkeys((grid.rate, self.sound.rate, *RATES)):
            if grid.fmax > 1.01 * rate / 2:
                continue
            for n_fft in N_FFTS:
                if 0.7 < n_fft / rate / (grid.n_fft / grid.rate) < 1.45:
                    hops = self.hops(rate, n_fft, grid.padding, hop)
                    nearest = min(hops, key=lambda each: abs(each / rate - hop), default=0)
                    for each in {nearest, *(each for each in hops if each in HOPS)} - {0}:
                        yield changed(at, rate=rate, n_fft=n_fft, hop=each, fmax=min(grid.fmax, rate / 2))

    def _exactly(self, at: Reading) -> Iterable[Reading]:
        """Any number for fmin and fmax, under each formula and each kind of sum."""
        for formula in ("slaney", "htk"):
            for pooled in ("magnitude", "power"):
                grid = msgspec.structs.replace(at.grid, formula=cast(Any, formula))
                yield self._stepped(Reading(grid, cast(Pooled, pooled)), 4)

    def _finely(self, at: Reading) -> Iterable[Reading]:
        """Any number for fmin and fmax, more exactly."""
        yield self._stepped(at, 7)

    def _stepped(self, at: Reading, steps: int) -> Reading:
        """fmin and fmax by ever smaller steps."""
        best = self.fit(at)
        step_hz, factor = 16.0, 0.03
        for _ in range(steps):
            fmin, fmax = best.reading.grid.fmin, best.reading.grid.fmax
            tries = [
                changed(best.reading, fmin=max(0.0, fmin - step_hz)),
                changed(best.reading, fmin=fmin + step_hz),
                changed(best.reading, fmax=fmax * (1 - factor)),
                changed(best.reading, fmax=min(fmax * (1 + factor), best.reading.grid.rate / 2)),
            ]
            found = min((self.fit(each) for each in tries), key=lambda fit: fit.misfit)
            if found.misfit < best.misfit:
                best = found
            else:
                step_hz, factor = step_hz / 3, factor / 3
        return best.reading

    def run(self, known: Sequence[Reading] = ()) -> list[Fit]:
        """The best fits, the best first."""
        candidates = [reading for _, time, span in self.coarse() for reading in self.starts(time, span)]
        candidates += known
        fits = sorted((self.fit(each) for each in candidates), key=lambda fit: fit.misfit)
        for fit in _distinct(fits)[:STARTS]:
            if self.descend(fit.reading).misfit < GOOD:
                break
        if self.best.misfit > GOOD:  # rate, window, hop and first frame may be wrong together, each fitting the others
            self.descend(self._better(self.best, self._anywhere).reading)
        for each in self._equals(self.best.reading):
            self.fit(each)
        return sorted(self._fits.values(), key=lambda fit: fit.misfit)

    def _equals(self, at: Reading) -> Iterator[Reading]:
        """What may give the very same array: the same in seconds at other rates, other edges, numbers in use."""
        grid = at.grid
        fmin = min(FMINS, key=lambda each: abs(each - grid.fmin))
        for rate in dict.fromkeys((grid.rate, self.sound.rate, *RATES)):
            n_fft, hop = grid.n_fft * rate / grid.rate, grid.hop * rate / grid.rate
            if n_fft % 2 or hop % 1 or grid.fmax > 1.01 * rate / 2:
                continue
            fmax = min((*FMAXES, rate / 2), key=lambda each: abs(each - grid.fmax))
            for span in {(grid.fmin, min(grid.fmax, rate / 2)), (fmin, min(fmax, rate / 2))}:
                same = changed(at, rate=rate, n_fft=int(n_fft), hop=int(hop), fmin=span[0], fmax=span[1])
                yield same
                yield from (changed(same, padding=padding) for padding in PADDINGS[:2] if same.grid.padding in PADDINGS[:2])


def _padding(time: Time) -> Padding:
    """How frames are laid whose first one is centred there."""
    window, first, _ = time
    return "centre" if first == 0 else "none" if first == window / 2 else "same-reflect"


def _distinct(fits: Sequence[Fit]) -> list[Fit]:
    """The best of each window and range."""
    best: dict[tuple[int, str, float, str, str], Fit] = {}
    for fit in fits:
        grid = fit.reading.grid
        best.setdefault((round(4 * np.log2(grid.n_fft / grid.rate)), grid.padding, grid.fmax, grid.formula, grid.norm), fit)
    return list(best.values())


def _logarithm(sums: Floats, lowest_nats: float) -> Floats:
    return np.log(np.maximum(sums, sums.max() * np.exp(-lowest_nats) + 1e-30))


def _line(x: Floats, y: Floats) -> tuple[float, float, float, float]:
    """(slope, offset, 1 - r**2, root mean square of the rest) of y over x; a misfit of 1 where it does not rise."""
    x_mean, y_mean = float(x.mean()), float(y.mean())
    x, y = x - x_mean, y - y_mean
    xx, xy, yy = float(x @ x), float(x @ y), float(y @ y)
    if xy <= 0 or xx <= 0 or yy <= 0:
        return 0.0, y_mean, 1.0, float("inf")
    slope = xy / xx
    rest = y - slope * x
    left = float(rest @ rest)
    return slope, y_mean - slope * x_mean, left / yy, float(np.sqrt(left / y.size))


def changed(at: Reading, **fields: Any) -> Reading:
    grid = {name: getattr(at.grid, name) for name in at.grid.__struct_fields__} | fields
    return Reading(MelGrid(grid["rate"], grid["n_fft"], grid["hop"], grid["bands"], grid["fmin"], grid["fmax"], grid["formula"], grid["norm"], grid["padding"]), at.pooled)


def _filters(grid: MelGrid) -> Floats:
    """The filterbank; hop and padding are no part of it."""
    return mel_filterbank(msgspec.structs.replace(grid, hop=grid.n_fft, padding="none"))
