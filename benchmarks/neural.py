"""How often is the cause right, of faults of a model itself?  neural_catalogue.py x sentences and sounds.

    pip install -e '.[dev,neural]'
    python benchmarks/neural.py                         # all of it, into reports/neural.json: 27 minutes of one core
    python benchmarks/neural.py --sounds 3              # half of it: of three sounds a kind, one is held out
    python benchmarks/neural.py --part tuned            # what may be worked on
    python benchmarks/neural.py --kinds f0_doubled low_rank --jobs 1     # some of them, and nothing is written
    python benchmarks/neural.py --part tuned --pairs FOLDER              # a pair of each tuned kind as files

The material is not by who writes the diagnosis: a neural text-to-speech whose network and vocoder are broken between
(neural_voice.py), WORLD, mels with Griffin-Lim, and codecs.  Kinds whose zlib.crc32(name) % 3 is 0 are held out, and so
is every third sound; of the four groups only the first, neither held out, is to be tuned on.  Right: the first cause is
one that the kind allows; of a harmless one, no FAIL, and nothing at 0.8 or more but its true traces.  Sure and wrong:
the first cause has 0.8 or more, and is neither right nor a trace.  Pairs in which nobody hears a difference (as of
reported.py) are left out and counted, and kinds whose packages are not installed are named and skipped.
"""

from __future__ import annotations

import argparse
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from neural_catalogue import KINDS
from neural_kinds import present
from neural_report import Case, Outcome, printed, result_of, written
from reported import FAILED, GROUPS, LEFT_OUT, REPORTS, audible, run

import diagnose
from diagnose.audio import from_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neural_kinds import Made


def planned(part: str, kinds: Sequence[str], most: int) -> list[Case]:
    """The cases of a part: each kind at its amounts on the first sounds of its pool, at most so many, that are here.

    Of a kind with two references, each sound and each amount has the one after the other.
    """
    found = []
    for name in kinds:
        kind = KINDS[name]
        if kind.missing:
            continue
        for place, sound in enumerate(kind.pool[:most]):
            for step, amount in enumerate(kind.amounts):
                if present(sound):
                    found.append(Case(name, amount, sound, kind.against[(place + step) % len(kind.against)]))
    return [case for case in found if part == "all" or (case.group == GROUPS[0]) == (part == "tuned")]


def pair_of(case: Case) -> Made:
    """(reference, its rate, generated, its rate); the same ones whenever and wherever they are made."""
    rng = np.random.default_rng(zlib.crc32(f"{case.kind}/{case.amount}/{case.sound}".encode()))
    return case.of.make(case.sound, case.amount, case.against, rng)


def measured(case: Case) -> Outcome:
    """What diagnose.compare says of a case; an exception is an answer that is not right."""
    pair = pair_of(case)
    if case.of.right and not audible(pair):
        return Outcome(case, LEFT_OUT)
    reference, rate, generated, other_rate = pair
    try:
        given = from_array(reference.astype(np.float32), rate, "reference")
        made = from_array(generated.astype(np.float32), other_rate, "generated", mend=True)
        report = diagnose.compare(given, made)
    except Exception as error:  # noqa: BLE001 - the others are to be measured all the same
        return Outcome(case, FAILED, error=f"{type(error).__name__}: {error}"[:200])
    return Outcome(case, report.verdict, tuple((cause.id, round(cause.confidence, 3)) for cause in report.causes))


def save_pairs(folder: Path, cases: Sequence[Case]) -> None:
    """One sound of each kind at each amount as float WAV, and pairs.json, which says what they are; none held out."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, seen = [], set()
    for case in cases:
        if case.group != GROUPS[0] or (case.kind, case.amount) in seen:
            continue
        seen.add((case.kind, case.amount))
        reference, rate, generated, other = pair_of(case)
        name = f"{case.kind}-{case.amount:g}"
        soundfile.write(folder / f"{name}-reference.wav", reference.astype(np.float32), rate, "FLOAT")
        soundfile.write(folder / f"{name}-generated.wav", generated.astype(np.float32), other, "FLOAT")
        kind = case.of
        rows.append(
            {
                "kind": case.kind,
                "amount": case.amount,
                "sound": case.sound,
                "against": case.against,
                "family": kind.family,
                "what": kind.what,
                "right": kind.right,
                "traces": kind.traces,
                "reference": f"{name}-reference.wav",
                "generated": f"{name}-generated.wav",
            }
        )
    (folder / "pairs.json").write_text(json.dumps(rows, indent=1) + "\n")


def main() -> None:
    """Measure, keep, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("tuned", "held-out", "all"), default="all")
    parser.add_argument("--kinds", nargs="+", choices=sorted(KINDS), metavar="NAME", help="only these; not kept")
    parser.add_argument("--sounds", type=int, default=6, help="of each kind's pool, at most; every third is held out")
    parser.add_argument("--show-held-out", action="store_true", help="kind by kind: then they no longer are")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument(
        "--pairs", metavar="FOLDER", help="write one pair of each tuned kind as files, and measure nothing"
    )
    parser.add_argument("--out", default=str(REPORTS / "neural.json"))
    options = parser.parse_args()
    names = options.kinds or list(KINDS)
    missing = {module for name in names for module in KINDS[name].missing}
    if missing:
        skipped = sum(bool(KINDS[name].missing) for name in names)
        print(
            f"not installed: {', '.join(sorted(missing))}; {skipped} kinds are skipped (pip install -e '.[dev,neural]')"
        )
    cases = planned(options.part, names, options.sounds)
    if options.pairs:
        save_pairs(Path(options.pairs), cases)
        return
    result = result_of(run(measured, cases, options.jobs, chunksize=12), options.show_held_out)
    print(printed(result))
    if options.kinds is None:
        out = Path(options.out)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(written({"part": options.part, "sounds": options.sounds, **result}))


if __name__ == "__main__":
    main()
