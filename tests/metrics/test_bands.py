"""Band energies: shares of known mixtures, the edges of IEC 61260, and the band a filter took away."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis import Pair, Signal
from diagnose.analysis.bands import THIRD_OCTAVES, third_octave_edges
from diagnose.audio import from_array
from diagnose.metrics import METRICS

RATE = 22050
THIRDS = {THIRD_OCTAVES[k]: third_octave_edges(k) for k in range(24)}  # those that reach into 0 to 11,025 Hz


def signal_of(samples, rate=RATE):
    return Signal(from_array(np.asarray(samples), rate))


def share_db(name, samples, rate=RATE):
    return METRICS[name].measure(signal_of(samples, rate)).value


def measured(name, reference, generated):
    return METRICS[name].measure(Pair(signal_of(reference), signal_of(generated)))


def deficit(reference, generated):
    return measured("band_deficit_db", reference, generated)


def excess(reference, generated):
    return measured("band_excess_db", reference, generated)


@pytest.fixture(scope="module")
def impulse():
    return signal_of((np.arange(30 * RATE) == 15 * RATE) * 0.9)


@pytest.fixture(scope="module")
def white():
    return signal_of(0.1 * np.random.default_rng(11).standard_normal(20 * RATE))


def faded_sine(hz, seconds=2):
    """A sine under a Hann window as long as itself: cut off hard, it would have energy at every frequency."""
    return np.sin(2 * np.pi * hz * np.arange(seconds * RATE) / RATE) * np.hanning(seconds * RATE)


def scaled_between(samples, low, high, gain):
    """samples with everything between low and high Hz times gain, by one FFT of the whole."""
    spectrum, hz = np.fft.rfft(samples), np.fft.rfftfreq(samples.size, 1 / RATE)
    spectrum[(hz >= low) & (hz < high)] *= gain
    return np.fft.irfft(spectrum, samples.size)


@pytest.mark.parametrize(("low_hz", "high_hz"), [(500, 2000), (2000, 6000), (440, 9500)])
@pytest.mark.parametrize("amplitude", [1.0, 0.1, 0.001])
def test_two_sines_have_the_shares_of_their_squared_amplitudes(low_hz, high_hz, amplitude):
    names = {500: "band_0_1024_db", 440: "band_0_1024_db", 2000: "band_1024_4096_db"}
    names |= {6000: "band_4096_8192_db", 9500: "band_8192_nyquist_db"}
    samples = 0.4 * faded_sine(low_hz) + 0.4 * amplitude * faded_sine(high_hz)
    total = 1 + amplitude**2
    assert share_db(names[low_hz], samples) == pytest.approx(10 * np.log10(1 / total), abs=0.02)
    assert share_db(names[high_hz], samples) == pytest.approx(10 * np.log10(amplitude**2 / total), abs=0.02)


@pytest.mark.parametrize("amplitude", [1.0, 0.1])
def test_the_nyquist_frequency_has_no_negative_twin_to_be_counted(amplitude):
    # (-1)**n is a line at the Nyquist frequency with the power of its square, a sine's is half of that.
    line = 0.4 * amplitude * (-1.0) ** np.arange(2 * RATE) * np.hanning(2 * RATE)
    share = amplitude**2 / (amplitude**2 + 0.5)
    found = share_db("band_8192_nyquist_db", line + 0.4 * faded_sine(500))
    assert found == pytest.approx(10 * np.log10(share), abs=0.02)


@pytest.mark.parametrize(
    ("nominal", "low", "high"),
    [
        ("100", 89.125, 112.202),
        ("1000", 891.251, 1122.018),
        ("4000", 3548.134, 4466.836),
        ("20000", 17782.79, 22387.21),
    ],
)
def test_third_octave_edges_are_those_of_iec_61260(nominal, low, high):
    assert third_octave_edges(THIRD_OCTAVES.index(nominal)) == pytest.approx((low, high), rel=1e-5)


def test_third_octaves_join_without_gap_and_hold_their_nominal_frequency():
    edges = [third_octave_edges(index) for index in range(len(THIRD_OCTAVES))]
    assert [high for _, high in edges[:-1]] == pytest.approx([low for low, _ in edges[1:]])
    centres = np.sqrt([low * high for low, high in edges])
    assert centres == pytest.approx([float(name) for name in THIRD_OCTAVES], rel=0.02)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("band_0_1024_db", 0, 1024),
        ("band_1024_4096_db", 1024, 4096),
        ("band_4096_8192_db", 4096, 8192),
        ("band_8192_nyquist_db", 8192, 11025),
        *((f"third_octave_{name}_db", *THIRDS[name]) for name in ("500", "1000", "3150")),
    ],
)
def test_white_noise_fills_a_band_in_proportion_to_its_width(white, name, low, high):
    assert METRICS[name].measure(white).value == pytest.approx(10 * np.log10((high - low) / (RATE / 2)), abs=0.15)


def test_the_four_bands_make_up_the_whole(rng):
    samples = np.cumsum(rng.standard_normal(RATE)) * 1e-3
    shares = [share_db(name, samples) for name in METRICS if name.startswith("band_") and METRICS[name].of == "signal"]
    assert len(shares) == 4
    assert np.sum(10 ** (np.array(shares) / 10)) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "low", "high"), [("band_0_1024_db", 0, 1024), *((f"third_octave_{n}_db", *THIRDS[n]) for n in THIRDS)]
)
def test_the_flat_spectrum_of_an_impulse_gives_every_band_its_width_also_below_one_bin(impulse, name, low, high):
    width = (min(high, RATE / 2) - low) / (RATE / 2)
    # Taking off the mean takes 2048 / n of the lowest bin, and no more.
    assert METRICS[name].measure(impulse).value == pytest.approx(10 * np.log10(width), abs=0.03)


@pytest.mark.parametrize(("rate", "name"), [(8000, "band_4096_8192_db"), (16000, "band_8192_nyquist_db")])
def test_a_band_above_the_nyquist_frequency_has_a_reason(rng, rate, name):
    measured = METRICS[name].measure(signal_of(0.1 * rng.standard_normal(rate), rate))
    assert measured.value is None
    assert f"{rate // 2} Hz" in measured.reason


def test_a_band_that_begins_at_the_nyquist_frequency_is_none(rng):
    noise = 0.1 * rng.standard_normal(2**14)
    assert "8192 Hz" in METRICS["band_8192_nyquist_db"].measure(signal_of(noise, 16384)).reason
    assert METRICS["band_8192_nyquist_db"].measure(signal_of(noise, 16400)).value < -20


@pytest.mark.parametrize("name", [name for name in METRICS if name.startswith(("band_", "third_"))])
def test_the_region_of_a_band_is_the_band(name):
    metric = METRICS[name]
    if metric.of == "signal":
        band = metric.function.keywords
        assert metric.region == ("band", band["low"], band["high"] or np.inf)


@pytest.mark.parametrize(
    ("band", "loss_db", "level"),
    [("500", 15.0, 0.1), ("2000", 6.0, 1.0), ("2000", 0.8, 1.0), ("2000", 20.0, 3.0), ("8000", 30.0, 0.1)],
)
def test_the_deficit_is_the_depth_of_the_deepest_notch_whatever_the_gain(rng, band, loss_db, level):
    low, high = THIRDS[band]
    noise, beside = 0.1 * rng.standard_normal(6 * RATE), 40.0  # Hz: what is beside the notch leaks into its last bins
    found = deficit(noise, level * scaled_between(noise, low - beside, high + beside, 10 ** (-loss_db / 20)))
    # Least squares put the gain at 1 - p (1 - g) where a share p of the power was scaled by g.
    gain = 1 - (high - low + 2 * beside) / (RATE / 2) * (1 - 10 ** (-loss_db / 20))
    assert found.value == pytest.approx(loss_db + 20 * np.log10(gain), abs=0.25)
    assert found.detail["band_hz"] == int(band)
    assert (found.detail["low_hz"], found.detail["high_hz"]) == pytest.approx((low, high))


@pytest.mark.parametrize(("level_db", "counts"), [(-35.0, True), (-60.0, False)])
def test_a_band_under_50_db_of_the_total_is_no_loss(rng, level_db, counts):
    low, high = THIRDS["5000"]
    tone = 0.5 * faded_sine(440, 4)
    hiss = scaled_between(scaled_between(rng.standard_normal(tone.size), 0, low, 0), high, RATE, 0)
    hiss *= np.hanning(tone.size)
    hiss *= tone.std() / hiss.std() * 10 ** (level_db / 20)
    found = deficit(tone + hiss, tone + 0.01 * hiss)
    assert found.value == (pytest.approx(40.0, abs=1.0) if counts else pytest.approx(0.0, abs=0.01))


def test_energy_that_was_added_is_no_deficit(rng):
    noise = 0.1 * rng.standard_normal(4 * RATE)
    added = scaled_between(rng.standard_normal(noise.size), 0, 5000, 0) * 0.1
    assert deficit(scaled_between(noise, 5000, RATE, 0.1), scaled_between(noise, 5000, RATE, 0.1) + added).value < 0.5


def test_a_copy_has_neither_deficit_nor_excess_and_no_band_to_name(rng):
    noise = 0.1 * rng.standard_normal(2 * RATE)
    for found in (deficit(noise, noise), excess(noise, noise)):
        assert (found.value, found.detail) == (0.0, {})


@pytest.mark.parametrize("of", [deficit, excess])
def test_a_band_that_reaches_over_19_20ths_of_the_nyquist_frequency_is_passed_over(rng, of):
    noise = 0.1 * rng.standard_normal(4 * RATE)
    below = scaled_between(noise, THIRDS["10000"][0] + 40, RATE, 0.03)  # the band at 10 kHz reaches to 11,220 Hz
    assert of(*((noise, below) if of is deficit else (below, noise))).value < 0.5


def test_nothing_but_bands_that_are_passed_over_is_no_loss():
    high = 0.4 * faded_sine(10_700)
    assert deficit(high, high).value == 0.0


@pytest.mark.parametrize(("gain_db", "level"), [(12.0, 1.0), (0.8, 1.0), (20.0, 0.1)])
def test_the_excess_is_the_height_of_the_highest_band_whatever_the_gain(rng, gain_db, level):
    low, high = THIRDS["800"]
    noise, beside = 0.1 * rng.standard_normal(6 * RATE), 40.0
    found = excess(noise, level * scaled_between(noise, low - beside, high + beside, 10 ** (gain_db / 20)))
    gain = 1 + (high - low + 2 * beside) / (RATE / 2) * (10 ** (gain_db / 20) - 1)
    assert found.value == pytest.approx(gain_db - 20 * np.log10(gain), abs=0.25)
    assert found.detail["band_hz"] == 800


def with_a_band_at(rng, *levels_db):
    """A tone of 440 Hz with noise in the third octave at 5 kHz, at each of the levels under the tone's power."""
    low, high = THIRDS["5000"]
    tone = 0.5 * faded_sine(440, 4)
    hiss = scaled_between(scaled_between(rng.standard_normal(tone.size), 0, low, 0), high, RATE, 0)
    hiss *= np.hanning(tone.size)
    return [tone + hiss * tone.std() / hiss.std() * 10 ** (db / 20) for db in levels_db]


