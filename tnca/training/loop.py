"""Training: grow, compare with the target, follow the gradient; look at the result at intervals."""

from __future__ import annotations

import contextlib
import math
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec
import torch

from diagnose.errors import InputError
from tnca.losses import Losses
from tnca.target import target_of
from tnca.training.checkpoint import MOST_BYTES
from tnca.training.iteration import Captured, Learner, can_be_captured, iterate
from tnca.training.look import Diverged, Look, check_watched, diverged, finish, look, open_page
from tnca.training.run import Run, begin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from diagnose.audio import Audio
    from tnca.config import Config, Optimiser
    from tnca.target import Target
    from tnca.training.iteration import Grown


class Listener(Protocol):
    """Who is told how a training goes."""

    def epoch(self, run: Run, parts: dict[str, Tensor]) -> None: ...

    def looked(self, run: Run, found: Look) -> None: ...


def start(sound: Audio, config: Config, folder: str | None, device: torch.device) -> Run:
    """A new run on a sound; its folder is made when everything else is known to be right."""
    target = target_of(sound, config.target)
    Losses(config.loss, target)
    check_watched(target, config)
    check_size(config, target)
    return begin(config, target, device, folder)


def check_size(config: Config, target: Target) -> None:
    """Raises InputError for a pool that no checkpoint would hold."""
    bands, frames = (size + 2 * config.cell.margin for size in target.values.shape)
    claimed = 4 * config.cell.channels * bands * frames * config.growth.pool
    if claimed > MOST_BYTES // 2:
        raise InputError(f"growth.pool {config.growth.pool}: {claimed:,} bytes of states, over {MOST_BYTES // 2:,}")


def train(run: Run, listener: Listener | None = None, stop: Callable[[], bool] = bool) -> Run:
    """The run, trained until its last epoch, until patience is at its end, or until stop() is true.

    Every watch.every epochs it looks (see tnca.training.look) and saves; it saves too when it is stopped.
    """
    return train_together([run], listener, stop)[0]


def train_together(
    runs: Sequence[Run], listener: Listener | None = None, stop: Callable[[], bool] = bool
) -> Sequence[Run]:
    """Several runs, whose settings differ in the seed alone and whose grids are of one size, in one rollout each time.

    Where the number of steps is drawn, the first run draws it for all.  A run that diverges is left as its last look
    saved it, the others go on to their end, and then Diverged is raised.
    """
    check_alike(runs)
    learners = [Learner(run) for run in runs]
    for run in runs:
        open_page(run)
    lost: list[Diverged] = []
    captured: Captured | None = None
    while not stop() and (going := [each for each in learners if goes_on(each.run)]):
        began = time.perf_counter()
        drawn = [_begin(each.run) for each in going]
        states, steps = [each.state for each in drawn], drawn[0].steps
        if can_be_captured(going[0].run):
            captured = captured if captured and captured.learners == going else Captured(going, steps)
            grown = captured(states)
        else:
            grown = iterate(going, states, steps)
        for learner, place, found in zip(going, drawn, grown, strict=True):
            learner.run.pool.put(place.which, found.state, found.error)
            learner.run.epoch += 1
            learner.run.seconds += (time.perf_counter() - began) / len(going)
        for learner, found in zip(going, grown, strict=True):
            with _unless_diverged(learner, learners, lost):
                _watch(learner.run, found, listener)
    for learner in list(learners):
        with _unless_diverged(learner, learners, lost):
            _end(learner.run)
    if lost:
        raise lost[0]
    return runs


@contextlib.contextmanager
def _unless_diverged(learner: Learner, learners: list[Learner], lost: list[Diverged]) -> Iterator[None]:
    """Takes it out of the learners where it does."""
    try:
        yield
    except Diverged as error:
        learners.remove(learner)
        lost.append(error)


def goes_on(run: Run) -> bool:
    """Whether it is neither at its last epoch nor out of patience."""
    return run.epoch < run.config.epochs and not out_of_patience(run)


def check_alike(runs: Sequence[Run]) -> None:
    """Raises InputError for runs that cannot be trained in one rollout."""
    first = runs[0]
    for run in runs[1:]:
        if msgspec.structs.replace(run.config, seed=first.config.seed) != first.config:
            raise InputError(f"{run.folder or 'a run'}: settings differ from {first.folder or 'the first'}")
        if run.target.values.shape != first.target.values.shape:
            sizes = [f"{each.target.values.shape[1]} frames of {each.target.sound.name}" for each in (first, run)]
            raise InputError(f"{' and '.join(sizes)}: notes that are trained at once must have one length")


class _Drawn(NamedTuple):
    steps: int
    which: Tensor
    state: Tensor


def _begin(run: Run) -> _Drawn:
    """What an iteration begins with: its learning rate, and the draws of its own generator."""
    rate = learning_rate(run.config.optimiser, run.epoch, run.config.epochs)
    for group in run.optimiser.param_groups:
        if isinstance(group["lr"], torch.Tensor):  # which a captured iteration reads
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate
    lowest, highest = run.config.growth.steps
    steps = int(torch.randint(lowest, highest + 1, (1,), generator=run.rng))
    return _Drawn(steps, *run.pool.draw(run.config.growth.batch, run.rng))


def _watch(run: Run, grown: Grown, listener: Listener | None) -> None:
    """Tell who listens; and look and save, every so many epochs."""
    if listener is not None:
        listener.epoch(run, grown.parts)
    if run.epoch % run.config.watch.every == 0 or run.epoch == run.config.epochs:
        found = look(run, {"loss": grown.loss, **grown.parts})
        run.save()
        if listener is not None:
            listener.looked(run, found)


def _end(run: Run) -> None:
    if not all(bool(parameter.isfinite().all()) for parameter in run.rule.parameters()):
        raise diverged(run)
    run.save()
    finish(run)


def learning_rate(settings: Optimiser, epoch: int, epochs: int) -> float:
    """Of an epoch, from 0: a linear rise over `warmup`, then constant, or half a cosine down to final_share."""
    rise = min(1.0, (epoch + 1) / (settings.warmup + 1))
    if settings.schedule == "constant":
        return settings.learning_rate * rise
    fall = 0.5 * (1 + math.cos(math.pi * epoch / epochs))
    return settings.learning_rate * rise * (settings.final_share + (1 - settings.final_share) * fall)


def out_of_patience(run: Run) -> bool:
    """So many looks in a row without a better one."""
    patience = run.config.watch.patience
    return patience > 0 and run.epoch - run.best["epoch"] >= patience * run.config.watch.every
