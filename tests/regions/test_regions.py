"""Where a failed metric fails: faults put at known times and frequencies, and boxes that are valid whatever comes."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import diagnose
from diagnose import example
from diagnose.analysis import Pair, Signal
from diagnose.audio import Audio
from diagnose.metrics import METRICS
from diagnose.regions import find_regions
from diagnose.regions.connect import connected
from diagnose.regions.find import FINDERS
from diagnose.regions.plane import MOST_COLUMNS, difference_plane, span, stretches
from diagnose.results.region import Region, size
from diagnose.results.report import LimitLevels, MetricRow
from diagnose.timeline import Timeline

RATE = 22050
SECONDS = 1.5
DISTANCES = (
    "log_spectral_distance_db",
    "worst_second_distance_db",
    "spectral_convergence",
    "mel_cepstral_distortion_db",
)
EVERYWHERE_OR_NOT = ["duration_s", "rms_ratio", "delay_s", "f0_deviation_cents", "hnr_db", "loudness_lufs"]


def pair_of(reference, generated, rate=RATE):
    return Pair(*(Signal(Audio(np.asarray(x, np.float32)[None], rate)) for x in (reference, generated)))


def failed(name, change=1.0, fail=0.0, detail=None, reference=None, generated=None):
    """A row whose metric failed."""
    limit = LimitLevels(None, fail)
    unit = METRICS[name].unit
    return MetricRow(name, unit, reference, generated, change, "FAIL", 1.0, limit, detail=detail or {})


def found(reference, generated, name, rate=RATE, **figures):
    return find_regions(pair_of(reference, generated, rate), [failed(name, **figures)])


def of(report, name):
    return [region for region in report.regions if region.metric == name]


def noise(rng, length, low, high, level):
    """Noise between low and high Hz, at an RMS."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    hz = np.fft.rfftfreq(length, 1 / RATE)
    spectrum[(hz < low) | (hz > high)] = 0
    samples = np.fft.irfft(spectrum, length)
    return level * samples / samples.std()


@pytest.fixture(scope="module")
def note():
    return example.bowed_string(seconds=SECONDS, rate=RATE).mono


@pytest.fixture
def burst(note, rng):
    """The note with 50 ms of noise from 2 to 3 kHz at 0.5 s."""
    sound = note.astype(float)
    first, length = round(0.5 * RATE), round(0.05 * RATE)
    sound[first : first + length] += noise(rng, length, 2000, 3000, 0.5)
    return sound


# Distances


@pytest.mark.parametrize("metric", DISTANCES)
def test_a_burst_is_boxed_in_time_and_frequency(note, burst, metric):
    box, *others = found(note, burst, metric)
    assert box.start_s == pytest.approx(0.5, abs=0.03)
    assert box.end_s == pytest.approx(0.55, abs=0.03)
    assert box.end_s - box.start_s < 0.1
    assert (box.low_hz, box.high_hz) == (pytest.approx(2000, abs=300), pytest.approx(3000, abs=300))
    assert 15 < box.excess_db < 60
    assert all(size(other) < 0.5 * size(box) for other in others)


@pytest.mark.parametrize("delay", [0.25, -0.2])
def test_a_delay_does_not_move_a_box(note, burst, delay):
    shift = round(delay * RATE)
    moved = np.concatenate([np.zeros(shift), burst]) if shift > 0 else burst[-shift:]
    still, *_ = found(note, burst, "log_spectral_distance_db")
    box, *_ = found(note, moved, "log_spectral_distance_db")
    assert (box.start_s, box.end_s) == (pytest.approx(still.start_s, abs=0.03), pytest.approx(still.end_s, abs=0.03))
    assert (box.low_hz, box.high_hz) == (pytest.approx(still.low_hz, abs=200), pytest.approx(still.high_hz, abs=200))


@pytest.mark.parametrize("gain", [0.01, 3.0])
def test_neither_gain_nor_bias_makes_or_moves_a_box(note, burst, gain):
    box, *_ = found(note, burst, "log_spectral_distance_db")
    other, *_ = found(note, gain * burst + 0.2, "log_spectral_distance_db")
    assert msgspec.structs.astuple(other)[1:-1] == pytest.approx(msgspec.structs.astuple(box)[1:-1], rel=0.05, abs=0.03)
    assert found(note, gain * note + 0.2, "log_spectral_distance_db") == ()


