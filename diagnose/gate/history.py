"""The history of a suite: one file per check, with what it measured, commit, time, host and version."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from diagnose import git
from diagnose.errors import InputError, NotComparable
from diagnose.files import write_new
from diagnose.metrics import METRICS
from diagnose.results.history import SHORT, CaseFigures, Figure, Run
from diagnose.version import VERSION

if TYPE_CHECKING:
    from diagnose.results.suite import Case, Suite

SCHEMA = "diagnose.history/1"
LARGEST_FILE = 8_000_000


def keep(folder: str | os.PathLike[str], suite: Suite, repository: str | os.PathLike[str]) -> str:
    """Write a check's figures to a new file in folder, and return its path.

    repository: a folder whose commit is the one that was checked.  The name holds time, commit and 64 random bits and
    is never one that is there, so any number of processes can keep their runs at once.
    """
    time = datetime.now(UTC)
    commit = git.ask(repository, "rev-parse", "HEAD")
    changes = git.ask(repository, "status", "--porcelain", "--untracked-files=no")
    run = Run(
        schema=SCHEMA,
        time=time.isoformat(timespec="microseconds"),
        commit=commit,
        dirty=None if commit is None or changes is None else bool(changes),
        branch=git.branch(repository),
        host=platform.node() or "unknown",
        tool_version=VERSION,
        suite=suite.name,
        verdict=suite.verdict,
        cases={case.id: _kept(case) for case in suite.cases},
    )
    name = f"{time:%Y%m%dT%H%M%S.%fZ}-{(commit or 'none')[:SHORT]}-{os.urandom(8).hex()}.json"
    path = os.path.join(folder, name)
    write_new(path, msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n")
    return path


def _kept(case: Case) -> CaseFigures:
    checks = [check for check in case.checks if check.metric in METRICS]
    return CaseFigures(
        case.verdict, {one.metric: Figure(one.verdict, _plain(one.change), _plain(one.tolerance)) for one in checks}
    )


def _plain(value: float | None) -> float | None:
    """A measured value may be one of numpy's floats."""
    return None if value is None else float(value)


def load(folder: str | os.PathLike[str]) -> tuple[list[Run], list[str]]:
    """(the runs in a folder, oldest first; a line for each file that holds none).

    Raises InputError where there is no such folder, NotComparable where it holds no run.
    """
    place = os.fspath(folder)
    try:
        names = sorted(name for name in os.listdir(place) if name.endswith(".json"))
    except OSError as error:
        raise InputError(f"{place}: no history ({error.strerror}); `diagnose check --history DIR` writes it") from None
    runs, skipped = [], []
    for name in names:
        try:
            runs.append(_read(os.path.join(place, name)))
        except InputError as error:
            skipped.append(str(error))
    if not runs:
        raise NotComparable(f"{place}: contains no runs; `diagnose check --history DIR` writes them")
    return sorted(runs, key=lambda run: run.time), skipped


def _read(path: str) -> Run:
    try:
        if not os.path.isfile(path):  # a pipe would be waited for
            raise InputError(f"{path}: is not a regular file; skipped")
        if os.path.getsize(path) > LARGEST_FILE:
            raise InputError(f"{path}: larger than {LARGEST_FILE // 10**6} MB, not a run of `diagnose check`; skipped")
        with open(path, "rb") as file:
            run = msgspec.json.decode(file.read(LARGEST_FILE), type=Run)
        datetime.fromisoformat(run.time)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); skipped") from None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a run of `diagnose check` ({error}); skipped") from None
    if run.schema != SCHEMA:
        raise InputError(f"{path}: schema {run.schema!r}; this version reads {SCHEMA!r}; skipped")
    return run
