"""Which faults do the limits of a suite detect?  Every known fault is injected, in rising strength.

found = probe("suite.toml")
found["polarity"].caught                     -> "nowhere"
found["polarity"].cases[0].hint.metric       -> "waveform_correlation"
found["gain_up"].worst("fail")               -> (case, Rung(severity, amount in dB, metric, ...))

Thresholds are the warn and fail levels of the suite's profile and of each case's own limits.  What `diagnose check`
holds besides, the goldens with their tolerances, is not asked: it depends on the day they were recorded.

A fault goes up the ladder of severities until a metric FAILs, so a rung is the smallest severity that is caught; a
larger one may pass again (a fault that changes a sound beyond what a metric can measure).  A metric that FAILs
without any fault catches none: neither what FAILs on the untouched reference counts, nor, for a fault at the mel,
what FAILs on a round trip through mel and Griffin-Lim with nothing wrong in it.
"""

from __future__ import annotations

import difflib
import os
import zlib
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from diagnose.analysis import Signal
from diagnose.audio import Audio, read, resample
from diagnose.comparison import judge_pair
from diagnose.errors import DiagnoseError, InputError
from diagnose.faults import INJECTORS, Injector
from diagnose.gate.suite import load_suite
from diagnose.injectors import mel
from diagnose.injectors.injector import INAUDIBLE_DB, audible
from diagnose.metrics import METRICS
from diagnose.profile import default_profile
from diagnose.results.sensitivity import (
    CaseFinding,
    FaultFinding,
    Hint,
    ProbedCase,
    Rung,
    Sensitivity,
)
from diagnose.results.verdict import RANK
from diagnose.verdicts import Judgement, judge
from diagnose.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from diagnose.gate.suite import CasePlan, SuitePlan
    from diagnose.results.limit import Limit, Profile
    from diagnose.results.report import MetricRow

    # (pairs of reference and fault done, all of them, what is next)
    Progress = Callable[[int, int, str], None]
    Figured = Mapping[str, MetricRow]

LADDER = tuple(step / 8 for step in range(9))
UNGRADED = (1.0,)
LONGEST_S = 10.0
SOUNDS_SHARE = 0.01  # of the peak: -40 dB
LEAD_S = 0.01


def probe(
    suite_path: str | os.PathLike[str], faults: Iterable[str] | None = None, progress: Progress | None = None
) -> Sensitivity:
    """Inject known faults (all by default, or those named) into the references of a suite, and judge them.

    Writes nothing, and never reads the generated sounds.  The same suite gives the same answer.  Raises InputError
    for a suite or profile that cannot be read and for an unknown fault; a reference that cannot be is an error of
    its case.
    """
    suite = load_suite(suite_path)
    chosen = _chosen(faults)
    groups = _by_reference(suite)
    cases: dict[str, ProbedCase] = {}
    findings: dict[str, dict[str, CaseFinding]] = {}
    for index, group in enumerate(groups):
        told = _teller(progress, index * len(chosen), len(groups) * len(chosen), group[0].id)
        for plan, (case, found) in zip(group, _probed(group, suite.profile, chosen, told), strict=True):
            cases[plan.id], findings[plan.id] = case, found
    return Sensitivity(
        tool_version=VERSION,
        suite=suite.name,
        ladder=LADDER,
        cases=tuple(cases[plan.id] for plan in suite.cases),
        faults=tuple(
            FaultFinding(
                fault.name,
                fault.cause,
                fault.about,
                fault.unit,
                tuple(findings[plan.id][fault.name] for plan in suite.cases if findings[plan.id]),
            )
            for fault in chosen
        ),
    )


