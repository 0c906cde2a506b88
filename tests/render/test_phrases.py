from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.render.phrases import (
    EXIT_CODES,
    alignment_line,
    as_suite,
    cause_lines,
    headline,
    likelihood,
    limit_text,
    meaning,
    observed_line,
    places,
)
from diagnose.results.region import Region
from diagnose.results.timeline import Observation, SegmentFacts, TimelineFacts
from diagnose.text import amount, number, printable

DASH = "\u2013"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("violin.wav", "violin.wav"),
        ("a b\u2013é😀.wav", "a b\u2013é😀.wav"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x00\x7f\x9b", r"\x00\x7f\x9b"),
        ("\u202e\u200b", r"\u202e\u200b"),
        ("\udcff", r"\udcff"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_what_could_steer_a_terminal_is_spelled_out(text, shown):
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_what_is_shown_is_always_printable_and_can_be_encoded(text):
    shown = printable(text)
    assert shown.isprintable()
    shown.encode("utf-8")
    assert printable(shown) == shown
    if text.isprintable():
        assert shown == text


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (None, "dB", DASH),
        (0.736, "share", "73.6 %"),
        (1.0, "share", "100 %"),
        (0.0, "share", "0 %"),
        (0.00005, "share", "< 0.01 %"),
        (0.0005, "share", "0.05 %"),
        (4.129, "ratio", "4.13"),
        (0.10178, "ratio", "0.102"),
        (123456.0, "ratio", "123456"),
        (-0.118, "r", "-0.118"),
        (-14.849, "dBFS", "-14.8 dBFS"),
        (-31.06, "dB", "-31.1 dB"),
        (2025.44, "Hz", "2025 Hz"),
        (99.94, "Hz", "99.9 Hz"),
        (1.0333, "s", "1.03 s"),
        (-1410.2, "cents", "-1410 cents"),
        (3.2149, "nats", "3.21 nats"),
    ],
)
def test_a_number_has_its_unit_and_the_digits_a_reader_can_use(value, unit, shown):
    assert number(value, unit) == shown


@pytest.mark.parametrize(
    ("unit", "shown"), [("dBFS", "4.2 dB"), ("dBTP", "4.2 dB"), ("LUFS", "4.2 LU"), ("dB", "4.2 dB"), ("Hz", "4.16 Hz")]
)
def test_a_difference_of_levels_is_in_db_and_of_loudness_in_lu(unit, shown):
    assert amount(4.16, unit) == shown


def test_a_missing_number_gives_its_reason_and_a_caveat_is_marked(row):
    assert meaning(row("f0_hz", "Hz", None, None, None, reason="silence")) == "not measured: silence"
    noted = row("spectral_convergence", "ratio", None, None, 1.28, note="not aligned: no delay correlates")
    assert meaning(noted) == "relative error of the magnitude spectra: 1.28 (not aligned)"


@pytest.mark.parametrize(
    "name", ["rms_ratio", "dc_share", "comb_share", "spectral_centroid_hz", "envelope_correlation"]
)
@pytest.mark.parametrize("verdict", ["PASS", "FAIL"])
def test_every_row_of_a_real_report_has_words(broken, same, name, verdict):
    report = same if verdict == "PASS" else broken
    assert "None" not in meaning(report[name])
    assert meaning(report[name])


def test_the_headline_is_the_one_of_the_first_diagnosis(row, report_of):
    rms = row("rms_ratio", "ratio", 0.1018, 0.4202, 4.13, "FAIL")
    dc = row("dc_share", "share", 0.0, 0.736, 0.736, "FAIL")
    hum = row("comb_share", "share", 0.0, 0.982, 0.982, "FAIL", detail={"hop_samples": 256, "spacing_hz": 22050 / 256})
    assert headline(report_of([rms, dc], "FAIL")) == "4.1 times too loud, and 74 % of it is DC"
    assert headline(report_of([hum, dc, rms], "FAIL")) == (
        "4.1 times too loud, and 74 % of it is DC; "
        "98 % of the sound is a hum on multiples of 86.13 Hz, the frame rate at hop 256"
    )
    assert headline(report_of([dc], "FAIL")) == "73.6 % of the power is DC"


def test_the_headline_of_the_real_pair_where_no_cause_is_named(data):
    import diagnose

    report = diagnose.compare(data / "violin.wav", data / "generated_bigvgan-2.wav")
    report = msgspec.structs.replace(report, causes=())
    assert headline(report).startswith(
        "4.1 times too loud, and 74 % of it is DC; 98 % of the sound is a hum on multiples"
    )


def test_a_headline_holds_three_clauses_at_most_and_no_passes(row, report_of):
    fails = [
        row(name, "dB", 0.0, 9.0, 9.0, "FAIL")
        for name in ("edge_left_db", "edge_right_db", "crest_db", "band_0_1024_db")
    ]
    passed = row("duration_s", "s", 1.0, 2.0, 1.0, "PASS")
    warned = row("clicks_per_s", "1/s", 0.0, 1.0, 1.0, "WARN")
    said = headline(report_of([passed, warned, *fails], "FAIL"))
    assert said.count(";") <= 2
    assert "longer" not in said
    assert "clicks" not in said
    assert headline(report_of([passed, warned], "WARN")).startswith("steps and spikes a second")
    assert headline(report_of([passed], "PASS")) == "no metric is over its limit"
    assert headline(report_of([], "ERROR")) == "nothing could be judged"


