import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.timeline.candidates import FAR_S, LIKELY, NEAR_S, Waveforms, normalised

RATE = 8000


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 12), st.integers(0, 30))
def test_r_is_that_of_each_stretch(seed, rows, width, more):
    rng = np.random.default_rng(seed)
    searched, block = rng.standard_normal((rows, width + more)), rng.standard_normal((rows, width))
    parts = [searched[:, i : i + width] for i in range(more + 1)]
    expected = [(part * block).sum() / np.sqrt((part**2).sum() * (block**2).sum()) for part in parts]
    floor = 1e-4 * max((part**2).sum() for part in parts)
    heard = [(part**2).sum() > floor for part in parts]
    assert normalised(searched, block) == pytest.approx(np.where(heard, expected, 0), abs=1e-6)


@pytest.mark.parametrize("factors", [(1.0, 1.0), (1e-3, 1.0), (1.0, -50.0), (-1.0, -1.0)])
def test_r_knows_no_gain(white, factors):
    sound = white(500)
    r = normalised(factors[0] * sound, factors[1] * sound[100:200])
    assert int(np.abs(r).argmax()) == 100
    assert r[100] == pytest.approx(np.sign(factors[0] * factors[1]), abs=1e-5)
    assert np.abs(r).max() <= 1 + 1e-5


@pytest.mark.parametrize(("ours", "theirs"), [(0, 1), (1, 0), (0, 0)])
def test_silence_is_like_nothing(white, ours, theirs):
    assert not normalised(ours * white(300), theirs * white(50)).any()


@pytest.mark.parametrize(("level", "heard"), [(2e-4, False), (5e-4, True)])  # 70 dB lower
def test_what_is_far_quieter_is_like_nothing(white, level, heard):
    sound = white(2000)
    sound[:1000] *= level
    assert (normalised(sound, sound[100:400])[100] > 0.9) == heard


