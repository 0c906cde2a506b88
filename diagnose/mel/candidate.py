"""The result of an inference: the convention field by field, others that fit as well, and anomalies."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from diagnose.mel.contract import ValueScale
from diagnose.spectrogram import MelGrid  # noqa: TC001

Fields = dict[str, Any]
LOG10_POWER = ValueScale("normalised", of="power-db", low=-100.0, high=0.0, bottom=-10.0, top=0.0)
GRID_FIELDS = ("rate_hz", "n_fft", "hop", "bands", "fmin_hz", "fmax_hz", "formula", "norm", "centred", "padding")


class Candidate(msgspec.Struct, frozen=True):
    """One reading of an array.

    levels: how sums became values.  pooled: what the filters summed, None where that cannot be told.
    grid: None without the sound.  unknown: names of the fields that another reading, as likely, has otherwise.
    slope, offset: values = slope * ln(sum) + offset (ln(values), where they are linear); None without the sound.
    residual_db: root mean square of what the reading leaves over, in dB; None without the sound.
    probability: 0 to 1, among the candidates.
    """

    levels: ValueScale
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
        if levels.name == "log10-power":  # has no name in diagnose.mel/1: dB of a power, -100..0 laid on -10..0
            levels, normalised = LOG10_POWER, True
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
    lowest, highest: of its finite values; spread: from their 5th to their 95th percentile.
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
    spread: float = 0.0
    item: int = 0
    asked: dict[str, Candidate] = {}
    strange: bool = False
