"""Contracts: each against the program it stands for, and files that are none."""

from __future__ import annotations

import math
import os
import tracemalloc
import warnings
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose import audio, example
from diagnose.errors import InputError
from diagnose.mel import contract
from diagnose.mel.contract import MelContract, ValueScale, family, load, names
from diagnose.spectrogram import MelGrid

with warnings.catch_warnings():  # what other packages warn of when they are imported is theirs to mend
    warnings.simplefilter("ignore")
    import librosa
    import torch

FOLDER = Path(contract.__file__).with_name("contracts")
# https://github.com/NVIDIA/BigVGAN, configs/*.json: sampling_rate, n_fft, hop_size, num_mels, fmax (null: rate / 2).
BIGVGAN = {
    "bigvgan_22khz_80band": (22050, 1024, 256, 80, 8000),
    "bigvgan_24khz_100band": (24000, 1024, 256, 100, 12000),
    "bigvgan_base_22khz_80band": (22050, 1024, 256, 80, 8000),
    "bigvgan_base_24khz_100band": (24000, 1024, 256, 100, 12000),
    "bigvgan_v2_22khz_80band_256x": (22050, 1024, 256, 80, None),
    "bigvgan_v2_22khz_80band_fmax8k_256x": (22050, 1024, 256, 80, 8000),
    "bigvgan_v2_24khz_100band_256x": (24000, 1024, 256, 100, 12000),
    "bigvgan_v2_44khz_128band_256x": (44100, 1024, 256, 128, None),
    "bigvgan_v2_44khz_128band_512x": (44100, 2048, 512, 128, None),
}
NOTE = example.bowed_string(seconds=0.6)
SOUNDS = ("bowed string", "violin.wav", "speech.ogg", "trumpet.ogg", "robin.ogg", "strings.ogg")
MOST_S = 1.0


@pytest.fixture(scope="module")
def samples(request):
    """samples(name, rate) -> mono float32 of at most 1 s, within full scale; each is made once."""
    made = {}

    def at(name, rate):
        if (name, rate) not in made:
            sound = NOTE if name == "bowed string" else audio.read(request.getfixturevalue("data") / name)
            sound = audio.Audio(sound.mono[None, : round(MOST_S * sound.rate)], sound.rate)
            made[name, rate] = np.clip(audio.resample(sound, rate).mono, -1, 1).astype(np.float32)
        return made[name, rate]

    return at


def assert_near(ours, theirs, within):
    theirs = np.asarray(theirs, np.float64)
    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= within


# The files


def test_every_file_is_listed_and_none_else():
    assert names() == sorted(path.stem for path in FOLDER.iterdir() if path.suffix == ".toml")
    assert set(BIGVGAN) == {name for name in names() if name.startswith("bigvgan")}
    wanted = {"hifigan_v1", "hifigan_universal", "vocos_mel_24khz", "tacotron2_waveglow", "librosa_db"}
    assert wanted | {"librosa_db_max", "torchaudio_melspectrogram", "dali"} <= set(names())


@pytest.mark.parametrize("name", names())
def test_a_contract_says_where_it_is_from_and_has_a_sane_grid(name):
    found = load(name)
    assert found.name == name
    assert "https://" in found.source
    assert "." in found.source.split("https://")[1]
    assert found.about.strip() == found.about != ""
    grid = found.grid
    assert 0 <= grid.fmin < grid.fmax <= grid.rate / 2
    assert 0 < grid.hop <= grid.n_fft
    assert grid.n_fft % 2 == 0
    assert 0 < grid.bands < grid.n_fft
    assert load(str(FOLDER / f"{name}.toml")) == found


def test_dali_is_as_nvidia_says():
    found = load("dali")
    assert found.levels.summed == "power"  # mag_power 2
    assert (found.grid.formula, found.grid.norm) == ("slaney", "slaney")


# Against the programs themselves


