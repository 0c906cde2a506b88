"""Atomic writes of output files, and locks so that one process at a time changes a file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from typing import TYPE_CHECKING, BinaryIO

from diagnose.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_WAIT_S = 60.0


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write data to a temporary file in the same folder, then rename it over path.

    A reader sees the old file or the new one, never a part; raises InputError where it cannot be written.
    """
    try:
        target = os.path.realpath(path)
        if os.path.exists(target) and not os.path.isfile(target):
            _write_through(target, data)
            return
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise _unwritable(path, error) from None
    with whole_file(path) as file:
        file.write(data)


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write piece by piece, which takes the place of path when all is written; left out where that fails.

    Raises InputError where it cannot be written.
    """
    temporary = None
    try:
        try:
            target = os.path.realpath(path)
            handle, temporary = tempfile.mkstemp(prefix=".diagnose-", dir=os.path.dirname(target))
        except ValueError as error:
            raise _unwritable(path, error) from None
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(temporary, _mode_of(target))
        os.replace(temporary, target)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        if temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


def write_new(path: str, data: bytes) -> None:
    """Write data to a file that is not there yet, whole, in a folder that is made where it is missing."""
    try:
        os.makedirs(os.path.dirname(path) or os.curdir, exist_ok=True)
    except OSError as error:
        raise InputError(f"{os.path.dirname(path)}: cannot create the directory ({error.strerror})") from None
    if os.path.lexists(path):
        raise InputError(f"{path}: already exists")
    write_whole(path, data)


def _unwritable(path: str | os.PathLike[str], error: OSError | ValueError) -> InputError:
    return InputError(f"{os.fspath(path)}: cannot be written ({getattr(error, 'strerror', None) or error})")


def _write_through(target: str, data: bytes) -> None:
    """A device or a pipe is written to, never replaced; a directory raises OSError."""
    with open(target, "wb") as file:
        file.write(data)


def _mode_of(target: str) -> int:
    """The permissions the file has, or those an ordinary open() would give a new one (mkstemp gives 0600)."""
    try:
        return os.stat(target).st_mode & 0o777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask


@contextlib.contextmanager
def locked(path: str | os.PathLike[str], wait_s: float = LONGEST_WAIT_S) -> Iterator[None]:
    """Only one process of this user, on this machine, is inside for a path at a time; the others wait.

    For a file that is read, changed and written back.  The lock lies in the temporary folder and not beside the
    file: a repository stays clean; processes with different temporary folders do not see each other.  Raises
    InputError where another process holds it for longer than wait_s.
    """
    from filelock import FileLock, Timeout

    target = os.path.realpath(path)
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = os.path.join(tempfile.gettempdir(), f"diagnose-{user}")
    lock = os.path.join(folder, hashlib.sha256(target.encode("utf-8", "surrogateescape")).hexdigest()[:32] + ".lock")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        found = os.lstat(folder)
        if not stat.S_ISDIR(found.st_mode) or (hasattr(os, "getuid") and found.st_uid != user):
            raise InputError(f"{folder}: locks are stored here, but it is not your own directory; delete it")
        with FileLock(lock, timeout=wait_s):
            yield
    except Timeout:
        said = f"locked by another process for over {wait_s:g} s; try again later"
        raise InputError(f"{os.fspath(path)}: {said}") from None
