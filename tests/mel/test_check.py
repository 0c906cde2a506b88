"""Is an array what a contract asks for?  Mels made with librosa and torch, each wrong in a way that is known."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import diagnose
from diagnose import audio, check_contract, example
from diagnose.audio import Audio
from diagnose.errors import DiagnoseError, InputError, NotComparable
from diagnose.mel import check
from diagnose.mel.check import GRID_FIELDS, ContractMismatch, contract_check
from diagnose.mel.contract import load, names
from diagnose.mel.inference import infer
from diagnose.render.mel import to_json

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import librosa
    import torch

BASE = "bigvgan_base_22khz_80band"
REAL = ("trumpet.ogg", "violin.wav", "robin.ogg", "strings.ogg")
LIKE_BASE = {"bigvgan_22khz_80band", "bigvgan_v2_22khz_80band_fmax8k_256x", "hifigan_v1", "hifigan_universal", BASE}


def with_silence(sound, seconds=0.12):
    """The same with digital silence behind it, so that a clip shows."""
    return Audio(np.pad(sound.mono, (0, round(seconds * sound.rate)))[None], sound.rate, sound.name)


NOTE = with_silence(example.bowed_string(seconds=0.7))


def made(
    sound=NOTE,
    rate=22050,
    n_fft=1024,
    hop=256,
    bands=80,
    fmin=0.0,
    fmax=8000.0,
    htk=False,
    norm="slaney",
    centred=False,
    power=1,
    clip=1e-5,
    gain_db=0.0,
    log=np.log,
):
    """BigVGAN's mel by librosa, with one thing or another done differently [shape=(bands, frames)]."""
    samples = audio.resample(sound, rate).mono.astype(np.float64) * 10 ** (gain_db / 20)
    samples = np.pad(samples, n_fft // 2 if centred else (n_fft - hop) // 2, mode="reflect")
    magnitude = np.abs(librosa.stft(samples, n_fft=n_fft, hop_length=hop, center=False))
    basis = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=bands, fmin=fmin, fmax=fmax, htk=htk, norm=norm)
    return log(np.maximum(basis @ magnitude**power, clip)).astype(np.float32)


def librosa_db(sound):
    """As the pipeline of the first diagnosis made it."""
    samples = audio.resample(sound, 22050).mono
    power = librosa.feature.melspectrogram(y=samples, sr=22050, n_fft=1024, hop_length=256, n_mels=80, fmax=11025)
    return librosa.power_to_db(power, ref=np.max)


def fields(found):
    return {each.field for each in found.differences}


@pytest.fixture(scope="module")
def right():
    return made()


@pytest.fixture(scope="module")
def inferences():
    return {}


@pytest.fixture
def inferred_once(monkeypatch, inferences):
    """The search runs once an array, however many contracts it is held against."""

    def inferred(read, sound, item=0, asked=()):
        key = (read.values.tobytes(), id(sound), item)
        if key not in inferences:  # the sound is kept, so that its id stays its own
            inferences[key] = (sound, infer(read, sound, item, [load(name) for name in names()]))
        return inferences[key][1]

    monkeypatch.setattr(check, "infer", inferred)


# "It is done when"

SAID = {
    "scale": "",
    "pooled": "pooled power, not magnitude: the filters sum |STFT|**2, not |STFT|",
    "reference": "reference max, not 1: reference lost",
    "fmax_hz": "fmax_hz 11025, not 8000: band 60 is at 4.73 kHz instead of 3.71 kHz",
    "centred": "frames are centred, but should not be: every frame is 5.8 ms earlier",
}


