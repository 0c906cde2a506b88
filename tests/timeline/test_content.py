import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.stft_cache import StftCache
from diagnose.timeline import Segment, Timeline, content
from diagnose.timeline.content import distance_along, lay_content, plateaus, slips
from diagnose.timeline.features import Features
from diagnose.timeline.likeness import Likeness
from diagnose.timeline.path import Run
from diagnose.timeline.search import Found
from diagnose.timeline.single_delay import Alignment, align
from diagnose.timeline.warp import Warp

RATE = 8000
HOP = 128
FRAME_S = HOP / RATE


def cache(sound):
    return StftCache(sound, float(sound.mean(dtype=float)))


def matched(start, end, delay=0):
    return Segment("matched", (start, end), (start + delay, end + delay), float(delay))


def told(rows, sounding=True):
    rows = np.asarray(rows, float)
    return Features(rows, np.broadcast_to(sounding, len(rows)).copy(), HOP)


# What is read of scripts and warps


def test_slips_are_changes_of_the_delay_that_are_no_edit():
    lost = Segment("lost", (200, 300), (200, 200))
    assert slips([]) == slips([matched(0, 100)]) == 0
    assert slips([matched(0, 100), matched(100, 200, 3), matched(200, 300, 5)]) == 2
    assert slips([matched(0, 100), lost, matched(200, 300, 5)]) == 0


def warp_of(*parts, knot=100):
    """A warp that keeps each delay for so many knots, and slides between them."""
    knots, at = [], 0
    for index, (delay, count) in enumerate(parts):
        knots += [(at + knot * i, at + knot * i + delay) for i in range(count)]
        at += knot * count
        knots.append((at, at + 5000 + index))  # of no other knot
        at += knot
    return Warp((*knots, (at, at)), 0.1, 1.0, 0.0, 0.0)


@pytest.mark.parametrize(("knots", "kept"), [(5, []), (9, []), (10, [40]), (13, [40])])
def test_a_delay_is_worth_a_try_that_a_warp_keeps_for_120_ms(knots, kept):
    assert plateaus(warp_of((40, knots), (0, 1)), RATE) == kept  # of 12.5 ms each


def test_what_a_warp_comes_back_to_counts_together():
    assert plateaus(warp_of((40, 6), (7, 6), (40, 6)), RATE) == [40]


def test_the_delays_that_a_warp_keeps_the_longest_are_first_and_16_at_most():
    parts = [(10 * i, 20 + i) for i in range(25)]
    assert plateaus(warp_of(*parts), RATE) == [10 * i for i in range(24, 8, -1)]


def test_a_match_costs_the_distance_of_its_frames():
    first, second = told(np.tile([[0.0], [1.0]], (50, 1))), told(np.tile([[0.5], [2.0]], (50, 1)))
    usual = (0.5 + 2.0 + 0.5 + 1.0) / 4
    timeline = Timeline("spectrogram", (matched(0, 100 * HOP),))
    assert distance_along(timeline, first, second) == pytest.approx((0.5 + 1.0) / 2 / usual)


@pytest.mark.parametrize("kind", ["lost", "inserted", "repeated", "replaced"])
def test_a_frame_on_one_side_costs_1_4_of_two_frames(kind):
    rows = np.random.default_rng(1).standard_normal((100, 4))
    spans = {"lost": [(40, 60), (40, 40)], "replaced": [(40, 60), (40, 60)]}.get(kind, [(40, 40), (40, 60)])
    at = [span[1] for span in spans]
    ours = np.vstack([rows[:40], np.zeros((spans[0][1] - 40, 4)), rows[40:]])
    theirs = np.vstack([rows[:40], np.zeros((spans[1][1] - 40, 4)), rows[40:]])
    steps = (
        matched(0, 40 * HOP),
        Segment(kind, *[(a * HOP, b * HOP) for a, b in spans]),
        Segment("matched", (at[0] * HOP, len(ours) * HOP), (at[1] * HOP, len(theirs) * HOP)),
    )
    skipped = sum(b - a for a, b in spans)
    found = distance_along(Timeline("spectrogram", steps), told(ours), told(theirs))
    assert found == pytest.approx(1.4 * skipped / (2 * 100 + skipped), abs=1e-4)