@pytest.mark.parametrize(
    ("before_db", "after_db", "expected"),
    [
        (-50.0, -38.0, 12.0),
        (-80.0, -38.0, 22.0),  # from -60 dB on
        (-58.0, -38.0, 20.0),
        (-70.0, -42.0, 0.0),  # too little to matter
    ],
)
def test_what_was_added_counts_from_minus_60_db_to_over_minus_40(rng, before_db, after_db, expected):
    found = excess(*with_a_band_at(rng, before_db, after_db))
    assert found.value == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize(("level_db", "expected"), [(-48.5, 30.0), (-51.5, 0.0)])
def test_the_total_holds_the_nyquist_frequency_too(rng, level_db, expected):
    # (-1)**n, of which three bins of the window hold all: without its last, the total would be 3 to 5 dB less.
    low, high = THIRDS["500"]
    line = 0.4 * (-1.0) ** np.arange(4 * RATE) * np.hanning(4 * RATE)
    hiss = scaled_between(scaled_between(rng.standard_normal(line.size), 0, low, 0), high, RATE, 0)
    hiss *= np.hanning(line.size)
    hiss *= line.std() / hiss.std() * 10 ** (level_db / 20)
    found = deficit(line + hiss, line + 10 ** (-30 / 20) * hiss)
    assert found.value == pytest.approx(expected, abs=0.3)


