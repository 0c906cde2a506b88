"""The commands of the gate: record missing goldens, check all cases, accept a change with a reason."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from diagnose import git
from diagnose.comparison import compare
from diagnose.errors import DiagnoseError, InputError
from diagnose.files import locked
from diagnose.gate.checks import changed, checks, fresh, limit_checks, shown, with_spread_of
from diagnose.gate.golden import Accepted, Baseline, Golden, load_golden, metric_lines, save_golden, utc_now
from diagnose.gate.suite import CasePlan, SuitePlan, load_suite
from diagnose.metrics import METRICS
from diagnose.profile import nearest
from diagnose.results.suite import Case, Check, Suite
from diagnose.results.verdict import overall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from diagnose.results.cause import Cause
    from diagnose.results.limit import Profile
    from diagnose.results.report import Report

    Seen = Callable[[Case, Report], None]


def check(path: str | os.PathLike[str], seen: Seen | None = None) -> Suite:
    """Measure every case and hold it against its golden; writes nothing.

    seen(case, report): called for each case that was compared, with the report as the gate sees it: pages are made
    there, so that no more than one pair is in memory.
    """
    suite = load_suite(path)
    cases = [*(_check_case(plan, suite.profile, seen) for plan in suite.cases), *_unused(suite)]
    return Suite(suite.name, tuple(cases))


def _check_case(plan: CasePlan, profile: Profile, seen: Seen | None) -> Case:
    try:
        golden = load_golden(plan.golden)
        if golden is None:
            said = f"no golden at {plan.golden}; run `diagnose record` and review what it writes"
            return Case(plan.id, "FAIL", error=said)
        return held_case(plan, golden, profile, seen)
    except DiagnoseError as error:
        return Case(plan.id, "ERROR", error=str(error), golden=str(plan.golden))


def held_case(plan: CasePlan, golden: Golden, profile: Profile, seen: Seen | None) -> Case:
    """One case held against a golden, wherever that comes from."""
    report = compare(plan.reference, plan.generated, profile=profile)
    found = [*checks(golden, report, profile, reference_sha256(report)), *limit_checks(report, plan.limits)]
    return judged(plan.id, str(plan.golden), found, report, seen, golden.causes)


def judged(
    case: str,
    path: str,
    found: Sequence[Check],
    report: Report,
    seen: Seen | None = None,
    known: Sequence[str] = (),
) -> Case:
    """The checks of one pair as a case: with causes and places, where the gate fails it.

    path: the golden's file; known: ids of the causes that were there when it was recorded, and are no news.
    """
    lines = metric_lines(path)
    found = [msgspec.structs.replace(one, line=lines.get(one.metric)) for one in found]
    verdict = overall([one.verdict for one in found])
    if verdict == "FAIL":
        report = shown(report, found)
        report = msgspec.structs.replace(report, causes=_news_first(report.causes, known))
    causes, regions = (report.causes, report.regions) if verdict == "FAIL" else ((), ())
    old = tuple(cause.id for cause in causes if cause.id in known)
    done = Case(case, verdict, tuple(found), causes=causes, golden=path, regions=regions, known=old)
    if seen is not None:
        seen(done, report)
    return done


def _news_first(causes: Sequence[Cause], known: Sequence[str]) -> tuple[Cause, ...]:
    return tuple(sorted(causes, key=lambda cause: cause.id in known))


def _unused(suite: SuitePlan) -> Iterable[Case]:
    """Goldens that no case uses, of this suite or of another: a renamed case must not drop out of the gate unseen."""
    used = {plan.golden.name for plan in suite.cases} | {f"{case}.toml" for case in suite.others}
    for path in sorted(suite.golden.glob("*.toml")):
        if path.name not in used:
            said = f"{path}: no case uses this golden; delete it, or restore the case"
            yield Case(path.stem, "FAIL", error=said, golden=str(path))


# --- record and accept ---------------------------------------------------------------------------------------


def record(path: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    """Write a golden for every case that has none; (recorded, kept) case ids.  Existing goldens are never touched."""
    suite = load_suite(path)
    if not suite.cases:
        raise InputError(f"{os.fspath(path)}: has no [[case]] to record; add one")
    missing = [plan for plan in suite.cases if load_golden(plan.golden) is None]
    # All are measured before the first is written: a bad file leaves nothing half recorded.
    reports = [compare(plan.reference, plan.generated, profile=suite.profile) for plan in missing]
    goldens = [
        fresh(plan.id, report, suite.profile, reference_sha256(report), git.user())
        for plan, report in zip(missing, reports, strict=True)
    ]
    recorded = []
    for plan, golden in zip(missing, goldens, strict=True):
        with locked(plan.golden):
            if load_golden(plan.golden) is None:  # another process may have recorded it while this one measured
                save_golden(plan.golden, golden)
                recorded.append(plan.id)
    return recorded, [plan.id for plan in suite.cases if plan.id not in recorded]


def accept(
    path: str | os.PathLike[str], case: str, metric: str | None, reason: str, who: str | None = None
) -> list[Accepted]:
    """Make what is measured now the recorded value of a case, or of one metric of it, and log it.

    Only what a check would not pass silently is changed, so accepting does not move the values that hold.
    """
    if not reason.strip():
        raise InputError("--reason is empty; say why the new value is right")
    suite = load_suite(path)
    plan = next((plan for plan in suite.cases if plan.id == case), None)
    if plan is None:
        there = ", ".join(plan.id for plan in suite.cases) or "none"
        raise InputError(f"{os.fspath(path)}: no case {case!r}; the cases are: {there}")
    # Nobody else writes this golden between its reading and its writing, so two that accept at once lose nothing.
    with locked(plan.golden):
        golden = load_golden(plan.golden)
        if golden is None:
            raise InputError(f"{plan.golden}: no golden yet; run `diagnose record`")
        if metric and metric != "reference" and metric not in METRICS and metric not in golden.metric:
            raise InputError(f"{case}::{metric}: no such metric{nearest(metric)}")
        report = compare(plan.reference, plan.generated, profile=suite.profile)
        digest = reference_sha256(report)
        moved = changed(golden, report, suite.profile, digest)
        names = [name for name in moved if metric in (None, name)]
        if not names:
            place = f"{case}::{metric}" if metric else case
            own = "; limits of the case itself are in the suite file" if plan.limits else ""
            raise InputError(f"{place}: already matches its golden; nothing to accept{own}")
        measured = fresh(plan.id, report, suite.profile, digest, golden.recorded_by)
        new = merged(golden, measured, names, reason.strip(), who or git.user())
        if names == moved:  # all of it is accepted, and with it what is wrong with it
            new = msgspec.structs.replace(new, causes=measured.causes)
        save_golden(plan.golden, new)
    return new.accepted[len(golden.accepted) :]


def merged(golden: Golden, measured: Golden, names: Sequence[str], reason: str, who: str) -> Golden:
    """The golden with what was measured for the names given, and a line in its log for each."""
    stamp = {"who": who, "when": utc_now(), "reason": reason}
    log = [_accepted(name, golden, measured, stamp) for name in names]
    metrics = {name: baseline for name, baseline in golden.metric.items() if name not in names}
    for name in names:
        if name in measured.metric:
            metrics[name] = with_spread_of(measured.metric[name], golden.metric.get(name), len(golden.metric))
    order = [*golden.metric, *(name for name in measured.metric if name not in golden.metric)]
    digest = measured.reference_sha256 if "reference" in names else golden.reference_sha256
    return msgspec.structs.replace(
        golden,
        metric={name: metrics[name] for name in order if name in metrics},
        reference_sha256=digest,
        accepted=[*golden.accepted, *log],
    )


def _accepted(name: str, golden: Golden, measured: Golden, stamp: Mapping[str, str]) -> Accepted:
    if name == "reference":
        return Accepted(name, **stamp, old=golden.reference_sha256, new=measured.reference_sha256)
    return Accepted(name, **stamp, old=_text(golden.metric.get(name)), new=_text(measured.metric.get(name)))


def _text(baseline: Baseline | None) -> float | str:
    if baseline is None:
        return "not recorded"
    return baseline.change if baseline.change is not None else f"not measurable: {baseline.unmeasured}"


def reference_sha256(report: Report) -> str:
    """Of the bytes of the reference's file, as the comparison read it: the path may name another one by now."""
    assert report.reference.sha256 is not None  # a suite names files
    return report.reference.sha256
