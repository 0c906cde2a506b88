"""The layout of lines and tables on stdout: fitted to the width of a terminal, unlimited without one."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from diagnose.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType

    Part: TypeAlias = "Text | Table | Labelled | Fitting"

PIPED_WIDTH = 120
STYLES = {"PASS": "bold green", "WARN": "bold yellow", "FAIL": "bold red", "ERROR": "bold magenta"}
_PIECE = re.compile(r" *(?:[^ ]*\d (?:%|dB|dBFS|dBTP|LUFS?|k?Hz|m?s|nats|cents)(?!\w)[^ ]*|[^ ]+)")
HEIGHT = 25  # of nothing that is shown; rich takes no width of a dumb terminal without one


class Labelled(msgspec.Struct, frozen=True):
    """A line whose text goes on under itself, and not under its label, where it has to be wrapped."""

    label: str
    text: str
    style: str = ""
    text_style: str = ""

    @property
    def whole(self) -> Text:
        return Text.assemble((self.label, self.style), (printable(self.text), self.text_style))

    def wrapped(self, width: int) -> Text:
        """In lines of at most width cells; what is longer and cannot be broken, a path, stays whole."""
        indent = "\n" + " " * len(self.label)
        lines = broken(printable(self.text), width - len(self.label))
        return Text.assemble((self.label, self.style), (indent.join(lines), self.text_style))


class Fitting(msgspec.Struct, frozen=True):
    """A table, and what is shown in its place where its numbers and names would have to be cut."""

    table: Table
    narrow: tuple[Labelled, ...]


def print_parts(parts: Iterable[Part], piped_width: int = PIPED_WIDTH) -> None:
    """Write parts to stdout, one below the other, fitted to the terminal.

    In a pipe a table takes piped_width and a line is not wrapped: a long path stays whole for whoever reads it.  That
    holds whatever $COLUMNS says, which a Python program that reads lines, pytest among them, leaves to its children.
    Colour goes to a terminal only, and not where NO_COLOR or TERM=dumb stands against it.
    """
    fitted = Console().is_terminal
    width = shutil.get_terminal_size().columns if fitted else piped_width
    console = Console(highlight=False, width=width, height=HEIGHT)
    for part in parts:
        for one in _fitted(part, width):
            if isinstance(one, Labelled):
                console.print(one.wrapped(width) if fitted else one.whole, soft_wrap=True)
            else:
                console.print(one, soft_wrap=isinstance(one, Text) and not fitted)


def _fitted(part: Part, width: int) -> Iterable[Text | Table | Labelled]:
    """A table that width would cut becomes lines."""
    if isinstance(part, Fitting):
        return [part.table] if _least_width(part.table) <= width else part.narrow
    if isinstance(part, Table) and _least_width(part) > width:
        return _stacked(part)
    return [part]


def broken(text: str, width: int) -> list[str]:
    """Lines of at most width cells, broken at spaces, but not between a number and its unit."""
    lines = [""]
    for piece in _PIECE.findall(text):
        if lines[-1] and cell_len(lines[-1] + piece) > width:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip(" ")
    return lines


def _least_width(table: Table) -> int:
    """Below this, something that must not be wrapped would be cut."""
    _, right, _, left = table.padding
    widths = []
    for column in table.columns:
        texts = [_plain(column.header), *map(_plain, column.cells)]
        unbroken = texts if column.no_wrap else [word for text in texts for word in text.split()]
        widths.append(max(max(map(cell_len, unbroken), default=0), column.min_width or 0) + right + left)
    return sum(widths) - (0 if table.pad_edge else right + left)


def _stacked(table: Table) -> Iterator[Labelled]:
    """A row in several lines: the first cell, and below it each other one behind the head of its column."""
    heads = [_plain(column.header) for column in table.columns]
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        yield Labelled("", _plain(cells[0]), text_style="bold")
        shown = [(f"  {head}: " if head else "  ", _plain(cell)) for head, cell in zip(heads, cells, strict=True)]
        yield from (Labelled(head, text) for head, text in shown[1:] if text)


def _plain(cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)
