"""Training: that a tiny grid is learnt, that a run goes on bit for bit, and every way that it ends."""

from __future__ import annotations

import contextlib
import math
import os
import tomllib

import msgspec
import numpy as np
import pytest
import torch

from diagnose import example
from diagnose.audio import Audio
from diagnose.errors import InputError
from tnca.config import Optimiser, parse
from tnca.training import checkpoint, iteration
from tnca.training.iteration import normalise
from tnca.training.look import grow, look
from tnca.training.loop import learning_rate, out_of_patience, start, train, train_together
from tnca.training.run import opened, resumed

CPU = torch.device("cpu")
CONTRACT = {
    "about": "a tiny mel",
    "source": "the tests",
    "grid": {"rate": 8000, "n_fft": 256, "hop": 128, "bands": 16, "fmax": 4000.0},
    "levels": {"name": "ln-magnitude", "clip": 1e-5},
    "bin_epsilon": 1e-9,
}
POSITIONED = {"channels": 8, "hidden": [24], "padding_time": "circular", "padding_frequency": "circular"}
POSITIONED |= {"positions": 4, "output": "linear", "centre": -7.5, "spread": 3.5}


def settings(**tables):
    """A tiny run like preset `best`; tables are laid over its own."""
    table = {
        "epochs": 8,
        "target": {"contract": CONTRACT},
        "cell": {**POSITIONED, "channels": 6, "hidden": [8]},
        "growth": {"steps": [2, 4]},
        "optimiser": {"learning_rate": 5e-3, "normalise_gradients": True},
        "loss": {"terms": [{"term": "l2"}]},
        "watch": {"every": 4},
    }
    for key, value in tables.items():
        table[key] = {**table.get(key, {}), **value} if isinstance(value, dict) else value
    return parse(table, "the test")


@pytest.fixture(scope="module")
def note():
    return example.bowed_string(392.0, seconds=0.3, rate=8000)


def begun(note, config, folder=None):
    return start(note, config, None if folder is None else str(folder), CPU)


def at(run, epoch):
    """A stop() for train: true from that epoch on."""
    return lambda: run.epoch >= epoch


# Learning


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_tiny_grid_is_learnt(note, seed):
    optimiser = {"schedule": "cosine", "warmup": 5}
    config = settings(cell=POSITIONED, growth={"steps": [8, 8]}, optimiser=optimiser, watch={"every": 150}, epochs=150)
    run = begun(note, msgspec.structs.replace(config, seed=seed))

    def error_db():
        return run.target.errors_db(grow(run.rule, run.target, 8).values)["mel_error_db"]

    untrained = error_db()
    # What a rule of one value for all cells can reach at best: the median of the target.
    flat = run.target.errors_db(np.full_like(run.target.values, np.median(run.target.values)))["mel_error_db"]
    train(run)
    assert untrained > 15
    assert flat > 10
    assert error_db() < 1.5
    assert run.rows[-1]["mel_error_db"] == pytest.approx(error_db())
    assert run.best["epoch"] == 150


def test_the_loss_of_a_look_is_the_weighted_sum_of_its_parts(note):
    terms = [{"term": "l2", "weight": 2.0}, {"term": "l1", "weight": 0.5}, {"term": "temporal", "weight": 0.25}]
    run = train(begun(note, settings(loss={"terms": terms}, epochs=3)))
    row = run.rows[-1]
    assert row["loss"] == pytest.approx(2 * row["l2"] + 0.5 * row["l1"] + 0.25 * row["temporal"], rel=1e-5)


# Learning rate and gradients


def test_the_learning_rate_rises_and_stays():
    optimiser = Optimiser(learning_rate=0.1, warmup=4)
    rates = [learning_rate(optimiser, epoch, 100) for epoch in range(8)]
    assert rates == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1, 0.1, 0.1, 0.1])


def test_the_learning_rate_falls_by_half_a_cosine():
    optimiser = Optimiser(learning_rate=0.1, schedule="cosine", final_share=0.2)
    for epoch, share in ((0, 1), (25, 0.2 + 0.8 * (2 + math.sqrt(2)) / 4), (50, 0.6), (100, 0.2)):
        assert learning_rate(optimiser, epoch, 100) == pytest.approx(0.1 * share)
    falling = [learning_rate(optimiser, epoch, 100) for epoch in range(100)]
    assert falling == sorted(falling, reverse=True)


