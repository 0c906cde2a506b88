"""A loss in the domain of sound: the grid is synthesised, and the sound's spectra are compared.

The synthesis is differentiable: magnitudes in proportion to what the filters' transpose spreads, with the phases of
the target.  The loss is Yamamoto et al., Parallel WaveGAN, 2020, equations 5 to 7: spectral convergence plus L1 of ln
magnitudes, over several resolutions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from diagnose.errors import InputError
from diagnose.resynthesis import stft as stft_of
from diagnose.spectrogram import Framing, mel_filterbank
from tnca.stft import inverse_stft, stft

if TYPE_CHECKING:
    from torch import Tensor

    from tnca.config import Stft as StftTerm
    from tnca.target import Target

LEAST = 1e-5
TINY = 1e-12


class MultiResolutionStft:
    """Mean over resolutions of |A - B| / |A| (Frobenius) and mean |ln A - ln B|."""

    def __init__(self, term: StftTerm, target: Target) -> None:
        grid = target.contract.grid
        self.levels, self.framing = target.contract.levels, grid.framing
        self.length = target.sound.length
        if max(term.n_fft) > self.length:
            raise InputError(f"loss.terms: n_fft {max(term.n_fft)} is longer than the sound's {self.length} samples")
        self.resolutions = tuple(Framing(n, n // 4, "centre") for n in term.n_fft)
        spectra = stft_of(target.sound.mono, grid.framing).T[:, : target.values.shape[1]]
        self.template = torch.from_numpy(spectra.astype(np.complex64))[None]
        self.basis = torch.from_numpy(mel_filterbank(grid).copy())
        pooled = self.levels.pooled
        self.peak = float(pooled.to_power((self.basis @ pooled.from_power(self.template.abs().square() + TINY)).max()))
        # Beyond it exp() overflows; no sound is so loud.
        self.most = float(target.values.max() + np.ptp(target.values))
        self.sums = self._sums(torch.from_numpy(target.values)[None])
        ours = self._sound(self.sums)
        self.wanted = [stft(ours, each).abs() for each in self.resolutions]

    def to(self, device: torch.device) -> MultiResolutionStft:
        self.template, self.basis, self.sums = (each.to(device) for each in (self.template, self.basis, self.sums))
        self.wanted = [each.to(device) for each in self.wanted]
        return self

    def __call__(self, grown: Tensor) -> Tensor:
        sound = self._sound(self._sums(grown))
        parts = []
        for framing, wanted in zip(self.resolutions, self.wanted, strict=True):
            found = stft(sound, framing).abs()
            parts.append(torch.linalg.vector_norm(found - wanted) / torch.linalg.vector_norm(wanted).clamp_min(LEAST))
            parts.append((found.clamp_min(LEAST).log() - wanted.clamp_min(LEAST).log()).abs().mean())
        return torch.stack(parts).mean()

    def _sums(self, values: Tensor) -> Tensor:
        """The filters' sums, linear, of values in the contract's unit."""
        reference = 1.0 if self.levels.reference != "max" else self.peak
        power = self.levels.scale(reference).to_power(values.clamp(max=self.most))
        sums: Tensor = self.levels.pooled.from_power(power.clamp(TINY, 10 * self.peak + 1))
        return sums

    def _sound(self, sums: Tensor) -> Tensor:
        """The target's spectra, each bin scaled by its bands' change: grown sum over the target's own."""
        change = sums / self.sums
        cover = self.basis.sum(dim=0)[:, None].clamp_min(TINY)
        gain = (self.basis.T @ change) / cover
        if self.levels.summed == "power":
            gain = gain.clamp_min(TINY).sqrt()
        return inverse_stft(self.template * gain, self.framing, self.length)
