"""repaired(): the generated sound with everything undone that brings it nearer to the reference."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import soxr

from diagnose.audio import Audio
from diagnose.repairs import steps
from diagnose.repairs.anew import begun_anew
from diagnose.repairs.channels import Channel, chains_of, channels_of
from diagnose.repairs.distance import Ruler
from diagnose.repairs.words import IN_PART, LEAST_CONFIDENCE, NO_NEARER, why_left
from diagnose.results.repair import LeftUndone, Repair, Undone

if TYPE_CHECKING:
    from diagnose.analysis import Pair
    from diagnose.arrays import Floats
    from diagnose.channelwise import Named
    from diagnose.explain import Fitted
    from diagnose.results.cause import Cause

AS_NEAR_DB = 0.005  # a distance that grows by less does not grow: where silence is cut, the frames lie otherwise
TOGETHER = 2  # steps that may bring the sound nearer only together: of an inverted sound that is late
MOST_CAUSES = 12
DIGITS = 2  # of a distance in dB


class Row(msgspec.Struct, frozen=True, eq=False):
    """A channel on its way: its samples at their own rate, on the reference's clock once they are placed."""

    channel: Channel
    samples: Floats
    placed: bool = False

    def written(self) -> Floats:
        """The channel as it is written [shape=(n,)]."""
        layout = self.channel.layout
        return layout.placed(self.samples) if self.placed and layout is not None else self.samples


Rows = Mapping[int, Row]


class _Step(msgspec.Struct, frozen=True, eq=False):
    """Something to undo.  lost: what stays of it although it is undone."""

    ids: tuple[str, ...]
    summary: str
    undo: Callable[[Rows], Rows]
    lost: tuple[LeftUndone, ...] = ()


class _Bench:
    """A sound whose channels are undone step by step, and what was, and was not."""

    def __init__(self, pair: Pair, chains: Mapping[int, Sequence[Fitted]], longest: int) -> None:
        self.pair = pair
        self.sound = pair.files[1].audio
        channels = channels_of(pair, chains)
        references = {one.number: one.reference for one in channels}
        self.ruler = Ruler(references, pair.rate, max(longest, pair.generated.mono.size))
        samples = self.sound.samples.astype(np.float64)
        self.rows: Rows = {one.number: Row(one, samples[one.number - 1]) for one in channels}
        self.undone: list[Undone] = []
        self.left: list[LeftUndone] = []

    def groups(self) -> list[tuple[int | None, Rows]]:
        """Channels that are undone together: all, under None, or each alone, under its number."""
        if not self.pair.apart:
            return [(None, self.rows)]
        return [(number, {number: row}) for number, row in self.rows.items()]

    def distance_db(self, rows: Rows) -> float:
        return self.distance_of({number: row.written() for number, row in rows.items()}, self.sound.rate)

    def distance_of(self, rows: Mapping[int, Floats], rate: int) -> float:
        """Of channels at their own rate."""
        same = rate == self.ruler.rate
        at_rate = {number: one if same else soxr.resample(one, rate, self.ruler.rate) for number, one in rows.items()}
        return self.ruler.distance_db(at_rate)

    def before_db(self, sound: Audio) -> float:
        """Of a sound as it was before it was read anew; one channel stands for all that there are now."""
        rows = {number: sound.samples[min(number, sound.channels) - 1].astype(np.float64) for number in self.rows}
        return self.distance_of(rows, sound.rate)

    def undo(self, group: Rows, number: int | None, every: Sequence[_Step]) -> None:
        """Each step that brings the channels no farther from the reference, in this order."""
        rows, at, index = group, self.distance_db(group), 0
        while index < len(every):
            found = self._nearer(rows, at, every[index : index + TOGETHER])
            if found is None:
                self.left += [LeftUndone(one, NO_NEARER, number) for one in every[index].ids]
                index += 1
                continue
            some, rows, now = found
            words = "; ".join(step.summary for step in some if step.summary)
            ids = tuple(dict.fromkeys(one for step in some for one in step.ids))
            self.undone.append(Undone(ids, words, round(at, DIGITS), round(now, DIGITS), number))
            self.left += [msgspec.structs.replace(one, channel=number) for step in some for one in step.lost]
            at, index = now, index + len(some)
        self.rows = {**self.rows, **rows}

    def _nearer(self, rows: Rows, at: float, every: Sequence[_Step]) -> tuple[Sequence[_Step], Rows, float] | None:
        """(The first of the steps, or as many as it takes; the channels without them; their distance)."""
        for count in range(1, len(every) + 1):
            rows = every[count - 1].undo(rows)
            now = self.distance_db(rows)
            if now <= at + AS_NEAR_DB:
                return every[:count], rows, now
        return None

    def made(self) -> Audio:
        """All channels as they are now, those that are shorter with silence at their end."""
        rows = [row.written() for row in self.rows.values()]
        longest = max(row.size for row in rows)
        samples = np.stack([np.pad(row, (0, longest - row.size)) for row in rows]).astype(np.float32)
        return Audio(samples, self.sound.rate, "repaired")


