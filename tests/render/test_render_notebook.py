"""A report in a notebook: what it shows itself as, its table and its picture."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from html.parser import HTMLParser

import msgspec
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

import diagnose
from diagnose.audio import Audio
from diagnose.errors import InputError
from diagnose.render.mel_pair import mel_pair
from diagnose.render.phrases import headline, meaning
from diagnose.results.region import Region
from diagnose.text import printable

RATE = 22050
VOID = {"br", "image", "rect"}


class Fragment(HTMLParser):
    """Every tag that opens closes, in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID or (tag == "rect" and self.get_starttag_text()[-2:] != "/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.texts))


# What it shows itself as


def test_ipython_takes_it_as_html(broken):
    from IPython.core.formatters import HTMLFormatter

    assert HTMLFormatter()(broken) == broken._repr_html_()
    assert broken._repr_html_().startswith('<div class="timbre-diagnose"')


def test_it_asks_nothing_of_a_server_and_runs_nothing(broken):
    text = broken._repr_html_()
    assert not re.search(r"https?:|//\w|@import|url\(", re.sub(r"base64,[A-Za-z0-9+/=]+", "", text))
    for tag, attributes in Fragment(text).elements:
        assert tag not in {"script", "iframe", "object", "embed", "link", "form", "base", "html", "body", "head"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name != "id"  # a notebook shows many
            if name in ("src", "href"):
                assert value.startswith("data:")


def test_its_styles_touch_nothing_else_in_the_notebook(broken):
    (style,) = re.findall(r"<style>(.*?)</style>", broken._repr_html_(), re.DOTALL)
    selectors = [each.strip() for rule in re.findall(r"([^{}]+)\{", style) for each in rule.split(",")]
    assert len(selectors) > 10
    assert all(selector.startswith(".timbre-diagnose") for selector in selectors)


def test_it_says_what_broke_what_to_do_and_what_failed(explained, causes):
    shown = Fragment(explained._repr_html_())
    over = [row for row in explained.worst_first if row.verdict != "PASS"]
    at = 0
    for part in ("FAIL", headline(explained), causes[0].id, "95 %", causes[0].fix, *causes[0].evidence, over[0].name):
        at = shown.text.index(part, at)
    for row in over[:8]:
        assert meaning(row) in shown.text
    for row in over[8:]:
        assert row.name in shown.text
    assert len(shown.all("image")) == 1
    assert len(shown.all("audio")) == 2
    assert len(explained._repr_html_()) < 300_000


def test_a_pass_is_short(same):
    shown = Fragment(same._repr_html_())
    assert "PASS no metric is over its limit" in shown.text
    assert shown.all("table") == []


def test_the_boxes_are_drawn_on_the_picture(same):
    report = msgspec.structs.replace(same, regions=(Region("missing_share", 0.1, 0.2, 1000.0, 2000.0, -40.0),))
    (box,) = [each for each in Fragment(report._repr_html_()).all("rect") if each["class"] == "box"]
    highest, top = 15 + 27 * np.log(8) / np.log(6.4), 15 + 27 * np.log(2) / np.log(6.4)
    assert float(box["x"]) == pytest.approx(52 + 700 * 0.2, abs=0.1)
    assert float(box["y"]) == pytest.approx(2 + 160 * (1 - top / highest), abs=0.1)


def test_a_hostile_name_and_cause_are_text(named, hostile, hostile_causes):
    report = msgspec.structs.replace(named(hostile, hostile), causes=hostile_causes, pair=None, apart=hostile)
    shown = Fragment(report._repr_html_())
    clean = Fragment(msgspec.structs.replace(named("a.wav"), causes=hostile_causes, pair=None)._repr_html_())
    assert [tag for tag, _ in shown.elements] == [tag for tag, _ in clean.elements]
    assert shown.text.count(re.sub(r"\s+", " ", printable(hostile)).strip()) >= 6
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", "".join(shown.texts))


def test_without_sounds_it_says_why_it_has_no_picture(broken):
    shown = Fragment(msgspec.structs.replace(broken, pair=None, apart="they are gone")._repr_html_())
    assert "No picture and no players: they are gone." in shown.text
    assert shown.all("image") + shown.all("audio") == []


@pytest.mark.slow
def test_long_sounds_are_not_kept_in_a_notebook(rng):
    noise = Audio(rng.uniform(-0.5, 0.5, (1, 30 * RATE)).astype(np.float32), RATE)
    text = diagnose.compare(noise, noise)._repr_html_()
    assert "too long for a notebook" in text
    assert len(text) < 600_000


@pytest.mark.slow
def test_a_browser_shows_it_light_and_dark_without_touching_what_is_around(explained, program):
    playwright = pytest.importorskip("playwright.sync_api")
    said, asked = [], []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program("chromium"))
        page = browser.new_page(viewport={"width": 700, "height": 900})
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        for ink, paper in (("rgb(17, 17, 17)", "#fff"), ("rgb(238, 238, 238)", "#111")):
            inside = f'<section id="inside">{explained._repr_html_()}</section>'
            page.set_content(
                f'<!doctype html><body style="color:{ink};background:{paper}"><p id="around">around</p>{inside}</body>'
            )
            assert page.evaluate("document.documentElement.scrollWidth") <= 700
            for place in ("#around", "#inside p.soft", "#inside td:last-child", "#inside th"):
                assert page.eval_on_selector(place, "element => getComputedStyle(element).color") == ink
        browser.close()
    assert said == []
    assert all(url.startswith(("data:", "about:")) for url in asked)


# Its table


def test_the_frame_has_every_metric_with_its_figures(broken):
    frame = broken.to_frame()
    assert list(frame.index) == [row.name for row in broken.metrics]
    assert frame.index.name == "metric"
    columns = ["unit", "reference", "generated", "change", "verdict", "warn", "fail", "meaning", "version"]
    assert list(frame.columns) == columns
    for row in broken.metrics:
        held = (
            row.reference,
            row.generated,
            row.change,
            row.limit.warn,
            row.limit.fail,
        )
        shown = frame.loc[row.name, ["reference", "generated", "change", "warn", "fail"]]
        for value, number in zip(shown, held, strict=True):
            assert np.isnan(value) if number is None else value == number
        assert frame.loc[row.name, "meaning"] == meaning(row)
    assert set(frame[frame.verdict == "FAIL"].index) == {r.name for r in broken.metrics if r.verdict == "FAIL"}
    assert all(frame[name].dtype == np.float64 for name in ("reference", "generated", "change", "warn", "fail"))


def test_a_report_without_metrics_has_an_empty_frame(report_of):
    import pandas

    frame = report_of([], "ERROR").to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert frame.shape == (0, 9)


@pytest.mark.parametrize(("method", "package"), [("to_frame", "pandas"), ("figure", "matplotlib")])
def test_a_package_that_is_missing_is_named_in_a_line(broken, monkeypatch, method, package):
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=rf"^{method}\(\) needs {package}: pip install {package}$"):
        getattr(broken, method)()


