"""Two ways to say how one set of figures follows another: a line's slope, and Pearson's r."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnose.arrays import Floats

FLAT = 1e-12


def slope(x: Floats, y: Floats) -> float:
    """Least squares slope of y over x; 0 where x does not vary."""
    centred = x - x.mean()
    return float((centred * y).sum() / max(float((centred * centred).sum()), FLAT))


def correlation(ours: Floats, theirs: Floats) -> float:
    """Pearson's r over all cells; 0 where either is flat."""
    a, b = ours - ours.mean(), theirs - theirs.mean()
    norm = float(((a * a).sum() * (b * b).sum()) ** 0.5)
    return float((a * b).sum()) / norm if norm > 1e-9 else 0.0
