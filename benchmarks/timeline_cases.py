"""What the timeline is measured on: sounds, the edits that are put into them, and what is done to the copy after.

Sounds are the project's own and the recordings beside it, mono, at most 6 s.  Every random choice comes from a seed
that is the name of the case.
"""

from __future__ import annotations

import io
import os
import zlib
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import soundfile
import sounds
import soxr
import timeline_edits as make

from diagnose import audio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from timeline_edits import Edited, Rng, Samples

    from diagnose.timeline.segment import Span

SHARED = Path(__file__).resolve().parents[2] / "shared"
RECORDINGS = ("1-recording.flac", "2-recording.flac", "e2e-recording.flac")
VOCODERS = ("hifigan-v1", "hifigan-v3", "melgan", "waveglow")
LONGEST_S, LONG_S = 6.0, 4.0  # of a sound; of one that is long enough to see a clock drift
EDIT_S, SHORT_S = (0.05, 0.3), (0.005, 0.05)
ROOM_S, FAR_S = 0.15, 0.5  # between edits; between a part and where it is heard again
PERIOD_S, PART_S, GAP_S = 0.32, 0.02, 0.005
FRACTIONS = (0.1, 0.25, 0.5, 0.75, -0.37, 3.5, -2.81)  # samples
DRIFTS = (20.0, -20.0, 200.0, -200.0)  # ppm
NOISE_DB = -20.0
MP3_KBPS = 128
CLEAN = "clean"
SAME_EVERYWHERE = ("clean", "noise", "mp3")
VOCODED = "vocoder"


class Sound(msgspec.Struct, frozen=True, eq=False):
    """Mono samples [shape=(n,)]; copies: of the same length, by vocoders that were fed its mel spectrogram."""

    samples: Samples
    rate: int
    copies: dict[str, Samples] = {}

    def n(self, seconds: float) -> int:
        """Samples of a time."""
        return round(seconds * self.rate)


def seeded(*names: str) -> Rng:
    """The generator of a case: the same one whenever and wherever it is made."""
    return np.random.default_rng(zlib.crc32("/".join(names).encode()))


# Sounds


@lru_cache(maxsize=1)
def all_sounds() -> dict[str, Sound]:
    """The project's own and, where they are, the real ones."""
    found = {name: Sound(one.mono[: round(LONGEST_S * one.rate)], one.rate) for name, one in _own().items()}
    found |= {name: excerpt(SHARED / "data" / name) for name in sounds.REAL if (SHARED / "data" / name).is_file()}
    paths = [SHARED / "vocoders" / name for name in RECORDINGS]
    return found | {path.name: excerpt(path) for path in paths if path.is_file()}


def _own() -> dict[str, audio.Audio]:
    return {name: synthesise() for name, synthesise in sounds.SOUNDS.items()}


def excerpt(path: Path) -> Sound:
    """At most 6 s from 10 ms before the first sample within 40 dB of the peak; its vocoder copies from there too."""
    whole = audio.read(path)
    level = np.abs(whole.mono)
    first = max(int(np.argmax(level > 0.01 * level.max())) - round(0.01 * whole.rate), 0)
    part = slice(first, first + round(LONGEST_S * whole.rate))
    samples = whole.mono[part].copy()
    others = {name: path.with_name(path.name.replace("recording", name)) for name in VOCODERS}
    copies = {name: audio.read(at).mono[part] for name, at in others.items() if at != path and at.is_file()}
    fitted = {name: np.pad(copy, (0, samples.size - copy.size)) for name, copy in copies.items()}
    return Sound(samples, whole.rate, fitted)


def chosen(group: str) -> list[str]:
    """Names of a group: "all", "tuning", "held-out" (every third)."""
    names = list(all_sounds())
    held = sounds.held_out(names)
    return [name for name in names if group == "all" or (name in held) == (group == "held-out")]


def is_held_out(name: str) -> bool:
    return name in sounds.held_out(list(all_sounds()))


def at_rate(name: str, rate: int) -> Samples:
    """A sound at a rate [shape=(n,)]."""
    sound = all_sounds()[name]
    return sound.samples if sound.rate == rate else soxr.resample(sound.samples, sound.rate, rate).astype(np.float32)


def lengthened(name: str) -> Sound:
    """The sound, and after it the next ones of its group until there are 4 s."""
    sound = all_sounds()[name]
    group = chosen("held-out" if is_held_out(name) else "tuning")
    parts, here = [sound.samples], group.index(name)
    while sum(part.size for part in parts) < sound.n(LONG_S):
        here = (here + 1) % len(group)
        parts.append(at_rate(group[here], sound.rate))
    return Sound(np.concatenate(parts)[: sound.n(LONGEST_S)], sound.rate)


# Edits: (name of the sound, generator) -> pair


def _lengths(sound: Sound, rng: Rng, count: int, between: tuple[float, float]) -> list[int]:
    return [sound.n(rng.uniform(*between)) for _ in range(count)]


def _spans(sound: Sound, rng: Rng, count: int, between: tuple[float, float] = EDIT_S) -> list[Span]:
    return make.spread(rng, sound.samples.size, _lengths(sound, rng, count, between), sound.n(ROOM_S))


