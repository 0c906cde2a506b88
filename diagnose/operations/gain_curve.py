"""Operations of a gain that changes with time: one that repeats itself frame by frame, and one that is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.arrays import fast_size, median, quantile
from diagnose.operations.operation import Fitted, price_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.operations.operation import Predicted
    from diagnose.operations.scene import Scene

AROUND_S = 0.05  # over which the level of the sound is smoothed
QUIET = 1e-5  # of the mean power, below which no gain is read off
FASTEST = 24  # samples of a period
FEWEST_PERIODS = 4
STANDS = 60.0  # power of a line of the gain over the median around it
ALIKE = 0.2  # autocorrelation of the gain, from which a lag is a period
REACH, FINER = 0.004, 65  # about that lag, of it, and how many periods are tried there
DIVIDED = (1, 2, 3, 4)  # harmonics of the period, one of which the highest line is
PHASES = (48, 192)  # parts of a period, each with its own gain
MOST_PARTS = 2048  # of a period of whole samples, each of which then has a gain of its own: for edges
FRAME_S = 0.1  # the longest period that is a frame's; a longer one is a chunk's
FULL, MOSTLY_FULL = (
    0.9,
    0.6,
)  # of the way from the least gain to the most, for so much of the period: seams, between which all is as it was
DEPTH_DB = 0.5  # of the gain, from its least to its most
STEPS_S = (0.02, 0.1)  # between the knots of a slow gain
SHORTEST_KNOTS = 4
LEAST_UNDONE = 0.1  # of the largest gain: what is softer is not made louder than so
CLOSED = 0.3  # of the largest gain: a gate that is shut
SOFT = 0.95  # share of the parts that a gate shuts, that are softer than its border
MOSTLY_SHUT = 0.6  # share of the parts under the border that are shut: a gate that holds on leaves some open
SHUT = (0.03, 0.9)  # share of the parts that a gate shuts
LOUDER = 0.25  # share of the parts, at least, over the border


def periodic_gain(scene: Scene, before: Predicted) -> Fitted | None:
    """b(n) = g(n mod P) a(n), P from the line of b a / a**2 over time that stands out the most."""
    best, least = None, scene.judge(before.error, before.variance).cost
    for period in _periods(scene, before):
        whole = int(period) if period == int(period) <= MOST_PARTS else PHASES[0]
        for parts in sorted({*PHASES, whole}):
            if parts > period:
                continue
            gains = _by_phase(scene, before.samples, period, parts)
            curve = _periodic(before.samples.size, period, gains)
            price = price_of(scene, before, before.samples * curve, parts)
            if price < least:
                best, least = (period, gains), price
    if best is None:
        return None
    period, gains = best
    depth = 20 * float(np.log10(max(gains.max(), 1e-6) / max(gains.min(), 1e-6)))
    full = float((gains - gains.min() > FULL * (gains.max() - gains.min())).mean())
    if depth < DEPTH_DB:
        return None
    frame = period < FRAME_S * scene.rate
    name = "chunk-seams" if full > MOSTLY_FULL else "frame-rate-tremolo" if frame else "modulation"
    return _fitted(
        name,
        lambda x: _periodic(x.size, period, gains),
        gains.size,
        {"period": (period / scene.rate, "s"), "depth": (min(depth, 60.0), "dB")},
    )


def _fitted(
    name: str, curve: Callable[[Floats], Floats], charged: int, parameters: dict[str, tuple[float, str]]
) -> Fitted:
    def undo(y: Floats) -> Floats:
        gain = curve(y)
        return y / np.maximum(gain, LEAST_UNDONE * gain.max())

    return Fitted(name, lambda x: curve(x) * x, charged, parameters, undo=undo)


def _periods(scene: Scene, before: Predicted) -> Iterator[float]:
    """Periods, in samples, whose harmonic the highest line of the gain over time may be."""
    sound = before.samples
    power = np.square(sound)
    level = _smoothed(power, round(AROUND_S * scene.rate)) + QUIET * float(power.mean()) + 1e-30
    error = scene.generated * sound - power * (float(np.dot(scene.generated, sound)) / max(float(power.sum()), 1e-30))
    size = fast_size(sound.size)
    gain = error / level
    spectrum = np.square(np.abs(np.fft.rfft(gain * np.hanning(sound.size), size)))
    spectrum[: 2 * FEWEST_PERIODS] = 0.0
    spectrum[size // FASTEST :] = 0.0
    top = int(np.argmax(spectrum))
    about = spectrum[max(top // 2, 1) : 2 * top + 16]
    if spectrum[top] > STANDS * median(about) and spectrum[top - 1] > 0.0:
        yield from _of_line(spectrum, top, size, sound.size)
    if spectrum[top] <= STANDS * float(about.mean()) or spectrum[top - 1] == 0.0:
        yield from _of_echo(gain, spectrum, round(FRAME_S * scene.rate))


def _of_line(spectrum: Floats, top: int, size: int, count: int) -> Iterator[float]:
    """The periods whose first harmonics the line is; and the whole number of samples, where one is as near."""
    below, above = spectrum[top - 1], spectrum[top + 1]
    off = 0.5 * (below - above) / min(below - 2 * spectrum[top] + above, -1e-30)
    for harmonic in DIVIDED:
        period = float(size * harmonic / (top + off))
        if period * FEWEST_PERIODS > count:
            return
        yield period
        if abs(period - round(period)) < max(period**2 / size, 0.01) and period != round(period):
            yield float(round(period))


def _of_echo(gain: Floats, spectrum: Floats, shortest: int) -> Iterator[float]:
    """The lag at which the gain is most like itself: of seams, whose power lies in no single line."""
    alike = np.fft.irfft(spectrum)
    longest = gain.size // FEWEST_PERIODS
    if longest <= shortest:
        return
    lag = shortest + int(np.argmax(alike[shortest:longest]))
    if alike[lag] > ALIKE * alike[0]:
        finer = lag * (1 + np.linspace(-REACH, REACH, FINER))
        yield max((float(round(each)) for each in finer), key=lambda each: _folded(gain, each))


def _folded(gain: Floats, period: float) -> float:
    """Power of the gain's mean over all periods."""
    at = _phase(gain.size, period, PHASES[-1]).astype(np.intp) % PHASES[-1]
    return float(np.square(np.bincount(at, gain, PHASES[-1])).sum())


