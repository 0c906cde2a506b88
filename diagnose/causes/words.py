"""Figures in the sentences of causes."""

from __future__ import annotations


def percent(share: float) -> str:
    """A share as a percentage, to the digits a reader can use."""
    value = 100 * share
    if 0 < abs(value) < 0.01:
        return "under 0.01 %"
    return f"{value:.0f} %" if abs(value) >= 10 else f"{value:.2g} %"


def decibels(level: float) -> str:
    """A level without a sign where it is positive."""
    return "under -100 dB" if level <= -100 else f"{level:.1f} dB"


def times(factor: float) -> str:
    """A factor."""
    return f"{factor:.1f} times" if factor >= 1.5 else f"{factor:.2f} times"


def hertz(value: float) -> str:
    """A frequency, in kHz from 1000 Hz."""
    return f"{value / 1000:.3g} kHz" if value >= 1000 else f"{value:.0f} Hz"


def milliseconds(value: float) -> str:
    """A time in ms under a second, else in s."""
    return f"{1000 * value:.0f} ms" if abs(value) < 1 else f"{value:.2f} s"