def attributes(name):
    rate, n_fft, hop, bands, fmax = BIGVGAN[name]
    names = {"sampling_rate": rate, "n_fft": n_fft, "win_size": n_fft, "hop_size": hop, "num_mels": bands}
    return SimpleNamespace(**names, fmin=0, fmax=fmax)


@pytest.fixture
def bigvgan(monkeypatch):
    """bigvgan(name, samples, double) -> what the package computes, in its own float32 or in double precision.

    In float32 its transform rounds by 1e-7 of the loudest bin, which is 1e-3 of a quiet one; the window and the filters
    that it keeps are handed to it as doubles, and every step of its code is then done in doubles.
    """

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from bigvgan import meldataset

    def compute(name, at, double=True):
        monkeypatch.setattr(meldataset, "mel_basis_cache", {})
        monkeypatch.setattr(meldataset, "hann_window_cache", {})
        wave = torch.from_numpy(at)[None]
        plain = meldataset.get_mel_spectrogram(wave, attributes(name))[0].numpy()
        if not double:
            return plain
        (key,) = meldataset.mel_basis_cache
        meldataset.mel_basis_cache[key] = meldataset.mel_basis_cache[key].double()
        size = attributes(name).win_size
        meldataset.hann_window_cache[key] = torch.hann_window(size, dtype=torch.float64)
        return meldataset.get_mel_spectrogram(wave.double(), attributes(name))[0].numpy()

    return compute


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("name", BIGVGAN)
def test_bigvgan_s_own_mel(bigvgan, samples, name, sound):
    at = samples(sound, load(name).grid.rate)
    assert_near(load(name).mel(at).values, bigvgan(name, at), 1e-5)


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("name", ["bigvgan_base_22khz_80band", "bigvgan_v2_44khz_128band_512x"])
def test_bigvgan_s_own_mel_in_its_own_precision(bigvgan, samples, name, sound):
    """To 1e-5 wherever its rounding, 1e-7 of the frame's loudest, does not show; and half the cells are such."""
    at = samples(sound, load(name).grid.rate)
    ours, theirs = load(name).mel(at).values, bigvgan(name, at, double=False)
    assert np.abs(np.exp(ours) - np.exp(theirs)).max() <= 1e-5
    assert np.median(np.abs(ours - theirs)) <= 1e-5
    loud = theirs > theirs.max(axis=0) - 4.0
    assert np.abs(ours - theirs)[loud].max() <= 1e-5


@pytest.mark.parametrize("name", ["bigvgan_base_22khz_80band", "bigvgan_v2_44khz_128band_512x"])
@pytest.mark.parametrize("level_db", [-300, -100, -60, 0])
def test_bigvgan_s_mel_of_next_to_nothing(bigvgan, rng, name, level_db):
    at = (0.5 * 10 ** (level_db / 20) * rng.uniform(-1, 1, 8192)).astype(np.float32)
    assert_near(load(name).mel(at).values, bigvgan(name, at), 1e-5)


@pytest.mark.parametrize("name", ["hifigan_v1", "hifigan_universal"])
def test_hifi_gan_s_mel_is_bigvgan_s(bigvgan, samples, name):
    """config_v1.json has the figures of BigVGAN's base, whose meldataset.py came from there."""
    at = samples("bowed string", 22050)
    assert_near(load(name).mel(at).values, bigvgan("bigvgan_base_22khz_80band", at), 1e-5)


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize(("name", "ref"), [("librosa_db", 1.0), ("librosa_db_max", np.max)])
def test_librosa_with_its_defaults(samples, name, ref, sound):
    at = samples(sound, 22050)
    theirs = librosa.power_to_db(librosa.feature.melspectrogram(y=at), ref=ref)
    assert_near(load(name).mel(at).values, theirs, 2e-3)


@pytest.mark.parametrize("name", ["librosa_db", "librosa_db_max"])
def test_librosa_s_amin(name):
    at = np.full(4096, 0.0, np.float32)
    theirs = librosa.power_to_db(librosa.feature.melspectrogram(y=at), ref=np.max if name.endswith("max") else 1.0)
    assert_near(load(name).mel(at).values, theirs, 1e-4)


