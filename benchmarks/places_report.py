"""The figures of benchmarks/places.py: shares by fault, condition and group of sounds, targets, and failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from places_cases import PLACED
from timeline_report import Target, by_group, share

if TYPE_CHECKING:
    from collections.abc import Sequence

# The metrics that see a moment, or what is filled.
LOCAL = (
    *("bad_places", "worst_20ms_residual_db", "worst_dip_db", "worst_burst_db", "clicks_added"),
    *("quiet_excess_db", "folded_db"),
)
NEAR_MS = 5.0
SHOWN = 12  # failures in a table
SURE = 0.8
FOUND, PLACED_SHARE, FILLED = 0.98, 0.97, 0.8  # shares of the pairs


class Outcome(msgspec.Struct, frozen=True):
    """One pair: how it was made, and what was found.

    places: how many are wrong.  off_ms: of each, how far the nearest that was found lies from it.  stray: found where
    nothing is wrong.  boxes: regions of bad_places.  values: changes of the local metrics.
    """

    part: str
    sound: str
    fault: str
    condition: str
    held_out: bool
    verdict: str
    got: str = ""
    alarms: tuple[str, ...] = ()
    places: int = 0
    off_ms: tuple[float, ...] = ()
    stray: int = 0
    boxes: int = 0
    values: dict[str, float | None] = {}
    causes: tuple[tuple[str, float], ...] = ()

    @property
    def seen(self) -> bool:
        return self.verdict in ("WARN", "FAIL")

    @property
    def by_new(self) -> bool:
        """Whether one of the local metrics says so."""
        return any(name in LOCAL for name in self.alarms)

    @property
    def near(self) -> bool:
        """Whether a place was found within 5 ms of one that is wrong."""
        return any(off <= NEAR_MS for off in self.off_ms)

    @property
    def near_share(self) -> float:
        return sum(off <= NEAR_MS for off in self.off_ms) / max(self.places, 1)

    def __str__(self) -> str:
        values = ", ".join(f"{name} {value:.1f}" for name, value in self.values.items() if value)
        causes = ", ".join(f"{name} {sure:.2f}" for name, sure in self.causes)
        return f"{self.sound}, {self.fault}, {self.condition}: {self.verdict} {self.got}{values} [{causes}]"


def targets(part: str, found: Sequence[Outcome]) -> list[Target]:
    """The targets of a part."""
    made = []
    for group, some in by_group(found).items():
        broken = [one for one in some if one.fault != "none"]
        placed = [one for one in broken if one.fault in PLACED]
        clean = [one for one in some if one.fault == "none"]
        if part == "filled":
            made.append(Target(f"{group}: filled, seen", share(one.by_new for one in broken), FILLED))
        elif broken:
            made.append(Target(f"{group}: not PASS", share(one.seen for one in broken), FOUND))
            made.append(Target(f"{group}: within 5 ms", share(one.near for one in placed), PLACED_SHARE))
        if clean:
            made.append(Target(f"{group}: false alarms", sum(one.by_new for one in clean), 0.0, at_most=True))
    return made


def table(found: Sequence[Outcome]) -> dict[str, dict[str, object]]:
    """By fault and condition: how many pairs, not PASS, by a local metric, near; places found; strays; causes."""
    rows: dict[str, list[Outcome]] = {}
    for one in found:
        rows.setdefault(f"{one.fault}, {one.condition}", []).append(one)
    made = {}
    for name, some in rows.items():
        first: dict[str, int] = {}
        for one in some:
            cause = one.causes[0] if one.causes else ("none", 0.0)
            said = f"{cause[0]}{' sure' if cause[1] >= SURE else ''}"
            first[said] = first.get(said, 0) + 1
        made[name] = {
            "pairs": len(some),
            "not_pass": sum(one.seen for one in some),
            "by_local_metrics": sum(one.by_new for one in some),
            "near": sum(one.near for one in some),
            "places_near": round(sum(one.near_share for one in some) / len(some), 3),
            "stray": sum(one.stray for one in some),
            "first_causes": dict(sorted(first.items(), key=lambda item: -item[1])),
        }
    return made


def failures(found: Sequence[Outcome]) -> list[Outcome]:
    """A fault that passed or was found elsewhere; an alarm where nothing is wrong."""
    bad = []
    for one in found:
        placed = one.fault in PLACED and not one.near
        if one.by_new if one.fault == "none" else not one.seen or placed:
            bad.append(one)
    return bad


def old_alarms(found: Sequence[Outcome]) -> dict[str, int]:
    """Of copies in which nothing is wrong: which other metrics alarm, and how often."""
    counts: dict[str, int] = {}
    for one in found:
        for name in one.alarms if one.fault == "none" else ():
            if name not in LOCAL:
                counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def facts(part: str, found: Sequence[Outcome]) -> dict[str, object]:
    """What is kept of a part."""
    return {
        "pairs": len(found),
        "targets": [msgspec.to_builtins(target) | {"met": target.met} for target in targets(part, found)],
        "table": {name: table(some) for name, some in by_group(found).items()},
        "other_alarms_of_good_copies": old_alarms(found),
        "failures": [str(one) for one in failures(found)],
    }


def printed(part: str, found: Sequence[Outcome]) -> str:
    """The part in lines."""
    lines = [f"{part}: {len(found)} pairs"]
    for name, row in table(found).items():
        causes = ", ".join(f"{cause} {count}" for cause, count in dict(row["first_causes"]).items())  # type: ignore[call-overload]
        lines.append(
            f"  {name:38s} {row['pairs']:4d}  not PASS {row['not_pass']:4d}  local {row['by_local_metrics']:4d}  "
            f"near {row['near']:4d}  places {row['places_near']:5.3f}  stray {row['stray']:3d}  {causes}"
        )
    lines += [f"  {target}" for target in targets(part, found)]
    if others := old_alarms(found):
        lines.append(f"  other alarms of good copies: {others}")
    bad = failures(found)
    lines += [f"  - {one}" for one in bad[:SHOWN]]
    lines += [f"  and {len(bad) - SHOWN} more"] if len(bad) > SHOWN else []
    return "\n".join(lines)
