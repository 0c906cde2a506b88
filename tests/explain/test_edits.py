"""An edit of the time axis is believed in full where all edits of the sound are named: scripts with known segments."""

from types import SimpleNamespace

import numpy as np
import pytest
from msgspec import structs

from diagnose.analysis import Pair, Signal
from diagnose.audio import from_array
from diagnose.explain import with_proof
from diagnose.explain.confidence import BELIEFS, Basis
from diagnose.explain.edits import EDITS, OF_ALL, SHORTEST_S, SILENT_DB, all_accounted
from diagnose.results.cause import Cause, Explained
from diagnose.timeline import Segment

RATE = 16_000
SECOND = RATE


def laid(*segments, method="waveform", generated=None):
    mono = np.ones(20 * SECOND) if generated is None else generated
    side = SimpleNamespace(mono=mono)
    timeline = SimpleNamespace(method=method, segments=segments)
    return SimpleNamespace(
        timeline=timeline, rate=RATE, generated=side, reference=SimpleNamespace(mono=np.ones(mono.size))
    )


def matched(reference, generated, length=4 * SECOND):
    return Segment("matched", (reference, reference + length), (generated, generated + length))


def lost(at, length, generated, content="sound"):
    return Segment("lost", (at, at + length), (generated, generated), content=content)


def more(kind, at, length, reference, content="sound"):
    return Segment(kind, (reference, reference), (at, at + length), content=content)


def between(step):
    """A step between two matched parts; where it lies in the reference is not asked."""
    return laid(matched(0, 0), step, matched(6 * SECOND, 6 * SECOND))


INSIDE = (
    (lost(4 * SECOND, SECOND, 4 * SECOND), "segment-lost"),
    (more("inserted", 4 * SECOND, SECOND, 4 * SECOND), "segment-inserted"),
    (more("inserted", 4 * SECOND, SECOND, 4 * SECOND, "silence"), "segment-inserted"),
    (more("repeated", 4 * SECOND, SECOND, 4 * SECOND), "segment-repeated"),
)


@pytest.mark.parametrize(("step", "maker"), INSIDE)
def test_an_edit_inside_is_that_of_its_kind(step, maker):
    assert {each for each in EDITS if all_accounted(between(step), {each})} == {maker}
    assert all_accounted(between(step), {maker, "gain"})
    assert not all_accounted(between(step), set())


@pytest.mark.parametrize("id", OF_ALL)
def test_what_moves_all_parts_accounts_for_every_edit(id):  # noqa: A002
    assert all_accounted(between(INSIDE[3][0]), {id})


@pytest.mark.parametrize(
    ("step", "makers"),
    [
        (more("inserted", 0, SECOND, 0), {"segment-inserted", "segment-repeated"}),
        (more("inserted", 0, SECOND, 0, "silence"), {"segment-inserted", "segment-repeated", "delay", "padded"}),
        (lost(0, SECOND, 0), {"truncated", "delay"}),
    ],
)
def test_an_edit_at_either_end_has_makers_of_its_own(step, makers):
    first = laid(step, matched(SECOND, SECOND))
    last = laid(matched(0, 0), structs.replace(step))
    for pair in (first, last):
        assert {each for each in EDITS if all_accounted(pair, {each})} == makers


def test_a_tail_and_a_room_go_on_after_the_end():
    pair = laid(matched(0, 0), more("inserted", 4 * SECOND, SECOND, 4 * SECOND))
    assert all(all_accounted(pair, {each}) for each in ("tail-added", "reverberation"))


def test_silence_that_was_lost_and_what_was_replaced_ask_for_nobody():
    replaced = Segment("replaced", (0, SECOND), (0, SECOND), content="sound")
    for step in (lost(0, SECOND, 0, "silence"), replaced):
        assert all_accounted(laid(step, matched(SECOND, SECOND)), set())


@pytest.mark.parametrize(("more_samples", "counts"), [(-1, False), (0, True)])
def test_what_is_shorter_than_a_delay_that_is_named_does_not_count(more_samples, counts):
    step = lost(4 * SECOND, round(SHORTEST_S * RATE) + more_samples, 4 * SECOND)
    assert all_accounted(between(step), set()) is not counts
    assert SHORTEST_S == 0.02


@pytest.mark.parametrize(("db", "silent"), [(SILENT_DB - 1, True), (SILENT_DB + 1, False)])
def test_where_the_script_does_not_say_the_level_does(db, silent):
    """The first of 20 s at this level to the whole, of which it is no part to speak of."""
    mono = np.ones(20 * SECOND)
    mono[:SECOND] = 10 ** (db / 20)
    pair = laid(more("inserted", 0, SECOND, 0, None), matched(0, SECOND, 19 * SECOND), generated=mono)
    assert all_accounted(pair, {"delay"}) is silent
    assert SILENT_DB == -40


@pytest.mark.parametrize("method", ["spectrogram", "warped", "none"])
def test_only_a_copy_has_edits_that_count(method):
    assert all_accounted(laid(matched(0, 0), INSIDE[3][0], method=method), set())
    assert all_accounted(laid(INSIDE[3][0]), set())


def believed_of(sound, broken, *named):
    pair = Pair(*(Signal(from_array(np.float32(side), RATE)) for side in (sound, broken)))
    return {cause.id: (cause.confidence, cause.basis) for cause in with_proof(pair, named)[0]}


def recognised(id, *folded):  # noqa: A002
    return Cause(id, 0.99, f"it is {id}", (), "look there", explains=tuple(Explained(each, "") for each in folded))


def test_one_edit_of_two_is_not_sure_until_the_other_is_named(sound):
    """The second bar is lost, and 0.2 s of silence stand between the third and the fourth."""
    broken = np.concatenate([sound[:8000], sound[16_000:24_000], np.zeros(3200), sound[24_000:]])
    alone = believed_of(sound, broken, recognised("segment-lost"))
    assert alone["segment-lost"] == (BELIEFS[Basis.EDIT].most, Basis.EDIT.value)
    both = believed_of(sound, broken, recognised("segment-lost"), recognised("segment-inserted"))
    folded = believed_of(sound, broken, recognised("segment-lost", "segment-inserted"))
    assert both["segment-lost"] == folded["segment-lost"] == (0.99, Basis.RECOGNISED.value)
