"""What bad places are measured on: long sounds, what is done to them for a moment, and copies with nothing wrong.

A long sound is one of timeline_cases, tiled among others of its group at levels and after pauses that vary.  Every
random choice comes from a seed that is the name of the case.
"""

from __future__ import annotations

import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
import soxr
import timeline_cases as cases

if TYPE_CHECKING:
    from collections.abc import Callable

    from timeline_edits import Rng, Samples

    Spans = list[tuple[float, float]]
    Broken = tuple[Samples, Spans]

EDGE_S, APART_S = 0.06, 0.5  # of a place from the ends, and from another
SOUNDING_DB = -20.0  # of the loud parts, where a place may lie
MOST_DOWN_DB = 15.0  # of a tile
OWN = 0.6  # share of the tiles that are the sound itself
PAUSES, PAUSE_S = 0.5, (0.05, 0.5)
OPUS_KBPS = 64


def long_sound(name: str, seconds: float) -> tuple[Samples, int]:
    """The sound, tiled, at its rate."""
    rate, rng = cases.all_sounds()[name].rate, cases.seeded(name, "tiles")
    group = cases.chosen("held-out" if cases.is_held_out(name) else "tuning")
    parts: list[Samples] = []
    while sum(part.size for part in parts) < seconds * rate:
        other = name if rng.uniform() < OWN else group[rng.integers(len(group))]
        parts.append(cases.at_rate(other, rate) * np.float32(10 ** (-rng.uniform(0, MOST_DOWN_DB) / 20)))
        if rng.uniform() < PAUSES:
            parts.append(np.zeros(round(rng.uniform(*PAUSE_S) * rate), np.float32))
    return np.concatenate(parts)[: round(seconds * rate)], rate


def sounding_places(samples: Samples, rate: int, count: int, seconds: float, rng: Rng) -> list[int]:
    """Where parts of so many seconds begin that sound within 20 dB of the loud ones, and lie 0.5 s from each other."""
    width, edge = round(seconds * rate), round(EDGE_S * rate)
    summed = np.concatenate(([0.0], np.cumsum(np.square(samples, dtype=np.float64))))
    starts = np.arange(edge, samples.size - width - edge, max(round(0.01 * rate), 1))
    powers = (summed[starts + width] - summed[starts]) / width
    starts = starts[powers > np.quantile(powers, 0.9) * 10 ** (SOUNDING_DB / 10)]
    chosen: list[int] = []
    for start in rng.permutation(starts).tolist():
        if all(abs(start - other) > APART_S * rate + width for other in chosen):
            chosen.append(start)
        if len(chosen) == count:
            break
    return sorted(chosen)


def _spans(starts: list[int], width: int, rate: int) -> Spans:
    return [(start / rate, (start + width) / rate) for start in starts]


# What is wrong for a moment: (samples, rate, generator) -> (samples, [(start, end) in s])


def clicks(samples: Samples, rate: int, rng: Rng, count: int = 3) -> Broken:
    """Single samples that are 0.3 to 0.8 off."""
    made, starts = samples.copy(), sounding_places(samples, rate, count, 0.003, rng)
    made[starts] += (rng.uniform(0.3, 0.8, len(starts)) * rng.choice([-1, 1], len(starts))).astype(np.float32)
    return made, _spans(starts, 1, rate)


def pop(samples: Samples, rate: int, rng: Rng) -> Broken:
    """Half a sine of 2 ms, half as high as the peak to as high."""
    made, width = samples.copy(), round(0.002 * rate)
    starts = sounding_places(samples, rate, 1, 0.003, rng)
    height = rng.uniform(0.5, 1.0) * float(np.abs(samples).max())
    for start in starts:
        made[start : start + width] += (height * np.sin(np.pi * np.arange(width) / width)).astype(np.float32)
    return made, _spans(starts, width, rate)


def wrong_stretch(samples: Samples, rate: int, rng: Rng) -> Broken:
    """20 ms of another place of the sound."""
    made, width = samples.copy(), round(0.02 * rate)
    (start,) = sounding_places(samples, rate, 1, 0.02, rng)
    others = sounding_places(samples, rate, 6, 0.02, rng)
    source = next(other for other in others if abs(other - start) > 2 * width)
    made[start : start + width] = samples[source : source + width]
    return made, _spans([start], width, rate)


def noise_stretch(samples: Samples, rate: int, rng: Rng) -> Broken:
    """20 ms of noise of the power that was there."""
    made, width = samples.copy(), round(0.02 * rate)
    (start,) = sounding_places(samples, rate, 1, 0.02, rng)
    made[start : start + width] = rng.standard_normal(width) * samples[start : start + width].std()
    return made, _spans([start], width, rate)


def holes(samples: Samples, rate: int, rng: Rng, count: int = 10, seconds: float = 0.005) -> Broken:
    """Zeros, where it sounds all that time."""
    made, width = samples.copy(), round(seconds * rate)
    starts = sounding_places(samples, rate, count, seconds, rng)
    for start in starts:
        made[start : start + width] = 0
    return made, _spans(starts, width, rate)


