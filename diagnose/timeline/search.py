"""The runs of a generated sound: from a delay or two, more are searched for what these do not explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.arrays import quantile
from diagnose.arrays import runs as spans
from diagnose.timeline.path import CHANGE, NONE, TINY, UNEXPLAINED, Fit, Material, Run, likeliest, one_delay, runs_of

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
SAME = 0.35  # of the score that its frames allow, that a run has
WELL = 3.7  # nats from which a frame counts as explained, however much better it is: r^2 of 0.98
LEAST = 0.3  # nats that it has in any case
JUMP_S = 0.005  # a jump of so much costs 0.7 of a change
NOTHING = 1e-4  # of a frame's energy, that is nothing if it is left over: 40 dB
LEAST_POSSIBLE = 0.3  # r^2: in more noise than this, a source is no find
EVIDENCE = 4.0  # that a frame's samples are, of a place that is chosen among likely ones
HARDLY_S = 0.0002  # delays that lie so near are one, which is a fraction or a clock
LONGEST_DETOUR = 3  # runs
EXACT = 0.97  # of WELL: r^2 of 0.98 in nearly all frames
NEARLY = 0.6  # of WELL: r^2 of 0.92
HOPELESS_DELAYS, HOPELESS = 12, 1.0  # so many delays that explain no more than this are likenesses, and no copy
MOST_SIMPLIFIED = 200  # runs
SAME_GAIN = 1.35  # factor within which a run is as loud as the whole


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
    found = _joined([run for each in found if (run := each.within(copy.lengths[0])).end > run.start])
    if len(path.delays) > 1:
        found = _joined(_simplest(path, source, found))
        found = _joined([run for run in found if _is_same(path, run)]) or found[:1]
        found = _joined(_without_detours(path, found))
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
        frames = _frames(copy, run)
        score[frames] = path.scores[path.delays.index(run.delay)][frames]
    most = np.log((copy.energy + copy.noise) / (2 * copy.noise)) - UNEXPLAINED
    explained, allowed = (float(np.minimum(each, WELL)[sounding].mean()) for each in (score, most))
    return explained, allowed


def _frames(copy: Material, run: Run) -> slice:
    return slice(run.start // copy.hop, -(-run.end // copy.hop))


def _is_same(path: Path, run: Run) -> bool:
    """Whether a run is no mere likeness: of the same gain as the whole, and explained as well as may be."""
    copy, state = path.material, path.delays.index(run.delay)
    frames = _frames(copy, run)
    sounding = path.sounding()[frames]
    if not sounding.any():
        return False
    score = float(path.scores[state][frames][sounding].mean())
    allowed = min(float(path.allowed()[frames][sounding].mean()), WELL)
    if score < max(SAME * allowed, LEAST):
        return False
    own, cross = (float(rows[frames].sum()) for rows in (path.fits[state].own, path.fits[state].cross))
    return own <= 0 or 1 / SAME_GAIN < cross / own / copy.gain < SAME_GAIN


def _without_detours(path: Path, found: list[Run]) -> list[Run]:
    """The runs without those between two of one delay that are no exact copy: what is there is in its place.

    A filter, a clip, an echo or half a sample leaves a note more like another place of the same note than like itself.
    """
    kept = list(found)
    ours, theirs = path.material.lengths
    near = HARDLY_S * path.material.rate
    index = 0
    while index < len(kept):
        delays = [0, *(run.delay for run in kept), theirs - ours]  # before and after it, start on start and end on end
        before = delays[index]
        for count in range(1, LONGEST_DETOUR + 1):
            away = kept[index : index + count]
            after = delays[min(index + count + 1, len(delays) - 1)]
            back = abs(after - before) <= near and len(away) == count and len(away) < len(kept)
            if back and all(abs(run.delay - before) > near and not _is_exact(path, run, before) for run in away):
                del kept[index : index + count]
                break
        else:
            index += 1
    return kept


def _is_exact(path: Path, run: Run, in_place: int) -> bool:
    """Whether a run is an exact copy, and what is in its place is not nearly one."""
    copy = path.material
    frames = _frames(copy, run)
    sounding = path.sounding()[frames]
    here = copy.scores(copy.residual(copy.fit(in_place)))[frames][sounding]
    there = path.scores[path.delays.index(run.delay)][frames][sounding]
    means = [float(np.minimum(score, WELL).mean()) for score in (there, here)]
    return means[0] >= EXACT * WELL and means[1] < NEARLY * WELL


def _simplest(path: Path, source: Source, found: list[Run]) -> list[Run]:
    """Each run at the delay that explains it for the least jumps.

    In a steady tone many delays explain a run alike, a period apart; then the one on the way from the run before to
    the run after is taken.
    """
    copy = path.material
    if len(found) > MOST_SIMPLIFIED:
        return found
    ends = 0, copy.lengths[1] - copy.lengths[0]  # start on start, end on end
    for index, run in enumerate(found):
        delays = [ends[0], *(each.delay for each in found), ends[1]]
        beside = [delays[index], delays[index + 2]]
        middle = (run.start + run.end) // 2
        size = min(run.end - run.start, round(2 * copy.searched_s * copy.rate)) // 2
        others = {sum(beside) // 2, *beside, *source.likely(middle - size, middle + size, run.delay)}
        fit = {run.delay: path.fits[path.delays.index(run.delay)]}
        fit.update({delay: copy.fit(delay) for delay in others - {run.delay}})
        frames = _frames(copy, run)
        least = copy.noise + NOTHING * copy.energy[frames]
        worth = {
            delay: -EVIDENCE * float(np.log(copy.residual(each)[frames] + least).sum())
            - sum(_jump(copy, delay - other) for other in beside)
            for delay, each in fit.items()
        }
        best = max(worth, key=worth.__getitem__)
        if best != run.delay:
            if best not in path.delays:
                path.add(best, fit[best])
                path.rescore()
            found[index] = Run(run.start, run.end, best)
    return found


def _jump(copy: Material, samples: int) -> float:
    """Nats that a change of the delay costs: the farther, the more."""
    return CHANGE * np.log1p(abs(samples) / (JUMP_S * copy.rate))


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


def _joined(found: list[Run]) -> list[Run]:
    """Runs of one delay as one: what lies between them is in its place, whatever was done to it."""
    joined: list[Run] = []
    for run in found:
        if joined and joined[-1].delay == run.delay:
            joined[-1] = Run(joined[-1].start, run.end, run.delay)
        else:
            joined.append(run)
    return joined


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