def test_the_optimiser_is_given_the_rate_of_its_epoch(note):
    run = begun(note, settings(optimiser={"schedule": "cosine", "warmup": 3}))
    rates = []

    class Heard:
        def epoch(self, run, parts):
            rates.append(run.optimiser.param_groups[0]["lr"])

        def looked(self, run, found): ...

    train(run, Heard())
    assert rates == [learning_rate(run.config.optimiser, epoch, 8) for epoch in range(8)]


def test_each_gradient_is_divided_by_its_own_norm():
    rule = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))
    rule[0].weight.grad = torch.tensor([[3.0, 0, 0], [0, -4.0, 0]])
    rule[0].bias.grad = torch.tensor([1e-6, 0])
    rule[1].weight.grad = torch.zeros(1, 2)
    normalise(rule)
    torch.testing.assert_close(rule[0].weight.grad, torch.tensor([[0.6, 0, 0], [0, -0.8, 0]]))
    torch.testing.assert_close(rule[0].bias.grad, torch.tensor([1.0, 0]), rtol=0.02, atol=0)
    assert rule[1].weight.grad.tolist() == [[0, 0]]
    assert rule[1].bias.grad is None


@pytest.mark.parametrize("normalised", [True, False])
def test_gradients_are_normalised_where_it_is_asked(note, normalised):
    run = begun(note, settings(optimiser={"normalise_gradients": normalised}, epochs=1))
    train(run)
    norms = [float(torch.linalg.vector_norm(each.grad)) for each in run.rule.parameters()]
    assert all(norm == pytest.approx(1, abs=1e-3) or norm == 0 for norm in norms) == normalised


# Pool


def test_the_pool_is_grown_on(note):
    run = begun(note, settings(growth={"steps": [2, 4], "batch": 2, "pool": 5}, epochs=6))
    assert (run.pool.states == run.pool.seed).all()
    train(run)
    assert run.pool.states.shape[0] == 5
    grown = [not torch.equal(state, run.pool.seed[0]) for state in run.pool.states]
    assert sum(grown) >= 2
    for state, error, was_put in zip(run.pool.states, run.pool.errors, grown, strict=True):
        assert (float(error) > 0) == was_put
        read = run.rule.read(state[None])[0].detach().numpy()
        if was_put:
            assert float(error) == pytest.approx(float(np.square(read - run.target.values).mean()), rel=1e-4)


def test_the_steps_are_drawn_evenly_from_the_range(note, monkeypatch):
    run = begun(note, settings(growth={"steps": [1, 3]}, epochs=60, watch={"every": 60}))
    training, real = [], iteration.run_together

    def counted(rules, states, steps, rngs):
        training.append(steps)
        return real(rules, states, steps, rngs)

    monkeypatch.setattr(iteration, "run_together", counted)
    train(run)
    assert len(training) == 60
    assert {steps: training.count(steps) > 10 for steps in (1, 2, 3)} == {1: True, 2: True, 3: True}
    assert set(training) == {1, 2, 3}


# Going on, bit for bit


FULL = {
    "cell": {"fire_rate": 0.5},
    "growth": {"steps": [2, 5], "batch": 2, "pool": 4},
    "optimiser": {"schedule": "cosine", "warmup": 2},
    "watch": {"every": 3},
}


def flat(value, key=""):
    """Every leaf of a state by its path; tensors stay tensors."""
    if isinstance(value, dict):
        return {name: leaf for each in value for name, leaf in flat(value[each], f"{key}/{each}").items()}
    if isinstance(value, list | tuple):
        return {name: leaf for at, each in enumerate(value) for name, leaf in flat(each, f"{key}/{at}").items()}
    return {key: value}


def assert_equal_bit_for_bit(state, wanted):
    state, wanted = flat(state), flat(wanted)
    assert state.keys() == wanted.keys()
    for key, value in wanted.items():
        if key.endswith("seconds"):
            continue
        same = torch.equal(state[key], value) if isinstance(value, torch.Tensor) else state[key] == value
        assert same, key


@pytest.mark.parametrize("stopped_at", [4, *(pytest.param(at, marks=pytest.mark.slow) for at in (1, 3, 6))])
def test_a_run_goes_on_bit_for_bit(note, tmp_path, stopped_at):
    whole = train(begun(note, settings(**FULL), tmp_path / "whole"))
    first = begun(note, settings(**FULL), tmp_path / "broken")
    train(first, stop=at(first, stopped_at))
    assert first.epoch == stopped_at
    second = resumed(str(tmp_path / "broken"), note, CPU)
    assert second.epoch == stopped_at
    assert_equal_bit_for_bit(second.state(), first.state())
    train(second)
    assert whole.epoch == second.epoch == 8
    assert [row["epoch"] for row in second.rows] == [3, 6, 8]
    assert_equal_bit_for_bit(second.state(), whole.state())
    paths = [tmp_path / name / "checkpoint.pt" for name in ("broken", "whole")]
    assert_equal_bit_for_bit(*(checkpoint.load(str(path)) for path in paths))


