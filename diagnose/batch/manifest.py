"""The pairs of a batch: from a CSV, or from generated files and a template of the reference's name."""

from __future__ import annotations

import csv
import glob
import hashlib
import os
import re
from typing import TYPE_CHECKING, Protocol

import msgspec

from diagnose.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COLUMNS = ("reference", "generated")
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class PairPaths(msgspec.Struct, frozen=True):
    """One entry.  row: its number, from 1; the key of a batch, for ids need not be unique."""

    row: int
    id: str
    reference: str
    generated: str


class Source(Protocol):
    """Where pairs come from.  pairs() may be called again, and gives the same then."""

    def pairs(self) -> Iterator[PairPaths]:
        """Every pair in order, one at a time."""
        ...


class Table(msgspec.Struct, frozen=True):
    """A CSV (RFC 4180, UTF-8) with a header that has `reference` and `generated`, and an `id` where wanted.

    Paths are relative to the file; other columns are not looked at.  pairs() raises InputError with file and line.
    """

    path: str

    def pairs(self) -> Iterator[PairPaths]:
        try:
            with open(self.path, encoding="utf-8-sig", newline="") as file:
                yield from self._read(csv.reader(file, strict=True))
        except OSError as error:
            raise InputError(f"{self.path}: {error.strerror or error}") from None
        except UnicodeDecodeError as error:
            raise InputError(f"{self.path}: not UTF-8 text (byte {error.object[error.start]:#x})") from None

    def _read(self, lines: Iterator[list[str]]) -> Iterator[PairPaths]:
        reader = _numbered(self.path, lines)
        header = next(reader, None)
        if header is None:
            raise InputError(f"{self.path}: the file is empty; line 1 must name the columns {' and '.join(COLUMNS)}")
        names = [name.strip() for name in header[1]]
        places = [self._place(names, name) for name in COLUMNS]
        named = self._place(names, "id") if "id" in names else None
        folder = os.path.dirname(self.path)
        for row, (line, fields) in enumerate(reader, 1):
            if len(fields) != len(names):
                raise InputError(f"{self.path}:{line}: has {_fields(len(fields))}, but the header has {len(names)}")
            for name, place in zip(COLUMNS, places, strict=True):
                if not fields[place]:
                    raise InputError(f"{self.path}:{line}: {name} is empty")
            reference, generated = (os.path.join(folder, fields[place]) for place in places)
            yield PairPaths(
                row, fields[named] if named is not None else _id_of(fields[places[1]]), reference, generated
            )

    def _place(self, names: Sequence[str], wanted: str) -> int:
        found = [index for index, name in enumerate(names) if name == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            raise InputError(f"{self.path}:1: has {len(found)} columns {wanted!r}; keep one")
        shown = ", ".join(names)[:200] or "nothing"
        raise InputError(f"{self.path}:1: has no column {wanted!r}; the columns are: {shown}")


def _numbered(path: str, lines: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """(line of the file, fields) of every line that is not empty; a line here is where the record ends."""
    while True:
        try:
            fields = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(f"{path}:{_line(lines)}: {error}") from None
        if fields:
            yield _line(lines), fields


def _line(lines: Iterator[list[str]]) -> int:
    return int(getattr(lines, "line_num", 0))


def _fields(count: int) -> str:
    return f"{count} field{'s' if count != 1 else ''}"


def _id_of(path: str) -> str:
    """The path without its ending."""
    return os.path.splitext(path)[0]


class Matches(msgspec.Struct, frozen=True):
    """Generated files, each with the reference that the template names.

    reference: a path with {name} (violin.wav), {stem} (violin) and {parent} (its folder) of the generated file;
    {{ and }} are braces.
    """

    generated: tuple[str, ...]
    reference: str

    def pairs(self) -> Iterator[PairPaths]:
        for row, path in enumerate(self.generated, 1):
            yield PairPaths(row, _id_of(path), _filled(self.reference, path), path)


def _filled(template: str, generated: str) -> str:
    folder, name = os.path.split(generated)
    words = {"name": name, "stem": os.path.splitext(name)[0], "parent": folder or os.curdir}

    def word(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        if found[1] not in words:
            raise InputError(f"{template}: {found[0]} is unknown; use {{name}}, {{stem}} or {{parent}}")
        return words[found[1]]

    return PLACEHOLDER.sub(word, template)


def source_of(sources: Sequence[str], reference: str | None = None) -> Source:
    """The source that a command line names: one .csv, or generated files and globs with a reference template.

    Raises InputError where nothing matches, or where only one half of a pair is named.
    """
    tables = [name for name in sources if name.lower().endswith(".csv")]
    if tables:
        if len(sources) > 1:
            raise InputError(f"{tables[0]}: give a manifest alone, without the {len(sources) - 1} other arguments")
        if reference is not None:
            raise InputError(f"{tables[0]}: a manifest names the references itself; leave --reference out")
        return Table(tables[0])
    if reference is None:
        raise InputError(
            f"{sources[0] if sources else 'nothing'}: is not a .csv file; "
            "for sounds, give the references: --reference 'ref/{name}'"
        )
    _filled(reference, "x")  # a wrong template is told before the files are sought
    return Matches(_matches(sources), reference)


def _matches(sources: Sequence[str]) -> tuple[str, ...]:
    """Files in the order they were named, those of a glob sorted; each once."""
    found: dict[str, None] = {}
    for source in sources:
        # A name that is there is meant as it is: the shell may have put it in place of the glob.
        paths = [source] if os.path.isfile(source) else sorted(glob.glob(source, recursive=True))
        paths = [path for path in paths if os.path.isfile(path)]
        if not paths:
            raise InputError(f"{source}: no such file, and no file matches")
        found.update(dict.fromkeys(paths))
    return tuple(found)


def counted(source: Source) -> tuple[int, str]:
    """(number of pairs, SHA-256 of all of them), in one pass; raises what pairs() raises, InputError for none."""
    digest, count = hashlib.sha256(), 0
    for pair in source.pairs():
        count = pair.row
        # Absolute paths too: the same words in another folder are other files.
        where = [os.path.abspath(path) for path in (pair.reference, pair.generated)]
        entry = [storable(text) for text in (pair.id, pair.reference, pair.generated, *where)]
        digest.update(msgspec.json.encode(entry))
    if not count:
        raise InputError("no pairs to compare: the manifest has a header and no rows")
    return count, digest.hexdigest()


def storable(text: str) -> str:
    """Text that UTF-8 can hold: bytes of a file name that are none become escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
