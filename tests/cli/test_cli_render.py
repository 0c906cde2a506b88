"""diagnose render: what compare said, later, from its JSON alone."""

from __future__ import annotations

import io
import json
import re
import shlex

import pytest

from diagnose import audio, example

NOTE = example.bowed_string(seconds=0.5, rate=22050)


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path, monkeypatch, diagnose):
    """The working directory: a pair that fails and one that passes, and the reports of both."""
    monkeypatch.chdir(tmp_path)
    audio.write("reference.wav", NOTE)
    audio.write("generated.wav", example.misfed_vocoder(NOTE))
    assert diagnose("compare", "reference.wav", "generated.wav", "--json", "failed.json").code == 1
    assert diagnose("compare", "reference.wav", "reference.wav", "--json", "passed.json").code == 0
    return tmp_path


@pytest.mark.parametrize("name", ["failed", "passed"])
@pytest.mark.parametrize("options", [(), ("--all",)])
def test_it_says_and_exits_as_the_comparison_did(folder, diagnose, name, options):
    generated = "generated.wav" if name == "failed" else "reference.wav"
    was = diagnose("compare", "reference.wav", generated, *options)
    now = diagnose("render", f"{name}.json", *options)
    assert now == was
    assert now.err == ""


@pytest.mark.parametrize("form", ["json", "markdown", "junit", "html"])
def test_every_form_is_what_the_comparison_writes(folder, diagnose, form):
    diagnose("compare", "reference.wav", "generated.wav", f"--{form}", "was")
    assert diagnose("render", "failed.json", f"--{form}", "now").code == 1
    was, now = (folder / "was").read_text(), (folder / "now").read_text()
    assert now == was or form == "html"
    if form == "html":
        for tag in ("<audio", "<image", "<tr>", "<li>"):
            assert now.count(tag) == was.count(tag) > 0


def test_the_json_of_a_render_is_the_file_it_read(folder, diagnose):
    assert diagnose("render", "failed.json", "--json", "-").out == (folder / "failed.json").read_text()


def test_it_can_be_piped(folder, diagnose, monkeypatch):
    text = (folder / "failed.json").read_bytes()
    for form in ("json", "html", "markdown", "junit"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
        done = diagnose("render", "-", f"--{form}", "-")
        assert (done.code, done.err) == (1, "")
        assert done.out[:2] in ("{\n", "<!", "##", "<?")


def test_without_the_sounds_the_page_has_figures_and_says_why(folder, diagnose):
    diagnose("render", "failed.json", "--html", "with.html")
    (folder / "generated.wav").unlink()
    done = diagnose("render", "failed.json", "--html", "without.html")
    assert (done.code, done.err) == (1, "")
    page = (folder / "without.html").read_text()
    assert "No pictures and no players: generated.wav: no longer exists." in page
    assert "<audio" not in page
    assert page.count("<code>") == (folder / "with.html").read_text().count("<code>")


def test_sounds_are_looked_for_beside_the_report(folder, diagnose, monkeypatch):
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert diagnose("render", "../failed.json", "--html", "page.html").code == 1
    assert (folder / "elsewhere" / "page.html").read_text().count("<audio") >= 2


def test_the_command_and_the_hashes_are_kept(folder):
    report = json.loads((folder / "failed.json").read_text())
    assert report["command"] == "diagnose compare reference.wav generated.wav"
    assert re.fullmatch(r"[0-9a-f]{64}", report["reference"]["sha256"])
    assert report["reference"]["sha256"] != report["generated"]["sha256"]


def test_the_command_measures_the_same_again(folder, diagnose):
    (folder / "a profile.toml").write_text(
        '[metric.rms_ratio]\nunit = "ratio"\ndirection = "both"\nfail = 1.1\nreason = "test"\n'
    )
    audio.write("-x.wav", NOTE)
    first = diagnose("compare", "--profile", "a profile.toml", "--json", "-", "--", "-x.wav", "generated.wav").out
    command = shlex.split(json.loads(first)["command"])
    assert command == ["diagnose", "compare", "--profile", "a profile.toml", "--", "-x.wav", "generated.wav"]
    assert diagnose("compare", "--json", "-", *command[2:]).out == first


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no.json",), "no.json: No such file"),
        (("reference.wav",), "reference.wav: not UTF-8 text; give what `diagnose compare --json` wrote"),
        (("failed.json", "--json", "failed.json"), "is also an input"),
        (("failed.json", "--json", "-", "--html", "-"), "only one output can go to stdout"),
        (("failed.json", "--html", "no/page.html"), "no/page.html: cannot be written"),
        ((), "Missing argument"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(folder, diagnose, arguments, said):
    done = diagnose("render", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("diagnose: ")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_hostile_report_is_shown_as_text(folder, diagnose):
    report = json.loads((folder / "failed.json").read_text())
    hostile = "\x1b[2J<script>alert(1)</script>\udcff\n"
    report["generated"]["path"] = report["command"] = hostile
    report["causes"] = [{**cause, "summary": hostile, "fix": hostile} for cause in report["causes"]]
    (folder / "hostile.json").write_text(json.dumps(report))
    done = diagnose("render", "hostile.json", "--html", "page.html")
    assert done.code == 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", done.out)
    page = (folder / "page.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
