"""Every term of the loss: 0 at the target, what arithmetic says beside it, and a gradient where it should be."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose import example
from diagnose.mel.contract import MelContract, ValueScale, load
from diagnose.mel.contract import names as contracts
from diagnose.spectrogram import MelGrid
from tnca.config import L1, L2, Boundary, Gram, Loss, MultiscaleGram, Stft, Temporal
from tnca.config import Target as Settings
from tnca.losses import Losses, make, names
from tnca.losses.spectral import frequency_weights, mask
from tnca.losses.texture import convolutions, gram
from tnca.target import target_of

GRID = MelGrid(8000, 256, 64, bands=20, fmin=0.0, fmax=4000.0)
LN = MelContract("none", "a small one", GRID, ValueScale("ln-magnitude", clip=1e-5))
POWER_DB = MelContract("none", "another", GRID, ValueScale("power-db", clip=1e-10, reference="max", top_db=80.0))
TERMS = [L1(), L2(), Gram(), MultiscaleGram(), Boundary(), Temporal(), Stft(n_fft=(128, 256, 512))]
NEPERS_PER_DB = np.log(10) / 20


@pytest.fixture(scope="module")
def note():
    return example.bowed_string(seconds=0.4, rate=8000)


@pytest.fixture(scope="module")
def target(note):
    return target_of(note, Settings(LN))


@pytest.fixture(scope="module")
def in_db(note):
    return target_of(note, Settings(POWER_DB))


def grown(target, error=0.0):
    """The target and an error [shape=(1, bands, frames)], asking for its gradient."""
    values = np.broadcast_to(target.values + error, target.values.shape).astype(np.float32)
    return torch.from_numpy(values.copy())[None].requires_grad_()


def noise(target, scale=1.0, seed=0):
    return scale * np.random.default_rng(seed).standard_normal(target.values.shape)


def gradient(loss, at):
    """(the loss as a number, its gradient [shape=(bands, frames)])."""
    value = loss(at)
    (slope,) = torch.autograd.grad(value, at)
    return float(value.detach()), slope[0].numpy()


# Every term


def name_of(term):
    return str(term.__struct_config__.tag)


@pytest.mark.parametrize("kind", ["target", "in_db"])
@pytest.mark.parametrize("term", TERMS, ids=name_of)
def test_a_term_is_least_at_the_target_and_rises_with_the_error(term, kind, request):
    target = request.getfixturevalue(kind)
    unit = 1.0 if kind == "target" else 1 / NEPERS_PER_DB
    loss = make(term, target)
    with torch.no_grad():
        values = [float(loss(grown(target, noise(target, unit * scale)))) for scale in (0, 0.1, 0.3, 1)]
    assert values == sorted(values)
    assert values[0] < 0.02 * values[1]


@pytest.mark.parametrize("term", TERMS, ids=name_of)
def test_a_terms_gradient_is_finite_at_the_target_and_something_near_it(term, target):
    loss = make(term, target)
    for error in (0.0, noise(target, 1e-3), noise(target), noise(target, 10), -1000.0):
        value, slope = gradient(loss, grown(target, error))
        assert np.isfinite(value)
        assert np.isfinite(slope).all()
    assert gradient(loss, grown(target, noise(target)))[1].any()


@pytest.mark.parametrize(
    "term",
    TERMS,
    ids=name_of,
)
def test_a_terms_gradient_is_finite_where_a_rule_has_run_away(term, target):
    loss = make(term, target)
    for error in (60.0, noise(target, 100), 1000.0):
        value, slope = gradient(loss, grown(target, error))
        assert np.isfinite(value)
        assert np.isfinite(slope).all()


@pytest.mark.parametrize("term", TERMS, ids=name_of)
def test_a_step_down_the_gradient_lowers_the_term(term, target):
    loss = make(term, target)
    at = grown(target, noise(target, 0.3))
    value, slope = gradient(loss, at)
    step = torch.from_numpy(slope) * (0.01 * value / float(np.square(slope).sum()))  # 1 % of the loss, to first order
    with torch.no_grad():
        assert value - float(loss(at - step)) == pytest.approx(0.01 * value, rel=0.5)


@pytest.mark.parametrize("term", TERMS, ids=name_of)
def test_a_term_that_was_moved_is_the_same(term, target):
    loss = make(term, target)
    at = grown(target, noise(target))
    before = loss(at)
    moved = loss.to(torch.device("cpu"))
    assert torch.equal(moved(at), before)


# Per bin


@settings(max_examples=20)
@given(offset=st.floats(-50, 50).filter(lambda x: abs(x) > 1e-3))
def test_l1_and_l2_of_a_constant_error(target, offset):
    error = float(np.abs(grown(target, offset)[0].detach().numpy() - target.values).mean())
    assert make(L1(), target)(grown(target, offset)).item() == pytest.approx(error, rel=1e-5)
    assert error == pytest.approx(abs(offset), rel=1e-2)
    assert make(L2(), target)(grown(target, offset)).item() == pytest.approx(offset**2, rel=1e-2)


def test_l1_and_l2_of_any_error_are_numpys(target):
    error = noise(target, 2.0)
    assert make(L1(), target)(grown(target, error)).item() == pytest.approx(np.abs(error).mean(), rel=1e-5)
    assert make(L2(), target)(grown(target, error)).item() == pytest.approx(np.square(error).mean(), rel=1e-5)


def test_a_mask_is_of_what_lies_so_far_under_the_loudest_cell(in_db):
    kept = mask(in_db, -40.0).numpy()
    assert np.array_equal(kept, in_db.values > -40)  # its loudest cell is 0 dB
    assert 0.05 < kept.mean() < 0.95
    assert mask(in_db, None).all()


@pytest.mark.parametrize("term", [L1(mask_db=-40.0), L2(mask_db=-40.0), Gram(mask_db=-40.0)], ids=name_of)
def test_masked_cells_have_no_gradient_and_the_others_have(term, in_db):
    slope = gradient(make(term, in_db), grown(in_db, noise(in_db)))[1]
    kept = mask(in_db, -40.0).numpy() > 0
    assert not slope[~kept].any()
    assert (slope[kept] != 0).mean() > 0.99


def test_a_masked_cell_counts_as_right_and_is_counted(in_db):
    kept = mask(in_db, -40.0).numpy()
    loss = make(L1(mask_db=-40.0), in_db)
    assert loss(grown(in_db, 3.0)).item() == pytest.approx(3.0 * kept.mean(), rel=1e-5)


@pytest.mark.parametrize("term", [L1(mask_db=-40.0), MultiscaleGram(mask_db=-40.0)], ids=name_of)
def test_what_a_masked_cell_holds_is_all_one(term, in_db):
    loss, hidden = make(term, in_db), mask(in_db, -40.0).numpy() == 0
    error = noise(in_db)
    assert loss(grown(in_db, error)).item() == loss(grown(in_db, error + 50 * hidden)).item()


@pytest.mark.parametrize("kind", [None, "linear", "exponential"])
@pytest.mark.parametrize("top", [5.0, 2.0])
def test_an_errors_weight_rises_from_1_to_the_top(kind, top, target):
    bands = target.values.shape[0]
    share = np.arange(bands) / (bands - 1)
    ramp = {None: np.ones(bands), "linear": 1 + (top - 1) * share, "exponential": np.exp(np.log(top) * share)}[kind]
    slope = gradient(make(L1(frequency=kind, frequency_top=top), target), grown(target, 1.0))[1]
    np.testing.assert_allclose(slope, np.broadcast_to(ramp[:, None] / slope.size, slope.shape), rtol=1e-5)
    slope = gradient(make(L2(frequency=kind, frequency_top=top), target), grown(target, 1.0))[1]
    np.testing.assert_allclose(slope, np.broadcast_to(2 * ramp[:, None] / slope.size, slope.shape), rtol=1e-4)
    assert frequency_weights(kind, top, 1).tolist() == [[1.0]]


# Where in time


def test_the_boundary_is_the_first_and_the_last_frames_and_no_other(target):
    frames = target.values.shape[1]
    loss = make(Boundary(width=4), target)
    inside = np.zeros(target.values.shape)
    inside[:, 4 : frames - 4] = 100.0
    assert loss(grown(target, inside)).item() == 0
    value, slope = gradient(loss, grown(target, inside + 2.0))
    assert value == pytest.approx(2.0, rel=1e-5)
    assert not slope[:, 4 : frames - 4].any()
    assert (slope[:, :4] > 0).all()
    assert (slope[:, -4:] > 0).all()
    only_last = np.zeros(target.values.shape)
    only_last[:, -1] = 8.0
    assert loss(grown(target, only_last)).item() == pytest.approx(1.0, rel=1e-5)  # 1 of 8 frames


def test_a_boundary_wider_than_the_grid_is_all_of_it(target):
    assert make(Boundary(width=10_000), target)(grown(target, 2.0)).item() == pytest.approx(2.0, rel=1e-5)


def test_temporal_is_blind_to_what_does_not_change(target):
    bands, frames = target.values.shape
    loss = make(Temporal(), target)
    assert loss(grown(target, np.arange(bands)[:, None])).item() < 1e-5
    assert loss(grown(target, 0.5 * np.arange(frames)[None])).item() == pytest.approx(0.5, rel=1e-4)
    click = np.zeros((bands, frames))
    click[:, 10] = 1.0  # up and down again
    assert loss(grown(target, click)).item() == pytest.approx(2 / (frames - 1), rel=1e-4)


def test_temporal_of_one_frame_is_0_with_a_gradient(target):
    single = msgspec.structs.replace(target, values=target.values[:, :1])
    value, slope = gradient(make(Temporal(), single), grown(single, 1.0))
    assert value == 0
    assert not slope.any()


# Textures


@settings(max_examples=20)
@given(shape=st.tuples(*[st.integers(1, 5)] * 4), seed=st.integers(0, 100))
def test_a_gram_matrix_is_the_mean_of_products_over_cells_and_channels(shape, seed):
    features = np.random.default_rng(seed).standard_normal(shape)
    wanted = np.einsum("bchw,bdhw->bcd", features, features) / np.prod(shape[1:])
    np.testing.assert_allclose(gram(torch.from_numpy(features)).numpy(), wanted, atol=1e-12)


@given(shift=st.tuples(st.integers(0, 6), st.integers(0, 8)))
@settings(max_examples=15)
def test_a_gram_matrix_forgets_where_things_are(shift):
    features = torch.randn(2, 4, 7, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(gram(features.roll(shift, dims=(2, 3))), gram(features))
    order = torch.randperm(63, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(gram(features.flatten(2)[:, :, order].reshape(2, 4, 7, 9)), gram(features))


def features_of(values, term, kernels):
    """Three convolutions with stride 2, cell by cell: each cell of a layer is a sum over a window of the last."""
    seen = values[None]
    for weight, bias, _ in kernels:
        weight, bias, around = weight.numpy(), bias.numpy(), weight.shape[-1] // 2
        size = weight.shape[-1]
        padded = np.pad(seen, ((0, 0), (around, around), (around, around)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))[:, ::2, ::2]
        seen = np.maximum(np.einsum("chwij,ocij->ohw", windows, weight) + bias[:, None, None], 0)
    return seen


def test_gram_is_the_mean_square_of_the_matrices_differences(in_db):
    term = Gram(mask_db=-50.0, seed=3)
    shapes = ((1, 16, 7, 2), (16, 32, 5, 2), (32, 64, 3, 2))  # as the first notebook has them
    kept, error = mask(in_db, -50.0).numpy(), noise(in_db, 5.0)
    matrices = []
    for values in (in_db.values, in_db.values + error):
        seen = features_of((values * kept).astype(np.float64), term, convolutions(shapes, 3))
        flat = seen.reshape(64, -1)
        matrices.append(flat @ flat.T / flat.size)
    wanted = np.square(matrices[1] - matrices[0]).mean()
    assert make(term, in_db)(grown(in_db, error)).item() == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize("kind", [Gram, MultiscaleGram])
def test_the_filters_are_those_of_the_seed(kind, target):
    at = grown(target, noise(target))
    first, again, other = (float(make(kind(seed=seed), target)(at).detach()) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_a_texture_is_not_asked_for_pixel_by_pixel(target):
    """Moved by 8 frames, the step of Gram's filters, its texture is nearer than noise of as large an error."""
    moved = np.roll(target.values, 8, axis=1) - target.values
    as_large = noise(target, moved.std())
    loss = make(Gram(), target)
    with torch.no_grad():
        assert loss(grown(target, moved)) < 0.2 * loss(grown(target, as_large))


