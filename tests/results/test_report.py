"""Report.as_dict: the contract `diagnose.report/1`, key by key, for every kind of pair."""

from __future__ import annotations

import json
import math

import msgspec
import numpy as np
import pytest

import diagnose
from diagnose import example
from diagnose.audio import Audio
from diagnose.metrics import METRICS
from diagnose.results.cause import Amount, Cause, Explained
from diagnose.results.proof import Left, Proof
from diagnose.results.region import Region
from diagnose.results.report import LimitLevels, MetricRow, Report, SoundFacts
from diagnose.results.suite import Case, Check, Suite
from diagnose.text import amount
from diagnose.version import VERSION

RATE = 22050
TOP = ["schema", "tool", "reference", "generated", "alignment", "metrics", "regions", "causes", "verdict"]
SOUND = ["path", "rate_hz", "channels", "duration_s", "native", "sha256"]
NATIVE = ["rms", "dc", "peak_min", "peak_max", "spectral_centroid_hz"]
ALIGNMENT = ["rate_hz", "compared_s", "delay_s", "gain_db", "polarity"]
REGION = ["metric", "start_s", "end_s", "low_hz", "high_hz", "excess_db", "channel"]
CAUSE = ["id", "confidence", "summary", "evidence", "fix", "explains", "channel"]
CAUSE += ["parameters", "step", "explains_db", "basis"]
METRIC = ["name", "unit", "reference", "generated", "change", "verdict", "limit", "version"]
EXTRA = {
    "top": {"notes", "command", "timeline", "observations", "channels", "alternatives", "space", "left", "repair"},
    "alignment": {"method", "correlation", "drift_ppm", "reason"},
    "metric": {"reason", "note", "detail", "severity", "channel"},
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
                parameters={"gain": Amount(12.3, "dB")},
                step=1,
                explains_db=(-3.0, -40.0),
                basis="proven",
            ),
        ),
        proof=Proof("waveform", Left(-40.0, "no more than ordinary loss", -3.0), (("tilt",),)),
    ).as_dict()
    assert json.loads(json.dumps(report))["regions"] == [
        {"metric": "edge_right_db", "start_s": 0.9, "end_s": 1.0, "low_hz": 0.0, "high_hz": 8000.0, "excess_db": 12.5}
        | {"channel": None}
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
            "channel": None,
            "parameters": {"gain": {"value": 12.3, "unit": "dB"}},
            "step": 1,
            "explains_db": [-3.0, -40.0],
            "basis": "proven",
        }
    ]
    assert (report["space"], report["alternatives"]) == ("waveform", [["tilt"]])
    assert report["left"] == {"db": -40.0, "summary": "no more than ordinary loss", "before_db": -3.0}


# In a prompt


def test_a_prompt_shows_a_failed_report_in_three_lines(reports):
    report = reports("misfed")
    first, cause, worst = repr(report).splitlines()
    named = report.causes[0]
    assert first == "Report: FAIL, misfed vocoder against array"
    assert cause == f"  cause: {named.id} ({100 * named.confidence:.0f} %): {named.summary}"
    rows = report.worst_first
    more = sum(row.verdict in ("WARN", "FAIL") for row in rows) - 3
    shown = "; ".join(f"FAIL {row.name} {amount(row.change, row.unit)}" for row in rows[:3])
    assert worst == f"  worst: {shown}; {more} more over a limit"
    assert str(report) == repr(report)


def test_a_prompt_shows_a_passed_report_and_one_that_judged_nothing(reports):
    assert repr(reports("itself")) == "Report: PASS, array against array\n  no metric is over its limit"
    facts = reports("itself")
    nothing = Report("1", facts.reference, facts.generated, facts.alignment, (), "ERROR")
    assert repr(nothing).splitlines()[1:] == ["  nothing could be judged"]
    lost = msgspec.structs.replace(nothing, metrics=(MetricRow("f0_hz", "Hz", verdict="WARN"),), verdict="WARN")
    assert repr(lost).splitlines()[1:] == ["  worst: WARN f0_hz is lost"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_is_shown_little_and_no_array(reports, kind):
    shown = repr(reports(kind))
    assert len(shown) < 600
    assert 2 <= len(shown.splitlines()) <= 3
    assert "array(" not in shown
    assert "np." not in shown


HOSTILE = "\x1b[2J\x07\u202e\ud800\r\n" * 500


def test_whatever_a_report_holds_its_repr_is_short_and_cannot_steer_a_terminal(reports):
    facts = reports("itself")
    sounds = [SoundFacts(HOSTILE, 22050, 1, 1.0, {}) for _ in range(2)]
    rows = [MetricRow(HOSTILE, HOSTILE, change=1e99, verdict="FAIL", severity=index) for index in range(500)]
    causes = (Cause(HOSTILE, 1.0, HOSTILE, (), ""),)
    shown = repr(Report("1", *sounds, facts.alignment, tuple(rows), "FAIL", causes=causes))
    assert len(shown) < 600
    assert [line.isprintable() for line in shown.split("\n")] == [True] * 3
    assert shown.isascii()


# For loggers


@pytest.mark.parametrize("kind", KINDS)
def test_scalars_are_every_finite_number_by_a_flat_name(reports, kind):
    report = reports(kind)
    found = report.scalars()
    assert all(type(name) is str and type(value) is float and math.isfinite(value) for name, value in found.items())
    wanted = {}
    for row in report.metrics:
        wanted[row.name] = row.change
        wanted[f"reference/{row.name}"] = row.reference
        wanted[f"generated/{row.name}"] = row.generated
    assert list(found.items()) == [(name, value) for name, value in wanted.items() if value is not None]


def test_scalars_leave_out_what_no_logger_takes(reports):
    facts = reports("itself")
    rows = (
        MetricRow("a_db", "dB", 1.0, math.inf, math.nan),
        MetricRow("b_db", "dB", np.float32(0.5), 2, np.float64(1.5)),
        MetricRow("c_db", "dB", reason="silence"),
    )
    found = Report("1", facts.reference, facts.generated, facts.alignment, rows, "ERROR").scalars()
    assert found == {"reference/a_db": 1.0, "b_db": 1.5, "reference/b_db": 0.5, "generated/b_db": 2.0}
    assert {type(value) for value in found.values()} == {float}


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
