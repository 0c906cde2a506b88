"""The automaton's kernels against the first code: steps and iterations a second, memory, on this processor.

make bench        or        python -m pytest benchmarks/ca_step.py --benchmark-enable -m '' -s
tnca bench        is the same by hand, with every kernel; its --json is reports/performance.json
"""

from __future__ import annotations

import pytest
import torch

from tnca.bench.contenders import FIRST, contenders
from tnca.bench.measure import measured, table
from tnca.bench.task import random_task
from tnca.kernels import KernelMissing, native

CPU = torch.device("cpu")
ROUNDS = 7
LEAST_FASTER = {"forward": 1.8, "training": 1.4}  # reports/performance.md has what a quiet machine gives
MOST_MEMORY = 1 / 3


@pytest.fixture(scope="module", autouse=True)
def compiler() -> None:
    try:
        native.load()
    except KernelMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.slow
def test_native_is_faster_than_the_first_code_and_takes_a_third_of_its_memory() -> None:
    found = measured(CPU, (1,), kernels=("native",), rounds=ROUNDS, said=print)
    print(f"\n{table(found)}")
    rows = {(row["backend"], row["mode"]): row for row in found["rows"]}
    assert all(row["right"] for row in rows.values())
    for mode, least in LEAST_FASTER.items():
        assert rows["native", mode]["ratio_to_first"] >= least, mode
    first, ours = (rows[name, "training"]["peak_bytes"] for name in (FIRST, "native"))
    if first is not None:
        assert ours <= MOST_MEMORY * first


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["forward", "training"])
def test_a_rollout_by_the_native_kernel(benchmark, mode: str) -> None:
    """96 steps of a note of a second."""
    entered = {each.name: each for each in contenders(random_task(1, 80, 88, 96, CPU), ("native",), "stored", print)}
    benchmark.pedantic(getattr(entered["native"], mode), rounds=5, warmup_rounds=1)
    assert entered["native"].error < 1e-5
