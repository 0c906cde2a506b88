"""infer_contract: find the convention of a mel array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from diagnose import audio as sounds
from diagnose.mel.array import Plane, plane
from diagnose.mel.candidate import Candidate, Inference
from diagnose.mel.contract import load, names
from diagnose.mel.fit import Fit, Reading, Sound, View, views
from diagnose.mel.fitted_scale import levels_of
from diagnose.mel.ranking import evidence, near, preference, settled
from diagnose.mel.search import Search
from diagnose.mel.signs import signs
from diagnose.mel.values import Guess, guesses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.arrays import Floats
    from diagnose.audio import Audio, Source
    from diagnose.mel.contract import MelContract

MOST_CANDIDATES = 6
FEWEST = 4
UNLIKELY = 0.01
GOOD_MISFIT = 0.06
FRAMES_OFF = 0.02
TURNED = 0.8  # of the misfit: by less, nothing is turned round
MOST_CELLS = 6000  # that were looked at
# A reading that leaves more than this explains nothing: the output of a good model is some 3 dB off.
STRANGE_DB = 6.0
STRANGE_MISFIT = 0.1

GUESSED_DB = 0.5
MOST_FRAMES = 4000


def infer_contract(
    array: Any, audio: Source | None = None, *, rate: int | None = None, item: int = 0, name: str = "array"
) -> Inference:
    """The convention of a mel array: its scale from the values alone, its grid too where the sound is given.

    array: numpy or torch, (bands, frames) or (frames, bands), batched or not; item says which of a batch.
    audio: the sound it was made from, whole: a path, Audio, or an array with its rate.  Raises InputError.
    """
    sound = None if audio is None else sounds.load(audio, rate, "audio")
    return infer(plane(array, item, name), sound, item)


def infer(read: Plane, sound: Audio | None, item: int = 0, asked: Sequence[MelContract] = ()) -> Inference:
    """infer_contract of a plane; asked: contracts whose own readings are fitted too."""
    found = _Found()
    if float(np.ptp(read.values)) > 0:
        linear = any(sign.id == "linear-stft" for sign in signs(read, None))
        if sound is not None and min(read.values.shape) >= FEWEST and not linear:
            read, found = _with_sound(read, sound, asked)
        else:
            found = _from_values(read)
    best = found.candidates[0] if found.candidates else None
    return Inference(
        best=best,
        candidates=tuple(found.candidates[:MOST_CANDIDATES]),
        asked=found.asked,
        strange=found.strange,
        signs=signs(read, None if best is None else best.levels),
        ambiguous=tuple(found.ambiguous),
        shape=read.shape,
        axes="frames, bands" if read.transposed else "bands, frames",
        bands=read.values.shape[0],
        frames=read.values.shape[1],
        items=read.items,
        item=item,
        lowest=float(read.values.min()),
        highest=float(read.values.max()),
        audio=None if sound is None else sound.name,
        spread=float(np.subtract(*np.quantile(_lively(read.values), (0.95, 0.05)))),
    )


class _Found(msgspec.Struct, frozen=True):
    candidates: list[Candidate] = []
    ambiguous: list[str] = []
    asked: dict[str, Candidate] = {}
    strange: bool = False


# From the values alone


def _from_values(read: Plane) -> _Found:
    values = _lively(read.values)
    found = [_guessed(guess, read) for guess in guesses(values) if guess.probability > UNLIKELY]
    return _Found(found, _undecided(found) if found else [])


def _lively(values: Floats) -> Floats:
    """At most 4000 frames in a row, without those of one value, which were masked or padded."""
    first = max(0, (values.shape[1] - MOST_FRAMES) // 2)
    values = values[:, first : first + MOST_FRAMES]
    lively = np.ptp(values, axis=0) > 0
    return values[:, lively] if len(values) > 1 and lively.sum() > FEWEST else values


def _guessed(guess: Guess, read: Plane) -> Candidate:
    levels = guess.levels
    summed = None if levels.name == "normalised" or levels.name.endswith("-db") else levels.summed
    return Candidate(levels, summed, read.values.shape[0], probability=guess.probability)


def _undecided(found: list[Candidate]) -> list[str]:
    """What the values alone cannot tell, in words."""
    best = found[0]
    said = []
    if best.levels.name == "normalised":
        said.append("the values do not show which dB or logarithms were normalised; give the sound to determine it")
    elif best.levels.name.endswith("-db"):
        said.append(
            "the values do not show whether they are dB of power or of magnitude; power is assumed, as of librosa's "
            "power_to_db; give the sound to determine it"
        )
    said += [
        f"{best.levels.name} or {other.levels.name}: the values alone do not decide"
        for other in found[1:]
        if other.probability > best.probability / 3 and not other.levels.name.endswith("-db")
    ]
    return said


# With the sound


def _with_sound(read: Plane, sound: Audio, asked: Sequence[MelContract]) -> tuple[Plane, _Found]:
    """The plane in its true order, and its readings."""
    heard = Sound(sound)
    if not read.sure and _first_misfit(read.turned, heard) < TURNED * _first_misfit(read, heard):
        read = read.turned
    known = _known(read, heard)
    view, search = _searched(read, heard, known)
    fits = search.fits.ranked
    if fits[0].residual_db > STRANGE_DB and fits[0].misfit > STRANGE_MISFIT:
        alone = _from_values(read)
        strange = f"no grid reproduces this array from {sound.name}: the best is {fits[0].residual_db:.0f} dB off; was "
        strange += "it computed from another sound, or from a part of it?"
        return read, _Found(alone.candidates, [strange, *alone.ambiguous], {}, True)
    cells = min(read.values.size, MOST_CELLS)
    scored = []
    for fit in near(fits):
        candidate = _candidate(fit, read, view.linear)
        score = preference(candidate, heard, read.values.shape[1], fit.reading in known)
        score += evidence(fit, fits[0], cells)
        scored.append((candidate, score))
    candidates, ambiguous = settled(scored)
    fitting = [each for each in asked if each.grid.bands == read.values.shape[0]]
    readings = {each.name: search.fits.of(Reading(each.grid, each.levels.summed)) for each in fitting}
    wanted = {name: _candidate(fit, read, view.linear) for name, fit in readings.items() if fit.slope > 0}
    if fits[0].residual_db > GUESSED_DB:
        said = f"the nearest grid is {fits[0].residual_db:.1f} dB off: the output of a model, or a convention that is "
        ambiguous = [said + "not searched for, such as a window shorter than n_fft", *ambiguous]
    return read, _Found(candidates, ambiguous, wanted)


def _first_misfit(read: Plane, sound: Sound) -> float:
    """How badly the likeliest view fits at first sight."""
    view = next(views(read.values))
    return Search(view, sound).coarse.ranges[0][0]


def _searched(read: Plane, sound: Sound, known: list[Reading]) -> tuple[View, Search]:
    """The view that fits best, and its search: the likelier views first, until one fits well."""
    found = []
    for view in views(read.values):
        search = Search(view, sound)
        found.append((search.run(known)[0], view, search))
        if found[-1][0].misfit < GOOD_MISFIT or found[-1][0].residual_db < STRANGE_DB:
            break
    _, view, search = min(found, key=lambda each: each[0].residual_db)
    return view, search


def _known(read: Plane, sound: Sound) -> list[Reading]:
    """Readings of the known contracts that have as many bands and about as many frames."""
    bands, frames = read.values.shape
    found = []
    for contract in map(load, names()):
        expected = contract.grid.framing.count(sound.length(contract.grid.rate))
        if contract.grid.bands == bands and abs(expected - frames) <= 2 + FRAMES_OFF * frames:
            found.append(Reading(contract.grid, contract.levels.summed))
    return list(dict.fromkeys(found))


def _candidate(fit: Fit, read: Plane, linear: bool) -> Candidate:
    levels = levels_of(fit, read.values, linear)
    reading = fit.reading
    bands = read.values.shape[0]
    return Candidate(levels, reading.pooled, bands, reading.grid, fit.slope, fit.offset, fit.residual_db)
