"""The page of a run: progress, mels, sounds, and the metrics over the epochs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from diagnose.render import draw
from diagnose.render.page import page_environment
from diagnose.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tnca.training.run import Row, Run

WIDTH, HEIGHT = 400, 110
LATEST = 4
CURVES = (
    ("loss", "Loss"),
    ("mel_error_db", "Error of the mel, dB"),
    ("rms_ratio", "RMS ratio"),
    ("centroid_ratio", "Centroid ratio"),
    ("band_4096_8192_db", "4 to 8 kHz, dB"),
    ("log_spectral_distance_db", "Log-spectral distance, dB"),
)
COLUMNS = (
    "epoch",
    "mel_error_db",
    "mel_error_high_db",
    "mel_error_end_db",
    "rms_ratio",
    "centroid_ratio",
    "band_4096_8192_db",
    "edge_right_db",
    "verdict",
    "causes",
)


def to_html(run: Run, running: bool) -> str:
    """index.html; the pictures and sounds it shows lie beside it.  It loads itself again while the run goes on."""
    drawn = [curve for name, label in CURVES if (curve := _curve(run.rows, name, label))]
    return (
        page_environment("tnca", styles=("look.css", "run.css"), shown="'self' file: data:")
        .get_template("run.html")
        .render(
            name=printable(os.path.basename(os.path.realpath(run.folder or "."))),
            sound=printable(run.target.sound.name),
            run=run,
            running=running,
            left=_left(run) if running else "",
            latest=[f"epoch_{row['epoch']:04d}" for row in run.rows[-LATEST:]][::-1],
            columns=COLUMNS,
            rows=[*run.rows[::-1], _round_trip(run)],
            curves=drawn,
            size=(WIDTH, HEIGHT),
        )
    )


def _round_trip(run: Run) -> Row:
    """The last row: what the looks are held against."""
    judged = run.ceiling[1]
    return {"epoch": "round trip", **judged.figures, "verdict": judged.verdict, "causes": " ".join(judged.causes)}


def _left(run: Run) -> str:
    seconds = run.seconds / max(run.epoch, 1) * (run.config.epochs - run.epoch)
    return f"{seconds / 60:.0f} min left" if seconds > 90 else f"{seconds:.0f} s left"


def _curve(rows: list[Row], name: str, label: str) -> dict[str, Any] | None:
    """A figure over the epochs as an SVG path, with its extremes; None where it was never had."""
    points = figure(rows, name)
    found = curves([points])
    return found and {"label": label, "path": found["paths"][0], "now": points[-1][1], **found}


def figure(rows: Iterable[Row], name: str) -> list[tuple[float, float]]:
    """(epoch, value) of every look that has the figure."""
    return [(float(row["epoch"] or 0), float(row[name] or 0)) for row in rows if _is_number(row.get(name))]


def curves(lines: list[list[tuple[float, float]]]) -> dict[str, Any] | None:
    """Lines of (epoch, value) as SVG paths on one pair of axes, WIDTH x HEIGHT, with the extremes of both; None

    where there is no point.
    """
    points = [point for line in lines for point in line]
    if not points:
        return None
    low, high = min(y for _, y in points), max(y for _, y in points)
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    across, up = WIDTH / max(last - first, 1), (HEIGHT - 8) / ((high - low) or 1)
    paths = [draw.line_path([((x - first) * across, HEIGHT - 4 - (y - low) * up) for x, y in line]) for line in lines]
    return {"paths": paths, "low": low, "high": high, "first": first, "last": last}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)
