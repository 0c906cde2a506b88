"""The README's first screen is what the tool prints."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np

from diagnose import audio, example
from diagnose.faults import INJECTORS
from tnca.bench.measure import table
from tnca.fixes.page import number

ROOT = Path(__file__).parent.parent


def test_the_first_block_is_the_real_output(data, tmp_path):
    shutil.copy(data / "violin.wav", tmp_path / "violin.wav")
    shutil.copy(data / "generated_bigvgan-2.wav", tmp_path / "generated.wav")
    shown = (ROOT / "README.md").read_text().split("```\n$ diagnose compare violin.wav generated.wav\n")[1]
    shown, _, code = shown.split("```")[0].partition("$ echo $?\n")
    tool = Path(sys.executable).parent / "diagnose"
    done = subprocess.run(
        [tool, "compare", "violin.wav", "generated.wav"], cwd=tmp_path, capture_output=True, text=True
    )
    assert [line.rstrip() for line in done.stdout.splitlines()] == shown.splitlines()
    assert int(code) == done.returncode


def test_the_ledger_is_the_real_output(tmp_path):
    note, rng = example.bowed_string(220.0, 2.0, 22_050), np.random.default_rng(0)
    audio.write(tmp_path / "note.wav", note)
    hummed = INJECTORS["hum_50"].break_by(note, -20.0, rng)
    audio.write(tmp_path / "note-out.wav", INJECTORS["gain_down"].break_by(hummed, -9.0, rng))
    _, shown = block("diagnose compare note.wav note-out.wav")
    printed = run(["diagnose", "compare", "note.wav", "note-out.wav"], tmp_path).stdout.splitlines()
    first = next(index for index, line in enumerate(printed) if line.startswith("explained"))
    assert printed[first : first + 3] == shown.splitlines()


def test_the_block_on_repairs_is_the_real_output(tmp_path):
    note, rng = example.bowed_string(220.0, 2.0, 22_050), np.random.default_rng(0)
    audio.write(tmp_path / "note.wav", note)
    hummed = INJECTORS["hum_50"].break_by(note, -20.0, rng)
    audio.write(tmp_path / "note-out.wav", INJECTORS["gain_down"].break_by(hummed, -9.0, rng))
    command, shown = block("diagnose compare note.wav note-out.wav --repair")
    printed = run(command[: command.index("|")], tmp_path).stdout.splitlines()
    first = next(index for index, line in enumerate(printed) if line.startswith("repaired"))
    assert printed[first : first + 3] == shown.splitlines()
    assert audio.read(tmp_path / "repaired.wav").length == note.length


def test_the_block_on_mels_is_the_real_output(data, tmp_path):
    shutil.copy(data / "violin.wav", tmp_path / "violin.wav")
    samples, rate = librosa.load(tmp_path / "violin.wav", sr=22050)
    power = librosa.feature.melspectrogram(y=samples, sr=rate, n_fft=1024, hop_length=256, n_mels=80)
    np.save(tmp_path / "mel.npy", librosa.power_to_db(power, ref=np.max))
    command, shown = block("diagnose mel mel.npy --audio")
    shown, _, code = shown.partition("$ echo $?\n")
    done = run(command, tmp_path)
    # What a fit leaves is float32's noise, whose digits are the machine's own.
    noise = re.compile(r"fits within [0-9.e-]+ dB")
    assert noise.sub("", done.stdout) == noise.sub("", shown)
    assert int(code) == done.returncode


def test_the_block_on_a_rule_is_the_real_output(tmp_path):
    command, shown = block("diagnose rule")
    assert run(command, tmp_path).stdout == shown


def test_the_block_on_pictures_is_the_real_output(data, tmp_path):
    shutil.copy(data / "epoch_5000.png", tmp_path / "epoch_5000.png")
    command, shown = block("diagnose image")
    assert [line.rstrip() for line in run(command, tmp_path).stdout.splitlines()] == shown.splitlines()


def test_the_block_on_a_failed_check_is_the_real_output(tmp_path):
    shutil.copytree(ROOT / "tests" / "sample_project", tmp_path / "project")
    (tmp_path / "project" / "pipeline.toml").write_text("fmax_hz = 4000\n")
    subprocess.run([sys.executable, "render.py"], cwd=tmp_path / "project", check=True)
    command, shown = block("diagnose check suite.toml")
    shown, _, code = shown.partition("$ echo $?\n")
    done = run(command, tmp_path / "project")
    assert done.stdout == shown
    assert int(code) == done.returncode


def block(beginning):
    """(command, what follows) of the README's block of that command."""
    text = (ROOT / "README.md").read_text()
    found = next(each for each in text.split("```") if each.startswith(f"\n$ {beginning}"))
    command, _, shown = found.removeprefix("\n$ ").partition("\n")
    return command.split(), shown


def run(command, folder):
    tool = Path(sys.executable).parent / command[0]
    return subprocess.run([tool, *command[1:]], cwd=folder, capture_output=True, text=True)


def test_the_block_on_python_runs(tmp_path, monkeypatch):
    """As a user would paste it, in a folder with a sound of that name."""
    monkeypatch.chdir(tmp_path)
    note = example.bowed_string(seconds=0.5, rate=22050)
    audio.write("violin.wav", note)
    section = (ROOT / "README.md").read_text().split("## From Python\n")[1]
    block = section.split("```python\n")[1].split("```")[0]
    names = {"generated": example.misfed_vocoder(note).mono}
    exec(block, names)
    assert names["report"].verdict == "FAIL"
    assert repr(names["sound"]) == "Audio(violin.wav, 22050 Hz, 1 channel, 0.500 s)"
    assert json.loads((tmp_path / "report.json").read_text())["schema"] == "diagnose.report/1"


def test_the_example_profile_is_read(tmp_path):
    from diagnose.profile import load_profile

    blocks = (ROOT / "README.md").read_text().split("```toml\n")[1:]
    profile = next(block.split("```")[0] for block in blocks if block.startswith("[metric."))
    (tmp_path / "limits.toml").write_text(profile)
    assert list(load_profile(tmp_path / "limits.toml")) == ["spectral_centroid_hz"]


def test_the_example_suite_is_read(tmp_path):
    from diagnose.gate.suite import load_suite

    blocks = (ROOT / "README.md").read_text().split("```toml\n")[1:]
    suite = next(block.split("```")[0] for block in blocks if "[suite]" in block)
    (tmp_path / "suite.toml").write_text(suite)
    assert [case.id for case in load_suite(tmp_path / "suite.toml").cases] == ["violin"]


def test_the_table_of_fixes_is_the_report():
    report = json.loads((ROOT / "reports" / "fixes.json").read_text())
    rows = [
        f"| `{fix['name']}` | `{fix['prediction']['metric']}` | {number(fix['broken'])} | {number(fix['fixed'])} "
        f"| {fix['verdict']} |"
        for fix in report["fixes"]
    ]
    table = (ROOT / "README.md").read_text().split("| fix | what should move |")[1].split("\n\n")[0]
    assert table.splitlines()[2:] == rows


def test_the_block_on_speed_is_the_measured_one():
    """The README and the report show the run that reports/performance.json is."""
    found = json.loads((ROOT / "reports" / "performance.json").read_text())
    printed = table(found)
    assert printed in (ROOT / "README.md").read_text()
    assert printed in (ROOT / "reports" / "performance.md").read_text()
    assert all(row["right"] for row in found["rows"])
