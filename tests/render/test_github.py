"""Workflow commands: one line each, whatever the names are, at the line where the golden holds the figure."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.render.github import to_github
from diagnose.results.cause import Cause
from diagnose.results.suite import Case, Check, Suite

COMMAND = re.compile(r"::(error|warning|notice) ((?:\w+=[^:,]*)(?:,\w+=[^:,]*)*)::(.*)")


def read(text):
    """[(kind, {property: value}, message)], read as GitHub's runner does."""
    found = []
    for line in text.splitlines():
        kind, properties, message = COMMAND.fullmatch(line).groups()
        pairs = (each.split("=", 1) for each in properties.split(","))
        found.append((kind, {key: unquote(value) for key, value in pairs}, unquote(message)))
    return found


def test_each_kind_stands_at_its_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checks = (
        Check("rms_ratio", "FAIL", "0.9 -> 0.45, tolerance 0.02", line=14),
        Check("crest_db", "WARN", "a little", line=20),
        Check("hnr_db", "PASS", "better: accept it", better=True, line=30),
        Check("f0_hz", "PASS", "fine", line=40),
        Check("reference", "ERROR", "is another file"),
    )
    cause = Cause("gain", 0.9, "2 times too quiet", (), "turn it up")
    case = Case("violin", "FAIL", checks, golden=str(tmp_path / "golden" / "violin.toml"), causes=(cause,))
    assert read(to_github(Suite("s", (case,)))) == [
        (
            "error",
            {"file": "golden/violin.toml", "line": "14", "title": "violin: rms_ratio"},
            "0.9 -> 0.45, tolerance 0.02 (cause: gain (90 %): 2 times too quiet)",
        ),
        (
            "error",
            {"file": "golden/violin.toml", "title": "violin: reference"},
            "is another file (cause: gain (90 %): 2 times too quiet)",
        ),
        ("warning", {"file": "golden/violin.toml", "line": "20", "title": "violin: crest_db"}, "a little"),
        ("notice", {"file": "golden/violin.toml", "line": "30", "title": "violin: hnr_db"}, "better: accept it"),
    ]


def test_a_case_that_could_not_be_measured_is_an_error_and_a_new_one_a_warning():
    cases = (Case("a", "ERROR", error="a.wav: No such file"), Case("b", "WARN", error="is new"), Case("c", "PASS"))
    assert read(to_github(Suite("s", cases))) == [
        ("error", {"title": "a"}, "a.wav: No such file"),
        ("warning", {"title": "b"}, "is new"),
    ]


def test_github_shows_ten_so_the_tenth_counts_the_rest():
    checks = tuple(Check(f"metric_{index}", "FAIL", "moved") for index in range(25))
    found = read(to_github(Suite("s", (Case("a", "FAIL", checks),))))
    assert len(found) == 10
    assert found[-1] == ("error", {"title": "s"}, "16 more are in the step summary; 1 FAIL")


@given(st.lists(st.text(), min_size=4, max_size=4))
def test_no_name_breaks_out_of_its_line(words):
    name, metric, said, error = words
    cases = (Case(name, "FAIL", (Check(metric, "FAIL", said, line=3),)), Case(name, "ERROR", error=error or "x"))
    text = to_github(Suite(name, cases))
    assert len(text.split("\n")) == 3
    assert [kind for kind, _, _ in read(text)] == ["error", "error"]


def test_a_file_elsewhere_keeps_its_path(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    case = Case("a", "FAIL", (Check("x_db", "FAIL", "moved"),), golden=str(tmp_path / "g:1,.toml"))
    assert read(to_github(Suite("s", (case,))))[0][1]["file"] == str(tmp_path / "g:1,.toml")


@pytest.mark.parametrize("verdict", ["PASS"])
def test_what_passed_says_nothing(verdict):
    assert to_github(Suite("s", (Case("a", verdict, (Check("x_db", verdict, "fine"),)),))) == ""
