"""What it does to the sound when a mel is on another grid than its reader takes it for, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from diagnose.spectrogram import mel_edges

if TYPE_CHECKING:
    from diagnose.spectrogram import MelGrid

EDGES = {"fmin_hz": "fmin", "fmax_hz": "fmax", "formula": "formula"}


def consequence(field: str, ours: MelGrid, theirs: MelGrid) -> str:
    """Of one field of `diagnose.mel/1` in which ours, the array's grid, differs from theirs, the reader's."""
    if field in EDGES:
        return _of_edge(EDGES[field], ours, theirs)
    match field:
        case "rate_hz":
            return _of_rate(theirs)
        case "n_fft":
            return _of_n_fft(ours, theirs)
        case "hop":
            return _of_hop(ours, theirs)
        case "norm":
            return _of_norm(ours, theirs)
    return _of_centring(ours, theirs)


def _of_rate(theirs: MelGrid) -> str:
    return f"the vocoder writes {theirs.rate} samples a second, and takes bins and hops for that rate's"


def _of_n_fft(ours: MelGrid, theirs: MelGrid) -> str:
    ms, wanted_ms = (1000 * grid.n_fft / grid.rate for grid in (ours, theirs))
    return f"frames of {ms:.3g} ms, not {wanted_ms:.3g}: another blur in time and frequency, and another level"


def _of_hop(ours: MelGrid, theirs: MelGrid) -> str:
    ratio = theirs.hop / theirs.rate / (ours.hop / ours.rate)
    if abs(ratio - 1) < 1e-6:
        return "the same step in time at another rate"
    return f"a frame every {1000 * ours.hop / ours.rate:.4g} ms: the sound comes out {ratio:.3g} times as long"


def _of_edge(field: str, ours: MelGrid, theirs: MelGrid) -> str:
    """Where a band three quarters up sits, if nothing else were different."""
    band = 3 * theirs.bands // 4
    changed = _with_field(theirs, field, getattr(ours, field))
    places = [float(mel_edges(grid)[band + 1]) / 1000 for grid in (changed, theirs)]
    return f"band {band} sits at {places[0]:.3g} kHz instead of {places[1]:.3g}"


def _with_field(grid: MelGrid, field: str, value: Any) -> MelGrid:
    fields = {"fmin": grid.fmin, "fmax": grid.fmax, "formula": grid.formula, field: value}
    return msgspec.structs.replace(grid, fmin=fields["fmin"], fmax=fields["fmax"], formula=fields["formula"])


def _of_norm(ours: MelGrid, theirs: MelGrid) -> str:
    edges = mel_edges(theirs)
    times = (edges[-1] - edges[-3]) / (edges[2] - edges[0])
    if ours.norm == "none":
        return f"filters of equal height: against the lowest band, the highest is {times:.3g} times too large"
    return f"filters of equal area: against the lowest band, the highest is {times:.3g} times too small"


def _of_centring(ours: MelGrid, theirs: MelGrid) -> str:
    centres = [(grid.n_fft / 2 - grid.framing.margin) / grid.rate for grid in (ours, theirs)]
    late = 1000 * (centres[1] - centres[0])
    when = "earlier" if late > 0 else "later"
    return f"every frame stands for a time {abs(late):.3g} ms {when} than the vocoder takes it"
