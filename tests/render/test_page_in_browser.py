"""The page as a browser has it: what it asks for, plays, counts and tells whoever cannot see it."""

from __future__ import annotations

import itertools
import math
import os
import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import numpy as np
import pytest

import diagnose
from diagnose.audio import Audio
from diagnose.render import failures
from diagnose.render.html import to_html
from diagnose.results.region import Region
from diagnose.results.suite import Case, Check, Suite

RATE = 22050
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
)
LONGEST_LOAD_MS = 300
REGIONS = (
    Region("missing_share", 0.1, 0.2, 1000.0, 2000.0, -40.0),
    Region("clicks_per_s", 0.3, 0.31, 0.0, 8000.0, 20.0),
)


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium here: apt install chromium")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


class Seen:
    """A page that is open, and all that it asked for, said and threw."""

    def __init__(self, browser, path, options):
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.requests, self.said, self.dialogs = [], [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.own = path.as_uri()
        self.page.goto(self.own)

    @property
    def outside(self):
        """Every request but the page itself and what lies in it."""
        return [url for url in self.requests if not url.startswith(("data:", self.own))]


@pytest.fixture
def opened(browser, tmp_path):
    """opened(text, javascript=False, ...) -> Seen, of a file on the disk; closed when the test ends."""
    seen = []

    def make(text, name="report.html", **options):
        path = tmp_path / name
        path.write_bytes(text.encode("utf-8", "backslashreplace"))
        seen.append(Seen(browser, path, options))
        return seen[-1]

    yield make
    for each in seen:
        each.context.close()


@pytest.fixture(scope="module")
def text(explained):
    return to_html(msgspec.structs.replace(explained, regions=REGIONS))


@pytest.fixture
def shown(opened, text):
    return opened(text)


@pytest.fixture(scope="module")
def still(browser, text, tmp_path_factory):
    """The same page for all who only call its functions."""
    path = tmp_path_factory.mktemp("still") / "report.html"
    path.write_text(text, encoding="utf-8")
    seen = Seen(browser, path, {})
    yield seen
    seen.context.close()


def load_ms(page):
    """From the start of the navigation to the end of load; the best of up to ten, for other work is not the page's."""
    times = [math.inf]
    while len(times) <= 10 and min(times) >= LONGEST_LOAD_MS:
        page.reload()
        times.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
    return min(times)


# What it may do


def test_it_opens_from_the_disk_asks_for_nothing_and_has_no_error(shown):
    assert (shown.outside, shown.said) == ([], [])
    assert load_ms(shown.page) < LONGEST_LOAD_MS
    assert (shown.outside, shown.said) == ([], [])


def test_a_hostile_name_runs_nothing(opened, named, explained):
    name = "<img src=x onerror=alert(1)>.wav"
    seen = opened(to_html(named(name, name)))
    assert seen.page.title().endswith(f"{name} against {name}")
    assert seen.page.locator("main img").count() == 0
    assert (seen.dialogs, seen.outside, seen.said) == ([], [], [])


def test_what_is_injected_neither_runs_nor_leaves(opened, text):
    """A hole in the escaping would still meet the policy."""
    wrong = "<script>alert(1)</script><img src='https://x.example/i.png' onerror='alert(2)'><p style='color:red'>x</p>"
    seen = opened(text.replace("<main>", f"<main>{wrong}"))
    seen.page.wait_for_timeout(50)
    assert seen.dialogs == []
    assert len(seen.said) >= 3
    assert all("Content Security Policy" in said for said in seen.said)
    assert seen.page.evaluate("getComputedStyle(document.querySelector('main > p')).color") != "rgb(255, 0, 0)"
    assert seen.page.evaluate("fetch('https://x.example/').then(() => 'left', () => 'refused')") == "refused"


def test_without_scripts_it_reads_and_plays(opened, text):
    page = opened(text, java_script_enabled=False).page
    assert page.locator(".live:visible").count() == 0
    assert page.locator("audio[controls]:visible").count() == 3
    assert page.locator("svg image:visible").count() == 3
    page.locator("a[href='#place-1']").click()
    assert page.url.endswith("#place-1")


# What is pure


@pytest.mark.parametrize(("right", "trials"), [(0, 10), (5, 10), (8, 10), (10, 10), (60, 100), (16, 16)])
def test_the_chance_of_guessing_is_binomial(still, right, trials):
    wanted = sum(math.comb(trials, k) for k in range(right, trials + 1)) / 2**trials
    assert still.page.evaluate(f"guessing({right}, {trials})") == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    ("region", "wanted"),
    [((0.1, 0.2), [0.1, 0.2]), ((-1, 0.2), [0, 0.2]), ((0.4, 9), [0.4, 0.5]), ((0.6, 0.9), None), ((0.2, 0.2), None)],
)
def test_a_region_stays_in_the_sound(still, region, wanted):
    assert still.page.evaluate(f"clampRegion({region[0]}, {region[1]}, 0.5)") == wanted


