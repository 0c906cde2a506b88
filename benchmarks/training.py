"""`tnca train`, with its looks, sounds, pictures and checkpoints, against the bare iteration it is made of.

make bench        or        python -m pytest benchmarks/training.py --benchmark-enable -m '' -s
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import msgspec
import pytest
import torch

from diagnose import example
from tnca.config import preset
from tnca.training.loop import start, train

if TYPE_CHECKING:
    from pathlib import Path

    from tnca.training.run import Run

CPU = torch.device("cpu")
EPOCHS, TURNS = 100, 3  # as many epochs as preset `best` has from look to look
LEAST_SHARE = 0.9


def bare(run: Run, iterations: int) -> None:
    """Nothing but grow, compare, follow the gradient."""
    rule, steps = run.rule, run.config.growth.steps[1]
    wanted = torch.from_numpy(run.target.values)
    optimiser = torch.optim.Adam(rule.parameters(), lr=1e-4)
    for _ in range(iterations):
        loss = (rule.read(rule.run(rule.seed(), steps)) - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


@pytest.mark.slow
def test_training_runs_at_nine_tenths_of_the_bare_rate(tmp_path: Path, benchmark) -> None:
    note = example.bowed_string(seconds=1.0, rate=22050)
    config = msgspec.structs.replace(preset("best"), epochs=EPOCHS)
    assert config.watch.every == EPOCHS
    shares = []
    for turn in range(TURNS):
        run = start(note, config, str(tmp_path / f"run-{turn}"), CPU)
        begin = time.perf_counter()
        bare(start(note, config, None, CPU), EPOCHS)
        middle = time.perf_counter()
        train(run)
        end = time.perf_counter()
        shares.append((middle - begin) / (end - middle))
        rates = EPOCHS / (middle - begin), EPOCHS / (end - middle)
        print(f"\n{run.choice}: bare {rates[0]:.2f}, tnca train {rates[1]:.2f} iterations/s, {shares[-1]:.1%}")
    benchmark.extra_info.update(shares=shares)
    benchmark.pedantic(lambda: bare(start(note, config, None, CPU), 5), rounds=3)
    assert statistics.median(shares) >= LEAST_SHARE
