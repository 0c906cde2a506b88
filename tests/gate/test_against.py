"""The old revision as golden: a repository of its own, whose generator changes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from diagnose import audio, example

RENDER = """
import numpy, soundfile
samples, rate = soundfile.read("sounds/reference.wav")
soundfile.write("sounds/generated.wav", {gain} * samples, rate, "FLOAT")
"""
SUITE = """
[suite]
name = "strings"

[[case]]
id = "note"
reference = "sounds/reference.wav"
generated = "sounds/generated.wav"
"""


def git(folder, *words):
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(["git", "-C", folder, *identity, *words], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository whose generator made the note at 0.9 of its level, in the folder that the tests run in."""
    folder = tmp_path / "project"
    (folder / "sounds").mkdir(parents=True)
    audio.write(folder / "sounds" / "reference.wav", example.bowed_string(seconds=0.4, rate=22050), "FLOAT")
    (folder / "suite.toml").write_text(SUITE)
    (folder / ".gitignore").write_text("sounds/generated.wav\n")
    (folder / "render.py").write_text(RENDER.format(gain=0.9))
    git(tmp_path, "init", "-q", "project")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def check(diagnose):
    return lambda *words, at="HEAD": diagnose(
        "check", "suite.toml", "--against", at, *words, "--", sys.executable, "render.py"
    )


def test_the_same_generator_passes_and_leaves_no_worktree(check, repository):
    done = check()
    assert (done.code, done.err) == (0, "")
    assert "PASS  strings against HEAD: 1 PASS" in done.out
    assert len(git(repository, "worktree", "list").splitlines()) == 1
    assert git(repository, "status", "--porcelain") == ""


def test_a_changed_generator_fails_with_what_changed(check, repository):
    (repository / "render.py").write_text(RENDER.format(gain=0.45))
    page = repository.parent / "failures.html"
    done = check("--html", str(page))
    assert done.code == 1
    assert "FAIL  rms_ratio: 0.9 -> 0.45, tolerance" in done.out
    assert "cause  gain" in done.out
    assert "2.0 times too quiet" in done.out  # than the old one, not than the reference
    text = page.read_text()
    assert "sounds/generated.wav at HEAD" in text
    assert text.count("<audio") == 2  # no null signal: nothing is left of one sound but its gain


@pytest.mark.slow
def test_an_older_revision_is_held_as_it_was(check, repository):
    (repository / "render.py").write_text(RENDER.format(gain=0.45))
    git(repository, "commit", "-qam", "softer")
    assert check().code == 0
    assert check(at="HEAD~1").code == 1


def test_a_new_case_is_a_warning_and_a_lost_one_an_error(check, repository):
    (repository / "render.py").write_text(RENDER.format(gain=0.9).replace("generated", "other"))
    text = SUITE.replace('"note"', '"new"').replace("generated.wav", "other.wav")
    (repository / "suite.toml").write_text(text)
    done = check()
    assert done.code == 0
    assert "WARN  new: is new: HEAD " in done.out
    (repository / "suite.toml").write_text(text.replace('"new"', '"note"'))
    done = check()
    assert done.code == 3
    assert "ERROR  note: sounds/other.wav: the command did not write it at HEAD" in done.out


def test_a_command_that_fails_there_is_one_line_and_nothing_is_left(check, repository):
    (repository / "render.py").write_text("raise SystemExit('no weights')")
    git(repository, "commit", "-qam", "broken")
    done = check()
    assert (done.code, done.out) == (2, "")
    assert "ended with 1" in done.err
    assert "no weights" in done.err
    assert len(git(repository, "worktree", "list").splitlines()) == 1


WRONG = {
    "no such revision": (["--against", "nope", "--", "true"], "nope: git does not know this revision"),
    "an option for a revision": (["--against", "--all", "--", "true"], "--all: git does not know this revision"),
    "no command": (["--against", "HEAD"], "--against"),
    "no revision": (["--", "true"], "--against"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_usage_is_one_line(diagnose, repository, kind):
    words, said = WRONG[kind]
    done = diagnose("check", "suite.toml", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert said in done.err


def test_outside_of_a_repository_there_is_no_old_revision(diagnose, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "suite.toml").write_text(SUITE)
    done = diagnose("check", tmp_path / "suite.toml", "--against", "HEAD", "--", "true")
    assert (done.code, done.out) == (2, "")
    assert "is not in a git repository" in done.err


def test_a_command_that_renders_nothing_passes_nothing(diagnose, check, repository):
    check()  # a sound lies here from now on
    git(repository, "add", "-f", "sounds/generated.wav")
    git(repository, "commit", "-qm", "with its sound")
    done = diagnose("check", "suite.toml", "--against", "HEAD", "--", "true")
    assert done.code == 3
    assert "ERROR  note: sounds/generated.wav: the command did not write it" in done.out


@pytest.mark.slow
def test_inside_of_a_hook_the_commit_is_what_was_staged(repository):
    hook = repository / ".git" / "hooks" / "pre-commit"
    program = Path(sys.executable).with_name("diagnose")
    hook.write_text(f"#!/bin/sh\nexec {program} check suite.toml --against HEAD -- {sys.executable} render.py\n")
    hook.chmod(0o755)
    (repository / "notes.txt").write_text("staged")
    (repository / "suite.toml").write_text(SUITE.replace("strings", "renamed"))
    git(repository, "add", "notes.txt")
    git(repository, "commit", "-qam", "from a hook")
    assert git(repository, "show", "--name-only", "--format=").split() == ["notes.txt", "suite.toml"]
    assert git(repository, "status", "--porcelain") == ""


def test_a_checkout_that_fails_says_why_and_leaves_no_worktree(check, repository):
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.write_text("#!/bin/sh\necho no disk >&2\nexit 1\n")
    hook.chmod(0o755)
    done = check()
    assert (done.code, done.out) == (2, "")
    assert "git cannot check it out (no disk)" in done.err
    assert len(git(repository, "worktree", "list").splitlines()) == 1


NAN = "samples[100] = numpy.nan\nsoundfile.write"


def test_a_new_sound_that_is_not_finite_fails(check, repository):
    (repository / "render.py").write_text(RENDER.format(gain=0.9).replace("soundfile.write", NAN))
    done = check()
    assert done.code == 1
    assert "FAIL  nonfinite_share: 0 % -> " in done.out
    assert "cause  non-finite (99 %): 1 sample is NaN or infinite" in done.out


def test_an_old_sound_that_was_not_finite_is_no_error(check, repository):
    (repository / "render.py").write_text(RENDER.format(gain=0.9).replace("soundfile.write", NAN))
    git(repository, "commit", "-qam", "broken")
    (repository / "render.py").write_text(RENDER.format(gain=0.45))
    done = check()
    assert done.code == 1
    assert "FAIL  rms_ratio: 0.9 -> 0.45" in done.out
    assert "cause  gain" in done.out
