"""From a chain to causes: what is proven goes first, and what was only recognised is folded under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.explain.confidence import BELIEFS, Basis, based
from diagnose.explain.edits import AT_BORDERS, EDITS, all_accounted
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

MOST_DB = 15.0  # of the distance, that a chain takes away and is no proof: it explains most
MUCH_DB = 10.0  # of the distance: a proof that takes so much away leaves nothing for another cause, but some moments
OF_CELLS = ("spectral-holes", "band-gap", "modulation", "dropout", "clicks")
NET_DB = 1.0  # of all gains of a chain: less is none
MEANT_DB = 3.0  # a gain of less, with nothing beside it, is as often a loudness normalised on purpose
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
        return tuple(named if pair.silent else _of_no_copy(pair, named)), None, ()
    # Where a filter keeps both coherent, they are no two sounds.
    named = [cause for cause in named if cause.id != "different-content"]
    found = explain(scene, [cause.id for cause in named], without)
    asked = not found.proven and not SHAPING & set(found.ids)
    other = stranger(scene, found.predicted) if asked and "interference" not in without else None
    sure = _is_sure(found, named)
    told = _steps_told(found, named, sure)
    others = _edits_judged(pair, named, found, _others(found, named, told, sure, _of_time(pair)))
    if told and sure:
        refuted = tuple(Explained(cause.id, cause.summary) for cause in named if _is_refuted(cause, told, others))
        told[0] = msgspec.structs.replace(told[0], explains=refuted)
    if other is not None:
        told, others = [other, *told], [based(cause, Basis.UNCONFIRMED) for cause in others]
    causes = tuple(sorted((*told, *others), key=lambda cause: -cause.confidence))
    if not found.steps:
        return causes, None, ()
    proof = Proof("waveform", Left(found.left_db, _looks_like(found), found.before_db), _alternatives(found))
    return causes, proof, tuple(step.fitted for step in found.steps)


def _ids_of(named: Sequence[Cause]) -> set[str]:
    """Ids of what was recognised, and of what is folded under it."""
    return {cause.id for cause in named} | {one.id for cause in named for one in cause.explains}


def _of_no_copy(pair: Pair, named: Sequence[Cause]) -> list[Cause]:
    """The causes where there is no waveform to apply anything to."""
    filled = pair.files[1].audio.broken is not None and all(cause.id != "non-finite" for cause in named)
    return [based(cause, Basis.FILLED if filled else _basis_of_no_copy(cause)) for cause in named]


def _basis_of_no_copy(cause: Cause) -> Basis:
    if cause.id == "different-content":
        return Basis.NOTHING_ALIKE
    return Basis.CELLS if cause.id in OF_CELLS else Basis.NO_COPY


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
    if found.close or not named or named[0].confidence <= BELIEFS[Basis.FLEXIBLE].least:
        return False
    return set(found.ids) <= set(LOOKS_LIKE.get(named[0].id, ()))


def _parts(found: Explanation) -> set[str]:
    """Ids of what the steps do besides."""
    return {part for each in found.ids for part in PARTS.get(each, ())}


def _of_time(pair: Pair) -> tuple[str, ...]:
    """The causes that stand beside any chain; no foreign data where each sample is in its place: a chain has it all."""
    steps = pair.timeline.segments
    in_place = len(steps) == 1 and steps[0].reference == steps[0].generated
    return tuple(each for each in OF_TIME if each != "foreign-data") if in_place else OF_TIME


def _others(
    found: Explanation, named: Sequence[Cause], told: Sequence[Cause], sure: bool, of_time: Sequence[str]
) -> list[Cause]:
    """What was recognised and is no step, with what is believed of it beside the chain."""
    apart = {cause.id for cause in told} | _parts(found)
    left = [cause for cause in named if cause.id not in apart and (not sure or cause.id in of_time)]
    free = sure or _is_covered(found, named)
    most = found.fall_db > MOST_DB and not _is_a_part(found, named)
    return [based(cause, _basis_beside(cause, found, free, most, of_time)) for cause in left]


def _edits_judged(pair: Pair, named: Sequence[Cause], found: Explanation, others: Sequence[Cause]) -> list[Cause]:
    """The others, edits of the time axis believed less where they are half a story: another edit is named by nobody, or
    an edit at a border leaves inside what nothing explains.
    """
    whole = all_accounted(pair, {*_ids_of(named), *found.ids})
    inside = not found.steps and found.over_db >= NOTABLE_DB and found.samples <= MOST_SEARCHED
    half = {*(() if whole else EDITS), *(AT_BORDERS if inside else ())}
    return [based(cause, Basis.EDIT) if cause.id in half else cause for cause in others]


def _basis_beside(cause: Cause, found: Explanation, free: bool, most: bool, of_time: Sequence[str]) -> Basis:
    """The kind of evidence of what was recognised and is no step.  free: whether the chain says nothing of it;
    most: whether it is most of the difference.
    """
    phases = cause.id == "phase-incoherent"  # of a copy, a name for what nothing explains
    if phases and found.steps:
        return Basis.PHASES_BESIDE
    if not free and most and cause.id not in of_time:
        return Basis.BESIDE
    if _is_unconfirmed(cause, found):
        return Basis.UNCONFIRMED
    if phases:
        return Basis.PHASES
    asked = not free and not most and found.samples <= MOST_SEARCHED
    return Basis.UNPROVEN if asked and not _needs_no_proof(cause) else Basis.RECOGNISED


def _needs_no_proof(cause: Cause) -> bool:
    return cause.id in (*OF_TIME, *OF_MANY_KINDS) or CATALOGUE[cause.id].domain != "samples"


def _is_refuted(cause: Cause, told: Sequence[Cause], others: Sequence[Cause]) -> bool:
    return all(cause.id != other.id for other in (*told, *others))


def _steps_told(found: Explanation, named: Sequence[Cause], sure: bool) -> list[Cause]:
    """The steps as causes, what is worth the most first.

    Noise explains something of every cell, however soft it is: it goes first only where it was recognised first.
    """
    recognised = {_base(cause.id, found): cause for cause in reversed(named)}
    last = () if named and named[0].id == "noise" else ("noise",)
    steps = sorted(_by_worth(found), key=lambda each: each[1] in last)
    apart = _parts(found) | ({"gain"} if abs(_net_gain_db(found)) < NET_DB else set())
    steps = [each for each in steps if each[1] not in apart]
    most = found.fall_db > MOST_DB and not _is_a_part(found, named)
    return [_told(step, id, recognised.get(id), found, sure, most) for step, id in steps]  # noqa: A001 - the contract's


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


def _told(step: Step, id: str, recognised: Cause | None, found: Explanation, sure: bool, most: bool) -> Cause:  # noqa: A002
    """The step as a cause: in the words of who recognised it, where one did.  most: whether the chain is most of it."""
    summary, fix = told(id, step.fitted.parameters)
    cause = based(recognised or Cause(id, 0.0, summary, (), fix), _basis_of_step(step, recognised, found, sure, most))
    before, after = round(step.without_db, 1), round(step.with_db, 1)
    applied = f"applied to the reference: it differs by {after:.0f} dB with this step, by {before:.0f} dB without it"
    return msgspec.structs.replace(
        cause,
        evidence=(*cause.evidence, applied),
        explains=() if sure else cause.explains,
        parameters={name: Amount(value, unit) for name, (value, unit) in step.fitted.parameters.items()},
        step=found.steps.index(step) + 1,
        explains_db=(before, after),
    )


def _basis_of_step(step: Step, recognised: Cause | None, found: Explanation, sure: bool, most: bool) -> Basis:
    """The kind of evidence of a step of the chain."""
    spare = step.rest_proves and not found.close  # the others are a proof as well
    if sure:
        slight = found.ids == ("gain",) and abs(step.fitted.parameters["gain"][0]) < MEANT_DB
        return Basis.SLIGHT if slight else Basis.WHOLE if found.close else Basis.SPARE if spare else Basis.NEARLY
    basis = Basis.MOST if most and not spare else Basis.FLEXIBLE if most or found.proven else Basis.PART
    if recognised is None or recognised.confidence <= BELIEFS[basis].most:
        return basis
    unasked = recognised.id in OF_MANY_KINDS or found.samples > MOST_SEARCHED
    return Basis.RECOGNISED if unasked else basis


def _is_unconfirmed(cause: Cause, found: Explanation) -> bool:
    """Whether its operation was applied to the reference, and takes no part of the difference away."""
    asked = cause.id in WAVEFORM.by_cause and cause.id not in OF_MANY_KINDS
    return asked and _base(cause.id, found) not in found.ids and found.over_db >= NOTABLE_DB


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
