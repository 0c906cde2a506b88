"""Every cause that undoing can name has words, and rivals that are causes."""

import re
from pathlib import Path

import pytest

from diagnose.explain.proof import PATTERNS
from diagnose.explain.search import BY_ID
from diagnose.explain.words import RIVALS, TOLD, told

AMOUNTS = {
    name: (value, "")
    for name, value in {
        "gain": -6.0,
        "offset": 0.02,
        "low": 300.0,
        "high": 2000.0,
        "bits": 8.0,
        "cutoff": 4000.0,
        "low cutoff": 200.0,
        "low loss": 30.0,
        "loss": 30.0,
        "slope": 3.0,
        "slope at the ends": 0.2,
        "holes": 1.0,
        "length": 0.04,
        "first": 1.5,
        "clicks": 3.0,
        "level": -30.0,
        "lines": 4.0,
        "strongest": 50.0,
        "samples": 7.0,
    }.items()
}


def test_every_operation_s_causes_have_words():
    assert set(TOLD) >= set(BY_ID) - set(PATTERNS)


@pytest.mark.parametrize("cause", sorted(TOLD))
def test_the_words_hold_a_figure_and_something_to_do(cause):
    summary, fix = told(cause, AMOUNTS)
    assert cause == "polarity" or re.search(r"\d", summary)
    assert len(fix.split()) > 3


def test_rivals_and_patterns_are_the_contract_s_ids():
    design = Path(__file__).resolve().parents[3] / "shared" / "DESIGN.md"
    if not design.exists():
        pytest.skip("shared/DESIGN.md is not here")
    ids = set(re.findall(r"`([a-z0-9-]+)`", design.read_text(encoding="utf-8")))
    assert set(TOLD) | set(RIVALS) | {rival for each in RIVALS.values() for rival in each} <= ids
    assert set(PATTERNS) | {each for of in PATTERNS.values() for each in of} <= ids
