"""The oracle study: of two known faults at once, does the score, the fit or the search lose the true chain?

    OPENBLAS_NUM_THREADS=1 python benchmarks/oracle.py      # into reports/explaining.md

Every ordered pair of ten faults, on 6 sounds that are not held out, at severity 0.5; 12 would take longer than the 9
minutes that it may.  Each case has three prices in nats: of the true chain with its true parameters, of the true chain
as the operations fit it, in the cheaper of both orders, and of what the search finds.  With true parameters a chain
predicts the broken sound itself; where one of the faults is noise, it predicts the sound with the other one alone, and
states the power of what noise adds by bin.  A step is charged what its operation is where the fault stands alone.
"""

from __future__ import annotations

import itertools
import platform
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import explaining
import msgspec
import numpy as np
from explaining_cases import MIDDLE, OURS, Case, broken_by, every_sound
from explaining_report import Outcome

import diagnose
from diagnose.explain import WAVEFORM, Scene
from diagnose.explain.chain import chain_of, refitted
from diagnose.explain.search import _cheapest_chain, _pays
from diagnose.faults import INJECTORS
from diagnose.files import write_whole
from diagnose.operations import added, level, local, spectrum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.operations.operation import Operation
    from diagnose.operations.scene import Powers

REPORT = Path(__file__).resolve().parents[1] / "reports" / "explaining.md"
# The operation of each fault, and what it is charged where it cannot be fitted even to the fault alone.
FITTED: dict[str, tuple[Operation, int]] = {
    "gain_up": (level.gain, 1),
    "dc_offset": (level.dc_offset, 1),
    "polarity": (level.polarity, 1),
    "soft_clip": (level.soft_clipping, 31),
    "quantise": (level.quantisation, 1),
    "low_pass": (spectrum.filtered, 41),
    "drop_out": (local.dropout, 4),
    "white_noise": (added.noise, 41),
    "hum_50": (added.lines, 18),
    "clicks": (local.clicks, 10),
}
SOUNDS = ("plucked_melody", "drum_loop", "singing_voice", "reed_organ", "violin.wav", "speech.ogg")
NEAR = 1e-6  # nats: less is rounding
# The classes, in the order in which they are asked, each with its letter.
CLASSES = {
    "found": ("", "both causes are named"),
    "name": ("n", "the operations of both were found, and one of them has another name"),
    "search": ("x", "the true chain, fitted, is cheaper than what was found"),
    "score": ("s", "what was found is cheaper than the true chain with its true parameters"),
    "fit": ("f", "the true chain is the cheapest with its true parameters; fitted it is dearer, or has no fit"),
}


class Priced(msgspec.Struct, frozen=True):
    """A case and its prices in nats.

    asked, heard: whether leaving out either fault is heard, by both rules that the report has.  true, fitted: of the
    true chain with true parameters, and fitted; None where it cannot be.  found, ids: of the search's chain, and its
    causes; same: whether its operations are the true ones; unpaid: whether the fitted true chain
    has more steps, and the search's rule says that these are not worth it.
    """

    sound: str
    names: tuple[str, ...]
    truth: tuple[str, ...]
    asked: bool
    heard: bool
    true: float
    fitted: float | None
    found: float
    ids: tuple[str, ...]
    same: bool
    unpaid: bool

    @property
    def kind(self) -> str:
        """The class, whether it is asked or not."""
        if set(self.truth) <= set(self.ids):
            return "found"
        if self.same:
            return "name"
        if self.fitted is not None and self.fitted < self.found - NEAR:
            return "search"
        return "score" if self.found < self.true - NEAR else "fit"


def priced(case: Case) -> Priced:
    """The prices of a case."""
    scene, channel = _scene_of(case)
    operations = tuple(FITTED[name][0] for name in case.names)
    fits = [chain for each in (operations, operations[::-1]) if (chain := refitted(scene, each)) is not None]
    fitted = min(fits, key=lambda chain: chain.price, default=None)
    asked = _over_ordinary(case, explaining._without(case, channel))
    found, _ = _cheapest_chain(scene, chain_of(scene, (), ()), WAVEFORM)
    return Priced(
        *(case.sound, case.names, case.truth),
        asked=asked,
        heard=_heard(case, scene, channel) if "noise" in case.truth else asked,
        true=_true_price(case, scene, channel),
        fitted=None if fitted is None else fitted.price,
        found=found.price,
        ids=found.ids,
        same=set(found.operations) == set(operations),
        unpaid=fitted is not None
        and len(found.fitted) < len(fitted.fitted)
        and not _pays(scene, WAVEFORM, found, fitted),
    )


def _scene_of(case: Case) -> tuple[Scene, int]:
    """The loudest channel of the broken sound beside the same of the sound as it was, and which channel it is."""
    sound = every_sound()[case.sound]
    channel = int(np.argmax(np.square(broken_by(case.sound, case.names, case.severity).samples).sum(axis=1)))
    return Scene(sound.samples[channel], explaining._channel(case, case.names, channel), sound.rate), channel


def _over_ordinary(case: Case, without_db: tuple[float, ...]) -> bool:
    return Outcome("", "", case.names, OURS, MIDDLE, case.truth, (), held_out=False, without_db=without_db).matters


def _heard(case: Case, scene: Scene, channel: int) -> bool:
    """Whether leaving out the noise or the other is heard; it is of its true level, and nobody knows its samples."""
    error, variance = _noise(case, scene, channel)
    left = (scene.judge(error), scene.judge(scene.error_of(scene.spectra_of(scene.reference)), variance))
    return _over_ordinary(case, tuple(each.distance_db for each in left))


