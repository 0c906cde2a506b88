"""Numbers and names as text that a reader can use and a terminal can show."""

from __future__ import annotations

CUT = "..."


def printable(text: str) -> str:
    """Text that cannot steer a terminal: control and undecodable characters become escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


def shortened(text: str, most: int) -> str:
    """Printable text of at most so many characters: of a longer one the beginning and, as long, the end."""
    text = printable(text)
    if len(text) <= most:
        return text
    end = (most - len(CUT)) // 2
    return text[: most - len(CUT) - end] + CUT + text[len(text) - end :]


def number(value: float | None, unit: str) -> str:
    """A value with its unit, to the digits a reader can use; a dash for a missing one."""
    if value is None:
        return "–"
    if unit == "share":
        return "< 0.01 %" if 0 < value < 1e-4 else f"{_digits(100 * value)} %"
    if unit in ("ratio", "r"):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    if unit == "count":
        return f"{value:g}"
    if unit in ("dB", "dBFS", "dBTP", "LUFS", "LU"):
        return f"{value:.1f} {unit}"
    return f"{_digits(value)} {unit}"


def amount(change: float | None, unit: str) -> str:
    """A difference with its unit: levels differ by dB, loudnesses by LU."""
    return number(change, {"dBFS": "dB", "dBTP": "dB", "LUFS": "LU"}.get(unit, unit))


def _digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
