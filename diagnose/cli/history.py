"""diagnose history: the metrics of a suite over time."""

from __future__ import annotations

import os

import click

from diagnose.cli.output import check_outputs, outputs, write
from diagnose.errors import InputError, NotComparable


@click.command()
@click.argument("place", metavar="DIR|SUITE")
@click.option("--metric", metavar="NAME", help="Show this metric, one line per run.")
@click.option("--case", metavar="ID", help="Show only this case.")
@click.option("--branch", metavar="NAME", help="Use only runs of this branch.")
@click.option("--last", type=click.IntRange(min=1), default=500, show_default=True, help="Use only the last N runs.")
@outputs("json")
def history(
    place: str, metric: str | None, case: str | None, branch: str | None, last: int, **targets: str | None
) -> None:
    """Show the steps and slow drifts (creep) of a suite's metrics.

    \b
    diagnose history tests/audio/suite.toml
    diagnose history tests/audio/history --metric rms_ratio --case violin
    diagnose history tests/audio/suite.toml --json - | jq '.metrics[] | select(.creep)'

    A step is shown with its commit.  Creep is a drift of at least half a metric's tolerance in which no single run
    failed.  `diagnose check` saves the results of a run if the suite has history = "DIR", or with --history DIR.
    """
    check_outputs(targets)
    from diagnose.gate.history import load
    from diagnose.gate.trends import findings

    folder, suite = _folder(place)
    runs, skipped = load(folder)
    for line in skipped:
        click.echo(f"diagnose: {line}", err=True)
    runs = [run for run in runs if branch in (None, run.branch) and suite in (None, run.suite)]
    several = sorted({run.suite for run in runs})
    if len(several) > 1:
        raise InputError(f"{place}: has runs of several suites ({', '.join(several[:3])}); give the suite's file")
    runs = runs[-last:]
    found = findings(runs, case, metric)
    if not found:
        raise NotComparable(f"{place}: no run has {_asked(metric, case, branch)}")
    if targets["json"] is not None:
        from diagnose.render.history import to_json

        write(targets["json"], to_json(runs, found, skipped))
    if targets["json"] != "-":
        from diagnose.render.history import print_history, print_series

        if metric:
            print_series(found)
        else:
            print_history(runs, found)


def _asked(metric: str | None, case: str | None, branch: str | None) -> str:
    asked = {"metric": metric, "case": case, "branch": branch}
    return ", ".join(f"{name} {value!r}" for name, value in asked.items() if value) or "a metric"


def _folder(place: str) -> tuple[str, str | None]:
    """A folder with all its runs; of a suite the folder that it names, and its own runs there."""
    if os.path.isdir(place):
        return place, None
    from diagnose.gate.suite import load_suite

    suite = load_suite(place)
    if suite.history is None:
        raise InputError(f'{place}: has no history; set history = "history" below [suite]')
    return str(suite.history), suite.name
