"""Arrays out of files: what is read, and what a file may not do to whoever reads it."""

from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from diagnose.errors import InputError
from diagnose.mel import array_file
from diagnose.mel.array import plane

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch

MEL = np.arange(80 * 7, dtype=np.float32).reshape(80, 7) / 7


def npy(array, version=None, pickled=False):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), version=version, allow_pickle=pickled)
    return file.getvalue()


def header(text, version=(1, 0), length=None):
    """A .npy header that says text, whatever that is."""
    data = text.encode("latin1")
    size = len(data) if length is None else length
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version == (1, 0) else "<I", size) + data


def claim(shape, descr="<f4", data=b"\0" * 400, **options):
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}"
    return header(text.ljust(117) + "\n", **options) + data


def npz(members, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def pt(value, zipped=True):
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=zipped)
    return file.getvalue()


def refused(path, *said, key=None, most=50_000_000):
    """The one line with which the file is refused; no big allocation by Python or numpy."""
    tracemalloc.start()
    try:
        with pytest.raises(InputError) as caught:
            plane(array_file.read(path, key), 0, str(path))
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    for words in said:
        assert words in line
    assert len(line) < len(str(path)) + 400
    return line


def refusal(function):
    """The text of the InputError that it raises, or None."""
    try:
        function()
    except InputError as error:
        return str(error)
    return None


