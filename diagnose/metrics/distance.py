"""Distances between two aligned sounds; 0 for a sound and itself, whatever its level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.analysis.distances import FLOOR_DB, FRAME_RESOLUTION, SpectralDistance
from diagnose.arrays import median, runs, window_sums
from diagnose.metrics.metric import Metric, Unmeasurable, Value
from diagnose.scale import Decibel
from diagnose.text import number

if TYPE_CHECKING:
    from diagnose.analysis import Pair
    from diagnose.results.report import MetricRow


LEAST_VOICED = 0.05  # share of the frames: of drums 2 % have a pitch, of a bass with pauses 43 %


def _distances(pair: Pair) -> SpectralDistance:
    if pair.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    return pair.distances


def spectral_convergence(pair: Pair) -> Value:
    """Mean over three resolutions of ||A - B|| / ||A|| (Frobenius, magnitudes, gain removed), >= 0."""
    return Value(float(np.mean(_distances(pair).convergence)), note=pair.caveat)


def log_spectral_distance_db(pair: Pair) -> Value:
    """Mean over frames of sqrt(mean over bins of (20 log10 A/B)**2), dB, gain removed, floor -80 dB.

    Source: Gray & Markel, Distance measures for speech processing, 1976.  It places a fault; it does not
    rank faults: white noise 20 dB down scores as high as a broken vocoder.
    """
    return Value(float(_distances(pair).log_spectral.mean(dtype=np.float64)), note=pair.caveat)


def worst_second_distance_db(pair: Pair) -> Value:
    """Largest mean of the log-spectral distance over any second, dB: what a mean over the whole dilutes."""
    frames = _distances(pair).log_spectral
    step = FRAME_RESOLUTION / 4 / pair.rate
    width = min(max(round(1 / step), 1), frames.size)
    means = window_sums(frames, width) / width
    worst = int(np.argmax(means))
    return Value(float(means[worst]), {"start_s": worst * step, "end_s": (worst + width) * step}, pair.caveat)


def mel_cepstral_distortion_db(pair: Pair) -> Value:
    """Mean over frames of mel_cepstral_distortion, dB, frame on frame (no time warping)."""
    return Value(float(_distances(pair).mel_cepstral.mean(dtype=np.float64)), note=pair.caveat)


def envelope_correlation(pair: Pair) -> Value:
    """Pearson's r of the two frame energies in dB (floor -80 dB of the loudest), -1 to 1."""
    distances = _distances(pair)
    levels = []
    for energy in (distances.reference_energy, distances.generated_energy):
        if energy.size < 4 or energy.max() <= 0:
            raise Unmeasurable("too short: fewer than 4 frames")
        level = Decibel(float(energy.max()), FLOOR_DB).from_power(energy.astype(np.float64))
        levels.append(level - level.mean())
    norm = np.sqrt(np.square(levels[0]).sum() * np.square(levels[1]).sum())
    if norm < 1e-9:
        raise Unmeasurable("a steady envelope: nothing to correlate")
    return Value(float(np.clip((levels[0] * levels[1]).sum() / norm, -1.0, 1.0)), note=pair.caveat)


def missing_share(pair: Pair) -> Value:
    """Share of the reference's sounding frames (within 40 dB of its loudest) in which the generated sound is
    30 dB weaker or more, gain removed, 0 to 1; detail holds the longest such stretch.
    """
    distances = _distances(pair)
    gone = distances.gone
    if not gone.any():
        return Value(0.0, note=pair.caveat)
    start, end = max(runs(gone), key=lambda run: run[1] - run[0])
    step = FRAME_RESOLUTION / 4 / pair.rate
    detail = {"start_s": float(start * step), "end_s": float(end * step)}
    return Value(float(gone.sum() / distances.sounding.sum()), detail, pair.caveat)


