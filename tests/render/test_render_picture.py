"""A picture's findings as JSON and on a terminal."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest

from diagnose.picture import Picture, findings
from diagnose.render.picture import as_dict, print_picture, to_json


@pytest.fixture
def picture():
    rng = np.random.default_rng(3)
    levels = -30 + rng.normal(0, 3, (64, 100))
    levels[32:, 30:] = -75
    levels[:, 95:] = -2
    return Picture(
        path="a\x1b[31mred\nname.png",
        size=(1000, 400),
        colour_map="magma",
        levels_db=levels.astype(np.float32),
        db_range=(-80.0, 0.0),
        band_edges_hz=np.linspace(0, 11025, 65),
        frame_edges_s=np.linspace(-0.01, 1.99, 101),
        bands_are_cells=True,
        frames_are_cells=False,
        axis="linear",
        fmax_hz=10938.867,
        notes=("a note",),
    )


@pytest.fixture
def unknown(picture):
    return msgspec.structs.replace(
        picture, band_edges_hz=None, frame_edges_s=None, axis=None, fmax_hz=None, colour_map=None
    )


def test_json_holds_what_the_schema_promises(picture):
    found = json.loads(to_json(picture, findings(picture)))
    assert set(found) >= {
        *("schema", "tool", "picture", "size", "colour_map", "bands", "frames", "db_range", "seconds", "fmax_hz"),
        *("axis", "bands_over_time", "missing", "edges", "notes"),
    }
    assert found["schema"] == "diagnose.image/1"
    assert found["tool"]["name"] == "timbre-diagnose"
    assert (found["picture"], found["size"]) == (picture.path, [1000, 400])
    assert (found["bands"], found["frames"], found["db_range"]) == (64, 100, [-80, 0])
    assert (found["seconds"], found["fmax_hz"], found["axis"]) == (2.0, 10938.9, "linear")
    (edge,) = found["edges"]
    assert {name: edge[name] for name in ("side", "start_s", "end_s")} == {
        "side": "right",
        "start_s": 1.89,
        "end_s": 1.99,
    }
    assert set(edge) >= {"excess_db", "low_hz", "high_hz"}
    (missing,) = found["missing"]
    assert {"low_hz", "high_hz", "start_s", "end_s", "level_db"} <= set(missing)
    assert len(found["bands_over_time"][0]["levels_db"]) == len(found["slots"]) - 1 == 10
    assert found["notes"] == ["a note"]


def test_what_is_not_known_is_null(unknown):
    found = as_dict(unknown, findings(unknown))
    assert [found[name] for name in ("seconds", "fmax_hz", "axis", "colour_map")] == [None] * 4
    assert {found["edges"][0][name] for name in ("start_s", "end_s", "low_hz", "high_hz")} == {None}
    assert len(found["notes"]) == 3


def test_a_number_that_is_none_raises(picture):
    broken = msgspec.structs.replace(picture, fmax_hz=float("nan"))
    with pytest.raises(ValueError, match="nan"):
        to_json(broken, findings(picture))


def test_the_terminal_shows_levels_edges_missing_and_notes(picture, capsys):
    print_picture(picture, findings(picture))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == r"a\x1b[31mred\nname.png"
    text = "\n".join(lines)
    assert "64 bands (linear, to 10939 Hz), 100 columns of pixels (2.000 s), -80.0 to 0.0 dB, magma" in text
    assert "edge     right, 1.890 to 1.990 s:" in text
    assert "missing  " in text
    assert lines[-1] == "note:    a note"
    row = next(line for line in lines if line.startswith("0-1024"))
    assert len(row.split()) == 11
    assert "\x1b" not in text


def test_the_terminal_shows_numbers_where_hz_and_seconds_are_not_known(unknown, capsys):
    print_picture(unknown, findings(unknown))
    text = capsys.readouterr().out
    assert "edge     right, frames 95 to 99:" in text
    assert "missing  bands 32 to 63, frames 30 to 94:" in text
    assert "give --fmax HZ" in text


@pytest.mark.parametrize("colour", [False, True])
def test_sixty_columns_are_enough(picture, capsys, monkeypatch, colour):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR" if colour else "TTY_COMPATIBLE", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    print_picture(picture, findings(picture))
    plain = __import__("re").sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    lines = plain.splitlines()
    assert max(map(len, lines)) <= 60
    assert "…" not in plain
    assert any(line.startswith("8192-10939") and len(line.split()) == 11 for line in lines)
