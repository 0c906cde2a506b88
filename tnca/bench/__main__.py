"""python -m tnca.bench: `tnca bench` for a machine with only torch and numpy."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import NoReturn

import torch

from tnca.bench.contenders import NAMES, known
from tnca.bench.measure import MODES, measured, table
from tnca.device import device_of
from tnca.kernels import MEMORY

EXAMPLES = """\
tnca bench                                      this processor
tnca bench --device cuda --batch 1,64           a GPU; one note, and 64 at once
tnca bench --kernels native --json - | jq .rows[].ratio_to_first
python -m tnca.bench --device cuda              the same, if only torch is installed

Prints one row per kernel, precision and mode: steps or iterations per second (median, slowest and fastest round),
the ratio to the first code, FLOP/s of the layers (the backward pass counts twice the forward pass, recomputation is
not counted) and their share of the matrix product of this machine, the peak memory, and the error against double
precision.

--json: {device, threads, torch, python, date, grid, matmul_flops, copy_bytes, rows: [{backend, precision, mode,
batch, per_s, cells_per_s, spread, ratio_to_first, flops, share_of_matmul, share_of_copy, peak_bytes, error,
slope_error, right}]}

Exit codes: 0 measured; 1 the result of a kernel is wrong; 2 wrong usage, or a device that is not available.
"""


def main(arguments: list[str] | None = None, program: str = "python -m tnca.bench") -> int:
    """The exit code."""
    options = _parser(program).parse_args(arguments)
    try:
        kernels = known(options.kernels)
        batches = _counts("--batch", options.batch)
        device = device_of(options.device)
        _check_writable(options.json)
    except ValueError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    if options.threads:
        torch.set_num_threads(options.threads)
    found = measured(
        device,
        batches,
        kernels=kernels,
        size=(options.bands, options.frames),
        steps=options.steps,
        rounds=options.rounds,
        memory=options.memory,
        modes=MODES if options.mode == "both" else (options.mode,),
        said=lambda line: print(line, file=sys.stderr, flush=True),
    )
    if options.json != "-":
        print(table(found))
    if options.json:
        _write(json.dumps(found, indent=1) + "\n", options.json)
    wrong = [row for row in found["rows"] if not row["right"]]
    return 1 if wrong else 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """In one line, as every error here."""
        self.exit(2, f"{self.prog}: {message}; see --help\n")


def _parser(program: str) -> argparse.ArgumentParser:
    parser = _Parser(
        program,
        description="Measure the speed of the automaton's kernels, on random states, relative to the first code.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--device", default="auto", help="device: auto, cpu, cuda or cuda:N [auto]")
    add("--batch", default="1", metavar="N,N", help="numbers of states at once [1]")
    add("--kernels", default="", metavar="A,B", help=f"kernels to measure: {', '.join(NAMES)} [all that work here]")
    add("--mode", choices=[*MODES, "both"], default="both", help="what to measure [both]")
    add("--steps", type=_count, default=96, help="steps of a rollout [96]")
    add("--bands", type=_count, default=80, help="bands of the grid [80]")
    add("--frames", type=_count, default=88, help="frames of the grid [88]")
    add("--rounds", type=_count, default=7, help="rounds; each kernel runs once per round [7]")
    add("--threads", type=_count, help="CPU threads [as torch chooses]")
    add("--memory", choices=MEMORY, default="stored", help="what the backward pass does with states [stored]")
    add("--json", metavar="F", help="also write the results as JSON to F, or - for stdout")
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be a whole number from 1")
    return int(text)


def _counts(option: str, text: str) -> tuple[int, ...]:
    found = tuple(int(each) if each.isdigit() else 0 for each in text.split(","))
    if min(found) < 1:
        raise ValueError(f"{option} {text}: must be whole numbers from 1, separated by commas")
    return found


def _check_writable(path: str | None) -> None:
    """Before minutes of measuring, and not after."""
    if path in (None, "-"):
        return
    folder = os.path.dirname(str(path)) or "."
    if not os.path.isdir(folder):
        raise ValueError(f"--json {path}: no such directory")
    if os.path.isdir(str(path)) or not os.access(folder, os.W_OK):
        raise ValueError(f"--json {path}: cannot be written")


def _write(text: str, path: str) -> None:
    """Whole or not at all."""
    if path == "-":
        sys.stdout.write(text)
        return
    beside = f"{path}.{os.getpid()}"
    with open(beside, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(beside, path)


if __name__ == "__main__":
    sys.exit(main())
