"""The picture behind a metric: what it was read from, both sounds in one field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.analysis.bands import THIRD_OCTAVES
from diagnose.analysis.comb import fine_spectrum
from diagnose.analysis.pitch import HIGHEST_F0_HZ, LOWEST_F0_HZ
from diagnose.metrics import METRICS
from diagnose.metrics.edges import EDGE_S
from diagnose.render.draw import line_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diagnose.analysis import Pair, Signal
    from diagnose.analysis.pitch import PitchTrack
    from diagnose.arrays import Floats
    from diagnose.results.report import Report

WIDE, HIGH = 600.0, 100.0  # of a field; a page stretches it
COLUMNS = 300
LOWEST_BAND_DB, LOWEST_ENVELOPE_DB, LOWEST_EDGE_DB = -70.0, -60.0, -50.0
BINS, MOST_VALUES = 100, 1_000_000  # of a level distribution: of a longer sound, every n-th sample
RAREST = 1e-5  # share of the samples
EDGE_STEP_S, EDGE_SHOWN_S = 0.002, 0.060
COMB_VALUES = 1 << 20  # samples that a comb is drawn from: it hums all the time
MOST_COMB_BINS, COMB_DB = 61, 50.0
LEAST_DISTANCE_DB = 20.0


class Plot(msgspec.Struct, frozen=True):
    """Curves on a field of 600 by 100, as (class, SVG path), and the words at its axes, as (share, label) from the
    left and from the top.
    """

    id: str
    title: str
    says: str
    curves: tuple[tuple[str, str], ...]
    across: tuple[tuple[float, str], ...]
    up: tuple[tuple[float, str], ...]


def picture_of(metric: str) -> str | None:
    """The id of the plot that shows what a metric is read from; None where no plot does."""
    return METRICS[metric].picture if metric in METRICS else None


def plots(report: Report, pair: Pair) -> list[Plot]:
    """Every plot that the pair has something for."""
    made = (
        _bands(report),
        _envelope(pair),
        _levels(pair),
        _edges(pair),
        _comb(report, pair),
        _pitch(pair),
        _distance(pair),
    )
    return [plot for plot in made if plot is not None]


def _bands(report: Report) -> Plot | None:
    """Third-octave energies of both as step lines, dB of the signal's own total."""
    names = {f"third_octave_{name}_db": name for name in THIRD_OCTAVES}
    rows = [row for row in report.metrics if row.name in names and row.reference is not None]
    if not rows:
        return None
    step = WIDE / len(rows)

    def line(values: Iterable[float | None]) -> str:
        heights = [_down(LOWEST_BAND_DB if value is None else value, LOWEST_BAND_DB) for value in values]
        return line_path([(x * step, y) for i, y in enumerate(heights) for x in (i, i + 1)])

    return Plot(
        "bands",
        "Energy by third octave",
        "dB of each sound's own total",
        (
            ("one", line(row.reference for row in rows)),
            ("two", line(row.generated for row in rows)),
        ),
        tuple(((i + 0.5) / len(rows), f"{_hertz(names[row.name])}") for i, row in enumerate(rows) if i % 5 == 3),
        _decibels(LOWEST_BAND_DB, (-10, -30, -50)),
    )


def _hertz(name: str) -> str:
    return f"{int(name) / 1000:g} kHz" if int(name) >= 1000 else f"{name} Hz"


def _envelope(pair: Pair) -> Plot | None:
    """Power of each frame in dB of the reference's loudest, the gain removed."""
    energies = (pair.distances.reference_energy, pair.distances.generated_energy)
    top = float(energies[0].max())
    if energies[0].size < 2 or top <= 0:
        return None
    levels = [10 * np.log10(np.maximum(_columns(part) / top, 10 ** (LOWEST_ENVELOPE_DB / 10))) for part in energies]
    return Plot(
        "envelope",
        "Envelope",
        "power of each frame in dB of the reference's loudest, gain and delay removed",
        (
            ("one", _curve(levels[0], LOWEST_ENVELOPE_DB, 0.0)),
            ("two", _curve(levels[1], LOWEST_ENVELOPE_DB, 0.0)),
        ),
        _seconds(pair),
        _decibels(LOWEST_ENVELOPE_DB, (0, -20, -40)),
    )


