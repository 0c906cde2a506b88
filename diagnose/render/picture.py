"""The findings in a picture -> JSON and terminal: levels of the bands over time, edges, missing bands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
from rich.table import Table
from rich.text import Text

from diagnose.render.layout import Labelled, print_parts
from diagnose.text import printable
from diagnose.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.picture import Findings, Picture
    from diagnose.picture import Part as Area
    from diagnose.render.layout import Part

SCHEMA = "diagnose.image/1"
DIGITS = {"_hz": 1, "_s": 4, "_db": 1}  # more than a picture can show, for each unit


def to_json(picture: Picture, found: Findings) -> str:
    """One object and a newline; a NaN would be a mistake and raises ValueError."""
    return json.dumps(as_dict(picture, found), indent=2, allow_nan=False) + "\n"


def as_dict(picture: Picture, found: Findings) -> dict[str, Any]:
    """The object that `--json` prints; what is not known is None."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "timbre-diagnose", "version": VERSION},
        "picture": picture.path,
        "size": list(picture.size),
        "colour_map": picture.colour_map,
        "bands": picture.levels_db.shape[0],
        "frames": picture.levels_db.shape[1],
        "bands_are_cells": picture.bands_are_cells,
        "frames_are_cells": picture.frames_are_cells,
        "db_range": list(picture.db_range),
        "seconds": _rounded("_s", picture.seconds),
        "fmax_hz": _rounded("_hz", picture.fmax_hz),
        "axis": picture.axis,
        "slots": list(found.slots),
        "bands_over_time": [_flat(band) for band in found.bands],
        "missing": [_flat(missing) for missing in found.missing],
        "edges": [_flat(edge) for edge in found.edges],
        "notes": [*picture.notes, *found.notes],
    }


def _flat(finding: msgspec.Struct) -> dict[str, Any]:
    """A finding with the limits of its part beside its own figures."""
    fields = msgspec.to_builtins(finding)
    fields = {**fields.pop("part"), **fields}
    return {name: _rounded(name, value) for name, value in fields.items()}


def _rounded(name: str, value: Any) -> Any:
    digits = next((digits for ending, digits in DIGITS.items() if name.endswith(ending)), None)
    if isinstance(value, (list, tuple)):
        return [_rounded(name, one) for one in value]
    # -0.0 would be printed with its sign.
    return round(value, digits) + 0.0 if digits is not None and isinstance(value, float) else value


def print_picture(picture: Picture, found: Findings) -> None:
    """Write the findings to stdout; colour only where that is a terminal."""
    print_parts(list(_parts(picture, found)))


def _parts(picture: Picture, found: Findings) -> Iterator[Part]:
    yield Text(printable(picture.path), style="bold")
    yield Labelled("read     ", _what_was_read(picture))
    yield _table(picture, found)
    for edge in found.edges:
        text = f"{edge.side}, {_when(edge.part)}: {edge.excess_db:.0f} dB above the bands' median, {_where(edge.part)}"
        yield Labelled("edge     ", text)
    for missing in found.missing:
        text = f"{_where(missing.part)}, {_when(missing.part)}: almost no energy ({missing.level_db:.0f} dB)"
        yield Labelled("missing  ", text)
    if not found.edges:
        yield Text("no bright band at the left or right edge", style="green")
    for note in (*picture.notes, *found.notes):
        yield Labelled("note:    ", note)


def _what_was_read(picture: Picture) -> str:
    bands, frames = picture.levels_db.shape
    low, high = picture.db_range
    rows = f"{bands} {'bands' if picture.bands_are_cells else 'rows of pixels'}"
    columns = f"{frames} {'frames' if picture.frames_are_cells else 'columns of pixels'}"
    scale = f" ({picture.axis}, to {picture.fmax_hz:.0f} Hz)" if picture.fmax_hz is not None else ""
    length = f" ({picture.seconds:.3f} s)" if picture.seconds is not None else ""
    return f"{rows}{scale}, {columns}{length}, {low:.1f} to {high:.1f} dB, {picture.colour_map or 'colour bar'}"


def _table(picture: Picture, found: Findings) -> Table:
    """Mean power of each band in dB; the head of a column is the time, or the frame, at which it begins."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("Hz \\ s" if picture.frame_edges_s is not None else "frame", no_wrap=True)
    for slot in found.slots[:-1]:
        table.add_column(_at(picture, slot), justify="right", no_wrap=True)
    for band in found.bands:
        table.add_row(_label(band.part), *(f"{level:.0f}" for level in band.levels_db))
    return table


def _at(picture: Picture, frame: int) -> str:
    """At most four characters."""
    if picture.frame_edges_s is None:
        return str(frame)
    time = max(float(picture.frame_edges_s[frame]), 0.0)
    return f"{time:.2f}" if time < 9.995 else f"{time:.1f}" if time < 99.95 else f"{time:.0f}"


def _label(part: Area) -> str:
    if part.low_hz is None or part.high_hz is None:
        return f"{part.low_band}-{part.high_band - 1}"
    return f"{part.low_hz:.0f}-{part.high_hz:.0f}"


def _when(part: Area) -> str:
    if part.start_s is None or part.end_s is None:
        return f"frames {part.start_frame} to {part.end_frame - 1}"
    return f"{part.start_s:.3f} to {part.end_s:.3f} s"


def _where(part: Area) -> str:
    if part.low_hz is None or part.high_hz is None:
        return f"bands {part.low_band} to {part.high_band - 1}"
    return f"{part.low_hz:.0f} to {part.high_hz:.0f} Hz"