def torch_power(at, n_fft, hop):
    """|torch.stft|**2 with its default padding, in doubles [shape=(n_fft/2 + 1, frames)]."""
    window = torch.hann_window(n_fft, dtype=torch.float64)
    return torch.stft(torch.from_numpy(at).double(), n_fft, hop, window=window, return_complex=True).abs().square()


def filters(rate, n_fft, bands, fmin, fmax, formula="slaney", norm="slaney"):
    basis = librosa.filters.mel(
        sr=rate,
        n_fft=n_fft,
        n_mels=bands,
        fmin=fmin,
        fmax=fmax,
        htk=formula == "htk",
        norm="slaney" if norm == "slaney" else None,
    )
    return torch.from_numpy(basis).double()


@pytest.mark.parametrize("sound", SOUNDS[:3])
@pytest.mark.filterwarnings("ignore:Empty filters detected")  # 400 bins for 128 bands: torchaudio warns too
def test_torchaudio_s_defaults(samples, sound):
    at = samples(sound, 16000)
    theirs = filters(16000, 400, 128, 0, 8000, "htk", "none") @ torch_power(at, 400, 200)
    ours = load("torchaudio_melspectrogram").mel(at).values
    assert_near(ours, theirs, 1e-5 * float(theirs.max()))


@pytest.mark.parametrize("sound", SOUNDS[:3])
@pytest.mark.parametrize(("name", "clip"), [("vocos_mel_24khz", 1e-7), ("f5_tts_vocos", 1e-5)])
def test_vocos(samples, name, clip, sound):
    at = samples(sound, 24000)
    magnitude = filters(24000, 1024, 100, 0, 12000, "htk", "none") @ torch_power(at, 1024, 256).sqrt()
    assert_near(load(name).mel(at).values, torch.log(magnitude.clip(min=clip)), 1e-5)


@pytest.mark.parametrize("sound", SOUNDS[:3])
def test_tacotron_2(samples, sound):
    at = samples(sound, 22050)
    magnitude = filters(22050, 1024, 80, 0, 8000) @ torch_power(at, 1024, 256).sqrt()
    assert_near(load("tacotron2_waveglow").mel(at).values, torch.log(magnitude.clamp(min=1e-5)), 1e-5)


@pytest.mark.parametrize("sound", SOUNDS[:3])
def test_parallel_wavegan(samples, sound):
    at = samples(sound, 22050)
    spectrum = librosa.stft(at.astype(np.float64), n_fft=1024, hop_length=256, window="hann", pad_mode="reflect")
    magnitude = np.abs(spectrum).T @ filters(22050, 1024, 80, 80, 7600).numpy().T
    assert_near(load("parallel_wavegan_v1").mel(at).values, np.log10(np.maximum(1e-10, magnitude)).T, 1e-5)


@pytest.mark.parametrize("sound", SOUNDS[:3])
def test_whisper_but_for_the_last_frame_it_drops(samples, sound):
    """whisper.audio.log_mel_spectrogram: stft[..., :-1], log10 over max - 8, + 4, / 4."""
    at = samples(sound, 16000)
    power = filters(16000, 400, 80, 0, 8000) @ torch_power(at, 400, 160)[:, :-1]
    level = power.clamp(min=1e-10).log10()
    theirs = (torch.maximum(level, level.max() - 8.0) + 4.0) / 4.0
    ours = load("whisper").mel(at).values
    assert abs(ours.shape[1] - theirs.shape[1]) <= 1
    assert_near(ours[:, : theirs.shape[1]], theirs, 1e-5)


def test_dali_s_decibels_are_of_the_loudest_and_stop_at_80_under_it(samples):
    at = samples("bowed string", 44100)
    power = (filters(44100, 2048, 128, 0, 22050) @ torch_power(at, 2048, 512)).numpy()
    theirs = 10 * np.log10(np.maximum(power / power.max(), 1e-8))
    assert_near(load("dali").mel(at).values, theirs, 2e-3)


