"""Lost detail: what a model that is not sure gives, which is nearer to an average than any sound is."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from diagnose.operations.operation import Fitted
from diagnose.spectrogram import locked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.log_mel.scene import LogMelScene
    from diagnose.operations.operation import Predicted

# Orders of the cosine transform along the bands, between which the transfer is read; below the first, it is 1: level
# and tilt are other steps.
ORDERS = (3, 5, 8, 12, 17, 24, 34, 80)
FINEST = 24  # order that tells: phases that were made up take finer detail as well
LOST = 0.7  # transfer of an order, under which its detail is lost
MOST = 1.2
ABOVE_FLOOR = 2.0  # nats, of the loudest band of a frame that is looked at
ROUNDING = 0.02  # of the movement: levels that stand still, and ordinary loss
LEAST_MOVED = 0.9  # of the movement about the mean, that is left, from which on nothing was regressed


def lost_detail(scene: LogMelScene, before: Predicted) -> Fitted | None:
    """Detail along frequency is lost: from some order of the cosine transform on, little of the reference's is left."""
    cosines = _cosines(before.samples.shape[1])
    heard = _heard(scene, before)
    ours, theirs = (np.maximum(each, scene.floor)[heard] @ cosines.T for each in (before.samples, scene.generated))
    transfer = np.ones(len(cosines), np.float32)
    for first, last in pairwise(ORDERS):
        product = float((ours[:, first:last] * theirs[:, first:last]).sum())
        power = float(np.square(ours[:, first:last]).sum())
        transfer[first:last] = min(max(product / max(power, 1e-9), 0.0), MOST)
    lost = [first for first in ORDERS if first <= FINEST and transfer[first] < LOST]
    if not lost or scene.is_even:
        return None
    matrix = (cosines.T * (transfer - 1)) @ cosines
    floor = np.float32(scene.floor)
    return Fitted(
        "over-smoothed",
        lambda z: z + np.maximum(z, floor) @ matrix,
        len(ORDERS) - 1,
        {"bands": (2 * len(cosines) / lost[0] / 2, ""), "left": (float(transfer[lost[0]]), "")},
    )


def regressed(scene: LogMelScene, before: Predicted) -> Fitted | None:
    """Levels move less about their mean in time than the reference's: what a mean error teaches."""
    heard = _heard(scene, before)
    ours, theirs = (np.maximum(each, scene.floor)[heard] for each in (before.samples, scene.generated))
    mean = ours.mean(axis=0)
    moves = ours - mean
    left = float((moves * (theirs - theirs.mean(axis=0))).sum()) / max(float(np.square(moves).sum()), 1e-9)
    if scene.is_even or not -ROUNDING < left < LEAST_MOVED:
        return None
    left = max(left, 0.0)
    return Fitted("over-smoothed", lambda z: mean + np.float32(left) * (z - mean), 1, {"moves": (left, "")})


def _heard(scene: LogMelScene, before: Predicted) -> NDArray[np.bool_]:
    heard = before.samples.max(axis=1) > scene.own_floor + ABOVE_FLOOR
    return heard if heard.any() else np.ones_like(heard)


@lru_cache(maxsize=4)
def _cosines(count: int) -> NDArray[np.float32]:
    """The orthonormal cosine transform, DCT-II [shape=(orders, bands)]."""
    order, place = np.arange(count)[:, None], np.arange(count) + 0.5
    matrix = np.cos(np.pi * order * place / count) * np.sqrt(2 / count)
    matrix[0] /= np.sqrt(2)
    return locked(matrix.astype(np.float32))