def _regular(sound: Sound, rng: Rng, part_s: float) -> list[Span]:
    return make.regular(rng, sound.samples.size, sound.n(part_s), sound.n(PERIOD_S))


def lost(name: str, rng: Rng, count: int = 1, between: tuple[float, float] = EDIT_S) -> Edited:
    sound = all_sounds()[name]
    return make.cut_parts(sound.samples, _spans(sound, rng, count, between))


def lost_regularly(name: str, rng: Rng) -> Edited:
    sound = all_sounds()[name]
    return make.cut_parts(sound.samples, _regular(sound, rng, PART_S), sound.n(PERIOD_S) - sound.n(PART_S))


def inserted(name: str, rng: Rng, count: int = 1, between: tuple[float, float] = EDIT_S) -> Edited:
    sound = all_sounds()[name]
    places = [start for start, _ in _spans(sound, rng, count, between)]
    return make.insert_silence(sound.samples, places, _lengths(sound, rng, count, between))


def inserted_regularly(name: str, rng: Rng) -> Edited:
    sound = all_sounds()[name]
    places, gap = [start for start, _ in _regular(sound, rng, GAP_S)], sound.n(GAP_S)
    return make.insert_silence(sound.samples, places, [gap] * len(places), sound.n(PERIOD_S) + gap)


def repeated(name: str, rng: Rng, count: int = 1, between: tuple[float, float] = EDIT_S) -> Edited:
    sound = all_sounds()[name]
    return make.stutter(sound.samples, _spans(sound, rng, count, between))


def repeated_regularly(name: str, rng: Rng) -> Edited:
    sound = all_sounds()[name]
    return make.stutter(sound.samples, _regular(sound, rng, PART_S), sound.n(PERIOD_S) + sound.n(PART_S))


