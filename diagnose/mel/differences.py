"""The differences between a mel and what its reader expects: field by field, in words, with the consequence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from diagnose.mel.candidate import Candidate, Inference
from diagnose.mel.values import UNIT_DB
from diagnose.spectrogram import mel_edges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.mel.contract import MelContract
    from diagnose.spectrogram import MelGrid
if TYPE_CHECKING:
    from diagnose.spectrogram import MelGrid

EDGES = {"fmin_hz": "fmin", "fmax_hz": "fmax", "formula": "formula"}


LEAST_LEVEL_DB = 0.5
NEAR_CLIP = 1.06
UNDER_CLIP = 0.1
LEAST_SPREAD_DB = 3.0
LEAST_EPSILON = 1e-6  # of |STFT|**2: 60 dB under a full-scale sample; what is under it differs between builds only


class Difference(msgspec.Struct, frozen=True):
    """One field in which an array is not what a contract asks for, and the consequence."""

    field: str
    found: Any = msgspec.field(name="is")
    should_be: Any
    consequence: str

    @property
    def line(self) -> str:
        if isinstance(self.found, bool):
            how = "are centred, but should not be" if self.found else "are not centred, but should be"
            return f"frames {how}: {self.consequence}"
        if self.should_be is None and isinstance(self.found, str):
            return f"{self.field}: {self.found}; {self.consequence}"
        return f"{self.field} {_shown(self.found)}, not {_shown(self.should_be)}: {self.consequence}"


def declared(ours: MelContract, wanted: MelContract) -> tuple[Difference, ...]:
    """Of two contracts, without an array: where a mel that is in ours is not what the reader of wanted takes it for."""
    bands = ours.grid.bands
    best = Candidate(ours.levels, ours.levels.summed, bands, ours.grid, residual_db=0.0)
    low, high = ours.range
    said = Inference(best, (best,), (), (), (bands, 0), "bands, frames", bands, 0, 1, low, high, spread=math.inf)
    found = tuple(differences(said, best, wanted))
    return (*found, *_left_over(ours, wanted, {each.field for each in found}))


def _left_over(ours: MelContract, wanted: MelContract, named: set[str]) -> Iterator[Difference]:
    """What no inference tells apart, and two contracts do: every other field of the levels, and the padding."""
    theirs = msgspec.structs.asdict(wanted.levels)
    normalised = {"low", "high", "bottom", "top", "of"}
    if named & {"scale", "range"}:
        return
    for field, value in msgspec.structs.asdict(ours.levels).items():
        counts = ours.levels.name == "normalised" or field not in normalised
        if counts and field not in named and value != theirs[field]:
            yield Difference(field, value, theirs[field], "the same values mean other levels")
    if ours.grid.padding != wanted.grid.padding and not named & {"centred", "padding"}:
        yield Difference(
            "padding", ours.grid.padding, wanted.grid.padding, "the frames at both ends cover other samples"
        )
    if ours.bin_epsilon != wanted.bin_epsilon and max(ours.bin_epsilon, wanted.bin_epsilon) > LEAST_EPSILON:
        yield Difference("bin_epsilon", ours.bin_epsilon, wanted.bin_epsilon, "quiet bins have another level")


def differences(inference: Inference, best: Candidate, wanted: MelContract) -> Iterator[Difference]:
    inference = msgspec.structs.replace(inference, best=best)
    yield from _in_levels(inference, wanted)
    yield from _in_grid(best, wanted)


# Levels


def _in_levels(inference: Inference, wanted: MelContract) -> Iterator[Difference]:
    best = inference.best
    assert best is not None
    if inference.bands != wanted.grid.bands:
        yield Difference("bands", inference.bands, wanted.grid.bands, "the first layer of the vocoder does not fit")
    found = []
    ours, theirs = unit(best.levels.name), unit(wanted.levels.name)
    if ours != theirs:
        found.append(Difference("scale", best.levels.name, wanted.levels.name, _of_unit(inference, wanted)))
    elif ours == "normalised":
        found += _in_range(best, wanted)
    pooled = best.fields()["pooled"]
    if pooled is not None and pooled != wanted.levels.summed:
        found.append(Difference("pooled", pooled, wanted.levels.summed, _of_pooled(str(pooled))))
    found += _in_reference(best, wanted)
    found += _in_floor(inference, wanted)
    normed = best.grid is None or best.grid.norm == wanted.grid.norm
    if not found and normed:  # what another difference brings about is none of its own
        found += _in_span(inference, wanted)
    yield from found


def unit(scale: str) -> str:
    """What the numbers are: linear, dB, ln, log10, normalised."""
    for word in ("db", "ln", "log10"):
        if word in scale.split("-"):
            return "dB" if word == "db" else word
    return "normalised" if scale == "normalised" else "linear"


def _of_unit(inference: Inference, wanted: MelContract) -> str:
    best = inference.best
    assert best is not None
    ours, theirs = unit(best.levels.name), unit(wanted.levels.name)
    names = {"linear": "linear values", "dB": "dB", "ln": "natural logarithms", "log10": "logarithms to base 10"}
    names["normalised"] = f"values normalised to {best.levels.bottom:g}..{best.levels.top:g}"
    wanted_name = names[theirs] if theirs != "normalised" else "normalised values"
    span = f"{inference.lowest:.4g} to {inference.highest:.4g}"
    low, high = wanted.range
    reads = f"{low:.4g} to {high:.4g}" if math.isfinite(low) else f"up to {high:.4g}"
    return f"{names[ours]}, not {wanted_name}: values {span}, expected {reads}"


def _of_pooled(pooled: str) -> str:
    ours, theirs = ("|STFT|**2", "|STFT|") if pooled == "power" else ("|STFT|", "|STFT|**2")
    return f"the filters sum {ours}, not {theirs}; this cannot be undone exactly"


def _in_range(best: Candidate, wanted: MelContract) -> Iterator[Difference]:
    ours, theirs = best.levels, wanted.levels
    if (ours.bottom, ours.top) != (theirs.bottom, theirs.top):
        found, should = f"{ours.bottom:g}..{ours.top:g}", f"{theirs.bottom:g}..{theirs.top:g}"
        yield Difference("range", found, should, "the same levels have other values")


def _in_reference(best: Candidate, wanted: MelContract) -> Iterator[Difference]:
    ours, theirs = best.fields()["reference"], wanted.levels.reference
    if ours is None or wanted.levels.name == "normalised":
        return
    if ours == "max" and theirs != "max":
        yield Difference(
            "reference", "max", theirs, "reference lost: the loudest cell is the zero point, so the level is unknown"
        )
    elif ours != "max" and theirs == "max":
        yield Difference("reference", _number(ours), "max", "the loudest cell is not the zero point")
    elif ours != "max" and theirs != "max" and best.residual_db is not None:
        per_decade = 20 if best.pooled == "magnitude" else 10
        over = per_decade * math.log10(float(theirs) / float(ours))
        if abs(over) > max(LEAST_LEVEL_DB, 2 * best.residual_db):
            said = f"every level is {over:+.1f} dB off, or the sound was scaled by that before the mel was computed"
            yield Difference("reference", _number(ours), theirs, said)


def _in_floor(inference: Inference, wanted: MelContract) -> Iterator[Difference]:
    """A floor that was raised: what lay under it is lost."""
    best = inference.best
    assert best is not None
    if best.levels.top_db and not wanted.levels.top_db:
        said = f"values more than {best.levels.top_db:g} dB below the loudest were raised to that level"
        yield Difference("top_db", best.levels.top_db, None, said)
    clip, wants = best.levels.clip, wanted.levels.clip
    at_floor = abs(inference.lowest - wanted.range[0]) < 1e-3 * abs(wanted.range[0])
    same = unit(best.levels.name) == unit(wanted.levels.name) and best.pooled in (None, wanted.levels.summed)
    if clip and wants and same and not at_floor and clip > NEAR_CLIP * wants and best.levels.reference == 1.0:
        yield Difference("clip", clip, wants, "quiet cells were raised, so silence is not silent")


def _in_span(inference: Inference, wanted: MelContract) -> Iterator[Difference]:
    """Values that no sound gives, in the scale that is read."""
    low, high = wanted.range
    spread_db = UNIT_DB.get(wanted.levels.name, math.inf) * inference.spread
    if spread_db < LEAST_SPREAD_DB:
        said = "nearly equal values in every cell: the vocoder will hum at its frame rate"
        yield Difference("spread", f"the values spread over {spread_db:.2g} dB", None, said)
    if math.isfinite(low) and inference.lowest < low - UNDER_CLIP * abs(low):
        said = f"values down to {inference.lowest:.4g}; the vocoder was trained on {low:.4g} and above; clip them"
        clip = inference.best.levels.clip if inference.best is not None else None
        yield Difference("clip", None if clip == wanted.levels.clip else clip, wanted.levels.clip, said)
    if wanted.levels.reference != "max" and inference.highest > high + UNDER_CLIP * abs(high):
        said = f"values up to {inference.highest:.4g}; a sound within full scale gives {high:.4g} at most"
        yield Difference("range", round(inference.highest, 4), round(high, 4), said)
    tail = next((sign.says for sign in inference.signs if sign.id == "masked-tail"), None)
    if tail is not None and "(the floor)" not in tail and wanted.levels.name not in ("power", "magnitude"):
        yield Difference("masked-tail", tail, None, f"silence is {low:.4g}: the vocoder makes these frames audible")


# Grid


def _in_grid(best: Candidate, wanted: MelContract) -> Iterator[Difference]:
    if best.grid is None:
        return
    fields, grid, theirs = best.fields(), best.grid, wanted.grid
    wants: dict[str, Any] = {
        "rate_hz": theirs.rate,
        "n_fft": theirs.n_fft,
        "hop": theirs.hop,
        "fmin_hz": theirs.fmin,
        "fmax_hz": theirs.fmax,
        "formula": theirs.formula,
        "norm": theirs.norm,
        "centred": theirs.padding.startswith("centre"),
    }
    for name, should in wants.items():
        ours: Any = fields[name]
        if ours is None or ours == should or (name in ("fmin_hz", "fmax_hz") and _same_hz(ours, should, theirs)):
            continue
        yield Difference(name, ours, should, consequence(name, grid, theirs))
    if fields["padding"] is not None and {grid.padding, theirs.padding} == {"same-reflect", "none"}:
        said = f"frames begin {abs(grid.framing.margin - theirs.framing.margin)} samples apart"
        yield Difference("padding", grid.padding, theirs.padding, said)


def _same_hz(ours: float, should: float, grid: MelGrid) -> bool:
    """Within a tenth of a bin: no filter changes that one could see."""
    return abs(ours - should) < 0.1 * grid.rate / grid.n_fft


def _number(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value is None else str(value)


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
    return f"the vocoder writes {theirs.rate} samples per second, and assumes bins and hops of that rate"


def _of_n_fft(ours: MelGrid, theirs: MelGrid) -> str:
    ms, wanted_ms = (1000 * grid.n_fft / grid.rate for grid in (ours, theirs))
    return f"frames of {ms:.3g} ms, not {wanted_ms:.3g} ms: another resolution in time and frequency, another level"


def _of_hop(ours: MelGrid, theirs: MelGrid) -> str:
    ratio = theirs.hop / theirs.rate / (ours.hop / ours.rate)
    if abs(ratio - 1) < 1e-6:
        return "the same time step, at another rate"
    return f"a frame every {1000 * ours.hop / ours.rate:.4g} ms: the sound becomes {ratio:.3g} times as long"


def _of_edge(field: str, ours: MelGrid, theirs: MelGrid) -> str:
    """Where a band three quarters up sits, if nothing else were different."""
    band = 3 * theirs.bands // 4
    changed = _with_field(theirs, field, getattr(ours, field))
    places = [float(mel_edges(grid)[band + 1]) / 1000 for grid in (changed, theirs)]
    return f"band {band} is at {places[0]:.3g} kHz instead of {places[1]:.3g} kHz"


def _with_field(grid: MelGrid, field: str, value: Any) -> MelGrid:
    fields = {"fmin": grid.fmin, "fmax": grid.fmax, "formula": grid.formula, field: value}
    return msgspec.structs.replace(grid, fmin=fields["fmin"], fmax=fields["fmax"], formula=fields["formula"])


def _of_norm(ours: MelGrid, theirs: MelGrid) -> str:
    edges = mel_edges(theirs)
    times = (edges[-1] - edges[-3]) / (edges[2] - edges[0])
    if ours.norm == "none":
        return f"filters of equal height: relative to the lowest band, the highest is {times:.3g} times too large"
    return f"filters of equal area: relative to the lowest band, the highest is {times:.3g} times too small"


def _of_centring(ours: MelGrid, theirs: MelGrid) -> str:
    centres = [(grid.n_fft / 2 - grid.framing.margin) / grid.rate for grid in (ours, theirs)]
    late = 1000 * (centres[1] - centres[0])
    when = "earlier" if late > 0 else "later"
    return f"every frame is {abs(late):.3g} ms {when} than the vocoder assumes"
