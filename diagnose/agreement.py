"""Is a mel array what a contract asks for?  Every difference in words, with what it does to the sound."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from diagnose import audio as sounds
from diagnose.contract import MelContract, family
from diagnose.errors import DiagnoseError
from diagnose.infer import Candidate, Inference, infer_contract
from diagnose.infer.array import plane
from diagnose.spectrogram import MelGrid, mel_edges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.audio import Audio, Source

EQUAL_DB = 0.1  # root mean square; a convention that differs anywhere leaves more
EXCERPT_S = 30.0
LEAST_LEVEL_DB = 0.5
NEAR_CLIP = 1.06
GRID_FIELDS = ("rate_hz", "n_fft", "hop", "fmin_hz", "fmax_hz", "formula", "norm", "centred")


class Difference(msgspec.Struct, frozen=True):
    """One field in which an array is not what a contract asks for, and the consequence."""

    field: str
    found: Any = msgspec.field(name="is")
    should_be: Any
    consequence: str

    @property
    def line(self) -> str:
        if isinstance(self.found, bool):
            how = "centred, where they should not be" if self.found else "not centred, where they should be"
            return f"frames {how}: {self.consequence}"
        return f"{self.field} {_shown(self.found)}, not {_shown(self.should_be)}: {self.consequence}"


class Agreement(msgspec.Struct, frozen=True):
    """An inference held against a contract.

    differences: none where it agrees.  unchecked: fields that could not be told.  misfit_db: root mean square of the
    array minus the contract's own mel of the sound, in dB; None without the sound or where the shapes differ.
    """

    inference: Inference
    wanted: MelContract
    differences: tuple[Difference, ...]
    unchecked: tuple[str, ...]
    misfit_db: float | None = None

    @property
    def verdict(self) -> str:
        return "FAIL" if self.differences else "PASS"


class ContractMismatch(DiagnoseError):
    """An array is not in the contract that was asked for; one line a difference."""

    exit_code = 1

    def __init__(self, agreement: Agreement, name: str) -> None:
        self.agreement = agreement
        lines = [f"{name} is not what {agreement.wanted.name} reads:"]
        super().__init__("\n  ".join((*lines, *(each.line for each in agreement.differences))))


def check_contract(
    array: Any, contract: str, audio: Source | None = None, *, rate: int | None = None, name: str = "the mel"
) -> Agreement:
    """One line before a vocoder's call: raises ContractMismatch, in words, where the array is not what it reads.

    array: numpy or torch, as it will be given: (bands, frames), or batched.  contract: a name of `diagnose contracts`,
    or the path of a TOML file.  audio: the sound it was made from; with it the grid is checked too.
    """
    found = agree(array, contract, audio, rate=rate, name=name)
    if found.inference.axes == "frames, bands":
        turned = Difference(
            "axes", "frames, bands", "bands, frames", "the vocoder takes frames for bands; transpose the last two axes"
        )
        found = msgspec.structs.replace(found, differences=(turned, *found.differences))
    if found.differences:
        raise ContractMismatch(found, name)
    return found


def agree(
    array: Any,
    contract: str,
    audio: Source | None = None,
    *,
    rate: int | None = None,
    item: int = 0,
    name: str = "array",
) -> Agreement:
    """The array held against a contract; of several that begin with that name, the one with the fewest differences."""
    wanted = family(contract)
    sound = None if audio is None else sounds.load(audio, rate, "audio")
    inference = infer_contract(array, sound, item=item, name=name)
    found = [_held_against(inference, each, array, sound, item) for each in wanted]
    return min(found, key=lambda each: (len(each.differences), each.misfit_db or 0.0))


def _held_against(inference: Inference, wanted: MelContract, array: Any, sound: Audio | None, item: int) -> Agreement:
    misfit = None if sound is None else _misfit_db(array, wanted, sound, item)
    wrong = [Difference(sign.id, sign.says, None, "no vocoder can read that") for sign in inference.signs if sign.wrong]
    if misfit is not None and misfit < EQUAL_DB and not wrong:
        return Agreement(inference, wanted, (), (), misfit)
    if inference.best is None:
        return Agreement(inference, wanted, tuple(wrong), GRID_FIELDS, misfit)
    found = (*wrong, *_in_levels(inference, wanted), *_in_grid(inference.best, wanted))
    fields = inference.best.fields()
    unchecked = tuple(name for name in GRID_FIELDS if fields[name] is None)
    return Agreement(inference, wanted, found, unchecked, misfit)


def _misfit_db(array: Any, wanted: MelContract, sound: Audio, item: int) -> float | None:
    """Root mean square in dB between the array and the contract's own mel of the sound's first half minute."""
    read = plane(array, item)
    values = read.values if read.values.shape[0] == wanted.grid.bands else read.turned.values
    if values.shape[0] != wanted.grid.bands or read.bad:
        return None
    excerpt = sounds.Audio(sound.mono[None, : round(EXCERPT_S * sound.rate)], sound.rate, sound.name)
    expected = wanted.mel(sounds.resample(excerpt, wanted.grid.rate).mono)
    frames = expected.values.shape[1]
    if excerpt.length < sound.length:  # the excerpt's end is not the sound's
        frames -= wanted.grid.n_fft // wanted.grid.hop + 1
    if not 0 < frames <= values.shape[1] or (excerpt.length == sound.length and frames < values.shape[1]):
        return None
    with np.errstate(over="ignore"):  # values in another unit are infinite powers in this one
        powers = [
            np.maximum(expected.scale.to_power(part[:, :frames].astype(np.float64)), 1e-30)
            for part in (expected.values, values)
        ]
    levels = [np.minimum(10 * np.log10(np.minimum(power, 1e300)), 1e3) for power in powers]
    return float(np.sqrt(np.mean(np.square(levels[0] - levels[1]))))


# Levels


def _in_levels(inference: Inference, wanted: MelContract) -> Iterator[Difference]:
    best = inference.best
    assert best is not None
    if inference.bands != wanted.grid.bands:
        yield Difference("bands", inference.bands, wanted.grid.bands, "the vocoder's first layer does not fit")
    unit, wanted_unit = _unit(best.levels.name), _unit(wanted.levels.name)
    if unit != wanted_unit:
        yield Difference("scale", best.levels.name, wanted.levels.name, _of_unit(inference, wanted))
    elif unit == "normalised":
        yield from _in_range(best, wanted)
    pooled, wanted_pooled = best.fields()["pooled"], wanted.levels.summed
    if pooled is not None and pooled != wanted_pooled:
        yield Difference("pooled", pooled, wanted_pooled, _of_pooled(str(pooled)))
    yield from _in_reference(best, wanted)
    yield from _in_clip(inference, wanted, unit == wanted_unit)


def _unit(scale: str) -> str:
    """What the numbers are: linear, dB, ln, log10, normalised."""
    for unit in ("db", "ln", "log10"):
        if unit in scale.split("-"):
            return "dB" if unit == "db" else unit
    return "normalised" if scale == "normalised" else "linear"


def _of_unit(inference: Inference, wanted: MelContract) -> str:
    best = inference.best
    assert best is not None
    unit, wanted_unit = _unit(best.levels.name), _unit(wanted.levels.name)
    names = {"linear": "linear values", "dB": "dB", "ln": "natural logarithms", "log10": "logarithms to base 10"}
    names["normalised"] = f"values laid on {best.levels.bottom:g} to {best.levels.top:g}"
    wanted_name = names[wanted_unit] if wanted_unit != "normalised" else "normalised values"
    span = f"{inference.lowest:.4g} to {inference.highest:.4g}"
    low, high = wanted.range
    reads = f"{low:.4g} to {high:.4g}" if math.isfinite(low) else f"up to {high:.4g}"
    return f"{names[unit]}, not {wanted_name}: {span} where {reads} is read"


def _of_pooled(pooled: str) -> str:
    ours, theirs, times = ("|STFT|**2", "|STFT|", "twice") if pooled == "power" else ("|STFT|", "|STFT|**2", "half")
    return f"the filters summed {ours}, not {theirs}: its logarithm is {times} as large, and no formula undoes the sum"


def _in_range(best: Candidate, wanted: MelContract) -> Iterator[Difference]:
    ours, theirs = best.levels, wanted.levels
    if (ours.bottom, ours.top) != (theirs.bottom, theirs.top):
        found, should = f"{ours.bottom:g}..{ours.top:g}", f"{theirs.bottom:g}..{theirs.top:g}"
        yield Difference("range", found, should, "another range of numbers stands for the same levels")


def _in_reference(best: Candidate, wanted: MelContract) -> Iterator[Difference]:
    ours, theirs = best.fields()["reference"], wanted.levels.reference
    if ours is None or wanted.levels.name == "normalised":
        return
    if ours == "max" and theirs != "max":
        yield Difference(
            "reference", "max", theirs, "reference lost: the loudest cell is the zero point, so the level is gone"
        )
    elif ours != "max" and theirs == "max":
        yield Difference("reference", _number(ours), "max", "the loudest cell is not the zero point")
    elif ours != "max" and theirs != "max" and best.residual_db is not None:
        unit = 20 if best.pooled == "magnitude" else 10
        over = unit * math.log10(float(theirs) / float(_number(ours)))
        if abs(over) > max(LEAST_LEVEL_DB, best.residual_db):
            yield Difference("reference", _number(ours), theirs, f"every level is {over:+.1f} dB off")


def _in_clip(inference: Inference, wanted: MelContract, same_unit: bool) -> Iterator[Difference]:
    best = inference.best
    assert best is not None
    if not wanted.levels.clip:
        return
    low, high = wanted.range
    if best.levels.top_db and not wanted.levels.top_db:
        said = f"what lay further than {best.levels.top_db:g} dB under the loudest was raised to there"
        yield Difference("top_db", best.levels.top_db, None, said)
    elif best.levels.clip and best.levels.clip > NEAR_CLIP * wanted.levels.clip:
        yield Difference("clip", best.levels.clip, wanted.levels.clip, "quiet cells were raised: silence is not silent")
    elif same_unit and math.isfinite(low) and inference.lowest < low - 0.01 * abs(low):
        said = f"values down to {inference.lowest:.4g}, the vocoder never saw any under {low:.4g}; clip them"
        yield Difference("clip", best.levels.clip, wanted.levels.clip, said)
    if same_unit and wanted.levels.reference != "max" and inference.highest > high + 0.05 * abs(high):
        said = f"values up to {inference.highest:.4g}; a sound within full scale gives {high:.4g} at most"
        yield Difference("range", round(inference.highest, 4), round(high, 4), said)


# Grid


def _in_grid(best: Candidate, wanted: MelContract) -> Iterator[Difference]:
    if best.grid is None:
        return
    fields, grid, theirs = best.fields(), best.grid, wanted.grid
    wants: dict[str, Any] = {
        "rate_hz": theirs.rate,
        "n_fft": theirs.n_fft,
        "hop": theirs.hop,
        "fmin_hz": theirs.fmin,
        "fmax_hz": theirs.fmax,
        "formula": theirs.formula,
        "norm": theirs.norm,
        "centred": theirs.padding.startswith("centre"),
    }
    for name, should in wants.items():
        ours: Any = fields[name]
        if ours is None or ours == should or (name in ("fmin_hz", "fmax_hz") and _same_hz(ours, should, theirs)):
            continue
        yield Difference(name, ours, should, CONSEQUENCES[name](grid, theirs))
    if fields["padding"] is not None and {grid.padding, theirs.padding} == {"same-reflect", "none"}:
        said = f"frames begin {abs(grid.framing.margin - theirs.framing.margin)} samples apart"
        yield Difference("padding", grid.padding, theirs.padding, said)


def _same_hz(ours: float, should: float, grid: MelGrid) -> bool:
    """Within a tenth of a bin: no filter changes that one could see."""
    return abs(ours - should) < 0.1 * grid.rate / grid.n_fft


def _of_rate(ours: MelGrid, theirs: MelGrid) -> str:
    return f"played at {theirs.rate} Hz everything is {theirs.rate / ours.rate:.3g} times as high and as fast"


def _of_n_fft(ours: MelGrid, theirs: MelGrid) -> str:
    ms, wanted_ms = (1000 * grid.n_fft / grid.rate for grid in (ours, theirs))
    level = 20 * math.log10(ours.n_fft / theirs.n_fft)
    return f"frames of {ms:.3g} ms, not {wanted_ms:.3g}: another blur in time and frequency, levels {level:+.1f} dB off"


def _of_hop(ours: MelGrid, theirs: MelGrid) -> str:
    ratio = theirs.hop / theirs.rate / (ours.hop / ours.rate)
    if abs(ratio - 1) < 1e-6:
        return "the same step in time at another rate"
    return f"a frame every {1000 * ours.hop / ours.rate:.4g} ms: the sound comes out {ratio:.3g} times as long"


def _of_bands(ours: MelGrid, theirs: MelGrid) -> str:
    band = min(3 * theirs.bands // 4, ours.bands - 1)
    places = [float(mel_edges(grid)[band + 1]) / 1000 for grid in (ours, theirs)]
    return f"band {band} sits at {places[0]:.3g} kHz instead of {places[1]:.3g}"


def _of_norm(ours: MelGrid, theirs: MelGrid) -> str:
    edges = mel_edges(theirs)
    widths = edges[2:] - edges[:-2]
    tilt = 20 * math.log10(widths[-1] / widths[0])
    if ours.norm == "none":
        return f"filters of equal height: the high bands gain up to {tilt:.0f} dB over the low ones"
    return f"filters of equal area: the high bands lose up to {tilt:.0f} dB against the low ones"


def _of_centring(ours: MelGrid, theirs: MelGrid) -> str:
    centres = [(grid.n_fft / 2 - grid.framing.margin) / grid.rate for grid in (ours, theirs)]
    late = 1000 * (centres[1] - centres[0])
    when = "earlier" if late > 0 else "later"
    return f"every frame stands for a time {abs(late):.3g} ms {when} than the vocoder takes it"


CONSEQUENCES = {
    "rate_hz": _of_rate,
    "n_fft": _of_n_fft,
    "hop": _of_hop,
    "fmin_hz": _of_bands,
    "fmax_hz": _of_bands,
    "formula": _of_bands,
    "norm": _of_norm,
    "centred": _of_centring,
}


def _number(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else value


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value is None else str(value)
