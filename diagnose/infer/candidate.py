"""What an inference says: the convention field by field, others that fit as well, and what is suspicious."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from diagnose.contract import Levels  # noqa: TC001 -- msgspec reads the types of fields
from diagnose.spectrogram import MelGrid  # noqa: TC001

Fields = dict[str, Any]
GRID_FIELDS = ("rate_hz", "n_fft", "hop", "bands", "fmin_hz", "fmax_hz", "formula", "norm", "centred", "padding")


class Candidate(msgspec.Struct, frozen=True):
    """One reading of an array.

    levels: how sums became values.  pooled: what the filters summed, None where that cannot be told.
    grid: None without the sound.  unknown: names of the fields that another reading, as likely, has otherwise.
    slope, offset: values = slope * ln(sum) + offset (ln(values), where they are linear); None without the sound.
    residual_db: root mean square of what the reading leaves over, in dB; None without the sound.
    probability: 0 to 1, among the candidates.
    """

    levels: Levels
    pooled: Literal["power", "magnitude"] | None
    bands: int
    grid: MelGrid | None = None
    slope: float | None = None
    offset: float | None = None
    residual_db: float | None = None
    probability: float = 1.0
    unknown: frozenset[str] = frozenset()

    def fields(self) -> Fields:
        """The fields of `best` in diagnose.mel/1; None for what cannot be told."""
        levels, grid = self.levels, self.grid
        normalised = levels.name == "normalised"
        found: Fields = {
            "scale": levels.name,
            "log_base": None if normalised and grid is None else log_base(levels.base),
            "clip": levels.clip,
            "reference": None if normalised else levels.reference,
            **(_of_grid(grid) if grid is not None else dict.fromkeys(GRID_FIELDS)),
            "bands": self.bands,
            "pooled": self.pooled,
            "top_db": levels.top_db,
            "range": [levels.bottom, levels.top] if normalised else None,
            "range_db": [round(levels.low, 2), round(levels.high, 2)] if normalised and grid is not None else None,
        }
        return {name: None if name in self.unknown else value for name, value in found.items()}


def _of_grid(grid: MelGrid) -> Fields:
    spans = (grid.rate, grid.n_fft, grid.hop, grid.bands, round(grid.fmin, 2), round(grid.fmax, 2))
    filters = (grid.formula, grid.norm, grid.padding.startswith("centre"), grid.padding)
    return dict(zip(GRID_FIELDS, (*spans, *filters), strict=True))


def log_base(scale: str) -> str | None:
    """e or 10; None for linear values."""
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

    candidates: the best first.  asked: by name, how the contracts that were asked for read it.  strange: the sound
    explains it by no reading.  ambiguous: in words, what cannot be told apart.  axes: of the array as it came.
    lowest, highest: of its finite values.
    """

    best: Candidate | None
    candidates: tuple[Candidate, ...]
    asked: dict[str, Candidate]
    strange: bool
    signs: tuple[Sign, ...]
    ambiguous: tuple[str, ...]
    shape: tuple[int, ...]
    axes: Literal["bands, frames", "frames, bands"]
    bands: int
    frames: int
    items: int
    item: int
    lowest: float
    highest: float
    audio: str | None = None
