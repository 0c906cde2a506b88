"""The workers of a batch: this process, local processes of joblib, or a Dask cluster through joblib.

A pool takes items as it needs them, gives answers in any order, and raises WorkerLost where a process died under it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
import warnings
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, Protocol

from diagnose.batch.work import error_row, local_page, local_row, page_of, row_of
from diagnose.errors import InputError
from diagnose.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from diagnose.batch.manifest import PairPaths
    from diagnose.results.batch import Row
    from diagnose.results.limit import Profile

WAITING_A_JOB = 2  # pairs in a worker's hands and in wait for it: enough that none runs dry
CONNECT_S = 5.0
STALL_S = 60.0  # so long without an answer, and joblib is asked no longer: it does not hear of a task that Dask gave up
KILLED = "the process that compared this pair crashed or was killed (out of memory?)"

Page = tuple[int, bytes | None]


class WorkerLost(Exception):
    """A process died, or answers fail to come; the pairs that were given out have to be given out again."""


class Pool(Protocol):
    """jobs: how many pairs are worked on at a time."""

    jobs: int

    def rows(self, pairs: Iterable[PairPaths]) -> Generator[Row]:
        """A row a pair, in any order; raises WorkerLost."""
        ...

    def suspects(self, pairs: Sequence[PairPaths]) -> Generator[Row]:
        """A row a pair, whatever the pair does to the process: of those that were in work when one died."""
        ...

    def pages(self, pairs: Iterable[PairPaths]) -> Generator[Page]:
        """(row, HTML) of each, in any order; raises WorkerLost."""
        ...


class Here:
    """This process, one pair after the other."""

    jobs = 1

    def __init__(self, profile: Profile | None) -> None:
        self.profile = profile

    def rows(self, pairs: Iterable[PairPaths]) -> Generator[Row]:
        return (row_of(pair, self.profile) for pair in pairs)

    def suspects(self, pairs: Sequence[PairPaths]) -> Generator[Row]:
        return self.rows(pairs)

    def pages(self, pairs: Iterable[PairPaths]) -> Generator[Page]:
        return (page_of(pair, self.profile) for pair in pairs)


class Processes:
    """joblib's loky: processes of this machine, one BLAS thread each."""

    def __init__(self, jobs: int, profile: Profile | None) -> None:
        self.jobs, self.profile = jobs, profile

    def rows(self, pairs: Iterable[PairPaths]) -> Generator[Row]:
        from joblib import delayed

        return self._answers(delayed(local_row)(pair, self.profile, os.getpid()) for pair in pairs)

    def suspects(self, pairs: Sequence[PairPaths]) -> Generator[Row]:
        """Each alone: a pair that takes a process down again is the one."""
        for pair in pairs:
            try:
                yield from self.rows([pair])
            except WorkerLost:
                yield error_row(pair, KILLED)

    def pages(self, pairs: Iterable[PairPaths]) -> Generator[Page]:
        from joblib import delayed

        return self._answers(delayed(local_page)(pair, self.profile, os.getpid()) for pair in pairs)

    def _answers(self, tasks: Iterable[Any]) -> Generator[Any]:
        import joblib

        with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
            parallel = joblib.Parallel(
                n_jobs=self.jobs,
                return_as="generator_unordered",
                # A row is written when it is there, so a batch of one: a comparison is long against handing it over.
                batch_size=1,
                pre_dispatch=WAITING_A_JOB * self.jobs,
            )
        try:
            yield from _closed(parallel(tasks))
        except BrokenProcessPool as error:
            raise WorkerLost(str(error)) from None


