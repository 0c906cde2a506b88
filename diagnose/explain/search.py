"""The shortest chain of operations that turns the reference into the generated sound: a beam, then thinned out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.explain.chain import (
    LEAST_DB,
    LEAST_PART_DB,
    Chain,
    chain_of,
    longer,
    place_of,
    preceded,
    refined,
    refitted,
)
from diagnose.explain.spaces import WAVEFORM, Space
from diagnose.operations import local
from diagnose.operations.operation import Fitted, Operation, Predicted  # noqa: TC001 - msgspec reads the types

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from diagnose.operations.operation import Scored

MOST_STEPS = 3
BEAM = 3  # chains that are kept at each length
RIVAL = 0.5  # of what the cheapest chain saves, that another has to save to be looked at further
MOST_SEARCHED = 1 << 22  # samples: of a longer sound, only what is likely is tried, for every chain holds a copy
MOST_LIKELY = 4  # operations that are tried alone and by twos before all are
LEAST_NATS = 20.0  # that a step has to win beyond what it is charged
LEAST_CLICK_DB = 15.0  # in a frame with a click: where an edge is fitted badly, less is left
LEAST_NOISE_DB = 2.0  # of noise, on the whole: it explains whatever is left
LEAST_SHARE = 0.03  # and of what was left, unless it is of some moments: less is a crumb of another step
PROVEN_DB = 2.0  # over ordinary loss, that the distance after a proof may have: what rounds off the parameters
LEAST_R = 0.03  # correlation of both: with less, whatever else is there is not what was done to the reference
NOTHING_ALIKE = 0.8  # of the power: what is off by more is no explanation
MOST_UNLIKE = 0.25  # of the power: the cost looks away from wild cells, and a burst that is all there is lies in few
MOST_COPIED = 1e-3  # of the samples that a proof may copy: some clicks, not a buffer a sample short
STEADY = 1.6  # standard deviation of ln power: 1.28 of noise, more of what follows the sound


class Step(msgspec.Struct, frozen=True, eq=False):
    """One step of the chain: what was fitted, the nats that leaving it out would cost, and the distance in dB, as
    Judgement.distance_db has it, of the chain without it and of the whole chain.  rest_proves: whether the chain
    without it leaves as little as a proof may.
    """

    fitted: Fitted
    worth: float
    without_db: float
    with_db: float
    rest_proves: bool = False


class Explanation(msgspec.Struct, frozen=True, eq=False):
    """A chain, in the order in which it is applied, and the distance in dB before it and after it.

    over_db: by how much the difference is louder than ordinary loss.  close: whether nothing is left that a step could
    be worth.  unsteady: of the noise that it states, as Scene.unsteadiness has it; 0 without.  samples: of the sound.
    unlike: share of the generated sound's power that the chain's is off by; 0 where it states noise.
    leaves_db: level of what is left, over ordinary loss.  fall_db: by how much the chain lowers it.
    predicted: what the chain makes of the reference.
    rivals: ids of other chains that explain as much.
    """

    steps: tuple[Step, ...]
    before_db: float
    left_db: float
    over_db: float
    close: bool
    unsteady: float
    samples: int
    unlike: float
    leaves_db: float
    fall_db: float
    predicted: Predicted
    rivals: tuple[tuple[str, ...], ...] = ()

    @property
    def noisy(self) -> bool:
        return any(step.fitted.variance is not None for step in self.steps)

    @property
    def steady(self) -> bool:
        return self.unsteady <= STEADY

    @property
    def proven(self) -> bool:
        """Whether the chain, applied to the reference, gives the generated sound, but for ordinary loss and steady
        noise of a stated level.
        """
        # What is copied by a step without which the rest is a proof as well, proves nothing and spoils nothing.
        copied = sum(step.fitted.copied for step in self.steps if not step.rest_proves)
        told = self.leaves_db <= PROVEN_DB and copied <= MOST_COPIED * self.samples
        return bool(self.steps) and told and self.steady and self.unlike <= MOST_UNLIKE

    @property
    def ids(self) -> tuple[str, ...]:
        """The causes of the steps, what explains the most first."""
        ordered = sorted(self.steps, key=lambda step: -step.worth)
        return tuple(dict.fromkeys(each for step in ordered for each in step.fitted.ids))


def explain(
    scene: Scored, likely: Sequence[str] = (), without: Collection[str] = (), space: Space = WAVEFORM
) -> Explanation:
    """The chain of at most three steps that costs the least, each worth what it is charged.

    likely: ids of causes; where the operations of one or two of them leave nothing, that is the chain.
    without: ids whose operations are not known, to see what is said of what the catalogue does not have.
    """
    start = chain_of(scene, (), ())
    if scene.correlation < LEAST_R:
        return _explained(scene, start, start, ())
    space = space.without(without)
    best = _likely(scene, start, likely, space)
    if best is not None:
        return _explained(scene, start, best, ())
    if scene.reference.size > MOST_SEARCHED:
        return _explained(scene, start, start, ())
    best, seen = _cheapest_chain(scene, start, space)
    found = _explained(scene, start, best, _rivals(best, seen))
    if found.proven or (found.fall_db >= space.least_fall_db and found.unlike <= NOTHING_ALIKE):
        return found
    return _explained(scene, start, start, ())


def _likely(scene: Scored, start: Chain, likely: Sequence[str], space: Space) -> Chain | None:
    """The chain of one or two steps that likely causes are, where it leaves nothing."""
    long = scene.reference.size > MOST_SEARCHED
    asked = [each for each in space.of(likely) if not (long and each in space.of_all_at_once)]
    found: list[Chain] = []
    for operation in asked[:MOST_LIKELY] if not start.is_close else ():
        chain = longer(scene, start, operation)
        if chain is not None and chain.is_over and _pays(scene, space, start, chain):
            return chain
        found += [] if chain is None else [chain]
    two = min(_all_longer(scene, space, found, asked[:MOST_LIKELY]), key=lambda chain: chain.price, default=None)
    both = None if two is None else _thinned(scene, space, refined(scene, two))
    return both if both is not None and both.is_over and _pays(scene, space, start, both) else None


def _cheapest_chain(scene: Scored, start: Chain, space: Space) -> tuple[Chain, list[Chain]]:
    """The cheapest chain that pays, and those that were looked at beside it."""
    best, beam, seen = start, [start], []
    for _ in range(MOST_STEPS):
        beam = [chain for chain in beam if not chain.is_close]
        if not beam or best.is_close:
            break
        beam = _cheapest(_all_longer(scene, space, beam, space.operations), start.price)
        if not beam:
            break
        beam = sorted((refined(scene, chain) for chain in beam), key=lambda chain: chain.price)
        seen += beam
        better = _thinned(scene, space, beam[0])
        if _pays(scene, space, best, better):
            best = better
    return best, seen


def _rivals(best: Chain, seen: Sequence[Chain]) -> tuple[tuple[str, ...], ...]:
    """Ids of the chains that are no longer, and as cheap but for chance."""
    found = [
        chain.ids for chain in seen if len(chain.fitted) <= len(best.fitted) and chain.price - best.price < LEAST_NATS
    ]
    return tuple(dict.fromkeys(ids for ids in found if set(ids) != set(best.ids)))


def _all_longer(scene: Scored, space: Space, beam: Sequence[Chain], operations: Sequence[Operation]) -> list[Chain]:
    """Every chain of the beam with each of the operations that it has not yet, at its end, or where that is not the
    same, at its front.
    """
    found: list[Chain | None] = []
    for chain in beam:
        left = space.allowed(chain.operations, operations)
        found += [longer(scene, chain, operation) for operation in left]
        ordered = [operation for operation in left if space.is_ordered(operation, chain.operations)]
        place = place_of(scene, chain.fitted, 0) if ordered else None
        if place is not None:
            found += [preceded(scene, chain, operation, place) for operation in ordered]
    return [chain for chain in found if chain is not None]


def _cheapest(chains: Sequence[Chain], start: float) -> list[Chain]:
    """The cheapest ones that save nearly as much of the start's price; of the same operations in two orders, one."""
    kept: dict[frozenset[Operation], Chain] = {}
    for chain in sorted(chains, key=lambda chain: chain.price):
        kept.setdefault(frozenset(chain.operations), chain)
    cheapest = list(kept.values())[:BEAM]
    return [chain for chain in cheapest if start - chain.price >= RIVAL * (start - cheapest[0].price)]


