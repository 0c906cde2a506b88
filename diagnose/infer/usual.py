"""Numbers that people use in mel conventions: where a search looks first, and what it prefers among equals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from diagnose.spectrogram import Padding

RATES = (8_000, 11_025, 16_000, 20_000, 22_050, 24_000, 32_000, 44_100, 48_000)
MOST_USUAL_RATES = frozenset((16_000, 22_050, 24_000, 44_100, 48_000))
N_FFTS = (256, 400, 480, 512, 600, 640, 800, 882, 960, 1024, 1200, 1280, 1600, 1764, 1920, 2048, 2400, 4096, 8192)
HOPS = (64, 80, 100, 110, 120, 128, 160, 200, 220, 240, 250, 256, 275, 300, 320, 400, 441, 480, 512, 600, 1024, 1200)
FMINS = (0.0, 20.0, 27.5, 30.0, 40.0, 50.0, 55.0, 60.0, 64.0, 70.0, 75.0, 80.0, 90.0, 95.0, 100.0, 125.0, 150.0, 200.0)
FMAXES: tuple[float, ...] = (
    *(3400.0, 3800.0, 4000.0, 5500.0, 5512.5, 6000.0, 7000.0, 7500.0, 7600.0, 8000.0, 9000.0, 9500.0, 10_000.0),
    *(11_000.0, 11_025.0, 12_000.0, 14_000.0, 15_000.0, 16_000.0, 18_000.0, 20_000.0, 22_050.0, 24_000.0),
)
PADDINGS: tuple[Padding, ...] = ("centre", "centre-reflect", "same-reflect", "none")
FORMULAS: tuple[Literal["slaney", "htk"], ...] = ("slaney", "htk")
NORMS: tuple[Literal["slaney", "none"], ...] = ("slaney", "none")
