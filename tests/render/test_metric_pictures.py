"""The picture behind each metric: where the curves of known sounds run."""

from __future__ import annotations

import re

import numpy as np
import pytest

import diagnose
from diagnose import example
from diagnose.audio import Audio
from diagnose.metrics import METRICS
from diagnose.render.metric_pictures import HIGH, WIDE, picture_of, plots

RATE = 22050


def points(path):
    return np.array([[float(x), float(y)] for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", path)]).reshape(-1, 2)


def drawn(report):
    return {plot.id: plot for plot in plots(report, report.pair)}


def curves(report, name):
    plot = drawn(report)[name]
    return {kind: points(path) for kind, path in plot.curves}


def test_each_picture_that_a_metric_names_is_drawn(broken):
    assert {metric.picture for metric in METRICS.values()} - {None} == set(drawn(broken))
    assert picture_of("third_octave_1000_db") == "bands"
    assert picture_of("side_share") is None


@pytest.mark.parametrize("kind", ["broken", "same", "silent"])
def test_every_curve_lies_in_its_field(request, kind):
    report = request.getfixturevalue(kind)
    found = drawn(report)
    assert {"bands", "envelope", "levels", "distance"} <= set(found)
    for plot in found.values():
        for _, path in plot.curves:
            assert "nan" not in path
            at = points(path)
            assert np.all((at >= -0.05) & (at <= (WIDE + 0.05, HIGH + 0.05)))
        for share, _ in (*plot.across, *plot.up):
            assert 0 <= share <= 1


def test_of_a_sound_and_itself_the_curves_are_one(same):
    for name in ("bands", "envelope", "levels", "edges"):
        both = curves(same, name)
        assert np.array_equal(both["one"], both["two"]), name
    assert np.all(curves(same, "distance")["two"][:, 1] == HIGH)


def test_a_band_stands_at_its_level(tone):
    loud = Audio(np.stack([tone(1000, RATE, 1.0, 0.5)]), RATE)
    report = diagnose.compare(loud, loud)
    highest = curves(report, "bands")["one"][:, 1].min()
    assert highest == pytest.approx(0, abs=1)  # all the energy in one band: 0 dB is the top
    labels = {label: share for share, label in drawn(report)["bands"].across}
    at = curves(report, "bands")["one"]
    middle = at[at[:, 1] < 2][:, 0].mean() / WIDE
    assert middle == pytest.approx(labels["1 kHz"], abs=0.01)


def test_a_bias_moves_the_hill_of_the_levels():
    quiet = (0.1 * np.random.default_rng(0).standard_normal((1, RATE))).astype(np.float32)
    report = diagnose.compare(Audio(quiet, RATE), Audio(quiet + np.float32(0.5), RATE))
    both = curves(report, "levels")
    top = max(abs(float(value)) for value in (quiet.min(), (quiet + 0.5).max()))
    hills = [(at[at[:, 1].argmin(), 0] / WIDE * 2 - 1) * top for at in (both["one"], both["two"])]
    assert hills == [pytest.approx(0, abs=0.04), pytest.approx(0.5, abs=0.04)]


def test_a_hole_is_a_valley_of_the_envelope_and_a_hill_of_the_distance():
    sound = (0.1 * np.random.default_rng(0).standard_normal((1, 4 * RATE))).astype(np.float32)
    holed = sound.copy()
    holed[:, RATE : 2 * RATE] = 0
    report = diagnose.compare(Audio(sound, RATE), Audio(holed, RATE))
    envelope, distance = curves(report, "envelope")["two"], curves(report, "distance")["two"]
    inside = (envelope[:, 0] > WIDE * 0.27) & (envelope[:, 0] < WIDE * 0.48)
    assert np.all(envelope[inside, 1] > 0.9 * HIGH)
    assert np.all(envelope[envelope[:, 0] > WIDE * 0.52, 1] < 10)
    assert distance[(distance[:, 0] > WIDE * 0.27) & (distance[:, 0] < WIDE * 0.48), 1].max() < 5


def test_a_burst_at_the_end_rises_at_the_end_of_the_edge_profile():
    sound = (0.1 * np.random.default_rng(0).standard_normal((1, RATE))).astype(np.float32)
    burst = sound.copy()
    burst[:, -round(0.02 * RATE) :] *= 10
    both = curves(diagnose.compare(Audio(sound, RATE), Audio(burst, RATE)), "edges")
    x = both["two"][:, 0] / WIDE
    assert both["two"][x > 0.87, 1].max() < both["two"][x < 0.48, 1].min()
    assert np.ptp(both["one"][:, 1]) < 0.2 * HIGH


def test_a_hum_at_the_frame_rate_stands_in_the_middle_of_the_comb(note):
    report = diagnose.compare(note, example.misfed_vocoder(note))
    both = curves(report, "comb")
    assert abs(both["two"][both["two"][:, 1].argmin(), 0] / WIDE - 0.5) < 0.02
    assert f"{report['comb_share'].detail['spacing_hz']:.2f} Hz" in drawn(report)["comb"].says


def test_without_a_comb_there_is_no_such_picture(same):
    assert "comb" not in drawn(same)


def test_a_very_short_pair_has_no_edges():
    short = Audio(np.random.default_rng(0).uniform(-0.5, 0.5, (1, 2000)).astype(np.float32), RATE)
    assert "edges" not in drawn(diagnose.compare(short, short))


def test_a_pitch_stands_at_its_height_and_half_of_it_an_octave_lower(tone):
    sounds = [tone(hz, RATE, 1.0, 0.3) + 0.5 * tone(2 * hz, RATE, 1.0, 0.3) for hz in (440, 220)]
    both = curves(diagnose.compare(sounds[0], sounds[1], rate=RATE), "pitch")
    octave = HIGH / np.log2(2000 / 60)
    for kind, hz in (("one", 440), ("two", 220)):
        assert np.median(both[kind][:, 1]) == pytest.approx(HIGH - octave * np.log2(hz / 60), abs=0.3)
        assert len(both[kind]) > 15


def test_noise_has_no_pitch_to_draw(rng):
    noise = [(0.1 * rng.standard_normal(RATE)).astype(np.float32) for _ in range(2)]
    found = drawn(diagnose.compare(*noise, rate=RATE))
    assert "pitch" not in found or all(len(path) < 400 for _, path in found["pitch"].curves)


def test_a_metric_without_a_picture_is_known():
    from diagnose.metrics import channels, timing
    from diagnose.profile import default_profile

    without = {name for name in default_profile() if picture_of(name) is None}
    of_timing = {metric.name for metric in (*timing.METRICS, *channels.METRICS)} - {"delay_s"}
    assert without == {"log_mel_spread_nats", "side_share", "waveform_correlation"} | of_timing
