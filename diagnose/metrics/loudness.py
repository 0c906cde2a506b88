"""Integrated loudness, ITU-R BS.1770-4: K-weighting, 400 ms blocks, two gates.

The K-weighting runs in the frequency domain, block by block (overlap-save): its impulse response has fallen
by 120 dB after 60 ms, so the response taken at the FFT's own frequencies is the filter itself, and numpy
alone does it (scipy.signal costs 1.3 s to import).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.metrics.metric import Metric, Unmeasurable
from diagnose.spectrogram import locked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from diagnose.arrays import Floats

    Spectrum = NDArray[np.complexfloating[Any, Any]]

    from diagnose.analysis import Signal
    from diagnose.audio import Audio, Samples

ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
LOWEST_RATE_HZ = 4000
OFFSET_LU = -0.691  # BS.1770-4 equation 2: a 997 Hz sine of 0 dBFS in one channel reads -3.01 LKFS
STEPS_PER_BLOCK = 4  # 400 ms blocks overlap by 75 %, so energies are gathered in steps of 100 ms
SETTLING_S = 0.06

# BS.1770-4 table 3: left, right, centre 1.0, both surrounds 1.41, LFE left out; by number of channels.
CHANNEL_WEIGHTS = {
    1: (1.0,),
    2: (1.0, 1.0),
    3: (1.0, 1.0, 1.0),
    5: (1.0, 1.0, 1.0, 1.41, 1.41),
    6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41),
}


def loudness_lufs(signal: Signal) -> float:
    """Integrated loudness in LUFS of the channels as they are.

    -0.691 + 10 log10(sum over channels G_c z_c), z_c the mean square of the K-weighted channel over the
    blocks above -70 LUFS and above -10 LU of the mean of those (BS.1770-4 equations 3 to 7).
    Raises Unmeasurable under 400 ms, in silence, and for channel layouts the standard does not weight.
    """
    audio = signal.audio
    weights = CHANNEL_WEIGHTS.get(audio.channels)
    if weights is None:
        raise Unmeasurable(f"BS.1770 gives no weights for {audio.channels} channels")
    if audio.rate < LOWEST_RATE_HZ:
        raise Unmeasurable(f"the K-weighting's shelf at 1.7 kHz needs a rate of {LOWEST_RATE_HZ} Hz")
    powers = [
        weight * _step_powers(channel, audio) for weight, channel in zip(weights, audio.samples, strict=True) if weight
    ]
    steps = np.sum(powers, axis=0)
    if steps.size < STEPS_PER_BLOCK:
        raise Unmeasurable("shorter than one 400 ms block")
    blocks = np.convolve(steps, np.full(STEPS_PER_BLOCK, 1 / STEPS_PER_BLOCK), mode="valid")
    return gated_loudness(blocks)


def gated_loudness(powers: Floats) -> float:
    """LUFS of weighted block powers [shape=(blocks,)] after both gates."""
    gate = 10 ** ((ABSOLUTE_GATE_LUFS - OFFSET_LU) / 10)
    loud = powers[powers > gate]
    if loud.size == 0:
        raise Unmeasurable("silence: every block is under -70 LUFS")
    gate = max(gate, loud.mean() * 10 ** (RELATIVE_GATE_LU / 10))
    return float(OFFSET_LU + 10 * np.log10(powers[powers > gate].mean()))


def _step_powers(samples: Samples, audio: Audio) -> Floats:
    """Mean square of the K-weighted samples in consecutive steps of 100 ms."""
    edges = np.round(np.arange(int(audio.duration_s * 10 + 1e-9) + 1) * audio.rate / 10).astype(int)
    energy, position = np.zeros(edges.size - 1), 0
    for weighted in _k_weighted(samples, audio.rate):
        first, last = np.searchsorted(edges, (position, position + weighted.size), "right") - 1
        starts = np.maximum(edges[first : last + 1] - position, 0)
        sums = np.add.reduceat(np.square(weighted), starts[starts < weighted.size], dtype=np.float64)
        kept = sums[: energy.size - first]
        energy[first : first + kept.size] += kept
        position += weighted.size
    return energy / np.diff(edges)


def _k_weighted(samples: Samples, rate: int) -> Iterator[Floats]:
    """The K-weighted signal in consecutive pieces (overlap-save)."""
    settling = int(SETTLING_S * rate)
    size = 1 << int(np.ceil(np.log2(max(6 * settling, 4096))))
    response = _sampled_response(size, rate)
    step = size - settling
    for start in range(0, samples.shape[0], step):
        piece = samples[max(start - settling, 0) : start + step]
        lead = min(start, settling)
        padded = np.zeros(size)
        # What comes before the piece goes to the end of the circle, where the filter's memory reaches it.
        padded[: piece.size - lead] = piece[lead:]
        padded[size - lead :] = piece[:lead]
        yield np.fft.irfft(np.fft.rfft(padded).astype(np.complex64) * response, size)[: piece.size - lead]


@lru_cache(maxsize=8)
def _sampled_response(size: int, rate: int) -> NDArray[np.complex64]:
    """k_response at the frequencies of an FFT of size samples."""
    return locked(k_response(np.fft.rfftfreq(size, 1 / rate), rate).astype(np.complex64))


def k_response(hz: Floats, rate: int) -> Spectrum:
    """Complex response of both K-weighting stages at hz, for any rate.

    BS.1770-4 tables 1 and 2 give the coefficients at 48 kHz; these are the analogue prototypes they are the
    bilinear transform of, so that another rate has the same curve.
    """
    z = np.exp(-2j * np.pi * hz / rate)
    return _shelf(z, rate) * _high_pass(z, rate)


def _shelf(z: Spectrum, rate: int) -> Spectrum:
    """Stage 1: a high shelf of +4 dB at 1682 Hz, the head's reflection."""
    k = np.tan(np.pi * 1681.974450955533 / rate)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    numerator = (high + band * k / q + k * k) + 2 * (k * k - high) * z + (high - band * k / q + k * k) * z * z
    return numerator / ((1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z * z)


def _high_pass(z: Spectrum, rate: int) -> Spectrum:
    """Stage 2: the revised low-frequency B-curve, a second-order high-pass at 38 Hz."""
    k = np.tan(np.pi * 38.13547087602444 / rate)
    q = 0.5003270373238773
    scale = 1 + k / q + k * k
    return (1 - z) ** 2 / (1 + 2 * (k * k - 1) / scale * z + (1 - k / q + k * k) / scale * z * z)


METRICS = (
    Metric(
        "loudness_lufs",
        "LUFS",
        "integrated loudness (BS.1770-4), channels as they are",
        loudness_lufs,
        at="whole",
        picture="levels",
    ),
)
