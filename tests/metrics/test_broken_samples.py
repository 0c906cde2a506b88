"""Shares of samples that are no numbers, and of those stuck at full scale, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis import Signal
from diagnose.audio import from_array
from diagnose.metrics import METRICS
from diagnose.metrics.broken import nonfinite_share, stuck_share
from diagnose.render.phrases import meaning
from diagnose.results.report import LimitLevels, MetricRow

RATE = 8000


def signal(samples, rate=RATE):
    return Signal(from_array(np.asarray(samples, np.float32), rate, mend=True))


def tones(channels=2, size=4000):
    return 0.3 * np.sin(np.outer(np.arange(1, channels + 1), np.arange(size)) / 9)


def said(name, found):
    value = found.value
    row = MetricRow(name, "share", 0.0, value, value, None, 0.0, LimitLevels(), detail=found.detail)
    return meaning(row)


def test_a_finite_sound_has_no_share_and_no_detail():
    for function in (nonfinite_share, stuck_share):
        found = function(signal(tones()))
        assert (found.value, found.detail) == (0.0, {})
    assert said("nonfinite_share", nonfinite_share(signal(tones()))) == "every sample is finite"
    assert said("stuck_share", stuck_share(signal(tones()))) == "no sample is stuck at full scale"


def test_the_share_is_of_all_samples_of_all_channels():
    samples = tones()
    samples[1, 800] = np.nan
    samples[1, 1600:1697] = np.inf
    found = nonfinite_share(signal(samples))
    assert found.value == 98 / 8000
    assert found.detail == {"count": 98, "first_s": 0.1, "start_s": 0.2, "end_s": 1697 / RATE, "channels": "2"}
    assert said("nonfinite_share", found) == "98 samples (1.23 %) are NaN or infinite, the first at 0.100 s"


def test_one_sample_is_one_sample_in_every_channel():
    samples = tones(3)
    samples[1, 800] = -np.inf
    found = nonfinite_share(signal(samples))
    assert found.value == 1 / 12000
    assert said("nonfinite_share", found) == "1 sample is NaN or infinite, the first at 0.100 s"
    samples[:, 0] = np.nan
    assert nonfinite_share(signal(samples)).detail["channels"] == "1, 2, 3"


def test_the_worst_channel_gives_the_share_that_is_stuck():
    samples = tones()
    samples[0, 800:880] = 1.0
    samples[1, 400:440] = samples[1, 2000:2100] = -1.0
    found = stuck_share(signal(samples))
    assert found.value == 140 / 4000
    assert found.detail == {
        "first_s": 0.05,
        "start_s": 0.25,
        "end_s": 0.2625,
        "value": -1.0,
        "channel": 2,
    }
    assert said("stuck_share", found) == "3.5 % of the samples are stuck at -1, from 0.050 s, up to 12.5 ms"


@pytest.mark.parametrize(("name", "at"), [("nonfinite_share", "whole"), ("stuck_share", "file")])
def test_both_are_read_from_the_file_and_are_news_to_old_goldens(name, at):
    assert (METRICS[name].at, METRICS[name].later, METRICS[name].version) == (at, True, 1)
