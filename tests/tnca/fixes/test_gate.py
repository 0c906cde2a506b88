"""The regression gate: every fix at the quick size, against tests/golden/fixes.

tnca fixes --quick --out /tmp/fixes --golden tests/golden/fixes --record     # for a fix that has no threshold yet
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from diagnose.mel.contract import load
from tnca.cli.fixing import QUICK_EPOCHS
from tnca.fixes import golden
from tnca.fixes.catalogue import fixes
from tnca.fixes.study import Scale, study
from tnca.vocoders.griffinlim import GriffinLim

THRESHOLDS = Path(__file__).parents[2] / "golden" / "fixes"
FIXES = [fix.name for fix in fixes()]
QUICK = Scale(QUICK_EPOCHS, 3, quick=True)


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    from tnca.cli.fixing import _sound

    voice = GriffinLim(load("bigvgan_base_22khz_80band"))
    folder = str(tmp_path_factory.mktemp("fixes"))
    return study(_sound(None, quick=True), fixes(), voice, folder, QUICK, jobs=2)


@pytest.mark.parametrize("name", FIXES)
def test_the_fix_holds_its_threshold(quick, name):
    (one,) = (each for each in quick.fixes if each.fix.name == name)
    held = golden.read(str(THRESHOLDS), [name])
    assert golden.check(msgspec.structs.replace(quick, fixes=(one,)), held) == []


def test_no_threshold_is_left_over():
    assert {path.stem for path in THRESHOLDS.glob("*.toml")} == set(FIXES)


def test_the_findings_show_at_the_quick_size_too(quick):
    """The findings that everything else rests on; the full ones stand in reports/fixes.json."""
    words = {each.fix.name: each.verdict.word for each in quick.fixes}
    assert words["db-power"] == words["frequency-weight"] == "no effect"
    assert words["circular-padding"] != "came true"
    for name in ("log-magnitude", "level-reference", "vocoder-contract", "unmasked-loss", "positional-channels"):
        assert words[name] == "came true", name
