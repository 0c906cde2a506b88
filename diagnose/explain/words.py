"""A fitted step in words: what was done to the sound, and what to change, as the catalogue says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.faults import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Mapping

# What cannot be told from a cause in a copy whose waveform is kept, for it gives the same samples.
RIVALS = {fault.id: fault.rivals for fault in CATALOGUE.values() if fault.rivals}


def told(id: str, fitted: Mapping[str, tuple[float, str]]) -> tuple[str, str]:  # noqa: A002 - the contract's word
    """(summary, fix) of a cause with these parameters."""
    return CATALOGUE[id].in_words({name: value for name, (value, _) in fitted.items()})


def told_of_levels(id: str, fitted: Mapping[str, tuple[float, str]]) -> tuple[str, str]:  # noqa: A002
    """The same of a step in log-mel cells."""
    return CATALOGUE[id].in_words_of_levels({name: value for name, (value, _) in fitted.items()})
