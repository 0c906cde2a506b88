"""Break points of WORLD: f0, spectral envelope and aperiodicity of a recording, broken, and synthesised again.

The reference is the recording, or what WORLD makes of it unbroken.  Beside a recording, phases are a trace of every
pair: WORLD's pulses have its own.
"""

# ruff: noqa: ARG001 - a table of functions of one signature

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec.structs import replace
from neural_kinds import (
    PIPELINE,
    RECORDING,
    blurred,
    doubled_in_part,
    few_cosines,
    keep,
    read_rows,
    to_peak_of,
)
from neural_mel import recording
from neural_voice import RATE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neural_kinds import Floats, Made, Rng
    from numpy.typing import NDArray

FRAME_MS = 5.0
POOL = ("said_ferry", "said_morning", "said_umbrella", "singing_voice", "spoken_syllables", "flute")


class Analysed(msgspec.Struct, frozen=True, eq=False):
    """f0 in Hz, 0 where unvoiced [shape=(frames,)]; envelope of power and aperiodicity [shape=(frames, bins)]."""

    f0: Floats
    envelope: Floats
    aperiodicity: Floats

    @property
    def voiced(self) -> NDArray[np.bool_]:
        return self.f0 > 0


@lru_cache(maxsize=1)
def world() -> Any:
    """pyworld, which looks up its own version by way of setuptools' pkg_resources, and is warned of that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pyworld
    return pyworld


def analysed_of(samples: Floats) -> Analysed:
    pyworld = world()
    samples = np.ascontiguousarray(samples, np.float64)
    coarse, times = pyworld.dio(samples, RATE, f0_floor=65.0, f0_ceil=900.0, frame_period=FRAME_MS)
    f0 = pyworld.stonemask(samples, coarse, times, RATE)
    return Analysed(f0, pyworld.cheaptrick(samples, f0, times, RATE), pyworld.d4c(samples, f0, times, RATE))


@lru_cache(maxsize=16)
def analysed(name: str) -> Analysed:
    return analysed_of(recording(name))


def synthesised(given: Analysed, frame_ms: float = FRAME_MS) -> Floats:
    pyworld = world()
    arrays = (np.ascontiguousarray(getattr(given, name), np.float64) for name in given.__struct_fields__)
    return np.asarray(pyworld.synthesize(*arrays, RATE, frame_ms))


@lru_cache(maxsize=16)
def unbroken(name: str) -> Floats:
    return synthesised(analysed(name))


def world_kind(
    right: Sequence[str], amounts: Sequence[float] = (1.0,), *, against: Sequence[str] = (RECORDING, PIPELINE)
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Keep maker(analysed, generator, amount) -> the same broken, or samples, as a kind."""

    def kept(maker: Callable[..., object]) -> Callable[..., object]:
        def pipeline(sound: str, rng: Rng, amount: float, against: str) -> Made:
            reference = recording(sound) if against == RECORDING else unbroken(sound)
            got = maker(analysed(sound), rng, amount)
            return reference, RATE, synthesised(got) if isinstance(got, Analysed) else np.asarray(got), RATE

        keep(
            maker,
            "world" if right else "harmless",
            right,
            amounts,
            traces=("phase-incoherent",),
            pool=POOL,
            against=against,
            needs=("pyworld", "pkg_resources"),
            pipeline=pipeline,
        )
        return maker

    return kept


@world_kind(("octave-error", "pitch"), (2.0, 0.5))
def world_f0_of_another_octave(given: Analysed, rng: Rng, amount: float) -> Analysed:
    """Amount times the f0."""
    return replace(given, f0=amount * given.f0)


@world_kind(("octave-error",), (0.25, 0.5))
def world_f0_doubled_in_parts(given: Analysed, rng: Rng, amount: float) -> Analysed:
    """Twice the f0 for amount of the voiced frames, in one stretch."""
    return replace(given, f0=doubled_in_part(given.f0, given.voiced, amount, rng))


@world_kind(("pitch",), (3.0, -5.0))
def world_f0_shifted(given: Analysed, rng: Rng, amount: float) -> Analysed:
    """Amount semitones; the envelope is kept."""
    return replace(given, f0=given.f0 * 2 ** (amount / 12))


