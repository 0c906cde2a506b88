"""Operations that add something: noise, by its level alone, and steady lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.explain.operation import Fitted
from diagnose.explain.scene import spectra
from diagnose.explain.spectrum import sixth_octaves

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.explain.scene import Scene

MAINS_HZ = (50.0, 60.0)
ON_MAINS = 0.7  # Hz from a multiple, 0.1 s and more of which a window of 1.4 s can tell
MOST_LINES = 32
AROUND_HZ = 30.0
LINE = 100.0  # power of a line over the upper quartile around it
LEAST_LINE = 1e-5  # of the power of all that is left over


def noise(scene: Scene, before: Floats, variance: Floats | None) -> Fitted | None:
    """b = a + noise that is steady, of a power in each sixth octave: the median over frames, over ln 2."""
    if variance is not None:
        return None
    error = np.square(np.abs(scene.spectra - spectra(before)))
    edges = sixth_octaves()
    power = np.add.reduceat(np.median(error, axis=0) / np.log(2), edges[:-1]) / np.diff(edges)
    spread = np.repeat(power, np.diff(edges))[None]
    under = 10 * float(np.log10(max(float(spread.mean()), 1e-30) / float(scene.power.mean())))
    return Fitted("noise", np.copy, power.size, {"level": (under, "dB")}, spread)


def lines(scene: Scene, before: Floats, _variance: Floats | None) -> Fitted | None:
    """b = a + up to 32 sines that stand still: peaks of the spectrum of what is left over, fitted together."""
    error = scene.generated - before
    power = np.square(np.abs(np.fft.rfft(error * np.hanning(error.size))))
    found = _peaks(power, round(AROUND_HZ * error.size / scene.rate))
    if not found:
        return None
    hz = np.array([(at + _between(power, at)) * scene.rate / error.size for at in found])
    phase = 2j * np.pi * np.outer(hz, np.arange(error.size) / scene.rate)
    waves = np.exp(phase)
    basis = np.concatenate((waves.real, waves.imag))
    normal = basis @ basis.T
    weights = np.linalg.solve(normal + 1e-9 * np.trace(normal) / len(normal) * np.eye(len(normal)), basis @ error)
    hum = weights @ basis
    strongest = float(hz[int(np.argmax(np.hypot(weights[: hz.size], weights[hz.size :])))])
    parameters = {"lines": (float(hz.size), "count"), "strongest": (strongest, "Hz")}
    return Fitted(_of_mains(hz), lambda x: x + hum, 3 * hz.size, parameters)


def _of_mains(hz: Floats) -> str:
    off = min(float(np.abs(hz - mains * np.maximum(np.round(hz / mains), 1)).max()) for mains in MAINS_HZ)
    return "hum" if off < ON_MAINS else "tonal"


def _peaks(power: Floats, reach: int) -> list[int]:
    reach = max(reach, 20)
    tops = np.flatnonzero((power[1:-1] > power[:-2]) & (power[1:-1] >= power[2:])) + 1
    tops = tops[power[tops] > LEAST_LINE * power.sum()]
    found = []
    for at in tops[np.argsort(-power[tops])][: 2 * MOST_LINES].tolist():
        beside = np.concatenate((power[max(at - reach, 0) : max(at - 4, 0)], power[at + 5 : at + reach + 1]))
        if beside.size and power[at] > LINE * np.quantile(beside, 0.75):
            found.append(at)
    return found[:MOST_LINES]


def _between(power: Floats, at: int) -> float:
    """Bins from the peak to the top of the parabola through it and its neighbours, in logarithms."""
    before, here, after = np.log(power[at - 1 : at + 2] + 1e-300)
    bend = before - 2 * here + after
    return float((before - after) / (2 * bend)) if bend else 0.0
