"""What is said channel by channel: the worst row of each metric, places and causes with their channel, facts."""

import json
from functools import cached_property

import msgspec
import numpy as np
import pytest

import diagnose
from diagnose.analysis import Pair
from diagnose.audio import Audio
from diagnose.channelwise import worst_rows
from diagnose.comparison import causes_of, rejudged
from diagnose.metrics import METRICS
from diagnose.render.html import to_html
from diagnose.render.json import to_json
from diagnose.render.phrases import channel_lines, meaning, place_line, places
from diagnose.results.report import MetricRow
from diagnose.results.report_json import read_report

RATE = 22050


@pytest.fixture(scope="module")
def wide():
    time = np.arange(RATE) / RATE
    rng = np.random.default_rng(1)
    sides = [
        0.1 * sum(np.sin(2 * np.pi * hz * k * time + k) / k for k in range(1, 20)) * (1 + 0.5 * np.sin(9 * time + hz))
        for hz in (220.0, 330.0)
    ]
    return np.float32(sides) + np.float32(1e-3 * rng.standard_normal((2, RATE)))


@pytest.fixture(scope="module")
def dull(wide):
    """The second channel without what lies above 3 kHz."""
    spectrum = np.fft.rfft(wide[1])
    spectrum[np.fft.rfftfreq(RATE, 1 / RATE) > 3000] = 0
    return diagnose.compare(wide, np.float32([wide[0], np.fft.irfft(spectrum, RATE)]), rate=RATE)


def test_of_each_metric_the_worst_channel_is_shown():
    def row(name, verdict, severity=0.0):
        return MetricRow(name, METRICS[name].unit, verdict=verdict, severity=severity)

    names = [name for name in METRICS if METRICS[name].at != "whole"]
    whole = {name: row(name, "PASS") for name in METRICS if name not in names}
    first, second = ({name: row(name, "PASS", level) for name in names} for level in (0.2, 0.1))
    second["cutoff_hz"] = row("cutoff_hz", "WARN", 0.15)
    first["hnr_db"] = row("hnr_db", None)
    rows = {each.name: each for each in worst_rows(whole, {1: first, 2: second})}
    assert list(rows) == list(METRICS)
    assert (rows["cutoff_hz"].channel, rows["cutoff_hz"].verdict) == (2, "WARN")
    assert rows["crest_db"].channel == 1
    assert rows["hnr_db"].channel == 2  # a number before none
    assert rows["duration_s"].channel is None


def test_rows_places_and_causes_carry_the_channel(dull):
    assert dull["cutoff_hz"].channel == 2
    assert dull["loudness_lufs"].channel is None
    assert dull.regions
    assert {region.channel for region in dull.regions if region.metric == "cutoff_hz"} == {2}
    assert [(cause.id, cause.channel) for cause in dull.causes[:1]] == [("high-frequency-loss", 2)]
    assert [each.channel for each in dull.channels] == [1, 2]
    assert dull.channels[1].over_limit
    assert dull.channels[1].verdict == "FAIL"


def test_the_words_name_the_channel(dull):
    assert meaning(dull["cutoff_hz"]).startswith("channel 2: ")
    assert "channel 2" in place_line(places(dull.regions)[0])
    lines = channel_lines(dull)
    assert [line.split()[0] for line in lines] == ["1", "2"]
    assert "FAIL" in lines[1]


def test_places_of_two_channels_are_two_places(dull):
    box = dull.regions[0]
    both = (box, msgspec.structs.replace(box, channel=1))
    assert len(places(both)) == 2
    assert len(places((box, box))) == 1


def test_where_all_channels_are_alike_nothing_has_a_channel(wide):
    report = diagnose.compare(wide, 2 * wide, rate=RATE)
    assert report.verdict == "FAIL"
    assert report.channels == ()
    document = report.as_dict()
    parts = [*document["metrics"], *document["regions"], *document["causes"]]
    assert {part["channel"] for part in parts} == {None}
    assert document["channels"] == []


def test_the_report_is_read_again_from_its_json(dull, tmp_path):
    path = tmp_path / "report.json"
    path.write_text(to_json(dull))
    again = read_report(path)
    assert again.channels == dull.channels
    assert again["cutoff_hz"].channel == 2
    assert again.causes == dull.causes
    assert again.regions == dull.regions


def test_a_report_of_before_channels_is_read(dull, tmp_path):
    document = json.loads(to_json(dull))
    del document["channels"]
    for part in (*document["metrics"], *document["regions"], *document["causes"]):
        del part["channel"]
    (tmp_path / "old.json").write_text(json.dumps(document))
    old = read_report(tmp_path / "old.json")
    assert old.channels == ()
    assert old["cutoff_hz"].channel is None
    assert not meaning(old["cutoff_hz"]).startswith("channel")


