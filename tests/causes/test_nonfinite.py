"""NaN, Inf and what a cast makes of them: named first, with what so many samples can have done, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

import diagnose
from diagnose.causes import nonfinite
from diagnose.causes.nonfinite import AUDIBLE_DB, BRIEF_S, FEW, LIKELY, MUCH

RATE = 22050


@pytest.fixture(scope="session")
def spoilt(melody):
    """spoilt(place, value): the melody with a value in a place, times a factor."""

    def make(place, value=np.nan, factor=1.0):
        samples = np.float32(factor) * melody.mono
        samples[place] = value
        return samples

    return make


def causes(melody, generated):
    report = diagnose.compare(melody, generated, rate=RATE)
    assert report.verdict == "FAIL"
    return report.causes


def folded(cause):
    return {one.id for one in cause.explains}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_sample_is_named_with_its_place_and_nothing_else(melody, spoilt, value):
    (found,) = causes(melody, spoilt(11025, value))
    assert (found.id, found.confidence, found.explains) == ("non-finite", 0.99, ())
    assert found.summary == "1 sample is NaN or infinite, at 0.500 s"
    assert found.evidence[0] == f"1 of {melody.length} samples, from 0.500 s on; none in the reference"
    assert "np.isfinite(audio).all()" in found.fix


def test_a_stretch_is_named_with_its_share_its_length_and_what_follows(melody, spoilt):
    (found,) = causes(melody, spoilt(slice(11025, 22050)))
    assert found.summary == "24 % of the samples are NaN or infinite, from 0.500 s on"
    assert "0.500 to 1.000 s (500 ms)" in found.evidence[1]
    assert found.evidence[2] == "channel 1 of 1"
    assert "dropout" in folded(found)


@pytest.mark.parametrize(
    ("place", "follows"),
    [(slice(30000, None), "dropout"), (slice(0, 15000), "dropout"), (slice(11025, 11245), "segment-replaced")],
    ids=["to the end", "from the start", "10 ms"],
)
def test_it_is_alone_with_what_follows_wherever_it_lies(melody, spoilt, place, follows):
    (found,) = causes(melody, spoilt(place))
    assert found.id == "non-finite"
    assert follows in folded(found)


def test_a_sound_without_any_number_is_that_alone(melody):
    for value in (np.nan, np.inf):
        (found,) = causes(melody, np.full(melody.length, value))
        assert (found.id, found.confidence, found.explains) == ("non-finite", 0.99, ())
        assert found.summary == "every sample is NaN or infinite"


def test_a_channel_that_is_lost_so_is_named_and_that_it_is_silent_follows(stereo):
    samples = stereo.samples.copy()
    samples[0] = np.nan
    (found,) = causes(stereo, samples)
    assert (found.channel, found.evidence[2]) == (1, "channel 1 of 2")
    assert "mono-stereo" in folded(found)


# What does not follow


@pytest.mark.parametrize("place", [11025, slice(11025, 11025 + 1200)], ids=["1 sample", "54 ms"])
def test_a_gain_that_so_few_samples_cannot_make_is_a_cause_of_its_own(melody, spoilt, place):
    first, *others = causes(melody, spoilt(place, factor=0.4))
    assert first.id == "non-finite"
    assert [one.id for one in others] == ["gain"]
    assert "gain" not in folded(first)


@pytest.mark.parametrize(("decibels", "own"), [(0.8, False), (1.2, True)])
def test_a_gain_is_one_of_its_own_from_1_db(melody, spoilt, evidence, decibels, own):
    assert 0.8 < AUDIBLE_DB < 1.2
    samples = spoilt(slice(11025, 15000), factor=10 ** (decibels / 20))
    clues = evidence(melody, diagnose.audio.from_array(samples, RATE, mend=True))
    assert nonfinite._has_a_gain(clues) == own


def test_noise_beside_one_sample_is_a_cause_of_its_own(melody, spoilt, rng):
    noisy = spoilt(11025) + 0.02 * rng.standard_normal(melody.length).astype(np.float32)
    assert [one.id for one in causes(melody, noisy)] == ["non-finite", "noise"]


def test_a_sound_that_is_silent_otherwise_is_silent_too(melody):
    samples = np.zeros(melody.length)
    samples[100] = np.nan
    assert [one.id for one in causes(melody, samples)] == ["non-finite", "dropout"]
    samples[100:20000] = np.nan  # which may well be what made it so
    (found,) = causes(melody, samples)
    assert folded(found) == {"dropout"}


def following(monkeypatch, share, seconds):
    monkeypatch.setattr(nonfinite, "_share", lambda _: share)
    monkeypatch.setattr(nonfinite, "_longest_s", lambda _: seconds)
    monkeypatch.setattr(nonfinite, "_has_a_gain", lambda _: False)

    class Clues:
        after = staticmethod(lambda _: share)

    return nonfinite._following(Clues)


@pytest.mark.parametrize(
    ("share", "seconds", "clicks", "gain"),
    [
        (0.9 * FEW, 0.9 * BRIEF_S, False, False),
        (1.1 * FEW, 0.9 * BRIEF_S, True, False),
        (0.9 * FEW, 1.1 * BRIEF_S, True, False),
        (0.9 * MUCH, 1.0, True, False),
        (1.1 * MUCH, 1.1 * BRIEF_S, True, True),
    ],
)
def test_what_follows_goes_by_how_much_is_broken(monkeypatch, share, seconds, clicks, gain):
    assert (BRIEF_S, FEW, MUCH) == (0.001, 1e-3, 0.01)
    found = following(monkeypatch, share, seconds)
    assert ("clicks" in found, "gain" in found) == (clicks, gain)


# After a cast

CAST = "what NaN becomes as an integer"


@pytest.mark.parametrize("value", [-1.0, 32767 / 32768])
def test_a_stretch_stuck_at_full_scale_is_what_nan_becomes(melody, spoilt, value):
    (found,) = causes(melody, spoilt(slice(11025, 11025 + 140), value))
    assert (found.id, found.confidence) == ("non-finite", LIKELY)
    assert found.summary == f"0.31 % of the samples are stuck at {value:+.4g}, from 0.500 s on: {CAST}"
    assert "a buffer that is stuck at full scale looks the same" in found.evidence
    assert "clipping" in folded(found)


def test_a_longer_one_explains_its_bias_and_its_level(melody, spoilt):
    (found,) = causes(melody, spoilt(slice(11025, 13230), 1.0))
    assert found.id == "non-finite"
    assert {"dc-offset", "gain"} <= folded(found)


@pytest.mark.parametrize("value", [-1.0, 1.0])
def test_a_sound_that_is_one_constant_is_that_alone(melody, value):
    (found,) = causes(melody, np.full(melody.length, value))
    assert (found.id, found.confidence, found.explains) == ("non-finite", 0.99, ())
    assert found.summary == f"every sample is {value:+.0f}: what NaN becomes as an integer"


def test_a_sound_that_is_clipped_hard_is_clipped(melody):
    assert causes(melody, np.clip(20 * melody.mono, -1, 1))[0].id == "clipping"


def test_a_reference_that_stands_at_full_scale_itself_is_no_fault(melody):
    time = np.arange(RATE) / RATE
    square = np.sign(np.sin(2 * np.pi * 50 * time + 0.1)).astype(np.float32)
    pulses = np.maximum(square, 0)
    for sound in (square, pulses):
        for generated in (sound, np.roll(sound, 100), 0.5 * sound):
            report = diagnose.compare(sound, generated, rate=RATE)
            assert report["stuck_share"].verdict == "PASS"
            assert "non-finite" not in {cause.id for cause in report.causes}
    assert diagnose.compare(pulses, pulses, rate=RATE).verdict == "PASS"


def test_a_square_wave_that_comes_to_full_scale_is_louder_and_not_broken():
    square = 0.5 * np.sign(np.sin(2 * np.pi * 50 * np.arange(RATE) / RATE + 0.1)).astype(np.float32)
    report = diagnose.compare(square, 2 * square, rate=RATE)
    assert report["stuck_share"].verdict == "PASS"
    assert "non-finite" not in {cause.id for cause in report.causes}


def test_a_finite_sound_has_none_of_it(same):
    assert nonfinite.non_finite(same) is None
