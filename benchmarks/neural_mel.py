"""Pipelines of a mel and Griffin-Lim: sound -> mel by a contract of diagnose/mel -> what is broken -> sound.

The reference is the recording, or what the unbroken pipeline makes of it.  The mel is BigVGAN's of 24 kHz and 100 bands
up to 12 kHz, ln(magnitude), clipped at 1e-5; magnitudes are found by multiplicative updates, phases by Griffin-Lim from
a seed.  Beside a recording, phases that are not its own are a trace of every pair.
"""

# ruff: noqa: ARG001 - a table of functions of one signature

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace
from neural_kinds import (
    PIPELINE,
    PLAYED,
    RECORDING,
    SENTENCES,
    blurred,
    few_cosines,
    keep,
    lowered_rank,
    read_rows,
    recorded,
    to_peak_of,
)
from neural_voice import RATE, said
from reported_kinds import resampled

from diagnose.mel import contract as contracts
from diagnose.spectrogram import MelGrid, mel_filterbank

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neural_kinds import Floats, Made, Rng

CONTRACT = contracts.load("bigvgan_v2_24khz_100band_256x")
GRID = replace(CONTRACT.grid, padding="centre")  # frames where Griffin-Lim has them
CLIP = 1e-5
ITERATIONS, UPDATES = 32, 40
POOL = ("said_ferry", "said_morning", "said_umbrella", *PLAYED[:3])
LN_CLIP = float(np.log(CLIP))
DB = 20 / np.log(10)

SCALE, RANGE, SMOOTH = ("vocoder-input-scale",), ("mel-range", "pitch"), ("over-smoothed",)


def sound_of(name: str) -> tuple[Floats, int]:
    """(samples, rate) of a sentence, by the voice, or of a sound."""
    return (said(name), RATE) if name in SENTENCES else recorded(name)


@lru_cache(maxsize=16)
def recording(name: str) -> Floats:
    """At the contract's rate, as loud as it is."""
    samples, rate = sound_of(name)
    return resampled(samples, rate, GRID.rate)


def mel_of(samples: Floats, grid: MelGrid = GRID) -> Floats:
    """ln(max(mel of magnitudes, 1e-5)) [shape=(bands, frames)]."""
    made = replace(CONTRACT, grid=grid).mel(np.asarray(samples, np.float32))
    return np.asarray(made.values, np.float64)


@lru_cache(maxsize=16)
def mel_of_recording(name: str) -> Floats:
    return mel_of(recording(name))


@lru_cache(maxsize=4)
def _bank(grid: MelGrid) -> Floats:
    return np.asarray(mel_filterbank(grid), np.float64)


def magnitudes(mel: Floats, grid: MelGrid = GRID) -> Floats:
    """Magnitudes of bins, none negative, whose mel is the given one, linear: v <- v (B'm) / (B'B v)."""
    bank = _bank(grid)
    wanted = bank.T @ mel
    found = np.maximum(np.linalg.pinv(bank) @ mel, 1e-3 * wanted / max(bank.max(), 1e-12) + 1e-12)
    for _ in range(UPDATES):
        found *= wanted / (bank.T @ (bank @ found) + 1e-12)
    return found


def griffin_lim(found: Floats, seed: int, iterations: int = ITERATIONS, hop: int = GRID.hop) -> Floats:
    """Samples of these magnitudes, from random phases."""
    import librosa

    return np.asarray(
        librosa.griffinlim(
            found,
            n_iter=iterations,
            hop_length=hop,
            n_fft=GRID.n_fft,
            random_state=seed,
            momentum=0.99 if iterations > 1 else 0.0,
        ),
        np.float64,
    )


def resounded(values: Floats, seed: int = 0, *, iterations: int = ITERATIONS, hop: int = GRID.hop) -> Floats:
    """Samples of a mel of natural logarithms."""
    with np.errstate(over="ignore"):
        return griffin_lim(magnitudes(np.exp(np.minimum(values, 30.0))), seed, iterations, hop)