def test_the_headline_is_the_first_cause_where_one_is_named(row, report_of, causes):
    report = report_of([row("dc_share", "share", 0.0, 0.736, 0.736, "FAIL")], "FAIL")
    assert headline(report) == "73.6 % of the power is DC"
    assert headline(msgspec.structs.replace(report, causes=causes)) == "the vocoder was fed linear mel values"


@pytest.mark.parametrize(
    ("confidence", "shown"), [(0.954, "95 %"), (0.08, "8 %"), (1.0, "99 %"), (0.998, "99 %"), (0.001, "1 %")]
)
def test_a_confidence_is_in_whole_percent_and_never_certain(causes, confidence, shown):
    assert likelihood(msgspec.structs.replace(causes[0], confidence=confidence)) == shown


def test_what_stands_under_a_cause(causes):
    assert cause_lines(causes[0]) == [
        ("evidence", "98 % of the sound is a hum"),
        ("evidence", "the log-mel spread is 4.2 nats"),
        ("follows", "dc-offset: 74 % of the power is DC"),
        ("follows", "gain: 4.1 times too loud"),
        ("fix", "feed ln(clamp(mel, 1e-5))"),
    ]
    assert cause_lines(causes[2]) == [("fix", "fmax = 8000")]


def test_metrics_that_fail_in_nearly_the_same_box_are_one_place(report_of):
    wide = Region("log_spectral_distance_db", 0.1, 0.9, 100.0, 8000.0, 30.0)
    regions = (
        wide,
        Region("spectral_centroid_hz", 0.12, 0.9, 100.0, 7500.0, 25.0),
        Region("missing_share", 0.1, 0.9, 100.0, 8000.0, -50.0),  # the same box, but something is gone there
        Region("log_spectral_distance_db", 0.1, 0.89, 100.0, 8000.0, 20.0),
        Region("edge_left_db", 0.0, 0.02, 0.0, 1000.4, 12.0),
    )
    found = places(regions)
    assert [place.metrics for place in found] == [
        ("log_spectral_distance_db", "spectral_centroid_hz"),
        ("missing_share",),
        ("edge_left_db",),
    ]
    assert found[0].region == wide
    assert (found[0].time, found[0].frequency, found[0].excess) == ("0.100 to 0.900 s", "100 to 8000 Hz", "+30.0 dB")
    assert (found[2].time, found[2].frequency) == ("0.000 to 0.020 s", "0 to 1000 Hz")


def test_the_limit_shown_is_the_fail_level(row):
    assert limit_text(row("crest_db", "dB", 9.0, 8.0, -1.0, "PASS", fail=-8.0)) == "-8.0 dB"
    assert limit_text(row("crest_db", "dB", 9.0, 8.0, -1.0)) == DASH


def test_a_report_as_a_suite_of_one_case(broken):
    suite = as_suite(broken)
    (case,) = suite.cases
    assert (suite.verdict, case.verdict) == ("FAIL", "FAIL")
    judged = {row.name: row.verdict for row in broken.metrics if row.verdict}
    assert {check.metric: check.verdict for check in case.checks} == judged
    assert [check.metric for check in case.checks] == [row.name for row in broken.worst_first]
    assert EXIT_CODES[suite.verdict] == 1
    assert EXIT_CODES == {"PASS": 0, "WARN": 0, "FAIL": 1, "ERROR": 3}


@pytest.mark.parametrize(
    ("id", "amount", "unit", "words"),
    [
        ("tempo", 1.05, "ratio", ("1.050", "5.0 %", "slower")),
        ("tempo", 0.9, "ratio", ("0.900", "10.0 %", "faster")),
        ("silence-at-end", -0.05, "s", ("50 ms", "less", "at the end")),
        ("silence-at-start", 0.2, "s", ("200 ms", "more", "at the start")),
        ("pauses", 0.03, "s", ("30 ms", "more", "pauses")),
        ("timing-deviation", 12.4, "ms", ("12 ms",)),
        ("something-new", 3.0, "dB", ("something-new", "3", "dB")),
    ],
)
def test_what_is_observed_has_its_amount_and_its_direction(broken, id, amount, unit, words):  # noqa: A002
    line = observed_line(msgspec.structs.replace(broken, observations=(Observation(id, amount, unit),)))
    assert all(word in line for word in words)


def test_where_nothing_is_observed_nothing_is_said(broken):
    assert not observed_line(msgspec.structs.replace(broken, observations=()))


@pytest.mark.parametrize(
    ("alignment", "words"),
    [
        (
            {"method": "waveform", "delay_s": 0.0123, "gain_db": -3.0, "polarity": -1},
            ("+12.3 ms", "-3.0 dB", "inverted"),
        ),
        ({"method": "spectrogram", "delay_s": 0.0, "polarity": None}, ("spectrogram", "+0.0 ms")),
        ({"method": "warped", "delay_s": 0.0}, ("warping",)),
        ({"method": "none", "delay_s": None, "reason": "nothing fits"}, ("no", "nothing fits")),
    ],
)
def test_how_both_lie_is_said(broken, alignment, words):
    report = msgspec.structs.replace(broken, alignment=msgspec.structs.replace(broken.alignment, **alignment))
    assert all(word in alignment_line(report) for word in words)


@pytest.mark.parametrize(("count", "said"), [(0, ""), (1, "1 edit"), (2, "2 edits")])
def test_edits_are_counted(same, count, said):
    step = SegmentFacts("lost", (0.1, 0.2), (0.1, 0.1))
    report = msgspec.structs.replace(same, timeline=TimelineFacts("waveform", (step,) * count))
    assert alignment_line(report).endswith(said)
    assert ("edit" in alignment_line(report)) == bool(count)
