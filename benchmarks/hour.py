"""Peak memory of comparing an hour of mono 44,100 Hz audio with another, as a process.

python benchmarks/hour.py [MINUTES]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from diagnose import example

RATE, MOST_GIB = 44_100, 3.0


def write(path: Path, minutes: float, gain: float, rng: np.random.Generator) -> None:
    notes = [example.bowed_string(196 * 2 ** (k / 12), 1.5, RATE, rng).mono for k in range(24)]
    tile = gain * np.concatenate(notes)
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        for _ in range(round(minutes * 60 * RATE / tile.size)):
            file.write(tile + 0.001 * rng.standard_normal(tile.size))


def main() -> None:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("reference.wav", "generated.wav")]
        for path, gain in zip(paths, (1.0, 0.8), strict=True):
            write(path, minutes, gain, np.random.default_rng(1))
        begin = time.perf_counter()
        command = [str(Path(sys.executable).parent / "diagnose"), "compare", *map(str, paths), "--json", "-"]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    samples = 2 * minutes * 60 * RATE * 4 / 2**30
    print(
        f"{minutes:g} minutes: exit {done.returncode}, {seconds:.0f} s, peak {peak:.2f} GiB, samples {samples:.2f} GiB"
    )
    sys.exit(peak > MOST_GIB)


if __name__ == "__main__":
    main()
