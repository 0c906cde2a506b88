"""Areas of the plane that differ: where the distances come from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from diagnose.analysis.mel_grid import MEL_HIGHEST_HZ
from diagnose.regions.plane import MOST_STRETCHES, span
from diagnose.results.region import SMALL, Region

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.regions.plane import Plane
    from diagnose.results.report import MetricRow


def areas(row: MetricRow, plane: Plane) -> list[Region]:
    """Up to 8 boxes, each with 90 % of what the metric sees of a connected area (see find_areas)."""
    weights = _seen(row, plane)
    labels = plane.areas
    summed = np.bincount(labels.ravel(), np.broadcast_to(weights, labels.shape).ravel())
    summed[0] = 0.0
    largest = np.argsort(-summed, kind="stable")[:MOST_STRETCHES]
    return [_box(row.name, plane, int(one), weights) for one in largest if summed[one] > SMALL * summed.max()]


def _seen(row: MetricRow, plane: Plane) -> Floats:
    """What each cell adds to the metric [shape=(columns, bands)]."""
    if row.name == "spectral_convergence":
        return np.square(np.sqrt(plane.theirs) - np.sqrt(plane.ours))
    seen = np.abs(plane.difference) * plane.mels
    if row.name == "mel_cepstral_distortion_db":
        seen[:, plane.hz[:-1] >= MEL_HIGHEST_HZ] = 0.0
    elif row.name == "worst_second_distance_db":
        worst = (float(row.detail.get(key, at)) for key, at in (("start_s", 0.0), ("end_s", math.inf)))
        start, end = (plane.pair.to_reference_s(at) for at in worst)
        seen[(plane.seconds[1:] <= start) | (plane.seconds[:-1] >= end)] = 0.0
    return seen


def _box(metric: str, plane: Plane, label: int, weights: Floats) -> Region:
    sign = (label - 1) // weights.size  # 0 for what is stronger: a label is the place of one of its cells
    column, band = np.nonzero((plane.areas[sign] == label) & (weights > 0))
    held = weights[column, band]
    columns, bands = span(np.bincount(column, held)), span(np.bincount(band, held))
    excess = float(plane.difference[column, band].mean())
    seconds, hz = plane.seconds, plane.hz
    return Region(metric, seconds[columns.start], seconds[columns.stop], hz[bands.start], hz[bands.stop], excess)
