"""Report -> one self-contained HTML file: it makes no requests, and its only script is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.render import draw
from diagnose.render.metric_pictures import plots
from diagnose.render.page import pair_environment
from diagnose.render.phrases import Place, compare_command, headline, places
from diagnose.render.sounds import sounds_of
from diagnose.render.spectrograms import boxes, spectrograms
from diagnose.text import printable

if TYPE_CHECKING:
    from diagnose.analysis import Pair
    from diagnose.results.report import Report

WIDTH, WAVE_HEIGHT = 860, 90
MOST_PLACES = 12  # boxes in the picture: with more of them it is hidden


def to_html(report: Report) -> str:
    """The page of one comparison; without report.pair it has figures and words, and no pictures or players."""
    template = pair_environment().get_template("report.html")
    return template.render(pair_context(report), tool_version=report.tool_version)


def pair_context(report: Report, key: str = "", level: int = 2) -> dict[str, Any]:
    """What pair.html shows of a comparison; key sets its ids apart on a page of several, level is its headings'."""
    found = places(report.regions)
    shown = found[:MOST_PLACES]
    return {
        "report": report,
        "headline": printable(headline(report)),
        "names": [printable(report.reference.path), printable(report.generated.path)],
        "places": shown,
        "left_out": len(found) - len(shown),
        "command": printable(report.command or compare_command(report.reference.path, report.generated.path)),
        "versions": ", ".join(f"{name} {version}" for name, version in report.libraries.items()),
        "key": key,
        "level": level,
        **(_heard_and_seen(report, report.pair, shown) if report.pair is not None else _UNSEEN),
    }


_UNSEEN: dict[str, Any] = {"sounds": None, "spectrograms": None, "boxes": [], "waves": [], "plots": []}


def _heard_and_seen(report: Report, pair: Pair, shown: list[Place]) -> dict[str, Any]:
    return {
        "sounds": sounds_of(report, pair),
        "spectrograms": spectrograms(pair),
        "boxes": boxes(shown, pair),
        "waves": _waves(pair),
        "plots": plots(report, pair),
    }


def _waves(pair: Pair) -> list[tuple[str, str]]:
    parts = pair.overlap
    most = max(float(np.abs(part).max()) for part in parts) or 1.0
    return [
        (name, draw.wave_path(part, WIDTH, WAVE_HEIGHT, most))
        for name, part in zip(("Reference", "Generated"), parts, strict=True)
    ]