@pytest.mark.parametrize("sound", ["violin.wav", pytest.param("bowed string", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("undo", "scale"),
    [
        pytest.param(
            lambda x: x,
            "scale power-db, not ln-magnitude: dB, not natural logarithms: values -80 to 0, expected -11.51 to 3.22",
            id="dB",
        ),
        pytest.param(
            lambda x: 10 ** (x / 10),
            "scale power, not ln-magnitude: linear values, not natural logarithms: values 1e-08 to 1, expected",
            id="/10",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda x: 10 ** (x / 20),
            "scale magnitude, not ln-magnitude: linear values, not natural logarithms: values 0.0001",
            id="/20",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_the_mel_of_the_first_diagnosis_is_refused_for_all_its_faults(request, sound, undo, scale):
    heard = NOTE if sound == "bowed string" else audio.read(request.getfixturevalue("data") / sound)
    with pytest.raises(ContractMismatch) as caught:
        check_contract(undo(librosa_db(heard)), BASE, heard)
    found = {each.field: each.line for each in caught.value.agreement.differences}
    assert set(found) == {*SAID, "top_db"}  # power_to_db's hidden one, which is lost too
    for field, line in {**SAID, "scale": scale}.items():
        assert found[field].startswith(line)
    first, *lines = str(caught.value).splitlines()
    assert BASE in first
    assert lines == [f"  {line}" for line in found.values()]


def test_without_the_sound_the_values_say_enough_to_refuse_it():
    for undo in (lambda x: x, lambda x: 10 ** (x / 10), lambda x: 10 ** (x / 20)):
        found = contract_check(undo(librosa_db(NOTE)), BASE)
        assert {"scale", "reference"} <= fields(found) <= {"scale", "reference", "pooled", "top_db"}
        assert set(found.unchecked) == set(GRID_FIELDS)


# What is right passes


def test_bigvgan_s_own_mel_passes_with_the_sound_and_says_that_all_was_checked(right):
    found = check_contract(right, BASE, NOTE)
    assert (found.verdict, found.differences, found.unchecked) == ("PASS", (), ())
    assert found.misfit_db < 0.02
    assert found.inference.best.fields() | {"clip": None} == {
        "scale": "ln-magnitude",
        "log_base": "e",
        "clip": None,
        "reference": 1.0,
        "rate_hz": 22050,
        "n_fft": 1024,
        "hop": 256,
        "bands": 80,
        "fmin_hz": 0.0,
        "fmax_hz": 8000.0,
        "formula": "slaney",
        "norm": "slaney",
        "centred": False,
        "padding": "same-reflect",
        "pooled": "magnitude",
        "top_db": None,
        "range": None,
        "range_db": None,
    }
    assert found.inference.best.fields()["clip"] == pytest.approx(1e-5, rel=1e-3)


def test_it_passes_without_the_sound_and_says_what_was_not_checked(right):
    found = check_contract(right, BASE)
    assert (found.verdict, found.misfit_db) == ("PASS", None)
    assert found.unchecked == GRID_FIELDS


@pytest.mark.parametrize(
    "given",
    [
        lambda mel: mel[None],
        lambda mel: mel[None, None],
        lambda mel: mel.astype(np.float64),
        lambda mel: mel.astype(np.float16),
        lambda mel: np.asfortranarray(mel),
        lambda mel: np.stack([mel, mel]),
        torch.from_numpy,
        lambda mel: torch.from_numpy(mel)[None],
        lambda mel: torch.from_numpy(mel).requires_grad_(),
        lambda mel: torch.from_numpy(mel).half(),
        lambda mel: torch.nn.Parameter(torch.from_numpy(mel)),
        lambda mel: mel.tolist(),
    ],
    ids=[
        "1,80,T",
        "1,1,80,T",
        "f64",
        "f16",
        "Fortran",
        "2,80,T",
        "torch",
        "torch 1",
        "grad",
        "half",
        "parameter",
        "list",
    ],
)
def test_it_passes_as_whatever_it_is_held(right, given):
    before = right.copy()
    held = given(right)
    assert check_contract(held, BASE).verdict == "PASS"
    assert np.array_equal(right, before)
    if isinstance(held, torch.Tensor):
        assert np.array_equal(
            held.detach().float().numpy().reshape(right.shape), right.astype(held.detach().numpy().dtype)
        )


@pytest.mark.slow
def test_a_batch_of_torch_s_passes_with_the_sound_too(inferred_once, right):
    assert check_contract(torch.from_numpy(right)[None], BASE, NOTE).misfit_db < 0.02


@pytest.mark.slow
def test_the_sound_may_be_a_path(right, tmp_path):
    audio.write(tmp_path / "note.wav", NOTE)
    assert check_contract(right, BASE, tmp_path / "note.wav").misfit_db < 0.5  # 16 bits: quiet cells are noise


@pytest.mark.slow
def test_the_sound_may_be_an_array_at_another_rate(right):
    at_mel_rate = audio.resample(NOTE, 22050)
    assert check_contract(right, BASE, at_mel_rate.mono, rate=22050).misfit_db < 0.02


@pytest.mark.parametrize("name", ["speech.ogg", *(pytest.param(name, marks=pytest.mark.slow) for name in REAL)])
def test_the_mel_of_a_real_sound_passes(data, name):
    sound = audio.read(data / name)
    sound = Audio(sound.mono[None, : 2 * sound.rate], sound.rate)
    assert check_contract(made(sound), BASE, sound).misfit_db < 0.1


SOUNDS = {
    "bowed string": NOTE,
    "a low note": example.bowed_string(f0_hz=98.0, seconds=0.8),
    "violin.wav": None,
    "speech.ogg": None,
    "trumpet.ogg": None,
    "robin.ogg": None,
    "strings.ogg": None,
}


@pytest.mark.parametrize("sound", SOUNDS)
def test_a_contract_s_own_mel_is_not_refused_without_the_sound(request, sound):
    """A wrong alarm costs more than none: what the values cannot say for sure is no difference."""
    heard = SOUNDS[sound] or audio.read(request.getfixturevalue("data") / sound)
    excerpt = Audio(heard.mono[None, : 3 * heard.rate], heard.rate)
    contracts = {name: load(name) for name in names()}
    at_rate = {rate: audio.resample(excerpt, rate).mono for rate in {one.grid.rate for one in contracts.values()}}
    refused = [
        (name, each.line)
        for name, wanted in contracts.items()
        for each in contract_check(wanted.mel(at_rate[wanted.grid.rate]).values, name).differences
    ]
    assert refused == []


OFTEN = {"vocos_mel_24khz"}
EACH = [
    pytest.param(name, marks=() if name in OFTEN else pytest.mark.slow) for name in names() if name not in LIKE_BASE
]


@pytest.mark.parametrize("name", EACH)
def test_a_contract_s_own_mel_is_right_with_the_sound(name):
    wanted = load(name)
    own = wanted.mel(audio.resample(NOTE, wanted.grid.rate).mono).values
    found = check_contract(own, name, NOTE)
    assert (found.verdict, found.unchecked) == ("PASS", ())
    assert found.misfit_db < 1e-3


# Another contract is named by what differs


def differing(ours, theirs):
    """Fields in which two contracts differ, and those that may be told besides."""
    grids = {
        "rate_hz": "rate",
        "n_fft": "n_fft",
        "hop": "hop",
        "bands": "bands",
        "fmin_hz": "fmin",
        "fmax_hz": "fmax",
        "formula": "formula",
        "norm": "norm",
    }
    wrong = {field for field, name in grids.items() if getattr(ours.grid, name) != getattr(theirs.grid, name)}
    if ours.grid.padding.startswith("centre") != theirs.grid.padding.startswith("centre"):
        wrong.add("centred")
    if ours.levels.name != theirs.levels.name:
        wrong.add("scale")
    if ours.levels.summed != theirs.levels.summed:
        wrong.add("pooled")
    return wrong


@pytest.mark.parametrize("name", [name for name in names() if name not in LIKE_BASE])
def test_bigvgan_s_mel_is_refused_by_every_contract_that_differs(inferred_once, right, name):
    found = contract_check(right, name, NOTE)
    wrong = differing(load(BASE), load(name))
    assert wrong - {"reference"} <= fields(found)
    levels_too = {"clip", "top_db", "range"} if {"scale", "pooled"} & wrong else {"clip"}
    assert fields(found) <= wrong | levels_too | ({"reference"} if load(name).levels.reference == "max" else set())


@pytest.mark.parametrize("name", sorted(LIKE_BASE))
def test_those_with_the_same_figures_read_it(inferred_once, right, name):
    assert contract_check(right, name, NOTE).differences == ()


@pytest.mark.slow
def test_of_a_family_the_nearest_is_held_against(inferred_once, right):
    assert contract_check(right, "bigvgan", NOTE).wanted.name in LIKE_BASE
    assert contract_check(right, "bigvgan_v2_22khz", NOTE).wanted.name == "bigvgan_v2_22khz_80band_fmax8k_256x"
    other = load("bigvgan_v2_24khz_100band_256x")
    own = other.mel(audio.resample(NOTE, 24000).mono).values
    assert contract_check(own, "bigvgan", NOTE).wanted.grid == other.grid


# One thing wrong at a time


def log10(x):
    return np.log10(x)


def decibels(x):
    return 20 * np.log10(x)


def linear(x):
    return x


def on_minus_1_to_1(x):
    level = np.log(x)
    return 2 * (level - level.min()) / (level.max() - level.min()) - 1


def on_0_to_1(x):
    return (on_minus_1_to_1(x) + 1) / 2


AT_MEL_RATE = audio.resample(NOTE, 22050)
# One of the filters, one of the time, one of the level and one of the sums in the ordinary run.
ONE = {
    "norm none": ({"norm": None}, {"norm"}),
    "hop 275": ({"hop": 275}, {"hop"}),
    # Twice the level at 44.1 kHz is what 44,100 Hz with twice the window and hop gives: at its own rate it is not.
    "6 dB": ({"gain_db": 6.0, "sound": AT_MEL_RATE}, {"reference"}),
    "ln of power": ({"power": 2, "clip": 1e-10}, {"pooled"}),
}
MORE = {
    "fmin 50": ({"fmin": 50.0}, {"fmin_hz"}),
    "fmax 7600": ({"fmax": 7600.0}, {"fmax_hz"}),
    "htk": ({"htk": True}, {"formula"}),
    "n_fft 2048": ({"n_fft": 2048}, {"n_fft"}),
    "centred": ({"centred": True}, {"centred"}),
    "100 bands": ({"bands": 100}, {"bands"}),
    "24 kHz": ({"rate": 24000}, {"rate_hz"}),
    "clip 1e-7": ({"clip": 1e-7}, {"clip"}),
    "clip 1e-3": ({"clip": 1e-3}, {"clip"}),
    "-6 dB": ({"gain_db": -6.0}, {"reference"}),
    "log10": ({"log": log10}, {"scale"}),
    "no log": ({"log": linear}, {"scale"}),
    "on -1 to 1": ({"log": on_minus_1_to_1}, {"scale"}),
    "fmin 125": ({"fmin": 125.0}, {"fmin_hz"}),
    "fmax 11025": ({"fmax": 11025.0}, {"fmax_hz"}),
    "hop 200": ({"hop": 200}, {"hop"}),
    "n_fft 512": ({"n_fft": 512}, {"n_fft"}),
    "16 kHz": ({"rate": 16000}, {"rate_hz"}),
    "-20 dB": ({"gain_db": -20.0}, {"reference"}),
    "-20 dB at its own rate": ({"gain_db": -20.0, "sound": AT_MEL_RATE}, {"reference"}),
    "20 log10": ({"log": decibels}, {"scale"}),
    "power": ({"power": 2, "clip": 1e-10, "log": linear}, {"scale", "pooled"}),
    "on 0 to 1": ({"log": on_0_to_1}, {"scale"}),
}


@pytest.fixture(scope="module")
def wrong_one():
    """wrong_one("htk") -> the check of BigVGAN's mel with that one thing wrong; each is made once."""
    made_once = {}

    def held(kind):
        if kind not in made_once:
            changes, _ = {**ONE, **MORE}[kind]
            made_once[kind] = contract_check(made(**changes), BASE, changes.get("sound", NOTE))
        return made_once[kind]

    return held


def assert_named(found, wrong):
    assert [each.line for each in found.differences if each.field not in wrong] == []
    assert fields(found) == wrong


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow if kind in ("6 dB", "norm none") else ()) for kind in ONE]
)
def test_one_thing_wrong_is_the_one_that_is_named(wrong_one, kind):
    assert_named(wrong_one(kind), ONE[kind][1])


@pytest.mark.slow
@pytest.mark.parametrize("kind", MORE)
def test_another_thing_wrong_is_the_one_that_is_named(wrong_one, kind):
    assert_named(wrong_one(kind), MORE[kind][1])


FIGURES = [
    ("hop 275", "hop", 275, 256, "a frame every 12.47 ms: the sound becomes 0.931 times as long"),  # 256 / 275
    ("n_fft 2048", "n_fft", 2048, 1024, "frames of 92.9 ms, not 46.4"),
    ("n_fft 2048", "n_fft", 2048, 1024, "another level"),  # twice the sum of the window
    ("24 kHz", "rate_hz", 24000, 22050, "the vocoder writes 22050 samples per second"),  # 22050 / 24000
    (
        "norm none",
        "norm",
        "none",
        "slaney",
        "the highest is 7.94 times too large",
    ),  # widths 44 to 360 Hz and more
    ("centred", "centred", True, False, "5.8 ms earlier"),  # 128 / 22050
    ("6 dB", "reference", 0.501187, 1.0, "every level is +6.0 dB off"),
    ("-6 dB", "reference", 1.995262, 1.0, "every level is -6.0 dB off"),
    ("fmax 7600", "fmax_hz", 7600, 8000, "band 60 is at 3.57 kHz instead of 3.71 kHz"),
]


@pytest.mark.parametrize(
    ("kind", "field", "found", "should_be", "consequence"),
    [
        pytest.param(*one, marks=() if one[0] in ONE and one[0] not in ("6 dB", "norm none") else pytest.mark.slow)
        for one in FIGURES
    ],
)
def test_the_figures_in_a_line_are_true(wrong_one, kind, field, found, should_be, consequence):
    (each,) = (one for one in wrong_one(kind).differences if one.field == field)
    assert each.found == pytest.approx(found, rel=1e-3) if isinstance(found, float) else each.found == found
    assert each.should_be == should_be
    assert consequence in each.consequence


def test_the_places_of_band_60_are_librosa_s():
    for fmax, kilohertz in ((11025, 4.73), (8000, 3.71), (7600, 3.57)):
        centres = librosa.mel_frequencies(n_mels=82, fmin=0, fmax=fmax)
        assert centres[61] / 1000 == pytest.approx(kilohertz, abs=0.006)


@pytest.mark.slow
def test_samples_in_16_bit_units_are_said_to_be_too_loud():
    """Power 2**30 times as high: the reference is 1e-9, which must not be rounded to 0."""
    wanted = load("torchaudio_melspectrogram")
    own = wanted.mel(audio.resample(NOTE, 16000).mono).values.astype(np.float64) * 2.0**30
    (difference,) = contract_check(own, wanted.name, NOTE).differences
    assert difference.field == "reference"
    assert "+90.3 dB" in difference.consequence


# Signs and odd arrays


def test_a_transposed_array_is_refused_and_named(right):
    """By its sizes; the command line, which may turn it, only says so."""
    for held in (right.T, right.T[None], torch.from_numpy(right).T):
        with pytest.raises(ContractMismatch) as caught:
            check_contract(held, BASE)
        (difference,) = caught.value.agreement.differences
        assert (difference.field, difference.found, difference.should_be) == ("axes", "frames, bands", "bands, frames")
    assert contract_check(right.T, BASE).differences == ()


def test_a_square_mel_is_not_turned(right):
    assert right.shape[1] < 80
    square = np.concatenate([right, right], axis=1)[:, :80]
    assert check_contract(square, BASE).verdict == "PASS"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_value_that_is_not_finite_is_refused(right, value):
    broken = right.copy()
    broken[40, 20] = value
    for sound in (None, NOTE) if np.isnan(value) else (None,):
        with pytest.raises(ContractMismatch, match="NaN or infinite") as caught:
            check_contract(broken, BASE, sound)
        assert "not-finite" in fields(caught.value.agreement)
    line = next(one for one in str(caught.value).splitlines() if "not-finite" in one)
    assert "not none" not in line  # "not-finite X, not none" would be no sentence


def test_nan_in_another_item_of_a_batch_is_refused_too(right):
    batch = np.stack([right, right])
    batch[1, 40, 20] = np.nan
    with pytest.raises(ContractMismatch, match="NaN"):
        check_contract(batch, BASE)


def test_an_item_of_a_batch_that_is_in_another_scale_is_refused(right):
    with pytest.raises(ContractMismatch):
        check_contract(np.stack([right, np.exp(right)]), BASE)


@pytest.mark.parametrize("value", [0.0, 1.0, -80.0])
def test_a_constant_array_is_refused_without_the_sound(value):
    with pytest.raises(ContractMismatch, match="every value is"):
        check_contract(np.full((80, 60), value, np.float32), BASE)


def test_the_mel_of_silence_is_what_the_vocoder_reads():
    """Its own mel of digital silence is ln 1e-5 everywhere, and that is no fault."""
    silence = Audio(np.zeros((1, 22050), np.float32), 22050)
    mel = load(BASE).mel(silence.mono).values
    assert np.ptp(mel) == 0
    assert check_contract(mel, BASE, silence).misfit_db == 0


@pytest.mark.parametrize(
    "array",
    [np.zeros(80), np.zeros((1, 1, 1, 80, 9)), np.zeros((80, 0)), np.full((80, 9), np.nan), "mel", None, [[1, 2], [3]]],
    ids=["1-D", "5-D", "empty", "NaN", "text", "None", "ragged"],
)
def test_what_is_no_mel_is_an_input_error(array):
    with pytest.raises(InputError) as caught:
        check_contract(array, BASE)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="no such contract"):
        check_contract(np.zeros((80, 9)), "nosuch")


@pytest.mark.parametrize("frames", [3, *(pytest.param(frames, marks=pytest.mark.slow) for frames in (1, 2, 4, 5))])
def test_next_to_no_frames(frames):
    """Few frames say little, and nothing false."""
    mel = made()[:, 10 : 10 + frames]
    found = contract_check(mel, BASE)
    assert fields(found) <= {"clip"}
    assert contract_check(mel, BASE, NOTE).verdict in ("PASS", "FAIL")


def outcome(function, *arguments):
    """(what it returns, None), or (None, the project's own error)."""
    try:
        return function(*arguments), None
    except DiagnoseError as error:
        return None, error


numbers = st.sampled_from([np.float32, np.float64, np.float16, np.int8, np.int64, np.uint8]).flatmap(
    lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=7))
)


