"""compare(repair=True): the generated sound with what can be undone undone, against closed forms."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest

import diagnose
from diagnose.audio import Audio, resample
from diagnose.results.report_json import report_from

RATE = 16_000
EQUAL_DB = -60.0


@pytest.fixture(scope="module")
def sound():
    """Two seconds of plucked chords over a little noise, within 16 bits, no two parts alike."""
    rng = np.random.default_rng(1)
    time = np.arange(2 * RATE) / RATE
    made = 1e-3 * rng.standard_normal(time.size)
    for bar in range(8):
        since = np.maximum(time - 0.25 * bar, 0.0)
        envelope = np.exp(-6 * since) * (time >= 0.25 * bar) * np.minimum(since / 0.005, 1.0)
        for hz in rng.uniform(100, 500, 3):
            made += 0.05 * envelope * sum(np.sin(2 * np.pi * hz * k * time + k) / k for k in range(1, 15))
    return np.round(made / np.abs(made).max() * 0.9 * 32767) / 32768


def audio(samples, rate=RATE):
    return Audio(np.atleast_2d(samples).astype(np.float32), rate)


def repaired(reference, generated):
    report = diagnose.compare(reference, generated, repair=True)
    assert report.repair is not None
    return report


def ids(report):
    return [one for step in report.repair.undone for one in step.ids]


def off_db(report, reference):
    """Power of repaired - reference over the reference's; both of one length, or it is no repair."""
    made = report.repaired
    assert made is not None, report.repair
    assert (made.rate, made.samples.shape) == (reference.rate, reference.samples.shape)
    error = np.square(made.samples - reference.samples, dtype=np.float64).sum()
    return 10 * np.log10(error / np.square(reference.samples, dtype=np.float64).sum() + 1e-30)


def test_a_gain_and_a_constant_are_taken_back(sound):
    report = repaired(audio(sound), audio(2 * sound + 0.05))
    assert ids(report) == ["dc-offset", "gain"]
    assert off_db(report, audio(sound)) < EQUAL_DB


def test_integers_that_wrapped_are_put_back(sound):
    too_loud = 2.5 * sound
    report = repaired(audio(sound), audio((too_loud + 1) % 2 - 1))
    assert "integer-overflow" in ids(report)
    assert off_db(report, audio(sound)) < EQUAL_DB


def test_an_inverted_sound_is_turned(sound):
    report = repaired(audio(sound), audio(-sound))
    assert ids(report) == ["polarity"]
    assert np.array_equal(report.repaired.samples, audio(sound).samples)


def test_silence_that_was_put_in_is_cut_out(sound):
    at, size = 14_000, round(0.03 * RATE)
    generated = np.concatenate([sound[:at], np.zeros(size), sound[at:]])
    report = repaired(audio(sound), audio(generated))
    assert ids(report) == ["segment-inserted"]
    assert off_db(report, audio(sound)) < EQUAL_DB


def test_a_delay_and_a_padded_end_are_cut(sound):
    report = repaired(audio(sound), audio(np.pad(sound, (2400, 4000))))
    assert ids(report) == ["delay", "padded"]
    assert np.array_equal(report.repaired.samples, audio(sound).samples)


def test_what_is_early_gets_its_place_back(sound):
    report = repaired(audio(sound), audio(sound[800:]))
    assert "delay" in ids(report)
    assert report.repaired.length == sound.size
    assert np.array_equal(report.repaired.samples[0, 800:], audio(sound[800:]).samples[0])
    assert not report.repaired.samples[0, :800].any()


def test_a_lost_part_is_silence_and_what_follows_lies_right(sound):
    at, size = 14_000, 1600
    report = repaired(audio(sound), audio(np.concatenate([sound[:at], sound[at + size :]])))
    assert "segment-lost" in {one.id for one in report.repair.left_undone}
    assert report.repaired.length == sound.size
    assert np.allclose(report.repaired.samples[0, at + size :], audio(sound).samples[0, at + size :])


def test_a_chain_of_two_steps_has_a_ledger(sound):
    time = np.arange(sound.size) / RATE
    report = repaired(audio(sound), audio(0.4 * (sound + 0.1 * np.sin(2 * np.pi * 50 * time))))
    first, second = report.repair.undone
    assert {*first.ids, *second.ids} == {"gain", "hum"}
    assert report.repair.distance_before_db == first.before_db > first.after_db == second.before_db > second.after_db
    assert second.after_db == report.repair.distance_after_db
    assert off_db(report, audio(sound)) < EQUAL_DB / 2


def test_what_only_helps_together_is_undone_together(sound):
    """Inverted and late: each alone leaves the sound as far off as it was, or farther."""
    time = np.arange(sound.size) / RATE
    tone = sound * 0.3 + 0.5 * np.sin(2 * np.pi * 400 * time)
    late = -np.pad(tone, (20, 0))  # half a period: inverted, the tone lies right
    report = repaired(audio(tone), audio(late))
    assert [step.ids for step in report.repair.undone] == [("delay", "polarity")]
    assert off_db(report, audio(tone)) < EQUAL_DB


def test_bytes_that_were_read_in_the_wrong_order_are_read_anew(sound):
    steps = np.round(sound * 32768).astype("<i2")
    report = repaired(audio(sound), audio(steps.byteswap() / 32768))
    assert ids(report) == ["bytes-misread"]
    assert np.array_equal(report.repaired.samples, audio(sound).samples)


