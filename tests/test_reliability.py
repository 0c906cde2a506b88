"""How honest confidences are, by hand: bins, expected calibration error, who is sure, who claims nothing."""

import json

import explaining_report
import leave_one_out
import pytest
import reliability
import reported
from reliability import First, Named

from diagnose.results.cause import Cause


def test_the_error_is_the_gap_of_each_bin_by_how_many_are_in_it():
    """Three of 0.9 of which two are right: a gap of 0.9 - 2/3; one of 0.5 that is wrong: 0.5."""
    answers = [(0.9, True), (0.9, True), (0.9, False), (0.5, False)]
    assert reliability.calibration_error(answers) == pytest.approx((3 * (0.9 - 2 / 3) + 0.5) / 4)
    assert reliability.calibration_error([]) == 0


def test_gaps_of_one_bin_cancel_and_those_of_two_do_not():
    assert reliability.calibration_error([(0.5, True), (0.5, False)]) == 0
    assert reliability.calibration_error([(0.5, True), (0.3, False)]) == pytest.approx(0.4)


def test_every_confidence_is_in_one_bin():
    for edge in (*reliability.BINS, 0.33):
        assert sum(row["named"] for row in reliability.binned([(edge, True)])) == 1


def test_figures_count_those_who_claim_nothing_apart():
    firsts = [
        First("gain", 0.97, right=True),
        First("gain", 0.79, right=True),
        First("noise", 0.8, right=False),
        First("unknown", 0.5, right=False),
        First("none", 0.0, right=False),
        First("failed", 0.0, right=False),
    ]
    found = reliability.figures(firsts)
    assert (found["named"], found["no_claim"]) == (3, 3)
    assert found["right_and_sure"] == 0.5
    assert found["sure_wrong_share"] == pytest.approx(1 / 6, abs=1e-4)
    assert found["ece"] == pytest.approx((0.03 + 0.21 + 0.8) / 3, abs=1e-4)


def test_answers_are_kept_a_line_each(tmp_path):
    path = tmp_path / "answers"
    causes = reliability.named([Cause("gain", 0.96999, "softer", (), "turn it up", step=1, basis="proven")])
    assert causes == (Named("gain", 0.97, 1, "proven"),)
    reliability.keep(str(path), [First("gain", 0.9, right=True), causes])
    first, second = map(json.loads, path.read_text().splitlines())
    assert first == {"id": "gain", "confidence": 0.9, "right": True}
    assert second == [["gain", 0.97, 1, "proven"]]
    reliability.keep(None, causes)


def foreign(*causes, held_out=False, by="sox", also=()):
    named = tuple(Named(*cause) for cause in causes)
    return explaining_report.Outcome("foreign", "flute", ("x",), by, 0.0, ("tilt",), also, held_out, causes=named)


def test_what_a_foreign_tool_brings_with_it_is_passed_over():
    outcome = foreign(("delay", 0.9), ("tilt", 0.7), also=("delay",))
    assert outcome.claim == First("tilt", 0.7, right=True)
    assert foreign(("delay", 0.9)).claim == First("delay", 0.9, right=False)
    assert foreign().claim == First("none", 0.0, right=False)


def test_foreign_faults_are_judged_apart_from_our_own_and_by_group_of_sounds():
    found = [foreign(("tilt", 0.9)), foreign(("gain", 0.9), held_out=True), foreign(("gain", 0.9), by="ours")]
    both = explaining_report.confidences(found)
    assert {name: figures["pairs"] for name, figures in both.items()} == {"tuning": 1, "held out": 1}
    assert [figures["sure_wrong_share"] for figures in both.values()] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("first", "confidence", "same", "wrong"),
    [
        ("noise", 0.8, False, True),
        ("noise", 0.79, False, False),
        ("noise", 0.9, True, False),
        ("unknown", 0.9, False, False),
    ],
)
def test_without_its_cause_a_fault_has_another_name_that_is_sure_or_not(first, confidence, same, wrong):
    answer = leave_one_out.Answer(reported.Case("gate", 0.5, "flute"), first, confidence, same)
    assert answer.sure_wrong is wrong
    assert leave_one_out.figures([answer])["sure_wrong"] == wrong
