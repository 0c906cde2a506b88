"""Clipping as a log-mel shows it: loud frames stay under a limit, and what is cut off lies in all their bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.log_mel.scene import BLOCK, NATS_DB, in_blocks
from diagnose.operations.operation import Fitted, price_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.arrays import Floats
    from diagnose.log_mel.scene import LogMelScene
    from diagnose.operations.operation import Predicted

LIMITS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)
ABOVE = 0.5
QUIETEST = 40.0
FEWEST_ABOVE = 20  # blocks in which harmonics are seen, that their line is fitted to
UNSEEN = (-4.0, 0.0)  # of that line (nats under what is cut off, rise a block): what is assumed where they are fewer


def overdriven(scene: LogMelScene, before: Predicted) -> Fitted | None:
    """Frames louder than a limit are held at it, and harmonics of what is cut stand in every band."""
    loudest = float(loudness(before.samples).max())
    found: tuple[float, float, Callable[[Floats], Floats]] | None = None
    for over in LIMITS:
        made, apply = held_at(scene, before.samples, loudest - over)
        price = price_of(scene, before, made, 3)
        if found is None or price < found[0]:
            found = price, over, apply
    assert found is not None
    _, over, apply = found
    return Fitted("clipping", apply, 3, {"over": (NATS_DB * over, "dB")})


def held_at(scene: LogMelScene, levels: Floats, limit: float) -> tuple[Floats, Callable[[Floats], Floats]]:
    """(levels of a sound that was clipped at this loudness of a frame, what makes them so).

    Each frame's loudness is held at the limit.  What is cut off becomes harmonics: a straight line over the bands,
    read off where the generated frames are well above what they would be without.
    """
    over = np.maximum(loudness(levels) - limit, 0.0)
    if not over.any():
        return levels, lambda z: z
    held = levels - over
    cut = limit + np.log(np.maximum(1 - np.exp(-over), 1e-6))
    frames = in_blocks(np.broadcast_to(over, levels.shape)) > ABOVE
    expected = in_blocks(held)
    above = frames & (scene.spectra > expected + ABOVE)
    line = UNSEEN
    if above.sum() > FEWEST_ABOVE:
        place = np.broadcast_to(np.arange(float(expected.shape[1])), expected.shape)[above]
        gap = (scene.spectra - in_blocks(np.broadcast_to(cut, levels.shape)))[above]
        line = _line(place, gap)
    bands = (line[0] + line[1] * np.arange(levels.shape[1]) / BLOCK[1]).astype(np.float32)

    def apply(z: Floats) -> Floats:
        over = np.maximum(loudness(z) - np.float32(limit), np.float32(0))
        cut = np.float32(limit) + np.log(np.maximum(1 - np.exp(-over), np.float32(1e-6)))
        return summed(z - over, cut + bands)

    return apply(levels), apply


def _line(place: Floats, gap: Floats) -> tuple[float, float]:
    """(level at 0, rise) of the straight line of least squares; level where all lies in one place."""
    apart = place - place.mean()
    rise = float((apart * gap).sum()) / max(float(np.square(apart).sum()), 1e-9)
    return float(gap.mean()) - rise * float(place.mean()), rise


def summed(one: Floats, other: Floats) -> Floats:
    """ln of the root of the sum of both powers."""
    high, low = np.maximum(one, other), np.minimum(one, other)
    return np.asarray(high + np.float32(0.5) * np.log1p(np.exp(np.float32(2) * (low - high))))


def loudness(levels: Floats) -> Floats:
    """ln of the root of the summed power of each frame [shape=(frames, 1)]."""
    top = np.float32(levels.max())
    power = np.exp(np.float32(2) * np.maximum(levels - top, np.float32(-QUIETEST)))
    return np.asarray(top + np.float32(0.5) * np.log(np.einsum("ij->i", power))[:, None])
