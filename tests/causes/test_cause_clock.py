"""A delay that moves: clocks, wow and lost samples, made by scipy's ideal resampling, are told apart with figures."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import signal

from diagnose.causes.clock import clock_of, follow, runs_off, samples_lost, wow

RATE = 16_000


@pytest.fixture(scope="module")
def glide():
    """Four seconds of partials of a pitch that never comes back, over noise: no block is like another."""
    time = np.arange(4 * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(150 + 25 * time + 20 * np.sin(2.1 * time)) / RATE
    sound = sum(np.sin(k * phase + k * k) / k for k in range(1, 20)) * (1 + 0.4 * np.sin(5 * time))
    sound += 0.2 * np.random.default_rng(6).standard_normal(time.size)
    return np.float32(0.4 * sound / np.abs(sound).max())


def stretched(sound, ppm):
    """As long again as 1 + ppm / 10**6, by the discrete Fourier transform."""
    return np.float32(signal.resample(np.float64(sound), round(sound.size * (1 + 1e-6 * ppm))))


def swung(sound, swing_s, hz, rate=RATE):
    """The sound with a delay of swing_s / 2 times a sine, by cubic pieces through eight times the samples."""
    fine = signal.resample_poly(np.float64(sound), 8, 1)
    time = np.arange(sound.size)
    read = time - 0.5 * swing_s * rate * np.sin(2 * np.pi * hz * time / rate)
    return np.float32(np.interp(8 * read, np.arange(fine.size), fine))


def shortened(sound, every, by=1):
    """The last samples of every so many are left out."""
    return np.float32(np.concatenate([sound[at : at + every - by] for at in range(0, sound.size, every)]))


def seen(ours, theirs, method="spectrogram", segments=(), silent=False):
    """The pair that the clock is read off."""
    sides = [SimpleNamespace(mono=np.float32(side)) for side in (ours, theirs)]
    return SimpleNamespace(
        reference=sides[0],
        generated=sides[1],
        rate=RATE,
        timeline=SimpleNamespace(segments=segments, method=method),
        files=(SimpleNamespace(rate=RATE), SimpleNamespace(rate=2 * RATE)),
        silent=silent,
    )


def told(pair):
    """The one of the three causes that is told of a pair, or None."""
    clock = clock_of(pair)
    causes = [runs_off(clock), samples_lost(clock, pair), wow(SimpleNamespace(pair=pair, clock=clock))]
    found = [each for each in causes if each is not None]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.fixture(scope="module")
def low():
    """Four seconds of noise under 1.5 kHz, of which a block is found though it drifts, and never by chance."""
    noise = np.random.default_rng(9).standard_normal(4 * RATE)
    return np.float32(0.2 * signal.sosfiltfilt(signal.butter(4, 1500, fs=RATE, output="sos"), noise))


@pytest.mark.parametrize("ppm", [-8000, -3000, 400, 5000])
def test_a_clock_is_followed_block_by_block(low, ppm):
    track = follow(low, stretched(low, ppm), RATE)
    assert track.found > 0.95
    inside = track.times < 3.8  # the ideal resampling goes round at the end
    assert np.abs(track.delays - 1e-6 * ppm * track.times)[inside].max() < 1e-4


@pytest.mark.parametrize(
    ("name", "ppm"), [("low", -8000), ("glide", -3000), ("glide", 400), ("glide", 5000), ("low", 900)]
)
def test_a_clock_is_read_with_its_ppm(request, name, ppm):
    sound = request.getfixturevalue(name)
    found = told(seen(sound, stretched(sound, ppm)))
    assert (found.id, found.confidence) == ("sample-rate", 1.0)
    assert float(found.summary.split()[3]) == pytest.approx(abs(ppm), rel=0.02)
    assert ("too slow" in found.summary) is (ppm > 0)


@pytest.mark.parametrize("beside", ["a gain", "16 bits", "noise"])
def test_a_clock_is_read_beside_other_things(glide, beside, rng):
    theirs = stretched(glide, 5000)
    level = 10 ** (-50 / 20) * theirs.std()
    made = {
        "a gain": -0.3 * theirs,
        "16 bits": np.rint(32768 * theirs) / 32768,
        "noise": theirs + level * rng.standard_normal(theirs.size),
    }
    assert told(seen(glide, made[beside])).id == "sample-rate"


@pytest.mark.parametrize(("ppm", "cause"), [(100, None), (230, "sample-rate")])
def test_a_clock_has_150_ppm(glide, ppm, cause):
    found = told(seen(glide, stretched(glide, ppm)))
    assert (found and found.id) == cause


@pytest.mark.parametrize(("swing_s", "hz"), [(0.004, 0.8), (0.002, 1.5), (0.0004, 2.0)])
def test_wow_is_read_with_its_swing_and_period(glide, swing_s, hz):
    theirs = swung(glide, swing_s, hz)
    found = told(seen(glide, theirs))
    assert found.id == "wow"
    speed = float(found.summary.split(" by ")[1].split()[0])
    assert speed == pytest.approx(100 * np.pi * hz * swing_s, rel=0.2, abs=0.06)
    assert float(found.evidence[-1].split()[-2]) == pytest.approx(1 / hz, rel=0.2)


@pytest.mark.parametrize(("swing_s", "cause"), [(0.00004, None), (0.00012, "wow")])
def test_the_delay_of_a_wow_swings_by_60_microseconds_most_of_the_time(glide, swing_s, cause):
    """Four fifths of the time a sine lies within 0.95 of its whole swing."""
    found = told(seen(glide, swung(glide, swing_s, 2.0)))
    assert (found and found.id) == cause


@pytest.mark.parametrize(("every", "by"), [(320, 1), (500, 1), (800, 2)])
def test_samples_that_are_lost_are_told_from_a_clock(glide, every, by):
    found = told(seen(glide, shortened(glide, every, by)))
    assert found.id == "chunk-seams"
    samples = int(found.summary.split("each ")[1].split()[0])  # of the generated file, which has twice the rate
    assert samples == pytest.approx(2 * every / by, rel=0.02)
    assert "lost" in found.summary


@pytest.mark.parametrize("method", ["waveform", "none"])
def test_what_lies_still_or_nowhere_is_not_followed(glide, method):
    assert told(seen(glide, stretched(glide, 5000), method)) is None
    assert told(seen(glide, stretched(glide, 5000), silent=True)) is None


def test_a_waveform_in_24_parts_is_followed(glide):
    parts = [None] * 24
    assert told(seen(glide, stretched(glide, 5000), "waveform", parts)).id == "sample-rate"
    assert told(seen(glide, stretched(glide, 5000), "waveform", parts[:15])) is None


@pytest.mark.parametrize(("start_s", "is_found"), [(0.05, True), (0.14, False)])
def test_the_first_delay_is_at_most_80_ms(low, start_s, is_found):
    theirs = np.append(np.zeros(round(start_s * RATE), np.float32), low)
    assert (follow(low, theirs, RATE) is not None) is is_found


@pytest.mark.parametrize(("blocks", "is_found"), [(18, False), (30, True)])
def test_24_blocks_are_the_fewest(glide, blocks, is_found):
    part = glide[: 640 * blocks + 1]
    assert (follow(part, part, RATE) is not None) is is_found


@pytest.mark.parametrize(("share", "cause"), [(0.15, "sample-rate"), (0.4, None)])
def test_three_quarters_of_the_blocks_are_found(low, rng, share, cause):
    theirs = stretched(low, 300)
    noisy = np.resize(np.arange(20) < 20 * share, theirs.size // 1280 + 1).repeat(1280)[: theirs.size]
    made = np.where(noisy, theirs.std() * rng.standard_normal(theirs.size), theirs)
    found = told(seen(low, made))
    assert (found and found.id) == cause


@pytest.mark.parametrize(("level", "is_found"), [(0.6, True), (1.2, False)])
def test_a_block_is_found_by_an_r_of_four_fifths(rng, level, is_found):
    """Of white noise in noise of level s, r is 1 / sqrt(1 + s**2): 0.86 and 0.64."""
    ours = rng.standard_normal(4 * RATE)
    track = follow(ours, ours + level * rng.standard_normal(ours.size), RATE)
    assert (track is not None and track.found > 0.75) is is_found


def test_a_quiet_part_says_nothing(glide):
    """Of power under a thousandth of the loudest block's."""
    part = np.arange(glide.size) > 2 * RATE
    soft, softer = (follow(np.where(part, level * glide, glide), glide, RATE) for level in (0.1, 0.01))
    assert soft.times[-1] > 3.5 > 2.2 > softer.times[-1]


