"""Synthesised sounds of the kinds audio models are trained on, to put faults into, and the real ones beside them.

Every sound is made from a seed of its own, so it is always the same.  The methods are those of the textbooks:
additive synthesis, Karplus and Strong (Computer Music Journal 7(2), 1983), resonators in cascade (Klatt, JASA
67(3), 1980), noise shaped in frequency and time.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from diagnose import audio
from diagnose.audio import Audio
from diagnose.example import bowed_string

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rng = np.random.Generator
    Partial = tuple[float, float, float]

REAL = ("violin.wav", "strings.ogg", "trumpet.ogg", "robin.ogg", "speech.ogg")
REAL_S = 3.0


def _axis(rate: int, seconds: float) -> Floats:
    return np.arange(round(seconds * rate)) / rate


def _take(rate: int, seconds: float, seed: int) -> tuple[int, Floats, Rng]:
    return rate, _axis(rate, seconds), np.random.default_rng(seed)


def _stroke(time: Floats, start: float, stop: float, attack: float, release: float) -> Floats:
    """0 outside start..stop, 1 inside, with squared-sine flanks of attack and release s."""
    rise = np.clip((time - start) / attack, 0, 1)
    fall = np.clip((stop - time) / release, 0, 1)
    return np.sin(np.pi / 2 * rise) ** 2 * np.sin(np.pi / 2 * fall) ** 2


def _decay(time: Floats, start: float, t60: float, attack: float = 0.004) -> Floats:
    """0 before start, then a squared-sine rise and a fall of 60 dB in t60 s."""
    since = np.maximum(time - start, 0)
    return np.sin(np.pi / 2 * np.clip(since / attack, 0, 1)) ** 2 * np.exp(-np.log(1000) * since / t60)


def _contour(time: Floats, notes: Sequence[tuple[float, float]], glide: float) -> Floats:
    """Pitch in Hz that goes to each (start in s, Hz) within glide s, straight in log frequency."""
    at = [x for start, _ in notes for x in (start, start + glide)][1:]
    octaves = [np.log2(hz) for _, hz in notes for _ in range(2)][:-1]
    return 2 ** np.interp(time, at, octaves)


def _harmonics(f0_hz: Floats, rate: int, gain: Callable[[int, Floats], Floats], rng: Rng | None = None) -> Floats:
    """sum_k gain(k, k f0) sin(k phase + phi_k) over the partials below 0.45 rate; phi_k is 0 without a generator."""
    phase = 2 * np.pi * np.cumsum(f0_hz) / rate
    sound = np.zeros_like(f0_hz)
    for k in range(1, int(0.45 * rate / f0_hz.min()) + 1):
        audible = np.clip((0.45 * rate - k * f0_hz) / 500, 0, 1)
        sound += audible * gain(k, k * f0_hz) * np.sin(k * phase + (rng.uniform(0, 2 * np.pi) if rng else 0.0))
    return sound


def _struck(time: Floats, start: float, partials: Iterable[Partial], rng: Rng) -> Floats:
    """Damped partials (Hz, amplitude, t60 in s) that begin together at start, each at its own phase."""
    sound = np.zeros_like(time)
    for hz, amplitude, t60 in partials:
        heard = slice(*np.searchsorted(time, (start, start + 1.6 * t60)))  # down to -96 dB
        angle = 2 * np.pi * hz * time[heard] + rng.uniform(0, 2 * np.pi)
        sound[heard] += amplitude * _decay(time[heard], start, t60) * np.sin(angle)
    return sound


def _noise(rng: Rng, size: int, rate: int, low_hz: float, high_hz: float) -> Floats:
    """Gaussian noise of unit power, 12 dB an octave down below low_hz and above high_hz."""
    hz = np.maximum(np.fft.rfftfreq(size, 1 / rate), 1.0)
    shape = 1 / (1 + (low_hz / hz) ** 2) / (1 + (hz / high_hz) ** 2)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(size)) * shape, size)
    return noise / noise.std()


def _wander(rng: Rng, size: int, rate: int, per_s: float) -> Floats:
    """Slow noise about 0: Gaussian knots of unit power, per_s a second, joined by straight lines."""
    knots = rng.standard_normal(int(size / rate * per_s) + 3)
    return np.interp(np.arange(size) * per_s / rate, np.arange(knots.size), knots)


def _resonator(sound: Floats, rate: int, hz: Floats | float, width_hz: float) -> Floats:
    """y[n] = a x[n] + b y[n-1] + c y[n-2], a = 1 - b - c: one formant, which may move (Klatt 1980, eq. 1-4)."""
    radius = np.exp(-np.pi * width_hz / rate)
    b = 2 * radius * np.cos(2 * np.pi * np.broadcast_to(hz, sound.shape) / rate)
    c = -(radius**2)
    before, last, out = 0.0, 0.0, []
    for x, turn in zip(((1 - b - c) * sound).tolist(), b.tolist(), strict=True):
        before, last = last, x + turn * last + c * before
        out.append(last)
    return np.array(out)


def _pan(sound: Floats, position: float) -> Floats:
    """Two channels of constant power; position -1 is left, 1 is right."""
    angle = np.pi / 4 * (1 + position)
    return np.stack([np.cos(angle) * sound, np.sin(angle) * sound])


def _finished(sound: Floats, rate: int, rng: Rng, name: str, peak: float, floor_dbfs: float = -np.inf) -> Audio:
    """Centred, faded over 5 ms at both ends, scaled to peak, over a floor of white noise of floor_dbfs."""
    channels = np.atleast_2d(sound)
    channels = channels - channels.mean(axis=-1, keepdims=True)
    time = _axis(rate, channels.shape[-1] / rate)
    channels *= peak * _stroke(time, 0, time[-1], 0.005, 0.005) / np.abs(channels).max()
    channels += 10 ** (floor_dbfs / 20) * rng.standard_normal(channels.shape)
    return Audio(channels.astype(np.float32), rate, name)


def plucked_melody() -> Audio:
    """Seven plucked strings: Karplus-Strong loops filled with softened noise, the last one left to ring."""
    rate, time, rng = _take(44_100, 2.4, 1)
    sound = np.zeros_like(time)
    melody = (329.6, 392.0, 440.0, 493.9, 392.0, 587.3, 329.6)
    for index, hz in enumerate(melody):
        start = 0.04 + 0.27 * index
        stop = 2.39 if index == len(melody) - 1 else start + 0.45
        sound += _string(rng, time, round(rate / hz - 0.5), start) * _stroke(time, start, stop, 0.003, 0.12)
    return _finished(sound, rate, rng, "plucked melody", 0.75)


def _string(rng: Rng, time: Floats, period: int, start: float) -> Floats:
    """y[n] = 0.996 (y[n - N] + y[n - N - 1]) / 2, N the period, from start on."""
    burst = np.convolve(rng.uniform(-1, 1, period + 4), np.ones(4) / 4, "valid")[: period + 1]
    rounds = [burst - burst.mean()]
    first = int(np.searchsorted(time, start))
    for _ in range((time.size - first) // period + 1):
        last = rounds[-1]
        rounds.append(np.append(last[-1:], 0.498 * (last[1:] + last[:-1])))
    loop = np.concatenate([part[1:] for part in rounds])
    return np.pad(loop, (first, 0))[: time.size]


def piano_chords() -> Audio:
    """Four chords of stretched, struck partials (B = 0.0004) with hammer noise, low notes left, high ones right."""
    rate, time, rng = _take(44_100, 2.6, 2)
    sound = np.zeros((2, time.size))
    chords = ((48, 60, 64, 67), (45, 57, 60, 64), (41, 57, 60, 65), (43, 59, 62, 67))
    for index, chord in enumerate(chords):
        start = 0.05 + 0.6 * index
        heard = slice(*np.searchsorted(time, (start, start + 0.74)))
        held = _stroke(time[heard], start, start + 0.74, 0.002, 0.15)
        for note in chord:
            at = start + rng.uniform(0, 0.012)
            prompt, after = _hammered(440 * 2 ** ((note - 69) / 12))
            sound[:, heard] += _pan(_struck(time[heard], at, prompt, rng) * held, (note - 56) / 20)
            sound[:, heard] += _pan(_struck(time[heard], at, after, rng) * held, (56 - note) / 30)
        sound += 0.08 * _noise(rng, time.size, rate, 80, 900) * _decay(time, start, 0.08)
    return _finished(sound, rate, rng, "piano chords", 0.7, -78)


def _hammered(f0: float) -> tuple[Iterable[Partial], Iterable[Partial]]:
    """Partials of the strings' two planes of motion: prompt sound and aftersound (Weinreich 1977)."""
    k = np.arange(1, int(7000 / f0))
    hz = k * f0 * np.sqrt(1 + 0.0004 * k**2)
    strike = np.abs(np.sin(np.pi * k / 7.3)) / k * 10 ** (-hz / 9000)
    prompt = zip(hz, strike, 2.6 / (1 + hz / 700), strict=True)
    return prompt, zip(1.0006 * hz, 0.4 * strike, 8 / (1 + hz / 1500), strict=True)


