import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.timeline.path import Copy, Run
from diagnose.timeline.seams import placed

RATE = 8000
NEAR = 3  # samples: a border moves where a sample happens to fit on both sides


def borders(copy, *runs):
    return [(run.start, run.end) for run in placed(copy, [Run(*run) for run in runs])]


@pytest.mark.parametrize("gain", [1.0, -0.5, 20.0])
@pytest.mark.parametrize("off", [-150, -20, 0, 7, 150])
@pytest.mark.parametrize("lost", [40, 400])
def test_a_cut_is_placed_to_the_sample(white, gain, off, lost):
    reference = white(8000)
    generated = np.float32(gain) * np.concatenate([reference[:4000], reference[4000 + lost :]])
    copy = Copy(reference, generated, RATE, gain)
    (_, end), (start, last) = borders(copy, (0, 4000 + off, 0), (4000 + off, generated.size, -lost))
    assert (end, start) == pytest.approx((4000, 4000), abs=NEAR)
    assert (last, start >= end) == (generated.size, True)


@given(st.integers(500, 3500), st.integers(-150, 150), st.integers(10, 400))
def test_a_cut_anywhere_is_placed_to_the_sample(white, at, off, lost):
    reference = white(4500, 3)
    generated = np.concatenate([reference[:at], reference[at + lost :]])
    copy = Copy(reference, generated, RATE, 1.0)
    (_, end), (start, _) = borders(copy, (0, at + off, 0), (at + off, generated.size, -lost))
    assert (end, start) == pytest.approx((at, at), abs=NEAR)


@pytest.mark.parametrize("what", ["silence", "sound"])
@pytest.mark.parametrize("size", [40, 400, 1600])
@pytest.mark.parametrize("off", [(0, 0), (-100, 100), (60, -60)])
def test_what_is_put_in_belongs_to_neither(white, what, size, off):
    reference = white(8000)
    added = white(size, 7) if what == "sound" else np.zeros(size, np.float32)
    generated = np.concatenate([reference[:4000], added, reference[4000:]])
    copy = Copy(reference, generated, RATE, 1.0)
    left, right = 4000 + min(off[0], size // 2), 4000 + size + max(off[1], -(size // 2))
    (_, end), (start, _) = borders(copy, (0, left, 0), (right, generated.size, size))
    assert end == pytest.approx(4000, abs=2 * NEAR)
    assert start == pytest.approx(4000 + size, abs=2 * NEAR)


@pytest.mark.parametrize(("off", "found"), [(155, True), (165, False), (-155, True), (-165, False)])
def test_a_border_is_looked_for_within_20_ms(white, off, found):
    reference = white(8000)
    generated = np.concatenate([reference[:4000], reference[4400:]])
    copy = Copy(reference, generated, RATE, 1.0)
    (_, end), (start, _) = borders(copy, (0, 4000 + off, 0), (4000 + off, generated.size, -400))
    assert (abs(end - 4000) <= NEAR and abs(start - 4000) <= NEAR) == found


def test_a_border_is_not_moved_past_the_middle_of_a_run(white):
    reference = white(8000)
    generated = np.concatenate([reference[:4000], reference[4400:]])
    copy = Copy(reference, generated, RATE, 1.0)
    (_, end), (start, _) = borders(copy, (0, 4100, 0), (4100, 4140, -400))
    assert (start, end) == pytest.approx((4000, 4000), abs=NEAR)
    (_, end), _ = borders(copy, (4060, 4100, 0), (4100, 7600, -400))
    assert end >= 4080


@pytest.mark.parametrize("run", [(0, 1000, 0), (-300, 1400, 0), (-300, 1400, 250), (0, 5000, -100)])
def test_one_run_ends_where_the_reference_does(white, run):
    copy = Copy(white(1000), white(1500, 7), RATE, 1.0)
    assert placed(copy, [Run(*run)]) == [Run(*run).within(1000)]


def test_a_run_that_vanishes_is_left_out(white):
    copy = Copy(white(1000), white(3000), RATE, 1.0)
    assert placed(copy, [Run(0, 1000, 0), Run(1200, 1300, -5000)]) == [Run(0, 1000, 0)]
    assert placed(copy, []) == []


def test_silence_has_borders_too():
    nothing = np.zeros(4000, np.float32)
    found = placed(Copy(nothing, nothing, RATE, 1.0), [Run(0, 2000, 0), Run(2000, 4000, -100)])
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))


@settings(max_examples=25)
@given(st.lists(st.integers(100, 800), min_size=1, max_size=6), st.data())
def test_runs_stay_in_order_and_within(white, sizes, data):
    reference, edges = white(3000, 4), [0, *itertools.accumulate(sizes)]
    generated = white(edges[-1], 5)
    delays = [data.draw(st.integers(-3500, edges[-1])) for _ in sizes]
    runs = [Run(a, b, delay) for (a, b), delay in zip(itertools.pairwise(edges), delays, strict=True)]
    found = placed(Copy(reference, generated, RATE, 1.0), runs)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    for run in found:
        assert 0 <= run.start < run.end <= generated.size
        assert 0 <= run.reference[0] < run.reference[1] <= reference.size