@world_kind(("pitch-flattened",), (0.3, 0.0))
def world_f0_flat(given: Analysed, rng: Rng, amount: float) -> Analysed:
    """Amount of the melody about its median is left."""
    middle = np.median(given.f0[given.voiced])
    return replace(given, f0=np.where(given.voiced, middle * (np.maximum(given.f0, 1) / middle) ** amount, 0))


@world_kind(("voicing-lost",))
def world_unvoiced(given: Analysed, rng: Rng, amount: float) -> Analysed:
    """f0 is 0 throughout."""
    return replace(given, f0=np.zeros_like(given.f0))


@world_kind(("voicing-lost", "noise"), (0.7, 1.0))
def world_aperiodicity_full(given: Analysed, rng: Rng, amount: float) -> Analysed:
    """Aperiodicity is at least amount: hoarse, or whispered."""
    return replace(given, aperiodicity=np.clip(np.maximum(given.aperiodicity, amount), 0.001, 0.999))


@world_kind(("voicing-lost", "tonal"))
def world_voiced_everywhere(given: Analysed, rng: Rng, amount: float) -> Analysed:
    """f0 goes on through unvoiced frames, with an aperiodicity of 0: a buzz."""
    f0 = np.interp(np.arange(given.f0.size), np.flatnonzero(given.voiced), given.f0[given.voiced])
    return replace(given, f0=f0, aperiodicity=np.full_like(given.aperiodicity, 0.001))


@world_kind(("voicing-lost", "pitch"), (8.0, 24.0))
def world_f0_late(given: Analysed, rng: Rng, amount: float) -> Analysed:
    """f0 comes amount frames of 5 ms late."""
    return replace(given, f0=np.pad(given.f0, (int(amount), 0))[: given.f0.size])


@world_kind(("formant-shift", "mel-range"), (1.12, 0.8))
def world_formants_moved(given: Analysed, rng: Rng, amount: float) -> Analysed:
    """The envelope is read at amount times the frequency."""
    places = np.arange(given.envelope.shape[1]) * amount
    return replace(given, envelope=np.ascontiguousarray(read_rows(given.envelope.T, places).T))


@world_kind(("over-smoothed",), (6.0, 20.0))
def world_envelope_blurred_in_time(given: Analysed, rng: Rng, amount: float) -> Analysed:
    """ln of the envelope, a Gaussian of deviation amount frames."""
    return replace(given, envelope=np.exp(blurred(np.log(given.envelope), amount, 0)))


@world_kind(("over-smoothed",), (16.0, 6.0))
def world_few_coefficients(given: Analysed, rng: Rng, amount: float) -> Analysed:
    """ln of the envelope by amount cosines."""
    return replace(given, envelope=np.exp(few_cosines(np.log(given.envelope).T, int(amount)).T))


@world_kind(("power-magnitude",), (0.0, 1.0))
def world_envelope_rooted(given: Analysed, rng: Rng, amount: float) -> Floats:
    """A magnitude where a power is read; at amount 1 the file has a peak of 0.95."""
    made = synthesised(replace(given, envelope=np.sqrt(given.envelope)))
    return to_peak_of(made) if amount else made


@world_kind(("power-magnitude", "vocoder-input-scale"), (0.0, 1.0))
def world_envelope_squared(given: Analysed, rng: Rng, amount: float) -> Floats:
    """The square of the power is read as the power; at amount 1 the file has a peak of 0.95."""
    made = synthesised(replace(given, envelope=np.maximum(given.envelope**2, 1e-16)))
    return to_peak_of(made) if amount else made


@world_kind(("time-stretch",), (4.0, 6.5))
def world_another_frame_period(given: Analysed, rng: Rng, amount: float) -> Floats:
    """Frames of 5 ms, synthesised as of amount ms."""
    return synthesised(given, amount)


@world_kind(("gain", "level-reference-lost"), (-6.0, -14.0))
def world_energy_offset(given: Analysed, rng: Rng, amount: float) -> Analysed:
    """c0 of the cepstrum is off, by amount dB."""
    return replace(given, envelope=given.envelope * 10 ** (amount / 10))
