"""Voices: the pitch of both sounds, frame on frame along the timeline: what is kept, moved by an octave, lost."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from diagnose.arrays import median, quantile, runs
from diagnose.spectrogram import Framing, power_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from diagnose.analysis.signal import Signal
    from diagnose.arrays import Floats

SAME = 0.06  # octaves, 72 cents: the same pitch, but for jitter
OCTAVE = 0.08  # octaves about an octave; also the widest that a tracker's own error is off
HELD_FRAMES = 2  # in a row, that an octave has to be held: a tracker slips in single frames
MELODY = 0.6  # octaves about the median in which a melody lies: what is outside, the tracker has wrong
FURTHEST_LAG = 12  # frames
LATE_BY = 0.25  # of the frames, that a lag has to set right: a flat pitch fits at any lag
FEWEST = 8  # voiced frames, that anything is said of
HARMONICS = 4  # odd and even ones each
SOUNDING = 1e-5  # of the loudest frame's power, -50 dB


class Voices:
    """f0 of both [shape=(frames,)] in Hz, 0 where unvoiced, laid on each other; frames are hop_s apart.

    places: indices of the frames in each sound, for what is asked of their spectra.
    """

    def __init__(
        self,
        signals: tuple[Signal, Signal],
        f0: tuple[Floats, Floats],
        hop_s: float,
        places: tuple[NDArray[np.intp], NDArray[np.intp]],
    ) -> None:
        self.ours, self.theirs = f0
        self.hop_s = hop_s
        self._signals, self._places = signals, places

    @cached_property
    def both(self) -> NDArray[np.bool_]:
        return (self.ours > 0) & (self.theirs > 0)

    @property
    def has_voice(self) -> bool:
        """Whether the reference has frames enough with a pitch."""
        return int((self.ours > 0).sum()) >= FEWEST

    @cached_property
    def octaves(self) -> Floats:
        """log2 of theirs over ours in each frame; 0 where one of them has no pitch."""
        return _octaves_apart(self.ours, self.theirs, self.both)

    @property
    def same_share(self) -> float:
        """Share of the frames with two pitches in which they are the same."""
        return self._share(np.abs(self.octaves) < SAME)

    @cached_property
    def octave_up(self) -> NDArray[np.bool_]:
        """Frames an octave too high, two and more in a row."""
        return _held(self.both & (np.abs(self.octaves - 1) < OCTAVE))

    @cached_property
    def octave_down(self) -> NDArray[np.bool_]:
        """Frames an octave too low, two and more in a row."""
        return _held(self.both & (np.abs(self.octaves + 1) < OCTAVE))

    @property
    def octave_share(self) -> float:
        """Share of the frames with two pitches that are an octave off."""
        return self._share(self.octave_up | self.octave_down)

    @property
    def lost_share(self) -> float:
        """Share of the reference's voiced frames that have no pitch any more."""
        return float(((self.ours > 0) & (self.theirs == 0)).sum()) / max(int((self.ours > 0).sum()), 1)

    @property
    def gained_share(self) -> float:
        """Share of the reference's unvoiced frames that have a pitch now."""
        return float(((self.ours == 0) & (self.theirs > 0)).sum()) / max(int((self.ours == 0).sum()), 1)

    @property
    def error_share(self) -> float:
        """Share of all frames in which one has a pitch and the other has none."""
        return float(((self.ours > 0) != (self.theirs > 0)).mean()) if self.ours.size else 0.0

    @cached_property
    def _melody(self) -> NDArray[np.bool_]:
        """Frames with two pitches, each near its own median: what the tracker has right in both."""
        if not self.both.any():
            return self.both
        near = [
            np.abs(np.log2(np.maximum(f0, 1.0) / median(f0[self.both]))) < MELODY for f0 in (self.ours, self.theirs)
        ]
        return self.both & near[0] & near[1]

    @property
    def spreads_cents(self) -> tuple[float, float]:
        """How far the melody of each moves: half the distance of its 10th and 90th percentile, in cents."""
        if int(self._melody.sum()) < FEWEST:
            return 0.0, 0.0
        logs = [1200 * np.log2(f0[self._melody]) for f0 in (self.ours, self.theirs)]
        ours, theirs = ((quantile(each, 0.9) - quantile(each, 0.1)) / 2 for each in logs)
        return ours, theirs

    @property
    def shift_cents(self) -> float:
        """Median of what they are apart, octaves off aside; 0 without frames."""
        return 1200 * median(self.octaves[self._melody]) if self._melody.any() else 0.0

    @property
    def rmse_cents(self) -> float:
        """Root of the mean square of what they are apart, octaves off aside."""
        return float(np.sqrt(np.square(1200 * self.octaves[self._melody]).mean())) if self._melody.any() else 0.0

    @cached_property
    def late(self) -> tuple[int, float]:
        """(frames by which their pitch comes late, same_share at that lag); (0, same_share) where no lag is better."""
        found = max(range(-FURTHEST_LAG, FURTHEST_LAG + 1), key=lambda lag: (self._same_at(lag), -abs(lag)))
        return found, self._same_at(found)

    @property
    def is_late(self) -> bool:
        """Whether the pitch fits clearly better some frames later, or earlier."""
        return self.late[0] != 0 and self.late[1] > self._same_at(0) + LATE_BY

    def _same_at(self, lag: int) -> float:
        """Share of the frames voiced in either, that have the same pitch at a lag."""
        if abs(lag) >= self.ours.size:
            return 0.0
        ours = self.ours[max(-lag, 0) : self.ours.size - max(lag, 0)]
        theirs = self.theirs[max(lag, 0) : self.theirs.size - max(-lag, 0)]
        either = (ours > 0) | (theirs > 0)
        if int(either.sum()) < FEWEST:
            return 0.0
        both = (ours > 0) & (theirs > 0)
        apart = np.abs(_octaves_apart(ours, theirs, both))
        return float((both & (apart < SAME)).sum()) / float(either.sum())

    @cached_property
    def harmonics_moved_db(self) -> float:
        """How far odd multiples of the lower of two pitches rose or fell over the even ones, in frames an octave off.

        An octave up takes the odd harmonics away; an octave down puts harmonics between.  A tracker that slips changes
        neither.  Median over the frames, dB; 0 where there is none.
        """
        moved = [self._moved(self.octave_up, self.ours, 1.0), self._moved(self.octave_down, self.theirs, -1.0)]
        found = np.concatenate(moved)
        return median(found) if found.size else 0.0

    def _moved(self, frames: NDArray[np.bool_], f0: Floats, sign: float) -> Floats:
        index = np.flatnonzero(frames)
        if not index.size:
            return np.zeros(0)
        ours, theirs = (
            _even_over_odd_db(power[place[index]], f0[index], signal.rate)
            for power, place, signal in zip(self._powers, self._places, self._signals, strict=True)
        )
        return np.asarray(sign * (theirs - ours))

    @cached_property
    def _powers(self) -> list[Floats]:
        """|STFT|**2 of both in the tracker's frames [shape=(frames, bins)]."""
        return [_powers(signal, self.hop_s) for signal in self._signals]

    @cached_property
    def unvoiced_db(self) -> float | None:
        """Median |change of level| of the reference's sounding frames without a pitch, dB; None where there are few."""
        ours, theirs = (power[place].sum(axis=1) for power, place in zip(self._powers, self._places, strict=True))
        loud = (self.ours == 0) & (ours > SOUNDING * ours.max(initial=0.0))
        if int(loud.sum()) < FEWEST // 2:
            return None
        return median(np.abs(10 * np.log10(np.maximum(theirs[loud], 1e-20) / np.maximum(ours[loud], 1e-20))))

    def _share(self, frames: NDArray[np.bool_]) -> float:
        count = int(self.both.sum())
        return float((frames & self.both).sum()) / count if count >= FEWEST else 0.0


