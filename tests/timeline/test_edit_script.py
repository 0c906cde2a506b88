import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.timeline.edits import SKIPPED, chain, period_of, script, together
from diagnose.timeline.path import Run
from diagnose.timeline.segment import Segment

RATE = 1000  # an edit is 4 samples long or longer, a replacement 20
LEAST, REPLACED = 4, 20


def never(start, end):
    return False


def always(start, end):
    return True


def steps_of(runs, lengths, silent=(never, never), rate=RATE):
    return script([Run(*run) for run in runs], lengths, rate, silent)


def said(segments):
    return [(one.kind, one.reference, one.generated) for one in segments]


def test_one_run_over_all_is_one_match():
    assert steps_of([(0, 500, 0)], (500, 500)) == (Segment("matched", (0, 500), (0, 500), 0.0),)


@pytest.mark.parametrize("run", [(3, 500, 0), (0, 490, 0), (200, 210, 0)])
def test_what_lies_in_its_place_belongs_to_the_match(run):
    assert said(steps_of([run], (500, 500))) == [("matched", (0, 500), (0, 500))]


def test_nothing_found_is_lost_and_inserted():
    assert said(steps_of([], (300, 200))) == [("lost", (0, 300), (0, 0)), ("inserted", (300, 300), (0, 200))]


@pytest.mark.parametrize(("size", "seen"), [(LEAST - 1, False), (LEAST, True), (100, True)])
@pytest.mark.parametrize("kind", ["lost", "inserted"])
def test_an_edit_is_four_milliseconds_long_or_longer(size, seen, kind):
    delay = -size if kind == "lost" else size
    second = (200, 500 + delay, delay) if kind == "lost" else (200 + size, 500 + size, delay)
    found = steps_of([(0, 200, 0), second], (500, 500 + delay))
    spans = ((200, 200 + size), (200, 200)) if kind == "lost" else ((200, 200), (200, 200 + size))
    assert said(found)[1:-1] == ([(kind, *spans)] if seen else [])
    assert [one.delay for one in found if one.kind == "matched"] == [0, delay]


@pytest.mark.parametrize(("size", "seen"), [(LEAST - 1, False), (LEAST, True)])
@pytest.mark.parametrize("end", ["first", "last"])
@pytest.mark.parametrize("kind", ["lost", "inserted"])
def test_an_edit_at_either_end_is_as_long(size, seen, end, kind):
    lengths = (500, 500 - size) if kind == "lost" else (500, 500 + size)
    delay = (lengths[1] - lengths[0]) if end == "first" else 0
    run = Run(0, lengths[1], delay).within(500)
    found = script([run], lengths, RATE, (never, never))
    edits = [one for one in found if one.kind != "matched"]
    assert [one.kind for one in edits] == ([kind] if seen else [])
    if seen:
        assert edits[0] is (found[0] if end == "first" else found[-1])
        span = edits[0].reference if kind == "lost" else edits[0].generated
        assert span == ((0, size) if end == "first" else (max(lengths) - size, max(lengths)))


def test_both_ends_cut():
    found = steps_of([(0, 400, -70)], (500, 400))
    assert said(found) == [
        ("lost", (0, 70), (0, 0)),
        ("matched", (70, 470), (0, 400)),
        ("lost", (470, 500), (400, 400)),
    ]


def test_a_stretch_that_is_heard_twice_is_repeated():
    found = steps_of([(0, 200, 0), (200, 550, 50)], (500, 550))
    assert said(found) == [
        ("matched", (0, 200), (0, 200)),
        ("repeated", (200, 200), (200, 250)),
        ("matched", (200, 500), (250, 550)),
    ]
    assert found[1].source == (150, 200)


def test_a_sound_that_is_replayed_whole_is_repeated_whole():
    found = steps_of([(0, 500, 0), (500, 1000, 500)], (500, 1000))
    assert said(found) == [("matched", (0, 500), (0, 500)), ("repeated", (500, 500), (500, 1000))]
    assert found[1].source == (0, 500)


def test_a_stretch_from_elsewhere_is_repeated():
    found = steps_of([(0, 300, 0), (300, 350, 200), (350, 550, 50)], (500, 550))
    assert [one.kind for one in found] == ["matched", "repeated", "matched"]
    assert (found[1].generated, found[1].source) == ((300, 350), (100, 150))


@pytest.mark.parametrize("silent", [False, True])
def test_silence_is_not_repeated_but_inserted(silent):
    quiet = (never, always if silent else never)
    found = steps_of([(0, 200, 0), (200, 550, 50)], (500, 550), quiet)
    assert found[1].kind == ("inserted" if silent else "repeated")
    assert found[1].generated == (200, 250)


@pytest.mark.parametrize("quiet", [(never, never), (always, never), (never, always), (always, always)])
def test_content_is_that_of_the_sound_that_has_it(quiet):
    lost = steps_of([(0, 200, 0), (200, 450, -50)], (500, 450), quiet)
    inserted = steps_of([(0, 200, 0), (250, 550, 50)], (500, 550), quiet)
    assert lost[1].content == ("silence" if quiet[0] is always else "sound")
    assert inserted[1].content == ("silence" if quiet[1] is always else "sound")


