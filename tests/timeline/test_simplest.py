import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.timeline.path import TINY, WELL, Fit, Material, Run
from diagnose.timeline.search import Path
from diagnose.timeline.simplest import joined, simplified

HOP = 20
EXACT = 1.0


class Told(Material):
    """A sound of frames of energy 1, of which each delay explains what is told."""

    hop, shortest_s, searched_s = HOP, 0.012, 0.12

    def __init__(self, explained, frames, longer=0, rate=8000, otherwise=0.0, energy=1.0):
        self.explained, self.otherwise, self.frames = explained, otherwise, frames
        lengths = frames * HOP - longer, frames * HOP
        super().__init__(np.broadcast_to(energy, frames).astype(float), lengths, rate, 1.0)

    def fit(self, delay):
        """Of r^2 at its own gain; a part of a sound is (first, last, r^2) or (first, last, r^2, gain)."""
        found = np.full(self.frames, self.otherwise)
        gains = np.ones(self.frames)
        for first, last, share, *gain in self.explained.get(delay, ()):
            found[first:last] = share
            gains[first:last] = gain or 1.0
        return Fit(self.energy * found / gains**2, self.energy * found / gains)


class Likely:
    """A source that knows of these delays."""

    def __init__(self, *delays):
        self.delays = list(delays)

    def likely(self, start, end, expected):
        return self.delays


def scoring(score):
    """The r^2 that a frame has of a score in nats."""
    return 1 - np.exp(-(score + 0.3))


def laid(runs, explained, *likely, noise=1e-9, **options):
    """(start, end, delay), in frames and samples, of the simplest of what these runs say; in the same terms."""
    frames = options.pop("frames", max(end for _, end, _ in runs))
    material = Told(explained, frames, **options)
    path = Path(material, list(dict.fromkeys(delay for *_, delay in runs)))
    material.noise = noise + TINY
    path.rescore()
    found = simplified(path, Likely(*likely), [Run(first * HOP, last * HOP, delay) for first, last, delay in runs])
    return [(run.start // HOP, run.end // HOP, run.delay) for run in found]


# Runs of one delay


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5), st.integers(0, 2)), max_size=12))
def test_runs_of_one_delay_are_one(parts):
    runs, at = [], 0
    for gap, size, delay in parts:
        runs.append(Run(at + gap, at + gap + size, delay))
        at += gap + size
    found = joined(runs)
    assert all(a.delay != b.delay and a.end <= b.start for a, b in itertools.pairwise(found))
    for run in runs:
        assert any(each.start <= run.start and run.end <= each.end and each.delay == run.delay for each in found)
    assert {run.start for run in found} <= {run.start for run in runs}
    assert {run.end for run in found} <= {run.end for run in runs}
    assert joined(found) == found


def test_what_lies_at_one_delay_is_one_run():
    assert laid([(0, 30, 0), (40, 60, 0)], {0: [(0, 30, EXACT), (40, 60, EXACT)]}) == [(0, 60, 0)]


# Mere likenesses


def two_parts(score, gain=1.0, **options):
    """An exact copy, and after a jump a part of such a score."""
    explained = {0: [(0, 80, EXACT)], 300: [(80, 100, scoring(score), gain)]}
    return laid([(0, 80, 0), (80, 100, 300)], explained, longer=300, **options)


@pytest.mark.parametrize(("share", "kept"), [(0.29, False), (0.32, False), (0.38, True), (0.45, True), (1.0, True)])
def test_a_run_is_a_likeness_that_has_less_than_a_third_of_the_score_it_may_have(share, kept):
    assert two_parts(share * WELL) == [(0, 80, 0), *([(80, 100, 300)] if kept else [])]


@pytest.mark.parametrize(("score", "kept"), [(0.25, False), (0.35, True)])
def test_in_much_noise_a_run_has_to_explain_something_all_the_same(score, kept):
    noise = 0.22  # allows 0.7 nats, of which a third would be 0.24
    share = (1 - np.exp(-(score + 0.3 * (1 - 2 * noise)))) * (1 + noise)
    explained = {0: [(0, 80, EXACT)], 300: [(80, 100, share)]}
    found = laid([(0, 80, 0), (80, 100, 300)], explained, longer=300, noise=noise)
    assert found == [(0, 80, 0), *([(80, 100, 300)] if kept else [])]


