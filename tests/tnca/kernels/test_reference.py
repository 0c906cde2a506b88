"""The plain kernel: several rules at once are each of them alone.  That one is right is shown in test_cell.py."""

from __future__ import annotations

import pytest
import torch
from kernel_cases import Case, copied, error, rollout_of

from tnca import kernels
from tnca.kernels import Choice, Padding, reference

THREE = Case((6, 7), Padding("circular", "zero"), channels=4, hidden=(9, 5), rules=3, states=2, fire=0.5, steps=5)


def test_single_precision_is_near_double(rollout):
    case = rollout.case
    run = lambda params: reference.run(params, rollout.state, case.steps, case.padding, **rollout.settings)  # noqa: E731
    of_state, of_gradient = rollout.errors(run)
    assert of_state < 1e-5
    assert of_gradient < 1e-3


def test_several_rules_are_each_alone():
    rollout = rollout_of(THREE)
    for rule in range(3):
        mine = slice(2 * rule, 2 * rule + 2)
        exact, fires = copied(rollout.params, torch.float64), rollout.fires[:, mine]
        alone = reference.run(exact.of(rule), rollout.state[mine].double(), 5, THREE.padding, fires=fires)
        assert torch.equal(alone, rollout.grown[mine])


@pytest.mark.parametrize("steps", [1, 2, 5, 9])
def test_recomputed_gradients_are_the_stored_ones(steps):
    rollout = rollout_of(THREE._replace(steps=steps))
    found = []
    for memory in kernels.MEMORY:
        params = copied(rollout.params, torch.float32)
        choice = Choice(memory=memory)
        grown = kernels.run(params, rollout.state, steps, THREE.padding, fires=rollout.fires, choice=choice)
        found.append([grown, *torch.autograd.grad((grown * rollout.slope).sum(), [*params.weights, *params.biases])])
    assert torch.equal(found[0][0], found[1][0])
    assert all(error(a, b) < 1e-5 for a, b in zip(*found, strict=True))
