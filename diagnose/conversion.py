"""A mel array from one convention into another, with how wrong it can be; refused where information is lost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from diagnose.errors import DiagnoseError
from diagnose.infer.array import as_numpy
from diagnose.infer.values import DB, UNIT_DB
from diagnose.spectrogram import MelGrid, mel_edges, mel_filterbank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.agreement import Agreement
    from diagnose.contract import Levels
    from diagnose.infer import Candidate

    Floats = NDArray[np.floating[Any]]

SURE = 0.9
# What a magnitude is on average where a band sums noise: E|X| = sqrt(pi)/2 of its root mean square (Rayleigh).
RAYLEIGH = math.sqrt(math.pi) / 2
TINY = 1e-300
RANGE_FIELDS = {"rate_hz", "n_fft", "hop", "bands", "fmin_hz", "fmax_hz", "formula", "centred", "padding"}


class CannotConvert(DiagnoseError):
    """Information that the target needs is not in the array."""

    exit_code = 1


class Converted(msgspec.Struct, frozen=True, eq=False):
    """values: float32, bands before frames, in the wanted contract.

    exact: nothing but rounding was changed.  low_db, high_db: how far the true value can lie under and over the one
    that is given, in dB; median over the bands.  says: the bound in words.
    """

    values: NDArray[np.float32]
    exact: bool
    low_db: float
    high_db: float
    says: str


def convert(array: Any, agreement: Agreement) -> Converted:
    """The array, all items of it, in the contract that it was held against.  Raises CannotConvert."""
    best, wanted = agreement.inference.best, agreement.wanted
    if best is None:
        raise CannotConvert("not converted: every value is the same")
    _refuse(agreement, best)
    values = as_numpy(array, "array").astype(np.float64)
    if agreement.inference.axes == "frames, bands":
        values = np.swapaxes(values, -1, -2)
    sums, low_db, high_db, notes = _sums(values, best, agreement)
    levels = wanted.levels
    power = levels.pooled.to_power(sums)
    converted = levels.scale(float(power.max())).from_power(power).astype(np.float32)
    notes += _floor_notes(values, best, levels)
    exact = not notes
    if agreement.unchecked and best.grid is None:
        notes.append(f"the grid was taken to be {wanted.name}'s: it was not checked")
    bound = "exact, but for rounding" if exact else "approximate"
    return Converted(converted, exact, low_db, high_db, "; ".join((bound, *notes)))


def _refuse(agreement: Agreement, best: Candidate) -> None:
    wrong = {each.field: each for each in agreement.differences}
    for name in RANGE_FIELDS & set(wrong):
        raise CannotConvert(
            f"not converted: {wrong[name].line}; no formula mends that, compute the mel from the sound as "
            f"{agreement.wanted.name} has it"
        )
    broken = [sign.says for sign in agreement.inference.signs if sign.wrong]
    if broken:
        raise CannotConvert(f"not converted: {broken[0]}; mend that first")
    if best.residual_db is None:
        if "reference" in wrong:
            raise CannotConvert(
                f"not converted: {wrong['reference'].consequence}; give the sound (--audio), which tells it"
            )
        if best.probability < SURE or best.levels.name == "normalised":
            raise CannotConvert(
                f"not converted: the values alone do not say for sure what they are ({best.levels.name} with "
                f"{best.probability:.0%}); give the sound (--audio)"
            )


def _sums(values: Floats, best: Candidate, agreement: Agreement) -> tuple[Floats, float, float, list[str]]:
    """What the wanted contract's filters would have summed, the bound in dB, and what makes it approximate."""
    wanted = agreement.wanted
    logs = _logarithms(values, best)
    target = wanted.levels.summed
    pooled = best.pooled or target
    grid = best.grid or wanted.grid
    if grid.norm != wanted.grid.norm:
        logs = logs + _renormed(grid, wanted.grid)[:, None]
    if pooled == target:
        return np.exp(np.maximum(logs, math.log(TINY))), 0.0, 0.0, []
    basis = mel_filterbank(wanted.grid).astype(np.float64)
    area = np.maximum(basis.sum(axis=1), TINY)
    least = np.where(basis > 0, basis, np.inf).min(axis=1)
    least = np.where(np.isfinite(least), least, area)
    # |S| within a band: sum(w |S|) is at most sqrt(sum(w) sum(w |S|**2)), all alike, and at least what one bin gives.
    spread_db = 10 * np.log10(area / least)
    step = math.log(RAYLEIGH)
    if target == "magnitude":
        sums = np.exp(0.5 * (logs + np.log(area)[:, None]) + step)
        low, high = float(np.median(spread_db)) + 20 * math.log10(RAYLEIGH), -20 * math.log10(RAYLEIGH)
    else:
        sums = np.exp(2 * (logs - step) - np.log(area)[:, None])
        high, low = float(np.median(spread_db)) + 20 * math.log10(RAYLEIGH), -20 * math.log10(RAYLEIGH)
    said = (
        f"the mel of a {pooled} gives that of a {target} only roughly, for the sum of squares is not the square of the "
        f"sum: the true values lie within -{low:.1f} and +{high:.1f} dB, over noise near 0"
    )
    return sums, low, high, [said]


def _logarithms(values: Floats, best: Candidate) -> Floats:
    """Natural logarithms of what the filters summed."""
    if best.slope is not None and best.offset is not None:
        logs = np.log(np.maximum(values, TINY)) if best.levels.name in ("power", "magnitude") else values
        return (logs - best.offset) / best.slope
    levels = best.levels
    if levels.name in ("power", "magnitude"):
        return np.log(np.maximum(values, TINY))
    unit = UNIT_DB[levels.name] / (DB if "power" in levels.name else 2 * DB)
    return values * unit


def _renormed(ours: MelGrid, theirs: MelGrid) -> Floats:
    """ln of what each filter's norm has to be multiplied by."""
    edges = mel_edges(ours)
    area = np.log(2 / (edges[2:] - edges[:-2]))
    return area if theirs.norm == "slaney" else -area


def _floor_notes(values: Floats, best: Candidate, wanted: Levels) -> list[str]:
    """Cells on a floor higher than the wanted one: how low they were is not known."""
    if not (best.levels.clip or best.levels.top_db):
        return []
    same = best.levels.clip is not None and wanted.clip is not None and best.levels.clip <= 1.01 * wanted.clip
    if same and best.levels.top_db is None:
        return []
    share = float(np.mean(values <= values.min() + 1e-6 * abs(values.min())))
    return [f"{share:.1%} of the cells lie on a floor and may truly be lower"]
