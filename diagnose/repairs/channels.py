"""The channels of a generated sound, each with what it should be, how it lies there, and the chain that explains it."""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - msgspec reads the types
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.analysis.channels import mixed
from diagnose.audio import resample
from diagnose.explain import Fitted, Scene, explain, with_proof
from diagnose.repairs.layout import Layout, layout_of
from diagnose.repairs.steps import OF_SAMPLES, OF_SPECTRA
from diagnose.timeline import Piece, laid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.analysis import Pair
    from diagnose.analysis.channels import Held
    from diagnose.arrays import Floats


class Channel(msgspec.Struct, frozen=True, eq=False):
    """One channel of the generated sound.

    number: from 1.  reference: what it should be, at the rate of the comparison [shape=(n,)].
    layout: how it comes to lie there; None where its waveform is not kept.  pieces: what was laid on each other.
    chain: the steps that explain it, in the order in which they are applied.
    """

    number: int
    reference: Floats
    layout: Layout | None = None
    pieces: tuple[Piece, ...] = ()
    chain: Sequence[Fitted] = ()


def chains_of(pair: Pair) -> Mapping[int, Sequence[Fitted]]:
    """The chains of a pair that was not judged, as Named has them."""
    if not pair.apart:
        return {0: with_proof(pair, ())[2]}
    return {number: with_proof(one, ())[2] for number, one in pair.apart.items()}


def channels_of(pair: Pair, chains: Mapping[int, Sequence[Fitted]]) -> list[Channel]:
    """Every channel of the generated sound: with one layout and one chain for all, or, where they were not treated
    alike, each with its own.
    """
    numbers = range(1, pair.files[1].audio.channels + 1)
    if pair.apart and pair.channels is not None:
        return [_alone(pair, held, chains) for held in pair.channels.held]
    references = [_expected(pair, number) for number in numbers]
    if pair.timeline.method != "waveform":
        return [Channel(number, one) for number, one in zip(numbers, references, strict=True)]
    layout = layout_of(pair.timeline, pair.laid.pieces, pair.rate, pair.files[1].rate)
    chain = chains.get(0, ())
    made = [
        Channel(number, one, layout, pair.laid.pieces, chain) for number, one in zip(numbers, references, strict=True)
    ]
    if len(made) == 1 or all(step.id in (*OF_SAMPLES, *OF_SPECTRA) for step in chain):
        return made
    return [msgspec.structs.replace(one, chain=_fitted_to(one, pair, chain)) for one in made]


def _expected(pair: Pair, number: int) -> Floats:
    """What a channel should be: the reference's of its number, or the mean of all where there are not as many."""
    original = pair.files[0].audio
    if original.channels != pair.files[1].audio.channels:
        return pair.reference.mono.astype(np.float64)
    return resample(mixed(original, number), pair.rate).samples[0].astype(np.float64)


def _fitted_to(channel: Channel, pair: Pair, chain: Sequence[Fitted]) -> Sequence[Fitted]:
    """The chain with the parameters of this channel: samples that wrap are not the same in every one."""
    theirs = resample(mixed(pair.files[1].audio, channel.number), pair.rate).samples[0]
    found = laid(pair.timeline, channel.reference, theirs)
    steps = explain(Scene(found.reference, found.generated, pair.rate), [step.id for step in chain]).steps
    own = [step.fitted for step in steps]
    return own if [step.id for step in own] == [step.id for step in chain] else chain


def _alone(pair: Pair, held: Held, chains: Mapping[int, Sequence[Fitted]]) -> Channel:
    """A channel that is judged alone; of one that is silent, what it should be."""
    if held.source is None or held.power == 0:
        return Channel(held.channel, _expected(pair, held.channel))
    one = pair.apart.get(held.channel) or pair.of_channel(held)
    reference = one.reference.mono.astype(np.float64)
    if one.timeline.method != "waveform":
        return Channel(held.channel, reference)
    layout = layout_of(one.timeline, one.laid.pieces, one.rate, one.files[1].rate)
    return Channel(held.channel, reference, layout, one.laid.pieces, chains.get(held.channel, ()))
