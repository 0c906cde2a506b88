"""The results of a gate: a Check per metric, a Case per pair, a Suite of cases; and of a calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.results.verdict import Verdict, overall

if TYPE_CHECKING:
    from diagnose.results.cause import Cause
    from diagnose.results.region import Region
    from diagnose.results.repair import Repair


class Check(msgspec.Struct, frozen=True):
    """One judged figure in words, the form that JUnit, Markdown and a suite's summary share."""

    metric: str
    verdict: Verdict
    text: str
    better: bool = False  # passed by being better than what was recorded
    line: int | None = None  # of the metric's table in the golden's file
    change: float | None = None  # what was measured, in the metric's unit, as the text has it
    tolerance: float | None = None


class Case(msgspec.Struct, frozen=True):
    """One pair of a suite.  error: why it could not be measured, where it could not.  causes: most likely first.

    golden: the file it is held against; regions: where it fails, largest first; known: ids of the causes that were
    there when it was recorded.  repair: what was undone, where that was asked for.
    """

    id: str
    verdict: Verdict
    checks: tuple[Check, ...] = ()
    error: str | None = None
    causes: tuple[Cause, ...] = ()
    golden: str | None = None
    regions: tuple[Region, ...] = ()
    known: tuple[str, ...] = ()
    repair: Repair | None = None


class Earned(msgspec.Struct, frozen=True):
    """What one metric of a case earned by a calibration, in its unit; None where too few runs had the figure.

    threshold: the profile's tolerance, which holds where it is wider.
    """

    case: str
    metric: str
    unit: str
    mean: float | None
    spread: float | None
    tolerance: float | None
    threshold: float


class Suite(msgspec.Struct, frozen=True):
    """What a gate found; ERROR where no case was compared."""

    name: str
    cases: tuple[Case, ...]

    @property
    def verdict(self) -> Verdict:
        return overall([case.verdict for case in self.cases])
