"""The sounds the project ships: a synthesised bowed string, and the copy a misfed vocoder makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.audio import Audio, resample
from diagnose.spectrogram import Framing, MelGrid, mel_filterbank, power_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Body resonances of a violin: (frequency in Hz, gain in dB, width in octaves); after Fletcher & Rossing,
# The Physics of Musical Instruments, 1998, figure 10.23: air mode, main wood, bridge hill.
BODY = ((280.0, 8.0, 0.25), (460.0, 9.0, 0.3), (1000.0, 3.0, 0.5), (2500.0, 6.0, 0.8))


def bowed_string(
    f0_hz: float = 196.0, seconds: float = 1.5, rate: int = 44_100, rng: np.random.Generator | None = None
) -> Audio:
    """A bowed-string note: Helmholtz motion (partials 1/k), body resonances, vibrato, bow noise; mono.

    f0_hz: pitch without vibrato.  rng: for phases and bow noise; seed 0 by default, so the note is always the same.
    """
    rng = rng or np.random.default_rng(0)
    time = np.arange(round(seconds * rate)) / rate
    vibrato = 12 * np.sin(2 * np.pi * 5.5 * time) * np.clip((time - 0.25) / 0.3, 0, 1)
    phase = 2 * np.pi * np.cumsum(f0_hz * 2 ** (vibrato / 1200)) / rate
    note = np.zeros_like(time)
    for k in range(1, int(0.45 * rate / f0_hz) + 1):
        frequency = k * f0_hz
        air_loss = 10 ** (-frequency / 12_000)
        note += _body_gain(frequency) * air_loss / k * np.sin(k * phase + rng.uniform(0, 2 * np.pi))
    noise = rng.standard_normal(time.size)
    noise = np.diff(noise, prepend=0.0) * (1 + 0.5 * np.sin(phase))
    sound = (note / note.std() + 0.01 * noise) * _bow_stroke(time, seconds)
    return Audio((0.5 * sound / np.abs(sound).max())[None].astype(np.float32), rate, "bowed string")


def _body_gain(frequency: float) -> float:
    octaves = [(np.log2(frequency / centre) / width, gain) for centre, gain, width in BODY]
    return float(10 ** (sum(gain * np.exp(-(x**2)) for x, gain in octaves) / 20))


def _bow_stroke(time: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    """Attack 80 ms, slow swell, release 200 ms."""
    attack = np.clip(time / 0.08, 0, 1)
    release = np.clip((seconds - time) / 0.2, 0, 1)
    return (
        np.sin(np.pi / 2 * attack) ** 2
        * np.sin(np.pi / 2 * release) ** 2
        * (0.8 + 0.2 * np.sin(np.pi * time / seconds))
    )


def misfed_vocoder(sound: Audio, rate: int = 22_050, bias: float = 0.35) -> Audio:
    """What a log-mel vocoder returns when it is given linear mel values, scaled to 0..1.

    It takes 0..1 for ln(magnitude), so every band of every frame is 1 to 2.7: a spectrum that is loud and
    hardly changes.  A frame that never changes gives one waveform a hop, again and again: a hum on the
    multiples of rate / hop, whatever was to be played.  bias stands for the constant such a network adds.
    """
    grid = MelGrid(rate)
    samples = resample(sound, rate).mono
    basis = mel_filterbank(grid)
    magnitude = np.sqrt(np.concatenate(list(power_blocks(samples, grid.framing)))) @ basis.T
    heard = np.exp(magnitude / magnitude.max())
    spread = basis / np.maximum(basis.sum(axis=0), 1e-6)
    # One fixed set of phases: the network has learnt one waveform for this input.
    phases = np.exp(2j * np.pi * np.random.default_rng(1).uniform(size=basis.shape[1]))
    hum = _overlap_add((heard @ spread) * phases, grid.framing)[: samples.size]
    hum *= 0.22 / hum.std()
    return Audio(np.clip(hum + bias, -1, 1)[None].astype(np.float32), rate, "misfed vocoder")


def _overlap_add(spectra: NDArray[np.complex128], framing: Framing) -> NDArray[np.float64]:
    """Inverse STFT without a synthesis window: frame t begins at t * hop."""
    frames = np.fft.irfft(spectra, framing.n_fft) * np.hanning(framing.n_fft)
    signal = np.zeros(framing.hop * (len(frames) - 1) + framing.n_fft)
    for index, frame in enumerate(frames):
        signal[index * framing.hop : index * framing.hop + framing.n_fft] += frame
    return signal
