"""What is to be grown, held against the contract, librosa and arithmetic."""

from __future__ import annotations

import librosa
import msgspec
import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose import example
from diagnose.audio import Audio
from diagnose.errors import InputError
from diagnose.mel.contract import load
from tnca.config import Target as Settings
from tnca.config import preset
from tnca.target import LAST_FRAMES, centres_hz, levels_db, target_of

DB_PER_NEPER = 20 / np.log(10)  # 8.686


@pytest.fixture(scope="module")
def note():
    return example.bowed_string(seconds=0.4, rate=22050)


@pytest.fixture(scope="module")
def target(note):
    return target_of(note, Settings("bigvgan_base_22khz_80band"))


def refused(sound, contract="bigvgan_base_22khz_80band"):
    with pytest.raises(InputError) as caught:
        target_of(sound, Settings(contract))
    said = str(caught.value)
    assert said.startswith(f"{sound.name}: ")
    assert "\n" not in said
    return said


# Values


def test_firsts_target_is_librosas(note):
    power = librosa.feature.melspectrogram(y=note.mono, sr=22050, n_fft=1024, hop_length=256, n_mels=80)
    wanted = librosa.power_to_db(power, ref=np.max)
    plain = target_of(note, msgspec.structs.replace(preset("first").target, frames_multiple=1))
    assert plain.values.shape == wanted.shape
    np.testing.assert_allclose(plain.values, wanted, atol=1e-3)
    # As it stands in the preset, zeros are appended first, as the notebook does.
    padded = np.pad(note.mono, (0, -note.length % (8 * 256)))
    power = librosa.feature.melspectrogram(y=padded, sr=22050, n_fft=1024, hop_length=256, n_mels=80)
    first = target_of(note, preset("first").target)
    np.testing.assert_allclose(first.values, librosa.power_to_db(power, ref=np.max), atol=1e-3)


@pytest.mark.parametrize("contract", ["bigvgan_base_22khz_80band", "whisper", "vocos_mel_24khz", "librosa_db_max"])
def test_values_are_the_contracts_of_the_mean_of_the_channels_at_its_rate(contract):
    left, right = (example.bowed_string(hz, seconds=0.3, rate=44100).samples[0] for hz in (196, 220))
    sound = Audio(np.stack([left, right]), 44100, "two")
    mel = load(contract)
    resampled = soxr.resample((left + right) / 2, 44100, mel.grid.rate)
    target = target_of(sound, Settings(contract))
    np.testing.assert_allclose(target.values, mel.mel(resampled).values, atol=1e-4)
    assert target.contract == mel
    assert (target.sound.rate, target.sound.channels, target.sound.name) == (mel.grid.rate, 1, "two")
    np.testing.assert_allclose(target.sound.mono, resampled, atol=1e-6)


@settings(max_examples=25)
@given(length=st.integers(1024, 9000), multiple=st.sampled_from([1, 2, 3, 8, 64]))
def test_zeros_are_appended_until_there_is_a_multiple_of_so_many_frames(length, multiple):
    sound = Audio(np.random.default_rng(length).standard_normal((1, length)).astype(np.float32), 22050)
    target = target_of(sound, Settings("bigvgan_base_22khz_80band", multiple))
    assert np.array_equal(target.sound.mono[:length], sound.mono)
    assert not target.sound.mono[length:].any()
    if multiple == 1:
        assert target.sound.length == length
    else:
        assert target.sound.length - length < 256 * multiple  # no more than it takes
        assert target.values.shape[1] % multiple == 0


def test_centred_frames_are_one_more_than_hops(note):
    """The first notebook's grid: a multiple of 8 hops, and the frame at the end."""
    assert target_of(note, preset("first").target).values.shape[1] % 8 == 1


# Refused


@pytest.mark.parametrize(("contract", "least"), [("bigvgan_base_22khz_80band", 1024), ("librosa_db_max", 2048)])
def test_less_than_one_frame_is_too_short(rng, contract, least):
    samples = rng.standard_normal((1, least)).astype(np.float32)
    assert "too short" in refused(Audio(samples[:, :-1], 22050, "click.wav"), contract)
    assert target_of(Audio(samples, 22050), Settings(contract)).values.shape[1] >= 1


def test_a_handful_of_samples_is_refused_before_it_is_resampled_away():
    refused(Audio(np.ones((1, 1), np.float32), 384_000, "one.wav"))


def test_silence_is_refused():
    assert "silent" in refused(Audio(np.zeros((1, 22050), np.float32), 22050, "nothing.wav"))


@pytest.mark.parametrize("contract", ["bigvgan_base_22khz_80band", "vocos_mel_24khz", "librosa_db"])
def test_a_sound_all_under_the_floor_is_refused(contract, rng):
    quiet = Audio((1e-12 * rng.standard_normal((1, 24000))).astype(np.float32), 24000, "hum.wav")
    assert "use another sound" in refused(quiet, contract)