# Its picture


def test_the_three_panels_hold_the_levels_on_one_time_and_one_mel_axis(broken):
    figure = broken.figure()
    panels = figure.axes[:3]
    levels = mel_pair(broken.pair)
    for panel, values in zip(panels, (levels.reference, levels.generated, levels.difference), strict=True):
        (image,) = panel.images
        np.testing.assert_array_equal(image.get_array(), values)
        assert image.get_extent() == [0.0, pytest.approx(0.5, abs=1e-6), 0.0, 1.0]
        assert panel.get_xlim() == panels[0].get_xlim()
    assert panels[0].images[0].get_clim() == panels[1].images[0].get_clim() == (-80.0, 0.0)
    assert panels[2].images[0].get_clim() == (-30.0, 30.0)
    labels = dict(zip([t.get_text() for t in panels[0].get_yticklabels()], panels[0].get_yticks(), strict=True))
    assert labels["1 kHz"] == pytest.approx(15 / (15 + 27 * np.log(8) / np.log(6.4)))
    assert len(figure.axes) == 5  # and two colour bars


def test_a_region_is_drawn_where_it_is(same):
    report = msgspec.structs.replace(same, regions=(Region("missing_share", 0.1, 0.2, 1000.0, 8000.0, -40.0),))
    (box,) = [patch for patch in report.figure().axes[2].patches if isinstance(patch, Rectangle)]
    assert box.get_xy() == (pytest.approx(0.1), pytest.approx(15 / (15 + 27 * np.log(8) / np.log(6.4))))
    assert box.get_x() + box.get_width() == pytest.approx(0.2)
    assert box.get_y() + box.get_height() == pytest.approx(1.0)
    assert to_rgba("black") == box.get_edgecolor()


def test_a_notebook_shows_the_figure_without_pyplot(broken):
    from IPython.core.formatters import PNGFormatter

    data = PNGFormatter()(broken.figure())
    data = base64.b64decode(data) if isinstance(data, str) else data
    assert data.startswith(b"\x89PNG")


@pytest.mark.slow
def test_pyplot_knows_nothing_of_it(broken):
    code = (
        "import sys, diagnose\nfrom diagnose import example\nnote = example.bowed_string(seconds=0.2)\n"
        "report = diagnose.compare(note, note)\n"
        "assert not {'pandas', 'matplotlib', 'jinja2'} & set(sys.modules)\n"
        "report.figure()._repr_png_()\nassert 'matplotlib.pyplot' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_name_is_no_formula(named):
    named(r"$\frac{a$.wav", "$x$ and $.wav").figure()._repr_png_()


def test_without_sounds_there_is_no_figure(broken):
    report = msgspec.structs.replace(broken, pair=None, apart="they are gone")
    with pytest.raises(InputError, match=r"^figure\(\) needs the sounds: they are gone$"):
        report.figure()
