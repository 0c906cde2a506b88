"""The scale of a spectrogram as a type, and the one place where values change scale.

Every scale converts to power and from power, so N scales need 2N functions.  Power is |STFT|**2 per bin;
the formulas run on numpy arrays and torch tensors alike, and import neither.

    Power                      x                                     linear, >= 0
    Magnitude                  sqrt(power)                           linear, >= 0
    Decibel(ref, floor)        10 log10(max(power, p_floor) / ref)   p_floor = ref * 10**(floor / 10)
    LogMagnitude(clip, base)   log(max(sqrt(power), clip))           BigVGAN, HiFi-GAN, Tacotron 2; base 10: ESPnet
    LogPower(clip, base)       log(max(power, clip))                 NeMo; base 10: Whisper
    Normalised(of, ...)        another scale, its low..high laid on bottom..top
"""

from __future__ import annotations

import math
import sys
from typing import Any

import msgspec

Array = Any  # a numpy array or a torch tensor, whose common names are all that is used


def _namespace(values: Array) -> Any:
    """The module whose log and clip fit the array: numpy, or torch where the caller brought it."""
    return sys.modules[type(values).__module__.partition(".")[0]]


class Power(msgspec.Struct, frozen=True):
    def to_power(self, values: Array) -> Array:
        return values

    def from_power(self, power: Array) -> Array:
        return power


class Magnitude(msgspec.Struct, frozen=True):
    def to_power(self, values: Array) -> Array:
        return values * values

    def from_power(self, power: Array) -> Array:
        return power**0.5


class Decibel(msgspec.Struct, frozen=True):
    """Decibels of power over ref, cut at floor_db; ref is a power, so that 0 dB is power = ref.

    The floor is part of the type because it destroys information: librosa's hidden top_db = 80 is
    Decibel(ref=power.max(), floor_db=-80).
    """

    ref: float = 1.0
    floor_db: float = -120.0

    def __post_init__(self) -> None:
        if not self.ref > 0 or not math.isfinite(self.ref):
            raise ValueError(f"ref must be a power above 0, not {self.ref}")
        if not math.isfinite(self.floor_db):
            raise ValueError(f"floor_db must be a finite number of dB, not {self.floor_db}")

    def to_power(self, values: Array) -> Array:
        return self.ref * 10.0 ** (values / 10.0)

    def from_power(self, power: Array) -> Array:
        lowest = self.ref * 10.0 ** (self.floor_db / 10.0)
        xp = _namespace(power)
        return 10.0 * xp.log10(xp.clip(power, lowest, None) / self.ref)


class LogMagnitude(msgspec.Struct, frozen=True):
    """Logarithm of magnitude, clipped from below at clip (BigVGAN's dynamic_range_compression: natural, 1e-5)."""

    clip: float = 1e-5
    base: float = math.e

    def __post_init__(self) -> None:
        _check_logarithm(self.clip, self.base)

    def to_power(self, values: Array) -> Array:
        return _namespace(values).exp(2.0 * math.log(self.base) * values)

    def from_power(self, power: Array) -> Array:
        # ln(sqrt(p)) as ln(p) / 2: one pass less, and the clip moves to the power.
        xp = _namespace(power)
        return 0.5 / math.log(self.base) * xp.log(xp.clip(power, self.clip * self.clip, None))


class LogPower(msgspec.Struct, frozen=True):
    """Logarithm of power, clipped from below at clip."""

    clip: float = 1e-10
    base: float = math.e

    def __post_init__(self) -> None:
        _check_logarithm(self.clip, self.base)

    def to_power(self, values: Array) -> Array:
        return _namespace(values).exp(math.log(self.base) * values)

    def from_power(self, power: Array) -> Array:
        xp = _namespace(power)
        return 1.0 / math.log(self.base) * xp.log(xp.clip(power, self.clip, None))


def _check_logarithm(clip: float, base: float) -> None:
    if not clip > 0 or not math.isfinite(clip):
        raise ValueError(f"clip must be a number above 0, not {clip}")
    if not base > 1 or not math.isfinite(base):
        raise ValueError(f"the base of a logarithm must be above 1, not {base}")


class Normalised(msgspec.Struct, frozen=True):
    """The values of a logarithmic scale, its low..high laid linearly on bottom..top; nothing is cut.

    Rayhane's Tacotron 2: decibels of -100..0 on -4..4.  Whisper: log10 of -4..0 on 0..1.
    """

    of: Decibel | LogMagnitude | LogPower
    low: float
    high: float
    bottom: float = 0.0
    top: float = 1.0

    def __post_init__(self) -> None:
        if not (self.low < self.high and self.bottom < self.top):
            raise ValueError(f"low..high and bottom..top must rise: {self.low}..{self.high}, {self.bottom}..{self.top}")

    @property
    def _gain(self) -> float:
        return (self.top - self.bottom) / (self.high - self.low)

    def to_power(self, values: Array) -> Array:
        return self.of.to_power((values - self.bottom) / self._gain + self.low)

    def from_power(self, power: Array) -> Array:
        return (self.of.from_power(power) - self.low) * self._gain + self.bottom


Scale = Power | Magnitude | Decibel | LogMagnitude | LogPower | Normalised


def convert(values: Array, source: Scale, target: Scale) -> Array:
    """Values on another scale; exact but for the floor or clip of either side."""
    return values if source == target else target.from_power(source.to_power(values))
