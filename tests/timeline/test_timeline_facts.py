import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.results.timeline import Observation
from diagnose.timeline import Segment, Timeline, alignment_facts, observations, timeline_facts

RATE = 8000


def matched(start, end, delay=0):
    return Segment("matched", (start, end), (start + delay, end + delay), float(delay))


def silence(kind, size, at=0, content="silence"):
    """Silence that is inserted or lost, at a place of both sounds."""
    spans = [(at, at), (at, at + size)]
    return Segment(kind, *(spans if kind == "inserted" else spans[::-1]), content=content)


def seen(timeline, rate=RATE):
    return [(each.id, each.amount, each.unit) for each in observations(timeline, rate)]


# How they are laid


def test_alignment_is_in_seconds_and_db():
    timeline = Timeline("waveform", (), 400.0, gain=0.1, polarity=-1, correlation=0.9, drift_ppm=30.0)
    assert msgspec.structs.asdict(alignment_facts(timeline, RATE, 16_000)) == {
        "rate_hz": RATE,
        "compared_s": 2.0,
        "delay_s": 0.05,
        "gain_db": pytest.approx(-20.0),
        "polarity": -1,
        "method": "waveform",
        "correlation": 0.9,
        "drift_ppm": 30.0,
        "reason": None,
    }


def test_where_no_delay_is_found_the_reason_is_said():
    facts = alignment_facts(Timeline(correlation=0.314), RATE, 16_000)
    assert (facts.delay_s, facts.method) == (None, "none")
    assert facts.reason == "no delay gives a correlation of at least 0.5 (best 0.31)"


@pytest.mark.parametrize("method", ["waveform", "spectrogram", "warped"])
def test_of_each_other_method_the_delay_is_said(method):
    facts = alignment_facts(Timeline(method, delay=-80.0), RATE, 100)
    assert (facts.delay_s, facts.reason) == (-0.01, None)


# The edit script


def test_each_step_is_in_seconds_of_its_own_sound():
    steps = (
        matched(0, 8000, 800),
        Segment("lost", (8000, 12_000), (8800, 8800), content="sound"),
        Segment("repeated", (12_000, 12_000), (8800, 9600), source=(4000, 4800)),
    )
    match, lost, repeated = timeline_facts(Timeline("waveform", steps), RATE).segments
    assert (match.kind, match.reference, match.generated, match.delay_s) == ("matched", (0, 1), (0.1, 1.1), 0.1)
    assert (lost.kind, lost.reference, lost.generated, lost.delay_s) == ("lost", (1, 1.5), (1.1, 1.1), None)
    assert (match.content, lost.content, repeated.content) == (None, "sound", None)
    assert (match.source, lost.source, repeated.source) == (None, None, (0.5, 0.6))


@pytest.mark.parametrize(("period", "seconds"), [(None, None), (400.0, 0.05)])
def test_a_period_is_in_seconds(period, seconds):
    assert timeline_facts(Timeline("waveform", period=period), RATE).period_s == seconds


@pytest.mark.parametrize(("segments", "listed"), [(0, 0), (1000, 1000), (1001, 1000), (1600, 1000)])
def test_a_report_lists_1000_segments_and_says_how_many_more_there_are(segments, listed):
    steps = tuple(matched(i, i + 1) for i in range(segments))
    facts = timeline_facts(Timeline("waveform", steps), RATE)
    assert (len(facts.segments), facts.omitted) == (listed, segments - listed)
    assert [round(one.reference[0] * RATE) for one in facts.segments] == list(range(listed))


spans = st.tuples(st.integers(0, 10**7), st.integers(0, 10**6)).map(lambda each: (each[0], sum(each)))


@settings(max_examples=25)
@given(spans, spans, st.sampled_from([8000, 44_100, 48_000]))
def test_seconds_are_samples_over_the_rate(ours, theirs, rate):
    (one,) = timeline_facts(Timeline("waveform", (Segment("replaced", ours, theirs),)), rate).segments
    assert [round(each * rate) for each in (*one.reference, *one.generated)] == [*ours, *theirs]


# What differs without harm


