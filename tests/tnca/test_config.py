"""The settings: what is read is what was written, and what is wrong is refused with its key, in one line."""

from __future__ import annotations

import tomllib

import msgspec
import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.errors import InputError
from diagnose.mel.contract import load, names
from tnca.config import (
    L1,
    L2,
    LARGEST_FILE,
    PRESETS,
    Boundary,
    Cell,
    Config,
    Gram,
    Growth,
    Loss,
    MultiscaleGram,
    Optimiser,
    Stft,
    Target,
    Temporal,
    Watch,
    as_table,
    parse,
    preset,
    read,
)

PADDINGS = st.sampled_from(["zero", "circular", "reflect", "replicate"])
FINITE = st.floats(-1e6, 1e6)
POSITIVE = st.floats(1e-9, 1e6)
MASKS = st.none() | st.floats(-200, 0)
PER_BIN = {
    "weight": st.floats(0, 100),
    "mask_db": MASKS,
    "frequency": st.sampled_from([None, "linear", "exponential"]),
    "frequency_top": POSITIVE,
}
TERMS = st.one_of(
    st.builds(L1, **PER_BIN),
    st.builds(L2, **PER_BIN),
    st.builds(Gram, mask_db=MASKS, seed=st.integers(0, 2**31)),
    st.builds(MultiscaleGram, mask_db=MASKS, seed=st.integers(0, 2**31)),
    st.builds(Boundary, width=st.integers(1, 100)),
    st.builds(Temporal, weight=st.floats(0, 100)),
    st.builds(Stft, n_fft=st.lists(st.sampled_from([256, 512, 1024, 4096]), min_size=1, max_size=4).map(tuple)),
)
CONFIGS = st.builds(
    Config,
    target=st.builds(
        Target,
        contract=st.sampled_from(names()) | st.sampled_from(names()).map(load),
        frames_multiple=st.integers(1, 64),
    ),
    loss=st.builds(
        Loss, terms=st.lists(TERMS, min_size=1, max_size=5).map(tuple), weighting_after_reduction=st.floats(1, 10)
    ),
    cell=st.builds(
        Cell,
        channels=st.integers(2, 256),
        hidden=st.lists(st.integers(1, 4096), min_size=1, max_size=8).map(tuple),
        padding_time=PADDINGS,
        padding_frequency=PADDINGS,
        margin=st.integers(0, 64),
        positions=st.integers(0, 16).map(lambda half: 2 * half),
        alpha_bias=FINITE,
        fire_rate=st.floats(1e-6, 1),
        output=st.sampled_from(["tanh", "linear"]),
        centre=FINITE,
        spread=POSITIVE,
    ),
    growth=st.builds(
        Growth,
        steps=st.tuples(st.integers(1, 10_000), st.integers(1, 10_000)).map(lambda pair: tuple(sorted(pair))),
        batch=st.integers(1, 1024),
        pool=st.just(0) | st.integers(1024, 4096),
    ),
    optimiser=st.builds(
        Optimiser,
        learning_rate=POSITIVE,
        schedule=st.sampled_from(["constant", "cosine"]),
        final_share=st.floats(0, 1),
        warmup=st.integers(0, 100),
        normalise_gradients=st.booleans(),
    ),
    watch=st.builds(Watch, every=st.integers(1, 10_000), patience=st.integers(0, 100)),
    epochs=st.integers(1, 100_000),
    seed=st.integers(0, 2**63 - 1),
)


def refused(file, *words):
    """The message of the InputError that reading the file gives: one line that begins with its name."""
    with pytest.raises(InputError) as caught:
        read(file, "first")
    said = str(caught.value)
    assert said.startswith(f"{file}: ")
    assert "\n" not in said
    for word in words:
        assert word in said
    return said


@pytest.fixture
def toml(tmp_path):
    """toml(text) -> the path of a file of it."""

    def write(text):
        path = tmp_path / "run.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


# What is shipped


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_loads_and_says_every_table(name):
    config = preset(name)
    assert read(None, name) == config
    assert parse(as_table(config), "again") == config
    assert config.target.mel.grid.bands == 80


def test_first_is_the_first_notebook():
    config = preset("first")
    assert config.cell == Cell()
    assert (config.cell.channels, config.cell.hidden, config.cell.alpha_bias) == (16, (128, 64), 1.0)
    assert (config.cell.output, config.cell.centre, config.cell.spread) == ("tanh", -40.0, 40.0)
    assert config.growth == Growth(steps=(96, 96), batch=1, pool=0)
    assert config.optimiser == Optimiser(learning_rate=2e-4, schedule="constant")
    assert config.loss.terms == (Gram(weight=2.0, mask_db=-70.0), L1(weight=0.1, mask_db=-70.0))
    assert config.loss.weighting_after_reduction == 2.0
    assert (config.target.frames_multiple, config.epochs) == (8, 8000)


