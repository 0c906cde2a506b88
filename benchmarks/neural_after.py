"""Break points behind the vocoder: what happens to the samples of a synthesised voice, and to files in lossy codecs.

Right ids follow the design's list of what cannot be told apart: a gate, drop-outs and periodic seams; mu-law and its
quantisation; a low-pass, mel-range and a reduced rate; a delay and padding.  A codec at a low rate cuts the top and
leaves holes; phases and noise are then true as well, and count as traces.
"""

# ruff: noqa: ARG001 - a table of functions of one signature

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from msgspec.structs import replace
from neural_kinds import PLAYED, RECORDING, middle_of, rms, to_peak_of
from neural_mel import sound_of
from neural_voice import HOP, N_FFT, RATE, Features, after_kind, features, sounded, voice_kind
from reported_kinds import fitted, from_int16, int16, resampled, wrap
from scipy import signal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neural_kinds import Floats, Made, Rng

HOLES = ("dropout", "chunk-seams", "gated")


@after_kind("after", ("gain", "level-reference-lost"), (-6.0, -18.0))
def level_lower(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount dB."""
    return x * 10 ** (amount / 20)


@after_kind("after", ("clipping",), (6.0, 14.0))
def clipped(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount dB beyond full scale, and cut there."""
    return np.clip(to_peak_of(x, 10 ** (amount / 20)), -1, 1)


@after_kind("after", ("dc-offset",), (0.02, 0.15))
def constant_added(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A bias of amount."""
    return x + amount


@after_kind("after", ("integer-overflow",), (1.2, 1.9))
def int16_overflows(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """At a peak of amount, cast to int16: what is beyond full scale wraps."""
    return wrap(to_peak_of(x, amount))


@after_kind("after", ("clipping",))
def integers_written_as_floats(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Samples of +-32768 are written as if full scale were 1, and are cut there: a square wave."""
    return np.clip(np.round(x * 32768), -1, 1)


@after_kind("after", HOLES, (0.04, 0.16))
def chunk_silent(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount s in the middle are zeros."""
    size = int(amount * rate)
    start = middle_of(x.size, size, rng)
    x[start : start + size] = 0
    return x


@after_kind("after", HOLES, (0.5, 0.2))
def buffer_underruns(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """20 ms of zeros every amount s."""
    for start in range(int(0.5 * amount * rate), x.size, int(amount * rate)):
        x[start : start + rate // 50] = 0
    return x


@after_kind("after", ("segment-repeated", "segment-replaced", "chunk-seams"), (0.5, 0.25))
def buffer_played_again(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Every amount s the last 30 ms are played again in place of the next."""
    size = int(0.03 * rate)
    for start in range(int(amount * rate), x.size - size, int(amount * rate)):
        x[start : start + size] = x[start - size : start]
    return x


@after_kind("after", ("companding", "quantisation", "noise"), (255.0,))
def mu_law_8_bits(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Through 256 steps of mu-law and back."""
    code = np.round(127.5 * np.sign(x) * np.log1p(amount * np.abs(x)) / np.log1p(amount)) / 127.5
    return np.sign(code) * np.expm1(np.abs(code) * np.log1p(amount)) / amount


@after_kind("after", ("companding",))
def mu_law_not_expanded(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A network's mu-law codes are played as samples."""
    return np.round(127.5 * np.sign(x) * np.log1p(255 * np.abs(x)) / np.log1p(255)) / 127.5


@after_kind("after", ("quantisation", "noise"), (8.0, 5.0))
def few_bits(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Rounded to amount bits, without dither."""
    return np.round(x * 2 ** (amount - 1)) / 2 ** (amount - 1)


@after_kind("after", ("high-frequency-loss", "mel-range"), (6000.0, 3000.0))
def low_pass(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Nothing above amount Hz."""
    return np.asarray(signal.sosfiltfilt(signal.butter(8, amount, fs=rate, output="sos"), x))


@after_kind("after", ("aliasing",), (2.0, 3.0))
def resampled_without_filter(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Every amount-th sample, held amount times."""
    return np.repeat(x[:: int(amount)], int(amount))[: x.size]


@after_kind("after", ("aliasing", "high-frequency-loss"), (12_000.0, 8000.0))
def resampled_on_straight_lines(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """To amount Hz without a filter and back, both on straight lines between samples."""
    time, coarse = np.arange(x.size) / rate, np.arange(0, x.size / rate, 1 / amount)
    return np.interp(time, coarse, np.interp(coarse, time, x))


@after_kind("after", ("sample-rate", "aliasing"))
def zeros_between_samples(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A zero after every sample, at the same rate: half speed, and an image above."""
    return np.stack([x, np.zeros_like(x)], axis=1).reshape(-1)


@after_kind("after", ("padded",), (0.3, 1.0))
def padded(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount s of silence at the end, of a batch."""
    return np.pad(x, (0, int(amount * rate)))


@after_kind("after", ("delay", "segment-inserted"), (0.3, 0.8))
def padded_at_the_start(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount s of silence before the voice."""
    return np.pad(x, (int(amount * rate), 0))


@after_kind("after", ("truncated",), (0.15, 0.35))
def end_missing(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount of the sound is missing at its end: a limit on the number of frames."""
    return x[: int((1 - amount) * x.size)]


@after_kind("after", ("truncated", "delay"), (0.15, 0.3))
def start_missing(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount of the sound is missing at its start."""
    return x[int(amount * x.size) :]


@after_kind("after", ("reverberation",), (-12.0, -5.0))
def echo(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Once more after 90 ms, amount dB."""
    late = int(0.09 * rate)
    return x + 10 ** (amount / 20) * fitted(np.pad(x, (late, 0)), x.size)


@after_kind("after", ("bytes-misread",))
def bytes_swapped(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """16 bit samples in the other byte order."""
    return from_int16(int16(x).byteswap().tobytes())


@after_kind("after", ("polarity",))
def upside_down(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """-x."""
    return -x


@after_kind("after", ("frame-rate-hum", "tonal"), (-25.0, -12.0))
def network_hums(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """One waveform in every hop, amount dB under the voice: a bias in a transposed convolution."""
    hum = np.resize(np.exp(-np.arange(HOP) / 20) - 20 / HOP, x.size)
    return x + hum * (10 ** (amount / 20) * rms(x) / rms(hum))


def ripple_of(size: int) -> Floats:
    """Of one hop: the sum of the products of the transform's window and one of size samples, over its mean."""
    windows = np.hanning(N_FFT + 1)[:-1] * np.pad(np.hanning(size + 1)[:-1], (N_FFT - size) // 2)
    summed = windows.reshape(-1, HOP).sum(axis=0)
    return summed / summed.mean()


@after_kind("after", ("frame-rate-tremolo",), (600.0, 400.0))
def windows_do_not_add_up(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """An overlap-add whose window has amount samples, where hop and transform want 1200: a ripple of one hop."""
    return x * np.resize(ripple_of(int(amount)), x.size)


@voice_kind("after", ("tail-added",), (0.4, 0.9))
def babble_after_the_end(given: Features, rng: Rng, amount: float) -> Floats:
    """The stop token is missed: amount s of babble follow, frames of another sentence in another order."""
    other = features("said_ferry" if given.sentence == "said_morning" else "said_morning")
    blocks = np.array_split(np.arange(other.frames), max(other.frames // 7, 2))
    babble = np.concatenate([blocks[index] for index in rng.permutation(len(blocks))])[: int(amount * RATE / HOP)]
    return np.concatenate([sounded(given), sounded(other.at(babble))])


@voice_kind("after", ("interference",), (-14.0, -5.0))
def another_item_leaks(given: Features, rng: Rng, amount: float) -> Floats:
    """The sentence backwards, in another pitch, is mixed in: amount dB, an item of the same batch."""
    x = sounded(given)
    other = sounded(replace(given.with_all(lambda v: v[..., ::-1]), f0=given.f0[::-1] * 0.7))
    return x + other * (10 ** (amount / 20) * rms(x) / rms(other))


# Codecs


def coded(x: Floats, rate: int, form: str, subtype: str, level: float) -> Floats:
    """Written and read by libsndfile; level 0 is its best, 1 its smallest."""
    file = io.BytesIO()
    soundfile.write(file, x, rate, format=form, subtype=subtype, compression_level=level)
    file.seek(0)
    back, _ = soundfile.read(file)
    return np.asarray(back, np.float64)


CODED = ("high-frequency-loss", "spectral-holes")
POOL = ("said_ferry", "said_morning", "said_umbrella", *PLAYED[:3])


def codec_kind(
    right: Sequence[str], amounts: Sequence[float], traces: Sequence[str] = ("phase-incoherent", "noise", "delay")
) -> Callable[[Callable[..., Floats]], Callable[..., Floats]]:
    """Keep maker(samples, rate, generator, amount) -> samples as a kind on sentences and sounds."""
    from neural_kinds import keep

    def kept(maker: Callable[..., Floats]) -> Callable[..., Floats]:
        def pipeline(sound: str, rng: Rng, amount: float, against: str) -> Made:
            x, rate = sound_of(sound)
            return x, rate, maker(x.copy(), rate, rng, amount), rate

        keep(
            maker, "codec" if right else "harmless", right, amounts,
            traces=traces, pool=POOL, against=(RECORDING,), needs=(), pipeline=pipeline,
        )  # fmt: skip
        return maker

    return kept


@codec_kind(CODED, (0.9, 1.0))
def vorbis(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Vorbis at a compression of amount."""
    return coded(x, rate, "OGG", "VORBIS", amount)


@codec_kind(CODED, (0.97, 1.0))
def opus(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Opus at a compression of amount, at 24 kHz."""
    return fitted(resampled(coded(resampled(x, rate, 24_000), 24_000, "OGG", "OPUS", amount), 24_000, rate), x.size)


@codec_kind(CODED, (0.9, 0.99))
def mp3(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """MP3 at a compression of amount."""
    return coded(x, rate, "MP3", "MPEG_LAYER_III", amount)


@codec_kind(CODED, (8000.0,))
def vorbis_at_a_low_rate(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """To 8 kHz, Vorbis at its smallest, and back."""
    small = coded(resampled(x, rate, amount), int(amount), "OGG", "VORBIS", 1.0)
    return fitted(resampled(small, amount, rate), x.size)
