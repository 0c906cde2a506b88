"""What a page plays: in which coding, at what level, and what is left of one sound less the other."""

from __future__ import annotations

import base64
import io

import msgspec
import numpy as np
import pytest
import soundfile

import diagnose
from diagnose import example
from diagnose.audio import Audio
from diagnose.render import sounds
from diagnose.render.sounds import sounds_of

RATE = 22050


def decoded(player):
    head, _, data = player.uri.partition(",")
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(data)), always_2d=True, dtype="float32")
    return head.removeprefix("data:").removesuffix(";base64"), Audio(samples.T, rate)


def compared(reference, generated, rate=RATE):
    report = diagnose.compare(reference, generated, **({} if isinstance(reference, Audio) else {"rate": rate}))
    return report, sounds_of(report, report.pair)


def noise(seconds, rate=RATE, seed=0, channels=1, level=0.1):
    shape = (channels, round(seconds * rate))
    return Audio((level * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32), rate)


# The null signal


def test_of_a_sound_and_itself_nothing_is_left(same):
    left = sounds_of(same, same.pair).null
    assert (left.player, left.level_db) == (None, None)


@pytest.mark.parametrize("gain", [0.25, -0.5])
def test_a_gain_a_polarity_and_a_delay_leave_nothing(note, gain):
    late = np.pad(note.samples * np.float32(gain), ((0, 0), (500, 0)))
    report, made = compared(note, Audio(late, RATE))
    assert report.alignment.polarity == np.sign(gain)
    assert made.null.player is None
    assert (made.begin_s, made.delay_s) == (0.0, 500 / RATE)


def test_an_early_sound_moves_the_beginning_on_the_reference(note):
    _, made = compared(note, Audio(note.samples[:, 700:], RATE))
    assert (made.begin_s, made.delay_s) == (700 / RATE, -700 / RATE)
    assert made.seconds == (note.length - 700) / RATE


@pytest.mark.parametrize("level", [-10, -30, -50])
def test_added_noise_is_what_is_left_and_a_faint_one_is_raised(level):
    note = noise(1.0)
    added = noise(1.0, seed=1)
    scale = 10 ** (level / 20)
    _, made = compared(note, Audio(note.samples + scale * added.samples, RATE))
    assert made.null.level_db == pytest.approx(level, abs=0.3)
    kind, left = decoded(made.null.player)
    assert kind == "audio/flac"
    raised = max(-20 - level, 0)
    assert ("amplified by" in made.null.note) == (raised > 0)
    wanted = added.mono * scale * 10 ** (raised / 20)
    assert np.corrcoef(left.mono, wanted)[0, 1] < -0.99  # reference minus generated
    assert np.std(left.mono) / np.std(wanted) == pytest.approx(1, abs=0.06)


def test_of_a_long_sound_the_worst_minute_is_left():
    note = noise(100, rate=2000)
    broken = note.samples.copy()
    broken[:, 140_000:150_000] = noise(5, rate=2000, seed=2).samples
    _, made = compared(note, Audio(broken, 2000))
    _, left = decoded(made.null.player)
    assert left.length == 60 * 2000
    assert "its worst 60 s, from " in made.null.note
    start = float(made.null.note.split("from ")[1].split(" s")[0])
    assert start <= 70
    assert start + 60 >= 75


# Equally loud


def test_the_match_is_the_difference_of_loudness_and_a_mono_file_is_heard_twice():
    stereo = noise(2, channels=2)
    one = stereo.samples[:1]
    _, made = compared(Audio(np.repeat(one, 2, axis=0), RATE), Audio(one * np.float32(0.5), RATE))
    assert made.match_db == pytest.approx(20 * np.log10(2), abs=0.01)
    assert "BS.1770" in made.matched_by


def test_where_there_is_no_loudness_the_gain_matches():
    short = noise(0.2)
    _, made = compared(short, Audio(short.samples * np.float32(4), RATE))
    assert made.match_db == pytest.approx(-20 * np.log10(4), abs=0.01)
    assert "RMS" in made.matched_by


# The coding


def test_a_short_pair_is_flac_sample_by_sample(note):
    _, made = compared(note, example.misfed_vocoder(note))
    kind, played = decoded(made.players[0])
    assert (kind, played.rate) == ("audio/flac", RATE)
    assert np.abs(played.samples - note.samples).max() <= 1 / 32768


def test_what_is_too_large_is_vorbis_at_its_own_rate_and_length_and_says_so():
    """The most that a coder may be asked: noise, in stereo, at 44,100 Hz."""
    pair = [noise(10, 44_100, seed, channels=2) for seed in (0, 1)]
    _, made = compared(*pair)
    everything = [*made.players, made.null.player]
    assert [decoded(player)[0] for player in everything] == 3 * ["audio/ogg"]
    assert sum(len(player.uri) for player in everything) < 750_000
    for player, sound in zip(made.players, pair, strict=True):
        _, played = decoded(player)
        assert played.samples.shape == sound.samples.shape
        assert played.rate == 44_100
        assert np.corrcoef(played.mono, sound.mono)[0, 1] > 0.6  # in step: noise is what a coder keeps least of
    assert "Ogg Vorbis, at 44100 Hz" in made.coding


@pytest.mark.parametrize("rate", [8000, 16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("coding", sounds.VORBIS, ids=lambda coding: f"{coding.level}-{coding.highest_hz}")
def test_no_noise_takes_more_bytes_than_is_said(coding, rate):
    sound = noise(4, rate, channels=coding.most_channels, level=0.3)
    (player,) = sounds._coded([("Reference", sound)], coding)
    assert len(player.uri) * 3 / 4 <= coding.most_bytes([sound]) + 5000  # the headers of Ogg


@pytest.mark.parametrize("seconds", [1, 10, 60, 150, 600])
@pytest.mark.parametrize("rate", [16_000, 22_050, 48_000])
def test_a_coding_is_found_for_every_length(seconds, rate):
    silence = np.broadcast_to(np.float32(0), (2, seconds * rate))
    parts = [Audio(silence, rate), Audio(silence, rate), Audio(silence[:1, : 60 * rate], rate)]
    budget = min(max(54_000 * seconds, 540_000), 5_600_000)
    assert sounds._vorbis_within(budget, parts).most_bytes(parts) <= budget


def test_what_is_beyond_ten_minutes_is_not_played():
    silent = np.zeros((1, 2000 * 601), np.float32)
    made = sounds.player("Reference", Audio(silent, 2000))
    assert made.note == "the first 600 s of 601 s"
    assert decoded(made)[1].length == 600 * 2000


def test_a_bias_is_heard_as_it_is(note):
    report, made = compared(note, example.misfed_vocoder(note))
    _, played = decoded(made.players[1])
    assert played.mono.mean() / made.players[1].gain == pytest.approx(report.pair.means[1], abs=1e-3)


def test_a_page_of_no_loudness_row_is_matched_by_gain(broken):
    rows = tuple(row for row in broken.metrics if row.name != "loudness_lufs")
    made = sounds_of(msgspec.structs.replace(broken, metrics=rows), broken.pair)
    assert made.match_db == -broken.alignment.gain_db
