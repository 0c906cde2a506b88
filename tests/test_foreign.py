"""Foreign injectors do what they say: measured here by closed forms, not by what diagnose says of them."""

from __future__ import annotations

from functools import cache

import foreign
import foreign_faults
import foreign_tools
import numpy as np
import ordinary
import pytest

from diagnose.audio import Audio

pytestmark = pytest.mark.slow  # each asks another program

RATE = 44_100
SEED = 7


@cache
def noise():
    """Two seconds of two channels that differ: noise that falls by 3 dB an octave from 100 Hz on, RMS 0.1."""
    white = np.fft.rfft(np.random.default_rng(1).standard_normal((2, 2 * RATE)))
    hz = np.fft.rfftfreq(2 * RATE, 1 / RATE)
    samples = np.fft.irfft(white * np.where(hz > 20, np.maximum(hz, 100) ** -0.5, 0))
    return Audio((0.1 * samples / samples.std()).astype(np.float32), RATE, "noise")


@cache
def tones():
    """Two seconds of two smooth tones in one channel at 16 kHz."""
    time = np.arange(32_000) / 16_000
    return Audio((0.3 * np.sin(440 * np.pi * time) + 0.2 * np.sin(662 * np.pi * time)).astype(np.float32)[None], 16_000)


def of(cause, *names):
    """A parameter for each injector of a cause at each severity; the middle one is slow where there is a high one."""
    found = []
    for injector in foreign.INJECTORS:
        if injector.cause != cause or (names and injector.name not in names):
            continue
        absent = not foreign_tools.is_installed(injector.tool)
        for severity in range(len(injector.severities)):
            marks = [pytest.mark.skipif(absent, reason=f"{injector.tool} is not installed: no one to make the fault")]
            found.append(pytest.param(injector, severity, marks=marks, id=f"{injector.name}-{severity}"))
    assert found
    return pytest.mark.parametrize(("injector", "severity"), found)


def broken(injector, severity, sound, seed=SEED):
    """The samples before and after, in float64, and the setting."""
    made = injector.inject(sound, severity, seed)
    assert (made.rate, made.samples.shape, made.samples.dtype) == (sound.rate, sound.samples.shape, np.float32)
    assert np.isfinite(made.samples).all()
    assert not np.array_equal(made.samples, sound.samples)
    return sound.samples.astype(float), made.samples.astype(float), injector.severities[severity]


def rms(samples):
    return np.sqrt(np.mean(np.square(samples)))


