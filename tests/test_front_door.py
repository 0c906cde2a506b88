"""What `import diagnose` and `import tnca` offer: named once, loaded late, typed, and hidden by nothing."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import diagnose
import tnca
from diagnose import audio, example

ROOT = Path(__file__).resolve().parents[1]
STUB = ast.parse((ROOT / "diagnose" / "__init__.pyi").read_text(encoding="utf-8"))
USER_CODE = Path(__file__).with_name("user_code")
PROMISED = re.findall(
    r"\w+",
    "compare measure infer_contract check_contract read read_report Report MetricRow Cause Region Audio Measurement "
    "Profile Limit Inference ContractCheck MelContract DiagnoseError InputError NotComparable ContractMismatch "
    "CannotConvert __version__",
)


def listed():
    """(module, name) of what the stub imports; the module of a subpackage is diagnose itself."""
    imports = [node for node in STUB.body if isinstance(node, ast.ImportFrom)]
    return [(f"diagnose.{node.module or ''}".rstrip("."), alias.name) for node in imports for alias in node.names]


def stub_all():
    (found,) = (node.value for node in STUB.body if isinstance(node, ast.Assign))
    return ast.literal_eval(found)


def fresh(code):
    """What code prints in a process of its own, as JSON."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# One list


def test_the_stub_and_the_run_time_agree_name_for_name():
    names = [name for _, name in listed()] + ["__version__"]
    assert len(set(names)) == len(names)
    assert sorted(names) == sorted(stub_all()) == sorted(diagnose.__all__) == sorted(dir(diagnose))


def test_what_was_promised_is_there():
    assert set(PROMISED) <= set(dir(diagnose))


@pytest.mark.parametrize(("module", "name"), listed())
def test_a_name_is_what_its_module_holds(module, name):
    found = getattr(diagnose, name)
    if isinstance(found, ModuleType):
        assert found is import_module(f"{module}.{name}")
    else:
        assert found is getattr(import_module(module), name)


@pytest.mark.parametrize(("module", "name"), listed())
def test_a_package_exports_what_the_front_door_takes_of_it(module, name):
    _, package, *inner = [*module.split("."), name]
    home = import_module(f"diagnose.{package}")
    if inner and hasattr(home, "__path__"):
        assert inner[0] in home.__all__


def test_a_name_that_is_none_is_an_attribute_error():
    for package in (diagnose, tnca):
        with pytest.raises(AttributeError, match="nope"):
            _ = package.nope
    assert not hasattr(diagnose, "lazily")


# Documented


def public():
    return [name for name in diagnose.__all__ if name not in ("Profile", "__version__")]  # an alias, a string


@pytest.mark.parametrize("name", public())
def test_every_name_says_what_it_is(name):
    words = inspect.getdoc(getattr(diagnose, name))
    assert words
    assert len(words.split()) >= 5, words


FUNCTIONS = [function for function in map(diagnose.__getattr__, public()) if inspect.isfunction(function)]


@pytest.mark.parametrize("function", [*FUNCTIONS, tnca.train, tnca.generate], ids=lambda function: function.__name__)
def test_every_function_is_typed_and_says_what_it_raises(function):
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(one.annotation is not inspect.Parameter.empty for one in signature.parameters.values())
    if function is not tnca.generate:
        assert "Raises " in function.__doc__ or "raises " in function.__doc__


# Loaded late, and hidden by nothing


