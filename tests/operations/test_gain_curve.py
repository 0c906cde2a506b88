"""Gains that change with time: those that repeat are read with their period and depth, slow ones with their range."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.operations.gain_curve import periodic_gain, slow_gain, swallows_quiet

RATE = 16_000


def wave(size, period, depth, phase=0.0):
    return 1 + depth * np.cos(2 * np.pi * np.arange(size) / period + phase)


def depth_of(gains):
    return 20 * np.log10(gains.max() / gains.min())


def is_multiple(found, period, tolerance):
    times = found / period
    return round(times) in (1, 2, 3, 4) and times / round(times) == pytest.approx(1, rel=tolerance)


@pytest.mark.parametrize(("period", "depth"), [(256, 0.3), (128, 0.6), (512, 0.15)])
def test_a_gain_that_repeats_is_read_with_its_period_and_depth(chords, asked, over_db, off_db, beside, period, depth):
    gains = wave(chords.size, period, depth, 1.0)
    broken = beside(gains * chords)
    found = asked(periodic_gain, chords, broken)
    assert found.id == "frame-rate-tremolo"
    assert is_multiple(found.parameters["period"][0] * RATE, period, 1e-3)
    assert found.parameters["depth"][0] == pytest.approx(depth_of(gains), abs=0.2)
    if beside.name != "noise":
        assert over_db(chords, broken, found) < 1
    assert off_db(found.undo(broken), chords) < -40


@settings(max_examples=12)
@given(st.sampled_from([64, 128, 256, 512]), st.floats(0.15, 0.7), st.floats(0.0, 6.28))
def test_in_noise_a_period_of_a_power_of_two_is_read_and_undone(white, asked, off_db, period, depth, phase):
    gains = wave(white.size, period, depth, phase)
    found = asked(periodic_gain, white, gains * white)
    assert found.parameters["period"][0] * RATE == pytest.approx(period, rel=1e-4)
    assert found.parameters["depth"][0] == pytest.approx(depth_of(gains[:period]), abs=0.1)
    assert off_db(found.undo(gains * white), white) < -45


@pytest.mark.parametrize("period", [160, 200, 300])
def test_a_gain_of_each_sample_of_a_period_is_read_exactly(white, asked, period):
    """Each sample has a gain of its own: drawn, not smooth."""
    gains = np.resize(np.random.default_rng(period).uniform(0.2, 1.0, period), white.size)
    found = asked(periodic_gain, white, gains * white)
    assert found.parameters["period"][0] * RATE == pytest.approx(period, rel=1e-9)
    assert np.abs(found.undo(gains * white) - white).max() < 1e-4


def test_a_period_is_not_read_as_three_of_it(chords, asked):
    found = asked(periodic_gain, chords, wave(chords.size, 160, 0.9) * chords)
    assert found.parameters["period"][0] == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("period", [185.76, 441.3])
def test_in_noise_a_period_between_samples_is_read_but_for_a_thousandth(white, asked, period):
    found = asked(periodic_gain, white, wave(white.size, period, 0.5) * white)
    assert is_multiple(found.parameters["period"][0] * RATE, period, 2e-3)


def test_a_period_of_64_ms_is_that_of_a_frame(chords, asked):
    assert asked(periodic_gain, chords, wave(chords.size, 1024, 0.3, 1.0) * chords).id == "frame-rate-tremolo"


@pytest.mark.xfail(strict=True, reason="the period of a line is read once, by a parabola, and is not made finer")
@pytest.mark.parametrize("period", [185.76, 441.3])
def test_of_a_period_between_samples_nothing_is_left(chords, asked, over_db, period):
    broken = wave(chords.size, period, 0.5) * chords
    assert over_db(chords, broken, asked(periodic_gain, chords, broken)) < 1


@pytest.mark.parametrize("depth", [0.04, 0.05])
def test_a_shallow_wave_is_no_seam(white, asked, depth):
    assert asked(periodic_gain, white, wave(white.size, 256, depth) * white).id == "frame-rate-tremolo"


def faded(size, period, length):
    """Chunks of a period, each with straight fades from 0 and to 0 of a length."""
    rising = (np.arange(length) + 0.5) / length
    return np.resize(np.concatenate((rising, np.ones(period - 2 * length), rising[::-1])), size)


@pytest.mark.parametrize(("period", "length"), [(2048, 100), (4000, 150)])
def test_edges_of_chunks_are_seams_with_about_their_period(white, asked, period, length):
    found = asked(periodic_gain, white, faded(white.size, period, length) * white)
    assert found.id == "chunk-seams"
    assert is_multiple(found.parameters["period"][0] * RATE, period, 5e-3)


def test_edges_of_2400_samples_are_seams_with_their_period_and_depth(white, asked):
    found = asked(periodic_gain, white, faded(white.size, 2400, 200) * white)
    assert is_multiple(found.parameters["period"][0] * RATE, 2400, 5e-3)
    assert found.parameters["depth"][0] > 20


@pytest.mark.xfail(strict=True, reason="read as 4019.5 samples: by the highest line, by a parabola")
def test_edges_of_chunks_are_seams_with_their_very_period(white, asked):
    found = asked(periodic_gain, white, faded(white.size, 4000, 150) * white)
    assert is_multiple(found.parameters["period"][0] * RATE, 4000, 1e-3)


@pytest.mark.parametrize(("share", "name"), [(0.55, "frame-rate-tremolo"), (0.68, "chunk-seams")])
def test_seams_leave_three_fifths_as_they_are(white, asked, share, name):
    gains = np.where(np.arange(white.size) % 256 < 256 * share, 1.0, 0.5)
    assert asked(periodic_gain, white, gains * white).id == name


@pytest.mark.parametrize(("low", "name"), [(0.93, "frame-rate-tremolo"), (0.97, "chunk-seams")])
def test_what_is_softer_than_nine_tenths_of_the_way_from_the_least_is_not_as_it_was(white, asked, low, name):
    """The least is a half, so that the border lies at 0.95."""
    gains = np.resize(np.repeat([1.0, low, 0.5], [100, 100, 56]), white.size)
    assert asked(periodic_gain, white, gains * white).id == name


@pytest.mark.parametrize(("period", "name"), [(1280, "frame-rate-tremolo"), (2100, "modulation")])
def test_a_period_of_more_than_a_tenth_of_a_second_is_no_frame(white, asked, period, name):
    long = np.tile(white, 5) * wave(5 * white.size, 6007, 0.01)
    found = asked(periodic_gain, long, wave(long.size, period, 0.4) * long)
    assert found.id == name
    assert found.parameters["period"][0] * RATE == pytest.approx(period, rel=1e-2)


@pytest.mark.parametrize(("depth_db", "is_read"), [(0.4, False), (0.6, True)])
def test_half_a_decibel_is_a_depth(white, asked, depth_db, is_read):
    ratio = 10 ** (depth_db / 20)
    gains = wave(white.size, 256, (ratio - 1) / (ratio + 1))
    assert (asked(periodic_gain, white, gains * white) is not None) is is_read


@pytest.mark.parametrize(("period", "is_read"), [(20, False), (32, True)])
def test_a_period_has_24_samples(white, asked, period, is_read):
    found = asked(periodic_gain, white, wave(white.size, period, 0.5) * white)
    assert (found is not None and is_multiple(found.parameters["period"][0] * RATE, period, 1e-2)) is is_read


@pytest.mark.parametrize(
    ("count", "is_read"),
    [
        (4, False),
        (6, False),
        (10, True),
    ],
)
def test_twice_four_periods_are_the_fewest(white, asked, count, is_read):
    gains = wave(white.size, white.size / count, 0.5)
    assert (asked(periodic_gain, white, gains * white) is not None) is is_read


def test_what_is_nearly_gone_is_not_made_louder_than_ten_times(white, asked):
    gains = np.where(np.arange(white.size) % 256 < 200, 1.0, 0.02)
    found = asked(periodic_gain, white, gains * white)
    assert found.undo(np.ones(256)).max() == pytest.approx(10, rel=1e-3)
    assert found.undo(np.ones(256)).min() == pytest.approx(1, rel=1e-3)


def test_other_faults_do_not_repeat(chords, asked, others):
    """But for what is clipped where the sound is loud, whose bars repeat."""
    assert {name for name, broken in others.items() if asked(periodic_gain, chords, broken)} <= {"clipping"}


CURVES = {
    "a fade": lambda t: 1 - 0.4 * t,
    "a swell": lambda t: 10 ** (0.2 * np.sin(2 * np.pi * 1.1 * t)),
    "levels": lambda t: np.interp(t, [0, 0.5, 0.6, 1.2, 1.3, 2], [1, 1, 0.5, 0.5, 0.8, 0.8]),
}


@pytest.mark.parametrize("name", CURVES)
def test_a_slow_gain_is_read_with_its_range_and_undone(chords, asked, over_db, off_db, beside, name):
    gains = CURVES[name](np.arange(chords.size) / RATE)
    broken = beside(gains * chords)
    found = asked(slow_gain, chords, broken)
    assert found.id == "modulation"
    wanted = 20 * np.log10(np.quantile(gains, 0.95) / np.quantile(gains, 0.05))
    assert found.parameters["range"][0] == pytest.approx(wanted, abs=0.7)
    if beside.name != "noise":
        assert over_db(chords, broken, found) < 1
    assert off_db(found.undo(broken), chords) < -35


@pytest.mark.parametrize(("range_db", "is_read"), [(0.4, False), (0.7, True)])
def test_a_slow_gain_moves_by_half_a_decibel(white, asked, range_db, is_read):
    """A straight line in dB, of which nine tenths lie between the quantiles."""
    gains = 10 ** (np.linspace(-0.5, 0.5, white.size) * range_db / 0.9 / 20)
    assert (asked(slow_gain, white, gains * white) is not None) is is_read


@pytest.mark.parametrize(("seconds", "is_read"), [(0.035, False), (0.055, True)])
def test_a_slow_gain_has_four_knots(white, asked, seconds, is_read):
    part = white[: round(seconds * RATE)]
    gains = np.linspace(1, 0.1, part.size)
    assert (asked(slow_gain, part, gains * part) is not None) is is_read


@pytest.mark.parametrize(("gain", "name"), [(0.2, "gated"), (0.42, "modulation")])
def test_a_gate_that_is_shut_lets_less_than_three_tenths_through(white, asked, gain, name):
    """A fifth of a second loud, a fifth soft, ten times: the soft parts are made softer."""
    loud = np.arange(white.size) // 3200 % 2 == 0
    sound = white * np.where(loud, 1.0, 0.2)
    assert asked(slow_gain, sound, sound * np.where(loud, 1.0, gain)).id == name


def shut_below(count=1000, border=0.5, left_open=0.0, louder_shut=0.0):
    """Levels from 0 to 1, evenly, shut under a border; of these a share is left open, and of the louder shut."""
    level = (np.arange(count) + 1) / count
    draw = np.random.default_rng(0).permutation(count) / count
    return level, np.where(level < border, draw >= left_open, draw < louder_shut)


def test_a_gate_swallows_the_soft_and_chance_does_not():
    assert swallows_quiet(*shut_below())
    level, shut = shut_below()
    assert not swallows_quiet(level, ~shut)
    assert not swallows_quiet(level, np.random.default_rng(1).uniform(size=level.size) < 0.5)


@pytest.mark.parametrize(("left_open", "is_gate"), [(0.3, True), (0.5, False)])
def test_most_of_what_is_soft_is_shut(left_open, is_gate):
    """Three fifths of what is under the border."""
    assert swallows_quiet(*shut_below(left_open=left_open)) is is_gate


@pytest.mark.parametrize(("border", "is_gate"), [(0.02, False), (0.045, True), (0.65, True), (0.87, False)])
def test_a_gate_shuts_some_and_leaves_a_quarter(border, is_gate):
    assert swallows_quiet(*shut_below(border=border)) is is_gate


def test_what_does_not_sound_says_nothing_of_a_gate():
    """QUIET is a power, of 1e-5: 50 dB under the loudest."""
    level, shut = shut_below()
    quiet = np.full(4000, 2e-3), np.zeros(4000, bool)
    heard = np.full(4000, 5e-3), np.zeros(4000, bool)
    assert swallows_quiet(np.append(level, quiet[0]), np.append(shut, quiet[1]))
    assert not swallows_quiet(np.append(level, heard[0]), np.append(shut, heard[1]))


@pytest.mark.parametrize("operation", [periodic_gain, slow_gain])
def test_what_is_hardly_a_sound_crashes_nothing(asked, hardly, operation):
    found = asked(operation, *hardly)
    if found is not None:
        assert np.isfinite(found.apply(hardly[0].astype(float))).all()
        assert np.isfinite(found.undo(hardly[1].astype(float))).all()
