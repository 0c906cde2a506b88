"""diagnose mel and diagnose contracts: exit codes, where text goes, one line for every bad input."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from one_line import assert_one_line

from diagnose import audio, example
from diagnose.audio import Audio
from diagnose.mel.contract import ValueScale, load, names

PROGRAM = str(Path(sys.executable).with_name("diagnose"))
BASE = "bigvgan_base_22khz_80band"
NOTE = Audio(np.pad(example.bowed_string(seconds=0.5, rate=22050).mono, (0, 2205))[None], 22050)
MEL = load(BASE).mel(NOTE.mono).values
BEST = [
    "scale",
    "log_base",
    "clip",
    "reference",
    "rate_hz",
    "n_fft",
    "hop",
    "bands",
    "fmin_hz",
    "fmax_hz",
    "formula",
    "norm",
    "centred",
]
SCALES = {
    "power",
    "magnitude",
    "power-db",
    "magnitude-db",
    "ln-magnitude",
    "log10-magnitude",
    "ln-power",
    "normalised",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with mels of half a second of the example note, and the note."""
    folder = tmp_path_factory.mktemp("mels")
    np.save(folder / "right.npy", MEL)
    np.save(folder / "log10.npy", MEL / np.log(10))
    np.save(folder / "linear.npy", np.exp(MEL))
    np.save(folder / "db.npy", 20 / np.log(10) * (MEL - MEL.max()))
    np.save(folder / "turned.npy", MEL.T)
    np.save(folder / "batch.npy", np.stack([MEL, MEL / np.log(10)]))
    np.save(folder / "flat.npy", np.full((80, 50), -5.0))
    np.save(folder / "whisper.npy", load("whisper").mel(audio.resample(NOTE, 16000).mono).values)
    np.save(folder / "few.npy", MEL[:, 5:9])
    np.savez(folder / "two.npz", mel=MEL, linear=np.exp(MEL))
    audio.write(folder / "note.wav", NOTE)
    return folder


def strict(text):
    """JSON as every parser reads it: no NaN, no Infinity."""
    return json.loads(text, parse_constant=pytest.fail)


def process(*arguments, **options):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=600, **options)
    assert b"Traceback" not in done.stderr
    return done


# Exit codes


def test_0_where_no_contract_is_asked_for(diagnose, files):
    done = diagnose("mel", files / "db.npy")
    assert (done.code, done.err) == (0, "")
    assert "reads as" in done.out
    assert "-db with reference max" in done.out


def test_0_where_it_is_what_the_contract_asks_for(diagnose, files):
    done = diagnose("mel", files / "right.npy", "--for", BASE)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"PASS  no difference from {BASE} found; not checked: rate_hz, n_fft, hop, ")
    done = diagnose("mel", files / "right.npy", "--for", BASE, "--audio", files / "note.wav")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"PASS  the mel matches {BASE}\n")
    assert "dB rms from" in done.out


def test_1_where_it_is_not(diagnose, files):
    done = diagnose("mel", files / "db.npy", "--for", BASE, "--audio", files / "note.wav")
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith(f"FAIL  the mel does not match {BASE}: 2 differences\n")
    assert "\ndiffers    scale magnitude-db, not ln-magnitude: " in done.out
    assert "reference lost" in done.out.replace("\n           ", " ")


def test_turned_arrays_are_read_and_said(diagnose, files):
    done = diagnose("mel", files / "turned.npy", "--for", BASE)
    assert (done.code, done.err) == (0, "")
    assert "(frames, bands)" in done.out


