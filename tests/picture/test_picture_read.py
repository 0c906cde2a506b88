"""A picture drawn from a known array gives that array back, with its frequencies and times."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from diagnose.errors import InputError
from diagnose.picture import findings, read_picture

RATE, HOP = 22050, 256


def slow(*values):
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


def median_error(picture, levels):
    assert picture.levels_db.shape == levels.shape
    return float(np.median(np.abs(picture.levels_db - levels)))


def as_drawn(picture, levels):
    """The array where the picture's rows and columns of pixels lie, for an array of FFT bins up to half the rate."""
    rows = np.arange(len(levels))
    if not picture.bands_are_cells:
        middles = (picture.band_edges_hz[1:] + picture.band_edges_hz[:-1]) / 2
        rows = np.round(middles / (RATE / 2) * (len(levels) - 1)).astype(int)
    columns = np.arange(levels.shape[1])
    if not picture.frames_are_cells:
        count = picture.levels_db.shape[1]
        columns = ((np.arange(count) + 0.5) / count * levels.shape[1]).astype(int)
    return levels[np.ix_(np.clip(rows, 0, len(levels) - 1), columns)]


# Colours


@pytest.mark.parametrize("cmap", ["magma", "gray_r", *slow("viridis", "inferno", "plasma", "gray")])
def test_levels_come_back_in_every_known_map(draw, array, cmap):
    levels = array()
    picture = read_picture(draw(levels, cmap=cmap))
    assert median_error(picture, levels) < 0.2
    assert picture.colour_map == cmap
    assert picture.db_range == pytest.approx((levels.min(), 0), abs=0.3)
    assert picture.notes == ()


@pytest.mark.slow
def test_any_other_map_is_read_by_its_bar(draw, array):
    picture = read_picture(draw(array(), cmap="coolwarm"))
    assert median_error(picture, array()) < 0.2
    assert picture.colour_map is None


@pytest.mark.slow
def test_a_map_that_comes_round_again_is_told(draw, array):
    picture = read_picture(draw(array(), cmap="twilight"))
    assert any("nearly the same colour" in note for note in picture.notes)


@pytest.mark.parametrize("cmap", ["magma", *slow("viridis", "gray")])
def test_without_a_bar_a_known_map_and_the_range_are_enough(draw, array, cmap):
    levels = array()
    path = draw(levels, cmap=cmap, bar=None)
    picture = read_picture(path, db_range=(levels.min(), 0))
    assert median_error(picture, levels) < 0.5
    assert any("no colour bar" in note and cmap in note for note in picture.notes)
    with pytest.raises(InputError, match=r"drawn.png: no colour bar found.*--db-range"):
        read_picture(path)


def test_without_a_bar_an_unknown_map_is_refused(draw, array):
    path = draw(array(), cmap="coolwarm", bar=None)
    with pytest.raises(InputError, match="match none of magma"):
        read_picture(path, db_range=(-80, 0))


@pytest.mark.slow
def test_a_given_range_counts_more_than_the_labels(draw, array):
    levels = array()
    picture = read_picture(draw(levels), db_range=(-100, 0))
    assert median_error(picture, levels * 100 / -levels.min()) < 0.2


# Sizes


@pytest.mark.parametrize(
    ("size", "dpi"),
    [
        ((6.4, 4.8), 72),
        ((10, 4), 150),
        *(
            pytest.param(size, dpi, marks=pytest.mark.slow)
            for size, dpi in (((6.4, 4.8), 100), ((8, 4), 80), ((11, 5), 200), ((10, 4), 300))
        ),
    ],
)
def test_levels_bands_frames_and_labels_come_back_at_every_size(draw, array, size, dpi):
    levels = array()
    picture = read_picture(draw(levels, size=size, dpi=dpi))
    assert median_error(picture, levels) < 0.3
    assert picture.fmax_hz == pytest.approx(RATE / 2, rel=0.015)
    assert picture.seconds == pytest.approx(90 * HOP / RATE, rel=0.01)
    assert picture.axis == "mel"


def test_a_tiny_picture_is_read_at_the_resolution_of_its_pixels(draw, array):
    levels = array(12, 20)
    path = draw(levels, size=(2, 1), y=None, x=None)
    with pytest.raises(InputError, match="labels of the colour bar cannot be read; give --db-range"):
        read_picture(path)
    picture = read_picture(path, db_range=(levels.min(), 0))
    assert median_error(picture, levels) < 1.0


