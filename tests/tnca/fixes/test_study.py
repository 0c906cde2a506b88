"""A study: planned once, gone on with, and told as the JSON has it."""

from __future__ import annotations

import json
import math
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from diagnose import example
from diagnose.audio import Audio
from diagnose.errors import InputError
from diagnose.mel.contract import load
from tnca.fixes import key as keys
from tnca.fixes import trial
from tnca.fixes.catalogue import fixes, settings
from tnca.fixes.golden import ROUNDING
from tnca.fixes.key import fingerprint, key
from tnca.fixes.study import Scale, as_dict, study
from tnca.vocoders.griffinlim import GriffinLim

VOICE = GriffinLim(load("bigvgan_base_22khz_80band"))
TINY = Scale(epochs=2, seeds=2, quick=True)
CHOSEN = ("db-power", "frequency-weight", "boundary-loss")


@pytest.fixture(scope="module")
def note():
    return example.bowed_string(f0_hz=392.0, seconds=0.25)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tmp_path_factory.mktemp("fixes"))


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def found(note, folder, told):
    return study(note, fixes(CHOSEN), VOICE, folder, TINY, planned=lambda *numbers: told.append(numbers))


@pytest.mark.slow
def test_a_side_that_two_fixes_share_is_trained_once(found, folder, told):
    """frequency-weight and boundary-loss are broken alike."""
    assert len(os.listdir(os.path.join(folder, "work"))) == 3 * 2
    assert told == [(done, 6) for done in range(1, 7)]


@pytest.mark.slow
def test_every_side_has_an_outcome_a_seed(found):
    for each in found.fixes:
        assert {side: len(outcomes) for side, outcomes in each.sides.items()} == {"broken": 2, "fixed": 2}
    by_seed = {each.fix.name: each for each in found.fixes}["boundary-loss"].values("broken", "mel_error_db")
    assert by_seed[0] != by_seed[1]


def times(folder):
    return {path: path.stat().st_mtime_ns for path in Path(folder, "work").glob("*/checkpoint.pt")}


@pytest.mark.slow
def test_what_is_there_is_not_done_again(note, found, folder):
    before = times(folder)
    again = study(note, fixes(("boundary-loss",)), VOICE, folder, TINY)
    assert as_dict(again)["fixes"] == [as_dict(found)["fixes"][-1]]
    assert times(folder) == before


@pytest.mark.slow
def test_one_more_seed_is_all_that_is_added(note, found, folder):
    before = times(folder)
    study(note, fixes(("boundary-loss",)), VOICE, folder, Scale(2, 3, True))
    assert len(times(folder)) == len(before) + 2
    assert before.items() <= times(folder).items()


@pytest.mark.slow
def test_side_by_side_is_the_same(note, found, tmp_path):
    (apart,) = study(note, fixes(("boundary-loss",)), VOICE, str(tmp_path), Scale(2, 1, True), jobs=2).fixes
    (ours,) = (each for each in found.fixes if each.fix.name == "boundary-loss")
    for side, (outcome,) in apart.sides.items():
        assert outcome.figures == ours.sides[side][0].figures
        np.testing.assert_array_equal(outcome.levels_db, ours.sides[side][0].levels_db)


def test_other_settings_sounds_and_code_are_another_training(note, monkeypatch):
    fix = fixes(("boundary-loss",))[0]
    configs = [settings(fix, fix.fixed, over=over) for over in ({}, {"seed": 1}, {"epochs": 3})]
    assert len({key(config, note) for config in configs}) == 3
    assert key(configs[0], note) == key(settings(fix, fix.fixed), note)
    quieter = Audio(0.1 * note.samples, note.rate)
    renamed = Audio(note.samples, note.rate, "another name")
    assert fingerprint(quieter) != fingerprint(note) == fingerprint(renamed)
    before = key(configs[0], note)
    monkeypatch.setattr(keys, "_code", lambda: "another cell")
    assert key(configs[0], note) != before


def test_the_code_of_the_cell_counts_and_that_of_the_page_does_not(tmp_path, monkeypatch):
    for name in ("cell.py", "fixes/page.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    monkeypatch.setattr(keys.tnca, "__file__", str(tmp_path / "__init__.py"))

    def code():
        keys._code.cache_clear()
        return keys._code()

    before = code()
    (tmp_path / "fixes" / "page.py").write_text("2")
    assert code() == before
    (tmp_path / "cell.py").write_text("2")
    assert code() != before
    monkeypatch.undo()
    keys._code.cache_clear()


@pytest.mark.slow
def test_a_network_is_asked_once_and_phases_are_griffin_lims(note, tmp_path):
    class Network:
        name, contract, asked = "a network", VOICE.contract, 0

        def __call__(self, mel):
            self.asked += 1
            return VOICE(mel)

    network = Network()
    found = study(note, fixes(("db-power", "phase")), network, str(tmp_path), TINY)
    assert network.asked == 2  # each side once
    assert [len(each.sides["fixed"]) for each in found.fixes] == [1, 2]


@pytest.mark.slow
def test_a_round_trip_that_two_fixes_share_is_made_once(note, tmp_path, monkeypatch):
    """log-magnitude begins where db-power ends, and level-reference where log-magnitude ends."""
    made, real = [], trial.round_trip
    monkeypatch.setattr("tnca.fixes.study.round_trip", lambda *given: made.append(0) or real(*given))
    found = study(note, fixes(("db-power", "log-magnitude", "level-reference")), VOICE, str(tmp_path), TINY).fixes
    assert len(made) == 4 * 2
    for one, other in pairwise(found):
        assert one.sides["fixed"] is other.sides["broken"]
        assert one.evidence["contract"]["fixed"] == other.evidence["contract"]["broken"]


def test_a_vocoder_of_other_bands_is_refused_before_anything_is_trained(note, tmp_path):
    voice = GriffinLim(load("bigvgan_24khz_100band"))
    with pytest.raises(InputError, match=r"expected \(100, frames\)"):
        study(note, fixes(("boundary-loss", "db-power")), voice, str(tmp_path), TINY)
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_the_json_has_what_its_readers_count_on(found):
    table = json.loads(json.dumps(as_dict(found), allow_nan=False))
    assert (table["schema"], table["seeds"], table["epochs"], table["sound"]) == (
        *("tnca.fixes/1", [0, 1], 2, "bowed string"),
    )
    assert [each["name"] for each in table["fixes"]] == list(CHOSEN)
    for each in table["fixes"]:
        assert set(each["prediction"]) == {"metric", "direction", "amount"}
        assert each["verdict"] in ("came true", "no effect", "made it worse")
        values = each["figures"][each["prediction"]["metric"]]
        assert each["broken"] == pytest.approx(math.fsum(values["broken"]) / len(values["broken"]))
        assert each["fixed"] == pytest.approx(math.fsum(values["fixed"]) / len(values["fixed"]))
        assert each["spread"] >= 0


@pytest.mark.slow
def test_the_evidence_says_what_a_fix_does_to_loss_and_picture(found):
    evidence = {each.fix.name: each.evidence for each in found.fixes}
    assert evidence["frequency-weight"]["gradient"]["factor"] == pytest.approx(2.0)
    assert evidence["frequency-weight"]["gradient"]["unlike"] < ROUNDING
    assert evidence["boundary-loss"]["gradient"]["unlike"] > 0.1
    assert evidence["boundary-loss"]["moved_db"] > 0
    assert set(evidence["db-power"]["contract"]) == {"broken", "fixed"}