def test_what_is_added_and_what_is_lost_are_two_boxes(note, burst):
    lost = burst.copy()
    lost[round(1.0 * RATE) : round(1.2 * RATE)] = 0
    boxes = found(note, lost, "log_spectral_distance_db")
    assert sorted(np.sign([box.excess_db for box in boxes[:2]])) == [-1, 1]
    gone = next(box for box in boxes if box.excess_db < 0)
    assert (gone.start_s, gone.end_s) == (pytest.approx(1.0, abs=0.03), pytest.approx(1.2, abs=0.03))


def test_the_worst_second_is_looked_at_alone(note, burst, rng):
    burst[round(1.3 * RATE) :] += noise(rng, burst.size - round(1.3 * RATE), 5000, 8000, 0.5)
    everywhere = found(note, burst, "log_spectral_distance_db")
    second = found(note, burst, "worst_second_distance_db", detail={"start_s": 0.1, "end_s": 1.1})
    assert max(box.end_s for box in everywhere) > 1.4
    assert max(box.end_s for box in second) < 1.1


def test_mel_cepstra_see_nothing_above_8_khz(note, rng):
    fade = np.sin(np.pi * np.arange(note.size) / note.size) ** 2  # a sudden start would be heard at all frequencies
    hissing = note + fade * noise(rng, note.size, 8500, 10500, 0.3)
    assert found(note, hissing, "mel_cepstral_distortion_db") == ()
    box, *_ = found(note, hissing, "log_spectral_distance_db")
    assert (box.low_hz, box.high_hz) == (pytest.approx(8500, abs=300), pytest.approx(10500, abs=300))
    assert (box.start_s, box.end_s) == (pytest.approx(0, abs=0.2), pytest.approx(SECONDS, abs=0.2))


def test_two_takes_of_one_noise_have_no_place(rng):
    takes = rng.standard_normal((2, 2 * RATE)) * 0.1
    boxes = found(*takes, "log_spectral_distance_db")
    assert all((box.end_s - box.start_s) < 0.15 and box.high_hz < 1000 for box in boxes)


# Bands and shape


def filtered(samples, keep):
    spectrum = np.fft.rfft(samples)
    return np.fft.irfft(np.where(keep(np.fft.rfftfreq(samples.size, 1 / RATE)), spectrum, 0), samples.size)


def test_a_band_gap_is_boxed_by_its_third_octave(note):
    report = diagnose.compare(note, filtered(note, lambda hz: (hz < 1000) | (hz > 2000)), rate=RATE)
    (box,) = of(report, "band_deficit_db")
    detail = report["band_deficit_db"].detail
    assert (box.low_hz, box.high_hz) == (detail["low_hz"], detail["high_hz"])
    assert 950 < box.low_hz < box.high_hz < 2100
    assert (box.start_s, box.end_s) == (pytest.approx(0, abs=0.1), pytest.approx(SECONDS, abs=0.1))
    assert box.excess_db < -40


def test_a_band_that_is_gone_for_a_while_is_boxed_for_that_while(note):
    gap = filtered(note, lambda hz: (hz < 1000) | (hz > 4200))
    first, last = round(0.4 * RATE), round(0.9 * RATE)
    sound = np.concatenate([note[:first], gap[first:last], note[last:]])
    (box,) = found(note, sound, "band_1024_4096_db", change=-6.0, fail=5.0)
    assert (box.low_hz, box.high_hz) == (1024, 4096)
    assert (box.start_s, box.end_s) == (pytest.approx(0.4, abs=0.03), pytest.approx(0.9, abs=0.03))
    assert box.excess_db < -20


def test_a_share_that_fell_because_another_grew_has_no_box(note, rng):
    hissing = note + noise(rng, note.size, 5000, 7000, 0.5)
    assert found(note, hissing, "band_0_1024_db", change=-10.0, fail=5.0) == ()
    (box,) = found(note, hissing, "band_4096_8192_db", change=10.0, fail=6.0)
    assert (box.low_hz, box.high_hz) == (4096, 8192)
    assert box.excess_db > 20


