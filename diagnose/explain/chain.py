"""A chain of operations, each fitted on what those before it predict: longer, preceded, refined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.operations import Fitted, Operation, Predicted
from diagnose.operations.scene import Judgement  # noqa: TC001 - msgspec reads the types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.arrays import Floats
    from diagnose.operations.operation import Scored

REFINEMENTS = 2  # rounds in which every step of a chain is fitted beside the others
LEAST_DB = 1.0  # over ordinary loss on the whole, or
LEAST_PART_DB = 6.0  # over it in a sixth octave or a frame: less is heard nowhere


class Chain(msgspec.Struct, frozen=True, eq=False):
    operations: tuple[Operation, ...]
    fitted: tuple[Fitted, ...]
    predicted: Predicted
    judged: Judgement
    charged: float

    @property
    def price(self) -> float:
        return self.judged.cost + self.charged

    @property
    def ids(self) -> tuple[str, ...]:
        """The causes of the steps, in the order in which they are applied."""
        return tuple(id for step in self.fitted for id in step.ids)  # noqa: A001 - the contract's word

    @property
    def is_close(self) -> bool:
        """Whether nothing is left, on the whole or anywhere, that a step could be worth."""
        return self.predicted.variance is None and self.is_over

    @property
    def is_over(self) -> bool:
        """As is_close, noise of a stated level aside: of a likely noise, nothing else is asked."""
        return self.judged.over_db < LEAST_DB and self.judged.worst_db < LEAST_PART_DB


def chain_of(scene: Scored, operations: tuple[Operation, ...], fitted: tuple[Fitted, ...]) -> Chain:
    """The chain of these steps, applied to the reference one after the other."""
    samples: Floats = scene.reference
    variance = None
    for step in fitted:
        samples = step.apply(samples)
        variance = variance if step.variance is None else step.variance
    return _judged(scene, operations, fitted, _predicted(scene, samples, variance))


def _judged(
    scene: Scored, operations: tuple[Operation, ...], fitted: tuple[Fitted, ...], predicted: Predicted
) -> Chain:
    charged = sum(step.charged for step in fitted) * scene.charge
    return Chain(operations, fitted, predicted, scene.judge(predicted.error, predicted.variance), charged)


def _predicted(scene: Scored, samples: Floats, variance: Floats | None) -> Predicted:
    spectra = scene.spectra_of(samples)
    return Predicted(samples, spectra, scene.error_of(spectra), variance)


def longer(scene: Scored, chain: Chain, operation: Operation) -> Chain | None:
    """The chain with one more step at its end; None where that cannot be fitted."""
    fitted = operation(scene, chain.predicted)
    if fitted is None:
        return None
    if fitted.variance is not None:  # it adds at random, and leaves what is predicted as it is
        predicted = msgspec.structs.replace(chain.predicted, variance=fitted.variance)
    else:
        predicted = _predicted(scene, fitted.apply(chain.predicted.samples), chain.predicted.variance)
    return _judged(scene, (*chain.operations, operation), (*chain.fitted, fitted), predicted)


def preceded(scene: Scored, chain: Chain, operation: Operation, place: tuple[Scored, Predicted]) -> Chain | None:
    """The chain with one more step at its front; None where that cannot be fitted."""
    fitted = operation(*place)
    return None if fitted is None else chain_of(scene, (operation, *chain.operations), (fitted, *chain.fitted))


def refined(scene: Scored, chain: Chain) -> Chain:
    """The chain with each step fitted anew on what those before it predict and those behind it, undone, leave."""
    for _ in range(REFINEMENTS if len(chain.fitted) > 1 else 0):
        fitted = list(chain.fitted)
        for index, operation in enumerate(chain.operations):
            others = [*fitted[:index], *fitted[index + 1 :]]
            place = place_of(scene, others, index)
            fitted[index] = (place and operation(*place)) or fitted[index]
        better = chain_of(scene, chain.operations, tuple(fitted))
        if better.price >= chain.price:
            break
        chain = better
    return chain


def place_of(scene: Scored, others: Sequence[Fitted], index: int) -> tuple[Scored, Predicted] | None:
    """What an operation in this place among the others is fitted on: what those before it predict, and what those
    behind it, undone, leave to explain.  None where one cannot be undone.
    """
    target: Floats = scene.generated
    for step in reversed(others[index:]):
        if step.variance is not None:
            continue
        if step.undo is None:
            return None
        target = step.undo(target)
    here = scene if target is scene.generated else scene.towards(target)
    samples: Floats = scene.reference
    for step in others[:index]:
        samples = step.apply(samples)
    noise = next((step.variance for step in others if step.variance is not None), None)
    return here, _predicted(here, samples, noise)


def refitted(scene: Scored, operations: Sequence[Operation]) -> Chain | None:
    """The chain of these operations, in this order, each fitted on what those before it predict, then refined."""
    chain: Chain | None = chain_of(scene, (), ())
    for operation in operations:
        chain = None if chain is None else longer(scene, chain, operation)
    return None if chain is None else refined(scene, chain)
