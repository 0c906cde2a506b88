"""What a change says in words: each metric's sentence, on both sides of the size from which it says so."""

from __future__ import annotations

import pytest

from diagnose.metrics import METRICS
from diagnose.render.phrases import meaning
from diagnose.results.report import LimitLevels, MetricRow


def said(name, change, reference=None, generated=None, **detail):
    return meaning(
        MetricRow(name, METRICS[name].unit, reference, generated, change, None, 0.0, LimitLevels(), detail=detail)
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (4.13, "4.1 times too loud"),
        (0.25, "4.0 times too quiet"),
        (1.12, "1.12 times too loud"),
        (1.5, "1.5 times too loud"),
        (1.499, "1.50 times too loud"),
        (2.04, "2.0 times too loud"),
        (100.0, "100.0 times too loud"),
        (0.01, "100.0 times too quiet"),
        (100.5, "40 dB too loud"),
        (1e-3, "60 dB too quiet"),
        (1.0, "as loud as the reference"),
        (1.0049, "as loud as the reference"),
        (0.9951, "as loud as the reference"),
        (1.006, "1.01 times too loud"),
        (0.994, "1.01 times too quiet"),
        (0.0, "silent"),
    ],
)
def test_a_loudness_is_a_factor_and_decibels_from_a_hundredfold(change, sentence):
    assert said("rms_ratio", change) == sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (0.084, "0.084 s longer than the reference"),
        (-0.5, "0.500 s shorter than the reference"),
        (1.2, "1.200 s longer than the reference"),
        (0.0, "as long as the reference"),
        (-0.00049, "as long as the reference"),
        (0.0005, "0.001 s longer than the reference"),
        (-0.0006, "0.001 s shorter than the reference"),
    ],
)
def test_a_duration_is_told_to_a_millisecond(change, sentence):
    assert said("duration_s", change) == sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (-1410.4, "pitch 1410 cents too low"),
        (50.0, "pitch 50 cents too high"),
        (1.0, "pitch 1 cents too high"),
        (-1.4, "pitch 1 cents too low"),
        (0.99, "pitch as the reference's"),
        (-0.2, "pitch as the reference's"),
    ],
)
def test_a_pitch_is_told_to_a_cent(change, sentence):
    assert said("f0_deviation_cents", change) == sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (0.97, "moves as the reference does (r = 0.97)"),
        (0.9, "moves as the reference does (r = 0.90)"),
        (0.89, "does not move as the reference does (envelope r = 0.89)"),
        (-0.12, "does not move as the reference does (envelope r = -0.12)"),
    ],
)
def test_an_envelope_moves_with_the_references_from_a_correlation_of_0_9(change, sentence):
    assert said("envelope_correlation", change) == sentence


@pytest.mark.parametrize(
    ("change", "sentence"), [(0.25, "250 ms late"), (-0.004, "4 ms early"), (1.2, "1200 ms late"), (0.0, "no delay")]
)
def test_a_delay_is_late_or_early(change, sentence):
    assert said("delay_s", change) == sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (0.98, "waveforms match to r = 0.98"),
        (0.0, "waveforms match to r = 0.00"),
        (-0.98, "polarity inverted (r = -0.98)"),
    ],
)
def test_a_correlation_under_0_is_an_inverted_polarity(change, sentence):
    assert said("waveform_correlation", change) == sentence


def test_what_is_gone_is_named_by_its_longest_stretch():
    gone = said("missing_share", 0.25, start_s=1.0, end_s=2.5)
    assert gone == "25 % of the sound is gone, the longest stretch from 1.00 to 2.50 s"
    assert said("missing_share", 0.0) == "no part of the sound is gone"


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("edge_right_db", 37.5, "last 20 ms 37.5 dB louder, against the middle, than in the reference"),
        ("edge_left_db", 0.6, "first 20 ms 0.6 dB louder, against the middle, than in the reference"),
        ("edge_left_db", -3.0, "first 20 ms 3.0 dB softer, against the middle, than in the reference"),
    ],
)
def test_an_edge_is_louder_or_softer(name, change, sentence):
    assert said(name, change) == sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (0.2, "noisier: flatness 0.1 to 0.3"),
        (-0.05, "more tonal: flatness 0.1 to 0.05"),
        (0.0, "neither noisier nor more tonal"),
    ],
)
def test_a_flatness_is_noisier_or_more_tonal(change, sentence):
    assert said("spectral_flatness", change, 0.1, 0.1 + change) == sentence


