"""diagnose compare, diagnose demo: a pair of sounds."""

from __future__ import annotations

import os

import click

from diagnose.cli.output import (
    check_outputs,
    check_sound,
    finish,
    make_folder,
    outputs,
    with_progress,
    write_repaired,
    write_report,
)

LONG_BYTES = 20e6  # of both files, from which a comparison takes seconds: two minutes of stereo


@click.command()
@click.argument("reference")
@click.argument("generated")
@click.option("--profile", metavar="FILE", help="Read the limits from this TOML file, not from the built-in profile.")
@click.option(
    "--all", "every_metric", is_flag=True, help="Show every metric in the terminal, not only those over a limit."
)
@click.option(
    "--repair", metavar="FILE", help="Write GENERATED with what can be undone undone to FILE (WAV), or - for stdout."
)
@outputs("json", "html", "junit", "markdown")
def compare(
    reference: str,
    generated: str,
    profile: str | None,
    every_metric: bool,
    repair: str | None,
    **targets: str | None,
) -> None:
    """Compare the sound GENERATED with the sound REFERENCE.

    \b
    diagnose compare violin.wav generated.wav --html report.html
    diagnose compare violin.wav generated.wav --json - | jq .verdict
    diagnose compare violin.wav generated.wav --repair repaired.wav

    Both are audio files in any format that libsndfile reads: WAV, FLAC, Ogg, MP3, AIFF.

    Exit codes: 0 no metric FAILs; 1 a metric FAILs; 3 the two cannot be compared.
    """
    check_outputs({**targets, "repair": repair}, reference, generated)
    check_sound("repair", repair)
    import msgspec

    from diagnose.comparison import compare as run
    from diagnose.render.phrases import compare_command

    asked = repair is not None
    is_long = sum(os.path.getsize(path) for path in (reference, generated) if os.path.isfile(path)) > LONG_BYTES
    found = (
        with_progress(lambda progress: run(reference, generated, profile=profile, progress=progress, repair=asked))
        if is_long
        else run(reference, generated, profile=profile, repair=asked)
    )
    report = msgspec.structs.replace(found, command=compare_command(reference, generated, profile))
    if repair is not None:
        write_repaired(repair, report)
    write_report(report, targets)
    if "-" not in (repair, *targets.values()):
        from diagnose.render.terminal import print_report

        print_report(report, every_metric)
    finish(report.verdict)


@click.command()
@click.option(
    "--out", metavar="DIR", default="diagnose-demo", show_default=True, help="Output directory; created if missing."
)
def demo(out: str) -> None:
    """Compare a synthesised string with a broken copy of it.

    \b
    diagnose demo --out /tmp/demo

    The copy is what a vocoder makes of a mel in the wrong scale.  Writes reference.wav, generated.wav, report.html
    and report.json to DIR.  The exit code is 0, although the verdict is FAIL.
    """
    import msgspec

    from diagnose import audio, example
    from diagnose.comparison import compare as run
    from diagnose.render.phrases import compare_command
    from diagnose.render.terminal import print_report

    make_folder(out)
    paths = [os.path.join(out, name) for name in ("reference.wav", "generated.wav", "report.html", "report.json")]
    string = example.bowed_string()
    audio.write(paths[0], string)
    audio.write(paths[1], example.misfed_vocoder(string))
    report = msgspec.structs.replace(run(paths[0], paths[1]), command=compare_command(paths[0], paths[1]))
    write_report(report, {"html": paths[2], "json": paths[3]})
    print_report(report)
    click.echo(f"\nThe report with players and pictures is {paths[2]}")
