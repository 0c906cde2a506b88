"""From the runs of a copy to its edit script: what was matched, lost, inserted, repeated, replaced."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec

from diagnose.timeline.segment import Segment
from diagnose.timeline.silence import never

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.timeline.path import Run
    from diagnose.timeline.segment import Content, Span
    from diagnose.timeline.silence import Heard, Quiet

LEAST_S = 0.004  # an edit is at least so long; what is shorter is a delay that moved
REPLACED_S = 0.02  # what is unexplained on both sides for so long was replaced
REPLACED_SHARE = 0.3  # and for such a share of the longer side; else most of it was lost, or inserted
SKIPPED = 0.2  # of a sample that is played, that a sample counts that is passed over to play another
PERIODIC = 3  # edits, from which a distance is a period
PERIOD_FIT = 0.04  # of a period, by which its distances may differ


def script(
    runs: Sequence[Run],
    lengths: tuple[int, int],
    rate: int,
    silent: tuple[Quiet, Quiet],
    heard: Heard = never,
    least_s: float = LEAST_S,
) -> tuple[Segment, ...]:
    """The edit script of runs in the order of the generated sound.

    lengths: samples of the reference and of the generated sound.  silent: of each, whether its samples [start, end)
    are silence.  heard: whether it is a span of the reference that is heard, all the same, in the noise of a silence.
    least_s: of an edit.
    """
    return _Script(runs, lengths, rate, silent, heard, least_s).segments()


def period_of(segments: Sequence[Segment], rate: int) -> float | None:
    """Samples of the generated sound from one edit to the next, where at least three come at one distance."""
    places = [_middle(segment) for segment in segments if segment.kind not in ("matched", "replaced")]
    ends = segments[-1].generated[1] if segments else 0
    places = [place for place in places if 0 < place < ends]
    steps = sorted(later - earlier for earlier, later in itertools.pairwise(places))
    if len(places) < PERIODIC:
        return None
    usual = steps[len(steps) // 2]
    near = [step for step in steps if abs(step - usual) <= PERIOD_FIT * usual + LEAST_S * rate]
    return sum(near) / len(near) if len(near) >= max(0.7 * len(steps), PERIODIC - 1) else None


def _middle(segment: Segment) -> float:
    return (segment.generated[0] + segment.generated[1]) / 2


def together(runs: Sequence[Run], least: int) -> list[list[Run]]:
    """Runs in a row whose delays lie nearer than an edit: one part, whose delay moves."""
    parts: list[list[Run]] = []
    for run in runs:
        if parts and abs(run.delay - parts[-1][-1].delay) < least:
            parts[-1].append(run)
        else:
            parts.append([run])
    return parts


def chain(parts: Sequence[tuple[Span, Span]]) -> set[int]:
    """Indices of the parts that play the most of the reference in its order; the others play something again.

    parts: spans (reference, generated) in the order of the generated sound.
    """
    worth: list[float] = []
    came: list[int] = []
    for index, ((begin, end), (start, _)) in enumerate(parts):
        best, before = float(end - begin), -1
        for other, ((first, last), (_, stop)) in enumerate(parts[:index]):
            if first < begin and last < end:
                value = worth[other] + end - max(begin, last) - SKIPPED * (start - stop)
                if value > best:
                    best, before = value, other
        worth.append(best)
        came.append(before)
    index = max(range(len(parts)), key=worth.__getitem__, default=-1)
    chosen = set()
    while index >= 0:
        chosen.add(index)
        index = came[index]
    return chosen


class _Script:
    """The script while it is written: how far both sounds are accounted for."""

    def __init__(
        self,
        runs: Sequence[Run],
        lengths: tuple[int, int],
        rate: int,
        silent: tuple[Quiet, Quiet],
        heard: Heard,
        least_s: float,
    ) -> None:
        self.runs, self.lengths, self.silent, self.heard = runs, lengths, silent, heard
        self.least, self.replaced = round(least_s * rate), round(max(REPLACED_S, least_s) * rate)
        self.steps: list[Segment] = []
        self.reference = self.generated = 0

    def segments(self) -> tuple[Segment, ...]:
        parts = together(self.runs, self.least)
        spans = [((runs[0].reference[0], runs[-1].reference[1]), (runs[0].start, runs[-1].end)) for runs in parts]
        chosen = chain(spans)
        for index, (runs, (source, played)) in enumerate(zip(parts, spans, strict=True)):
            if index in chosen:
                for run in self._again(runs):
                    self._match(run)
            else:
                self._insert(played[0])
                self._repeat(source, played[1])
        self._end()
        return tuple(self.steps)

    def _again(self, runs: Sequence[Run]) -> list[Run]:
        """What is left of a part, once what was heard before is accounted for as repeated."""
        source = runs[0].reference[0]
        if self.reference - source < self.least:
            return list(runs)
        last = next((run for run in runs if run.reference[1] > self.reference), runs[-1])
        until = max(self.reference + last.delay, last.start)
        unexplained = runs[0].start - self.generated
        if unexplained < self.replaced:  # what the border leaves over is no insertion beside a repetition
            source = max(source - unexplained, 0)
        else:
            self._insert(runs[0].start)
        self._repeat((source, self.reference), until)
        return [msgspec.structs.replace(run, start=max(run.start, until)) for run in runs if run.end > until]

    def _match(self, run: Run) -> None:
        run = self._bridge(msgspec.structs.replace(run, start=max(run.start, self.reference + run.delay)))
        start = max(run.start, self.generated)
        if start < run.end:
            span = start - run.delay, run.end - run.delay
            self._extend(Segment("matched", span, (start, run.end), float(run.delay)))

    def _bridge(self, run: Run) -> Run:
        """Accounts for what lies between the last match and this run; the run, longer where it may be."""
        ours, theirs = run.reference[0] - self.reference, run.start - self.generated
        same = min(ours, theirs)
        last = self.steps[-1] if self.steps else None
        in_place = last is None or (last.kind == "matched" and last.delay == run.delay)
        other = same >= max(self.replaced, REPLACED_SHARE * max(ours, theirs)) and abs(ours - theirs) >= self.least
        if not in_place and other and not self._are_silent(ours, theirs):
            self._add(
                Segment(
                    "replaced",
                    (self.reference, self.reference + ours),
                    (self.generated, run.start),
                    content=self._content(self.generated, run.start),
                )
            )
            return run
        # What lies at the same distance on both sides belongs to the run, whatever was done to it.
        self._lose(self.reference + ours - same)
        self._insert(run.start - same)
        return msgspec.structs.replace(run, start=run.start - same)

    def _are_silent(self, ours: int, theirs: int) -> bool:
        """Whether there is nothing on either side that could be replaced."""
        here, there = self.reference, self.generated
        return self.silent[0](here, here + ours) and self.silent[1](there, there + theirs)

    def _end(self) -> None:
        ours, theirs = self.lengths[0] - self.reference, self.lengths[1] - self.generated
        same = min(ours, theirs)
        last = self.steps[-1] if self.steps else None
        if same > 0 and last is not None and last.kind == "matched":
            self._extend(
                Segment(
                    "matched",
                    (self.reference, self.reference + same),
                    (self.generated, self.generated + same),
                    last.delay,
                )
            )
        self._lose(self.lengths[0])
        self._insert(self.lengths[1])

    def _extend(self, segment: Segment) -> None:
        """A match, joined to the one before where both are one."""
        last = self.steps[-1] if self.steps else None
        if last is not None and last.kind == "matched" and last.delay == segment.delay:
            self.steps[-1] = msgspec.structs.replace(
                last,
                reference=(last.reference[0], segment.reference[1]),
                generated=(last.generated[0], segment.generated[1]),
            )
        else:
            self.steps.append(segment)
        self.reference, self.generated = segment.reference[1], segment.generated[1]

    def _lose(self, until: int) -> None:
        if until - self.reference >= self.least:
            content: Content = "silence" if self.silent[0](self.reference, until) else "sound"
            self._add(Segment("lost", (self.reference, until), (self.generated, self.generated), content=content))
        self.reference = max(until, self.reference)

    def _insert(self, until: int) -> None:
        if until - self.generated >= self.least:
            content = self._content(self.generated, until)
            self._add(Segment("inserted", (self.reference, self.reference), (self.generated, until), content=content))
        self.generated = max(until, self.generated)

    def _repeat(self, source: Span, until: int) -> None:
        if until - self.generated >= self.least and self._is_pause(source, until):
            self._insert(until)  # silence is no repetition
        if until - self.generated >= self.least:
            here = (self.reference, self.reference)
            self._add(Segment("repeated", here, (self.generated, until), source=source))
        self.generated = max(until, self.generated)

    def _is_pause(self, source: Span, until: int) -> bool:
        """Whether a part that is played again is silence, and nothing else explains it better."""
        return self.silent[1](self.generated, until) and not self.heard(source, self.generated, until)

    def _add(self, segment: Segment) -> None:
        last = self.steps[-1] if self.steps else None
        if last is not None and last.kind == segment.kind == "inserted" and last.generated[1] == segment.generated[0]:
            self.steps.pop()
            whole = last.generated[0], segment.generated[1]
            segment = Segment("inserted", segment.reference, whole, content=self._content(*whole))
        self.steps.append(segment)
        self.reference = max(self.reference, segment.reference[1])
        self.generated = max(self.generated, segment.generated[1])

    def _content(self, start: int, end: int) -> Content:
        return "silence" if self.silent[1](start, end) else "sound"
