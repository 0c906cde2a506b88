"""From the runs of a history: which metric changed, at which commit, and which one creeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.gate.creep import creeps
from diagnose.gate.steps import steps
from diagnose.metrics import METRICS
from diagnose.results.history import Finding, Series

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from diagnose.results.history import Run

HALF = 0.5  # of the tolerance: a drift of less may still be noise of the gate itself


def every_series(runs: Sequence[Run], case: str | None = None, metric: str | None = None) -> Iterator[Series]:
    """Of all cases and metrics that this version knows, or of the one asked for."""
    names = dict.fromkeys((of, name) for run in runs for of, kept in run.cases.items() for name in kept.metrics)
    for of, name in names:
        if name not in METRICS or case not in (None, of) or metric not in (None, name):
            continue
        mine = [run for run in runs if of in run.cases and name in run.cases[of].metrics]
        figures = [run.cases[of].metrics[name] for run in mine]
        measured = [(run, one.change) for run, one in zip(mine, figures, strict=True) if one.change is not None]
        if measured:
            yield Series(
                of,
                name,
                METRICS[name].unit,
                tuple(run for run, _ in measured),
                tuple(change for _, change in measured),
                next((one.tolerance for one in reversed(figures) if one.tolerance), None),
            )


def finding(series: Series) -> Finding:
    """The steps of a series; and its creep, where no check failed and it drifts by half of what one run may move."""
    values = np.asarray(series.values)
    found = steps(values)
    creep = creeps(values, found)
    failed = any(run.cases[series.case].metrics[series.metric].verdict == "FAIL" for run in series.runs)
    if creep is not None and not failed and abs(creep.drift) >= HALF * (series.tolerance or 0.0):
        return Finding(series, found, creep)
    return Finding(series, found)


def findings(runs: Sequence[Run], case: str | None = None, metric: str | None = None) -> list[Finding]:
    """Every series with what was found in it: what creeps first, then the steps, the largest in tolerances first."""
    found = [finding(series) for series in every_series(runs, case, metric)]
    return sorted(found, key=lambda one: (one.creep is None, -one.size))