def spoken_syllables() -> Audio:
    """Four syllables: glottal pulses of falling pitch through four moving formants, fricatives, pauses, a room."""
    rate, time, rng = _take(16_000, 2.5, 3)
    f0 = np.interp(time, [0.2, 0.4, 0.7, 0.8, 1.3, 1.6, 2.3], [118, 136, 112, 124, 105, 112, 78])
    f0 *= 1 + 0.008 * _wander(rng, time.size, rate, 60)
    spans = ((0.22, 0.55, 1.0), (0.62, 0.9, 0.8), (1.2, 1.46, 0.75), (1.6, 2.25, 0.6))
    voiced = sum(level * _stroke(time, start, stop, 0.04, 0.07) for start, stop, level in spans)
    source = _harmonics(f0, rate, lambda k, hz: 1 / k / (1 + (hz / 2500) ** 2) ** 0.5)
    sound = (source + 0.02 * rng.standard_normal(time.size)) * voiced
    knots = [0.22, 0.5, 0.65, 0.9, 1.2, 1.45, 1.6, 1.9, 2.25]
    for track, width in (
        ((450, 750, 420, 480, 600, 550, 350, 300, 650), 70),
        ((1500, 1200, 900, 850, 1600, 1700, 1500, 2200, 1250), 90),
        ((2500, 2450, 2300, 2350, 2500, 2550, 2500, 2900, 2500), 130),
        (9 * (3500,), 200),
    ):
        sound = _resonator(sound, rate, np.interp(time, knots, track), width)
    sound /= np.abs(sound).max()
    hiss = _noise(rng, time.size, rate, 5000, 7500) * _stroke(time, 0.06, 0.24, 0.05, 0.04)
    burst = _noise(rng, time.size, rate, 2500, 6000) * _decay(time, 1.14, 0.09)
    hush = _noise(rng, time.size, rate, 2200, 4500) * _stroke(time, 1.46, 1.63, 0.05, 0.05)
    sound += 0.05 * hiss + 0.06 * burst + 0.05 * hush
    return _finished(sound, rate, rng, "spoken syllables", 0.6, -70)


