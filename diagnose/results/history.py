"""A gate over time: a Run per check, a Series per metric, and a Finding if one changed or creeps."""

from __future__ import annotations

import msgspec

from diagnose.results.verdict import Verdict  # noqa: TC001 -- read by msgspec

SHORT = 8


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One metric of a case: the change that was judged, how far it might move, and the verdict."""

    verdict: Verdict
    change: float | None = None
    tolerance: float | None = None


class CaseFigures(msgspec.Struct, frozen=True):
    """One case of a run."""

    verdict: Verdict
    metrics: dict[str, Figure]


class Run(msgspec.Struct, frozen=True):
    """One check.  dirty: whether the working tree held changes that are in no commit."""

    schema: str
    time: str
    commit: str | None
    dirty: bool | None
    branch: str | None
    host: str
    tool_version: str
    suite: str
    verdict: Verdict
    cases: dict[str, CaseFigures]

    @property
    def name(self) -> str:
        """Time, commit and host in a few words."""
        commit = f"{self.commit[:SHORT]}{'+changes' if self.dirty else ''}" if self.commit else "no commit"
        return f"{self.time[:16].replace('T', ' ')} {commit} on {self.host}"


class Step(msgspec.Struct, frozen=True):
    """index: the first run after it.  before, after: medians of the two levels.  runs: how long the later one held."""

    index: int
    before: float
    after: float
    runs: int


class Trend(msgspec.Struct, frozen=True):
    """z: Kendall's S in its standard deviations; slope: change a run; drift: slope times (n - 1)."""

    z: float
    slope: float
    drift: float


class Series(msgspec.Struct, frozen=True):
    """One metric of one case over the runs that measured it; tolerance: the last run's."""

    case: str
    metric: str
    unit: str
    runs: tuple[Run, ...]
    values: tuple[float, ...]
    tolerance: float | None


class Finding(msgspec.Struct, frozen=True):
    """A series with its steps, and its trend where it creeps."""

    series: Series
    steps: tuple[Step, ...] = ()
    creep: Trend | None = None

    @property
    def size(self) -> float:
        """Of the largest change, in tolerances; for sorting, worst first."""
        moved = [abs(step.after - step.before) for step in self.steps]
        largest = abs(self.creep.drift) if self.creep else max(moved, default=0.0)
        return largest / self.series.tolerance if self.series.tolerance else largest
