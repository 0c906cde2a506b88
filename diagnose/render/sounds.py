"""The sounds of a page: FLAC where it fits, Ogg Vorbis where it does not; and the null signal.

Vorbis and not Opus: libsndfile's Opus takes 0.33 s of a core for 10 s of sound (Vorbis 0.06 to 0.11), resamples all to
48 kHz and takes the DC away, which is what a page about a broken sound has to keep.
"""

from __future__ import annotations

import io
import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import soundfile

from diagnose.analysis.moments import moments
from diagnose.audio import BLOCK, Audio, blocks, encode, resample
from diagnose.render import draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.analysis import Pair
    from diagnose.results.report import Report

LONGEST_PLAYED_S = 600.0
NULL_S = 60.0  # of a longer sound, the null signal of its worst minute
LEAST_BYTES, MOST_BYTES = 540_000, 5_600_000  # of all sounds of a page before base64: 1 MB a page, and 8 MB
BYTES_PER_S = LEAST_BYTES / 10
FLAC_TRIED_S = 100.0  # beyond this no FLAC is under MOST_BYTES but silence's
FLAC_TRIED = 1.5  # of the budget, by the guess from a tenth: a sound may be silent elsewhere
FAINT_DB = -20.0  # a null signal under this, of the reference's power, is raised to it
MOST_RAISED_DB = 60.0
NOTHING = 1e-12  # of the reference's power, -120 dB: what rounding leaves, and a file of 16 bits does not hold
VORBIS_HIGHEST_HZ = 48_000


class Player(msgspec.Struct, frozen=True):
    """A sound to listen to.  note: what was changed so that a browser can play it; gain: by what factor."""

    label: str
    uri: str
    note: str
    gain: float = 1.0


class Coding(msgspec.Struct, frozen=True):
    """How a page's sounds are kept.  level: libsndfile's compression of Vorbis, 0 to 1; None for FLAC.

    fixed, slope: at most fixed + slope * rate bytes a second and channel, measured on white noise, 8 to 48 kHz.
    """

    level: float | None
    highest_hz: int
    most_channels: int
    fixed: float = 0.0
    slope: float = 0.0

    def most_bytes(self, sounds: Sequence[Audio]) -> float:
        """Bytes of all sounds, at most."""
        return sum(
            min(sound.channels, self.most_channels)
            * sound.duration_s
            * (self.fixed + self.slope * min(sound.rate, self.highest_hz))
            for sound in sounds
        )


FLAC = Coding(None, 384_000, 2)
VORBIS = (
    Coding(0.5, VORBIS_HIGHEST_HZ, 2, 1800, 0.23),
    Coding(0.65, VORBIS_HIGHEST_HZ, 2, 1950, 0.19),
    Coding(0.8, VORBIS_HIGHEST_HZ, 2, 2100, 0.16),
    Coding(0.8, VORBIS_HIGHEST_HZ, 1, 2100, 0.16),
    Coding(1.0, 24_000, 1, 2600, 0.10),
    Coding(1.0, 16_000, 1, 2600, 0.10),
)


class Null(msgspec.Struct, frozen=True):
    """Reference minus generated, aligned, at one gain and polarity.  player: None where nothing is left.

    level_db: its power over the reference's, both without their means.
    """

    player: Player | None
    level_db: float | None
    note: str


class Sounds(msgspec.Struct, frozen=True):
    """What a page plays, and where it lies on the time axis of its pictures (the overlap).

    begin_s: the overlap's start in the reference, in s; delay_s: the same place of the generated sound is this much
    later.  match_db: gain of the generated sound at which both are as loud.  coding: what was done to all, in words.
    repaired: the generated sound with what can be undone undone, where there is one.
    """

    players: tuple[Player, Player]
    null: Null
    begin_s: float
    delay_s: float
    seconds: float
    match_db: float
    matched_by: str
    coding: str
    repaired: Player | None = None


def player(label: str, sound: Audio) -> Player:
    """FLAC of the sound, up to 10 min; only what would clip is turned down."""
    return _player(label, sound, FLAC)


def sounds_of(report: Report, pair: Pair) -> Sounds:
    """Both sounds at the rate of the comparison and their null signal, all in one coding: it favours neither."""
    left = _null_signal(pair)
    raised, left_db = _raised_db(left, pair)
    parts = [("Reference", _cut(pair.reference.audio)), ("Generated", _cut(pair.generated.audio))]
    if left_db is not None:
        parts.append(("Null signal", Audio(left.samples * np.float32(10 ** (raised / 20)), left.rate)))
    if report.repaired is not None:
        parts.append(("Repaired", _cut(resample(report.repaired, pair.rate))))
    (reference, generated, *rest), coding = _players(parts)
    match_db, matched_by = _match(report)
    delay = pair.timeline.delay / pair.rate
    return Sounds(
        players=(reference, generated),
        null=Null(rest[0] if left_db is not None else None, left_db, _null_note(pair, left, raised)),
        begin_s=pair.to_reference_s(0.0),
        delay_s=delay,
        seconds=pair.overlap[0].size / pair.rate,
        match_db=match_db,
        matched_by=matched_by,
        coding=_said(coding, pair),
        repaired=rest[-1] if report.repaired is not None else None,
    )


def _cut(sound: Audio) -> Audio:
    """Up to 10 min, and two channels: of more, their mean."""
    length = int(LONGEST_PLAYED_S * sound.rate)
    samples = sound.mono[None] if sound.channels > 2 else sound.samples
    return Audio(samples[:, :length], sound.rate, sound.name)


