"""Pairs of sounds whose edit script is known, for the script is what they are made by.

A plan of steps is carried out on a reference: it yields the generated sound and, beside it, the true Timeline.
Positions are samples.  Nothing here asks the code that is measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from diagnose.timeline.segment import Segment, Span, Timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Samples = NDArray[np.float32]
    Floats = NDArray[np.float64]
    Rng = np.random.Generator

FINER = 4  # times the rate: a sound then fills a quarter of the spectrum, and few taps tell it from its images
TAPS = 10  # on either side of a sample, at the finer rate
EDGE = 16  # samples of silence around a sound, which wraps
BETA = 10.0  # of the Kaiser window of the taps: its side lobes lie 100 dB down
PAD_S = 0.05  # silence around a sound before it is shifted in the frequency domain: it wraps there, not onto it
FRAME_S = 0.046  # of the phase vocoder, and eight hops


class Step(msgspec.Struct, frozen=True):
    """One step of a plan.

    take: the reference goes on to `span`'s end.  lose: `span` is passed over.  again: `span` is played out of turn.
    insert: `added` is put in, content as of a Segment.
    """

    act: Literal["take", "lose", "again", "insert"]
    span: Span = (0, 0)
    added: tuple[Samples, Literal["silence", "sound"]] | None = None


class Edited(msgspec.Struct, frozen=True, eq=False):
    """A pair [shape=(n,), float32] and how the one was made of the other."""

    reference: Samples
    generated: Samples
    truth: Timeline


# Plans


def carried_out(reference: Samples, plan: Iterable[Step], period: float | None = None) -> Edited:
    """The generated sound of a plan, and the script that says it."""
    parts: list[Samples] = []
    segments: list[Segment] = []
    here = there = 0  # in the reference, in the generated sound
    for step in plan:
        if step.act == "take" and step.span[0] == step.span[1]:
            continue
        part = step.added[0] if step.added else reference[slice(*step.span)]
        part = part[:0] if step.act == "lose" else part
        if step.act in ("take", "lose"):
            assert step.span[0] == here, "a plan goes through the reference once"
            here = step.span[1]
        segments.append(_said(step, here, (there, there + part.size)))
        parts.append(part)
        there += part.size
    assert here == reference.size, "a plan goes to the reference's end"
    matched = (one for one in segments if one.kind == "matched")
    longest = max(matched, key=lambda one: one.reference[1] - one.reference[0])
    truth = Timeline("waveform", tuple(segments), longest.delay, polarity=1, correlation=1.0, period=period)
    return Edited(reference, np.concatenate(parts), truth)


def _said(step: Step, here: int, heard: Span) -> Segment:
    if step.act == "take":
        return Segment("matched", step.span, heard, float(heard[0] - step.span[0]))
    if step.act == "lose":
        return Segment("lost", step.span, heard)
    if step.act == "again":
        return Segment("repeated", (here, here), heard, source=step.span)
    assert step.added
    return Segment("inserted", (here, here), heard, content=step.added[1])


def interrupted(size: int, places: Iterable[int], steps: Iterable[Step]) -> list[Step]:
    """The reference from start to end, with a step put in at each place (rising)."""
    plan: list[Step] = []
    here = 0
    for place, step in zip(places, steps, strict=True):
        plan += [Step("take", (here, place)), step]
        here = place
    return [*plan, Step("take", (here, size))]


def cut_parts(reference: Samples, spans: Sequence[Span], period: float | None = None) -> Edited:
    """The reference without the spans (rising, apart)."""
    plan: list[Step] = []
    here = 0
    for start, end in spans:
        plan += [Step("take", (here, start)), Step("lose", (start, end))]
        here = end
    return carried_out(reference, [*plan, Step("take", (here, reference.size))], period)


def insert_silence(
    reference: Samples, places: Sequence[int], lengths: Sequence[int], period: float | None = None
) -> Edited:
    """Zeros before reference[place], of each its length."""
    added = [Step("insert", added=(np.zeros(length, np.float32), "silence")) for length in lengths]
    return carried_out(reference, interrupted(reference.size, places, added), period)


def insert_sound(reference: Samples, place: int, added: Samples) -> Edited:
    """Another sound before reference[place]."""
    return carried_out(reference, interrupted(reference.size, [place], [Step("insert", added=(added, "sound"))]))


def stutter(reference: Samples, spans: Sequence[Span], period: float | None = None) -> Edited:
    """x[:b] + x[a:] at each span (a, b): it is heard twice."""
    ends = [end for _, end in spans]
    return carried_out(reference, interrupted(reference.size, ends, [Step("again", span) for span in spans]), period)


def play_again(reference: Samples, place: int, span: Span) -> Edited:
    """A span from anywhere, before reference[place]."""
    return carried_out(reference, interrupted(reference.size, [place], [Step("again", span)]))


def cut_ends(reference: Samples, first: int, last: int) -> Edited:
    """Without the first and the last so many samples."""
    return cut_parts(reference, [(0, first), (reference.size - last, reference.size)])


# Shifts and clocks


def shifted(samples: Samples, delay: float, rate: int) -> Floats:
    """x(t - delay) [shape as x], by exp(-2 pi i f delay) on the spectrum of x between two stretches of silence."""
    pad = round(PAD_S * rate) + int(abs(delay)) + 1
    padded = np.pad(samples.astype(np.float64), pad)
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(padded.size) * delay)
    return np.fft.irfft(np.fft.rfft(padded) * turn, padded.size)[pad : pad + samples.size]


def at_positions(samples: Samples, positions: Floats) -> Floats:
    """x at any positions in samples, 0 outside: band-limited.

    x is brought to 4 times its rate by zeros in its spectrum, exactly, and read there by a sinc under a Kaiser window.
    """
    padded = np.pad(samples.astype(np.float64), EDGE)
    spectrum = np.fft.rfft(padded)
    spectrum[-1] /= 2 - padded.size % 2  # half of the rate stands once in an even spectrum, and twice in a finer one
    fine = np.fft.irfft(spectrum, FINER * padded.size) * FINER
    wanted = (positions + EDGE) * FINER
    found = np.zeros(positions.size)
    base = np.floor(wanted).astype(np.intp)
    for tap in range(1 - TAPS, TAPS + 1):
        apart = wanted - (base + tap)
        shape = np.sqrt(np.maximum(1 - (apart / TAPS) ** 2, 0))
        weight = np.sinc(apart) * np.i0(BETA * shape) / np.i0(BETA)
        inside = (base + tap >= 0) & (base + tap < fine.size)
        found += weight * np.where(inside, fine[np.clip(base + tap, 0, fine.size - 1)], 0.0)
    return found


def delay_by(reference: Samples, delay: float, rate: int) -> Edited:
    """generated(t + delay) = reference(t), of the reference's length; |delay| of a few samples at most."""
    generated = shifted(reference, delay, rate).astype(np.float32)
    span = (0, reference.size)
    return Edited(reference, generated, _whole(Segment("matched", span, span, delay)))


