"""The reported faults are what their first lines say: measured by closed forms, not by what diagnose says of them."""

from __future__ import annotations

import re
import zlib

import numpy as np
import pytest
import reported
import reported_codes as codes
import reported_faults
import reported_kinds
import reported_levels
import reported_spectrum
import reported_streams
from reliability import Named
from scipy import signal

pytestmark = pytest.mark.slow  # of the benchmark, and none of what decides

KINDS = reported_faults.KINDS
RATE = 16_000
SEED = 3
EVERY = [pytest.param(kind, amount, id=f"{kind.name}-{amount:g}") for kind in KINDS.values() for amount in kind.amounts]
EVERY_SOUND = ("spoken_syllables", "church_bell", "piano_chords", "surf")


def voice():
    """Two seconds: harmonics of a gliding 140 Hz, noise between, syllables at three levels with a pause."""
    rng, time = np.random.default_rng(1), np.arange(2 * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(140 + 20 * np.sin(2 * np.pi * 1.3 * time)) / RATE
    voiced = sum(np.sin(k * phase) / k for k in range(1, 40))
    level = np.interp(time, [0, 0.05, 0.4, 0.5, 0.9, 1.0, 1.3, 1.4, 1.9, 2], [0, 1, 0.5, 0.1, 0.4, 0, 0, 0.8, 0.3, 0])
    return 0.3 * level * (voiced + 0.05 * rng.standard_normal(time.size))


def made(name, amount, x=None, rate=RATE, seed=SEED):
    """(reference, generated), at one rate."""
    pair = KINDS[name].make(voice() if x is None else x, rate, np.random.default_rng(seed), amount)
    assert pair[1] == pair[3]
    return pair[0], pair[2]


def rms_db(x, y):
    return 20 * np.log10(np.sqrt(np.mean(np.square(x))) / np.sqrt(np.mean(np.square(y))))


# The catalogue


def test_there_are_kinds_enough_and_every_field_is_filled():
    assert len(KINDS) >= 150
    assert sum(kind.source != "common" for kind in KINDS.values()) >= len(KINDS) / 2
    for kind in KINDS.values():
        assert kind.what
        assert 1 <= len(kind.amounts) <= 3
        assert kind.source == "common" or re.fullmatch(r"[\w.-]+/[\w.-]+#\d+(, [\w.-]+/[\w.-]+#\d+)*", kind.source)


def test_right_ids_are_ids():
    assert {cause for kind in KINDS.values() for cause in kind.right} <= reported_kinds.IDS
    with pytest.raises(ValueError, match="gaine"):
        reported_kinds.kind("common", ("gaine",), (1.0,))(lambda x, rate, rng, amount: x)


def test_a_third_is_held_out_by_the_hash_of_its_name():
    held = [kind.name for kind in KINDS.values() if kind.held_out]
    assert held == [name for name in KINDS if zlib.crc32(name.encode()) % 3 == 0]
    assert 0.25 < len(held) / len(KINDS) < 0.42


def test_two_of_one_name_are_refused():
    with pytest.raises(ValueError, match="gate"):
        reported_kinds.kind("common", (), (1.0,))(reported_levels.gate)


@pytest.mark.parametrize(("kind", "amount"), EVERY)
def test_every_kind_is_finite_differs_and_is_the_same_each_time(kind, amount):
    x = voice()
    one, again = (kind.make(x, RATE, np.random.default_rng(SEED), amount) for _ in range(2))
    reference, rate, generated, other_rate = one
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, again, strict=True))
    assert np.array_equal(x, voice())
    assert np.isfinite(reference).all()
    assert np.isfinite(generated).all() == kind.finite
    assert generated.shape[-1] > 0.1 * RATE
    assert {reference.ndim, generated.ndim} <= {1, 2}
    assert isinstance(rate, int)
    assert isinstance(other_rate, int)
    assert rate != other_rate or reference.shape != generated.shape or not np.array_equal(reference, generated)
    if kind.right:
        assert reported.audible(one)


@pytest.mark.parametrize("sound", EVERY_SOUND)
@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_takes_sounds_of_other_rates_and_channels(kind, sound):
    audio = reported_kinds.all_sounds()[sound]
    for amount in kind.amounts:
        generated = kind.make(audio.samples, audio.rate, np.random.default_rng(SEED), amount)[2]
        assert np.isfinite(generated).all() == kind.finite


