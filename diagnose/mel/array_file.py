"""Read arrays from untrusted .npy, .npz and .pt files: no pickle, sizes are checked before reading."""

from __future__ import annotations

import io
import os
import stat
import warnings
import zipfile
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from diagnose.errors import InputError
from diagnose.files import write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BYTES = 1 << 30
LONGEST_HEADER = 1 << 16
HEADERS = {(1, 0): (2, npy.read_array_header_1_0), (2, 0): (4, npy.read_array_header_2_0)}
FORMATS = "use .npy, .npz, .pt or .pth"
NO_OBJECTS = "has pickled Python objects, which are not loaded; save numbers: np.save(file, mel.astype('float32'))"


def read(path: str | os.PathLike[str], key: str | None = None) -> Any:
    """The array of a .npy file, or of a .npz or .pt file, in which key chooses where several are; a tensor for .pt.

    Raises InputError, in one line that begins with the path.  Nothing in the file is executed.
    """
    name = os.fspath(path)
    suffix = os.path.splitext(name)[1].lower()
    try:
        mode = os.stat(name).st_mode
        if not stat.S_ISREG(mode):
            what = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
            raise InputError(f"{name}: is {what}; give an array file")
        if os.path.getsize(name) > MOST_BYTES:
            raise InputError(f"{name}: {os.path.getsize(name):,} bytes, over {MOST_BYTES:,}; give a part of it")
        if suffix == ".npy":
            with open(name, "rb") as file:
                return _npy(file, name, os.path.getsize(name))
        if suffix == ".npz":
            return _npz(name, key)
        if suffix in (".pt", ".pth"):
            return _pt(name, key)
    except (InputError, MemoryError):
        raise
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or _line(error)}") from None
    except Exception as error:  # noqa: BLE001 -- zlib, lzma, tokenize, ast ...: whatever a broken file makes of them
        raise InputError(f"{name}: not a readable {suffix} file ({_line(error)})") from None
    raise InputError(f"{name}: not an array file; {FORMATS}")


def write(path: str, array: NDArray[np.float32]) -> None:
    """Write a .npy file whole or not at all."""
    if not path.lower().endswith(".npy"):
        raise InputError(f"{path}: only .npy can be written")
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    write_whole(path, buffer.getvalue())


def _npy(file: IO[bytes], name: str, size: int) -> NDArray[Any]:
    """An array in numpy's format; its header is held against size, the bytes there are, before any is allocated."""
    shape, dtype = _header(file, name)
    if dtype.hasobject:
        raise InputError(f"{name}: {NO_OBJECTS}")
    if dtype.kind not in "fiu":
        raise InputError(f"{name}: dtype {dtype} is not numeric")
    count = 1
    for length in shape:
        count *= length
    if count * dtype.itemsize > min(size, MOST_BYTES):
        raise InputError(f"{name}: header says {shape} of {dtype}, {count * dtype.itemsize:,} bytes; it has {size:,}")
    file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return npy.read_array(file, allow_pickle=False)


def _header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """(shape, dtype) of numpy's format 1.0 or 2.0; numpy would read as long a header as the file claims."""
    start = file.read(12)
    version = tuple(start[6:8])
    if not start.startswith(npy.MAGIC_PREFIX) or version not in HEADERS:
        raise InputError(f"{name}: not a readable .npy file (no header of numpy's format 1.0 or 2.0)")
    width, read_header = HEADERS[version]
    if int.from_bytes(start[8 : 8 + width], "little") > LONGEST_HEADER:
        raise InputError(f"{name}: not a readable .npy file (its header claims over {LONGEST_HEADER} bytes)")
    file.seek(8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a header of Python 2 is read, with a warning
        shape, _, dtype = read_header(file)
    if not all(type(length) is int for length in shape):
        raise InputError(f"{name}: shape {shape} is invalid")
    return shape, dtype


def _npz(name: str, key: str | None) -> NDArray[Any]:
    with zipfile.ZipFile(name) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        chosen = members[_chosen(members, key, name)]
        if chosen.file_size > MOST_BYTES:
            raise InputError(f"{name}: {chosen.filename} claims {chosen.file_size:,} bytes, over {MOST_BYTES:,}")
        with archive.open(chosen) as file:
            return _npy(file, name, chosen.file_size)


def _pt(name: str, key: str | None) -> Any:
    """A tensor that torch.save wrote; torch is imported here and nowhere else, by whoever has such a file."""
    if zipfile.is_zipfile(name):
        with zipfile.ZipFile(name) as archive:
            claimed = sum(info.file_size for info in archive.infolist())
        if claimed > MOST_BYTES:
            raise InputError(f"{name}: claims {claimed:,} bytes, over {MOST_BYTES:,}")
    try:
        import torch
    except ImportError:
        raise InputError(f"{name}: reading .pt needs torch, which is not installed; save the array as .npy") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = torch.load(name, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 -- whatever a broken or hostile file makes of the unpickler
        why = "it contains more than tensors" if "weights_only" in str(error).lower() else _line(error)
        raise InputError(f"{name}: cannot be loaded with weights_only=True ({why})") from None
    if isinstance(found, list | tuple):
        found = {str(index): value for index, value in enumerate(found)}
    if isinstance(found, dict):
        tensors = {str(each): value for each, value in found.items() if hasattr(value, "detach")}
        found = tensors[_chosen(tensors, key, name)]
    if not hasattr(found, "detach"):
        raise InputError(f"{name}: contains a {type(found).__name__}, not a tensor")
    return found


def _chosen(members: dict[str, Any], key: str | None, name: str) -> str:
    """The key that was asked for, or the only one there is."""
    shown = ", ".join(list(members)[:8]) or "nothing"
    if key is not None:
        if key not in members:
            raise InputError(f"{name}: no array {key}; the arrays are {shown}")
        return key
    if len(members) != 1:
        raise InputError(f"{name}: contains {len(members)} arrays ({shown}); choose one with --key")
    return next(iter(members))


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
