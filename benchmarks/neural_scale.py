"""Break points at the interface of network and vocoder: the scale of the features.

Where a scale is misread, the level is mostly absurd too.  amount 0: samples as floats, whatever their peak; 1: the file
was brought to a peak of 0.95 before it was written, as many programs do, so that the level tells nothing.

Right are vocoder-input-scale and, at slopes of 2 and 2.3, power-magnitude, for the two cannot be told apart once the
vocoder's cap of 7 nat cuts what is loud.  A slope of 0.43 (log10 read as ln) is not one of 0.5, and counts as
vocoder-input-scale alone.  An offset of logarithms is a gain, and a lost level reference is one too.
"""

# ruff: noqa: ARG001 - a table of functions of one signature

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from neural_kinds import read_rows, to_peak_of
from neural_voice import Features, enveloped, sounded, voice_kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from neural_kinds import Floats, Rng

SCALE, EITHER = ("vocoder-input-scale",), ("vocoder-input-scale", "power-magnitude")
LEVEL = ("gain", "level-reference-lost")
DB = 20 / np.log(10)
DEGREES = (0.0, 1.0)
LOWEST, HIGHEST = -20.0, 7.0  # of the logarithms, in nat: the range that is normalised


def misread(given: Features, change: Callable[[Floats], Floats], amount: float) -> Features | Floats:
    """change() of the logarithms; at amount 1, sounded and brought to a peak of 0.95."""
    changed = given.with_logs(change)
    return changed if amount == 0 else to_peak_of(sounded(changed))


