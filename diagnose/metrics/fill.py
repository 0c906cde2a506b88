"""What fills the quiet of a copy: noise that follows the sound, and what a rate folds into its range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.analysis.moments import decibels
from diagnose.metrics.metric import Metric, Unmeasurable, Value

if TYPE_CHECKING:
    from diagnose.analysis import Pair
    from diagnose.results.report import MetricRow

EXPLAINED = 0.25  # of what is left over; less is chance, or the little that a good resampler folds


def quiet_excess_db(pair: Pair) -> float:
    """Upper quartile, over the quiet cells, of the generated sound's level over the reference's, dB, gain removed.

    Cells of 4 bins and 8 frames (n_fft 1024, hop 256), within 30 dB of the loud ones; quiet is what lies 45 dB under
    all that sounds at its time, and what lies 65 dB under it counts as this much.  Only of copies: a vocoder makes up
    what is quiet.  0 where nothing was filled, or something taken away; a codec stays under
    2.2, but for one.
    """
    if pair.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    if pair.timeline.method != "waveform":
        raise Unmeasurable("the phases are not the reference's")
    return max(pair.distances.quiet_excess, 0.0)


def folded_db(pair: Pair) -> Value:
    """Level of what the generated file's lower rate folded into its range, over the sound, dB.

    10 log10(c**2 / (aliases' power * the sound's power)), c the product of what a gain leaves over and of the alias:
    the reference read off at the lower rate without a filter, less the filtered one.  -120 where it is under a quarter
    of what is left over.
    """
    if pair.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    if pair.timeline.method != "waveform":
        raise Unmeasurable("the phases are not the reference's")
    if pair.files[0].rate <= pair.rate:
        raise Unmeasurable("the generated file's rate is not the lower one: nothing can be folded")
    folded = pair.folded
    level = decibels(folded.level) if folded.share >= EXPLAINED else decibels(0.0)
    return Value(level, {"explained": folded.share})


def _quiet_phrase(row: MetricRow, change: float) -> str:
    if change < 0.05:
        return "what is quiet is as quiet as in the reference"
    return f"what is quiet is up to {change:.1f} dB louder than in the reference"


def _folded_phrase(row: MetricRow, change: float) -> str:
    if change <= decibels(0.0):
        return "nothing is folded from above the rate's range"
    return f"what the rate cannot hold is folded into the sound, {-change:.1f} dB under it"


METRICS = (
    Metric(
        "quiet_excess_db",
        "dB",
        "what is quiet was filled",
        quiet_excess_db,
        "pair",
        later=True,
        phrase=_quiet_phrase,
        picture="distance",
    ),
    Metric(
        "folded_db",
        "dB",
        "folded from above the rate's range",
        folded_db,
        "pair",
        ideal=decibels(0.0),
        later=True,
        phrase=_folded_phrase,
        picture="bands",
    ),
)
