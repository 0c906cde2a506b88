"""A batch: whatever is killed, the rows are those of an unbroken run, and none is compared twice."""

from __future__ import annotations

import csv
import json
import os
import signal

import pytest

import diagnose
from diagnose import batch
from diagnose.batch import pool, runner, work
from diagnose.batch.journal import JOURNAL
from diagnose.errors import InputError, NotComparable
from diagnose.metrics import METRICS

HOSTILE = ["<img src=x onerror=alert(1)>.wav", "a\nb\r\n.wav", 'say "x", y.wav', "\x1b[31mred.wav", "é☃.wav"]


def rows(out):
    with open(out / "results.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def go(path, out, **options):
    resume = options.pop("resume", False)
    return batch.run(batch.source_of([str(path)]), str(out), batch.Options(**options), resume=resume)


def settled(out):
    """What a finished run leaves, names alone."""
    return sorted(path.name for path in out.iterdir())


@pytest.mark.parametrize("jobs", [0, -1, 2.0, True, "2"])
def test_a_number_of_processes_that_is_none_is_refused_before_anything_is_touched(jobs):
    with pytest.raises(InputError) as caught:
        batch.Options(jobs=jobs)
    assert str(caught.value) == f"jobs={jobs!r}: give 1 or more processes, or None for one a processor"
    assert (batch.Options(jobs=1).jobs, batch.Options().jobs) == (1, None)


# Rows


def test_a_row_says_what_a_comparison_says(manifest, tmp_path):
    outcome = go(manifest(8), tmp_path / "out", jobs=1, pages=0)
    found = rows(tmp_path / "out")
    assert [row["row"] for row in found] == [str(n) for n in range(1, 9)]
    for row in found:
        report = diagnose.compare(row["reference"], row["generated"])
        assert row["verdict"] == report.verdict
        assert row["cause"] == (report.causes[0].id if report.causes else "")
        assert row["metric"] == report.worst_first[0].name
        for name in METRICS:
            change = report[name].change
            assert (float(row[name]) if row[name] else None) == (change if change is None else pytest.approx(change))
    assert outcome.verdicts == {v: [row["verdict"] for row in found].count(v) for v in outcome.verdicts}
    assert settled(tmp_path / "out") == [".lock", "results.csv", "run.json", "summary.html"]


def test_a_bad_file_is_a_row_and_not_the_end(manifest, sounds, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no sound at all")
    ours = sounds / "ref" / "0.wav"
    path = manifest(2, [(ours, bad), ("gone.wav", ours), (tmp_path, ours), (ours, ours)])
    outcome = go(path, tmp_path / "out", jobs=2)
    found = rows(tmp_path / "out")
    assert outcome.verdicts["ERROR"] == 3
    assert [row["verdict"] == "ERROR" for row in found] == [False, False, True, True, True, False]
    assert found[2]["error"].startswith(f"{bad}: not a readable audio file")
    assert found[3]["error"].endswith("gone.wav: No such file or directory")
    assert outcome.verdict == ("FAIL" if outcome.verdicts["FAIL"] else "ERROR")


@pytest.mark.parametrize("error", [NotComparable("x is silent"), ValueError("a shape"), MemoryError("9 GiB")])
def test_any_exception_is_a_row(manifest, tmp_path, monkeypatch, error):
    def fail(*_, profile):
        raise error

    monkeypatch.setattr(work, "compare", fail)
    outcome = go(manifest(3), tmp_path / "out", jobs=1)
    assert (outcome.verdict, outcome.verdicts["ERROR"]) == ("ERROR", 3)
    said = str(error) if isinstance(error, NotComparable) else f"{type(error).__name__}: {error}"
    assert {row["error"] for row in rows(tmp_path / "out")} == {said}


def test_one_process_and_two_give_the_same_bytes(manifest, tmp_path):
    path = manifest(24)
    for jobs in (1, 2):
        go(path, tmp_path / f"out{jobs}", jobs=jobs, pages=0)
    assert (tmp_path / "out1/results.csv").read_bytes() == (tmp_path / "out2/results.csv").read_bytes()


def test_a_profile_of_one_s_own_reaches_the_processes(manifest, tmp_path):
    table = '[metric.rms_ratio]\nunit = "ratio"\ndirection = "both"\nfail = 1.0001\nreason = "a test"\n'
    (tmp_path / "strict.toml").write_text(table)
    path, options = manifest(8), {"profile": str(tmp_path / "strict.toml"), "pages": 0}
    go(path, tmp_path / "out", jobs=2, **options)
    assert {row["metric"] for row in rows(tmp_path / "out")} == {"rms_ratio"}
    with pytest.raises(InputError, match="other limits"):
        go(path, tmp_path / "out", jobs=1, resume=True)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_name(sounds, tmp_path, name):
    for folder in ("ref", "gen"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes((sounds / folder / "1.wav").read_bytes())
    source = batch.source_of([f"{tmp_path}/gen/*"], f"{tmp_path}/ref/{{name}}")
    outcome = batch.run(source, str(tmp_path / "out"), batch.Options(jobs=1, pages=10_000_000))
    (row,) = rows(tmp_path / "out")
    assert row["generated"] == str(tmp_path / "gen" / name)
    assert outcome.verdicts["FAIL"] == 1
    (page,) = (tmp_path / "out" / "pages").iterdir()
    summary = (tmp_path / "out" / "summary.html").read_text()
    assert f'href="pages/{page.name}"' in summary
    assert "<img" not in summary
    assert "\x1b" not in summary


# Pages


@pytest.mark.slow
def test_pages_are_made_of_the_worst_until_the_budget_is_used(manifest, tmp_path):
    path = manifest(16)
    go(path, tmp_path / "all", jobs=1)
    whole = tmp_path / "all" / "pages"
    failed = [row for row in rows(tmp_path / "all") if row["verdict"] == "FAIL"]
    order = sorted(failed, key=lambda row: (-float(row["severity"]), int(row["row"])))
    sizes = [(whole / f"{row['row']}-{row['id']}.html").stat().st_size for row in order]
    outcome = go(path, tmp_path / "some", jobs=2, pages=sum(sizes[:3]) + 10)
    made = sorted(path.name for path in (tmp_path / "some" / "pages").iterdir())
    assert made == sorted(f"{row['row']}-{row['id']}.html" for row in order[:3])
    assert (outcome.overview.pages, outcome.overview.left_out) == (3, len(failed) - 3)


# Stopped and gone on with


class Stop(Exception):
    pass


def stop_after(count):
    def progress(done, pairs, what):
        if done >= count:
            raise Stop

    return progress


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_stopped_run_goes_on_where_it_was_and_repeats_nothing(manifest, tmp_path, monkeypatch, jobs):
    path, out = manifest(40), tmp_path / "out"
    source = batch.source_of([str(path)])
    with pytest.raises(Stop):
        batch.run(source, str(out), batch.Options(jobs=jobs, pages=0), progress=stop_after(15))
    before = (out / JOURNAL).read_bytes()
    assert before.count(b"\n") == 15
    asked = []
    of_pair = work.row_of
    monkeypatch.setattr(pool, "row_of", lambda pair, profile: (asked.append(pair.row), of_pair(pair, profile))[1])
    outcome = go(path, out, jobs=1, pages=0, resume=True)
    done = [json.loads(line)["row"] for line in before.splitlines()]
    assert sorted(done + asked) == list(range(1, 41))
    assert outcome.resumed == 15
    again = go(path, out, jobs=1, resume=True)  # finished: it says so, and asks for nothing
    assert (again.overview, again.verdicts) == (None, outcome.verdicts)
    assert sorted(done + asked) == list(range(1, 41))
    go(path, tmp_path / "unbroken", jobs=1, pages=0)
    assert (out / "results.csv").read_bytes() == (tmp_path / "unbroken/results.csv").read_bytes()


def test_a_run_that_was_killed_between_results_and_end_ends(manifest, tmp_path, monkeypatch):
    path, out = manifest(8), tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(runner, "finish", lambda *_: (_ for _ in ()).throw(Stop))
        with pytest.raises(Stop):
            go(path, out, jobs=1)
    first = {name: (out / name).read_bytes() for name in ("results.csv", "summary.html")}
    go(path, out, jobs=1, resume=True)
    assert {name: (out / name).read_bytes() for name in first} == first
    assert JOURNAL not in settled(out)


def test_a_manifest_that_changes_meanwhile_is_told(manifest, tmp_path):
    path = manifest(6)

    def change(done, pairs, what):
        if done == 3:
            path.write_text(path.read_text() + "new,a.wav,b.wav\n")

    with pytest.raises(InputError, match="the list of pairs changed"):
        batch.run(batch.source_of([str(path)]), str(tmp_path / "out"), batch.Options(jobs=1), progress=change)


@pytest.mark.parametrize(
    ("pairs", "whole_group"),
    [
        (60, True),
        pytest.param(60, False, marks=pytest.mark.slow),
        pytest.param(500, True, marks=pytest.mark.slow),
    ],
    ids=["group", "parent", "500"],
)
def test_kill_9_and_resume_equal_an_unbroken_run(manifest, tmp_path, started, wait_until, lines, pairs, whole_group):
    path, out = manifest(pairs), tmp_path / "out"
    words = ["batch", path, "--jobs", "2", "--pages", "0", "--out"]
    process = started(*words, out)
    wait_until(lambda: lines(out / JOURNAL) >= pairs // 4)
    children = descendants(process.pid)
    os.killpg(process.pid, signal.SIGKILL) if whole_group else os.kill(process.pid, signal.SIGKILL)
    process.wait(600)
    before, done = (out / JOURNAL).read_bytes(), lines(out / JOURNAL)
    assert pairs // 4 <= done < pairs
    assert not (out / "results.csv").exists()
    # A worker whose parent is gone goes too: in a second; one that never had a pair when loky thinks it idle.
    wait_until(lambda: not any(map(alive, children)), 330)
    assert (out / JOURNAL).read_bytes() == before
    resumed = started(*words, out, "--resume")
    assert resumed.wait(120) == 1
    assert f"{done} pairs compared in an earlier run" in resumed.stdout.read()
    go(path, tmp_path / "unbroken", jobs=2, pages=0)
    assert (out / "results.csv").read_bytes() == (tmp_path / "unbroken" / "results.csv").read_bytes()
    assert [row["row"] for row in rows(out)] == [str(n) for n in range(1, pairs + 1)]


def descendants(parent):
    """Process ids below one, from /proc."""
    found, todo = [], [parent]
    while todo:
        one = todo.pop()
        for thread in os.listdir(f"/proc/{one}/task") if os.path.isdir(f"/proc/{one}/task") else ():
            with open(f"/proc/{one}/task/{thread}/children") as file:
                children = [int(word) for word in file.read().split()]
            found += children
            todo += children
    return found


def alive(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# A pair that takes its process down


def deadly_row(pair, profile, parent):
    if pair.id in ("x0", "x2"):
        os.kill(os.getpid(), signal.SIGKILL)
    return work.local_row(pair, profile, parent)


@pytest.mark.slow
def test_a_pair_that_kills_its_process_is_a_row_and_the_others_are_compared(manifest, sounds, tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "local_row", deadly_row)
    ours = sounds / "ref" / "0.wav"
    outcome = go(manifest(10, [(ours, ours)] * 4), tmp_path / "out", jobs=2, pages=0)
    found = {row["id"]: row for row in rows(tmp_path / "out")}
    assert {name for name, row in found.items() if row["verdict"] == "ERROR"} == {"x0", "x2"}
    assert found["x0"]["error"] == pool.KILLED
    assert (len(found), outcome.verdicts["ERROR"]) == (14, 2)


# Memory


class Endless:
    """A pool that answers at once, and counts how far ahead of its reader it was ever asked to go."""

    jobs = 2

    def __init__(self):
        self.taken = 0

    def rows(self, pairs):
        for pair in pairs:
            self.taken += 1
            yield work.error_row(pair, "x")


def test_pairs_are_taken_a_round_at_a_time(monkeypatch):
    monkeypatch.setattr(runner, "ROUND", 64)
    drawn = []

    def pairs():
        for number in range(1, 1_000_000):
            drawn.append(number)
            yield batch.PairPaths(number, "p", "r", "g")

    answers = runner.finished(Endless(), pairs())
    for _ in range(100):
        next(answers)
    assert max(drawn) <= 100 + 64


@pytest.mark.slow
def test_memory_does_not_grow_with_the_pairs(manifest, tmp_path, started):
    """Peak of the main process, over ERROR rows and rows alike: a ten times longer batch takes at most 6 MB more."""
    peaks = []
    for pairs in (100, 1000):
        process = started("batch", manifest(pairs), "--out", tmp_path / f"out{pairs}", "--jobs", "1", "--pages", "0")
        process.stdout.read()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        peaks.append(usage.ru_maxrss / 1024)
    assert peaks[1] < peaks[0] + 6
