"""The settings of a run, read from TOML: an unknown key is an error, the defaults are those of the first notebook.

A preset is a whole file (presets/first.toml: the cell as it was first written).  `--config F.toml` lays the keys of
F over the preset's; `[[loss.terms]]` are replaced as a whole.
"""

from __future__ import annotations

import math
import os
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from diagnose.errors import InputError
from diagnose.mel.contract import MelContract, check, load, names

if TYPE_CHECKING:
    from collections.abc import Iterator

Padding = Literal["zero", "circular", "reflect", "replicate"]
LARGEST_FILE = 1 << 16
MOST_CHANNELS = 256
MOST_HIDDEN = 4096
MOST_STEPS = 10_000
MOST_MARGIN = 64
MOST_POSITIONS = 32
MOST_EPOCHS = 10**9
LARGEST_N_FFT = 1 << 15
PRESETS = ("first", "best")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every table of a configuration has in common."""


class Target(Settings, frozen=True):
    """What is to be grown.

    contract: convention of the mel: a name of `diagnose contracts`, or a table like those in its files.
    frames_multiple: zeros are appended to the sound until it is a multiple of so many hops long.
    """

    contract: str | MelContract
    frames_multiple: int = 1

    @property
    def mel(self) -> MelContract:
        return load(self.contract) if isinstance(self.contract, str) else self.contract


class Cell(Settings, frozen=True):
    """The rule.

    channels: numbers a cell holds; 0 is what is seen, 1 is alpha.  hidden: widths of the layers between perception
    and update.  padding: what a cell at the border sees beyond it, apart for time and frequency.  margin: cells
    grown around the grid on each side and cropped.  positions: channels that tell a cell where it is, 0 or an even
    number: x, y, then one sine of each, at twice the frequency for each pair more.  alpha_bias: of the last layer:
    1 makes every cell alive in the first step.  near_life: only cells with a living neighbour update, so that with
    an alpha_bias of 0 all come alive from the seed outwards.  fire_rate: share of the cells that update in a step.
    output: "tanh" or "linear"; value = centre + spread * output(channel 0).
    """

    channels: int = 16
    hidden: tuple[int, ...] = (128, 64)
    padding_time: Padding = "zero"
    padding_frequency: Padding = "zero"
    margin: int = 0
    positions: int = 0
    alpha_bias: float = 1.0
    near_life: bool = False
    fire_rate: float = 1.0
    output: Literal["tanh", "linear"] = "tanh"
    centre: float = -40.0
    spread: float = 40.0


class Growth(Settings, frozen=True):
    """steps: of a rollout, drawn evenly from lowest..highest in training; the highest is used to generate.

    batch: rollouts an iteration.  pool: states that are kept and grown on (0: every rollout starts at the seed).
    """

    steps: tuple[int, int] = (96, 96)
    batch: int = 1
    pool: int = 0


class Optimiser(Settings, frozen=True):
    """Adam.  schedule: "cosine" falls towards final_share of learning_rate; warmup: epochs of a linear

    rise.  normalise_gradients: each tensor's gradient is divided by its norm.
    """

    learning_rate: float = 2e-4
    schedule: Literal["constant", "cosine"] = "constant"
    final_share: float = 0.02
    warmup: int = 0
    normalise_gradients: bool = False


Frequency = Literal["linear", "exponential"]


class Term(Settings, frozen=True, tag_field="term"):
    """A named part of the loss.  mask_db: cells of the target so far under its loudest are not looked at."""

    weight: float = 1.0


class L1(Term, frozen=True, tag="l1"):
    """mean |grown - target|, per bin, in the contract's unit.

    frequency: the error of band b is multiplied, before the mean, by 1..frequency_top, rising with b.
    """

    mask_db: float | None = None
    frequency: Frequency | None = None
    frequency_top: float = 5.0


class L2(Term, frozen=True, tag="l2"):
    """mean (grown - target)**2; see l1."""

    mask_db: float | None = None
    frequency: Frequency | None = None
    frequency_top: float = 5.0


class Gram(Term, frozen=True, tag="gram"):
    """Gram matrices of three stride-2 convolutions with fixed random weights, as first written."""

    mask_db: float | None = None
    seed: int = 0


class MultiscaleGram(Term, frozen=True, tag="gram-multiscale"):
    """Gram matrices at full, half and quarter resolution, of convolutions with stride 1."""

    mask_db: float | None = None
    seed: int = 0


class Boundary(Term, frozen=True, tag="boundary"):
    """mean |grown - target| in the cells within `width` of an edge of the time axis."""

    width: int = 8


class Temporal(Term, frozen=True, tag="temporal"):
    """mean |d grown - d target|, d the difference between neighbouring frames."""


class Stft(Term, frozen=True, tag="stft"):
    """Multi-resolution STFT loss of a differentiable synthesis with the target's phases, over magnitudes."""

    n_fft: tuple[int, ...] = (512, 1024, 2048)


