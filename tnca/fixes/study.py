"""All the trials of some fixes: planned, carried out side by side, gone on with where they were stopped, judged."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from diagnose.version import VERSION
from tnca.config import as_table
from tnca.fixes.catalogue import Fix, settings
from tnca.fixes.trial import Outcome, is_trained, outcome, round_trip, slopes, trained
from tnca.fixes.verdict import Verdict, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from diagnose.audio import Audio
    from tnca.config import Config
    from tnca.vocoders.vocoder import Vocoder

WORK = "work"
LOOKS, QUICK_LOOKS = 6, 2
KEY_LENGTH = 16


class Scale(msgspec.Struct, frozen=True):
    """How large a study is.  quick: on a grid of 20 bands and 16 steps."""

    epochs: int
    seeds: int
    quick: bool = False


class Measured(msgspec.Struct, frozen=True, eq=False):
    """A fix and what came of it.  sides: outcomes by side, one a seed; a round trip has one, for nothing is drawn."""

    fix: Fix
    sides: dict[str, tuple[Outcome, ...]]
    verdict: Verdict
    evidence: dict[str, Any]

    def values(self, side: str, metric: str) -> list[float | None]:
        """A figure of a side, seed by seed."""
        return [each.figures.get(metric) for each in self.sides[side]]


class Study(msgspec.Struct, frozen=True, eq=False):
    sound: Audio
    vocoder: str
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

    planned(done, whole) is told how many trainings are done, at the start and after each.  Raises InputError for a
    sound that cannot be grown.
    """
    plan = {key(each): each for fix in chosen if fix.measured == "training" for _, each in _configs(fix, scale)}
    _carry_out(sound, plan, folder, jobs, planned or _untold)
    grown = {name: outcome(sound, os.path.join(folder, WORK, name)) for name in plan}
    return Study(sound, voice.name, scale, tuple(_measured(fix, sound, voice, grown, scale) for fix in chosen))


def _untold(_done: int, _whole: int) -> None: ...


def key(config: Config) -> str:
    """The folder of a training: the same settings under the same version are the same training."""
    text = json.dumps([VERSION, as_table(config)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def _configs(fix: Fix, scale: Scale) -> Iterator[tuple[str, Config]]:
    """(side, settings) of every training of a fix."""
    every = max(1, scale.epochs // (QUICK_LOOKS if scale.quick else LOOKS))
    for name, side in fix.sides.items():
        for seed in range(scale.seeds):
            over = {"epochs": scale.epochs, "seed": seed, "watch": {"every": every}}
            yield name, settings(fix, side, quick=scale.quick, over=over)


def _carry_out(
    sound: Audio, plan: dict[str, Config], folder: str, jobs: int, planned: Callable[[int, int], object]
) -> None:
    places = {os.path.join(folder, WORK, name): config for name, config in plan.items()}
    left = {place: config for place, config in places.items() if not is_trained(sound, config, place)}
    planned(len(places) - len(left), len(places))
    for done, _ in enumerate(_in_turn(sound, left) if jobs == 1 else _side_by_side(sound, left, jobs), start=1):
        planned(len(places) - len(left) + done, len(places))


def _in_turn(sound: Audio, left: dict[str, Config]) -> Iterator[None]:
    for place, config in left.items():
        trained(sound, config, place)
        yield


def _side_by_side(sound: Audio, left: dict[str, Config], jobs: int) -> Iterable[None]:
    from joblib import Parallel, delayed

    works = Parallel(n_jobs=jobs, backend="loky", return_as="generator_unordered")
    return works(delayed(trained)(sound, config, place) for place, config in left.items())


def _measured(fix: Fix, sound: Audio, voice: Vocoder, grown: dict[str, Outcome], scale: Scale) -> Measured:
    if fix.measured == "training":
        sides: dict[str, tuple[Outcome, ...]] = dict.fromkeys(fix.sides, ())
        for name, config in _configs(fix, scale):
            sides[name] = (*sides[name], grown[key(config)])
        evidence = _evidence_of_training(fix, sound, sides, scale)
    else:
        sides = {name: (round_trip(sound, settings(fix, side), side, voice),) for name, side in fix.sides.items()}
        evidence = {"contract": {name: found[0].breaches for name, found in sides.items()}}
    metric = fix.prediction.metric
    values = {name: [each.figures.get(metric) for each in found] for name, found in sides.items()}
    return Measured(fix, sides, decide(fix.prediction, values["broken"], values["fixed"]), evidence)


def _evidence_of_training(
    fix: Fix, sound: Audio, sides: dict[str, tuple[Outcome, ...]], scale: Scale
) -> dict[str, Any]:
    """moved_db: mean |fixed - broken| of what is grown from one seed: 0 where the fix does nothing at all.

    gradient: of two losses on one grid: fixed = factor * broken in every bin, but for `unlike`, relative.
    """
    pairs = list(zip(sides["broken"], sides["fixed"], strict=True))
    if any(before.levels_db.shape != after.levels_db.shape for before, after in pairs):
        return {}
    evidence: dict[str, Any] = {
        "moved_db": float(np.mean([np.abs(after.levels_db - before.levels_db).mean() for before, after in pairs]))
    }
    before, after = (settings(fix, side, quick=scale.quick) for side in fix.sides.values())
    if before.loss != after.loss and before.target == after.target:
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
    """What fixes.json holds.  broken, fixed: means of the predicted metric; spread: of the improvement, over seeds."""
    return {
        "schema": "tnca.fixes/1",
        "tool": {"name": "timbre-diagnose", "version": VERSION},
        "sound": found.sound.name,
        "vocoder": found.vocoder,
        "seeds": list(range(found.scale.seeds)),
        "epochs": found.scale.epochs,
        "quick": found.scale.quick,
        "fixes": [_fix_as_dict(each) for each in found.fixes],
    }


def _fix_as_dict(each: Measured) -> dict[str, Any]:
    fix, verdict = each.fix, each.verdict
    metrics = [name for name in each.sides["broken"][0].figures if name in each.sides["fixed"][0].figures]
    return {
        "name": fix.name,
        "claim": fix.claim,
        "says": fix.says,
        "measured": fix.measured,
        "prediction": msgspec.to_builtins(fix.prediction),
        "broken": verdict.broken,
        "fixed": verdict.fixed,
        "change": verdict.change,
        "spread": verdict.spread,
        "verdict": verdict.word,
        "decides": verdict.says,
        "figures": {name: {side: each.values(side, name) for side in each.sides} for name in metrics},
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
