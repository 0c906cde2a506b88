"""Break points at the interface of network and vocoder: order, place and detail of the features.

Blurs, low rank and few coefficients are over-smoothed.  Held frames are a staircase in time: over-smoothed, or a level
that moves at the rate of the held frames.  Of an axis that is turned round, the design has axes-exchanged; a flipped
frequency axis can fairly be called mel-range too, for bands lie at other frequencies than the vocoder assumes.
Features warped along frequency move the envelope, and not the pulses of f0: formant-shift, or mel-range, its cause.
"""

# ruff: noqa: ARG001 - a table of functions of one signature

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from neural_kinds import blurred, few_cosines, lowered_rank, middle_of, read_rows
from neural_voice import HOP, RATE, SILENT, Features, enveloped, sounded, voice_kind

if TYPE_CHECKING:
    from neural_kinds import Floats, Rng

SMOOTH = ("over-smoothed",)
HELD = ("over-smoothed", "frame-rate-tremolo")
ORDER = ("time-structure-lost", "segment-replaced", "segment-lost", "segment-inserted", "segment-repeated")
RANGE = ("formant-shift", "mel-range")


# Axes


@voice_kind("axes", ("axes-exchanged",), (1.0,))
def axes_exchanged(given: Features, rng: Rng, amount: float) -> Features:
    """[frames, bins] read as [bins, frames], cut or filled up to the shape that the vocoder wants."""

    def turned(values: Floats) -> Floats:
        kept = values.T[: values.shape[0], : values.shape[1]]
        wanted = [(0, want - have) for want, have in zip(values.shape, kept.shape, strict=True)]
        return np.pad(kept, wanted, constant_values=SILENT)

    return given.with_logs(turned)


@voice_kind("axes", ("axes-exchanged", "time-structure-lost"), (1.0,))
def axes_reshaped(given: Features, rng: Rng, amount: float) -> Features:
    """reshape in place of transpose: the numbers are dealt out in another order, over bins and over time."""
    return given.with_logs(lambda v: np.ascontiguousarray(v.T).reshape(v.shape))


@voice_kind("axes", ("axes-exchanged", "mel-range"), (1.0,))
def frequencies_flipped(given: Features, rng: Rng, amount: float) -> Features:
    """The highest bin first."""
    return given.with_logs(lambda v: v[::-1])


@voice_kind("axes", ("time-structure-lost",), (1.0,))
def time_reversed(given: Features, rng: Rng, amount: float) -> Features:
    """All features, f0 too, from the end to the beginning."""
    return given.with_all(lambda v: v[..., ::-1])


@voice_kind("axes", RANGE, (4.0, 12.0))
def bins_shifted(given: Features, rng: Rng, amount: float) -> Features:
    """Read amount bins (20 Hz each) too high."""
    return enveloped(given).with_logs(lambda v: read_rows(v, np.arange(v.shape[0]) - amount))


@voice_kind("axes", RANGE, (11_025.0, 8000.0))
def range_read_as_wider(given: Features, rng: Rng, amount: float) -> Features:
    """Bins up to amount Hz read as if they went up to 12 kHz: the envelope is stretched."""
    return enveloped(given).with_logs(lambda v: read_rows(v, np.arange(v.shape[0]) * amount / 12_000))


@voice_kind("axes", RANGE, (1.1, 0.85))
def formants_moved(given: Features, rng: Rng, amount: float) -> Features:
    """A vocal tract length amount times as long: all formants at 1 / amount."""
    return enveloped(given).with_logs(lambda v: read_rows(v, np.arange(v.shape[0]) * amount))


# Detail


@voice_kind("detail", SMOOTH, (3.0, 8.0))
def blurred_in_time(given: Features, rng: Rng, amount: float) -> Features:
    """A Gaussian of deviation amount frames along time."""
    return given.with_logs(lambda v: blurred(v, amount, 1))


@voice_kind("detail", SMOOTH, (12.0, 40.0))
def blurred_in_frequency(given: Features, rng: Rng, amount: float) -> Features:
    """A Gaussian of deviation amount bins along frequency."""
    return enveloped(given).with_logs(lambda v: blurred(v, amount, 0))


@voice_kind("detail", SMOOTH, (12.0, 5.0))
def few_coefficients(given: Features, rng: Rng, amount: float) -> Features:
    """The first amount cosines of each frame."""
    return enveloped(given).with_logs(lambda v: few_cosines(v, int(amount)))


@voice_kind("detail", SMOOTH, (4.0, 1.0))
def low_rank(given: Features, rng: Rng, amount: float) -> Features:
    """The first amount components of each array."""
    return given.with_logs(lambda v: lowered_rank(v, int(amount)))