def flute() -> Audio:
    """A melody of few partials with growing vibrato in pitch and level, breath noise that follows the blowing."""
    rate, time, rng = _take(22_050, 2.4, 4)
    notes = ((0.05, 587.3), (0.5, 659.3), (0.85, 740.0), (1.25, 880.0), (1.5, 784.0))
    wave = np.sin(2 * np.pi * 5.2 * time) * np.clip((time - 1.5) / 0.4, 0.15, 1)
    f0 = _contour(time, notes, 0.025) * 2 ** (18 * wave / 1200)
    tongue = 1 - sum(0.7 * np.exp(-(((time - start) / 0.015) ** 2)) for start, _ in notes[1:])
    blowing = _stroke(time, 0.05, 2.36, 0.07, 0.18) * tongue * (1 + 0.2 * wave)
    tone = _harmonics(f0, rate, lambda k, _: blowing ** (0.7 + 0.3 * k) * (1, 0.25, 0.07)[min(k, 3) - 1] * 2.0**-k, rng)
    sound = tone + 0.012 * blowing * _noise(rng, time.size, rate, 700, 5000)
    return _finished(sound, rate, rng, "flute", 0.6, -76)


def drum_loop() -> Audio:
    """A bar at 120: falling-sine kick, snare of two modes and noise, high-passed hats off the centre, a room."""
    rate, time, rng = _take(44_100, 2.1, 5)
    sound = np.zeros((2, time.size))
    for start in (0.05, 0.8, 1.05, 1.425):
        angle = 2 * np.pi * np.cumsum(48 + 130 * 10 ** (-np.maximum(time - start, 0) / 0.05)) / rate
        sound += _pan(0.9 * np.sin(angle) * _decay(time, start, 0.4, 0.003), 0.0)
    for start in (0.55, 1.55):
        sound += _pan(_struck(time, start, ((186, 0.5, 0.2), (331, 0.3, 0.15)), rng), -0.4)
        for channel, level in enumerate((0.3, 0.16)):
            sound[channel] += level * _noise(rng, time.size, rate, 1500, 9000) * _decay(time, start, 0.3, 0.002)
    for index in range(8):
        length = 0.35 if index == 7 else 0.09
        hat = _noise(rng, time.size, rate, 9000, 18_000) * _decay(time, 0.05 + 0.25 * index, length, 0.001)
        sound += _pan((0.15 if index % 2 else 0.1) * hat, 0.7)
    return _finished(sound, rate, rng, "drum loop", 0.85, -72)


