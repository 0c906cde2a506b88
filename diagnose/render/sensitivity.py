"""What thresholds catch of the known faults: the result of diagnose.sensitivity, its dict and its words.

The dict is `diagnose.sensitivity/1`.  Severities run from 0 (just to be found) to 1; an amount is in the fault's unit.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from diagnose.render.words import amount, number
from diagnose.verdicts import Level, Limit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SCHEMA = "diagnose.sensitivity/1"
WEAKEST = "*"  # beside an amount that is the weakest of all that were tried

Caught = Literal["everywhere", "somewhere", "nowhere", "does not apply"]


class Rung(msgspec.Struct, frozen=True):
    """The smallest severity that reached a verdict.  amount: None for a fault that is there or not.

    metric: the one furthest over its limit there, with its change.
    """

    severity: float
    amount: float | None
    metric: str
    change: float | None
    unit: str


class Hint(msgspec.Struct, frozen=True):
    """A limit that would catch what the thresholds let pass.

    verdict: what the built-in limit says at the highest severity; for "WARN", limit fails at its warn level.
    tightens: whether the thresholds have a limit on the metric already, which is wider.
    """

    metric: str
    verdict: Literal["WARN", "FAIL"]
    change: float
    limit: Limit
    tightens: bool


class CaseFinding(msgspec.Struct, frozen=True):
    """One fault in one case.  skipped: why it was not asked.  hint: only where nothing FAILs."""

    case: str
    warn: Rung | None = None
    fail: Rung | None = None
    hint: Hint | None = None
    skipped: str | None = None


class FaultFinding(msgspec.Struct, frozen=True):
    """One fault in every case that could be probed."""

    name: str
    cause: str
    about: str
    unit: str
    cases: tuple[CaseFinding, ...]

    @property
    def asked(self) -> list[CaseFinding]:
        return [case for case in self.cases if case.skipped is None]

    @property
    def blind(self) -> list[CaseFinding]:
        """Where the fault passes at every severity, or only WARNs."""
        return [case for case in self.asked if case.fail is None]

    @property
    def caught(self) -> Caught:
        if not self.asked:
            return "does not apply"
        if not self.blind:
            return "everywhere"
        return "somewhere" if len(self.blind) < len(self.asked) else "nowhere"

    def worst(self, verdict: Literal["warn", "fail"]) -> tuple[str, Rung] | None:
        """(case, rung) that needs the largest severity to reach the verdict, of those that reach it."""
        rungs = [(case.case, case.warn if verdict == "warn" else case.fail) for case in self.asked]
        reached = [(case, rung) for case, rung in rungs if rung is not None]
        return max(reached, key=lambda one: one[1].severity, default=None)


class ProbedCase(msgspec.Struct, frozen=True):
    """One case of the suite.  error: why its reference could not be probed.

    duration_s, start_s, probed_s: the whole reference, and the part of it that was used.
    alarms, vocoder_alarms: metrics that FAIL without a fault: on the reference itself, and on a faultless round
    trip through mel and Griffin-Lim.  They tell nothing of a fault (the latter: of one at the mel) and do not count.
    """

    id: str
    reference: str
    duration_s: float | None = None
    start_s: float | None = None
    probed_s: float | None = None
    alarms: tuple[str, ...] = ()
    vocoder_alarms: tuple[str, ...] = ()
    error: str | None = None


class Sensitivity(msgspec.Struct, frozen=True):
    """What a suite's thresholds catch of the known faults.  ladder: the severities that were tried, rising."""

    tool_version: str
    suite: str
    ladder: tuple[float, ...]
    cases: tuple[ProbedCase, ...]
    faults: tuple[FaultFinding, ...]

    def __getitem__(self, fault: str) -> FaultFinding:
        """The finding on a fault, by its name."""
        for finding in self.faults:
            if finding.name == fault:
                return finding
        raise KeyError(fault)

    @property
    def probed(self) -> list[ProbedCase]:
        return [case for case in self.cases if case.error is None]

    @property
    def blind(self) -> list[FaultFinding]:
        """Faults that pass in a case at least."""
        return [fault for fault in self.faults if fault.blind]

    def as_dict(self) -> dict[str, Any]:
        """The object `--json` prints; every value is a JSON type, a missing one is None."""
        return {
            "schema": SCHEMA,
            "tool": {"name": "timbre-diagnose", "version": self.tool_version},
            "suite": self.suite,
            "ladder": list(self.ladder),
            "cases": [msgspec.to_builtins(case) for case in self.cases],
            "faults": [_fault(fault) for fault in self.faults],
        }


