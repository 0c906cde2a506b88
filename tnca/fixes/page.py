"""fixes.html: a table of all fixes, then each with its prediction, pictures, sounds and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diagnose.render import draw
from diagnose.render.page import page_environment
from diagnose.render.sounds import player
from diagnose.text import number as with_unit
from diagnose.text import printable
from diagnose.version import VERSION
from tnca.config import Target as Settings
from tnca.fixes.golden import ROUNDING
from tnca.judge import within_band
from tnca.target import levels_db, target_of
from tnca.training.look import level_png
from tnca.training.page import HEIGHT, WIDTH, curves, figure

if TYPE_CHECKING:
    from tnca.fixes.study import Measured, Study

CLASSES = {"came true": "PASS", "no effect": "soft", "made it worse": "FAIL"}
DIRECTIONS = {"lower": "lower", "higher": "higher", "to one": "nearer 1"}
LABELS = {"broken": "without it", "fixed": "with it"}


def to_html(found: Study, *, players: bool = True) -> str:
    """The page, whole in itself.  players: with the sounds, which may not be passed on with every reference."""
    environment = page_environment("tnca", styles=("look.css", "fixes.css"))
    environment.globals.update(number=number, rounding=ROUNDING)
    return environment.get_template("fixes.html").render(
        name=printable(found.sound.name),
        study=found,
        version=VERSION,
        counts=_counts(found),
        classes=CLASSES,
        directions=DIRECTIONS,
        labels=LABELS,
        wanted=_wanted(found, players),
        fixes=[_fix(each, players) for each in found.fixes],
        size=(WIDTH, HEIGHT),
    )


def _wanted(found: Study, players: bool) -> dict[str, Any]:
    """What every fix is to come nearer to: the reference, as far as the vocoder's contract goes."""
    target = target_of(found.sound, Settings(found.contract))
    levels = levels_db(target.values, target.contract)
    return {
        "picture": draw.data_uri("image/png", level_png(levels, target.top_db)),
        "player": player("Reference", within_band(target)) if players else None,
    }


def _counts(found: Study) -> list[tuple[str, int]]:
    words = [each.verdict.word for each in found.fixes]
    return [(word, words.count(word)) for word in CLASSES]  # type: ignore[arg-type]


def _fix(each: Measured, players: bool) -> dict[str, Any]:
    first = {side: outcomes[0] for side, outcomes in each.sides.items()}
    return {
        "measured": each,
        "pictures": [
            (LABELS[side], draw.data_uri("image/png", level_png(one.levels_db, one.top_db)))
            for side, one in first.items()
        ],
        "players": [player(LABELS[side], outcome.sound) for side, outcome in first.items()] if players else [],
        "curve": _curve(each),
        "figures": _figures(each),
        "causes": [(LABELS[side], ", ".join(outcome.causes) or "none") for side, outcome in first.items()],
    }


def _curve(each: Measured) -> dict[str, Any] | None:
    """The predicted figure over the epochs, a line a seed; None where nothing was trained or no look has it."""
    metric = each.fix.prediction.metric
    lines = [(side, figure(one.rows, metric)) for side, outcomes in each.sides.items() for one in outcomes]
    found = curves([line for _, line in lines])
    return found and {**found, "paths": [(side, path) for (side, _), path in zip(lines, found["paths"], strict=True)]}


def _figures(each: Measured) -> list[tuple[str, list[str]]]:
    """(metric, its values by side), for every figure that both sides have."""
    return [(name, [", ".join(map(number, each.values(side, name))) for side in each.sides]) for name in each.figures]


def number(value: float | None) -> str:
    """Three figures, or a dash for what could not be had."""
    return with_unit(value, "r")
