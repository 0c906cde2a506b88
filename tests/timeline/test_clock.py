import numpy as np
import pytest
import timeline_edits as make
from hypothesis import given
from hypothesis import strategies as st

from diagnose.timeline.clock import (
    LEAST_FRACTION,
    MOST_DRIFT,
    MOVED,
    SHORTEST_S,
    WHOLE,
    Clock,
    on_clock,
    read,
    shifted,
)
from diagnose.timeline.path import Run

RATE = 8000
SECONDS = 4


def one_run(reference, generated, delay=0):
    return [Run(0, generated.size, delay).within(reference.size)]


def moved_by(sound, delay):
    """generated(t + delay) = reference(t), as long."""
    return make.delay_by(sound, delay, RATE).generated


def drifted(sound, ppm):
    return make.drift_by(sound, ppm).generated


@pytest.mark.parametrize("gain", [1.0, -0.2])
@pytest.mark.parametrize("delay", [-0.5, -0.25, 0.1, 0.25, 0.5, 0.75, 3.25, -7.4])
def test_the_fraction_of_a_delay_is_read(low, gain, delay):
    sound = low(SECONDS * RATE)
    generated = np.float32(gain) * moved_by(sound, delay)
    found = read(sound, generated, RATE, one_run(sound, generated, round(delay)))
    assert found.delay == pytest.approx(delay, abs=0.02)
    assert (found.drift, found.fraction) == (0.0, True)


@pytest.mark.parametrize("delay", [0.25, 0.5])
@pytest.mark.parametrize("off", [-20, -3, 4, 20])
def test_a_delay_is_read_where_the_run_is_a_few_samples_off(low, delay, off):
    sound = low(SECONDS * RATE)
    generated = moved_by(sound, delay)
    assert read(sound, generated, RATE, one_run(sound, generated, off)).delay == pytest.approx(delay, abs=0.02)


def test_a_delay_is_not_read_where_the_run_is_far_off(low):
    sound = low(SECONDS * RATE)
    assert read(sound, sound, RATE, one_run(sound, sound, 500)) is None


@pytest.mark.parametrize("seconds", [0.05, 0.2, 1.0])
def test_a_short_sound_has_a_fraction_too(low, seconds):
    sound = low(RATE)
    generated = moved_by(sound, 0.25)
    part = slice(1000, 1000 + round(seconds * RATE))
    found = read(sound[part], generated[part], RATE, one_run(sound[part], generated[part]))
    assert found.delay == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("hz", [20, 50, 100])  # a period is longer than what is looked at on either side
def test_a_tone_has_a_fraction_too(hz):
    time = np.arange(SECONDS * RATE) / RATE
    sound, late = (np.sin(2 * np.pi * hz * (time - delay / RATE)).astype(np.float32) for delay in (0, 0.5))
    assert read(sound, late, RATE, one_run(sound, late)).delay == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("delay", "whole"), [(0.6 * WHOLE, True), (2 * WHOLE, False), (-2 * WHOLE, False)])
def test_a_delay_that_is_all_but_whole_is_whole(low, delay, whole):
    sound = low(SECONDS * RATE)
    generated = moved_by(sound, delay)
    found = read(sound, generated, RATE, one_run(sound, generated)).delay
    assert (found == 0.0) == whole
    assert found == pytest.approx(0.0 if whole else delay, abs=0.002)


@pytest.mark.parametrize(("delay", "told"), [(LEAST_FRACTION - 0.005, False), (LEAST_FRACTION + 0.005, True)])
def test_a_small_fraction_cannot_be_told_from_none(low, delay, told):
    sound = low(SECONDS * RATE)
    generated = moved_by(sound, delay)
    assert read(sound, generated, RATE, one_run(sound, generated)).fraction == told


@pytest.mark.parametrize(("noise", "shows"), [(0.0, True), (0.02, True), (2.0, False)])
def test_a_fraction_is_worth_its_while_where_it_takes_half_off_what_is_left_over(low, white, noise, shows):
    sound = low(SECONDS * RATE)
    generated = moved_by(sound, 0.25) + np.float32(noise) * white(sound.size, 5) * np.float32(0.4)
    assert read(sound, generated, RATE, one_run(sound, generated)).fraction == shows


@pytest.mark.parametrize("gain", [1.0, -0.2])
@pytest.mark.parametrize("ppm", [-200, -100, -20, 20, 50, 200])
def test_a_drift_is_read(low, gain, ppm):
    sound = low(SECONDS * RATE)
    generated = np.float32(gain) * drifted(sound, ppm)
    found = read(sound, generated, RATE, one_run(sound, generated))
    assert 1e6 * found.drift / (1 - found.drift) == pytest.approx(ppm, abs=2)
    assert found.delay == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("factor", [0.85, 1.15])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_delay_drifts_that_moves_by_a_third_of_a_sample(low, factor, sign):
    sound = low(SECONDS * RATE)
    between = (SECONDS - 0.25) * RATE  # the middles of the first and the last block
    generated = drifted(sound, sign * 1e6 * factor * MOVED / between)
    assert (read(sound, generated, RATE, one_run(sound, generated)).drift != 0) == (factor > 1)