def transfer(before, after, rate, size=8192):
    """Frequencies and <X* Y> / <|X|^2> of the channels' mean over Hann windows; time 0 of both is the same."""
    starts = range(0, before.shape[1] - size, size // 4)
    window = np.hanning(size)
    x, y = (np.fft.rfft(np.stack([side[:, s : s + size] for s in starts]) * window) for side in (before, after))
    return np.fft.rfftfreq(size, 1 / rate), (x.conj() * y).mean((0, 1)) / (np.abs(x) ** 2).mean((0, 1))


def response(before, after, rate):
    """gain_db(hz), mean of |H| within 2 %, and phase(hz) in radians."""
    hz, ratio = transfer(before, after, rate)

    def near(at):
        return ratio[np.abs(hz - at) <= max(0.02 * at, hz[1])]

    return lambda at: 20 * np.log10(np.abs(near(at)).mean()), lambda at: np.angle(near(at).mean())


# The catalogue


def test_names_are_unique_and_every_cause_has_two_tools():
    names = [each.name for each in foreign.INJECTORS]
    assert len(set(names)) == len(names)
    tools = {}
    for each in foreign.INJECTORS:
        assert each.tool in foreign_tools.TOOLS
        assert len(each.severities) == (1 if each.cause == "polarity" else 2)
        tools.setdefault(each.cause, set()).add(each.tool)
    assert len(tools) == 12
    assert min(map(len, tools.values())) >= 2


def test_a_tool_that_is_missing_is_skipped_and_named(monkeypatch):
    monkeypatch.setattr(foreign_tools, "is_installed", lambda tool: tool == "libsndfile")
    assert {each.tool for each in foreign.available()} == {"libsndfile"}
    assert [line.split()[0] for line in foreign.missing()] == ["ffmpeg", "sox", "audiomentations"]
    assert "sox_firfit" in foreign.missing()[1]
    assert list(ordinary.available()) == ["16 bit", "resampled", "Vorbis q5"]
    made = list(foreign.copies(tones(), SEED))
    assert [(each.name, severity) for each, severity, _ in made][:2] == [("libsndfile_hard", 0), ("libsndfile_hard", 1)]
    assert len(made) == 4


def test_a_command_that_fails_says_so(program):
    program("ffmpeg")
    with pytest.raises(RuntimeError, match="nosuchfilter"):
        foreign_tools.ffmpeg(tones(), "nosuchfilter")


def test_sox_may_not_clip_unnoticed(program):
    program("sox")
    with pytest.raises(RuntimeError, match="clipped"):
        foreign_tools.sox(tones(), ["gain", "40"])


@pytest.mark.slow
@pytest.mark.parametrize("injector", foreign.available(), ids=lambda each: each.name)
def test_every_injector_takes_a_mono_sound_of_another_rate(injector):
    broken(injector, -1, tones())


# Level


@of("gain")
def test_gain(injector, severity):
    before, after, level_db = broken(injector, severity, noise())
    assert 20 * np.log10(rms(after) / rms(before)) == pytest.approx(level_db, abs=0.001)
    assert rms(after - before * 10 ** (level_db / 20)) < 1e-5 * rms(after)


@of("dc-offset")
def test_offset(injector, severity):
    before, after, share = broken(injector, severity, noise())
    assert (after - before).mean() == pytest.approx(share * rms(before), rel=1e-4)
    assert (after - before).std() < 1e-5 * rms(before)


@of("polarity")
def test_polarity(injector, severity):
    before, after, _ = broken(injector, severity, noise())
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] == pytest.approx(-1, abs=1e-9)
    assert rms(after) == pytest.approx(rms(before), rel=1e-6)


@of("clipping", "ffmpeg_hard", "sox_hard", "libsndfile_hard", "audiomentations_clipping")
def test_hard_clipping_has_flat_tops_and_leaves_the_rest(injector, severity):
    before, after, share = broken(injector, severity, noise())
    flat = (after > after.max() - 1e-6) | (after < after.min() + 1e-6)
    assert flat.mean() == pytest.approx(share / 100 if "%" in injector.unit else share, rel=0.02)
    assert np.abs(after - before)[~flat].max() < 1e-6
    assert (np.abs(after) <= np.abs(before) + 1e-6).all()


@of("clipping", "ffmpeg_tanh", "ffmpeg_alg", "sox_contrast")
def test_soft_clipping_is_a_curve_without_memory_that_leaves_small_samples(injector, severity):
    before, after, _ = broken(injector, severity, noise())
    order = np.argsort(before.ravel())
    x, y = before.ravel()[order], after.ravel()[order]
    assert np.diff(y).min() > -1e-6  # of noise: only a function of the sample alone keeps the order
    small = np.abs(x) < 0.01 * x.max()
    assert np.polyfit(x[small], y[small], 1)[0] == pytest.approx(1, abs=0.01)
    assert y[-1] < 0.6 * x[-1]
    assert y[0] > 0.6 * x[0]


STEPS = {
    "ffmpeg_acrusher": lambda bits: 1 / (2**bits - 1),
    "sox_8_bits": lambda down: 2**-7 * 2 ** round(down / 6),
    "libsndfile_8_bits": lambda down: 2**-7 * 2 ** round(down / 6),
    "audiomentations_bit_crush": lambda bits: 1 / (2 ** (bits - 1) + 1),
}


