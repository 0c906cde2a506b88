"""A project that gates its vocoder with the installed tool, through its whole life (tests/sample_project)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from diagnose.metrics import METRICS
from diagnose.profile import default_profile

JUDGED = len(default_profile())

SAMPLE = Path(__file__).parent / "sample_project"
PROGRAM = str(Path(sys.executable).with_name("diagnose"))
BROKEN = "cutoff_hz: 0 Hz -> -6072 Hz, tolerance 200 Hz"


class Project:
    """A copy of the sample project: its commands are run in it as its people run them."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, *command):
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=600)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def diagnose(self, *words):
        return self.run(PROGRAM, *words)

    def render(self, fmax_hz=11025):
        (self.folder / "pipeline.toml").write_text(f"fmax_hz = {fmax_hz}\n")
        assert self.run(sys.executable, "render.py").returncode == 0


@pytest.fixture
def project(tmp_path):
    shutil.copytree(SAMPLE, tmp_path / "project")
    return Project(tmp_path / "project")


def test_its_own_goldens_hold(project):
    project.render()
    done = project.diagnose("check", "suite.toml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"PASS  open-g: {JUDGED} metrics judged, 0 not passed\nPASS  plucked strings: 1 PASS\n"


def test_record_pass_break_see_accept_pass(project):
    golden = project.folder / "golden" / "open-g.toml"
    golden.unlink()
    project.render()

    done = project.diagnose("check", "suite.toml")
    assert done.returncode == 1
    assert "FAIL  open-g: no golden at golden/open-g.toml; run `diagnose record`" in done.stdout

    done = project.diagnose("record", "suite.toml")
    assert (done.returncode, done.stdout) == (0, "recorded open-g\n")
    assert "review the goldens" in done.stderr
    kept = tomllib.loads((SAMPLE / "golden" / "open-g.toml").read_text())["metric"]
    now = tomllib.loads(golden.read_text())["metric"]
    assert {name for name in now if name not in kept} <= {name for name, metric in METRICS.items() if metric.later}
    assert {name: now[name] for name in kept} == {
        name: {**of, **({"change": pytest.approx(of["change"], rel=1e-3, abs=1e-4)} if "change" in of else {})}
        for name, of in kept.items()
    }

    done = project.diagnose("check", "suite.toml")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "PASS  plucked strings: 1 PASS")

    project.render(fmax_hz=4000)
    done = project.diagnose("check", "suite.toml", "--html", "failures.html", "--junit", "junit.xml")
    assert done.returncode == 1
    assert f"FAIL  {BROKEN}" in done.stdout
    assert "cause  high-frequency-loss (99 %): everything above 3.98 kHz is gone" in done.stdout
    assert "fix    raise fmax or the rate of the stage that cuts" in done.stdout
    place = re.search(r"where  0\.000 to ([\d.]+) s, (\d+) to (\d+) Hz: (-[\d.]+) dB \(cutoff_hz", done.stdout)
    assert 3900 < float(place[2]) < 4100
    assert float(place[3]) > 9000
    page = (project.folder / "failures.html").read_text()
    assert page.count("<audio controls") == 3
    assert page.count('src="data:audio/flac;base64,') == 3
    assert "everything above 3.98 kHz is gone" in page
    assert page.count('class="box"') >= 1
    assert BROKEN.partition(": ")[2].replace(">", "&gt;") in page
    assert '<failure message="0 Hz -&gt; -6072 Hz' in (project.folder / "junit.xml").read_text()

    done = project.diagnose("accept", "suite.toml", "open-g")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Missing option '--reason'" in done.stderr
    reason = "the base vocoder ends at 4 kHz"
    done = project.diagnose("accept", "suite.toml", "open-g", "--reason", reason, "--who", "Ada")
    assert done.returncode == 0
    assert "accepted open-g::cutoff_hz: 0 -> -6072" in done.stdout
    document = tomllib.loads(golden.read_text())
    assert {(entry["who"], entry["reason"]) for entry in document["accepted"]} == {("Ada", reason)}
    assert document["causes"] == ["high-frequency-loss"]

    done = project.diagnose("check", "suite.toml")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "PASS  plucked strings: 1 PASS")

    project.render()
    assert project.diagnose("check", "suite.toml").returncode == 1  # and what was accepted is what is held


@pytest.mark.slow
def test_the_same_in_pytest(project):
    golden = project.folder / "golden" / "test_sound" / "test_the_pipeline_gives_the_open_g_back.toml"
    kept = golden.read_bytes()

    def pytest_(*words):
        # hypothesis, which the project has no use for, takes two seconds to be imported.
        without = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
        return project.run(sys.executable, "-m", "pytest", "-q", *without, *words)

    done = pytest_()
    assert done.returncode == 0, done.stdout

    golden.unlink()
    done = pytest_()
    assert done.returncode == 1
    assert "no golden at golden/test_sound/test_the_pipeline_gives_the_open_g_back.toml" in done.stdout
    assert not golden.exists()
    done = pytest_("--audio-golden-update")
    assert done.returncode == 1
    assert f"wrote golden/test_sound/test_the_pipeline_gives_the_open_g_back.toml: new, {JUDGED} metrics" in done.stdout
    assert tomllib.loads(golden.read_text())["metric"].keys() == tomllib.loads(kept.decode())["metric"].keys()
    assert pytest_().returncode == 0

    (project.folder / "pipeline.toml").write_text("fmax_hz = 4000\n")
    done = pytest_("--audio-golden-report", "report")
    assert done.returncode == 1
    assert f"FAIL  {BROKEN}" in done.stdout
    assert "cause  high-frequency-loss (99 %): everything above 3.98 kHz is gone" in done.stdout
    assert (project.folder / "report" / "audio-golden.html").read_text().count("<audio controls") == 3
