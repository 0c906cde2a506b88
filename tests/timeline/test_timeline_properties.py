"""What holds of every timeline, whatever was done."""

import itertools

import numpy as np
import pytest
import timeline_edits as make
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.timeline.content import MOVED
from diagnose.timeline.edits import LEAST_S

RATE = 8000
LEAST = round(LEAST_S * RATE)
NEAR = 6  # samples: a border moves where a sample happens to fit on both sides


def is_in_order(found, lengths, least=LEAST):
    """Whether both sounds are covered in order; what is shorter than an edit is a delay that moved."""
    for side, name in enumerate(("reference", "generated")):
        edges = [0, *(edge for one in found.segments for edge in getattr(one, name)), lengths[side]]
        assert all(start <= end for start, end in zip(edges[1:-1:2], edges[2::2], strict=True))
        assert all(0 <= b - a < least for a, b in zip(edges[::2], edges[1::2], strict=True))
    for one in found.segments:
        if one.kind == "matched":
            assert one.reference[1] - one.reference[0] == one.generated[1] - one.generated[0]
    return True


@given(st.integers(1, 6000), st.floats(0.001, 100), st.sampled_from([1, -1]), st.integers(0, 9))
def test_no_sound_has_an_edit_against_itself(white, timeline, size, gain, sign, seed):
    sound = white(size, seed)
    found = timeline(sound, np.float32(sign * gain) * sound)
    assert (found.edits, found.delay, found.drift, found.resampled) == ((), 0, 0, False)
    assert [(one.reference, one.generated) for one in found.segments] == [((0, size), (0, size))]


@st.composite
def plans(draw):
    """(kind, place, size) of one edit of a second, apart from both ends."""
    kind = draw(st.sampled_from(["lost", "inserted", "repeated"]))
    return kind, draw(st.integers(1500, 5500)), draw(st.integers(LEAST + 2 if kind != "repeated" else 120, 800))


def edited(sound, kind, at, size):
    if kind == "lost":
        return make.cut_parts(sound, [(at, at + size)]).generated
    if kind == "inserted":
        return make.insert_silence(sound, [at], [size]).generated
    return make.stutter(sound, [(at, at + size)]).generated


@settings(max_examples=10)
@given(plans())
def test_one_edit_is_one_step_in_its_place(white, timeline, plan):
    kind, at, size = plan
    sound = white(RATE)
    generated = edited(sound, *plan)
    found = timeline(sound, generated)
    assert [one.kind for one in found.edits] == [kind]
    (edit,) = found.edits
    span = edit.reference if kind == "lost" else edit.generated
    start = at + size if kind == "repeated" else at
    assert span == pytest.approx((start, start + size), abs=2 * NEAR)
    assert is_in_order(found, (sound.size, generated.size))
    longer = sum(found.total(each) for each in ("inserted", "repeated")) - found.total("lost")
    assert longer == generated.size - sound.size


@settings(max_examples=10)
@given(plans())
def test_swapping_the_roles_turns_lost_into_inserted_and_back(white, timeline, plan):
    sound = white(RATE)
    generated = edited(sound, *plan)
    found = timeline(generated, sound)
    assert [one.kind for one in found.edits] == ["inserted" if plan[0] == "lost" else "lost"]
    assert found.total("inserted") - found.total("lost") == sound.size - generated.size
    assert is_in_order(found, (generated.size, sound.size))


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(0, 6000), st.integers(200, 2000)), min_size=1, max_size=4))
def test_every_script_is_in_order(white, timeline, parts):
    sound = white(RATE)
    generated = np.concatenate([sound[start : start + size] for start, size in parts])
    found = timeline(sound, generated)
    assert is_in_order(found, (sound.size, generated.size))
    matched = [one.reference for one in found.segments if one.kind == "matched"]
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(matched))
    assert found.moved <= MOVED


@settings(max_examples=10)
@given(plans(), st.floats(0.01, 50), st.sampled_from([1, -1]))
def test_neither_gain_nor_polarity_changes_the_script(white, timeline, plan, gain, sign):
    sound = white(RATE)
    generated = edited(sound, *plan)
    plain, other = timeline(sound, generated), timeline(sound, np.float32(sign * gain) * generated)
    assert [one.kind for one in plain.segments] == [one.kind for one in other.segments]
    assert other.polarity == sign
    assert other.gain == pytest.approx(gain, rel=1e-3)
