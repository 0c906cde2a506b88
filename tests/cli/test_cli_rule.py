"""diagnose rule: the list, a cause in full, and one line for an id that is none."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from one_line import assert_one_line

from diagnose.faults import CATALOGUE

PROGRAM = str(Path(sys.executable).with_name("diagnose"))


def test_without_a_cause_all_are_listed_by_family(diagnose):
    done = diagnose("rule")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == list(
        dict.fromkeys(fault.family for fault in CATALOGUE.values())
    )
    listed = [line.split(maxsplit=1) for line in lines if line.startswith(" ")]
    assert listed == [[fault.id, fault.title] for fault in CATALOGUE.values()]


@pytest.mark.parametrize("cause", CATALOGUE)
def test_a_cause_is_shown_with_all_that_is_known_of_it(diagnose, cause):
    fault = CATALOGUE[cause]
    done = diagnose("rule", cause)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{cause}  {fault.title}\n")
    said = (fault.what, fault.told_by, fault.fix, fault.family, fault.metric or fault.no_metric, *fault.rivals)
    assert all(text in done.out for text in said)
    assert all(f"{other}: {how}" in done.out for other, how in fault.confused_with.items())
    assert all(f" {injector.name}: {injector.about}" in done.out for injector in fault.injectors)


def test_all_shows_each_in_full(diagnose):
    done = diagnose("rule", "--all")
    assert done.code == 0
    assert all(f"{fault.id}  {fault.title}\n" in done.out and fault.fix in done.out for fault in CATALOGUE.values())
    assert_one_line(diagnose("rule", "gain", "--all"), 2, "leave CAUSE out")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("dc_ofset", "did you mean dc-offset"),
        ("segment-los", "segment-lost"),
        ("Clipping", "did you mean clipping"),
        ("hum_50", "is an injector, not a cause; the cause is hum"),
        ("qqqq", "`diagnose rule` lists all"),
        ("a\nb", "no cause"),
        ("", "no cause ''"),
    ],
)
def test_an_id_that_is_none_is_one_line_with_the_nearest(diagnose, asked, said):
    assert_one_line(diagnose("rule", asked), 2, said)


def test_json_has_the_same(diagnose, tmp_path):
    done = diagnose("rule", "clipping", "--json", "-")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert found["schema"] == "diagnose.rule/1"
    (clipping,) = found["causes"]
    fault = CATALOGUE["clipping"]
    assert (clipping["id"], clipping["fix"], clipping["metric"]) == ("clipping", fault.fix, "clipped_share")
    assert clipping["confused_with"] == dict(fault.confused_with)
    assert clipping["can_be_undone"] is True
    assert clipping["injectors"][0] == {
        "name": "hard_clip",
        "about": "hard clipping",
        "unit": "of the samples",
        "weak": 0.002,
        "strong": 0.2,
    }
    done = diagnose("rule", "--json", tmp_path / "rules.json")
    assert done.out == diagnose("rule").out
    every = json.loads((tmp_path / "rules.json").read_text())["causes"]
    assert [each["id"] for each in every] == list(CATALOGUE)
    assert all((each["metric"] is None) == (each["metric_reason"] is not None) for each in every)
    polarity = next(each for each in every if each["id"] == "polarity")
    assert (polarity["injectors"][0]["unit"], polarity["injectors"][0]["weak"]) == (None, None)


def test_help_has_an_example(diagnose):
    done = diagnose("rule", "--help")
    assert (done.code, done.err) == (0, "")
    assert "\n  diagnose rule dc-offset" in done.out


@pytest.mark.slow
def test_in_a_pipe_no_colour(tmp_path):
    done = subprocess.run([PROGRAM, "rule", "gain"], capture_output=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\x1b" not in done.stdout
    done = subprocess.run(["sh", "-c", f'"{PROGRAM}" rule --all | head -1'], capture_output=True, timeout=600)
    assert (done.stdout, done.stderr) == (b"gain  too loud or too quiet by one factor\n", b"")
