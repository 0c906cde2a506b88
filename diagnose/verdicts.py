"""Limits from TOML, and what they say of a change: PASS, WARN, FAIL, or ERROR where nothing can be said.

A profile is one table a metric:

    [metric.spectral_centroid_hz]
    unit      = "Hz"                    # has to be the metric's own
    direction = "both"                  # which way is worse: "higher", "lower" or "both"
    warn      = { relative = 0.05 }     # levels of `change`: a number, or absolute and relative, of which the
    fail      = { relative = 0.15 }     #   wider holds; relative is a share of the reference's value
    tolerance = { relative = 0.01 }     # how far a golden check lets the change move from the recorded one
    reason    = "..."                   # why these numbers

The levels of a metric whose ideal change is 1 (a ratio, a correlation) are levels of the change itself: 1.41
for "both" stands for 1/1.41 too; 0.5 for "lower" means under 0.5.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from diagnose.errors import InputError
from diagnose.metrics import METRICS, Measurement, Metric

if TYPE_CHECKING:
    from diagnose.metrics.metric import Detail

Verdict = Literal["PASS", "WARN", "FAIL", "ERROR"]
RANK: dict[Verdict | None, int] = {None: 0, "PASS": 0, "WARN": 1, "ERROR": 2, "FAIL": 3}
DEFAULT_PROFILE = os.path.join(os.path.dirname(__file__), "profiles", "default.toml")


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A size in the metric's unit, a share of the reference's value, or the wider of both."""

    absolute: float = 0.0
    relative: float = 0.0

    def at(self, reference: float | None) -> float:
        """The level in the metric's unit; of either sign, the wider one."""
        shared = self.relative * abs(reference or 0.0)
        return max(self.absolute, shared, key=abs)


def as_level(level: float | Level) -> Level:
    """A plain number is an absolute level."""
    return level if isinstance(level, Level) else Level(level)


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One metric's table in a profile."""

    unit: str
    direction: Literal["higher", "lower", "both"]
    reason: str
    warn: float | Level | None = None
    fail: float | Level | None = None
    tolerance: float | Level = 0.0


Profile = Mapping[str, Limit]


class Judgement(msgspec.Struct, frozen=True):
    """verdict: None where the metric has no limits or no number.  warn, fail: the levels of change it was held to.

    severity: how far the change went on the way to the fail level (1 is on it); for sorting, worst first.
    """

    verdict: Verdict | None = None
    warn: float | None = None
    fail: float | None = None
    severity: float = 0.0


class Figures(msgspec.Struct, frozen=True):
    """One metric of a pair: both values (None for a metric of the pair), and their change."""

    reference: float | None
    generated: float | None
    change: float | None
    reason: str | None = None


class MetricRow(msgspec.Struct, frozen=True):
    """One metric of the pair, with its verdict."""

    name: str
    unit: str
    version: int
    figures: Figures
    judgement: Judgement
    detail: Detail = msgspec.field(default_factory=dict)
    note: str | None = None


def change_of(metric: Metric, reference: Measurement, generated: Measurement) -> Figures:
    """Generated - reference, or generated / reference for a ratio; None and the reason where either is missing."""
    before, after = reference.value, generated.value
    reasons = [f"{side}: {m.reason}" for side, m in (("reference", reference), ("generated", generated)) if m.reason]
    if before is None or after is None:
        return Figures(before, after, None, "; ".join(dict.fromkeys(reasons)))
    if metric.unit != "ratio":
        return Figures(before, after, after - before)
    if before == 0:
        return Figures(before, after, None, "reference: is 0, and nothing can be divided by it")
    return Figures(before, after, after / before)


def judge(metric: Metric, figures: Figures, limit: Limit | None) -> Judgement:
    """The verdict on one metric's change."""
    if limit is None or (limit.warn is None and limit.fail is None):
        return Judgement()
    warn, fail = (_level(level, figures.reference) for level in (limit.warn, limit.fail))
    if figures.change is None:
        # A number that only the reference has was lost on the way; one that neither has says nothing.
        lost = figures.reference is not None and figures.generated is None
        return Judgement("WARN" if lost else None, warn, fail)
    reached = {
        "warn": _reached(metric, figures.change, warn, limit),
        "fail": _reached(metric, figures.change, fail, limit),
    }
    verdict: Verdict = "FAIL" if reached["fail"] >= 1 else "WARN" if reached["warn"] >= 1 else "PASS"
    return Judgement(verdict, warn, fail, max(reached["fail"], reached["warn"] / 10))


def _level(level: float | Level | None, reference: float | None) -> float | None:
    return None if level is None else as_level(level).at(reference)


def _reached(metric: Metric, change: float, level: float | None, limit: Limit) -> float:
    """How far the change went from the ideal towards the level: 0 not at all, 1 on it."""
    if level is None:
        return 0.0
    if metric.unit == "ratio" and metric.ideal == 1.0:
        return _ratio_reached(change, level, limit.direction)
    offset, span = change - metric.ideal, level - metric.ideal
    if limit.direction == "both":
        offset, span = abs(offset), abs(span)
    elif limit.direction == "lower":
        offset, span = -offset, -span
    if span <= 0:  # a level on the ideal itself: any step past it counts
        return float("inf") if offset > 0 else 0.0
    return max(offset / span, 0.0)


