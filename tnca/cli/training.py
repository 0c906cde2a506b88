"""tnca train: train a run in a directory; show, stop and resume it."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from diagnose.cli.shell import EXIT_INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tnca.training.loop import Listener
    from tnca.training.run import Run

KERNELS = ("auto", "reference", "compiled", "native", "triton")  # tnca.kernels', which would load torch for --help
PRECISIONS = ("auto", "fp32", "bf16")
STOPS = (signal.SIGINT, signal.SIGTERM)  # Ctrl-C, and what a scheduler sends


@click.command()
@click.argument("audio", nargs=-1, required=True)
@click.option("--out", metavar="DIR", required=True, help="Directory of the run, e.g. runs/NAME.")
@click.option("--preset", type=click.Choice(["first", "best"]), help="Base settings.  [default: best]")
@click.option("--config", metavar="F.toml", help="Settings that override the preset.")
@click.option("--epochs", type=click.IntRange(min=1), help="Total number of epochs.  [default: the preset's]")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of the weights and of all random numbers.")
@click.option("--seeds", type=click.IntRange(1, 1024), default=1, help="Number of runs of each note, trained at once.")
@click.option("--device", default="auto", show_default=True, help="Device: auto, cpu, cuda or cuda:N.")
@click.option(
    "--kernel",
    type=click.Choice(KERNELS),
    help="Kernel of the rollouts; auto is the fastest that works here.  [default: auto]",
)
@click.option("--precision", type=click.Choice(PRECISIONS), help="Precision of the layers.  [default: auto]")
@click.option("--resume", is_flag=True, help="Continue the run in --out from its checkpoint; exact on a CPU.")
def train(
    audio: tuple[str, ...],
    out: str,
    preset: str | None,
    config: str | None,
    epochs: int | None,
    seed: int | None,
    seeds: int,
    device: str,
    kernel: str | None,
    precision: str | None,
    resume: bool,
) -> None:
    """Train an automaton to grow the mel spectrogram of AUDIO.

    \b
    tnca train violin.wav --out runs/violin
    tnca train violin.wav --out runs/violin --resume
    tnca train violin.wav --out runs/first --preset first --epochs 500
    tnca train a.wav b.wav --out runs/both --seeds 4      eight runs: runs/both/a-0, ..., runs/both/b-3

    AUDIO is a note of up to a minute.  Several notes of equal length, and several seeds of each, are trained in one
    rollout, which is efficient on a GPU.  Writes
    checkpoint.pt, metrics.csv, index.html, which shows the progress, and a picture and a sound per look.  Ctrl-C
    finishes the epoch, saves, and shows the command that continues the run.  For the settings see
    tnca/presets/*.toml and the config.toml of a run.

    Exit codes: 0 all epochs done; 2 wrong usage or unreadable input; 130 interrupted.
    """
    from tnca.training.loop import train_together
    from tnca.training.run import device_of

    if resume and any(given is not None for given in (preset, config, seed)):
        raise click.UsageError(
            "--resume uses the settings of the run; only --epochs, --kernel and --precision can be changed"
        )
    given = _given(epochs=epochs, seed=seed, kernel=kernel, precision=precision)
    where = device_of(device)
    planned = list(_planned(audio, out, seeds))
    begin = _resumed if resume else partial(_started, preset or "best", config)
    runs = _all_or_none(lambda each: begin(each, given, where), planned, keep=resume)
    click.echo(f"kernel: {runs[0].choice}", err=True)
    with _Stop() as stop, listener(len(runs)) as heard:
        train_together(runs, heard, stop)
    if any(run.epoch < run.config.epochs for run in runs) and stop.asked:
        epoch = min(run.epoch for run in runs)
        click.echo(f"tnca: stopped after epoch {epoch} of {runs[0].config.epochs}; continue with", err=True)
        many = f" --seeds {seeds}" if seeds > 1 else ""
        click.echo(f"  tnca train {' '.join(map(_quoted, audio))} --out {_quoted(out)}{many} --resume", err=True)
        sys.exit(EXIT_INTERRUPTED)
    for run in runs:
        click.echo(f"{run.folder}: epoch {run.epoch}, best at {run.best['epoch']} by {run.config.watch.best}")
        click.echo(f"  generate the sound with  tnca generate {_quoted(run.folder or out)} --out generated.wav")


def _all_or_none(begin: Callable[[_Planned], Run], planned: list[_Planned], *, keep: bool) -> list[Run]:
    """The runs; where one cannot be, the folders of those before it go again, unless they are kept."""
    from tnca.training.loop import check_alike

    runs: list[Run] = []
    try:
        for each in planned:
            runs.append(begin(each))  # noqa: PERF401 -- those that were begun are known when one fails
        check_alike(runs)
    except BaseException:  # Ctrl-C too
        for run in () if keep else runs:
            shutil.rmtree(run.folder or "", ignore_errors=True)
        raise
    return runs


class _Planned(NamedTuple):
    """A run to be: its note, its folder, and how many seeds after the first its seed is."""

    audio: str
    folder: str
    later: int


def _planned(audio: tuple[str, ...], out: str, seeds: int) -> Iterator[_Planned]:
    """One run lives in `out` itself; several in folders of it, by note and by seed."""
    if len(audio) == 1 and seeds == 1:
        yield _Planned(audio[0], out, 0)
        return
    stems = [os.path.splitext(os.path.basename(each))[0] for each in audio]
    twice = next((stem for stem in stems if stems.count(stem) > 1), None)
    if twice is not None:
        raise click.UsageError(
            f"two notes are named {twice}, and so are their runs; rename one, or train them separately"
        )
    for note, stem in zip(audio, stems, strict=True):
        for later in range(seeds):
            yield _Planned(note, os.path.join(out, f"{stem}-{later}" if seeds > 1 else stem), later)


def _started(preset: str, config: str | None, planned: _Planned, given: dict[str, Any], device: Any) -> Run:
    import msgspec

    from diagnose import audio as sounds
    from tnca.config import read
    from tnca.training.loop import start

    settings = read(config, preset, given)
    seeded = msgspec.structs.replace(settings, seed=(settings.seed + planned.later) % 2**63)
    return start(sounds.read(planned.audio), seeded, planned.folder, device)


def _resumed(planned: _Planned, given: dict[str, Any], device: Any) -> Run:
    from diagnose import audio as sounds
    from tnca.training.run import resumed

    return resumed(planned.folder, sounds.read(planned.audio), device, given)


def _given(**settings: int | str | None) -> dict[str, Any]:
    """The table of a configuration that holds what was given on the command line."""
    table: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    compute = {name: table.pop(name) for name in ("kernel", "precision") if name in table}
    return {**table, "compute": compute} if compute else table


def _quoted(text: str) -> str:
    from shlex import quote

    return quote(f"./{text}" if text.startswith("-") else text)


class _Stop:
    """True once Ctrl-C was pressed; a second Ctrl-C does not wait for the end of the epoch."""

    asked = False

    def __call__(self) -> bool:
        return self.asked

    def __enter__(self) -> _Stop:
        self.before = {number: signal.signal(number, lambda *_: self._ask()) for number in STOPS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _ask(self) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def listener(runs: int = 1) -> Any:
    """A bar with losses and the time left where stderr is a terminal; a line a look where it is not."""
    return _Bar(runs > 1) if sys.stderr.isatty() else _Lines(runs > 1)


class _Lines:
    """A line a look, on stderr.  named: with the run's name before it."""

    def __init__(self, named: bool = False) -> None:
        self.named = named

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None: ...

    def epoch(self, run: Run, parts: dict[str, Any]) -> None: ...

    def looked(self, run: Run, found: Any) -> None:
        click.echo(self.line(run, found), err=True)

    def line(self, run: Run, found: Any) -> str:
        name = f"{os.path.basename(run.folder or '')}  " if self.named else ""
        return name + _line(run, found.row, found.best)


class _Bar(_Lines):
    """A bar over the epochs; what a look found is printed above it."""

    def __enter__(self) -> Listener:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        text = TextColumn("{task.description}", markup=False)
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), text)
        self.bar = Progress(*columns, console=Console(stderr=True))
        self.bar.__enter__()
        self.task = self.bar.add_task("", total=None)
        return self

    def __exit__(self, *error: Any) -> None:
        self.bar.__exit__(*error)

    def epoch(self, run: Run, parts: dict[str, Any]) -> None:
        said = None
        if run.device.type == "cpu" or run.epoch % 20 == 0:  # reading a number makes a GPU wait
            said = "  ".join(f"{name} {float(value):.4g}" for name, value in parts.items())
        self.bar.update(self.task, completed=run.epoch, total=run.config.epochs, description=said)

    def looked(self, run: Run, found: Any) -> None:
        self.bar.console.print(self.line(run, found), highlight=False, markup=False)


def _line(run: Run, row: dict[str, Any], best: bool) -> str:
    figures = [f"epoch {row['epoch']}/{run.config.epochs}", f"loss {row['loss']:.4g}"]
    figures += [f"mel error {row['mel_error_db']:.2f} dB"]
    if row["rms_ratio"] is not None:
        figures += [f"rms x{row['rms_ratio']:.2f}"]
    if row["centroid_ratio"] is not None:
        figures += [f"centroid x{row['centroid_ratio']:.2f}"]
    figures += [f"{row['verdict']} {row['causes']}".strip()]
    return "  ".join(figures) + ("  *" if best else "")
