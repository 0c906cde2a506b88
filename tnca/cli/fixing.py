"""tnca fixes: every known fix, applied and measured."""

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
@click.option("--out", metavar="DIR", default="fixes", show_default=True, help="For the report and the trainings.")
@click.option("--only", multiple=True, metavar="NAME,...", help="These fixes, and no others.")
@click.option("--epochs", type=click.IntRange(1, 10**6), help=f"Of a training.  [default: {EPOCHS}]")
@click.option("--seeds", type=click.IntRange(2, 100), default=3, show_default=True, help="Trainings a side.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Trainings at once.  [default: one a core]")
@click.option("--quick", is_flag=True, help=f"A grid of 20 bands, 16 steps, {QUICK_EPOCHS} epochs: what CI can afford.")
@click.option("--vocoder", default="griffinlim", show_default=True, help=f"For the round trips: {VOCODER}")
@click.option("--no-sound", is_flag=True, help="A page without players, for a sound that may not be passed on.")
@click.option("--golden", metavar="DIR", help="Hold each fix against its threshold; exit 1 where one is not held.")
@click.option("--record", is_flag=True, help="Write the thresholds that --golden lacks, instead.")
@click.option("--json", "json_file", metavar="FILE", help="Write the JSON to FILE too, or - for stdout.")
@click.option("--list", "listed", is_flag=True, help="Say what the fixes are, and measure nothing.")
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
    """Apply every known fix to AUDIO's pipeline, without and with it from the same seeds, and say which came true.

    \b
    tnca fixes violin.wav --out fixes                    an hour or so on two cores
    tnca fixes violin.wav --only unmasked-loss,circular-padding
    tnca fixes --quick                                   two minutes, on a string note that comes with the package
    tnca fixes --list                                    what is claimed, and by whom
    tnca fixes --quick --golden tests/golden/fixes       in CI; a file that is deleted can be recorded anew

    Writes DIR/fixes.html and DIR/fixes.json; DIR/work keeps the trainings, so that the same command goes on where
    it was stopped.  The fixes and what was claimed for them: tnca/fixes/catalogue.toml.
    """
    if record and golden is None:
        raise click.UsageError("--record writes thresholds into --golden DIR")
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
        click.echo("tnca: stopped; the same command goes on where it was", err=True)
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
        click.echo(f"{golden}: {len(written)} written, {kept} that were there kept as they are", err=True)
    if held is not None:
        _fail(thresholds.check(found, held), len(held))


def _line(done: int, whole: int, what: str) -> None:
    """Where no bar can be drawn."""
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
    click.echo(f"{count - failed} of {count} fixes hold their thresholds", err=True)
    if lines:
        sys.exit(EXIT_FAIL)
