"""Readings at another speed, pitch or mel range: known shifts come out to a few cents."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.audio import Audio
from diagnose.causes.match import SLOTS, STEPS, Match, _shifted, best_shift, correlation, made_for_hz
from diagnose.faults import INJECTORS

RATE = 22050


@pytest.fixture(scope="module")
def match(melody, pair):
    return lambda theirs: Match(pair(melody, theirs))


@pytest.mark.parametrize("semitones", [-7, -1, 1, 4])
def test_a_melody_under_another_rate_is_stretched_and_shifted_by_one_factor(melody, semitones):
    ratio = 2 ** (semitones / 12)
    found = Match(pair_at_common_rate(melody, ratio))
    assert found.length_ratio == pytest.approx(1 / ratio, rel=1e-3)
    assert found.shifted_stretched.cents == pytest.approx(100 * semitones, abs=5)
    assert found.shifted_stretched.r > 0.9
    assert found.same_stretched < 0.7


def pair_at_common_rate(melody, ratio):
    from diagnose.analysis import Signal
    from diagnose.comparison import judge_pair
    from diagnose.profile import default_profile

    faster = Audio(melody.samples, round(ratio * melody.rate))
    return judge_pair((Signal(melody), Signal(faster)), default_profile()).pair


@pytest.mark.parametrize("cents", [-320.0, 70.0, 240.0])
def test_a_shift_in_pitch_is_found_to_five_cents(melody, match, cents):
    found = match(INJECTORS["pitch_up"].break_by(melody, cents, None))
    assert found.shifted.cents == pytest.approx(cents, abs=5)
    assert found.shifted.r > 0.9
    assert found.length_ratio == 1


@pytest.mark.parametrize("factor", [0.7, 1.4])
def test_a_stretched_melody_fits_once_it_is_laid_on_its_whole_length(melody, match, factor):
    found = match(INJECTORS["slower"].break_by(melody, factor, None))
    assert found.same_stretched > 0.97
    assert found.same > 0.95  # along the warp
    assert found.shifted_stretched.cents == pytest.approx(0, abs=3)


def test_backwards_fits_backwards(melody, match):
    found = match(melody.mono[::-1].copy())
    assert found.reversed_r > 0.97
    assert found.same < 0.6
    assert found.average > 0.97


def test_the_same_fits_in_every_reading_but_backwards(melody, match):
    found = match(3 * melody.mono + np.float32(0.1))
    assert (found.same, found.same_stretched, found.average) == pytest.approx((1, 1, 1), abs=1e-6)
    assert (found.shifted.cents, found.shifted_stretched.cents) == pytest.approx((0, 0), abs=1e-6)
    assert found.warped.scale == pytest.approx(1, abs=0.01)
    assert found.reversed_r < 0.5


@pytest.mark.parametrize("fmax", [8800.0, 9900.0, 11_025.0])
def test_a_mel_in_another_range_tells_its_fmax(melody, match, rng, fmax):
    warp = match(INJECTORS["mel_fmax"].break_by(melody, fmax, rng)).warped
    assert warp.name == "fmax"
    assert made_for_hz(warp.scale) == pytest.approx(fmax, rel=0.02)


def test_a_mel_by_htk_read_as_slaney_is_named(clues):
    assert clues("mel_htk").match.warped.name == "htk read as slaney"


@pytest.mark.parametrize("fmax", [6000.0, 8000.0, 11_025.0])
def test_the_factor_of_the_mel_axis_is_the_quotient_of_the_ends(fmax):
    def mels(hz):  # Slaney's: linear to 1 kHz, then 27 a factor of 6.4
        return 15 + 27 * np.log(hz / 1000) / np.log(6.4)

    assert made_for_hz(mels(8000.0) / mels(fmax)) == pytest.approx(fmax)


# The parts


def picture(rng, columns=120):
    """Levels [shape=(slots, columns)] with bumps: something to recognise."""
    places = np.arange(columns)
    centres, heights = rng.uniform(10, columns - 10, (8, SLOTS)), rng.uniform(10, 40, (8, SLOTS))
    return (heights[..., None] * np.exp(-((places - centres[..., None]) ** 2) / 18)).sum(axis=0)


@pytest.mark.parametrize("steps", [-20, -3, 0, 1, 17])
def test_a_picture_moved_by_whole_steps_fits_there_exactly(rng, steps):
    wide = picture(rng, 200)
    shift = best_shift(wide[:, 40:160], wide[:, 40 - steps : 160 - steps])
    assert shift.cents == pytest.approx(steps * 1200 / STEPS, abs=1)
    assert shift.r == pytest.approx(1, abs=1e-6)


@settings(max_examples=20)
@given(seed=st.integers(0, 999), columns=st.integers(30, 70), offset=st.floats(-100, 100))
def test_every_shift_scores_as_pearson_s_r_of_the_overlap(seed, columns, offset):
    rng = np.random.default_rng(seed)
    ours, theirs = rng.standard_normal((5, columns)) + offset, rng.standard_normal((5, columns))
    scores = _shifted(ours, theirs, 10)
    for steps, score in zip(range(-10, 11), scores, strict=True):
        a = ours[:, max(-steps, 0) : columns - max(steps, 0)]
        b = theirs[:, max(steps, 0) : columns + min(steps, 0)]
        assert score == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1], abs=1e-9)


def test_correlation_is_numpy_s_and_0_where_one_is_flat(rng):
    a, b = rng.standard_normal((2, 4, 9))
    assert correlation(a, b) == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1])
    assert correlation(a, np.full_like(a, 3.0)) == 0
    assert correlation(a, -2 * a + 1) == pytest.approx(-1)
