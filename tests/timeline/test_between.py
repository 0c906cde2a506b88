"""Parts between two runs, in copies whose script is known."""

import itertools

import numpy as np
import pytest

from diagnose.timeline.between import CHANCE, GAP_S, JUMP_S, MOST_RUNS, REACH_S, SHORTEST_S, divided
from diagnose.timeline.path import Copy, Run

RATE = 8000
CUT = 160
NEAR = 4  # samples: a border moves where a sample happens to fit on both sides


def with_cuts(sound, places):
    """The sound without CUT samples at each place."""
    return np.delete(sound, np.concatenate([np.arange(place, place + CUT) for place in places]))


def copy_of(reference, generated, noise=0.0):
    copy = Copy(reference, generated.astype(np.float32), RATE, 1.0)
    copy.noise = max(copy.noise, 3 * copy.hop * noise**2)
    return copy


@pytest.mark.parametrize("border", [4000, 5000, 6800])
def test_a_part_that_was_passed_over_is_found(white, border):
    """Two cuts, of which the runs know but one jump, wherever the search has put it."""
    reference = white(12_000)
    generated = with_cuts(reference, [4000, 7160])
    runs = [Run(0, border, 0), Run(border, generated.size, -2 * CUT)]
    found = divided(copy_of(reference, generated), runs)
    assert [run.delay for run in found] == [0, -CUT, -2 * CUT]
    assert [run.end for run in found] == pytest.approx([4000, 7000, generated.size], abs=NEAR)


def test_two_parts_that_were_passed_over_are_found_by_the_usual_jump(white):
    reference, places = white(24_000), [3000, 6000, 9000, 12_000, 15_000, 18_000]
    generated = with_cuts(reference, places)
    edges = [0, *(place - CUT * index for index, place in enumerate(places)), generated.size]
    every = [Run(a, b, -CUT * index) for index, (a, b) in enumerate(itertools.pairwise(edges))]
    known = [*every[:3], Run(every[3].start, every[5].end, every[5].delay), every[6]]
    found = divided(copy_of(reference, generated), known)
    assert [run.delay for run in found] == [run.delay for run in every]


def test_one_cut_stays_one(white):
    reference = white(12_000)
    generated = with_cuts(reference, [5000])
    runs = [Run(0, 5000, 0), Run(5000, generated.size, -CUT)]
    assert divided(copy_of(reference, generated), runs) == runs


@pytest.mark.parametrize(("level", "found"), [(0.02, False), (0.3, True)])
def test_noise_hides_a_part_that_is_far_quieter(white, level, found):
    """0.3 of the noise's amplitude over 3000 samples is 270 times its power: past CHANCE.  0.02 of it is 1."""
    noise = 0.01
    reference = white(12_000)
    reference[3800:7400] *= level * noise / 0.1
    assert 3000 * 0.02**2 < CHANCE < 3000 * 0.3**2
    generated = with_cuts(reference, [4000, 7160]) + noise / 0.1 * white(12_000 - 2 * CUT, 9)
    runs = [Run(0, 5500, 0), Run(5500, generated.size, -2 * CUT)]
    assert (len(divided(copy_of(reference, generated, noise), runs)) == 3) == found


@pytest.mark.parametrize(("factor", "found"), [(0.7, False), (1.4, True)])
def test_a_part_is_30_ms_at_least(white, factor, found):
    size = round(factor * SHORTEST_S * RATE)
    reference = white(12_000)
    generated = with_cuts(reference, [4000, 4000 + CUT + size])
    runs = [Run(0, 4000, 0), Run(4000, generated.size, -2 * CUT)]
    assert (len(divided(copy_of(reference, generated), runs)) == 3) == found


@pytest.mark.parametrize(("factor", "found"), [(0.7, False), (1.4, True)])
def test_a_part_lies_2_ms_off_at_least(white, factor, found):
    """Nearer, it is one delay that moves."""
    cut = round(factor * JUMP_S * RATE)
    reference = white(12_000)
    generated = np.delete(reference, np.r_[4000 : 4000 + cut, 7000 : 7000 + cut])
    runs = [Run(0, 5000, 0), Run(5000, generated.size, -2 * cut)]
    assert (len(divided(copy_of(reference, generated), runs)) == 3) == found


@pytest.mark.parametrize("gap_s", [0.8 * GAP_S, 4 * GAP_S])
def test_what_no_run_explains_is_filled(white, gap_s):
    gap = round(gap_s * RATE)
    reference = white(12_000)
    generated = with_cuts(reference, [4000, 4000 + CUT + gap])
    runs = [Run(0, 4000, 0), Run(4000 + gap, generated.size, -2 * CUT)]
    assert divided(copy_of(reference, generated), runs)[1] == Run(4000, 4000 + gap, -CUT)


def test_another_sound_between_two_runs_stays_unexplained(white):
    reference = white(12_000)
    generated = np.concatenate([reference[:4000], white(1000, 5), reference[4320:]])
    runs = [Run(0, 4000, 0), Run(5000, generated.size, 680)]
    assert divided(copy_of(reference, generated), runs) == runs


def test_a_part_is_looked_for_within_three_seconds(white):
    far = round(1.5 * REACH_S * RATE)
    reference = white(4 * far)
    generated = with_cuts(reference, [far, far + CUT + 1000])
    runs = [Run(0, 2 * far + 4000, 0), Run(2 * far + 4000, generated.size, -2 * CUT)]
    assert divided(copy_of(reference, generated), runs) == runs


def test_many_runs_are_left_as_they_are(white):
    reference = white(MOST_RUNS * 100 + 4000)
    runs = [Run(100 * index, 100 * index + 100, 400 * (index % 2)) for index in range(MOST_RUNS + 1)]
    assert divided(copy_of(reference, reference), runs) == runs
    assert divided(copy_of(reference, reference), []) == []
