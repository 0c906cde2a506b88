"""A mel spectrogram that gradients pass through, on diagnose's own filterbank, framing and scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from diagnose.spectrogram import mel_filterbank

if TYPE_CHECKING:
    from torch import Tensor

    from diagnose.contract import MelContract
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


def mel(samples: Tensor, contract: MelContract, reference: float | None = None) -> Tensor:
    """Mel in the contract's own unit [shape=(B, bands, frames)]; equal to contract.mel(samples).

    reference: loudest sum as a power, where the contract's reference or floor hangs on it; of each sound by default.
    """
    power = stft(samples, contract.grid.framing).abs().square() + contract.bin_epsilon
    pooled = contract.levels.pooled
    basis = torch.from_numpy(mel_filterbank(contract.grid).copy()).to(power)
    sums = basis @ pooled.from_power(power.clamp_min(TINY))
    sum_power = pooled.to_power(sums)
    peak = float(sum_power.detach().max()) if reference is None else reference
    converted: Tensor = contract.levels.scale(peak).from_power(sum_power)
    return converted
