"""Tolerances from measured spread: the command is run N times, and the spread of each metric is stored."""

from __future__ import annotations

import os
import statistics
from typing import TYPE_CHECKING

import msgspec

from diagnose import audio, git
from diagnose.comparison import compare
from diagnose.errors import InputError
from diagnose.files import locked
from diagnose.gate.checks import new_golden, profile_tolerance, rounded
from diagnose.gate.commands import reference_sha256
from diagnose.gate.golden import Baseline, Calibration, Golden, load_golden, save_golden, utc_now
from diagnose.gate.spread import LEAST_RUNS, METHOD, tolerance
from diagnose.gate.suite import CasePlan, SuitePlan, load_suite
from diagnose.process import state
from diagnose.results.suite import Earned

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.results.report import MetricRow

    Progress = Callable[[int, int, str], None]

FAR = 6.0  # standard deviations of the runs from which a recorded value, one run itself, is none of theirs


class Runs(msgspec.Struct, frozen=True):
    """One case, measured after each run: every run's rows by metric, and the last run as a golden."""

    plan: CasePlan
    rows: tuple[dict[str, MetricRow], ...]
    last: Golden


def calibrate(
    path: str | os.PathLike[str],
    runs: int,
    render: Callable[[int], None],
    command: str,
    progress: Progress | None = None,
) -> list[Earned]:
    """Run render(0), ..., render(runs - 1), measure the suite after each, and keep the tolerances in the goldens.

    render writes every case's generated sound anew; command is how it is called, and is kept beside the figures.
    A recorded value stays; a case without a golden gets one, of the runs' means.  InputError, and nothing is written,
    where a recorded value lies further from the runs than their spread and the profile's tolerance explain, or can be
    measured no longer (calibrating must not pass a regression), where a run leaves a sound as it was or writes one
    that is not finite, or where a case cannot be compared.
    """
    suite = load_suite(path)
    if not suite.cases:
        raise InputError(f"{os.fspath(path)}: has no [[case]] to calibrate; add one")
    if runs < LEAST_RUNS:
        raise InputError(f"--runs {runs}: a spread takes at least {LEAST_RUNS} runs; 20 are recommended")
    measured = _measured(suite, runs, render, progress)
    stamp = Calibration(runs, METHOD, command, git.user(), utc_now())
    for of_case in measured:  # all are looked at before the first is written
        _golden(of_case, suite, stamp)
    return [entry for of_case in measured for entry in _kept(of_case, suite, stamp)]


def _measured(suite: SuitePlan, runs: int, render: Callable[[int], None], progress: Progress | None) -> list[Runs]:
    rows: list[list[dict[str, MetricRow]]] = [[] for _ in suite.cases]
    last: list[Golden] = []
    for run in range(runs):
        if progress:
            progress(run, runs, "rendering")
        before = [state(plan.generated) for plan in suite.cases]
        render(run)
        for plan, old, of_case in zip(suite.cases, before, rows, strict=True):
            if state(plan.generated) == old:
                raise InputError(f"{plan.generated}: run {run + 1} of the command did not write it")
            # Read without mending: a run whose sound is not finite has no spread that a tolerance may be earned by.
            report = compare(plan.reference, audio.read(plan.generated), profile=suite.profile)
            of_case.append({row.name: row for row in report.metrics if row.name in suite.profile})
            if run == runs - 1:
                last.append(new_golden(plan.id, report, suite.profile, reference_sha256(report), git.user()))
    return [Runs(plan, tuple(of_case), golden) for plan, of_case, golden in zip(suite.cases, rows, last, strict=True)]


def _golden(of_case: Runs, suite: SuitePlan, stamp: Calibration) -> Golden:
    """The case's golden with the runs' tolerances, or a new one round their means."""
    golden = load_golden(of_case.plan.golden)
    rows = of_case.rows
    metrics = {name: _baseline([one[name] for one in rows], len(suite.profile)) for name in rows[0]}
    if golden is None:
        return msgspec.structs.replace(of_case.last, metric=metrics, calibration=stamp)
    _refuse_a_regression(golden, metrics, of_case, suite)
    kept_values = {name: _round_the_recorded(new, golden.metric.get(name)) for name, new in metrics.items()}
    return msgspec.structs.replace(golden, metric=kept_values, calibration=stamp)


def _round_the_recorded(new: Baseline, old: Baseline | None) -> Baseline:
    """The spread round the value that was recorded, which stays: calibrating again and again moves nothing.

    One more run lies within the tolerance of the runs' mean, and that within |mean - recorded| of the recorded value.
    """
    if old is None or old.change is None or new.change is None or new.tolerance is None:
        return new
    wider = rounded(new.tolerance + abs(new.change - old.change))
    return msgspec.structs.replace(new, change=old.change, tolerance=wider)


def _baseline(rows: list[MetricRow], metrics: int) -> Baseline:
    """Mean and spread of one metric over the runs."""
    unit, version = rows[0].unit, rows[0].version
    found = [row.change for row in rows if row.change is not None]
    reason = next((row.reason or "unknown" for row in rows if row.change is None), None)
    if not found:
        return Baseline(unit, version, unmeasured=reason)
    if len(found) < LEAST_RUNS:
        said = f"measurable in {len(found)} of {len(rows)} runs: {reason}"
        return Baseline(unit, version, unmeasured=said, measured=len(found))
    allowed, spread = rounded(tolerance(found, metrics)), rounded(statistics.stdev(found))
    return Baseline(unit, version, rounded(statistics.fmean(found)), reason, allowed, spread, len(found))


def _refuse_a_regression(golden: Golden, metrics: dict[str, Baseline], of_case: Runs, suite: SuitePlan) -> None:
    plan, rows = of_case.plan, of_case.rows[-1]
    if golden.reference_sha256 != of_case.last.reference_sha256:
        raise InputError(f"{plan.id}: the reference is another file than when recorded; accept it first")
    for name, old in golden.metric.items():
        new = metrics.get(name)
        if new is None or new.version != old.version or (new.change is None and old.change is not None):
            now = "is no longer measured" if new is None else new.unmeasured or "has another version now"
            raise InputError(f"{plan.id}::{name}: was recorded, but {now}; accept it first (`diagnose accept`)")
        if old.change is None or new.change is None:
            continue
        # Not the new tolerance: over few runs it is so wide that any regression lies within it.
        spread = FAR * (new.spread or 0.0) if old.tolerance is None else old.tolerance
        allowed = max(profile_tolerance(old.change, rows[name], suite.profile[name]), spread)
        if abs(new.change - old.change) > allowed:
            raise InputError(
                f"{plan.id}::{name}: the mean of the runs is {new.change:g}, too far from the recorded {old.change:g} "
                f"for their spread; accept it first (`diagnose accept`), or delete {plan.golden}"
            )


def _kept(of_case: Runs, suite: SuitePlan, stamp: Calibration) -> list[Earned]:
    with locked(of_case.plan.golden):  # read again: another process may have accepted a value meanwhile
        golden = _golden(of_case, suite, stamp)
        save_golden(of_case.plan.golden, golden)
    rows = of_case.rows[-1]
    return [
        Earned(
            of_case.plan.id,
            name,
            baseline.unit,
            baseline.change,
            baseline.spread,
            baseline.tolerance,
            profile_tolerance(baseline.change or 0.0, rows[name], suite.profile[name]),
        )
        for name, baseline in golden.metric.items()
    ]
