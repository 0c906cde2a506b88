"""Causes read off the timeline: parts lost, inserted, repeated, replaced."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from diagnose.causes.reading import roughness
from diagnose.causes.words import milliseconds
from diagnose.results.cause import Cause, cause
from diagnose.timeline import lay_waveforms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.analysis import Pair
    from diagnose.arrays import Floats
    from diagnose.audio import Samples
    from diagnose.causes.evidence import Evidence
    from diagnose.timeline import Segment

SURE = {"waveform": 1.0, "spectrogram": 0.85, "warped": 0.7, "none": 0.0}
LISTED = 3  # places that are listed as evidence
MUCH_ROUGHER, AS_ROUGH_AS_NOISE = 4.0, 0.7  # times the reference's roughness; what is believed then
MOST_A_SECOND, CROWDED = 5.0, 0.75  # edits of all kinds that are likely, without a period; what more are believed
LONGEST_PERIOD_S = 0.02  # of a voice: 50 Hz
LONGEST_PAUSE_S, PAUSE_DB, PAUSE_AROUND_S = 0.25, -35.0, 0.02  # of what was inserted; of the mean power, so near it
SHORTEST_PART_S = 0.1  # of what is exchanged
SHORTEST_TAIL_S, TAIL_DB = 0.05, -40.0  # of a tail, and its level to the sound before it
ENDED_DB = -70.0  # of the loudest 50 ms: the reference has ended
FEWEST_BLOCKS, STANDS_OUT = 2, 10.0  # of 50 ms; times the power of what differs before: else all of it differs
SAME_VOICE, SAME_AVERAGE = 0.9, 0.75  # r of the long-term spectra, from which on it may be one sound in disorder
FEWEST_SLIPS, MOST_SLIP_S = 8, 0.005
ON_BEAT, OFF_BEAT = 0.8, 0.1  # share of the slips that come in time, and by how much of a period they may be off
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


def exchanged_parts(pair: Pair) -> Cause | None:
    """What is missing at one end stands at the other: two parts in the wrong order."""
    steps = pair.timeline.segments
    lost = [step for step in steps if step.kind == "lost" and step.content != "silence"]
    added = [step for step in steps if step.kind == "inserted" and step.content != "silence"]
    if pair.timeline.method != "waveform" or len(lost) != 1 or len(added) != 1:
        return None
    sides = pair.reference.mono[slice(*lost[0].reference)], pair.generated.mono[slice(*added[0].generated)]
    if min(side.size for side in sides) < SHORTEST_PART_S * pair.rate:
        return None
    found = lay_waveforms(*sides, pair.rate)
    if found is None:
        return None
    start, end = (at / pair.rate for at in lost[0].reference)
    return cause(
        "time-structure-lost",
        1.0,
        f"two parts are exchanged: {start:.3f} to {end:.3f} s of the reference stands elsewhere",
        [
            f"it is heard from {added[0].generated[0] / pair.rate:.3f} s of the generated sound on, as it is",
            f"its waveform there is the reference's: r = {abs(found.correlation):.3f}",
        ],
        "look for chunks that are joined in the order in which they came back and not in that of the text, or a buffer "
        "that is turned round (np.roll, fftshift)",
    )


def tail_added(e: Evidence) -> Cause | None:
    """After the reference's end, or where it is silent up to its end, the generated sound goes on.

    Misleads: a reference that was cut before its last note had died away.
    """
    found = _after_end(e) or _after_sound(e)
    if found is None:
        return None
    start, length, level = found
    part = e.pair.generated.mono[start : start + length]
    if e.method == "waveform" and lay_waveforms(e.pair.reference.mono, part, e.pair.rate) is not None:
        return None  # a part of the reference, in another place
    return cause(
        "tail-added",
        SURE[e.pair.timeline.method],
        f"after the end, at {start / e.pair.rate:.3f} s, it goes on for {milliseconds(length / e.pair.rate)}",
        [f"what follows is {level:+.0f} dB to the sound before, and nothing in the reference"],
        "cut each item of a batch to its own length (mel frames x hop) after the vocoder, and pad the mel with its "
        "floor (ln 1e-5, not 0); stop the decoder at its end token",
    )


def _after_end(e: Evidence) -> tuple[int, int, float] | None:
    """(sample, samples, dB to what is before) of the sound that stands after all of the reference."""
    steps = e.pair.timeline.segments
    last = steps[-1] if len(steps) > 1 else None
    if last is None or last.kind != "inserted" or last.content == "silence":
        return None
    start, end = last.generated
    part, whole = e.pair.generated.mono[start:end], e.pair.generated.mono[:start]
    level = _decibels(part, whole)
    return (start, end - start, level) if end - start > SHORTEST_TAIL_S * e.pair.rate and level > TAIL_DB else None


def _after_sound(e: Evidence) -> tuple[int, int, float] | None:
    """As _after_end, of a reference that ends with silence; nothing where it differs by as much before."""
    if e.method != "waveform" or e.pair.silent:
        return None
    ours, theirs = e.pair.overlap
    size = round(SHORTEST_TAIL_S * e.pair.rate)
    count = ours.size // size
    differs = theirs - np.float32(e.pair.gain) * ours
    level, off = (_of_blocks(each[: count * size].reshape(count, size)) for each in (ours, differs))
    sounds = np.flatnonzero(level > 10 ** (ENDED_DB / 10) * level.max(initial=0.0))
    first = int(sounds[-1]) + 1 if sounds.size else count
    if count - first < FEWEST_BLOCKS or float(np.median(off[first:])) < STANDS_OUT * float(off[:first].mean()):
        return None
    over = _decibels(theirs[first * size :], theirs[: first * size])
    return (first * size, ours.size - first * size, over) if over > TAIL_DB else None


def _of_blocks(blocks: Samples) -> Floats:
    """Mean power of each block [shape=(blocks, samples)]; nothing of the size of the sound is made."""
    return np.asarray(np.einsum("ij,ij->i", blocks, blocks), np.float64) / max(blocks.shape[1], 1)


def _decibels(part: Samples, whole: Samples) -> float:
    return 10 * math.log10(max(_power(part), 1e-30) / max(_power(whole), 1e-30))


def _power(samples: Samples) -> float:
    return float(np.square(samples, dtype=np.float64).mean()) if samples.size else 0.0


def slips(pair: Pair) -> Cause | None:
    """The delay jumps by some samples again and again, each time after the same time: blocks that are too short."""
    matched = [step for step in pair.timeline.segments if step.kind == "matched"]
    if pair.timeline.method != "waveform" or len(matched) < FEWEST_SLIPS:
        return None
    delays = np.array([step.generated[0] - step.reference[0] for step in matched])
    jumps, times = np.diff(delays), np.array([step.generated[0] for step in matched[1:]])
    times, jumps = times[jumps != 0], jumps[jumps != 0]
    if times.size < FEWEST_SLIPS or np.abs(jumps).max() > MOST_SLIP_S * pair.rate:
        return None
    apart = np.diff(times)
    period = float(np.median(apart))
    on_beat = np.abs(apart / period - np.rint(apart / period)) < OFF_BEAT
    one_way = abs(float(np.sign(jumps).sum())) / jumps.size
    if period <= 0 or on_beat.mean() < ON_BEAT or one_way < ON_BEAT:
        return None
    size = int(np.median(jumps))
    what = "lost" if size < 0 else "too many"
    samples = round(period * pair.files[1].rate / pair.rate)
    return cause(
        "chunk-seams",
        0.95,
        f"each {period / pair.rate:.4g} s ({samples} samples of the generated file) some samples are {what}",
        [
            f"the delay jumps {times.size} times, by {size:+d} samples each",
            f"the jumps lie on one beat in {100 * on_beat.mean():.0f} %",
        ],
        "count samples, not milliseconds: a block of a rounded length drifts; look for [:-1], // and odd chunk sizes",
    )


def different_content(e: Evidence) -> Cause | None:
    """The generated sound is a sound of its own, and nothing in it is the reference's, in whatever timing.

    Misleads: faults that leave no likeness and still sound like something.
    """
    timeline = e.pair.timeline
    if not e.pair.unrelated or timeline.likeness is None:
        return None
    # What was misread in a way that nobody thought of has nothing of the reference either, and is noise.
    rough = roughness(e.pair.generated.mono) / max(roughness(e.pair.reference.mono), 1e-6)
    # The same voice or instrument, in another order: another sentence, or the frames of this one in disorder.
    disordered = e.match.average > SAME_VOICE
    return cause(
        "different-content",
        SAME_AVERAGE if disordered else 0.95 if rough < MUCH_ROUGHER else AS_ROUGH_AS_NOISE,
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
    elif len(found) > 2 and _of_one_length(lengths):
        evidence.append(f"all of one length: {milliseconds(sum(lengths) / len(lengths))}")
    doubtful = is_crowded(e.pair) or are_periods(e.pair) or are_pauses(e.pair, found)
    strength = SURE[timeline.method] * (CROWDED if doubtful else 1.0)
    return cause(id, strength, f"{milliseconds(sum(lengths))} of the sound are {what}{count}{every}", evidence, fix)


def is_crowded(pair: Pair) -> bool:
    """Whether there are more edits than anybody makes, and at no distance of their own.

    Another speed, heard in a sound that repeats itself, looks like periods left out or repeated here and there.
    """
    return not pair.timeline.period and len(pair.timeline.edits) > MOST_A_SECOND * pair.reference.mono.size / pair.rate


def are_periods(pair: Pair) -> bool:
    """Whether the edits are a few, each as short as a period of a voice, of no length and at no distance of their own:
    another pitch by some cents looks so.
    """
    lengths = [_length(step) / pair.rate for step in pair.timeline.edits]
    short = len(lengths) > 2 and max(lengths) < LONGEST_PERIOD_S
    return short and not pair.timeline.period and not _of_one_length(lengths)


def are_pauses(pair: Pair, found: Sequence[Segment]) -> bool:
    """Whether all that was inserted is a little silence where the reference is silent: a longer pause may be meant."""
    mono, rate = pair.reference.mono, pair.rate
    loud = float(np.square(mono, dtype=np.float64).mean()) * 10 ** (PAUSE_DB / 10)
    around = round(PAUSE_AROUND_S * rate)
    for step in found:
        if step.kind != "inserted" or step.content != "silence" or _length(step) > LONGEST_PAUSE_S * rate:
            return False
        near = mono[max(step.reference[0] - around, 0) : step.reference[0] + around]
        if not near.size or float(np.square(near, dtype=np.float64).mean()) > loud:
            return False
    return bool(found)


def _of_one_length(lengths: Sequence[float]) -> bool:
    return max(lengths) - min(lengths) <= SAME_LENGTH * max(lengths) + 0.002


def _length(step: Segment) -> int:
    span = step.reference if step.kind == "lost" else step.generated
    return span[1] - span[0]


def _place(step: Segment, rate: int, what: str) -> str:
    start, end = (at / rate for at in (step.reference if step.kind == "lost" else step.generated))
    side = "reference" if step.kind == "lost" else "generated sound"
    source = f", from {step.source[0] / rate:.3f} s of the reference" if step.source else ""
    kind = f" ({step.content})" if step.content and step.kind != "lost" else ""
    return f"{start:.3f} to {end:.3f} s of the {side} is {what}{kind}{source}"
