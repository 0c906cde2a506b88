"""Samples that were read as what they are not: the generated sound is a copy once it is read in another way.

Such a fault leaves no likeness to be aligned by, so each reading is tried: it is the right one where what it gives can
be laid on the reference.
"""

from __future__ import annotations

import io
from collections.abc import Callable  # noqa: TC003 - msgspec reads the types
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np
import soundfile
import soxr

from diagnose.analysis.channels import mixed
from diagnose.audio import Audio, resample
from diagnose.mel.known import MISTAKEN_RATES
from diagnose.results.cause import Cause, cause
from diagnose.timeline import lay_waveforms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.analysis import Pair
    from diagnose.audio import Samples
    from diagnose.causes.evidence import Evidence

SMOOTHER = 0.7  # of the roughness as it is: noise turned into sound is smoother by far
TRIED = 4  # readings, the smoothest first
LONGEST_S = 12.0  # of the generated sound that is read anew
RATE_FIT = 0.03  # by which the quotient of two rates may be off that of the lengths
ZEROS = 0.999  # share of the samples between that are 0
INVERTED = 1e-3  # of |r|, by which a reading that inverts has to be better
CERTAINLY = 0.9999  # r from which no other reading is asked: what rounding to 8 bits leaves
ALIKE = 0.9  # r with the reference as it is, from which nothing is read anew
BETTER = 0.05  # of r, that another reading has to bring
ROUGHER = 1.5  # times the reference's roughness
BLOCK, FEWEST_BLOCKS = 256, 4  # samples by which, and blocks after and before which, a place is looked for
EIGHT_BIT = 128.0
SIXTEEN_BIT = 32768.0
# Bytes of a sample, by the integers that samples lie on; less than 16 bits of what is 16 bits wide are 8.
LATTICES = {"PCM_16": SIXTEEN_BIT, "PCM_24": 2.0**23, "PCM_32": 2.0**31}


class Reading(msgspec.Struct, frozen=True):
    """One way that samples may have been misread: the cause, what happened, what to do."""

    cause: str
    what: str
    fix: str


