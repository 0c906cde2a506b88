"""What is wrong for a moment, sorted: clicks, holes, stretches of another sound; and whether it comes periodically."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from diagnose.analysis.cells import total_db
from diagnose.arrays import median

if TYPE_CHECKING:
    from diagnose.analysis import Pair
    from diagnose.analysis.places import Place
    from diagnose.arrays import Floats

CLEAN_DB = -10.0  # of what is left over elsewhere, over which places say nothing of the whole
IN_PIECES = 6  # matched parts, over which they do not either: what is laid wrongly is wrong
HOLE_DB = -20.0  # level of the generated sound over the reference in a hole
FILLED_S, FILLED_DB = 0.012, -13.0  # a shorter one is filled, to this much, by a codec's noise
CLICK_S = 0.0035  # a click, or a pop
STRETCH_S = (0.006, 0.5)  # a stretch of another sound
REPLACED_DB = -2.0  # of what is left over, over the reference there: 0 to 3 where nothing of it is kept
KEPT = 0.5  # of the reference's amplitude, over which something was added and nothing replaced
# A period: most places lie at multiples of it, to 2.5 ms and a 25th of it; most multiples have one, but those at which
# it is quiet; and random places would seldom do so.
FEWEST, MOST = 4, 64
ON_PERIOD_S, ON_PERIOD, MOST_ON, FILLED = 0.0025, 0.04, 0.85, 0.4
SHORTEST_S = 0.02
EDGE_S = 0.03  # at either end a seam is heard by half
SKIPPED = 4  # seams, at most, between two that are heard
BY_CHANCE = 0.01
SAME_PERIOD = 0.05  # by which the line through all may differ from the distance of two


class Local:
    """The bad places of a copy."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.places = pair.places

    @cached_property
    def clicks(self) -> list[Place]:
        """Under 3.5 ms, and not silence."""
        return [place for place in self.places if place.length <= CLICK_S and not _is_hole(place)]

    @cached_property
    def holes(self) -> list[Place]:
        """Where the reference sounds, and nearly nothing is left of it."""
        return [place for place in self.places if _is_hole(place)]

    @cached_property
    def replaced(self) -> list[Place]:
        """Where another sound is heard in place of the reference."""
        least, most = STRETCH_S
        return [
            place
            for place in self.places
            if least <= place.length <= most
            and not _is_hole(place)
            and place.residual_db >= REPLACED_DB
            and place.kept < KEPT
        ]

    def are(self, some: list[Place], none: float, full: float) -> float:
        """0 to 1: whether places are of a kind, from a share of none to one of full; 1 where no place tells."""
        if not self.places or self.elsewhere_db > CLEAN_DB or len(self.pair.laid.pieces) > IN_PIECES:
            return 1.0
        return min(max((self.share(some) - none) / (full - none), 0.0), 1.0)

    def share(self, some: list[Place]) -> float:
        """Of all places, 0 to 1."""
        return len(some) / max(len(self.places), 1)

    @cached_property
    def elsewhere_db(self) -> float:
        """Median of what is left over, over the reference, by frame, dB: low where only the places are wrong."""
        cells = self.pair.cells
        if cells.residual is None or not len(cells.residual):
            return 0.0
        level = total_db(cells.reference)
        sounding = level > level.max() - 40
        return median((total_db(cells.residual) - level)[sounding])

    @cached_property
    def share_of_time(self) -> float:
        """All places together, of the overlap, 0 to 1."""
        return sum(place.length for place in self.places) / max(self.pair.overlap[0].size / self.pair.rate, 1e-9)

    @cached_property
    def period(self) -> float | None:
        """Seconds of the generated sound from one seam to the next; None where the places are not periodic."""
        last = self.pair.overlap[0].size / self.pair.rate - EDGE_S
        inside = [place for place in self.places if place.start > EDGE_S and place.end < last]
        some = sorted(inside, key=lambda place: -place.excess_db)[:MOST]
        rate = self.pair.rate
        found = []
        for side in (0.0, 0.5):  # faded chunks have one middle, filled ones one beginning
            times = sorted(self.pair.to_reference_s(place.start + side * place.length) for place in some)
            found.append(period_of(np.array([self.pair.laid.to_generated(at * rate) / rate for at in times])))
        return next((one for one in found if one is not None), None)


def _is_hole(place: Place) -> bool:
    return place.level_db <= (FILLED_DB if place.length <= FILLED_S else HOLE_DB)


def period_of(times: Floats) -> float | None:
    """The longest time of which nearly all distances between times [shape=(n,)], rising, in s, are multiples."""
    if times.size < FEWEST:
        return None
    steps = np.diff(times)
    tried = np.unique(np.concatenate([steps / skipped for skipped in range(1, SKIPPED + 1)]))
    for period in tried[tried >= SHORTEST_S][::-1].tolist():
        fitted, off = _fitted(times, period)
        reach = min(ON_PERIOD_S, ON_PERIOD * period)
        on = int((np.abs(off) <= reach).sum())
        # All but two, which the period and its phase were chosen by, fell near a multiple by chance.
        chance = tried.size * (2 * reach / period) ** (on - 2)
        filled = on >= FILLED * ((times[-1] - times[0]) / period + 1)
        nearly_all = on >= max(FEWEST, MOST_ON * times.size)
        if abs(fitted / period - 1) < SAME_PERIOD and nearly_all and filled and chance < BY_CHANCE:
            return fitted
    return None


def _fitted(times: Floats, period: float) -> tuple[float, Floats]:
    """(period, how far each time lies from a multiple of it): the line through the times by their count of periods."""
    counts = np.concatenate(([0], np.cumsum(np.rint(np.diff(times) / period))))
    centred = counts - counts.mean()
    slope = float(centred @ times) / max(float(centred @ centred), 1e-9)
    off = times - slope * counts
    return slope, off - np.sort(off)[off.size // 2]
