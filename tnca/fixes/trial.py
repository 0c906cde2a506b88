"""Run one side of a fix: a round trip through the vocoder, or the training of an automaton from a seed."""

from __future__ import annotations

import math
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec
import numpy as np
import torch

from diagnose.audio import Audio
from diagnose.errors import InputError
from diagnose.mel.check import contract_check
from diagnose.mel.contract import names
from tnca.config import Target as TargetSettings
from tnca.generation import carried
from tnca.judge import judge
from tnca.losses import Losses
from tnca.target import Target, levels_db, target_of
from tnca.training.look import RANGE_DB, Diverged, grow
from tnca.training.loop import start, train
from tnca.training.run import CHECKPOINT, Run, resumed
from tnca.vocoders.griffinlim import GriffinLim
from tnca.vocoders.vocoder import Mel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.arrays import Floats
    from diagnose.mel.contract import MelContract
    from tnca.config import Config
    from tnca.fixes.catalogue import Side, Undoing
    from tnca.vocoders.vocoder import Vocoder

CPU = torch.device("cpu")
EARLY_STEPS = 4
SPREAD = 0.25  # of the noise that a gradient is looked at under, in the target's standard deviations


class Outcome(msgspec.Struct, frozen=True, eq=False):
    """What came of one side, at one seed.

    figures: finite, or None where one cannot be had.  levels_db: the mel that the vocoder heard, or the grown one
    [shape=(bands, frames)].  top_db: the loudest cell of what it should be.  rows: the looks of a training.
    """

    figures: dict[str, float | None]
    causes: tuple[str, ...]
    levels_db: Floats
    top_db: float
    sound: Audio
    rows: tuple[dict[str, Any], ...] = ()


# Round trips


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
    wanted = target_of(sound, TargetSettings(voice.contract, config.target.frames_multiple))
    judged = judge(wanted, heard)
    return Outcome(finite(judged.figures), judged.causes, levels_db(values, voice.contract), wanted.top_db, heard)


def breaches(sound: Audio, config: Config, side: Side, contract: MelContract) -> list[str] | None:
    """What `diagnose mel` holds against the mel that the vocoder is given, a line each; None if it has no name."""
    if contract.name not in names():
        return None
    made = target_of(sound, config.target)
    return [
        each.line for each in contract_check(undone(made.values, side.undone), contract.name, made.sound).differences
    ]


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


# Trainings


def trained(sound: Audio, config: Config, folder: str, contract: MelContract) -> Outcome:
    """What the training in a folder comes to: begun, gone on with, or done already.  On one thread: many run at once.

    It is judged as it is at its last epoch (the first notebook kept no best), in the band of its own contract, and
    as `in_band_lsd_db` in that of another, for sides whose contracts differ.
    """
    with _one_thread():
        there = os.path.isfile(os.path.join(folder, CHECKPOINT))
        run = _gone_on_with(folder, sound) if there else start(sound, config, folder, CPU)
        if run.config != config:
            raise InputError(f"{folder}: contains a training with other settings; delete it, or give another --out")
        run.shown = False  # a page for each of a hundred trainings takes longer than some of them
        try:
            if run.epoch < config.epochs:
                train(run)
        except Diverged:
            return _lost(run)
        if not run.rows:
            raise InputError(f"{folder}: a training without results; delete it to train again")
        return _outcome(run, contract)


def _gone_on_with(folder: str, sound: Audio) -> Run:
    try:
        return resumed(folder, sound, CPU)
    except InputError as error:
        raise InputError(f"{error}; delete that directory to train again") from None


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _outcome(run: Run, contract: MelContract) -> Outcome:
    row = run.rows[-1]
    mel = grow(run.rule, run.target, run.config.growth.steps[1])
    heard = GriffinLim(run.target.contract)(mel)
    within = judge(target_of(run.target.sound, TargetSettings(contract)), heard)
    figures = {name: value for name, value in row.items() if name != "seconds" and _is_figure(value)}
    figures["in_band_lsd_db"] = within.figures["log_spectral_distance_db"]
    figures[f"alive_after_{EARLY_STEPS}_steps_share"] = alive_share(run, EARLY_STEPS)
    levels, causes = levels_db(mel.values, mel.contract), tuple(str(row["causes"]).split())
    return Outcome(finite(figures), causes, levels, run.target.top_db, heard, tuple(run.rows))


def _lost(run: Run) -> Outcome:
    """Of a training that diverged: no figure, an empty picture, silence."""
    top = run.target.top_db
    empty = np.full(run.target.values.shape, top - RANGE_DB)
    silence = Audio(np.zeros_like(run.target.sound.samples), run.target.sound.rate, "silence")
    return Outcome({}, ("diverged",), empty, top, silence, tuple(run.rows))


def finite(figures: dict[str, float | None]) -> dict[str, float | None]:
    """None for what is no number."""
    return {name: value if value is None or math.isfinite(value) else None for name, value in figures.items()}


def _is_figure(value: int | float | str | None) -> TypeGuard[float | None]:
    return value is None or isinstance(value, float)


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
