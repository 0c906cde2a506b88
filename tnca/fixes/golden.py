"""The thresholds of the fixes: one TOML file per fix, recorded once and checked from then on."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import msgspec
import tomli_w

from diagnose.errors import InputError
from diagnose.files import write_whole
from tnca.fixes.key import fingerprint
from tnca.fixes.verdict import Word  # noqa: TC001 -- read by msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tnca.fixes.study import Measured, Study

SPREADS = 2.0  # so far from what was recorded the seeds' own spread may take the mean
LEAST_SHARE = 0.1  # of the improvement, where the seeds happened to agree
LEAST_LEFT = 0.5
# Relative, of a gradient in float32.  Between processors its factor moved by 2e-7 at most, single bins by 1e-7; of the
# fixes that act on single bins the weakest, l1-weight, moves them by 7e-4.
ROUNDING = 1e-5
DIGITS = 7  # of a factor, kept: far below ROUNDING
LARGEST_FILE = 1 << 16
ACTS = 0.25  # of how far a fix moved what is grown


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a fix has to hold on the sound (its fingerprint) and at the size it was recorded with.

    change: the improvement that was recorded; tolerance, from the seeds' spread: how far under it may fall.  What came
    true has to keep half of it.  What had no effect may not get better by more either, but anything that is less than
    the prediction's amount is still no effect: see bounds().  moved_db: how far the fix moved the mel, of a training
    the grown one from one seed; a fix that came undone moves nothing.  factor, unlike: see
    tnca.fixes.study.likeness; both hold to within ROUNDING.
    """

    fix: str
    sound: str
    metric: str
    verdict: Word
    change: float
    tolerance: float
    epochs: int
    seeds: int
    quick: bool
    moved_db: float | None = None
    factor: float | None = None
    unlike: float | None = None
    breaches: int | None = None


def record(found: Study, folder: str) -> list[str]:
    """A file for each fix that has none; the names of those that were written."""
    os.makedirs(folder, exist_ok=True)
    written = []
    for each in found.fixes:
        path = _path(folder, each.fix.name)
        if not os.path.exists(path):
            table: dict[str, object] = msgspec.to_builtins(_threshold(each, found))
            text = tomli_w.dumps({name: value for name, value in table.items() if value is not None})
            write_whole(path, text.encode())
            written.append(each.fix.name)
    return written


def read(folder: str, names: Iterable[str]) -> dict[str, Threshold]:
    """The thresholds of the fixes named; InputError where one is missing or is none."""
    return {name: _read(_path(folder, name), name) for name in names}


def check(found: Study, held: dict[str, Threshold]) -> list[str]:
    """What does not hold, a line each."""
    return [line for each in found.fixes for line in _broken(each, held[each.fix.name], found)]


def _threshold(each: Measured, found: Study) -> Threshold:
    verdict = each.verdict
    if verdict.change is None:
        raise InputError(f"{each.fix.name}: {verdict.says}; nothing to record")
    gradient: dict[str, float] = each.evidence.get("gradient", {})
    unlike = gradient.get("unlike", 1.0) < ROUNDING
    moved: float | None = each.evidence.get("moved_db")
    return Threshold(
        each.fix.name,
        fingerprint(found.sound),
        each.fix.prediction.metric,
        verdict.word,
        round(verdict.change, 4),
        round(max(SPREADS * verdict.spread, LEAST_SHARE * abs(verdict.change)), 4),
        found.scale.epochs,
        found.scale.seeds,
        found.scale.quick,
        None if unlike or moved is None else round(moved, 4),  # where the gradient is only multiplied, it is rounding
        round(gradient["factor"], DIGITS) if unlike else None,
        ROUNDING if unlike else None,
        _breaches(each),
    )


def _breaches(each: Measured) -> int | None:
    lines = each.evidence.get("contract", {}).get("fixed")
    return None if lines is None else len(lines)


def _read(path: str, name: str) -> Threshold:
    try:
        with open(path, "rb") as file:
            held = msgspec.toml.decode(file.read(LARGEST_FILE), type=Threshold)
    except OSError as error:
        raise InputError(f"{path}: no threshold ({error.strerror}); --record writes it") from None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a threshold: {error}") from None
    numbers = (held.change, held.tolerance, held.moved_db, held.factor, held.unlike)
    if held.fix != name or not all(math.isfinite(number) for number in numbers if number is not None):
        raise InputError(f"{path}: not a threshold of {name}: its fix is {held.fix}; its numbers must be finite")
    return held


def _broken(each: Measured, held: Threshold, found: Study) -> list[str]:
    """Lines on what this fix no longer does."""
    name, verdict = each.fix.name, each.verdict
    if held.sound != fingerprint(found.sound):
        return [f"{name}: was recorded on another sound (fingerprint {held.sound}); use that sound"]
    if (held.metric, held.epochs, held.seeds, held.quick) != (each.fix.prediction.metric, *_size(found)):
        size = f"{held.epochs} epochs, {held.seeds} seeds{', --quick' * held.quick}"
        return [f"{name}: was recorded as {held.metric} at {size}; use the same settings"]
    lines = []
    least, most = bounds(held, each.fix.prediction.amount)
    if verdict.change is None:
        lines.append(f"{held.metric} is not measurable; an improvement of at least {least:.4g} is required")
    elif verdict.change < least:
        lines.append(f"{held.metric} improves by {verdict.change:.4g}; at least {least:.4g} is required")
    elif verdict.change > most:
        said = f"improves by {verdict.change:.4g}; it had no effect when recorded ({most:.4g} at most)"
        lines.append(f"{held.metric} {said}; delete the threshold and record it again")
    return [f"{name}: {line}" for line in [*lines, *_undone(each, held)]]


def bounds(held: Threshold, amount: float) -> tuple[float, float]:
    """(least, most) improvement that holds; there is no most but for a fix that had no effect.

    The seeds' spread says nothing of another processor: where a fix does nothing at all, three seeds agree to the last
    digit, and rounding alone moves the change.  So no effect is whatever the prediction's `amount` calls none.
    """
    least, most = held.change - held.tolerance, held.change + held.tolerance
    match held.verdict:
        case "came true":
            return max(least, LEAST_LEFT * held.change), math.inf
        case "no effect":
            return min(least, -amount), max(most, amount)
    return least, math.inf


def _size(found: Study) -> tuple[int, int, bool]:
    return found.scale.epochs, found.scale.seeds, found.scale.quick


def _undone(each: Measured, held: Threshold) -> list[str]:
    """Signs that the two sides no longer differ as they did."""
    lines = []
    moved, gradient = each.evidence.get("moved_db"), each.evidence.get("gradient", {})
    if held.moved_db and (moved is None or moved < ACTS * held.moved_db):
        now = "changes the shape of the mel" if moved is None else f"changes the mel by {moved:.3g} dB"
        lines.append(f"{now}; it changed it by {held.moved_db:.3g} dB when recorded")
    factor, unlike = gradient.get("factor", 0.0), gradient.get("unlike", 1.0)
    if held.factor is not None and abs(factor - held.factor) > ROUNDING * abs(held.factor):
        lines.append(f"multiplies the gradient by {factor:.6g}, not by {held.factor:.6g}")
    if held.unlike is not None and unlike > max(held.unlike, ROUNDING):
        lines.append(f"does not multiply the gradient by one factor: single bins differ from it by {unlike:.2g}")
    if held.breaches is not None and _breaches(each) != held.breaches:
        lines.append(f"leaves {_breaches(each)} differences from the contract of the vocoder, not {held.breaches}")
    return lines


def _path(folder: str, name: str) -> str:
    return os.path.join(folder, f"{name}.toml")
