"""What a copy leaves over: known noise, bursts, spikes, curves, holes and lines, in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from diagnose.causes.residual import Residual
from diagnose.timeline import Segment, Timeline

RATE = 22050
SIZE = 2 * RATE


@pytest.fixture
def white(rng):
    return 0.1 * rng.standard_normal(SIZE)


@pytest.fixture
def residual(pair):
    return lambda ours, theirs: Residual(pair(ours, theirs))


def laid(found, **timeline):
    """The pair as if it had been laid so, start on start."""
    whole = (0, found.reference.mono.size)
    found.__dict__["timeline"] = Timeline(method="waveform", segments=(Segment("matched", whole, whole),), **timeline)
    return found


@pytest.mark.parametrize("level", [-40.0, -20.0, 0.0])
def test_the_level_is_that_of_the_noise_over_the_noisy_sound(residual, white, rng, level):
    ratio = 10 ** (level / 10)
    found = residual(white, white + math.sqrt(ratio) * 0.1 * rng.standard_normal(SIZE))
    assert found.level_db == pytest.approx(10 * math.log10(ratio / (1 + ratio)), abs=0.15)


@pytest.mark.parametrize("factor", [1.0, 0.5, -0.5, 4.0])
def test_a_gain_of_either_sign_leaves_nothing(residual, white, factor):
    found = residual(white, factor * white + 0.2)
    assert found.gain == pytest.approx(factor, rel=1e-5)
    assert found.level_db < -100


@pytest.mark.parametrize("level", [-20.0, -3.0, 3.0])
def test_coherence_under_noise_of_the_same_spectrum_is_signal_over_sum(residual, white, rng, level):
    noisy = white + 10 ** (level / 20) * 0.1 * rng.standard_normal(SIZE)
    assert residual(white, noisy).coherence == pytest.approx(1 / (1 + 10 ** (level / 10)), abs=0.04)


def test_coherence_of_unrelated_noise_is_next_to_nothing(pair, white, rng):
    found = Residual(laid(pair(white, 0.1 * rng.standard_normal(SIZE)), polarity=1))
    assert found.coherence < 0.02
    assert found.level_db == pytest.approx(10 * math.log10(2), abs=0.1)


@pytest.mark.parametrize("side", [0, 1])
def test_a_burst_at_an_edge_is_all_of_the_residual(residual, white, rng, side):
    sound = white.copy()
    where = slice(None, 441) if side == 0 else slice(-441, None)
    sound[where] += 0.3 * rng.standard_normal(441)
    shares = residual(white, sound).edge_shares
    assert shares[side] > 0.95
    assert shares[1 - side] < 0.01


def test_steady_noise_has_its_share_at_either_edge(residual, white, rng):
    found = residual(white, white + 0.02 * rng.standard_normal(SIZE))
    assert found.edge_shares == pytest.approx((0.01, 0.01), abs=0.003)  # 20 ms of 2 s


def test_the_loudest_samples_of_gaussian_noise_hold_23_of_1000(residual, white, rng):
    # 2 (t phi(t) + Q(t)) with P(|x| > t) = 0.002, so t = 3.0902
    found = residual(white, white + 0.02 * rng.standard_normal(SIZE))
    assert found.loudest_share == pytest.approx(0.0228, abs=0.0015)


def test_the_loudest_samples_are_all_of_a_few_spikes(residual, white):
    sound = white.copy()
    sound[5000::5000] += 0.9
    assert residual(white, sound).loudest_share > 0.98


def mean_slopes(curve, bins=48):
    """End slope over middle slope of the means of curve in equal bins of -1..1, by fine sums."""
    means = curve(np.linspace(-1, 1, 480 * bins)).reshape(bins, -1).mean(axis=1)
    rise = np.diff(means)
    return (rise[:2].mean() + rise[-2:].mean()) / 2 / rise[len(rise) // 4 : -(len(rise) // 4)].mean()


@pytest.mark.parametrize(
    "curve",
    [lambda x: np.tanh(3 * x) / 3, lambda x: np.tanh(0.8 * x), lambda x: np.clip(x, -0.5, 0.5)],
    ids=["hard tanh", "soft tanh", "clip"],
)
def test_a_curve_of_one_sample_explains_all_and_bends_as_it_does(residual, rng, curve):
    sound = rng.uniform(-1, 1, SIZE)
    found = residual(sound, curve(sound))
    assert found.curve_share > 0.998
    assert found.compression == pytest.approx(mean_slopes(curve), abs=0.03)


def test_noise_is_no_curve(residual, white, rng):
    found = residual(white, white + 0.02 * rng.standard_normal(SIZE))
    assert found.curve_share < 0.05
    assert found.compression == pytest.approx(1, abs=0.05)


def test_the_transfer_is_the_response_of_the_filter(residual, white):
    hz = np.fft.rfftfreq(SIZE, 1 / RATE)
    response = np.where(hz < 2000, 1.0, 0.25)
    found = residual(white, np.fft.irfft(np.fft.rfft(white) * response, SIZE))
    at, level = found.transfer[:2]
    assert level[at < 1800] == pytest.approx(0, abs=0.2)
    assert level[at > 2300] == pytest.approx(-12.04, abs=0.2)
    assert found.coherence == pytest.approx(1, abs=0.01)
    assert found.filter_gain_db > 10
    assert found.fine_filter_gain_db > 15


def test_a_filter_of_any_fineness_gains_nothing_on_white_noise(residual, white, rng):
    found = residual(white, white + 0.03 * rng.standard_normal(SIZE))
    assert 0 <= found.filter_gain_db < 0.05
    assert found.filter_gain_db <= found.fine_filter_gain_db < 0.3


def test_what_was_added_does_not_follow_the_sound_and_what_was_bent_does(melody, residual, clues, rng):
    added = melody.mono + 0.01 * rng.standard_normal(melody.length)
    assert residual(melody.mono, added).follows == pytest.approx(0, abs=0.1)
    assert clues("random_phase", 0.0).residual.follows > 0.6


def test_steady_noise_is_steady_and_noise_in_turns_is_not(melody, residual, rng):
    noise = 0.01 * rng.standard_normal(melody.length)
    assert residual(melody.mono, melody.mono + noise).unsteadiness_db < 1
    turns = np.where(np.arange(melody.length) // 6000 % 2, noise, 0.1 * noise)
    assert residual(melody.mono, melody.mono + turns).unsteadiness_db > 6  # 20 dB apart, half of the time each


def test_a_hole_is_where_it_is_and_holds_what_it_holds(residual, white):
    sound = white.copy()
    sound[SIZE // 2 : SIZE // 2 + SIZE // 4] = 0
    found = residual(white, sound)
    share, spans = found.silences
    assert share == pytest.approx(0.25, abs=0.01)
    assert found.holes == pytest.approx(0.25, abs=0.02)
    assert spans == [(pytest.approx(1.0, abs=0.006), pytest.approx(1.5, abs=0.006))]


def test_two_holes_are_two(residual, white):
    sound = white.copy()
    for start in (0.3, 1.2):
        sound[round(start * RATE) : round((start + 0.1) * RATE)] = 0
    assert [round(start, 1) for start, _ in residual(white, sound).silences[1]] == [0.3, 1.2]


def test_a_low_pass_makes_no_holes(residual, white):
    spectrum = np.fft.rfft(white)
    spectrum[np.fft.rfftfreq(SIZE, 1 / RATE) > 3000] = 0
    found = residual(white, np.fft.irfft(spectrum, SIZE))
    assert found.holes < 0.01
    assert found.silences == (0.0, [])


@pytest.mark.parametrize("mains", [50.0, 60.0])
def test_lines_are_on_the_multiples_of_their_mains_and_of_no_other(residual, white, mains):
    time = np.arange(SIZE) / RATE
    lines = residual(white, white + sum(0.05 * np.sin(2 * np.pi * mains * k * time) for k in range(1, 5))).lines
    assert lines.pop(mains) > 0.98
    assert list(lines.values()) == [0.0]


@pytest.mark.parametrize("hop", [256, 300, 512])
def test_a_waveform_every_hop_is_the_comb_of_that_hop(residual, white, rng, hop):
    found = residual(white, white + np.resize(0.05 * rng.standard_normal(hop), SIZE)).comb
    assert found.value > 0.95
    assert found.detail["hop_samples"] == hop
    assert found.detail["spacing_hz"] == pytest.approx(RATE / hop)


def test_lines_need_a_window_that_holds_them(residual, white):
    found = residual(white[:4000], white[:4000] + 0.01)
    assert found.lines == {}
    assert found.comb is None


@pytest.mark.slow
def test_an_hour_s_ends_are_looked_at_apart_from_the_excerpt(pair, rng):
    ours = 0.1 * rng.standard_normal((1 << 20) + 40000)
    theirs = ours.copy()
    theirs[-300:] += 0.5
    found = Residual(pair(ours, theirs))
    assert found.r.size == 1 << 20
    assert found.edge_shares[1] == 1.0
