"""The house rules of DESIGN, section 4, as far as a program can hold them."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from diagnose import audio, example
from diagnose.causes import HYPOTHESES
from diagnose.causes.rank import FOLLOWS
from diagnose.faults import FAULTS
from diagnose.metrics import METRICS

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("diagnose", "tnca", "benchmarks")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
OURS = {path: tree for path, tree in TREES.items() if path.parts[len(ROOT.parts)] == "diagnose"}

# Who may import whom: a module imports from the lines below its own, or, where marked so, from its own line.
LAYERS = [
    ("cli",),
    ("pytest_plugin",),
    ("batch", "golden", "sensitivity"),
    ("comparison", "conversion", "faults", "render", "reread", "suite"),
    ("agreement", "history", "picture"),
    ("difference",),
    ("consequence",),
    ("infer",),
    ("report", "findings", "overview"),
    ("causes", "regions"),
    ("verdicts",),
    ("metrics",),
    ("align", "array_file", "contract", "example"),
    ("resynthesis", "spectra"),
    ("spectrogram",),
    ("audio", "scale"),
    ("command",),
    ("files", "git"),
    ("errors", "version"),
]
LEVEL = {name: -index for index, layer in enumerate(LAYERS) for name in layer}
# The one arrow upwards: a Report shows itself in a notebook, whoever made it, and loads what shows it when asked.
UPWARDS = {"diagnose/report.py": {"diagnose.render.notebook"}}
TNCA_LAYERS = [
    ("cli",),
    ("bench", "demo", "fixes"),
    ("generation", "training"),
    ("iteration", "look"),
    ("page",),
    ("run",),
    ("judge",),
    ("losses", "vocoders"),
    ("stft", "target"),
    ("cell", "checkpoint", "pool"),
    ("kernels", "device"),
    ("perceive",),
    ("padding",),
    ("config",),
]
TNCA_LEVEL = {name: -index for index, layer in enumerate(TNCA_LAYERS) for name in layer}
HEAVY = {"torch", "librosa", "scipy", "matplotlib", "pandas", "tnca", "bigvgan"}
FOR_BATCH = {"joblib", "distributed", "dask", "pyarrow", "filelock"}  # imported in the function that needs them
NOT_FOR_JSON = {"rich", "jinja2", "PIL", "numpy.ma"}


def short(path):
    return str(path.relative_to(ROOT))


def imported(tree):
    """(module, line) of every import in a file, at its top, in a function or for the type checker."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            if node.module != "diagnose":
                yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def part(module):
    """diagnose.metrics.level -> metrics; None where it is none of ours or the package itself."""
    words = module.split(".")
    return words[1] if words[0] == "diagnose" and len(words) > 1 and not words[1].startswith("__") else None


# Arrows


def test_every_part_of_diagnose_has_a_place_in_the_order():
    parts = {path.relative_to(ROOT / "diagnose").parts[0].removesuffix(".py") for path in OURS} - {"__init__"}
    assert parts - set(LEVEL) == set()
    assert len(LEVEL) == sum(map(len, LAYERS))


@pytest.mark.parametrize("path", OURS, ids=short)
def test_arrows_run_one_way(path):
    here = path.relative_to(ROOT / "diagnose").parts[0].removesuffix(".py")
    if here == "__init__":  # the front door: it names what users call, and loads it when it is used
        return
    wrong = []
    allowed = UPWARDS.get(short(path), set())
    for module, line in imported(OURS[path]):
        there = part(module)
        if any(module == one or module.startswith(f"{one}.") for one in allowed):
            continue
        if module == "diagnose" or (there and there not in LEVEL):  # `from diagnose import compare`
            wrong.append(f"line {line}: {module} comes through the front door")
        elif there and there != here and LEVEL[there] >= LEVEL[here]:
            wrong.append(f"line {line}: {here} -> {there}")
    assert wrong == []


def test_the_rule_on_arrows_sees_a_wrong_one():
    tree = ast.parse("def f():\n    from diagnose.golden import check\n    from diagnose import cli\n")
    found = {part(module) for module, _ in imported(tree)} - {None}
    assert found == {"golden", "cli"}
    assert all(LEVEL[there] >= LEVEL["metrics"] for there in found)


# A .pt file is read by whoever wrote it: torch.load(weights_only=True), inside one function.
# What a notebook asks for: inside functions of one file; report.py names their types for the type checker alone.
ALLOWED = {
    "diagnose/array_file.py": {"torch"},
    "diagnose/render/notebook.py": {"pandas", "matplotlib"},
    "diagnose/report.py": {"pandas", "matplotlib"},
}