@pytest.mark.parametrize(("gain", "kept"), [(1.0, True), (1.25, True), (1.45, False)])
@pytest.mark.parametrize("inverse", [False, True])
def test_a_run_is_as_loud_as_the_whole(gain, kept, inverse):
    found = two_parts(6.0, 1 / gain if inverse else gain)
    assert found == [(0, 80, 0), *([(80, 100, 300)] if kept else [])]


def test_what_lies_in_silence_is_no_run():
    energy = np.repeat([1.0, 0.0], [80, 20])
    explained = {0: [(0, 80, EXACT)], 300: [(80, 100, EXACT)]}
    assert laid([(0, 80, 0), (80, 100, 300)], explained, longer=300, energy=energy) == [(0, 80, 0)]


def test_where_all_are_likenesses_the_first_is_kept():
    explained = {0: [(0, 50, 0.4)], 300: [(50, 100, 0.4)]}
    assert laid([(0, 50, 0), (50, 100, 300)], explained, longer=300) == [(0, 50, 0)]


# Detours


def detour(score, in_place=0.0, back=0, runs=1, rate=8000):
    """Whether a way to other delays and back is kept, of such a score there and in its place."""
    size = 12
    edges = [30 + size * i for i in range(runs + 1)]
    away = [(a, b, 1000 * (i + 1)) for i, (a, b) in enumerate(itertools.pairwise(edges))]
    explained = {delay: [(a, b, scoring(score))] for a, b, delay in away}
    explained[0] = [(0, 30, EXACT), (30, edges[-1], scoring(in_place))]
    explained.setdefault(back, []).append((edges[-1], 200, EXACT))
    found = laid([(0, 30, 0), *away, (edges[-1], 200, back)], explained, longer=back, rate=rate)
    without = [(0, 200, 0)] if back == 0 else [(0, 30, 0), (edges[-1], 200, back)]
    assert found == without or found == [(0, 30, 0), *away, (edges[-1], 200, back)]
    return found != without


@pytest.mark.parametrize(("share", "kept"), [(0.70, False), (0.95, False), (0.985, True), (1.5, True)])
def test_a_way_there_and_back_is_kept_for_an_exact_copy(share, kept):
    assert detour(share * WELL) == kept


@pytest.mark.parametrize(("share", "kept"), [(0.1, True), (0.55, True), (0.65, False), (0.9, False)])
def test_a_way_there_and_back_is_not_kept_where_what_is_in_its_place_is_nearly_one(share, kept):
    assert detour(6.0, share * WELL) == kept


@pytest.mark.parametrize(("runs", "kept"), [(1, False), (2, False), (3, False), (4, True)])
def test_a_detour_has_three_runs_at_most(runs, kept):
    assert detour(0.8 * WELL, runs=runs) == kept


@pytest.mark.parametrize(("back", "kept"), [(8, False), (-8, False), (11, True), (-11, True)])
def test_back_is_within_a_fifth_of_a_millisecond(back, kept):
    assert detour(0.8 * WELL, back=back, rate=48_000) == kept  # 9.6 samples


def test_a_detour_at_the_start_comes_from_start_on_start():
    explained = {500: [(0, 20, scoring(3.0))], 0: [(20, 100, EXACT)]}
    assert laid([(0, 20, 500), (20, 100, 0)], explained) == [(20, 100, 0)]


def test_a_detour_at_the_end_goes_to_end_on_end():
    explained = {0: [(0, 80, EXACT)], 500: [(80, 100, scoring(3.0))]}
    assert laid([(0, 80, 0), (80, 100, 500)], explained) == [(0, 80, 0)]
    assert laid([(0, 80, 0), (80, 100, 500)], explained, longer=500) == [(0, 80, 0), (80, 100, 500)]


# Jumps


