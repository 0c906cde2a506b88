"""Compare a report with a golden: which metric moved, by how much, and whether that exceeds the tolerance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.comparison import causes_of, rejudged
from diagnose.gate.golden import SCHEMA, Baseline, Golden, utc_now
from diagnose.gate.spread import prediction
from diagnose.metrics import METRICS
from diagnose.profile import ALWAYS, with_always
from diagnose.results.limit import Limit, Profile, as_threshold
from diagnose.results.suite import Check
from diagnose.text import amount, number
from diagnose.verdicts import judge
from diagnose.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from diagnose.results.report import MetricRow, Report

ROUNDING = 1e-6  # relative: float32 sums differ so much from one processor to the next
DIGITS = 9  # significant digits kept in a golden: under any tolerance, over float32
OWN = " (limit)"


def check_metrics(golden: Golden, report: Report, profile: Profile, reference_sha256: str) -> Iterator[Check]:
    """Every metric that the golden or the profile has; and whether the reference still is the recorded one."""
    if golden.reference_sha256 != reference_sha256:
        yield Check("reference", "ERROR", "is another file than when recorded; accept it if it is right")
    profile = _with_broken(profile, report, golden.metric)
    rows = {row.name: row for row in report.metrics if row.name in profile}
    for name in [*rows, *(name for name in golden.metric if name not in rows)]:
        yield _check(name, golden.metric.get(name), rows.get(name), profile.get(name))


def _with_broken(profile: Profile, report: Report, recorded: Iterable[str] = ()) -> Profile:
    """The profile; with the limits that hold any sound, where this one broke them or was accepted so."""
    names = {row.name for row in report.metrics if row.verdict}.union(recorded)
    return profile if names.isdisjoint(ALWAYS) else with_always(profile)


def check_limits(report: Report, limits: Profile) -> Iterator[Check]:
    """The limits that a case has of its own."""
    for name, limit in limits.items():
        row = report[name]
        verdict = judge(METRICS[name], row, limit).verdict
        text = f"change {number(row.change, row.unit)} against the case's own limit: {limit.reason}"
        said = text if verdict else f"not measured: {row.reason}"
        yield Check(name + OWN, verdict or "ERROR", said, change=row.change)


def _check(name: str, baseline: Baseline | None, row: MetricRow | None, limit: Limit | None) -> Check:
    if row is None or limit is None:
        return Check(name, "FAIL", "was recorded, but is no longer measured")
    if baseline is None and METRICS[name].later and row.verdict in (None, "PASS"):
        return Check(name, "PASS", "is newer than the golden, and within its limits", change=row.change)
    if baseline is None:
        return Check(name, "FAIL", "is not in the golden; accept it", change=row.change)
    if baseline.version != row.version or baseline.unit != row.unit:
        said = f"recorded with version {baseline.version} of the metric, measured with {row.version}; accept it again"
        return Check(name, "ERROR", said, change=row.change)
    if row.change is None or baseline.change is None:
        return _without_a_number(name, baseline, row)
    return _moved(name, baseline, baseline.change, row, row.change, limit)


def _without_a_number(name: str, baseline: Baseline, row: MetricRow) -> Check:
    """One of both, or neither, could be measured."""
    change = row.change
    if change is None and baseline.unmeasured is not None:
        return Check(name, "PASS", "not measurable, as recorded")
    if change is None:
        before = number(baseline.change, row.unit)
        return Check(name, "FAIL", f"recorded as {before}, but no longer measurable: {row.reason}")
    if baseline.measured:  # in too few of the calibrated runs for a spread
        return Check(name, "PASS", "not checked: measurable in too few of the calibration runs", change=change)
    said = f"now {number(change, row.unit)}, but not measurable when recorded; accept it"
    return Check(name, "FAIL", said, change=change)


def _moved(name: str, baseline: Baseline, before: float, row: MetricRow, now: float, limit: Limit) -> Check:
    """A regression passes the threshold and the spread: the wider of the profile's tolerance and the earned one."""
    least, spread = profile_tolerance(before, row, limit), baseline.tolerance or 0.0
    tolerance = max(least, spread)
    why = f" (spread of {baseline.measured} runs)" if spread > least else ""
    moved = now - before
    text = f"{number(before, row.unit)} -> {number(now, row.unit)}, tolerance {amount(tolerance, row.unit)}{why}"
    better = (moved < 0 and limit.direction == "higher") or (moved > 0 and limit.direction == "lower")
    if abs(moved) <= tolerance:
        return Check(name, "PASS", text, change=now, tolerance=tolerance)
    if better:
        said = f"{text}; better than recorded: accept it to keep it"
        return Check(name, "PASS", said, better=True, change=now, tolerance=tolerance)
    return Check(name, "FAIL", text, change=now, tolerance=tolerance)


def profile_tolerance(before: float, row: MetricRow, limit: Limit) -> float:
    """The profile's tolerance in the metric's unit."""
    # A relative tolerance is a share of the reference's value, as in a profile; a pair's metric has only its own.
    base = before if METRICS[row.name].scale == "log" or row.reference is None else row.reference
    return max(as_threshold(limit.tolerance).at(base), ROUNDING * max(abs(before), abs(base)))


def with_gate_verdicts(report: Report, found: Iterable[Check]) -> Report:
    """The report as the gate sees it: its verdicts are those of the checks, so that places and causes are found for
    what the gate failed, and not for what the profile would have failed.
    """
    judged = [check for check in found if check.verdict in ("PASS", "FAIL") and check.metric in METRICS]
    verdicts = {check.metric: check.verdict for check in judged}
    own = [check.metric.removesuffix(OWN) for check in found if check.verdict == "FAIL" and check.metric.endswith(OWN)]
    return rejudged(report, verdicts | dict.fromkeys(own, "FAIL"))


def new_golden(case: str, report: Report, profile: Profile, reference_sha256: str, who: str) -> Golden:
    """The golden of what is measured now; report.pair has to be there."""
    profile = _with_broken(profile, report)
    return Golden(
        schema=SCHEMA,
        case=case,
        tool_version=VERSION,
        recorded_by=who,
        recorded_at=utc_now(),
        reference_sha256=reference_sha256,
        metric={row.name: _baseline(row) for row in report.metrics if row.name in profile},
        causes=[cause.id for cause in causes_of(report)],
    )


def _baseline(row: MetricRow) -> Baseline:
    change = row.change
    if change is None:
        return Baseline(row.unit, row.version, unmeasured=row.reason or "unknown")
    return Baseline(row.unit, row.version, change=rounded(change))


def rounded(value: float) -> float:
    """A figure to the digits that a golden keeps."""
    return float(f"{value:.{DIGITS}g}")


def changed_metrics(golden: Golden, report: Report, profile: Profile, reference_sha256: str) -> list[str]:
    """What a check would not pass silently: all that accepting may move."""
    found = check_metrics(golden, report, profile, reference_sha256)
    return [one.metric for one in found if one.verdict != "PASS" or one.better]


def with_spread_of(baseline: Baseline, old: Baseline | None, metrics: int) -> Baseline:
    """A newly accepted value with the spread that the metric had: the value is one run, not the mean of many."""
    if old is None or not old.spread or not old.measured or baseline.change is None or old.version != baseline.version:
        return baseline
    return msgspec.structs.replace(
        baseline,
        tolerance=max(old.tolerance or 0.0, rounded(prediction(old.spread, old.measured, metrics, single=True))),
        spread=old.spread,
        measured=old.measured,
        unmeasured=old.unmeasured,
    )
