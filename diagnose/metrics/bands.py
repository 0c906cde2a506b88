"""Energy by frequency band, each as a share of the sound's own total, in dB."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from diagnose.analysis.bands import BANDS_HZ, THIRD_OCTAVES, band_energy, third_octave_edges, third_octave_table
from diagnose.analysis.moments import decibels
from diagnose.analysis.spectra import summed_energy
from diagnose.metrics.metric import Metric, Unmeasurable, Value
from diagnose.text import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from diagnose.analysis import Pair, Signal
    from diagnose.results.report import MetricRow

ADDED_DB = -40.0  # a generated band under this share is no gain that matters
QUIET_DB = -60.0
INAUDIBLE_DB = -75.0  # of the whole: what is under it is not heard beside the rest, and counts as this much
HEARD_DB = -50.0  # a reference band under this share of its total is no loss when it is missing


def band_share_db(signal: Signal, low: float, high: float | None) -> float:
    """10 log10(energy between low and high / energy of the whole), at least -75 dB; high None is the Nyquist frequency.

    75 dB under the whole nothing is heard beside it: the dynamic range of hearing within 0.1 s (Zwicker and Fastl).
    """
    frames = signal.frames
    nyquist = signal.rate / 2
    if low >= nyquist:
        raise Unmeasurable(f"the band begins above the Nyquist frequency, {nyquist:g} Hz")
    if frames.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    energy = band_energy(signal.summed_energy, low, min(high or nyquist, nyquist))
    return max(decibels(energy / signal.summed_energy[1][-1]), INAUDIBLE_DB)


def band_deficit_db(pair: Pair) -> Value:
    """Largest loss of any third octave, dB >= 0: level in the reference minus level in the generated sound.

    Both at one loudness (gain removed); bands that hold under -50 dB of the reference are passed over.
    """
    return _worst((before - after, index) for index, before, after in _third_octave_levels(pair) if before >= HEARD_DB)


def band_excess_db(pair: Pair) -> Value:
    """Largest gain of any third octave, dB >= 0: level in the generated sound minus level in the reference.

    Both at one loudness (gain removed); bands that hold under -40 dB of the generated sound are passed over,
    and a reference under -60 dB counts as -60: what was nearly nothing may well become little.
    """
    return _worst(
        (after - max(before, QUIET_DB), index)
        for index, before, after in _third_octave_levels(pair)
        if after >= ADDED_DB
    )


def _third_octave_levels(pair: Pair) -> Iterator[tuple[int, float, float]]:
    """(index, reference, generated) of each third octave wholly below 0.95 Nyquist, dB of the reference's total."""
    if pair.reference.frames.silent or pair.generated.frames.silent:
        raise Unmeasurable("silence: no bands to compare")
    edges = third_octave_table()
    edges = edges[edges[:, 1] <= 0.95 * pair.rate / 2]  # a codec's or resampler's own edge lies above
    total = pair.reference.summed_energy[1][-1]
    before, after = (np.diff(np.interp(edges, *side.summed_energy))[:, 0] for side in (pair.reference, pair.generated))
    for index, (ours, theirs) in enumerate(zip(before, after / pair.gain**2, strict=True)):
        yield index, decibels(float(ours / total)), decibels(float(theirs / total))


def _worst(changes: Iterable[tuple[float, int]]) -> Value:
    change, index = max(changes, default=(0.0, 0))
    if change <= 0:
        return Value(0.0)
    low, high = third_octave_edges(index)
    return Value(change, {"band_hz": int(THIRD_OCTAVES[index]), "low_hz": low, "high_hz": high})


def beyond_rate_share(pair: Pair) -> Value:
    """Share of the reference's power above the Nyquist frequency of the comparison, 0 to 1: what the lower rate
    of the generated file cannot hold.
    """
    file, nyquist = pair.files[0], pair.rate / 2
    detail = {"nyquist_hz": nyquist}
    if file.moments.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    if file.rate <= pair.rate:
        return Value(0.0, detail)
    power = file.native.long_term.copy()
    power[:2] = 0  # what the window leaks of a bias
    summed = summed_energy(power, file.native.hz)
    return Value(band_energy(summed, nyquist, file.rate / 2) / max(float(summed[1][-1]), 1e-300), detail)


def _deficit_phrase(row: MetricRow, change: float) -> str:
    if change < 0.05:
        return "no third octave is weaker"
    return f"{change:.1f} dB missing in the third octave at {row.detail['band_hz']} Hz"


def _excess_phrase(row: MetricRow, change: float) -> str:
    if change < 0.05:
        return "no third octave is stronger"
    return f"{change:.1f} dB added in the third octave at {row.detail['band_hz']} Hz"


def _beyond_phrase(row: MetricRow, change: float) -> str:
    if not change:
        return "the rate holds all of the reference"
    place = f"above {row.detail['nyquist_hz']:.0f} Hz, which the rate cannot hold"
    return f"{number(change, 'share')} of the reference's power lies {place}"


METRICS = (
    *(
        Metric(
            f"band_{name}_db",
            "dB",
            f"energy from {low:g} to {high:g} Hz",
            partial(band_share_db, low=low, high=high),
            version=2,
            picture="bands",
            region=("band", low, high),
        )
        for name, low, high in BANDS_HZ
    ),
    Metric(
        "band_8192_nyquist_db",
        "dB",
        "energy above 8192 Hz",
        partial(band_share_db, low=8192.0, high=None),
        version=2,
        picture="bands",
        region=("band", 8192.0, math.inf),
    ),
    *(
        Metric(
            f"third_octave_{name}_db",
            "dB",
            f"energy of the third octave at {name} Hz",
            partial(band_share_db, low=third_octave_edges(index)[0], high=third_octave_edges(index)[1]),
            version=2,
            picture="bands",
            region=("band", *third_octave_edges(index)),
        )
        for index, name in enumerate(THIRD_OCTAVES)
    ),
    Metric(
        "band_deficit_db",
        "dB",
        "largest loss of any third octave",
        band_deficit_db,
        of="pair",
        phrase=_deficit_phrase,
        picture="bands",
        region=("named_band", -1.0),
    ),
    Metric(
        "beyond_rate_share",
        "share",
        "power above what the rate can hold",
        beyond_rate_share,
        of="pair",
        phrase=_beyond_phrase,
        picture="bands",
    ),
    Metric(
        "band_excess_db",
        "dB",
        "largest gain of any third octave",
        band_excess_db,
        of="pair",
        phrase=_excess_phrase,
        picture="bands",
        region=("named_band", 1.0),
    ),
)
