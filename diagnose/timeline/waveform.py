"""The waveform way: each part of the generated sound is the reference's waveform, at some delay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.timeline import clock as clocks
from diagnose.timeline.candidates import Waveforms
from diagnose.timeline.path import Copy, Run
from diagnose.timeline.seams import placed
from diagnose.timeline.search import runs as search
from diagnose.timeline.simplest import joined

if TYPE_CHECKING:
    from diagnose.audio import Samples
    from diagnose.timeline.clock import Clock
    from diagnose.timeline.single_delay import Alignment

SEED_S = 0.15
SEEDS = 8  # blocks, from which the first delays are read
SEED_LIKELY = 0.8
COPIED = 1.7  # nats a sounding frame that make a copy, where the whole did not show it: r^2 of 0.86
FEW, COPIED_IN_MANY = 4, 2.3  # runs, beyond which it takes r^2 of 0.93: a tone at another tempo is alike in many pieces
ALLOWED = 0.9  # of the nats that the noise allows, which make one in many runs all the same
ALL = 0.9  # |r| of the whole at one delay, from which parts need not be asked
BETTER = 0.3  # nats a frame that the parts have to explain beyond the whole
WORSE = 0.3  # nats a frame by which one clock may explain less than many delays
SHARPENED = 2  # times that a drift is read again, on its own clock


class Copied(msgspec.Struct, frozen=True):
    """A copy's runs, in samples of the generated sound as it is; its signed gain; its clock, where it has one."""

    runs: tuple[Run, ...]
    gain: float
    clock: Clock | None
    copy: Copy


def copied(reference: Samples, generated: Samples, rate: int, whole: Alignment) -> Copied | None:
    """The runs of a copy; None where the one is no copy of the other.

    whole: one delay for all, which begins the search; where it does not explain the most of it, parts are asked too.
    """
    found = None
    if whole.method == "waveform":
        found = _laid(reference, generated, rate, [whole.delay], whole.gain * (whole.polarity or 1))
        if found.explained < min(COPIED, ALLOWED * found.allowed):
            found = msgspec.structs.replace(found, runs=_at_one_delay(found.runs))
    else:
        clock = clocks.read(reference, generated, rate, [_whole(reference, generated, whole.delay)])
        if clock is not None and (clock.drift or clock.fraction):
            steady = _on_clock(reference, generated, rate, clock, whole.gain)
            if steady.laid.is_copy:
                return steady.copied()
    if found is None or abs(whole.correlation) < ALL:
        delays, gain = seeds(reference, generated, rate)
        apart = _laid(reference, generated, rate, delays, gain) if delays else None
        if apart is not None and apart.is_copy and (found is None or apart.explained >= found.explained + BETTER):
            found = apart
    if found is None or not found.runs:
        return None
    clock = clocks.read(reference, generated, rate, found.runs)
    if clock is not None and (clock.drift or clock.fraction):
        steady = _on_clock(reference, generated, rate, clock, found.copy.gain)
        if steady.laid.explained >= found.explained - WORSE and len(steady.laid.runs) <= len(found.runs):
            return steady.copied()
        clock = None
    return Copied(tuple(found.runs), found.copy.gain, None if clocks.apart(found.runs, rate) else clock, found.copy)


class _Laid(msgspec.Struct, frozen=True, eq=False):
    """Runs to the sample, what they explain of the copy, and what its noise allows; nats a sounding frame."""

    runs: list[Run]
    explained: float
    allowed: float
    copy: Copy

    @property
    def is_copy(self) -> bool:
        """Whether the parts explain the most of it: in many pieces, any tone is alike."""
        if len(self.runs) > FEW and self.explained < min(COPIED_IN_MANY, ALLOWED * self.allowed):
            return False
        return self.explained >= COPIED


def _at_one_delay(runs: list[Run]) -> list[Run]:
    """The runs at the delay of the longest, as one: of what is hardly a copy any more, others are mere likenesses."""
    longest = max(runs, key=lambda run: run.end - run.start, default=None)
    return joined([run for run in runs if longest and run.delay == longest.delay])


class _Steady(msgspec.Struct, frozen=True, eq=False):
    """A clock, and how the generated sound lies on it."""

    clock: Clock
    laid: _Laid

    def copied(self) -> Copied:
        return Copied(tuple(self.laid.runs), self.laid.copy.gain, self.clock, self.laid.copy)


def _on_clock(reference: Samples, generated: Samples, rate: int, clock: Clock, gain: float) -> _Steady:
    """Laid on a clock, which is read again where it drifts: within a block a drift blurs what is read of it."""
    moved = clocks.on_clock(generated, clock)
    for _ in range(SHARPENED if clock.drift else 0):
        rest = clocks.read(reference, moved, rate, [_whole(reference, moved, round(clock.delay))], 0.0)
        if rest is None or abs(rest.drift) > abs(clock.drift):
            break
        clock = clocks.sharpened(clock, rest)
        moved = clocks.on_clock(generated, clock)
    return _Steady(clock, _laid(reference, moved, rate, [round(clock.delay)], gain))


def _whole(reference: Samples, generated: Samples, delay: int) -> Run:
    return Run(0, generated.size, delay).within(reference.size)


def _laid(reference: Samples, generated: Samples, rate: int, delays: list[int], gain: float) -> _Laid:
    copy = Copy(reference, generated, rate, gain)
    source = Waveforms(reference, generated, rate, 1.0 if gain >= 0 else -1.0)
    found = search(copy, source, delays)
    return _Laid(placed(copy, found.runs), found.explained, found.allowed, copy)


def seeds(reference: Samples, generated: Samples, rate: int) -> tuple[list[int], float]:
    """(delays of parts of the generated sound that the reference explains, signed gain); none where there are none."""
    source = Waveforms(reference, generated, rate, 1.0)
    size = min(round(SEED_S * rate), generated.size)
    starts = np.linspace(0, generated.size - size, SEEDS * 4).astype(int).tolist()
    power = {start: float(np.dot(generated[start : start + size], generated[start : start + size])) for start in starts}
    louder = sorted(power, key=lambda start: -power[start])[: SEEDS * 2 : 2]
    found = [(start, *source.seed(start, start + size)) for start in louder]
    found = [each for each in found if abs(each[2]) >= SEED_LIKELY]
    sign = 1.0 if sum(r for _, _, r in found) > 0 else -1.0
    found = [each for each in found if each[2] * sign > 0]
    gains = []
    for start, delay, r in found:
        own = reference[max(start - delay, 0) : max(start - delay, 0) + size]
        gains.append(abs(r) * (power[start] / max(float(np.dot(own, own)), 1e-30)) ** 0.5)
    if not found:
        return [], 1.0
    return list(dict.fromkeys(delay for _, delay, _ in found)), sign * sorted(gains)[len(gains) // 2]
