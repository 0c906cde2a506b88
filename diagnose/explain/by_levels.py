"""From a chain in log-mel cells to causes, where no waveform proves one: what a model did to levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.explain.confidence import Basis, based, believed
from diagnose.explain.search import PROVEN_DB, explain
from diagnose.explain.spaces import LOG_MEL
from diagnose.explain.words import told_of_levels
from diagnose.log_mel.scene import log_mel_scene
from diagnose.operations.scene import ORDINARY_DB
from diagnose.results.cause import Amount, Cause, Explained
from diagnose.results.proof import Left, Proof

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from diagnose.analysis import Pair
    from diagnose.explain.search import Explanation, Step
    from diagnose.log_mel.scene import LogMelScene

# What happens to a mel or between a mel and its reader: no operation on samples does it.
OF_THE_MODEL = ("vocoder-input-scale", "power-magnitude", "over-smoothed")
# What levels say nothing of: it stands beside any chain of theirs.
OF_OTHER_KINDS = (
    *("delay", "truncated", "padded", "segment-lost", "segment-inserted", "segment-repeated", "sample-rate"),
    *("time-stretch", "tail-added", "mono-stereo", "channel-swapped", "foreign-data", "time-structure-lost", "wow"),
    *("pitch", "octave-error", "pitch-flattened", "voicing-lost", "frame-rate-hum", "dc-offset", "polarity"),
    *("non-finite", "bytes-misread", "companding", "different-content", "mel-range", "axes-exchanged"),
)
OF_A_VOICE = ("voicing-lost", "pitch-flattened")
BURIED = {"vocoder-input-scale": OF_A_VOICE, "over-smoothed": OF_A_VOICE}  # what follows from a step all the same
# Laws of single samples: their curve of levels is no scale of a vocoder's input.
OF_SAMPLES = ("companding", "bytes-misread", "integer-overflow", "clipping")
# Where these are as likely as not, a frame is compared with another, and only a proof says more than they do.
OF_FRAMES_MOVED = ("time-structure-lost", "axes-exchanged")
LIKELY = 0.5
SAYS_MORE = {"gain": ("level-reference-lost",)}  # of the same samples
MOST_UNLIKE = 0.3  # of the variance of the generated cells: with more, whatever fits is a fit and no explanation
SLIGHT_DB, SLIGHTLY = 1.0, 0.3  # that a step brings beside others; it is believed so much
FOLLOWS = 0.3  # r, of two sounds that no timeline lays on each other; those with nothing in common reach 0.15
SURE = 0.9  # of a cause that a proof on samples, or its own bytes, gave: nothing is asked of levels


def with_levels(
    pair: Pair, named: Sequence[Cause], proof: Proof | None, without: Collection[str] = ()
) -> tuple[tuple[Cause, ...], Proof | None]:
    """The causes, what undoing in log-mel cells shows first; as they are where it shows nothing."""
    if pair.unrelated or _is_settled(named, proof):
        return tuple(named), proof
    scene = log_mel_scene(pair)
    if scene is None:
        return tuple(named), proof
    found = explain(scene, (), without, LOG_MEL)
    copied = pair.timeline.method == "waveform"
    if found.steps and pair.timeline.method == "none" and _follows(scene, found) < FOLLOWS:
        return tuple(named), proof
    if not _is_heard(found, copied, named):
        return tuple(named if copied else (_unless_unconfirmed(cause, found) for cause in named)), proof
    steps = sorted(found.steps, key=lambda step: (step.fitted.id not in OF_THE_MODEL, -step.worth))
    told = [_told(step, found, named, place == 0) for place, step in enumerate(steps)]
    ids = {cause.id for cause in told}
    others = [cause for cause in named if cause.id not in ids]
    if found.proven:
        apart = set(OF_OTHER_KINDS) - {each for cause in told for each in BURIED.get(cause.id, ())}
        folded = [cause for cause in others if cause.id not in apart]
        told[0] = msgspec.structs.replace(told[0], explains=tuple(Explained(c.id, c.summary) for c in folded))
        others = [cause for cause in others if cause.id in apart]
    beside = [
        msgspec.structs.replace(based(cause, Basis.LEVELS_BESIDE), step=None, explains_db=None) for cause in others
    ]
    left = Left(found.left_db, _looks_like(found), found.before_db)
    causes = sorted((*told, *beside), key=lambda cause: -cause.confidence)
    return tuple(causes), Proof(LOG_MEL.name, left, found.rivals)


def _is_settled(named: Sequence[Cause], proof: Proof | None) -> bool:
    """Whether samples have said it all."""
    proven = proof is not None and proof.left.db <= ORDINARY_DB + PROVEN_DB
    of_samples = any(cause.id in OF_SAMPLES and cause.confidence >= LIKELY for cause in named)
    return proven or of_samples or any(cause.confidence >= SURE and not _is_asked(cause) for cause in named)


def _is_asked(cause: Cause) -> bool:
    """Whether levels confirm it or not, or explain what a voice lost, where no chain of samples proves it."""
    told = cause.id in LOG_MEL.by_cause and cause.id not in SAYS_MORE["gain"]
    return cause.step is None and (told or cause.id in OF_A_VOICE)


def _is_sure_of_scale(cause: Cause) -> bool:
    """Whether a scale was recognised surely: by a hum, a bias, or what is left of the loudest: no step fits these."""
    return cause.confidence >= SURE and cause.id in OF_THE_MODEL


def _follows(scene: LogMelScene, found: Explanation) -> float:
    """r of the generated cells with the predicted ones, each band's mean taken off: a constant explains any sound."""
    ours, theirs = (cells - cells.mean(axis=0) for cells in (found.predicted.spectra, scene.spectra))
    power = float(np.square(ours).sum()) * float(np.square(theirs).sum())
    return float((ours * theirs).sum()) / max(power**0.5, 1e-30)


def _is_heard(found: Explanation, copied: bool, named: Sequence[Cause]) -> bool:
    """Whether the chain says something that samples do not say better.

    Made-up phases leave differences that any chain can lower a little: a proof of what samples show too has to take
    away as much as what is no proof.
    """
    if not found.steps or found.unlike > MOST_UNLIKE:
        return False
    if any(_is_sure_of_scale(cause) and cause.id not in found.ids for cause in named):
        return False
    if found.proven and not copied and found.fall_db >= LOG_MEL.least_fall_db:
        return True
    if not found.proven and any(each.id in OF_FRAMES_MOVED and each.confidence >= LIKELY for each in named):
        return False
    return found.ids == ("dropout",) or bool(set(found.ids) & set(OF_THE_MODEL))


def _unless_unconfirmed(cause: Cause, found: Explanation) -> Cause:
    """A cause that has an operation in log-mel cells, whose operation explains nothing there."""
    if cause.id not in LOG_MEL.by_cause or cause.id in found.ids or _is_sure_of_scale(cause):
        return cause
    return based(cause, Basis.LEVELS_UNCONFIRMED)


def _told(step: Step, found: Explanation, named: Sequence[Cause], is_first: bool) -> Cause:
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
    if before - after < SLIGHT_DB and not is_first:
        basis = Basis.LEVELS_BESIDE
    recognised_as = recognised.confidence if recognised and found.proven else 0.0
    return Cause(
        id,
        max(believed(basis, SLIGHTLY), recognised_as),
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