def test_a_run_is_its_seeds(note):
    first, again = (train(begun(note, settings(**FULL))) for _ in range(2))
    other = train(begun(note, msgspec.structs.replace(settings(**FULL), seed=1)))
    assert_equal_bit_for_bit(again.state(), first.state())
    assert not torch.equal(other.rule.weights[0], first.rule.weights[0])


def test_torchs_global_generator_is_not_drawn_from(note):
    state = torch.random.get_rng_state()
    train(begun(note, settings(**FULL)))
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.slow
def test_a_kill_after_a_look_loses_no_more_than_since_then(note, tmp_path):
    run = begun(note, settings(**FULL), tmp_path / "run")

    class Killed(BaseException): ...

    class Heard:
        def epoch(self, run, parts):
            if run.epoch == 5:
                raise Killed

        def looked(self, run, found): ...

    with pytest.raises(Killed):
        train(run, Heard())
    second = resumed(str(tmp_path / "run"), note, CPU)
    assert second.epoch == 3
    assert_equal_bit_for_bit(train(second).state(), train(begun(note, settings(**FULL))).state())


def test_stop_ends_it_after_the_epoch_and_saves(note, tmp_path):
    run = begun(note, settings(watch={"every": 100}, epochs=50), tmp_path / "run")
    train(run, stop=at(run, 2))
    assert (run.epoch, run.rows) == (2, [])
    assert checkpoint.load(str(tmp_path / "run" / "checkpoint.pt"))["epoch"] == 2


def test_a_run_that_is_at_its_end_stays_as_it_is(note, tmp_path):
    run = train(begun(note, settings(), tmp_path / "run"))
    state = run.state()
    assert_equal_bit_for_bit(train(resumed(str(tmp_path / "run"), note, CPU)).state(), state)


def test_more_epochs_can_be_asked_for(note, tmp_path):
    train(begun(note, settings(epochs=4), tmp_path / "run"))
    longer = train(resumed(str(tmp_path / "run"), note, CPU, {"epochs": 8}))
    assert [row["epoch"] for row in longer.rows] == [4, 8]
    assert opened(str(tmp_path / "run"), CPU).config.epochs == 8
    assert_equal_bit_for_bit(longer.state(), train(begun(note, settings(epochs=8))).state())  # the schedule is constant


def test_what_a_run_says_of_itself_follows_the_epochs(note, tmp_path):
    train(begun(note, settings(epochs=4), tmp_path / "run"))
    train(resumed(str(tmp_path / "run"), note, CPU, {"epochs": 8}))
    assert tomllib.loads((tmp_path / "run" / "config.toml").read_text())["epochs"] == 8


# Divergence


def diverge(run, epoch):
    """A stop() that never stops, and spoils a weight when that epoch is done."""

    def stop():
        if run.epoch == epoch:
            with torch.no_grad():
                run.rule.biases[-1][0] = math.nan
        return False

    return stop


def test_a_loss_that_is_not_finite_ends_it_and_the_checkpoint_stays(note, tmp_path):
    run = begun(note, settings(epochs=12), tmp_path / "run")
    with pytest.raises(InputError) as caught:
        train(run, stop=diverge(run, 5))
    said = "the training diverged by epoch 8: non-finite values; lower optimiser.learning_rate"
    assert str(caught.value) == f"{tmp_path / 'run'}: {said}"
    kept = resumed(str(tmp_path / "run"), note, CPU)
    assert kept.epoch == 4
    assert all(torch.isfinite(each).all() for each in kept.rule.parameters())


def test_weights_that_broke_in_the_last_step_are_not_kept(note, tmp_path, monkeypatch):
    run = begun(note, settings(epochs=12), tmp_path / "run")
    real = run.optimiser.step

    def step():
        real()
        if run.epoch == 7:  # the loss of epoch 8 is finite, the weights after it are not
            with torch.no_grad():
                run.rule.biases[-1][0] = math.nan

    monkeypatch.setattr(run.optimiser, "step", step)
    with pytest.raises(InputError, match="diverged"):
        train(run)
    assert resumed(str(tmp_path / "run"), note, CPU).epoch == 4


