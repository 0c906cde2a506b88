"""What foreign.py lists: faults made by filters, effects, formats and transforms of ffmpeg, SoX, libsndfile and others.

Each function breaks a sound by an amount, with a generator for what is drawn: break_by(audio, amount, rng).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import foreign_tools as tools
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from diagnose.audio import Audio

    Rng = np.random.Generator
    Break = Callable[[Audio, float, Rng], Audio]

PIVOT_HZ = 1000.0
LOWEST_HZ = 30.0
HOLE_S = (0.03, 0.09)
CLICKS_APART_S = 0.04
PARTIALS = ((1, 1.0), (2, 0.5), (3, 0.7), (5, 0.3))  # of a hum: number, amplitude
FRAME = 64  # ffmpeg switches its filters on and off between frames


def by_filter(template: str, scale: float = 1.0) -> Break:
    """ffmpeg's filters, with {0} for the setting."""
    return lambda audio, amount, _: tools.ffmpeg(audio, template.format(amount), scale)


def by_effect(template: str, scale: float = tools.QUIET) -> Break:
    """SoX's effects, with {0} for the setting."""
    return lambda audio, amount, _: tools.sox(audio, template.format(amount).split(), scale)


def by_transform(name: str, keys: Sequence[str], fixed: Mapping[str, tools.Setting] | None = None) -> Break:
    """A transform of audiomentations, with the setting under every key."""
    return lambda audio, amount, _: tools.transformed(audio, name, {**dict.fromkeys(keys, amount), **(fixed or {})}, {})


# Level


def ffmpeg_offset(audio: Audio, share: float, _: Rng) -> Audio:
    """dcshift, by a share of the RMS."""
    return tools.ffmpeg(audio, f"dcshift={tools.QUIET * share * tools.rms(audio.samples):.9g}", tools.QUIET)


def sox_offset(audio: Audio, share: float, _: Rng) -> Audio:
    return tools.sox(audio, ["dcshift", f"{tools.QUIET * share * tools.rms(audio.samples):.9f}"])


def _quantile(audio: Audio, share: float) -> float:
    """The amplitude that a share of the samples exceeds; at least -60 dBFS."""
    return max(float(np.quantile(np.abs(audio.samples), 1 - share)), 1e-3)


def ffmpeg_hard(audio: Audio, share: float, _: Rng) -> Audio:
    return tools.ffmpeg(audio, f"asoftclip=type=hard:threshold={min(_quantile(audio, share), 1):.9g}")


def ffmpeg_soft(curve: str) -> Break:
    """asoftclip, driven so many times beyond the amplitude that 1 % of the samples exceed."""
    return lambda audio, drive, _: tools.ffmpeg(
        audio, f"asoftclip=type={curve}:threshold={min(_quantile(audio, 0.01) / drive, 1):.9g}"
    )


def sox_hard(audio: Audio, share: float, _: Rng) -> Audio:
    """Too high a gain before a stage of integers, and the gain back after it."""
    gain = 1 / _quantile(audio, share)
    return tools.sox(audio, ["vol", f"{gain:.9f}", "vol", f"{1 / gain:.9f}"], 1.0, clips=True)


def sox_contrast(audio: Audio, times: float, _: Rng) -> Audio:
    """sin(pi / 2 x), so many times, of the sound at full scale; slope 1 at 0."""
    full = 0.999 / float(np.abs(audio.samples).max())
    curves = ["contrast", "0"] * round(times)
    return tools.sox(audio, [*curves, "vol", f"{(2 / np.pi) ** round(times):.9f}"], full, clips=True)


def sndfile_hard(audio: Audio, share: float, _: Rng) -> Audio:
    """Too loud for a file of 24 bits."""
    return tools.sndfile(audio, "PCM_24", 1 / _quantile(audio, share))


def clipped_percent(audio: Audio, percent: float, _: Rng) -> Audio:
    settings = {"min_percentile_threshold": round(percent), "max_percentile_threshold": round(percent)}
    return tools.transformed(audio, "ClippingDistortion", settings, {})