def _octaves_apart(ours: Floats, theirs: Floats, both: NDArray[np.bool_]) -> Floats:
    """log2 of theirs over ours in the frames with two pitches; 0 in the others."""
    return np.asarray(np.log2(np.where(both, theirs, 1.0) / np.where(both, ours, 1.0)))


def _held(frames: NDArray[np.bool_]) -> NDArray[np.bool_]:
    kept = np.zeros_like(frames)
    for start, end in runs(frames):
        if end - start >= HELD_FRAMES:
            kept[start:end] = True
    return kept


def _powers(signal: Signal, hop_s: float) -> Floats:
    hop = round(hop_s * signal.rate)
    blocks: Sequence[Floats] = list(power_blocks(signal.mono, Framing(2 * hop, hop, "none"), signal.moments.mean))
    return np.concatenate(blocks) if blocks else np.zeros((0, hop + 1))


def _even_over_odd_db(power: Floats, f0: Floats, rate: int) -> Floats:
    """Level of the even harmonics of f0 over that of the odd ones, dB, frame by frame."""
    size = 2 * (power.shape[1] - 1)
    sums = []
    for first in (2, 1):
        multiples = first + 2 * np.arange(HARMONICS)
        bins = np.minimum(np.rint(f0[:, None] * multiples * size / rate).astype(int), power.shape[1] - 2)
        rows = np.arange(len(power))[:, None]
        sums.append(np.max([power[rows, bins + step] for step in (-1, 0, 1)], axis=0).sum(axis=1))
    return np.asarray(10 * np.log10(np.maximum(sums[0], 1e-20) / np.maximum(sums[1], 1e-20)))
