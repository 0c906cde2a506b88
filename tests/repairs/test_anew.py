"""Beginning anew: misread sounds and exchanged channels, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose import example
from diagnose.analysis import Signal, pair_of
from diagnose.audio import Audio
from diagnose.repairs.anew import begun_anew

RATE = 22_050


@pytest.fixture(scope="module")
def melody():
    """Three notes, within 16 bits."""
    notes = [example.bowed_string(hz, 0.5, RATE).samples for hz in (220.0, 311.0, 262.0)]
    return np.round(np.concatenate(notes, axis=1) * 32767).astype(np.float32) / 32768


def anew(reference, generated):
    pair = pair_of((Signal(reference), Signal(generated)))
    return begun_anew(pair)


def test_a_good_copy_is_not_begun_anew(melody):
    sound = Audio(melody, RATE)
    assert anew(sound, Audio(0.3 * melody + 0.01, RATE)) is None
    assert anew(sound, Audio(np.zeros_like(melody), RATE)) is None


@pytest.mark.parametrize("label", [16_000, 44_100])
def test_a_steady_tone_with_a_wrong_label_is_read_at_the_right_rate(label):
    note = example.bowed_string(220.0, 2.0, RATE)
    found = anew(note, Audio(note.samples, label))
    assert found.ids == ("sample-rate",)
    assert np.array_equal(found.pair.files[1].audio.samples, note.samples)


def test_signed_bytes_that_were_taken_for_unsigned_ones(melody):
    eight = np.round(melody * 127).astype(np.int8)
    turned = (eight.view(np.uint8).astype(np.float32) - 128) / 128
    found = anew(Audio(melody, RATE), Audio(turned, RATE))
    assert found.ids == ("bytes-misread",)
    assert np.array_equal(found.pair.files[1].audio.samples, eight / np.float32(128))


def test_every_channel_of_misread_bytes_is_read(melody):
    stereo = np.concatenate([melody, melody[:, ::-1]])
    swapped = np.round(stereo * 32768).astype("<i2").byteswap().astype(np.float32) / 32768
    found = anew(Audio(stereo, RATE), Audio(swapped, RATE))
    assert np.array_equal(found.pair.files[1].audio.samples, stereo)


def test_interleaved_channels_are_taken_apart(melody):
    stereo = np.concatenate([melody, melody[:, ::-1]])
    found = anew(Audio(stereo, RATE), Audio(np.ascontiguousarray(stereo.T).reshape(1, -1), RATE))
    assert found.ids == ("channels-interleaved",)
    assert np.array_equal(found.pair.files[1].audio.samples, stereo)


def test_three_channels_are_put_back_in_their_order(melody):
    three = np.concatenate([melody, melody[:, ::-1], np.roll(melody, 9000)])
    found = anew(Audio(three, RATE), Audio(np.ascontiguousarray(three[[2, 0, 1]]), RATE))
    assert found.ids == ("channel-swapped",)
    assert np.array_equal(found.pair.files[1].audio.samples, three)