# Sound


@pytest.mark.parametrize("kind", ["target", "in_db"])
def test_stft_knows_1_db_from_6(kind, request):
    target = request.getfixturevalue(kind)
    unit = NEPERS_PER_DB if kind == "target" else 1.0
    loss = make(Stft(n_fft=(128, 256, 512)), target)
    little, slope = gradient(loss, grown(target, unit))
    much = gradient(loss, grown(target, 6 * unit))[0]
    assert 0 < little < much
    # |A - B| / |A| is 0.122 and |ln A - ln B| 0.115 where all is 1 dB up; half of each.
    assert little == pytest.approx((10 ** (1 / 20) - 1 + NEPERS_PER_DB) / 2, rel=0.15)
    assert (slope != 0).mean() > 0.5


@pytest.mark.parametrize("padding", ["centre", "centre-reflect", "same-reflect"])
@pytest.mark.parametrize("levels", [LN.levels, POWER_DB.levels, load("whisper").levels])
def test_stft_is_next_to_0_at_the_target_of_any_contract(padding, levels, note):
    contract = MelContract("none", "any", msgspec.structs.replace(GRID, padding=padding), levels)
    target = target_of(note, Settings(contract, frames_multiple=4))
    assert make(Stft(n_fft=(128, 256, 512)), target)(grown(target)).item() < 0.02


