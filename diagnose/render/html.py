"""Report -> one self-contained HTML file: no request leaves it, no script runs in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from diagnose.audio import Audio, encode
from diagnose.metrics.bands import THIRD_OCTAVES
from diagnose.metrics.signal import mel_grid
from diagnose.render import draw
from diagnose.render.levels import DIFFERENCE_DB, RANGE_DB, frequency_ticks, levels_of, mel_heights
from diagnose.render.words import (
    Place,
    amount,
    cause_lines,
    headline,
    likelihood,
    limit_text,
    meaning,
    number,
    places,
    printable,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.metrics import Pair
    from diagnose.report import Report

    Floats = NDArray[np.floating[Any]]

LONGEST_PLAYED_S = 60.0
WIDTH, WAVE_HEIGHT, BAND_HEIGHT = 860, 90, 200
LOWEST_BAND_DB = -70.0
MOST_PLACES = 12  # boxes in the picture: with more of them it is hidden


class Player(msgspec.Struct, frozen=True):
    """A sound to listen to; note says what was changed so that a browser can play it."""

    label: str
    uri: str
    note: str


def page_environment(*packages: str) -> Environment:
    """Templates of diagnose.render, and of the packages named: one look for every page, everything escaped."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in (*packages, "diagnose.render")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def to_html(report: Report) -> str:
    """The page of one comparison.  Pictures and players come from report.pair; without it the page says why not."""
    template = pair_environment().get_template("report.html")
    return template.render(pair_context(report), tool_version=report.tool_version)


def pair_environment() -> Environment:
    """The templates with the words that pair.html says figures in."""
    environment = page_environment()
    environment.globals.update(number=number, amount=amount, meaning=meaning, limit_text=limit_text)
    environment.globals.update(likelihood=likelihood, cause_lines=cause_lines, printable=printable)
    return environment


def pair_context(report: Report, key: str = "", level: int = 2) -> dict[str, Any]:
    """What pair.html shows of a comparison; key sets its ids apart on a page of several, level is its headings'."""
    found = places(report.regions)
    shown = found[:MOST_PLACES]
    return {
        "report": report,
        "headline": printable(headline(report)),
        "names": [printable(report.reference.path), printable(report.generated.path)],
        **_of_sounds(report.pair, shown),
        "places": shown,
        "left_out": len(found) - len(shown),
        "bands": _bands(report),
        "size": {"width": WIDTH, "wave": WAVE_HEIGHT, "band": BAND_HEIGHT},
        "key": key,
        "level": level,
    }


def _of_sounds(pair: Pair | None, shown: list[Place]) -> dict[str, Any]:
    """What only the sounds can show."""
    if pair is None:
        return {"players": [], "spectrograms": None, "boxes": [], "waves": []}
    return {
        "players": [player("Reference", pair.reference.audio), player("Generated", pair.generated.audio)],
        "spectrograms": _spectrograms(pair),
        "boxes": boxes_of(shown, pair),
        "waves": _waves(pair),
    }


def player(label: str, sound: Audio) -> Player:
    """FLAC of up to 60 s of the sound at the rate of the comparison; only what would clip is turned down."""
    samples = sound.samples[:, : int(LONGEST_PLAYED_S * sound.rate)]
    if sound.channels > 2:
        samples = sound.mono[None, : samples.shape[1]]
    notes = [f"the first {LONGEST_PLAYED_S:g} s of {sound.duration_s:.0f} s"] if samples.shape[1] < sound.length else []
    peak = float(np.abs(samples).max())
    if peak > 1:
        samples = samples / np.float32(peak)
        notes.append(f"{20 * np.log10(peak):.1f} dB quieter than the file, which goes beyond full scale")
    return Player(label, draw.data_uri("audio/flac", encode(Audio(samples, sound.rate), "FLAC")), "; ".join(notes))


def _spectrograms(pair: Pair) -> dict[str, Any]:
    """Both log-mel spectrograms on one scale (dB below the reference's maximum) and their difference."""
    levels = levels_of(pair)
    return {
        "pictures": [
            ("Reference", draw.picture(levels.reference, -RANGE_DB, 0, draw.LEVEL_MAP), "level"),
            ("Generated", draw.picture(levels.generated, -RANGE_DB, 0, draw.LEVEL_MAP), "level"),
            (
                "Generated minus reference, gain removed",
                draw.picture(levels.difference, -DIFFERENCE_DB, DIFFERENCE_DB, draw.DIFFERENCE_MAP),
                "difference",
            ),
        ],
        "bars": {
            "level": (draw.colour_bar(draw.LEVEL_MAP), f"-{RANGE_DB:g} dB", "0 dB"),
            "difference": (draw.colour_bar(draw.DIFFERENCE_MAP), f"-{DIFFERENCE_DB:g} dB", f"+{DIFFERENCE_DB:g} dB"),
        },
        "ticks": frequency_ticks(levels.highest_hz),
        "seconds": levels.seconds,
    }


class Box(msgspec.Struct, frozen=True):
    """Where a place lies in the difference picture, as shares of its width and height from the top left."""

    number: int
    name: str
    left: float
    top: float
    width: float
    height: float


def boxes_of(shown: list[Place], pair: Pair) -> list[Box]:
    """The places on the picture's own axes: its time is the overlap's, it ends at 8 kHz, and its height is in mel."""
    begin = max(-pair.alignment.delay, 0) / pair.rate
    seconds = pair.overlap[0].size / pair.rate
    highest = mel_grid(pair.rate).fmax
    boxes = []
    for index, place in enumerate(shown, 1):
        box = place.region
        start, end = np.clip((np.array([box.start_s, box.end_s]) - begin) / seconds, 0, 1).tolist()
        bottom, top = mel_heights((box.low_hz, box.high_hz), highest)
        if start < end and bottom < top:
            boxes.append(Box(index, ", ".join(place.metrics), start, 1 - top, end - start, top - bottom))
    return boxes


def _waves(pair: Pair) -> list[tuple[str, str]]:
    parts = pair.overlap
    most = max(float(np.abs(part).max()) for part in parts) or 1.0
    return [
        (name, draw.wave_path(part, WIDTH, WAVE_HEIGHT, most))
        for name, part in zip(("Reference", "Generated"), parts, strict=True)
    ]


def _bands(report: Report) -> dict[str, Any]:
    """Third-octave energies of both as step lines, dB of the signal's own total."""
    names = [f"third_octave_{name}_db" for name in THIRD_OCTAVES]
    rows = [row for row in report.metrics if row.name in names and row.figures.reference is not None]
    step = WIDTH / max(len(rows), 1)

    def line(values: list[float | None]) -> str:
        heights = [
            BAND_HEIGHT * max(LOWEST_BAND_DB, v if v is not None else LOWEST_BAND_DB) / LOWEST_BAND_DB for v in values
        ]
        return draw.line_path([(x * step, y) for i, y in enumerate(heights) for x in (i, i + 1)])

    return {
        "reference": line([row.figures.reference for row in rows]),
        "generated": line([row.figures.generated for row in rows]),
        "labels": [
            (index * step + step / 2, row.name.split("_")[2]) for index, row in enumerate(rows) if index % 3 == 1
        ],
        "levels": [(BAND_HEIGHT * level / LOWEST_BAND_DB, f"{level} dB") for level in (-10, -30, -50)],
    }
