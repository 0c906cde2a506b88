"""Where in time and frequency a failed metric fails."""

from __future__ import annotations

import msgspec


class Region(msgspec.Struct, frozen=True):
    """A box in time and frequency in which a metric fails.

    start_s, end_s: on the reference's clock.  excess_db: generated over reference in the box, gain removed; < 0
    where something is missing.
    """

    metric: str
    start_s: float
    end_s: float
    low_hz: float
    high_hz: float
    excess_db: float
