"""A suite of one noisy case: a note, and the note with noise, rendered anew each time."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose import audio, example, gate
from diagnose.audio import Audio

RATE = 22050
SUITE = """
[suite]
name = "noisy"

[[case]]
id = "note"
reference = "reference.wav"
generated = "generated.wav"
"""


class Noisy:
    """The folder of a suite, and what renders its generated sound: the note, changed, with noise 26 dB under it."""

    def __init__(self, folder):
        self.folder = folder
        self.suite = folder / "suite.toml"
        self.golden = folder / "golden" / "note.toml"
        self.note = example.bowed_string(seconds=0.5, rate=RATE)
        self.level = 0.05 * float(np.sqrt(np.mean(np.square(self.note.samples))))
        self.suite.write_text(SUITE)
        audio.write(folder / "reference.wav", self.note, "FLOAT")

    def render(self, seed, change=lambda samples: samples):
        rng = np.random.default_rng([11, seed])
        noise = (self.level * rng.standard_normal(self.note.samples.shape)).astype(np.float32)
        audio.write(self.folder / "generated.wav", Audio(change(self.note.samples + noise), RATE), "FLOAT")


@pytest.fixture
def noisy(tmp_path):
    return Noisy(tmp_path)


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    """A noisy suite, calibrated over 20 runs; to be copied, not touched."""
    noisy = Noisy(tmp_path_factory.mktemp("calibrated"))
    gate.calibrate(noisy.suite, 20, noisy.render, "python render.py")
    return noisy
