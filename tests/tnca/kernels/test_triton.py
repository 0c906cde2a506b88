"""The rollout in Triton against the plain one in double precision: on a card, or on a CPU in Triton's interpreter.

The interpreter has to be asked for before triton is first imported, and would then be everyone's in this process; so
these tests run themselves once more in a process of its own, where DEVICE is a CPU.
"""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise, product
from typing import NamedTuple

import pytest
import torch

from tnca.kernels import reference
from tnca.kernels.padding import MODES
from tnca.kernels.params import ALPHA, Padding, Params
from tnca.kernels.perceive import SEEN, positions

ours = pytest.importorskip(
    "tnca.kernels.triton", reason="Triton 3.5 is not installed: it comes with torch 2.9 for CUDA", exc_type=ImportError
)
pytestmark = pytest.mark.filterwarnings("ignore:TRITON_DEFAULT_FP_FUSION")  # its notice of a default to come
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = "cpu" if INTERPRETED else "cuda"
on_device = pytest.mark.skipif(False, reason="") if INTERPRETED else pytest.mark.gpu
outside = pytest.mark.skipif(INTERPRETED, reason="starts processes of its own")

# A few programs of many cells are what the interpreter is least slow with; a card takes what a user gets.
TILING = ours.Tiling(256, 4, 1, 1 << 16) if INTERPRETED else None


GROWN = {"fp32": 1e-6, "bf16": 1e-2}
GRADIENT = {"fp32": 1e-5, "bf16": 3e-2}


class Case(NamedTuple):
    padding: Padding = Padding()
    size: tuple[int, int] = (9, 7)
    channels: int = 4
    hidden: tuple[int, ...] = (8, 5)
    places: int = 0
    rules: int = 1
    each: int = 1
    steps: int = 2
    near_life: bool = False
    fires: bool = False


