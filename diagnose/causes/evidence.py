"""Evidence: what a hypothesis looks at: the judged rows of a pair, and measurements that only causes need."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from diagnose.causes.clock import clock_of
from diagnose.causes.levels import Levels
from diagnose.causes.local import Local
from diagnose.causes.match import Match
from diagnose.causes.residual import Residual
from diagnose.causes.transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.analysis import Pair
    from diagnose.causes.clock import Clock
    from diagnose.results.report import MetricRow

SHORTEST = 2048  # samples
BRIEF_S = 0.15
FAINT = 2e-4  # of the reference's RMS: -74 dB, where only dither is left
CHANCE_COHERENCE = 0.2  # two sounds whose strongest partials happen to fit reach 0.12
SAME_LENGTH = 0.015


class Evidence:
    """A pair under diagnosis; every hypothesis is a function of this.  What is costly is measured on first use."""

    def __init__(self, pair: Pair, rows: Mapping[str, MetricRow]) -> None:
        self.pair = pair
        self.rows = rows

    def change(self, metric: str, missing: float = 0.0) -> float:
        """Change of a metric, or missing where it has none."""
        value = self.rows[metric].change
        return missing if value is None else value

    def before(self, metric: str, missing: float = 0.0) -> float:
        """The reference's value."""
        value = self.rows[metric].reference
        return missing if value is None else value

    def after(self, metric: str, missing: float = 0.0) -> float:
        """The generated sound's value."""
        value = self.rows[metric].generated
        return missing if value is None else value

    @property
    def method(self) -> str:
        return self.pair.timeline.method

    @property
    def silent(self) -> bool:
        return self.pair.silent

    @property
    def faint(self) -> bool:
        """Whether 74 dB or more of the level are gone, and what is left is not the reference's waveform."""
        return self.method != "waveform" and self.change("rms_ratio", 1.0) < FAINT

    @cached_property
    def residual(self) -> Residual | None:
        """What the copy leaves over; None where the waveform is not the reference's, or too short to tell."""
        if self.method != "waveform" or self.pair.overlap[0].size < SHORTEST:
            return None
        found = Residual(self.pair)
        return found if found.coherence > CHANCE_COHERENCE else None

    @property
    def brief(self) -> bool:
        """Whether the overlap is too short for a curve over a mel: a few frames fit any."""
        return self.pair.overlap[0].size < BRIEF_S * self.pair.rate

    @cached_property
    def copied(self) -> float:
        """0 to 1: whether the generated sound is the reference's waveform, whatever was done to it since."""
        if self.method == "waveform" and self.pair.overlap[0].size < SHORTEST:
            return 1.0
        return 0.0 if self.residual is None else ramp(self.residual.coherence, CHANCE_COHERENCE, 0.4)

    @cached_property
    def exact(self) -> float:
        """0 to 1: whether a gain alone leaves little over."""
        return 0.0 if self.residual is None else ramp(-self.residual.level_db, 8, 14)

    @cached_property
    def clock(self) -> Clock | None:
        """How a delay that moves runs."""
        return clock_of(self.pair)

    @cached_property
    def match(self) -> Match:
        """Readings at another speed, pitch or mel range."""
        return Match(self.pair)

    @cached_property
    def levels(self) -> Levels:
        """How the log-mel follows the reference's."""
        return Levels(self.pair)

    @cached_property
    def local(self) -> Local:
        """What is wrong for a moment."""
        return Local(self.pair)

    @cached_property
    def transfer(self) -> Transfer:
        """What became of each band."""
        return Transfer(self.pair, self.residual)

    @cached_property
    def same_length(self) -> bool:
        return abs(self.match.length_ratio - 1) < SAME_LENGTH


def ramp(value: float, none: float, full: float) -> float:
    """0 at none, 1 at full, a straight line between; either may be the larger."""
    return float(min(max((value - none) / (full - none), 0.0), 1.0))