@pytest.mark.parametrize("name", names())
def test_a_sound_shorter_than_a_frame_is_a_mel_of_finite_values(name):
    for at in ([0.0], [0.5], [0.1, -0.1], np.linspace(-0.5, 0.5, 300)):
        found = load(name).mel(np.array(at, np.float32)).values
        assert found.shape[0] == load(name).grid.bands
        assert np.isfinite(found).all()


# Range

SQUARE = np.sign(np.sin(2 * np.pi * 1000 * np.arange(8000) / 22050)).astype(np.float32)


@pytest.mark.parametrize("name", names())
def test_no_sound_within_full_scale_leaves_the_range(samples, rng, name):
    found = load(name)
    low, high = found.range
    assert low < high < math.inf
    for at in (
        samples("bowed string", found.grid.rate),
        SQUARE,
        np.zeros(9000, np.float32),
        np.ones(9000, np.float32),
        1e-4 * SQUARE,
        np.r_[np.zeros(4500), 1, np.zeros(4499)].astype(np.float32),
        rng.uniform(-1, 1, 9000).astype(np.float32),
        np.cos(2 * np.pi * 0.25 * np.arange(9000)).astype(np.float32),
    ):
        values = found.mel(at).values
        assert values.min() >= low - 1e-3 * abs(low) if math.isfinite(low) else True
        assert values.max() <= high + 1e-3 * abs(high)


@pytest.mark.parametrize(
    ("name", "low"),
    [
        ("bigvgan_base_22khz_80band", math.log(1e-5)),
        ("vocos_mel_24khz", math.log(1e-7)),
        ("parallel_wavegan_v1", -10.0),
        ("torchaudio_melspectrogram", 0.0),
        ("librosa_db", -100.0),  # digital silence: power_to_db's amin
        ("whisper", -1.5),  # (log10 1e-10 + 4) / 4
        ("librosa_db_max", -math.inf),
    ],
)
def test_the_lowest_value_is_the_clip(name, low):
    assert load(name).range[0] == pytest.approx(low, rel=1e-5)


def test_the_highest_value_is_reached_by_a_full_scale_tone_within_the_filter_s_shape():
    """A full-scale sine gives n_fft / 4 in its bin, so a value 6 dB under the bound times one weight of the filter."""
    grid = MelGrid(22050)
    made = MelContract("s", "a", grid, ValueScale("magnitude"))
    hz = 5000.0
    level = made.mel(np.sin(2 * np.pi * hz * np.arange(8192) / 22050).astype(np.float32)).values.max()
    assert 0.02 * made.range[1] < level <= made.range[1]


# Levels


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "normalised"}, "'of', the scale before normalisation"),
        ({"name": "power-db", "of": "power-db"}, "'of', the scale before normalisation"),
        ({"name": "normalised", "of": "power-db", "low": 1.0, "high": 1.0}, "low must be below high"),
        ({"name": "normalised", "of": "power-db", "bottom": 2.0, "top": 1.0}, "bottom below top"),
        ({"name": "ln-magnitude", "clip": 0.0}, "clip"),
        ({"name": "ln-magnitude", "clip": -1.0}, "clip"),
        ({"name": "ln-magnitude", "clip": math.inf}, "clip"),
        ({"name": "ln-magnitude", "clip": math.nan}, "clip"),
        ({"name": "power-db", "reference": 0.0}, "reference"),
        ({"name": "power-db", "reference": math.nan}, "reference"),
        ({"name": "power-db", "reference": math.inf}, "reference"),
    ],
)
def test_levels_that_mean_nothing_are_refused(fields, said):
    with pytest.raises(ValueError, match=said):
        ValueScale(**fields)


