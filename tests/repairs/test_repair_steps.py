"""One step of a chain, undone on a whole sound: at its rate, where the step's places lie."""

from __future__ import annotations

import numpy as np

from diagnose.explain import Fitted
from diagnose.repairs import steps
from diagnose.timeline import Piece

RATE = 16_000
RNG = np.random.default_rng(0)


def test_a_step_of_samples_reaches_all_of_them_whatever_was_laid():
    gain = Fitted("gain", lambda x: 2 * x, 1, undo=lambda x: x / 2)
    sound = RNG.standard_normal(1000)
    assert np.array_equal(steps.undone(gain, sound, [Piece(0, 0, 100, 50)], RATE, 48_000), sound / 2)


def test_a_step_with_places_is_undone_on_the_pieces_alone():
    spikes = np.zeros(300)
    spikes[[10, 250]] = 1.0
    clicks = Fitted("clicks", lambda x: x + spikes, 4, undo=lambda x: x - spikes)
    sound = RNG.standard_normal(1000)
    pieces = [Piece(0, 0, 100, 200), Piece(200, 200, 600, 100)]
    change = steps.undone(clicks, sound, pieces, RATE, RATE) - sound
    assert np.flatnonzero(np.abs(change) > 1e-12).tolist() == [110, 650]


def test_at_a_higher_rate_what_lies_above_the_comparison_stays():
    time = np.arange(48_000) / 48_000
    low, high = np.sin(2 * np.pi * 500 * time), np.sin(2 * np.pi * 15_000 * time)
    tone = np.sin(2 * np.pi * 500 * np.arange(16_000) / 16_000)
    hum = Fitted("tonal", lambda x: x + tone, 3, undo=lambda x: x - tone)
    made = steps.undone(hum, low + high, [Piece(0, 0, 0, 16_000)], 16_000, 48_000)
    middle = slice(4000, -4000)
    assert np.abs(made - high)[middle].max() < 1e-3


def test_what_is_gone_is_not_undone():
    same = {"apply": np.copy, "charged": 1, "undo": np.copy}
    assert not steps.can_be_undone(Fitted("quantisation", **same))
    assert not steps.can_be_undone(Fitted("noise", np.copy, 1, undo=np.copy, variance=np.ones((1, 3))))
    assert not steps.can_be_undone(Fitted("noise", np.copy, 1))
    assert steps.can_be_undone(Fitted("gain", **same))


def test_of_a_flat_limit_only_a_gain_is_undone():
    def limit(gain_db):
        return Fitted("clipping", np.copy, 3, {"high": (1.0, ""), "gain": (gain_db, "dB")}, undo=np.copy)

    assert steps.can_be_undone(limit(0.2))
    assert not steps.can_be_undone(limit(0.05))
    assert steps.is_flat_limit(limit(0.2))
    assert not steps.is_flat_limit(Fitted("clipping", np.copy, 3, {"gain": (1.0, "dB")}, undo=np.copy))
