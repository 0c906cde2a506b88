"""The statistics of a batch: counts, quantiles and the worst pairs, in constant memory."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from diagnose.metrics import METRICS
from diagnose.results.batch import VERDICTS, Bin, ErrorGroup, Overview, Row, Spread, Worst
from diagnose.results.limit import Limit, Threshold, as_threshold
from diagnose.results.verdict import RANK, Verdict
from diagnose.text import amount
from diagnose.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from diagnose.metrics import Metric
    from diagnose.results.limit import Profile

ACCURACY = 0.02  # of a quantile's distance from the ideal
GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
LOG_GAMMA = math.log(GAMMA)
SMALLEST, LARGEST = 1e-9, 1e12  # distances outside are counted at these ends: 1,200 buckets a side at most
BINS = 40
MOST_SHOWN = 100
MOST_FAILED = 10_000  # the worst that are kept for pages
MOST_ERRORS, EXAMPLES = 50, 3
OTHER = "other errors"


class Sketch:
    """How one metric's change is distributed: a count in each of logarithmic buckets of its distance from the ideal.

    DDSketch (Masson, Rim, Lee 2019): bucket i holds gamma^(i-1) < |x| <= gamma^i with gamma = (1 + a) / (1 - a), so
    its middle 2 gamma^i / (gamma + 1) is within a of every x in it.  The distance is change - ideal, and ln(change)
    for a ratio, whose inverse is as far from 1.
    """

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.ratio = metric.scale == "log"
        self.count = self.missing = 0
        self.low, self.high = math.inf, -math.inf
        self.buckets: Counter[int] = Counter()  # 0 on the ideal, else the sign times (1 + the rank over SMALLEST)

    def add(self, change: float | None) -> None:
        if change is None:
            self.missing += 1
            return
        self.count += 1
        self.low, self.high = min(self.low, change), max(self.high, change)
        self.buckets[self._bucket(self._distance(change))] += 1

    def _distance(self, change: float) -> float:
        if not self.ratio:
            return change - self.metric.ideal
        return math.log(change) if change > 0 else -math.inf

    def _change(self, distance: float) -> float:
        value = math.exp(min(distance, 700.0)) if self.ratio else distance + self.metric.ideal
        return min(max(value, self.low), self.high)

    def _bucket(self, distance: float) -> int:
        size = min(abs(distance), LARGEST)
        if size <= SMALLEST:
            return 0
        rank = 1 + math.ceil(math.log(size / SMALLEST) / LOG_GAMMA)
        return rank if distance > 0 else -rank

    def quantile(self, share: float) -> float | None:
        """The change under which a share of the pairs lies, 0 to 1; None where none was measured."""
        if not self.count:
            return None
        wanted, seen = share * (self.count - 1), 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen > wanted:
                return self._change(_middle(bucket))
        return self.high

    def histogram(self, low: float, high: float, bins: int = BINS) -> tuple[Bin, ...]:
        """Equal bins from low to high; a bucket that lies in several is shared out evenly; the rest at the ends."""
        buckets = sorted(self.buckets)
        ends = np.array([[self._change(end) for end in _ends(bucket)] for bucket in buckets])
        edges = np.linspace(low, high, bins + 1)
        # Each bucket's share below each edge; one without width is below an edge or it is not.
        width = np.maximum(ends[:, 1] - ends[:, 0], 1e-12 * max(abs(low), abs(high), SMALLEST))
        below = np.clip((edges[None] - ends[:, :1]) / width[:, None], 0, 1)
        below[:, 0], below[:, -1] = 0, 1
        counts = np.diff(np.array([self.buckets[bucket] for bucket in buckets]) @ below)
        return tuple(Bin(*map(float, one)) for one in zip(edges[:-1], edges[1:], counts, strict=True))


def _ends(bucket: int) -> tuple[float, float]:
    """The distances between which a bucket lies."""
    if bucket == 0:
        return -SMALLEST, SMALLEST
    far = SMALLEST * GAMMA ** (abs(bucket) - 1)
    near = far / GAMMA
    return (near, far) if bucket > 0 else (-far, -near)


def _middle(bucket: int) -> float:
    if bucket == 0:
        return 0.0
    return math.copysign(2 * SMALLEST * GAMMA ** (abs(bucket) - 1) / (GAMMA + 1), bucket)


class Tally:
    """Counts rows; overview() says what they come to.  Fed in one order, it says the same every time."""

    def __init__(self) -> None:
        self.verdicts: dict[Verdict, int] = dict.fromkeys(VERDICTS, 0)
        self.causes: Counter[str] = Counter()
        self.sketches = [Sketch(metric) for metric in METRICS.values()]
        self.worst: list[tuple[int, float, int]] = []  # a heap of (rank, severity, -row): of equals the first is worse
        self.errors: dict[str, int] = {}
        self.examples: dict[str, list[str]] = {}

    def counting(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows as they pass by, counted."""
        for row in rows:
            self.add(row)
            yield row

    def add(self, row: Row) -> None:
        self.verdicts[row.verdict] += 1
        for sketch, change in zip(self.sketches, row.changes, strict=False):
            sketch.add(change)
        if row.cause is not None:
            self.causes[row.cause] += 1
        if row.error is not None:
            self._add_error(row, row.error)
        elif RANK[row.verdict]:
            self._add_worst((RANK[row.verdict], row.severity, -row.row))

    def _add_worst(self, entry: tuple[int, float, int]) -> None:
        if len(self.worst) < MOST_FAILED:
            heapq.heappush(self.worst, entry)
        else:
            heapq.heappushpop(self.worst, entry)

    def _add_error(self, row: Row, error: str) -> None:
        """Count an error under its text without the names of the files."""
        text = error.replace(row.generated, "…").replace(row.reference, "…")
        if text not in self.errors and len(self.errors) >= MOST_ERRORS:
            text = OTHER
        self.errors[text] = self.errors.get(text, 0) + 1
        shown = self.examples.setdefault(text, [])
        if len(shown) < EXAMPLES:
            shown.append(f"row {row.row}, {row.id}")

    def worst_first(self) -> list[int]:
        """Row numbers of what is not a PASS nor an ERROR."""
        return [-number for _, _, number in sorted(self.worst, reverse=True)]

    def failed_worst_first(self) -> list[int]:
        """Row numbers of FAILs, at most 10,000."""
        return [-number for rank, _, number in sorted(self.worst, reverse=True) if rank == RANK["FAIL"]]

    def overview(
        self,
        limits: Profile,
        rows: Callable[[Sequence[int]], list[Row]],
        pages: Mapping[int, str],
        results: str,
        recipe: tuple[tuple[str, str], ...],
    ) -> Overview:
        """All that a summary shows.  rows: gives the rows of some numbers; pages: those that have a report."""
        shown = rows(self.worst_first()[:MOST_SHOWN])
        names = list(METRICS)
        return Overview(
            VERSION,
            self.verdicts,
            tuple(sorted(self.causes.items(), key=lambda one: (-one[1], one[0]))),
            tuple(_worst(row, names, pages.get(row.row)) for row in shown),
            tuple(spread(sketch, limits.get(sketch.metric.name)) for sketch in self.sketches),
            tuple(self._groups()),
            len(pages),
            self.verdicts["FAIL"] - len(pages),
            results,
            recipe,
        )

    def _groups(self) -> Iterator[ErrorGroup]:
        for text, count in sorted(self.errors.items(), key=lambda one: (one[0] == OTHER, -one[1], one[0])):
            yield ErrorGroup(text, count, tuple(self.examples[text]))