@voice_kind("detail", SMOOTH, (0.5, 0.0))
def regressed_to_the_mean(given: Features, rng: Rng, amount: float) -> Features:
    """Each bin moves amount times as far about its mean over the louder half of the sentence."""
    level = np.logaddexp(given.lh, given.lr).mean(axis=0)
    loud = level > np.median(level)
    return given.with_logs(lambda v: amount * v + (1 - amount) * v[:, loud].mean(axis=1, keepdims=True))


@voice_kind("detail", ("noise", "phase-incoherent", "spectral-holes"), (0.8, 2.0))
def noise_on_the_features(given: Features, rng: Rng, amount: float) -> Features:
    """Gaussian noise of amount nat on each cell, powers kept: it follows the sound in every cell, and roughens it."""
    return given.with_logs(lambda v: v + amount * rng.standard_normal(v.shape) - amount**2)


@voice_kind("detail", ("phase-incoherent", "noise"), (1.0, 3.0))
def noise_on_the_phases(given: Features, rng: Rng, amount: float) -> Features:
    """Gaussian noise of amount rad on the phases of each cell."""
    th = np.tanh(given.th) + amount / np.pi * rng.standard_normal(given.th.shape)
    th = np.arctanh(np.clip((th + 1) % 2 - 1, -0.9999, 0.9999))
    return Features(given.lh, th, given.ln, given.lr, given.phi + amount * rng.standard_normal(th.shape), given.f0)


