"""summary.html: what it says, that it stays small, that nothing in it runs, and how fast a browser opens it."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import numpy as np
import pytest

from diagnose.batch.tally import Tally
from diagnose.metrics import METRICS
from diagnose.profile import default_profile
from diagnose.render.summary import headline, histogram, to_html
from diagnose.results.batch import BatchRow
from diagnose.text import printable

CHROMIUM = "/usr/bin/chromium"
CAUSES = ("gain", "noise", "clipping", None)


def rows(count):
    """Seeded rows of every verdict: the changes are normal about the ideal, in units that differ by metric."""
    rng = np.random.default_rng(7)
    sizes = 10.0 ** rng.uniform(-2, 3, len(METRICS))
    ideals = np.array([metric.ideal for metric in METRICS.values()])
    for number in range(1, count + 1):
        text = f"pair {number}"
        if number % 50 == 0:
            yield BatchRow(number, text, "r.wav", text, "ERROR", error=f"{text}: No such file or directory")
            continue
        changes = [float(value) for value in np.abs(ideals + sizes * rng.standard_normal(len(METRICS)))]
        changes[3 + number % 5] = None
        verdict = ("FAIL", "PASS", "WARN", "PASS")[number % 4]
        cause = CAUSES[number % 3] if verdict != "PASS" else None
        severity = float(rng.uniform(1, 9))
        yield BatchRow(
            number,
            text,
            "r.wav",
            text,
            verdict,
            "rms_ratio",
            severity,
            cause,
            0.9,
            f"{text} is off",
            None,
            tuple(changes),
        )


def overview(found, pages=()):
    found = list(found)
    tally = Tally()
    for row in found:
        tally.add(row)
    made = {number: f"pages/{number}-x.html" for number in pages}
    recipe = (("Command", "diagnose batch p.csv --out o"), ("Program", "timbre-diagnose 1"))
    return tally.overview(default_profile(), lambda asked: [found[n - 1] for n in asked], made, "results.csv", recipe)


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.texts = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.texts))


@pytest.fixture(scope="module")
def small():
    return overview(rows(200), pages=range(1, 9))


def test_the_headline_and_the_counts_come_first(small):
    text = Page(to_html(small)).text
    assert headline(small) == "48 of 200 pairs fail, 4 could not be compared; most often: clipping (32)"
    assert f"FAIL {headline(small)} 48 FAIL 4 ERROR 48 WARN 100 PASS" in text.replace("  ", " ")


def test_nothing_is_asked_of_a_server_and_no_script_runs(small):
    page = Page(to_html(small))
    (policy,) = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src data:; media-src data:; style-src 'sha256-")
    assert "script-src 'none'" in policy
    assert "unsafe" not in policy
    assert not [attributes for _, attributes in page.tags if "style" in attributes]
    assert {tag for tag, _ in page.tags} & {
        "script",
        "iframe",
        "object",
        "embed",
        "link",
        "form",
        "base",
        "img",
    } == set()
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        assert attributes.get("href", "pages/").startswith("pages/")


def test_a_hostile_name_is_text(hostile):
    stored = hostile.encode("utf-8", "backslashreplace").decode()  # as a row holds it
    for number in (4, 50):  # a FAIL and an ERROR
        of = [Page(to_html(overview([renamed(number, name)]))) for name in (stored, "plain")]
        assert [tag for tag, _ in of[0].tags] == [tag for tag, _ in of[1].tags]
        assert re.sub(r"\s+", " ", printable(stored)) in of[0].text
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", "".join(of[0].texts))


def renamed(number, name):
    """The row of that number, as the only one, of a pair of that name."""
    (*_, row) = rows(number)
    error = f"{name}: is no sound" if row.error else None
    return msgspec.structs.replace(row, row=1, id=name, generated=f"{name}.wav", summary=name, error=error)


def test_the_worst_are_linked_where_they_have_a_page(small):
    page = Page(to_html(small))
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    shown = {worst.row.row for worst in small.worst}
    assert sorted(links) == sorted(f"pages/{number}-x.html" for number in range(1, 9) if number in shown)
    assert "40 failed pairs have no report here: the worst 8 reach the size limit of --pages" in page.text
    assert "diagnose compare r.wav" in page.text


def test_every_metric_is_drawn_once_with_its_limits(small):
    text = to_html(small)
    for name in METRICS:
        assert text.count(f"<code>{name}</code><br>") == 1
    drawn = {spread.name: histogram(spread) for spread in small.spreads}
    marks = drawn["rms_ratio"].marks
    assert [mark.text for mark in marks] == ["WARN at 1.12", "WARN at 0.893", "FAIL at 1.41", "FAIL at 0.709"]
    assert drawn["rms_ratio"].spread.limit == "warn 1.12, fail 1.41, either way"


def test_bars_are_as_high_as_their_counts_and_lie_within_the_picture(small):
    for spread in small.spreads:
        found = re.findall(r"M([\d.]+),72v-([\d.]+)h([\d.]+)V72Z", histogram(spread).path)
        assert max(float(height) for _, height, _ in found) == pytest.approx(72)
        assert all(float(x) >= 0 and float(x) + float(width) <= 300 for x, _, width in found)
        assert len(found) == sum(one.count >= 0.5 for one in spread.bins)


@pytest.mark.slow
def test_the_page_is_as_small_for_many_pairs_as_for_few(small):
    many = to_html(overview(rows(5000)))
    assert len(many) < 1.3 * len(to_html(small)) + 10_000
    assert len(many) < 300_000


def test_nothing_compared_is_said():
    page = Page(to_html(overview(BatchRow(n, "p", "r", "g", "ERROR", error="g: gone") for n in (1, 2))))
    assert "ERROR 0 of 2 pairs fail, 2 could not be compared" in page.text
    assert "measured in no pair" in page.text


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"{CHROMIUM} is not there; apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.mark.slow
def test_20_000_rows_open_in_under_a_second(browser, tmp_path):
    path = tmp_path / "summary.html"
    path.write_text(to_html(overview(rows(20_000), pages=range(1, 100))))
    page = browser.new_page()
    page.goto("about:blank")
    begin = time.perf_counter()
    page.goto(path.as_uri(), wait_until="load")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert time.perf_counter() - begin < 1.0
    page.close()


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (400, "dark"),
        *(pytest.param(*other, marks=pytest.mark.slow) for other in ((400, "light"), (1200, "dark"), (1200, "light"))),
    ],
)
def test_the_page_fits_a_screen_of_any_width_and_says_nothing_to_the_console(browser, small, tmp_path, width, scheme):
    path = tmp_path / "summary.html"
    path.write_text(to_html(small))
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 23, 28)"}[scheme]
    assert said == []
    page.close()
