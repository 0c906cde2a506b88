"""Pitch and harmonicity: tones of known frequency, tones in noise of known power, librosa's pyin on instruments."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from diagnose.analysis import Signal
from diagnose.audio import from_array, read, resample
from diagnose.metrics import METRICS

RATES = [16000, 22050, 44100, 48000]
NOTES_HZ = [65.0, 82.41, 146.83, 220.0, 440.0, 659.26, 880.0, 1244.51, 1500.0]


def signal_of(samples, rate):
    return Signal(from_array(np.asarray(samples), rate))


def value(name, samples, rate):
    return METRICS[name].measure(signal_of(samples, rate)).value


def partials(hz, rate, amplitudes, seconds=1.0):
    """Partial k of amplitude amplitudes[k - 1], those below 0.45 of the rate, in mixed phases."""
    turns = np.arange(round(seconds * rate)) * hz / rate
    kept = [(k, a) for k, a in enumerate(amplitudes, 1) if k * hz < 0.45 * rate]
    return 0.2 * sum(a * np.sin(2 * np.pi * k * turns + k * k) for k, a in kept)


def cents(found_hz, true_hz):
    return 1200 * np.log2(found_hz / true_hz)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("hz", NOTES_HZ)
@pytest.mark.parametrize("amplitudes", [[1.0], [1 / k for k in range(1, 11)]], ids=["sine", "harmonics"])
def test_a_note_is_read_within_3_cents(hz, rate, amplitudes):
    assert cents(value("f0_hz", partials(hz, rate, amplitudes), rate), hz) == pytest.approx(0, abs=3)


@pytest.mark.parametrize("rate", [16000, 44100])
@pytest.mark.parametrize("hz", [65.0, 220.0, 880.0])
@pytest.mark.parametrize(
    "amplitudes",
    [[0, 0, 1, 1, 1], [0.1, 1, 0.3, 0.8, 0.1, 0.5], [0.2, 0.2, 1], [1, 0, 0.5, 0, 0.3, 0, 0.2]],
    ids=["no fundamental", "strong even partials", "strong third", "odd partials alone"],
)
def test_no_octave_error_whatever_partial_is_strong(hz, rate, amplitudes):
    assert cents(value("f0_hz", partials(hz, rate, amplitudes), rate), hz) == pytest.approx(0, abs=5)


@pytest.mark.parametrize(("hz", "rate"), [(220.0, 16000), (440.0, 22050), (330.0, 48000)])
@pytest.mark.parametrize("snr_db", [0, 5, 10, 15, 20, 25])
def test_the_hnr_of_a_tone_in_white_noise_is_its_signal_to_noise_ratio(rng, hz, rate, snr_db):
    # Boersma 1993, section 4: the periodicity is then S / (S + N), so 10 log10(r / (1 - r)) = S / N.
    tone = np.sqrt(2) * np.sin(2 * np.pi * hz * np.arange(3 * rate) / rate)
    noise = 10 ** (-snr_db / 20) * rng.standard_normal(tone.size)
    assert value("hnr_db", 0.1 * (tone + noise), rate) == pytest.approx(snr_db, abs=1.0)


def test_the_hnr_of_a_pure_tone_stops_at_40_db():
    assert value("hnr_db", partials(200.0, 48000, [1.0]), 48000) == pytest.approx(40.0, abs=0.1)


@pytest.mark.parametrize("rate", RATES)
def test_white_noise_has_no_pitch(rng, rate):
    noise = signal_of(0.1 * rng.standard_normal(3 * rate), rate)
    assert noise.pitch.voiced.mean() < 0.01
    assert "no frame has a pitch" in METRICS["f0_hz"].measure(noise).reason


@pytest.mark.parametrize("hz", [30.0, 3000.0])
def test_a_sine_outside_60_to_2000_hz_is_not_given_a_pitch_of_its_own(hz):
    """A 3000 Hz tone repeats every second and third period too: at most such a subharmonic may be read."""
    found = METRICS["f0_hz"].measure(signal_of(partials(hz, 44100, [1.0]), 44100)).value
    assert found is None or (hz / found) == pytest.approx(round(hz / found), abs=0.01)
    assert found is None or 60 <= found <= 2000


@pytest.mark.parametrize("offset", [-0.5, 0.3])
def test_a_bias_does_not_count(rng, offset):
    samples = partials(150.0, 22050, [1, 0.5, 0.3]) + 0.02 * rng.standard_normal(22050)
    for name in ("f0_hz", "hnr_db"):
        assert value(name, samples + offset, 22050) == pytest.approx(value(name, samples, 22050), rel=1e-3)


@pytest.mark.parametrize("level_db", [-70.0, -400.0])
def test_frames_60_db_under_the_loudest_are_not_voiced_and_do_not_count(level_db):
    rate = 22050
    tail = 10 ** (level_db / 20) * partials(400.0, rate, [1, 0.5])
    samples = np.concatenate([partials(300.0, rate, [1, 0.5]), tail])
    track = signal_of(samples, rate).pitch
    voiced_s = np.flatnonzero(track.voiced) * track.hop_s
    assert voiced_s.max() < 1.0
    assert track.voiced.sum() * track.hop_s == pytest.approx(1.0, abs=2 * track.hop_s)
    assert cents(value("f0_hz", samples, rate), 300.0) == pytest.approx(0, abs=3)


def test_the_pitch_is_the_median_over_the_voiced_frames():
    rate = 22050
    samples = np.concatenate([partials(200.0, rate, [1, 0.5], 0.8), partials(300.0, rate, [1, 0.5], 1.2)])
    assert cents(value("f0_hz", samples, rate), 300.0) == pytest.approx(0, abs=3)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seconds"), [("violin.wav", 0.9), ("trumpet.ogg", 2.0)])
def test_an_instrument_reads_as_by_pyin(data, name, seconds):
    rate = 22050
    samples = resample(read(data / name), rate).mono[: round(seconds * rate)]
    track = signal_of(samples, rate).pitch
    hop = round(track.hop_s * rate)
    framing = {"frame_length": 2 * hop, "hop_length": hop, "center": False}
    oracle = librosa.pyin(samples, sr=rate, fmin=65, fmax=2000, **framing)[0]
    length = min(oracle.size, track.f0_hz.size)
    ours, theirs = track.f0_hz[:length], oracle[:length]
    both = (ours > 0) & np.isfinite(theirs)
    assert both.mean() > 0.8
    apart = np.abs(cents(ours[both], theirs[both]))
    assert np.median(apart) < 20
    assert np.mean(apart < 50) > 0.8
    assert cents(np.median(ours[both]), np.median(theirs[both])) == pytest.approx(0, abs=20)


NAMES = ["f0_hz", "hnr_db", "voiced_share"]


@pytest.mark.parametrize("name", NAMES)
def test_one_frame_is_enough_and_a_sample_less_is_not(name):
    frame = 2048  # the power of two over 4 periods of 60 Hz: 1470 samples
    tone = 0.1 * np.sin(2 * np.pi * 220.5 * np.arange(frame) / 22050)
    assert value(name, tone, 22050) == pytest.approx(
        {"f0_hz": 220.5, "hnr_db": 40.0, "voiced_share": 1.0}[name], rel=0.1
    )
    assert "one pitch frame" in METRICS[name].measure(signal_of(tone[:-1], 22050)).reason


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_the_voiced_share_is_that_of_the_time_a_tone_sounds(rng, share):
    rate = 22050
    sound = 0.01 * rng.standard_normal(8 * rate)
    sound[: round(share * sound.size)] = 0.1 * np.sin(2 * np.pi * 220.5 * np.arange(round(share * sound.size)) / rate)
    assert value("voiced_share", sound, rate) == pytest.approx(share, abs=0.02)


def test_silence_has_no_voiced_share():
    assert "silence" in METRICS["voiced_share"].measure(signal_of(np.full(22050, 0.2), 22050)).reason
