"""Which kernel is taken, and what is said of it."""

from __future__ import annotations

import pytest
import torch

from tnca.kernels import KernelMissing, choice, choose, native, processor

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def compiler(monkeypatch):
    """compiler(False): as on a machine without one."""

    def have(there):
        def load():
            if not there:
                raise KernelMissing("the native kernel cannot be built (no compiler)")

        monkeypatch.setattr(native, "load", load)

    return have


def test_auto_takes_native_on_a_cpu(compiler):
    compiler(True)
    assert choose("auto", "fp32", "stored", CPU) == ("native", "fp32", "stored", "")


def test_auto_takes_the_plain_cell_where_native_is_missing(compiler):
    compiler(False)
    chosen = choose("auto", "auto", "recomputed", CPU)
    assert chosen[:3] == ("reference", "fp32", "recomputed")
    assert chosen.why.startswith("the native kernel cannot be built (no compiler); fp32: ")


def test_a_kernel_asked_for_by_name_is_taken_or_refused(compiler):
    compiler(False)
    assert choose("reference", "fp32", "stored", CPU).kernel == "reference"
    assert choose("compiled", "bf16", "stored", CPU)[:2] == ("compiled", "bf16")
    with pytest.raises(KernelMissing, match="no compiler"):
        choose("native", "fp32", "stored", CPU)
    with pytest.raises(KernelMissing, match="runs on a CPU, not on cuda"):
        choose("native", "fp32", "stored", CUDA)
    with pytest.raises(KernelMissing, match="runs on CUDA, not on cpu"):
        choose("triton", "fp32", "stored", CPU)


def test_bf16_without_a_kernel_takes_the_one_that_has_it(compiler):
    compiler(True)
    assert choose("auto", "bf16", "stored", CPU)[:2] == ("compiled", "bf16")


def test_bf16_is_refused_by_a_kernel_without_it(compiler):
    compiler(True)
    with pytest.raises(KernelMissing, match="the native kernel computes in fp32 only"):
        choose("native", "bf16", "stored", CPU)


@pytest.mark.parametrize(
    ("flags", "there"),
    [("fpu sse avx2 fma", False), ("fpu avx512f avx512_bf16", True), ("amx_tile amx_bf16", True), ("", False)],
)
def test_bf16_is_read_off_the_processors_flags(flags, there, monkeypatch, tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor : 0\nflags : {flags}\n")
    monkeypatch.setattr(processor, "INFO", str(info))
    assert choice.bf16_instructions() == there
    assert choose("compiled", "auto", "stored", CPU).precision == ("bf16" if there else "fp32")


def test_without_bf16_instructions_auto_says_so(monkeypatch, compiler):
    compiler(True)
    monkeypatch.setattr(choice, "bf16_instructions", lambda: False)
    chosen = choose("auto", "auto", "stored", CPU)
    assert str(chosen) == "native, fp32 (fp32: this processor has no bf16 instructions)"
