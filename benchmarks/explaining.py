"""Does undoing carry?  The engine of diagnose/explain on faults, on copies that have none, and on what is no copy.

    python benchmarks/explaining.py                    # all of it, into reports/explaining.json
    python benchmarks/explaining.py --part pairs --sounds tuning --count 20

Parts: single, faults of our own at middle and high severity; pairs and three, two and three of them at once; ordinary,
lossy copies in which nothing is wrong; unrelated, pairs of different sounds; foreign, the same faults by other people's
tools, beside our own on the same sounds.  Every third sound is held out.  The engine is asked itself, not through
`compare`; of the foreign faults `compare` is asked too, how sure it is of its first cause (benchmarks/reliability.py).
Exit status 1 where a target is missed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import foreign
import msgspec
import numpy as np
import parts
import reliability
from explaining_cases import FORCED, GATE, OURS, PARTS, Case, broken_by, every_sound, is_held_out, pair_of, planned
from explaining_report import Outcome, facts, printed, targets

import diagnose
from diagnose.analysis import Pair, Signal
from diagnose.audio import Audio, resample
from diagnose.explain import Scene, explain
from diagnose.faults import INJECTORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.arrays import Floats
    from diagnose.audio import Samples
    from diagnose.explain import Explanation


def measured(case: Case) -> Outcome:
    """What the engine says of a case; an exception is a wrong answer to any case."""
    before = Outcome(
        *(case.part, case.sound, case.names, case.by, case.severity),
        truth=case.truth,
        also=case.also,
        held_out=is_held_out(case.sound),
    )
    try:
        return _measured(case, before)
    except Exception as error:  # noqa: BLE001 - the others are to be measured all the same
        return msgspec.structs.replace(before, asked=True, failed=True, said=f"{type(error).__name__}: {error}"[:200])


def _measured(case: Case, before: Outcome) -> Outcome:
    reference, generated = pair_of(case)
    if case.part == "foreign" and case.by != OURS:
        told = diagnose.compare(reference, generated).causes
        before = msgspec.structs.replace(before, causes=reliability.named(told))
    if case.by in (GATE, FORCED):
        scene = _scene_of_others(reference, generated, forced=case.by == FORCED)
        return before if scene is None else _explained(before, scene)
    if reference.rate != generated.rate:
        return before
    # Of several channels the loudest: a fault of each is none of their mean.
    loudest = int(np.argmax(np.square(generated.samples).sum(axis=1)))
    channel = loudest if generated.channels == reference.channels else 0
    one, other = (_alone(each.samples[channel], each.rate) for each in (reference, generated))
    pair = Pair(one, other)
    if pair.timeline.method != "waveform":
        return before
    found = _explained(before, Scene(*pair.overlap, pair.rate))
    if case.by != OURS or len(case.names) < 2:
        return found
    return msgspec.structs.replace(found, without_db=_without(case, channel))


def _scene_of_others(reference: Audio, generated: Audio, forced: bool) -> Scene | None:
    """Two sounds as mixes, at the lower rate; None where compare would not ask.

    forced: whether it is asked all the same, both from their start on and of one length.
    """
    rate = min(reference.rate, generated.rate)
    one, other = (_alone(resample(each, rate).mono, rate) for each in (reference, generated))
    if forced:
        length = min(one.mono.size, other.mono.size)
        return Scene(one.mono[:length], other.mono[:length], rate)
    pair = Pair(one, other)
    is_copy = pair.timeline.method == "waveform" and not pair.unrelated
    return Scene(*pair.overlap, rate) if is_copy else None


def _alone(samples: Samples, rate: int) -> Signal:
    return Signal(Audio(samples[None], rate))


def _explained(before: Outcome, scene: Scene) -> Outcome:
    started = time.perf_counter()
    found = explain(scene)
    seconds = round(time.perf_counter() - started, 4)
    return msgspec.structs.replace(
        before, asked=True, found=found.ids, proven=found.proven, said=_said(found), seconds=seconds
    )


def _said(found: Explanation) -> str:
    """The difference, and each step with what it leaves when it is left out, and when it is not."""
    steps = [f"{step.fitted.id} {step.without_db:.0f} to {step.with_db:.0f} dB" for step in found.steps]
    return "; ".join((f"{found.before_db:.0f} dB", *steps))


def _without(case: Case, channel: int) -> tuple[float, ...]:
    """The distance in dB that each fault leaves when it alone is left out; noise is of its true level."""
    sound = every_sound()[case.sound]
    scene = Scene(sound.samples[channel], _channel(case, case.names, channel), sound.rate)
    variance = None
    if "noise" in case.truth:
        quiet = [name for name in case.names if INJECTORS[name].cause != "noise"]
        variance = scene.error_of(scene.spectra_of(_channel(case, quiet, channel))).mean(axis=0, keepdims=True)
    distances = []
    for index, cause in enumerate(case.truth):
        rest = _channel(case, (*case.names[:index], *case.names[index + 1 :]), channel)
        judged = scene.judge(scene.error_of(scene.spectra_of(rest)), None if cause == "noise" else variance)
        distances.append(round(judged.distance_db, 1))
    return tuple(distances)


def _channel(case: Case, names: Sequence[str], channel: int) -> Floats:
    samples: Floats = broken_by(case.sound, names, case.severity).samples[channel].astype(np.float64)
    return samples


def _printed(part: str, found: Sequence[Outcome]) -> str:
    return "\n".join((printed(part, found), *(foreign.missing() if part == "foreign" else ())))


BENCHMARK = parts.Benchmark(
    about=__doc__ or "",
    report="explaining.json",
    parts=PARTS,
    planned=planned,
    measured=measured,
    printed=_printed,
    targets=targets,
    facts=facts,
    at_once=4,
    answered=True,
)

if __name__ == "__main__":
    parts.main(BENCHMARK)
