"""Does undoing carry?  The engine of diagnose/explain on the faults that it has operations for, one and two at once.

    python benchmarks/explaining.py [PAIRS_OF_FAULTS]     # into reports/explaining.json; 12 pairs of faults a sound

Faults of our own, on copies whose waveform is kept, middle and high severity; every third sound is held out.  `compare`
does not ask the engine yet: this is the study that decides whether it will.
"""

from __future__ import annotations

import itertools
import json
import math
import platform
import sys
import time
import zlib
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import sounds

from diagnose.analysis import Pair, Signal
from diagnose.audio import Audio
from diagnose.explain import Scene, explain
from diagnose.explain.scene import ORDINARY_DB
from diagnose.faults import FAULTS
from diagnose.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.faults import Fault

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
TEN = (
    *("gain", "dc-offset", "polarity", "clipping", "quantisation", "high-frequency-loss", "tilt", "band-gap"),
    *("dropout", "noise", "hum", "clicks"),
)
SEVERITIES = (0.5, 1.0)
PAIRS = 12


class Outcome(msgspec.Struct, frozen=True):
    """One pair: the causes of what was injected, and of the chain, what explains the most first.

    without_db: the distance that is left when one of the faults is left out, each as it was injected.
    """

    sound: str
    faults: tuple[str, ...]
    truth: tuple[str, ...]
    found: tuple[str, ...]
    proven: bool
    held_out: bool
    without_db: tuple[float, ...] = ()
    said: str = ""
    seconds: float = 0.0

    @property
    def right(self) -> bool:
        return set(self.truth) <= set(self.found) and (len(self.truth) > 1 or self.found[:1] == self.truth)

    @property
    def too_many(self) -> bool:
        return bool(set(self.found) - set(self.truth))

    @property
    def matters(self) -> bool:
        """Whether leaving out any of the faults costs 1 dB or more over ordinary loss."""
        return all(10 * math.log10(1 + 10 ** ((each - ORDINARY_DB) / 10)) >= 1.0 for each in self.without_db)


@lru_cache(maxsize=1)
def every_sound() -> dict[str, Audio]:
    return {name: make() for name, make in sounds.SOUNDS.items()} | sounds.real_sounds(DATA)


def broken_by(name: str, chosen: Sequence[str], severity: float) -> Audio:
    """The sound with these faults, in their order; a fault draws the same whatever stands beside it."""
    broken = every_sound()[name]
    for fault in chosen:
        seed = zlib.crc32(f"{name}/{fault}/{severity}".encode())
        broken = FAULTS[fault].inject(broken, severity, np.random.default_rng(seed))
    return broken


def outcome(name: str, chosen: Sequence[str], severity: float) -> Outcome | None:
    """What the engine says of a sound with these faults, in their order; None where it is no copy any more."""
    sound, broken = every_sound()[name], broken_by(name, chosen, severity)
    # Of several channels the loudest: a fault of each is none of their mean.
    loudest = int(np.argmax(np.square(broken.samples).sum(axis=1))) if broken.channels == sound.channels else 0
    sides = [Signal(Audio(each.samples[loudest : loudest + 1], each.rate)) for each in (sound, broken)]
    if sides[0].rate != sides[1].rate:
        return None
    pair = Pair(sides[0], sides[1])
    if pair.timeline.method != "waveform":
        return None
    started = time.perf_counter()
    found = explain(Scene(*pair.overlap, pair.rate))
    seconds = time.perf_counter() - started
    steps = [f"{step.fitted.id} {step.without_db:.0f} to {step.with_db:.0f} dB" for step in found.steps]
    steps.insert(0, f"{found.before_db:.0f} dB")
    held_out = name in sounds.held_out(list(every_sound()))
    truth = tuple(FAULTS[fault].cause for fault in chosen)
    without = _without(name, chosen, severity, loudest) if len(chosen) > 1 else ()
    return Outcome(
        name, tuple(chosen), truth, found.ids, found.proven, held_out, without, "; ".join(steps), round(seconds, 4)
    )


def _without(name: str, chosen: Sequence[str], severity: float, channel: int) -> tuple[float, ...]:
    """The distance in dB that each fault leaves when it alone is left out; noise is of its true level."""
    whole, distances = broken_by(name, chosen, severity).samples[channel], []
    scene = Scene(every_sound()[name].samples[channel], whole, every_sound()[name].rate)
    causes = [FAULTS[fault].cause for fault in chosen]
    variance = None
    if "noise" in causes:
        quiet = [fault for fault in chosen if FAULTS[fault].cause != "noise"]
        error = scene.error_of(scene.spectra_of(broken_by(name, quiet, severity).samples[channel].astype(np.float64)))
        variance = error.mean(axis=0, keepdims=True)
    for index, cause in enumerate(causes):
        rest = [*chosen[:index], *chosen[index + 1 :]]
        error = scene.error_of(scene.spectra_of(broken_by(name, rest, severity).samples[channel].astype(np.float64)))
        distances.append(round(scene.judge(error, None if cause == "noise" else variance).distance_db, 1))
    return tuple(distances)


def planned(pairs: int) -> list[tuple[str, tuple[str, ...], float]]:
    cases = []
    for name, sound in every_sound().items():
        ours: list[Fault] = [each for each in FAULTS.values() if each.cause in TEN and "mel" not in each.name]
        ours = [each for each in ours if each.fits(sound)]
        for fault in ours:
            cases += [(name, (fault.name,), severity) for severity in (SEVERITIES if fault.unit else SEVERITIES[1:])]
        both = [(a.name, b.name) for a, b in itertools.permutations(ours, 2) if a.cause != b.cause]
        chosen = np.random.default_rng(zlib.crc32(name.encode())).permutation(len(both))[:pairs]
        cases += [(name, both[index], 0.5) for index in chosen]
    return cases


def table(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Shares of the pairs: right, a step too many; of the chains that are proofs, those with a wrong step."""
    proven = [each for each in outcomes if each.proven]
    return {
        "pairs": len(outcomes),
        "right": sum(each.right for each in outcomes) / max(len(outcomes), 1),
        "a step too many": sum(each.too_many for each in outcomes) / max(len(outcomes), 1),
        "proven": len(proven) / max(len(outcomes), 1),
        "proven, with a wrong step": sum(each.too_many for each in proven) / max(len(proven), 1),
        "median s": float(np.median([each.seconds for each in outcomes])) if outcomes else 0.0,
    }


def main() -> None:
    cases = planned(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS)
    with ProcessPoolExecutor(2) as pool:
        found = [each for each in pool.map(outcome, *zip(*cases, strict=True), chunksize=8) if each is not None]
    tables = {}
    for faults, held_out in itertools.product((1, 2), (False, True)):
        group = [each for each in found if len(each.truth) == faults and each.held_out == held_out]
        name = f"{faults} fault{'s' * (faults > 1)}, {'held out' if held_out else 'tuning'}"
        tables[name] = table(group)
        if faults > 1:
            tables[f"{name}, all of which matter"] = table([each for each in group if each.matters])
    for name, figures in tables.items():
        print(f"{name:45}", ", ".join(f"{what} {value:.3g}" for what, value in figures.items()))
    document = {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
        "no copy any more": len(cases) - len(found),
        "tables": tables,
        "wrong": [msgspec.to_builtins(each) for each in found if not each.right or each.too_many],
    }
    write_whole(ROOT / "reports" / "explaining.json", (json.dumps(document, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
