"""diagnose image: the spectrogram in a picture."""

from __future__ import annotations

import click

from diagnose.cli.output import check_outputs, outputs, write


@click.command()
@click.argument("picture")
@click.option("--fmax", type=float, metavar="HZ", help="Highest frequency, instead of the axis labels.")
@click.option(
    "--db-range",
    type=float,
    nargs=2,
    metavar="LOW HIGH",
    help="Levels in dB at the two ends of the colour bar, instead of its labels.",
)
@click.option("--seconds", type=float, metavar="S", help="Duration, instead of the axis labels.")
@click.option("--out", metavar="OUT.npy", help="Write the levels in dB to OUT.npy (bands x frames, low bands first).")
@outputs("json")
def image(
    picture: str,
    fmax: float | None,
    db_range: tuple[float, float] | None,
    seconds: float | None,
    out: str | None,
    **targets: str | None,
) -> None:
    """Read the spectrogram in PICTURE.

    \b
    diagnose image epoch_5000.png
    diagnose image epoch_5000.png --fmax 11025 --out levels.npy --json - | jq .edges

    PICTURE is a figure of librosa.display.specshow with plt.colorbar.  Shows the energy of the bands over time, empty
    bands, and bright bands at the left and right edge.  Levels, frequencies and times are read from the labels of
    the colour bar and the axes.  If they cannot be read, the message names the option to give.
    """
    if out == "-":
        raise click.UsageError("--out -: an array cannot be written to stdout; give a file")
    check_outputs({**targets, "out": out}, picture)
    from diagnose.picture import findings, read_picture

    read = read_picture(picture, fmax=fmax, db_range=db_range, seconds=seconds)
    found = findings(read)
    if out is not None:
        from diagnose.mel.array_file import write as write_array

        write_array(out, read.levels_db)
    if targets["json"] is not None:
        from diagnose.render.picture import to_json

        write(targets["json"], to_json(read, found))
    if targets["json"] != "-":
        from diagnose.render.picture import print_picture

        print_picture(read, found)
