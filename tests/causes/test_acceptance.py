"""What the causes are for: the pair of the first diagnosis, its likes, clean pairs, and sounds that are hardly any."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

import diagnose
from diagnose import example
from diagnose.audio import Audio, read
from diagnose.errors import DiagnoseError
from diagnose.faults import INJECTORS

RATE = 22050
SCALE = "vocoder-input-scale"


def ids(report):
    return [cause.id for cause in report.causes]


def folded(cause):
    return {one.id for one in cause.explains}


def words(cause):
    return " ".join([cause.summary, *cause.evidence, cause.fix])


# The real pair


@pytest.fixture(scope="module")
def real(data):
    return diagnose.compare(data / "violin.wav", data / "generated_bigvgan-2.wav")


def test_the_real_pair_has_one_cause_and_is_sure_of_it(real):
    assert ids(real) == [SCALE]
    assert real.causes[0].confidence > 0.95


@pytest.mark.parametrize(
    "said",
    [
        "86.13 Hz",  # the comb
        "hop 256",
        "9[6-9] % of the energy",
        "74 % of the power is DC",
        r"spread 3\.\d nats, the reference has 9\.\d",
        "time structure lost: envelope r = -0.1",
        r"frame energies vary by [12]\.\d dB \(11\.\d in the reference\)",
    ],
)
def test_its_evidence_is_the_comb_the_bias_the_spread_and_the_time_structure(real, said):
    assert re.search(said, " | ".join(real.causes[0].evidence))


@pytest.mark.parametrize("said", ["ln", "1e-5", "8000", "mel_basis @ |STFT|", "natural log", "not centred"])
def test_its_fix_is_what_the_vocoder_reads(real, said):
    assert said in real.causes[0].fix


def test_the_bias_the_loudness_and_the_hum_are_folded_under_it(real):
    assert {"dc-offset", "gain", "frame-rate-hum"} <= folded(real.causes[0])
    loud = next(one for one in real.causes[0].explains if one.id == "gain")
    assert "4.1 times too loud" in loud.summary


def test_the_real_report_is_strict_json(real):
    causes = json.loads(json.dumps(real.as_dict(), allow_nan=False))["causes"]
    assert causes[0]["id"] == SCALE
    assert {"id", "summary"} == set(causes[0]["explains"][0])


# Not fitted to one file


@pytest.mark.parametrize("hz", [130.8, 220.0, 440.0, 659.3])
@pytest.mark.parametrize("bias", [0.0, 0.35])
def test_a_misfed_vocoder_is_named_for_any_note_with_or_without_a_bias(hz, bias):
    note = example.bowed_string(hz, 1.0, 44_100)
    report = diagnose.compare(note, example.misfed_vocoder(note, bias=bias))
    assert report.causes[0].id == SCALE
    assert ("dc-offset" in folded(report.causes[0])) == (bias > 0)
    assert ("DC" in words(report.causes[0])) == (bias > 0)
    assert "86.13 Hz" in words(report.causes[0])


@pytest.mark.parametrize(("rate", "spacing"), [(16_000, "62.50"), (24_000, "93.75"), (32_000, "125.00")])
def test_the_comb_is_that_of_the_vocoder_s_own_rate_and_hop(melody, rate, spacing):
    cause = diagnose.compare(melody, example.misfed_vocoder(melody, rate=rate)).causes[0]
    assert cause.id == SCALE
    assert f"multiples of {spacing} Hz" in words(cause)


def plucks(rng):
    """Decaying strings, one every 0.25 s."""
    time = np.arange(round(0.25 * RATE)) / RATE
    return np.concatenate(
        [
            sum(np.exp(-(3 + k) * time) * np.sin(2 * np.pi * k * hz * time) / k for k in range(1, 12)) * 0.15
            for hz in (147.0, 196.0, 247.0, 165.0, 294.0, 220.0)
        ]
    )


def drum(rng):
    """Bursts of noise over a low tone: no pitch to speak of."""
    time = np.arange(round(0.3 * RATE)) / RATE
    hit = np.exp(-20 * time) * 0.3 * rng.standard_normal(time.size) + 0.3 * np.exp(-9 * time) * np.sin(500 * time)
    return np.tile(hit, 5) * np.repeat([1.0, 0.4, 0.7, 0.3, 0.9], hit.size)


SOUNDS = {
    "low note": lambda rng: example.bowed_string(164.8, 1.3, RATE).mono,
    "high note": lambda rng: example.bowed_string(587.3, 1.3, RATE).mono,
    "plucks": plucks,
    "drum": drum,
}


MEL_FAULTS = ["mel_linear_power", "mel_linear_magnitude", "mel_unit", "mel_linear_hum"]
OFTEN = dict(zip(SOUNDS, MEL_FAULTS, strict=True))  # each sound and each fault once in the ordinary run


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        pytest.param(kind, fault, marks=() if OFTEN[kind] == fault else pytest.mark.slow)
        for kind in SOUNDS
        for fault in MEL_FAULTS
    ],
)
def test_linear_values_for_logarithms_are_named_for_any_sound(rng, kind, fault):
    sound = Audio(SOUNDS[kind](rng)[None].astype(np.float32), RATE)
    causes = diagnose.compare(sound, INJECTORS[fault].inject(sound, 0.5, rng)).causes
    assert causes[0].id == SCALE
    assert causes[0].confidence > 0.5


# Clean


@pytest.mark.parametrize("kind", ["melody", "stereo", "plucks", "drum"])
@pytest.mark.parametrize("change", ["identical", "16 bit", "0.1 dB", "Vorbis"])
def test_a_clean_pair_has_no_known_cause(melody, stereo, rng, tmp_path, kind, change):
    made = {"melody": lambda: melody, "stereo": lambda: stereo}
    sound = made[kind]() if kind in made else Audio(SOUNDS[kind](rng)[None].astype(np.float32), RATE)
    copy = sound
    if change == "16 bit":
        copy = Audio((np.round(sound.samples * 32768) / 32768).astype(np.float32), RATE)
    elif change == "0.1 dB":
        copy = Audio(sound.samples * np.float32(10 ** (0.1 / 20)), RATE)
    elif change == "Vorbis":
        path = tmp_path / "copy.ogg"
        soundfile.write(path, sound.samples.T, RATE, format="OGG", subtype="VORBIS", compression_level=0.3)
        copy = read(path)
    report = diagnose.compare(sound, copy)
    if (change, kind) == ("Vorbis", "stereo"):  # the codec fills the quietest parts: over a limit, and no known fault
        assert report.verdict == "WARN"
        (found,) = report.causes
        assert (found.id, found.confidence) == ("unknown", 0.5)
        assert "quiet_excess_db" in found.summary
    else:
        assert (report.verdict, report.causes) == ("PASS", ())


def test_what_the_limits_let_pass_is_not_asked_for_a_cause(melody):
    report = diagnose.compare(melody, Audio(melody.samples * np.float32(10 ** (0.9 / 20)), RATE))
    assert (report.verdict, report.causes) == ("PASS", ())


# Hardly a sound


@pytest.mark.parametrize("generated", ["zeros", "constant"])
def test_a_silent_output_has_an_answer_that_says_so(melody, generated):
    value = 0.3 if generated == "constant" else 0.0
    report = diagnose.compare(melody, Audio(np.full_like(melody.samples, value), RATE))
    assert report.verdict == "FAIL"
    assert len(report.causes) == 1
    json.dumps(report.as_dict(), allow_nan=False)


@pytest.mark.parametrize("milliseconds", [20, 50, 100])
@pytest.mark.parametrize("rate", [2000, 8000, 22_050])
@pytest.mark.parametrize(
    "fault", ["gain_up", "polarity", "white_noise", "low_pass", "delay", "edge_right", "hard_clip"]
)
def test_a_very_short_sound_has_a_sensible_answer(tone, rng, milliseconds, rate, fault):
    sound = Audio(tone(300, rate, (milliseconds + 1) / 1000, 0.3)[None], rate)
    if fault == "low_pass" and rate < 8000:
        return
    report = diagnose.compare(sound, INJECTORS[fault].inject(sound, 1.0, rng))
    assert all(0 < cause.confidence <= 0.99 for cause in report.causes)
    assert not [cause for cause in report.causes if re.search(r"\b(nan|inf)\b", words(cause))]
    if fault in ("gain_up", "polarity", "delay", "hard_clip"):  # a copy that correlates is no vocoder's
        assert SCALE not in ids(report)


@pytest.mark.parametrize("milliseconds", [100, 300])
def test_a_gain_is_named_however_short_the_sound(melody, milliseconds):
    part = melody.mono[3000 : 3000 + RATE * milliseconds // 1000]
    if part.size >= 2048:
        assert ids(diagnose.compare(part, 3 * part, rate=RATE)) == ["gain"]


def test_the_lowest_rate_has_causes_too(rng):
    sound = example.bowed_string(110.0, 2.0, 2000)
    assert ids(diagnose.compare(sound, Audio(0.25 * sound.samples, 2000)))[0] == "gain"
    assert ids(diagnose.compare(sound, Audio(-sound.samples, 2000)))[0] == "polarity"
    assert ids(diagnose.compare(sound, INJECTORS["white_noise"].inject(sound, 0.7, rng)))[0] == "noise"


@pytest.mark.parametrize(
    ("channels", "named"),
    [
        (lambda x: x.mean(axis=0, keepdims=True), ["mono-stereo"]),  # mixed down
        (lambda x: np.repeat(x.mean(axis=0, keepdims=True), 2, axis=0), ["mono-stereo"]),  # one sound in both
        (lambda x: x * np.float32([[1], [0]]), ["mono-stereo"]),
        (lambda x: x * np.float32([[1], [-1]]), ["polarity"]),
    ],
    ids=["mono", "dual mono", "dead", "inverted"],
)
def test_mono_against_stereo_is_named_or_passes(melody, channels, named):
    wide = Audio(np.stack([melody.mono, 0.8 * np.roll(melody.mono, 3)]).astype(np.float32), RATE)
    report = diagnose.compare(wide, Audio(channels(wide.samples).astype(np.float32), RATE))
    assert ids(report)[:1] == (named if report.verdict in ("WARN", "FAIL") else [])


def test_a_mono_reference_and_the_same_in_two_channels_are_one(melody):
    assert diagnose.compare(melody, Audio(np.repeat(melody.samples, 2, axis=0), RATE)).verdict == "PASS"


@pytest.mark.parametrize("seed", range(4))
def test_a_click_and_a_silence_that_ends_in_noise_are_compared(seed):
    # Limited, a click is all but a constant: it once passed for a copy of the silence, at a gain of 0.
    click = np.float32(0.5) * (np.arange(201) == 100)
    late = 0.5 * np.random.default_rng(seed).standard_normal(2001) * (np.arange(2001) > 1000)
    report = diagnose.compare(click, late, rate=2000)
    assert report.pair.gain > 1e-3
    json.dumps(report.as_dict(), allow_nan=False)


@pytest.mark.parametrize("level", [1e-6, 1e-9, 1e-30])
def test_sounds_under_the_floor_of_a_mel_are_compared(rng, level):
    ours, theirs = level * rng.standard_normal((2, RATE // 10))
    for pair in ((ours, theirs), (ours, 30 * theirs / level), (30 * ours / level, theirs)):
        try:
            json.dumps(diagnose.compare(*pair, rate=RATE).as_dict(), allow_nan=False)
        except DiagnoseError:
            assert level == 1e-30


def odd_sound(kind, length, rng, level):
    steps = np.arange(length)
    made = {
        "silence": lambda: np.zeros(length),
        "constant": lambda: np.ones(length),
        "noise": lambda: rng.standard_normal(length),
        "tone": lambda: np.sin(0.3 * steps),
        "square": lambda: np.sign(np.sin(0.03 * steps) + 0.1),
        "impulse": lambda: (steps == length // 2).astype(float),
        "clicks": lambda: (steps % 997 == min(length // 2, 500)).astype(float),
        "hole": lambda: rng.standard_normal(length) * (steps > length // 2),
        "hum": lambda: np.resize(rng.standard_normal(256), length),
        "decay": lambda: np.sin(0.3 * steps) * np.exp(-steps / 500),
    }[kind]()
    return (level * made).astype(np.float32)


KINDS = ["silence", "constant", "noise", "tone", "square", "impulse", "clicks", "hole", "hum", "decay"]
LEVELS = st.sampled_from([1e-30, 1e-6, 0.01, 0.5, 30.0])


@settings(max_examples=settings.default.max_examples * 3 // 2)
@given(
    rate=st.sampled_from([2000, 8000, 22_050, 96_000]),
    kinds=st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)),
    milliseconds=st.tuples(st.sampled_from([15, 21, 50, 100, 400]), st.sampled_from([21, 50, 100, 400])),
    levels=st.tuples(LEVELS, LEVELS),
    channels=st.tuples(st.sampled_from([None, 0.0, 1.0, -1.0]), st.sampled_from([None, 0.0, 0.5, -1.0])),
    copied=st.booleans(),
    seed=st.integers(0, 999),
)
def test_no_pair_of_short_sounds_raises_anything_but_a_refusal(
    rate, kinds, milliseconds, levels, channels, copied, seed
):
    rng = np.random.default_rng(seed)
    ours, theirs = (
        odd_sound(kind, max(ms * rate // 1000, 1), rng, level)
        for kind, ms, level in zip(kinds, milliseconds, levels, strict=True)
    )
    if copied:  # the one somewhere in the other
        theirs = np.concatenate([theirs[: theirs.size // 3], ours])
    ours, theirs = (
        sound if right is None else np.stack([sound, np.float32(right) * sound])
        for sound, right in zip((ours, theirs), channels, strict=True)
    )
    try:
        report = diagnose.compare(ours, theirs, rate=rate)
    except DiagnoseError:
        return
    json.dumps(report.as_dict(), allow_nan=False)
    assert all(0 < cause.confidence <= 0.99 for cause in report.causes)
    assert not [cause for cause in report.causes if re.search(r"\b(nan|inf)\b", words(cause))]
