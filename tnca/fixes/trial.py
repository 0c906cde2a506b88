"""One side of a fix, carried out: a mel given to the vocoder as it is, or an automaton trained from a seed."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec
import numpy as np
import torch

from diagnose.agreement import agree
from diagnose.contract import names
from tnca.generation import carried
from tnca.judge import judge
from tnca.look import grow
from tnca.losses import Losses
from tnca.run import CHECKPOINT, Run, resumed
from tnca.target import Target, levels_db, target_of
from tnca.training import start, train
from tnca.vocoders.griffinlim import GriffinLim
from tnca.vocoders.vocoder import Mel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.audio import Audio
    from tnca.config import Config
    from tnca.fixes.catalogue import Side, Undoing
    from tnca.vocoders.vocoder import Vocoder

    Floats = NDArray[np.floating[Any]]

CPU = torch.device("cpu")
EARLY_STEPS = 4
SPREAD = 0.25  # of the noise that a gradient is looked at under, in the target's standard deviations


class Outcome(msgspec.Struct, frozen=True, eq=False):
    """What came of one side, at one seed.

    levels_db: the mel that the vocoder heard, or the grown one [shape=(bands, frames)].  top_db: the loudest cell of
    what it should be.  rows: the looks of a training.  breaches: what `diagnose mel` holds against a mel that is
    given to the vocoder, a line a difference.
    """

    figures: dict[str, float | None]
    causes: tuple[str, ...]
    levels_db: Floats
    top_db: float
    sound: Audio
    rows: tuple[dict[str, Any], ...] = ()
    breaches: tuple[str, ...] | None = None


def round_trip(sound: Audio, config: Config, side: Side, voice: Vocoder) -> Outcome:
    """The reference's own mel in the side's convention, taken by the vocoder for one in its own."""
    made = target_of(sound, config.target)
    values = undone(made.values, side.undone)
    fed = Mel(values, voice.contract)
    if side.phase == "none":
        heard = voice(fed)
    else:
        assert isinstance(voice, GriffinLim)
        heard = voice(fed, carried(Target(values, voice.contract, made.sound), side.phase), hold=True)
    wanted = target_of(sound, msgspec.structs.replace(config.target, contract=voice.contract))
    judged = judge(wanted, heard)
    breaches = None
    if voice.contract.name in names():
        breaches = tuple(each.line for each in agree(values, voice.contract.name, made.sound).differences)
    levels = levels_db(values, voice.contract)
    return Outcome(judged.figures, judged.causes, levels, top_db(wanted), heard, (), breaches)


def undone(values: Floats, how: Undoing | None) -> Floats:
    """A mel in dB as the vocoder is given it."""
    match how:
        case "10 ** (x / 20)":
            return 10.0 ** (values / 20)
        case "10 ** (x / 10)":
            return 10.0 ** (values / 10)
        case "x * ln(10) / 20":
            return values * (math.log(10) / 20)
    return values


def trained(sound: Audio, config: Config, folder: str) -> None:
    """The training in its folder, begun or gone on with, to its last epoch; on one thread, for many run at once."""
    torch.set_num_threads(1)
    there = os.path.isfile(os.path.join(folder, CHECKPOINT))
    run = resumed(folder, sound, CPU) if there else start(sound, config, folder, CPU)
    run.shown = False  # a page for each of a hundred trainings takes longer than some of them
    if run.epoch < config.epochs:
        train(run)


def is_trained(sound: Audio, config: Config, folder: str) -> bool:
    """There is nothing left to do in that folder."""
    path = os.path.join(folder, CHECKPOINT)
    return os.path.isfile(path) and resumed(folder, sound, CPU).epoch >= config.epochs


def outcome(sound: Audio, folder: str) -> Outcome:
    """Of a training at its last epoch (not at its best: the first notebook kept none)."""
    run = resumed(folder, sound, CPU)
    row = run.rows[-1]
    mel = grow(run.rule, run.target, run.config.growth.steps[1])
    figures = {name: value for name, value in row.items() if name != "seconds" and _is_figure(value)}
    figures[f"alive_after_{EARLY_STEPS}_steps_share"] = alive_share(run, EARLY_STEPS)
    heard = GriffinLim(run.target.contract)(mel)
    levels, causes = levels_db(mel.values, mel.contract), tuple(str(row["causes"]).split())
    return Outcome(figures, causes, levels, top_db(run.target), heard, tuple(run.rows))


def _is_figure(value: int | float | str | None) -> TypeGuard[float | None]:
    return value is None or isinstance(value, float)


def top_db(target: Target) -> float:
    """The level of a target's loudest cell."""
    return float(levels_db(target.values, target.contract).max())


def alive_share(run: Run, steps: int) -> float:
    """Share of the cells that hold anything but 0 after so many steps from the seed."""
    with torch.no_grad():
        state = run.rule.run(run.rule.seed(), steps, torch.Generator().manual_seed(0))
    return float((state != 0).any(dim=1).float().mean())


def slopes(sound: Audio, config: Config) -> Floats:
    """Gradient of the loss at a grid near the target [shape=(bands, frames)]; the grid is the same for one target."""
    target = target_of(sound, config.target)
    rng = np.random.default_rng(0)
    near = target.values + SPREAD * target.values.std() * rng.standard_normal(target.values.shape)
    grown = torch.from_numpy(near.astype(np.float32))[None].requires_grad_()
    Losses(config.loss, target)(grown)[0].backward()  # type: ignore[no-untyped-call]
    assert grown.grad is not None
    return np.asarray(grown.grad[0], np.float64)
