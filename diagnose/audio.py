"""Audio: float32 samples of shape (channels, n) at an integer rate, checked once where they enter."""

from __future__ import annotations

import io
import os
import stat
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import numpy as np
import soundfile
import soxr

from diagnose.arrays import as_array
from diagnose.broken import mended
from diagnose.errors import InputError
from diagnose.text import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from diagnose.broken import Broken

    Samples = NDArray[np.float32]
    Source: TypeAlias = "str | os.PathLike[str] | ArrayLike | Audio"

LOWEST_RATE_HZ = 2_000
HIGHEST_RATE_HZ = 384_000
MOST_CHANNELS = 64
# 2**30 float32 values are 4 GiB: over six hours of mono at 44,100 Hz.  A header may claim more than
# a file holds, and the array is allocated before the first sample is read.
MOST_VALUES = 2**30
CONTAINERS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG"}
LOUDEST = 1e6  # 120 dB over full scale: not a sound but another unit
UNKNOWN_LENGTH = 2**62  # libsndfile gives the largest count there is for a length it does not know
SHAPES = "(n,) or (channels, n)"
LONGEST_NAME = 100  # characters of it that repr shows
BLOCK = 1 << 18  # samples a step wherever a whole signal is walked: bounds every temporary array


class Audio(msgspec.Struct, frozen=True, eq=False, dict=True):
    """One sound.

    samples: float32 [shape=(channels, n)], full scale is 1.0, every value finite, n >= 1.
    rate: sampling rate in Hz, 2,000 to 384,000.
    name: what to call it in a report: the path it was read from, or a word.
    sha256: of the bytes of the file it was read from, in hexadecimal; None for an array.
    broken: what was NaN or infinite in it and was filled, where it was read with mend=True; None of a sound that was
    finite.
    """

    samples: Samples
    rate: int
    name: str = "array"
    sha256: str | None = None
    broken: Broken | None = None

    def __repr__(self) -> str:
        """What it is, without its samples: Audio(violin.wav, 44100 Hz, 2 channels, 0.949 s)."""
        channels = "1 channel" if self.channels == 1 else f"{self.channels} channels"
        return f"Audio({shortened(self.name, LONGEST_NAME)}, {self.rate} Hz, {channels}, {self.duration_s:.3f} s)"

    @property
    def channels(self) -> int:
        return int(self.samples.shape[0])

    @property
    def length(self) -> int:
        """Number of samples in each channel."""
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        return self.length / self.rate

    @cached_property
    def mono(self) -> Samples:
        """The mean of the channels [shape=(n,)]; a view, not a copy, where there is one channel."""
        if self.channels == 1:
            return self.samples[0]
        mix = np.empty(self.length, np.float32)
        for part in blocks(self.length):
            self.samples[:, part].mean(axis=0, out=mix[part])
        return mix


def blocks(length: int, size: int = BLOCK) -> Iterator[slice]:
    """Slices that cover 0..length in steps of size: 10, 4 -> 0:4 4:8 8:10."""
    return (slice(start, min(start + size, length)) for start in range(0, length, size))


def read(path: str | os.PathLike[str], *, mend: bool = False) -> Audio:
    """Read any format libsndfile knows (WAV, FLAC, Ogg Vorbis and Opus, MP3, AIFF, ...).

    mend: fill samples that are NaN or infinite, and say in .broken where they were (diagnose/broken.py).
    Raises InputError, in one line that begins with the path, for what is not a readable sound; without mend, for one
    that is not finite too.
    """
    name = os.fspath(path)
    try:
        mode = os.stat(name).st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"{name}: is a directory; give an audio file")
        if not stat.S_ISREG(mode):  # opening a pipe nobody writes to would wait for ever
            raise InputError(f"{name}: is not a regular file; write the sound to a file first")
        with open(name, "rb") as file:
            samples, rate = _decode(file, name)
            digest = _sha256(file)
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or error}") from None
    except ValueError as error:  # a null byte in the path
        raise InputError(f"{name}: not a path ({error})") from None
    return msgspec.structs.replace(_checked(samples, rate, name, mend), sha256=digest)


def _decode(file: io.BufferedReader, name: str) -> tuple[Samples, int]:
    if os.fstat(file.fileno()).st_size == 0:
        raise InputError(f"{name}: the file is empty (0 bytes)")
    try:
        # By its descriptor: given the object, libsndfile calls back into Python for every read, and a Ctrl-C that
        # comes in such a call is lost.
        with soundfile.SoundFile(file.fileno(), closefd=False) as sound:
            if sound.frames > UNKNOWN_LENGTH:
                return _read_to_the_end(file, name), sound.samplerate
            _check_shape(sound.channels, sound.frames, sound.samplerate, name)
            return sound.read(dtype="float32", always_2d=True).T, sound.samplerate
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        # TypeError: libsndfile takes a file named *.raw for headerless data and asks for its rate.
        why = getattr(error, "error_string", str(error)).strip().rstrip(".")
        hint = "use WAV, FLAC, Ogg, MP3 or AIFF"
        raise InputError(f"{name}: not a readable audio file ({why}); {hint}") from None


def _sha256(file: io.BufferedReader) -> str:
    """Of the file that was decoded, through the same handle: the path may name another one by now."""
    import hashlib

    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


class _Stream(soundfile.SoundFile):  # type: ignore[misc]
    """A file of which libsndfile does not know the length, and in which it therefore cannot seek."""

    def seekable(self) -> bool:
        return False


def _read_to_the_end(file: io.BufferedReader, name: str) -> Samples:
    """FLAC as an encoder leaves it that writes into a pipe, with no length in its header."""
    file.seek(0)
    with _Stream(file) as sound:
        parts = [np.zeros((0, sound.channels), np.float32)]
        while (part := sound.read(BLOCK, dtype="float32", always_2d=True)).size:
            parts.append(part)
            _check_shape(sound.channels, sum(map(len, parts)), sound.samplerate, name)
    return np.concatenate(parts).T


