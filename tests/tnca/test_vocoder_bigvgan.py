"""BigVGAN from a folder or the hub: the package's own network is the oracle; every broken input is one line."""

from __future__ import annotations

import json
import os
import shutil
import sys
import warnings
import zipfile

import msgspec
import numpy as np
import pytest

from diagnose import example
from diagnose.audio import resample
from diagnose.errors import InputError
from diagnose.mel import contract
from tnca.vocoders.bigvgan import OWN_NAME, BigVGAN, Config, contract_of, read_config
from tnca.vocoders.vocoder import Mel, OtherContract

torch = pytest.importorskip("torch")

SMALL = {
    "resblock": "1",
    "num_gpus": 0,  # of the training: not read
    "upsample_rates": [4, 4],
    "upsample_kernel_sizes": [8, 8],
    "upsample_initial_channel": 16,
    "resblock_kernel_sizes": [3, 5],
    "resblock_dilation_sizes": [[1, 3], [1, 2]],
    "activation": "snakebeta",
    "snake_logscale": True,
    "num_mels": 20,
    "n_fft": 64,
    "hop_size": 16,
    "win_size": 64,
    "sampling_rate": 8000,
    "fmin": 0,
    "fmax": None,
    "fmax_for_loss": None,
}
BASE = {
    **SMALL,
    "upsample_rates": [8, 8, 2, 2],
    "upsample_kernel_sizes": [16, 16, 4, 4],
    "upsample_initial_channel": 512,
    "num_mels": 80,
    "n_fft": 1024,
    "hop_size": 256,
    "win_size": 1024,
    "sampling_rate": 22050,
    "fmax": 8000,
}


def network_of(config, seed=0):
    """The package's own network with random weights, a few times as loud as it starts, so that tanh bends them."""
    with warnings.catch_warnings(), torch.random.fork_rng():
        warnings.simplefilter("ignore")
        import bigvgan

        torch.manual_seed(seed)
        network = bigvgan.BigVGAN(bigvgan.AttrDict(config))
        for name, value in network.named_parameters():
            value.data.add_(0.3 * torch.randn_like(value) if "weight_g" in name or "alpha" in name else 0)
    return network.eval()


def kept(folder, config, weights):
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    torch.save(weights, folder / "bigvgan_generator.pt")
    return folder


@pytest.fixture(scope="module")
def network():
    return network_of(dict(SMALL))


@pytest.fixture
def folder(tmp_path, network):
    return kept(tmp_path / "small", SMALL, {"generator": network.state_dict()})


def mel_for(vocoder, rng, frames=12):
    return Mel(rng.normal(-4, 2, (vocoder.contract.grid.bands, frames)), vocoder.contract)


def samples_of(network, mel):
    with torch.inference_mode():
        return network(torch.tensor(mel.values, dtype=torch.float32)[None])[0].numpy()


def one_line(failure, *words):
    text = str(failure.value)
    assert "\n" not in text
    assert len(text) < 900
    for word in words:
        assert word in text
    assert failure.value.exit_code == 2


# What it does


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"resblock": "2", "activation": "snake", "snake_logscale": False},
        {"use_bias_at_final": False, "use_tanh_at_final": False},
        *(
            pytest.param(change, marks=pytest.mark.slow)
            for change in (
                {"upsample_rates": [16], "upsample_kernel_sizes": [16]},
                {"upsample_rates": [2, 2, 2, 2], "upsample_kernel_sizes": [4, 2, 6, 4]},
            )
        ),
    ],
)
def test_it_sounds_as_the_package_s_own_network_does(tmp_path, rng, capsys, change):
    config = SMALL | change
    network = network_of(dict(config), seed=3)
    vocoder = BigVGAN(str(kept(tmp_path / "net", config, {"generator": network.state_dict()})))
    for frames in (1, 2, 37):
        mel = mel_for(vocoder, rng, frames)
        sound = vocoder(mel)
        assert sound.samples.shape == (1, 16 * frames)
        assert (sound.samples.dtype, sound.rate, sound.name) == (np.float32, 8000, "bigvgan")
        assert np.abs(sound.samples - samples_of(network, mel)).max() < 1e-6
    assert np.abs(sound.samples).max() > 1e-3
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_weights_saved_without_weight_norm_are_read_too(tmp_path, rng, capsys):
    network = network_of(dict(SMALL))
    network.remove_weight_norm()
    capsys.readouterr()
    assert not [name for name in network.state_dict() if name.endswith("_g")]
    vocoder = BigVGAN(str(kept(tmp_path / "net", SMALL, {"generator": network.state_dict()})))
    mel = mel_for(vocoder, rng)
    assert np.abs(vocoder(mel).samples - samples_of(network, mel)).max() < 1e-6
    assert capsys.readouterr() == ("", "")


