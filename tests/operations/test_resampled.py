"""A lower rate without a filter: zeros, held samples, straight lines and folding are read with their factor."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import signal

from diagnose.operations.resampled import FOLDED, RATES, WHOLE, Lattice, aliased

RATE = 16_000
ROUNDING = 1.6 / 32768  # what the module takes for rounding; a literal, for that may move
FACTORS = (2, 3, 4, 8)


def lowered(sound, factor, filtered=False):
    """The sound at a lower rate: each so many samples of it, or an ideal filter's (scipy)."""
    return signal.resample(sound, sound.size // factor) if filtered else sound[::factor]


def held(old, factor):
    return np.repeat(old, factor)


def stuffed(old, factor):
    made = np.zeros(old.size * factor)
    made[::factor] = old
    return made


def lined(old, factor):
    return np.interp(np.arange(old.size * factor), np.arange(old.size) * factor, old)


RAISED = {"held": held, "stuffed": stuffed, "lined": lined}


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("raising", RAISED)
def test_what_stands_between_the_samples_is_read_with_its_factor(chords, asked, over_db, beside, raising, factor):
    broken = beside(RAISED[raising](lowered(chords, factor), factor))
    found = asked(aliased, chords, broken)
    if beside.name == "noise":  # then nothing between is 0 any more
        assert found is None
        return
    assert found.id == "aliasing"
    assert found.parameters[raising][0] == factor
    assert found.parameters["rate"][0] == pytest.approx(RATE / factor)
    assert over_db(chords, broken, found) < 1


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("raising", ["held", "stuffed"])
def test_undone_it_is_what_an_ideal_filter_makes_of_the_reference(chords, asked, off_db, raising, factor):
    ideal = signal.resample(lowered(chords, factor, filtered=True), chords.size)
    broken = RAISED[raising](lowered(chords, factor, filtered=True), factor)
    found = asked(aliased, chords, broken)
    assert found.parameters[raising][0] == factor
    assert off_db(found.undo(0.7 * broken), 0.7 * ideal) < -35


@pytest.mark.parametrize("factor", FACTORS)
def test_folding_is_read_by_what_lay_above(chords, asked, over_db, beside, factor):
    broken = beside(signal.resample(lowered(chords, factor), chords.size))
    found = asked(aliased, chords, broken)
    if beside.name == "noise":
        return
    assert found.parameters["folded"][0] == factor
    assert over_db(chords, broken, found) < 1


@pytest.mark.parametrize("factor", FACTORS)
def test_a_lower_rate_through_a_filter_folds_nothing(chords, asked, factor):
    assert asked(aliased, chords, signal.resample(lowered(chords, factor, filtered=True), chords.size)) is None


@pytest.mark.parametrize("old", RATES)
@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 48_000])
def test_held_samples_of_another_usual_rate_are_read(white, asked, rate, old):
    factor = Fraction(rate, old)
    if not 5 / 3 < factor <= 16 or factor.numerator > 512:
        return
    place = np.floor(np.arange(white.size) / float(factor) + 1e-9)
    broken = white[np.rint(place * float(factor)).astype(int)]
    found = asked(aliased, white, broken, rate)
    assert found.parameters["held"][0] == pytest.approx(float(factor))
    assert np.square(found.apply(np.float32(white).astype(float)) - broken).sum() < 0.03 * np.square(broken).sum()


