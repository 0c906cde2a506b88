"""STFT and its inverse that gradients pass through, in diagnose's own framing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

    from diagnose.spectrogram import Framing

TINY = 1e-12


def stft(samples: Tensor, framing: Framing) -> Tensor:
    """Complex spectra [shape=(B, n_fft/2 + 1, frames)] of samples [shape=(B, n)]; diagnose.spectrogram's framing."""
    margin = framing.margin
    mode = "reflect" if framing.padding.endswith("reflect") else "constant"
    padded = functional.pad(samples[:, None], (margin, margin), mode=mode)[:, 0] if margin else samples
    window = torch.hann_window(framing.n_fft, dtype=samples.dtype, device=samples.device)
    return torch.stft(padded, framing.n_fft, framing.hop, window=window, center=False, return_complex=True)


def inverse_stft(spectra: Tensor, framing: Framing, length: int) -> Tensor:
    """Samples [shape=(B, length)] of spectra [shape=(B, n_fft/2 + 1, frames)]: overlap-add over summed squares."""
    window = torch.hann_window(framing.n_fft, dtype=spectra.real.dtype, device=spectra.device)
    frames = torch.fft.irfft(spectra, framing.n_fft, dim=1) * window[:, None]
    whole = framing.hop * (spectra.shape[-1] - 1) + framing.n_fft
    fold = {"output_size": (1, whole), "kernel_size": (1, framing.n_fft), "stride": (1, framing.hop)}
    signal = functional.fold(frames, **fold)[:, 0, 0]
    weights = (window**2)[None, :, None].expand(1, -1, spectra.shape[-1])
    weight = functional.fold(weights, **fold)[:, 0, 0]
    kept = torch.where(weight > 1e-3 * weight.max(), signal / weight.clamp_min(TINY), 0.0)[:, framing.margin :]
    return functional.pad(kept, (0, max(0, length - kept.shape[1])))[:, :length]
