"""Whether the causes that are named account for every edit of the time axis: one of several is half a story.

all_accounted(pair, {"segment-lost"})  # False where a part is also heard again
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    from diagnose.analysis import Pair
    from diagnose.timeline import Segment

SHORTEST_S = 0.02  # of an edit that counts: what a delay or a cut takes to be named
SILENT_DB = -40.0  # to the whole sound
EDITS = ("delay", "truncated", "padded", "segment-lost", "segment-inserted", "segment-repeated")
AT_BORDERS = ("delay", "truncated", "padded", "tail-added")  # these leave all that is matched as it was
# What moves parts about as a whole: it accounts for whatever the script holds.
OF_ALL = (
    "chunk-seams",
    "time-structure-lost",
    "foreign-data",
    "wow",
    "sample-rate",
    "time-stretch",
    "segment-replaced",
)
ADDED_SOUND = ("segment-inserted", "segment-repeated", "tail-added", "reverberation")
# Who accounts for an edit of a kind, at the start of the generated sound, inside it and at its end.
AT_THE_START: dict[str, tuple[str, ...]] = {"lost": ("truncated", "delay"), "inserted": ADDED_SOUND}
INSIDE: dict[str, tuple[str, ...]] = {"lost": ("segment-lost",), "inserted": ("segment-inserted",)}
AT_THE_END: dict[str, tuple[str, ...]] = {"lost": ("truncated", "delay"), "inserted": ADDED_SOUND}
OF_SILENCE = ("delay", "padded")  # and of an inserted silence at either end
REPEATED = ("segment-repeated",)


def all_accounted(pair: Pair, ids: Collection[str]) -> bool:
    """Whether each edit of a copy's script is one that a cause of these makes."""
    steps = pair.timeline.segments
    if pair.timeline.method != "waveform" or any(each in ids for each in OF_ALL):
        return True
    matched = [index for index, step in enumerate(steps) if step.kind == "matched"]
    if not matched:
        return True
    for index, step in enumerate(steps):
        where = AT_THE_START if index < matched[0] else AT_THE_END if index > matched[-1] else INSIDE
        makers = _makers(pair, step, where)
        if makers and not any(each in ids for each in makers):
            return False
    return True


def _makers(pair: Pair, step: Segment, where: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The causes one of which has to be named; () of what is matched, replaced, short, or a silence that was lost."""
    span = step.reference if step.kind == "lost" else step.generated
    if span[1] - span[0] < SHORTEST_S * pair.rate:
        return ()
    if step.kind == "repeated":
        return REPEATED
    silent = step.kind in where and _is_silent(pair, step)
    if silent and step.kind == "lost":
        return ()
    return where.get(step.kind, ()) + (OF_SILENCE if silent and where is not INSIDE else ())


def _is_silent(pair: Pair, step: Segment) -> bool:
    if step.content is not None:
        return step.content == "silence"
    side, span = (pair.reference, step.reference) if step.kind == "lost" else (pair.generated, step.generated)
    part, whole = (float(np.square(each, dtype=np.float64).mean()) for each in (side.mono[slice(*span)], side.mono))
    return part <= 10 ** (SILENT_DB / 10) * whole
