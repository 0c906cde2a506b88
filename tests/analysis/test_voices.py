"""Pitches of two voices that are drawn, and harmonics of sums of sines."""

import numpy as np
import pytest

from diagnose.analysis import Pair, Signal
from diagnose.analysis.voices import (
    FEWEST,
    FURTHEST_LAG,
    HARMONICS,
    HELD_FRAMES,
    MELODY,
    OCTAVE,
    SAME,
    SOUNDING,
    Voices,
)
from diagnose.audio import from_array

RATE = 16_000
HOP = 1024


def drawn(ours, theirs, signals=None):
    """Voices of pitches in Hz, frame by frame."""
    index = np.arange(len(ours))
    return Voices(signals, (np.float64(ours), np.float64(theirs)), HOP / RATE, (index, index))


def harmonic(hz, odd=1.0, even=1.0, frames=24):
    """Eight harmonics, the odd and the even ones each of a level."""
    time = np.arange((frames + 1) * HOP) / RATE
    parts = [(even if k % 2 == 0 else odd) * np.sin(2 * np.pi * hz * k * time + k) for k in range(1, 2 * HARMONICS + 1)]
    return Signal(from_array(np.float32(0.05 * sum(parts)), RATE))


STEADY = np.full(20, 200.0)


@pytest.mark.parametrize(("factor", "up", "down"), [(2.0, 20, 0), (0.5, 0, 20), (1.0, 0, 0), (3.0, 0, 0)])
def test_an_octave_is_twice_or_half(factor, up, down):
    voices = drawn(STEADY, factor * STEADY)
    assert (int(voices.octave_up.sum()), int(voices.octave_down.sum())) == (up, down)
    assert voices.octave_share == (up + down) / 20
    assert voices.same_share == (factor == 1)
    assert voices.octaves == pytest.approx(np.log2(factor))


@pytest.mark.parametrize(("factor", "is_octave"), [(0.8, True), (1.2, False)])
def test_an_octave_is_one_within_a_semitone(factor, is_octave):
    for sign in (-1, 1):
        theirs = STEADY * 2 ** (1 + sign * factor * OCTAVE)
        assert (drawn(STEADY, theirs).octave_share == 1) is is_octave
        assert (drawn(theirs, STEADY).octave_share == 1) is is_octave
    assert OCTAVE == 0.08


@pytest.mark.parametrize(("factor", "is_same"), [(0.8, True), (1.2, False)])
def test_a_pitch_is_the_same_within_72_cents(factor, is_same):
    assert (drawn(STEADY, STEADY * 2 ** (factor * SAME)).same_share == 1) is is_same
    assert SAME == 0.06


@pytest.mark.parametrize(("held", "counted"), [(1, 0), (2, 2), (3, 3)])
def test_an_octave_has_to_be_held_for_two_frames(held, counted):
    theirs = STEADY.copy()
    theirs[5 : 5 + held] *= 2
    theirs[12] /= 2
    voices = drawn(STEADY, theirs)
    assert voices.octave_share == counted / 20
    assert HELD_FRAMES == 2


def test_what_is_lost_and_gained_is_a_share_of_what_was_there():
    ours = np.where(np.arange(20) < 12, 200.0, 0.0)
    theirs = np.where((np.arange(20) >= 9) & (np.arange(20) < 14), 200.0, 0.0)
    voices = drawn(ours, theirs)
    assert voices.lost_share == 9 / 12
    assert voices.gained_share == 2 / 8
    assert voices.error_share == 11 / 20


@pytest.mark.parametrize(("voiced", "is_voice"), [(FEWEST - 1, False), (FEWEST, True)])
def test_a_voice_has_eight_frames(voiced, is_voice):
    f0 = np.where(np.arange(20) < voiced, 200.0, 0.0)
    voices = drawn(f0, 2 * f0)
    assert voices.has_voice is is_voice
    assert (voices.octave_share == 1) is is_voice
    assert FEWEST == 8


def test_without_a_frame_nothing_is_said():
    voices = drawn([], [])
    assert not voices.has_voice
    assert (voices.octave_share, voices.lost_share, voices.gained_share, voices.error_share) == (0, 0, 0, 0)
    assert (voices.rmse_cents, voices.spreads_cents) == (0.0, (0.0, 0.0))
    silent = drawn(np.zeros(20), np.zeros(20))
    assert (silent.rmse_cents, silent.spreads_cents, silent.same_share) == (0.0, (0.0, 0.0), 0.0)


# The melody


def melody(cents, frames=101):
    """Straight up by twice so many cents."""
    return 200 * 2 ** (np.linspace(-cents, cents, frames) / 1200)


@pytest.mark.parametrize(("ours", "theirs"), [(300.0, 300.0), (300.0, 90.0), (150.0, 0.0)])
def test_a_melody_moves_between_its_tenths(ours, theirs):
    found = drawn(melody(ours), melody(theirs)).spreads_cents
    assert found == (pytest.approx(0.8 * ours), pytest.approx(0.8 * theirs))


def test_what_two_melodies_are_apart_is_in_cents():
    assert drawn(melody(200), melody(200) * 2 ** (50 / 1200)).rmse_cents == pytest.approx(50)
    assert drawn(melody(300), melody(0)).rmse_cents == pytest.approx(300 / 3**0.5, rel=0.02)


