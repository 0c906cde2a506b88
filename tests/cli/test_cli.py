"""The command line: exit codes, where text goes, and one clear line for every bad input."""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
import struct
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import click
import numpy as np
import pytest
import soundfile
from one_line import assert_one_line

from diagnose import audio, cli, comparison, example
from diagnose.audio import Audio
from diagnose.metrics import METRICS
from diagnose.version import VERSION

RATE = 22050
PROGRAM = str(Path(sys.executable).with_name("diagnose"))


def process(*arguments, **options):
    """The console script as a process; text in and out."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=600, **options)
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """(reference, generated): half a second of the example note, and its misfed copy."""
    folder = tmp_path_factory.mktemp("pair")
    note = example.bowed_string(seconds=0.5, rate=RATE)
    audio.write(folder / "reference.wav", note)
    audio.write(folder / "generated.wav", example.misfed_vocoder(note))
    return str(folder / "reference.wav"), str(folder / "generated.wav")


@pytest.fixture(scope="module")
def suite(pair):
    """A suite of the pair, with the built-in limits."""
    path = Path(pair[0]).with_name("suite.toml")
    case = '[[case]]\nid = "note"\nreference = "reference.wav"\ngenerated = "generated.wav"\n'
    path.write_text(f'[suite]\nname = "strings"\n{case}')
    return str(path)


# Exit codes


def test_0_is_a_pass(diagnose, pair):
    done = diagnose("compare", pair[0], pair[0])
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("PASS  no metric is over its limit\n")


def test_0_is_a_warning_too(diagnose, pair, tmp_path):
    note = audio.read(pair[0])
    audio.write(tmp_path / "louder.wav", Audio(note.samples * np.float32(1.2), RATE))
    done = diagnose("compare", pair[0], tmp_path / "louder.wav")
    assert (done.code, done.out[:4]) == (0, "WARN")


def test_1_is_a_fail(diagnose, pair):
    done = diagnose("compare", *pair)
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith("FAIL  ")


USAGE = {
    "a command that is none": (["compair"], "No such command 'compair'"),
    "an option that is none": (["compare", "a", "b", "--jason", "-"], "No such option"),
    "one file": (["compare", "a"], "Missing argument 'GENERATED'"),
    "three files": (["compare", "a", "b", "c"], "unexpected extra argument (c)"),
    "an option without its value": (["compare", "a", "b", "--json"], "requires an argument"),
    "two outputs to stdout": (["compare", "a", "b", "--json", "-", "--html", "-"], "--html -"),
    "two of a check": (["check", "s", "--junit", "-", "--markdown", "-"], "--markdown -"),
    "accept without a reason": (["accept", "s", "c"], "Missing option '--reason'"),
    "a fault that is none": (
        ["sensitivity", "SUITE", "--fault", "polarty"],
        "no fault 'polarty'; did you mean 'polarity'",
    ),
    "no such suite to probe": (["sensitivity", "none.toml"], "none.toml: No such file or directory"),
    "a suite as its own output": (["sensitivity", "SUITE", "--json", "SUITE"], "is also an input"),
    "no such suite": (["check", "none.toml"], "none.toml: No such file or directory"),
    "no such profile": (["compare", "REFERENCE", "REFERENCE", "--profile", "none.toml"], "none.toml: No such file"),
}


@pytest.mark.parametrize("kind", USAGE)
def test_2_is_wrong_usage_in_one_line(diagnose, pair, suite, kind):
    arguments, said = USAGE[kind]
    names = {"REFERENCE": pair[0], "SUITE": suite}
    assert_one_line(diagnose(*(names.get(one, one) for one in arguments)), 2, said)


def test_without_a_command_the_help_is_shown_as_it_is(diagnose):
    done = diagnose()
    assert done.code in (0, 2)
    assert "\\n" not in done.out + done.err
    assert "Usage: diagnose [OPTIONS] COMMAND [ARGS]..." in done.out + done.err


def test_3_is_not_comparable(diagnose, pair, tmp_path):
    audio.write(tmp_path / "silence.wav", Audio(np.zeros((1, RATE), np.float32), RATE))
    done = diagnose("compare", tmp_path / "silence.wav", pair[0])
    assert_one_line(done, 3, f"{tmp_path / 'silence.wav'}: ", "silent")
    (tmp_path / "none.toml").write_text("")
    done = diagnose("compare", *pair, "--profile", tmp_path / "none.toml", "--json", "-")
    assert (done.code, json.loads(done.out)["verdict"]) == (3, "ERROR")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ZeroDivisionError("float\ndivision"), r"internal error of diagnose: ZeroDivisionError: float\ndivision"),
        (MemoryError(), "out of memory"),
        (RecursionError("too deep"), "internal error of diagnose: RecursionError"),
    ],
)
def test_4_is_a_fault_of_the_program(diagnose, pair, monkeypatch, error, said):
    def broken(*arguments, **options):
        raise error

    monkeypatch.setattr(comparison, "compare", broken)
    assert_one_line(diagnose("compare", *pair), 4, said)


def test_a_fault_can_be_looked_at(diagnose, pair, monkeypatch):
    def broken(*arguments, **options):
        raise ZeroDivisionError

    monkeypatch.setattr(comparison, "compare", broken)
    monkeypatch.setenv("DIAGNOSE_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        diagnose("compare", *pair)


def test_130_is_an_interruption(diagnose, pair, monkeypatch):
    def stopped(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(comparison, "compare", stopped)
    done = diagnose("compare", *pair)
    assert (done.code, done.out) == (130, "")
    # click ends the line on which a terminal shows ^C.
    assert done.err == "\ndiagnose: interrupted; no file was left incomplete\n"


# What goes where


def test_json_to_stdout_is_json_and_nothing_else(diagnose, pair):
    done = diagnose("compare", *pair, "--json", "-")
    assert (done.code, done.err) == (1, "")
    report = json.loads(done.out)
    assert (report["schema"], report["verdict"]) == ("diagnose.report/1", "FAIL")
    assert [row["name"] for row in report["metrics"]] == list(METRICS)
    assert (report["reference"]["path"], report["generated"]["path"]) == pair


@pytest.mark.parametrize("form", ["html", "junit", "markdown"])
def test_every_format_goes_to_stdout_alone(diagnose, pair, form):
    done = diagnose("compare", *pair, f"--{form}", "-")
    assert (done.code, done.err) == (1, "")
    if form == "junit":
        assert ElementTree.fromstring(done.out.encode()).tag == "testsuites"
    elif form == "html":
        HTMLParser().feed(done.out)
        assert done.out.startswith("<!doctype html>")
        assert done.out.rstrip().endswith("</html>")
    else:
        assert done.out.startswith("## ❌ FAIL: diagnose compare\n")


def test_files_are_what_stdout_would_be_and_the_terminal_report_stays(diagnose, pair, tmp_path):
    paths = {form: tmp_path / f"out.{form}" for form in ("json", "html", "junit", "markdown")}
    done = diagnose("compare", *pair, *(word for form, path in paths.items() for word in (f"--{form}", path)))
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith("FAIL  ")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths.values())
    for form, path in paths.items():
        assert diagnose("compare", *pair, f"--{form}", "-").out == path.read_text(encoding="utf-8")


def test_all_shows_every_metric(diagnose, pair):
    done = diagnose("compare", *pair, "--all")
    assert done.code == 1
    for name in METRICS:
        assert f" {name} " in done.out, name


def test_a_probe_that_finds_the_limits_blind_exits_0(diagnose, suite):
    done = diagnose("sensitivity", suite, "--fault", "gain_up", "--json", "-")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["schema"] == "diagnose.sensitivity/1"
    done = diagnose("sensitivity", suite, "--fault", "to_mono")
    assert (done.code, done.err) == (0, "")
    assert done.out == "strings: 0 of 0 faults FAIL, 0 pass; 1 do not apply\n"


def test_progress_is_for_a_terminal_and_leaves_stdout_alone(suite):
    pty = pytest.importorskip("pty")
    terminal, line = pty.openpty()
    command = [PROGRAM, "sensitivity", suite, "--fault", "gain_up", "--json", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=line) as running:
        out, _ = running.communicate(timeout=600)
    os.close(line)
    shown = os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    assert running.returncode == 0
    assert json.loads(out)["suite"] == "strings"
    assert "1/1" in shown


def test_a_users_profile_decides(diagnose, pair, tmp_path):
    table = '[metric.duration_s]\nunit = "s"\ndirection = "both"\nfail = 1.0\nreason = "a test"\n'
    (tmp_path / "mild.toml").write_text(table)
    done = diagnose("compare", *pair, "--profile", tmp_path / "mild.toml")
    assert (done.code, done.out[:4]) == (0, "PASS")
    (tmp_path / "mild.toml").write_text(table.replace("duration_s", "duration"))
    done = diagnose("compare", *pair, "--profile", tmp_path / "mild.toml")
    assert_one_line(done, 2, f"{tmp_path / 'mild.toml'}: metric.duration: no such metric")


def test_the_version(diagnose):
    assert diagnose("--version").out == f"diagnose, version {VERSION}\n"


@pytest.mark.parametrize("name", [None, *cli.cli.commands])
def test_help_shows_an_example_that_parses(diagnose, name):
    done = diagnose(*([name] if name else []), "--help")
    assert (done.code, done.err) == (0, "")
    examples = [line.split("   ")[0].split() for line in done.out.splitlines() if line.startswith("  diagnose ")]
    wanted = [words for words in examples if name in (None, words[1])]
    assert wanted
    for words in wanted:
        command = cli.cli.commands[words[1]]
        arguments = " ".join(words[2:]).split(" | ")[0]
        command.make_context(words[1], shlex.split(arguments))


def test_every_command_is_in_the_help(diagnose):
    done = diagnose("--help")
    for name, command in cli.cli.commands.items():
        assert f"\n  {name} " in done.out
        assert isinstance(command, click.Command)
    for code in ("0 passed", "1 a verdict", "2 wrong usage", "3", "4 an internal error"):
        assert code in " ".join(done.out.split())


def test_the_demo_writes_four_files_and_exits_0(diagnose, tmp_path):
    out = tmp_path / "new" / "demo"
    done = diagnose("demo", "--out", out)
    assert (done.code, done.err) == (0, "")
    assert sorted(path.name for path in out.iterdir()) == [
        "generated.wav",
        "reference.wav",
        "report.html",
        "report.json",
    ]
    assert done.out.startswith("FAIL  ")
    assert f"is {out / 'report.html'}" in done.out.replace("\n", "")
    report = json.loads((out / "report.json").read_text())
    assert report["verdict"] == "FAIL"
    again = shlex.split(report["command"])
    assert again == ["diagnose", "compare", str(out / "reference.wav"), str(out / "generated.wav")]
    assert diagnose(*again[1:], "--json", "-").out == (out / "report.json").read_text()


def test_a_demo_that_cannot_write_says_so(diagnose, tmp_path):
    (tmp_path / "file").write_text("")
    assert_one_line(diagnose("demo", "--out", tmp_path / "file"), 2, f"{tmp_path / 'file'}: is not a directory")


# Bad input


def wav(samples, rate=RATE, subtype="PCM_16"):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype=subtype, format="WAV")
    return file.getvalue()


def with_rate(rate):
    data = bytearray(wav(np.zeros(RATE) + 0.1))
    data[24:28] = struct.pack("<I", rate)
    return bytes(data)


TONE = 0.5 * np.sin(np.arange(RATE) / 10)
BAD = {
    "text": (b"this is not audio, but it is longer than a header of 44 bytes", "audio file"),
    "empty": (b"", "the file is empty (0 bytes)"),
    "zero samples": (wav(np.zeros(0)), "no samples"),
    "1e7": (wav(np.where(np.arange(RATE) == 2205, 1e7, TONE), subtype="FLOAT"), "samples above 1e+06"),
    "a truncated header": (wav(TONE)[:30], "audio file"),
    "a header alone": (wav(TONE)[:44], "no samples"),
    "1 Hz": (with_rate(1), "sampling rate 1 Hz is out of range; use 2000 to 384000 Hz"),
    "1 MHz": (with_rate(1_000_000), "sampling rate 1000000 Hz is out of range"),
    "65 channels": (wav(np.zeros((100, 65)) + 0.1), "65 channels; use 1 to 64"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "audio file"),
}


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_one_line_and_exit_2(diagnose, pair, tmp_path, kind, side):
    data, said = BAD[kind]
    (tmp_path / "bad.wav").write_bytes(data)
    paths = [pair[0], pair[0]]
    paths[side] = tmp_path / "bad.wav"
    done = diagnose("compare", *paths, "--json", tmp_path / "out.json")
    assert_one_line(done, 2, f"diagnose: {tmp_path / 'bad.wav'}: ", said)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.wav"]


BROKEN = {
    "NaN": wav(np.where(np.arange(RATE) == 2205, np.nan, TONE), subtype="FLOAT"),
    "Inf": wav(np.where(np.arange(RATE) >= 2205, np.inf, TONE), subtype="DOUBLE"),
    "-Inf": wav(np.where(np.arange(RATE) >= 2205, -np.inf, TONE), subtype="FLOAT"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_not_finite_fails_where_it_was_generated_and_is_refused_as_a_reference(diagnose, tmp_path, kind):
    (tmp_path / "good.wav").write_bytes(wav(TONE))
    (tmp_path / "bad.wav").write_bytes(BROKEN[kind])
    said = f"diagnose: {tmp_path / 'bad.wav'}: non-finite samples (NaN or infinite), the first at 0.100 s; fix the file"
    assert_one_line(diagnose("compare", tmp_path / "bad.wav", tmp_path / "good.wav"), 2, said)
    out = [word for form in ("json", "html", "junit", "markdown") for word in (f"--{form}", tmp_path / form)]
    done = diagnose("compare", tmp_path / "good.wav", tmp_path / "bad.wav", "--all", *out)
    assert (done.code, done.err) == (1, "")
    assert "cause      non-finite (99 %)" in done.out
    document = json.loads((tmp_path / "json").read_text(), parse_constant=lambda word: pytest.fail(word))
    assert (document["verdict"], document["causes"][0]["id"]) == ("FAIL", "non-finite")
    row = next(row for row in document["metrics"] if row["name"] == "nonfinite_share")
    assert (row["severity"], row["limit"]["fail"], row["detail"]["first_s"]) == (None, 0.0, 0.1)
    for form in ("html", "junit", "markdown"):
        assert "NaN or infinite" in (tmp_path / form).read_text()
    again = diagnose("render", tmp_path / "json", "--all")
    assert again.out.splitlines()[:5] == done.out.splitlines()[:5]


def test_what_is_no_file_is_one_line_and_exit_2(diagnose, pair, tmp_path):
    assert_one_line(diagnose("compare", tmp_path, pair[0]), 2, f"{tmp_path}: is a directory")
    assert_one_line(diagnose("compare", pair[0], tmp_path / "no.wav"), 2, f"{tmp_path / 'no.wav'}: No such file")
    assert_one_line(diagnose("compare", pair[0], "/dev/null"), 2, "/dev/null: is not a regular file")
    assert_one_line(diagnose("compare", pair[0] + "/x", pair[0]), 2, "Not a directory")
    assert_one_line(diagnose("compare", "", pair[0]), 2, "No such file or directory")
    assert_one_line(diagnose("compare", "a" * 5000, pair[0]), 2, "File name too long")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(diagnose, pair, tmp_path):
    (tmp_path / "secret.wav").write_bytes(Path(pair[0]).read_bytes())
    (tmp_path / "secret.wav").chmod(0)
    assert_one_line(diagnose("compare", tmp_path / "secret.wav", pair[0]), 2, "secret.wav: Permission denied")


@pytest.mark.parametrize("samples", [1, 2, 440])
def test_less_than_20_ms_is_not_comparable(diagnose, pair, tmp_path, samples):
    (tmp_path / "short.wav").write_bytes(wav(TONE[:samples] + 0.1))
    assert_one_line(diagnose("compare", tmp_path / "short.wav", pair[0]), 3, "a comparison needs at least 20 ms")
    assert_one_line(diagnose("compare", pair[0], tmp_path / "short.wav"), 3, f"{samples} samples")


def test_a_silent_output_is_a_fail_with_nulls_and_reasons(diagnose, pair, tmp_path):
    (tmp_path / "silent.wav").write_bytes(wav(np.zeros(RATE)))
    done = diagnose("compare", pair[0], tmp_path / "silent.wav", "--json", "-")
    assert (done.code, done.err) == (1, "")
    for row in json.loads(done.out, parse_constant=pytest.fail)["metrics"]:
        assert (row["change"] is None) == (row["reason"] is not None)


def test_floats_beyond_reason_end_in_a_report_or_one_line(diagnose, pair, tmp_path):
    (tmp_path / "big.wav").write_bytes(wav(TONE * 1e25, subtype="FLOAT"))
    done = diagnose("compare", pair[0], tmp_path / "big.wav", "--json", "-")
    if done.code == 2:
        assert_one_line(done, 2, "big.wav")
    else:
        assert (done.code, done.err) == (1, "")
        json.loads(done.out, parse_constant=pytest.fail)


def test_64_channels_are_compared(diagnose, pair, tmp_path):
    (tmp_path / "many.wav").write_bytes(wav(np.repeat(audio.read(pair[0]).mono[:, None], 64, axis=1)))
    done = diagnose("compare", pair[0], tmp_path / "many.wav", "--json", "-", "--html", tmp_path / "out.html")
    report = json.loads(done.out)
    assert report["generated"]["channels"] == 64
    change = {row["name"]: row["change"] for row in report["metrics"]}
    assert change["rms_ratio"] == pytest.approx(1, abs=1e-3)
    assert change["spectral_convergence"] == pytest.approx(0, abs=1e-3)


def test_different_durations_are_compared(diagnose, pair, tmp_path):
    (tmp_path / "half.wav").write_bytes(wav(audio.read(pair[0]).mono[: RATE // 4]))
    done = diagnose("compare", pair[0], tmp_path / "half.wav")
    assert done.code == 1
    assert "0.250 s shorter than the reference" in " ".join(done.out.split())


# File names


NAMES = [
    "with space.wav",
    "a'b\"c.wav",
    "<script>alert(1)</script>.wav".replace("/", ""),
    "<img src=x onerror=alert(1)>.wav",
    "new\nline.wav",
    "\x1b[31mred\x1b[2J.wav",
    "[bold red]rich[/].wav".replace("/", ""),
    "{{ 7*7 }}{% x %}.wav",
    "| pipe ` tick.wav",
    "-dash.wav",
    "--json",
    "$(id);&.wav",
    "ü€😀.wav",
    "\u202etxt.wav",
    os.fsdecode(b"\xff\xfe.wav"),
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_file_name_is_compared_and_shown_without_harm(diagnose, pair, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    try:
        Path(name).write_bytes(Path(pair[0]).read_bytes())
    except OSError:
        pytest.skip("this file system has no such name")
    paths = {form: tmp_path / f"out.{form}" for form in ("html", "junit", "markdown", "json")}
    options = [word for form, path in paths.items() for word in (f"--{form}", path)]
    done = diagnose("compare", *options, "--", name, name)
    assert (done.code, done.err) == (0, "")
    texts = {form: path.read_text(encoding="utf-8") for form, path in paths.items()}
    assert not {"\x1b", "\u202e"} & set("".join(texts.values()))
    assert json.loads(texts["json"])["reference"]["path"] == name
    assert not {"\x1b", "\u202e"} & set(done.out)
    assert texts["html"].count("<script") == 1  # the page's own
    assert "<img" not in texts["html"]
    missing = diagnose("compare", "--", name + "x", name)
    assert_one_line(missing, 2, "No such file or directory")
    assert missing.err[:-1].isprintable()


# Outputs whole or not at all


@pytest.mark.parametrize("form", ["json", "html", "junit", "markdown"])
def test_an_output_into_a_missing_folder_leaves_nothing(diagnose, pair, tmp_path, form):
    target = tmp_path / "missing" / "out"
    done = diagnose("compare", *pair, f"--{form}", target)
    assert_one_line(done, 2, f"{target}: cannot be written (No such file or directory)")
    assert list(tmp_path.iterdir()) == []


def test_an_output_onto_a_folder_leaves_it(diagnose, pair, tmp_path):
    (tmp_path / "out").mkdir()
    assert_one_line(diagnose("compare", *pair, "--json", tmp_path / "out"), 2, "cannot be written (Is a directory)")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_failed_comparison_keeps_the_old_report(diagnose, pair, tmp_path):
    (tmp_path / "out.json").write_text("old")
    assert diagnose("compare", pair[0], tmp_path / "none.wav", "--json", tmp_path / "out.json").code == 2
    assert (tmp_path / "out.json").read_text() == "old"


def begun(*words):
    """The program in a process of its own that has been imported and is about to begin; stdout is empty from here."""
    code = "import sys; from diagnose import cli; sys.argv[0] = 'diagnose'; print('begun', flush=True); cli.main()"
    command = [sys.executable, "-c", code, *map(str, words)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "begun\n"
    time.sleep(0.5)  # it takes seconds to end
    return running


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_run_leaves_no_half_file(pair, tmp_path):
    long = np.random.default_rng(0).standard_normal(120 * RATE) * 0.1
    (tmp_path / "long.wav").write_bytes(wav(long))
    (tmp_path / "out.json").write_text("old")
    words = ["compare", tmp_path / "long.wav", tmp_path / "long.wav", "--json", tmp_path / "out.json"]
    with begun(*words, "--html", tmp_path / "out.html") as running:
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=600)
    assert running.returncode == 130
    assert (out, err) == ("", "\ndiagnose: interrupted; no file was left incomplete\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.wav", "out.json"]
    assert (tmp_path / "out.json").read_text() == "old"


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_probe_prints_nothing_of_it(suite, tmp_path):
    with begun("sensitivity", suite, "--json", tmp_path / "out.json") as running:
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=600)
    assert running.returncode == 130
    assert (out, err) == ("", "\ndiagnose: interrupted; no file was left incomplete\n")
    assert list(tmp_path.iterdir()) == []


# Processes: the console script itself, pipes, encodings


def test_the_console_script_prints_json_and_exits_1(pair):
    done = process("compare", *pair, "--json", "-")
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["verdict"] == "FAIL"


def test_the_console_script_refuses_in_one_line(tmp_path):
    done = process("compare", tmp_path, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"diagnose: {tmp_path}: is a directory; give an audio file\n"


def into_a_closed_pipe(*arguments):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run([PROGRAM, *arguments], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=600)
    finally:
        os.close(writer)


@pytest.mark.parametrize(
    "form", [["--json", "-"], *(pytest.param(form, marks=pytest.mark.slow) for form in ([], ["--html", "-"]))], ids=str
)
def test_a_reader_that_goes_away_changes_no_verdict(pair, form):
    # `diagnose compare a b --json - | head -1` under `set -o pipefail`
    failed = into_a_closed_pipe("compare", *pair, *form)
    assert failed.stderr == ""
    assert failed.returncode not in (0, 2, 3, 4)
    passed = into_a_closed_pipe("compare", pair[0], pair[0], *form)
    assert passed.stderr == ""
    assert passed.returncode != 1  # 1 says FAIL


def test_a_help_that_is_not_read_to_its_end_is_no_error(pair):
    done = into_a_closed_pipe("--help")
    assert done.stderr == ""


@pytest.mark.parametrize(
    "encoding", ["ascii", *(pytest.param(encoding, marks=pytest.mark.slow) for encoding in ("latin-1", "cp437"))]
)
def test_a_terminal_that_has_not_every_sign_gets_the_report(pair, encoding):
    done = subprocess.run(
        [PROGRAM, "compare", *pair], capture_output=True, env=os.environ | {"PYTHONIOENCODING": encoding}, timeout=600
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.startswith(b"FAIL  ")


def test_a_full_disk_is_no_fault_of_the_program(pair):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [PROGRAM, "compare", *pair, "--json", "-"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=600
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr
