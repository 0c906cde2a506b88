"""A judged pair, and what is said of it channel by channel where its channels were not treated alike."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence  # noqa: TC003 - msgspec reads the types
from typing import TYPE_CHECKING

import msgspec

from diagnose.analysis import Pair  # noqa: TC001 - msgspec reads the types
from diagnose.metrics import METRICS
from diagnose.regions import find_regions
from diagnose.results.cause import Cause  # noqa: TC001
from diagnose.results.proof import Proof  # noqa: TC001
from diagnose.results.region import size
from diagnose.results.report import ChannelFacts, MetricRow
from diagnose.results.verdict import RANK, overall

if TYPE_CHECKING:
    from diagnose.analysis.channels import Held
    from diagnose.explain import Fitted
    from diagnose.results.region import Region
    from diagnose.results.verdict import Verdict

MOST_CAUSES = 12
UNKNOWN = "a waveform of its own"
FILTERS = ("high-frequency-loss", "tilt", "band-gap", "spectral-holes")
A_FILTER, OF_A_FILTER = 0.5, 0.3  # confidence in the filter from which a delay is taken for its, and in the delay then


class Judged(msgspec.Struct, frozen=True, eq=False):
    """A pair with its rows: those of the mix, or, where the channels were not treated alike, each of the worst channel.

    by_channel: then every row of every channel that was measured, by its number from 1; else empty.
    """

    pair: Pair
    rows: Sequence[MetricRow]
    by_channel: Mapping[int, Sequence[MetricRow]] = {}

    @property
    def verdict(self) -> Verdict:
        return overall([row.verdict for row in self.rows])

    @property
    def best_laid(self) -> Pair:
        """The pair whose timeline is reported: the mix's, or that of the channel that lies best."""
        found = [self.pair.apart[channel] for channel in self.by_channel]
        copies = [one for one in found if one.timeline.method == "waveform"]
        return max(copies or found or [self.pair], key=lambda one: abs(one.timeline.correlation))


class Named(msgspec.Struct, frozen=True, eq=False):
    """The causes, most likely first, and what those that are steps of a chain come to: of the channel that differs most
    where the channels were not treated alike.

    chains: of each channel that was judged alone, by its number from 1, else of all, under 0, the steps in the order in
    which they are applied; what has none is not there.
    """

    causes: tuple[Cause, ...] = ()
    proof: Proof | None = None
    chains: Mapping[int, Sequence[Fitted]] = {}


def worst_rows(whole: Mapping[str, MetricRow], by_channel: Mapping[int, Mapping[str, MetricRow]]) -> list[MetricRow]:
    """One row a metric: of the whole where it is defined on all channels, else of the channel where it is worst."""
    rows = []
    for name in METRICS:
        if name in whole:
            rows.append(whole[name])
            continue
        found = [msgspec.structs.replace(of[name], channel=channel) for channel, of in by_channel.items()]
        rows.append(max(found, key=lambda row: (RANK[row.verdict], row.verdict is not None, row.severity)))
    return rows


def find_places(judged: Judged) -> tuple[Region, ...]:
    """Where the failed metrics fail, each on the channel that its row is of."""
    if not judged.by_channel:
        return find_regions(judged.pair, judged.rows)
    found = list(find_regions(judged.pair, [row for row in judged.rows if row.channel is None]))
    for channel, one in judged.pair.apart.items():
        rows = [row for row in judged.rows if row.channel == channel]
        found += [msgspec.structs.replace(region, channel=channel) for region in find_regions(one, rows)]
    return tuple(sorted(found, key=size, reverse=True))


def find_causes(judged: Judged, whatever: bool = False, without: Collection[str] = ()) -> Named:
    """What most likely broke; asked only where something is over a limit: what the limits let pass has no cause.

    whatever: asked whatever the verdict is.  without: ids that the catalogue is asked to do without.
    """
    if judged.verdict not in ("WARN", "FAIL") and not whatever:
        return Named()
    named = _found(judged, whatever, without)
    if named.causes:
        return named
    from diagnose.causes import unknown_cause

    nothing = unknown_cause(judged.rows)
    return named if nothing is None else msgspec.structs.replace(named, causes=(nothing,))


