"""The page of a session: each process writes its cases to a directory, one process joins them."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import msgspec

from diagnose.files import write_whole
from diagnose.render.failures import MOST_BYTES, to_html
from diagnose.results.suite import Case, Check, Suite
from diagnose.results.verdict import RANK, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from diagnose.pytest_plugin.golden_check import Held

NAME = "audio-golden.html"


class Part(msgspec.Struct, frozen=True):
    """A row of the page, and where the case failed, its section."""

    id: str
    verdict: Verdict
    checks: tuple[Check, ...]
    error: str | None
    golden: str | None
    section: str | None


def keep(folder: str, title: str, held: Held) -> int:
    """Leave a case in the folder; the size of its section.  A test that runs again replaces what it left."""
    case = held.case
    name = ascii(title)[1:-1]  # JSON holds no undecodable characters
    error = f"wrote {case.golden}: {held.wrote[0]}; review it" if held.wrote else case.error
    verdict: Verdict = "FAIL" if held.wrote else case.verdict
    checks = tuple(Check(check.metric, check.verdict, check.text) for check in case.checks)
    part = Part(name, verdict, checks, error, case.golden, held.section)
    file = f"{os.getpid()}-{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"
    write_whole(os.path.join(folder, file), msgspec.json.encode(part))
    return len(held.section or "")


def write_page(folder: str, parts: str, unused: Sequence[str]) -> None:
    """Join what lies in parts into folder/audio-golden.html; unused: goldens that no test used."""
    cases: dict[str, Case] = {}
    sections: dict[str, str] = {}
    size = 0
    for part in _worst_last(_read(parts)):
        cases[part.id] = Case(part.id, part.verdict, part.checks, error=part.error, golden=part.golden)
        if part.section is not None and size < MOST_BYTES:
            sections[part.id] = part.section
            size += len(part.section)
    for golden in unused:
        said = "no test used this golden; delete it, or restore its test"
        cases[golden] = Case(golden, "FAIL", error=said, golden=golden)
    suite = Suite("audio goldens", tuple(cases[name] for name in sorted(cases)))
    write_whole(os.path.join(folder, NAME), to_html(suite, sections).encode("utf-8", "backslashreplace"))


def _read(parts: str) -> Iterator[Part]:
    for name in sorted(os.listdir(parts)):
        if name.endswith(".json"):  # and not what a worker that was killed had begun
            with open(os.path.join(parts, name), "rb") as file:
                yield msgspec.json.decode(file.read(), type=Part)


def _worst_last(parts: Iterable[Part]) -> list[Part]:
    """Of two workers that ran one test (--dist each) the one that failed is shown."""
    return sorted(parts, key=lambda part: (part.id, RANK[part.verdict]))
