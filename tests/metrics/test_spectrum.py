import librosa
import numpy as np
import pytest

from diagnose.analysis import Signal, spectra
from diagnose.audio import BLOCK, from_array, read
from diagnose.metrics import Unmeasurable, spectrum
from diagnose.spectrogram import power_blocks
from diagnose.stft_cache import StftCache

FIGURES = {
    "spectral_centroid_hz": lambda **kwargs: librosa.feature.spectral_centroid(**kwargs)[0],
    "spectral_bandwidth_hz": lambda **kwargs: librosa.feature.spectral_bandwidth(**kwargs)[0],
    "rolloff85_hz": lambda **kwargs: librosa.feature.spectral_rolloff(roll_percent=0.85, **kwargs)[0],
    "rolloff95_hz": lambda **kwargs: librosa.feature.spectral_rolloff(roll_percent=0.95, **kwargs)[0],
    "spectral_flatness": lambda sr, S: librosa.feature.spectral_flatness(S=S)[0],
}
METRICS = {metric.name: metric.function for metric in spectrum.METRICS}
BIN_HZ = 44100 / 2048


def signal(samples, rate=44100):
    return Signal(from_array(np.asarray(samples, np.float32), rate))


def librosas(name, samples, rate):
    """librosa's figure, averaged over the frames above -60 dB of the loudest."""
    # Padded here, as its centre=True pads: that warns of a sound shorter than a frame.
    magnitude = np.abs(librosa.stft(np.pad(samples, 1024), n_fft=2048, hop_length=512, center=False))
    power = (magnitude[2:] ** 2).sum(axis=0)
    return FIGURES[name](sr=rate, S=magnitude)[power > 1e-6 * power.max()].mean(dtype=float)


@pytest.fixture(params=["noise", "short noise", "quiet noise", "violin.wav", "speech.ogg"])
def sound(request, rng):
    if request.param.endswith("noise"):
        length, level = {"noise": (100_000, 0.1), "short noise": (700, 0.1), "quiet noise": (20_000, 1e-4)}[
            request.param
        ]
        samples, rate = level * rng.standard_normal(length), 44100
    else:
        audio = read(request.getfixturevalue("data") / request.param)
        samples, rate = audio.mono, audio.rate
    return signal(samples - samples.mean(dtype=float), rate)


@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_librosas(sound, name):
    assert METRICS[name](sound) == pytest.approx(librosas(name, sound.mono, sound.rate), rel=1e-4)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("bias", [0.36, -1.0])
def test_bias_does_not_move_it(sound, name, bias):
    biased = signal(sound.mono + np.float32(bias), sound.rate)
    # A bias leaves float32 fewer bits for the sound: 3e-8 of rounding, which a quiet, tonal sound's flatness shows.
    assert METRICS[name](biased) == pytest.approx(METRICS[name](sound), rel=1e-3)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("value", [0.0, 0.1, -0.7])
@pytest.mark.parametrize("length", [100, BLOCK + 1])
def test_silence_and_a_constant_have_no_spectrum(name, value, length):
    with pytest.raises(Unmeasurable, match="silence"):
        METRICS[name](signal(np.full(length, value)))


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("place", [slice(0, 2), slice(-50, None)], ids=["start", "end"])
def test_a_sound_at_the_very_edge_of_silence_is_measured(name, place):
    samples = np.zeros(44100)
    samples[place] = np.resize([0.5, -0.5], samples[place].size)
    assert METRICS[name](signal(samples)) > 0


@pytest.mark.parametrize("line", [0, 1, 100, 512, 1024])
def test_a_lone_line_is_its_own_centroid_with_no_bandwidth(line):
    hz = np.fft.rfftfreq(2048, 1 / 44100)
    magnitude = np.zeros((3, 1025), np.float32)
    magnitude[1, line] = 0.3
    centroid, bandwidth = spectra.centroid_and_bandwidth(magnitude, hz)
    np.testing.assert_allclose(centroid, [0, hz[line], 0], atol=1e-6)
    np.testing.assert_allclose(bandwidth, 0, atol=1e-3)
    low, high = spectra.rolloff(magnitude, hz, (0.85, 0.95))
    assert low[1] == high[1] == hz[line]


@pytest.mark.parametrize("line", [20, 100, 512, 900])
def test_a_tone_on_a_bin_is_three_lines_half_one_half(tone, line):
    frames = signal(tone(line * BIN_HZ, 44100)).frames
    inside = slice(3, -3)
    np.testing.assert_allclose(frames.centroid[inside], line * BIN_HZ, rtol=1e-3)
    np.testing.assert_allclose(frames.rolloff85[inside], (line + 1) * BIN_HZ, rtol=1e-9)
    magnitudes = np.zeros((1, 1025), np.float32)
    magnitudes[0, line - 1 : line + 2] = 0.5, 1, 0.5
    assert spectra.centroid_and_bandwidth(magnitudes, frames.hz)[1] == pytest.approx(np.sqrt(0.5) * BIN_HZ, rel=1e-6)


def test_a_flat_spectrum_in_closed_form():
    hz, flat = np.linspace(0, 1000, 1001), np.ones((1, 1001), np.float32)
    centroid, bandwidth = spectra.centroid_and_bandwidth(flat, hz)
    assert centroid[0] == pytest.approx(500)
    assert bandwidth[0] == pytest.approx(np.sqrt((1001**2 - 1) / 12))  # of 1001 equal steps
    assert [float(roll[0]) for roll in spectra.rolloff(flat, hz, (0.5, 0.85, 1.0))] == [500, 850, 1000]


