"""What trained automata grew: errors, sounds beside the round trip, how much is grown and how much read off.

    tnca train violin.wav --out runs/best
    tnca train violin.wav --out runs/first --preset first --epochs 500     # the same number of cell steps
    python benchmarks/automaton.py runs/best runs/first --out reports/automaton

Writes automaton.json and automaton.md.  Nothing of the sound itself is in them.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import torch

from diagnose.files import write_whole
from diagnose.version import VERSION
from tnca.generation import generate
from tnca.target import centres_hz
from tnca.training.look import METRICS
from tnca.training.loop import train
from tnca.training.run import Run, opened

if TYPE_CHECKING:
    from torch import Tensor

SHARES = (0.125, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
DAMAGE = 16  # cells on a side
SEED = 0


def measured(run: Run) -> dict[str, Any]:
    """Every figure of one run."""
    steps = run.config.growth.steps[1]
    made = generate(run)
    found: dict[str, Any] = {
        "bands": run.rule.bands,
        "frames": run.rule.frames,
        "contract": run.target.contract.name or run.target.contract.about,
        "parameters": sum(parameter.numel() for parameter in run.rule.parameters()),
        "steps": steps,
        "epochs": run.epoch,
        "best_epoch": run.best["epoch"],
        "cell_steps": run.epoch * steps,
        "bands_above_4_khz": int((centres_hz(run.target.contract) > 4000).sum()),
        "errors_db": made.errors_db,
        "grown": {**made.judged.figures, "causes": list(made.judged.causes)},
        "round_trip": {**made.ceiling.figures, "causes": list(made.ceiling.causes)},
        "error_by_steps_db": {str(round(share * steps)): _error(run, round(share * steps)) for share in SHARES},
        "without_neighbours_db": _error_of(run, _alone(run, steps)),
        "damage": healing(run, steps),
    }
    if run.target.contract.levels.reference != "max":
        found["phase"] = {kind: _phase(run, kind) for kind in ("none", "frequency", "target")}
    return found


def _phase(run: Run, kind: Any) -> dict[str, float | None]:
    figures = generate(run, phase=kind).judged.figures
    return {name: figures[name] for name in ("spectral_convergence", "log_spectral_distance_db")}


def healing(run: Run, steps: int) -> dict[str, Any]:
    """A square of 16 x 16 cells is emptied in the grown state; its error then, and after growing on."""
    state = _grown(run, steps)
    bands, frames = state.shape[2:]
    rows = slice(bands // 2 - DAMAGE // 2, bands // 2 + DAMAGE // 2)
    columns = slice(frames // 4, frames // 4 + DAMAGE)
    hurt = state.clone()
    hurt[:, :, rows, columns] = 0
    error = {"before": state, "hurt": hurt, "after": _run(run, hurt, steps), "unhurt_as_long": _run(run, state, steps)}
    return {name: _error_of(run, each, rows, columns) for name, each in error.items()}


def _alone(run: Run, steps: int) -> Tensor:
    """Grown with every cell deaf to its neighbours: the gradients and the Laplacian are 0, only its place is left."""
    rule = run.best_rule
    with torch.no_grad():
        channels = rule.cell.channels
        rule.weights[0][:, channels : 4 * channels] = 0
        return _all(rule, steps)


def trained_deaf(run: Run, epochs: int) -> dict[str, float | int]:
    """The same training from its start, the layers deaf to the neighbours: what the positions alone teach."""
    deaf = Run(run.config, run.target, run.device)
    channels, first = run.config.cell.channels, deaf.rule.weights[0]
    with torch.no_grad():
        first[:, channels : 4 * channels] = 0
    heard = torch.ones_like(first)
    heard[:, channels : 4 * channels] = 0
    first.register_hook(lambda slope: slope * heard)
    train(deaf, stop=lambda: deaf.epoch >= epochs)
    with open(os.path.join(run.folder or "", METRICS), encoding="utf-8") as file:
        hearing = {int(row["epoch"]): float(row["mel_error_db"]) for row in csv.DictReader(file)}
    return {
        "epochs": deaf.epoch,
        "deaf_db": float(deaf.rows[-1]["mel_error_db"] or 0),
        "hearing_db": hearing.get(deaf.epoch, math.nan),
    }


def _all(rule: Any, steps: int) -> Tensor:
    state: Tensor = rule.run(rule.seed(), steps, _chance(rule))
    return state


def _grown(run: Run, steps: int) -> Tensor:
    with torch.no_grad():
        return _all(run.best_rule, steps)


def _run(run: Run, state: Tensor, steps: int) -> Tensor:
    with torch.no_grad():
        rule = run.best_rule
        return rule.run(state, steps, _chance(rule))


def _chance(rule: Any) -> torch.Generator:
    return torch.Generator(rule.biases[-1].device).manual_seed(SEED)


def _error(run: Run, steps: int) -> float:
    return _error_of(run, _grown(run, steps))


def _error_of(run: Run, state: Tensor, rows: slice = slice(None), columns: slice = slice(None)) -> float:
    from tnca.target import levels_db

    with torch.no_grad():
        grown = run.best_rule.read(state)[0].cpu().numpy()
    contract = run.target.contract
    difference = levels_db(grown, contract) - levels_db(run.target.values, contract)
    return float(abs(difference[rows, columns]).mean())


def as_markdown(results: dict[str, Any]) -> str:
    """The report, one column a run."""
    runs = results["runs"]
    names = list(runs)
    lines = [
        "# What the automaton grew",
        "",
        results["how"],
        "",
        f"| | {' | '.join(names)} |",
        "|---" * (len(names) + 1) + "|",
    ]

    def row(label: str, value: Any) -> None:
        lines.append(f"| {label} | {' | '.join(_text(value(runs[name])) for name in names)} |")

    row("contract", lambda run: run["contract"])
    row("grid, bands x frames", lambda run: f"{run['bands']} x {run['frames']}")
    row("epochs x steps", lambda run: f"{run['epochs']} x {run['steps']}")
    for key, label in (
        ("mel_error_db", "all cells"),
        ("mel_error_high_db", "above 4 kHz"),
        ("mel_error_end_db", "last 6 frames"),
    ):
        row(f"mean error of the mel, {label}, dB", lambda run, key=key: run["errors_db"].get(key))
    for key in next(iter(runs.values()))["grown"]:
        row(f"grown: {key}", lambda run, key=key: run["grown"][key])
        row(f"round trip: {key}", lambda run, key=key: run["round_trip"][key])
    lines += ["", "## Grown, or read off the position?", ""]
    for name in names:
        run = runs[name]
        steps = ", ".join(f"{count}: {error:.2f}" for count, error in run["error_by_steps_db"].items())
        hurt = run["damage"]
        lines += [
            f"**{name}.** Mean error in dB by the number of steps, of {run['steps']} trained: {steps}.",
            f"With every cell deaf to its neighbours {run['without_neighbours_db']:.1f} dB.",
            f"A square of {DAMAGE} x {DAMAGE} cells emptied: {hurt['hurt']:.1f} dB (before {hurt['before']:.2f}),",
            f"after {run['steps']} steps more {hurt['after']:.1f}; unhurt, as long {hurt['unhurt_as_long']:.1f}.",
            *_of_deaf(run.get("trained_deaf")),
            "",
        ]
    lines += ["## Phase carried beside the grid", ""]
    for name in names:
        for kind, figures in runs[name].get("phase", {}).items():
            said = ", ".join(f"{figure} {_text(value)}" for figure, value in figures.items())
            lines.append(f"- {name}, {kind}: {said}")
    return "\n".join(lines) + "\n"


def _of_deaf(found: dict[str, Any] | None) -> list[str]:
    if found is None:
        return []
    said = f"{found['deaf_db']:.2f} dB after {found['epochs']} epochs (hearing: {found['hearing_db']:.2f})"
    return [f"Trained deaf from the start, by the positions alone: {said}."]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return ", ".join(value) or "none" if isinstance(value, list) else str(value)


def main() -> None:
    """Measure the runs and write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="folders of `tnca train`")
    parser.add_argument("--out", default="reports/automaton", help="the report's path without its suffix")
    parser.add_argument(
        "--deaf", type=int, metavar="EPOCHS", help="train the first so far without neighbours (minutes)"
    )
    arguments = parser.parse_args()
    runs = {
        os.path.basename(os.path.realpath(folder)): measured(opened(folder, torch.device("cpu")))
        for folder in arguments.runs
    }
    how = f"timbre-diagnose {VERSION}, torch {torch.__version__}, CPU, {datetime.now(UTC):%Y-%m-%d}; "
    how += "`python benchmarks/automaton.py`; sounds by griffinlim, against the reference within the contract's band."
    if arguments.deaf:
        name, run = next(iter(runs)), opened(arguments.runs[0], torch.device("cpu"))
        runs[name]["trained_deaf"] = trained_deaf(run, arguments.deaf)
    results = {"how": how, "runs": runs}
    write_whole(f"{arguments.out}.json", (json.dumps(results, indent=2) + "\n").encode())
    write_whole(f"{arguments.out}.md", as_markdown(results).encode())
    print(as_markdown(results))


if __name__ == "__main__":
    main()
