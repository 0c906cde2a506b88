"""`diagnose batch` as a process: pairs a second with 1 and 2 jobs, their ratio, and peak memory at few and many pairs.

python benchmarks/batch.py [--pairs 2000] [--few 200] [--rate 22050] [--seconds 1]

Every pair is a note of its own, from a seed; five in six are broken, each sixth in the same way.  A page of a pair
costs as much as several comparisons and its number does not grow with the pairs, so none is made.  What both runs
share, the start of the program, is measured with the few pairs and taken off.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec
import numpy as np

from diagnose import audio, example
from diagnose.audio import Audio

LEAST_RATIO, LEAST_PAIRS_S, MOST_GROWTH = 1.7, 60.0, 1.1
SAMPLE_S = 0.5  # asking for the memory walks every page table: often asked, it slows what it watches


class Measured(msgspec.Struct, frozen=True):
    """seconds: wall time of the process; cpu_s: of it and its workers, which says something on a busy machine too.

    peak_mib: the largest sum over it and its workers of their own memory.
    """

    seconds: float
    cpu_s: float
    peak_mib: float


def broken(note: Audio, kind: int, rng: np.random.Generator) -> Audio:
    """The note as it is (kind 0), too quiet, clipped, noisy, misfed to a vocoder, or cut short."""
    samples = note.samples
    if kind == 1:
        samples = 0.3 * samples
    elif kind == 2:
        samples = np.clip(4 * samples, -0.5, 0.5)
    elif kind == 3:
        samples = samples + 0.01 * rng.standard_normal(samples.shape)
    elif kind == 4:
        return example.misfed_vocoder(note)
    elif kind == 5:
        samples = samples[:, : samples.shape[1] * 2 // 3]
    return Audio(np.ascontiguousarray(samples, np.float32), note.rate)


def write_pairs(folder: Path, pairs: int, rate: int, seconds: float) -> None:
    """ref/N.wav and gen/N.wav for every N below pairs."""
    for name in ("ref", "gen"):
        (folder / name).mkdir()
    for number in range(pairs):
        rng = np.random.default_rng(number)
        note = example.bowed_string(float(rng.uniform(110, 660)), seconds, rate, rng)
        audio.write(folder / "ref" / f"{number}.wav", note)
        audio.write(folder / "gen" / f"{number}.wav", broken(note, number % 6, rng))


def write_manifest(folder: Path, pairs: int) -> Path:
    path = folder / f"{pairs}.csv"
    with path.open("w", newline="") as file:
        lines = ((f"ref/{number}.wav", f"gen/{number}.wav") for number in range(pairs))
        csv.writer(file).writerows([("reference", "generated"), *lines])
    return path


def family(process: int) -> list[int]:
    """A process and all below it (Linux)."""
    found = [process]
    for one in found:
        for path in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += map(int, path.read_text().split())
            except OSError:  # it has just ended
                continue
    return found


def memory_mib(process: int) -> float:
    """Memory of the family, pages that several share counted once in all (Pss of smaps_rollup)."""
    kib = 0
    for one in family(process):
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        kib += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return kib / 1024


def measure(manifest: Path, jobs: int) -> Measured:
    peaks = [0.0]
    with tempfile.TemporaryDirectory() as out:
        words = ["batch", str(manifest), "--out", out, "--jobs", str(jobs), "--pages", "0"]
        begin, cpu = time.perf_counter(), cpu_of_children()
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "diagnose"), *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )

        def watch() -> None:
            while process.poll() is None:
                peaks.append(memory_mib(process.pid))
                time.sleep(SAMPLE_S)

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = process.wait()
        seconds = time.perf_counter() - begin
        watcher.join()
    if code not in (0, 1):
        raise SystemExit(f"diagnose batch ended with {code}")
    return Measured(seconds, cpu_of_children() - cpu, max(peaks))


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--few", type=int, default=0, help="a tenth of --pairs by default")
    parser.add_argument("--rate", type=int, default=22_050, choices=(22_050, 44_100))
    parser.add_argument("--seconds", type=float, default=1.0)
    asked = parser.parse_args()
    few, many = asked.few or max(asked.pairs // 10, 1), asked.pairs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pairs(folder, many, asked.rate, asked.seconds)
        manifests = {pairs: write_manifest(folder, pairs) for pairs in (few, many)}
        found = {(pairs, jobs): measure(manifests[pairs], jobs) for jobs in (1, 2) for pairs in (few, many)}
    speed = {jobs: (many - few) / (found[many, jobs].seconds - found[few, jobs].seconds) for jobs in (1, 2)}
    for (pairs, jobs), one in found.items():
        times = f"{one.seconds:7.1f} s, {one.cpu_s:7.1f} s of CPU"
        print(f"{pairs:6} pairs, {jobs} jobs: {times}, peak {one.peak_mib:6.1f} MiB")
    cpu_ms = {j: 1000 * (found[many, j].cpu_s - found[few, j].cpu_s) / (many - few) for j in (1, 2)}
    print(f"CPU a pair: {cpu_ms[1]:.1f} ms with 1 job, {cpu_ms[2]:.1f} with 2; load now {os.getloadavg()[0]:.1f}")
    growth = max(found[many, jobs].peak_mib / found[few, jobs].peak_mib for jobs in (1, 2))
    print(f"pairs a second: {speed[1]:.1f} with 1 job, {speed[2]:.1f} with 2 (at least {LEAST_PAIRS_S:g})")
    print(f"2 jobs over 1: {speed[2] / speed[1]:.2f} (at least {LEAST_RATIO})")
    print(f"memory of {many} pairs over {few}: {growth:.2f} (at most {MOST_GROWTH})")
    sys.exit(speed[2] < LEAST_PAIRS_S or speed[2] / speed[1] < LEAST_RATIO or growth > MOST_GROWTH)


if __name__ == "__main__":
    main()