def repeated_from_afar(name: str, rng: Rng) -> Edited:
    """A part that lies at least 0.5 s before or after where it is heard again; 0.2 s in a sound of under 2 s."""
    sound = all_sounds()[name]
    size, far = sound.samples.size, sound.n(FAR_S if sound.samples.size > sound.n(2) else 0.2)
    length, place = sound.n(rng.uniform(0.1, 0.3)), int(rng.integers(size // 5, size - size // 5))
    starts = np.arange(size - length)
    starts = starts[(starts + length <= place - far) | (starts >= place + far)]
    start = int(rng.choice(starts))
    return make.play_again(sound.samples, place, (start, start + length))


def foreign(name: str, rng: Rng) -> Edited:
    """0.1 to 0.3 s of the next sound of the list, where it sounds, at the reference's RMS."""
    sound, names = all_sounds()[name], list(all_sounds())
    other = at_rate(names[(names.index(name) + 1) % len(names)], sound.rate)
    length = sound.n(rng.uniform(0.1, 0.3))
    starts = range(0, other.size - length, length // 4)
    powers = np.array([np.mean(np.square(other[start : start + length])) for start in starts])
    start = int(rng.choice(np.flatnonzero(powers > 0.1 * powers.max()))) * (length // 4)
    part = other[start : start + length]
    level = np.std(sound.samples) / np.std(part)
    place = int(rng.integers(sound.samples.size // 10, sound.samples.size - sound.samples.size // 10))
    return make.insert_sound(sound.samples, place, (part * level).astype(np.float32))


def ends_cut(name: str, rng: Rng) -> Edited:
    sound = all_sounds()[name]
    most = 0.2 * sound.samples.size
    first, last = (int(min(length, most)) for length in _lengths(sound, rng, 2, EDIT_S))
    return make.cut_ends(sound.samples, first, last)


def drifting(name: str, _rng: Rng, ppm: float) -> Edited:
    return make.drift_by(lengthened(name).samples, ppm)


def delayed(name: str, rng: Rng, delay: float | None = None) -> Edited:
    sound = all_sounds()[name]
    return make.delay_by(sound.samples, float(rng.choice(FRACTIONS)) if delay is None else delay, sound.rate)


def warped(name: str, rng: Rng) -> Edited:
    sound = lengthened(name)
    return make.warp(sound.samples, make.smooth_map(sound.samples.size, sound.rate, rng), sound.rate)


EDITS: dict[str, Callable[[str, Rng], Edited]] = {
    "lost once": lost,
    "lost five times": partial(lost, count=5),
    "lost periodically": lost_regularly,
    "silence once": inserted,
    "silence five times": partial(inserted, count=5),
    "silence periodically": inserted_regularly,
    "repeated once": repeated,
    "repeated five times": partial(repeated, count=5),
    "repeated periodically": repeated_regularly,
    "repeated from afar": repeated_from_afar,
    "foreign sound": foreign,
    "ends cut": ends_cut,
    "drift 20 ppm": partial(drifting, ppm=20.0),
    "drift 200 ppm": partial(drifting, ppm=200.0),
    "delay of a fraction": delayed,
    "warped": warped,
}
SHORT: dict[str, Callable[[str, Rng], Edited]] = {
    "lost, short": partial(lost, between=SHORT_S),
    "silence, short": partial(inserted, between=SHORT_S),
    "repeated, short": partial(repeated, between=SHORT_S),
}
PRECISE: dict[str, Callable[[str, Rng], Edited]] = {
    **{f"delay {delay:+g}": partial(delayed, delay=delay) for delay in FRACTIONS},
    **{f"drift {ppm:+g}": partial(drifting, ppm=ppm) for ppm in DRIFTS},
}
WARPS: dict[str, Callable[[str, Rng], Edited]] = {f"map {index}": warped for index in (1, 2)}
NO_PLAN = ("drift", "delay", "warped", "foreign")  # what is made by another way than moving parts of one sound


@lru_cache(maxsize=2)
def pair_of(sound: str, edit: str) -> Edited:
    """The pair of a case before its condition."""
    return {**EDITS, **SHORT, **PRECISE, **WARPS}[edit](sound, seeded(sound, edit))


# Conditions: what is done to the generated sound


def heard(pair: Edited, case: Sequence[str], rate: int) -> Samples:
    """The generated sound as it reaches the tool; case: sound, edit, condition."""
    condition, _, copy = case[2].partition(" ")
    if condition == "noise":
        return with_noise(pair.generated, seeded(*case))
    if condition == "mp3":
        return through_mp3(pair.generated, rate)
    if condition == VOCODED:
        return by_vocoder(pair, all_sounds()[case[0]].copies[copy])
    return pair.generated


def by_vocoder(pair: Edited, copy: Samples) -> Samples:
    """The same script carried out on a vocoder's copy of the reference."""
    made = np.zeros_like(pair.generated)
    for one in pair.truth.segments:
        source = one.source or one.reference
        if one.kind in ("matched", "repeated"):
            made[slice(*one.generated)] = copy[slice(*source)]
    return made


def with_noise(samples: Samples, rng: Rng) -> Samples:
    """White noise 20 dB under the sound's power."""
    level = np.sqrt(np.mean(np.square(samples, dtype=np.float64))) * 10 ** (NOISE_DB / 20)
    return (samples + level * rng.standard_normal(samples.size)).astype(np.float32)


def through_mp3(samples: Samples, rate: int) -> Samples:
    """128 kbit/s; what is written says the encoder's delay, and libsndfile takes it off: same length, no delay.

    libsndfile's bit rate is the highest of the format less compression_level of the range.
    """
    low, high = (8, 160) if rate < 32_000 else (32, 320)  # MPEG-2 and MPEG-1, layer III
    file = io.BytesIO()
    settings = {"bitrate_mode": "CONSTANT", "compression_level": (high - MP3_KBPS) / (high - low)}
    soundfile.write(file, samples, rate, format="MP3", subtype="MPEG_LAYER_III", **settings)
    return _decoded(file, samples.size)


def through_vorbis(samples: Samples, rate: int) -> Samples:
    """Quality 6 of 10."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="OGG", subtype="VORBIS", compression_level=0.4)
    return _decoded(file, samples.size)


def _decoded(file: io.BytesIO, size: int) -> Samples:
    file.seek(0, os.SEEK_SET)
    samples, _ = soundfile.read(file, dtype="float32")
    assert samples.size == size, "the codec's delay is not taken off"
    return samples


# Copies in which nothing is edited: (samples, rate, generator) -> samples


def low_passed(samples: Samples, rate: int, _rng: Rng) -> Samples:
    """Nothing from 4 kHz on, everything to 3.6 kHz, no delay."""
    hz = np.fft.rfftfreq(samples.size, 1 / rate)
    gain = np.clip((4000 - hz) / 400, 0, 1)
    return np.fft.irfft(np.fft.rfft(samples) * gain, samples.size).astype(np.float32)


def resampled(samples: Samples, rate: int, _rng: Rng) -> Samples:
    """To three quarters of the rate and back."""
    there = soxr.resample(samples, rate, 0.75 * rate)
    back = soxr.resample(there, 0.75 * rate, rate).astype(np.float32)[: samples.size]
    return np.pad(back, (0, samples.size - back.size))


def clipped(samples: Samples, _rate: int, _rng: Rng) -> Samples:
    """At 6 dB under the peak."""
    most = 0.5 * float(np.abs(samples).max())
    return np.clip(samples, -most, most)


WHOLE_DELAY = "whole delay"
COPIES: dict[str, Callable[[Samples, int, Rng], Samples]] = {
    "gain": lambda samples, _, rng: samples * np.float32(10 ** (rng.uniform(-20, 6) / 20)),
    "polarity": lambda samples, _rate, _rng: -samples,
    "MP3": lambda samples, rate, _: through_mp3(samples, rate),
    "Vorbis": lambda samples, rate, _: through_vorbis(samples, rate),
    "noise 20 dB": lambda samples, _, rng: with_noise(samples, rng),
    "16 bit": lambda samples, _rate, _rng: (np.round(samples * 32768) / 32768).astype(np.float32),
    "low-pass 4 kHz": low_passed,
    WHOLE_DELAY: lambda samples, rate, rng: np.pad(samples, (round(rng.uniform(0.01, 0.5) * rate), 0)),
    "resampled": resampled,
    "clipped": clipped,
}