class Cluster:
    """A Dask cluster through joblib's backend; the workers have to see the same files."""

    def __init__(self, client: Any, profile: Profile | None) -> None:
        self.client, self.profile = client, profile
        self.folder = os.getcwd()  # where relative names lie; a worker has a folder of its own
        self.jobs = max(sum(client.ncores().values()), 1)
        self.stall = STALL_S
        self.seen = time.monotonic()  # that there was a worker

    def rows(self, pairs: Iterable[PairPaths]) -> Generator[Row]:
        from joblib import delayed

        return self._answers(delayed(row_of)(pair, self.profile, self.folder) for pair in pairs)

    def suspects(self, pairs: Sequence[PairPaths]) -> Generator[Row]:
        """Each as a task of its own, then those that Dask gave up on, alone: asked of Dask itself, which says why."""
        again = []
        tasks = [(pair, self._submit(pair)) for pair in pairs]
        for pair, task in tasks:
            row = self._result(task)
            if row is None:
                again.append(pair)
            else:
                yield row
        for pair in again:
            row = self._result(self._submit(pair))
            yield row if row is not None else error_row(pair, KILLED)

    def pages(self, pairs: Iterable[PairPaths]) -> Generator[Page]:
        from joblib import delayed

        return self._answers(delayed(page_of)(pair, self.profile, self.folder) for pair in pairs)

    def _submit(self, pair: PairPaths) -> Any:
        self._check()
        return self.client.submit(row_of, pair, self.profile, self.folder, pure=False)

    def _result(self, task: Any) -> Row | None:
        """The row; None where the workers that had the task died one after the other."""
        from distributed import KilledWorker

        while True:
            try:
                return task.result(timeout=CONNECT_S)
            except KilledWorker:
                return None
            except TimeoutError:
                self._check()

    def _check(self) -> None:
        if self.client.status != "running":
            raise InputError("lost the Dask scheduler; finished pairs are saved; continue with --resume")
        if self.client.scheduler_info()["workers"]:
            self.seen = time.monotonic()
        elif time.monotonic() - self.seen > STALL_S:
            raise InputError("the Dask cluster has no workers left; finished pairs are saved; continue with --resume")

    def _answers(self, tasks: Iterable[Any]) -> Generator[Any]:
        import joblib

        with joblib.parallel_config(backend="dask", client=self.client):
            parallel = joblib.Parallel(
                n_jobs=-1,
                return_as="generator_unordered",
                pre_dispatch=WAITING_A_JOB * self.jobs,
                timeout=self.stall,
            )
        try:
            yield from _closed(parallel(tasks))
        except multiprocessing.TimeoutError as error:  # joblib's, which is not the builtin one
            self._check()
            self.stall *= 2  # slow pairs are no dead workers: they get longer from now on
            raise WorkerLost(str(error)) from None


def _closed(answers: Any) -> Generator[Any]:
    """The answers of a Parallel; without its warning on what was begun in vain where the reader goes away."""
    try:
        for answer in answers:  # noqa: UP028 - `yield from` would close it outside of the `with` below
            yield answer
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answers.close()


@contextlib.contextmanager
def open_pool(jobs: int | None, dask: str | None, profile: Profile | None, pairs: int) -> Iterator[Pool]:
    """The pool that is asked for; jobs None: a process a processor, and never more than there are pairs.

    Raises InputError for a cluster out of reach.
    """
    if jobs != 1 or dask is not None:
        import joblib  # missing, it is told here, before anything is begun
    if dask is not None:
        with _client(dask) as client:
            yield Cluster(client, profile)
        return
    jobs = min(joblib.cpu_count() if jobs is None else jobs, pairs)
    yield Here(profile) if jobs == 1 else Processes(jobs, profile)


@contextlib.contextmanager
def _client(address: str) -> Iterator[Any]:
    import logging

    import distributed

    connect: Any = distributed.Client
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is said here, in a line
    try:
        client = connect(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{address}: no Dask scheduler answers ({str(error).splitlines()[0]})") from None
    except AssertionError:  # distributed waits 10 s for its own thread, and then asserts that it is there
        raise InputError(f"{address}: the thread of Dask did not start, the machine is busy; try again") from None
    try:
        _check_workers(client, address)
        yield client
    finally:
        client.close(timeout=CONNECT_S)


def _check_workers(client: Any, address: str) -> None:
    """There is a worker, and every one has this version; else joblib would wait for ever."""
    try:
        client.wait_for_workers(1, timeout=2 * CONNECT_S)
        versions = client.run(_version, on_error="return")
    except OSError:  # a TimeoutError is one
        raise InputError(f"{address}: the scheduler has no workers; start one with: dask worker {address}") from None
    for worker, version in versions.items():
        if version != VERSION:
            said = f"timbre-diagnose {version}" if isinstance(version, str) else f"no timbre-diagnose ({version})"
            raise InputError(f"{worker}: the Dask worker has {said}; install {VERSION}, as here")


def _version() -> str:
    return VERSION
