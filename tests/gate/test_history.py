"""One file a run: whole, never over another, and read as what a stranger may have written."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from diagnose.errors import InputError, NotComparable
from diagnose.gate.history import load_runs, save_run
from diagnose.results.history import Run
from diagnose.results.suite import Case, Check, Suite
from diagnose.version import VERSION

CHECKS = (
    Check("rms_ratio", "PASS", "fine", change=0.9, tolerance=0.02),
    Check("f0_hz", "PASS", "not measurable, as recorded"),
    Check("rms_ratio (limit)", "FAIL", "over", change=0.9),
)
SUITE = Suite("strings", (Case("violin", "FAIL", CHECKS), Case("lost", "ERROR", error="no file")))


def git(folder, *words):
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    return subprocess.run(
        ["git", "-C", folder, *identity, *words], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_run_holds_figures_commit_time_host_and_version(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main", ".")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "first")
    path = save_run(tmp_path / "history", SUITE, tmp_path)
    ((run,), skipped) = load_runs(tmp_path / "history")
    assert skipped == []
    assert run.commit == git(tmp_path, "rev-parse", "HEAD")
    assert (run.dirty, run.branch, run.host) == (False, "main", platform.node())
    assert (run.tool_version, run.suite, run.verdict) == (VERSION, "strings", "FAIL")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(run.time)) < timedelta(minutes=1)
    assert run.commit[:8] in path
    assert json.loads((tmp_path / "history" / path.rpartition("/")[2]).read_text())["cases"] == {
        "violin": {
            "verdict": "FAIL",
            "metrics": {
                "rms_ratio": {"verdict": "PASS", "change": 0.9, "tolerance": 0.02},
                "f0_hz": {"verdict": "PASS"},
            },
        },
        "lost": {"verdict": "ERROR", "metrics": {}},
    }
    (tmp_path / "a").write_text("2")
    save_run(tmp_path / "history", SUITE, tmp_path)
    assert sorted(run.dirty for run in load_runs(tmp_path / "history")[0]) == [False, True]


def test_without_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for variable in ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"):
        monkeypatch.delenv(variable, raising=False)
    save_run(tmp_path, SUITE, tmp_path)
    ((run,), _) = load_runs(tmp_path)
    assert (run.commit, run.dirty, run.branch) == (None, None, None)
    assert "no commit" in run.name


KEEP = """
import sys
from diagnose.gate.history import save_run
from diagnose.results.suite import Case, Check, Suite
for number in range(20):
    check = Check("rms_ratio", "PASS", "", change=float(sys.argv[2]) + number)
    save_run(sys.argv[1], Suite("s", (Case("a", "PASS", (check,)),)), sys.argv[1])
"""


@pytest.mark.slow
def test_processes_that_write_at_once_lose_nothing(tmp_path):
    running = [
        subprocess.Popen([sys.executable, "-c", KEEP, str(tmp_path), str(100 * process)]) for process in range(4)
    ]
    assert [process.wait(120) for process in running] == [0] * 4
    runs, skipped = load_runs(tmp_path)
    found = sorted(run.cases["a"].metrics["rms_ratio"].change for run in runs)
    assert found == [100.0 * process + number for process in range(4) for number in range(20)]
    assert skipped == []
    assert [run.time for run in runs] == sorted(run.time for run in runs)


BAD = {
    "not JSON": b"{",
    "another schema": None,
    "a number as verdict": b'{"schema": 1}',
    "deep": b"[" * 100_000,
    "no time": None,
    "NaN": None,
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_run_is_left_out_with_a_line(tmp_path, kind):
    path = save_run(tmp_path, SUITE, tmp_path)
    (good,), _ = load_runs(tmp_path)
    changed = {
        "another schema": msgspec.structs.replace(good, schema="diagnose.history/2"),
        "no time": msgspec.structs.replace(good, time="yesterday"),
    }
    with open(path, "rb") as file:
        text = file.read()
    bad = msgspec.json.encode(changed[kind]) if kind in changed else BAD[kind] or text.replace(b"0.9", b"NaN")
    (tmp_path / "bad.json").write_bytes(bad)
    runs, (line,) = load_runs(tmp_path)
    assert runs == [good]
    assert str(tmp_path / "bad.json") in line
    assert "\n" not in line


def test_a_huge_file_is_not_read(tmp_path):
    save_run(tmp_path, SUITE, tmp_path)
    with open(tmp_path / "huge.json", "wb") as file:
        file.truncate(1 << 40)
    _, (line,) = load_runs(tmp_path)
    assert "larger than 8 MB" in line


def test_a_pipe_is_not_waited_for(tmp_path):
    save_run(tmp_path, SUITE, tmp_path)
    os.mkfifo(tmp_path / "pipe.json")
    runs, (line,) = load_runs(tmp_path)
    assert len(runs) == 1
    assert "is not a regular file" in line


def test_no_folder_is_wrong_usage_and_an_empty_one_nothing_to_compare(tmp_path):
    with pytest.raises(InputError, match="no history"):
        load_runs(tmp_path / "none")
    with pytest.raises(NotComparable, match="no runs"):
        load_runs(tmp_path)


def test_a_run_has_a_name_for_people():
    run = Run("s", "2026-11-23T20:40:01.5", "0123456789abcdef", True, "main", "host", "1", "s", "PASS", {})
    assert run.name == "2026-11-23 20:40 01234567+changes on host"
