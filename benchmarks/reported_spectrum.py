"""Reported faults of the spectrum, and of what is added: rates reduced, filters, rooms, noise, hum, tones, clicks."""

# ruff: noqa: ARG001 - a table of functions of one signature

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from reported_kinds import another, at_level, fitted, frame_levels, kind, resampled, rms
from scipy import signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from reported_kinds import Floats, Made, Rng

DULL, ALIAS = ("high-frequency-loss", "mel-range"), ("aliasing",)
ROOM, TONES = ("reverberation",), ("tonal", "frame-rate-hum", "hum")


def magnitude_hz(x: Floats, rate: int, share: float) -> float:
    """The frequency below which lies a share of the sum of |X|, of the whole sound."""
    summed = np.cumsum(np.abs(np.fft.rfft(x)))
    return float(np.searchsorted(summed, share * summed[-1]) * rate / x.size)


def step_of(x: Floats, rate: int, share: float) -> float:
    """By how much to reduce the rate so that half of it lies at magnitude_hz(share): at least 2, at most 12."""
    return float(np.clip(rate / 2 / magnitude_hz(x, rate, share), 2, 12))


# Rates


@kind("petermg/Chatterbox-TTS-Extended#47", DULL, (0.75, 0.5))
def rate_reduced(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """To a lower rate and back, by good filters; amount of the magnitudes lie below half of it."""
    slow = rate / step_of(x, rate, amount)
    return fitted(resampled(resampled(x, rate, slow), slow, rate), x.size)


@kind("libsndfile/libsamplerate#182", ALIAS, (0.7, 0.5))
def thrown_away(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Only every k-th sample is kept, without a filter; back by a good one.  Amount as of rate_reduced."""
    step = round(step_of(x, rate, amount))
    return fitted(resampled(x[::step], rate / step, rate), x.size)


@kind("mozilla/DeepSpeech#1726", ALIAS, (2.0, 4.0))
def zeros_between(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """To an amount-th of the rate by a good filter; back by zeros between the samples."""
    step, made = int(amount), np.zeros(x.size)
    slow = fitted(resampled(x, rate, rate / step), -(-x.size // step))
    made[::step] = slow
    return made


@kind("common", (*ALIAS, "high-frequency-loss"), (0.7, 0.5))
def samples_held(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """To a lower rate by a good filter; back by holding each sample.  Amount as of rate_reduced."""
    step = round(step_of(x, rate, amount))
    return fitted(np.repeat(resampled(x, rate, rate / step), step), x.size)


@kind("peteonrails/voxtype#641", (*ALIAS, "high-frequency-loss"), (0.7, 0.5))
def lines_there_and_back(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """To a lower rate and back, both by straight lines between samples.  Amount as of rate_reduced."""
    time = np.arange(x.size)
    slow = np.arange(0, x.size - 1, step_of(x, rate, amount))
    return np.interp(time, slow, np.interp(slow, time, x))


@kind("watson-developer-cloud/speech-javascript-sdk#29", (*ALIAS, "high-frequency-loss"), (44.1 / 16, 44.1 / 8))
def nearest_there_and_back(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """44.1 kHz to 16 or 8 and back, by the nearest sample: rates amount apart."""
    slow = np.minimum(np.round(np.arange(0, x.size, amount)).astype(np.int64), x.size - 1)
    return x[slow][np.minimum(np.round(np.arange(x.size) / amount).astype(np.int64), slow.size - 1)]


@kind("libsdl-org/SDL#2715", ALIAS, (0.7, 0.5))
def filtered_at_the_wrong_rate(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """To a lower rate by a filter that ends at half the old one; back by a good filter.  Amount as of rate_reduced."""
    step = round(step_of(x, rate, amount))
    slow = signal.lfilter(signal.firwin(65, 0.98), [1], np.pad(x, (0, 32)))[32::step]
    return fitted(resampled(np.asarray(slow), rate / step, rate), x.size)


# Filters


@kind("common", (*DULL, "low-frequency-loss"), (3400.0, 2000.0))
def telephone(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """300 Hz to amount Hz only, fourth order at either end."""
    sections = signal.butter(4, (300 / (rate / 2), amount / (rate / 2)), "bandpass", output="sos")
    return np.asarray(signal.sosfilt(sections, x))


@kind("common", (*DULL, "tilt"), (0.6, 0.35))
def low_pass(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A causal Butterworth low-pass of sixth order, at what leaves amount of the magnitudes below it."""
    sections = signal.butter(6, magnitude_hz(x, rate, amount) / (rate / 2), output="sos")
    return np.asarray(signal.sosfilt(sections, x))


@kind("common", (*DULL, "tilt"), (8.0, 24.0))
def moving_average(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Each sample is the mean of amount samples about it."""
    return np.convolve(x, np.full(int(amount), 1 / int(amount)), "same")


@kind("common", (*DULL, "tilt"), (0.25, 0.06))
def one_pole(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """y += amount (x - y): exponential smoothing of the samples."""
    return np.asarray(signal.lfilter([amount], [1, amount - 1], x))


@kind("common", ("low-frequency-loss", "tilt"), (0.3, 0.6))
def high_pass(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A causal Butterworth high-pass of fourth order, at what leaves amount of the magnitudes below it."""
    hz = max(magnitude_hz(x, rate, amount), 150.0)
    return np.asarray(signal.sosfilt(signal.butter(4, hz / (rate / 2), "highpass", output="sos"), x))


@kind("Rayhane-mamah/Tacotron-2#160", ("tilt", "low-frequency-loss"), (0.9, 0.97))
def emphasis_left_in(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """x[n] - amount x[n-1], never undone."""
    return np.asarray(signal.lfilter([1, -amount], [1], x))


@kind("NVIDIA/tacotron2#75", ("tilt", "high-frequency-loss"), (0.85, 0.97))
def emphasis_undone_twice(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """De-emphasis y[n] = x[n] + amount y[n-1] of a sound without emphasis, made as loud as it was."""
    made = np.asarray(signal.lfilter([1], [1, -amount], x))
    return made * rms(x) / rms(made)


@kind("ysharma3501/NovaSR#3", ("band-gap", "spectral-holes"), (0.5, 1.2))
def hole(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A band of amount octaves about the middle of the magnitudes is missing."""
    middle = min(magnitude_hz(x, rate, 0.5), 0.4 * rate / 2)
    edges = middle * 2 ** np.array([-amount / 2, amount / 2]) / (rate / 2)
    return np.asarray(signal.sosfiltfilt(signal.butter(5, edges, "bandstop", output="sos"), x))


@kind("common", (*ROOM, "spectral-holes", "band-gap"), (0.7, 0.95))
def comb(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """The sound again after 1 to 4 ms, times amount: a comb, as two paths or microphones make."""
    return _again(x, [int(rng.uniform(0.001, 0.004) * rate)], [amount])


@kind("LoredCast/soundboard#16", (*ROOM, "interference"), (0.04, 0.25))
def played_twice(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """The same sound again amount s later, 2 dB down."""
    return _again(np.pad(x, (0, int(amount * rate))), [int(amount * rate)], [0.8])


@kind("pasrom/meeting-transcriber#422", (*ROOM, "interference"), (0.35, 0.6))
def echoes(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Echoes every 60 to 180 ms, each amount of the one before."""
    step = int(rng.uniform(0.06, 0.18) * rate)
    return _again(np.pad(x, (0, 3 * step)), [step * k for k in range(1, 7)], [amount**k for k in range(1, 7)])


@kind("common", ROOM, (0.3, 1.0))
def room(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """In a room: the sound and, as loud together, noise that falls by 60 dB in amount s."""
    time = np.arange(int(amount * rate)) / rate
    tail = rng.standard_normal(time.size) * 10 ** (-3 * time / amount)
    tail[: int(0.005 * rate)] = 0
    dry = np.pad(x, (0, int(0.5 * amount * rate)))
    return dry + at_level(signal.fftconvolve(dry, tail)[: dry.size], dry, 0.0)


@kind("common", ("phase-incoherent", "reverberation"), (0.05, 0.15))
def smeared(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Dispersion: f comes f / (rate / 2) times amount s late, magnitudes as they were: clicks become chirps."""
    whole = np.pad(x, (0, int(amount * rate)))
    hz = np.fft.rfftfreq(whole.size, 1 / rate)
    return np.fft.irfft(np.fft.rfft(whole) * np.exp(-2j * np.pi * amount * hz**2 / rate), whole.size)


@kind("lucianodato/libspecbleach#124", ("spectral-holes", "gated"), (-30.0, -15.0))
def cells_gated(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Cells of the STFT more than amount dB below a frame's peak are zero: it twitters."""
    return _by_cells(x, lambda size: size > size.max(axis=0) * 10 ** (amount / 20))


@kind("dawsonjon/PicoRX#145", ("spectral-holes", "gated", "high-frequency-loss"), (2.0, 6.0))
def subtracted(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount times each band's median magnitude is subtracted, what is left less than nothing becomes zero."""

    def gain(size: Floats) -> Floats:
        noise = amount * np.median(size, axis=1, keepdims=True)
        return np.maximum(size - noise, 0) / np.maximum(size, 1e-12)

    return _by_cells(x, gain)


# What is added


@kind("facebookresearch/audiocraft#236", ("noise",), (-14.0, -3.0))
def white(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """White noise, amount dB against the sound."""
    return x + at_level(rng.standard_normal(x.size), x, amount)


@kind("common", ("noise",), (-12.0, -3.0))
def pink(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Noise that falls by 3 dB an octave from 40 Hz on, amount dB against the sound."""
    hz = np.fft.rfftfreq(x.size, 1 / rate)
    shaped = np.fft.rfft(rng.standard_normal(x.size)) / np.sqrt(np.maximum(hz, 40))
    return x + at_level(np.fft.irfft(shaped, x.size), x, amount)


@kind("seungwonpark/melgan#30", ("noise", "modulation"), (0.25, 0.7))
def hiss_with_the_sound(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """x (1 + amount n), n white: hiss that comes and goes with the level."""
    return x * (1 + amount * rng.standard_normal(x.size))


@kind("playfultechnology/audio-guestbook#72", ("hum", "tonal"), (-10.0, 0.0))
def hum_of_the_mains(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """50 or 60 Hz and its harmonics up to the ninth, falling as 1/k, amount dB against the sound."""
    return x + at_level(_hum(x.size, rate, rng), x, amount)


@kind("common", ("hum", "tonal", "noise", "segment-inserted"), (-18.0, -6.0))
def hum_in_pauses(x: Floats, rate: int, rng: Rng, amount: float) -> Made:
    """The sound twice with 0.6 s of pause between, which hums at amount dB against the sound."""
    pause = np.zeros(int(0.6 * rate))
    whole = np.concatenate([x, pause, x])
    made = whole.copy()
    made[x.size : x.size + pause.size] = at_level(_hum(pause.size, rate, rng), x, amount)
    return whole, rate, made, rate


@kind("xcmyz/FastVocoder#5", TONES, (8.0, 32.0))
def tones_of_the_stride(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Lines at multiples of rate / amount, of random levels and phases, -14 dB against the sound in all."""
    time, made = np.arange(x.size), np.zeros(x.size)
    for k in range(1, int(amount) // 2):
        made += rng.uniform(0.3, 1) * np.cos(2 * np.pi * (k * time / amount + rng.uniform()))
    return x + at_level(made, x, -14.0)


@kind("fumiama/Retrieval-based-Voice-Conversion-WebUI#87", TONES, (512.0, 256.0))
def buzz_of_the_hop(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Impulses every amount samples, band-limited, -12 dB against the sound: lines at multiples of the frame rate."""
    made = np.zeros(x.size)
    made[:: int(amount)] = 1
    return x + at_level(made - made.mean(), x, -12.0)


@kind("Windfisch/analog-synth#24", ("tonal", "interference", "hum"), (-24.0, -10.0))
def whine(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """1 kHz and two of its harmonics all the time, amount dB against the sound."""
    time = np.arange(x.size) / rate
    return x + at_level(sum(np.sin(2000 * np.pi * k * time) / k**2 for k in (1, 2, 3)), x, amount)


@kind("common", ("interference",), (-18.0, -7.0))
def another_stream_leaks(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Another sound all the time, amount dB against this one."""
    return x + at_level(another(x, rate, rng), x, amount)


@kind("livekit/agents#1077", ("interference", "segment-replaced"), (-12.0, -3.0))
def another_stream_for_a_while(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Another sound during the middle third, amount dB against this one."""
    made, a, b = x.copy(), x.size // 3, 2 * x.size // 3
    other = another(x, rate, rng)[: b - a]
    made[a:b] += at_level(other, x, amount) * signal.get_window(("tukey", 0.1), b - a)
    return made


@kind("common", ("clicks",), (3.0, 15.0))
def clicks(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Amount clicks a second: single samples off by half the peak to the peak."""
    made, count = x.copy(), max(round(amount * x.size / rate), 2)
    at = rng.choice(x.size, count, replace=False)
    made[at] += rng.choice([-1, 1], count) * rng.uniform(0.5, 1, count) * np.abs(x).max()
    return made


@kind("common", ("clicks", "noise"), (40.0, 200.0))
def crackle(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A bad contact: amount crackles a second, 0.2 to 1.5 ms of decaying noise, of very different heights."""
    made = x.copy()
    for at in rng.integers(0, x.size - rate // 100, round(amount * x.size / rate)):
        width = int(rng.uniform(0.0002, 0.0015) * rate) + 1
        burst = rng.standard_normal(width) * np.exp(-3 * np.arange(width) / width)
        made[at : at + width] += 0.5 * np.abs(x).max() * rng.pareto(2.5) * burst
    return np.clip(made, -1, 1)


@kind("remsky/Kokoro-FastAPI#467", ("clicks", "edge-artifact", "tail-added"), (0.4, 0.9))
def pop_at_the_end(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """A pop in the last 5 ms: a step to amount that falls away."""
    made, width = x.copy(), int(0.005 * rate)
    made[-width:] += amount * np.exp(-4 * np.arange(width) / width)
    return made


@kind("common", ("noise",), (-30.0, -15.0))
def noise_after_the_gate(x: Floats, rate: int, rng: Rng, amount: float) -> Floats:
    """Comfort noise, amount dB against the sound, wherever 10 ms are 30 dB below the loudest; and 0.5 s of it after."""
    size, whole = rate // 100, np.pad(x, (0, rate // 2))
    levels = np.repeat(frame_levels(whole, size), size)[: whole.size]
    quiet = levels < levels.max() * 10 ** (-30 / 20)
    noise = rng.standard_normal(whole.size)
    return whole + quiet * noise * 10 ** (amount / 20) * rms(x)


def _again(x: Floats, delays: list[int], gains: list[float]) -> Floats:
    """x and later copies of it, of the length of x."""
    made = x.copy()
    for delay, gain in zip(delays, gains, strict=True):
        made[delay:] += gain * x[: max(x.size - delay, 0)]
    return made


def _hum(length: int, rate: int, rng: Rng) -> Floats:
    """sum of sin(2 pi k f t + phase) / k for k = 1 ... 9, f 50 or 60 Hz."""
    time, mains = np.arange(length) / rate, rng.choice([50, 60])
    return np.sum([np.sin(2 * np.pi * (k * mains * time + rng.uniform())) / k for k in range(1, 10)], axis=0)


def _by_cells(x: Floats, gain: Callable[[Floats], Floats]) -> Floats:
    """x with its STFT (Hann 1024, hop 256) multiplied by gain(magnitudes), of shape (bins, frames)."""
    _, _, cells = signal.stft(x, nperseg=1024, noverlap=768)
    _, made = signal.istft(cells * gain(np.abs(cells)), nperseg=1024, noverlap=768)
    return fitted(np.asarray(made), x.size)