def test_a_minute_is_followed():
    long = np.random.default_rng(0).standard_normal(80 * 4000).astype(np.float32)
    assert follow(long, long, 4000).times[-1] == pytest.approx(60, abs=0.1)


def test_another_sound_is_not_followed(glide, rng):
    for other in (glide[::-1], 0.1 * rng.standard_normal(glide.size), np.zeros(glide.size), np.full(glide.size, 0.3)):
        assert follow(glide, other, RATE) is None
        assert told(seen(glide, other)) is None
    for short in (glide[:100], glide[:0]):
        assert follow(short, short, RATE) is None
    assert follow(np.zeros(4 * RATE, np.float32), glide, RATE) is None
    follow(np.full(4 * RATE, 0.3, np.float32), np.full(4 * RATE, 0.3, np.float32), RATE)


OTHERS = {
    "gain": lambda x: 0.4 * x,
    "clipping": lambda x: np.clip(x, -0.1, 0.1),
    "low-pass": lambda x: signal.sosfiltfilt(signal.butter(4, 2000, fs=RATE, output="sos"), x),
    "a delay": lambda x: np.roll(x, 40),
    "a lost part": lambda x: np.delete(x, np.arange(30_000, 33_000)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_faults_have_no_clock(glide, name):
    assert told(seen(glide, OTHERS[name](glide))) is None
