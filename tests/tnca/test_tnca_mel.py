"""The mel that gradients pass through, held against diagnose's, which is held against librosa."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose import example, resynthesis
from diagnose.contract import load
from diagnose.spectrogram import Framing
from tnca.mel import inverse_stft, mel, stft

PADDINGS = ["centre", "centre-reflect", "same-reflect", "none"]
CONTRACTS = [
    "bigvgan_base_22khz_80band",
    "whisper",
    "librosa_db",
    "librosa_db_max",
    "dali",
    "vocos_mel_24khz",
    "parallel_wavegan_v1",
    "tacotron2_waveglow",
    "f5_tts_vocos",
]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small transforms spend a hundred times their time waiting for a second thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def of(samples, contract, reference=None):
    return mel(torch.from_numpy(np.atleast_2d(samples)), contract, reference)


# STFT


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


# Mel


@pytest.mark.parametrize("name", CONTRACTS)
def test_it_is_the_contracts_mel(name):
    contract = load(name)
    note = example.bowed_string(seconds=0.5, rate=contract.grid.rate).mono
    wanted = contract.mel(note).values
    single, double = of(note, contract)[0].numpy(), of(note.astype(np.float64), contract)[0].numpy()
    assert single.dtype == np.float32
    assert single.shape == wanted.shape
    span = np.ptp(wanted)
    np.testing.assert_allclose(single, wanted, atol=1e-4 * span)
    np.testing.assert_allclose(double, wanted, atol=1e-4 * span)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xfail(reason="a bin's power is kept over 1e-12, clip or no clip"))
        if name in ("vocos_mel_24khz", "parallel_wavegan_v1", "f5_tts_vocos")
        else name
        for name in CONTRACTS
    ],
)
def test_silence_is_where_the_contract_puts_it(name):
    contract = load(name)
    samples = np.zeros(8192, np.float32)
    samples[6000:] = example.bowed_string(seconds=0.5, rate=contract.grid.rate).mono[3000:5192]
    wanted = contract.mel(samples).values
    np.testing.assert_allclose(of(samples, contract)[0].numpy(), wanted, atol=1e-3 * np.ptp(wanted))


@pytest.mark.parametrize("name", ["bigvgan_base_22khz_80band", "librosa_db", "vocos_mel_24khz"])
def test_each_of_a_batch_is_as_if_alone(name, rng):
    contract = load(name)
    pair = rng.standard_normal((2, 6000)).astype(np.float32) * np.float32([[1], [0.3]])
    both = of(pair, contract).numpy()
    for samples, values in zip(pair, both, strict=True):
        np.testing.assert_allclose(values, contract.mel(samples).values, atol=1e-3)


@pytest.mark.xfail(reason="the loudest sum of the whole batch is taken, not that of each sound")
def test_each_of_a_batch_has_a_reference_of_its_own(rng):
    contract = load("librosa_db_max")
    pair = rng.standard_normal((2, 6000)).astype(np.float32) * np.float32([[1], [0.01]])
    assert of(pair, contract).amax(dim=(1, 2)).tolist() == pytest.approx([0, 0], abs=1e-3)


def test_a_reference_that_is_given_is_0_db():
    contract = load("librosa_db_max")
    note = example.bowed_string(seconds=0.3, rate=22050).mono
    plain = of(note, contract)
    loudest = 10 ** (float(of(note, load("librosa_db")).max()) / 10)
    torch.testing.assert_close(of(note, contract, loudest), plain, atol=1e-3, rtol=0)
    # 20 dB more in the reference: all 20 dB down, and top_db hangs on the reference too.
    louder = of(note, contract, 100 * loudest)
    torch.testing.assert_close(louder, (plain - 20).clamp_min(-80), atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", ["bigvgan_base_22khz_80band", "whisper", "librosa_db", "vocos_mel_24khz"])
def test_gradients_are_those_of_finite_differences(name, rng):
    contract = load(name)
    size = 2 * contract.grid.n_fft
    start, way = (torch.from_numpy(0.1 * rng.standard_normal((1, size))) for _ in range(2))
    weights = torch.from_numpy(rng.standard_normal(contract.mel(start[0].numpy()).values.shape))

    def total(samples):
        return (mel(samples, contract) * weights).sum()

    samples = start.clone().requires_grad_()
    total(samples).backward()
    step = 1e-6
    slope = (total(start + step * way) - total(start - step * way)) / (2 * step)
    assert (samples.grad * way).sum().item() == pytest.approx(slope.item(), rel=1e-4)


@pytest.mark.parametrize("name", CONTRACTS)
def test_silence_has_a_finite_gradient(name):
    samples = torch.zeros(1, 4096, requires_grad=True)
    mel(samples, load(name)).sum().backward()
    assert torch.isfinite(samples.grad).all()