def _smoothed(power: Floats, width: int) -> Floats:
    """Means over so many samples."""
    summed = np.concatenate(([0.0], np.cumsum(np.pad(power, (width // 2, width - width // 2), mode="edge"))))
    return (summed[width : width + power.size] - summed[: power.size]) / width


def _by_phase(scene: Scene, sound: Floats, period: float, parts: int) -> Floats:
    """The gain of each part of the period by least squares [shape=(parts,)]."""
    at = _phase(sound.size, period, parts).astype(np.intp) % parts
    product = np.bincount(at, sound * scene.generated, parts)
    power = np.bincount(at, np.square(sound), parts)
    return np.maximum(product / np.maximum(power, 1e-30), 0.0)


def _phase(count: int, period: float, parts: int) -> Floats:
    # The small part keeps a whole number of samples, divided and multiplied again, from falling under itself.
    return np.mod(np.arange(count) + 1e-9 * period, period) / period * parts


def _periodic(count: int, period: float, gains: Floats) -> Floats:
    """The gain of each sample: straight lines between the middles of the parts."""
    if gains.size == period:
        return np.asarray(np.resize(gains, count))
    ends = np.concatenate((gains[-1:], gains, gains[:1]))
    return np.asarray(np.interp(_phase(count, period, gains.size), np.arange(-0.5, gains.size + 1), ends))


def slow_gain(scene: Scene, before: Predicted) -> Fitted | None:
    """b(t) = g(t) a(t), g straight between knots of 20 or 100 ms."""
    best, least = None, scene.judge(before.error, before.variance).cost
    for step_s in STEPS_S:
        step = round(step_s * scene.rate)
        knots = _knots(scene, before.samples, step)
        if knots is None:
            continue
        curve = _between(before.samples.size, knots, step)
        price = price_of(scene, before, before.samples * curve, knots.size)
        if price < least:
            best, least = (knots, step), price
    if best is None:
        return None
    knots, step = best
    range_db = 20 * float(np.log10(max(quantile(knots, 0.95), 1e-6) / max(quantile(knots, 0.05), 1e-6)))
    if range_db < DEPTH_DB:
        return None
    level = np.sqrt(np.add.reduceat(np.square(before.samples), np.arange(0, before.samples.size, step)))
    name = "gated" if swallows_quiet(level, knots[: level.size] < CLOSED * knots.max()) else "modulation"
    return _fitted(name, lambda x: _between(x.size, knots, step), knots.size, {"range": (min(range_db, 60.0), "dB")})


def _knots(scene: Scene, sound: Floats, step: int) -> Floats | None:
    """The gain at each knot, by least squares over a window from the one before to the one after."""
    count = -(-sound.size // step) + 1
    if count < SHORTEST_KNOTS:
        return None
    product, power = (_at_knots(each, step, count) for each in (sound * scene.generated, np.square(sound)))
    told = power > QUIET * float(power.mean()) + 1e-30
    if told.sum() < SHORTEST_KNOTS:
        return None
    gains = np.maximum(product[told] / power[told], 0.0)
    return np.asarray(np.interp(np.arange(count), np.flatnonzero(told), gains))


def _at_knots(values: Floats, step: int, count: int) -> Floats:
    """Sums under a triangle from the knot before to the knot after [shape=(count,)]."""
    padded = np.pad(values, (step, count * step - values.size)).reshape(-1, step)
    rising = np.arange(step) / step
    up, down = padded @ rising, padded @ (1 - rising)
    return np.asarray(up[:count] + down[1 : count + 1])


def _between(count: int, knots: Floats, step: int) -> Floats:
    return np.asarray(np.interp(np.arange(count) / step, np.arange(knots.size), knots))


def swallows_quiet(level: Floats, shut: NDArray[np.bool_]) -> bool:
    """Whether the parts that are shut are the soft ones: most of those that are no louder than they are, are shut.

    level, shut [shape=(n,)]: of each part of the sound; parts in which nothing sounds say nothing.
    """
    sounds = level > np.sqrt(QUIET) * float(level.max())
    level, shut = level[sounds], shut[sounds]
    if not SHUT[0] < float(shut.mean() if shut.size else 0.0) < SHUT[1]:
        return False
    under = level <= quantile(level[shut], SOFT)
    return bool(shut[under].mean() > MOSTLY_SHUT and 1 - under.mean() > LOUDER)
