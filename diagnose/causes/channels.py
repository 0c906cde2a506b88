"""Causes between the channels: exchanged, made one, silent, late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.causes import nonfinite
from diagnose.causes.evidence import Evidence
from diagnose.results.cause import Cause
from diagnose.text import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.analysis import Pair
    from diagnose.analysis.channels import Held
    from diagnose.results.report import MetricRow

SURE = 0.97  # each rests on a least-squares fit that leaves a fraction of what the channel's own leaves
LEFT_SHOWN = 3  # channels that are listed as evidence


def exchanged(pair: Pair) -> Cause | None:
    """Channels hold each other's content, each that of one other.

    Misleads: channels that differ by less than -40 dB cannot be told from each other.
    """
    moved = [each for each in _held(pair) if not each.in_place and isinstance(each.source, int)]
    if len(moved) < 2 or {each.source for each in moved} != {each.channel for each in moved}:
        return None
    places = ", ".join(f"{each.channel} holds {each.source}" for each in moved)
    return Cause(
        "channel-swapped",
        SURE,
        f"channels are exchanged: {places}",
        _evidence(moved),
        "check the order of the channels where they are split, stacked or written (left first; for 5.1 the order of "
        "the container)",
    )


def made_one(pair: Pair) -> Cause | None:
    """Channels became one: a mix or one of them stands in several, or only one was read.

    Misleads: a mono vocoder behind a stereo reference is meant to be so; then this is a note, not a fault.
    """
    copies = [each for each in _held(pair) if each.is_copy and each.power > 0]
    moved = [each for each in copies if not each.in_place]
    sources = {each.source for each in moved}
    if not moved or exchanged(pair):
        return None
    fix = "pass both channels on, or compare with the mono mix of the reference"
    if len(_held(pair)) == 1:
        summary = f"only {_named(moved[0].source)} of the reference is there"
        fix = "read every channel and mix them (samples.mean(axis=1)), or pass all of them on; look for samples[:, 0]"
    elif sources == {"mean", "difference"}:
        summary = "the channels hold the sum and the difference of the reference's: mid and side were not turned back"
        fix = "left = mid + side, right = mid - side"
    elif len(copies) == len(_held(pair)) and len({each.source for each in copies}) == 1:
        summary = f"all channels hold the same: {_named(moved[0].source)} of the reference's"
    else:
        summary = "; ".join(f"channel {each.channel} holds {_named(each.source)} of the reference's" for each in moved)
    return Cause("mono-stereo", SURE, summary, _evidence(moved), fix, channel=_alone(moved, pair))


def silent(pair: Pair) -> Cause | None:
    """A channel is silent, 60 dB under the loudest, that is not in the reference."""
    found = [each for each in _held(pair) if each.power == 0 and not each.in_place]
    return _by_power(
        pair,
        found,
        "are silent" if len(found) > 1 else "is silent",
        "at least 60 dB under the loudest channel, and not so in the reference",
        "look for a channel index or a mix that drops one side, or a buffer of the wrong channel count",
    )


def filled(pair: Pair) -> Cause | None:
    """A channel sounds that is silent in the reference."""
    return _by_power(
        pair,
        [each for each in _held(pair) if each.power > 0 and each.source is None],
        "should be silent",
        "silent in the reference, at least 60 dB under its loudest channel",
        "look for a mono sound copied into all channels, or an upmix",
    )


def _by_power(pair: Pair, found: Sequence[Held], said: str, evidence: str, fix: str) -> Cause | None:
    """The channels that sound, or not, where they should not, or should; None where there are none."""
    if not found:
        return None
    names = " and ".join(str(each.channel) for each in found)
    summary = f"channel{'s' if len(found) > 1 else ''} {names} of {len(_held(pair))} {said}"
    return Cause("mono-stereo", SURE, summary, (f"{evidence}: channel {names}",), fix, channel=_alone(found, pair))


def late(pair: Pair, row: MetricRow) -> Cause | None:
    """One channel is late or early against the others.

    Misleads: a filter delays what it lets pass, by less than a millisecond; its loss is the cause then.
    """
    if row.verdict not in ("WARN", "FAIL") or row.change is None:
        return None
    rate, seconds, channel = pair.files[1].rate, row.change / 1000, int(row.detail["channel"])
    way = "late" if seconds > 0 else "early"
    return Cause(
        "delay",
        SURE,
        f"channel {channel} is {number(1000 * abs(seconds), 'ms')} {way} against the others",
        (
            f"{abs(seconds) * rate:.1f} samples of the file, by the waveform of each channel against the reference's",
            "mixed to mono, the two cancel where half a period fits in between",
        ),
        "look for a filter, a resampling or a buffer that one channel goes through and the other does not",
        channel=channel,
    )


def name_channel_causes(pair: Pair, rows: Sequence[MetricRow]) -> list[Cause]:
    """What is wrong between the channels of a pair, by what each of them holds and by the metrics of the channels."""
    delay = next(row for row in rows if row.name == "channel_delay_ms")
    asked = (exchanged(pair), silent(pair), filled(pair), made_one(pair), late(pair, delay))
    return [cause for cause in asked if cause]


def with_broken_samples(found: Sequence[Cause], pair: Pair, rows: Sequence[MetricRow]) -> list[Cause]:
    """The causes with `non-finite` before them where samples are no numbers, and what follows from it on its channel
    folded under it.
    """
    evidence = Evidence(pair, {row.name: row for row in rows})
    head = nonfinite.non_finite(evidence) if pair.files[1].audio.broken else None
    if head is None:
        return list(found)
    there = [cause for cause in found if head.channel is None or cause.channel in (None, head.channel)]
    elsewhere = [cause for cause in found if cause not in there]
    head, there = nonfinite.with_what_follows(head, there, evidence)
    return [head, *there, *elsewhere]


def _held(pair: Pair) -> tuple[Held, ...]:
    return pair.channels.held if pair.channels is not None else ()


def _alone(found: Sequence[Held], pair: Pair) -> int | None:
    """The number of the only channel of several that something happened to."""
    return found[0].channel if len(found) == 1 and len(_held(pair)) > 1 else None


def _named(source: int | str | None) -> str:
    return f"channel {source}" if isinstance(source, int) else f"the {source}"


def _evidence(moved: Sequence[Held]) -> tuple[str, ...]:
    return tuple(
        f"channel {each.channel} is {_named(each.source)} of the reference, which leaves {100 * each.left:.2g} % of "
        f"its power over; it should be {_named(each.expected)}"
        for each in moved[:LEFT_SHOWN]
    )
