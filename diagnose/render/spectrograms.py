"""The three spectrograms of a pair on one time axis, with the places that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from diagnose.analysis.mel_grid import mel_grid
from diagnose.render import draw
from diagnose.render.mel_pair import DIFFERENCE_DB, RANGE_DB, frequency_ticks, mel_heights, mel_pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.analysis import Pair
    from diagnose.render.phrases import Place

SHORTEST_BOX = 0.002  # of the picture's width: what is narrower is drawn as wide


class Picture(msgspec.Struct, frozen=True):
    """A spectrogram as a data URI, and which scale its colours have."""

    id: str
    name: str
    uri: str
    scale: str


class Box(msgspec.Struct, frozen=True):
    """Where a place lies in a picture, as shares of its width and height from the top left; in s on its time axis."""

    number: int
    name: str
    left: float
    top: float
    width: float
    height: float
    start_s: float
    end_s: float


def spectrograms(pair: Pair) -> dict[str, Any]:
    """Both log-mel spectrograms on one scale (dB below the reference's maximum) and their difference."""
    levels = mel_pair(pair)
    difference = draw.picture(levels.difference, -DIFFERENCE_DB, DIFFERENCE_DB, draw.DIFFERENCE_MAP)
    ours, theirs = (draw.picture(part, -RANGE_DB, 0, draw.LEVEL_MAP) for part in (levels.reference, levels.generated))
    return {
        "pictures": [
            Picture("reference", "Reference", ours, "level"),
            Picture("generated", "Generated", theirs, "level"),
            Picture("difference", "Generated minus reference, gain removed", difference, "difference"),
        ],
        "bars": {
            "level": (draw.colour_bar(draw.LEVEL_MAP), f"-{RANGE_DB:g} dB", "0 dB"),
            "difference": (draw.colour_bar(draw.DIFFERENCE_MAP), f"-{DIFFERENCE_DB:g} dB", f"+{DIFFERENCE_DB:g} dB"),
        },
        "ticks": frequency_ticks(levels.highest_hz),
        "seconds": levels.seconds,
    }


def boxes(shown: Sequence[Place], pair: Pair) -> list[Box]:
    """The places on the picture's own axes: its time is the overlap's, it ends at 8 kHz, and its height is in mel."""
    seconds = pair.overlap[0].size / pair.rate
    highest = mel_grid(pair.rate).fmax
    found = []
    for index, place in enumerate(shown, 1):
        box = place.region
        times = [pair.to_overlap_s(box.start_s), pair.to_overlap_s(box.end_s)]
        start, end = np.clip(np.array(times) / seconds, 0, 1).tolist()
        bottom, top = mel_heights((box.low_hz, box.high_hz), highest)
        if start < end and bottom < top:
            wide = max(end - start, SHORTEST_BOX)
            name = ", ".join(place.metrics)
            found.append(Box(index, name, start, 1 - top, wide, top - bottom, start * seconds, end * seconds))
    return found
