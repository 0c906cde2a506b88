"""Ratios that hold on a noisy machine: every contender runs once a round, and ratios are taken round by round."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def rounds(contenders: dict[str, Callable[[], object]], count: int) -> dict[str, list[float]]:
    """Seconds of each contender in each of count rounds, after one round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(count + 1):
        for name, run in contenders.items():
            begin = time.perf_counter()
            run()
            if turn:
                seconds[name].append(time.perf_counter() - begin)
    return seconds


def ratio(seconds: dict[str, list[float]], over: str, under: str) -> float:
    """Median over the rounds of over's time divided by under's."""
    return statistics.median(a / b for a, b in zip(seconds[over], seconds[under], strict=True))


def table(seconds: dict[str, list[float]]) -> str:
    """Median, fastest and slowest run of each contender, in ms."""
    lines = [f"\n{'':24}{'median':>10}{'min':>10}{'max':>10}   ms of {len(next(iter(seconds.values())))} runs, in turn"]
    for name, times in seconds.items():
        figures = (statistics.median(times), min(times), max(times))
        lines.append(f"{name:24}" + "".join(f"{1000 * value:10.1f}" for value in figures))
    return "\n".join(lines)