LOGS = ("power-db", "magnitude-db", "ln-magnitude", "log10-magnitude", "ln-power", "log10-power")
levels = st.one_of(
    st.builds(
        ValueScale,
        st.sampled_from(LOGS),
        clip=st.none() | st.floats(1e-12, 1e-3),
        reference=st.just("max") | st.floats(1e-6, 1e6),
        top_db=st.none() | st.floats(1, 200),
    ),
    st.builds(ValueScale, st.sampled_from(("power", "magnitude"))),
    st.builds(
        ValueScale, st.just("normalised"), of=st.sampled_from(LOGS), low=st.floats(-200, -1), high=st.floats(0, 50)
    ),
)


@given(levels, st.floats(1e-9, 1e9))
def test_a_level_over_the_floor_comes_back(level, peak):
    """Half the peak is over every floor under 1 dB; to_power is the inverse there, within double precision."""
    scale = level.scale(peak)
    power = np.array([peak, 0.9 * peak])
    floor = max(level.clip_power, 0.0)
    back = scale.to_power(scale.from_power(power))
    assert back == pytest.approx(np.maximum(power, floor), rel=1e-6)


@given(levels)
def test_levels_survive_toml(level):
    fields = {name: value for name, value in msgspec.to_builtins(level).items() if value is not None}
    data = msgspec.toml.encode({"source": "s", "about": "a", "grid": {"rate": 22050}, "levels": fields})
    assert contract._parse(data, "x.toml", "x").levels == level


# Files that are none


def toml(**changes):
    lines = {
        "rate": "22050",
        "n_fft": "1024",
        "hop": "256",
        "bands": "80",
        "fmin": "0.0",
        "fmax": "8000.0",
        "formula": '"slaney"',
        "norm": '"slaney"',
        "padding": '"same-reflect"',
    }
    grid = "\n".join(f"{key} = {value}" for key, value in {**lines, **changes}.items())
    return f'about = "a"\nsource = "s"\n[grid]\n{grid}\n[levels]\nname = "ln-magnitude"\nclip = 1e-5\n'.encode()


