"""Back from spectra to sound, held against librosa and against what is exact."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from diagnose import example
from diagnose.resynthesis import griffin_lim, inverse_stft, magnitude_from_mel, overlap_add, sound_from_mel, stft
from diagnose.scale import Magnitude, Power
from diagnose.spectrogram import Framing, MelGrid, mel, mel_filterbank

RATE = 22050
FRAMING = Framing(n_fft=1024, hop=256, padding="centre")


@pytest.fixture(scope="module")
def note():
    return example.bowed_string(seconds=0.5, rate=RATE).mono.astype(np.float64)


def distance(magnitude, samples, framing):
    """|| |S| - |STFT(x)| || / || S ||."""
    heard = np.abs(stft(samples, framing))[: len(magnitude)]
    return np.linalg.norm(magnitude - heard) / np.linalg.norm(magnitude)


@pytest.mark.parametrize("padding", ["centre", "centre-reflect", "same-reflect"])
@pytest.mark.parametrize(("n_fft", "hop"), [(1024, 256), (1024, 512), (512, 100)])
def test_the_inverse_of_an_stft_is_the_signal(rng, padding, n_fft, hop):
    framing = Framing(n_fft, hop, padding)
    samples = rng.standard_normal(10 * n_fft // hop * hop)
    assert np.abs(inverse_stft(stft(samples, framing), framing, samples.size) - samples).max() < 1e-5


def test_without_padding_it_is_the_signal_wherever_frames_overlap_and_0_beyond_the_last(rng):
    framing = Framing(512, 128, "none")
    samples = rng.standard_normal(5000)
    back = inverse_stft(stft(samples, framing), framing, samples.size)
    covered = 128 * ((5000 - 512) // 128) + 512
    assert np.abs(back - samples)[128 : covered - 128].max() < 1e-5
    assert not back[covered:].any()


@pytest.mark.slow
def test_of_no_stft_it_is_the_nearest_signal_as_librosa_finds_it(rng):
    shape = (40, FRAMING.n_fft // 2 + 1)
    spectra = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    spectra[:, [0, -1]] = spectra[:, [0, -1]].real
    length = 39 * FRAMING.hop
    theirs = librosa.istft(spectra.T, hop_length=FRAMING.hop, n_fft=FRAMING.n_fft, center=True, length=length)
    assert inverse_stft(spectra, FRAMING, length) == pytest.approx(theirs, abs=1e-9)


def test_frames_are_added_where_they_came_from():
    framing = Framing(8, 4, "none")
    # 1111 1111        of the first frame
    #      1111 1111   of the second
    assert overlap_add(np.ones((2, 8)), framing, 14).tolist() == [1] * 4 + [2] * 4 + [1] * 4 + [0] * 2
    assert overlap_add(np.ones((2, 8)), Framing(8, 4, "centre"), 6).tolist() == [2] * 4 + [1] * 2


def test_no_samples_have_no_spectra():
    assert stft(np.zeros(100), Framing(512, 128, "none")).shape == (0, 257)


def test_griffin_lim_comes_nearer_with_every_few_iterations(note):
    magnitude = np.abs(stft(note, FRAMING))
    far, near, nearest = (
        distance(magnitude, griffin_lim(magnitude, FRAMING, note.size, np.random.default_rng(0), n), FRAMING)
        for n in (0, 4, 32)
    )
    assert far > 2 * near
    assert near > 1.5 * nearest
    assert nearest < 0.12


def test_griffin_lim_is_about_as_near_as_librosas(note):
    magnitude = np.abs(stft(note, FRAMING))
    theirs = librosa.griffinlim(
        magnitude.T, n_iter=32, hop_length=256, n_fft=1024, length=note.size, random_state=0, pad_mode="constant"
    )
    ours = griffin_lim(magnitude, FRAMING, note.size, np.random.default_rng(0))
    assert distance(magnitude, ours, FRAMING) < 1.6 * distance(magnitude, theirs, FRAMING)


def test_griffin_lim_begins_where_its_generator_says(note):
    magnitude = np.abs(stft(note[:4096], FRAMING))
    first, again, other = (griffin_lim(magnitude, FRAMING, 4096, np.random.default_rng(seed), 4) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_griffin_lim_of_a_sine_has_its_frequency_and_level(tone):
    magnitude = np.abs(stft(tone(1000, RATE, 0.5, 0.5).astype(np.float64), FRAMING))
    back = griffin_lim(magnitude, FRAMING, RATE // 2, np.random.default_rng(0))
    inner = back[RATE // 10 : -RATE // 10]
    spectrum = np.abs(np.fft.rfft(inner * np.hanning(inner.size), 1 << 18))
    assert np.argmax(spectrum) * RATE / (1 << 18) == pytest.approx(1000, abs=3)
    assert inner.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("fmax", [8000.0, RATE / 2])
def test_magnitudes_of_a_mel_have_that_mel(note, fmax):
    grid = MelGrid(RATE, fmax=fmax)
    basis = mel_filterbank(grid).astype(np.float64)
    mel = basis @ np.abs(stft(note, grid.framing)).T
    magnitude = magnitude_from_mel(mel, grid)
    assert magnitude.shape == (mel.shape[1], grid.n_fft // 2 + 1)
    assert (magnitude >= 0).all()
    assert np.linalg.norm(basis @ magnitude.T - mel) < 0.02 * np.linalg.norm(mel)


def test_bins_that_no_filter_covers_are_0():
    grid = MelGrid(RATE, fmin=200.0, fmax=4000.0, bands=20)
    magnitude = magnitude_from_mel(np.ones((20, 3)), grid)
    hz = np.fft.rfftfreq(grid.n_fft, 1 / RATE)
    assert not magnitude[:, (hz < 200) | (hz > 4000)].any()
    assert magnitude[:, (hz > 250) & (hz < 3800)].all()


def test_silence_stays_silence():
    grid = MelGrid(RATE)
    magnitude = magnitude_from_mel(np.zeros((grid.bands, 4)), grid)
    assert not magnitude.any()
    assert not griffin_lim(magnitude, grid.framing, 1024, np.random.default_rng(0), 2).any()


# A sound of a mel


POOLED = pytest.mark.parametrize("pooled", [Magnitude(), Power()], ids=["magnitude", "power"])


def sums_of(samples, grid, pooled):
    return mel(samples, grid, pooled).values.astype(np.float64)


def decibels(sums, pooled):
    return 10 * np.log10(np.maximum(pooled.to_power(sums), 1e-10))


@POOLED
@pytest.mark.parametrize(
    "padding", ["centre", *(pytest.param(one, marks=pytest.mark.slow) for one in ("centre-reflect", "same-reflect"))]
)
def test_a_sound_from_a_mel_has_that_mel_and_its_level(note, pooled, padding):
    grid = MelGrid(RATE, padding=padding)
    sums = sums_of(note, grid, pooled)
    sound = sound_from_mel(sums, grid, note.size, np.random.default_rng(0), pooled)
    assert sound.shape == note.shape
    error = decibels(sums_of(sound, grid, pooled), pooled) - decibels(sums, pooled)
    assert np.abs(error).mean() < 1
    assert 0.9 < sound.std() / note.std() < 1.1


@POOLED
def test_a_sound_from_a_mel_is_nearer_to_it_than_griffin_lim_on_its_inverse(note, pooled):
    grid = MelGrid(RATE)
    sums = sums_of(note, grid, pooled)
    magnitude = np.sqrt(pooled.to_power(magnitude_from_mel(sums, grid)))
    plain = griffin_lim(magnitude, grid.framing, note.size, np.random.default_rng(0))
    sound = sound_from_mel(sums, grid, note.size, np.random.default_rng(0), pooled)
    far, near = (np.abs(decibels(sums_of(x, grid, pooled), pooled) - decibels(sums, pooled)) for x in (plain, sound))
    assert near.mean() < 0.6 * far.mean()


def test_a_sound_from_a_mel_begins_where_its_generator_says(note):
    grid = MelGrid(RATE)
    sums = sums_of(note[:4096], grid, Magnitude())
    first, again, other = (
        sound_from_mel(sums, grid, 4096, np.random.default_rng(seed), Magnitude()) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


@POOLED
def test_from_the_true_phases_the_signal_itself_comes_back(note, pooled):
    grid = MelGrid(RATE)
    sums = sums_of(note, grid, pooled)
    phases = np.angle(stft(note, grid.framing))
    found, blind = (
        sound_from_mel(sums, grid, note.size, np.random.default_rng(0), pooled, start) for start in (phases, None)
    )
    assert np.corrcoef(found, note)[0, 1] > 0.95
    assert np.corrcoef(found, note)[0, 1] > 0.2 + abs(np.corrcoef(blind, note)[0, 1])
    error, blind_error = (
        np.abs(decibels(sums_of(x, grid, pooled), pooled) - decibels(sums, pooled)).mean() for x in (found, blind)
    )
    assert error < 0.5 * blind_error


@POOLED
def test_a_mel_of_silence_is_a_silent_sound(pooled):
    grid = MelGrid(RATE)
    clip = float(pooled.from_power(np.float64(1e-10)))  # BigVGAN's 1e-5 of magnitude
    for level, most in ((0.0, 0.0), (clip, 1e-4)):
        sound = sound_from_mel(np.full((80, 20), level), grid, 20 * 256, np.random.default_rng(0), pooled)
        assert np.isfinite(sound).all()
        assert np.abs(sound).max() <= most


@POOLED
@pytest.mark.parametrize("padding", ["centre", "centre-reflect", "same-reflect", "none"])
@pytest.mark.parametrize("length", [1, 256, 1024])
def test_one_frame_is_a_sound_of_any_length(pooled, padding, length):
    grid = MelGrid(RATE, padding=padding)
    sound = sound_from_mel(np.full((80, 1), 0.1), grid, length, np.random.default_rng(0), pooled)
    assert sound.shape == (length,)
    assert np.isfinite(sound).all()
    assert sound.any() or length < 1024  # a frame without padding fills 1024 samples


def test_a_sine_keeps_its_pitch_and_level_within_a_band(tone):
    grid = MelGrid(RATE)
    sums = sums_of(tone(1000, RATE, 0.5, 0.5).astype(np.float64), grid, Magnitude())
    sound = sound_from_mel(sums, grid, RATE // 2, np.random.default_rng(0), Magnitude())
    inner = sound[RATE // 10 : -RATE // 10]
    spectrum = np.abs(np.fft.rfft(inner * np.hanning(inner.size), 1 << 18))
    assert np.argmax(spectrum) * RATE / (1 << 18) == pytest.approx(1000, abs=20)
    assert inner.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.1)
