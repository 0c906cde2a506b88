"""The scale from the values alone."""

import numpy as np
import pytest

from diagnose.mel.values import Marks, guesses, looks

LN10 = np.log(10)
SCALES = {
    "power": lambda mel: mel(power=2.0),
    "magnitude": lambda mel: mel(),
    "power-db": lambda mel: 10 * np.log10(np.maximum(mel(power=2.0), 1e-10)),
    "ln-magnitude": lambda mel: np.log(np.maximum(mel(), 1e-5)),
    "log10-magnitude": lambda mel: np.log10(np.maximum(mel(), 1e-10)),
    "ln-power": lambda mel: np.log(np.maximum(mel(power=2.0), 1e-10)),
    "normalised": lambda mel: np.clip((20 * np.log10(np.maximum(mel(), 1e-5)) - 20 + 100) / 100, 0, 1) * 8 - 4,
}


@pytest.mark.parametrize("name", SCALES)
def test_every_scale_of_the_note_is_told(name, made):
    found = guesses(SCALES[name](made))
    assert found[0].levels.name == name
    assert sum(guess.probability for guess in found) == pytest.approx(1)
    assert [guess.plausibility for guess in found] == sorted((g.plausibility for g in found), reverse=True)


@pytest.mark.parametrize("clip", [1e-5, 1e-7, 1e-10])
def test_the_clip_is_read_off_the_floor(made, clip):
    values = np.log(np.maximum(made() * 1e-4, clip))
    values[:, :5] = np.log(clip)
    assert guesses(values)[0].levels.clip == clip


def test_a_reference_of_max_and_its_top_db_are_seen(made):
    power = made(power=2.0)
    values = np.maximum(10 * np.log10(power / power.max()), -60)
    best = guesses(values)[0].levels
    assert (best.name, best.reference, best.top_db, best.clip) == ("power-db", "max", 60.0, None)


@pytest.mark.parametrize(("factor", "name"), [(10, "power"), (20, "magnitude")])
def test_dB_undone_without_its_reference_stays_marked(made, factor, name):
    power = made(power=2.0)
    decibels = np.maximum(10 * np.log10(power / power.max()), -80)
    best = guesses(10 ** (decibels / factor))[0].levels
    assert (best.name, best.reference, best.top_db) == (name, "max", 80.0)


@pytest.mark.parametrize(("bottom", "top"), [(0, 1), (-1, 1), (-4, 4)])
def test_a_normalised_range_is_named(made, bottom, top):
    level = np.clip((20 * np.log10(np.maximum(made(), 1e-5)) + 80) / 100, 0, 1)
    best = guesses(bottom + (top - bottom) * level)[0].levels
    assert (best.name, best.bottom, best.top) == ("normalised", bottom, top)


def test_a_constant_array_has_no_scale():
    assert guesses(np.full((80, 20), -4.0)) == []


def test_looks_of_a_plane_in_closed_form():
    # Level = 3 dB a band up and down, 1 dB a frame: steps of 3, a bend of 0 along the frames, 3 along the zigzag.
    level = np.where(np.arange(40) % 2, 3.0, 0.0)[:, None] + np.arange(50.0)[None]
    spread, step, bend, bend_frames, top = looks(level)
    heard = level[level > 0.01 * 52]
    assert spread == pytest.approx(np.log(np.quantile(heard, 0.95) - np.quantile(heard, 0.05)))
    assert step == pytest.approx(np.log(3))
    assert bend == pytest.approx(np.log(3))
    assert bend_frames == pytest.approx(np.log(1e-3))
    assert top == pytest.approx(52 / 20)


def test_a_floor_is_several_cells_and_not_the_only_value():
    values = np.arange(12.0).reshape(3, 4)
    assert not Marks(values).floored
    values.flat[:3] = 0.0
    assert Marks(values).floored
    assert Marks(values).top_db is None
    assert Marks(np.array([[-80.0, -80.0, -80.0, 0.0]])).top_db == 80.0


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (80, 3)])
def test_small_arrays_are_guessed_without_a_warning(shape):
    values = np.random.default_rng(0).standard_normal(shape)
    assert all(np.isfinite(guess.plausibility) for guess in guesses(values))
