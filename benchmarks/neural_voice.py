"""A neural text-to-speech with its two halves apart: hibari-tts, whose network ends in features and whose vocoder
begins with them.  Its weights are in the package, and nothing is downloaded.

The interface, per frame of 300 samples at 24 kHz (window 1200, 601 bins): three natural logarithms of magnitudes, lh of
the harmonics, ln of the noise and lr of the rest, each capped at 7 by the vocoder; th and phi, phases; f0 in Hz, below
40 where unvoiced.  The harmonics are a train of pulses at f0, filtered by exp(lh) and turned by pi tanh(th); the rest
has phases of its own, exp(i phi); the noise alone depends on a seed, and lies 45 dB below the voice.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from neural_kinds import PIPELINE, SENTENCES, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neural_kinds import Floats, Made, Rng
    from numpy.typing import NDArray

RATE, HOP, N_FFT, BINS = 24_000, 300, 1200, 601
MOST = 0.9999  # of tanh(th), so that its inverse is a number
SILENT = -20.0  # of a branch, in nat
SEED = 0  # of the noise, in both sounds of a pair


ARRAYS = ("lh", "th", "ln", "lr", "phi", "f0")


class Features(msgspec.Struct, frozen=True, eq=False):
    """What the network hands to the vocoder; lh, th, ln, lr, phi [shape=(601, frames)], f0 [shape=(frames,)].

    sentence: what they say, where the network wrote them.
    """

    lh: Floats
    th: Floats
    ln: Floats
    lr: Floats
    phi: Floats
    f0: Floats
    sentence: str = ""

    @property
    def frames(self) -> int:
        return self.f0.shape[0]

    @property
    def logs(self) -> Floats:
        """The three logarithms of magnitudes [shape=(3, 601, frames)]."""
        return np.stack([self.lh, self.ln, self.lr])

    def with_logs(self, change: Callable[[Floats], Floats]) -> Features:
        """change() of each of the three logarithms of magnitudes."""
        return msgspec.structs.replace(self, lh=change(self.lh), ln=change(self.ln), lr=change(self.lr))

    def with_all(self, change: Callable[[Floats], Floats]) -> Features:
        """change() of every array; time is the last axis of each."""
        return msgspec.structs.replace(self, **{name: change(getattr(self, name)) for name in ARRAYS})

    def with_f0(self, f0: Floats) -> Features:
        return msgspec.structs.replace(self, f0=f0)

    def at(self, frames: NDArray[Any]) -> Features:
        """Frames of these numbers, in this order."""
        return self.with_all(lambda values: values[..., np.asarray(frames, np.int64)])

    @property
    def voiced(self) -> NDArray[np.bool_]:
        return self.f0 > 40


def enveloped(given: Features) -> Features:
    """The harmonics' gains and phases read at the harmonics of f0, and joined by straight lines between them.

    Between harmonics the network may write anything, for the pulses have nothing there; an f0 that is moved needs
    them, and so does an envelope that is.  Magnitudes stay, phases are a little other.
    """
    lh, turns = given.lh.copy(), np.tanh(given.th)
    bins = np.arange(BINS)
    for frame in np.flatnonzero(given.voiced):
        places = np.arange(1, int(11_000 / given.f0[frame]) + 1) * given.f0[frame] * N_FFT / RATE
        lh[:, frame] = np.interp(bins, places, np.interp(places, bins, given.lh[:, frame]))
        near = np.unwrap(np.pi * turns[np.round(places).astype(int), frame]) / np.pi
        turns[:, frame] = (np.interp(bins, places, near) + 1) % 2 - 1
    return msgspec.structs.replace(given, lh=lh, th=np.arctanh(np.clip(turns, -MOST, MOST)))


@lru_cache(maxsize=1)
def voice() -> Any:
    from hibari import Hibari

    return Hibari()


def run_network(session: Any, sentence: str, speed: float = 1.0) -> Features:
    """The network's outputs for a sentence, by any session of its graph."""
    ids = voice().ids("".join(voice().phonemize(SENTENCES[sentence])))
    given = {"ids": np.asarray([ids], np.int64), "speed": np.asarray([speed], np.float32)}
    lh, th, ln, lr, phi, f0 = (out[0].astype(np.float64) for out in session.run(None, given))
    return Features(lh, th, ln, lr, phi, f0, sentence)


@lru_cache(maxsize=16)
def features(sentence: str, speed: float = 1.0) -> Features:
    return run_network(voice().sess, sentence, speed)


def sounded(given: Features, seed: int = SEED) -> Floats:
    """The vocoder: features to samples."""
    from hibari import dsp

    arrays = (np.ascontiguousarray(getattr(given, name), np.float32) for name in ARRAYS)
    with np.errstate(all="ignore"):  # features may be not a number, or too large
        return np.asarray(dsp.synth(*arrays, np.random.default_rng(seed)), np.float64)


@lru_cache(maxsize=16)
def said(sentence: str) -> Floats:
    """The unbroken synthesis, at 24 kHz."""
    return sounded(features(sentence))


def voice_kind(
    family: str, right: Sequence[str], amounts: Sequence[float] = (1.0,), *, traces: Sequence[str] = ()
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Keep maker(features, generator, amount) -> Features, samples, or (samples, rate) as a kind on the sentences."""
    return _kind(family, right, amounts, traces, lambda sound: (features(sound),))


def after_kind(
    family: str, right: Sequence[str], amounts: Sequence[float] = (1.0,), *, traces: Sequence[str] = ()
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Keep maker(samples, rate, generator, amount) -> samples or (samples, rate): what happens behind the vocoder."""
    return _kind(family, right, amounts, traces, lambda sound: (said(sound).copy(), RATE))


def _kind(
    family: str,
    right: Sequence[str],
    amounts: Sequence[float],
    traces: Sequence[str],
    given: Callable[[str], tuple[object, ...]],
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Keep maker(*given(sentence), generator, amount) as a kind on the sentences."""

    def kept(maker: Callable[..., object]) -> Callable[..., object]:
        def pipeline(sound: str, rng: Rng, amount: float, against: str) -> Made:  # noqa: ARG001 - one signature
            got = maker(*given(sound), rng, amount)
            return said(sound), RATE, *finished(got)

        keep(
            maker,
            family,
            right,
            amounts,
            traces=traces,
            pool=list(SENTENCES),
            against=(PIPELINE,),
            needs=("hibari",),
            pipeline=pipeline,
        )
        return maker

    return kept


def finished(got: object) -> tuple[Floats, int]:
    """(samples, rate) of what a maker gave."""
    if isinstance(got, Features):
        return sounded(got), RATE
    if isinstance(got, tuple):
        return got[0], int(got[1])
    return np.asarray(got, np.float64), RATE