AnyTerm = L1 | L2 | Gram | MultiscaleGram | Boundary | Temporal | Stft


class Loss(Settings, frozen=True):
    """weighting_after_reduction: the first notebook's frequency weights 1..that, laid on the loss when it was

    already one number: a factor and no more.  weighting_shape: along which they rise.
    """

    terms: tuple[AnyTerm, ...]
    weighting_after_reduction: float = 1.0
    weighting_shape: Frequency = "linear"


class Watch(Settings, frozen=True):
    """every: epochs between two looks.  best: the figure of a look by which the best checkpoint is chosen, lowest

    magnitude of it.  patience: looks without a better one before training stops; 0 for never.
    """

    every: int = 100
    best: str = "mel_error_db"
    patience: int = 0


class Compute(Settings, frozen=True):
    """How it is reckoned: kernel and precision "auto" take the fastest that works on the machine, bf16 on a GPU that

    has it; `tnca train` says which.  A trained run is heard by the plain cell, in full precision.

    memory: of the backward pass; "recomputed" takes less and longer.  See tnca.kernels.
    """

    kernel: Literal["auto", "reference", "compiled", "native", "triton"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    memory: Literal["stored", "recomputed"] = "stored"


class Config(Settings, frozen=True):
    """A whole run."""

    target: Target
    loss: Loss
    cell: Cell = Cell()
    growth: Growth = Growth()
    optimiser: Optimiser = Optimiser()
    watch: Watch = Watch()
    compute: Compute = Compute()
    epochs: int = 8000
    seed: int = 0


def preset(name: str) -> Config:
    """`first` or `best`, as shipped."""
    return parse(preset_table(name), f"preset {name}")


def read(path: str | os.PathLike[str] | None, base: str, given: dict[str, Any] | None = None) -> Config:
    """The preset `base`, the TOML file's keys laid over it, what is given over those.  InputError names a wrong key."""
    table, name = preset_table(base), f"preset {base}"
    if path is not None:
        table, name = laid_over(table, _table(path)), os.fspath(path)
    return parse(laid_over(table, given or {}), name)


def parse(table: dict[str, Any], name: str) -> Config:
    """A Config from a table, checked; InputError with the name of the file and the key."""
    try:
        config = _self_contained(msgspec.convert(table, Config))
        check(config.target.mel, "target.contract")
    except (msgspec.ValidationError, ValueError, InputError) as error:
        raise InputError(f"{name}: not a configuration: {_one_line(error)}") from None
    problem = next(_problems(config), None)
    if problem:
        raise InputError(f"{name}: {problem}")
    return config


def _self_contained(config: Config) -> Config:
    """The contract of a file taken in whole: a run outlives the file, and the folder it was named from."""
    contract = config.target.contract
    if not isinstance(contract, str) or contract in names():
        return config
    return msgspec.structs.replace(config, target=msgspec.structs.replace(config.target, contract=load(contract)))


def _one_line(error: Exception) -> str:
    """What the file holds may have line breaks."""
    said = " ".join(str(error).split())
    return f"target.contract: {said}" if isinstance(error, InputError) and "target.contract" not in said else said


def as_table(config: Config) -> dict[str, Any]:
    """The inverse of parse: plain dicts, lists and numbers; a key without a value is left out, as in TOML."""
    return plain(config)


def plain(value: msgspec.Struct) -> dict[str, Any]:
    """A struct as TOML has it: what has no value is left out."""
    table: dict[str, Any] = _without_none(msgspec.to_builtins(value))
    return table


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(each) for key, each in value.items() if each is not None}
    return [_without_none(each) for each in value] if isinstance(value, list | tuple) else value


def preset_table(name: str) -> dict[str, Any]:
    """The TOML table of a preset."""
    if name not in PRESETS:
        raise InputError(f"{name}: no such preset; use {', '.join(PRESETS)}")
    return tomllib.loads((resources.files("tnca") / "presets" / f"{name}.toml").read_text(encoding="utf-8"))


