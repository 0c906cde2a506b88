"""Training: grow, compare with the target, follow the gradient; now and then listen and look."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Protocol

import torch

from diagnose.errors import InputError
from tnca.checkpoint import MOST_BYTES
from tnca.look import Look, check_watched, diverged, finish, look, open_page
from tnca.losses import Losses
from tnca.run import Run, begin
from tnca.target import target_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from diagnose.audio import Audio
    from tnca.config import Config, Optimiser
    from tnca.target import Target

TINY = 1e-8


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
        raise InputError(f"growth.pool {config.growth.pool}: {claimed:,} bytes of states; {MOST_BYTES // 2:,} are kept")


def train(run: Run, listener: Listener | None = None, stop: Callable[[], bool] = bool) -> Run:
    """The run, trained until its last epoch, until patience is at its end, or until stop() is true.

    Every watch.every epochs it looks (see tnca.look) and saves; it saves too when it is stopped.
    """
    config, target = run.config, run.target
    losses = Losses(config.loss, target, run.device)
    values = torch.from_numpy(target.values).to(run.device)
    lowest, highest = config.growth.steps
    open_page(run)
    while run.epoch < config.epochs and not out_of_patience(run) and not stop():
        began = time.perf_counter()
        for group in run.optimiser.param_groups:
            group["lr"] = learning_rate(config.optimiser, run.epoch, config.epochs)
        steps = int(torch.randint(lowest, highest + 1, (1,), generator=run.rng))
        which, state = run.pool.draw(config.growth.batch, run.rng)
        state = run.rule.run(state, steps, run.chance)
        grown = run.rule.read(state)
        loss, parts = losses(grown)
        run.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if config.optimiser.normalise_gradients:
            normalise(run.rule)
        run.optimiser.step()
        run.pool.put(which, state, (grown - values).square().mean(dim=(1, 2)))
        run.epoch += 1
        run.seconds += time.perf_counter() - began
        if listener is not None:
            listener.epoch(run, parts)
        if run.epoch % config.watch.every == 0 or run.epoch == config.epochs:
            found = look(run, {"loss": loss.detach(), **parts})
            run.save()
            if listener is not None:
                listener.looked(run, found)
    if not all(bool(parameter.isfinite().all()) for parameter in run.rule.parameters()):
        raise diverged(run.epoch)
    run.save()
    finish(run)
    return run


def learning_rate(settings: Optimiser, epoch: int, epochs: int) -> float:
    """Of an epoch, from 0: a linear rise over `warmup`, then constant, or half a cosine down to final_share."""
    rise = min(1.0, (epoch + 1) / (settings.warmup + 1))
    if settings.schedule == "constant":
        return settings.learning_rate * rise
    fall = 0.5 * (1 + math.cos(math.pi * epoch / epochs))
    return settings.learning_rate * rise * (settings.final_share + (1 - settings.final_share) * fall)


def normalise(rule: torch.nn.Module) -> None:
    """Each tensor's gradient over its own norm: what a long rollout does to its size is undone."""
    for parameter in rule.parameters():
        if parameter.grad is not None:
            parameter.grad /= torch.linalg.vector_norm(parameter.grad) + TINY


def out_of_patience(run: Run) -> bool:
    """So many looks in a row without a better one."""
    patience = run.config.watch.patience
    return patience > 0 and run.epoch - run.best["epoch"] >= patience * run.config.watch.every
