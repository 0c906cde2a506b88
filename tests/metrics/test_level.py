import re
import subprocess

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from diagnose.analysis import Signal
from diagnose.analysis.moments import moments
from diagnose.audio import BLOCK, from_array, read
from diagnose.metrics import Unmeasurable, level


def signal(samples, rate=44100):
    return Signal(from_array(np.asarray(samples, np.float32), rate))


def quantised(samples):
    return np.round(samples * 32767) / 32767


def faded(samples, ends=0.1):
    """With cosine ramps at both ends: an abrupt start overshoots between its samples."""
    ramp = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, int(ends * samples.size)))
    shape = np.ones(samples.size)
    shape[: ramp.size], shape[-ramp.size :] = ramp, ramp[::-1]
    return samples * shape


def square(length, period=100, amplitude=1.0):
    return np.where(np.arange(length) % period < period // 2, amplitude, -amplitude)


# 441 Hz at 44,100 Hz: 100 samples a period, with samples on the crests.
@pytest.mark.parametrize(
    ("make", "rms_dbfs", "peak_dbfs", "crest_db"),
    [
        (lambda tone: tone(441, 44100), -3.0103, 0.0, 3.0103),
        (lambda tone: tone(441, 44100, amplitude=0.5), -9.0309, -6.0206, 3.0103),
        (lambda tone: square(44100), 0.0, 0.0, 0.0),
        (lambda tone: square(44100, amplitude=0.1), -20.0, -20.0, 0.0),
        (
            lambda tone: tone(441, 44100, amplitude=0.25) + 0.5,
            10 * np.log10(0.25 + 1 / 32),
            20 * np.log10(0.75),
            3.0103,
        ),
        (lambda tone: np.eye(1, 44100, 5)[0], -46.4444, 0.0, 46.4444),
    ],
    ids=["sine", "half sine", "square", "square of 0.1", "sine on a bias", "impulse"],
)
def test_level_in_closed_form(tone, make, rms_dbfs, peak_dbfs, crest_db):
    sound = signal(make(tone))
    assert level.rms_dbfs(sound) == pytest.approx(rms_dbfs, abs=1e-3)
    assert level.rms(sound) == pytest.approx(10 ** (rms_dbfs / 20), rel=1e-4)
    assert level.peak_dbfs(sound) == pytest.approx(peak_dbfs, abs=1e-3)
    assert level.crest_db(sound) == pytest.approx(crest_db, abs=1e-3)


@pytest.mark.parametrize("bias", [0.0, -0.1, 0.5])
@pytest.mark.parametrize("amplitude", [0.5, 0.01])
def test_dc_share_is_the_biass_part_of_the_power(tone, bias, amplitude):
    sound = signal(tone(441, 44100, amplitude=amplitude) + bias)
    assert level.dc_share(sound) == pytest.approx(bias**2 / (bias**2 + amplitude**2 / 2), abs=1e-6)


@pytest.mark.parametrize("bias", [0.3, -0.9])
@pytest.mark.parametrize("amplitude", [0.1, 0.01, 0.001])
def test_crest_of_a_sine_does_not_depend_on_its_bias(tone, bias, amplitude):
    assert level.crest_db(signal(tone(441, 44100, 10.0, amplitude) + bias)) == pytest.approx(3.0103, abs=0.01)


@given(length=st.integers(1, 5000), bias=st.floats(-1, 1))
def test_moments_are_numpys_in_double_precision(length, bias):
    samples = (np.random.default_rng(length).standard_normal(length) + bias).astype(np.float32)
    ours, exact = moments(samples), samples.astype(float)
    assert (ours.lowest, ours.highest) == (exact.min(), exact.max())
    assert ours.mean == pytest.approx(exact.mean(), abs=1e-12)
    assert ours.mean_square == pytest.approx(np.mean(exact**2), rel=1e-7)
    assert ours.variance == pytest.approx(exact.var(), rel=1e-6, abs=1e-7)


def test_moments_of_a_long_signal_keep_their_precision():
    samples = np.full(8 * BLOCK + 3, 0.1, np.float32)
    samples[-1] = -1.0
    exact, ours = samples.astype(float), moments(samples)
    assert ours.mean == pytest.approx(exact.mean(), rel=1e-12)
    assert ours.mean_square == pytest.approx(np.mean(exact**2), rel=1e-7)
    assert (ours.lowest, ours.highest) == (-1.0, exact[0])


def test_the_peak_is_that_of_the_worst_channel(tone):
    loud, quiet = tone(441, 44100, amplitude=0.5), tone(441, 44100, amplitude=0.1)
    for channels in ([quiet, loud], [loud, quiet], [quiet, -loud]):
        assert level.peak_dbfs(signal(channels)) == pytest.approx(-6.0206, abs=1e-3)
        assert level.true_peak_dbtp(signal(np.array([faded(x) for x in channels]))) == pytest.approx(-6.0206, abs=0.01)


@pytest.mark.parametrize(
    "metric", [level.rms_dbfs, level.peak_dbfs, level.true_peak_dbtp, level.crest_db, level.dc_share]
)
def test_digital_silence_has_no_level(metric):
    with pytest.raises(Unmeasurable, match="silence"):
        metric(signal(np.zeros(1000)))


@pytest.mark.parametrize("value", [0.1, -0.7, 1.0])
@pytest.mark.parametrize("length", [100, BLOCK + 1])
def test_a_constant_has_a_level_and_no_crest(value, length):
    sound = signal(np.full(length, value))
    assert level.rms_dbfs(sound) == pytest.approx(20 * np.log10(abs(value)), abs=1e-5)
    assert level.dc_share(sound) == pytest.approx(1.0, abs=1e-6)
    assert level.clipped_share(sound) == 0
    with pytest.raises(Unmeasurable, match="silence"):
        level.crest_db(sound)


@pytest.mark.parametrize(("ratio", "db"), [(1, 0), (100, 20), (1e-12, -120), (1e-13, -120), (0, -120)])
def test_decibels_stop_at_minus_120(ratio, db):
    assert level.decibels(ratio) == pytest.approx(db)


@pytest.mark.parametrize("rate", [8000, 44100, 48000, 192_000])
def test_true_peak_lies_between_the_samples(tone, rate):
    sound = signal(faded(tone(rate / 4, rate, 0.2, phase=np.pi / 4)), rate)
    assert level.peak_dbfs(sound) == pytest.approx(-3.0103, abs=0.001)
    assert level.true_peak_dbtp(sound) == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.2, 0.3, 1 / 3, 0.4, 0.45])