def test_half_precision_weights_run_in_single(tmp_path, rng, network):
    state = {name: value.half() for name, value in network.state_dict().items()}
    vocoder = BigVGAN(str(kept(tmp_path / "net", SMALL, {"generator": state})))
    mel = mel_for(vocoder, rng)
    assert np.abs(vocoder(mel).samples - samples_of(network, mel)).max() < 1e-2


def test_loading_draws_nothing_from_the_global_generator_and_calls_repeat(folder, rng):
    before = torch.random.get_rng_state()
    vocoder = BigVGAN(str(folder))
    assert torch.equal(torch.random.get_rng_state(), before)
    mel = mel_for(vocoder, rng)
    assert np.array_equal(vocoder(mel).samples, vocoder(mel).samples)
    assert not any(value.requires_grad or value.is_meta for value in vocoder._network.parameters())


def test_an_unreadable_mel_is_refused_in_the_words_of_the_contract(folder, rng):
    vocoder = BigVGAN(str(folder))
    grid = msgspec.structs.replace(vocoder.contract.grid, fmax=3000.0)
    other = msgspec.structs.replace(vocoder.contract, grid=grid, name="mine")
    with pytest.raises(OtherContract, match="fmax_hz"):
        vocoder(Mel(rng.normal(-4, 2, (20, 5)), other))
    with pytest.raises(InputError, match=r"\(20, frames\)"):
        vocoder(Mel(rng.normal(-4, 2, (21, 5)), vocoder.contract))
    with pytest.raises(InputError, match="non-finite"):
        vocoder(Mel(np.full((20, 5), np.nan), vocoder.contract))


def test_a_mel_that_overflows_the_network_is_one_line(folder):
    vocoder = BigVGAN(str(folder))
    with pytest.raises(InputError) as failure:
        vocoder(Mel(np.full((20, 5), 3e38), vocoder.contract))
    one_line(failure, "non-finite samples")


# Its contract


def config_of(keys):
    return msgspec.convert(keys, Config)


@pytest.mark.parametrize("name", [name for name in contract.names() if name.startswith("bigvgan")])
def test_the_contract_of_a_published_config_is_the_one_that_comes_with_the_tool(name):
    grid = contract.load(name).grid
    upsampling = {256: [4, 4, 2, 2, 2, 2], 512: [8, 4, 2, 2, 2, 2]}[grid.hop]
    keys = {"sampling_rate": grid.rate, "num_mels": grid.bands, "n_fft": grid.n_fft, "win_size": grid.n_fft}
    keys |= {"hop_size": grid.hop, "fmax": None if grid.fmax == grid.rate / 2 else int(grid.fmax)}
    keys |= {"upsample_rates": upsampling, "upsample_kernel_sizes": [2 * rate for rate in upsampling]}
    config = config_of(BASE | keys)
    assert config.problem is None
    assert contract_of(config, name, "config.json") == contract.load(name)


