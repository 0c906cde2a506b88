"""A look at a run: its mel, its sound, the metrics of `diagnose`; files for its directory."""

from __future__ import annotations

import csv
import io
import math
import os
from typing import TYPE_CHECKING

import msgspec
import torch

from diagnose import audio as sounds
from diagnose.errors import InputError
from diagnose.files import write_whole
from diagnose.render import draw
from tnca.judge import FIGURES, Judged, judge
from tnca.losses import names
from tnca.target import levels_db
from tnca.vocoders.griffinlim import GriffinLim
from tnca.vocoders.vocoder import Mel

if TYPE_CHECKING:
    from torch import Tensor

    from diagnose.arrays import Floats
    from diagnose.audio import Audio
    from tnca.config import Config
    from tnca.rule.cell import CellRule
    from tnca.target import Target
    from tnca.training.run import Row, Run

RANGE_DB = 80.0
METRICS = "metrics.csv"


class Look(msgspec.Struct, frozen=True, eq=False):
    """mel: as grown from the seed.  sound: of Griffin-Lim.  row: the figures, a line of metrics.csv."""

    mel: Mel
    sound: Audio
    judged: Judged
    row: Row
    best: bool


def look(run: Run, losses: dict[str, Tensor]) -> Look:
    """Judge the rule as it is; keep it where it is the best so far; write the files of the run's folder, if any.

    losses: of the epoch, "loss" the sum.  Draws nothing from the run's own generators.
    """
    numbers = {name: float(value) for name, value in losses.items()}
    if not all(map(math.isfinite, numbers.values())):
        raise diverged(run)
    mel = grow(run.rule, run.target, run.config.growth.steps[1])
    sound = GriffinLim(run.target.contract)(mel)
    judged = judge(run.target, sound)
    row: Row = {"epoch": run.epoch, "seconds": round(run.seconds, 3), **numbers, **run.target.errors_db(mel.values)}
    row |= {**judged.figures, "verdict": judged.verdict, "causes": " ".join(judged.causes)}
    run.rows = [*(each for each in run.rows if int(each["epoch"] or 0) < run.epoch), row]
    found = Look(mel, sound, judged, row, _keep_best(run, row))
    if run.folder is not None and run.shown:
        _write(run.folder, run, found)
    return found


class Diverged(InputError):
    """A loss or a weight is not finite any more."""


def diverged(run: Run) -> Diverged:
    """What to say where a loss or a weight is not finite; the checkpoint of the last look is still there."""
    who = f"{run.folder}: " if run.folder else ""
    said = f"the training diverged by epoch {run.epoch}: non-finite values; lower optimiser.learning_rate"
    return Diverged(who + said)


def check_watched(target: Target, config: Config) -> None:
    """Raises InputError where watch.best is no figure of a look."""
    figures = ["loss", *names(config.loss.terms), *target.errors_db(target.values), *(name for name, *_ in FIGURES)]
    if config.watch.best not in figures:
        raise InputError(f"watch.best: no metric {config.watch.best}; use one of {', '.join(figures)}")


def open_page(run: Run) -> None:
    """The page of a run that begins or goes on, with the target and its round trip."""
    if run.folder is not None and run.shown:
        write_whole(
            os.path.join(run.folder, "target.png"), png(Mel(run.target.values, run.target.contract), run.target)
        )
        sounds.write(os.path.join(run.folder, "roundtrip.wav"), run.ceiling[0])
        _write_page(run.folder, run, running=run.epoch < run.config.epochs)


def finish(run: Run) -> None:
    """The page of a run that is not going on: stopped, or at its end."""
    if run.folder is not None and run.shown:
        _write_page(run.folder, run, running=False)


def grow(rule: CellRule, target: Target, steps: int, seed: int = 0) -> Mel:
    """What the rule grows from the seed in so many steps.  seed: which cells fire, where not all do."""
    device = rule.biases[-1].device
    with torch.no_grad():
        state = rule.run(rule.seed(), steps, torch.Generator(device).manual_seed(seed))
        values = rule.read(state)[0].cpu().numpy()
    return Mel(values, target.contract)


def _keep_best(run: Run, row: Row) -> bool:
    name = run.config.watch.best
    figure = row[name]
    assert not isinstance(figure, str)
    best, distance = run.best["figure"], None if figure is None else abs(figure)
    if figure is not None and name.endswith("_ratio"):  # best at 1, where any other figure is best at 0
        distance = abs(math.log(figure)) if figure > 0 else math.inf
    better = distance is not None and (best is None or distance < best)
    if better or run.best["epoch"] == 0:
        weights = {key: value.detach().cpu().clone() for key, value in run.rule.state_dict().items()}
        run.best = {"epoch": run.epoch, "figure": distance, "rule": weights}
    return better


def _write(folder: str, run: Run, found: Look) -> None:
    name = os.path.join(folder, f"epoch_{run.epoch:04d}")
    write_whole(f"{name}.png", png(found.mel, run.target))
    sounds.write(f"{name}.wav", found.sound)
    write_whole(os.path.join(folder, METRICS), _csv(run.rows).encode())
    _write_page(folder, run, running=run.epoch < run.config.epochs)


def _write_page(folder: str, run: Run, *, running: bool) -> None:
    from tnca.training.page import to_html

    write_whole(os.path.join(folder, "index.html"), to_html(run, running).encode("utf-8", "backslashreplace"))


def png(mel: Mel, target: Target) -> bytes:
    """The grown mel, from the target's loudest cell down."""
    return level_png(levels_db(mel.values, mel.contract), target.top_db)


def level_png(levels: Floats, top_db: float) -> bytes:
    """Levels in dB [shape=(bands, frames)], from top_db to 80 dB under it, four pixels a cell."""
    values = levels.repeat(4, axis=0).repeat(4, axis=1)
    return draw.png(values, top_db - RANGE_DB, top_db, draw.LEVEL_MAP)


def _csv(rows: list[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[-1]), lineterminator="\n", restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
