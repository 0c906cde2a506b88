"""One step of an explained chain, undone on a whole sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.arrays import Floats
    from diagnose.explain import Fitted
    from diagnose.timeline import Piece

# Undone sample by sample, whatever stands beside it: at any rate, and on parts that nothing was laid on.
OF_SAMPLES = ("gain", "polarity", "dc-offset", "clipping", "companding")
# Undone by a filter: at the rate of the comparison, on parts that nothing was laid on too.
OF_SPECTRA = ("high-frequency-loss", "low-frequency-loss", "tilt", "band-gap", "reverberation")
# What is gone: their undo gives back the sound as it is, or its fades alone.
GONE = ("dropout", "gated", "quantisation")
LEAST_GAIN_DB = 0.1  # beside a limit; less is nothing


def is_flat_limit(step: Fitted) -> bool:
    """Whether it is a limit that cuts samples flat, of which the gain beside it alone can be undone."""
    return step.id == "clipping" and "high" in step.parameters


def can_be_undone(step: Fitted) -> bool:
    """Whether something of the sound comes back by undoing it."""
    if step.undo is None or step.variance is not None or step.id in GONE:
        return False
    return not is_flat_limit(step) or abs(step.parameters["gain"][0]) >= LEAST_GAIN_DB


def undone(step: Fitted, samples: Floats, pieces: Sequence[Piece], rate: int, native: int) -> Floats:
    """The whole sound with the step undone.

    samples: of the generated sound, at its own rate native, on the reference's clock [shape=(n,)].  pieces: where the
    parts that were laid on the reference lie, in samples at rate, the rate of the comparison; a step that knows places
    was fitted on these, joined.  Where the rates differ, what such a step or a filter changes is resampled, and not the
    sound: what lies above the comparison's range stays as it is.
    """
    assert step.undo is not None
    if step.id in OF_SAMPLES:
        return np.asarray(step.undo(samples))
    low = samples if rate == native else np.asarray(soxr.resample(samples, native, rate))
    change = step.undo(low) - low if step.id in OF_SPECTRA else _change_of_pieces(step, low, pieces)
    if rate != native:
        change = np.asarray(soxr.resample(change, rate, native))
    made = samples.copy()
    length = min(made.size, change.size)
    made[:length] += change[:length]
    return made


def _change_of_pieces(step: Fitted, samples: Floats, pieces: Sequence[Piece]) -> Floats:
    """What undoing changes where the pieces lie; 0 elsewhere [shape=(n,)]."""
    assert step.undo is not None
    ends = max((one.generated + one.length for one in pieces), default=0)
    padded = np.pad(samples, (0, max(ends - samples.size, 0)))
    parts = [slice(one.generated, one.generated + one.length) for one in pieces]
    joined = np.concatenate([padded[part] for part in parts])
    new = step.undo(joined) - joined
    change = np.zeros(padded.size)
    for one, part in zip(pieces, parts, strict=True):
        change[part] = new[one.joined : one.joined + one.length]
    return change[: samples.size]