def brass_swell() -> Audio:
    """One note from soft to loud, its partials falling by 7 dB each at first and 1.2 dB at the top, lips unsteady."""
    rate, time, rng = _take(44_100, 2.5, 6)
    force = np.clip(time / 1.9, 0, 1) ** 1.5
    cents = -60 * np.exp(-time / 0.04) + 5 * _wander(rng, time.size, rate, 25)
    f0 = 233.1 * 2 ** ((cents + 12 * force * np.sin(2 * np.pi * 5 * time)) / 1200)
    fall_db = 7 - 5.8 * force
    tone = _harmonics(f0, rate, lambda k, _: 10 ** (-fall_db * (k - 1) / 20))
    blow = _stroke(time, 0.03, 2.45, 0.06, 0.25) * (0.12 + 0.88 * force)
    blow *= 1 + 0.03 * _wander(rng, time.size, rate, 40)
    sound = blow * (tone / np.abs(tone).max() + 0.004 * _noise(rng, time.size, rate, 400, 4000))
    return _finished(sound, rate, rng, "brass swell", 0.8, -80)


def singing_voice() -> Audio:
    """A sung phrase, ah to oh: pulses with vibrato of half a semitone through six formants, some breath."""
    rate, time, rng = _take(24_000, 2.6, 7)
    vibrato = 50 * np.sin(2 * np.pi * 5.7 * time + 0.3 * _wander(rng, time.size, rate, 4))
    vibrato *= np.clip((time - 0.25) / 0.35, 0.1, 1)
    notes = ((0.05, 293.7), (0.75, 329.6), (1.2, 392.0))
    f0 = _contour(time, notes, 0.09) * 2 ** ((vibrato + 4 * _wander(rng, time.size, rate, 30)) / 1200)
    sound = _harmonics(f0, rate, lambda k, _: np.array(k**-0.9))
    sound = (sound + 0.02 * rng.standard_normal(time.size)) * _stroke(time, 0.05, 2.52, 0.12, 0.3)
    vowel = np.clip((time - 0.9) / 0.5, 0, 1)
    formants = ((760 - 260 * vowel, 90), (1220 - 330 * vowel, 100), (2750, 120), (3300, 150), (4200, 250), (5300, 400))
    for hz, width in formants:
        sound = _resonator(sound, rate, hz, width)
    breath = _noise(rng, time.size, rate, 3000, 9000) * np.abs(sound).max()
    sound += 0.002 * breath * _stroke(time, 0.05, 2.52, 0.12, 0.3)
    return _finished(sound, rate, rng, "singing voice", 0.65, -75)


def church_bell() -> Audio:
    """One stroke: the partials of a tuned bell (hum, prime, tierce, quint, nominal ...) in beating pairs."""
    rate, time, rng = _take(48_000, 3.0, 8)
    ratios = np.array((0.5, 1.0, 1.2, 1.5, 2.0, 2.51, 2.66, 3.01, 4.17, 5.43, 6.8, 8.2, 9.7, 11.9, 14.2, 17.1))
    pairs = [(587.3 * r * beat, 1 / (1.2 + 0.4 * r), 9 / (0.7 + 0.6 * r)) for r in ratios for beat in (1.0, 1.0015)]
    sound = _struck(time, 0.04, pairs, rng)
    sound += 0.4 * _noise(rng, time.size, rate, 2000, 9000) * _decay(time, 0.04, 0.06)
    return _finished(sound * _stroke(time, 0.04, 2.99, 0.001, 0.3), rate, rng, "church bell", 0.7, -79)