@pytest.mark.parametrize("matched", [True, False])
@pytest.mark.parametrize(("peaks", "played", "match"), [((0.5, 1.0), (1, 0.25), -9), ((0.2, 0.1), (1, 1), 12)])
def test_nothing_clips_and_the_levels_are_as_said(still, peaks, played, match, matched):
    call = f"balance({list(peaks)}, {list(played)}, {match}, {str(matched).lower()})"
    first, second = still.page.evaluate(call)
    assert first * peaks[0] <= 1 + 1e-12
    assert second * peaks[1] <= 1 + 1e-12
    wanted = (match if matched else 0) + 20 * math.log10(played[0] / played[1])
    assert 20 * math.log10(second / first) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(("elapsed", "at"), [(0, 0.25), (0.04, 0.29), (0.06, 0.21), (1.06, 0.21)])
def test_the_place_in_a_loop_wraps(still, elapsed, at):
    plan = "{from: 0.25, start: 0.2, end: 0.3, loop: true}"
    assert still.page.evaluate(f"positionAt({plan}, {elapsed})") == pytest.approx(at, abs=1e-9)


# What is heard, rendered offline with the graph that plays

OFFLINE_RATE, HALF = 8000, 4000  # a sample a number in JSON, there and back
RENDER = """async ({buffers, plan, switches, seconds, rate}) => {
  const offline = new OfflineAudioContext(1, Math.round(seconds * rate), rate);
  const made = buffers.map((values) => {
    const buffer = new AudioBuffer({length: values.length, numberOfChannels: 1, sampleRate: rate});
    buffer.copyToChannel(Float32Array.from(values), 0);
    return buffer;
  });
  const graph = buildGraph(offline, made, plan, 0);
  switches.forEach(([at, side]) => fadeTo(graph, heard(plan.gains, side), at));
  return Array.from((await offline.startRendering()).getChannelData(0));
}"""


def rendered(shown, buffers, switches=(), seconds=0.5, rate=OFFLINE_RATE, **plan):
    plan = {
        "from": 0,
        "start": 0,
        "end": seconds,
        "loop": False,
        "offsets": [0, 0],
        "gains": [1, 1],
        "side": "a",
    } | plan
    buffers = [np.asarray(part, float).tolist() for part in buffers]
    asked = {"buffers": buffers, "plan": plan, "switches": switches, "seconds": seconds, "rate": rate}
    return np.array(shown.page.evaluate(RENDER, asked))


def test_switching_between_equal_sounds_is_not_heard(still):
    sound = np.random.default_rng(0).uniform(-1, 1, HALF).astype(np.float32)
    switches = [[0.05, "b"], [0.1, "a"], [0.102, "b"], [0.3, "a"], [0.3333, "b"]]
    out = rendered(still, [sound, sound], switches)
    assert np.abs(out - sound).max() < 1e-6


