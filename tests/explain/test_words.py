"""Every cause that undoing can name is told with its figures, and with the fix of the catalogue."""

import re

import pytest

from diagnose.explain.words import RIVALS, told
from diagnose.faults import CATALOGUE
from diagnose.operations.law import LAWS

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
        "depth": 6.0,
        "period": 0.01,
    }.items()
}


WITHOUT_A_FIGURE = {"polarity", "gated"}
# What is said by which figures there are: (figures, what is said).
BY_KIND = {
    "aliasing": [
        ({"rate": 8000.0, "stuffed": 1.0}, "went through 8 kHz: raised by zeros between the samples"),
        ({"rate": 8000.0, "held": 1.0}, "went through 8 kHz: each sample is held"),
        ({"rate": 8000.0, "lined": 1.0}, "went through 8 kHz: raised by straight lines between the samples"),
        ({"rate": 800.0, "folded": 1.0}, "went through 800 Hz: samples were left out without a filter"),
    ],
    "chunk-seams": [
        ({"clicks": 3.0, "period": 0.16}, "3 clicks, one each 0.16 s: at the seams of blocks"),
        ({"clicks": 1.0, "period": 0.16}, "1 click, one each 0.16 s: at the seams of blocks"),
        ({"depth": 12.0, "period": 0.16}, "the level falls by 12 dB at a seam each 0.16 s"),
    ],
    "companding": [
        ({"mu-law encoded": 1.0}, "samples went through mu-law encoding and were taken for linear ones"),
        ({"A-law decoded": 1.0}, "samples went through A-law decoding and were taken for linear ones"),
        ({"mu-law rounded": 1.0}, "samples went through 8 bits of mu-law and back"),
        ({"A-law misread": 1.0}, "bytes of A-law were read as those of the other law of G.711"),
    ],
    "modulation": [
        ({"depth": 6.0, "period": 0.25}, "the level goes up and down by 6.0 dB each 250 ms"),
        ({"range": 9.0}, "the level moves by 9 dB in the course of the sound"),
    ],
    "reverberation": [
        ({"level": -9.0, "decay": 0.8}, "a room: 0.80 s until 60 dB are gone, -9 dB to the direct sound"),
        ({"level": -9.0, "delay": 0.12}, "an echo after 120 ms, -9 dB to the direct sound"),
    ],
}


@pytest.mark.parametrize("cause", [cause for cause in TOLD if cause not in BY_KIND])
def test_the_words_hold_a_figure_and_the_fix_of_the_catalogue(cause):
    summary, fix = told(cause, AMOUNTS)
    assert (re.search(r"\d", summary) is None) == (cause in WITHOUT_A_FIGURE)
    assert fix.endswith(CATALOGUE[cause].fix)


@pytest.mark.parametrize(
    ("cause", "figures", "said"), [(cause, *each) for cause, kinds in BY_KIND.items() for each in kinds]
)
def test_which_figures_there_are_says_what_was_done(cause, figures, said):
    summary, fix = told(cause, {name: (value, "") for name, value in figures.items()})
    assert summary.startswith(said)
    assert fix.endswith(CATALOGUE[cause].fix)


@pytest.mark.parametrize("law", LAWS)
def test_every_law_has_words_that_name_it(law):
    assert law.split()[0] in told("companding", {law: (1.0, "gain")})[0]


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
