"""Which of equal readings people would rather have made, and which readings count as the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace

from diagnose.audio import Audio
from diagnose.mel.candidate import Candidate
from diagnose.mel.contract import ValueScale
from diagnose.mel.fit import Fit, Reading, Sound
from diagnose.mel.ranking import differing, evidence, near, preference, settled
from diagnose.spectrogram import MelGrid

RATE = 22050
GRID = MelGrid(RATE, 1024, 256, 80, 0.0, 8000.0, "slaney", "slaney", "centre")
LN = ValueScale("ln-magnitude", clip=1e-5)
DB = ValueScale("normalised", of="magnitude-db", low=-80.0, high=0.0)
SOUND = Sound(Audio(np.zeros((1, RATE), np.float32), RATE))  # one second


def reading(levels=LN, pooled="magnitude", **grid):
    return Candidate(levels, pooled, 80, replace(GRID, **grid))


def fit(misfit, residual_db=0.0):
    return Fit(Reading(GRID, "magnitude"), 1.0, 0.0, misfit, residual_db)


def odds(candidate, more=0, known=False):
    """preference() for an array of as many frames as the candidate makes of a second, and so many more."""
    grid = candidate.grid
    return preference(candidate, SOUND, 1 + grid.rate // grid.hop + more, known)


@pytest.mark.parametrize(
    ("candidate", "gained"),
    [
        (reading(replace(LN, reference=2.0)), -3.0),
        (reading(DB), -3.0),
        (reading(rate=20_000), -2.7),  # neither the sound's rate nor a common one
        (reading(rate=24_000), -5.0),  # a rate above the sound's own
        (reading(rate=16_000), -2.0 + 0.8),  # fmax is half the rate, and a round number as well
        (reading(rate=24_000, fmax=12_000.0), -5.0 + 0.8),
        (reading(fmax=11_025.0), 4.0),  # half of the rate, and nothing else
        (reading(fmax=7500.0), 0.0),
        (reading(fmax=7777.0), -2.0),
        (reading(fmin=33.0), -2.0),
        (reading(fmin=80.0), 0.0),
        (reading(n_fft=1200), -0.7),  # in use, but no power of two
        (reading(n_fft=16_384), -1.5),  # a power of two that nobody uses
        (reading(n_fft=1000), -2.2),
        (reading(hop=255), -1.5),
        (reading(hop=300), 0.0),
        (reading(pooled="power"), -1.0),
        (reading(replace(LN, name="power-db"), "power"), 0.0),
    ],
)
def test_what_people_do_has_the_better_odds(candidate, gained):
    assert odds(candidate) - odds(reading()) == pytest.approx(gained, abs=1e-9)


def test_the_number_of_frames_and_a_name_count():
    assert [odds(reading(), more) - odds(reading()) for more in (-1, 1)] == pytest.approx([-2.0, -2.0])
    assert odds(reading(), known=True) - odds(reading()) == pytest.approx(1.5)


def test_the_odds_are_those_of_all_traits_together():
    assert odds(reading()) == pytest.approx(3.0 + 2.7 + 4.0 + 2.2 + 1.5 + 2.0 + 1.0)
    odd = reading(replace(LN, reference=2.0), "power", rate=23_000, fmax=7777.0, fmin=33.0, n_fft=1000, hop=255)
    assert odds(odd, more=1) == pytest.approx(-3.0)


@pytest.mark.parametrize(("cells", "odds"), [(40, -1.0), (400, -10.0), (0, 0.0)])
def test_one_cell_in_twenty_tells_a_fit_from_the_best(cells, odds):
    # Twenty independent cells, and the variance e times as large: the log-likelihood is less by half a cell each.
    assert evidence(fit(math.e * 1e-2), fit(1e-2), cells) == pytest.approx(odds, rel=1e-4)


def test_what_a_resampler_leaves_tells_nothing():
    # A misfit of 1e-7 is added to both: 0 and 1e-7 are 1 to 2, 0 and 3e-7 are 1 to 4.
    assert evidence(fit(1e-7), fit(0.0), 40) == pytest.approx(-math.log(2))
    assert evidence(fit(3e-7), fit(0.0), 40) == pytest.approx(-math.log(4))
    assert evidence(fit(0.0), fit(0.0), 40) == 0


@pytest.mark.parametrize(("best_db", "most_db"), [(0.0, 0.002), (0.1, 0.117), (2.0, 2.302)])
def test_near_is_within_15_percent_and_2_thousandths_of_a_db(best_db, most_db):
    fits = [fit(0.0, best_db), fit(0.0, most_db - 1e-4), fit(0.0, most_db + 1e-4)]
    assert near(fits) == fits[:2]


def test_the_last_that_is_near_and_the_first_that_is_not():
    assert len(near([fit(0.0, 0.0), fit(0.0, 0.002)])) == 2
    one = reading(rate=20_480, fmin=50.0)  # bins of 20 Hz
    assert differing(one, replace(one, grid=replace(one.grid, fmin=52.0))) == ("fmin_hz",)


@pytest.mark.parametrize("field", ["fmin", "fmax"])
@pytest.mark.parametrize(("n_fft", "hz"), [(1024, 2.153), (2048, 1.077)])  # a tenth of 22,050 / n_fft
def test_an_edge_is_the_same_within_a_tenth_of_a_bin(field, n_fft, hz):
    one = reading(n_fft=n_fft, fmin=50.0)
    for sign in (-1, 1):
        near, far = (
            replace(one.grid, **{field: getattr(one.grid, field) + sign * by}) for by in (hz - 0.05, hz + 0.05)
        )
        assert differing(one, replace(one, grid=near)) == ()
        assert differing(one, replace(one, grid=far)) == (f"{field}_hz",)


@pytest.mark.parametrize("field", ["clip", "reference"])
def test_a_level_is_the_same_within_2_percent(field):
    one = reading(replace(LN, clip=1.0, reference=1.0))
    for by, names in [(1.019, ()), (1.022, (field,)), (0.981, ()), (0.979, (field,))]:
        other = reading(replace(one.levels, **{field: by}))
        assert differing(one, other) == names
        assert differing(other, one) == names


@pytest.mark.parametrize(
    ("one", "other", "names"),
    [
        (reading(), reading(), ()),
        (reading(), reading(replace(LN, clip=None)), ("clip",)),
        (reading(replace(LN, clip=None)), reading(), ("clip",)),
        (reading(), reading(replace(LN, reference="max")), ("reference",)),
        (reading(replace(LN, reference="max")), reading(), ("reference",)),
        (reading(replace(LN, reference="max")), reading(replace(LN, reference="max")), ()),
        (reading(), reading(pooled="power", hop=300), ("hop", "pooled")),
        (reading(), reading(rate=22_051), ("rate_hz",)),  # a number that is no level and no edge is itself alone
        (reading(replace(LN, top_db=80.0)), reading(replace(LN, top_db=80.5)), ("top_db",)),
        (reading(DB), reading(replace(DB, low=-100.0)), ()),  # the range in dB follows from the slope
        (reading(DB), reading(replace(DB, bottom=-1.0)), ("range",)),
    ],
)
def test_readings_differ_in_the_fields_that_differ(one, other, names):
    assert differing(one, other) == names


def test_the_best_comes_first_with_its_share_of_the_odds():
    found, said = settled([(reading(hop=300), 5.0), (reading(), 5.0 + math.log(3) + 2), (reading(hop=320), 5.0 + 2)])
    assert [one.grid.hop for one in found] == [256, 320, 300]
    parts = np.array([3 * math.e**2, math.e**2, 1.0])
    assert [one.probability for one in found] == pytest.approx(parts / parts.sum())
    assert (said, found[0].unknown) == ([], frozenset())


@pytest.mark.parametrize(("behind", "unknown"), [(0.0, {"hop"}), (0.99, {"hop"}), (1.0, set()), (1.01, set())])
def test_what_is_nearly_as_likely_is_unknown_and_told(behind, unknown):
    found, said = settled([(reading(), 3.0), (reading(hop=300), 3.0 - behind)])
    assert found[0].unknown == unknown
    assert found[1].unknown == set()
    assert found[0].fields()["hop"] == (None if unknown else 256)
    assert said == (["cannot distinguish hop 256 from hop 300"] if unknown else [])


def test_the_same_reading_twice_is_one_and_has_its_odds_alone():
    found, said = settled(
        [(reading(), 1.0), (reading(fmin=1.0), 1.0), (reading(hop=300), -1.0), (reading(hop=300), -2)]
    )
    assert [one.grid.hop for one in found] == [256, 300]
    total = 2 + math.exp(-2) + math.exp(-3)
    assert [one.probability for one in found] == pytest.approx([1 / total, math.exp(-2) / total])
    assert said == []


def test_at_most_three_doubts_are_told_each_once_and_every_one_is_unknown():
    others = [reading(hop=300), reading(hop=320), reading(fmin=20.5), reading(norm="none"), reading(pooled="power")]
    found, said = settled([(reading(), 1.0), *((one, 1.0 - 0.1 * i) for i, one in enumerate(others, 1))])
    assert len(found) == 6
    assert said == [
        "cannot distinguish hop 256 from hop 300",
        "cannot distinguish fmin_hz 0 from fmin_hz 20.5",
        "cannot distinguish norm slaney from norm none",
    ]
    assert found[0].unknown == {"hop", "fmin_hz", "norm", "pooled"}


def test_the_forty_likeliest_are_looked_at():
    found, _ = settled([(reading(hop=100 + n), -10.0 * n) for n in range(45)])
    assert [one.grid.hop for one in found] == list(range(100, 140))
