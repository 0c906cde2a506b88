"""A pair compared by a plain librosa script: load, resample, one STFT each, the figures, three distances."""

import sys

import librosa
import numpy as np
from librosa_metrics import librosa_metrics

files = [librosa.load(path, sr=None, mono=True) for path in sys.argv[1:]]
rate = min(own for _, own in files)
mixes = [mix if own == rate else librosa.resample(mix, orig_sr=own, target_sr=rate) for mix, own in files]
figures = [librosa_metrics(mix, rate) for mix in mixes]
shortest = min(mix.size for mix in mixes)
cut = [mix[:shortest] - mix[:shortest].mean() for mix in mixes]
for n_fft in (512, 1024, 2048):
    a, b = (np.abs(librosa.stft(mix / mix.std(), n_fft=n_fft, hop_length=n_fft // 4)) for mix in cut)
    figures.append({f"convergence_{n_fft}": float(np.linalg.norm(a - b) / np.linalg.norm(a))})
levels = [librosa.amplitude_to_db(np.abs(librosa.stft(mix, n_fft=1024)), top_db=None) for mix in cut]
figures.append({"log_spectral_distance_db": float(np.sqrt(((levels[0] - levels[1]) ** 2).mean(axis=0)).mean())})
cepstra = [librosa.feature.mfcc(y=mix, sr=rate, n_mfcc=14, n_mels=80)[1:] for mix in cut]
figures.append({"mfcc_distance": float(np.sqrt(((cepstra[0] - cepstra[1]) ** 2).sum(axis=0)).mean())})
print(figures)
