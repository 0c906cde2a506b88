"""A report that was kept is the report it was; what is none is refused in one line."""

from __future__ import annotations

import copy
import io
import json
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diagnose
from diagnose import audio, example
from diagnose.comparison import reattach
from diagnose.errors import InputError
from diagnose.faults import INJECTORS
from diagnose.render.json import to_json
from diagnose.render.junit import to_junit
from diagnose.render.markdown import to_markdown
from diagnose.render.phrases import as_suite
from diagnose.render.terminal import print_report
from diagnose.results.report import LimitLevels, MetricRow
from diagnose.results.report_json import LARGEST, MOST_BYTES, MOST_ITEMS, MOST_TEXT, read_report, report_from

RATE = 22050
NOTE = example.bowed_string(seconds=0.5, rate=RATE)
FITTING = [name for name, fault in INJECTORS.items() if fault.fits(NOTE)]


@pytest.fixture(scope="module")
def kept():
    """A report with causes, regions and a metric that could not be measured, as its JSON says it."""
    report = diagnose.compare(NOTE, example.misfed_vocoder(NOTE)).as_dict()
    assert report["causes"]
    assert report["regions"]
    assert any(row["change"] is None for row in report["metrics"])
    return report


@pytest.fixture
def changed(kept):
    """changed("metrics", 3, "change", value): the document with another value there, or none at all (...)."""

    def change(*path_and_value):
        *path, last, value = path_and_value
        document = copy.deepcopy(kept)
        inside = document
        for key in path:
            inside = inside[key]
        if value is ...:
            del inside[last]
        else:
            inside[last] = value
        return document

    return change


def terminal_text(report, capsys, every_metric=False):
    capsys.readouterr()
    print_report(report, every_metric)
    return capsys.readouterr().out


FIELDS = [name for name in diagnose.compare(NOTE, NOTE).__struct_fields__ if name not in ("pair", "apart")]


def same(one, other):
    """Field by field: a row, a cause and a region compare by value."""
    return {name for name in FIELDS if getattr(one, name) != getattr(other, name)} == set()


# What was kept


@given(st.sampled_from(FITTING), st.floats(0, 1), st.integers(0, 3))
@settings(max_examples=15)
def test_a_report_is_read_as_it_was_written(name, severity, seed):
    report = diagnose.compare(NOTE, INJECTORS[name].inject(NOTE, severity, np.random.default_rng(seed)))
    read = report_from(json.loads(to_json(report)))
    assert same(read, report)
    assert read.pair is None
    assert to_json(read) == to_json(report)
    for render in (to_markdown, to_junit):
        assert render(as_suite(read)) == render(as_suite(report))


@pytest.mark.parametrize("every_metric", [False, True])
def test_it_is_shown_as_it_was(kept, capsys, every_metric):
    report = diagnose.compare(NOTE, example.misfed_vocoder(NOTE))
    shown = terminal_text(report, capsys, every_metric)
    assert terminal_text(report_from(kept), capsys, every_metric) == shown


def test_a_limit_on_the_ideal_itself_is_passed_by_infinitely_much(kept):
    rows = (
        MetricRow("a_db", "dB", 0.0, 9.0, 9.0, "FAIL", 9.0, LimitLevels(None, 1.0)),
        MetricRow("b_db", "dB", 0.0, 1.0, 1.0, "FAIL", math.inf, LimitLevels(None, 0.0)),
    )
    report = msgspec.structs.replace(report_from(kept), metrics=rows, verdict="FAIL")
    document = json.loads(to_json(report))
    assert [row["severity"] for row in document["metrics"]] == [9.0, None]
    assert [row.name for row in report_from(document).worst_first] == ["b_db", "a_db"]


@pytest.mark.parametrize("name", ["odd\x1b[2J\nname.wav", "\udcff not UTF-8.wav", "<b>.wav", "ä\u202e.wav"])
def test_any_file_name_comes_back(kept, changed, name):
    text = json.dumps(changed("generated", "path", name))
    assert report_from(json.loads(text)).generated.path == name


def test_the_first_version_s_file_is_read(kept, changed, capsys):
    document = changed("command", ...)
    del document["tool"]["libraries"], document["reference"]["sha256"], document["generated"]["sha256"]
    for row in document["metrics"]:
        del row["severity"]
    read = report_from(document)
    assert (read.command, read.libraries, read.reference.sha256) == (None, {}, None)
    assert terminal_text(read, capsys).startswith("FAIL  ")


