"""Compare a mel array with a contract: every difference in words, with its effect on the sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from diagnose import audio as sounds
from diagnose.errors import DiagnoseError, InputError, NotComparable
from diagnose.mel.array import Plane, plane
from diagnose.mel.contract import MelContract, family
from diagnose.mel.differences import Difference, differences, unit
from diagnose.mel.inference import infer
from diagnose.mel.values import UNIT_DB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.audio import Audio, Source
    from diagnose.mel.candidate import Candidate, Inference
    from diagnose.mel.contract import ValueScale

EQUAL_DB = 0.1  # root mean square; a convention that differs anywhere leaves more
EXCERPT_S = 30.0
FRAMES_OFF = 1  # Whisper drops the last
SURE = 0.9
POSSIBLE = 0.05
AS_LIKELY = 0.13
GUESSED_DB = 0.2
MOST_ITEMS = 64
SPREAD_DB = (30.0, 115.0)
UNREADABLE = "no vocoder can use this"
GRID_FIELDS = ("rate_hz", "n_fft", "hop", "fmin_hz", "fmax_hz", "formula", "norm", "centred")


class ContractCheck(msgspec.Struct, frozen=True):
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

    def __init__(self, agreement: ContractCheck, name: str) -> None:
        self.agreement = agreement
        lines = [f"{name} does not match the contract {agreement.wanted.name}:"]
        super().__init__("\n  ".join((*lines, *(each.line for each in agreement.differences))))


def check_contract(
    array: Any, contract: str, audio: Source | None = None, *, rate: int | None = None, name: str = "the mel"
) -> ContractCheck:
    """One line before a vocoder's call: raises ContractMismatch, in words, where the array is not what it reads.

    array: numpy or torch, as it will be given: (bands, frames), or batched, of which every item is looked at.
    contract: a name of `diagnose contracts`, or the path of a TOML file.  audio: the sound that the first item was
    made from; with it the grid is checked too.  Raises NotComparable where that sound explains the array in no way.
    """
    found = contract_check(array, contract, audio, rate=rate, name=name)
    if found.inference.axes == "frames, bands":
        said = "the vocoder would use frames as bands; transpose the last two axes"
        turned = Difference("axes", "frames, bands", "bands, frames", said)
        found = msgspec.structs.replace(found, differences=(turned, *found.differences))
    others = _in_others(array, found.inference, name, frozenset((found.wanted.grid.bands,)))
    found = msgspec.structs.replace(found, differences=(*found.differences, *others))
    if found.differences:
        raise ContractMismatch(found, name)
    if found.verdict == "ERROR":
        raise NotComparable(f"{name}: {found.inference.ambiguous[0]}")
    return found


def contract_check(
    array: Any,
    contract: str,
    audio: Source | None = None,
    *,
    rate: int | None = None,
    item: int = 0,
    name: str = "array",
) -> ContractCheck:
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
            said = "the items of the batch have different conventions"
            yield Difference(f"item {item}", other.best.levels.name, inference.best.levels.name, said)


def _another(first: Candidate | None, other: Candidate | None) -> bool:
    """The other item is surely in another unit."""
    if first is None or other is None or other.probability < SURE:
        return False
    return unit(first.levels.name) != unit(other.levels.name)


def _held_against(inference: Inference, wanted: MelContract, read: Plane, sound: Audio | None) -> ContractCheck:
    misfit = None if sound is None else _misfit_db(read, wanted, sound)
    if misfit is not None and misfit < EQUAL_DB:
        return ContractCheck(inference, wanted, (), (), misfit)
    silent = abs(inference.lowest - wanted.range[0]) < 1e-3 * abs(wanted.range[0])
    wrong = [
        Difference(sign.id, sign.says, None, UNREADABLE)
        for sign in inference.signs
        if sign.wrong and not (sign.id == "constant" and silent)
    ]
    if inference.best is None:
        return ContractCheck(inference, wanted, tuple(wrong), GRID_FIELDS, misfit)
    options = [
        (msgspec.structs.replace(inference, best=each), tuple(differences(inference, each, wanted)))
        for each in _as_likely(inference, wanted)
    ]
    best, fewest = min(options, key=lambda each: len(each[1]))
    assert best.best is not None
    fields = best.best.fields()
    unchecked = tuple(name for name in GRID_FIELDS if fields[name] is None)
    return ContractCheck(best, wanted, (*wrong, *fewest), unchecked, misfit)


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
    unit_db = UNIT_DB.get(wanted.levels.name)
    marked = best.levels.clip or best.levels.top_db or best.levels.reference == "max"
    if unit_db is None or marked or best.levels.name in ("power", "magnitude", "normalised"):
        return False
    return SPREAD_DB[0] < unit_db * inference.spread < SPREAD_DB[1]


def _unmarked(levels: ValueScale) -> ValueScale:
    return msgspec.structs.replace(levels, clip=None, top_db=None, reference=1.0)


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
