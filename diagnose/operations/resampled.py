"""One operation: a sound that went through a lower rate, and down to it or up from it without a filter."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.arrays import fast_size
from diagnose.operations.operation import Fitted, left_and_gain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.operations.operation import Predicted
    from diagnose.operations.scene import Scene

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100)
WHOLE = range(2, 17)  # factors
MOST_TERMS = 512  # numerator of a factor: 441 / 160 is that of 16 kHz in 44.1 kHz
ROUNDING = 1.6 / 32768  # of 16 bits, of a difference that would be 0
ACTIVE = 60.0  # times rounding, that the sound about a sample has to have for it to say anything
REACH = 64  # samples about it
FEWEST = 256  # samples that say something
AGREE = 0.97  # share of the samples where what was held, or put between, follows the lattice
SHIFTS = 16  # places of a lattice, within one of its steps, that are tried
BEYOND = 1e-5  # of the power above the lower rate's half, that what came from there may have
FOLDED = 1e-4  # of the power, that the reference has to have there for anything to be folded
LEAVES = 0.5  # of what a filter would leave, at most, by what was folded
MOST_LEFT = 0.1  # of the power


class Lattice(msgspec.Struct, frozen=True):
    """Old sample m stands at the first sample n with n >= (m - shift) factor."""

    factor: Fraction
    shift: float

    def owners(self, count: int) -> NDArray[np.intp]:
        """The old sample that holds at each of so many samples [shape=(count,)], the first 0 or 1."""
        return np.floor(np.arange(count) / float(self.factor) + self.shift + 1e-9).astype(np.intp)

    def knots(self, count: int) -> NDArray[np.intp]:
        """The first of the samples that each old sample holds."""
        return np.flatnonzero(np.diff(self.owners(count), prepend=-1))

    def times(self, count: int) -> Floats:
        """Where each old sample stands, in new samples."""
        owners = self.owners(count)
        return (np.arange(owners[0], owners[-1] + 1) - self.shift) * float(self.factor)


def aliased(scene: Scene, before: Predicted) -> Fitted | None:
    """b is a, read off at a lower rate (with a filter, or without) and raised again: by zeros between the samples, by
    holding them, by straight lines, or by an ideal filter where what lay above was folded.
    """
    for raising in ("stuffed", "held", "lined"):
        lattice = _lattice(scene, raising)
        if lattice is not None:
            return _raised(scene, before, raising, lattice)
    return _folded(scene, before)


def _lattice(scene: Scene, raising: str) -> Lattice | None:
    """The lattice that the generated samples show by what is 0 between: samples, or differences of them."""
    sound = scene.generated
    order = ("stuffed", "held", "lined").index(raising)
    bend = np.abs(np.diff(sound, order, prepend=sound[:1].repeat(order)) if order else sound)
    if order == 2:
        bend = np.append(bend[1:], 0.0)  # the bend at n is between n - 1 and n + 1
    most = np.maximum.reduceat(bend, np.arange(0, bend.size, REACH))
    active = np.repeat(most, REACH)[: bend.size] > ACTIVE * ROUNDING
    if active.sum() < FEWEST:
        return None
    changes = bend > ROUNDING * 2**order
    share = float(changes[active].mean())
    if share > 0.6:
        return None
    for factor in _factors(scene.rate):
        if not 0.8 < share * float(factor) < 1.05:
            continue
        count = factor.numerator if factor.denominator == 1 else SHIFTS
        for at in range(count):
            found = Lattice(factor, at / count)
            if _agrees(found, changes, active):
                return found
    return None


def _agrees(lattice: Lattice, changes: NDArray[np.bool_], active: NDArray[np.bool_]) -> bool:
    begins = np.zeros(changes.size, bool)
    begins[lattice.knots(changes.size)] = True
    return bool((~changes | begins)[active].mean() > AGREE and changes[active & begins].mean() > 1 - 5 * (1 - AGREE))


def _factors(rate: int) -> Iterator[Fraction]:
    """What is between two old samples, in new ones."""
    yield from (Fraction(each) for each in WHOLE)
    for old in RATES:
        factor = Fraction(rate, old)
        if factor > 1 and factor.denominator > 1 and factor.numerator <= MOST_TERMS:
            yield factor


def _raised(scene: Scene, before: Predicted, raising: str, lattice: Lattice) -> Fitted | None:
    """The best of what was read off: as it was or through a filter, at each place near that of the lattice."""
    sound = before.samples
    sources = {False: sound, True: _below(sound, lattice.factor)}
    tried = [
        (*left_and_gain(_up(sources[filtered], raising, lattice, moved), scene.generated), filtered, moved)
        for filtered in sources
        for moved in _moves(lattice.factor)
    ]
    left, slope, filtered, moved = min(tried)
    if left > MOST_LEFT or slope <= 0:
        return None

    def apply(x: Floats) -> Floats:
        return slope * _up(_below(x, lattice.factor) if filtered else x, raising, lattice, moved)

    return Fitted(
        "aliasing",
        apply,
        4,
        {raising: (float(lattice.factor), "times"), "rate": (scene.rate / float(lattice.factor), "Hz")},
        undo=(lambda y: _lowered(y, lattice, moved, slope)) if lattice.factor.denominator == 1 else None,
    )


def _moves(factor: Fraction) -> list[float]:
    """By how many samples after its place an old one may have been read off: the nearest there, or the one before."""
    if factor.denominator == 1:
        return [float(each) for each in range(-int(factor), int(factor) + 1)]
    eighths = np.arange(-8, 9) / 8 * float(factor)
    return [*eighths.tolist(), *(eighths - 0.5).tolist()]


def _up(source: Floats, raising: str, lattice: Lattice, moved: float) -> Floats:
    """Read off at the sample nearest to each of the lattice, so many samples later, and raised again."""
    knots = lattice.knots(source.size)
    places = np.floor(lattice.times(source.size) + moved + 0.5).astype(np.intp)
    values = source[np.clip(places, 0, source.size - 1)]
    if raising == "held":
        owners = lattice.owners(source.size)
        return np.asarray(values[owners - owners[0]])
    if raising == "lined":
        return np.asarray(np.interp(np.arange(source.size), knots, values))
    raised = np.zeros(source.size)
    raised[knots] = values
    return raised


def _lowered(raised: Floats, lattice: Lattice, moved: float, slope: float) -> Floats:
    """What was raised by a whole factor, raised by an ideal filter instead."""
    knots = lattice.knots(raised.size)
    stuffed = np.zeros(raised.size)
    places = knots + int(moved)
    inside = (places >= 0) & (places < raised.size)
    stuffed[places[inside]] = raised[knots[inside]] / slope
    return _below(stuffed, lattice.factor) * float(lattice.factor)


def _below(samples: Floats, factor: Fraction) -> Floats:
    """What lies below half the lower rate."""
    size = fast_size(samples.size + 4096)
    spectrum = np.fft.rfft(samples, size)
    spectrum[int(spectrum.size / float(factor)) :] = 0.0
    return np.fft.irfft(spectrum, size)[: samples.size]


def _folded(scene: Scene, before: Predicted) -> Fitted | None:
    """Every so many samples of the prediction, without a filter, and raised by an ideal one."""
    for factor in _factors(scene.rate):
        if not _may_be_folded(scene, before, factor):
            continue
        filtered, _ = left_and_gain(_below(before.samples, factor), scene.generated)
        shifts = range(factor.numerator) if factor.denominator == 1 else (0,)
        tried = [(*left_and_gain(_fold(before.samples, factor, at), scene.generated), at) for at in shifts]
        left, slope, at = min(tried)
        if left < LEAVES * filtered and left < MOST_LEFT:
            return _fitted_fold(scene, factor, at, slope)
    return None


def _fitted_fold(scene: Scene, factor: Fraction, first: int, slope: float) -> Fitted:
    parameters = {"folded": (float(factor), "times"), "rate": (scene.rate / float(factor), "Hz")}
    return Fitted("aliasing", lambda x: slope * _fold(x, factor, first), 3, parameters)


def _may_be_folded(scene: Scene, before: Predicted, factor: Fraction) -> bool:
    """Whether the generated sound ends at half the lower rate, and the prediction does not."""
    edge = int(np.ceil(scene.spectra.shape[1] / float(factor) * 1.05)) + 2
    ours, theirs = (np.square(np.abs(each)).sum(axis=0, dtype=np.float64) for each in (before.spectra, scene.spectra))
    if edge >= ours.size:
        return False
    ends_there = theirs[edge:].sum() < BEYOND * theirs.sum() < theirs[edge * 2 // 3 : edge].sum()
    return bool(ends_there and ours[edge:].sum() > FOLDED * ours.sum())


def _fold(samples: Floats, factor: Fraction, first: int) -> Floats:
    """The samples at first + m factor, by straight lines where that is between two, raised by an ideal filter."""
    if factor.denominator == 1:
        stuffed = np.zeros(samples.size)
        stuffed[first :: int(factor)] = samples[first :: int(factor)]
        return _below(stuffed, factor) * float(factor)
    whole = -(-samples.size // factor.numerator) * factor.numerator
    padded = np.append(samples, np.zeros(whole - samples.size))
    old = np.interp(np.arange(int(whole / factor)) * float(factor), np.arange(whole), padded)
    spectrum = np.zeros(whole // 2 + 1, complex)
    lower = np.fft.rfft(old)
    spectrum[: lower.size] = lower[: spectrum.size]
    return np.fft.irfft(spectrum, whole)[: samples.size] * float(factor)