def test_a_switch_takes_five_milliseconds_and_keeps_the_place(still):
    time = np.arange(HALF) / OFFLINE_RATE
    out = rendered(still, [time, 10 + time], [[0.1, "b"]])
    before, after = time < 0.0999, time > 0.1051
    assert np.abs(out - time)[before].max() < 1e-6
    assert np.abs(out - 10 - time)[after].max() < 2e-6
    rise = np.diff((out - time)[(time > 0.1002) & (time < 0.1048)])
    assert rise == pytest.approx(10 / (0.005 * OFFLINE_RATE), rel=0.01)


def test_a_loop_plays_within_its_bounds_on_both(still):
    time = np.arange(OFFLINE_RATE) / OFFLINE_RATE  # a sample says where it lies
    region = {"loop": True, "from": 0.2, "start": 0.2, "end": 0.3}
    for side, offset in (("a", 0), ("b", 0.1)):
        out = rendered(still, [time, time], side=side, offsets=[0, 0.1], **region) - offset
        assert out.min() >= 0.2 - 1e-6
        assert out.max() < 0.3
        period = round(0.1 * OFFLINE_RATE)
        assert np.abs(out[:period] - time[round(0.2 * OFFLINE_RATE) :][:period]).max() < 1e-6
        assert np.abs(out[period:] - out[:-period]).max() < 1e-6


def test_a_delay_is_taken_off(still):
    late = np.pad(np.random.default_rng(0).uniform(-1, 1, HALF), (500, 0))
    out = rendered(still, [late[500:], late], [[0.1, "b"]], offsets=[0, 500 / OFFLINE_RATE])
    assert np.abs(out - late[500:]).max() < 1e-6


# What is pressed


def state(page):
    return page.evaluate(
        "({side: active.side, region: active.region, playing: active.graph !== null, at: now(active)})"
    )


