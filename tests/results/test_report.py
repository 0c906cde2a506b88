"""Report.as_dict: the contract `diagnose.report/1`, key by key, for every kind of pair."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import diagnose
from diagnose import example
from diagnose.align import Alignment
from diagnose.audio import Audio
from diagnose.comparison import _alignment_facts as alignment_facts
from diagnose.metrics import METRICS
from diagnose.results.cause import Cause, Explained
from diagnose.results.region import Region
from diagnose.results.report import LimitLevels, MetricRow, Report
from diagnose.results.suite import Case, Check, Suite
from diagnose.version import VERSION

RATE = 22050
TOP = ["schema", "tool", "reference", "generated", "alignment", "metrics", "regions", "causes", "verdict"]
SOUND = ["path", "rate_hz", "channels", "duration_s", "native", "sha256"]
NATIVE = ["rms", "dc", "peak_min", "peak_max", "spectral_centroid_hz"]
ALIGNMENT = ["rate_hz", "compared_s", "delay_s", "gain_db", "polarity"]
REGION = ["metric", "start_s", "end_s", "low_hz", "high_hz", "excess_db"]
CAUSE = ["id", "confidence", "summary", "evidence", "fix", "explains"]
METRIC = ["name", "unit", "reference", "generated", "change", "verdict", "limit", "version"]
EXTRA = {
    "top": {"notes", "command"},
    "alignment": {"method", "correlation", "drift_ppm", "reason"},
    "metric": {"reason", "note", "detail", "severity"},
}

KINDS = {
    "itself": lambda x: Audio(x, RATE),
    "misfed": lambda x: example.misfed_vocoder(Audio(x, RATE)),
    "silent": lambda x: Audio(np.zeros_like(x), RATE),
    "constant": lambda x: Audio(np.full_like(x, 0.3), RATE),
    "inverted": lambda x: Audio(-x, RATE),
    "20 ms": lambda x: Audio(x[:, 9000:9441].copy(), RATE),
    "one click": lambda x: Audio((np.arange(RATE) == 99)[None].astype(np.float32), RATE),
    "faint": lambda x: Audio(x * np.float32(1e-30), RATE),
    "denormal": lambda x: Audio(x * np.float32(1e-42), RATE),
    "beyond reason": lambda x: Audio(x * np.float32(1e5), RATE),
    "other rate": lambda x: example.bowed_string(seconds=0.5, rate=48000),
    "lowest rate": lambda x: Audio(x, 2000),
    "highest rate": lambda x: Audio(x, 384_000),
    "64 channels": lambda x: Audio(np.repeat(x, 64, axis=0), RATE),
    "noise": lambda x: Audio(np.random.default_rng(1).uniform(-1, 1, x.shape).astype(np.float32), RATE),
}


@pytest.fixture(scope="module")
def reports():
    """kind -> Report, each measured once."""
    samples = example.bowed_string(seconds=1.0, rate=RATE).samples
    made = {}

    def report(kind):
        if kind not in made:
            made[kind] = diagnose.compare(Audio(samples, RATE), KINDS[kind](samples))
        return made[kind]

    return report


def in_order(keys, wanted):
    """The contract's keys stand in its order, whatever stands between them."""
    return [key for key in keys if key in wanted] == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_the_keys_are_the_contract_s_in_its_order(reports, kind):
    report = reports(kind).as_dict()
    assert in_order(report, TOP)
    assert set(report) - set(TOP) == EXTRA["top"]
    assert report["schema"] == "diagnose.report/1"
    assert list(report["tool"]) == ["name", "version", "libraries"]
    assert (report["tool"]["name"], report["tool"]["version"]) == ("timbre-diagnose", VERSION)
    assert report["tool"]["libraries"]["numpy"] == np.__version__
    assert list(report["tool"]["libraries"]) == ["python", "numpy", "soundfile", "libsndfile", "soxr"]
    for side in ("reference", "generated"):
        assert list(report[side]) == SOUND
        assert list(report[side]["native"]) == NATIVE
    assert in_order(report["alignment"], ALIGNMENT)
    assert set(report["alignment"]) - set(ALIGNMENT) == EXTRA["alignment"]
    for row in report["metrics"]:
        assert in_order(row, METRIC)
        assert set(row) - set(METRIC) == EXTRA["metric"]
        assert list(row["limit"]) == ["warn", "fail"]
    assert all(list(region) == REGION for region in report["regions"])
    for cause in report["causes"]:
        assert list(cause) == CAUSE
        assert all(list(one) == ["id", "summary"] for one in cause["explains"])
    if report["verdict"] == "PASS":
        assert (report["regions"], report["causes"]) == ([], [])


@pytest.mark.parametrize("kind", KINDS)
def test_strict_json_holds_every_number(reports, kind):
    report = reports(kind).as_dict()
    assert json.loads(json.dumps(report, allow_nan=False)) == report


