"""What a metric is: a name with its unit, a pure function, and a version that changes with its formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from diagnose.analysis import Pair, Signal
    from diagnose.results.report import Detail, MetricRow

Phrase = Callable[["MetricRow", float], str]
Picture = Literal["bands", "envelope", "levels", "edges", "comb", "pitch", "distance"]


class Unmeasurable(Exception):
    """The number cannot be had from this sound; the text is the reason a report shows."""


class Value(msgspec.Struct, frozen=True):
    """What a metric function returns where a bare float does not say enough.

    detail: where or at what setting it was found.  note: a caveat to read with the number.
    """

    value: float
    detail: Detail = msgspec.field(default_factory=dict)
    note: str | None = None


class Measurement(msgspec.Struct, frozen=True):
    """A measured number, or None and the reason; never NaN."""

    value: float | None
    unit: str
    version: int = 1
    reason: str | None = None
    detail: Detail = msgspec.field(default_factory=dict)
    note: str | None = None


class Metric(msgspec.Struct, frozen=True):
    """One figure of a report.

    of: "signal" for a number that each sound has, "pair" for one that needs both.
    at: "file" measures the file as it is (its rate, its channels), "common" the mono mix at the pair's rate; of what
    is measured channel by channel, "whole" is measured on all channels together all the same.
    ideal: what `change` is when nothing is wrong (0; 1 for a ratio or a correlation).
    scale: "linear", changes are differences; "log", they are quotients, and 2 is as far from 1 as 1/2.
    later: whether it came after goldens had been recorded; a golden that lacks it holds it to its limits.
    phrase: what a change says, in words; a plain sentence with `about` where there is none.
    picture: id of the plot that shows what it is read from (diagnose/render/metric_pictures.py).
    region: the finder of the places where it fails, and its arguments (diagnose/regions/find.py).
    """

    name: str
    unit: str
    about: str
    function: Callable[[Any], float | Value]
    of: Literal["signal", "pair"] = "signal"
    at: Literal["whole", "file", "common"] = "common"
    ideal: float = 0.0
    version: int = 1
    scale: Literal["linear", "log"] = "linear"
    later: bool = False
    phrase: Phrase | None = None
    picture: Picture | None = None
    region: tuple[str | float, ...] = ()

    def measure(self, subject: Signal | Pair) -> Measurement:
        """The function's answer as a Measurement; a non-finite answer is a reason, never a number."""
        try:
            answer = self.function(subject)
        except Unmeasurable as reason:
            return Measurement(None, self.unit, self.version, reason=str(reason))
        answer = answer if isinstance(answer, Value) else Value(float(answer))
        if not abs(answer.value) < float("inf"):
            return Measurement(None, self.unit, self.version, reason="out of the range of a float")
        return Measurement(float(answer.value), self.unit, self.version, None, answer.detail, answer.note)
