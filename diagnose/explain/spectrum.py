"""One zero-phase filter, fitted in bands, and named by its shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.explain.operation import Fitted
from diagnose.explain.scene import N_FFT, spectra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.explain.scene import Scene

PER_OCTAVE = 6
ROUNDS = 4  # of reweighting
LARGEST = 30.0  # gain of a band
LEAST_GAIN_DB = 1.0  # of the passband, that is a gain beside the filter
HEARD = 1e-7  # of the strongest band's energy: below it nothing tells the gain
LOWEST_HZ = 40.0
LEAST_DB = -80.0
GAP_DB, GAP_FILLED, GAP_WIDEST = 8.0, 0.7, 0.6  # a gap lies so far down, for so much of it, in at most so many bands
LINE_LEAVES = 0.15  # share of the variance over the bands that a straight line leaves of a tilt
STEP_DB = 8.0


def filtered(scene: Scene, before: Floats, variance: Floats | None) -> Fitted | None:
    """B(f) = h(f) A(f), h real and >= 0, linear between the middles of sixth octaves; least squares, reweighted."""
    predicted, edges = spectra(before), sixth_octaves()
    product = np.real(np.conj(predicted) * scene.spectra)
    power = np.square(np.abs(predicted))
    weights = scene.weights(predicted, variance)
    gains = np.ones(edges.size - 1)
    for _ in range(ROUNDS):
        fitted, possible = (np.add.reduceat((weights * each).sum(axis=0), edges[:-1]) for each in (product, power))
        gains = np.where(possible > 0, fitted / np.maximum(possible, 1e-30), 1.0)
        weights = scene.weights(predicted * np.repeat(gains, np.diff(edges)).astype(np.float32), variance)
    energy = np.add.reduceat(power.sum(axis=0), edges[:-1])
    heard = energy > HEARD * energy.max()
    if heard.sum() < PER_OCTAVE:
        return None
    hz = (edges[:-1] + edges[1:] - 1)[heard] / 2 * scene.rate / N_FFT
    found = np.clip(gains[heard], 0.0, LARGEST)
    name, passed, parameters = shape(hz, found)
    also = ("gain",) if abs(passed) > LEAST_GAIN_DB else ()
    parameters |= {"gain": (passed, "dB")} if also else {}
    return Fitted(name, lambda x: through(x, hz, found, scene.rate), int(heard.sum()), parameters, also=also)


def through(samples: Floats, hz: Floats, gains: Floats, rate: int) -> Floats:
    """The samples through the filter, by one transform of all of them."""
    size = samples.size + N_FFT
    transfer = np.interp(np.fft.rfftfreq(size, 1 / rate), hz, gains)
    return np.fft.irfft(np.fft.rfft(samples, size) * transfer, size)[: samples.size]


def shape(hz: Floats, gains: Floats) -> tuple[str, float, dict[str, tuple[float, str]]]:
    """(cause id, level of what it lets pass in dB, parameters) of a filter.

    A gap inside, a straight slope, whose level nobody can tell from a gain's, or what is lost above or below.
    """
    heard = hz > LOWEST_HZ
    octaves = np.log2(hz[heard])
    level = np.maximum(20 * np.log10(np.maximum(gains[heard], 1e-6)), LEAST_DB)
    low = np.flatnonzero(level < np.median(level) - GAP_DB)
    if low.size and low[0] > 0 and low[-1] < level.size - 1:
        width = low[-1] - low[0] + 1
        if low.size / width > GAP_FILLED and width < GAP_WIDEST * level.size:
            return (
                "band-gap",
                float(np.median(level)),
                {
                    "low": (2 ** float(octaves[low[0]]), "Hz"),
                    "high": (2 ** float(octaves[low[-1]]), "Hz"),
                },
            )
    slope, offset = np.polyfit(octaves, level, 1)
    varied = float(np.square(level - level.mean()).sum())
    if float(np.square(level - slope * octaves - offset).sum()) > LINE_LEAVES * varied:
        at, height = _step(level)
        if height < -STEP_DB:
            passed = float(np.median(level[:at]))
            return "high-frequency-loss", passed, {"cutoff": (2 ** float(octaves[at]), "Hz"), "loss": (height, "dB")}
        if height > STEP_DB:
            passed = float(np.median(level[at:]))
            return "low-frequency-loss", passed, {"cutoff": (2 ** float(octaves[at]), "Hz"), "loss": (-height, "dB")}
    return "tilt", 0.0, {"slope": (float(slope), "dB/octave")}


def _step(level: Floats) -> tuple[int, float]:
    """(band, height) of the step that leaves the least: the median below, the mean above."""
    left = []
    for at in range(2, level.size - 1):
        below, above = level[:at], level[at:]
        left.append(float(np.square(below - np.median(below)).sum() + np.square(above - above.mean()).sum()))
    at = 2 + int(np.argmin(left))
    return at, float(level[at:].mean() - np.median(level[:at]))


def sixth_octaves() -> NDArray[np.intp]:
    """Bins between which the bands lie: a sixth octave each, at least one bin."""
    bins, found = N_FFT // 2 + 1, [0]
    while found[-1] < bins:
        found.append(min(max(found[-1] + 1, int(np.ceil(found[-1] * 2 ** (1 / PER_OCTAVE)))), bins))
    return np.array(found, np.intp)