def test_no_other_preset_is_known():
    with pytest.raises(InputError, match=r"^last: no such preset; use first, best$"):
        preset("last")
    with pytest.raises(InputError, match="no such preset"):
        read(None, "../presets/first")


# Round trip


@settings(max_examples=60)
@given(CONFIGS)
def test_a_configuration_survives_its_table_and_its_file(config):
    table = as_table(config)
    assert parse(table, "table") == config
    assert parse(tomllib.loads(tomli_w.dumps(table)), "file") == config


def test_a_key_without_a_value_is_left_out():
    assert "mask_db" not in as_table(preset("best"))["loss"]["terms"][0]
    assert as_table(preset("first"))["loss"]["terms"][1]["mask_db"] == -70.0


# Laid over a preset


def test_a_file_changes_the_keys_it_names_and_no_other(toml):
    config = read(toml("epochs = 5\n[cell]\nhidden = [32]\nfire_rate = 0.5\n"), "first")
    first = preset("first")
    expected = msgspec.structs.replace(
        first, epochs=5, cell=msgspec.structs.replace(first.cell, hidden=(32,), fire_rate=0.5)
    )
    assert config == expected


def test_an_empty_file_is_the_preset(toml):
    assert read(toml(""), "best") == preset("best")


def test_terms_are_replaced_as_a_whole(toml):
    config = read(toml('[[loss.terms]]\nterm = "temporal"\n'), "first")
    assert config.loss.terms == (Temporal(),)
    assert config.loss.weighting_after_reduction == 2.0


def test_a_contract_by_name_takes_the_place_of_a_table(toml):
    config = read(toml('[target]\ncontract = "whisper"\n'), "first")
    assert config.target.mel == load("whisper")
    assert config.target.frames_multiple == 8


def test_a_contract_table_takes_the_place_of_a_name(toml):
    table = as_table(msgspec.structs.replace(preset("best"), target=Target(load("hifigan_v1"))))
    config = read(toml(tomli_w.dumps({"target": table["target"]})), "best")
    assert config.target.mel == load("hifigan_v1")


def test_a_key_of_a_contract_table_changes_that_key(toml):
    mel = read(toml("[target.contract.grid]\nbands = 40\n"), "first").target.mel
    first = preset("first").target.mel
    assert mel == msgspec.structs.replace(first, grid=msgspec.structs.replace(first.grid, bands=40))


# What is refused


@pytest.mark.parametrize(
    "table",
    [
        "",
        "[target]\n",
        "[target.contract]\n",
        "[target.contract.grid]\n",
        "[target.contract.levels]\n",
        "[cell]\n",
        "[growth]\n",
        "[optimiser]\n",
        "[loss]\n",
        "[watch]\n",
        *(
            f'[[loss.terms]]\nterm = "{tag}"\n'
            for tag in ("l1", "l2", "gram", "gram-multiscale", "boundary", "temporal", "stft")
        ),
    ],
)
def test_an_unknown_key_is_refused_in_every_table(toml, table):
    said = refused(toml(f"{table}chanels = 16\n"), "`chanels`")
    where = table.strip("[]\n").partition("]")[0]
    assert where in said


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("epochs", [0, -1, 1.5, True, "many"]),
        ("seed", [-1, 2**63, 2**64, 0.5]),
        ("target.frames_multiple", [0, 65, -8]),
        ("target.contract", [3, True, []]),
        ("cell.channels", [1, 0, 257, 16.5, "16"]),
        ("cell.hidden", [[], [0], [4097], [1] * 9, 128]),
        ("cell.padding_time", ["", "zeros", 0]),
        ("cell.padding_frequency", ["mirror"]),
        ("cell.margin", [-1, 65]),
        ("cell.positions", [1, 3, -2, 34]),
        ("cell.fire_rate", [0.0, -0.5, 1.001]),
        ("cell.output", ["relu"]),
        ("cell.spread", [0.0, -1.0]),
        ("growth.steps", [[0, 96], [97, 96], [96], [96, 96, 96], [1, 10_001], 96]),
        ("growth.batch", [0, 1025]),
        ("growth.pool", [-1, 4097]),
        ("optimiser.learning_rate", [0.0, -1e-4, 10**400]),
        ("optimiser.schedule", ["linear"]),
        ("optimiser.final_share", [-0.1, 1.1]),
        ("optimiser.warmup", [-1]),
        ("optimiser.normalise_gradients", [1, "yes"]),
        ("loss.terms", [[], 3, [{"weight": 1.0}], [{"term": "l3"}], [{"term": "l1", "weight": -1.0}]]),
        ("loss.terms", [[{"term": "l1", "frequency_top": 0.0}], [{"term": "boundary", "width": 0}]]),
        ("loss.weighting_after_reduction", [0.5, -2.0]),
        ("watch.every", [0]),
        ("watch.patience", [-1]),
    ],
)
def test_what_is_out_of_range_or_of_another_type_is_refused_with_its_key(toml, key, values):
    for value in values:
        table = {key.split(".")[-1]: value}
        for name in reversed(key.split(".")[:-1]):
            table = {name: table}
        refused(toml(tomli_w.dumps(table)), key)


