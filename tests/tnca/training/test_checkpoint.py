"""A run's one file: what goes in comes out, and nothing else is taken for it."""

from __future__ import annotations

import io
import os
import pickle
import zipfile

import pytest
import torch

from diagnose.errors import InputError
from tnca.training import checkpoint

STATE = {
    "config": '{"epochs": 3}',
    "epoch": 2,
    "bands": 3,
    "frames": 4,
    "rule": {"weight": torch.arange(6.0).reshape(2, 3)},
    "best": {"epoch": 1, "figure": None, "rule": {}},
    "rows": [{"epoch": 1, "loss": 0.5, "verdict": "PASS", "rms_ratio": None}],
    "rng": torch.Generator().manual_seed(3).get_state(),
}


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "checkpoint.pt")


def refused(path):
    """The one line of the refusal."""
    with pytest.raises(InputError) as caught:
        checkpoint.load(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert "\n" not in said
    return said


def test_what_goes_in_comes_out(path):
    checkpoint.save(path, STATE)
    state = checkpoint.load(path)
    assert state.keys() == {*STATE, "format"}
    for key in ("config", "epoch", "bands", "frames", "best", "rows"):
        assert state[key] == STATE[key]
    assert torch.equal(state["rule"]["weight"], STATE["rule"]["weight"])
    assert torch.equal(state["rng"], STATE["rng"])


def test_of_saving_nothing_is_left_but_the_file(path, tmp_path):
    checkpoint.save(path, STATE)
    checkpoint.save(path, {**STATE, "epoch": 3})
    assert os.listdir(tmp_path) == ["checkpoint.pt"]
    assert checkpoint.load(path)["epoch"] == 3


def test_a_missing_one(path):
    assert "no such checkpoint; `tnca train`" in refused(path)


def test_a_folder_is_none(tmp_path):
    assert "no such checkpoint" in refused(str(tmp_path))


def other(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return refused(path)


def test_other_files_are_none(path):
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a.txt", "no checkpoint")
    for data in (b"", b"RIFF....WAVE", b"PK\x03\x04 and no more", bytes(1000), zipped.getvalue(), b"\x80\x02."):
        assert "not a checkpoint of tnca" in other(path, data)


def test_a_truncated_one_is_refused_wherever_it_ends(path):
    checkpoint.save(path, STATE)
    with open(path, "rb") as file:
        whole = file.read()
    for share in (0.1, 0.5, 0.9, 0.99):
        assert "not a checkpoint of tnca" in other(path, whole[: int(share * len(whole))])


class Hostile:
    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (self.place,)


@pytest.mark.parametrize("how", ["torch", "pickle", "torch-old"])
def test_a_pickle_that_would_run_something_is_not_run(path, tmp_path, how):
    place = str(tmp_path / "made by the pickle")
    state = {"format": checkpoint.FORMAT, **STATE, "rows": Hostile(place)}
    if how == "pickle":
        with open(path, "wb") as file:
            pickle.dump(state, file)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=how == "torch")
    assert "not a checkpoint of tnca" in refused(path)
    assert not os.path.exists(place)


def test_the_reason_for_a_hostile_one_is_said(path, tmp_path):
    torch.save({"format": checkpoint.FORMAT, **STATE, "rows": Hostile(str(tmp_path / "x"))}, path)
    assert "it contains more than tensors" in refused(path)


def test_a_file_that_claims_too_much_is_refused_before_it_is_read(path, monkeypatch):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1_000_000))
    assert os.path.getsize(path) < 10_000
    monkeypatch.setattr(checkpoint, "MOST_BYTES", 100_000)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was read"))
    assert "claims 1,000,000 bytes, over 100,000" in refused(path)
    assert "claims 100,001 bytes" in other(path, bytes(100_001))


@pytest.mark.parametrize("changed", [{"format": "tnca.checkpoint/2"}, {"format": None}, {"format": torch.zeros(2)}])
def test_another_format_is_refused(path, changed):
    torch.save({**STATE, **changed}, path)
    assert f"no {checkpoint.FORMAT} in it" in refused(path)


def test_a_format_without_its_keys_is_refused(path):
    for state in ({"format": checkpoint.FORMAT}, [checkpoint.FORMAT], torch.zeros(3), "text", None):
        torch.save(state, path)
        assert f"no {checkpoint.FORMAT} in it" in refused(path)


def test_a_write_that_fails_leaves_the_old_file(path, tmp_path, monkeypatch):
    checkpoint.save(path, STATE)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="No space left on device"):
        checkpoint.save(path, {**STATE, "epoch": 99})
    monkeypatch.undo()
    assert checkpoint.load(path)["epoch"] == 2
    assert os.listdir(tmp_path) == ["checkpoint.pt"]


def test_weights_of_the_module_fit():
    module, wanted = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    checkpoint.fits("run", module, wanted.state_dict())
    assert torch.equal(module.weight, wanted.weight)


@pytest.mark.parametrize(
    "weights",
    [
        torch.nn.Linear(3, 4).state_dict(),
        torch.nn.Linear(3, 2, bias=False).state_dict(),
        {**torch.nn.Linear(3, 2).state_dict(), "more": torch.zeros(1)},
        {"weight": "text", "bias": torch.zeros(2)},
        {},
        None,
        3,
        [1],
        torch.zeros(2, 3),
    ],
    ids=["shape", "one missing", "one more", "text", "none", "None", "number", "list", "tensor"],
)
def test_weights_of_another_model_are_refused_in_one_line(weights):
    with pytest.raises(InputError) as caught:
        checkpoint.fits("run", torch.nn.Linear(3, 2), weights)
    assert str(caught.value) == "run: the weights do not fit the configuration"
