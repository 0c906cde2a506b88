"""What stands out in an array."""

import numpy as np
import pytest

from diagnose.mel.array import plane
from diagnose.mel.signs import signs


def mel():
    return np.random.default_rng(0).standard_normal((80, 200))


def ids(values):
    return [sign.id for sign in signs(plane(values), None)]


def test_nothing_stands_out_of_noise():
    assert ids(mel()) == []


@pytest.mark.parametrize(("value", "name"), [(np.nan, "not-finite"), (np.inf, "not-finite")])
def test_a_value_that_is_none_is_wrong_in_any_contract(value, name):
    values = mel()
    values[5, 7] = value
    found = signs(plane(values), None)
    assert (found[0].id, found[0].wrong) == (name, True)
    assert "0.01%" in found[0].says


def test_a_constant_array_is_wrong():
    found = signs(plane(np.full((80, 20), -3.0)), None)
    assert [(sign.id, sign.wrong) for sign in found] == [("constant", True)]


def test_a_masked_tail_and_how_long_it_is():
    values = mel()
    values[:, 180:] = -20.0
    found = {sign.id: sign.says for sign in signs(plane(values), None)}
    assert found["masked-tail"].startswith("the last 20 of 200 frames are constant (the floor)")


def test_constant_frames_inside_are_no_tail():
    values = mel()
    values[:, 50:60] = 1.0
    assert ids(values) == ["constant-frames"]


def test_frames_that_repeat():
    values = mel()
    values[:, 50:60] = values[:, 49:50]
    found = signs(plane(values), None)
    assert found[0].says == "10 frames equal the one before, 11 in a row"


@pytest.mark.parametrize(
    ("floor", "named"),
    [(np.log(1e-5), "ln 1e-5"), (-80.0, "-80 dB"), (np.log(1e-7), "Vocos"), (-10.0, "log10 1e-10"), (-3.21, None)],
)
def test_a_known_floor_is_named(floor, named):
    values = np.abs(mel()) + floor + 1
    values.flat[::20] = floor
    said = {sign.id: sign.says for sign in signs(plane(values), None)}["floor"]
    assert said.startswith("5.0% of the values equal the lowest")
    assert (named is None and said.count(":") == 0) or named in said
