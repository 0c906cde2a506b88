"""From a chain to causes: what is proven goes first, and what was only recognised is folded under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.explain.laid import scene_of
from diagnose.explain.search import MOST_SEARCHED, explain
from diagnose.explain.spaces import WAVEFORM
from diagnose.explain.stranger import stranger
from diagnose.explain.words import RIVALS, told
from diagnose.faults import CATALOGUE
from diagnose.results.cause import Amount, Cause, Explained
from diagnose.results.proof import Left, Proof

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from diagnose.analysis import Pair
    from diagnose.explain.search import Explanation, Step
    from diagnose.operations.operation import Fitted

# How often such a cause was the right one: benchmarks/explaining.py ("proven, with a wrong step") where nothing is
# left, and benchmarks/faults.py where something is, in some moments or bands: 41 % of 41; then nobody is refuted.
NOTHING_LEFT, NEARLY_NOTHING_LEFT, MUCH_EXPLAINED = 0.97, 0.9, 0.5
MOST_DB, MOST_EXPLAINED = 15.0, 0.6  # of the distance, that a chain takes away and is no proof; so likely it is right
MUCH_DB = 10.0  # of the distance: a proof that takes so much away leaves nothing for another cause, but some moments
PARTLY = 0.3  # of a step of a chain that leaves much, and that nobody recognised
UNCONFIRMED = 0.45  # the most that is believed of a cause that has an operation, and whose operation explains nothing
UNEXPLAINED = 0.6  # of phases that are said to be lost, in a copy: they are those of the reference, by and large
UNSEEN = 0.7  # of these, where no waveform is kept to apply anything to
OF_CELLS = ("spectral-holes", "band-gap", "modulation", "dropout", "clicks")
UNPROVEN = 0.75  # of what was recognised in a copy, where no chain proves it: benchmarks/leave_one_out.py
NET_DB = 1.0  # of all gains of a chain: less is none
UNEXPLAINED_BESIDE = 0.25  # the same where a chain explains a part of it: less than of any step
MEANT_DB, MEANT = 3.0, 0.75  # a gain of less, with nothing beside it, is as often a loudness normalised on purpose
NOTABLE_DB = 3.0  # over ordinary loss: only then there is something to confirm
# Causes of how two sounds lie to each other, and of their borders, that stand beside any chain.
OF_TIME = (
    *("delay", "truncated", "padded", "segment-lost", "segment-inserted", "segment-repeated", "sample-rate"),
    *("time-stretch", "edge-artifact", "tail-added", "mono-stereo", "channel-swapped", "foreign-data"),
    "time-structure-lost",
)
# What says all there is: nothing else can be told of a sound that was read wrongly, or is another one.
ALONE = ("silent", "bytes-misread", "companding", "channels-interleaved")
# What fits a little of everything: a filter takes for its own what was cut out of a band at times.
FLEXIBLE = ("high-frequency-loss", "low-frequency-loss", "tilt", "band-gap", "gain")
# What a cause that no operation is there for looks like to the operations: cells of time and frequency that are gone
# are many of one band, and all of a moment.
LOOKS_LIKE = {"spectral-holes": (*FLEXIBLE, "dropout")}
# Steps that change the reference itself: then what is left over is theirs as likely as another sound's.
SHAPING = {"high-frequency-loss", "low-frequency-loss", "tilt", "band-gap", "aliasing", "reverberation", "clipping"}
# What a step of a chain does besides: no cause of its own beside it.
PARTS: dict[str, tuple[str, ...]] = {
    "gated": ("modulation", "dropout"),
    "reverberation": ("tail-added", "padded"),
    "aliasing": ("high-frequency-loss",),
}
OF_OTHER_RATES = ("aliasing",)  # of a file at a lower rate, the reference no longer holds what was folded
OF_MANY_KINDS = ("chunk-seams", "segment-replaced")  # the operations know some, and refute none of the others
# The same operation with a pattern that another recognises: lines of the frame rate, holes and clicks at every seam.
PATTERNS = {
    "frame-rate-hum": ("tonal", "hum"),
    "chunk-seams": ("dropout", "clicks"),
    "mel-range": ("high-frequency-loss",),
}


def with_proof(
    pair: Pair, named: Sequence[Cause], without: Collection[str] = ()
) -> tuple[tuple[Cause, ...], Proof | None, tuple[Fitted, ...]]:
    """The causes, what undoing proves first; what it came to; and the chain, in the order in which it is applied.

    The causes as they are where there is no copy.  without: ids that the catalogue is asked to do without.
    """
    scene = None if any(cause.id in ALONE for cause in named) else scene_of(pair)
    if scene is None:
        return tuple(named if pair.silent else (_without_waveform(cause) for cause in named)), None, ()
    # Where a filter keeps both coherent, they are no two sounds.
    named = [cause for cause in named if cause.id != "different-content"]
    found = explain(scene, [cause.id for cause in named], without)
    asked = not found.proven and not SHAPING & set(found.ids)
    other = stranger(scene, found.predicted) if asked and "interference" not in without else None
    sure = _is_sure(found, named)
    told = _steps_told(found, named, sure)
    others = _others(found, named, told, sure)
    if told and sure:
        refuted = tuple(Explained(cause.id, cause.summary) for cause in named if _is_refuted(cause, told, others))
        told[0] = msgspec.structs.replace(told[0], explains=refuted)
    if other is not None:
        told, others = [other, *told], [_at_most(cause, UNCONFIRMED) for cause in others]
    causes = tuple(sorted((*told, *others), key=lambda cause: -cause.confidence))
    if not found.steps:
        return causes, None, ()
    proof = Proof("waveform", Left(found.left_db, _looks_like(found), found.before_db), _alternatives(found))
    return causes, proof, tuple(step.fitted for step in found.steps)


def _without_waveform(cause: Cause) -> Cause:
    """Where no waveform is kept, what is lost or moves is as often what a model never made."""
    return _at_most(cause, UNSEEN) if cause.id in OF_CELLS else cause


def _is_sure(found: Explanation, named: Sequence[Cause]) -> bool:
    """Whether the chain is all that there is: a proof that leaves nothing, or little of what was much."""
    if not found.proven:
        return False
    # Noise explains whatever it covers: of another cause that no operation is there for, it says nothing.
    if _is_covered(found, named):
        return False
    return found.close or (found.fall_db > MUCH_DB and found.ids[0] not in FLEXIBLE)


def _is_covered(found: Explanation, named: Sequence[Cause]) -> bool:
    """Whether the chain is but noise, and what was recognised first is of a kind that no operation would find there."""
    if found.ids != ("noise",) or not named:
        return False
    return named[0].id not in WAVEFORM.by_cause or named[0].id in OF_OTHER_RATES


def _is_a_part(found: Explanation, named: Sequence[Cause]) -> bool:
    """Whether the chain is but what the cause recognised first looks like, and not all of it."""
    if found.close or not named or named[0].confidence <= MOST_EXPLAINED:
        return False
    return set(found.ids) <= set(LOOKS_LIKE.get(named[0].id, ()))


def _parts(found: Explanation) -> set[str]:
    """Ids of what the steps do besides."""
    return {part for each in found.ids for part in PARTS.get(each, ())}


def _others(found: Explanation, named: Sequence[Cause], told: Sequence[Cause], sure: bool) -> list[Cause]:
    """What was recognised and is no step, with what is believed of it beside the chain."""
    apart = {cause.id for cause in told} | _parts(found)
    others = [_unless_unconfirmed(cause, found) for cause in named if cause.id not in apart]
    if sure:
        return [cause for cause in others if cause.id in OF_TIME]
    if _is_covered(found, named):
        return others
    # What is recognised beside what takes most away is as likely a part of it.
    if found.fall_db > MOST_DB and not _is_a_part(found, named):
        return [cause if cause.id in OF_TIME else _at_most(cause, PARTLY) for cause in others]
    if found.samples > MOST_SEARCHED:  # not tried
        return others
    return [cause if _needs_no_proof(cause) else _at_most(cause, UNPROVEN) for cause in others]


def _needs_no_proof(cause: Cause) -> bool:
    return cause.id in (*OF_TIME, *OF_MANY_KINDS) or CATALOGUE[cause.id].domain != "samples"


def _is_refuted(cause: Cause, told: Sequence[Cause], others: Sequence[Cause]) -> bool:
    return all(cause.id != other.id for other in (*told, *others))


def _at_most(cause: Cause, confidence: float) -> Cause:
    return msgspec.structs.replace(cause, confidence=min(cause.confidence, confidence))


def _steps_told(found: Explanation, named: Sequence[Cause], sure: bool) -> list[Cause]:
    """The steps as causes, what is worth the most first.

    Noise explains something of every cell, however soft it is: it goes first only where it was recognised first.
    """
    recognised = {_base(cause.id, found): cause for cause in reversed(named)}
    last = () if named and named[0].id == "noise" else ("noise",)
    steps = sorted(_by_worth(found), key=lambda each: each[1] in last)
    apart = _parts(found) | ({"gain"} if abs(_net_gain_db(found)) < NET_DB else set())
    steps = [each for each in steps if each[1] not in apart]
    much = MOST_EXPLAINED if found.fall_db > MOST_DB and not _is_a_part(found, named) else 0.0
    return [_told(step, id, recognised.get(id), found, sure, much) for step, id in steps]  # noqa: A001 - the contract's


def _net_gain_db(found: Explanation) -> float:
    """What the gains of all steps come to: a filter's may take back what a gain before it gave."""
    gains = [step.fitted.parameters.get("gain", (0.0, ""))[0] for step in found.steps if "gain" in step.fitted.ids]
    return sum(gains)


