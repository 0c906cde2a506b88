"""Where in time and frequency a failed metric fails."""

from __future__ import annotations

from diagnose.regions.find import find_regions

__all__ = ["find_regions"]
