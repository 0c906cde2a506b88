"""MelContract: everything two programs have to agree on before one can read the other's mel spectrogram.

    contract = load("bigvgan_base_22khz_80band")
    contract.mel(samples).values        # what that vocoder was trained on

The contracts that are known lie in contracts/*.toml, each with its source; a path to such a file is loaded too.
"""

from __future__ import annotations

import math
import os
import stat
from functools import cached_property, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from diagnose.audio import HIGHEST_RATE_HZ, LOWEST_RATE_HZ
from diagnose.errors import InputError
from diagnose.scale import Decibel, LogMagnitude, LogPower, Magnitude, Normalised, Power, Scale
from diagnose.spectrogram import MelGrid, Spectrogram, mel, mel_filterbank

if TYPE_CHECKING:
    from diagnose.arrays import Floats

LogName = Literal["power-db", "magnitude-db", "ln-magnitude", "log10-magnitude", "ln-power", "log10-power"]
ScaleName = LogName | Literal["power", "magnitude", "normalised"]

LOG_BASES = {"power-db": 10.0, "magnitude-db": 10.0, "ln-magnitude": math.e, "log10-magnitude": 10.0}
LOG_BASES |= {"ln-power": math.e, "log10-power": 10.0}
TOP_FREE_DB = 1000.0  # a floor so far down that nothing reaches it
TINY = 1e-30  # of a power that is silence; float32 holds it
LARGEST_FILE = 1 << 16
LARGEST_N_FFT = 1 << 15
MOST_OVERLAP = 64
MOST_BANDS = 4096