# .npy that is read


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize("kind", ["<f2", "<f4", "<f8", ">f2", ">f4", ">f8", "<i2", ">i4", "<i8", "<u1", ">u2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_kind_of_number_is_read(tmp_path, version, kind, order):
    wanted = np.asarray(np.arange(80 * 3).reshape(80, 3) % 97, kind, order=order)
    (tmp_path / "mel.npy").write_bytes(npy(wanted, version))
    found = array_file.read(tmp_path / "mel.npy")
    assert found.dtype == wanted.dtype
    assert np.array_equal(found, wanted)
    assert np.array_equal(plane(found).values, wanted.astype(np.float64))


numbers = st.sampled_from(["f2", "f4", "f8", "i1", "i2", "i8", "u1", "u4"]).flatmap(
    lambda kind: arrays.arrays(
        np.dtype(kind).newbyteorder("<" if len(kind) % 2 else ">"),
        arrays.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4),
    )
)


@given(numbers, st.booleans(), st.sampled_from([(1, 0), (2, 0)]))
def test_what_numpy_writes_comes_back(tmp_path_factory, array, fortran, version):
    path = tmp_path_factory.getbasetemp() / "round.npy"
    wanted = np.asarray(array, order="F" if fortran else "C")
    path.write_bytes(npy(wanted, version))
    found = array_file.read(str(path))
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    assert np.array_equal(found, wanted, equal_nan=wanted.dtype.kind == "f")


@given(st.binary(max_size=300), st.sampled_from([".npy", ".npz", ".pt"]), st.integers(0, 2))
def test_junk_is_refused_in_one_line(tmp_path_factory, junk, suffix, start):
    """After nothing, after the right magic, and after a right header."""
    first = {
        ".npy": [b"", b"\x93NUMPY\x01\0", npy(MEL)[:100]],
        ".npz": [b"", b"PK\x03\x04", npz({"a.npy": npy(MEL)})[:60]],
    }
    first[".pt"] = [b"", b"PK\x03\x04", pt(torch.zeros(3))[:60]]
    path = tmp_path_factory.getbasetemp() / f"junk{suffix}"
    path.write_bytes(first[suffix][start] + junk)
    with pytest.raises(InputError) as caught:
        array_file.read(str(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@given(st.data())
def test_a_broken_byte_is_an_array_or_one_line(tmp_path_factory, data):
    """Every byte of a small file of each format, changed."""
    kind = data.draw(
        st.sampled_from(["a.npy", "stored.npz", "deflated.npz", "bzip2.npz", "lzma.npz", "new.pt", "old.pt"])
    )
    whole = bytearray(SMALL[kind])
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / f"broken-{kind}"
    path.write_bytes(bytes(whole))
    line = refusal(lambda: array_file.read(str(path)))
    assert line is None or line.startswith(f"{path}: ")
    assert line is None or "\n" not in line


SMALL = {
    "a.npy": npy(MEL[:3]),
    "stored.npz": npz({"mel.npy": npy(MEL[:3])}),
    "deflated.npz": npz({"mel.npy": npy(MEL[:3])}, zipfile.ZIP_DEFLATED),
    "bzip2.npz": npz({"mel.npy": npy(MEL[:3])}, zipfile.ZIP_BZIP2),
    "lzma.npz": npz({"mel.npy": npy(MEL[:3])}, zipfile.ZIP_LZMA),
    "new.pt": pt(torch.arange(12.0).reshape(3, 4)),
    "old.pt": pt(torch.arange(12.0).reshape(3, 4), zipped=False),
}


@pytest.mark.parametrize("kind", SMALL)
def test_a_file_that_stops_early_is_one_line(tmp_path, kind):
    for size in {0, 1, 5, 6, 10, 40, len(SMALL[kind]) // 2, len(SMALL[kind]) - 30, len(SMALL[kind]) - 1}:
        path = tmp_path / f"{size}-{kind}"
        path.write_bytes(SMALL[kind][:size])
        refused(str(path))


def test_a_file_of_python_2_is_read_without_a_word(tmp_path):
    """numpy of Python 2 wrote long integers into the shape."""
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (80L, 7L), }"
    (tmp_path / "old.npy").write_bytes(header(text.ljust(117) + "\n") + MEL.tobytes())
    assert np.array_equal(array_file.read(tmp_path / "old.npy"), MEL)


@pytest.mark.parametrize(
    "name", ["MEL.NPY", "a b.npy", "-x.npy", "quote'\"<b>.npy", "ünïcödé.npy", "new\nline.npy", ".npy.npy"]
)
def test_odd_names_are_read(tmp_path, name):
    (tmp_path / name).write_bytes(npy(MEL))
    assert np.array_equal(array_file.read(str(tmp_path / name)), MEL)
    assert np.array_equal(array_file.read(tmp_path / name), MEL)


def test_a_link_is_followed(tmp_path):
    (tmp_path / "mel.npy").write_bytes(npy(MEL))
    (tmp_path / "link.npy").symlink_to(tmp_path / "mel.npy")
    assert np.array_equal(array_file.read(str(tmp_path / "link.npy")), MEL)


# .npy that is refused


class Trap:
    """Unpickled, it leaves a file behind."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return (exec, (f"open({self.marker!r}, 'w').close()",))


BAD_NPY = {
    "an empty file": (b"", "not a readable .npy file"),
    "text": (b"0.1 0.2 0.3\n" * 20, "not a readable .npy file"),
    "the magic alone": (b"\x93NUMPY\x01\0", "not a readable .npy file"),
    "a header that is none": (header("[1, 2]\n"), "not a readable .npy file"),
    "a header of code": (header("__import__('os').abort()\n"), "not a readable .npy file"),
    "a header too deep": (header("(" * 9000 + ")" * 9000 + "\n"), "not a readable .npy file"),
    "a header with a wrong escape": (header("{'descr': '\\d', 'fortran_order': False, 'shape': (1,)}\n"), "not a"),
    "a header of 4 GiB": (header("{", (2, 0), 2**32 - 1), "not a readable .npy file"),
    "format 3.0": (header("{}", (3, 0)), "numpy's format 1.0 or 2.0"),
    "format 9.9": (header("{}", (9, 9)), ""),
    "complex": (npy(MEL + 1j), "complex"),
    "bool": (npy(MEL > 3), "bool"),
    "structured": (npy(np.zeros(3, [("a", "<f4"), ("b", "<f4")])), "is not numeric"),
    "dates": (npy(np.zeros((80, 7), "M8[s]")), "is not numeric"),
    "text cells": (npy(np.full((80, 7), "x")), "is not numeric"),
    "a dtype of arrays": (claim((80, 7), ("<f4", (1000,))), ""),
    "objects": (npy(np.array([[1, None]], object), pickled=True), "not loaded"),
    "structured objects": (npy(np.zeros(3, [("a", "O")]), pickled=True), "not loaded"),
    "10**12 values": (claim((10**6, 10**6)), "header says (1000000, 1000000)"),
    "10**30 values": (claim((10**15, 10**15)), "bytes; it has"),
    "10**12 of no use": (claim((10**12, 80, 0)), ""),
    "negative sizes": (claim((-1, 80)), ""),
    "two negative sizes": (claim((-4, -25)), ""),
    "a size that is true": (claim((True, 100)), ""),
    "sizes that are floats": (claim((10.0, 10)), ""),
    "one value too few": (npy(MEL)[:-4], ""),
    "half of it": (npy(MEL)[:1000], ""),
    "one axis": (npy(MEL[0]), "shape (7,)"),
    "five axes": (npy(MEL[None, None, None]), "shape (1, 1, 1, 80, 7)"),
    "no axis": (npy(np.float32(3)), "shape ()"),
    "no values": (npy(np.zeros((80, 0))), "no values"),
    "NaN alone": (npy(np.full((80, 7), np.nan)), "every value is NaN"),
    "infinity alone": (npy(np.full((80, 7), -np.inf)), "every value is NaN, infinite or over 1e+30"),
}


@pytest.mark.parametrize("kind", BAD_NPY)
def test_a_bad_npy_is_refused_in_one_line(tmp_path, kind):
    data, said = BAD_NPY[kind]
    (tmp_path / "bad.npy").write_bytes(data)
    refused(str(tmp_path / "bad.npy"), said)


@pytest.mark.parametrize("form", ["npy", "npz", "new pt", "old pt", "dict pt", "bare pickle"])
def test_nothing_in_a_file_is_executed(tmp_path, form):
    marker, trap = tmp_path / "executed", Trap(tmp_path / "executed")
    array = np.array([[trap]], object)
    data, name = {
        "npy": lambda: (npy(array, pickled=True), "trap.npy"),
        "npz": lambda: (npz({"mel.npy": npy(array, pickled=True)}), "trap.npz"),
        "new pt": lambda: (pt(trap), "trap.pt"),
        "old pt": lambda: (pt(trap, zipped=False), "trap.pt"),
        "dict pt": lambda: (pt({"mel": torch.zeros(80, 7), "x": trap}), "trap.pth"),
        "bare pickle": lambda: (pickle.dumps(trap), "trap.pt"),
    }[form]()
    path = tmp_path / name
    path.write_bytes(data)
    line = refused(str(path))
    assert not marker.exists()
    assert "not loaded" in line or "weights_only" in line
    pickle.loads(pickle.dumps(trap))  # and the trap does work
    assert marker.exists()


def test_a_file_over_the_limit_is_not_opened(tmp_path, monkeypatch):
    with open(tmp_path / "big.npy", "wb") as file:
        file.write(npy(MEL))
        file.truncate(2**31)  # a sparse file: no disk is used
    refused(str(tmp_path / "big.npy"), "2,147,483,648 bytes")


def test_infinite_longdoubles_overflow_without_a_warning(tmp_path):
    wide = np.full((80, 7), np.longdouble(10) ** 4000 if np.finfo(np.longdouble).max > 1e400 else np.inf)
    wide[0] = 1
    (tmp_path / "wide.npy").write_bytes(npy(wide))
    found = plane(array_file.read(str(tmp_path / "wide.npy")))
    assert found.bad == pytest.approx(79 / 80)


# .npz


def test_the_only_member_needs_no_key(tmp_path):
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        (tmp_path / "one.npz").write_bytes(npz({"mel.npy": npy(MEL)}, compression))
        assert np.array_equal(array_file.read(tmp_path / "one.npz"), MEL)
        assert np.array_equal(array_file.read(tmp_path / "one.npz", "mel"), MEL)


def test_of_several_the_key_chooses(tmp_path):
    np.savez_compressed(tmp_path / "two.npz", mel=MEL, phase=-MEL)
    assert np.array_equal(array_file.read(tmp_path / "two.npz", "phase"), -MEL)
    line = refused(str(tmp_path / "two.npz"))
    assert "contains 2 arrays (mel, phase); choose one with --key" in line
    refused(str(tmp_path / "two.npz"), "no array mell; the arrays are mel, phase", key="mell")
    refused(str(tmp_path / "two.npz"), "mel, phase", key="")


def lying(data, real, claimed):
    """A zip whose headers claim another size than a member has."""
    return data.replace(struct.pack("<I", real), struct.pack("<I", claimed))


BAD_NPZ = {
    "an empty file": (b"", "not a readable .npz file"),
    "a .npy": (npy(MEL), "not a readable .npz file"),
    "no member": (npz({}), "contains 0 arrays"),
    "a folder alone": (npz({"folder/": b""}), ""),
    "a member that is text": (npz({"mel.npy": b"hello" * 30}), "not a readable .npy file"),
    "a member of objects": (npz({"mel.npy": npy(np.array([[1, None]], object), pickled=True)}), "not loaded"),
    "a member that claims 10**12": (npz({"mel.npy": claim((10**6, 10**6))}, zipfile.ZIP_DEFLATED), "bytes; it has"),
    "a member of negative size": (npz({"mel.npy": claim((-1, 80))}), ""),
    "a member cut short": (npz({"mel.npy": npy(MEL)[:-4]}), ""),
    "a member that claims 3 GiB": (lying(npz({"mel.npy": npy(MEL)}), len(npy(MEL)), 3 << 30), "3,221,225,472 bytes"),
    "a method that is none": (npz({"mel.npy": npy(MEL)}).replace(b"\x14\0\0\0\0\0", b"\x14\0\0\0\x63\0"), ""),
    "an encrypted member": (npz({"mel.npy": npy(MEL)}).replace(b"\x14\0\0\0\0\0", b"\x14\0\x01\0\0\0"), ""),
    "a wrong checksum": (npz({"mel.npy": npy(MEL)}).replace(MEL.tobytes()[-40:], b"\x01" * 40), ""),
    "half of it": (npz({"mel.npy": npy(MEL)})[:700], "not a readable .npz file"),
}


@pytest.mark.parametrize("kind", BAD_NPZ)
def test_a_bad_npz_is_refused_in_one_line(tmp_path, kind):
    data, said = BAD_NPZ[kind]
    (tmp_path / "bad.npz").write_bytes(data)
    refused(str(tmp_path / "bad.npz"), said)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_whose_compression_is_broken_is_one_line(tmp_path, compression):
    data = bytearray(npz({"mel.npy": npy(MEL)}, compression))
    data[60:200] = bytes(range(100, 240))
    (tmp_path / "broken.npz").write_bytes(bytes(data))
    refused(str(tmp_path / "broken.npz"))


def test_a_bomb_does_not_go_off(tmp_path):
    """1.5 GiB of zeros in 1.5 MB: refused by what it claims, in no time."""
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        info = zipfile.ZipInfo("mel.npy")
        info.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(info, "w", force_zip64=True) as member:
            member.write(claim((1 << 14, 1 << 15), "<f4", b""))
            for _ in range(3):
                member.write(bytes(1 << 20))
    data = (tmp_path / "bomb.npz").read_bytes()
    real = len(claim((1 << 14, 1 << 15), "<f4", b"")) + 3 * (1 << 20)
    assert struct.pack("<Q", real) in data or struct.pack("<I", real) in data
    refused(str(tmp_path / "bomb.npz"), "header says")
    for width in ("<Q", "<I"):
        data = data.replace(struct.pack(width, real), struct.pack(width, 3 << 29))
    (tmp_path / "bomb.npz").write_bytes(data)
    refused(str(tmp_path / "bomb.npz"), "over 1,073,741,824")


# .pt


def same(found, wanted=MEL):
    return np.array_equal(found.detach().float().numpy(), wanted)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    "make",
    [
        torch.from_numpy,
        lambda mel: torch.from_numpy(mel).requires_grad_(),
        lambda mel: torch.nn.Parameter(torch.from_numpy(mel)),
        lambda mel: [torch.from_numpy(mel)],
        lambda mel: (torch.from_numpy(mel),),
        lambda mel: {"mel": torch.from_numpy(mel)},
        lambda mel: {"mel": torch.from_numpy(mel), "rate": 22050, "name": "x", "none": None},
        lambda mel: torch.from_numpy(np.asfortranarray(mel)),
        lambda mel: torch.from_numpy(np.stack([mel, mel])[:, :, ::1])[1],
    ],
    ids=["tensor", "requires grad", "parameter", "list", "tuple", "dict", "dict and more", "strided", "a view"],
)
def test_a_tensor_is_read_from_whatever_holds_one(tmp_path, make, zipped):
    (tmp_path / "mel.pt").write_bytes(pt(make(MEL), zipped))
    found = array_file.read(tmp_path / "mel.pt")
    assert same(found)
    assert np.array_equal(plane(found).values, MEL.astype(np.float64))


def test_bfloat16_and_half_are_numbers(tmp_path):
    whole = np.round(MEL)  # up to 80: exact in 8 bits
    for kind in (torch.bfloat16, torch.float16, torch.float64, torch.int16, torch.uint8):
        torch.save(torch.from_numpy(whole).to(kind), tmp_path / "mel.pt")
        assert np.array_equal(plane(array_file.read(tmp_path / "mel.pt")).values, whole)


def test_of_several_tensors_the_key_chooses(tmp_path):
    torch.save({"a": torch.zeros(80, 7), 3: torch.from_numpy(MEL)}, tmp_path / "two.pt")
    assert same(array_file.read(tmp_path / "two.pt", "3"))
    refused(str(tmp_path / "two.pt"), "contains 2 arrays (a, 3); choose one with --key")
    refused(str(tmp_path / "two.pt"), "no array b; the arrays are a, 3", key="b")
    torch.save([torch.zeros(80, 7), torch.from_numpy(MEL)], tmp_path / "list.pth")
    assert same(array_file.read(tmp_path / "list.pth", "1"))


def test_a_state_dict_asks_for_a_key(tmp_path):
    state = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).state_dict()
    torch.save(state, tmp_path / "net.pt")
    refused(str(tmp_path / "net.pt"), "contains 7 arrays (0.weight, 0.bias")
    assert array_file.read(tmp_path / "net.pt", "0.weight").shape == (4, 3)


def jit():
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)), file)
    return file.getvalue()


BAD_PT = {
    "an empty file": (lambda: b"", "cannot be loaded"),
    "text": (lambda: b"hello, this is no tensor\n" * 9, "cannot be loaded"),
    "a zip of something else": (lambda: npz({"a.txt": b"hello"}), ""),
    "an npz": (lambda: npz({"mel.npy": npy(MEL)}), ""),
    "half a zip": (lambda: pt(torch.from_numpy(MEL))[:1500], ""),
    "half a legacy file": (lambda: pt(torch.from_numpy(MEL), zipped=False)[:1000], ""),
    "a numpy array": (lambda: pt(MEL), "more than tensors"),
    "a model": (lambda: pt(torch.nn.Linear(2, 2)), "more than tensors"),
    "a number": (lambda: pt(3.5), "float"),
    "a text": (lambda: pt("mel"), "str"),
    "nothing": (lambda: pt(None), "NoneType"),
    "an empty dict": (lambda: pt({}), "contains 0 arrays"),
    "nested dicts": (lambda: pt({"a": {"mel": torch.zeros(80, 7)}}), "contains 0 arrays"),
    "a list of numbers": (lambda: pt([1.0, 2.0]), "contains 0 arrays"),
    "complex": (lambda: pt(torch.zeros(80, 7, dtype=torch.complex64)), "complex"),
    "a conjugate": (lambda: pt(torch.ones(80, 7, dtype=torch.complex64).conj()), ""),
    "bool": (lambda: pt(torch.zeros(80, 7) > 1), "bool"),
    "sparse": (lambda: pt(torch.eye(80).to_sparse()), ""),
    "quantised": (lambda: pt(torch.quantize_per_tensor(torch.rand(80, 7), 0.1, 0, torch.quint8)), ""),
    "meta": (lambda: pt(torch.empty(80, 7, device="meta")), ""),
    "no values": (lambda: pt(torch.zeros(80, 0)), "no values"),
    "one axis": (lambda: pt(torch.zeros(80)), "shape (80,)"),
    "10**12 from one": (lambda: pt(torch.ones(1).expand(10**6, 10**6)), "1,000,000,000,000 values"),
    "10**12 bfloat16 from one": (lambda: pt(torch.ones(1, dtype=torch.bfloat16).expand(10**6, 10**6)), "values"),
    "10**12 half from one": (lambda: pt(torch.ones(1, dtype=torch.float16).expand(10**6, 10**6)), "values"),
    "a claim of 3 GiB": (
        lambda: lying(pt(torch.from_numpy(MEL)), MEL.nbytes, 3 << 30),
        "claims 3,2",
    ),
    "a script": (jit, ""),
}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow if kind == "a script" else ()) for kind in BAD_PT]
)
@pytest.mark.filterwarnings("ignore::UserWarning:torch.*", "ignore::DeprecationWarning:torch.*")
def test_a_bad_pt_is_refused_in_one_line(tmp_path, kind):
    make, said = BAD_PT[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = make()
    (tmp_path / "bad.pt").write_bytes(data)
    refused(str(tmp_path / "bad.pt"), said)


def test_a_float8_tensor_is_read_or_refused(tmp_path):
    torch.save(torch.ones(80, 7).to(torch.float8_e4m3fn), tmp_path / "f8.pt")
    line = refusal(lambda: plane(array_file.read(tmp_path / "f8.pt")))
    assert line is None or "\n" not in line


def test_a_legacy_file_that_claims_terabytes_is_refused(tmp_path):
    data = pt(torch.zeros(10), zipped=False)
    # The pickled number of elements of the storage: K\n is 10 as one byte, \x8a\x06 a long of six.
    assert data.count(b"K\n") >= 1
    for claimed in (b"\x8a\x06" + struct.pack("<Q", 10**13)[:6], b"J" + struct.pack("<i", 2**31 - 1)):
        (tmp_path / "claim.pt").write_bytes(data.replace(b"K\n", claimed))
        refused(str(tmp_path / "claim.pt"))


def test_a_numpy_file_is_read_without_torch(tmp_path):
    """And .pt without it is refused in words."""
    (tmp_path / "mel.npy").write_bytes(npy(MEL))
    torch.save(torch.zeros(80, 7), tmp_path / "mel.pt")
    code = (
        "import sys\nsys.modules['torch'] = None\nfrom diagnose.mel.array_file import read\n"
        "print(read(sys.argv[1]).shape)\n"
        "try:\n    read(sys.argv[2])\nexcept Exception as error:\n    print(type(error).__name__, error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "mel.npy"), str(tmp_path / "mel.pt")],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first == "(80, 7)"
    assert second.startswith(f"InputError {tmp_path / 'mel.pt'}: reading .pt needs torch")


# Places


def test_what_is_no_file_is_one_line(tmp_path):
    (tmp_path / "folder.npy").mkdir()
    refused(str(tmp_path / "folder.npy"), "is a directory")
    refused(str(tmp_path / "none.npy"), "No such file")
    refused(str(tmp_path / "none.npy" / "x.npy"), "No such file")
    refused(f"{tmp_path}/nu\0l.npy", "null")
    refused("", "")
    refused(str(tmp_path / ("x" * 300 + ".npy")), "too long")
    refused("/dev/null", "not a regular file")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npy")
    refused(str(tmp_path / "pipe.npy"), "not a regular file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    (tmp_path / "mine.npy").write_bytes(npy(MEL))
    (tmp_path / "mine.npy").chmod(0)
    refused(str(tmp_path / "mine.npy"), "Permission denied")


@pytest.mark.parametrize("name", ["mel", "mel.wav", "mel.txt", "mel.npyx", "mel.pkl", "mel.h5", "mel.npy.gz"])
def test_an_unknown_suffix_says_what_is_read(tmp_path, name):
    (tmp_path / name).write_bytes(npy(MEL))
    refused(str(tmp_path / name), ".npy, .npz, .pt or .pth")


# Writing


def test_what_is_written_is_read(tmp_path):
    array_file.write(str(tmp_path / "out.npy"), MEL)
    assert np.array_equal(np.load(tmp_path / "out.npy", allow_pickle=False), MEL)
    array_file.write(str(tmp_path / "out.NPY"), -MEL)
    assert np.array_equal(array_file.read(tmp_path / "out.NPY"), -MEL)


@pytest.mark.parametrize("name", ["out", "out.npz", "out.pt", "out.wav", ""])
def test_only_npy_is_written(tmp_path, name):
    with pytest.raises(InputError, match=r"only \.npy can be written"):
        array_file.write(str(tmp_path / name) if name else "", MEL)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    (tmp_path / "out.npy").write_bytes(b"old")
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(InputError, match="No space left"):
        array_file.write(str(tmp_path / "out.npy"), MEL)
    assert [path.name for path in tmp_path.iterdir()] == ["out.npy"]
    assert (tmp_path / "out.npy").read_bytes() == b"old"


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        array_file.write(str(tmp_path / "none" / "out.npy"), MEL)
