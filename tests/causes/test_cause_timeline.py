"""Causes of the timeline that are new: a tail after the end, and delays that jump on a beat."""

from types import SimpleNamespace

import numpy as np
import pytest

import diagnose
from diagnose.causes.timeline import are_pauses, are_periods, is_crowded, slips, tail_added
from diagnose.timeline import Segment, Timeline

RATE = 22_050


def tone(seconds, level):
    return np.float32(level * np.sin(2 * np.pi * 120 * np.arange(round(seconds * RATE)) / RATE))


@pytest.mark.parametrize("seconds", [0.2, 0.5])
@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_a_tail_after_the_end_has_its_time_length_and_level(melody, evidence, seconds, gain):
    loud = gain * melody.mono
    found = tail_added(evidence(melody.mono, np.append(loud, tone(seconds, gain * 0.05))))
    assert found.id == "tail-added"
    said = found.summary.replace(",", "").split()
    assert float(said[4]) == pytest.approx(melody.length / RATE, abs=0.06)
    assert float(said[-2]) == pytest.approx(1000 * seconds, abs=60)
    level = 10 * np.log10(0.05**2 / 2 / np.square(melody.mono).mean())
    assert f"{level:+.0f} dB" in found.evidence[0]


@pytest.mark.parametrize(("over_db", "is_told"), [(-43.0, False), (-34.0, True)])
def test_a_tail_is_heard_from_40_db_under_the_sound(melody, evidence, over_db, is_told):
    level = (2 * np.square(melody.mono).mean()) ** 0.5 * 10 ** (over_db / 20)
    assert (tail_added(evidence(melody.mono, np.append(melody.mono, tone(0.3, level)))) is not None) is is_told


@pytest.mark.parametrize(("seconds", "is_told"), [(0.03, False), (0.08, True)])
def test_a_tail_is_longer_than_50_ms(melody, evidence, seconds, is_told):
    assert (tail_added(evidence(melody.mono, np.append(melody.mono, tone(seconds, 0.1)))) is not None) is is_told


