"""All trials of some fixes: plan, run in parallel, resume, judge."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from diagnose.errors import InputError
from diagnose.version import VERSION
from tnca.fixes.catalogue import Fix, settings
from tnca.fixes.key import fingerprint, key
from tnca.fixes.trial import Outcome, breaches, round_trip, slopes, trained
from tnca.fixes.verdict import Verdict, decide, unit
from tnca.vocoders.griffinlim import GriffinLim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from diagnose.audio import Audio
    from diagnose.mel.contract import MelContract
    from tnca.config import Config
    from tnca.fixes.catalogue import Side
    from tnca.vocoders.vocoder import Vocoder

    Sides = dict[str, tuple[Outcome, ...]]

WORK = "work"
LOOKS, QUICK_LOOKS = 6, 2


class Scale(msgspec.Struct, frozen=True):
    """How large a study is.  quick: on a grid of 20 bands and 16 steps."""

    epochs: int
    seeds: int
    quick: bool = False


class Trip(msgspec.Struct, frozen=True, eq=False):
    """A round trip: an outcome a voice, and what is held against its mel."""

    outcomes: tuple[Outcome, ...]
    breaches: list[str] | None


class Measured(msgspec.Struct, frozen=True, eq=False):
    """A fix and what came of it.  sides: outcomes by side, one a seed: of the training, or of Griffin-Lim's phases."""

    fix: Fix
    sides: Sides
    verdict: Verdict
    evidence: dict[str, Any]

    def values(self, side: str, metric: str) -> list[float | None]:
        """A figure of a side, seed by seed."""
        return [each.figures.get(metric) for each in self.sides[side]]

    @property
    def figures(self) -> list[str]:
        """Names of those that both sides have."""
        one, other = ({name: None for each in side for name in each.figures} for side in self.sides.values())
        return [name for name in one if name in other]


class Study(msgspec.Struct, frozen=True, eq=False):
    """vocoder, contract: of what the round trips were given to."""

    sound: Audio
    vocoder: str
    contract: MelContract
    scale: Scale
    fixes: tuple[Measured, ...]


def study(
    sound: Audio,
    chosen: tuple[Fix, ...],
    voice: Vocoder,
    folder: str,
    scale: Scale,
    *,
    jobs: int = 1,
    planned: Callable[[int, int], object] | None = None,
) -> Study:
    """Everything measured.  folder: keeps the trainings; what is in it already is not done again.

    planned(done, whole) is told how many trainings are done, after each.  Raises InputError for a
    sound that cannot be grown, and for a vocoder that cannot be given such mels, before anything is trained.
    """
    trips: dict[str, Trip] = {}
    sides = {fix.name: _round_trips(fix, sound, voice, scale, trips) for fix in chosen if fix.measured == "round trip"}
    trainings = [
        (fix.name, side, key(config, sound), config)
        for fix in chosen
        if fix.measured == "training"
        for side, config in _configs(fix, scale)
    ]
    plan = {name: config for _, _, name, config in trainings}
    grown: dict[str, Outcome] = {}
    for done, (name, found) in enumerate(_carried_out(sound, plan, folder, jobs, voice), start=1):
        grown[name] = found
        if planned is not None:
            planned(done, len(plan))
    for fix, side, name, _ in trainings:
        of_fix = sides.setdefault(fix, {})
        of_fix[side] = (*of_fix.get(side, ()), grown[name])
    measured = (_measured(fix, sound, sides[fix.name], scale, trips) for fix in chosen)
    return Study(sound, voice.name, voice.contract, scale, tuple(measured))


