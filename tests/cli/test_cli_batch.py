"""diagnose batch: exit codes, what goes where, and how it is stopped."""

from __future__ import annotations

import builtins
import csv
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from diagnose import audio, example
from diagnose.audio import Audio
from diagnose.cli import output

RATE = 4000
PROGRAM = str(Path(sys.executable).with_name("diagnose"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """ref/a.wav and b.wav; gen/a.wav is the same, gen/b.wav is upside down."""
    folder = tmp_path_factory.mktemp("batch")
    note = example.bowed_string(220, 0.08, RATE)
    for name in ("ref", "gen"):
        (folder / name).mkdir()
        for sound, sign in (("a", 1), ("b", -1 if name == "gen" else 1)):
            audio.write(folder / name / f"{sound}.wav", Audio(note.samples * np.float32(sign), RATE))
    return folder


@pytest.fixture
def manifest(folder, tmp_path):
    """manifest("a", "b", ...) -> a CSV of those pairs; a name that is no sound is a file that is missing."""

    def write(*names):
        path = tmp_path / "pairs.csv"
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows(
                [("reference", "generated"), *((folder / f"ref/{n}.wav", folder / f"gen/{n}.wav") for n in names)]
            )
        return path

    return write


@pytest.mark.parametrize(
    ("names", "code", "counts"),
    [
        (("a", "a"), 0, "PASS  2 pairs: 2 PASS"),
        (("a", "b"), 1, "FAIL  2 pairs: 1 FAIL, 1 PASS"),
        (("a", "none"), 3, "ERROR  2 pairs: 1 ERROR, 1 PASS"),
        (("none", "b"), 1, "FAIL  2 pairs: 1 FAIL, 1 ERROR"),
        (("none",), 3, "ERROR  1 pair: 1 ERROR"),
    ],
)
def test_the_exit_code_is_the_contract_s(diagnose, manifest, tmp_path, names, code, counts):
    done = diagnose("batch", manifest(*names), "--out", tmp_path / "out", "--jobs", "1")
    assert (done.code, done.err) == (code, "")
    assert done.out.splitlines()[0] == counts
    again = diagnose("batch", tmp_path / "pairs.csv", "--out", tmp_path / "out", "--resume")
    assert (again.code, again.err) == (code, "")
    assert again.out.splitlines()[0] == counts
    assert "already finished" in again.out


def test_a_file_that_is_not_finite_is_a_fail_and_no_error(diagnose, folder, tmp_path):
    samples = audio.read(folder / "ref" / "a.wav").samples.copy()
    samples[0, 100] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples[0], RATE, "FLOAT")
    (tmp_path / "pairs.csv").write_text(f"reference,generated\n{folder / 'ref/a.wav'},{tmp_path / 'nan.wav'}\n")
    done = diagnose("batch", tmp_path / "pairs.csv", "--out", tmp_path / "out", "--jobs", "1")
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines()[0] == "FAIL  1 pair: 1 FAIL"
    (row,) = csv.DictReader((tmp_path / "out" / "results.csv").read_text().splitlines())
    assert (row["verdict"], row["cause"], row["metric"], row["error"]) == ("FAIL", "non-finite", "nonfinite_share", "")
    assert float(row["nonfinite_share"]) == pytest.approx(1 / samples.size)
    assert float(row["severity"]) == 1e6


def test_the_summary_of_a_terminal_names_causes_the_worst_and_the_files(diagnose, manifest, tmp_path):
    out = tmp_path / "out"
    done = diagnose("batch", manifest("a", "b", "none", "none"), "--out", out, "--jobs", "1")
    assert "causes     polarity (1)\n" in done.out
    assert "worst      FAIL  " in done.out
    assert "errors     2 pairs: …: No such file or directory (row 3, " in done.out
    assert f"written    {out}/summary.html, {out}/results.csv, pages/ with 1 report\n" in done.out
    assert (out / "summary.html").read_text().count("diagnose batch ") == 1


def test_globs_and_the_shell_s_files_with_a_template(diagnose, folder, tmp_path):
    for number, sources in enumerate([[f"{folder}/gen/*.wav"], [f"{folder}/gen/a.wav", f"{folder}/gen/b.wav"]]):
        out = tmp_path / str(number)
        words = ["--reference", "{parent}/../ref/{stem}.wav", "--format", "parquet", "--jobs", "1", "--pages", "0"]
        done = diagnose("batch", *sources, *words, "--out", out)
        assert (done.code, done.err) == (1, "")
        assert sorted(path.name for path in out.iterdir()) == [".lock", "results.parquet", "run.json", "summary.html"]


USAGE = {
    "no manifest": (["none.csv"], "none.csv: No such file or directory"),
    "nothing matched": (["none/*.wav", "--reference", "r"], "no file matches"),
    "no references": (["PAIRS", "PAIRS"], "give a manifest alone"),
    "jobs and a cluster": (["PAIRS", "--jobs", "2", "--dask", "x"], "cannot be used together"),
    "no job": (["PAIRS", "--jobs", "0"], "0 is not in the range"),
    "a size that is none": (["PAIRS", "--pages", "20 apples"], "'20 apples' is not a size"),
    "a format that is none": (["PAIRS", "--format", "xlsx"], "'xlsx' is not one of"),
    "a profile that is none": (["PAIRS", "--profile", "none.toml"], "none.toml: No such file"),
}


@pytest.mark.parametrize("kind", USAGE)
def test_wrong_usage_is_one_line_and_leaves_nothing(diagnose, manifest, tmp_path, kind):
    words, said = USAGE[kind]
    path = str(manifest("a"))
    done = diagnose("batch", *(path if word == "PAIRS" else word for word in words), "--out", tmp_path / "out")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert said in done.err
    assert not (tmp_path / "out").exists()


def test_a_folder_with_a_run_is_not_written_to(diagnose, manifest, tmp_path):
    words = ["batch", manifest("a"), "--jobs", "1", "--out", tmp_path / "out"]
    assert diagnose(*words).code == 0
    done = diagnose(*words)
    assert (done.code, done.out) == (2, "")
    assert "contains a run" in done.err
    assert "--resume" in done.err
    manifest("a", "b")
    assert "another list of pairs" in diagnose(*words, "--resume").err


@pytest.mark.parametrize(("module", "words"), [("joblib", []), ("pyarrow", ["--format", "parquet"])])
def test_what_is_not_installed_is_named_with_its_extra(diagnose, manifest, tmp_path, monkeypatch, module, words):
    whole = builtins.__import__

    def without(name, *rest, **named):
        if name.split(".")[0] == module:
            raise ModuleNotFoundError(f"No module named {name!r}", name=module)
        return whole(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    done = diagnose("batch", manifest("a", "b"), "--out", tmp_path / "out", "--jobs", "2", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"diagnose: {module} is not installed; pip install 'timbre-diagnose[batch]'\n"
    assert not (tmp_path / "out" / "run.json").exists()


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("20MB", 20_000_000), ("500kB", 500_000), ("1.5 gb", 1_500_000_000), ("7b", 7)]
)
def test_sizes(text, size):
    from diagnose.cli.batch import Size

    assert Size().convert(text, None, None) == size


# Progress and stopping


def test_a_log_gets_a_line_every_10_s_with_rate_and_time_left(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(output.time, "monotonic", lambda: now[0])

    def work(progress):
        for done in range(100, 401):  # 100 were done before
            progress(done, 5000, "x")
            now[0] += 0.125

    output.with_progress(work, unit="pairs")
    assert capsys.readouterr().err.splitlines() == [
        "180 of 5,000 pairs, 8.0 pairs/s, 10 min 2 s left",
        "260 of 5,000 pairs, 8.0 pairs/s, 9 min 52 s left",
        "340 of 5,000 pairs, 8.0 pairs/s, 9 min 42 s left",
    ]


@pytest.mark.slow
def test_a_terminal_gets_a_bar_with_the_rate(manifest, tmp_path):
    leader, follower = pty.openpty()
    words = [PROGRAM, "batch", str(manifest(*"ab" * 20)), "--out", str(tmp_path / "out"), "--jobs", "1", "--pages", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=follower, env={**os.environ, "COLUMNS": "100"})
    os.close(follower)
    shown = b""
    try:
        while part := os.read(leader, 4096):
            shown += part
    except OSError:  # the other end was closed
        pass
    os.close(leader)
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 1
    assert b"pairs/s" in shown
    assert b"pairs/s" not in out


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_ctrl_c_says_how_to_go_on(manifest, tmp_path, jobs):
    path, out = manifest(*"ab" * 200), tmp_path / "out"
    words = [PROGRAM, "batch", str(path), "--out", str(out), "--jobs", jobs, "--pages", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    end = time.monotonic() + 600
    while time.monotonic() < end and not (
        (out / "journal.jsonl").exists() and (out / "journal.jsonl").stat().st_size > 20_000
    ):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to the whole group
    stdout, stderr = process.communicate(timeout=600)
    assert (process.returncode, stdout) == (130, "")
    assert stderr.startswith("diagnose: interrupted;")
    assert stderr.endswith(" --resume\n")
    done = (out / "journal.jsonl").read_bytes().count(b"\n")
    assert 0 < done < 400


def test_what_no_batch_wrote_is_not_overwritten(diagnose, tmp_path):
    (tmp_path / "results.csv").write_text("reference,generated\na.wav,b.wav\n")
    done = diagnose("batch", tmp_path / "results.csv", "--out", tmp_path, "--jobs", "1")
    assert (done.code, done.out) == (2, "")
    assert "results.csv exists and no batch wrote it" in done.err
    assert (tmp_path / "results.csv").read_text().startswith("reference,generated")
