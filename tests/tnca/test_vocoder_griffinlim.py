"""Griffin-Lim behind the vocoder protocol: the same each time, the right length and level, no other contract's mel."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from diagnose import example
from diagnose.comparison import compare
from diagnose.errors import InputError
from diagnose.mel.contract import load
from tnca.config import Target as Settings
from tnca.figures import within_band
from tnca.generation import carried
from tnca.target import target_of
from tnca.vocoders.griffinlim import GriffinLim
from tnca.vocoders.vocoder import Mel, OtherContract

CONTRACT = load("bigvgan_base_22khz_80band")


@pytest.fixture(scope="module")
def target():
    return target_of(example.bowed_string(), Settings(CONTRACT))


@pytest.fixture(scope="module")
def mel(target):
    return Mel(target.values, CONTRACT)


@pytest.fixture(scope="module")
def sound(mel):
    return GriffinLim(CONTRACT)(mel)


def short(mel, frames):
    return Mel(mel.values[:, :frames], mel.contract)


def test_the_same_mel_gives_the_same_sound_whatever_the_global_state(mel):
    first = GriffinLim(CONTRACT)(short(mel, 20))
    np.random.seed(1)
    assert np.array_equal(GriffinLim(CONTRACT)(short(mel, 20)).samples, first.samples)
    assert not np.array_equal(GriffinLim(CONTRACT, seed=1)(short(mel, 20)).samples, first.samples)


def test_level_and_centroid_are_those_of_the_note(target, sound):
    report = compare(within_band(target), sound)
    assert 0.9 < report["rms_ratio"].change < 1.1
    centroid = report["spectral_centroid_hz"]
    assert centroid.generated == pytest.approx(centroid.reference, rel=0.05)


def test_the_sounds_own_mel_is_nearly_the_mel(target, sound):
    values = CONTRACT.mel(sound.mono).values
    frames = min(values.shape[1], target.values.shape[1])
    loud = target.levels_db[:, :frames] > -40
    error_db = 20 / np.log(10) * np.abs(values[:, :frames] - target.values[:, :frames])[loud]
    assert error_db.mean() < 1.0


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_a_frame_is_a_hop(mel, frames):
    sound = GriffinLim(CONTRACT)(short(mel, frames))
    assert sound.samples.shape == (1, 256 * frames)
    assert sound.samples.dtype == np.float32
    assert (sound.rate, sound.name) == (22050, "griffinlim")


@pytest.mark.parametrize("contract", ["librosa_db_max", "whisper", "vocos_mel_24khz"])
def test_a_mel_gives_as_many_frames_again(contract):
    contract = load(contract)
    target = target_of(example.bowed_string(seconds=0.3), Settings(contract))
    sound = GriffinLim(contract)(Mel(target.values, contract))
    assert contract.mel(sound.mono).values.shape == target.values.shape


def test_the_length_follows_from_the_centred_frames(target):
    contract = msgspec.structs.replace(CONTRACT, grid=msgspec.structs.replace(CONTRACT.grid, padding="centre"))
    sound = GriffinLim(contract)(Mel(target.values[:, :9], contract))
    assert sound.length == 8 * 256


def test_phases_that_are_held_give_back_the_sound(target, mel):
    sound = GriffinLim(CONTRACT)(mel, carried(target, "target"), hold=True)
    wanted = target.sound.mono[: sound.length].astype(np.float64)
    error = np.sum((sound.mono - wanted) ** 2) / np.sum(wanted**2)
    plain = GriffinLim(CONTRACT)(mel)
    assert error < 0.05 < np.sum((plain.mono - wanted) ** 2) / np.sum(wanted**2)


def test_a_mel_in_another_contract_is_refused_in_words(mel):
    other = load("librosa_db_max")
    with pytest.raises(OtherContract) as caught:
        GriffinLim(CONTRACT)(Mel(mel.values, other))
    first, *lines = str(caught.value).splitlines()
    assert first == "griffinlim cannot use a mel in librosa_db_max:"
    assert any(line.strip().startswith("fmax_hz") for line in lines)
    assert any(line.strip().startswith("scale") for line in lines)
    assert caught.value.exit_code == 1


def test_a_contract_of_another_name_and_the_same_figures_is_read(mel):
    renamed = msgspec.structs.replace(CONTRACT, name="mine", about="mine", source="mine")
    assert GriffinLim(CONTRACT)(Mel(mel.values[:, :4], renamed)).length == 4 * 256


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_mel_that_is_not_finite_is_refused(mel, bad):
    values = mel.values[:, :5].copy()
    values[3, 2] = bad
    with pytest.raises(InputError, match=r"^the mel has non-finite values; the training diverged$"):
        GriffinLim(CONTRACT)(Mel(values, CONTRACT))


@pytest.mark.parametrize("shape", [(81, 5), (80,), (80, 0), (1, 80, 5)])
def test_an_array_of_another_shape_is_refused(shape):
    with pytest.raises(InputError, match=r"expected \(80, frames\)"):
        GriffinLim(CONTRACT)(Mel(np.zeros(shape, np.float32), CONTRACT))


def test_the_mel_of_silence_is_silence():
    values = np.full((80, 6), np.log(1e-5), np.float32)
    sound = GriffinLim(CONTRACT)(Mel(values, CONTRACT))
    assert np.abs(sound.samples).max() < 1e-4
