import numpy as np
import pytest
import timeline_edits as make
from hypothesis import given
from hypothesis import strategies as st

from diagnose.timeline.clock import shifted
from diagnose.timeline.laid import laid
from diagnose.timeline.segment import Segment, Timeline

RATE = 8000


def of_parts(*parts):
    """A timeline of matched parts (reference, generated, length)."""
    return Timeline("waveform", tuple(Segment("matched", (a, a + n), (b, b + n), float(b - a)) for a, b, n in parts))


@st.composite
def some_parts(draw):
    parts, ours, theirs = [], 0, 0
    for _ in range(draw(st.integers(1, 6))):
        ours, theirs = ours + draw(st.integers(0, 50)), theirs + draw(st.integers(0, 50))
        size = draw(st.integers(1, 60))
        parts.append((ours, theirs, size))
        ours, theirs = ours + size, theirs + size
    return parts, (ours + draw(st.integers(0, 30)), theirs + draw(st.integers(0, 30)))


@given(some_parts())
def test_matched_parts_are_joined_in_order(made):
    parts, lengths = made
    reference, generated = (np.arange(size, dtype=np.float32) for size in lengths)
    found = laid(of_parts(*parts), reference, generated)
    assert found.reference.tolist() == [a + i for a, _, n in parts for i in range(n)]
    assert found.generated.tolist() == [b + i for _, b, n in parts for i in range(n)]
    assert sum(piece.length for piece in found.pieces) == found.reference.size == found.generated.size


@given(some_parts())
def test_every_position_of_a_matched_part_has_its_place_and_back(made):
    parts, lengths = made
    reference, generated = (np.arange(size, dtype=np.float32) for size in lengths)
    found = laid(of_parts(*parts), reference, generated)
    for at in range(found.reference.size):
        ours, theirs = float(found.reference[at]), float(found.generated[at])
        assert found.to_reference(at) == ours
        assert found.to_joined(ours) == at
        assert found.to_generated(ours) == theirs
        assert found.from_generated(theirs) == ours


@given(some_parts())
def test_positions_on_the_joined_axis_never_fall(made):
    parts, lengths = made
    found = laid(of_parts(*parts), *(np.zeros(size, np.float32) for size in lengths))
    joined = [found.to_joined(at) for at in range(parts[0][0], lengths[0])]
    assert joined == sorted(joined)
    assert max(joined, default=0) <= found.reference.size


def test_what_is_left_out_lies_where_it_would_be():
    found = laid(of_parts((0, 0, 100), (150, 100, 100)), np.zeros(250, np.float32), np.zeros(200, np.float32))
    assert [found.to_joined(at) for at in (99, 100, 120, 149, 150, 151)] == [99, 100, 100, 100, 100, 101]
    assert [found.to_reference(at) for at in (99, 100, 101)] == [99, 150, 151]


def test_a_position_between_two_samples_has_its_place_too():
    found = laid(of_parts((10, 30, 50)), np.zeros(100, np.float32), np.zeros(100, np.float32))
    assert found.to_reference(0.5) == 10.5
    assert found.to_joined(12.25) == 2.25
    assert (found.to_generated(12.25), found.from_generated(32.25)) == (32.25, 12.25)


def test_one_part_is_a_view(white):
    reference, generated = white(100), white(120)
    found = laid(of_parts((10, 30, 50)), reference, generated)
    assert np.shares_memory(found.reference, reference)
    assert np.shares_memory(found.generated, generated)


def test_nothing_that_matches_is_nothing(white):
    found = laid(Timeline(segments=(Segment("lost", (0, 100), (0, 0)),)), white(100), white(0))
    assert (found.reference.size, found.generated.size, found.pieces) == (0, 0, ())
    for position in (found.to_reference, found.to_joined, found.to_generated, found.from_generated):
        assert position(7.5) == 7.5


def test_a_part_ends_where_either_sound_does(white):
    found = laid(of_parts((0, 0, 100), (100, 120, 50)), white(140), white(150))
    assert [piece.length for piece in found.pieces] == [100, 30]
    found = laid(of_parts((0, 0, 100), (200, 120, 50)), white(140), white(150))
    assert [piece.length for piece in found.pieces] == [100]


