"""What was lost, inserted and repeated, how the time runs, and whether the content is the same."""

import numpy as np
import pytest
import soxr

from diagnose.analysis import Pair, Signal
from diagnose.audio import Audio
from diagnose.metrics import METRICS, channels, measure_pair

RATE = 16000
SIZE = 4 * RATE


def tune(seed, size=SIZE):
    """Notes of one to three tenths of a second, each of its own pitch and level."""
    rng = np.random.default_rng(seed)
    parts = []
    while sum(part.size for part in parts) < size:
        time = np.arange(round(rng.uniform(0.1, 0.3) * RATE)) / RATE
        note = sum(np.sin(2 * np.pi * rng.uniform(150, 900) * k * time) / k for k in (1, 2, 3))
        parts.append(rng.uniform(0.05, 0.3) * np.sin(np.pi * time / time[-1]) * note)
    return np.concatenate(parts)[:size] + 1e-4 * rng.standard_normal(size)


def measured(reference, generated):
    sides = [Signal(Audio(np.asarray(x, np.float32)[None], RATE)) for x in (reference, generated)]
    return {name: found.value for name, found in measure_pair(Pair(*sides)).items()}


def test_a_copy_has_no_edit_no_drift_and_the_same_content():
    found = measured(tune(1), -0.5 * tune(1))
    assert [found[name] for name in ("lost_s", "inserted_s", "repeated_s", "content_distance")] == [0.0] * 4
    assert (found["tempo_ratio"], found["timing_deviation_ms"], found["clock_drift_ppm"]) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize("length", [0.005, 0.05, 0.3])
def test_parts_are_counted_to_the_millisecond(length):
    sound, at, size = tune(2), 2 * RATE, round(length * RATE)
    lost = measured(sound, np.delete(sound, slice(at, at + size)))
    inserted = measured(sound, np.insert(sound, at, np.zeros(size)))
    repeated = measured(sound, np.insert(sound, at, sound[at - size : at]))
    assert lost["lost_s"] == pytest.approx(length, abs=1e-3)
    assert inserted["inserted_s"] == pytest.approx(length, abs=1e-3)
    assert repeated["repeated_s"] == pytest.approx(length, abs=1e-3)


def test_silence_at_the_ends_is_no_edit():
    sound = tune(3)
    found = measured(sound, np.concatenate([np.zeros(900), sound, np.zeros(2000)]))
    assert (found["inserted_s"], found["lost_s"], found["repeated_s"]) == (0, 0, 0)
    assert found["delay_s"] == 900 / RATE


@pytest.mark.parametrize("ppm", [-300.0, 40.0, 300.0])
def test_two_clocks(ppm):
    sound = tune(4)
    slower = soxr.resample(sound, 1.0, 1.0 + 1e-6 * ppm, quality="VHQ")
    found = measured(sound, slower)
    assert found["clock_drift_ppm"] == pytest.approx(ppm, abs=2)
    assert found["tempo_ratio"] == pytest.approx(1 + 1e-6 * ppm, abs=2e-6)


def test_another_tune_is_another_content_and_nothing_else_is_measured():
    found = measured(tune(5), tune(6))
    assert found.pop("content_distance") > 0.92
    assert set(found.values()) == {None}


def test_a_metric_that_came_later_says_so():
    later = {name for name, metric in METRICS.items() if metric.later}
    assert later == {
        *("lost_s", "inserted_s", "repeated_s", "tempo_ratio", "timing_deviation_ms", "content_distance"),
        *("clock_drift_ppm", "nonfinite_share", "stuck_share"),
        *(metric.name for metric in channels.METRICS),
        *("bad_places", "worst_20ms_residual_db", "worst_dip_db", "worst_burst_db"),
        *("clicks_added", "quiet_excess_db", "folded_db"),
    }
