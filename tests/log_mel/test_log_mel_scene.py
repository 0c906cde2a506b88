"""The score in log-mel cells, on errors of known size, and what of a pair is read."""

import numpy as np
import pytest

from diagnose.analysis import Pair, Signal
from diagnose.audio import from_array
from diagnose.log_mel.scene import (
    BLOCK,
    EXCERPT,
    LEAST,
    NATS_DB,
    NEAREST,
    ORDINARY,
    RANGE,
    SHORTEST_FRAMES,
    LogMelScene,
    averaged,
    in_blocks,
    log_mel_scene,
)
from diagnose.operations.operation import Predicted
from diagnose.operations.scene import TAIL


def judged(scene, levels):
    return scene.judge(scene.error_of(scene.spectra_of(levels)))


def test_blocks_are_means_of_four_frames_and_two_bands():
    values = np.arange(9 * 5, dtype=np.float32).reshape(9, 5)
    found = in_blocks(values)
    assert BLOCK == (4, 2)
    assert found == pytest.approx(values[:8, :4].reshape(2, 4, 2, 2).mean(axis=(1, 3)))


def test_a_perfect_prediction_costs_nothing(levels):
    found = judged(LogMelScene(levels, levels, 0.01), levels)
    assert (found.cost, found.over_db) == (0.0, 0.0)
    assert found.distance_db == pytest.approx(NATS_DB * NEAREST) == pytest.approx(0.0087, rel=0.01)


@pytest.mark.parametrize("off", [0.05, 0.5, 2.0])
def test_the_distance_is_by_how_many_db_all_cells_are_off(levels, off):
    assert judged(LogMelScene(levels, levels + off, 0.01), levels).distance_db == pytest.approx(8.686 * off, rel=1e-3)


def test_a_quarter_of_a_nat_is_ordinary_loss(levels):
    scene = LogMelScene(levels, levels + 0.25, 0.01)
    found = judged(scene, levels)
    assert found.ratio_db == pytest.approx(0.0, abs=0.02)
    assert found.over_db == pytest.approx(3.01, abs=0.02)  # as loud again
    assert found.cost == pytest.approx(0.5 * scene.spectra.size * TAIL * np.log(1 + 1 / TAIL), rel=1e-3)


def test_a_parameter_costs_half_the_logarithm_of_the_blocks(levels):
    scene = LogMelScene(levels, levels, 0.01)
    assert scene.spectra.shape == (60, 40)
    assert scene.charge == pytest.approx(0.5 * np.log(60 * 40))


@pytest.mark.parametrize(("under", "is_heard"), [(RANGE - 2, True), (RANGE + 2, False)])
def test_what_lies_78_db_under_the_loudest_is_gone(under, is_heard):
    """Cells of both lie deep, those of the copy deeper by a nat: that is an error where it is heard."""
    ours = np.zeros((80, 80), np.float32)
    ours[:, 40:] = -under + 1
    theirs = ours.copy()
    theirs[:, 40:] -= 1
    scene = LogMelScene(ours + 100, theirs + 100, 0.01)
    assert (judged(scene, scene.reference).cost > 100) is is_heard


def test_the_range_is_78_db():
    assert pytest.approx(78, abs=0.5) == NATS_DB * RANGE


def test_the_floor_of_silence_is_that_of_a_logarithm():
    silent = np.full((40, 40), -30.0)
    scene = LogMelScene(silent, silent, 0.01)
    assert scene.floor == scene.own_floor == pytest.approx(np.log(LEAST)) == pytest.approx(-11.5, abs=0.1)


@pytest.mark.parametrize(("gone", "is_unknown"), [(4, False), (5, True)])
def test_a_block_is_unknown_where_more_than_half_of_the_reference_is_at_its_floor(gone, is_unknown):
    ours = np.zeros((8, 4), np.float32)
    ours[:4, :2].flat[:gone] = -20
    scene = LogMelScene(ours, np.zeros_like(ours), 0.01)
    assert scene.unknown[0, 0] == is_unknown
    assert not scene.unknown[1:].any()


