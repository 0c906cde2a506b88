"""Output: files written atomically, stdout for the name -, a progress bar, the exit code."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import click

from diagnose.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.progress import ProgressColumn, Task

    from diagnose.results.report import Report
    from diagnose.results.suite import Suite

EVERY_S = 10.0  # between two lines of progress in a log
T = TypeVar("T")


def outputs(*formats: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Options --json F, --html F, ... for the formats named; F is a file, or - for stdout."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for name in reversed(formats):
            option = click.option(f"--{name}", metavar="FILE", help=f"Write {name.upper()} to FILE, or - for stdout.")
            command = option(command)
        return command

    return add


def check_outputs(targets: dict[str, str | None], *inputs: str) -> None:
    """Refuse two outputs to one place, and an output that is also an input."""
    taken = {os.path.realpath(path): "is also an input; give another file" for path in inputs}
    for name, target in targets.items():
        if target is None:
            continue
        if not target:
            raise click.UsageError(f"--{name}: the file name is empty")
        place = target if target == "-" else os.path.realpath(target)
        if place in taken:
            raise click.UsageError(f"--{name} {target}: {taken[place]}")
        if place == "-" or os.path.isfile(place) or not os.path.exists(place):
            taken[place] = "only one output can go to stdout (-)" if place == "-" else "is also another output"


def write_report(report: Report, targets: dict[str, str | None]) -> None:
    for name, target in targets.items():
        if target is not None:
            write(target, _rendered(report, name))


def _rendered(report: Report, form: str) -> str:
    if form == "json":
        from diagnose.render.json import to_json

        return to_json(report)
    if form == "html":
        from diagnose.render.html import to_html

        return to_html(report)
    from diagnose.render.phrases import as_suite

    return _rendered_suite(as_suite(report), form)


def _rendered_suite(suite: Suite, form: str) -> str:
    if form == "junit":
        from diagnose.render.junit import to_junit

        return to_junit(suite)
    if form == "github":
        from diagnose.render.github import to_github

        return to_github(suite)
    from diagnose.render.markdown import to_markdown

    return to_markdown(suite)


def write_suite(suite: Suite, targets: dict[str, str | None], sections: Mapping[str, str] | None = None) -> None:
    """sections: of the cases that failed, for HTML (render/failures.py)."""
    for name, target in targets.items():
        if target is None:
            continue
        if name == "html":
            from diagnose.render.failures import to_html

            write(target, to_html(suite, sections or {}))
        else:
            write(target, _rendered_suite(suite, name))


def check_sound(option: str, target: str | None) -> None:
    """Refuse a name for a sound that says another format than WAV, which is written."""
    suffix = os.path.splitext(target or "")[1]
    if suffix.lower() not in ("", ".wav"):
        raise click.UsageError(f"--{option} {target}: WAV is written; give a name that ends in .wav, not in {suffix}")


def write_repaired(target: str, report: Report) -> None:
    """The repaired sound as WAV; where nothing was undone, no file but a line on stderr."""
    if report.repaired is None:
        click.echo("nothing to repair", err=True)
        return
    from diagnose.audio import encode, lossless_subtype

    write_bytes(target, encode(report.repaired, "WAV", lossless_subtype(report.repaired)))


def write(target: str, text: str) -> None:
    write_bytes(target, text.encode("utf-8", "backslashreplace"))


def write_bytes(target: str, data: bytes) -> None:
    if target == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    from diagnose.files import write_whole

    write_whole(target, data)


def make_folder(path: str) -> None:
    try:
        os.makedirs(path, exist_ok=True)
    except FileExistsError:
        raise InputError(f"{path}: is not a directory; give another path") from None
    except OSError as error:
        raise InputError(f"{path}: cannot create the directory ({error.strerror})") from None


def finish(verdict: str) -> None:
    from diagnose.render.phrases import EXIT_CODES

    sys.exit(EXIT_CODES[verdict])


Progress: TypeAlias = "Callable[[int, int, str], None]"


def with_progress(work: Callable[[Progress | None], T], unit: str | None = None) -> T:
    """work(progress) with a bar on stderr, where that is a terminal; it is gone when the work is done.

    unit: what is counted, for work that may take hours: the rate is shown, and without a terminal a line every 10 s.
    """
    if not sys.stderr.isatty():
        return work(_plain_progress(unit) if unit else None)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = [BarColumn(), MofNCompleteColumn(), *([_rate_column(unit)] if unit else []), TimeRemainingColumn()]
    with Bar(*columns, _words_column(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        return work(lambda done, total, what: bar.update(task, completed=done, total=total, description=what))


def _words_column() -> ProgressColumn:
    from rich.progress import ProgressColumn
    from rich.text import Text

    from diagnose.text import printable

    class Words(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(printable(task.description))

    return Words()


def _rate_column(unit: str) -> ProgressColumn:
    from rich.progress import ProgressColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.1f} {unit}/s" if task.speed else "")

    return Rate()


def _plain_progress(unit: str) -> Progress:
    """A line on stderr every 10 s, the first after 10 s: done, rate since the first call, time left."""
    started: list[tuple[float, int]] = []
    said: list[float] = []

    def progress(done: int, total: int, _: str) -> None:
        now = time.monotonic()
        if not started:
            started.append((now, done))
            said.append(now)
        if now - said[-1] < EVERY_S:
            return
        said[:] = [now]
        begin, before = started[0]
        rate = (done - before) / (now - begin)
        left = f", {_duration((total - done) / rate)} left" if rate else ""
        click.echo(f"{done:,} of {total:,} {unit}, {rate:.1f} {unit}/s{left}", err=True)

    return progress


def _duration(seconds: float) -> str:
    """90 -> 1 min 30 s; 7500 -> 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
