"""python -m diagnose, python -m tnca: the console scripts by another name, and under their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from diagnose import audio, example

BIN = Path(sys.executable).parent


def both(name, *arguments, folder):
    """The console script and `python -m`, each as (exit code, stdout, stderr)."""
    commands = [[str(BIN / name)], [sys.executable, "-m", name]]
    done = [
        subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, timeout=120)
        for command in commands
    ]
    return [(one.returncode, one.stdout, one.stderr) for one in done]


@pytest.mark.parametrize("name", ["diagnose", "tnca"])
@pytest.mark.parametrize("words", [["--help"], ["--version"], ["nope"], ["--nope"], []], ids=" ".join)
def test_the_module_is_the_console_script(name, words, tmp_path):
    script, module = both(name, *words, folder=tmp_path)
    assert module == script
    assert "__main__" not in module[1] + module[2]


@pytest.mark.parametrize("name", ["diagnose", "tnca"])
def test_usage_and_messages_begin_with_the_program_s_name(name, tmp_path):
    _, (code, out, _) = both(name, "--help", folder=tmp_path)
    assert (code, out.splitlines()[0]) == (0, f"Usage: {name} [OPTIONS] COMMAND [ARGS]...")
    _, (code, out, err) = both(name, "nope", folder=tmp_path)
    assert (code, out, err) == (2, "", f"{name}: No such command 'nope'. (see `{name} --help`)\n")


def test_a_comparison_says_the_same_and_ends_the_same(tmp_path):
    note = example.bowed_string(seconds=0.5, rate=22050)
    audio.write(tmp_path / "reference.wav", note)
    audio.write(tmp_path / "generated.wav", example.misfed_vocoder(note))
    script, module = both("diagnose", "compare", "reference.wav", "generated.wav", "--json", "-", folder=tmp_path)
    assert module == script
    assert module[0] == 1


@pytest.mark.slow
def test_a_batch_on_two_processes_works_too(tmp_path):
    note = example.bowed_string(seconds=0.3, rate=22050)
    audio.write(tmp_path / "note.wav", note)
    (tmp_path / "pairs.csv").write_text("reference,generated\n" + "note.wav,note.wav\n" * 4)
    command = [sys.executable, "-m", "diagnose", "batch", "pairs.csv", "--out", "out", "--jobs", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert len((tmp_path / "out" / "results.csv").read_text().splitlines()) == 5
