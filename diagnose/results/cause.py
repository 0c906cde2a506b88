"""Cause: one broken link, named."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the types
from typing import Annotated

import msgspec


class Amount(msgspec.Struct, frozen=True):
    """A parameter of a fault, as it was fitted."""

    value: float
    unit: str


class Explained(msgspec.Struct, frozen=True):
    """A finding that is not a fault of its own: it follows from the cause it is folded under."""

    id: str
    summary: str


class Cause(msgspec.Struct, frozen=True):
    """What most likely broke, with numbers, and what to change.

    id: one of DESIGN's cause ids; it never changes its meaning.  confidence: how often a cause named with this
    figure was the right one among the known faults of benchmarks/faults.py, 0 to 1; a fault that is not among them may
    be named with as much.  evidence: figures with their units and what
    they were compared with.  fix: the formula, the flag or the line to change.  explains: what follows from it.
    channel: of the generated sound, from 1; None where it is in all.
    step: its place in the chain that was applied to the reference, from 1, and explains_db: the distance in dB of the
    reference without that step, and with it; None where the cause was recognised and not found by undoing.
    parameters: of the fault, as it was fitted.
    basis: the kind of evidence that the confidence rests on, as explain/confidence.py has it; None where no chain was
    asked for: of a silent sound, and of how channels lie.
    """

    id: str
    confidence: float
    summary: str
    evidence: tuple[str, ...]
    fix: str
    explains: tuple[Explained, ...] = ()
    channel: int | None = None
    parameters: Mapping[str, Amount] = msgspec.field(default_factory=dict)
    step: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    explains_db: tuple[float, float] | None = None
    basis: str | None = None


LEAST = 0.05


def cause(id: str, strength: float, summary: str, evidence: list[str], fix: str) -> Cause | None:  # noqa: A002 - the contract's word
    """A hypothesis with its strength (0 to 1) in place of the confidence, which the ranking gives; None under 0.05."""
    return Cause(id, float(strength), summary, tuple(evidence), fix) if strength >= LEAST else None
