"""The shortest chain of operations that turns the reference into the generated sound: a beam, then thinned out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.explain import added, level, local, spectrum
from diagnose.explain.operation import Fitted, Operation  # noqa: TC001 - msgspec reads the types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.arrays import Floats
    from diagnose.explain.scene import Scene

OPERATIONS: tuple[Operation, ...] = (
    level.gain,
    level.polarity,
    level.dc_offset,
    level.hard_clipping,
    level.soft_clipping,
    level.quantisation,
    spectrum.filtered,
    local.dropout,
    local.clicks,
    added.noise,
    added.lines,
)
MOST_STEPS = 3
BEAM = 4  # chains that are kept at each length
LEAST_NATS = 20.0  # that a step has to win beyond what it is charged
LEAST_PER_CELL = 0.005  # and by cell: less is heard nowhere
LEAST_SHARE = 0.03  # and of what was left: a step that explains less is a crumb of another
PROVEN_SHARE = 0.2  # of the nats that may stay, and
MOST_COPIED = 1e-3  # of the samples that a proof may copy: some clicks, not a buffer a sample short
STEADY = 1.6  # standard deviation of ln power: 1.28 of noise, more of what follows the sound
PROVEN_NATS = 0.5  # nats a cell that may stay, where a chain is a proof


class Step(msgspec.Struct, frozen=True, eq=False):
    """One step of the chain: what was fitted, the nats that leaving it out would cost, the distances about it in dB."""

    fitted: Fitted
    worth: float
    before_db: float
    after_db: float


class Explanation(msgspec.Struct, frozen=True, eq=False):
    """A chain, in the order in which it is applied; nats a cell before it, and what it leaves unexplained.

    unsteady: of the noise that it states, as Scene.unsteadiness has it.  samples: of the sound.
    """

    steps: tuple[Step, ...]
    before: float
    left: float
    left_db: float
    unsteady: float
    samples: int

    @property
    def proven(self) -> bool:
        """Whether the chain, applied to the reference, gives the generated sound, but for noise of a stated level."""
        told = self.left <= PROVEN_SHARE * self.before or self.left <= PROVEN_NATS
        copied = sum(step.fitted.copied for step in self.steps)
        return bool(self.steps) and told and self.unsteady <= STEADY and copied <= MOST_COPIED * self.samples

    @property
    def ids(self) -> tuple[str, ...]:
        """The causes of the steps, what explains the most first."""
        ordered = sorted(self.steps, key=lambda step: -step.worth)
        return tuple(dict.fromkeys(each for step in ordered for each in step.fitted.ids))


class _Chain(msgspec.Struct, frozen=True, eq=False):
    operations: tuple[Operation, ...]
    fitted: tuple[Fitted, ...]
    predicted: Floats
    variance: Floats | None
    cost: float
    charged: float

    @property
    def price(self) -> float:
        return self.cost + self.charged


def explain(scene: Scene) -> Explanation:
    """The chain of at most three steps that costs the least, each worth what it is charged."""
    start = _Chain((), (), scene.reference, None, scene.cost(scene.reference), 0.0)
    best, beam = start, [start]
    for _ in range(MOST_STEPS):
        beam = sorted(_all_longer(scene, beam), key=lambda chain: chain.price)[:BEAM]
        if not beam:
            break
        better = _thinned(scene, beam[0])
        if better.price < best.price - _least(scene, best) * (len(better.operations) - len(best.operations)):
            best = better
    return _explained(scene, start, best)


def _all_longer(scene: Scene, beam: Sequence[_Chain]) -> list[_Chain]:
    """Every chain of the beam with each operation that it has not yet."""
    return [
        longer
        for chain in beam
        for operation in OPERATIONS
        if operation not in chain.operations and (longer := _longer(scene, chain, operation)) is not None
    ]


def _least(scene: Scene, chain: _Chain) -> float:
    """Nats that a step has to win on top of this chain."""
    return max(LEAST_NATS, LEAST_PER_CELL * scene.cells, LEAST_SHARE * chain.cost)


def _longer(scene: Scene, chain: _Chain, operation: Operation) -> _Chain | None:
    """The chain with one more step at its end; None where that cannot be fitted."""
    fitted = operation(scene, chain.predicted, chain.variance)
    if fitted is None:
        return None
    predicted = fitted.apply(chain.predicted)
    variance = chain.variance if fitted.variance is None else fitted.variance
    return _Chain(
        (*chain.operations, operation),
        (*chain.fitted, fitted),
        predicted,
        variance,
        scene.cost(predicted, variance),
        chain.charged + fitted.charged * scene.charge,
    )


def _refitted(scene: Scene, operations: Sequence[Operation]) -> _Chain | None:
    """The chain of these operations, in this order, each fitted on what those before it predict."""
    chain: _Chain | None = _Chain((), (), scene.reference, None, np.inf, 0.0)
    for operation in operations:
        chain = None if chain is None else _longer(scene, chain, operation)
    return chain


def _thinned(scene: Scene, chain: _Chain) -> _Chain:
    """The chain without the step that costs nothing to leave out."""
    for left_out in chain.operations if len(chain.operations) > 1 else ():
        rest = [operation for operation in chain.operations if operation is not left_out]
        shorter = _refitted(scene, rest)
        if shorter is not None and shorter.price - chain.price < _least(scene, shorter):
            return _thinned(scene, shorter)
    return chain


def _explained(scene: Scene, start: _Chain, chain: _Chain) -> Explanation:
    steps: list[Step] = []
    predicted: Floats = scene.reference
    for operation, fitted in zip(chain.operations, chain.fitted, strict=True):
        rest = [each for each in chain.operations if each is not operation]
        without = _refitted(scene, rest) if rest else start
        worth = (without.price if without is not None else start.price) - chain.price
        after = fitted.apply(predicted)
        steps.append(Step(fitted, worth, scene.distance_db(predicted), scene.distance_db(after)))
        predicted = after
    before = 2 * start.cost / scene.cells
    left = scene.left(chain.predicted, chain.variance)
    unsteady = 0.0 if chain.variance is None else scene.unsteadiness(chain.predicted, chain.variance)
    left_db = scene.distance_db(chain.predicted)
    return Explanation(tuple(steps), before, left, left_db, unsteady, scene.reference.size)
