"""Ruler: the distance that a repair is judged by."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.explain import Scene
from diagnose.repairs.distance import Ruler

RATE = 16_000


@pytest.fixture(scope="module")
def noise():
    return 0.1 * np.random.default_rng(0).standard_normal(RATE)


def ruler(*references):
    return Ruler(dict(enumerate(references, 1)), RATE, 0)


def test_of_a_sound_and_itself_it_is_nothing(noise):
    assert ruler(noise).distance_db({1: noise}) == -120.0


def test_it_is_the_engine_s_distance_where_both_are_as_long(noise):
    scene = Scene(noise, 0.5 * noise, RATE)
    wanted = scene.judge(scene.error_of(scene.spectra_of(noise))).distance_db
    assert ruler(noise).distance_db({1: 0.5 * noise}) == pytest.approx(wanted, abs=1e-6)


def test_silence_at_the_end_is_nothing_and_sound_there_is(noise):
    scene = ruler(noise)
    half = {1: 0.5 * noise}
    padded = {1: np.pad(0.5 * noise, (0, 5000))}
    assert scene.distance_db(padded) == pytest.approx(scene.distance_db(half), abs=0.1)
    assert scene.distance_db({1: np.append(0.5 * noise, noise[:5000])}) > scene.distance_db(half) + 1


def test_a_delay_a_sign_and_a_gain_are_seen(noise):
    for worse in (np.roll(noise, 5), -noise, 0.7 * noise):
        assert ruler(noise).distance_db({1: worse}) > -20


def test_of_two_channels_one_of_which_is_right_it_lies_between(noise):
    both = ruler(noise, noise)
    assert -120 < both.distance_db({1: noise, 2: -noise}) < both.distance_db({2: -noise})


@pytest.mark.parametrize(("samples", "measures"), [(np.zeros(4096), False), (np.ones(100), False)])
def test_silence_and_a_moment_are_no_measure(samples, measures):
    assert ruler(samples).measures == measures