def _noise(case: Case, scene: Scene, channel: int) -> tuple[Powers, Powers]:
    """What the sound without the noise leaves, and the mean over frames by bin."""
    quiet = [name for name in case.names if INJECTORS[name].cause != "noise"]
    error = scene.error_of(scene.spectra_of(explaining._channel(case, quiet, channel)))
    return error, error.mean(axis=0, keepdims=True)


def _true_price(case: Case, scene: Scene, channel: int) -> float:
    """What the true chain costs with its true parameters, and what its steps are charged."""
    judged = scene.judge(*_noise(case, scene, channel) if "noise" in case.truth else (np.zeros_like(scene.power), None))
    return judged.cost + sum(_charged(case.sound, name) for name in case.names) * scene.charge


@lru_cache(maxsize=256)
def _charged(sound: str, name: str) -> int:
    """What the fault's operation is charged, fitted to the sound with this fault alone."""
    scene, _ = _scene_of(Case("oracle", sound, (name,), OURS, MIDDLE))
    operation, otherwise = FITTED[name]
    chain = refitted(scene, (operation,))
    return otherwise if chain is None else chain.fitted[0].charged


def all_priced() -> list[Priced]:
    """The cases, in two processes; progress is printed."""
    cases = [
        Case("oracle", sound, pair, OURS, MIDDLE)
        for sound in SOUNDS
        for pair in itertools.permutations(FITTED, 2)
        if all(INJECTORS[name].fits(every_sound()[sound]) for name in pair)
    ]
    found, began = [], time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        for each in pool.map(priced, cases, chunksize=15):
            found.append(each)
            if len(found) % 45 == 0:
                print(f"{len(found)} of {len(cases)}, {time.perf_counter() - began:.0f} s", flush=True)
    return found


def page(found: Sequence[Priced]) -> str:
    """The study as Markdown."""
    versions = f"diagnose {diagnose.__version__}, python {platform.python_version()}, numpy {np.__version__}"
    some = ", ".join(dict.fromkeys(each.sound for each in found))
    table = [["", *FITTED], ["---"] * (len(FITTED) + 1)]
    table += [[one, *(_cell([each for each in found if each.names == (one, two)]) for two in FITTED)] for one in FITTED]
    cells, totals = ("\n".join(f"| {' | '.join(row)} |" for row in rows) for rows in (table, _totals(found)))
    return f"""# Does the score, the fit or the search lose the true chain?

{versions}, {datetime.now(UTC).date()}; `OPENBLAS_NUM_THREADS=1 python benchmarks/oracle.py`.
{len(found)} cases: every ordered pair of ten faults at severity {MIDDLE:g}, on {some} (on 12 sounds, over 9 minutes).

Row: the first fault; column: the second. Each cell: cases in which both were found / cases asked; below it, how many
failed, by the letter of the class. Asked: leaving out either fault costs 1 dB or more over ordinary loss, as
`benchmarks/explaining.py` has it. Heard: by the same rule, but that what is left out of a pair with noise leaves the
sound as it was, and not this very noise, whose samples no chain knows.

{cells}

{totals}

## What it says

{said(found)}
"""


def _totals(found: Sequence[Priced]) -> list[list[str]]:
    rows = [["class", "of those asked", "of those heard", "of those not asked", "letter", "what it is"], ["---"] * 6]
    for kind in (*CLASSES, "all"):
        some = [each for each in found if kind in (each.kind, "all")]
        asked, heard = sum(each.asked for each in some), sum(each.heard for each in some)
        rows.append([kind, str(asked), str(heard), str(len(some) - asked), *CLASSES.get(kind, ("", ""))])
    return rows


def _cell(some: Sequence[Priced]) -> str:
    kinds = Counter(each.kind for each in some if each.asked)
    letters = " ".join(f"{kinds[kind]}{CLASSES[kind][0]}" for kind in CLASSES if kinds[kind] and kind != "found")
    told = f"{kinds['found']}/{kinds.total()}" if some else ""
    return f"{told}<br>{letters}" if letters else told


def said(found: Sequence[Priced]) -> str:
    """What the figures say, in sentences."""
    asked, more = [each for each in found if each.asked], [each for each in found if each.heard and not each.asked]
    bad = [each for each in asked if each.kind != "found"]
    kinds, unpaid = Counter(each.kind for each in bad), sum(each.unpaid for each in bad if each.kind == "search")
    missed = Counter(cause for each in bad for cause in set(each.truth) - set(each.ids)).most_common(4)
    pairs = Counter((*each.names, each.kind) for each in bad).most_common(5)
    told = ", ".join(f"{one} then {other} ({count} {kind})" for (one, other, kind), count in pairs)
    return f"""- Both faults are named in {len(asked) - len(bad)} of the {len(asked)} cases asked; of the others the
  fit loses {kinds["fit"]}, the search {kinds["search"]}, a name {kinds["name"]}, the score {kinds["score"]}.
- Only pairs with noise try the score: without it the true chain leaves nothing, and costs its charges alone.
- In {sum(each.fitted is None for each in bad)} failures the true operations have no fit in either order.
- Of those that the search loses, its own rule says in {unpaid} that what is missing is not worth its price.
- Missed most often: {", ".join(f"{cause} ({count})" for cause, count in missed)}. Pairs: {told}.
- The rule of what is asked takes the very noise as known. {len(more)} more cases, all with noise, are heard; both are
  named in {sum(each.kind == "found" for each in more)} of them."""


def main() -> None:
    found = all_priced()
    write_whole(REPORT, page(found).encode())
    print(said(found))


if __name__ == "__main__":
    main()