def _players(parts: Sequence[tuple[str, Audio]]) -> tuple[list[Player], Coding]:
    """FLAC where all fit, then the best Vorbis that does; the smallest is taken whatever it needs."""
    longest = max(sound.duration_s for _, sound in parts)
    budget = min(max(BYTES_PER_S * longest, LEAST_BYTES), MOST_BYTES)
    if longest <= FLAC_TRIED_S and _flac_bytes([sound for _, sound in parts]) <= FLAC_TRIED * budget:
        made = _coded(parts, FLAC)
        if sum(len(each.uri) for each in made) * 3 / 4 <= budget:
            return made, FLAC
    coding = _vorbis_within(budget, [sound for _, sound in parts])
    return _coded(parts, coding), coding


def _flac_bytes(sounds: Sequence[Audio]) -> float:
    """What FLAC would take, from the middle tenth of each sound."""
    total = 0
    for sound in sounds:
        middle = slice(9 * sound.length // 20, 11 * sound.length // 20 + 1)
        total += len(encode(Audio(sound.samples[:, middle], sound.rate), "FLAC"))
    return 10.0 * total


def _vorbis_within(budget: float, sounds: Sequence[Audio]) -> Coding:
    return next((coding for coding in VORBIS if coding.most_bytes(sounds) <= budget), VORBIS[-1])


def _coded(parts: Sequence[tuple[str, Audio]], coding: Coding) -> list[Player]:
    """Each in a thread of its own: libsndfile needs no lock of Python's."""
    with ThreadPoolExecutor(len(parts)) as threads:
        return list(threads.map(lambda part: _player(part[0], part[1], coding), parts))


def _player(label: str, sound: Audio, coding: Coding) -> Player:
    played, gain = _limited(_cut(sound))
    notes = []
    if played.length < sound.length:
        notes.append(f"the first {LONGEST_PLAYED_S:g} s of {sound.duration_s:.0f} s")
    if gain < 1:
        notes.append(f"reduced by {-20 * math.log10(gain):.1f} dB to avoid clipping")
    if coding.level is None:
        uri = draw.data_uri("audio/flac", encode(played, "FLAC"))
    else:
        uri = draw.data_uri("audio/ogg", _vorbis(_narrowed(played, coding), coding.level))
    return Player(label, uri, "; ".join(notes), gain)


def _limited(sound: Audio) -> tuple[Audio, float]:
    """The sound within full scale, and the factor that brought it there."""
    peak = max(float(np.abs(sound.samples[:, part]).max()) for part in blocks(sound.length))
    if peak <= 1:
        return sound, 1.0
    return Audio(sound.samples / np.float32(peak), sound.rate, sound.name), 1 / peak


def _narrowed(sound: Audio, coding: Coding) -> Audio:
    if sound.channels > coding.most_channels:
        sound = Audio(sound.mono[None], sound.rate, sound.name)
    return resample(sound, coding.highest_hz) if sound.rate > coding.highest_hz else sound


def _vorbis(sound: Audio, level: float) -> bytes:
    """Ogg Vorbis, written block by block: libsndfile keeps a whole write on its stack."""
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer, "w", sound.rate, sound.channels, "VORBIS", format="OGG", compression_level=level
    ) as file:
        for part in blocks(sound.length, BLOCK // 8):
            file.write(np.ascontiguousarray(sound.samples[:, part].T))
    return buffer.getvalue()


def _said(coding: Coding, pair: Pair) -> str:
    """What was done to every sound of the page, for whoever listens."""
    if coding.level is None:
        return f"FLAC, 16 bits, at {pair.rate} Hz, the rate of the comparison."
    changes = [f"at {min(coding.highest_hz, pair.rate)} Hz"]
    if coding.most_channels == 1:
        changes.append("the mean of the channels")
    said = f"Ogg Vorbis, {', '.join(changes)}; with FLAC the page would be too large."
    return f"{said} All sounds are coded in the same way. For critical listening, use the files."


def _match(report: Report) -> tuple[float, str]:
    """(gain of the generated sound in dB, by what) at which both are heard as loud.

    By integrated loudness (BS.1770), a mono file against a stereo one as played on both sides; where there is none
    (under 400 ms, or silence), by the gain of the alignment, which leaves the bias out.
    """
    row = next((row for row in report.metrics if row.name == "loudness_lufs"), None)
    if row is None or row.reference is None or row.generated is None:
        return -report.alignment.gain_db, "RMS without DC"
    return row.reference - row.generated, "integrated loudness, BS.1770"


def _null_signal(pair: Pair) -> Audio:
    """a(t) - b(t) / (polarity gain), both without their means, on the overlap; its worst minute where it is longer."""
    part = pair.worst_stretch(int(NULL_S * pair.rate))
    ours, theirs = (side[part] - np.float32(mean) for side, mean in zip(pair.overlap, pair.means, strict=True))
    turned = (pair.timeline.polarity or 1) * pair.gain
    return Audio((ours - theirs / np.float32(turned))[None], pair.rate, "null signal")


def _raised_db(left: Audio, pair: Pair) -> tuple[float, float | None]:
    """(gain in dB at which the null signal is heard, its level over the reference's in dB; None where none is left)."""
    power, whole = moments(left.mono).mean_square, pair.reference.moments.variance
    if power <= NOTHING * whole:
        return 0.0, None
    level = 10 * math.log10(power / whole)
    return min(max(FAINT_DB - level, 0.0), MOST_RAISED_DB), level


def _null_note(pair: Pair, left: Audio, raised: float) -> str:
    notes = []
    if left.length < pair.overlap[0].size:
        start = pair.worst_stretch(left.length).start / pair.rate
        notes.append(f"its worst {NULL_S:g} s, from {start:.1f} s")
    if raised:
        notes.append(f"amplified by {raised:.0f} dB")
    return "; ".join(notes)