# Data


def test_a_cast_leaves_the_samples_modulo_full_scale():
    x = voice()
    _, wrapped = made("cast_wraps", 1.8)
    apart = (wrapped - 1.8 * x / np.abs(x).max()) / 2
    assert np.abs(apart - np.round(apart)).max() < 2**-15
    assert set(np.round(apart)) >= {0, -1}


def test_the_laws_are_those_of_the_tables():
    """ITU-T G.711: full scale, silence, and the steps about it."""
    every = np.arange(-32768, 32768) / 32768
    for there, back in ((codes.mulaw, codes.from_mulaw), (codes.alaw, codes.from_alaw)):
        error = np.abs(back(there(every)) - every) * 32768
        assert (error <= (np.abs(every) * 32768 + 264) / 32 + 1).all()
        assert len(set(there(every).tolist())) >= 255
        assert np.array_equal(there(back(np.arange(256, dtype=np.uint8)))[1:127], np.arange(1, 127))
    assert codes.mulaw(np.zeros(1))[0] == 0xFF
    assert codes.alaw(np.zeros(1))[0] == 0xD5
    assert codes.mulaw(np.array([-1.0]))[0] == 0x00
    assert codes.mulaw(np.array([32767 / 32768]))[0] == 0x80
    assert codes.from_mulaw(np.array([0x80], np.uint8))[0] * 32768 == 32124
    assert codes.from_alaw(np.array([0xAA], np.uint8))[0] * 32768 == 32256


def test_three_bytes_are_three_bytes():
    x = voice()
    assert np.abs(codes.from_int24(codes.int24(x)) - x).max() <= 2**-24
    assert made("three_bytes_as_two", 1)[1].size == x.size * 3 // 2
    assert np.allclose(made("four_bytes_as_two", 1)[1][1::2], x, atol=2**-14)


def test_an_odd_silence_leaves_what_comes_before_it():
    x, generated = made("odd_from_here_on", 0.6)
    at = int(0.6 * x.size)
    assert np.abs(generated[:at] - x[:at]).max() <= 2**-15
    assert np.abs(np.corrcoef(generated[at:], x[at : generated.size])[0, 1]) < 0.1


