"""HTML reports of the worst failed pairs, up to a limit in bytes."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from typing import TYPE_CHECKING

from diagnose.batch.pool import WorkerLost
from diagnose.errors import InputError
from diagnose.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from diagnose.batch.manifest import PairPaths, Source
    from diagnose.batch.pool import Page, Pool

FOLDER = "pages"
LONGEST_NAME = 80


def write_pages(source: Source, out: str, failed: Sequence[int], pool: Pool, budget: int) -> dict[int, str]:
    """{row: path below out} of the pages that were made, for failed rows, worst first, until the next would not fit.

    Pages of an earlier try are taken away first.  A pair that takes its process down has none.
    """
    folder = os.path.join(out, FOLDER)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
    if not failed or budget <= 0:
        return {}
    try:
        os.makedirs(folder)
    except OSError as error:
        raise InputError(f"{folder}: cannot create the directory ({error.strerror})") from None
    wanted = set(failed)
    pairs = {pair.row: pair for pair in source.pairs() if pair.row in wanted}
    made: dict[int, str] = {}
    for row, page in _pages([pairs[row] for row in failed], pool):
        if page is None:
            continue
        budget -= len(page)
        if budget < 0:
            break
        made[row] = f"{FOLDER}/{page_name(pairs[row])}"
        write_whole(os.path.join(out, made[row]), page)
    return made


def _pages(pairs: Sequence[PairPaths], pool: Pool) -> Iterator[Page]:
    """(row, HTML) in the order of pairs; a few at a time, so that none is made long after the budget is used."""
    size = 4 * pool.jobs
    for first in range(0, len(pairs), size):
        part = pairs[first : first + size]
        pages: dict[int, bytes | None] = {}
        with contextlib.suppress(WorkerLost):
            pages.update(pool.pages(part))
        yield from ((pair.row, pages.get(pair.row)) for pair in part)


def page_name(pair: PairPaths) -> str:
    """<row>-<id>.html; of the id only what every file system and every URL takes as it is."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", pair.id).strip("._")[-LONGEST_NAME:]
    return f"{pair.row}-{name}.html" if name else f"{pair.row}.html"
