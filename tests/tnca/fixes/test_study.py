"""A study: planned once, gone on with, and told as the JSON has it."""

from __future__ import annotations

import json
import math
import os

import pytest

from diagnose import example
from diagnose.contract import load
from tnca.fixes import study as studies
from tnca.fixes.catalogue import fixes, settings
from tnca.fixes.study import Scale, as_dict, key, study
from tnca.vocoders.griffinlim import GriffinLim

VOICE = GriffinLim(load("bigvgan_base_22khz_80band"))
TINY = Scale(epochs=2, seeds=2, quick=True)
CHOSEN = ("db-power", "frequency-weight", "unmasked-loss", "boundary-loss")


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


def test_a_side_that_two_fixes_share_is_trained_once(found, folder, told):
    """frequency-weight and boundary-loss are broken alike; unmasked-loss has two sides of its own."""
    assert len(os.listdir(os.path.join(folder, "work"))) == 5 * 2
    assert told == [(done, 10) for done in range(11)]


def test_every_side_has_an_outcome_a_seed(found):
    for each in found.fixes:
        count = 1 if each.fix.measured == "round trip" else 2
        assert {side: len(outcomes) for side, outcomes in each.sides.items()} == {"broken": count, "fixed": count}
    by_seed = {each.fix.name: each for each in found.fixes}["boundary-loss"].values("broken", "mel_error_db")
    assert by_seed[0] != by_seed[1]


def test_what_is_there_is_not_done_again(note, found, folder, monkeypatch):
    monkeypatch.setattr(studies, "trained", lambda *_: pytest.fail("was trained again"))
    again = study(note, fixes(CHOSEN), VOICE, folder, TINY)
    assert as_dict(again) == as_dict(found)


def test_one_more_seed_is_all_that_is_added(note, found, folder):
    told = []
    study(note, fixes(("boundary-loss",)), VOICE, folder, Scale(2, 3, True), planned=lambda *n: told.append(n))
    assert told == [(4, 6), (5, 6), (6, 6)]


def test_side_by_side_is_the_same(note, found, tmp_path):
    apart = study(note, fixes(("boundary-loss",)), VOICE, str(tmp_path), TINY, jobs=2)
    ours, theirs = ({each["name"]: each for each in as_dict(one)["fixes"]}["boundary-loss"] for one in (found, apart))
    assert ours == theirs


def test_other_settings_are_another_training():
    fix = fixes(("boundary-loss",))[0]
    configs = [settings(fix, fix.fixed, over=over) for over in ({}, {"seed": 1}, {"epochs": 3})]
    assert len({key(config) for config in configs}) == 3
    assert key(configs[0]) == key(settings(fix, fix.fixed))


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


def test_the_evidence_says_what_a_fix_does_to_loss_and_picture(found):
    evidence = {each.fix.name: each.evidence for each in found.fixes}
    assert evidence["frequency-weight"]["gradient"]["factor"] == pytest.approx(2.0)
    assert evidence["frequency-weight"]["gradient"]["unlike"] < 1e-6
    assert evidence["boundary-loss"]["gradient"]["unlike"] > 0.1
    assert evidence["boundary-loss"]["moved_db"] > 0
    assert set(evidence["db-power"]["contract"]) == {"broken", "fixed"}
