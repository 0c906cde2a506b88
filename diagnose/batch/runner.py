"""run(): a batch from its first pair to summary.html; a stopped batch is continued."""

from __future__ import annotations

import os
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from diagnose.batch.journal import Journal, asked, begin, finish, locked, state_of
from diagnose.batch.manifest import PairPaths, counted
from diagnose.batch.pages import write_pages
from diagnose.batch.pool import WAITING_A_JOB, WorkerLost, open_pool
from diagnose.batch.table import write_results
from diagnose.batch.tally import Tally
from diagnose.errors import InputError
from diagnose.files import write_whole
from diagnose.profile import default_profile, load_profile
from diagnose.results.batch import Overview, Row, verdict_of
from diagnose.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from diagnose.batch.manifest import Source
    from diagnose.batch.pool import Pool
    from diagnose.results.limit import Profile
    from diagnose.results.verdict import Verdict

    Progress = Callable[[int, int, str], None]

ROUND = 4096  # pairs that are given out at a time: no more answers than that can pile up, however slow the disk
PAGES_BYTES = 20_000_000
SUMMARY = "summary.html"


class Options(msgspec.Struct, frozen=True):
    """How a batch runs and what it leaves.

    jobs: local processes, 1 or more, one a processor where None; dask: the address of a scheduler to use instead.
    profile: the TOML file of limits.  form: of the results, "csv" or "parquet".  pages: bytes that the reports of
    failed pairs may take.  command: the command line, for the summary.
    Raises InputError for a number of processes that is none.
    """

    jobs: int | None = None
    dask: str | None = None
    profile: str | None = None
    form: str = "csv"
    pages: int = PAGES_BYTES
    command: str = ""

    def __post_init__(self) -> None:
        jobs: object = self.jobs
        if jobs is not None and (not isinstance(jobs, int) or isinstance(jobs, bool) or jobs < 1):
            raise InputError(f"jobs={jobs!r}: give 1 or more processes, or None for one a processor")


class Outcome(msgspec.Struct, frozen=True):
    """verdicts: pairs by verdict.  overview: None for a run that was finished before and did nothing now.

    resumed: how many pairs were done before.
    """

    out: str
    verdicts: dict[Verdict, int]
    overview: Overview | None = None
    resumed: int = 0

    @property
    def verdict(self) -> Verdict:
        return verdict_of(self.verdicts)


def run(
    source: Source,
    out: str,
    options: Options | None = None,
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Compare every pair of the source and write results and summary into the folder out.

    progress(done, pairs, what) is called after every pair.  A run that was stopped, however hard, goes on with
    resume=True and gives what an unbroken one gives.  Raises InputError where the folder holds another run, or is in
    use; what is wrong with a pair is in its row.
    """
    options = options or Options()
    _check_form(options.form)
    limits = default_profile() if options.profile is None else load_profile(options.profile)
    wanted = asked(*counted(source), limits)
    with locked(out):
        state = state_of(out, wanted, resume)
        if state is not None and state.finished is not None:
            return Outcome(out, state.finished, resumed=wanted.pairs)
        # The built-in limits are there in every process; a profile travels with each pair.
        with open_pool(options.jobs, options.dask, limits if options.profile else None, wanted.pairs) as pool:
            if state is None:  # only now: a cluster out of reach leaves the folder as it was
                begin(out, wanted)
            with closing(Journal(out, wanted.pairs)) as journal:
                resumed = journal.done
                _compare(source, journal, pool, progress)
                if counted(source)[1] != wanted.pairs_sha256:
                    raise InputError(f"{out}: the list of pairs changed during the run; use another directory")
                overview = _write(source, out, journal, pool, limits, options, progress)
        counts = dict(overview.verdicts)
        finish(out, wanted, counts)
    return Outcome(out, counts, overview, resumed)


def _check_form(form: str) -> None:
    """A format whose library is missing is told now, not after a day of work."""
    if form == "parquet":
        import pyarrow  # noqa: F401
    elif form != "csv":
        raise InputError(f"{form}: unknown format; use csv or parquet")


# --- comparing -----------------------------------------------------------------------------------------------


def _compare(source: Source, journal: Journal, pool: Pool, progress: Progress | None) -> None:
    """Every pair that has no row yet."""
    done, pairs = journal.done, journal.offsets.size
    if progress:
        progress(done, pairs, "")
    with closing(finished(pool, (pair for pair in source.pairs() if not journal.has(pair.row)))) as rows:
        for row in rows:
            journal.add(row)
            done += 1
            if progress:
                progress(done, pairs, row.id)


def finished(pool: Pool, pairs: Iterator[PairPaths]) -> Generator[Row]:
    """A row for every pair, in any order, whatever happens to the processes that work on them."""
    size = max(ROUND, 16 * WAITING_A_JOB * pool.jobs)
    while waiting := {pair.row: pair for pair in islice(pairs, size)}:
        while waiting:
            taken: list[int] = []
            try:
                with closing(pool.rows(_noted(list(waiting.values()), taken))) as rows:
                    for row in rows:
                        del waiting[row.row]
                        yield row
            except WorkerLost:
                suspects = [waiting[number] for number in taken if number in waiting]
                for row in pool.suspects(suspects):
                    del waiting[row.row]
                    yield row


def _noted(pairs: Iterable[PairPaths], taken: list[int]) -> Iterator[PairPaths]:
    """The pairs; which were taken is noted: one of them was in work when a process died."""
    for pair in pairs:
        taken.append(pair.row)
        yield pair


# --- what it leaves ------------------------------------------------------------------------------------------


def _write(
    source: Source,
    out: str,
    journal: Journal,
    pool: Pool,
    limits: Profile,
    options: Options,
    progress: Progress | None,
) -> Overview:
    """Results, pages and the summary, from the journal in the order of the manifest."""
    from diagnose.render.summary import to_html

    if progress:
        progress(journal.offsets.size, journal.offsets.size, "writing the results")
    tally = Tally()
    name = write_results(out, options.form, tally.counting(journal.rows()))
    failed = tally.failed_worst_first()
    pages = write_pages(source, out, failed, pool, options.pages)
    overview = tally.overview(
        limits,
        rows=lambda numbers: list(journal.rows(numbers)),
        pages=pages,
        results=name,
        recipe=_recipe(options),
    )
    write_whole(os.path.join(out, SUMMARY), to_html(overview).encode("utf-8", "backslashreplace"))
    return overview


def _recipe(options: Options) -> tuple[tuple[str, str], ...]:
    lines = [("Program", f"timbre-diagnose {VERSION}"), ("Limits", options.profile or "the built-in profile")]
    return (("Command", options.command), *lines) if options.command else tuple(lines)
