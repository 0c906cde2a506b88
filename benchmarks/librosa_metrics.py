"""The reference-free metrics the way a librosa user writes them, with one shared STFT.

What librosa lacks comes from where its users get it: scipy for the K-weighting and the clicks, soxr (through
librosa.resample) for the true peak.  The pitch frames are as many and as long as ours.
"""

from __future__ import annotations

from itertools import pairwise

import librosa
import numpy as np
import scipy.signal


def librosa_metrics(samples: np.ndarray, rate: int) -> dict[str, float]:
    dc = float(samples.mean())
    sound = samples - dc
    magnitude = np.abs(librosa.stft(sound))
    power = magnitude**2
    hz = librosa.fft_frequencies(sr=rate)
    long_term = power.mean(axis=1)
    frames = librosa.util.frame(sound, frame_length=4096, hop_length=2048)
    correlation = librosa.autocorrelate(frames, max_size=rate // 60, axis=0)
    periodic = (correlation[rate // 2000 :] / np.maximum(correlation[:1], 1e-12)).max(axis=0).clip(1e-4, 1 - 1e-4)
    near_top = np.abs(samples) > 0.9999 * np.abs(samples).max()
    figures = {
        "hnr_db": float((10 * np.log10(periodic / (1 - periodic)))[periodic > 0.5].mean()),
        "clipped_share": float((near_top[:-2] & near_top[1:-1] & near_top[2:]).mean()),
        "rms": float(np.sqrt(np.mean(samples**2))),
        "dc_share": dc**2 / float(np.mean(samples**2)),
        "crest_db": 20 * np.log10(np.abs(sound).max() / sound.std()),
        "spectral_centroid_hz": librosa.feature.spectral_centroid(S=magnitude, sr=rate).mean(),
        "spectral_bandwidth_hz": librosa.feature.spectral_bandwidth(S=magnitude, sr=rate).mean(),
        "rolloff85_hz": librosa.feature.spectral_rolloff(S=magnitude, sr=rate, roll_percent=0.85).mean(),
        "rolloff95_hz": librosa.feature.spectral_rolloff(S=magnitude, sr=rate, roll_percent=0.95).mean(),
        "spectral_flatness": librosa.feature.spectral_flatness(S=magnitude).mean(),
        "cutoff_hz": hz[np.flatnonzero(long_term > long_term.max() * 1e-6)[-1]],
        "frame_energy_spread_db": librosa.power_to_db(power.sum(axis=0)).std(),
        "true_peak_dbtp": 20 * np.log10(np.abs(librosa.resample(samples, orig_sr=rate, target_sr=4 * rate)).max()),
        "loudness_lufs": _loudness(samples, rate),
        "clicks_per_s": _clicks(sound, rate),
        "comb_share": _comb(sound, rate),
        "f0_hz": float(np.median(librosa.yin(sound, fmin=60, fmax=2000, sr=rate, frame_length=4096, hop_length=2048))),
    }
    edges = [0, 1024, 4096, 8192, rate / 2]
    for low, high in pairwise(edges):
        figures[f"band_{low:g}_db"] = 10 * np.log10(long_term[(hz >= low) & (hz < high)].sum() / long_term.sum())
    mel = librosa.filters.mel(sr=rate, n_fft=2048, n_mels=80, fmax=8000) @ magnitude
    low, high = np.percentile(np.log(np.maximum(mel, 1e-5)), [5, 95])
    return figures | {"log_mel_spread_nats": high - low}


def _loudness(samples: np.ndarray, rate: int) -> float:
    """BS.1770 with the standard's 48 kHz coefficients; the rate's own would take as long."""
    shelf = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585])
    weighted = scipy.signal.lfilter(*shelf, samples)
    weighted = scipy.signal.lfilter([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621], weighted)
    frames = librosa.util.frame(weighted, frame_length=int(0.4 * rate), hop_length=int(0.1 * rate))
    powers = (frames**2).mean(axis=0)
    loud = powers[powers > 10 ** ((-70 + 0.691) / 10)]
    return -0.691 + 10 * np.log10(loud[loud > loud.mean() / 10].mean())


def _clicks(samples: np.ndarray, rate: int) -> float:
    curvature = np.abs(np.diff(samples, 2))
    width = int(0.05 * rate)
    local = np.sqrt(scipy.signal.oaconvolve(curvature**2, np.full(width, 1 / width), mode="same").clip(1e-12))
    return scipy.signal.find_peaks(curvature / local, height=8, distance=66)[0].size / (samples.size / rate)


def _comb(samples: np.ndarray, rate: int) -> float:
    spectrum = (np.abs(librosa.stft(samples, n_fft=32768, hop_length=16384, center=False)) ** 2).sum(axis=1)
    hz = librosa.fft_frequencies(sr=rate, n_fft=32768)
    shares = []
    for hop in (128, 160, 200, 240, 256, 300, 320, 512, 640):
        spacing = rate / hop
        on = np.abs(hz - np.rint(hz / spacing) * spacing) < 1.5 * hz[1]
        shares.append(spectrum[on & (hz > 20)].sum() / spectrum[hz > 20].sum())
    return max(shares)
