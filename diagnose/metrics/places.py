"""What is wrong for a moment: bad places of a copy, and where the level dips or bursts for a tenth of a second.

A mean over minutes says nothing of 20 ms; these go by count and by the worst place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.analysis.masking import hidden_db
from diagnose.arrays import window_sums
from diagnose.metrics.metric import Metric, Unmeasurable, Value

if TYPE_CHECKING:
    from diagnose.analysis import Pair
    from diagnose.metrics.metric import Phrase
    from diagnose.results.report import MetricRow

WINDOW_S = 0.020
FEWEST = 8  # frames of 6 ms, under which nothing is usual


def bad_places(pair: Pair) -> Value:
    """Number of places, >= 0, at which a copy leaves more over than the reference hides, and than it leaves elsewhere.

    Frames of 6 ms by octaves, gain and delay removed: in two bands the residual is over the masking level - 6 dB, over
    the copy's usual residual by 6 to 12 dB, and over its median within 0.15 s by 6 dB; all by 3.5 dB more.  What lies
    20 ms apart is one place.  detail: the worst (start_s, end_s), the first, and how long all are together.
    Source: the noise-to-mask ratio of ITU-R BS.1387, with a floor that each copy sets for itself.
    """
    _of_copy(pair)
    places = pair.places
    if not places:
        return Value(0.0)
    worst = max(places, key=lambda place: place.excess_db)
    start, first = pair.to_reference_s(worst.start), pair.to_reference_s(places[0].start)
    total = sum(place.length for place in places)
    detail = {"start_s": start, "end_s": start + worst.length, "first_s": first, "total_s": total}
    return Value(float(len(places)), detail)


def worst_20ms_residual_db(pair: Pair) -> Value:
    """10 log10 of what a gain leaves of a copy over what hides it, in the 20 ms where that is most, dB >= 0.

    0 where it is hidden everywhere, or where silence stands for a steady sound; 3 where another sound of its level
    does.
    """
    _of_copy(pair)
    cells = pair.cells
    assert cells.residual is not None
    width = max(round(WINDOW_S / cells.hop_s) - 1, 1)
    hidden = np.power(10.0, hidden_db(cells) / 10).sum(axis=1)
    over = window_sums(cells.residual.sum(axis=1), width) / window_sums(hidden, width)
    worst = int(np.argmax(over))
    start = pair.to_reference_s(worst * cells.hop_s)
    detail = {"start_s": start, "end_s": start + (width + 1) * cells.hop_s}
    return Value(max(10 * float(np.log10(over[worst])), 0.0), detail)


def worst_dip_db(pair: Pair) -> Value:
    """By how much the generated sound falls under the reference's level, within 0.1 s, at most, dB >= 0; gain removed.

    Of the whole and of 0.4 to 6.4 kHz the smaller; both sounds at least 25 dB under the reference's loud frames.
    """
    return _worst_swing(pair, "dips")


def worst_burst_db(pair: Pair) -> Value:
    """By how much the generated sound rises over the reference's level, dB >= 0; as worst_dip_db."""
    return _worst_swing(pair, "bursts")


def _worst_swing(pair: Pair, which: str) -> Value:
    _sounding(pair)
    if pair.timeline.method not in ("waveform", "spectrogram"):
        raise Unmeasurable("the timing is not the reference's")
    swings = pair.swings
    heights = np.abs(swings.dips if which == "dips" else swings.bursts)
    worst = int(np.argmax(heights))
    start = pair.to_reference_s(worst * swings.hop_s)
    return Value(float(heights[worst]), {"start_s": start, "end_s": start + swings.length_s})


def _of_copy(pair: Pair) -> None:
    _sounding(pair)
    if pair.timeline.method != "waveform":
        raise Unmeasurable("the phases are not the reference's")


def _sounding(pair: Pair) -> None:
    if pair.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    if len(pair.cells.reference) < FEWEST:
        raise Unmeasurable("too short: fewer than 8 frames of 6 ms")


def _places_phrase(row: MetricRow, change: float) -> str:
    if not change:
        return "no place is wrong"
    start, end = (float(row.detail[key]) for key in ("start_s", "end_s"))
    at = f"at {start:.3f} s, for {1000 * (end - start):.1f} ms"
    return f"wrong {at}" if change == 1 else f"{change:.0f} places are wrong, the worst {at}"


def _residual_phrase(row: MetricRow, change: float) -> str:
    if not change:
        return "what is wrong is hidden everywhere"
    return f"what is wrong is {change:.1f} dB over what hides it at {row.detail['start_s']:.2f} s, at most"


def _swing_phrase(how: str) -> Phrase:
    def phrase(row: MetricRow, change: float) -> str:
        return f"{change:.1f} dB {how} than the reference at {row.detail['start_s']:.2f} s, at most"

    return phrase


METRICS = (
    Metric(
        "bad_places",
        "places",
        "places at which a copy is wrong",
        bad_places,
        "pair",
        later=True,
        phrase=_places_phrase,
        picture="envelope",
        region=("bad_places",),
    ),
    Metric(
        "worst_20ms_residual_db",
        "dB",
        "what is wrong in the worst 20 ms",
        worst_20ms_residual_db,
        "pair",
        later=True,
        phrase=_residual_phrase,
        picture="envelope",
    ),
    Metric(
        "worst_dip_db",
        "dB",
        "deepest dip of the level within 0.1 s",
        worst_dip_db,
        "pair",
        later=True,
        phrase=_swing_phrase("weaker"),
        picture="envelope",
        region=("swings", -1.0),
    ),
    Metric(
        "worst_burst_db",
        "dB",
        "highest burst of the level within 0.1 s",
        worst_burst_db,
        "pair",
        later=True,
        phrase=_swing_phrase("louder"),
        picture="envelope",
        region=("swings", 1.0),
    ),
)
