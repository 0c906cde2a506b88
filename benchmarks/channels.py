"""Is what is done to one channel named, with the channel?  Nine things x stereo sounds x channels x amounts.

    python benchmarks/channels.py [ROUNDS]        # into reports/channels.json; 3 rounds, each with other amounts

The sounds: those of benchmarks/sounds.py and the real ones whose channels differ by more than -40 dB, two made of two
mono ones, and one of 5.1.  The amounts are drawn: 2 to 9 dB, 0.3 to 10 ms, a low-pass at 2 to 5 kHz (linear phase), a
limit at 0.2 to 0.5 of the peak.  Beside them: untouched pairs, copies by codecs, a mono sound in two channels.
Exit status 1 where a target is missed.
"""

from __future__ import annotations

import io
import itertools
import json
import platform
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
import sounds

import diagnose
from diagnose.audio import Audio
from diagnose.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.arrays import Floats

    Change = Callable[[Floats, int, np.random.Generator], Floats]

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
ROUNDS = 3
LEAST_RIGHT = 0.95
STEREO_DB = -40.0
CODECS = {"vorbis": ("OGG", "VORBIS"), "mp3": ("MP3", "MPEG_LAYER_III"), "16 bit": ("WAV", "PCM_16")}


def late(x: Floats, rate: int, rng: np.random.Generator) -> Floats:
    samples = round(10 ** rng.uniform(np.log10(0.0003), -2) * rate)
    return np.pad(x, (samples, 0))[: x.size]


def louder(x: Floats, _rate: int, rng: np.random.Generator) -> Floats:
    return x * 10 ** (rng.choice([-1, 1]) * rng.uniform(2, 9) / 20)


def filtered(x: Floats, rate: int, rng: np.random.Generator) -> Floats:
    spectrum = np.fft.rfft(x)
    spectrum *= 1 / (1 + (np.fft.rfftfreq(x.size, 1 / rate) / rng.uniform(2000, 5000)) ** 16)
    return np.fft.irfft(spectrum, x.size)


def clipped(x: Floats, _rate: int, rng: np.random.Generator) -> Floats:
    most = rng.uniform(0.2, 0.5) * np.abs(x).max()
    return np.clip(x, -most, most)


OF_ONE: dict[str, tuple[Change, str]] = {
    "late": (late, "delay"),
    "inverted": (lambda x, _rate, _rng: -x, "polarity"),
    "louder or softer": (louder, "gain"),
    "filtered": (filtered, "high-frequency-loss"),
    "clipped": (clipped, "clipping"),
    "silent": (lambda x, _rate, _rng: 0 * x, "mono-stereo"),
}
OF_ALL: dict[str, tuple[Callable[[Floats], Floats], str]] = {
    "swapped": (lambda x: np.roll(x, 1, axis=0), "channel-swapped"),
    "all the same": (lambda x: np.repeat(x.mean(axis=0, keepdims=True), len(x), axis=0), "mono-stereo"),
    "sum and difference": (lambda x: np.stack([x.mean(axis=0), (x[0] - x[1]) / 2]), "mono-stereo"),
}


def stereo_sounds() -> dict[str, Audio]:
    """By name; all of those whose channels differ, and what is made of mono ones."""
    every = {name: make() for name, make in sounds.SOUNDS.items()} | sounds.real_sounds(DATA)
    found = {name: sound for name, sound in every.items() if sound.channels == 2 and _differ(sound.samples)}
    for name, (left, right) in {
        "flute and voice": ("flute", "singing_voice"),
        "reed and bass": ("reed_organ", "electric_bass"),
    }.items():
        sides = [every[side].mono for side in (left, right)]
        size = min(side.size for side in sides)
        mixed = np.array([[0.8, 0.3], [0.3, 0.8]]) @ np.stack([side[:size] for side in sides])
        found[name] = Audio(mixed.astype(np.float32), every[left].rate, name)
    names = ("piano_chords", "drum_loop", "hall_ensemble", "church_bell", "brass_swell", "plucked_melody")
    size = min(every[name].length for name in names)
    found["5.1"] = Audio(np.stack([every[name].mono[:size] for name in names]), every[names[0]].rate, "5.1")
    return found


