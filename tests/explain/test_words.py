"""Every cause that undoing can name is told with its figures, and with the fix of the catalogue."""

import re

import pytest

from diagnose.explain.words import RIVALS, told
from diagnose.faults import CATALOGUE

TOLD = sorted(fault.id for fault in CATALOGUE.values() if fault.told)

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


@pytest.mark.parametrize("cause", TOLD)
def test_the_words_hold_a_figure_and_the_fix_of_the_catalogue(cause):
    summary, fix = told(cause, AMOUNTS)
    assert cause == "polarity" or re.search(r"\d", summary)
    assert fix.endswith(CATALOGUE[cause].fix)


def test_a_fix_begins_with_what_the_figures_ask_for():
    assert told("gain", {"gain": (-6.0206, "dB")}) == (
        "6.0 dB too quiet",
        f"multiply the output by 2; {CATALOGUE['gain'].fix}",
    )
    assert told("dc-offset", {"offset": (0.02, "full scale")})[1].startswith("subtract 0.02; ")
    # Beside a limiter the offset before it is not known.
    assert told("dc-offset", {"slope at the ends": (0.1, "ratio")})[1] == CATALOGUE["dc-offset"].fix


def test_rivals_are_of_the_catalogue():
    assert RIVALS["dropout"] == ("gated",)
    assert set(RIVALS) == {fault.id for fault in CATALOGUE.values() if fault.rivals}