def jumps(delay, here, there, frames=10, **options):
    """Whether a run that lies at a delay is left there, though it could lie in its place; what either leaves over."""
    explained = {delay: [(0, frames, 1 - here)], 0: [(0, frames, 1 - there)], 77: []}
    runs = [(0, frames, delay)]
    material = Told(explained, frames, **options)
    path = Path(material, [delay, 77])  # of one delay there would be nothing to choose
    material.noise = 1e-9
    path.rescore()
    found = simplified(path, Likely(), [Run(a * HOP, b * HOP, each) for a, b, each in runs])
    assert [(run.start, run.end) for run in found] == [(0, frames * HOP)]
    return found[0].delay != 0


def costing(nats):
    """A delay that costs so much, to go to and to come back from: 4 log(1 + delay / 5 ms) either way."""
    return round(40 * np.expm1(nats / 8))


@pytest.mark.parametrize(("nats", "left"), [(23.5, True), (32.0, False)])
def test_a_frame_that_is_explained_better_speaks_for_a_jump_with_four_times_its_nats(nats, left):
    assert jumps(costing(nats), 0.1, 0.2) == left  # 40 log 2 = 27.7


@pytest.mark.parametrize(("nats", "left"), [(23.5, True), (32.0, False)])
def test_what_is_left_over_40_db_lower_is_nothing(nats, left):
    assert jumps(costing(nats), 0.0, 1e-4) == left  # 40 log 2 again: both have 1e-4 more


@pytest.mark.parametrize(("nats", "left"), [(9.0, False), (11.0, True)])
def test_a_jump_of_5_ms_costs_seven_tenths_of_a_change(nats, left):
    assert jumps(100, 0.1, 0.1 * np.exp(nats / 40)) == left  # 12.5 ms, there and back, cost 8 log(1 + 2.5) = 10.0


def test_of_places_that_are_alike_the_one_on_the_way_is_taken():
    """A tone of a period of 100 samples: whatever lies a period off is explained as well."""
    tone = {delay: [(40, 80, EXACT)] for delay in range(-300, 900, 100)}
    tone[0] = [(0, 80, EXACT)]
    tone[600] = [(40, 120, EXACT)]
    found = laid([(0, 40, 0), (40, 80, -200), (80, 120, 600)], tone, *range(-300, 900, 100), longer=600)
    assert found in ([(0, 80, 0), (80, 120, 600)], [(0, 40, 0), (40, 120, 600)])


def test_a_likely_delay_that_was_not_yet_found_is_taken_where_it_is_nearer():
    explained = {0: [(0, 40, EXACT)], 900: [(40, 80, EXACT)], 350: [(40, 80, EXACT)], 300: [(80, 120, EXACT)]}
    found = laid([(0, 40, 0), (40, 80, 900), (80, 120, 300)], explained, 350, longer=300)
    assert found == [(0, 40, 0), (40, 80, 350), (80, 120, 300)]


@pytest.mark.parametrize(("runs", "left"), [(200, 1), (201, 201)])
def test_of_over_200_runs_none_is_simplified(runs, left):
    steps = [(i, i + 1, 500 * (i + 1)) for i in range(runs)]  # all explained alike everywhere
    assert len(laid(steps, {}, otherwise=EXACT)) == left


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from([-400, 0, 120, 900])), min_size=1, max_size=8), st.data())
def test_the_simplest_runs_stay_in_order_and_say_no_more(parts, data):
    ends = list(itertools.accumulate(size for size, _ in parts))
    runs = [(end - size, end, delay) for end, (size, delay) in zip(ends, parts, strict=True)]
    shares = {}
    for first, last, delay in runs:
        shares.setdefault(delay, []).append((first, last, data.draw(st.sampled_from([0.3, 0.9, 0.97, 1.0]))))
    found = laid(runs, shares, 60)
    assert found
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(found))
    assert all(0 <= a < b <= ends[-1] for a, b, _ in found)
    assert len(found) <= len(runs)
    assert {delay for *_, delay in found} <= {0, 60, *(delay for *_, delay in runs)} | {
        (a + b) // 2 for a, b in itertools.product([0, 60, -400, 120, 900], repeat=2)
    }
