"""Does undoing carry?  The engine of diagnose/explain on the faults that it has operations for, one and two at once.

    python benchmarks/explaining.py [PAIRS_OF_FAULTS]     # into reports/explaining.json; 12 pairs of faults a sound

Faults of our own, on copies whose waveform is kept, middle and high severity; every third sound is held out.  `compare`
does not ask the engine yet: this is the study that decides whether it will.
"""

from __future__ import annotations

import itertools
import json
import platform
import sys
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
    """One pair: the causes of what was injected, and of the chain, what explains the most first."""

    sound: str
    faults: tuple[str, ...]
    truth: tuple[str, ...]
    found: tuple[str, ...]
    proven: bool
    held_out: bool
    said: str = ""

    @property
    def right(self) -> bool:
        return set(self.truth) <= set(self.found) and (len(self.truth) > 1 or self.found[:1] == self.truth)

    @property
    def too_many(self) -> bool:
        return bool(set(self.found) - set(self.truth))


@lru_cache(maxsize=1)
def every_sound() -> dict[str, Audio]:
    return {name: make() for name, make in sounds.SOUNDS.items()} | sounds.real_sounds(DATA)


def outcome(name: str, chosen: Sequence[str], severity: float) -> Outcome | None:
    """What the engine says of a sound with these faults, in their order; None where it is no copy any more."""
    sound = every_sound()[name]
    broken = sound
    for fault in chosen:
        seed = zlib.crc32(f"{name}/{fault}/{severity}".encode())
        broken = FAULTS[fault].inject(broken, severity, np.random.default_rng(seed))
    # Of several channels the loudest: a fault of each is none of their mean.
    loudest = int(np.argmax(np.square(broken.samples).sum(axis=1))) if broken.channels == sound.channels else 0
    sides = [Signal(Audio(each.samples[loudest : loudest + 1], each.rate)) for each in (sound, broken)]
    if sides[0].rate != sides[1].rate:
        return None
    pair = Pair(sides[0], sides[1])
    if pair.timeline.method != "waveform":
        return None
    found = explain(Scene(*pair.overlap, pair.rate))
    steps = [f"{step.fitted.id} {step.before_db:.0f} to {step.after_db:.0f} dB" for step in found.steps]
    held_out = name in sounds.held_out(list(every_sound()))
    truth = tuple(FAULTS[fault].cause for fault in chosen)
    return Outcome(name, tuple(chosen), truth, found.ids, found.proven, held_out, "; ".join(steps))


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
    }


def main() -> None:
    cases = planned(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS)
    with ProcessPoolExecutor(2) as pool:
        found = [each for each in pool.map(outcome, *zip(*cases, strict=True), chunksize=8) if each is not None]
    tables = {}
    for faults, held_out in itertools.product((1, 2), (False, True)):
        group = [each for each in found if len(each.truth) == faults and each.held_out == held_out]
        tables[f"{faults} fault{'s' * (faults > 1)}, {'held out' if held_out else 'tuning'}"] = table(group)
    for name, figures in tables.items():
        print(f"{name:22}", ", ".join(f"{what} {value:.3g}" for what, value in figures.items()))
    document = {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
        "no copy any more": len(cases) - len(found),
        "tables": tables,
        "wrong": [msgspec.to_builtins(each) for each in found if not each.right],
    }
    write_whole(ROOT / "reports" / "explaining.json", (json.dumps(document, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
