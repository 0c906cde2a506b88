"""diagnose image, as the console script runs it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from diagnose.cli import program
from diagnose.cli.image import image


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(program.cli.commands, "image", image)


def test_json_to_stdout_is_json_alone_and_the_array_is_written(diagnose, draw, array, tmp_path):
    levels = array()
    out = tmp_path / "levels.npy"
    done = diagnose("image", draw(levels), "--json", "-", "--out", out)
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert (found["bands"], found["frames"], found["notes"]) == (80, 90, [])
    written = np.load(out)
    assert written.dtype == np.float32
    assert np.median(np.abs(written - levels)) < 0.2


def test_the_terminal_form_and_options(diagnose, draw, array, tmp_path):
    path = draw(array(), y=None, x=None, bar=None)
    done = diagnose(
        "image", path, "--db-range", -60, 0, "--fmax", 8000, "--seconds", 1.5, "--json", tmp_path / "a.json"
    )
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(path)
    found = json.loads((tmp_path / "a.json").read_text())
    assert (found["db_range"], found["fmax_hz"], found["seconds"]) == ([-60, 0], 8000, 1.5)


def test_what_cannot_be_read_is_one_line_and_exit_code_2(diagnose, draw, array, tmp_path):
    text = tmp_path / "text.png"
    text.write_text("no picture\n")
    out = tmp_path / "levels.npy"
    for path in (text, tmp_path / "none.png", draw(array(), bar=None)):
        done = diagnose("image", path, "--json", "-", "--out", out)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"diagnose: {path}: ")
        assert done.err.count("\n") == 1
    assert not out.exists()


def test_an_array_goes_to_a_file_and_never_over_the_picture(diagnose, draw, array):
    path = draw(array())
    for out in ("-", path):
        done = diagnose("image", path, "--out", out)
        assert done.code == 2
        assert done.out == ""
    with open(path, "rb") as file:
        assert file.read(4) == b"\x89PNG"


def test_nothing_heavy_is_loaded(draw, array):
    import subprocess
    import sys

    code = (
        "import sys; from diagnose.cli.image import image; image.main(sys.argv[1:], standalone_mode=False); "
        "print(sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, draw(array()), "--json", "-"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = set(eval(done.stderr))
    assert loaded & {"torch", "librosa", "scipy", "matplotlib", "pandas"} == set()
    assert {"numpy", "PIL"} <= loaded
