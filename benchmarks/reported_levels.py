"""Reported faults of the level, and copies that nobody calls faulty: gates, compressors, windows that do not add up."""

# ruff: noqa: ARG001 - a table of functions of one signature

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from reported_codes import alaw, from_alaw, from_mulaw, mulaw
from reported_kinds import cut, cut_unevenly, fitted, frame_levels, kind, read_at, resampled, rms, to_peak
from reported_streams import stretched
from scipy import signal

if TYPE_CHECKING:
    from reported_kinds import Floats, Made, Rng

STEPS = ("quantisation",)
GATED = ("gated", "dropout")
LEVELS = ("modulation", "gain")
TREMOLO = ("frame-rate-tremolo", "modulation")
HARMLESS = ()


# Steps, offsets and curves


@kind("adafruit/circuitpython#10574", STEPS, (7.0, 5.0))
def few_bits(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Rounded to amount bits."""
    return np.round(x * 2 ** (amount - 1)) / 2 ** (amount - 1)


@kind("audacity/audacity#3852", (*STEPS, "dc-offset"), (8.0, 6.0))
def few_bits_rounded_down(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """12 dB down in amount bits, rounded down, and back up."""
    return np.floor(x / 4 * 2 ** (amount - 1)) / 2 ** (amount - 1) * 4


@kind("common", (*STEPS, "companding", "noise"), (0.0, 1.0))
def law_there_and_back(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Mu-law or (1) A-law and back, of a sound 20 dB down that is brought up again: it hisses."""
    quiet = x / 10
    return 10 * (from_alaw(alaw(quiet)) if amount else from_mulaw(mulaw(quiet)))


@kind("MiSTer-devel/NES_MiSTer#32", ("dc-offset",), (0.1, 0.3))
def offset(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """x + amount."""
    return x + amount


@kind("common", ("polarity",), (-1.0,))
def inverted(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount times the sound."""
    return x * amount


@kind("common", ("gain",), (-15.0, 10.0))
def too_quiet_or_loud(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount dB louder."""
    return x * 10 ** (amount / 20)


@kind("nxbyte/PythonAudioEffects#4", ("clipping",), (2.5, 6.0))
def saturated(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """tanh(amount x / peak) peak / amount: small samples stay."""
    peak = np.abs(x).max()
    return np.tanh(amount * x / peak) * peak / amount


@kind("common", ("clipping",), (0.5, 0.2))
def one_side_flat(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """What exceeds amount of the peak above zero is flat, below zero nothing is."""
    return np.minimum(x, amount * x.max())


@kind("enzo1982/freac#806", ("clipping",), (0.5, 0.2))
def peaks_flat(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Flat beyond amount of the peak."""
    peak = amount * np.abs(x).max()
    return np.clip(x, -peak, peak)


# Gates, and gains that move


@kind("noisetorch/NoiseTorch#442", GATED, (0.3, 0.55))
def gate(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """10 ms are silent where they belong to the quietest amount of all that sounds."""
    return x * np.repeat(_open(x, rate, amount), rate // 100)[: x.size]


@kind("Alaydriem/bedrock-voice-chat#133", GATED, (0.35, 0.6))
def gate_with_hold(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A gate that stays open for 50 ms more, opens over 3 ms and closes over 20: the quietest amount goes."""
    opened = _open(x, rate, amount)
    held = np.array([opened[max(index - 5, 0) : index + 1].any() for index in range(opened.size)])
    wanted = np.repeat(held, rate // 100)[: x.size].astype(np.float64)
    return x * _followed(wanted, rate, 0.003, 0.02)


@kind("RustAudio/rodio#882", LEVELS, (0.5, 0.1))
def automatic_gain(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """A sound that goes 15 dB down and up is held at its RMS, by 20 dB at most; it gets louder within amount s."""
    x = _uneven(x)
    level = np.sqrt(np.maximum(_followed(np.square(x), rate, 0.01, amount), 1e-12))
    return x, rate, x * np.minimum(rms(x) / level, 10), rate


@kind("BrandMeister/hoseline#11", LEVELS, (4.0, 20.0))
def compressor(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Ratio amount above 24 dB below the peak, attack 5 ms, release 120 ms, the peak brought back up."""
    level = _followed(np.abs(x), rate, 0.005, 0.12)
    over = np.maximum(level / (np.abs(x).max() * 10 ** (-24 / 20)), 1)
    return to_peak(x * over ** (1 / amount - 1), float(np.abs(x).max()))


@kind("common", ("clipping", *LEVELS), (6.0, 15.0))
def limiter(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount dB louder into a limiter at the old peak, which lets go within 30 ms."""
    loud, top = x * 10 ** (amount / 20), np.abs(x).max()
    return loud * np.minimum(top / np.maximum(_followed(np.abs(loud), rate, 0.0, 0.03), 1e-9), 1)


@kind("mkiol/dsnote#207", ("modulation", "chunk-seams"), (0.8, 0.25))
def each_chunk_normalised(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """A sound that goes 15 dB down and up: chunks of half to all of amount s are brought to one peak."""
    x = _uneven(x)
    parts = cut_unevenly(x, rate, rng, amount / 2, amount)
    top = np.abs(x).max()
    made = [part * min(top / max(np.abs(part).max(), 1e-9), 31.6) for part in parts]
    return x, rate, np.concatenate(made), rate


@kind("wwmm/easyeffects#550", ("modulation", "gain"), (-9.0, 9.0))
def gain_jumps(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """At one moment in the middle it becomes amount dB louder, and stays so."""
    made, at = x.copy(), int(rng.uniform(0.4, 0.6) * x.size)
    made[at:] *= 10 ** (amount / 20)
    return made


# Windows that do not add up


@kind("flucoma/flucoma-core#72", TREMOLO, (1024.0, 512.0))
def hann_twice_at_half(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Hann of amount at analysis and at synthesis, hop a half, nothing divided out: 1/2 + cos^2 / 2."""
    return _overlapped(x, signal.get_window("hann", int(amount)) ** 2, int(amount) // 2)


@kind("tensorflow/tensorflow#16465", TREMOLO, (640.0, 768.0))
def hann_at_an_odd_hop(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Hann of 1024, hop amount, nothing divided out but the mean."""
    return _overlapped(x, signal.get_window("hann", 1024), int(amount))


@kind("bzamecnik/sms-tools#44", TREMOLO, (0.6, 0.75))
def hamming_not_undone(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Hamming of 25 ms, hop amount of it, only the mean divided out."""
    size = int(0.025 * rate)
    return _overlapped(x, signal.get_window("hamming", size), int(amount * size))


@kind("librosa/librosa#500", TREMOLO, (0.375, 0.6))
def divided_by_the_wrong_sum(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Hann of 2048 squared at hop 2048 amount, divided by the sum of windows of hop 512."""
    window = signal.get_window("hann", 2048) ** 2
    wrong = _sum(x.size, window, int(2048 * amount))
    return x * wrong / _sum(x.size, window, 512).max() * (2048 * amount / 512)


@kind("mpariente/pystoi#4", TREMOLO, (256.0, 1024.0))
def boxes_with_gain(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Boxes of amount, hop two thirds of that, added: every second stretch is twice as loud."""
    return _overlapped(x, np.ones(int(amount)), int(amount) * 2 // 3)


# Copies that nobody calls faulty


@kind("dudarenok-maker/Castwright#1880", HARMLESS, (0.0, 0.3))
def copy_mp3(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """MP3 by libsndfile, compression level amount; its delay is left as the decoder leaves it."""
    return _through(x, rate, "MP3", "MPEG_LAYER_III", amount)


@kind("common", HARMLESS, (0.2, 0.4))
def copy_vorbis(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Ogg Vorbis by libsndfile, compression level amount: q8, q6."""
    return _through(x, rate, "OGG", "VORBIS", amount)


@kind("common", HARMLESS, (0.2,))
def copy_opus(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Opus by libsndfile, compression level amount, at 48 kHz and back."""
    made = _through(resampled(x, rate, 48000), 48000, "OGG", "OPUS", amount)
    return fitted(resampled(made, 48000, rate), x.size)


@kind("common", HARMLESS, (16.0, 24.0))
def copy_rounded(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Rounded to amount bits."""
    return np.round(x * 2 ** (amount - 1)) / 2 ** (amount - 1)


@kind("common", HARMLESS, (16.0,))
def copy_dithered(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Rounded to amount bits after triangular dither of two steps."""
    full = 2 ** (amount - 1)
    return np.round(x * full + rng.uniform(-0.5, 0.5, x.size) + rng.uniform(-0.5, 0.5, x.size)) / full


@kind("common", HARMLESS, (48000 / 44100, 2.0))
def copy_resampled(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """To amount times the rate and back, by good filters."""
    return fitted(resampled(resampled(x, rate, rate * amount), rate * amount, rate), x.size)


@kind("common", HARMLESS, (2.0,))
def copy_at_another_rate(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """Kept at amount times the rate."""
    return x, rate, resampled(x, rate, rate * amount), round(rate * amount)


@kind("drakulavich/kesha-voice-kit#718", HARMLESS, (0.5, -0.5))
def copy_a_little_louder(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount dB."""
    return x * 10 ** (amount / 20)


@kind("KittenML/KittenTTS#22", HARMLESS, (0.02, 0.05))
def copy_with_longer_ends(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount s of silence more at either end."""
    return np.pad(x, int(amount * rate))


@kind("sergree/matchering#42", HARMLESS, (2.0,))
def copy_in_two_channels(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """The one channel written twice."""
    return np.stack([x, x])


@kind("astramind-ai/Auralis#53", HARMLESS, (1.01, 0.99))
def copy_a_little_faster(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount times as fast by a phase vocoder, pitch kept."""
    return stretched(x, amount)


@kind("common", HARMLESS, (0.5,))
def copy_half_a_sample_late(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount samples late."""
    return read_at(x, np.arange(x.size) - amount)


@kind("common", HARMLESS, (0.4, 0.7))
def copy_with_other_phases(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Two all-pass filters (amount - z^-1) / (1 - amount z^-1): a few samples' delay of some frequencies."""
    for sign in (1, -1):
        x = np.asarray(signal.lfilter([sign * amount, -1], [1, -sign * amount], x))
    return x


def _uneven(x: Floats) -> Floats:
    """x by 7.5 (cos(3 pi t / T) - 1) dB: a voice that turns away and comes back."""
    return x * 10 ** (7.5 * (np.cos(3 * np.pi * np.arange(x.size) / x.size) - 1) / 20)


def _open(x: Floats, rate: int, share: float) -> np.ndarray:
    """Which frames of 10 ms a gate lets through: all but the quietest share of those within 45 dB of the loudest."""
    levels = frame_levels(x, rate // 100)
    sounding = levels[levels > levels.max() * 10 ** (-45 / 20)]
    return levels > np.quantile(sounding, share)


def _followed(level: Floats, rate: int, attack_s: float, release_s: float) -> Floats:
    """A level followed by one pole that is faster upwards (attack_s, in s) than downwards; at once where it is 0."""
    up, down = (1.0 if s == 0 else 1 - np.exp(-1 / (s * rate)) for s in (attack_s, release_s))
    state, made = 0.0, np.empty(level.size)
    for index, now in enumerate(level.tolist()):
        state += (up if now > state else down) * (now - state)
        made[index] = state
    return made


def _sum(length: int, window: Floats, hop: int) -> Floats:
    """Windows added every hop samples, from before the start on to behind the end."""
    made = np.zeros(length + 2 * window.size)
    for start in range(0, length + window.size, hop):
        made[start : start + window.size] += window
    return made[window.size : window.size + length]


def _overlapped(x: Floats, window: Floats, hop: int) -> Floats:
    """x times the sum of windows, its mean divided out."""
    added = _sum(x.size, window, hop)
    return x * added / added.mean()


def _through(x: Floats, rate: int, container: str, subtype: str, level: float) -> Floats:
    """Through a codec of libsndfile."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, 1, format=container, subtype=subtype, compression_level=level) as opened:
        for part in cut(x, 8192):
            opened.write(part.astype(np.float32))
    file.seek(0)
    samples, _ = soundfile.read(file, dtype="float64")
    return fitted(samples, x.size)
