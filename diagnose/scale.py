"""The scale of a spectrogram as a type, and the one place where values change scale.

Every scale converts to power and from power, so N scales need 2N functions.  Power is |STFT|**2 per bin;
the formulas run on numpy arrays and torch tensors alike, and import neither.

    Power                x                                     linear, >= 0
    Magnitude            sqrt(power)                           linear, >= 0
    Decibel(ref, floor)  10 log10(max(power, p_floor) / ref)   p_floor = ref * 10**(floor / 10)
    LogMagnitude(clip)   ln(max(sqrt(power), clip))            what BigVGAN, HiFi-GAN and Tacotron 2 read
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
            raise ValueError(f"ref is a power above 0, not {self.ref}")
        if not math.isfinite(self.floor_db):
            raise ValueError(f"floor_db is a finite number of dB, not {self.floor_db}")

    def to_power(self, values: Array) -> Array:
        return self.ref * 10.0 ** (values / 10.0)

    def from_power(self, power: Array) -> Array:
        lowest = self.ref * 10.0 ** (self.floor_db / 10.0)
        xp = _namespace(power)
        return 10.0 * xp.log10(xp.clip(power, lowest, None) / self.ref)


class LogMagnitude(msgspec.Struct, frozen=True):
    """Natural logarithm of magnitude, clipped from below at clip (BigVGAN's dynamic_range_compression, 1e-5)."""

    clip: float = 1e-5

    def __post_init__(self) -> None:
        if not self.clip > 0 or not math.isfinite(self.clip):
            raise ValueError(f"clip is a magnitude above 0, not {self.clip}")

    def to_power(self, values: Array) -> Array:
        return _namespace(values).exp(2.0 * values)

    def from_power(self, power: Array) -> Array:
        # ln(sqrt(p)) as ln(p) / 2: one pass less, and the clip moves to the power.
        xp = _namespace(power)
        return 0.5 * xp.log(xp.clip(power, self.clip * self.clip, None))


Scale = Power | Magnitude | Decibel | LogMagnitude


def convert(values: Array, source: Scale, target: Scale) -> Array:
    """Values on another scale; exact but for the floor or clip of either side."""
    return values if source == target else target.from_power(source.to_power(values))