def test_of_one_timing_nothing_is_said():
    assert seen(Timeline("waveform", (matched(0, 8000),))) == []
    assert seen(Timeline()) == []
    assert seen(Timeline("warped", (matched(0, 8000),), tempo=1.0, deviation=0.0, silence=(0, 0, 0))) == []


@pytest.mark.parametrize(("tempo", "said"), [(1.004, False), (1.006, True), (0.996, False), (0.994, True), (1.3, True)])
def test_a_tempo_is_said_from_half_a_percent_on(tempo, said):
    assert seen(Timeline("warped", tempo=tempo)) == ([("tempo", tempo, "ratio")] if said else [])


@pytest.mark.parametrize("rate", [8000, 48_000])
@pytest.mark.parametrize(("ms", "said"), [(8.0, False), (12.0, True), (300.0, True)])
def test_a_deviation_of_the_timing_is_said_from_10_ms_on(ms, said, rate):
    found = seen(Timeline("warped", tempo=1.0, deviation=ms * rate / 1000), rate)
    assert found == ([("timing-deviation", pytest.approx(ms), "ms")] if said else [])


@pytest.mark.parametrize("rate", [8000, 48_000])
@pytest.mark.parametrize(("kind", "sign"), [("inserted", 1), ("lost", -1)])
@pytest.mark.parametrize(("ms", "said"), [(8, False), (12, True), (500, True)])
def test_silence_at_either_end_is_said_from_10_ms_on(kind, sign, ms, said, rate):
    size = ms * rate // 1000
    at_start = Timeline("waveform", (silence(kind, size), matched(0, 8000)))
    at_end = Timeline("spectrogram", (matched(0, 8000), silence(kind, size, 8000)))
    amount = pytest.approx(sign * ms / 1000)
    assert seen(at_start, rate) == ([("silence-at-start", amount, "s")] if said else [])
    assert seen(at_end, rate) == ([("silence-at-end", amount, "s")] if said else [])


@pytest.mark.parametrize(("ms", "said"), [(24, False), (-24, False), (36, True), (-36, True)])
@pytest.mark.parametrize(("place", "name"), list(enumerate(["silence-at-start", "pauses", "silence-at-end"])))
def test_silence_that_only_frames_tell_is_said_from_30_ms_on(place, name, ms, said):
    amounts = [0, 0, 0]
    amounts[place] = ms * RATE // 1000
    found = seen(Timeline("warped", (matched(0, 8000),), tempo=1.0, silence=tuple(amounts)))
    assert found == ([(name, pytest.approx(ms / 1000), "s")] if said else [])


def test_sound_at_either_end_is_no_silence():
    assert seen(Timeline("waveform", (silence("inserted", 800, content="sound"), matched(0, 8000)))) == []
    assert seen(Timeline("waveform", (matched(0, 8000), silence("lost", 800, 8000, None)))) == []


def test_a_pause_inside_is_no_silence_at_an_end():
    steps = matched(0, 4000), silence("inserted", 800, 4000), matched(4000, 8000, 800)
    assert seen(Timeline("waveform", steps)) == []


def test_a_part_that_is_replaced_is_no_silence():
    replaced = Segment("replaced", (0, 400), (0, 900), content="silence")
    assert seen(Timeline("waveform", (replaced, matched(400, 8000, 500)))) == []


def test_silence_that_is_all_there_is_lies_at_the_start():
    assert seen(Timeline("waveform", (silence("inserted", 800),))) == [("silence-at-start", 0.1, "s")]


def test_of_sounds_that_are_not_laid_on_each_other_no_silence_is_said():
    assert seen(Timeline("none", (silence("inserted", 800), matched(0, 8000)))) == []


def test_all_that_differs_is_said_in_order():
    timeline = Timeline("warped", (matched(0, 8000),), tempo=1.1, deviation=400.0, silence=(800, -1600, 2400))
    assert observations(timeline, RATE) == (
        Observation("tempo", 1.1, "ratio"),
        Observation("timing-deviation", 50.0, "ms"),
        Observation("silence-at-start", 0.1, "s"),
        Observation("pauses", -0.2, "s"),
        Observation("silence-at-end", 0.3, "s"),
    )
