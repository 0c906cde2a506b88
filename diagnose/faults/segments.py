"""Faults of the edit script: parts that are lost, inserted, repeated or replaced, and the seams between chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose import operations
from diagnose.faults.fault import Fault, plural

if TYPE_CHECKING:
    from diagnose.faults.fault import Figures, Words

SEGMENT_LOST = Fault(
    id="segment-lost",
    family="time",
    title="a part inside the sound is missing, and the rest comes too early",
    what=(
        "A stretch of the reference is not heard, and what follows it comes too early. It comes from chunks or "
        "packets that are dropped, from an overlap that is trimmed too far, or from a skipped word."
    ),
    told_by=(
        "The two sounds are laid on each other as diff lays texts. What of the reference is left out between two "
        "matched parts is lost, with its place and length."
    ),
    confused_with={
        "dropout": "there silence stands for the lost part, and the length is kept",
        "truncated": "there the start or the end is missing",
        "time-stretch": "there the whole runs faster, and nothing is left out",
    },
    fix="look for dropped chunks (a full queue, an odd size, an empty mel), and for an overlap that is trimmed twice",
    metric="lost_s",
)

SEGMENT_INSERTED = Fault(
    id="segment-inserted",
    family="time",
    title="something else is heard for a while, and then the reference goes on",
    what=(
        "Silence or another sound stands between two parts of the reference, and the sound is longer by that. It "
        "comes from padding between chunks, a pause at joins, or a buffer that ran empty."
    ),
    told_by="As segment-lost: what of the generated sound has no counterpart between two matched parts is inserted.",
    confused_with={
        "segment-repeated": "there what is inserted is another part of the reference",
        "delay": "there the surplus stands before the sound",
        "time-stretch": "there the whole runs slower",
    },
    fix="cut each chunk to its own length before joining, and write nothing while a buffer is empty",
    metric="inserted_s",
)

SEGMENT_REPEATED = Fault(
    id="segment-repeated",
    family="time",
    title="a part of the reference is heard twice",
    what=(
        "A stretch is heard again before the sound goes on. It comes from a chunk that is sent or appended twice, "
        "from an overlap that is not trimmed, or from an attention that goes back in the text."
    ),
    told_by=(
        "As segment-inserted, where the inserted part is found in the reference. Of a reference that repeats itself, "
        "one of the two may have been inserted."
    ),
    confused_with={
        "segment-inserted": "there the surplus is no part of the reference",
        "time-stretch": "a phase vocoder that runs slower can look like short repeats",
    },
    fix="trim the overlap once, and look for a retry or a buffer that is played again while the next is late",
    metric="repeated_s",
)

SEGMENT_REPLACED = Fault(
    id="segment-replaced",
    family="time",
    title="for a stretch another sound stands in the reference's place",
    what=(
        "The length is kept, and for a while another sound is heard. It is a concealed packet, a buffer that was "
        "written over while it was read, or a chunk of another item of the batch."
    ),
    told_by=(
        "A place at which the difference is as loud as the reference and nothing of it is kept, in a sound that is "
        "the reference elsewhere."
    ),
    confused_with={
        "dropout": "there silence stands in place of the sound",
        "interference": "there the reference is still heard below what was added",
        "clicks": "a click lasts for some samples only",
    },
    fix="look for concealed packets, a buffer written while it is read, or a wrong index into the batch",
    metric="bad_places",
)


def _chunk_seams(p: Figures) -> Words:
    if "clicks" in p:
        return f"{plural(p['clicks'], 'click')}, one each {p['period']:.4g} s: at the seams of blocks", ""
    return f"the level falls by {p['depth']:.0f} dB at a seam each {p['period']:.4g} s", ""


CHUNK_SEAMS = Fault(
    id="chunk-seams",
    family="time",
    title="something is wrong wherever chunks are joined",
    what=(
        "Clicks, holes or dips come at multiples of one time. A streaming vocoder without its history, or chunks "
        "joined without a cross-fade, are heard at each border."
    ),
    told_by=(
        "The bad places of the sound come at one distance, which is given in seconds, in samples, and as the nearest "
        "chunk size in use. The clicks or holes themselves are proven as clicks and dropout are."
    ),
    confused_with={
        "clicks": "there the places come at no one distance",
        "dropout": "as for clicks",
        "frame-rate-hum": "at a distance of one hop, the seams become a hum",
    },
    fix="give each chunk the history that the network looks back on, and cross-fade with windows that add up to 1",
    metric="bad_places",
    fits=(operations.local.clicks, operations.gain_curve.periodic_gain),
    told=_chunk_seams,
)

FAULTS = (SEGMENT_LOST, SEGMENT_INSERTED, SEGMENT_REPEATED, SEGMENT_REPLACED, CHUNK_SEAMS)