def _ratio_reached(change: float, level: float, direction: str) -> float:
    """A ratio and its inverse are equally far from 1, so ratios are held against each other as logarithms."""
    if change <= 0:
        return 0.0 if direction == "higher" else float("inf")
    offset, span = math.log(change), math.log(level)
    if direction == "both":
        offset, span = abs(offset), abs(span)
    if span == 0:
        return float("inf") if offset else 0.0
    return max(offset / span, 0.0)


def overall(verdicts: list[Verdict | None]) -> Verdict:
    """The worst of many; ERROR where nothing was judged."""
    judged = [verdict for verdict in verdicts if verdict is not None]
    return max(judged, key=RANK.__getitem__) if judged else "ERROR"


@lru_cache(maxsize=1)
def default_profile() -> Profile:
    """The built-in limits, profiles/default.toml."""
    return load_profile(DEFAULT_PROFILE)


def load_profile(path: str | os.PathLike[str]) -> Profile:
    """Read a profile; InputError names the file and the key of whatever is wrong in it."""
    name = os.fspath(path)
    document = read_toml(name)
    hint = "a profile has [profile] and [metric.NAME] tables"
    refuse_unknown(document, {"metric", "profile"}, f"{name}: unknown key", hint)
    return parse_limits(document.get("metric", {}), f"{name}: metric")


def refuse_unknown(document: Mapping[str, Any], known: set[str], what: str, hint: str) -> None:
    """InputError for the first key of a TOML document that is not known."""
    unknown = sorted(set(document) - known)
    if unknown:
        raise InputError(f"{what} {unknown[0]!r}; {hint}")


def parse_limits(tables: Any, where: str) -> Profile:
    """Limits from the tables of a profile or a suite's case; where is how an error begins."""
    if not isinstance(tables, dict):
        raise InputError(f"{where}: expected one table a metric")
    return {name: _limit(name, table, f"{where}.{name}") for name, table in tables.items()}


def _limit(name: str, table: Any, where: str) -> Limit:
    if name not in METRICS:
        raise InputError(f"{where}: no such metric{nearest(name)}")
    limit = decode(table, Limit, where)
    unit = METRICS[name].unit
    if limit.unit != unit:
        raise InputError(f"{where}.unit: is {limit.unit!r}; this metric is in {unit!r}")
    metric = METRICS[name]
    for key in ("warn", "fail"):
        _check_level(getattr(limit, key), limit.direction, metric, f"{where}.{key}")
    _check_order(limit, metric, where)
    _check_tolerance(limit.tolerance, f"{where}.tolerance")
    return limit


def _check_level(level: float | Level | None, direction: str, metric: Metric, where: str) -> None:
    """A level has to lie on the side of the ideal that the direction calls worse, or it judges the wrong side."""
    if level is None:
        return
    _check_finite(level, where)
    if as_level(level).relative and (metric.of == "pair" or metric.ideal):
        raise InputError(f"{where}.relative: this metric has no reference value to take a share of; use a number")
    level = as_level(level)
    offsets = [level.absolute - metric.ideal, level.relative]
    if metric.unit == "ratio" and metric.ideal and level.absolute <= 0:
        raise InputError(f"{where}: a ratio's level is over 0")
    if direction == "lower" and max(offsets) > 0:
        raise InputError(f"{where}: direction is 'lower', so the level is at most {metric.ideal:g}")
    sided = direction == "higher" or (direction == "both" and metric.ideal == 0)
    if sided and min(offsets) < 0:
        raise InputError(f"{where}: direction is {direction!r}, so the level is at least {metric.ideal:g}")


def _check_order(limit: Limit, metric: Metric, where: str) -> None:
    """A warning beyond the failure could never be seen."""
    if limit.warn is None or limit.fail is None:
        return
    warn, fail = as_level(limit.warn), as_level(limit.fail)
    if metric.unit == "ratio" and metric.ideal:
        wider = abs(math.log(warn.absolute)) > abs(math.log(fail.absolute))
    else:
        wider = abs(warn.absolute - metric.ideal) > abs(fail.absolute - metric.ideal)
    if wider or abs(warn.relative) > abs(fail.relative):
        raise InputError(f"{where}.warn: lies beyond the fail level, so it could never be seen")


def _check_tolerance(tolerance: float | Level, where: str) -> None:
    _check_finite(tolerance, where)
    if min(as_level(tolerance).absolute, as_level(tolerance).relative) < 0:
        raise InputError(f"{where}: a tolerance is not negative")


def _check_finite(level: float | Level, where: str) -> None:
    if not (math.isfinite(as_level(level).absolute) and math.isfinite(as_level(level).relative)):
        raise InputError(f"{where}: has to be a finite number")


def nearest(name: str) -> str:
    """What a mistyped metric may have meant, as the end of a message."""
    import difflib

    close = difflib.get_close_matches(name, METRICS, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


T = TypeVar("T")


def decode(value: Any, kind: type[T], where: str) -> T:
    """Value as a typed struct; InputError with where and msgspec's own words."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        text, _, at = str(error).partition(" - at ")
        raise InputError(f"{where}{at.strip('`').removeprefix('$')}: {text}") from None


def read_toml(path: str) -> dict[str, Any]:
    """A TOML file as a dict; InputError in one line for what cannot be read."""
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # both TOML and its text encoding raise ValueErrors
        raise InputError(f"{path}: not valid TOML ({error})") from None
