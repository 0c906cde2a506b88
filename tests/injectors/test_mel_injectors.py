"""Faults at the mel interface: what the values were turned into can be read back from the sound's own mel."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from diagnose import example
from diagnose.audio import Audio
from diagnose.faults import INJECTORS
from diagnose.injectors.mel import CLIP, GRID, LOUDEST_NATS, frames_shuffled, magnitudes, spoken, wrong_hop, wrong_range
from diagnose.scale import Magnitude
from diagnose.spectrogram import mel as mel_of
from diagnose.spectrogram import mel_filterbank

RATE = GRID.rate


@pytest.fixture(scope="module")
def note():
    return example.bowed_string(seconds=0.6, rate=RATE)


@pytest.fixture(scope="module")
def values(note):
    """ln(magnitude) of the note."""
    return np.log(magnitudes(note))


def broken(name, sound, severity=1.0):
    return INJECTORS[name].inject(sound, severity, np.random.default_rng(0))


def loud(values, db=30):
    return values > values.max() - db / 8.686


def heard(sound, like, db=30):
    """(values wanted, values of the sound) in the cells that are loud in like."""
    mask = loud(like, db)
    return like[mask], np.log(magnitudes(sound))[:, : like.shape[1]][mask]


def test_the_right_values_come_back_within_a_db(note, values):
    wanted, found = heard(spoken(values, note.length, np.random.default_rng(0)), values)
    assert 8.686 * np.median(np.abs(found - wanted)) < 1
    assert 8.686 * np.abs(np.mean(found - wanted)) < 1


def test_the_synthesis_is_that_of_its_convention(values):
    short = spoken(values[:, :10], 2560, np.random.default_rng(0))
    assert (short.rate, short.channels, short.length) == (22_050, 1, 2560)
    assert (GRID.bands, GRID.fmax, GRID.hop, GRID.n_fft) == (80, 8000, 256, 1024)
    too_much = spoken(np.full((80, 40), 9.0), 40 * 256, np.random.default_rng(0))
    assert np.abs(too_much.samples).max() == 1
    assert np.exp(LOUDEST_NATS) == pytest.approx(12, abs=0.2)


def test_a_sound_of_another_rate_and_two_channels_is_taken(note):
    twice = Audio(np.repeat(note.samples, 2, axis=0), RATE)
    assert magnitudes(twice) == pytest.approx(magnitudes(note), rel=1e-4, abs=CLIP)
    fast = example.bowed_string(seconds=0.6, rate=44_100)
    assert broken("mel_log10", fast).rate == RATE
    assert broken("mel_log10", fast).duration_s == pytest.approx(0.6, abs=1e-3)


SLOPES = {"mel_log10": 1 / np.log(10), "mel_20_for_10": 0.5, "mel_10_for_20": 2.0}


@pytest.mark.parametrize("name", SLOPES)
def test_a_wrong_logarithm_is_a_slope_in_the_log_mel(note, values, name):
    # Softer, where twice the level would be over what the synthesis can say; loud cells, or the made-up phases show.
    soft = Audio(note.samples * np.float32(np.exp(-values.max())), RATE)
    wanted = np.log(magnitudes(soft))
    mask = loud(wanted, 20)
    found = np.log(magnitudes(broken(name, soft)))[mask]
    slope, offset = np.polyfit(wanted[mask], found, 1)
    # Made-up phases fill the gaps between partials, the more the deeper: a slope of 2 comes out as 1.7.
    assert slope == pytest.approx(SLOPES[name], rel=0.16)
    assert offset == pytest.approx(0, abs=0.25)  # the loudest is 1, and the logarithm of 1 is 0 in every base


def test_a_lost_level_leaves_the_loudest_band_at_1(note, values):
    lost = np.log(magnitudes(broken("mel_ref_lost", note)))
    wanted = values - values.max()
    mask = loud(wanted)
    assert lost.max() == pytest.approx(0, abs=0.15)
    assert np.median(lost[mask] - wanted[mask]) == pytest.approx(0, abs=0.1)


def test_a_level_is_lost_only_where_there_is_one(note, values):
    fits = INJECTORS["mel_ref_lost"].fits
    assert [fits(Audio(note.samples * np.float32(g * np.exp(-values.max())), RATE)) for g in (0.5, 1.0, 2.0)] == [
        True,
        False,
        True,
    ]


LINEAR = {
    "mel_linear_magnitude": lambda m: m,
    "mel_unit": lambda m: np.maximum(20 * np.log10(m / m.max()), -80) / 80 + 1,
}


@pytest.mark.parametrize("name", LINEAR)
def test_linear_values_for_logarithms_are_loud_and_hardly_change(note, name):
    given = LINEAR[name](magnitudes(note))
    assert given.min() >= 0
    sound = broken(name, note)
    found = np.log(magnitudes(sound))
    # What lies between 0 and 1 was taken for 0 to 8.7 dB.
    assert np.median(found) > -1
    assert np.quantile(found, 0.95) - np.quantile(found, 0.05) < 3
    assert np.std(sound.mono) > 2 * np.std(note.mono)


def test_power_given_as_logarithm_is_loud_too(note):
    assert np.std(broken("mel_linear_power", note).mono) > 2 * np.std(note.mono)


def test_decibels_given_as_nepers_leave_only_the_loudest(note):
    # 20 log10(m / max) for ln(m): the floor of ln(1e-5) is reached 11.5 dB under the loudest.
    found = np.log(magnitudes(broken("mel_decibel", note)))
    soft = np.log(magnitudes(note) / magnitudes(note).max()) * 8.686 < -20
    assert found.max() == pytest.approx(0, abs=0.4)
    assert np.median(found[soft]) < np.log(1e-3)


def test_a_wider_range_puts_every_band_lower(tone):
    # A band m of a mel to 11,025 Hz lies higher than band m of one to 8,000.
    sine = Audio(tone(4000, RATE, 0.5, 0.3)[None], RATE)
    sound = wrong_range(sine, 11_025.0, np.random.default_rng(0))
    band = np.argmax(magnitudes(sine, msgspec.structs.replace(GRID, fmax=11_025.0)).mean(axis=1))
    hz = np.fft.rfftfreq(GRID.n_fft, 1 / RATE)
    expected = hz[np.argmax(mel_filterbank(GRID)[band])]
    assert expected < 3500
    spectrum = np.abs(np.fft.rfft(sound.mono))
    centre = np.sum(spectrum**2 * np.fft.rfftfreq(sound.length, 1 / RATE)) / np.sum(spectrum**2)
    assert centre == pytest.approx(expected, rel=0.03)


def test_another_formula_moves_the_bands(tone):
    sine = Audio(tone(2000, RATE, 0.5, 0.3)[None], RATE)
    grids = [msgspec.structs.replace(GRID, formula="htk"), GRID]
    htk, slaney = (int(np.argmax(magnitudes(sine, grid).mean(axis=1))) for grid in grids)
    assert htk != slaney
    assert int(np.argmax(magnitudes(broken("mel_htk", sine)).mean(axis=1))) == htk


@pytest.mark.parametrize("hop", [266, 384])
def test_another_hop_is_another_length(note, hop):
    sound = wrong_hop(note, hop, np.random.default_rng(0))
    assert sound.length == hop * (note.length // 256)


def test_reversed_frames_run_backwards(note, values):
    wanted, found = heard(broken("mel_reversed", note), values[:, ::-1])
    assert 8.686 * np.median(np.abs(found - wanted)) < 1.5


def test_shuffled_frames_stay_within_their_stretch(note, values):
    def envelope(sound, width):
        frames = mel_of(sound.mono, GRID, Magnitude()).values.sum(axis=0)
        return np.add.reduceat(frames, np.arange(0, frames.size, width))

    # The bow stroke in stretches of 0.1 s is the same; frame by frame it is not.
    width = round(0.1 * RATE / GRID.hop)
    shuffled = frames_shuffled(note, 0.1, np.random.default_rng(0))
    assert np.corrcoef(envelope(note, width), envelope(shuffled, width))[0, 1] > 0.97
    whole = frames_shuffled(note, 2.0, np.random.default_rng(0))
    assert np.corrcoef(envelope(note, width), envelope(whole, width))[0, 1] < 0.8


def test_the_hum_grows_with_its_bias(note):
    biased = broken("mel_linear_hum", note, 1.0)
    assert np.array_equal(biased.samples, example.misfed_vocoder(note, RATE, 0.4).samples)
    assert biased.mono.mean() == pytest.approx(0.4, abs=0.02)
    assert broken("mel_linear_hum", note, 0.0).mono.mean() == pytest.approx(0, abs=0.02)
