from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from diagnose.render import draw


def pixels(uri):
    """The PNG of a data URI as [shape=(height, width, 3)]."""
    kind, _, data = uri.partition(",")
    assert kind == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def rgb(colour):
    return [int(colour[index : index + 2], 16) for index in (0, 2, 4)]


def test_the_ends_of_the_scale_have_the_ends_of_the_colours():
    picture = pixels(draw.picture(np.array([[-80.0, 0.0, -200.0, 50.0]]), -80, 0, draw.LEVEL_MAP))
    assert picture.tolist() == [[[0, 0, 4], [252, 253, 191], [0, 0, 4], [252, 253, 191]]]


def test_no_difference_is_white_and_the_signs_are_red_and_blue():
    picture = pixels(draw.picture(np.array([[-30.0, 0.0, 30.0]]), -30, 30, draw.DIFFERENCE_MAP))
    assert picture.tolist() == [[rgb("2166ac"), rgb("f7f7f7"), rgb("b2182b")]]


def test_between_two_colours_lies_their_mean():
    (points,) = pixels(
        draw.picture(np.array([[0.0, 0.5, 1.0, 1.5, 2.0]]), 0, 2, ["000000", "6496c8", "ffffff"])
    ).tolist()
    assert points == [[0, 0, 0], [50, 75, 100], [100, 150, 200], [178, 202, 228], [255, 255, 255]]


@pytest.mark.parametrize("index", range(9))
@pytest.mark.parametrize("colours", [draw.LEVEL_MAP, draw.DIFFERENCE_MAP])
def test_each_colour_stands_at_its_point(colours, index):
    assert pixels(draw.picture(np.array([[float(index)]]), 0, 8, colours)).tolist() == [[rgb(colours[index])]]


def test_the_lowest_band_is_at_the_bottom_and_time_runs_right():
    values = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])  # two bands, three frames
    picture = pixels(draw.picture(values, 0, 1, ["000000", "ffffff"]))
    assert picture[..., 0].tolist() == [[255, 0, 255], [0, 255, 255]]


def test_over_1200_frames_neighbours_are_averaged():
    alternating = np.tile([0.0, 1.0], (3, 1200))
    picture = pixels(draw.picture(alternating, 0, 1, ["000000", "c8c8c8"]))
    assert picture.shape == (3, 1200, 3)
    assert np.unique(picture).tolist() == [100]


@pytest.mark.parametrize("frames", [1, 2, 1199, 1200, 1201, 1799, 2401, 5000])
def test_every_frame_has_its_place_in_a_narrowed_picture(frames):
    ramp = np.linspace(0, 1, frames)[None]
    picture = pixels(draw.picture(ramp, 0, 1, ["000000", "ffffff"]))[0, :, 0].astype(int)
    assert picture.size == min(frames, 1200)
    assert (np.diff(picture) >= 0).all()
    if frames > 1:
        assert picture[0] <= 1
        assert picture[-1] >= 254
    constant = pixels(draw.picture(np.ones_like(ramp), 0, 1, ["000000", "ffffff"]))
    assert np.unique(constant).tolist() == [255]


def test_the_source_is_left_as_it_was():
    values = np.array([[0.25, 0.75]])
    draw.picture(values, 0, 1, draw.LEVEL_MAP)
    assert values.tolist() == [[0.25, 0.75]]


def test_a_colour_bar_runs_from_the_lowest_to_the_highest():
    assert draw.colour_bar(["000000", "808080", "ffffff"]) == [(0.0, "#000000"), (0.5, "#808080"), (1.0, "#ffffff")]


def points(path):
    assert re.fullmatch(r"M(-?\d+\.\d,-?\d+\.\d)(L-?\d+\.\d,-?\d+\.\d)*Z?", path)
    return [tuple(map(float, point.split(","))) for point in re.split("[ML]", path.rstrip("Z"))[1:]]


def test_a_wave_of_four_samples_is_its_outline():
    path = draw.wave_path(np.array([0.0, 1.0, -1.0, 0.5]), 400, 100, 1.0)
    top = [(0.0, 50.0), (100.0, 0.0), (200.0, 100.0), (300.0, 25.0)]
    assert points(path) == top + top[::-1]
    assert path.endswith("Z")


@pytest.mark.parametrize("size", [1, 2, 599, 600, 601, 22050])
def test_a_wave_has_the_extremes_of_each_column(size, rng):
    samples = rng.uniform(-1, 1, size)
    found = points(draw.wave_path(samples, 860, 90, 2.0))
    columns = min(size, 600)
    assert len(found) == 2 * columns
    heights = np.array([y for _, y in found])
    assert heights.min() == pytest.approx(45 * (1 - samples.max() / 2), abs=0.051)
    assert heights.max() == pytest.approx(45 * (1 - samples.min() / 2), abs=0.051)
    assert (heights[:columns] <= heights[columns:][::-1] + 0.051).all()
    assert all(0 <= x <= 860 for x, _ in found)


def test_a_line_goes_through_its_points():
    assert draw.line_path([(0, 1), (2.25, 3.0)]) == "M0.0,1.0L2.2,3.0"
    assert draw.line_path([]) == ""


def test_a_data_uri_holds_the_bytes():
    assert draw.data_uri("audio/flac", b"\x00\xff") == "data:audio/flac;base64,AP8="
