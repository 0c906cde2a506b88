"""An injector: a function that breaks a sound by a stated amount, and the cause that should be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.audio import Audio

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.arrays import Floats

    Break = Callable[[Audio, float, np.random.Generator], Audio]


INAUDIBLE_DB = -50.0


class Injector(msgspec.Struct, frozen=True):
    """A known way to break a sound.

    cause: the id a diagnosis should name.  break_by(audio, amount, rng): the broken sound; amount is in unit.
    weak, strong: the amount at severity 0 (just to be found) and 1; without a unit there is nothing to grade.
    geometric: whether severities step by a factor.  needs: what a sound has to have for the fault to show.
    vocoded: whether the broken sound comes out of a vocoder, whose own loss is no part of the fault.
    metric: the one that tells at middle severity, where that is not the metric of the cause.
    """

    name: str
    cause: str
    about: str
    break_by: Break
    unit: str = ""
    weak: float = 0.0
    strong: float = 0.0
    geometric: bool = False
    needs: Callable[[Audio], bool] | None = None
    vocoded: bool = False
    metric: str = ""

    def amount(self, severity: float) -> float:
        """Severity 0..1 in the fault's unit."""
        if self.geometric:
            return float(self.weak * (self.strong / self.weak) ** severity)
        return self.weak + (self.strong - self.weak) * severity

    def inject(self, audio: Audio, severity: float, rng: np.random.Generator) -> Audio:
        """The sound as the broken link would have made it; float samples, not clipped unless that is the fault."""
        if not 0 <= severity <= 1:
            raise ValueError(f"severity must be 0 to 1, not {severity}")
        return self.break_by(audio, self.amount(severity), rng)

    def fits(self, audio: Audio) -> bool:
        """Whether the fault can happen to this sound at all: a mono sound has no channel to lose."""
        return self.needs is None or self.needs(audio)


def audible(sound: Audio, copy: Audio) -> bool:
    """Whether the copy differs by more than -50 dB of the sound; another length, rate or channel count does."""
    if sound.samples.shape != copy.samples.shape or sound.rate != copy.rate:
        return True
    change = np.square(copy.samples - sound.samples, dtype=np.float64).sum()
    power = np.square(sound.samples, dtype=np.float64).sum()
    return bool(change > 10 ** (INAUDIBLE_DB / 10) * power)


def remade(audio: Audio, samples: Floats) -> Audio:
    """The sound with other samples [shape=(n,) or (channels, n)]."""
    return Audio(np.atleast_2d(samples).astype(np.float32), audio.rate, audio.name)


def each_channel(audio: Audio, change: Callable[[Floats], Floats]) -> Audio:
    """The sound with every channel changed alike."""
    return remade(audio, np.stack([change(channel.astype(np.float64)) for channel in audio.samples]))


def rms(samples: Floats) -> float:
    """sqrt(mean(x**2)) without the mean."""
    return float(np.std(samples, dtype=np.float64))


def times(audio: Audio) -> Floats:
    """Time of each sample, s."""
    return np.arange(audio.length) / audio.rate


def factor(decibels: float) -> float:
    """Amplitude factor of a level in dB."""
    return float(10 ** (decibels / 20))
