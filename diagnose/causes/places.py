"""Causes that show at single places of a copy: seams of chunks, and stretches of another sound; and a folded rate.

Clicks and holes are named by added.clicks and time.dropout, which ask the same places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.causes.clock import samples_lost
from diagnose.causes.evidence import Evidence, ramp
from diagnose.causes.timeline import slips
from diagnose.causes.words import decibels, milliseconds, percent
from diagnose.results.cause import Cause, cause

if TYPE_CHECKING:
    from diagnose.analysis.places import Place

LISTED = 5
CLEAN_DB = -7.0, -12.0  # of what is left over elsewhere: a codec's is at -20 to -35
TEXTURE = 0.5, 0.3  # share of the time from which the places are no places
IN_PIECES = 16, 6  # parts of a copy, from which it is hardly one
USUAL_MS = (10, 20, 30, 40, 50, 60, 80, 100, 120, 160, 200, 240, 250, 300, 320, 400, 480, 500, 640, 800, 1000, 2000)
USUAL_SAMPLES = tuple(1 << power for power in range(8, 18))
NEAR = 0.01  # of a chunk, by which a period may differ from a usual one
FOLDED_DB = -60.0, -45.0


def locally(e: Evidence) -> float:
    """0 to 1: how surely the copy is the reference but for its bad places."""
    if e.method != "waveform" or not e.pair.places:
        return 0.0
    sure = ramp(e.local.elsewhere_db, *CLEAN_DB) * ramp(e.local.share_of_time, *TEXTURE)
    return sure * ramp(len(e.pair.laid.pieces), *IN_PIECES)


def at_times(e: Evidence, places: list[Place]) -> str:
    """Where the places are, the first five, as evidence."""
    times = [e.pair.to_reference_s(place.start) for place in places]
    return f"at {', '.join(f'{at:.3f}' for at in times[:LISTED])}{' ...' if len(times) > LISTED else ''} s"


def chunk_seams(e: Evidence) -> Cause | None:
    """What is wrong comes at multiples of one time: where chunks are joined; or samples are lost, block by block.

    Misleads: music in strict time that is clipped at each beat.
    """
    if (found := slips(e.pair) or samples_lost(e.clock, e.pair)) is not None:
        return found
    sure = locally(e)
    period = e.local.period if sure else None
    if period is None:
        return None
    samples = round(period * e.pair.files[1].rate)
    places = list(e.local.places)
    usual = _usual_chunk(period, samples)
    return cause(
        "chunk-seams",
        0.95 * sure,
        f"wrong at {len(places)} places, which come each {period:.4g} s: {samples} samples of the generated file",
        [
            f"{at_times(e, places)}, {milliseconds(max(place.length for place in places))} at most",
            *([f"the nearest usual chunk: {usual}"] if usual else []),
            f"between them a gain leaves {decibels(e.local.elsewhere_db)} over",
        ],
        (
            "give each chunk the history that the network looks back on, cross-fade the joins, and use windows that "
            "add up to one"
        ),
    )


def _usual_chunk(period: float, samples: int) -> str | None:
    """A chunk that people use, near to the period."""
    usual = min(USUAL_SAMPLES, key=lambda size: abs(size / samples - 1))
    if abs(usual / samples - 1) <= NEAR:
        return f"{usual} samples"
    ms = min(USUAL_MS, key=lambda each: abs(each / 1000 / period - 1))
    return f"{ms} ms" if abs(ms / 1000 / period - 1) <= NEAR else None


def segment_replaced(e: Evidence) -> Cause | None:
    """For a stretch another sound is heard in place of the reference.

    Misleads: a burst that is added, and so loud that it covers the reference.
    """
    places = e.local.replaced if e.method == "waveform" else []
    if not places:
        return None
    strength = 0.9 * locally(e) * ramp(e.local.share(places), 0.4, 0.7)
    longest = max(places, key=lambda place: place.length)
    start = e.pair.to_reference_s(longest.start)
    count = "" if len(places) == 1 else f" at {len(places)} places"
    return cause(
        "segment-replaced",
        strength,
        f"another sound stands for {milliseconds(sum(place.length for place in places))} of the reference{count}",
        [
            (
                f"{start:.3f} to {start + longest.length:.3f} s: what differs is {longest.residual_db:+.1f} dB over "
                f"the reference there, of which {percent(max(longest.kept, 0.0))} are kept"
            ),
            *([at_times(e, places)] if len(places) > 1 else []),
            f"elsewhere a gain leaves {decibels(e.local.elsewhere_db)} over",
        ],
        "look for packets that were concealed, a buffer that was written over while it was read, or a chunk of another "
        "item of the batch",
    )


def aliasing(e: Evidence) -> Cause | None:
    """What the lower rate cannot hold is heard in it: samples were left out without a filter.

    Misleads: a resampler whose filter is short folds a little of what lies just above.
    """
    level, row = e.change("folded_db", -120.0), e.rows["folded_db"]
    if level <= FOLDED_DB[0]:
        return None
    ratio = e.pair.files[0].rate / e.pair.rate
    share = float(row.detail.get("explained", 0.0))
    return cause(
        "aliasing",
        0.95 * ramp(level, *FOLDED_DB) * ramp(share, 0.3, 0.6),
        f"{decibels(-level)} under the sound lies what {e.pair.rate} Hz cannot hold, folded into the range",
        [
            f"the reference read off at every {ratio:.4g}th sample explains {percent(share)} of the difference",
            f"{percent(e.change('beyond_rate_share'))} of the reference's power lies above {e.pair.rate / 2:.0f} Hz",
        ],
        "resample with a low-pass filter (soxr, scipy.signal.resample_poly, torchaudio.transforms.Resample), not by "
        "x[::n] or linear interpolation",
    )
