"""The bars of the ledger: places on a scale of known ends."""

import msgspec
import numpy as np
import pytest

import diagnose
from diagnose.render.waterfall import LOWEST_DB, waterfall

RATE = 16_000


@pytest.fixture(scope="module")
def report():
    rng = np.random.default_rng(3)
    sound = 0.1 * np.convolve(rng.standard_normal(2 * RATE), [1, 0.9, 0.5], "same").astype(np.float32)
    return diagnose.compare(sound, 2 * sound + 0.3, rate=RATE)


def test_first_comes_the_whole_then_each_step_then_what_is_left(report):
    bars = waterfall(report)
    assert [bar.kind for bar in bars] == ["whole", "step", "step", "left"]
    assert {bar.name for bar in bars[1:-1]} == {"gain", "dc-offset"}


def test_a_bar_lies_at_its_decibels(report):
    bars, left = waterfall(report), report.proof.left
    top = max(left.before_db, 0.0, *(cause.explains_db[0] for cause in report.causes if cause.step))
    to_db = lambda place: LOWEST_DB + place / 1000 * (top - LOWEST_DB)  # noqa: E731
    assert to_db(bars[0].width) == pytest.approx(left.before_db, abs=1e-6)
    for cause in report.causes:
        if cause.step:
            bar = bars[cause.step]
            assert to_db(bar.start + bar.width) == pytest.approx(cause.explains_db[0], abs=1e-6)
            assert to_db(bar.start) == pytest.approx(max(cause.explains_db[1], LOWEST_DB), abs=1e-6)


def test_no_bar_leaves_the_scale(report):
    far = msgspec.structs.replace(report.proof.left, db=-200.0)
    bars = waterfall(msgspec.structs.replace(report, proof=msgspec.structs.replace(report.proof, left=far)))
    assert all(bar.start >= 0 and bar.width >= 0 and bar.start + bar.width <= 1000.001 for bar in bars)
    assert bars[-1].width == 0


def test_without_a_proof_there_are_no_bars(report):
    assert waterfall(msgspec.structs.replace(report, proof=None)) == []