def _base(id: str, found: Explanation) -> str:  # noqa: A002 - the contract's word
    """The step of the chain that a recognised pattern is a pattern of; the id itself where there is none."""
    return next((each for each in (id, *PATTERNS.get(id, ())) if each in found.ids), id)


def _by_worth(found: Explanation) -> Iterator[tuple[Step, str]]:
    told = set()
    for step in sorted(found.steps, key=lambda step: -step.worth):
        for id in step.fitted.ids:  # noqa: A001 - the contract's word
            if id not in told:
                told.add(id)
                yield step, id


def _told(step: Step, id: str, recognised: Cause | None, found: Explanation, sure: bool, much: float) -> Cause:  # noqa: A002
    """The step as a cause: in the words of who recognised it, where one did.  much: how likely, by its fall alone."""
    summary, fix = told(id, step.fitted.parameters)
    cause = recognised or Cause(id, PARTLY, summary, (), fix)
    before, after = round(step.without_db, 1), round(step.with_db, 1)
    applied = f"applied to the reference: it differs by {after:.0f} dB with this step, by {before:.0f} dB without it"
    nothing_left = NOTHING_LEFT if found.close else NEARLY_NOTHING_LEFT
    proven = nothing_left if sure else max(much, MUCH_EXPLAINED if found.proven else 0.0)
    if step.rest_proves and not found.close:  # the others are a proof as well
        proven = min(proven, MUCH_EXPLAINED)
    believed = max(cause.confidence, proven)
    if not sure and found.samples <= MOST_SEARCHED:
        believed = max(min(believed, UNPROVEN), cause.confidence if cause.id in OF_MANY_KINDS else 0.0)
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
    if cause.id == "phase-incoherent":  # of a copy, a name for what nothing explains
        cause = _at_most(cause, UNEXPLAINED_BESIDE if found.steps else UNEXPLAINED)
    asked = cause.id in WAVEFORM.by_cause and cause.id not in OF_MANY_KINDS
    if not asked or _base(cause.id, found) in found.ids or found.over_db < NOTABLE_DB:
        return cause
    return _at_most(cause, UNCONFIRMED)


def _alternatives(found: Explanation) -> tuple[tuple[str, ...], ...]:
    """Chains that cannot be told from this one: those that the search found, and those of the same classes."""
    ids = tuple(id for step in found.steps for id in step.fitted.ids)  # noqa: A001
    others = [tuple(rival if each == one else each for each in ids) for one in ids for rival in RIVALS.get(one, ())]
    return tuple(dict.fromkeys((*found.rivals, *others)))


def _looks_like(found: Explanation) -> str:
    if found.close:
        return "no more than ordinary loss"
    if found.proven and not found.noisy:
        return "ordinary loss, but for some moments or bands"
    if found.noisy:
        return "noise of a stated level, and what it covers" if found.steady else "what follows the sound, like noise"
    return "not explained"
