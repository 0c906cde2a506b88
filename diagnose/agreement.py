"""Is a mel array what a contract asks for?  Every difference in words, with what it does to the sound."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from diagnose import audio as sounds
from diagnose.consequence import consequence
from diagnose.contract import MelContract, family
from diagnose.errors import DiagnoseError, InputError, NotComparable
from diagnose.infer.array import Plane, plane
from diagnose.infer.inference import infer
from diagnose.infer.values import UNIT_DB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.audio import Audio, Source
    from diagnose.contract import Levels
    from diagnose.infer import Candidate, Inference
    from diagnose.spectrogram import MelGrid

EQUAL_DB = 0.1  # root mean square; a convention that differs anywhere leaves more
EXCERPT_S = 30.0
LEAST_LEVEL_DB = 0.5
NEAR_CLIP = 1.06
FRAMES_OFF = 1  # Whisper drops the last
SURE = 0.9
POSSIBLE = 0.05
AS_LIKELY = 0.13
GUESSED_DB = 0.2
UNDER_CLIP = 0.1
MOST_ITEMS = 64
SPREAD_DB = (30.0, 115.0)
LEAST_SPREAD_DB = 3.0
UNREADABLE = "no vocoder can read that"
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
        if self.should_be is None and isinstance(self.found, str):
            return f"{self.field}: {self.found}; {self.consequence}"
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
        """ERROR where the sound explains the array in no way, so that nothing can be said of the grid."""
        return "FAIL" if self.differences else "ERROR" if self.inference.strange else "PASS"


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

    array: numpy or torch, as it will be given: (bands, frames), or batched, of which every item is looked at.
    contract: a name of `diagnose contracts`, or the path of a TOML file.  audio: the sound that the first item was
    made from; with it the grid is checked too.  Raises NotComparable where that sound explains the array in no way.
    """
    found = agree(array, contract, audio, rate=rate, name=name)
    if found.inference.axes == "frames, bands":
        said = "the vocoder takes frames for bands; transpose the last two axes"
        turned = Difference("axes", "frames, bands", "bands, frames", said)
        found = msgspec.structs.replace(found, differences=(turned, *found.differences))
    others = _in_others(array, found.inference, name, frozenset((found.wanted.grid.bands,)))
    found = msgspec.structs.replace(found, differences=(*found.differences, *others))
    if found.differences:
        raise ContractMismatch(found, name)
    if found.verdict == "ERROR":
        raise NotComparable(f"{name}: {found.inference.ambiguous[0]}")
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
    bands = frozenset(each.grid.bands for each in wanted)
    read = plane(array, item, name, bands)
    inference = infer(read, sound, item, wanted)
    if (inference.axes == "frames, bands") != read.transposed:
        read = read.turned
    found = [_held_against(inference, each, read, sound) for each in wanted]
    return min(found, key=lambda each: (len(each.differences), each.misfit_db is None, each.misfit_db or 0.0))


def _in_others(array: Any, inference: Inference, name: str, bands: frozenset[int]) -> Iterator[Difference]:
    """What is wrong with other items of a batch, or another scale than the first one's."""
    for item in range(1, min(inference.items, MOST_ITEMS)):
        try:
            other = infer(plane(array, item, name, bands), None, item)
        except InputError as error:
            yield Difference(f"item {item}", str(error), None, UNREADABLE)
            return
        wrong = [sign.says for sign in other.signs if sign.wrong and sign.id != "constant"]
        if wrong:
            yield Difference(f"item {item}", wrong[0], None, UNREADABLE)
        elif _another(inference.best, other.best):
            assert inference.best is not None
            assert other.best is not None
            said = "the items of a batch are in several conventions"
            yield Difference(f"item {item}", other.best.levels.name, inference.best.levels.name, said)


def _another(first: Candidate | None, other: Candidate | None) -> bool:
    """The other item is surely in another unit."""
    if first is None or other is None or other.probability < SURE:
        return False
    return _unit(first.levels.name) != _unit(other.levels.name)