@voice_kind("scale", SCALE, DEGREES)
def log10_read_as_ln(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """The network writes log10, the vocoder takes exp."""
    return misread(given, lambda v: v / np.log(10), amount)


@voice_kind("scale", EITHER, DEGREES)
def ln_read_as_log10(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """The network writes natural logarithms, the vocoder takes 10 to that power."""
    return misread(given, lambda v: v * np.log(10), amount)


@voice_kind("scale", SCALE, DEGREES)
def log2_read_as_ln(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """The network writes log2, the vocoder takes exp: a slope of 1.44."""
    return misread(given, lambda v: v / np.log(2), amount)


@voice_kind("scale", ("power-magnitude", "vocoder-input-scale"), DEGREES)
def power_read_as_magnitude(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """Logarithms of powers are taken for those of magnitudes: a slope of 2."""
    return misread(given, lambda v: 2 * v, amount)


@voice_kind("scale", ("power-magnitude",), DEGREES)
def magnitude_read_as_power(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """Logarithms of magnitudes are taken for those of powers: a slope of 1/2."""
    return misread(given, lambda v: 0.5 * v, amount)


@voice_kind("scale", SCALE, DEGREES)
def decibels_read_as_ln(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """20 log10 of a magnitude is taken for its natural logarithm; what is above 0.8 dB is at the cap."""
    return misread(given, lambda v: DB * v, amount)


@voice_kind("scale", SCALE)
def decibels_with_top_read_as_ln(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """Decibels below the maximum, floor at -80, are taken for natural logarithms."""
    top = float(given.logs.max())
    return misread(given, lambda v: np.maximum(DB * (v - top), -80.0), amount)


@voice_kind("scale", SCALE, DEGREES)
def linear_read_as_ln(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """Magnitudes are taken for their logarithms."""
    return misread(given, np.exp, amount)


@voice_kind("scale", SCALE, DEGREES)
def logarithm_taken_twice(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """log(clamp(x, 1e-5)) of what is a logarithm already: all that was negative is at the floor."""
    return misread(given, lambda v: np.log(np.maximum(v, 1e-5)), amount)


@voice_kind("scale", SCALE, DEGREES)
def from_0_to_1(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """Normalised to 0..1, and not turned back."""
    return misread(given, lambda v: (v - LOWEST) / (HIGHEST - LOWEST), amount)


@voice_kind("scale", SCALE, DEGREES)
def from_minus_1_to_1(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """Normalised to -1..1, and not turned back."""
    return misread(given, lambda v: 2 * (v - LOWEST) / (HIGHEST - LOWEST) - 1, amount)


@voice_kind("scale", SCALE, DEGREES)
def from_minus_4_to_4(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """Normalised to -4..4, as in old Tacotron code, and not turned back."""
    return misread(given, lambda v: 8 * (v - LOWEST) / (HIGHEST - LOWEST) - 4, amount)


@voice_kind("scale", SCALE, DEGREES)
def mean_variance_not_undone(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """Normalised to mean 0 and deviation 1, and not turned back."""
    logs = given.logs
    return misread(given, lambda v: (v - logs.mean()) / logs.std(), amount)


@voice_kind("scale", SCALE, DEGREES)
def bins_normalised_not_undone(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """Each bin normalised by its own mean and deviation, and not turned back: the envelope is white."""
    return misread(given, lambda v: (v - v.mean(axis=1, keepdims=True)) / (v.std(axis=1, keepdims=True) + 1e-3), amount)


@voice_kind("scale", SCALE, DEGREES)
def mean_variance_undone_twice(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """Turned back twice by mean and deviation: a slope of about 5."""
    logs = given.logs
    return misread(given, lambda v: v * logs.std() + logs.mean(), amount)


@voice_kind("scale", SCALE, (1.2, 1.4))
def deviation_of_another_corpus(given: Features, rng: Rng, amount: float) -> Features:
    """Turned back by a deviation amount times as large, about the same mean: a slope of amount."""
    mean = given.logs.mean()
    return given.with_logs(lambda v: mean + amount * (v - mean))


@voice_kind("scale", (*LEVEL, "vocoder-input-scale"), (-0.8, -1.6))
def mean_of_another_corpus(given: Features, rng: Rng, amount: float) -> Features:
    """Turned back by a mean that is amount nat off: a gain."""
    return given.with_logs(lambda v: v + amount)


@voice_kind("scale", ("tilt", "vocoder-input-scale", "high-frequency-loss"), (1.5, 3.0))
def bin_means_of_another_corpus(given: Features, rng: Rng, amount: float) -> Features:
    """Turned back by the means of a duller corpus: up to amount nat less, evenly on the mel scale."""
    hz = np.arange(given.lh.shape[0]) * 20.0
    slope = amount * np.log1p(hz / 700) / np.log1p(12_000 / 700)
    return given.with_logs(lambda v: v - slope[:, None])


@voice_kind("scale", LEVEL, (-1.0, -2.5))
def offset_down(given: Features, rng: Rng, amount: float) -> Features:
    """amount nat are added to all logarithms."""
    return given.with_logs(lambda v: v + amount)


@voice_kind("scale", (*LEVEL, "clipping"), (0.7, 1.8))
def offset_up(given: Features, rng: Rng, amount: float) -> Features | Floats:
    """amount nat are added, and the samples are cut to full scale when the file is written."""
    return np.clip(sounded(given.with_logs(lambda v: v + amount)), -1, 1)


@voice_kind("scale", LEVEL, (1.0,))
def level_of_maximum_lost(given: Features, rng: Rng, amount: float) -> Features:
    """Logarithms relative to the loudest cells, one in two hundred, which are 0: the level is lost."""
    top = float(np.percentile(given.lh, 99.5))
    return given.with_logs(lambda v: v - top)


@voice_kind("scale", ("noise", "vocoder-input-scale", "frame-rate-hum"), (-4.0, -2.0))
def floor_too_high(given: Features, rng: Rng, amount: float) -> Features:
    """Clamped from below at amount nat, where the right floor is under -15: what is quiet becomes a steady sound.

    Of noise where the network's phases move from frame to frame, a hum at the frame rate where they stand.
    """
    return given.with_logs(lambda v: np.maximum(v, amount))


@voice_kind("scale", ("vocoder-input-scale", "modulation"), (2.0, 0.0))
def top_clipped(given: Features, rng: Rng, amount: float) -> Features:
    """Clamped from above at amount nat: the loudest cells are levelled, cell by cell."""
    return given.with_logs(lambda v: np.minimum(v, amount))


@voice_kind("scale", ("vocoder-input-scale", "spectral-holes", "gated"), (0.0, 2.0))
def rectified(given: Features, rng: Rng, amount: float) -> Features:
    """A ReLU behind the wrong layer: what lies under amount nat is at the floor, so that only loud cells are left."""
    return given.with_logs(lambda v: np.where(v < amount, -20.0, v))


@voice_kind("scale", ("voicing-lost", "noise", "vocoder-input-scale"), (1.0, 2.0))
def one_branch_on_another_scale(given: Features, rng: Rng, amount: float) -> Features:
    """The branch with phases of its own is amount nat too loud beside the harmonics: a hoarse voice."""
    return Features(given.lh, given.th, given.ln, given.lr + amount, given.phi, given.f0)


@voice_kind("scale", ("mel-range", "formant-shift", "vocoder-input-scale"), (0.08, 0.2))
def bins_on_another_axis(given: Features, rng: Rng, amount: float) -> Features:
    """Bins spaced on a curved axis are read as if evenly spaced: the middle moves by amount of the range, ends stay."""
    unit = np.linspace(0, 1, given.lh.shape[0])
    places = (unit + 4 * amount * unit * (1 - unit)) * (given.lh.shape[0] - 1)
    return enveloped(given).with_logs(lambda v: read_rows(v, places))
