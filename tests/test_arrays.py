"""as_array: numpy's view of whatever holds numbers, or one line that says why there is none."""

import subprocess
import sys

import numpy as np
import pytest

from diagnose.arrays import as_array
from diagnose.errors import InputError

torch = pytest.importorskip("torch")

VALUES = np.array([[0.5, -0.25, 0.125], [1.0, 0.0, -1.0]])  # bfloat16 holds each of them exactly


def viewed(source, most=100):
    return as_array(source, "x", "(n,)", most)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e5m2])
@pytest.mark.parametrize("gradient", [False, True])
def test_a_tensor_of_any_float_keeps_its_values(dtype, gradient):
    tensor = torch.tensor(VALUES, dtype=torch.float64, requires_grad=gradient).to(dtype)
    found = viewed(tensor)
    assert found.dtype == (np.float64 if dtype == torch.float64 else np.float32)
    np.testing.assert_array_equal(found, VALUES)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.nn.Parameter(torch.tensor(VALUES)),
        torch.tensor(VALUES).t().contiguous().t(),
        torch.tensor(VALUES[:, ::-1].copy()).flip(1),
    ],
    ids=["parameter", "transposed", "flipped"],
)
def test_a_tensor_of_any_layout_keeps_its_values(tensor):
    np.testing.assert_array_equal(viewed(tensor), VALUES)


@pytest.mark.parametrize("source", [VALUES, VALUES.tolist(), VALUES.astype(np.int16), np.float32(1.0)])
def test_what_numpy_takes_is_what_numpy_gives(source):
    np.testing.assert_array_equal(viewed(source), np.asarray(source))
    assert viewed(source).dtype == np.asarray(source).dtype


def test_integers_and_complex_numbers_keep_their_type_for_the_caller_to_judge():
    assert viewed(torch.zeros(3, dtype=torch.int16)).dtype == np.int16
    assert viewed(torch.zeros(3, dtype=torch.bool)).dtype == bool
    assert viewed(torch.zeros(3, dtype=torch.complex64)).dtype == np.complex64


class Hostile:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("\x1b[2J" + "a" * 1000 + "\nand more")


REFUSED = {
    "on meta": lambda: torch.zeros(3, device="meta"),
    "sparse": lambda: torch.tensor(VALUES).to_sparse(),
    "compressed sparse": lambda: torch.tensor(VALUES).to_sparse_csr(),
    "quantised": lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
    "ragged": lambda: [[0.0], [0.0, 0.0]],
    "a list of tensors with a gradient": lambda: [torch.zeros(2, requires_grad=True)],
    "another library's": Hostile,
}


@pytest.mark.filterwarnings("ignore:Sparse", "ignore:.*quantiz")  # torch's own, on what is made here
@pytest.mark.parametrize("kind", REFUSED)
def test_what_has_no_numbers_to_give_is_one_line(kind):
    with pytest.raises(InputError, match=r"^x: not an array of numbers \(.+\); expected \(n,\)$") as caught:
        viewed(REFUSED[kind]())
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < 160


def test_a_tensor_that_claims_more_than_it_may_is_refused_before_it_is_copied():
    vast = torch.zeros(1).expand(1 << 50)
    with pytest.raises(InputError, match=r"^x: 1,125,899,906,842,624 values; at most 100 are allowed"):
        viewed(vast)


def test_out_of_memory_stays_what_it_is():
    class Large:
        def __array__(self, dtype=None, copy=None):
            raise MemoryError

    with pytest.raises(MemoryError):
        viewed(Large())


def test_no_torch_is_imported_for_it():
    code = (
        "import sys, numpy as np, diagnose\n"
        "diagnose.measure(np.ones(9000) / 2, rate=9000, metrics=['rms_dbfs'])\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
