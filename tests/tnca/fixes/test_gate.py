"""The regression gate: every fix at the quick size, against tests/golden/fixes.

tnca fixes --quick --out /tmp/fixes --golden tests/golden/fixes --record     # for a fix that has no threshold yet
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from diagnose.mel.contract import load
from tnca.cli.fixing import QUICK_EPOCHS, _sound
from tnca.fixes import golden
from tnca.fixes.catalogue import fixes
from tnca.fixes.study import Scale, study
from tnca.vocoders.griffinlim import GriffinLim

THRESHOLDS = Path(__file__).parents[2] / "golden" / "fixes"
QUICK = Scale(QUICK_EPOCHS, 3, quick=True)
VOICE = GriffinLim(load("bigvgan_base_22khz_80band"))
FIXES = [fix.name for fix in fixes()]
# In the ordinary run: the first diagnosis.  Slow are the others for which nothing is trained, and the trained fix with
# the surest effect; the other trainings take minutes, and are long.  What they are made of is held by test_trial and
# test_study.
ORDINARY = ["db-power"]
TRAINED = "unmasked-loss"
SLOW = [fix.name for fix in fixes() if fix.name == TRAINED or (fix.measured == "round trip" and fix.name != "db-power")]
LONG = [name for name in FIXES if name not in ORDINARY + SLOW]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tmp_path_factory.mktemp("fixes"))


@pytest.fixture(scope="module")
def ordinary(folder):
    return study(_sound(None, quick=True), fixes(tuple(ORDINARY)), VOICE, folder, QUICK)


@pytest.fixture(scope="module")
def slow(folder):
    return study(_sound(None, quick=True), fixes(tuple(SLOW)), VOICE, folder, QUICK)


@pytest.fixture(scope="module")
def long(folder):
    return study(_sound(None, quick=True), fixes(tuple(LONG)), VOICE, folder, QUICK, jobs=2)


def broken(found, name):
    (one,) = (each for each in found.fixes if each.fix.name == name)
    return golden.check(msgspec.structs.replace(found, fixes=(one,)), golden.read(str(THRESHOLDS), [name]))


def words(found):
    return {each.fix.name: each.verdict.word for each in found.fixes}


@pytest.mark.parametrize("name", ORDINARY)
def test_the_fix_holds_its_threshold(ordinary, name):
    assert broken(ordinary, name) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_every_quick_fix_holds_its_threshold(slow, name):
    assert broken(slow, name) == []


@pytest.mark.long
@pytest.mark.parametrize("name", LONG)
def test_every_other_fix_holds_its_threshold(long, name):
    assert broken(long, name) == []


def test_no_threshold_is_left_over():
    assert {path.stem for path in THRESHOLDS.glob("*.toml")} == set(FIXES)


# The findings that everything else rests on, at the quick size too; the full ones stand in reports/fixes.json.


def test_the_first_finding_shows_at_the_quick_size_too(ordinary):
    assert words(ordinary) == {"db-power": "no effect"}


@pytest.mark.slow
def test_the_findings_on_the_interface_show_at_the_quick_size_too(slow):
    found = words(slow)
    for name in ("log-magnitude", "level-reference", "vocoder-contract", TRAINED):
        assert found[name] == "came true", name


@pytest.mark.long
def test_the_findings_on_the_automaton_show_at_the_quick_size_too(long):
    found = words(long)
    assert found["frequency-weight"] == "no effect"
    assert found["circular-padding"] != "came true"
    assert found["positional-channels"] == "came true"
