"""Is a timeline right?  Held against the script the pair was made by, and, where that has a choice, by what it makes.

An edit in silence or in a steady tone has no place of its own.  So a reported script is carried out on the reference,
and where the sound that comes of it is the sound that was made, it is as right as the script that was used.  Under
noise a place is as right as the true one where it explains what is heard as likely: it is hidden from everybody.  A
repeated part that is silence is as well called silence that was inserted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from timeline_edits import at_positions, shifted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline_edits import Edited, Floats, Samples

    from diagnose.timeline.segment import Segment, Span, Timeline

TOLERANCE_S = {"waveform": 0.005, "spectrogram": 0.025, "warped": 0.025, "none": 0.005}
SAME_DB = -40.0  # of a window's power: what two sounds differ by that are one
SILENT_DB = -50.0  # of the whole sound's power, as benchmarks/faults.py has it: what differs by less is silence
PAUSE_DB = -40.0  # of the loudest frames: silence, as the tool has it
UNLIKELIER = 20.0  # twice the nats by which a place is unlikelier than the true one, and may still be it
WINDOW_S = 0.02
MAPPED = 0.95  # of the generated time
PERIOD_OFF = 0.01
BORDER_S = 0.05  # where a shifted sound rings
NOTHING_DB = -200.0


class Score(msgspec.Struct, frozen=True):
    """What is right of one timeline.

    kinds: the edits in order; by_sound: not as they were made, but the script makes the same sound.
    positions: every edit's, and where there is none, the map of what is matched; edits_placed of edits in all, and as
    many_long of the length that is true.
    whole: the segments cover both sounds, one after the other, as a script does.  period: within 1 %, of edits at one
    distance.
    worst_ms: the largest error of a position; worst_db: of the sound the script makes, of its windows' power.
    """

    kinds: bool
    by_sound: bool
    positions: bool
    edits: int
    edits_placed: int
    edits_long: int
    worst_ms: float | None
    worst_db: float | None
    whole: bool
    period: bool | None


def edits_of(segments: Sequence[Segment]) -> list[Segment]:
    """All that is not matched."""
    return [one for one in segments if one.kind != "matched"]


def position(edit: Segment) -> int:
    """Where it is: in the generated sound if the reference has no such part, else in the reference."""
    return edit.generated[0] if edit.kind in ("inserted", "repeated") else edit.reference[0]


def length(edit: Segment) -> int:
    """Samples that are lost, or are there in the generated sound."""
    side = edit.reference if edit.kind == "lost" else edit.generated
    return side[1] - side[0]


# The sound that a script makes


def rebuilt(pair: Edited, segments: Sequence[Segment]) -> Floats:
    """The generated sound by a script [shape=(n,)]; NaN where it does not say what is heard.

    Another sound that was put in is known where it truly is, and nowhere else: a script that calls a part of the
    reference inserted or replaced has not explained it.
    """
    made = np.full(pair.generated.size, np.nan)
    for one in segments:
        into = slice(*one.generated)
        if one.kind == "matched":
            made[into] = _heard(pair.reference, one.reference, made[into].size)
        elif one.kind == "repeated" and one.source:
            made[into] = _heard(pair.reference, one.source, made[into].size)
        elif one.content == "silence":
            made[into] = 0.0
        elif one.kind == "inserted":
            made[into] = _foreign(pair)[into]
    return made


def _heard(reference: Samples, span: Span, size: int) -> Floats:
    """The span; NaN if it is of another size than what it should fill."""
    part = reference[max(span[0], 0) : span[1]].astype(np.float64)
    return part if part.size == size else np.full(size, np.nan)


def is_whole(pair: Edited, segments: Sequence[Segment]) -> bool:
    """Whether the segments cover both sounds, one after the other and none twice."""
    here = there = 0
    for one in segments:
        if (one.reference[0], one.generated[0]) != (here, there):
            return False
        here, there = one.reference[1], one.generated[1]
    return (here, there) == (pair.reference.size, pair.generated.size)


def _foreign(pair: Edited) -> Floats:
    """The generated sound where another was put in, NaN elsewhere."""
    sound = np.full(pair.generated.size, np.nan)
    for one in edits_of(pair.truth.segments):
        if one.content == "sound":
            sound[slice(*one.generated)] = pair.generated[slice(*one.generated)]
    return sound


def differences_db(made: Floats, generated: Samples, rate: int) -> Floats:
    """Power of made - generated over that of generated, in windows of 20 ms each 10 ms; dB [shape=(windows,)].

    Where a window is quieter than -10 dB of what counts as the same in it, the quotient is that to silence: power is
    at least what makes SILENT_DB of the whole sound's power reach SAME_DB.
    """
    hop = max(round(WINDOW_S * rate / 2), 1)
    wrong = np.nan_to_num(np.square(made - generated), nan=np.inf)
    sums = [_by_window(part, hop) for part in (wrong, np.square(generated, dtype=np.float64))]
    mean = float(np.mean(np.square(generated, dtype=np.float64)))
    least = 2 * hop * mean * 10 ** ((SILENT_DB - SAME_DB) / 10)
    return 10 * np.log10(np.maximum(sums[0] / np.maximum(sums[1], max(least, 1e-30)), 10 ** (NOTHING_DB / 10)))


def _by_window(values: Floats, hop: int) -> Floats:
    hops = np.add.reduceat(values, np.arange(0, values.size, hop))
    return hops + np.append(hops[1:], 0.0)


# Scores


def score(pair: Edited, found: Timeline, rate: int, noisy: Samples | None = None) -> Score:
    """What is right of `found`, for a pair before noise and codecs; the truth is the pair's own.

    noisy: the generated sound as it was heard, if noise was added to it.
    """
    true, said = edits_of(pair.truth.segments), edits_of(found.segments)
    kinds = found.method != "none" and _same_kinds(pair, true, said)
    whole, period = is_whole(pair, found.segments), _period_is_right(pair.truth, found)
    if not true:
        error = map_error(pair.truth, found)
        close = error <= TOLERANCE_S[found.method] * rate
        positions = kinds and close and (pair.truth.method != "warped" or found.method == "warped")
        return Score(kinds, False, positions, 0, 0, 0, 1000 * error / rate, None, whole, period)
    made = rebuilt(pair, found.segments)
    differ = differences_db(made, pair.generated, rate)
    worst_db = float(min(differ.max(), 99.0))
    hidden = None if noisy is None else _unlikelier(made, pair.generated, noisy)
    if not kinds:
        same = whole and (worst_db < SAME_DB or (hidden is not None and hidden.sum() <= UNLIKELIER))
        right = len(true) if same else 0
        return Score(same, same, same, len(true), right, right, None, worst_db, whole, period)
    tolerance = TOLERANCE_S[found.method] * rate
    pairs = list(zip(true, said, strict=True))
    errors = [abs(position(a) - position(b)) for a, b in pairs]
    placed = sum(
        error <= tolerance or _same_sound(*both, differ, rate) or _is_hidden(*both, hidden, rate)
        for error, both in zip(errors, pairs, strict=True)
    )
    long = sum(abs(length(a) - length(b)) <= tolerance for a, b in pairs)
    worst_ms = 1000 * max(errors) / rate
    return Score(True, False, placed == len(true), len(true), placed, long, worst_ms, worst_db, whole, period)


def _same_kinds(pair: Edited, true: Sequence[Segment], said: Sequence[Segment]) -> bool:
    """Whether the edits are of the same kinds, in order; a repeated silence may be called an inserted one."""
    if len(true) != len(said):
        return False
    return all(
        a.kind == b.kind or (a.kind == "repeated" and b.kind == "inserted" and _is_silence(pair, a.generated))
        for a, b in zip(true, said, strict=True)
    )


def _is_silence(pair: Edited, span: Span) -> bool:
    """Whether what is there lies PAUSE_DB under the loudest twentieth of 20 ms."""
    hop = len(pair.generated) // max(len(pair.generated) // 512, 1)
    power = np.sort(
        np.add.reduceat(np.square(pair.generated, dtype=np.float64), np.arange(0, len(pair.generated), hop))
    )
    loud = float(power[-max(power.size // 20, 1)]) / hop
    part = np.square(pair.generated[slice(*span)], dtype=np.float64)
    return bool(part.mean() <= loud * 10 ** (PAUSE_DB / 10))


def _unlikelier(made: Floats, generated: Samples, noisy: Samples) -> Floats:
    """Of each sample, what -2 ln(likelihood) of a script is over that of the true one; white noise."""
    noise = np.square(noisy.astype(np.float64) - generated)
    return (np.nan_to_num(np.square(noisy - made), nan=1e3) - noise) / max(float(noise.mean()), 1e-30)


def _is_hidden(true: Segment, said: Segment, unlikelier: Floats | None, rate: int) -> bool:
    """Whether the noise hides which of two places it was."""
    if unlikelier is None:
        return False
    around = round(WINDOW_S * rate)
    first = max(min(true.generated[0], said.generated[0]) - around, 0)
    last = max(true.generated[1], said.generated[1]) + around
    return bool(unlikelier[first:last].sum() <= UNLIKELIER)


def _period_is_right(truth: Timeline, found: Timeline) -> bool | None:
    if truth.period is None:
        return None
    return found.period is not None and abs(found.period - truth.period) <= PERIOD_OFF * truth.period


def _same_sound(true: Segment, said: Segment, differ: Floats, rate: int) -> bool:
    """Whether the script makes the same sound from 20 ms before the first of both to 20 ms after the last."""
    around = round(WINDOW_S * rate)
    hop = max(round(WINDOW_S * rate / 2), 1)
    first = min(true.generated[0], said.generated[0]) - around
    last = max(true.generated[1], said.generated[1]) + around
    return bool(differ[max(first // hop, 0) : last // hop + 1].max(initial=NOTHING_DB) < SAME_DB)


def knots(timeline: Timeline) -> tuple[Floats, Floats]:
    """(generated, reference) of what is matched, from which positions between are on straight lines."""
    if timeline.method == "warped" and timeline.warp:
        ours, theirs = zip(*timeline.warp, strict=True)
    else:
        matched = [one for one in timeline.segments if one.kind == "matched"]
        ours = tuple(place for one in matched for place in one.reference)
        theirs = tuple(place for one in matched for place in one.generated)
    return np.array(theirs, float), np.array(ours, float)


def map_error(truth: Timeline, found: Timeline) -> float:
    """Samples of the reference by which 95 % of the generated time lies at most aside of where it comes from.

    Time that the truth has matched and the timeline has not counts as infinitely far.
    """
    true, said = knots(truth), knots(found)
    if said[0].size == 0:
        return np.inf
    times = np.linspace(true[0][0], true[0][-1], 2000)
    apart = np.abs(np.interp(times, *true) - np.interp(times, *said))
    covered = np.zeros(times.size, bool)
    for one in found.segments:
        if one.kind == "matched":
            covered |= (times >= one.generated[0]) & (times <= one.generated[1])
    return float(np.quantile(np.where(covered, apart, np.inf), MAPPED, method="higher"))


def null_db(timeline: Timeline, reference: Samples, generated: Samples, rate: int) -> float:
    """sum (generated - polarity gain reference')**2 over sum (gain reference')**2, dB, 50 ms at the borders left out.

    reference' is the reference at the timeline's delay: turned in its spectrum, or with a drift read off between its
    samples.
    """
    factor = timeline.gain * (timeline.polarity or 1)
    if timeline.drift_ppm:
        matched = [one for one in timeline.segments if one.kind == "matched"]
        longest = max(matched, key=lambda one: one.reference[1] - one.reference[0])
        start, delay, stretch = longest.reference[0], longest.delay, 1 + timeline.drift_ppm / 1e6
        places: Floats = start + (np.arange(generated.size, dtype=np.float64) - start - delay) / stretch
        moved = factor * at_positions(reference, places)
    else:
        padded = np.pad(reference, (0, max(generated.size - reference.size, 0)))
        moved = factor * shifted(padded, timeline.delay, rate)
    border = round(BORDER_S * rate) + int(abs(timeline.delay)) + 1
    inside = slice(border, min(generated.size, moved.size) - border)
    left = np.sum(np.square(generated[inside].astype(np.float64) - moved[inside]))
    return float(10 * np.log10(max(left / max(float(np.sum(np.square(moved[inside]))), 1e-300), 1e-20)))