def test_of_equal_contracts_the_name_of_the_folder_decides_and_then_bigvgan_s_own():
    config = config_of(BASE)
    assert contract_of(config, "bigvgan_base_22khz_80band", "config.json").name == "bigvgan_base_22khz_80band"
    assert contract_of(config, "hifigan_v1", "config.json").name == "hifigan_v1"
    assert contract_of(config, "weights", "config.json").name == "bigvgan_22khz_80band"
    # A name alone decides nothing.
    assert contract_of(config, "bigvgan_v2_22khz_80band_256x", "config.json").grid.fmax == 8000


def test_any_other_config_makes_a_contract_of_its_own(folder):
    found = BigVGAN(str(folder)).contract
    assert (found.name, found.bin_epsilon) == (OWN_NAME, 1e-9)
    assert found.levels == contract.load("bigvgan_22khz_80band").levels
    grid = found.grid
    assert (grid.rate, grid.n_fft, grid.hop, grid.bands, grid.fmin, grid.fmax) == (8000, 64, 16, 20, 0.0, 4000.0)
    assert (grid.formula, grid.norm, grid.padding) == ("slaney", "slaney", "same-reflect")


def test_the_contract_s_mel_is_the_package_s_own(folder, rng):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from bigvgan import mel_spectrogram
    samples = (0.1 * rng.standard_normal(1600)).astype(np.float32)
    theirs = mel_spectrogram(torch.from_numpy(samples)[None], 64, 20, 8000, 16, 64, 0, None)[0].numpy()
    ours = BigVGAN(str(folder)).contract.mel(samples).values
    assert np.abs(ours - theirs).max() < 1e-3


# A broken config.json

CONFIGS = [
    ("{", "not the config"),
    ("[]", "object"),
    ("null", "object"),
    ("[" * 100_000, "not the config"),
    (b"\xff\xfe{}", "not the config"),
    ({"num_mels": None}, "num_mels"),
    ({"num_mels": "80"}, "num_mels"),
    ({"num_mels": True}, "num_mels"),
    ({"num_mels": 0}, "num_mels"),
    ({"num_mels": 10**9}, "num_mels"),
    ({"sampling_rate": 10}, "sampling_rate"),
    ({"sampling_rate": 1e400}, "config.json"),
    ({"n_fft": 63}, "n_fft"),
    ({"n_fft": 2**40}, "n_fft"),
    ({"hop_size": 0}, "hop_size"),
    ({"hop_size": 128, "upsample_rates": [16, 8], "upsample_kernel_sizes": [16, 8]}, "hop_size"),
    ({"hop_size": 15}, "upsample_rates"),
    ({"win_size": 32}, "win_size"),
    ({"fmin": -1}, "fmin"),
    ({"fmin": 4000}, "fmin"),
    ({"fmax": 4001}, "fmax"),
    ({"fmax": "8000"}, "fmax"),
    ({"upsample_rates": []}, "upsample_rates"),
    ({"upsample_rates": [4, 2]}, "upsample_rates"),
    ({"upsample_rates": [4, 4.5]}, "upsample_rates"),
    ({"upsample_rates": [1] * 1000}, "upsample_rates"),
    ({"upsample_kernel_sizes": [8]}, "upsample_kernel_sizes"),
    ({"upsample_kernel_sizes": [8, 7]}, "upsample_kernel_sizes"),
    ({"upsample_kernel_sizes": [8, 2]}, "upsample_kernel_sizes"),
    ({"upsample_kernel_sizes": [8, 10**6]}, "upsample_kernel_sizes"),
    ({"upsample_initial_channel": 3}, "upsample_initial_channel"),
    ({"upsample_initial_channel": 4097}, "upsample_initial_channel"),
    ({"resblock": "3"}, "resblock"),
    ({"resblock": 1}, "resblock"),
    ({"resblock_kernel_sizes": [3, 4]}, "resblock_kernel_sizes"),
    ({"resblock_kernel_sizes": [3] * 9}, "resblock_kernel_sizes"),
    ({"resblock_dilation_sizes": [[1, 3]]}, "resblock_dilation_sizes"),
    ({"resblock_dilation_sizes": [[1, 3], []]}, "resblock_dilation_sizes"),
    ({"resblock_dilation_sizes": [[1, 3], [10**6]]}, "resblock_dilation_sizes"),
    ({"activation": "relu"}, "activation"),
    ({"snake_logscale": 1}, "snake_logscale"),
    ({"use_tanh_at_final": "no"}, "use_tanh_at_final"),
]


