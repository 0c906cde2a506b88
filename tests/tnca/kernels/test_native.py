"""The kernel in C++, held against the plain cell in double precision; where there is no compiler it falls back."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from kernel_cases import Case, copied, error, rollout_of, trained_by

from tnca.kernels import Choice, KernelMissing, Padding, native, reference

try:
    native.load()
    MISSING = ""
except KernelMissing as trouble:
    MISSING = str(trouble)
needs_compiler = pytest.mark.skipif(bool(MISSING), reason=MISSING)
CPU = torch.device("cpu")
SMALL = Case((5, 6), channels=4, hidden=(9, 7), steps=3)


@pytest.fixture
def on_threads():
    """on_threads(2), until the test is over."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def go(rollout, params, **settings):
    case = rollout.case
    return native.run(params, rollout.state, case.steps, case.padding, **rollout.settings, **settings)


@needs_compiler
@pytest.mark.parametrize("stored", [True, False])
def test_states_and_gradients_are_the_plain_cells(rollout, stored):
    of_state, of_gradient = rollout.errors(lambda params: go(rollout, params, stored=stored))
    assert of_state < 1e-5
    assert of_gradient < 1e-3


@needs_compiler
@pytest.mark.parametrize("threads", [2, 3, 7])
def test_more_threads_than_work_are_right(threads, on_threads):
    rollout = rollout_of(Case((3, 50), channels=5, hidden=(6, 8), rules=2, states=2))
    on_threads(threads)
    of_state, of_gradient = rollout.errors(lambda params: go(rollout, params))
    assert of_state < 1e-5
    assert of_gradient < 1e-3


@needs_compiler
def test_a_run_repeats_itself_bit_for_bit_on_any_number_of_threads(on_threads):
    rollout = rollout_of(Case((40, 50), steps=6))
    params, found = copied(rollout.params, torch.float32), []
    for threads in (1, 1, 2, 5):
        on_threads(threads)
        grown = go(rollout, params)
        found.append([grown, *torch.autograd.grad(grown.square().sum(), [*params.weights, *params.biases])])
    assert all(torch.equal(a, b) for other in found[1:] for a, b in zip(found[0], other, strict=True))


@needs_compiler
@pytest.mark.parametrize("mode", ["zero", "circular", "reflect", "replicate"])
def test_the_gradient_of_the_first_state(mode):
    """Of one step: over several it is chaotic in single precision."""
    rollout = rollout_of(Case((4, 5), Padding(mode, mode), channels=3, hidden=(8,), steps=1))
    found = []
    for run, dtype in ((native.run, torch.float32), (reference.run, torch.float64)):
        state = rollout.state.to(dtype).requires_grad_()
        grown = run(copied(rollout.params, dtype), state, 1, rollout.case.padding)
        found += torch.autograd.grad((grown * rollout.slope).sum(), state)
    assert error(found[0], found[1]) < 1e-5


def gradients_of_alpha(alpha, run, dtype):
    """Of a state whose rule does nothing, so that life alone decides."""
    still = Case(tuple(alpha.shape), channels=2, hidden=(4,))
    params = rollout_of(still).params
    nothing = params._replace(weights=tuple(0 * w for w in params.weights), biases=tuple(0 * b for b in params.biases))
    state = torch.stack([torch.arange(1.0, 1 + alpha.numel()).reshape(alpha.shape), alpha])[None]
    state = state.to(dtype).requires_grad_()
    grown = run(copied(nothing, dtype), state, 1, Padding("circular", "reflect"))
    slope = torch.linspace(1, 2, state.numel(), dtype=dtype).reshape(state.shape)
    return torch.autograd.grad((grown * slope).sum(), state)[0]


@needs_compiler
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, 1.5, -0.5])
def test_ties_go_to_the_first_and_the_clamp_lets_through_at_equality(value):
    """All cells alike: torch's own operations give the maximum's gradient to the first of the nine."""
    alpha = torch.full((4, 6), value)
    ours, theirs = (gradients_of_alpha(alpha, run, torch.float32) for run in (native.run, reference.run))
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert (theirs[0, 1] != 0).any() == (0 <= value <= 1)


@needs_compiler
def test_it_takes_states_in_any_layout_and_leaves_them():
    rollout = rollout_of(SMALL)
    params = copied(rollout.params, torch.float32)
    plain = native.run(params, rollout.state, 3, SMALL.padding)
    turned = rollout.state.permute(2, 3, 1, 0).contiguous().permute(3, 2, 0, 1)
    before = turned.clone()
    assert torch.equal(native.run(params, turned, 3, SMALL.padding), plain)
    assert torch.equal(turned, before)
    assert torch.equal(native.run(params, rollout.state, 0, SMALL.padding), rollout.state)


