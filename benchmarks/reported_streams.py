"""Reported faults of time: chunks lost, repeated, exchanged and joined badly, wrong rates, drift and stretching."""

# ruff: noqa: ARG001 - a table of functions of one signature

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from reported_kinds import cut, cut_unevenly, fitted, kind, read_at, resampled, rms, some, sounding
from scipy import signal

if TYPE_CHECKING:
    from reported_kinds import Floats, Made, Rng

LOST, SEAMS = ("segment-lost", "chunk-seams"), ("chunk-seams",)
INSERTED = ("segment-inserted", "chunk-seams")
REPEATED = ("segment-repeated", "chunk-seams")
ORDER = ("time-structure-lost", "segment-replaced", "segment-lost", "segment-inserted", "segment-repeated")
RATE = ("sample-rate",)


# Chunks that do not come


@kind("NousResearch/hermes-agent#70851", LOST, (0.08, 0.25))
def packets_lost_20ms(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount of all packets of 20 ms never come, and the rest is joined."""
    return _without(cut(x, rate // 50), amount, rng)


@kind("common", (*LOST, "time-stretch"), (8.0, 4.0))
def every_so_many_lost_1024(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Every amount-th chunk of 1024 samples is thrown away, and the rest joined."""
    parts = cut(x, 1024)
    return np.concatenate([part for index, part in enumerate(parts) if index % int(amount) != int(amount) - 1])


@kind("charisma-ai/charisma-sdk-js#29", LOST, (0.12, 0.3))
def uneven_chunks_lost(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount of the chunks, of 60 to 250 ms, is lost, and the rest joined."""
    return _without(cut_unevenly(x, rate, rng, 0.06, 0.25), amount, rng)


@kind("common", ("segment-lost",), (0.15, 0.5))
def one_piece_lost(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount s are missing somewhere in the middle."""
    width = int(amount * rate)
    start = int(rng.uniform(0.3, 0.6) * (x.size - width))
    return np.concatenate([x[:start], x[start + width :]])


@kind("common", ("dropout", "gated", "chunk-seams"), (0.08, 0.25))
def packets_silent(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount of all packets of 20 ms come too late: silence is played in their place."""
    parts = cut(x.copy(), rate // 50)
    for index in some(sounding(parts), amount, rng):
        parts[index][:] = 0
    return np.concatenate(parts)


@kind("common", ("dropout", "gated", "chunk-seams"), (0.25, 0.5))
def ends_of_chunks_silent(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Every buffer of 4096 samples is filled but for its last amount, which stays zero."""
    parts = cut(x.copy(), 4096)
    for part in parts:
        part[int((1 - amount) * 4096) :] = 0
    return np.concatenate(parts)


@kind("common", ("segment-repeated", "segment-replaced", "chunk-seams", "dropout"), (0.1, 0.3))
def last_packet_again(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount of all packets of 40 ms are replaced by the one before, as a ring buffer does that nobody fills."""
    parts = cut(x.copy(), rate // 25)
    for index in some(sounding(parts), amount, rng):
        parts[index][:] = parts[index - 1][: parts[index].size]
    return np.concatenate(parts)


# Chunks that come twice, in another order, or with something between


@kind("vllm-project/vllm-omni#3032", REPEATED, (0.1, 0.3))
def chunks_twice(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount of the chunks of 160 ms are played twice."""
    parts = cut(x, rate * 16 // 100)
    twice = some(sounding(parts), amount, rng)
    return np.concatenate([part for index, part in enumerate(parts) for _ in range(2 if index in twice else 1)])


@kind("Artrajz/vits-simple-api#163", ("segment-repeated",), (0.3, 0.6))
def starts_again(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """After amount of the sound it starts again from the beginning, and then comes whole."""
    return np.concatenate([x[: int(amount * x.size)], x])


@kind("common", ("segment-repeated", "chunk-seams"), (4.0, 8.0))
def stutters(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """At one place a buffer of 50 ms is played amount times before it goes on."""
    parts = cut(x, rate // 20)
    stuck = some(sounding(parts), 0.01, rng)
    return np.concatenate(
        [part for index, part in enumerate(parts) for _ in range(int(amount) if index in stuck else 1)]
    )


@kind("twilio-labs/call-gpt#2", (*ORDER, "chunk-seams"), (0.15, 0.4))
def neighbours_exchanged(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount of the chunks of 100 ms overtake the one before."""
    parts = cut(x, rate // 10)
    for index in some(range(1, len(parts) - 1), amount, rng):
        parts[index - 1], parts[index] = parts[index], parts[index - 1]
    return np.concatenate(parts)


@kind("twilio-labs/call-gpt#2", ORDER, (0.33, 0.5))
def sentences_exchanged(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """What comes after amount of the sound is played first."""
    at = int(amount * x.size)
    return np.concatenate([x[at:], x[:at]])


@kind("cloudflare/agents#1736", INSERTED, (5.0, 20.0))
def gap_at_each_seam(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount ms of silence between chunks of 320 ms."""
    return _between(cut(x, rate * 32 // 100), int(amount * rate / 1000))


@kind("Blaizzy/mlx-audio#898", INSERTED, (576.0, 1800.0))
def codec_padding_at_each_seam(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Each chunk of 200 to 500 ms is a file of its own: an encoder's amount samples of silence between two."""
    return _between(cut_unevenly(x, rate, rng, 0.2, 0.5), int(amount))


@kind("huggingface/speech-to-speech#557", INSERTED, (0.06, 0.3))
def underruns(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Three times the player has nothing to play, for half to all of amount s, and goes on where it was."""
    parts = cut_unevenly(x, rate, rng, 0.15, 0.4)
    waits = some(range(1, len(parts)), 3 / len(parts), rng)
    made = []
    for index, part in enumerate(parts):
        if index in waits:
            made.append(np.zeros(int(rng.uniform(0.5, 1) * amount * rate)))
        made.append(part)
    return np.concatenate(made)


@kind("chrisuthe/windowsSpin#63", INSERTED, (9.0, 14.0))
def corrected_by_silence(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A clock is corrected by amount ms of silence, every 0.3 to 0.6 s."""
    return _between(cut_unevenly(x, rate, rng, 0.3, 0.6), int(amount * rate / 1000))


# Chunks that are joined badly


@kind("ZFTurbo/Music-Source-Separation-Training#115", (*SEAMS, "modulation", "dropout"), (0.1, 0.25))
def edges_windowed(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Each chunk of 8192 samples fades in and out, over amount of itself, with nothing to overlap."""
    fade = np.sin(np.pi / 2 * (np.arange(int(amount * 8192)) + 0.5) / int(amount * 8192)) ** 2
    window = np.concatenate([fade, np.ones(8192 - 2 * fade.size), fade[::-1]])
    return np.concatenate([part * window[: part.size] for part in cut(x, 8192)])


@kind("sgl-project/sglang-omni#1678, diodiogod/TTS-Audio-Suite#297", LOST, (10.0, 40.0))
def fades_fold(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Each seam of chunks of 250 ms is cross-faded over amount ms that were there only once: the sound runs ahead."""
    width = int(amount * rate / 1000)
    rise = (np.arange(width) + 0.5) / width
    parts = cut(x, rate // 4)
    made = parts[0]
    for part in parts[1:]:
        if part.size < width:
            break
        made = np.concatenate([made[:-width], made[-width:] * (1 - rise) + part[:width] * rise, part[width:]])
    return made


@kind("common", (*SEAMS, "modulation"), (20.0, 60.0))
def overlaps_added(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Chunks of 300 ms overlap by amount ms that are added without a fade: twice as loud there."""
    width, size = int(amount * rate / 1000), rate * 3 // 10
    made = x.copy()
    for start in range(size, x.size, size):
        made[start : start + width] *= 2
    return made


@kind("hkjarral/AVA-AI-Voice-Agent-for-Asterisk#204", SEAMS, (1.0, 4.0))
def short_blocks(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """The last amount samples of every 20 ms are zeros."""
    made, size = x.copy(), rate // 50
    for start in range(0, x.size, size):
        made[start + size - int(amount) : start + size] = 0
    return made


@kind("hkjarral/AVA-AI-Voice-Agent-for-Asterisk#482", (*LOST, *RATE), (2.0, 8.0))
def sample_dropped_each_block(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount samples less in every block of 512."""
    return np.concatenate([part[: part.size - int(amount)] for part in cut(x, 512)])


@kind("common", (*INSERTED, *RATE, "segment-repeated"), (2.0, 8.0))
def sample_doubled_each_block(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """The last amount samples of every block of 512 come twice."""
    return np.concatenate([np.concatenate([part, part[-int(amount) :]]) for part in cut(x, 512)])


@kind("0xShug0/audio.cpp#620", (*SEAMS, "clicks"), (0.16, 0.04))
def cold_filter(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """A causal low-pass at a tenth of the rate that starts from zeros in each chunk of amount s."""
    sections = signal.butter(4, 0.2, output="sos")
    chunks = [np.asarray(signal.sosfilt(sections, part)) for part in cut(x, int(amount * rate))]
    return np.asarray(signal.sosfilt(sections, x)), rate, np.concatenate(chunks), rate


@kind("common", (*SEAMS, "clicks", "modulation", "tilt"), (0.1, 0.03))
def cold_deemphasis(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """De-emphasis 1 / (1 - 0.97 z^-1), which forgets what was before each chunk of amount s."""
    parts = cut(signal.lfilter([1, -0.97], [1], x), int(amount * rate))
    return np.concatenate([np.asarray(signal.lfilter([1], [1, -0.97], part)) for part in parts])


@kind("Project-N-E-K-O/N.E.K.O#1435", (*SEAMS, "clicks"), (0.04, 0.01))
def cold_resampler(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """To two thirds of the rate, chunks of amount s each resampled on their own by a filter padded with zeros."""
    size = int(amount * rate) // 3 * 3
    whole = np.asarray(signal.resample_poly(x, 2, 3))
    parts = [np.asarray(signal.resample_poly(part, 2, 3)) for part in cut(x, size)]
    return whole, round(rate * 2 / 3), np.concatenate(parts), round(rate * 2 / 3)


# Ends


@kind("common", ("delay", "padded"), (0.12, 0.5))
def starts_late(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount s late, and cut at the old length."""
    return fitted(np.pad(x, (int(amount * rate), 0)), x.size)


@kind("mozilla/TTS#130", ("truncated",), (0.15, 0.4))
def start_missing(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """The first amount of the sound is cut off."""
    return x[int(amount * x.size) :]


@kind("davidbrowne17/chatterbox-streaming#2", ("truncated",), (0.15, 0.4))
def end_missing(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """The last amount of the sound never comes."""
    return x[: int((1 - amount) * x.size)]


@kind("hubertsiuzdak/snac#33", ("padded",), (0.6, 3.0))
def silence_after(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount s of silence after the end."""
    return np.pad(x, (0, int(amount * rate)))


@kind("jik876/hifi-gan#50", ("tail-added",), (-20.0, -8.0))
def buzz_after(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """After the end 0.6 s of a buzz at rate / 256, amount dB against the sound."""
    time = np.arange(int(0.6 * rate))
    buzz = signal.sawtooth(2 * np.pi * time / 256)
    return np.concatenate([x, buzz * 10 ** (amount / 20) * rms(x) / rms(buzz)])


@kind("common", ("segment-repeated", "tail-added", "padded"), (1.0, 2.0))
def loops(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """The player loops: the whole sound amount times more."""
    return np.tile(x, 1 + int(amount))


# Clocks


@kind("deepgram-devs/deepgram-ai-agent-demo#73", RATE, (2.0, 0.5))
def label_of_twice_the_rate(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """The file says amount times the rate."""
    return x, rate, x, round(rate * amount)


@kind("EliseWindbloom/audio2vmd#4", RATE, (48000 / 44100, 44100 / 48000))
def label_of_the_other_family(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """44.1 kHz taken for 48, or the other way: the file says amount times the rate."""
    return x, rate, x, round(rate * amount)


@kind("dograh-hq/pipecat#59", RATE, (16000 / 24000, 24000 / 22050))
def played_at_another_rate(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Read at amount times its rate and then resampled, properly, to the rate that was asked for."""
    return resampled(x, rate * amount, rate)


@kind("common", (*RATE, "pitch"), (1.04, 0.9))
def tempo_by_resampling(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount times as fast by resampling: the pitch goes with it."""
    return resampled(x, rate * amount, rate)


@kind("mikebrady/shairport-sync#631", RATE, (5000.0, 20000.0))
def clock_drifts(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A clock that is amount ppm fast."""
    return read_at(x, np.arange(int(x.size / (1 + amount * 1e-6))) * (1 + amount * 1e-6))


@kind("iver56/audiomentations#120", ("wow",), (0.01, 0.03))
def wow(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """The speed goes up and down by amount at 0.7 to 1.5 Hz."""
    return _wavering(x, rate, amount, rng.uniform(0.7, 1.5))


@kind("mikebrady/shairport-sync#797", ("wow", "modulation"), (0.006, 0.015))
def flutter(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """The speed goes up and down by amount at 6 to 10 Hz."""
    return _wavering(x, rate, amount, rng.uniform(6, 10))


@kind("libretro/RetroArch#15173", ("wow", "sample-rate", "chunk-seams"), (0.03, 0.08))
def rate_of_each_chunk(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Each chunk of 50 to 150 ms is played at a speed of its own, amount off at most."""
    parts = cut_unevenly(x, rate, rng, 0.05, 0.15)
    speeds = np.concatenate([np.full(part.size, 1 + amount * rng.uniform(-1, 1)) for part in parts])
    return read_at(x, np.cumsum(speeds) - speeds[0])


# Other times


@kind("common", ("different-content", "unknown", "time-structure-lost"), (1.0,))
def reversed_whole(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """The samples in reverse."""
    return x[::-1].copy()


@kind("common", ("time-structure-lost", "chunk-seams", "different-content", "unknown"), (0.02, 0.1))
def reversed_chunks(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """The samples of each chunk of amount s in reverse."""
    return np.concatenate([part[::-1] for part in cut(x, int(amount * rate))])


@kind("yistLin/FragmentVC#14", ("time-stretch",), (1.25, 0.7))
def another_hop(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A phase vocoder whose hops differ: amount times as fast, pitch kept."""
    return stretched(x, amount)


@kind("nimroddolev/chime_tts#25", ("time-stretch", *LOST), (1.25, 1.5))
def sped_up_by_cutting(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount times as fast: of every 150 ms the rest is thrown away, ends cross-faded over 10 ms."""
    size, fade = int(0.15 * rate), int(0.01 * rate)
    kept, rise = int(size / amount), (np.arange(fade) + 0.5) / fade
    made = np.zeros(0)
    for part in cut(x, size):
        piece = part[: kept + fade].copy()
        if made.size and piece.size > fade:
            piece[:fade] = made[-fade:] * (1 - rise) + piece[:fade] * rise
            made = made[:-fade]
        made = np.concatenate([made, piece])
    return made


def stretched(x: Floats, speed: float, size: int = 2048) -> Floats:
    """A phase vocoder: Hann windows of 2048, hop 512, phases advanced by what they did between two frames."""
    hop, window = size // 4, signal.get_window("hann", size)
    padded = np.pad(x, (size, 2 * size))
    starts = np.arange(0, padded.size - size - hop, speed * hop).astype(np.int64)
    made, weight = np.zeros(starts.size * hop + size), np.zeros(starts.size * hop + size)
    phase = np.angle(np.fft.rfft(window * padded[:size]))
    for index, start in enumerate(starts):
        now, after = (np.fft.rfft(window * padded[at : at + size]) for at in (start, start + hop))
        place = slice(index * hop, index * hop + size)
        made[place] += window * np.fft.irfft(np.abs(now) * np.exp(1j * phase))
        weight[place] += window**2
        phase = phase + np.angle(after) - np.angle(now)
    first = round(size / speed)
    return (made / np.maximum(weight, 1e-3))[first : first + round(x.size / speed)]


def _without(parts: list[Floats], share: float, rng: Rng) -> Floats:
    """What is left when a share of the chunks that sound never came."""
    lost = some(sounding(parts), share, rng)
    return np.concatenate([part for index, part in enumerate(parts) if index not in lost])


def _between(parts: list[Floats], width: int) -> Floats:
    """Zeros between any two chunks."""
    return np.concatenate([np.concatenate([part, np.zeros(width)]) for part in parts[:-1]] + [parts[-1]])


def _wavering(x: Floats, rate: int, depth: float, hz: float) -> Floats:
    """Read at t + depth / (2 pi hz) sin(2 pi hz t): the speed is 1 + depth cos(2 pi hz t)."""
    time = np.arange(x.size)
    return read_at(x, time + depth * rate / (2 * np.pi * hz) * np.sin(2 * np.pi * hz * time / rate))