def _found(judged: Judged, whatever: bool, without: Collection[str]) -> Named:
    from diagnose.causes import name_channel_causes, with_broken_samples

    if not judged.by_channel:
        return _named_on(judged.pair, judged.rows, without)
    of_channels = [each for each in name_channel_causes(judged.pair, judged.rows) if each.id not in without]
    found = {(cause.id, cause.channel): cause for cause in of_channels}
    named, proofs = {}, []
    chains: dict[int, Sequence[Fitted]] = {}
    for channel, rows in judged.by_channel.items():
        broken = whatever or overall([row.verdict for row in _own(rows)]) in ("WARN", "FAIL")
        here = _named_on(judged.pair.apart[channel], rows, without) if broken else Named()
        named[channel] = {cause.id: cause for cause in here.causes}
        proofs += [here.proof] if here.proof else []
        chains.update((channel, chain) for chain in here.chains.values())
    for channel, causes_here in named.items():
        for id, cause in causes_here.items():  # noqa: A001 - the contract's word
            key = (id, None if _everywhere(judged, cause, named) else channel)
            if key not in found or found[key].confidence < cause.confidence:
                found[key] = _on(key[1], cause)
    judged_anew = [_unless_of_a_filter(cause, found) for cause in found.values()]
    judged_anew = with_broken_samples(judged_anew, judged.pair, judged.rows)
    causes = tuple(sorted(judged_anew, key=lambda cause: -cause.confidence)[:MOST_CAUSES])
    return Named(causes, max(proofs, key=lambda proof: proof.left.before_db, default=None), chains)


def _named_on(pair: Pair, rows: Sequence[MetricRow], without: Collection[str]) -> Named:
    """What is recognised on a pair, and what undoing proves of it."""
    from diagnose.causes import name_causes

    causes = name_causes(pair, {row.name: row for row in rows}, without)
    from diagnose.explain import with_levels, with_proof

    causes, proof, chain = with_proof(pair, causes, without)
    causes, proof = with_levels(pair, causes, proof, without)
    return Named(causes, proof, {0: chain} if chain else {})


def _everywhere(judged: Judged, cause: Cause, named: Mapping[int, Mapping[str, Cause]]) -> bool:
    """Whether every channel that sounds has this very cause, with the same figures."""
    channels = judged.pair.channels
    if channels is None or len(channels.sounding) > len(named) or len(named) < 2:
        return False
    return all(cause.id in others and others[cause.id].summary == cause.summary for others in named.values())


def _unless_of_a_filter(cause: Cause, found: Mapping[tuple[str, int | None], Cause]) -> Cause:
    """A delay of one channel is less likely a cause of its own where a filter is found there, which delays too."""
    filters = [found[one, cause.channel].confidence for one in FILTERS if (one, cause.channel) in found]
    if cause.id != "delay" or cause.channel is None or max(filters, default=0.0) < A_FILTER:
        return cause
    return msgspec.structs.replace(cause, confidence=OF_A_FILTER)


def _on(channel: int | None, cause: Cause) -> Cause:
    if channel is None:
        return cause
    return msgspec.structs.replace(cause, channel=channel, summary=f"channel {channel}: {cause.summary}")


def channel_facts(judged: Judged) -> tuple[ChannelFacts, ...]:
    """What each channel holds, and what was measured on it; () where all were treated alike, or nothing is wrong."""
    channels = judged.pair.channels
    if channels is None or judged.verdict == "PASS" or judged.pair.unrelated or not channels.differ:
        return ()
    return tuple(_facts(judged, held) for held in channels.held)


def _facts(judged: Judged, held: Held) -> ChannelFacts:
    facts = ChannelFacts(
        held.channel, _holds(held), _named(held.expected), held.level_db if held.source is not None else None
    )
    rows = judged.by_channel.get(held.channel)
    if rows is None:
        return facts
    one = judged.pair.apart[held.channel]
    timeline, laid = one.timeline, one.timeline.method == "waveform"
    return msgspec.structs.replace(
        facts,
        delay_s=timeline.delay / judged.pair.rate if laid else None,
        polarity=timeline.polarity,
        correlation=timeline.correlation if laid else None,
        level_db=20 * math.log10(one.timeline.gain) if laid else facts.level_db,
        verdict=overall([row.verdict for row in _own(rows)]),
        over_limit=tuple(row.name for row in _own(rows) if row.verdict in ("WARN", "FAIL")),
    )


def _holds(held: Held) -> str:
    if held.power == 0:
        return "silence" if not held.in_place else _named(held.expected)
    if held.source is None:
        return "what is silent in the reference"
    return _named(held.source) if held.is_copy else UNKNOWN


def _own(rows: Sequence[MetricRow]) -> list[MetricRow]:
    """The rows that are of the channel alone."""
    return [row for row in rows if row.name not in METRICS or METRICS[row.name].at != "whole"]


def _named(source: int | str) -> str:
    return f"channel {source}" if isinstance(source, int) else source
