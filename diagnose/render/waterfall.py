"""The ledger as bars: how far apart the two are at first, what each step takes away, and what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.render.phrases import steps_told

if TYPE_CHECKING:
    from diagnose.results.report import Report

LOWEST_DB = -60.0  # at the left edge: what is less is nothing to the ear
NO_DB = 0.0  # at the left edge, of levels that are the same: in log-mel cells a distance is how far levels are apart
WIDTH = 1000.0  # of the whole scale, in the units of the drawing


class Bar(msgspec.Struct, frozen=True):
    """One bar.  name: of the step, or of the whole.  kind: whole, step or left.  says: its figures.

    start, width: 0 to 1000, on a scale from -60 dB (0 dB in log-mel cells) to the largest distance, or 0 dB where that
    is less.
    """

    name: str
    kind: str
    start: float
    width: float
    says: str


def waterfall(report: Report) -> list[Bar]:
    """The bars from the top: both apart at first, each step in its order, what is left; [] where nothing was undone.

    A step's bar reaches from the distance of the whole chain to that of the chain without it, so that what two steps
    only do together shows in both.
    """
    steps = steps_told(report.causes)
    if report.proof is None or not steps:
        return []
    left = report.proof.left
    lowest = LOWEST_DB if report.proof.space == "waveform" else NO_DB
    scale = lowest, max(left.before_db, 0.0, *(before for _, _, (before, _) in steps))
    bars = [_bar("at first", "whole", lowest, left.before_db, scale, f"{left.before_db:.0f} dB apart")]
    for names, _, (before, after) in steps:
        bars.append(_bar(names, "step", after, before, scale, f"takes {max(before - after, 0):.0f} dB away"))
    return [*bars, _bar("left", "left", lowest, left.db, scale, f"{left.db:.0f} dB")]


def _bar(name: str, kind: str, low: float, high: float, scale: tuple[float, float], says: str) -> Bar:
    lowest, top = scale
    start, end = (min(max((level - lowest) / max(top - lowest, 1e-9), 0.0), 1.0) * WIDTH for level in (low, high))
    return Bar(name, kind, start, max(end - start, 0.0), says)
