"""How often is the convention right?  Random conventions x sounds, with the sound and from the values alone.

    python benchmarks/contracts.py                # all of it, into reports/contracts.json
    python benchmarks/contracts.py --count 60     # fewer
    python benchmarks/contracts.py --looks        # mean and covariance for diagnose/mel/values.py

Mels are computed by librosa (conventions.py).  Every third sound is held out: nothing was ever chosen by it.  In
three of ten cases the sound is given at its own rate where that is higher than the mel's, one array in four is
transposed, one in four batched, and one in ten is off by 3 dB in every cell, as a model's output is; those are
reported apart.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import conventions
import msgspec
import numpy as np
import sounds
from conventions import SCALES, Convention

from diagnose.audio import Audio, resample
from diagnose.mel.inference import infer_contract
from diagnose.mel.values import DB, UNIT_DB, looks
from diagnose.version import VERSION

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
COUNT = 400
SEED = 20261123
NOISE_DB = 3.0
GRID_FIELDS = ("rate_hz", "n_fft", "hop", "bands", "fmin_hz", "fmax_hz", "formula", "norm", "centred")
FAMILIES = {name: "dB" if name.endswith("-db") else name for name in SCALES}
TARGETS = {"scale": 0.99, "grid": 0.95, "family": 0.95, "seconds": 2.0}


class Case(msgspec.Struct, frozen=True):
    """One convention of one sound."""

    number: int
    sound: str
    held_out: bool
    made: Convention
    own_rate: bool
    transposed: bool
    batched: bool
    noisy: bool


class Outcome(msgspec.Struct, frozen=True):
    """right: by field, with the sound; null counts as wrong.  alone: (family right, scale right) without it."""

    case: Case
    right: dict[str, bool]
    found: dict[str, Any]
    null: list[str]
    residual_db: float | None
    seconds: float
    alone: str
    alone_seconds: float


@lru_cache(maxsize=1)
def all_sounds() -> dict[str, Audio]:
    """The project's own and, where they are, the real ones."""
    return {name: make() for name, make in sounds.SOUNDS.items()} | sounds.real_sounds(DATA)


