"""diagnose render: show a saved report."""

from __future__ import annotations

import os

import click

from diagnose.cli.output import check_outputs, finish, outputs, write_report


@click.command()
@click.argument("report")
@click.option(
    "--all", "every_metric", is_flag=True, help="Show every metric in the terminal, not only those over a limit."
)
@outputs("json", "html", "junit", "markdown")
def render(report: str, every_metric: bool, **targets: str | None) -> None:
    """Show a REPORT of `diagnose compare --json` again.

    \b
    diagnose render report.json
    diagnose render report.json --html report.html
    diagnose compare violin.wav generated.wav --json - | diagnose render - --markdown summary.md

    REPORT is a file, or - for stdin.  Nothing is measured again.  The HTML page has pictures and players if both
    sounds are unchanged and at their old path or next to REPORT; otherwise the page says what is missing.  The exit
    code is the comparison's.
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
