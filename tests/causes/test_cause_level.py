"""Causes of amplitude: each named for its own fault, silent for others, its figures those that were put in."""

from __future__ import annotations

import numpy as np
import pytest

import diagnose
from diagnose.audio import Audio
from diagnose.causes import level
from diagnose.causes.level import lattice_step

RATE = 22050


def words(cause):
    return " ".join([cause.summary, *cause.evidence, cause.fix])


@pytest.mark.parametrize("decibels", [-20.0, -3.0, 2.0, 12.0])
def test_a_gain_is_named_with_its_figure_and_undone_by_its_factor(melody, decibels):
    first, *others = diagnose.compare(melody, Audio(melody.samples * np.float32(10 ** (decibels / 20)), RATE)).causes
    assert (first.id, others) == ("gain", [])
    assert f"{decibels:+.1f} dB" in first.summary
    assert ("loud" if decibels > 0 else "quiet") in first.summary
    assert f"multiply the output by {10 ** (-decibels / 20):.3g}" in first.fix


@pytest.mark.parametrize("fault", ["polarity", "delay", "clicks", "white_noise", "edge_left", "hum_60", "pitch_up"])
def test_what_keeps_the_level_has_no_gain(clues, fault):
    assert level.gain(clues(fault)) is None


@pytest.mark.parametrize("fault", ["tilt_dull", "mel_linear_hum"])
def test_a_louder_sound_of_another_kind_is_a_gain_in_passing(clues, fault):
    found = level.gain(clues(fault))
    assert found.confidence <= level.LOUDNESS_ALONE


@pytest.mark.parametrize("fault", ["low_pass", "mel_linear_power", "mel_ref_lost"])
def test_a_gain_is_never_first_where_something_else_changed_the_level(report, fault):
    assert report(fault).causes[0].id != "gain"


@pytest.mark.parametrize("mean", [-0.2, 0.06, 0.36])
def test_a_bias_is_named_with_its_value_and_its_share(melody, mean):
    sound = melody.samples + np.float32(mean)
    first = diagnose.compare(melody, Audio(sound, RATE)).causes[0]
    share = mean**2 / (mean**2 + float(melody.mono.var()))
    assert first.id == "dc-offset"
    assert f"a constant of {mean:+.3f}" in first.summary
    assert f"{100 * share:.0f} % of the power is DC" in first.summary
    assert "x - x.mean()" in first.fix


@pytest.mark.parametrize("fault", ["gain_up", "hard_clip", "hum_50", "low_pass", "polarity", "truncated"])
def test_what_adds_no_constant_has_no_bias(clues, fault):
    assert level.dc_offset(clues(fault)) is None


@pytest.mark.parametrize("fault", ["hard_clip", "soft_clip"])
def test_clipping_is_named_whether_the_tops_are_flat_or_round(report, clues, fault):
    first = report(fault).causes[0]
    assert first.id == "clipping"
    assert f"slope at the loud ends is {clues(fault).residual.compression:.2f}" in words(first)
    assert f"explains {100 * clues(fault).residual.curve_share:.0f} %" in words(first)


def test_flat_tops_are_counted(melody):
    limit = float(np.quantile(np.abs(melody.samples), 0.95))
    first = diagnose.compare(melody, Audio(np.clip(melody.samples, -limit, limit), RATE)).causes[0]
    assert first.id == "clipping"
    assert first.evidence[0].startswith(("4.", "5 %", "5."))


@pytest.mark.parametrize("fault", ["gain_up", "white_noise", "low_pass", "quantise", "drop_out", "clicks", "tilt_dull"])
def test_what_bends_no_sample_does_not_clip(clues, fault):
    assert level.clipping(clues(fault)) is None


def test_an_inverted_copy_is_named_at_any_gain_and_under_noise(melody, rng):
    noise = 0.1 * melody.mono.std() * rng.standard_normal(melody.length)
    for sound in (-melody.mono, -0.3 * melody.mono, -melody.mono + noise):
        found = diagnose.compare(melody.mono, sound, rate=RATE).causes
        assert "polarity" in [cause.id for cause in found]
    assert "r = -1.00, +1 expected" in level_words(melody)


def level_words(melody):
    return words(diagnose.compare(melody.mono, -melody.mono, rate=RATE).causes[0])


