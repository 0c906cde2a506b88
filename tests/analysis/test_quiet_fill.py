"""Fill: quiet cells that were filled by known amounts; and mu-law, which fills them."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis.fill import pooled, quiet_excess


@pytest.fixture
def cells(rng):
    """100 times, 60 bands: a tenth loud, the rest 50 dB down, wavering."""
    powers = 1e-5 * rng.uniform(0.5, 1.5, (100, 60))
    powers[:, :6] = 1.0
    return powers


@pytest.mark.parametrize("gain_db", [-6.0, 0.0, 3.0, 10.0])
def test_the_excess_is_what_was_added_to_the_quiet_cells(cells, gain_db):
    theirs = cells.copy()
    theirs[:, 6:] *= 10 ** (gain_db / 10)
    assert quiet_excess(cells, theirs) == pytest.approx(gain_db, abs=0.1)


def test_what_is_loud_does_not_count(cells):
    theirs = cells.copy()
    theirs[:, :6] *= 4
    assert quiet_excess(cells, theirs) == 0.0


def test_a_quarter_of_the_cells_may_be_filled_by_any_amount(cells):
    few, many = cells.copy(), cells.copy()
    few[:, 6:18] *= 100
    many[:, 6:30] *= 100
    assert quiet_excess(cells, few) == 0.0
    assert quiet_excess(cells, many) == pytest.approx(20.0, abs=0.1)


def test_what_nobody_hears_counts_as_65_db_down(cells):
    quiet = cells.copy()
    quiet[:, 6:] = 1e-12
    assert quiet_excess(quiet, cells) == pytest.approx(10 * np.log10(1e-5 / (6 * 10**-6.5)), abs=3.0)
    assert quiet_excess(quiet, quiet) == 0.0


def test_without_quiet_cells_nothing_was_filled(cells):
    even = np.ones_like(cells)
    assert quiet_excess(even, 2 * even) == 0.0
    assert quiet_excess(even[:0], even[:0]) == 0.0


def test_cells_are_sums_over_4_bins_and_8_frames():
    power = np.arange(20 * 513, dtype=np.float64).reshape(20, 513)
    found = pooled(power)
    assert found.shape == (2, 107)
    assert found[1, 3] == power[8:16, 4 + 12 : 4 + 16].sum()
