"""What a kind of reported fault is, and what the ways of making them share.

    @kind("microsoft/VibeVoice#383", ("integer-overflow",), (1.3, 1.8))
    def wrapped(x, rate, rng, amount):
        '''Samples past full scale wrap to the other sign; amount is the peak.'''
        return generated                                  # at the same rate, beside x
        return reference, its rate, generated, its rate   # or all of it

The name is the function's and the first line of its docstring says what happened.  Sounds are float64, of shape (n,);
a kind of two channels is given (2, n).  Nothing here asks diagnose what it thinks.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import sounds
import soxr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from diagnose.audio import Audio

    Floats = NDArray[np.float64]
    Bytes = NDArray[np.uint8]
    Rng = np.random.Generator
    Made = tuple[Floats, int, Floats, int]
    Maker = Callable[[Floats, int, Rng, float], "Made | Floats"]

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
WIDE = 0.35  # of the other instrument in each channel of two
ALIKE = 0.5  # correlation from which on two sounds are the same one


# The ids of causes that the design lists (section 3), so that a slip of the pen is no answer that nobody can give.
LISTED = """
gain silent dc-offset clipping polarity quantisation modulation gated
integer-overflow bytes-misread companding non-finite foreign-data
mono-stereo channel-swapped channels-interleaved
high-frequency-loss low-frequency-loss tilt band-gap spectral-holes aliasing phase-incoherent reverberation
noise interference hum tonal frame-rate-hum frame-rate-tremolo clicks edge-artifact tail-added
delay truncated padded dropout segment-lost segment-inserted segment-repeated segment-replaced chunk-seams
sample-rate time-stretch wow time-structure-lost
pitch octave-error pitch-flattened voicing-lost formant-shift
vocoder-input-scale power-magnitude level-reference-lost mel-range axes-exchanged over-smoothed
different-content unknown
"""
IDS = frozenset(LISTED.split())


class Kind(msgspec.Struct, frozen=True):
    """One kind of fault, as somebody reported it.

    source: owner/repository#number, or "common".  right: the ids a right diagnosis begins with, any of them; none
    where people take the two for equal.  amounts: middle first, then strong, in the unit that `what` names.  channels:
    of what it is given.  finite: whether every sample it makes is a number.
    """

    name: str
    source: str
    what: str
    right: tuple[str, ...]
    amounts: tuple[float, ...]
    maker: Maker
    channels: int = 1
    finite: bool = True

    @property
    def held_out(self) -> bool:
        return zlib.crc32(self.name.encode()) % 3 == 0

    def make(self, samples: Floats, rate: int, rng: Rng, amount: float) -> Made:
        """(reference, its rate, generated, its rate) from samples of shape (channels, n), or (n,) for one."""
        given = np.atleast_2d(np.asarray(samples, np.float64)).copy()
        mono = given.mean(axis=0)
        made = self.maker(mono if self.channels == 1 else two_channels(given, rate, rng), rate, rng, amount)
        if isinstance(made, tuple):
            return made
        return mono, rate, made, rate


KINDS: dict[str, Kind] = {}


def kind(
    source: str, right: Sequence[str], amounts: Sequence[float], *, channels: int = 1, finite: bool = True
) -> Callable[[Maker], Maker]:
    """Keep a function as a kind of fault, under its name.  One that is given two channels returns all four."""

    def kept(maker: Maker) -> Maker:
        what = " ".join((maker.__doc__ or "").split("\n\n")[0].split())
        name = maker.__name__
        if name in KINDS:
            raise ValueError(f"two kinds are called {name}")
        if unknown := set(right) - IDS:
            raise ValueError(f"{name}: no ids of causes: {sorted(unknown)}")
        KINDS[name] = Kind(name, source, what, tuple(right), tuple(amounts), maker, channels, finite)
        return maker

    return kept


# Sounds


@lru_cache(maxsize=1)
def all_sounds() -> dict[str, Audio]:
    """The project's own and, where they are, the real ones."""
    return {name: make() for name, make in sounds.SOUNDS.items()} | sounds.real_sounds(DATA)


def another(x: Floats, rate: int, rng: Rng) -> Floats:
    """Some other sound of the list, as one channel, at this rate and of this length; it starts again where it ends."""
    names = sorted(all_sounds())
    for name in rng.permutation(names).tolist():
        audio = all_sounds()[name]
        mono = audio.samples.mean(axis=0, dtype=np.float64)
        other = np.resize(resampled(mono, audio.rate, rate), x.size)
        if abs(float(x @ other)) < ALIKE * np.sqrt(float(x @ x) * float(other @ other)):
            return other
    raise ValueError("there is no other sound")


