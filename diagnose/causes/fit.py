"""Two ways to say how one set of figures follows another: a line's slope, and Pearson's r."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

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