def drift_by(reference: Samples, ppm: float) -> Edited:
    """generated(t (1 + ppm / 1e6)) = reference(t): > 0 is a clock that lets the generated sound run slow."""
    stretch = 1 + ppm / 1e6
    size = int((reference.size - 1) * stretch) + 1
    generated = at_positions(reference, np.arange(size) / stretch).astype(np.float32)
    truth = _whole(Segment("matched", (0, reference.size), (0, size)))
    return Edited(reference, generated, msgspec.structs.replace(truth, drift_ppm=ppm))


def _whole(segment: Segment) -> Timeline:
    return Timeline("waveform", (segment,), segment.delay, polarity=1, correlation=1.0)


# Another timing


def smooth_map(size: int, rate: int, rng: Rng, most: float = 0.1, knot_s: float = 0.05) -> tuple[tuple[int, int], ...]:
    """Knots (reference, generated), both rising: the generated sound is up to `most` faster and slower in places.

    Speed along the generated sound is 1 + most sin(2 pi t / T + phase) under a random T of 2 to 4 s: it runs ahead
    and behind by up to 2 most T / (2 pi), 60 to 130 ms.
    """
    turn, phase = 2 * np.pi / (rng.uniform(2.0, 4.0) * rate), rng.uniform(0, 2 * np.pi)
    fine = np.arange(0.0, 2 * size, rate / 1000)
    sources = fine + most / turn * (np.cos(phase) - np.cos(turn * fine + phase))
    end = float(np.interp(size, sources, fine))
    places = np.append(np.arange(0, end - knot_s * rate, knot_s * rate), end)
    return tuple((round(a), round(b)) for a, b in zip(np.interp(places, fine, sources), places, strict=True))


