"""Rows -> results.csv or results.parquet, one column per metric; streamed, and written atomically."""

from __future__ import annotations

import csv
import io
import os
from itertools import islice
from typing import TYPE_CHECKING, Any

from diagnose.files import whole_file
from diagnose.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diagnose.results.batch import Row

FIELDS = (
    "row",
    "id",
    "reference",
    "generated",
    "verdict",
    "metric",
    "severity",
    "cause",
    "confidence",
    "summary",
    "error",
)
COLUMNS = (*FIELDS, *METRICS)
NO_CHANGES = (None,) * len(METRICS)
ROW_GROUP = 4096


def write_results(out: str, form: str, rows: Iterable[Row]) -> str:
    """Write rows into the folder out; the name of the file.  form: "csv" or "parquet"."""
    name = f"results.{form}"
    with whole_file(os.path.join(out, name)) as file:
        if form == "parquet":
            _write_parquet(file, rows)
        else:
            _write_csv(file, rows)
    other = os.path.join(out, "results.csv" if form == "parquet" else "results.parquet")
    if os.path.exists(other):  # of a try that was killed between its results and its end
        os.unlink(other)
    return name


def _values(row: Row) -> tuple[Any, ...]:
    return (*(getattr(row, field) for field in FIELDS), *(row.changes or NO_CHANGES))


def _write_csv(file: Any, rows: Iterable[Row]) -> None:
    """RFC 4180 with its \\r\\n, so that a name with a line break in it is quoted and comes back."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_values(row) for row in rows)
    text.flush()
    text.detach()


def _write_parquet(file: Any, rows: Iterable[Row]) -> None:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    kinds = {"row": pyarrow.int64(), "severity": pyarrow.float64(), "confidence": pyarrow.float64()}
    kinds |= dict.fromkeys(METRICS, pyarrow.float64())
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in COLUMNS])
    with ParquetWriter(file, schema, compression="zstd") as writer:
        rows = iter(rows)
        while part := list(islice(rows, ROW_GROUP)):
            columns = zip(*map(_values, part), strict=True)
            arrays = [pyarrow.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_table(pyarrow.table(arrays, schema=schema))
