"""The frozen Report: all that a renderer sees, and its dict, the contract `diagnose.report/1`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from diagnose.results.verdict import RANK, Verdict
from diagnose.text import amount, shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from diagnose.analysis import Pair
    from diagnose.audio import Audio
    from diagnose.results.cause import Cause
    from diagnose.results.proof import Proof
    from diagnose.results.region import Region
    from diagnose.results.repair import Repair
    from diagnose.results.timeline import Observation, TimelineFacts
Detail = Mapping[str, float | int | str]

SCHEMA = "diagnose.report/1"
# What repr shows: characters of each part, so that whatever a report holds it stays under 600; metrics.
LONGEST = {"name": 70, "id": 30, "summary": 150, "metric": 32, "change": 20}
MOST_SHOWN = 3


class SoundFacts(msgspec.Struct, frozen=True):
    """One file as it is.  native: rms, dc, peak_min, peak_max (mono mix, linear) and spectral_centroid_hz.

    sha256: of the file's bytes, in hexadecimal; None for an array.
    """

    path: str
    rate_hz: int
    channels: int
    duration_s: float
    native: Mapping[str, float | None]
    sha256: str | None = None


class AlignmentFacts(msgspec.Struct, frozen=True):
    """How both were laid on each other.  polarity: 1, -1 or None where phases do not tell.

    delay_s > 0: the generated sound is late.  gain_db: generated over reference, bias aside.
    method: "waveform", "spectrogram" or "none"; with "none", delay_s is None and reason says why.
    """

    rate_hz: int
    compared_s: float
    delay_s: float | None
    gain_db: float
    polarity: int | None
    method: str
    correlation: float
    drift_ppm: float | None
    reason: str | None


class LimitLevels(msgspec.Struct, frozen=True):
    """The change, in the metric's unit, from which it warns and from which it fails; None for no such level."""

    warn: float | None = None
    fail: float | None = None


class MetricRow(msgspec.Struct, frozen=True):
    """One metric of the pair with its verdict, field by field as in the JSON.

    reference, generated: both values; None for a metric of the pair.  change: None where reason says why.
    verdict: None where the metric has no limit or no number.  limit: the levels that change was held to.
    severity: how far the change went on the way to the fail level (1 is on it, inf where that is the ideal itself).
    channel: where the channels were not treated alike, the one that this was measured on, from 1: the worst of them.
    """

    name: str
    unit: str
    reference: float | None = None
    generated: float | None = None
    change: float | None = None
    verdict: Verdict | None = None
    severity: float = 0.0
    limit: LimitLevels = LimitLevels()
    version: int = 1
    reason: str | None = None
    note: str | None = None
    detail: Detail = msgspec.field(default_factory=dict)
    channel: int | None = None