def crushed(audio: Audio, bits: float, _: Rng) -> Audio:
    """BitCrush rounds to multiples of 1 / (2**(bits - 1) + 1)."""
    return tools.transformed(audio, "BitCrush", {"min_bit_depth": round(bits), "max_bit_depth": round(bits)}, {})


def sox_eight_bits(audio: Audio, down_db: float, _: Rng) -> Audio:
    return tools.sox(audio, [], _down(down_db), ("-b", "8"), clips=True)


def sndfile_eight_bits(audio: Audio, down_db: float, _: Rng) -> Audio:
    """libsndfile rounds down where it is told to clip, as soundfile does: an offset of half a step comes with it."""
    return tools.sndfile(audio, "PCM_U8", _down(down_db))


def _down(decibels: float) -> float:
    """The power of two next to that much attenuation."""
    return float(2.0 ** -round(decibels / 6.02))


# Spectrum


def lowpass_steep(audio: Audio, cutoff_hz: float, _: Rng) -> Audio:
    return tools.ffmpeg(audio, ",".join(4 * [f"lowpass=f={cutoff_hz}"]))


def firequalizer(gain_db: str) -> Break:
    """An expression in dB of f in Hz, {0} the setting.  Its zero phase means times before 0, which are cut off."""
    return lambda audio, amount, _: tools.ffmpeg(
        audio, f"firequalizer=gain='{gain_db.format(amount)}':zero_phase=on:delay=0.05,atrim=start=0"
    )


def atilt(audio: Audio, db_per_octave: float, _: Rng) -> Audio:
    """atilt from 30 Hz to 10 kHz or 0.4 rate, slope 1 being 6.02 dB an octave, and the gain back that 1 kHz has got."""
    width = min(10_000, round(0.4 * audio.rate))  # beyond half the rate it gives values that are not finite
    back_db = -db_per_octave * np.log2(PIVOT_HZ / LOWEST_HZ)
    slope = db_per_octave / (20 * np.log10(2))
    return tools.ffmpeg(
        audio, f"atilt=freq={LOWEST_HZ:g}:width={width}:slope={slope:.6f}:order=16,volume={back_db:.6f}dB"
    )


def firfit(audio: Audio, db_per_octave: float, _: Rng) -> Audio:
    """SoX's filter through knots of Hz and dB; it counts as experimental there."""
    hz = LOWEST_HZ * 2 ** np.arange(0, np.log2(audio.rate / 2 / LOWEST_HZ), 1 / 3)
    knots = "\n".join(f"{at:.3f} {db_per_octave * np.log2(at / PIVOT_HZ):.4f}" for at in hz)
    return tools.sox(audio, ["firfit", "knots.txt"], extra={"knots.txt": knots})


def centre_hz(audio: Audio) -> float:
    """The frequency below which half the summed magnitude lies, from 200 Hz to a fifth of the rate."""
    magnitude = np.abs(np.fft.rfft(audio.mono.astype(np.float64)))
    half = np.searchsorted(np.cumsum(magnitude), magnitude.sum() / 2)
    return float(np.clip(half * audio.rate / audio.length, 200, audio.rate / 5))


def ffmpeg_gap(audio: Audio, octaves: float, _: Rng) -> Audio:
    """A notch, its -3 dB points so many octaves apart."""
    return tools.ffmpeg(audio, f"bandreject=f={centre_hz(audio):.3f}:t=o:w={octaves}")


def sox_notch(audio: Audio, octaves: float, _: Rng) -> Audio:
    return tools.sox(audio, ["bandreject", f"{centre_hz(audio):.3f}", f"{octaves}o"])


def sox_gap(audio: Audio, octaves: float, _: Rng) -> Audio:
    """sinc without phase: the band gone by 120 dB."""
    centre, half = centre_hz(audio), 2 ** (octaves / 2)
    return tools.sox(audio, ["sinc", "-t", f"{centre / 20:.3f}", f"{centre * half:.3f}-{centre / half:.3f}"])