def test_nothing_costs_nothing():
    assert distance_along(Timeline(), told(np.eye(8)), told(np.eye(8))) == 0


# Steady, or along a warp

WHOLE = (matched(0, 8000),)


@pytest.fixture
def said(monkeypatch):
    """said(...) -> the timeline of two sounds of which all this is known."""

    def say(likeness, segments=WHOLE, explained=3.0, steady=0.0, warp=0.0, r=0.6, method="spectrogram"):
        frames = told(np.zeros((63, 2)))
        whole = Alignment(correlation=r, method="spectrogram")
        found = Timeline(method, tuple(segments), correlation=r)
        distances = Warp(((0, 0), (8000, 8000)), warp, 1.0, 0.0, 0.0)
        for name, answer in {
            "compared": likeness,
            "masked": (frames, frames),
            "warped": distances,
            "_steady": (found, explained),
            "distance_along": steady,
        }.items():
            monkeypatch.setattr(content, name, lambda *_, answer=answer: answer)
        sound = cache(np.zeros(8000, np.float32))
        return lay_content(sound, sound, RATE, whole)

    return say


SAME, UNSURE, OTHER = Likeness(0.3, False), Likeness(0.95, False), Likeness(0.95, True)


@pytest.mark.parametrize(
    ("warp", "steady", "method"),
    [
        (0.4, 0.50, "spectrogram"),
        (0.4, 0.54, "warped"),  # 0.52 = 1.25 * 0.4 + 0.02
        (0.0, 0.017, "spectrogram"),
        (0.0, 0.023, "warped"),
    ],
)
def test_a_warp_has_to_be_nearer_by_a_quarter_and_a_little(said, warp, steady, method):
    found = said(SAME, warp=warp, steady=steady)
    assert (found.method, found.likeness) == (method, 0.3)


@pytest.mark.parametrize(("count", "method"), [(0, "spectrogram"), (2, "spectrogram"), (3, "warped"), (9, "warped")])
def test_a_delay_that_slips_three_times_is_a_timing_of_its_own(said, count, method):
    steps = [matched(100 * i, 100 * i + 100, i) for i in range(count + 1)]
    assert said(SAME, steps).method == method


def test_the_same_that_no_delay_lays_is_warped(said):
    assert said(SAME, method="none").method == "warped"


def test_a_warp_is_laid_between_its_knots(said):
    found = said(SAME, method="none")
    assert [(one.kind, one.reference, one.generated) for one in found.segments] == [("matched", (0, 8000), (0, 8000))]
    assert (found.tempo, found.deviation, found.silence) == (1.0, 0.0, (0, 0, 0))
    assert found.correlation == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("r", "explained", "laid"), [(0.75, 1.0, False), (0.85, 0.0, True), (0.6, 1.8, False), (0.6, 2.2, True)]
)
def test_what_is_said_to_be_another_sound_is_laid_where_bands_show_it(said, r, explained, laid):
    found = said(OTHER, r=r, explained=explained)
    assert (found.method, found.other) == (("spectrogram", False) if laid else ("none", True))
    assert (found.delay, found.likeness) == (0, 0.95)


def test_what_is_not_known_to_be_another_is_laid_as_bands_say(said):
    assert said(UNSURE, r=0.6, explained=1.1).method == "spectrogram"
    assert said(UNSURE, method="none").method == "none"
    assert not said(UNSURE, method="none").other


def test_where_frames_say_nothing_bands_are_believed(said):
    found = said(None)
    assert (found.method, found.likeness) == ("spectrogram", None)


# By bands