@pytest.mark.parametrize("path", OURS, ids=short)
def test_diagnose_imports_nothing_heavy_and_nothing_of_tnca(path):
    heavy = {module.split(".")[0] for module, _ in imported(OURS[path])} & HEAVY
    assert heavy == ALLOWED.get(short(path), set())
    at_the_top = [node for node in OURS[path].body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not {module.split(".")[0] for node in at_the_top for module, _ in imported(node)} & HEAVY


def test_torch_loads_weights_only():
    loads = [call for tree in TREES.values() for call in calls(tree) if ast.unparse(call.func) == "torch.load"]
    assert loads
    assert all("weights_only=True" in ast.unparse(call) for call in loads)


TNCA = [path for path in TREES if path.parts[len(ROOT.parts)] == "tnca"]


@pytest.mark.parametrize("path", TNCA, ids=short)
def test_arrows_run_one_way_in_tnca(path):
    here = path.relative_to(ROOT / "tnca").parts[0].removesuffix(".py")
    if here == "__init__":
        return
    assert here in TNCA_LEVEL
    wrong = []
    for module, line in imported(TREES[path]):
        words = module.split(".")
        there = words[1] if words[0] == "tnca" and len(words) > 1 else None
        if there and there != here and TNCA_LEVEL[there] >= TNCA_LEVEL[here]:
            wrong.append(f"line {line}: {here} -> {there}")
    assert wrong == []


def test_the_cell_needs_torch_alone():
    modules = loaded("import tnca.cell, tnca.bench.__main__, torch, numpy")
    ours = {"diagnose", "soundfile", "soxr", "msgspec", "click", "rich", "jinja2", "PIL", "librosa", "bigvgan"}
    assert those_of(modules, ours) == set()


@pytest.mark.parametrize("path", TNCA, ids=short)
def test_tnca_does_not_import_benchmarks(path):
    names = {benchmark.stem for benchmark in SOURCES if benchmark.parent.name == "benchmarks"} | {"benchmarks"}
    assert {module for module, _ in imported(TREES[path])} & names == set()


# What a fresh process loads


def loaded(code, *arguments):
    """The names of the modules that are loaded after code has run in a fresh process."""
    code = f"import sys\n{code}\nimport json; print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def those_of(modules, packages):
    return {name for name in modules if any(name == one or name.startswith(one + ".") for one in packages)}


COMMAND = "from diagnose.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass"


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    note = example.bowed_string(seconds=0.5)
    audio.write(folder / "reference.wav", note)
    audio.write(folder / "generated.wav", example.misfed_vocoder(note))
    return str(folder / "reference.wav"), str(folder / "generated.wav")


def test_import_diagnose_loads_next_to_nothing():
    modules = loaded("import diagnose; diagnose.__version__")
    assert those_of(modules, HEAVY | NOT_FOR_JSON | {"numpy", "soundfile", "soxr", "click"}) == set()


def test_help_needs_no_numpy():
    modules = loaded(COMMAND, "--help")
    assert "click" in modules
    assert those_of(modules, HEAVY | FOR_BATCH | NOT_FOR_JSON | {"numpy", "soundfile", "soxr"}) == set()


def test_importing_batch_loads_no_way_to_spread_it():
    assert those_of(loaded("import diagnose.batch"), HEAVY | FOR_BATCH) == set()


def test_a_comparison_to_json_loads_no_renderer_and_nothing_heavy(sounds):
    modules = loaded(COMMAND, "compare", *sounds, "--json", "-")
    assert {"numpy", "soundfile", "diagnose.metrics"} <= modules
    assert those_of(modules, HEAVY | FOR_BATCH | NOT_FOR_JSON) == set()


def test_a_comparison_to_every_form_loads_nothing_heavy(sounds, tmp_path):
    out = [word for form in ("html", "junit", "markdown", "json") for word in (f"--{form}", str(tmp_path / form))]
    modules = loaded(COMMAND, "compare", *sounds, *out)
    assert {"rich", "jinja2", "PIL"} <= modules
    assert those_of(modules, HEAVY) == set()


# In the sources


def calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_no_keyword_arguments_are_passed_on(path):
    takers = [node for node in ast.walk(TREES[path]) if isinstance(node, ast.FunctionDef) and node.args.kwarg]
    passed = [
        (taker.name, call.lineno)
        for taker in takers
        for call in calls(taker)
        for keyword in call.keywords
        if keyword.arg is None and isinstance(keyword.value, ast.Name) and keyword.value.id == taker.args.kwarg.arg
    ]
    assert passed == []


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_no_global_random_state_is_used(path):
    allowed = {"default_rng", "Generator", "SeedSequence", "PCG64"}
    used = {
        node.attr
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random")
    }
    assert used <= allowed
    assert "random" not in {module for module, _ in imported(TREES[path])}
    for call in calls(TREES[path]):
        if ast.unparse(call.func).endswith("default_rng"):
            assert call.args, f"line {call.lineno}: a generator without a seed"


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_no_module_state_is_changed_and_nothing_is_evaluated(path):
    tree = TREES[path]
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Global)]
    names = {ast.unparse(call.func) for call in calls(tree)}
    assert names & {"eval", "exec", "compile", "__import__", "os.system"} == set()
    modules = {module.split(".")[0] for module, _ in imported(tree)}
    assert modules & {"pickle", "cPickle", "dill", "shelve", "marshal"} == set()
    of_joblib = {module for module, _ in imported(tree) if module.split(".")[0] == "joblib"}
    assert not {module for module in of_joblib if module.rpartition(".")[2] in ("load", "dump", "Memory")}
    assert "joblib.load" not in names
    for call in calls(tree):
        for keyword in call.keywords:
            value = ast.unparse(keyword.value)
            assert (keyword.arg, value) not in {("allow_pickle", "True"), ("shell", "True")}, call.lineno


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_a_file_is_one_idea_of_at_most_400_lines(path):
    assert path.stem not in {"utils", "util", "helpers", "misc", "common"}
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_there_are_at_most_two_levels_of_folders():
    for path in SOURCES:
        assert len(path.relative_to(ROOT).parts) <= 3, short(path)


