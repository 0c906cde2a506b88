"""The catalogue: whole, well-formed, and nothing but the fix between the two sides."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.errors import InputError
from tnca.config import L1, L2, as_table, preset
from tnca.fixes.catalogue import fixes, settings

FIRST = {
    *("db-power", "frequency-weight", "frequency-weight-exponential", "l1-weight", "circular-padding", "grid-margin"),
    *("boundary-loss", "multiscale-perceptual", "audio-loss", "temporal-consistency", "phase", "all-first"),
}
SINCE = {
    *("log-magnitude", "level-reference", "fmax", "vocoder-contract", "per-bin-weight", "unmasked-loss"),
    *("positional-channels", "dead-alpha", "all-best"),
}
NAMED = {fix.name: fix for fix in fixes()}


def test_every_claim_is_in_it_once_under_who_made_it():
    assert {fix.name for fix in fixes() if fix.claim == "first diagnosis"} == FIRST
    assert {fix.name for fix in fixes() if fix.claim == "measurement since"} == SINCE
    assert len(fixes()) == len(NAMED)


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("quick", [False, True])
def test_both_sides_are_configurations_and_differ(name, quick):
    fix = NAMED[name]
    if fix.measured == "round trip" and quick:
        pytest.skip("a round trip has no quick form")
    broken, fixed = (settings(fix, side, quick=quick) for side in fix.sides.values())
    assert broken != fixed or fix.broken.undone != fix.fixed.undone or fix.broken.phase != fix.fixed.phase
    assert fix.prediction.amount > 0


# Where each fix differs, and nowhere else.
PLACES = {
    "frequency-weight": {"loss.weighting_after_reduction"},
    "frequency-weight-exponential": {"loss.weighting_after_reduction", "loss.weighting_shape"},
    "per-bin-weight": {"loss.terms"},
    "l1-weight": {"loss.terms"},
    "unmasked-loss": {"loss.terms"},
    "boundary-loss": {"loss.terms"},
    "multiscale-perceptual": {"loss.terms"},
    "audio-loss": {"loss.terms"},
    "temporal-consistency": {"loss.terms"},
    "circular-padding": {"cell.padding_time", "cell.padding_frequency"},
    "grid-margin": {"cell.margin"},
    "positional-channels": {"cell.positions"},
    "dead-alpha": {"cell.alpha_bias", "cell.near_life"},
}


def changed(one, other, at=""):
    for key in {**one, **other}:
        a, b, name = one.get(key), other.get(key), f"{at}.{key}".lstrip(".")
        if isinstance(a, dict) and isinstance(b, dict):
            yield from changed(a, b, name)
        elif a != b:
            yield name


@pytest.mark.parametrize("name", PLACES)
def test_nothing_but_the_fix_differs(name):
    fix = NAMED[name]
    broken, fixed = (as_table(settings(fix, side)) for side in fix.sides.values())
    assert set(changed(broken, fixed)) == PLACES[name]


def test_the_first_side_is_the_first_notebook_but_for_what_makes_it_learn():
    ours = settings(NAMED["circular-padding"], NAMED["circular-padding"].broken)
    first = preset("first")
    assert (ours.target, ours.cell, ours.loss) == (first.target, first.cell, first.loss)
    assert set(changed(as_table(first), as_table(ours))) == {
        "growth.steps",
        *(f"optimiser.{name}" for name in ("learning_rate", "schedule", "warmup", "normalise_gradients")),
        "optimiser.final_share",
    } - ({"optimiser.final_share"} if first.optimiser.final_share == ours.optimiser.final_share else set())


def test_the_inert_weighting_comes_after_the_mean_and_the_one_that_acts_before():
    after = settings(NAMED["frequency-weight"], NAMED["frequency-weight"].fixed)
    assert after.loss.weighting_after_reduction == 5
    assert all(getattr(term, "frequency", None) is None for term in after.loss.terms)
    (before,) = settings(NAMED["per-bin-weight"], NAMED["per-bin-weight"].fixed).loss.terms
    assert isinstance(before, L2)
    assert (before.frequency, before.frequency_top) == ("linear", 5)


def test_l1_from_0_1_to_0_5():
    weights = [
        next(term.weight for term in settings(NAMED["l1-weight"], side).loss.terms if isinstance(term, L1))
        for side in NAMED["l1-weight"].sides.values()
    ]
    assert weights == [0.1, 0.5]


def test_all_best_is_the_preset_in_its_own_contract():
    ours, best = settings(NAMED["all-best"], NAMED["all-best"].fixed), preset("best")
    assert (ours.target, ours.cell, ours.loss) == (best.target, best.cell, best.loss)


@pytest.mark.parametrize("name", ["all-best", "circular-padding"])
def test_quick_is_a_smaller_grid_of_the_same_mel(name):
    fix = NAMED[name]
    whole, quick = settings(fix, fix.fixed), settings(fix, fix.fixed, quick=True)
    assert quick.target.mel.grid == msgspec.structs.replace(whole.target.mel.grid, bands=20)
    assert quick.target.mel.levels == whole.target.mel.levels
    assert quick.growth.steps == (16, 16)
    assert (quick.cell, quick.loss) == (whole.cell, whole.loss)


def test_what_is_laid_over_comes_last():
    fix = NAMED["unmasked-loss"]
    config = settings(fix, fix.fixed, quick=True, over={"epochs": 3, "seed": 7, "growth": {"steps": [2, 2]}})
    assert (config.epochs, config.seed, config.growth.steps) == (3, 7, (2, 2))


def test_only_some_in_the_catalogues_order_and_no_other_name():
    assert [fix.name for fix in fixes(("phase", "db-power"))] == ["db-power", "phase"]
    with pytest.raises(InputError, match="--only flux: no such fix; the fixes are: db-power, log-magnitude"):
        fixes(("db-power", "flux"))
    with pytest.raises(InputError, match=r"--only dbpower,Phase: no such fix; did you mean db-power, phase\?"):
        fixes(("dbpower", "Phase"))
