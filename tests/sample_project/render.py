"""The pipeline: a plucked string, through a filterbank that ends at fmax_hz, back to sound."""

import os
import tomllib

import numpy as np
import soundfile

RATE = 22050


def pluck(seconds=1.0, pitch_hz=196.0):
    """Thirty partials that die the sooner the higher they are."""
    time = np.arange(int(seconds * RATE)) / RATE
    partials = [np.sin(2 * np.pi * k * pitch_hz * time + k) * np.exp(-time * (2 + 0.2 * k)) / k for k in range(1, 52)]
    attack = np.minimum(time / 0.01, 1)
    return 0.4 * attack * np.sum(partials, axis=0)


def pipeline(samples, fmax_hz):
    """What the vocoder makes of it: all below fmax_hz."""
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / RATE) > fmax_hz] = 0
    return np.fft.irfft(spectrum, len(samples))


def main():
    with open("pipeline.toml", "rb") as file:
        settings = tomllib.load(file)
    os.makedirs("sounds", exist_ok=True)
    note = pluck()
    soundfile.write("sounds/reference.wav", note, RATE, "PCM_16")
    soundfile.write("sounds/generated.wav", pipeline(note, settings["fmax_hz"]), RATE, "PCM_16")


if __name__ == "__main__":
    main()
