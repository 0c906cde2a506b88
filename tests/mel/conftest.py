import librosa
import numpy as np
import pytest

from diagnose.example import bowed_string

RATE = 22050


@pytest.fixture(scope="session")
def note():
    """The example's note at 22,050 Hz."""
    return bowed_string(seconds=1.2, rate=RATE)


@pytest.fixture(scope="session")
def made(note):
    """made(power=.., n_fft=.., ...) is librosa's mel of the note, [shape=(bands, frames)]."""

    def mel(power=1.0, n_fft=1024, hop=256, bands=80, fmin=0.0, fmax=8000.0, htk=False, norm="slaney", pad="constant"):
        spectra = np.abs(librosa.stft(note.mono, n_fft=n_fft, hop_length=hop, pad_mode=pad)) ** power
        return (
            librosa.filters.mel(sr=RATE, n_fft=n_fft, n_mels=bands, fmin=fmin, fmax=fmax, htk=htk, norm=norm) @ spectra
        )

    return mel
