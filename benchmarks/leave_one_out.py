"""How honest is the tool about what it does not know?  Each reported fault, with its causes left out of the catalogue.

    python benchmarks/leave_one_out.py                      # all tuned kinds, into reports/leave_one_out.json
    python benchmarks/leave_one_out.py --part held-out

For each kind of benchmarks/reported_faults.py the catalogue is asked without every cause that the kind allows: what it
recognises, fits and says.  Then the right answer is unknown, or nothing that is sure.  A name of 0.8 and more is wrong,
unless the chain that it stands in leaves as little, within 1 dB, as the chain of the whole catalogue does: then it is
another description of the same samples, and right.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import reliability
from reliability import NOTHING, SURE, First, Named
from reported import GROUPS, Case, audible, pair_of, planned
from reported_faults import KINDS

import diagnose
from diagnose.analysis import Signal
from diagnose.audio import from_array
from diagnose.channelwise import Named as Told
from diagnose.channelwise import find_causes
from diagnose.comparison import judge_pair
from diagnose.profile import default_profile

if TYPE_CHECKING:
    from collections.abc import Sequence

OUT = Path(__file__).resolve().parents[1] / "reports" / "leave_one_out.json"
SAME_DB = 1.0


class Answer(msgspec.Struct, frozen=True):
    """What was said of a pair by the catalogue without its causes.  same: whether its chain leaves as little."""

    case: Case
    first: str
    confidence: float
    same: bool
    causes: tuple[Named, ...] = ()

    @property
    def claim(self) -> First:
        return First(self.first, self.confidence, self.same)

    @property
    def sure_wrong(self) -> bool:
        return self.claim.claims and self.confidence >= SURE and not self.same


def asked(case: Case) -> Answer | None:
    """None of a pair in which nothing is heard or nothing is over a limit."""
    pair = pair_of(case)
    if not audible(pair):
        return None
    reference, rate, generated, other_rate = pair
    given = from_array(reference.astype(np.float32), rate, "reference")
    made = from_array(generated.astype(np.float32), other_rate, "generated", mend=True)
    judged = judge_pair((Signal(given), Signal(made)), default_profile())
    if judged.verdict == "PASS":
        return None
    whole, less = find_causes(judged), find_causes(judged, without=KINDS[case.kind].right)
    first = less.causes[0] if less.causes else None
    if first is None:
        return Answer(case, NOTHING, 0.0, False)
    same = first.step is not None and _left(less) <= _left(whole) + SAME_DB
    return Answer(case, first.id, first.confidence, same, reliability.named(less.causes))


def _left(named: Told) -> float:
    return np.inf if named.proof is None else named.proof.left.db


def figures(found: Sequence[Answer]) -> dict[str, object]:
    wrong = [answer for answer in found if answer.sure_wrong]
    return {
        "pairs": len(found),
        "sure_wrong": len(wrong),
        "share": round(len(wrong) / max(len(found), 1), 4),
        "unknown": sum(not answer.claim.claims for answer in found),
        "confidence": reliability.figures([answer.claim for answer in found]),
        "said": dict(Counter(answer.first for answer in wrong).most_common()),
    }


def main() -> None:
    """Ask, keep, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("tuned", "held-out", "all"), default="tuned")
    parser.add_argument("--sounds-per-kind", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", default=str(OUT))
    parser.add_argument("--answers", metavar="FILE", help="where all answers of the tuned group are kept, a line each")
    options = parser.parse_args()
    cases = [case for case in planned(options.part, list(KINDS), options.sounds_per_kind) if KINDS[case.kind].right]
    with ProcessPoolExecutor(options.jobs) as pool:
        found = [answer for answer in pool.map(asked, cases, chunksize=4) if answer is not None]
    reliability.keep(options.answers, [answer for answer in found if answer.case.group == GROUPS[0]])
    groups = {name: figures([answer for answer in found if answer.case.group == name]) for name in GROUPS}
    wrong = [msgspec.to_builtins(answer) for answer in found if answer.sure_wrong and answer.case.group == GROUPS[0]]
    result = {
        "version": diagnose.__version__,
        "date": datetime.now(UTC).date().isoformat(),
        "groups": {name: group for name, group in groups.items() if group["pairs"]},
        "wrong": wrong,
    }
    for name, group in result["groups"].items():
        print(name, group)
    for answer in wrong:
        print(answer["case"]["kind"], answer["case"]["amount"], answer["case"]["sound"], answer["first"])
    Path(options.out).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