@of("quantisation")
def test_quantisation_has_steps_of_the_stated_size(injector, severity):
    before, after, setting = broken(injector, severity, noise())
    step = STEPS[injector.name](setting)
    assert np.abs(after / step - np.round(after / step)).max() < 1e-3
    assert np.diff(np.unique(np.round(after / step))).min() == 1
    rounded_down = injector.name == "libsndfile_8_bits"
    assert np.abs(after - before + rounded_down * step / 2).max() < 0.501 * step
    assert ("dc-offset" in injector.also) == (abs((after - before).mean()) > 0.1 * step)


# Spectrum


@of("high-frequency-loss")
def test_a_low_pass_loses_what_lies_above_and_moves_the_rest_only_where_it_says_so(injector, severity):
    before, after, cutoff_hz = broken(injector, severity, noise())
    gain_db, phase = response(before, after, RATE)
    assert gain_db(cutoff_hz / 4) == pytest.approx(0, abs=0.1)
    assert gain_db(2 * cutoff_hz) < -11.5
    assert gain_db(4 * cutoff_hz) < (-23 if injector.name == "ffmpeg_lowpass" else -45)
    if "delay" in injector.also:
        assert abs(phase(cutoff_hz / 4)) > 0.15
    else:
        assert phase(cutoff_hz / 4) == pytest.approx(0, abs=0.01)


@of("tilt")
def test_a_tilt_is_a_straight_line_through_1_khz(injector, severity):
    before, after, slope = broken(injector, severity, noise())
    gain_db, _ = response(before, after, RATE)
    octaves = np.arange(-3, 3.1)
    measured = [gain_db(1000 * 2**octave) for octave in octaves]
    assert measured == pytest.approx(slope * octaves, abs=0.7)
    assert np.polyfit(octaves, measured, 1)[0] == pytest.approx(slope, abs=0.1)


@of("band-gap")
def test_a_gap_lies_about_the_centre(injector, severity):
    before, after, octaves = broken(injector, severity, noise())
    gain_db, _ = response(before, after, RATE)
    centre = foreign_faults.centre_hz(noise())
    assert 1000 < centre < RATE / 5
    hz, ratio = transfer(before, after, RATE)
    assert 20 * np.log10(np.abs(ratio[np.argmin(np.abs(hz - centre))])) < -30
    for edge in (-1, 1):
        assert gain_db(centre * 2 ** (0.7 * edge * octaves / 2)) < -2.9
        outside = centre * 2 ** (edge * (octaves / 2 + 0.7))
        assert outside > 0.9 * RATE / 2 or gain_db(outside) > -2
    assert gain_db(centre / 16) == pytest.approx(0, abs=0.2)


# Time


