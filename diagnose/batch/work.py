"""One pair -> its Row.  It does not depend on time or order, so a resumed run equals an uninterrupted one."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from diagnose.batch.manifest import PairPaths, storable
from diagnose.comparison import compare
from diagnose.errors import DiagnoseError
from diagnose.metrics import METRICS
from diagnose.render.phrases import headline
from diagnose.results.batch import Row

if TYPE_CHECKING:
    from diagnose.results.limit import Profile
    from diagnose.results.report import Report

DIGITS = 9  # as a golden: over float32, under what differs from one processor to the next
SEVEREST = 1e6  # a level on the ideal itself is passed infinitely far, which no JSON holds
LONGEST_ERROR = 1000
WATCH_S = 1.0


def row_of(pair: PairPaths, profile: Profile | None = None, folder: str = "") -> Row:
    """Compare one pair.  Whatever is wrong with it is an ERROR row: one bad file is not the end of a batch.

    folder: where relative names lie, for a process that works elsewhere; the row has the names as they are.
    """
    try:
        return _judged(pair, compare(*_places(pair, folder), profile=profile))
    except DiagnoseError as error:
        return error_row(pair, str(error))
    except Exception as error:  # noqa: BLE001 - a batch of a day does not end at one pair
        return error_row(pair, f"{type(error).__name__}: {error}")


def _places(pair: PairPaths, folder: str) -> tuple[str, str]:
    return os.path.join(folder, pair.reference), os.path.join(folder, pair.generated)


def error_row(pair: PairPaths, text: str) -> Row:
    """The row of a pair that could not be compared."""
    return Row(*_names(pair), "ERROR", error=storable(text)[:LONGEST_ERROR])


def _names(pair: PairPaths) -> tuple[int, str, str, str]:
    return pair.row, storable(pair.id), storable(pair.reference), storable(pair.generated)


def _judged(pair: PairPaths, report: Report) -> Row:
    worst = next(iter(report.worst_first), None)
    cause = report.causes[0] if report.causes else None
    changes = {row.name: row.change for row in report.metrics}
    return Row(
        *_names(pair),
        report.verdict,
        metric=worst.name if worst else None,
        severity=_rounded(min(worst.severity, SEVEREST)) or 0.0 if worst else 0.0,
        cause=cause.id if cause else None,
        confidence=_rounded(cause.confidence) if cause else None,
        summary=storable(headline(report)),
        error="no metric could be judged" if report.verdict == "ERROR" else None,
        changes=tuple(_rounded(changes[name]) for name in METRICS),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.{DIGITS}g}")


# --- in a local worker process -----------------------------------------------------------------------------


def page_of(pair: PairPaths, profile: Profile | None = None, folder: str = "") -> tuple[int, bytes | None]:
    """(row, its report as HTML), compared anew: a row keeps no sounds.  None where it cannot be compared any more."""
    from diagnose.render.html import to_html

    try:
        text = to_html(compare(*_places(pair, folder), profile=profile))
    except Exception:  # noqa: BLE001 - a page is an extra; its pair is in the results either way
        return pair.row, None
    return pair.row, text.encode("utf-8", "backslashreplace")


def local_row(pair: PairPaths, profile: Profile | None, parent: int) -> Row:
    """row_of in a process of this machine, which ends with its parent."""
    end_with(parent)
    return row_of(pair, profile)


def local_page(pair: PairPaths, profile: Profile | None, parent: int) -> tuple[int, bytes | None]:
    """page_of in a process of this machine, which ends with its parent."""
    end_with(parent)
    return page_of(pair, profile)


@lru_cache(maxsize=1)
def end_with(parent: int) -> None:
    """End this process soon after its parent has ended, and leave Ctrl-C to the parent.

    A parent killed with -9 cannot tell its workers; each would wait for work for minutes.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    os._exit(1)