@pytest.mark.parametrize("phase", [0.0, 0.5, 1.0])
def test_true_peak_of_a_tone_is_under_its_own_by_0_7_db_at_most(tone, share, phase):
    sound = signal(faded(tone(share * 44100, 44100, 0.5, phase=phase)))
    assert -0.7 <= level.true_peak_dbtp(sound) <= 0.02


def test_true_peak_is_found_between_the_last_samples(tone):
    burst = faded(tone(11025, 44100, 0.002, phase=np.pi / 4), 0.05)
    samples = np.concatenate([np.zeros(BLOCK), burst])
    assert level.true_peak_dbtp(signal(samples)) == pytest.approx(0.0, abs=0.3)
    samples[-1] = -2.0
    assert level.true_peak_dbtp(signal(samples)) >= 6.0205


@pytest.mark.parametrize("sign", [1, -1])
def test_a_peak_on_one_side_alone_is_found_there(tone, sign):
    lifted = faded(0.5 + 0.5 * tone(11025, 44100, 0.2, phase=np.pi / 4))  # 0.146 or 0.854: 1.0 lies between samples
    assert level.peak_dbfs(signal(sign * lifted)) == pytest.approx(20 * np.log10(0.5 + np.sqrt(1 / 8)), abs=1e-3)
    assert level.true_peak_dbtp(signal(sign * lifted)) == pytest.approx(0.0, abs=0.02)
    lifted[-1] = 2.0
    assert level.peak_dbfs(signal(sign * lifted)) == pytest.approx(6.0206, abs=1e-3)
    assert level.true_peak_dbtp(signal(sign * lifted)) >= 6.0205


@pytest.mark.parametrize("name", ["speech.ogg", "violin.wav"])
def test_true_peak_is_ffmpegs(data, program, name):
    command = [program("ffmpeg"), "-nostats", "-i", data / name, "-af", "ebur128=peak=true", "-f", "null", "-"]
    summary = subprocess.run(command, capture_output=True, check=True, text=True).stderr
    theirs = float(re.findall(r"Peak:\s+(-?[\d.]+) dBFS", summary)[-1])
    assert level.true_peak_dbtp(Signal(read(data / name))) == pytest.approx(theirs, abs=0.15)