BYTES = "state byte order and sample format where bytes become samples: np.frombuffer(data, '<i2'), not a default"
LAW = "decode the G.711 bytes first (ffmpeg -f mulaw or -f alaw, soundfile subtype ULAW or ALAW)"
# (the width the bytes were taken for, the subtype and byte order that they have, bytes left out at the start)
Key: TypeAlias = "tuple[str, str, str, int]"
READINGS: dict[Key, Reading] = {
    ("PCM_16", "PCM_16", "BIG", 0): Reading("bytes-misread", "16-bit samples were read in the other byte order", BYTES),
    ("PCM_16", "PCM_16", "LITTLE", 1): Reading(
        "bytes-misread",
        "16-bit samples were read from an odd byte on",
        "begin at an even byte: a header or chunk of odd size shifts what follows; keep its last byte for the next",
    ),
    ("PCM_16", "PCM_24", "LITTLE", 0): Reading("bytes-misread", "24-bit samples were read as 16-bit ones", BYTES),
    ("PCM_16", "PCM_32", "LITTLE", 0): Reading("bytes-misread", "32-bit samples were read as 16-bit ones", BYTES),
    ("PCM_16", "FLOAT", "LITTLE", 0): Reading("bytes-misread", "32-bit floats were read as 16-bit integers", BYTES),
    ("PCM_16", "PCM_U8", "FILE", 0): Reading("bytes-misread", "8-bit samples were read as 16-bit ones", BYTES),
    ("PCM_16", "ULAW", "FILE", 0): Reading("companding", "mu-law bytes were read as 16-bit samples", LAW),
    ("PCM_16", "ALAW", "FILE", 0): Reading("companding", "A-law bytes were read as 16-bit samples", LAW),
    ("PCM_U8", "PCM_16", "LITTLE", 0): Reading("bytes-misread", "16-bit samples were read as 8-bit ones", BYTES),
    ("PCM_U8", "PCM_S8", "FILE", 0): Reading("bytes-misread", "signed 8-bit samples were read as unsigned", BYTES),
    ("PCM_U8", "ULAW", "FILE", 0): Reading("companding", "mu-law bytes were read as linear 8-bit samples", LAW),
    ("PCM_U8", "ALAW", "FILE", 0): Reading("companding", "A-law bytes were read as linear 8-bit samples", LAW),
    ("PCM_S8", "ULAW", "FILE", 0): Reading("companding", "mu-law bytes were read as linear 8-bit samples", LAW),
    ("PCM_S8", "ALAW", "FILE", 0): Reading("companding", "A-law bytes were read as linear 8-bit samples", LAW),
    ("PCM_24", "PCM_24", "BIG", 0): Reading("bytes-misread", "24-bit samples were read in the other byte order", BYTES),
    ("PCM_24", "PCM_24", "LITTLE", 1): Reading("bytes-misread", "24-bit samples were read from a wrong byte on", BYTES),
    ("PCM_24", "PCM_24", "LITTLE", 2): Reading("bytes-misread", "24-bit samples were read from a wrong byte on", BYTES),
    ("PCM_24", "PCM_16", "LITTLE", 0): Reading("bytes-misread", "16-bit samples were read as 24-bit ones", BYTES),
    ("PCM_32", "PCM_32", "BIG", 0): Reading("bytes-misread", "32-bit samples were read in the other byte order", BYTES),
    ("PCM_32", "FLOAT", "LITTLE", 0): Reading("bytes-misread", "32-bit floats were read as 32-bit integers", BYTES),
    ("PCM_32", "PCM_16", "LITTLE", 0): Reading("bytes-misread", "16-bit samples were read as 32-bit ones", BYTES),
}
TURNED = Reading(
    "bytes-misread", "samples were written with a sign and read without one, or the other way round", BYTES
)
ODD_FROM_HERE = Reading(
    "bytes-misread",
    "from a place on, 16-bit samples were read from an odd byte on",
    "keep the odd byte of a chunk for the next one; pad with whole samples: an even number of bytes",
)
PLANAR = Reading(
    "channels-interleaved",
    "the channels were written one after the other, and were read as if their samples came in turn",
    "read with the layout that was written: samples.reshape(channels, -1), not reshape(-1, channels).T",
)
INTERLEAVED = Reading(
    "channels-interleaved",
    "two channels were read as one: every second sample belongs to the other",
    "read with the number of channels that were written: samples.reshape(-1, channels)",
)
STUFFED = Reading(
    "aliasing",
    "zeros stand between the samples: raised in rate without a filter",
    "use a resampler with a filter (soxr, librosa.resample), and the new rate in the file's header",
)


class Reread(msgspec.Struct, frozen=True, eq=False):
    """A way of reading the generated sound in which it is the reference's waveform, with this correlation.

    anew: from the sound as it was read to what it is, all channels of it.
    """

    reading: Reading
    anew: Callable[[Audio], Audio]
    correlation: float

    @property
    def likeness(self) -> float:
        """|r|; less of a copy that is inverted too, for a law's bytes with the other sign bit are that."""
        return abs(self.correlation) - (INVERTED if self.correlation < 0 else 0.0)


Tried: TypeAlias = "tuple[Reading, Samples, Callable[[Audio], Audio]]"


def misread(e: Evidence) -> Cause | None:
    """Bytes, companding or channels misread, shown by reading them anew.

    Misleads: nothing known; what is read anew has to be the reference's waveform.
    """
    known = abs(e.pair.timeline.correlation) if e.method == "waveform" else 0.0
    if e.method == "warped" or known > ALIKE or e.silent:
        return None
    # What lies on the reference in some way is asked only where it is as rough as misread samples are.
    if e.method != "none" and roughness(e.pair.generated.mono) < ROUGHER * roughness(e.pair.reference.mono):
        return None
    found = right_reading(e.pair)
    if found is None or abs(found.correlation) < known + BETTER:
        return None
    said = f"read so, it is the reference's waveform: r = {abs(found.correlation):.3f}"
    return cause(found.reading.cause, 1.0, found.reading.what, [said], found.reading.fix)