def test_other_verdicts_find_places_and_causes_on_the_channel_again(dull):
    eased = rejudged(dull, {row.name: "PASS" for row in dull.metrics})
    assert (eased.verdict, eased.causes, eased.regions) == ("PASS", (), ())
    held = rejudged(eased, {"cutoff_hz": "FAIL"})
    assert {region.channel for region in held.regions} == {2}
    assert (held.causes[0].id, held.causes[0].channel) == ("high-frequency-loss", 2)
    assert (causes_of(eased)[0].id, causes_of(eased)[0].channel) == ("high-frequency-loss", 2)


def test_a_gate_s_metrics_have_one_row_each(dull):
    names = [row.name for row in dull.metrics]
    assert names == list(METRICS)
    assert set(dull.scalars()) >= {"cutoff_hz", "channel_level_db"}


def test_nan_in_one_channel_is_named_with_it(wide):
    broken = wide.copy()
    broken[1, 9000:12000] = np.nan
    report = diagnose.compare(wide, broken, rate=RATE)
    assert [(cause.id, cause.channel) for cause in report.causes] == [("non-finite", 2)]
    assert report.verdict == "FAIL"
    assert any(region.metric == "nonfinite_share" for region in report.regions)


def test_a_mono_sound_and_both_of_its_channels_are_as_loud(wide):
    mono = wide[:1]
    report = diagnose.compare(Audio(mono, RATE), Audio(np.repeat(mono, 2, axis=0), RATE))
    assert report["loudness_lufs"].change == pytest.approx(0.0, abs=1e-6)
    assert report.verdict == "PASS"


def test_the_mix_of_copies_is_not_laid_where_the_channels_are_measured(wide, monkeypatch):
    asked = []
    honest = Pair.timeline.func
    spied = cached_property(lambda pair: asked.append(pair.files[1].audio.channels) or honest(pair))
    spied.__set_name__(Pair, "timeline")
    monkeypatch.setattr(Pair, "timeline", spied)
    assert diagnose.compare(wide, wide * np.float32([[1], [2]]), rate=RATE).verdict == "FAIL"
    assert set(asked) == {1}


def test_what_only_some_channels_have_is_of_those(wide):
    six = np.concatenate([wide, 0.7 * wide[::-1], 0.5 * wide])
    signs = np.float32([1, 1, 1, -1, -1, 1])[:, None]
    report = diagnose.compare(six, signs * six, rate=RATE)
    assert {(cause.id, cause.channel) for cause in report.causes} == {("polarity", 4), ("polarity", 5)}


def test_channels_of_two_gains_have_each_its_own(wide):
    report = diagnose.compare(wide, np.float32([[0.5], [0.7]]) * wide, rate=RATE)
    named = {cause.channel: cause.summary for cause in report.causes if cause.id == "gain"}
    assert "-6.0 dB" in named[1]
    assert "-3.1 dB" in named[2]


def test_an_untouched_channel_beside_a_silent_one_is_over_no_limit(wide):
    report = diagnose.compare(wide, wide * np.float32([[0], [1]]), rate=RATE)
    first, second = report.channels
    assert (first.holds, second.holds) == ("silence", "channel 2")
    assert second.over_limit == ()


def test_channels_follow_other_verdicts(wide):
    report = diagnose.compare(wide, wide * np.float32([[1], [-1]]), rate=RATE)
    assert report.channels
    assert rejudged(report, {row.name: "PASS" for row in report.metrics}).channels == ()


def test_numbers_of_channels_that_differ_are_said(wide):
    six = np.concatenate([wide, 0.7 * wide[::-1], 0.5 * wide])
    report = diagnose.compare(six, six[:2], rate=RATE)
    assert report.causes[0].summary == "6 channels became 2"
    assert any("6 channels" in note for note in report.notes)


def test_folding_is_seen_where_the_channels_cancel(wide):
    rng = np.random.default_rng(0)
    bright = np.float32(0.1 * rng.standard_normal(RATE))
    cancelling = np.stack([bright, -0.98 * bright])
    report = diagnose.compare(Audio(cancelling, RATE), Audio(bright[None, ::2].copy(), RATE // 2))
    assert report["folded_db"].verdict == "FAIL"


def test_the_page_has_a_line_a_channel_and_none_where_they_are_alike(dull, wide):
    page = to_html(dull)
    assert all(line in page for line in channel_lines(dull))
    assert page.count("<dt>Channels</dt>") == 1
    assert "<dt>Channels</dt>" not in to_html(diagnose.compare(wide, 2 * wide, rate=RATE))