def test_with_more_frames_than_pixels_a_frame_is_a_column_of_pixels(draw, array):
    # Constant in time but for one step, so that it does not matter which frame a pixel shows.
    levels = np.repeat(array(80, 2), 1000, axis=1)
    picture = read_picture(draw(levels))
    assert (picture.bands_are_cells, picture.frames_are_cells) == (True, False)
    assert median_error(picture, as_drawn(picture, levels)) < 0.2
    assert picture.seconds == pytest.approx(2000 * HOP / RATE, rel=0.01)


# Axes


AXES = [("mel", 80), ("linear", 65), ("log", 129), (None, 80)]
OFTEN = {("mel", "time"), ("linear", None), ("log", "time"), (None, None)}


@pytest.mark.parametrize(
    ("y", "bands", "x"),
    [
        pytest.param(y, bands, x, marks=() if (y, x) in OFTEN else pytest.mark.slow)
        for y, bands in AXES
        for x in ("time", None)
    ],
)
def test_every_axis_of_librosa_is_read(draw, array, y, bands, x):
    levels = array(bands)
    picture = read_picture(draw(levels, y=y, x=x, size=(10, 5), title=x is not None))
    assert median_error(picture, as_drawn(picture, levels)) < 0.5
    assert picture.axis == y
    if y is None:
        assert (picture.band_edges_hz, picture.fmax_hz) == (None, None)
    else:
        assert picture.fmax_hz == pytest.approx(RATE / 2, rel=0.01)
    if x is None:
        assert picture.frame_edges_s is None
    else:
        assert picture.seconds == pytest.approx(90 * HOP / RATE, rel=0.01)


def test_bands_lie_where_librosa_puts_them(draw, array):
    import librosa

    picture = read_picture(draw(array(), size=(10, 5), dpi=200))
    middles = (picture.band_edges_hz[1:] + picture.band_edges_hz[:-1]) / 2
    known = librosa.mel_frequencies(80, fmin=0, fmax=RATE / 2)
    assert np.abs(middles - known).max() < 0.02 * RATE / 2
    assert np.median(np.abs(middles[1:] / known[1:] - 1)) < 0.02


@pytest.mark.slow
def test_a_mel_axis_by_htk_s_formula_is_told_from_slaney_s(draw, array):
    levels = array(40)
    picture = read_picture(draw(levels, htk=True))
    assert median_error(picture, levels) < 0.2
    assert picture.fmax_hz == pytest.approx(RATE / 2, rel=0.01)


@pytest.mark.slow
def test_bands_that_never_change_are_counted_too(draw, array):
    levels = array()
    levels[60:] = -80
    levels[:, 40:60] = -80
    picture = read_picture(draw(levels))
    assert median_error(picture, levels) < 0.3


@pytest.mark.slow
def test_options_count_more_than_labels(draw, array):
    levels = array()
    path = draw(levels)
    picture = read_picture(path, fmax=8000, seconds=2.0)
    assert picture.fmax_hz == pytest.approx(8000, rel=1e-6)
    assert picture.frame_edges_s[[0, -1]].tolist() == [0.0, 2.0]
    assert median_error(picture, levels) < 0.2


def test_fmax_places_bands_without_labels_on_the_mel_scale_and_says_so(draw, array):
    import librosa

    picture = read_picture(draw(array(), y=None), fmax=8000)
    middles = (picture.band_edges_hz[1:] + picture.band_edges_hz[:-1]) / 2
    assert middles == pytest.approx(librosa.mel_frequencies(80, fmin=0, fmax=8000), abs=60)
    assert any("mel scale" in note for note in picture.notes)


def test_fmax_places_the_bins_of_an_fft_evenly(draw, array):
    picture = read_picture(draw(array(65), y=None), fmax=11025)
    assert picture.axis == "linear"
    assert picture.band_edges_hz[-1] == pytest.approx(11025 * 64.5 / 64)


@pytest.mark.slow
def test_minutes_and_seconds_are_read(draw, array):
    levels = np.repeat(array(80, 100), 90, axis=1)
    picture = read_picture(draw(levels))
    assert picture.seconds == pytest.approx(9000 * HOP / RATE, rel=0.01)


@pytest.mark.parametrize("x", ["ms", *slow("frames")])
def test_labels_that_are_no_seconds_are_not_taken_for_seconds(draw, array, x):
    picture = read_picture(draw(array(), x=x))
    assert picture.frame_edges_s is None
    assert any("give --seconds" in note for note in picture.notes)


def test_numbers_of_bands_are_not_taken_for_frequencies(draw, array):
    picture = read_picture(draw(array(), y="frames"))
    assert picture.band_edges_hz is None
    assert any("give --fmax" in note for note in picture.notes)


@pytest.mark.slow
def test_an_axis_turned_round_still_gives_low_bands_first(draw, array):
    levels = array()
    picture = read_picture(draw(levels, before_saving=lambda figure, axes: axes.invert_yaxis()))
    assert median_error(picture, levels) < 0.2