@pytest.fixture
def by_bands(monkeypatch, white):
    """by_bands(runs, explained) -> the steady timeline of a second and of noise of which these runs are found."""

    def lay(runs, explained=3.0):
        found = Found([Run(*run) for run in runs], explained, explained)
        monkeypatch.setattr(content, "search", lambda *_: found)
        monkeypatch.setattr(content, "compared", lambda *_: None)
        theirs = white(max(end for _, end, _ in runs), 2)
        whole = Alignment(0, 1.0, None, 0.7, None, "spectrogram")
        return lay_content(cache(white(8000)), cache(theirs), RATE, whole)

    return lay


@pytest.mark.parametrize(("explained", "delay"), [(0.93, 0), (1.07, 800)])
def test_two_spectrograms_are_one_that_explain_a_nat_of_each_frame(by_bands, explained, delay):
    assert by_bands([(800, 8800, 800)], explained).delay == delay


@pytest.mark.parametrize(("ms", "kinds"), [(50, ["matched"]), (70, ["matched", "lost", "matched"])])
def test_by_bands_an_edit_is_60_ms_long(by_bands, ms, kinds):
    lost = ms * RATE // 1000
    found = by_bands([(0, 3000, 0), (3000, 8000 - lost, -lost)])
    assert [one.kind for one in found.segments if one.kind != "lost" or one.reference[1] < 8000] == kinds


def test_by_bands_a_few_slips_are_none_and_the_longest_delay_is_that_of_all(by_bands):
    found = by_bands([(0, 2000, 0), (2000, 6500, 128), (6500, 8000, 0)])
    assert [(one.kind, one.delay) for one in found.segments] == [("matched", 128)]
    assert found.delay == 128


def test_by_bands_a_match_ends_where_the_reference_does(by_bands):
    found = by_bands([(0, 7000, 0), (7000, 8400, 400)])
    assert found.segments[-1].reference[1] <= 8000


def test_by_bands_many_slips_are_left(by_bands):
    runs = [(1000 * i, 1000 * i + 1000, 128 * (i % 2)) for i in range(8)]
    assert slips(by_bands(runs).segments) == 7


@pytest.mark.parametrize(("moved", "laid"), [(0.25, True), (0.35, False)])
def test_more_than_three_tenths_in_another_order_is_no_timeline(by_bands, moved, laid):
    first = round(8000 * (1 - moved))  # what was last is first
    found = by_bands([(0, first, first - 8000), (first, 8000, first)])
    assert found.moved == pytest.approx(moved if laid else 0.0, abs=0.01)
    assert (len(found.segments) > 1) == laid


def test_the_delay_is_that_of_the_longest_match(by_bands):
    assert by_bands([(0, 3000, 0), (4000, 9000, 1000)]).delay == 1000
    assert by_bands([(0, 5000, 0), (6000, 9000, 1000)]).delay == 0


@pytest.mark.parametrize("method", ["waveform", "none"])
def test_what_is_not_laid_by_bands_is_laid_as_a_whole(white, monkeypatch, method):
    monkeypatch.setattr(content, "compared", lambda *_: None)
    found = lay_content(cache(white(4000)), cache(white(4000, 2)), RATE, Alignment(100, method=method))
    assert (found.method, found.delay, len(found.segments)) == (method, 100, 3)


# Sounds

EVEN = [1600] * 12
UNEVEN = [1200, 2000, 1700, 1300, 2200, 1500, 1100, 1900, 1600, 1300, 2100, 1400]


def lay(reference, generated):
    ours, theirs = cache(reference), cache(generated)
    return lay_content(ours, theirs, RATE, align(ours, theirs, RATE))


def covers(found, lengths):
    """Whether the segments go through both sounds in order; what is shorter than an edit is a delay that moved."""
    least = 0 if found.method == "warped" else round(0.06 * RATE)
    for side, name in enumerate(("reference", "generated")):
        edges = [0, *itertools.chain.from_iterable(getattr(one, name) for one in found.segments), lengths[side]]
        assert all(a <= b for a, b in itertools.pairwise(edges))
        assert all(b - a <= least for a, b in zip(edges[::2], edges[1::2], strict=True))
    return True


