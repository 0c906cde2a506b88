"""A report held against a golden: the threshold in closed form, and what each way of being off is called."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.gate.checks import (
    changed_metrics,
    check_limits,
    check_metrics,
    new_golden,
    profile_tolerance,
    rounded,
    with_gate_verdicts,
    with_spread_of,
)
from diagnose.gate.golden import SCHEMA, Baseline, Golden
from diagnose.gate.spread import prediction
from diagnose.results.limit import Limit, Threshold
from diagnose.results.report import AlignmentFacts, MetricRow, Report, SoundFacts
from diagnose.results.suite import Check

CENTROID = MetricRow("spectral_centroid_hz", "Hz", 1000.0, 1040.0, 40.0)
RATIO = MetricRow("rms_ratio", "ratio", 0.1, 0.2, 2.0)
OF_PAIR = MetricRow("log_spectral_distance_db", "dB", change=4.0)
SOUND = SoundFacts("a.wav", 22050, 1, 1.0, {})


def limit(tolerance, direction="both", unit="Hz"):
    return Limit(unit, direction, "a test", tolerance=tolerance)


def report(*rows):
    return Report("0", SOUND, SOUND, AlignmentFacts(22050, 1.0, 0.0, 0.0, 1, "waveform", 1.0, None, None), rows, "PASS")


def golden(**metric):
    return Golden(SCHEMA, "note", "0", "me", "now", "sha", metric)


def checked(baseline, row, held):
    """The one check of a metric."""
    (check,) = check_metrics(golden(**{row.name: baseline}), report(row), {row.name: held}, "sha")
    assert check.metric == row.name
    return check


@pytest.mark.parametrize(
    ("before", "row", "tolerance", "expected"),
    [
        (40.0, CENTROID, Threshold(relative=0.01), 10.0),  # of the reference's 1000 Hz, not of the recorded 40
        (2.0, RATIO, Threshold(relative=0.01), 0.02),  # of the recorded quotient, not of the reference's 0.1
        (4.0, OF_PAIR, Threshold(relative=0.01), 0.04),  # there is no reference: of what was recorded
        (40.0, CENTROID, 3.0, 3.0),
        (40.0, CENTROID, Threshold(3.0, 0.01), 10.0),
        (40.0, CENTROID, Threshold(30.0, 0.01), 30.0),
        (40.0, CENTROID, 0.0, 1e-3),  # rounding, 1e-6 of the larger figure
        (-4e4, CENTROID, 0.0, 4e-2),
        (-2.0, RATIO, 0.0, 2e-6),
    ],
)
def test_the_profiles_tolerance_in_the_metrics_unit(before, row, tolerance, expected):
    assert profile_tolerance(before, row, limit(tolerance)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("direction", "moved", "verdict", "better"),
    [
        ("both", 9.9, "PASS", False),
        ("both", 10.1, "FAIL", False),
        ("both", -9.9, "PASS", False),
        ("both", -10.1, "FAIL", False),
        ("higher", 10.1, "FAIL", False),
        ("higher", -10.1, "PASS", True),
        ("higher", -9.9, "PASS", False),
        ("lower", -10.1, "FAIL", False),
        ("lower", 10.1, "PASS", True),
        ("lower", 9.9, "PASS", False),
        ("both", 10.0, "PASS", False),
        ("both", -10.0, "PASS", False),
    ],
)
def test_a_change_may_move_by_the_tolerance_and_further_to_the_better(direction, moved, verdict, better):
    row = msgspec.structs.replace(CENTROID, change=40.0 + moved)
    check = checked(Baseline("Hz", 1, 40.0), row, limit(10.0, direction))
    assert (check.verdict, check.better) == (verdict, better)
    assert (check.change, check.tolerance) == (40.0 + moved, 10.0)
    assert ("accept it" in check.text) == better


@pytest.mark.parametrize(
    ("direction", "moved", "verdict"),
    [("higher", 0.9, "FAIL"), ("higher", -0.9, "PASS"), ("lower", -0.9, "FAIL"), ("lower", 0.9, "PASS")],
)
def test_a_step_of_under_one_is_judged_as_a_larger_one(direction, moved, verdict):
    row = msgspec.structs.replace(CENTROID, change=40.0 + moved)
    check = checked(Baseline("Hz", 1, 40.0), row, limit(0.5, direction))
    assert (check.verdict, check.better, check.tolerance) == (verdict, verdict == "PASS", 0.5)


@pytest.mark.parametrize(
    ("earned", "expected", "said"),
    [(None, 10.0, False), (9.0, 10.0, False), (10.0, 10.0, False), (11.0, 11.0, True)],
)
def test_of_threshold_and_spread_the_wider_holds(earned, expected, said):
    for moved, verdict in [(expected - 0.1, "PASS"), (expected + 0.1, "FAIL")]:
        row = msgspec.structs.replace(CENTROID, change=40.0 + moved)
        check = checked(Baseline("Hz", 1, 40.0, tolerance=earned, spread=1.0, measured=20), row, limit(10.0))
        assert (check.verdict, check.tolerance) == (verdict, expected)
        assert ("(spread of 20 runs)" in check.text) == said


def test_the_text_has_both_values_and_the_tolerance_in_the_metrics_unit():
    check = checked(Baseline("Hz", 1, 35.0), CENTROID, limit(Threshold(relative=0.01)))
    assert check.text == "35 Hz -> 40 Hz, tolerance 10 Hz"


NOTHING = msgspec.structs.replace(CENTROID, change=None, reason="silence")


@pytest.mark.parametrize(
    ("baseline", "row", "verdict", "text"),
    [
        (Baseline("Hz", 1, unmeasured="short"), NOTHING, "PASS", "not measurable, as recorded"),
        (Baseline("Hz", 1, 40.0, "short"), NOTHING, "PASS", "not measurable, as recorded"),
        (Baseline("Hz", 1, 40.0), NOTHING, "FAIL", "recorded as 40 Hz, but no longer measurable: silence"),
        (Baseline("Hz", 1, unmeasured="short"), CENTROID, "FAIL", "now 40 Hz, but not measurable when recorded"),
        (Baseline("Hz", 1, unmeasured="short", measured=1), CENTROID, "PASS", "not checked: measurable in too few"),
        (Baseline("Hz", 2, 40.0), CENTROID, "ERROR", "recorded with version 2 of the metric, measured with 1"),
        (Baseline("kHz", 1, 40.0), CENTROID, "ERROR", "recorded with version 1 of the metric, measured with 1"),
    ],
)
def test_what_cannot_be_held_against_the_golden_is_said(baseline, row, verdict, text):
    check = checked(baseline, row, limit(10.0))
    assert check.verdict == verdict
    assert check.text.startswith(text)
    assert check.change == row.change


def test_every_metric_of_golden_or_profile_is_checked_and_no_other():
    held = {"spectral_centroid_hz": limit(10.0), "rms_ratio": limit(0.1, unit="ratio")}
    recorded = golden(spectral_centroid_hz=Baseline("Hz", 1, 40.0), crest_db=Baseline("dB", 1, 1.0))
    found = list(check_metrics(recorded, report(CENTROID, RATIO, OF_PAIR), held, "sha"))
    assert [(one.metric, one.verdict) for one in found] == [
        ("spectral_centroid_hz", "PASS"),
        ("rms_ratio", "FAIL"),
        ("crest_db", "FAIL"),
    ]
    assert "not in the golden" in found[1].text
    assert "no longer measured" in found[2].text
    # In the profile, and measured no more.
    (_, lost) = check_metrics(golden(rms_ratio=Baseline("ratio", 1, 2.0)), report(CENTROID), held, "sha")
    assert (lost.metric, lost.verdict) == ("rms_ratio", "FAIL")
    # Measured, but in the profile no more: it was recorded, so it has to be said.
    (_, lost) = check_metrics(
        golden(crest_db=Baseline("dB", 1, 1.0)), report(CENTROID, MetricRow("crest_db", "dB")), held, "sha"
    )
    assert (lost.metric, lost.verdict) == ("crest_db", "FAIL")


@pytest.mark.parametrize(("sha", "expected"), [("sha", []), ("other", [("reference", "ERROR")])])
def test_another_reference_is_an_error_before_all_others(sha, expected):
    found = list(check_metrics(golden(), report(CENTROID), {}, sha))
    assert [(one.metric, one.verdict) for one in found] == expected


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (msgspec.structs.replace(CENTROID, change=5.0), "PASS"),
        (msgspec.structs.replace(CENTROID, change=15.0), "WARN"),
        (msgspec.structs.replace(CENTROID, change=25.0), "FAIL"),
        (msgspec.structs.replace(CENTROID, reference=None, change=None, reason="silence"), "ERROR"),
    ],
)
def test_a_cases_own_limit_is_judged_by_its_levels(row, verdict):
    (check,) = check_limits(report(row), {row.name: Limit("Hz", "higher", "as asked", 10.0, 20.0)})
    assert (check.metric, check.verdict, check.change) == ("spectral_centroid_hz (limit)", verdict, row.change)
    assert ("as asked" if verdict != "ERROR" else "not measured: silence") in check.text


@pytest.mark.parametrize(
    ("value", "digits"),
    [(1 / 3, 0.333333333), (2e6 / 3, 666666.667), (-1.23456789012e-7, -1.23456789e-07), (0.0, 0.0)],
)
def test_a_golden_keeps_nine_digits(value, digits):
    assert rounded(value) == digits


def test_an_accepted_value_keeps_the_spread_it_had_and_the_wider_tolerance():
    new = Baseline("Hz", 1, 50.0)
    old = Baseline("Hz", 1, 40.0, "silence", 0.5, 2.0, 20)
    of_one_run = prediction(2.0, 20, 7, single=True)
    found = with_spread_of(new, old, 7)
    assert (found.change, found.spread, found.measured, found.unmeasured) == (50.0, 2.0, 20, "silence")
    assert found.tolerance == pytest.approx(of_one_run, rel=1e-8)
    assert with_spread_of(new, msgspec.structs.replace(old, tolerance=1e3), 7).tolerance == 1e3
    narrow = msgspec.structs.replace(old, tolerance=None, spread=1e-3)
    assert with_spread_of(new, narrow, 7).tolerance == pytest.approx(of_one_run * 1e-3 / 2, rel=1e-8)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (Baseline("Hz", 1, 50.0), None),
        (Baseline("Hz", 1, 50.0), Baseline("Hz", 1, 40.0)),
        (Baseline("Hz", 1, 50.0), Baseline("Hz", 1, 40.0, None, 0.5, 0.0, 20)),  # runs that were all alike
        (Baseline("Hz", 1, 50.0), Baseline("Hz", 1, 40.0, None, 0.5, 2.0, None)),
        (Baseline("Hz", 1, unmeasured="silence"), Baseline("Hz", 1, 40.0, None, 0.5, 2.0, 20)),
        (Baseline("Hz", 2, 50.0), Baseline("Hz", 1, 40.0, None, 0.5, 2.0, 20)),
    ],
)
def test_without_a_spread_to_keep_an_accepted_value_has_none(new, old):
    assert with_spread_of(new, old, 7) == new


def test_a_fresh_golden_has_every_metric_of_the_profile(monkeypatch):
    monkeypatch.setattr("diagnose.gate.checks.causes_of", lambda report: ())
    held = {"spectral_centroid_hz": limit(10.0), "rms_ratio": limit(0.1, unit="ratio")}
    odd = msgspec.structs.replace(CENTROID, change=100 / 3, version=3)
    made = new_golden("note", report(odd, RATIO, OF_PAIR), held, "sha", "me")
    assert made.metric == {
        "spectral_centroid_hz": Baseline("Hz", 3, 33.3333333),
        "rms_ratio": Baseline("ratio", 1, 2.0),
    }
    assert (made.case, made.reference_sha256, made.recorded_by, made.causes) == ("note", "sha", "me", [])
    lost = new_golden("note", report(NOTHING, msgspec.structs.replace(RATIO, change=None)), held, "sha", "me")
    assert [one.unmeasured for one in lost.metric.values()] == ["silence", "unknown"]


def test_the_report_is_judged_anew_by_what_the_gate_passed_and_failed(monkeypatch):
    monkeypatch.setattr("diagnose.gate.checks.rejudged", lambda _, verdicts: verdicts)
    found = [
        Check("reference", "ERROR", "another file"),
        Check("crest_db", "PASS", "as recorded"),
        Check("hnr_db", "FAIL", "moved"),
        Check("cutoff_hz", "ERROR", "another version"),
        Check("no_metric_of_ours", "FAIL", "recorded, and measured no more"),
        Check("rms_ratio", "PASS", "as recorded"),
        Check("rms_ratio (limit)", "FAIL", "over the case's own limit"),
        Check("dc_share (limit)", "PASS", "within it"),
        Check("f0_hz (limit)", "WARN", "nearly over it"),
    ]
    assert with_gate_verdicts(report(), found) == {"crest_db": "PASS", "hnr_db": "FAIL", "rms_ratio": "FAIL"}


def test_accepting_may_move_what_fails_and_what_is_better():
    held = {"spectral_centroid_hz": limit(10.0, "higher"), "rms_ratio": limit(0.1, unit="ratio")}
    for before, moved in [(40.0, []), (60.0, ["spectral_centroid_hz"]), (20.0, ["spectral_centroid_hz"])]:
        recorded = golden(spectral_centroid_hz=Baseline("Hz", 1, before), rms_ratio=Baseline("ratio", 1, 2.0))
        assert changed_metrics(recorded, report(CENTROID, RATIO), held, "sha") == moved


@pytest.mark.parametrize(
    ("verdict", "expected"), [("PASS", "PASS"), (None, "PASS"), ("WARN", "FAIL"), ("FAIL", "FAIL")]
)
def test_a_metric_that_is_newer_than_the_golden_is_held_to_its_limits(verdict, expected):
    row = MetricRow("lost_s", "s", change=0.0, verdict=verdict)
    profile = {"lost_s": limit(Threshold(0.002), "higher", "s")}
    (found,) = check_metrics(golden(), report(row), profile, "sha")
    assert found.verdict == expected