def stairs(generated, length, slope):
    """Runs of whole samples along a line."""
    size = 4000  # a block fits in
    delays = np.round(slope * np.arange(0, generated.size, size)).astype(int).tolist()
    runs = [Run(size * i, min(size * i + size, generated.size), delay) for i, delay in enumerate(delays)]
    return [run for each in runs if (run := each.within(length)).end > run.start]


@pytest.mark.parametrize(("ppm", "read_as_drift"), [(1900, True), (-1900, True), (2100, False), (-2100, False)])
def test_beyond_2000_ppm_it_is_another_rate(low, ppm, read_as_drift):
    assert MOST_DRIFT == 0.002
    sound = low(SECONDS * RATE, 0.05)
    generated = drifted(sound, ppm)
    found = read(sound, generated, RATE, stairs(generated, sound.size, 1e-6 * ppm))
    assert (found is not None and found.drift != 0) == read_as_drift
    if read_as_drift:
        assert 1e6 * found.drift / (1 - found.drift) == pytest.approx(ppm, abs=20)


@pytest.mark.parametrize(("seconds", "said"), [(SHORTEST_S - 0.3, False), (SHORTEST_S + 0.1, True)])
def test_no_drift_is_said_of_less_than_two_seconds(low, seconds, said):
    sound = low(round(seconds * RATE))
    generated = drifted(sound, 200)
    found = read(sound, generated, RATE, one_run(sound, generated))
    assert (found is not None and found.drift != 0) == said


def test_delays_that_jump_have_no_clock(white):
    sound = white(SECONDS * RATE)
    generated = np.concatenate([sound[:16000], sound[16400:]])
    runs = [Run(0, 16000, 0), Run(16000, generated.size, -400)]
    assert read(sound, generated, RATE, runs) is None


def test_nothing_has_no_clock(white):
    sound, nothing = white(RATE), np.zeros(RATE, np.float32)
    assert read(sound, sound, RATE, []) is None
    assert read(nothing, nothing, RATE, [Run(0, RATE, 0)]) is None
    assert read(sound, nothing, RATE, [Run(0, RATE, 0)]) is None
    assert read(sound, white(RATE, 9), RATE, [Run(0, RATE, 0)]) is None
    assert read(sound[:60], sound[:60], RATE, [Run(0, 60, 0)]) is None  # too short to be looked around in


@pytest.mark.parametrize("hz", [100, 1000, 3000])
@pytest.mark.parametrize("later", [-0.5, -0.25, 0.3, 0.5])
def test_a_tone_is_shifted_as_its_formula_says(hz, later):
    time = np.arange(RATE) / RATE
    window = np.hanning(RATE)
    sound = (window * np.sin(2 * np.pi * hz * time)).astype(np.float32)
    moved = np.interp(np.arange(RATE) - later, np.arange(RATE), window)
    expected = moved * np.sin(2 * np.pi * hz * (time - later / RATE))
    assert shifted(sound, later) == pytest.approx(expected, abs=1e-5)


@given(st.integers(1, 500), st.floats(-0.5, 0.5))
def test_what_is_shifted_is_as_long_and_as_loud(white, size, later):
    sound = np.pad(white(size), 200)
    found = shifted(sound, later)
    assert (found.size, found.dtype) == (sound.size, np.float32)
    assert found.sum() == pytest.approx(sound.sum(), abs=0.05)
    assert np.square(found).sum() <= np.square(sound).sum() * (1 + 1e-4) + 1e-9


def test_what_needs_no_shift_is_what_it_was(white):
    sound = white(100)
    assert shifted(sound, 0.0) is sound
    assert on_clock(sound, Clock(7.0)) is sound


@pytest.mark.parametrize("delay", [0.25, -0.4, 2.5, -3.25])
def test_on_its_clock_a_copy_has_a_whole_delay(low, delay):
    sound = low(RATE)
    whole = round(delay)
    generated = on_clock(moved_by(sound, delay), Clock(delay))
    inside = slice(200, -200)
    assert np.roll(generated, -whole)[inside] == pytest.approx(sound[inside], abs=2e-3)


@pytest.mark.parametrize("ppm", [-1000, -200, 20, 200])
def test_on_its_clock_a_copy_has_no_drift(low, ppm):
    sound = low(SECONDS * RATE)
    drift = 1 - 1 / (1 + 1e-6 * ppm)
    generated = on_clock(drifted(sound, ppm), Clock(0.0, drift))
    assert generated.size == pytest.approx(sound.size, abs=2)
    inside = slice(400, sound.size - 400)
    off = generated[inside] - sound[inside]
    assert np.sqrt(np.square(off).mean()) < 0.002 * np.sqrt(np.square(sound).mean())


@pytest.mark.parametrize("ppm", [20.0, 200.0, -200.0])
def test_read_again_on_its_own_clock_a_drift_is_right_to_a_hundredth(low, timeline, ppm):
    reference = low(5 * RATE)
    assert timeline(reference, make.drift_by(reference, ppm).generated).drift_ppm == pytest.approx(ppm, abs=0.01)