def to_json(found: Sensitivity) -> str:
    """One object and a newline; a NaN would be a mistake and raises ValueError."""
    return json.dumps(found.as_dict(), indent=2, allow_nan=False) + "\n"


def _fault(fault: FaultFinding) -> dict[str, Any]:
    return {
        "name": fault.name,
        "cause": fault.cause,
        "about": fault.about,
        "unit": fault.unit or None,
        "caught": fault.caught,
        "warn": _worst(fault.worst("warn")),
        "fail": _worst(fault.worst("fail")),
        "cases": [_case(case) for case in fault.cases],
    }


def _worst(found: tuple[str, Rung] | None) -> dict[str, Any] | None:
    return None if found is None else {"case": found[0], **msgspec.to_builtins(found[1])}


def _case(case: CaseFinding) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(case)
    if case.hint is not None:
        found["hint"]["limit"] = _levels(case.hint.limit)
    return found


def _levels(limit: Limit) -> dict[str, Any]:
    """A limit as a profile writes it, without the keys that say nothing."""
    values = {key: getattr(limit, key) for key in ("unit", "direction", "warn", "fail", "reason")}
    return {key: _level(value) for key, value in values.items() if value is not None}


def _level(value: float | Level | str) -> float | str | dict[str, float]:
    if not isinstance(value, Level):
        return value
    return {key: share for key, share in msgspec.structs.asdict(value).items() if share}


# --- words -------------------------------------------------------------------------------------------------


def strength(fault: FaultFinding, rung: Rung | None) -> str:
    """The amount of a rung, its unit beside it; marked where it is the weakest that was tried; a dash for none."""
    if rung is None or rung.amount is None:
        return "yes" if rung else number(None, fault.unit)
    return number(rung.amount, fault.unit).removesuffix(f" {fault.unit}") + (WEAKEST if rung.severity == 0 else "")


def case_notes(found: Sensitivity) -> Iterator[str]:
    """What was not used of a case, and what did not count, in a line each."""
    for case in found.probed:
        if case.probed_s is not None and case.duration_s is not None and case.probed_s < case.duration_s:
            part = f"{case.probed_s:g} s from {case.start_s:.2f} s on"
            yield f"{case.id}: {part} were used, of {case.duration_s:.1f} s"
        if case.alarms:
            yield f"{case.id}: FAIL without any fault, so they tell nothing: {', '.join(case.alarms)}"
        if case.vocoder_alarms:
            names = ", ".join(case.vocoder_alarms)
            yield f"{case.id}: FAIL a faultless mel round trip, so they did not count for faults at the mel: {names}"


def hint_text(hint: Hint | None) -> str:
    """What to add to the thresholds, as the end of a line."""
    if hint is None:
        return "no built-in limit sees it"
    what = "tighten the limit on" if hint.tightens else "add a limit on"
    level = "built-in" if hint.verdict == "FAIL" else "built-in warn"
    fail = _toml(_level(hint.limit.fail)) if hint.limit.fail is not None else "none"
    return f"{what} {hint.metric}, {amount(hint.change, hint.limit.unit)} at the strongest ({level} level: {fail})"


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
    lines = [f"{key:9} = {_toml(value)}" for key, value in _levels(limit).items()]
    return "\n".join([f"[metric.{name}]", *lines])


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {level!r}" for key, level in value.items()) + " }"
    return json.dumps(value)


def summary(found: Sensitivity) -> str:
    """The last line: how many faults are caught."""
    if not found.probed:
        return "nothing was probed"
    counts = [sum(fault.caught == kind for fault in found.faults) for kind in ("everywhere", "somewhere", "nowhere")]
    total = sum(counts)
    if len(found.probed) == 1:
        text = f"{counts[0]} of {total} faults FAIL, {counts[2]} pass"
    else:
        text = f"{counts[0]} of {total} faults FAIL on every case, {counts[1]} on some, {counts[2]} on none"
    unfit = len(found.faults) - total
    return f"{text}; {unfit} do not apply" if unfit else text
