"""Labels beside ticks -> the axis: the value of each pixel, or None if it cannot be determined.

Values are believed where they and the places of their ticks lie on one line of the axis' own scale: three labels at
least, and two thirds of all.  One letter read wrongly moves its label off that line.
"""

from __future__ import annotations

import math
import re
from itertools import combinations
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.picture.letters import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.picture.ticks import Tick

FEWEST = 3  # two values always lie on a line
MOST = 60  # ticks; more are no axis
AGREEING = 2 / 3  # librosa rounds 1.05 s to "1" and 1.35 s to "1.4"
NEAR = 1.2  # pixels; a tick is drawn on a whole one
NUMBER = re.compile(r"([+-]?)(0|[1-9]\d{0,5})(\.\d{1,4})?(k?)(?:d8)?")
LOST_POINT = re.compile(r"[+-]?0\d+")
CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,2}):(\d\d)")


def parse(text: str) -> float | None:
    """The number that a label shows; None for what is none.

    -10 dB -> -10    +0dB -> 0    2k -> 2000    0.15 -> 0.15    1:05 -> 65    015 -> None, its point was not seen
    """
    text = text.replace("B", "8")  # a few pixels high they look alike
    clock = CLOCK.fullmatch(text)
    if clock:
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return 3600.0 * hours + 60.0 * minutes + seconds
    number = NUMBER.fullmatch(text)
    if not number:
        return None
    sign, whole, fraction, thousand = number.groups()
    value = float(whole + (fraction or "")) * (1000 if thousand else 1)
    return -value if sign == "-" else value


class Scale(msgspec.Struct, frozen=True):
    """matplotlib's symlog scale of base 2, and the linear one, which is its part below the threshold.

    u = a x                               |x| <= threshold, a = 2 linscale
    u = threshold (a + log2(x/threshold)) above
    librosa draws y_axis="mel" with threshold 1000 and linscale 1, "log" with 65.4 (C2) and 0.5.
    """

    name: str
    threshold: float = math.inf
    linscale: float = 0.5

    def forward(self, values: Floats | float) -> Floats:
        x, slope = np.asarray(values, np.float64), 2 * self.linscale
        if math.isinf(self.threshold):
            return slope * x
        size = np.maximum(np.abs(x), self.threshold)
        bent = np.sign(x) * self.threshold * (slope + np.log2(size / self.threshold))
        return np.where(np.abs(x) <= self.threshold, slope * x, bent)

    def inverse(self, places: Floats | float) -> Floats:
        u, slope = np.asarray(places, np.float64), 2 * self.linscale
        if math.isinf(self.threshold):
            return u / slope
        over = np.maximum(np.abs(u) / self.threshold - slope, 0)
        bent = np.sign(u) * self.threshold * np.exp2(np.minimum(over, 30))
        return np.where(np.abs(u) <= slope * self.threshold, u / slope, bent)


LINEAR = Scale("linear")
MEL = Scale("mel", 1000.0, 1.0)
LOG = Scale("log", 32.70319566257483 * 2, 0.5)


class Axis(msgspec.Struct, frozen=True):
    """scale.forward(value) = offset + slope * place, the place in pixels; clock: the labels were minutes:seconds."""

    scale: Scale
    offset: float
    slope: float
    clock: bool = False

    def value(self, place: Floats | float) -> Floats:
        return self.scale.inverse(self.offset + self.slope * np.asarray(place, np.float64))

    def seen_from(self, place: float, direction: int) -> Axis:
        """The same axis with places counted from another one, rising (1) or falling (-1)."""
        start = self.offset + self.slope * place
        return msgspec.structs.replace(self, offset=start, slope=direction * self.slope)


def read_axis(ticks: Sequence[Tick], scales: Iterable[Scale]) -> Axis | None:
    """The axis that the labels agree on, the first of the scales where several fit alike; None where none does."""
    texts = [read_text(tick.letters) for tick in ticks[:MOST]]
    pairs = [(tick.place, parse(text)) for tick, text in zip(ticks, texts, strict=False) if text]
    known = np.array([(place, value) for place, value in pairs if value is not None])
    least = max(FEWEST, math.ceil(AGREEING * len(pairs)))
    # Where one label has lost its point the others may have, and 1.0 1.5 2.0 would be 10 15 20.
    if len(known) < least or any(LOST_POINT.fullmatch(text) for text in texts):
        return None
    fits = [fit for scale in scales for fit in [_fit(known[:, 0], known[:, 1], scale)] if fit and fit[0] >= least]
    if not fits:
        return None
    count = max(fit[0] for fit in fits)
    _, _, axis = min((fit for fit in fits if fit[0] == count), key=lambda fit: round(fit[1], 1))
    return msgspec.structs.replace(axis, clock=any(":" in text for text in texts))


def _fit(places: Floats, values: Floats, scale: Scale) -> tuple[int, float, Axis] | None:
    """(number of ticks on the line, their mean distance from it in pixels, the line); None where there is none."""
    u = scale.forward(values)
    best: NDArray[np.bool_] | None = None
    for i, j in combinations(range(len(u)), 2):
        if u[i] == u[j] or places[i] == places[j]:
            continue
        slope = (u[j] - u[i]) / (places[j] - places[i])
        on = np.abs((u - u[i]) / slope - (places - places[i])) <= 2 * NEAR
        if best is None or on.sum() > best.sum():
            best = on
    if best is None or best.sum() < FEWEST:
        return None
    slope, offset = np.polyfit(places[best], u[best], 1)
    apart = np.abs((u[best] - offset) / slope - places[best])
    if apart.max() > NEAR:
        return None
    return int(best.sum()), float(apart.mean()), Axis(scale, float(offset), float(slope))