@pytest.mark.parametrize("factor", [2, 16])
def test_whole_factors_are_known_from_2_to_16(white, asked, factor):
    sound = white[: white.size // factor * factor]
    assert asked(aliased, sound, held(lowered(sound, factor), factor)).parameters["held"][0] == factor
    assert list(WHOLE) == list(range(2, 17))


def test_a_factor_of_17_is_not_read_as_another(white, asked):
    sound = white[: white.size // 17 * 17]
    assert asked(aliased, sound, held(lowered(sound, 17), 17)) is None


@pytest.mark.parametrize(("rate", "old", "known"), [(44_100, 16_000, True), (48_000, 11_025, False)])
def test_a_lattice_is_sought_up_to_a_numerator_of_512(white, asked, rate, old, known):
    """441 / 160 and 640 / 147 new samples an old one."""
    factor = Fraction(rate, old)
    broken = white[np.rint(np.floor(np.arange(white.size) / float(factor) + 1e-9) * float(factor)).astype(int)]
    assert (asked(aliased, white, broken, rate) is not None) is known


@pytest.mark.parametrize("sixteenths", [1, 3, 8, 13])
def test_a_lattice_between_samples_is_sought_in_sixteenths(white, asked, sixteenths):
    lattice = Lattice(Fraction(441, 160), sixteenths / 16)
    owners = lattice.owners(white.size)
    broken = white[np.clip(np.rint(lattice.times(white.size)[owners - owners[0]]).astype(int), 0, None)]
    assert asked(aliased, white, broken, 44_100).parameters["held"][0] == pytest.approx(2.75625)


def test_a_lattice_has_its_old_samples_where_it_says():
    lattice = Lattice(Fraction(4), 0.25)  # old sample m from n >= 4 m - 1 on
    assert lattice.owners(10).tolist() == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2]
    assert lattice.knots(10).tolist() == [0, 3, 7]
    assert lattice.times(10).tolist() == [-1.0, 3.0, 7.0]


@pytest.mark.parametrize(("times", "is_read"), [(50, False), (70, True)])
def test_a_sound_has_to_move_by_60_times_rounding_to_say_anything(asked, times, is_read):
    steps = held(times * ROUNDING / 2 * (-1.0) ** np.arange(2000), 4)
    assert (asked(aliased, steps, steps) is not None) is is_read


@pytest.mark.parametrize(("most", "is_read"), [(3, True), (4, False)])
def test_two_that_are_held_may_differ_by_three_steps_of_16_bits(rng, asked, most, is_read):
    sound = held(0.2 * rng.standard_normal(4000), 4)
    dithered = np.rint(32768 * sound) + rng.integers(0, most + 1, sound.size)
    assert (asked(aliased, sound, dithered / 32768) is not None) is is_read


@pytest.mark.parametrize(("windows", "is_read"), [(3, False), (5, True)])
def test_256_samples_about_moving_ones_have_to_say_something(asked, windows, is_read):
    """In each 64 samples one step is large, and the others are of 10 times rounding."""
    sound = np.zeros(8000)
    small = 10 * ROUNDING * (-1.0) ** np.arange(16 * windows) / 2
    large = np.repeat(100 * ROUNDING * (-1.0) ** np.arange(windows) / 2, 16)
    sound[: 64 * windows] = held(small + large, 4)
    assert (asked(aliased, sound, sound) is not None) is is_read


@pytest.mark.parametrize(("share", "is_read"), [(0.033, True), (0.052, False)])
def test_97_percent_of_what_lies_between_has_to_agree(rng, asked, share, is_read):
    """At so many of the samples between, three in four, a small offset comes or goes; some old samples are alike."""
    old = 0.2 * rng.standard_normal(8000)
    old[::10] = old[1::10]
    sound = held(old, 4)
    off = (rng.uniform(size=sound.size) < share) & (np.arange(sound.size) % 4 > 0)
    bent = sound + 5e-4 * (np.cumsum(off) % 2)
    changed = (np.abs(np.diff(bent, prepend=0)) > ROUNDING)[np.arange(bent.size) % 4 > 0].mean()
    assert changed == pytest.approx(share, rel=0.1)
    assert (asked(aliased, sound, bent) is not None) is is_read


def two_tones(above):
    """A tone at 1 kHz and one at 5 kHz, of so many times its power, which folds to 3 kHz at half the rate."""
    time = np.arange(2 * RATE) / RATE
    return 0.3 * np.sin(2 * np.pi * 1000 * time) + 0.3 * above**0.5 * np.sin(2 * np.pi * 5000 * time)


def folded(sound):
    return signal.resample(sound[::2], sound.size)


@pytest.mark.parametrize(("times", "is_read"), [(0.7, False), (1.4, True)])
def test_there_has_to_be_something_to_fold(asked, times, is_read):
    sound = two_tones(times * 1e-4)
    assert pytest.approx(1e-4) == FOLDED
    assert (asked(aliased, sound, folded(sound)) is not None) is is_read


@pytest.mark.parametrize(("times", "is_read"), [(0.7, True), (1.4, False)])
def test_what_comes_from_above_half_the_lower_rate_has_a_hundred_thousandth_of_the_power(asked, times, is_read):
    sound = two_tones(0.3)
    time = np.arange(sound.size) / RATE
    power = np.square(folded(sound)).mean()
    leak = (2 * times * 1e-5 * power) ** 0.5 * np.sin(2 * np.pi * 6500 * time)
    assert (asked(aliased, sound, folded(sound) + leak) is not None) is is_read


@pytest.mark.parametrize(("part", "is_read"), [(0.55, False), (0.62, True)])
def test_what_was_folded_has_to_leave_half_of_what_a_filter_leaves(asked, part, is_read):
    """Of the folded tone a part c is there: fold leaves (1 - c)**2 of it, a filter c**2: 0.67 and 0.38 times."""
    sound = two_tones(0.3)
    image = folded(sound - two_tones(0.0))
    assert (asked(aliased, sound, folded(two_tones(0.0)) + part * image) is not None) is is_read


@pytest.mark.parametrize(("share", "is_read"), [(0.075, True), (0.13, False)])
def test_a_tenth_of_the_power_may_be_left(asked, share, is_read):
    sound = two_tones(1.0)
    broken = folded(sound)
    other = np.sin(2 * np.pi * 1700 * np.arange(sound.size) / RATE)
    other *= (np.square(broken).sum() / np.square(other).sum() * share / (1 - share)) ** 0.5
    assert (asked(aliased, sound, broken + other) is not None) is is_read


def test_other_faults_are_no_lower_rate(chords, asked, others):
    assert {name for name, broken in others.items() if asked(aliased, chords, broken)} == set()


def test_what_is_hardly_a_sound_crashes_nothing(asked, hardly):
    found = asked(aliased, *hardly)
    if found is not None:
        assert np.isfinite(found.apply(hardly[0].astype(float))).all()
