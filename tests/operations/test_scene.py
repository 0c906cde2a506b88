"""The score on errors of known size."""

import numpy as np
import pytest

from diagnose.operations.operation import Predicted
from diagnose.operations.scene import NEAREST_DB, ORDINARY_DB, Scene

RATE = 16_000


@pytest.fixture(scope="module")
def noise():
    return 0.1 * np.random.default_rng(3).standard_normal(2 * RATE)


def judged(scene, samples, variance=None):
    return scene.judge(scene.error_of(scene.spectra_of(samples)), variance)


def predicted(scene, samples, variance):
    spectra = scene.spectra_of(samples)
    return Predicted(samples, spectra, scene.error_of(spectra), variance)


def test_a_perfect_prediction_costs_nothing(noise):
    found = judged(Scene(noise, 0.5 * noise, RATE), 0.5 * noise)
    assert (found.cost, found.distance_db, found.over_db) == (0.0, NEAREST_DB, 0.0)


@pytest.mark.parametrize("share", [0.3, 0.1, 0.01])
def test_the_distance_of_a_gain_is_its_error_in_db(noise, share):
    scene = Scene(noise, noise, RATE)
    assert judged(scene, (1 + share) * noise).distance_db == pytest.approx(20 * np.log10(share), abs=2.5)


def test_the_cost_falls_with_the_error_and_ordinary_loss_is_worth_3_db(noise):
    scene = Scene(noise, noise, RATE)
    costs = [judged(scene, (1 + share) * noise).cost for share in (1.0, 0.1, 0.01)]
    assert costs == sorted(costs, reverse=True)
    at_ordinary = judged(scene, (1 + 10 ** (ORDINARY_DB / 20)) * noise)
    assert at_ordinary.over_db == pytest.approx(3.0, abs=0.7)


def test_noise_of_the_stated_level_is_no_distance_and_another_level_costs_more(noise, rng):
    added = 0.02 * rng.standard_normal(noise.size)
    scene = Scene(noise, noise + added, RATE)
    power = np.full((1, scene.spectra.shape[1]), 0.02**2 * 384, np.float32)
    assert judged(scene, noise, power).distance_db < ORDINARY_DB - 6
    assert judged(scene, noise, power).cost < min(judged(scene, noise, power * f).cost for f in (0.06, 8.0))
    assert judged(scene, noise, power).cost < judged(scene, noise).cost
    assert scene.unsteadiness(predicted(scene, noise, power)) == pytest.approx(1.28, abs=0.05)


def test_noise_that_follows_the_sound_is_not_steady(noise, rng):
    swell = noise * np.linspace(0.01, 1, noise.size) ** 2
    scene = Scene(swell, swell * (1 + 0.3 * rng.standard_normal(noise.size)), RATE)
    power = scene.error_of(scene.spectra_of(swell)).mean(axis=0, keepdims=True)
    assert scene.unsteadiness(predicted(scene, swell, power)) > 1.8


def test_of_a_long_sound_the_worst_frames_are_among_those_that_are_looked_at(rng):
    long = 0.1 * rng.standard_normal(120 * RATE)
    clicked = long.copy()
    clicked[77 * RATE] += 0.5
    scene = Scene(long, clicked, RATE)
    assert 450 < len(scene.frames) <= 512
    assert scene.stands_for.sum() == pytest.approx(120 * RATE / 512 + 1, rel=0.01)
    assert {77 * RATE // 512, 77 * RATE // 512 + 1} & set(scene.frames.tolist())
    assert judged(scene, long).worst_db > 10


def test_rounding_to_16_bits_is_ordinary_however_quiet_the_sound_is(noise):
    quiet = 0.01 * noise
    scene = Scene(quiet, np.round(quiet * 32768) / 32768, RATE)
    assert judged(scene, quiet).over_db < 1.0
    assert judged(Scene(quiet, np.round(quiet * 2048) / 2048, RATE), quiet).over_db > 3.0


def test_the_correlation_looks_away_from_biases(noise, rng):
    assert Scene(noise, 3 - noise, RATE).correlation == pytest.approx(1.0)
    assert Scene(noise, rng.standard_normal(noise.size), RATE).correlation < 0.03