def test_a_wrong_rate_label_is_put_right_and_no_sample_changes(sound):
    report = repaired(audio(sound), audio(sound, 32_000))
    assert ids(report) == ["sample-rate"]
    assert report.repaired.rate == RATE
    assert np.array_equal(report.repaired.samples, audio(sound).samples)


def test_a_copy_at_a_higher_rate_stays_at_its_rate(sound):
    higher = resample(audio(sound), 48_000)
    late = np.pad(higher.samples * 0.4 + 0.1, ((0, 0), (3001, 0)))
    report = repaired(audio(sound), Audio(late, 48_000))
    assert {"delay", "gain", "dc-offset"} <= set(ids(report))
    assert off_db(report, higher) < EQUAL_DB / 2


def test_one_inverted_channel_is_turned_alone(sound):
    stereo = np.stack([sound, np.roll(sound, 3000)[::-1]])
    report = repaired(audio(stereo), audio(stereo * [[1], [-1]]))
    assert [(step.ids, step.channel) for step in report.repair.undone] == [(("polarity",), 2)]
    assert np.array_equal(report.repaired.samples, audio(stereo).samples)


def test_exchanged_channels_are_put_back(sound):
    stereo = np.stack([sound, np.roll(sound, 3000)[::-1]])
    report = repaired(audio(stereo), audio(stereo[::-1]))
    assert ids(report) == ["channel-swapped"]
    assert np.array_equal(report.repaired.samples, audio(stereo).samples)


def test_all_channels_that_wrapped_are_put_back(sound):
    stereo = 1.3 * np.stack([sound, sound[::-1]])
    report = repaired(audio(stereo / 1.3), audio((stereo + 1) % 2 - 1))
    assert off_db(report, audio(stereo / 1.3)) < EQUAL_DB


def test_a_limit_keeps_its_peaks_and_gives_its_gain_back(sound):
    report = repaired(audio(sound), audio(np.clip(3 * sound, -0.8, 0.8)))
    assert ids(report) == ["gain"]
    assert "clipping" in {one.id for one in report.repair.left_undone}


def test_a_filter_is_taken_back_and_its_inverse_is_bounded(sound):
    spectrum = np.fft.rfft(sound)
    hz = np.fft.rfftfreq(sound.size, 1 / RATE)
    dull = np.fft.irfft(spectrum * np.where(hz > 3000, 1e-4, 1.0), sound.size)
    report = repaired(audio(sound), audio(dull))
    assert "high-frequency-loss" in {one.id for one in report.repair.left_undone}
    if report.repaired is not None:
        raised = np.abs(np.fft.rfft(report.repaired.samples[0])[hz > 3200])
        assert raised.max() <= 40 * np.abs(np.fft.rfft(audio(dull).samples[0])[hz > 3200]).max()


@pytest.mark.parametrize("level", [0.3, 0.05])
def test_noise_is_left_and_no_sound_is_made(sound, level):
    noise = level * sound.std() * np.random.default_rng(2).standard_normal(sound.size)
    report = repaired(audio(sound), audio(sound + noise))
    assert report.repaired is None
    assert not report.repair.undone
    assert report.repair.distance_after_db == report.repair.distance_before_db
    assert [one.id for one in report.repair.left_undone] == ["noise"]


def test_another_sound_is_not_repaired(sound):
    other = np.random.default_rng(5).standard_normal(sound.size) * 0.1
    report = repaired(audio(sound), audio(other))
    assert report.repaired is None
    assert report.repair.left_undone


def test_what_passes_needs_no_repair(sound):
    report = repaired(audio(sound), audio(sound))
    assert (report.verdict, report.repair, report.repaired) == ("PASS", diagnose.Repair(), None)


@pytest.mark.parametrize("generated", [np.zeros(RATE), np.full(RATE, np.nan), np.full(RATE, 0.3)])
def test_what_has_no_sound_raises_nothing(sound, generated):
    report = diagnose.compare(audio(sound).samples, np.float32(generated), rate=RATE, repair=True)
    assert report.repair is not None
    assert report.repaired is None


def test_broken_samples_stay_lost_and_the_rest_is_repaired(sound):
    samples = np.float32(-sound)
    samples[9000:9010] = np.nan
    report = diagnose.compare(audio(sound).samples, samples, rate=RATE, repair=True)
    assert "non-finite" in {one.id for one in report.repair.left_undone}


def test_it_is_asked_for(sound):
    report = diagnose.compare(audio(sound), audio(-sound))
    assert (report.repair, report.repaired) == (None, None)
    assert report.as_dict()["repair"] is None


def test_json_and_back(sound):
    report = repaired(audio(sound), audio(2 * sound + 0.05))
    document = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert document["repair"]["undone"][0]["ids"] == ["dc-offset"]
    assert report_from(document).repair == report.repair
    del document["repair"]  # of an older version
    assert report_from(document).repair is None


def test_a_report_with_unprintable_words_in_its_repair_is_refused(sound):
    report = repaired(audio(sound), audio(-sound))
    wrong = msgspec.structs.replace(report.repair.undone[0], summary="\x1b[2J")
    document = msgspec.structs.replace(report, repair=diagnose.Repair((wrong,))).as_dict()
    with pytest.raises(diagnose.InputError, match="unprintable"):
        report_from(json.loads(json.dumps(document)))