def test_neither_mean_nor_gain_is_removed(white):
    reference, generated = white(100) + np.float32(0.5), np.float32(-3.0) * white(100)
    found = laid(of_parts((0, 0, 100)), reference, generated)
    assert np.array_equal(found.reference, reference)
    assert np.array_equal(found.generated, generated)


@pytest.mark.parametrize("edit", ["cut", "silence", "sound", "stutter", "again", "ends"])
def test_beside_what_was_edited_both_are_the_same(white, edit):
    sound = white(RATE)
    made = {
        "cut": lambda: make.cut_parts(sound, [(1000, 1100), (5000, 5040)]),
        "silence": lambda: make.insert_silence(sound, [1000, 5000], [40, 700]),
        "sound": lambda: make.insert_sound(sound, 1000, white(300, 5)),
        "stutter": lambda: make.stutter(sound, [(1000, 1160)]),
        "again": lambda: make.play_again(sound, 6000, (1000, 2000)),
        "ends": lambda: make.cut_ends(sound, 300, 500),
    }[edit]()
    found = laid(made.truth, made.reference, made.generated)
    assert np.array_equal(found.reference, found.generated)
    lost = sum(one.reference[1] - one.reference[0] for one in made.truth.segments if one.kind == "lost")
    assert found.reference.size == sound.size - lost


@pytest.mark.parametrize("delay", [0.25, 0.5, -0.25, 3.25])
def test_a_fraction_is_taken_out(low, delay):
    sound = low(RATE)
    generated = make.delay_by(sound, delay, RATE).generated
    late = round(delay)
    length = sound.size - late
    found = laid(
        Timeline("waveform", (Segment("matched", (0, length), (late, late + length), delay),), delay, resampled=True),
        sound,
        generated,
    )
    inside = slice(100, -100)
    assert found.generated[inside] == pytest.approx(found.reference[inside], abs=2e-3)


@pytest.mark.parametrize("ppm", [-200, 20, 200])
def test_a_drift_is_taken_out(low, ppm):
    sound = low(4 * RATE)
    generated = make.drift_by(sound, ppm).generated
    whole = Segment("matched", (0, sound.size), (0, generated.size))
    drift = 1 - 1 / (1 + 1e-6 * ppm)
    found = laid(Timeline("waveform", (whole,), drift=drift, resampled=True), sound, generated)
    assert found.reference.size == pytest.approx(sound.size, abs=10)
    off = (found.generated - found.reference)[400:-400]
    assert np.sqrt(np.square(off).mean()) < 0.002 * np.sqrt(np.square(sound).mean())


@pytest.mark.parametrize("later", [0.5, -0.3])
def test_what_was_cut_from_a_copy_off_by_a_fraction_lies_sample_on_sample(low, timeline, later):
    reference = low(4 * RATE)
    generated = np.delete(shifted(reference, later), slice(16_000, 16_800))
    found = timeline(reference, generated)
    assert [one.kind for one in found.segments if one.kind != "matched"] == ["lost"]
    assert [one.delay for one in found.segments if one.kind == "matched"] == pytest.approx(
        [later, later - 800], abs=0.01
    )
    both = laid(found, reference, generated)
    assert both.reference.size == pytest.approx(reference.size - 800, abs=4)
    assert np.std(both.generated[100:-100] - both.reference[100:-100]) < 0.003 * reference.std()


@pytest.mark.parametrize("ppm", [150.0, -150.0])
def test_places_of_a_sound_that_drifts_are_those_of_its_own_clock(low, timeline, ppm):
    reference = low(6 * RATE)
    generated = make.drift_by(reference, ppm).generated
    both = laid(timeline(reference, generated), reference, generated)
    late = 40_000 * ppm / 1e6
    assert both.to_generated(40_000) == pytest.approx(40_000 + late, abs=0.6)
    assert both.from_generated(40_000 + late) == pytest.approx(40_000, abs=0.6)