WORDS_OF_UNIT = {
    "dB": r"\bdB\b",
    "dBFS": r"\bdBFS\b|log10",
    "dBTP": r"\bdBTP\b",
    "LUFS": r"\bLUFS\b",
    "Hz": r"\bHz\b",
    "s": r"\bs\b",
    "1/s": r"1/s",
    "nats": r"\bnats\b",
    "cents": r"\bcents\b",
    "share": r"\b0 (\(.*\) )?to 1\b",
    "ratio": r"quotient|\|\| / \|\|",
    "r": r"-1 to 1",
}


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_says_its_unit_or_its_range(name):
    metric = METRICS[name]
    function = getattr(metric.function, "func", metric.function)
    assert re.search(WORDS_OF_UNIT[metric.unit], function.__doc__), function.__doc__


# Causes

DESIGN_S_CAUSES = re.findall(  # DESIGN, section 5
    r"[a-z-]+",
    "vocoder-input-scale level-reference-lost gain dc-offset clipping polarity delay truncated sample-rate mel-range "
    "power-magnitude high-frequency-loss edge-artifact clicks frame-rate-hum noise phase-incoherent "
    "time-structure-lost mono-stereo dropout hum quantisation pitch",
)
CAUSES = {*DESIGN_S_CAUSES, "modulation", "padded", "time-stretch", "tilt", "band-gap", "spectral-holes"}


def first_words(tree, function):
    """The literal first argument of every call of a function."""
    found = [call for call in calls(tree) if ast.unparse(call.func).split(".")[-1] == function]
    return {call.args[0].value for call in found if call.args and isinstance(call.args[0], ast.Constant)}


@pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=lambda hypothesis: hypothesis.__name__)
def test_a_hypothesis_says_what_misleads_it(hypothesis):
    told = [line.strip() for line in hypothesis.__doc__.splitlines()]
    assert any(re.match(r"Misleads: \w", line) for line in told)
    assert hypothesis.__name__.replace("_", "-") in CAUSES


def test_every_public_function_of_evidence_is_a_hypothesis():
    found = {
        node.name
        for path in OURS
        if path.parent.name == "causes"
        for node in OURS[path].body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and [ast.unparse(each.annotation) for each in node.args.args] == ["Evidence"]
        and ast.unparse(node.returns) == "Cause | None"
    }
    assert found == {hypothesis.__name__ for hypothesis in HYPOTHESES}


@pytest.mark.parametrize("path", [path for path in OURS if path.parent.name == "causes"], ids=short)
def test_a_cause_that_is_made_is_on_the_list(path):
    assert first_words(OURS[path], "cause") | first_words(OURS[path], "Cause") <= CAUSES


def test_every_cause_on_the_list_has_a_hypothesis():
    assert {hypothesis.__name__.replace("_", "-") for hypothesis in HYPOTHESES} == CAUSES


def test_what_follows_what_and_what_is_injected_speaks_of_causes_on_the_list():
    assert {*FOLLOWS, *(one for others in FOLLOWS.values() for one in others)} <= CAUSES
    assert {fault.cause for fault in FAULTS.values()} <= CAUSES


# The repository


def tracked():
    """Every file that git knows, or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


def test_no_path_of_this_machine_stands_in_a_file():
    absolute = re.compile(rb"/(?:home|Users)/\w|/ro[o]t/|/wor[k]/|[A-Z]:\\\\?Users")
    found = [(short(path), absolute.search(path.read_bytes())) for path in tracked()]
    assert [(name, match) for name, match in found if match] == []


def test_no_sound_and_nothing_large_is_kept():
    shipped = ROOT / "tnca" / "shipped" / "string.pt"  # learnt from a sound that the project makes itself
    for path in tracked():
        assert path == shipped or path.suffix.lower() not in {
            ".wav",
            ".ogg",
            ".mp3",
            ".flac",
            ".npy",
            ".pt",
            ".pkl",
            ".ckpt",
        }, path
        assert path.stat().st_size < 1_000_000, path
