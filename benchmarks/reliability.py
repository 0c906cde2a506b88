"""How honest is a confidence?  From the first causes and whether they were right, to a few figures.

    answers = [First("gain", 0.97, right=True), First("unknown", 0.0, right=False)]
    figures(answers)["ece"]

Expected calibration error: over the causes named first, sorted into BINS by their confidence, |mean confidence - share
that is right|, each bin weighted by how many are in it (Naeini, Cooper and Hauskrecht, Obtaining well calibrated
probabilities using Bayesian binning, 2015).  Who names no cause, or `unknown`, claims nothing: counted apart.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from diagnose.results.cause import Cause

SURE = 0.8
BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0)
NOTHING, FAILED = "none", "failed"
NO_CLAIM = (NOTHING, FAILED, "unknown")


class First(msgspec.Struct, frozen=True):
    """The first cause of one pair; id: or NOTHING, or FAILED."""

    id: str
    confidence: float
    right: bool

    @property
    def claims(self) -> bool:
        return self.id not in NO_CLAIM


class Named(msgspec.Struct, frozen=True, array_like=True):
    """A cause as it is kept of an answer: its place in the chain, None where it has none, and its kind of evidence."""

    id: str
    confidence: float
    step: int | None = None
    basis: str | None = None


def named(causes: Iterable[Cause]) -> tuple[Named, ...]:
    """The causes of a report, as they are kept."""
    return tuple(Named(cause.id, round(cause.confidence, 3), cause.step, cause.basis) for cause in causes)


def binned(answers: Iterable[tuple[float, bool]]) -> list[dict[str, float | int]]:
    """The bins in which there is anything: its borders, how many, their mean confidence, and the share right."""
    every, rows = list(answers), []
    for low, high in itertools.pairwise(BINS):
        inside = [(c, right) for c, right in every if low <= c < high or (high == BINS[-1] and c == high)]
        if inside:
            said, right = (sum(column) / len(inside) for column in zip(*inside, strict=True))
            rows.append({"from": low, "to": high, "named": len(inside), "said": said, "right": right})
    return rows


def calibration_error(answers: Iterable[tuple[float, bool]]) -> float:
    """Expected calibration error, 0 to 1; 0 of nothing."""
    rows = binned(answers)
    return sum(row["named"] * abs(row["said"] - row["right"]) for row in rows) / max(
        sum(row["named"] for row in rows), 1
    )


def figures(firsts: Sequence[First]) -> dict[str, float | int]:
    """named: first causes that claim anything; no_claim: the others; ece: of the named; of the right ones, those that
    are sure; of all pairs, those that are sure and wrong.
    """
    claimed = [one for one in firsts if one.claims]
    right = [one for one in claimed if one.right]
    wrong = sum(one.confidence >= SURE and not one.right for one in claimed)
    return {
        "named": len(claimed),
        "no_claim": len(firsts) - len(claimed),
        "ece": round(calibration_error((one.confidence, one.right) for one in claimed), 4),
        "right_and_sure": round(sum(one.confidence >= SURE for one in right) / max(len(right), 1), 4),
        "sure_wrong_share": round(wrong / max(len(firsts), 1), 4),
    }


def keep(path: str | None, answers: Sequence[object]) -> None:
    """All answers into a file, a line each, so that confidences can be fitted without asking again; None: nowhere."""
    if path is not None:
        Path(path).write_text("".join(json.dumps(msgspec.to_builtins(one)) + "\n" for one in answers))
