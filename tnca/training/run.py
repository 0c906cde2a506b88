"""A run: a rule, its target, its progress, and its directory.

runs/NAME/checkpoint.pt   everything, see tnca.training.checkpoint
          config.toml     the settings, whole
          reference.wav   the target's sound, mono, at the contract's rate
          reference_in_band.wav   the same within fmin..fmax of the contract: what a grown sound is judged by
          metrics.csv     a row a look
          epoch_0100.png, epoch_0100.wav, index.html
"""

from __future__ import annotations

import json
import os
import shutil
import time
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np
import tomli_w
import torch

from diagnose import audio as sounds
from diagnose.errors import InputError
from diagnose.files import write_whole
from tnca import device as devices
from tnca.config import as_table, laid_over, parse
from tnca.device import NoDevice
from tnca.judge import Judged, ceiling, within_band
from tnca.kernels import Choice, KernelMissing, choose
from tnca.rule.cell import CellRule
from tnca.rule.pool import Pool
from tnca.target import Target, target_of
from tnca.training import checkpoint
from tnca.vocoders.griffinlim import GriffinLim

if TYPE_CHECKING:
    from diagnose.audio import Audio
    from tnca.config import Compute, Config

CHECKPOINT, CONFIG, REFERENCE = "checkpoint.pt", "config.toml", "reference.wav"
IN_BAND = "reference_in_band.wav"
ROUNDING = 1e-3
EpochNumber = Annotated[int, msgspec.Meta(ge=0)]
Row = dict[str, int | float | str | None]


