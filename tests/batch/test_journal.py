"""The journal: what was written stays, a torn line goes, and a folder belongs to one run and one process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.batch import journal
from diagnose.batch.journal import Journal, RunState, asked, begin, locked, state_of
from diagnose.errors import InputError
from diagnose.profile import default_profile
from diagnose.results.batch import Row

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CHANGES = st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=5).map(tuple)


def row(number, **values):
    return Row(number, f"p{number}", "r.wav", "g.wav", "PASS", **values)


def written(folder, numbers, pairs=10):
    book = Journal(str(folder), pairs)
    for number in numbers:
        book.add(row(number))
    book.close()
    return folder / journal.JOURNAL


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("journal")


@given(rows=st.lists(st.builds(row, st.integers(1, 30), summary=TEXTS, changes=CHANGES), unique_by=lambda one: one.row))
def test_rows_come_back_in_the_order_of_the_manifest(folder, rows):
    (folder / journal.JOURNAL).unlink(missing_ok=True)
    for part in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):  # the second half after a stop
        book = Journal(str(folder), 30)
        for one in part:
            book.add(one)
        book.close()
    book = Journal(str(folder), 30)
    assert book.done == len(rows)
    assert list(book.rows(sorted(one.row for one in rows))) == sorted(rows, key=lambda one: one.row)
    book.close()


def test_a_line_that_was_torn_at_any_byte_is_cut_off_and_nothing_else(tmp_path):
    path = written(tmp_path, [3, 1, 2])
    data = path.read_bytes()
    last = data.rindex(b"\n", 0, -1) + 1
    for end in range(last, len(data)):
        path.write_bytes(data[:end])
        book = Journal(str(tmp_path), 10)
        assert [book.has(number) for number in (1, 2, 3)] == [True, False, True]
        book.add(row(2))
        assert [one.row for one in book.rows([1, 2, 3])] == [1, 2, 3]
        book.close()
        assert path.read_bytes() == data


def test_a_row_is_written_once(tmp_path):
    written(tmp_path, [4])
    book = Journal(str(tmp_path), 10)
    with pytest.raises(ValueError, match="row 4 is written already"):
        book.add(row(4))
    book.close()


@pytest.mark.parametrize("line", [b"{}\n", b"\x00\x00\n", b'{"row": 11}\n', b"\xff\n"])
def test_what_is_no_row_is_not_taken_for_one(tmp_path, line):
    path = written(tmp_path, [1])
    path.write_bytes(path.read_bytes() + line + b"{}\n")
    with pytest.raises(InputError, match=r"journal\.jsonl:2: "):
        Journal(str(tmp_path), 10)


def test_a_row_beyond_the_manifest_is_refused(tmp_path):
    written(tmp_path, [9])
    with pytest.raises(InputError, match="row 9 of 8"):
        Journal(str(tmp_path), 8)


# The folder


def test_a_run_is_gone_on_with_only_when_it_is_asked_for(tmp_path):
    wanted = asked(3, "d", default_profile())
    for resume in (True, False):  # nothing to resume is a beginning
        assert state_of(str(tmp_path), wanted, resume) is None
    begin(str(tmp_path), wanted)
    assert state_of(str(tmp_path), wanted, resume=True) == RunState(wanted)
    journal.finish(str(tmp_path), wanted, {"PASS": 3})
    assert state_of(str(tmp_path), wanted, resume=True) == RunState(wanted, {"PASS": 3})
    with pytest.raises(InputError, match=r"contains a run; .*--resume.*another directory"):
        state_of(str(tmp_path), wanted, resume=False)


def test_another_run_is_not_mixed_in(tmp_path):
    limits = default_profile()
    begin(str(tmp_path), asked(3, "d", limits))
    fewer = {name: limit for name, limit in limits.items() if name != "rms_ratio"}
    for other, said in [
        (asked(4, "e", limits), r"another list of pairs \(3, now 4\)"),
        (asked(3, "e", limits), "another list of pairs"),
        (asked(3, "d", fewer), "other limits"),
    ]:
        with pytest.raises(InputError, match=said):
            state_of(str(tmp_path), other, resume=True)


def test_another_version_is_not_mixed_in(tmp_path):
    wanted = asked(3, "d", default_profile())
    begin(str(tmp_path), wanted)
    path = tmp_path / journal.RUN
    document = json.loads(path.read_text())
    for key, value, said in [
        ("tool_version", "0.0.1", "timbre-diagnose 0.0.1, not"),
        ("metrics", {"rms_ratio": 7}, "other metrics"),
    ]:
        changed = {**document, "asked": {**document["asked"], key: value}}
        path.write_text(json.dumps(changed))
        with pytest.raises(InputError, match=said):
            state_of(str(tmp_path), wanted, resume=True)


@pytest.mark.parametrize("text", ["", "[]", '{"asked": 1}', "\xff"])
def test_a_spoilt_run_json_is_one_line(tmp_path, text):
    (tmp_path / journal.RUN).write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=r"run\.json: is not a diagnose\.batch/1"):
        state_of(str(tmp_path), asked(3, "d", default_profile()), resume=True)


def test_a_second_process_is_kept_out(tmp_path):
    code = (
        "import sys\nfrom diagnose.batch.journal import locked\nfrom diagnose.errors import InputError\n"
        "try:\n    with locked(sys.argv[1]): print('in')\nexcept InputError as error: print(error)"
    )
    ask = [sys.executable, "-c", code, str(tmp_path / "out")]
    with locked(str(tmp_path / "out")):
        done = subprocess.run(ask, capture_output=True, text=True, timeout=600)
        assert "in use by another" in done.stdout
    assert subprocess.run(ask, capture_output=True, text=True, timeout=600).stdout == "in\n"


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(InputError, match="is not a directory"), locked(str(tmp_path / "out")):
        pass
