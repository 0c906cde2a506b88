"""How much of what the metrics, verdicts and gate compute do the tests hold?  One small change at a time.

    python benchmarks/mutation.py                          # all, into reports/mutation.json; an hour and more
    python benchmarks/mutation.py --count 300 --seed 1     # a sample
    python benchmarks/mutation.py diagnose/metrics/level.py

Each change is tried in a copy of the tree, on the tests in TESTS that call the changed function.  A change that breaks
no test, and is not in mutation_survivors.toml with the reason why it is none, is a hole in the tests.  Under 90 %
killed, or with an entry there that is no longer true, the exit status is 1.

Tests are collected once a source; each change then gets a fork of that process, in which the function's code is
exchanged.  What is outside any function, or is called while modules are imported, takes a fork that imports anew.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from mutants import Mutant, mutants
from mutation_swap import Calls, Loaded, constant_of, used_at_import
from mutation_tests import PRELOADED, PYTEST, TESTS

if TYPE_CHECKING:
    from collections.abc import Callable

for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[threads] = "1"  # before numpy is loaded: a process that has threads cannot be forked safely

ROOT = Path(__file__).resolve().parents[1]
LISTED = Path(__file__).with_name("mutation_survivors.toml")
REPORT = ROOT / "reports" / "mutation.json"
LEAST = 0.90
LONGEST_S = 2.0  # a test that takes longer is left out: the quick ones have to hold the line
TOGETHER_S = 6.0  # as are all that come after so much work for one change
MEMORY = 8 << 30
COPIED = ("diagnose", "tests", "benchmarks", "pyproject.toml")


def forked(work: Callable[[], object], cpu_s: float, result: Path) -> object:
    """What work() returns in a process of its own; None where it takes too long, too much memory, or dies."""
    result.unlink(missing_ok=True)
    pid = os.fork()
    if not pid:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s) + 2, int(cpu_s) + 4))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        try:
            result.write_text(json.dumps(work()))
        except BaseException:  # noqa: BLE001 - pytest catches what a mutant raises: this is an error of this script
            result.write_text(json.dumps({"broken": traceback.format_exc()}))
        finally:
            sys.stdout.flush()
            os._exit(0)
    end = time.monotonic() + 20 * cpu_s + 30  # of the wall's time: other people's work may slow it down
    while os.waitpid(pid, os.WNOHANG)[0] == 0:
        if time.monotonic() > end:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            break
        time.sleep(0.01)
    found = json.loads(result.read_text()) if result.exists() and result.stat().st_size else None
    if isinstance(found, dict) and "broken" in found:
        raise RuntimeError(found["broken"])
    return found


def quiet() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)


class Server:
    """A pytest plugin: instead of its loop, every mutant of one source in a fork of the session."""

    def __init__(self, tree: Path, file: str, wanted: list[Mutant], said: Callable[[Mutant, str], None]) -> None:
        self.tree, self.file, self.path = tree, file, str(tree / file)
        self.wanted, self.said, self.result = wanted, said, tree.parent / "result.json"
        self.module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self.error = ""
        self.early: set[str] = set()
        self.tests: dict[str, tuple[float, list[str]]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        with Calls(self.path) as calls:
            importlib.import_module(self.module)
            session.perform_collect()
        self.early = calls.names
        return True  # or pytest would collect a second time

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        loaded = Loaded(self.path, self.module)
        found = forked(lambda: self._measured(session, loaded), 1200, self.result)
        if found is None or found["failed"]:
            why = f"fail without any change: {', '.join(found['failed'][:5])}" if found else "do not end"
            self.error = f"{self.file}: its tests {why}"
            return True
        self.tests = found["tests"]
        at_import = set().union(*(used_at_import(path.read_text()) for path in self.tree.glob("[dt]*/**/*.py")))
        for mutant in self.wanted:
            constant = "" if mutant.function else constant_of(mutant)
            if (mutant.function and mutant.function not in self.early) or (constant and constant not in at_import):
                items = self._chosen(session, mutant)
                seconds = sum(self.tests[item.nodeid][0] for item in items)
                killed = not items or forked(
                    lambda m=mutant, c=constant, i=items: self._run(session, loaded, m, c, i),
                    6 * seconds + 10,
                    self.result,
                )
                self.said(mutant, "no test calls it" if not items else killed or "timeout")
        return True

    def _measured(self, session: pytest.Session, loaded: Loaded) -> dict[str, object]:
        quiet()
        failed, tests = [], {}
        for item in session.items:
            # Nothing that an earlier test has had made: or a function would seem to be called by that one alone.
            loaded.forget()
            before, start = session.testsfailed, time.process_time()
            with Calls(self.path) as calls:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            tests[item.nodeid] = time.process_time() - start, sorted(calls.names)
            if session.testsfailed > before:
                failed.append(item.nodeid)
                session.shouldfail = False
        return {"tests": tests, "failed": failed}

    def _chosen(self, session: pytest.Session, mutant: Mutant) -> list[pytest.Item]:
        """The quickest tests that call the function, by module, so that what its tests share is made once."""
        chosen, total = [], 0.0
        for item in sorted(session.items, key=lambda item: self.tests[item.nodeid][0]):
            seconds, called = self.tests[item.nodeid]
            if seconds < LONGEST_S and total < TOGETHER_S and (not mutant.function or mutant.function in called):
                chosen.append(item)
                total += seconds
        work = Counter[str]()
        for item in chosen:
            work[item.nodeid.partition("::")[0]] += self.tests[item.nodeid][0]
        return sorted(chosen, key=lambda item: work[item.nodeid.partition("::")[0]])

    def _run(
        self, session: pytest.Session, loaded: Loaded, mutant: Mutant, constant: str, items: list[pytest.Item]
    ) -> str:
        quiet()
        try:
            loaded.exchange(mutant, constant)
        except ImportError as error:
            return str(error)
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return item.nodeid
        return "survived"


class Quickest:
    """A pytest plugin: the quickest tests first, and none that takes long."""

    def __init__(self, tests: dict[str, tuple[float, list[str]]]) -> None:
        self.tests = tests
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        seconds = {item.nodeid: self.tests.get(item.nodeid, (0.0, []))[0] for item in items}
        items[:] = sorted((i for i in items if seconds[i.nodeid] < LONGEST_S), key=lambda i: seconds[i.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or (report.nodeid if report.failed else "")


def anew(tree: Path, mutant: Mutant, tests: tuple[str, ...], known: dict[str, tuple[float, list[str]]]) -> str:
    """The tests on the mutated file, everything of ours imported anew."""
    quiet()
    (tree / mutant.file).write_text(mutant.text)
    plugin = Quickest(known)
    code = pytest.main(["-x", *PYTEST, *tests], plugins=[plugin])
    return plugin.failed or ("survived" if code == 0 else "cannot be imported")


def copied(folder: Path) -> Path:
    """A copy of the tree; the real sounds beside it, where they are."""
    tree = folder / "tree"
    tree.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", ".hypothesis")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, tree / name)
    if (ROOT.parent / "shared").is_dir():
        (folder / "shared").symlink_to((ROOT.parent / "shared").resolve())
    return tree


def tried(tree: Path, file: str, wanted: list[Mutant], said: Callable[[Mutant, str], None]) -> None:
    """Every wanted mutant of one source."""
    tests = TESTS[file]
    if missing := [test for test in tests if not (tree / test).exists()]:
        raise SystemExit(f"{file}: no such tests: {', '.join(missing)}")
    server = Server(tree, file, wanted, said)

    def serve() -> dict[str, object]:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # pytest's own report
        outcomes: list[tuple[int, str]] = []
        server.said = lambda mutant, outcome: outcomes.append((wanted.index(mutant), outcome))
        code = pytest.main([*PYTEST, *tests], plugins=[server])
        error = server.error or ("" if server.tests else f"{file}: pytest ended with {code}")
        return {"error": error, "outcomes": outcomes, "tests": server.tests}

    found = forked(serve, 36_000, tree.parent / "server.json")
    if found is None or found["error"]:
        raise SystemExit(found["error"] if found else f"{file}: pytest died")
    done = set()
    for index, outcome in found["outcomes"]:
        done.add(index)
        said(wanted[index], outcome)
    known = found["tests"]
    limit = 6 * sum(seconds for seconds, _ in known.values() if seconds < LONGEST_S) + 30
    original = (tree / file).read_text()
    sys.dont_write_bytecode = True  # a mutant of the same size, in the same second, would be taken for the last one
    for cache in (tree / file).parent.glob(f"__pycache__/{Path(file).stem}.*"):
        cache.unlink()
    for index, mutant in enumerate(wanted):
        if index not in done:
            outcome = forked(lambda m=mutant: anew(tree, m, tests, known), limit, tree.parent / "result.json")
            said(mutant, outcome or "timeout")
    (tree / file).write_text(original)
    sys.dont_write_bytecode = False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", help="sources; all where none is named")
    parser.add_argument("--count", type=int, help="a sample of so many changes; all where it is not given")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--lines", help="FIRST-LAST, of one file")
    parser.add_argument(
        "--report", type=Path, help="where the figures go; reports/mutation.json for a run of all files"
    )
    parser.add_argument("--verbose", action="store_true", help="say which test kills each")
    options = parser.parse_args()
    files = options.files or list(TESTS)
    pool = [mutant for file in files for mutant in mutants(file, (ROOT / file).read_text())]
    if options.lines:
        first, last = map(int, options.lines.split("-"))
        pool = [mutant for mutant in pool if first <= mutant.number <= last]
    listed = {(e["file"], e["line"], e["mutation"], e.get("nth", 1)): e["reason"] for e in survivors(files)}
    stale = [] if options.lines else [key for key in listed if key not in {mutant.key for mutant in pool}]
    if options.count is not None and options.count < len(pool):
        chosen = set(np.random.default_rng(options.seed).choice(len(pool), options.count, replace=False).tolist())
        pool = [mutant for index, mutant in enumerate(pool) if index in chosen]
    outcomes: list[tuple[Mutant, str]] = []

    def said(mutant: Mutant, outcome: str) -> None:
        outcomes.append((mutant, outcome))
        survived = outcome in ("survived", "no test calls it")
        if survived and mutant.key not in listed:
            print(f"{mutant}" + (f"   [{outcome}]" if outcome != "survived" else ""), flush=True)
        elif options.verbose:
            print(f"    {mutant}   [{outcome}]", flush=True)
        if not survived and mutant.key in listed:
            stale.append(mutant.key)

    for name in PRELOADED:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        tree = copied(Path(folder).resolve())
        os.chdir(tree)
        os.environ["PYTHONPATH"] = str(tree)
        sys.path[:0] = [str(tree)]
        for file in files:
            wanted = [mutant for mutant in pool if mutant.file == file]
            if wanted:
                start = time.monotonic()
                tried(tree, file, wanted, said)
                print(f"# {file}: {len(wanted)} in {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return reported(options, files, outcomes, listed, stale)


def survivors(files: list[str]) -> list[dict[str, str]]:
    """The listed ones of these files."""
    entries = tomllib.loads(LISTED.read_text()).get("survivor", []) if LISTED.exists() else []
    return [entry for entry in entries if entry["file"] in files]


def reported(
    options: argparse.Namespace,
    files: list[str],
    outcomes: list[tuple[Mutant, str]],
    listed: dict[tuple[str, str, str, int], str],
    stale: list[tuple[str, str, str, int]],
) -> int:
    """Print and write the figures; the exit status."""
    rows, total = [], Counter()
    for file in files:
        of_file = [(mutant, outcome) for mutant, outcome in outcomes if mutant.file == file]
        survived = [mutant for mutant, outcome in of_file if outcome in ("survived", "no test calls it")]
        equivalent = [mutant for mutant in survived if mutant.key in listed]
        row = {
            "file": file,
            "mutants": len(of_file),
            "equivalent": len(equivalent),
            "killed": len(of_file) - len(survived),
            "timeouts": sum(outcome == "timeout" for _, outcome in of_file),
        }
        total.update({name: figure for name, figure in row.items() if name != "file"})
        rows.append({**row, "survivors": [str(mutant) for mutant in survived if mutant.key not in listed]})
        rows[-1]["listed"] = [{"mutant": str(mutant), "reason": listed[mutant.key]} for mutant in equivalent]
    share = total["killed"] / max(total["mutants"] - total["equivalent"], 1)
    for row in [*rows, {"file": "all", **total}]:
        counted = row["mutants"] - row["equivalent"]
        print(f"{row['file']:36} {row['killed']:5} of {counted:5}  {100 * row['killed'] / max(counted, 1):5.1f} %")
    for key in stale:
        print(f"stale in {LISTED.name}: {key}")
    report = {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "numpy": importlib.import_module("numpy").__version__,
        "count": options.count,
        "seed": options.seed if options.count is not None else None,
        "killed_share": round(share, 4),
        **total,
        "files": rows,
    }
    path = options.report or (None if options.files else REPORT)
    if path:
        path.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if stale or share < LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
