"""What a number means, in words: the one place where the terminal, HTML, JUnit and Markdown get their sentences."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import msgspec

from diagnose.metrics import METRICS
from diagnose.results.region import shared_area
from diagnose.results.suite import Case, Check, Suite
from diagnose.text import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.results.cause import Cause
    from diagnose.results.region import Region
    from diagnose.results.repair import Repair, Undone
    from diagnose.results.report import ChannelFacts, MetricRow, Report
    from diagnose.results.timeline import Observation

SAME_PLACE = 0.7  # shared area over the area of both from which two boxes are drawn as one
LEAST_SAID_S = 1e-5
MOST_RIVALS = 3
EXIT_CODES = {"PASS": 0, "WARN": 0, "FAIL": 1, "ERROR": 3}


def alignment_line(report: Report) -> str:
    """How both sounds lie on each other."""
    now = report.alignment
    if now.delay_s is None:
        return f"no: {now.reason}; gain {now.gain_db:+.1f} dB"
    if now.method == "warped":
        said = f"by warping: the timing is its own; gain {now.gain_db:+.1f} dB"
    else:
        turned = ", polarity inverted" if now.polarity == -1 else ""
        said = f"by {now.method}: delay {1000 * now.delay_s:+.1f} ms, gain {now.gain_db:+.1f} dB{turned}"
    edits = len(report.timeline.edits) if report.timeline else 0
    return f"{said}; {edits} edit{'s' if edits > 1 else ''}" if edits else said


def observed_line(report: Report) -> str:
    """What differs without harm; empty where nothing does."""
    return "; ".join(_observed(each) for each in report.observations)


def _observed(one: Observation) -> str:
    if one.id == "tempo":
        return f"tempo {one.amount:.3f} ({100 * abs(one.amount - 1):.1f} % {'slower' if one.amount > 1 else 'faster'})"
    if one.id == "timing-deviation":
        return f"timing deviates by {one.amount:.0f} ms"
    places = {"silence-at-start": "silence at the start", "pauses": "in pauses", "silence-at-end": "silence at the end"}
    if one.id in places:
        return f"{1000 * abs(one.amount):.0f} ms {'more' if one.amount > 0 else 'less'} {places[one.id]}"
    return f"{one.id} {amount(one.amount, one.unit)}"


def channel_lines(report: Report) -> list[str]:
    """A line a channel, where the channels were not treated alike; none where they were."""
    return [f"{each.channel} {_channel(each)}" for each in report.channels]


def _channel(facts: ChannelFacts) -> str:
    what = f"the {facts.holds}" if facts.holds in ("mean", "difference") else facts.holds
    held = "in its place" if facts.holds == facts.expected else f"holds {what}, not {facts.expected}"
    said = [held]
    if facts.level_db is not None:
        said.append(f"{facts.level_db:+.1f} dB")
    if facts.delay_s is not None and abs(facts.delay_s) >= LEAST_SAID_S:
        said.append(f"{1000 * abs(facts.delay_s):.2f} ms {'late' if facts.delay_s > 0 else 'early'}")
    if facts.polarity == -1:
        said.append("inverted")
    if facts.correlation is not None:
        said.append(f"r = {facts.correlation:.2f}")
    if facts.over_limit:
        said.append(f"{facts.verdict} by {len(facts.over_limit)} metric{'s' if len(facts.over_limit) > 1 else ''}")
    return ", ".join(said)


def meaning(row: MetricRow) -> str:
    """One clause on what the change of a metric says; the reason where it has none."""
    if row.change is None:
        return f"not measured: {row.reason}"
    # The whole caveat stands once below the table; here its first words mark the figure it belongs to.
    return f"{_clause(row)} ({row.note.partition(':')[0]})" if row.note else _clause(row)


def _clause(row: MetricRow) -> str:
    said = _said(row)
    return said if row.channel is None else f"channel {row.channel}: {said}"


def _said(row: MetricRow) -> str:
    change = row.change
    if change is None:
        return f"{row.name} not measured"
    try:
        metric = METRICS.get(row.name)
        return metric.phrase(row, change) if metric and metric.phrase else _plain(row, change)
    except (KeyError, ValueError):  # a kept report of another version: its detail is not what the phrase needs
        return _plain(row, change)


def headline(report: Report) -> str:
    """The report in one sentence: what most likely broke; where nothing is named, what matters most, in the order in
    which an engineer asks.
    """
    if report.causes:
        return report.causes[0].summary
    found = {row.name: row for row in report.worst_first if row.verdict in ("FAIL", "WARN")}
    worst = [row for row in found.values() if row.verdict == "FAIL"] or list(found.values())
    names = {row.name for row in worst}
    if not names:
        return "no metric is over its limit" if report.verdict == "PASS" else "nothing could be judged"
    clauses = []
    if "rms_ratio" in names and "dc_share" in names:
        share = found["dc_share"].generated or 0.0
        clauses.append(f"{_clause(found['rms_ratio'])}, and {100 * share:.0f} % of it is DC")
        names -= {"rms_ratio", "dc_share"}
    # A gain explains loudness and band levels; a comb explains timbre: so the list begins with what explains.
    order = [name for name in _TELLING if name in names]
    order += [row.name for row in worst if row.name in names and row.name not in order]
    clauses += [_clause(found[name]) for name in order[: 3 - len(clauses)]]
    return "; ".join(clauses)


_TELLING = (
    "nonfinite_share",
    "stuck_share",
    "rms_ratio",
    "dc_share",
    "clipped_share",
    "comb_share",
    "f0_deviation_cents",
    "misplaced_channels",
    "inverted_channels",
    "waveform_correlation",
    "channel_delay_ms",
    "channel_level_db",
    "mixed_channels",
    "side_share",
    "missing_share",
    "envelope_correlation",
    "content_distance",
    "lost_s",
    "repeated_s",
    "inserted_s",
    "duration_s",
    "delay_s",
    "beyond_rate_share",
    "cutoff_hz",
    "clicks_per_s",
    "spectral_flatness",
    "band_excess_db",
    "band_deficit_db",
    "edge_left_db",
    "edge_right_db",
    "hnr_db",
    "loudness_lufs",
)


def likelihood(cause: Cause) -> str:
    """The confidence in a cause, in whole percent; never 0 or 100, for neither was measured."""
    return f"{min(max(round(100 * cause.confidence), 1), 99)} %"


def cause_lines(cause: Cause) -> list[tuple[str, str]]:
    """(label, text) of what stands under a cause: its evidence, what follows from it, and the fix."""
    lines = [("evidence", text) for text in cause.evidence]
    lines += [("follows", f"{finding.id}: {finding.summary}") for finding in cause.explains]
    return [*lines, ("fix", cause.fix)]


def beside(cause: Cause, first: Cause) -> str:
    """How a further cause stands to the first: both are steps of one chain, or it is another guess."""
    return "and" if cause.step is not None and first.step is not None else "or"


def cause_line(cause: Cause) -> str:
    """A cause in one line."""
    return f"{cause.id} ({likelihood(cause)}): {cause.summary}"


def ledger(causes: Sequence[Cause]) -> list[str]:
    """The chain that was applied to the reference, a line a step in its order: its causes, and what it brings."""
    return [_step_line(names, first, *explains) for names, first, explains in steps_told(causes)]


def steps_told(causes: Sequence[Cause]) -> list[tuple[str, Cause, tuple[float, float]]]:
    """(ids of its causes, the first of them, dB without it and with it) of each step of the chain, in their order."""
    steps: dict[tuple[int, int], list[Cause]] = {}
    for cause in causes:
        if cause.step is not None and cause.explains_db is not None:
            steps.setdefault((cause.channel or 0, cause.step), []).append(cause)
    ordered = [steps[place] for place in sorted(steps)]
    return [(" with ".join(each.id for each in of), of[0], of[0].explains_db) for of in ordered if of[0].explains_db]


def _step_line(names: str, first: Cause, before: float, after: float) -> str:
    channel = "" if first.channel is None else f"channel {first.channel}, "
    digits = 1 if after >= 0 else 0  # of levels; a copy's distances are under 0 dB of the reference
    distances = f"{after:.{digits}f} dB apart with it, {before:.{digits}f} dB without it"
    return f"{channel}step {first.step}: {names}: {distances}"


def proof_line(report: Report) -> str | None:
    """What the steps come to together, in a line; None where nothing was applied to the reference."""
    if report.proof is None:
        return None
    proof = report.proof
    digits = 0 if proof.space == "waveform" else 1
    distances = f"{proof.left.before_db:.{digits}f} dB apart at first, {proof.left.db:.{digits}f} dB left"
    line = f"{distances}: {proof.left.summary}"
    others = " or ".join(" with ".join(chain) for chain in proof.alternatives[:MOST_RIVALS])
    return f"{line}; cannot be told from {others}" if others else line


def repair_lines(repair: Repair) -> list[tuple[str, str]]:
    """(label, text): each step that was undone with the distance before and after, the whole, and what is left."""
    lines = [("repaired", _undone_line(one)) for one in repair.undone]
    before, after = repair.distance_before_db, repair.distance_after_db
    if len(lines) > 1 and before is not None and after is not None:
        lines.append(("repaired", f"together: {round(before)} dB apart before, {round(after)} dB after"))
    if not lines:
        lines.append(("repaired", "nothing: no sound was written"))
    return lines + [("not undone", f"{_on_channel(one.channel)}{one.id}: {one.reason}") for one in repair.left_undone]


def _undone_line(one: Undone) -> str:
    said = f" ({one.summary})" if one.summary else ""
    names = f"{_on_channel(one.channel)}{' with '.join(one.ids)}"
    return f"{names} undone: {round(one.before_db)} dB apart before, {round(one.after_db)} dB after{said}"


def _on_channel(channel: int | None) -> str:
    return "" if channel is None else f"channel {channel}, "


class Place(msgspec.Struct, frozen=True):
    """The largest of the boxes that are nearly one, all metrics that fail there, and its figures in words."""

    region: Region
    metrics: tuple[str, ...]
    time: str
    frequency: str
    excess: str


def places(regions: Sequence[Region]) -> list[Place]:
    """Boxes in words, largest first; those that share over 0.7 of their area, of one sign, are one place."""
    found: list[list[Region]] = []
    for region in regions:
        near = (
            boxes
            for boxes in found
            if boxes[0].channel == region.channel and shared_area(boxes[0], region) >= SAME_PLACE
        )
        boxes = next((boxes for boxes in near if boxes[0].excess_db * region.excess_db > 0), None)
        if boxes is None:
            found.append([region])
        else:
            boxes.append(region)
    return [Place(boxes[0], tuple(dict.fromkeys(box.metric for box in boxes)), *_in_words(boxes[0])) for boxes in found]


def _in_words(region: Region) -> tuple[str, str, str]:
    return (
        f"{region.start_s:.3f} to {region.end_s:.3f} s",
        f"{region.low_hz:.0f} to {region.high_hz:.0f} Hz{_of_channel(region)}",
        f"{region.excess_db:+.1f} dB",
    )


def _of_channel(region: Region) -> str:
    return f", channel {region.channel}" if region.channel else ""


def _plain(row: MetricRow, change: float) -> str:
    about = METRICS[row.name].about if row.name in METRICS else row.name
    if row.reference is None and row.generated is None:  # of the pair; a kept report may have others
        return f"{about}: {amount(change, row.unit)}"
    if change == 0:
        return f"{about}: unchanged"
    way = "higher" if change > 0 else "lower"
    reference = row.reference
    share = ""
    if row.unit == "Hz" and reference:
        share = f" ({100 * abs(change) / reference:.0f} %)"
    return f"{about}: {amount(abs(change), row.unit)} {way}{share}"


def place_line(place: Place) -> str:
    """A place in one line."""
    return f"{place.time}, {place.frequency}: {place.excess} ({', '.join(place.metrics)})"


def case_line(case: Case) -> str:
    """A case in a few words: why it could not be measured, or how many of its metrics hold."""
    failed = [check for check in case.checks if check.verdict != "PASS"]
    return case.error or f"{len(case.checks)} metrics judged, {len(failed)} not passed"


def suite_line(suite: Suite) -> str:
    """How many cases had which verdict."""
    if not suite.cases:
        return "nothing was compared"
    verdicts = [case.verdict for case in suite.cases]
    return ", ".join(f"{verdicts.count(name)} {name}" for name in EXIT_CODES if name in verdicts)


def compare_command(reference: str, generated: str, profile: str | None = None) -> str:
    """What to type, in the same folder, to have the same figures; without outputs: every form of a report is one."""
    options = [] if profile is None else ["--profile", profile]
    end = ["--"] if any(path.startswith("-") for path in (reference, generated)) else []
    return shlex.join(["diagnose", "compare", *options, *end, reference, generated])


def limit_text(row: MetricRow) -> str:
    """The fail level (or the warn level where there is no other) as a reader compares it with the change."""
    level = row.limit.fail if row.limit.fail is not None else row.limit.warn
    return amount(level, row.unit)


def as_suite(report: Report) -> Suite:
    """A single comparison in the form of a suite of one case, for JUnit and Markdown."""
    checks = tuple(
        Check(
            row.name,
            row.verdict,
            f"{meaning(row)}; change {amount(row.change, row.unit)}, limit {limit_text(row)}",
        )
        for row in report.worst_first
        if row.verdict
    )
    name = f"{report.generated.path} against {report.reference.path}"
    case = Case(name, report.verdict, checks, causes=report.causes, regions=report.regions, repair=report.repair)
    return Suite("diagnose compare", (case,))
