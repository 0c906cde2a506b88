"""tnca fixes: apply and measure every known fix."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from diagnose.cli.output import check_outputs, make_folder, with_progress, write
from diagnose.cli.shell import EXIT_INTERRUPTED
from tnca.cli.sound import VOCODER

if TYPE_CHECKING:
    from diagnose.audio import Audio
    from tnca.fixes.study import Study

EXIT_FAIL = 1
EPOCHS, QUICK_EPOCHS = 90, 24
STYLES = {"came true": "green", "no effect": "", "made it worse": "red"}


@click.command()
@click.argument("audio", required=False)
@click.option("--out", metavar="DIR", default="fixes", show_default=True, help="Directory of report and trainings.")
@click.option("--only", multiple=True, metavar="NAME,...", help="Measure only these fixes.")
@click.option("--epochs", type=click.IntRange(1, 10**6), help=f"Epochs of a training.  [default: {EPOCHS}]")
@click.option("--seeds", type=click.IntRange(2, 100), default=3, show_default=True, help="Trainings per side.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Trainings at once.  [default: one per core]")
@click.option("--quick", is_flag=True, help=f"For CI: a grid of 20 bands, 16 steps, {QUICK_EPOCHS} epochs.")
@click.option("--vocoder", default="griffinlim", show_default=True, help=f"Vocoder of the round trips: {VOCODER}")
@click.option("--no-sound", is_flag=True, help="Write the page without players, for a sound you must not publish.")
@click.option("--golden", metavar="DIR", help="Compare each fix with its threshold in DIR.")
@click.option("--record", is_flag=True, help="Write the thresholds that are missing in --golden DIR.")
@click.option("--json", "json_file", metavar="FILE", help="Also write the JSON to FILE, or - for stdout.")
@click.option("--list", "listed", is_flag=True, help="List the fixes and exit.")
def fixes(
    audio: str | None,
    out: str,
    only: tuple[str, ...],
    epochs: int | None,
    seeds: int,
    jobs: int | None,
    quick: bool,
    vocoder: str,
    no_sound: bool,
    golden: str | None,
    record: bool,
    json_file: str | None,
    listed: bool,
) -> None:
    """Measure every known fix of the pipeline on AUDIO.

    \b
    tnca fixes violin.wav --out fixes                    about an hour on two cores
    tnca fixes violin.wav --only unmasked-loss,circular-padding
    tnca fixes --quick                                   two minutes, on a string note of the package
    tnca fixes --list                                    what each fix claims, and the source of the claim
    tnca fixes --quick --golden tests/golden/fixes       in CI

    Each fix is applied in trainings or round trips without and with it, from the same seeds.  Writes DIR/fixes.html
    and DIR/fixes.json.  The trainings are saved in DIR/work: the same command continues a run that was stopped.  The
    fixes and their claims are in tnca/fixes/catalogue.toml.

    Exit codes: 0 measured; 1 a fix is below its threshold (with --golden); 130 interrupted.
    """
    if record and golden is None:
        raise click.UsageError("--record needs --golden DIR")
    names = tuple(name for each in only for name in each.split(","))
    if not all(names):
        raise click.UsageError(f"--only {','.join(names)}: a name is empty")
    page, table = (os.path.join(out, f"fixes.{kind}") for kind in ("html", "json"))
    check_outputs({"out": table, "out ": page, "json": json_file}, *([audio] if audio else []))
    from tnca.fixes import golden as thresholds
    from tnca.fixes.catalogue import fixes as known
    from tnca.fixes.page import to_html
    from tnca.fixes.study import Scale, as_dict, study

    chosen = known(names)
    if listed:
        click.echo("\n".join(f"{fix.name}  ({fix.claim})\n    {fix.says}" for fix in chosen))
        return
    held = None if golden is None or record else thresholds.read(golden, (fix.name for fix in chosen))
    scale = Scale(epochs or (QUICK_EPOCHS if quick else EPOCHS), seeds, quick)
    sound = _sound(audio, quick)
    voice = _voice(vocoder)
    make_folder(out)
    if golden is not None and record:
        make_folder(golden)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a scheduler's stop is a Ctrl-C
    try:
        found = with_progress(
            lambda tell: study(
                sound,
                chosen,
                voice,
                out,
                scale,
                jobs=jobs or _cores(),
                planned=lambda done, whole: (tell or _line)(done, whole, "trainings"),
            )
        )
    except KeyboardInterrupt:
        click.echo("tnca: interrupted; the same command continues the run", err=True)
        sys.exit(EXIT_INTERRUPTED)
    write(page, to_html(found, players=not no_sound))
    text = _json(as_dict(found))
    write(table, text)
    if json_file is not None:
        write(json_file, text)
    if json_file != "-":
        _print(found)
        click.echo(f"\nEach fix with pictures, sounds and curves: {page}")
    if golden is not None and record:
        written = thresholds.record(found, golden)
        kept = len(chosen) - len(written)
        click.echo(f"{golden}: {len(written)} thresholds written, {kept} existing unchanged", err=True)
    if held is not None:
        _fail(thresholds.check(found, held), len(held))


def _line(done: int, whole: int, what: str) -> None:
    """Progress without a terminal."""
    click.echo(f"{done} of {whole} {what}", err=True)


def _sound(audio: str | None, quick: bool) -> Audio:
    from diagnose import audio as sounds
    from diagnose.example import bowed_string
    from tnca.demo import F0_HZ

    return sounds.read(audio) if audio is not None else bowed_string(f0_hz=F0_HZ, seconds=0.25 if quick else 0.5)


def _voice(name: str) -> Any:
    from diagnose.mel.contract import load
    from tnca.generation import vocoder_of

    return vocoder_of(name, load("bigvgan_base_22khz_80band"))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _json(table: dict[str, Any]) -> str:
    import json

    return json.dumps(table, indent=2, allow_nan=False) + "\n"


def _print(found: Study) -> None:
    """A line a fix: what was claimed, by whom, and what came of it."""
    from rich.table import Table
    from rich.text import Text

    from diagnose.render.layout import print_parts
    from tnca.fixes.page import number

    table = Table(box=None, pad_edge=False)
    for name, justify in (("fix", "left"), ("metric", "left"), ("without", "right"), ("with", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("verdict")
    table.add_column("decides")
    for each in found.fixes:
        verdict = each.verdict
        numbers = (number(value) for value in (verdict.broken, verdict.fixed))
        word = Text(verdict.word, style=STYLES[verdict.word])
        table.add_row(each.fix.name, each.fix.prediction.metric, *numbers, word, verdict.says)
    print_parts([table])


def _fail(lines: list[str], count: int) -> None:
    """Exit 1 if there is any; count: of the fixes that were held against their thresholds."""
    for line in lines:
        click.echo(f"FAIL {line}", err=True)
    failed = len({line.partition(":")[0] for line in lines})
    click.echo(f"{count - failed} of {count} fixes reach their thresholds", err=True)
    if lines:
        sys.exit(EXIT_FAIL)
