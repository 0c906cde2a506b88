"""A plane out of any array that holds a mel."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diagnose.errors import InputError
from diagnose.mel.array import plane


def ramp(bands=80, frames=200):
    return np.add.outer(np.linspace(0, -8, bands), np.sin(np.arange(frames) / 9)) + np.arange(bands)[:, None] % 7


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: x[None], lambda x: x[None, None]], ids=["2d", "3d", "4d"])
@pytest.mark.parametrize("turn", [False, True], ids=["bands first", "frames first"])
def test_either_order_and_any_batch_give_the_same_plane(wrap, turn):
    values = ramp()
    found = plane(wrap(values.T if turn else values))
    np.testing.assert_array_equal(found.values, values)
    assert (found.transposed, found.sure, found.items) == (turn, True, 1)


def test_numpy_and_torch_are_alike_whatever_the_precision():
    values = ramp().astype(np.float32)
    for tensor in (torch.from_numpy(values), torch.from_numpy(values).requires_grad_()):
        np.testing.assert_array_equal(plane(tensor).values, values)
    half = plane(torch.from_numpy(values).to(torch.bfloat16)).values
    np.testing.assert_allclose(half, values, rtol=1e-2, atol=0.05)


def test_an_item_of_a_batch():
    batch = np.stack([ramp(), ramp() + 1])
    np.testing.assert_array_equal(plane(batch, item=1).values, ramp() + 1)
    assert plane(batch).items == 2
    with pytest.raises(InputError, match=r"no item 2; .* items 0 to 1"):
        plane(batch, item=2)


def test_a_square_array_is_told_by_its_smoothness():
    frames = np.cumsum(np.random.default_rng(0).standard_normal((80, 80)) * 0.1, axis=1)
    rough = np.random.default_rng(1).standard_normal(80)[:, None] * 3
    assert not plane(frames + rough).transposed
    turned = plane((frames + rough).T)
    assert (turned.transposed, turned.sure) == (True, False)
    np.testing.assert_array_equal(turned.turned.values, frames.T + rough.T)


def test_nan_and_infinity_are_counted_and_put_to_the_lowest():
    values = ramp()
    values[0, 0], values[3, 4] = np.nan, -np.inf
    found = plane(values)
    assert found.bad == pytest.approx(2 / values.size)
    assert found.values[0, 0] == found.values[3, 4] == np.nanmin(np.where(np.isfinite(values), values, np.nan))


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (np.zeros(5), r"shape \(5,\)"),
        (np.zeros((1, 1, 1, 80, 5)), "at most two batch axes"),
        (np.zeros((80, 0)), "no values"),
        (np.full((80, 5), np.nan), "every value is NaN"),
        (np.array([["a", "b"]]), "is not numeric"),
        (np.array([[None, 1]], dtype=object), "is not numeric"),
        ([[1, 2], [3]], "not an array"),
        (np.zeros((2, 3), complex), "is not numeric"),
        (np.broadcast_to(np.float32(0), (1 << 20, 1 << 10)), "134,217,728"),
    ],
)
def test_what_is_no_mel_is_refused_in_a_line(array, why):
    with pytest.raises(InputError, match=why) as raised:
        plane(array, name="x")
    assert str(raised.value).startswith("x: ")
    assert "\n" not in str(raised.value)


@given(st.integers(1, 300), st.integers(1, 300))
def test_whatever_the_sizes_the_values_stay(rows, columns):
    values = np.arange(rows * columns, dtype=float).reshape(rows, columns)
    found = plane(values)
    np.testing.assert_array_equal(found.values.T if found.transposed else found.values, values)
