"""The benchmark's edits and its scores: what it calls true is true by construction, and what is wrong scores low."""

from __future__ import annotations

import numpy as np
import pytest
import timeline_cases as cases
import timeline_edits as make
from msgspec.structs import replace
from timeline_score import differences_db, edits_of, is_whole, map_error, null_db, rebuilt, score

from diagnose.timeline.segment import Segment, Timeline

RATE = 8000


@pytest.fixture(scope="module")
def noise():
    return (0.1 * np.random.default_rng(1).standard_normal(2 * RATE)).astype(np.float32)


def band_limited(size, share, seed=2):
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.standard_normal(size))
    spectrum[int(share * spectrum.size) :] = 0
    return np.fft.irfft(spectrum, size).astype(np.float32)


def plans(x):
    other = np.ones(700, np.float32)
    return {
        "lost": make.cut_parts(x, [(1000, 1500), (4000, 4100)]),
        "silence": make.insert_silence(x, [1000, 5000], [40, 800]),
        "sound": make.insert_sound(x, 3000, other),
        "repeated": make.stutter(x, [(1000, 1500), (6000, 6400)]),
        "again": make.play_again(x, 9000, (2000, 2500)),
        "ends": make.cut_ends(x, 300, 500),
    }


def test_the_plans_say_what_was_done(noise):
    made = plans(noise)
    x = noise
    assert np.array_equal(made["lost"].generated, np.concatenate([x[:1000], x[1500:4000], x[4100:]]))
    assert np.array_equal(made["repeated"].generated, np.concatenate([x[:1500], x[1000:6400], x[6000:]]))
    assert np.array_equal(made["again"].generated, np.concatenate([x[:9000], x[2000:2500], x[9000:]]))
    assert np.array_equal(made["ends"].generated, x[300:-500])
    assert made["silence"].generated.size == x.size + 840
    assert not made["silence"].generated[5040:5840].any()
    kinds = {name: [one.kind for one in edits_of(pair.truth.segments)] for name, pair in made.items()}
    assert kinds["lost"] == kinds["ends"] == ["lost", "lost"]
    assert kinds["repeated"] == ["repeated", "repeated"]
    assert kinds["silence"] == ["inserted", "inserted"]
    assert (kinds["sound"], kinds["again"]) == (["inserted"], ["repeated"])


def test_every_script_covers_both_sounds_and_makes_the_generated_one(noise):
    for pair in plans(noise).values():
        assert is_whole(pair, pair.truth.segments)
        assert np.array_equal(rebuilt(pair, pair.truth.segments), pair.generated)
        right = score(pair, pair.truth, RATE)
        assert (right.kinds, right.by_sound, right.positions) == (True, False, True)


def test_the_wrong_script_is_wrong(noise):
    pair = plans(noise)["lost"]
    whole = Segment("matched", (0, noise.size), (0, pair.generated.size))
    replaced = replace(whole, kind="replaced", content="sound")
    for segments in ((whole,), (replaced,), ()):
        wrong = score(pair, Timeline("waveform", segments), RATE)
        assert (wrong.kinds, wrong.positions, wrong.edits_placed) == (False, False, 0)
    silence = plans(noise)["silence"]
    gap = Segment("inserted", (0, 0), (0, silence.generated.size), content="sound")
    assert np.isnan(rebuilt(silence, [gap])).all()


def late(pair, samples):
    """The script with every edit so many samples late."""
    first, edit, last = pair.truth.segments
    a, b = ((edit.reference[i] + samples, edit.generated[i] + samples) for i in (0, 1))
    moved = (
        replace(first, reference=(0, a[0]), generated=(0, a[1])),
        replace(edit, reference=(a[0], b[0]), generated=(a[1], b[1])),
        replace(last, reference=(b[0], last.reference[1]), generated=(b[1], last.generated[1])),
    )
    return replace(pair.truth, segments=moved)


