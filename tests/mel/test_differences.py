from __future__ import annotations

import msgspec
import pytest

from diagnose.mel.contract import load, names
from diagnose.mel.differences import declared

REPLACE = msgspec.structs.replace


@pytest.mark.parametrize("name", names())
def test_a_contract_agrees_with_itself(name):
    assert declared(load(name), load(name)) == ()


@pytest.mark.parametrize("ours", names())
def test_two_contracts_agree_only_where_their_mels_are_alike(ours):
    for theirs in names():
        a, b = load(ours), load(theirs)
        if not declared(a, b):
            assert a.grid == b.grid
            assert a.levels == b.levels


LEVELS = {
    "whisper": [{"low": -8.0}, {"high": 1.0}, {"of": "power-db"}, {"top_db": 60.0}, {"bottom": -1.0}],
    "bigvgan_base_22khz_80band": [{"top_db": 80.0}, {"clip": 1e-3}, {"reference": 2.0}, {"name": "log10-magnitude"}],
    "librosa_db_max": [{"clip": 1e-9}, {"top_db": None}, {"reference": 1.0}],
}


@pytest.mark.parametrize(("name", "changed"), [(name, each) for name, all_of in LEVELS.items() for each in all_of])
def test_levels_that_are_another_are_named(name, changed):
    contract = load(name)
    other = REPLACE(contract, levels=REPLACE(contract.levels, **changed))
    for pair in ((contract, other), (other, contract)):
        found = declared(*pair)
        assert found
        assert all(each.line for each in found)


GRIDS = [{"rate": 24000}, {"n_fft": 2048}, {"hop": 128}, {"bands": 100}, {"fmin": 60.0}, {"fmax": 11025.0}]
GRIDS += [{"formula": "htk"}, {"norm": "none"}, {"padding": "centre"}, {"padding": "none"}]


@pytest.mark.parametrize("changed", GRIDS, ids=str)
def test_a_grid_that_is_another_is_named(changed):
    contract = load("bigvgan_base_22khz_80band")
    assert declared(REPLACE(contract, grid=REPLACE(contract.grid, **changed)), contract)


def test_two_kinds_of_centring_are_two():
    contract = load("librosa_db")
    other = REPLACE(contract, grid=REPLACE(contract.grid, padding="centre-reflect"))
    assert [each.field for each in declared(other, contract)] == ["padding"]


def test_a_constant_in_every_bin_is_named_where_it_can_be_heard():
    contract = load("bigvgan_base_22khz_80band")
    assert [each.field for each in declared(REPLACE(contract, bin_epsilon=1e-2), contract)] == ["bin_epsilon"]
    assert declared(REPLACE(contract, bin_epsilon=0.0), contract) == ()