def band_stop(audio: Audio, octaves: float, _: Rng) -> Audio:
    """A Butterworth band stop of 24 dB an octave about the centre."""
    width = 2 ** (octaves / 2) - 2 ** (-octaves / 2)
    settings = {"center_freq": centre_hz(audio), "bandwidth_fraction": width, "rolloff": 24}
    both = {f"{end}_{name}": value for name, value in settings.items() for end in ("min", "max")}
    return tools.transformed(audio, "BandStopFilter", both, {})


# Time


def holes(audio: Audio, share: float, rng: Rng) -> list[tuple[int, int]]:
    """Samples from and to of holes of 30 to 90 ms where the sound is not silent, apart, which fill a share of it."""
    level = np.abs(audio.mono)
    loud = np.flatnonzero(level > 0.1 * level.max())
    gone = np.zeros(audio.length + 2, bool)  # bordered, so that every hole has two ends
    while gone.mean() < share:
        start = int(rng.choice(loud)) // FRAME * FRAME
        gone[1 + start : 1 + start + round(rng.uniform(*HOLE_S) * audio.rate / FRAME) * FRAME] = True
        gone[[0, -1]] = False
    ends = np.flatnonzero(np.diff(gone)).reshape(-1, 2)
    return [(int(start), int(stop)) for start, stop in ends]


def ffmpeg_holes(audio: Audio, share: float, rng: Rng) -> Audio:
    """volume=0 while a time lies in a hole, in frames of 64 samples: times at the middles of the frames before."""
    spans = [((a - FRAME / 2) / audio.rate, (b - FRAME / 2) / audio.rate) for a, b in holes(audio, share, rng)]
    when = "+".join(f"between(t,{start:.7f},{stop:.7f})" for start, stop in spans)
    return tools.ffmpeg(audio, f"asetnsamples=n={FRAME}:p=0,volume=0:enable='{when}'")


def sox_holes(audio: Audio, share: float, rng: Rng) -> Audio:
    """trim leaves the holes out, and pad puts silence where they were."""
    spans = holes(audio, share, rng)
    cuts = [f"={at}s" for span in spans for at in span if at < audio.length]
    widths = np.array([stop - start for start, stop in spans])
    before = np.cumsum(widths) - widths  # samples left out so far
    pads = [f"{width}s@{start - gone}s" for (start, _), width, gone in zip(spans, widths, before, strict=True)]
    return tools.sox(audio, ["trim", "0", *cuts, "pad", *pads])