# What the lower of two rates cannot hold


def beyond(file, rate=RATE, file_rate=2 * RATE):
    """beyond_rate_share of a reference file against a generated one at rate."""
    whole = signal_of(file, file_rate)
    at_rate = signal_of(0.1 * faded_sine(300), rate)
    return METRICS["beyond_rate_share"].measure(Pair(at_rate, at_rate, (whole, at_rate)))


def sines(*amplitudes_at, rate=2 * RATE):
    time = np.arange(2 * rate) / rate
    return sum(a * np.sin(2 * np.pi * hz * time) for a, hz in amplitudes_at) * np.hanning(time.size)


@pytest.mark.parametrize(("level", "bias"), [(0.4, 0.0), (1e-4, 0.0), (0.4, 0.3)])
@pytest.mark.parametrize(
    ("low_hz", "high_hz", "share"),
    [
        (500, 15_000, 0.5),
        (500, 20_000, 0.2),
        (64.6, 15_000, 0.5),  # bin 3, which reaches down to bin 2
        (500, 10_000, 0.0),
    ],
)
def test_beyond_the_rate_lies_the_share_of_the_power_over_its_nyquist_frequency(low_hz, high_hz, share, level, bias):
    high = level * np.sqrt(share / (1 - share)) if share else level
    found = beyond(sines((level, low_hz), (high, high_hz)) + bias)
    assert found.value == pytest.approx(share, abs=0.005)
    assert found.detail == {"nyquist_hz": RATE / 2}


def test_a_line_at_the_files_own_nyquist_frequency_is_all_beyond():
    line = 0.4 * (-1.0) ** np.arange(4 * RATE) * np.hanning(4 * RATE)
    assert beyond(line).value == pytest.approx(1.0, abs=1e-6)


def test_at_one_rate_nothing_is_beyond_it_and_of_silence_nothing_can_be_told():
    assert beyond(sines((0.4, 500), rate=RATE), file_rate=RATE).value == 0.0
    assert "silence" in beyond(np.full(4 * RATE, 0.3)).reason