@pytest.mark.parametrize(("change", "word"), CONFIGS, ids=[str(change)[:50] for change, _ in CONFIGS])
def test_a_config_that_makes_no_sense_is_one_line_that_names_file_and_key(folder, change, word):
    path = folder / "config.json"
    if isinstance(change, dict):
        change = json.dumps(SMALL | change)
    path.write_bytes(change if isinstance(change, bytes) else change.encode())
    with pytest.raises(InputError) as failure:
        BigVGAN(str(folder))
    one_line(failure, str(path), word)


@pytest.mark.parametrize("key", sorted(SMALL.keys() - {"num_gpus", "fmax_for_loss"}))
def test_a_key_that_is_missing_is_named(folder, key):
    (folder / "config.json").write_text(json.dumps({each: SMALL[each] for each in SMALL if each != key}))
    with pytest.raises(InputError) as failure:
        BigVGAN(str(folder))
    one_line(failure, "config.json", key)


def test_a_config_over_the_limit_is_not_parsed(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(" " * (1 << 20) + json.dumps(SMALL))
    with pytest.raises(InputError) as failure:
        read_config(str(path))
    one_line(failure, str(path), "1,048,576")


# Broken weights


class Opens:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def without(state, *names):
    return {name: value for name, value in state.items() if name not in names}


def replaced(state, name, change):
    return {**state, name: change(state[name])}


WEIGHTS = {
    "hostile": (lambda state: Opens(), "more than tensors"),
    "hostile within": (lambda state: {"generator": state, "more": Opens()}, "more than tensors"),
    "a state alone": (lambda state: state, "not a BigVGAN generator"),
    "a discriminator": (lambda state: {"mpd": state}, "not a BigVGAN generator"),
    "a list": (lambda state: [1, 2], "not a BigVGAN generator"),
    "no weights": (lambda state: {"generator": {}}, "not a BigVGAN generator"),
    "words": (lambda state: {"generator": {"conv_pre.bias": "0"}}, "not a BigVGAN generator"),
    "integers": (lambda state: {"generator": replaced(state, "conv_pre.bias", torch.Tensor.long)}, "generator"),
    "complex": (lambda state: {"generator": replaced(state, "conv_pre.bias", lambda t: t + 0j)}, "generator"),
    "sparse": (lambda state: {"generator": replaced(state, "conv_pre.bias", torch.Tensor.to_sparse)}, "generator"),
    "not stored": (lambda state: {"generator": replaced(state, "conv_pre.bias", lambda t: t.to("meta"))}, "generator"),
    "one number, claimed a million times": (
        lambda state: {"generator": replaced(state, "conv_pre.bias", lambda t: torch.zeros(1).expand(10**6))},
        "not a BigVGAN generator",
    ),
    "one missing": (lambda state: {"generator": without(state, "conv_post.bias")}, "conv_post.bias"),
    "one too many": (lambda state: {"generator": {**state, "a\nb": torch.zeros(1)}}, r"a\nb"),
    "another shape": (
        lambda state: {"generator": replaced(state, "conv_pre.weight_v", lambda t: t[:, :-1])},
        "conv_pre.weight_v has shape (16, 19, 7), not (16, 20, 7)",
    ),
    "NaN": (lambda state: {"generator": replaced(state, "conv_post.bias", lambda t: t * np.nan)}, "conv_post.bias"),
}


@pytest.mark.parametrize("case", WEIGHTS)
@pytest.mark.filterwarnings("ignore:Sparse")
def test_weights_that_are_none_are_one_line(tmp_path, monkeypatch, network, case):
    make, word = WEIGHTS[case]
    monkeypatch.chdir(tmp_path)
    folder = kept(tmp_path / "small", SMALL, make(dict(network.state_dict())))
    with pytest.raises(InputError) as failure:
        BigVGAN(str(folder))
    one_line(failure, str(folder / "bigvgan_generator.pt"), word)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("change", [{"resblock": "2"}, {"upsample_initial_channel": 4096}, {"num_mels": 21}])
def test_the_weights_of_another_network_are_told_before_one_is_made(folder, change):
    (folder / "config.json").write_text(json.dumps(SMALL | change))
    with pytest.raises(InputError) as failure:
        BigVGAN(str(folder))
    one_line(failure, "not the weights of the network in config.json")


@pytest.mark.slow
def test_a_network_too_large_to_hold_takes_no_memory_before_it_is_refused(folder):
    """4096 channels, kernels of 63, 5 blocks of 5 dilations: 16e9 weights."""
    huge = {
        "upsample_initial_channel": 4096,
        "resblock_kernel_sizes": [63] * 5,
        "resblock_dilation_sizes": [[1] * 5] * 5,
    }
    (folder / "config.json").write_text(json.dumps(SMALL | huge))
    with pytest.raises(InputError) as failure:
        BigVGAN(str(folder))
    one_line(failure, "not the weights of the network")


@pytest.mark.parametrize("content", [b"", b"no weights at all", b"PK\x05\x06" + bytes(18), b"\x80\x02."])
def test_a_file_that_is_no_checkpoint_is_one_line(folder, content):
    (folder / "bigvgan_generator.pt").write_bytes(content)
    with pytest.raises(InputError) as failure:
        BigVGAN(str(folder))
    one_line(failure, "bigvgan_generator.pt", "cannot be loaded")


def test_a_checkpoint_cut_short_is_one_line(folder):
    path = folder / "bigvgan_generator.pt"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError) as failure:
        BigVGAN(str(folder))
    one_line(failure, str(path), "cannot be loaded")


