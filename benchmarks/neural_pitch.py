"""Break points of the excitation: f0, voicing, and the branches of the vocoder.

Where f0 moves, the envelope is first read at the harmonics (enveloped()), so that it is kept.  A scaled f0 is `pitch`,
whatever the formants do; by 2 or 1/2 it is an octave-error too.  An f0 that is 0, or below the vocoder's 40 Hz, is
voicing-lost: what is left are the noise and the branch with phases of its own, 10 dB down.
"""

# ruff: noqa: ARG001 - a table of functions of one signature

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace
from neural_kinds import doubled_in_part
from neural_voice import SILENT, Features, enveloped, sounded, voice_kind

if TYPE_CHECKING:
    from neural_kinds import Floats, Rng

FLAT, LOST = ("pitch-flattened",), ("voicing-lost",)


@voice_kind("f0", ("octave-error", "pitch"))
def f0_doubled(given: Features, rng: Rng, amount: float) -> Features:
    """Twice the f0 throughout; the envelope is kept."""
    return enveloped(given).with_f0(2 * given.f0)


@voice_kind("f0", ("octave-error", "pitch"))
def f0_halved(given: Features, rng: Rng, amount: float) -> Features:
    """Half the f0 throughout; the envelope is kept."""
    return enveloped(given).with_f0(0.5 * given.f0)


@voice_kind("f0", ("octave-error",), (0.2, 0.45))
def f0_doubled_in_parts(given: Features, rng: Rng, amount: float) -> Features:
    """Twice the f0 for amount of the frames, in one stretch in the voiced part."""
    return enveloped(given).with_f0(doubled_in_part(given.f0, given.voiced, amount, rng))