# Their sum


def test_the_loss_is_the_weighted_sum_of_its_terms(target):
    terms = (L1(weight=0.1), Gram(weight=2.0), L1(weight=3.0, frequency="linear"), Temporal(weight=0.0))
    losses = Losses(Loss(terms), target)
    at = grown(target, noise(target))
    total, parts = losses(at)
    assert list(parts) == ["l1", "gram", "l1-2", "temporal"]
    assert total.requires_grad
    assert not any(part.requires_grad for part in parts.values())
    for term, part in zip(terms, parts.values(), strict=True):
        assert part.item() == pytest.approx(float(make(term, target)(at).detach()), rel=1e-6)
    weighted = sum(term.weight * part.item() for term, part in zip(terms, parts.values(), strict=True))
    assert total.item() == pytest.approx(weighted, rel=1e-6)


@pytest.mark.parametrize("top", [1.0, 2.0, 5.0])
def test_a_weighting_after_the_mean_is_one_factor_on_every_gradient(top, in_db):
    terms = (Gram(weight=2.0, mask_db=-70.0), L1(weight=0.1, mask_db=-70.0))
    at = grown(in_db, noise(in_db, 5.0))
    plain, weighted = (
        gradient(lambda x, top=top: Losses(Loss(terms, weighting_after_reduction=top), in_db)(x)[0], at)
        for top in (1.0, top)
    )
    factor = (1 + top) / 2  # the mean of a ramp of 1..top
    assert weighted[0] == pytest.approx(factor * plain[0], rel=1e-6)
    assert np.abs(weighted[1] - factor * plain[1]).max() <= 1e-6 * np.abs(factor * plain[1]).max()


def test_a_batch_is_the_mean_of_its_grids(target):
    errors = [noise(target, 1.0, seed) for seed in (0, 1)]
    batch = torch.cat([grown(target, error) for error in errors])
    for term in (L1(), L2(frequency="exponential"), Boundary(), Temporal(), Gram(), MultiscaleGram()):
        loss = make(term, target)
        alone = np.mean([float(loss(grown(target, error)).detach()) for error in errors])
        assert float(loss(batch).detach()) == pytest.approx(alone, rel=1e-4)


def test_names_are_numbered_where_they_repeat():
    assert names((L1(), L1(), Gram(), L2(), L1(), Gram())) == ["l1", "l1-2", "gram", "l2", "l1-3", "gram-2"]


@pytest.mark.parametrize("name", contracts())
def test_the_stft_loss_is_least_at_the_target_of_every_contract(name):
    target = target_of(example.bowed_string(seconds=0.4), Settings(name))
    loss = make(Stft(n_fft=(512, 1024)), target)
    value, slope = gradient(loss, grown(target))
    assert value == pytest.approx(0, abs=1e-4)
    assert np.isfinite(slope).all()
    assert gradient(loss, grown(target, noise(target, 0.01 * np.ptp(target.values))))[0] > value
