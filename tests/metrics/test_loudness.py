import itertools
import re
import subprocess

import numpy as np
import pyloudnorm
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from diagnose.analysis import Signal
from diagnose.audio import from_array, read
from diagnose.metrics import Unmeasurable
from diagnose.metrics.loudness import OFFSET_LU, _k_weighted, _step_powers, gated_loudness, k_response, loudness_lufs

# ITU-R BS.1770-4, tables 1 and 2: the coefficients at 48 kHz.
SHELF_48K = [1.53512485958697, -2.69169619040638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585]
HIGH_PASS_48K = [1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621]


def loudness(samples, rate=48000):
    return loudness_lufs(Signal(from_array(np.asarray(samples, np.float32), rate)))


def levels(tone, rate, *steps):
    """1000 Hz at consecutive (dBFS peak, seconds), its phase running on."""
    envelope = np.concatenate([np.full(round(seconds * rate), 10 ** (db / 20), np.float32) for db, seconds in steps])
    return envelope * np.resize(tone(1000, rate, 0.01), envelope.size)  # ten whole periods, repeated


# EBU Tech 3341, table 1: each is 1000 Hz in phase on both channels of a stereo file.
EBU_CASES = {
    "1": ([(-23, 20)], -23.0),
    "2": ([(-33, 20)], -33.0),
    "3": ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
    "4": ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
    "5": ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
}


@pytest.mark.parametrize("rate", [48000, 44100, 96000])
@pytest.mark.parametrize(("steps", "lufs"), EBU_CASES.values(), ids=EBU_CASES)
def test_ebu_tech_3341(tone, steps, lufs, rate):
    mono = levels(tone, rate, *steps)
    assert loudness(np.broadcast_to(mono, (2, mono.size)), rate) == pytest.approx(lufs, abs=0.1)


def test_ebu_tech_3341_case_6_five_channels(tone):
    sine = tone(1000, 48000, 20.0)
    gains = 10 ** (np.array([-28, -28, -24, -30, -30]) / 20)
    assert loudness(gains[:, None] * sine) == pytest.approx(-23.0, abs=0.1)


def test_a_997_hz_sine_of_full_scale_in_one_channel_is_minus_3_01(tone):
    assert loudness(tone(997, 48000, 5.0)) == pytest.approx(-3.01, abs=0.01)


@pytest.mark.parametrize(
    ("channels", "place", "over_mono"),
    [
        (2, 1, 0),
        (3, 0, 0),
        (3, 1, 0),
        (3, 2, 0),
        (5, 0, 0),
        (5, 1, 0),
        (5, 2, 0),
        (5, 4, 1.492),
        (6, 0, 0),
        (6, 1, 0),
        (6, 2, 0),
        (6, 4, 1.492),
        (6, 5, 1.492),
    ],
)
def test_each_channel_has_its_weight(rng, channels, place, over_mono):
    noise = 0.1 * rng.standard_normal(48000)
    assert loudness(np.eye(channels)[place][:, None] * noise) - loudness(noise) == pytest.approx(over_mono, abs=0.001)


def test_the_low_frequency_channel_does_not_count(rng):
    with pytest.raises(Unmeasurable, match="silence"):
        loudness(np.eye(6)[3][:, None] * rng.standard_normal(48000))


@pytest.mark.parametrize("channels", [4, 7, 8])
def test_a_layout_without_weights_is_not_guessed(channels):
    with pytest.raises(Unmeasurable, match=f"no weights for {channels} channels"):
        loudness(np.full((channels, 48000), 0.1))


def test_a_rate_that_cannot_hold_the_shelf_is_not_measured(rng):
    with pytest.raises(Unmeasurable, match="needs a rate of 4000 Hz"):
        loudness(rng.standard_normal(3999), 3999)


@pytest.mark.parametrize("samples", [np.zeros(48000), np.full(48000, 1e-6)], ids=["zeros", "-120 dBFS"])
def test_silence_has_no_loudness(samples):
    with pytest.raises(Unmeasurable, match="silence"):
        loudness(samples)


@pytest.mark.parametrize("rate", [4000, 8001, 11025, 22051, 44100, 44101, 96000])
def test_one_block_of_400_ms_is_enough_and_a_sample_less_is_not(tone, rate):
    length = int(np.ceil(0.4 * rate))
    steady = loudness(tone(997, rate, 4.0), rate)
    assert loudness(tone(997, rate, length / rate), rate) == pytest.approx(steady, abs=0.1)
    with pytest.raises(Unmeasurable, match="400 ms"):
        loudness(tone(997, rate, (0.4 * rate - 1) / rate), rate)


@pytest.mark.parametrize("rate", [22051, 44101])  # 0.4 s is 8820.4 and 17640.4 samples
def test_a_fraction_of_a_sample_under_400_ms_is_measured_right_or_not_at_all(tone, rate):
    try:
        short = loudness(tone(997, rate, int(0.4 * rate) / rate), rate)
    except Unmeasurable:
        return
    assert short == pytest.approx(loudness(tone(997, rate, 4.0), rate), abs=0.1)


