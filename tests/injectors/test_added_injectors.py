"""Faults that add something: what was added is the difference, and can be measured alone."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.signal import welch

from diagnose.audio import Audio
from diagnose.faults import INJECTORS
from diagnose.injectors.added import HARMONICS, clicks, edge_burst, frame_rate_hum, hum, pink_noise, white_noise
from diagnose.injectors.injector import rms

RATE = 22050


@pytest.fixture
def sound(tone):
    """A tone and its softer octave, left and right, of 4 s."""
    return Audio(np.stack([tone(440, RATE, 4.0, 0.5), tone(880, RATE, 4.0, 0.3)]), RATE)


def added(sound, broken):
    """The same in all channels."""
    difference = broken.samples.astype(np.float64) - sound.samples
    np.testing.assert_allclose(difference[1:], difference[:-1], rtol=0, atol=1e-6)
    return difference[0]


@pytest.mark.parametrize(
    "fault",
    [white_noise, pink_noise, frame_rate_hum, partial(hum, mains_hz=50.0)],
    ids=["white", "pink", "hop", "mains"],
)
@pytest.mark.parametrize("level_db", [-40.0, -10.0, 0.0])
def test_it_is_as_loud_as_its_amount_says(sound, rng, fault, level_db):
    level = rms(added(sound, fault(sound, level_db, rng))) / rms(sound.mono)
    assert 20 * np.log10(level) == pytest.approx(level_db, abs=0.01)


@pytest.mark.parametrize(("fault", "slope"), [(white_noise, 0), (pink_noise, -3.01)])
def test_the_colour_of_noise_is_its_slope_in_db_an_octave(sound, rng, fault, slope):
    hz, power = welch(added(sound, fault(sound, 0.0, rng)), RATE, nperseg=2048)
    inside = (hz > 60) & (hz < 10_000)
    found, _ = np.polyfit(np.log2(hz[inside]), 10 * np.log10(power[inside]), 1, w=1 / np.sqrt(hz[inside]))
    assert found == pytest.approx(slope, abs=0.2)


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_hum_is_the_mains_and_its_harmonics_and_nothing_else(sound, rng, mains_hz):
    difference = added(sound, hum(sound, 0.0, rng, mains_hz))
    power = np.abs(np.fft.rfft(difference)) ** 2  # 4 s hold whole periods of both
    lines = (4 * mains_hz * np.arange(1, len(HARMONICS) + 1)).astype(int)
    assert power[lines].sum() > 0.99999 * power.sum()
    assert np.sqrt(power[lines] / power[lines[0]]) == pytest.approx(np.array(HARMONICS), abs=1e-3)
    for name in ("hum_50", "hum_60"):
        assert INJECTORS[name].break_by.keywords == {"mains_hz": float(name[-2:])}


def test_frame_rate_hum_is_one_waveform_again_and_again_without_bias(sound, rng):
    difference = added(sound, frame_rate_hum(sound, 0.0, rng))
    np.testing.assert_allclose(difference[256:], difference[:-256], rtol=0, atol=1e-6)
    assert difference[: 256 * 100].mean() == pytest.approx(0, abs=1e-6)
    assert rms(difference[:128] - difference[128:256]) > 0.1 * rms(difference)


@pytest.mark.parametrize("per_second", [1.0, 5.0, 12.0])
def test_clicks_are_counted_apart_and_of_a_known_height(sound, rng, per_second):
    difference = added(sound, clicks(sound, per_second, rng))
    places = np.flatnonzero(difference)
    starts = places[np.diff(places, prepend=-9) > 1]
    assert starts.size == 4 * per_second
    assert places.size <= 2 * starts.size
    assert np.diff(starts).min() >= 0.025 * RATE
    assert np.abs(difference[places]) == pytest.approx(0.7 * 0.5, abs=1e-3)
    assert set(np.sign(difference[places])) == {-1, 1} or per_second == 1


def test_a_sound_too_short_for_a_click_stays(rng):
    short = Audio(np.ones((1, 1000), np.float32), RATE)
    assert np.array_equal(clicks(short, 12.0, rng).samples, short.samples)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_burst_lies_in_18_ms_at_its_border(sound, rng, side):
    difference = added(sound, edge_burst(sound, 10.0, rng, side))
    if side == "right":
        difference = difference[::-1]
    width = round(0.018 * RATE)
    assert not difference[width:].any()
    level = 20 * np.log10(difference[:width].std() / rms(sound.mono))
    assert level == pytest.approx(10, abs=1.5)  # of 397 samples of noise
    assert INJECTORS[f"edge_{side}"].break_by.keywords == {"side": side}