def test_level_is_what_sox_says(data, program, tmp_path):
    sound = read(data / "speech.ogg")
    soundfile.write(tmp_path / "speech.wav", sound.samples[0] * 0.5 + 0.1, sound.rate, subtype="FLOAT")
    command = [program("sox"), tmp_path / "speech.wav", "-n", "stats"]
    stats = subprocess.run(command, capture_output=True, check=True, text=True).stderr
    theirs = {
        name: float(re.search(rf"{name}\s+(-?[\d.]+)", stats)[1]) for name in ("DC offset", "Pk lev dB", "RMS lev dB")
    }
    ours = Signal(read(tmp_path / "speech.wav"))
    assert ours.moments.mean == pytest.approx(theirs["DC offset"], abs=1e-6)
    assert level.peak_dbfs(ours) == pytest.approx(theirs["Pk lev dB"], abs=0.01)
    assert level.rms_dbfs(ours) == pytest.approx(theirs["RMS lev dB"], abs=0.01)


@pytest.mark.parametrize(
    ("hz", "gain", "cut"),
    [
        *[(hz, 1.0, cut) for hz in (50, 441.7) for cut in (0.1, 0.5, 0.7, 0.9, 0.99)],
        *[(hz, 0.05, cut) for hz in (50, 441.7) for cut in (0.1, 0.5)],
        *[(3000.3, gain, cut) for gain in (1.0, 0.05) for cut in (0.1, 0.5)],
    ],
)
@pytest.mark.parametrize("stored", [np.asarray, quantised], ids=["float", "16 bits"])
def test_clipped_share_of_a_cut_sine(tone, hz, gain, cut, stored):
    sound = signal(stored(gain * np.clip(tone(hz, 44100), -cut, cut)))
    assert level.clipped_share(sound) == pytest.approx(1 - 2 / np.pi * np.arcsin(cut), rel=0.02, abs=0.002)


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
@pytest.mark.parametrize("amplitude", [1.0, 0.5, 0.01, 0.0005])
@pytest.mark.parametrize("stored", [np.asarray, quantised], ids=["float", "16 bits"])
def test_no_pure_sine_is_called_clipped(tone, rate, amplitude, stored):
    called = {
        (hz, phase): share
        for hz in [20, 31.5, 50, 100, 220.5, 441, 997, 1000, 3000, 4410, 5512.5, 7350, 10_000]
        for phase in (0.0, 0.3)
        if (share := level.clipped_share(signal(stored(tone(hz, rate, 0.5, amplitude, phase)), rate)))
    }
    assert called == {}


@pytest.mark.parametrize("drive", [1, 2, 3])
@pytest.mark.parametrize("hz", [100, 441.7, 3000])
def test_soft_clipping_is_not_counted(tone, drive, hz):
    assert level.clipped_share(signal(np.tanh(drive * tone(hz, 44100)))) == 0


def test_noise_is_not_clipped_until_it_is(rng):
    noise = 0.3 * rng.standard_normal(44100)
    assert level.clipped_share(signal(quantised(np.clip(noise, -2, 2)))) == 0
    runs = np.repeat(noise[::5], 5).clip(-0.4, 0.4)  # each value held 5 samples: those cut are in runs of 5 and more
    assert level.clipped_share(signal(runs)) == pytest.approx(np.mean(np.abs(runs) >= 0.4), abs=1e-6)


def test_one_side_and_one_channel_count_as_clipped(tone):
    sine = tone(441.7, 44100)
    one_side, half_share = np.minimum(sine, 0.5), (1 - 2 / np.pi * np.arcsin(0.5)) / 2
    for samples in (one_side, -one_side, [sine, one_side], [-one_side, 0.1 * sine]):
        assert level.clipped_share(signal(samples)) == pytest.approx(half_share, rel=0.02)


@pytest.mark.parametrize(
    "place", [slice(0, 50), slice(BLOCK - 25, BLOCK + 25), slice(-50, None)], ids=["start", "seam", "end"]
)
def test_a_flat_top_counts_wherever_it_lies(place):
    samples = np.zeros(BLOCK + 1000)
    samples[place] = 0.8
    assert level.clipped_share(signal(samples)) == pytest.approx(50 / samples.size, rel=1e-9)


@pytest.mark.parametrize("backwards", [False, True], ids=["but the last", "but the first"])
def test_a_corner_at_the_last_sample_counts(backwards):
    ramp = np.arange(-0.8, 0.7999, 1.5e-4)  # too gentle for a corner on its side
    samples = np.concatenate([ramp, [0.8] * 50, [0.3]])
    assert level.clipped_share(signal(samples[:: -1 if backwards else 1])) == pytest.approx(50 / samples.size)


STEP = 1 / 32768  # of 16 bits


