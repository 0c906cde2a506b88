"""infer_contract as a whole, and the choice among readings that fit alike."""

import numpy as np
import pytest

from diagnose import infer_contract
from diagnose.audio import Audio, resample
from diagnose.example import bowed_string
from diagnose.mel.contract import load
from diagnose.mel.fit import views
from diagnose.mel.ranking import settled


@pytest.fixture(scope="module")
def string():
    """44,100 Hz, with a tenth of a second of silence at its end, where a clip shows."""
    note = bowed_string(seconds=1.2)
    return Audio(np.pad(note.samples, ((0, 0), (0, 4410))), note.rate)


@pytest.fixture(scope="module")
def bigvgan(string):
    return load("bigvgan_base_22khz_80band").mel(resample(string, 22050).mono).values


@pytest.fixture(scope="module")
def inferred(bigvgan, string):
    return infer_contract(bigvgan, string)


EXPECTED = {
    "scale": "ln-magnitude",
    "log_base": "e",
    "clip": 1e-5,
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
}


FORMS = {"plain": lambda x: x, "transposed": lambda x: x.T, "batched": lambda x: x[None]}


def test_bigvgan_s_own_mel_is_told_field_by_field(inferred):
    fields = inferred.best.fields()
    assert {name: fields[name] for name in EXPECTED} == EXPECTED


@pytest.mark.parametrize(
    ("rate", "form"),
    [
        (22050, "transposed"),
        *(pytest.param(22050, form, marks=pytest.mark.slow) for form in ("plain", "batched")),
        *(pytest.param(44100, form, marks=pytest.mark.slow) for form in ("transposed", "batched")),
    ],
)
def test_it_is_told_at_either_rate_and_in_any_form(bigvgan, string, rate, form):
    form = FORMS[form]
    fields = infer_contract(form(bigvgan), resample(string, rate)).best.fields()
    assert {name: fields[name] for name in EXPECTED} == EXPECTED


def test_without_the_sound_the_grid_is_unknown(bigvgan):
    found = infer_contract(bigvgan)
    fields = found.best.fields()
    assert [fields[name] for name in ("scale", "clip", "bands")] == ["ln-magnitude", 1e-5, 80]
    assert all(fields[name] is None for name in ("rate_hz", "n_fft", "hop", "fmin_hz", "fmax_hz", "formula", "centred"))


@pytest.mark.slow
def test_a_model_s_output_3_dB_off_still_shows_its_grid(bigvgan, string):
    noise = np.random.default_rng(0).standard_normal(bigvgan.shape) * 3 / (20 / np.log(10))
    fields = infer_contract(bigvgan + noise, string).best.fields()
    names = ("scale", "rate_hz", "n_fft", "hop", "formula", "norm", "centred")
    assert {name: fields[name] for name in names} == {name: EXPECTED[name] for name in names}
    assert fields["fmax_hz"] == pytest.approx(8000, rel=0.01)


@pytest.mark.slow
def test_another_sound_tells_no_grid_and_says_so(bigvgan):
    other = Audio(np.random.default_rng(0).standard_normal((1, 26460)).astype(np.float32) * 0.1, 22050, "noise.wav")
    found = infer_contract(bigvgan, other)
    assert found.best.grid is None
    assert "noise.wav" in found.ambiguous[0]
    assert "another sound" in found.ambiguous[0]


@pytest.mark.slow
def test_what_is_the_same_at_two_rates_is_chosen_by_the_level(string):
    # 0..8 kHz at 22,050/1024/256 and 44,100/2048/512 hold the same bins; only the level tells, by 6 dB.
    mel = load("tacotron2_waveglow").mel(resample(string, 22050).mono).values
    assert infer_contract(mel, string).best.fields()["rate_hz"] == 22050


@pytest.mark.slow
def test_twice_the_level_is_the_other_rate_or_another_reference(string):
    mel = load("tacotron2_waveglow").mel(resample(string, 22050).mono).values
    level = infer_contract(np.log(np.exp(mel) * 2), string).best.fields()
    assert (level["rate_hz"], level["reference"]) in [(44100, 1.0), (22050, pytest.approx(0.5, rel=1e-3))]


def test_equals_leave_a_field_unknown_and_are_told_in_words(inferred):
    best = inferred.candidates[0]
    from msgspec.structs import replace

    other = replace(best, grid=replace(best.grid, padding="none"))
    found, said = settled([(best, 5.0), (other, 4.9)])
    assert found[0].fields()["padding"] is None
    assert found[0].fields()["centred"] is False
    assert said == ["cannot distinguish padding same-reflect from padding none"]
    assert sum(each.probability for each in found) == pytest.approx(1)
    found, said = settled([(best, 5.0), (other, 1.0)])
    assert found[0].fields()["padding"] == "same-reflect"
    assert said == []


SMALL = [(80, 3), (3, 80), (1, 50), (2, 2), (4, 4), (80, 1)]


def test_a_constant_array_has_no_reading():
    found = infer_contract(np.zeros((80, 50)))
    assert (found.best, found.candidates) == (None, ())


@pytest.mark.parametrize(
    ("seconds", "shape"),
    [
        (0.4, (80, 3)),
        (0.05, (4, 4)),
        *(pytest.param(0.4, shape, marks=pytest.mark.slow) for shape in SMALL if shape != (80, 3)),
        *(pytest.param(0.05, shape, marks=pytest.mark.slow) for shape in SMALL if shape != (4, 4)),
    ],
)
def test_small_arrays_and_short_sounds_are_answered_without_a_warning(shape, seconds, string):
    values = np.random.default_rng(0).standard_normal(shape)
    sound = Audio(string.samples[:, : int(seconds * 44100)], 44100)
    assert infer_contract(values, sound).best is not None


@pytest.mark.slow
@pytest.mark.parametrize("rate", [2000, 8000, 96000])
def test_unusual_rates_and_silent_sounds_are_answered(rate):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((40, 60))
    for samples in (rng.standard_normal((1, rate)), np.zeros((1, rate)), np.ones((1, rate))):
        assert infer_contract(values, Audio(samples.astype(np.float32), rate)).bands == 40


def test_views_leave_out_floor_ceiling_and_a_learnt_floor(rng):
    values = rng.standard_normal((80, 100)) * 10
    values[:40] = -80.0
    values[40, :5] = values.max() + 1
    view = next(views(values))
    assert not view.linear
    assert not view.heard[:40].any()
    assert not view.heard[40, :5].any()
    learnt = rng.uniform(-60, 0, (80, 100))
    learnt[:30] = -80 + rng.standard_normal((30, 100))
    assert next(views(learnt)).heard[:30].mean() < 0.05
