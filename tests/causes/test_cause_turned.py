"""Axes of the mel exchanged: pictures that were turned are told, and others are not."""

import numpy as np
import pytest

import diagnose
from diagnose.audio import Audio
from diagnose.causes import turned
from diagnose.causes.turned import BLOCKS, FEWEST_BLOCKS, _picture, _pictures, _r
from diagnose.injectors import mel

RATE = 22_050


def spoken(change):
    """A sentence-like sound, and what a vocoder makes of its mel once it is changed."""
    sound = sentence(0)
    values = change(np.log(mel.magnitudes(sound)))
    return sound, mel.spoken(values, values.shape[1] * 256, np.random.default_rng(0))


def sentence(seed):
    """Four seconds of syllables, each with its own pitch and colour, and pauses between."""
    rng, parts = np.random.default_rng(seed), []
    for _ in range(14):
        size = int(rng.uniform(0.15, 0.35) * RATE)
        time, f0 = np.arange(size) / RATE, rng.uniform(120, 300)
        colour = rng.uniform(400, 2500)
        tone = sum(np.sin(2 * np.pi * k * f0 * time) / (1 + ((k * f0 - colour) / 400) ** 2) for k in range(1, 20))
        parts += [np.hanning(size) * tone, np.zeros(int(rng.uniform(0.02, 0.1) * RATE))]
    samples = np.concatenate(parts)
    return Audio(np.float32(0.5 * samples / np.abs(samples).max())[None], RATE, "sentence")


def blockwise(values):
    whole = values[:, : values.shape[1] // 80 * 80]
    return np.concatenate([whole[:, start : start + 80].T for start in range(0, whole.shape[1], 80)], axis=1)


def stretched(values):
    bands, frames = values.shape
    rows = np.stack([np.interp(np.linspace(0, frames - 1, bands), np.arange(frames), row) for row in values])
    return np.stack([np.interp(np.linspace(0, bands - 1, frames), np.arange(bands), row) for row in rows.T])


@pytest.mark.parametrize(
    ("change", "said"),
    [(lambda v: v[::-1], "upside down"), (blockwise, "in blocks of 80 frames"), (stretched, "are exchanged")],
    ids=["flipped", "in blocks", "stretched"],
)
def test_a_turned_mel_is_told(change, said):
    found = diagnose.compare(*spoken(change)).causes[0]
    assert found.id == "axes-exchanged"
    assert found.confidence >= 0.8
    assert said in found.summary
    assert "mel.T" in found.fix


@pytest.mark.parametrize("seed", range(1, 7))
def test_another_sentence_is_not_turned(seed):
    causes = diagnose.compare(sentence(0), sentence(seed)).causes
    assert all(cause.id != "axes-exchanged" for cause in causes)


def test_a_right_mel_is_not_turned():
    assert all(cause.id != "axes-exchanged" for cause in diagnose.compare(*spoken(lambda v: v)).causes)


def test_a_picture_is_means_of_the_levels():
    levels = np.arange(128 * 192, dtype=float).reshape(128, 192)
    made = _picture(levels)
    assert made.shape == (64, 64)
    assert made == pytest.approx(levels.reshape(64, 2, 64, 3).mean(axis=(1, 3)))
    assert _picture(np.ones((10, 7))) == pytest.approx(np.ones((64, 64)))


def test_r_is_pearsons():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 64, 64))
    assert _r(one, other) == pytest.approx(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.parametrize(("blocks", "asked"), [(FEWEST_BLOCKS - 1, False), (FEWEST_BLOCKS, True)])
def test_few_blocks_are_not_asked(blocks, asked):
    levels = np.random.default_rng(0).normal(size=(max(BLOCKS) * blocks, 80))
    ways = [how for how, *_ in _pictures(levels, levels)]
    assert any(f"{max(BLOCKS)} frames" in how for how in ways) is asked
    assert FEWEST_BLOCKS == 3


@pytest.mark.parametrize(
    ("as_it_is", "r", "confident"),
    [(0.0, 0.60, True), (0.0, 0.40, False), (0.50, 0.60, False), (0.29, 0.60, True)],
)
def test_it_has_to_fit_and_to_fit_better_than_as_it_is(monkeypatch, as_it_is, r, confident):
    monkeypatch.setattr(turned, "turns", lambda *of: (as_it_is, turned.Turned("turned", r)))
    monkeypatch.setattr(turned, "ramp", turned.ramp)
    evidence = type(
        "Drawn",
        (),
        {"copied": 0.0, "brief": False, "silent": False, "change": lambda *of: 0.0, "pair": diagnose_pair()},
    )()
    found = turned.axes_exchanged(evidence)
    assert (found is not None and found.confidence > 0.8) is confident


@pytest.mark.parametrize("field", [{"copied": 0.4}, {"brief": True}, {"silent": True}, {"change": lambda *of: 0.2}])
def test_copies_short_sounds_and_hums_are_not_asked(monkeypatch, field):
    monkeypatch.setattr(turned, "turns", lambda *of: (0.0, turned.Turned("turned", 0.9)))
    fields = {"copied": 0.2, "brief": False, "silent": False, "change": lambda *of: 0.05, "pair": diagnose_pair()}
    assert turned.axes_exchanged(type("Drawn", (), fields)()) is not None
    assert turned.axes_exchanged(type("Drawn", (), fields | field)()) is None


def diagnose_pair():
    """A pair of which nothing is asked here."""
    sound = type("Sound", (), {"stft": None})()
    return type("Two", (), {"reference": sound, "generated": sound, "rate": RATE})()