def test_a_zip_that_claims_more_than_4_gib_is_not_unpacked(folder, monkeypatch):
    path = folder / "bigvgan_generator.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1000))
    claims = zipfile.ZipFile.infolist

    def many(archive):
        found = claims(archive)
        found[0].file_size = 5 << 30
        return found

    monkeypatch.setattr(zipfile.ZipFile, "infolist", many)
    monkeypatch.setattr(torch, "load", lambda *a, **k: pytest.fail("it was read"))
    with pytest.raises(InputError) as failure:
        BigVGAN(str(folder))
    one_line(failure, str(path), "claims 5,368,709,120 bytes")


def test_a_file_over_4_gib_is_not_read(folder):
    path = folder / "bigvgan_generator.pt"
    with path.open("r+b") as file:
        file.truncate((4 << 30) + 1)  # a hole: no space on the disk
    with pytest.raises(InputError) as failure:
        BigVGAN(str(folder))
    one_line(failure, str(path), "4,294,967,297 bytes")


# Something is missing


@pytest.mark.parametrize("name", ["config.json", "bigvgan_generator.pt"])
def test_a_file_that_is_missing_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError) as failure:
        BigVGAN(str(folder))
    one_line(failure, str(folder / name), "has config.json and bigvgan_generator.pt")
    (folder / name).mkdir()
    with pytest.raises(InputError) as failure:
        BigVGAN(str(folder))
    one_line(failure, str(folder / name), "not a regular file")


@pytest.mark.parametrize(
    "source", ["", "weights", "./weights", "../weights", "/no/such/folder", "a/b/c", "a/b c", "\0"]
)
def test_a_folder_that_is_missing_is_one_line_and_nothing_is_downloaded(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *a, **k: pytest.fail("it was asked for"))
    with pytest.raises(InputError) as failure:
        BigVGAN(source)
    one_line(failure, "no such directory", "config.json")


