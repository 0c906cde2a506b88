"""infer_contract: which convention is a mel array in?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec
import numpy as np

from diagnose import audio as sounds
from diagnose.contract import LOG_BASES, Levels, load, names
from diagnose.errors import InputError
from diagnose.infer.array import Plane, plane
from diagnose.infer.candidate import Candidate, Inference
from diagnose.infer.name import levels_of, preference
from diagnose.infer.search import Fit, Reading, Search
from diagnose.infer.signs import signs
from diagnose.infer.sound import Sound
from diagnose.infer.values import Guess, Marks, guesses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from diagnose.audio import Audio, Source

    Floats = NDArray[np.floating[Any]]

MOST_CANDIDATES = 6
FEWEST_FRAMES = 4
UNLIKELY = 0.01
POOR_MISFIT = 0.02
CEILING_CELLS = 3
FLOOR_SHARE = 0.01
FLOOR_BINS = 120
FLOOR_HEAP = 3.0
CELLS_ALIKE = 20
MOST_CELLS = 6000
RESAMPLED = 1e-7
LINEAR_RANGE = 1e-14  # of the loudest: what float32 holds of a power
TIED_DB = 0.002
TIED_FACTOR = 1.15
LEAST_ODDS = 1.0


def infer_contract(
    array: Any, audio: Source | None = None, *, rate: int | None = None, item: int = 0, name: str = "array"
) -> Inference:
    """The convention of a mel array: its scale from the values alone, its grid too where the sound is given.

    array: numpy or torch, (bands, frames) or (frames, bands), batched or not; item says which of a batch.
    audio: the sound it was made from, a path, Audio, or an array with its rate.  Raises InputError.
    """
    read = plane(array, item, name)
    sound = None if audio is None else sounds.load(audio, rate, "audio")
    if sound is not None and read.items > 1 and item == 0:
        name = f"{name}, item 0 of {read.items}"
    candidates: list[Candidate] = []
    ambiguous: list[str] = []
    if float(np.ptp(read.values)) > 0:
        if sound is not None and min(read.values.shape[1], read.values.shape[0]) >= FEWEST_FRAMES:
            read, candidates, ambiguous = _with_sound(read, sound)
        else:
            candidates, ambiguous = _from_values(read)
    best = candidates[0] if candidates else None
    return Inference(
        best=best,
        candidates=tuple(candidates[:MOST_CANDIDATES]),
        signs=signs(read, best and best.levels),
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


def _from_values(read: Plane) -> tuple[list[Candidate], list[str]]:
    found = [_guessed(guess, read) for guess in guesses(read.values) if guess.probability > UNLIKELY]
    return found, _undecided(found)


def _guessed(guess: Guess, read: Plane) -> Candidate:
    pooled = None if guess.levels.base.endswith("-db") or guess.levels.name == "normalised" else _summed(guess.levels)
    return Candidate(guess.levels, pooled, read.values.shape[0], probability=guess.probability)


def _summed(levels: Levels) -> Literal["power", "magnitude"]:
    return "magnitude" if "magnitude" in levels.base else "power"


def _undecided(found: list[Candidate]) -> list[str]:
    """Scales that the values alone cannot tell apart, in words."""
    said = []
    best = found[0]
    if best.levels.base.endswith("-db") and best.levels.name != "normalised":
        said.append(
            "dB of a power or of a magnitude: the values alone cannot tell; taken for a power, as librosa's "
            "power_to_db gives it (the sound would tell)"
        )
    if best.levels.name == "normalised":
        said.append("which decibels or logarithms were normalised cannot be told from the values (the sound would tell)")
    for other in found[1:]:
        if other.probability > best.probability / 3 and not other.levels.base.endswith("-db"):
            said.append(f"{best.levels.name} or {other.levels.name}: the values alone hardly tell")
    return said


# With the sound


def _with_sound(read: Plane, sound: Audio) -> tuple[Plane, list[Candidate], list[str]]:
    """The plane in its true order, its readings, and what cannot be told apart."""
    heard = Sound(sound)
    best = _searched(read, heard)
    if not read.sure and best[1][0].misfit > POOR_MISFIT:
        other = _searched(read.turned, heard)
        if other[1][0].misfit < best[1][0].misfit:
            read, best = read.turned, other
    linear, fits = best
    frames = read.values.shape[1]
    ranked = []
    for fit in _near(fits):
        each = _candidate(fit, read, linear)
        ranked.append((each, preference(each, heard, frames) + _evidence(fit, fits[0], min(read.values.size, MOST_CELLS))))
    ranked.sort(key=lambda pair: -pair[1])
    return read, *_settled(ranked)


def _searched(read: Plane, sound: Sound) -> tuple[bool, list[Fit]]:
    """(the values are linear, the fits): the likelier view first, the next where that fits badly."""
    known = _known(read.values.shape[0], sound, read.values.shape[1])
    found = []
    for linear, values, heard in _views(read.values):
        found.append((linear, Search(values, heard, sound).run(known)))
        if found[-1][1][0].misfit < POOR_MISFIT:
            break
    return min(found, key=lambda each: each[1][0].residual_db)


def _views(values: Floats) -> Iterator[tuple[bool, Floats, NDArray[np.bool_]]]:
    """(linear, logarithms, cells that count): as logarithms or linear, whichever is likelier first; with and without a heap."""
    for linear in dict.fromkeys(guess.levels.name in ("power", "magnitude") for guess in guesses(values)):
        logarithms = np.log(np.maximum(values, values.max() * LINEAR_RANGE)) if linear else values
        lowest, highest = float(logarithms.min()), float(logarithms.max())
        end = lowest + FLOOR_SHARE * (highest - lowest)
        heap = _heap_end(logarithms)
        below = logarithms < highest if np.count_nonzero(logarithms == highest) >= CEILING_CELLS else True
        floors = [end] if heap <= end else [end, heap] if Marks(values).floored else [heap, end]
        yield from ((linear, logarithms, (logarithms > floor) & below) for floor in floors)


def _heap_end(values: Floats) -> float:
    """Where a heap of values at the low end stops: a floor that a model has learnt, and its noise; or the lowest value.

    A heap has FLOOR_HEAP times as many values as bins further up; it is taken to be as wide above as below its peak.
    """
    lowest, highest = float(values.min()), float(values.max())
    counts, edges = np.histogram(values, FLOOR_BINS, (lowest, highest))
    peak = int(np.argmax(counts[: FLOOR_BINS // 6]))
    usual = np.sort(counts[FLOOR_BINS // 5 : 2 * FLOOR_BINS // 3])[FLOOR_BINS // 4]
    return float(edges[peak] + edges[peak + 1]) - lowest if counts[peak] > FLOOR_HEAP * usual else lowest


def _known(bands: int, sound: Sound, frames: int) -> list[Reading]:
    """Readings of the known contracts that have as many bands and about as many frames."""
    found = []
    for contract in map(load, names()):
        grid = contract.grid
        expected = grid.framing.count(sound.length(grid.rate))
        if grid.bands == bands and abs(expected - frames) <= 2 + 0.02 * frames:
            found.append(Reading(grid, _summed(contract.levels)))
    return list(dict.fromkeys(found))


def _near(fits: list[Fit]) -> list[Fit]:
    """Those that fit nearly as well as the best."""
    most = TIED_FACTOR * fits[0].residual_db + TIED_DB
    return [fit for fit in fits if fit.residual_db <= most]


def _evidence(fit: Fit, best: Fit, cells: int) -> float:
    """Logarithm of the likelihood of a fit over the best one's: -n/2 ln(misfit / misfit of the best), n = cells / 20.

    Neighbouring cells err alike, so that one in twenty counts; what a resampler leaves tells nothing.
    """
    return -0.5 * cells / CELLS_ALIKE * math.log((fit.misfit + RESAMPLED) / (best.misfit + RESAMPLED))


def _candidate(fit: Fit, read: Plane, linear: bool) -> Candidate:
    levels = levels_of(fit, read.values, linear)
    pooled = fit.reading.pooled
    return Candidate(levels, pooled, read.values.shape[0], fit.reading.grid, float(fit.residual_db))


def _settled(ranked: list[tuple[Candidate, float]]) -> tuple[list[Candidate], list[str]]:
    """Probabilities by preference; fields in which equals differ become unknown, and are told in words."""
    total = sum(math.exp(score - ranked[0][1]) for _, score in ranked)
    found = [
        msgspec.structs.replace(each, probability=math.exp(score - ranked[0][1]) / total) for each, score in ranked
    ]
    best, fields = found[0], found[0].fields()
    unknown: set[str] = set()
    said = []
    told: set[tuple[str, ...]] = set()
    for other, (_, score) in zip(found[1:], ranked[1:], strict=True):
        theirs = other.fields()
        differ = [name for name in fields if fields[name] != theirs[name] and name not in ("fmin_hz", "fmax_hz")]
        differ = [name for name in differ if name not in ("padding",) or score > ranked[0][1] - LEAST_ODDS]
        if not differ or tuple(differ) in told or score < ranked[0][1] - 4:
            continue
        told.add(tuple(differ))
        if score > ranked[0][1] - LEAST_ODDS:
            unknown.update(differ)
        said.append(
            "cannot tell between "
            + ", ".join(f"{name} {fields[name]}" for name in differ)
            + " and "
            + ", ".join(f"{name} {theirs[name]}" for name in differ)
        )
    found[0] = msgspec.structs.replace(best, unknown=frozenset(unknown))
    return found, said[:3]
