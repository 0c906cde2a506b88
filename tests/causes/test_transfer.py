"""What became of each band: the step, the gap and the line of filters that are known."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.causes.residual import Residual
from diagnose.causes.transfer import Transfer

RATE = 22050
SIZE = 2 * RATE
HZ = np.fft.rfftfreq(SIZE, 1 / RATE)


@pytest.fixture(params=["copy", "other phases"])
def through(request, pair, rng):
    """through(response): the Transfer of pink noise through a filter, by cross-spectrum and by power."""
    pink = np.fft.rfft(rng.standard_normal(SIZE)) / np.sqrt(np.maximum(HZ, 30.0))

    def make(response):
        ours = np.fft.irfft(pink, SIZE)
        turn = np.exp(2j * np.pi * rng.uniform(size=HZ.size)) if request.param == "other phases" else 1.0
        theirs = np.fft.irfft(pink * turn * response, SIZE)
        scale = 0.1 / ours.std()
        found = pair(scale * ours, scale * theirs)
        return Transfer(found, Residual(found) if request.param == "copy" else None)

    return make


def test_a_gain_is_flat(through):
    found = through(np.full(HZ.size, 0.5))
    assert found.db == pytest.approx(-6.02, abs=0.4)  # phases of its own leave another noise in each band
    assert np.median(found.db) == pytest.approx(-6.02, abs=0.1)
    assert found.flatness_db < 0.2
    assert found.gap is None


@pytest.mark.parametrize("cutoff", [1000.0, 4000.0])
def test_a_low_pass_is_a_step_where_it_is(through, cutoff):
    step = through(np.where(cutoff > HZ, 1.0, 0.01)).step
    assert step.hz == pytest.approx(cutoff, rel=0.09)  # half a sixth of an octave, or a band of the copy's
    assert step.kept_db == pytest.approx(0, abs=0.3)
    assert step.lost_db == pytest.approx(-40, abs=1)
    assert step.uneven_db < 1.5


@pytest.mark.parametrize(("low", "high"), [(800.0, 2000.0), (3000.0, 6000.0)])
def test_a_band_that_is_gone_is_a_gap_between_its_ends(through, low, high):
    gap = through(np.where((low < HZ) & (high > HZ), 0.01, 1.0)).gap
    assert gap.low_hz == pytest.approx(low, rel=0.12)
    assert gap.high_hz == pytest.approx(high, rel=0.12)
    assert gap.depth_db > 25
    assert gap.uneven_db < 1


def test_what_is_gone_up_to_the_top_is_no_gap(through):
    assert through(np.where(HZ < 3000, 1.0, 0.01)).gap is None


@pytest.mark.parametrize("slope", [-6.0, -1.5, 3.0])
def test_a_tilt_is_a_line_of_its_slope(through, slope):
    line = through(10 ** (slope * np.log2(np.maximum(HZ, 30) / 1000) / 20)).line
    assert line.db_per_octave == pytest.approx(slope, abs=0.1)
    assert line.explains > 0.99
    assert 5 < line.octaves < 8.5


def test_a_step_is_no_line(through):
    assert through(np.where(HZ < 4000, 1.0, 0.001)).line.explains < 0.8


def test_a_single_tone_has_too_few_bands_for_a_shape(pair, tone):
    sound = tone(1000, RATE, 1.0, 0.3)
    sound *= np.hanning(sound.size).astype(np.float32)
    found = Transfer(pair(sound, 0.5 * sound), None)
    assert found.db.size < 8
    assert found.gap is None
    assert found.line.db_per_octave == pytest.approx(0, abs=0.1)


def test_where_all_that_is_heard_is_gone_the_faint_tells_what_was_kept(pair, rng, tone):
    ours = tone(200, RATE, 1.0, 0.5) + 1.5e-3 * rng.standard_normal(RATE)
    spectrum = np.fft.rfft(ours)
    spectrum[np.fft.rfftfreq(RATE, 1 / RATE) < 400] *= 1e-4
    found = Transfer(pair(ours, np.fft.irfft(spectrum, RATE)), None)
    assert np.median(found.db) == pytest.approx(0, abs=1)
    assert found.db.min() < -30