def test_a_pool_holds_a_batch(toml):
    refused(toml("[growth]\nbatch = 4\npool = 3\n"), "growth.pool")
    assert read(toml("[growth]\nbatch = 4\npool = 4\n"), "first").growth.pool == 4


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize(
    "key",
    [
        "cell.alpha_bias",
        "cell.centre",
        "cell.spread",
        "cell.fire_rate",
        "optimiser.learning_rate",
        "optimiser.final_share",
        "loss.weighting_after_reduction",
        "target.contract.levels.top_db",
    ],
)
def test_nan_and_infinity_are_refused(toml, key, value):
    table, _, name = key.rpartition(".")
    refused(toml(f"[{table}]\n{name} = {value}\n"), name if "levels" in key else key)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("key", ["weight", "mask_db", "frequency_top"])
def test_nan_and_infinity_are_refused_in_a_term(toml, key, value):
    refused(toml(f'[[loss.terms]]\nterm = "l1"\n{key} = {value}\n'), "loss.terms")


def test_an_unknown_contract_is_refused_with_those_that_are_known(toml):
    with pytest.raises(InputError, match=r"nope: no such contract; .*whisper") as caught:
        read(toml('[target]\ncontract = "nope"\n'), "first")
    assert "\n" not in str(caught.value)


def test_an_unknown_contract_is_refused_with_the_file_and_the_key(toml):
    refused(toml('[target]\ncontract = "nope"\n'), "target.contract")


@pytest.mark.parametrize("text", ['[target]\ncontract = "a\\nb"\n', '"a\\nb" = 1\n'], ids=["contract", "key"])
def test_a_line_break_in_a_name_does_not_break_the_message(toml, text):
    refused(toml(text))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("grid.n_fft", 1001),
        ("grid.n_fft", 2**30),
        ("grid.hop", 0),
        ("grid.hop", -256),
        ("grid.rate", 0),
        ("grid.bands", 0),
        ("grid.bands", 10**9),
        ("grid.fmin", -1.0),
        ("grid.fmax", 99_999.0),
        ("bin_epsilon", -1.0),
    ],
)
def test_a_contract_table_is_checked_as_a_contracts_file_is(toml, key, value):
    path = "target.contract." + key
    table, _, name = path.rpartition(".")
    refused(toml(f"[{table}]\n{name} = {value}\n"), name)


@pytest.mark.parametrize("sizes", [[], [0], [3], [-512], [2**40]], ids=str)
def test_a_resolution_that_is_none_is_refused(toml, sizes):
    refused(toml(f'[[loss.terms]]\nterm = "stft"\nn_fft = {sizes}\n'), "loss.terms", "n_fft")


@pytest.mark.parametrize("seed", [2**64], ids=str)
def test_a_seed_of_filters_that_is_none_is_refused(toml, seed):
    refused(toml(f'[[loss.terms]]\nterm = "gram"\nseed = {seed}\n'), "loss.terms", "seed")


# Files that are none


@pytest.mark.parametrize(
    "text",
    [
        bytes(range(256)),
        b"\x00" * 100,
        b"\xff\xfe" + "epochs = 5".encode("utf-16-le"),
        b"epochs = ",
        b"epochs = 1\nepochs = 2\n",
        b"a = " + b"[" * 20_000,
    ],
    ids=["bytes", "zeros", "utf-16", "no value", "twice", "deep"],
)
def test_what_is_no_toml_is_refused(toml, text):
    refused(toml(text), "not valid TOML")


@settings(max_examples=50)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_configuration_or_refused_in_one_line(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(data)
    try:
        said = isinstance(read(path, "first"), Config) and f"{path}: a configuration"
    except InputError as error:
        said = str(error)
    assert said.startswith(f"{path}: ")
    assert len(said.splitlines()) == 1


def test_a_directory_a_missing_file_and_a_path_that_is_none_are_refused(tmp_path):
    refused(str(tmp_path), "cannot be read")  # which says no such file
    refused(str(tmp_path / "missing.toml"), "cannot be read", "no such file")
    refused("a\0b.toml", "cannot be read")


def test_an_oversized_file_is_refused_unread(toml):
    refused(toml(b"#" * (LARGEST_FILE + 1)), f"larger than {LARGEST_FILE} bytes")
    assert read(toml(b"#" * LARGEST_FILE), "first") == preset("first")
