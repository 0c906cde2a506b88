"""StftCache: what power_blocks gives, whichever grid was asked for first, and nothing computed twice."""

from __future__ import annotations

import numpy as np
import pytest

import diagnose
from diagnose import audio, example, stft_cache
from diagnose.spectrogram import Framing, power_blocks
from diagnose.stft_cache import KEPT, StftCache

GRIDS = [Framing(1024, hop) for hop in (128, 256, 512, 1024)]


def noise(length, seed=0):
    return np.random.default_rng(seed).standard_normal(length).astype(np.float32)


@pytest.fixture
def computed(monkeypatch):
    """(place in memory, length, grid) of every spectrum that any StftCache computes."""
    calls = []

    def counted(samples, framing, mean=0.0):
        calls.append((samples.ctypes.data, samples.size, framing))
        return power_blocks(samples, framing, mean)

    monkeypatch.setattr(stft_cache, "power_blocks", counted)
    return calls


@pytest.mark.parametrize("length", [1, 500, 50_000, 300_001])
@pytest.mark.parametrize("order", [GRIDS, GRIDS[::-1]], ids=["fine first", "coarse first"])
def test_the_blocks_are_those_of_power_blocks_in_whatever_order_grids_are_asked_for(length, order):
    samples = noise(length)
    shared = StftCache(samples, 0.1)
    for framing in order:
        for ours, theirs in zip(shared.power(framing), power_blocks(samples, framing, 0.1), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("padding", ["same-reflect", "none"])
def test_frames_are_only_taken_from_a_grid_that_has_them(padding):
    # With same-reflect padding the hop says where the first frame begins.
    samples = noise(50_000)
    shared = StftCache(samples, 0.0)
    for hop in (128, 256, 512):
        framing = Framing(1000, hop, padding)
        ours, theirs = (np.concatenate(list(x)) for x in (shared.power(framing), power_blocks(samples, framing)))
        np.testing.assert_array_equal(ours, theirs)


def test_coarser_grids_are_taken_from_a_finer_one(computed):
    shared = StftCache(noise(20_000), 0.0)
    for framing in (Framing(1024, 512), Framing(1024, 256), Framing(1024, 512), Framing(2048, 2048)):
        assert next(shared.power(framing)).shape[1] == framing.n_fft // 2 + 1
    assert [framing for *_, framing in computed] == [Framing(1024, 256), Framing(2048, 512)]


def test_a_signal_without_a_frame_has_no_blocks():
    assert list(StftCache(noise(1000), 0.0).power(Framing(1024, 256, "none"))) == []


def test_what_is_kept_is_not_written_to():
    block = next(StftCache(noise(5000), 0.0).power(GRIDS[1]))
    with pytest.raises(ValueError, match="read-only"):
        block += 1


def test_spectra_of_a_long_signal_are_not_kept():
    shared = StftCache(np.zeros(KEPT + 1, np.float32), 0.0)
    next(shared.power(GRIDS[1]))
    assert shared.kept_bytes == 0


def test_a_cut_of_everything_is_the_spectra_themselves():
    shared = StftCache(noise(5000), 0.5)
    assert shared.cut(slice(0, 9000)) is shared
    part = shared.cut(slice(1000, 3000))
    np.testing.assert_array_equal(part.samples, shared.samples[1000:3000])
    assert part.mean == 0.5


@pytest.mark.parametrize("copy", ["good", "vocoder"])
def test_a_comparison_computes_no_grid_of_a_signal_twice_and_keeps_none(computed, copy):
    note = example.bowed_string(196, 1.0, 22_050)
    other = example.misfed_vocoder(note) if copy == "vocoder" else audio.Audio(0.5 * note.samples, note.rate)
    report = diagnose.compare(note, other)
    assert len(computed) >= 6
    assert len(computed) == len(set(computed))
    finest = {}
    for place, length, framing in computed:
        finest.setdefault((place, length, framing.n_fft), []).append(framing.hop)
    assert all(len(hops) == 1 for hops in finest.values())
    sides = (report.pair.reference.stft, report.pair.generated.stft, *report.pair.overlap_stfts)
    assert [side.kept_bytes for side in sides] == [0, 0, 0, 0]
