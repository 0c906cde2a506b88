"""Short pairs for a batch, and the command as a process that can be killed."""

from __future__ import annotations

import contextlib
import csv
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from diagnose import audio, example
from diagnose.audio import Audio

PROGRAM = str(Path(sys.executable).with_name("diagnose"))
RATE, KINDS = 4000, 8


@pytest.fixture(scope="session")
def sounds(tmp_path_factory):
    """A folder with ref/0.wav .. ref/7.wav and gen/0.wav .. gen/7.wav: every second is broken in a way of its own."""
    folder = tmp_path_factory.mktemp("sounds")
    for name in ("ref", "gen"):
        (folder / name).mkdir()
    for index in range(KINDS):
        rng = np.random.default_rng(index)
        note = example.bowed_string(150 * 2 ** (index / 12), 0.08, RATE, rng)
        broken = [note.samples * 0.3, -note.samples, np.clip(3 * note.samples, -0.4, 0.4), 0.5 * note.samples + 0.2]
        samples = broken[index // 2] if index % 2 else note.samples
        audio.write(folder / "ref" / f"{index}.wav", note)
        audio.write(folder / "gen" / f"{index}.wav", Audio(samples.astype(np.float32), RATE))
    return folder


@pytest.fixture
def manifest(sounds, tmp_path):
    """manifest(n, extra) -> the path of a CSV of n pairs, and below them extra (reference, generated)."""

    def write(pairs, extra=(), name="pairs.csv"):
        path = tmp_path / name
        with open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "reference", "generated"])
            for row in range(pairs):
                kind = (row * 5 + row // KINDS) % KINDS
                writer.writerow([f"p{row}", sounds / "ref" / f"{kind}.wav", sounds / "gen" / f"{kind}.wav"])
            writer.writerows((f"x{row}", *pair) for row, pair in enumerate(extra))
        return path

    return write


@pytest.fixture
def started():
    """started(words...) -> a process in a group of its own; what is left of any is killed in the end."""
    running = []

    def start(*words, program=PROGRAM, env=None):
        process = subprocess.Popen(
            [program, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, **(env or {})},
        )
        running.append(process)
        return process

    yield start
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.communicate()


@pytest.fixture
def wait_until():
    """wait_until(what) -> the first true answer of what(), asked every 10 ms for at most ten minutes."""

    def wait(what, seconds=600.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            answer = what()
            if answer:
                return answer
            time.sleep(0.01)
        raise AssertionError("it did not happen in time")

    return wait


@pytest.fixture
def lines():
    """lines(path) -> how many whole lines a file has; 0 where there is none."""
    return lambda path: path.read_bytes().count(b"\n") if path.exists() else 0
