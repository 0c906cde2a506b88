"""fixes.html and `tnca fixes` as it is typed."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from html.parser import HTMLParser
from pathlib import Path

import pytest

from diagnose import audio, example
from tnca import cli

QUICK = ("--quick", "--epochs", "2", "--seeds", "2", "--jobs", "1")
PROGRAM = str(Path(sys.executable).with_name("tnca"))
HOSTILE = "<img src=x onerror=alert(1)>.wav"


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The folder of `tnca fixes` on a file whose name is a tag, of three fixes; to be read, or copied."""
    folder = tmp_path_factory.mktemp("fixes")
    audio.write(folder / HOSTILE, example.bowed_string(392.0, seconds=0.25))
    only = "db-power,frequency-weight,boundary-loss"  # the last two are broken alike
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder)
        patch.setenv("COLUMNS", "160")
        patch.setattr(sys, "argv", ["tnca", "fixes", HOSTILE, "--out", "out", "--only", only, *QUICK])
        cli.main()
    return folder, out.getvalue(), err.getvalue()


@pytest.fixture
def page(measured):
    return (measured[0] / "out" / "fixes.html").read_text(encoding="utf-8")


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_line_a_fix_and_where_the_page_is(measured):
    _, out, err = measured
    lines = [line for line in out.splitlines() if line.startswith(("db-power", "frequency", "boundary"))]
    assert [line.split()[0] for line in lines] == ["db-power", "frequency-weight", "boundary-loss"]
    assert all(re.search(r"came true|no effect|made it worse", line) for line in lines)
    assert out.endswith("out/fixes.html\n")
    assert err.splitlines()[0] == "1 of 6 trainings"
    assert err.splitlines()[-1] == "6 of 6 trainings"


def test_the_page_is_whole_in_itself_and_runs_nothing(page):
    tags = Tags(page)
    assert tags.open == []
    names = {tag for tag, _ in tags.found}
    assert not names & {"script", "link", "iframe", "object"}
    for tag, attributes in tags.found:
        assert not [name for name in attributes if name.startswith("on")]
        if tag in ("img", "audio"):
            assert attributes["src"].startswith("data:")
        if tag == "a":
            assert attributes["href"].startswith("#")
    assert "&lt;img src=x onerror=alert(1)&gt;.wav" in page


def test_each_fix_has_its_prediction_pictures_players_and_curve(page):
    for name in ("db-power", "frequency-weight", "boundary-loss"):
        part = page.split(f'<section id="{name}">')[1].split("</section>")[0]
        tags = [tag for tag, _ in Tags(part).found]
        assert tags.count("img") == tags.count("audio") == 2
        assert tags.count("svg") == (0 if name == "db-power" else 1)
        assert "Predicted" in part
        assert "Required" in part
    assert page.split('<section id="boundary-loss">')[1].count('<path class="fixed"') >= 2
    assert "one factor, not a weighting" in page.split('<section id="frequency-weight">')[1].split("</section>")[0]
    assert "scale power, not ln-magnitude" in page.split('<section id="db-power">')[1].split("</section>")[0]


def test_the_json_and_the_page_say_the_same(measured, page):
    table = json.loads((measured[0] / "out" / "fixes.json").read_text())
    assert table["sound"] == HOSTILE
    for fix in table["fixes"]:
        assert f"<h2>{fix['name']}: <span class=" in page
        assert fix["decides"] in page


def test_without_sound_and_from_the_trainings_that_are_there(measured, tnca, monkeypatch):
    monkeypatch.chdir(measured[0])
    code, out, err = tnca(
        "fixes", HOSTILE, "--out", "out", "--only", "boundary-loss", *QUICK, "--no-sound", "--json", "-"
    )
    assert (code, err.splitlines()[-1]) == (0, "4 of 4 trainings")
    assert [fix["name"] for fix in json.loads(out)["fixes"]] == ["boundary-loss"]
    assert "<audio" not in (measured[0] / "out" / "fixes.html").read_text()


@pytest.mark.slow
def test_thresholds_are_recorded_held_and_missed(measured, tnca, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sound = str(measured[0] / HOSTILE)
    given = ("fixes", sound, "--out", "out", "--only", "level-reference", *QUICK, "--golden", "held")
    code, _, err = tnca(*given)
    assert code == 2
    assert err.splitlines()[-1].startswith("tnca: held/level-reference.toml: no threshold")
    assert err.splitlines()[-1].endswith("--record writes it")
    assert tnca(*given, "--record")[2].splitlines()[-1] == "held: 1 thresholds written, 0 existing unchanged"
    code, _, err = tnca(*given)
    assert (code, err.splitlines()[-1]) == (0, "1 of 1 fixes reach their thresholds")
    path = tmp_path / "held" / "level-reference.toml"
    assert 'verdict = "came true"' in path.read_text()
    path.write_text(re.sub(r"change = .*", "change = 90.0", path.read_text()))
    code, _, err = tnca(*given)
    assert code == 1
    (line,) = (line for line in err.splitlines() if line.startswith("FAIL"))
    assert "level-reference: rms_ratio" in line


def test_the_list_measures_nothing(tnca, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = tnca("fixes", "--list")
    assert (code, err, os.listdir(tmp_path)) == (0, "", [])
    assert out.startswith("db-power  (first diagnosis)\n    the sound is 4.1 times too loud")
    assert out.count("(measurement since)") == 9


def test_a_damaged_training_says_what_to_do(measured, tnca, monkeypatch, tmp_path):
    shutil.copytree(measured[0], tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    for broken in Path("out", "work").glob("*/checkpoint.pt"):
        broken.write_bytes(broken.read_bytes()[:1000])
    code, _, err = tnca("fixes", HOSTILE, "--only", "boundary-loss", *QUICK, "--out", "out")
    assert code == 2
    assert err.splitlines()[-1].endswith("; delete that directory to train again")


MISTAKES = {
    ("--only", "flux"): "--only flux: no such fix; the fixes are: db-power",
    ("--record",): "--record needs --golden DIR",
    ("--only", ""): "--only : a name is empty",
    ("--golden", "nowhere"): "nowhere/db-power.toml: no threshold (No such file or directory)",
    ("--json", "fixes/fixes.html"): "--json fixes/fixes.html: is also another output",
    ("--vocoder", "flute"): "--vocoder flute: must be griffinlim, bigvgan:DIR or bigvgan:HUB/ID",
    ("--epochs", "0"): "Invalid value for '--epochs'",
    ("nothing.wav",): "nothing.wav: No such file",
}


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_a_mistake_is_one_line(tnca, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = tnca("fixes", *arguments)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert MISTAKES[arguments] in err
    assert os.listdir(tmp_path) == []


# Each starts a program that trains; two jobs are what one is, and the processes.
STOPS = [(signal.SIGINT, 2), (signal.SIGINT, 1), (signal.SIGTERM, 1)]


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(("number", "jobs"), STOPS)
def test_stopped_it_says_how_to_go_on(number, jobs, tmp_path):
    """Ctrl-C reaches the whole group of processes, as from a terminal; SIGTERM the one that was started."""
    command = [PROGRAM, "fixes", "--quick", "--only", "unmasked-loss", "--epochs", "5000", "--out", "out"]
    process = subprocess.Popen(
        [*command, "--jobs", str(jobs)], cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not list((tmp_path / "out" / "work").glob("*/checkpoint.pt")) and process.poll() is None:
        time.sleep(0.1)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "tnca: interrupted; the same command continues the run" in err.splitlines()
    assert "Traceback" not in err
    assert not (tmp_path / "out" / "fixes.json").exists()