def bursts(samples: Samples, rate: int, rng: Rng, count: int = 13) -> Broken:
    """50 ms of white noise, 0 to 10 dB under the sound's power."""
    made, width = samples.copy(), round(0.05 * rate)
    starts = sounding_places(samples, rate, count, 0.05, rng)
    shape = np.sqrt(np.hanning(width)) * float(np.std(samples))
    for start in starts:
        level = 10 ** (-rng.uniform(0, 10) / 20)
        made[start : start + width] += (level * shape * rng.standard_normal(width)).astype(np.float32)
    return made, _spans(starts, width, rate)


def dips(samples: Samples, rate: int, rng: Rng, count: int = 5) -> Broken:
    """0.7 s that are 16 to 22 dB softer, with flanks of 20 ms."""
    made, width, flank = samples.copy(), round(0.7 * rate), round(0.02 * rate)
    starts = sounding_places(samples, rate, count, 0.7, rng)
    for start in starts:
        low = 10 ** (-rng.uniform(16, 22) / 20)
        shape = np.interp(np.arange(width), [0, flank, width - flank, width], [1, low, low, 1])
        made[start : start + width] *= shape.astype(np.float32)
    return made, _spans(starts, width, rate)


def seams(samples: Samples, rate: int, rng: Rng) -> Broken:
    """Every 0.1 to 0.5 s a chunk begins with 5 ms that are faded in from nothing."""
    made, width = samples.copy(), round(0.005 * rate)
    starts = list(range(round(rng.uniform(0.1, 0.5) * rate), samples.size - width, round(rng.uniform(0.1, 0.5) * rate)))
    for start in starts:
        made[start : start + width] *= np.linspace(0, 1, width, dtype=np.float32)
    return made, _spans(starts, width, rate)


FAULTS: dict[str, Callable[[Samples, int, Rng], Broken]] = {
    "3 clicks": clicks,
    "a pop": pop,
    "20 ms of another place": wrong_stretch,
    "20 ms of noise": noise_stretch,
    "10 holes": holes,
    "13 bursts": bursts,
    "5 dips": dips,
    "seams": seams,
}
PLACED = ("3 clicks", "a pop", "20 ms of another place", "20 ms of noise", "10 holes")  # to 5 ms


# Copies in which nothing is wrong: (samples, rate, generator) -> samples


def through_opus(samples: Samples, rate: int, _rng: Rng) -> Samples:
    """64 kbit/s, by ffmpeg's libopus; Opus runs at 48 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        first, coded, last = (Path(folder) / name for name in ("first.wav", "coded.opus", "last.wav"))
        soundfile.write(first, samples, rate, subtype="FLOAT")
        quiet = ["ffmpeg", "-v", "error", "-i"]
        subprocess.run([*quiet, first, "-c:a", "libopus", "-b:a", f"{OPUS_KBPS}k", coded], check=True)
        subprocess.run([*quiet, coded, "-ar", str(rate), "-c:a", "pcm_f32le", last], check=True)
        made, _ = soundfile.read(last, dtype="float32")
    return _fitted(made, samples.size)


def dithered(samples: Samples, _rate: int, rng: Rng) -> Samples:
    """16 bit with triangular dither."""
    dither = rng.uniform(-0.5, 0.5, samples.size) + rng.uniform(-0.5, 0.5, samples.size)
    return (np.round(samples * 32768 + dither) / 32768).astype(np.float32)


def by_rate(samples: Samples, rate: int, _rng: Rng, through: int) -> Samples:
    """At another rate and back."""
    there = soxr.resample(samples, rate, through)
    return _fitted(soxr.resample(there, through, rate).astype(np.float32), samples.size)


def _fitted(samples: Samples, size: int) -> Samples:
    return np.pad(samples[:size], (0, max(size - samples.size, 0)))


COPIES: dict[str, Callable[[Samples, int, Rng], Samples]] = {
    "Vorbis": lambda samples, rate, _: cases.through_vorbis(samples, rate),
    "MP3": lambda samples, rate, _: cases.through_mp3(samples, rate),
    "Opus": through_opus,
    "dither": dithered,
    "16 bit": lambda samples, _rate, _rng: (np.round(samples * 32768) / 32768).astype(np.float32),
    "48 kHz and back": partial(by_rate, through=48_000),
    "32 kHz and back": partial(by_rate, through=32_000),
}
OTHER_RATE = "at 32 kHz"  # and not back: the generated file has another rate
CONDITIONS = ("clean", "dither", "MP3", "Vorbis", "Opus")


def heard(samples: Samples, rate: int, condition: str, rng: Rng) -> Samples:
    """The broken sound as it reaches the tool."""
    return samples if condition == "clean" else COPIES[condition](samples, rate, rng)


# What fills the quiet of a sound


def through_mu_law(samples: Samples) -> Samples:
    """8 bits, mu-law, by its formula (ITU-T G.711 has steps of nearly these)."""
    scaled = np.sign(samples) * np.log1p(255 * np.minimum(np.abs(samples), 1)) / np.log(256)
    coarse = np.round(scaled * 127) / 127
    return (np.sign(coarse) * (256 ** np.abs(coarse) - 1) / 255).astype(np.float32)


def every_second(samples: Samples, rate: int) -> tuple[Samples, int]:
    """Half the rate without a filter."""
    return samples[::2].copy(), rate // 2
