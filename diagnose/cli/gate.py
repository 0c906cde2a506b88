"""diagnose record, check, accept, calibrate, sensitivity: the commands on a suite."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import click

from diagnose.cli.output import check_outputs, finish, outputs, with_progress, write, write_suite

if TYPE_CHECKING:
    from diagnose.results.suite import Suite


@click.command()
@click.argument("suite")
def record(suite: str) -> None:
    """Write a golden for each case of SUITE that has none.

    \b
    diagnose record tests/audio/suite.toml

    Existing goldens are not changed; use `diagnose accept` for that.  Review the new goldens, then commit them.
    """
    from diagnose import gate

    recorded, kept = gate.record(suite)
    for case in recorded:
        click.echo(f"recorded {case}")
    if kept:
        click.echo(f"unchanged: {', '.join(kept)} (`diagnose accept` changes a golden)", err=True)
    if recorded:
        click.echo("review the goldens before you commit them: they are now what `diagnose check` expects", err=True)


@click.command()
@click.argument("suite")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--against", metavar="GIT_REF", help="Compare with what COMMAND renders at this revision.")
@click.option("--history", metavar="DIR", help="Save the results in DIR, instead of where the suite says.")
@outputs("junit", "markdown", "html", "github")
def check(
    suite: str, command: tuple[str, ...], against: str | None, history: str | None, **targets: str | None
) -> None:
    """Compare every case of SUITE with its golden: the gate for CI.

    \b
    diagnose check tests/audio/suite.toml --junit report.xml --markdown "$GITHUB_STEP_SUMMARY"
    diagnose check tests/audio/suite.toml --html failures.html --github -
    diagnose check tests/audio/suite.toml --against origin/main -- python render.py

    The check also fails if a case has no golden, if a metric of a golden is no longer measured, or if a golden
    belongs to no case.  No golden is written.  With --against no golden is needed: COMMAND writes the generated
    sounds first in a temporary checkout of GIT_REF, then in the working tree, and the two are compared.  --github
    writes annotations for GitHub Actions.

    Exit codes: 0 every case passed; 1 a case FAILs; 3 nothing was compared.
    """
    check_outputs(targets, suite)
    if bool(against) != bool(command):
        raise click.UsageError("--against GIT_REF needs a COMMAND after --, and a COMMAND needs --against")
    from diagnose import gate

    sections = None
    if targets["html"] is not None:
        from diagnose.render.failures import Sections

        sections = Sections()
    result = gate.check_against(suite, against, command, sections) if against else gate.check(suite, sections)
    write_suite(result, targets, sections.found if sections else None)
    _keep(result, suite, history)
    if "-" not in targets.values():
        from diagnose.render.terminal import print_suite

        print_suite(result)
    finish(result.verdict)


def _keep(result: Suite, path: str, folder: str | None) -> None:
    """Save the results of a run where the suite or the user says; a failure to save changes no verdict."""
    from diagnose.errors import DiagnoseError
    from diagnose.gate.suite import load_suite

    plan = load_suite(path)
    place = folder or plan.history
    if place is None:
        return
    from diagnose.gate.history import keep

    try:
        keep(place, result, plan.folder)
    except DiagnoseError as error:
        click.echo(f"diagnose: the results of this run were not saved: {error}", err=True)


@click.command()
@click.argument("suite")
@click.argument("case")
@click.option("--reason", required=True, help="Why the new value is right; stored in the golden.")
@click.option("--who", help="Who accepts it.  [default: git's user.name]")
def accept(suite: str, case: str, reason: str, who: str | None) -> None:
    """Accept what CASE, or CASE::METRIC, measures now as its golden.

    \b
    diagnose accept tests/audio/suite.toml violin::rms_ratio --reason "the new model is 1 dB louder"

    Only values that `diagnose check` does not pass are replaced.  The golden stores both values, the reason, the
    name and the time.
    """
    from diagnose import gate
    from diagnose.text import number, printable

    name, separator, metric = case.partition("::")
    if separator and not metric:
        raise click.UsageError(f"{case}: the metric after '::' is missing")
    for entry in gate.accept(suite, name, metric or None, reason, who):
        old, new = (v if isinstance(v, str) or v is None else number(v, "ratio") for v in (entry.old, entry.new))
        click.echo(printable(f"accepted {name}::{entry.metric}: {old} -> {new}"))


@click.command()
@click.argument("suite")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--runs", type=int, default=20, show_default=True, metavar="N", help="Number of runs of COMMAND.")
def calibrate(suite: str, command: tuple[str, ...], runs: int) -> None:
    """Set the tolerances of SUITE from N runs of COMMAND.

    \b
    diagnose calibrate tests/audio/suite.toml --runs 20 -- python render.py

    Each run of COMMAND must write all generated sounds, with another seed: the environment variable DIAGNOSE_RUN is 0
    to N - 1.  Each golden then stores the spread of its metrics, the tolerance for this spread, the method, the
    command and N.  A new golden stores the mean of the runs.  `diagnose check` fails where a difference exceeds both
    this tolerance and the profile's.  A metric that moved by more than its spread explains is an error: accept it
    first.
    """
    from diagnose import gate
    from diagnose.process import render
    from diagnose.render.terminal import print_earned

    def run(number: int) -> None:
        render(command, os.curdir, {"DIAGNOSE_RUN": str(number)})

    name = shlex.join(command)
    print_earned(with_progress(lambda progress: gate.calibrate(suite, runs, run, name, progress)), runs)


@click.command()
@click.argument("suite")
@click.option("--fault", "faults", metavar="NAME", multiple=True, help="Inject only this fault; may be repeated.")
@outputs("json")
def sensitivity(suite: str, faults: tuple[str, ...], **targets: str | None) -> None:
    """Show which known faults the limits of SUITE detect.

    \b
    diagnose sensitivity tests/audio/suite.toml
    diagnose sensitivity tests/audio/suite.toml --fault polarity --fault clicks --json - | jq .faults

    Each fault is injected into the references, in several strengths.  The limits are the warn and fail levels of the
    suite's profile and of its cases; goldens are neither used nor written.  At most 10 s of a reference are used.  A
    fault that passes is shown with a limit that would detect it.

    Exit codes: 0 done, whatever was detected; 3 no reference could be used.
    """
    check_outputs(targets, suite)
    from diagnose.gate.sensitivity import probe

    found = with_progress(lambda progress: probe(suite, faults or None, progress))
    if targets["json"] is not None:
        from diagnose.render.sensitivity import to_json

        write(targets["json"], to_json(found))
    if targets["json"] != "-":
        from diagnose.render.terminal import print_sensitivity

        print_sensitivity(found)
    finish("PASS" if found.probed else "ERROR")
