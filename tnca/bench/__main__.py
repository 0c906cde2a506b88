"""python -m tnca.bench: `tnca bench`, on a machine that has torch and numpy and nothing else."""

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
tnca bench --device cuda --batch 1,64           a GPU, one note and 64 at once
tnca bench --kernels native --json - | jq .rows[].ratio_to_first
python -m tnca.bench --device cuda              the same, where only torch is installed

Prints a row a kernel, precision and mode: steps or iterations a second (median, slowest, fastest of the rounds), the
ratio to the first code, FLOP/s of the layers (backward twice forward; what is computed again is not counted) and
their share of the machine's own matrix product, the peak of memory, the error against double precision.

--json: {device, threads, torch, python, date, grid, matmul_flops, copy_bytes, rows: [{backend, precision, mode,
batch, per_s, cells_per_s, spread, ratio_to_first, flops, share_of_matmul, share_of_copy, peak_bytes, error,
slope_error, right}]}

Exit codes: 0 measured; 1 a kernel gave what it must not; 2 wrong usage, or a device that is not there.
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
        description="Time the automaton's kernels against the first code, in turn, on random states.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--device", default="auto", help="auto, cpu, cuda or cuda:N [auto]")
    add("--batch", default="1", metavar="N,N", help="states at once [1]")
    add("--kernels", default="", metavar="A,B", help=f"of {', '.join(NAMES)} [all that work]")
    add("--mode", choices=[*MODES, "both"], default="both")
    add("--steps", type=_count, default=96, help="of a rollout [96]")
    add("--bands", type=_count, default=80)
    add("--frames", type=_count, default=88)
    add("--rounds", type=_count, default=7, help="each kernel runs once a round [7]")
    add("--threads", type=_count, help="of a CPU [torch's own]")
    add("--memory", choices=MEMORY, default="stored", help="of the backward pass [stored]")
    add("--json", metavar="F", help="write it as JSON too; - is stdout")
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: a whole number from 1")
    return int(text)


def _counts(option: str, text: str) -> tuple[int, ...]:
    found = tuple(int(each) if each.isdigit() else 0 for each in text.split(","))
    if min(found) < 1:
        raise ValueError(f"{option} {text}: whole numbers from 1, with commas between")
    return found


def _check_writable(path: str | None) -> None:
    """Before minutes of measuring, and not after."""
    if path in (None, "-"):
        return
    folder = os.path.dirname(str(path)) or "."
    if not os.path.isdir(folder):
        raise ValueError(f"--json {path}: no such folder")
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
