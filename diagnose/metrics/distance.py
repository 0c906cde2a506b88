"""Distances between two aligned sounds; 0 for a sound and itself, whatever its level."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from diagnose.metrics.level import moments
from diagnose.metrics.metric import Metric, Unmeasurable, Value
from diagnose.metrics.order import median
from diagnose.metrics.runs import runs
from diagnose.metrics.signal import mel_grid
from diagnose.scale import Decibel
from diagnose.spectrogram import Framing, hann, mel_filterbank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.metrics.pair import Pair
    from diagnose.spectra import Spectra

    Floats = NDArray[np.floating[Any]]

RESOLUTIONS = (512, 1024, 2048)  # n_fft, hop a quarter of it (Yamamoto et al., Parallel WaveGAN, 1910.11480)
FRAME_RESOLUTION = 1024  # the one at which frames are compared one by one
FLOOR_DB = -80.0  # of the reference's mean power by bin: two kinds of silence are alike
CEPSTRAL_ORDER = 13
HEARD = 1e-4  # power of a frame over the loudest's
GONE = 1e-3


class SpectralDistance(msgspec.Struct, frozen=True, eq=False):
    """convergence: ||A - B|| / ||A|| for each resolution, B with the gain removed.

    By frame [shape=(frames,)], hop 256: log_spectral in dB, mel_cepstral in dB, reference_energy and
    generated_energy (summed power).
    """

    convergence: tuple[float, ...]
    log_spectral: Floats
    mel_cepstral: Floats
    reference_energy: Floats
    generated_energy: Floats


def measure_spectra(reference: Spectra, generated: Spectra, gain: float, rate: int) -> SpectralDistance:
    """One pass over the spectra of two signals of one length."""
    power = moments(reference.samples).variance
    convergence: list[float] = []
    frames: list[tuple[Floats, ...]] = []
    for n_fft in RESOLUTIONS:
        framing = Framing(n_fft, n_fft // 4, "centre")
        error = energy = 0.0
        floor = _bin_floor(power, n_fft)
        for ours, louder in zip(reference.power(framing), generated.power(framing), strict=True):
            theirs = louder * np.float32(1 / gain**2)
            a, b = np.sqrt(ours), np.sqrt(theirs)
            if n_fft == FRAME_RESOLUTION:
                frames.append(_compare_frames(ours, theirs, a, b, floor, rate))
            a_minus_b = a - b
            error += float(np.vdot(a_minus_b, a_minus_b))
            energy += float(ours.sum(dtype=np.float64))
        convergence.append(float(np.sqrt(error / energy)) if energy > 0 else float("nan"))
    columns = (np.concatenate(column) for column in zip(*frames, strict=True))
    return SpectralDistance(tuple(convergence), *columns)


def _bin_floor(power: float, n_fft: int) -> float:
    """Power 80 dB under the average of all bins: mean square times the window's energy (Parseval)."""
    return max(power, 1e-20) * float(np.square(hann(n_fft)).sum()) * 10 ** (FLOOR_DB / 10)


def _compare_frames(ours: Floats, theirs: Floats, a: Floats, b: Floats, floor: float, rate: int) -> tuple[Floats, ...]:
    scale = Decibel(floor, 0.0)
    level = [scale.from_power(power) for power in (ours, theirs)]
    log_spectral = np.sqrt(np.square(level[0] - level[1]).mean(axis=1))
    return log_spectral, mel_cepstral_distortion(a, b, rate, floor**0.5), ours.sum(axis=1), theirs.sum(axis=1)


def mel_cepstral_distortion(ours: Floats, theirs: Floats, rate: int, clip: float) -> Floats:
    """(10 sqrt(2) / ln 10) sqrt(sum_{k=1..13} (c_k - c'_k)**2), dB, of magnitude spectra [shape=(frames, bins)].

    c_k = 2/N sum_n ln(max(mel_n, clip)) cos(pi k (n + 1/2) / N) over N = 80 mel bands, so that
    ln mel = c_0/2 + sum c_k cos(..), and the figure is the RMS difference in dB of the smoothed log spectra,
    whatever N.  The level (c_0) is left out.  Source: Kubichek, Mel-cepstral distance measure for
    objective speech quality assessment, 1993.
    """
    basis = mel_filterbank(mel_grid(rate)).T
    logs = [np.log(np.maximum(magnitude @ basis, np.float32(clip))) for magnitude in (ours, theirs)]
    difference = (logs[0] - logs[1]) @ _cepstral_basis(basis.shape[1])
    return 10 * np.sqrt(2) / np.log(10) * np.sqrt(np.square(difference).sum(axis=1))


@lru_cache(maxsize=2)
def _cepstral_basis(bands: int) -> NDArray[np.float32]:
    orders = np.arange(1, CEPSTRAL_ORDER + 1)
    return (np.cos(np.pi * np.outer(np.arange(bands) + 0.5, orders) / bands) * 2 / bands).astype(np.float32)


def _spectra(pair: Pair) -> SpectralDistance:
    if pair.silent:
        raise Unmeasurable("silence: no energy beside the bias")
    return pair.spectra