@pytest.mark.parametrize("metric", ["spectral_centroid_hz", "spectral_bandwidth_hz", "rolloff85_hz", "rolloff95_hz"])
def test_a_low_pass_is_boxed_above_its_corner_all_the_time(note, metric):
    report = diagnose.compare(note, filtered(note, lambda hz: hz < 4000), rate=RATE)
    assert report[metric].verdict == "FAIL"
    (box,) = of(report, metric)
    assert box.low_hz == pytest.approx(4000, abs=150)
    assert box.high_hz > 9000
    assert (box.start_s, box.end_s) == (pytest.approx(0, abs=0.1), pytest.approx(SECONDS, abs=0.1))
    assert box.excess_db < -30


def test_a_cut_off_is_boxed_between_both(note):
    report = diagnose.compare(note, filtered(note, lambda hz: hz < 4000), rate=RATE)
    (box,) = of(report, "cutoff_hz")
    figures = report["cutoff_hz"]
    assert (box.low_hz, box.high_hz) == (figures.generated, figures.reference)
    assert box.excess_db < -30


@pytest.mark.parametrize("metric", ["spectral_centroid_hz", "spectral_flatness"])
def test_a_hiss_is_boxed_while_it_lasts(note, rng, metric):
    sound = note.astype(float)
    first, last = round(0.6 * RATE), round(1.0 * RATE)
    sound[first:last] += noise(rng, last - first, 4000, 9000, 0.1)
    level = {"spectral_centroid_hz": 400.0, "spectral_flatness": 0.002}[metric]
    box, *others = found(note, sound, metric, change=level, fail=level)
    assert (box.start_s, box.end_s) == (pytest.approx(0.6, abs=0.06), pytest.approx(1.0, abs=0.06))
    assert (box.low_hz, box.high_hz) == (pytest.approx(4100, abs=300), pytest.approx(8900, abs=300))
    assert box.excess_db > 15
    assert others == []


# Edges, clicks, what is gone


@pytest.mark.parametrize(("side", "start"), [("left", 0.0), ("right", SECONDS - 0.02)])
def test_a_burst_at_an_edge_is_boxed_there(note, rng, side, start):
    sound = note.astype(float)
    sound[slice(None, 441) if side == "left" else slice(-441, None)] += noise(rng, 441, 1000, 4000, 0.4)
    report = diagnose.compare(note, sound, rate=RATE)
    (box,) = of(report, f"edge_{side}_db")
    assert (box.start_s, box.end_s) == (pytest.approx(start, abs=1e-4), pytest.approx(start + 0.02, abs=1e-4))
    assert (box.low_hz, box.high_hz) == (pytest.approx(1000, abs=300), pytest.approx(4000, abs=300))
    assert box.excess_db > 20


