"""Suite -> GitHub's workflow commands: an annotation at the golden's line for each check that did not pass."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from diagnose.render.phrases import cause_line, suite_line
from diagnose.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.results.suite import Case, Check, Suite

KINDS = {"FAIL": "error", "ERROR": "error", "WARN": "warning"}
MOST = 10  # of a kind that GitHub shows for a step


def to_github(suite: Suite) -> str:
    """`::error file=F,line=N,title=T::text` a line, at most 10 of a kind, as many as GitHub shows.

    The last error counts those that are left out.  What is better than recorded is a `::notice`.  Values are escaped
    as GitHub's toolkit does it (docs.github.com, "Workflow commands for GitHub Actions").
    """
    lines: dict[str, list[str]] = {"error": [], "warning": [], "notice": []}
    for case in suite.cases:
        for kind, line in _annotations(case):
            lines[kind].append(line)
    for kind, found in lines.items():
        if len(found) > MOST:
            left = len(found) - MOST + 1
            said = f"{left} more are in the step summary; {suite_line(suite)}"
            lines[kind] = [*found[: MOST - 1], _command(kind, None, None, suite.name, said)]
    return "".join(line + "\n" for found in lines.values() for line in found)


def _annotations(case: Case) -> Iterator[tuple[str, str]]:
    if case.error:
        kind = KINDS.get(case.verdict, "error")
        yield kind, _command(kind, case.golden, None, case.id, case.error)
    cause = f" (cause: {cause_line(case.causes[0])})" if case.causes else ""
    for check in case.checks:
        kind = "notice" if check.better else KINDS.get(check.verdict, "")
        if kind:
            yield kind, _of_check(kind, case, check, cause if kind == "error" else "")


def _of_check(kind: str, case: Case, check: Check, cause: str) -> str:
    return _command(kind, case.golden, check.line, f"{case.id}: {check.metric}", check.text + cause)


def _command(kind: str, file: str | None, line: int | None, title: str, text: str) -> str:
    properties = [
        f"{name}={_escaped(str(value), property=True)}"
        for name, value in (("file", _from_here(file)), ("line", line), ("title", title))
        if value is not None
    ]
    return f"::{kind} {','.join(properties)}::{_escaped(text)}"


def _from_here(file: str | None) -> str | None:
    """A path as GitHub wants it: from the folder that the checkout is in, where the file lies below it."""
    if file is None:
        return None
    below = os.path.relpath(file)
    return file if below.startswith(os.pardir) else below.replace(os.sep, "/")


def _escaped(text: str, property: bool = False) -> str:  # noqa: A002 - GitHub's word
    shown = printable(text).replace("%", "%25")
    return shown.replace(":", "%3A").replace(",", "%2C") if property else shown
