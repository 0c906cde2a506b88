"""What a reader is told: the step with its commit, the creep that no check failed; and the command that tells it."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta

import msgspec
import numpy as np
import pytest

from diagnose import audio, example
from diagnose.gate.history import SCHEMA
from diagnose.gate.trends import findings
from diagnose.results.history import CaseFigures, Figure, Run

START = datetime(2026, 11, 1, 12, 0)


def run(number, branch="main", **changes):
    """A run of one case, `note`, an hour after the last."""
    figures = {name: Figure("PASS", float(change), 0.1) for name, change in changes.items()}
    commit = f"{number:04d}" + "c" * 36
    time = (START + timedelta(hours=number)).isoformat()
    return Run(SCHEMA, time, commit, False, branch, "host", "1", "s", "PASS", {"note": CaseFigures("PASS", figures)})


@pytest.fixture
def runs():
    """30 runs: loudness steps at the 20th, the centroid creeps, the rest is steady."""
    rng = np.random.default_rng(3)
    creep = np.linspace(0, 0.08, 30) + 0.002 * rng.standard_normal(30)
    return [
        run(number, rms_ratio=1.0 if number < 20 else 1.05, hnr_db=creep[number], crest_db=0.5) for number in range(30)
    ]


def write(folder, runs):
    for number, one in enumerate(runs):
        (folder / f"{number:04d}.json").write_bytes(msgspec.json.encode(one))


def test_step_and_creep_are_told_apart_and_the_creep_comes_first(runs):
    creep, step, steady = findings(runs)
    assert (creep.series.metric, step.series.metric, steady.series.metric) == ("hnr_db", "rms_ratio", "crest_db")
    assert creep.creep.drift == pytest.approx(0.08, abs=0.01)
    ((found,), none) = (step.steps, step.creep)
    assert (found.index, found.before, found.after, none) == (20, 1.0, 1.05, None)
    assert step.series.runs[found.index].commit.startswith("0020")
    assert (steady.steps, steady.creep) == ((), None)


def test_a_drift_of_less_than_half_the_tolerance_is_no_creep():
    (found,) = findings([run(number, hnr_db=0.04 * number / 29) for number in range(30)])
    assert found.creep is None


def test_a_drift_that_checks_failed_is_told_by_its_steps():
    runs = [run(number, hnr_db=0.2 * number) for number in range(30)]
    late = CaseFigures("FAIL", {"hnr_db": Figure("FAIL", 5.8, 0.1)})
    (found,) = findings([*runs[:-1], msgspec.structs.replace(runs[-1], cases={"note": late})])
    assert found.creep is None
    assert found.steps


def test_what_a_run_could_not_measure_is_left_out():
    runs = [run(number, f0_hz=220) for number in range(10)]
    runs[4] = msgspec.structs.replace(runs[4], cases={"note": CaseFigures("PASS", {"f0_hz": Figure("PASS")})})
    runs[5] = msgspec.structs.replace(runs[5], cases={})
    (found,) = findings(runs)
    assert len(found.series.values) == 8
    assert found.steps == ()


# The command


def test_history_shows_the_commit_of_a_step_and_the_creep(diagnose, tmp_path, runs):
    write(tmp_path, runs)
    done = diagnose("history", tmp_path)
    assert (done.code, done.err) == (0, "")
    first, *rest = done.out.splitlines()
    assert first.startswith("WARN  note::hnr_db: creeps up by 0.1 dB over 30 runs, ")
    place = "2026-11-02 08:00 0020cccc on host; the run before: 2026-11-02 07:00 0019cccc on host"
    assert rest[0] == f"STEP  1 metric at {place}"
    assert rest[1].startswith("      note::rms_ratio: 1 -> 1.05, tolerance 0.1  ▁")
    assert rest[-1].endswith("30 runs from 2026-11-01T12:00 to 2026-11-02T17:00, 1 case: 2 metrics changed, 1 steady")


def test_one_metric_is_shown_run_by_run(diagnose, tmp_path, runs):
    write(tmp_path, runs)
    done = diagnose("history", tmp_path, "--metric", "rms_ratio", "--case", "note", "--last", "15")
    lines = done.out.splitlines()
    assert len(lines) == 16
    assert lines[5] == "PASS   2026-11-02 07:00 0019cccc on host  1"
    assert lines[6] == "PASS > 2026-11-02 08:00 0020cccc on host  1.05"


def test_json_has_it_all(diagnose, tmp_path, runs):
    write(tmp_path, runs)
    done = diagnose("history", tmp_path, "--json", "-")
    document = json.loads(done.out)
    assert len(document["runs"]) == 30
    by_name = {one["metric"]: one for one in document["metrics"]}
    assert by_name["rms_ratio"]["steps"] == [
        {
            "before": 1.0,
            "after": 1.05,
            "time": "2026-11-02T08:00:00",
            "commit": "0020" + "c" * 36,
            "last_good": "0019" + "c" * 36,
        }
    ]
    assert by_name["hnr_db"]["creep"]["drift"] == pytest.approx(0.08, abs=0.01)
    assert len(by_name["crest_db"]["values"]) == 30


def test_a_branch_is_looked_at_alone(diagnose, tmp_path, runs):
    write(tmp_path, [*runs, *(run(number, "topic", rms_ratio=9) for number in range(40, 44))])
    assert "1.05 -> 9" in diagnose("history", tmp_path).out
    assert "1.05 -> 9" not in diagnose("history", tmp_path, "--branch", "main").out
    done = diagnose("history", tmp_path, "--branch", "nope")
    assert (done.code, done.out) == (3, "")
    assert "no run has branch 'nope'" in done.err


def test_a_bad_file_is_named_and_the_rest_is_shown(diagnose, tmp_path, runs):
    write(tmp_path, runs)
    (tmp_path / "x\x1b[31m.json").write_text("{")
    done = diagnose("history", tmp_path)
    assert done.code == 0
    assert done.err.count("\n") == 1
    assert "\x1b" not in done.err
    assert "30 runs" in done.out


SUITE = """
[suite]
name = "strings"
{history}