USAGE = {
    "no array": (["mel"], "Missing argument 'ARRAY'"),
    "two arrays": (["mel", "a.npy", "b.npy"], "unexpected extra argument (b.npy)"),
    "convert without a contract": (["mel", "RIGHT", "--convert", "OUT"], "--convert needs --for"),
    "convert to stdout": (
        ["mel", "RIGHT", "--for", BASE, "--convert", "-"],
        "--convert -: an array cannot be written to stdout",
    ),
    "convert to nothing": (["mel", "RIGHT", "--for", BASE, "--convert", ""], "--convert: the file name is empty"),
    "convert onto itself": (["mel", "LOG10", "--for", BASE, "--convert", "LOG10"], "is also an input"),
    "convert onto the sound": (
        ["mel", "LOG10", "--for", BASE, "--audio", "NOTE", "--convert", "NOTE"],
        "also an input",
    ),
    "convert to another format": (["mel", "LOG10", "--for", BASE, "--convert", "x.npz"], "only .npy can be written"),
    "json and the array to one file": (
        ["mel", "LOG10", "--for", BASE, "--convert", "OUT", "--json", "OUT"],
        "is also another output",
    ),
    "json onto the array": (["mel", "RIGHT", "--json", "RIGHT"], "is also an input"),
    "an unknown contract": (
        ["mel", "RIGHT", "--for", "nosuch"],
        "nosuch: no such contract; give a TOML file or one of bigvgan_22khz",
    ),
    "no contract": (["mel", "RIGHT", "--for", ""], "no such contract"),
    "a contract that is no file": (["mel", "RIGHT", "--for", "../x"], "../x: cannot be read"),
    "a contract that is missing": (["mel", "RIGHT", "--for", "none.toml"], "none.toml: cannot be read"),
    "an item out of range": (["mel", "BATCH", "--item", "2"], "no item 2; shape (2, 80, "),
    "an item below 0": (["mel", "BATCH", "--item", "-1"], "--item"),
    "an item that is no number": (["mel", "BATCH", "--item", "x"], "--item"),
    "no key": (["mel", "TWO"], "contains 2 arrays (mel, linear); choose one with --key"),
    "a key that is none": (["mel", "TWO", "--key", "x"], "no array x; the arrays are mel, linear"),
    "no such array": (["mel", "none.npy"], "none.npy: No such file"),
    "a sound for an array": (["mel", "NOTE"], "not an array file"),
    "an array for a sound": (["mel", "RIGHT", "--audio", "RIGHT"], "not a readable audio file"),
    "no such sound": (["mel", "RIGHT", "--audio", "none.wav"], "none.wav: No such file"),
    "no sound": (["mel", "RIGHT", "--audio", ""], "No such file"),
    "an option that is none": (["mel", "RIGHT", "--html", "-"], "No such option"),
    "contracts with a name": (["contracts", "bigvgan"], "unexpected extra argument"),
}


