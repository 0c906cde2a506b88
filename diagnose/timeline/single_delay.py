"""Delay, gain, polarity and drift of a generated sound against its reference.

A copy of the reference correlates with it sample by sample.  What a vocoder made does not: its phases are its
own.  So the waveform is asked first, then the spectrogram, whose answer is as coarse as its frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from diagnose.audio import blocks
from diagnose.spectrogram import Framing, hann, log_band_edges
from diagnose.timeline.correlation import TIE, limited, loudest_start, peak_correlation
from diagnose.timeline.segment import Segment, Timeline

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.audio import Samples
    from diagnose.stft_cache import StftCache

WAVEFORM_TRUSTED = 0.3  # |r| from which phases are asked; unrelated sounds reach 0.29 at some delay
SURELY = 0.9  # |r| from which they need not be
LEAST_CORRELATION = 1e-3  # |r| that a copy keeps under a burst 60 dB over it
ONE_PHASE = 0.9  # phase consistency of a copy
CELL = 2048
BANDS = 24
PHASE_EXCERPT = 1 << 18
SPECTROGRAM_TRUSTED = 0.5
LOUDER = 2.0  # amplitude of a generated cell over the reference's, both at one level, from which it counts as added
EXCERPT = 1 << 20  # samples of the reference that are searched for: 24 s at 44.1 kHz
LONGEST_DELAY_S = 10.0
NEAR_EXCERPT = 1 << 17  # samples of it that are asked first, at delays within NEAR_S
NEAR_S = 0.05
DRIFT_WINDOW_S = 0.5
FRAMING = Framing(n_fft=1024, hop=128, padding="centre")


class Alignment(msgspec.Struct, frozen=True):
    """generated(t + delay) = polarity * gain * reference(t), in samples at the common rate.

    delay: > 0 where the generated sound is late.  gain: generated over reference, linear, > 0.
    polarity: 1, -1, or None where phases do not tell.  correlation: r at the delay, -1 to 1.
    drift_ppm: clock difference of copies of over 2 s; > 0 where the generated sound runs slow.
    method: "waveform", "spectrogram", or "none": no delay was found, both are laid start on start.
    """

    delay: int = 0
    gain: float = 1.0
    polarity: int | None = None
    correlation: float = 0.0
    drift_ppm: float | None = None
    method: Literal["waveform", "spectrogram", "none"] = "none"

    def overlap(self, reference: Samples, generated: Samples) -> tuple[Samples, Samples]:
        """Views of both of one length, sample on sample."""
        late, early = max(self.delay, 0), max(-self.delay, 0)
        length = max(0, min(reference.size - early, generated.size - late))
        return reference[early : early + length], generated[late : late + length]


def align(ours: StftCache, theirs: StftCache, rate: int) -> Alignment:
    """Find the alignment of two mono signals at one rate: the reference and the generated one."""
    reference, generated, means = ours.samples, theirs.samples, (ours.mean, theirs.mean)
    delay, r = _waveform_delay(reference, generated, rate, means)
    if _is_copy(*Alignment(delay).overlap(reference, generated), r):
        copies = _as_copies(reference, generated, rate, means, delay)
        # A click, limited, is all but a constant, and correlates with any other; then there is no gain to speak of.
        if abs(copies.correlation) > LEAST_CORRELATION:
            return copies
    delay, r = _spectrogram_delay(ours, theirs, rate)
    found = r >= SPECTROGRAM_TRUSTED
    laid = Alignment(delay if found else 0, correlation=r, method="spectrogram" if found else "none")
    powers = [_power(part, mean) for part, mean in zip(laid.overlap(reference, generated), means, strict=True)]
    gain = float(np.sqrt(powers[1] / powers[0])) if min(powers) > 0 else 1.0
    return Alignment(laid.delay, gain, None, r, None, laid.method)


def _as_copies(reference: Samples, generated: Samples, rate: int, means: tuple[float, float], delay: int) -> Alignment:
    """Gain by least squares: what noise adds does not raise it."""
    ours, theirs = Alignment(delay).overlap(reference, generated)
    cross, first, second = _products(ours, theirs, means)
    r = cross / np.sqrt(first * second)
    return Alignment(
        delay=delay,
        gain=abs(cross) / first,
        polarity=1 if cross > 0 else -1,
        correlation=float(r),
        drift_ppm=_drift_ppm(ours, theirs, rate, means),
        method="waveform",
    )


def phase_consistency(ours: Samples, theirs: Samples) -> float:
    """sum |c| cos(arg c) / sum |c| over cells of 2048 samples by 1/24 of the log-frequency axis, -1 to 1.

    c is the cross-spectrum of a cell.  A copy has one phase everywhere, whatever noise was added (what does not
    correlate has a small c), so it scores near 1, or -1 inverted.  Made-up phases score what chance and the
    strongest partials give.  Measured on five sounds: copies with noise 4 dB over the sound, clipping, a
    high-pass or a drift of the mean 0.95 to 1.00; Griffin-Lim copies, at their best delay, up to 0.83.
    """
    count = min(ours.size, PHASE_EXCERPT) // CELL
    start = loudest_start(ours, count * CELL)
    spectra = [
        np.fft.rfft(part[start : start + count * CELL].reshape(count, CELL) * hann(CELL)) for part in (ours, theirs)
    ]
    borders = log_band_edges(4, CELL // 2, BANDS)
    cross = np.add.reduceat(np.conj(spectra[0]) * spectra[1], borders[:-1], axis=1)
    # A cell that holds more than the reference ever put there holds a hum: its phase says nothing.
    powers = [np.add.reduceat(np.square(np.abs(part)), borders[:-1], axis=1) for part in spectra]
    louder = np.sqrt(
        powers[1] * (powers[0].sum() / max(float(powers[1].sum()), 1e-300)) / np.maximum(powers[0], 1e-300)
    )
    cross /= np.maximum(louder / LOUDER, 1.0)
    total = float(np.abs(cross).sum())
    return float(cross.real.sum()) / total if total > 0 else 0.0


def _is_copy(ours: Samples, theirs: Samples, r: float) -> bool:
    """Whether r is that of one waveform and not of two notes whose strongest partials happen to fit."""
    if abs(r) >= SURELY or ours.size < CELL:
        return abs(r) >= SURELY
    return abs(r) >= WAVEFORM_TRUSTED and np.sign(r) * phase_consistency(ours, theirs) >= ONE_PHASE


def _products(ours: Samples, theirs: Samples, means: tuple[float, float]) -> tuple[float, float, float]:
    """Sums of a*b, a*a and b*b about the means, in blocks."""
    sums = np.zeros(3)
    for part in blocks(ours.size):
        a, b = ours[part] - np.float64(means[0]), theirs[part] - np.float64(means[1])
        sums += (np.dot(a, b), np.dot(a, a), np.dot(b, b))
    return float(sums[0]), float(sums[1]), float(sums[2])


def _power(samples: Samples, mean: float) -> float:
    if samples.size == 0:
        return 0.0
    return _products(samples, samples, (mean, mean))[0] / samples.size


def _waveform_delay(reference: Samples, generated: Samples, rate: int, means: tuple[float, float]) -> tuple[int, float]:
    """(delay in samples, r there) of the largest |cross-correlation| within 10 s, of the limited signals."""
    start = loudest_start(reference, EXCERPT)
    excerpt = limited(reference[start : start + EXCERPT] - np.float32(means[0]))
    reach = int(LONGEST_DELAY_S * rate)
    first = max(start - reach, 0)
    searched = limited(generated[first : start + excerpt.size + reach] - np.float32(means[1]))
    near = _near_delay(excerpt, searched, start - first, rate)
    return near or peak_correlation(excerpt[None], searched[None], absolute=True, offset=first - start, reach=reach)


def _near_delay(excerpt: Samples, searched: Samples, at: int, rate: int) -> tuple[int, float] | None:
    """A delay of at most NEAR_S at which the whole excerpt correlates so well that no other can beat it by a TIE.

    at: where the excerpt lies in what is searched, with no delay.  A good copy needs no longer search.
    """
    reach = round(NEAR_S * rate)
    if min(excerpt.size, searched.size - at) < 2 * NEAR_EXCERPT:
        return None
    first = loudest_start(excerpt[: searched.size - at], NEAR_EXCERPT)
    before = min(reach, at + first)
    around = searched[at + first - before : at + first + NEAR_EXCERPT + reach]
    part = excerpt[first : first + NEAR_EXCERPT]
    delay, _ = peak_correlation(part[None], around[None], absolute=True, offset=-before, reach=reach)
    laid = Alignment(at + delay).overlap(excerpt, searched)
    cross, *energies = _products(*laid, (0.0, 0.0))
    r = cross / max(energies[0] * energies[1], 1e-300) ** 0.5
    # As peak_correlation has it: what a delay leaves out of both counts against it.
    whole = [float(np.dot(samples, samples)) for samples in (excerpt, searched)]
    covered = max(part / max(every, 1e-300) for part, every in zip(energies, whole, strict=True))
    return (delay, float(r)) if abs(r) * min(covered, 1.0) ** 0.5 >= 1.0 - TIE else None


def _spectrogram_delay(ours: StftCache, theirs: StftCache, rate: int) -> tuple[int, float]:
    """(delay in samples, a multiple of the hop; r there) of two log spectrograms in 24 bands."""
    start = loudest_start(ours.samples, EXCERPT)
    if theirs.samples.size <= start:
        return 0, 0.0
    features = [log_bands(signal.cut(slice(start, start + EXCERPT)), rate) for signal in (ours, theirs)]
    if min(part.shape[1] for part in features) < 8:
        return 0, 0.0
    reach = int(LONGEST_DELAY_S * rate / FRAMING.hop)
    lag, r = peak_correlation(features[0], features[1], absolute=False, reach=reach)
    return lag * FRAMING.hop, r


def log_bands(signal: StftCache, rate: int) -> Floats:
    """Log energy [shape=(24, frames)] less each band's mean; bands of equal width in log frequency."""
    borders = log_band_edges(max(100 * FRAMING.n_fft / rate, 1), FRAMING.n_fft // 2, BANDS)
    rows = [np.add.reduceat(power, borders[:-1], axis=1) for power in signal.power(FRAMING)]
    energy = np.concatenate(rows).T
    level = np.log10(np.maximum(energy, 1e-8 * energy.max() + 1e-20))
    return level - level.mean(axis=1, keepdims=True)


def _drift_ppm(ours: Samples, theirs: Samples, rate: int, means: tuple[float, float]) -> float | None:
    """Change of delay between the first and the last half second, parts per million of the time between."""
    width = int(DRIFT_WINDOW_S * rate)
    if ours.size < 4 * width:
        return None
    lags = []
    for part in (slice(0, width), slice(ours.size - width, ours.size)):
        lag, r = peak_correlation(
            (ours[part] - np.float32(means[0]))[None], (theirs[part] - np.float32(means[1]))[None], absolute=True
        )
        if abs(r) < WAVEFORM_TRUSTED:
            return None
        lags.append(lag)
    return 1e6 * (lags[1] - lags[0]) / (ours.size - width)


def as_a_whole(whole: Alignment, ours: int, theirs: int) -> Timeline:
    """One matched part at the whole's delay, and what is over at the ends."""
    late, early = max(whole.delay, 0), max(-whole.delay, 0)
    length = max(0, min(ours - early, theirs - late))
    steps = []
    if early:
        steps.append(Segment("lost", (0, early), (0, 0)))
    if late:
        steps.append(Segment("inserted", (0, 0), (0, late)))
    if length:
        steps.append(Segment("matched", (early, early + length), (late, late + length), float(whole.delay)))
    if early + length < ours:
        steps.append(Segment("lost", (early + length, ours), (late + length, late + length)))
    if late + length < theirs:
        steps.append(Segment("inserted", (early + length, early + length), (late + length, theirs)))
    return Timeline(
        method=whole.method,
        segments=tuple(steps),
        delay=float(whole.delay),
        gain=whole.gain,
        polarity=whole.polarity,
        correlation=whole.correlation,
        drift_ppm=whole.drift_ppm,
    )
