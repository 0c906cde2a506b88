"""Where in time and frequency a failed metric fails."""

from __future__ import annotations

from diagnose.regions.find import find_regions
from diagnose.results.region import Region, size

__all__ = ["Region", "find_regions", "size"]
