import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.timeline.segment import Segment, Timeline


def matched(reference, delay=0):
    return Segment("matched", reference, (reference[0] + delay, reference[1] + delay), float(delay))


@pytest.mark.parametrize(("delay", "shift"), [(0.0, 0), (0.4, 0), (0.6, 1), (-0.4, 0), (-0.6, -1), (1234.9, 1235)])
def test_the_shift_is_the_delay_in_whole_samples(delay, shift):
    assert Timeline(delay=delay).shift == shift


def test_nothing_at_all_is_no_edit():
    empty = Timeline()
    assert (empty.edits, empty.moved, empty.shift, empty.total("lost"), empty.total("inserted")) == ((), 0.0, 0, 0, 0)


def test_what_is_matched_is_no_edit_whatever_its_delay():
    assert Timeline(segments=(matched((0, 50)), matched((53, 90), -3))).edits == ()


@pytest.mark.parametrize("kind", ["lost", "inserted"])
@pytest.mark.parametrize("at", ["start", "end"])
@pytest.mark.parametrize(("content", "counts"), [("silence", False), ("sound", True), (None, True)])
def test_silence_that_is_cut_or_added_at_an_end_is_no_edit(kind, at, content, counts):
    place = (0, 10) if at == "start" else (100, 110)
    nothing = (place[0], place[0])
    spans = (place, nothing) if kind == "lost" else (nothing, place)
    edge = Segment(kind, *spans, content=content)
    parts = (edge, matched((10, 100))) if at == "start" else (matched((0, 100)), edge)
    found = Timeline(segments=parts)
    assert found.edits == ((edge,) if counts else ())
    assert found.total(kind) == (10 if counts else 0)


@pytest.mark.parametrize("kind", ["lost", "inserted"])
def test_silence_in_the_middle_is_an_edit(kind):
    spans = ((50, 60), (50, 50)) if kind == "lost" else ((50, 50), (50, 60))
    edit = Segment(kind, *spans, content="silence")
    found = Timeline(segments=(matched((0, 50)), edit, matched((60, 100))))
    assert (found.edits, found.total(kind)) == ((edit,), 10)


@pytest.mark.parametrize("kind", ["repeated", "replaced"])
def test_silence_that_replaces_or_repeats_at_an_end_is_an_edit(kind):
    edit = Segment(kind, (50, 60), (50, 60), content="silence")
    assert Timeline(segments=(matched((0, 50)), edit)).edits == (edit,)


def test_only_silence_is_no_edit():
    assert Timeline(segments=(Segment("inserted", (0, 0), (0, 9), content="silence"),)).edits == ()


kinds = st.sampled_from(["matched", "lost", "inserted", "repeated", "replaced"])


@st.composite
def timelines(draw):
    """Any kinds in order, of any lengths."""
    segments, ours, theirs = [], 0, 0
    for kind in draw(st.lists(kinds, max_size=8)):
        first = 0 if kind in ("inserted", "repeated") else draw(st.integers(1, 50))
        second = 0 if kind == "lost" else first if kind == "matched" else draw(st.integers(1, 50))
        source = None
        if kind == "repeated":
            begin = draw(st.integers(0, 200))
            source = (begin, begin + second)
        content = None if kind in ("matched", "repeated") else draw(st.sampled_from(["silence", "sound"]))
        spans = (ours, ours + first), (theirs, theirs + second)
        segments.append(Segment(kind, *spans, float(theirs - ours), source, content))
        ours, theirs = ours + first, theirs + second
    return Timeline("waveform", tuple(segments))


@given(timelines())
def test_every_edit_counts_once_for_its_kind(found):
    for kind in ("lost", "inserted", "repeated", "replaced"):
        side = 0 if kind == "lost" else 1
        spans = [(step.reference, step.generated)[side] for step in found.edits if step.kind == kind]
        assert found.total(kind) == sum(end - start for start, end in spans)
    assert all(step in found.segments for step in found.edits)


@given(timelines())
def test_what_is_moved_is_a_share(found):
    assert 0 <= found.moved <= 1
    if not any(step.kind == "repeated" for step in found.segments):
        assert found.moved == 0


@given(timelines())
def test_a_timeline_is_the_same_after_it_was_written_and_read(found):
    assert msgspec.json.decode(msgspec.json.encode(found), type=Timeline) == found


@pytest.mark.parametrize(
    ("source", "moved"),
    [((0, 100), 0.0), ((50, 100), 0.0), ((200, 300), 100 / 200), ((50, 150), 50 / 150), ((90, 120), 20 / 120)],
)
def test_what_is_repeated_is_moved_only_where_it_is_heard_nowhere_else(source, moved):
    again = Segment("repeated", (100, 100), (100, 100 + source[1] - source[0]), source=source)
    assert Timeline(segments=(matched((0, 100)), again)).moved == pytest.approx(moved)


def test_a_source_may_lie_over_several_matched_parts():
    again = Segment("repeated", (100, 100), (100, 160), source=(20, 80))
    parts = matched((0, 50)), matched((50, 100)), again
    assert Timeline(segments=parts).moved == 0.0


def test_a_repetition_without_a_source_is_not_moved():
    assert Timeline(segments=(matched((0, 9)), Segment("repeated", (9, 9), (9, 20)))).moved == 0.0


def test_a_segment_and_a_timeline_cannot_be_changed():
    with pytest.raises(AttributeError):
        matched((0, 10)).delay = 1.0
    with pytest.raises(AttributeError):
        Timeline().gain = 2.0
