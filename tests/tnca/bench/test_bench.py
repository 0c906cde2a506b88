"""tnca bench: what it measures is right, what it prints can be read, and a wrong kernel is called so."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tnca.bench import contenders, machine
from tnca.bench.__main__ import main
from tnca.bench.first import FirstCell
from tnca.bench.measure import measured, table
from tnca.bench.task import CHANNELS, HIDDEN, PADDING, error, random_task
from tnca.kernels import Choice, reference

CPU = torch.device("cpu")
TINY = ["--kernels", "reference", "--bands", "4", "--frames", "5", "--steps", "3", "--rounds", "1"]
SMALL = {"size": (6, 8), "steps": 5, "rounds": 3}


@pytest.fixture
def small_rates(monkeypatch):
    monkeypatch.setitem(machine.SIZES, "cpu", 64)
    monkeypatch.setitem(machine.COPIED, "cpu", 1 << 16)


def run(**settings):
    return measured(CPU, (1, 2), kernels=("reference",), said=lambda line: None, **{**SMALL, **settings})


# The task


def test_the_first_cell_is_the_plain_one():
    task = random_task(2, 7, 9, 6, CPU)
    cell, state = FirstCell(task.params), task.state
    for _ in range(6):
        state = cell(state)
    assert error(state, reference.run(task.params, task.state, 6, PADDING)) < 1e-6


@pytest.mark.slow
def test_the_task_is_alive_from_the_first_step_to_the_last():
    """Zeros would be quick to grow, and a dead state hides a wrong kernel."""
    task = random_task(1, 80, 88, 96, CPU)
    assert task.state.std() > 0.05
    assert all(slope.abs().max() > 0 for slope in task.slopes)
    grown = reference.run(task.params, task.state, 96, PADDING)
    assert grown.isfinite().all()
    assert 0.05 < float(grown.std()) < 100
    assert float((grown - task.state).norm() / task.state.norm()) > 0.5


def test_the_work_is_counted_as_it_is_by_hand():
    task = random_task(3, 5, 7, 2, CPU)
    layers = 4 * CHANNELS * HIDDEN[0] + HIDDEN[0] * HIDDEN[1] + HIDDEN[1] * CHANNELS
    assert task.flops_per_step == 2 * layers * 3 * 5 * 7
    assert task.floor_bytes_per_step == 2 * 4 * CHANNELS * 3 * 5 * 7
    assert random_task(1, 80, 88, 96, CPU).flops_per_step == pytest.approx(245e6, rel=0.01)


def test_the_error_of_what_is_not_finite_is_infinite():
    assert error(torch.tensor([torch.nan]), torch.ones(1, dtype=torch.float64)) == float("inf")
    assert error(torch.tensor([1.5]), torch.ones(1, dtype=torch.float64)) == 0.5


# What is measured


def test_a_row_for_each_kernel_mode_and_batch(small_rates):
    found = run()
    assert [(row["backend"], row["mode"], row["batch"]) for row in found["rows"]] == [
        (backend, mode, batch)
        for batch in (1, 2)
        for mode in ("forward", "training")
        for backend in ("first", "reference")
    ]
    for row in found["rows"]:
        assert row["right"]
        assert row["spread"][0] <= row["per_s"] <= row["spread"][1]
        steps = 5 if row["mode"] == "training" else 1
        assert row["cells_per_s"] == pytest.approx(row["per_s"] * steps * 48 * row["batch"])
        factor = 3 if row["mode"] == "training" else 1
        assert row["flops"] == pytest.approx(row["cells_per_s"] * 34816 * factor)
        assert row["share_of_matmul"] == pytest.approx(row["flops"] / found["matmul_flops"]["fp32"])
    assert all(row["ratio_to_first"] == 1 for row in found["rows"] if row["backend"] == "first")


def test_a_kernel_that_sleeps_is_as_much_slower(small_rates, monkeypatch):
    """The clock is right, and ratios are of first to the other."""
    real = contenders.run

    def slow(*arguments, **settings):
        time.sleep(0.2)
        return real(*arguments, **settings)

    monkeypatch.setattr(contenders, "run", slow)
    rows = {row["backend"]: row for row in run(modes=("forward",))["rows"] if row["batch"] == 1}
    assert rows["reference"]["per_s"] == pytest.approx(5 / 0.2, rel=0.3)
    assert rows["reference"]["ratio_to_first"] == pytest.approx(
        rows["reference"]["per_s"] / rows["first"]["per_s"], rel=0.5
    )


def test_a_wrong_kernel_is_called_wrong(small_rates, monkeypatch, capsys):
    monkeypatch.setattr(contenders, "run", lambda *rollout, choice: 1.001 * reference.run(*rollout))
    found = run()
    assert [row["right"] for row in found["rows"]] == [True, False] * 4
    assert table(found).count("WRONG") == 4
    assert main(TINY) == 1


def test_memory_is_the_most_that_was_held_at_once():
    held = machine.peak_bytes(lambda: torch.ones(50_000_000) + 1, CPU)
    if held is None:
        pytest.skip("this system does not say")
    assert held == pytest.approx(4e8, rel=0.1)


# As it is typed


def test_json_alone_is_on_stdout(small_rates, capsys):
    assert main([*TINY, "--json", "-"]) == 0
    written = capsys.readouterr()
    found = json.loads(written.out)
    assert found["grid"] == {"channels": 16, "bands": 4, "frames": 5, "steps": 3}
    assert set(found["rows"][0]) >= {"backend", "precision", "mode", "batch", "per_s", "ratio_to_first", "peak_bytes"}
    assert "batch 1, forward: first fp32, reference fp32" in written.err


def test_json_to_a_file_beside_the_table(small_rates, capsys, tmp_path):
    path = tmp_path / "bench.json"
    assert main([*TINY, "--json", str(path)]) == 0
    assert json.loads(path.read_text())["rows"]
    assert "x first" in capsys.readouterr().out
    assert [each.name for each in tmp_path.iterdir()] == ["bench.json"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--device", "nonsense"], "--device nonsense: is not available"),
        (["--batch", "0"], "--batch 0: must be whole numbers from 1"),
        (["--batch", "1,"], "--batch 1,: must be whole numbers"),
        (["--batch", "x"], "--batch x: must be whole numbers"),
        (["--kernels", "native,fast"], "--kernels fast: not one of reference, compiled, native, triton, jax"),
        (["--steps", "0"], "0: must be a whole number from 1"),
        (
            ["--json", "/no/such/folder/f.json", "--kernels", "reference"],
            "--json /no/such/folder/f.json: no such directory",
        ),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_a_mistake_is_one_line(arguments, said, capsys):
    try:
        code = main(arguments, "tnca bench")
    except SystemExit as stop:
        code = stop.code
    written = capsys.readouterr()
    assert code == 2
    assert written.out == ""
    assert written.err.startswith("tnca bench: ")
    assert said in written.err
    assert written.err.count("\n") == 1


@pytest.mark.slow
def test_the_command_and_the_module_are_one():
    program = str(Path(sys.executable).with_name("tnca"))
    helps = [
        subprocess.run([*way, "--help"], capture_output=True, text=True, timeout=600, check=True).stdout
        for way in ([program, "bench"], [sys.executable, "-m", "tnca.bench"])
    ]
    assert "tnca bench --device cuda --batch 1,64" in helps[0]
    assert helps[0].split("options:")[1] == helps[1].split("options:")[1]


def test_what_does_not_work_here_is_said_and_left_out(small_rates):
    said = []
    found = measured(CPU, (1,), kernels=("triton", "reference"), said=said.append, **SMALL)
    assert {row["backend"] for row in found["rows"]} == {"first", "reference"}
    assert any(line.startswith("triton: ") for line in said)


def test_jax_is_right_where_it_is_installed(small_rates):
    pytest.importorskip("jax", reason="jax is not installed; it is no dependency of the tests")
    found = measured(CPU, (2,), kernels=("jax",), said=pytest.fail, **SMALL)
    rows = {(row["backend"], row["mode"]): row for row in found["rows"]}
    assert all(rows["jax", mode]["right"] for mode in ("forward", "training"))


def test_a_choice_reads_as_a_line():
    assert str(Choice("native", "fp32")) == "native, fp32"
