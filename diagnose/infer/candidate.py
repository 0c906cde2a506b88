"""What an inference says: the convention of an array field by field, others that fit as well, and what is suspicious."""

from __future__ import annotations

from typing import Literal

import msgspec

from diagnose.contract import Levels
from diagnose.spectrogram import MelGrid


class Candidate(msgspec.Struct, frozen=True):
    """One reading of an array.

    levels: how sums became values.  pooled: what the filters summed, None where that cannot be told.
    grid: None without the sound.  unknown: names of fields (those of `fields`) that cannot be told from another reading.
    residual_db: root mean square of what the reading leaves over, in dB; None without the sound.
    probability: 0 to 1, among the candidates.
    """

    levels: Levels
    pooled: Literal["power", "magnitude"] | None
    bands: int
    grid: MelGrid | None = None
    residual_db: float | None = None
    probability: float = 1.0
    unknown: frozenset[str] = frozenset()

    def fields(self) -> dict[str, str | float | bool | list[float] | None]:
        """The fields of `best` in diagnose.mel/1; None for what cannot be told."""
        levels, grid = self.levels, self.grid
        found: dict[str, str | float | bool | list[float] | None] = {
            "scale": levels.name,
            "log_base": log_base(levels.base),
            "clip": levels.clip,
            "reference": None if levels.name == "normalised" else levels.reference,
            "rate_hz": grid and grid.rate,
            "n_fft": grid and grid.n_fft,
            "hop": grid and grid.hop,
            "bands": self.bands,
            "fmin_hz": None if grid is None else round(grid.fmin, 2),
            "fmax_hz": None if grid is None else round(grid.fmax, 2),
            "formula": grid and grid.formula,
            "norm": grid and grid.norm,
            "centred": grid and grid.padding.startswith("centre"),
            "padding": grid and grid.padding,
            "pooled": self.pooled,
            "top_db": levels.top_db,
            "range": [levels.bottom, levels.top] if levels.name == "normalised" else None,
            "range_db": [round(levels.low, 2), round(levels.high, 2)] if levels.name == "normalised" and grid else None,
        }
        return {name: None if name in self.unknown else value for name, value in found.items()}


def log_base(scale: str) -> str | None:
    """ "e" or "10"; None for linear values."""
    if scale in ("power", "magnitude"):
        return None
    return "e" if scale.startswith("ln") else "10"


class Sign(msgspec.Struct, frozen=True):
    """Something about the values that a reader should know; wrong where it breaks any contract."""

    id: str
    says: str
    wrong: bool = False


class Inference(msgspec.Struct, frozen=True):
    """best: the most likely reading; None for an array without any variation.

    candidates: the best first.  ambiguous: in words, what cannot be told apart.  axes: of the array as it came.
    lowest, highest: of its finite values.
    """

    best: Candidate | None
    candidates: tuple[Candidate, ...]
    signs: tuple[Sign, ...]
    ambiguous: tuple[str, ...]
    shape: tuple[int, ...]
    axes: Literal["bands, frames", "frames, bands"]
    bands: int
    frames: int
    items: int
    lowest: float
    highest: float
    audio: str | None = None
