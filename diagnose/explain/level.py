"""Operations on amplitude: gain, polarity, bias, clipping, word length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.explain.operation import Fitted
from diagnose.explain.scene import spectra

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.explain.scene import Scene

LEAST_GAIN_DB = 0.05
ROUNDS = 6  # of reweighting
KNOTS, BENT = 33, 1.5  # of a curve; their distance grows with the level to this power
BESIDE_DB = 1.0  # slope in the middle of a curve, or before a limit, that is a gain beside it
BENDS = 0.9  # slope at an end over that in the middle; a straighter line is a gain
FEW = 12  # parameters that a curve is charged: most of its knots follow from their neighbours
LATTICE_SAMPLES = 1 << 15
LATTICE_FIT = 0.02  # of a step
COARSE = 1.5 / 32768  # a finer lattice is that of 16 bits
NEARLY = 1.001
INSIDE = 0.8  # of the extremes, within which nothing is cut


def gain(scene: Scene, before: Floats, variance: Floats | None) -> Fitted | None:
    """b = g a, g > 0, by least squares over cells, whitened, each reweighted by what it leaves over."""
    predicted = spectra(before)
    product = np.real(np.conj(predicted) * scene.spectra)
    power = np.square(np.abs(predicted))
    factor = float(product.sum()) / max(float(power.sum()), 1e-30)
    for _ in range(ROUNDS):
        weights = scene.weights(factor * predicted, variance)
        factor = float((weights * product).sum()) / max(float((weights * power).sum()), 1e-30)
    if factor <= 0 or abs(20 * np.log10(factor)) < LEAST_GAIN_DB:
        return None
    return Fitted("gain", lambda x: factor * x, 1, {"gain": (20 * float(np.log10(factor)), "dB")})


def polarity(scene: Scene, before: Floats, _variance: Floats | None) -> Fitted | None:
    """b = -a."""
    if float(np.dot(before, scene.generated)) >= 0:
        return None
    return Fitted("polarity", np.negative, 1)


def dc_offset(scene: Scene, before: Floats, _variance: Floats | None) -> Fitted | None:
    """b = a + c."""
    offset = float(np.mean(scene.generated - before))
    return Fitted("dc-offset", lambda x: x + offset, 1, {"offset": (offset, "full scale")})


def hard_clipping(scene: Scene, before: Floats, _variance: Floats | None) -> Fitted | None:
    """b = min(max(g a, low), high), low and high the extremes of the generated sound, g by what lies well inside."""
    low, high = float(scene.generated.min()), float(scene.generated.max())
    inside = (scene.generated > INSIDE * low) & (scene.generated < INSIDE * high)
    power = float(np.dot(before[inside], before[inside]))
    factor = float(np.dot(before[inside], scene.generated[inside])) / power if power > 0 else 1.0
    if factor <= 0 or (factor * before.min() >= low * NEARLY and factor * before.max() <= high * NEARLY):
        return None
    gain_db = 20 * float(np.log10(factor))
    return Fitted(
        "clipping",
        lambda x: np.clip(factor * x, low, high),
        3,
        {"low": (low, "full scale"), "high": (high, "full scale"), "gain": (gain_db, "dB")},
        also=("gain",) if abs(gain_db) > BESIDE_DB else (),
    )


def soft_clipping(scene: Scene, before: Floats, _variance: Floats | None) -> Fitted | None:
    """b = curve(a), linear between knots that are fitted by least squares, their second difference damped."""
    peak = float(np.abs(before).max())
    if peak < 1e-9:
        return None
    steps = np.linspace(-1, 1, KNOTS)
    knots = peak * np.sign(steps) * np.abs(steps) ** BENT
    below = np.clip(np.searchsorted(knots, before) - 1, 0, KNOTS - 2)
    part = (before - knots[below]) / (knots[below + 1] - knots[below])
    normal = np.zeros((KNOTS, KNOTS))
    index = np.arange(KNOTS)
    normal[index, index] = np.bincount(below, (1 - part) ** 2, KNOTS) + np.bincount(below + 1, part**2, KNOTS)
    beside = np.bincount(below, part * (1 - part), KNOTS)[:-1]
    normal[index[:-1], index[1:]] = normal[index[1:], index[:-1]] = beside
    target = np.bincount(below, (1 - part) * scene.generated, KNOTS).astype(np.float64)
    target += np.bincount(below + 1, part * scene.generated, KNOTS)
    bends = np.diff(np.eye(KNOTS), 2, axis=0)
    damping = 1e-6 * float(np.trace(normal)) / KNOTS
    values = np.linalg.solve(normal + damping * (bends.T @ bends + 1e-3 * np.eye(KNOTS)), target)
    slope = np.diff(values) / np.diff(knots)
    middle = float(np.median(slope[KNOTS // 2 - 4 : KNOTS // 2 + 4]))
    ends = float(min(slope[0], slope[-1])) / middle if middle > 0 else 1.0
    if ends > BENDS:
        return None
    gain_db = 20 * float(np.log10(middle))
    return Fitted(
        "clipping",
        lambda x: np.interp(x, knots, values),
        FEW,
        {"slope at the ends": (ends, "ratio"), "gain": (gain_db, "dB")},
        also=("gain",) if abs(gain_db) > BESIDE_DB else (),
    )


def quantisation(scene: Scene, before: Floats, _variance: Floats | None) -> Fitted | None:
    """b is a rounded to the lattice that the generated sound lies on, of whole or of half steps."""
    jumps = np.diff(np.sort(scene.generated[:LATTICE_SAMPLES]))
    jumps = jumps[jumps > 1e-7]
    if jumps.size < 4:
        return None
    step = float(jumps.min())
    off = jumps / step
    if step < COARSE or float((np.abs(off - np.rint(off)) < LATTICE_FIT).mean()) < 0.99:
        return None
    shift = min((0.0, 0.5), key=lambda half: float(np.square(scene.generated - _rounded(before, step, half)).sum()))
    return Fitted("quantisation", lambda x: _rounded(x, step, shift), 1, {"bits": (float(np.log2(2 / step)), "bit")})


def _rounded(samples: Floats, step: float, shift: float) -> Floats:
    return (np.round(samples / step - shift) + shift) * step
