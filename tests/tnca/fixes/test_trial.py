"""One side of a fix: what the vocoder is given, what is grown, what the gradient says."""

from __future__ import annotations

import os

import msgspec
import numpy as np
import pytest
import torch

from diagnose import example
from diagnose.errors import InputError
from diagnose.mel.contract import load
from tnca.config import preset
from tnca.fixes.catalogue import fixes, settings
from tnca.fixes.golden import ROUNDING
from tnca.fixes.study import likeness
from tnca.fixes.trial import alive_share, breaches, round_trip, slopes, trained, undone
from tnca.target import target_of
from tnca.training.loop import train
from tnca.training.run import resumed
from tnca.vocoders.griffinlim import GriffinLim

NAMED = {fix.name: fix for fix in fixes()}
VOICE = GriffinLim(load("bigvgan_base_22khz_80band"))
SIZE = {"epochs": 4, "watch": {"every": 2}}


@pytest.fixture(scope="module")
def note():
    return example.bowed_string(f0_hz=392.0, seconds=0.25)


@pytest.fixture(scope="module")
def long():
    return example.bowed_string(f0_hz=392.0, seconds=1.0)


def held_against(name, side, contract=VOICE.contract):
    each = NAMED[name].sides[side]
    return breaches(example.bowed_string(), settings(NAMED[name], each), each, contract)


@pytest.fixture(scope="module")
def trips(long):
    return {
        (name, side): round_trip(long, settings(fix, each), each, VOICE)
        for name, fix in NAMED.items()
        if name in ("db-power", "log-magnitude", "vocoder-contract")
        for side, each in fix.sides.items()
    }


# Round trips


def test_decibels_are_undone_as_it_says():
    x = np.array([-80.0, -20.0, 0.0])
    np.testing.assert_allclose(undone(x, "10 ** (x / 20)"), [1e-4, 0.1, 1])
    np.testing.assert_allclose(undone(x, "10 ** (x / 10)"), [1e-8, 0.01, 1])
    np.testing.assert_allclose(undone(x, "x * ln(10) / 20"), np.log([1e-4, 0.1, 1]))
    assert undone(x, None) is x


@pytest.mark.slow
def test_db_power_changes_no_line_of_what_is_held_against_the_mel(trips):
    lines = [held_against("db-power", side) for side in ("broken", "fixed")]
    fields = [[line.split()[0] for line in each] for each in lines]
    assert fields[0] == fields[1] == ["scale", "pooled", "reference", "top_db", "fmax_hz", "frames"]
    for side in ("broken", "fixed"):
        assert trips["db-power", side].causes[0] == "vocoder-input-scale"
        assert trips["db-power", side].figures["rms_ratio"] > 4


def test_log_magnitude_level_and_range_give_the_reference_back(trips):
    made = trips["vocoder-contract", "fixed"]
    assert 0.9 < made.figures["rms_ratio"] < 1.1
    assert 0.95 < made.figures["centroid_ratio"] < 1.05
    assert [line.split()[0] for line in held_against("vocoder-contract", "fixed")] == [
        "frames"
    ]  # centred, 5.8 ms: not one of the three


def test_what_is_given_to_the_vocoder_is_what_is_shown(trips, long):
    """0 to 1, taken for ln of magnitudes, is 0 to 8.7 dB in every cell."""
    levels = trips["log-magnitude", "broken"].levels_db
    assert levels.min() >= 0
    assert levels.max() == pytest.approx(20 / np.log(10), abs=1e-3)
    fix = NAMED["vocoder-contract"]
    target = target_of(long, settings(fix, fix.fixed).target)
    shown = trips["vocoder-contract", "fixed"].levels_db
    np.testing.assert_allclose(shown, 20 / np.log(10) * target.values, atol=1e-4)


@pytest.mark.slow
def test_phases_are_the_targets_own(note):
    fix = NAMED["phase"]
    plain, carried = (round_trip(note, settings(fix, side), side, VOICE) for side in fix.sides.values())
    assert carried.figures["spectral_convergence"] < 0.3 * plain.figures["spectral_convergence"]
    assert held_against("phase", "fixed") == []


def test_a_contract_without_a_name_is_not_checked():
    assert held_against("phase", "fixed", msgspec.structs.replace(VOICE.contract, name="")) is None


# Trainings


def config_of(name, side="fixed", **over):
    fix = NAMED[name]
    return settings(fix, fix.sides[side], quick=True, over={**SIZE, **over})


def go(note, name, folder, **over):
    return trained(note, config_of(name, **over), str(folder), VOICE.contract)


@pytest.fixture(scope="module")
def done(note, tmp_path_factory):
    """(folder, outcome) of a training that is only read."""
    folder = tmp_path_factory.mktemp("training")
    return folder, go(note, "unmasked-loss", folder)


