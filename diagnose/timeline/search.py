"""The runs of a generated sound: from a delay or two, more are searched for what these do not explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.arrays import quantile
from diagnose.arrays import runs as spans
from diagnose.timeline.path import (
    CHANGE,
    NONE,
    TINY,
    UNEXPLAINED,
    WELL,
    Fit,
    Material,
    Run,
    likeliest,
    one_delay,
    runs_of,
)
from diagnose.timeline.simplest import simplified

if TYPE_CHECKING:
    from typing import Protocol

    from numpy.typing import NDArray

    from diagnose.arrays import Floats

    class Source(Protocol):
        """Where in the reference a stretch of the generated sound comes from."""

        def delay_of(self, start: int, end: int, expected: int, possible: float) -> int | None:
            """The delay at which the reference explains the generated samples [start, end); None where it does not.

            possible: the r that their noise allows.
            """

        def likely(self, start: int, end: int, expected: int) -> list[int]:
            """All delays near the expected one at which it does."""


SEARCHED = 48  # stretches in one round, the loudest first
ROUNDS = 6
MOST_DELAYS = 256
FUTILE, MORE_FUTILE = 8, 40  # searches without a find after which no more is looked for; where there was one before
AUDIBLE = 4e-6  # of the loud frames' energy, from which a stretch is searched for
WORTH = 3 * CHANGE  # nats that a new delay has to win: three changes of state
USUAL = 0.8  # quantile of the scores that a well explained frame has
BADLY, BADLY_SHARE = 1.2, 0.5  # nats under what its noise allows, or this share of it
NOISE_QUANTILE = 0.25
STEADY = 1.7  # quotient of a high and a low quantile of what is left over, under which it is noise of one level
EXCESS = 1.4  # times that noise, over many frames, which noise alone does not leave
LEAST_POSSIBLE = 0.3  # r^2: in more noise than this, a source is no find
HOPELESS_DELAYS, HOPELESS = 12, 1.0  # so many delays that explain no more than this are likenesses, and no copy


class Path:
    """The delays that were found, and which frame is played from which."""

    def __init__(self, material: Material, delays: list[int]) -> None:
        self.material = material
        self.shortest = max(round(material.shortest_s * material.rate / material.hop), 1)
        self.is_steady = False  # whether what is left over is noise of one level
        self.delays: list[int] = []
        self.fits: list[Fit] = []
        for delay in delays:
            self.add(delay, material.fit(delay))
        self.settle()

    def add(self, delay: int, fit: Fit) -> None:
        self.delays.append(delay)
        self.fits.append(fit)

    def settle(self) -> None:
        """The states of the frames, with the gain and the noise that this leaves."""
        for _ in range(2):
            self._explain()
            if not (self.states != NONE).any():
                return
            self._learn()
        self._explain()

    def rescore(self) -> None:
        """The scores of all delays, with the gain and noise of now."""
        self.residuals = [self.material.residual(fit) for fit in self.fits]
        self.scores = [self.material.scores(residual) for residual in self.residuals]

    def _explain(self) -> None:
        self.rescore()
        one = len(self.delays) == 1
        self.states: NDArray[np.intp] = one_delay(self.scores[0], self.shortest) if one else likeliest(self.scores)

    def _learn(self) -> None:
        """Gain: the median over what is explained, weighted by energy, which no gap or burst moves.  Noise: a low
        quantile of what is left over.
        """
        matched = np.flatnonzero(self.states != NONE)
        of = self.states[matched]
        cross, own, residual = (
            np.stack(rows)[of, matched]
            for rows in ([f.cross for f in self.fits], [f.own for f in self.fits], self.residuals)
        )
        gain = weighted_median(cross / np.maximum(own, TINY), own)
        if gain * self.material.gain > 0:
            self.material.gain = gain
        low, high = (quantile(residual, each) for each in (NOISE_QUANTILE, 1 - NOISE_QUANTILE))
        self.material.noise = max(self.material.noise, low)
        self.is_steady = 0 < high < STEADY * low

    def unexplained(self) -> list[tuple[int, int]]:
        """Stretches of frames [first, last) that can be heard and explained better elsewhere, the loudest first.

        A frame is explained badly where it is 1.2 nats off what the best explained frames and its noise allow: a
        period's slip in a tone explains most of it.
        """
        sounding = self.sounding()
        # Over some frames, for where noise allows little the score of one frame says nothing.
        score, allowed = (averaged(values, 2 * self.shortest) for values in (self.now(), self.allowed()))
        badly = (self.states == NONE) | (score < allowed - np.minimum(BADLY, BADLY_SHARE * allowed))
        badly = sounding & badly
        if self.is_steady:  # then what is over tells more than how much is explained
            badly |= averaged(self.left_over(), 2 * self.shortest) > EXCESS * self.material.noise
        badly = closed(badly, self.shortest)
        energy = np.concatenate(([0.0], np.cumsum(self.material.energy)))
        found = [
            (float(energy[last] - energy[first]), int(first), int(last))
            for first, last in spans(badly)
            if last - first >= self.shortest
        ]
        return [(first, last) for _, first, last in sorted(found, reverse=True)]

    def left_over(self) -> Floats:
        """Energy of each frame that its state leaves over."""
        left = self.material.energy.copy()
        for state, residual in enumerate(self.residuals):
            left = np.where(self.states == state, residual, left)
        return left

    def allowed(self) -> Floats:
        """The score that each frame may have: as the best explained ones, or as its noise allows."""
        sounding = self.sounding()
        usual = quantile(self.now()[sounding], USUAL) if sounding.any() else 0.0
        noise = self.material.noise
        return np.minimum(usual, np.log((self.material.energy + noise) / (2 * noise)) - UNEXPLAINED)

    def sounding(self) -> NDArray[np.bool_]:
        return self.material.energy > max(AUDIBLE * self.material.loud, 4 * self.material.noise)

    def now(self) -> Floats:
        """The score of each frame in its state."""
        now = np.zeros(self.states.size)
        for state, score in enumerate(self.scores):
            now = np.where(self.states == state, score, now)
        return now

    def won_by(self, fit: Fit) -> float:
        """Nats that a delay would win in the stretch where it wins the most."""
        won = self.material.scores(self.material.residual(fit)) - self.now()
        summed = np.concatenate(([0.0], np.cumsum(won)))
        return float((summed - np.minimum.accumulate(summed)).max())

    def offer(self, delay: int) -> bool:
        """Whether a delay was new, and wins enough to be taken."""
        if delay in self.delays:
            return False
        fit = self.material.fit(delay)
        if self.won_by(fit) <= WORTH:
            return False
        self.add(delay, fit)
        return True

    def neighbour(self, frame: int) -> int:
        """The delay of the last explained frame before this one; else of the first after it."""
        before = self.states[:frame][self.states[:frame] != NONE]
        after = self.states[frame:][self.states[frame:] != NONE]
        return self.delays[int(before[-1])] if before.size else self.delays[int(after[0])] if after.size else 0


class Found(msgspec.Struct, frozen=True):
    """The runs of a generated sound, to a frame; nats of a sounding frame that they explain, and that noise allows."""

    runs: list[Run]
    explained: float
    allowed: float


def runs(copy: Material, source: Source, delays: list[int]) -> Found:
    """The runs of the generated sound, found from these delays on."""
    path = Path(copy, delays)
    tried: set[tuple[int, int]] = set()
    if path.unexplained():
        for delay in (0, copy.lengths[1] - copy.lengths[0]):  # start on start, end on end
            path.offer(delay)
        path.settle()
    for _ in range(ROUNDS):
        if not _extended(path, source, tried):
            break
        path.settle()
        if len(path.delays) > HOPELESS_DELAYS and _mean(path) < HOPELESS:
            break
    found = runs_of(path.states, path.delays, copy.hop, copy.lengths[1])
    inside = [run for each in found if (run := each.within(copy.lengths[0])).end > run.start]
    found = simplified(path, source, inside)
    return Found(found, *_explained(path, found))


def _mean(path: Path) -> float:
    """What the path explains of a sounding frame, in nats, as _explained has it."""
    sounding = path.sounding()
    return float(np.minimum(path.now(), WELL)[sounding].mean()) if sounding.any() else 0.0


def _explained(path: Path, found: list[Run]) -> tuple[float, float]:
    """(nats that the runs explain of a sounding frame, nats that its noise allows), in the mean over all of them."""
    copy = path.material
    sounding = path.sounding()
    if not sounding.any():
        return 0.0, 0.0
    score = np.zeros(copy.energy.size)
    for run in found:
        frames = run.frames(copy.hop)
        score[frames] = path.scores[path.delays.index(run.delay)][frames]
    most = np.log((copy.energy + copy.noise) / (2 * copy.noise)) - UNEXPLAINED
    explained, allowed = (float(np.minimum(each, WELL)[sounding].mean()) for each in (score, most))
    return explained, allowed


def _extended(path: Path, source: Source, tried: set[tuple[int, int]]) -> bool:
    """Whether new delays were found for what is unexplained."""
    known, futile = len(path.delays), 0
    for first, last in path.unexplained()[:SEARCHED]:
        for blocks in _blocks(path.material, first, last):
            blocks = [block for block in blocks if block not in tried] if len(path.delays) < MOST_DELAYS else []
            tried.update(blocks)
            futile += len(blocks)
            offered = [_offered(path, source, first, block) for block in blocks]
            if any(new for _, new in offered):
                futile = 0
            if any(known for known, _ in offered):
                break
        if futile > (FUTILE if len(path.delays) == 1 else MORE_FUTILE):
            break
    return len(path.delays) > known


def _offered(path: Path, source: Source, first: int, block: tuple[int, int]) -> tuple[bool, bool]:
    """Whether a source of a block was found, and whether it is new."""
    delay = source.delay_of(*block, path.neighbour(first), _possible(path.material, *block))
    return delay is not None, delay is not None and path.offer(delay)


def _possible(copy: Material, start: int, end: int) -> float:
    """The r with its source that a stretch has at most, for its noise."""
    energy = float(copy.energy[start // copy.hop : -(-end // copy.hop)].mean())
    return max(1.0 - copy.noise / max(energy, TINY), LEAST_POSSIBLE) ** 0.5


def _blocks(copy: Material, first: int, last: int) -> list[list[tuple[int, int]]]:
    """The samples of a stretch of frames that are searched for: first the loudest, and those near its ends.

    Not at its very ends, where a part of what lies beside it may be in the block.  Then, where none of these has a
    source, its halves: it may be two parts.
    """
    start, end = first * copy.hop, min(last * copy.hop, copy.lengths[1])
    size, margin = round(copy.searched_s * copy.rate), round(copy.shortest_s * copy.rate)
    middle = (start + end) // 2
    halves = [(start, middle), (middle, end)] if 4 * margin <= end - start <= 4 * size else []
    if end - start <= size + 2 * margin:
        margin = min(margin, (end - start) // 4)
        return [[(start + margin, end - margin), (start, end)], halves]
    energy = np.concatenate(([0.0], np.cumsum(copy.energy[first:last])))
    width = max(size // copy.hop, 1)
    loudest = start + int(np.argmax(energy[width:] - energy[:-width])) * copy.hop
    return [[(at, at + size) for at in (loudest, start + margin, end - margin - size)], halves]


def closed(mask: NDArray[np.bool_], gap: int) -> NDArray[np.bool_]:
    """The mask, with gaps of up to `gap` frames between two marked ones filled."""
    filled = mask.copy()
    for start, end in spans(~mask):
        if start > 0 and end < mask.size and end - start <= gap:
            filled[start:end] = True
    return filled


def averaged(values: Floats, width: int) -> Floats:
    """Means over about `width` neighbours."""
    width = min(width | 1, max(values.size - 1 + values.size % 2, 1))
    padded = np.pad(values, width // 2, mode="edge")
    summed = np.concatenate(([0.0], np.cumsum(padded)))
    return (summed[width:] - summed[:-width]) / width


def weighted_median(values: Floats, weights: Floats) -> float:
    """The value at which half of the weight is reached."""
    order = np.argsort(values)
    summed = np.cumsum(weights[order], dtype=np.float64)
    return float(values[order[int(np.searchsorted(summed, summed[-1] / 2))]])
