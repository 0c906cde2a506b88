"""Two sounds laid side by side: the matched parts of both, joined, one sample of the one for each of the other."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.spectrogram import hann
from diagnose.timeline.clock import Clock, on_clock

if TYPE_CHECKING:
    from diagnose.audio import Samples
    from diagnose.timeline.segment import Timeline


WINDOW = 1024  # samples of a frame
FREEDOM = 256  # samples
ROUNDED = 2  # samples by which a part may seem to lie off its clock


class Piece(msgspec.Struct, frozen=True):
    """Where a matched part begins: on the joined axis, in the reference, in the generated sound; samples."""

    joined: int
    reference: int
    generated: int
    length: int


class Laid(msgspec.Struct, frozen=True):
    """reference, generated: the matched parts, of one length.  pieces: where each comes from, in order.

    drift: samples of delay that are added with each sample of the generated sound, where it was resampled.
    """

    reference: Samples
    generated: Samples
    pieces: tuple[Piece, ...]
    drift: float = 0.0

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
        return sample if piece is None else (piece.generated + sample - piece.reference) / (1 - self.drift)

    def from_generated(self, sample: float) -> float:
        """Position in the reference of a position in the generated sound."""
        sample *= 1 - self.drift
        piece = self._piece([piece.generated for piece in self.pieces], sample)
        return sample if piece is None else piece.reference + sample - piece.generated

    def _piece(self, starts: list[int], sample: float) -> Piece | None:
        return self.pieces[max(bisect_right(starts, sample) - 1, 0)] if starts else None


def laid(timeline: Timeline, reference: Samples, generated: Samples) -> Laid:
    """The matched parts of both; views where they are one part, neither mean nor gain removed.

    Where the clocks differ, or the delay has a fraction, the generated sound is resampled to the reference's first.
    """
    matched = [segment for segment in timeline.segments if segment.kind == "matched"]
    if timeline.warp:
        return _unwarped(timeline.warp, reference, generated)
    spans = [(*segment.reference, segment.generated[0]) for segment in matched]
    if timeline.resampled and spans:
        clock = Clock(timeline.delay, timeline.drift)
        generated = on_clock(generated, clock)
        spans = [(first, last, _on(clock, first, start)) for first, last, start in spans]
    pieces, joined = [], 0
    for first, last, start in spans:
        length = min(last - first, reference.size - first, generated.size - start)
        if length > 0:
            pieces.append(Piece(joined, first, start, length))
            joined += length
    ours = _joined(reference, [(piece.reference, piece.length) for piece in pieces])
    theirs = _joined(generated, [(piece.generated, piece.length) for piece in pieces])
    return Laid(ours, theirs, tuple(pieces), timeline.drift)


def _on(clock: Clock, first: int, start: int) -> int:
    """Where on a clock a part begins; first, start: in the reference, and in the generated sound as it is."""
    moved, whole = round(start * (1 - clock.drift)), first + round(clock.delay)
    return whole if abs(moved - whole) <= ROUNDED else moved


def _joined(samples: Samples, parts: list[tuple[int, int]]) -> Samples:
    if not parts:
        return samples[:0]
    if len(parts) == 1:
        return samples[parts[0][0] : sum(parts[0])]
    return np.concatenate([samples[start : start + length] for start, length in parts])


def _unwarped(knots: tuple[tuple[int, int], ...], reference: Samples, generated: Samples) -> Laid:
    """The generated sound in the reference's timing, its pitch kept: by overlapping frames (WSOLA).

    Verhelst and Roelands, ICASSP 1993: each frame is taken within FREEDOM of its place, where it goes on best from the
    frame before.
    """
    ours, theirs = np.array(knots, np.float64).T
    length = min(int(ours[-1]), reference.size)
    hop = WINDOW // 2
    window = hann(WINDOW)
    made = np.zeros(length + 2 * WINDOW)
    padded = np.pad(generated.astype(np.float64), WINDOW + FREEDOM)
    offset = WINDOW // 2 + FREEDOM  # so that a frame is centred on its place
    natural = None
    for at in range(0, length + hop, hop):
        place = int(np.interp(at, ours, theirs)) + offset
        place = min(place, padded.size - WINDOW - FREEDOM - 1)
        if natural is not None:
            searched = padded[place - FREEDOM : place + FREEDOM + WINDOW]
            place += int(np.argmax(np.correlate(searched, natural, mode="valid"))) - FREEDOM
        made[at : at + WINDOW] += window * padded[place : place + WINDOW]
        natural = padded[place + hop : place + hop + WINDOW]
        natural = natural if natural.size == WINDOW else None
    pieces = tuple(Piece(begin[0], begin[0], begin[1], end[0] - begin[0]) for begin, end in pairwise(knots))
    return Laid(reference[:length], made[hop : hop + length].astype(np.float32), pieces)