class Run:
    """Everything that decides what the next epoch does, and the best that was found so far.

    rule, optimiser, pool, rng: at the end of `epoch`.  best: the rule's weights at the best look, and that look.
    rows: the looks.  shown: its folder gets a page with pictures and sounds.  rng draws on the CPU, chance (which
    cells fire) on the rule's device.
    """

    def __init__(self, config: Config, target: Target, device: torch.device, folder: str | None = None) -> None:
        self.config, self.target, self.device, self.folder = config, target, device, folder
        bands, frames = target.values.shape
        self.rng = torch.Generator().manual_seed(config.seed)
        self.chance = torch.Generator(device).manual_seed(config.seed + 1)
        self.choice = _choice(config.compute, device)
        self.rule = self._on_device(CellRule(config.cell, bands, frames, self.rng))
        self.optimiser = self._optimiser()
        self.pool = Pool(self.rule.seed(), config.growth.pool)
        self.epoch = 0
        self.rows: list[Row] = []
        self.best: dict[str, Any] = {"epoch": 0, "figure": None, "rule": _copied(self.rule)}
        self.seconds = 0.0
        self.shown = True

    @property
    def best_rule(self) -> CellRule:
        """The rule as it was at the best look."""
        rule = self._on_device(CellRule(self.config.cell, self.rule.bands, self.rule.frames, torch.Generator()))
        checkpoint.fits(self.folder or "the run", rule, self.best["rule"])
        return rule

    def _optimiser(self) -> torch.optim.Adam:
        """Fused on CUDA, where each small operation costs a launch, and with a rate that a graph can read."""
        rate, on_cuda = self.config.optimiser.learning_rate, self.device.type == "cuda"
        if not on_cuda:
            return torch.optim.Adam(self.rule.parameters(), lr=rate)
        return torch.optim.Adam(
            self.rule.parameters(), lr=torch.tensor(rate, device=self.device), fused=True, capturable=True
        )

    def _on_device(self, rule: CellRule) -> CellRule:
        rule.choice = self.choice
        return rule.to(self.device)

    @cached_property
    def ceiling(self) -> tuple[Audio, Judged]:
        """The target's own mel through Griffin-Lim, and what diagnose says of it: what a look is held against."""
        return ceiling(self.target, GriffinLim(self.target.contract))

    def state(self) -> dict[str, Any]:
        """Tensors and plain values, enough to go on bit for bit."""
        return {
            "config": json.dumps(as_table(self.config)),
            "epoch": self.epoch,
            "bands": self.rule.bands,
            "frames": self.rule.frames,
            "target": torch.from_numpy(self.target.values),
            "rule": self.rule.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "pool": {"states": self.pool.states, "errors": self.pool.errors},
            "rng": self.rng.get_state(),
            "chance": self.chance.get_state(),
            "device": self.device.type,
            "best": self.best,
            "rows": self.rows,
            "seconds": self.seconds,
        }

    def save(self) -> None:
        """The checkpoint of a run that has a folder."""
        if self.folder is not None:
            checkpoint.save(os.path.join(self.folder, CHECKPOINT), self.state())

    def go_on(self, state: dict[str, Any], path: str) -> None:
        """Everything as it was when the state was taken; InputError where it is another run's."""
        self.take_best(state, path)
        checkpoint.fits(path, self.rule, state["rule"])
        try:
            self._take_optimiser(state["optimiser"])
            for kept, key in ((self.pool.states, "states"), (self.pool.errors, "errors")):
                if state["pool"][key].shape != kept.shape:
                    raise ValueError(f"a pool of {tuple(state['pool'][key].shape)}")
                kept.copy_(state["pool"][key])
            self.rng.set_state(state["rng"])
            self._take_chance(state, path)
            self._check_moments()
            self.rows = msgspec.convert(state["rows"], list[Row])
            if not all(type(row.get("epoch")) is int for row in self.rows):
                raise ValueError("a row without its epoch")
            self.seconds = msgspec.convert(state["seconds"], float)
        except (KeyError, ValueError, RuntimeError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: cannot be resumed ({type(error).__name__}: {error})") from None

    def _take_optimiser(self, saved: dict[str, Any]) -> None:
        """Its moments and its rate; how it is computed is this device's own matter."""
        groups = []
        for group, own in zip(saved["param_groups"], self.optimiser.param_groups, strict=True):
            rate = float(group["lr"])
            kept = torch.full_like(own["lr"], rate) if isinstance(own["lr"], torch.Tensor) else rate
            groups.append({**group, "lr": kept, "fused": own["fused"], "capturable": own["capturable"]})
        self.optimiser.load_state_dict({**saved, "param_groups": groups})

    def _check_moments(self) -> None:
        """Adam's moments are those of the rule's own weights, and there if an epoch was trained."""
        for parameter in self.rule.parameters():
            kept = self.optimiser.state.get(parameter, {})
            if self.epoch and any(kept[name].shape != parameter.shape for name in ("exp_avg", "exp_avg_sq")):
                raise ValueError("the optimiser's moments do not fit the model")

    def _take_chance(self, state: dict[str, Any], path: str) -> None:
        """Which cells fire is drawn on the device, and one device's generator cannot go on with another's state."""
        begun_on = state.get("device", self.device.type)
        if begun_on == self.device.type:
            self.chance.set_state(state["chance"])
        elif self.config.cell.fire_rate < 1:
            raise InputError(f"{path}: was started on {begun_on}; give --device {begun_on} to continue")

    def take_best(self, state: dict[str, Any], path: str) -> None:
        """Only what a sound is made from; InputError where it is another sound's or another model's."""
        if not _alike(state.get("target"), self.target.values):
            raise InputError(f"{path}: belongs to another sound; give that sound, or another --out")
        try:
            best = {key: state["best"][key] for key in ("epoch", "figure", "rule")}
            msgspec.convert(best["figure"], float | None)
            msgspec.convert(best["epoch"], EpochNumber)
            self.best, self.epoch = best, msgspec.convert(state["epoch"], EpochNumber)
        except (KeyError, ValueError, TypeError) as error:
            raise InputError(f"{path}: not a complete checkpoint ({type(error).__name__}: {error})") from None
        checkpoint.fits(path, self.rule, self.best["rule"])
        if not all(bool(weight.isfinite().all()) for weight in self.rule.parameters()):
            raise InputError(f"{path}: has non-finite weights; the training diverged")


def begin(config: Config, target: Target, device: torch.device, folder: str | None) -> Run:
    """A new run.  Its folder appears whole: made beside under another name, then renamed."""
    run = Run(config, target, device)
    if folder is None:
        return run
    if not folder:
        raise InputError("--out: the directory name is empty")
    if os.path.exists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
        how = "continue it with --resume, or " if os.path.isfile(os.path.join(folder, CHECKPOINT)) else ""
        raise InputError(f"{folder}: already exists; {how}give another --out")
    place = os.path.realpath(folder)
    made = None
    try:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        beside = os.path.join(os.path.dirname(place), f".{os.path.basename(place)}-{os.getpid()}-{time.time_ns()}")
        os.mkdir(beside)
        made = beside
        write_whole(os.path.join(made, CONFIG), tomli_w.dumps(as_table(config)).encode())
        sounds.write(os.path.join(made, REFERENCE), target.sound, "FLOAT")
        sounds.write(os.path.join(made, IN_BAND), within_band(target), "FLOAT")
        run.folder = made
        run.save()
        _move(made, place)
    except InputError as error:
        raise InputError(str(error).replace(str(made), folder)) from None
    except OSError as error:
        raise InputError(f"{folder}: cannot create the directory ({error.strerror or error})") from None
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
    run.folder = folder
    return run


def _move(made: str, place: str) -> None:
    """The folder to its place; into it, the checkpoint last, where it is there, for it may be where we stand."""
    if not os.path.isdir(place):
        os.replace(made, place)
        return
    for name in (CONFIG, REFERENCE, IN_BAND, CHECKPOINT):
        os.replace(os.path.join(made, name), os.path.join(place, name))


def files(folder: str) -> list[str]:
    """What nothing else may be written over."""
    return [entry.path for entry in os.scandir(folder)] if os.path.isdir(folder) else []


def resumed(folder: str, sound: Audio, device: torch.device, changed: dict[str, Any] | None = None) -> Run:
    """The run in a folder, where its checkpoint left it.  changed: settings that are not the stored ones."""
    path = os.path.join(folder, CHECKPOINT)
    state = checkpoint.load(path)
    config = _config_of(state, path, changed or {})
    run = Run(config, target_of(sound, config.target), device, folder)
    run.go_on(state, path)
    if run.epoch > config.epochs:
        raise InputError(f"{path}: is already at epoch {run.epoch}; give --epochs {run.epoch} or more")
    if changed:
        write_whole(os.path.join(folder, CONFIG), tomli_w.dumps(as_table(config)).encode())
    return run


def opened(folder: str, device: torch.device) -> Run:
    """The run in a folder, to generate from."""
    if not os.path.isfile(os.path.join(folder, CHECKPOINT)):
        raise InputError(f"{folder}: contains no run; `tnca train AUDIO --out {folder}` starts one")
    return restored(os.path.join(folder, CHECKPOINT), sounds.read(os.path.join(folder, REFERENCE)), device, folder)


def restored(path: str, sound: Audio, device: torch.device, folder: str | None = None) -> Run:
    """A run to generate from, of a checkpoint and the sound that it grows.

    Whatever it was trained by, it is grown by the plain cell in full precision, which is there on every machine.
    """
    state = checkpoint.load(path)
    config = _config_of(state, path, {"compute": {"kernel": "reference", "precision": "fp32"}})
    run = Run(config, target_of(sound, config.target), device, folder)
    run.take_best(state, path)
    return run


def _alike(kept: Any, values: Any) -> bool:
    """The same mel, as far as another machine's FFT may round it."""
    if not isinstance(kept, torch.Tensor) or kept.layout != torch.strided or kept.requires_grad:
        return False
    if kept.dtype != torch.float32 or kept.shape != values.shape:
        return False
    return bool(np.abs(kept.numpy() - values).mean() < ROUNDING * (np.abs(values).mean() + 1))


def _config_of(state: dict[str, Any], path: str, changed: dict[str, Any]) -> Config:
    try:
        table = json.loads(state["config"])
    except (TypeError, ValueError, RecursionError):
        raise InputError(f"{path}: its configuration cannot be read") from None
    return parse(laid_over(table, changed) if isinstance(table, dict) else table, path)


def _choice(compute: Compute, device: torch.device) -> Choice:
    try:
        return choose(compute.kernel, compute.precision, compute.memory, device)
    except KernelMissing as error:
        raise InputError(f"--kernel {compute.kernel} --precision {compute.precision}: {error}") from None


def _copied(rule: CellRule) -> dict[str, Any]:
    return {name: value.detach().cpu().clone() for name, value in rule.state_dict().items()}


def device_of(name: str) -> torch.device:
    """tnca.device.device_of(), InputError for one that is not there."""
    try:
        return devices.device_of(name)
    except NoDevice as error:
        raise InputError(str(error)) from None