def test_looking_at_the_names_loads_nothing():
    code = (
        "import sys, json, diagnose, tnca; dir(diagnose); dir(tnca); diagnose.__all__; diagnose.__doc__\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    assert {"numpy", "torch", "msgspec", "soundfile", "soxr", "click"} & set(fresh(code)) == set()


def test_a_prompt_completes_the_names():
    code = (
        "import json, rlcompleter, diagnose, tnca\n"
        "complete = rlcompleter.Completer({'diagnose': diagnose, 'tnca': tnca}).attr_matches\n"
        "print(json.dumps([complete('diagnose.comp'), complete('diagnose.read_'), complete('tnca.conf')]))"
    )
    completed = [[each.partition("(")[0] for each in found] for found in fresh(code)]
    assert completed == [["diagnose.compare"], ["diagnose.read_report"], ["tnca.config"]]


@pytest.mark.slow
def test_no_submodule_hides_a_name():
    """An import of diagnose.x sets diagnose.x: after every one of them each name is still what it was."""
    code = (
        "import json, pkgutil, importlib, diagnose, tnca\n"
        "def names(package): return {name: repr(getattr(package, name)) for name in package.__all__}\n"
        "before = names(diagnose), names(tnca)\n"
        "for package in (diagnose, tnca):\n"
        "    for found in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        if 'jax' in found.name or '__main__' in found.name: continue\n"
        "        try: importlib.import_module(found.name)\n"
        "        except ImportError as error: assert error.name.partition('.')[0] not in ('diagnose', 'tnca'), error\n"
        "kinds = [type(function).__name__ for function in (diagnose.compare, diagnose.measure, tnca.train)]\n"
        "print(json.dumps([(names(diagnose), names(tnca)) == before, kinds]))"
    )
    assert fresh(code) == [True, ["function", "function", "function"]]


@pytest.mark.parametrize("package", [diagnose, tnca], ids=lambda package: package.__name__)
def test_no_file_has_the_name_of_a_function(package):
    """diagnose/compare.py would be diagnose.compare as soon as anyone imported it before the function."""
    functions = {name for name in package.__all__ if not isinstance(getattr(package, name), ModuleType)}
    here = ROOT / package.__name__
    files = {path.stem for path in here.glob("*.py")} | {path.name for path in here.iterdir() if path.is_dir()}
    assert functions & files == set()
    assert {"inspect", "trace"} & files == set()  # names that the design keeps for functions


def test_tnca_config_is_there_after_import_tnca_and_needs_no_torch():
    code = (
        "import sys, json, tnca\n"
        "print(json.dumps([tnca.config.preset('best').epochs > 0, 'torch' in sys.modules, dir(tnca)]))"
    )
    assert fresh(code) == [True, False, ["Config", "Run", "config", "generate", "train"]]


# As a user writes it


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    note = example.bowed_string(seconds=0.5, rate=22050)
    audio.write(folder / "reference.wav", note)
    audio.write(folder / "generated.wav", example.misfed_vocoder(note))
    return folder


def test_a_user_s_program_runs(pair):
    command = [sys.executable, str(USER_CODE / "uses_diagnose.py"), "reference.wav", "generated.wav"]
    done = subprocess.run(command, cwd=pair, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("FAIL FAIL True bigvgan_base_22khz_80band: ")
    assert done.stdout.endswith(f"none.wav: No such file or directory {diagnose.__version__}\n")


def test_a_report_is_read_from_a_path_of_either_kind(pair):
    report = diagnose.compare(pair / "reference.wav", pair / "generated.wav")
    path = pair / "report.json"
    path.write_text(json.dumps(report.as_dict()))
    for kind in (path, str(path)):
        assert diagnose.read_report(kind).as_dict() == report.as_dict()
    with pytest.raises(diagnose.InputError, match=r"none\.json: No such file"):
        diagnose.read_report(pair / "none.json")


def test_both_packages_say_that_they_are_typed():
    assert all((ROOT / package / "py.typed").is_file() for package in ("diagnose", "tnca"))


@pytest.mark.slow
def test_mypy_strict_passes_a_user_s_program_and_not_a_wrong_one(tmp_path):
    api = pytest.importorskip("mypy.api", reason="mypy is not installed: no one to ask for the types")
    options = ["--strict", "--config-file=", "--cache-dir", str(tmp_path / "cache")]
    said, error, code = api.run([*options, *map(str, sorted(USER_CODE.glob("*.py")))])
    assert (code, error) == (0, ""), said
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "import diagnose, tnca\n"
        "diagnose.compare('a', 'b').verdikt\n"
        "diagnose.nope\n"
        "tnca.nope\n"
        "diagnose.measure('a', rate='fast')\n"
    )
    said, error, code = api.run([*options, str(wrong)])
    assert (code, error) == (1, "")
    assert [line.split(":")[1] for line in said.splitlines()[:-1]] == ["2", "3", "4", "5"], said