@pytest.mark.parametrize("kind", USAGE)
def test_2_is_wrong_usage_in_one_line(diagnose, files, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    places = {"RIGHT": "right.npy", "LOG10": "log10.npy", "BATCH": "batch.npy", "TWO": "two.npz", "NOTE": "note.wav"}
    places = {name: str(files / place) for name, place in places.items()} | {"OUT": str(tmp_path / "out.npy")}
    arguments, said = USAGE[kind]
    before = {path: path.stat().st_mtime_ns for path in files.iterdir()}
    assert_one_line(diagnose(*(places.get(one, one) for one in arguments)), 2, said)
    assert list(tmp_path.iterdir()) == []
    assert {path: path.stat().st_mtime_ns for path in files.iterdir()} == before


class Trap:
    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return (exec, (f"open({self.marker!r}, 'w').close()",))


ARRAYS = {
    "1-D": (lambda: np.zeros(80), "shape (80,)"),
    "5-D": (lambda: np.zeros((1, 1, 1, 80, 9)), "at most two batch axes"),
    "no values": (lambda: np.zeros((80, 0)), "no values"),
    "NaN alone": (lambda: np.full((80, 9), np.nan), "every value is NaN"),
    "complex": (lambda: np.zeros((80, 9), complex), "complex128 is not numeric"),
    "bool": (lambda: np.zeros((80, 9), bool), "bool is not numeric"),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_2_is_an_array_that_is_no_mel(diagnose, tmp_path, kind):
    make, said = ARRAYS[kind]
    np.save(tmp_path / "bad.npy", make())
    for more in ([], ["--for", BASE], ["--json", "-"]):
        assert_one_line(diagnose("mel", tmp_path / "bad.npy", *more), 2, f"{tmp_path / 'bad.npy'}: ", said)


@pytest.mark.parametrize("suffix", ["npy", "pt"])
def test_2_is_an_array_of_objects_and_nothing_is_executed(diagnose, tmp_path, suffix):
    marker = tmp_path / "executed"
    if suffix == "npy":
        np.save(tmp_path / "bad.npy", np.array([[Trap(marker)]], object), allow_pickle=True)
    else:
        (tmp_path / "bad.pt").write_bytes(pickle.dumps(Trap(marker)))
    assert_one_line(diagnose("mel", tmp_path / f"bad.{suffix}"), 2, f"bad.{suffix}: ")
    assert not marker.exists()


def test_2_is_an_array_that_claims_to_be_enormous(diagnose, tmp_path):
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }".ljust(117) + "\n"
    (tmp_path / "big.npy").write_bytes(b"\x93NUMPY\x01\0v\0" + text.encode() + bytes(400))
    assert_one_line(diagnose("mel", tmp_path / "big.npy"), 2, "header says (1000000, 1000000)")


def test_contracts_that_are_hostile_are_one_line(diagnose, files, tmp_path):
    (tmp_path / "bad.toml").write_bytes(b"a = " + b"[" * 20000)
    assert_one_line(diagnose("mel", files / "right.npy", "--for", tmp_path / "bad.toml"), 2, "bad.toml: ")
    (tmp_path / "bad.toml").write_bytes(bytes(range(256)))
    assert_one_line(diagnose("mel", files / "right.npy", "--for", tmp_path / "bad.toml"), 2, "bad.toml: ")


# JSON


@pytest.mark.slow
def test_json_to_stdout_is_the_schema_and_nothing_else(diagnose, files):
    done = diagnose("mel", files / "log10.npy", "--audio", files / "note.wav", "--for", BASE, "--json", "-")
    assert (done.code, done.err) == (1, "")
    found = strict(done.out)
    assert found["schema"] == "diagnose.mel/1"
    assert {"schema", "best", "candidates", "wanted", "differences", "verdict"} <= set(found)
    assert list(found["best"])[: len(BEST)] == BEST
    assert {name: found["best"][name] for name in BEST} == {
        "scale": "log10-magnitude",
        "log_base": "10",
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
    assert found["candidates"][0] == found["best"]
    assert all(list(each) == list(found["best"]) for each in found["candidates"])
    assert (found["wanted"], found["verdict"]) == (BASE, "FAIL")
    (difference,) = found["differences"]
    assert list(difference) == ["field", "is", "should_be", "consequence"]
    assert (difference["field"], difference["is"], difference["should_be"]) == (
        "scale",
        "log10-magnitude",
        "ln-magnitude",
    )


def test_what_cannot_be_told_is_null(diagnose, files):
    done = diagnose("mel", files / "db.npy", "--json", "-")
    assert (done.code, done.err) == (0, "")
    found = strict(done.out)
    for name in ("rate_hz", "n_fft", "hop", "fmin_hz", "fmax_hz", "formula", "norm", "centred"):
        assert found["best"][name] is None
    assert found["best"]["bands"] == 80
    assert (found["wanted"], found["verdict"], found["differences"]) == (None, None, [])
    assert found["best"]["reference"] == "max"


def test_a_flat_array_has_no_best(diagnose, files):
    done = diagnose("mel", files / "flat.npy", "--json", "-", "--for", BASE)
    assert (done.code, done.err) == (1, "")
    found = strict(done.out)
    assert (found["best"], found["candidates"]) == (None, [])
    assert [each["field"] for each in found["differences"]] == ["constant"]


@pytest.mark.parametrize("name", ["right", "log10", "linear", "db", "turned", "whisper", "batch", "few"])
def test_a_scale_is_one_of_the_eight(diagnose, files, name):
    found = strict(diagnose("mel", files / f"{name}.npy", "--json", "-").out)
    assert found["best"]["scale"] in SCALES
    assert {each["scale"] for each in found["candidates"]} <= SCALES
    assert found["best"]["log_base"] in ("e", "10", None)
    assert sum(each["probability"] for each in found["candidates"]) == pytest.approx(1, abs=0.05)


@pytest.mark.slow
def test_log10_of_a_power_is_one_of_the_eight_too(diagnose, files, tmp_path):
    """Whisper's before it is normalised; the schema has no ninth word."""
    grid = msgspec.structs.replace(load(BASE), levels=ValueScale("log10-power", clip=1e-10))
    np.save(tmp_path / "mel.npy", grid.mel(NOTE.mono).values)
    found = strict(diagnose("mel", tmp_path / "mel.npy", "--audio", files / "note.wav", "--json", "-").out)
    assert found["best"]["scale"] in SCALES


def test_a_file_has_what_stdout_would_have_and_the_terminal_stays(diagnose, files, tmp_path):
    done = diagnose("mel", files / "log10.npy", "--for", BASE, "--json", tmp_path / "out.json")
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith("FAIL  ")
    plain = diagnose("mel", files / "log10.npy", "--for", BASE, "--json", "-")
    assert plain.out == (tmp_path / "out.json").read_text()


@pytest.mark.slow
def test_twice_the_same_is_the_same(files):
    first, second = (
        process(
            "mel", files / "log10.npy", "--for", "bigvgan", "--json", "-", env={**os.environ, "PYTHONHASHSEED": seed}
        )
        for seed in "12"
    )
    assert (first.returncode, first.stderr) == (1, b"")
    assert first.stdout == second.stdout


# --convert


def test_a_conversion_is_written_and_exits_0(diagnose, files, tmp_path):
    out = tmp_path / "out.npy"
    done = diagnose("mel", files / "log10.npy", "--for", BASE, "--convert", out)
    assert (done.code, done.err) == (0, "")
    assert f"{out}: exact" in done.out.replace("\n           ", " ").replace("\n", "")
    found = np.load(out)
    assert (found.dtype, found.shape) == (np.float32, MEL.shape)
    assert np.abs(found - MEL).max() <= 1e-3
    assert [path.name for path in tmp_path.iterdir()] == ["out.npy"]
    again = diagnose("mel", out, "--for", BASE, "--audio", files / "note.wav")
    assert again.code == 0


def test_a_conversion_says_in_json_what_was_written(diagnose, files, tmp_path):
    out = tmp_path / "out.npy"
    done = diagnose("mel", files / "log10.npy", "--for", BASE, "--convert", out, "--json", "-")
    assert (done.code, done.err) == (0, "")
    found = strict(done.out)
    assert found["converted"].startswith(f"{out}: exact")
    assert np.abs(np.load(out) - MEL).max() <= 1e-3


def test_a_refused_conversion_writes_nothing_and_exits_1(diagnose, files, tmp_path):
    out = tmp_path / "out.npy"
    out.write_bytes(b"old")
    done = diagnose("mel", files / "db.npy", "--for", BASE, "--convert", out)
    assert done.code == 1
    assert done.err.startswith("diagnose: not converted: ")
    assert "reference" in done.err
    assert "--audio" in done.err
    assert done.err.count("\n") == 1
    assert done.out.startswith("FAIL  ")  # what differs is still shown
    assert out.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.npy"]
    done = diagnose("mel", files / "db.npy", "--for", BASE, "--convert", out, "--json", "-")
    assert done.code == 1
    assert strict(done.out)["converted"] is None


def test_a_place_that_cannot_be_written_is_one_line(diagnose, files, tmp_path):
    done = diagnose("mel", files / "log10.npy", "--for", BASE, "--convert", tmp_path / "none" / "out.npy")
    assert_one_line(done, 2, "cannot be written")


def test_a_link_to_the_input_is_the_input(diagnose, files, tmp_path):
    (tmp_path / "link.npy").symlink_to(files / "log10.npy")
    before = (files / "log10.npy").read_bytes()
    done = diagnose("mel", files / "log10.npy", "--for", BASE, "--convert", tmp_path / "link.npy")
    assert_one_line(done, 2, "is also an input")
    assert (files / "log10.npy").read_bytes() == before


def test_the_item_that_is_judged_is_the_one_asked_for(diagnose, files):
    assert diagnose("mel", files / "batch.npy", "--for", BASE).code == 0
    done = diagnose("mel", files / "batch.npy", "--for", BASE, "--item", "1")
    assert done.code == 1
    assert "item 1 of 2" in done.out.replace("\n           ", " ")


def test_of_a_batch_of_two_conventions_one_item_is_converted(diagnose, files, tmp_path):
    """Item 1 is log10, item 0 is not: converted alike, one of them would be wrong."""
    out = tmp_path / "out.npy"
    done = diagnose("mel", files / "batch.npy", "--for", BASE, "--item", "1", "--convert", out)
    assert done.code == 0
    assert np.abs(np.load(out) - MEL).max() <= 1e-3


def test_a_key_chooses(diagnose, files):
    assert diagnose("mel", files / "two.npz", "--key", "mel", "--for", BASE).code == 0
    assert diagnose("mel", files / "two.npz", "--key", "linear", "--for", BASE).code == 1


# Names and pipes

ODD = [
    "with space.npy",
    "quote'\".npy",
    "<b>html</b>.npy",
    "[bold]x[/bold].npy",
    "-dash.npy",
    "ünï.npy",
    "new\nline.npy",
]
ODD += ["%s{0}.npy", "$(true).npy", "\x1b[31mred.npy"]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_shown_as_they_are(diagnose, files, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    given = "./" + name.replace("/", "")
    Path(given).write_bytes((files / "right.npy").read_bytes())
    done = diagnose("mel", given, "--for", BASE, "--json", "-")
    assert (done.code, done.err) == (0, "")
    assert strict(done.out)["array"]["path"] == given
    done = diagnose("mel", given, "--for", BASE)
    assert (done.code, done.err) == (0, "")
    assert "\x1b" not in done.out
    if name.isprintable():
        assert given in done.out
    plain = diagnose("mel", files / "right.npy", "--for", BASE)
    assert len(done.out.splitlines()) == len(plain.out.splitlines())


@pytest.mark.slow
def test_an_odd_name_in_an_error_is_one_line(tmp_path):
    for name in ("new\nline.npy", "\x1b[31mred.npy", "<b>.npy", "\udcff.npy"):
        done = process("mel", tmp_path / name)
        assert done.returncode == 2
        assert done.stderr.count(b"\n") == 1
        assert b"\x1b" not in done.stderr


def test_a_key_with_a_newline_is_one_line(diagnose, tmp_path):
    np.savez(tmp_path / "odd.npz", **{"a\nb": MEL, "c": MEL})
    assert_one_line(diagnose("mel", tmp_path / "odd.npz"), 2, "contains 2 arrays")


@pytest.mark.slow
def test_a_pipe_for_an_array_is_one_line(files):
    with open(files / "right.npy", "rb") as array:
        done = process("mel", "/dev/stdin", stdin=array)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    done = process("mel", "-", input=(files / "right.npy").read_bytes())
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1


@pytest.mark.slow
def test_a_reader_that_goes_away_ends_it_quietly(files):
    done = subprocess.run(
        [
            "sh",
            "-c",
            f'"{PROGRAM}" contracts --json - | head -c 10; "{PROGRAM}" mel "$1" | true',
            "sh",
            files / "right.npy",
        ],
        capture_output=True,
        timeout=600,
    )
    assert done.stdout == b'{\n  "schem'
    assert done.stderr == b""


@pytest.mark.slow
def test_in_a_pipe_no_colour_and_no_line_is_over_wide(files):
    done = process("mel", files / "db.npy", "--for", BASE)
    assert done.returncode == 1
    assert b"\x1b" not in done.stdout


# contracts


def test_every_contract_is_listed(diagnose):
    done = diagnose("contracts")
    assert (done.code, done.err) == (0, "")
    first = [line.split()[0] for line in done.out.splitlines() if line and not line[0].isspace()]
    assert [name for name in first if name in names()] == names()


def test_contracts_as_json_can_be_loaded_again(diagnose):
    done = diagnose("contracts", "--json", "-")
    assert (done.code, done.err) == (0, "")
    found = strict(done.out)
    assert found["schema"] == "diagnose.contracts/1"
    assert [each["name"] for each in found["contracts"]] == names()
    base = next(each for each in found["contracts"] if each["name"] == BASE)
    assert base["grid"]["fmax"] == 8000
    assert base["levels"]["clip"] == 1e-5
    assert base["source"].startswith("https://github.com/NVIDIA/BigVGAN")


def test_contracts_to_a_file(diagnose, tmp_path):
    done = diagnose("contracts", "--json", tmp_path / "c.json")
    assert done.code == 0
    assert strict((tmp_path / "c.json").read_text())["contracts"]
    assert BASE in done.out
    assert_one_line(diagnose("contracts", "--json", tmp_path), 2, "cannot be written")


@pytest.mark.parametrize("command", ["mel", "contracts"])
def test_help_has_examples(diagnose, command):
    done = diagnose(command, "--help")
    assert (done.code, done.err) == (0, "")
    assert f"\n  diagnose {command}" in done.out


def test_a_mel_from_values_alone_loads_nothing_heavy(files):
    code = (
        "import sys\nfrom diagnose.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'librosa', 'scipy', 'matplotlib', 'pandas', 'bigvgan'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    arguments = ["mel", files / "right.npy", "--for", BASE, "--json", "-"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=600)
    assert done.stderr == "[]\n"