def warp(reference: Samples, knots: Sequence[tuple[int, int]], rate: int) -> Edited:
    """The reference with the timing of the knots and its own pitch.

    A phase vocoder: from frame to frame of the generated sound each bin turns as it does in the reference over one
    hop up to the place that is heard, and bins turn with the strongest near them (identity phase locking: Laroche and
    Dolson, IEEE Trans. Speech and Audio Processing 7(3), 1999).
    """
    ours, theirs = (np.array(side, float) for side in zip(*knots, strict=True))
    n_fft = 1 << round(np.log2(FRAME_S * rate))
    size, hop = round(theirs[-1]), n_fft // 8
    centres = np.arange(0, size + hop, hop)
    places = np.round(np.interp(centres, theirs, ours)).astype(np.intp)
    padded = np.pad(reference.astype(np.float64), n_fft // 2 + hop)
    window = np.hanning(n_fft + 1)[:-1]
    summed, weight = np.zeros(size + 2 * n_fft), np.zeros(size + 2 * n_fft)
    phase: Floats | None = None
    for centre, place in zip(centres, places, strict=True):
        now, before = (np.fft.rfft(window * padded[p : p + n_fft]) for p in (place + hop, place))
        phase = np.angle(now) if phase is None else _turned(phase, now, before)
        part = slice(centre, centre + n_fft)
        summed[part] += window * np.fft.irfft(np.abs(now) * np.exp(1j * phase))
        weight[part] += window**2
    middle = slice(n_fft // 2, n_fft // 2 + size)
    generated = (summed[middle] / np.maximum(weight[middle], 1e-3)).astype(np.float32)
    segment = Segment("matched", (0, round(ours[-1])), (0, size))
    return Edited(reference, generated, Timeline("warped", (segment,), correlation=1.0, warp=tuple(knots)))


def _turned(phase: Floats, now: NDArray[np.complex128], before: NDArray[np.complex128]) -> Floats:
    """Phases of the next frame: of each peak its turn, of the bins around it what they have to it in the reference."""
    level = np.abs(now)
    middle = level[2:-2]
    peaks = 2 + np.flatnonzero(
        (middle > level[1:-3]) & (middle >= level[3:-1]) & (middle > level[:-4]) & (middle >= level[4:])
    )
    if not peaks.size:
        return phase + np.angle(now) - np.angle(before)
    bins = np.arange(level.size)
    owner = peaks[np.searchsorted((peaks[1:] + peaks[:-1]) / 2, bins)]
    turned = phase[owner] + np.angle(now[owner]) - np.angle(before[owner])
    return turned + np.angle(now) - np.angle(now[owner])


# Random places


def spread(rng: Rng, size: int, lengths: Sequence[int], room: int) -> list[Span]:
    """Spans of the lengths in random places, at least `room` apart and from both ends.

    Where they would leave less than half of the sound, all are made smaller.
    """
    count = len(lengths)
    need = sum(lengths) + (count + 1) * room
    scale = min(1.0, 0.6 * size / need)
    lengths, room = [max(int(length * scale), 1) for length in lengths], int(room * scale)
    free = size - sum(lengths) - (count + 1) * room
    cuts = np.sort(rng.integers(0, free + 1, count))
    starts = [int(cut) + sum(lengths[:i]) + (i + 1) * room for i, cut in enumerate(cuts)]
    return [(start, start + length) for start, length in zip(starts, lengths, strict=True)]


def regular(rng: Rng, size: int, length: int, period: int) -> list[Span]:
    """Spans of one length each period of the reference, from a random place in the first; none at the ends."""
    first = int(rng.integers(period // 4, period))
    return [(start, start + length) for start in range(first, size - length - period // 4, period)]
