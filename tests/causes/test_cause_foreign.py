"""Bytes that are no sound: headers as libsndfile writes them, tags and text, played as samples."""

import io
import json

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

import diagnose
from diagnose.audio import Audio
from diagnose.causes import foreign
from diagnose.causes.foreign import BLOCK, foreign_data

RATE = 22_050


def found_in(samples):
    return foreign.found_in(Audio(samples[None], 16_000))


def written(container, subtype):
    """A file of that format, its bytes."""
    file = io.BytesIO()
    soundfile.write(file, 0.1 * np.sin(np.arange(4000) / 9), RATE, format=container, subtype=subtype)
    return file.getvalue()


MARKS = {
    "a WAV header": lambda: written("WAV", "PCM_16")[:44],
    "an AIFF header": lambda: written("AIFF", "PCM_16")[:60],
    "an Ogg page": lambda: written("OGG", "VORBIS")[:200],
    "a FLAC header": lambda: written("FLAC", "PCM_16")[:100],
    "an ID3 tag": lambda: b"ID3\x03\x00\x00\x00\x00\x00\x21" + bytes(30),
    "an MP4 header": lambda: b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00" + bytes(20),
    "a Matroska header": lambda: b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm" + bytes(20),
    "an HTTP header": lambda: b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n\r\n",
    "text": lambda: json.dumps({"error": "the model is overloaded, try again", "status": 503}).encode(),
}


def played(data, at=0):
    """Bytes as samples of 16 bits, after so many zero bytes."""
    data = bytes(at) + data
    return np.frombuffer(data + bytes(len(data) % 2), "<i2").astype(np.float32) / 32768


@pytest.mark.parametrize("shift", [0, 1])
@pytest.mark.parametrize("what", MARKS)
def test_each_mark_is_found_with_its_place_at_even_and_odd_bytes(what, shift):
    data = MARKS[what]()
    found = list(found_in(played(data, 2000 + shift)))
    assert what in {name for _, name, _ in found}
    first = min(at for at, _, _ in found)
    assert 1000 <= first <= 1010


@pytest.mark.parametrize("what", MARKS)
@pytest.mark.parametrize("gain", [0.5, -1.0])
def test_a_mark_that_is_softer_spells_nothing(what, gain):
    assert list(found_in(np.float32(gain) * played(MARKS[what](), 100))) == []


@given(st.binary(max_size=400))
def test_whatever_bytes_crash_nothing(data):
    for at, what, text in found_in(played(data)):
        assert 0 <= at <= len(data) // 2
        assert what in MARKS
        assert 0 < len(text) <= 16


@given(st.integers(0, 10**6), st.floats(1e-4, 2.0))
def test_noise_spells_nothing(seed, level):
    noise = level * np.random.default_rng(seed).standard_normal(4000)
    assert list(found_in(noise.astype(np.float32))) == []


@given(st.randoms(use_true_random=False), st.integers(90, 200), st.integers(4, 26), st.integers(0, 3))
def test_a_text_of_letters_is_text(random, length, letters, at):
    words = "".join(random.choices("etaoinshrdlucmfwypvbgkjqxz"[:letters], k=length))
    found = {what for _, what, _ in found_in(played(words.encode(), at))}
    assert ("text" in found) is (len(set(words)) >= 12)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("slope", "is_text"), [(0, False), (2, False), (5, True), (8, True)])
def test_a_sound_whose_upper_bytes_move_slowly_is_no_text(slope, is_text, channels):
    upper = 0x45 + np.abs(slope * np.arange(30) % 100 - 50)  # up and down, so many a sample, in all channels alike
    lower = np.resize(list(b"tvehxoarncsbydqki"), 30 * channels)
    values = (np.repeat(upper, channels) * 256 + lower).astype("<i2")
    samples = (values / np.float32(32768)).astype(np.float32).reshape(-1, channels).T
    assert ("text" in {what for _, what, _ in foreign.found_in(Audio(samples, 16_000))}) is is_text


