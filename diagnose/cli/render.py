"""diagnose render: a report that was kept, shown again."""

from __future__ import annotations

import os

import click

from diagnose.cli.output import check_outputs, finish, outputs, write_report


@click.command()
@click.argument("report")
@click.option(
    "--all", "every_metric", is_flag=True, help="Show every metric in the terminal, not only what is over a limit."
)
@outputs("json", "html", "junit", "markdown")
def render(report: str, every_metric: bool, **targets: str | None) -> None:
    """Show the REPORT that `diagnose compare --json` wrote; nothing is measured again.

    \b
    diagnose render report.json
    diagnose render report.json --html report.html
    diagnose compare violin.wav generated.wav --json - | diagnose render - --markdown summary.md

    REPORT is a file, or - for stdin.  Exits as the comparison did.  The page has pictures and players where both
    sounds still lie where they were, or beside REPORT, unchanged; otherwise it says why it has none.
    """
    check_outputs(targets, *([] if report == "-" else [report]))
    from diagnose.results.report_json import read_report

    read = read_report(report)
    if targets["html"] is not None:
        from diagnose.comparison import reattach

        read = reattach(read, "" if report == "-" else os.path.dirname(report))
    write_report(read, targets)
    if "-" not in targets.values():
        from diagnose.render.terminal import print_report

        print_report(read, every_metric)
    finish(read.verdict)
