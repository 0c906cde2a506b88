"""The benchmark's sounds: each is what its name says, none is like another, and none is faulty to begin with."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import sounds

import diagnose
from diagnose import audio
from diagnose.audio import Audio

STEREO = {"piano_chords", "drum_loop", "hall_ensemble", "synth_pad"}
NAMES = list(sounds.SOUNDS)
OFTEN = {"flute", "electric_bass", "surf", "synth_pad"}  # are made in the ordinary run
# The median over the time its notes last, in Hz; of the bass, over the notes from 60 Hz on, where pitch is sought.
PITCHES = {"brass_swell": 233.1, "flute": 740.0, "saw_arpeggio": 220.0, "electric_bass": 73.4}


@cache
def made(name):
    return sounds.SOUNDS[name]()


@cache
def measured(name):
    return {key: found.value for key, found in diagnose.measure(made(name)).items()}


def each(names):
    """A parameter for each name; those that are not made often are slow."""
    return pytest.mark.parametrize(
        "name", [pytest.param(name, marks=() if name in OFTEN else pytest.mark.slow) for name in names]
    )


@pytest.mark.slow
def test_the_rates_are_those_of_audio_models():
    rates = [made(name).rate for name in NAMES]
    assert len(rates) >= 12
    assert [rates.count(rate) for rate in (16_000, 24_000, 48_000)] == [1, 1, 1]
    assert rates.count(22_050) + rates.count(44_100) == len(rates) - 3
    assert min(rates.count(22_050), rates.count(44_100)) >= 4


@each(NAMES)
def test_a_sound_is_finite_of_about_two_seconds_and_a_fair_peak(name):
    sound = made(name)
    assert sound.samples.dtype == np.float32
    assert np.isfinite(sound.samples).all()
    assert 1.5 <= sound.duration_s <= 3
    assert 0.5 <= np.abs(sound.samples).max() <= 0.9
    assert sound.name == name.replace("_", " ")


@each(NAMES)
def test_a_sound_is_always_the_same(name):
    assert np.array_equal(sounds.SOUNDS[name]().samples, made(name).samples)


@each(NAMES)
def test_a_sound_has_no_fault_of_its_own(name):
    found = measured(name)
    assert found["dc_share"] < 1e-6
    assert (found["clipped_share"], found["clicks_per_s"]) == (0, 0)
    assert found["edge_left_db"] < -40
    assert found["edge_right_db"] < -25


@each(NAMES)
def test_stereo_is_stereo_and_mono_mono(name):
    sound = made(name)
    assert sound.channels == (2 if name in STEREO else 1)
    if name in STEREO:
        assert 0.04 < measured(name)["side_share"] < 0.5
        assert np.corrcoef(sound.samples)[0, 1] < 0.95


@each(NAMES)
def test_its_copy_in_16_bits_passes(name):
    sound = made(name)
    rounded = (np.round(sound.samples * 32768) / 32768).astype(np.float32)
    assert diagnose.compare(sound, Audio(rounded, sound.rate)).verdict == "PASS"


@each(PITCHES)
def test_a_melody_has_the_pitch_it_was_given(name):
    assert measured(name)["f0_hz"] == pytest.approx(PITCHES[name], rel=0.005)


def test_a_string_left_to_ring_is_in_tune():
    ringing = made("plucked_melody").mono[round(1.95 * 44_100) : round(2.25 * 44_100)]
    assert diagnose.measure(ringing, rate=44_100)["f0_hz"].value == pytest.approx(329.6, rel=0.004)


@pytest.mark.slow
def test_what_is_noise_has_no_pitch_and_what_is_dark_is_dark():
    assert measured("surf")["voiced_share"] == 0
    assert measured("electric_bass")["cutoff_hz"] < 2000
    assert measured("spoken_syllables")["voiced_share"] < 0.8
    assert 80 < measured("spoken_syllables")["f0_hz"] < 140


@pytest.mark.slow
def test_no_two_sounds_are_alike():
    every = [measured(name) for name in NAMES]
    keys = ("spectral_centroid_hz", "rolloff85_hz", "spectral_bandwidth_hz")
    octaves = np.log2([[found[key] for key in keys] for found in every])
    spread = np.array([[found["crest_db"], found["frame_energy_spread_db"]] for found in every]) / 6
    places = np.hstack([octaves, spread])
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1) + 9 * np.eye(len(places))
    assert apart.min() > 0.15
    assert np.ptp(octaves[:, 0]) > 4  # from under 300 Hz to over 5 kHz


def test_the_real_sounds_begin_where_they_sound_and_last_three_seconds(data):
    real = sounds.real_sounds(data)
    assert list(real) == list(sounds.REAL)
    for sound in real.values():
        level = np.abs(sound.samples).max(axis=0)
        assert sound.duration_s <= 3
        assert level[: round(0.02 * sound.rate)].max() > 0.003


def test_real_sounds_that_are_missing_are_skipped_and_silence_before_one_is_cut(tmp_path, tone):
    assert sounds.real_sounds(tmp_path) == {}
    samples = np.concatenate([np.zeros(8000, np.float32), tone(440, 8000, 4.0, 0.5)])
    audio.write(tmp_path / "violin.wav", audio.from_array(samples, 8000))
    real = sounds.real_sounds(str(tmp_path))
    assert list(real) == ["violin.wav"]
    violin = real["violin.wav"]
    assert (violin.rate, violin.length) == (8000, 24_000)
    # Sample 1 of the tone is the first within 40 dB; 10 ms of silence stay before it.
    assert np.flatnonzero(violin.mono)[0] == 80


def test_every_third_is_held_out():
    assert sounds.held_out(list("abcdefg")) == {"c", "f"}
    assert sounds.held_out(["a", "b"]) == set()
    kept = sounds.held_out(NAMES)
    assert len(kept) == len(NAMES) // 3
    assert kept & STEREO
    assert STEREO - kept