def test_a_file_from_before_broken_samples_were_measured_is_read(kept, capsys):
    document = copy.deepcopy(kept)
    document["metrics"] = [row for row in document["metrics"] if row["name"] not in ("nonfinite_share", "stuck_share")]
    read = report_from(document)
    assert len(read.metrics) == len(kept["metrics"]) - 2
    assert terminal_text(read, capsys).startswith("FAIL  ")


def test_what_a_later_version_adds_is_passed_over(kept, changed):
    document = changed("later", {"anything": [1, 2]})
    document["metrics"][0]["later"] = 1
    assert same(report_from(document), report_from(kept))


@pytest.mark.parametrize("detail", [{}, {"hop_samples": "x", "spacing_hz": "y", "band_hz": "z", "start_s": "w"}])
def test_metrics_that_this_version_does_not_know_are_shown_without_a_phrase(kept, capsys, detail):
    document = copy.deepcopy(kept)
    for row in document["metrics"]:
        row["detail"] = detail
    document["metrics"][0] |= {"name": "later_db", "unit": "furlongs", "change": 3.5, "reference": 1, "generated": 4.5}
    shown = terminal_text(report_from(document), capsys, True)
    assert "later_db: 3.5 furlongs higher" in shown


def test_the_hash_is_that_of_the_file_and_an_array_has_none(tmp_path):
    import hashlib

    audio.write(tmp_path / "note.wav", NOTE)
    report = diagnose.compare(tmp_path / "note.wav", NOTE)
    assert report.reference.sha256 == hashlib.sha256((tmp_path / "note.wav").read_bytes()).hexdigest()
    assert report.generated.sha256 is None


