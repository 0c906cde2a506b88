"""Short-time spectra in blocks, the mel filterbank, and Spectrogram: values with their grid and scale."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from diagnose.scale import Magnitude, Power, Scale, convert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from diagnose.arrays import Floats

# Samples of all frames of one block, 128 frames of 2048: they stay in cache, which makes the whole 3 times as fast.
BLOCK_SAMPLES = 1 << 18
# Of those transformed at once: their double-precision copy and its spectrum stay in the cache of one core, and in
# memory that the process has already; pages that are new to it cost half as much as the FFT.
CHUNK_SAMPLES = 1 << 15

Padding = Literal["centre", "centre-reflect", "same-reflect", "none"]


class Framing(msgspec.Struct, frozen=True):
    """Where the frames of an STFT lie: periodic Hann window of n_fft samples, one frame every hop samples.

    padding: "centre"          n_fft/2 zeros on both sides: frame t is centred on sample t*hop (librosa's default)
             "centre-reflect"  n_fft/2 mirrored samples (torch.stft's default)
             "same-reflect"    (n_fft-hop)/2 mirrored samples, so n/hop frames (BigVGAN, HiFi-GAN)
             "none"            the first frame begins on sample 0
    """

    n_fft: int = 2048
    hop: int = 512
    padding: Padding = "centre"

    def __post_init__(self) -> None:
        if self.n_fft < 2 or self.n_fft % 2 or not self.hop >= 1:
            raise ValueError(f"n_fft must be even and hop at least 1, not {self.n_fft} and {self.hop}")

    @property
    def margin(self) -> int:
        """Samples added on each side."""
        if self.padding == "none":
            return 0
        return (self.n_fft - self.hop) // 2 if self.padding == "same-reflect" else self.n_fft // 2

    def count(self, length: int) -> int:
        """Number of frames in a signal of length samples; 0 where it is shorter than one frame."""
        return max(0, 1 + (length + 2 * self.margin - self.n_fft) // self.hop)


def power_blocks(samples: Floats, framing: Framing, mean: float = 0.0) -> Iterator[NDArray[np.float32]]:
    """|STFT|**2 of samples - mean, as float32 arrays [shape=(frames, n_fft/2 + 1)], in order.

    samples: [shape=(n,)], of any length.  Memory does not grow with n.  mean is taken off before the
    padding, so that a bias does not become a step at both ends.
    """
    window, bins = hann(framing.n_fft), framing.n_fft // 2 + 1
    at_once = max(1, CHUNK_SAMPLES // framing.n_fft)
    windowed, spectrum = np.empty((at_once, framing.n_fft)), np.empty((at_once, bins), np.complex128)
    for frames in _frame_blocks(samples, framing, mean):
        power = np.empty((len(frames), bins), np.float32)
        for part in (slice(first, first + at_once) for first in range(0, len(frames), at_once)):
            count = len(frames[part])
            # The window makes this double precision, on purpose: see stft_blocks.
            np.multiply(frames[part], window, out=windowed[:count])
            np.fft.rfft(windowed[:count], out=spectrum[:count])
            squares = spectrum[:count].view(np.float64)
            np.square(squares, out=squares)
            np.add(squares[:, ::2], squares[:, 1::2], out=power[part], casting="same_kind")
        yield power


def stft_blocks(samples: Floats, framing: Framing, mean: float = 0.0) -> Iterator[NDArray[np.complex128]]:
    """STFT of samples - mean in blocks [shape=(frames, n_fft/2 + 1)], in order; see power_blocks."""
    window = hann(framing.n_fft)
    for frames in _frame_blocks(samples, framing, mean):
        # The window makes this double precision, on purpose: numpy's float32 rfft copies its input through a
        # larger type in fresh memory at each call, and takes four times as long as float64 (numpy 2.4).
        yield np.fft.rfft(frames * window)


def frames_per_block(framing: Framing) -> int:
    """Frames of every block but the last."""
    return max(1, BLOCK_SAMPLES // framing.n_fft)


def _frame_blocks(samples: Floats, framing: Framing, mean: float) -> Iterator[NDArray[np.float32]]:
    """Views of the frames of samples - mean, without a window, in blocks [shape=(frames, n_fft)], in order."""
    count = framing.count(samples.shape[0])
    per_block = frames_per_block(framing)
    for first in range(0, count, per_block):
        frames = min(per_block, count - first)
        start = first * framing.hop - framing.margin
        stretch = _stretch(samples, start, (frames - 1) * framing.hop + framing.n_fft, framing, mean)
        step = stretch.strides[0]
        yield as_strided(stretch, (frames, framing.n_fft), (framing.hop * step, step), writeable=False)


def power_at(
    samples: Floats, starts: NDArray[np.intp], length: int, *, reflect: bool = False, n_fft: int | None = None
) -> NDArray[np.float32]:
    """|STFT|**2 [shape=(len(starts), n_fft/2 + 1)] of the frames of length samples that begin at the given ones.

    What lies outside samples [shape=(n,)] is its mirror image, or 0.  Zeros fill up a frame shorter than n_fft.
    """
    frames = np.empty((starts.size, length))
    inside = (starts >= 0) & (starts + length <= samples.shape[0])
    if inside.any():
        frames[inside] = sliding_window_view(samples, length)[starts[inside]]
    index = starts[~inside, None] + np.arange(length)
    if reflect:
        frames[~inside] = samples[_mirrored(index, samples.shape[0])]
    else:
        outside = (index < 0) | (index >= samples.shape[0])
        frames[~inside] = np.where(outside, 0, samples[np.clip(index, 0, samples.shape[0] - 1)])
    spectrum = np.fft.rfft(frames * hann(length), n_fft)
    return (np.square(spectrum.real) + np.square(spectrum.imag)).astype(np.float32)


def _stretch(samples: Floats, start: int, size: int, framing: Framing, mean: float) -> NDArray[np.float32]:
    """samples[start:start + size] - mean; what lies outside is padding."""
    length = samples.shape[0]
    inside = start >= 0 and start + size <= length
    if not inside and framing.padding.endswith("reflect"):
        return (samples[_mirrored(np.arange(start, start + size), length)] - mean).astype(np.float32)
    piece = np.asarray(samples[max(start, 0) : max(start + size, 0)], np.float32)
    if mean:
        piece = piece - np.float32(mean)
    if inside:
        return piece
    padded = np.zeros(size, np.float32)
    padded[max(-start, 0) : max(-start, 0) + piece.shape[0]] = piece
    return padded


def _mirrored(index: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Index of the mirror image without repeating the edge: 4 samples, -2..5 -> 2 1 0 1 2 3 2 1."""
    if length == 1:
        return np.zeros_like(index)
    period = 2 * (length - 1)
    folded = np.mod(index, period)
    return np.minimum(folded, period - folded)


@lru_cache(maxsize=8)
def hann(size: int) -> NDArray[np.float64]:
    """Periodic Hann window, (1 - cos(2 pi n / size)) / 2."""
    return locked(np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)))


