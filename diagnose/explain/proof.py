"""From a chain to causes: what is proven goes first, and what was only recognised is folded under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.explain.scene import HOP, ORDINARY_DB, Scene
from diagnose.explain.search import BY_ID, explain
from diagnose.explain.words import RIVALS, told
from diagnose.results.cause import Amount, Cause, Explained
from diagnose.results.proof import Left, Proof

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from diagnose.analysis import Pair
    from diagnose.explain.operation import Fitted
    from diagnose.explain.search import Explanation, Step

SHORTEST = 4 * HOP  # samples: less has no spectrum to speak of
# How often such a cause was the right one: benchmarks/explaining.py ("proven, with a wrong step") where nothing is
# left, and benchmarks/faults.py where something is, in some moments or bands: 41 % of 41; then nobody is refuted.
NOTHING_LEFT, MUCH_EXPLAINED = 0.97, 0.5
PARTLY = 0.3  # of a step of a chain that leaves much, and that nobody recognised
UNCONFIRMED = 0.45  # the most that is believed of a cause that has an operation, and whose operation explains nothing
MEANT_DB, MEANT = 3.0, 0.75  # a gain of less, with nothing beside it, is as often a loudness normalised on purpose
NOTABLE_DB = 3.0  # over ordinary loss: only then there is something to confirm
# Causes of how two sounds lie to each other, and of their borders, that stand beside any chain.
OF_TIME = (
    *("delay", "truncated", "padded", "segment-lost", "segment-inserted", "segment-repeated", "sample-rate"),
    *("time-stretch", "edge-artifact", "tail-added", "mono-stereo", "channel-swapped"),
)
# What says all there is: nothing else can be told of a sound that was read wrongly, or is another one.
ALONE = ("silent", "bytes-misread", "companding", "channels-interleaved", "different-content")
# The same operation with a pattern that another recognises: lines of the frame rate, holes and clicks at every seam.
PATTERNS = {
    "frame-rate-hum": ("tonal", "hum"),
    "chunk-seams": ("dropout", "clicks"),
    "mel-range": ("high-frequency-loss",),
}


def with_proof(pair: Pair, named: Sequence[Cause]) -> tuple[tuple[Cause, ...], Proof | None, tuple[Fitted, ...]]:
    """The causes, what undoing proves first; what it came to; and the chain, in the order in which it is applied.

    The causes as they are where there is no copy.
    """
    scene = None if any(cause.id in ALONE for cause in named) else _scene(pair)
    if scene is None:
        return tuple(named), None, ()
    found = explain(scene, [cause.id for cause in named])
    if not found.steps:
        return tuple(_unless_unconfirmed(cause, found) for cause in named), None, ()
    # Noise explains whatever it covers: of another cause that no operation is there for, it says nothing.
    sure = found.proven and found.close and not (found.ids == ("noise",) and named and named[0].id not in BY_ID)
    told = _steps_told(found, named, sure)
    others = [cause for cause in named if cause.id not in {cause.id for cause in told}]
    if sure:
        refuted = tuple(Explained(cause.id, cause.summary) for cause in others if cause.id not in OF_TIME)
        told[0] = msgspec.structs.replace(told[0], explains=refuted)
        others = [cause for cause in others if cause.id in OF_TIME]
    others = [_unless_unconfirmed(cause, found) for cause in others]
    proof = Proof("waveform", Left(found.left_db, _looks_like(found), found.before_db), _alternatives(found))
    causes = tuple(sorted((*told, *others), key=lambda cause: -cause.confidence))
    return causes, proof, tuple(step.fitted for step in found.steps)


def _steps_told(found: Explanation, named: Sequence[Cause], sure: bool) -> list[Cause]:
    """The steps as causes, what is worth the most first.

    Noise explains something of every cell, however soft it is: it goes first only where it was recognised first.
    """
    recognised = {_base(cause.id, found): cause for cause in reversed(named)}
    last = () if named and named[0].id == "noise" else ("noise",)
    steps = sorted(_by_worth(found), key=lambda each: each[1] in last)
    return [_told(step, id, recognised.get(id), found, sure) for step, id in steps]  # noqa: A001 - the contract's word


def _base(id: str, found: Explanation) -> str:  # noqa: A002 - the contract's word
    """The step of the chain that a recognised pattern is a pattern of; the id itself where there is none."""
    return next((each for each in PATTERNS.get(id, ()) if each in found.ids), id)


def _scene(pair: Pair) -> Scene | None:
    """The loudest channel of both, where one is a copy of the other."""
    if pair.silent or pair.unrelated or pair.timeline.method != "waveform":
        return None
    if pair.files[1].audio.broken is not None:  # what was filled is no copy
        return None
    ours, theirs = pair.loudest_overlap
    return Scene(ours, theirs, pair.rate) if ours.size >= SHORTEST else None


def _by_worth(found: Explanation) -> Iterator[tuple[Step, str]]:
    told = set()
    for step in sorted(found.steps, key=lambda step: -step.worth):
        for id in step.fitted.ids:  # noqa: A001 - the contract's word
            if id not in told:
                told.add(id)
                yield step, id


def _told(step: Step, id: str, recognised: Cause | None, found: Explanation, sure: bool) -> Cause:  # noqa: A002
    """The step as a cause: in the words of who recognised it, where one did."""
    summary, fix = told(id, step.fitted.parameters)
    cause = recognised or Cause(id, PARTLY, summary, (), fix)
    before, after = round(step.without_db, 1), round(step.with_db, 1)
    applied = f"applied to the reference: it differs by {after:.0f} dB with this step, by {before:.0f} dB without it"
    proven = NOTHING_LEFT if sure else MUCH_EXPLAINED if found.proven else 0.0
    believed = max(cause.confidence, proven)
    if found.ids == ("gain",) and abs(step.fitted.parameters["gain"][0]) < MEANT_DB:
        believed = min(believed, MEANT)
    return msgspec.structs.replace(
        cause,
        confidence=believed,
        evidence=(*cause.evidence, applied),
        explains=() if sure else cause.explains,
        parameters={name: Amount(value, unit) for name, (value, unit) in step.fitted.parameters.items()},
        step=found.steps.index(step) + 1,
        explains_db=(before, after),
    )


def _unless_unconfirmed(cause: Cause, found: Explanation) -> Cause:
    """A cause whose operation was applied to the reference, and takes no part of the difference away."""
    if cause.id not in BY_ID or _base(cause.id, found) in found.ids or found.over_db < NOTABLE_DB:
        return cause
    return msgspec.structs.replace(cause, confidence=min(cause.confidence, UNCONFIRMED))


def _alternatives(found: Explanation) -> tuple[tuple[str, ...], ...]:
    """Chains that cannot be told from this one: those that the search found, and those of the same classes."""
    ids = tuple(id for step in found.steps for id in step.fitted.ids)  # noqa: A001
    others = [tuple(rival if each == one else each for each in ids) for one in ids for rival in RIVALS.get(one, ())]
    return tuple(dict.fromkeys((*found.rivals, *others)))


def _looks_like(found: Explanation) -> str:
    if found.close:
        return "no more than ordinary loss"
    if found.left_db <= ORDINARY_DB and not found.noisy:
        return "ordinary loss, but for some moments or bands"
    if found.noisy:
        return "noise of a stated level, and what it covers" if found.steady else "what follows the sound, like noise"
    return "not explained"
