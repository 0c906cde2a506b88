"""A limit as data: how far a metric's change may go before it warns, fails, or counts as moved in a gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A size in the metric's unit, a share of the reference's value, or the wider of both."""

    absolute: float = 0.0
    relative: float = 0.0

    def at(self, reference: float | None) -> float:
        """The threshold in the metric's unit; of either sign, the wider one."""
        shared = self.relative * abs(reference or 0.0)
        return max(self.absolute, shared, key=abs)


def as_threshold(value: float | Threshold) -> Threshold:
    """A plain number is an absolute threshold."""
    return value if isinstance(value, Threshold) else Threshold(value)


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One metric's table in a profile; see diagnose/profile.py."""

    unit: str
    direction: Literal["higher", "lower", "both"]
    reason: str
    warn: float | Threshold | None = None
    fail: float | Threshold | None = None
    tolerance: float | Threshold = 0.0


Profile = Mapping[str, Limit]