def test_a_flatness_that_was_not_measured_is_told_as_0():
    assert said("spectral_flatness", 0.2, None, 0.2) == "noisier: flatness 0 to 0.2"
    assert said("spectral_flatness", -0.2, 0.2, None) == "more tonal: flatness 0.2 to 0"


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("band_deficit_db", 6.24, "6.2 dB missing in the third octave at 200 Hz"),
        ("band_deficit_db", 0.05, "0.1 dB missing in the third octave at 200 Hz"),
        ("band_deficit_db", 0.049, "no third octave is weaker"),
        ("band_excess_db", 6.24, "6.2 dB added in the third octave at 200 Hz"),
        ("band_excess_db", 0.05, "0.1 dB added in the third octave at 200 Hz"),
        ("band_excess_db", 0.049, "no third octave is stronger"),
    ],
)
def test_a_third_octave_is_named_from_a_twentieth_of_a_decibel(name, change, sentence):
    assert said(name, change, band_hz=200) == sentence


def test_what_lies_beyond_the_rate_is_a_share_of_the_power():
    beyond = said("beyond_rate_share", 0.25, nyquist_hz=11025.0)
    assert beyond == "25 % of the reference's power lies above 11025 Hz, which the rate cannot hold"
    assert said("beyond_rate_share", 0.0, nyquist_hz=11025.0) == "the rate holds all of the reference"


HUM = {"hop_samples": 256, "spacing_hz": 22050 / 256}


@pytest.mark.parametrize(
    ("generated", "detail", "sentence"),
    [
        (0.98, HUM, "98 % of the sound is a hum on multiples of 86.13 Hz, the frame rate at hop 256"),
        (0.02, HUM, "2 % of the sound is a hum on multiples of 86.13 Hz, the frame rate at hop 256"),
        (0.0199, HUM, "no hum at a frame rate"),
        (None, HUM, "no hum at a frame rate"),
        (0.98, {}, "no hum at a frame rate"),
    ],
)
def test_a_hum_is_named_by_its_frame_rate_from_2_percent(generated, detail, sentence):
    assert said("comb_share", 0.5, 0.0, generated, **detail) == sentence


def test_shares_of_power_and_samples():
    assert said("dc_share", 0.736, 0.0, 0.736) == "73.6 % of the power is DC"
    assert said("clipped_share", 0.02, 0.0, 0.02) == "2 % of the samples lie on a flat top"
    assert said("side_share", 0.3, 0.0, 0.3) == "30 % of the power lies in the difference of the channels"


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        (("loudness_lufs", 4.2, -20.0, -15.8), "integrated loudness (BS.1770-4), channels as they are: 4.2 LU higher"),
        (("spectral_bandwidth_hz", 0.0, 900.0, 900.0), "spread of the spectrum about its centroid: unchanged"),
        (("spectral_convergence", 1.28), "relative error of the magnitude spectra: 1.28"),
    ],
)
def test_a_metric_without_a_sentence_of_its_own_says_what_it_is(figures, sentence):
    assert said(*figures) == sentence


def test_a_frequency_says_by_how_much_of_it():
    assert said("spectral_centroid_hz", 1500.0, 1000.0, 2500.0).startswith(
        "centre of gravity of the spectrum: 1500 Hz higher (150"
    )
    assert "(20" in said("cutoff_hz", -2000.0, 10000.0, 8000.0)
