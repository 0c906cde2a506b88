"""Causes of time: each named for its own fault with its figures; length alone is no sample rate."""

from __future__ import annotations

import re

import numpy as np
import pytest

import diagnose
from diagnose.audio import Audio, resample
from diagnose.causes import name_causes, time
from diagnose.causes.timeline import is_crowded
from diagnose.faults import INJECTORS

RATE = 22050
HYPOTHESES = [
    time.delay,
    time.truncated,
    time.padded,
    time.dropout,
    time.sample_rate,
    time.time_stretch,
    time.time_structure_lost,
]


def ids(causes):
    return [cause.id for cause in causes]


@pytest.mark.parametrize("fault", INJECTORS.values(), ids=INJECTORS)
def test_every_fault_of_a_middle_strength_is_named_first(report, fault):
    causes = report(fault.name).causes
    assert causes[0].id == fault.cause
    assert causes[0].confidence > 0.5
    assert all(cause.confidence < 0.4 for cause in causes[1:])


@pytest.mark.parametrize("samples", [-1500, 1500, 6000])
def test_a_delay_is_named_in_samples_and_milliseconds(melody, samples):
    late = np.pad(melody.mono, (max(samples, 0), max(-samples, 0)))[max(-samples, 0) :]
    found = diagnose.compare(melody.mono, late, rate=RATE).causes
    delay = next(cause for cause in found if cause.id == "delay")
    assert f"{1000 * abs(samples) / RATE:.0f} ms {'late' if samples > 0 else 'early'}" in delay.summary
    assert f"cut or pad {abs(samples)} samples" in delay.fix


def test_a_fix_counts_the_samples_of_the_generated_file(melody):
    twice = resample(melody, 2 * RATE).samples
    late = diagnose.compare(melody, Audio(np.pad(twice, ((0, 0), (8820, 0))), 2 * RATE)).causes[0]
    assert (late.id, late.fix.split(";")[0]) == ("delay", "cut or pad 8820 samples at the start")
    longer = diagnose.compare(melody, Audio(np.pad(twice, ((0, 0), (0, 8820))), 2 * RATE)).causes[0]
    assert (longer.id, longer.fix.split(";")[0]) == (
        "padded",
        f"cut the output to the input's length: y[: {2 * melody.length}]",
    )


@pytest.mark.parametrize("seconds", [0.03, 0.3])
def test_a_lost_end_is_as_long_as_it_is(melody, evidence, seconds):
    lost = round(seconds * RATE)
    found = time.truncated(evidence(melody.mono[6000:20000], melody.mono[6000 : 20000 - lost]))
    assert found.summary == f"{1000 * seconds:.0f} ms are missing at the end"
    assert f"{14000 - lost} samples, 14000 in the reference" in found.evidence[0]


def test_a_lost_start_is_at_the_start(melody, evidence):
    found = time.truncated(evidence(melody.mono, melody.mono[4410:]))
    assert found.summary == "200 ms are missing at the start"


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_silence_after_the_end_is_padding_and_a_tail_that_sounds_is_not(melody, evidence, level, rng):
    tail = (level * rng.standard_normal(6615)).astype(np.float32)
    found = time.padded(evidence(melody.mono, np.concatenate([melody.mono, tail])))
    assert found.summary == "300 ms of silence are added at the end"
    assert f"y[: {melody.length}]" in found.fix
    loud = (0.05 * rng.standard_normal(6615)).astype(np.float32)
    assert time.padded(evidence(melody.mono, np.concatenate([melody.mono, loud]))) is None


def test_padding_to_whole_frames_by_the_quotient_of_two_rates_is_padding(melody):
    size = round(1.08842 * melody.length)  # 24000 / 22050 is 1.08844
    report = diagnose.compare(melody.mono, np.pad(melody.mono, (0, size - melody.length)), rate=RATE)
    assert ids(report.causes) == ["padded"]
    assert "8.8" not in report.causes[0].summary


def test_what_really_ran_at_the_quotient_of_two_rates_is_named_with_both(melody):
    slower = Audio(resample(Audio(melody.samples, RATE), 24_000).samples, RATE)
    first = diagnose.compare(melody, slower).causes[0]
    assert first.id == "sample-rate"
    assert "24000 Hz labelled 22050 Hz" in first.summary
    assert "write the file with rate 24000" in first.fix
    assert "-147 cents" in first.evidence[0]


@pytest.mark.parametrize(("label", "speed"), [(44_100, "2"), (24_000, "1.088"), (11_025, "0.5")])
def test_a_wrong_label_is_named_by_the_right_one(melody, label, speed):
    first = diagnose.compare(melody, Audio(melody.samples, label)).causes[0]
    assert first.id == "sample-rate"
    assert f"played {speed} times as fast (22050 Hz labelled {label} Hz)" in first.summary
    assert "write the file with rate 22050" in first.fix