def cases():
    """Every pair of paddings, each mode with each size; all else changes from one to the next."""
    sizes, hidden = [(1, 1), (3, 20), (9, 7), (2, 2)], [(6,), (8, 5), (7, 20, 3)]
    for number, modes in enumerate(product(MODES, MODES)):
        yield Case(
            padding=Padding(*modes),
            size=sizes[(number + number // 4) % 4],
            channels=3 + number % 2,
            hidden=hidden[number % 3],
            places=2 * (number // 2 % 3),
            rules=1 + number // 3 % 2,
            each=1 + number // 5 % 2,
            near_life=number % 5 < 2,
            fires=number % 4 < 2,
        )


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(case):
    """Layers and a state in double precision, such that a step adds some tenths of what there is; and who fires."""
    rng, double = generator(), torch.float64
    widths = (SEEN * case.channels + case.places, *case.hidden, case.channels)
    weights = [
        torch.randn(case.rules, wide, narrow, generator=rng, dtype=double) * 0.8 / narrow**0.5
        for narrow, wide in pairwise(widths)
    ]
    weights[0][..., case.channels : SEEN * case.channels] *= 0.2  # what the filters give is large
    weights[-1] *= 0.3
    biases = [torch.randn(case.rules, wide, generator=rng, dtype=double) * 0.2 for wide in widths[1:]]
    biases[-1][:, ALPHA] += 0.2
    shape = (case.rules * case.each, case.channels, *case.size)
    state = torch.rand(shape, generator=rng, dtype=double) * 1.8 - 0.6
    where = positions(case.places, *case.size).to(double)
    fires = torch.rand((case.steps, shape[0], *case.size), generator=rng) < 0.6 if case.fires else None
    return Params(tuple(weights), tuple(biases), where), state, fires


def results(run, case, inputs, dtype, device):
    """(what is grown, the gradients of the state, of each weight and each bias), for a random gradient from above."""
    params, state, fires = inputs
    leaves = [each.detach().to(dtype).to(device).requires_grad_() for each in (state, *params.weights, *params.biases)]
    layers = len(params.weights)
    given = Params(tuple(leaves[1 : 1 + layers]), tuple(leaves[1 + layers :]), params.where.to(dtype).to(device))
    fires = fires if fires is None else fires.to(device)
    grown = run(given, leaves[0], case.steps, case.padding, near_life=case.near_life, fires=fires)
    above = torch.randn(grown.shape, generator=generator(7), dtype=torch.float64).to(dtype).to(device)
    return [grown.detach(), *torch.autograd.grad(grown, leaves, above)]


def triton_run(precision="fp32", tiling=TILING):
    def run(params, state, steps, padding, near_life, fires):
        return ours.run(
            params, state, steps, padding, near_life=near_life, fires=fires, precision=precision, tiling=tiling
        )

    return run


def check(case, precision="fp32", inputs=None):
    """What is grown and every gradient is the plain one, in double: by norm(error) / norm(plain)."""
    inputs = inputs or drawn(case)
    plain = results(reference.run, case, inputs, torch.float64, "cpu")
    fast = results(triton_run(precision), case, inputs, torch.float32, DEVICE)
    assert all(each.any() for each in plain)
    assert [each.shape for each in fast] == [each.shape for each in plain]
    grown, *gradients = (((a.cpu().double() - b).norm() / b.norm()).item() for a, b in zip(fast, plain, strict=True))
    assert grown < GROWN[precision]
    assert max(gradients) < GRADIENT[precision]


@on_device
@pytest.mark.parametrize(
    "case", list(cases()), ids=lambda case: "-".join(case.padding) + f"-{case.size[0]}x{case.size[1]}"
)
def test_it_is_the_plain_rollout_and_its_gradient(case):
    check(case)


# As it is used: 16 channels, 128 and 64 hidden ones; a tile and a half.
REAL = Case(Padding("circular", "zero"), (6, 16), 16, (128, 64), places=4)


@on_device
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_so_it_is_for_the_sizes_in_use(precision):
    check(REAL, precision)


@on_device
@pytest.mark.parametrize("padding", [Padding("circular", "replicate"), Padding("reflect", "zero")])
def test_of_equal_alphas_the_first_gets_the_gradient_and_the_clamp_passes_it_at_0_and_1(padding):
    case = Case(padding, (5, 6), places=2)
    params, state, fires = drawn(case)
    params.weights[-1][:, ALPHA] = 0  # alpha stays as it is, so that it is equal in both precisions
    params.biases[-1][:, ALPHA] = 0
    state[:, ALPHA] = torch.tensor([-0.5, 0.0, 0.5, 1.0, 1.5])[torch.randint(5, case.size, generator=generator(2))]
    check(case, inputs=(params, state, fires))


@on_device
def test_tensors_need_not_be_contiguous():
    case = Case(size=(4, 5), each=2, fires=True)
    params, state, fires = drawn(case)
    odd = Params(
        tuple(weight.mT.contiguous().mT for weight in params.weights),
        tuple(bias.repeat(1, 2)[:, : bias.shape[1]] for bias in params.biases),
        params.where,
    )
    turned = state[:1].permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2).expand(2, -1, -1, -1)
    assert not turned.is_contiguous()
    check(case, inputs=(odd, turned, fires.mT.contiguous().mT))


@on_device
def test_how_the_work_is_divided_changes_nothing_and_the_same_call_gives_the_same_bits():
    case = Case(size=(3, 15), hidden=(6,), steps=1)  # three tiles of 16 cells, of which one slot takes two
    inputs = drawn(case)
    divided, again, whole = (
        results(triton_run(tiling=ours.Tiling(block, 4, slots, 1 << 14)), case, inputs, torch.float32, DEVICE)
        for block, slots in ((16, 2), (16, 2), (64, 1))
    )
    for one, two, three in zip(divided, again, whole, strict=True):
        assert torch.equal(one, two)
        torch.testing.assert_close(one, three, rtol=1e-5, atol=1e-5)


@on_device
def test_without_a_gradient_it_gives_the_same_and_keeps_nothing():
    case = Case(size=(3, 4), steps=3)
    params, state, _ = drawn(case)
    given = Params(*(tuple(e.float().to(DEVICE) for e in some) for some in params[:2]), params.where.to(DEVICE))
    state = state.float().to(DEVICE)
    grown = ours.run(given, state, 3, case.padding, tiling=TILING)
    assert not grown.requires_grad
    learnt = ours.run(given, state.clone().requires_grad_(), 3, case.padding, tiling=TILING)
    assert torch.equal(grown, learnt)
    assert learnt.grad_fn is not None
    assert ours.run(given, state, 0, case.padding) is state


@on_device
@pytest.mark.parametrize(
    ("changes", "precision", "says"),
    [
        ({"hidden": (513,)}, "fp32", "1024 of at most 512 channels of a hidden layer"),
        ({"hidden": (512, 256)}, "bf16", "131072 of at most 65536 weights of a layer"),
        ({}, "fp16", 'precision must be "fp32" or "bf16", not "fp16"'),
    ],
)
def test_what_does_not_fit_is_refused(changes, precision, says):
    params, state, _ = drawn(Case()._replace(size=(2, 2), **changes))
    with pytest.raises(ValueError, match=says):
        ours.run(params, state.to(DEVICE), 1, Padding(), precision=precision)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("size", [(3, 200), (81, 89)])
def test_so_it_is_for_grids_of_many_tiles(size, precision):
    check(REAL._replace(size=size, each=3, fires=True), precision)


@pytest.mark.gpu
def test_it_can_be_captured_in_a_graph():
    params, state, _ = drawn(REAL)
    leaves = [each.float().cuda().requires_grad_() for each in (*params.weights, *params.biases)]
    given = Params(tuple(leaves[:3]), tuple(leaves[3:]), params.where.float().cuda())
    state = state.float().cuda()

    def learn():
        grown = ours.run(given, state, 4, REAL.padding, precision="bf16")
        return [grown, *torch.autograd.grad(grown.square().sum(), leaves)]

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        wanted = [each.clone() for each in learn()]
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        kept = learn()
    graph.replay()
    assert all(torch.equal(one, two) for one, two in zip(kept, wanted, strict=True))


# In processes of their own


@outside
def test_without_a_device_it_says_so():
    params, state, _ = drawn(Case())
    with pytest.raises(ValueError, match="the state is on cpu, and Triton needs a CUDA device"):
        ours.run(params, state, 1, Padding())


@outside
@pytest.mark.parametrize("which", ["zero-replicate-2x2", pytest.param("", marks=pytest.mark.slow)])
@pytest.mark.skipif(
    tuple(map(int, ours.triton.__version__.split(".")[:2])) < (3, 9),
    reason="an older interpreter counts a loop in a way that numpy 2.4 refuses",
)
def test_all_of_this_holds_in_the_interpreter(which):
    command = [sys.executable, "-m", "pytest", __file__, "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", which]
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


COMPILE = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from tnca.kernels import triton_step

constants = dict(
    CHANNELS=16, PLACES=0, WIDTHS=(64, 128, 64, 16), WEIGHTS=17408, BIASES=208,
    TIME="circular", FREQUENCY="reflect", NEAR=True, LIVE=True, READ=True, BLOCK={block}, fires=None,
)
types = dict(high="i32", wide="i32", total="i32", weights="*{operands}", d_seen="*{operands}", winners="*i32")
for name, warps in (("step", {warps}), ("live", 8), ("gather", 8), ("back", 8)):
    kernel = getattr(triton_step, name)
    constexprs = dict((each, constants[each]) for each in kernel.arg_names if each in constants)
    signature = dict((each, types.get(each, "*fp32")) for each in kernel.arg_names)
    signature |= dict.fromkeys(constexprs, "constexpr")
    source = ASTSource(fn=kernel, signature=signature, constexprs=constexprs)
    made = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=dict(num_warps=warps, num_stages=1))
    print(name, made.asm["ptx"].count("wgmma.mma_async"), made.metadata.shared)
"""


@outside
@pytest.mark.slow
@pytest.mark.parametrize(("precision", "operands"), [("bf16", "bf16"), ("fp32", "fp32")])
def test_it_compiles_for_a_card_that_is_not_there(precision, operands, tmp_path):
    tiling = ours.TILINGS[precision]
    code = COMPILE.format(block=tiling.block, warps=tiling.warps, operands=operands)
    environment = os.environ | {"TRITON_CACHE_DIR": str(tmp_path)}
    (tmp_path / "code.py").write_text(code)  # Triton reads the source of what it compiles
    done = subprocess.run(
        [sys.executable, "-W", "ignore", tmp_path / "code.py"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    made = {
        name: (int(tensor_core), int(shared)) for name, tensor_core, shared in map(str.split, done.stdout.splitlines())
    }
    assert set(made) == {"step", "live", "gather", "back"}
    assert all(shared <= 227 * 1024 for _, shared in made.values())
    if precision == "bf16":
        assert made["step"][0] > 0
        assert made["back"][0] > 0