# With its sounds again


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a pair, its report, and the working directory elsewhere."""
    audio.write(tmp_path / "reference.wav", NOTE)
    audio.write(tmp_path / "generated.wav", example.misfed_vocoder(NOTE))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.json").write_text(to_json(diagnose.compare("reference.wav", "generated.wav")))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path


def test_sounds_are_found_where_the_report_was_kept(folder):
    read = read_report(str(folder / "report.json"))
    again = reattach(read, str(folder))
    assert same(again, read)
    assert again.pair.timeline.delay == 0
    np.testing.assert_array_equal(again.pair.files[0].audio.samples, audio.read(folder / "reference.wav").samples)
    assert again.pair.rate == read.alignment.rate_hz


def test_a_file_is_found_beside_the_report_though_its_folder_is_gone(folder):
    read = read_report(str(folder / "report.json"))
    moved = msgspec.structs.replace(
        read, reference=msgspec.structs.replace(read.reference, path="/gone/runner/reference.wav")
    )
    assert reattach(moved, str(folder)).pair.reference.audio.length == NOTE.length


def test_no_metric_is_measured_again(folder, monkeypatch):
    read = read_report(str(folder / "report.json"))
    monkeypatch.setattr("diagnose.comparison.measure_signal", None)
    monkeypatch.setattr("diagnose.comparison.measure_pair", None)
    assert reattach(read, str(folder)).metrics is read.metrics


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.unlink(), "no longer exists"),
        (lambda path: path.write_bytes(b"RIFF"), "can no longer be read"),
        (lambda path: audio.write(path, NOTE), "is not the file that was measured"),
    ],
)
def test_a_sound_that_is_gone_or_another_is_not_taken(folder, spoil, said):
    spoil(folder / "generated.wav")
    again = reattach(read_report(str(folder / "report.json")), str(folder))
    assert again.pair is None
    assert again.apart.startswith(f"generated.wav: {said}")


def test_an_array_cannot_be_found_again(kept):
    assert "it was an array" in reattach(report_from(kept)).apart


# What is no report


def refused(document, *said):
    with pytest.raises(InputError) as error:
        report_from(document, "kept.json")
    line = str(error.value)
    assert line.startswith("kept.json: ")
    assert line.isprintable()
    for words in said:
        assert words in line
    return line


@pytest.mark.parametrize("document", [None, 3, [], "text", {}, {"schema": 3}, {"schema": "diagnose.mel/1"}])
def test_another_document_is_refused(document):
    refused(document, "not diagnose.report/1; give what `diagnose compare --json` wrote")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("verdict", "FINE"), "$.verdict"),
        (("verdict", ...), "`verdict`"),
        (("metrics", ...), "`metrics`"),
        (("metrics", {}), "$.metrics"),
        (("metrics", 2, "change", "4"), "$.metrics[2].change"),
        (("metrics", 2, "change", True), "$.metrics[2].change"),
        (("metrics", 2, "limit", "fail", []), "$.metrics[2].limit.fail"),
        (("metrics", 2, "limit", ...), "$.metrics[2]"),
        (("metrics", 2, "detail", {"a": None}), "$.metrics[2].detail"),
        (("metrics", 2, "verdict", "OK\n\x1b[2J"), "$.metrics[2].verdict"),
        (("metrics", 2, "verdict", "\udcff"), ""),
        (("reference", "rate_hz", 22050.5), "$.reference.rate_hz"),
        (("reference", "native", {"rms": "1"}), "$.reference.native"),
        (("alignment", "gain_db", None), "$.alignment.gain_db"),
        (("regions", 0, "low_hz", "0"), "$.regions[0].low_hz"),
        (("causes", 0, "evidence", "text"), "$.causes[0].evidence"),
        (("causes", 0, "confidence", 1.5), "$.causes[0].confidence"),
        (("command", 3), "$.command"),
        (("notes", [None]), "$.notes[0]"),
        (("notes", ["\x1b[2J"]), "unprintable character"),
        (("metrics", 0, "name", "a\nb"), "unprintable character"),
        (("metrics", 0, "change", 10 * LARGEST), "$.metrics[0].change: a number above 1e+100"),
        (("reference", "channels", 10**400), "$.reference.channels: a number above"),
        (("metrics", 0, "change", math.nan), "$.metrics[0].change"),
        (("metrics", 0, "change", math.inf), "$.metrics[0].change"),
        (("causes", 0, "fix", "x" * (MOST_TEXT + 1)), "$.causes[0].fix: 10001 characters"),
        (("metrics", [{}] * (MOST_ITEMS + 1)), "$.metrics: 2001 entries"),
        (("metrics", 0, "detail", {"\n" * 60: [[]]}), "$.metrics[0].detail"),
        (("later", [[[[[[[[]]]]]]]]), "nested too deeply"),
    ],
)
def test_what_is_not_as_a_report_has_it_is_refused_with_its_key(changed, change, key):
    refused(changed(*change), key)


def test_five_hundred_rows_are_read_and_no_more(kept, changed):
    row = kept["metrics"][0]
    report_from(changed("metrics", [*kept["metrics"], *[row] * (500 - len(kept["metrics"]))]))
    refused(changed("metrics", [*kept["metrics"], *[row] * 500]), "$.metrics")


def test_a_verdict_that_is_not_its_metrics_is_refused(changed):
    refused(changed("verdict", "PASS"), "$.verdict: PASS, but the metrics give FAIL")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "line 1: not JSON"),
        (b"{", "line 1: not JSON"),
        (b'{\n"schema": }', "line 2: not JSON"),
        (b'{"a": NaN}', "NaN is not allowed"),
        (b'{"a": -Infinity}', "-Infinity is not allowed"),
        (b"9" * 5000, "not JSON"),
        (b"\xff\xfe{", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b" " * (MOST_BYTES + 1), "over 4 MB"),
    ],
)
def test_a_file_that_holds_no_json_is_refused(tmp_path, data, said):
    path = tmp_path / "kept.json"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"kept\.json: ") as error:
        read_report(str(path))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_number_that_becomes_infinite_is_refused(tmp_path, kept):
    text = to_json(report_from(kept)).replace('"gain_db": ', '"gain_db": 1e999, "was": ', 1)
    (tmp_path / "kept.json").write_text(text)
    with pytest.raises(InputError, match=r"\$\.alignment\.gain_db: a number above"):
        read_report(str(tmp_path / "kept.json"))


@pytest.mark.parametrize(("path", "said"), [("", "No such file"), (".", "directory"), ("a\0b", "null")])
def test_a_path_that_is_no_file_is_refused(path, said):
    with pytest.raises(InputError, match=said):
        read_report(path)


def test_minus_reads_stdin(kept, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(kept).encode())))
    assert same(read_report("-"), report_from(kept))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"?")))
    with pytest.raises(InputError, match=r"^stdin: line 1: not JSON"):
        read_report("-")


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=5
)


@given(st.data())
@settings(max_examples=settings.default.max_examples * 2)
def test_any_value_anywhere_is_read_or_refused_in_a_line(kept, data):
    document = copy.deepcopy(kept)
    inside, key = document, data.draw(st.sampled_from(sorted(document)))
    while isinstance(inside[key], dict | list) and inside[key] and data.draw(st.booleans()):
        inside = inside[key]
        key = data.draw(st.sampled_from(sorted(inside) if isinstance(inside, dict) else range(len(inside))))
    inside[key] = data.draw(JUNK)
    said = None
    try:
        read = report_from(document, "kept.json")
    except InputError as error:
        said = str(error)
    else:
        assert to_markdown(as_suite(read)).startswith("## ")
        assert to_junit(as_suite(read)).startswith("<?xml")
    assert said is None or (said.startswith("kept.json: ") and len(said.splitlines()) == 1)
