"""Reported faults of data and of channels: casts, bytes, laws of telephony, headers that are played, sides mixed up."""

# ruff: noqa: ARG001 - a table of functions of one signature

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from reported_codes import alaw, as_linear, from_alaw, from_int24, from_mulaw, int24, mulaw, wav_header
from reported_kinds import cut, from_int16, int16, kind, to_peak, wrap

if TYPE_CHECKING:
    from reported_kinds import Floats, Made, Rng

OVERFLOW, MISREAD = ("integer-overflow",), ("bytes-misread",)
LAW = ("companding", "bytes-misread")
FOREIGN = ("foreign-data",)


# Integers that overflow


@kind("microsoft/VibeVoice#383", OVERFLOW, (1.3, 1.8))
def cast_wraps(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Made louder, to a peak of amount, then cast to int16 without a limit: it wraps."""
    return wrap(np.floor(to_peak(x, amount) * 32768) / 32768)


@kind("claritychallenge/clarity#311", OVERFLOW, (1.15, 1.6))
def hot_floats_wrap(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """Floats that reach amount are kept by one side and wrap when written as PCM by the other."""
    hot = to_peak(x, amount)
    return hot, rate, wrap(np.round(hot * 32767) / 32768), rate


@kind("devgianlu/go-librespot#339", OVERFLOW, (1.25, 2.5))
def cast_wraps_24_bits(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A peak of amount in 24 bit integers, the upper byte thrown away."""
    return wrap(np.floor(to_peak(x, amount) * 2**23) / 2**23)


@kind("corrscope/corrscope#63", OVERFLOW, (1.4, 1.9), channels=2)
def sum_wraps(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """Left and right added in int16 before they are halved; their sum would reach amount."""
    both = x * (amount / np.abs(x.sum(axis=0)).max())
    both = np.clip(both, -1, 1 - 2**-15)
    return both.mean(axis=0), rate, wrap(both.sum(axis=0)) / 2, rate


@kind("adamstark/AudioFile#8", (*OVERFLOW, "clicks"), (1.1, 1.6))
def full_scale_flips(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """Limited to +-1 and multiplied by 32768: every +1 becomes -32768; before that it reached amount."""
    limited = np.clip(x * amount / x.max(), -1, 1)
    return limited, rate, np.where(limited * 32768 > 32767, -1.0, limited), rate


@kind("common", (*MISREAD, *OVERFLOW), (1.0,))
def low_half_of_int32(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """32 bit integers cast to int16: only their lower halves are left."""
    words = np.clip(np.round(x * 2**31), -(2**31), 2**31 - 1).astype("<i4")
    return words.astype("<i2").astype(np.float64) / 32768


# Scales


@kind("common", ("gain", "silent"), (32767.0, 128.0))
def scaled_twice(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Divided by full scale a second time; amount is that full scale."""
    return x / amount


@kind("common", ("clipping", "gain"), (32767.0, 20.0))
def never_scaled(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Floats of integer size, amount times too large, written to a file that ends at 1."""
    return np.clip(x * amount, -1, 1)


@kind("scipy/scipy#6852", ("gain", "quantisation"), (48.0, 30.0))
def low_bits_kept(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """24 bits in the lower end of 32: amount dB too quiet, and then written in 16 bits."""
    return np.round(x * 10 ** (-amount / 20) * 32768) / 32768


# Bytes read as something else


@kind("openai/openai-agents-python#4816", MISREAD, (1.0,))
def other_byte_order(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Little-endian PCM read as big-endian."""
    return int16(x).byteswap().astype(np.float64) / 32768


@kind("common", MISREAD, (3.0,))
def other_byte_order_24(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """24 bit samples whose three bytes are read from the wrong end."""
    return from_int24(int24(x)[:, ::-1])


@kind("common", MISREAD, (1.0, 45.0))
def odd_offset(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """PCM read from an odd byte on; amount bytes are skipped."""
    return from_int16(int16(x).tobytes()[int(amount) :])


@kind("OHF-Voice/piper1-gpl#253", (*MISREAD, "segment-replaced"), (0.6, 0.3))
def odd_from_here_on(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A silence of an odd number of bytes after amount of the sound: the rest is a byte off."""
    data, at = int16(x).tobytes(), 2 * int(amount * x.size)
    return from_int16(data[:at] + b"\0" + data[at:])


@kind("scipy/scipy#5990", MISREAD, (1.0,))
def three_bytes_as_two(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """24 bit samples read as 16 bit ones."""
    return from_int16(int24(x).tobytes())


@kind("common", MISREAD, (1.0,))
def two_bytes_as_three(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """16 bit samples read as 24 bit ones."""
    data = int16(x).tobytes()
    return from_int24(np.frombuffer(data[: len(data) // 3 * 3], np.uint8).reshape(-1, 3))


@kind("libsndfile/libsndfile#275", MISREAD, (1.0,))
def four_bytes_as_two(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """32 bit integers read as 16 bit ones: noise and sound in turn."""
    words = np.clip(np.round(x * 2**31), -(2**31), 2**31 - 1).astype("<i4")
    return from_int16(words.tobytes())


@kind("ebitengine/oto#298", (*MISREAD, *OVERFLOW), (1.0, 2.0))
def unsigned_as_signed_8(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Unsigned 8 bit samples read as signed: each half of the wave in the other's place; amount times as loud."""
    data = np.clip(np.round(amount * x * 128), -128, 127) + 128
    return wrap(data / 128)


@kind("kometbomb/klystrack#271", (*MISREAD, *OVERFLOW), (1.0,))
def signed_as_unsigned_16(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Signed 16 bit samples read as unsigned ones about 32768."""
    return int16(x).view("<u2").astype(np.float64) / 32768 - 1


@kind("common", MISREAD, (1.0,))
def sixteen_bits_as_eight(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Each byte of 16 bit samples read as an unsigned sample of 8."""
    return np.frombuffer(int16(x).tobytes(), np.uint8).astype(np.float64) / 128 - 1


@kind("microphone-stream/microphone-stream#92", MISREAD, (1.0,))
def floats_as_int16(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """32 bit floats read as 16 bit integers."""
    return from_int16(x.astype("<f4").tobytes())


@kind("microphone-stream/microphone-stream#19", MISREAD, (1.0,))
def floats_as_int32(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """32 bit floats read as 32 bit integers."""
    return x.astype("<f4").view("<i4").astype(np.float64) / 2**31


# The laws of G.711


@kind("twilio/media-streams#56", LAW, (8.0, 16.0))
def mulaw_read_as_linear(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Mu-law bytes read as linear samples of amount bits."""
    return as_linear(mulaw(x), amount)


@kind("unispeech/unimrcp#136", LAW, (8.0, 16.0))
def alaw_read_as_linear(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A-law bytes read as linear samples of amount bits."""
    return as_linear(alaw(x), amount)


@kind("PatterAI/Patter#101", LAW, (16.0, 8.0))
def linear_read_as_mulaw(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Linear samples of amount bits expanded as if each byte were mu-law."""
    if amount == 16:
        return from_mulaw(np.frombuffer(int16(x).tobytes(), np.uint8))
    return from_mulaw((np.clip(np.round(x * 128), -128, 127) + 128).astype(np.uint8))


@kind("common", LAW, (0.0, 1.0))
def one_law_for_the_other(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Mu-law bytes expanded by the A-law, or (1) the other way round."""
    return from_mulaw(alaw(x)) if amount else from_alaw(mulaw(x))


@kind("common", LAW, (255.0,))
def never_expanded(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """sign(x) log(1 + mu |x|) / log(1 + mu) in 256 steps, as a WaveNet predicts it, played as it is; amount is mu."""
    bent = np.sign(x) * np.log1p(amount * np.abs(x)) / np.log1p(amount)
    return np.round((bent + 1) / 2 * 255) / 255 * 2 - 1


@kind("common", LAW, (255.0,))
def expanded_twice(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """sign(x) ((1 + mu)^|x| - 1) / mu of samples that are linear already."""
    return np.sign(x) * np.expm1(np.abs(x) * np.log1p(amount)) / amount


# Numbers that are none


@kind("QwenAudio/CosyVoice#1930", ("non-finite",), (0.01, 0.3), finite=False)
def nan_for_a_while(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """NaN for amount of the sound, somewhere."""
    made, width = x.copy(), max(int(amount * x.size), 1)
    start = int(rng.integers(0, x.size - width))
    made[start : start + width] = np.nan
    return made


@kind("anicolson/DeepXi#22", ("non-finite",), (3.0, 40.0), finite=False)
def infinite_here_and_there(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount samples that are infinite, of either sign."""
    made, at = x.copy(), rng.choice(x.size, int(amount), replace=False)
    made[at] = rng.choice([-np.inf, np.inf], at.size)
    return made


# What is no sound and is played


@kind("uezo/aiavatarkit#339", (*FOREIGN, "edge-artifact"), (44.0, 4096.0))
def header_first(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """The WAV header played before the sound; amount bytes, what exceeds 44 being a bext or JUNK chunk of text."""
    header = wav_header(x.size, rate)
    text = (b"bext" + b"Recorded with the studio's own recorder; take 7. " * 200)[: int(amount) - 44]
    return np.concatenate([from_int16(header + text), x])


@kind("inworld-ai/inworld-api-examples#21", (*FOREIGN, "chunk-seams"), (8192.0, 4096.0))
def header_in_each_chunk(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A WAV header at the start of every chunk of amount samples, inserted."""
    return np.concatenate([np.concatenate([from_int16(wav_header(c.size, rate)), c]) for c in cut(x, int(amount))])


@kind("remsky/Kokoro-FastAPI#94", (*FOREIGN, "chunk-seams"), (0.4, 0.2))
def header_over_each_chunk(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """The first 44 bytes of every chunk of amount s overwritten by a header."""
    made, size = x.copy(), int(amount * rate)
    for start in range(0, x.size - 22, size):
        made[start : start + 22] = from_int16(wav_header(size, rate))
    return made


@kind("roryeckel/wyoming_openai#73", (*FOREIGN, "tail-added"), (1840.0, 12000.0))
def metadata_after_the_end(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """LIST and C2PA chunks, amount bytes, played after the data."""
    head = b"LIST\x9a\0\0\0INFOISFT\x1e\0\0\0Speech (generated audio)\0\0C2PA"
    tail = head + bytes(rng.integers(0, 256, int(amount) - len(head)).astype(np.uint8))
    return np.concatenate([x, from_int16(tail)])


@kind("earlephilhower/ESP8266Audio#349", (*FOREIGN, "edge-artifact"), (2048.0, 30000.0))
def tag_first(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """An ID3 tag of amount bytes with a picture in it, played before the sound."""
    head = b"ID3\x03\0\0\0\0\x0f\x76APIC\0\0\x0e\x80\0\0\0image/jpeg\0\x03\0\xff\xd8\xff\xe0\0\x10JFIF"
    picture = bytes(rng.integers(0, 256, int(amount) - len(head)).astype(np.uint8))
    return np.concatenate([from_int16(head + picture), x])


@kind("common", (*FOREIGN, "segment-replaced"), (0.05, 0.2))
def error_in_place_of_a_chunk(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """For amount s a server's error in JSON is played in place of the sound."""
    error = {"error": {"code": 429, "type": "rate_limit", "message": "Too many requests: wait, and ask again."}}
    made, width = x.copy(), int(amount * rate)
    text = (json.dumps(error, indent=2) + "\n").encode() * (2 * width // 100 + 1)
    start = int(x.size * rng.uniform(0.3, 0.6))
    made[start : start + width] = from_int16(text[: 2 * width])
    return made


@kind("common", (*FOREIGN, "segment-inserted"), (2000.0, 20000.0))
def text_between_chunks(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Boundaries of a multipart answer and log lines, amount bytes, inserted in the middle of the sound."""
    lines = (
        b"\r\n--frontier\r\nContent-Type: audio/L16; rate=24000\r\n\r\nINFO  synthesised sentence 2 of 5 in 0.31 s\r\n"
    )
    text = (lines * (int(amount) // len(lines) + 1))[: int(amount)]
    at = int(x.size * rng.uniform(0.4, 0.6))
    return np.concatenate([x[:at], from_int16(text), x[at:]])


# Channels


@kind("altic-dev/FluidVoice#623", ("mono-stereo",), (0.0, 1.0), channels=2)
def one_side_read(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """Only one channel is read, and the file has one; amount is which."""
    return x, rate, x[int(amount)], rate


@kind("common", ("channel-swapped",), (1.0,), channels=2)
def sides_swapped(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """Left is right."""
    return x, rate, x[::-1].copy(), rate


@kind("ssfrr/AudioIO.jl#16", ("channels-interleaved",), (1.0,), channels=2)
def frames_read_as_mono(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """L R L R read as one channel: twice as long."""
    return x, rate, x.T.ravel(), rate


@kind("ServeurpersoCom/acestep.cpp#114", ("channels-interleaved",), (1.0,), channels=2)
def planes_read_as_frames(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """L L L ... R R R ... read as L R L R."""
    return x, rate, x.ravel().reshape(-1, 2).T.copy(), rate


@kind("ServeurpersoCom/acestep.cpp#114", ("channels-interleaved",), (1.0,), channels=2)
def frames_read_as_planes(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """L R L R read as L L L ... R R R."""
    return x, rate, x.T.ravel().reshape(2, -1), rate


@kind("RustAudio/cpal#427", ("channels-interleaved", "sample-rate"), (1.0,))
def mono_read_as_frames(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """One channel read as L R L R: half as long."""
    return x[: x.size // 2 * 2].reshape(-1, 2).T.copy()


@kind("HarbourMasters/Starship#92", ("polarity",), (1.0,), channels=2)
def one_side_inverted(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """The right channel has the other sign."""
    return x, rate, np.stack([x[0], -x[1]]), rate


@kind("common", ("delay",), (15.0, 60.0), channels=2)
def one_side_late(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """The right channel is amount ms late."""
    late = int(amount * rate / 1000)
    return x, rate, np.stack([x[0], np.pad(x[1], (late, 0))[: x.shape[1]]]), rate


@kind("common", ("silent", "mono-stereo"), (0.0, 1.0), channels=2)
def one_side_dead(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """One channel of two is silent; amount is which."""
    made = x.copy()
    made[int(amount)] = 0
    return x, rate, made, rate


@kind("common", ("gain",), (-9.0, -20.0), channels=2)
def one_side_quiet(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """The left channel is amount dB down."""
    return x, rate, np.stack([x[0] * 10 ** (amount / 20), x[1]]), rate


@kind("common", ("mono-stereo", "channels-interleaved", "unknown"), (1.0,), channels=2)
def sum_and_difference(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """Middle and side played as left and right."""
    return x, rate, np.stack([x.sum(axis=0), x[0] - x[1]]) / 2, rate
