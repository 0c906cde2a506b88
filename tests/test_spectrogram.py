import librosa
import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from diagnose.scale import Decibel, LogMagnitude, Magnitude, Power
from diagnose.spectrogram import (
    MEL_FORMULAS,
    Framing,
    MelGrid,
    hann,
    mel,
    mel_filterbank,
    power_blocks,
)

PADDINGS = ["centre", "centre-reflect", "same-reflect", "none"]

framings = st.builds(
    lambda half, part, padding: Framing(2 * half, max(1, 2 * half // part), padding),
    st.integers(1, 512),
    st.integers(1, 64),  # many short hops, so that a short signal has several blocks
    st.sampled_from(PADDINGS),
)


def noise(length, seed=0):
    return np.random.default_rng(seed).standard_normal(length).astype(np.float32)


def power(samples, framing, mean=0.0):
    blocks = list(power_blocks(samples, framing, mean))
    return np.concatenate(blocks).T


def padded(samples, framing):
    return np.pad(samples, framing.margin, mode="reflect" if framing.padding.endswith("reflect") else "constant")


@settings(max_examples=settings.default.max_examples * 2)
@given(length=st.integers(1, 5000), framing=framings)
def test_blocks_of_any_length_are_the_whole_padded_signal_framed_at_once(length, framing):
    blocks = list(power_blocks(noise(length), framing))
    whole = padded(noise(length), framing).astype(float)
    frames = np.empty((0, framing.n_fft))
    if whole.size >= framing.n_fft:
        frames = sliding_window_view(whole, framing.n_fft)[:: framing.hop]
    assert sum(map(len, blocks)) == framing.count(length) == len(frames)
    if blocks:
        expected = np.abs(np.fft.rfft(frames * hann(framing.n_fft))) ** 2
        np.testing.assert_allclose(np.concatenate(blocks), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("n_fft", "hop"), [(2048, 512), (1024, 256), (512, 200), (1024, 1024)])
@pytest.mark.parametrize("length", [3000, 50_000])
@pytest.mark.parametrize("padding", PADDINGS)
def test_power_is_librosas_stft(padding, length, n_fft, hop):
    samples, framing = noise(length), Framing(n_fft, hop, padding)
    settings = {
        "centre": {"center": True, "pad_mode": "constant"},
        "centre-reflect": {"center": True, "pad_mode": "reflect"},
        "same-reflect": {"center": False},
        "none": {"center": False},
    }[padding]
    source = np.pad(samples, (n_fft - hop) // 2, mode="reflect") if padding == "same-reflect" else samples
    expected = np.abs(librosa.stft(source, n_fft=n_fft, hop_length=hop, **settings)) ** 2
    np.testing.assert_allclose(power(samples, framing), expected, rtol=1e-3, atol=1e-5 * expected.max())


def test_same_reflect_gives_length_over_hop_frames():
    assert [Framing(1024, 256, "same-reflect").count(256 * frames) for frames in (4, 5, 100)] == [4, 5, 100]


def test_hann_is_scipys_periodic_window():
    np.testing.assert_allclose(hann(1024), scipy.signal.get_window("hann", 1024, fftbins=True), atol=1e-7)


def test_tone_on_a_bin_has_a_quarter_of_the_window_there_and_an_eighth_beside(tone):
    frames = power(tone(32 * 1000 / 256, 1000, 2.0, amplitude=0.5), Framing(256, 64, "none"))
    lines = np.sqrt(frames[30:35]) / (0.5 * 256)
    np.testing.assert_allclose(
        lines, np.array([0, 1 / 8, 1 / 4, 1 / 8, 0])[:, None] * np.ones(frames.shape[1]), atol=1e-6
    )


@pytest.mark.parametrize("padding", PADDINGS)
def test_mean_is_taken_off_before_the_padding(padding):
    samples, framing = noise(3000), Framing(512, 128, padding)
    biased = samples + np.float32(8.0)
    np.testing.assert_allclose(power(biased, framing, mean=8.0), power(samples, framing), rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("padding", PADDINGS)
def test_a_strided_view_is_read_as_its_copy_is(padding):
    channel, framing = noise(8000).reshape(-1, 2)[:, 1], Framing(512, 128, padding)
    assert not channel.flags.c_contiguous
    np.testing.assert_array_equal(power(channel, framing), power(channel.copy(), framing))


def test_a_signal_shorter_than_one_unpadded_frame_has_no_frames():
    framing = Framing(1024, 256, "none")
    assert framing.count(1023) == 0
    assert list(power_blocks(noise(1023), framing)) == []
    assert mel(noise(1023), MelGrid(22050, padding="none"), Power()).values.shape == (80, 0)


@pytest.mark.parametrize(("n_fft", "hop"), [(1023, 256), (0, 1), (-2, 1), (1024, 0), (1024, -5)])
def test_framing_refuses_odd_sizes_and_hops_under_one(n_fft, hop):
    with pytest.raises(ValueError, match="even and hop"):
        Framing(n_fft, hop)


GRIDS = [
    MelGrid(22050),
    MelGrid(22050, norm="none"),
    MelGrid(22050, formula="htk"),
    MelGrid(22050, formula="htk", norm="none", fmax=11025.0),
    MelGrid(44100, n_fft=2048, hop=512, bands=128, fmin=20.0, fmax=22050.0),
    MelGrid(16000, n_fft=512, bands=20, fmin=125.0, fmax=7600.0),
    MelGrid(24000, bands=100, fmax=12000.0, padding="centre-reflect"),
]


def librosas_filterbank(grid):
    return librosa.filters.mel(
        sr=grid.rate,
        n_fft=grid.n_fft,
        n_mels=grid.bands,
        fmin=grid.fmin,
        fmax=grid.fmax,
        htk=grid.formula == "htk",
        norm="slaney" if grid.norm == "slaney" else None,
    )


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_mel_filterbank_is_librosas(grid):
    expected = librosas_filterbank(grid)
    np.testing.assert_allclose(mel_filterbank(grid), expected, rtol=1e-5, atol=1e-6 * expected.max())


@pytest.mark.parametrize("pooled", [Power(), Magnitude()])
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_mel_is_the_filterbank_times_librosas_stft(grid, pooled):
    samples = noise(20_000)
    framed = padded(samples, grid.framing)
    magnitude = np.abs(librosa.stft(framed, n_fft=grid.n_fft, hop_length=grid.hop, center=False))
    expected = librosas_filterbank(grid) @ (magnitude if pooled == Magnitude() else magnitude**2)
    result = mel(samples, grid, pooled)
    assert (result.grid, result.scale) == (grid, pooled)
    np.testing.assert_allclose(result.values, expected, rtol=1e-4, atol=1e-6 * expected.max())


def test_to_changes_the_scale_and_keeps_the_grid():
    power_mel = mel(noise(5000), MelGrid(22050), Power())
    decibels = power_mel.to(Decibel())
    assert (decibels.grid, decibels.scale) == (power_mel.grid, Decibel())
    np.testing.assert_allclose(decibels.values, 10 * np.log10(power_mel.values), atol=1e-4)
    np.testing.assert_allclose(decibels.to(LogMagnitude()).to(Power()).values, power_mel.values, rtol=1e-4)


@pytest.mark.parametrize("formula", MEL_FORMULAS)
@given(hz=st.floats(0, 200_000))
def test_mel_and_hz_are_each_others_inverse_and_librosas(formula, hz):
    to_mel, to_hz = MEL_FORMULAS[formula]
    mels = to_mel(np.float64(hz))
    assert mels == pytest.approx(librosa.hz_to_mel(hz, htk=formula == "htk"), rel=1e-9, abs=1e-9)
    assert to_hz(mels) == pytest.approx(hz, rel=1e-9, abs=1e-9)
    assert to_hz(mels) == pytest.approx(librosa.mel_to_hz(float(mels), htk=formula == "htk"), rel=1e-9, abs=1e-9)
