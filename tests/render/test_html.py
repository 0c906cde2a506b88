from __future__ import annotations

import base64
import hashlib
import html
import io
import re
import shlex
from html.parser import HTMLParser

import msgspec
import numpy as np
import pytest
import soundfile
from PIL import Image

import diagnose
from diagnose.audio import Audio
from diagnose.metrics import METRICS
from diagnose.render.html import to_html
from diagnose.render.metric_pictures import picture_of
from diagnose.render.phrases import headline
from diagnose.results.region import Region
from diagnose.text import amount, printable

RATE = 22050
VOID = {"meta", "br", "img", "input", "link", "hr"}


class Page(HTMLParser):
    """A strict reader: every tag that opens closes, in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["style"], ["script"]):
            self.texts.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.texts))


@pytest.fixture(scope="module")
def page(broken):
    return Page(to_html(broken))


def decoded(uri, kind):
    head, _, data = uri.partition(",")
    assert head == f"data:{kind};base64"
    return io.BytesIO(base64.b64decode(data, validate=True))


def picture(attributes):
    with Image.open(decoded(attributes["href"], "image/png")) as image:
        return np.asarray(image.convert("RGB"))


# What may be in it


def test_nothing_is_asked_of_a_server_and_only_our_script_runs(broken, page):
    text = to_html(broken)
    assert not re.search(r"https?:|//\w|@import|url\((?!#)", re.sub(r"base64,[A-Za-z0-9+/=]+", "", text))
    tags = [tag for tag, _ in page.elements]
    assert set(tags) & {"iframe", "object", "embed", "link", "form", "base", "img"} == set()
    assert (tags.count("script"), tags.count("style")) == (1, 1)
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style", tag
            if name in ("src", "href", "xlink:href", "action", "poster"):
                assert value.startswith(("data:", "#")), (tag, name)


def test_what_a_link_names_is_there_once(explained):
    shown = Page(to_html(explained))
    ids = [attributes["id"] for _, attributes in shown.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] for _, attributes in shown.elements if attributes.get("href", "").startswith("#")]
    assert len(links) > 20
    assert {link[1:] for link in links} <= set(ids)


def test_the_policy_admits_our_style_and_our_script_by_their_hashes(broken, page):
    text = to_html(broken)
    bodies = [re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[1] for tag in ("style", "script")]
    hashes = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies]
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.pop("default-src") == "'none'"
    assert rules == {
        "img-src": "data:",
        "media-src": "data:",
        "style-src": f"'sha256-{hashes[0]}'",
        "script-src": f"'sha256-{hashes[1]}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert page.all("meta")[0] == {"charset": "utf-8"}


def test_a_hostile_name_is_text(named, hostile):
    shown = Page(to_html(named(hostile, hostile)))
    clean = Page(to_html(named("reference.wav")))
    assert [tag for tag, _ in shown.elements] == [tag for tag, _ in clean.elements]
    wanted = re.sub(r"\s+", " ", printable(hostile))
    assert shown.text.count(wanted) >= 4  # the title and the list name both files
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", "".join(shown.texts))


# What is in it


def test_the_verdict_and_the_headline_come_first(broken, page):
    assert page.text.index(headline(broken)) < page.text.index("Listen")
    assert page.texts[page.texts.index("FAIL")] == "FAIL"
    assert "FAIL: misfed vocoder against bowed string" in page.text


def test_the_table_holds_every_metric_once_and_the_worst_first(broken):
    text = to_html(broken)
    names = re.findall(r"<code>(\w+)</code>", text)
    assert names[: len(broken.worst_first)] == [row.name for row in broken.worst_first]
    assert sorted(names) == sorted(METRICS)


def test_both_players_play_the_samples(broken, page):
    *players, left = page.all("audio")
    assert [player["aria-label"] for player in players] == ["Reference", "Generated"]
    assert left["aria-label"] == "Null signal"
    for player, side in zip(players, (broken.pair.reference, broken.pair.generated), strict=True):
        samples, rate = soundfile.read(decoded(player["src"], "audio/flac"), always_2d=True)
        assert rate == side.rate
        assert samples.shape == (side.audio.length, 1)
        assert np.abs(samples.T - side.audio.samples).max() <= 1 / 32768
        assert "controls" in player


def test_a_player_keeps_two_channels_and_mixes_more(note):
    for channels, played in [(2, 2), (3, 1), (64, 1)]:
        many = Audio(np.repeat(note.samples, channels, axis=0), RATE)
        (_, player) = Page(to_html(diagnose.compare(note, many))).all("audio")  # and no null: nothing is left
        samples, _ = soundfile.read(decoded(player["src"], "audio/flac"), always_2d=True)
        assert samples.shape == (note.length, played)
        assert np.abs(samples.T - note.samples).max() <= 1 / 32768


def test_what_goes_beyond_full_scale_is_turned_down_and_says_so(note):
    shown = Page(to_html(diagnose.compare(note, Audio(note.samples * np.float32(4), RATE))))
    samples, _ = soundfile.read(decoded(shown.all("audio")[1]["src"], "audio/flac"))
    assert np.abs(samples).max() == pytest.approx(1, abs=1e-3)
    assert np.abs(samples - 2 * note.mono).max() <= 2 / 32768
    assert "reduced by 6.0 dB" in shown.text
    assert float(shown.all("audio")[1]["data-gain"]) == pytest.approx(0.5, rel=1e-3)


def test_the_spectrograms_of_a_sound_and_itself_are_one_and_their_difference_none(same):
    ours, theirs, difference = map(picture, Page(to_html(same)).all("image"))
    assert ours.shape == (80, 1 + same.pair.overlap[0].size // 256, 3)
    assert np.array_equal(ours, theirs)
    assert np.unique(difference).tolist() == [0xF7]
    assert {tuple(colour) for colour in ours.reshape(-1, 3)} & {(252, 253, 191)}


def test_a_gain_is_seen_in_the_levels_and_not_in_the_difference(note):
    softer = diagnose.compare(note, Audio(note.samples * np.float32(0.1), RATE))
    ours, theirs, difference = map(picture, Page(to_html(softer)).all("image"))
    assert theirs.mean() < ours.mean() - 5
    middle = difference[:, 10:-10].reshape(-1, 3).astype(int)
    assert (np.abs(middle - 0xF7).max(axis=1) <= 8).mean() > 0.99


def test_a_tone_is_drawn_at_its_frequency(tone):
    loud = Audio(np.stack([tone(1000, RATE, 1.0, 0.5)]), RATE)
    image = picture(Page(to_html(diagnose.compare(loud, loud))).all("image")[0])
    brightest = image.sum(axis=2)[:, 20:-20].mean(axis=1).argmax()
    mel = 1000 / (200 / 3)  # Slaney: linear up to 1 kHz, 15 mel there
    highest = 15 + np.log(8000 / 1000) / (np.log(6.4) / 27)
    assert 80 - brightest == pytest.approx(80 * mel / highest, abs=1.5)
    # and the tick of 1 kHz stands at that height
    text = to_html(diagnose.compare(loud, loud))
    y = float(re.search(r'y="([\d.]+)%" dy="4" text-anchor="end">1 kHz<', text)[1])
    assert 1 - y / 100 == pytest.approx(mel / highest, abs=0.01)


# Causes and regions


def test_the_causes_come_before_the_players_and_the_first_in_full(explained, causes):
    shown = Page(to_html(explained))
    parts = [
        "What most likely broke",
        "vocoder-input-scale",
        "95 %",
        causes[0].fix,
        *causes[0].evidence,
        causes[0].explains[1].summary,
    ]
    parts += ["or noise 8 % broadband noise", "or mel-range 3 %", "Aligned", "Listen"]
    at = 0
    for part in parts:
        at = shown.text.index(part, at)
    assert "look at the last layer" not in shown.text
    assert shown.text.startswith(" FAIL: misfed vocoder")
    assert "FAIL the vocoder was fed linear mel values" in shown.text


def test_without_a_cause_there_is_no_such_section(page):
    assert "What most likely broke" not in page.text


def test_a_hostile_cause_is_text(broken, explained, hostile, hostile_causes):
    shown = Page(to_html(msgspec.structs.replace(broken, causes=hostile_causes)))
    tags = {tag for tag, _ in Page(to_html(explained)).elements}
    assert {tag for tag, _ in shown.elements} == tags
    assert shown.text.count(re.sub(r"\s+", " ", printable(hostile)).strip()) >= 7
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", "".join(shown.texts))


def with_regions(report, *regions):
    text = to_html(msgspec.structs.replace(report, regions=regions))
    boxes = [
        {name: float(each[name].removesuffix("%")) / 100 for name in ("x", "y", "width", "height")}
        for each in Page(text).all("rect")
        if each.get("class") == "box"
    ]
    third = len(boxes) // 3  # the same in each of the three pictures
    assert boxes == 3 * boxes[:third]
    return text, boxes[:third]


def test_a_region_is_drawn_on_the_axes_of_the_picture(same):
    # The picture goes from 0 to 0.5 s and to 8 kHz: 45.2 mel by Slaney.
    region = Region("missing_share", 0.1, 0.2, 1000.0, 2000.0, -40.0)
    text, (box,) = with_regions(same, region)
    highest = 15 + 27 * np.log(8) / np.log(6.4)
    top = 15 + 27 * np.log(2) / np.log(6.4)
    assert box["x"] == pytest.approx(0.2, abs=1e-4)
    assert box["width"] == pytest.approx(0.2, abs=1e-4)
    assert box["y"] == pytest.approx(1 - top / highest, abs=1e-4)
    assert box["height"] == pytest.approx((top - 15) / highest, abs=1e-4)
    shown = Page(text)
    assert "1 Loopmissing_share0.100 to 0.200 s1000 to 2000 Hz-40.0 dB" in shown.text
    played = [
        (float(each["data-start"]), float(each["data-end"])) for _, each in shown.elements if "data-start" in each
    ]
    assert played == [pytest.approx((0.1, 0.2))] * 4  # the box in each picture, and the button of the table


def test_a_region_is_on_the_reference_s_clock_and_the_picture_on_the_overlap_s(note):
    early = diagnose.compare(note, Audio(note.samples[:, RATE // 10 :], RATE))
    assert early.alignment.delay_s == pytest.approx(-0.1)
    _, (box,) = with_regions(early, Region("missing_share", 0.1, 0.3, 0.0, 8000.0, -40.0))
    assert box["x"] == pytest.approx(0, abs=1e-4)
    assert box["width"] == pytest.approx(0.5, abs=1e-3)


def test_what_lies_beyond_the_picture_is_in_the_table_alone(same):
    text, boxes = with_regions(
        same,
        Region("band_8192_nyquist_db", 0.0, 0.5, 8192.0, 11025.0, -40.0),
        Region("cutoff_hz", 0.0, 0.5, 4000.0, 11025.0, -40.0),
    )
    assert "8192 to 11025 Hz" in Page(text).text
    (box,) = boxes
    assert box["y"] == 0.0


def test_twelve_places_are_shown_and_the_others_counted(same):
    regions = [Region("clicks_per_s", at / 100, at / 100 + 0.01, 0.0, 8000.0, 10.0) for at in range(0, 40, 2)]
    text, boxes = with_regions(same, *regions)
    assert len(boxes) == 12
    assert "8 smaller boxes are in the JSON" in text
    text, _ = with_regions(same)
    assert "The boxes in the difference" not in text


def test_every_note_of_the_report_is_in_the_page(broken, page):
    for words in broken.notes:
        assert re.sub(r"\s+", " ", words) in page.text


@pytest.mark.parametrize(
    ("samples", "rate"),
    [(40, 2000), (441, 22050), (7680, 384_000), (3000, 8000)],
)
def test_a_very_short_sound_has_a_page(samples, rate):
    sounds = [
        Audio(np.random.default_rng(seed).uniform(-0.5, 0.5, (1, samples)).astype(np.float32), rate) for seed in (0, 1)
    ]
    shown = Page(to_html(diagnose.compare(*sounds)))
    assert len(shown.all("image")) == 3
    assert "nan" not in "".join(path["d"] for path in shown.all("path"))


def test_a_silent_output_has_a_page_with_reasons(silent):
    shown = Page(to_html(silent))
    assert "not measured: generated: silence" in shown.text
    assert "nan" not in "".join(path["d"] for path in shown.all("path"))
    samples, _ = soundfile.read(decoded(shown.all("audio")[1]["src"], "audio/flac"))
    assert not samples.any()


def test_a_report_without_sounds_has_figures_and_words(explained):
    region = Region("missing_share", 0.1, 0.2, 1000.0, 2000.0, -40.0)
    shown = Page(to_html(msgspec.structs.replace(explained, pair=None, regions=(region,))))
    assert (shown.all("audio"), shown.all("image"), shown.all("use"), shown.all("a")[0]["href"]) == (
        [],
        [],
        [],
        "#metrics",
    )
    for words in (explained.causes[0].fix, "0.100 to 0.200 s", *explained.notes):
        assert words in shown.text
    assert {row.name for row in explained.metrics} <= set(shown.texts)


# The picture of each metric, and how to measure it again


def test_a_row_has_the_picture_that_its_metric_is_read_from(broken, page):
    rows = re.findall(r"<tr data-verdict.*?</tr>", to_html(broken), re.DOTALL)
    assert len(rows) == len(broken.worst_first)
    for row, text in zip(broken.worst_first, rows, strict=True):
        wanted = picture_of(row.name)
        assert re.findall(r'<use href="#curves-(\w+)"', text) == ([wanted] if wanted else [])


def test_what_is_typed_measures_the_pair_again(named):
    hostile = "it's <b>; rm -rf $HOME.wav"
    text = to_html(named(hostile, "-g.wav"))
    command = html.unescape(re.search(r"<pre>(.*?)</pre>", text, re.DOTALL)[1])
    assert shlex.split(command) == ["diagnose", "compare", "--", hostile, "-g.wav"]


def test_a_known_command_and_known_hashes_are_shown(broken):
    shown = msgspec.structs.replace(
        broken,
        command="diagnose compare a b --profile p.toml",
        reference=msgspec.structs.replace(broken.reference, sha256="ab" * 32),
    )
    text = Page(to_html(shown)).text
    assert "diagnose compare a b --profile p.toml" in text
    assert text.count("sha256 ") == 1
    assert f"sha256 {'ab' * 32}" in text


def test_every_threshold_is_in_the_page(broken, page):
    for row in broken.worst_first:
        level = row.limit.fail if row.limit.fail is not None else row.limit.warn
        assert f"{row.name}{row.version}" in page.text
        assert amount(level, row.unit) in page.text
