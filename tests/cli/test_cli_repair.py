"""compare --repair: where the sound goes, what is said, and what is refused."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from one_line import assert_one_line

from diagnose import audio, example
from diagnose.audio import Audio

RATE = 22050


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """(reference, generated): half a second of the example note, and it inverted."""
    folder = tmp_path_factory.mktemp("pair")
    note = example.bowed_string(seconds=0.5, rate=RATE)
    audio.write(folder / "reference.wav", note)
    audio.write(folder / "generated.wav", Audio(-audio.read(folder / "reference.wav").samples, RATE), "FLOAT")
    return str(folder / "reference.wav"), str(folder / "generated.wav")


def test_the_repaired_sound_is_written_and_told(diagnose, pair, tmp_path):
    done = diagnose("compare", *pair, "--repair", tmp_path / "out.wav", "--json", tmp_path / "report.json")
    assert (done.code, done.err) == (1, "")
    made, reference = audio.read(tmp_path / "out.wav"), audio.read(pair[0])
    assert np.array_equal(made.samples, reference.samples)
    assert soundfile.info(tmp_path / "out.wav").subtype == "PCM_24"
    assert "repaired   polarity undone" in done.out
    assert json.loads((tmp_path / "report.json").read_text())["repair"]["undone"][0]["ids"] == ["polarity"]


def test_samples_beyond_full_scale_or_off_the_lattice_are_kept(diagnose, pair, tmp_path):
    loud = Audio(audio.read(pair[0]).samples * np.float32(3.3), RATE)
    audio.write(tmp_path / "reference.wav", loud, "FLOAT")
    audio.write(tmp_path / "generated.wav", Audio(-loud.samples, RATE), "FLOAT")
    diagnose("compare", tmp_path / "reference.wav", tmp_path / "generated.wav", "--repair", tmp_path / "out.wav")
    assert soundfile.info(tmp_path / "out.wav").subtype == "FLOAT"
    assert np.array_equal(audio.read(tmp_path / "out.wav").samples, loud.samples)


def test_a_dash_is_the_sound_alone_on_stdout(diagnose, pair, typed_bytes):
    code, out, err = typed_bytes("compare", *pair, "--repair", "-")
    samples, rate = soundfile.read(io.BytesIO(out))
    assert (code, rate, err) == (1, RATE, "")
    assert np.allclose(samples, audio.read(pair[0]).samples[0], atol=1e-6)


@pytest.fixture
def typed_bytes():
    """The console script as a process, its stdout as bytes."""
    program = Path(sys.executable).with_name("diagnose")

    def run(*arguments):
        done = subprocess.run([program, *map(str, arguments)], capture_output=True, timeout=600)
        return done.returncode, done.stdout, done.stderr.decode()

    return run


def test_where_nothing_is_undone_nothing_is_written(diagnose, pair, tmp_path):
    done = diagnose("compare", pair[0], pair[0], "--repair", tmp_path / "out.wav")
    assert (done.code, done.err) == (0, "nothing to repair\n")
    assert not (tmp_path / "out.wav").exists()
    assert done.out.startswith("PASS")


@pytest.mark.parametrize("which", [0, 1])
def test_an_input_is_never_replaced(diagnose, pair, tmp_path, which):
    before = Path(pair[which]).read_bytes()
    link = tmp_path / "link.wav"
    os.symlink(pair[which], link)
    for target in (pair[which], link):
        assert_one_line(diagnose("compare", *pair, "--repair", target), 2, "--repair", "is also an input")
    assert Path(pair[which]).read_bytes() == before


def test_two_outputs_are_not_one_file(diagnose, pair, tmp_path):
    both = tmp_path / "out"
    assert_one_line(diagnose("compare", *pair, "--repair", both, "--json", both), 2, "is also another output")


def test_a_folder_that_is_not_there_is_one_line(diagnose, pair, tmp_path):
    assert_one_line(diagnose("compare", *pair, "--repair", tmp_path / "none" / "out.wav"), 2, "cannot be written")


def test_a_name_of_another_format_is_one_line(diagnose, pair, tmp_path):
    assert_one_line(diagnose("compare", *pair, "--repair", tmp_path / "out.flac"), 2, "--repair", ".wav")
    assert diagnose("compare", *pair, "--repair", tmp_path / "OUT.WAV").code == 1


def test_an_empty_name_is_one_line(diagnose, pair):
    assert_one_line(diagnose("compare", *pair, "--repair", ""), 2, "--repair", "empty")


def test_a_kept_report_tells_it_again(diagnose, pair, tmp_path):
    diagnose("compare", *pair, "--repair", tmp_path / "out.wav", "--json", tmp_path / "report.json")
    done = diagnose("render", tmp_path / "report.json", "--html", tmp_path / "page.html")
    assert "polarity undone" in done.out
    assert "As it would be" not in (tmp_path / "page.html").read_text()
