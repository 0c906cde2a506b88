"""The pool of states: what is drawn, what starts anew, what is put back."""

from __future__ import annotations

import pytest
import torch

from tnca.rule.pool import Pool


@pytest.fixture
def seed():
    return torch.arange(24.0).reshape(1, 2, 3, 4)


def generator(number=0):
    return torch.Generator().manual_seed(number)


def marked(seed, size):
    """A pool whose state k holds 100 + k everywhere, its error k."""
    pool = Pool(seed, size)
    which = torch.arange(size)
    pool.put(which, 100 + which.float()[:, None, None, None].expand(size, *seed.shape[1:]), which.float())
    return pool


def test_all_are_seeds_at_first(seed):
    pool = Pool(seed, 5)
    assert pool.states.shape == (5, 2, 3, 4)
    assert (pool.states == seed).all()
    assert pool.errors.tolist() == [0] * 5


def test_of_each_draw_the_worst_starts_anew_and_the_rest_go_on(seed):
    pool = marked(seed, 8)
    which, drawn = pool.draw(4, generator())
    assert len(set(which.tolist())) == 4
    for place, state in zip(which.tolist(), drawn, strict=True):
        wanted = seed[0] if place == int(which.max()) else torch.full_like(seed[0], 100 + place)
        assert torch.equal(state, wanted)


def test_a_draw_leaves_the_pool_as_it_is(seed):
    pool = marked(seed, 3)
    before = pool.states.clone()
    _, drawn = pool.draw(3, generator())
    drawn.fill_(-1)
    assert torch.equal(pool.states, before)


def test_what_is_put_goes_to_its_places_without_its_history(seed):
    pool = marked(seed, 4)
    grown = torch.full((2, 2, 3, 4), 7.0, requires_grad=True)
    pool.put(torch.tensor([3, 1]), grown * 2, torch.tensor([0.5, 0.25], requires_grad=True) * 1)
    assert pool.states[:, 0, 0, 0].tolist() == [100, 14, 102, 14]
    assert pool.errors.tolist() == [0, 0.25, 2, 0.5]
    assert not pool.states.requires_grad
    assert not pool.errors.requires_grad


def test_a_pool_of_none_gives_the_seed_each_time_and_keeps_nothing(seed):
    pool = Pool(seed, 0)
    which, drawn = pool.draw(3, generator())
    assert len(which) == 0
    assert torch.equal(drawn, seed.expand(3, -1, -1, -1))
    drawn.fill_(-1)  # a copy, not a view of the seed
    assert not (pool.seed == -1).any()
    pool.put(which, drawn, torch.zeros(3))
    assert len(pool.states) == 0


def test_the_draw_is_the_generators(seed):
    pool = marked(seed, 16)
    first, again, other = (pool.draw(4, generator(number))[0].tolist() for number in (1, 1, 2))
    assert first == again
    assert first != other
    rng = generator(1)
    drawn = {place for _ in range(40) for place in pool.draw(4, rng)[0].tolist()}
    assert drawn == set(range(16))
