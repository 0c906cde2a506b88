"""Report -> JSON, the object of DESIGN's contract `diagnose.report/1`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnose.results.report import Report


def to_json(report: Report) -> str:
    """One object and a newline; a NaN would be a mistake and raises ValueError."""
    return json.dumps(report.as_dict(), indent=2, allow_nan=False) + "\n"
