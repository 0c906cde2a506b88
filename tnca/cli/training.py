"""tnca train: a run in a folder, watched, stopped and gone on with."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from diagnose.cli.shell import EXIT_INTERRUPTED

if TYPE_CHECKING:
    from tnca.run import Run
    from tnca.training import Listener

KERNELS = ("auto", "reference", "compiled", "native", "triton")  # tnca.kernels', which would load torch for --help
PRECISIONS = ("auto", "fp32", "bf16")
STOPS = (signal.SIGINT, signal.SIGTERM)  # Ctrl-C, and what a scheduler sends


@click.command()
@click.argument("audio")
@click.option("--out", metavar="DIR", required=True, help="Folder of the run, runs/NAME; made whole or not at all.")
@click.option("--preset", type=click.Choice(["first", "best"]), help="Settings to start from.  [default: best]")
@click.option("--config", metavar="F.toml", help="Settings laid over the preset's.")
@click.option("--epochs", type=click.IntRange(min=1), help="Epochs in all, instead of the preset's.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Of the first weights and of every draw.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--kernel",
    type=click.Choice(KERNELS),
    help="What computes the rollouts; auto takes the fastest that works here.  [default: auto]",
)
@click.option("--precision", type=click.Choice(PRECISIONS), help="Of the layers.  [default: auto]")
@click.option("--resume", is_flag=True, help="Go on with the run in --out, from its checkpoint, bit for bit on CPU.")
def train(
    audio: str,
    out: str,
    preset: str | None,
    config: str | None,
    epochs: int | None,
    seed: int | None,
    device: str,
    kernel: str | None,
    precision: str | None,
    resume: bool,
) -> None:
    """Learn to grow the mel spectrogram of AUDIO, a note of up to a minute.

    \b
    tnca train violin.wav --out runs/violin
    tnca train violin.wav --out runs/violin --resume
    tnca train violin.wav --out runs/first --preset first --epochs 500

    Writes checkpoint.pt, metrics.csv, a picture and a sound a look, and index.html, which follows the run.
    Ctrl-C finishes the epoch, saves and says how to go on.  Settings: tnca/presets/*.toml, and config.toml of a run.
    """
    from diagnose import audio as sounds
    from tnca import run as runs
    from tnca.config import read
    from tnca.training import start
    from tnca.training import train as go

    where = runs.device_of(device)
    sound = sounds.read(audio)
    if resume:
        if any(given is not None for given in (preset, config, seed)):
            raise click.UsageError(
                "--resume goes on with the run's own settings; only --epochs, --kernel and --precision can be changed"
            )
        run = runs.resumed(out, sound, where, _given(epochs=epochs, kernel=kernel, precision=precision))
    else:
        given = _given(epochs=epochs, seed=seed, kernel=kernel, precision=precision)
        run = start(sound, read(config, preset or "best", given), out, where)
    click.echo(f"kernel: {run.choice}", err=True)
    with _Stop() as stop, listener() as heard:
        go(run, heard, stop)
    if run.epoch < run.config.epochs and stop.asked:
        click.echo(f"tnca: stopped after epoch {run.epoch} of {run.config.epochs}; go on with", err=True)
        click.echo(f"  tnca train {_quoted(audio)} --out {_quoted(out)} --resume", err=True)
        sys.exit(EXIT_INTERRUPTED)
    click.echo(f"{out}: epoch {run.epoch}, best at {run.best['epoch']} by {run.config.watch.best}")
    click.echo(f"  hear it with  tnca generate {_quoted(out)} --out generated.wav")


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


def listener() -> Any:
    """A bar with losses and the time left where stderr is a terminal; a line a look where it is not."""
    return _Bar() if sys.stderr.isatty() else _Lines()


class _Lines:
    """A line a look, on stderr."""

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None: ...

    def epoch(self, run: Run, parts: dict[str, Any]) -> None: ...

    def looked(self, run: Run, found: Any) -> None:
        click.echo(_line(run, found.row, found.best), err=True)


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
        self.bar.console.print(_line(run, found.row, found.best), highlight=False, markup=False)


def _line(run: Run, row: dict[str, Any], best: bool) -> str:
    figures = [f"epoch {row['epoch']}/{run.config.epochs}", f"loss {row['loss']:.4g}"]
    figures += [f"mel error {row['mel_error_db']:.2f} dB"]
    if row["rms_ratio"] is not None:
        figures += [f"rms x{row['rms_ratio']:.2f}"]
    if row["centroid_ratio"] is not None:
        figures += [f"centroid x{row['centroid_ratio']:.2f}"]
    figures += [f"{row['verdict']} {row['causes']}".strip()]
    return "  ".join(figures) + ("  *" if best else "")
