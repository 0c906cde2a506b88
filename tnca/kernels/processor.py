"""Information on the processor, from the system."""

from __future__ import annotations

INFO = "/proc/cpuinfo"


def said_of(*keys: str) -> str | None:
    """The value of the first line that begins with one of the keys; None where there is none, or no such file."""
    try:
        with open(INFO, encoding="utf-8") as file:
            line = next((line for line in file if line.startswith(keys)), None)
    except OSError:
        return None
    return None if line is None else line.partition(":")[2].strip()


def flags() -> str | None:
    """The names of what it can do, with spaces between."""
    return said_of("flags", "Features")