def _chosen(names: Iterable[str] | None) -> list[Injector]:
    """The faults of these names in the order of INJECTORS."""
    wanted = list(INJECTORS) if names is None else list(names)
    for name in wanted:
        if name not in INJECTORS:
            close = difflib.get_close_matches(name, INJECTORS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"the faults are: {', '.join(INJECTORS)}"
            raise InputError(f"no fault {name!r}; {hint}")
    return [fault for name, fault in INJECTORS.items() if name in wanted]


def _by_reference(suite: SuitePlan) -> list[list[CasePlan]]:
    """Cases of one reference and the same limits together: they are probed once."""
    groups: list[list[CasePlan]] = []
    for plan in suite.cases:
        same = (
            group
            for group in groups
            if os.path.realpath(group[0].reference) == os.path.realpath(plan.reference)
            and group[0].limits == plan.limits
        )
        group = next(same, None)
        if group is None:
            groups.append([plan])
        else:
            group.append(plan)
    return groups


def _teller(progress: Progress | None, done: int, total: int, case: str) -> Callable[[int, str], None]:
    def tell(more: int, fault: str) -> None:
        if progress is not None:
            progress(done + more, total, f"{case} {fault}".strip())

    return tell


def _probed(
    group: list[CasePlan], profile: Profile, faults: list[Injector], tell: Callable[[int, str], None]
) -> list[tuple[ProbedCase, dict[str, CaseFinding]]]:
    """The cases of one reference; where it cannot be probed, each with the error and without a finding."""
    try:
        whole = read(group[0].reference)
        sound, start_s = _excerpt(whole)
        probe = Probe(sound, profile, group[0].limits)
        # Asked for first, so that a vocoder that cannot take the sound is no surprise in the middle.
        vocoder_alarms = probe.alarms(mel=True) if any(fault.vocoded for fault in faults) else ()
    except DiagnoseError as error:
        tell(len(faults), "")
        return [(ProbedCase(plan.id, plan.reference, error=str(error)), {}) for plan in group]
    found = {}
    for index, fault in enumerate(faults):
        tell(index, fault.name)
        found[fault.name] = probe.finding(fault)
    tell(len(faults), "")
    return [
        (
            ProbedCase(
                id=plan.id,
                reference=plan.reference,
                duration_s=whole.duration_s,
                start_s=start_s,
                probed_s=sound.duration_s,
                alarms=probe.alarms(mel=False),
                vocoder_alarms=tuple(name for name in vocoder_alarms if name not in probe.alarms(mel=False)),
            ),
            {name: msgspec.structs.replace(finding, case=plan.id) for name, finding in found.items()},
        )
        for plan in group
    ]


def _excerpt(sound: Audio) -> tuple[Audio, float]:
    """(the first 10 s that sound, where they begin): from 10 ms before the first sample within 40 dB of the peak."""
    if sound.duration_s <= LONGEST_S:
        return sound, 0.0
    level = np.abs(sound.samples).max(axis=0)
    first = int(np.argmax(level > SOUNDS_SHARE * level.max()))
    start = max(first - round(LEAD_S * sound.rate), 0)
    samples = sound.samples[:, start : start + round(LONGEST_S * sound.rate)]
    return Audio(samples, sound.rate, sound.name), start / sound.rate


class Probe:
    """One reference under test, with the thresholds it is held to.  Raises NotComparable, as compare() does."""

    def __init__(self, sound: Audio, profile: Profile, own: Profile) -> None:
        self.sound = sound
        self.reference = Signal(sound)
        self.seed = zlib.crc32(sound.samples.tobytes())
        self.profile = profile
        self.own = own
        self.untouched = self._figures(sound)
        self._round_trip: Figured | None = None

    def finding(self, fault: Injector) -> CaseFinding:
        """Up the ladder until a metric FAILs; case is left empty."""
        if not fault.fits(self.sound):
            return CaseFinding("", skipped="does not apply to this sound")
        control = self._control(mel=fault.vocoded)
        warn = None
        for severity in LADDER if fault.unit else UNGRADED:
            try:
                broken = self._broken(fault, severity)
                figures = self._figures(broken)
            except DiagnoseError as error:
                return CaseFinding("", skipped=f"the faulty copy cannot be compared: {error}")
            fail = self._rung(fault, severity, figures, control, "FAIL")
            warn = warn or self._rung(fault, severity, figures, control, "WARN") or fail
            if fail:
                return CaseFinding("", warn, fail)
        if not audible(self.sound, broken):
            return CaseFinding("", skipped=f"changes less than {INAUDIBLE_DB:g} dB of this sound")
        return CaseFinding("", warn, None, self._hint(figures, control))

    def alarms(self, mel: bool) -> tuple[str, ...]:
        """Metrics that FAIL without a fault."""
        judged = self._judged(self._control(mel))
        return tuple(name for name, judgement in judged.items() if judgement.verdict == "FAIL")

    def _broken(self, fault: Injector, severity: float) -> Audio:
        """The faulty copy; the same one for a sound whatever its name and its case's are."""
        seed = zlib.crc32(f"{fault.name}/{severity}".encode(), self.seed)
        return fault.inject(self.sound, severity, np.random.default_rng(seed))

    def _control(self, mel: bool) -> Figured:
        """What is measured where nothing is wrong."""
        if not mel:
            return self.untouched
        if self._round_trip is None:
            self._round_trip = self._figures(faultless_round_trip(self.sound))
        return self._round_trip

    def _figures(self, copy: Audio) -> Figured:
        judged = judge_pair((self.reference, Signal(copy)), {})
        return {row.name: row for row in judged.rows}

    def _judged(self, figures: Figured) -> dict[str, Judgement]:
        """By the profile and by the case's own limits; of two verdicts on a metric, the worse."""
        judged: dict[str, Judgement] = {}
        for name, limit in _both(self.profile, self.own):
            judgement = judge(METRICS[name], figures[name], limit)
            if name not in judged or _gravity(judgement) > _gravity(judged[name]):
                judged[name] = judgement
        return judged

    def _rung(
        self, fault: Injector, severity: float, figures: Figured, control: Figured, verdict: Literal["WARN", "FAIL"]
    ) -> Rung | None:
        """Whether a metric is at least at the verdict, and was not without the fault; the furthest over its limit."""
        found = _over(self._judged(figures), self._judged(control), verdict)
        if found is None:
            return None
        amount = fault.amount(severity) if fault.unit else None
        change = figures[found].change
        return Rung(severity, amount, found, None if change is None else float(change), METRICS[found].unit)

    def _hint(self, figures: Figured, control: Figured) -> Hint | None:
        """The metric that is furthest over its built-in fail level; where none is, over its warn level."""
        limits = default_profile()
        now, before = (
            {name: judge(METRICS[name], one[name], limit) for name, limit in limits.items()}
            for one in (figures, control)
        )
        verdicts: tuple[Literal["FAIL", "WARN"], ...] = ("FAIL", "WARN")
        for verdict in verdicts:
            name = _over(now, before, verdict)
            change = figures[name].change if name else None
            if name is None or change is None:
                continue
            limit = limits[name]
            if verdict == "WARN":
                reason = f"the built-in warn level: {limit.reason}"
                limit = msgspec.structs.replace(limit, fail=limit.warn, warn=None, reason=reason)
            own = [one for known, one in _both(self.profile, self.own) if known == name]
            return Hint(name, verdict, float(change), limit, any(one.fail is not None for one in own))
        return None


def faultless_round_trip(sound: Audio) -> Audio:
    """The sound through mel and Griffin-Lim with the right values: what a fault at the mel is to be held against."""
    length = resample(sound, mel.GRID.rate).length
    return mel.spoken(np.log(mel.magnitudes(sound)), length, np.random.default_rng(0))


def _both(profile: Profile, own: Profile) -> Iterator[tuple[str, Limit]]:
    yield from profile.items()
    yield from own.items()


def _over(
    now: Mapping[str, Judgement], before: Mapping[str, Judgement], verdict: Literal["WARN", "FAIL"]
) -> str | None:
    """The metric furthest over its limit, of those that reach the verdict now and did not before."""
    least = RANK[verdict]
    ranks = {name: (_rank(judgement), _rank(before[name])) for name, judgement in now.items()}
    reached = [name for name, (rank, without) in ranks.items() if rank >= least > without]
    return max(reached, key=lambda name: _gravity(now[name]), default=None)


def _rank(judgement: Judgement) -> int:
    return RANK[judgement.verdict]


def _gravity(judgement: Judgement) -> tuple[int, float]:
    return _rank(judgement), float(judgement.severity)
