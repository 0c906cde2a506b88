"""What a repair is asked: six sounds with faults that can be undone, and with those that cannot.

for case in planned("undone", list(every_sound())):
    reference, generated = every_sound()[case.sound], broken(case)
"""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import soundfile
from explaining_cases import FOREIGN_SOUNDS, every_sound, seed_of

from diagnose.audio import Audio
from diagnose.faults import INJECTORS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PARTS = ("undone", "lost")
SEVERITIES = (0.5, 1.0)
# Causes that can be undone, of the faults that the catalogue injects.
UNDONE = (
    *("gain", "dc-offset", "polarity", "tilt", "hum", "frame-rate-hum", "clicks", "delay", "padded", "sample-rate"),
)
WRAPPED_SHARE = 0.02  # of the samples, at severity 1
EDIT_S = 0.03, 0.12
TOGETHER = (("hum_50", "gain_down"), ("polarity", "delay"), ("dc_offset", "gain_up"), ("tilt_dull", "polarity"))


class Case(msgspec.Struct, frozen=True):
    """One sound with one fault, or with several, joined by +."""

    part: str
    sound: str
    fault: str
    severity: float


def planned(part: str, names: Sequence[str]) -> list[Case]:
    """All cases of a part."""
    return [
        Case(part, name, fault, severity)
        for name in every_sound()
        if name in names and name in FOREIGN_SOUNDS
        for fault, severities in _faults(part, every_sound()[name])
        for severity in severities
    ]


def _faults(part: str, sound: Audio) -> list[tuple[str, tuple[float, ...]]]:
    """(fault, its severities) that can happen to the sound."""
    found = [
        (fault.name, SEVERITIES if fault.unit else SEVERITIES[1:])
        for fault in INJECTORS.values()
        if (fault.cause in UNDONE) == (part == "undone") and fault.fits(sound) and not fault.name.startswith("mel_")
    ]
    if part == "lost":
        return found
    found += [(name, SEVERITIES if name in GRADED else SEVERITIES[1:]) for name in OWN]
    found += [(name, SEVERITIES[1:]) for name in OF_STEREO if sound.channels == 2]
    return found + [("+".join(names), SEVERITIES[:1]) for names in TOGETHER]


def broken(case: Case) -> Audio:
    """The sound of a case with its fault."""
    sound = every_sound()[case.sound]
    for name in case.fault.split("+"):
        rng = np.random.default_rng(seed_of(case.sound, name, case.severity))
        own = OWN.get(name) or OF_STEREO.get(name)
        sound = own(sound, case.severity, rng) if own else INJECTORS[name].inject(sound, case.severity, rng)
    return sound


def best(case: Case) -> Audio:
    """What the best repair of it would be: the sound, or what its bytes kept of it."""
    sound = every_sound()[case.sound]
    kept = {"int8_as_uint8": "PCM_S8", "mulaw_as_int8": "ULAW"}.get(case.fault)
    if kept is None:
        return sound
    buffer = io.BytesIO()
    soundfile.write(buffer, sound.samples.T, sound.rate, format="RAW", subtype=kept)
    buffer.seek(0)
    samples, _ = soundfile.read(
        buffer, samplerate=sound.rate, channels=sound.channels, format="RAW", subtype=kept, dtype="float32"
    )
    return Audio(np.atleast_2d(samples.T), sound.rate)


# Faults that the catalogue does not inject


def wrapped(audio: Audio, severity: float, _: np.random.Generator) -> Audio:
    """Too loud for 16 bits, in which what is over full scale comes out at the other end."""
    level = np.quantile(np.abs(audio.samples), 1 - WRAPPED_SHARE * severity)
    steps = np.round(audio.samples.astype(np.float64) / level * 32768)
    return Audio((((steps + 32768) % 65536 - 32768) / 32768).astype(np.float32), audio.rate)


def inserted(audio: Audio, severity: float, rng: np.random.Generator, sounding: bool) -> Audio:
    """Silence, or noise as loud as the sound, put in between."""
    size = round((EDIT_S[0] + severity * (EDIT_S[1] - EDIT_S[0])) * audio.rate)
    level = float(np.std(audio.mono)) if sounding else 0.0
    part = np.broadcast_to(level * rng.standard_normal(size), (audio.channels, size))
    at = _inside(audio, rng)
    made = np.concatenate([audio.samples[:, :at], part, audio.samples[:, at:]], axis=1)
    return Audio(made.astype(np.float32), audio.rate)


def repeated(audio: Audio, severity: float, rng: np.random.Generator) -> Audio:
    """A part that is heard twice."""
    size = round((EDIT_S[0] + severity * (EDIT_S[1] - EDIT_S[0])) * audio.rate)
    at = _inside(audio, rng)
    made = np.concatenate([audio.samples[:, :at], audio.samples[:, at - size :]], axis=1)
    return Audio(made, audio.rate)


def _inside(audio: Audio, rng: np.random.Generator) -> int:
    return round(rng.uniform(0.3, 0.7) * audio.length)


def reread(audio: Audio, *_: object, written: str, read: str, skipped: int = 0) -> Audio:
    """The bytes of samples of one type, read as another; each channel by itself."""
    rows = [_bytes(channel, written)[skipped:] for channel in audio.samples]
    width = np.dtype(read).itemsize
    made = np.stack([np.frombuffer(row[: len(row) // width * width], read) for row in rows])
    scale = 2.0 ** (8 * width - 1)
    return Audio(((made - (128.0 if read == "u1" else 0.0)) / scale).astype(np.float32), audio.rate)


def _bytes(samples: np.ndarray, written: str) -> bytes:
    if written == "mulaw":
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, 8000, format="RAW", subtype="ULAW")
        return buffer.getvalue()
    scale = 2.0 ** (8 * np.dtype(written).itemsize - 1)
    return np.clip(np.round(samples * scale), -scale, scale - 1).astype(written).tobytes()


def one_inverted(audio: Audio, *_: object) -> Audio:
    samples = audio.samples.copy()
    samples[1] *= -1
    return Audio(samples, audio.rate)


def one_louder(audio: Audio, *_: object) -> Audio:
    samples = audio.samples.copy()
    samples[1] *= np.float32(10 ** (6 / 20))
    return Audio(samples, audio.rate)


def swapped(audio: Audio, *_: object) -> Audio:
    return Audio(np.ascontiguousarray(audio.samples[::-1]), audio.rate)


def interleaved(audio: Audio, *_: object) -> Audio:
    """Two channels read as one."""
    return Audio(np.ascontiguousarray(audio.samples.T).reshape(1, -1), audio.rate)


GRADED = ("wrapped", "inserted_silence", "inserted_noise", "repeated")
OWN: dict[str, Callable[[Audio, float, np.random.Generator], Audio]] = {
    "wrapped": wrapped,
    "inserted_silence": partial(inserted, sounding=False),
    "inserted_noise": partial(inserted, sounding=True),
    "repeated": repeated,
    "bytes_swapped": partial(reread, written=">i2", read="<i2"),
    "bytes_odd": partial(reread, written="<i2", read="<i2", skipped=1),
    "int8_as_uint8": partial(reread, written="i1", read="u1"),
    "int16_as_int8": partial(reread, written="<i2", read="u1"),
    "mulaw_as_int8": partial(reread, written="mulaw", read="i1"),
}
OF_STEREO = {
    "one_inverted": one_inverted,
    "one_louder": one_louder,
    "channels_swapped": swapped,
    "channels_interleaved": interleaved,
}