def cases(count: int) -> list[Case]:
    rng = np.random.default_rng(SEED)
    names = list(all_sounds())
    held_out = sounds.held_out(names)
    found = []
    for number in range(count):
        name = names[number % len(names)]
        made = conventions.draw(rng, SCALES[(number // len(names) + number) % len(SCALES)])
        own, turned, batched, noisy = rng.random(4) < (0.3, 0.25, 0.25, 0.1)
        own_rate = bool(own) and all_sounds()[name].rate > made.rate_hz
        noisy = bool(noisy) and made.scale not in ("power", "magnitude", "normalised")
        found.append(Case(number, name, name in held_out, made, own_rate, bool(turned), bool(batched), noisy))
    return found


def outcome(case: Case) -> Outcome:
    sound = all_sounds()[case.sound]
    at_rate = resample(sound, case.made.rate_hz)
    array = conventions.mel(at_rate.mono, case.made)
    if case.noisy:
        unit = NOISE_DB / UNIT_DB[case.made.scale]
        array = array + unit * np.random.default_rng(case.number).standard_normal(array.shape).astype(np.float32)
    array = array.T if case.transposed else array
    array = array[None] if case.batched else array
    started = time.perf_counter()
    inference = infer_contract(array, sound if case.own_rate else Audio(at_rate.mono[None], at_rate.rate))
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    alone = infer_contract(array)
    alone_seconds = time.perf_counter() - started
    assert inference.best is not None
    assert alone.best is not None
    fields = inference.best.fields()
    right = {"scale": fields["scale"] == case.made.scale} | {name: _right(name, fields, case) for name in GRID_FIELDS}
    null = [name for name in right if fields[name] is None]
    residual, named = inference.best.residual_db, alone.best.levels.name
    return Outcome(case, right, fields, null, residual, seconds, named, alone_seconds)


def _right(name: str, fields: dict[str, Any], case: Case) -> bool:
    """As it was made; fmin within 2 Hz and fmax within 0.5 %, which moves no filter by a tenth of its width."""
    found, made = fields[name], getattr(case.made, name)
    if found is None:
        return False
    if name == "fmin_hz":
        return bool(abs(found - made) < 2.0)
    return bool(abs(found / made - 1) < 0.005) if name == "fmax_hz" else bool(found == made)


def share(found: list[Outcome]) -> dict[str, Any]:
    """Shares that are right, and times."""
    count = max(len(found), 1)
    names = [each.case.made.scale for each in found]
    return {
        "cases": len(found),
        "with the sound": {
            name: round(sum(each.right[name] for each in found) / count, 4) for name in ("scale", *GRID_FIELDS)
        },
        "null instead of an answer": sum(bool(each.null) for each in found),
        "from the values alone": {
            "family": round(
                sum(FAMILIES.get(each.alone) == FAMILIES[name] for each, name in zip(found, names, strict=True))
                / count,
                4,
            ),
            "scale": round(sum(each.alone == name for each, name in zip(found, names, strict=True)) / count, 4),
        },
    }


def report(found: list[Outcome]) -> dict[str, Any]:
    exact = [each for each in found if not each.case.noisy]
    times = sorted(each.seconds for each in found)
    groups = {
        "all": exact,
        "tuning": [each for each in exact if not each.case.held_out],
        "held_out": [each for each in exact if each.case.held_out],
        "3 dB off in every cell": [each for each in found if each.case.noisy],
    }
    wrong = [each for each in found if not all(each.right.values())]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "version": VERSION,
        "numpy": np.__version__,
        "seed": SEED,
        "groups": {name: share(group) for name, group in groups.items()},
        "seconds": {"median": round(times[len(times) // 2], 2), "largest": round(times[-1], 2)},
        "seconds_alone_largest": round(max(each.alone_seconds for each in found), 3),
        "wrong": [
            {
                "sound": each.case.sound,
                "made": msgspec.to_builtins(each.case.made),
                "fields": [name for name, right in each.right.items() if not right],
                "found": each.found,
                "residual_db": each.residual_db,
            }
            for each in wrong
        ],
    }


def print_report(made: dict[str, Any]) -> None:
    for name, group in made["groups"].items():
        shares = "  ".join(f"{field} {value:.1%}" for field, value in group["with the sound"].items())
        alone = group["from the values alone"]
        print(f"{name}: {group['cases']} cases\n  with the sound: {shares}")
        print(f"  from the values alone: family {alone['family']:.1%}, scale {alone['scale']:.1%}")
    seconds = made["seconds"]
    print(f"one inference: median {seconds['median']} s, largest {seconds['largest']} s")


def met(made: dict[str, Any]) -> bool:
    """Do the targets hold over all exact cases?"""
    group = made["groups"]["all"]
    told = group["with the sound"]
    return (
        told["scale"] >= TARGETS["scale"]
        and all(told[name] >= TARGETS["grid"] for name in GRID_FIELDS)
        and group["from the values alone"]["family"] >= TARGETS["family"]
        and made["seconds"]["largest"] < TARGETS["seconds"]
    )


def print_looks(count: int) -> None:
    """The constants of diagnose/mel/values.py, over the sounds that are not held out."""
    found: dict[str, list[Any]] = {"magnitude": [], "power": []}
    for case in cases(count):
        made = case.made
        if case.held_out or made.scale == "normalised" or made.reference == "max":
            continue
        array = conventions.mel(resample(all_sounds()[case.sound], made.rate_hz).mono, made).astype(np.float64)
        summed = "power" if "power" in made.scale else "magnitude"
        if made.scale in found:
            unit = DB * (1 if summed == "power" else 2)
            level = unit * np.log(np.maximum(array, array.max() * np.exp(-200 / unit)))
        else:
            level = UNIT_DB[made.scale] * array
        found[summed].append(looks(level))
    for summed, rows in found.items():
        print(summed, np.round(np.mean(rows, axis=0), 3).tolist())
        print(np.round(np.cov(np.array(rows).T), 4).tolist())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--jobs", type=int, default=1, help="processes; times are honest with 1 only")
    parser.add_argument("--out", default=str(ROOT / "reports" / "contracts.json"))
    parser.add_argument("--looks", action="store_true", help="print the constants of values.py")
    options = parser.parse_args()
    if options.looks:
        print_looks(900)
        return 0
    todo = cases(options.count)
    with ProcessPoolExecutor(options.jobs) as pool:
        found = []
        for done, each in enumerate(pool.map(outcome, todo), start=1):
            found.append(each)
            if sys.stderr.isatty():
                print(f"\r{done} of {len(todo)}", end="", file=sys.stderr)
    made = report(found)
    print_report(made)
    Path(options.out).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print("the targets hold" if met(made) else "the targets do NOT hold")
    return 0 if met(made) else 1


if __name__ == "__main__":
    sys.exit(main())