@needs_compiler
def test_what_is_not_a_number_stays_so():
    """A training that diverges is seen to."""
    rollout = rollout_of(SMALL)
    state = rollout.state.clone()
    state[0, :, 2, 3] = torch.nan
    params = copied(rollout.params, torch.float32)
    grown = native.run(params, state, 2, SMALL.padding)
    assert grown[0, :, 2, 3].isnan().all()
    grown.square().sum().backward()
    assert params.weights[0].grad.isnan().any()


@needs_compiler
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda r: {"state": r.state.double()}, "float32 on the CPU"),
        (lambda r: {"state": r.state[:, :3]}, "do not fit 3 channels"),
        (lambda r: {"state": r.state[:0]}, "0 states"),
        (lambda r: {"params": r.params._replace(where=torch.zeros(2, 5, 6))}, "do not fit 4 channels and 2 positions"),
        (lambda r: {"params": r.params._replace(where=torch.zeros(0, 9, 9))}, "positions of (9, 9)"),
        (lambda r: {"fires": torch.ones(1, 1, 5, 6, dtype=torch.bool)}, "one for each of 3 steps"),
        (lambda r: {"fires": torch.ones(3, 1, 5, 6)}, "fires must be bool, on the CPU"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(wrong, said):
    rollout = rollout_of(SMALL)
    given = {"params": rollout.params, "state": rollout.state, "steps": 3, "padding": SMALL.padding, **wrong(rollout)}
    with pytest.raises(ValueError, match=said.replace("(", r"\(").replace(")", r"\)")):
        native.run(**given)


def test_another_users_library_is_not_loaded(tmp_path, monkeypatch):
    path = tmp_path / "native.so"
    assert not native._is_ours(str(path))
    path.write_bytes(b"")
    assert native._is_ours(str(path))
    monkeypatch.setattr("os.getuid", lambda: path.stat().st_uid + 1)
    assert not native._is_ours(str(path))


def test_a_relative_cache_folder_is_none(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", os.sep + "nowhere")
    assert native.place().startswith(os.path.join(os.sep, "nowhere", ".cache", "timbre-diagnose", "native-"))


FEW_THREADS = """
import resource, torch
from tnca.kernels import native
from tnca.bench.task import PADDING, random_task
task = random_task(1, 20, 20, 2, torch.device("cpu"))
one = native.run(task.params, task.state, 2, PADDING)
held = int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (held + 60_000_000,) * 2)
torch.set_num_threads(64)
print(torch.equal(one, native.run(task.params, task.state, 2, PADDING)))
"""


@pytest.mark.slow
@needs_compiler
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_where_no_more_threads_are_to_be_had_it_takes_fewer():
    done = subprocess.run([sys.executable, "-c", FEW_THREADS], capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


@needs_compiler
def test_the_library_is_built_once(monkeypatch):
    monkeypatch.setattr(native, "_build", lambda path: pytest.fail("built again"))
    assert native.load.__wrapped__().tnca_hidden_size is not None


def test_another_source_or_processor_has_a_library_of_its_own(monkeypatch):
    places = [native.place()]
    monkeypatch.setattr(native, "_source", lambda: "// another")
    places.append(native.place())
    monkeypatch.setattr(native, "_processor", lambda: "flags: another")
    assert len({*places, native.place()}) == 3


def test_a_library_that_is_none_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "timbre-diagnose").mkdir()
    with open(native.place(), "w") as file:
        file.write("no library")
    with pytest.raises(KernelMissing, match=r"cannot be loaded .*; delete it to build it again$"):
        native.load.__wrapped__()


WITHOUT = """
import os, torch
from tnca.kernels import Choice, KernelMissing, choose, native
try:
    choose("native", "auto", "stored", torch.device("cpu"))
except KernelMissing as error:
    print("native:", error)
print("auto:", choose("auto", "auto", "stored", torch.device("cpu")))
print(os.listdir(os.environ["XDG_CACHE_HOME"]))
"""


@pytest.mark.slow
def test_without_a_compiler_auto_takes_the_plain_cell_and_says_why(tmp_path):
    environment = {"PATH": "/nowhere", "CXX": "no-such-compiler", "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, env=environment, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    named, auto, left = done.stdout.splitlines()
    assert named.startswith("native: the native kernel cannot be built (")
    assert named.endswith("install g++ or clang++, and ninja")
    assert auto.startswith("auto: reference, fp32 (the native kernel cannot be built (")
    assert left == "[]"
    assert done.stderr == ""


@pytest.mark.slow
@needs_compiler
def test_training_by_it_reaches_the_plain_cells_loss():
    before, theirs = trained_by(Choice(), 1), trained_by(Choice(), 200)
    assert theirs < 0.05 * before
    assert trained_by(Choice("native"), 200) == pytest.approx(theirs, rel=0.2)