@pytest.mark.parametrize("fault", ["slower", "mel_hop", "truncated", "padded_tail", "pitch_up", "delay", "gain_up"])
def test_a_length_or_a_pitch_alone_is_no_sample_rate(clues, fault):
    assert time.sample_rate(clues(fault)) is None


@pytest.mark.parametrize("hop", [320, 384])
def test_a_wrong_hop_is_named_by_both(melody, rng, hop):
    first = diagnose.compare(melody, INJECTORS["mel_hop"].break_by(melody, hop, rng)).causes[0]
    assert first.id == "time-stretch"
    assert f"hop 256 read as {hop}" in first.summary
    assert f"256 samples, not {hop}" in first.fix


@pytest.mark.parametrize(
    "fault", ["rate_label_high", "padded_tail", "truncated", "pitch_down", "mel_reversed", "tilt_dull"]
)
def test_what_is_not_slower_at_one_pitch_is_not_stretched(clues, fault):
    assert time.time_stretch(clues(fault)) is None


def test_holes_are_listed_with_their_times_and_their_share(melody, evidence):
    sound = melody.mono.copy()
    for start in (0.2, 1.0):
        sound[round(start * RATE) : round((start + 0.05) * RATE)] = 0
    found = time.dropout(evidence(melody.mono, sound))
    share = 1 - np.square(sound, dtype=float).sum() / np.square(melody.mono, dtype=float).sum()
    assert float(found.summary.split()[0]) == pytest.approx(100 * share, abs=2)  # in whole pieces of 5 ms
    assert re.search(r"in 2 holes of up to (45|50) ms", found.evidence[0])
    starts = sorted(float(text.split()[1]) for text in found.evidence[1:])
    assert starts == pytest.approx([0.2, 1.0], abs=0.006)


@pytest.mark.parametrize("fault", ["gain_down", "white_noise", "truncated", "low_pass", "clicks", "delay", "hard_clip"])
def test_what_leaves_no_holes_drops_nothing_out(clues, fault):
    assert time.dropout(clues(fault)) is None


@pytest.mark.parametrize(("fault", "said"), [("mel_reversed", "runs backwards"), ("mel_shuffled", "in another order")])
def test_frames_in_another_order_are_told_from_backwards_ones(clues, fault, said):
    assert said in time.time_structure_lost(clues(fault)).summary


def test_a_spectrum_that_is_right_and_does_not_move_is_frozen(melody, evidence, rng):
    magnitude = np.abs(np.fft.rfft(melody.mono))
    still = np.fft.irfft(magnitude * np.exp(2j * np.pi * rng.uniform(size=magnitude.size)), melody.length)
    found = time.time_structure_lost(evidence(melody.mono, still))
    assert found.summary == "the sound does not move"
    assert 0.3 < found.confidence <= 0.7  # a drone may be meant


@pytest.mark.parametrize(
    "fault", ["gain_up", "white_noise", "slower", "pitch_up", "mel_ref_lost", "mel_log10", "delay"]
)
def test_frames_that_are_in_their_order_have_lost_none(clues, fault):
    assert time.time_structure_lost(clues(fault)) is None


@pytest.mark.parametrize("hypothesis", HYPOTHESES)
def test_the_same_sound_has_none_of_these(same, hypothesis):
    assert hypothesis(same) is None


def test_a_silent_sound_has_one_cause_at_most(melody):
    report = diagnose.compare(melody, Audio(np.zeros_like(melody.samples), RATE))
    assert report.verdict == "FAIL"
    assert ids(report.causes) == ["dropout"]
    assert name_causes(report.pair, {row.name: row for row in report.metrics}) == report.causes


def blown():
    """Five notes of three partials that hardly shake, which fit themselves a few periods later as well."""
    at = np.arange(round(2.2 * RATE)) / RATE
    starts, pitches = (0.0, 0.5, 0.9, 1.3, 1.6), (587.3, 659.3, 740.0, 880.0, 784.0)
    hz = np.array(pitches)[np.searchsorted(starts, at, side="right") - 1] * 2 ** (
        2 * np.sin(2 * np.pi * 5.2 * at) / 1200
    )
    angle = 2 * np.pi * np.cumsum(hz) / RATE
    level = np.clip(np.minimum(at, 2.2 - at) / 0.05, 0, 1)
    partials = sum(height * np.sin(k * angle) for k, height in ((1, 1.0), (2, 0.25), (3, 0.07)))
    return Audio(np.float32(0.3 * level * partials)[None], RATE)


def test_another_speed_of_a_sound_that_repeats_itself_is_no_crowd_of_edits(evidence):
    sound = blown()
    slower = INJECTORS["slower"].break_by(sound, 1.25, np.random.default_rng(1))
    clues = evidence(sound, slower)
    assert clues.method == "waveform"  # it is laid period by period, and little is left over
    assert clues.exact > 0.5
    assert is_crowded(clues.pair)
    assert time.time_stretch(clues).confidence > 0.9
    assert ids(name_causes(clues.pair, clues.rows)) == ["time-stretch"]
