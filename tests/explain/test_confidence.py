"""The table of confidences: each of its numbers, what holds between them, and what pairs say of them."""

import math

import numpy as np
import pytest

from diagnose.analysis import Pair, Signal
from diagnose.audio import from_array
from diagnose.explain import with_proof
from diagnose.explain.confidence import BELIEFS, Basis, believed
from diagnose.results.cause import Cause

SURE = 0.8
RATE = 16_000
# (what is believed where nobody recognised it, and where it was recognised with 1)
EXPECTED = {
    Basis.WHOLE: (0.97, 1.0),
    Basis.NEARLY: (0.93, 1.0),
    Basis.SPARE: (0.7, 1.0),
    Basis.SLIGHT: (0.75, 0.75),
    Basis.MOST: (0.7, 0.75),
    Basis.FLEXIBLE: (0.6, 0.75),
    Basis.PART: (0.35, 0.75),
    Basis.STRANGER: (0.75, 0.75),
    Basis.RECOGNISED: (0.0, 1.0),
    Basis.EDIT: (0.0, 0.6),
    Basis.UNPROVEN: (0.0, 0.75),
    Basis.UNCONFIRMED: (0.0, 0.45),
    Basis.BESIDE: (0.0, 0.3),
    Basis.PHASES: (0.0, 0.3),
    Basis.PHASES_BESIDE: (0.0, 0.25),
    Basis.LEVELS_WHOLE: (0.95, 0.95),
    Basis.LEVELS_NEARLY: (0.85, 0.85),
    Basis.LEVELS_MOST: (0.6, 0.6),
    Basis.LEVELS_BESIDE: (0.0, 0.45),
    Basis.LEVELS_UNCONFIRMED: (0.0, 0.6),
    Basis.NO_COPY: (0.0, 1.0),
    Basis.NOTHING_ALIKE: (0.0, 0.75),
    Basis.FILLED: (0.0, 0.5),
    Basis.CELLS: (0.0, 0.7),
}
STEPS = (Basis.WHOLE, Basis.NEARLY, Basis.SPARE, Basis.MOST, Basis.FLEXIBLE, Basis.PART)
BESIDE = (Basis.UNPROVEN, Basis.EDIT, Basis.UNCONFIRMED, Basis.BESIDE, Basis.PHASES_BESIDE)
IN_LEVELS = {Basis.LEVELS_WHOLE, Basis.LEVELS_NEARLY}
MAY_BE_SURE = {Basis.WHOLE, Basis.NEARLY, Basis.SPARE, Basis.RECOGNISED, Basis.NO_COPY, *IN_LEVELS}
FEW = 10  # pairs: of fewer a share says nothing


@pytest.mark.parametrize("basis", Basis)
def test_each_kind_has_its_two_numbers(basis):
    assert (believed(basis), believed(basis, 1.0)) == EXPECTED[basis]
    low, high = EXPECTED[basis]
    for recognised in np.linspace(0, 1, 21):
        assert believed(basis, recognised) == min(max(recognised, low), high)


def test_a_better_proof_is_believed_more():
    least = [BELIEFS[basis].least for basis in STEPS]
    assert least == sorted(least, reverse=True)
    most = [BELIEFS[basis].most for basis in BESIDE]
    assert most == sorted(most, reverse=True)


def test_what_is_not_proven_in_a_copy_is_never_sure():
    assert {basis for basis in Basis if BELIEFS[basis].most >= SURE} == MAY_BE_SURE
    assert {basis for basis in Basis if BELIEFS[basis].least >= SURE} == {Basis.WHOLE, Basis.NEARLY, *IN_LEVELS}


def within(right, pairs):
    """Wilson's interval of a share at two standard deviations."""
    share, z = right / pairs, 2.0
    middle = (share + z**2 / (2 * pairs)) / (1 + z**2 / pairs)
    half = z * math.sqrt(share * (1 - share) / pairs + z**2 / (4 * pairs**2)) / (1 + z**2 / pairs)
    return middle - half, middle + half


# A step that explains a part was right in 2 of 8 pairs in which it was not the first cause: its number is theirs, too.
ASKED = [basis for basis in Basis if BELIEFS[basis].with_it[1] >= FEW and basis is not Basis.PART]


@pytest.mark.parametrize("basis", ASKED)
def test_a_number_lies_between_what_was_right_with_the_cause_and_without_it(basis):
    """Of the numbers that are fixed: those of a step, and a cap under what is sure."""
    belief = BELIEFS[basis]
    number = belief.least or belief.most
    (right, pairs), (right_without, pairs_without) = belief.with_it, belief.without_it
    lowest = within(right + right_without, pairs + pairs_without)[0]
    assert lowest <= number <= max(within(right, pairs)[1], belief.least) or number == 1.0


def test_a_kind_that_was_never_right_is_never_sure():
    """Of the kinds with pairs enough, asked with the cause or without it."""
    right, pairs = (
        {basis: BELIEFS[basis].with_it[place] + BELIEFS[basis].without_it[place] for basis in Basis} for place in (0, 1)
    )
    never = [basis for basis in Basis if pairs[basis] >= FEW and not right[basis]]
    assert never
    assert all(BELIEFS[basis].most < SURE for basis in never)


def test_every_kind_has_a_name_of_its_own():
    assert len({basis.value for basis in Basis}) == len(Basis) == len(BELIEFS)


# Pairs whose kind of evidence is known


def believed_of(ours, theirs, *ids, rate=RATE, confidence=0.99):
    sides = [from_array(np.float32(side), rate, mend=True) for side in (ours, theirs)]
    causes, *_ = with_proof(Pair(*map(Signal, sides)), [Cause(one, confidence, one, (), "look there") for one in ids])
    return {cause.id: (cause.confidence, cause.basis) for cause in causes}


def as_said(basis, recognised=0.99):
    return believed(basis, recognised), basis.value


def test_another_content_is_what_remains_and_not_sure(sound, rng):
    other = 0.1 * rng.standard_normal(sound.size)
    found = believed_of(sound, other, "different-content", "dropout", "time-stretch")
    assert found == {
        "different-content": as_said(Basis.NOTHING_ALIKE),
        "dropout": as_said(Basis.CELLS),
        "time-stretch": as_said(Basis.NO_COPY),
    }


def test_what_is_said_of_filled_samples_is_not_sure_where_nobody_says_that_they_were(sound):
    broken = sound.copy()
    broken[8000:12_000] = np.nan
    assert believed_of(sound, broken, "dropout") == {"dropout": as_said(Basis.FILLED)}
    both = believed_of(sound, broken, "non-finite", "tilt")
    assert {basis for _, basis in both.values()} == {Basis.NO_COPY.value}


@pytest.mark.parametrize("id", ["delay", "truncated", "padded", "tail-added"])
def test_an_edit_at_a_border_explains_nothing_inside(sound, rng, id):  # noqa: A002
    """The sound swells by noise that follows it: no chain has that, and it is loud."""
    swell = np.linspace(0, 1, sound.size) ** 4
    off = sound * (1 + 2 * swell * rng.standard_normal(sound.size))
    assert believed_of(sound, off, id) == {id: as_said(Basis.EDIT)}
    assert believed_of(sound, sound, id) == {id: as_said(Basis.RECOGNISED)}
