"""What every test may ask for: the real sounds, a seeded generator, a tone, a program that may be missing."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections import namedtuple
from pathlib import Path

# A process of `make test` runs on each core.  The matrices here are so small that a second thread of BLAS or OpenMP
# makes them slower, and many times slower where cores are shared.  Read when numpy is loaded, and by every child.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
# What librosa compiles is kept by numba, whose cache two processes that write at once can spoil: a spoilt one crashes
# whoever reads it next.  So each worker has its own.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).resolve().parents[1] / ".pytest_cache" / "numba" / _worker)

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

from diagnose import cli  # noqa: E402

# The same examples on every run and machine: a failure in CI is the failure at the desk.
settings.register_profile("project", deadline=None, derandomize=True)
settings.register_profile("ordinary", settings.get_profile("project"), max_examples=25)
settings.load_profile("project")

pytest_plugins = ["pytester"]  # pytest inside pytest, for the plugin's own tests
collect_ignore = ["sample_project"]  # a project of its own, run by test_sample_project.py


def pytest_configure(config):
    """A quarter of the examples in the ordinary run; `make test-all`, whose -m leaves the slow tests in, takes all."""
    if "not slow" in config.option.markexpr:
        settings.load_profile("ordinary")


DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def data():
    """The folder of real sounds, ../shared/data from the project's root."""
    if not DATA.is_dir():
        pytest.skip(f"the real sounds are not here ({DATA})")
    return DATA


@pytest.fixture
def rng():
    return np.random.default_rng(20240229)


@pytest.fixture(scope="session")
def tone():
    """tone(hz, rate, seconds, amplitude, phase) -> amplitude * sin(2 pi hz t + phase), float32 [shape=(n,)]."""

    def make(hz, rate, seconds=1.0, amplitude=1.0, phase=0.0):
        time = np.arange(round(seconds * rate)) / rate
        return (amplitude * np.sin(2 * np.pi * hz * time + phase)).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def program():
    """program("sox") -> its path; skips the test where it is not installed."""

    def find(name):
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is not installed: no oracle to ask")
        return path

    return find


@pytest.fixture
def interruptible():
    """Ctrl-C stops this process and every one it starts, as at a terminal.

    A shell without job control starts `make test &` with SIGINT ignored; a child inherits that, and Python then leaves
    it so.  A handler of this process is not inherited: its children start with the default one.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


Done = namedtuple("Done", "code out err")


@pytest.fixture
def typed(monkeypatch, capfd):
    """typed(main, "diagnose", "compare", a, b) -> Done, in this process, as the console script does it."""

    def run(main, *words):
        monkeypatch.setattr(sys, "argv", [*map(str, words)])
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        done = Done(code, *capfd.readouterr())
        assert "Traceback" not in done.err
        return done

    return run


@pytest.fixture
def diagnose(typed):
    """diagnose("compare", a, b) -> Done."""
    return lambda *arguments: typed(cli.main, "diagnose", *arguments)
