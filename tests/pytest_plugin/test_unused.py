"""Which goldens no test used, and the names of cases: as functions, without a pytest inside."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.errors import InputError
from diagnose.pytest_plugin.fixture import default_case, file_name
from diagnose.pytest_plugin.unused import Record, Scope, Use, folder_below, golden_folder, judge, unknown_line

SCOPE = Scope("golden", ("test_*.py",))
GOLDEN = 'schema = "diagnose.golden/1"\n'


@pytest.fixture
def file(tmp_path):
    """A test file with the goldens a and b."""
    path = tmp_path / "test_a.py"
    path.write_text("")
    folder = tmp_path / "golden" / "test_a"
    folder.mkdir(parents=True)
    for name in "ab":
        (folder / f"{name}.toml").write_text(GOLDEN)
    return str(path)


def golden(file, name):
    return f"{golden_folder(file, 'golden')}/{name}.toml"


def test_a_record_travels_as_plain_text_and_merges(file):
    record = Record(tests={file: ["one", "tw\udcff"]}, broken=["x"])
    other = Record(tests={file: ["one"]})
    other.merge(record.collected())
    other.merge(record.collected())
    assert (other.tests, record.collected().isascii()) == ({file: ["one", "tw\udcff"]}, True)


def test_what_all_tests_left_is_unused(file):
    record = Record(tests={file: ["one"]})
    record.ran(Use("one", [golden(file, "a")]), "passed")
    assert judge(record, SCOPE).unused == (golden(file, "b"),)
    record.ran(Use("one", [golden(file, "b")]), "passed")
    assert judge(record, SCOPE) == judge(Record(), SCOPE)


@pytest.mark.parametrize(
    ("outcomes", "why"),
    [
        (["passed", "failed"], "1 failed"),
        (["failed", "passed"], "1 failed"),  # a subtest, then the test itself
        (["skipped"], "1 skipped"),
        ([], "1 not run"),
    ],
)
def test_a_test_that_did_not_pass_may_have_a_golden(file, outcomes, why):
    record = Record(tests={file: ["one"]})
    for outcome in outcomes:
        record.ran(Use("one"), outcome)
    judged = judge(record, SCOPE)
    assert (judged.unused, judged.unknown, judged.doubtful) == ((), ((file, why),), 2)


def test_a_test_that_failed_at_its_only_golden_hides_none(file):
    record = Record(tests={file: ["one"]})
    record.ran(Use("one", [golden(file, "a")], enough=True), "failed")
    assert judge(record, SCOPE).unused == (golden(file, "b"),)


def test_two_tests_of_one_golden_are_shared(file):
    record = Record(tests={file: ["one", "two"]})
    for node in ("one", "two", "two"):
        record.ran(Use(node, [golden(file, "a"), golden(file, "b")]), "passed")
    assert judge(record, SCOPE).shared[0] == (golden(file, "a"), ("one", "two"))


def test_files_that_are_not_judged_are_told_in_one_line():
    record = Record(tests={})
    judged = judge(record, SCOPE)
    assert judged.unknown == ()
    files = {f"/t/{n}.py": f"{n}.py" for n in range(5)}
    line = unknown_line(type(judged)(unknown=tuple((file, "1 not run") for file in files), doubtful=7), files)
    start = "5 test files not checked for unused goldens, 7 goldens unused "
    assert line == start + "(0.py: 1 not run; 1.py: 1 not run; 2.py: 1 not run; and 2 more)"


@pytest.mark.parametrize("folder", ["", "/abs", "..", "../x", "a/../../b", None, 3])
def test_a_folder_of_goldens_is_below_its_test_file(folder):
    with pytest.raises(InputError, match="dir"):
        folder_below(folder, "dir")


# Names


def test_the_names_of_cases():
    assert default_case("tests/test_a.py::test_b") == "test_b"
    assert default_case("tests/test_a.py::TestB::test_c[1-x]") == "TestB.test_c-1-x"
    assert default_case("test_a.py::test_b[a::b[c]]") == "test_b-a::b[c]"
    assert file_name("test_b-1.5") == "test_b-1.5"
    assert file_name("a/b") == "a-b-c14cddc0"  # sha256("a/b")[:8]


HOSTILE = st.text("aB1-_./ é[]\udcff\n", min_size=1, max_size=120)


@given(HOSTILE, HOSTILE)
def test_a_name_is_a_plain_file_and_two_names_are_two_files(one, other):
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", file_name(one))
    assert (file_name(one) == file_name(other)) == (one == other)
