"""How a generated sound lies against its reference: the delay of each part, and the edit script between them."""

from __future__ import annotations

from diagnose.timeline.clock import Clock, on_clock, shifted
from diagnose.timeline.correlation import loudest_start, peak_correlation
from diagnose.timeline.facts import alignment_facts, observations, timeline_facts
from diagnose.timeline.laid import Laid, Piece, laid
from diagnose.timeline.layout import lay, lay_waveforms
from diagnose.timeline.segment import Kind, Segment, Timeline

__all__ = [
    "Clock",
    "Kind",
    "Laid",
    "Piece",
    "Segment",
    "Timeline",
    "alignment_facts",
    "laid",
    "lay",
    "lay_waveforms",
    "loudest_start",
    "observations",
    "on_clock",
    "peak_correlation",
    "shifted",
    "timeline_facts",
]