def from_array(array: ArrayLike, rate: float, name: str = "array", *, mend: bool = False) -> Audio:
    """Audio from a mono [shape=(n,)] or multichannel [shape=(channels, n)] array or tensor, full scale 1.

    Integers are refused, for their full scale is not known; what float32 cannot hold counts as infinite.  mend, and
    InputError: as of read().
    """
    values = as_array(array, name, SHAPES, MOST_VALUES)
    if values.dtype.kind != "f":
        raise InputError(f"{name}: dtype {values.dtype}, not floating point; scale it to -1..1 first")
    if values.ndim not in (1, 2):
        raise InputError(f"{name}: shape {values.shape}; expected {SHAPES}")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is seen below
        values = np.atleast_2d(values).astype(np.float32, copy=False)
    if values.shape[0] > 100 * max(values.shape[1], 1):
        raise InputError(f"{name}: shape {values.shape}; expected (channels, n), so transpose it")
    whole = int(rate) if isinstance(rate, float) and rate.is_integer() else rate
    _check_shape(values.shape[0], values.shape[1], whole, name)
    return _checked(values, int(whole), name, mend)


def load(source: Source, rate: int | None = None, name: str = "array", *, mend: bool = False) -> Audio:
    """Audio from a path, an array or a tensor (which need their rate in Hz), or Audio as it is.

    name: of an array, in messages.  mend: as of read(); without it a sound that was mended is refused too.
    Raises InputError.
    """
    if isinstance(source, Audio):
        if source.broken is not None and not mend:
            raise _non_finite(source.name, source.broken.first_s)
        return source
    if isinstance(source, str | os.PathLike):
        return read(source, mend=mend)
    if rate is None:
        raise InputError(f"{name}: an array has no sampling rate; pass rate=")
    return from_array(source, rate, name, mend=mend)


def resample(audio: Audio, rate: int) -> Audio:
    """The same sound at another rate (soxr, high quality: flat to 0.91 of the lower Nyquist, -120 dB images)."""
    if rate == audio.rate:
        return audio
    _check_rate(rate, audio.name)
    # soxr keeps no delay: sample k of the result lies at time k / rate.
    resampled = soxr.resample(audio.samples.T, audio.rate, rate)
    if resampled.shape[0] == 0:
        raise InputError(f"{audio.name}: {audio.length} samples at {audio.rate} Hz give no sample at {rate} Hz")
    return Audio(np.atleast_2d(np.asarray(resampled, np.float32).T), rate, audio.name)


def encode(audio: Audio, container: str = "WAV", subtype: str = "PCM_16") -> bytes:
    """The bytes of an audio file; integer subtypes clip what lies beyond full scale."""
    buffer = io.BytesIO()
    soundfile.write(buffer, audio.samples.T, audio.rate, format=container, subtype=subtype)
    return buffer.getvalue()


def lossless_subtype(audio: Audio) -> str:
    """What an audio file has to hold so that no sample changes: PCM_24 where all lie on its lattice, else FLOAT."""
    for part in blocks(audio.length):
        steps = audio.samples[:, part] * np.float32(2**23)  # exact: a power of two
        if not (np.array_equal(steps, np.rint(steps)) and steps.min() >= -(2**23) and steps.max() < 2**23):
            return "FLOAT"
    return "PCM_24"


def write(path: str | os.PathLike[str], audio: Audio, subtype: str = "PCM_16") -> None:
    """Write a file whole or not at all; the suffix says which: .wav, .flac or .ogg (Vorbis)."""
    from diagnose.files import write_whole

    container = CONTAINERS.get(os.path.splitext(path)[1].lower())
    if container is None:
        raise InputError(f"{os.fspath(path)}: cannot write this file type; use one of {', '.join(CONTAINERS)}")
    write_whole(path, encode(audio, container, "VORBIS" if container == "OGG" else subtype))


def _check_rate(rate: Any, name: str) -> None:
    if not isinstance(rate, int | np.integer) or not LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ:
        span = f"use {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz"
        raise InputError(f"{name}: sampling rate {rate} Hz is out of range; {span}")


def _check_shape(channels: int, length: int, rate: Any, name: str) -> None:
    _check_rate(rate, name)
    if not 1 <= channels <= MOST_CHANNELS:
        raise InputError(f"{name}: {channels} channels; use 1 to {MOST_CHANNELS}")
    if length < 1:
        raise InputError(f"{name}: contains no samples")
    if channels * length > MOST_VALUES:
        raise InputError(f"{name}: {channels} x {length} samples; at most {MOST_VALUES:,} are allowed; split the file")


def _checked(samples: Samples, rate: int, name: str, mend: bool) -> Audio:
    if samples.shape[1] == 0:
        raise InputError(f"{name}: contains no samples")
    for part in blocks(samples.shape[1]):
        bad = ~np.isfinite(samples[:, part])
        if bad.any() and mend:
            filled, broken = mended(samples, rate)
            return msgspec.structs.replace(_checked(filled, rate, name, mend=False), broken=broken)
        if bad.any():
            raise _non_finite(name, (part.start + int(np.argmax(bad.any(axis=0)))) / rate)
        if np.abs(samples[:, part]).max() > LOUDEST:
            raise InputError(f"{name}: samples above {LOUDEST:g}; full scale is 1; scale them down")
    return Audio(samples, int(rate), name)


def _non_finite(name: str, first_s: float) -> InputError:
    return InputError(f"{name}: non-finite samples (NaN or infinite), the first at {first_s:.3f} s; fix the file")