def repaired(pair: Pair, named: Named) -> tuple[Repair, Audio | None]:
    """What can be undone of the generated sound of a pair, and the sound that is left; None where nothing was undone.

    It is the whole generated sound, with all its channels, at its own rate: a step that was fitted at the lower rate of
    the reference is carried over, and not the sound resampled.  What was read wrongly is read anew first, a rate that
    it was labelled with among that, then the time is set right, then the chain that explains the sound is undone from
    its end.  A step by which the distance from the reference (distance.Ruler) would grow is not undone.
    named: the causes of the pair, and its chains.
    """
    as_it_was = pair.files[1].audio
    bench = _read_anew(pair)
    # What was said of a sound that was read wrongly is not true of it once it is read aright.
    causes = named.causes if bench is None else ()
    bench = bench or _Bench(pair, named.chains, 0)
    if not bench.ruler.measures:
        return Repair(left_undone=_stays(causes, (), copy=False)), None
    before_db = round(bench.before_db(as_it_was), DIGITS)
    for number, group in bench.groups():
        bench.undo(group, number, _steps_of(group, number, causes, bench))
    copy = any(row.channel.layout is not None for row in bench.rows.values())
    left = tuple(dict.fromkeys(bench.left))
    told = {*(one for each in bench.undone for one in each.ids), *(each.id for each in left)}
    left += _stays(causes, told, copy=copy)
    if not bench.undone:
        return Repair((), left, before_db, before_db), None
    after_db = round(bench.distance_db(bench.rows), DIGITS)
    return Repair(tuple(bench.undone), left, before_db, after_db), bench.made()


def _read_anew(pair: Pair) -> _Bench | None:
    """The sound read aright, or its channels put back; None where that is not to be done, or brings it no nearer."""
    anew, as_it_was = begun_anew(pair), pair.files[1].audio
    if anew is None:
        return None
    bench = _Bench(anew.pair, chains_of(anew.pair), round(as_it_was.duration_s * anew.pair.rate))
    before, now = bench.before_db(as_it_was), bench.distance_db(bench.rows)
    if now > before:
        return None
    bench.undone.append(Undone(anew.ids, anew.summary, round(before, DIGITS), round(now, DIGITS)))
    return bench


def _stays(causes: Sequence[Cause], told: Collection[str], *, copy: bool) -> tuple[LeftUndone, ...]:
    """The causes that nothing was said of yet."""
    return tuple(
        LeftUndone(cause.id, why_left(cause.id, copy=copy), cause.channel)
        for cause in causes[:MOST_CAUSES]
        if cause.confidence >= LEAST_CONFIDENCE and cause.id not in told
    )


def _steps_of(group: Rows, number: int | None, causes: Sequence[Cause], bench: _Bench) -> list[_Step]:
    """What there is to undo on channels that are treated alike: the time, then the chain from its end."""
    first = next(iter(group.values())).channel
    every = []
    if first.layout is not None and not _lies(first, next(iter(group.values())).samples):
        layout = first.layout
        every.append(_Step(layout.ids, layout.summary, _placed, layout.lost))
    for index in reversed(range(len(first.chain))):
        step = first.chain[index]
        own = [cause for cause in causes if cause.step == index + 1 and cause.channel in (None, number)]
        ids = tuple(cause.id for cause in own) or step.ids
        if not steps.can_be_undone(step):
            bench.left += [LeftUndone(one, why_left(one, copy=True), number) for one in ids]
            continue
        lost = [LeftUndone(one, IN_PART[one]) for one in ids if one in IN_PART]
        if steps.is_flat_limit(step):
            lost = [LeftUndone("clipping", why_left("clipping", copy=True))]
            ids = tuple(one for one in ids if one != "clipping") or ("gain",)
        words = "; ".join(cause.summary for cause in own if cause.id in ids)
        every.append(_Step(ids, words, partial(_undone, index=index, bench=bench), tuple(lost)))
    return every


def _lies(channel: Channel, samples: Floats) -> bool:
    """Whether nothing is to be placed: all lies where it belongs."""
    layout = channel.layout
    assert layout is not None
    if layout.clock is not None or len(layout.places) != 1:
        return False
    place = layout.places[0]
    return place.generated == place.reference == 0 and round(place.length) == samples.size


def _placed(rows: Rows) -> Rows:
    return {
        number: msgspec.structs.replace(row, samples=row.channel.layout.on_axis(row.samples), placed=True)
        for number, row in rows.items()
        if row.channel.layout is not None
    }


def _undone(rows: Rows, index: int, bench: _Bench) -> Rows:
    """Every channel with one step of its chain undone."""
    rate, native = bench.pair.rate, bench.sound.rate
    return {
        number: msgspec.structs.replace(
            row, samples=steps.undone(row.channel.chain[index], row.samples, row.channel.pieces, rate, native)
        )
        for number, row in rows.items()
    }
