"""The rollout in C++ on a CPU: native.cpp, built by the machine's own compiler on first use and kept.

Kept is one file per source, flags and processor in the user's cache folder, so that a home folder may be shared.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import io
import os
import platform
import shutil
import subprocess
import tempfile
import warnings
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable

from tnca.kernels import processor
from tnca.kernels.missing import KernelMissing
from tnca.kernels.padding import MODES

if TYPE_CHECKING:
    from torch import Tensor

    from tnca.kernels.params import Padding, Params

FLAGS = ("-O3", "-std=c++17", "-march=native", "-pthread")


class _Problem(ctypes.Structure):
    """As in native.cpp."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("rules", "batch", "channels", "high", "wide", "places", "layers")),
        *((name, ctypes.c_int32) for name in ("time", "frequency", "near_life", "threads", "steps")),
        *((name, ctypes.c_void_p) for name in ("widths", "weights", "biases", "where", "fires")),
    ]


def run(
    params: Params,
    state: Tensor,
    steps: int,
    padding: Padding,
    *,
    near_life: bool = False,
    fires: Tensor | None = None,
    stored: bool = True,
) -> Tensor:
    """tnca.kernels.reference.run() in float32, on as many threads as torch has; the same bits on any number of them.

    stored: the hidden layers but the first are kept for the backward pass, 4 bytes a number, cell and step; else
    they are computed again.  The state before life is kept in either case.
    """
    tensors = (state, params.where, *params.weights, *params.biases)
    if any(each.dtype != torch.float32 or each.device.type != "cpu" for each in tensors):
        raise ValueError("the native kernel needs float32 on the CPU")
    if fires is not None and (fires.dtype != torch.bool or fires.device.type != "cpu"):
        raise ValueError("fires must be bool, on the CPU")
    if steps == 0:
        return state
    keep = torch.is_grad_enabled() and any(each.requires_grad for each in tensors)
    settings = _Settings(
        steps, padding, near_life, keep, keep and stored, None if fires is None else fires.contiguous()
    )
    grown: Tensor = _Rollout.apply(settings, state, params.where, *params.weights, *params.biases)  # type: ignore[no-untyped-call]
    return grown


class _Settings(NamedTuple):
    """What is no tensor to differentiate by.  keep: for a backward pass; stored: the hidden layers too."""

    steps: int
    padding: Padding
    near_life: bool
    keep: bool
    stored: bool
    fires: Tensor | None


class _Rollout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, settings: _Settings, state: Tensor, where: Tensor, *layers: Tensor) -> Tensor:
        cells = state.detach().permute(0, 2, 3, 1).contiguous()
        where, layers = where.contiguous(), tuple(each.detach().contiguous() for each in layers)
        problem = _problem(settings, cells, where, layers)
        library, keep = load(), settings.keep
        size, hidden = library.tnca_kept_size(problem), library.tnca_hidden_size(problem)
        out = torch.empty_like(cells)
        kept = cells.new_empty((settings.steps if keep else 1) * len(cells) * size)
        hid = cells.new_empty(settings.steps * len(cells) * hidden if settings.stored else 0)
        _checked(library.tnca_forward(problem, _at(cells), _at(out), _at(kept), int(keep), _at(hid)))
        if keep:
            ctx.save_for_backward(cells, where, kept, hid, *layers)
            ctx.settings = settings
        return out.permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        cells, where, kept, hidden, *layers = ctx.saved_tensors
        problem = _problem(ctx.settings, cells, where, tuple(layers))
        above = slope.permute(0, 2, 3, 1).contiguous()
        of_state, of_layers = torch.empty_like(cells), [torch.empty_like(each) for each in layers]
        half = len(layers) // 2
        of_weights, of_biases = _addresses(of_layers[:half]), _addresses(of_layers[half:])
        passed = (_at(above), _at(cells), _at(kept), _at(hidden), _at(of_state))
        _checked(load().tnca_backward(problem, *passed, of_weights, of_biases))
        return None, of_state.permute(0, 3, 1, 2), None, *of_layers


def _problem(settings: _Settings, cells: Tensor, where: Tensor, layers: tuple[Tensor, ...]) -> Any:
    """A pointer to a _Problem that keeps what it points to alive.  Sizes that do not fit raise ValueError."""
    batch, high, wide, channels = cells.shape
    half = len(layers) // 2
    weights, biases = layers[:half], layers[half:]
    rules = weights[0].shape[0]
    widths = (weights[0].shape[2], *(weight.shape[1] for weight in weights))
    _check_sizes(cells, where, weights, biases, widths)
    if settings.fires is not None and settings.fires.shape != (settings.steps, batch, high, wide):
        raise ValueError(f"fires {tuple(settings.fires.shape)}: needs one for each of {settings.steps} steps and cell")
    sizes = (ctypes.c_int32 * len(widths))(*widths)
    problem = _Problem(
        *(rules, batch, channels, high, wide, where.shape[0], half),
        *(MODES.index(settings.padding.time), MODES.index(settings.padding.frequency)),
        *(int(settings.near_life), torch.get_num_threads(), settings.steps),
        ctypes.addressof(sizes),
        *(ctypes.addressof(pointers := _addresses(weights)), ctypes.addressof(others := _addresses(biases))),
        *(_at(where), None if settings.fires is None else _at(settings.fires)),
    )
    problem.alive = (sizes, pointers, others)
    return ctypes.pointer(problem)


