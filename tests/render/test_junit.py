from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from diagnose.render.junit import to_junit
from diagnose.render.phrases import as_suite, place_line, places
from diagnose.results.suite import Case, Check, Suite
from diagnose.text import printable


def parsed(suite):
    return ElementTree.fromstring(to_junit(suite).encode("utf-8"))


def test_every_verdict_is_what_a_ci_server_reads(suite):
    root = parsed(suite)
    assert (root.tag, root.get("name")) == ("testsuites", "strings")
    violin, cello = root
    tests = {test.get("name"): [child.tag for child in test] for test in violin}
    assert tests == {"pass_db": [], "warn_db": ["system-out"], "fail_db": ["failure"], "error_db": ["error"]}
    assert {test.get("classname") for test in violin} == {"violin"}
    assert violin.find("testcase/failure").get("message") == "says FAIL"
    assert violin.find("testcase/error").get("message") == "says ERROR"
    assert violin.find("testcase/system-out").text == "WARN: says WARN"
    assert [test.get("name") for test in cello] == ["measure"]
    assert cello.find("testcase/error").get("message") == "cello.wav: no such file"


def test_the_counts_are_those_of_the_elements(suite):
    assert_counts(parsed(suite))
    root = parsed(suite)
    assert [root.get(key) for key in ("tests", "failures", "errors")] == ["5", "1", "2"]


def test_a_real_report_counts_right(broken, same):
    for report in (broken, same):
        root = parsed(as_suite(report))
        assert_counts(root)
        verdicts = [row.verdict for row in report.metrics]
        assert int(root.get("failures")) == verdicts.count("FAIL")
        assert int(root.get("tests")) == len([verdict for verdict in verdicts if verdict])
        assert root.get("errors") == "0"


def test_the_causes_of_a_case_stand_behind_its_tests(explained):
    (element,) = parsed(as_suite(explained))
    assert element[-1].tag == "system-out"
    said = element[-1].text.splitlines()
    assert said[:8] == [
        "cause: vocoder-input-scale (95 %): the vocoder was fed linear mel values",
        "evidence: 98 % of the sound is a hum",
        "evidence: the log-mel spread is 4.2 nats",
        "follows: dc-offset: 74 % of the power is DC",
        "follows: gain: 4.1 times too loud",
        "fix: feed ln(clamp(mel, 1e-5))",
        "or: noise (8 %): broadband noise",
        "or: mel-range (3 %): the mel filterbank ends elsewhere",
    ]
    assert said[8:] == [f"where: {place_line(place)}" for place in places(explained.regions)]
    assert len(said) > 8
    assert_counts(parsed(as_suite(explained)))


def test_a_hostile_cause_is_text(hostile, hostile_causes):
    (element,) = parsed(Suite("suite", (Case("case", "FAIL", causes=hostile_causes),)))
    assert f"fix: {printable(hostile)}" in element.find("system-out").text.split("\n")
    assert element.find("system-out").text.count("\n") == 5


def test_an_empty_suite_has_no_tests():
    root = parsed(Suite("empty", ()))
    assert [root.get(key) for key in ("tests", "failures", "errors")] == ["0", "0", "0"]
    assert len(root) == 0


def assert_counts(root):
    """Each level's numbers are what a reader would count."""
    for element in [root, *root.findall("testsuite")]:
        tests = list(element.iter("testcase"))
        assert int(element.get("tests")) == len(tests)
        assert int(element.get("failures")) == len([test for test in tests if test.find("failure") is not None])
        assert int(element.get("errors")) == len([test for test in tests if test.find("error") is not None])


def test_hostile_text_is_text(hostile_suite):
    assert_text(hostile_suite)


@given(st.text(st.characters(), min_size=1, max_size=30))
def test_any_text_is_text(text):
    assert_text(Suite(text, (Case(text, "FAIL", (Check("x_db", "FAIL", text), Check("y_db", "WARN", text)), text),)))


def assert_text(suite):
    root = parsed(suite)
    (case,) = suite.cases
    (element,) = root
    assert root.get("name") == printable(suite.name)
    assert element.get("name") == printable(case.id)
    assert [test.get("classname") for test in element] == [printable(case.id)] * len(element)
    assert [test.get("name") for test in element] == ["measure", *(printable(check.metric) for check in case.checks)]
    assert element[0].find("error").get("message") == printable(case.error)
    assert element[1].find("failure").get("message") == printable(case.checks[0].text)
