"""History -> terminal and JSON: steps with their commit, creep, and one metric run by run."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from diagnose.render.layout import STYLES, Labelled, print_parts
from diagnose.text import amount, number, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.render.layout import Part
    from diagnose.results.history import Finding, Run

BARS, PLAIN = "▁▂▃▄▅▆▇█", "_.-=*#"
WIDTH = 32
MOST_CHANGES = 6  # of a run: they are told at once by their commit


def print_history(runs: Sequence[Run], found: Sequence[Finding]) -> None:
    """What creeps, a line each; then each run at which something changed, with what changed, the largest first."""
    parts: list[Part] = [Text.assemble(_label(one), "  ", _head(one)) for one in found if one.creep]
    for at, before, changed in _by_run(found):
        count = f"{len(changed)} metric{'s' if len(changed) != 1 else ''}"
        parts.append(
            Text.assemble(("STEP", "bold"), printable(f"  {count} at {at.name}; the run before: {before.name}"))
        )
        shown = changed[:MOST_CHANGES]
        parts += [Labelled("      ", line) for line in shown]
        if len(changed) > len(shown):
            parts.append(Labelled("      ", f"and {len(changed) - len(shown)} more; --json lists all"))
    steady = sum(not (one.creep or one.steps) for one in found)
    cases = len({one.series.case for one in found})
    span = f"{len(runs)} run{'s' if len(runs) != 1 else ''} from {runs[0].time[:16]} to {runs[-1].time[:16]}"
    counts = f"{len(found) - steady} metrics changed, {steady} steady"
    parts.append(Text(f"{span}, {cases} case{'s' if cases != 1 else ''}: {counts}"))
    print_parts(parts)


def _by_run(found: Sequence[Finding]) -> list[tuple[Run, Run, list[str]]]:
    """(the first run after a step, the run before it, a line a metric that changed there), oldest first."""
    places: dict[str, tuple[Run, Run, list[tuple[float, str]]]] = {}
    for one in found:
        series = one.series
        for step in one.steps if one.creep is None else ():
            at, before = series.runs[step.index], series.runs[step.index - 1]
            size = abs(step.after - step.before) / (series.tolerance or 1.0)
            levels = f"{number(step.before, series.unit)} -> {number(step.after, series.unit)}"
            allowed = f", tolerance {amount(series.tolerance, series.unit)}" if series.tolerance else ""
            line = f"{series.case}::{series.metric}: {levels}{allowed}  {sparkline(series.values)}"
            places.setdefault(at.time, (at, before, []))[2].append((size, line))
    ordered = [places[time] for time in sorted(places)]
    return [(at, before, [line for _, line in sorted(lines, reverse=True)]) for at, before, lines in ordered]


def print_series(found: Sequence[Finding]) -> None:
    """Each series run by run, its steps marked."""
    parts: list[Part] = []
    for one in found:
        series = one.series
        parts.append(Text.assemble(_label(one), "  ", _head(one)))
        marks = {step.index for step in one.steps}
        for index, (run, value) in enumerate(zip(series.runs, series.values, strict=True)):
            verdict = run.cases[series.case].metrics[series.metric].verdict
            sign = ">" if index in marks else " "
            line = f"{sign} {printable(run.name)}  {number(value, series.unit)}"
            parts.append(Text.assemble((f"{verdict:5}", STYLES[verdict]), line))
    print_parts(parts)


def _label(one: Finding) -> tuple[str, str]:
    if one.creep:
        return ("WARN", STYLES["WARN"])
    return ("STEP", "bold") if one.steps else ("same", "dim")


def _head(one: Finding) -> str:
    series, values = one.series, one.series.values
    name = printable(f"{series.case}::{series.metric}")
    allowed = f", tolerance {amount(series.tolerance, series.unit)}" if series.tolerance else ""
    ends = f"{number(values[0], series.unit)} -> {number(values[-1], series.unit)}"
    if one.creep:
        drift = amount(abs(one.creep.drift), series.unit)
        said = f"creeps {'up' if one.creep.drift > 0 else 'down'} by {drift} over {len(values)} runs"
        return f"{name}: {said}, but no single run exceeds the tolerance: {ends}{allowed}  {sparkline(values)}"
    return f"{name}: {ends}{allowed}  {sparkline(values)}"


def sparkline(values: Sequence[float]) -> str:
    """Means of at most 32 parts of a series, lowest to highest in eight heights; ASCII where stdout has no others."""
    parts = np.array_split(np.asarray(values), min(WIDTH, len(values)))
    means = np.array([part.mean() for part in parts])
    signs = BARS if _can_show(BARS) else PLAIN
    span = float(np.ptp(means))
    heights = np.zeros(len(means), int) if span == 0 else ((means - means.min()) / span * (len(signs) - 1)).round()
    return "".join(signs[int(height)] for height in heights)


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeError, LookupError):
        return False
    return True


def to_json(runs: Sequence[Run], found: Sequence[Finding], skipped: Sequence[str]) -> str:
    """{schema, runs: [{time, commit, ...}], skipped, metrics: [{case, metric, unit, values, steps, creep}]}."""
    document = {
        "schema": "diagnose.history-view/1",
        "runs": [
            {"time": run.time, "commit": run.commit, "dirty": run.dirty, "branch": run.branch, "host": run.host,
             "tool_version": run.tool_version, "verdict": run.verdict}
            for run in runs
        ],
        "skipped": list(skipped),
        "metrics": [_metric(one) for one in found],
    }  # fmt: skip
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _metric(one: Finding) -> dict[str, object]:
    series = one.series
    return {
        "case": series.case,
        "metric": series.metric,
        "unit": series.unit,
        "tolerance": series.tolerance,
        "values": [[run.time, value] for run, value in zip(series.runs, series.values, strict=True)],
        "steps": [
            {
                "before": step.before,
                "after": step.after,
                "time": series.runs[step.index].time,
                "commit": series.runs[step.index].commit,
                "last_good": series.runs[step.index - 1].commit,
            }
            for step in one.steps
        ],
        "creep": None if one.creep is None else {"drift": one.creep.drift, "slope": one.creep.slope, "z": one.creep.z},
    }
