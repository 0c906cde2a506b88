import numpy as np
import pytest

from diagnose.timeline.path import WELL, Run
from diagnose.timeline.search import runs
from diagnose.timeline.spectral import LIKELY, Spectra

RATE, STEP, BANDS = 8000, 128, 24


def rows(columns, seed=1):
    """Levels of bands that change from column to column [shape=(24, columns)]."""
    return np.random.default_rng(seed).standard_normal((BANDS, columns))


def spectra(reference, generated, rate=RATE):
    lengths = reference.shape[1] * STEP, generated.shape[1] * STEP
    return Spectra(reference, generated, STEP, lengths, rate)


@pytest.mark.parametrize(("rate", "columns"), [(8000, 1), (22050, 2), (44100, 3), (48000, 4)])
def test_a_frame_is_about_ten_milliseconds(rate, columns):
    found = spectra(rows(50), rows(50), rate)
    assert (found.columns, found.hop) == (columns, columns * STEP)


@pytest.mark.parametrize("columns", [1, 8, 9, 10, 50])
def test_frames_cover_every_column(columns):
    theirs = rows(columns)
    found = spectra(rows(50), theirs, 44100)
    sums = [float(np.square(theirs[:, i : i + 3]).sum()) for i in range(0, columns, 3)]
    expected = [sum(sums[max(i - 1, 0) : i + 2]) for i in range(len(sums))]
    assert found.energy == pytest.approx(expected)


@pytest.mark.parametrize("shift", [-20, -1, 0, 1, 20])
def test_at_its_delay_a_copy_leaves_nothing_over(shift):
    ours = rows(100)
    theirs = np.zeros((BANDS, 100))
    first, last = max(shift, 0), min(100 + shift, 100)
    theirs[:, first:last] = ours[:, first - shift : last - shift]
    found = spectra(ours, theirs)
    fit = found.fit(shift * STEP)
    assert fit.cross == pytest.approx(fit.own)
    assert found.residual(fit) == pytest.approx(0, abs=1e-9)
    assert found.fit(shift * STEP + STEP // 3).cross == pytest.approx(fit.cross)  # the nearest column


@pytest.mark.parametrize("delay", [200 * STEP, -200 * STEP])
def test_beyond_the_reference_there_is_nothing(delay):
    fit = spectra(rows(50), rows(50)).fit(delay)
    assert not fit.own.any()
    assert not fit.cross.any()


@pytest.mark.parametrize("shift", [-30, 0, 7, 40])
@pytest.mark.parametrize("expected", [-1000, 0, 5000])
def test_the_delay_of_a_stretch_is_found(shift, expected):
    ours = rows(200)
    theirs = rows(200, 2)
    theirs[:, 80:120] = ours[:, 80 - shift : 120 - shift]
    found = spectra(ours, theirs)
    assert found.delay_of(80 * STEP, 120 * STEP, expected) == shift * STEP
    assert found.likely(80 * STEP, 120 * STEP, expected) == [shift * STEP]


def test_another_sound_has_no_source():
    found = spectra(rows(200), rows(200, 2))
    assert found.delay_of(80 * STEP, 120 * STEP, 0) is None
    assert found.likely(80 * STEP, 120 * STEP, 0) == []


@pytest.mark.parametrize(("r", "likely"), [(LIKELY - 0.01, False), (LIKELY + 0.01, True)])
def test_a_source_is_likely_from_a_certain_r(r, likely):
    ours, theirs = rows(200), rows(200, 2)
    one, other = ours[:, 50:90], theirs[:, 80:120]
    other = other - (one * other).sum() / (one * one).sum() * one
    other = other * np.sqrt((one * one).sum() / (other * other).sum())
    theirs[:, 80:120] = r * one + np.sqrt(1 - r * r) * other
    assert (spectra(ours, theirs).delay_of(80 * STEP, 120 * STEP, 0) == 30 * STEP) == likely


@pytest.mark.parametrize("expected", [-33, 0, 40, 61])
def test_of_places_that_are_alike_the_nearest_to_the_expected_is_found(expected):
    ours = np.tile(rows(20), 20)
    found = spectra(ours, ours)
    assert found.delay_of(200 * STEP, 230 * STEP, expected * STEP) == 20 * round(expected / 20) * STEP


@pytest.mark.parametrize(("columns", "found"), [(7, False), (8, True)])
def test_a_stretch_of_less_than_eight_columns_says_nothing(columns, found):
    ours = rows(100)
    delay = spectra(ours, ours).delay_of(40 * STEP, (40 + columns) * STEP, 0)
    assert delay == (0 if found else None)


def test_a_stretch_longer_than_the_reference_has_no_source():
    assert spectra(rows(20), rows(100)).delay_of(0, 40 * STEP, 0) is None


def test_silence_has_no_source():
    assert spectra(np.zeros((BANDS, 100)), rows(100)).delay_of(0, 40 * STEP, 0) is None
    assert spectra(rows(100), np.zeros((BANDS, 100))).delay_of(0, 40 * STEP, 0) is None


def test_a_copy_is_one_run():
    ours = rows(200)
    found = spectra(ours, ours)
    laid = runs(found, found, [0])
    assert laid.runs == [Run(0, 200 * STEP, 0)]
    assert laid.explained == pytest.approx(WELL, abs=0.1)


@pytest.mark.parametrize("lost", [20, 60])
def test_a_cut_is_found_to_a_frame_or_so(lost):
    ours = rows(400)
    found = spectra(ours, np.concatenate([ours[:, :200], ours[:, 200 + lost :]], axis=1))
    both = runs(found, found, [0]).runs
    assert [run.delay for run in both] == [0, -lost * STEP]
    assert both[0].end == pytest.approx(200 * STEP, abs=3 * STEP)


def test_other_rows_are_explained_by_nothing():
    found = spectra(rows(200), rows(200, 2))
    assert runs(found, found, [0]).explained < 0.3
