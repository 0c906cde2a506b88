"""TimelineFacts: the edit script between two sounds as a report has it, in seconds."""

from __future__ import annotations

import msgspec

SpanS = tuple[float, float]


class SegmentFacts(msgspec.Struct, frozen=True):
    """One step of the edit script; reference, generated and source are spans [start, end] in s of each file.

    kind: "matched", "lost", "inserted", "repeated" (source: what of the reference is heard again), "replaced".
    delay_s: of what is matched, at its start.  content: "silence" or "sound", of what is inserted or replaced.
    """

    kind: str
    reference: SpanS
    generated: SpanS
    delay_s: float | None = None
    source: SpanS | None = None
    content: str | None = None


class TimelineFacts(msgspec.Struct, frozen=True):
    """How both sounds lie to each other: segments in the order of the generated sound.

    method: "waveform", "spectrogram", "warped" or "none".  period_s: from edit to edit, where they are periodic.
    omitted: segments beyond those listed.
    """

    method: str = "none"
    segments: tuple[SegmentFacts, ...] = ()
    period_s: float | None = None
    omitted: int = 0

    @property
    def edits(self) -> tuple[SegmentFacts, ...]:
        """The segments that are not matched."""
        return tuple(segment for segment in self.segments if segment.kind != "matched")


class Observation(msgspec.Struct, frozen=True):
    """What differs without harm: an amount, no verdict."""

    id: str
    amount: float
    unit: str
