"""Overview -> summary.html and the terminal: the result of a batch.

The page is of one size whatever the number of pairs: counts, a table of the worst hundred, a histogram a metric.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
from rich.text import Text

from diagnose.render.layout import STYLES, Labelled, print_parts
from diagnose.results.batch import VERDICTS, Overview, Spread, Worst, verdict_of
from diagnose.text import amount

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diagnose.render.layout import Part
    from diagnose.results.verdict import Verdict

WIDTH, HEIGHT = 300.0, 72.0
NBSP = "\N{NO-BREAK SPACE}"
WORST_IN_TERMINAL, CAUSES_IN_TERMINAL = 5, 3
MOST_CAUSES = 30
MARK_PX = 1.0  # a bar with one pair in a million is still seen


class Mark(msgspec.Struct, frozen=True):
    """A vertical line in a histogram, at a limit."""

    x: float
    verdict: str
    text: str


class Histogram(msgspec.Struct, frozen=True):
    """A metric's distribution as SVG path data in a box of 300 by 72, and what stands beside it."""

    spread: Spread
    path: str
    marks: tuple[Mark, ...]
    ideal: float | None
    low: str
    high: str
    figures: str


def to_html(overview: Overview) -> str:
    """The page of a batch.  Nothing in it comes from elsewhere; links lead to the reports below pages/."""
    from diagnose.render.page import page_environment

    environment = page_environment(styles=("look.css", "summary.css"))
    environment.globals.update(quote=quote, change=_change, likelihood=_likelihood, compare=_compare_command)
    drawn = [histogram(spread) for spread in overview.spreads]
    return environment.get_template("summary.html").render(
        overview=overview,
        headline=headline(overview),
        verdicts=[(verdict, overview.verdicts.get(verdict, 0)) for verdict in VERDICTS],
        shares=_shares(overview),
        causes=overview.causes[:MOST_CAUSES],
        most=max((count for _, count in overview.causes), default=1),
        judged=[one for one in drawn if one.spread.judged],
        others=[one for one in drawn if not one.spread.judged],
        size={"width": WIDTH, "height": HEIGHT},
    )


def _shares(overview: Overview) -> list[dict[str, str | float]]:
    """The verdicts side by side in a bar 100 wide; one that there is has at least half a hundredth."""
    shares: list[dict[str, str | float]] = []
    left = 0.0
    for verdict in VERDICTS:
        count = overview.verdicts.get(verdict, 0)
        if count:
            wide = max(100 * count / max(overview.pairs, 1), 0.5)
            shares.append({"verdict": verdict, "left": left, "wide": wide})
            left += wide
    return shares


def headline(overview: Overview) -> str:
    """2 of 3 pairs fail; most often: clipping (2)."""
    said = f"{_count(overview.verdicts.get('FAIL', 0))} of {_pairs(overview.pairs)} fail"
    errors = overview.verdicts.get("ERROR", 0)
    if errors:
        said += f", {_count(errors)} could not be compared"
    if overview.causes:
        name, count = overview.causes[0]
        said += f"; most often: {name} ({_count(count)})"
    return said


def _count(number: int) -> str:
    return f"{number:,}"


def _pairs(number: int) -> str:
    return f"{number:,} pair{'s' if number != 1 else ''}"


def _change(worst: Worst) -> str:
    return amount(worst.change, worst.unit)


def _likelihood(worst: Worst) -> str:
    """As words.likelihood says it of a cause: never 0 nor 100 %."""
    return f"{min(max(round(100 * (worst.row.confidence or 0)), 1), 99)}{NBSP}%"


def _compare_command(worst: Worst) -> str:
    """What makes the page of a pair."""
    return shlex.join(["diagnose", "compare", worst.row.reference, worst.row.generated, "--html", "report.html"])


# --- histograms ----------------------------------------------------------------------------------------------