def two_channels(given: Floats, rate: int, rng: Rng) -> Floats:
    """Two instruments on two sides: left x + 0.35 y, right y + 0.35 x, where y is another sound as loud, peak kept."""
    x = given.mean(axis=0)
    y = another(x, rate, rng)
    y = y * rms(x) / max(rms(y), 1e-9)
    both = np.stack([x + WIDE * y, y + WIDE * x])
    return both * np.abs(x).max() / np.abs(both).max()


# Levels


def rms(x: Floats) -> float:
    """sqrt(mean(x**2))."""
    return float(np.sqrt(np.mean(np.square(x)))) if x.size else 0.0


def to_peak(x: Floats, peak: float) -> Floats:
    """peak * x / max|x|."""
    return x * (peak / max(np.abs(x).max(), 1e-12))


def at_level(added: Floats, x: Floats, level_db: float) -> Floats:
    """What is added, its RMS so many dB above that of x."""
    return added * (10 ** (level_db / 20) * rms(x) / max(rms(added), 1e-12))


def frame_levels(x: Floats, size: int) -> Floats:
    """RMS of each frame of so many samples; the last may be short."""
    return np.array([rms(x[start : start + size]) for start in range(0, x.size, size)])


# Bytes


def int16(x: Floats) -> NDArray[np.int16]:
    """round(32768 x), flattened at the ends of the range."""
    return np.clip(np.round(x * 32768), -32768, 32767).astype("<i2")


def from_int16(data: bytes) -> Floats:
    """Bytes as little-endian 16 bit samples of full scale 1; an odd byte at the end is left out."""
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float64) / 32768


def wrap(x: Floats) -> Floats:
    """x modulo full scale, into -1 <= y < 1: what a cast to a narrower integer leaves."""
    return np.mod(x + 1, 2) - 1


# Rates and chunks


def resampled(x: Floats, rate: float, to: float) -> Floats:
    """By soxr, very high quality; as it is where the rates are one."""
    if rate == to:
        return x
    return np.asarray(soxr.resample(x, rate, to, quality="VHQ"), np.float64)


def fitted(x: Floats, length: int) -> Floats:
    """Cut, or filled up with zeros, to a length."""
    return np.pad(x[:length], (0, max(length - x.size, 0)))


def read_at(x: Floats, places: Floats) -> Floats:
    """x between its samples, at places in samples: a windowed sinc of 32 taps (Hann), zeros beyond the ends."""
    taps = np.arange(-15, 17)
    whole = np.floor(places).astype(np.int64)
    padded = np.pad(x, 64)
    made = np.zeros(places.size)
    for tap in taps:
        apart = places - (whole + tap)
        weight = np.sinc(apart) * np.cos(np.pi * np.clip(apart / 32, -0.5, 0.5)) ** 2
        made += weight * padded[np.clip(whole + tap + 64, 0, padded.size - 1)]
    return made


def cut(x: Floats, size: int) -> list[Floats]:
    """Chunks of so many samples; the last may be short."""
    return [x[start : start + size] for start in range(0, x.size, size)]


def cut_unevenly(x: Floats, rate: int, rng: Rng, low_s: float, high_s: float) -> list[Floats]:
    """Chunks of lengths drawn evenly between two, as a network or a sentence gives them."""
    parts, start = [], 0
    while start < x.size:
        stop = start + max(int(rng.uniform(low_s, high_s) * rate), 2)
        parts.append(x[start:stop])
        start = stop
    return parts


def sounding(parts: Sequence[Floats], below_db: float = 20.0) -> list[int]:
    """Indices of the chunks within so many dB of the loudest, not the first nor the last."""
    levels = np.array([rms(part) for part in parts])
    loud = levels > levels.max() * 10 ** (-below_db / 20)
    inner = [index for index in range(1, len(parts) - 1) if loud[index]]
    return inner or [int(np.argmax(levels))]


def some(indices: Sequence[int], share: float, rng: Rng) -> list[int]:
    """A share of the indices, at least one, drawn at random, in their order."""
    count = min(max(round(share * len(indices)), 1), len(indices))
    return sorted(rng.choice(np.asarray(indices), count, replace=False).tolist())
