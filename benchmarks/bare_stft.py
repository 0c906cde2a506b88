"""The floor of one comparison: read both files and take the Fourier transforms that its metrics need, nothing else.

python benchmarks/bare_stft.py [ROUNDS]

Prints pairs a second of the floor and of diagnose.compare(), in turn, and how many times as long the whole takes:
for sounds of 1 s at 22,050 and 44,100 Hz, and of 30 s at 44,100 Hz, a good copy and a broken one, of which regions and
causes are asked.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from interleaved import ratio, rounds

import diagnose
from diagnose import audio, example
from diagnose.audio import Audio
from diagnose.timeline.correlation import fast_size

if TYPE_CHECKING:
    from diagnose.arrays import Floats

ROUNDS = 20
SIZES = ((1, 22_050), (1, 44_100), (30, 44_100))  # s, Hz
CHUNK_SAMPLES = 1 << 15  # as spectrogram.py has it
# n_fft and hop, frames centred.  2048: spectral shape, the file's own centroid, distance; regions from 32 kHz up and
# the causes' readings.  1024: log-mel and its spread, distance; regions below 32 kHz.  512: distance.
GRIDS = ((2048, 512), (1024, 256), (512, 128))
CELLS_HALF_S = 0.0029  # of the frames in which a fault of some ms is found
BY_SPECTROGRAM = (1024, 128)  # alignment where the phases are made up


def floor(reference: Path, generated: Path, made_up: bool) -> None:
    """Every transform of a comparison, once; made_up: whether the waveforms do not correlate."""
    (ours, rate), (theirs, _) = (soundfile.read(path, dtype="float32") for path in (reference, generated))
    for samples in (ours, theirs):
        for n_fft, hop in GRIDS:
            powers(np.pad(samples, n_fft // 2), n_fft, hop)
        autocorrelations(samples, rate)
        comb = 1 << int(np.log2(min(samples.size, 0.75 * rate)))
        powers(samples, comb, comb)
        k_weighting(samples, rate)
        half = round(CELLS_HALF_S * rate)
        powers(samples, 2 * half, half)
    correlation(ours[None], theirs[None])
    if made_up:
        for samples in (ours, theirs):
            powers(np.pad(samples, 512), *BY_SPECTROGRAM)
            powers(samples, 2048, 2048)  # the cells of phase_consistency
        bands = np.zeros((24, 1 + ours.size // BY_SPECTROGRAM[1]), np.float32)
        correlation(bands, bands)


def powers(samples: Floats, n_fft: int, hop: int) -> None:
    """|STFT|**2, Hann window, from the first sample to the last."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    frames = np.lib.stride_tricks.sliding_window_view(samples, n_fft)[::hop]
    at_once = max(1, CHUNK_SAMPLES // n_fft)
    for first in range(0, len(frames), at_once):
        spectrum = np.fft.rfft(frames[first : first + at_once] * window)
        power = np.square(spectrum.real)
        power += np.square(spectrum.imag)


def autocorrelations(samples: Floats, rate: int) -> None:
    """Pitch: spectra of frames of four periods of 60 Hz, and two inverse transforms of each."""
    size = 1 << int(np.ceil(np.log2(4 / 60 * rate)))
    powers(samples, size, size // 2)
    spectra = np.zeros((1 + (samples.size - size) // (size // 2), size // 2 + 1), np.complex64)
    np.fft.irfft(spectra)
    np.fft.irfft(spectra, size // 2 if rate >= 32_000 else size)


def k_weighting(samples: Floats, rate: int) -> None:
    """Loudness: a filter by overlap-save, there and back."""
    settling = int(0.06 * rate)
    size = 1 << int(np.ceil(np.log2(max(6 * settling, 4096))))
    piece = np.zeros(size)
    for _ in range(0, samples.size, size - settling):
        np.fft.irfft(np.fft.rfft(piece).astype(np.complex64), size)


def correlation(ours: Floats, theirs: Floats) -> None:
    """Alignment: the correlation at all lags that overlap by half."""
    size = fast_size(ours.shape[1] + theirs.shape[1] - min(ours.shape[1], theirs.shape[1]) // 2 - 1)
    spectra = [np.fft.rfft(part.astype(np.float64), size).astype(np.complex64) for part in (ours, theirs)]
    np.fft.irfft((spectra[0] * spectra[1]).sum(axis=0), size)


def write_pairs(folder: Path, rate: int, seconds: float) -> tuple[Path, dict[str, Path]]:
    """Bowed strings of 1 s, a copy of them with a little noise, and what a misfed vocoder makes of them."""
    notes = [example.bowed_string(196 * 2 ** (step * 7 % 12 / 12), 1.0, rate).samples for step in range(int(seconds))]
    note = Audio(np.concatenate(notes, axis=1), rate)
    noise = 1e-4 * np.random.default_rng(1).standard_normal(note.length)
    sounds = {
        "reference": note,
        "good": Audio((0.995 * note.samples + noise).astype(np.float32), rate),
        "broken": example.misfed_vocoder(note, rate),
    }
    paths = {name: folder / f"{name}-{rate}-{seconds}.wav" for name in sounds}
    for name, sound in sounds.items():
        audio.write(paths[name], sound)
    return paths.pop("reference"), paths


def measured(reference: Path, copy: Path, made_up: bool, count: int) -> str:
    """Medians of both in ms, pairs a second of compare(), and its time over the floor's, round by round."""
    contenders = {
        "floor": lambda: floor(reference, copy, made_up),
        "compare": lambda: diagnose.compare(reference, copy),
    }
    seconds = rounds(contenders, count)
    bare, whole = (1000 * statistics.median(seconds[each]) for each in contenders)
    return f"{bare:9.1f} ms{whole:9.1f} ms{1000 / whole:10.1f}{ratio(seconds, 'compare', 'floor'):8.2f}"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print(f"{'':26}{'floor':>12}{'compare':>12}{'pairs/s':>10}{'ratio':>8}   ({count} rounds, medians)")
    with tempfile.TemporaryDirectory() as folder:
        for seconds, rate in SIZES:
            reference, copies = write_pairs(Path(folder), rate, seconds)
            for name, copy in copies.items():
                said = measured(reference, copy, name == "broken", max(count // seconds, 5))
                print(f"{seconds:3} s, {rate:6} Hz, {name:9}{said}", flush=True)


if __name__ == "__main__":
    main()