class ValueScale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the sums of the filters become values.

    name: what is summed and how it is written: "magnitude" and "power" as they are; "ln-", "log10-" their
        logarithm; "magnitude-db" 20 log10, "power-db" 10 log10; "normalised": `of`, laid on bottom..top.
    clip: the smallest sum that is told apart, in its own unit (BigVGAN: 1e-5, a magnitude; librosa's amin: 1e-10, a
        power).
    reference: the sum that is 0 dB, in its own unit; "max" for the loudest cell of each array.
    top_db: what lies this far under the loudest cell is raised to there; None for no such floor.
    low..high, in the unit of `of`, is laid on bottom..top.
    """

    name: ScaleName
    clip: float | None = None
    reference: float | Literal["max"] = 1.0
    top_db: float | None = None
    of: LogName | None = None
    low: float = 0.0
    high: float = 1.0
    bottom: float = 0.0
    top: float = 1.0

    def __post_init__(self) -> None:
        if (self.name == "normalised") != (self.of is not None):
            raise ValueError("'of', the scale before normalisation, is for a normalised scale only, which needs it")
        if self.name == "normalised" and not (self.low < self.high and self.bottom < self.top):
            raise ValueError("low must be below high, and bottom below top")
        if self.clip is not None and not 0 < self.clip < math.inf:
            raise ValueError(f"clip must be a number above 0, not {self.clip}")
        if self.reference != "max" and not 0 < self.reference < math.inf:
            raise ValueError(f"reference must be 'max' or a number above 0, not {self.reference}")
        if self.top_db is not None and not 0 < self.top_db < math.inf:
            raise ValueError(f"top_db must be a number above 0, not {self.top_db}")
        if not all(map(math.isfinite, (self.low, self.high, self.bottom, self.top))):
            raise ValueError("low, high, bottom and top must be finite")

    @property
    def base(self) -> str:
        """The scale before it was normalised."""
        return self.of or self.name

    @property
    def summed(self) -> Literal["power", "magnitude"]:
        """What the filters sum, if they sum what the name of the scale says."""
        return "magnitude" if "magnitude" in self.base else "power"

    @property
    def pooled(self) -> Power | Magnitude:
        """The scale of the sums."""
        return Magnitude() if self.summed == "magnitude" else Power()

    @property
    def clip_power(self) -> float:
        """clip as a power; 0 where nothing is clipped."""
        return float(self.pooled.to_power(self.clip)) if self.clip is not None else 0.0

    def scale(self, peak: float) -> Scale:
        """The scale of an array whose loudest sum is peak, as a power."""
        reference = peak if self.reference == "max" else float(self.pooled.to_power(self.reference))
        floor = self.clip_power
        if self.top_db is not None:
            floor = max(floor, peak * 10 ** (-self.top_db / 10))
        scale = self._unnormalised(max(reference, self.clip_power, TINY), max(floor, TINY))
        if self.name != "normalised":
            return scale
        assert isinstance(scale, Decibel | LogMagnitude | LogPower)
        return Normalised(scale, self.low, self.high, self.bottom, self.top)

    @property
    def line(self) -> tuple[float, float]:
        """(slope, offset) of the values over ln(sum), for a logarithmic scale with a number for its reference."""
        scale = msgspec.structs.replace(self, clip=None, top_db=None).scale(1.0)
        zero, one = (float(scale.from_power(np.float64(self.pooled.to_power(math.exp(x))))) for x in (0.0, 1.0))
        return one - zero, zero

    def _unnormalised(self, reference: float, floor: float) -> Scale:
        if self.base.endswith("-db"):
            return Decibel(reference, max(10 * math.log10(floor / reference), -TOP_FREE_DB))
        if self.base in ("power", "magnitude"):
            return self.pooled
        base = LOG_BASES[self.base]
        return LogMagnitude(math.sqrt(floor), base) if isinstance(self.pooled, Magnitude) else LogPower(floor, base)


class MelContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """Grid, levels and range of the mels that a program makes or reads.

    name: of the file it stands in.  source: where its figures stand.  about: what it is, in a line.
    bin_epsilon: added to |STFT|**2 of every bin.
    """

    source: str
    about: str
    grid: MelGrid
    levels: ValueScale
    bin_epsilon: float = 0.0
    name: str = ""

    def mel(self, samples: Floats) -> Spectrogram:
        """Mel of samples [shape=(n,)] at the contract's rate: values [shape=(bands, frames)], float32."""
        pooled = mel(samples, self.grid, self.levels.pooled, epsilon=self.bin_epsilon)
        peak = float(pooled.values.max()) if pooled.values.size else 0.0
        return pooled.to(self.levels.scale(float(pooled.scale.to_power(peak))))

    @cached_property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest value that a sound within full scale can have; -inf where nothing is clipped.

        |STFT| of a bin is at most n_fft / 2, the sum of a Hann window, so a band's sum is at most (n_fft / 2)**p
        times the sum of its filter, p = 2 for power.
        """
        loudest = self.grid.n_fft / 2
        bin_value = loudest if isinstance(self.levels.pooled, Magnitude) else loudest**2
        peak = float(self.levels.pooled.to_power(bin_value * float(mel_filterbank(self.grid).sum(axis=1).max())))
        scale = self.levels.scale(peak)
        high = float(scale.from_power(np.float64(peak)))
        if self.levels.base in ("power", "magnitude"):
            return 0.0, high
        if not self._floored:
            return -math.inf, high
        clipped = msgspec.structs.replace(self.levels, top_db=None).scale(
            peak
        )  # top_db lies under each array's own peak
        return float(clipped.from_power(np.float64(self.levels.clip_power))), high

    @property
    def _floored(self) -> bool:
        return self.levels.clip is not None and self.levels.reference != "max"


def names() -> list[str]:
    """Names of the contracts that come with the tool, in alphabetical order."""
    return list(_names())


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    entries = (resources.files("diagnose.mel") / "contracts").iterdir()
    return tuple(sorted(each.name.removesuffix(".toml") for each in entries if each.name.endswith(".toml")))


def load(name: str) -> MelContract:
    """The contract of that name, or the one in the TOML file of that path; InputError names what is known."""
    if name.endswith(".toml") or os.sep in name:
        return _parse(_text(name), name, os.path.basename(name).removesuffix(".toml"))
    if name not in names():
        raise InputError(f"{name}: no such contract; give a TOML file or one of {', '.join(names())}")
    return _shipped(name)


@lru_cache(maxsize=64)
def _shipped(name: str) -> MelContract:
    return _parse((resources.files("diagnose.mel") / "contracts" / f"{name}.toml").read_bytes(), name, name)


@lru_cache(maxsize=1)
def normalised() -> tuple[ValueScale, ...]:
    """The normalised scales that have a name."""
    return tuple(levels for levels in (load(name).levels for name in names()) if levels.name == "normalised")


def family(name: str) -> list[MelContract]:
    """The contract of that name or, where it only begins that way ("bigvgan"), all that do."""
    known = [each for each in names() if each.startswith(name)] if name else []
    return [load(name)] if name in known or not known else [load(each) for each in known]


def _text(path: str) -> bytes:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe nobody writes to would wait for ever
            raise InputError(f"{path}: cannot be read (not a regular file); a contract is a TOML file")
        with open(path, "rb") as file:
            text = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(text) > LARGEST_FILE:
        raise InputError(f"{path}: larger than {LARGEST_FILE} bytes, not a contract; see `diagnose contracts --help`")
    return text


def _parse(text: bytes, path: str, name: str) -> MelContract:
    try:
        contract = msgspec.toml.decode(text, type=MelContract)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:  # ValueError: tomllib's own
        raise InputError(f"{path}: not a contract: {error}") from None
    check(contract, path)
    return msgspec.structs.replace(contract, name=name)


def check(contract: MelContract, path: str) -> None:
    """Raises InputError for sizes that are none; path: where it was read."""
    _check_grid(contract.grid, path)
    if not 0 <= contract.bin_epsilon < 1:
        raise InputError(f"{path}: bin_epsilon {contract.bin_epsilon}: must be at least 0 and below 1")


def _check_grid(grid: MelGrid, path: str) -> None:
    """Sizes are checked before a filterbank of that size is made."""
    if not (2 <= grid.n_fft <= LARGEST_N_FFT and grid.n_fft % 2 == 0):
        raise InputError(f"{path}: n_fft {grid.n_fft}: must be an even number up to {LARGEST_N_FFT}")
    if not LOWEST_RATE_HZ <= grid.rate <= HIGHEST_RATE_HZ:
        raise InputError(f"{path}: rate {grid.rate}: must be {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz")
    if not max(1, grid.n_fft // MOST_OVERLAP) <= grid.hop <= grid.n_fft:
        raise InputError(f"{path}: hop {grid.hop}: must be n_fft / {MOST_OVERLAP} to n_fft ({grid.n_fft})")
    if not 1 <= grid.bands <= MOST_BANDS:
        raise InputError(f"{path}: bands {grid.bands}: must be 1 to {MOST_BANDS}")
    if not 0 <= grid.fmin < grid.fmax <= grid.rate / 2:
        raise InputError(f"{path}: fmin {grid.fmin:g}, fmax {grid.fmax:g}: must be 0 <= fmin < fmax <= rate / 2")