def _held_against(inference: Inference, wanted: MelContract, read: Plane, sound: Audio | None) -> Agreement:
    misfit = None if sound is None else _misfit_db(read, wanted, sound)
    if misfit is not None and misfit < EQUAL_DB:
        return Agreement(inference, wanted, (), (), misfit)
    silent = abs(inference.lowest - wanted.range[0]) < 1e-3 * abs(wanted.range[0])
    wrong = [
        Difference(sign.id, sign.says, None, UNREADABLE)
        for sign in inference.signs
        if sign.wrong and not (sign.id == "constant" and silent)
    ]
    if inference.best is None:
        return Agreement(inference, wanted, tuple(wrong), GRID_FIELDS, misfit)
    options = [
        (msgspec.structs.replace(inference, best=each), tuple(_differences(inference, each, wanted)))
        for each in _as_likely(inference, wanted)
    ]
    best, differences = min(options, key=lambda each: len(each[1]))
    assert best.best is not None
    fields = best.best.fields()
    unchecked = tuple(name for name in GRID_FIELDS if fields[name] is None)
    return Agreement(best, wanted, (*wrong, *differences), unchecked, misfit)


def _as_likely(inference: Inference, wanted: MelContract) -> list[Candidate]:
    """Readings that the array does not speak against: the best, its equals, the contract's own if it nearly fits."""
    best = inference.best
    assert best is not None
    likely = [msgspec.structs.replace(best, unknown=frozenset())]  # each equal is judged as if it were the truth
    for other in inference.candidates[1:]:
        least = AS_LIKELY * best.probability if best.grid is not None else POSSIBLE
        likely += [other] * (other.probability >= least)
    if best.grid is None and _may_be(inference, wanted):
        likely.append(msgspec.structs.replace(best, levels=_unmarked(wanted.levels), pooled=wanted.levels.summed))
    asked = inference.asked.get(wanted.name)
    if asked is not None and best.residual_db is not None and asked.residual_db is not None:
        most = (
            best.residual_db + (0.0 if best.residual_db < GUESSED_DB else 0.5 * best.residual_db + 0.5) + EQUAL_DB / 10
        )
        likely += [asked] * (asked.residual_db <= most)
    return likely


def _may_be(inference: Inference, wanted: MelContract) -> bool:
    """The values alone do not speak against the wanted scale: no mark of another, and they spread as mels do."""
    best = inference.best
    assert best is not None
    unit = UNIT_DB.get(wanted.levels.name)
    marked = best.levels.clip or best.levels.top_db or best.levels.reference == "max"
    if unit is None or marked or best.levels.name in ("power", "magnitude", "normalised"):
        return False
    return SPREAD_DB[0] < unit * inference.spread < SPREAD_DB[1]


def _unmarked(levels: Levels) -> Levels:
    return msgspec.structs.replace(levels, clip=None, top_db=None, reference=1.0)


def _differences(inference: Inference, best: Candidate, wanted: MelContract) -> Iterator[Difference]:
    inference = msgspec.structs.replace(inference, best=best)
    yield from _in_levels(inference, wanted)
    yield from _in_grid(best, wanted)


