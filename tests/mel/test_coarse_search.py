"""The coarse step of the search."""

import numpy as np
import pytest

from diagnose.mel.coarse_search import Coarse, Integrals, Range, Time
from diagnose.mel.fit import Sound, views


def test_a_flat_spectrum_gives_each_filter_half_its_width():
    edges = np.array([2.0, 5.5, 9.25, 30.0, 31.5])
    sums = Integrals(np.ones((64, 3))).filtered(edges)
    np.testing.assert_allclose(sums, np.repeat((edges[2:] - edges[:-2])[:, None] / 2, 3, axis=1), rtol=1e-12)


def test_a_rising_spectrum_is_integrated_exactly_where_edges_are_bins():
    # S = k on [k, k + 1): the triangle 10..20..30 holds the sum of k times its area on that bin.
    area = np.concatenate(((np.arange(10) + 0.5) / 10, (np.arange(10)[::-1] + 0.5) / 10))
    expected = (np.arange(10, 30) * area).sum()
    found = Integrals(np.arange(64.0)[:, None]).filtered(np.array([10.0, 20.0, 30.0]))
    assert found[0, 0] == pytest.approx(expected, rel=1e-12)


def test_edges_beyond_the_last_bin_hold_nothing():
    assert Integrals(np.ones((16, 1))).filtered(np.array([20.0, 25.0, 30.0]))[0, 0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("first", "padding"), [(0.0, "centre"), (0.02, "none"), (0.006, "same-reflect")])
def test_where_the_first_frame_lies_says_how_it_was_padded(first, padding):
    assert Time(0.04, first, 0.012).padding == padding


def test_the_note_s_own_grid_is_near_the_first(made, note):
    values = np.log(np.maximum(made(n_fft=1024, hop=256, fmin=40.0, fmax=6000.0, htk=True, norm=None), 1e-8))
    sound = Sound(note)
    coarse = Coarse(next(views(values)), sound, np.arange(0, values.shape[1], 3))
    time, span = coarse.best()[0]
    assert time.hop_s == pytest.approx(256 / 22050, rel=0.01)
    assert time.padding == "centre"
    assert 0.6 < time.window_s / (1024 / 22050) < 1.6
    assert 5000 < span.fmax < 7000
    truth = coarse.misfit(Time(1024 / 22050, 0.0, 256 / 22050), Range(40.0, 6000.0, "htk", "none"))
    wrong = coarse.misfit(Time(1024 / 22050, 0.0, 256 / 22050), Range(0.0, 11025.0, "slaney", "slaney"))
    assert truth < 0.04
    assert wrong > 0.1