# What stands around


@pytest.mark.slow
def test_a_dark_style_a_serif_font_and_large_labels_are_read(draw, array):
    levels = array()

    def larger(figure, axes):
        for one in figure.axes:
            one.tick_params(labelsize=14)

    for style in ("dark_background", {"font.family": "serif"}):
        picture = read_picture(draw(levels, style=style, before_saving=larger))
        assert median_error(picture, levels) < 0.2
        assert picture.seconds == pytest.approx(90 * HOP / RATE, rel=0.01)


@pytest.mark.slow
def test_lines_over_the_picture_do_not_change_the_cells(draw, array):
    levels = array()

    def lines(figure, axes):
        axes.plot([0, 1], [300, 6000], "c--")
        axes.grid(True)

    picture = read_picture(draw(levels, before_saving=lines))
    assert median_error(picture, levels) < 0.3


def test_a_bar_below_is_read(draw, array):
    levels = array()

    def below(figure, axes):
        figure.axes[1].remove()
        figure.colorbar(axes.collections[0], ax=axes, format="%+2.0f dB", orientation="horizontal")

    picture = read_picture(draw(levels, size=(10, 8), before_saving=below))
    assert median_error(picture, levels) < 0.3


@pytest.mark.slow
def test_of_two_spectrograms_the_first_is_read_and_a_curve_is_none(draw, array, tmp_path):
    import matplotlib.pyplot as plt

    levels = array()
    path = str(tmp_path / "two.png")
    for draws_curve in (False, True):
        figure, (above, below) = plt.subplots(2, 1, figsize=(10, 8))
        if draws_curve:
            above.plot(np.sin(np.arange(300)))
        else:
            figure.colorbar(above.imshow(levels, origin="lower", aspect="auto"), ax=above)
        figure.colorbar(below.imshow(levels[::-1], origin="lower", aspect="auto"), ax=below)
        figure.savefig(path)
        plt.close(figure)
        picture = read_picture(path)
        assert median_error(picture, levels[::-1] if draws_curve else levels) < 0.2
        assert any("2 axes" in note for note in picture.notes) == (not draws_curve)


# Formats


@pytest.mark.slow
@pytest.mark.parametrize("quality", [75, 95])
def test_a_jpeg_gives_levels_within_2_db(draw, array, quality):
    levels = array(20, 30)
    path = draw(levels, y=None)
    Image.open(path).convert("RGB").save(path[:-4] + ".jpg", quality=quality)
    picture = read_picture(path[:-4] + ".jpg")
    rows = np.linspace(0, 20, len(picture.levels_db), endpoint=False).astype(int)
    columns = np.linspace(0, 30, picture.levels_db.shape[1], endpoint=False).astype(int)
    assert np.median(np.abs(picture.levels_db - levels[np.ix_(rows, columns)])) < 2


@pytest.mark.slow
def test_palette_grey_gif_and_transparent_pictures_are_read(draw, array):
    levels = array()
    colour, grey = draw(levels, file="c.png"), draw(levels, file="g.png", cmap="gray")
    Image.open(colour).convert("RGB").quantize(256).save(colour + ".palette.png")
    Image.open(colour).convert("RGB").save(colour + ".gif")
    Image.open(grey).convert("L").save(grey + ".grey.png")
    for path in (colour + ".palette.png", grey + ".grey.png"):
        assert median_error(read_picture(path), levels) < 0.3
    assert median_error(read_picture(colour + ".gif"), levels) < 1
    pixels = np.asarray(Image.open(colour).convert("RGBA")).copy()
    pixels[(pixels == 255).all(axis=2), 3] = 0
    Image.fromarray(pixels).save(colour + ".clear.png")
    assert median_error(read_picture(colour + ".clear.png"), levels) < 0.2


# The picture that the project began with


def test_the_picture_of_epoch_5000_says_what_the_eye_read(data):
    path = data / "epoch_5000.png"
    if not path.exists():
        pytest.skip("epoch_5000.png is not here")
    picture = read_picture(path)
    assert picture.levels_db.shape == (80, 89)
    assert picture.fmax_hz == pytest.approx(11025, rel=0.01)
    assert picture.db_range == pytest.approx((-79.4, 0), abs=0.2)
    found = findings(picture)
    (edge,) = found.edges
    assert edge.side == "right"
    assert edge.part.start_s == pytest.approx(0.98, abs=0.01)
    assert edge.excess_db > 30
    gone = [one.part for one in found.missing if one.part.low_hz <= 4096 and one.part.high_hz >= 8000]
    assert gone
    assert gone[0].start_s <= 0.3
    assert gone[0].end_s == pytest.approx(edge.part.start_s)
