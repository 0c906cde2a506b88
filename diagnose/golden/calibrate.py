"""Tolerances that are earned: the generating command is run N times, and the spread of each figure is kept."""

from __future__ import annotations

import os
import statistics
from typing import TYPE_CHECKING

import msgspec

from diagnose import git
from diagnose.comparison import compare
from diagnose.errors import InputError
from diagnose.files import locked
from diagnose.golden import stored
from diagnose.golden.gate import sha256
from diagnose.golden.held import fresh, kept, threshold
from diagnose.golden.spread import LEAST_RUNS, METHOD, tolerance
from diagnose.golden.stored import Baseline, Calibration, Golden
from diagnose.report import Earned
from diagnose.suite import CasePlan, SuitePlan, load_suite

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.verdicts import MetricRow

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
    """Run render(0), ..., render(runs - 1), measure the suite after each, and keep mean and tolerance in the goldens.

    render writes every case's generated sound anew; command is how it is called, and is kept beside the figures.
    A case without a golden gets one.  InputError, and nothing is written, where a recorded value lies further from
    the runs than their spread and the profile's tolerance explain (calibrating must not pass a regression), where
    a run leaves a sound as it was, or where a case cannot be compared.
    """
    suite = load_suite(path)
    if not suite.cases:
        raise InputError(f"{os.fspath(path)}: has no [[case]]; there is nothing to calibrate")
    if runs < LEAST_RUNS:
        raise InputError(f"--runs {runs}: a spread takes at least {LEAST_RUNS} runs; 20 are a good number")
    measured = _measured(suite, runs, render, progress)
    stamp = Calibration(runs, METHOD, command, git.user(), stored.now())
    for of_case in measured:  # all are looked at before the first is written
        _golden(of_case, suite, stamp)
    return [entry for of_case in measured for entry in _kept(of_case, suite, stamp)]


def _measured(suite: SuitePlan, runs: int, render: Callable[[int], None], progress: Progress | None) -> list[Runs]:
    rows: list[list[dict[str, MetricRow]]] = [[] for _ in suite.cases]
    last: list[Golden] = []
    for run in range(runs):
        if progress:
            progress(run, runs, "rendering")
        before = [_state(plan.generated) for plan in suite.cases]
        render(run)
        for plan, state, of_case in zip(suite.cases, before, rows, strict=True):
            if _state(plan.generated) == state:
                raise InputError(f"{plan.generated}: run {run + 1} of the command did not write it: nothing spreads")
            report = compare(plan.reference, plan.generated, profile=suite.profile)
            of_case.append({row.name: row for row in report.metrics if row.name in suite.profile})
            if run == runs - 1:
                last.append(fresh(plan.id, report, suite.profile, sha256(plan.reference), git.user()))
    return [Runs(plan, tuple(of_case), golden) for plan, of_case, golden in zip(suite.cases, rows, last, strict=True)]


def _state(path: str) -> tuple[int, int, int] | None:
    try:
        now = os.stat(path)
    except OSError:
        return None
    return now.st_mtime_ns, now.st_ino, now.st_size


def _golden(of_case: Runs, suite: SuitePlan, stamp: Calibration) -> Golden:
    """The case's golden, or a new one, with the runs' means and tolerances."""
    golden = stored.load(of_case.plan.golden)
    rows = of_case.rows
    metrics = {name: _baseline([one[name] for one in rows], len(suite.profile)) for name in rows[0]}
    if golden is not None:
        _refuse_a_regression(golden, metrics, of_case, suite)
    kept_log = golden or of_case.last
    return msgspec.structs.replace(kept_log, metric=metrics, causes=of_case.last.causes, calibration=stamp)


def _baseline(rows: list[MetricRow], metrics: int) -> Baseline:
    """Mean and spread of one metric over the runs."""
    unit, version = rows[0].unit, rows[0].version
    found = [row.figures.change for row in rows if row.figures.change is not None]
    reason = next((row.figures.reason or "unknown" for row in rows if row.figures.change is None), None)
    if not found:
        return Baseline(unit, version, unmeasured=reason)
    if len(found) < LEAST_RUNS:
        said = f"measurable in {len(found)} of {len(rows)} runs: {reason}"
        return Baseline(unit, version, unmeasured=said, measured=len(found))
    allowed, spread = kept(tolerance(found, metrics)), kept(statistics.stdev(found))
    return Baseline(unit, version, kept(statistics.fmean(found)), reason, allowed, spread, len(found))


def _refuse_a_regression(golden: Golden, metrics: dict[str, Baseline], of_case: Runs, suite: SuitePlan) -> None:
    plan, rows = of_case.plan, of_case.rows[-1]
    if golden.reference_sha256 != of_case.last.reference_sha256:
        raise InputError(f"{plan.id}: the reference is another file than the recorded one; accept it first")
    for name, new in metrics.items():
        old = golden.metric.get(name)
        if old is None or old.change is None or new.change is None or old.version != new.version:
            continue
        # Not the new tolerance: over few runs it is so wide that any regression lies within it.
        spread = FAR * (new.spread or 0.0) if old.tolerance is None else old.tolerance
        allowed = max(threshold(old.change, rows[name], suite.profile[name]), spread)
        if abs(new.change - old.change) > allowed:
            raise InputError(
                f"{plan.id}::{name}: recorded as {old.change:g}, and the runs lie round {new.change:g}, which their "
                f"spread does not explain; accept it first (`diagnose accept`), or delete {plan.golden}"
            )


def _kept(of_case: Runs, suite: SuitePlan, stamp: Calibration) -> list[Earned]:
    with locked(of_case.plan.golden):  # read again: another process may have accepted a value meanwhile
        golden = _golden(of_case, suite, stamp)
        stored.save(of_case.plan.golden, golden)
    rows = of_case.rows[-1]
    return [
        Earned(
            of_case.plan.id,
            name,
            baseline.unit,
            baseline.change,
            baseline.spread,
            baseline.tolerance,
            threshold(baseline.change or 0.0, rows[name], suite.profile[name]),
        )
        for name, baseline in golden.metric.items()
    ]
