"""Two sounds laid side by side: the matched parts of both, joined, one sample of the one for each of the other."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.timeline.clock import Clock, on_clock

if TYPE_CHECKING:
    from diagnose.audio import Samples
    from diagnose.timeline.segment import Timeline


class Piece(msgspec.Struct, frozen=True):
    """Where a matched part begins: on the joined axis, in the reference, in the generated sound; samples."""

    joined: int
    reference: int
    generated: int
    length: int


class Laid(msgspec.Struct, frozen=True):
    """reference, generated: the matched parts, of one length.  pieces: where each comes from, in order."""

    reference: Samples
    generated: Samples
    pieces: tuple[Piece, ...]

    def to_reference(self, sample: float) -> float:
        """Position in the reference of a position on the joined axis."""
        piece = self._piece([piece.joined for piece in self.pieces], sample)
        return sample if piece is None else piece.reference + sample - piece.joined

    def to_joined(self, sample: float) -> float:
        """Position on the joined axis of a position in the reference; of what is left out, where it would be."""
        piece = self._piece([piece.reference for piece in self.pieces], sample)
        return sample if piece is None else piece.joined + min(sample - piece.reference, piece.length)

    def to_generated(self, sample: float) -> float:
        """Position in the generated sound of a position in the reference."""
        piece = self._piece([piece.reference for piece in self.pieces], sample)
        return sample if piece is None else piece.generated + sample - piece.reference

    def from_generated(self, sample: float) -> float:
        """Position in the reference of a position in the generated sound."""
        piece = self._piece([piece.generated for piece in self.pieces], sample)
        return sample if piece is None else piece.reference + sample - piece.generated

    def _piece(self, starts: list[int], sample: float) -> Piece | None:
        return self.pieces[max(bisect_right(starts, sample) - 1, 0)] if starts else None


def laid(timeline: Timeline, reference: Samples, generated: Samples) -> Laid:
    """The matched parts of both; views where they are one part, neither mean nor gain removed.

    Where the clocks differ, or the delay has a fraction, the generated sound is resampled to the reference's first.
    """
    matched = [segment for segment in timeline.segments if segment.kind == "matched"]
    spans = [(*segment.reference, segment.generated[0]) for segment in matched]
    if timeline.resampled and spans:
        clock = Clock(timeline.delay, timeline.drift)
        generated = on_clock(generated, clock)
        spans = [(first, last, first + round(clock.delay)) for first, last, _ in spans]
    pieces, joined = [], 0
    for first, last, start in spans:
        length = min(last - first, reference.size - first, generated.size - start)
        if length > 0:
            pieces.append(Piece(joined, first, start, length))
            joined += length
    ours = _joined(reference, [(piece.reference, piece.length) for piece in pieces])
    theirs = _joined(generated, [(piece.generated, piece.length) for piece in pieces])
    return Laid(ours, theirs, tuple(pieces))


def _joined(samples: Samples, parts: list[tuple[int, int]]) -> Samples:
    if not parts:
        return samples[:0]
    if len(parts) == 1:
        return samples[parts[0][0] : sum(parts[0])]
    return np.concatenate([samples[start : start + length] for start, length in parts])