def time_mask(audio: Audio, share: float, rng: Rng) -> Audio:
    """One hole with fades of 5 ms, about a place that is not silent."""
    level = np.abs(audio.mono)
    width = round(share * audio.length)
    middle = int(rng.choice(np.flatnonzero(level > 0.1 * level.max())))
    start = min(max(middle - width // 2, 0), audio.length - width)
    return tools.transformed(audio, "TimeMask", {}, {"t": width, "t0": start})


# Added


def _weight(audio: Audio, added: Audio, level_db: float) -> float:
    """The factor that brings what is added to level_db above the RMS of the sound."""
    return float(10 ** (level_db / 20) * tools.rms(audio.samples) / tools.rms(added.samples))


def _ffmpeg_adds(audio: Audio, graph: str, level_db: float) -> Audio:
    added = tools.ffmpeg_makes(audio, graph)
    return tools.ffmpeg_mixes(audio, added, _weight(audio, added, level_db))


def ffmpeg_noise(colour: str) -> Break:
    def add(audio: Audio, level_db: float, rng: Rng) -> Audio:
        source = f"anoisesrc=c={colour}:r={audio.rate}:d={audio.duration_s + 0.1:.4f}:s={rng.integers(2**31)}"
        return _ffmpeg_adds(audio, source, level_db)

    return add


def sox_noise(colour: str) -> Break:
    """SoX's generator starts always alike: a seed takes another stretch of its noise."""

    def add(audio: Audio, level_db: float, rng: Rng) -> Audio:
        skipped = int(rng.integers(5 * audio.rate))
        effects = ["synth", f"{skipped + audio.length}s", colour, "trim", f"{skipped}s"]
        added = tools.sox_makes(audio, audio.channels, effects)
        return tools.sox_mixes(audio, added, _weight(audio, added, level_db))

    return add


def gaussian(audio: Audio, level_db: float, rng: Rng) -> Audio:
    settings = {"min_snr_db": -level_db, "max_snr_db": -level_db}
    return tools.seeded_transform(audio, "AddGaussianSNR", settings, int(rng.integers(2**31)))


def ffmpeg_hum(audio: Audio, level_db: float, _: Rng) -> Audio:
    """60 Hz and three harmonics: sine sources through amix."""
    length = f"r={audio.rate}:d={audio.duration_s + 0.1:.4f}"
    sources = ";".join(f"sine=f={60 * number}:{length}[p{number}]" for number, _ in PARTIALS)
    weights = " ".join(f"{height}" for _, height in PARTIALS)
    labels = "".join(f"[p{number}]" for number, _ in PARTIALS)
    mix = f"{labels}amix=inputs={len(PARTIALS)}:normalize=0:weights='{weights}'"
    return _ffmpeg_adds(audio, f"{sources};{mix}", level_db)


def sox_hum(audio: Audio, level_db: float, rng: Rng) -> Audio:
    """50 Hz and three harmonics, each at a phase of its own: channels of synth, mixed by remix."""
    tones = [word for n, _ in PARTIALS for word in ("sine", f"{50 * n}", "0", f"{rng.integers(100)}")]
    mix = ",".join(f"{index}v{height / 4}" for index, (_, height) in enumerate(PARTIALS, 1))
    effects = ["synth", f"{audio.length}s", *tones, "remix", *audio.channels * [mix]]
    added = tools.sox_makes(audio, len(PARTIALS), effects)
    return tools.sox_mixes(audio, added, _weight(audio, added, level_db))


def click_places(audio: Audio, per_second: float, rng: Rng) -> list[int]:
    """Samples of clicks, 40 ms or more apart and from both ends."""
    cells = np.arange(CLICKS_APART_S, audio.duration_s - 2 * CLICKS_APART_S, 2 * CLICKS_APART_S)
    count = min(max(round(per_second * audio.duration_s), 1), cells.size)
    chosen = np.sort(rng.choice(cells, count, replace=False)) + rng.uniform(0, CLICKS_APART_S, count)
    return [round(at * audio.rate) for at in chosen]


def ffmpeg_clicks(audio: Audio, per_second: float, rng: Rng) -> Audio:
    """aeval adds 0.5 to 1 times the peak, up or down, to single samples."""
    peak = float(np.abs(audio.samples).max())
    places = click_places(audio, per_second, rng)
    heights = peak * rng.uniform(0.5, 1, len(places)) * rng.choice((-1, 1), len(places))
    terms = "".join(f"{height:+.6f}*eq(n,{at})" for at, height in zip(places, heights, strict=True))
    return tools.ffmpeg(audio, f"aeval=exprs='val(ch){terms}':c=same")


def sox_clicks(audio: Audio, per_second: float, rng: Rng) -> Audio:
    """Single samples of 0.7 of the peak with silence padded between them, mixed in."""
    places = click_places(audio, per_second, rng)
    gaps = np.diff(places, prepend=-1) - 1
    pads = [f"{gap}s@{index}s" for index, gap in enumerate(gaps)]
    effects = ["trim", "0", f"{len(places)}s", "dcshift", "0.5", "pad", *pads]
    added = tools.sox_makes(audio, audio.channels, effects)
    return tools.sox_mixes(audio, added, 1.4 * float(np.abs(audio.samples).max()))
