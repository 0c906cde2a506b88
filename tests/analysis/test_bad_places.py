"""Bad places: clicks, holes and wrong stretches at known times, alone, in noise and beside what a codec leaves."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose import example
from diagnose.analysis import Pair, Signal, places
from diagnose.audio import Audio

RATE = 22_050
SECONDS = 6.0


@pytest.fixture(scope="module")
def melody():
    """Twelve bowed notes of half a second, in steps."""
    notes = [example.bowed_string(196.0 * 2 ** (step / 12), 0.5, RATE).mono for step in (0, 4, 7, 12, 9, 5) * 2]
    return np.concatenate(notes).astype(np.float32)


@pytest.fixture
def codec(melody, rng):
    """Noise 25 dB under the melody in each 12 ms, from 6.4 kHz on noise of the melody's own level."""
    size, out = 256, np.zeros(melody.size)
    low = np.fft.rfftfreq(size, 1 / RATE) < 6400
    window = np.sqrt(np.hanning(size + 1)[:size])
    for start in range(0, melody.size - size, size // 2):
        spectrum = np.fft.rfft(window * melody[start : start + size])
        noise = np.abs(spectrum) * np.exp(2j * np.pi * rng.uniform(size=spectrum.size))
        out[start : start + size] += window * np.fft.irfft(np.where(low, spectrum + 0.056 * noise, noise), size)
    return out.astype(np.float32)


def pair_of(ours, theirs, rate=RATE):
    return Pair(*(Signal(Audio(np.asarray(side, np.float32)[None], rate)) for side in (ours, theirs)))


def found(ours, theirs):
    return pair_of(ours, theirs).places


def clicked(samples, *times, height=0.5):
    made = samples.copy()
    for at in times:
        made[round(at * RATE)] += height
    return made


def test_a_sound_and_itself_have_none(melody):
    assert found(melody, melody) == ()
    assert found(melody, 0.3 * melody) == ()


def test_what_a_codec_leaves_everywhere_is_no_place(melody, codec):
    assert found(melody, codec) == ()


def test_steady_noise_is_no_place_in_the_pauses(rng):
    note = example.bowed_string(seconds=0.5, rate=RATE).mono
    sound = np.concatenate([np.pad(note, (0, RATE // 2)) for _ in range(6)])
    assert found(sound, sound + 0.1 * sound.std() * rng.standard_normal(sound.size)) == ()


@pytest.mark.parametrize("coded", [False, True])
def test_each_click_is_placed_to_a_few_samples(melody, codec, coded):
    times = (0.71, 2.33, 4.87)
    places = found(melody, clicked(codec if coded else melody, *times))
    assert [place.start for place in places] == pytest.approx(times, abs=0.003)
    assert all(place.length < 0.007 for place in places)
    assert all(place.level_db > 0 for place in places)


@pytest.mark.parametrize("coded", [False, True])
def test_a_hole_is_silent_and_as_long_as_it_is(melody, codec, coded):
    made = (codec if coded else melody).copy()
    made[round(1.3 * RATE) : round(1.305 * RATE)] = 0
    (place,) = found(melody, made)
    assert place.start == pytest.approx(1.3, abs=0.003)
    assert place.length == pytest.approx(0.005, abs=0.003)
    assert place.level_db < -20
    assert place.residual_db == pytest.approx(0, abs=0.5)
    assert place.kept == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("coded", [False, True])
def test_a_stretch_of_another_place_is_found(melody, codec, coded):
    made, width = (codec if coded else melody).copy(), round(0.02 * RATE)
    at = round(3.3 * RATE)
    made[at : at + width] = melody[round(1.8 * RATE) : round(1.8 * RATE) + width]
    (place,) = found(melody, made)
    assert (place.start, place.end) == pytest.approx((3.3, 3.32), abs=0.005)
    assert place.residual_db > -3


def test_what_lies_20_ms_apart_is_one_place_and_what_lies_60_ms_apart_is_two(melody):
    assert len(found(melody, clicked(melody, 2.0, 2.015))) == 1
    assert len(found(melody, clicked(melody, 2.0, 2.06))) == 2


def test_what_the_reference_hides_is_no_place(melody):
    """A click 40 dB under the sound: its 6 ms hold a thousandth of what sounds there."""
    assert found(melody, clicked(melody, 2.2, height=0.01 * melody.std())) == ()


def test_at_a_joint_nothing_is_said(melody):
    pair = pair_of(melody, clicked(melody, 2.0))
    sides, means = pair.overlap, pair.means
    assert len(places.find_places(pair.cells, sides, means, 1.0, [])) == 1
    assert places.find_places(pair.cells, sides, means, 1.0, [round(2.01 * RATE)]) == ()


@pytest.mark.parametrize(
    ("name", "value", "click"),
    [
        ("LEAST_DB", 60.0, True),
        ("OVER_MASK_DB", 60.0, True),
        ("OVER_USUAL_DB", (200.0, 200.0), True),
        ("OVER_AROUND_DB", 200.0, True),
        ("OVER_USUAL_DB", (-30.0, -30.0), False),
    ],
)
def test_each_threshold_decides(melody, codec, monkeypatch, name, value, click):
    """Moved far, a click is no longer found, or a codec's noise is."""
    monkeypatch.setattr(places, name, value)
    if click:
        assert found(melody, clicked(codec, 2.33)) == ()
    else:
        for other in ("OVER_MASK_DB", "OVER_AROUND_DB"):
            monkeypatch.setattr(places, other, -60.0)
        assert found(melody, codec) != ()


def test_noise_of_the_level_that_was_there_is_allowed_from_1600_hz_on(melody, rng, monkeypatch):
    """A hiss for 60 ms stands for another of its level: a codec's, as long as that counts."""
    hiss = np.diff(rng.standard_normal(melody.size + 2), 2)
    swell = np.exp(-(((np.arange(melody.size) / RATE - 3.0) / 0.05) ** 2))
    other = np.diff(rng.standard_normal(melody.size + 2), 2)
    ours = melody * (1 - swell) + 0.1 * swell * hiss
    theirs = melody * (1 - swell) + 0.1 * swell * other
    before = len(found(ours, theirs))
    monkeypatch.setattr(places, "MADE_UP_DB", 0.0)
    assert len(found(ours, theirs)) >= max(before, 1)


def test_one_click_in_a_long_sound_is_found(melody):
    long = np.concatenate([melody * level for level in (1.0, 0.5, 0.8, 0.3) * 5])
    (place,) = found(long, clicked(long, 77.7))
    assert place.start == pytest.approx(77.7, abs=0.003)


@pytest.mark.parametrize("size", [600, 1000, 3000])
def test_a_short_sound_has_none(rng, size):
    noise = 0.1 * rng.standard_normal(size)
    assert found(noise, noise) == ()