def runs(mask):
    """Lengths of the stretches of True."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return ends[1::2] - ends[::2]


@of("dropout", "ffmpeg_volume_0", "sox_trim_pad")
def test_holes_are_silent_and_the_rest_is_as_it_was(injector, severity):
    before, after, share = broken(injector, severity, noise())
    silent = (after == 0).all(axis=0)
    assert np.abs(after - before)[:, ~silent].max() < 1e-6
    assert share <= silent.mean() < share + 0.05
    long = runs(silent)[runs(silent) > 3]
    assert (long >= 0.028 * RATE).all()
    assert len(long) >= 2


@of("dropout", "audiomentations_time_mask")
def test_a_mask_is_one_hole_with_two_fades(injector, severity):
    before, after, share = broken(injector, severity, noise())
    same = (np.abs(after - before) < 1e-7).all(axis=0)
    changed = np.flatnonzero(~same)
    assert changed[-1] - changed[0] == pytest.approx(share * 2 * RATE, abs=8)
    assert runs((after == 0).all(axis=0)).max() == pytest.approx((share * 2 - 0.01) * RATE, abs=8)


# Added


@of("noise")
def test_noise_has_its_level_its_colour_and_its_seed(injector, severity):
    before, after, level_db = broken(injector, severity, noise())
    added = after - before
    assert 20 * np.log10(rms(added) / rms(before)) == pytest.approx(level_db, abs=0.1)
    assert abs(np.corrcoef(added[0], before[0])[0, 1]) < 0.03
    power = (np.abs(np.fft.rfft(added)) ** 2).mean(axis=0)
    hz = np.fft.rfftfreq(added.shape[1], 1 / RATE)
    low, high = (power[(hz > at) & (hz < 2 * at)].mean() for at in (500, 8000))
    assert 10 * np.log10(low / high) == pytest.approx(12.04 if "pink" in injector.name else 0, abs=1)
    assert np.array_equal(injector.inject(noise(), severity, SEED).samples.astype(float), after)
    if severity == 0:
        other = broken(injector, severity, noise(), SEED + 1)[1] - before
        assert abs(np.corrcoef(other[0], added[0])[0, 1]) < 0.03


@of("hum")
def test_hum_is_lines_at_multiples_of_the_mains(injector, severity):
    before, after, level_db = broken(injector, severity, noise())
    added = after - before
    assert 20 * np.log10(rms(added) / rms(before)) == pytest.approx(level_db, abs=0.05)
    mains = int(injector.name[-2:])
    power = np.abs(np.fft.rfft(added[0] * np.hanning(2 * RATE))) ** 2  # bins of half a hertz
    lines = [power[2 * mains * k - 4 : 2 * mains * k + 5].sum() / power.sum() for k in (1, 2, 3, 5)]
    assert sum(lines) > 0.9999
    assert lines == pytest.approx(np.array([1, 0.25, 0.49, 0.09]) / 1.83, abs=0.005)


@of("clicks")
def test_clicks_are_single_samples_of_the_stated_number(injector, severity):
    before, after, per_second = broken(injector, severity, tones())
    added = (after - before)[0]
    at = np.flatnonzero(np.abs(added) > 1e-3)
    assert len(at) == round(2 * per_second)
    assert np.diff(at).min() >= 0.039 * 16_000
    assert np.delete(np.abs(added), at).max() < 1e-6
    peak = np.abs(before).max()
    assert (np.abs(added[at]) > 0.49 * peak).all()
    jumps = np.abs(np.diff(after[0], 2))
    assert (jumps[at - 1] > 0.95 * peak).all()
    assert np.delete(jumps, [at - 2, at - 1, at]).max() < 0.05 * peak


# Ordinary copies


def copied(name):
    if name not in ordinary.available():
        pytest.skip("ffmpeg is not installed: no encoder to ask")
    sound = noise()
    made = ordinary.ORDINARY[name](sound)
    assert (made.rate, made.samples.shape, made.samples.dtype) == (RATE, sound.samples.shape, np.float32)
    return sound.samples.astype(float), made.samples.astype(float)


def test_sixteen_bits_are_rounded_down_by_a_step_at_most():
    before, after = copied("16 bit")
    steps = 32_768 * (after - before)
    assert -1.001 < steps.min() < -0.99
    assert -0.01 < steps.max() < 0.001


def test_triangular_dither_has_three_times_the_power_of_rounding():
    before, after = copied("16 bit, dithered")
    assert rms(after - before) * 32_768 == pytest.approx(np.sqrt(1 / 4), rel=0.02)
    assert np.abs(after * 32_768 - np.round(after * 32_768)).max() < 1e-3


@pytest.mark.parametrize("name", ["resampled", "Vorbis q5", "MP3 128k", "Opus 64k"])
def test_a_codec_keeps_the_sound_below_4_khz(name):
    before, after = copied(name)
    gain_db, phase = response(before, after, RATE)
    for hz in (200, 1000, 3000):
        assert gain_db(hz) == pytest.approx(0, abs={"resampled": 0.02, "Opus 64k": 2}.get(name, 1))
        if name in ("resampled", "Vorbis q5"):
            assert phase(hz) == pytest.approx(0, abs=0.02)
