"""What a comparison cannot do without: read both files, resample to the lower rate, take the same STFTs.

The floor that cold_start.py holds `diagnose compare` against; it measures nothing and prints one number.
"""

import sys

import numpy as np
import soundfile
import soxr


def stft(samples, n_fft, hop, fft_size=None, centre=True):
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(np.float32)
    padded = np.pad(samples, n_fft // 2) if centre else samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    return np.abs(np.fft.rfft(frames * window, fft_size))


def power_of_two(size):
    return 1 << int(np.floor(np.log2(size)))


files = [soundfile.read(path, dtype="float32", always_2d=True) for path in sys.argv[1:]]
rate = min(own for _, own in files)
total, mixes = 0.0, []
for samples, own in files:
    mono = samples.mean(axis=1)
    total += stft(mono, 2048, 512).sum()  # native centroid
    comb = power_of_two(min(mono.size, 0.75 * own))
    total += stft(mono, comb, comb // 2, centre=False).sum()  # frame-rate comb
    mixes.append(mono if own == rate else soxr.resample(mono, own, rate))
shortest = min(mix.size for mix in mixes)
for mix in mixes:
    total += stft(mix, 2048, 512).sum()  # spectral shape
    total += stft(mix, 1024, 256).sum()  # mel
    total += stft(mix, 1024, 128).sum()  # alignment by spectrogram
    pitch = 2 * power_of_two(0.05 * rate)
    total += stft(mix, pitch, pitch // 2, 2 * pitch, centre=False).sum()  # pitch
    for n_fft in (512, 1024, 2048):
        total += stft(mix[:shortest], n_fft, n_fft // 4).sum()  # distances
print(total)
