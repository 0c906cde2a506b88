"""Report -> terminal: the verdict, then the metrics over a limit, worst first, then those that passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from diagnose.render.layout import STYLES, Fitting, Labelled, print_parts
from diagnose.render.phrases import (
    alignment_line,
    beside,
    case_line,
    cause_line,
    cause_lines,
    channel_lines,
    headline,
    ledger,
    limit_text,
    meaning,
    observed_line,
    place_line,
    places,
    proof_line,
    repair_lines,
    suite_line,
)
from diagnose.render.sensitivity import WEAKEST, blind_lines, case_notes, strength, summary, tables_to_copy
from diagnose.text import amount, number, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from diagnose.render.layout import Part
    from diagnose.results.cause import Cause
    from diagnose.results.region import Region
    from diagnose.results.report import MetricRow, Report
    from diagnose.results.sensitivity import FaultFinding, Sensitivity
    from diagnose.results.suite import Case, Earned, Suite

ROWS_UNDER_A_CAUSE = 6  # the cause has said it
PLACES_OF_A_REPORT = 5
PLACES_OF_A_CASE = 3
MOST_ROWS = 12  # of the table without --all: what is worst fits one screen


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


def _report(report: Report, every_metric: bool) -> list[Part]:
    """In the page's order: verdict, cause, files, metrics worst first, where, notes."""
    parts: list[Part] = [_verdict(report.verdict, headline(report)), *_causes(report.causes)]
    parts += [*_proof(report), *_repair(report), *_files(report)]
    judged = report.worst_first
    over = [row for row in judged if row.verdict != "PASS"]
    most = ROWS_UNDER_A_CAUSE if report.causes else MOST_ROWS
    shown = judged if every_metric else over[:most]
    if shown:
        parts.append(_metrics(shown))
    if not every_metric and over[most:]:
        names = ", ".join(printable(row.name) for row in over[most:])
        parts.append(Text(f"{len(over) - most} more over a limit (--all shows them): {names}", style="yellow"))
    passed = [printable(row.name) for row in judged if row.verdict == "PASS"]
    if passed and not every_metric:
        parts.append(Text(f"{len(passed)} metrics passed: {', '.join(passed)}", style="green"))
    others = [row for row in report.metrics if row.verdict is None]
    if every_metric and others:
        parts.append(_metrics(others))
    parts += _where(report.regions)
    return parts + [Labelled("note: ", note, "dim", "dim") for note in report.notes]


def _verdict(verdict: str, text: str, indent: str = "") -> Labelled:
    return Labelled(f"{indent}{verdict}  ", text, STYLES[verdict])


def _files(report: Report) -> list[Labelled]:
    lines = []
    for side, sound in (("reference", report.reference), ("generated", report.generated)):
        channels = f"{sound.channels} channel{'s' if sound.channels > 1 else ''}"
        lines.append(Labelled(f"{side}  ", f"{sound.path}  {sound.rate_hz} Hz, {channels}, {sound.duration_s:.3f} s"))
    lines.append(Labelled("aligned    ", alignment_line(report)))
    if observed := observed_line(report):
        lines.append(Labelled("observed   ", observed))
    return lines + [
        Labelled("channel    " if index == 0 else " " * 11, line) for index, line in enumerate(channel_lines(report))
    ]


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
    return lines + [Labelled(f"{beside(cause, causes[0]):11}", cause_line(cause)) for cause in causes[1:]]


def _proof(report: Report) -> list[Labelled]:
    """The ledger: what each step of the chain brings, and what is left."""
    lines = [
        Labelled("explained  " if not index else " " * 11, line) for index, line in enumerate(ledger(report.causes))
    ]
    said = proof_line(report)
    return [*lines, Labelled("left       ", said)] if said and lines else []


def _repair(report: Report) -> list[Labelled]:
    """The ledger of the repair, where one was asked for."""
    lines = [] if report.repair is None else repair_lines(report.repair)
    before = ["", *(label for label, _ in lines)]
    return [
        Labelled(f"{'' if label == last else label:11}", text)
        for (label, text), last in zip(lines, before, strict=False)
    ]


def _where(regions: Sequence[Region]) -> list[Labelled]:
    """The largest places, a line each, and how many more there are."""
    found = places(regions)
    lines = [place_line(place) for place in found[:PLACES_OF_A_REPORT]]
    if found[PLACES_OF_A_REPORT:]:
        lines.append(f"{len(found) - PLACES_OF_A_REPORT} smaller places are in the JSON and on the page")
    return [Labelled("           " if index else "where      ", line) for index, line in enumerate(lines)]


