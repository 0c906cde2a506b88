"""infer_contract: which convention is a mel array in?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose import audio as sounds
from diagnose.contract import load, names
from diagnose.infer.array import Plane, plane
from diagnose.infer.candidate import Candidate, Inference
from diagnose.infer.choice import evidence, near, preference, settled
from diagnose.infer.name import levels_of
from diagnose.infer.reading import Fit, Reading
from diagnose.infer.search import Search
from diagnose.infer.signs import signs
from diagnose.infer.sound import Sound
from diagnose.infer.values import Guess, guesses
from diagnose.infer.views import View, views

if TYPE_CHECKING:
    from diagnose.audio import Audio, Source

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

Found = tuple[list[Candidate], list[str]]


def infer_contract(
    array: Any, audio: Source | None = None, *, rate: int | None = None, item: int = 0, name: str = "array"
) -> Inference:
    """The convention of a mel array: its scale from the values alone, its grid too where the sound is given.

    array: numpy or torch, (bands, frames) or (frames, bands), batched or not; item says which of a batch.
    audio: the sound it was made from, whole: a path, Audio, or an array with its rate.  Raises InputError.
    """
    read = plane(array, item, name)
    sound = None if audio is None else sounds.load(audio, rate, "audio")
    candidates: list[Candidate] = []
    ambiguous: list[str] = []
    if float(np.ptp(read.values)) > 0:
        if sound is not None and min(read.values.shape) >= FEWEST:
            read, (candidates, ambiguous) = _with_sound(read, sound)
        else:
            candidates, ambiguous = _from_values(read)
    best = candidates[0] if candidates else None
    return Inference(
        best=best,
        candidates=tuple(candidates[:MOST_CANDIDATES]),
        signs=signs(read, None if best is None else best.levels),
        ambiguous=tuple(ambiguous),
        shape=read.shape,
        axes="frames, bands" if read.transposed else "bands, frames",
        bands=read.values.shape[0],
        frames=read.values.shape[1],
        items=read.items,
        lowest=float(read.values.min()),
        highest=float(read.values.max()),
        audio=None if sound is None else sound.name,
    )


# From the values alone


def _from_values(read: Plane) -> Found:
    found = [_guessed(guess, read) for guess in guesses(read.values) if guess.probability > UNLIKELY]
    return found, _undecided(found)


def _guessed(guess: Guess, read: Plane) -> Candidate:
    levels = guess.levels
    summed = None if levels.name == "normalised" or levels.name.endswith("-db") else levels.summed
    return Candidate(levels, summed, read.values.shape[0], probability=guess.probability)


def _undecided(found: list[Candidate]) -> list[str]:
    """What the values alone cannot tell, in words."""
    best = found[0]
    said = []
    if best.levels.name == "normalised":
        said.append("which decibels or logarithms were normalised cannot be told from the values; the sound would tell")
    elif best.levels.name.endswith("-db"):
        said.append(
            "dB of a power or of a magnitude: the values alone cannot tell; taken for a power, as librosa's "
            "power_to_db gives it; the sound would tell"
        )
    said += [
        f"{best.levels.name} or {other.levels.name}: the values alone hardly tell"
        for other in found[1:]
        if other.probability > best.probability / 3 and not other.levels.name.endswith("-db")
    ]
    return said


# With the sound


def _with_sound(read: Plane, sound: Audio) -> tuple[Plane, Found]:
    """The plane in its true order, and its readings."""
    heard = Sound(sound)
    if not read.sure and _first_misfit(read.turned, heard) < TURNED * _first_misfit(read, heard):
        read = read.turned
    known = _known(read, heard)
    view, fits = _searched(read, heard, known)
    if fits[0].residual_db > STRANGE_DB and fits[0].misfit > STRANGE_MISFIT:
        candidates, ambiguous = _from_values(read)
        strange = f"no grid gives this array from {sound.name}: the best leaves {fits[0].residual_db:.0f} dB; was it "
        return read, (candidates, [strange + "made from another sound, or from a part of it?", *ambiguous])
    cells = min(read.values.size, MOST_CELLS)
    scored = []
    for fit in near(fits):
        candidate = _candidate(fit, read, view.linear)
        score = preference(candidate, heard, read.values.shape[1], fit.reading in known)
        score += evidence(fit, fits[0], cells)
        scored.append((candidate, score))
    return read, settled(scored)


def _first_misfit(read: Plane, sound: Sound) -> float:
    """How badly the likeliest view fits at first sight."""
    view = next(views(read.values))
    return Search(view, sound).coarse.ranges[0][0]


def _searched(read: Plane, sound: Sound, known: list[Reading]) -> tuple[View, list[Fit]]:
    """The view that fits best, and its fits: the likelier views first, until one fits well."""
    found = []
    for view in views(read.values):
        found.append((view, Search(view, sound).run(known)))
        if found[-1][1][0].misfit < GOOD_MISFIT:
            break
    return min(found, key=lambda each: each[1][0].residual_db)


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
