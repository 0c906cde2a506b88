"""A report in a notebook: its HTML, its table for pandas, its figure for matplotlib."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.errors import InputError
from diagnose.render import draw
from diagnose.render.mel_pair import DIFFERENCE_DB, RANGE_DB, frequency_ticks, mel_heights, mel_pair
from diagnose.render.page import pair_environment
from diagnose.render.phrases import headline, meaning, places
from diagnose.render.sounds import player
from diagnose.render.spectrograms import boxes
from diagnose.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from diagnose.analysis import Pair
    from diagnose.render.mel_pair import MelPair
    from diagnose.render.phrases import Place
    from diagnose.render.sounds import Player
    from diagnose.results.report import Report

MOST_ROWS = 8
MOST_PLACES = 6
MOST_CHARACTERS = 1_000_000  # of both players: a notebook keeps every output, and many notebooks are in git
MOST_SAMPLES = 2_000_000  # of which no FLAC is so small, silence aside
INCHES = (9.0, 8.0)


def fragment(report: Report) -> str:
    """A piece of HTML that needs nothing: no script, no request, its styles end where it ends, light and dark."""
    over = [row for row in report.worst_first if row.verdict != "PASS"]
    shown = places(report.regions)[:MOST_PLACES]
    template = pair_environment().get_template("notebook.html")
    return template.render(
        report=report,
        headline=printable(headline(report)),
        names=[printable(report.reference.path), printable(report.generated.path)],
        rows=over[:MOST_ROWS],
        others=[printable(row.name) for row in over[MOST_ROWS:]],
        places=shown,
        **_of_sounds(report.pair, shown),
    )


def _of_sounds(pair: Pair | None, shown: list[Place]) -> dict[str, Any]:
    if pair is None:
        return {"picture": None, "players": [], "ticks": [], "boxes": [], "seconds": 0.0, "begin": 0.0}
    levels = mel_pair(pair)
    return {
        "picture": draw.picture(levels.difference, -DIFFERENCE_DB, DIFFERENCE_DB, draw.DIFFERENCE_MAP),
        "players": _players(pair),
        "ticks": frequency_ticks(levels.highest_hz),
        "boxes": boxes(shown, pair),
        "seconds": levels.seconds,
        "begin": levels.begin_s,
    }


def _players(pair: Pair) -> list[Player]:
    """Both sounds, or none where they would make the notebook large."""
    sounds = (pair.reference.audio, pair.generated.audio)
    if sum(sound.samples.size for sound in sounds) > MOST_SAMPLES:
        return []
    players = [player(label, sound) for label, sound in zip(("Reference", "Generated"), sounds, strict=True)]
    return players if sum(len(each.uri) for each in players) <= MOST_CHARACTERS else []


def frame(report: Report) -> DataFrame:
    """One row a metric, by its name, in the order of the JSON; a missing number is NaN, and meaning says why.

    Columns: unit, reference, generated, change, verdict (None where it is not judged), warn and fail (levels of
    change), meaning (a clause), version (of the metric's formula).
    """
    try:
        from pandas import DataFrame, Index
    except ModuleNotFoundError:
        raise InputError("to_frame() needs pandas: pip install pandas") from None

    rows = report.metrics
    figures = [(r.reference, r.generated, r.change) for r in rows]
    limits = [(r.limit.warn, r.limit.fail) for r in rows]
    reference, generated, change = np.array(figures, float).reshape(-1, 3).T
    warn, fail = np.array(limits, float).reshape(-1, 2).T
    return DataFrame(
        {
            "unit": [r.unit for r in rows],
            "reference": reference,
            "generated": generated,
            "change": change,
            "verdict": [r.verdict for r in rows],
            "warn": warn,
            "fail": fail,
            "meaning": [meaning(r) for r in rows],
            "version": [r.version for r in rows],
        },
        index=Index([r.name for r in rows], name="metric"),
    )


def figure(report: Report) -> Figure:
    """Reference, generated and difference, one above the other, with the places that fail in the difference.

    One time axis in s on the reference's clock, one mel axis in Hz.  Made without pyplot, so it belongs to no one else
    and a notebook shows it whether or not pyplot was imported.
    """
    if report.pair is None:
        raise InputError(f"figure() needs the sounds: {printable(report.apart or 'they are not with this report')}")
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise InputError("figure() needs matplotlib: pip install matplotlib") from None

    class Drawn(Figure):
        def _repr_png_(self) -> bytes:
            buffer = io.BytesIO()
            self.savefig(buffer, format="png")
            return buffer.getvalue()

    levels = mel_pair(report.pair)
    drawn = Drawn(figsize=INCHES, layout="constrained")
    axes = drawn.subplots(3, 1, sharex=True, sharey=True)
    for panel, values, name in zip(axes, (levels.reference, levels.generated), _names(report), strict=False):
        _panel(panel, values, levels, name, (-RANGE_DB, 0.0, "magma"))
    drawn.colorbar(axes[0].images[0], ax=list(axes[:2]), label="dB below the reference's maximum")
    span = (-DIFFERENCE_DB, DIFFERENCE_DB, "RdBu_r")
    _panel(axes[2], levels.difference, levels, "generated minus reference, gain removed", span)
    drawn.colorbar(axes[2].images[0], ax=axes[2], label="dB")
    _draw_places(axes[2], places(report.regions)[:MOST_PLACES], levels)
    axes[2].set_xlabel("s")
    drawn.suptitle(_plain(f"{report.verdict}: {printable(headline(report))}"), wrap=True)
    return drawn


def _names(report: Report) -> list[str]:
    return [f"reference: {printable(report.reference.path)}", f"generated: {printable(report.generated.path)}"]


def _plain(text: str) -> str:
    """Text in which matplotlib finds no formula."""
    return text.replace("$", r"\$")


def _panel(panel: Axes, values: Any, levels: MelPair, name: str, colours: tuple[float, float, str]) -> None:
    low, high, colour_map = colours
    extent = (levels.begin_s, levels.begin_s + levels.seconds, 0.0, 1.0)
    panel.imshow(
        values, origin="lower", aspect="auto", interpolation="nearest", extent=extent, vmin=low, vmax=high,
        cmap=colour_map,
    )  # fmt: skip
    ticks = frequency_ticks(levels.highest_hz)
    panel.set_yticks([height for height, _ in ticks], [label for _, label in ticks])
    panel.set_title(_plain(name), loc="left", fontsize="medium")


def _draw_places(panel: Axes, shown: list[Place], levels: MelPair) -> None:
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=3, foreground="white")]

    for index, place in enumerate(shown, 1):
        box = place.region
        start, end = np.clip((box.start_s, box.end_s), levels.begin_s, levels.begin_s + levels.seconds).tolist()
        low, high = mel_heights((box.low_hz, box.high_hz), levels.highest_hz)
        if start < end and low < high:
            panel.add_patch(
                Rectangle((start, low), end - start, high - low, fill=False, edgecolor="black", path_effects=halo)
            )
            mark = panel.annotate(str(index), (start, high), (2, -2), textcoords="offset points", va="top")
            mark.set(weight="bold", path_effects=halo)