@pytest.mark.parametrize(("factor", "counts"), [(0.85, True), (1.15, False)])
def test_a_pitch_seven_semitones_off_is_the_trackers_mistake(factor, counts):
    theirs = STEADY.copy()
    theirs[3:6] *= 2 ** (factor * MELODY)
    assert (drawn(STEADY, theirs).rmse_cents > 0) is counts
    assert MELODY == 0.6


# Late


@pytest.mark.parametrize("lag", [-FURTHEST_LAG, -3, 0, 5, FURTHEST_LAG])
def test_a_pitch_that_comes_late_is_late_by_its_frames(lag):
    ours = 200 * 2 ** np.random.default_rng(1).uniform(-0.5, 0.5, 80)
    assert drawn(ours, np.roll(ours, lag)).late == (lag, 1.0)
    assert FURTHEST_LAG == 12


def test_a_pitch_is_no_later_than_twelve_frames():
    ours = 200 * 2 ** np.random.default_rng(1).uniform(-0.5, 0.5, 80)
    assert drawn(ours, np.roll(ours, FURTHEST_LAG + 6)).late[1] < 0.4


def test_of_several_lags_that_fit_the_least_is_told():
    assert drawn(STEADY, STEADY).late == (0, 1.0)


# Harmonics and levels


def test_an_octave_up_takes_the_odd_harmonics_away():
    signals = harmonic(200.0), harmonic(200.0, odd=0.01)
    assert drawn(STEADY, 2 * STEADY, signals).harmonics_moved_db == pytest.approx(40, abs=1)


def test_an_octave_down_puts_harmonics_between():
    signals = harmonic(200.0, odd=0.01), harmonic(200.0)
    assert drawn(2 * STEADY, STEADY, signals).harmonics_moved_db == pytest.approx(40, abs=1)


def test_where_a_tracker_slips_no_harmonic_moves():
    signals = harmonic(200.0), harmonic(200.0)
    assert drawn(STEADY, 2 * STEADY, signals).harmonics_moved_db == pytest.approx(0, abs=0.1)
    assert drawn(2 * STEADY, STEADY, signals).harmonics_moved_db == pytest.approx(0, abs=0.1)
    assert drawn(STEADY, STEADY, signals).harmonics_moved_db == 0.0


def test_four_harmonics_of_each_kind_are_asked():
    """Of the ninth and the tenth, nothing is."""
    time = np.arange(25 * HOP) / RATE
    more = np.float32(0.05 * np.sin(2 * np.pi * 200 * 10 * time))
    signals = harmonic(200.0), Signal(from_array(harmonic(200.0).mono + more, RATE))
    assert abs(drawn(STEADY, 2 * STEADY, signals).harmonics_moved_db) < 0.1
    eighth = np.float32(0.05 * np.sin(2 * np.pi * 200 * 8 * time + 8))
    signals = harmonic(200.0), Signal(from_array(harmonic(200.0).mono + eighth, RATE))
    assert drawn(STEADY, 2 * STEADY, signals).harmonics_moved_db == pytest.approx(10 * np.log10(7 / 4), abs=0.2)


def noise(level=0.1, frames=24):
    return level * np.random.default_rng(2).standard_normal((frames + 1) * HOP)


def test_what_has_no_pitch_changes_by_its_level():
    f0 = np.where(np.arange(20) < 10, 200.0, 0.0)
    for factor, db in ((1.0, 0.0), (0.5, 6.02), (2.0, 6.02)):
        signals = [Signal(from_array(np.float32(side), RATE)) for side in (noise(), factor * noise())]
        assert drawn(f0, f0, signals).unvoiced_db == pytest.approx(db, abs=0.01)


@pytest.mark.parametrize(("unvoiced", "is_told"), [(FEWEST // 2 - 1, False), (FEWEST // 2, True)])
def test_four_frames_without_a_pitch_are_the_fewest(unvoiced, is_told):
    f0 = np.where(np.arange(20) < unvoiced, 0.0, 200.0)
    signals = [Signal(from_array(np.float32(noise()), RATE))] * 2
    assert (drawn(f0, f0, signals).unvoiced_db is not None) is is_told


@pytest.mark.parametrize(("db", "is_told"), [(-48.5, True), (-51.5, False)])
def test_what_lies_50_db_down_is_a_pause(db, is_told):
    f0 = np.where(np.arange(20) < 10, 0.0, 200.0)
    samples = noise()
    samples[: 11 * HOP] *= 10 ** (db / 20)
    samples[11 * HOP :] -= samples[11 * HOP :].mean()  # or the mean that is taken off is louder
    signals = [Signal(from_array(np.float32(samples), RATE))] * 2
    assert (drawn(f0, f0, signals).unvoiced_db is not None) is is_told
    assert pytest.approx(1e-5) == SOUNDING


def test_the_pitches_of_a_pair_lie_on_each_other():
    """The copy starts late: its pitches are those of the same moments."""
    time = np.arange(2 * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(200 + 60 * np.sin(2 * np.pi * 1.3 * time)) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 10)) / 4
    late = np.concatenate([np.zeros(4096), voice])
    voices = Pair(*(Signal(from_array(np.float32(side), RATE)) for side in (voice, late))).voices
    assert voices.has_voice
    assert voices.same_share == 1.0
    assert voices.hop_s == pytest.approx(HOP / RATE)
    assert voices.late[0] == 0


@pytest.mark.parametrize("frames", [0, 1, 6, 12])
def test_a_lag_is_no_longer_than_the_sound(frames):
    voices = drawn(np.full(frames, 200.0), np.full(frames, 200.0))
    assert voices.late[0] == 0
    assert not voices.is_late