def test_over_a_minute_is_refused_and_a_minute_is_not():
    samples = np.zeros((1, 60 * 4000 + 1), np.float32)
    samples[0, 1000] = 1.0
    assert "60 s" in refused(Audio(samples, 4000, "long.wav"))
    assert target_of(Audio(samples[:, :-1], 4000), Settings("whisper")).values.shape == (80, 6001)


# Errors in dB


@pytest.mark.parametrize("offset", [-0.5, 0.1, 1.0])
def test_a_constant_on_ln_magnitudes_is_so_many_db_everywhere(target, offset):
    lifted = msgspec.structs.replace(target, values=np.maximum(target.values, -8.0))  # 1 over the floor at least
    errors = lifted.errors_db(lifted.values + offset)
    assert set(errors) == {"mel_error_db", "mel_error_high_db", "mel_error_end_db", "mel_flicker_db"}
    assert list(errors.values()) == pytest.approx([*[DB_PER_NEPER * abs(offset)] * 3, 0], rel=1e-5, abs=1e-5)


def test_flicker_is_the_error_of_the_change_from_frame_to_frame(target):
    flat = msgspec.structs.replace(target, values=np.full_like(target.values, -5.0))
    grown = flat.values + 0.5 * (-1.0) ** np.arange(flat.values.shape[1], dtype=np.float32)
    errors = flat.errors_db(grown)
    assert errors["mel_flicker_db"] == pytest.approx(DB_PER_NEPER, rel=1e-5)
    assert errors["mel_error_db"] == pytest.approx(DB_PER_NEPER / 2, rel=1e-5)


def test_what_lies_under_the_floor_is_on_it(target):
    floored = msgspec.structs.replace(target, values=np.full_like(target.values, np.log(1e-5)))
    assert floored.errors_db(floored.values - 100)["mel_error_db"] == pytest.approx(0, abs=1e-4)
    assert floored.errors_db(floored.values + 1)["mel_error_db"] == pytest.approx(DB_PER_NEPER, rel=1e-4)


def test_the_right_one_has_no_error(target):
    assert set(target.errors_db(target.values).values()) == {0.0}


def test_high_bands_and_last_frames_are_judged_apart(target):
    base = np.full_like(target.values, -5.0)
    flat = msgspec.structs.replace(target, values=base)
    frames = base.shape[1]
    high = librosa.mel_frequencies(82, fmin=0, fmax=8000)[1:-1] > 4000
    grown = base.copy()
    grown[high] += 1
    errors = flat.errors_db(grown)
    assert errors["mel_error_high_db"] == pytest.approx(DB_PER_NEPER, rel=1e-5)
    assert errors["mel_error_db"] == pytest.approx(DB_PER_NEPER * high.mean(), rel=1e-5)
    grown = base.copy()
    grown[:, -LAST_FRAMES:] += 1
    errors = flat.errors_db(grown)
    assert errors["mel_error_end_db"] == pytest.approx(DB_PER_NEPER, rel=1e-5)
    assert errors["mel_error_db"] == pytest.approx(DB_PER_NEPER * LAST_FRAMES / frames, rel=1e-5)


def test_without_a_band_over_4_khz_there_is_no_figure_of_them(note):
    mel = load("bigvgan_base_22khz_80band")
    low = msgspec.structs.replace(mel, grid=msgspec.structs.replace(mel.grid, bands=20, fmax=2000.0))
    target = target_of(note, Settings(low))
    assert set(target.errors_db(target.values)) == {"mel_error_db", "mel_error_end_db", "mel_flicker_db"}


@pytest.mark.parametrize("contract", ["librosa_db", "librosa_db_max", "dali"])
def test_values_in_db_are_their_own_levels(contract, note):
    target = target_of(note, Settings(contract))
    np.testing.assert_allclose(levels_db(target.values, target.contract), target.values, atol=1e-4)
    np.testing.assert_allclose(target.levels_db, target.values - target.values.max(), atol=1e-4)


@pytest.mark.parametrize("contract", ["whisper", "parallel_wavegan_v1", "torchaudio_melspectrogram"])
def test_the_loudest_cell_is_at_0_db_in_any_unit(contract, note):
    target = target_of(note, Settings(contract))
    assert target.levels_db.max() == 0
    slope = {"whisper": 40.0, "parallel_wavegan_v1": 20.0}.get(contract)  # of 0..1 for 4 decades; of log10 magnitude
    if slope:
        np.testing.assert_allclose(target.levels_db, slope * (target.values - target.values.max()), atol=1e-3)


def test_bands_are_where_librosa_puts_them():
    for name, htk in (("bigvgan_base_22khz_80band", False), ("vocos_mel_24khz", True)):
        grid = load(name).grid
        wanted = librosa.mel_frequencies(grid.bands + 2, fmin=grid.fmin, fmax=grid.fmax, htk=htk)[1:-1]
        np.testing.assert_allclose(centres_hz(load(name)), wanted, rtol=1e-9)
