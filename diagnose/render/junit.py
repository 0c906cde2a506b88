"""Suite -> JUnit XML, as CI servers read it: a testsuite a case, a testcase a metric."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from diagnose.render.phrases import beside, cause_line, cause_lines, place_line, places
from diagnose.text import printable

if TYPE_CHECKING:
    from diagnose.results.cause import Cause
    from diagnose.results.suite import Case, Suite


def to_junit(suite: Suite) -> str:
    """FAIL is a failure, ERROR an error, WARN passes with its text in system-out, where a case's causes stand too."""
    root = ElementTree.Element("testsuites", name=printable(suite.name))
    for case in suite.cases:
        root.append(_case(case))
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(part.get(key, "0")) for part in root)))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(case: Case) -> ElementTree.Element:
    verdicts = [check.verdict for check in case.checks]
    element = ElementTree.Element(
        "testsuite",
        name=printable(case.id),
        tests=str(len(case.checks) + bool(case.error)),
        failures=str(verdicts.count("FAIL")),
        errors=str(verdicts.count("ERROR") + bool(case.error)),
    )
    if case.error:
        broken = ElementTree.SubElement(element, "testcase", classname=printable(case.id), name="measure")
        ElementTree.SubElement(broken, "error", message=printable(case.error))
    for check in case.checks:
        test = ElementTree.SubElement(element, "testcase", classname=printable(case.id), name=printable(check.metric))
        if check.verdict == "WARN":
            ElementTree.SubElement(test, "system-out").text = f"WARN: {printable(check.text)}"
        elif check.verdict != "PASS":
            kind = "failure" if check.verdict == "FAIL" else "error"
            ElementTree.SubElement(test, kind, message=printable(check.text))
    said = _causes(case.causes) + [f"where: {printable(place_line(place))}" for place in places(case.regions)]
    if said:
        ElementTree.SubElement(element, "system-out").text = "\n".join(said)
    return element


def _causes(causes: tuple[Cause, ...]) -> list[str]:
    """What most likely broke in lines: the first cause in full, the others in a line each."""
    lines = [
        f"{beside(cause, causes[0]) if index else 'cause'}: {printable(cause_line(cause))}"
        for index, cause in enumerate(causes)
    ]
    under = [f"{label}: {printable(text)}" for cause in causes[:1] for label, text in cause_lines(cause)]
    return lines[:1] + under + lines[1:]
