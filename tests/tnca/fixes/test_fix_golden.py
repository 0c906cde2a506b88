"""Thresholds: recorded once, held ever after, and broken where a fix no longer does what it did."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import numpy as np
import pytest

from diagnose import example
from diagnose.audio import Audio
from diagnose.errors import InputError
from diagnose.mel.contract import load
from tnca.fixes.catalogue import fixes
from tnca.fixes.golden import ROUNDING, bounds, check, read, record
from tnca.fixes.key import fingerprint
from tnca.fixes.study import Measured, Scale, Study
from tnca.fixes.trial import Outcome
from tnca.fixes.verdict import decide

NOTE = example.bowed_string(seconds=0.1)
NAMED = {fix.name: fix for fix in fixes()}
THRESHOLDS = Path(__file__).parents[2] / "golden" / "fixes"
# How far a recorded change moved at most, measured with the code of AVX-512, AVX2 and SSE 4 (tests/portable.py); what
# is not named moved by less than 0.0001.
MOVES = {
    "frequency-weight": 0.009,
    "frequency-weight-exponential": 0.005,
    "per-bin-weight": 0.002,
    "l1-weight": 0.01,
    "unmasked-loss": 0.002,
    "boundary-loss": 0.34,
    "multiscale-perceptual": 0.002,
    "audio-loss": 0.16,
    "temporal-consistency": 0.006,
    "circular-padding": 0.022,
    "grid-margin": 0.016,
    "positional-channels": 0.005,
    "all-first": 0.02,
    "all-best": 0.05,
}
MARGIN = 5


def made(name, broken, fixed, **evidence):
    """A study of one fix with these figures, one a seed."""
    fix = NAMED[name]
    sides = {
        side: tuple(
            Outcome({fix.prediction.metric: value}, (), np.zeros((1, 1)), 0.0, Audio(NOTE.samples, NOTE.rate))
            for value in values
        )
        for side, values in (("broken", broken), ("fixed", fixed))
    }
    measured = Measured(fix, sides, decide(fix.prediction, broken, fixed), evidence)
    return Study(NOTE, "griffinlim", load("bigvgan_base_22khz_80band"), Scale(40, len(broken), True), (measured,))


BETTER = made("unmasked-loss", [9.0, 10.0, 11.0], [2.0, 2.5, 3.0], moved_db=4.0)


def assert_says(line, *parts):
    assert [part for part in parts if part not in line] == [], line


def held(found, folder):
    return check(found, read(str(folder), [each.fix.name for each in found.fixes]))


def test_it_is_written_once(tmp_path):
    folder = str(tmp_path / "fixes")
    assert record(BETTER, folder) == ["unmasked-loss"]
    table = tomllib.loads((tmp_path / "fixes" / "unmasked-loss.toml").read_text())
    assert table == {
        "fix": "unmasked-loss",
        "sound": fingerprint(NOTE),
        "metric": "mel_error_end_db",
        "verdict": "came true",
        "change": 7.5,
        "tolerance": 1.0,
        "epochs": 40,
        "seeds": 3,
        "quick": True,
        "moved_db": 4.0,
    }
    assert record(made("unmasked-loss", [9.0] * 3, [9.0] * 3), folder) == []
    assert tomllib.loads((tmp_path / "fixes" / "unmasked-loss.toml").read_text()) == table


def test_what_was_recorded_is_held(tmp_path):
    record(BETTER, str(tmp_path))
    assert held(BETTER, tmp_path) == []
    assert held(made("unmasked-loss", [9.0] * 3, [2.4] * 3, moved_db=1.5), tmp_path) == []  # 6.6 of 7.5
    assert held(made("unmasked-loss", [9.0] * 3, [0.0] * 3, moved_db=9.0), tmp_path) == []


def test_seeds_that_agree_leave_a_tenth(tmp_path):
    record(made("unmasked-loss", [9.0] * 3, [2.0] * 3), str(tmp_path))
    assert tomllib.loads((tmp_path / "unmasked-loss.toml").read_text())["tolerance"] == 0.7
    assert held(made("unmasked-loss", [9.0] * 3, [2.6] * 3), tmp_path) == []
    assert len(held(made("unmasked-loss", [9.0] * 3, [2.8] * 3), tmp_path)) == 1


def test_less_than_the_tolerance_lets_through_is_not(tmp_path):
    record(BETTER, str(tmp_path))
    (line,) = held(made("unmasked-loss", [9.0] * 3, [4.0] * 3, moved_db=4.0), tmp_path)
    assert_says(line, "unmasked-loss: ", "mel_error_end_db", " 5;", " 6.5 ")


def test_however_the_seeds_spread_what_came_true_has_to_keep_half(tmp_path):
    record(made("unmasked-loss", [20.0, 20.0, 20.0], [8.0, 2.0, 14.0]), str(tmp_path))  # 12, 18 and 6: spread 6
    path = tmp_path / "unmasked-loss.toml"
    path.write_text(path.read_text().replace('"no effect"', '"came true"'))
    (line,) = held(made("unmasked-loss", [9.0] * 3, [4.0] * 3), tmp_path)
    assert_says(line, "improves by 5;", "at least 6 ")


def test_a_figure_that_is_lost_is_said_to_be(tmp_path):
    record(BETTER, str(tmp_path))
    (line,) = held(made("unmasked-loss", [9.0] * 3, [2.0, None, 2.0], moved_db=4.0), tmp_path)
    assert_says(line, "unmasked-loss: ", "mel_error_end_db is not measurable", " 6.5 ")


def test_a_fix_without_effect_may_not_become_one_that_harms(tmp_path):
    record(made("l1-weight", [5.0, 5.1], [4.9, 5.2], moved_db=1.0), str(tmp_path))
    assert held(made("l1-weight", [5.0, 5.1], [5.0, 5.1], moved_db=1.0), tmp_path) == []
    assert held(made("l1-weight", [5.0, 5.1], [5.9, 6.0], moved_db=1.0), tmp_path) == []
    (line,) = held(made("l1-weight", [5.0, 5.1], [6.1, 6.2], moved_db=1.0), tmp_path)
    assert_says(line, "mel_error_db", " -1.1;", " -1 ")


def test_a_fix_without_effect_that_gets_one_is_news(tmp_path):
    record(made("l1-weight", [5.0, 5.1], [4.9, 5.2], moved_db=1.0), str(tmp_path))  # 0.1 and -0.1
    assert held(made("l1-weight", [5.0, 5.1], [4.1, 4.2], moved_db=1.0), tmp_path) == []
    (line,) = held(made("l1-weight", [5.0, 5.1], [3.9, 4.0], moved_db=1.0), tmp_path)
    assert_says(line, "mel_error_db", " 1.1;", "(1 at most)", "record it again")


def test_where_the_seeds_spread_wider_than_the_amount_the_spread_decides(tmp_path):
    record(made("l1-weight", [5.0, 5.0, 5.0], [2.0, 5.0, 8.0], moved_db=1.0), str(tmp_path))  # 0, spread 3
    assert held(made("l1-weight", [9.0] * 3, [3.5] * 3, moved_db=1.0), tmp_path) == []
    (line,) = held(made("l1-weight", [9.0] * 3, [2.9] * 3, moved_db=1.0), tmp_path)
    assert_says(line, " 6.1;", "(6 at most)")


@pytest.mark.parametrize("name", NAMED)
def test_no_threshold_of_the_project_hangs_on_rounding(name):
    (stored,) = read(str(THRESHOLDS), [name]).values()
    least, most = bounds(stored, NAMED[name].prediction.amount)
    assert min(stored.change - least, most - stored.change) >= MARGIN * MOVES.get(name, 1e-4)


def test_an_inert_weighting_has_to_stay_the_factor_it_was(tmp_path):
    inert = {"moved_db": 1.0, "gradient": {"factor": 2.0, "unlike": 1e-8}}
    record(made("frequency-weight", [5.0], [5.0], **inert), str(tmp_path))
    assert "moved_db" not in (tmp_path / "frequency-weight.toml").read_text()  # rounding is no effect to hold
    assert held(made("frequency-weight", [5.0], [5.0], moved_db=0.0, gradient=inert["gradient"]), tmp_path) == []
    for gradient, said in (
        ({"factor": 1.0, "unlike": 0.0}, ("gradient by 1,", "by 2")),
        ({"factor": 2.0, "unlike": 0.5}, ("gradient", "by 0.5")),
    ):
        (line,) = held(made("frequency-weight", [5.0], [5.0], moved_db=1.0, gradient=gradient), tmp_path)
        assert_says(line, "frequency-weight: ", *said)


def test_the_rounding_of_another_processor_is_no_other_factor(tmp_path):
    """Measured: the factor moves by 2e-7, single bins by 1e-7.  Of fixes that act, l1-weight does least: 7e-4."""
    record(made("frequency-weight", [5.0], [5.0], gradient={"factor": 2.0, "unlike": 1e-8}), str(tmp_path))
    path = tmp_path / "frequency-weight.toml"
    path.write_text(re.sub("unlike = .*", "unlike = 1e-06", path.read_text()))  # as older versions recorded it
    for moved, lines in ((5e-6, 0), (5e-5, 1)):
        gradients = {"factor": 2.0 * (1 + moved), "unlike": 0.0}, {"factor": 2.0, "unlike": moved}
        for gradient in gradients:
            assert len(held(made("frequency-weight", [5.0], [5.0], gradient=gradient), tmp_path)) == lines
    assert 20 * 2e-7 < ROUNDING < 7e-4 / 20


def test_a_weighting_that_acts_has_no_factor_to_hold(tmp_path):
    acts = {"moved_db": 1.0, "gradient": {"factor": 2.0, "unlike": 0.4}}
    record(made("per-bin-weight", [5.0], [4.0], **acts), str(tmp_path))
    assert "factor" not in tomllib.loads((tmp_path / "per-bin-weight.toml").read_text())


def test_the_lines_held_against_the_contract_are_counted(tmp_path):
    def trip(*lines):
        return made("db-power", [4.0], [3.9], contract={"broken": lines, "fixed": lines})

    record(trip("a", "b"), str(tmp_path))
    assert held(trip("c", "d"), tmp_path) == []
    (line,) = held(trip("a"), tmp_path)
    assert_says(line, "db-power: ", "leaves 1 ", "contract", "not 2")


def test_another_size_is_not_held_against_it(tmp_path):
    record(BETTER, str(tmp_path))
    other = msgspec.structs.replace(BETTER, scale=Scale(80, 3, True))
    (line,) = held(other, tmp_path)
    assert_says(line, "unmasked-loss: ", "mel_error_end_db", "40 epochs", "3 seeds", "--quick")


def test_another_sound_is_not_held_against_it(tmp_path):
    record(BETTER, str(tmp_path))
    other = msgspec.structs.replace(BETTER, sound=Audio(0.5 * NOTE.samples, NOTE.rate))
    (line,) = held(other, tmp_path)
    assert_says(line, "unmasked-loss: ", "another sound", fingerprint(NOTE))


def test_what_is_no_threshold(tmp_path):
    with pytest.raises(InputError, match=r"unmasked-loss.toml: no threshold \(No such file"):
        held(BETTER, tmp_path)
    path = tmp_path / "unmasked-loss.toml"
    record(BETTER, str(tmp_path))
    whole = path.read_text()
    for text in (
        *("fix = 3", "\xff", whole + "more = 1\n", whole.replace('"came true"', '"banana"')),
        *(whole.replace("change = 7.5", "change = nan"), whole.replace('"unmasked-loss"', '"l1-weight"')),
    ):
        path.write_text(text, encoding="latin-1")
        with pytest.raises(InputError, match=r"unmasked-loss.toml: not a threshold"):
            held(BETTER, tmp_path)
    with pytest.raises(InputError, match="nothing to record"):
        record(made("db-power", [None], [1.0]), str(tmp_path / "other"))
