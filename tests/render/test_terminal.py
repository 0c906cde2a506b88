from __future__ import annotations

import re

import msgspec
import pytest

from diagnose.metrics import METRICS
from diagnose.render.phrases import meaning
from diagnose.render.terminal import print_report, print_suite
from diagnose.results.region import Region
from diagnose.text import amount, printable


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    """No colour is asked for by the environment."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def shown(capsys):
    def show(report, *options):
        print_report(report, *options)
        return capsys.readouterr().out

    return show


def flat(text):
    return re.sub(r"\s+", " ", text)


def test_the_verdict_comes_first_then_the_files(shown, broken):
    text = shown(broken)
    assert text.startswith("FAIL  2.")
    assert "% of it is DC" in flat(text)
    assert "reference  bowed string  22050 Hz, 1 channel, 0.500 s\n" in text
    assert "generated  misfed vocoder  22050 Hz, 1 channel, 0.500 s\n" in text
    assert "aligned    no: no delay" in text


def test_the_table_begins_with_the_worst(shown, broken):
    lines = re.findall(r"^(FAIL|WARN) (\w+)", shown(broken), re.MULTILINE)
    over = [(row.verdict, row.name) for row in broken.worst_first if row.verdict != "PASS"]
    assert lines == over[: len(lines)]
    assert len(lines) >= 10


def test_what_is_not_in_the_table_is_named_below(shown, broken):
    text = flat(shown(broken))
    for row in broken.worst_first:
        assert re.search(rf"\b{row.name}\b", text), row.name
    assert re.search(r"\d+ metrics passed: ", text)
    assert "note: DC was measured, then removed before every spectral metric" in text


def test_all_shows_every_metric_in_a_table(shown, broken):
    text = shown(broken, True)
    for name in METRICS:
        assert re.search(rf"^(FAIL|WARN|PASS|    )? ?{name} ", text, re.MULTILINE), name


def test_a_pass_is_short(shown, same):
    text = shown(same)
    assert text.startswith("PASS  no metric is over its limit\n")
    assert "aligned    by waveform: delay +0.0 ms, gain +0.0 dB\n" in text
    assert "FAIL" not in text


def test_no_colour_leaves_the_terminal(shown, broken, monkeypatch):
    assert "\x1b" not in shown(broken)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;31mFAIL" in shown(broken)


def test_a_hostile_name_is_shown_as_text(shown, named, hostile):
    text = shown(named(hostile, "[bold]x[/bold] [/] [link=http://x.example]"))
    assert flat(printable(hostile)).strip() in flat(text)
    assert "[bold]x[/bold] [/] [link=http://x.example]" in flat(text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", text)


def test_a_hostile_suite_is_shown_as_text(hostile_suite, capsys):
    print_suite(hostile_suite)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", capsys.readouterr().out)


def test_a_long_path_stands_whole_in_a_pipe(shown, named):
    # It is looked for with grep, and copied.
    path = "/".join(f"folder-{index}" for index in range(30)) + "/generated.wav"
    assert path in shown(named("reference.wav", path))


def test_the_causes_stand_between_the_verdict_and_the_files(shown, explained):
    lines = shown(explained).splitlines()
    assert lines[0] == "FAIL  the vocoder was fed linear mel values"
    assert lines[1:9] == [
        "cause      vocoder-input-scale (95 %): the vocoder was fed linear mel values",
        "           evidence: 98 % of the sound is a hum",
        "                     the log-mel spread is 4.2 nats",
        "           follows:  dc-offset: 74 % of the power is DC",
        "                     gain: 4.1 times too loud",
        "           fix:      feed ln(clamp(mel, 1e-5))",
        "or         noise (8 %): broadband noise",
        "or         mel-range (3 %): the mel filterbank ends elsewhere",
    ]
    assert [line.split()[0] for line in lines[9:12]] == ["reference", "generated", "aligned"]
    assert lines[12].startswith("     metric ")


def test_without_a_cause_there_is_no_such_line(shown, broken):
    assert not re.search(r"^(cause|or|  +fix:)", shown(broken), re.MULTILINE)


def test_a_cause_is_whole_in_a_pipe_and_wrapped_under_itself_on_a_terminal(shown, explained, causes, monkeypatch):
    words = " ".join(f"word{index}" for index in range(60))
    long = msgspec.structs.replace(explained, causes=(msgspec.structs.replace(causes[0], evidence=(words,)),))
    assert f"           evidence: {words}\n" in shown(long)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "70")
    text = re.sub(r"\x1b\[[\d;]*m", "", shown(long))
    block = re.search(r"           evidence: (.*?)\n           follows:", text, re.DOTALL)[1].splitlines()
    assert flat(" ".join(block)).strip() == words
    assert len(block) > 5
    assert all(line.startswith(" " * 21 + "word") and len(line) <= 70 for line in block[1:])


def test_a_hostile_cause_is_shown_as_text(shown, broken, hostile, hostile_causes, monkeypatch):
    report = msgspec.structs.replace(broken, causes=hostile_causes)
    text = shown(report)
    assert flat(text).count(flat(printable(hostile)).strip()) >= 8
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", text)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert not re.search(r"[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202e\ud800-\udfff]", shown(report))


def test_a_suite_says_each_case_and_what_did_not_pass(suite, capsys):
    print_suite(suite)
    assert capsys.readouterr().out.splitlines() == [
        "FAIL  violin: 4 metrics judged, 3 not passed",
        "  WARN  warn_db: says WARN",
        "  FAIL  fail_db: says FAIL",
        "  ERROR  error_db: says ERROR",
        "ERROR  cello: cello.wav: no such file",
        "FAIL  strings: 1 FAIL, 1 ERROR",
    ]


# At sixty columns


@pytest.fixture
def narrow(monkeypatch):
    """A terminal of 60 columns without colour."""
    for name, value in {"TTY_COMPATIBLE": "1", "TERM": "dumb", "COLUMNS": "60"}.items():
        monkeypatch.setenv(name, value)


def test_at_sixty_columns_every_metric_has_its_change_and_its_words(shown, broken, narrow):
    text = shown(broken, True)
    assert max(map(len, text.splitlines())) <= 60
    for row in broken.metrics:
        line, below = re.search(
            rf"^(?:\w{{4}}| {{4}}) {row.name} (.*)\n((?: {{7}}\S.*\n)+)", text, re.MULTILINE
        ).groups()
        assert line.strip() == amount(row.change, row.unit)
        assert flat(below).strip() == meaning(row)


def test_the_columns_that_do_not_fit_are_left_out_and_not_cut(shown, broken, narrow, monkeypatch):
    assert not re.search(r"^ +metric +reference", shown(broken), re.MULTILINE)
    monkeypatch.setenv("COLUMNS", "110")
    assert re.search(r"^ +metric +reference +generated +change +limit +what it says", shown(broken), re.MULTILINE)
    assert "…" not in shown(broken)


def test_a_path_is_not_broken(shown, named, narrow):
    path = "/".join(f"folder-{index}" for index in range(20)) + "/generated.wav"
    assert f"generated  {path}\n" in shown(named("reference.wav", path))


def test_where_it_fails_is_said_below_the_metrics_and_the_smaller_places_are_counted(shown, same):
    assert "where" not in shown(same)
    regions = tuple(Region("clicks_per_s", at / 100, at / 100 + 0.01, 0.0, 8000.0, 10.0) for at in range(0, 14, 2))
    lines = shown(msgspec.structs.replace(same, regions=regions)).splitlines()
    at = lines.index("where      0.000 to 0.010 s, 0 to 8000 Hz: +10.0 dB (clicks_per_s)")
    assert lines[at - 1].rpartition("passed: ")[1]
    assert lines[at + 1] == "           0.020 to 0.030 s, 0 to 8000 Hz: +10.0 dB (clicks_per_s)"
    assert lines[at + 5] == "           2 smaller places are in the JSON and on the page"
    assert lines[at + 6].startswith("note: ")
