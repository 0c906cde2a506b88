"""A fault: everything that is known of one cause, by its id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import msgspec

from diagnose.injectors import Injector  # noqa: TC001 - msgspec reads the types
from diagnose.operations import Operation  # noqa: TC001 - msgspec reads the types

Family = Literal["level", "data", "channels", "time", "pitch", "spectrum", "added", "mel", "content"]
# Where the fault happens: to samples, inside a mel, or where one stage's output is read as what it is not.
Domain = Literal["samples", "mel", "interface"]
Figures: TypeAlias = Mapping[str, float]
Words: TypeAlias = tuple[str, str]


class Fault(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One cause, and all that the tool knows of it.

    id: its name in every report; it never changes its meaning.  title: what a listing says, in a few words.
    what: what it is, and how it comes about.  told_by: how the tool recognises it, and by what it proves it.
    confused_with: {another id: how the two are told apart}.  fix: what to change.
    metric: the one whose limit breaks at middle severity; where there is none, no_metric says why.
    rivals: ids that give the same samples, so that nothing tells them apart in a copy whose waveform is kept.
    injectors: known ways to break a sound like that.  fits: operations that read it off a pair, and undo it.
    told(figures): what a fitted step did, and how the fix begins for these figures ("" where there is nothing to add);
    None where nothing fits it yet.  fits_log_mel, told_log_mel: the same in log-mel cells, where no waveform is kept.
    """

    id: str
    family: Family
    domain: Domain = "samples"
    title: str
    what: str
    told_by: str
    confused_with: Mapping[str, str]
    fix: str
    metric: str | None = None
    no_metric: str = ""
    rivals: tuple[str, ...] = ()
    injectors: tuple[Injector, ...] = ()
    fits: tuple[Operation, ...] = ()
    fits_log_mel: tuple[Operation, ...] = ()
    told: Callable[[Figures], Words] | None = None
    told_log_mel: Callable[[Figures], Words] | None = None

    def in_words(self, figures: Figures) -> Words:
        """(summary, fix) of a step that was fitted with these figures.  Raises LookupError where nothing fits it."""
        return self._worded(self.told, figures)

    def in_words_of_levels(self, figures: Figures) -> Words:
        """The same of a step that was fitted in log-mel cells."""
        return self._worded(self.told_log_mel, figures)

    def _worded(self, told: Callable[[Figures], Words] | None, figures: Figures) -> Words:
        if told is None:
            raise LookupError(f"{self.id}: no operation fits this cause")
        summary, begins = told(figures)
        return summary, f"{begins}; {self.fix}" if begins else self.fix


def hertz(value: float) -> str:
    """Hz, or kHz from 1000 on, to three digits."""
    return f"{value / 1000:.3g} kHz" if value >= 1000 else f"{value:.0f} Hz"


def plural(count: float, word: str) -> str:
    """1 hole, 2 holes."""
    return f"{count:.0f} {word}{'s' * (count > 1)}"
