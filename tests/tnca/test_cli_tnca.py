"""`tnca` as it is typed: exit codes, one line for every mistake, runs that are stopped, killed and gone on with."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections import namedtuple
from contextlib import redirect_stderr, redirect_stdout
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tomli_w
import torch

from diagnose import audio, example
from diagnose.audio import Audio
from diagnose.mel.contract import load
from diagnose.version import VERSION
from tnca import cli, kernels
from tnca.cli import training
from tnca.config import read
from tnca.demo import grown_string
from tnca.figures import FIGURES
from tnca.training import checkpoint
from tnca.training.loop import start, train
from tnca.vocoders.griffinlim import GriffinLim

PROGRAM = str(Path(sys.executable).with_name("tnca"))
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "100"}
TABLE = {
    "epochs": 6,
    "target": {
        "contract": {
            "about": "a tiny mel",
            "source": "the tests",
            "grid": {"rate": 8000, "n_fft": 256, "hop": 128, "bands": 12, "fmax": 4000.0},
            "levels": {"name": "ln-magnitude", "clip": 1e-5},
            "bin_epsilon": 1e-9,
        }
    },
    "cell": {"channels": 4, "hidden": [8], "fire_rate": 0.5},
    "growth": {"steps": [2, 4], "batch": 2, "pool": 3},
    "optimiser": {"warmup": 2},
    "watch": {"every": 3},
}
Done = namedtuple("Done", "code out err")


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """A folder with note.wav, silent.wav, short.wav, broken.wav and tiny.toml."""
    folder = tmp_path_factory.mktemp("sounds")
    note = example.bowed_string(392.0, seconds=0.3, rate=8000)
    audio.write(folder / "note.wav", note)
    audio.write(folder / "other.wav", example.bowed_string(196.0, seconds=0.3, rate=8000))
    audio.write(folder / "silent.wav", Audio(np.zeros((1, 8000), np.float32), 8000))
    audio.write(folder / "short.wav", Audio(note.samples[:, 800:900], 8000))
    (folder / "broken.wav").write_bytes(b"RIFF and no more")
    (folder / "tiny.toml").write_text(tomli_w.dumps(TABLE))
    return folder


@pytest.fixture
def here(sounds, tmp_path, monkeypatch):
    """An empty working folder beside which the sounds lie."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def trained(sounds, tmp_path_factory):
    """A run of the tiny settings, made as the console script does it."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    arguments = ["train", sounds / "note.wav", "--out", folder, "--config", sounds / "tiny.toml"]
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setenv("COLUMNS", ENVIRONMENT["COLUMNS"])
        patch.setattr(sys, "argv", ["tnca", *map(str, arguments)])
        cli.main()
    return Done(0, out.getvalue(), err.getvalue()), folder


def assert_one_line(done, *said, code=2):
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith("tnca: ")
    assert done.err.count("\n") == 1
    for words in said:
        assert words in done.err
    assert "internal error of tnca" not in done.err


# Train


def test_train_says_a_line_a_look_on_stderr_and_the_way_on_on_stdout(trained):
    done, folder = trained
    kernel, *lines = done.err.splitlines()
    assert re.fullmatch(r"kernel: (native|reference), fp32( \(.*\))?", kernel)
    assert [line.split("  ")[0] for line in lines] == ["epoch 3/6", "epoch 6/6"]
    assert all(re.search(r"loss \S+  mel error [\d.]+ dB", line) for line in lines)
    first, second = done.out.splitlines()
    assert re.fullmatch(rf"{re.escape(str(folder))}: epoch 6, best at \d by mel_error_db", first)
    words = shlex.split(second.removeprefix("  generate the sound with  "))
    assert words == ["tnca", "generate", str(folder), "--out", "generated.wav"]


def test_train_writes_a_run(trained):
    names = {"checkpoint.pt", "config.toml", "index.html", "metrics.csv", "target.png"}
    names |= {
        "reference.wav",
        "reference_in_band.wav",
        "roundtrip.wav",
        "epoch_0003.png",
        "epoch_0003.wav",
        "epoch_0006.png",
        "epoch_0006.wav",
    }
    assert set(os.listdir(trained[1])) == names


def test_epochs_and_seed_go_over_the_settings(tnca, sounds, here):
    arguments = ["train", sounds / "note.wav", "--config", sounds / "tiny.toml", "--epochs", 1, "--seed", 7]
    assert tnca(*arguments, "--out", "run").code == 0
    state = checkpoint.load("run/checkpoint.pt")
    assert state["epoch"] == 1
    assert json.loads(state["config"])["seed"] == 7


def test_the_run_can_be_gone_on_with_for_longer(tnca, sounds, here):
    assert tnca("train", sounds / "note.wav", "--out", "run", "--config", sounds / "tiny.toml", "--epochs", 2).code == 0
    done = tnca("train", sounds / "note.wav", "--out", "run", "--resume", "--epochs", 4)
    assert done.code == 0
    assert "run: epoch 4, " in done.out
    done = tnca("train", sounds / "note.wav", "--out", "run", "--resume", "--epochs", 4)
    assert (done.code, done.err.count("\n")) == (0, 1)  # the kernel, and no look
    assert "run: epoch 4, " in done.out
    done = tnca("train", sounds / "note.wav", "--out", "run", "--resume", "--epochs", 3)
    assert done.code == 2
    assert "already at epoch 4" in done.err


MISTAKES = {
    "no such sound": (["none.wav"], "none.wav: No such file"),
    "a folder": (["."], "is a directory"),
    "no sound": (["SOUNDS/broken.wav"], "broken.wav: "),
    "too short": (["SOUNDS/short.wav"], "short.wav: 12.5 ms is too short for one frame of 32 ms"),
    "silent": (["SOUNDS/silent.wav"], "silent.wav: is silent"),
    "no such preset": (["SOUNDS/note.wav", "--preset", "better"], "'better' is not one of 'first', 'best'"),
    "no such settings": (["SOUNDS/note.wav", "--config", "none.toml"], "none.toml: cannot be read"),
    "an unknown key": (["SOUNDS/note.wav", "--config", "speed.toml"], "speed.toml: not a configuration", "speed"),
    "no TOML": (["SOUNDS/note.wav", "--config", "no.toml"], "no.toml: not valid TOML"),
    "no epochs": (["SOUNDS/note.wav", "--epochs", "0"], "--epochs", "x>=1"),
    "a seed under 0": (["SOUNDS/note.wav", "--seed", "-1"], "--seed"),
    "a seed of 2**63": (["SOUNDS/note.wav", "--seed", str(2**63)], "seed"),
    "a seed of 2**64": (["SOUNDS/note.wav", "--seed", str(2**64)], "seed"),
    "no such device": (["SOUNDS/note.wav", "--device", "nonsense"], "--device nonsense: is not available"),
    "no run to resume": (["SOUNDS/note.wav", "--resume"], "run/checkpoint.pt: no such checkpoint; `tnca train`"),
    "resume and seed": (["SOUNDS/note.wav", "--resume", "--seed", "1"], "only --epochs, --kernel and"),
    "resume and preset": (["SOUNDS/note.wav", "--resume", "--preset", "best"], "only --epochs, --kernel and"),
    "resume and config": (["SOUNDS/note.wav", "--resume", "--config", "speed.toml"], "only --epochs, --kernel and"),
    "a kernel for another device": (
        ["SOUNDS/note.wav", "--kernel", "triton", "--device", "cpu"],
        "--kernel triton --precision auto: the triton kernel runs on CUDA, not on cpu",
    ),
    "a precision that a kernel lacks": (
        ["SOUNDS/note.wav", "--kernel", "reference", "--precision", "bf16"],
        "--kernel reference --precision bf16: the reference kernel computes in fp32 only;",
    ),
    "no such kernel": (["SOUNDS/note.wav", "--kernel", "fast"], "'fast' is not one of 'auto', 'reference'"),
    "an option that is none": (["SOUNDS/note.wav", "--speed", "1"], "No such option"),
}
if not torch.cuda.is_available():
    MISTAKES["no GPU"] = (["SOUNDS/note.wav", "--device", "cuda"], "--device cuda: is not available")


def test_the_command_line_names_the_kernels():
    """It has its own lists, for --help loads no torch."""
    assert ("auto", *kernels.KERNELS) == training.KERNELS
    assert ("auto", *kernels.PRECISIONS) == training.PRECISIONS


@pytest.mark.slow
def test_several_notes_and_seeds_are_trained_at_once_and_gone_on_with(tnca, sounds, here):
    Path("other.wav").write_bytes((sounds / "note.wav").read_bytes())
    notes = [sounds / "note.wav", "other.wav"]
    done = tnca("train", *notes, "--out", "runs", "--seeds", 2, "--config", sounds / "tiny.toml", "--epochs", 3)
    assert done.code == 0, done.err
    names = ["note-0", "note-1", "other-0", "other-1"]
    assert sorted(os.listdir("runs")) == names
    assert [line.split("  ")[0] for line in done.err.splitlines()[1:]] == names
    found = [checkpoint.load(f"runs/{name}/checkpoint.pt") for name in names]
    assert [json.loads(state["config"])["seed"] for state in found] == [0, 1, 0, 1]
    weights = [state["rule"]["weights.0"] for state in found]
    assert torch.equal(weights[0], weights[2])  # the same note, the same seed
    assert not torch.equal(weights[0], weights[1])
    again = tnca("train", *notes, "--out", "runs", "--seeds", 2, "--resume", "--epochs", 4)
    assert again.code == 0, again.err
    assert [checkpoint.load(f"runs/{name}/checkpoint.pt")["epoch"] for name in names] == [4] * 4


def test_several_runs_are_all_begun_or_none(tnca, sounds, here):
    audio.write("long.wav", example.bowed_string(seconds=1.5))
    alike = ["--config", sounds / "tiny.toml", "--out", "runs"]
    assert_one_line(tnca("train", sounds / "note.wav", "long.wav", *alike), "trained at once must have one length")
    assert_one_line(tnca("train", sounds / "note.wav", "none.wav", *alike), "none.wav: No such file")
    assert_one_line(tnca("train", "long.wav", "./long.wav", *alike), "two notes are named long")
    assert not os.path.exists("runs") or os.listdir("runs") == []


def test_a_run_goes_on_with_another_kernel(tnca, sounds, here):
    settings = ["--config", sounds / "tiny.toml", "--epochs", "2"]
    assert tnca("train", sounds / "note.wav", "--out", "run", *settings, "--kernel", "reference").code == 0
    with open("run/config.toml", "rb") as file:
        assert tomllib.load(file)["compute"]["kernel"] == "reference"
    again = tnca("train", sounds / "note.wav", "--out", "run", "--resume", "--epochs", "3", "--kernel", "auto")
    assert again.code == 0, again.err
    with open("run/config.toml", "rb") as file:
        assert tomllib.load(file)["compute"] == {"kernel": "auto", "precision": "auto", "memory": "stored"}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_is_a_line_and_leaves_no_run(tnca, sounds, here, kind):
    arguments, *said = MISTAKES[kind]
    (here / "speed.toml").write_text("speed = 3\n")
    (here / "no.toml").write_text("speed\n")
    if "--config" not in arguments and "--preset" not in arguments and "--resume" not in arguments:
        arguments = [*arguments, "--config", "SOUNDS/tiny.toml"]
    arguments = [word.replace("SOUNDS", str(sounds)) for word in arguments]
    assert_one_line(tnca("train", *arguments, "--out", "run"), *said)
    assert sorted(os.listdir(here)) == ["no.toml", "speed.toml"]


@pytest.mark.parametrize("out", ["file", "file/run", ""])
def test_a_place_that_can_be_no_folder(tnca, sounds, here, out):
    (here / "file").write_text("mine")
    assert_one_line(tnca("train", sounds / "note.wav", "--out", out, "--config", sounds / "tiny.toml"))
    assert os.listdir(here) == ["file"]
    assert (here / "file").read_text() == "mine"


def test_out_that_is_empty_does_not_take_the_working_folder(tnca, sounds, here):
    assert_one_line(tnca("train", sounds / "note.wav", "--out", "", "--config", sounds / "tiny.toml"))
    assert os.getcwd() == str(here)
    assert os.listdir(here) == []


def test_a_run_that_is_there_is_not_written_over(tnca, sounds, trained):
    before = (trained[1] / "checkpoint.pt").read_bytes()
    done = tnca("train", sounds / "note.wav", "--out", trained[1], "--config", sounds / "tiny.toml")
    assert_one_line(done, "already exists; continue it with --resume")
    assert (trained[1] / "checkpoint.pt").read_bytes() == before


def test_a_run_is_not_gone_on_with_on_another_sound(tnca, sounds, trained):
    done = tnca("train", sounds / "other.wav", "--out", trained[1], "--resume")
    assert_one_line(done, "belongs to another sound")


def test_a_figure_that_there_is_not_is_said_with_those_that_there_are(tnca, sounds, here):
    (here / "c.toml").write_text(tomli_w.dumps({**TABLE, "watch": {"every": 3, "best": "loudness"}}))
    done = tnca("train", sounds / "note.wav", "--out", "run", "--config", "c.toml")
    assert_one_line(done, "watch.best: no metric loudness; use one of ", "mel_error_db")


@pytest.mark.parametrize("name", ["a b.wav", "tön ü.wav", "-dash.wav", "it's $HOME.wav", "音.wav"])
def test_odd_names_are_names(tnca, sounds, here, name):
    os.link(sounds / "note.wav", here / name)
    out = f"./{name.removesuffix('.wav')}"
    assert tnca("train", f"./{name}", "--out", out, "--config", sounds / "tiny.toml", "--epochs", 1).code == 0
    done = tnca("generate", out, "--out", f"./gen {name}")
    assert (done.code, done.err) == (0, "")
    assert soundfile.info(here / f"gen {name}").samplerate == 8000


@pytest.mark.parametrize(("name", "out"), [(b"t\xff.wav", "run"), (b"t.wav", "run\udcff")])
def test_a_name_that_is_no_text_is_a_name(tnca, sounds, here, name, out):
    os.link(sounds / "note.wav", os.fsdecode(name))
    done = tnca("train", os.fsdecode(name), "--out", out, "--config", sounds / "tiny.toml", "--epochs", 1)
    assert done.code == 0, done.err


# Stopped and killed

LONG = {**TABLE, "epochs": 400, "watch": {"every": 40}}


@pytest.fixture(scope="module")
def long(sounds, tmp_path_factory):
    """(settings of a run of some seconds, the state at its end when nothing breaks it)."""
    folder = tmp_path_factory.mktemp("long")
    (folder / "long.toml").write_text(tomli_w.dumps(LONG))
    config = read(folder / "long.toml", "best")
    run = train(start(audio.read(sounds / "note.wav"), config, str(folder / "run"), torch.device("cpu")))
    assert run.epoch == 400
    return folder / "long.toml", checkpoint.load(str(folder / "run" / "checkpoint.pt"))


def begun(sounds, config, out, looks=1):
    """A training in its own process that has looked so many times."""
    arguments = [PROGRAM, "train", sounds / "note.wav", "--out", out, "--config", config]
    process = subprocess.Popen(
        list(map(str, arguments)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    for word in ("kernel: ", *["epoch "] * looks):
        assert process.stderr.readline().startswith(word)
    return process


def ended(process):
    out, err = process.communicate(timeout=600)
    assert "Traceback" not in err
    return Done(process.returncode, out, err)


def finished(tnca, sounds, out, state):
    """Resumed to its end, the run is what it would have been."""
    done = tnca("train", sounds / "note.wav", "--out", out, "--resume")
    assert done.code == 0, done.err
    assert_same(checkpoint.load(str(out / "checkpoint.pt")), state)


def assert_same(ours, theirs, key=""):
    if isinstance(theirs, torch.Tensor):
        assert torch.equal(ours, theirs), key
    elif isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for name in theirs.keys() - {"seconds"}:
            assert_same(ours[name], theirs[name], f"{key}/{name}")
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for at, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(one, other, f"{key}/{at}")
    else:
        assert ours == theirs, key


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_saves_and_says_how_to_go_on_and_nothing_is_lost(tnca, sounds, long, tmp_path):
    out = tmp_path / "a run"
    process = begun(sounds, long[0], out)
    process.send_signal(signal.SIGINT)
    done = ended(process)
    assert (done.code, done.out) == (130, "")
    *_, first, second = done.err.splitlines()
    epoch = checkpoint.load(str(out / "checkpoint.pt"))["epoch"]
    assert 40 <= epoch < 400
    assert first == f"tnca: stopped after epoch {epoch} of 400; continue with"
    assert shlex.split(second) == ["tnca", "train", str(sounds / "note.wav"), "--out", str(out), "--resume"]
    finished(tnca, sounds, out, long[1])


@pytest.mark.slow  # what a look keeps is held by test_training.py
def test_a_kill_costs_no_more_than_the_epochs_since_the_last_look(tnca, sounds, long, tmp_path):
    out = tmp_path / "run"
    process = begun(sounds, long[0], out, looks=2)
    process.kill()
    process.communicate(timeout=600)
    epoch = checkpoint.load(str(out / "checkpoint.pt"))["epoch"]
    assert epoch >= 80
    assert epoch % 40 == 0
    finished(tnca, sounds, out, long[1])


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("times", [1, 2])
def test_a_second_ctrl_c_does_not_wait_for_the_epoch(tnca, sounds, here, monkeypatch, times):
    class Pressed(Quiet):
        def epoch(self, run, parts):
            if run.epoch == 4:
                for _ in range(times):
                    os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr("tnca.cli.training.listener", lambda runs: Pressed())
        done = tnca("train", sounds / "note.wav", "--out", "run", "--config", sounds / "tiny.toml")
    assert (done.code, done.out) == (130, "")
    assert signal.getsignal(signal.SIGINT) is before
    assert checkpoint.load("run/checkpoint.pt")["epoch"] == (4 if times == 1 else 3)
    if times == 2:
        assert done.err.splitlines()[-1] == "tnca: interrupted; no file was left incomplete"
    assert tnca("train", sounds / "note.wav", "--out", "run", "--resume").code == 0


class Quiet:
    """A listener that says nothing."""

    def __enter__(self):
        return self

    def __exit__(self, *_): ...

    def epoch(self, run, parts): ...

    def looked(self, run, found): ...


# Generate


def test_generate_makes_a_sound_and_says_what_it_is_beside_the_round_trip(tnca, trained, here):
    done = tnca("generate", trained[1], "--out", "gen.wav")
    assert (done.code, done.err) == (0, "")
    assert re.match(r"mel error: [\d.]+ dB all, [\d.]+ dB last 6 frames\n", done.out)
    heading = done.out.splitlines()[1]
    assert heading.split() == ["figure", "grown", "round", "trip"]
    for figure, *_ in FIGURES:
        assert re.search(rf"^{figure}\b", done.out, re.MULTILINE)
    frames = soundfile.info(trained[1] / "roundtrip.wav").frames
    assert soundfile.info("gen.wav").frames == frames


def test_generate_gives_the_sound_of_the_best_look(tnca, trained, here):
    tnca("generate", trained[1], "--out", "gen.wav")
    epoch = checkpoint.load(str(trained[1] / "checkpoint.pt"))["best"]["epoch"]
    ours, looked = (soundfile.read(path)[0] for path in ("gen.wav", trained[1] / f"epoch_{epoch:04d}.wav"))
    np.testing.assert_allclose(ours, looked, rtol=0, atol=2**-13)  # 4 steps of 16 bits


def test_json_to_stdout_is_all_that_is_there(tnca, trained, here):
    done = tnca("generate", trained[1], "--out", "gen.wav", "--json", "-")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found["schema"] == "tnca.generated/1"
    assert found["mel_error_db"] > 0
    for column in ("grown", "round_trip"):
        assert list(found[column]) == [*(name for name, *_ in FIGURES), "causes", "verdict"]
    assert "without_phase" not in found


def test_json_to_a_file_beside_the_table(tnca, trained, here):
    done = tnca("generate", trained[1], "--out", "gen.wav", "--json", "f.json", "--phase", "target")
    assert done.code == 0
    assert "without phase" in done.out
    found = json.loads((here / "f.json").read_text())
    assert found["without_phase"].keys() == found["grown"].keys()


@pytest.mark.parametrize("suffix", [".flac", ".ogg"])
def test_the_suffix_says_the_format(tnca, trained, here, suffix):
    assert tnca("generate", trained[1], "--out", f"gen{suffix}").code == 0
    assert soundfile.info(f"gen{suffix}").format == suffix[1:].upper()


NOT_GENERATED = {
    "no such run": (["none"], "none: contains no run; `tnca train AUDIO --out none`"),
    "no such vocoder": (["RUN", "--vocoder", "hifigan"], "--vocoder hifigan: must be griffinlim, bigvgan:DIR"),
    "no such BigVGAN": (["RUN", "--vocoder", "bigvgan:none"], "none: no such directory"),
    "no such device": (["RUN", "--device", "nonsense"], "--device nonsense: is not available"),
    "no steps": (["RUN", "--steps", "0"], "--steps"),
    "too many steps": (["RUN", "--steps", "10001"], "--steps 10001: must be 1 to 10000"),
    "no such phase": (["RUN", "--phase", "mine"], "'mine' is not one of"),
    "no such format": (
        ["RUN", "--out", "gen.mp3"],
        "gen.mp3: cannot write this file type; use one of .wav, .flac, .ogg",
    ),
    "no such folder": (["RUN", "--out", "none/gen.wav"], "none/gen.wav: cannot be written"),
    "no name": (["RUN", "--out", ""], "--out"),
    "one place for both": (["RUN", "--json", "gen.wav"], "--json gen.wav: is also another output"),
    "a seed of 2**64": (["RUN", "--seed", str(2**64)], "seed"),
}


@pytest.mark.parametrize("kind", NOT_GENERATED)
def test_a_sound_that_cannot_be_had_is_a_line(tnca, trained, here, kind):
    arguments, *said = NOT_GENERATED[kind]
    arguments = [str(trained[1]) if word == "RUN" else word for word in arguments]
    out = [] if "--out" in arguments else ["--out", "gen.wav"]
    assert_one_line(tnca("generate", *arguments, *out), *said)
    assert os.listdir(here) == []


@pytest.mark.parametrize(("option", "name"), [("--out", "reference.wav"), ("--json", "checkpoint.pt")])
def test_a_run_is_not_written_over_by_its_own_sound(tnca, trained, here, option, name):
    before = (trained[1] / name).read_bytes()
    arguments = ["--out", "gen.wav"] if option != "--out" else []
    done = tnca("generate", trained[1], *arguments, option, trained[1] / name)
    after = (trained[1] / name).read_bytes()
    (trained[1] / name).write_bytes(before)
    assert after == before
    assert_one_line(done, "is also an input")


def test_a_vocoder_in_another_contract_is_exit_1_with_its_differences(tnca, trained, here, monkeypatch):
    other = load("bigvgan_base_22khz_80band")
    monkeypatch.setattr("tnca.generation.vocoder_of", lambda *_: GriffinLim(other))
    done = tnca("generate", trained[1], "--out", "gen.wav")
    assert (done.code, done.out) == (1, "")
    assert "griffinlim cannot use a mel in a tiny mel" in done.err
    assert "fmax_hz" in done.err
    assert os.listdir(here) == []


# Round trip


def test_roundtrip_is_the_ceiling(tnca, here):
    audio.write("note.wav", example.bowed_string(392.0, seconds=1.0))
    done = tnca("roundtrip", "note.wav", "--out", "trip.wav")
    assert (done.code, done.err) == (0, "")
    figures = dict(re.findall(r"^(\w+) +(-?[\d.]+)$", done.out, re.MULTILINE))
    assert 0.9 < float(figures["rms_ratio"]) < 1.1
    assert 0.95 < float(figures["centroid_ratio"]) < 1.05
    assert soundfile.info("trip.wav").samplerate == 22050


@pytest.mark.parametrize("contract", ["whisper", "librosa_db_max"])
def test_roundtrip_in_another_contract(tnca, sounds, here, contract):
    assert tnca("roundtrip", sounds / "note.wav", "--out", "trip.wav", "--contract", contract).code == 0
    assert os.path.exists("trip.wav")


NO_ROUNDTRIP = {
    "no such sound": (["none.wav"], "none.wav: No such file"),
    "silent": (["SOUNDS/silent.wav"], "is silent"),
    "too short": (["SOUNDS/short.wav"], "is too short for one frame"),
    "no such contract": (["SOUNDS/note.wav", "--contract", "mine"], "mine: no such contract; "),
    "no such vocoder": (["SOUNDS/note.wav", "--vocoder", "x"], "--vocoder x: must be griffinlim"),
    "no such device": (["SOUNDS/note.wav", "--device", "nonsense"], "--device nonsense: is not available"),
    "onto itself": (["SOUNDS/note.wav", "--out", "SOUNDS/note.wav"], "is also an input"),
}


@pytest.mark.parametrize("kind", NO_ROUNDTRIP)
def test_a_round_trip_that_cannot_be_had_is_a_line(tnca, sounds, here, kind):
    arguments, *said = NO_ROUNDTRIP[kind]
    arguments = [word.replace("SOUNDS", str(sounds)) for word in arguments]
    out = [] if "--out" in arguments else ["--out", "trip.wav"]
    assert_one_line(tnca("roundtrip", *arguments, *out), *said)
    assert os.listdir(here) == []


# Demo

SHIPPED = resources.files("tnca") / "shipped" / "string.pt"


@pytest.mark.slow
@pytest.mark.skipif(not SHIPPED.is_file(), reason="tnca/shipped/string.pt is not made yet")
def test_demo_grows_the_string_and_nothing_is_wrong_but_what_the_round_trip_has(tnca, here):
    done = tnca("demo", "--out", "demo")
    assert (done.code, done.err) == (0, "")
    assert sorted(os.listdir("demo")) == ["grown.wav", "reference.wav", "report.html"]
    assert "Traceback" not in done.out
    table = done.out[done.out.index("mel error: ") :]
    rows = {line.split()[0]: line.split()[1:] for line in table.splitlines() if line.strip()}
    assert 0.9 < float(rows["rms_ratio"][0]) < 1.1
    assert 0.95 < float(rows["centroid_ratio"][0]) < 1.05


@pytest.mark.slow
@pytest.mark.skipif(not SHIPPED.is_file(), reason="tnca/shipped/string.pt is not made yet")
def test_the_shipped_automaton_has_no_cause_that_the_round_trip_lacks():
    made, target = grown_string()
    assert set(made.judged.causes) <= set(made.ceiling.causes)
    assert made.judged.verdict in ("PASS", "WARN")
    assert target.sound.rate == 22050
    assert 0.9 < made.judged.figures["rms_ratio"] < 1.1
    assert 0.95 < made.judged.figures["centroid_ratio"] < 1.05


def test_without_its_automaton_the_demo_says_so_in_a_line(tnca, here, monkeypatch):
    monkeypatch.setattr("tnca.demo.CHECKPOINT", "none.pt")
    assert_one_line(tnca("demo", "--out", "demo"), "none.pt")
    assert os.listdir(here) == []


# Help


def loaded(*arguments):
    """(stdout, the modules that are loaded after the command has run in a fresh process)."""
    code = (
        "import sys\nfrom tnca.cli import main\ntry:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
    )
    code += "import json\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return done.stdout, set(json.loads(done.stderr.splitlines()[-1]))


HELP = {
    (): ("tnca demo", "tnca train violin.wav --out runs/violin", "Exit codes: 0 done"),
    ("train",): ("tnca train violin.wav --out runs/violin --resume", "[default: best]", "-h, --help"),
    ("generate",): ("tnca generate runs/violin --out gen.wav", "--phase"),
    ("roundtrip",): ("tnca roundtrip violin.wav --out trip.wav", "--contract"),
    ("demo",): ("tnca demo --out /tmp/demo",),
}


@pytest.mark.parametrize("command", HELP, ids=lambda command: " ".join(command) or "tnca")
def test_help_shows_examples_and_loads_neither_torch_nor_numpy(command):
    out, modules = loaded(*command, "--help")
    for words in HELP[command]:
        assert words in out
    assert "\b" not in out
    assert not {"torch", "numpy", "rich", "soundfile"} & modules


def test_the_version_is_the_packages():
    out, modules = loaded("--version")
    assert VERSION in out
    assert "torch" not in modules


def test_the_console_script_is_this_program():
    done = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: tnca ")