class ChannelFacts(msgspec.Struct, frozen=True):
    """One channel of the generated sound, where the channels were not treated alike.

    channel: from 1.  holds: what of the reference: "channel 2", "mean", "difference", or "silence".
    expected: what it should hold.  level_db: over that; None where it is silent.  delay_s, polarity, correlation: on
    that; None where it was not asked or phases do not tell.  over_limit: metrics of this channel that WARN or FAIL.
    """

    channel: int
    holds: str
    expected: str
    level_db: float | None = None
    delay_s: float | None = None
    polarity: int | None = None
    correlation: float | None = None
    verdict: Verdict | None = None
    over_limit: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True, eq=False):
    """What is known of a pair.

    command: what to type to have it again, where it was typed.  libraries: versions that numbers may depend on.
    channels: each channel, where they were not treated alike.
    proof: what the causes that are steps come to together; None where none was applied to the reference.
    repair: what was undone, where that was asked for, and repaired: the sound that came of it; None where nothing was.
    pair: the signals themselves, for pictures and players, and apart: why they are not there; by_channel: all rows of
    each channel that was measured alone.  None of these, nor repaired, is in the dict.
    """

    tool_version: str
    reference: SoundFacts
    generated: SoundFacts
    alignment: AlignmentFacts
    metrics: tuple[MetricRow, ...]
    verdict: Verdict
    notes: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    causes: tuple[Cause, ...] = ()
    command: str | None = None
    libraries: Mapping[str, str] = msgspec.field(default_factory=dict)
    pair: Pair | None = None
    apart: str | None = None
    timeline: TimelineFacts | None = None
    observations: tuple[Observation, ...] = ()
    channels: tuple[ChannelFacts, ...] = ()
    proof: Proof | None = None
    by_channel: Mapping[int, Sequence[MetricRow]] = msgspec.field(default_factory=dict)
    repair: Repair | None = None
    repaired: Audio | None = None

    def __repr__(self) -> str:
        """Verdict, both names, the likeliest cause and the worst metrics: three lines, under 600 characters."""
        names = [shortened(sound.path, LONGEST["name"]) for sound in (self.generated, self.reference)]
        lines = [f"Report: {self.verdict}, {names[0]} against {names[1]}"]
        lines += [f"  cause: {_named(cause)}" for cause in self.causes[:1]]
        over = [row for row in self.worst_first if row.verdict in ("WARN", "FAIL")]
        said = [_over(row) for row in over[:MOST_SHOWN]]
        said += [f"{len(over) - MOST_SHOWN} more over a limit"] if len(over) > MOST_SHOWN else []
        nothing = "nothing could be judged" if self.verdict == "ERROR" else "no metric is over its limit"
        return "\n".join([*lines, f"  worst: {'; '.join(said)}" if over else f"  {nothing}"])

    def __getitem__(self, metric: str) -> MetricRow:
        """The row of a metric, by its name."""
        for row in self.metrics:
            if row.name == metric:
                return row
        raise KeyError(metric)

    @property
    def worst_first(self) -> list[MetricRow]:
        """The judged rows, FAIL before WARN before PASS, and within each the furthest over its limit first."""
        judged = [row for row in self.metrics if row.verdict]
        return sorted(judged, key=lambda row: (-RANK[row.verdict], -row.severity))

    def scalars(self) -> dict[str, float]:
        """Every number of the metrics by a flat name, for a logger: `wandb.log(report.scalars())`, or for TensorBoard
        `for name, value in report.scalars().items(): writer.add_scalar(name, value, step)`.

        `NAME`: the change, in the metric's unit: generated - reference, a ratio generated / reference, and of a metric
        of the pair its value.  `reference/NAME`, `generated/NAME`: what each sound has; loggers show what stands before
        the slash as a group.  In the order of the report; all are finite, and a number that cannot be had is left out.
        """
        found = {}
        for row in self.metrics:
            sides = {row.name: row.change, f"reference/{row.name}": row.reference}
            sides[f"generated/{row.name}"] = row.generated
            found.update({name: value for name, value in sides.items() if value is not None})
        return {name: float(value) for name, value in found.items() if math.isfinite(value)}

    def as_dict(self) -> dict[str, Any]:
        """The object `--json` prints; every value is a JSON type, a missing number is None beside its reason."""
        return {
            "schema": SCHEMA,
            "tool": {
                "name": "timbre-diagnose",
                "version": self.tool_version,
                "libraries": dict(self.libraries),
            },
            "command": self.command,
            "reference": msgspec.structs.asdict(self.reference),
            "generated": msgspec.structs.asdict(self.generated),
            "alignment": msgspec.structs.asdict(self.alignment),
            "timeline": None if self.timeline is None else _timeline(self.timeline),
            "observations": [msgspec.structs.asdict(each) for each in self.observations],
            "channels": [_listed(each) for each in self.channels],
            "metrics": [_row(row) for row in self.metrics],
            "regions": [msgspec.structs.asdict(region) for region in self.regions],
            "causes": [_cause(cause) for cause in self.causes],
            **_proof(self.proof),
            "repair": None if self.repair is None else msgspec.to_builtins(self.repair),
            "notes": list(self.notes),
            "verdict": self.verdict,
        }

    # What a notebook asks a report for.  The one arrow that points upwards: whoever makes a report (a comparison, a
    # gate, a file that is read again) makes one that can be shown, and none of them loads what shows it.

    def _repr_html_(self) -> str:
        """The report as a notebook shows it."""
        from diagnose.render.notebook import fragment

        return fragment(self)

    def to_frame(self) -> DataFrame:
        """One row a metric, by its name; needs pandas."""
        from diagnose.render.notebook import frame

        return frame(self)

    def figure(self) -> Figure:
        """Both spectrograms and their difference, with the regions; needs matplotlib."""
        from diagnose.render.notebook import figure

        return figure(self)


def _named(cause: Cause) -> str:
    summary = shortened(cause.summary, LONGEST["summary"])
    return f"{shortened(cause.id, LONGEST['id'])} ({100 * cause.confidence:.0f} %): {summary}"


def _over(row: MetricRow) -> str:
    """One metric that is over a limit, with its change."""
    change = "is lost" if row.change is None else shortened(amount(row.change, row.unit), LONGEST["change"])
    return f"{row.verdict} {shortened(row.name, LONGEST['metric'])} {change}"


def _timeline(timeline: TimelineFacts) -> dict[str, Any]:
    found = msgspec.structs.asdict(timeline)
    found["segments"] = [
        {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in msgspec.structs.asdict(each).items()
        }
        for each in timeline.segments
    ]
    return found


def _listed(facts: ChannelFacts) -> dict[str, Any]:
    return msgspec.structs.asdict(facts) | {"over_limit": list(facts.over_limit)}


def _row(row: MetricRow) -> dict[str, Any]:
    """severity None: infinite, the limit lies on the ideal itself."""
    found: dict[str, Any] = msgspec.to_builtins(row)
    return found | {"severity": row.severity if math.isfinite(row.severity) else None}


def _proof(proof: Proof | None) -> dict[str, Any]:
    if proof is None:
        return {"alternatives": [], "space": None, "left": None}
    return {
        "alternatives": [list(chain) for chain in proof.alternatives],
        "space": proof.space,
        "left": msgspec.structs.asdict(proof.left),
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(cause),
        "evidence": list(cause.evidence),
        "explains": [msgspec.structs.asdict(one) for one in cause.explains],
        "parameters": {name: msgspec.structs.asdict(one) for name, one in cause.parameters.items()},
        "explains_db": None if cause.explains_db is None else list(cause.explains_db),
    }