def _differ(samples: Floats) -> bool:
    side, both = np.square(samples[0] - samples[1]).mean(), np.square(samples).mean()
    return bool(10 * np.log10(side / both + 1e-12) > STEREO_DB)


def _broken(sound: Audio, rounds: int) -> list[tuple[str, Audio, str, int | None]]:
    """(what was done, the sound, the right cause, the right channel) of every case of a sound."""
    found: list[tuple[str, Audio, str, int | None]] = []
    for what, (change, cause) in OF_ONE.items():
        for channel, turn in itertools.product(range(min(sound.channels, 2)), range(rounds)):
            rng = np.random.default_rng([channel, turn, *what.encode()])
            samples = sound.samples.astype(np.float64)
            samples[channel] = change(samples[channel], sound.rate, rng)
            found.append((what, _as(sound, samples), cause, channel + 1))
    for what, (mix, cause) in OF_ALL.items():
        if sound.channels == 2 or what != "sum and difference":
            found.append((what, _as(sound, mix(sound.samples)), cause, None))
    return found


def _as(sound: Audio, samples: Floats) -> Audio:
    return Audio(np.ascontiguousarray(samples, np.float32), sound.rate, "generated")


def _coded(sound: Audio, container: str, subtype: str) -> Audio:
    buffer = io.BytesIO()
    soundfile.write(buffer, sound.samples.T, sound.rate, format=container, subtype=subtype)
    buffer.seek(0)
    return _as(sound, soundfile.read(buffer, dtype="float32", always_2d=True)[0].T)


def _untouched(sound: Audio) -> dict[str, tuple[Audio, Audio]]:
    found = {"itself": (sound, sound), "louder": (sound, _as(sound, 1.05 * sound.samples))}
    if sound.channels == 2:
        found |= {name: (sound, _coded(sound, *codec)) for name, codec in CODECS.items()}
        mono = Audio(sound.mono[None], sound.rate, "mono")
        found["mono in two"] = (mono, _as(sound, np.repeat(mono.samples, 2, axis=0)))
    return found


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    right, all_of, wrong, alarms, untouched = Counter[str](), Counter[str](), [], [], 0
    every = stereo_sounds()
    for name, sound in every.items():
        for what, generated, cause, channel in _broken(sound, rounds):
            report = diagnose.compare(sound, generated)
            causes = [(each.id, each.channel) for each in report.causes]
            # Where all channels are made one, which of them is said to hold the mix is left open.
            good = causes[:1] == [(cause, channel)] or (what in OF_ALL and bool(causes) and causes[0][0] == cause)
            all_of[what] += 1
            right[what] += good
            if not good:
                wrong.append(f"{name}, {what}, channel {channel}: {report.verdict}, {causes[:3]}")
        for what, (ours, theirs) in _untouched(sound).items():
            report, untouched = diagnose.compare(ours, theirs), untouched + 1
            said = [row.name for row in report.metrics if row.name in OF_CHANNELS and row.verdict in ("WARN", "FAIL")]
            if said or report.channels:
                alarms.append(f"{name}, {what}: {said}")
    share = sum(right.values()) / sum(all_of.values())
    for what in all_of:
        print(f"{what:20} {right[what]:4} of {all_of[what]:4}")
    print(f"{'in all':20} {sum(right.values()):4} of {sum(all_of.values()):4}: {100 * share:.1f} %")
    print(f"alarms on {untouched} untouched pairs: {len(alarms)}")
    print(*wrong, *alarms, sep="\n")
    found = {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
        "sounds": list(every),
        "right": dict(right),
        "pairs": dict(all_of),
        "share_right": share,
        "untouched": untouched,
        "alarms": alarms,
        "wrong": wrong,
    }
    write_whole(ROOT / "reports" / "channels.json", (json.dumps(found, indent=1) + "\n").encode())
    sys.exit(share < LEAST_RIGHT or bool(alarms))


OF_CHANNELS = (
    *("channel_level_db", "channel_delay_ms", "inverted_channels", "channel_correlation"),
    *("misplaced_channels", "mixed_channels"),
)

if __name__ == "__main__":
    main()