@pytest.mark.parametrize("kind", KINDS)
def test_every_metric_has_a_number_or_a_reason(reports, kind):
    report = reports(kind).as_dict()
    assert [row["name"] for row in report["metrics"]] == list(METRICS)
    for row in report["metrics"]:
        assert (row["change"] is None) == isinstance(row["reason"], str), row
        assert row["reason"] != "", row
        assert row["verdict"] in (None, "PASS", "WARN", "FAIL")
        assert row["unit"] == METRICS[row["name"]].unit
        if METRICS[row["name"]].of == "pair":
            assert row["reference"] is None
            assert row["generated"] is None
    assert report["verdict"] in ("PASS", "WARN", "FAIL", "ERROR")
    assert (report["alignment"]["delay_s"] is None) == bool(report["alignment"]["reason"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_change_is_the_difference_or_the_quotient(reports, kind):
    for row in reports(kind).as_dict()["metrics"]:
        if row["reference"] is None or row["generated"] is None:
            assert METRICS[row["name"]].of == "pair" or row["change"] is None
        elif row["unit"] == "ratio":
            assert row["change"] == row["generated"] / row["reference"]
        else:
            assert row["change"] == row["generated"] - row["reference"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_verdict_is_the_worst_of_its_rows(reports, kind):
    report = reports(kind)
    verdicts = [row.verdict for row in report.metrics]
    assert report.verdict == next(verdict for verdict in ("FAIL", "WARN", "PASS") if verdict in verdicts)


def test_the_kinds_reach_every_verdict_and_both_alignments(reports):
    assert reports("itself").verdict == "PASS"
    assert {reports(kind).verdict for kind in ("misfed", "silent", "20 ms", "faint", "noise")} == {"FAIL"}
    assert reports("inverted").as_dict()["alignment"]["polarity"] == -1
    assert reports("misfed").as_dict()["alignment"]["delay_s"] is None
    assert reports("64 channels").as_dict()["generated"]["channels"] == 64


def row(name, verdict, severity):
    return MetricRow(name, "dB", 0.0, 1.0, 1.0, verdict, severity, LimitLevels(1.0, 2.0))


def test_the_worst_comes_first_and_what_is_not_judged_not_at_all(reports):
    rows = [
        row("a_db", "PASS", 0.9),
        row("b_db", None, 0.0),
        row("c_db", "WARN", 0.2),
        row("d_db", "FAIL", 1.5),
        row("e_db", "WARN", 0.8),
        row("f_db", "FAIL", math.inf),
    ]
    facts = reports("itself")
    report = Report("1", facts.reference, facts.generated, facts.alignment, tuple(rows), "FAIL")
    assert [one.name for one in report.worst_first] == ["f_db", "d_db", "e_db", "c_db", "a_db"]


def test_a_row_is_found_by_its_name(reports):
    assert reports("itself")["rms_ratio"].name == "rms_ratio"
    with pytest.raises(KeyError, match="no_such_db"):
        reports("itself")["no_such_db"]


def test_regions_and_causes_have_the_contract_s_keys(reports):
    facts = reports("itself")
    report = Report(
        "1",
        facts.reference,
        facts.generated,
        facts.alignment,
        (),
        "FAIL",
        regions=(Region("edge_right_db", 0.9, 1.0, 0.0, 8000.0, 12.5),),
        causes=(
            Cause(
                "gain",
                0.9,
                "too loud",
                ("rms_ratio is 4.13", "dc_share is 0.74"),
                "divide by 4.13",
                (Explained("dc-offset", "a constant is added"),),
            ),
        ),
    ).as_dict()
    assert json.loads(json.dumps(report))["regions"] == [
        {"metric": "edge_right_db", "start_s": 0.9, "end_s": 1.0, "low_hz": 0.0, "high_hz": 8000.0, "excess_db": 12.5}
    ]
    assert list(report["regions"][0]) == REGION
    assert list(report["causes"][0]) == CAUSE
    assert json.loads(json.dumps(report))["causes"] == [
        {
            "id": "gain",
            "confidence": 0.9,
            "summary": "too loud",
            "evidence": ["rms_ratio is 4.13", "dc_share is 0.74"],
            "fix": "divide by 4.13",
            "explains": [{"id": "dc-offset", "summary": "a constant is added"}],
        }
    ]


@pytest.mark.parametrize(
    ("alignment", "delay_s", "gain_db"),
    [
        (Alignment(441, 10.0, -1, -0.99, 12.0, "waveform"), 0.02, 20.0),
        (Alignment(-128, 0.5, None, 0.7, None, "spectrogram"), -128 / 22050, -6.0206),
        (Alignment(0, 1.0, None, 0.2, None, "none"), None, 0.0),
    ],
)
def test_an_alignment_in_seconds_and_db(alignment, delay_s, gain_db):
    facts = alignment_facts(alignment, RATE, 11025)
    assert (facts.rate_hz, facts.compared_s) == (RATE, 0.5)
    assert facts.delay_s == delay_s
    assert facts.gain_db == pytest.approx(gain_db, abs=1e-4)
    assert (facts.polarity, facts.method) == (alignment.polarity, alignment.method)
    assert (facts.reason is None) == (delay_s is not None)


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ((), "ERROR"),
        (("PASS",), "PASS"),
        (("PASS", "WARN"), "WARN"),
        (("WARN", "ERROR", "PASS"), "ERROR"),
        (("ERROR", "FAIL"), "FAIL"),
    ],
)
def test_a_suite_is_as_bad_as_its_worst_case(verdicts, worst):
    cases = tuple(
        Case(f"case {index}", verdict, (Check("a_db", verdict, ""),)) for index, verdict in enumerate(verdicts)
    )
    assert Suite("suite", cases).verdict == worst
