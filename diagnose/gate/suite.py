"""A suite file: which pairs belong together, with which limits.

[suite]
name = "violin"
profile = "limits.toml"        # optional; the built-in limits by default
golden = "golden"              # optional; a folder for `record` and `check`
history = "history"            # optional; a folder in which each `check` keeps its figures

[[case]]
id = "open-g"
reference = "open-g.wav"       # paths are relative to the suite
generated = "open-g-vocoded.wav"
limits = { rms_ratio = { unit = "ratio", direction = "both", fail = 1.2, reason = "..." } }   # optional

Suites in one folder may keep their goldens in the same one: a golden that any of them uses is used, and an id that is
in two of them stands for the same sounds.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from diagnose.errors import InputError
from diagnose.profile import default_profile, load_profile, parse_limits
from diagnose.toml import decode, read_toml, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.results.limit import Profile

CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
GOLDEN = "golden"
MOST_BYTES = 1 << 20  # of another suite; a case takes some 100


class SuiteTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    profile: str | None = None
    golden: str = GOLDEN
    history: str | None = None


class CaseTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    reference: str
    generated: str
    limits: dict[str, Any] = {}


class CasePlan(msgspec.Struct, frozen=True):
    """A case with its paths resolved; limits are the case's own, judged on top of the golden."""

    id: str
    reference: str
    generated: str
    golden: Path
    limits: Profile


class SuitePlan(msgspec.Struct, frozen=True):
    """A suite file as read.

    others: ids of the cases of the other suites in its folder that keep their goldens in the same one.
    """

    name: str
    folder: Path
    golden: Path
    history: Path | None
    profile: Profile
    cases: tuple[CasePlan, ...]
    others: tuple[str, ...] = ()


def load_suite(path: str | os.PathLike[str]) -> SuitePlan:
    """Read a suite; InputError names the file and the key of whatever is wrong in it.

    So does a case whose golden another suite's case of the same id, of other sounds, would have.
    """
    name = os.fspath(path)
    document = read_toml(name)
    refuse_unknown(document, {"suite", "case"}, f"{name}: unknown key", "a suite has [suite] and [[case]] tables")
    table = decode(document.get("suite", {}), SuiteTable, f"{name}: suite")
    cases = document.get("case", [])
    if not isinstance(cases, list):
        raise InputError(f"{name}: case: must be an array of tables; write [[case]] for each pair")
    folder = Path(name).parent
    profile = load_profile(folder / table.profile) if table.profile else default_profile()
    golden = folder / table.golden
    plans = tuple(_plan(case, f"{name}: case[{index}]", folder, golden) for index, case in enumerate(cases))
    ids = [plan.id for plan in plans]
    doubled = sorted({case for case in ids if ids.count(case) > 1})
    if doubled:
        raise InputError(f"{name}: case id {doubled[0]!r} is used more than once")
    others = _others(Path(name), golden)
    for plan in plans:
        other = others.get(plan.id)
        if other is not None and other.sounds != _sounds(folder, plan.reference, plan.generated):
            said = f"case id {plan.id!r} is also in {other.suite}, with other sounds, and both have one golden"
            raise InputError(f"{name}: {said}, in {golden}; rename one, or give one suite another golden folder")
    history = folder / table.history if table.history else None
    return SuitePlan(table.name, folder, golden, history, profile, plans, tuple(others))


class _Other(msgspec.Struct, frozen=True):
    """A case of another suite: the suite's file, and the real paths of its reference and generated sound."""

    suite: str
    sounds: tuple[str, str]


def _others(path: Path, golden: Path) -> dict[str, _Other]:
    """By id, the cases of the other suites beside this one whose goldens lie in the same folder.

    What cannot be read as TOML uses no golden: then a check fails rather than passing over a lost case.  A profile that
    is wrong is that suite's own matter.
    """
    found: dict[str, _Other] = {}
    for file in sorted(path.parent.glob("*.toml")):
        if os.path.realpath(file) != os.path.realpath(path):
            found |= {case: _Other(file.name, sounds) for case, sounds in _cases_with(file, golden)}
    return found


def _cases_with(file: Path, golden: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """(id, sounds) of the cases of a suite, if it is one, where it keeps its goldens in that folder."""
    try:
        document = read_toml(str(file)) if file.is_file() and file.stat().st_size <= MOST_BYTES else {}
    except (InputError, OSError):
        return
    suite, cases = document.get("suite"), document.get("case")
    if not isinstance(suite, dict) or not isinstance(cases, list):
        return
    place = suite.get("golden", GOLDEN)
    if not isinstance(place, str) or "\0" in place:
        return
    if os.path.realpath(file.parent / place) == os.path.realpath(golden):
        for case in (case for case in cases if isinstance(case, dict)):
            words = [word for word in map(case.get, ("id", "reference", "generated")) if isinstance(word, str)]
            if len(words) == 3 and "\0" not in "".join(words):
                yield words[0], _sounds(file.parent, words[1], words[2])


def _sounds(folder: Path, reference: str, generated: str) -> tuple[str, str]:
    return os.path.realpath(folder / reference), os.path.realpath(folder / generated)


def _plan(table: Any, where: str, folder: Path, golden: Path) -> CasePlan:
    case = decode(table, CaseTable, where)
    if not CASE_ID.fullmatch(case.id):
        raise InputError(f"{where}.id: {case.id!r} is not a valid file name; use letters, digits, '.', '_' and '-'")
    return CasePlan(
        id=case.id,
        reference=str(folder / case.reference),
        generated=str(folder / case.generated),
        golden=golden / f"{case.id}.toml",
        limits=parse_limits(case.limits, f"{where}.limits"),
    )
