"""What is done to one channel is named with the channel; what is done to all is not."""

import numpy as np
import pytest

import diagnose
from diagnose.audio import Audio

RATE = 22050


@pytest.fixture(scope="module")
def wide(melody):
    """The melody on the left, and on the right another tune with some of it."""
    other = np.interp(np.arange(melody.length) * 0.75, np.arange(melody.length), melody.mono)
    return np.float32([melody.mono, 0.5 * other + 0.3 * melody.mono])


def on(channel, change):
    def made(x):
        y = x.copy()
        y[channel] = change(y[channel])
        return y

    return made


def dull(x):
    spectrum = np.fft.rfft(x)
    spectrum[np.fft.rfftfreq(x.size, 1 / RATE) > 2500] = 0
    return np.fft.irfft(spectrum, x.size)


DONE = {
    "late": (lambda x: np.pad(x, (66, 0))[: x.size], "delay"),
    "inverted": (lambda x: -x, "polarity"),
    "louder": (lambda x: 2 * x, "gain"),
    "filtered": (dull, "high-frequency-loss"),
    "clipped": (lambda x: np.clip(x, -0.3 * abs(x).max(), 0.3 * abs(x).max()), "clipping"),
    "silent": (lambda x: 0 * x, "mono-stereo"),
    "biased": (lambda x: x + 0.05, "dc-offset"),
}
BETWEEN = {
    "swapped": (lambda x: x[::-1], "channel-swapped"),
    "both the same": (lambda x: np.stack([x.mean(axis=0)] * 2), "mono-stereo"),
    "sum and difference": (lambda x: np.stack([x.mean(axis=0), (x[0] - x[1]) / 2]), "mono-stereo"),
    "one read": (lambda x: x[1:], "mono-stereo"),
}


def causes(ours, theirs):
    report = diagnose.compare(Audio(np.float32(ours), RATE), Audio(np.float32(theirs), RATE))
    return report, [(cause.id, cause.channel) for cause in report.causes]


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize("name", DONE)
def test_what_is_done_to_one_channel_is_named_with_it(wide, name, channel):
    change, cause = DONE[name]
    report, found = causes(wide, on(channel, change)(wide))
    assert found[0] == (cause, channel + 1)
    assert report.causes[0].confidence >= 0.9
    assert f"channel {channel + 1}" in report.causes[0].summary
    assert report.verdict == "FAIL"
    assert {row.channel for row in report.metrics} <= {None, 1, 2}
    worst = next(row for row in report.worst_first if row.verdict == "FAIL")
    assert worst.channel in (None, channel + 1)


@pytest.mark.parametrize("name", ["inverted", "louder", "filtered", "biased", "clipped"])
def test_what_is_done_to_all_channels_has_no_channel(wide, name):
    change, cause = DONE[name]
    report, found = causes(wide, np.stack([change(x) for x in wide]))
    assert (cause, None) in found
    if name != "clipped":  # which takes more from the one whose peaks are higher
        assert report.channels == ()
        assert {row.channel for row in report.metrics} == {None}


@pytest.mark.parametrize("name", BETWEEN)
def test_what_became_of_the_channels_is_said(wide, name):
    change, cause = BETWEEN[name]
    report, found = causes(wide, change(wide))
    assert found[0][0] == cause
    assert report.verdict in ("WARN", "FAIL")
    assert all(each.holds != each.expected for each in report.channels if each.channel == 1)


def test_a_fault_of_all_channels_and_one_of_a_channel_are_both_named(wide):
    theirs = np.stack([dull(x) for x in wide])
    _, found = causes(wide, on(0, lambda x: 2 * x)(theirs))
    assert ("high-frequency-loss", None) in found


@pytest.mark.parametrize("delay", [0, 700])
def test_exchanged_channels_of_a_late_sound_are_exchanged(wide, delay):
    _, found = causes(wide, np.pad(wide[::-1], ((0, 0), (delay, 0))))
    assert found[0] == ("channel-swapped", None)


def test_three_of_six_that_went_round_are_exchanged(wide, rng):
    six = np.float32([np.roll(wide[index % 2], 3000 * index) * (1 - 0.1 * index) for index in range(6)])
    report, found = causes(six, six[[1, 2, 0, 3, 4, 5]])
    assert found[0] == ("channel-swapped", None)
    assert "1 holds 2" in report.causes[0].summary
    assert causes(six, six)[0].verdict == "PASS"


def test_a_filter_s_own_delay_is_not_the_first_cause(wide):
    late = on(1, lambda x: np.convolve(dull(x), np.ones(9) / 9)[: x.size])
    _, found = causes(wide, late(wide))
    assert found[0] == ("high-frequency-loss", 2)