@pytest.mark.parametrize(("rate", "step"), [(8000, 1), (22050, 1), (44099, 1), (44100, 2), (48000, 2), (96000, 4)])
def test_what_is_far_is_searched_at_a_lower_rate(white, rate, step):
    sound = white(100)
    found = Waveforms(sound, sound[:50], rate, 1.0)
    assert found.step == step
    assert found.coarse[0] == pytest.approx(sound[: 100 // step * step].reshape(-1, step).mean(axis=1))
    assert [part.size for part in found.coarse] == [100 // step, 50 // step]


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_seed_of_a_stretch_has_its_delay_and_sign(low, rate, sign):
    reference = low(3 * rate)
    generated = np.float32(sign * 0.3) * np.concatenate([np.zeros(1234, np.float32), reference[:rate]])
    delay, r = Waveforms(reference, generated, rate, 1.0).seed(5000, 5000 + rate // 5)
    assert delay == 1234
    assert r == pytest.approx(sign, abs=1e-4)


def test_the_seed_of_another_sound_is_unlikely(white):
    assert abs(Waveforms(white(RATE), white(RATE, 9), RATE, 1.0).seed(2000, 3200)[1]) < LIKELY


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
@pytest.mark.parametrize("delay", [-3001, -1, 0, 1, 40, 2999])
@pytest.mark.parametrize("expected", [-500, 0, 3000])
def test_the_delay_of_a_stretch_is_found_to_a_sample(low, rate, delay, expected):
    reference = low(rate)
    generated = np.zeros(rate + 3000, np.float32)
    first, last = max(delay, 0), rate + delay
    generated[first:last] = reference[first - delay :]
    assert Waveforms(reference, generated, rate, 1.0).delay_of(3500, 4500, expected) == delay


def test_the_delay_of_the_other_sign_is_not_taken(white):
    sound = white(RATE)
    assert Waveforms(sound, -sound, RATE, 1.0).delay_of(2000, 3000, 0) is None
    assert Waveforms(sound, -sound, RATE, -1.0).delay_of(2000, 3000, 0) == 0


def correlated(one, other, r):
    """A sound whose r with the one is r, exactly: what is added is at right angles to it."""
    other = other - np.dot(one, other) / np.dot(one, one) * one
    other = other * np.sqrt(np.dot(one, one) / np.dot(other, other))
    return r * one + np.sqrt(1 - r * r) * other


@pytest.mark.parametrize(("r", "found"), [(LIKELY - 0.01, False), (LIKELY + 0.01, True), (0.97, True)])
def test_a_source_is_likely_from_a_certain_r(white, r, found):
    reference = white(RATE)
    generated = white(RATE, 3)
    generated[3000:4000] = correlated(reference[2500:3500], generated[3000:4000], r)
    search = Waveforms(reference, generated, RATE, 1.0)
    assert search.delay_of(3000, 4000, 0) == (500 if found else None)
    assert search.likely(3000, 4000, 0) == ([500] if found else [])


@pytest.mark.parametrize("expected", [-333, 0, 80, 411])
def test_in_a_steady_tone_the_delay_nearest_to_the_expected_is_found(tone, expected):
    sound = tone(100, RATE, 2.0, 0.3)
    found = Waveforms(sound, sound, RATE, 1.0).delay_of(7000, 8000, expected)
    assert found % 80 == 0
    assert abs(found - expected) <= 40


def test_all_places_of_a_phrase_that_is_played_twice_are_likely(white):
    phrase = white(2000)
    reference = np.concatenate([phrase, white(1000, 5), phrase])
    assert sorted(Waveforms(reference, phrase, RATE, 1.0).likely(500, 1500, 0)) == [-3000, 0]


@pytest.mark.parametrize(("seconds", "likely"), [(NEAR_S - 0.1, True), (NEAR_S + 0.1, False)])
@pytest.mark.parametrize("later", [1, -1])
def test_what_is_near_is_within_two_seconds(white, seconds, likely, later):
    rate = 1000
    reference = white(8 * rate)
    delay = round(later * seconds * rate)
    start = 4000
    generated = white(8 * rate, 4)
    generated[start : start + 500] = reference[start - delay : start - delay + 500]
    search = Waveforms(reference, generated, rate, 1.0)
    assert search.likely(start, start + 500, 0) == ([delay] if likely else [])
    assert search.delay_of(start, start + 500, 0) == delay


@pytest.mark.parametrize(("seconds", "found"), [(FAR_S - 0.2, True), (FAR_S + 0.2, False)])
@pytest.mark.parametrize("expected", [0, 700])
def test_no_source_is_looked_for_farther_than_a_minute(white, seconds, found, expected):
    rate = 500
    reference = white(70 * rate)
    delay = expected + round(seconds * rate)
    start = delay + 200
    generated = np.zeros(start + 500, np.float32)
    generated[start : start + 400] = reference[200:600]
    assert Waveforms(reference, generated, rate, 1.0).delay_of(start, start + 400, expected) == (
        delay if found else None
    )


@pytest.mark.parametrize(("size", "found"), [(7, False), (8, True)])
def test_a_stretch_of_less_than_eight_samples_says_nothing(white, size, found):
    reference = white(200)
    assert bool(Waveforms(reference, reference, RATE, 1.0).likely(100, 100 + size, 0)) == found


@pytest.mark.parametrize("span", [(0, 0), (100, 100), (90, 100)])
def test_silence_has_no_source(white, span):
    nothing = np.zeros(100, np.float32)
    assert Waveforms(white(100), nothing, RATE, 1.0).delay_of(*span, 0) is None
    assert Waveforms(nothing, white(100), RATE, 1.0).delay_of(*span, 0) is None


def test_a_stretch_longer_than_the_reference_has_no_source(white):
    assert Waveforms(white(50), white(100), RATE, 1.0).delay_of(0, 60, 0) is None
