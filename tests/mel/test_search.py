"""From a start to the very grid, and the pieces that a fit is made of."""

import numpy as np
import pytest
from msgspec.structs import replace

from diagnose.mel.fit import Fits, Reading, Sound, View, line, logarithm, views
from diagnose.mel.search import Search
from diagnose.spectrogram import MelGrid

GRID = MelGrid(22050, 1024, 256, 80, 0.0, 8000.0, "slaney", "slaney", "centre")


def test_a_line_in_closed_form():
    x = np.array([0.0, 1.0, 2.0, 3.0])
    assert line(x, 3 * x - 2) == (3.0, -2.0, 0.0, 0.0)
    slope, offset, misfit, left = line(x, np.array([0.0, 1.0, 1.0, 2.0]))
    assert (slope, offset) == (pytest.approx(0.6), pytest.approx(0.1))
    assert misfit == pytest.approx(0.1)  # 1 - r**2 with r = 3 / sqrt(5 * 2)
    assert left == pytest.approx(np.sqrt((2 - 1.8) / 4))


@pytest.mark.parametrize(("x", "y"), [([0, 1, 2], [2, 1, 0]), ([1, 1, 1], [0, 1, 2]), ([0, 1, 2], [5, 5, 5]), ([], [])])
def test_what_does_not_rise_is_no_fit(x, y):
    assert line(np.array(x, float), np.array(y, float))[2:] == (1.0, float("inf"))


def test_silence_is_cut_at_so_much_under_the_loudest():
    np.testing.assert_allclose(logarithm(np.array([1.0, 0.0]), 12.0), [0.0, -12.0])


@pytest.mark.parametrize("pooled", ["magnitude", "power"])
def test_the_true_reading_fits_with_its_slope_and_offset(made, note, pooled):
    sums = made(power=1.0 if pooled == "magnitude" else 2.0)
    values = 4.0 + 2.5 * np.log(sums)
    view = View(False, values, np.ones(values.shape, bool), 60.0)
    fit = Fits(view, Sound(note), np.arange(0, 80, 4)).of(Reading(GRID, pooled))
    assert (fit.slope, fit.offset) == (pytest.approx(2.5, rel=1e-4), pytest.approx(4.0, abs=1e-3))
    assert fit.residual_db < 0.01


@pytest.fixture(scope="module")
def best(made, note):
    """best(**change) -> the first of what a search of such a mel finds, made anew."""

    def search(**change):
        values = np.log(np.maximum(made(**change), 1e-5))
        return Search(next(views(values)), Sound(note)).run()[0]

    return search


@pytest.fixture(scope="module")
def plain(best):
    return best()


CHANGES = [{"fmin": 55.0, "fmax": 7600.0}]
MORE = [
    {},
    {"htk": True},
    {"power": 2.0},
    {"n_fft": 2048},
    {"hop": 300},
    {"fmax": 6789.0},
    {"norm": None},
    {"pad": "reflect"},
]


@pytest.mark.parametrize(
    "change", [*CHANGES, *(pytest.param(change, marks=pytest.mark.slow) for change in MORE)], ids=str
)
def test_the_grid_is_found_to_the_last_field(best, plain, change):
    found = best(**change) if change else plain
    grid = found.reading.grid
    expected = replace(
        GRID,
        n_fft=change.get("n_fft", 1024),
        hop=change.get("hop", 256),
        formula="htk" if "htk" in change else "slaney",
        norm="none" if "norm" in change else "slaney",
        fmin=grid.fmin,
        fmax=grid.fmax,
        padding=grid.padding,
    )
    assert grid == expected
    assert grid.padding.startswith("centre")
    assert grid.fmin == pytest.approx(change.get("fmin", 0.0), abs=1.0)
    assert grid.fmax == pytest.approx(change.get("fmax", 8000.0), rel=1e-3)
    assert found.reading.pooled == ("power" if "power" in change else "magnitude")


@pytest.mark.slow
def test_a_search_gives_the_same_answer_twice(best, plain):
    assert best() == plain