def _levels(pair: Pair) -> Plot:
    """How often each sample value occurs, on a logarithmic axis, from the lowest to the highest of both files.

    A bias moves the hill, clipping raises its ends, a gain widens it.
    """
    sounds = [file.mono for file in pair.files]
    moments = [file.moments for file in pair.files]
    most = max(abs(value) for now in moments for value in (now.lowest, now.highest)) or 1.0
    curves = []
    for samples in sounds:
        some = samples[:: -(-samples.size // MOST_VALUES)]
        counts = np.histogram(some, BINS, (-most, most))[0] / some.size
        curves.append(_steps(np.log10(np.maximum(counts, RAREST)), float(np.log10(RAREST)), 0.0))
    return Plot(
        "levels",
        "Level distribution",
        "share of the samples at each value, of the files as they are; full scale is 1",
        (("one", curves[0]), ("two", curves[1])),
        tuple((share, f"{(2 * share - 1) * most:.2g}") for share in (0.0, 0.25, 0.5, 0.75, 1.0)),
        ((0.0, "100 %"), (0.4, "1 %"), (0.8, "0.01 %")),
    )


def _edges(pair: Pair) -> Plot | None:
    """Power in steps of 2 ms over the first and last 60 ms of each sound, dB of its whole."""
    sides = [_edge_profile(sound) for sound in (pair.reference, pair.generated)]
    if sides[0] is None or sides[1] is None:
        return None
    top = max(10.0, float(max(side.max() for side in sides if side is not None)))
    shown = EDGE_SHOWN_S * 1000
    return Plot(
        "edges",
        "Edge profile",
        f"power of the first and last {shown:g} ms, in dB of the whole sound; the metrics read {1000 * EDGE_S:g} ms",
        tuple(
            (
                name,
                " ".join(
                    _curve(half, LOWEST_EDGE_DB, top, side * 0.52, 0.48) for side, half in enumerate(np.split(each, 2))
                ),
            )
            for name, each in zip(("one", "two"), (side for side in sides if side is not None), strict=True)
        ),
        ((0.0, "start"), (0.48, f"{shown:g} ms"), (0.52, ""), (1.0, "end")),
        tuple((1 - (level - LOWEST_EDGE_DB) / (top - LOWEST_EDGE_DB), f"{level} dB") for level in (0, -20, -40)),
    )


def _edge_profile(sound: Signal) -> Floats | None:
    """dB [shape=(60,)]: 30 steps of the first 60 ms, then 30 of the last; None for under 120 ms, or silence."""
    step = round(EDGE_STEP_S * sound.rate)
    count = round(EDGE_SHOWN_S / EDGE_STEP_S)
    if sound.mono.size < 2 * count * step or sound.moments.silent:
        return None
    ends = (sound.mono[: count * step], sound.mono[-count * step :])
    power = np.concatenate([np.square(end - sound.moments.mean).reshape(count, step).mean(axis=1) for end in ends])
    return 10 * np.log10(np.maximum(power / sound.moments.variance, 10 ** (LOWEST_EDGE_DB / 10)))


def _pitch(pair: Pair) -> Plot | None:
    """Fundamental frequency of each voiced frame, on a logarithmic axis; where there is none there is no line."""
    tracks = (pair.reference.pitch, pair.generated.pitch)
    if not any(track.voiced.any() for track in tracks):
        return None
    seconds = max(track.f0_hz.size * track.hop_s for track in tracks)
    return Plot(
        "pitch",
        "Pitch",
        "fundamental frequency of each frame that has one, each sound on its own clock",
        (("one", _steps_of(tracks[0], seconds)), ("two", _steps_of(tracks[1], seconds))),
        tuple((share, f"{share * seconds:.2f} s") for share in (0.0, 0.25, 0.5, 0.75, 1.0)),
        tuple((_pitch_height(hz) / HIGH, f"{hz} Hz") for hz in (100, 200, 500, 1000)),
    )


def _steps_of(track: PitchTrack, seconds: float) -> str:
    """SVG path: a stroke a frame, of at most COLUMNS frames."""
    shown = np.unique(np.linspace(0, track.f0_hz.size - 1, min(track.f0_hz.size, COLUMNS)).astype(int))
    wide = WIDE * track.hop_s / seconds * track.f0_hz.size / max(shown.size, 1)
    return "".join(
        f"M{index * track.hop_s / seconds * WIDE:.1f},{_pitch_height(float(track.f0_hz[index])):.1f}h{wide:.1f}"
        for index in shown
        if track.f0_hz[index] > 0
    )


def _pitch_height(hz: float) -> float:
    """From the top of the field, whose ends are the lowest and the highest pitch that is looked for."""
    height = float(np.log2(hz / LOWEST_F0_HZ) / np.log2(HIGHEST_F0_HZ / LOWEST_F0_HZ))
    return HIGH * (1 - min(max(height, 0.0), 1.0))


LEAST_SPACING_HZ = 1.0  # a report that was read back may say anything


def _comb(report: Report, pair: Pair) -> Plot | None:
    """The spectrum folded on the frame rate: mean power at each distance from the nearest multiple, dB of the mean."""
    spacing = next((row.detail.get("spacing_hz") for row in report.metrics if row.name == "comb_share"), None)
    if not isinstance(spacing, int | float) or not LEAST_SPACING_HZ <= spacing <= pair.rate / 2:
        return None
    folded = [_folded(file, float(spacing)) for file in pair.files]
    if folded[0] is None or folded[1] is None:
        return None
    half = COMB_DB / 2
    return Plot(
        "comb",
        "Comb spectrum",
        f"mean power by distance from the nearest multiple of {float(spacing):.2f} Hz, dB of the mean; "
        "a hum at the frame rate stands in the middle",
        (
            ("one", _curve(np.clip(folded[0], -half, half), -half, half)),
            ("two", _curve(np.clip(folded[1], -half, half), -half, half)),
        ),
        tuple((share, f"{(share - 0.5) * float(spacing):+.0f} Hz") for share in (0.0, 0.25, 0.5, 0.75, 1.0)),
        ((0.1, "20 dB"), (0.5, "0 dB"), (0.9, "-20 dB")),
    )


def _folded(file: Signal, spacing: float) -> Floats | None:
    if file.moments.silent:
        return None
    found = fine_spectrum(file.mono[:COMB_VALUES], file.rate, file.moments.mean)
    if found is None:
        return None
    power, hz = found[0][1:], found[1][1:]
    bins = max(min(MOST_COMB_BINS, int(spacing / hz[0] / 2)) | 1, 5)  # odd: the middle one is the line itself
    place = ((hz / spacing + 0.5) % 1 * bins).astype(np.intp)
    mean = np.bincount(place, power, bins) / np.maximum(np.bincount(place, minlength=bins), 1)
    return 10 * np.log10(np.maximum(mean / max(float(power.mean()), 1e-300), 1e-12))


def _distance(pair: Pair) -> Plot | None:
    """Log-spectral distance of each frame, dB."""
    frames = pair.distances.log_spectral
    if frames.size < 2:
        return None
    shown = _columns(frames)
    top = max(LEAST_DISTANCE_DB, float(shown.max()))
    return Plot(
        "distance",
        "Distance over time",
        "log-spectral distance of each frame, dB",
        (("two", _curve(shown, 0.0, top)),),
        _seconds(pair),
        ((0.0, f"{top:.0f} dB"), (0.5, f"{top / 2:.0f} dB"), (1.0, "0 dB")),
    )


def _columns(values: Floats) -> Floats:
    """At most 300 values: neighbours are averaged."""
    if values.size <= COLUMNS:
        return values.astype(np.float64)
    starts = np.linspace(0, values.size, COLUMNS, endpoint=False).astype(int)
    return np.add.reduceat(values.astype(np.float64), starts) / np.diff(np.append(starts, values.size))


def _curve(values: Floats, low: float, high: float, left: float = 0.0, width: float = 1.0) -> str:
    """SVG path of values from low (bottom) to high (top), over a share of the field's width."""
    x = (left + width * np.arange(values.size) / max(values.size - 1, 1)) * WIDE
    y = (high - values) / (high - low) * HIGH
    return line_path(list(zip(x.tolist(), y.tolist(), strict=True)))


def _steps(values: Floats, low: float, high: float) -> str:
    """SVG path of values as steps of equal width."""
    y = ((high - values) / (high - low) * HIGH).tolist()
    step = WIDE / len(y)
    return line_path([(x * step, height) for index, height in enumerate(y) for x in (index, index + 1)])


def _down(level: float, lowest: float) -> float:
    """Height of a level in dB from the top of the field: 0 dB there, the lowest at the bottom."""
    return HIGH * min(max(level, lowest), 0.0) / lowest


def _decibels(lowest: float, levels: tuple[int, ...]) -> tuple[tuple[float, str], ...]:
    return tuple((level / lowest, f"{level} dB") for level in levels)


def _seconds(pair: Pair) -> tuple[tuple[float, str], ...]:
    seconds = pair.overlap[0].size / pair.rate
    return tuple((share, f"{share * seconds:.2f} s") for share in (0.0, 0.25, 0.5, 0.75, 1.0))
