"""The scale of the vocoder's input: what reads x was given f(x), told by the curve of one level over the other."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from diagnose.log_mel.overdriven import held_at, loudness
from diagnose.log_mel.scene import NATS_DB
from diagnose.operations.operation import Fitted, price_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.arrays import Floats
    from diagnose.log_mel.scene import LogMelScene
    from diagnose.operations.operation import Predicted

E = math.e
STEEPEST = 12.0
KNOWN = {
    "log10 was given where natural logarithms are read": float(np.log10(E)),
    "a magnitude was given where a power is read": 0.5,
    "natural logarithms were given where log2 is read": float(np.log(2)),
    "log2 was given where natural logarithms are read": float(np.log2(E)),
    "a power was given where a magnitude is read": 2.0,
    "natural logarithms were given where log10 is read": float(np.log(10)),
    "decibels of powers were given where natural logarithms are read": float(10 / np.log(10)),
    "decibels of magnitudes were given where natural logarithms are read": float(20 / np.log(10)),
}
ALIKE_CLIPPED = (2.0, float(np.log(10)))
STEEP = (float(np.log2(E)), 2.0, float(np.log(10)), float(10 / np.log(10)), float(20 / np.log(10)))
POWERS = (0.5, 2.0)
NO_SCALE = 0.15  # of the slope's logarithm: nearer to 1 it is a gain, and noise that flattens the slope a little
NEAR = 0.07  # of the slope's logarithm
ROUNDS = 6
FEWEST = 100
CHARGED = 5
LEVELS = (-1.0, 1.0, 3.0, 5.0, 7.0)  # nats over the limit of clipping that are tried first
STEPS = (1.0, 0.5, 0.25)  # and how far beside the best after that
Priced: TypeAlias = "tuple[float, float, float, Callable[[Floats], Floats]]"


def scaled(scene: LogMelScene, before: Predicted) -> Fitted | None:
    """Levels times a slope, plus an offset.  Errors lie on both sides, so the line is that of total least squares."""
    line = _line(scene, before)
    if line is None:
        return None
    slope, offset = line
    return Fitted(
        named(slope),
        lambda z: slope * z + offset,
        2,
        _figures(slope, offset, before),
        lambda z: (z - offset) / slope,
    )


def _line(scene: LogMelScene, before: Predicted) -> tuple[float, float] | None:
    cells = before.spectra
    heard = ~scene.unknown & (scene.spectra > scene.floor)
    if scene.is_even or heard.sum() < FEWEST:
        return None
    weights = heard.astype(float)
    slope = offset = 0.0
    for _ in range(ROUNDS):
        total = weights.sum()
        ours, theirs = (float((weights * each).sum() / total) for each in (cells, scene.spectra))
        xx = float((weights * np.square(cells - ours)).sum())
        yy = float((weights * np.square(scene.spectra - theirs)).sum())
        xy = float((weights * (cells - ours) * (scene.spectra - theirs)).sum())
        if xy <= 0:
            return None
        slope = (yy - xx + float(np.hypot(yy - xx, 2 * xy))) / (2 * xy)
        offset = theirs - slope * ours
        weights = heard * scene.weights(2 * np.square(scene.spectra - slope * cells - offset) / (1 + slope**2))
    return (slope, offset) if 0.02 < slope < STEEPEST and abs(math.log(slope)) > NO_SCALE else None


def scaled_and_clipped(scene: LogMelScene, before: Predicted) -> Fitted | None:
    """Levels times a slope of two and more, so loud that the output is clipped: both are fitted together.

    The limit is the loudest that the generated frames are; what offset a slope has is tried.
    """
    if scene.is_even:
        return None
    top = float(loudness(scene.generated).max())

    def priced(slope: float, over: float) -> Priced:
        steep = slope * before.samples
        offset = top + over - float(loudness(steep).max())
        made, apply = held_at(scene, steep + offset, top)
        return price_of(scene, before, made, CHARGED), slope, offset, apply

    _, slope, offset, apply = min((_cheapest(partial(priced, slope)) for slope in STEEP), key=lambda each: each[0])
    return Fitted(
        named(slope),
        lambda z: apply(slope * z + offset),
        CHARGED,
        _figures(slope, offset, before),
        also=("clipping",),
    )


def linear(scene: LogMelScene, before: Predicted) -> Fitted | None:
    """Magnitudes or powers where their logarithms are read: m = exp(p (x + g)) - g, g what a vocoder's levels are over
    those of this grid.
    """
    if scene.is_even:
        return None
    top = float(loudness(scene.generated).max())

    def priced(power: float, level: float) -> Priced:
        made, apply = held_at(scene, _linear(before.samples, power, level), top)
        return price_of(scene, before, made, CHARGED), power, level, apply

    _, power, over, apply = min((_cheapest(partial(priced, power)) for power in (1.0, 2.0)), key=lambda each: each[0])
    return Fitted(
        "vocoder-input-scale",
        lambda z: apply(_linear(z, power, over)),
        CHARGED,
        {"power": (power, ""), "level": (float(over), "nats")},
    )


def _cheapest(priced: Callable[[float], Priced]) -> Priced:
    """The cheapest level, tried from far to near."""
    found = [(level, priced(level)) for level in LEVELS]
    for step in STEPS:
        nearest = min(found, key=lambda each: each[1][0])[0]
        found += [(level, priced(level)) for level in (nearest - step, nearest + step)]
    return min((each for _, each in found), key=lambda each: each[0])


def _linear(levels: Floats, power: float, over: float) -> Floats:
    return np.asarray(np.exp(np.minimum(power * (levels + np.float32(over)), 4.0)) - np.float32(over))


def _figures(slope: float, offset: float, before: Predicted) -> dict[str, tuple[float, str]]:
    """gain: at the loudest cell."""
    loudest = float(before.samples.max())
    gain = NATS_DB * (slope * loudest + offset - loudest)
    return {"slope": (float(slope), ""), "offset": (float(offset), "nats"), "gain": (gain, "dB")}


def named(slope: float) -> str:
    """The cause id of a slope."""
    _, factor = nearest(slope)
    return "power-magnitude" if factor in POWERS else "vocoder-input-scale"


def nearest(slope: float) -> tuple[str | None, float]:
    """(mistake, its slope) of the known one that is near; (None, the slope) where none is."""
    what = min(KNOWN, key=lambda name: abs(np.log(slope / KNOWN[name])))
    near = abs(float(np.log(slope / KNOWN[what]))) < NEAR
    return (what, KNOWN[what]) if near else (None, slope)
