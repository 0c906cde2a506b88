"""diagnose image: a spectrogram in a training picture."""

from __future__ import annotations

import click

from diagnose.cli.output import check_outputs, outputs, write


@click.command()
@click.argument("picture")
@click.option("--fmax", type=float, metavar="HZ", help="Frequency of the highest band, instead of the labels'.")
@click.option(
    "--db-range",
    type=float,
    nargs=2,
    metavar="LOW HIGH",
    help="Levels at the ends of the colour bar, instead of its labels'.",
)
@click.option("--seconds", type=float, metavar="S", help="Length of the whole, instead of the labels'.")
@click.option("--out", metavar="OUT.npy", help="Write the levels in dB (bands x frames, low ones first) to OUT.npy.")
@outputs("json")
def image(
    picture: str,
    fmax: float | None,
    db_range: tuple[float, float] | None,
    seconds: float | None,
    out: str | None,
    **targets: str | None,
) -> None:
    """Read the spectrogram out of PICTURE, as librosa.display.specshow and plt.colorbar draw it.

    \b
    diagnose image epoch_5000.png
    diagnose image epoch_5000.png --fmax 11025 --out levels.npy --json - | jq .edges

    Shows the energy by band over time, bands with next to nothing in them, and bright bands at the left and right
    edge.  Levels, frequencies and times come from the labels of the colour bar and the axes; where those cannot be
    read it says which option is needed.
    """
    if out == "-":
        raise click.UsageError("--out -: an array goes to a file only")
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