def hall_ensemble() -> Audio:
    """Four bowed strings entering one by one, each from its place, in a hall: noise that dies by 60 dB in 1.1 s."""
    rate, whole, rng = _take(44_100, 2.8, 9)
    sound = np.zeros((2, whole.size))
    for index, (hz, place) in enumerate(((196.0, 0.8), (293.7, 0.3), (392.0, -0.3), (493.9, -0.8))):
        note = bowed_string(hz, 1.7 - 0.12 * index, rate, rng).mono
        first = round((0.03 + 0.12 * index) * rate)
        sound[:, first : first + note.size] += _pan(note.astype(float), place)
    time, size = _axis(rate, 1.2), 2 * whole.size
    for channel in sound:
        tail = _noise(rng, time.size, rate, 150, 3500) * _decay(time, 0.012, 1.1)
        wet = np.fft.irfft(np.fft.rfft(channel, size) * np.fft.rfft(tail, size), size)[: whole.size]
        channel += 0.9 * wet / np.sqrt(np.sum(tail**2))
    sound *= _stroke(whole, 0, 2.79, 0.01, 0.15)
    return _finished(sound, rate, rng, "hall ensemble", 0.7, -80)


def electric_bass() -> Audio:
    """A riff of plucked low strings: partials up to about 1 kHz that die the sooner the higher, damped between."""
    rate, time, rng = _take(22_050, 2.2, 10)
    sound = np.zeros_like(time)
    riff = ((0.03, 55.0), (0.33, 55.0), (0.53, 82.4), (0.93, 73.4), (1.23, 65.4), (1.53, 49.0))
    stops = (0.28, 0.52, 0.88, 1.2, 1.5, 2.17)
    for (start, hz), stop in zip(riff, stops, strict=True):
        ks = np.arange(1, int(3000 / hz))
        levels = np.abs(np.sin(0.22 * np.pi * ks)) / ks / (1 + (ks * hz / 700) ** 4)
        partials = zip(ks * hz, levels, 3 / (1 + ks * hz / 250), strict=True)
        sound += _struck(time, start, partials, rng) * _stroke(time, start, stop, 0.006, 0.04)
    return _finished(sound, rate, rng, "electric bass", 0.8, -74)


def synth_pad() -> Audio:
    """A seventh chord of detuned saws, filter opening, sent through a chorus: three wandering delays a channel."""
    rate, time, rng = _take(22_050, 2.6, 11)
    opening = 600 + 1800 * np.clip(time / 1.8, 0, 1)
    dry = np.zeros_like(time)
    for hz in (146.8, 220.0, 261.6, 329.6):
        for detune in (0.9975, 1.0025):
            f0 = np.full_like(time, hz * detune)
            dry += _harmonics(f0, rate, lambda k, hz: 1 / k / (1 + (hz / opening) ** 2), rng)
    dry *= _stroke(time, 0.02, 2.58, 0.5, 0.5)
    sound = np.stack([dry, dry])
    for channel in sound:
        for speed in rng.uniform(0.5, 1.4, 3):
            delay = 0.014 + 0.004 * np.sin(2 * np.pi * (speed * time + rng.uniform()))
            channel += 0.8 * np.interp(time - delay, time, dry, left=0.0)
    return _finished(sound, rate, rng, "synth pad", 0.6)


def bird_chirps() -> Audio:
    """Three phrases of swept, trilled whistles between 2.2 and 6.5 kHz with pauses, leaves rustling far away."""
    rate, time, rng = _take(44_100, 2.4, 12)
    sound = np.zeros_like(time)
    for phrase in (0.1, 0.85, 1.7):
        for index in range(int(rng.integers(3, 6))):
            start, length = phrase + 0.115 * index, rng.uniform(0.06, 0.1)
            along = np.clip((time - start) / length, 0, 1)
            low, high = rng.uniform(2200, 3800), rng.uniform(4200, 6500)
            hz = low + (high - low) * (along if index % 2 else 1 - along) ** 1.5
            hz = hz + 250 * np.sin(2 * np.pi * 45 * time)
            whistle = _harmonics(hz, rate, lambda k, _: np.array((1.0, 0.06, 0.02)[min(k, 3) - 1]))
            sound += rng.uniform(0.5, 1) * whistle * _stroke(time, start, start + length, 0.015, 0.025)
    sound += 0.0005 * _noise(rng, time.size, rate, 300, 3000)
    return _finished(sound, rate, rng, "bird chirps", 0.55, -78)


