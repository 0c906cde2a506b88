"""Find unused goldens.  Only test files whose tests all ran are checked."""

from __future__ import annotations

import fnmatch
import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from diagnose.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

SCHEMA_BEGINS = b"diagnose.golden/"
MOST_SHOWN = 3


@dataclass
class Use:
    """One test, by its node id: the goldens it used, notes for the summary, the goldens it wrote.

    enough: it failed where it used its golden and is not known to have another, so a failure hides none.
    """

    node: str
    used: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    wrote: list[str] = field(default_factory=list)
    enough: bool = False

    def sent(self) -> str:
        """As ASCII, which any channel between processes carries."""
        return json.dumps(asdict(self))


@dataclass
class Record:
    """What a session saw.  Under xdist each worker collects everything and runs a part; the controller has it all.

    tests: node ids of those that may use a golden, by test file; broken: files of which a part was not collected;
    ended: "passed", "failed" or "skipped" by node id; used: node ids by golden; wrote: goldens, by whatever try.
    """

    tests: dict[str, list[str]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)
    used: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    wrote: list[str] = field(default_factory=list)

    def collected(self) -> str:
        """What a worker collected, for merge()."""
        return json.dumps([self.tests, self.broken])

    def merge(self, collected: str) -> None:
        tests, broken = json.loads(collected)
        for file, nodes in tests.items():
            known = self.tests.setdefault(file, [])
            known += [node for node in nodes if node not in set(known)]
        self.broken += broken

    def ran(self, use: Use, outcome: str) -> None:
        """One phase or subtest of a test ended; the worst outcome stays, and that of a test that runs again is none."""
        if use.enough:
            outcome = "passed"
        if self.ended.get(use.node, "passed") == "passed":
            self.ended[use.node] = outcome
        for golden in use.used:
            nodes = self.used.setdefault(golden, [])
            nodes += [use.node] if use.node not in nodes else []
        self.notes += [note for note in use.notes if note not in self.notes]


@dataclass(frozen=True)
class Scope:
    """What of the files a session looked at.

    folder: the ini option audio_golden_dir; patterns: pytest's python_files; named: files of which the command line
    names single tests; nothing: why no file is known whole, where that is so.
    """

    folder: str
    patterns: tuple[str, ...]
    named: frozenset[str] = frozenset()
    nothing: str | None = None


@dataclass(frozen=True)
class Judged:
    """unused: goldens; shared: a golden and the tests that used it; unknown: why, by test file; doubtful: goldens."""

    unused: tuple[str, ...] = ()
    shared: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()
    doubtful: int = 0


def scope_of(config: pytest.Config) -> Scope:
    """Raises InputError for an option audio_golden_dir that is no folder below the test file's."""
    named = set()
    nothing = "--last-failed" if config.getoption("lf", default=False) else None
    for argument in config.args:
        path, separator, _ = str(argument).partition("::")
        if separator:
            file = os.path.join(config.invocation_params.dir, path)
            named.add(os.path.realpath(file))
            if not os.path.exists(file):  # --pyargs: a module's name
                nothing = "tests named by node id"
    folder = folder_below(config.getini("audio_golden_dir"), "audio_golden_dir")
    return Scope(folder, tuple(config.getini("python_files")), frozenset(named), nothing)


def folder_below(folder: Any, what: str) -> str:
    """A folder below the test file's own, where no other test file's goldens can be."""
    if not isinstance(folder, str | os.PathLike) or not os.fspath(folder):
        raise InputError(f"{what}: {folder!r}: expected a directory name")
    name = os.path.normpath(os.fspath(folder))
    if os.path.isabs(name) or name.split(os.sep)[0] == os.pardir:
        raise InputError(f"{what}: {name} is not below the test file's directory; give a relative path like 'golden'")
    return name


def golden_folder(test_file: str, folder: str) -> str:
    """tests/test_a.py, golden -> tests/golden/test_a."""
    stem = os.path.splitext(os.path.basename(test_file))[0]
    return os.path.join(os.path.dirname(test_file), folder, stem)


def judge(record: Record, scope: Scope) -> Judged:
    """What no test used, of the test files that are known whole; and what two tests used."""
    why = {file: _not_whole(file, record, scope) for file in record.tests}
    unused: list[str] = []
    doubtful: dict[str, int] = {}
    for folder, file in _folders(record, scope).items():
        left = [golden for golden in goldens_in(folder) if golden not in record.used]
        if left and why[file]:
            doubtful[file] = doubtful.get(file, 0) + len(left)
        else:
            unused += left
    unused += _orphans({os.path.dirname(file) for file, reason in why.items() if not reason}, scope)
    return Judged(
        unused=tuple(sorted(unused)),
        shared=tuple((golden, tuple(nodes)) for golden, nodes in sorted(record.used.items()) if len(nodes) > 1),
        unknown=tuple((file, why[file] or "") for file in sorted(doubtful)),
        doubtful=sum(doubtful.values()),
    )


def _folders(record: Record, scope: Scope) -> dict[str, str]:
    """The test file of each folder of goldens: where the option has it, and where a marker's dir had it."""
    folders = {golden_folder(file, scope.folder): file for file in record.tests}
    files = {node: file for file, nodes in record.tests.items() for node in nodes}
    for golden, nodes in record.used.items():
        if nodes[0] in files:
            folders[os.path.dirname(golden)] = files[nodes[0]]
    return folders


def _not_whole(file: str, record: Record, scope: Scope) -> str | None:
    """Why a test of a file may have a golden that this session did not see it use."""
    if scope.nothing:
        return scope.nothing
    if os.path.realpath(file) in scope.named:
        return "named by node id"
    if file in record.broken:
        return "collection failed"
    ends = [record.ended.get(node, "not run") for node in record.tests[file]]
    missed = [f"{ends.count(end)} {end}" for end in ("not run", "skipped", "failed") if end in ends]
    return ", ".join(missed) or None


def goldens_in(folder: str) -> Iterator[str]:
    """The files of a folder that are goldens, by name."""
    if not os.path.isdir(folder):
        return
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.endswith(".toml") and os.path.isfile(path):
            with open(path, "rb") as file:
                if SCHEMA_BEGINS in file.read(200):
                    yield path


def _orphans(whole: set[str], scope: Scope) -> Iterator[str]:
    """Goldens of test files that are not there any more; whole: folders of which a test file is known whole."""
    for folder in whole:
        place = os.path.join(folder, scope.folder)
        for name in os.listdir(place) if os.path.isdir(place) else ():
            file = f"{name}.py"
            ours = any(fnmatch.fnmatch(file, pattern) for pattern in scope.patterns)
            if ours and not os.path.exists(os.path.join(folder, file)):
                yield from goldens_in(os.path.join(place, name))


def unknown_line(judged: Judged, shown: dict[str, str]) -> str:
    """How many test files were not judged, and why; shown: their names by path."""
    files = [f"{shown[file]}: {why}" for file, why in judged.unknown[:MOST_SHOWN]]
    more = len(judged.unknown) - len(files)
    count = len(judged.unknown)
    said = "; ".join(files + ([f"and {more} more"] if more else []))
    goldens = f"{judged.doubtful} golden{'s' if judged.doubtful != 1 else ''}"
    return f"{count} test file{'s' if count != 1 else ''} not checked for unused goldens, {goldens} unused ({said})"