def clipped(*tops, between=0.0):
    """Number of samples in flat tops; the tops stand apart."""
    apart = [between] * 100
    samples = np.array([*apart, *(sample for top in tops for sample in (*top, *apart))])
    return round(level.clipped_share(signal(samples)) * samples.size)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_flat_top_has_3_samples_and_no_gap(sign):
    assert clipped([sign * 0.5] * 2) == 0
    assert clipped([sign * 0.5] * 3) == 3
    two, gap = [sign * 0.5] * 2, [sign * 0.3]
    assert clipped(two + gap + two, [sign * 0.5] * 3) == 3


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("peak", "dent", "flat"),
    [
        (0.25, 1.5 * STEP, True),
        (0.25, 1.501 * STEP, False),
        (1.0, 0.99e-4, True),  # 1e-4 of the peak is more than 1.5 steps
        (1.0, 1.2e-4, False),
    ],
)
def test_a_top_is_flat_to_a_step_and_a_half_of_16_bits_or_1e_4_of_the_peak(sign, peak, dent, flat):
    tops = [peak, peak - dent, peak], [-0.1]
    assert clipped(*(np.multiply(sign, top) for top in tops)) == (3 if flat else 0)


@pytest.mark.parametrize(("steps", "flat"), [(9, False), (10, True)])
def test_a_corner_goes_in_steps_of_over_6_tolerances(steps, flat):
    # Down from the top over two smaller steps, as wide as a corner's or not.
    slope = 0.25 - steps * STEP * np.arange(1, 12)
    assert clipped([*slope[::-1], *[0.25] * 3, *slope], between=slope[-1]) == (3 if flat else 0)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("bias", [0.0, 0.3, -0.3])
@pytest.mark.parametrize(("depth", "flat"), [(0.24, False), (0.25, True), (0.3, True)])
def test_a_flat_stretch_from_a_quarter_of_the_peak_is_a_top(depth, flat, bias, sign):
    # 100 samples at -depth weigh as much as 100 * depth samples at 1: the mean is the bias.
    ones = round(100 * depth)
    samples = np.concatenate([np.tile([0.0, 1.0, 0.0], ones), np.tile([*[-depth] * 10, 0.0], 10)])
    share = 100 / samples.size
    bias += 1e-7 if bias else 0.0  # off the tie that a mean of rounded samples would decide
    found = level.clipped_share(signal(sign * samples + bias))
    if depth == 0.25 and bias:
        assert found in (0, pytest.approx(share))
    else:
        assert found == (pytest.approx(share) if flat else 0)


# The difference of the channels


@pytest.mark.parametrize("gain", [1.0, 0.5, 0.0, -0.25, -1.0])
def test_side_share_of_a_sine_and_its_scaled_copy(tone, gain):
    sine = tone(441, 44100, BLOCK / 44100 + 1)
    side = (1 - gain) ** 2 / ((1 - gain) ** 2 + (1 + gain) ** 2)
    assert level.side_share(signal([sine, gain * sine])) == pytest.approx(side, abs=1e-6)
    assert level.side_share(signal([gain * sine, sine])) == pytest.approx(side, abs=1e-6)


def test_channels_that_never_sound_together_share_alike():
    assert level.side_share(signal(np.eye(2, 100, 5) * 0.5)) == 0.5
    assert level.side_share(signal([np.eye(1, 100, 5)[0], np.eye(1, 100, 50)[0]])) == 0.5
    quarter = np.eye(1, 100, 5)[0] / 2  # of whose channel and silence mid and side are 1/4 each
    assert level.side_share(signal([quarter, 0 * quarter])) == 0.5


def test_one_channel_has_no_side_and_silence_or_three_channels_have_no_share(tone):
    sine = tone(441, 44100)
    assert level.side_share(signal(sine)) == 0.0
    for silent in (np.zeros(100), np.zeros((2, 100))):
        with pytest.raises(Unmeasurable, match="silence"):
            level.side_share(signal(silent))
    with pytest.raises(Unmeasurable, match="3 channels"):
        level.side_share(signal([sine, sine, sine]))


@pytest.mark.parametrize(
    ("name", "rms", "dc", "lowest", "highest"),
    [("violin.wav", 0.1018, None, -0.9999, 0.7132), ("generated_bigvgan-2.wav", 0.4202, 0.36, -0.8897, 0.9536)],
)
def test_the_moments_of_the_first_diagnosis(data, name, rms, dc, lowest, highest):
    now = moments(read(data / name).mono)
    assert now.rms == pytest.approx(rms, abs=5e-5)
    assert (now.lowest, now.highest) == (
        pytest.approx(lowest, abs=5e-5),
        pytest.approx(highest, abs=5e-5),
    )
    if dc is not None:
        assert now.mean == pytest.approx(dc, abs=0.005)
        assert level.dc_share(Signal(read(data / name))) == pytest.approx(0.74, abs=0.005)
