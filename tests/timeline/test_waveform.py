import numpy as np
import pytest

from diagnose.timeline.clock import APART_S, Clock
from diagnose.timeline.path import Run
from diagnose.timeline.single_delay import Alignment
from diagnose.timeline.waveform import copied, seeds

RATE = 8000
UNKNOWN = Alignment()  # no delay was found for the whole


def as_whole(delay=0, gain=1.0, polarity=1, r=1.0):
    return Alignment(delay, gain, polarity, r, None, "waveform")


@pytest.mark.parametrize("gain", [1.0, -1.0, 0.02, -50.0])
@pytest.mark.parametrize("delay", [-700, 0, 700])
@pytest.mark.parametrize("known", [True, False])
def test_a_copy_has_one_run_and_a_signed_gain(white, gain, delay, known):
    sound = white(2 * RATE)
    late = np.concatenate([np.zeros(delay, np.float32), sound]) if delay > 0 else sound[-delay:]
    whole = as_whole(delay, abs(gain), 1 if gain > 0 else -1) if known else UNKNOWN
    found = copied(sound, np.float32(gain) * late, RATE, whole)
    assert found.runs == (Run(max(delay, 0), late.size, delay),)
    assert found.gain == pytest.approx(gain, rel=1e-3)
    assert (found.clock.delay, found.clock.drift, found.clock.fraction) == (delay, 0.0, False)


def test_another_sound_is_no_copy(white):
    assert copied(white(2 * RATE), white(2 * RATE, 9), RATE, UNKNOWN) is None


@pytest.mark.parametrize("factors", [(0, 1), (1, 0), (0, 0)])
def test_silence_is_no_copy(white, factors):
    ours, theirs = (np.float32(factor) * white(RATE) for factor in factors)
    assert copied(ours, theirs, RATE, UNKNOWN) is None


def test_a_sound_backwards_is_no_copy(white):
    sound = white(2 * RATE)
    assert copied(sound, sound[::-1].copy(), RATE, UNKNOWN) is None


@pytest.mark.parametrize(("r", "is_copy"), [(0.97, True), (0.90, False)])  # r^2 of 0.86
def test_a_copy_is_explained_well(white, r, is_copy):
    sound, noise = white(2 * RATE), white(2 * RATE, 5)
    generated = (r * sound + np.sqrt(1 - r * r) * noise).astype(np.float32)
    assert (copied(sound, generated, RATE, UNKNOWN) is not None) == is_copy


@pytest.mark.parametrize("gain", [1.0, -0.3])
def test_parts_are_asked_where_the_whole_does_not_explain_the_most(white, gain):
    sound = white(2 * RATE)
    generated = np.float32(gain) * np.concatenate([sound[8000:], sound[:8000]])
    found = copied(sound, generated, RATE, UNKNOWN)
    assert [run.delay for run in found.runs] == [-8000, 8000]
    assert found.gain == pytest.approx(gain, rel=1e-3)
    assert found.clock is None


@pytest.mark.parametrize(("jump", "apart"), [(round(APART_S * RATE), False), (round(APART_S * RATE) + 1, True)])
def test_a_delay_that_jumps_far_has_no_clock(white, monkeypatch, jump, apart):
    sound = white(2 * RATE)
    generated = np.concatenate([sound[:8000], sound[8000 + jump :]])
    monkeypatch.setattr("diagnose.timeline.clock.read", lambda *given: Clock(0.0))  # whatever is read
    found = copied(sound, generated, RATE, as_whole(r=0.95))
    assert [run.delay for run in found.runs] == [0, -jump]
    assert (found.clock is None) == apart


@pytest.mark.parametrize("known", [-200, 0, 3000])
def test_a_whole_delay_that_is_wrong_is_corrected(white, known):
    sound = white(2 * RATE)
    found = copied(sound, sound[1000:], RATE, as_whole(known, r=0.4))
    assert found.runs == (Run(0, sound.size - 1000, -1000),)


@pytest.mark.parametrize("gain", [1.0, -1.0, 0.25, -8.0])
def test_the_seeds_are_the_delays_of_the_parts(white, gain):
    sound = white(2 * RATE)
    parts = [sound[8000:16000], sound[:8000]]
    delays, found = seeds(sound, np.float32(gain) * np.concatenate(parts), RATE)
    assert {-8000, 8000} <= set(delays)
    assert len(delays) == len(set(delays))
    assert found == pytest.approx(gain, rel=0.02)


@pytest.mark.parametrize("seconds", [0.05, 0.3, 2.0])
def test_another_sound_has_no_seeds(white, seconds):
    size = round(seconds * RATE)
    assert seeds(white(size), white(size, 9), RATE) == ([], 1.0)


def test_silence_has_no_seeds(white):
    sound, nothing = white(RATE), np.zeros(RATE, np.float32)
    assert seeds(sound, nothing, RATE) == ([], 1.0)
    assert seeds(nothing, sound, RATE) == ([], 1.0)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_seeds_of_the_other_polarity_are_left_out(white, sign):
    sound = white(4 * RATE)
    generated = np.float32(sign) * np.concatenate([sound[8000:], -sound[:8000]])
    delays, gain = seeds(sound, generated, RATE)
    assert delays == [-8000]
    assert gain == pytest.approx(sign, rel=0.02)
