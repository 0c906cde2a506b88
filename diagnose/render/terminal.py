"""Report -> terminal: the verdict first, then what is wrong, worst first, in words; then what passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from diagnose.render.sensitivity import WEAKEST, blind_lines, case_notes, strength, summary, tables_to_copy
from diagnose.render.words import (
    amount,
    case_line,
    cause_line,
    cause_lines,
    headline,
    limit_text,
    meaning,
    number,
    place_line,
    places,
    printable,
    suite_line,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from diagnose.causes.cause import Cause
    from diagnose.findings import FaultFinding, Sensitivity
    from diagnose.report import Case, Earned, Report, Suite
    from diagnose.verdicts import MetricRow

PIPED_WIDTH = 120
ROWS_UNDER_A_CAUSE = 6  # the cause has said it
PLACES_OF_A_CASE = 3
MOST_ROWS = 12  # of the table without --all: what is worst fits one screen
STYLES = {"PASS": "bold green", "WARN": "bold yellow", "FAIL": "bold red", "ERROR": "bold magenta"}


def print_report(report: Report, every_metric: bool = False) -> None:
    """Write a comparison to stdout; colour only where stdout is a terminal."""
    print_parts(_report(report, every_metric))


def print_suite(suite: Suite) -> None:
    """Write what a gate found to stdout: a line a case, below it what did not pass."""
    print_parts(_suite(suite))


def print_sensitivity(found: Sensitivity) -> None:
    """Write what thresholds catch to stdout: a line a fault, then what they are blind to, and the count last."""
    print_parts(_sensitivity(found))


def print_earned(earned: Sequence[Earned], runs: int) -> None:
    """Write what a calibration found to stdout: the metrics whose spread is wider than their threshold, by case."""
    print_parts(_earned(earned, runs))


class Labelled(msgspec.Struct, frozen=True):
    """A line whose text goes on under itself, and not under its label, where a terminal has to wrap it."""

    label: str
    text: str

    @property
    def whole(self) -> Text:
        return Text(self.label + printable(self.text))

    @property
    def wrapped(self) -> Table:
        table = Table.grid()
        table.add_column(width=len(self.label))
        table.add_column(overflow="fold")
        table.add_row(Text(self.label), Text(printable(self.text)))
        return table


def print_parts(parts: Sequence[RenderableType | Labelled], piped_width: int = PIPED_WIDTH) -> None:
    """Write parts to stdout, one below the other; a table takes piped_width where there is no terminal."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=piped_width)
    for part in parts:
        if isinstance(part, Labelled):
            part = part.wrapped if console.is_terminal else part.whole
        # Without a terminal there is no width to fit: a long path stays whole for whoever reads the pipe.
        console.print(part, soft_wrap=isinstance(part, Text) and not console.is_terminal)


def _report(report: Report, every_metric: bool) -> list[RenderableType | Labelled]:
    parts: list[RenderableType | Labelled] = [_verdict(report.verdict, headline(report)), _files(report)]
    parts += _causes(report.causes)
    judged = report.worst_first
    over = [row for row in judged if row.judgement.verdict != "PASS"]
    most = ROWS_UNDER_A_CAUSE if report.causes else MOST_ROWS
    shown = judged if every_metric else over[:most]
    if shown:
        parts.append(_table(shown))
    if not every_metric and over[most:]:
        names = ", ".join(row.name for row in over[most:])
        parts.append(Text(f"{len(over) - most} more over a limit (--all shows them): {names}", style="yellow"))
    passed = [row.name for row in judged if row.judgement.verdict == "PASS"]
    if passed and not every_metric:
        parts.append(Text(f"{len(passed)} metrics passed: {', '.join(passed)}", style="green"))
    if every_metric:
        parts.append(_table([row for row in report.metrics if row.judgement.verdict is None]))
    parts += [Text(f"note: {note}", style="dim") for note in report.notes]
    return parts


def _verdict(verdict: str, text: str) -> Text:
    return Text.assemble((verdict, STYLES[verdict]), "  ", printable(text))


def _files(report: Report) -> Text:
    lines = []
    for side, sound in (("reference", report.reference), ("generated", report.generated)):
        channels = f"{sound.channels} channel{'s' if sound.channels > 1 else ''}"
        lines.append(f"{side}  {printable(sound.path)}  {sound.rate_hz} Hz, {channels}, {sound.duration_s:.3f} s")
    now = report.alignment
    if now.delay_s is None:
        lines.append(f"aligned    no: {now.reason}; gain {now.gain_db:+.1f} dB")
    else:
        turned = ", polarity inverted" if now.polarity == -1 else ""
        lines.append(
            f"aligned    by {now.method}: delay {1000 * now.delay_s:+.1f} ms, gain {now.gain_db:+.1f} dB{turned}"
        )
    return Text("\n".join(lines))


def _causes(causes: tuple[Cause, ...]) -> list[Labelled]:
    """The first cause with its evidence, what follows from it and the fix; the others in a line each."""
    if not causes:
        return []
    lines = [Labelled("cause      ", cause_line(causes[0]))]
    before = ""
    for label, text in cause_lines(causes[0]):
        shown = "" if label == before else f"{label}:"
        lines.append(Labelled(f"{'':11}{shown:10}", text))
        before = label
    return lines + [Labelled("or         ", cause_line(cause)) for cause in causes[1:]]