BAD = {
    "empty": (b"", "missing required field"),
    "an unknown key": (b'window = "hann"\n' + toml(), "window"),
    "an unknown key of the grid": (toml(window='"hann"'), "window"),
    "an unknown key of the levels": (toml() + b'base = "e"\n', "base"),
    "no grid": (b'about = "a"\nsource = "s"\n[levels]\nname = "power"\n', "grid"),
    "no levels": (toml().split(b"[levels]")[0], "levels"),
    "n_fft 10**9": (toml(n_fft="1000000000"), "n_fft 1000000000"),
    "n_fft beyond 64 bits": (toml(n_fft="1" + "0" * 40), ""),
    "n_fft odd": (toml(n_fft="1023"), "n_fft 1023"),
    "n_fft 0": (toml(n_fft="0"), "n_fft 0"),
    "n_fft negative": (toml(n_fft="-1024"), "n_fft -1024"),
    "n_fft a float": (toml(n_fft="1024.5"), "int"),
    "hop 0": (toml(hop="0"), "hop 0"),
    "hop over n_fft": (toml(hop="1025"), "hop 1025"),
    "bands 0": (toml(bands="0"), "bands 0"),
    "bands -3": (toml(bands="-3"), "bands -3"),
    "bands 10**9": (toml(bands="1000000000"), "bands 1000000000"),
    "fmax over half the rate": (toml(fmax="11025.5"), "fmax 11025.5"),
    "fmin over fmax": (toml(fmin="9000.0"), "fmin 9000"),
    "fmin negative": (toml(fmin="-1.0"), "fmin -1"),
    "fmax NaN": (toml(fmax="nan"), "fmax nan"),
    "fmin NaN": (toml(fmin="nan"), "fmin nan"),
    "fmax infinite": (toml(fmax="inf"), "fmax inf"),
    "rate 0": (toml(rate="0"), "rate"),
    "rate negative": (toml(rate="-22050"), "rate"),
    "rate 10**15": (toml(rate="1" + "0" * 15), "rate"),
    "another formula": (toml(formula='"bark"'), "bark"),
    "another norm": (toml(norm='"l2"'), "l2"),
    "another padding": (toml(padding='"valid"'), "valid"),
    "a clip of 0": (toml().replace(b"1e-5", b"0.0"), "clip"),
    "a clip of NaN": (toml().replace(b"1e-5", b"nan"), "clip"),
    "a scale that is none": (toml().replace(b"ln-magnitude", b"mel"), "mel"),
    "top_db negative": (toml() + b"top_db = -80.0\n", "top_db"),
    "top_db NaN": (toml() + b"top_db = nan\n", "top_db"),
    "normalised of infinite range": (
        toml().replace(b'"ln-magnitude"\nclip = 1e-5', b'"normalised"\nof = "power-db"\nlow = -inf'),
        "low",
    ),
    "bin_epsilon negative": (b"bin_epsilon = -1.0\n" + toml(), "bin_epsilon"),
    "bin_epsilon NaN": (b"bin_epsilon = nan\n" + toml(), "bin_epsilon"),
    "binary junk": (bytes(range(256)), ""),
    "no UTF-8": (b'about = "\xff"\n' + toml(), ""),
    "null bytes": (b"\0" * 300, ""),
    "JSON": (b'{"about": "a"}', ""),
    "lists too deep": (b"a = " + b"[" * 20000, ""),
    "tables too deep": (b"[" + b".".join([b"a"] * 20000) + b"]", ""),
    "a key twice": (toml() + b'name = "power"\n', ""),
    "over 64 KiB": (b"#" * 70_000, "65536 bytes"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_contract_is_refused_in_one_line(tmp_path, kind):
    data, said = BAD[kind]
    path = tmp_path / "bad.toml"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(InputError) as caught:
            load(str(path))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    assert said in line
    assert len(line) < 400


def test_a_contract_of_one_s_own_is_read_with_or_without_a_folder(tmp_path, monkeypatch):
    (tmp_path / "mine.toml").write_bytes(toml(bands="64"))
    assert load(str(tmp_path / "mine.toml")).grid.bands == 64
    monkeypatch.chdir(tmp_path)
    assert load("mine.toml").name == "mine"
    assert load("./mine.toml").name == "mine"
    assert family("mine.toml")[0].grid.bands == 64


def test_a_directory_a_missing_file_and_a_null_byte(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    for path in (tmp_path / "folder.toml", tmp_path / "none.toml", f"{tmp_path}/nu\0l.toml"):
        with pytest.raises(InputError) as caught:
            load(str(path))
        assert str(caught.value).startswith(f"{path}: cannot be read (")
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path):
    """In a process of its own: a reader that hangs is ended."""
    import subprocess
    import sys

    os.mkfifo(tmp_path / "pipe.toml")
    code = (
        "import sys\nfrom diagnose.mel.contract import load\n"
        "try:\n    load(sys.argv[1])\nexcept Exception as error:\n    print(type(error).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "pipe.toml"], capture_output=True, timeout=4)
    assert done.stdout == b"InputError\n"


# Families


def test_a_prefix_is_all_that_begin_that_way():
    assert [each.name for each in family("bigvgan")] == sorted(BIGVGAN)
    assert [each.name for each in family("hifi")] == ["hifigan_universal", "hifigan_v1"]
    assert [each.name for each in family("vocos")] == ["vocos_mel_24khz"]


def test_a_whole_name_is_that_one_alone():
    assert [each.name for each in family("librosa_db")] == ["librosa_db"]
    assert [each.name for each in family("bigvgan_v2_22khz_80band_256x")] == ["bigvgan_v2_22khz_80band_256x"]


@pytest.mark.parametrize("name", ["", "nosuch", "BigVGAN", "x", "bigvgan ", "../x", "..", ".", "/", "../../etc/passwd"])
def test_an_unknown_name_is_one_line(name):
    with pytest.raises(InputError) as caught:
        family(name)
    assert str(caught.value).startswith(f"{name}: ")
    assert "\n" not in str(caught.value)


def test_an_unknown_name_shows_the_known_ones():
    with pytest.raises(InputError, match=r"bigvgan_base_22khz_80band, .*librosa_db_max"):
        load("bigwgan")
