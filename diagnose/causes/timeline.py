"""Causes read off the timeline: parts lost, inserted, repeated, replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.causes.words import milliseconds
from diagnose.results.cause import Cause, cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.causes.evidence import Evidence
    from diagnose.timeline import Segment

SURE = {"waveform": 1.0, "spectrogram": 0.85, "warped": 0.7, "none": 0.0}
LISTED = 3  # places that are listed as evidence
SAME_LENGTH = 0.05  # and 2 ms, by which edits may differ and be of one length


def segment_lost(e: Evidence) -> Cause | None:
    """A part of the reference inside the sound is not heard; what comes after it comes too early.

    Misleads: a part that repeats in the reference itself may be lost at either place.
    """
    return _edits(
        e,
        "segment-lost",
        _inner(e, "lost"),
        "lost",
        "look for chunks or packets that are dropped (a full queue, a chunk of odd size, an empty mel), for a "
        "cross-fade that takes samples from both sides, or for a wrong overlap",
    )


def segment_inserted(e: Evidence) -> Cause | None:
    """The generated sound goes on for a while with silence, or another sound, and then with the reference.

    Misleads: as segment-lost.
    """
    found = [step for step in _inner(e, "inserted") if step.reference != (0, 0)]
    return _edits(
        e,
        "segment-inserted",
        found,
        "inserted",
        "look for silence written between chunks, a pause added at joins, a chunk padded to its full size, or a buffer "
        "that ran empty",
    )


def segment_repeated(e: Evidence) -> Cause | None:
    """A part of the reference is heard again.

    Misleads: where the reference repeats itself, one of the two may have been inserted.
    """
    return _edits(
        e,
        "segment-repeated",
        [step for step in e.pair.timeline.edits if step.kind == "repeated"],
        "heard again",
        "look for a chunk that is sent or appended twice (a retry, an overlap that is not trimmed), or a buffer "
        "that is played again while the next is late",
    )


def different_content(e: Evidence) -> Cause | None:
    """The generated sound is a sound of its own, and nothing in it is the reference's, in whatever timing.

    Misleads: faults that leave no likeness and still sound like something.
    """
    timeline = e.pair.timeline
    if not e.pair.unrelated or timeline.likeness is None:
        return None
    return cause(
        "different-content",
        0.95,
        "nothing in it is the reference: another sentence, note or take",
        [
            f"the best warp to the reference is as far ({timeline.likeness:.2f} times) as to the reference backwards",
            "no part of the waveform, at any delay, is the reference's",
        ],
        "compare with the reference of this very sound: check file names, the order of a batch, an exchanged text or "
        "prompt, or a conditioning that is ignored",
    )


def _inner(e: Evidence, kind: str) -> list[Segment]:
    """The edits of a kind that lie between matched parts."""
    steps = e.pair.timeline.segments
    matched = [index for index, step in enumerate(steps) if step.kind == "matched"]
    if not matched:
        return []
    return [step for step in steps[matched[0] : matched[-1]] if step.kind == kind]


def _edits(e: Evidence, id: str, found: Sequence[Segment], what: str, fix: str) -> Cause | None:  # noqa: A002
    if not found:
        return None
    rate, timeline = e.pair.rate, e.pair.timeline
    lengths = [_length(step) / rate for step in found]
    period = timeline.period if len(found) > 2 else None
    every = f", one each {milliseconds(period / rate)}" if period else ""
    count = "" if len(found) == 1 else f" in {len(found)} places"
    evidence = [_place(step, rate, what) for step in found[:LISTED]]
    if period:
        samples = round(period * e.pair.files[1].rate / rate)
        evidence.append(f"they come at one distance: {samples} samples of the generated file, or a chunk of so many")
    elif len(found) > 2 and max(lengths) - min(lengths) <= SAME_LENGTH * max(lengths) + 0.002:
        evidence.append(f"all of one length: {milliseconds(sum(lengths) / len(lengths))}")
    return cause(
        id, SURE[timeline.method], f"{milliseconds(sum(lengths))} of the sound are {what}{count}{every}", evidence, fix
    )


def _length(step: Segment) -> int:
    span = step.reference if step.kind == "lost" else step.generated
    return span[1] - span[0]


def _place(step: Segment, rate: int, what: str) -> str:
    start, end = (at / rate for at in (step.reference if step.kind == "lost" else step.generated))
    side = "reference" if step.kind == "lost" else "generated sound"
    source = f", from {step.source[0] / rate:.3f} s of the reference" if step.source else ""
    kind = f" ({step.content})" if step.content and step.kind != "lost" else ""
    return f"{start:.3f} to {end:.3f} s of the {side} is {what}{kind}{source}"
