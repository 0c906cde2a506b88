"""Operations on amplitude: gain, polarity, bias, clipping, word length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.arrays import median, quantile
from diagnose.operations.curve import fit_curve
from diagnose.operations.operation import Fitted, price_of
from diagnose.operations.scene import in_phase, power_of

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.operations.curve import Curve
    from diagnose.operations.operation import Predicted
    from diagnose.operations.scene import Scene

LEAST_GAIN_DB = 0.5  # less is not heard, and an encoder lowers a sound by so much
LEAST_FACTOR = 1e-5  # of less, the copy is lost in its rounding, and silence would explain it as well
LEAST_OFFSET = 0.01  # of the RMS
ROUNDS = 4  # of reweighting
BESIDE_DB = 1.0  # slope of a curve for small samples, or before a limit, that is a gain beside it
SMALL = 0.15  # of the RMS: what a small sample is
OUTER = (0.002, 0.03, 0.97, 0.998)  # quantiles between which the slope at the ends of a curve is taken
BENDS = 0.9  # slope at an end over that for small samples; a straighter line is a gain
SHIFTED = 0.05  # of the RMS: what a curve gives for silence is a bias beside it
FEW_SAMPLES, BENT_LEAVES = 4096, 0.95  # of the squares that a straight line leaves: else no curve is fitted
PARTS = (12, 28)  # of a curve: few where something else was added, for each part takes some of that for its own
LATTICE_FIT = 0.02  # of a step
NEAR_WHOLE = 0.01  # bits
COARSE = 1.5 / 32768  # a finer lattice is that of 16 bits
BITS = range(3, 13)
ROUNDED = (0.3, 3.0)  # median of what is left over, over that of rounding to a lattice that is tried
TRIED_LEAVES = 0.7  # of what was left over, at most, by a lattice that nothing lies on
NEARLY = 1.001
LOWERED = 0.97  # of full scale: a sound that wrapped comes near to it
NOT_WRAPPED = 0.8  # share of the samples, the small ones, that do not reach full scale
FLAT, FEWEST = 1e-4, 5  # of the range from a limit, and samples there that would lie beyond it
INSIDE = 0.8  # of the extremes, within which nothing is cut


def gain(scene: Scene, before: Predicted) -> Fitted | None:
    """b = g a, g > 0, by least squares over cells, whitened, each reweighted by what it leaves over."""
    predicted, level = before.spectra, power_of(before.spectra)
    product = in_phase(predicted, scene.spectra)
    factor, weights = 1.0, scene.weights(before.error, before.variance)
    for _ in range(ROUNDS):
        factor = float((weights * product).sum()) / max(float((weights * level).sum()), 1e-30)
        weights = scene.weights(scene.error_of(np.float32(factor) * predicted), before.variance)
    if factor < LEAST_FACTOR or abs(20 * np.log10(factor)) < LEAST_GAIN_DB:
        return None
    parameters = {"gain": (20 * float(np.log10(factor)), "dB")}
    return Fitted("gain", lambda x: factor * x, 1, parameters, undo=lambda x: x / factor)


def polarity(scene: Scene, before: Predicted) -> Fitted | None:
    """b = -a."""
    if float(np.dot(before.samples, scene.generated)) >= 0:
        return None
    return Fitted("polarity", np.negative, 1, undo=np.negative)


def dc_offset(scene: Scene, before: Predicted) -> Fitted | None:
    """b = a + c."""
    offset = float(np.mean(scene.generated - before.samples))
    if abs(offset) < LEAST_OFFSET * float(scene.generated.std()):
        return None
    parameters = {"offset": (offset, "full scale")}
    return Fitted("dc-offset", lambda x: x + offset, 1, parameters, undo=lambda x: x - offset)


def hard_clipping(scene: Scene, before: Predicted) -> Fitted | None:
    """b = min(max(g a, low), high), low and high the extremes of the generated sound, g by what lies well inside."""
    sound, low, high = before.samples, float(scene.generated.min()), float(scene.generated.max())
    inside = (scene.generated > INSIDE * low) & (scene.generated < INSIDE * high)
    power = float(np.dot(sound[inside], sound[inside]))
    factor = float(np.dot(sound[inside], scene.generated[inside])) / power if power > 0 else 1.0
    if factor <= 0 or (factor * sound.min() >= low * NEARLY and factor * sound.max() <= high * NEARLY):
        return None
    stuck = (scene.generated >= high - FLAT * (high - low)) & (factor * sound > high)
    stuck |= (scene.generated <= low + FLAT * (high - low)) & (factor * sound < low)
    if stuck.sum() < FEWEST:
        return None
    gain_db = 20 * float(np.log10(factor))
    return Fitted(
        "clipping",
        lambda x: np.clip(factor * x, low, high),
        3,
        {"low": (low, "full scale"), "high": (high, "full scale"), "gain": (gain_db, "dB")},
        undo=lambda x: x / factor,
        also=("gain",) if abs(gain_db) > BESIDE_DB else (),
    )


def soft_clipping(scene: Scene, before: Predicted) -> Fitted | None:
    """b = curve(a), a smooth curve, fitted by least squares."""
    rms = float(before.samples.std())
    if rms < 1e-9 or not _bent(before.samples, scene.generated):
        return None
    curves = [fit_curve(before.samples, scene.generated, parts) for parts in PARTS]
    curve = min(curves, key=lambda each: price_of(scene, before, each(before.samples), each.values.size))
    down, up = curve(np.array([-SMALL * rms, SMALL * rms]))
    middle, shift = float(up - down) / (2 * SMALL * rms), float(up + down) / 2
    ends = _ends(curve, before.samples) / middle if middle > 0 else 1.0
    if ends > BENDS:
        return None
    gain_db = 20 * float(np.log10(middle))
    also = ("gain",) if abs(gain_db) > BESIDE_DB else ()
    return Fitted(
        "clipping",
        curve,
        curve.values.size,
        {"slope at the ends": (ends, "ratio"), "gain": (gain_db, "dB")},
        undo=curve.inverse,
        also=(*also, "dc-offset") if abs(shift) > SHIFTED * rms * middle else also,
    )


def _bent(before: Floats, after: Floats) -> bool:
    """Whether a curve through some of the samples leaves less than a straight line."""
    every = max(before.size // FEW_SAMPLES, 1)
    some, target = before[::every], after[::every]
    if float(some.std()) < 1e-9:
        return False
    curve = fit_curve(some, target, PARTS[0])
    centred = some - some.mean()
    slope = float(np.dot(centred, target)) / max(float(np.dot(centred, centred)), 1e-30)
    straight = target - target.mean() - slope * centred
    left = float(np.square(target - curve(some)).sum())
    return left < BENT_LEAVES * float(np.square(straight).sum())


def _ends(curve: Curve, samples: Floats) -> float:
    """The slope at the end of the curve where that is less."""
    places = np.array([quantile(samples, share) for share in OUTER])
    at = curve(places)
    return float(((at[1::2] - at[::2]) / np.maximum(places[1::2] - places[::2], 1e-12)).min())


def wrapped(scene: Scene, before: Predicted) -> Fitted | None:
    """b = g a, but for samples past full scale, which come out at the other end: those of an integer that overflows.

    Full scale is 1, or the most that is there, where the level was lowered after it.
    """
    most = float(np.abs(scene.generated).max())
    found = [_wrapped_at(scene, before, full) for full in ({1.0, most} if most < LOWERED else {1.0})]
    left = {full: float(np.square(scene.generated - fit.apply(before.samples)).sum()) for full, fit in found if fit}
    return dict(found)[min(left, key=lambda full: left[full])] if left else None


def _wrapped_at(scene: Scene, before: Predicted, full: float) -> tuple[float, Fitted | None]:
    """(full scale, the step): g by least squares of small samples, then of all, with those that wrapped put back."""
    sound, small = before.samples, np.abs(before.samples) < quantile(np.abs(before.samples), NOT_WRAPPED)
    factor = _slope(sound[small], scene.generated[small])
    for _ in range(ROUNDS):
        turns = np.round((factor * sound - scene.generated) / (2 * full))
        factor = _slope(sound, scene.generated + 2 * full * turns)
    over = int((np.abs(factor * sound) > full).sum())
    if factor <= 0 or over < FEWEST:
        return full, None
    gain_db = 20 * float(np.log10(factor))
    return full, Fitted(
        "integer-overflow",
        lambda x: (factor * x + full) % (2 * full) - full,
        1,
        {"samples": (float(over), "count"), "gain": (gain_db, "dB")},
        undo=lambda x: (x + 2 * full * np.round((factor * sound - x) / (2 * full))) / factor,
        also=("gain",) if abs(gain_db) > BESIDE_DB else (),
    )


def _slope(before: Floats, after: Floats) -> float:
    return float(np.dot(before, after)) / max(float(np.dot(before, before)), 1e-30)


def quantisation(scene: Scene, before: Predicted) -> Fitted | None:
    """b is a rounded to a lattice: that which the generated sound lies on, or, where something came after it, one of
    whole bits; of whole or of half steps.
    """
    step = _lattice(scene) or _tried(scene, before)
    if step is None:
        return None
    shift = min((0.0, 0.5), key=lambda half: _off(scene, before, step, half))
    return Fitted(
        "quantisation",
        lambda x: _rounded(x, step, shift),
        1,
        {"bits": (float(np.log2(2 / step)), "bit")},
        undo=lambda x: x,  # as near as it can be had
    )


def _lattice(scene: Scene) -> float | None:
    """Step of the lattice that the generated samples lie on."""
    jumps = np.diff(scene.ordered)
    jumps = jumps[jumps > 1e-7]
    if jumps.size < 4:
        return None
    step = float(jumps.min())
    off = jumps / step
    on_it = step >= COARSE and float((np.abs(off - np.rint(off)) < LATTICE_FIT).mean()) >= 0.99
    return _whole(step) if on_it else None


def _whole(step: float) -> float:
    """The step of whole bits, where this one is it but for how well a gain is known."""
    bits = round(float(np.log2(2 / step)))
    return 2.0 ** (1 - bits) if abs(np.log2(2 / step) - bits) < NEAR_WHOLE else step


def _tried(scene: Scene, before: Predicted) -> float | None:
    """The step, of those of whole bits whose rounding is as loud as what is left over, that leaves the least.

    By medians: holes and clicks lie beside it.
    """
    left = median(np.abs(scene.generated - before.samples))
    steps = [2.0 ** (1 - bits) for bits in BITS]
    steps = [step for step in steps if ROUNDED[0] < 4 * left / step < ROUNDED[1]]
    found = min(steps, key=lambda step: _off(scene, before, step, 0.0), default=None)
    return None if found is None or _off(scene, before, found, 0.0) > left * TRIED_LEAVES else found


def _off(scene: Scene, before: Predicted, step: float, shift: float) -> float:
    return median(np.abs(scene.generated - _rounded(before.samples, step, shift)))


def _rounded(samples: Floats, step: float, shift: float) -> Floats:
    return np.asarray((np.round(samples / step - shift) + shift) * step)
