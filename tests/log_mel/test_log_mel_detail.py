"""Detail that is lost along frequency, and levels that are drawn to their mean."""

import numpy as np
import pytest

from diagnose.log_mel import detail
from diagnose.log_mel.detail import FINEST, LEAST_MOVED, LOST, ORDERS, lost_detail, regressed


def cosines(count):
    """The cosine transform by its definition."""
    order, place = np.arange(count)[:, None], np.arange(count) + 0.5
    matrix = np.cos(np.pi * order * place / count) * np.sqrt(2 / count)
    matrix[0] /= np.sqrt(2)
    return matrix


def without(levels, first, left=0.0):
    """Of the orders from the first on, so much is left."""
    matrix = cosines(levels.shape[1])
    found = levels @ matrix.T
    found[:, first:] *= left
    return np.float32(found @ matrix)


@pytest.mark.parametrize("first", [order for order in ORDERS if order <= FINEST])
def test_detail_from_an_order_on_is_lost(rough, fitted, first):
    theirs = without(rough, first)
    found = fitted(lost_detail, rough, theirs)
    assert found.id == "over-smoothed"
    assert found.parameters["bands"][0] == pytest.approx(80 / first)
    assert found.parameters["left"][0] < 0.1
    assert found.apply(rough) == pytest.approx(theirs, abs=0.3)


@pytest.mark.parametrize(("left", "is_lost"), [(LOST - 0.1, True), (LOST + 0.1, False)])
def test_so_much_of_it_has_to_be_lost(rough, fitted, left, is_lost):
    assert (fitted(lost_detail, rough, without(rough, 8, left)) is not None) is is_lost
    assert LOST == 0.7


def test_what_is_finer_than_phases_leave_is_no_detail(rough, fitted):
    assert fitted(lost_detail, rough, without(rough, 34)) is None
    assert fitted(lost_detail, rough, without(rough, FINEST)) is not None
    assert FINEST == 24


def test_an_orders_transfer_is_no_more_than_a_little_over_one(rough, fitted):
    """What is twice as deep is no lost detail, and is not told as one beside what is lost."""
    matrix = cosines(80)
    found = rough @ matrix.T
    found[:, 5:8] *= 2
    found[:, 12:] = 0
    step = fitted(lost_detail, rough, np.float32(found @ matrix))
    applied = step.apply(rough) @ matrix.T
    assert np.abs(applied[:, 5:8]).sum() < 1.25 * np.abs((rough @ matrix.T)[:, 5:8]).sum()


@pytest.mark.parametrize("left", [0.0, 0.3, 0.8])
def test_levels_are_drawn_to_their_mean_in_time(levels, fitted, left):
    mean = levels.mean(axis=0)
    theirs = mean + left * (levels - mean)
    found = fitted(regressed, levels, theirs)
    assert found.parameters["moves"][0] == pytest.approx(left, abs=0.02)
    assert found.apply(levels) == pytest.approx(theirs, abs=0.1)
    assert found.charged == 1


@pytest.mark.parametrize(("left", "is_drawn"), [(LEAST_MOVED - 0.03, True), (LEAST_MOVED + 0.03, False), (1.4, False)])
def test_what_moves_as_far_was_not_drawn(levels, fitted, left, is_drawn):
    mean = levels.mean(axis=0)
    assert (fitted(regressed, levels, mean + left * (levels - mean)) is not None) is is_drawn
    assert LEAST_MOVED == 0.9


@pytest.mark.parametrize("operation", [lost_detail, regressed])
def test_a_steady_sound_has_no_detail_to_lose(smooth_levels, fitted, operation):
    even = smooth_levels(3, -1.0, 0.0)
    assert fitted(operation, even, np.full_like(even, -0.5)) is None


def test_frames_near_the_floor_are_not_looked_at(rough, fitted, monkeypatch):
    """Half of the frames are silent in both: nothing is known of them."""
    ours, theirs = rough.copy(), without(rough, 8)
    ours[120:], theirs[120:] = -11.5, -11.5
    assert fitted(lost_detail, ours, theirs).parameters["left"][0] < 0.1
    monkeypatch.setattr(detail, "ABOVE_FLOOR", -100.0)
    assert fitted(lost_detail, ours, theirs) is not None
