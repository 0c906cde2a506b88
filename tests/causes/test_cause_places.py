"""Causes at single places: each named for its own fault; periods of known length, and none where places are random."""

from __future__ import annotations

import numpy as np
import pytest

import diagnose
from diagnose.causes import places
from diagnose.causes.local import period_of
from diagnose.explain.confidence import BELIEFS, Basis

RATE = 22_050


@pytest.fixture(scope="module")
def long(melody):
    """The melody four times, 8.2 s."""
    return np.concatenate([melody.mono * level for level in (1.0, 0.6, 0.9, 0.7)])


def first(ours, theirs, rate=RATE):
    return diagnose.compare(ours, np.asarray(theirs, np.float32), rate=rate).causes[0]


def with_seams(long, chunk):
    """5 ms after each chunk are nearly gone."""
    made = long.copy()
    for start in range(chunk, long.size - 400, chunk):
        made[start : start + 110] *= np.linspace(0, 0.3, 110)
    return made


@pytest.mark.slow  # three faults in 30 s are looked for
def test_seams_are_named_with_their_period_and_the_usual_chunk(long):
    found = first(long, with_seams(long, 8192))
    assert found.id == "chunk-seams"
    assert "8192 samples" in found.summary or "8191 samples" in found.summary or "8193 samples" in found.summary
    assert any("8192 samples" in line for line in found.evidence)
    assert found.confidence >= BELIEFS[Basis.UNPROVEN].most


@pytest.mark.slow
def test_seams_that_a_chain_proves_are_no_less_sure(long):
    assert first(long, with_seams(long, 8192)).confidence > 0.8


def test_holes_at_random_times_are_a_dropout(long):
    made = long.copy()
    for at in (0.31, 1.13, 3.01, 4.93, 6.17, 7.02):
        made[round(at * RATE) : round(at * RATE) + 110] = 0
    found = first(long, made)
    assert found.id == "dropout"
    assert "6 holes" in found.summary
    assert any("0.310" in line for line in found.evidence)


def test_a_few_clicks_are_clicks(long, rng):
    made = long + 0.01 * long.std() * rng.standard_normal(long.size)
    made[[9000, 61_234, 150_001]] += 0.5
    found = first(long, made)
    assert found.id == "clicks"
    assert "3 clicks" in found.summary


def test_a_wrong_stretch_is_a_segment_replaced(long):
    made, width = long.copy(), round(0.03 * RATE)
    made[70_000 : 70_000 + width] = long[110_000 : 110_000 + width]
    found = first(long, made)
    assert found.id == "segment-replaced"
    assert "30 ms" in found.summary or "28 ms" in found.summary or "27 ms" in found.summary or "29 ms" in found.summary
    assert f"{70_000 / RATE:.2f}" in found.evidence[0]


@pytest.mark.xfail(strict=True, reason="noise explains what is folded, and refutes it: explain/proof.py, _is_sure")
def test_every_second_sample_is_aliasing(melody, rng):
    bright = melody.mono + 0.02 * np.diff(rng.standard_normal(melody.mono.size + 1)).astype(np.float32)
    report = diagnose.compare(
        diagnose.Audio(bright[None], RATE), diagnose.Audio(np.ascontiguousarray(bright[None, ::2]), RATE // 2)
    )
    assert report.causes[0].id == "aliasing"


def test_a_copy_has_none_of_them(evidence, melody):
    found = evidence(melody, melody)
    assert places.locally(found) == 0.0
    assert places.chunk_seams(found) is None
    assert places.segment_replaced(found) is None
    assert places.aliasing(found) is None


@pytest.mark.parametrize("period", [0.08, 0.16, 0.37, 1.0])
@pytest.mark.parametrize("kept", [4, 7, 20])
def test_a_period_is_found_with_places_missing(rng, period, kept):
    multiples = np.sort(rng.choice(np.arange(round(1.4 * kept)), kept, replace=False))
    times = 0.3 + period * multiples + rng.uniform(-0.0005, 0.0005, kept)
    found = period_of(times)
    if kept > 4:  # four may have a longer period in common, or fit one by chance
        assert found / period == pytest.approx(round(found / period), rel=0.01)
        assert found >= 0.99 * period


@pytest.mark.parametrize("count", [3, 4, 6, 12, 30])
def test_random_places_have_no_period(rng, count):
    false = [period_of(np.sort(rng.uniform(0, 20, count))) is not None for _ in range(60)]
    assert sum(false) <= 1


def test_jittered_places_have_no_period(rng):
    times = 0.2 * (np.arange(20) + rng.uniform(0.2, 0.8, 20))
    assert period_of(times) is None


@pytest.mark.parametrize(
    ("period", "samples", "said"),
    [(0.16, 2560, "160 ms"), (0.3715, 8192, "8192 samples"), (0.02, 441, "20 ms"), (0.1234, 2721, None)],
)
def test_the_nearest_usual_chunk(period, samples, said):
    assert places._usual_chunk(period, samples) == said
