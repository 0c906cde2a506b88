"""What was done to one channel and not to the others: level, delay, polarity, correlation, place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.analysis.channels import usual
from diagnose.metrics.metric import Metric, Unmeasurable, Value

if TYPE_CHECKING:
    from diagnose.analysis import Pair
    from diagnose.analysis.channels import Channels
    from diagnose.metrics.metric import Phrase
    from diagnose.results.report import MetricRow


ONE_R = 1.0 - 5e-5  # r of two channels of one level that differ by -40 dB


def channel_level_db(pair: Pair) -> Value:
    """Level of the channel that stands out most, over its channel of the reference, less that of the others, dB.

    By least squares where the waveform is kept, else by power; -120 where it is silent and the reference's is not.
    The others: their median; of two channels, the one whose level is nearer to the reference's.
    """
    held = [each for each in _several(pair).held if each.power > 0 or not each.in_place]
    return _furthest([(each.level_db, each.channel) for each in held])


def channel_delay_ms(pair: Pair) -> Value:
    """How late the channel that stands out most is, less the delay of the others, ms; < 0 where it is early.

    Each to its own channel of the reference, by waveform.
    """
    channels = _several(pair)
    if not any(each.is_copy for each in channels.held) and not pair.apart:
        raise Unmeasurable("the phases are not the reference's")
    delays = {each.channel: channels.delay + each.lag for each in channels.held if each.is_copy}
    for channel, one in pair.apart.items():  # to a fraction of a sample
        if one.timeline.method == "waveform":
            delays[channel] = one.timeline.delay
    return _furthest([(1000 * samples / pair.rate, channel) for channel, samples in delays.items()])


def inverted_channels(pair: Pair) -> Value:
    """Number of channels whose polarity is not that of most; of two, not the reference's."""
    copies = {each.channel: each.gain < 0 for each in _several(pair).held if each.is_copy}
    if not copies and not pair.apart:
        raise Unmeasurable("the phases are not the reference's")
    for channel, one in pair.apart.items():
        if one.timeline.polarity is not None:
            copies[channel] = one.timeline.polarity < 0
    most = 2 * sum(copies.values()) > len(copies)
    found = [channel for channel, turned in copies.items() if turned != most]
    return Value(float(len(found)), {"channel": found[0]} if found else {})


def channel_correlation(pair: Pair) -> Value:
    """Pearson's r, -1 to 1, between two channels of the generated sound, less that of the reference's.

    Of the two channels that changed most; channels of a mono reference correlate with r = 1.
    """
    channels = _several(pair)
    before = channels.before if len(channels.before) > 1 else np.ones_like(channels.after)
    change = np.triu(channels.after - before, 1)
    first, second = np.unravel_index(int(np.argmax(np.abs(change))), change.shape)
    figures = {"reference_r": float(before[first, second]), "generated_r": float(channels.after[first, second])}
    return Value(float(change[first, second]), {"channel": int(second) + 1, "with": int(first) + 1, **figures})


def misplaced_channels(pair: Pair) -> Value:
    """Number of channels that hold another channel of the reference than their own, or something where that is silent.

    Of one, 1 where it holds a channel in place of the mean.
    """
    found = [each for each in _channels(pair).held if not each.in_place and each.power > 0]
    found = [each for each in found if not isinstance(each.source, str)]
    if not found:
        return Value(0.0)
    source = f"channel {found[0].source} of the reference" if found[0].source else "what is silent in the reference"
    return Value(float(len(found)), {"channel": found[0].channel, "source": source})


def mixed_channels(pair: Pair) -> Value:
    """Number of channels that hold the mean or the difference of the reference's channels, where these differ.

    Channels of the reference that differ by less than -40 dB are one.
    """
    channels = _channels(pair)
    apart = len(channels.before) > 1 and float(channels.before.min()) < ONE_R
    found = [each for each in channels.held if apart and isinstance(each.source, str)]
    return Value(float(len(found)), {"channel": found[0].channel, "source": str(found[0].source)} if found else {})


def _channels(pair: Pair) -> Channels:
    if pair.channels is None:
        counts = [file.audio.channels for file in pair.files]
        if max(counts) == 1:
            raise Unmeasurable("both sounds have one channel")
        raise Unmeasurable(f"{counts[0]} channels cannot be compared with {counts[1]}, channel by channel")
    return pair.channels


def _several(pair: Pair) -> Channels:
    channels = _channels(pair)
    if len(channels.held) < 2:
        raise Unmeasurable("the generated sound has one channel, and no others beside it")
    return channels


def _furthest(values: list[tuple[float, int]]) -> Value:
    if len(values) < 2:
        return Value(0.0)
    base = usual([value for value, _ in values])
    value, channel = max(values, key=lambda each: abs(each[0] - base))
    return Value(value - base, {"channel": channel} if value != base else {})


def _level_phrase(row: MetricRow, change: float) -> str:
    if abs(change) < 0.1:
        return "all channels are as loud as the reference's"
    return f"channel {row.detail['channel']} is {abs(change):.1f} dB too {'loud' if change > 0 else 'quiet'}"


def _delay_phrase(row: MetricRow, change: float) -> str:
    if not change:
        return "all channels at one time"
    return f"channel {row.detail['channel']} is {abs(change):.3g} ms {'late' if change > 0 else 'early'}"


def _correlation_phrase(row: MetricRow, change: float) -> str:
    figures = row.detail
    now, before = figures["generated_r"], figures["reference_r"]
    return f"r between channels {figures['with']} and {figures['channel']}: {now:.2f}, {before:.2f} in the reference"


def _count_phrase(none: str, what: str) -> Phrase:
    def phrase(row: MetricRow, change: float) -> str:
        if not change:
            return none
        said = what.format(channel=row.detail["channel"], source=row.detail.get("source"))
        return said if change == 1 else f"{said}; {change:g} channels in all"

    return phrase


METRICS = (
    Metric(
        "channel_level_db",
        "dB",
        "level of a channel against the others",
        channel_level_db,
        "pair",
        at="whole",
        phrase=_level_phrase,
        later=True,
    ),
    Metric(
        "channel_delay_ms",
        "ms",
        "how late a channel is against the others",
        channel_delay_ms,
        "pair",
        at="whole",
        phrase=_delay_phrase,
        later=True,
    ),
    Metric(
        "inverted_channels",
        "count",
        "channels of another polarity than the others",
        inverted_channels,
        "pair",
        at="whole",
        phrase=_count_phrase("no channel is inverted alone", "channel {channel} is inverted"),
        later=True,
    ),
    Metric(
        "channel_correlation",
        "r",
        "how much two channels have in common",
        channel_correlation,
        "pair",
        at="whole",
        phrase=_correlation_phrase,
        later=True,
    ),
    Metric(
        "misplaced_channels",
        "count",
        "channels in another's place",
        misplaced_channels,
        "pair",
        at="whole",
        phrase=_count_phrase("every channel is in its place", "channel {channel} holds {source}"),
        later=True,
    ),
    Metric(
        "mixed_channels",
        "count",
        "channels that hold a mix of the reference's",
        mixed_channels,
        "pair",
        at="whole",
        phrase=_count_phrase("no channel is a mix", "channel {channel} holds the {source} of the reference's channels"),
        later=True,
    ),
)