def _misfit_db(read: Plane, wanted: MelContract, sound: Audio) -> float | None:
    """Root mean square in dB between the array and the contract's own mel of the sound's first half minute."""
    values = read.values
    if values.shape[0] != wanted.grid.bands or read.bad:
        return None
    excerpt = sounds.Audio(sound.mono[None, : round(EXCERPT_S * sound.rate)], sound.rate, sound.name)
    expected = wanted.mel(sounds.resample(excerpt, wanted.grid.rate).mono)
    frames = expected.values.shape[1]
    if excerpt.length < sound.length:  # the excerpt's end is not the sound's
        frames -= wanted.grid.n_fft // wanted.grid.hop + 1
    elif abs(frames - values.shape[1]) > FRAMES_OFF:
        return None
    frames = min(frames, values.shape[1])
    if frames < 1:
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
    found = []
    unit, wanted_unit = _unit(best.levels.name), _unit(wanted.levels.name)
    if unit != wanted_unit:
        found.append(Difference("scale", best.levels.name, wanted.levels.name, _of_unit(inference, wanted)))
    elif unit == "normalised":
        found += _in_range(best, wanted)
    pooled = best.fields()["pooled"]
    if pooled is not None and pooled != wanted.levels.summed:
        found.append(Difference("pooled", pooled, wanted.levels.summed, _of_pooled(str(pooled))))
    found += _in_reference(best, wanted)
    found += _in_floor(inference, wanted)
    normed = best.grid is None or best.grid.norm == wanted.grid.norm
    if not found and normed:  # what another difference brings about is none of its own
        found += _in_span(inference, wanted)
    yield from found


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
    ours, theirs = ("|STFT|**2", "|STFT|") if pooled == "power" else ("|STFT|", "|STFT|**2")
    return (
        f"the filters summed {ours}, not {theirs}: the sum of squares is not the square of the sum, nothing undoes it"
    )


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
        over = unit * math.log10(float(theirs) / float(ours))
        if abs(over) > max(LEAST_LEVEL_DB, 2 * best.residual_db):
            said = f"every level is {over:+.1f} dB off, or the sound was scaled by that before the mel was made"
            yield Difference("reference", _number(ours), theirs, said)


def _in_floor(inference: Inference, wanted: MelContract) -> Iterator[Difference]:
    """A floor that was raised: what lay under it is lost."""
    best = inference.best
    assert best is not None
    if best.levels.top_db and not wanted.levels.top_db:
        said = f"what lay further than {best.levels.top_db:g} dB under the loudest was raised to there"
        yield Difference("top_db", best.levels.top_db, None, said)
    clip, wants = best.levels.clip, wanted.levels.clip
    at_floor = abs(inference.lowest - wanted.range[0]) < 1e-3 * abs(wanted.range[0])
    same = _unit(best.levels.name) == _unit(wanted.levels.name) and best.pooled in (None, wanted.levels.summed)
    if clip and wants and same and not at_floor and clip > NEAR_CLIP * wants and best.levels.reference == 1.0:
        yield Difference("clip", clip, wants, "quiet cells were raised: silence is not silent")


def _in_span(inference: Inference, wanted: MelContract) -> Iterator[Difference]:
    """Values that no sound gives, in the scale that is read."""
    low, high = wanted.range
    spread_db = UNIT_DB.get(wanted.levels.name, math.inf) * inference.spread
    if spread_db < LEAST_SPREAD_DB:
        said = "the same in every cell is no sound: a vocoder hums at its frame rate"
        yield Difference("spread", f"the values spread over {spread_db:.2g} dB", None, said)
    if math.isfinite(low) and inference.lowest < low - UNDER_CLIP * abs(low):
        said = f"values down to {inference.lowest:.4g}, the vocoder never saw any under {low:.4g}; clip them there"
        clip = inference.best.levels.clip if inference.best is not None else None
        yield Difference("clip", None if clip == wanted.levels.clip else clip, wanted.levels.clip, said)
    if wanted.levels.reference != "max" and inference.highest > high + UNDER_CLIP * abs(high):
        said = f"values up to {inference.highest:.4g}; a sound within full scale gives {high:.4g} at most"
        yield Difference("range", round(inference.highest, 4), round(high, 4), said)
    tail = next((sign.says for sign in inference.signs if sign.id == "masked-tail"), None)
    if tail is not None and "(the floor)" not in tail and wanted.levels.name not in ("power", "magnitude"):
        yield Difference("masked-tail", tail, None, f"no silence, which is {low:.4g}: the vocoder plays it")


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
        yield Difference(name, ours, should, consequence(name, grid, theirs))
    if fields["padding"] is not None and {grid.padding, theirs.padding} == {"same-reflect", "none"}:
        said = f"frames begin {abs(grid.framing.margin - theirs.framing.margin)} samples apart"
        yield Difference("padding", grid.padding, theirs.padding, said)


def _same_hz(ours: float, should: float, grid: MelGrid) -> bool:
    """Within a tenth of a bin: no filter changes that one could see."""
    return abs(ours - should) < 0.1 * grid.rate / grid.n_fft


def _number(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value is None else str(value)
