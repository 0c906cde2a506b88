"""A run's folder: whole or not at all, resumed by the sound it was begun with, opened to generate from."""

from __future__ import annotations

import errno
import json
import os
import tomllib

import msgspec
import numpy as np
import pytest
import soundfile
import tomli_w
import torch

from diagnose import example
from diagnose.audio import Audio
from diagnose.errors import InputError
from tnca.config import as_table, parse
from tnca.target import target_of
from tnca.training import checkpoint
from tnca.training.run import begin, device_of, opened, restored, resumed

CPU = torch.device("cpu")
CONTRACT = {
    "about": "a tiny mel",
    "source": "the tests",
    "grid": {"rate": 8000, "n_fft": 256, "hop": 128, "bands": 12, "fmax": 4000.0},
    "levels": {"name": "ln-magnitude", "clip": 1e-5},
    "bin_epsilon": 1e-9,
}
TABLE = {
    "epochs": 4,
    "target": {"contract": CONTRACT, "frames_multiple": 4},
    "cell": {"channels": 4, "hidden": [8], "output": "linear", "centre": -7.5, "spread": 3.5},
    "growth": {"steps": [2, 4], "batch": 2, "pool": 3},
    "loss": {"terms": [{"term": "l2"}]},
}
CONFIG = parse(TABLE, "the test")


@pytest.fixture(scope="module")
def note():
    return example.bowed_string(392.0, seconds=0.3, rate=16000)


@pytest.fixture(scope="module")
def target(note):
    return target_of(note, CONFIG.target)


def refused(function, *arguments):
    with pytest.raises(InputError) as caught:
        function(*arguments)
    said = str(caught.value)
    assert "\n" not in said
    return said


def everything(folder):
    """Every path under a folder, hidden ones too."""
    return sorted(os.path.relpath(os.path.join(at, name), folder) for at, ds, fs in os.walk(folder) for name in ds + fs)


# Made


def test_a_new_run_has_its_settings_its_sound_and_a_checkpoint(target, tmp_path):
    folder = str(tmp_path / "runs" / "one")
    run = begin(CONFIG, target, CPU, folder)
    assert run.folder == folder
    assert everything(tmp_path) == ["runs", "runs/one"] + [
        f"runs/one/{name}" for name in ("checkpoint.pt", "config.toml", "reference.wav", "reference_in_band.wav")
    ]
    with open(os.path.join(folder, "config.toml"), "rb") as file:
        assert parse(tomllib.load(file), "it") == CONFIG
    samples, rate = soundfile.read(os.path.join(folder, "reference.wav"), dtype="float32")
    assert rate == 8000
    assert np.array_equal(samples, target.sound.mono)
    assert checkpoint.load(os.path.join(folder, "checkpoint.pt"))["epoch"] == 0


def test_a_folder_that_is_empty_is_taken(target, tmp_path):
    (tmp_path / "run").mkdir()
    begin(CONFIG, target, CPU, str(tmp_path / "run"))
    assert len(os.listdir(tmp_path / "run")) == 4


