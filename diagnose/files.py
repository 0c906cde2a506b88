"""Output files appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile

from diagnose.errors import InputError


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write data to a temporary file in the same folder, then rename it over path.

    A reader sees the old file or the new one, never a part; raises InputError where it cannot be written.
    """
    temporary = None
    try:
        target = os.path.realpath(path)
        if os.path.exists(target) and not os.path.isfile(target):
            _write_through(target, data)
            return
        handle, temporary = tempfile.mkstemp(prefix=".diagnose-", dir=os.path.dirname(target))
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, _mode_of(target))
        os.replace(temporary, target)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise InputError(
            f"{os.fspath(path)}: cannot be written ({getattr(error, 'strerror', None) or error})"
        ) from None
    finally:
        if temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


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
