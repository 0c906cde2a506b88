"""The grid on which mel metrics and pictures are computed."""

from __future__ import annotations

from diagnose.spectrogram import MelGrid

MEL_BANDS = 80
MEL_HIGHEST_HZ = 8000.0
MEL_HOP = 256


def mel_grid(rate: int) -> MelGrid:
    """Grid of the mel metrics: bigvgan_base_22khz_80band's, at the signal's own rate, frames centred."""
    return MelGrid(rate, hop=MEL_HOP, bands=MEL_BANDS, fmax=min(MEL_HIGHEST_HZ, rate / 2), padding="centre")
