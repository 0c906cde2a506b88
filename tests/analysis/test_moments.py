"""Moments: from which power on a sound is more than its bias, and more than rounding."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis.moments import Moments


def of(mean, mean_square):
    return Moments(mean, mean_square, -1.0, 1.0)


@pytest.mark.parametrize(("power", "silent"), [(0.9e-20, True), (1e-20, True), (1.2e-20, False)])
def test_silence_is_a_power_of_minus_200_db_and_less(power, silent):
    assert of(0.0, power).silent is silent


@pytest.mark.parametrize(("share", "kept"), [(0.8e-12, False), (1.2e-12, True)])
@pytest.mark.parametrize("level", [1.0, 1e-6])
def test_a_trillionth_of_the_power_is_the_rounding_of_its_sums(share, kept, level):
    variance = of(level * np.sqrt(1 - share), level**2).variance
    assert variance == (pytest.approx(share * level**2, rel=1e-3) if kept else 0.0)
