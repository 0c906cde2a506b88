"""What is found in a picture whose array was made to show it."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.picture import Picture, findings

FRAMES, BANDS, TOP_HZ, LENGTH_S = 100, 64, 8192.0, 2.0


def picture(levels, hz=True, seconds=True):
    bands, frames = levels.shape
    return Picture(
        path="drawn.png",
        size=(1000, 400),
        colour_map="magma",
        levels_db=np.asarray(levels, np.float32),
        db_range=(-80.0, 0.0),
        band_edges_hz=np.linspace(0, TOP_HZ, bands + 1) if hz else None,
        frame_edges_s=np.linspace(0, LENGTH_S, frames + 1) if seconds else None,
        bands_are_cells=True,
        frames_are_cells=True,
        axis="linear" if hz else None,
        fmax_hz=TOP_HZ if hz else None,
        notes=(),
    )


@pytest.fixture
def noise(rng):
    """Noise of -30 dB, 3 dB RMS."""
    return -30 + rng.normal(0, 3, (BANDS, FRAMES))


def test_bands_over_time_are_mean_powers():
    levels = np.full((BANDS, FRAMES), -40.0)
    levels[:8, 50:] = -20  # 0 to 1024 Hz, second half
    levels[8:32:2] = -10  # every other band of 1024 to 4096 Hz
    found = findings(picture(levels))
    assert found.slots == tuple(range(0, 101, 10))
    assert [(band.part.low_hz, band.part.high_hz) for band in found.bands] == [(0, 1024), (1024, 4096), (4096, 8192)]
    assert found.bands[0].levels_db == pytest.approx([-40] * 5 + [-20] * 5)
    assert found.bands[1].levels_db == pytest.approx([10 * np.log10((0.1 + 1e-4) / 2)] * 10)


def test_with_fewer_frames_than_slots_each_frame_is_one():
    found = findings(picture(np.full((BANDS, 3), -40.0)))
    assert found.slots == (0, 1, 2, 3)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_bright_band_at_an_edge_is_found_with_its_time(noise, side):
    where = slice(0, 6) if side == "left" else slice(94, 100)
    noise[:, where] += 25
    (edge,) = findings(picture(noise)).edges
    assert edge.side == side
    assert (edge.part.start_s, edge.part.end_s) == pytest.approx((0, 0.12) if side == "left" else (1.88, 2.0))
    assert edge.excess_db == pytest.approx(25, abs=1)
    assert (edge.part.low_hz, edge.part.high_hz) == (0, TOP_HZ)


def test_an_edge_band_of_a_part_of_the_bands_says_which(noise):
    noise[32:, 95:] += 40
    (edge,) = findings(picture(noise)).edges
    assert edge.part.low_hz == pytest.approx(4096)
    assert edge.part.high_hz == pytest.approx(TOP_HZ)


def test_noise_a_decay_and_a_long_bright_end_are_no_edge_bands(noise):
    assert findings(picture(noise)).edges == ()
    assert findings(picture(noise - 60 * np.arange(FRAMES) / FRAMES)).edges == ()
    noise[:, 70:] += 25
    assert findings(picture(noise)).edges == ()


def test_a_silent_edge_is_no_bright_band(noise):
    noise[:, 95:] = -80
    assert findings(picture(noise)).edges == ()


def test_what_is_missing_is_found_with_its_band_and_time(noise):
    noise[32:, 30:] = -75
    (missing,) = findings(picture(noise)).missing
    assert (missing.part.low_hz, missing.part.high_hz) == (4096, TOP_HZ)
    assert (missing.part.start_s, missing.part.end_s) == pytest.approx((0.6, 2.0))
    assert missing.level_db == pytest.approx(-75, abs=0.1)


def test_bands_missing_together_are_told_as_one_and_end_at_an_edge_band(noise):
    noise[8:, 30:] = -79
    noise[:, 95:] = -5
    found = findings(picture(noise))
    (missing,) = found.missing
    assert (missing.part.low_hz, missing.part.high_hz) == (1024, TOP_HZ)
    assert missing.part.end_s == pytest.approx(found.edges[0].part.start_s) == pytest.approx(1.9)


def test_a_click_does_not_end_what_is_missing_and_a_short_gap_is_none(noise):
    noise[32:, 30:] = -75
    noise[32:, 60:62] = -10
    noise[8:32, 50:58] = -75
    (missing,) = findings(picture(noise)).missing
    assert (missing.part.start_frame, missing.part.end_frame) == (30, 100)


def test_without_hz_and_seconds_bands_and_frames_are_numbers(noise):
    noise[48:, 30:] = -75
    found = findings(picture(noise, hz=False, seconds=False))
    assert [(band.part.low_band, band.part.high_band) for band in found.bands] == [
        (0, 16),
        (16, 32),
        (32, 48),
        (48, 64),
    ]
    (missing,) = found.missing
    assert (missing.part.low_band, missing.part.start_frame, missing.part.low_hz) == (48, 30, None)
    assert len([note for note in found.notes if "numbered" in note]) == 2


def test_a_picture_of_one_level_is_told():
    assert "the whole picture has one level" in findings(picture(np.full((BANDS, FRAMES), -80.0))).notes
