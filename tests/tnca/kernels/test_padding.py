"""What lies beyond the border, asked of numpy.pad."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tnca.kernels.padding import MODES, pad

NUMPY_MODES = {"zero": "constant", "circular": "wrap", "reflect": "reflect", "replicate": "edge"}
SIZES = st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 7), st.integers(1, 7))


def padded(values, time, frequency):
    """numpy's, one axis after the other; a single cell has no mirror image but itself."""
    for axis, mode in ((-2, frequency), (-1, time)):
        widths = [(0, 0)] * values.ndim
        widths[axis] = (1, 1)
        values = np.pad(values, widths, mode=NUMPY_MODES[mode])
    return values


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("zero", [0, 1, 2, 3, 0]),
        ("circular", [3, 1, 2, 3, 1]),
        ("reflect", [2, 1, 2, 3, 2]),
        ("replicate", [1, 1, 2, 3, 3]),
    ],
)
def test_one_two_three(mode, expected):
    row = torch.tensor([1.0, 2.0, 3.0])
    assert pad(row[None, None, None], mode, "zero")[0, 0, 1].tolist() == expected
    assert pad(row[None, None, :, None], "zero", mode)[0, 0, :, 1].tolist() == expected


@pytest.mark.parametrize(("time", "frequency"), list(product(MODES, MODES)))
@settings(max_examples=15)
@given(shape=SIZES, seed=st.integers(0, 1000))
def test_any_grid_is_padded_as_numpy_pads_it(time, frequency, shape, seed):
    values = np.random.default_rng(seed).standard_normal(shape)
    ours = pad(torch.from_numpy(values), time, frequency).numpy()
    assert ours.shape == (*shape[:2], shape[2] + 2, shape[3] + 2)
    assert np.array_equal(ours, padded(values, time, frequency))


@pytest.mark.parametrize(("time", "frequency"), list(product(MODES, MODES)))
@settings(max_examples=10)
@given(shape=SIZES, seed=st.integers(0, 1000))
def test_a_cell_gets_the_gradient_of_each_of_its_copies(time, frequency, shape, seed):
    rng = np.random.default_rng(seed)
    state = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    weights = rng.standard_normal((*shape[:2], shape[2] + 2, shape[3] + 2))
    (pad(state, time, frequency) * torch.from_numpy(weights)).sum().backward()
    # Which cell each padded one was taken from: its number, padded as numpy pads it; 0 for none.
    size = int(np.prod(shape))
    source = padded(np.arange(1, size + 1).reshape(shape), time, frequency)
    expected = np.bincount(source.ravel(), weights.ravel(), minlength=size + 1)[1:].reshape(shape)
    np.testing.assert_allclose(state.grad.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_the_gradient_is_that_of_finite_differences(mode):
    state = torch.randn(1, 2, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: pad(x, mode, mode).square(), (state,))


def test_the_two_axes_are_padded_apart():
    state = torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, None]
    expected = [[0, 0, 0, 0], [2, 1, 2, 1], [4, 3, 4, 3], [0, 0, 0, 0]]
    assert pad(state, "circular", "zero")[0, 0].tolist() == expected


def test_another_mode_is_refused():
    with pytest.raises(KeyError, match="mirror"):
        pad(torch.zeros(1, 1, 2, 2), "mirror", "zero")
