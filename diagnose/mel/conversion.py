"""Convert a mel array to another convention, with an error bound; refused where information is lost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from diagnose.errors import DiagnoseError
from diagnose.mel.array import plane
from diagnose.mel.fitted_scale import SLOPES
from diagnose.mel.values import Marks
from diagnose.spectrogram import MelGrid, mel_edges, mel_filterbank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.mel.candidate import Candidate
    from diagnose.mel.check import ContractCheck
    from diagnose.mel.contract import MelContract

SURE = 0.9
EXACT_DB = 0.5
OVER = 0.1  # full scale, in values
# What a magnitude is on average where a band sums noise: E|X| = sqrt(pi)/2 of its root mean square (Rayleigh).
RAYLEIGH = math.sqrt(math.pi) / 2
TINY = 1e-300
GRID = frozenset(("rate_hz", "n_fft", "hop", "bands", "fmin_hz", "fmax_hz", "formula", "centred", "padding"))
NOT = "not converted: "


class CannotConvert(DiagnoseError):
    """Information that the target needs is not in the array."""

    exit_code = 1


class Converted(msgspec.Struct, frozen=True, eq=False):
    """values: float32 [shape=(bands, frames)] of the item that was judged, or with the batch axes of a batch of one.

    exact: nothing but rounding was changed.  low_db, high_db: how far, at most, the true sums can lie under and over
    those that are given, in dB; in cells that lie on a floor they may be lower.  says: the bound in words.
    """

    values: NDArray[np.float32]
    exact: bool
    low_db: float
    high_db: float
    says: str


class _Sums(msgspec.Struct, frozen=True, eq=False):
    """logs: ln of what the wanted contract's filters would have summed; the bound in dB, and why there is one."""

    logs: Floats
    low_db: float = 0.0
    high_db: float = 0.0
    note: str | None = None


def convert(array: Any, agreement: ContractCheck) -> Converted:
    """The item of the array that was judged, in the contract it was held against.  Raises CannotConvert."""
    inference, wanted = agreement.inference, agreement.wanted
    read = plane(array, inference.item)
    values = read.values if inference.axes.startswith("bands") != read.transposed else read.turned.values
    shape = (*inference.shape[:-2], *values.shape) if inference.items == 1 else values.shape
    alone = [] if inference.items == 1 else [f"only item {inference.item} of {inference.items}"]
    if not agreement.differences:
        return Converted(values.astype(np.float32).reshape(shape), True, 0.0, 0.0, "; ".join(("unchanged", *alone)))
    best = inference.best
    if best is None:
        raise CannotConvert(f"{NOT}every value is the same")
    _refuse(agreement, best)
    sums = _pooled(_normed(_logarithms(values, best), best, wanted), best, wanted)
    power = wanted.levels.pooled.to_power(np.exp(np.maximum(sums.logs, math.log(TINY))))
    converted = wanted.levels.scale(float(power.max())).from_power(power).astype(np.float32)
    if float(converted.max()) > wanted.range[1] + OVER * abs(wanted.range[1]):
        raise CannotConvert(
            f"{NOT}the result has values up to {converted.max():.4g}; full scale is {wanted.range[1]:.4g}"
        )
    notes = [note for note in (sums.note, _floor_note(values, best, wanted)) if note]
    said = ["approximate" if notes else "exact, except for rounding", *notes, *alone]
    if best.grid is None:
        said.append(f"assuming {best.levels.name} on the grid of {wanted.name}, which the values alone do not prove")
    return Converted(converted.reshape(shape), not notes, sums.low_db, sums.high_db, "; ".join(said))


def _refuse(agreement: ContractCheck, best: Candidate) -> None:
    wanted = agreement.wanted
    for sign in agreement.inference.signs:
        if sign.wrong:
            raise CannotConvert(f"{NOT}{sign.says}; fix that first")
    for wrong in agreement.differences:
        if wrong.field in GRID:
            said = f"no formula corrects this; compute the mel from the sound with the settings of {wanted.name}"
            raise CannotConvert(f"{NOT}{wrong.line}; {said}")
    if best.offset is not None:
        if (best.residual_db or 0.0) > EXACT_DB:
            said = f"the best fit to the sound is {best.residual_db:.1f} dB off, so the scale is a guess"
            raise CannotConvert(f"{NOT}{said}; compute the mel from the sound, or give the unmodified array")
        return
    if best.levels.reference == "max" and wanted.levels.reference != "max":
        raise CannotConvert(f"{NOT}the level is lost with the reference (max); give the sound with --audio")
    if best.probability < SURE or best.levels.name == "normalised":
        said = f"the scale ({best.levels.name} with {best.probability:.0%})"
        raise CannotConvert(f"{NOT}the values alone do not determine {said}; give the sound with --audio")
    if best.pooled is None and not wanted.levels.name.endswith("-db"):
        said = "whether they are dB of power or of magnitude"
        raise CannotConvert(f"{NOT}the values alone do not determine {said}; give the sound with --audio")


