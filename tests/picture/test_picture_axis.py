"""Labels: what is a number, and when numbers and the places of their ticks are believed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.picture import axis as axes
from diagnose.picture.axis import LINEAR, LOG, MEL, parse
from diagnose.picture.boxes import find_outlines, lay_out
from diagnose.picture.letters import read_text
from diagnose.picture.ticks import Tick

# Numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-10", -10),
        ("+0", 0),
        ("+0dB", 0),
        ("-70d8", -70),
        ("8192", 8192),
        ("B192", 8192),
        ("0.15", 0.15),
        ("2k", 2000),
        ("1.5k", 1500),
        ("1:05", 65),
        ("1:00:30", 3630),
        ("0:00", 0),
    ],
)
def test_what_is_a_number(text, value):
    assert parse(text) == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["", "-", "+", ".", "015", "1.", ".5", "1.2.3", "--1", "4-0", "?", "1?0", "dB", "1:5", "1:005"]
)
def test_what_is_none(text):
    assert parse(text) is None


@given(st.floats(-99999, 99999, allow_nan=False), st.integers(0, 4))
def test_a_number_comes_back_as_it_is_written(value, digits):
    text = f"{value:+.{digits}f}"
    assert parse(text) == pytest.approx(float(text))


@given(st.integers(0, 35_999))
def test_a_time_comes_back_as_librosa_writes_it(seconds):
    text = (
        f"{seconds // 60}:{seconds % 60:02d}"
        if seconds < 3600
        else (f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}")
    )
    assert parse(text) == seconds


@given(st.text(alphabet="0123456789.:+-kdB?", max_size=12))
def test_any_text_is_a_finite_number_or_none(text):
    value = parse(text)
    assert value is None or abs(value) < 1e9


# Scales


@pytest.mark.parametrize("scale", [LINEAR, MEL, LOG], ids=lambda scale: scale.name)
@given(value=st.floats(-50, 30_000))
def test_a_scale_and_its_inverse_cancel(scale, value):
    assert float(scale.inverse(scale.forward(value))) == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_scales_are_those_that_librosa_sets():
    pytest.importorskip("matplotlib")
    from matplotlib.scale import SymmetricalLogTransform

    values = np.array([-20.0, 0, 30, 65, 66, 500, 1000, 1001, 4096, 11025])
    for scale, transform in (
        (MEL, SymmetricalLogTransform(base=2, linthresh=1000, linscale=1)),
        (LOG, SymmetricalLogTransform(base=2, linthresh=65.40639132514966, linscale=0.5)),
    ):
        assert scale.forward(values) == pytest.approx(transform.transform(values))


# Belief


@pytest.fixture
def ticks(monkeypatch):
    """ticks({place: text}) -> ticks whose letters are those texts."""
    monkeypatch.setattr(axes, "read_text", "".join)

    def make(labels):
        return [Tick(float(place), tuple(text)) for place, text in labels.items()]

    return make


def test_values_in_a_line_are_believed(ticks):
    axis = axes.read_axis(ticks({83: "-10", 134: "-20", 185: "-30", 236: "-40"}), [LINEAR])
    assert float(axis.value(32)) == pytest.approx(0, abs=0.05)


def test_one_label_read_wrongly_is_left_out(ticks):
    axis = axes.read_axis(ticks({0: "0", 50: "1", 100: "7", 150: "3", 200: "4"}), [LINEAR])
    assert float(axis.value(100)) == pytest.approx(2)


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {0: "0"},
        {0: "0", 50: "1"},
        {0: "0", 50: "1", 100: "?"},
        {0: "0", 50: "1", 100: "5"},
        {0: "0", 50: "1", 100: "2", 150: "9", 200: "7"},
        {0: "5", 50: "5", 100: "5"},
        {0: "0", 50: "05", 100: "10", 150: "15", 200: "20", 250: "?"},
    ],
)
def test_what_does_not_agree_is_not_believed(ticks, labels):
    assert axes.read_axis(ticks(labels), [LINEAR, MEL, LOG]) is None


@pytest.mark.parametrize("scale", [LINEAR, MEL, LOG], ids=lambda scale: scale.name)
def test_the_scale_is_told_by_the_places_of_the_ticks(ticks, scale):
    values = [0, 2000, 4000, 6000, 8000] if scale is LINEAR else [0, 64, 128, 256, 512, 1024, 2048, 4096, 8192]
    places = np.round(400 - scale.forward(np.array(values)) / scale.forward(11025) * 400)
    found = axes.read_axis(ticks(dict(zip(places, map(str, values), strict=True))), [LINEAR, MEL, LOG])
    assert found.scale is scale
    assert float(found.value(0)) == pytest.approx(11025, rel=0.01)


# Letters


@pytest.mark.parametrize(("dpi", "size"), [(100, 8), (100, 10), (100, 12), (150, 10), (200, 9), (300, 10)])
def test_every_letter_is_told_at_common_sizes(dpi, size):
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    from diagnose.picture.boxes import box_of
    from diagnose.picture.ticks import find_ticks

    values = {0.0: "-10", 1.0: "+23", 2.0: "4.567", 3.0: "8901", 4.0: "\u221242", 5.0: "1:06"}
    figure, ax = plt.subplots(figsize=(6, 4), dpi=dpi)
    ax.set_yticks(list(values), list(values.values()), fontsize=size)
    ax.set_xticks([])
    ax.set_ylim(-0.5, 5.5)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
    plt.close(figure)
    canvas = lay_out(pixels)
    box, _ = box_of(pixels, find_outlines(canvas.ink)[0])
    texts = [read_text(tick.letters).replace("B", "8") for tick in find_ticks(canvas, box, "left")]
    assert texts == [text.replace("\u2212", "-") for text in reversed(values.values())]