@pytest.mark.parametrize(("length", "is_text"), [(40, False), (56, True)])
def test_a_text_has_48_characters(length, is_text):
    words = ("the quick brown fox jumps over the lazy dog " * 3)[:length].encode()
    assert bool(list(found_in(played(words, 10)))) is is_text


@pytest.mark.parametrize(("others", "is_text"), [(8, False), (16, True)])
def test_a_text_has_12_characters_that_differ(others, is_text):
    words = ("eznbtvihyaquocxm"[:others] * 20)[:120].encode()
    assert bool(list(found_in(played(words, 10)))) is is_text


@pytest.mark.parametrize(("letters", "is_text"), [(0.45, False), (0.75, True)])
def test_three_fifths_of_a_text_are_letters(letters, is_text):
    words = np.where(np.arange(200) % 20 < 20 * letters, np.resize(list("etaoinshrdlu"), 200), "7")
    assert bool(list(found_in(played("".join(words).encode(), 10)))) is is_text


@pytest.mark.parametrize("level", [np.frombuffer(b"AA", "<i2")[0], np.frombuffer(b"ab", "<i2")[0]])
def test_a_constant_is_no_text(level):
    assert list(found_in(np.full(4000, level / 32768, np.float32))) == []


@pytest.mark.parametrize("what", MARKS)
def test_it_is_named_with_its_time(melody, evidence, what):
    data = played(MARKS[what]())
    found = foreign_data(evidence(melody.mono, np.concatenate([melody.mono[:22_050], data, melody.mono[22_050:]])))
    assert (found.id, found.confidence) == ("foreign-data", 1.0)
    assert "at 1.000 s" in found.summary


def test_each_of_several_is_counted(melody, evidence):
    header = played(MARKS["a FLAC header"]())
    parts = [np.concatenate([header, part]) for part in np.split(melody.mono[:44_000], 4)]
    found = foreign_data(evidence(melody.mono[:44_000], np.concatenate(parts)))
    assert found.summary.endswith("at 0.000 s and at 3 more places")


def test_what_the_reference_has_too_is_no_finding(melody, evidence):
    both = np.concatenate([melody.mono, played(MARKS["text"]())])
    assert foreign_data(evidence(both, both)) is None
    assert foreign_data(evidence(melody, melody)) is None


def test_of_two_channels_the_place_is_that_of_their_frame(sound, evidence, melody):
    """Bytes of a stereo file go left, right, left, right."""
    data = np.concatenate([played(MARKS["a WAV header"]()), np.zeros(1978, np.float32)])
    stereo = np.concatenate([np.tile(melody.mono, (2, 1)), data.reshape(2, -1, order="F")], 1)
    found = foreign_data(evidence(np.tile(melody.mono, (2, 1)), stereo))
    assert f"at {melody.length / RATE:.3f} s" in found.summary


def test_it_is_the_first_cause_of_a_comparison(melody):
    header = played(MARKS["a WAV header"]())
    broken = np.concatenate([melody.mono[:22_000], header, melody.mono[22_000:]])
    assert diagnose.compare(melody.mono, broken, rate=RATE).causes[0].id == "foreign-data"


@pytest.mark.parametrize("at", [BLOCK - 10, BLOCK + 200, BLOCK + 5000])
def test_a_mark_where_two_blocks_meet_is_found_once(at):
    mark = b"RIFF\x24\x08\x00\x00WAVEfmt "
    samples = np.zeros((2, BLOCK + 10_000), np.float32)
    stereo = np.frombuffer(mark, "<i2").reshape(-1, 2).T / np.float32(32768)
    samples[:, at : at + stereo.shape[1]] = stereo
    assert [(frame, what) for frame, what, _ in foreign.found_in(Audio(samples, 44_100))] == [(at, "a WAV header")]
