"""Causes at the mel interface: a melody's mel in another convention, and what must not be taken for one."""

from __future__ import annotations

import pytest

import diagnose
from diagnose.causes import mel
from diagnose.faults import INJECTORS

HYPOTHESES = [mel.vocoder_input_scale, mel.power_magnitude, mel.level_reference_lost, mel.mel_range]


def words(cause):
    return " ".join([cause.summary, *cause.evidence, cause.fix])


@pytest.mark.parametrize(
    ("fault", "said", "hisses"),
    [
        ("mel_linear_hum", "nearly constant", False),
        ("mel_linear_power", "nearly constant", True),
        ("mel_linear_magnitude", "nearly constant", True),
        ("mel_unit", "nearly constant", True),
        ("mel_decibel", "decibels where it reads natural logarithms", False),
        ("mel_log10", "base 10 where it reads natural ones", False),
    ],
)
def test_which_wrong_scale_the_vocoder_was_given_is_said(clues, fault, said, hisses):
    """What answers with noise, and no frame rate in it, may have been misread otherwise."""
    found = mel.vocoder_input_scale(clues(fault))
    if hisses:
        assert found.confidence == pytest.approx(mel.AS_NOISE)
    else:
        assert found.confidence > 0.9
    assert said in found.summary
    assert "ln(clamp(mel_basis @ |STFT|, 1e-5))" in found.fix
    assert "fmax 8000" in found.fix


def test_the_evidence_of_a_flat_spectrum_is_its_spread_slope_and_median(clues):
    found, levels = mel.vocoder_input_scale(clues("mel_linear_magnitude")), clues("mel_linear_magnitude").levels
    assert (
        f"log-mel spread {levels.spreads[1]:.1f} nats, the reference has {levels.spreads[0]:.1f}" in found.evidence[0]
    )
    assert f"{levels.slope:.2f} are left" in found.evidence[1]
    assert f"rose from {levels.medians[0]:.1f} to {levels.medians[1]:.1f} nats" in found.evidence[2]
    assert "multiples of" not in words(found)  # this one does not hum
    assert "DC" not in words(found)


def test_of_log10_the_factor_is_said(clues):
    slope = clues("mel_log10").levels.slope
    assert f"of each nat in the reference {slope:.3f} are left" in words(mel.vocoder_input_scale(clues("mel_log10")))


@pytest.mark.parametrize(
    ("fault", "way", "power"), [("mel_20_for_10", "halved", 0.5), ("mel_10_for_20", "doubled", 2.0)]
)
def test_a_power_and_a_magnitude_are_told_apart_both_ways(clues, fault, way, power):
    found = mel.power_magnitude(clues(fault))
    assert way in found.summary
    slope = float(found.evidence[0].split()[2])
    assert slope == pytest.approx(power, rel=0.13)


def test_a_lost_reference_is_named_with_the_level_and_the_loudest_cell(clues):
    found, pair = mel.level_reference_lost(clues("mel_ref_lost")), clues("mel_ref_lost").pair
    assert found.confidence > 0.9
    assert "ref=np.max" in found.summary
    assert f"the loudest mel cell is at {clues('mel_ref_lost').levels.loudest[1]:+.2f} nats" in found.evidence[1]
    assert pair.gain < 0.6


@pytest.mark.parametrize("fmax", [9500.0, 11_025.0])
def test_another_range_is_named_with_its_end(melody, rng, fmax):
    found = diagnose.compare(melody, INJECTORS["mel_fmax"].break_by(melody, fmax, rng)).causes[0]
    assert found.id == "mel-range"
    made = float(found.summary.split("up to ")[1].split()[0])
    assert made == pytest.approx(fmax, rel=0.03)
    assert "read as one up to 8000 Hz" in found.summary


def test_another_formula_is_named(report):
    found = report("mel_htk").causes[0]
    assert found.id == "mel-range"
    assert "htk read as slaney" in found.summary
    assert "htk=False" in found.fix


@pytest.mark.parametrize(
    ("hypothesis", "faults"),
    [
        (
            mel.vocoder_input_scale,
            [
                "mel_ref_lost",
                "mel_fmax",
                "mel_20_for_10",
                "mel_shuffled",
                "white_noise",
                "pitch_up",
                "slower",
                "gain_up",
            ],
        ),
        (mel.power_magnitude, ["mel_log10", "mel_ref_lost", "mel_linear_power", "mel_fmax", "hard_clip", "pitch_up"]),
        (mel.level_reference_lost, ["gain_up", "gain_down", "mel_log10", "mel_decibel", "mel_fmax", "pitch_up"]),
        (mel.mel_range, ["pitch_up", "rate_label_high", "mel_log10", "mel_ref_lost", "slower", "gain_up", "low_pass"]),
    ],
)
def test_each_is_silent_on_what_others_did(clues, hypothesis, faults):
    assert [fault for fault in faults if hypothesis(clues(fault))] == []


@pytest.mark.parametrize("hypothesis", HYPOTHESES)
def test_the_same_sound_has_none_of_these(same, hypothesis):
    assert hypothesis(same) is None


@pytest.mark.parametrize("level", [-25.0, 5.0])
def test_noise_over_a_copy_flattens_a_mel_and_is_no_wrong_scale(melody, evidence, rng, level):
    noisy = INJECTORS["white_noise"].break_by(melody, level, rng)
    assert mel.vocoder_input_scale(evidence(melody, noisy)) is None