@given(numbers, st.sampled_from([BASE, "librosa_db_max", "whisper", "torchaudio_melspectrogram", "bigvgan"]))
def test_any_numbers_are_judged_or_refused(array, name):
    """No warning, no error but the project's own, and JSON that every parser reads."""
    found, refusal = outcome(contract_check, array, name)
    if refusal is not None:
        assert isinstance(refusal, InputError)
        assert "\n" not in str(refusal)
        return
    json.loads(to_json("x", found.inference, found), parse_constant=pytest.fail)
    _, refusal = outcome(check_contract, array, name)
    assert refusal is None or isinstance(refusal, ContractMismatch)
    assert refusal is None or all(line.strip() for line in str(refusal).splitlines())


def test_numbers_that_are_no_level_are_refused(right):
    with pytest.raises(InputError, match="over 1e\\+30"):
        contract_check(right.astype(np.float64) * 1e300, BASE)


@pytest.mark.parametrize("scale", [1e-300, *(pytest.param(scale, marks=pytest.mark.slow) for scale in (1e-30, 1e28))])
def test_numbers_at_the_ends_of_the_range_are_judged(right, scale):
    for array in (np.exp(right.astype(np.float64)) * scale, right.astype(np.float64) * scale):
        assert contract_check(array, BASE).verdict == "FAIL"
    if scale in (1e-30, 1e28):
        assert contract_check(np.exp(right.astype(np.float64)) * scale, BASE, NOTE).verdict == "FAIL"