def replaced(ours, theirs):
    """The kinds between two matched parts, with so much unexplained on either side."""
    delay = theirs - ours
    found = steps_of([(0, 200, 0), (200 + theirs, 600 + theirs, delay)], (600 + ours, 600 + theirs))
    return [one for one in found if one.kind != "matched"]


@pytest.mark.parametrize(
    ("ours", "theirs", "seen"),
    [
        (REPLACED, REPLACED + LEAST, True),
        (REPLACED - 1, REPLACED + LEAST, False),
        (REPLACED + LEAST, REPLACED, True),
        (100, 30, True),  # 0.3 of the longer side
        (100, 29, False),
        (30, 100, True),
        (29, 100, False),
        (50, 50 + LEAST, True),
        (50, 50 + LEAST - 1, False),  # it lies in its place
        (50, 50, False),
    ],
)
def test_what_is_unexplained_on_both_sides_for_long_was_replaced(ours, theirs, seen):
    found = replaced(ours, theirs)
    assert (said(found) == [("replaced", (200, 200 + ours), (200, 200 + theirs))]) == seen
    assert all(one.kind != "replaced" for one in found) or seen


@pytest.mark.parametrize(("ours", "theirs"), [(100, 29), (29, 100)])
def test_what_is_unexplained_on_one_side_was_lost_or_inserted(ours, theirs):
    found = replaced(ours, theirs)
    assert [one.kind for one in found] == ["lost" if ours > theirs else "inserted"]
    spans = found[0].reference, found[0].generated
    assert max(end - start for start, end in spans) == abs(ours - theirs)


def test_swapping_the_roles_turns_lost_into_inserted():
    lost = steps_of([(0, 200, 0), (200, 450, -50)], (500, 450))
    inserted = steps_of([(0, 200, 0), (250, 500, 50)], (450, 500))
    names = {"lost": "inserted", "inserted": "lost", "matched": "matched"}
    assert [(names[one.kind], one.generated, one.reference) for one in lost] == said(inserted)


@pytest.mark.parametrize(("apart", "parts"), [(LEAST - 1, 1), (LEAST, 2), (-LEAST + 1, 1), (-LEAST, 2)])
def test_delays_that_lie_near_are_one_part(apart, parts):
    runs = [Run(0, 100, 0), Run(100, 200, apart)]
    assert len(together(runs, LEAST)) == parts
    assert [run for part in together(runs, LEAST) for run in part] == runs


def test_a_delay_that_moves_far_in_small_steps_is_one_part():
    runs = [Run(100 * i, 100 * i + 100, 3 * i) for i in range(20)]
    assert len(together(runs, LEAST)) == 1
    assert together([], LEAST) == []


def chain_worth(parts, chosen):
    chosen = sorted(chosen)
    begin, end = parts[chosen[0]][0]
    total = float(end - begin)
    for before, now in itertools.pairwise(chosen):
        ((first, last), (_, stop)), ((begin, end), (start, _)) = parts[before], parts[now]
        if first >= begin or last >= end:
            return float("-inf")
        total += end - max(begin, last) - SKIPPED * (start - stop)
    return total


@st.composite
def some_parts(draw):
    parts, there = [], 0
    for _ in range(draw(st.integers(1, 6))):
        size, begin = draw(st.integers(1, 40)), draw(st.integers(0, 100))
        there += draw(st.integers(0, 20))
        parts.append(((begin, begin + size), (there, there + size)))
        there += size
    return parts


@given(some_parts())
def test_no_other_choice_plays_more_of_the_reference_in_its_order(parts):
    every = range(1, len(parts) + 1)
    best = max(chain_worth(parts, each) for n in every for each in itertools.combinations(range(len(parts)), n))
    assert chain_worth(parts, chain(parts)) == pytest.approx(best)


def test_no_parts_are_no_chain():
    assert chain([]) == set()
    assert chain([((0, 10), (0, 10))]) == {0}


@st.composite
def some_runs(draw, least=LEAST):
    """(runs in the order of the generated sound, lengths): as a search may find them, played from anywhere."""
    ours, runs, there = draw(st.integers(60, 300)), [], 0
    for _ in range(draw(st.integers(0, 5))):
        there += draw(st.one_of(st.just(0), st.integers(0, 60)))
        size = draw(st.integers(least, 60))
        begin = draw(st.integers(0, ours - size))
        if runs and runs[-1].delay == there - begin:
            continue
        runs.append(Run(there, there + size, there - begin))
        there += size
    return runs, (ours, there + draw(st.integers(0, 60)))


def gaps(spans, length):
    """What lies between spans in order, and after them; negative where two overlap."""
    edges = [0, *(edge for span in spans for edge in span), length]
    return [later - earlier for earlier, later in zip(edges[::2], edges[1::2], strict=True)]


