"""diagnose rule: what is known of a cause."""

from __future__ import annotations

import click

from diagnose.cli.output import check_outputs, outputs, write


@click.command()
@click.argument("cause", required=False)
@click.option("--all", "every_cause", is_flag=True, help="Show every cause in full, not only a list.")
@outputs("json")
def rule(cause: str | None, every_cause: bool, **targets: str | None) -> None:
    """Explain a CAUSE that a report names: what it is, how it is told, what it is confused with, how to mend it.

    \b
    diagnose rule                                lists the causes, by family
    diagnose rule dc-offset
    diagnose rule clipping --json - | jq -r '.causes[0].fix'

    In JSON every cause is given in full, whether one was asked for or all are.
    """
    if cause is not None and every_cause:
        raise click.UsageError("--all: shows every cause; leave CAUSE out")
    check_outputs(targets)
    from diagnose.faults import CATALOGUE, fault_named

    faults = tuple(CATALOGUE.values()) if cause is None else (fault_named(cause),)
    if targets["json"] is not None:
        from diagnose.render.rule import to_json

        write(targets["json"], to_json(faults))
    if targets["json"] != "-":
        from diagnose.render.rule import print_faults, print_list

        if cause is None and not every_cause:
            print_list(faults)
        else:
            print_faults(faults)
