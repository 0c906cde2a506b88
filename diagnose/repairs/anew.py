"""Beginning anew: a sound that was read wrongly, or whose channels are exchanged, as it is once that is put right."""

from __future__ import annotations

import msgspec
import numpy as np

from diagnose.analysis import Pair, Signal, pair_of
from diagnose.audio import Audio
from diagnose.causes import right_reading

A_GOOD_COPY = 0.9  # |r|; bytes of eight bits that were taken for signed ones are a copy too, of 0.4
ANOTHER_RATE = 0.02  # by which the quotient of the lengths is off: less than that of any two rates in use that are near


class Anew(msgspec.Struct, frozen=True, eq=False):
    """The pair with the generated sound put right, and the causes of which that is the cure."""

    pair: Pair
    ids: tuple[str, ...]
    summary: str


def begun_anew(pair: Pair) -> Anew | None:
    """The pair of the sound read in the way in which it is a copy, or with its channels put back; None where it needs
    neither.
    """
    if pair.silent or pair.files[1].audio.broken is not None:
        return None
    order = _order(pair)
    if order is not None:
        sound = pair.files[1].audio
        put_back = Audio(np.ascontiguousarray(sound.samples[order]), sound.rate, sound.name)
        said = f"channels {', '.join(str(one + 1) for one in order)} are put in this order"
        return Anew(_with(pair, put_back), ("channel-swapped",), said)
    if not _may_be_misread(pair):
        return None
    found = right_reading(pair)
    if found is None or abs(found.correlation) <= _laid_so_far(pair):
        return None
    return Anew(_with(pair, found.anew(pair.files[1].audio)), (found.reading.cause,), found.reading.what)


def _may_be_misread(pair: Pair) -> bool:
    """Whether it is no good copy as it is; of a steady tone any rate gives one, but another length."""
    ratio = pair.files[1].audio.duration_s / pair.files[0].audio.duration_s
    return _laid_so_far(pair) < A_GOOD_COPY or abs(ratio - 1) > ANOTHER_RATE


def _laid_so_far(pair: Pair) -> float:
    """|r| of the copy that it is as it is, of the channel that is the best; 0 where it is none."""
    timelines = [one.timeline for one in (pair, *pair.apart.values())]
    return max((abs(one.correlation) for one in timelines if one.method == "waveform"), default=0.0)


def _with(pair: Pair, sound: Audio) -> Pair:
    return pair_of((pair.files[0], Signal(sound)))


def _order(pair: Pair) -> list[int] | None:
    """Which generated channel, from 0, belongs in each place, where every channel is a copy of another's."""
    channels = pair.channels
    if channels is None or not pair.apart or pair.files[0].audio.channels != pair.files[1].audio.channels:
        return None
    sources = [held.source if held.is_copy else None for held in channels.held]
    if sorted(map(str, sources)) != sorted(str(held.channel) for held in channels.held):
        return None
    order = [sources.index(held.channel) for held in channels.held]
    return None if order == sorted(order) else order
