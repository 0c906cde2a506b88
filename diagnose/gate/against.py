"""A check without goldens: the old revision renders its sounds on this machine, and the new ones are compared."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import msgspec

from diagnose import audio, git
from diagnose.comparison import compare
from diagnose.errors import DiagnoseError, InputError, NotComparable
from diagnose.gate.checks import check_limits, check_metrics, new_golden, with_spread_of
from diagnose.gate.commands import case_of, reference_sha256
from diagnose.gate.golden import load_golden
from diagnose.gate.suite import CasePlan, SuitePlan, load_suite
from diagnose.process import render, state
from diagnose.results.suite import Case, Suite
from diagnose.results.verdict import overall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from diagnose.gate.golden import Golden
    from diagnose.results.report import Report

    Seen = Callable[[Case, Report], None]


def check_against(
    path: str | os.PathLike[str], revision: str, command: Sequence[str], seen: Seen | None = None
) -> Suite:
    """Run command in a temporary checkout of a revision and here, and hold each case's figures against the old ones.

    The references are those of today for both.  The command runs in the same folder, below the repository's root,
    as this process; DIAGNOSE_REVISION is the revision, or empty.  Tolerances that `calibrate` earned hold here too.
    Where a case fails, causes and places are those of the new sound against the old one.
    """
    suite = load_suite(path)
    if not suite.cases:
        raise InputError(f"{os.fspath(path)}: has no [[case]] to check; add one")
    with git.worktree(suite.folder, revision) as (root, old):
        left = _rendered(command, suite, {revision: old, "": root}, root)
        known = _old_cases(_same_place(path, root, old))
        cases = [_check_case(plan, suite, revision, (root, old), known, seen, left) for plan in suite.cases]
    return Suite(f"{suite.name} against {revision}", tuple(cases))


def _rendered(command: Sequence[str], suite: SuitePlan, trees: Mapping[str, str], root: str) -> dict[str, str]:
    """Run the command in each tree, by revision; {case: what is wrong} of those whose sound it did not write.

    A sound that git keeps, or that lay there, would otherwise be compared with itself.
    """
    left: dict[str, str] = {}
    for revision, tree in trees.items():
        places = {plan.id: _same_place(plan.generated, root, tree) for plan in suite.cases}
        before = {case: state(path) for case, path in places.items()}
        render(command, _same_place(os.getcwd(), root, tree), {"DIAGNOSE_REVISION": revision})
        for plan in suite.cases:
            if before[plan.id] is not None and state(places[plan.id]) == before[plan.id]:
                where = f"at {revision}" if revision else "here"
                left[plan.id] = f"{plan.generated}: the command did not write it {where}"
    return left


def _same_place(path: str | os.PathLike[str], root: str, old: str) -> str:
    """Where a file or folder of the repository lies in the old checkout."""
    below = os.path.relpath(os.path.realpath(path), os.path.realpath(root))
    if below.split(os.sep)[0] == os.pardir:
        raise InputError(f"{os.fspath(path)}: is outside the repository {root}, so no revision contains it")
    return os.path.join(old, below)


def _old_cases(path: str) -> set[str]:
    """The ids that the suite had; none where there was no such suite, or none that this version reads."""
    try:
        return {plan.id for plan in load_suite(path).cases}
    except DiagnoseError:
        return set()


def _check_case(
    plan: CasePlan,
    suite: SuitePlan,
    revision: str,
    places: tuple[str, str],
    known: set[str],
    seen: Seen | None,
    left: Mapping[str, str],
) -> Case:
    if plan.id in left:
        return Case(plan.id, "ERROR", error=left[plan.id])
    try:
        before = _same_place(plan.generated, *places)
        if not os.path.exists(before):
            if plan.id not in known:
                return Case(plan.id, "WARN", error=f"is new: {revision} does not have this case")
            return Case(plan.id, "ERROR", error=f"{plan.generated}: the command did not write it at {revision}")
        return _held(plan, suite, before, revision, seen)
    except DiagnoseError as error:
        return Case(plan.id, "ERROR", error=str(error).replace(places[1], revision))


def _held(plan: CasePlan, suite: SuitePlan, before: str, revision: str, seen: Seen | None) -> Case:
    old_report = compare(plan.reference, before, profile=suite.profile)
    golden = new_golden(plan.id, old_report, suite.profile, reference_sha256(old_report), "")
    golden = _with_earned(golden, load_golden(plan.golden))
    report = compare(plan.reference, plan.generated, profile=suite.profile)
    found = [
        *check_metrics(golden, report, suite.profile, reference_sha256(report)),
        *check_limits(report, plan.limits),
    ]
    if overall([one.verdict for one in found]) == "FAIL":
        # A silent old sound, or one that is not finite: the new one against its reference, then.
        with contextlib.suppress(NotComparable, InputError):
            old = audio.read(before)
            named = audio.Audio(old.samples, old.rate, f"{plan.generated} at {revision}")
            report = compare(named, plan.generated, profile=suite.profile)
    return case_of(plan.id, str(plan.golden), found, report, seen)


def _with_earned(golden: Golden, calibrated: Golden | None) -> Golden:
    """The old revision's figures with the tolerances of the golden that the suite has, if it has one."""
    if calibrated is None:
        return golden
    metrics = {
        name: with_spread_of(baseline, calibrated.metric.get(name), len(golden.metric))
        for name, baseline in golden.metric.items()
    }
    return msgspec.structs.replace(golden, metric=metrics)
