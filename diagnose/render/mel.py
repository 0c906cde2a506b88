"""An inference and its comparison with a contract -> JSON (diagnose.mel/1) and the terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
from rich.table import Table

from diagnose.render.layout import STYLES, Labelled, print_parts
from diagnose.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from diagnose.mel.candidate import Candidate, Inference
    from diagnose.mel.check import ContractCheck
    from diagnose.mel.contract import MelContract

WIDTH = len("differs    ")
LISTED_WIDTH = 180  # a line a contract


def to_json(path: str, inference: Inference, agreement: ContractCheck | None, converted: str | None = None) -> str:
    """One object and a newline."""
    return json.dumps(_object(path, inference, agreement, converted), indent=2, allow_nan=False) + "\n"


def _object(path: str, inference: Inference, agreement: ContractCheck | None, converted: str | None) -> dict[str, Any]:
    return {
        "schema": "diagnose.mel/1",
        "tool": {"name": "timbre-diagnose", "version": VERSION},
        "array": {
            "path": path,
            "shape": list(inference.shape),
            "axes": inference.axes,
            "bands": inference.bands,
            "frames": inference.frames,
            "items": inference.items,
            "item": inference.item,
            "lowest": inference.lowest,
            "highest": inference.highest,
        },
        "audio": inference.audio,
        "best": None if inference.best is None else _candidate(inference.best),
        "candidates": [_candidate(each) for each in inference.candidates],
        "ambiguous": list(inference.ambiguous),
        "signs": [msgspec.to_builtins(sign) for sign in inference.signs],
        "wanted": None if agreement is None else agreement.wanted.name,
        "differences": [] if agreement is None else [msgspec.to_builtins(each) for each in agreement.differences],
        "unchecked": [] if agreement is None else list(agreement.unchecked),
        "misfit_db": None if agreement is None else _rounded(agreement.misfit_db),
        "converted": converted,
        "verdict": None if agreement is None else agreement.verdict,
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    found = {"residual_db": _rounded(candidate.residual_db), "probability": round(candidate.probability, 4)}
    return {**candidate.fields(), **found}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def print_mel(path: str, inference: Inference, agreement: ContractCheck | None, converted: str | None = None) -> None:
    """Write what was found to stdout: the verdict first where a contract was asked for, then the array."""
    print_parts(list(_parts(path, inference, agreement, converted)))


def _parts(
    path: str, inference: Inference, agreement: ContractCheck | None, converted: str | None
) -> Iterator[Labelled]:
    if agreement is not None:
        yield from _verdict(agreement)
    axes = inference.axes + (f", item {inference.item} of {inference.items}" if inference.items > 1 else "")
    span = f"{inference.lowest:.6g} to {inference.highest:.6g}"
    yield _line("array", f"{path}  {inference.shape} ({axes}), values {span}")
    if inference.best is None:
        yield _line("reads as", "nothing: every value is the same")
    else:
        yield _line("reads as", words(inference.best))
    yield from (_line("note", said) for said in inference.ambiguous)
    yield from (_line("sign", sign.says) for sign in inference.signs)
    if inference.best is not None and inference.best.grid is None:
        yield _line("note", "the values do not show the grid (rate, n_fft, hop, fmin, fmax, filters): give --audio")
    if agreement is not None and agreement.misfit_db is not None:
        yield _line(
            "measured", f"{agreement.misfit_db:.3g} dB rms from the mel of the sound by {agreement.wanted.name}"
        )
    if converted is not None:
        yield _line("converted", converted)


def _verdict(agreement: ContractCheck) -> Iterator[Labelled]:
    name, count = agreement.wanted.name, len(agreement.differences)
    if agreement.verdict == "ERROR":
        said = "the grid cannot be determined: this array was not computed from this sound"
    elif count:
        said = f"the mel does not match {name}: {count} difference{'s' if count > 1 else ''}"
    elif agreement.unchecked:
        said = f"no difference from {name} found; not checked: {', '.join(agreement.unchecked)}"
    else:
        said = f"the mel matches {name}"
    yield Labelled(f"{agreement.verdict}  ", said, STYLES[agreement.verdict])
    yield from (_line("differs", each.line) for each in agreement.differences)


def _line(label: str, text: str) -> Labelled:
    return Labelled(label.ljust(WIDTH), text)


def words(candidate: Candidate) -> str:
    """A candidate in a line."""
    fields = candidate.fields()
    said = [_scale_words(candidate)]
    if candidate.grid is not None:
        known = {name: "?" if value is None else value for name, value in fields.items()}
        said.append(f"{known['rate_hz']} Hz, n_fft {known['n_fft']}, hop {known['hop']}, {known['bands']} bands")
        said.append(f"{candidate.grid.fmin:g} to {candidate.grid.fmax:g} Hz")
        said.append(f"{known['formula']} formula, norm {known['norm']}")
        said.append(
            "frames centred" if fields["centred"] else "frames not centred" if fields["centred"] is False else ""
        )
        said.append(f"fits within {candidate.residual_db:.2g} dB")
    else:
        said.append(f"{candidate.bands} bands")
        said.append(f"{candidate.probability:.0%} probable, from the values alone")
    return ", ".join(each for each in said if each)


def _scale_words(candidate: Candidate) -> str:
    levels = candidate.levels
    said: str = levels.name
    pooled = candidate.fields()["pooled"]
    if pooled is not None and pooled != levels.summed:
        said += f" of a {pooled} sum"
    if levels.name == "normalised":
        said += f" to {levels.bottom:g}..{levels.top:g}"
        if candidate.grid is not None:
            said += f" ({levels.of} of {levels.low:.1f} to {levels.high:.1f} dB)"
    elif levels.reference == "max":
        said += " with reference max"
    elif levels.reference != 1.0:
        said += f" with reference {levels.reference:.4g}"
    if levels.clip is not None:
        said += f", clipped at {levels.clip:.3g}"
    if levels.top_db is not None:
        said += f", top_db {levels.top_db:g}"
    return said


def contracts_json(contracts: Sequence[MelContract]) -> str:
    """Every contract with all it says."""
    found = [{"name": each.name, **msgspec.to_builtins(each)} for each in contracts]
    return json.dumps({"schema": "diagnose.contracts/1", "contracts": found}, indent=2, allow_nan=False) + "\n"


def print_contracts(contracts: Sequence[MelContract]) -> None:
    """A line a contract."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("contract", "rate", "n_fft", "hop", "bands", "Hz", "filters", "frames", "values"):
        table.add_column(name, overflow="fold", no_wrap=name == "contract")
    for each in contracts:
        grid, levels = each.grid, each.levels
        clip = f", clip {levels.clip:g}" if levels.clip else ""
        reference = ", ref max" if levels.reference == "max" else ""
        top = f", top_db {levels.top_db:g}" if levels.top_db else ""
        filters = grid.formula if grid.norm == "slaney" else f"{grid.formula}, no norm"
        spans = (str(value) for value in (grid.rate, grid.n_fft, grid.hop, grid.bands))
        span = f"{grid.fmin:g}..{grid.fmax:g}"
        table.add_row(each.name, *spans, span, filters, grid.padding, f"{levels.name}{clip}{reference}{top}")
    print_parts([table], piped_width=LISTED_WIDTH)
