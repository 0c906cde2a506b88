"""results.csv and table.parquet, read back by pandas' and Arrow's own readers."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.batch import table
from diagnose.batch.table import COLUMNS, write_results
from diagnose.metrics import METRICS
from diagnose.results.batch import BatchRow

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
FLOATS = st.none() | st.floats(allow_nan=False, allow_infinity=False)


def row(number, texts, changes):
    return BatchRow(number, *texts[:3], "FAIL", "rms_ratio", 1.5, "gain", 0.97, texts[3], None, changes)


ROWS = st.lists(st.tuples(st.tuples(*[TEXTS] * 4), st.lists(FLOATS, min_size=2, max_size=2)), max_size=9).map(
    lambda drawn: [
        row(number, texts, (*changes, *(0.25,) * (len(METRICS) - 2)))
        for number, (texts, changes) in enumerate(drawn, 1)
    ]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


def expected(row):
    return [*(getattr(row, name) for name in table.FIELDS), *row.changes]


@given(rows=ROWS)
def test_every_name_and_number_comes_back_from_csv(folder, rows):
    assert write_results(str(folder), "csv", rows) == "results.csv"
    with open(folder / "results.csv", encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == list(COLUMNS)
    assert [line[:4] for line in lines] == [[str(one.row), one.id, one.reference, one.generated] for one in rows]
    for line, one in zip(lines, rows, strict=True):
        assert line[9] == one.summary
        assert [float(cell) if cell else None for cell in line[11:]] == list(one.changes)


@pytest.mark.slow
@given(rows=ROWS)
def test_every_name_and_number_comes_back_from_parquet(folder, rows):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pip install 'timbre-diagnose[batch]'")
    assert write_results(str(folder), "parquet", rows) == "results.parquet"
    table = parquet.read_table(folder / "results.parquet")
    assert table.column_names == list(COLUMNS)
    assert [list(line.values()) for line in table.to_pylist()] == [expected(one) for one in rows]
    assert not (folder / "results.csv").exists()


def test_parquet_is_written_group_by_group(folder, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pip install 'timbre-diagnose[batch]'")
    monkeypatch.setattr(table, "ROW_GROUP", 4)
    write_results(str(folder), "parquet", (row(n, "abcd", (0.5,) * len(METRICS)) for n in range(1, 11)))
    file = parquet.ParquetFile(folder / "results.parquet")
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [4, 4, 2]
    assert file.read(["row"])["row"].to_pylist() == list(range(1, 11))


def test_an_error_row_has_no_numbers(folder):
    write_results(str(folder), "csv", [BatchRow(1, "a", "r", "g", "ERROR", error="r: no such file")])
    with open(folder / "results.csv", newline="") as file:
        (line,) = csv.DictReader(file)
    assert (line["verdict"], line["error"], line["metric"]) == ("ERROR", "r: no such file", "")
    assert {line[name] for name in METRICS} == {""}


def test_results_that_fail_half_way_are_not_there(tmp_path):
    def rows():
        yield row(1, "abcd", (0.5,) * len(METRICS))
        raise RuntimeError("the disk of the journal is gone")

    with pytest.raises(RuntimeError):
        write_results(str(tmp_path), "csv", rows())
    assert list(tmp_path.iterdir()) == []
