"""The step through torch.compile.  Its formula is tested without the code generator, which takes a minute a shape."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from kernel_cases import CASES, Case, rollout_of, trained_by

from tnca.kernels import Choice, Padding, compiled


@pytest.fixture
def traced(monkeypatch):
    """torch.compile without the code generator: what it would compile is run as it is."""
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    compiled._compiled.cache_clear()
    yield
    compiled._compiled.cache_clear()


def go(rollout, params, **settings):
    case = rollout.case
    return compiled.run(params, rollout.state, case.steps, case.padding, **rollout.settings, **settings)


def test_states_and_gradients_are_the_plain_cells(rollout, traced):
    of_state, of_gradient = rollout.errors(lambda params: go(rollout, params))
    assert of_state < 1e-5
    assert of_gradient < 1e-3


@pytest.mark.parametrize("case", [CASES[5], CASES[8]], ids=str)
def test_bf16_is_within_a_hundredth(case, traced):
    """Of states.  Gradients are further off: what is asked of them here is random, so that their sums cancel, and a

    hidden number that changes its sign takes its whole share with it; the training below is what counts.
    """
    for steps, worst in ((1, 0.2), (3, 1.0)):
        rollout = rollout_of(case._replace(steps=steps))
        of_state, of_gradient = rollout.errors(lambda params, rollout=rollout: go(rollout, params, precision="bf16"))
        assert 1e-5 < of_state < 1e-2
        assert of_gradient < worst


@pytest.mark.slow
def test_bf16_training_reaches_the_same_loss(traced):
    before, theirs = trained_by(Choice(), 1), trained_by(Choice(), 200)
    ours = trained_by(Choice("compiled", "bf16"), 200)
    assert ours < 0.1 * before
    assert ours == pytest.approx(theirs, rel=0.5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch.compile's own
def test_more_settings_than_dynamo_recompiles_a_function(monkeypatch):
    """Beyond its limit fullgraph is an error; each combination of shapes is another function, and meets none."""
    real = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function, **settings: real(function, backend="eager", **settings))
    compiled._compiled.cache_clear()
    with torch._dynamo.config.patch(recompile_limit=2):
        for wide in range(4, 8):
            rollout = rollout_of(Case((3, wide), Padding("circular", "zero"), channels=2, hidden=(4,), steps=2))
            of_state, _ = rollout.errors(lambda params, rollout=rollout: go(rollout, params))
            assert of_state < 1e-5
    compiled._compiled.cache_clear()


COMPILED = """
import sys
import torch
from kernel_cases import CASES, rollout_of
from tnca.kernels import compiled
torch.set_num_threads(1)
rollout = rollout_of(CASES[int(sys.argv[1])])
case, settings = rollout.case, rollout.settings
run = lambda params: compiled.run(params, rollout.state, case.steps, case.padding, **settings)
print(*rollout.errors(run))
"""


@pytest.mark.slow
@pytest.mark.parametrize("case", [6, 7], ids=lambda case: str(CASES[case]))
def test_compiled_it_is_the_plain_cell(case):
    """In a process of its own: the code generator loads setuptools, which has to come before distutils."""
    command = [sys.executable, "-W", "ignore", "-c", COMPILED, str(case)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=Path(__file__).parent)
    assert done.returncode == 0, done.stderr[-4000:]
    of_state, of_gradient = map(float, done.stdout.split())
    assert of_state < 1e-5
    assert of_gradient < 1e-3
