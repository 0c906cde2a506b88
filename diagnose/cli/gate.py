"""diagnose record, check, accept, calibrate, sensitivity: a suite of pairs and its limits."""

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
    """Measure the cases of SUITE that have no golden yet, and write one for each.

    \b
    diagnose record tests/audio/suite.toml

    Existing goldens are never touched; `diagnose accept` changes them, with a reason.
    """
    from diagnose import gate

    recorded, kept = gate.record(suite)
    for case in recorded:
        click.echo(f"recorded {case}")
    if kept:
        click.echo(f"kept {len(kept)} existing: {', '.join(kept)} (change one with `diagnose accept`)", err=True)
    if recorded:
        click.echo("read them before you commit them: from now on they are what is right", err=True)


@click.command()
@click.argument("suite")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--against", metavar="GIT_REF", help="Hold it against what COMMAND renders at this revision.")
@click.option("--history", metavar="DIR", help="Keep this run's figures in DIR, instead of where the suite says.")
@outputs("junit", "markdown", "html", "github")
def check(
    suite: str, command: tuple[str, ...], against: str | None, history: str | None, **targets: str | None
) -> None:
    """Hold every case of SUITE against its golden; the gate for CI.

    \b
    diagnose check tests/audio/suite.toml --junit report.xml --markdown "$GITHUB_STEP_SUMMARY"
    diagnose check tests/audio/suite.toml --html failures.html --github -
    diagnose check tests/audio/suite.toml --against origin/main -- python render.py

    Exits 1 where a case fails (a missing baseline, a vanished metric and an unused golden fail too), 3 where
    nothing was compared.  It writes no golden.  With --against it needs none: COMMAND writes the generated sounds,
    first in a temporary checkout of GIT_REF, then here, and the old figures are what is held.  GITHUB is that
    service's annotations, at the golden's lines.
    """
    check_outputs(targets, suite)
    if bool(against) != bool(command):
        raise click.UsageError("--against GIT_REF and the COMMAND behind -- go together")
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
    """Keep the run where the suite or the user says; what cannot be kept is no verdict."""
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
        click.echo(f"diagnose: this run is not kept: {error}", err=True)


@click.command()
@click.argument("suite")
@click.argument("case")
@click.option("--reason", required=True, help="Why the new value is right; kept beside both values.")
@click.option("--who", help="Who accepts it; git's user.name by default.")
def accept(suite: str, case: str, reason: str, who: str | None) -> None:
    """Make what CASE, or CASE::METRIC, measures now its golden.

    \b
    diagnose accept tests/audio/suite.toml violin::rms_ratio --reason "the new model is 1 dB louder"

    Only what `check` would not pass is changed; who, when, why and both values are kept in the golden.
    """
    from diagnose import gate
    from diagnose.text import number, printable

    name, separator, metric = case.partition("::")
    if separator and not metric:
        raise click.UsageError(f"{case}: no metric after '::'")
    for entry in gate.accept(suite, name, metric or None, reason, who):
        old, new = (v if isinstance(v, str) or v is None else number(v, "ratio") for v in (entry.old, entry.new))
        click.echo(printable(f"accepted {name}::{entry.metric}: {old} -> {new}"))


@click.command()
@click.argument("suite")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--runs", type=int, default=20, show_default=True, metavar="N", help="How often COMMAND is run.")
def calibrate(suite: str, command: tuple[str, ...], runs: int) -> None:
    """Earn the tolerances of SUITE: run COMMAND N times, and keep how far its figures spread.

    \b
    diagnose calibrate tests/audio/suite.toml --runs 20 -- python render.py

    COMMAND writes every generated sound anew, as the model at hand does: with a seed of its own each time
    (DIAGNOSE_RUN is 0 to N - 1).  Each golden then holds their spread and the tolerance that one more run needs, with
    method, command and N beside them, and a new one the mean of the runs; `check` fails where a difference passes
    this and the profile's tolerance.  One that moved by more is refused, and not learnt.
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
@click.option(
    "--fault", "faults", metavar="NAME", multiple=True, help="Ask for this known fault alone; may be repeated."
)
@outputs("json")
def sensitivity(suite: str, faults: tuple[str, ...], **targets: str | None) -> None:
    """Inject known faults into the references of SUITE: from what strength on do its limits catch each?

    \b
    diagnose sensitivity tests/audio/suite.toml
    diagnose sensitivity tests/audio/suite.toml --fault polarity --fault clicks --json - | jq .faults

    Limits are the warn and fail levels of the suite's profile and of its cases; the goldens that `check` holds
    besides are not asked.  Of a long reference 10 s are used.  A fault that passes is shown with the limit that
    would catch it.  Exits 0 whatever is caught, 3 where no reference could be probed.  It writes no golden.
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
