"""Break points of the network itself: weights with few bits, layers without weights, weights with noise.

The graph is an ONNX file, a protocol buffer: a tensor's bytes are found by walking its fields, and are changed in
place, so that no other package is needed.  Only the decoder is broken, not what predicts durations and f0, so that a
sentence keeps its timing.  A broken layer is no clean fault: right is what its features show, which are blurred, or
on another scale, or noisy with phases that no longer fit.
"""

# ruff: noqa: ARG001 - a table of functions of one signature

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from neural_voice import Features, run_network, voice, voice_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neural_kinds import Rng

GRAPH, TENSOR, NAME, RAW, ELEMENT = 7, 5, 8, 9, 2  # numbers of fields, in onnx.proto
INT8 = 3
HEAD, BLOCKS = "/head/", 8
DEGRADED = ("over-smoothed", "noise", "phase-incoherent", "vocoder-input-scale")


class Tensor(msgspec.Struct, frozen=True):
    """Where the bytes of a tensor of int8 lie."""

    name: str
    start: int
    stop: int


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data: bytes, at: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """(number, start, stop) of each field of a message; of an integer, (number, value, -1)."""
    while at < stop:
        key, at = _number(data, at)
        if key & 7 == 0:
            value, at = _number(data, at)
            yield key >> 3, value, -1
            continue
        size = {1: 8, 5: 4}.get(key & 7)
        if size is None:
            size, at = _number(data, at)
        yield key >> 3, at, at + size
        at += size


@lru_cache(maxsize=1)
def graph() -> tuple[bytes, tuple[Tensor, ...]]:
    """The file, and its tensors of int8: the weights of the large layers."""
    with open(voice().model_path, "rb") as file:
        data = file.read()
    found = []
    for number, start, stop in fields(data, 0, len(data)):
        if number != GRAPH:
            continue
        for inner, first, last in fields(data, start, stop):
            if inner == TENSOR:
                parts = {field: (low, high) for field, low, high in fields(data, first, last)}
                if parts.get(ELEMENT, (0, 0))[0] == INT8 and RAW in parts:
                    low, high = parts[NAME]
                    found.append(Tensor(data[low:high].decode(), *parts[RAW]))
    return data, tuple(found)


def changed(names: tuple[str, ...], change: Callable[[Any], Any]) -> Any:
    """A session of the graph with change(weights) for the weights in layers whose names begin so; weights are int8."""
    import onnxruntime

    data, tensors = graph()
    mended = bytearray(data)
    for tensor in tensors:
        if tensor.name.startswith(names):
            weights = np.frombuffer(data[tensor.start : tensor.stop], np.int8)
            mended[tensor.start : tensor.stop] = np.asarray(change(weights.astype(float))).astype(np.int8).tobytes()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(bytes(mended), options, providers=["CPUExecutionProvider"])


def decoder(*blocks: int) -> tuple[str, ...]:
    return tuple(f"/dec.{block}/" for block in (blocks or range(BLOCKS)))


def steps_of(bits: float) -> Callable[[Any], Any]:
    """Rounded to the middle steps of so many bits; the range of each layer is its own."""

    def rounded(weights: Any) -> Any:
        half = 2 ** (bits - 1)
        step = 2 * np.abs(weights).max() / 2**bits
        return (np.clip(np.floor(weights / step), -half, half - 1) + 0.5) * step

    return rounded


@lru_cache(maxsize=8)
def _features_of(sentence: str, which: str, amount: float) -> Features:
    return run_network(_session(which, amount), sentence)


@lru_cache(maxsize=2)
def _session(which: str, amount: float) -> Any:
    return {
        "decoder_bits": lambda: changed(decoder(), steps_of(amount)),
        "head_bits": lambda: changed((HEAD,), steps_of(amount)),
        "layer": lambda: changed(decoder(int(amount)), np.zeros_like),
        "half": lambda: changed(decoder(*range(int(amount))), np.zeros_like),
        "head": lambda: changed((HEAD,), lambda w: w * amount),
        "pruned": lambda: changed(decoder(), lambda w: np.where(np.abs(w) < amount, 0, w)),
        "noise": lambda: changed(
            decoder(), lambda w: np.clip(w + amount * np.random.default_rng(0).standard_normal(w.size), -127, 127)
        ),
    }[which]()


@voice_kind("weights", DEGRADED, (4.0, 3.0))
def decoder_of_few_bits(given: Features, rng: Rng, amount: float) -> Features:
    """All large layers of the decoder are rounded to amount bits."""
    return _features_of(given.sentence, "decoder_bits", amount)


@voice_kind("weights", DEGRADED, (3.0, 2.0))
def head_of_few_bits(given: Features, rng: Rng, amount: float) -> Features:
    """The last layer, which writes the features, is rounded to amount bits."""
    return _features_of(given.sentence, "head_bits", amount)


@voice_kind("weights", DEGRADED, (7.0, 0.0))
def one_block_without_weights(given: Features, rng: Rng, amount: float) -> Features:
    """Block amount of eight has no weights: one that did not load."""
    return _features_of(given.sentence, "layer", amount)


@voice_kind("weights", DEGRADED, (4.0, 8.0))
def first_blocks_without_weights(given: Features, rng: Rng, amount: float) -> Features:
    """The first amount blocks of eight have no weights."""
    return _features_of(given.sentence, "half", amount)


@voice_kind("weights", ("over-smoothed", "vocoder-input-scale"), (0.5, 0.0))
def head_scaled(given: Features, rng: Rng, amount: float) -> Features:
    """The last layer's weights are amount times as large, at 0 only its bias is left: one spectrum for all frames."""
    return _features_of(given.sentence, "head", amount)


@voice_kind("weights", DEGRADED, (20.0, 40.0))
def decoder_pruned(given: Features, rng: Rng, amount: float) -> Features:
    """All weights of the decoder under amount / 127 of the largest are 0."""
    return _features_of(given.sentence, "pruned", amount)


@voice_kind("weights", DEGRADED, (6.0, 12.0))
def decoder_weights_noisy(given: Features, rng: Rng, amount: float) -> Features:
    """Noise of amount / 127 of the largest weight on all weights of the decoder: a training that was stopped early."""
    return _features_of(given.sentence, "noise", amount)
