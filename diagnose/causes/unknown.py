"""The answer where no cause holds: what is over its limit, and that nothing known explains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.results.cause import Cause
from diagnose.results.verdict import RANK
from diagnose.text import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.results.report import MetricRow

HALF = 0.5  # nothing was found, and the catalogue is not all that can happen: nobody knows how often that is right
LISTED = 4  # metrics over their limits
# As the catalogue has it; diagnose/faults is loaded only where a copy is explained.
FIX = "look at the regions, and compare the stages of the pipeline one by one"


def unknown_cause(rows: Sequence[MetricRow]) -> Cause | None:
    """The cause unknown, with what is over its limit, worst first; None where nothing is.

    Misleads: nothing; it says that the tool does not know.
    """
    over = [row for row in rows if row.verdict in ("WARN", "FAIL")]
    if not over:
        return None
    worst = sorted(over, key=lambda row: (-RANK[row.verdict], -row.severity))[:LISTED]
    more = f" and {len(over) - LISTED} more" if len(over) > LISTED else ""
    return Cause(
        "unknown",
        HALF,
        f"a limit is broken, and no known fault explains it: {', '.join(row.name for row in worst)}{more}",
        tuple(f"{row.name}: a change of {number(row.change, row.unit)}" for row in worst if row.change is not None),
        FIX,
    )
