"""Chains whose steps are known: what was done to a sound is found again, with its parameters."""

import numpy as np
import pytest

from diagnose.explain import Scene, explain
from diagnose.operations.scene import NEAREST_DB

RATE = 16000


def explained(ours, theirs):
    return explain(Scene(np.float32(ours), np.float32(theirs), RATE))


def only(found, cause):
    assert found.ids == (cause,)
    assert found.proven
    return found.steps[0].fitted.parameters


@pytest.mark.parametrize("gain_db", [-12.0, 1.0, 9.0])
def test_a_gain_is_read(sound, gain_db):
    found = explained(sound, 10 ** (gain_db / 20) * sound)
    assert only(found, "gain")["gain"][0] == pytest.approx(gain_db, abs=0.01)
    assert found.left_db < -80


def test_a_polarity_and_a_bias_are_read(sound):
    only(explained(sound, -sound), "polarity")
    assert only(explained(sound, sound + 0.05), "dc-offset")["offset"][0] == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_limit_is_read(sound, share):
    most = share * np.abs(sound).max()
    found = only(explained(sound, np.clip(sound, -most, most)), "clipping")
    assert found["high"][0] == pytest.approx(most, rel=1e-6)


@pytest.mark.parametrize("bits", [6, 8, 10])
def test_a_word_length_is_read(sound, bits):
    step = 2.0 ** (1 - bits)
    assert only(explained(sound, np.round(sound / step) * step), "quantisation")["bits"][0] == pytest.approx(bits)


@pytest.mark.parametrize("cutoff", [1500.0, 4000.0])
def test_a_low_pass_is_read(sound, cutoff):
    spectrum = np.fft.rfft(sound, 2 * sound.size)
    spectrum[np.fft.rfftfreq(2 * sound.size, 1 / RATE) > cutoff] *= 0.01
    found = only(explained(sound, np.fft.irfft(spectrum)[: sound.size]), "high-frequency-loss")
    assert found["cutoff"][0] == pytest.approx(cutoff, rel=0.15)


def test_a_tilt_and_a_gap_are_told_apart(sound):
    hz = np.maximum(np.fft.rfftfreq(sound.size, 1 / RATE), 20.0)
    tilted = np.fft.irfft(np.fft.rfft(sound) * (hz / 1000) ** 0.5, sound.size)
    found = explained(sound, tilted)
    assert found.ids[0] == "tilt"
    assert found.steps[0].fitted.parameters["slope"][0] == pytest.approx(3.01, abs=0.2)
    gap = np.fft.rfft(sound) * np.where((hz > 1000) & (hz < 2000), 0.01, 1.0)
    assert "band-gap" in explained(sound, np.fft.irfft(gap, sound.size)).ids


def test_holes_are_read_with_their_place(sound):
    mask = np.ones(sound.size)
    mask[8400:9000] = 0
    mask[16500:17000] = 0
    found = only(explained(sound, mask * sound), "dropout")
    assert found["holes"][0] == 2
    assert found["first"][0] == pytest.approx(8400 / RATE, abs=0.002)
    assert found["length"][0] == pytest.approx(1100 / RATE, abs=0.003)


@pytest.mark.parametrize("under_db", [10.0, 30.0])
def test_noise_is_read_by_its_level_and_not_by_its_samples(sound, rng, under_db):
    noise = rng.standard_normal(sound.size) * sound.std() * 10 ** (-under_db / 20)
    found = explained(sound, sound + noise)
    only(found, "noise")
    assert found.steps[0].fitted.charged < 100
    assert found.unsteady == pytest.approx(1.28, abs=0.1)


@pytest.mark.parametrize(("hz", "cause"), [(50.0, "hum"), (60.0, "hum"), (437.0, "tonal")])
def test_lines_are_read_and_those_of_the_mains_are_a_hum(sound, hz, cause):
    time = np.arange(sound.size) / RATE
    hum = 0.02 * sum(np.sin(2 * np.pi * hz * k * time) / k for k in (1, 2, 3))
    assert only(explained(sound, sound + hum), cause)["strongest"][0] == pytest.approx(hz, abs=0.2)


def test_clicks_are_read_and_pay_for_each_sample(sound):
    clicked = sound.copy()
    clicked[[5000, 12000, 20000]] += 0.3
    found = explained(sound, clicked)
    assert only(found, "clicks")["clicks"][0] == 3
    assert found.steps[0].fitted.charged == 2 * 9  # the second difference of a spike is three samples wide


def test_a_gain_and_a_limit_are_two_steps_in_whatever_order(sound):
    most = 0.4 * np.abs(sound).max()
    for broken in (0.5 * np.clip(sound, -most, most), np.clip(2 * sound, -most, most)):
        found = explained(sound, broken)
        assert set(found.ids) == {"gain", "clipping"}
        assert found.proven


def test_the_same_sound_has_nothing_to_explain(sound):
    found = explained(sound, sound)
    assert (found.steps, found.before_db) == ((), NEAREST_DB)
    assert explained(sound, sound + 1e-5 * np.random.default_rng(0).standard_normal(sound.size)).steps == ()


def test_sounds_that_share_nothing_have_no_proof(sound, rng):
    found = explained(sound, 0.1 * np.cumsum(rng.standard_normal(sound.size)) * np.hanning(sound.size) / 50)
    assert not found.proven


@pytest.mark.parametrize("size", [1, 7, 320])
def test_hardly_a_sound_crashes_nothing(rng, size):
    noise = 0.1 * rng.standard_normal(size)
    for theirs in (noise, 2 * noise, np.zeros(size), rng.standard_normal(size)):
        explained(noise, theirs)
        explained(np.zeros(size), theirs)


def test_what_is_copied_proves_nothing(sound, rng):
    """A hundred single samples that come at no one distance are taken from the copy; seams on a beat are a pattern."""
    bent = sound.copy()
    bent[np.cumsum(rng.integers(150, 450, 100))] = 0.0
    found = explained(sound, bent)
    assert "clicks" in found.ids
    assert not found.proven


def test_samples_that_are_0_on_a_beat_are_seams_and_a_proof(sound):
    short = np.concatenate([np.append(block[:-1], 0.0) for block in sound.reshape(-1, 320)])  # 20 ms, a sample short
    assert only(explained(sound, short), "chunk-seams")["period"][0] == pytest.approx(0.02, rel=1e-4)