def _check_sizes(
    cells: Tensor, where: Tensor, weights: tuple[Tensor, ...], biases: tuple[Tensor, ...], widths: tuple[int, ...]
) -> None:
    """What the C++ takes for granted."""
    batch, high, wide, channels = cells.shape
    rules = weights[0].shape[0]
    fit = all(each.shape == (rules, b, a) for each, (a, b) in zip(weights, pairwise(widths), strict=True))
    fit = fit and [tuple(each.shape) for each in biases] == [(rules, wide) for wide in widths[1:]]
    if not fit or widths[-1] != channels or widths[0] != 4 * channels + where.shape[0]:
        raise ValueError(f"layers of {widths} do not fit {channels} channels and {where.shape[0]} positions")
    if where.shape[1:] != (high, wide):
        raise ValueError(f"positions of {tuple(where.shape[1:])} for a grid of {(high, wide)}")
    if batch == 0 or batch % rules or channels < 2 or min(high, wide) == 0:
        raise ValueError(f"{batch} states of {channels} channels on {(high, wide)} for {rules} rules")


def _addresses(tensors: Any) -> Any:
    return (ctypes.c_void_p * len(tensors))(*(each.data_ptr() for each in tensors))


def _at(tensor: Tensor) -> ctypes.c_void_p:
    """Its first number; null where it is empty."""
    return ctypes.c_void_p(tensor.data_ptr() if tensor.numel() else None)


def _checked(code: int) -> None:
    if code:
        raise MemoryError("the native kernel has not enough memory, or cannot start a thread")


# Building


@lru_cache(maxsize=1)
def load() -> ctypes.CDLL:
    """The library, built if it is not there; KernelMissing in one line where it cannot be."""
    path = place()
    try:
        library = ctypes.CDLL(path) if _is_ours(path) else _build(path)
        library.tnca_kept_size.restype = library.tnca_hidden_size.restype = ctypes.c_int64
    except (OSError, AttributeError) as error:
        raise KernelMissing(f"{path}: cannot be loaded ({error}); delete it to build it again") from None
    return library


def place() -> str:
    """Where it is kept."""
    folder = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(folder):  # as the XDG specification has it
        folder = os.path.join(os.path.expanduser("~"), ".cache")
    key = hashlib.sha256("\n".join((_source(), *FLAGS, _processor())).encode()).hexdigest()[:16]
    return os.path.join(folder, "timbre-diagnose", f"native-{key}.so")


def _source() -> str:
    return (resources.files("tnca") / "kernels" / "native.cpp").read_text(encoding="utf-8")


def _processor() -> str:
    """What -march=native depends on."""
    return processor.flags() or f"{platform.machine()} {platform.processor()}"


def _is_ours(path: str) -> bool:
    """There, and nobody else's: another user could have put it into a shared cache folder."""
    try:
        return not hasattr(os, "getuid") or os.stat(path).st_uid == os.getuid()
    except OSError:
        return False


def _build(path: str) -> ctypes.CDLL:
    """Built beside under another name, then renamed, so that two processes may build at once."""
    made = tempfile.mkdtemp(prefix="tnca-native-")
    try:
        source = os.path.join(made, "native.cpp")
        with open(source, "w", encoding="utf-8") as file:
            file.write(_source())
        built = _compiled(source, made)
        with contextlib.suppress(OSError):  # nowhere to keep it: it is loaded from here, and built again next time
            _keep(built, path)
        return ctypes.CDLL(built)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _keep(built: str, path: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    beside = f"{path}.{os.getpid()}"
    try:
        shutil.copyfile(built, beside)
        os.replace(beside, path)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(beside)


def _compiled(source: str, folder: str) -> str:
    said = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            warnings.simplefilter("ignore")
            from torch.utils import cpp_extension

            name = f"tnca_native_{os.getpid()}"
            flags = list(FLAGS)
            cpp_extension.load(name, [source], extra_cflags=flags, build_directory=folder, is_python_module=False)
    except (RuntimeError, OSError, ImportError, subprocess.SubprocessError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
        raise KernelMissing(f"the native kernel cannot be built ({why}); install g++ or clang++, and ninja") from None
    found = [os.path.join(folder, each) for each in os.listdir(folder) if each.endswith((".so", ".pyd", ".dylib"))]
    if not found:
        raise KernelMissing("the native kernel cannot be built (the compiler wrote no library)")
    return found[0]
