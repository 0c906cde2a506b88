"""What is done to a synthesis, and is no fault: no FAIL, and nothing named at 0.8 or more.

A resynthesis of a recording has phases of its own, and its true traces are allowed: what Griffin-Lim or WORLD does to
phases, and the noise or the smoothing that belongs to it.
"""

# ruff: noqa: ARG001 - a table of functions of one signature

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace
from neural_after import codec_kind, coded
from neural_kinds import RECORDING
from neural_mel import GRID, griffin_lim, magnitudes, mel_kind, resounded
from neural_voice import SEED, Features, after_kind, enveloped, features, sounded, voice_kind
from neural_world import Analysed, world_kind

if TYPE_CHECKING:
    from neural_kinds import Floats, Rng

NONE: tuple[str, ...] = ()


@voice_kind("harmless", NONE)
def another_seed(given: Features, rng: Rng, amount: float) -> Floats:
    """Another seed of the noise."""
    return sounded(given, SEED + 1)


@voice_kind("harmless", NONE, (1.03, 1.08))
def a_little_faster(given: Features, rng: Rng, amount: float) -> Floats:
    """Durations amount times as short, by the network."""
    return sounded(features(given.sentence, amount))


@voice_kind("harmless", NONE, (0.97, 0.92))
def a_little_slower(given: Features, rng: Rng, amount: float) -> Floats:
    """Durations amount times as short, by the network."""
    return sounded(features(given.sentence, amount))


@voice_kind("harmless", NONE, (4.0, 16.0))
def longer_pause(given: Features, rng: Rng, amount: float) -> Features:
    """Amount frames more (12.5 ms each) of the silence before the first word."""
    quiet = int(np.argmin(np.logaddexp(given.lh, given.lr).mean(axis=0)))
    return given.at(np.repeat(np.arange(given.frames), np.where(np.arange(given.frames) == quiet, 1 + int(amount), 1)))


@after_kind("harmless", NONE, (0.05, 0.2))
def longer_silence_at_the_end(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount s more of silence at the end."""
    return np.pad(x, (0, int(amount * rate)))


@after_kind("harmless", NONE)
def file_of_16_bits(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Written in 16 bits."""
    return np.round(x * 32768) / 32768


@after_kind("harmless", NONE, (0.3, -0.3))
def level_within_a_third_of_a_decibel(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount dB."""
    return x * 10 ** (amount / 20)


@voice_kind("harmless", NONE, (1.0, 1.6), traces=("phase-incoherent", "delay"))
def another_initial_phase(given: Features, rng: Rng, amount: float) -> Features:
    """The phases of harmonics and of the third branch are turned by amount rad, up to a quarter of a turn."""
    turned = (np.tanh(given.th) + amount / np.pi + 1) % 2 - 1
    return replace(given, th=np.arctanh(np.clip(turned, -0.9999, 0.9999)), phi=given.phi + amount)


@voice_kind("harmless", NONE)
def features_of_16_bits(given: Features, rng: Rng, amount: float) -> Features:
    """All features in half precision."""
    return given.with_all(lambda v: v.astype(np.float16).astype(np.float64))


@voice_kind("harmless", NONE)
def features_of_8_bits(given: Features, rng: Rng, amount: float) -> Features:
    """The logarithms of magnitudes in 256 steps of 0.11 nat."""
    return given.with_logs(lambda v: np.round((v + 20) / 27 * 255) / 255 * 27 - 20)


@voice_kind("harmless", NONE, (1.005, 0.995))
def pitch_within_ten_cents(given: Features, rng: Rng, amount: float) -> Features:
    """Amount times the f0."""
    return given.with_f0(given.f0 * amount)


@voice_kind("harmless", NONE, traces=("phase-incoherent",))
def envelope_through_the_harmonics(given: Features, rng: Rng, amount: float) -> Features:
    """The envelope is read at the harmonics, as all kinds do that move f0 or the envelope, and nothing is moved."""
    return enveloped(given)


@mel_kind(NONE, traces=("phase-incoherent", "over-smoothed", "noise"), against=(RECORDING,))
def copied_by_griffin_lim(mel: Floats, x: Floats, rng: Rng, amount: float) -> tuple[Floats, int]:
    """The mel of a recording, unbroken, through 64 iterations."""
    return griffin_lim(magnitudes(np.exp(mel)), 1, 64), GRID.rate


@mel_kind(NONE, traces=("phase-incoherent",), against=("pipeline",))
def griffin_lim_from_another_seed(mel: Floats, x: Floats, rng: Rng, amount: float) -> tuple[Floats, int]:
    """The same pipeline from other phases."""
    return resounded(mel, 2), GRID.rate


@world_kind(NONE, against=(RECORDING,))
def copied_by_world(given: Analysed, rng: Rng, amount: float) -> Analysed:
    """Analysed and synthesised, unbroken."""
    return given


@codec_kind(NONE, (0.3,), traces=())
def vorbis_of_good_quality(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Vorbis at a compression of amount: quality 7."""
    return coded(x, rate, "OGG", "VORBIS", amount)