def _pays(scene: Scored, space: Space, shorter: Chain, longer: Chain) -> bool:
    """Whether what the longer chain has more is worth its price, and heard.

    What a step explains in place of noise is asked of the error as it is, too.
    """
    steps = len(longer.fitted) - len(shorter.fitted)
    more = set(longer.operations) - set(shorter.operations)
    least = LEAST_NATS if more <= set(space.local) else max(LEAST_NATS, LEAST_SHARE * shorter.judged.cost)
    if shorter.price - longer.price < least * steps:
        return False
    said_by_noise = longer.predicted.variance is not None and shorter.predicted.variance is None
    if said_by_noise and scene.unsteadiness(longer.predicted) > STEADY:
        return False
    whole = LEAST_NOISE_DB if said_by_noise else LEAST_DB
    sides = [(shorter.judged, longer.judged)]
    if shorter.predicted.variance is not None:
        sides.append((scene.judge(shorter.predicted.error), scene.judge(longer.predicted.error)))
    part = LEAST_CLICK_DB if local.clicks in more else LEAST_PART_DB
    return any(
        one.over_db - other.over_db > whole * steps or (not said_by_noise and one.falls_db(other) > part)
        for one, other in sides
    )


def _thinned(scene: Scored, space: Space, chain: Chain) -> Chain:
    """The chain without the step that costs nothing to leave out."""
    for index in range(len(chain.operations)) if len(chain.operations) > 1 else ():
        shorter = _without(scene, chain, index)
        if not _pays(scene, space, shorter, chain):
            return _thinned(scene, space, shorter)
    return chain


def _without(scene: Scored, chain: Chain, index: int) -> Chain:
    """The chain without one of its steps, the others as they are or fitted from the first on, whichever is cheaper."""
    operations = (*chain.operations[:index], *chain.operations[index + 1 :])
    kept = refined(scene, chain_of(scene, operations, (*chain.fitted[:index], *chain.fitted[index + 1 :])))
    anew = refitted(scene, operations)
    return kept if anew is None or kept.price <= anew.price else anew


def _explained(scene: Scored, start: Chain, chain: Chain, rivals: tuple[tuple[str, ...], ...]) -> Explanation:
    steps = []
    for index, fitted in enumerate(chain.fitted):
        without = _without(scene, chain, index) if len(chain.fitted) > 1 else start
        worth, proves = without.price - chain.price, without.judged.ratio_db <= PROVEN_DB
        steps.append(Step(fitted, worth, without.judged.distance_db, chain.judged.distance_db, proves))
    return Explanation(
        tuple(steps),
        before_db=start.judged.distance_db,
        left_db=chain.judged.distance_db,
        over_db=start.judged.over_db,
        close=chain.is_over,
        unsteady=scene.unsteadiness(chain.predicted),
        samples=scene.reference.size,
        unlike=scene.unlike(chain.predicted),
        leaves_db=chain.judged.ratio_db,
        fall_db=start.judged.ratio_db - chain.judged.ratio_db,
        predicted=chain.predicted,
        rivals=rivals,
    )
