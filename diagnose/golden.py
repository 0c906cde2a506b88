"""The gate: record what a pair measures, check it later, accept a change with a reason.

The goldens of a suite (suite.py) are one TOML file a case, in `golden/` beside it.  A check never
writes, so no update turns its own run green; what is missing on either side (a baseline, a metric, a case) fails.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from diagnose.comparison import compare
from diagnose.errors import DiagnoseError, InputError
from diagnose.files import write_whole
from diagnose.metrics import METRICS
from diagnose.render.words import amount, number
from diagnose.report import Case, Check, Report, Suite
from diagnose.suite import CasePlan, SuitePlan, load_suite
from diagnose.verdicts import (
    Limit,
    MetricRow,
    Profile,
    as_level,
    decode,
    judge,
    nearest,
    overall,
    read_toml,
)
from diagnose.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

SCHEMA = "diagnose.golden/1"
METRIC_NAME = re.compile(r"[a-z0-9_]{1,64}")
ROUNDING = 1e-6  # relative: float32 sums differ so much from one processor to the next
DIGITS = 9  # significant digits kept in a golden: under any tolerance, over float32


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One metric's recorded change, or why it could not be measured."""

    unit: str
    version: int
    change: float | None = None
    unmeasured: str | None = None


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who let a value change, when and why, with both values."""

    metric: str
    who: str
    when: str
    reason: str
    old: float | str | None = None
    new: float | str | None = None


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case's recorded figures."""

    schema: str
    case: str
    tool_version: str
    recorded_by: str
    recorded_at: str
    reference_sha256: str
    metric: dict[str, Baseline]
    accepted: list[Accepted] = []


def load_golden(path: Path) -> Golden | None:
    """The golden of a case, or None where there is no file."""
    if not path.exists():
        return None
    golden = decode(read_toml(str(path)), Golden, str(path))
    for name in golden.metric:
        if not METRIC_NAME.fullmatch(name):  # it is printed, in terminals and pages
            raise InputError(f"{path}: metric: {name!r} is no name of a metric")
    if golden.schema != SCHEMA:
        raise InputError(f"{path}: schema {golden.schema!r}; this version reads {SCHEMA!r}")
    return golden


# --- check -------------------------------------------------------------------------------------------------


def check(path: str | os.PathLike[str]) -> Suite:
    """Measure every case and hold it against its golden; writes nothing."""
    suite = load_suite(path)
    cases = [*(_check_case(plan, suite.profile) for plan in suite.cases), *_unused(suite)]
    return Suite(suite.name, tuple(cases))


def _check_case(plan: CasePlan, profile: Profile) -> Case:
    try:
        golden = load_golden(plan.golden)
        if golden is None:
            return Case(
                plan.id, "FAIL", error=f"no golden at {plan.golden}; run `diagnose record` and review what it wrote"
            )
        report = compare(plan.reference, plan.generated, profile=profile)
        checks = tuple(_checks(plan, golden, report, profile))
    except DiagnoseError as error:
        return Case(plan.id, "ERROR", error=str(error))
    return Case(plan.id, overall([one.verdict for one in checks]), checks)


def _checks(plan: CasePlan, golden: Golden, report: Report, profile: Profile) -> Iterator[Check]:
    if golden.reference_sha256 != _sha256(plan.reference):
        yield Check("reference", "ERROR", "is another file than the recorded one; the goldens do not hold for it")
    rows = {row.name: row for row in report.metrics if row.name in profile}
    for name in [*rows, *(name for name in golden.metric if name not in rows)]:
        yield _check_metric(name, golden.metric.get(name), rows.get(name), profile.get(name))
    for name, limit in plan.limits.items():
        row = report[name]
        verdict = judge(METRICS[name], row.figures, limit).verdict
        text = f"change {number(row.figures.change, row.unit)} against the case's own limit: {limit.reason}"
        yield Check(f"{name} (limit)", verdict or "ERROR", text if verdict else f"not measured: {row.figures.reason}")


def _check_metric(name: str, baseline: Baseline | None, row: MetricRow | None, limit: Limit | None) -> Check:
    if row is None or limit is None:
        return Check(name, "FAIL", "was recorded, and is no longer measured")
    if baseline is None:
        return Check(name, "FAIL", "has no baseline in the golden; accept it")
    if baseline.version != row.version or baseline.unit != row.unit:
        return Check(
            name,
            "ERROR",
            f"recorded by version {baseline.version} of the metric, measured by {row.version}; accept it anew",
        )
    return _held(name, baseline, row, limit)


def _held(name: str, baseline: Baseline, row: MetricRow, limit: Limit) -> Check:
    """Whether the change still is what was recorded."""
    now, before = row.figures.change, baseline.change
    if now is None and before is None:
        return Check(name, "PASS", "not measurable, as recorded")
    if now is None:
        return Check(
            name, "FAIL", f"recorded as {number(before, row.unit)}, and no longer measurable: {row.figures.reason}"
        )
    if before is None:
        return Check(name, "FAIL", f"now {number(now, row.unit)}, and not measurable when recorded; accept it")
    level = as_level(limit.tolerance)
    # A relative tolerance is a share of the reference's value, as in a profile; a pair's metric has only its own.
    base = before if row.unit == "ratio" or row.figures.reference is None else row.figures.reference
    tolerance = max(level.at(base), ROUNDING * max(abs(before), abs(base)))
    moved = now - before
    text = f"{number(before, row.unit)} -> {number(now, row.unit)}, tolerance {amount(tolerance, row.unit)}"
    if abs(moved) <= tolerance:
        return Check(name, "PASS", text)
    better = (moved < 0 and limit.direction == "higher") or (moved > 0 and limit.direction == "lower")
    return (
        Check(name, "PASS", f"{text}; better than recorded: accept it to hold it", better=True)
        if better
        else Check(name, "FAIL", text)
    )


