"""Folding: what of the reference lies above the generated file's range, and is heard, folded, inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from diagnose.audio import Samples
    from diagnose.timeline import Laid

BLOCK = 1 << 16


class Folded(msgspec.Struct, frozen=True):
    """share: of what a gain leaves over, 0 to 1.  level: its power over the reference's."""

    share: float
    level: float


def measure_folding(
    native: Samples, common: Samples, laid: Laid, ratio: float, means: tuple[float, float], gain: float
) -> Folded:
    """The residual's projection on the alias: native read off at every ratio-th sample, less common.

    native, common: the reference as it is, and at the lower rate.  Read off between two samples it is the straight line
    between them, as the simplest resamplers have it.
    """
    cross = alias = left = sound = 0.0
    for piece in laid.pieces:
        for first in range(0, piece.length, BLOCK):
            count = min(BLOCK, piece.length - first)
            at = np.arange(piece.reference + first, piece.reference + first + count)
            folded = _read(native, at * ratio) - common[at]
            part = slice(piece.joined + first, piece.joined + first + count)
            ours = laid.reference[part].astype(np.float64) - means[0]
            rest = (laid.generated[part].astype(np.float64) - means[1]) / gain - ours
            cross += float(rest @ folded)
            alias += float(folded @ folded)
            left += float(rest @ rest)
            sound += float(ours @ ours)
    if min(alias, left, sound) <= 0 or cross <= 0:
        return Folded(0.0, 0.0)
    return Folded(cross**2 / (alias * left), cross**2 / (alias * sound))


def _read(samples: Samples, at: np.ndarray) -> np.ndarray:
    """Values at positions between the samples, on straight lines."""
    whole = np.minimum(at.astype(np.intp), samples.size - 1)
    part = at - whole
    after = np.minimum(whole + 1, samples.size - 1)
    return np.asarray(samples[whole] * (1 - part) + samples[after] * part)
