"""Repair: what of a generated sound was undone, what could not be, and how far it is from the reference with it."""

from __future__ import annotations

import msgspec


class Undone(msgspec.Struct, frozen=True):
    """A step that was undone.

    ids: the causes that it is; of several, none can be undone without the others.  summary: what was undone, in words.
    channel: of the generated sound, from 1; None where it was undone in all.
    before_db, after_db: the distance of the sound with all steps before it undone, and with this one too.
    """

    ids: tuple[str, ...]
    summary: str
    before_db: float
    after_db: float
    channel: int | None = None


class LeftUndone(msgspec.Struct, frozen=True):
    """A cause that could not be undone, or not all of it, and why."""

    id: str
    reason: str
    channel: int | None = None


class Repair(msgspec.Struct, frozen=True):
    """What undoing came to: the steps in the order in which they were undone, the last fault first.

    distance_before_db, distance_after_db: of the generated sound and of the repaired one from the reference, in dB of
    the reference (diagnose/repairs/distance.py); equal where nothing was undone, and then no sound is made; None where
    none can be had, because one of the sounds is silent or too short.
    """

    undone: tuple[Undone, ...] = ()
    left_undone: tuple[LeftUndone, ...] = ()
    distance_before_db: float | None = None
    distance_after_db: float | None = None