def _worst(row: Row, names: list[str], page: str | None) -> Worst:
    if row.metric is None:
        return Worst(row, "", None, page)
    return Worst(row, METRICS[row.metric].unit, row.changes[names.index(row.metric)], page)


def spread(sketch: Sketch, limit: Limit | None) -> Spread:
    """A metric's distribution with its limits."""
    metric = sketch.metric
    levels = _levels(metric, limit) if limit is not None else ()
    measured = sketch.count > 0
    return Spread(
        metric.name,
        metric.unit,
        metric.about,
        metric.ideal,
        sketch.count,
        sketch.missing,
        sketch.low if measured else None,
        sketch.high if measured else None,
        sketch.quantile(0.05),
        sketch.quantile(0.5),
        sketch.quantile(0.95),
        bins=sketch.histogram(*_range(sketch, levels)) if measured else (),
        levels=levels,
        limit=_limit_text(metric, limit),
        judged=limit is not None and (limit.warn is not None or limit.fail is not None),
    )


def _range(sketch: Sketch, levels: tuple[tuple[Verdict, float], ...]) -> tuple[float, float]:
    """From the first to the 99th percentile, with the ideal and the levels; a FAIL level that dwarfs them is left out.

    The levels give rounding errors their true size: what stays well within its limit is one bar on the ideal.
    """
    ideal = sketch.metric.ideal
    shown = [sketch.quantile(0.01) or 0.0, sketch.quantile(0.99) or 0.0, ideal]
    shown += [level for verdict, level in levels if verdict == "WARN"]
    low, high = min(shown), max(shown)
    span = high - low
    for _, level in levels:
        if low - 2 * span <= level <= high + 2 * span:
            low, high = min(low, level), max(high, level)
    margin = 0.02 * (high - low) or max(abs(ideal), 1.0) * 0.5
    return low - margin, high + margin


def _levels(metric: Metric, limit: Limit) -> tuple[tuple[Verdict, float], ...]:
    """Where a change is warned of and failed; nothing for a share of the reference, which differs from pair to pair."""
    asked: tuple[tuple[Verdict, float | Threshold | None], ...] = (("WARN", limit.warn), ("FAIL", limit.fail))
    found: list[tuple[Verdict, float]] = []
    for verdict, level in asked:
        if level is None or as_threshold(level).relative:
            continue
        value = as_threshold(level).absolute
        found.append((verdict, value))
        if limit.direction == "both":
            found.append((verdict, 1 / value if metric.scale == "log" else 2 * metric.ideal - value))
    return tuple(found)


def _limit_text(metric: Metric, limit: Limit | None) -> str:
    """warn and fail levels in words."""
    if limit is None:
        return ""
    named = (("warn", limit.warn), ("fail", limit.fail))
    text = ", ".join(f"{name} {_level_text(metric, level)}" for name, level in named if level is not None)
    way = {"both": "either way", "higher": "upwards", "lower": "downwards"}[limit.direction]
    return f"{text}, {way}" if text else ""


def _level_text(metric: Metric, level: float | Threshold) -> str:
    level = as_threshold(level)
    shared = f"{100 * level.relative:g} % of the reference's"
    if level.relative and level.absolute:
        return f"{amount(level.absolute, metric.unit)} or {shared}"
    return shared if level.relative else amount(level.absolute, metric.unit)