@voice_kind("f0", ("octave-error",), (0.2, 0.45))
def f0_halved_in_parts(given: Features, rng: Rng, amount: float) -> Features:
    """Half the f0 for amount of the voiced frames, at random in stretches of 6."""
    stretches = np.repeat(rng.random(given.frames // 6 + 1) < amount, 6)[: given.frames]
    return enveloped(given).with_f0(np.where(stretches, 0.5, 1.0) * given.f0)


@voice_kind("f0", ("pitch",), (2.0, 5.0))
def f0_semitones_up(given: Features, rng: Rng, amount: float) -> Features:
    """Amount semitones higher; the envelope is kept."""
    return enveloped(given).with_f0(given.f0 * 2 ** (amount / 12))


@voice_kind("f0", ("pitch",), (-3.0, -6.0))
def f0_semitones_down(given: Features, rng: Rng, amount: float) -> Features:
    """Amount semitones lower; the envelope is kept."""
    return enveloped(given).with_f0(given.f0 * 2 ** (amount / 12))


@voice_kind("f0", FLAT)
def f0_constant(given: Features, rng: Rng, amount: float) -> Features:
    """The median f0 in every voiced frame."""
    return enveloped(given).with_f0(np.where(given.voiced, np.median(given.f0[given.voiced]), given.f0))


@voice_kind("f0", FLAT, (0.4, 0.1))
def f0_range_narrowed(given: Features, rng: Rng, amount: float) -> Features:
    """Amount of the melody about its median is left."""
    middle = np.median(given.f0[given.voiced])
    moved = middle * (np.maximum(given.f0, 40) / middle) ** amount
    return enveloped(given).with_f0(np.where(given.voiced, moved, given.f0))


@voice_kind("f0", ("pitch-flattened", "pitch"))
def midi_read_as_hertz(given: Features, rng: Rng, amount: float) -> Features:
    """69 + 12 log2(f0 / 440) is taken for hertz: a low drone of 50 Hz that hardly moves."""
    midi = 69 + 12 * np.log2(np.maximum(given.f0, 40) / 440)
    return enveloped(given).with_f0(np.where(given.voiced, midi, 0.0))


@voice_kind("f0", ("pitch-flattened", "pitch"), (600.0, 1000.0))
def hertz_read_as_logarithm(given: Features, rng: Rng, amount: float) -> Features:
    """exp(f0 in Hz) is far too much, and clamped to amount Hz: one high tone for all."""
    return enveloped(given).with_f0(np.where(given.voiced, amount, 0.0))


@voice_kind("f0", LOST)
def logarithm_read_as_hertz(given: Features, rng: Rng, amount: float) -> Features:
    """ln f0, about 5, is taken for hertz: nothing is voiced."""
    return given.with_f0(np.log(np.maximum(given.f0, 1.0)))


@voice_kind("f0", LOST)
def f0_normalised_not_undone(given: Features, rng: Rng, amount: float) -> Features:
    """f0 of mean 0 and deviation 1 is taken for hertz: nothing is voiced."""
    voiced = given.f0[given.voiced]
    return given.with_f0((given.f0 - voiced.mean()) / voiced.std())


@voice_kind("f0", ("voicing-lost", "pitch"), (4.0, 10.0))
def f0_late(given: Features, rng: Rng, amount: float) -> Features:
    """f0 comes amount frames (12.5 ms each) late: voiced sound begins whispered, and ends as a buzz."""
    return enveloped(given).with_f0(np.pad(given.f0, (int(amount), 0))[: given.frames])


@voice_kind("f0", ("wow", "pitch"), (0.5, 2.0))
def f0_jittered(given: Features, rng: Rng, amount: float) -> Features:
    """f0 wavers by amount semitones from frame to frame."""
    return enveloped(given).with_f0(given.f0 * 2 ** (amount * rng.standard_normal(given.frames) / 12))


@voice_kind("f0", ("voicing-lost", "octave-error"), (0.25, 0.6))
def voicing_flickers(given: Features, rng: Rng, amount: float) -> Features:
    """Amount of the voiced frames, in stretches of 3, count as unvoiced."""
    lost = np.repeat(rng.random(given.frames // 3 + 1) < amount, 3)[: given.frames]
    return given.with_f0(np.where(lost, 0.0, given.f0))


@voice_kind("f0", ("voicing-lost", "tonal", "interference"), (0.0, 3.0))
def voiced_everywhere(given: Features, rng: Rng, amount: float) -> Features:
    """f0 goes on through unvoiced frames, whose harmonics are as loud as the rest, or amount nat louder: a buzz."""
    f0 = np.interp(np.arange(given.frames), np.flatnonzero(given.voiced), given.f0[given.voiced])
    given = enveloped(given)
    lh = np.where(given.voiced, given.lh, np.maximum(given.lh, given.lr + amount))
    return replace(given, f0=f0, lh=lh)


@voice_kind("f0", LOST)
def unvoiced_everywhere(given: Features, rng: Rng, amount: float) -> Features:
    """f0 is 0 in every frame."""
    return given.with_f0(np.zeros(given.frames))


@voice_kind("f0", LOST, (0.0, -1.0))
def whispered(given: Features, rng: Rng, amount: float) -> Features:
    """f0 is 0, and the noise takes the place and the power of the harmonics, plus amount nat.

    A harmonic has the power 1.5 exp(2 lh) in the bins of its lobe, one in f0 / 20 of which noise has 2 exp(2 ln) each.
    """
    power = 0.5 * np.log(1.5 * 20 / (2 * np.maximum(given.f0, 40)))
    noise = np.logaddexp(given.ln, enveloped(given).lh + power + amount)
    return replace(given, f0=np.zeros(given.frames), ln=np.where(given.voiced, noise, given.ln))


# Branches


@voice_kind("branches", LOST, (-2.5, SILENT))
def harmonics_silent(given: Features, rng: Rng, amount: float) -> Features:
    """The branch of the harmonics is amount nat lower, or silent."""
    lh = given.lh + amount if amount > SILENT else np.full_like(given.lh, SILENT)
    return replace(given, lh=lh)


@voice_kind("branches", ("voicing-lost", "high-frequency-loss", "spectral-holes", "tilt"))
def free_phases_silent(given: Features, rng: Rng, amount: float) -> Features:
    """The branch with phases of its own is silent: consonants are gone, the voice is a buzz."""
    return replace(given, lr=np.full_like(given.lr, SILENT))


@voice_kind("branches", ("noise", "voicing-lost"), (4.0, 5.0))
def noise_branch_too_loud(given: Features, rng: Rng, amount: float) -> Features:
    """The branch of the noise is amount nat too loud: breath, in noise of the sound's own shape."""
    return replace(given, ln=given.ln + amount)


@voice_kind("branches", ("phase-incoherent", "noise", "voicing-lost"))
def free_phases_drawn(given: Features, rng: Rng, amount: float) -> Features:
    """The phases of the third branch are drawn at random."""
    return replace(given, phi=rng.uniform(-np.pi, np.pi, given.phi.shape))


@voice_kind("branches", ("phase-incoherent",))
def all_phases_drawn(given: Features, rng: Rng, amount: float) -> Features:
    """The phases of the harmonics and of the third branch are drawn at random: magnitudes are right."""
    th = np.arctanh(rng.uniform(-0.999, 0.999, given.th.shape))
    return replace(given, th=th, phi=rng.uniform(-np.pi, np.pi, given.phi.shape))


@voice_kind("branches", ("noise",), (-25.0, -12.0))
def noise_of_the_source(given: Features, rng: Rng, amount: float) -> Floats:
    """White noise of the source term is left in, amount dB under the voice."""
    clean = sounded(given)
    noise = rng.standard_normal(clean.size)
    return clean + 10 ** (amount / 20) * np.sqrt(np.mean(clean**2)) * noise