def test_gates_leave_out_what_is_under_minus_70_and_under_minus_10_of_the_mean():
    def power(lufs):
        return 10 ** ((np.array(lufs, float) - OFFSET_LU) / 10)

    assert gated_loudness(power([-20] * 5)) == pytest.approx(-20)
    assert gated_loudness(power([-20] * 5 + [-71] * 500)) == pytest.approx(-20)
    assert gated_loudness(power([-20, -33.5])) == pytest.approx(-20)  # the gate lies at -32.8
    assert gated_loudness(power([-20, -32.5])) == pytest.approx(10 * np.log10((10**-2.0 + 10**-3.25) / 2))
    with pytest.raises(Unmeasurable, match="silence"):
        gated_loudness(power([-70.1] * 5))


def test_a_block_counts_over_a_gate_and_not_at_it():
    at_the_absolute = 10 ** ((-70.0 - OFFSET_LU) / 10)
    with pytest.raises(Unmeasurable, match="silence"):
        gated_loudness(np.array([at_the_absolute]))
    assert gated_loudness(np.array([10 ** ((-69.9 - OFFSET_LU) / 10)])) == pytest.approx(-69.9)
    at_the_relative = 0.1  # of the mean of 1.9 and 0.1, which is 1
    assert gated_loudness(np.array([1.9, at_the_relative])) == pytest.approx(OFFSET_LU + 10 * np.log10(1.9))


def test_k_response_is_that_of_the_published_coefficients():
    hz = np.linspace(0, 24000, 5001)
    expected = np.prod(
        [scipy.signal.freqz(*stage, worN=hz, fs=48000)[1] for stage in (SHELF_48K, HIGH_PASS_48K)], axis=0
    )
    np.testing.assert_allclose(k_response(hz, 48000), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("rate", [4000, 8000, 16000, 22050, 44100, 96000, 192_000, 384_000])
def test_k_weighting_has_the_same_curve_at_every_rate(rate):
    # The bilinear transform bends it: by under 0.1 dB where Nyquist is far over the shelf, by under 1 dB where not.
    hz = np.geomspace(20, min(0.4 * rate, 20_000), 200)
    there, at_48k = (20 * np.log10(np.abs(k_response(hz, r))) for r in (rate, 48000))
    np.testing.assert_allclose(there, at_48k, rtol=0, atol=0.1 if rate >= 22050 else 1.0)


def test_k_weighted_blocks_are_the_filter_in_the_time_domain(rng):
    samples = (0.5 + 0.1 * rng.standard_normal(160_000)).astype(np.float32)  # over two seams, on a bias
    expected = scipy.signal.lfilter(*HIGH_PASS_48K, scipy.signal.lfilter(*SHELF_48K, samples.astype(float)))
    pieces = list(_k_weighted(samples, 48000))
    assert len(pieces) >= 3
    np.testing.assert_allclose(np.concatenate(pieces), expected, rtol=0, atol=1e-5)


@given(length=st.integers(1, 5000))
def test_k_weighting_in_blocks_is_that_of_the_whole_at_any_length(length):
    samples = np.random.default_rng(length).standard_normal(length).astype(np.float32)
    rate, size = 4000, 1 << 14  # a block is under 4096 samples
    whole = np.fft.irfft(
        np.fft.rfft(samples.astype(float), size) * k_response(np.fft.rfftfreq(size, 1 / rate), rate), size
    )
    np.testing.assert_allclose(np.concatenate(list(_k_weighted(samples, rate))), whole[:length], rtol=0, atol=1e-5)


@pytest.mark.parametrize("rate", [4000, 22051, 48000])
def test_powers_are_those_of_each_100_ms_to_the_sample(rng, rate):
    audio = from_array(rng.standard_normal(4 * rate + 17).astype(np.float32), rate)
    weighted = np.concatenate(list(_k_weighted(audio.samples[0], rate))).astype(float)
    edges = np.round(np.arange(41) * rate / 10).astype(int)
    expected = [np.mean(weighted[a:b] ** 2) for a, b in itertools.pairwise(edges)]
    np.testing.assert_allclose(_step_powers(audio.samples[0], audio), expected, rtol=1e-5)


@pytest.mark.parametrize("rate", [22051, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_noise_is_as_loud_as_pyloudnorm_says(rng, rate, channels):
    noise = rng.standard_normal((channels, 3 * rate)) * np.geomspace(0.001, 0.3, 3 * rate)
    assert loudness(noise, rate) == pytest.approx(pyloudnorm.Meter(rate).integrated_loudness(noise.T), abs=0.1)


@pytest.mark.parametrize("name", ["speech.ogg", "strings.ogg", "trumpet.ogg"])
def test_a_real_sound_is_as_loud_as_ffmpeg_says(data, program, name):
    command = [program("ffmpeg"), "-nostats", "-i", data / name, "-af", "ebur128", "-f", "null", "-"]
    summary = subprocess.run(command, capture_output=True, check=True, text=True).stderr
    theirs = float(re.findall(r"I:\s+(-?[\d.]+) LUFS", summary)[-1])  # one decimal
    assert loudness_lufs(Signal(read(data / name))) == pytest.approx(theirs, abs=0.15)
