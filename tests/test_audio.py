import io
import os
import subprocess

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from diagnose.audio import BLOCK, Audio, blocks, encode, from_array, load, lossless_subtype, read, resample, write
from diagnose.errors import InputError


def wav(values=(0.0,), rate=44100, subtype="FLOAT", container="WAV"):
    """Bytes of a file, made without the code under test."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.asarray(values), rate, format=container, subtype=subtype)
    return buffer.getvalue()


def flac_claiming(total_samples, values):
    """FLAC whose STREAMINFO gives another number of samples (36 bits from bit 4 of byte 21 on; 0: unknown)."""
    data = bytearray(wav(values, subtype="PCM_16", container="FLAC"))
    data[21] = data[21] & 0xF0 | total_samples >> 32
    data[22:26] = (total_samples & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(data)


def spoilt(value, position, shape=(1000,)):
    values = np.zeros(shape)
    values[position] = value
    return values


def refusal(function, *args):
    """The one line with which an input is refused."""
    with pytest.raises(InputError) as caught:
        function(*args)
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    return text


# name, bytes, what the refusal says
BAD_FILES = [
    ("text.wav", b"This is not audio.\n" * 100, "not a readable audio file (Format not recognised)"),
    ("text.raw", b"This is not audio.\n" * 100, "not a readable audio file"),
    ("empty.wav", b"", "the file is empty (0 bytes)"),
    ("header.wav", wav()[:20], "not a readable audio file"),
    ("silent.wav", wav(np.zeros(0)), "contains no samples"),
    ("slow.wav", wav(rate=1), "sampling rate 1 Hz is out of range; use 2000 to 384000 Hz"),
    ("below.wav", wav(rate=1999), "sampling rate 1999 Hz is out of range"),
    ("fast.wav", wav(rate=1_000_000), "sampling rate 1000000 Hz is out of range"),
    ("wide.wav", wav(np.zeros((3, 65))), "65 channels; use 1 to 64"),
    ("nan.wav", wav(spoilt(np.nan, 441)), "non-finite samples (NaN or infinite), the first at 0.010 s"),
    ("inf.wav", wav(spoilt(np.inf, 882)), "non-finite samples (NaN or infinite), the first at 0.020 s"),
    ("right.wav", wav(spoilt(-np.inf, (441, 1), (1000, 2))), "the first at 0.010 s"),
    ("late.wav", wav(spoilt(np.nan, BLOCK + 10, BLOCK + 20), rate=8000), f"the first at {(BLOCK + 10) / 8000:.3f} s"),
    (
        "huge.flac",
        flac_claiming(2**36 - 1, np.zeros(100)),
        "samples; at most 1,073,741,824 are allowed; split the file",
    ),
]


@pytest.mark.parametrize(("name", "content", "says"), BAD_FILES, ids=[row[0] for row in BAD_FILES])
def test_a_bad_file_is_refused_in_one_line_that_begins_with_its_path(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_bytes(content)
    text = refusal(read, path)
    assert text.startswith(f"{path}: ")
    assert says in text


@pytest.mark.parametrize(
    ("name", "says"),
    [("", "is a directory; give an audio file"), ("missing.wav", "No such file"), ("null\0byte.wav", "null byte")],
    ids=["directory", "missing", "null byte"],
)
def test_what_is_no_file_is_refused_in_one_line_that_begins_with_its_path(tmp_path, name, says):
    path = str(tmp_path / name) if name else str(tmp_path)
    text = refusal(read, path)
    assert text.startswith(f"{path}: ")
    assert says in text


# array, rate, what the refusal says
BAD_ARRAYS = {
    "int16": (np.zeros(10, np.int16), 44100, "dtype int16, not floating point; scale it to -1..1 first"),
    "bool": (np.zeros(10, bool), 44100, "dtype bool, not floating point"),
    "complex": (np.zeros(10, complex), 44100, "dtype complex128, not floating point"),
    "object": ([None], 44100, "dtype object, not floating point"),
    "ragged": ([[0.0], [0.0, 0.0]], 44100, "not an array of numbers"),
    "0-d": (np.float64(1.0), 44100, "shape (); expected (n,) or (channels, n)"),
    "3-d": (np.zeros((1, 2, 3)), 44100, "shape (1, 2, 3); expected (n,) or (channels, n)"),
    "no samples": (np.zeros((2, 0)), 44100, "contains no samples"),
    "no channels": (np.zeros((0, 5)), 44100, "0 channels; use 1 to 64"),
    "65 channels": (np.zeros((65, 5)), 44100, "65 channels; use 1 to 64"),
    "NaN": (spoilt(np.nan, 441), 44100, "the first at 0.010 s"),
    "over float32": (spoilt(1e300, 441), 44100, "the first at 0.010 s"),
    "1999 Hz": (np.zeros(10), 1999, "sampling rate 1999 Hz is out of range"),
    "384001 Hz": (np.zeros(10), 384_001, "sampling rate 384001 Hz is out of range"),
    "half a Hz": (np.zeros(10), 44100.5, "sampling rate 44100.5 Hz"),
    "no rate": (np.zeros(10), None, "an array has no sampling rate; pass rate="),
}


@pytest.mark.parametrize(("array", "rate", "says"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_a_bad_array_is_refused_in_one_line_that_begins_with_its_name(array, rate, says):
    text = refusal(load, array, rate, "generated")
    assert text.startswith("generated: ")
    assert says in text


# What is not finite, mended


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_a_file_is_mended_where_that_is_asked_for(tmp_path, subtype):
    values = np.full((1000, 2), 0.5)
    values[441:444, 1] = [np.nan, np.inf, -np.inf]
    (tmp_path / "a.wav").write_bytes(wav(values, subtype=subtype))
    found = read(tmp_path / "a.wav", mend=True)
    np.testing.assert_array_equal(found.samples, np.full((2, 1000), 0.5))
    assert (found.broken.count, found.broken.channels, found.broken.first_s) == (3, (2,), 0.01)
    assert found.sha256 is not None
    assert "the first at 0.010 s" in refusal(read, tmp_path / "a.wav")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_an_array_is_mended_and_left_as_it_is(dtype):
    array = spoilt(np.nan, 441).astype(dtype)
    found = load(array, 44100, mend=True)
    assert not found.samples.any()
    assert (found.broken.count, found.broken.share) == (1, 1 / 1000)
    assert np.isnan(array[441])


def test_what_float32_cannot_hold_counts_as_infinite():
    assert from_array(spoilt(1e300, 441), 44100, mend=True).broken.count == 1


def test_a_sound_of_finite_samples_is_the_same_with_and_without_mending():
    values = np.array([[0.5, 1e-42, -1e-45]], np.float32)  # two of them denormal
    found = from_array(values, 44100, mend=True)
    assert found.broken is None
    assert np.shares_memory(found.samples, values)


@pytest.mark.parametrize("value", [1.01e6, -1.01e6])
@pytest.mark.parametrize("place", [0, 999])
def test_what_is_in_another_unit_is_refused_beside_what_is_mended(value, place):
    values = spoilt(np.nan, 500)
    values[place] = value
    assert "samples above 1e+06; full scale is 1" in refusal(lambda: from_array(values, 44100, mend=True))


def test_a_sound_that_was_mended_is_refused_where_mending_is_not_asked_for():
    found = from_array(spoilt(np.nan, 441), 44100, "gen", mend=True)
    assert load(found, mend=True) is found
    assert refusal(load, found) == refusal(from_array, spoilt(np.nan, 441), 44100, "gen")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(6,), (2, 3), (64, 1)])
def test_an_array_keeps_its_values_as_float32_channels_first(dtype, shape):
    values = (np.arange(np.prod(shape)).reshape(shape) / 64).astype(dtype)
    audio = from_array(values, np.int64(8000))
    assert audio.samples.dtype == np.float32
    assert (audio.channels, audio.length, audio.rate) == (*np.atleast_2d(values).shape, 8000)
    assert audio.duration_s == audio.length / 8000
    np.testing.assert_array_equal(audio.samples, np.atleast_2d(values))


@pytest.mark.parametrize("rate", [2000, 384_000])
def test_the_lowest_and_the_highest_rate_are_read(tmp_path, rate):
    (tmp_path / "a.wav").write_bytes(wav([0.5, -0.5], rate))
    audio = read(tmp_path / "a.wav")
    assert (audio.rate, audio.samples.tolist()) == (rate, [[0.5, -0.5]])


def test_channels_of_a_file_come_out_as_rows_under_its_path(tmp_path):
    path = tmp_path / "stereo.wav"
    path.write_bytes(wav([[0.25, -0.5], [0.5, -1.0], [0.75, -1.5]], 48000))
    audio = load(path)
    assert (audio.name, audio.rate) == (str(path), 48000)
    np.testing.assert_array_equal(audio.samples, [[0.25, 0.5, 0.75], [-0.5, -1.0, -1.5]])
    assert load(audio) is audio


@pytest.mark.parametrize(
    ("sound", "shown"),
    [
        (Audio(np.zeros((1, 11025), np.float32), 22050), "Audio(array, 22050 Hz, 1 channel, 0.500 s)"),
        (
            Audio(np.zeros((2, 10**6), np.float32), 8000, "a/b c.wav"),
            "Audio(a/b c.wav, 8000 Hz, 2 channels, 125.000 s)",
        ),
        (Audio(np.zeros((1, 8000), np.float32), 8000, "\x1b[2J"), r"Audio(\x1b[2J, 8000 Hz, 1 channel, 1.000 s)"),
    ],
)
def test_a_prompt_shows_what_a_sound_is_and_not_its_samples(sound, shown):
    assert repr(sound) == shown


def test_a_long_name_is_cut_in_its_middle():
    shown = repr(Audio(np.zeros((1, 8000), np.float32), 8000, "folder/" * 100 + "end.wav"))
    assert shown.startswith("Audio(folder/folder/")
    assert "..." in shown
    assert shown.endswith("/end.wav, 8000 Hz, 1 channel, 1.000 s)")
    assert len(shown) < 150


def test_flac_of_unknown_length_as_a_pipe_leaves_it_is_read_to_its_end(tmp_path):
    values = np.sin(np.arange(10_000) / 10)
    (tmp_path / "piped.flac").write_bytes(flac_claiming(0, values))
    np.testing.assert_allclose(read(tmp_path / "piped.flac").samples[0], values, atol=1e-4)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    assert "not a regular file" in refusal(read, tmp_path / "pipe.wav")


def test_samples_by_channels_are_to_be_transposed():
    assert "transpose" in refusal(from_array, np.zeros((44100, 2)), 44100)


def test_a_whole_float_is_a_rate():
    assert from_array(np.zeros(10), 44100.0).rate == 44100


def test_what_cannot_be_written_is_said(tmp_path):
    assert ".flac" in refusal(write, tmp_path / "x.mp3", from_array(np.zeros(10), 44100))


@pytest.mark.parametrize("name", ["violin.wav", "speech.ogg"])
def test_a_real_sound_is_decoded_as_ffmpeg_decodes_it(data, program, name):
    command = [program("ffmpeg"), "-v", "error", "-i", data / name, "-f", "f32le", "-"]
    theirs = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, "<f4")
    ours = read(data / name)
    np.testing.assert_allclose(ours.samples.T.ravel(), theirs, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_mono_is_the_mean_of_the_channels_in_every_block(rng, channels):
    samples = rng.standard_normal((channels, BLOCK + 7)).astype(np.float32)
    audio = Audio(samples, 44100)
    np.testing.assert_allclose(audio.mono, samples.mean(axis=0, dtype=float), atol=1e-6)
    assert np.shares_memory(audio.mono, samples) == (channels == 1)


@given(length=st.integers(0, 1000), size=st.integers(1, 100))
def test_blocks_cover_every_sample_once_and_in_order(length, size):
    parts = list(blocks(length, size))
    assert [i for part in parts for i in range(length)[part]] == list(range(length))
    assert [part.stop - part.start for part in parts[:-1]] == [size] * (len(parts) - 1)


@pytest.mark.parametrize(
    ("suffix", "container"), [(".wav", "WAV"), (".flac", "FLAC"), (".FLAC", "FLAC"), (".ogg", "OGG")]
)
def test_write_takes_the_container_of_the_suffix(tmp_path, tone, suffix, container):
    path = tmp_path / f"out{suffix}"
    sound = tone(440, 22050, 0.5, 0.5)
    write(path, from_array(np.stack([sound, -sound]), 22050))
    back, rate = soundfile.read(path)
    assert (soundfile.info(path).format, rate, back.shape) == (container, 22050, (sound.size, 2))
    # Vorbis keeps the sound, not its samples; PCM keeps them to a step of 16 bits.
    np.testing.assert_allclose(back[2000:-2000, 0], sound[2000:-2000], atol=0.05 if container == "OGG" else 2**-15)


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=50))
def test_16_bits_keep_each_sample_to_a_step_and_floats_keep_it_whole(values):
    audio = from_array(np.array(values), 16000)
    for subtype, tolerance in {"PCM_16": 1.5 * 2**-15, "PCM_24": 1.5 * 2**-23, "FLOAT": 0.0}.items():
        back, rate = soundfile.read(io.BytesIO(encode(audio, subtype=subtype)))
        assert rate == 16000
        np.testing.assert_allclose(back, audio.samples[0], rtol=0, atol=tolerance)


def test_integers_clip_beyond_full_scale_and_floats_do_not():
    audio = from_array(np.array([2.0, -2.0, 1.0001]), 16000)
    clipped, _ = soundfile.read(io.BytesIO(encode(audio)), dtype="int16")
    np.testing.assert_array_equal(clipped, [32767, -32768, 32767])
    np.testing.assert_array_equal(soundfile.read(io.BytesIO(encode(audio, subtype="FLOAT")))[0], audio.samples[0])


RATES = [(44100, 22050), (44100, 48000), (22050, 44100), (48000, 16000), (96000, 44100), (44100, 44101)]


@pytest.mark.parametrize(("old", "new"), RATES)
@pytest.mark.parametrize("share", [0.01, 0.5, 0.9])  # of the lower Nyquist frequency
def test_resampling_keeps_a_tone_its_level_and_its_timing(tone, old, new, share):
    hz = share * min(old, new) / 2
    ours = resample(from_array(tone(hz, old, 0.5), old), new)
    expected = tone(hz, new, 0.5)
    assert ours.rate == new
    assert abs(ours.length - expected.size) <= 1
    inside = slice(new // 20, new // 20 * 9)
    np.testing.assert_allclose(ours.samples[0, inside], expected[inside], atol=2e-3)


@pytest.mark.parametrize(("old", "new"), [(44100, 22050), (48000, 16000), (96000, 44100)])
def test_resampling_leaves_no_image_of_what_the_new_rate_cannot_hold(tone, old, new):
    lost = tone(0.55 * new, old, 0.5)
    assert np.abs(resample(from_array(lost, old), new).samples[0, new // 20 : new // 20 * 9]).max() < 1e-5


def test_resampling_keeps_channels_apart_and_the_name(tone):
    left, right = tone(300, 44100), 0.25 * tone(500, 44100)
    both = resample(Audio(np.stack([left, right]), 44100, "a.wav"), 16000)
    assert both.name == "a.wav"
    for row, alone in zip(both.samples, (left, right), strict=True):
        np.testing.assert_allclose(row, resample(from_array(alone, 44100), 16000).samples[0], atol=1e-6)


def test_resampling_to_the_same_rate_is_the_same_object():
    audio = from_array(np.zeros(10), 44100)
    assert resample(audio, 44100) is audio


@pytest.mark.parametrize("length", [191, 192, 193])
def test_a_sound_of_one_sample_at_the_new_rate_is_resampled(length):
    assert resample(from_array(np.ones(length), 384_000), 2000).length == 1


@pytest.mark.parametrize("length", [1, 2])
def test_a_sound_of_less_than_a_sample_at_the_new_rate_is_refused(length):
    text = refusal(resample, from_array(np.ones(length), 384_000, "short"), 2000)
    assert text == f"short: {length} samples at 384000 Hz give no sample at 2000 Hz"


@pytest.mark.parametrize("rate", [0, -1, 1999, 384_001])
def test_resampling_refuses_a_rate_out_of_range(rate):
    assert f"rate {rate} Hz is out of range; use 2000 to 384000 Hz" in refusal(
        resample, from_array(np.zeros(9), 8000), rate
    )


@pytest.mark.parametrize(
    ("samples", "subtype"),
    [
        ([0.5, -1.0, 2.0**-23, 1 - 2.0**-23], "PCM_24"),
        ([2.0**-24], "FLOAT"),
        ([1.0], "FLOAT"),
        ([-1 - 2.0**-22], "FLOAT"),
    ],
)
def test_a_subtype_is_lossless(samples, subtype):
    sound = Audio(np.array([samples], np.float32), 8000)
    assert lossless_subtype(sound) == subtype
    back, _ = soundfile.read(io.BytesIO(encode(sound, "WAV", subtype)), dtype="float32")
    assert np.array_equal(back, sound.samples[0])
