"""The frozen Report: all that a renderer sees, and its dict, the contract `diagnose.report/1`."""

from __future__ import annotations

import math
from collections.abc import Mapping  # noqa: TC003 - msgspec reads the types of a kept report
from typing import TYPE_CHECKING, Any

import msgspec

from diagnose.verdicts import RANK, MetricRow, Verdict, overall

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from diagnose.align import Alignment
    from diagnose.causes.cause import Cause
    from diagnose.metrics import Pair
    from diagnose.regions import Region

SCHEMA = "diagnose.report/1"


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


class Report(msgspec.Struct, frozen=True, eq=False):
    """What is known of a pair.

    command: what to type to have it again, where it was typed.  libraries: versions that numbers may depend on.
    pair: the signals themselves, for pictures and players, and apart: why they are not there; neither is in the dict.
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

    def __getitem__(self, metric: str) -> MetricRow:
        """The row of a metric, by its name."""
        for row in self.metrics:
            if row.name == metric:
                return row
        raise KeyError(metric)

    @property
    def worst_first(self) -> list[MetricRow]:
        """The judged rows, FAIL before WARN before PASS, and within each the furthest over its limit first."""
        judged = [row for row in self.metrics if row.judgement.verdict]
        return sorted(judged, key=lambda row: (-RANK[row.judgement.verdict], -row.judgement.severity))

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
            "metrics": [_row(row) for row in self.metrics],
            "regions": [msgspec.structs.asdict(region) for region in self.regions],
            "causes": [_cause(cause) for cause in self.causes],
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


def alignment_facts(alignment: Alignment, rate: int, compared: int) -> AlignmentFacts:
    """Alignment in seconds and dB."""
    found = alignment.method != "none"
    return AlignmentFacts(
        rate_hz=rate,
        compared_s=compared / rate,
        delay_s=alignment.delay / rate if found else None,
        gain_db=20 * math.log10(alignment.gain),
        polarity=alignment.polarity,
        method=alignment.method,
        correlation=alignment.correlation,
        drift_ppm=alignment.drift_ppm,
        reason=None
        if found
        else f"no delay gives the two sounds a correlation of 0.5 (best {alignment.correlation:.2f})",
    )


def _row(row: MetricRow) -> dict[str, Any]:
    """severity None: infinite, the limit lies on the ideal itself."""
    figures, judgement = row.figures, row.judgement
    return {
        "name": row.name,
        "unit": row.unit,
        "reference": figures.reference,
        "generated": figures.generated,
        "change": figures.change,
        "verdict": judgement.verdict,
        "severity": judgement.severity if math.isfinite(judgement.severity) else None,
        "limit": {"warn": judgement.warn, "fail": judgement.fail},
        "version": row.version,
        "reason": figures.reason,
        "note": row.note,
        "detail": dict(row.detail),
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(cause),
        "evidence": list(cause.evidence),
        "explains": [msgspec.structs.asdict(one) for one in cause.explains],
    }


class Check(msgspec.Struct, frozen=True):
    """One judged figure in words, the form that JUnit, Markdown and a suite's summary share."""

    metric: str
    verdict: Verdict
    text: str
    better: bool = False  # passed by being better than what was recorded
    line: int | None = None  # of the metric's table in the golden's file
    change: float | None = None  # what was measured, in the metric's unit, as the text has it
    tolerance: float | None = None


class Case(msgspec.Struct, frozen=True):
    """One pair of a suite.  error: why it could not be measured, where it could not.  causes: most likely first.

    golden: the file it is held against; regions: where it fails, largest first; known: ids of the causes that were
    there when it was recorded.
    """

    id: str
    verdict: Verdict
    checks: tuple[Check, ...] = ()
    error: str | None = None
    causes: tuple[Cause, ...] = ()
    golden: str | None = None
    regions: tuple[Region, ...] = ()
    known: tuple[str, ...] = ()


class Earned(msgspec.Struct, frozen=True):
    """What one metric of a case earned by a calibration, in its unit; None where too few runs had the figure.

    threshold: the profile's tolerance, which holds where it is wider.
    """

    case: str
    metric: str
    unit: str
    mean: float | None
    spread: float | None
    tolerance: float | None
    threshold: float


class Suite(msgspec.Struct, frozen=True):
    """What a gate found; ERROR where no case was compared."""

    name: str
    cases: tuple[Case, ...]

    @property
    def verdict(self) -> Verdict:
        return overall([case.verdict for case in self.cases])
