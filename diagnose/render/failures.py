"""The page of a gate: one line per case, and below it the failed cases with pictures and players."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.render.html import pair_context
from diagnose.render.page import pair_environment
from diagnose.render.phrases import case_line, suite_line
from diagnose.text import printable
from diagnose.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.results.report import Report
    from diagnose.results.suite import Case, Suite

MOST_BYTES = 20_000_000  # of sections: a browser opens them at once, and a CI's artifact is kept for weeks


class Sections:
    """The sections of the cases that failed, made one by one as a check goes on, up to MOST_BYTES of them."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self.size = 0

    def __call__(self, case: Case, report: Report) -> None:
        if case.verdict not in ("FAIL", "ERROR") or self.size >= MOST_BYTES:
            return
        self.found[case.id] = section(case, report)
        self.size += len(self.found[case.id])


def section(case: Case, report: Report) -> str:
    """One failed case: what the gate holds against it, what most likely broke, where, pictures and players."""
    template = pair_environment().get_template("failed_case.html")
    anchor = anchor_of(case)
    return template.render(pair_context(report, f"{anchor}-", 3), case=case, anchor=anchor)


def anchor_of(case: Case) -> str:
    """An id for HTML that two cases do not share and that says nothing in it."""
    return "case-" + case.id.encode("utf-8", "surrogateescape").hex()


def to_html(suite: Suite, sections: Mapping[str, str]) -> str:
    """The page of a gate; sections by case id."""
    rows = [
        {"case": case, "text": printable(case_line(case)), "anchor": anchor_of(case) if case.id in sections else None}
        for case in suite.cases
    ]
    failed = [case for case in suite.cases if case.checks and case.verdict in ("FAIL", "ERROR")]
    return (
        pair_environment()
        .get_template("gate.html")
        .render(
            suite=suite,
            counts=suite_line(suite),
            rows=rows,
            sections=[sections[case.id] for case in suite.cases if case.id in sections],
            left_out=sum(case.id not in sections for case in failed),
            megabytes=MOST_BYTES // 1_000_000,
            tool_version=VERSION,
        )
    )
