"""Steps by level: a gain, the level of each band, the level of each moment, a hole, a steady noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.arrays import median, runs
from diagnose.log_mel.overdriven import summed
from diagnose.log_mel.scene import BLOCK, NATS_DB
from diagnose.operations.operation import Fitted, price_of

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.log_mel.scene import LogMelScene
    from diagnose.operations.operation import Predicted

ROUNDS = 4  # of reweighting
LEAST_GAIN = 0.1  # nats
KNOTS_BANDS = 9
MOMENT_S = 0.12
FEWEST_MOMENTS = 4
QUIET = 0.05  # share of the frames, that are the quietest
GONE = 2.5
GONE_SHARE = 0.8
HOLE_S = 0.02


def gain(scene: LogMelScene, before: Predicted) -> Fitted | None:
    """All cells louder by one factor."""
    offset = _offset(scene, before)
    if abs(offset) < LEAST_GAIN:
        return None
    return Fitted("gain", lambda z: z + offset, 1, {"gain": (NATS_DB * offset, "dB")}, lambda z: z - offset)


def _offset(scene: LogMelScene, before: Predicted) -> float:
    heard = (before.samples > scene.floor) & (scene.generated > scene.floor)
    offset = float(median((scene.generated - before.samples)[heard])) if heard.any() else 0.0
    for _ in range(ROUNDS):
        left, weights = _left(scene, before.samples + np.float32(offset), axis=0)
        offset += float(left.sum() / max(float(weights.sum()), 1e-9))
    return offset


def bands(scene: LogMelScene, before: Predicted) -> Fitted | None:
    """Each band louder or softer by its own factor: straight lines between a few levels along the bands."""
    count = before.samples.shape[1]
    knots = np.linspace(0, count - 1, KNOTS_BANDS)
    hats = np.stack([np.interp(np.arange(count), knots, row) for row in np.eye(KNOTS_BANDS)]).astype(np.float32)
    seen = hats[:, : count // BLOCK[1] * BLOCK[1]].reshape(KNOTS_BANDS, -1, BLOCK[1]).mean(axis=2)
    curve = np.zeros(count, np.float32)
    for _ in range(ROUNDS):
        left, scale = _left(scene, before.samples + curve, axis=0)
        normal = (seen * scale) @ seen.T + 1e-3 * max(float(scale.mean()), 1e-9) * np.eye(KNOTS_BANDS)
        curve = curve + (np.linalg.solve(normal, seen @ left) @ hats).astype(np.float32)
    least, most = NATS_DB * float(curve.min()), NATS_DB * float(curve.max())
    parameters = {"least": (least, "dB"), "most": (most, "dB")}
    return Fitted(_named(curve), lambda z: z + curve, KNOTS_BANDS, parameters, lambda z: z - curve)


def _left(scene: LogMelScene, levels: Floats, axis: int) -> tuple[Floats, Floats]:
    """Weighted sums along an axis of what is left over, and of the weights."""
    cells = scene.spectra_of(levels)
    heard = (cells > scene.floor) | (scene.spectra > scene.floor)
    weights = scene.weights(scene.error_of(cells)) * heard * ~scene.unknown
    return (weights * (scene.spectra - cells)).sum(axis=axis), weights.sum(axis=axis)


def _named(curve: Floats) -> str:
    """tilt, unless the top or a band between is gone."""
    level = median(curve)
    gone = curve < level - 1.5
    if gone[-1] and not gone[: curve.size // 4].any():
        return "high-frequency-loss"
    if gone[0]:
        return "low-frequency-loss"
    return "band-gap" if gone.any() and not gone[-1] else "tilt"


def moments(scene: LogMelScene, before: Predicted) -> Fitted | None:
    """Each moment louder or softer by its own factor, all bands alike: straight lines between levels in time."""
    frames = before.samples.shape[0]
    left, weights = _left(scene, before.samples, axis=1)
    wide = max(round(MOMENT_S / scene.frame_s / BLOCK[0]), 1)
    count = left.size // wide
    if count < FEWEST_MOMENTS:
        return None
    sums, totals = (each[: count * wide].reshape(count, wide).sum(axis=1) for each in (left, weights))
    places = (np.arange(count) + 0.5) * wide * BLOCK[0] - 0.5
    curve = np.interp(np.arange(frames), places, sums / np.maximum(totals, 1e-9)).astype(np.float32)[:, None]
    spread = NATS_DB * float(np.abs(curve).mean())
    return Fitted("modulation", lambda z: z + curve, count, {"depth": (spread, "dB")}, lambda z: z - curve)


def hole(scene: LogMelScene, before: Predicted) -> Fitted | None:
    """Runs of frames in which nothing is left, whatever should be there."""
    heard = before.samples > scene.floor + GONE
    gone = heard & (scene.generated < before.samples - GONE) & (scene.generated < scene.floor + GONE)
    share = gone.sum(axis=1) / np.maximum(heard.sum(axis=1), 1)
    empty = (share > GONE_SHARE) & (heard.sum(axis=1) > heard.shape[1] // 8)
    places = [(a, b) for a, b in runs(empty) if (b - a) * scene.frame_s >= HOLE_S]
    if not places:
        return None
    mask = np.zeros(len(empty), bool)
    for a, b in places:
        mask[a:b] = True
    lowest = median(scene.generated[mask])
    lasts = float(mask.sum()) * scene.frame_s
    return Fitted(
        "dropout",
        lambda z: np.where(mask[: len(z), None], np.minimum(z, lowest), z),
        2 * len(places) + 1,
        {"holes": (float(len(places)), ""), "silence": (lasts, "s")},
    )


def noise(scene: LogMelScene, before: Predicted) -> Fitted | None:
    """A steady noise in every frame: the level that the quietest frames have, by straight lines along the bands."""
    place = int(QUIET * len(scene.generated))
    quiet = np.partition(scene.generated, place, axis=0)[place]
    best: tuple[float, Floats] | None = None
    for shift in (0.0, 0.3, 0.6):
        level = quiet + np.float32(shift)
        samples = summed(before.samples, level)
        price = price_of(scene, before, samples, KNOTS_BANDS)
        if best is None or price < best[0]:
            best = price, level
    assert best is not None
    level = best[1]
    signal = float(np.square(np.exp(before.samples)).mean())
    ratio = 10 * np.log10(max(signal, 1e-30) / max(float(np.square(np.exp(level)).mean()), 1e-30))
    return Fitted(
        "noise",
        lambda z: summed(z, level),
        KNOTS_BANDS,
        {"signal_to_noise": (float(ratio), "dB")},
    )