[[case]]
id = "note"
reference = "reference.wav"
generated = "generated.wav"
"""


@pytest.fixture
def suite(diagnose, tmp_path):
    """A recorded suite that keeps a history."""
    note = example.bowed_string(seconds=0.3, rate=22050)
    for name in ("reference.wav", "generated.wav"):
        audio.write(tmp_path / name, note)
    path = tmp_path / "suite.toml"
    path.write_text(SUITE.format(history='history = "history"'))
    assert diagnose("record", path).code == 0
    return path


def test_each_check_is_kept_where_the_suite_says(diagnose, suite):
    for _ in range(3):
        assert diagnose("check", suite).code == 0
    assert len(os.listdir(suite.parent / "history")) == 3
    done = diagnose("history", suite)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("3 runs from ")
    assert "1 case: 0 metrics changed, " in done.out


def test_a_check_keeps_it_elsewhere_when_asked_and_nowhere_when_not(diagnose, suite, tmp_path):
    assert diagnose("check", suite, "--history", tmp_path / "other").code == 0
    assert len(os.listdir(tmp_path / "other")) == 1
    assert not (tmp_path / "history").exists()
    suite.write_text(SUITE.format(history=""))
    assert diagnose("check", suite).code == 0
    assert not (tmp_path / "history").exists()
    done = diagnose("history", suite)
    assert (done.code, done.out) == (2, "")
    assert 'history = "history" below [suite]' in done.err


def test_a_history_that_cannot_be_kept_is_no_verdict(diagnose, suite):
    (suite.parent / "history").write_text("a file")
    done = diagnose("check", suite)
    assert done.code == 0
    assert done.err.startswith("diagnose: the results of this run were not saved: ")
    assert done.err.count("\n") == 1


def test_suites_that_share_a_folder_are_told_apart(diagnose, suite):
    assert diagnose("check", suite).code == 0
    other = suite.with_name("other.toml")
    other.write_text(suite.read_text().replace('"strings"', '"other"'))
    for _ in range(2):
        assert diagnose("check", other).code == 0
    assert diagnose("history", suite).out.startswith("1 run from ")
    assert diagnose("history", other).out.startswith("2 runs from ")
    done = diagnose("history", suite.parent / "history")
    assert (done.code, done.out) == (2, "")
    assert "(other, strings)" in done.err
    assert "give the suite's file" in done.err


def test_of_many_changes_at_one_commit_the_largest_are_told(diagnose, tmp_path):
    names = ["rms_ratio", "hnr_db", "crest_db", "loudness_lufs", "dc_share", "cutoff_hz", "f0_hz", "true_peak_dbtp"]
    for number in range(8):
        moved = {name: (index + 1) * (number > 4) for index, name in enumerate(names)}
        write_one(tmp_path, number, run(number, **moved))
    lines = diagnose("history", tmp_path).out.splitlines()
    assert lines[0].startswith("STEP  8 metrics at ")
    assert [line.split("::")[1].split(":")[0] for line in lines[1:7]] == names[:1:-1]
    assert lines[7].strip() == "and 2 more; --json lists all"


def write_one(folder, number, one):
    (folder / f"{number:04d}.json").write_bytes(msgspec.json.encode(one))
