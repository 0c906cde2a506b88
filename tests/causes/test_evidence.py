"""Evidence: what is a copy, what is exact, and that nothing is measured before it is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.causes.levels import Levels
from diagnose.causes.match import Match

RATE = 22050


def test_the_same_sound_is_an_exact_copy(same):
    assert (same.copied, same.exact, same.method, same.silent, same.same_length) == (1, 1, "waveform", False, True)


def test_a_copy_under_noise_as_loud_as_it_is_copied_and_not_exact(clues, melody, evidence, rng):
    found = evidence(melody.mono, melody.mono + melody.mono.std() * rng.standard_normal(melody.length))
    assert found.copied == 1
    assert found.exact == 0


@pytest.mark.parametrize("fault", ["mel_ref_lost", "mel_linear_hum", "mel_reversed"])
def test_what_a_vocoder_made_is_no_copy(clues, fault):
    found = clues(fault)
    assert found.residual is None
    assert (found.copied, found.exact) == (0, 0)


@pytest.mark.parametrize(("size", "there"), [(2047, False), (2048, True)])
def test_a_copy_of_under_2048_samples_is_too_short_to_tell(melody, evidence, size, there):
    part = melody.mono[4000 : 4000 + size]
    assert (evidence(part, 0.5 * part).residual is not None) == there


def test_a_change_a_before_and_an_after_are_those_of_the_rows(clues):
    found = clues("dc_offset")
    figures = found.rows["dc_share"]
    assert found.change("dc_share") == figures.change > 0.1
    assert (found.before("dc_share"), found.after("dc_share")) == (figures.reference, figures.generated)


def test_a_number_that_could_not_be_had_is_the_one_that_was_named(evidence, melody):
    found = evidence(melody.mono[:2000], melody.mono[:2000] * 0.5)
    assert found.rows["comb_share"].change is None
    assert (found.change("comb_share"), found.after("comb_share", 0.25)) == (0.0, 0.25)


@pytest.mark.parametrize(("more", "same_length"), [(0.01, True), (0.02, False), (-0.01, True), (-0.02, False)])
def test_one_length_is_one_to_15_of_1000(melody, evidence, more, same_length):
    size = round((1 + more) * melody.length)
    assert evidence(melody.mono, np.resize(melody.mono, size)).same_length == same_length


def test_what_is_costly_is_measured_on_first_use_and_once(melody, evidence, monkeypatch):
    asked = []
    for one in (Match, Levels):
        monkeypatch.setattr(
            f"diagnose.causes.evidence.{one.__name__}", lambda pair, one=one: asked.append(one) or one(pair)
        )
    found = evidence(melody.mono, melody.mono)
    assert asked == []
    assert found.levels is found.levels
    assert found.match is found.match
    assert asked == [Levels, Match]
