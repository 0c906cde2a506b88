"""The known numbers and the contracts are one: what a contract has, the lists have."""

from __future__ import annotations

import re

import pytest

from diagnose.mel import contract, known

CONTRACTS = [contract.load(name) for name in contract.names()]


@pytest.mark.parametrize(
    ("field", "numbers"),
    [
        ("rate", known.RATES),
        ("n_fft", known.N_FFTS),
        ("hop", known.HOPS),
        ("bands", known.BAND_COUNTS),
        ("fmin", known.FMINS),
        ("fmax", known.FMAXES),
        ("padding", known.PADDINGS),
        ("formula", known.FORMULAS),
        ("norm", known.NORMS),
    ],
)
def test_every_number_of_a_contract_is_known(field, numbers):
    assert {getattr(each.grid, field) for each in CONTRACTS} <= set(numbers)


def test_the_frame_rate_of_every_vocoder_is_looked_for():
    """As a vocoder's own, or as a multiple of one: the teeth of a comb are the multiples of its spacing."""
    spacings = [rate / hop for rate, hop in known.VOCODER_FRAMES]
    for each in (each for each in CONTRACTS if re.search("gan|glow|vocos", each.name)):
        own = each.grid.rate / each.grid.hop
        assert any(abs(own / spacing - round(own / spacing)) < 1e-9 and own >= spacing for spacing in spacings), (
            each.name
        )


def test_the_hops_of_every_list_are_hops_of_vocoders():
    assert set(known.MISTAKEN_HOPS) <= set(known.VOCODER_HOPS)
    assert {hop for _, hop in known.VOCODER_FRAMES} <= set(known.VOCODER_HOPS)
    assert {each.grid.hop for each in CONTRACTS} <= set(known.VOCODER_HOPS)


def test_the_clips_of_the_contracts_are_known():
    for each in CONTRACTS:
        levels = each.levels
        assert levels.clip is None or levels.clip in known.CLIPS[levels.summed], each.name
        assert levels.top_db is None or levels.top_db in known.TOP_DBS, each.name


def test_the_lists_have_no_number_twice():
    for numbers in (known.RATES, known.N_FFTS, known.HOPS, known.FMINS, known.FMAXES, known.VOCODER_HOPS):
        assert len(set(numbers)) == len(numbers)
        assert list(numbers) == sorted(numbers)
