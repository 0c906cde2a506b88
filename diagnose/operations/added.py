"""Operations that add something: noise, by its level alone, and steady lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.arrays import fast_size, quantile
from diagnose.operations.operation import Fitted
from diagnose.operations.scene import power_of, sixth_octaves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.operations.operation import Predicted
    from diagnose.operations.scene import Scene

    Spectrum = NDArray[np.complex128]

MAINS_HZ = (50.0, 60.0)
ON_MAINS = 0.7  # Hz from a multiple, 0.1 s and more of which a window of 1.4 s can tell
MOST_COHERENT, MOST_ECHOED = 0.1, 0.2  # of what is noise
OF_MAINS = 0.9  # of the power of the lines
MOST_LINES = 32
AROUND_HZ = 30.0
LINE = 100.0  # power of a line over the upper quartile around it
LEAST_LINE = 1e-4  # of the power of all that is left over, and
LEAST_OF_ALL = 0.01  # all peaks together


def noise(scene: Scene, before: Predicted) -> Fitted | None:
    """b = a + noise that is steady, of a power in each sixth octave: the median over frames, over ln 2."""
    if before.variance is not None or coherence(scene, before) > MOST_COHERENT or echo(scene, before) > MOST_ECHOED:
        return None
    spread = steady_power(scene, before)
    under = 10 * float(np.log10(max(float(spread.mean()), 1e-30) / max(float(scene.power.mean()), 1e-30)))
    return Fitted("noise", np.copy, sixth_octaves().size - 1, {"level": (under, "dB")}, variance=spread)


def steady_power(scene: Scene, before: Predicted) -> Floats:
    """Power by bin [shape=(1, bins)] of the steady noise that what is left over would be: one for each sixth octave."""
    usual = before.error[scene.stands_for[:, 0] >= scene.stands_for.max()]
    edges = sixth_octaves()
    middle = np.partition(usual, len(usual) // 2, axis=0)[len(usual) // 2]
    power = np.add.reduceat(middle / np.float32(np.log(2)), edges[:-1]) / np.diff(edges)
    return np.repeat(power, np.diff(edges))[None].astype(np.float32)


def coherence(scene: Scene, before: Predicted) -> float:
    """Coherence of what is left over with the prediction, 0 to 1: |sum E conj(P)|**2 / (sum |E|**2 sum |P|**2) by sixth
    octaves, averaged by |E|**2.  Noise has none; what a filter or a curve leaves has much.
    """
    edges = sixth_octaves()[:-1]
    both = np.add.reduceat(((scene.spectra - before.spectra) * before.spectra.conj()).sum(axis=0), edges)
    error = np.add.reduceat(before.error.sum(axis=0, dtype=np.float64), edges)
    power = np.add.reduceat(power_of(before.spectra).sum(axis=0, dtype=np.float64), edges)
    coherence = np.square(np.abs(both)) / np.maximum(error * power, 1e-30)
    return float((coherence * error).sum() / max(float(error.sum()), 1e-30))


def echo(scene: Scene, before: Predicted) -> float:
    """The largest |r| of what is left over with the prediction at any delay, 0 to 1."""
    error = scene.generated - before.samples
    size = fast_size(2 * error.size)
    cross = np.fft.irfft(np.fft.rfft(error, size) * np.fft.rfft(before.samples, size).conj(), size)
    power = float(np.dot(error, error)) * float(np.dot(before.samples, before.samples))
    return float(np.abs(cross).max()) / max(power**0.5, 1e-30)


def lines(scene: Scene, before: Predicted) -> Fitted | None:
    """b = a + up to 32 sines that stand still: peaks of the spectrum of what is left over.

    The frequency, height and phase of each are those that the bins of a Hann window beside the peak have of a single
    line: it is d = (2 r - 1) / (r + 1) bins from the higher of two with the quotient r.
    """
    error = scene.generated - before.samples
    size = error.size
    spectrum = np.fft.rfft(error * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)))
    power = np.square(np.abs(spectrum))
    found = _peaks(power, round(AROUND_HZ * size / scene.rate))
    if not found.size or power[found].sum() < LEAST_OF_ALL * power.sum():
        return None
    off, heights, phases = _between(spectrum, found, size)
    hz = (found + off) * scene.rate / size
    hum = np.zeros(size)
    time = np.arange(size) / scene.rate
    for each, height, phase in zip(hz, heights, phases, strict=True):
        hum += height * np.cos(2 * np.pi * each * time + phase)
    parameters = {"lines": (float(hz.size), "count"), "strongest": (float(hz[int(np.argmax(heights))]), "Hz")}
    return Fitted(_of_mains(hz, heights), lambda x: x + hum, 3 * hz.size, parameters, undo=lambda x: x - hum)


def _of_mains(hz: Floats, heights: Floats) -> str:
    """hum where nearly all of their power lies on multiples of the mains' frequency."""
    power = np.square(heights) / max(float(np.square(heights).sum()), 1e-30)
    off = [np.abs(hz - mains * np.maximum(np.round(hz / mains), 1)) for mains in MAINS_HZ]
    return "hum" if max(float(power[each < ON_MAINS].sum()) for each in off) > OF_MAINS else "tonal"


def _peaks(power: Floats, reach: int) -> NDArray[np.intp]:
    """Bins of the peaks that stand out of what is around them, the highest first, at most 32."""
    reach = max(reach, 20)
    tops = np.flatnonzero((power[1:-1] > power[:-2]) & (power[1:-1] >= power[2:])) + 1
    tops = tops[power[tops] > LEAST_LINE * power.sum()]
    found = []
    for at in tops[np.argsort(-power[tops])][: 2 * MOST_LINES].tolist():
        beside = np.concatenate((power[max(at - reach, 0) : max(at - 4, 0)], power[at + 5 : at + reach + 1]))
        if beside.size and power[at] > LINE * quantile(beside, 0.75):
            found.append(at)
    return np.array(found[:MOST_LINES], np.intp)


def _between(spectrum: Spectrum, peaks: NDArray[np.intp], size: int) -> tuple[Floats, Floats, Floats]:
    """(bins from the peak, height, phase at the first sample) of the line at each peak."""
    here, before, after = (np.abs(spectrum[peaks + step]) for step in (0, -1, 1))
    higher = np.where(after >= before, 1, -1)
    ratio = np.maximum(before, after) / np.maximum(here, 1e-30)
    off = np.clip((2 * ratio - 1) / (ratio + 1), 0.0, 0.5)
    # The transform of a periodic Hann window, off bins from its middle: sinc(d) / (1 - d**2) / 2, turned by pi d.
    window = np.sinc(off) / (1 - off**2) / 2
    moved = off * higher
    turned = np.angle(spectrum[peaks]) - np.pi * moved
    return moved, 2 * here / (size * window), turned
