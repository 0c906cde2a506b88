"""A timeline as a report has it: seconds and dB, and what differs without harm."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from diagnose.results.report import AlignmentFacts
from diagnose.results.timeline import Observation, SegmentFacts, TimelineFacts

if TYPE_CHECKING:
    from diagnose.timeline.segment import Segment, Timeline

MOST_SEGMENTS = 1000  # in a report
TEMPO = 0.005  # half a percent; nobody hears less
SILENCE_S, OF_FRAMES_S = 0.01, 0.03  # a frame; three of them, where frames are all that tells it
DEVIATION_MS = 10.0  # the same, of the timing


def alignment_facts(timeline: Timeline, rate: int, compared: int) -> AlignmentFacts:
    """Alignment in seconds and dB; compared: samples that lie on each other."""
    found = timeline.method != "none"
    return AlignmentFacts(
        rate_hz=rate,
        compared_s=compared / rate,
        delay_s=timeline.delay / rate if found else None,
        gain_db=20 * math.log10(timeline.gain),
        polarity=timeline.polarity,
        method=timeline.method,
        correlation=timeline.correlation,
        drift_ppm=timeline.drift_ppm,
        reason=None if found else f"no delay gives a correlation of at least 0.5 (best {timeline.correlation:.2f})",
    )


def timeline_facts(timeline: Timeline, rate: int) -> TimelineFacts:
    """The edit script in seconds."""
    return TimelineFacts(
        method=timeline.method,
        segments=tuple(_segment(one, rate) for one in timeline.segments[:MOST_SEGMENTS]),
        period_s=timeline.period / rate if timeline.period else None,
        omitted=max(len(timeline.segments) - MOST_SEGMENTS, 0),
    )


def _segment(segment: Segment, rate: int) -> SegmentFacts:
    def seconds(span: tuple[int, int]) -> tuple[float, float]:
        return span[0] / rate, span[1] / rate

    return SegmentFacts(
        kind=segment.kind,
        reference=seconds(segment.reference),
        generated=seconds(segment.generated),
        delay_s=segment.delay / rate if segment.kind == "matched" else None,
        source=seconds(segment.source) if segment.source else None,
        content=segment.content,
    )


def observations(timeline: Timeline, rate: int) -> tuple[Observation, ...]:
    """What of the timing differs without harm: another tempo, and more or less silence (> 0: more of it is there)."""
    found = []
    if timeline.tempo is not None and abs(timeline.tempo - 1) >= TEMPO:
        found.append(Observation("tempo", timeline.tempo, "ratio"))
    deviation = 1000 * (timeline.deviation or 0.0) / rate
    if deviation >= DEVIATION_MS:
        found.append(Observation("timing-deviation", deviation, "ms"))
    places = zip(("silence-at-start", "pauses", "silence-at-end"), _silence(timeline), strict=True)
    least = (SILENCE_S if timeline.silence is None else OF_FRAMES_S) * rate
    found += [Observation(name, samples / rate, "s") for name, samples in places if abs(samples) >= least]
    return tuple(found)


def _silence(timeline: Timeline) -> tuple[int, int, int]:
    """Samples of silence that the generated sound has more: at its start, inside (where warped), and at its end."""
    if timeline.silence is not None:
        return timeline.silence
    first, last = (_margin(timeline, at) for at in (0, -1))
    return first, 0, last if len(timeline.segments) > 1 else 0


def _margin(timeline: Timeline, index: int) -> int:
    if not timeline.segments or timeline.method == "none":
        return 0
    step = timeline.segments[index]
    if step.kind not in ("lost", "inserted") or step.content != "silence":
        return 0
    return (step.generated[1] - step.generated[0]) - (step.reference[1] - step.reference[0])
