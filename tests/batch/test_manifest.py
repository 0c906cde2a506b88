"""Manifests: what is a pair, and which line is wrong."""

from __future__ import annotations

import csv
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.batch.manifest import Matches, PairPaths, Table, counted, source_of, storable
from diagnose.errors import InputError

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("manifests")


def read(path):
    return list(Table(str(path)).pairs())


def write(folder, data):
    path = folder / "pairs.csv"
    path.write_bytes(data)
    return path


@given(rows=st.lists(st.tuples(NAMES, NAMES, NAMES), max_size=6), order=st.permutations(range(4)), bom=st.booleans())
def test_whatever_names_a_csv_holds_come_back(folder, rows, order, bom):
    header = ["id", "reference", "generated", "spare"]
    path = folder / "any.csv"
    with open(path, "w", encoding="utf-8-sig" if bom else "utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow([header[place] for place in order])
        writer.writerows([[*row, "?"][place] for place in order] for row in rows)
    expected = [
        PairPaths(number, name, os.path.join(str(folder), before), os.path.join(str(folder), after))
        for number, (name, before, after) in enumerate(rows, 1)
    ]
    assert read(path) == expected


@given(data=st.binary(max_size=200))
def test_any_bytes_are_pairs_or_one_line_of_error(folder, data):
    path = write(folder, b"reference,generated\n" + data)
    pairs, said = [], None
    try:
        pairs = read(path)
    except InputError as error:
        said = str(error)
    assert said is None or (said.startswith(str(path)) and "\n" not in said)
    assert [pair.row for pair in pairs] == list(range(1, len(pairs) + 1))
    assert all(pair.reference and pair.generated for pair in pairs)


def test_paths_are_relative_to_the_manifest_and_an_absolute_one_stays(tmp_path):
    path = write(tmp_path, b"reference,generated\na/b.wav,/c/d.x.wav\n\n../e.wav,f\n")
    assert read(path) == [
        PairPaths(1, "/c/d.x", f"{tmp_path}/a/b.wav", "/c/d.x.wav"),
        PairPaths(2, "f", f"{tmp_path}/../e.wav", f"{tmp_path}/f"),
    ]


WRONG = {
    "no column": (b"reference,made\na,b\n", ":1: has no column 'generated'"),
    "another separator": (b"reference;generated\na;b\n", "the columns are"),
    "a column twice": (b"reference,generated,generated\n", ":1: has 2 columns 'generated'"),
    "a short row": (b"reference,generated\na,b\nc\n", ":3: has 1 field, but the header has 2"),
    "a long row": (b"reference,generated\na,b,c\n", ":2: has 3 fields"),
    "an empty name": (b"reference,generated\na,\n", ":2: generated is empty"),
    "an open quote": (b'reference,generated\na,"b\n', ":2: unexpected end of data"),
    "not UTF-8": (b"reference,generated\na,\xff\n", "not UTF-8 text (byte 0xff)"),
    "nothing at all": (b"", "is empty"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_said_with_file_and_line(tmp_path, kind):
    data, said = WRONG[kind]
    path = write(tmp_path, data)
    with pytest.raises(InputError) as error:
        counted(Table(str(path)))
    assert str(error.value).startswith(str(path))
    assert said in str(error.value)


def test_a_header_alone_is_nothing_to_compare(tmp_path):
    with pytest.raises(InputError, match="no pairs to compare"):
        counted(Table(str(write(tmp_path, b"reference,generated\n"))))


def test_rows_are_read_when_they_are_asked_for(tmp_path):
    path = write(tmp_path, b"reference,generated\n" + b"a,b\n" * 50_000 + b"short\n")
    pairs = Table(str(path)).pairs()
    assert next(pairs).row == 1
    pairs.close()


def test_the_digest_tells_lists_apart():
    lists = [("a.wav", "b.wav"), ("a.wav",), ("b.wav", "a.wav")]
    answers = [counted(Matches(names, "r/{name}")) for names in lists]
    assert [count for count, _ in answers] == [2, 1, 2]
    assert len({digest for _, digest in answers}) == 3
    assert counted(Matches(lists[0], "r/{name}")) == answers[0]


def test_the_same_words_in_another_folder_are_another_list(tmp_path, monkeypatch):
    before = counted(Matches(("a.wav",), "r.wav"))
    monkeypatch.chdir(tmp_path)
    assert counted(Matches(("a.wav",), "r.wav")) != before


def test_a_template_takes_name_stem_and_parent():
    template = "{{{parent}/../ref/{stem}.flac {name}}}"
    (pair, bare) = Matches(("out/a.b.wav", "c.wav"), template).pairs()
    assert pair == PairPaths(1, "out/a.b", "{out/../ref/a.b.flac a.b.wav}", "out/a.b.wav")
    assert bare.reference == "{./../ref/c.flac c.wav}"


@pytest.mark.parametrize("template", ["{nam}", "{name.__class__}", "{0}", "{}", "{name", "name}"])
def test_a_template_takes_nothing_else(template):
    with pytest.raises(InputError, match=r"use \{name\}, \{stem\} or \{parent\}"):
        source_of(["x.wav"], template)


def test_globs_are_sorted_files_are_meant_as_they_are_and_none_twice(tmp_path):
    for name in ("b.wav", "a.wav", "[a].wav", "c.flac"):
        (tmp_path / name).touch()
    (tmp_path / "d.wav").mkdir()
    source = source_of([f"{tmp_path}/[a].wav", f"{tmp_path}/*.wav"], "r/{name}")
    assert [os.path.basename(pair.generated) for pair in source.pairs()] == ["[a].wav", "a.wav", "b.wav"]


USAGE = {
    "nothing matches": ((["{}/*.wav"], "r"), "no file matches"),
    "a manifest and more": ((["a.csv", "b.wav"], None), "a.csv: give a manifest alone"),
    "a manifest with --reference": ((["a.csv"], "r"), "names the references itself"),
    "sounds without --reference": ((["a.wav"], None), "--reference 'ref/{name}'"),
}


@pytest.mark.parametrize("kind", USAGE)
def test_half_a_pair_is_refused(tmp_path, kind):
    (sources, reference), said = USAGE[kind]
    with pytest.raises(InputError, match=said):
        source_of([source.format(tmp_path) for source in sources], reference)


def test_bytes_that_are_no_text_become_escapes():
    assert storable(os.fsdecode(b"caf\xe9.wav")) == "caf\\udce9.wav"
    assert storable("café\n\t☃") == "café\n\t☃"