def test_a_header_is_22_samples_and_says_riff():
    x, generated = made("header_in_each_chunk", 8192)
    riff = np.frombuffer(b"RIFF", "<i2") / 32768
    assert generated.size == x.size + 22 * -(-x.size // 8192)
    assert [generated[at] for at in (0, 1)] == riff.tolist()
    assert [generated[8192 + 22 + at] for at in (0, 1)] == riff.tolist()
    assert np.array_equal(generated[22 : 22 + 8192], x[:8192])


def test_sides_and_frames():
    reference, generated = made("planes_read_as_frames", 1)
    assert np.array_equal(generated.T.ravel(), reference.ravel())
    reference, generated = made("frames_read_as_planes", 1)
    assert np.array_equal(generated.ravel(), reference.T.ravel())
    reference, generated = made("sum_and_difference", 1)
    assert np.allclose(generated.sum(axis=0), reference[0])
    assert np.abs(np.corrcoef(*reference)[0, 1]) < 0.9


# Levels


def test_a_gate_leaves_what_it_lets_through():
    x, generated = made("gate", 0.55)
    closed = generated == 0
    assert np.array_equal(generated[~closed], x[~closed])
    assert 0.3 < closed.mean() < 0.9


def test_a_followed_level_reaches_63_percent_within_its_time():
    steps = reported_levels._followed(np.repeat([0.0, 1.0, 0.0], RATE), RATE, 0.01, 0.1)
    assert steps[RATE + RATE // 100] == pytest.approx(1 - np.exp(-1), abs=0.01)
    assert steps[2 * RATE + RATE // 10] == pytest.approx(np.exp(-1), abs=0.01)


def test_a_limiter_stays_below_its_top():
    x, generated = made("limiter", 15)
    assert np.abs(generated).max() <= np.abs(x).max() * 1.0001


def test_windows_that_do_not_add_up_beat_at_their_hop():
    """Hann squared at half: sin^4 + cos^4 = 3/4 + cos(4 pi t / size) / 4, so 1 +- 1/3 after the mean."""
    ones = np.ones(2 * RATE)
    gain = made("hann_twice_at_half", 1024, ones)[1]
    assert (gain.min(), gain.max()) == (pytest.approx(2 / 3, abs=1e-3), pytest.approx(4 / 3, abs=1e-3))
    assert np.allclose(gain[512:], gain[:-512])
    odd = made("hann_at_an_odd_hop", 640, ones)[1]
    assert np.allclose(odd[640:], odd[:-640])


# Time


def test_chunks_are_kept_lost_doubled():
    x = voice()
    lost = made("every_so_many_lost_1024", 4)[1]
    assert np.array_equal(lost[: 3 * 1024], x[: 3 * 1024])
    assert np.array_equal(lost[3 * 1024 : 6 * 1024], x[4 * 1024 : 7 * 1024])
    assert made("sample_dropped_each_block", 1)[1].size == x.size - -(-x.size // 512)
    gaps = made("gap_at_each_seam", 20)[1]
    assert np.array_equal(gaps[5120 : 5120 + 320], np.zeros(320))
    assert np.array_equal(gaps[5440:10560], x[5120:10240])


def test_a_cold_filter_is_the_whole_one_at_first():
    whole, cold = made("cold_filter", 0.16)
    assert np.allclose(cold[:2560], whole[:2560])
    assert not np.allclose(cold[2560:2600], whole[2560:2600], atol=1e-4)


def tone(hz, seconds=2.0):
    return 0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)


def pitch_hz(x):
    """The peak of a windowed spectrum, in Hz."""
    power = np.abs(np.fft.rfft(x * np.hanning(x.size), 2**18))
    return np.argmax(power) * RATE / 2**18


def test_clocks_move_the_pitch_and_stretching_does_not():
    x = tone(1000)
    assert pitch_hz(made("clock_drifts", 20000, x)[1]) == pytest.approx(1020, abs=0.2)
    assert pitch_hz(made("played_at_another_rate", 2 / 3, x)[1]) == pytest.approx(1000 * 2 / 3, abs=0.2)
    stretched = made("another_hop", 1.25, x)[1]
    assert stretched.size == pytest.approx(x.size / 1.25, abs=2)
    assert pitch_hz(stretched[2000:-2000]) == pytest.approx(1000, abs=0.5)
    assert rms_db(stretched[2000:-2000], x) == pytest.approx(0, abs=0.5)
    assert pitch_hz(reported_streams.stretched(x, 0.99)[2000:-2000]) == pytest.approx(1000, abs=0.5)


def test_wow_is_as_deep_as_it_says():
    """The analytic signal's frequency goes between 1000 (1 - depth) and 1000 (1 + depth)."""
    y = made("wow", 0.03, tone(1000))[1]
    hz = np.diff(np.unwrap(np.angle(signal.hilbert(y)))) * RATE / (2 * np.pi)
    inner = np.convolve(hz, np.ones(200) / 200, "valid")[2000:-2000]
    assert (inner.min(), inner.max()) == (pytest.approx(970, abs=2), pytest.approx(1030, abs=2))


def test_reading_between_samples_is_exact_below_half_the_rate():
    x, places = tone(1234), np.arange(100, 20_000) + 0.37
    assert np.abs(reported_kinds.read_at(x, places) - 0.3 * np.sin(2 * np.pi * 1234 * places / RATE)).max() < 1e-3


# Spectrum and what is added


def test_folding_and_imaging_put_a_tone_where_they_must():
    """At a third of 16 kHz a tone of 4 kHz folds to 5333 - 4000 = 1333; zeros at half image 1 kHz at 7."""
    x = tone(4000) + 1.2 * tone(2700)  # more than half of the magnitudes: half the new rate lies at a third of the old
    for name in ("thrown_away", "filtered_at_the_wrong_rate"):
        power = np.abs(np.fft.rfft(made(name, 0.5, x)[1] * np.hanning(x.size)))
        assert power[2 * 1333 : 2 * 1334 + 1].max() > 0.3 * power.max()
    assert np.abs(np.fft.rfft(made("rate_reduced", 0.5, x)[1]))[2 * 3000 :].max() < 0.01 * x.size * 0.15
    stuffed = made("zeros_between", 2, tone(1000))[1]
    assert rms_db(stuffed, tone(1000)) == pytest.approx(-3.01, abs=0.1)
    power = np.abs(np.fft.rfft(stuffed * np.hanning(stuffed.size)))
    assert power[2 * 7000] == pytest.approx(power[2 * 1000], rel=0.01)


def test_echoes_come_when_they_should():
    click = np.zeros(RATE)
    click[100] = 1
    assert np.flatnonzero(made("played_twice", 0.25, click)[1]).tolist() == [100, 100 + RATE // 4]
    room = made("room", 0.3, click)[1]
    late, early = (room[100 + at : 100 + at + 400] for at in (2400, 160))
    assert rms_db(late, early) == pytest.approx(-60 * 2240 / (0.3 * RATE), abs=3)


def test_dispersion_keeps_magnitudes_and_delays_by_frequency():
    click = np.zeros(RATE)
    click[0] = 1
    y = made("smeared", 0.15, click)[1]
    spectrum = np.fft.rfft(y)
    assert np.abs(np.abs(spectrum[1:-1]) - 1).max() < 1e-6
    delay_s = -np.diff(np.unwrap(np.angle(spectrum))) * y.size / (2 * np.pi * RATE)
    assert delay_s[delay_s.size // 2] == pytest.approx(0.075, abs=0.001)


@pytest.mark.parametrize("name", ["white", "pink", "hum_of_the_mains", "whine", "another_stream_leaks"])
def test_what_is_added_has_its_level(name):
    amount = KINDS[name].amounts[-1]
    x, generated = made(name, amount)
    assert rms_db(generated - x, x) == pytest.approx(amount, abs=0.01)


def test_tones_lie_at_multiples_of_the_stride():
    x, generated = made("tones_of_the_stride", 8)
    power = np.abs(np.fft.rfft((generated - x) * np.hanning(x.size))) ** 2
    lines = np.arange(1, 4) * x.size // 8
    assert sum(power[line - 2 : line + 3].sum() for line in lines) > 0.999 * power.sum()


def test_a_low_pass_is_where_the_magnitudes_say():
    x, generated = made("low_pass", 0.35)
    hz = np.fft.rfftfreq(x.size, 1 / RATE)
    corner = reported_spectrum.magnitude_hz(x, RATE, 0.35)
    spectra = [np.abs(np.fft.rfft(one)) for one in (x, generated)]
    assert spectra[0][hz <= corner].sum() == pytest.approx(0.35 * spectra[0].sum(), rel=0.02)
    near = (hz > 0.97 * corner) & (hz < 1.03 * corner)
    assert rms_db(spectra[1][near], spectra[0][near]) == pytest.approx(-3, abs=1.5)


# The runner


def test_cases_are_the_same_each_time_and_in_four_groups():
    cases = reported.planned("all", list(KINDS), 2)
    assert cases == reported.planned("all", list(KINDS), 2)
    assert {case.group for case in cases} == set(reported.GROUPS)
    tuned = reported.planned("tuned", list(KINDS), 2)
    held = reported.planned("held-out", list(KINDS), 2)
    assert len(tuned) + len(held) == len(cases)
    assert {case.group for case in tuned} == {"tuned"}
    assert not any(KINDS[case.kind].held_out or case.sound in reported.held_sounds() for case in tuned)


def outcome(name, verdict, *causes):
    case = reported.Case(name, KINDS[name].amounts[0], "flute")
    return reported.Outcome(case, verdict, tuple(Named(*cause) for cause in causes))


def test_scoring():
    assert outcome("gate", "FAIL", ("dropout", 0.9), ("noise", 0.9)).right
    assert outcome("gate", "FAIL", ("noise", 0.81)).sure_wrong
    assert not outcome("gate", "FAIL", ("noise", 0.79)).sure_wrong
    assert not outcome("gate", "PASS").right
    assert outcome("copy_mp3", "WARN", ("noise", 0.5)).right
    assert not outcome("copy_mp3", "FAIL").right
    assert not outcome("copy_mp3", "PASS", ("noise", 0.8)).right


def test_kinds_that_are_held_out_are_not_told_unless_asked():
    held = next(name for name, kind in KINDS.items() if kind.held_out and kind.right)
    found = [outcome(held, "FAIL", ("noise", 0.9)), outcome("gate", "FAIL", ("noise", 0.9))]
    result = reported.result_of(found, show=False)
    assert held not in str(result)
    assert held not in reported.printed(result)
    assert held in reported.printed(reported.result_of(found, show=True))
