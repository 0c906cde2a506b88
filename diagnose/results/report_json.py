"""JSON (`diagnose.report/1`) -> Report.  The input is untrusted: every field is validated.

A file of another version is read too: newer keys that it lacks are left out, and what it has besides is passed over.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import sys
from typing import Annotated, Any, NoReturn

import msgspec

from diagnose.errors import InputError
from diagnose.results.cause import Cause  # noqa: TC001 - msgspec reads the types
from diagnose.results.proof import Left, Proof
from diagnose.results.region import Region  # noqa: TC001
from diagnose.results.repair import Repair  # noqa: TC001
from diagnose.results.report import SCHEMA, AlignmentFacts, ChannelFacts, LimitLevels, MetricRow, Report, SoundFacts
from diagnose.results.timeline import Observation, TimelineFacts  # noqa: TC001
from diagnose.results.verdict import Verdict, overall

MOST_BYTES = 4_000_000  # a report of compare() has some 40 kB
MOST_TEXT = 10_000  # characters of one string
MOST_ITEMS = 2_000  # of one list or object
DEEPEST = 6
MOST_CHANNELS = 64
LARGEST = 1e100  # no figure of a sound comes near it, and a renderer may multiply it
HINT = "give what `diagnose compare --json` wrote"


class _Row(msgspec.Struct, frozen=True):
    name: str
    unit: str
    reference: float | None
    generated: float | None
    change: float | None
    verdict: Verdict | None
    limit: LimitLevels
    version: int
    severity: float | None = 0.0
    reason: str | None = None
    note: str | None = None
    detail: dict[str, float | int | str] = msgspec.field(default_factory=dict)
    channel: int | None = None


_Ids = Annotated[tuple[str, ...], msgspec.Meta(max_length=16)]


class _Tool(msgspec.Struct, frozen=True):
    version: str
    libraries: dict[str, str] = msgspec.field(default_factory=dict)


class _Document(msgspec.Struct, frozen=True):
    tool: _Tool
    reference: SoundFacts
    generated: SoundFacts
    alignment: AlignmentFacts
    metrics: Annotated[list[_Row], msgspec.Meta(max_length=500)]
    regions: tuple[Region, ...]
    causes: Annotated[tuple[Cause, ...], msgspec.Meta(max_length=100)]
    verdict: Verdict
    notes: Annotated[tuple[str, ...], msgspec.Meta(max_length=100)] = ()
    command: str | None = None
    timeline: TimelineFacts | None = None
    observations: Annotated[tuple[Observation, ...], msgspec.Meta(max_length=100)] = ()
    channels: Annotated[tuple[ChannelFacts, ...], msgspec.Meta(max_length=MOST_CHANNELS)] = ()
    space: str | None = None
    left: Left | None = None
    alternatives: Annotated[tuple[_Ids, ...], msgspec.Meta(max_length=20)] = ()
    repair: Repair | None = None


def read_report(path: str | os.PathLike[str]) -> Report:
    """The report in a JSON file, without its sounds; "-" reads it from stdin.

    path: of what `diagnose compare --json` or `json.dumps(report.as_dict())` wrote, at most 4 MB.
    Raises InputError in one line, with the file and the key, for what is not such a report.
    """
    name = "stdin" if path == "-" else os.fspath(path)
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise InputError(f"{name}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MOST_BYTES:
        raise InputError(f"{name}: over {MOST_BYTES / 1e6:g} MB, not a report; {HINT}")
    return report_from(_document(data, name), name)


def _document(data: bytes, name: str) -> Any:
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refused)
    except UnicodeDecodeError:
        raise InputError(f"{name}: not UTF-8 text; {HINT}") from None
    except RecursionError:
        raise InputError(f"{name}: nested too deeply for a report; {HINT}") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{name}: line {error.lineno}: not JSON ({error.msg}); {HINT}") from None
    except ValueError as error:  # NaN, or a whole number of thousands of digits
        raise InputError(f"{name}: not JSON ({str(error).partition(';')[0]}); {HINT}") from None


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not allowed")


def report_from(document: Any, name: str = "report") -> Report:
    """The Report whose as_dict() is document, without its sounds; name is what an error begins with.

    Raises InputError in one line, with the key, for whatever is missing, of another type, too large or not finite,
    and for a verdict that is not its metrics'.
    """
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        said = document.get("schema") if isinstance(document, dict) else None
        what = f"schema {said[:40]!a}" if isinstance(said, str) else "no schema"
        raise InputError(f"{name}: {what}, not {SCHEMA}; {HINT}")
    _bounded(document, "$", name)
    try:
        read = msgspec.convert(document, _Document)
    except msgspec.ValidationError as error:
        raise InputError(f"{name}: {_words(error)}") from None
    except UnicodeError:  # the message would quote half a character
        raise InputError(f"{name}: a key or a text with invalid Unicode; {HINT}") from None
    _shown(read, name)
    rows = tuple(_row(row) for row in read.metrics)
    judged = overall([row.verdict for row in rows])
    if judged != read.verdict:
        raise InputError(f"{name}: $.verdict: {read.verdict}, but the metrics give {judged}; the file was modified")
    for index, cause in enumerate(read.causes):
        if not 0 <= cause.confidence <= 1:
            raise InputError(f"{name}: $.causes[{index}].confidence: must be 0 to 1, not {cause.confidence:g}")
    return Report(
        tool_version=read.tool.version,
        reference=read.reference,
        generated=read.generated,
        alignment=read.alignment,
        metrics=rows,
        verdict=read.verdict,
        notes=read.notes,
        regions=read.regions,
        causes=read.causes,
        command=read.command,
        timeline=read.timeline,
        observations=read.observations,
        channels=read.channels,
        proof=_proof(read),
        repair=read.repair,
        libraries=read.tool.libraries,
        apart="this report was read from JSON, which contains no sounds",
    )


def _shown(read: _Document, name: str) -> None:
    """InputError for text that no report has and that a page shows as it is; paths, command and causes may be so."""
    texts = [read.tool.version, *read.notes, read.alignment.method, read.alignment.reason or ""]
    texts += _timeline_texts(read.timeline)
    texts += [text for each in read.observations for text in (each.id, each.unit)]
    texts += [text for each in read.channels for text in (each.holds, each.expected, *each.over_limit)]
    texts += [region.metric for region in read.regions]
    texts += _repair_texts(read.repair)
    texts += [read.space or "", read.left.summary if read.left else "", *itertools.chain(*read.alternatives)]
    for row in read.metrics:
        texts += [row.name, row.unit, row.reason or "", row.note or ""]
        texts += [text for text in (*row.detail, *row.detail.values()) if isinstance(text, str)]
    for text in texts:
        if not text.isprintable():
            raise InputError(f"{name}: {text[:40]!a}: contains an unprintable character; {HINT}")


def _proof(read: _Document) -> Proof | None:
    return None if read.space is None or read.left is None else Proof(read.space, read.left, read.alternatives)


def _repair_texts(repair: Repair | None) -> list[str]:
    if repair is None:
        return []
    undone = [text for each in repair.undone for text in (*each.ids, each.summary)]
    return undone + [text for each in repair.left_undone for text in (each.id, each.reason)]


def _timeline_texts(timeline: TimelineFacts | None) -> list[str]:
    if timeline is None:
        return []
    return [timeline.method, *(text for each in timeline.segments for text in (each.kind, each.content or ""))]


def _words(error: msgspec.ValidationError) -> str:
    """msgspec says `Expected ..., got ... - at `$.key``; the key comes first here, as in every other error."""
    said, _, key = str(error).partition(" - at ")
    line = f"{key.strip('`') or '$'}: {said[:1].lower()}{said[1:200]}"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def _row(row: _Row) -> MetricRow:
    fields = msgspec.structs.asdict(row)
    return MetricRow(**fields | {"severity": math.inf if row.severity is None else row.severity})


def _bounded(value: Any, key: str, name: str, depth: int = 0) -> None:
    """InputError for the first text, list or number in value that is larger than any in a report."""
    if depth > DEEPEST:
        raise InputError(f"{name}: {key}: nested too deeply for a report; {HINT}")
    if isinstance(value, str):
        if len(value) > MOST_TEXT:
            raise InputError(f"{name}: {key}: {len(value)} characters; at most {MOST_TEXT} are allowed")
    elif isinstance(value, int | float):
        if not abs(value) <= LARGEST:
            raise InputError(f"{name}: {key}: a number above {LARGEST:g}")
    elif isinstance(value, dict | list):
        if len(value) > MOST_ITEMS:
            raise InputError(f"{name}: {key}: {len(value)} entries; at most {MOST_ITEMS} are allowed")
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for part, inside in parts:
            _bounded(part, key, name, depth)
            here = f".{part}" if isinstance(part, str) and part.isidentifier() else f"[{part!a}]"
            _bounded(inside, key + here[:50], name, depth + 1)
