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
    from diagnose.results.limit import Profile

CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class SuiteTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    profile: str | None = None
    golden: str = "golden"
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
    """A suite file as read."""

    name: str
    folder: Path
    golden: Path
    history: Path | None
    profile: Profile
    cases: tuple[CasePlan, ...]


def load_suite(path: str | os.PathLike[str]) -> SuitePlan:
    """Read a suite; InputError names the file and the key of whatever is wrong in it."""
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
    history = folder / table.history if table.history else None
    return SuitePlan(table.name, folder, golden, history, profile, plans)


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
