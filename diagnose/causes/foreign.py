"""Bytes that are no sound, and were played as samples: headers, tags and text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from diagnose.results.cause import Cause, cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.audio import Audio
    from diagnose.causes.evidence import Evidence

# What files begin with, and what is written into them, in bytes that an hour of sound has by chance once in 1000 hours.
KNOWN = {
    "a WAV header": rb"RIFF.{4}WAVE|WAVEfmt |fmt \x10\x00\x00\x00",
    "an AIFF header": rb"FORM.{4}AIF[FC]",
    "an Ogg page": rb"OggS\x00[\x00-\x07]",
    "a FLAC header": rb"fLaC\x00\x00\x00\x22",
    "an ID3 tag": rb"ID3[\x02-\x04]\x00[\x00\x40\x80]",
    "an MP4 header": rb"ftyp(?:M4A|isom|mp42|dash)",
    "a Matroska header": rb"\x1a\x45\xdf\xa3.{0,40}(?:webm|matroska)",
    "an HTTP header": rb"HTTP/1\.[01] \d\d\d|Content-(?:Type|Length): ",
    "text": rb"[\t\r\n\x20-\x7e]{48,}",
}
FULL_SCALE = 32768.0
BLOCK, OVERLAP = 1 << 20, 1 << 10  # frames that are looked at together, and of them those that the next has too
TEXT_VARIES = 12  # other characters, at least, of a text: samples at one level are a run of few
LETTERS = 0.6  # share of a text that is letters and spaces
# From each byte to the next of the same kind in that channel.  A sound's upper bytes go from end to end of the 95
# printable ones in the 24 samples of the shortest text, at most, or its lower bytes would not be printable; a text's
# are as far apart as its lower ones: 9 and more.
LEAST_STEP = 95 / 24
LISTED = 3


def foreign_data(e: Evidence) -> Cause | None:
    """A header, a tag or text stands in the generated samples, read as 16-bit integers, and not in the reference.

    Misleads: nothing known; by chance, samples spell such a mark once in 10**18.
    """
    audio = e.pair.files[1].audio
    found = sorted(found_in(audio))
    if not found:
        return None
    before = {what for _, what, _ in found_in(e.pair.files[0].audio)}
    new = [each for each in found if each[1] not in before]
    if not new:
        return None
    seconds = [at / audio.rate for at, _, _ in new]
    first = new[0]
    places = f" and at {len(new) - 1} more places" if len(new) > 1 else ""
    return cause(
        "foreign-data",
        1.0,
        f"{first[1]} is played as samples at {seconds[0]:.3f} s{places}",
        [
            f"the bytes of the samples there read: {first[2]!r}",
            *([f"at {', '.join(f'{at:.3f}' for at in seconds[:LISTED])} s"] if len(new) > 1 else []),
        ],
        "decode each chunk (soundfile.read(io.BytesIO(chunk))), or skip its header; join samples, not files",
    )


def found_in(audio: Audio) -> Iterator[tuple[int, str, str]]:
    """(frame, what it is, the first characters) of each mark in the bytes of the samples as 16-bit integers."""
    seen: set[tuple[int, str]] = set()
    for start in range(0, audio.length, BLOCK):
        part = audio.samples[:, start : start + BLOCK + OVERLAP].T.ravel() * np.float32(FULL_SCALE)
        data = np.clip(np.rint(part), -FULL_SCALE, FULL_SCALE - 1).astype("<i2").tobytes()
        for at, what, text in sorted(_marks(data, audio.channels)):
            frame = start + at // (2 * audio.channels)
            if (frame, what) not in seen:  # what lies in the overlap is found twice
                seen.add((frame, what))
                yield frame, what, text


def _marks(data: bytes, channels: int) -> Iterator[tuple[int, str, str]]:
    """(byte, what it is, the first characters) of each mark."""
    for what, pattern in KNOWN.items():
        for match in re.finditer(pattern, data, re.DOTALL):
            if what != "text" or _is_text(match.group(), channels):
                yield match.start(), what, match.group()[:16].decode("latin-1")


def _is_text(characters: bytes, channels: int) -> bool:
    letters = sum(chr(each).isalpha() or each == 0x20 for each in characters)
    wordy = len(set(characters)) >= TEXT_VARIES and letters >= LETTERS * len(characters)
    return wordy and not _is_smooth(characters, channels)


def _is_smooth(characters: bytes, channels: int) -> bool:
    """Whether every second byte hardly moves: the upper bytes of a sound whose lower ones happen to be printable."""
    codes = np.frombuffer(characters, np.uint8).astype(np.int16)
    steps = np.abs(codes[2 * channels :] - codes[: -2 * channels])
    return steps.size > 1 and min(float(steps[half::2].mean()) for half in (0, 1)) < LEAST_STEP
