"""Averages along time and along the bands, of known width."""

import numpy as np
import pytest

from diagnose.log_mel.smoothed import (
    WIDTHS_BANDS,
    WIDTHS_S,
    smoothed_in_frequency,
    smoothed_in_time,
    twice,
)

FRAME_S = 0.01


def test_two_averages_are_a_triangle():
    spike = np.zeros((41, 3))
    spike[20] = 1.0
    assert twice(spike, 5, 1)[16:25, 1] == pytest.approx(np.array([1, 2, 3, 4, 5, 4, 3, 2, 1]) / 25)
    assert twice(spike.T, 1, 5)[1, 16:25] == pytest.approx(np.array([1, 2, 3, 4, 5, 4, 3, 2, 1]) / 25)


@pytest.mark.parametrize("width_s", WIDTHS_S)
def test_a_width_in_time_is_read(rough, fitted, width_s):
    frames = int(width_s / FRAME_S) // 2 * 2 + 1
    theirs = twice(rough, frames, 1)
    found = fitted(smoothed_in_time, rough, theirs)
    assert found.id == "over-smoothed"
    assert found.charged == 1
    assert found.undo is None
    assert found.parameters == {"time": (pytest.approx(1000 * frames * FRAME_S), "ms")}
    assert found.apply(rough) == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("bands", WIDTHS_BANDS)
def test_a_width_in_bands_is_read(rough, fitted, bands):
    theirs = twice(rough, 1, bands)
    found = fitted(smoothed_in_frequency, rough, theirs)
    assert found.id == "over-smoothed"
    assert found.parameters == {"bands": (float(bands), "")}
    assert found.apply(rough) == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("frame_s", [0.005, 0.0116])
def test_a_width_is_a_time_whatever_the_frame(rough, fitted, frame_s):
    frames = int(0.1 / frame_s) // 2 * 2 + 1
    found = fitted(smoothed_in_time, rough, twice(rough, frames, 1), frame_s)
    assert found.parameters["time"][0] == pytest.approx(1000 * frames * frame_s)


def test_where_a_frame_is_longer_than_any_width_there_is_none(rough, fitted):
    assert fitted(smoothed_in_time, rough, rough, 1.0) is None


def test_widths_go_from_30_to_600_ms_and_from_3_to_41_bands():
    assert (WIDTHS_S[0], WIDTHS_S[-1]) == (0.03, 0.6)
    assert (WIDTHS_BANDS[0], WIDTHS_BANDS[-1]) == (3, 41)
    for widths in (WIDTHS_S, WIDTHS_BANDS):
        assert (np.diff(widths) > 0).all()
        assert (np.array(widths[1:]) / widths[:-1] < 1.7).all()
    assert all(width % 2 for width in WIDTHS_BANDS)
