import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.stft_cache import StftCache
from diagnose.timeline import likeness as module
from diagnose.timeline.features import Features
from diagnose.timeline.likeness import Likeness, compared, course, restlessness, spread

RATE = 8000
HOP = 128


def cache(sound):
    return StftCache(sound, float(sound.mean(dtype=float)))


def told(rows, sounding=True):
    rows = np.asarray(rows, float)
    return Features(rows, np.broadcast_to(sounding, len(rows)).copy(), HOP)


def rows(frames=160, seed=1, dims=13):
    return np.random.default_rng(seed).standard_normal((frames, dims))


# Of one sound


def two_places(apart, changes=3, frames=201):
    """A sound that goes between two places, so far apart, so many times; half of its frames are in either, about."""
    borders = np.linspace(0, frames, changes + 2).round().astype(int)
    here = np.zeros(frames, bool)
    for first, last in zip(borders[::2], borders[1::2], strict=False):
        here[first:last] = True
    return told(np.where(here, apart, 0.0)[:, None] * np.array([[0.6, 0.8]]))


def test_spread_is_the_mean_distance_of_two_frames():
    assert spread(two_places(8.0, frames=200)) == pytest.approx(4.0)
    assert spread(told([[0.0], [3.0], [99.0]], [True, True, False])) == pytest.approx(1.5)


def test_restlessness_is_the_mean_step_over_it():
    sound = two_places(8.0, changes=19, frames=200)
    assert restlessness(sound) == pytest.approx(19 * 8.0 / 199 / 4.0)
    assert restlessness(told(rows(2000))) == pytest.approx(1.0, abs=0.02)


def test_a_step_into_silence_is_none():
    sound = told([[0.0], [1.0], [50.0], [9.0], [8.0]], [True, True, False, True, True])
    assert restlessness(sound) == pytest.approx(1.0 / spread(sound))


def test_silence_has_no_spread_and_no_rest():
    silent = told(rows(20), False)
    assert (spread(silent), restlessness(silent)) == (0.0, 1.0)


# The course


@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2])
def test_what_is_changed_alike_in_each_frame_has_the_same_course(shift):
    turn = np.linalg.qr(rows(13, 4))[0]
    changed = np.roll(0.3 * rows() @ turn + 5.0, shift, axis=0)
    assert course(told(rows()), told(changed)) == pytest.approx(1.0)


@pytest.mark.parametrize("shift", [-3, 3, 80])
def test_what_lies_further_off_has_another(shift):
    assert course(told(rows()), told(np.roll(rows(), shift, axis=0))) < 0.1


@pytest.mark.parametrize("frames", [80, 640, 1600])
def test_a_course_is_of_160_places_however_long_the_sound(frames):
    places = np.linspace(0, frames - 1, 160).astype(int)
    other = rows(frames, 2)
    other[places] = rows(frames)[places]
    assert course(told(rows(frames)), told(other)) == pytest.approx(1.0)


@pytest.mark.parametrize(("length", "seen"), [(5, False), (8, False), (12, True), (20, True)])
def test_that_a_sound_lasts_is_no_course(length, seen):
    first, second = (told(np.repeat(rows(160, seed, 60), length, axis=0)[:160]) for seed in (1, 2))
    assert (course(first, second) > 0.25) == seen


@settings(max_examples=25)
@given(st.integers(8, 300), st.integers(8, 300), st.integers(0, 9))
def test_a_course_lies_between_0_and_1(ours, theirs, seed):
    assert 0.0 <= course(told(rows(ours, seed)), told(rows(theirs, seed + 10))) <= 1.0 + 1e-9


def test_what_does_not_change_has_no_course():
    assert course(told(np.zeros((50, 2))), told(np.zeros((50, 2)))) == 0.0
    assert course(told(rows()), told(np.zeros((50, 2)))) == 0.0


# The likeness of two


@pytest.fixture
def judged(monkeypatch):
    """judged(distance, chance, alike, sounds) -> their Likeness.

    distance: along the best warp.  chance: of the reference backwards, and halves exchanged.  alike: the course.
    """

    def judge(distance, chance=(1.0, 1.0), alike=0.0, sounds=(None, None)):
        sides = iter([sound or two_places(20.0) for sound in sounds])
        found = iter([distance, *chance])
        monkeypatch.setattr(module, "features", lambda _signal, _rate: next(sides))
        monkeypatch.setattr(module, "best_path", lambda _one, _other: (None, next(found)))
        monkeypatch.setattr(module, "course", lambda _one, _other: alike)
        return compared(None, None, RATE)

    return judge