def right_reading(pair: Pair) -> Reread | None:
    """The reading that makes the generated sound the best copy of the reference; None where none makes it one."""
    audio = pair.files[1].audio
    samples = audio.samples[0][: round(LONGEST_S * audio.rate)]
    # A channel of the reference: of what was interleaved, every second sample is a channel and no mix.
    original = pair.files[0].audio
    reference = resample(mixed(original, 1), pair.rate).samples[0]
    layouts: list[Tried] = [(INTERLEAVED, samples[::2], _apart)]
    if audio.channels > 1:
        layouts.append((PLANAR, _in_planes(audio).samples[0][: samples.size], _in_planes))
    best = None
    for reading, made, anew in (*_candidates(samples, pair.rate), *_rates(pair, samples), *layouts):
        timeline = lay_waveforms(reference, made, pair.rate) if made.size > pair.rate // 10 else None
        if timeline is None:
            continue
        found = Reread(reading, anew, timeline.correlation)
        if found.correlation >= CERTAINLY:
            return found
        best = found if best is None or found.likeness > best.likeness else best
    return best


def _candidates(samples: Samples, rate: int) -> Iterator[Tried]:
    for first in (0, 1):
        rest = samples[1 - first :: 2]
        if rest.size and np.count_nonzero(rest) <= (1 - ZEROS) * rest.size and np.any(samples[first::2]):
            yield STUFFED, samples[first::2], partial(_every_second, first=first, rate=rate)
            return
    limit = SMOOTHER * roughness(samples)
    found: list[tuple[float, Reading, Samples, Callable[[Audio], Audio]]] = []
    # A sign bit that is turned is no rougher: the sound swings from one end to the other wherever it crosses zero.
    eight_bits = np.array_equal(samples * EIGHT_BIT, np.rint(samples * EIGHT_BIT))
    lattice = next((kind for kind, full in LATTICES.items() if _lies_on(samples, full)), "PCM_32")
    taken_for = (
        ("PCM_U8", "PCM_S8") if eight_bits else (lattice, "PCM_U8", "PCM_S8") if lattice == "PCM_16" else (lattice,)
    )
    for key, reading in READINGS.items():
        made = read_as(samples, *key) if key[0] in taken_for else None
        if made is not None and (roughness(made) < limit or (eight_bits and key[1] == "PCM_S8")):
            found.append((roughness(made), reading, made, partial(_reread, key=key)))
    turned = turn_sign(samples)
    if roughness(turned) < limit:
        found.append((roughness(turned), TURNED, turned, _turned))
    place = odd_from(samples) if lattice == "PCM_16" and not eight_bits else None
    if place is not None:
        made = _odd_after(samples, place)
        found.append((roughness(made), ODD_FROM_HERE, made, partial(_each_odd_after, place=place)))
    for _, reading, made, anew in sorted(found, key=lambda each: each[0])[:TRIED]:
        yield reading, made, anew


def _lies_on(samples: Samples, full: float) -> bool:
    """Whether all samples are whole numbers of 1 / full."""
    counts = samples * np.float64(full)
    return bool(np.array_equal(counts, np.rint(counts)))


def turn_sign(samples: Samples) -> Samples:
    """The samples with their sign bit turned: what was 0 becomes the most negative, and full scale comes to 0."""
    return np.where(samples >= 0, samples - 1, samples + 1).astype(np.float32)


def _rates(pair: Pair, samples: Samples) -> Iterator[Tried]:
    """As played at another rate in use, where the lengths ask for that."""
    ratio = pair.generated.mono.size / pair.reference.mono.size
    label = pair.files[1].rate
    for true in MISTAKEN_RATES:
        # Labelled too high, it is short: generated seconds are true / label of the reference's.
        if true != label and abs(true / label / ratio - 1) <= RATE_FIT:
            what = f"played {label / true:.4g} times as fast ({true} Hz labelled {label} Hz)"
            fix = f"write the file with rate {true}, or resample to {label} Hz before writing"
            made = soxr.resample(samples, true, pair.rate)
            yield Reading("sample-rate", what, fix), made, partial(_labelled, rate=true)


# The whole sound, read anew


def _every_second(audio: Audio, first: int, rate: int) -> Audio:
    return Audio(np.ascontiguousarray(audio.samples[:, first::2]), rate, audio.name)


def _reread(audio: Audio, key: Key) -> Audio:
    """Every channel by itself: what was read across channels is not that of one."""
    made = [read_as(channel, *key) for channel in audio.samples]
    length = max(channel.size for channel in made if channel is not None)
    rows = [np.zeros(length, np.float32) if each is None else each for each in made]
    return Audio(np.stack(rows), audio.rate, audio.name)


