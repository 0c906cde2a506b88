"""The metric that the catalogue names breaks its limit at middle severity: by injectors, else by sounds broken here."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from diagnose import example
from diagnose.analysis import Signal
from diagnose.audio import Audio, from_array
from diagnose.comparison import judge_pair
from diagnose.faults import CATALOGUE, INJECTORS
from diagnose.injectors import mel, spectrum, time
from diagnose.profile import default_profile
from diagnose.resynthesis import inverse_stft, stft

RATE = 22_050
pytestmark = pytest.mark.slow


def verdict(reference, generated, metric):
    rows = judge_pair((Signal(reference), Signal(generated)), default_profile()).rows
    return next(row.verdict for row in rows if row.name == metric)


@pytest.mark.parametrize("injector", INJECTORS.values(), ids=lambda injector: injector.name)
def test_the_metric_of_an_injector_is_over_its_limit_at_middle_severity(injector, melody, stereo):
    sound = melody if injector.fits(melody) else stereo
    broken = injector.inject(sound, 0.5, np.random.default_rng(1))
    assert verdict(sound, broken, injector.metric or CATALOGUE[injector.cause].metric) in ("WARN", "FAIL")


# What nobody injects yet, broken as plainly as it can be: functions of the samples, of the rate 22,050 Hz.


def as_int16(x):
    return np.clip(np.round(x * 32768), -32768, 32767).astype("<i2")


def as_mu_law(x):
    """G.711 bytes, without their inversion, as unsigned 8-bit samples."""
    return np.sign(x) * np.log1p(255 * np.abs(x)) / np.log(256)


def with_silence_in_the_quiet(x, size=220):
    whole = x.size // size * size
    loud = np.abs(x[:whole].reshape(-1, size)).max(axis=1) > 0.25 * np.abs(x).max()
    return x * np.pad(np.repeat(loud, size), (0, x.size - whole))


def high_passed(x, hz=600.0):
    return np.fft.irfft(np.fft.rfft(x) * np.clip((np.fft.rfftfreq(x.size, 1 / RATE) / hz) ** 4, 0, 1), x.size)


def in_a_room(x, rng):
    room = np.exp(-np.arange(RATE // 2) / (0.08 * RATE)) * rng.standard_normal(RATE // 2)
    room[0] = 3.0
    return as_loud(np.convolve(x, room)[: x.size], x)


def as_loud(y, x):
    return y * (x.std() / y.std())


def seconds(x):
    return np.arange(x.size) / RATE


def siren(x):
    moving = np.sin(2 * np.pi * np.cumsum(800 + 600 * np.sin(2 * np.pi * 3 * seconds(x))) / RATE)
    return x.std() * moving * (np.sin(2 * np.pi * 1.3 * seconds(x)) > 0)


def lines(x, *hz):
    return x.std() * sum(np.sin(2 * np.pi * each * seconds(x)) for each in hz)


def with_a_hole_each_chunk(x):
    return np.where(np.arange(x.size) % 2048 < 40, 0.0, x)


def envelope(spectra):
    magnitude = np.pad(np.abs(spectra), ((0, 0), (10, 10)), mode="edge")
    return sliding_window_view(magnitude, 21, axis=1).mean(axis=-1) + 1e-9


def whispered(x, rng):
    noise = stft(rng.standard_normal(x.size), spectrum.FRAMING)
    return as_loud(
        inverse_stft(noise / np.abs(noise) * envelope(stft(x, spectrum.FRAMING)), spectrum.FRAMING, x.size), x
    )


def as_a_smaller_voice(x, factor=1.25):
    spectra = stft(x, spectrum.FRAMING)
    ours, bins = envelope(spectra), np.arange(spectra.shape[1])
    moved = np.stack([np.interp(bins / factor, bins, row) for row in ours])
    return as_loud(inverse_stft(spectra * moved / ours, spectrum.FRAMING, x.size), x)


def vocoded(x, rng, change):
    return mel.spoken(change(np.log(mel.magnitudes(Audio(x[None].astype(np.float32), RATE)))), x.size, rng).mono


def turned(values):
    """The mel by its other axis, cut and stretched to as many bands and frames as there were."""
    frames = np.linspace(0, values.shape[1] - 1, values.shape[0]).round().astype(int)
    return values[:, frames].T


def smoothed(values):
    return sliding_window_view(np.pad(values, 4, mode="edge"), (9, 9)).mean(axis=(2, 3))


BROKEN = {
    "silent": lambda x, rng: 1e-6 * x,
    "modulation": lambda x, rng: x * (1 + 0.7 * np.sin(2 * np.pi * 1.5 * seconds(x))),
    "gated": lambda x, rng: with_silence_in_the_quiet(x),
    "integer-overflow": lambda x, rng: (1.4 * x + 1) % 2 - 1,
    "bytes-misread": lambda x, rng: as_int16(x).astype(">i2").view("<i2") / 32768,
    "companding": lambda x, rng: as_mu_law(x),
    "non-finite": lambda x, rng: np.where(np.arange(x.size) // 200 == 45, np.nan, x),
    "foreign-data": lambda x, rng: np.concatenate([rng.integers(-32768, 32767, 100) / 32768, x]),
    "low-frequency-loss": lambda x, rng: high_passed(x),
    "reverberation": in_a_room,
    "interference": lambda x, rng: x + 0.3 * siren(x),
    "tonal": lambda x, rng: x + 0.05 * lines(x, 1722.6, 3445.3, 5168.0),
    "frame-rate-tremolo": lambda x, rng: x * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(x.size) / 256)),
    "tail-added": lambda x, rng: np.concatenate([x, 0.3 * x.std() * rng.standard_normal(RATE // 3)]),
    "segment-lost": lambda x, rng: np.delete(x, slice(12_000, 14_000)),
    "segment-inserted": lambda x, rng: np.insert(x, 12_000, np.zeros(2000)),
    "segment-repeated": lambda x, rng: np.insert(x, 12_000, x[10_000:12_000]),
    "segment-replaced": lambda x, rng: np.concatenate([x[:12_000], x[30_000:32_000], x[14_000:]]),
    "chunk-seams": lambda x, rng: with_a_hole_each_chunk(x),
    "wow": lambda x, rng: np.interp(seconds(x) + 0.004 * np.sin(2 * np.pi * 1.2 * seconds(x)), seconds(x), x),
    "octave-error": lambda x, rng: time.shift_pitch(Audio(x[None].astype(np.float32), RATE), 1200.0, rng).mono,
    "pitch-flattened": lambda x, rng: example.bowed_string(240.0, x.size / RATE, RATE).mono,
    "voicing-lost": whispered,
    "formant-shift": lambda x, rng: as_a_smaller_voice(x),
    "axes-exchanged": lambda x, rng: vocoded(x, rng, turned),
    "over-smoothed": lambda x, rng: vocoded(x, rng, smoothed),
}


@pytest.mark.parametrize("cause", BROKEN)
def test_what_nobody_injects_breaks_the_limit_of_its_metric(cause, melody):
    x = melody.mono.astype(np.float64)
    x *= 0.9 / np.abs(x).max()
    made = from_array(BROKEN[cause](x, np.random.default_rng(0)), RATE, mend=True)
    assert verdict(from_array(x, RATE), made, CATALOGUE[cause].metric) in ("WARN", "FAIL")


def sentence(seed, syllables=12, size=2400):
    """Voiced syllables of 0.3 s at 8 kHz, each of a pitch and of three formants of its own."""
    rng, parts = np.random.default_rng(seed), []
    for _ in range(syllables):
        formants = rng.uniform([250, 800, 2200], [800, 2200, 3600])[:, None]
        harmonics = np.arange(120 * rng.uniform(0.8, 1.3), 3900, 130.0)
        levels = np.exp(-np.square((harmonics - formants) / 120)).sum(axis=0) + 1e-3
        turned = rng.uniform(0, 2 * np.pi, (harmonics.size, 1))
        wave = levels @ np.sin(2 * np.pi * np.outer(harmonics, np.arange(size) / 8000) + turned)
        parts.append(wave * np.sqrt(np.sin(np.pi * (np.arange(size) + 0.5) / size)))
    said = np.concatenate(parts)
    return from_array(0.1 * said / said.std(), 8000)


def of_two_sounds_or_channels_or_rates(stereo):
    string = example.bowed_string(196.0, 2.0, 44_100)
    yield "different-content", sentence(1), sentence(2)
    yield "channel-swapped", stereo, Audio(stereo.samples[::-1].copy(), RATE)
    yield "channels-interleaved", stereo, Audio(stereo.samples.T.reshape(1, -1), RATE)
    yield "aliasing", string, Audio(string.samples[:, ::4], 11_025)


def test_so_does_what_takes_two_sounds_or_channels_or_rates(stereo):
    for cause, reference, generated in of_two_sounds_or_channels_or_rates(stereo):
        assert verdict(reference, generated, CATALOGUE[cause].metric) in ("WARN", "FAIL"), cause


def test_every_metric_of_the_catalogue_is_held_by_a_sound(stereo):
    held = {injector.cause for injector in INJECTORS.values()} | set(BROKEN)
    held |= {cause for cause, _, _ in of_two_sounds_or_channels_or_rates(stereo)}
    assert held == {fault.id for fault in CATALOGUE.values() if fault.metric}
