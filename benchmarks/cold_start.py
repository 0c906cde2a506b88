"""`diagnose compare A B --json -` as a whole process, against its floor and against plain librosa.

make bench        or        python -m pytest benchmarks/cold_start.py --benchmark-enable -m '' -s
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from interleaved import ratio, rounds, table

from diagnose import audio, example
from diagnose.faults import INJECTORS

HERE = Path(__file__).parent
RUNS = 15
MOST_EXPLAINED = 1.8  # times the bare script, where the report explains the copy by undoing
MOST_OVER_BARE = 1.7  # reading anew and laying side by side are a tenth of it
LEAST_UNDER_LIBROSA = 6.0


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> list[str]:
    """The demo's pair, a second and a half at 44,100 and 22,050 Hz."""
    folder = tmp_path_factory.mktemp("pair")
    paths = [str(folder / name) for name in ("reference.wav", "generated.wav")]
    string = example.bowed_string()
    audio.write(paths[0], string)
    audio.write(paths[1], example.misfed_vocoder(string))
    return paths


@pytest.fixture(scope="module")
def explained(tmp_path_factory) -> list[str]:
    """The string, and the same softer and with a hum: a chain of two steps."""
    folder = tmp_path_factory.mktemp("explained")
    paths = [str(folder / name) for name in ("reference.wav", "generated.wav")]
    string, rng = example.bowed_string(rate=22_050), np.random.default_rng(0)
    audio.write(paths[0], string)
    audio.write(paths[1], INJECTORS["gain_down"].inject(INJECTORS["hum_50"].inject(string, 0.5, rng), 0.5, rng))
    return paths


def _process(*command: str):
    # As a user has it: bytecode is cached (an installed package's always is).
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}

    def run() -> None:
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
        assert done.stdout, done.stderr.decode()

    return run


@pytest.mark.slow
def test_a_comparison_costs_little_more_than_reading_and_transforming(pair, benchmark):
    python = sys.executable
    diagnose = str(Path(python).parent / "diagnose")
    contenders = {
        "bare script": _process(python, str(HERE / "bare_script.py"), *pair),
        "diagnose compare": _process(diagnose, "compare", *pair, "--json", "-"),
    }
    seconds = rounds(contenders, RUNS)
    slow = {"plain librosa": _process(python, str(HERE / "librosa_script.py"), *pair), **contenders}
    against = rounds(slow, 5)
    over, under = ratio(seconds, "diagnose compare", "bare script"), ratio(against, "plain librosa", "diagnose compare")
    print(table(seconds), table(against), f"\n{over:.2f} times the bare script, {under:.1f} times faster than librosa")
    benchmark.extra_info.update(over_bare=over, under_librosa=under)
    benchmark.pedantic(contenders["diagnose compare"], rounds=5)
    assert over <= MOST_OVER_BARE
    assert under >= LEAST_UNDER_LIBROSA


@pytest.mark.slow
def test_explaining_costs_little(explained, benchmark):
    diagnose = str(Path(sys.executable).parent / "diagnose")
    contenders = {
        "bare script": _process(sys.executable, str(HERE / "bare_script.py"), *explained),
        "diagnose compare": _process(diagnose, "compare", *explained, "--json", "-"),
    }
    seconds = rounds(contenders, RUNS)
    over = ratio(seconds, "diagnose compare", "bare script")
    print(table(seconds), f"\n{over:.2f} times the bare script, explained by two steps")
    benchmark.extra_info.update(over_bare=over)
    benchmark.pedantic(contenders["diagnose compare"], rounds=5)
    assert over <= MOST_EXPLAINED