def test_an_edit_is_placed_right_within_5_ms_or_where_the_sound_is_the_same(noise):
    pair = make.cut_parts(noise, [(4000, 5000)])
    assert score(pair, late(pair, 40), RATE).positions
    assert not score(pair, late(pair, 80), RATE).positions
    assert score(pair, late(pair, 80), RATE).kinds
    assert score(pair, replace(late(pair, 80), method="spectrogram"), RATE).positions
    paused = noise.copy()
    paused[3000:8000] *= 1e-4
    pair = make.cut_parts(paused, [(4000, 5000)])
    assert score(pair, late(pair, 1000), RATE).positions
    assert not score(pair, late(pair, 3500), RATE).positions


def test_another_kind_is_right_where_it_makes_the_same_sound():
    tone = np.sin(2 * np.pi * np.arange(8000) / 80).astype(np.float32)
    pair = make.stutter(tone, [(4000, 4800)])
    other = Timeline(
        "waveform",
        (
            Segment("matched", (0, 2000), (0, 2000)),
            Segment("repeated", (2000, 2000), (2000, 2400), source=(2000, 2400)),
            Segment("matched", (2000, 5000), (2400, 5400)),
            Segment("repeated", (5000, 5000), (5400, 5800), source=(4600, 5000)),
            Segment("matched", (5000, 8000), (5800, 8800)),
        ),
    )
    assert score(pair, other, RATE).by_sound
    short = replace(other, segments=other.segments[:-1])
    assert not score(pair, short, RATE).kinds


def test_a_difference_counts_against_the_window_and_silence_against_the_sound(noise):
    quiet = noise.copy()
    quiet[8000:] *= 1e-4
    made = quiet.astype(float)
    made[10_000] += 1e-5
    assert differences_db(made, quiet, RATE).max() < -40
    made[4000:4160] *= 1.02
    assert differences_db(made, quiet, RATE).max() == pytest.approx(20 * np.log10(0.02), abs=0.2)


def test_sounds_are_read_between_their_samples_to_80_db():
    x = band_limited(RATE, 0.9)
    x[:200] = x[-200:] = 0
    places = np.arange(500, x.size - 500) * 1.0002 + 0.3
    inside = places < x.size - 400
    # A sum of sincs, each sample's, is what a sampled sound is between its samples.
    some = places[inside][::97]
    exact = np.sinc(some[:, None] - np.arange(x.size)) @ x.astype(float)
    assert np.abs(make.at_positions(x, some) - exact).max() < 1e-4 * np.abs(x).max()
    hz = 1234.5 / RATE
    tone = np.sin(2 * np.pi * hz * np.arange(RATE)).astype(np.float32)
    middle = np.arange(2000, 6000) + 0.37
    assert np.abs(make.at_positions(tone, middle) - np.sin(2 * np.pi * hz * middle)).max() < 1e-4


def test_a_delay_and_a_drift_are_those_they_are_called(noise):
    tone = np.sin(2 * np.pi * 0.03 * np.arange(RATE)).astype(np.float32)
    middle = np.arange(3000, 5000)
    for delay in (0.5, -2.81):
        pair = make.delay_by(tone, delay, RATE)
        assert np.allclose(pair.generated[middle], np.sin(2 * np.pi * 0.03 * (middle - delay)), atol=2e-4)
        assert null_db(pair.truth, pair.reference, pair.generated, RATE) < -100
        assert null_db(replace(pair.truth, delay=delay + 0.1), pair.reference, pair.generated, RATE) > -40
    slow = make.drift_by(tone, 200.0)
    assert np.allclose(slow.generated[middle], np.sin(2 * np.pi * 0.03 * middle / 1.0002), atol=2e-4)
    assert null_db(slow.truth, slow.reference, slow.generated, RATE) < -80
    assert score(slow, slow.truth, RATE).positions


