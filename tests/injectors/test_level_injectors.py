"""Faults of amplitude: what each does to a sound is known sample by sample."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.audio import Audio
from diagnose.faults import INJECTORS
from diagnose.injectors.level import gain, hard_clip, quantise, soft_clip

RATE = 22050


@pytest.fixture
def sound(rng):
    return Audio(rng.uniform(-0.5, 0.5, (2, 20_000)).astype(np.float32), RATE)


@pytest.mark.parametrize("name", ["gain_up", "gain_down"])
@pytest.mark.parametrize("severity", [0, 0.5, 1])
def test_a_gain_is_that_of_its_amount_in_db(sound, rng, name, severity):
    ratio = INJECTORS[name].inject(sound, severity, rng).samples / sound.samples
    assert 20 * np.log10(ratio.astype(np.float64)) == pytest.approx(INJECTORS[name].amount(severity), abs=1e-4)


def test_a_gain_is_not_clipped(sound, rng):
    assert np.abs(gain(sound, 40.0, rng).samples).max() == pytest.approx(100 * np.abs(sound.samples).max(), rel=1e-5)


def test_an_offset_is_a_share_of_the_rms(sound, rng):
    broken = INJECTORS["dc_offset"].inject(sound, 1, rng)
    assert broken.samples - sound.samples == pytest.approx(1.5 * np.std(sound.mono), rel=1e-4)


@pytest.mark.parametrize("share", [0.002, 0.05, 0.2])
def test_a_hard_clip_flattens_its_share_and_keeps_the_rest(sound, rng, share):
    broken = hard_clip(sound, share, rng).samples
    flat = np.abs(broken) == np.abs(broken).max()
    assert flat.mean() == pytest.approx(share, abs=2e-4)
    assert np.array_equal(broken[~flat], sound.samples[~flat])
    assert np.array_equal(np.sign(broken), np.sign(sound.samples))


def test_a_soft_clip_is_tanh_with_gain_1_for_small_samples(rng):
    ramp = Audio(np.linspace(-1, 1, 10_001, dtype=np.float32)[None], RATE)
    broken = soft_clip(ramp, 5.0, rng).samples[0]
    assert (np.diff(broken) > -1e-7).all()
    assert broken[5000 + 20] == pytest.approx(0.004, rel=1e-3)
    assert broken.max() == pytest.approx(0.99 / 5, rel=1e-3)  # q = 0.99 of a ramp to 1
    assert soft_clip(ramp, 1e-3, rng).samples == pytest.approx(ramp.samples, abs=1e-6)


def test_polarity_is_the_sign(sound, rng):
    assert np.array_equal(INJECTORS["polarity"].inject(sound, 1, rng).samples, -sound.samples)


@pytest.mark.parametrize("bits", [3, 6, 10])
def test_quantised_has_two_to_the_bits_levels(rng, bits):
    step = 2.0 ** (1 - bits)
    ramp = Audio(np.linspace(-1, 1 - step, 50_001, dtype=np.float32)[None], RATE)
    broken = quantise(ramp, bits, rng).samples[0]
    assert np.unique(broken).tolist() == [-1 + step * k for k in range(2**bits)]
    assert np.abs(broken - ramp.samples[0]).max() <= step / 2


def test_half_a_bit_is_half_a_bit(rng):
    # The error of rounding is uniform: RMS step / sqrt(12).
    noise = Audio(rng.uniform(-0.9, 0.9, (1, 100_000)).astype(np.float32), RATE)
    error = quantise(noise, 8.5, rng).samples - noise.samples
    assert error.std() == pytest.approx(2 ** (1 - 8.5) / np.sqrt(12), rel=0.01)


def test_mono_is_the_mean(sound, rng):
    broken = INJECTORS["to_mono"].inject(sound, 1, rng)
    assert broken.samples.shape == (1, 20_000)
    assert broken.samples[0] == pytest.approx(sound.samples.mean(axis=0), abs=1e-7)


def test_one_channel_is_dead_and_the_other_as_it_was(sound):
    dead = set()
    for seed in range(8):
        broken = INJECTORS["dead_channel"].inject(sound, 1, np.random.default_rng(seed)).samples
        (silent,) = np.flatnonzero(~broken.any(axis=1))
        assert np.array_equal(broken[1 - silent], sound.samples[1 - silent])
        dead.add(int(silent))
    assert dead == {0, 1}
