"""Compare a grown sound, and the round trip (the true mel through the same vocoder), with the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.audio import Audio
from diagnose.comparison import compare
from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from diagnose.results.report import Report
    from tnca.target import Target
    from tnca.vocoders.vocoder import Vocoder

# Figures of a look: the name here, the metric of diagnose, and whether its change is a quotient of both sounds'.
FIGURES = (
    ("rms_ratio", "rms_ratio", False),
    ("centroid_ratio", "spectral_centroid_hz", True),
    ("band_4096_8192_db", "band_4096_8192_db", False),
    ("edge_left_db", "edge_left_db", False),
    ("edge_right_db", "edge_right_db", False),
    ("log_spectral_distance_db", "log_spectral_distance_db", False),
    ("spectral_convergence", "spectral_convergence", False),
)


class Judged(msgspec.Struct, frozen=True, eq=False):
    """figures: of FIGURES, None where one cannot be had.  causes: ids, the likeliest first."""

    figures: dict[str, float | None]
    causes: tuple[str, ...]
    verdict: str
    report: Report | None = None


def judge(target: Target, generated: Audio) -> Judged:
    """A sound against the target's, limited to the band of its contract."""
    try:
        report = compare(within_band(target), generated)
    except DiagnoseError as error:  # silence, say: a grown sound may be one
        return Judged(dict.fromkeys((name for name, *_ in FIGURES), None), (type(error).__name__,), "ERROR")
    figures = {name: _figure(report, metric, quotient) for name, metric, quotient in FIGURES}
    return Judged(figures, tuple(cause.id for cause in report.causes), report.verdict, report)


def ceiling(target: Target, vocoder: Vocoder) -> tuple[Audio, Judged]:
    """The target's own mel through the vocoder: what a model before it can hardly better."""
    from tnca.vocoders.vocoder import Mel

    sound = vocoder(Mel(target.values, target.contract))
    return sound, judge(target, sound)


def within_band(target: Target) -> Audio:
    """The target's sound without what lies outside fmin..fmax of its contract, which no mel of it holds."""
    sound, grid = target.sound, target.contract.grid
    spectrum = np.fft.rfft(sound.mono.astype(np.float64))
    hz = np.fft.rfftfreq(sound.length, 1 / sound.rate)
    spectrum[(hz < grid.fmin) | (hz > grid.fmax)] = 0
    samples = np.fft.irfft(spectrum, sound.length).astype(np.float32)
    return Audio(samples[None], sound.rate, f"{sound.name} within {grid.fmin:g} to {grid.fmax:g} Hz")


def _figure(report: Report, metric: str, quotient: bool) -> float | None:
    row = report[metric]
    if not quotient:
        return row.change
    if not row.reference or row.generated is None:
        return None
    return row.generated / row.reference