def test_a_training_that_diverged_between_looks_is_not_saved_when_it_is_stopped(note, tmp_path):
    run = begun(note, settings(epochs=12), tmp_path / "run")
    spoil = diverge(run, 5)
    with contextlib.suppress(InputError):  # to say so is as good as to stop in silence
        train(run, stop=lambda: spoil() or run.epoch == 6)
    kept = resumed(str(tmp_path / "run"), note, CPU)
    assert all(torch.isfinite(each).all() for each in kept.rule.parameters())


def test_a_learning_rate_that_is_too_high_is_said_in_a_line(note):
    optimiser = {"learning_rate": 1e30, "normalise_gradients": False}
    with pytest.raises(InputError, match=r"^[^\n]*diverged[^\n]*$"):
        train(begun(note, settings(optimiser=optimiser)))


# Patience, and what is best


def with_figures(monkeypatch, figures):
    """Looks whose mel_error_db are these, one after another."""
    given = iter(figures)
    real = look.__globals__["figures_of"]

    def judged(target, sound):
        found = real(target, sound)
        return msgspec.structs.replace(found, figures={**found.figures, "rms_ratio": next(given)})

    monkeypatch.setitem(look.__globals__, "figures_of", judged)


def watched(note, monkeypatch, figures, **watch):
    with_figures(monkeypatch, figures)
    table = {"every": 1, "best": "rms_ratio", **watch}
    return begun(note, settings(watch=table, epochs=len(figures)))


def test_best_is_by_the_watched_figure_not_by_the_loss(note, monkeypatch):
    run = watched(note, monkeypatch, [0.3, 1.5, 0.9, 0.7, 2.0, 0.5, 0.4, 0.6])
    weights = {}

    class Heard:
        def epoch(self, run, parts): ...

        def looked(self, run, found):
            weights[run.epoch] = run.rule.weights[0].detach().clone()
            assert found.best == (run.epoch in (1, 2, 3))

    train(run, Heard())
    assert min(run.rows, key=lambda row: row["loss"])["epoch"] > 3
    assert run.best["epoch"] == 3
    assert torch.equal(run.best_rule.weights[0], weights[3])
    assert not torch.equal(run.rule.weights[0], weights[3])


@pytest.mark.parametrize(
    ("figures", "best"),
    [
        ([0.5, 1.9, 3.0], 2),  # a ratio is best at 1, on a logarithmic scale: 1/2 is further than 1.9
        ([1.0, 1.0, 1.0], 1),
        ([None, 0.5, 0.9], 3),
        ([None, None, None], 1),
        ([0.9, None, 1.0], 3),
        ([0.0, 0.5, 0.9], 3),
        ([0.9, 0.0, 0.8], 1),  # silence has a ratio of 0
    ],
)
def test_the_best_ratio(note, monkeypatch, figures, best):
    assert train(watched(note, monkeypatch, figures)).best["epoch"] == best


@pytest.mark.parametrize(
    ("figures", "last", "best"),
    [
        ([0.5, 0.8, 0.7, 0.7, 0.9, 0.6, 0.6, 0.6], 8, 5),
        ([0.5, 0.8, 0.7, 0.7, 0.6, 0.9, 0.9, 0.9], 5, 2),
    ],
)
def test_patience_ends_it(note, monkeypatch, figures, last, best):
    run = train(watched(note, monkeypatch, figures, patience=3))
    assert (run.epoch, run.best["epoch"]) == (last, best)
    assert out_of_patience(run)


@pytest.mark.slow
def test_without_patience_it_never_ends_early(note, monkeypatch):
    assert train(watched(note, monkeypatch, [0.9] + [0.1] * 9)).epoch == 10


def test_a_figure_that_there_is_not_is_said_with_those_that_there_are(note, tmp_path):
    with pytest.raises(InputError) as caught:
        train(begun(note, settings(watch={"best": "loudness"}), tmp_path / "run"))
    said = str(caught.value)
    assert said.startswith("watch.best: no metric loudness; use one of ")
    assert "\n" not in said
    for figure in ("loss", "l2", "mel_error_db", "rms_ratio", "spectral_convergence"):
        assert figure in said
    assert "verdict" not in said


# What a training cannot begin with leaves no folder


@pytest.mark.parametrize("n_fft", [[100_000], [1], [255], []])
def test_a_loss_that_cannot_be_had_is_said_before_the_folder_is_made(note, tmp_path, n_fft):
    def trained():
        train(begun(note, settings(loss={"terms": [{"term": "stft", "n_fft": n_fft}]}), tmp_path / "run"))

    with pytest.raises(InputError) as caught:
        trained()
    assert "\n" not in str(caught.value)
    assert not os.listdir(tmp_path)


