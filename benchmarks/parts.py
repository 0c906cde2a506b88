"""A benchmark in parts: its command line, the cases that are drawn, measured in several processes, and what is kept."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable  # noqa: TC003 - msgspec reads the types
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
import numpy as np
import reliability
import soundfile
import soxr
import timeline_cases as cases
from timeline_report import GROUPS

import diagnose
from diagnose.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

REPORTS = Path(__file__).resolve().parents[1] / "reports"


class Benchmark(msgspec.Struct, frozen=True):
    """A benchmark: its parts, the cases of a part for the names of sounds, the outcome of a case, and its figures.

    report: name of the file below reports/.  at_once: cases that a process is given at a time.
    answered: whether all answers on the sounds that are not held out can be kept.
    """

    about: str
    report: str
    parts: tuple[str, ...]
    planned: Callable[[str, Sequence[str]], list[Any]]
    measured: Callable[[Any], Any]
    printed: Callable[[str, Any], str]
    targets: Callable[[str, Any], Sequence[Any]]
    facts: Callable[[str, Any], dict[str, object]]
    at_once: int
    answered: bool = False


def main(benchmark: Benchmark) -> NoReturn:
    """Measure, print, keep; exit status 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=benchmark.about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=(*benchmark.parts, "all"), default="all")
    parser.add_argument("--sounds", choices=GROUPS, default="all")
    parser.add_argument("--count", type=int, help="pairs of each part, drawn from all; nothing is then written")
    parser.add_argument("--jobs", type=int, help="processes; one a core unless given")
    parser.add_argument("--out", default=str(REPORTS / benchmark.report))
    if benchmark.answered:
        parser.add_argument(
            "--answers", metavar="FILE", help="where all answers on the tuned sounds are kept, a line each"
        )
    options = parser.parse_args()
    missed, kept = False, []
    for part in benchmark.parts if options.part == "all" else (options.part,):
        planned = benchmark.planned(part, cases.chosen(options.sounds))
        found = _run(benchmark, _sampled(planned, options.count), options.jobs)
        print(benchmark.printed(part, found), flush=True)
        kept += [each for each in found if benchmark.answered and not each.held_out]
        missed |= any(not target.met for target in benchmark.targets(part, found))
        if options.count is None:
            _keep(Path(options.out), part, options.sounds, benchmark.facts(part, found))
    if benchmark.answered:
        reliability.keep(options.answers, kept)
    sys.exit(missed)


def _run(benchmark: Benchmark, every: Sequence[Any], jobs: int | None) -> list[Any]:
    """All outcomes, in order."""
    if jobs == 1:
        return [benchmark.measured(case) for case in every]
    with ProcessPoolExecutor(jobs) as pool:
        found = []
        for outcome in pool.map(benchmark.measured, every, chunksize=benchmark.at_once):
            found.append(outcome)
            print(f"\r{len(found)} of {len(every)} pairs", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return found


def _sampled(every: list[Any], count: int | None) -> list[Any]:
    """At most count of the cases, the same ones each time, in their order."""
    if count is None or count >= len(every):
        return every
    picked = cases.seeded("sample").choice(len(every), count, replace=False)
    return [every[index] for index in sorted(picked)]


def _keep(path: Path, part: str, sounds: str, found: dict[str, object]) -> None:
    """The part's figures into the file, beside those of the other parts."""
    before = json.loads(path.read_text()) if path.is_file() else {}
    versions = {"diagnose": diagnose.__version__, "python": platform.python_version(), "numpy": np.__version__}
    versions |= {"soxr": soxr.__version__, "libsndfile": soundfile.__libsndfile_version__}
    date = datetime.now(UTC).date().isoformat()
    found = {"date": date, "versions": versions, "sounds_chosen": sounds, **found}
    path.parent.mkdir(exist_ok=True)
    write_whole(
        path, (json.dumps({**before, part: found}, indent=1, default=lambda number: number.item()) + "\n").encode()
    )