def test_an_edge_that_lies_before_the_reference_is_moved_to_its_border(note, rng):
    late = np.concatenate([np.zeros(RATE // 4), note])
    late[:441] += noise(rng, 441, 1000, 4000, 0.4)
    (box,) = of(diagnose.compare(note, late, rate=RATE), "edge_left_db")
    assert (box.start_s, box.end_s) == (0.0, pytest.approx(0.02))


@pytest.mark.parametrize("delay", [0, 3000, -2000])
def test_clicks_are_boxed_one_by_one_at_their_times(note, delay):
    sound = note.copy()
    times = (0.3, 0.7, 1.1, 1.3)
    for at, height in zip(times, (0.3, 0.5, 0.4, 0.6), strict=True):
        sound[round(at * RATE)] += height
    moved = np.concatenate([np.zeros(delay), sound]) if delay >= 0 else sound[-delay:]
    boxes = of(diagnose.compare(note, moved, rate=RATE), "clicks_per_s")
    assert sorted(box.start_s for box in boxes) == pytest.approx([at - 0.005 for at in times], abs=1e-3)
    assert {(box.low_hz, box.high_hz) for box in boxes} == {(0.0, RATE / 2)}
    assert all(box.end_s - box.start_s == pytest.approx(0.01) and box.excess_db > 3 for box in boxes)


def test_a_click_of_the_reference_is_no_fault(note):
    ours, theirs = note.copy(), note.copy()
    for sound, times in ((ours, [0.4]), (theirs, [0.4, 0.8])):
        for at in times:
            sound[round(at * RATE)] += 0.5
    (box,) = found(ours, theirs, "clicks_per_s")
    assert (box.start_s + box.end_s) / 2 == pytest.approx(0.8, abs=1e-3)


@pytest.mark.parametrize("delay", [0, 2205, -2205])
def test_a_stretch_that_is_gone_is_boxed(note, delay):
    sound = note.copy()
    sound[round(0.6 * RATE) : round(0.8 * RATE)] = 0
    moved = np.concatenate([np.zeros(delay), sound]) if delay >= 0 else sound[-delay:]
    (box,) = of(diagnose.compare(note, moved, rate=RATE), "missing_share")
    assert (box.start_s, box.end_s) == (pytest.approx(0.6, abs=0.015), pytest.approx(0.8, abs=0.015))
    assert (box.low_hz, box.high_hz) == (0.0, RATE / 2)
    assert -80 <= box.excess_db < -40


@pytest.mark.parametrize("delay", [0, 2205, -2205])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1])
def test_a_stretch_that_is_no_sound_is_boxed(note, delay, value):
    name = "stuck_share" if value == 1 else "nonfinite_share"
    sound = note.copy()
    sound[round(0.6 * RATE) : round(0.65 * RATE)] = value
    moved = np.concatenate([np.zeros(delay), sound]) if delay >= 0 else sound[-delay:]
    (box,) = of(diagnose.compare(note, moved, rate=RATE), name)
    assert (box.start_s, box.end_s) == (pytest.approx(0.6, abs=1e-3), pytest.approx(0.65, abs=1e-3))
    assert (box.low_hz, box.high_hz) == (0.0, RATE / 2)
    ours = np.square(note[round(0.6 * RATE) : round(0.65 * RATE)]).mean()
    level = 10 * math.log10(1 / ours) if value == 1 else 10 * math.log10(1e-8 * note.var() / ours)
    assert box.excess_db == pytest.approx(level, abs=0.5)


def test_one_sample_that_is_no_number_has_a_box_that_can_be_seen(note):
    sound = note.copy()
    sound[[0, RATE // 2, -1]] = np.nan
    boxes = sorted(of(diagnose.compare(note, sound, rate=RATE), "nonfinite_share"), key=lambda box: box.start_s)
    assert [(box.start_s, box.end_s) for box in boxes] == [
        (0.0, pytest.approx(0.005, abs=1e-4)),
        (pytest.approx(0.495, abs=1e-4), pytest.approx(0.505, abs=1e-4)),
        (pytest.approx(SECONDS - 0.005, abs=1e-4), SECONDS),
    ]
    assert all(math.isfinite(box.excess_db) for box in boxes)


def test_a_sound_of_nan_alone_is_boxed_whole(note):
    (box,) = of(diagnose.compare(note, np.full(note.size, np.nan), rate=RATE), "nonfinite_share")
    assert (box.start_s, box.end_s) == (0.0, SECONDS)
    assert math.isfinite(box.excess_db)


def test_a_hum_at_the_frame_rate_is_everywhere(note):
    report = diagnose.compare(note, example.misfed_vocoder(Audio(note[None], RATE)).mono, rate=RATE)
    (box,) = of(report, "comb_share")
    assert (box.start_s, box.end_s) == (0.0, SECONDS)
    assert (box.low_hz, box.high_hz) == (pytest.approx(RATE / 256), 8000)
    shares = report["comb_share"]
    assert box.excess_db == pytest.approx(10 * math.log10(shares.generated / max(shares.reference, 1e-3)))


# What holds for all


def test_a_pass_has_no_regions(note):
    assert diagnose.compare(note, note, rate=RATE).regions == ()


@pytest.mark.parametrize("verdict", ["PASS", "WARN", None])
def test_only_a_failure_has_a_place(note, burst, verdict):
    row = msgspec.structs.replace(failed("log_spectral_distance_db"), verdict=verdict)
    assert find_regions(pair_of(note, burst), [row]) == ()


@pytest.mark.parametrize("metric", EVERYWHERE_OR_NOT)
def test_what_is_of_the_whole_sound_has_no_place(note, burst, metric):
    assert found(note, burst, metric) == ()


def test_the_largest_comes_first_and_a_metric_has_8_at_most(note, rng):
    sound = note.astype(float)
    for index in range(12):
        first = round((0.05 + 0.12 * index) * RATE)
        sound[first : first + 600] += noise(rng, 600, 3000, 6000, 0.3)
        sound[first + 100] += 1.0
    boxes = find_regions(pair_of(note, sound), [failed(name) for name in (*DISTANCES, "clicks_per_s")])
    sizes = [size(box) for box in boxes]
    assert sizes == sorted(sizes, reverse=True)
    names = [box.metric for box in boxes]
    assert max(names.count(name) for name in names) <= 8


def test_size_is_seconds_times_mel_times_decibels():
    # Slaney: 66.7 Hz a mel up to 1 kHz, and 27 mel from there to 6.4 kHz
    assert size(Region("x", 1.0, 1.5, 200.0, 400.0, -10.0)) == pytest.approx(0.5 * 3 * 10)
    assert size(Region("x", 0.0, 2.0, 1000.0, 6400.0, 5.0)) == pytest.approx(2 * 27 * 5)


def test_the_real_pair_hums_above_the_bow(data):
    report = diagnose.compare(data / "violin.wav", data / "generated_bigvgan-2.wav")
    first = report.regions[0]
    assert first.metric == "log_spectral_distance_db"
    assert first.excess_db > 30
    assert first.end_s - first.start_s > 0.5
    assert_valid(report)


def assert_valid(report):
    end, nyquist = report.pair.reference.mono.size / report.pair.rate, report.pair.rate / 2
    failing = {row.name for row in report.metrics if row.verdict == "FAIL"}
    for box in report.regions:
        assert box.metric in failing
        assert 0 <= box.start_s < box.end_s <= end
        assert 0 <= box.low_hz < box.high_hz <= nyquist
        assert math.isfinite(box.excess_db)
        assert all(type(value) is float for value in msgspec.structs.astuple(box)[1:-1])
    sizes = [size(box) for box in report.regions]
    assert sizes == sorted(sizes, reverse=True)


def odd_sound(kind, length, rng, level):
    """Sounds of few surprises each."""
    made = {
        "silence": np.zeros(length),
        "noise": rng.standard_normal(length),
        "tone": np.sin(2 * np.pi * 0.05 * np.arange(length)),
        "clicks": (np.arange(length) % 997 == 500).astype(float),
        "hole": rng.standard_normal(length) * (np.arange(length) > length // 2),
        "constant": np.ones(length),
    }[kind]
    return (level * made).astype(np.float32)


KINDS = ["silence", "noise", "tone", "clicks", "hole", "constant"]


@settings(max_examples=settings.default.max_examples * 3 // 5)
@given(
    rate=st.sampled_from([2000, 8000, 22050, 48000, 384_000]),
    kinds=st.tuples(st.sampled_from(["noise", "tone", "clicks", "hole"]), st.sampled_from(KINDS)),
    lengths=st.tuples(st.integers(20, 1500), st.integers(20, 1500)),
    levels=st.tuples(st.sampled_from([1e-6, 0.1, 1.0]), st.sampled_from([1e-6, 0.1, 30.0])),
    seed=st.integers(0, 99),
)
def test_every_box_is_valid_whatever_is_compared(rate, kinds, lengths, levels, seed):
    rng = np.random.default_rng(seed)
    sounds = [
        odd_sound(kind, max(milliseconds * rate // 1000, 1 + rate // 50), rng, level)
        for kind, milliseconds, level in zip(kinds, lengths, levels, strict=True)
    ]
    assume(np.ptp(sounds[0]) > 0)
    assert_valid(diagnose.compare(*sounds, rate=rate))


@settings(max_examples=settings.default.max_examples * 2 // 5)
@given(
    kinds=st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)),
    lengths=st.tuples(st.integers(441, 9000), st.integers(441, 9000)),
    seed=st.integers(0, 99),
    change=st.sampled_from([-3.0, 0.0, 3.0, None]),
)
def test_rows_that_fit_no_sound_raise_nothing(kinds, lengths, seed, change):
    rng = np.random.default_rng(seed)
    pair = pair_of(*(odd_sound(kind, length, rng, 0.1) for kind, length in zip(kinds, lengths, strict=True)))
    for box in find_regions(pair, [failed(name, change) for name in METRICS]):
        assert 0 <= box.start_s < box.end_s <= lengths[0] / RATE
        assert 0 <= box.low_hz < box.high_hz <= RATE / 2


def test_sounds_that_do_not_overlap_have_no_place(note, burst):
    pair = pair_of(note, burst)
    pair.__dict__["timeline"] = Timeline(delay=10 * RATE, method="waveform")
    assert find_regions(pair, [failed(name) for name in METRICS]) == ()


# The parts


@pytest.mark.parametrize("seconds", [0.02, 1.0, 70.0])
def test_the_plane_is_no_wider_than_1000_columns_and_covers_the_sound(seconds, rng):
    rate = 8000
    samples = rng.standard_normal(round(seconds * rate)) * 0.1
    plane = difference_plane(pair_of(samples, samples, rate))
    assert plane.difference.shape == (plane.seconds.size - 1, plane.hz.size - 1)
    assert len(plane.difference) <= MOST_COLUMNS
    assert (plane.seconds[0], plane.seconds[-1]) == (0, pytest.approx(seconds))
    assert (plane.hz[0], plane.hz[-1]) == (0, rate / 2)
    assert (np.diff(plane.seconds) > 0).all()
    assert (np.diff(plane.hz) > 0).all()
    assert not plane.difference.any()


def test_the_plane_places_a_tone_in_its_band_and_its_time(tone):
    reference = 0.001 * np.random.default_rng(0).standard_normal(2 * RATE)
    sound = reference.copy()
    sound[RATE : RATE + RATE // 2] += tone(3000, RATE, 0.5, 0.5)
    pair = pair_of(reference, sound)
    plane = difference_plane(pair)
    column, band = np.unravel_index(plane.difference.argmax(), plane.difference.shape)
    assert 1.0 <= plane.seconds[column] < plane.seconds[column + 1] <= 1.5
    assert plane.hz[band] <= 3000 <= plane.hz[band + 1]


def test_connected_areas_are_those_of_an_independent_search(rng):
    for density in (0.2, 0.5, 0.6):
        mask = rng.random((2, 25, 30)) < density
        labels = connected(mask)
        assert np.array_equal(labels > 0, mask)
        assert partition(labels) == flooded(mask)


def partition(labels):
    """The areas as sets of cells."""
    return {frozenset(map(tuple, np.argwhere(labels == one))) for one in set(labels[labels > 0].tolist())}


def flooded(mask):
    """The areas, cell by cell."""
    left, areas = set(map(tuple, np.argwhere(mask))), set()
    while left:
        todo, area = [left.pop()], set()
        while todo:
            cell = todo.pop()
            area.add(cell)
            for axis in (1, 2):
                for step in (-1, 1):
                    near = tuple(at + step * (index == axis) for index, at in enumerate(cell))
                    if near in left:
                        left.remove(near)
                        todo.append(near)
        areas.add(frozenset(area))
    return areas


@pytest.mark.parametrize(
    ("over", "gap", "expected"),
    [
        ("0000", 0, []),
        ("1111", 0, [(0, 4)]),
        ("0110", 0, [(1, 3)]),
        ("1101110", 0, [(3, 6), (0, 2)]),  # the heavier first
        ("1101110", 1, [(0, 6)]),
        ("1001", 1, [(0, 1), (3, 4)]),
        ("1" + "01" * 10, 0, [(2 * index, 2 * index + 1) for index in range(8)]),
    ],
)
def test_stretches_join_over_gaps_and_come_by_weight(over, gap, expected):
    mask = np.array([one == "1" for one in over])
    assert stretches(mask, np.ones(mask.size), gap) == expected


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([0, 0, 5, 0], (2, 3)),
        ([1, 1, 1, 1], (0, 4)),
        ([1, 0, 98, 0, 1], (2, 3)),  # 1 % at either end is left out
        ([10, 0, 80, 0, 10], (0, 5)),
        ([3], (0, 1)),
    ],
)
def test_a_span_leaves_out_5_percent_at_either_end(weights, expected):
    part = span(np.array(weights, float))
    assert (part.start, part.stop) == expected


def test_each_finder_that_a_metric_names_is_there_and_none_is_left_over():
    assert {metric.region[0] for metric in METRICS.values() if metric.region} == set(FINDERS)