# Several runs at once


TOGETHER = {"growth": {"steps": [3, 3], "batch": 2, "pool": 4}, "cell": {"fire_rate": 0.5}}


def seeded(note, seed, **tables):
    return begun(note, settings(**TOGETHER, **tables, seed=seed))


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["reference", pytest.param("native", marks=pytest.mark.slow)])
def test_runs_that_are_trained_together_become_what_each_becomes_alone(note, kernel):
    compute = {"compute": {"kernel": kernel}}
    try:
        alone = [train(seeded(note, seed, **compute)) for seed in (1, 2, 3)]
    except InputError as missing:
        pytest.skip(str(missing))
    together = train_together([seeded(note, seed, **compute) for seed in (1, 2, 3)])
    for one, other in zip(alone, together, strict=True):
        assert one.epoch == other.epoch == 8
        for name, value in one.rule.state_dict().items():
            assert torch.allclose(other.rule.state_dict()[name], value, rtol=1e-3, atol=1e-4), name
    weights = [run.rule.weights[0].detach() for run in together]
    assert not torch.allclose(weights[0], weights[1], rtol=0.1)


def test_notes_of_one_length_are_trained_together(note):
    other = Audio(note.samples[:, ::-1].copy(), note.rate, "backwards")
    one, two = train_together([begun(note, settings(seed=1, epochs=4)), begun(other, settings(seed=1, epochs=4))])
    assert one.rows[-1]["mel_error_db"] != two.rows[-1]["mel_error_db"]


def test_runs_that_are_not_alike_are_refused(note):
    longer = Audio(np.tile(note.samples, 2), note.rate, "longer")
    with pytest.raises(InputError, match="notes that are trained at once must have one length"):
        train_together([begun(note, settings()), begun(longer, settings())])
    with pytest.raises(InputError, match="settings differ from the first"):
        train_together([begun(note, settings()), begun(note, settings(epochs=9))])


@pytest.mark.slow
def test_a_run_that_diverges_does_not_end_the_others(note, tmp_path):
    runs = [begun(note, settings(**TOGETHER, seed=seed), tmp_path / f"run-{seed}") for seed in (1, 2, 3)]
    with torch.no_grad():
        runs[1].rule.biases[0][0] = torch.nan
    with pytest.raises(InputError, match="run-2: the training diverged by epoch 4"):
        train_together(runs)
    assert [run.epoch for run in runs] == [8, 4, 8]
    found = [checkpoint.load(str(tmp_path / f"run-{seed}" / "checkpoint.pt"))["epoch"] for seed in (1, 2, 3)]
    assert found == [8, 0, 8]


def test_a_run_goes_on_with_the_optimiser_of_another_device(note):
    """On CUDA the rate is a tensor, and Adam is fused and can be captured; here neither."""
    run = train(begun(note, settings(epochs=4)))
    state = run.state()
    group = state["optimiser"]["param_groups"][0]
    group.update(lr=torch.tensor(group["lr"]), fused=True, capturable=True)
    other = begun(note, settings(epochs=8))
    other.go_on(state, "run")
    mine = other.optimiser.param_groups[0]
    assert (type(mine["lr"]), mine["fused"], mine["capturable"]) == (float, None, False)
    assert train(other).epoch == 8


@pytest.mark.gpu
def test_a_captured_training_is_the_plain_one(note):
    """Three epochs that warm up, then replays, with a rate that changes in each."""
    tables = {"growth": {"steps": [3, 3]}, "epochs": 10, "compute": {"kernel": "reference", "precision": "fp32"}}
    plain, captured = (start(note, settings(**tables), None, torch.device("cuda")) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tnca.training.loop.can_be_captured", lambda run: False)
        train(plain)
    assert iteration.can_be_captured(captured)
    train(captured)
    for name, value in plain.rule.state_dict().items():
        assert torch.allclose(captured.rule.state_dict()[name], value, rtol=1e-4, atol=1e-5), name


@pytest.mark.slow
def test_a_run_that_is_at_its_end_waits_for_the_others(note):
    """With one look of patience, runs end at different epochs."""
    runs = [seeded(note, seed, watch={"every": 2, "patience": 1}, epochs=12) for seed in (1, 2, 3)]
    train_together(runs)
    assert all(run.epoch == 12 or out_of_patience(run) for run in runs)
    assert [run.rows[-1]["epoch"] for run in runs] == [run.epoch for run in runs]
