from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from diagnose.render.markdown import to_markdown
from diagnose.render.phrases import as_suite, place_line, places
from diagnose.results.suite import Case, Check, Suite
from diagnose.text import printable

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
EXPECTED = {"h2", "ul", "li", "strong", "p", "table", "thead", "tbody", "tr", "th", "td", "code"}


class Page(HTMLParser):
    """Tags, and the text of each cell and list item."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.texts, self.inside = [], {"h2": [], "li": [], "td": []}, []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        assert not attributes, (tag, attributes)
        if tag in self.texts:
            self.inside.append(tag)
            self.texts[tag].append("")

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data):
        if self.inside:
            self.texts[self.inside[-1]][-1] += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")


def page(text):
    """The Markdown as a server shows it, by an independent parser that lets HTML through."""
    shown = Page()
    shown.feed(MARKDOWN.render(text))
    return shown


def test_a_suite_says_its_verdict_first_then_a_line_a_case_then_a_table(suite):
    shown = page(to_markdown(suite))
    assert shown.texts["h2"] == ["❌ FAIL: strings"]
    assert shown.texts["li"][0].strip() == "❌ violin: FAIL, 4 metrics judged, 3 not passed"
    assert "❗ cello: ERROR" in shown.texts["li"][1]
    assert shown.texts["li"][2].strip() == "cello.wav: no such file"
    cells = shown.texts["td"]
    rows = [cells[index : index + 4] for index in range(0, len(cells), 4)]
    assert rows == [
        ["⚠️", "violin", "warn_db", "says WARN"],
        ["❌", "violin", "fail_db", "says FAIL"],
        ["❗", "violin", "error_db", "says ERROR"],
    ]


def test_what_passed_needs_no_table():
    text = to_markdown(Suite("s", (Case("a", "PASS", (Check("x_db", "PASS", "fine"),)),)))
    assert text == "## ✅ PASS: s\n\n- ✅ **a**: PASS, 1 metrics judged, all passed\n"


def test_a_real_report_has_a_row_for_all_that_did_not_pass(broken):
    shown = page(to_markdown(as_suite(broken)))
    over = [row.name for row in broken.worst_first if row.verdict != "PASS"]
    assert shown.texts["td"][2::4] == over
    assert set(shown.tags) <= EXPECTED


def test_the_causes_of_a_case_are_a_list_under_it(explained):
    shown = page(to_markdown(as_suite(explained)))
    listed = [text.split("\n")[0].strip() for text in shown.texts["li"]][1:]
    assert listed[:8] == [
        "vocoder-input-scale (95 %): the vocoder was fed linear mel values",
        "evidence: 98 % of the sound is a hum",
        "evidence: the log-mel spread is 4.2 nats",
        "follows: dc-offset: 74 % of the power is DC",
        "follows: gain: 4.1 times too loud",
        "fix: feed ln(clamp(mel, 1e-5))",
        "noise (8 %): broadband noise",
        "mel-range (3 %): the mel filterbank ends elsewhere",
    ]
    assert listed[8:] == [f"where: {place_line(place)}" for place in places(explained.regions)[:5]]
    assert set(shown.tags) <= EXPECTED


def test_a_hostile_cause_is_neither_markdown_nor_html(hostile, hostile_causes):
    shown = page(to_markdown(Suite("suite", (Case("case", "FAIL", causes=hostile_causes),))))
    assert set(shown.tags) <= EXPECTED
    assert shown.tags.count("li") == 7
    assert squeezed(shown.texts["li"][-2]) == squeezed("fix:" + printable(hostile))


def test_hostile_text_is_neither_markdown_nor_html(hostile_suite):
    assert_text(hostile_suite)


@given(st.text(st.characters(), min_size=1, max_size=30))
@example("a\\")
@example("![x](y)")
@example("<b>")
@example("``|``")
def test_any_text_is_neither_markdown_nor_html(text):
    assert_text(Suite(text, (Case(text, "FAIL", (Check("x_db", "FAIL", text),), text),)))


def assert_text(suite):
    (case,) = suite.cases
    (check,) = case.checks
    shown = page(to_markdown(suite))
    assert set(shown.tags) <= EXPECTED
    assert shown.tags.count("td") == 4
    wanted = [squeezed(printable(text)) for text in (case.id, check.metric, check.text)]
    assert [squeezed(cell) for cell in shown.texts["td"]][1:] == wanted
    assert squeezed(shown.texts["h2"][0]) == squeezed("❌FAIL:" + printable(suite.name))
    assert squeezed(shown.texts["li"][-1]) == squeezed(printable(case.error))


def squeezed(text):
    """Without spaces, which Markdown may fold."""
    return re.sub(r"\s+", "", text)


@pytest.mark.slow
@pytest.mark.parametrize("checks", [10, 20_000])
def test_a_huge_suite_stays_under_one_megabyte_and_says_what_is_missing(checks):
    many = tuple(Check(f"band_{index}_db", "FAIL", "é|" * 30) for index in range(checks))
    text = to_markdown(Suite("huge", (Case("a", "FAIL", many), Case("b", "PASS"))))
    assert len(text.encode()) <= 2**20
    rows = text.count("| ❌ | a |")
    left_out = re.search(r"\n\n(\d+) more lines were skipped", text)
    assert rows + (int(left_out[1]) if left_out else 0) == checks
    assert bool(left_out) == (checks > 10_000)
    assert "- ✅ **b**: PASS" in text
    assert text.endswith("\n")


@pytest.mark.slow
def test_many_cases_stay_under_one_megabyte_too():
    text = to_markdown(Suite("huge", tuple(Case(f"case-{index}", "PASS") for index in range(60_000))))
    assert len(text.encode()) <= 2**20
    assert text.startswith("## ✅ PASS: huge\n")
