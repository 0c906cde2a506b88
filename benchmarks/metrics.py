"""All reference-free metrics on 60 s of 44,100 Hz audio, warm, one thread, against librosa with one shared STFT.

make bench        or        python -m pytest benchmarks/metrics.py --benchmark-enable -m '' -s
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = os.environ["NUMBA_NUM_THREADS"] = "1"

import numpy as np
import pytest
from interleaved import ratio, rounds, table
from librosa_metrics import librosa_metrics

import diagnose
from diagnose import example

RATE, SECONDS, ROUNDS = 44_100, 60, 7
LEAST_FASTER = 2.5
AGREEMENT = 1e-4
SHARED = ("spectral_centroid_hz", "spectral_bandwidth_hz", "rolloff85_hz", "rolloff95_hz", "spectral_flatness")


@pytest.fixture(scope="module")
def minute() -> np.ndarray:
    """A minute of notes a third apart over a little noise, so that no frame is silent and none like another."""
    rng = np.random.default_rng(7)
    notes = [example.bowed_string(196 * 2 ** (k % 12 / 12), 1.5, RATE, rng).mono for k in range(SECONDS * 2 // 3)]
    sound = np.concatenate(notes)[: RATE * SECONDS]
    return (sound + 0.002 * rng.standard_normal(sound.size)).astype(np.float32)


@pytest.mark.slow
def test_metrics_are_faster_than_librosa_and_agree(minute, benchmark):
    contenders = {
        "diagnose.measure": lambda: diagnose.measure(minute, rate=RATE),
        "librosa": lambda: librosa_metrics(minute, RATE),
    }
    seconds = rounds(contenders, ROUNDS)
    faster = ratio(seconds, "librosa", "diagnose.measure")
    print(
        table(seconds),
        f"\n{faster:.2f} times faster; {SECONDS / np.median(seconds['diagnose.measure']):.0f} times real time",
    )
    ours, theirs = diagnose.measure(minute, rate=RATE), librosa_metrics(minute, RATE)
    for name in SHARED:
        assert ours[name].value == pytest.approx(theirs[name], rel=AGREEMENT), name
    assert ours["rms_ratio"].value == pytest.approx(theirs["rms"], rel=AGREEMENT)
    benchmark.extra_info.update(faster=faster)
    benchmark.pedantic(contenders["diagnose.measure"], rounds=3)
    assert faster >= LEAST_FASTER
