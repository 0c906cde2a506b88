"""Frame-rate comb: energy on multiples of rate / hop, the hum of a vocoder that gets the same frame again and again.

After Pons et al., Upsampling artifacts in neural audio synthesis (arXiv 2010.14356): what a network repeats
every hop samples is a line spectrum at k * rate / hop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.analysis.comb import best_comb, fine_spectrum
from diagnose.metrics.metric import Metric, Unmeasurable, Value

if TYPE_CHECKING:
    from diagnose.analysis import Signal
    from diagnose.results.report import MetricRow


def comb_share(signal: Signal) -> Value:
    """Largest share * filled**2 over the known hops, 0 to 1, on the mono mix at the file's own rate.

    The product asks for a whole comb: a steady tone puts all its energy on some multiple of some frame rate,
    and leaves most of the teeth empty.  Of hops that explain the sound alike the smallest is named.  A note
    whose pitch *is* the frame rate cannot be told from a comb; its reference then has the same share.
    """
    if signal.moments.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    found = fine_spectrum(signal.mono, signal.rate, signal.moments.mean)
    if found is None:
        raise Unmeasurable("too short to tell lines at the frame rate apart")
    best = best_comb(*found, signal.rate)
    return Value(best.value, best.detail)


def _comb_phrase(row: MetricRow, change: float) -> str:
    generated = row.generated or 0.0
    if generated < 0.02 or "hop_samples" not in row.detail:
        return "no hum at a frame rate"
    return (
        f"{100 * generated:.0f} % of the sound is a hum on multiples of {row.detail['spacing_hz']:.2f} Hz, "
        f"the frame rate at hop {row.detail['hop_samples']}"
    )


METRICS = (
    Metric(
        "comb_share",
        "share",
        "energy on multiples of the frame rate",
        comb_share,
        at="file",
        phrase=_comb_phrase,
        picture="comb",
        region=("comb",),
    ),
)