def _table(rows: list[MetricRow]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    for name in ("", "metric"):
        table.add_column(name, no_wrap=True)
    for name in ("reference", "generated", "change", "limit"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("what it says", min_width=24)
    for row in rows:
        verdict = row.judgement.verdict or ""
        figures = row.figures
        table.add_row(
            Text(verdict, style=STYLES.get(verdict, "")),
            row.name,
            number(figures.reference, row.unit),
            number(figures.generated, row.unit),
            amount(figures.change, row.unit),
            limit_text(row),
            Text(meaning(row)),
        )
    return table


def case_text(case: Case) -> str:
    """A case as print_suite shows it, in plain lines; for where it is not the terminal that shows it."""
    return "\n".join((part.whole if isinstance(part, Labelled) else part).plain for part in _case(case))


def _suite(suite: Suite) -> list[RenderableType | Labelled]:
    parts: list[RenderableType | Labelled] = [part for case in suite.cases for part in _case(case)]
    parts.append(_verdict(suite.verdict, f"{suite.name}: {suite_line(suite)}"))
    return parts


def _case(case: Case) -> list[Text | Labelled]:
    parts: list[Text | Labelled] = [_verdict(case.verdict, f"{case.id}: {case_line(case)}")]
    parts += [
        Text.assemble("  ", _verdict(check.verdict, f"{check.metric}: {check.text}"))
        for check in case.checks
        if check.verdict != "PASS"
    ]
    parts += [Labelled("  cause  " if not i else "  or     ", cause_line(one)) for i, one in enumerate(case.causes)]
    parts += [Labelled("  fix    ", cause.fix) for cause in case.causes[:1]]
    if case.known:
        parts.append(Labelled("  known  ", f"{', '.join(case.known)}: there when it was recorded"))
    parts += [Labelled("  where  ", place_line(place)) for place in places(case.regions)[:PLACES_OF_A_CASE]]
    return parts


def _earned(earned: Sequence[Earned], runs: int) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for case in dict.fromkeys(one.case for one in earned):
        ours = [one for one in earned if one.case == case]
        wider = [one for one in ours if (one.tolerance or 0) > one.threshold]
        still = sum(not one.spread for one in ours)
        said = f"{len(wider)} spread wider than their threshold, {still} not at all"
        parts.append(Text(f"calibrated {printable(case)}: {len(ours)} metrics over {runs} runs; {said}"))
        if wider:
            parts.append(_wider(wider))
    return parts


def _wider(earned: Sequence[Earned]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 2), header_style="dim")
    table.add_column("metric", no_wrap=True)
    for name in ("mean", "standard deviation", "threshold", "tolerance"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in sorted(earned, key=lambda one: one.threshold / (one.tolerance or 1)):
        figures = [one.spread, one.threshold, one.tolerance]
        shown = [number(one.mean, one.unit), *(f"{value or 0:.2g}" for value in figures)]
        table.add_row(one.metric, *shown)
    return table


def _sensitivity(found: Sensitivity) -> list[RenderableType | Labelled]:
    parts: list[RenderableType | Labelled] = [
        Text.assemble(("ERROR", STYLES["ERROR"]), f"  {printable(case.id)}: {printable(case.error)}")
        for case in found.cases
        if case.error
    ]
    parts += [Text(f"note: {printable(line)}", style="dim") for line in case_notes(found)]
    caught = [fault for fault in found.faults if fault.asked and fault.worst("warn")]
    if caught:
        parts.append(_caught(caught, len(found.probed) > 1))
    rungs = [rung for fault in caught for rung in (fault.worst("warn"), fault.worst("fail")) if rung]
    if any(rung.severity == 0 for _, rung in rungs):
        parts.append(Text(f"{WEAKEST} the weakest that was tried: less of it may be caught too", style="dim"))
    if found.blind:
        parts.append(
            Text.assemble(
                ("BLIND", STYLES["FAIL"]), f" to {_faults(len(found.blind))}: no strength that was tried FAILs"
            )
        )
        parts += [Labelled("  ", line) for line in blind_lines(found)]
    tables = tables_to_copy(found)
    if tables:
        parts.append(Text("to copy into the profile, or as [case.limits.NAME] below a case:", style="dim"))
        parts += [Text(table) for table in tables]
    parts.append(Text(f"{printable(found.suite)}: {summary(found)}", style="bold"))
    return parts


def _faults(count: int) -> str:
    return f"{count} fault{'s' if count != 1 else ''}"


def _caught(faults: list[FaultFinding], several: bool) -> Table:
    """A line a fault, of the case that needs most of it to be caught."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("fault", no_wrap=True)
    table.add_column("what it is", min_width=16)
    for name in ("WARN from", "FAIL from"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    table.add_column("caught by", no_wrap=True)
    if several:
        table.add_column("FAILs in", no_wrap=True)
        table.add_column("needs most in")
    for fault in faults:
        fail = fault.worst("fail")
        case, rung = fail or fault.worst("warn") or ("", None)
        warn = next((one.warn for one in fault.asked if one.case == case), None)
        style = STYLES["WARN" if fail else "FAIL"] if fault.blind else ""
        in_cases = [f"{len(fault.asked) - len(fault.blind)} of {len(fault.asked)}", printable(case)]
        table.add_row(
            Text(fault.name, style=style),
            Text(fault.about),
            strength(fault, warn),
            strength(fault, fail[1] if fail else None),
            fault.unit,
            rung.metric if rung else "",
            *(map(Text, in_cases) if several else ()),
        )
    return table
