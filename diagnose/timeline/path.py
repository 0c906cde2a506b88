"""The likeliest path through the frames of a generated sound: which delay each frame is played from, or none.

A state is a delay; a frame's score in it says how much of the frame the reference at that delay explains.  The path
with the largest sum, less a fixed cost for every change of state, is found by dynamic programming (Viterbi 1967).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.audio import Samples

NONE = -1  # the state of what no delay explains
FRAME_S = 0.0025
BLOCK = 1 << 20  # samples that are read at once
MOST_FRAMES = 60_000  # of a longer sound the frames are longer
UNEXPLAINED = 0.3  # nats that a frame has to be explained by: r^2 over 0.26
BEST, WORST = 7.0, -2.0  # a score's range in nats: beyond 30 dB, better does not count
WELL = 3.7  # nats from which a frame counts as explained, however much better it is: r^2 of 0.98
FLOOR = 1e-6  # of the loud frames' energy: what lies lower is silence, and matches silence
CHANGE = 4.0  # cost of a change of state, in nats: two explained frames of a copy are worth more
TINY = 1e-30
GAIN_REACH = 2.0  # a frame's own gain lies within this factor of the whole's


class Run(msgspec.Struct, frozen=True):
    """The generated samples [start, end) are the reference's, delay samples later."""

    start: int
    end: int
    delay: int

    @property
    def reference(self) -> tuple[int, int]:
        return self.start - self.delay, self.end - self.delay

    def frames(self, hop: int) -> slice:
        """The frames that it lies in."""
        return slice(self.start // hop, -(-self.end // hop))

    def within(self, length: int) -> Run:
        """The run, as far as there is a reference of so many samples."""
        return Run(max(self.start, self.delay), min(self.end, length + self.delay), self.delay)


class Fit(msgspec.Struct, frozen=True):
    """What the reference at one delay has in common with each frame: its own energy, and the cross product."""

    own: Floats
    cross: Floats


class Material:
    """A reference and a generated sound in frames: what is common to samples and to rows of features.

    energy [shape=(frames,)]: of each generated frame with its two neighbours, for a frame alone may hold less than a
    period.  lengths: samples of both.  gain: signed, generated over reference.  noise: energy that a frame has
    of its own.
    """

    hop: int
    step = 1  # samples, to which a delay is found
    shortest_s: float  # of a stretch that is searched for
    searched_s: float  # of it, at its start and at its end

    def __init__(self, energy: Floats, lengths: tuple[int, int], rate: int, gain: float) -> None:
        self.energy, self.lengths, self.rate, self.gain = energy, lengths, rate, gain
        rank = max(energy.size // 20, 1)
        self.loud = float(np.partition(energy, -rank)[-rank]) if energy.size else 0.0
        self.noise = FLOOR * self.loud + TINY

    def fit(self, delay: int) -> Fit:
        """The common energies at a delay, in samples."""
        raise NotImplementedError

    def residual(self, fit: Fit) -> Floats:
        """Energy of each frame that the reference leaves over, the gain free within GAIN_REACH."""
        sign = 1.0 if self.gain >= 0 else -1.0
        own = sign * fit.cross / np.maximum(abs(self.gain) * fit.own, TINY)
        gain = self.gain * np.clip(own, 1 / GAIN_REACH, GAIN_REACH)
        return np.maximum(self.energy - 2 * gain * fit.cross + np.square(gain) * fit.own, 0.0)

    def scores(self, residual: Floats) -> Floats:
        """log(energy / residual) of each frame, both over the noise, less what it has to be explained by."""
        explained = np.log((self.energy + self.noise) / (residual + self.noise))
        sounding = np.maximum(1.0 - 2.0 * self.noise / np.maximum(self.energy, TINY), 0.0)
        return np.clip(explained, WORST, BEST) - UNEXPLAINED * sounding


class Copy(Material):
    """A generated sound that is taken for a copy of the reference's waveform.

    reference, generated: samples without their mean [shape=(n,)], [shape=(m,)], at one rate in Hz.
    """

    shortest_s, searched_s = 0.012, 0.12

    def __init__(self, reference: Samples, generated: Samples, rate: int, gain: float) -> None:
        self.reference, self.generated = reference, generated
        self.hop = max(round(FRAME_S * rate), -(-generated.size // MOST_FRAMES), 1)
        super().__init__(smoothed(self._sums(generated, generated)), (reference.size, generated.size), rate, gain)

    def fit(self, delay: int) -> Fit:
        own, cross = [], []
        step = max(BLOCK // self.hop, 1) * self.hop
        for first in range(0, self.generated.size, step):
            last = min(first + step, self.generated.size)
            laid = self.at(delay, first, last)
            own.append(self._sums(laid, laid))
            cross.append(self._sums(self.generated[first:last], laid))
        return Fit(smoothed(_joined(own)), smoothed(_joined(cross)))

    def at(self, delay: int, first: int = 0, last: int | None = None) -> Samples:
        """The reference, delay samples later, at the generated samples [first, last); zeros where there is none."""
        last = self.generated.size if last is None else last
        size = self.reference.size
        begin, end = min(max(first - delay, 0), size), min(max(last - delay, 0), size)
        if end - begin == last - first:
            return self.reference[begin:end]
        laid = np.zeros(last - first, self.reference.dtype)
        if begin < end:
            laid[begin + delay - first : end + delay - first] = self.reference[begin:end]
        return laid

    @property
    def sample_noise(self) -> float:
        """Energy of the noise in one sample; a frame's holds its neighbours' too."""
        return self.noise / (3 * self.hop)

    def errors(self, delay: int, first: int, last: int) -> Floats:
        """Squared differences of the generated samples [first, last) from the reference at a delay."""
        ours = self.at(delay, first, last).astype(np.float64)
        return np.square(self.generated[first:last] - self.gain * ours)

    def _sums(self, one: Samples, other: Samples) -> Floats:
        """Sums of products over each frame, the last one filled up with zeros."""
        whole = one.size // self.hop * self.hop
        sums = np.einsum("ij,ij->i", one[:whole].reshape(-1, self.hop), other[:whole].reshape(-1, self.hop))
        return sums if whole == one.size else np.append(sums, np.dot(one[whole:], other[whole:]))


def _joined(parts: list[Floats]) -> Floats:
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def smoothed(sums: Floats) -> Floats:
    """Each frame with its two neighbours."""
    padded = np.pad(sums, 1)
    return padded[:-2] + padded[1:-1] + padded[2:]


def one_delay(scores: Floats, shortest: int) -> NDArray[np.intp]:
    """As likeliest() of one delay, but quick: NONE where at least `shortest` frames in a row are not explained."""
    padded = np.concatenate(([False], scores < 0, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)
    states = np.zeros(scores.size, np.intp)
    for first, last in edges[np.diff(edges, axis=1)[:, 0] >= shortest]:
        states[first:last] = NONE
    return states


def likeliest(scores: Sequence[Floats]) -> NDArray[np.intp]:
    """State of each frame, an index of scores [shape=(frames,) each], or NONE; NONE scores 0 everywhere."""
    table = np.stack([np.zeros_like(scores[0]), *scores], axis=1).astype(np.float64)
    came, best = np.zeros(table.shape, np.int16), table[0].copy()
    stay = np.arange(table.shape[1], dtype=np.int16)
    for frame in range(1, len(table)):
        top = int(best.argmax())
        changed = best[top] - CHANGE > best
        came[frame] = np.where(changed, top, stay)
        best = np.where(changed, best[top] - CHANGE, best) + table[frame]
    states = np.empty(len(table), np.intp)
    state = int(best.argmax())
    for frame in range(len(table) - 1, -1, -1):
        states[frame] = state
        state = int(came[frame, state])
    return states - 1


def runs_of(states: NDArray[np.intp], delays: Sequence[int], hop: int, length: int) -> list[Run]:
    """The stretches of one delay, in samples of the generated sound."""
    edges = [0, *(np.flatnonzero(np.diff(states)) + 1).tolist(), states.size]
    return [
        Run(start * hop, min(end * hop, length), delays[states[start]])
        for start, end in itertools.pairwise(edges)
        if states[start] != NONE
    ]
