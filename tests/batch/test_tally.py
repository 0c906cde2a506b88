"""The tally against numpy on all the values; and that it stays small."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.batch import tally
from diagnose.batch.tally import ACCURACY, SMALLEST, Sketch, Tally, spread
from diagnose.metrics import METRICS
from diagnose.profile import default_profile
from diagnose.results.batch import BatchRow
from diagnose.results.limit import Limit

PLAIN, RATIO, CORRELATION = METRICS["spectral_centroid_hz"], METRICS["rms_ratio"], METRICS["envelope_correlation"]
VALUES = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60)


def sketched(metric, values):
    sketch = Sketch(metric)
    for value in values:
        sketch.add(value)
    return sketch


def lower(values, share):
    """The quantile without interpolation: the value at the rank, rounded down."""
    return np.quantile(values, share, method="lower")


@given(values=VALUES, share=st.floats(0, 1))
@pytest.mark.parametrize("metric", [PLAIN, CORRELATION], ids=["ideal 0", "ideal 1"])
def test_a_quantile_is_within_2_percent_of_its_distance_from_the_ideal(metric, values, share):
    exact = lower(values, share)
    found = sketched(metric, values).quantile(share)
    assert abs(found - exact) <= ACCURACY * 1.0001 * abs(exact - metric.ideal) + 2 * SMALLEST + 1e-9 * abs(exact)


@given(values=st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=60), share=st.floats(0, 1))
def test_a_ratio_s_quantile_is_so_in_its_logarithm(values, share):
    exact = np.log(lower(values, share))
    found = np.log(sketched(RATIO, values).quantile(share))
    assert abs(found - exact) <= ACCURACY * 1.0001 * abs(exact) + 2e-9


def test_a_silent_sound_s_ratio_of_0_is_counted():
    sketch = sketched(RATIO, [0.0, 0.0, 1.0])
    assert (sketch.low, sketch.quantile(0.0), sketch.quantile(1.0)) == (0.0, 0.0, 1.0)


@given(values=VALUES, low=st.floats(-1e3, 0), span=st.floats(1e-3, 1e4))
def test_a_histogram_holds_every_pair_once(values, low, span):
    bins = sketched(PLAIN, values).histogram(low, low + span)
    assert sum(one.count for one in bins) == pytest.approx(len(values))
    assert min(one.count for one in bins) >= 0


def test_a_histogram_has_the_shape_of_the_values(rng):
    values = rng.normal(300, 40, 20_000)
    edges = np.linspace(150, 450, 13)
    bins = sketched(PLAIN, values.tolist()).histogram(150, 450, 12)
    wanted, _ = np.histogram(np.clip(values, 150, 450), edges)
    assert [one.low for one in bins] == pytest.approx(edges[:-1])
    assert np.abs(np.array([one.count for one in bins]) - wanted).max() < 0.02 * values.size


def test_a_sketch_does_not_grow_with_the_pairs(rng):
    sketch = sketched(PLAIN, (rng.choice([-1, 1], 50_000) * 10 ** rng.uniform(-30, 30, 50_000)).tolist())
    assert sketch.count == 50_000
    assert len(sketch.buckets) <= 2 * (np.log(tally.LARGEST / SMALLEST) / tally.LOG_GAMMA + 2) + 1


def test_what_was_not_measured_is_counted_and_nothing_more():
    found = spread(sketched(PLAIN, [None, None]), None)
    assert (found.count, found.missing, found.median, found.low, found.bins) == (0, 2, None, None, ())


def limit(direction, warn, fail, unit="Hz"):
    return Limit(unit, direction, "a test", warn, fail)


def test_levels_lie_on_the_sides_a_limit_judges():
    both = spread(sketched(PLAIN, [0.0]), limit("both", 10.0, 30.0))
    assert both.levels == (("WARN", 10.0), ("WARN", -10.0), ("FAIL", 30.0), ("FAIL", -30.0))
    assert spread(sketched(PLAIN, [0.0]), limit("higher", 10.0, None)).levels == (("WARN", 10.0),)
    ratio = spread(sketched(RATIO, [1.0]), limit("both", 2.0, None, "ratio"))
    assert ratio.levels == (("WARN", 2.0), ("WARN", 0.5))
    assert (both.limit, both.judged) == ("warn 10 Hz, fail 30 Hz, either way", True)


# Rows


def made(number, verdict="FAIL", severity=1.0, **values):
    changes = () if verdict == "ERROR" else (0.0,) * len(METRICS)
    return BatchRow(
        number, f"p{number}", f"r{number}", f"g{number}", verdict, "rms_ratio", severity, changes=changes, **values
    )


def of(rows):
    found = Tally()
    for row in rows:
        found.add(row)
    by_number = {row.row: row for row in rows}
    return found.overview(default_profile(), lambda numbers: [by_number[n] for n in numbers], {}, "results.csv", ())


def test_the_worst_come_first_fails_before_warnings_and_of_equals_the_first():
    rows = [made(1, "WARN", 5.0), made(2, severity=1.0), made(3, severity=9.0), made(4, severity=1.0), made(5, "PASS")]
    assert [one.row.row for one in of(rows).worst] == [3, 2, 4, 1]


def test_only_so_many_of_the_worst_are_kept(monkeypatch):
    monkeypatch.setattr(tally, "MOST_FAILED", 3)
    found = Tally()
    for number in range(1, 50):
        found.add(made(number, severity=float(number * 7 % 50)))
    assert found.worst_first() == [7, 14, 21]
    assert len(found.worst) == 3


def test_causes_and_verdicts_are_counted():
    rows = [made(1, cause="gain"), made(2, cause="noise"), made(3, cause="noise"), made(4, "PASS")]
    found = of([*rows, made(5, "ERROR", error="g5: no such file")])
    assert found.causes == (("noise", 2), ("gain", 1))
    assert dict(found.verdicts) == {"FAIL": 3, "ERROR": 1, "WARN": 0, "PASS": 1}
    assert (found.pairs, found.verdict, found.left_out) == (5, "FAIL", 3)


def test_errors_that_differ_in_the_file_alone_are_one_group():
    rows = [made(n, "ERROR", error=f"g{n}: no such file") for n in range(1, 6)]
    (group, other) = of([*rows, made(6, "ERROR", error="r6: is silent")]).errors
    assert (group.text, group.count) == ("…: no such file", 5)
    assert group.examples == ("row 1, p1", "row 2, p2", "row 3, p3")
    assert (other.text, other.count) == ("…: is silent", 1)


def test_errors_without_end_are_groups_with_an_end():
    found = of([made(n, "ERROR", error=f"fault number {n * n}") for n in range(1, 200)])
    assert len(found.errors) == tally.MOST_ERRORS + 1
    assert sum(group.count for group in found.errors) == 199
    assert found.errors[-1].text == tally.OTHER
