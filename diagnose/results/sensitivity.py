"""Findings: which known faults the limits detect; the input of the renderers of `diagnose sensitivity`.

The dict is `diagnose.sensitivity/1`.  Severities run from 0 (just to be found) to 1; an amount is in the fault's unit.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from diagnose.results.limit import Limit, Threshold

SCHEMA = "diagnose.sensitivity/1"

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
        found["hint"]["limit"] = limit_table(case.hint.limit)
    return found


def limit_table(limit: Limit) -> dict[str, Any]:
    """A limit as a profile writes it, without the keys that say nothing."""
    values = {key: getattr(limit, key) for key in ("unit", "direction", "warn", "fail", "reason")}
    return {key: _level(value) for key, value in values.items() if value is not None}


def _level(value: float | Threshold | str) -> float | str | dict[str, float]:
    if not isinstance(value, Threshold):
        return value
    return {key: share for key, share in msgspec.structs.asdict(value).items() if share}
