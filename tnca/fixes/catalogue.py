"""The known fixes of catalogue.toml: source of the claim, prediction, and settings without and with the fix."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

import msgspec

from diagnose.errors import InputError
from diagnose.mel.contract import load
from tnca.config import Config, laid_over, parse, plain, preset_table

Direction = Literal["lower", "higher", "to one"]
Undoing = Literal["10 ** (x / 20)", "10 ** (x / 10)", "x * ln(10) / 20"]
FILE = "catalogue.toml"
# What `--quick` lays over every training: a grid, a rollout and looks so small that three seeds take seconds.
# Thresholds are held against quick trainings, whose rounding must not hang on whether there is a compiler: a fix that
# does nothing shows what the seeds and the rounding make of it.
QUICK: dict[str, Any] = {
    "compute": {"kernel": "reference"},
    "target": {"contract": {"grid": {"bands": 20}}},
    "growth": {"steps": [16, 16]},
    "optimiser": {"learning_rate": 5e-3, "warmup": 5},
}


class Prediction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """amount: the least improvement that counts, in the metric's unit; for "to one" in dB of the distance from 1.

    The amounts are this project's: who claimed a fix mostly gave none.
    """

    metric: str
    direction: Direction
    amount: float


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One side of a fix: a preset, the common tables of `on`, then `over`.

    undone: what becomes of a mel in dB, x, before it is given to the vocoder.  phase: see tnca.generation.carried.
    """

    preset: Literal["first", "best"] = "first"
    on: tuple[str, ...] = ()
    over: dict[str, Any] = {}
    undone: Undoing | None = None
    phase: Literal["none", "target"] = "none"


class Fix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """on: what both sides stand on.  says: the prediction in words.  note: what else a reader should know of it.

    seeds: as many at least, for an effect that is too small for three.
    """

    name: str
    claim: Literal["first diagnosis", "measurement since"]
    says: str
    measured: Literal["round trip", "training"]
    prediction: Prediction
    broken: Side
    fixed: Side
    on: tuple[str, ...] = ()
    note: str = ""
    seeds: int = 0

    @property
    def sides(self) -> dict[str, Side]:
        return {"broken": self.broken, "fixed": self.fixed}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    common: dict[str, dict[str, Any]]
    fix: tuple[Fix, ...]


def fixes(only: tuple[str, ...] = ()) -> tuple[Fix, ...]:
    """All of them, or those of the names, in the catalogue's order; InputError for a name that is none."""
    known = {fix.name: fix for fix in _file().fix}
    unknown = [name for name in only if name not in known]
    if unknown:
        near = [match for name in unknown for match in get_close_matches(name.lower(), known, 1)]
        said = f"did you mean {', '.join(near)}?" if near else f"the fixes are: {', '.join(known)}"
        raise InputError(f"--only {','.join(unknown)}: no such fix; {said}")
    return tuple(fix for fix in known.values() if not only or fix.name in only)


def settings(fix: Fix, side: Side, *, quick: bool = False, over: dict[str, Any] | None = None) -> Config:
    """The configuration of one side of a fix.  over: keys that are laid over everything (epochs, seed)."""
    table = preset_table(side.preset)
    for name in (*fix.on, *side.on):
        table = laid_over(table, _file().common[name])
    table = laid_over(table, side.over)
    if quick:
        table = laid_over(_spelled_out(table), QUICK)
    return parse(laid_over(table, over or {}), f"the fix {fix.name}")


def _spelled_out(table: dict[str, Any]) -> dict[str, Any]:
    """With the contract as a table, so that a key of it can be changed."""
    contract = table["target"]["contract"]
    if not isinstance(contract, str):
        return table
    whole = {key: value for key, value in plain(load(contract)).items() if key != "name"}
    return laid_over(table, {"target": {"contract": whole}})


@lru_cache(maxsize=1)
def _file() -> _File:
    return msgspec.toml.decode((resources.files("tnca.fixes") / FILE).read_bytes(), type=_File)
