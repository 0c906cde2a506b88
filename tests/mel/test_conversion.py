"""A converted array is the wanted contract's own mel of the sound, or within the bound that is stated, or refused."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import msgspec
import numpy as np
import pytest

from diagnose import audio, example
from diagnose.audio import Audio
from diagnose.mel.check import contract_check
from diagnose.mel.contract import MelContract, ValueScale, load
from diagnose.mel.conversion import CannotConvert, convert
from diagnose.spectrogram import MelGrid

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch

BASE = "bigvgan_base_22khz_80band"
GRID = load(BASE).grid
NOTE = example.bowed_string(seconds=0.6)
SCALES = {
    "ln": ValueScale("ln-magnitude", clip=1e-5),
    "log10": ValueScale("log10-magnitude", clip=1e-5),
    "dB": ValueScale("magnitude-db", clip=1e-5),
    "magnitude": ValueScale("magnitude"),
    "ln power": ValueScale("ln-power", clip=1e-10),
    "dB power": ValueScale("power-db", clip=1e-10),
    "power": ValueScale("power"),
}


def contract(scale, **grid):
    return MelContract("test", "test", msgspec.structs.replace(GRID, **grid), SCALES[scale], 1e-9, scale)


def mel(wanted, sound=NOTE):
    return wanted.mel(audio.resample(sound, wanted.grid.rate).mono).values


def written(folder, wanted):
    """The contract as a TOML file, as a user gives one."""
    fields = {key: value for key, value in msgspec.to_builtins(wanted).items() if key != "name"}
    fields["levels"] = {key: value for key, value in fields["levels"].items() if value is not None}
    path = folder / f"{wanted.name.replace(' ', '_')}.toml"
    path.write_bytes(msgspec.toml.encode(fields))
    return str(path)


def converted(array, wanted, folder, sound=None):
    return convert(array, contract_check(array, written(folder, wanted), sound))


# Exact ones


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("dB power", "ln power"),
        *(
            pytest.param(source, target, marks=pytest.mark.slow)
            for source, target in (
                ("log10", "ln"),
                ("ln", "log10"),
                ("dB", "ln"),
                ("magnitude", "ln"),
                ("ln", "magnitude"),
                ("power", "dB power"),
            )
        ),
    ],
)
def test_another_way_to_write_the_same_sums_is_exact_with_the_sound(tmp_path, source, target):
    wanted = contract(target)
    found = converted(mel(contract(source)), wanted, tmp_path, NOTE)
    truth = mel(wanted)
    assert found.values.dtype == np.float32
    assert found.values.shape == truth.shape
    within = 1e-3 * (20 if "dB" in target else 1) * (truth.max() if target in ("power", "magnitude") else 1)
    assert np.abs(found.values - truth).max() <= within
    assert found.exact
    assert found.says.startswith("exact")
    assert (found.low_db, found.high_db) == (0, 0)


@pytest.mark.slow
def test_there_and_back_is_where_it_was(tmp_path):
    first = mel(contract("ln"))
    there = converted(first, contract("log10"), tmp_path, NOTE)
    back = converted(there.values, contract("ln"), tmp_path, NOTE)
    assert np.abs(back.values - first).max() <= 1e-3


def with_silence(sound):
    return Audio(np.pad(sound.mono, (0, sound.rate // 8))[None], sound.rate)


@pytest.mark.parametrize(("source", "target"), [("log10", "ln"), ("ln", "log10"), ("ln", "magnitude")])
def test_a_clip_that_shows_makes_it_sure_without_the_sound(tmp_path, source, target):
    """log10 1e-5 = -5 and ln 1e-5 = -11.5129 are nothing else."""
    sound = with_silence(NOTE)
    found = converted(mel(contract(source), sound), contract(target), tmp_path)
    assert np.abs(found.values - mel(contract(target), sound)).max() <= 1e-3
    assert "which the values alone do not prove" in found.says
    assert "which the values alone do not prove" in found.says


def test_what_is_right_already_is_left_as_it_is(tmp_path):
    values = mel(contract("ln"), with_silence(NOTE))
    for sound in (None, with_silence(NOTE)):
        found = convert(values, contract_check(values, BASE, sound))
        assert np.abs(found.values - values).max() <= 1e-5


@pytest.mark.slow
def test_a_norm_is_taken_off_and_put_on(tmp_path):
    source, wanted = contract("ln", norm="none"), contract("ln")
    source = msgspec.structs.replace(source, levels=ValueScale("ln-magnitude", clip=1e-9))
    found = converted(mel(source), wanted, tmp_path, NOTE)
    assert np.abs(found.values - mel(wanted)).max() <= 1e-3
    assert found.exact


@pytest.mark.slow
def test_what_was_clipped_before_the_norm_is_not_called_exact(tmp_path):
    """norm slaney, clipped at 1e-5, is clipped far higher once the norm is taken off: that part is lost."""
    sound = with_silence(NOTE)
    source, wanted = contract("ln", norm="slaney"), contract("ln", norm="none")
    found = converted(mel(source, sound), wanted, tmp_path, sound)
    far = np.abs(found.values - mel(wanted, sound)).max()
    assert far <= 1e-3 or not found.exact


# The level


@pytest.mark.parametrize("rate", [22050, pytest.param(44100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("target", ["dB power", pytest.param("ln power", marks=pytest.mark.slow)])
def test_a_reference_of_max_is_restored_from_the_sound(tmp_path, target, rate):
    levels = ValueScale("power-db", reference="max")
    source = msgspec.structs.replace(contract("dB power"), levels=levels, name="max")
    wanted = contract(target)
    found = converted(mel(source), wanted, tmp_path, audio.resample(NOTE, rate))
    assert np.abs(found.values - mel(wanted)).max() <= (0.02 if "dB" in target else 0.005)
    with pytest.raises(CannotConvert, match="--audio") as caught:
        converted(mel(source), wanted, tmp_path)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 1


@pytest.mark.slow
def test_top_db_is_lost_and_that_is_said(tmp_path):
    levels = ValueScale("magnitude-db", top_db=40.0)
    source = msgspec.structs.replace(contract("dB"), levels=levels, name="top")
    values = mel(source)
    found = converted(values, contract("ln"), tmp_path, NOTE)
    floored = values <= values.max() - 40 + 1e-4
    assert 0.02 < floored.mean() < 0.9
    assert not found.exact
    assert "of the cells are at a floor" in found.says
    assert f"{floored.mean():.1%}" in found.says
    truth = mel(contract("ln"))
    assert np.abs(found.values - truth)[~floored].max() <= 2e-3
    assert (found.values - truth)[floored].min() >= -1e-3


# Refused


@pytest.mark.slow
@pytest.mark.parametrize(
    ("grid", "word"),
    [
        ({"fmax": 11025.0}, "fmax"),
        ({"hop": 200}, "hop"),
        ({"padding": "centre-reflect"}, "centred"),
        ({"n_fft": 2048}, "n_fft"),
        ({"formula": "htk"}, "formula"),
    ],
)
def test_another_grid_is_refused_and_says_what_to_do(grid, word):
    values = mel(contract("ln", **grid))
    with pytest.raises(CannotConvert) as caught:
        convert(values, contract_check(values, BASE, NOTE))
    line = str(caught.value)
    assert line.startswith("not converted: " + (word if word != "centred" else "frames are centred"))
    assert f"compute the mel from the sound with the settings of {BASE}" in line
    assert "\n" not in line


def test_bands_differ_without_the_sound_too():
    values = mel(contract("ln", bands=100), with_silence(NOTE))
    with pytest.raises(CannotConvert, match="bands 100, not 80"):
        convert(values, contract_check(values, BASE))


@pytest.mark.slow
def test_nan_is_mended_first_and_a_constant_is_nothing():
    values = mel(contract("log10"))
    values[3, 3] = np.nan
    with pytest.raises(CannotConvert, match="NaN or infinite; fix that first"):
        convert(values, contract_check(values, BASE, NOTE))
    flat = np.full((80, 60), -2.0, np.float32)
    with pytest.raises(CannotConvert):
        convert(flat, contract_check(flat, BASE))


def test_a_normalised_array_without_the_sound_is_refused():
    values = mel(contract("ln"), with_silence(NOTE))
    values = 2 * (values - values.min()) / np.ptp(values) - 1
    with pytest.raises(CannotConvert, match="--audio"):
        convert(values, contract_check(values, BASE))


@pytest.mark.slow
def test_a_normalised_array_with_the_sound_is_converted(tmp_path):
    levels = ValueScale("normalised", of="ln-magnitude", clip=1e-7, low=-17.0, high=3.0, bottom=-4.0, top=4.0)
    source = msgspec.structs.replace(contract("ln"), levels=levels, name="n")
    found = converted(mel(source), contract("ln"), tmp_path, NOTE)
    assert np.abs(found.values - mel(contract("ln"))).max() <= 2e-3


@pytest.mark.slow
def test_the_first_of_several_reasons_is_always_the_same(tmp_path):
    """Not by the order of a set, which changes from run to run."""
    values = mel(contract("log10", fmax=11025.0, hop=200, padding="centre", n_fft=2048, formula="htk"))
    np.save(tmp_path / "mel.npy", values)
    audio.write(tmp_path / "note.wav", NOTE)
    code = (
        "import sys, numpy\n"
        "from diagnose.mel.check import contract_check\nfrom diagnose.mel.conversion import convert\n"
        "mel = numpy.load(sys.argv[1])\ntry:\n    convert(mel, contract_check(mel, sys.argv[3], sys.argv[2]))\n"
        "except Exception as error:\n    print(str(error)[:40])"
    )
    said = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "mel.npy"), str(tmp_path / "note.wav"), BASE],
            capture_output=True,
            text=True,
            timeout=600,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        assert done.stderr == ""
        said.add(done.stdout)
    assert len(said) == 1


# Power and magnitude: approximate, and the bound holds

SOUNDS = (
    "bowed string",
    "tone",
    "a tone at the edge of a band",
    "noise",
    "click",
    "violin.wav",
    "speech.ogg",
    "trumpet.ogg",
)
OFTEN = ("violin.wav",)
BOUNDS = [("dB power", "ln", name) for name in OFTEN] + [("ln", "ln power", "bowed string")]
BOUNDS += [pytest.param("dB power", "ln", name, marks=pytest.mark.slow) for name in SOUNDS if name not in OFTEN]
BOUNDS += [pytest.param("ln", "ln power", name, marks=pytest.mark.slow) for name in SOUNDS[1:]]


@pytest.fixture(scope="module")
def sound(request):
    def get(name):
        time = np.arange(22050) / 44100
        rng = np.random.default_rng(3)
        if name == "bowed string":
            return NOTE
        if name == "tone":
            samples = 0.5 * np.sin(2 * np.pi * 1234 * time) * np.clip(time / 0.1, 0, 1)
        elif name.startswith("a tone"):  # of 7429 Hz: a bin of band 77 where its filter has next to no weight
            samples = 0.5 * np.sin(2 * np.pi * 7429 * time) * np.clip(time / 0.1, 0, 1)
        elif name == "noise":
            samples = 0.1 * rng.standard_normal(time.size)
        elif name == "click":
            samples = 1e-4 * rng.standard_normal(time.size)
            samples[5000::7000] = 0.9
        else:
            found = audio.read(request.getfixturevalue("data") / name)
            return Audio(found.mono[None, : round(0.9 * found.rate)], found.rate, name)
        return Audio(samples[None].astype(np.float32), 44100, name)

    return get


@pytest.mark.parametrize(("source", "target", "name"), BOUNDS)
def test_the_stated_bound_holds_in_every_cell(tmp_path, record_property, sound, name, source, target):
    """-low_db <= true - given <= high_db, in dB, in every cell over the clip of either side."""
    heard = sound(name)
    wanted, given = contract(target), contract(source)
    found = converted(mel(given, heard), wanted, tmp_path, heard)
    assert not found.exact
    assert found.says.startswith("approximate")
    unit = 20 / np.log(10) if target == "ln" else 10 / np.log(10)
    truth = mel(wanted, heard)
    over = (truth > truth.min() + 0.5) & (mel(given, heard) > mel(given, heard).min() + 0.5)
    error = unit * (truth - found.values.astype(np.float64))[over]
    record_property("median_db", float(np.median(np.abs(error))))
    record_property("p95_db", float(np.percentile(np.abs(error), 95)))
    print(
        f"{name}, {source} -> {target}: |error| median {np.median(np.abs(error)):.2f} dB, 95 % "
        f"{np.percentile(np.abs(error), 95):.2f} dB, from {error.min():.2f} to {error.max():.2f}; "
        f"stated -{found.low_db:.2f} to +{found.high_db:.2f}"
    )
    assert error.min() >= -found.low_db - 0.02
    assert error.max() <= found.high_db + 0.02
    assert f"-{found.low_db:.1f} and +{found.high_db:.1f} dB" in found.says


@pytest.mark.slow
def test_over_noise_the_error_is_near_0(tmp_path, sound):
    heard = sound("noise")
    found = converted(mel(contract("dB power"), heard), contract("ln"), tmp_path, heard)
    error = 20 / np.log(10) * (mel(contract("ln"), heard) - found.values)
    assert abs(np.mean(error)) < 0.5


def test_decibels_of_a_power_without_the_sound_are_refused_or_within_the_bound(tmp_path):
    """The values alone cannot tell dB of a power from dB of a magnitude: 10 log10 x and 20 log10 x."""
    heard = with_silence(NOTE)
    values = mel(contract("dB power"), heard)
    try:
        found = converted(values, contract("ln"), tmp_path)
    except CannotConvert:
        return
    truth = mel(contract("ln"), heard)
    over = truth > truth.min() + 0.5
    error = 20 / np.log(10) * (truth - found.values)[over]
    assert error.min() >= -found.low_db - 0.02
    assert error.max() <= found.high_db + 0.02


@pytest.mark.slow
def test_the_clip_of_librosa_s_amin_is_not_called_exact(tmp_path):
    """-100 dB of power is 1e-5 of a magnitude; ln 1e-8 is wanted."""
    heard = with_silence(NOTE)
    wanted = msgspec.structs.replace(contract("ln power"), levels=ValueScale("ln-power", clip=1e-16))
    found = converted(mel(contract("dB power"), heard), wanted, tmp_path, heard)
    assert not found.exact
    assert "at a floor" in found.says


# Shapes


def test_batches_and_turned_arrays_keep_their_items_and_come_bands_first(tmp_path):
    heard = with_silence(NOTE)
    one, wanted = mel(contract("log10"), heard), contract("ln")
    truth = mel(wanted, heard)
    for given, shape in (
        (one.T, truth.shape),
        (one[None], (1, *truth.shape)),
        (np.stack([one, one]), truth.shape),  # of several, the one that was judged
        (np.stack([one.T, one.T]), truth.shape),
        (one[None, None], (1, 1, *truth.shape)),
        (torch.from_numpy(one)[None], (1, *truth.shape)),
        (torch.from_numpy(one).T.requires_grad_(), truth.shape),
        (one.astype(np.float64), truth.shape),
    ):
        found = converted(given, wanted, tmp_path)
        assert isinstance(found.values, np.ndarray)
        assert found.values.dtype == np.float32
        assert found.values.shape == shape
        assert np.abs(found.values - truth).max() <= 1e-3


@pytest.mark.parametrize("item", [0, 1])
def test_of_a_batch_the_item_that_was_judged_is_converted_by_itself(item):
    """A target whose reference is max: 0 is the top of the item, not of the loudest of the batch."""
    heard = with_silence(NOTE)
    one = mel(contract("log10"), heard)
    batch = np.stack([one, np.maximum(one - 1.0, -5.0)])
    batch[1 - item, 5, 5] = np.nan  # the other is not looked at
    found = convert(batch, contract_check(batch, "parallel_wavegan_v1", item=item))
    assert found.values.shape == one.shape
    assert f"item {item} of 2" in found.says


def test_the_source_is_left_as_it_was(tmp_path):
    heard = with_silence(NOTE)
    one = mel(contract("log10"), heard)
    before = one.copy()
    converted(one, contract("ln"), tmp_path)
    assert np.array_equal(one, before)


@pytest.mark.slow
def test_zero_in_a_linear_mel_is_the_clip(tmp_path):
    """log(0) is -inf and nothing's value."""
    heard = with_silence(NOTE)
    values = mel(msgspec.structs.replace(contract("magnitude"), bin_epsilon=0.0), heard)
    assert (values == 0).any()
    found = converted(values, contract("ln"), tmp_path, heard)
    assert np.isfinite(found.values).all()
    assert found.values.min() == pytest.approx(np.log(1e-5), abs=1e-5)


def test_the_grid_of_the_test_is_the_one_of_the_contract():
    assert isinstance(GRID, MelGrid)
    assert contract("ln").grid == GRID
