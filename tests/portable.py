"""The tests as other processors and numbers of threads compute them, as far as this machine can: `make test-portable`.

    python tests/portable.py [WORD ...]     only the settings whose name has every word: fixes, AVX2, "1 thread"

Sums of floats differ in their last digits with the width of the vectors and the number of threads.  Each setting
chooses the code of an older processor in torch (ATen, oneDNN, MKL), numpy and OpenBLAS: a test that fails in one of
them holds a number closer than its rounding.  A line a setting; exit 1 if one of them failed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

import numpy as np

# Every fix with its trainings, the slow ones too; then everything else that computes, as in `make test`.
GATE = ["-m", "not gpu", "tests/tnca/fixes", "--ignore", "tests/tnca/fixes/test_undone.py"]
REST = ["tests", *(word for name in ("tnca/fixes", "batch", "render") for word in ("--ignore", f"tests/{name}"))]


def processors():
    """{name: environment}, the widest vectors first."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    wide = [name for name in found if "AVX512" in name or name == "X86_V4"]
    return {
        "this processor": {},
        "AVX2": {
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "ATEN_CPU_CAPABILITY": "avx2",
            "OPENBLAS_CORETYPE": "Haswell",
            "NPY_DISABLE_CPU_FEATURES": " ".join(wide),
        },
        "SSE4": {
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
            "ATEN_CPU_CAPABILITY": "default",
            "OPENBLAS_CORETYPE": "Nehalem",
            "NPY_DISABLE_CPU_FEATURES": " ".join(found),
        },
    }


def threads(count):
    """TEST_THREADS: for tests/tnca/conftest.py, which asks torch for one otherwise."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TEST_THREADS")
    return dict.fromkeys(names, str(count))


def settings():
    """{name: (pytest's arguments, environment)}."""
    known = processors()
    gate = {
        f"fixes, {name}, {count} thread{'s' * (count > 1)}": (GATE, {**environment, **threads(count)})
        for name, environment in known.items()
        for count in (1, 2)
    }
    rest = {f"the rest, {name}, 1 thread": (REST, {**known[name], **threads(1)}) for name in ("AVX2", "SSE4")}
    return {**gate, **rest}


def passed(name, arguments, environment):
    """Run the tests in one setting and print its line; what failed follows it."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
    last = done.stdout.splitlines()[-1] if done.stdout else done.stderr
    counts = re.sub(r" in [\d.]+s.*", "", last)
    word = "FAIL" if done.returncode else "ok"
    print(f"{word:5} {name:32} {time.monotonic() - began:5.0f} s  {counts}", flush=True)
    if done.returncode:
        print(done.stdout[-20_000:], done.stderr[-2_000:], flush=True)
    return not done.returncode


def main():
    chosen = {name: both for name, both in settings().items() if all(word in name for word in sys.argv[1:])}
    if not chosen:
        sys.exit(f"no such setting; known are: {'; '.join(settings())}")
    failed = [name for name, both in chosen.items() if not passed(name, *both)]
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
