"""A call of the fixture: its arguments and those of the markers, its golden, and the text of a failure."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from diagnose.errors import InputError
from diagnose.pytest_plugin.unused import folder_below, golden_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.audio import Source
    from diagnose.pytest_plugin.golden_check import Held
    from diagnose.pytest_plugin.session import Watch
    from diagnose.results.limit import Profile
    from diagnose.results.report import Report

MARKED = ("reference", "case", "profile", "dir", "limits")
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # what a suite takes for a case's id
KEPT = 60  # characters of a name that is not plain, before its digest


@dataclass(frozen=True)
class Asked:
    """One call with its defaults filled in.

    folder: of the test file, where relative references and profiles lie; golden: its file; shown: that file as a
    reader in the folder where pytest was started would name it; page: whether a section of the page is wanted.
    """

    generated: Source
    rate: int | None
    reference: Source
    case: str
    title: str
    folder: str
    golden: str
    shown: str
    profile: str | os.PathLike[str] | Profile | None
    limits: Mapping[str, Any]
    update: bool
    page: bool


class AudioGolden:
    """What the fixture `audio_golden` gives a test; for its annotations.  One a test: it knows the cases it had."""

    def __init__(self, item: pytest.Item, watch: Watch, test_file: str) -> None:
        self._item = item
        self._watch = watch
        self._file = test_file
        self._use = watch.begin(item)
        self._cases: list[str] = []
        self._marked = marked(item)
        try:
            self._folder = golden_folder(test_file, folder_below(self._marked.get("dir", watch.scope.folder), "dir"))
        except InputError as error:
            pytest.fail(f"marker audio_golden: {error}", pytrace=False)

    def __call__(
        self,
        generated: Source,
        rate: int | None = None,
        *,
        reference: Source | None = None,
        case: str | None = None,
        profile: str | os.PathLike[str] | Profile | None = None,
    ) -> Report:
        """The pair's report, where its figures hold the golden's; fails the test where they do not.

        The report's own verdict is the profile's, not the golden's: a pair may be recorded with all its faults.
        """
        __tracebackhide__ = True
        from diagnose.pytest_plugin.golden_check import hold

        self._use.enough = case is None and not self._cases  # the only call of the test, most likely
        name, golden = self._claimed(case)
        reference = self._marked.get("reference") if reference is None else reference
        if reference is None:
            how = "give reference= in the call, or @pytest.mark.audio_golden(reference=...)"
            pytest.fail(f"audio_golden: no reference for {name}; {how}", pytrace=False)
        asked = Asked(
            generated=generated,
            rate=rate,
            reference=reference,
            case=name,
            title=self._use.node if case is None else f"{self._use.node}: {name}",
            folder=os.path.dirname(self._file),
            golden=golden,
            shown=self._watch.shown(golden),
            profile=self._marked.get("profile") if profile is None else profile,
            limits=self._marked.get("limits") or {},
            update=self._watch.update,
            page=self._watch.wants_section,
        )
        held = hold(asked)
        self._watch.saw(asked, held)
        if held.wrote:
            self._use.wrote.append(golden)
        self._use.notes += [f"{asked.title}: {note}" for note in held.notes]
        self._item.user_properties.append(("audio_golden", held.summary))
        if held.wrote or held.case.verdict in ("FAIL", "ERROR") or held.report is None:
            pytest.fail(self._text(asked, held), pytrace=False)
        self._use.enough = False
        return held.report

    def _claimed(self, case: str | None) -> tuple[str, str]:
        """The case's name and its golden's file, which is this test's alone."""
        if case is None and self._cases:
            pytest.fail("audio_golden: called again without a case; give each call its own case=", pytrace=False)
        name = case if case is not None else self._marked.get("case") or default_case(self._use.node)
        if not isinstance(name, str) or not name:
            pytest.fail(f"audio_golden: case={name!r}: expected a name", pytrace=False)
        golden = os.path.join(self._folder, file_name(name) + ".toml")
        if name in self._cases:
            pytest.fail(f"audio_golden: case {name!r} is used twice in one test; give each call its own", pytrace=False)
        other = self._watch.claim(golden, self._use.node)
        if other is not None:
            how = "give each test its own, or omit case=: the default is the name of the test"
            pytest.fail(f"audio_golden: case {name!r} is also used by {other}; {how}", pytrace=False)
        self._cases.append(name)
        self._use.used.append(golden)
        return name, golden

    def _text(self, asked: Asked, held: Held) -> str:
        """The case as `diagnose check` shows it, the golden, and what to do."""
        from diagnose.text import printable

        node = self._use.node.partition("::")[2]
        again = shlex.join(["pytest", "--audio-golden-update", f"{self._watch.shown(self._file)}::{node}"])
        lines = held.lines
        if held.wrote:
            lines = [f"wrote {asked.shown}: {held.wrote[0]}", *(f"  {line}" for line in held.wrote[1:])]
            lines.append("review it; an update never passes: run again without --audio-golden-update")
            if held.case.verdict != "PASS":
                lines += ["an update does not change the limits of the marker:", *held.lines]
        elif held.missing:
            lines = [*lines, f"to write it: {again}"]
        elif held.can_update:
            lines = [*lines, f"golden   {asked.shown}", f"if the new sound is right: {again}"]
        return "\n".join(printable(line) for line in lines)


def marked(item: pytest.Item) -> dict[str, Any]:
    """The defaults that the test's markers give, the closest one first; fails the test for one that is not known."""
    found: dict[str, Any] = {}
    for mark in item.iter_markers("audio_golden"):
        if mark.args:
            _refuse(f"takes keyword arguments only ({', '.join(MARKED)}), not {mark.args[0]!r}")
        for name, value in mark.kwargs.items():
            if name not in MARKED:
                _refuse(f"no such keyword {name!r}; use {', '.join(MARKED)}")
            found.setdefault(name, value)
    return found


def _refuse(said: str) -> NoReturn:
    pytest.fail(f"marker audio_golden: {said}", pytrace=False)


def default_case(node: str) -> str:
    """A test's id as the name of its case: "test_a.py::TestB::test_c[1-x]" -> "TestB.test_c-1-x"."""
    head, bracket, parameters = node.partition("::")[2].partition("[")
    head = head.replace("::", ".")
    return f"{head}-{parameters.removesuffix(']')}" if bracket else head


def file_name(case: str) -> str:
    """A case's name as that of a file; one that holds more than letters, digits and . _ - ends with its digest.

    "a/b" -> "a-b-c14cddc0", so that it is another file than that of "a-b" or "a b".
    """
    if PLAIN.fullmatch(case):
        return case
    digest = hashlib.sha256(case.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', case).strip('._-')[:KEPT]}-{digest}".lstrip("-")
