"""Samples as bytes: the laws of G.711, integers of 24 bits and the header of a WAV file, as their tables have them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
from reported_kinds import from_int16, int16

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from reported_kinds import Bytes, Floats


def wav_header(length: int, rate: int) -> bytes:
    """44 bytes: RIFF, fmt and data, one channel of 16 bits."""
    fmt = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    size = 2 * length
    return b"RIFF" + struct.pack("<I", size + 36) + b"WAVEfmt " + fmt + b"data" + struct.pack("<I", size)


def mulaw(x: Floats) -> Bytes:
    """G.711 mu-law of 16 bit samples: sign, exponent and four bits of |s| + 132, all inverted."""
    samples = int16(x).astype(np.int64)
    size = np.minimum(np.abs(samples), 32635) + 132
    exponent = np.floor(np.log2(size)).astype(np.int64) - 7
    code = np.where(samples < 0, 0x80, 0) | exponent << 4 | (size >> (exponent + 3)) & 15
    return (~code & 255).astype(np.uint8)


def from_mulaw(data: Bytes) -> Floats:
    """What mulaw() encoded."""
    code = ~data.astype(np.int64) & 255
    size = (((code & 15) << 3) + 132 << (code >> 4 & 7)) - 132
    return np.where(code & 0x80, -size, size) / 32768


def alaw(x: Floats) -> Bytes:
    """G.711 A-law of 16 bit samples, of which 13 count; even bits inverted."""
    samples = int16(x).astype(np.int64)
    size = np.where(samples < 0, -samples - 1, samples) >> 3
    exponent = np.maximum(np.floor(np.log2(np.maximum(size, 1))).astype(np.int64) - 4, 0)
    code = np.where(samples < 0, 0, 0x80) | exponent << 4 | (size >> np.maximum(exponent, 1)) & 15
    return ((code ^ 0x55) & 255).astype(np.uint8)


def from_alaw(data: Bytes) -> Floats:
    """What alaw() encoded: the middle of each step."""
    code = data.astype(np.int64) ^ 0x55
    exponent = code >> 4 & 7
    size = np.where(exponent > 0, ((code & 15) * 2 + 33) << np.maximum(exponent - 1, 0), (code & 15) * 2 + 1) << 3
    return np.where(code & 0x80, size, -size) / 32768


def as_linear(data: Bytes, bits: float) -> Floats:
    """Bytes as unsigned samples of 8 bits, or signed ones of 16."""
    return data.astype(np.float64) / 128 - 1 if bits == 8 else from_int16(data.tobytes())


def int24(x: Floats) -> Bytes:
    """Three bytes a sample, the lowest first."""
    words = np.clip(np.round(x * 2**23), -(2**23), 2**23 - 1).astype("<i4")
    return words.view(np.uint8).reshape(-1, 4)[:, :3]


def from_int24(data: Bytes) -> Floats:
    """Three bytes a sample, the lowest first, as samples of full scale 1."""
    words: NDArray[np.int64] = (data.astype(np.int64) * np.array([1, 256, 65536])).sum(axis=1)
    return np.where(words >= 2**23, words - 2**24, words) / 2**23
