"""The house rules of DESIGN, section 4, as far as a program can hold them."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from diagnose import audio, example
from diagnose.causes import HYPOTHESES
from diagnose.causes.rank import FOLLOWS
from diagnose.causes.reading import INTERLEAVED, READINGS, STUFFED
from diagnose.faults import INJECTORS
from diagnose.metrics import METRICS

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("diagnose", "tnca", "benchmarks")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
OURS = [path for path in SOURCES if path.parts[len(ROOT.parts)] == "diagnose"]
TNCA = [path for path in SOURCES if path.parts[len(ROOT.parts)] == "tnca"]


class Trees(dict):
    """The syntax tree of a file, read when it is first asked for: every worker collects this file, one runs it."""

    def __missing__(self, path):
        return self.setdefault(path, ast.parse(path.read_text(encoding="utf-8")))


TREES = Trees()

# Who may import whom: a module imports from the lines below its own, or, where marked so, from its own line.
LAYERS = [
    ("__main__",),
    ("cli",),
    ("pytest_plugin",),
    ("batch", "gate"),
    ("comparison",),
    ("repairs",),
    ("channelwise",),
    ("render",),
    ("causes", "explain", "regions"),
    ("faults",),
    ("injectors", "log_mel"),
    ("operations",),
    ("verdicts",),
    ("profile",),
    ("metrics",),
    ("analysis",),
    ("timeline", "example", "mel", "picture"),
    ("resynthesis", "stft_cache"),
    ("spectrogram",),
    ("audio", "scale"),
    ("results",),
    ("broken", "process"),
    ("arrays", "files", "git", "toml"),
    ("errors", "text", "version"),
]
LEVEL = {name: -index for index, layer in enumerate(LAYERS) for name in layer}
# The one arrow upwards: a Report shows itself in a notebook, whoever made it, and loads what shows it when asked.  Its
# pair and its repaired sound it names for the type checker alone.
UPWARDS = {"diagnose/results/report.py": {"diagnose.render.notebook", "diagnose.analysis", "diagnose.audio"}}
TNCA_LAYERS = [
    ("__main__",),
    ("cli",),
    ("bench", "demo", "fixes"),
    ("generation",),
    ("training",),
    ("figures",),
    ("losses", "vocoders"),
    ("stft", "target"),
    ("rule",),
    ("kernels", "device"),
    ("config",),
]
TNCA_LEVEL = {name: -index for index, layer in enumerate(TNCA_LAYERS) for name in layer}
HEAVY = {"torch", "librosa", "scipy", "matplotlib", "pandas", "tnca", "bigvgan"}
FOR_BATCH = {"joblib", "distributed", "dask", "pyarrow", "filelock"}  # imported in the function that needs them
NOT_FOR_JSON = {"rich", "jinja2", "PIL", "numpy.ma"}


def short(path):
    return str(path.relative_to(ROOT))


@cache
def nodes(tree):
    """Every node of a tree.  A tree is walked once, however many rules ask."""
    return tuple(ast.walk(tree))


@cache
def imported(tree):
    """(module, line) of every import in a file, at its top, in a function or for the type checker."""
    found = []
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            if node.module != "diagnose":
                found.append((node.module, node.lineno))
            found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
    return tuple(found)


def offenders(rule, paths):
    """What rule(path) holds against each file, named by its path: a rule is one test, and tells all who break it."""
    return [f"{short(path)}: {wrong}" for path in paths for wrong in rule(path)]


def part(module):
    """diagnose.metrics.level -> metrics; None where it is none of ours or the package itself."""
    words = module.split(".")
    return words[1] if words[0] == "diagnose" and len(words) > 1 and not words[1].startswith("__") else None


# Arrows


def test_every_part_of_diagnose_has_a_place_in_the_order():
    parts = {path.relative_to(ROOT / "diagnose").parts[0].removesuffix(".py") for path in OURS} - {"__init__"}
    assert parts - set(LEVEL) == set()
    assert len(LEVEL) == sum(map(len, LAYERS))


def against_the_arrows(path):
    here = path.relative_to(ROOT / "diagnose").parts[0].removesuffix(".py")
    if here == "__init__":  # the front door: it names what users call, and loads it when it is used
        return
    allowed = UPWARDS.get(short(path), set())
    for module, line in imported(TREES[path]):
        there = part(module)
        if any(module == one or module.startswith(f"{one}.") for one in allowed):
            continue
        if module == "diagnose" or (there and there not in LEVEL):  # `from diagnose import compare`
            yield f"line {line}: {module} comes through the front door"
        elif there and there != here and LEVEL[there] >= LEVEL[here]:
            yield f"line {line}: {here} -> {there}"


def test_arrows_run_one_way():
    assert offenders(against_the_arrows, OURS) == []


def test_the_rule_on_arrows_sees_a_wrong_one():
    tree = ast.parse("def f():\n    from diagnose.gate import check\n    from diagnose import cli\n")
    found = {part(module) for module, _ in imported(tree)} - {None}
    assert found == {"gate", "cli"}
    assert all(LEVEL[there] >= LEVEL["metrics"] for there in found)


# A package is reached by what it exports: names and modules in its __all__.  No module needs itself to be loaded.

PACKAGES_OF_DIAGNOSE = {path.parent.name: path for path in OURS if path.name == "__init__.py" and path.parent != ROOT}


@cache
def exported(path):
    """__all__ of a package, without importing it."""
    found = [node for node in TREES[path].body if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"]
    return {entry.value for node in found for entry in node.value.elts}


def by_a_back_door(path):
    here = path.relative_to(ROOT).parts[:2]
    for module, line in imported(TREES[path]):
        words = module.split(".")
        if words[0] != "diagnose" or len(words) < 3 or words[1] not in PACKAGES_OF_DIAGNOSE:
            continue
        inside = here == ("diagnose", words[1])
        if not inside and words[2] not in exported(PACKAGES_OF_DIAGNOSE[words[1]]):
            yield f"line {line}: {module} is no part of what diagnose.{words[1]} exports"


def test_a_package_is_reached_by_what_it_exports():
    paths = [path for path in SOURCES if path.parts[len(ROOT.parts)] != "benchmarks"]
    assert offenders(by_a_back_door, paths) == []


def run_time_imports(tree):
    """Modules that a file imports when it runs, in functions too; not what only the type checker reads."""
    skipped = {
        id(inner)
        for node in nodes(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in nodes(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def cycles(graph):
    """Strongly connected parts of more than one node, each sorted: what is left when leaves and roots are taken off."""
    graph = {node: set(targets) & set(graph) - {node} for node, targets in graph.items()}
    while True:
        pointed_at = set().union(*graph.values()) if graph else set()
        ends = {node for node, targets in graph.items() if not targets or node not in pointed_at}
        if not ends:
            return sorted(graph)
        graph = {node: targets - ends for node, targets in graph.items() if node not in ends}


def test_no_module_imports_itself_by_a_detour():
    named = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in SOURCES}
    graph = {}
    for module, path in named.items():
        above = {module.rsplit(".", depth)[0] for depth in range(1, module.count(".") + 1)}
        upwards = UPWARDS.get(short(path), set())  # a Report that is shown; see there
        graph[module] = {each for each in run_time_imports(TREES[path]) if each in named} - above - upwards
    assert cycles(graph) == []


def test_a_cycle_is_found():
    assert cycles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["b", "c"]


# A .pt file is read by whoever wrote it: torch.load(weights_only=True), inside one function.
# What a notebook asks for: inside functions of one file; report.py names their types for the type checker alone.
ALLOWED = {
    "diagnose/mel/array_file.py": {"torch"},
    "diagnose/render/notebook.py": {"pandas", "matplotlib"},
    "diagnose/results/report.py": {"pandas", "matplotlib"},
}


def heavy_imports(path):
    heavy, allowed = (
        {module.split(".")[0] for module, _ in imported(TREES[path])} & HEAVY,
        ALLOWED.get(short(path), set()),
    )
    if heavy != allowed:
        yield f"imports {sorted(heavy)}, where {sorted(allowed)} are allowed and needed"
    at_the_top = [node for node in TREES[path].body if isinstance(node, ast.Import | ast.ImportFrom)]
    if {module.split(".")[0] for node in at_the_top for module, _ in imported(node)} & HEAVY:
        yield "imports what is heavy at its top"


def test_diagnose_imports_nothing_heavy_and_nothing_of_tnca():
    assert offenders(heavy_imports, OURS) == []


def test_torch_loads_weights_only():
    loads = [call for path in SOURCES for name, call in called(TREES[path]) if name == "torch.load"]
    assert loads
    assert all("weights_only=True" in ast.unparse(call) for call in loads)


def against_the_arrows_of_tnca(path):
    here = path.relative_to(ROOT / "tnca").parts[0].removesuffix(".py")
    if here == "__init__":
        return
    if here not in TNCA_LEVEL:
        yield f"{here} has no place in the order"
        return
    for module, line in imported(TREES[path]):
        words = module.split(".")
        there = words[1] if words[0] == "tnca" and len(words) > 1 else None
        if there and there != here and TNCA_LEVEL[there] >= TNCA_LEVEL[here]:
            yield f"line {line}: {here} -> {there}"


def test_arrows_run_one_way_in_tnca():
    assert offenders(against_the_arrows_of_tnca, TNCA) == []


@pytest.mark.slow
def test_the_cell_needs_torch_alone():
    modules = loaded("import tnca.rule.cell, tnca.bench.__main__, torch, numpy")
    ours = {"diagnose", "soundfile", "soxr", "msgspec", "click", "rich", "jinja2", "PIL", "librosa", "bigvgan"}
    assert those_of(modules, ours) == set()


def test_tnca_does_not_import_benchmarks():
    names = {benchmark.stem for benchmark in SOURCES if benchmark.parent.name == "benchmarks"} | {"benchmarks"}
    assert offenders(lambda path: {module for module, _ in imported(TREES[path])} & names, TNCA) == []


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


@cache
def calls(tree):
    return tuple(node for node in nodes(tree) if isinstance(node, ast.Call))


@cache
def called(tree):
    """(name, call) of every call: ("np.random.default_rng", ...)."""
    return tuple((ast.unparse(call.func), call) for call in calls(tree))


def passed_on(path):
    for taker in nodes(TREES[path]):
        if not isinstance(taker, ast.FunctionDef) or not taker.args.kwarg:
            continue
        for call in calls(taker):
            for keyword in call.keywords:
                value = keyword.value
                if keyword.arg is None and isinstance(value, ast.Name) and value.id == taker.args.kwarg.arg:
                    yield f"line {call.lineno}: {taker.name} passes **{value.id} on"


def test_no_keyword_arguments_are_passed_on():
    assert offenders(passed_on, SOURCES) == []


def global_randomness(path):
    tree = TREES[path]
    used = {
        node.attr
        for node in nodes(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random")
    }
    yield from (f"np.random.{name}" for name in used - {"default_rng", "Generator", "SeedSequence", "PCG64"})
    if "random" in {module for module, _ in imported(tree)}:
        yield "imports random"
    for name, call in called(tree):
        if name.endswith("default_rng") and not call.args:
            yield f"line {call.lineno}: a generator without a seed"


def test_no_global_random_state_is_used():
    assert offenders(global_randomness, SOURCES) == []


# A mutation is code that is compiled from a changed tree, in a process of its own.
EVALUATES = {"benchmarks/mutation_swap.py": {"exec", "compile"}}


def state_or_evaluation(path):
    tree = TREES[path]
    yield from (f"line {node.lineno}: global" for node in nodes(tree) if isinstance(node, ast.Global))
    yield from {name for name, _ in called(tree)} & {
        "eval",
        "exec",
        "compile",
        "__import__",
        "os.system",
        "joblib.load",
    } - EVALUATES.get(short(path), set())
    modules = {module for module, _ in imported(tree)}
    yield from {module.split(".")[0] for module in modules} & {"pickle", "cPickle", "dill", "shelve", "marshal"}
    yield from {
        module
        for module in modules
        if module.split(".")[0] == "joblib" and module.rpartition(".")[2] in ("load", "dump", "Memory")
    }
    for call in calls(tree):
        for keyword in call.keywords:
            if keyword.arg in ("allow_pickle", "shell") and ast.unparse(keyword.value) == "True":
                yield f"line {call.lineno}: {keyword.arg}=True"


def test_no_module_state_is_changed_and_nothing_is_evaluated():
    assert offenders(state_or_evaluation, SOURCES) == []


def more_than_one_idea(path):
    if path.stem in {"utils", "util", "helpers", "misc", "common"}:
        yield "its name says nothing"
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if lines > 400:
        yield f"{lines} lines"


def test_a_file_is_one_idea_of_at_most_400_lines():
    assert offenders(more_than_one_idea, SOURCES) == []


BREACHES = {
    passed_on: ["def f(**more):\n    g(**more)\n"],
    global_randomness: ["import numpy as np\nnp.random.rand(3)\n", "import random\n", "np.random.default_rng()\n"],
    state_or_evaluation: [
        "def f():\n    global x\n    x = 1\n",
        "eval('1')\n",
        "import pickle\n",
        "from joblib import Memory\n",
        "np.load(path, allow_pickle=True)\n",
    ],
}


def test_the_rules_on_sources_see_who_breaks_them(monkeypatch):
    path = ROOT / "diagnose" / "breach.py"
    for rule, sources in BREACHES.items():
        for source in sources:
            monkeypatch.setitem(TREES, path, ast.parse(source))
            assert len(offenders(rule, [path])) == 1, source


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
    "ms": r"\bms\b",
    "ppm": r"\bppm\b",
    "places": r"\bplaces, >= 0\b",
    "clicks": r"\bclicks\b",
    "share": r"\b0 (\(.*\) )?to 1\b",
    "ratio": r"quotient|\|\| / \|\|",
    "r": r"-1 to 1",
    "count": r"\b[Nn]umber of\b",
}


def test_a_metric_says_its_unit_or_its_range():
    functions = {name: getattr(metric.function, "func", metric.function) for name, metric in METRICS.items()}
    silent = [name for name, of in functions.items() if not re.search(WORDS_OF_UNIT[METRICS[name].unit], of.__doc__)]
    assert functions
    assert silent == []


# Causes

DESIGN_S_CAUSES = re.findall(  # DESIGN, section 5
    r"[a-z-]+",
    "vocoder-input-scale level-reference-lost gain dc-offset clipping polarity delay truncated sample-rate mel-range "
    "power-magnitude high-frequency-loss edge-artifact clicks frame-rate-hum noise phase-incoherent "
    "time-structure-lost mono-stereo dropout hum quantisation pitch",
)
TIMELINE_S_CAUSES = {"segment-lost", "segment-inserted", "segment-repeated", "different-content"}
BETWEEN_CHANNELS = {"channel-swapped"}
# Named by one hypothesis, which reads the samples anew.
MISREAD = {"bytes-misread", "companding", "channels-interleaved", "aliasing"}
PLACES_CAUSES = {"chunk-seams", "segment-replaced", "aliasing"}
CAUSES = {
    *DESIGN_S_CAUSES,
    *TIMELINE_S_CAUSES,
    *BETWEEN_CHANNELS,
    *PLACES_CAUSES,
    *("non-finite", "modulation", "padded", "time-stretch", "tilt", "band-gap", "spectral-holes"),
    *("foreign-data", "tail-added", "wow"),
    *("octave-error", "pitch-flattened", "voicing-lost", "axes-exchanged"),
}
NOTHING_FOUND = {"unknown"}  # no hypothesis: it is said where none holds


def first_words(tree, function):
    """The literal first argument of every call of a function."""
    found = [call for name, call in called(tree) if name.split(".")[-1] == function]
    return {call.args[0].value for call in found if call.args and isinstance(call.args[0], ast.Constant)}


def test_a_hypothesis_says_what_misleads_it():
    silent = [each.__name__ for each in HYPOTHESES if not re.search(r"^\s*Misleads: \w", each.__doc__, re.MULTILINE)]
    assert silent == []
    assert {each.__name__.replace("_", "-") for each in HYPOTHESES} - {"misread"} <= CAUSES


def test_every_public_function_of_evidence_is_a_hypothesis():
    found = {
        node.name
        for path in OURS
        if path.parent.name == "causes"
        for node in TREES[path].body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and [ast.unparse(each.annotation) for each in node.args.args] == ["Evidence"]
        and ast.unparse(node.returns) == "Cause | None"
    }
    assert found == {hypothesis.__name__ for hypothesis in HYPOTHESES}


def test_a_cause_that_is_made_is_on_the_list():
    paths = [path for path in OURS if path.parent.name == "causes"]
    assert paths
    assert (
        offenders(
            lambda path: (
                (first_words(TREES[path], "cause") | first_words(TREES[path], "Cause")) - CAUSES - NOTHING_FOUND
            ),
            paths,
        )
        == []
    )


def test_every_cause_on_the_list_has_a_hypothesis():
    named = {hypothesis.__name__.replace("_", "-") for hypothesis in HYPOTHESES}
    assert named - {"misread"} | BETWEEN_CHANNELS == CAUSES
    assert {each.cause for each in (*READINGS.values(), INTERLEAVED, STUFFED)} == MISREAD


def test_what_follows_what_and_what_is_injected_speaks_of_causes_on_the_list():
    assert {*FOLLOWS, *(one for others in FOLLOWS.values() for one in others)} <= CAUSES
    assert {fault.cause for fault in INJECTORS.values()} <= CAUSES


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