@lru_cache(maxsize=16)
def unbroken(name: str) -> Floats:
    """What the pipeline makes of a recording."""
    return resounded(mel_of_recording(name))


def mel_kind(
    right: Sequence[str],
    amounts: Sequence[float] = (1.0,),
    *,
    traces: Sequence[str] = ("phase-incoherent",),
    against: Sequence[str] = (RECORDING, PIPELINE),
    needs: Sequence[str] = ("librosa",),
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Keep maker(mel, samples, generator, amount) -> mel, or (samples, rate), as a kind."""

    def kept(maker: Callable[..., object]) -> Callable[..., object]:
        def pipeline(sound: str, rng: Rng, amount: float, against: str) -> Made:
            reference = recording(sound) if against == RECORDING else unbroken(sound)
            got = maker(mel_of_recording(sound).copy(), recording(sound), rng, amount)
            generated, rate = got if isinstance(got, tuple) else (resounded(np.asarray(got)), GRID.rate)
            return reference, GRID.rate, generated, rate

        keep(
            maker,
            "griffin-lim" if right else "harmless",
            right,
            amounts,
            traces=traces,
            pool=POOL,
            against=against,
            needs=needs,
            pipeline=pipeline,
        )
        return maker

    return kept


def at_peak(values: Floats, amount: float) -> tuple[Floats, int]:
    """Sounded; at amount 1 brought to a peak of 0.95."""
    made = resounded(values)
    return (to_peak_of(made) if amount else made), GRID.rate


@mel_kind(SCALE, (0.0, 1.0))
def mel_log10_read_as_ln(mel: Floats, x: Floats, rng: Rng, amount: float) -> tuple[Floats, int]:
    """log10 turned back by exp; at amount 1 the file has a peak of 0.95."""
    return at_peak(mel / np.log(10), amount)


@mel_kind(("vocoder-input-scale", "power-magnitude"), (0.0, 1.0))
def mel_ln_read_as_log10(mel: Floats, x: Floats, rng: Rng, amount: float) -> tuple[Floats, int]:
    """Natural logarithms turned back as powers of 10; at amount 1 the file has a peak of 0.95."""
    return at_peak(mel * np.log(10), amount)


@mel_kind(("power-magnitude", "vocoder-input-scale"), (0.0, 1.0))
def mel_power_read_as_magnitude(mel: Floats, x: Floats, rng: Rng, amount: float) -> tuple[Floats, int]:
    """10**(dB/10) where the mel is one of magnitudes; at amount 1 the file has a peak of 0.95."""
    return at_peak(2 * mel, amount)


@mel_kind(("power-magnitude",), (0.0, 1.0))
def mel_root_taken_twice(mel: Floats, x: Floats, rng: Rng, amount: float) -> tuple[Floats, int]:
    """A square root of magnitudes, as if they were powers; at amount 1 the file has a peak of 0.95."""
    return at_peak(0.5 * mel, amount)


@mel_kind(SCALE, (0.0, 1.0))
def mel_unit_range_not_undone(mel: Floats, x: Floats, rng: Rng, amount: float) -> tuple[Floats, int]:
    """0..1 turned back by exp; at amount 1 the file has a peak of 0.95."""
    return at_peak((mel - LN_CLIP) / (4 - LN_CLIP), amount)


@mel_kind(SCALE, (0.0, 1.0))
def mel_never_logarithmic(mel: Floats, x: Floats, rng: Rng, amount: float) -> tuple[Floats, int]:
    """Linear values turned back by exp; at amount 1 the file has a peak of 0.95."""
    return at_peak(np.exp(mel), amount)


@mel_kind(("level-reference-lost", "gain"))
def mel_level_of_maximum_lost(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """Decibels under the maximum turned back without it."""
    return mel - mel.max()


@mel_kind(("noise", "vocoder-input-scale"), (40.0, 20.0))
def mel_floor_too_high(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """A top_db of amount: what is quieter is raised to there, and is a steady noise."""
    return np.maximum(mel, mel.max() - amount / DB)


@mel_kind(RANGE)
def mel_formula_of_htk(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """HTK's formula where Slaney's is assumed."""
    return mel_of(x, replace(GRID, formula="htk"))


@mel_kind(("tilt", "mel-range", "high-frequency-loss"))
def mel_norm_missing(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """Filters without a norm, read as those of Slaney's: brighter by the width of each band."""
    values = mel_of(x, replace(GRID, norm="none"))
    return values - values.max() + mel.max()


@mel_kind(RANGE, (11_000.0, 8000.0))
def mel_fmax(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """A mel up to amount Hz, read as one up to 12 kHz."""
    return mel_of(x, replace(GRID, fmax=amount))


@mel_kind(RANGE, (40.0, 150.0))
def mel_fmin(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """A mel from amount Hz on, read as one from 0 on."""
    return mel_of(x, replace(GRID, fmin=amount))


@mel_kind(RANGE, (1.0, 3.0))
def mel_bands_shifted(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """Amount bands too high."""
    return read_rows(mel, np.arange(GRID.bands) - amount)


@mel_kind(RANGE, (96.0, 80.0))
def mel_of_another_number_of_bands(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """A mel of amount bands, filled up to 100 with the floor: read in another place each."""
    values = mel_of(x, replace(GRID, bands=int(amount)))
    return np.pad(values, ((0, GRID.bands - len(values)), (0, 0)), constant_values=LN_CLIP)


@mel_kind(("axes-exchanged", "mel-range"))
def mel_bands_flipped(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """The highest band first."""
    return mel[::-1]


@mel_kind(("axes-exchanged", "time-structure-lost"))
def mel_axes_exchanged(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """Read by rows where it was written by columns."""
    return np.ascontiguousarray(mel.T).reshape(mel.shape)


@mel_kind(("time-stretch",), (200.0, 320.0))
def mel_of_another_hop(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """A mel of hop amount before a pipeline of hop 256."""
    return mel_of(x, replace(GRID, hop=int(amount)))


@mel_kind(("sample-rate",), (22_050.0, 32_000.0))
def mel_header_says_another_rate(mel: Floats, x: Floats, rng: Rng, amount: float) -> tuple[Floats, int]:
    """24 kHz samples in a file that says amount."""
    return resounded(mel), int(amount)


@mel_kind(SMOOTH, (2.0, 6.0))
def mel_blurred_in_time(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """A Gaussian of deviation amount frames along time."""
    return blurred(mel, amount, 1)


@mel_kind(SMOOTH, (1.5, 5.0))
def mel_blurred_in_frequency(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """A Gaussian of deviation amount bands along frequency."""
    return blurred(mel, amount, 0)


@mel_kind(SMOOTH, (20.0, 8.0))
def mel_of_few_coefficients(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """By way of amount cepstral coefficients."""
    return few_cosines(mel, int(amount))


@mel_kind(SMOOTH, (4.0, 1.0))
def mel_of_low_rank(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """Its first amount components."""
    return lowered_rank(mel, int(amount))


@mel_kind(("noise", "phase-incoherent", "spectral-holes"), (0.8, 2.0), traces=())
def mel_noisy(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """Gaussian noise of amount nat on each cell, powers kept."""
    return mel + amount * rng.standard_normal(mel.shape) - amount**2


@mel_kind(("over-smoothed", "frame-rate-tremolo"), (3.0, 6.0))
def mel_frames_held(mel: Floats, x: Floats, rng: Rng, amount: float) -> Floats:
    """Every amount-th frame, held."""
    return mel[:, np.arange(mel.shape[1]) // int(amount) * int(amount)]


@mel_kind(("phase-incoherent",), (1.0, 0.0), traces=(), against=(RECORDING, PIPELINE))
def griffin_lim_of_few_iterations(mel: Floats, x: Floats, rng: Rng, amount: float) -> tuple[Floats, int]:
    """Amount iterations of Griffin-Lim: phases are random."""
    return griffin_lim(magnitudes(np.exp(mel)), zlib.crc32(mel.tobytes()), int(amount)), GRID.rate
