"""Faults of time: lengths and places to the sample, frequencies by the Fourier transform."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose import example
from diagnose.audio import Audio
from diagnose.faults import INJECTORS
from diagnose.injectors.injector import rms
from diagnose.injectors.time import delay, drop_out, mislabel_rate, pad_tail, shift_pitch, stretch, truncate

RATE = 22050


@pytest.fixture
def noise(rng):
    return Audio(0.1 * rng.standard_normal((2, RATE)).astype(np.float32), RATE)


def frequency(samples, rate):
    """The strongest of the middle half, to a tenth of a Hz."""
    inner = samples[samples.size // 4 : -samples.size // 4]
    spectrum = np.abs(np.fft.rfft(inner * np.hanning(inner.size), 1 << 19))
    return np.argmax(spectrum) * rate / (1 << 19)


def test_a_delay_is_silence_before(noise, rng):
    broken = delay(noise, 0.1, rng).samples
    assert not broken[:, :2205].any()
    assert np.array_equal(broken[:, 2205:], noise.samples)


def test_a_cut_takes_its_share_from_the_end(noise, rng):
    assert np.array_equal(truncate(noise, 0.2, rng).samples, noise.samples[:, : RATE * 8 // 10])
    assert truncate(noise, 1.0, rng).length == 1


def test_a_padded_tail_is_silence_after(noise, rng):
    broken = pad_tail(noise, 0.2, rng).samples
    assert np.array_equal(broken[:, :RATE], noise.samples)
    assert broken.shape == (2, RATE + 4410)
    assert not broken[:, RATE:].any()


def test_a_wrong_label_keeps_the_samples(noise, rng):
    broken = mislabel_rate(noise, 2.0, rng)
    assert broken.rate == 44100
    assert np.array_equal(broken.samples, noise.samples)


@pytest.mark.parametrize("hz", [220.0, 997.0, 5000.0])
@pytest.mark.parametrize("factor", [0.65, 0.97, 1.5])
def test_a_stretched_sine_keeps_its_frequency_and_level(tone, rng, hz, factor):
    sine = Audio(tone(hz, RATE, 1.0, 0.5)[None], RATE)
    broken = stretch(sine, factor, rng)
    assert (broken.rate, broken.length) == (RATE, round(factor * RATE))
    assert frequency(broken.mono, RATE) == pytest.approx(hz, abs=0.5)
    assert rms(broken.mono) == pytest.approx(rms(sine.mono), rel=1e-4)
    # Nowhere louder or softer than the whole, but at the very ends.
    parts = broken.mono[2048:-4096].reshape(-1)[: (broken.length - 6144) // 1024 * 1024].reshape(-1, 1024)
    assert 20 * np.log10(parts.std(axis=1) / parts.std()) == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize("factor", [0.65, 1.03, 1.5])
def test_a_stretched_note_keeps_its_spectrum(rng, factor):
    note = example.bowed_string(seconds=1.0, rate=RATE)
    longer = stretch(note, factor, rng).mono.astype(np.float64)
    power = [np.abs(np.fft.rfft(x, 1 << 16)) ** 2 / np.sum(x**2) for x in (note.mono.astype(np.float64), longer)]
    bins = (196.0 * np.arange(1, 9)[:, None] + np.arange(-40, 41, 0.25)) * (1 << 16) / RATE
    ours, theirs = (10 * np.log10(one[bins.astype(int)].sum(axis=1)) for one in power)
    assert theirs - ours == pytest.approx(0, abs=1.0 if factor > 1 else 2.0)


def test_stretched_channels_keep_their_relation(rng):
    note = example.bowed_string(seconds=0.5, rate=RATE).mono
    both = Audio(np.stack([note, -0.5 * note]).astype(np.float32), RATE)
    left, right = stretch(both, 1.2, rng).samples
    assert right == pytest.approx(-0.5 * left, abs=1e-5)
    assert rms(left + right) > 0.2 * rms(note)


@pytest.mark.parametrize("cents", [-400.0, -30.0, 30.0, 400.0])
def test_a_shifted_sine_is_higher_by_cents_and_as_long(tone, rng, cents):
    sine = Audio(tone(1000, RATE, 1.0, 0.5)[None], RATE)
    broken = shift_pitch(sine, cents, rng)
    assert (broken.rate, broken.length) == (RATE, RATE)
    assert 1200 * np.log2(frequency(broken.mono, RATE) / 1000) == pytest.approx(cents, abs=1)


@pytest.mark.parametrize("name", ["pitch_up", "pitch_down", "slower", "faster"])
@pytest.mark.parametrize("severity", [0, 1])
def test_a_change_of_pitch_or_speed_is_none_of_level(rng, name, severity):
    note = example.bowed_string(seconds=0.6, rate=RATE).mono
    stereo = Audio(np.stack([note, np.roll(note, 30)]), RATE)
    broken = INJECTORS[name].inject(stereo, severity, rng)
    assert 20 * np.log10(rms(broken.mono) / rms(stereo.mono)) == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.25])
def test_holes_are_silent_and_cover_their_share(rng, share):
    steady = Audio(np.full((1, 5 * RATE), 0.5, np.float32), RATE)
    broken = drop_out(steady, share, rng).samples[0]
    silent = np.abs(broken) < 1e-6
    assert silent.mean() == pytest.approx(share, abs=0.012)  # the last hole may take it over
    edges = np.flatnonzero(np.diff(np.concatenate([[0], silent, [0]]).astype(int)))
    assert (edges[1::2] - edges[::2])[1:-1].min() > 0.015 * RATE  # one at the border may be cut
    untouched = np.abs(broken - 0.5) < 1e-6
    assert (silent | untouched).mean() > 1 - 0.003 * edges.size / 5  # a fade takes 1 ms


def test_holes_lie_where_there_is_sound(rng):
    samples = np.zeros((1, 2 * RATE), np.float32)
    samples[0, RATE:] = 0.1 * rng.standard_normal(RATE)
    sound = Audio(samples, RATE)
    broken = drop_out(sound, 0.1, rng)
    lost = 1 - np.square(broken.samples, dtype=np.float64).sum() / np.square(sound.samples, dtype=np.float64).sum()
    assert 0.15 < lost < 0.28  # a tenth of the whole is a fifth of its second half