def test_a_warped_sound_has_the_timing_of_its_map_and_the_pitch_of_its_reference():
    rate, rng = 16_000, np.random.default_rng(3)
    size = 4 * rate
    hz = 440.0
    bursts = np.sin(2 * np.pi * hz / rate * np.arange(size))
    starts = np.arange(2000, size - 4000, 4000)
    window = np.zeros(size)
    for start in starts:
        window[start : start + 1600] = np.hanning(1600)
    knots = make.smooth_map(size, rate, rng)
    ours, theirs = (np.array(side) for side in zip(*knots, strict=True))
    assert (np.diff(ours) > 0).all()
    assert (np.diff(theirs) > 0).all()
    assert (ours[0], theirs[0]) == (0, 0)
    assert abs(ours[-1] - size) <= 1
    speeds = np.diff(ours) / np.diff(theirs)
    assert 0.06 < np.abs(speeds - 1).max() < 0.102
    assert 0.02 * rate < np.ptp(ours - theirs) < 0.25 * rate
    pair = make.warp((bursts * window).astype(np.float32), knots, rate)
    level = np.convolve(np.square(pair.generated, dtype=float), np.hanning(801), "same")
    for start in starts:
        middle = round(np.interp(start + 800, ours, theirs))
        found = middle - 1500 + int(np.argmax(level[middle - 1500 : middle + 1500]))
        assert abs(found - middle) < 0.005 * rate
    spectrum = np.abs(np.fft.rfft(pair.generated * np.hanning(pair.generated.size)))
    assert np.argmax(spectrum) * rate / pair.generated.size == pytest.approx(hz, abs=3)
    assert map_error(pair.truth, pair.truth) == 0
    straight = Timeline("warped", pair.truth.segments)
    assert map_error(pair.truth, straight) > 0.025 * rate


def test_random_places_lie_apart_and_within():
    rng = np.random.default_rng(4)
    for _ in range(50):
        lengths = [int(rng.integers(50, 300)) for _ in range(5)]
        spans = make.spread(rng, 5000, lengths, 150)
        edges = [0, *(edge for span in spans for edge in span), 5000]
        assert (np.diff(edges)[::2] >= 149 * 0.6).all()
        assert (np.diff(edges) > 0).all()
        regular = make.regular(rng, 5000, 20, 320)
        assert set(np.diff([start for start, _ in regular])) == {320}
        assert 80 <= regular[0][0] < regular[-1][1] <= 5000 - 80


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 48_000])
def test_mp3_adds_no_delay_and_no_samples(rate):
    x = 0.3 * band_limited(rate, 3000 / rate, seed=5) / 0.2
    x = x.astype(np.float32)
    y = cases.through_mp3(x, rate)
    turned = np.conj(np.fft.rfft(x, 2 * rate)) * np.fft.rfft(y, 2 * rate)
    assert np.argmax(np.fft.irfft(turned)) == 0
    assert cases.through_vorbis(x, rate).size == x.size


def test_noise_is_20_db_down(noise):
    added = cases.with_noise(noise, cases.seeded("a", "b")) - noise
    assert 10 * np.log10(np.mean(added**2) / np.mean(noise**2)) == pytest.approx(-20, abs=0.2)


def test_a_case_is_always_the_same(monkeypatch):
    sounds = {name: cases.Sound(band_limited(3 * RATE, 0.8, seed), RATE) for seed, name in enumerate("abcdef")}
    monkeypatch.setattr(cases, "all_sounds", lambda: sounds)
    for edit in (*cases.EDITS, *cases.SHORT):
        pair = cases.pair_of("a", edit)
        cases.pair_of.cache_clear()
        assert np.array_equal(pair.generated, cases.pair_of("a", edit).generated)
        assert is_whole(pair, pair.truth.segments)
        assert score(pair, pair.truth, RATE).positions
    assert cases.lengthened("c").samples.size >= 4 * RATE
    assert cases.chosen("held-out") == ["c", "f"]