def _metrics(rows: list[MetricRow]) -> Fitting:
    return Fitting(_table(rows), tuple(_narrow(rows)))


def _narrow(rows: list[MetricRow]) -> Iterator[Labelled]:
    """Without the values on both sides and the limit: two lines a metric, its change, and below it what that says."""
    changes = [amount(row.change, row.unit) for row in rows]
    name_width, change_width = max(len(printable(row.name)) for row in rows), max(map(len, changes))
    for row, change in zip(rows, changes, strict=True):
        verdict = row.verdict or ""
        line = f"{printable(row.name):{name_width}}  {change:>{change_width}}"
        yield Labelled(f"{verdict:5}", line, STYLES.get(verdict, ""))
        yield Labelled(f"{'':7}", meaning(row), text_style="dim")


def _table(rows: list[MetricRow]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    for name in ("", "metric"):
        table.add_column(name, no_wrap=True)
    for name in ("reference", "generated", "change", "limit"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("what it says", min_width=24)
    for row in rows:
        verdict = row.verdict or ""
        table.add_row(
            Text(verdict, style=STYLES.get(verdict, "")),
            Text(printable(row.name)),
            Text(printable(number(row.reference, row.unit))),
            Text(printable(number(row.generated, row.unit))),
            Text(printable(amount(row.change, row.unit))),
            Text(printable(limit_text(row))),
            Text(printable(meaning(row))),
        )
    return table


def case_text(case: Case) -> str:
    """A case as print_suite shows it, in plain lines; for where it is not the terminal that shows it."""
    return "\n".join(part.whole.plain for part in _case(case))


def _suite(suite: Suite) -> list[Part]:
    parts: list[Part] = [part for case in suite.cases for part in _case(case)]
    parts.append(_verdict(suite.verdict, f"{suite.name}: {suite_line(suite)}"))
    return parts


def _case(case: Case) -> list[Labelled]:
    parts = [_verdict(case.verdict, f"{case.id}: {case_line(case)}")]
    parts += [
        _verdict(check.verdict, f"{check.metric}: {check.text}", "  ")
        for check in case.checks
        if check.verdict != "PASS"
    ]
    parts += [Labelled("  cause  " if not i else "  or     ", cause_line(one)) for i, one in enumerate(case.causes)]
    parts += [Labelled("  fix    ", cause.fix) for cause in case.causes[:1]]
    if case.known:
        parts.append(Labelled("  known  ", f"{', '.join(case.known)}: already present when recorded"))
    parts += [Labelled("  where  ", place_line(place)) for place in places(case.regions)[:PLACES_OF_A_CASE]]
    return parts


def _earned(earned: Sequence[Earned], runs: int) -> list[Part]:
    parts: list[Part] = []
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


def _sensitivity(found: Sensitivity) -> list[Part]:
    parts: list[Part] = [_verdict("ERROR", f"{case.id}: {case.error}") for case in found.cases if case.error]
    parts += [Labelled("note: ", line, "dim", "dim") for line in case_notes(found)]
    caught = [fault for fault in found.faults if fault.asked and fault.worst("warn")]
    if caught:
        parts.append(_caught(caught, len(found.probed) > 1))
    rungs = [rung for fault in caught for rung in (fault.worst("warn"), fault.worst("fail")) if rung]
    if any(rung.severity == 0 for _, rung in rungs):
        parts.append(Text(f"{WEAKEST} the weakest strength tried: weaker faults may be detected too", style="dim"))
    if found.blind:
        parts.append(
            Text.assemble(("BLIND", STYLES["FAIL"]), f" to {_faults(len(found.blind))}: no FAIL in any strength tried")
        )
        parts += [Labelled("  ", line) for line in blind_lines(found)]
    tables = tables_to_copy(found)
    if tables:
        parts.append(Text("limits to add to the profile, or to a case as [case.limits.NAME]:", style="dim"))
        parts += [Text(table) for table in tables]
    parts.append(Text(f"{printable(found.suite)}: {summary(found)}", style="bold"))
    return parts


def _faults(count: int) -> str:
    return f"{count} fault{'s' if count != 1 else ''}"


def _caught(faults: list[FaultFinding], several: bool) -> Table:
    """A line a fault, of the case that needs most of it to be caught."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("fault", no_wrap=True)
    table.add_column("description", min_width=16)
    for name in ("WARN from", "FAIL from"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    table.add_column("detected by", no_wrap=True)
    if several:
        table.add_column("FAILs in", no_wrap=True)
        table.add_column("least sensitive case")
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
