"""The state of a batch on disk: run.json holds its settings, journal.jsonl has one line per finished pair.

A line is written whole and at once, in the order in which pairs finish.  A process that is killed leaves at most the
last line torn; it is cut off when the run goes on.  A lock keeps a second process out of the folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from diagnose.errors import InputError
from diagnose.files import write_whole
from diagnose.metrics import METRICS
from diagnose.results.batch import Row
from diagnose.results.verdict import Verdict  # noqa: TC001 - msgspec reads it in an annotation
from diagnose.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import BufferedReader

    from numpy.typing import NDArray

    from diagnose.results.limit import Profile

SCHEMA = "diagnose.batch/1"
RUN, JOURNAL, LOCK = "run.json", "journal.jsonl", ".lock"
WRITTEN = ("results.csv", "results.parquet", "summary.html", "pages")  # at the end, over what is there
NOT_DONE = -1
LOCK_S = 1.0  # a process that was just killed takes a moment to go


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What decides the rows of a run: with anything of it changed, --resume would mix two runs.

    pairs_sha256: of all names of files.  profile_sha256: of every limit.  metrics: the version of each.
    """

    schema: str
    tool_version: str
    pairs: int
    pairs_sha256: str
    profile_sha256: str
    metrics: dict[str, int]


class RunState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """run.json.  finished: the number of pairs of each verdict, once the results are written."""

    asked: Asked
    finished: dict[Verdict, int] | None = None


def asked(pairs: int, digest: str, profile: Profile) -> Asked:
    """What this program would make of these pairs and limits."""
    limits = hashlib.sha256(msgspec.json.encode(dict(profile), order="deterministic")).hexdigest()
    versions = {metric.name: metric.version for metric in METRICS.values()}
    return Asked(SCHEMA, VERSION, pairs, digest, limits, versions)


# --- the folder ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(folder: str) -> Iterator[None]:
    """The folder, made where missing, for this process alone; InputError where another one works in it."""
    from filelock import FileLock, Timeout

    try:
        os.makedirs(folder, exist_ok=True)
        lock = FileLock(os.path.join(folder, LOCK))
        lock.acquire(timeout=LOCK_S)
    except Timeout:
        raise InputError(f"{folder}: is in use by another diagnose batch; wait for it, or stop it") from None
    except FileExistsError:
        raise InputError(f"{folder}: is not a directory; give another path") from None
    except OSError as error:
        raise InputError(f"{folder}: cannot create the directory ({error.strerror or error})") from None
    try:
        yield
    finally:
        lock.release()


def state_of(folder: str, wanted: Asked, resume: bool) -> RunState | None:
    """The state of the run in the folder, None where there is none.

    Raises InputError where it holds a run and resume is not asked for, or holds another run than the one wanted.
    """
    path = os.path.join(folder, RUN)
    state = read_state(path)
    if state is None:
        if os.path.exists(os.path.join(folder, JOURNAL)):
            raise InputError(f"{folder}: has a {JOURNAL} but no {RUN}; give another directory")
        for name in WRITTEN:
            if os.path.lexists(os.path.join(folder, name)):
                raise InputError(f"{folder}: {name} exists and no batch wrote it; give another directory")
        return None
    if not resume:
        raise InputError(f"{folder}: contains a run; continue it with --resume, or give another directory")
    other = _difference(state.asked, wanted)
    if other:
        raise InputError(f"{folder}: the run was started with {other}; use that again, or another directory")
    return state


def read_state(path: str) -> RunState | None:
    """What run.json says; None where there is none."""
    try:
        with open(path, "rb") as file:
            return msgspec.json.decode(file.read(), type=RunState)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is not a {SCHEMA} of this version ({error}); give another directory") from None


def begin(folder: str, wanted: Asked) -> None:
    """Say what the folder is for from now on."""
    _save(os.path.join(folder, RUN), RunState(wanted))


def finish(folder: str, wanted: Asked, counts: dict[Verdict, int]) -> None:
    """Say that the results are there, then take the journal away."""
    _save(os.path.join(folder, RUN), RunState(wanted, counts))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(folder, JOURNAL))


def _save(path: str, state: RunState) -> None:
    write_whole(path, msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n")


def _difference(before: Asked, now: Asked) -> str | None:
    if before.schema != now.schema or before.tool_version != now.tool_version:
        return f"timbre-diagnose {before.tool_version}, not {now.tool_version}"
    if before.metrics != now.metrics:
        return "other metrics or metric versions"
    if before.profile_sha256 != now.profile_sha256:
        return "other limits"
    if (before.pairs, before.pairs_sha256) != (now.pairs, now.pairs_sha256):
        return f"another list of pairs ({before.pairs}, now {now.pairs})"
    return None


# --- the rows ------------------------------------------------------------------------------------------------


class Journal:
    """The rows that are done.  In memory: where each begins in the file, 8 bytes a pair."""

    def __init__(self, folder: str, pairs: int) -> None:
        self.path = os.path.join(folder, JOURNAL)
        self.offsets: NDArray[np.int64] = np.full(pairs, NOT_DONE, np.int64)
        self._decode = msgspec.json.Decoder(Row).decode
        self._encode = msgspec.json.Encoder().encode
        with _told(self.path):
            self._end = self._recover()
            # Unbuffered: a line goes to the system in one write, and so outlives this process.
            self._file: Any = open(self.path, "ab", buffering=0)  # noqa: SIM115 - closed by close()

    def _recover(self) -> int:
        """Find every whole line and cut off a torn last one; the length of the file."""
        offset = 0
        if not os.path.exists(self.path):
            return offset
        with open(self.path, "rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break
                self._place(line, number, offset)
                offset += len(line)
        os.truncate(self.path, offset)
        return offset

    def _place(self, line: bytes, number: int, offset: int) -> None:
        try:
            row = self._decode(line).row
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{self.path}:{number}: not a row of a batch ({error}); give another directory") from None
        if not 1 <= row <= self.offsets.size:
            raise InputError(f"{self.path}:{number}: row {row} of {self.offsets.size}; give another directory")
        if self.offsets[row - 1] == NOT_DONE:
            self.offsets[row - 1] = offset

    @property
    def done(self) -> int:
        return int(np.count_nonzero(self.offsets != NOT_DONE))

    def has(self, row: int) -> bool:
        return bool(self.offsets[row - 1] != NOT_DONE)

    def add(self, row: Row) -> None:
        """Write a finished row; InputError where the disk is full."""
        if self.has(row.row):
            raise ValueError(f"row {row.row} is written already")
        line = self._encode(row) + b"\n"
        with _told(self.path):
            written = self._file.write(line)
            if written != len(line):
                raise OSError(0, "only a part was written")
        self.offsets[row.row - 1] = self._end
        self._end += len(line)

    def rows(self, numbers: Iterable[int] | None = None) -> Iterator[Row]:
        """The rows of these numbers, or all of them in order; one at a time."""
        with _told(self.path), open(self.path, "rb") as file:
            for number in range(1, self.offsets.size + 1) if numbers is None else numbers:
                yield self._at(file, number)

    def _at(self, file: BufferedReader, number: int) -> Row:
        file.seek(int(self.offsets[number - 1]))
        return self._decode(file.readline())

    def close(self) -> None:
        self._file.close()


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; continue with --resume") from None