def _logarithms(values: Floats, best: Candidate) -> Floats:
    """Natural logarithms of what the filters summed; by the scale's own formula, the fit tells but the reference."""
    levels = best.levels
    pooled = best.pooled or levels.summed
    logs = np.log(np.maximum(values, TINY)) if levels.name in ("power", "magnitude") else values
    if levels.name == "normalised" and best.slope and best.offset is not None:
        return (logs - best.offset) / best.slope
    linear = {"power": 1.0 if pooled == "power" else 2.0, "magnitude": 0.5 if pooled == "power" else 1.0}
    slope = linear.get(levels.name) or SLOPES[pooled][levels.name]
    if levels.reference == 1.0 or best.offset is None:
        return logs / slope
    return (logs - best.offset) / slope


def _normed(logs: Floats, best: Candidate, wanted: MelContract) -> Floats:
    """With the norm of the wanted filters, each of which is the other's times a number."""
    if best.grid is None or best.grid.norm == wanted.grid.norm:
        return logs
    edges = mel_edges(best.grid)
    area = np.log(2 / (edges[2:] - edges[:-2]))[:, None]
    return logs + (area if wanted.grid.norm == "slaney" else -area)


def _pooled(logs: Floats, best: Candidate, wanted: MelContract) -> _Sums:
    """Sums of magnitudes from sums of powers, or the other way round, as a band of noise has them.

    Within a band with weights w, sum(w |S|) is at most sqrt(sum(w) sum(w |S|**2)), where all bins are alike, and at
    least sqrt(min(w) sum(w |S|**2)), where the bin of least weight holds all.
    """
    target = wanted.levels.summed
    pooled = best.pooled or target
    if pooled == target:
        return _Sums(logs)
    area, least = _weights(wanted.grid)
    over = -20 * math.log10(RAYLEIGH) + (best.residual_db or 0.0)
    under = float((10 * np.log10(area / least)).max()) - over
    mean, most = ("magnitude", (under, over)) if target == "magnitude" else ("power", (over, under))
    if target == "magnitude":
        sums = 0.5 * (logs + np.log(area)[:, None]) + math.log(RAYLEIGH)
    else:
        sums = 2 * (logs - math.log(RAYLEIGH)) - np.log(area)[:, None]
    note = (
        f"a sum of {mean} can only be estimated from a sum of {pooled}: "
        f"the true sums are within -{most[0]:.1f} and +{most[1]:.1f} dB, near 0 for noise, furthest off for a tone at "
        "the edge of a band"
    )
    return _Sums(sums, *most, note)


def _weights(grid: MelGrid) -> tuple[Floats, Floats]:
    """Sum and least of each filter's weights; 1 for a filter without any."""
    basis = mel_filterbank(grid).astype(np.float64)
    least = np.where(basis > 0, basis, np.inf).min(axis=1)
    empty = ~np.isfinite(least)
    return np.where(empty, 1.0, basis.sum(axis=1)), np.where(empty, 1.0, least)


def _floor_note(values: Floats, best: Candidate, wanted: MelContract) -> str | None:
    """Cells on a floor that is not the wanted one: how low they were is not known."""
    marks = Marks(values)
    if not marks.floored:
        return None
    clip, wants = best.levels.clip, wanted.levels.clip
    alike = best.pooled in (None, wanted.levels.summed) and (best.grid is None or best.grid.norm == wanted.grid.norm)
    if alike and best.levels.top_db is None and (clip is None or (wants is not None and clip <= 1.01 * wants)):
        return None
    return f"{marks.floor_cells / values.size:.1%} of the cells are at a floor; their true values may be lower"
