"""Did it come true?  Figures whose verdict can be told by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tnca.fixes.catalogue import Prediction
from tnca.fixes.verdict import decide, goodness, uncertainty

LOWER = Prediction("mel_error_db", "lower", 1.0)
TO_ONE = Prediction("rms_ratio", "to one", 6.0)

CASES = [
    (LOWER, [5, 5.2, 4.8], [3, 3.1, 2.9], "came true", 2.0),
    (LOWER, [5, 5, 5], [4, 3, 2], "came true", 2.0),  # 2 ± 1.7
    (LOWER, [5, 5, 5], [4.5, 3, 1.5], "no effect", 2.0),  # 2 ± 2.5
    (LOWER, [5] * 9, [4.5, 3, 1.5] * 3, "came true", 2.0),  # nine know more
    (LOWER, [3, 3, 3], [5, 5, 5], "made it worse", -2.0),
    (LOWER, [3, 3, 3], [2.1, 2.1, 2.1], "no effect", 0.9),  # less than was claimed
    (LOWER, [3, 3, 3], [3.9, 3.9, 3.9], "no effect", -0.9),
    (LOWER, [5, 5, 5], [1, 5, 5], "no effect", 4 / 3),  # one seed's luck
    (LOWER, [1, 5, 9], [0, 4, 8], "came true", 1.0),  # seed against itself: every one by 1
    (Prediction("x", "higher", 1.0), [1], [3], "came true", 2.0),
    (TO_ONE, [4.0], [1.0], "came true", 20 * math.log10(4)),
    (TO_ONE, [0.25], [1.0], "came true", 20 * math.log10(4)),
    (TO_ONE, [4.0], [0.25], "no effect", 0.0),  # as far off on the other side
    (TO_ONE, [1.0], [0.25], "made it worse", -20 * math.log10(4)),
]


@pytest.mark.parametrize(("prediction", "broken", "fixed", "word", "change"), CASES)
def test_words(prediction, broken, fixed, word, change):
    found = decide(prediction, broken, fixed)
    assert found.word == word
    assert found.change == pytest.approx(change)
    assert found.broken == pytest.approx(sum(broken) / len(broken))
    assert found.fixed == pytest.approx(sum(fixed) / len(fixed))


def test_the_spread_is_that_of_the_improvement_seed_by_seed():
    assert decide(LOWER, [1, 5, 9], [0, 4, 8]).spread == 0
    assert decide(LOWER, [4, 4, 4], [3, 2, 1]).spread == pytest.approx(1.0)  # of 1, 2, 3
    assert decide(TO_ONE, [2.0], [1.0]).spread == 0


def test_students_t_is_the_tables():
    from scipy import stats

    for count in (2, 3, 4, 10, 11, 20, 100):
        expected = stats.t.ppf(0.95, count - 1) / math.sqrt(count)
        assert uncertainty(1.0, count) == pytest.approx(expected, rel=0.005)
    assert uncertainty(1.0, 1) == 0


def test_it_says_the_figure_that_decides():
    assert decide(LOWER, [5, 5], [3, 2]).says == "2.5 dB better ± 3.2, at least 1 required; use more seeds"
    assert decide(LOWER, [5, 5, 5], [3, 3, 3]).says == "2 dB better ± 0, at least 1 required"
    assert decide(Prediction("share", "lower", 0.5), [1.0], [1.0]).says == "no change ± 0, at least 0.5 required"
    assert decide(TO_ONE, [1.0], [10.0]).says == "20 dB worse ± 0, at least 6 required"


@pytest.mark.parametrize(
    ("broken", "fixed", "word"),
    [
        ([2.0, None], [None, 1.0], "no effect"),
        ([2.0, None], [1.0, 1.0], "came true"),
        ([2.0, 2.0], [1.0, None], "made it worse"),
    ],
)
def test_a_side_that_has_no_figure_has_lost(broken, fixed, word):
    found = decide(TO_ONE, broken, fixed)
    assert (found.word, found.change, found.broken, found.fixed) == (word, None, None, None)
    lacking = (broken.count(None), fixed.count(None))
    assert found.says.startswith("rms_ratio not measurable in {} without it, in {} with it".format(*lacking))


def test_silence_is_120_db_from_one():
    assert goodness(0.0, "to one") == pytest.approx(-120)


@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=1, max_size=6),
    st.floats(0.01, 10),
    st.sampled_from(["lower", "higher"]),
)
def test_exchanged_sides_exchange_the_verdict(pairs, amount, direction):
    one, other = ([pair[side] for pair in pairs] for side in (0, 1))
    prediction = Prediction("x", direction, amount)
    there, back = decide(prediction, one, other), decide(prediction, other, one)
    opposite = {"came true": "made it worse", "made it worse": "came true", "no effect": "no effect"}
    assert back.word == opposite[there.word]
    assert back.change == pytest.approx(-there.change, abs=1e-9)