def _table(path: str | os.PathLike[str]) -> dict[str, Any]:
    name = os.fspath(path)
    try:
        if not os.path.isfile(name):
            raise InputError(f"{name}: cannot be read (no such file); a configuration is a TOML file")
        with open(name, "rb") as file:
            text = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(text) > LARGEST_FILE:
        raise InputError(f"{name}: larger than {LARGEST_FILE} bytes, not a configuration")
    try:
        return tomllib.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: not valid TOML ({error})") from None


def laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key; anything else above replaces what is below."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(value, dict) and isinstance(under, dict)
        merged[key] = laid_over(under or {}, value) if both else value
    return merged


def _problems(config: Config) -> Iterator[str]:
    """What the types cannot say, in words with the key."""
    cell, growth, optimiser = config.cell, config.growth, config.optimiser
    lowest, highest = growth.steps
    checks = [
        (1 <= config.target.frames_multiple <= 64, "target.frames_multiple: must be 1 to 64"),
        (2 <= cell.channels <= MOST_CHANNELS, f"cell.channels: must be 2 to {MOST_CHANNELS}"),
        (all(1 <= width <= MOST_HIDDEN for width in cell.hidden), f"cell.hidden: widths must be 1 to {MOST_HIDDEN}"),
        (1 <= len(cell.hidden) <= 8, "cell.hidden: must have 1 to 8 layers"),
        (0 <= cell.margin <= MOST_MARGIN, f"cell.margin: must be 0 to {MOST_MARGIN}"),
        (cell.positions % 2 == 0 and 0 <= cell.positions <= MOST_POSITIONS, "cell.positions: must be 0 or even"),
        (0 < cell.fire_rate <= 1, "cell.fire_rate: must be above 0, at most 1"),
        (cell.spread > 0, "cell.spread: must be above 0"),
        (1 <= lowest <= highest <= MOST_STEPS, f"growth.steps: must be [lowest, highest], 1 to {MOST_STEPS}"),
        (1 <= growth.batch <= 1024, "growth.batch: must be 1 to 1024"),
        (growth.pool == 0 or growth.batch <= growth.pool <= 4096, "growth.pool: must be 0, or growth.batch to 4096"),
        (optimiser.learning_rate > 0, "optimiser.learning_rate: must be above 0"),
        (0 <= optimiser.final_share <= 1, "optimiser.final_share: must be 0 to 1"),
        (0 <= optimiser.warmup <= MOST_EPOCHS, f"optimiser.warmup: must be 0 to {MOST_EPOCHS}"),
        (1 <= config.epochs <= MOST_EPOCHS, f"epochs: must be 1 to {MOST_EPOCHS}"),
        (0 <= config.seed < 2**63, "seed: must be 0 or more"),
        (config.watch.every >= 1, "watch.every: must be 1 or more"),
        (config.watch.patience >= 0, "watch.patience: must be 0 or more"),
        (len(config.loss.terms) >= 1, "loss.terms: must have at least one term"),
        (config.loss.weighting_after_reduction >= 1, "loss.weighting_after_reduction: must be 1 or more"),
    ]
    yield from (said for holds, said in checks if not holds)
    for each in _numbers(as_table(config), ""):
        if not math.isfinite(each[1]):
            yield f"{each[0]}: must be finite, not {each[1]}"
    yield from _term_problems(config.loss.terms)


def _term_problems(terms: tuple[AnyTerm, ...]) -> Iterator[str]:
    for term in terms:
        if (getattr(term, "mask_db", None) or -1.0) >= 0:
            yield "loss.terms: mask_db: must be below 0 (dB relative to the loudest cell)"
        if isinstance(term, Stft) and not (
            term.n_fft and all(4 <= n <= LARGEST_N_FFT and n % 4 == 0 for n in term.n_fft)
        ):
            yield f"loss.terms: n_fft: must be multiples of 4 up to {LARGEST_N_FFT}"
        if not 0 <= getattr(term, "seed", 0) < 2**63:
            yield "loss.terms: seed: must be 0 or more"
        if term.weight < 0 or getattr(term, "frequency_top", 1) <= 0 or getattr(term, "width", 1) < 1:
            yield "loss.terms: weight must be 0 or more, frequency_top above 0, width 1 or more"


def _numbers(value: Any, key: str) -> Iterator[tuple[str, float]]:
    """(key, number) of every number in a table."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _numbers(each, f"{key}.{name}" if key else name)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _numbers(each, key)
    elif isinstance(value, float | int):
        yield key, value
