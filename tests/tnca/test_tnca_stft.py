"""The STFT that gradients pass through, held against diagnose's, which is held against librosa."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose import resynthesis
from diagnose.spectrogram import Framing
from tnca.stft import inverse_stft, stft

PADDINGS = ["centre", "centre-reflect", "same-reflect", "none"]


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(("n_fft", "hop"), [(1024, 256), (400, 160), (512, 100)])
def test_the_stft_is_diagnoses(rng, padding, n_fft, hop):
    framing = Framing(n_fft, hop, padding)
    samples = rng.standard_normal((2, 5001)).astype(np.float32)
    ours = stft(torch.from_numpy(samples).double(), framing).numpy()
    for row, wanted in zip(ours, samples, strict=True):
        np.testing.assert_allclose(row, resynthesis.stft(wanted, framing).T, atol=1e-9)


@settings(max_examples=20)
@given(
    padding=st.sampled_from(PADDINGS),
    n_fft=st.sampled_from([64, 128, 200]),
    overlap=st.sampled_from([2, 4, 5]),
    length=st.integers(400, 1000),
)
def test_the_inverse_of_an_stft_is_the_signal_where_frames_cover_it(padding, n_fft, overlap, length):
    framing = Framing(n_fft, n_fft // overlap, padding)
    samples = np.random.default_rng(length).standard_normal((2, length))
    back = inverse_stft(stft(torch.from_numpy(samples), framing), framing, length).numpy()
    assert back.shape == samples.shape
    first = n_fft if padding == "none" else 0
    last = min(length, framing.hop * (framing.count(length) - 1) + n_fft // 2 - framing.margin)
    np.testing.assert_allclose(back[:, first:last], samples[:, first:last], atol=1e-9)


@pytest.mark.parametrize("padding", PADDINGS)
def test_the_inverse_of_any_spectra_is_diagnoses(rng, padding):
    framing = Framing(256, 64, padding)
    spectra = rng.standard_normal((2, 129, 20)) + 1j * rng.standard_normal((2, 129, 20))
    ours = inverse_stft(torch.from_numpy(spectra), framing, 1500).numpy()
    for row, each in zip(ours, spectra, strict=True):
        np.testing.assert_allclose(row, resynthesis.inverse_stft(each.T, framing, 1500), atol=1e-9)


def test_gradients_pass_there_and_back():
    framing = Framing(16, 4, "centre")
    samples = torch.randn(1, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)

    def changed(x):
        spectra = stft(x, framing)
        return inverse_stft(spectra * spectra.abs(), framing, 40)

    assert torch.autograd.gradcheck(changed, (samples,))
