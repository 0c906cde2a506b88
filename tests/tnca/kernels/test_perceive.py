"""What a cell sees, asked of scipy; and where it is, in closed form."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tnca.kernels.padding import MODES
from tnca.kernels.perceive import SEEN, perceive, positions

SCIPY_MODES = {"zero": "constant", "circular": "wrap", "reflect": "mirror", "replicate": "nearest"}
SMOOTH, SLOPE = [1, 2, 1], [-1, 0, 1]
LAPLACIAN = np.array([[1, 2, 1], [2, -12, 2], [1, 2, 1]])


def along(values, weights, axis, mode):
    """Not convolved: weights[0] is that of the cell before."""
    return ndimage.correlate1d(values, weights, axis=axis, mode=SCIPY_MODES[mode])


@pytest.mark.parametrize(("time", "frequency"), list(product(MODES, MODES)))
@settings(max_examples=10)
@given(shape=st.tuples(st.integers(1, 3), st.integers(1, 8), st.integers(1, 8)), seed=st.integers(0, 1000))
def test_the_gradients_are_scipys(time, frequency, shape, seed):
    values = np.random.default_rng(seed).standard_normal((2, *shape))
    seen = perceive(torch.from_numpy(values), time, frequency).numpy()
    channels = shape[0]
    assert seen.shape == (2, SEEN * channels, *shape[1:])
    sobel_x = along(along(values, SMOOTH, 2, frequency), SLOPE, 3, time)
    sobel_y = along(along(values, SLOPE, 2, frequency), SMOOTH, 3, time)
    # [[1, 2, 1], [2, -12, 2], [1, 2, 1]] is what two smoothings give, less 16 times the cell.
    laplacian = along(along(values, SMOOTH, 2, frequency), SMOOTH, 3, time) - 16 * values
    expected = np.concatenate([values, sobel_x, sobel_y, laplacian], axis=1)
    np.testing.assert_allclose(seen, expected, atol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_the_laplacian_is_scipys_with_all_nine_weights(mode, rng):
    values = rng.standard_normal((6, 9))
    seen = perceive(torch.from_numpy(values)[None, None], mode, mode).numpy()[0, 3]
    np.testing.assert_allclose(seen, ndimage.correlate(values, LAPLACIAN, mode=SCIPY_MODES[mode]), atol=1e-12)


def test_inside_a_ramp_the_slope_is_eight_and_nothing_is_curved():
    frames = torch.arange(7.0).expand(1, 1, 5, 7)
    bands = torch.arange(5.0)[:, None].expand(1, 1, 5, 7)
    for ramp, slopes in ((frames, (8, 0, 0)), (bands, (0, 8, 0))):
        inner = perceive(ramp, "zero", "zero")[0, 1:, 1:-1, 1:-1]
        for channel, slope in zip(inner, slopes, strict=True):
            assert (channel == slope).all()


def test_filter_by_filter_each_channel_by_itself():
    state = torch.zeros(1, 3, 5, 5)
    state[0, 1, 2, 2] = 1.0
    seen = perceive(state, "zero", "zero")
    assert [index for index in range(12) if seen[0, index].any()] == [1, 4, 7, 10]
    assert torch.equal(seen[0, 10, 1:4, 1:4], torch.from_numpy(LAPLACIAN).float())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_what_is_seen_has_the_type_of_the_state(dtype):
    assert perceive(torch.ones(1, 2, 3, 3, dtype=dtype), "zero", "circular").dtype == dtype


def test_gradients_pass():
    state = torch.randn(1, 2, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: perceive(x, "reflect", "circular").square(), (state,))


def test_a_look_without_gradients_does_not_spoil_the_next_with_them():
    with torch.inference_mode():
        perceive(torch.zeros(1, 11, 3, 3), "zero", "zero")  # 11 channels: what no other test asks for
    state = torch.zeros(1, 11, 3, 3, requires_grad=True)
    perceive(state, "zero", "zero").sum().backward()
    assert state.grad[0, 0, 1, 1] == 1.0  # of itself: Sobel's weights and the Laplacian's sum to 0


# Positions


@pytest.mark.parametrize("count", [2, 4, 6, 8])
def test_positions_are_x_y_and_a_sine_of_each_an_octave_up_for_every_pair(count):
    bands, frames = 5, 9
    found = positions(count, bands, frames)
    assert found.shape == (count, bands, frames)
    for band, frame in product(range(bands), range(frames)):
        x, y = 2 * frame / (frames - 1) - 1, 2 * band / (bands - 1) - 1
        expected = [x, y]
        for octave in range(count // 2 - 1):
            expected += [np.sin(2**octave * np.pi * x), np.sin(2**octave * np.pi * y)]
        assert found[:, band, frame].tolist() == pytest.approx(expected, abs=1e-5)


@given(bands=st.integers(2, 90), frames=st.integers(2, 300))
@settings(max_examples=40)
def test_the_corners_are_at_one(bands, frames):
    x, y = positions(2, bands, frames)
    assert x[0, 0].item() == y[0, 0].item() == -1
    assert x[-1, -1].item() == pytest.approx(1, abs=1e-6)
    assert y[-1, -1].item() == pytest.approx(1, abs=1e-6)
    assert (x.diff(dim=1) > 0).all()
    assert not x.diff(dim=0).any()
    assert (y.diff(dim=0) > 0).all()
    assert not y.diff(dim=1).any()


@settings(max_examples=30)
@given(bands=st.integers(2, 20), frames=st.integers(2, 20), margin=st.integers(1, 10))
def test_a_margin_goes_on_beyond_and_changes_nothing_within(bands, frames, margin):
    plain, wide = positions(6, bands, frames), positions(6, bands, frames, margin)
    assert wide.shape == (6, bands + 2 * margin, frames + 2 * margin)
    torch.testing.assert_close(wide[:, margin:-margin, margin:-margin], plain, atol=1e-5, rtol=0)
    assert wide[0, 0, 0].item() == pytest.approx(-1 - 2 * margin / (frames - 1), rel=1e-6)
    assert wide[1, 0, 0].item() == pytest.approx(-1 - 2 * margin / (bands - 1), rel=1e-6)


def test_none_is_none_and_a_single_cell_is_somewhere():
    assert positions(0, 3, 4).shape == (0, 3, 4)
    assert positions(0, 3, 4, margin=2).shape == (0, 7, 8)
    assert torch.isfinite(positions(6, 1, 1)).all()
