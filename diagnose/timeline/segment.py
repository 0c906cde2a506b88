"""Timeline and Segment: how a generated sound lies against its reference, as an edit script.

Read as `diff` is read: the segments in order make the generated sound out of the reference.  All positions are samples
at the common rate, from the start of each file; a span is [start, end).
"""

from __future__ import annotations

from typing import Literal

import msgspec

Span = tuple[int, int]
Kind = Literal["matched", "lost", "inserted", "repeated", "replaced"]
Content = Literal["silence", "sound"]
Method = Literal["waveform", "spectrogram", "warped", "none"]


class Segment(msgspec.Struct, frozen=True):
    """One step of the edit script.

    matched: the reference's span is heard in the generated span.  delay: generated minus reference position at the
    start of both, in samples, with its fraction.
    lost: the reference's span is not heard; the generated span is empty.  content: what was there.
    inserted: the generated span has no counterpart; the reference's span is empty.  content: what is there.
    repeated: the generated span plays `source`, a span of the reference that is heard elsewhere too; the reference's
    span is empty.
    replaced: both spans are there, and the one does not sound like the other.  content as above.
    """

    kind: Kind
    reference: Span
    generated: Span
    delay: float = 0.0
    source: Span | None = None
    content: Content | None = None


class Timeline(msgspec.Struct, frozen=True):
    """Where each part of the generated sound comes from.

    generated(t + delay(t)) = polarity * gain * reference(t) on what is matched.

    method: "waveform", phases agree; "spectrogram", the phases are a vocoder's own, the timing is the reference's;
    "warped", the same content with a timing of its own; "none", nothing shows that the one comes from the other, and
    both are laid start on start.
    delay: of the longest matched part, in samples, > 0 where the generated sound is late.
    gain: generated over reference, linear, > 0.  polarity: 1, -1, or None where phases do not tell.
    correlation: r of the matched parts as they are laid, -1 to 1.
    drift_ppm: clock difference of copies; > 0 where the generated sound runs slow.
    period: samples of the generated sound from one edit to the next, where they come at one distance.
    tempo: where warped, generated over reference time.  deviation: RMS of the map about its best line, in samples.
    likeness: distance along the best warp over that to a reference in another order; 1 where nothing is alike.
    other: whether the generated sound is a sound of its own that has nothing to do with the reference.
    drift: samples of delay that are added with each sample of the generated sound.
    resampled: whether what is matched has to be resampled to lie sample on sample: a drift, or a fraction that shows.
    silence: where warped, samples of silence that the generated sound has more: at its start, inside, at its end.
    warp: where warped, knots (reference, generated) in samples, both rising; the map is linear between them.
    """

    method: Method = "none"
    segments: tuple[Segment, ...] = ()
    delay: float = 0.0
    gain: float = 1.0
    polarity: int | None = None
    correlation: float = 0.0
    drift_ppm: float | None = None
    period: float | None = None
    warp: tuple[tuple[int, int], ...] = ()
    tempo: float | None = None
    deviation: float | None = None
    likeness: float | None = None
    other: bool = False
    drift: float = 0.0
    resampled: bool = False
    silence: tuple[int, int, int] | None = None

    @property
    def shift(self) -> int:
        """The delay in whole samples."""
        return round(self.delay)

    @property
    def edits(self) -> tuple[Segment, ...]:
        """What is not matched, in order; without silence at either end, that was cut or added."""
        return tuple(step for step in self.segments if step.kind != "matched" and not self._is_margin(step))

    def _is_margin(self, step: Segment) -> bool:
        at_end = step is self.segments[0] or step is self.segments[-1]
        return at_end and step.content != "sound" and step.kind in ("lost", "inserted")

    @property
    def moved(self) -> float:
        """Share of what comes from the reference that is heard in another order, not again, 0 to 1."""
        heard = sum(step.generated[1] - step.generated[0] for step in self.segments if step.kind == "matched")
        spans = [step.reference for step in self.segments if step.kind == "matched"]
        elsewhere = 0
        for step in self.segments:
            if step.kind == "repeated" and step.source is not None:
                start, end = step.source
                covered = sum(max(min(end, last) - max(start, first), 0) for first, last in spans)
                elsewhere += max(end - start - covered, 0)
        return elsewhere / max(heard + elsewhere, 1)

    def total(self, kind: Kind) -> int:
        """Samples of all edits of a kind: of the reference where they are lost, else of the generated sound."""
        spans = (step.reference if kind == "lost" else step.generated for step in self.edits if step.kind == kind)
        return sum(end - start for start, end in spans)