def histogram(spread: Spread) -> Histogram:
    """The bars of a metric, its limits and its figures."""
    if not spread.bins:
        return Histogram(spread, "", (), None, "", "", "measured in no pair")
    low, high = spread.bins[0].low, spread.bins[-1].high
    scale = WIDTH / (high - low)
    most = max(bar.count for bar in spread.bins)
    path = "".join(
        f"M{(bar.low - low) * scale:.1f},{HEIGHT:g}v-{max(bar.count / most * HEIGHT, MARK_PX):.1f}"
        f"h{(bar.high - bar.low) * scale - 0.5:.1f}V{HEIGHT:g}Z"
        for bar in spread.bins
        if bar.count >= 0.5
    )
    marks = tuple(
        Mark((level - low) * scale, verdict, f"{verdict} at {amount(level, spread.unit)}")
        for verdict, level in spread.levels
        if low <= level <= high
    )
    ideal = (spread.ideal - low) * scale if low <= spread.ideal <= high else None
    return Histogram(spread, path, marks, ideal, amount(low, spread.unit), amount(high, spread.unit), _figures(spread))


def _figures(spread: Spread) -> str:
    values = (("median", spread.median), ("p5", spread.p5), ("p95", spread.p95))
    said = ", ".join(f"{name}{NBSP}{_unbroken(_shown(value, spread), spread.unit)}" for name, value in values)
    return f"{said}; not measured in {_pairs(spread.missing)}" if spread.missing else said


def _shown(value: float | None, spread: Spread) -> float | None:
    """The value, or the ideal where the picture could not tell the two apart: no -3e-7 % for a rounding error."""
    if value is None or not spread.bins:
        return value
    near = 0.001 * (spread.bins[-1].high - spread.bins[0].low)
    return spread.ideal if abs(value - spread.ideal) < near else value


def _unbroken(value: float | None, unit: str) -> str:
    """A value and its unit on one line."""
    return amount(value, unit).replace(" ", NBSP)


# --- terminal ------------------------------------------------------------------------------------------------


def print_batch(overview: Overview, out: str, resumed: int = 0) -> None:
    """Write what a batch came to to stdout: the verdict, causes, the worst, and where the rest is."""
    parts: list[Part] = [_first_line(overview.verdict, overview.verdicts)]
    if overview.causes:
        shown = overview.causes[:CAUSES_IN_TERMINAL]
        more = len(overview.causes) - len(shown)
        words = ", ".join(f"{name} ({_count(count)})" for name, count in shown)
        parts.append(Labelled("causes     ", f"{words}{f' and {more} more' if more else ''}"))
    rows = [worst.row for worst in overview.worst[:WORST_IN_TERMINAL]]
    parts += _labelled("worst", [f"{row.verdict}  {row.id}: {row.summary}" for row in rows])
    groups = overview.errors[:CAUSES_IN_TERMINAL]
    parts += _labelled("errors", [f"{_pairs(one.count)}: {one.text} ({one.examples[0]})" for one in groups])
    files = [os.path.join(out, name) for name in ("summary.html", overview.results)]
    parts.append(Labelled("written    ", f"{', '.join(files)}{_pages(overview)}"))
    if resumed:
        parts.append(Labelled("resumed    ", f"{_pairs(resumed)} compared in an earlier run"))
    print_parts(parts)


def _labelled(label: str, lines: Sequence[str]) -> list[Labelled]:
    """A line each, the label beside the first."""
    return [Labelled(f"{'' if index else label:11}", line) for index, line in enumerate(lines)]


def _pages(overview: Overview) -> str:
    if not overview.pages:
        return ""
    left = f" ({_count(overview.left_out)} failed pairs have no report)" if overview.left_out else ""
    return f", pages/ with {_count(overview.pages)} report{'s' if overview.pages != 1 else ''}{left}"


def print_finished(counts: Mapping[Verdict, int], out: str) -> None:
    """Write that there was nothing left to do."""
    print_parts(
        [
            _first_line(verdict_of(counts), counts),
            Labelled("", f"this run was already finished; see {os.path.join(out, 'summary.html')}"),
        ]
    )


def _first_line(verdict: Verdict, counts: Mapping[Verdict, int]) -> Text:
    shown: Sequence[str] = [f"{_count(counts[name])} {name}" for name in VERDICTS if counts.get(name)]
    return Text.assemble((verdict, STYLES[verdict]), f"  {_pairs(sum(counts.values()))}: {', '.join(shown)}")
