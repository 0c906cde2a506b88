"""Metrics of the timeline: what was lost, inserted and repeated, and how the time runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.metrics.metric import Metric, Unmeasurable, Value

SAME_CONTENT = 0.9  # in words

if TYPE_CHECKING:
    from diagnose.analysis import Pair
    from diagnose.metrics.metric import Phrase
    from diagnose.results.report import Detail, MetricRow
    from diagnose.timeline import Kind


def delay_s(pair: Pair) -> float:
    """How late the generated sound is, s; negative where it is early.  Removed before every other distance.

    That of the longest part that is matched, to a fraction of a sample where the waveform is kept.
    """
    _laid(pair)
    if pair.timeline.method == "warped":
        raise Unmeasurable("the timing is its own: see tempo_ratio and timing_deviation_ms")
    return pair.timeline.delay / pair.rate


def lost_s(pair: Pair) -> Value:
    """How much of the reference is not heard, in all, s; silence cut off at either end is not counted."""
    return _total(pair, "lost")


def inserted_s(pair: Pair) -> Value:
    """How much of the generated sound is not the reference's, in all, s; but for silence added at either end."""
    return _total(pair, "inserted")


def repeated_s(pair: Pair) -> Value:
    """How much of the generated sound plays again what was heard before, in all, s."""
    return _total(pair, "repeated")


def clock_drift_ppm(pair: Pair) -> float:
    """Difference of the clocks, parts per million (ppm); > 0 where the generated sound runs slow.

    Slope of the delay over the sound, read at 24 places.  Only of copies of 2 s and more.
    """
    if pair.timeline.method != "waveform":
        raise Unmeasurable("the phases are not the reference's")
    if pair.timeline.drift_ppm is None:
        raise Unmeasurable("under 2 s, or with edits: no one clock can be read")
    return pair.timeline.drift_ppm


def tempo_ratio(pair: Pair) -> float:
    """The quotient of the time that the generated sound takes and the reference's: slope of the line through the map.

    The clock's drift of a copy; 1 where the timing is the reference's.  An observation: no tempo is wrong by itself.
    """
    _laid(pair)
    if pair.timeline.tempo is not None:
        return pair.timeline.tempo
    return 1.0 / (1.0 - pair.timeline.drift)


def timing_deviation_ms(pair: Pair) -> float:
    """RMS by which the timing departs from a steady tempo, ms: of the warp's knots from the line through them."""
    _laid(pair)
    if pair.timeline.deviation is None:
        return 0.0
    return 1000 * pair.timeline.deviation / pair.rate


def content_distance(pair: Pair) -> float:
    """The quotient of the distance along the best warp and that by chance: 0 for a copy, 1 where nothing is alike.

    Of cepstra each 10 ms.  Chance: to the reference backwards, or with its halves exchanged, whichever is nearer.
    """
    timeline = pair.timeline
    if timeline.method == "waveform":
        return 0.0
    if timeline.likeness is None or (timeline.method == "none" and not pair.unrelated):
        raise Unmeasurable("the sounds change too little, or are too broken, to compare what is in them")
    return timeline.likeness


def _laid(pair: Pair) -> None:
    if pair.timeline.method == "none":
        raise Unmeasurable(f"no part of the sounds could be aligned (best r {pair.timeline.correlation:.2f})")


def _total(pair: Pair, kind: Kind) -> Value:
    _laid(pair)
    found = [step for step in pair.timeline.edits if step.kind == kind]
    if not found:
        return Value(0.0)
    spans = [step.reference if kind == "lost" else step.generated for step in found]
    longest = max(spans, key=lambda span: span[1] - span[0])
    detail: Detail = {"places": len(spans), "start_s": longest[0] / pair.rate, "end_s": longest[1] / pair.rate}
    return Value(pair.timeline.total(kind) / pair.rate, detail)


def _delay_phrase(row: MetricRow, change: float) -> str:
    return f"{1000 * abs(change):.0f} ms {'late' if change > 0 else 'early'}" if change else "no delay"


def _edit_phrase(what: str) -> Phrase:
    def phrase(row: MetricRow, change: float) -> str:
        if not change:
            return f"nothing is {what}"
        places = int(row.detail["places"])
        where = f"at {row.detail['start_s']:.2f} s" if places == 1 else f"in {places} places"
        return f"{1000 * change:.0f} ms are {what}, {where}"

    return phrase


def _content_phrase(row: MetricRow, change: float) -> str:
    if change < SAME_CONTENT:
        return f"the same content ({change:.2f} of the distance by chance)"
    return f"as far from the reference as by chance ({change:.2f} of that distance): another sound"


METRICS = (
    Metric(
        "delay_s", "s", "how late the generated sound is", delay_s, "pair", phrase=_delay_phrase, picture="envelope"
    ),
    Metric(
        "lost_s", "s", "parts of the reference are missing", lost_s, "pair", phrase=_edit_phrase("lost"), later=True
    ),
    Metric("inserted_s", "s", "parts were inserted", inserted_s, "pair", phrase=_edit_phrase("inserted"), later=True),
    Metric("repeated_s", "s", "parts are heard again", repeated_s, "pair", phrase=_edit_phrase("repeated"), later=True),
    Metric("tempo_ratio", "ratio", "tempo", tempo_ratio, "pair", ideal=1.0, scale="log", later=True),
    Metric("timing_deviation_ms", "ms", "timing departs from a steady tempo", timing_deviation_ms, "pair", later=True),
    Metric(
        "content_distance",
        "ratio",
        "the content is another",
        content_distance,
        "pair",
        phrase=_content_phrase,
        later=True,
    ),
    Metric("clock_drift_ppm", "ppm", "difference of the clocks", clock_drift_ppm, "pair", later=True),
)
