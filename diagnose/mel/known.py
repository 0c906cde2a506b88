"""The numbers that mel front ends and vocoders use: rates, frames, ranges, floors.

One list an idea: a search looks there first and prefers them among equals; a hum, a stretch or a floor is named
by them.  Full conventions of named programs are the contracts (contract.py); a test holds the two together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from diagnose.spectrogram import Padding

RATES = (8_000, 11_025, 16_000, 20_000, 22_050, 24_000, 32_000, 44_100, 48_000)
COMMON_RATES = frozenset((16_000, 22_050, 24_000, 44_100, 48_000))
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

# Hop sizes in samples of the vocoders in use, 5 to 25 ms at 16 to 48 kHz: a hum at rate / hop is looked for.
VOCODER_HOPS = (
    *(64, 80, 100, 120, 128, 150, 160, 192, 200, 220, 240, 256, 275, 300, 320, 384, 400, 441, 480, 512),
    *(600, 640, 960, 1024),
)
# (rate in Hz, hop) of published vocoders, for files that were resampled since.
VOCODER_FRAMES = (
    *((22_050, 256), (24_000, 240), (24_000, 256), (24_000, 300), (16_000, 160), (16_000, 200), (16_000, 256)),
    *((44_100, 512), (48_000, 480), (48_000, 512)),
)
# Hops and rates that are mistaken for each other: a duration that is off by the quotient of two of them names both.
MISTAKEN_HOPS = (128, 160, 192, 200, 220, 240, 256, 275, 300, 320, 384, 441, 480, 512)
MISTAKEN_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)
# fmax of mels that a vocoder of 8 kHz is fed with by mistake.
VOCODER_FMAX_HZ = 8000.0
MISTAKEN_FMAXES = (7600.0, 8000.0, 11_025.0, 12_000.0, 22_050.0, 24_000.0)
# The lowest value of an array, to 4 digits: the floor of a known program.
KNOWN_FLOORS = {
    "-11.5129": "ln 1e-5, the clip of BigVGAN, HiFi-GAN and Tacotron 2",
    "-16.1181": "ln 1e-7, the clip of Vocos",
    "-23.0259": "ln 1e-10",
    "-5.0000": "log10 1e-5",
    "-10.0000": "log10 1e-10, the clip of ESPnet and Parallel WaveGAN",
    "-80.0000": "-80 dB, librosa's top_db under a reference of max",
    "-100.0000": "-100 dB, librosa's amin of 1e-10",
}
# What dB are laid on, the clips and the top_db of known programs.
RANGES = ((0.0, 1.0), (-1.0, 1.0), (-4.0, 4.0))
CLIPS = {"magnitude": (1e-5, 1e-7, 1e-8, 1e-10), "power": (1e-10, 1e-5, 1e-9, 1e-12, 2.0**-24, 1e-8)}
TOP_DBS = (80.0, 60.0, 100.0, 120.0, 70.0, 90.0)
# Numbers of bands in use, so that 80 x 400 needs no guess; and the rows of an STFT, which is no mel.
BAND_COUNTS = frozenset(
    (20, 23, 24, 26, 32, 40, 48, 60, 64, 72, 80, 96, 100, 112, 120, 128, 160, 192, 229, 256, 320, 512)
)
STFT_ROWS = frozenset((129, 201, 257, 513, 1025, 2049))