def test_a_training_is_done_once(note, done):
    folder, first = done
    before = os.stat(folder / "checkpoint.pt").st_mtime_ns
    again = go(note, "unmasked-loss", folder)
    assert os.stat(folder / "checkpoint.pt").st_mtime_ns == before
    assert again.figures == first.figures
    assert sorted(os.listdir(folder)) == ["checkpoint.pt", "config.toml", "reference.wav", "reference_in_band.wav"]


@pytest.mark.slow
def test_one_that_was_stopped_goes_on_and_ends_the_same(note, done, tmp_path, monkeypatch):
    _, whole = done

    def interrupted(run):
        return train(run, None, lambda: run.epoch == 3)

    with monkeypatch.context() as patch:
        patch.setattr("tnca.fixes.trial.train", interrupted)
        go(note, "unmasked-loss", tmp_path / "halved")
    assert resumed(str(tmp_path / "halved"), note, torch.device("cpu")).epoch == 3
    halved = go(note, "unmasked-loss", tmp_path / "halved")
    np.testing.assert_array_equal(whole.levels_db, halved.levels_db)
    assert whole.figures == halved.figures


def test_an_outcome_is_the_last_look(done):
    _, found = done
    row = found.rows[-1]
    assert [each["epoch"] for each in found.rows] == [2, 4]
    for name in ("mel_error_db", "mel_error_end_db", "mel_flicker_db", "rms_ratio", "loss"):
        assert found.figures[name] == row[name]
    assert not {"epoch", "seconds", "verdict", "causes"} & set(found.figures)
    assert found.causes == tuple(row["causes"].split())


def test_sides_in_different_contracts_are_heard_in_one_band(note, done, tmp_path):
    """In the contract that is asked about, both distances are one."""
    found = go(note, "all-best", tmp_path, epochs=1)
    assert found.figures["in_band_lsd_db"] == pytest.approx(found.figures["log_spectral_distance_db"])
    _, other = done
    assert other.figures["in_band_lsd_db"] != pytest.approx(other.figures["log_spectral_distance_db"])


def test_threads_are_as_they_were(note, done):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        go(note, "unmasked-loss", done[0])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_one_that_diverges_is_lost_and_does_not_end_the_study(note, tmp_path):
    found = go(note, "unmasked-loss", tmp_path, optimiser={"learning_rate": 1e30, "normalise_gradients": False})
    assert (found.figures, found.causes) == ({}, ("diverged",))
    assert np.isfinite(found.levels_db).all()
    assert not found.sound.samples.any()


def test_a_folder_that_holds_another_training_is_refused(note, done):
    with pytest.raises(InputError, match="other settings; delete it"):
        go(note, "unmasked-loss", done[0], epochs=5)


@pytest.mark.parametrize("side", ["broken", "fixed"])
def test_how_far_life_has_come(note, tmp_path, side):
    """After 4 steps from one cell: all with the bias, without it no further than a square of 9 x 9."""
    trained(note, config_of("dead-alpha", side, epochs=1), str(tmp_path), VOICE.contract)
    run = resumed(str(tmp_path), note, torch.device("cpu"))
    share = alive_share(run, 4)
    if side == "broken":
        assert share == 1
    else:
        assert 0 < share <= 9 * 9 / (run.rule.bands * run.rule.frames)


# Gradients


@pytest.mark.parametrize("name", ["frequency-weight", "frequency-weight-exponential"])
def test_the_weighting_as_first_coded_is_one_factor_in_every_bin(name):
    note, fix = example.bowed_string(seconds=0.3), NAMED[name]
    one, other = (slopes(note, settings(fix, side)) for side in fix.sides.values())
    found = likeness(one, other)
    assert found["unlike"] < ROUNDING
    top = 3.0 if name == "frequency-weight" else float(np.mean(5 ** np.linspace(0, 1, 80)))
    assert found["factor"] == pytest.approx(top / 1.5, rel=ROUNDING)
    assert np.count_nonzero(one) > 100


@pytest.mark.parametrize("name", ["per-bin-weight", "unmasked-loss", "boundary-loss", "temporal-consistency"])
def test_what_acts_on_the_gradient_is_no_factor(name):
    note, fix = example.bowed_string(seconds=0.3), NAMED[name]
    one, other = (slopes(note, settings(fix, side)) for side in fix.sides.values())
    assert likeness(one, other)["unlike"] > 0.1


def test_the_per_bin_weight_is_the_ramp_itself():
    note, fix = example.bowed_string(seconds=0.3), NAMED["per-bin-weight"]
    one, other = (slopes(note, settings(fix, side)) for side in fix.sides.values())
    ratio = other / one
    np.testing.assert_allclose(ratio, np.broadcast_to(np.linspace(1, 5, 80)[:, None], ratio.shape), rtol=1e-5)


def test_likeness():
    one = np.array([[1.0, 2.0], [0.0, -4.0]])
    assert likeness(one, 3 * one) == {"factor": 3.0, "unlike": 0.0}
    assert likeness(one, one + np.array([[0, 0], [1.0, 0]]))["unlike"] == 1.0
    assert preset("first").loss.weighting_shape == "linear"
