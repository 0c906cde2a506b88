"""From a chain in log-mel cells to causes, where no waveform proves one: what a model did to levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.explain.confidence import Basis, based, believed
from diagnose.explain.search import explain
from diagnose.explain.spaces import LOG_MEL
from diagnose.explain.words import told_of_levels
from diagnose.log_mel.scene import log_mel_scene
from diagnose.results.cause import Amount, Cause, Explained
from diagnose.results.proof import Left, Proof

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from diagnose.analysis import Pair
    from diagnose.explain.search import Explanation, Step

# What happens to a mel or between a mel and its reader: no operation on samples does it.
OF_THE_MODEL = ("vocoder-input-scale", "power-magnitude", "over-smoothed")
# What levels say nothing of: it stands beside any chain of theirs.
OF_OTHER_KINDS = (
    *("delay", "truncated", "padded", "segment-lost", "segment-inserted", "segment-repeated", "sample-rate"),
    *("time-stretch", "tail-added", "mono-stereo", "channel-swapped", "foreign-data", "time-structure-lost", "wow"),
    *("pitch", "octave-error", "pitch-flattened", "voicing-lost", "frame-rate-hum", "dc-offset", "polarity"),
    *("non-finite", "bytes-misread", "companding", "different-content", "mel-range", "axes-exchanged"),
)
OF_SAMPLES, LIKELY = ("companding", "bytes-misread", "integer-overflow", "clipping"), 0.5
SAYS_MORE = {"gain": ("level-reference-lost",)}  # of the same samples
MOST_UNLIKE = 0.3  # of the variance of the generated cells: with more, whatever fits is a fit and no explanation
SURE = 0.9  # of a cause that a proof on samples, or its own bytes, gave: nothing is asked of levels


def with_levels(
    pair: Pair, named: Sequence[Cause], proof: Proof | None, without: Collection[str] = ()
) -> tuple[tuple[Cause, ...], Proof | None]:
    """The causes, what undoing in log-mel cells shows first; as they are where it shows nothing."""
    if pair.unrelated or any(cause.confidence >= SURE or _is_of_samples(cause) for cause in named):
        return tuple(named), proof
    scene = log_mel_scene(pair)
    if scene is None:
        return tuple(named), proof
    found = explain(scene, (), without, LOG_MEL)
    copied = pair.timeline.method == "waveform"
    if not _is_heard(found, copied):
        return tuple(named if copied else (_unless_unconfirmed(cause, found) for cause in named)), proof
    steps = sorted(found.steps, key=lambda step: (step.fitted.id not in OF_THE_MODEL, -step.worth))
    told = [_told(step, found, named) for step in steps]
    ids = {cause.id for cause in told}
    others = [cause for cause in named if cause.id not in ids]
    if found.proven:
        folded = [cause for cause in others if cause.id not in OF_OTHER_KINDS]
        told[0] = msgspec.structs.replace(told[0], explains=tuple(Explained(c.id, c.summary) for c in folded))
        others = [cause for cause in others if cause.id in OF_OTHER_KINDS]
    beside = [
        msgspec.structs.replace(based(cause, Basis.LEVELS_BESIDE), step=None, explains_db=None) for cause in others
    ]
    left = Left(found.left_db, _looks_like(found), found.before_db)
    causes = sorted((*told, *beside), key=lambda cause: -cause.confidence)
    return tuple(causes), Proof(LOG_MEL.name, left, found.rivals)


def _is_of_samples(cause: Cause) -> bool:
    """Whether it is a law of single samples, likely: its curve of levels is no scale of a vocoder's input."""
    return cause.id in OF_SAMPLES and cause.confidence >= LIKELY


def _is_heard(found: Explanation, copied: bool) -> bool:
    """Whether the chain says something that samples do not say better."""
    if not found.steps or found.unlike > MOST_UNLIKE:
        return False
    if found.proven and not copied:
        return True
    return found.ids == ("dropout",) or bool(set(found.ids) & set(OF_THE_MODEL))


def _unless_unconfirmed(cause: Cause, found: Explanation) -> Cause:
    """A cause that has an operation in log-mel cells, whose operation explains nothing there."""
    if cause.id not in LOG_MEL.by_cause or cause.id in found.ids:
        return cause
    return based(cause, Basis.LEVELS_UNCONFIRMED)


def _told(step: Step, found: Explanation, named: Sequence[Cause]) -> Cause:
    id = _same_class(step.fitted.id, named)  # noqa: A001 - the contract's word
    summary, fix = told_of_levels(id, step.fitted.parameters)
    recognised = next((cause for cause in named if cause.id == id), None)
    before, after = round(step.without_db, 1), round(step.with_db, 1)
    applied = (
        f"applied to the reference's log-mel: the levels differ by {after:.1f} dB with this step, "
        f"by {before:.1f} dB without it"
    )
    nothing_left = Basis.LEVELS_WHOLE if found.close else Basis.LEVELS_NEARLY
    basis = nothing_left if found.proven else Basis.LEVELS_MOST
    return Cause(
        id,
        believed(basis),
        summary,
        (*(recognised.evidence if recognised else ()), applied),
        recognised.fix if recognised else fix,
        parameters={name: Amount(value, unit) for name, (value, unit) in step.fitted.parameters.items()},
        step=found.steps.index(step) + 1,
        explains_db=(before, after),
        basis=basis.value,
    )


def _same_class(id: str, named: Sequence[Cause]) -> str:  # noqa: A002 - the contract's word
    """The step's id, or that of a rival which says more and was recognised."""
    return next((cause.id for cause in named if cause.id in SAYS_MORE.get(id, ())), id)


def _looks_like(found: Explanation) -> str:
    if found.close:
        return "no more than a good vocoder leaves"
    return "little more than a good vocoder leaves" if found.proven else "not explained"
