"""Metrics between channels: closed forms."""

import numpy as np
import pytest

import diagnose
from diagnose.audio import Audio
from diagnose.metrics import METRICS, channels

RATE = 22050
OF_CHANNELS = [metric.name for metric in channels.METRICS]


@pytest.fixture(scope="module")
def stereo(request):
    """Two notes that swell apart, each on its side."""
    time = np.arange(RATE) / RATE
    rng = np.random.default_rng(3)
    sides = []
    for hz in (196.0, 294.0):
        voice = sum(np.sin(2 * np.pi * hz * k * time + k) / k for k in range(1, 9))
        sides.append(0.1 * voice * (1 + 0.5 * np.sin(2 * np.pi * 3 * time + hz)) + 0.002 * rng.standard_normal(RATE))
    mid = sides[0] + sides[1]
    return np.float32([0.6 * sides[0] + 0.3 * mid, 0.6 * sides[1] + 0.3 * mid])


def changes(ours, theirs):
    report = diagnose.compare(Audio(np.float32(ours), RATE), Audio(np.float32(theirs), RATE))
    return {name: report[name].change for name in OF_CHANNELS}, report


def on(channel, change):
    def made(x):
        y = x.copy()
        y[channel] = change(y[channel])
        return y

    return made


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize("factor", [2.0, 0.7])
def test_the_level_is_that_of_the_channel_over_the_other(stereo, channel, factor):
    found, report = changes(stereo, on(channel, lambda x: factor * x)(stereo))
    assert found["channel_level_db"] == pytest.approx(20 * np.log10(factor), abs=0.01)
    assert report["channel_level_db"].detail["channel"] == channel + 1
    assert found["misplaced_channels"] == found["inverted_channels"] == 0


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize("samples", [3, 66])
def test_the_delay_is_that_of_the_channel_over_the_other(stereo, channel, samples):
    found, report = changes(stereo, on(channel, lambda x: np.pad(x, (samples, 0))[: x.size])(stereo))
    assert found["channel_delay_ms"] == pytest.approx(1000 * samples / RATE, abs=0.01)
    assert report["channel_delay_ms"].detail["channel"] == channel + 1


def test_a_delay_of_all_channels_is_none_of_one(stereo):
    found, _ = changes(stereo, np.pad(stereo, ((0, 0), (500, 0))))
    assert found["channel_delay_ms"] == 0.0
    assert found["channel_level_db"] == pytest.approx(0.0, abs=0.01)


def test_an_inverted_channel_is_counted_and_its_correlation_changes_sign(stereo):
    found, report = changes(stereo, on(1, lambda x: -x)(stereo))
    r = float(np.corrcoef(stereo)[0, 1])
    assert found["inverted_channels"] == 1
    assert report["inverted_channels"].detail["channel"] == 2
    assert found["channel_correlation"] == pytest.approx(-2 * r, abs=1e-3)
    assert changes(stereo, -stereo)[0]["inverted_channels"] == 0  # all are


def test_a_silent_channel_is_120_db_down(stereo):
    found, report = changes(stereo, on(0, lambda x: 0 * x)(stereo))
    assert found["channel_level_db"] == pytest.approx(-120.0)
    assert report["channel_level_db"].detail["channel"] == 1


def test_channels_in_another_s_place_are_counted(stereo):
    assert changes(stereo, stereo[::-1])[0]["misplaced_channels"] == 2
    assert changes(stereo, stereo[[0, 0]])[0]["misplaced_channels"] == 1
    assert changes(stereo, stereo[:1])[0]["misplaced_channels"] == 1  # of one, the mean is expected
    assert changes(stereo[:1], stereo[[0, 0]])[0]["misplaced_channels"] == 0
    assert changes(stereo * [[1], [0]], stereo)[0]["misplaced_channels"] == 1  # sounds where the reference is silent


def test_channels_that_hold_a_mix_are_counted(stereo):
    mean, difference = stereo.mean(axis=0), (stereo[0] - stereo[1]) / 2
    assert changes(stereo, [mean, mean])[0]["mixed_channels"] == 2
    assert changes(stereo, [mean, difference])[0]["mixed_channels"] == 2
    assert changes(stereo, [mean])[0]["mixed_channels"] == 1
    assert changes(stereo[[0, 0]], [stereo[0]])[0]["mixed_channels"] == 0  # its channels are one


@pytest.mark.parametrize("counts", [(1, 1), (2, 3), (8, 2)])
def test_where_channels_cannot_be_compared_there_is_a_reason(stereo, counts):
    ours, theirs = (np.repeat(stereo[:1], count, axis=0) for count in counts)
    found, report = changes(ours, theirs)
    assert set(found.values()) == {None}
    assert all("channel" in report[name].reason for name in OF_CHANNELS)


def test_each_phrase_names_the_channel(stereo):
    for name, broken in {
        "channel_level_db": on(1, lambda x: 2 * x),
        "channel_delay_ms": on(1, lambda x: np.roll(x, 40)),
        "inverted_channels": on(1, lambda x: -x),
        "misplaced_channels": lambda x: x[[0, 0]],
    }.items():
        _, report = changes(stereo, broken(stereo))
        row = report[name]
        assert "channel 2" in METRICS[name].phrase(row, row.change)
        assert METRICS[name].phrase(report["channel_level_db"], 0.0) if name == "channel_level_db" else True
