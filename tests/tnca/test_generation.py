"""From a run to a sound: what is grown, what is carried beside it, which vocoder speaks."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch

import tnca
from diagnose import example
from diagnose.audio import Audio
from diagnose.errors import InputError
from diagnose.mel.contract import load
from tnca import generation
from tnca.config import Target as Settings
from tnca.config import parse
from tnca.figures import ceiling, figures_of
from tnca.generation import carried, generate, vocoder_of
from tnca.target import target_of
from tnca.training.look import grow
from tnca.training.run import begin
from tnca.vocoders.griffinlim import GriffinLim
from tnca.vocoders.vocoder import Mel, OtherContract, check

CPU = torch.device("cpu")
BIGVGAN = load("bigvgan_base_22khz_80band")
RATE = 22050


def settings(contract):
    return parse(
        {
            "target": {"contract": contract},
            "cell": {"channels": 4, "hidden": [8], "fire_rate": 0.5, "output": "linear", "centre": -7.5, "spread": 3.5},
            "growth": {"steps": [2, 4]},
            "loss": {"terms": [{"term": "l2"}]},
        },
        "the test",
    )


def run_on(sound, contract="bigvgan_base_22khz_80band"):
    config = settings(contract)
    run = begin(config, target_of(sound, config.target), CPU, None)
    with torch.no_grad():  # the last layer is zero at first: with some weights there is something to tell apart
        for weights in (run.rule.state_dict(), run.best["rule"]):
            weights["weights.1"].normal_(0, 0.02, generator=torch.Generator().manual_seed(len(weights)))
    return run


@pytest.fixture(scope="module")
def run():
    return run_on(example.bowed_string(392.0, seconds=0.3))


@pytest.fixture(scope="module")
def string():
    """A run on the string note, whose rule is never asked."""
    return run_on(example.bowed_string(seconds=0.6))


@pytest.fixture
def perfect(monkeypatch):
    """Rules that grow the very target."""
    monkeypatch.setattr(generation, "grow", lambda rule, target, steps, seed: Mel(target.values, target.contract))


# Generating


def test_it_is_the_best_rule_grown_and_griffin_lim(run):
    run.rule.biases[-1].data[0] = 0.5  # the rule as it is now; the best is another
    made = generate(run)
    mel = grow(run.best_rule, run.target, 4, 0)
    assert np.array_equal(made.mel.values, mel.values)
    assert not np.array_equal(grow(run.rule, run.target, 4, 0).values, mel.values)
    sound = GriffinLim(run.target.contract)(mel)
    assert np.array_equal(made.sound.samples, sound.samples)
    assert made.judged.figures == figures_of(run.target, sound).figures
    assert made.ceiling.figures == ceiling(run.target, GriffinLim(run.target.contract))[1].figures
    assert made.errors_db == run.target.errors_db(mel.values)
    assert made.without_phase is None


@pytest.mark.slow
def test_steps_and_seed_are_those_that_are_asked_for(run):
    mels = {(steps, seed): generate(run, steps=steps, seed=seed).mel.values for steps in (2, 4) for seed in (0, 1)}
    for (steps, seed), values in mels.items():
        assert np.array_equal(values, grow(run.best_rule, run.target, steps, seed).values)
    assert len({values.tobytes() for values in mels.values()}) == 4
    assert np.array_equal(generate(run).mel.values, mels[4, 0])


@pytest.mark.parametrize("steps", [0, -1, 10_001])
def test_steps_out_of_range_are_refused(run, steps):
    with pytest.raises(InputError, match=f"^--steps {steps}: must be 1 to 10000$"):
        generate(run, steps=steps)


def test_a_perfect_rule_reaches_the_ceiling(string, perfect):
    made = generate(string)
    assert made.judged.figures == made.ceiling.figures
    assert set(made.errors_db.values()) == {0}


def test_the_front_door_gives_the_sound(run):
    assert np.array_equal(tnca.generate(run).samples, generate(run).sound.samples)


def test_a_sound_is_trained_through_the_front_door(tmp_path):
    config = msgspec.structs.replace(settings("bigvgan_base_22khz_80band"), epochs=1)
    samples = example.bowed_string(392.0, seconds=0.2, rate=RATE).samples
    run = tnca.train(samples, config, rate=RATE, folder=str(tmp_path / "run"), device="cpu")
    assert run.epoch == 1
    with pytest.raises(InputError, match="an array has no sampling rate"):
        tnca.train(samples, config)


# Phases


@pytest.mark.slow
def test_the_targets_phases_bring_it_nearer(string, perfect):
    made = generate(string, phase="target")
    assert made.without_phase.figures == generate(string).judged.figures
    own, without = (each.figures["spectral_convergence"] for each in (made.judged, made.without_phase))
    assert own < 0.5 * without
    waves = [sound.mono.astype(np.float64) for sound in (made.sound, generate(string).sound)]
    wanted = string.target.sound.mono[: waves[0].size]
    errors = [np.sum((wave - wanted) ** 2) / np.sum(wanted**2) for wave in waves]
    assert errors[0] < 0.05 < errors[1]


def test_the_targets_phases_are_those_of_its_stft(string):
    phases = carried(string.target, "target")
    frames = string.target.values.shape[1]
    assert phases.shape == (frames, 513)
    padded = np.pad(string.target.sound.mono.astype(np.float64), 384, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    for at in (0, 50, frames - 1):
        spectrum = np.fft.rfft(window * padded[at * 256 : at * 256 + 1024])
        loud = np.abs(spectrum) > 1e-3 * np.abs(spectrum).max()
        turned = np.exp(1j * (phases[at] - np.angle(spectrum)))[loud]
        np.testing.assert_allclose(turned, 1, atol=1e-3)


@pytest.mark.parametrize("hz", [440.0, 1000.0, 3456.7])
def test_of_a_sine_the_frequency_is_the_phase_but_for_a_constant(hz):
    sine = 0.5 * np.sin(2 * np.pi * hz * np.arange(RATE // 2) / RATE + 0.7)
    target = target_of(Audio(sine.astype(np.float32)[None], RATE, "a sine"), Settings(BIGVGAN))
    own, kept = carried(target, "target"), carried(target, "frequency")
    assert own.shape == kept.shape
    assert (kept[0] == 0).all()
    middle = round(hz * 1024 / RATE)
    inner = slice(4, own.shape[0] - 4)  # frames without a mirror image in them
    for bin_ in (middle - 1, middle, middle + 1):
        turn = np.exp(1j * (own[inner, bin_] - kept[inner, bin_]))
        np.testing.assert_allclose(turn, turn[0], atol=1e-3)
    advance = np.diff(kept[inner, middle])
    np.testing.assert_allclose(np.exp(1j * advance), np.exp(2j * np.pi * hz * 256 / RATE), atol=2e-3)


@pytest.mark.slow
def test_the_frequency_is_a_beginning_that_is_not_held(string, perfect):
    made = generate(string, phase="frequency")
    begun = GriffinLim(BIGVGAN)(made.mel, carried(string.target, "frequency"))
    assert np.array_equal(made.sound.samples, begun.samples)
    assert 0.9 < made.judged.figures["rms_ratio"] < 1.1


@pytest.mark.parametrize("phase", ["target", "frequency"])
@pytest.mark.parametrize("contract", ["bigvgan_base_22khz_80band", "librosa_db_max", "whisper"])
def test_there_is_a_phase_for_every_frame_of_the_mel(contract, phase):
    target = target_of(example.bowed_string(392.0, seconds=0.2), Settings(contract))
    phases = carried(target, phase)
    assert phases.shape == (target.values.shape[1], target.contract.grid.n_fft // 2 + 1)
    assert np.isfinite(phases).all()


class Spoken:
    """A vocoder that makes its own phases."""

    name = "spoken"

    def __init__(self, contract):
        self.contract = contract

    def __call__(self, mel):
        check(mel, self)
        return Audio(np.full((1, 256 * mel.values.shape[1]), 0.1, np.float32), self.contract.grid.rate)


def test_another_vocoder_is_asked_and_judged_by_its_own_ceiling(run):
    made = generate(run, Spoken(BIGVGAN))
    assert (made.sound.samples == np.float32(0.1)).all()
    assert made.ceiling.figures == made.judged.figures


@pytest.mark.parametrize("phase", ["target", "frequency"])
def test_only_griffin_lim_can_be_started_from_a_phase(run, phase):
    with pytest.raises(InputError, match=f"^--phase {phase}: spoken makes its own phases; use --vocoder griffinlim"):
        generate(run, Spoken(BIGVGAN), phase=phase)


# Vocoders


def test_griffin_lim_is_in_the_contract_of_the_run():
    voice = vocoder_of("griffinlim", BIGVGAN)
    assert isinstance(voice, GriffinLim)
    assert voice.contract is BIGVGAN


@pytest.mark.parametrize("name", ["", "bigvgan", "bigvgan:", "griffinlim:x", "hifigan:x", "GriffinLim", ":"])
def test_a_vocoder_that_is_none_is_refused(name):
    with pytest.raises(InputError) as caught:
        vocoder_of(name, BIGVGAN)
    assert str(caught.value) == f"--vocoder {name}: must be griffinlim, bigvgan:DIR or bigvgan:HUB/ID"


def test_a_folder_without_a_bigvgan_is_refused_in_a_line(tmp_path):
    with pytest.raises(InputError, match=r"^[^\n]*config.json[^\n]*$"):
        vocoder_of(f"bigvgan:{tmp_path}", BIGVGAN)


def test_a_vocoder_of_another_contract_is_refused_in_words():
    run = run_on(example.bowed_string(392.0, seconds=0.2), "librosa_db_max")
    for voice in (GriffinLim(BIGVGAN), Spoken(BIGVGAN)):
        with pytest.raises(OtherContract) as caught:
            generate(run, voice)
        first, *lines = str(caught.value).splitlines()
        assert first == f"{voice.name} cannot use a mel in librosa_db_max:"
        assert any(line.strip().startswith("scale") for line in lines)
