"""Setting the time right: what the timeline says was cut, added, or is late, put where it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.results.repair import LeftUndone
from diagnose.timeline import Clock, on_clock, shifted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.arrays import Floats
    from diagnose.timeline import Piece, Segment, Timeline

LEAST_FRACTION = 0.02  # of a sample: of less, a shift shows in nothing


class Place(msgspec.Struct, frozen=True):
    """A part of the generated sound, where it begins there and where it belongs, and its length; samples."""

    generated: float
    reference: float
    length: float


class Layout(msgspec.Struct, frozen=True):
    """How a generated sound comes to lie on its reference.

    clock: on which it is resampled first; None where it runs at the reference's.  places: in samples of the generated
    sound's own rate, on that clock.  ids, summary: of the causes that are undone by it.  lost: what is not.
    """

    clock: Clock | None
    places: tuple[Place, ...]
    ids: tuple[str, ...]
    summary: str
    lost: tuple[LeftUndone, ...]

    def on_axis(self, samples: Floats) -> Floats:
        """The generated sound on the reference's clock."""
        return samples if self.clock is None else np.asarray(on_clock(samples.astype(np.float32), self.clock), float)

    def placed(self, samples: Floats) -> Floats:
        """Every part of what on_axis gives in its place: what is not matched is left out, what is lost is silence."""
        made = np.zeros(max((round(place.reference + place.length) for place in self.places), default=0))
        for place in self.places:
            start, stop = round(place.reference), round(place.reference + place.length)
            offset = place.generated - place.reference
            whole = round(offset)
            part = samples[max(start + whole, 0) : max(stop + whole, 0)]
            if abs(offset - whole) > LEAST_FRACTION and part.size:
                part = shifted(part, whole - offset)
            made[start : start + part.size] = part
        return made


def layout_of(timeline: Timeline, pieces: Sequence[Piece], rate: int, native: int) -> Layout:
    """The layout of a copy.

    timeline, pieces: in samples at rate, the rate of the comparison in Hz.  native: of the generated sound.
    """
    ratio = native / rate
    clock = Clock(timeline.delay * ratio, timeline.drift, fraction=True) if timeline.resampled else None
    # A clock brings the sound to a whole delay of its own samples, and the pieces are at whole ones of the comparison.
    aside = 0.0 if clock is None else round(clock.delay) - round(timeline.delay) * ratio
    places = [Place(one.generated * ratio + aside, one.reference * ratio, one.length * ratio) for one in pieces]
    for segment in timeline.segments:
        if segment.kind == "replaced":
            length = min(end - start for start, end in (segment.reference, segment.generated))
            start = segment.generated[0] * (1 - timeline.drift)
            places.append(Place(start * ratio + aside, segment.reference[0] * ratio, length * ratio))
    ids, words, lost = [], [], []
    for index, segment in enumerate(timeline.segments):
        where = "start" if index == 0 else "end" if index == len(timeline.segments) - 1 else ""
        id, said, why = _edit(segment, where, rate)  # noqa: A001 - the contract's word
        ids += [id] if said else []
        words += [said] if said else []
        lost += [LeftUndone(id, why)] if why else []
    if timeline.drift:
        ids.append("sample-rate")
        words.append(f"a clock that is {1e6 * timeline.drift:+.0f} ppm off set right")
    elif clock is not None or not words:
        ids.append("delay")
        late = f"a delay of {1000 * timeline.delay / rate:+.3g} ms taken back"
        words.append("what follows a gap put where it belongs" if lost and clock is None else late)
    return Layout(clock, tuple(places), tuple(dict.fromkeys(ids)), _shortened(words), tuple(lost))


def _edit(segment: Segment, where: str, rate: int) -> tuple[str, str, str]:
    """(cause, what is undone, what is not) of a step of the edit script; where: "start", "end", or "" inside."""
    length = max(end - start for start, end in (segment.reference, segment.generated))
    at = f"at the {where}" if where else f"at {segment.generated[0] / rate:.2f} s"
    long = f"{1000 * length / rate:.3g} ms"
    silence = " of silence" if segment.content == "silence" else ""
    if segment.kind == "inserted":
        id = {"start": "delay", "end": "padded" if silence else "segment-inserted"}.get(where, "segment-inserted")  # noqa: A001
        return id, f"{long}{silence} cut {at}", ""
    if segment.kind == "repeated":
        return "segment-repeated", f"{long} that are heard twice cut {at}", ""
    if segment.kind == "replaced":
        return "segment-replaced", "", f"{long} {at} are another sound, and stay as they are"
    if segment.kind == "lost" and where == "end":
        return "truncated", "", "" if silence else f"the last {long} are lost"
    if segment.kind == "lost" and where == "start":
        return "delay", f"{long} of silence put {at}", "" if silence else f"the first {long} are lost"
    if segment.kind == "lost":
        if silence:
            return "segment-lost", f"{long} of silence put {at}", ""
        return "segment-lost", "", f"{long} {at} are lost; silence stands there, so that what follows lies right"
    return "delay", "", ""


def _shortened(words: list[str], most: int = 3) -> str:
    more = [f"{len(words) - most} more"] if len(words) > most else []
    return "; ".join([*words[:most], *more])
