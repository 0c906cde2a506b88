"""Suite -> Markdown for a CI step summary: verdicts first, then what did not pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diagnose.render.phrases import cause_lines, ledger, likelihood, place_line, places, repair_lines
from diagnose.text import printable

if TYPE_CHECKING:
    from diagnose.results.cause import Cause
    from diagnose.results.suite import Suite

MOST_PLACES = 5
MOST_BYTES = 1_000_000  # GitHub drops a step summary over 1 MiB
SIGNS = {"PASS": "✅", "WARN": "⚠️", "FAIL": "❌", "ERROR": "❗"}


def to_markdown(suite: Suite) -> str:
    """A heading with the verdict, a line a case, and a table of everything that did not pass, at most 1 MB."""
    lines = [f"## {SIGNS[suite.verdict]} {suite.verdict}: {_text(suite.name)}", ""]
    for case in suite.cases:
        failed = [check for check in case.checks if check.verdict != "PASS"]
        lines.append(
            f"- {SIGNS[case.verdict]} **{_text(case.id)}**: {case.verdict}, {_count(len(case.checks), len(failed))}"
        )
        if case.error:
            lines.append(f"  - {_text(case.error)}")
        lines += _causes(case.causes)
        lines += [f"  - {label}: {_text(text)}" for label, text in (repair_lines(case.repair) if case.repair else ())]
        lines += [f"  - where: {_text(place_line(place))}" for place in places(case.regions)[:MOST_PLACES]]
    rows = [(case, check) for case in suite.cases for check in case.checks if check.verdict != "PASS"]
    if rows:
        lines += ["", "| | case | metric | what it says |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {SIGNS[check.verdict]} | {_text(case.id)} | {_text(check.metric)} | {_text(check.text)} |"
            for case, check in rows
        ]
    return _cut(lines)


def _causes(causes: tuple[Cause, ...]) -> list[str]:
    """A list under the case's: the first cause with what belongs to it, the others in a line each."""
    lines = [f"  - **{_text(cause.id)}** ({likelihood(cause)}): {_text(cause.summary)}" for cause in causes]
    under = [f"    - {label}: {_text(text)}" for cause in causes[:1] for label, text in cause_lines(cause)]
    steps = [f"  - explained: {_text(line)}" for line in ledger(causes)]
    return lines[:1] + under + lines[1:] + steps


def _count(all_checks: int, failed: int) -> str:
    return f"{all_checks} metrics judged, {failed} not passed" if failed else f"{all_checks} metrics judged, all passed"


def _text(text: str) -> str:
    """Text that is neither Markdown nor HTML."""
    return re.sub(r"([\\`*_{}\[\]<>()#|~&!+.-])", r"\\\1", printable(text))


def _cut(lines: list[str]) -> str:
    size = 0
    for index, line in enumerate(lines):
        size += len(line.encode("utf-8", "replace")) + 1
        if size > MOST_BYTES:
            return (
                "\n".join(lines[:index])
                + f"\n\n{len(lines) - index} more lines were skipped: the limit of a step summary is 1 MiB.\n"
            )
    return "\n".join(lines) + "\n"