def test_a_run_without_a_folder_writes_nothing(target, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = begin(CONFIG, target, CPU, None)
    run.save()
    assert everything(tmp_path) == []


def test_a_run_that_is_there_is_refused_with_the_way_on(target, tmp_path):
    folder = str(tmp_path / "run")
    begin(CONFIG, target, CPU, folder)
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()
    said = refused(begin, CONFIG, target, CPU, folder)
    assert said == f"{folder}: already exists; continue it with --resume, or give another --out"
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before
    assert os.listdir(tmp_path) == ["run"]


def test_a_folder_of_others_and_a_file_are_refused(target, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "letter.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("folder", "file"):
        assert refused(begin, CONFIG, target, CPU, str(tmp_path / name)).endswith("already exists; give another --out")
    assert "cannot create the directory (" in refused(begin, CONFIG, target, CPU, str(tmp_path / "file" / "run"))
    assert everything(tmp_path) == ["file", "folder", "folder/letter.txt"]


FAILING = {
    "settings": (
        "tnca.training.run.write_whole",
        InputError("config.toml: cannot be written (No space left on device)"),
    ),
    "sound": ("diagnose.audio.write", OSError(errno.ENOSPC, "No space left on device")),
    "checkpoint": (
        "tnca.training.checkpoint.write_whole",
        InputError("it: cannot be written (No space left on device)"),
    ),
    "rename": ("os.replace", OSError(errno.ENOSPC, "No space left on device")),
    "folder": ("os.mkdir", OSError(errno.ENOSPC, "No space left on device")),
}


@pytest.mark.parametrize("where", FAILING)
def test_on_a_full_disk_there_is_no_folder_and_nothing_is_left(target, tmp_path, monkeypatch, where):
    name, error = FAILING[where]

    def full(*_, **__):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(name, full)
        assert "No space left on device" in refused(begin, CONFIG, target, CPU, str(tmp_path / "run"))
    assert everything(tmp_path) == []
    begin(CONFIG, target, CPU, str(tmp_path / "run"))  # and the name can be used again


def test_on_a_full_disk_it_is_the_folder_that_is_named(target, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fdopen", full)
    folder = str(tmp_path / "run")
    said = refused(begin, CONFIG, target, CPU, folder)
    assert "No space left on device" in said
    assert said.startswith(folder)
    assert f".run-{os.getpid()}" not in said  # a folder that is gone by now
    assert everything(tmp_path) == []


def test_an_interrupt_leaves_nothing(target, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("tnca.training.checkpoint.write_whole", interrupted)
    with pytest.raises(KeyboardInterrupt):
        begin(CONFIG, target, CPU, str(tmp_path / "run"))
    assert everything(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_without_permission(target, tmp_path):
    tmp_path.chmod(0o500)
    assert "Permission denied" in refused(begin, CONFIG, target, CPU, str(tmp_path / "run"))
    tmp_path.chmod(0o700)


# Gone on with


@pytest.fixture
def folder(target, tmp_path):
    begin(CONFIG, target, CPU, str(tmp_path / "run"))
    return str(tmp_path / "run")


def changed(folder, **state):
    """The run's checkpoint with other values."""
    path = os.path.join(folder, "checkpoint.pt")
    whole = checkpoint.load(path)
    checkpoint.save(path, {**{key: value for key, value in whole.items() if key != "format"}, **state})
    return path


def test_it_goes_on_with_the_sound_or_its_reference(note, folder):
    assert resumed(folder, note, CPU).epoch == 0
    samples, rate = soundfile.read(os.path.join(folder, "reference.wav"), dtype="float32")
    assert resumed(folder, Audio(samples[None], rate), CPU).epoch == 0


def test_another_sound_is_refused(note, folder):
    others = (
        example.bowed_string(196.0, seconds=0.3, rate=16000),
        example.bowed_string(392.0, seconds=0.4, rate=16000),
        Audio(note.samples * np.float32(1.1), 16000),
    )
    for other in others:
        assert "belongs to another sound" in refused(resumed, folder, other, CPU)


def test_as_much_as_another_fft_rounds_is_no_other_sound(note, folder, target):
    rounded = target.values + np.float32(1e-5) * np.random.default_rng(0).standard_normal(target.values.shape)
    changed(folder, target=torch.from_numpy(rounded.astype(np.float32)))
    assert resumed(folder, note, CPU).epoch == 0


def test_where_there_is_no_run(note, tmp_path):
    assert "no such checkpoint; `tnca train`" in refused(resumed, str(tmp_path / "none"), note, CPU)


def test_changed_settings_are_checked(note, folder):
    assert resumed(folder, note, CPU, {"epochs": 9}).config == msgspec.structs.replace(CONFIG, epochs=9)
    assert "epochs: must be 1 to" in refused(resumed, folder, note, CPU, {"epochs": 0})


WEIGHTS = torch.nn.Linear(2, 2).state_dict()
BROKEN = {
    "config is no JSON": ({"config": "{"}, "its configuration cannot be read"),
    "config is a number": ({"config": 3}, "its configuration cannot be read"),
    "config is a list": ({"config": "[]"}, "not a configuration"),
    "config is deep": ({"config": "[" * 100_000}, "its configuration cannot be read"),
    "a key too many": ({"config": json.dumps({**as_table(CONFIG), "speed": 1})}, "speed"),
    "another's weights": ({"rule": WEIGHTS}, "the weights do not fit"),
    "another's best weights": ({"best": {"epoch": 0, "figure": None, "rule": WEIGHTS}}, "do not fit the configuration"),
    "best is None": ({"best": None}, "not a complete checkpoint"),
    "best lacks its figure": ({"best": {"epoch": 0}}, "not a complete checkpoint"),
    "epoch is text": ({"epoch": "many"}, "not a complete checkpoint"),
    "no target": ({"target": None}, "belongs to another sound"),
    "no optimiser": ({"optimiser": {}}, "cannot be resumed"),
    "no pool": ({"pool": None}, "cannot be resumed"),
    "a generator of another kind": ({"rng": torch.zeros(3)}, "cannot be resumed"),
    "a larger cell": (
        {"config": json.dumps({**as_table(CONFIG), "cell": {**as_table(CONFIG)["cell"], "channels": 5}})},
        "do not fit the configuration",
    ),
    "a pool of another size": ({"pool": {"states": torch.zeros(3, 4, 5, 5), "errors": torch.zeros(3)}}, "resumed"),
    "a pool of another length": ({"pool": {"states": torch.zeros(0), "errors": torch.zeros(3)}}, "resumed"),
    "rows are a number": ({"rows": 3}, "resumed"),
    "rows are numbers": ({"rows": [3]}, "resumed"),
    "seconds are text": ({"seconds": "long"}, "resumed"),
    "best is as good as a word": ({"best": "FIGURE"}, "not a complete checkpoint"),
    "a target that has a gradient": ({"target": "GRADIENT"}, "another sound"),
    "a target that is sparse": ({"target": "SPARSE"}, "another sound"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_checkpoint_that_is_not_whole_is_refused_in_a_line(note, folder, target, kind):
    state, said = BROKEN[kind]
    values = torch.from_numpy(target.values)
    special = {"GRADIENT": values.clone().requires_grad_(), "SPARSE": values.to_sparse()}
    whole = checkpoint.load(os.path.join(folder, "checkpoint.pt"))
    special["FIGURE"] = {**whole["best"], "figure": "good"}
    path = changed(folder, **{k: special.get(v, v) if isinstance(v, str) else v for k, v in state.items()})
    refusal = refused(resumed, folder, note, CPU)
    assert refusal.startswith(f"{path}: ")
    assert said in refusal


# Generated from


def test_it_is_opened_without_the_sound(folder, target):
    run = opened(folder, CPU)
    np.testing.assert_array_equal(run.target.values, target.values)
    assert run.config == msgspec.structs.replace(CONFIG, compute=run.config.compute)
    assert (run.config.compute.kernel, run.config.compute.precision) == ("reference", "fp32")
    assert run.folder == folder


def test_where_there_is_none_the_command_that_makes_one_is_said(tmp_path):
    missing = str(tmp_path / "none")
    assert refused(opened, missing, CPU) == f"{missing}: contains no run; `tnca train AUDIO --out {missing}` starts one"
    assert "contains no run" in refused(opened, str(tmp_path), CPU)


def test_a_run_without_its_reference(folder):
    os.unlink(os.path.join(folder, "reference.wav"))
    assert "reference.wav: No such file" in refused(opened, folder, CPU)


def test_a_run_moves_with_its_folder(folder, tmp_path, monkeypatch):
    os.rename(folder, tmp_path / "moved")
    monkeypatch.chdir(tmp_path / "moved")
    assert opened(".", CPU).epoch == 0


def test_a_run_does_not_need_the_file_of_its_contract_any_more(note, tmp_path, monkeypatch):
    (tmp_path / "at").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "at" / "mine.toml").write_text(tomli_w.dumps(CONTRACT))
    monkeypatch.chdir(tmp_path / "at")
    config = parse({**TABLE, "target": {"contract": "mine.toml"}}, "the test")
    begin(config, target_of(note, config.target), CPU, str(tmp_path / "run"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert opened(str(tmp_path / "run"), CPU).epoch == 0


def test_the_longest_note_can_be_opened_too(tmp_path):
    # 60 s, the longest that is taken; with zeros up to a multiple of 64 frames it is longer.
    config = parse({**TABLE, "target": {"contract": CONTRACT, "frames_multiple": 64}}, "the test")
    sound = Audio(np.tile(example.bowed_string(seconds=1.0, rate=8000).samples, (1, 60)), 8000)
    begin(config, target_of(sound, config.target), CPU, str(tmp_path / "run"))
    assert opened(str(tmp_path / "run"), CPU).epoch == 0


def test_only_what_generating_takes_is_needed(folder, note, tmp_path):
    whole = checkpoint.load(os.path.join(folder, "checkpoint.pt"))
    kept = {key: whole[key] for key in ("config", "epoch", "bands", "frames", "target", "best")}
    checkpoint.save(str(tmp_path / "small.pt"), {**kept, "rule": {}})
    run = restored(str(tmp_path / "small.pt"), note, CPU)
    assert torch.equal(run.best_rule.weights[0], whole["best"]["rule"]["weights.0"])


# Devices


@pytest.mark.parametrize("name", ["nonsense", "", "cuda:x", "cpu:-1", "meta", "xla", "mps", "hpu", "cuda:99999999999"])
def test_a_device_that_is_not_there_is_said_in_a_line(name):
    said = refused(device_of, name)
    assert said.startswith(f"--device {name}: is not available (")
    assert said.endswith("); use auto, cpu or cuda")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_without_a_gpu_cuda_is_not_there_and_auto_is_the_cpu():
    assert "is not available" in refused(device_of, "cuda")
    assert device_of("auto") == CPU


def test_the_cpu_is_there():
    assert device_of("cpu") == CPU


@pytest.mark.parametrize("seed", [2**63 - 1, 0])
def test_every_seed_that_is_read_can_be_used(note, target, tmp_path, seed):
    begin(msgspec.structs.replace(CONFIG, seed=seed), target, CPU, str(tmp_path / "run"))
    assert resumed(str(tmp_path / "run"), note, CPU).config.seed == seed


def test_what_was_trained_by_a_kernel_that_is_not_here_can_be_heard(target, tmp_path):
    """A GPU's run, opened on a CPU."""
    folder = str(tmp_path / "run")
    begun = begin(CONFIG, target, CPU, folder)
    table = {**as_table(CONFIG), "compute": {"kernel": "triton", "precision": "bf16"}}
    checkpoint.save(f"{folder}/checkpoint.pt", {**begun.state(), "config": json.dumps(table)})
    found = opened(folder, CPU)
    assert found.choice[:2] == ("reference", "fp32")
    with pytest.raises(InputError, match="--kernel triton --precision bf16: the triton kernel runs on CUDA"):
        resumed(folder, found.target.sound, CPU)
