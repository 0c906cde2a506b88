import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.audio import Audio, read
from diagnose.stft_cache import StftCache
from diagnose.timeline import single_delay
from diagnose.timeline.correlation import fast_size
from diagnose.timeline.single_delay import EXCERPT, FRAMING, LONGEST_DELAY_S, Alignment, align

RATE = 8000


def aligned(reference, generated, rate=RATE):
    """align() with the means it is given by a Pair."""
    signals = [np.asarray(x, np.float32) for x in (reference, generated)]
    return align(*(StftCache(x, float(x.mean(dtype=float))) for x in signals), rate)


def delayed(samples, delay):
    """Late by delay samples of silence, or early by as many samples cut off."""
    return np.concatenate([np.zeros(delay), samples]) if delay >= 0 else samples[-delay:]


@pytest.fixture
def noise(rng):
    return 0.1 * rng.standard_normal(3 * RATE)


@pytest.fixture(params=["violin.wav", "speech.ogg"])
def real(request, data):
    audio = read(data / request.param)
    return Audio(audio.mono[None, : 3 * audio.rate], audio.rate)


@pytest.mark.parametrize("delay", [-8000, -777, -1, 0, 1, 777, 8000])
@pytest.mark.parametrize("factor", [1.0, -1.0, 0.05, -4.13])
def test_a_copy_is_found_with_its_delay_gain_and_polarity(noise, delay, factor):
    found = aligned(noise, factor * delayed(noise, delay))
    assert (found.method, found.delay, found.polarity) == ("waveform", delay, np.sign(factor))
    assert found.gain == pytest.approx(abs(factor), rel=1e-3)
    assert found.correlation == pytest.approx(np.sign(factor), abs=1e-3)


@pytest.mark.parametrize("delay", [-1000, 1000])
def test_a_real_sound_is_found_with_its_delay_gain_and_polarity(real, delay):
    found = aligned(real.mono, -0.5 * delayed(real.mono, delay), real.rate)
    assert (found.method, found.delay, found.polarity) == ("waveform", delay, -1)
    assert found.gain == pytest.approx(0.5, rel=1e-2)


@pytest.mark.parametrize("hz", [100.0, 440.0, 1000.0])
@pytest.mark.parametrize("shape", [np.sin, lambda angle: np.sign(np.sin(angle + 0.01))], ids=["sine", "square"])
@pytest.mark.parametrize("seconds", [0.5, 2.0])
def test_a_periodic_sound_lies_on_its_copy_as_it_is(hz, shape, seconds):
    sound = 0.5 * shape(2 * np.pi * hz * np.arange(seconds * 22050) / 22050)
    found = aligned(sound, sound, 22050)
    assert (found.method, found.delay, found.polarity) == ("waveform", 0, 1)


def test_a_long_periodic_sound_lies_on_its_copy_as_it_is(tone):
    sound = 0.3 * tone(440, RATE, 2 * EXCERPT / RATE)
    sound[EXCERPT:] *= 1.01  # the loudest stretch is the second
    found = aligned(sound, sound)
    assert (found.method, found.delay, found.polarity) == ("waveform", 0, 1)


@pytest.mark.parametrize("seconds", [-LONGEST_DELAY_S, LONGEST_DELAY_S])
def test_the_longest_delay_is_found(rng, seconds):
    sound = rng.standard_normal(30 * RATE)
    assert aligned(sound, delayed(sound, int(seconds * RATE))).delay == seconds * RATE


@pytest.mark.parametrize("snr", [10.0, 1.0, 0.5])  # power of the copy over that of the noise
def test_noise_lowers_the_correlation_and_not_the_gain(rng, noise, snr):
    added = rng.standard_normal(noise.size + 300) * np.sqrt(noise.var() / snr)
    found = aligned(noise, 2.0 * (delayed(noise, 300) + added))
    assert (found.method, found.delay, found.polarity) == ("waveform", 300, 1)
    assert found.gain == pytest.approx(2.0, rel=0.03)
    assert found.correlation == pytest.approx(1 / np.sqrt(1 + 1 / snr), abs=0.02)


@pytest.mark.parametrize("biases", [(0.5, 0.0), (0.0, -0.5), (0.9, 0.9)])
def test_bias_changes_nothing(rng, noise, biases):
    theirs = -0.5 * np.roll(noise, 123) + 0.02 * rng.standard_normal(noise.size)
    plain, biased = aligned(noise, theirs), aligned(noise + biases[0], theirs + biases[1])
    assert (biased.method, biased.delay, biased.polarity) == (plain.method, plain.delay, plain.polarity)
    assert (biased.gain, biased.correlation) == pytest.approx((plain.gain, plain.correlation), rel=1e-4)


def swarm(rng, time):
    """30 tones of 100 to 600 Hz with their own onsets: a sound that can be evaluated at any time, exactly."""
    hz, phase, onset = rng.uniform([100, 0, -1], [600, 2 * np.pi, 6], (30, 3)).T[:, :, None]
    return (np.sin(2 * np.pi * hz * time + phase) * np.exp(-((time - onset) ** 2))).sum(axis=0)


@pytest.mark.parametrize(("ppm", "delay"), [(-100, 0), (0, 500), (100, 500)])
def test_drift_of_a_slow_clock_is_positive(ppm, delay):
    time = np.arange(5 * 22050) / 22050
    reference = swarm(np.random.default_rng(1), time)
    generated = swarm(np.random.default_rng(1), (time - delay / 22050) / (1 + 1e-6 * ppm))
    found = aligned(reference, generated, 22050)
    assert found.method == "waveform"
    assert found.drift_ppm == pytest.approx(ppm, abs=1e6 / (4.4 * 22050))  # one sample over the time between


