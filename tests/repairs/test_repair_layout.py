"""A layout: parts of the generated sound where they belong, and what of the time cannot be had again."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.repairs.layout import layout_of
from diagnose.timeline import Piece, Segment, Timeline

RATE = 1000
SOUND = np.arange(1.0, 4001.0)


def made(segments, pieces, native=RATE, samples=SOUND):
    layout = layout_of(Timeline("waveform", tuple(segments)), pieces, RATE, native)
    return layout, layout.placed(layout.on_axis(samples))


def test_what_was_inserted_is_cut_and_what_was_lost_is_silence():
    segments = [
        Segment("matched", (0, 1000), (0, 1000)),
        Segment("inserted", (1000, 1000), (1000, 1100), content="sound"),
        Segment("matched", (1000, 2000), (1100, 2100)),
        Segment("lost", (2000, 2050), (2100, 2100), content="sound"),
        Segment("matched", (2050, 3950), (2100, 4000)),
    ]
    pieces = [Piece(0, 0, 0, 1000), Piece(1000, 1000, 1100, 1000), Piece(2000, 2050, 2100, 1900)]
    layout, placed = made(segments, pieces)
    assert np.array_equal(placed, np.concatenate([SOUND[:1000], SOUND[1100:2100], np.zeros(50), SOUND[2100:]]))
    assert layout.ids == ("segment-inserted",)
    assert "100 ms" in layout.summary
    assert [(one.id, "50 ms" in one.reason) for one in layout.lost] == [("segment-lost", True)]


def test_what_was_replaced_stays_in_its_place():
    segments = [
        Segment("inserted", (0, 0), (0, 500), content="silence"),
        Segment("matched", (0, 1000), (500, 1500)),
        Segment("replaced", (1000, 1300), (1500, 1800), content="sound"),
        Segment("matched", (1300, 3500), (1800, 4000)),
    ]
    layout, placed = made(segments, [Piece(0, 0, 500, 1000), Piece(1000, 1300, 1800, 2200)])
    assert np.array_equal(placed, SOUND[500:])
    assert layout.ids == ("delay",)
    assert [one.id for one in layout.lost] == ["segment-replaced"]


@pytest.mark.parametrize(
    ("kind", "content", "id", "lost"),
    [
        ("inserted", "silence", "padded", False),
        ("inserted", "sound", "segment-inserted", False),
        ("lost", "sound", "delay", True),
    ],
)
def test_the_end_has_names_of_its_own(kind, content, id, lost):  # noqa: A002
    spans = ((3000, 3000), (3000, 4000)) if kind == "inserted" else ((3000, 4000), (3000, 3000))
    layout, placed = made(
        [Segment("matched", (0, 3000), (0, 3000)), Segment(kind, *spans, content=content)], [Piece(0, 0, 0, 3000)]
    )
    assert placed.size == 3000
    assert layout.ids == (id,)
    assert [one.id for one in layout.lost] == (["truncated"] if lost else [])


def test_a_sound_of_a_higher_rate_is_cut_at_its_own():
    segments = [
        Segment("inserted", (0, 0), (0, 100), content="silence"),
        Segment("matched", (0, 1900), (100, 2000)),
    ]
    layout, placed = made(segments, [Piece(0, 0, 100, 1900)], native=2 * RATE)
    assert np.array_equal(placed, SOUND[200:])
    assert "100 ms of silence cut at the start" in layout.summary


def test_many_edits_are_counted_after_the_third():
    segments, pieces = [], []
    for index in range(6):
        segments += [
            Segment("matched", (500 * index, 500 * (index + 1)), (600 * index, 600 * index + 500)),
            Segment("repeated", (0, 0), (600 * index + 500, 600 * (index + 1)), source=(0, 100)),
        ]
        pieces.append(Piece(500 * index, 500 * index, 600 * index, 500))
    assert made(segments, pieces)[0].summary.endswith("; 3 more")