@pytest.fixture(scope="module")
def another():
    return example.bowed_string(f0_hz=311.0, seconds=0.82)


@pytest.mark.slow
def test_another_sound_s_grid_is_not_taken_for_this_one_s(inferred_once, right, another):
    """A sound that the mel was not made from says nothing of its grid, and nothing false."""
    found = contract_check(right, BASE, another)
    assert fields(found) & set(GRID_FIELDS) == set()
    assert found.unchecked == GRID_FIELDS
    assert "from another sound" in found.inference.ambiguous[0]


@pytest.mark.slow
def test_another_sound_is_not_comparable_and_no_pass(inferred_once, right, another):
    with pytest.raises(NotComparable, match="another sound"):
        check_contract(right, BASE, another)


@pytest.mark.slow
def test_noise_for_the_sound_is_answered(right):
    """The contract's own reading may not even rise with the array."""
    noise = Audio(np.random.default_rng(0).standard_normal((1, 15_000)).astype(np.float32) * 0.1, 22050)
    assert contract_check(right, BASE, noise).verdict in ("ERROR", "FAIL")


# Lines


def test_the_message_has_one_line_a_difference(right):
    with pytest.raises(ContractMismatch) as caught:
        check_contract(librosa_db(NOTE), BASE, name="mel of take 3")
    first, *rest = str(caught.value).splitlines()
    assert first.startswith("mel of take 3")
    assert BASE in first
    assert rest == [f"  {each.line}" for each in caught.value.agreement.differences]
    for one, other in itertools.combinations(rest, 2):
        assert one != other
    assert isinstance(caught.value, DiagnoseError)
    assert caught.value.exit_code == 1


def test_the_front_door_has_it():
    assert diagnose.check_contract is check_contract
    assert diagnose.ContractMismatch is ContractMismatch


@pytest.mark.slow
def test_numpy_alone_is_enough(tmp_path, right):
    np.save(tmp_path / "mel.npy", right)
    audio.write(tmp_path / "note.wav", NOTE)
    code = (
        "import sys, numpy, diagnose\n"
        "diagnose.check_contract(numpy.load(sys.argv[1]), sys.argv[3])\n"
        "diagnose.check_contract(numpy.load(sys.argv[1]), sys.argv[3], sys.argv[2])\n"
        "heavy = {'torch', 'librosa', 'scipy', 'matplotlib', 'pandas', 'bigvgan', 'PIL', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    arguments = [str(tmp_path / "mel.npy"), str(tmp_path / "note.wav"), BASE]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=600)
    assert (done.stdout, done.stderr) == ("[]\n", "")
