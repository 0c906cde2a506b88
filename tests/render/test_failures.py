"""The page of a gate: a line a case, and pictures and players of what failed."""

from __future__ import annotations

import re

import msgspec
import pytest

from diagnose.render import failures
from diagnose.results.suite import Case, Check, Suite

FAILED = Case("violin", "FAIL", (Check("rms_ratio", "FAIL", "1 -> 2"), Check("crest_db", "PASS", "fine")))


def test_a_failed_case_has_what_the_gate_says_places_pictures_and_players(broken):
    sections = failures.Sections()
    case = msgspec.structs.replace(FAILED, causes=broken.causes, regions=broken.regions, golden="golden/violin.toml")
    sections(case, broken)
    page = failures.to_html(Suite("strings", (case, Case("cello", "PASS"))), sections.found)
    assert page.count("<audio") == 3
    assert page.count("data:image/") >= 3
    assert "<code>rms_ratio</code></td><td>1 -&gt; 2" in page
    assert "crest_db</code></td><td>fine" not in page
    assert "golden/violin.toml" in page
    assert f'<a href="#{failures.anchor_of(case)}">violin</a>' in page
    assert "1 PASS, 1 FAIL" in page
    assert 'class="box"' in page


def test_two_cases_share_no_id(broken):
    sections = failures.Sections()
    cases = [msgspec.structs.replace(FAILED, id=name) for name in ("a b", "a-b", "a.b")]
    for case in cases:
        sections(case, broken)
    page = failures.to_html(Suite("s", tuple(cases)), sections.found)
    ids = re.findall(r'id="([^"]*)"', page)
    assert len(ids) == len(set(ids)) > 6
    for link in re.findall(r'(?:href="#|url\(#)([^")]*)', page):
        assert link in ids


def test_what_passed_makes_no_section(broken):
    sections = failures.Sections()
    sections(Case("violin", "PASS"), broken)
    assert sections.found == {}
    page = failures.to_html(Suite("s", (Case("violin", "PASS"),)), {})
    assert "<audio" not in page
    assert ">PASS</span> s: 1 PASS" in page


def test_a_page_ends_at_its_size_and_says_how_many_are_left_out(broken, monkeypatch):
    monkeypatch.setattr(failures, "MOST_BYTES", 1000)
    sections = failures.Sections()
    cases = [msgspec.structs.replace(FAILED, id=f"case-{index}") for index in range(4)]
    for case in cases:
        sections(case, broken)
    assert list(sections.found) == ["case-0"]
    assert "3 more failed" in failures.to_html(Suite("s", tuple(cases)), sections.found)


def test_a_hostile_name_is_text(broken):
    name = "<img src=x onerror=alert(1)>\x1b[31m"
    case = Case(name, "FAIL", (Check(name, "FAIL", name),), golden=name)
    sections = failures.Sections()
    sections(case, broken)
    page = failures.to_html(Suite(name, (case,)), sections.found)
    assert "<img" not in page
    assert "\x1b" not in page


@pytest.mark.parametrize("verdict", ["FAIL", "ERROR"])
def test_a_case_that_could_not_be_measured_is_a_line(verdict):
    page = failures.to_html(Suite("s", (Case("lost", verdict, error="lost.wav: No such file"),)), {})
    assert "lost.wav: No such file" in page
    assert "more failed" not in page
