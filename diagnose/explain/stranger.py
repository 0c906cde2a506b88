"""Another sound beside the reference: what is left over has nothing to do with it, and is no noise either.

No operation can give it, for it is nowhere in the reference; so this is no proof, but what is left when all was tried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.explain.confidence import Basis, believed
from diagnose.faults import CATALOGUE
from diagnose.operations.added import coherence, echo, steady_power
from diagnose.operations.scene import in_phase, power_of, sixth_octaves, spread_of
from diagnose.results.cause import Cause

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.operations import Predicted, Scene

HEARD_DB = 3.0  # over ordinary loss
MOST_COHERENT, MOST_ECHOED = 0.03, 0.06  # with the reference, now or at any delay; what was done to it follows it
MOST_ALIKE = 0.55  # r of its level with the reference's, over bands and time: loss and distortion rise with the sound
UNSTEADY = 1.8  # standard deviation of ln power; 1.28 of noise
LASTS = 0.3  # share of the time in which it is heard: less is a click, or a seam
TEXTURE = 1.45  # spread of ln power about the cells nearby: of partials, which noise has not
MOST_IMPULSIVE = 0.6  # of the power in a twentieth of the time
CLEAR, MOST_BENT_DB = 30.0, 2.0  # times ordinary loss, of a band whose gain is read off; and that gain
AUDIBLE = 3.0  # times ordinary loss, of a cell


def stranger(scene: Scene, predicted: Predicted) -> Cause | None:
    """The cause interference, where what a chain leaves over is a sound of its own."""
    if scene.judge(predicted.error).over_db < HEARD_DB:
        return None
    if coherence(scene, predicted) > MOST_COHERENT or echo(scene, predicted) > MOST_ECHOED:
        return None
    alike, lasts = _like_the_reference(scene, predicted)
    spread = scene.unsteadiness(msgspec.structs.replace(predicted, variance=steady_power(scene, predicted)))
    if abs(alike) > MOST_ALIKE or lasts < LASTS or spread < UNSTEADY or _texture(predicted.error) < TEXTURE:
        return None
    if _steady(scene, predicted):
        return None
    if _bent(scene, predicted) or _impulsive(scene.generated - predicted.samples, scene.rate) > MOST_IMPULSIVE:
        return None
    error, power = (float(np.square(each).sum()) for each in (scene.generated - predicted.samples, predicted.samples))
    level = 10 * np.log10(max(error, 1e-30) / max(power, 1e-30))
    return Cause(
        "interference",
        believed(Basis.STRANGER),
        f"another sound is heard beside it, at {level:+.0f} dB to the reference",
        (
            f"what is left over is there in {100 * lasts:.0f} % of the time, and has no part of the reference in it",
            f"its level does not follow the reference's (r = {alike:.2f}), and is not steady as noise is",
        ),
        CATALOGUE["interference"].fix,
        basis=Basis.STRANGER.value,
    )


def _like_the_reference(scene: Scene, predicted: Predicted) -> tuple[float, float]:
    """(r of the levels in dB of what is left over and of the prediction, over sixth octaves and time, the mean of each
    band taken off, where it is heard; share of the frames in which it is heard).
    """
    edges = sixth_octaves()[:-1]
    error, power, ordinary = (
        np.add.reduceat(each, edges, axis=1) for each in (predicted.error, power_of(predicted.spectra), scene.ordinary)
    )
    heard = error > AUDIBLE * ordinary
    if not heard.any():
        return 1.0, 0.0
    ours, theirs = (_about_mean(np.log(each))[heard] for each in (error + ordinary, power + ordinary))
    product = float(np.dot(ours, theirs))
    return product / max(float(np.dot(ours, ours) * np.dot(theirs, theirs)) ** 0.5, 1e-30), float(
        heard.any(axis=1).mean()
    )


def _bent(scene: Scene, predicted: Predicted) -> bool:
    """Whether the reference itself came through at other levels, band by band: then more was done than adding."""
    edges = sixth_octaves()[:-1]
    power, product, error, ordinary = (
        np.add.reduceat(each.sum(axis=0, dtype=np.float64), edges)
        for each in (
            power_of(predicted.spectra),
            in_phase(predicted.spectra, scene.spectra),
            predicted.error,
            scene.ordinary,
        )
    )
    told = (power > CLEAR * ordinary) & (power > error)
    gains = np.maximum(product[told] / np.maximum(power[told], 1e-30), 1e-6)
    return bool(np.abs(20 * np.log10(gains)).max(initial=0.0) > MOST_BENT_DB)


def _steady(scene: Scene, predicted: Predicted) -> bool:
    """Whether each bin by itself is steady in time: lines, or one waveform in every frame."""
    middle = np.median(predicted.error, axis=0, keepdims=True)
    heard = predicted.error > AUDIBLE * scene.ordinary
    found = np.log(np.maximum(predicted.error / np.maximum(middle, 1e-30), 1e-9))[heard]
    return spread_of(found) < UNSTEADY


def _texture(error: Floats) -> float:
    """Spread of ln power about the mean of the cells nearby: 1.28 of noise whatever its level, more of partials."""
    near = _nearby(error.astype(np.float64)) + 1e-30
    found = np.log(np.maximum(error / near, 1e-9))[near > np.median(near)]
    return spread_of(found)


def _nearby(power: Floats) -> Floats:
    """Means over three frames and nine bins."""
    padded = np.pad(power, ((1, 1), (4, 4)), mode="edge")
    frames = padded[:-2] + padded[1:-1] + padded[2:]
    summed = np.concatenate((np.zeros((frames.shape[0], 1)), np.cumsum(frames, axis=1)), axis=1)
    return np.asarray((summed[:, 9:] - summed[:, :-9]) / 27)


def _impulsive(error: Floats, rate: int) -> float:
    """Share of the power that the loudest twentieth of all milliseconds has: of clicks nearly all."""
    size = max(round(rate / 1000), 8)
    blocks = np.sort(np.square(error[: error.size // size * size]).reshape(-1, size).sum(axis=1))[::-1]
    return float(blocks[: max(blocks.size // 20, 1)].sum() / max(blocks.sum(), 1e-30))


def _about_mean(level: Floats) -> Floats:
    return level - level.mean(axis=0)
