"""The results of a batch: a Row per pair, and the Overview of all, which is the input of its renderers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.results.verdict import Verdict, overall

if TYPE_CHECKING:
    from collections.abc import Mapping

VERDICTS: tuple[Verdict, ...] = ("FAIL", "ERROR", "WARN", "PASS")  # in the order in which a reader asks


class Row(msgspec.Struct, frozen=True):
    """One pair of a batch.

    row: its number, from 1, in the order of the manifest; ids need not be unique.
    metric, severity: the judged metric furthest over its limit (1 is on the fail level; at most 1e6).
    cause, confidence: the most likely cause, where one was named.  summary: what a report's headline says.
    error: one line, where the verdict is ERROR.  changes: the change of every metric, in the order of METRICS, to 9
    digits; empty for a pair that could not be compared.
    """

    row: int
    id: str
    reference: str
    generated: str
    verdict: Verdict
    metric: str | None = None
    severity: float = 0.0
    cause: str | None = None
    confidence: float | None = None
    summary: str = ""
    error: str | None = None
    changes: tuple[float | None, ...] = ()


class Bin(msgspec.Struct, frozen=True):
    """One bar of a histogram: its ends in the metric's unit, and how many pairs are in it."""

    low: float
    high: float
    count: float


class Spread(msgspec.Struct, frozen=True):
    """How the change of one metric is distributed over the pairs.

    missing: pairs without this number.  p5, median, p95: quantiles, to 2 % of their distance from the ideal.
    levels: (verdict, change) of every limit that is one number; limit: its words where it is not.
    bins: equally wide; what lies beyond the first and the last is counted in them.
    """

    name: str
    unit: str
    about: str
    ideal: float
    count: int
    missing: int
    low: float | None
    high: float | None
    p5: float | None
    median: float | None
    p95: float | None
    bins: tuple[Bin, ...] = ()
    levels: tuple[tuple[Verdict, float], ...] = ()
    limit: str = ""
    judged: bool = False


class Worst(msgspec.Struct, frozen=True):
    """A pair of the table of the worst.  page: where its report is, relative to the summary."""

    row: Row
    unit: str
    change: float | None
    page: str | None = None


class ErrorGroup(msgspec.Struct, frozen=True):
    """Errors that differ in the names of the files alone: their text, their number, the first of them."""

    text: str
    count: int
    examples: tuple[str, ...]


class Overview(msgspec.Struct, frozen=True):
    """A whole batch, of a size that does not grow with the number of pairs.

    causes: (id, pairs), most frequent first.  pages: how many reports were made; left_out: how many failed pairs
    have none.  recipe: (label, text) of what makes this run again.
    """

    tool_version: str
    verdicts: Mapping[Verdict, int]
    causes: tuple[tuple[str, int], ...]
    worst: tuple[Worst, ...]
    spreads: tuple[Spread, ...]
    errors: tuple[ErrorGroup, ...]
    pages: int = 0
    left_out: int = 0
    results: str = ""
    recipe: tuple[tuple[str, str], ...] = ()

    @property
    def pairs(self) -> int:
        return sum(self.verdicts.values())

    @property
    def verdict(self) -> Verdict:
        return verdict_of(self.verdicts)


def verdict_of(counts: Mapping[Verdict, int]) -> Verdict:
    """FAIL where a pair failed, else ERROR where one could not be compared or there was none, else the worst."""
    return overall([verdict for verdict, count in counts.items() if count])
