"""find_regions(): from a pair and its judged rows to boxes, the largest first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from diagnose.metrics import METRICS
from diagnose.regions.areas import areas
from diagnose.regions.bands import beyond_cutoff, fixed_band, named_band, shape
from diagnose.regions.places import bad_places, broken, clicks, comb, edge, missing, stuck, swings
from diagnose.regions.plane import difference_plane
from diagnose.results.region import SMALL, Region, size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from diagnose.analysis import Pair
    from diagnose.results.report import MetricRow

MOST_PER_METRIC = 8  # more boxes than these are a texture, not places
MOST_BAD_PLACES = 32  # unless each is a place by itself
COUNTED = ("bad_places", "swings")  # finders of what is a place as soon as it is worth a warning


def find_regions(pair: Pair, rows: Sequence[MetricRow]) -> tuple[Region, ...]:
    """Where each failed spectral, edge or click metric fails, the largest box first: s times mel times |excess_db|.

    Of bad places, dips and bursts also where they warn.  At most 8 boxes a metric (32 bad places), each at least a
    fiftieth as large as its largest.  Times are the reference's, so a delay is removed; what lies outside the reference
    is moved to its border or left out.  By metric:

    distances        connected areas of cells that differ by over 10 dB, the added and the lost apart
                     (mel_cepstral_distortion_db: below 8 kHz; worst_second_distance_db: in that second;
                     spectral_convergence: by squared error of the magnitudes).  A box holds 90 % of what the metric
                     sees of its area, in either direction.  excess_db: the mean difference of the area's cells, both
                     sounds floored 80 dB under the reference's mean power by bin
    bands            the metric's band, while it differs that way by over half the limit (3 to 10 dB) and is
                     heard (within 40 dB of its loudest).  A band whose share fell because another grew has no box.
                     excess_db: its power, generated over reference
    cutoff_hz        the band between both cut-off frequencies, while it differs by over 10 dB and is heard.
                     excess_db: mean difference in dB
    centroid, bandwidth, roll-off, flatness
                     while the frames' figures differ by over the limit, the band with 90 % of the magnitude (for
                     flatness: of the dB) that was added or that was lost, whichever is more.
                     excess_db: mean difference in dB
    edges            20 ms at that end of the generated sound, the band with 90 % of the energy added or lost.
                     excess_db: against the reference's own edge, in that band
    clicks_per_s     10 ms round each click that the reference does not have, all frequencies.
                     excess_db: of the mean square of the second difference, by which clicks are found
    bad_places       each of them, at least 10 ms, all frequencies.  excess_db: what a gain leaves over, over the
                     reference there
    dips, bursts     while the level is off by over half the limit, all frequencies.  excess_db: by how much, at most
    missing_share    the stretches that are gone, all frequencies.  excess_db: their power, at least -80 dB
    nonfinite_share  the 8 longest stretches that are NaN or infinite, at least 10 ms each, all frequencies.
                     excess_db: as if they were silent, at least -80 dB
    stuck_share      the stretches at full scale, so too.  excess_db: their power
    comb_share       the whole, from the comb's spacing to 8 kHz.  excess_db: 10 log10 of the quotient of both shares
    """
    failed = [row for row in rows if row.name in METRICS and METRICS[row.name].region and _to_be_found(row)]
    if not failed or pair.overlap[0].size == 0:
        return ()
    plane = difference_plane(pair)
    found: list[Region] = []
    for row in failed:
        finder, *arguments = METRICS[row.name].region
        boxes = sorted(_inside(FINDERS[str(finder)](row, plane, *arguments), pair), key=size, reverse=True)
        most = MOST_BAD_PLACES if finder == "bad_places" else MOST_PER_METRIC
        found += [box for box in boxes[:most] if size(box) >= SMALL * size(boxes[0])]
    return tuple(sorted(found, key=size, reverse=True))


def _to_be_found(row: MetricRow) -> bool:
    return row.verdict == "FAIL" or (row.verdict == "WARN" and METRICS[row.name].region[0] in COUNTED)


def _inside(boxes: Sequence[Region], pair: Pair) -> list[Region]:
    """Boxes cut to 0..duration and 0..Nyquist; what is nothing then, or has no finite level, is left out."""
    end, nyquist = pair.reference.mono.size / pair.rate, pair.rate / 2
    cut = [
        Region(
            metric=box.metric,
            start_s=max(float(box.start_s), 0.0),
            end_s=min(float(box.end_s), end),
            low_hz=max(float(box.low_hz), 0.0),
            high_hz=min(float(box.high_hz), nyquist),
            excess_db=float(box.excess_db),
        )
        for box in boxes
    ]
    return [b for b in cut if b.start_s < b.end_s and b.low_hz < b.high_hz and math.isfinite(b.excess_db)]


# By the first word of a metric's region; what else stands there are further arguments.
FINDERS: Mapping[str, Callable[..., list[Region]]] = {
    "areas": areas,
    "band": fixed_band,
    "named_band": named_band,
    "cutoff": beyond_cutoff,
    "shape": shape,
    "edge": edge,
    "clicks": clicks,
    "bad_places": bad_places,
    "swings": swings,
    "missing": missing,
    "broken": broken,
    "stuck": stuck,
    "comb": comb,
}