def test_drift_of_less_than_two_seconds_is_not_told(noise):
    assert aligned(noise[: 2 * RATE - 1], noise[: 2 * RATE - 1]).drift_ppm is None
    assert aligned(noise[: 2 * RATE], noise[: 2 * RATE]).drift_ppm == 0


def test_a_long_signal_is_searched_where_it_is_loudest(rng):
    samples = rng.standard_normal(2 * EXCERPT + 5000).astype(np.float32) * np.float32(1e-3)
    samples[EXCERPT + 1000 :] *= 100
    over_the_quiet = 0.01 * rng.standard_normal(samples.size - 4321)
    found = aligned(samples, delayed(samples, -4321) + over_the_quiet)
    assert (found.method, found.delay, found.polarity) == ("waveform", -4321, 1)


@pytest.mark.parametrize("seconds", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_unrelated_noise_is_laid_start_on_start(seconds, seed):
    ours, theirs = np.random.default_rng(seed).standard_normal((2, int(seconds * RATE)))
    found = aligned(ours, 3.0 * theirs)
    assert (found.method, found.delay, found.polarity, found.drift_ppm) == ("none", 0, None, None)
    assert found.gain == pytest.approx(3.0, rel=0.1)


@pytest.mark.parametrize("empty", [(0, 1), (1, 0), (0, 0)], ids=["reference", "generated", "both"])
def test_silence_is_laid_start_on_start_at_gain_1(noise, empty):
    ours, theirs = (noise * factor for factor in empty)
    assert aligned(ours, theirs) == Alignment(0, 1.0, None, 0.0, None, "none")


@pytest.mark.parametrize("lengths", [(1, 1), (1, 5000), (5000, 1), (3, 2), (100, 90)])
def test_a_few_samples_are_no_trouble(rng, lengths):
    ours, theirs = (rng.standard_normal(length) for length in lengths)
    found = aligned(ours, theirs)
    assert abs(found.delay) < max(lengths)
    assert np.isfinite([found.gain, found.correlation]).all()


def griffin_lim(audio, iterations, seed):
    """The same magnitudes with phases made up from random ones: what a vocoder does."""
    magnitude = np.abs(librosa.stft(audio.mono, n_fft=1024))
    return librosa.griffinlim(magnitude, n_fft=1024, n_iter=iterations, random_state=seed, length=audio.length)


@pytest.mark.parametrize("milliseconds", [-50, 0, 50])
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_sound_with_phases_of_its_own_is_found_by_its_spectrogram(real, milliseconds, seed):
    delay = round(milliseconds / 1000 * real.rate)
    found = aligned(real.mono, 0.5 * delayed(griffin_lim(real, 8, seed), delay), real.rate)
    assert (found.method, found.polarity, found.drift_ppm) == ("spectrogram", None, None)
    assert found.delay == pytest.approx(delay, abs=1.5 * FRAMING.hop)  # the nearest frame, or the one beside
    assert found.gain == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize(
    ("iterations", "seed"), [(32, 1), *(pytest.param(60, seed, marks=pytest.mark.slow) for seed in range(3))]
)
def test_a_note_with_phases_of_its_own_is_neither_inverted_nor_moved(data, iterations, seed):
    real = read(data / "violin.wav")
    # The better made-up phases fit each other, the more a note is like the original's: at one delay or another.
    found = aligned(real.mono, 0.5 * griffin_lim(real, iterations, seed), real.rate)
    assert found.polarity != -1
    assert abs(found.delay) <= 1.5 * FRAMING.hop


@given(sizes=st.tuples(st.integers(0, 50), st.integers(0, 50)), delay=st.integers(-60, 60))
def test_overlap_is_every_sample_that_has_its_partner(sizes, delay):
    reference, generated = (np.arange(size, dtype=np.float32) for size in sizes)
    ours, theirs = Alignment(delay).overlap(reference, generated)
    partners = [i for i in range(sizes[0]) if 0 <= i + delay < sizes[1]]
    assert ours.tolist() == partners
    assert theirs.tolist() == [i + delay for i in partners]
    assert ours.base is reference


@given(st.integers(1, 1 << 22))
def test_fast_size_is_the_next_of_9_10_12_15_16_times_a_power_of_two(least):
    found = fast_size(least)
    assert least <= found <= max(least * 5 / 4, 16)
    odd = found >> ((found & -found).bit_length() - 1)
    assert odd in (1, 3, 5, 9, 15)


@pytest.mark.parametrize("delay", [-350, 0, 3, 350])
def test_of_a_long_good_copy_the_near_search_says_what_the_long_one_says(rng, monkeypatch, delay):
    sound = 0.1 * rng.standard_normal(40 * RATE)
    copy = delayed(sound, delay) + 1e-3 * rng.standard_normal(sound.size + delay)
    near = aligned(sound, copy)
    monkeypatch.setattr(single_delay, "NEAR_EXCERPT", sound.size)
    far = aligned(sound, copy)
    assert near.delay == far.delay == delay
    assert (near.gain, near.correlation) == pytest.approx((far.gain, far.correlation), rel=1e-6)


def test_of_a_copy_the_long_search_is_not_made(rng, monkeypatch):
    sound = 0.1 * rng.standard_normal(40 * RATE)
    sizes = []
    honest = single_delay.peak_correlation
    monkeypatch.setattr(
        single_delay, "peak_correlation", lambda *a, **k: sizes.append(a[0].shape[1]) or honest(*a, **k)
    )
    aligned(sound, sound)
    assert max(sizes) == single_delay.NEAR_EXCERPT
    sizes.clear()
    aligned(sound, sound + 0.02 * rng.standard_normal(sound.size))  # r 0.98, and another delay might be better
    assert max(sizes) == sound.size