@lru_cache(maxsize=8)
def log_band_edges(low: float, high: float, bands: int) -> NDArray[np.intp]:
    """Bins between which the bands lie, equally wide in log frequency, each at least one bin."""
    # A set, for numpy's unique loads numpy.ma, which costs more than a whole alignment.
    return locked(np.array(sorted(set(np.geomspace(low, high, bands + 1).astype(int).tolist())), np.intp))


def locked(array: NDArray[Any]) -> NDArray[Any]:
    """What a cache hands out is not written to."""
    array.flags.writeable = False
    return array


class MelGrid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mel spectrogram's grid: everything but the scale of its values.

    fmin, fmax in Hz.  formula: "slaney" (linear to 1 kHz, then logarithmic) or "htk" (2595 log10(1 + f/700)).
    norm: "slaney" (triangles of equal area) or "none" (triangles of height 1).
    """

    rate: int
    n_fft: int = 1024
    hop: int = 256
    bands: int = 80
    fmin: float = 0.0
    fmax: float = 8000.0
    formula: Literal["slaney", "htk"] = "slaney"
    norm: Literal["slaney", "none"] = "slaney"
    padding: Padding = "same-reflect"

    @property
    def framing(self) -> Framing:
        return Framing(self.n_fft, self.hop, self.padding)


class Spectrogram(msgspec.Struct, frozen=True, eq=False):
    """Mel values [shape=(bands, frames)] with the grid and the scale they are in."""

    values: Floats
    grid: MelGrid
    scale: Scale

    def to(self, scale: Scale) -> Spectrogram:
        """The same values, element by element, on another scale."""
        return msgspec.structs.replace(self, values=convert(self.values, self.scale, scale), scale=scale)


def mel(
    samples: Floats, grid: MelGrid, pooled: Power | Magnitude, mean: float = 0.0, epsilon: float = 0.0
) -> Spectrogram:
    """basis @ |STFT| (pooled=Magnitude) or basis @ |STFT|**2 (pooled=Power), in that scale.

    The two are not each other's square: the sum of squares is not the square of the sum.
    mean is taken off the samples; epsilon is added to |STFT|**2 of every bin (BigVGAN, HiFi-GAN: 1e-9 under the root).
    """
    basis = mel_filterbank(grid).T
    rows = [
        pooled.from_power(power + np.float32(epsilon)) @ basis for power in power_blocks(samples, grid.framing, mean)
    ]
    values = np.concatenate(rows).T if rows else np.zeros((grid.bands, 0), np.float32)
    return Spectrogram(values, grid, pooled)


@lru_cache(maxsize=8)
def mel_filterbank(grid: MelGrid) -> NDArray[np.float32]:
    """Triangular filters [shape=(bands, n_fft/2 + 1)]; equal to librosa.filters.mel of the same arguments.

    Filter m rises from edge m to edge m+1 and falls to edge m+2, the edges equally spaced in mel;
    norm "slaney" divides it by half its width in Hz.  Source: Slaney, Auditory Toolbox, 1998; HTK book 5.6.
    """
    edges = mel_edges(grid)
    bins = np.fft.rfftfreq(grid.n_fft, 1 / grid.rate)
    # A bin between edge j and edge j+1 is on the rising side of filter j and on the falling side of filter j-1.
    inside = np.flatnonzero((bins >= edges[0]) & (bins < edges[-1]))
    left = np.searchsorted(edges, bins[inside], side="right") - 1
    rising = (bins[inside] - edges[left]) / (edges[left + 1] - edges[left])
    basis = np.zeros((grid.bands + 2, bins.size))
    basis[left + 1, inside] = rising
    basis[left, inside] = 1 - rising
    basis = basis[1:-1]
    if grid.norm == "slaney":
        basis *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return locked(basis.astype(np.float32))


def mel_edges(grid: MelGrid) -> NDArray[np.float64]:
    """Edges of the filters in Hz [shape=(bands + 2,)]: filter m rises from edge m, peaks at m + 1, ends at m + 2."""
    to_mel, to_hz = MEL_FORMULAS[grid.formula]
    lowest, highest = to_mel(np.array([grid.fmin, grid.fmax]))
    return np.asarray(to_hz(np.linspace(lowest, highest, grid.bands + 2)))


_LINEAR_HZ = 200 / 3  # Slaney: 15 mel to 1 kHz in steps of 66.7 Hz, then 27 steps to 6.4 kHz
_LOG_STEP = np.log(6.4) / 27


def slaney_from_hz(hz: Floats) -> Floats:
    """Mel by Slaney's formula: f / 66.7 below 1 kHz, 15 + 27 ln(f / 1000) / ln 6.4 above."""
    return np.where(hz < 1000, hz / _LINEAR_HZ, 15 + np.log(np.maximum(hz, 1e-9) / 1000) / _LOG_STEP)


def slaney_to_hz(mels: Floats) -> Floats:
    """Inverse of slaney_from_hz."""
    return np.where(mels < 15, mels * _LINEAR_HZ, 1000 * np.exp(_LOG_STEP * (mels - 15)))


def htk_from_hz(hz: Floats) -> Floats:
    """Mel by the HTK book's formula, 2595 log10(1 + f / 700)."""
    return 2595 * np.log10(1 + hz / 700)


def htk_to_hz(mels: Floats) -> Floats:
    """Inverse of htk_from_hz."""
    return 700 * (10 ** (mels / 2595) - 1)


MEL_FORMULAS = {"slaney": (slaney_from_hz, slaney_to_hz), "htk": (htk_from_hz, htk_to_hz)}
