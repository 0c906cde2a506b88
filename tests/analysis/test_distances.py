"""What counts as heard and as gone: thresholds of the frame energies in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis import Pair, Signal
from diagnose.analysis.distances import SpectralDistance
from diagnose.audio import from_array
from diagnose.metrics import METRICS

RATE = 22050


def power(*levels_db):
    return 10 ** (np.array(levels_db) / 10)


def frames(reference, generated):
    nothing = np.zeros(len(reference))
    return SpectralDistance((0.0, 0.0, 0.0), nothing, nothing, reference, generated)


@pytest.mark.parametrize("level_db", [0.0, -70.0, 30.0])
def test_a_frame_is_heard_within_40_db_of_the_loudest(level_db):
    reference = power(level_db, level_db - 39.5, level_db - 40.5, -200.0)
    assert frames(reference, reference).sounding.tolist() == [True, True, False, False]


def test_silence_has_no_frame_that_is_heard_or_gone():
    silent = np.zeros(4)
    assert not frames(silent, silent).sounding.any()
    assert not frames(silent, silent).gone.any()


def test_a_heard_frame_is_gone_30_db_under_the_references():
    reference = power(0, 0, 0, -39, -39, -41)
    generated = power(0, -29.5, -30.5, -68.5, -69.5, -100)
    assert frames(reference, generated).gone.tolist() == [False, False, True, False, True, False]


def stepped(levels_db, seconds=1.0):
    """Noise of that level in each second.

    It is all steps from one sign to the other: so every frame is about as loud, and no second has a mean, which taking
    the whole's mean off would fill the quiet ones with.
    """
    signs = np.sign(np.random.default_rng(5).standard_normal(round(len(levels_db) * seconds * RATE / 2)))
    noise = np.repeat(signs, 2) * np.resize([1, -1], 2 * signs.size)
    return 0.1 * noise * np.repeat(10 ** (np.array(levels_db) / 20), round(seconds * RATE))


def missing(reference_db, generated_db):
    sounds = (Signal(from_array(stepped(levels), RATE)) for levels in (reference_db, generated_db))
    return METRICS["missing_share"].measure(Pair(*sounds))


@pytest.mark.parametrize(
    ("reference_db", "generated_db", "share"),
    [
        ([0, 0, -10, 0], [0, 0, -39.2, 0], 0.0),  # 29.2 dB weaker
        ([0, 0, -10, 0], [0, 0, -40.8, 0], 1 / 4),
        ([0, 0, -39.2, 0], [0, 0, -100, 0], 1 / 4),  # still heard
        ([0, 0, -40.8, 0], [0, 0, -100, 0], 0.0),  # not heard, and not missed
        ([0, -20, -46, -20], [0, -80, -46, -20], 1 / 3),  # a share of what is heard
    ],
)
def test_the_share_of_what_is_heard_that_is_gone(reference_db, generated_db, share):
    found = missing(reference_db, generated_db)
    # A window is as long as 4 hops, and lies half over each end of a second: 2 frames of 86.
    assert found.value == pytest.approx(share, abs=0.02)


def test_the_longest_of_two_gaps_is_named():
    found = missing([0, 0, 0, 0, 0, 0, 0, 0], [0, -60, 0, 0, -60, -60, 0, 0])
    assert (found.detail["start_s"], found.detail["end_s"]) == pytest.approx((4.0, 6.0), abs=0.05)
    assert found.value == pytest.approx(3 / 8, abs=0.02)