@pytest.mark.parametrize("fault", ["gain_down", "mel_ref_lost", "mel_reversed", "pitch_down", "random_phase"])
def test_polarity_needs_a_copy_that_is_inverted(clues, fault):
    assert level.polarity(clues(fault)) is None


def test_an_inverted_sound_with_phases_of_its_own_has_no_polarity(melody, evidence, rng):
    spectrum = np.fft.rfft(-melody.mono) * np.exp(2j * np.pi * rng.uniform(size=melody.length // 2 + 1))
    assert level.polarity(evidence(melody.mono, np.fft.irfft(spectrum, melody.length))) is None


@pytest.mark.parametrize("bits", [4, 6, 8, 11])
def test_too_few_bits_are_counted(melody, evidence, bits):
    step = 2.0 ** (1 - bits)
    found = level.quantisation(evidence(melody.mono, np.round(melody.mono / step) * step))
    assert found.confidence == 1
    assert found.summary == f"every sample is a multiple of {step:.3g}: {bits} bits"
    assert "16 bits have 3.05e-05" in found.evidence[0]


def test_sixteen_bits_and_a_reference_of_as_few_are_no_fault(melody, evidence):
    step = 2.0**-7
    coarse = np.round(melody.mono / step) * step
    assert level.quantisation(evidence(melody.mono, np.round(melody.mono * 32768) / 32768)) is None
    assert level.quantisation(evidence(coarse, 0.5 * coarse)) is None
    assert level.quantisation(evidence(coarse, coarse)) is None


@pytest.mark.parametrize("fault", ["gain_down", "white_noise", "hard_clip", "low_pass", "mel_linear_hum", "pitch_up"])
def test_samples_on_no_lattice_are_not_quantised(clues, fault):
    assert level.quantisation(clues(fault)) is None


def test_a_hole_in_the_middle_is_one_value_and_no_lattice(melody, evidence):
    holed = melody.mono.copy()
    holed[6000:-6000] = 0
    found = evidence(melody.mono, holed)
    assert found.copied > 0.5
    assert level.quantisation(found) is None


@pytest.mark.parametrize("step", [2.0**-5, 2.0**-9, 0.0123])
def test_the_step_of_a_lattice_is_found(rng, step):
    samples = (step * rng.integers(-20, 20, 5000)).astype(np.float32)[None]
    assert lattice_step(samples) == pytest.approx(step, rel=1e-4)


@pytest.mark.parametrize("values", [[0.1], [0.1, -0.1, 0.3], None])
def test_few_values_and_free_ones_are_on_no_lattice(rng, values):
    samples = rng.uniform(-1, 1, 5000) if values is None else rng.choice(values, 5000)
    assert lattice_step(samples.astype(np.float32)[None]) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: x.mean(axis=0), "the two channels became one"),
        (lambda x: np.tile(x.mean(axis=0), (2, 1)), "the two channels became one"),
    ],
    ids=["to mono", "dual mono"],
)
def test_what_became_of_two_channels_is_said(evidence, melody, change, said):
    side = np.roll(melody.mono, 3)
    ours = np.stack([melody.mono, 0.9 * side])
    found = level.mono_stereo(evidence(ours, change(ours)))
    assert found.id == "mono-stereo"
    assert found.summary == said


@pytest.mark.parametrize("fault", ["to_mono", "dead_channel"])
def test_a_lost_channel_is_first(report, fault):
    assert report(fault).causes[0].id == "mono-stereo"


def test_both_channels_kept_and_mono_for_mono_are_no_fault(evidence, stereo, melody, same):
    assert level.mono_stereo(evidence(stereo.samples, 0.5 * stereo.samples)) is None
    assert level.mono_stereo(same) is None
    dead = stereo.samples * np.float32([[1], [0]])
    assert level.mono_stereo(evidence(dead, dead)) is None


def test_a_mono_reference_in_two_channels_is_no_fault(evidence, melody):
    assert level.mono_stereo(evidence(melody.mono, np.tile(melody.mono, (2, 1)))) is None


@pytest.mark.parametrize(
    "hypothesis",
    [level.gain, level.dc_offset, level.clipping, level.polarity, level.quantisation, level.mono_stereo],
)
def test_the_same_sound_has_none_of_these(same, hypothesis):
    assert hypothesis(same) is None