def odd_from(samples: Samples) -> int | None:
    """The sample from which on the odd bytes are far smoother, and before which the even ones are; None without one."""
    other = read_as(samples, "PCM_16", "PCM_16", "LITTLE", 1)
    count = samples.size // BLOCK
    if other is None or count < 2 * FEWEST_BLOCKS:
        return None
    steps = [
        np.diff(each[: count * BLOCK], append=0.0)[: count * BLOCK] for each in (samples, _padded(other, samples.size))
    ]
    even, odd = (np.square(each, dtype=np.float64).reshape(count, BLOCK).sum(axis=1) for each in steps)
    before, after = np.concatenate(([0.0], np.cumsum(even))), np.concatenate((np.cumsum(odd[::-1])[::-1], [0.0]))
    place = int(np.argmin(before + after))
    smooth = float((before + after)[place]) < SMOOTHER**2 * min(float(before[-1]), float(after[0]))
    return place * BLOCK if smooth and FEWEST_BLOCKS <= place <= count - FEWEST_BLOCKS else None


def _odd_after(samples: Samples, place: int) -> Samples:
    other = read_as(samples, "PCM_16", "PCM_16", "LITTLE", 1)
    return samples if other is None else np.concatenate((samples[:place], _padded(other, samples.size)[place:]))


def _padded(samples: Samples, length: int) -> Samples:
    return np.pad(samples, (0, max(length - samples.size, 0)))[:length]


def _each_odd_after(audio: Audio, place: int) -> Audio:
    return Audio(np.stack([_odd_after(channel, place) for channel in audio.samples]), audio.rate, audio.name)


def _turned(audio: Audio) -> Audio:
    return Audio(turn_sign(audio.samples), audio.rate, audio.name)


def _in_planes(audio: Audio) -> Audio:
    """Samples that came in turn from channels one after the other."""
    flat = audio.samples.T.ravel()
    return Audio(np.ascontiguousarray(flat.reshape(audio.channels, -1)), audio.rate, audio.name)


def _labelled(audio: Audio, rate: int) -> Audio:
    return Audio(audio.samples, rate, audio.name)


def _apart(audio: Audio) -> Audio:
    """The first channel's samples in two channels, in turn."""
    samples = audio.samples[0]
    return Audio(np.stack([samples[: samples.size // 2 * 2][first::2] for first in (0, 1)]), audio.rate, audio.name)


def roughness(samples: Samples) -> float:
    """Energy of the difference from sample to sample over the energy: 2 for white noise, under 0.5 for most sounds."""
    centred = samples - samples.mean()
    power = float(np.square(centred, dtype=np.float64).sum())
    return float(np.square(np.diff(centred), dtype=np.float64).sum()) / power if power > 0 else np.inf


def read_as(samples: Samples, taken_for: str, subtype: str, order: str, skipped: int) -> Samples | None:
    """The samples of the same bytes read in another way; None where they give no sound.

    taken_for: what the bytes were read as; subtype and order: libsndfile's names of what they are.
    """
    data = _bytes(samples, taken_for)[skipped:]
    width = {"PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4}.get(subtype, 1)
    data = data[: len(data) // width * width]
    made, _ = soundfile.read(
        io.BytesIO(data), samplerate=8000, channels=1, format="RAW", subtype=subtype, endian=order, dtype="float32"
    )
    made = np.where(np.isfinite(made) & (np.abs(made) < 1e3), made, 0.0).astype(np.float32)
    return made if np.any(made) else None


def _bytes(samples: Samples, taken_for: str) -> bytes:
    """The bytes that were read as these samples, full scale 1."""
    if taken_for == "PCM_16":
        return np.clip(np.round(samples * SIXTEEN_BIT), -32768, 32767).astype("<i2").tobytes()
    if taken_for in ("PCM_24", "PCM_32"):
        full = LATTICES[taken_for]
        counts = np.clip(np.rint(samples * np.float64(full)), -full, full - 1).astype("<i4")
        return counts.tobytes() if taken_for == "PCM_32" else counts.view("u1").reshape(-1, 4)[:, :3].tobytes()
    eight = np.clip(np.round(samples * EIGHT_BIT), -128, 127).astype(np.int8)
    return (eight.astype(np.int16) + 128).astype(np.uint8).tobytes() if taken_for == "PCM_U8" else eight.tobytes()
