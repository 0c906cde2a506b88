"""Run the user's command, which renders the sounds to check."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from typing import IO, TYPE_CHECKING

from diagnose import git
from diagnose.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TAIL_BYTES = 4096


def render(words: Sequence[str], folder: str | os.PathLike[str], environment: Mapping[str, str]) -> None:
    """Run a command in a folder, with some variables on top of this process's own.

    What it prints is kept out of the results; where it fails, InputError shows its last line.
    """
    name = shlex.join(words)
    with tempfile.TemporaryFile() as said:
        try:
            done = subprocess.run(  # noqa: S603 - the user's own command, without a shell
                [*words],
                cwd=folder,
                env={**git.environment(), **environment},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                check=False,
            )
        except (OSError, ValueError) as error:
            raise InputError(f"{name}: cannot be run ({getattr(error, 'strerror', None) or error})") from None
        if done.returncode:
            raise InputError(f"{name}: ended with {done.returncode} in {os.fspath(folder)}: {_last_line(said)}")


def state(path: str) -> tuple[int, int, int] | None:
    """What changes where a file is written anew; None where there is none."""
    try:
        now = os.stat(path)
    except OSError:
        return None
    return now.st_mtime_ns, now.st_ino, now.st_size


def _last_line(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - TAIL_BYTES))
    lines = [line for line in said.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it printed nothing"