def test_a_file_in_the_place_of_a_folder_is_one_line(folder):
    with pytest.raises(InputError) as failure:
        BigVGAN(str(folder / "bigvgan_generator.pt"))
    one_line(failure, "is a file; give the directory")


def test_without_the_package_the_line_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "bigvgan", None)
    with pytest.raises(InputError) as failure:
        BigVGAN(str(folder))
    one_line(failure, "bigvgan cannot be imported", "pip install 'timbre-diagnose[tnca]'")


@pytest.mark.parametrize("device", ["nowhere", "cuda:99", "", "meta:x"])
def test_a_device_that_is_not_there_is_one_line(folder, device):
    with pytest.raises(InputError) as failure:
        BigVGAN(str(folder), device)
    one_line(failure, "not a device that torch can use here")


# The hub


def fails_with(error):
    def download(*_, **__):
        raise error

    return download


@pytest.mark.parametrize(
    "error",
    [ConnectionError("no route\nto host"), OSError(28, "No space left"), ValueError("x" * 5000), RuntimeError()],
    ids=repr,
)
def test_a_hub_that_fails_is_one_line_with_the_files_and_where_to_put_them(tmp_path, monkeypatch, error):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", fails_with(error))
    with pytest.raises(InputError) as failure:
        BigVGAN("nvidia/bigvgan_base_22khz_80band")
    words = ("config.json", "bigvgan_generator.pt", "https://huggingface.co/nvidia/bigvgan_base_22khz_80band")
    one_line(failure, *words, "--vocoder bigvgan:DIR")


def test_the_hub_s_own_errors_are_one_line(tmp_path, monkeypatch):
    """Its cache is empty and it may not ask the network: the real hf_hub_download raises."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(InputError) as failure:
        BigVGAN("nvidia/no_such_network_of_ours")
    one_line(failure, "https://huggingface.co/nvidia/no_such_network_of_ours")


def test_without_the_hub_s_package_it_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError) as failure:
        BigVGAN("nvidia/bigvgan_base_22khz_80band")
    one_line(failure, "https://huggingface.co/nvidia/bigvgan_base_22khz_80band")


def test_what_the_hub_gives_is_loaded(tmp_path, monkeypatch, folder, rng):
    monkeypatch.chdir(tmp_path)
    cache, asked = tmp_path / "cache", []
    cache.mkdir()

    def download(repo_id, filename):
        asked.append((repo_id, filename))
        return shutil.copy(folder / filename, cache / f"{len(asked)}-{filename}")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    vocoder = BigVGAN("someone/small")
    assert asked == [("someone/small", "config.json"), ("someone/small", "bigvgan_generator.pt")]
    mel = mel_for(vocoder, rng)
    assert np.array_equal(vocoder(mel).samples, BigVGAN(str(folder))(mel).samples)


def test_a_folder_that_exists_is_a_folder_though_it_reads_like_a_hub_id(tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(folder, tmp_path / "nvidia" / "small")
    monkeypatch.setattr("huggingface_hub.hf_hub_download", fails_with(AssertionError("it was asked for")))
    assert BigVGAN("nvidia/small").contract.name == OWN_NAME


# The real weights


@pytest.mark.slow
@pytest.mark.skipif("BIGVGAN_DIR" not in os.environ, reason="BIGVGAN_DIR: a folder with published weights")
def test_published_weights_turn_a_sound_s_own_mel_into_one_as_loud():
    vocoder = BigVGAN(os.environ["BIGVGAN_DIR"])
    rate = vocoder.contract.grid.rate
    reference = resample(example.bowed_string(), rate)
    mel = vocoder.contract.mel(reference.samples[0])
    sound = vocoder(Mel(mel.values, vocoder.contract))
    assert sound.rate == rate
    assert sound.length == mel.values.shape[1] * vocoder.contract.grid.hop
    assert 0.5 < sound.samples.std() / reference.samples.std() < 2