@voice_kind("detail", ("spectral-holes", "dropout"), (0.15, 0.4))
def cells_masked(given: Features, rng: Rng, amount: float) -> Features:
    """Amount of all patches of 8 bins and 4 frames are masked, as in training, and left so."""
    rows, columns = -(-given.lh.shape[0] // 8), -(-given.frames // 4)
    mask = np.kron(rng.random((rows, columns)) < amount, np.ones((8, 4)))[: given.lh.shape[0], : given.frames]
    return given.with_logs(lambda v: np.where(mask > 0, SILENT, v))


@voice_kind("detail", ("band-gap",), (40.0, 120.0))
def band_masked(given: Features, rng: Rng, amount: float) -> Features:
    """Amount bins from 1 kHz on are masked throughout."""
    rows = np.arange(given.lh.shape[0])[:, None]
    return given.with_logs(lambda v: np.where((rows >= 50) & (rows < 50 + amount), SILENT, v))


@voice_kind("detail", ("high-frequency-loss", "mel-range"), (8000.0, 4000.0))
def upper_bins_missing(given: Features, rng: Rng, amount: float) -> Features:
    """Nothing is predicted above amount Hz."""
    rows = np.arange(given.lh.shape[0])[:, None] * 20
    return given.with_logs(lambda v: np.where(rows > amount, SILENT, v))


# Frames


@voice_kind("frames", HELD, (2.0, 4.0))
def frames_held(given: Features, rng: Rng, amount: float) -> Features:
    """Only every amount-th frame is predicted, and held."""
    return given.at(np.arange(given.frames) // int(amount) * int(amount))


@voice_kind("frames", ("segment-lost", "time-stretch"), (8.0, 4.0))
def every_so_many_dropped(given: Features, rng: Rng, amount: float) -> Features:
    """Every amount-th frame is left out."""
    numbers = np.arange(given.frames)
    return given.at(numbers[numbers % int(amount) != int(amount) - 1])


@voice_kind("frames", ("segment-repeated", "time-stretch"), (8.0, 4.0))
def every_so_many_doubled(given: Features, rng: Rng, amount: float) -> Features:
    """Every amount-th frame comes twice."""
    numbers = np.arange(given.frames)
    return given.at(np.repeat(numbers, 1 + (numbers % int(amount) == int(amount) - 1)))


@voice_kind("frames", ("segment-lost",), (12.0, 30.0))
def block_dropped(given: Features, rng: Rng, amount: float) -> Features:
    """Amount frames in a row are left out."""
    size = min(int(amount), given.frames // 3)
    start = middle_of(given.frames, size, rng)
    return given.at(np.delete(np.arange(given.frames), np.arange(start, start + size)))


@voice_kind("frames", ("segment-repeated",), (12.0, 30.0))
def block_doubled(given: Features, rng: Rng, amount: float) -> Features:
    """Amount frames in a row come twice: an attention that goes back."""
    size = min(int(amount), given.frames // 3)
    start = middle_of(given.frames, size, rng)
    numbers = np.arange(given.frames)
    return given.at(np.concatenate([numbers[: start + size], numbers[start:]]))


@voice_kind("frames", ("segment-repeated", "segment-inserted", "time-stretch"), (20.0, 50.0))
def attention_stuck(given: Features, rng: Rng, amount: float) -> Features:
    """One frame is held for amount frames more, and then the sentence goes on."""
    at = middle_of(given.frames, 1, rng)
    return given.at(np.repeat(np.arange(given.frames), np.where(np.arange(given.frames) == at, int(amount), 1)))


@voice_kind("frames", ORDER, (16.0, 6.0))
def blocks_shuffled(given: Features, rng: Rng, amount: float) -> Features:
    """Blocks of amount frames are put in another order."""
    blocks = np.array_split(np.arange(given.frames), max(given.frames // int(amount), 2))
    return given.at(np.concatenate([blocks[index] for index in rng.permutation(len(blocks))]))


@voice_kind("frames", ("time-structure-lost", "segment-replaced", "chunk-seams"), (10.0, 25.0))
def blocks_reversed(given: Features, rng: Rng, amount: float) -> Features:
    """Each block of amount frames runs backwards."""
    numbers = np.arange(given.frames)
    return given.at(np.concatenate([numbers[at : at + int(amount)][::-1] for at in numbers[:: int(amount)]]))


@voice_kind("frames", ("non-finite",), (1.0, 10.0))
def frames_not_a_number(given: Features, rng: Rng, amount: float) -> Features:
    """Amount frames are not numbers, and so are all samples they touch."""
    start = middle_of(given.frames, int(amount), rng)
    numbers = np.arange(given.frames)
    return given.with_logs(lambda v: np.where((numbers >= start) & (numbers < start + amount), np.nan, v))


@voice_kind("frames", ("segment-replaced", "clicks", "interference"), (4.0, 14.0))
def frames_of_zeros(given: Features, rng: Rng, amount: float) -> Features:
    """Amount frames are zeros, which are logarithms of 1: a burst in place of the voice."""
    start = middle_of(given.frames, int(amount), rng)
    numbers = np.arange(given.frames)
    return given.with_logs(lambda v: np.where((numbers >= start) & (numbers < start + amount), 0.0, v))


@voice_kind("frames", ("dropout", "gated"), (8.0, 24.0))
def frames_at_the_floor(given: Features, rng: Rng, amount: float) -> Features:
    """Amount frames in the middle are at the floor: silence in place of the voice."""
    start = middle_of(given.frames, int(amount), rng)
    numbers = np.arange(given.frames)
    return given.with_logs(lambda v: np.where((numbers >= start) & (numbers < start + amount), SILENT, v))


# Chunks


def in_chunks(given: Features, size: int, overlap: int = 0, trim: int = 0) -> Floats:
    """Chunks of size frames, each with so many more at its end, sounded on their own; trim frames off each end."""
    parts = []
    for at in range(0, given.frames, size):
        stop = min(at + size + overlap, given.frames)
        part = sounded(given.at(np.arange(at, stop)), at)
        parts.append(part[: max(part.size - trim * HOP, HOP)])
    return np.concatenate(parts)


@voice_kind("chunks", ("chunk-seams", "clicks"), (50.0, 16.0), traces=("phase-incoherent",))
def chunks_without_context(given: Features, rng: Rng, amount: float) -> Floats:
    """Chunks of amount frames are sounded alone and joined: phases begin anew at each border."""
    return in_chunks(given, int(amount))


@voice_kind("chunks", ("segment-repeated", "chunk-seams", "time-stretch"), (40.0, 20.0), traces=("phase-incoherent",))
def chunks_overlap_not_trimmed(given: Features, rng: Rng, amount: float) -> Floats:
    """Chunks of amount frames overlap by 4, and are joined as they are: 50 ms twice at each border."""
    return in_chunks(given, int(amount), overlap=4)


@voice_kind("chunks", ("segment-lost", "chunk-seams", "time-stretch"), (40.0, 20.0), traces=("phase-incoherent",))
def chunks_trimmed_too_far(given: Features, rng: Rng, amount: float) -> Floats:
    """4 frames are cut off each chunk of amount frames, which had no overlap."""
    return in_chunks(given, int(amount), trim=4)


# Hops and rates


@voice_kind("rates", ("time-stretch",), (256.0, 200.0))
def features_of_another_hop(given: Features, rng: Rng, amount: float) -> Features:
    """A network of hop amount before a vocoder of hop 300: slower, at the same pitch."""
    places = np.arange(0, given.frames - 1, amount / HOP)
    near = given.at(np.round(places))

    def between(values: Floats) -> Floats:
        return read_rows(values.T, places).T

    return Features(between(given.lh), near.th, between(given.ln), between(given.lr), near.phi, near.f0)


@voice_kind("rates", ("sample-rate",), (22_050.0, 16_000.0))
def header_says_another_rate(given: Features, rng: Rng, amount: float) -> tuple[Floats, int]:
    """24 kHz samples in a file that says amount."""
    return sounded(given), int(amount)


@voice_kind("rates", ("sample-rate",), (44_100.0, 48_000.0))
def header_says_a_higher_rate(given: Features, rng: Rng, amount: float) -> tuple[Floats, int]:
    """24 kHz samples in a file that says amount, of a device or a default."""
    return sounded(given), int(amount)


assert RATE == 24_000  # what the two above say