def f0_deviation_cents(pair: Pair) -> Value:
    """Median of 1200 log2(f0 generated / f0 reference) over the frames where both have a pitch, cents.

    Of a sound that has one in under 5 % of its frames, a drum's, they are chance.
    """
    ours, theirs = pair.reference.pitch, pair.generated.pitch
    first, second = (
        f0[index]
        for f0, index in zip(
            (ours.f0_hz, theirs.f0_hz), pair.frames_laid(ours.hop_s, ours.f0_hz.size, theirs.f0_hz.size), strict=True
        )
    )
    both = (first > 0) & (second > 0)
    if not both.any():
        raise Unmeasurable("no frame in which both sounds have a pitch")
    if both.mean() < LEAST_VOICED:
        raise Unmeasurable(f"both sounds have a pitch in only {100 * both.mean():.1f} % of the frames")
    cents = 1200 * np.log2(second[both] / first[both])
    return Value(median(cents), {"frames": int(both.sum())}, pair.caveat)


def waveform_correlation(pair: Pair) -> float:
    """Pearson's r of the waveforms, delay removed, -1 to 1; under 0 the polarity is inverted.

    Only for copies: where phases were made up by a vocoder, r is that of chance.
    """
    if pair.timeline.method != "waveform":
        raise Unmeasurable("the phases are not the reference's")
    return pair.timeline.correlation


def _pitch_phrase(row: MetricRow, change: float) -> str:
    if abs(change) < 1:
        return "pitch as the reference's"
    return f"pitch {abs(change):.0f} cents too {'high' if change > 0 else 'low'}"


def _envelope_phrase(row: MetricRow, change: float) -> str:
    if change >= 0.9:
        return f"moves as the reference does (r = {change:.2f})"
    return f"does not move as the reference does (envelope r = {change:.2f})"


def _waveform_phrase(row: MetricRow, change: float) -> str:
    if change < 0:
        return f"polarity inverted (r = {change:.2f})"
    return f"waveforms match to r = {change:.2f}"


def _missing_phrase(row: MetricRow, change: float) -> str:
    if not change:
        return "no part of the sound is gone"
    return (
        f"{number(change, 'share')} of the sound is gone, "
        f"the longest stretch from {row.detail['start_s']:.2f} to {row.detail['end_s']:.2f} s"
    )


METRICS = (
    Metric(
        "waveform_correlation",
        "r",
        "the waveforms match",
        waveform_correlation,
        "pair",
        ideal=1.0,
        phrase=_waveform_phrase,
    ),
    Metric(
        "envelope_correlation",
        "r",
        "frame energies rise and fall together",
        envelope_correlation,
        "pair",
        ideal=1.0,
        phrase=_envelope_phrase,
        picture="envelope",
    ),
    Metric(
        "missing_share",
        "share",
        "sounding frames that are gone",
        missing_share,
        "pair",
        phrase=_missing_phrase,
        picture="envelope",
        region=("missing",),
    ),
    Metric(
        "f0_deviation_cents",
        "cents",
        "pitch against the reference",
        f0_deviation_cents,
        "pair",
        phrase=_pitch_phrase,
        picture="pitch",
    ),
    Metric(
        "log_spectral_distance_db",
        "dB",
        "RMS difference of the log spectra",
        log_spectral_distance_db,
        "pair",
        picture="distance",
        region=("areas",),
    ),
    Metric(
        "worst_second_distance_db",
        "dB",
        "log-spectral distance of the worst second",
        worst_second_distance_db,
        "pair",
        picture="distance",
        region=("areas",),
    ),
    Metric(
        "spectral_convergence",
        "ratio",
        "relative error of the magnitude spectra",
        spectral_convergence,
        "pair",
        picture="distance",
        region=("areas",),
    ),
    Metric(
        "mel_cepstral_distortion_db",
        "dB",
        "difference of timbre, by cepstrum",
        mel_cepstral_distortion_db,
        "pair",
        picture="distance",
        region=("areas",),
    ),
)
