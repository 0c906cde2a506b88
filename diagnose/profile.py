"""Limits from TOML: a profile has one table per metric.

    [metric.spectral_centroid_hz]
    unit      = "Hz"                    # has to be the metric's own
    direction = "both"                  # which way is worse: "higher", "lower" or "both"
    warn      = { relative = 0.05 }     # of `change`: a number, or absolute and relative, of which the wider
    fail      = { relative = 0.15 }     #   holds; relative is a share of the reference's value
    tolerance = { relative = 0.01 }     # how far a golden check lets the change move from the recorded one
    reason    = "..."                   # why these numbers

The levels of a metric whose ideal change is 1 (a ratio, a correlation) are levels of the change itself: 1.41
for "both" stands for 1/1.41 too; 0.5 for "lower" means under 0.5.  A sound with NaN or Inf is
held to the built-in limit of nonfinite_share where the profile has none.
"""

from __future__ import annotations

import math
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from diagnose.errors import InputError
from diagnose.metrics import METRICS, Metric
from diagnose.results.limit import Limit, Profile, Threshold, as_threshold
from diagnose.toml import decode, read_toml, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable

ALWAYS = ("nonfinite_share",)
DEFAULT_PROFILE = os.path.join(os.path.dirname(__file__), "profiles", "default.toml")


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


def with_always(profile: Profile) -> Profile:
    """The profile with the built-in limits of what makes any sound fail, where it has no table for it.

    For a sound that is not finite: it was refused once, and a profile that is older, or short, must not let it pass.
    """
    missing = [name for name in ALWAYS if name not in profile]
    return {**profile, **{name: default_profile()[name] for name in missing}}


def parse_limits(tables: Any, where: str) -> Profile:
    """Limits from the tables of a profile or a suite's case; where is how an error begins."""
    if not isinstance(tables, dict):
        raise InputError(f"{where}: must have one table per metric")
    return {name: _limit(name, table, f"{where}.{name}") for name, table in tables.items()}


def _limit(name: str, table: Any, where: str) -> Limit:
    if name not in METRICS:
        raise InputError(f"{where}: no such metric{nearest(name)}")
    limit = decode(table, Limit, where)
    unit = METRICS[name].unit
    if limit.unit != unit:
        raise InputError(f"{where}.unit: is {limit.unit!r}; the unit of this metric is {unit!r}")
    metric = METRICS[name]
    for key in ("warn", "fail"):
        _check_level(getattr(limit, key), limit.direction, metric, f"{where}.{key}")
    _check_order(limit, metric, where)
    _check_tolerance(limit.tolerance, f"{where}.tolerance")
    return limit


def _check_level(level: float | Threshold | None, direction: str, metric: Metric, where: str) -> None:
    """A level has to lie on the side of the ideal that the direction calls worse, or it judges the wrong side."""
    if level is None:
        return
    _check_finite(level, where)
    if as_threshold(level).relative and (metric.of == "pair" or metric.ideal):
        raise InputError(f"{where}.relative: this metric has no reference value; use an absolute number")
    level = as_threshold(level)
    offsets = [level.absolute - metric.ideal, level.relative]
    if metric.scale == "log" and level.absolute <= 0:
        raise InputError(f"{where}: the level of a ratio must be above 0")
    if direction == "lower" and max(offsets) > 0:
        raise InputError(f"{where}: direction is 'lower', so the level must be at most {metric.ideal:g}")
    sided = direction == "higher" or (direction == "both" and metric.ideal == 0)
    if sided and min(offsets) < 0:
        raise InputError(f"{where}: direction is {direction!r}, so the level must be at least {metric.ideal:g}")


def _check_order(limit: Limit, metric: Metric, where: str) -> None:
    """A warning beyond the failure could never be seen."""
    if limit.warn is None or limit.fail is None:
        return
    warn, fail = as_threshold(limit.warn), as_threshold(limit.fail)
    if metric.scale == "log":
        wider = abs(math.log(warn.absolute)) > abs(math.log(fail.absolute))
    else:
        wider = abs(warn.absolute - metric.ideal) > abs(fail.absolute - metric.ideal)
    if wider or abs(warn.relative) > abs(fail.relative):
        raise InputError(f"{where}.warn: is beyond the fail level; it must be reached first")


def _check_tolerance(tolerance: float | Threshold, where: str) -> None:
    _check_finite(tolerance, where)
    if min(as_threshold(tolerance).absolute, as_threshold(tolerance).relative) < 0:
        raise InputError(f"{where}: a tolerance must not be negative")


def _check_finite(level: float | Threshold, where: str) -> None:
    if not (math.isfinite(as_threshold(level).absolute) and math.isfinite(as_threshold(level).relative)):
        raise InputError(f"{where}: must be a finite number")


def nearest(name: str, among: Iterable[str] = METRICS) -> str:
    """What a mistyped metric may have meant, as the end of a message."""
    import difflib

    close = difflib.get_close_matches(name, list(among), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
