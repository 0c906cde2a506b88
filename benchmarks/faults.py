"""How often is the cause right?  Faults x sounds x severities, and clean pairs that have none.

    python benchmarks/faults.py                  # all of it, into reports/faults.json and reports/faults.png
    python benchmarks/faults.py --sounds tuning  # without the sounds that were held out

Every third sound is held out: no threshold of a cause was ever chosen by it.  A pair in which the fault changed
less than -50 dB of the sound is no fault, and is left out and counted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import zlib
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import faults_picture
import msgspec
import numpy as np
import reliability
import soundfile
import sounds
from reliability import NOTHING, First, Named

import diagnose
from diagnose.audio import Audio, read
from diagnose.faults import INJECTORS
from diagnose.injectors.injector import audible

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
SEVERITIES = {"low": 0.0, "middle": 0.5, "high": 1.0}
UNGRADED = "there or not"
CLEAN = ("identical", "16 bit", "Vorbis q6", "gain 0.1 dB")


class Outcome(msgspec.Struct, frozen=True):
    """One pair: what was wrong, and what was named, most likely first."""

    sound: str
    fault: str
    severity: str
    expected: str | None
    verdict: str
    causes: tuple[Named, ...]
    held_out: bool

    @property
    def claim(self) -> First:
        if not self.causes:
            return First(NOTHING, 0.0, right=False)
        return First(self.causes[0].id, self.causes[0].confidence, self.rank == 1)

    @property
    def rank(self) -> int | None:
        """Place of the right cause, 1 for the first; None where it is not named."""
        ids = [cause.id for cause in self.causes]
        return ids.index(self.expected) + 1 if self.expected in ids else None


@lru_cache(maxsize=1)
def all_sounds() -> dict[str, Audio]:
    """The project's own and, where they are, the real ones."""
    return {name: make() for name, make in sounds.SOUNDS.items()} | sounds.real_sounds(DATA)


def broken(sound: str, fault: str, severity: str) -> Audio:
    """The faulty copy; the same one whenever and wherever it is made."""
    rng = np.random.default_rng(zlib.crc32(f"{sound}/{fault}/{severity}".encode()))
    return INJECTORS[fault].inject(all_sounds()[sound], SEVERITIES.get(severity, 1.0), rng)


def clean(sound: Audio, kind: str, folder: Path) -> Audio:
    """A copy in which nothing is wrong."""
    if kind == "gain 0.1 dB":
        return Audio(sound.samples * np.float32(10 ** (0.1 / 20)), sound.rate, kind)
    if kind == "16 bit":
        return Audio((np.round(sound.samples * 32768) / 32768).astype(np.float32), sound.rate, kind)
    if kind == "Vorbis q6":
        path = folder / f"{os.getpid()}.ogg"
        soundfile.write(path, sound.samples.T, sound.rate, format="OGG", subtype="VORBIS", compression_level=0.4)
        return read(path)  # libvorbis's quality is 1 - compression_level: 0.6, which oggenc calls 6
    return sound


def outcomes(task: tuple[str, bool, str]) -> list[Outcome]:
    """All pairs of one sound."""
    name, held_out, folder = task
    sound, found = all_sounds()[name], []
    for fault in INJECTORS.values():
        if not fault.fits(sound):
            continue
        for severity in SEVERITIES if fault.unit else (UNGRADED,):
            copy = broken(name, fault.name, severity)
            if not audible(sound, copy):
                found.append(Outcome(name, fault.name, severity, fault.cause, "inaudible", (), held_out))
                continue
            report = diagnose.compare(sound, copy)
            causes = reliability.named(report.causes)
            found.append(Outcome(name, fault.name, severity, fault.cause, report.verdict, causes, held_out))
    for kind in CLEAN:
        report = diagnose.compare(sound, clean(sound, kind, Path(folder)))
        causes = reliability.named(report.causes)
        found.append(Outcome(name, kind, "clean", None, report.verdict, causes, held_out))
    return found


def accuracy(found: list[Outcome]) -> dict[str, float | int]:
    """Top-1 and top-3 over pairs with a fault."""
    ranks = [outcome.rank for outcome in found]
    count = max(len(ranks), 1)
    return {
        "pairs": len(ranks),
        "top_1": sum(rank == 1 for rank in ranks) / count,
        "top_3": sum(rank is not None and rank <= 3 for rank in ranks) / count,
    }