def test_flatness_is_1_of_white_and_geometric_over_arithmetic_mean_else():
    assert spectra.flatness(np.full((1, 100), 7, np.float32))[0] == pytest.approx(1)
    assert spectra.flatness(np.array([[1, 4, 16]], np.float32))[0] == pytest.approx(4 / 7)
    assert spectra.flatness(np.eye(1, 100, 5, dtype=np.float32))[0] == pytest.approx(100 * 1e-10**0.99, rel=1e-4)


@pytest.mark.parametrize("hz", [3000, 11_025, 16_000])
@pytest.mark.parametrize("ends", ["faded", "abrupt"])
def test_cutoff_is_where_noise_was_cut(rng, hz, ends):
    lines = np.fft.rfft(rng.standard_normal(100_000))
    lines[np.fft.rfftfreq(100_000, 1 / 44100) > hz] = 0
    noise = 0.1 * np.fft.irfft(lines) * (np.hanning(100_000) if ends == "faded" else 1.0)
    assert spectrum.cutoff_hz(signal(noise)) == pytest.approx(hz, abs=6 * BIN_HZ)  # a Hann window's skirt to -60 dB


@pytest.mark.parametrize(("db", "bins"), [(-55, 500), (-65, 50)])
def test_cutoff_is_the_highest_line_over_minus_60_db(tone, db, bins):
    lines = tone(50 * BIN_HZ, 44100) + 10 ** (db / 20) * tone(500 * BIN_HZ, 44100)
    assert spectrum.cutoff_hz(signal(0.5 * lines * np.hanning(44100))) == pytest.approx(bins * BIN_HZ, abs=6 * BIN_HZ)


def test_cutoff_of_white_noise_is_nyquist(rng):
    assert spectrum.cutoff_hz(signal(0.1 * rng.standard_normal(100_000))) == pytest.approx(22050)


@pytest.mark.parametrize(("length", "padding"), [(150_000, 0), (50_000, 0), (2048, 0), (2047, 1024), (5, 1024)])
def test_long_term_spectrum_is_the_mean_of_librosas_unpadded_frames_where_there_are_any(rng, length, padding):
    noise = rng.standard_normal(length).astype(np.float32)
    spectrogram = librosa.stft(np.pad(noise, padding), n_fft=2048, hop_length=512, center=False)
    expected = (np.abs(spectrogram) ** 2).mean(axis=1)
    np.testing.assert_allclose(spectra.analyse(StftCache(noise, 0.0), 44100).long_term, expected, rtol=1e-4)


@pytest.mark.parametrize("name", ["spectral_centroid_hz", "spectral_bandwidth_hz", "rolloff85_hz", "spectral_flatness"])
def test_rounding_noise_in_a_decay_to_silence_does_not_count(tone, rng, name):
    note = 0.5 * tone(50 * BIN_HZ, 44100) * np.linspace(1, 0, 44100)
    rounding = rng.integers(-1, 2, 3 * 44100) / 32768
    alone, followed = (METRICS[name](signal(samples)) for samples in (note, np.concatenate([note, rounding])))
    # The last frames above -60 dB do hold some of it; were all frames counted, every figure would be over 3 times this.
    assert followed == pytest.approx(alone, rel=0.3, abs=1e-3)


@pytest.mark.parametrize(("name", "hz"), [("violin.wav", 1161.1), ("generated_bigvgan-2.wav", 2025.4)])
def test_native_centroid_of_the_first_diagnosis(data, name, hz):
    audio = read(data / name)
    assert Signal(audio).native.centroid_hz == pytest.approx(hz, abs=0.05)
    theirs = librosa.feature.spectral_centroid(y=audio.mono, sr=audio.rate).mean(dtype=float)
    assert Signal(audio).native.centroid_hz == pytest.approx(theirs, rel=1e-4)


@pytest.mark.parametrize("place", [5120, 5000])
def test_native_centroid_of_a_click_is_librosas(place):
    click = np.eye(1, 44100, place, dtype=np.float32)[0]
    theirs = librosa.feature.spectral_centroid(y=click, sr=44100).mean(dtype=float)  # 4 flat frames, else silence
    assert Signal(from_array(click, 44100)).native.centroid_hz == pytest.approx(theirs, rel=1e-3)


def test_native_centroid_of_silence_is_none():
    assert Signal(from_array(np.zeros(5000), 44100)).native.centroid_hz is None


@pytest.mark.parametrize("bias", [0.0, 0.05, 0.5])
def test_native_spectrum_of_several_blocks_is_librosas(rng, bias):
    samples = (0.1 * rng.standard_normal(150_000) + bias).astype(np.float32)
    magnitude = np.abs(librosa.stft(samples, n_fft=2048, hop_length=512, pad_mode="constant"))
    native = signal(samples).native
    np.testing.assert_allclose(native.long_term, (magnitude**2).mean(axis=1, dtype=float), rtol=1e-4)
    theirs = librosa.feature.spectral_centroid(S=magnitude, sr=44100).mean(dtype=float)
    assert native.centroid_hz == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize("bias", [0.0, 1e-4, 0.05, 2.0])
def test_native_spectrum_is_that_of_the_samples_with_their_mean(rng, bias):
    # Noise, then digital silence but for the bias, then a decay far below it: what taking the mean off rounds.
    parts = [0.1 * rng.standard_normal(9000), np.zeros(9000), 1e-7 * rng.standard_normal(9000)]
    samples = (np.concatenate(parts) + bias).astype(np.float32)
    native = signal(samples).native
    power = np.concatenate(list(power_blocks(samples, spectra.FRAMING))).astype(np.float64)
    magnitude = np.sqrt(power)
    total = np.maximum(magnitude.sum(axis=1), 1e-300)
    assert native.centroid_hz == pytest.approx(float((magnitude @ native.hz / total).mean()), rel=1e-6)
    np.testing.assert_allclose(native.long_term, power.mean(axis=0), rtol=1e-5)
