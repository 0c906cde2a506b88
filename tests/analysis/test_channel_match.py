"""Which channel of the reference each generated channel holds: mixes whose matrix is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.analysis import channels as module
from diagnose.analysis.channels import match_channels, mixed, usual
from diagnose.audio import Audio

RATE = 8000
SIZE = 8000


def wide(rng, count=2, shared=0.5):
    """Channels of noise that have a share of their power in common."""
    common = rng.standard_normal(SIZE)
    return [
        (0.1 * (shared**0.5 * common + (1 - shared) ** 0.5 * rng.standard_normal(SIZE))).astype(np.float32)
        for _ in range(count)
    ]


def match(ours, theirs):
    return match_channels([np.float32(x) for x in ours], [np.float32(x) for x in theirs], RATE)


def sources(found):
    return [each.source for each in found.held]


def test_channels_as_they_were_are_in_their_place_and_do_not_differ(rng):
    ours = wide(rng)
    found = match(ours, [0.5 * x for x in ours])
    assert sources(found) == [1, 2]
    assert not found.differ
    assert [each.level_db for each in found.held] == pytest.approx([-6.0206, -6.0206], abs=1e-3)
    assert max(each.left for each in found.held) < 1e-6


@given(order=st.permutations(range(4)), seed=st.integers(0, 100))
@settings(max_examples=20)
def test_each_permutation_is_read(order, seed):
    ours = wide(np.random.default_rng(seed), 4)
    found = match(ours, [ours[index] for index in order])
    assert sources(found) == [index + 1 for index in order]
    assert found.differ == (list(order) != sorted(order))


@pytest.mark.parametrize(
    ("theirs", "held"),
    [
        (lambda a, b: [(a + b) / 2, (a + b) / 2], ["mean", "mean"]),
        (lambda a, b: [(a + b) / 2, (a - b) / 2], ["mean", "difference"]),
        (lambda a, b: [a, a], [1, 1]),
        (lambda a, b: [b, b], [2, 2]),
        (lambda a, b: [a, 0 * b], [1, None]),
        (lambda a, b: [(a + b) / 2], ["mean"]),
        (lambda a, b: [a], [1]),
        (lambda a, b: [b - a], ["difference"]),
    ],
)
def test_a_mix_is_read(rng, theirs, held):
    ours = wide(rng)
    found = match(ours, theirs(*ours))
    assert sources(found) == held
    assert found.differ == (held != ["mean"])


@pytest.mark.parametrize(
    "change",
    [
        lambda x: -x,
        lambda x: 10 ** (1 / 20) * x,
        lambda x: np.roll(x, 5),
        lambda x: np.roll(x, 400),
        lambda x: np.clip(x, -0.15, 0.15),
        lambda x: x + 0.01,
        lambda x: np.convolve(x, [0.5, 0.5], "same"),
    ],
    ids=["inverted", "1 dB louder", "5 samples late", "50 ms late", "clipped", "biased", "filtered"],
)
def test_what_is_done_to_one_channel_makes_the_channels_differ(rng, change):
    ours = wide(rng)
    assert match(ours, [ours[0], change(ours[1])]).differ
    assert not match(ours, [change(ours[0]), change(ours[1])]).differ


def test_a_codec_s_noise_in_all_channels_is_no_difference(rng):
    ours = wide(rng)
    noisy = [x + level * rng.standard_normal(SIZE) for x, level in zip(ours, (0.02, 0.03), strict=True)]
    assert not match(ours, noisy).differ


def test_a_codec_that_brings_the_channels_nearer_is_no_mix(rng):
    ours = wide(rng, shared=0.5)
    mean = sum(ours) / 2
    assert sources(match(ours, [0.6 * x + 0.4 * mean for x in ours])) == [1, 2]
    assert sources(match(ours, [0.1 * x + 0.9 * mean for x in ours])) == ["mean", "mean"]


def test_channels_that_differ_by_less_than_40_db_are_not_told_apart(rng):
    one = wide(rng, 1)[0]
    for level, held in ((0.007, [1, 2]), (0.04, [2, 1])):
        ours = [one, one + level * 0.1 * rng.standard_normal(SIZE)]
        assert sources(match(ours, ours[::-1])) == held


def test_one_channel_is_expected_in_all_of_a_mono_reference(rng):
    ours = wide(rng, 1)
    assert not match(ours, [ours[0]] * 8).differ
    assert match(ours, [ours[0], -ours[0]]).differ


def test_silence_in_both_is_as_it_should_be_and_in_one_not(rng):
    one, other = wide(rng)
    assert not match([one, 0 * one], [one, 0 * one]).differ
    assert match([one, other], [one, 0 * one]).held[1].power == 0
    filled = match([one, 0 * one], [one, other])
    assert filled.held[1].source is None
    assert filled.held[1].power > 0
    assert filled.differ


def test_a_channel_is_searched_for_up_to_a_tenth_of_a_second(rng):
    ours = wide(rng)
    reach = round(module.LAG_S * RATE)
    for lag, found in ((reach - 1, reach - 1), (reach + 1, 0)):
        held = match(ours, [ours[0], np.pad(ours[1], (lag, 0))[:SIZE]]).held[1]
        assert held.lag == found


def test_the_spectra_are_compared_where_the_phases_are_not_kept(rng):
    ours, made_up = 0.1 * rng.standard_normal((2, 10 * RATE)), 0.1 * rng.standard_normal((2, 10 * RATE))
    assert not match(ours, made_up).differ
    dull = [made_up[0], np.convolve(made_up[1], np.ones(4) / 4, "same")]
    assert match(ours, dull).differ


def test_of_many_channels_those_that_stand_out_are_asked_and_one_other(rng):
    ours = wide(rng, 6)
    theirs = [*ours[:3], 2 * ours[3], *ours[4:]]
    found = match(ours, theirs)
    assert [each.channel for each in found.worth_asking] == [4]  # the others are exactly what they were
    noisy = [x + 0.01 * rng.standard_normal(SIZE) for x in theirs]
    asked = [each.channel for each in match(ours, noisy).worth_asking]
    assert 4 in asked
    assert len(asked) == 2
    swapped = match(ours, [ours[1], ours[0], *ours[2:]])
    assert len(swapped.worth_asking) == 1


def test_correlations_are_numpy_s(rng):
    ours = wide(rng, 3)
    found = match(ours, ours)
    np.testing.assert_allclose(found.before, np.corrcoef(ours), atol=1e-6)
    np.testing.assert_allclose(found.after, np.corrcoef(ours), atol=1e-6)


def test_usual_is_the_median_and_of_two_the_one_nearer_to_0():
    assert usual([3.0, 0.1]) == 0.1
    assert usual([-6.0, 0.2]) == 0.2
    assert usual([1.0, 1.0, 7.0]) == 1.0


@pytest.mark.parametrize(
    ("source", "weights"), [(1, [1, 0]), (2, [0, 1]), ("mean", [0.5, 0.5]), ("difference", [0.5, -0.5])]
)
def test_a_source_is_taken_out_of_the_channels(rng, source, weights):
    samples = np.stack(wide(rng))
    found = mixed(Audio(samples, RATE), source)
    assert (found.samples.shape, found.samples.dtype, found.rate) == ((1, SIZE), np.float32, RATE)
    np.testing.assert_allclose(found.samples[0], np.float32(weights) @ samples, atol=1e-7)


# The thresholds, from either side


def noise_of(rng, share, power=0.01):
    """Noise of a share of the power of a channel of wide()."""
    return (share * power) ** 0.5 * rng.standard_normal(SIZE)


def test_another_channel_is_taken_where_it_leaves_a_1_6th_of_what_its_own_leaves(rng):
    ours = wide(rng, 3, shared=0.0)
    # Of a and b times two channels the first leaves b**2 over, the other a**2: 1.4 and 1.8 times as much.
    for own, held in ((0.85, 1), (0.75, 2)):
        assert match(ours, [own * ours[0] + ours[1], *ours[1:]]).held[0].source == held


def test_a_mix_is_taken_where_it_leaves_a_quarter_of_what_its_own_leaves(rng):
    ours = wide(rng)
    mean = sum(ours) / 2
    # With a weight w on the mean, the channel leaves w**2 of its difference from it over, and the mean (1 - w)**2.
    for weight, held in ((0.6, 1), (0.75, "mean")):
        theirs = [(1 - weight) * x + weight * mean for x in ours]
        assert match(ours, theirs).held[0].source == held


@pytest.mark.parametrize(("factor", "differ"), [(4.0, False), (9.0, True)])
def test_what_is_left_of_one_channel_stands_out_from_6_times_that_of_the_other(rng, factor, differ):
    ours = wide(rng)
    theirs = [ours[0] + noise_of(rng, 0.01), ours[1] + noise_of(rng, 0.01 * factor)]
    assert match(ours, theirs).differ == differ


@pytest.mark.parametrize(("left", "copies"), [(0.006, True), (0.02, False)])
def test_copies_leave_less_than_a_hundredth(rng, left, copies):
    ours = wide(rng)
    assert match(ours, [x + noise_of(rng, left) for x in ours]).copies == copies


@pytest.mark.parametrize(("gain_db", "exact"), [(0.05, True), (0.2, False)])
def test_a_tenth_of_a_db_is_exact(rng, gain_db, exact):
    ours = wide(rng)
    assert match(ours, [10 ** (gain_db / 20) * x for x in ours]).held[0].exact == exact


@pytest.mark.parametrize(("gain_db", "differ"), [(0.8, False), (1.0, True)])
def test_gains_differ_from_nine_tenths_of_a_db(rng, gain_db, differ):
    ours = wide(rng)
    assert match(ours, [ours[0], 10 ** (gain_db / 20) * ours[1]]).differ == differ


@pytest.mark.parametrize(("loss_db", "under_db", "differ"), [(3.0, 0.0, False), (8.0, 0.0, True), (8.0, 60.0, False)])
def test_a_band_differs_from_4_db_where_it_is_within_40_of_the_strongest(rng, loss_db, under_db, differ):
    spectrum = np.fft.rfft(0.1 * rng.standard_normal((2, 20 * RATE)))
    high = np.fft.rfftfreq(20 * RATE, 1 / RATE) > 2000
    spectrum[:, high] *= 10 ** (-under_db / 20)
    ours = np.fft.irfft(spectrum)
    turned = spectrum * np.exp(2j * np.pi * rng.random(spectrum.shape))  # phases of their own
    turned[1, high] *= 10 ** (-loss_db / 20)
    assert match(ours, np.fft.irfft(turned)).differ == differ


def test_exchanged_channels_of_which_one_is_late_are_exchanged(rng):
    ours = wide(rng)
    assert sources(match(ours, [np.pad(ours[1], (80, 0))[:SIZE], ours[0]])) == [2, 1]