def _unused(suite: SuitePlan) -> Iterable[Case]:
    """Goldens that no case uses: a renamed case must not drop out of the gate unseen."""
    used = {plan.golden.name for plan in suite.cases}
    for path in sorted(suite.golden.glob("*.toml")):
        if path.name not in used:
            yield Case(path.stem, "FAIL", error=f"{path}: no case uses this golden; delete it or bring the case back")


# --- record and accept ---------------------------------------------------------------------------------------


def record(path: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    """Write a golden for every case that has none; (recorded, kept) case ids.  Existing goldens are never touched."""
    suite = load_suite(path)
    if not suite.cases:
        raise InputError(f"{os.fspath(path)}: has no [[case]]; there is nothing to record")
    missing = [plan for plan in suite.cases if load_golden(plan.golden) is None]
    # All are measured before the first is written: a bad file leaves nothing half recorded.
    reports = [compare(plan.reference, plan.generated, profile=suite.profile) for plan in missing]
    fresh = [(plan, _fresh(plan, report, suite.profile)) for plan, report in zip(missing, reports, strict=True)]
    if fresh:
        _make_folder(suite.golden)
    for plan, golden in fresh:
        _save(plan.golden, golden)
    return [plan.id for plan in missing], [plan.id for plan in suite.cases if plan not in missing]


def accept(
    path: str | os.PathLike[str], case: str, metric: str | None, reason: str, who: str | None = None
) -> list[Accepted]:
    """Make what is measured now the recorded value of a case, or of one metric of it, and log it.

    Only what a check would not pass silently is changed, so accepting does not move the values that hold.
    """
    if not reason.strip():
        raise InputError("a reason is needed: it is all that a later reader will know")
    suite = load_suite(path)
    plan = next((plan for plan in suite.cases if plan.id == case), None)
    if plan is None:
        raise InputError(
            f"{os.fspath(path)}: no case {case!r}; there are {', '.join(p.id for p in suite.cases) or 'none'}"
        )
    golden = load_golden(plan.golden)
    if golden is None:
        raise InputError(f"{plan.golden}: there is no golden yet; run `diagnose record`")
    if metric and metric != "reference" and metric not in METRICS and metric not in golden.metric:
        raise InputError(f"{case}::{metric}: no such metric{nearest(metric)}")
    report = compare(plan.reference, plan.generated, profile=suite.profile)
    measured = _fresh(plan, report, suite.profile)
    changed = [name for name in _changed(plan, golden, report, suite.profile) if metric in (None, name)]
    if not changed:
        place = f"{case}::{metric}" if metric else case
        own = "; a limit of the case's own is changed in the suite" if plan.limits else ""
        raise InputError(f"{place}: holds its golden; there is nothing to accept{own}")
    stamp = {"who": who or _who(), "when": _now(), "reason": reason.strip()}
    log = [_accepted(name, golden, measured, stamp) for name in changed]
    _save(plan.golden, _merged(golden, measured, changed, log))
    return log


def _changed(plan: CasePlan, golden: Golden, report: Report, profile: Profile) -> list[str]:
    own = {f"{name} (limit)" for name in plan.limits}
    checks = [one for one in _checks(plan, golden, report, profile) if one.metric not in own]
    return [one.metric for one in checks if one.verdict != "PASS" or one.better]


def _accepted(name: str, golden: Golden, measured: Golden, stamp: Mapping[str, str]) -> Accepted:
    if name == "reference":
        return Accepted(name, **stamp, old=golden.reference_sha256, new=measured.reference_sha256)
    old, new = golden.metric.get(name), measured.metric.get(name)
    return Accepted(name, **stamp, old=_shown(old), new=_shown(new))


def _shown(baseline: Baseline | None) -> float | str:
    if baseline is None:
        return "not recorded"
    return baseline.change if baseline.change is not None else f"not measurable: {baseline.unmeasured}"


def _merged(golden: Golden, measured: Golden, changed: list[str], log: list[Accepted]) -> Golden:
    names = {name: measured.metric.get(name) if name in changed else old for name, old in golden.metric.items()}
    names |= {name: measured.metric[name] for name in changed if name in measured.metric}
    metrics = {name: baseline for name, baseline in names.items() if baseline is not None}
    sha256 = measured.reference_sha256 if "reference" in changed else golden.reference_sha256
    return msgspec.structs.replace(golden, metric=metrics, reference_sha256=sha256, accepted=[*golden.accepted, *log])


def _fresh(plan: CasePlan, report: Report, profile: Profile) -> Golden:
    return Golden(
        schema=SCHEMA,
        case=plan.id,
        tool_version=VERSION,
        recorded_by=_who(),
        recorded_at=_now(),
        reference_sha256=_sha256(plan.reference),
        metric={row.name: _baseline(row) for row in report.metrics if row.name in profile},
    )


def _baseline(row: MetricRow) -> Baseline:
    change = row.figures.change
    if change is None:
        return Baseline(row.unit, row.version, unmeasured=row.figures.reason or "unknown")
    return Baseline(row.unit, row.version, change=float(f"{change:.{DIGITS}g}"))


def _save(path: Path, golden: Golden) -> None:
    import tomli_w

    write_whole(path, tomli_w.dumps(msgspec.to_builtins(golden)).encode())


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be made ({error.strerror})") from None


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _who() -> str:
    """Git's user where there is one, else the login name."""
    try:
        answer = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, timeout=5, check=False)  # noqa: S607 - git as the user has it
        if answer.stdout.strip():
            return answer.stdout.strip()
    except (OSError, subprocess.SubprocessError, UnicodeError):
        pass
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return "unknown"
