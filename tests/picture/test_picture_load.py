"""Files that are no picture, are broken, or would fill the memory: one line that names the file, and nothing else."""

from __future__ import annotations

import os
import re
import struct
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from diagnose.errors import InputError
from diagnose.picture import read_picture
from diagnose.picture.load import FORMATS, read_pixels


def one_line(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError) as caught:
            read_picture(path, **options)
    text = str(caught.value)
    assert text.startswith(f"{os.fspath(path)}: ")
    assert "\n" not in text
    return text


def png(width, height, data=b"", kind=2):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.fixture
def save(tmp_path):
    def write(pixels, name="picture.png"):
        path = str(tmp_path / name)
        Image.fromarray(np.asarray(pixels, np.uint8)).save(path)
        return path

    return write


# Files


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty"),
        (b"this is a text, and no picture\n" * 40, "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "damaged|not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(x) run\n", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (png(100_000, 100_000), r"100000 x 100000 pixels|too large"),
        (png(10_000, 5_000), r"10000 x 5000 pixels; at most 40,000,000"),
        (png(400, 300, b"\0" * 100), "damaged"),
    ],
    ids=["empty", "text", "stump", "postscript", "svg", "huge", "large", "short"],
)
def test_what_is_no_whole_picture_is_refused_in_a_line(tmp_path, data, told):
    path = tmp_path / "file.png"
    path.write_bytes(data)
    start = time.process_time()
    assert re.search(told, one_line(path))
    assert time.process_time() - start < 5


def test_a_truncated_picture_is_refused(draw, array):
    path = Path(draw(array()))
    data = path.read_bytes()
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(data[: int(share * len(data))])
        assert "damaged" in one_line(path)


def test_a_missing_file_a_folder_and_a_pipe_are_refused(tmp_path):
    assert "No such file" in one_line(tmp_path / "none.png")
    assert "directory" in one_line(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "regular" in one_line(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a path"):
        read_picture("a\0b.png")


def test_sixteen_bits_a_channel_are_refused(tmp_path):
    path = str(tmp_path / "deep.png")
    Image.fromarray(np.zeros((50, 50), np.uint16)).save(path)
    assert "8 bits" in one_line(path)


def test_no_format_is_read_that_pillow_hands_to_another_program():
    assert not {"EPS", "WMF", "PDF", "PSD"} & set(FORMATS)


@given(st.data())
def test_a_picture_with_changed_bytes_is_read_or_refused(tmp_path_factory, data):
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[5:30, 5:50] = np.arange(45)[:, None] * 5
    path = tmp_path_factory.getbasetemp() / "changed"
    form = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"]))
    Image.fromarray(pixels).save(path, form)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.integers(1, len(raw)))])
    try:
        assert read_pixels(path).ndim == 3
    except InputError as error:
        assert str(error).startswith(str(path))  # noqa: PT017


# Pictures without axes


@pytest.mark.parametrize("kind", ["gradient", "noise", "black", "white", "one", "row", "disc"])
def test_a_picture_without_axes_is_refused_in_a_line(save, rng, kind):
    y, x = np.mgrid[0:300, 0:400]
    pictures = {
        "gradient": np.stack([x * 255 / 400, y * 255 / 300, (x + y) * 255 / 700], axis=-1),
        "noise": rng.integers(0, 256, (300, 400, 3)),
        "black": np.zeros((300, 400, 3)),
        "white": np.full((300, 400, 3), 255),
        "one": np.zeros((1, 1, 3)),
        "row": np.zeros((1, 400, 3)),
        "disc": np.where((np.hypot(x - 200, y - 150) < 100)[..., None], 0, 255) * np.ones(3),
    }
    text = one_line(save(pictures[kind]), db_range=(-80, 0))
    assert "no axes found" in text


@pytest.mark.slow
def test_noise_in_a_frame_is_no_spectrogram_and_takes_no_minutes(save, rng):
    pixels = np.full((900, 1200, 3), 255)
    pixels[100:800, 100:1100] = rng.integers(0, 256, (700, 1000, 3))
    pixels[100:800, [100, 1099]] = 0
    pixels[[100, 799], 100:1100] = 0
    start = time.process_time()
    assert "no colour bar" in one_line(save(pixels), db_range=(-80, 0))
    assert time.process_time() - start < 10


def test_an_empty_frame_and_a_tiny_one_are_refused(save):
    pixels = np.full((200, 300, 3), 255)
    pixels[50:150, [50, 250]] = 0
    pixels[[50, 149], 50:251] = 0
    assert "no colour bar" in one_line(save(pixels))
    tiny = np.full((60, 60, 3), 255)
    tiny[20:34, 20:34] = 0
    assert "under 16 pixels" in one_line(save(tiny))


@pytest.mark.parametrize(
    "options", [{"fmax": 0}, {"fmax": float("nan")}, {"seconds": -1}, {"db_range": (0, -80)}, {"db_range": (0, 0)}]
)
def test_options_out_of_range_are_refused(save, options):
    with pytest.raises(InputError, match=r"above 0|lower level first"):
        read_picture(save(np.zeros((50, 50, 3))), **options)
