"""Findings -> JSON and text: which known faults the limits of a suite detect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from diagnose.results.sensitivity import limit_table
from diagnose.text import amount, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from diagnose.results.limit import Limit
    from diagnose.results.sensitivity import CaseFinding, FaultFinding, Hint, Rung, Sensitivity

WEAKEST = "*"  # beside an amount that is the weakest of all that were tried


def to_json(found: Sensitivity) -> str:
    """One object and a newline; a NaN would be a mistake and raises ValueError."""
    return json.dumps(found.as_dict(), indent=2, allow_nan=False) + "\n"


def strength(fault: FaultFinding, rung: Rung | None) -> str:
    """The amount of a rung, its unit beside it; marked where it is the weakest that was tried; a dash for none."""
    if rung is None or rung.amount is None:
        return "yes" if rung else number(None, fault.unit)
    return number(rung.amount, fault.unit).removesuffix(f" {fault.unit}") + (WEAKEST if rung.severity == 0 else "")


def case_notes(found: Sensitivity) -> Iterator[str]:
    """What was not used of a case, and what did not count, in a line each."""
    for case in found.probed:
        if case.probed_s is not None and case.duration_s is not None and case.probed_s < case.duration_s:
            part = f"{case.probed_s:g} s from {case.start_s:.2f} s"
            yield f"{case.id}: {part} were used, of {case.duration_s:.1f} s"
        if case.alarms:
            yield f"{case.id}: FAIL without a fault, so they are ignored: {', '.join(case.alarms)}"
        if case.vocoder_alarms:
            names = ", ".join(case.vocoder_alarms)
            yield f"{case.id}: FAIL on a mel round trip without a fault, so they are ignored for mel faults: {names}"


def hint_text(hint: Hint | None) -> str:
    """What to add to the thresholds, as the end of a line."""
    if hint is None:
        return "no built-in limit detects it"
    what = "tighten the limit on" if hint.tightens else "add a limit on"
    level = "built-in" if hint.verdict == "FAIL" else "built-in warn"
    fail = _toml(limit_table(hint.limit)["fail"]) if hint.limit.fail is not None else "none"
    return (
        f"{what} {hint.metric}, {amount(hint.change, hint.limit.unit)} at the highest strength ({level} level: {fail})"
    )


def blind_lines(found: Sensitivity) -> Iterator[str]:
    """A line for every fault that passes, and on which cases where it does not on all; cases of one hint together."""
    for fault in found.blind:
        for text, cases in _by_text(fault.blind).items():
            where = "" if len(cases) == len(fault.asked) else f" in {', '.join(cases)}"
            yield f"{fault.name} ({fault.about}){where}{text}"


def _by_text(findings: Iterable[CaseFinding]) -> dict[str, list[str]]:
    """What is said of each case -> the cases of which it is said; hints on one metric show the first one's change."""
    texts: dict[tuple[str | None, bool], str] = {}
    groups: dict[str, list[str]] = {}
    for finding in findings:
        kind = (finding.hint.metric if finding.hint else None, finding.warn is not None)
        warns = ", only WARNs: " if finding.warn else ": "
        groups.setdefault(texts.setdefault(kind, warns + hint_text(finding.hint)), []).append(finding.case)
    return groups


def tables_to_copy(found: Sensitivity) -> list[str]:
    """The limits of all hints, one TOML table a metric, as a profile holds them."""
    limits: dict[str, Limit] = {}
    for fault in found.blind:
        for case in fault.blind:
            if case.hint is not None:
                kept = limits.get(case.hint.metric)
                # Of two hints on one metric the one at the warn level is the narrower.
                if kept is None or case.hint.verdict == "WARN":
                    limits[case.hint.metric] = case.hint.limit
    return [_table(name, limit) for name, limit in limits.items()]


def _table(name: str, limit: Limit) -> str:
    lines = [f"{key:9} = {_toml(value)}" for key, value in limit_table(limit).items()]
    return "\n".join([f"[metric.{name}]", *lines])


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {level!r}" for key, level in value.items()) + " }"
    return json.dumps(value)


def summary(found: Sensitivity) -> str:
    """The last line: how many faults are caught."""
    if not found.probed:
        return "no reference could be used"
    counts = [sum(fault.caught == kind for fault in found.faults) for kind in ("everywhere", "somewhere", "nowhere")]
    total = sum(counts)
    if len(found.probed) == 1:
        text = f"{counts[0]} of {total} faults FAIL, {counts[2]} pass"
    else:
        text = f"{counts[0]} of {total} faults FAIL on every case, {counts[1]} on some, {counts[2]} on none"
    unfit = len(found.faults) - total
    return f"{text}; {unfit} do not apply" if unfit else text