def spectral_convergence(pair: Pair) -> Value:
    """Mean over three resolutions of ||A - B|| / ||A|| (Frobenius, magnitudes, gain removed), >= 0."""
    return Value(float(np.mean(_spectra(pair).convergence)), note=pair.caveat)


def log_spectral_distance_db(pair: Pair) -> Value:
    """Mean over frames of sqrt(mean over bins of (20 log10 A/B)**2), dB, gain removed, floor -80 dB.

    Source: Gray & Markel, Distance measures for speech processing, 1976.  It places a fault; it does not
    rank faults: white noise 20 dB down scores as high as a broken vocoder.
    """
    return Value(float(_spectra(pair).log_spectral.mean(dtype=np.float64)), note=pair.caveat)


def worst_second_distance_db(pair: Pair) -> Value:
    """Largest mean of the log-spectral distance over any second, dB: what a mean over the whole dilutes."""
    frames = _spectra(pair).log_spectral.astype(np.float64)
    step = FRAME_RESOLUTION / 4 / pair.rate
    width = min(max(round(1 / step), 1), frames.size)
    summed = np.concatenate(([0.0], np.cumsum(frames)))
    means = (summed[width:] - summed[:-width]) / width
    worst = int(np.argmax(means))
    return Value(float(means[worst]), {"start_s": worst * step, "end_s": (worst + width) * step}, pair.caveat)


def mel_cepstral_distortion_db(pair: Pair) -> Value:
    """Mean over frames of mel_cepstral_distortion, dB, frame on frame (no time warping)."""
    return Value(float(_spectra(pair).mel_cepstral.mean(dtype=np.float64)), note=pair.caveat)


def envelope_correlation(pair: Pair) -> Value:
    """Pearson's r of the two frame energies in dB (floor -80 dB of the loudest), -1 to 1."""
    spectra = _spectra(pair)
    levels = []
    for energy in (spectra.reference_energy, spectra.generated_energy):
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
    spectra = _spectra(pair)
    sounding = spectra.reference_energy > HEARD * spectra.reference_energy.max()
    gone = sounding & (spectra.generated_energy < GONE * spectra.reference_energy)
    if not gone.any():
        return Value(0.0, note=pair.caveat)
    start, end = max(runs(gone), key=lambda run: run[1] - run[0])
    step = FRAME_RESOLUTION / 4 / pair.rate
    detail = {"start_s": float(start * step), "end_s": float(end * step)}
    return Value(float(gone.sum() / sounding.sum()), detail, pair.caveat)


def f0_deviation_cents(pair: Pair) -> Value:
    """Median of 1200 log2(f0 generated / f0 reference) over the frames where both have a pitch, cents."""
    ours, theirs = pair.reference.pitch, pair.generated.pitch
    shift = round(pair.alignment.delay / pair.rate / ours.hop_s)
    late, early = max(shift, 0), max(-shift, 0)
    length = min(ours.f0_hz.size - early, theirs.f0_hz.size - late)
    first, second = ours.f0_hz[early : early + max(length, 0)], theirs.f0_hz[late : late + max(length, 0)]
    both = (first > 0) & (second > 0)
    if not both.any():
        raise Unmeasurable("no frame in which both sounds have a pitch")
    cents = 1200 * np.log2(second[both] / first[both])
    return Value(median(cents), {"frames": int(both.sum())}, pair.caveat)


def delay_s(pair: Pair) -> float:
    """How late the generated sound is, s; negative where it is early.  Removed before every other distance."""
    if pair.alignment.method == "none":
        raise Unmeasurable(f"no delay correlates (best r {pair.alignment.correlation:.2f})")
    return pair.alignment.delay / pair.rate


def waveform_correlation(pair: Pair) -> float:
    """Pearson's r of the waveforms, delay removed, -1 to 1; under 0 the polarity is inverted.

    Only for copies: where phases were made up by a vocoder, r is that of chance.
    """
    if pair.alignment.method != "waveform":
        raise Unmeasurable("the phases are not the reference's")
    return pair.alignment.correlation


METRICS = (
    Metric("delay_s", "s", "how late the generated sound is", delay_s, "pair"),
    Metric("waveform_correlation", "r", "the waveforms match", waveform_correlation, "pair", ideal=1.0),
    Metric(
        "envelope_correlation", "r", "frame energies rise and fall together", envelope_correlation, "pair", ideal=1.0
    ),
    Metric("missing_share", "share", "sounding frames that are gone", missing_share, "pair"),
    Metric("f0_deviation_cents", "cents", "pitch against the reference", f0_deviation_cents, "pair"),
    Metric("log_spectral_distance_db", "dB", "RMS difference of the log spectra", log_spectral_distance_db, "pair"),
    Metric(
        "worst_second_distance_db", "dB", "log-spectral distance of the worst second", worst_second_distance_db, "pair"
    ),
    Metric("spectral_convergence", "ratio", "relative error of the magnitude spectra", spectral_convergence, "pair"),
    Metric("mel_cepstral_distortion_db", "dB", "difference of timbre, by cepstrum", mel_cepstral_distortion_db, "pair"),
)