@pytest.mark.parametrize(("distance", "ratio"), [(0.3, 0.3), (0.39, 0.39), (0.41, 0.82), (0.5, 1.0)])
def test_what_is_surely_near_is_not_measured_by_chance(judged, distance, ratio):
    assert judged(distance, (0.5, 0.7)).ratio == pytest.approx(ratio)


@pytest.mark.parametrize("chance", [(0.8, 1.0), (1.0, 0.8)])
def test_chance_is_the_nearer_of_both_other_orders(judged, chance):
    assert judged(0.6, chance).ratio == pytest.approx(0.75)


@pytest.mark.parametrize(("ratio", "same"), [(0.45, True), (0.67, True), (0.69, False), (1.2, False)])
def test_the_same_is_a_third_nearer_than_chance(judged, ratio, same):
    found = judged(ratio)
    assert (found.ratio, found.same, found.other) == (ratio, same, False if same else found.other)


@pytest.mark.parametrize(
    ("ratio", "alike", "other"),
    [
        (0.89, 0.0, False),  # something is alike
        (0.90, 0.0, False),
        (0.91, 0.45, True),
        (0.91, 0.55, False),
        (0.91, 0.7, False),
        (0.93, 0.7, True),
        (0.93, 0.80, True),
        (0.93, 0.84, False),  # the one, changed
        (1.28, 0.7, True),
        (1.28, 0.84, False),
        (1.32, 0.0, False),  # the other order is the nearer one: it is turned
        (3.0, 0.0, False),
    ],
)
def test_another_sound_is_no_nearer_than_chance_and_takes_another_course(judged, ratio, alike, other):
    assert judged(ratio, alike=alike).other == other


@pytest.mark.parametrize(("nepers", "said"), [(3.6, False), (4.2, True)])
def test_nothing_is_said_of_a_reference_that_hardly_changes(judged, nepers, said):
    assert (judged(1.0, sounds=(two_places(2 * nepers), None)) is not None) == said


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    ("nepers", "changes", "other"), [(6.0, 45, True), (10.0, 55, False), (6.0, 55, False), (5.0, 45, False)]
)
def test_noise_is_not_another_sound(judged, side, nepers, changes, other):
    sounds = [None, None]
    sounds[side] = two_places(2 * nepers, changes)  # 100 changes would be a restlessness of 1
    assert judged(1.0, sounds=sounds).other == other


def test_what_hardly_changes_is_not_another_sound(judged):
    assert not judged(1.0, sounds=(None, two_places(2 * 5.0))).other
    assert judged(1.0, sounds=(None, two_places(2 * 6.0))).other


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(("frames", "said"), [(7, False), (8, True)])
def test_nothing_is_said_of_less_than_8_frames(judged, side, frames, said):
    sounds = [None, None]
    sounds[side] = two_places(20.0, frames=frames)
    assert (judged(1.0, sounds=sounds) is not None) == said


# Sounds

EVEN = [1600] * 12
UNEVEN = [1200, 2000, 1700, 1300, 2200, 1500, 1100, 1900, 1600, 1300, 2100, 1400]


@pytest.mark.parametrize("lengths", [EVEN, UNEVEN, [2000] * 12])
@pytest.mark.parametrize("gain", [1.0, -0.01])
def test_the_same_in_another_timing_is_the_same(syllables, lengths, gain):
    theirs = np.float32(gain) * syllables(lengths, phases=1)
    found = compared(cache(syllables(EVEN)), cache(theirs), RATE)
    assert found.ratio < 0.2
    assert (found.same, found.other) == (True, False)


def test_the_same_by_another_voice_is_the_same(syllables):
    found = compared(cache(syllables(EVEN)), cache(syllables(UNEVEN, voice=190.0, phases=1)), RATE)
    assert (found.same, found.other) == (True, False)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_what_says_something_else_is_another(syllables, seed):
    found = compared(cache(syllables(EVEN)), cache(syllables(UNEVEN, seed, phases=1)), RATE)
    assert (found.same, found.other) == (False, True)


def test_the_same_backwards_is_turned(syllables):
    sound = syllables(EVEN)
    found = compared(cache(sound), cache(sound[::-1].copy()), RATE)
    assert found.ratio > 1.3
    assert (found.same, found.other) == (False, False)


def test_nothing_is_said_of_noise_and_of_silence(white):
    for sound in (white(RATE), np.zeros(RATE, np.float32)):
        assert compared(cache(sound), cache(white(RATE, 2)), RATE) is None


def test_a_sound_is_as_near_to_itself_as_can_be(syllables):
    assert compared(*[cache(syllables(EVEN))] * 2, RATE) == Likeness(pytest.approx(0.0, abs=1e-3), False)