def test_of_what_is_unknown_less_is_no_error_and_more_is():
    ours = np.zeros((8, 4), np.float32)
    ours[:4] = -9.5
    for said, costs in ((2.0, 4.0), (-1.0, 0.0)):  # what is generated over what is predicted
        theirs = ours.copy()
        theirs[:4] = -5
        scene = LogMelScene(ours, theirs, 0.01)
        error = scene.error_of(scene.spectra - np.float32(said))
        assert error[0] == pytest.approx(costs)
        assert error[1] == pytest.approx(said**2)


def test_the_correlation_is_that_of_a_straight_line(levels):
    def of(theirs):
        return LogMelScene(levels, theirs, 0.01).correlation

    assert of(0.5 * levels + 3) == pytest.approx(1, abs=1e-3)
    assert of(-levels) == pytest.approx(-1, abs=1e-3)
    assert abs(of(np.random.default_rng(0).standard_normal(levels.shape))) < 0.05


def test_a_prediction_that_says_the_mean_leaves_all(levels):
    scene = LogMelScene(levels, levels, 0.01)
    for values, share in ((levels, 0.0), (np.full_like(levels, scene.spectra.mean()), 1.0)):
        cells = scene.spectra_of(values)
        found = Predicted(values, cells, scene.error_of(cells))
        assert scene.unlike(found) == pytest.approx(share, abs=1e-4)
        assert scene.unsteadiness(found) == 0.0


@pytest.mark.parametrize("varies", [0.0, 0.1])
def test_what_hardly_varies_is_asked_for_a_share_of_ordinary_loss(levels, varies):
    flat = varies * np.sign(levels - levels.mean())
    scene = LogMelScene(levels, flat, 0.01)
    cells = scene.spectra + np.float32(0.5 * ORDINARY)
    assert scene.unlike(Predicted(flat, cells, scene.error_of(cells))) == pytest.approx(0.25, abs=0.01)


def test_the_same_reference_stands_beside_another_target(levels):
    scene = LogMelScene(levels, levels, 0.02).towards(levels + 1)
    assert scene.frame_s == 0.02
    assert scene.generated - scene.reference == pytest.approx(1.0)


def test_averages_keep_the_sum_and_repeat_what_is_at_the_border():
    spike = np.zeros((11, 9))
    spike[5, 4] = 1.0
    found = averaged(spike, 5, 3)
    assert found[3:8, 3:6] == pytest.approx(1 / 15)
    assert found.sum() == pytest.approx(1)
    steps = np.repeat([[1.0], [4.0]], 4, axis=0) * np.ones((8, 6))
    assert averaged(steps, 3, 5)[[0, 3, 4, 7], 0] == pytest.approx([1, 2, 3, 4])
    assert np.array_equal(averaged(steps, 1, 1), steps)


# Of a pair


def pair(size, rate=22_050, level=0.5):
    noise = 0.1 * np.random.default_rng(1).standard_normal(size)
    return Pair(*(Signal(from_array(np.float32(side), rate)) for side in (noise, level * noise)))


@pytest.mark.parametrize(("rate", "n_fft"), [(16_000, 1024), (31_000, 1024), (33_000, 2048), (48_000, 2048)])
def test_a_frame_has_twice_as_many_samples_from_32_khz(rate, n_fft):
    scene = log_mel_scene(pair(20_000, rate))
    assert scene.frame_s == pytest.approx(n_fft / 4 / rate)
    assert scene.reference.shape[1] == 80


def test_levels_are_natural_logarithms_of_magnitudes():
    scene = log_mel_scene(pair(20_000))
    assert np.median(scene.generated - scene.reference) == pytest.approx(np.log(0.5), abs=1e-3)


@pytest.mark.parametrize(("frames", "is_read"), [(SHORTEST_FRAMES - 8, False), (SHORTEST_FRAMES + 8, True)])
def test_a_quarter_of_a_second_is_too_short(frames, is_read):
    assert (log_mel_scene(pair(256 * frames)) is not None) is is_read
    assert SHORTEST_FRAMES == 24


def test_silence_has_no_scene():
    assert log_mel_scene(pair(20_000, level=0.0)) is None


def test_of_a_long_sound_twelve_seconds_are_read():
    scene = log_mel_scene(pair(EXCERPT + 90_000))
    assert len(scene.reference) == pytest.approx(EXCERPT / 256, abs=2) == pytest.approx(1024, abs=2)
