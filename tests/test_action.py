"""What others' CI runs: the action's own script, the workflow, the pre-commit hook."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from diagnose import audio, example
from diagnose.audio import Audio

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).resolve().parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step.get("name", step.get("uses")): step for step in ACTION["runs"]["steps"]}


def test_every_input_that_is_used_is_declared_and_every_one_that_is_declared_is_used():
    used = set(re.findall(r"inputs\.([a-z-]+)", (ROOT / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])


def test_no_input_stands_in_a_script():
    assert [name for name, step in STEPS.items() if "${{" in step.get("run", "")] == []


def test_official_actions_are_pinned_and_no_token_is_asked_for():
    for path in (ROOT / "action.yml", ROOT / "examples" / "workflow.yml", ROOT / ".github" / "workflows" / "ci.yml"):
        text = path.read_text()
        assert "secrets." not in text
        assert "github.token" not in text
        for uses in re.findall(r"uses: (\S+)", text):
            assert re.fullmatch(r"\./|actions/[a-z-]+@v\d+|timbre-diagnose/timbre-diagnose@main", uses), uses


@pytest.mark.parametrize("path", ["examples/workflow.yml", ".github/workflows/ci.yml"])
def test_a_workflow_gives_the_action_what_it_knows_and_may_only_read(path):
    workflow = yaml.safe_load((ROOT / path).read_text())
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    (ours,) = [step for step in steps if step.get("uses", "").startswith(("./", "timbre-diagnose"))]
    assert set(ours["with"]) <= set(ACTION["inputs"])
    assert ours["with"]["suite"]


# The script of the step that checks, run as a runner does


class Runner:
    """A folder with the files that GitHub gives a step, and the step's script."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("summary.md", "output"):
            (folder / name).write_text("")

    def run(self, name, **variables):
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "RUNNER_TEMP": str(self.folder / "temp"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "HOME": os.environ.get("HOME", "/"),
        }
        # As the runner starts `shell: bash`.
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[name]["run"]]
        return subprocess.run(
            command, cwd=self.folder, env=environment | variables, capture_output=True, text=True, timeout=600
        )

    @property
    def summary(self):
        return (self.folder / "summary.md").read_text()


@pytest.fixture
def runner(tmp_path):
    shutil.copytree(ROOT / "tests" / "sample_project", tmp_path / "project")
    (tmp_path / "temp").mkdir()
    return Runner(tmp_path)


RENDER = f"cd project && {sys.executable} render.py"


@pytest.mark.slow
def test_a_suite_that_holds_passes(runner):
    assert runner.run("Render", COMMAND=RENDER).returncode == 0
    done = runner.run("Check", SUITE="project/suite.toml", ARGS="")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert runner.summary.startswith("## ✅ PASS: plucked strings")
    report = Path((runner.folder / "output").read_text().strip().removeprefix("report="))
    assert sorted(path.name for path in report.iterdir()) == ["failures.html", "junit.xml"]


def test_one_that_does_not_fails_with_annotations_at_the_golden_s_lines(runner):
    (runner.folder / "project" / "pipeline.toml").write_text("fmax_hz = 4000\n")
    runner.run("Render", COMMAND=RENDER)
    done = runner.run("Check", SUITE="project/suite.toml", ARGS="--history\nproject/kept here")
    assert done.returncode == 1
    golden = (runner.folder / "project" / "golden" / "open-g.toml").read_text().splitlines()
    found = re.findall(r"^::error file=([^,]+),line=(\d+),title=open-g%3A (\w+)::(.*)$", done.stdout, re.MULTILINE)
    assert len(found) == 9
    for file, line, metric, text in found:
        assert file == "project/golden/open-g.toml"
        assert golden[int(line) - 1] == f"[metric.{metric}]"
        assert "cause: high-frequency-loss" in text
    assert done.stdout.splitlines()[-1] == "::error title=plucked strings::4 more are in the step summary; 1 FAIL"
    assert "high\\-frequency\\-loss" in runner.summary
    page = next((runner.folder / "temp").rglob("failures.html")).read_text()
    assert page.count("<audio controls") == 3
    assert len(list((runner.folder / "project" / "kept here").iterdir())) == 1


@pytest.mark.slow
def test_an_input_cannot_become_a_command(runner):
    for name in ('$(touch made)"; touch made; "', "`touch made`"):
        done = runner.run("Check", SUITE=name, ARGS="--history\n$(touch made)")
        assert done.returncode == 2
        assert done.stderr.startswith("diagnose: ")
    assert not list(runner.folder.rglob("made"))


def test_a_render_that_fails_fails_the_step(runner):
    assert runner.run("Render", COMMAND="false | true; touch after").returncode != 0
    assert not (runner.folder / "after").exists()


@pytest.mark.slow
def test_the_summary_of_hundreds_of_failing_cases_stays_under_1_mib(runner, tmp_path):
    note = example.bowed_string(seconds=0.1, rate=8000)
    audio.write(tmp_path / "reference.wav", note)
    audio.write(tmp_path / "generated.wav", Audio(note.samples * np.float32(0.5), 8000))
    cases = "".join(
        f'[[case]]\nid = "{"long-name-" * 9}{index}"\nreference = "lost-{"x" * 200}.wav"\ngenerated = "generated.wav"\n'
        for index in range(4000)
    )
    (tmp_path / "suite.toml").write_text(f'[suite]\nname = "many"\n{cases}')
    done = runner.run("Check", SUITE="suite.toml", ARGS="")
    assert done.returncode == 1
    assert 900_000 < len(runner.summary.encode()) < 1 << 20
    assert "more lines were skipped" in runner.summary
    assert len(done.stdout.splitlines()) == 10


# pre-commit


def test_the_hook_is_one_that_pre_commit_takes():
    clientlib = pytest.importorskip("pre_commit.clientlib")
    (hook,) = clientlib.load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))
    assert hook["id"] == "diagnose-check"
    assert hook["entry"].split()[0] == "diagnose"
    clientlib.load_config(str(ROOT / ".pre-commit-config.yaml"))
