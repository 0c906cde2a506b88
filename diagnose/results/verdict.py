"""PASS, WARN, FAIL or ERROR, and the worst of many."""

from __future__ import annotations

from typing import Literal

Verdict = Literal["PASS", "WARN", "FAIL", "ERROR"]
RANK: dict[Verdict | None, int] = {None: 0, "PASS": 0, "WARN": 1, "ERROR": 2, "FAIL": 3}


def overall(verdicts: list[Verdict | None]) -> Verdict:
    """The worst of many; ERROR where nothing was judged."""
    judged = [verdict for verdict in verdicts if verdict is not None]
    return max(judged, key=RANK.__getitem__) if judged else "ERROR"
