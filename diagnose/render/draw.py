"""Pictures for a page: spectrograms as PNG, curves as SVG path data; no plotting library."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats

# Nine points of two perceptual maps: magma (Smith & van der Walt) for levels, ColorBrewer's RdBu for differences.
LEVEL_MAP = ["000004", "1c1044", "4f127b", "812581", "b5367a", "e55064", "fb8761", "fec287", "fcfdbf"]
DIFFERENCE_MAP = ["2166ac", "4393c3", "92c5de", "d1e5f0", "f7f7f7", "fddbc7", "f4a582", "d6604d", "b2182b"]
MOST_COLUMNS = 1200
MOST_SHADES = 254


def picture(values: Floats, low: float, high: float, colours: list[str]) -> str:
    """A PNG data URI of values [shape=(bands, frames)]; see png()."""
    return data_uri("image/png", png(values, low, high, colours))


def png(values: Floats, low: float, high: float, colours: list[str]) -> bytes:
    """A PNG of values [shape=(bands, frames)], low band at the bottom, low..high mapped to colours."""
    # A palette: an eighth of the bytes.  An even number of steps between two colours, so that both and their mean are
    # in it exactly, and no difference is neither red nor blue.
    steps = MOST_SHADES // (len(colours) - 1) // 2 * 2
    last = steps * (len(colours) - 1)
    place = np.clip((_narrowed(values) - low) / (high - low), 0, 1) * last
    image = Image.fromarray(np.ascontiguousarray(place.round().astype(np.uint8)[::-1]))
    image.putpalette(_palette(colours, last).tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _palette(colours: list[str], last: int) -> NDArray[np.uint8]:
    """RGB [shape=(last + 1, 3)] from the first colour to the last, linear between neighbours."""
    table = np.array([[int(colour[i : i + 2], 16) for i in (0, 2, 4)] for colour in colours])
    places = np.linspace(0, len(colours) - 1, last + 1)
    channels = [np.interp(places, np.arange(len(colours)), table[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def data_uri(kind: str, data: bytes) -> str:
    """A file inside the page itself."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def colour_bar(colours: list[str]) -> list[tuple[float, str]]:
    """(offset 0..1, colour) stops of a gradient."""
    return [(index / (len(colours) - 1), f"#{colour}") for index, colour in enumerate(colours)]


def _narrowed(values: Floats) -> Floats:
    """At most 1200 columns: neighbouring frames are averaged."""
    frames = values.shape[1]
    if frames <= MOST_COLUMNS:
        return values
    starts = np.linspace(0, frames, MOST_COLUMNS, endpoint=False).astype(int)
    return np.add.reduceat(values, starts, axis=1) / np.diff(np.append(starts, frames))


def wave_path(samples: Floats, width: float, height: float, most: float) -> str:
    """SVG path of the envelope: the highest and lowest sample of each of up to 600 columns."""
    columns = min(600, samples.size)
    starts = np.linspace(0, samples.size, columns, endpoint=False).astype(int)
    top = np.maximum.reduceat(samples, starts) / most
    bottom = np.minimum.reduceat(samples, starts) / most
    x = np.arange(columns) * width / columns
    outline = [*zip(x, top, strict=True), *zip(x[::-1], bottom[::-1], strict=True)]
    return "M" + "L".join(f"{a:.1f},{height / 2 * (1 - b):.1f}" for a, b in outline) + "Z"


def line_path(points: list[tuple[float, float]]) -> str:
    """SVG path through the points."""
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points) if points else ""