def reed_organ() -> Audio:
    """A stepwise tune over a held fifth: odd partials stronger, a slow tremulant, wind noise in the pipes."""
    rate, time, rng = _take(22_050, 2.3, 13)
    tremulant = 1 + 0.06 * np.sin(2 * np.pi * 6.3 * time)
    notes = ((0.04, 392.0), (0.42, 440.0), (0.8, 493.9), (1.18, 440.0), (1.56, 523.3))
    pipes = [(hz, start, start + 0.39 if start < 1.5 else 2.26, 1.0) for start, hz in notes]
    sound = 0.006 * _noise(rng, time.size, rate, 300, 4000)
    for hz, start, stop, level in (*pipes, (130.8, 0.04, 2.26, 0.45), (196.0, 0.04, 2.26, 0.45)):
        pipe = _harmonics(np.full_like(time, hz), rate, lambda k, hz: (0.35, 1)[k % 2] / k * 10 ** (-hz / 9000), rng)
        sound += level * tremulant * pipe * _stroke(time, start, stop, 0.02, 0.04)
    return _finished(sound, rate, rng, "reed organ", 0.6)


def saw_arpeggio() -> Audio:
    """A sawtooth lead in sixteenths through a resonant low-pass that each note opens and the phrase sweeps."""
    rate, time, rng = _take(44_100, 2.1, 14)
    steps = (0, 7, 12, 15, 19, 15, 12, 7, 3, 10, 15, 19)
    notes = [(0.03 + 0.165 * index, 110 * 2 ** (step / 12)) for index, step in enumerate(steps)]
    gate = sum(_stroke(time, start, start + 0.15, 0.006, 0.025) for start, _ in notes)
    since = np.min([np.where(time >= start, time - start, 9.0) for start, _ in notes], axis=0)
    corner = (500 + 3500 * np.sin(np.pi * time / 2.1) ** 2) * (1 + 1.5 * np.exp(-since / 0.05))
    f0 = _contour(time, notes, 0.004)
    sound = gate * _harmonics(f0, rate, lambda k, hz: 1 / k / np.hypot(1 - (hz / corner) ** 2, hz / corner / 2.5))
    return _finished(sound, rate, rng, "saw arpeggio", 0.75, -80)


def surf() -> Audio:
    """An effect: three bands of noise that swell one after the other, as a wave rises, breaks and runs out."""
    rate, time, rng = _take(22_050, 2.8, 15)
    sound = np.zeros_like(time)
    for low, high, top, level in ((60, 300, 1.0, 0.5), (300, 1500, 1.2, 1.0), (2000, 8000, 1.5, 0.7)):
        swell = 0.08 + np.exp(-(((time - top) / 0.55) ** 2)) * (1 + 0.2 * _wander(rng, time.size, rate, 12))
        sound += level * swell * _noise(rng, time.size, rate, low, high)
    return _finished(sound * _stroke(time, 0, 2.8, 0.1, 0.2), rate, rng, "surf", 0.7)


MAKERS = (
    *(plucked_melody, piano_chords, spoken_syllables, flute, drum_loop, brass_swell, singing_voice, church_bell),
    *(hall_ensemble, electric_bass, synth_pad, bird_chirps, reed_organ, saw_arpeggio, surf),
)
SOUNDS: dict[str, Callable[[], Audio]] = {make.__name__: make for make in MAKERS}


def real_sounds(folder: str | os.PathLike[str]) -> dict[str, Audio]:
    """Those of violin.wav, strings.ogg, trumpet.ogg, robin.ogg and speech.ogg that are in folder, by file name.

    Each is cut to at most 3 s that begin 10 ms before the first sample within 40 dB of the peak.
    """
    paths = {name: os.path.join(folder, name) for name in REAL}
    return {name: _from_first_sound(audio.read(path)) for name, path in paths.items() if os.path.isfile(path)}


def _from_first_sound(sound: Audio) -> Audio:
    level = np.abs(sound.samples).max(axis=0)
    first = max(int(np.argmax(level > 0.01 * level.max())) - round(0.01 * sound.rate), 0)
    return Audio(sound.samples[:, first : first + round(REAL_S * sound.rate)].copy(), sound.rate, sound.name)


def held_out(names: Sequence[str]) -> set[str]:
    """Every third name (the third, the sixth ...): what is tuned on the others is tested on these."""
    return {name for index, name in enumerate(names) if index % 3 == 2}