@pytest.mark.parametrize("gain", [1.0, 0.05])
def test_the_same_with_other_phases_lies_at_one_delay(syllables, gain):
    found = lay(syllables(EVEN), np.float32(gain) * syllables(EVEN, phases=1))
    assert (found.method, found.delay, found.edits, found.polarity) == ("spectrogram", 0, (), None)
    assert [(one.reference, one.generated) for one in found.segments] == [((0, 19_200), (0, 19_200))]
    assert found.gain == pytest.approx(gain, rel=0.05)


@pytest.mark.parametrize("late", [1024, 3200])
def test_the_same_with_other_phases_later_is_late(syllables, late):
    found = lay(syllables(EVEN), np.pad(syllables(EVEN, phases=1), (late, 0)))
    assert found.method == "spectrogram"
    assert found.delay == pytest.approx(late, abs=HOP)
    assert covers(found, (19_200, 19_200 + late))


def test_what_is_left_out_of_other_phases_is_lost(syllables):
    generated = np.delete(syllables(EVEN, phases=1), np.s_[6400:9600])
    found = lay(syllables(EVEN), generated)
    assert (found.method, [(one.kind, one.content) for one in found.edits]) == ("spectrogram", [("lost", "sound")])
    assert found.edits[0].reference == pytest.approx((6400, 9600), abs=2 * HOP)
    assert covers(found, (19_200, 16_000))


def test_another_timing_is_a_warp_along_its_map(syllables):
    found = lay(syllables(EVEN), syllables(UNEVEN, phases=1))
    ours, theirs = (np.append(0, np.cumsum(lengths)) for lengths in (EVEN, UNEVEN))
    assert (found.method, found.polarity) == ("warped", None)
    assert (found.warp[0], found.warp[-1]) == ((0, 0), (ours[-1], theirs[-1]))
    off = [there - np.interp(here, ours, theirs) for here, there in found.warp]
    assert np.sqrt(np.square(off).mean()) < 2.5 * HOP
    places = np.arange(ours[-1])
    path = np.interp(places, ours, theirs)
    line = np.polyval(np.polyfit(places, path, 1), places)
    assert found.deviation == pytest.approx((path - line).std(), rel=0.25)
    assert covers(found, (ours[-1], theirs[-1]))


@pytest.mark.parametrize("tempo", [0.8, 1.2])
def test_another_tempo_is_read(syllables, tempo):
    found = lay(syllables(EVEN), syllables([round(1600 * tempo)] * 12, phases=1))
    assert found.method == "warped"
    assert found.tempo == pytest.approx(tempo, rel=0.02)
    assert found.deviation < 2 * HOP


def test_more_silence_is_told_where_it_is(syllables):
    reference = np.pad(syllables(EVEN), (1600, 4000))
    generated = np.pad(syllables(UNEVEN, phases=1), (4000, 1600))
    at = 4000 + sum(UNEVEN[:5])
    generated = np.insert(generated, at, np.zeros(2400, np.float32))
    found = lay(reference, generated)
    assert found.method == "warped"
    # Frames of 16 ms, and a window of 128 ms that hears the sound beside it: as much at an end of both.
    assert np.array(found.silence[::2]) == pytest.approx(np.array([2400, -2400]), abs=3 * HOP)
    assert found.silence[1] == pytest.approx(2400 - 1024, abs=3 * HOP)


@pytest.mark.parametrize("seed", [2, 3])
def test_what_says_something_else_is_another_sound(syllables, seed):
    found = lay(syllables(EVEN), syllables(UNEVEN, seed, phases=1))
    assert (found.method, found.other, found.delay) == ("none", True, 0)
    assert found.likeness > 0.9


@settings(max_examples=8)
@given(st.lists(st.integers(900, 2400), min_size=6, max_size=10), st.integers(1, 2), st.data())
def test_both_sounds_are_covered_from_end_to_end(syllables, lengths, seed, data):
    others = [data.draw(st.integers(900, 2400)) for _ in lengths]
    reference, generated = syllables(lengths), syllables(others, seed, phases=1)
    found = lay(reference, generated)
    assert covers(found, (reference.size, generated.size))
    if found.warp:
        assert all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(found.warp))