def _configs(fix: Fix, scale: Scale) -> Iterator[tuple[str, Config]]:
    """(side, settings) of every training of a fix."""
    every = max(1, scale.epochs // (QUICK_LOOKS if scale.quick else LOOKS))
    seeds = scale.seeds if scale.quick else max(scale.seeds, fix.seeds)
    for name, side in fix.sides.items():
        for seed in range(seeds):
            over = {"epochs": scale.epochs, "seed": seed, "watch": {"every": every}}
            yield name, settings(fix, side, quick=scale.quick, over=over)


def _round_trips(fix: Fix, sound: Audio, voice: Vocoder, scale: Scale, trips: dict[str, Trip]) -> Sides:
    """With each seed of Griffin-Lim's phases, for another vocoder once.  trips: those done, each side once."""
    voices, sides = _voices(fix, voice, scale), {}
    for name, side in fix.sides.items():
        config, place = settings(fix, side), _place(fix, side, sound)
        if place not in trips:
            outcomes = tuple(round_trip(sound, config, side, each) for each in voices)
            trips[place] = Trip(outcomes, breaches(sound, config, side, voice.contract))
        sides[name] = trips[place].outcomes
    return sides


def _place(fix: Fix, side: Side, sound: Audio) -> str:
    """The name of a round trip: of its settings, what is undone, and whose phases it is given."""
    by_phase = any(each.phase != "none" for each in fix.sides.values())
    return f"{key(settings(fix, side), sound)} {side.undone} {side.phase} {by_phase}"


def _voices(fix: Fix, voice: Vocoder, scale: Scale) -> list[Vocoder]:
    started = any(side.phase != "none" for side in fix.sides.values())
    if not (isinstance(voice, GriffinLim) or started):
        return [voice]
    return [GriffinLim(voice.contract, seed) for seed in range(scale.seeds)]


def _carried_out(
    sound: Audio, plan: dict[str, Config], folder: str, jobs: int, voice: Vocoder
) -> Iterator[tuple[str, Outcome]]:
    """(name, outcome) of each training as it ends."""
    works = [(sound, name, config, os.path.join(folder, WORK, name), voice.contract) for name, config in plan.items()]
    if jobs == 1 or len(works) < 2:
        yield from (_work(*each) for each in works)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    try:
        yield from Parallel(n_jobs=jobs, backend="loky", return_as="generator_unordered")(
            delayed(_work)(*each) for each in works
        )
    except TerminatedWorkerError:
        said = (
            f"one of {jobs} parallel trainings was killed (out of memory?); run the command again, or use fewer --jobs"
        )
        raise InputError(said) from None


def _work(sound: Audio, name: str, config: Config, place: str, contract: MelContract) -> tuple[str, Outcome]:
    return name, trained(sound, config, place, contract)


def _measured(fix: Fix, sound: Audio, sides: Sides, scale: Scale, trips: dict[str, Trip]) -> Measured:
    if fix.measured == "training":
        evidence = _evidence_of_training(fix, sound, sides, scale)
    else:
        against = {name: trips[_place(fix, side, sound)].breaches for name, side in fix.sides.items()}
        evidence = {"contract": against, **_moved(sides)}
    metric = fix.prediction.metric
    values = {name: [each.figures.get(metric) for each in found] for name, found in sides.items()}
    return Measured(fix, sides, decide(fix.prediction, values["broken"], values["fixed"]), evidence)


def _moved(sides: Sides) -> dict[str, float]:
    """moved_db: mean |fixed - broken| of the mels, seed by seed, 0 where a fix does nothing.  {} for two shapes."""
    pairs = list(zip(sides["broken"], sides["fixed"], strict=True))
    if any(before.levels_db.shape != after.levels_db.shape for before, after in pairs):
        return {}
    return {"moved_db": float(np.mean([np.abs(after.levels_db - before.levels_db).mean() for before, after in pairs]))}


def _evidence_of_training(fix: Fix, sound: Audio, sides: Sides, scale: Scale) -> dict[str, Any]:
    """gradient: of two losses on one grid: fixed = factor * broken in every bin, but for `unlike`, relative."""
    evidence: dict[str, Any] = {**_moved(sides)}
    before, after = (settings(fix, side, quick=scale.quick) for side in fix.sides.values())
    if evidence and before.loss != after.loss and before.target == after.target:
        evidence["gradient"] = likeness(slopes(sound, before), slopes(sound, after))
    return evidence


def likeness(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> dict[str, float]:
    """other = factor * one, by least squares; unlike: the largest relative difference of a bin from that."""
    factor = float((one * other).sum() / np.square(one).sum())
    scaled = factor * one
    most = np.maximum(np.abs(scaled), np.abs(other))
    unlike = np.abs(scaled - other)[most > 0] / most[most > 0]
    return {"factor": factor, "unlike": float(unlike.max(initial=0.0))}


def as_dict(found: Study) -> dict[str, Any]:
    """What fixes.json holds.

    broken, fixed: means of the predicted metric.  change, spread, uncertainty: see Verdict; in `unit`.
    """
    return {
        "schema": "tnca.fixes/1",
        "tool": {"name": "timbre-diagnose", "version": VERSION},
        "sound": found.sound.name,
        "vocoder": found.vocoder,
        "contract": found.contract.name,
        "fingerprint": fingerprint(found.sound),
        "seeds": list(range(found.scale.seeds)),
        "epochs": found.scale.epochs,
        "quick": found.scale.quick,
        "fixes": [_fix_as_dict(each) for each in found.fixes],
    }


def _fix_as_dict(each: Measured) -> dict[str, Any]:
    fix, verdict = each.fix, each.verdict
    return {
        "name": fix.name,
        "claim": fix.claim,
        "says": fix.says,
        "note": fix.note,
        "measured": fix.measured,
        "prediction": msgspec.to_builtins(fix.prediction),
        "broken": verdict.broken,
        "fixed": verdict.fixed,
        "change": verdict.change,
        "unit": unit(fix.prediction),
        "spread": verdict.spread,
        "uncertainty": verdict.uncertainty,
        "verdict": verdict.word,
        "decides": verdict.says,
        "figures": {name: {side: each.values(side, name) for side in each.sides} for name in each.figures},
        "causes": {side: [list(one.causes) for one in found] for side, found in each.sides.items()},
        "evidence": each.evidence,
        "settings": {name: _settings_as_dict(each.fix, name) for name in each.sides},
    }


def _settings_as_dict(fix: Fix, name: str) -> dict[str, Any]:
    side = fix.sides[name]
    table: dict[str, Any] = {"preset": side.preset, "on": [*fix.on, *side.on], "over": side.over}
    if side.undone is not None:
        table["undone"] = side.undone
    return table if side.phase == "none" else {**table, "phase": side.phase}
