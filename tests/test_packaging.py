"""What is installed: all files in the wheel, both programs in a clean environment; a line where an extra is missing."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from diagnose.version import VERSION

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LISTS = {"dependencies": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
OF_TNCA = ("torch", "bigvgan", "huggingface_hub", "joblib", "ninja")  # what the extra brings
DATA = [  # one of each kind that is no Python
    "diagnose/__init__.pyi",
    "diagnose/py.typed",
    "diagnose/profiles/default.toml",
    "diagnose/mel/contracts/bigvgan_base_22khz_80band.toml",
    "tnca/py.typed",
    "tnca/presets/best.toml",
    "tnca/fixes/catalogue.toml",
    "tnca/shipped/string.pt",
]


@pytest.mark.parametrize("name", LISTS)
def test_no_dependency_stands_twice(name):
    names = [re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", line)[0].lower()) for line in LISTS[name]]
    assert sorted(set(names)) == sorted(names)


def run(*words, folder, hidden=()):
    """A program of the clean environment, without what this one has in its variables; hidden: what it cannot import."""
    shadows = folder / "hidden"
    for name in hidden:
        (shadows / name).mkdir(parents=True)
        (shadows / name / "__init__.py").write_text(
            f"raise ModuleNotFoundError({f'No module named {name!r}'!r}, name={name!r})\n"
        )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DIAGNOSE"))}
    if hidden:
        environment["PYTHONPATH"] = str(shadows)
    done = subprocess.run([*map(str, words)], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def pip(*words):
    done = subprocess.run([sys.executable, "-m", "pip", *map(str, words)], capture_output=True, text=True, timeout=600)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this tree, built with the hatchling that is here, or with one that pip fetches."""
    folder = tmp_path_factory.mktemp("wheel")
    if importlib.util.find_spec("pip") is None:
        pytest.skip("pip is not installed: nothing to build a wheel with")
    offline = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    code, said = pip("wheel", "--no-deps", *offline, "--wheel-dir", folder, ROOT)
    if code and not offline:
        pytest.skip(f"hatchling is not installed and could not be fetched: {said.strip().splitlines()[-1]}")
    assert code == 0, said
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def clean(wheel, tmp_path_factory):
    """The folder of the programs of an environment where the wheel was installed; the dependencies are this one's."""
    place = tmp_path_factory.mktemp("clean")
    venv.create(place, symlinks=os.name != "nt")
    programs = place / ("Scripts" if os.name == "nt" else "bin")
    code, said = pip("--python", programs / "python", "install", "--no-deps", "--no-index", wheel)
    assert code == 0, said
    _, out, _ = run(programs / "python", "-c", "import site; print(site.getsitepackages()[0])", folder=place)
    ours = [path for path in sys.path if Path(path).name == "site-packages"]
    (Path(out.strip()) / "dependencies.pth").write_text("\n".join(ours))
    return programs


# The wheel


@pytest.mark.slow
def test_every_file_of_both_packages_is_in_the_wheel_and_nothing_else(wheel):
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "diagnose", "tnca"]
    try:
        done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    wanted = {line for line in done.stdout.splitlines() if (ROOT / line).is_file()}
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert shipped == wanted
    assert set(DATA) <= shipped
    for kind in (".html", ".css", ".js", ".cpp"):
        assert any(name.endswith(kind) for name in shipped), kind


# Installed


@pytest.mark.slow
def test_the_programs_run_where_nothing_but_the_wheel_is(clean, tmp_path):
    code = "import diagnose, tnca; print(diagnose.__file__, tnca.__file__, tnca.config.preset('best').epochs)"
    where = run(clean / "python", "-c", code, folder=tmp_path)[1].split()
    assert all(Path(path).is_relative_to(clean.parent) for path in where[:2]), where
    assert int(where[2]) > 0
    code, out, err = run(clean / "diagnose", "demo", "--out", "demo", folder=tmp_path)
    assert (code, err) == (0, "")
    assert "<audio" in (tmp_path / "demo" / "report.html").read_text()
    pair = ("demo/reference.wav", "demo/generated.wav")
    code, out, err = run(clean / "diagnose", "compare", *pair, "--json", "-", folder=tmp_path)
    assert (code, err, json.loads(out)["verdict"]) == (1, "", "FAIL")
    assert run(clean / "diagnose", "contracts", folder=tmp_path)[:1] == (0,)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["diagnose", "tnca"])
def test_python_m_is_the_program(clean, tmp_path, name):
    code, out, err = run(clean / "python", "-m", name, "--help", folder=tmp_path)
    assert (code, err, out.splitlines()[0]) == (0, "", f"Usage: {name} [OPTIONS] COMMAND [ARGS]...")
    assert run(clean / name, "--version", folder=tmp_path)[1] == f"{name}, version {VERSION}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["demo", "--out", "out"],
        ["train", "note.wav", "--out", "out"],
        ["generate", "runs/note", "--out", "out.wav"],
        ["roundtrip", "note.wav", "--out", "out.wav"],
        ["fixes", "note.wav", "--out", "out"],
        ["bench"],
    ],
    ids=lambda words: words[0],
)
def test_without_its_extra_tnca_says_what_to_install(clean, tmp_path, words):
    code, out, err = run(clean / "tnca", *words, folder=tmp_path, hidden=OF_TNCA)
    assert (code, out) == (2, "")
    assert err == "tnca: torch is not installed; pip install 'timbre-diagnose[tnca]'\n"
    assert [path.name for path in tmp_path.iterdir()] == ["hidden"]


@pytest.mark.slow
def test_without_the_extra_the_rest_of_tnca_and_diagnose_work(clean, tmp_path):
    for name in ("diagnose", "tnca"):
        assert run(clean / name, "--help", folder=tmp_path)[0] == 0
    code = "import tnca; print(tnca.config.preset('first').epochs > 0, dir(tnca))"
    said = run(clean / "python", "-c", code, folder=tmp_path, hidden=OF_TNCA)
    assert said == (0, "True ['Config', 'Run', 'config', 'generate', 'train']\n", "")
