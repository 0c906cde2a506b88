import itertools

import librosa
import numpy as np
import pytest
import scipy.fft
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.spectrogram import log_band_edges
from diagnose.stft_cache import StftCache
from diagnose.timeline import features as module
from diagnose.timeline.features import Features, energies, features, masked

RATE = 16000
HOP = 128  # samples; a frame at this rate


def cache(sound):
    sound = np.asarray(sound, np.float32)
    return StftCache(sound, float(sound.mean(dtype=float)))


def of(sound, rate=RATE):
    return features(cache(sound), rate)


def faded(sound, parts):
    """The sound, so many dB softer in parts of one length."""
    steps = np.repeat(10 ** (np.asarray(parts) / 20), -(-sound.size // len(parts)))
    return sound * steps[: sound.size].astype(np.float32)


def middles(frames, parts):
    """The frames in the middle of each part, where no window reaches into the next."""
    borders, reach = np.linspace(0, frames, len(parts) + 1), 6
    return [slice(int(a) + reach, int(b) - reach) for a, b in itertools.pairwise(borders)]


def cepstra_of(rows):
    """The features' rows of such energies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "energies", lambda _signal, _rate: (rows, HOP))
        return features(None, RATE).rows


# Energies


@pytest.mark.parametrize(
    ("rate", "columns"), [(8000, 1), (16000, 1), (22050, 2), (24000, 2), (44100, 3), (48000, 4), (96000, 8)]
)
def test_a_frame_is_about_10_ms(white, rate, columns):
    rows, hop = energies(cache(white(20_000)), rate)
    assert hop == columns * 128
    assert len(rows) == -(-(20_000 // 128 + 1) // columns)


@pytest.mark.parametrize("rate", [16000, 44100])
def test_energies_are_means_of_those_of_librosas_spectrogram(white, rate):
    sound = white(8000) + np.float32(0.3)  # a mean is no part of the sound
    power = np.abs(librosa.stft(sound - sound.mean(), n_fft=1024, hop_length=128, pad_mode="constant")).T ** 2
    rows, hop = energies(cache(sound), rate)
    columns = hop // 128
    borders = [int(each) for each in log_band_edges(100 * 1024 / rate, 512, 24)]
    borders[-1] = 513  # with the last bin
    bands = np.stack([power[:, a:b].sum(axis=1) for a, b in itertools.pairwise(borders)], axis=1)
    whole = len(bands) // columns * columns
    means = bands[:whole].reshape(-1, columns, bands.shape[1]).mean(axis=1)
    assert rows[: len(means)] == pytest.approx(means, rel=1e-3)
    assert rows.shape[0] - len(means) in (0, 1)  # what is over is a frame, too


def test_there_are_24_bands_and_13_cepstra(white):
    assert energies(cache(white(4000)), RATE)[0].shape[1] == 24
    assert of(white(4000)).rows.shape[1] == 13


@pytest.mark.parametrize(("hz", "heard"), [(75, False), (120, True), (3900, True)])
def test_what_lies_under_100_hz_is_not_heard(tone, hz, heard):
    low, high = (float(energies(cache(tone(each, 8000)), 8000)[0][20:40].sum()) for each in (hz, 1000))
    assert low == pytest.approx(high if heard else 0, rel=0.1, abs=0.02 * high)


@settings(max_examples=25)
@given(st.integers(2, 5000), st.sampled_from([8000, 16000, 44100, 48000]))
def test_any_length_has_features(white, size, rate):
    found = of(white(size), rate)
    assert len(found.rows) == len(found.sounding) == -(-(size // 128 + 1) * 128 // found.hop)
    assert np.isfinite(found.rows).all()
    assert found.sounding.any()


# Features


def test_cepstra_are_the_cosine_transform_of_logs_with_half_of_the_level(white):
    sound = faded(white(8000), [0, -10, -3, -20])
    rows, _ = energies(cache(sound), RATE)
    expected = scipy.fft.dct(np.log(rows), norm="ortho")[:, :13]
    expected[:, 0] *= 0.5 * np.sqrt(2)  # half of what the others have: sqrt(2 / 24) each
    found = of(sound)
    assert found.sounding.all()
    assert found.rows == pytest.approx(expected - expected.mean(axis=0), abs=1e-4)


@pytest.mark.parametrize("gain", [1e-4, -1.0, 300.0])
def test_the_level_of_a_sound_does_not_matter(white, gain):
    sound = faded(white(8000), [0, -60, -20, 0, -200])
    found, louder = of(sound), of(np.float32(gain) * sound)
    assert louder.rows == pytest.approx(found.rows, abs=1e-3)
    assert louder.sounding.tolist() == found.sounding.tolist()


def test_a_channel_that_weakens_bands_does_not_matter():
    rng = np.random.default_rng(1)
    rows, channel = rng.uniform(0.1, 1.0, (50, 24)), 10 ** rng.uniform(-2.0, 1.0, 24)
    assert cepstra_of(rows * channel) == pytest.approx(cepstra_of(rows))


@pytest.mark.parametrize(("db", "sounding"), [(-38.7, True), (-41.3, False), (-90, False), (-20, True)])
def test_what_lies_40_db_under_what_is_loud_is_silence(white, db, sounding):
    sound = faded(white(RATE), [0, db])
    found = of(sound).sounding
    loud, soft = middles(found.size, [0, 1])
    assert found[loud].all()
    assert found[soft].mean() == pytest.approx(1.0 if sounding else 0.0, abs=0.1)


@pytest.mark.parametrize(("share", "sounding"), [(0.03, True), (0.08, False)])
def test_loud_is_what_a_twentieth_of_the_frames_is(white, share, sounding):
    sound = white(2 * RATE)
    sound[round(share * sound.size) :] *= np.float32(10 ** (-50 / 20))
    assert of(sound).sounding[-100:].all() == sounding


@pytest.mark.parametrize(("db", "level"), [(-70, True), (-45, False)])
def test_what_lies_50_db_lower_has_one_level(white, db, level):
    found = of(faded(white(RATE), [0, db]))
    _, soft = middles(len(found.rows), [0, 1])
    assert (np.ptp(found.rows[soft], axis=0).max() == 0) == level


def test_one_level_is_a_hundred_thousandth_of_a_loud_frame(white):
    """The step from sound to nothing, in nepers: 50 dB, over half of the weight that 24 bands have."""
    rows = np.ones((100, 24))
    rows[80:] = 0
    loud, silent = cepstra_of(rows)[[0, -1], 0]
    assert loud - silent == pytest.approx(0.5 * np.sqrt(2 / 24) * 24 * np.log(1e5), rel=1e-6)


def test_silence_has_features_too():
    found = of(np.zeros(4000))
    assert not found.sounding.any()
    assert np.ptp(found.rows, axis=0).max() == 0


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 9))
def test_pooled_frames_are_means(frames, count, seed):
    rng = np.random.default_rng(seed)
    found = Features(rng.standard_normal((frames, 3)), rng.random(frames) < 0.5, HOP)
    pooled = found.pooled(count)
    if count == 1 or frames < count:
        assert pooled is found
        return
    assert (len(pooled.rows), pooled.hop) == (frames // count, HOP * count)
    for index, (row, sounding) in enumerate(zip(pooled.rows, pooled.sounding, strict=True)):
        part = slice(index * count, (index + 1) * count)
        assert row == pytest.approx(found.rows[part].mean(axis=0))
        assert sounding == (found.sounding[part].sum() * 2 >= count)


# Without what noise hides


def shares(ours, theirs):
    """masked() of energies of one band each [shape=(frames,)], as one number a frame: its level."""
    told = iter((ours, theirs))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "energies", lambda _signal, _rate: (np.asarray(next(told), float)[:, None], HOP))
        found = masked(None, None, RATE)
    levels = [side.rows[:, 0] / (0.5 * np.sqrt(2)) for side in found]
    return [side - side.max() for side in levels]


def noisy(*last, under=0.16, noise=1e-3, frames=100):
    """Energies of mostly 1, of a share of frames that hardly sound, of a quarter in all that has noise at most."""
    rows = np.ones(frames)
    rows[: round(under * frames)] = 1e-6
    rows[round(under * frames) : frames // 4] = noise
    rows[frames - len(last) :] = last
    return rows


def test_what_lies_under_twice_the_noise_is_noise():
    ours, _ = shares(noisy(1.9e-3, 1.45e-3, 2.1e-3, 2.7e-3), noisy())
    assert ours[-4:] == pytest.approx(np.log([2e-3, 2e-3, 2.1e-3, 2.7e-3]))
    assert ours[:25] == pytest.approx(np.log(2e-3))


def test_the_noisier_side_hides_the_same_of_both():
    for ours, theirs in (shares(noisy(), noisy(noise=0.01)), shares(noisy(noise=0.01), noisy())):
        assert ours[:25] == pytest.approx(np.log(0.02))
        assert theirs[:25] == pytest.approx(np.log(0.02))


def test_noise_is_what_a_fifth_of_the_frames_lies_under():
    ours, _ = shares(noisy(under=0.23), noisy(under=0.23))
    assert ours[0] == pytest.approx(np.log(1e-5))  # a fifth is 60 dB lower, where 50 is silence
    ours, _ = shares(noisy(under=0.16), noisy(under=0.16))
    assert ours[0] == pytest.approx(np.log(2e-3))


def test_a_band_that_is_noise_through_and_through_says_nothing():
    rng = np.random.default_rng(3)
    ours, theirs = shares(0.9 + 0.2 * rng.random(100), noisy(0.3, 0.9))
    assert np.ptp(ours) < 0.2
    assert np.ptp(theirs) < 1e-9


def test_noise_does_not_move_what_is_masked(white):
    clean = faded(white(2 * RATE), [0, -60, -3, -6, -60, -2])
    noise = np.float32(10 ** (-25 / 20)) * white(clean.size, 8)
    ours, theirs = masked(cache(clean), cache(clean + noise), RATE)
    plain = of(clean).rows - of(clean + noise).rows
    apart, was = (np.linalg.norm(rows, axis=1).mean() for rows in (ours.rows - theirs.rows, plain))
    assert apart < 0.5 * was


def test_both_sides_keep_their_frames(white):
    ours, theirs = masked(cache(white(5000)), cache(white(9000, 2)), RATE)
    assert (len(ours.rows), len(theirs.rows)) == (40, 71)
    assert ours.hop == theirs.hop == HOP