def until(page, condition):
    """Playwright's own wait_for_function evaluates text in the page, and the policy forbids that."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"never came true: {condition}")


@pytest.mark.slow
def test_a_region_is_looped_by_click_and_by_key_and_let_go(shown):
    page = shown.page
    box = page.locator("a[data-start]").first
    box.dispatch_event("click")
    until(page, "active.graph !== null")
    assert state(page)["region"] == [pytest.approx(0.1), pytest.approx(0.2)]
    for _ in range(20):
        assert 0.1 <= state(page)["at"] < 0.2 + 1e-9
        page.wait_for_timeout(10)
    assert page.get_by_role("button", name="Loop place 1").get_attribute("aria-pressed") == "true"
    box.focus()
    page.keyboard.press("Space")
    assert state(page)["region"] is None
    assert not state(page)["playing"]
    page.keyboard.press("Enter")
    until(page, "active.region !== null")
    assert "#" not in page.url


def test_the_keys_play_switch_and_seek(shown):
    page = shown.page
    page.keyboard.press("b")
    assert state(page)["side"] == "b"
    assert page.locator("[data-hear=b]").get_attribute("aria-pressed") == "true"
    page.keyboard.press("a")
    assert state(page)["side"] == "a"
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowLeft")
    assert state(page)["at"] == pytest.approx(0.1)
    page.keyboard.press("ArrowLeft")
    assert state(page)["at"] == 0
    page.keyboard.press("Space")
    until(page, "active.graph !== null")
    page.keyboard.press("Space")
    assert not state(page)["playing"]


@pytest.mark.slow
def test_keys_that_are_typed_into_the_filter_switch_nothing(shown):
    page = shown.page
    page.locator("[data-do=words]").fill("")
    page.locator("[data-do=words]").press_sequentially("b x")
    assert state(page)["side"] == "a"
    assert page.evaluate("active.test") is None


@pytest.mark.slow
def test_the_filter_shows_the_rows_that_hold_the_words(shown, explained):
    page = shown.page
    page.locator("[data-do=words]").fill("CENTROID")
    names = page.locator("tr[data-verdict]:visible code").all_text_contents()
    assert names == ["spectral_centroid_hz"] or "spectral_centroid_hz" in names
    assert len(names) < len(explained.worst_first)
    page.locator("[data-do=words]").fill("")
    page.locator("[data-verdict-of=FAIL]").uncheck()
    verdicts = set(page.locator("tr[data-verdict]:visible td.tag").all_text_contents())
    assert verdicts == {row.verdict for row in explained.worst_first} - {"FAIL"}
    passed = sum(row.verdict != "FAIL" for row in explained.worst_first)
    assert page.locator(".shown").text_content() == f"{passed} of {len(explained.worst_first)} shown"


@pytest.mark.slow
def test_a_click_on_a_picture_goes_there(shown):
    field = shown.page.locator("svg.seek").first
    box = field.bounding_box()
    field.click(position={"x": box["width"] * 0.8, "y": 5})
    assert state(shown.page)["at"] == pytest.approx(0.8 * 0.5, abs=0.01)
    assert float(field.locator("line.head").first.get_attribute("x1").removesuffix("%")) == pytest.approx(80, abs=2)


def test_a_blind_test_counts_right_and_tells_the_answers_at_the_end(shown):
    page = shown.page
    page.locator(".abx summary").click()
    page.locator("[data-do=trials]").fill("6")
    page.locator("[data-do=test]").click()
    hidden = page.evaluate("active.test.hidden")
    assert len(hidden) == 6
    assert set(hidden) <= {"a", "b"}
    said = [*hidden[:4], *("b" if side == "a" else "a" for side in hidden[4:])]
    for index, side in enumerate(said):
        page.keyboard.press("x")
        assert state(page)["side"] == hidden[index]
        assert page.locator("[data-hear=x]").get_attribute("aria-pressed") == "true"
        assert page.locator(".answers li").count() == 0
        page.locator(f"[data-say={side}]").click()
    chance = sum(math.comb(6, k) for k in (4, 5, 6)) / 64
    assert page.locator(".score").text_content().startswith(f"4 of 6 right, p = {chance:.3f}: this may be guessing")
    answers = page.locator(".answers li").all_text_contents()
    assert [answer.endswith(": wrong") for answer in answers] == [False] * 4 + [True] * 2
    assert page.locator("[data-say=a]").is_disabled()


@pytest.mark.slow
def test_a_blind_test_is_equally_loud(shown):
    page = shown.page
    page.locator("[data-do=match]").uncheck()
    as_is = page.evaluate("gainsOf(active)")
    page.keyboard.press("x")
    assert page.evaluate("gainsOf(active)") != as_is
    assert page.locator("[data-do=match]").is_disabled()


def test_x_is_a_and_b_alike(still):
    drawn = still.page.evaluate("Array.from({length: 40}, () => newTest(100).hidden).flat()")
    assert abs(drawn.count("a") - 2000) < 5 * math.sqrt(1000)  # five standard deviations


@pytest.mark.slow
def test_a_sound_against_itself_is_the_same_on_both_sides(opened, same):
    page = opened(to_html(same)).page
    page.keyboard.press("Space")
    until(page, "active.graph !== null")
    gains = page.evaluate("gainsOf(active)")
    assert gains[0] == gains[1]
    assert page.evaluate(
        "active.buffers[0].getChannelData(0).every((value, at) => value === active.buffers[1].getChannelData(0)[at])"
    )


def test_c_is_the_repaired_sound_at_the_same_place_and_no_key_without_one(opened, shown, note):
    shown.page.keyboard.press("c")
    assert state(shown.page)["side"] == "a"
    late = Audio(-np.pad(note.samples, ((0, 0), (2000, 0))), note.rate)
    page = opened(to_html(diagnose.compare(note, late, repair=True))).page
    page.keyboard.press("Space")
    until(page, "active.graph !== null")
    page.keyboard.press("c")
    assert state(page)["side"] == "c"
    assert page.locator("[data-hear=c]").get_attribute("aria-pressed") == "true"
    assert page.evaluate("active.graph.levels.map((level) => level > 0)") == [False, False, True]
    a, b, c = page.evaluate("active.offsets")
    assert (c, b) == (a, pytest.approx(a + 2000 / note.rate, abs=1e-4))
    assert page.evaluate(
        "active.buffers[0].getChannelData(0).every((value, at) =>"
        " Math.abs(value - active.buffers[2].getChannelData(0)[at]) < 1e-4)"
    )


@pytest.mark.slow
def test_two_pairs_on_a_page_play_one_at_a_time(opened, broken):
    sections = failures.Sections()
    cases = [Case(name, "FAIL", (Check("rms_ratio", "FAIL", "1 -> 2"),)) for name in ("one", "two")]
    for case in cases:
        sections(case, msgspec.structs.replace(broken, regions=REGIONS))
    seen = opened(failures.to_html(Suite("s", tuple(cases)), sections.found))
    page = seen.page
    for index in (0, 1):
        page.locator("[data-do=play]").nth(index).click()
        until(page, f"active?.root === document.querySelectorAll('.pair')[{index}] && active.graph !== null")
    assert page.locator("[data-do=play]").all_text_contents()[0] == "Play"
    assert (seen.said, seen.outside) == ([], [])


# For whoever cannot see it, and on paper


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core, which is not kept here: AXE_CORE names axe.min.js, or npm's folders are asked."""
    places = [os.environ.get("AXE_CORE", ""), os.environ.get("NODE_PATH", "") + "/axe-core/axe.min.js"]
    if shutil.which("npm"):
        for where in (["npm", "root"], ["npm", "root", "-g"]):
            done = subprocess.run(where, capture_output=True, text=True, timeout=600)
            places.append(f"{done.stdout.strip()}/axe-core/axe.min.js")
    found = next((Path(place) for place in places if place and Path(place).is_file()), None)
    if found is None:
        pytest.skip("axe-core is not here: npm install axe-core, and AXE_CORE=.../axe-core/axe.min.js")
    return found.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (390, "dark"),
        *(pytest.param(*one, marks=pytest.mark.slow) for one in ((390, "light"), (1200, "dark"), (1200, "light"))),
    ],
)
def test_axe_finds_nothing_serious(opened, text, axe, scheme, width):
    page = opened(text, color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True).page
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    page.evaluate(axe + "\n;0")
    found = page.evaluate("axe.run().then((done) => done.violations)")
    worst = [
        (each["id"], [node["html"][:120] for node in each["nodes"][:3]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert worst == []


@pytest.mark.parametrize("width", [390, pytest.param(1200, marks=pytest.mark.slow)])
def test_nothing_sticks_out_at_the_side(opened, text, width):
    page = opened(text, viewport={"width": width, "height": 800}).page
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_headings_go_down_one_step_at_a_time(still):
    levels = [
        int(name[1]) for name in still.page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(e => e.tagName)")
    ]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@pytest.mark.slow
def test_on_paper_there_are_pictures_and_boxes_and_no_players(shown):
    page = shown.page
    page.emulate_media(media="print")
    assert page.locator("audio:visible, button:visible, nav:visible").count() == 0
    assert page.locator("svg image:visible").count() == 3
    assert page.locator("rect.box").count() == 6
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not(.live):not([open])").count() == 0


@pytest.mark.slow
def test_ten_seconds_of_stereo_are_one_megabyte_and_open_at_once(opened):
    rng = np.random.default_rng(0)
    time = np.arange(441_000) / 44_100
    tone = np.stack([np.sin(2 * np.pi * (220 + 40 * side) * time * (1 + time / 20)) for side in (0, 1)])
    sounds = [Audio((0.3 * tone + 0.05 * rng.standard_normal(tone.shape)).astype(np.float32), 44_100) for _ in range(2)]
    page_text = to_html(diagnose.compare(*sounds))
    assert len(page_text.encode()) < 1_000_000
    assert len(re.findall("data:audio/ogg", page_text)) == 3
    seen = opened(page_text)
    assert load_ms(seen.page) < LONGEST_LOAD_MS
    seen.page.keyboard.press("Space")
    until(seen.page, "active.graph !== null")
    assert seen.page.evaluate("active.buffers.map((buffer) => buffer.duration)") == [pytest.approx(10, abs=0.01)] * 2