def summary(found: list[Outcome]) -> dict[str, object]:
    """The figures of one set of sounds."""
    faulty = [one for one in found if one.expected and one.verdict != "inaudible"]
    graded = [one for one in faulty if one.severity != "low"]
    pairs = [one for one in found if one.expected is None]
    return {
        "sounds": sorted({one.sound for one in found}),
        "middle_and_high": accuracy(graded),
        "low": accuracy([one for one in faulty if one.severity == "low"]),
        "passed_unseen": sum(one.verdict == "PASS" for one in graded),
        "inaudible": sum(one.verdict == "inaudible" for one in found),
        "clean": {"pairs": len(pairs), "false_alarms": sum(bool(one.causes) for one in pairs) / max(len(pairs), 1)},
        "confidence": reliability.figures([one.claim for one in faulty]),
        "reliability": reliability.binned(_each_named(faulty + pairs)),
    }


def _each_named(found: list[Outcome]) -> list[tuple[float, bool]]:
    """Every cause that is named, not the first alone, and whether it is right."""
    return [(cause.confidence, cause.id == outcome.expected) for outcome in found for cause in outcome.causes]


def confusion(found: list[Outcome]) -> dict[str, dict[str, int]]:
    """Expected cause -> named first -> how many, at middle and high severity."""
    table: dict[str, dict[str, int]] = {}
    for one in found:
        if one.expected and one.severity != "low" and one.verdict != "inaudible":
            row = table.setdefault(one.expected, {})
            first = one.claim.id
            row[first] = row.get(first, 0) + 1
    return table


def run(names: list[str], held: set[str]) -> list[Outcome]:
    """All pairs, a process a core."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor() as pool:
        tasks = [(name, name in held, folder) for name in names]
        found = []
        for done, part in enumerate(pool.map(outcomes, tasks), 1):
            found += part
            print(f"\r{done} of {len(tasks)} sounds", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return found


def main() -> None:
    """Run, write the JSON and the picture, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sounds", choices=("all", "tuning"), default="all")
    parser.add_argument("--out", default=str(ROOT / "reports"))
    parser.add_argument("--answers", metavar="FILE", help="where all answers on the tuned sounds are kept, a line each")
    options = parser.parse_args()
    names = list(all_sounds())
    held = sounds.held_out(names)
    found = run([name for name in names if options.sounds == "all" or name not in held], held)
    reliability.keep(options.answers, [one for one in found if not one.held_out])
    parts = {
        "all": found,
        "tuning": [one for one in found if not one.held_out],
        "held_out": [one for one in found if one.held_out],
    }
    result = {
        "version": diagnose.__version__,
        "date": datetime.now(UTC).date().isoformat(),
        "faults": len(INJECTORS),
        **{name: summary(part) for name, part in parts.items() if part},
        "confusion": confusion(found),
        "misses": [msgspec.to_builtins(one) for one in found if _missed(one)],
    }
    out = Path(options.out)
    out.mkdir(exist_ok=True)
    (out / "faults.json").write_text(json.dumps(result, indent=1) + "\n")
    faults_picture.draw(result, out / "faults.png")
    _print(result)


def _missed(one: Outcome) -> bool:
    if one.expected is None:
        return bool(one.causes)
    return one.severity != "low" and one.verdict != "inaudible" and one.rank != 1


def _print(result: dict) -> None:
    for name in ("all", "tuning", "held_out"):
        if name in result:
            part = result[name]
            graded, low = part["middle_and_high"], part["low"]
            print(
                f"{name:9s} {len(part['sounds'])} sounds, {graded['pairs']} pairs at middle and high severity: "
                f"top-1 {graded['top_1']:.1%}, top-3 {graded['top_3']:.1%}; low: top-1 {low['top_1']:.1%}; "
                f"false alarms {part['clean']['false_alarms']:.1%} of {part['clean']['pairs']}; "
                f"inaudible {part['inaudible']}"
            )


if __name__ == "__main__":
    main()