@given(some_runs())
def test_every_script_covers_both_sounds_in_order(made):
    runs, lengths = made
    found = script(runs, lengths, RATE, (never, never))
    for side, name in enumerate(("reference", "generated")):
        spans = [getattr(one, name) for one in found]
        assert all(start <= end for start, end in spans)
        # What is shorter than an edit is a delay that moved.
        assert all(0 <= gap < LEAST for gap in gaps(spans, lengths[side]))


@given(some_runs())
def test_every_match_is_as_long_in_both_and_lies_at_its_delay(made):
    runs, lengths = made
    for one in script(runs, lengths, RATE, (never, never)):
        (begin, end), (start, stop) = one.reference, one.generated
        if one.kind == "matched":
            assert end - begin == stop - start > 0
            assert start - begin == one.delay
        assert (one.kind == "repeated") == (one.source is not None)
        assert (one.kind in ("lost", "inserted", "replaced")) == (one.content is not None)
        assert one.kind != "lost" or start == stop
        assert one.kind not in ("inserted", "repeated") or begin == end


@given(some_runs())
def test_every_repetition_is_as_long_as_what_it_plays(made):
    runs, lengths = made
    for one in script(runs, lengths, RATE, (never, never)):
        if one.source is not None:
            begin, end = one.source
            assert begin < end <= lengths[0]
            assert end - begin == one.generated[1] - one.generated[0]


@given(st.integers(100, 400), st.lists(st.integers(5, 60), max_size=5), st.booleans())
def test_the_parts_that_are_cut_out_are_lost_and_those_put_in_inserted(part, sizes, cut):
    runs, there, here = [], 0, 0
    for size in [*sizes, 0]:
        runs.append(Run(there, there + part, there - here))
        there, here = (there + part, here + part + size) if cut else (there + part + size, here + part)
    found = script(runs, (here, there), RATE, (never, never))
    kind = "lost" if cut else "inserted"
    edits = [one for one in found if one.kind != "matched"]
    assert [one.kind for one in edits] == [kind] * len(sizes)
    spans = [one.reference if cut else one.generated for one in edits]
    assert [end - start for start, end in spans] == sizes
    matched = sum(one.reference[1] - one.reference[0] for one in found if one.kind == "matched")
    assert matched == part * (len(sizes) + 1)


def edited(places, end=100_000, kind="inserted"):
    """A script with an edit of 10 samples around each place of the generated sound."""
    segments, there = [], 0
    for place in places:
        segments.append(Segment("matched", (0, 1), (there, place - 5)))
        segments.append(Segment(kind, (0, 0), (place - 5, place + 5)))
        there = place + 5
    return [*segments, Segment("matched", (0, 1), (there, end))]


@pytest.mark.parametrize("kind", ["inserted", "repeated", "lost"])
def test_three_edits_at_one_distance_have_a_period(kind):
    assert period_of(edited([1000, 3000, 5000], kind=kind), RATE) == 2000
    assert period_of(edited([1000, 3000], kind=kind), RATE) is None


@pytest.mark.parametrize("kind", ["matched", "replaced"])
def test_what_is_matched_or_replaced_has_no_period(kind):
    assert period_of(edited([1000, 3000, 5000, 7000], kind=kind), RATE) is None


def test_no_edits_have_no_period():
    assert period_of([], RATE) is None
    assert period_of(edited([]), RATE) is None


@pytest.mark.parametrize(("off", "period"), [(44, 1000 + 44 / 3), (45, None), (-44, 1000 - 44 / 3), (-45, None)])
def test_distances_differ_by_a_twentyfifth_and_an_edit_at_most(off, period):
    found = period_of(edited([1000, 2000, 3000, 4000 + off]), RATE)
    assert found == (None if period is None else pytest.approx(period))


@pytest.mark.parametrize(("usual", "others", "seen"), [(7, 3, True), (6, 3, False), (5, 2, True), (2, 1, False)])
def test_three_of_ten_distances_may_be_others(usual, others, seen):
    steps = [*[1000] * usual, *[1500, 300, 4000][:others]]
    found = period_of(edited(itertools.accumulate(steps, initial=1000)), RATE)
    assert found == (1000 if seen else None)


@pytest.mark.parametrize("steps", [[500, 1500, 700, 2600], [100, 1000, 5000]])
def test_edits_anywhere_have_no_period(steps):
    assert period_of(edited(itertools.accumulate(steps, initial=1000)), RATE) is None


def test_what_is_cut_off_the_ends_counts_for_no_period():
    segments = [
        Segment("lost", (0, 1000), (0, 0)),
        Segment("matched", (1000, 3000), (0, 2000)),
        Segment("lost", (3000, 3100), (2000, 2000)),
        Segment("matched", (3100, 5100), (2000, 4000)),
        Segment("lost", (5100, 5200), (4000, 4000)),
    ]
    assert period_of(segments, RATE) is None
