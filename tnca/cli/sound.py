"""tnca generate, roundtrip, demo: from a mel to a sound, and a comparison with the reference."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from diagnose.cli.output import check_outputs, make_folder, write

if TYPE_CHECKING:
    from tnca.generation import Generated, Phase
    from tnca.judge import Judged

VOCODER = "griffinlim, bigvgan:DIR or bigvgan:HUB/ID."


@click.command()
@click.argument("run")
@click.option("--out", metavar="WAV", required=True, help="Output file: .wav, .flac or .ogg.")
@click.option("--vocoder", default="griffinlim", show_default=True, help=VOCODER)
@click.option("--steps", type=click.IntRange(min=1), help="Number of steps.  [default: the run's]")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, help="Seed, if fire_rate is below 1.")
@click.option(
    "--phase",
    type=click.Choice(["none", "target", "frequency"]),
    default="none",
    show_default=True,
    help="Initial phases of Griffin-Lim: none, those of the target, or only their frequencies.",
)
@click.option("--device", default="cpu", show_default=True, help="Device: auto, cpu, cuda or cuda:N.")
@click.option("--json", "json_file", metavar="FILE", help="Write the metrics as JSON to FILE, or - for stdout.")
def generate(
    run: str,
    out: str,
    vocoder: str,
    steps: int | None,
    seed: int,
    phase: Phase,
    device: str,
    json_file: str | None,
) -> None:
    """Generate the sound of the trained run in directory RUN.

    \b
    tnca generate runs/violin --out gen.wav
    tnca generate runs/violin --vocoder bigvgan:models/bigvgan_base_22khz_80band --out gen.wav
    diagnose compare runs/violin/reference_in_band.wav gen.wav

    Each metric is shown beside that of the round trip: the mel of the reference through the same vocoder.

    Exit codes: 0 done; 1 the contract of the mel does not match the vocoder.
    """
    from diagnose import audio as sounds
    from tnca.generation import generate as go
    from tnca.generation import vocoder_of
    from tnca.training import run as runs

    check_outputs({"out": out, "json": json_file}, *runs.files(run))
    where = runs.device_of(device)
    opened = runs.opened(run, where)
    made = go(opened, vocoder_of(vocoder, opened.target.contract, str(where)), steps=steps, phase=phase, seed=seed)
    sounds.write(out, made.sound)
    _say(made, json_file)


def _say(made: Generated, json_file: str | None) -> None:
    columns = {"grown": made.judged, "round trip": made.ceiling}
    if made.without_phase is not None:
        columns["without phase"] = made.without_phase
    if json_file is not None:
        figures = {name.replace(" ", "_"): _as_dict(judged) for name, judged in columns.items()}
        write(json_file, json.dumps({"schema": "tnca.generated/1", **made.errors_db, **figures}, indent=2) + "\n")
    if json_file != "-":
        errors = {"all": "mel_error_db", "above 4 kHz": "mel_error_high_db", "last 6 frames": "mel_error_end_db"}
        said = [f"{made.errors_db[key]:.2f} dB {name}" for name, key in errors.items() if key in made.errors_db]
        click.echo(f"mel error: {', '.join(said)}")
        print_figures(columns)


def print_figures(columns: dict[str, Judged]) -> None:
    """The figures of several sounds against one reference, side by side."""
    from rich.table import Table

    from diagnose.render.layout import print_parts

    table = Table(box=None, pad_edge=False)
    table.add_column("figure")
    for name in columns:
        table.add_column(name, justify="right")
    first = next(iter(columns.values()))
    for figure in first.figures:
        values = [judged.figures[figure] for judged in columns.values()]
        table.add_row(figure, *("" if value is None else f"{value:.3f}" for value in values))
    table.add_row("causes", *(", ".join(judged.causes) or "none" for judged in columns.values()))
    print_parts([table])


def _round_trip(judged: Judged) -> str:
    figures = ", ".join(f"{name} {value:.3f}" for name, value in judged.figures.items() if value is not None)
    causes = ", ".join(judged.causes) or "none"
    return f"round trip, the mel of the reference through the same vocoder: {figures}; causes: {causes}"


def _as_dict(judged: Judged) -> dict[str, Any]:
    return {**judged.figures, "causes": list(judged.causes), "verdict": judged.verdict}


@click.command()
@click.argument("audio")
@click.option("--out", metavar="WAV", required=True, help="Output file: .wav, .flac or .ogg.")
@click.option("--vocoder", default="griffinlim", show_default=True, help=VOCODER)
@click.option(
    "--contract",
    help="Contract of the mel: see `diagnose contracts`.  [default: bigvgan_base_22khz_80band, or the network's]",
)
@click.option("--device", default="cpu", show_default=True, help="Device: auto, cpu, cuda or cuda:N.")
def roundtrip(audio: str, out: str, vocoder: str, contract: str | None, device: str) -> None:
    """Convert AUDIO to a mel and back with a vocoder.

    \b
    tnca roundtrip violin.wav --out trip.wav
    tnca roundtrip violin.wav --vocoder bigvgan:models/bigvgan_base_22khz_80band --out trip.wav

    The result is the best that a model in front of this vocoder can reach.

    Exit codes: 0 done; 1 the contract of the mel does not match the vocoder.
    """
    check_outputs({"out": out}, audio)
    from diagnose import audio as sounds
    from diagnose.mel.contract import load
    from tnca.config import Target as Settings
    from tnca.generation import vocoder_of
    from tnca.judge import ceiling
    from tnca.target import target_of
    from tnca.training.run import device_of

    voice = vocoder_of(vocoder, load(contract or "bigvgan_base_22khz_80band"), str(device_of(device)))
    target = target_of(sounds.read(audio), Settings(contract or voice.contract))
    sound, judged = ceiling(target, voice)
    sounds.write(out, sound)
    print_figures({"round trip": judged})


@click.command()
@click.option("--out", metavar="DIR", default="tnca-demo", show_default=True, help="Output directory.")
def demo(out: str) -> None:
    """Grow a string note with the trained automaton of the package.

    \b
    tnca demo --out /tmp/demo

    Writes reference.wav, grown.wav and report.html, and compares the two.  Takes seconds on a CPU.
    """
    import msgspec

    from diagnose import audio as sounds
    from diagnose.comparison import compare
    from diagnose.render.html import to_html
    from diagnose.render.terminal import print_report
    from tnca.demo import grown_string
    from tnca.judge import within_band

    made, target = grown_string()
    make_folder(out)
    paths = [os.path.join(out, name) for name in ("reference.wav", "grown.wav", "report.html")]
    sounds.write(paths[0], within_band(target))
    sounds.write(paths[1], made.sound)
    report = compare(paths[0], paths[1])
    report = msgspec.structs.replace(report, notes=(*report.notes, _round_trip(made.ceiling)))
    write(paths[2], to_html(report))
    print_report(report)
    click.echo()
    _say(made, None)
    click.echo(f"\nThe report with players and pictures is {paths[2]}")
