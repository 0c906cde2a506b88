"""Spectral frames: which of them hold sound, and the pieces of the passes over them, in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis.pitch import track
from diagnose.analysis.spectra import SpectralFrames

RATE = 22050


def frames(power):
    nothing = np.zeros(len(power))
    return SpectralFrames(power, nothing, nothing, nothing, nothing, nothing, nothing, nothing)


@pytest.mark.parametrize("loudest_db", [0.0, -90.0, 50.0])
def test_a_frame_holds_sound_within_60_db_of_the_loudest(loudest_db):
    power = 10 ** ((loudest_db + np.array([0.0, -59.5, -60.5, -200.0])) / 10)
    assert frames(power).sounding.tolist() == [True, True, False, False]
    assert not frames(power).silent


def test_silence_holds_no_sound():
    assert not frames(np.zeros(3)).sounding.any()
    assert frames(np.zeros(3)).silent


@pytest.mark.parametrize(("level_db", "voiced"), [(-59.5, True), (-60.5, False)])
def test_a_pitch_is_told_within_60_db_of_the_loudest_frame(level_db, voiced):
    tone = np.sin(2 * np.pi * 220.5 * np.arange(2 * RATE) / RATE)  # 100 samples a period
    tone[RATE:] *= 10 ** (level_db / 20)
    found = track(tone.astype(np.float32), RATE)
    late = slice(int(1.2 / found.hop_s), None)
    assert set(found.voiced[late].tolist()) == {voiced}
    assert (found.periodicity[late] > 0.9).all() if voiced else (found.periodicity[late] == 0).all()
    assert found.voiced[: int(0.8 / found.hop_s)].all()