def ending(melody):
    return np.append(melody.mono, np.zeros(RATE // 2, np.float32))


def test_a_buzz_where_the_reference_has_ended_is_a_tail(melody, evidence):
    ours = ending(melody)
    theirs = ours.copy()
    theirs[melody.length :] = tone(0.5, 0.05)[: RATE // 2]
    found = tail_added(evidence(ours, theirs))
    assert found.id == "tail-added"
    assert float(found.summary.replace(",", "").split()[4]) == pytest.approx(melody.length / RATE, abs=0.06)
    assert diagnose.compare(ours, theirs, rate=RATE).causes[0].id == "tail-added"


@pytest.mark.parametrize(("over_db", "is_told"), [(-44.0, False), (-37.0, True)])
def test_a_buzz_in_silence_is_heard_from_40_db_under_the_sound(melody, evidence, over_db, is_told):
    ours = ending(melody)
    theirs = ours.copy()
    level = (2 * np.square(melody.mono).mean()) ** 0.5 * 10 ** (over_db / 20)
    theirs[melody.length :] = tone(0.5, level)[: RATE // 2]
    assert (tail_added(evidence(ours, theirs)) is not None) is is_told


def test_noise_all_along_is_no_tail(melody, evidence, rng):
    ours = ending(melody)
    assert tail_added(evidence(ours, ours + 0.03 * rng.standard_normal(ours.size).astype(np.float32))) is None


@pytest.mark.parametrize(
    "fault", ["gain_down", "white_noise", "truncated", "padded_tail", "hard_clip", "delay", "clicks"]
)
def test_other_faults_have_no_tail(clues, fault):
    assert tail_added(clues(fault)) is None


def test_the_same_sound_has_neither(same):
    assert tail_added(same) is None
    assert slips(same.pair) is None


def stepped(places, jumps, method="waveform"):
    """The pair that slips are read off: matched parts, at each place of which the delay jumps by so many samples."""
    ends = [*places, places[-1] + 1000]
    delays = np.concatenate(([0], np.cumsum(jumps)))
    parts = [
        Segment("matched", (int(a - d), int(b - d)), (int(a), int(b)), float(d))
        for a, b, d in zip([0, *places], ends, delays, strict=True)
    ]
    timeline = SimpleNamespace(segments=parts, method=method)
    files = (SimpleNamespace(rate=RATE), SimpleNamespace(rate=2 * RATE))
    return SimpleNamespace(timeline=timeline, rate=RATE, files=files)


def beat(count, period=4410):
    return period * (np.arange(count) + 1)


@pytest.mark.parametrize("jump", [-1, -7, 3])
def test_jumps_on_a_beat_are_seams_with_their_period_and_size(jump):
    found = slips(stepped(beat(12), [jump] * 12))
    assert (found.id, found.confidence) == ("chunk-seams", 0.95)
    assert found.summary.startswith("each 0.2 s (8820 samples of the generated file)")
    assert ("lost" in found.summary) is (jump < 0)
    assert f"12 times, by {jump:+d} samples" in found.evidence[0]


@pytest.mark.parametrize(("count", "is_told"), [(6, False), (11, True)])
def test_there_are_eight_slips(count, is_told):
    assert (slips(stepped(beat(count), [-1] * count)) is not None) is is_told


@pytest.mark.parametrize(("seconds", "is_told"), [(0.004, True), (0.007, False)])
def test_a_slip_is_up_to_5_ms(seconds, is_told):
    jump = -round(seconds * RATE)
    assert (slips(stepped(beat(12), [jump] * 12)) is not None) is is_told


@pytest.mark.parametrize(("off", "is_told"), [(0.06, True), (0.16, False)])
def test_a_slip_is_on_the_beat_but_for_a_tenth_of_it(off, is_told):
    """Each second one is late, so that the distances are 1 + off and 1 - off."""
    places = beat(17) + np.rint(4410 * off * (np.arange(17) % 2)).astype(int)
    assert (slips(stepped(places, [-1] * 17)) is not None) is is_told


@pytest.mark.parametrize(("wrong", "is_told"), [(1, True), (3, False)])
def test_four_fifths_go_one_way(wrong, is_told):
    """Of 20, a tenth and three tenths: |sum of signs| is 0.9 and 0.7 of all."""
    jumps = np.full(20, -1)
    jumps[3 : 3 + 6 * wrong : 6] = 1
    assert (slips(stepped(beat(20), jumps)) is not None) is is_told


@pytest.mark.parametrize("method", ["spectrogram", "warped", "none"])
def test_without_waveforms_there_are_no_slips(method):
    assert slips(stepped(beat(12), [-1] * 12, method)) is None


def test_jumps_by_chance_are_no_seams(rng):
    places = np.cumsum(rng.integers(500, 9000, 20))
    assert slips(stepped(places, [-1] * 20)) is None
    assert slips(stepped(beat(20), rng.choice([-2, 2], 20))) is None


def in_pieces(count, period=None):
    """A pair of 2 s with so many edits between matched parts, of two kinds in turn."""
    steps = [Segment("matched", (0, 10), (0, 10))]
    for index in range(count):
        steps += [Segment(("lost", "inserted")[index % 2], (0, 1), (0, 1)), Segment("matched", (0, 10), (0, 10))]
    reference = SimpleNamespace(mono=np.zeros(2 * RATE, np.float32))
    return SimpleNamespace(timeline=Timeline("waveform", tuple(steps), period=period), reference=reference, rate=RATE)


@pytest.mark.parametrize(("count", "crowded"), [(10, False), (11, True)])
def test_more_than_five_edits_a_second_of_whatever_kind_are_a_crowd(count, crowded):
    assert is_crowded(in_pieces(count)) is crowded
    assert not is_crowded(in_pieces(count, period=0.1 * RATE))


def cut_out(seconds, period=None):
    """A pair from which these lengths were cut."""
    steps = [Segment("matched", (0, 10), (0, 10))]
    for each in seconds:
        steps += [Segment("lost", (10, 10 + round(each * RATE)), (10, 10)), Segment("matched", (0, 10), (0, 10))]
    return SimpleNamespace(timeline=Timeline("waveform", tuple(steps), period=period), rate=RATE)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        ((0.004, 0.011, 0.019), True),
        ((0.004, 0.011, 0.021), False),  # longer than a period of 50 Hz
        ((0.004, 0.011), False),  # two say nothing
        ((0.0100, 0.0101, 0.0102), False),  # blocks of one length
    ],
)
def test_a_few_short_edits_of_no_length_may_be_another_pitch(seconds, told):
    assert are_periods(cut_out(seconds)) is told
    assert not are_periods(cut_out(seconds, period=4410))


@pytest.mark.parametrize(
    ("content", "lasts", "level_db", "told"),
    [
        ("silence", 0.24, -60.0, True),
        ("silence", 0.26, -60.0, False),
        ("silence", 0.24, -37.0, True),
        ("silence", 0.24, -33.0, False),
        ("sound", 0.1, -60.0, False),
    ],
)
def test_a_little_silence_in_a_pause_may_be_meant(rng, content, lasts, level_db, told):
    mono = 0.1 * rng.standard_normal(2 * RATE)
    mono[RATE - 2000 : RATE + 2000] *= 10 ** (level_db / 20)
    pair = SimpleNamespace(reference=SimpleNamespace(mono=np.float32(mono)), rate=RATE)
    step = Segment("inserted", (RATE, RATE), (RATE, RATE + round(lasts * RATE)), content=content)
    assert are_pauses(pair, [step]) is told
    assert not are_pauses(pair, [])
