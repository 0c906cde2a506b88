"""The golden of a case: a TOML file, read and written as a whole."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from diagnose.errors import InputError
from diagnose.files import write_whole
from diagnose.toml import decode, read_toml

if TYPE_CHECKING:
    import os
    from pathlib import Path

SCHEMA = "diagnose.golden/1"
METRIC_NAME = re.compile(r"[a-z0-9_]{1,64}")
TABLE = re.compile(r"\s*\[metric\.(\w+)\]")


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One metric's recorded change, or why it could not be measured; both where some runs had it and some had not.

    tolerance, spread: what `calibrate` earned (calibrate.py), in the metric's unit: how far a run may lie from
    `change`, and the sample standard deviation of the runs; measured: in how many of them it could be measured.
    """

    unit: str
    version: int
    change: float | None = None
    unmeasured: str | None = None
    tolerance: float | None = None
    spread: float | None = None
    measured: int | None = None


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who let a value change, when and why, with both values."""

    metric: str
    who: str
    when: str
    reason: str
    old: float | str | None = None
    new: float | str | None = None


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the tolerances of a golden were earned."""

    runs: int
    method: str
    command: str
    who: str
    when: str


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case's recorded figures; causes: what was wrong with it when it was recorded, so it is no news later."""

    schema: str
    case: str
    tool_version: str
    recorded_by: str
    recorded_at: str
    reference_sha256: str
    metric: dict[str, Baseline]
    causes: list[str] = []
    accepted: list[Accepted] = []
    calibration: Calibration | None = None


def load_golden(path: Path) -> Golden | None:
    """The golden of a case, or None where there is no file."""
    if not path.exists():
        return None
    golden = decode(read_toml(str(path)), Golden, str(path))
    for name in golden.metric:
        if not METRIC_NAME.fullmatch(name):  # it is printed, in terminals and pages
            raise InputError(f"{path}: metric: {name!r} is not the name of a metric")
    if golden.schema != SCHEMA:
        raise InputError(f"{path}: schema {golden.schema!r}; this version reads {SCHEMA!r}")
    return golden


def save_golden(path: Path, golden: Golden) -> None:
    """Write it whole, in a folder that is made where it is missing."""
    import tomli_w

    document = msgspec.to_builtins(golden)
    if golden.calibration is None:
        del document["calibration"]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path.parent}: cannot create the directory ({error.strerror})") from None
    write_whole(path, tomli_w.dumps(document).encode())


def metric_lines(path: str | os.PathLike[str]) -> dict[str, int]:
    """The line, from 1, on which each metric's table begins in a golden's file."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeError):
        return {}
    found = ((TABLE.match(line), number) for number, line in enumerate(text.splitlines(), 1))
    return {match[1]: number for match, number in found if match}


def utc_now() -> str:
    """UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
