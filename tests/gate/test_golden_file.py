"""A golden's file: written whole, read back as it was, changed by one process at a time."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from diagnose import gate
from diagnose.errors import InputError
from diagnose.gate.golden import SCHEMA, Accepted, Baseline, Calibration, Golden, load_golden, metric_lines, save_golden

FIGURES = st.floats(allow_nan=False, allow_infinity=False)
BASELINES = st.builds(Baseline, st.just("dB"), st.integers(1, 9), st.none() | FIGURES, st.none() | st.text(max_size=9))
GOLDENS = st.builds(
    Golden,
    st.just(SCHEMA),
    st.text(max_size=9),
    st.just("0.1"),
    st.text(max_size=9),
    st.just("2026-01-01"),
    st.just("00"),
    st.dictionaries(st.from_regex(r"[a-z0-9_]{1,12}", fullmatch=True), BASELINES, max_size=4),
    st.lists(st.just("noise"), max_size=2),
    st.lists(st.builds(Accepted, *[st.text(max_size=9)] * 4), max_size=2),
    st.none() | st.builds(Calibration, st.integers(3, 99), *[st.text(max_size=9)] * 4),
)


@given(GOLDENS)
def test_what_is_saved_is_loaded(tmp_path_factory, kept):
    path = tmp_path_factory.mktemp("golden") / "deep" / "case.toml"
    save_golden(path, kept)
    assert load_golden(path) == kept


PLAIN = Golden(SCHEMA, "a", "0", "b", "c", "d", {"crest_db": Baseline("dB", 1, 1.0)})


def test_it_is_made_in_a_folder_that_is_missing_and_in_one_that_is_there(tmp_path):
    for path in (tmp_path / "very" / "deep" / "case.toml", tmp_path / "case.toml"):
        save_golden(path, PLAIN)
        assert load_golden(path) == PLAIN


def test_what_was_not_measured_or_earned_is_not_written(tmp_path):
    accepted = [Accepted("crest_db", "Ada", "today", "why not")]
    save_golden(tmp_path / "case.toml", msgspec.structs.replace(PLAIN, accepted=accepted))
    document = tomllib.loads((tmp_path / "case.toml").read_text())
    assert document["metric"] == {"crest_db": {"unit": "dB", "version": 1, "change": 1.0}}
    assert document["accepted"] == [{"metric": "crest_db", "who": "Ada", "when": "today", "reason": "why not"}]
    assert "calibration" not in document


@pytest.mark.parametrize("place", ["golden", "metric", "accepted", "calibration"])
def test_a_key_that_is_none_is_refused_wherever_it_stands(tmp_path, place):
    path = tmp_path / "case.toml"
    whole = msgspec.structs.replace(
        PLAIN,
        accepted=[Accepted("crest_db", "Ada", "today", "why not")],
        calibration=Calibration(3, "t", "make", "Ada", "today"),
    )
    save_golden(path, whole)
    document = tomllib.loads(path.read_text())
    parts = {"metric": document["metric"]["crest_db"], "accepted": document["accepted"][0]}
    parts |= {"golden": document, "calibration": document["calibration"]}
    parts[place]["spredd"] = 1.0
    path.write_text(tomli_w.dumps(document))
    with pytest.raises(InputError, match="spredd"):
        load_golden(path)


@pytest.mark.parametrize("name", ["Crest_dB", "\\u001b[31m", "a" * 65, ""])
def test_a_name_that_no_metric_can_have_is_refused(tmp_path, name):
    path = tmp_path / "case.toml"
    save_golden(path, PLAIN)
    path.write_text(path.read_text().replace("[metric.crest_db]", f'[metric."{name}"]'))
    with pytest.raises(InputError, match="is not the name of a metric"):
        load_golden(path)


def test_lines_are_those_of_the_tables(tmp_path):
    path = tmp_path / "case.toml"
    metrics = {name: Baseline("dB", 1, 1.0) for name in ("crest_db", "hnr_db")}
    save_golden(path, Golden(SCHEMA, "a", "0", "b", "c", "d", metrics))
    text = path.read_text().splitlines()
    assert {name: text[number - 1] for name, number in metric_lines(path).items()} == {
        "crest_db": "[metric.crest_db]",
        "hnr_db": "[metric.hnr_db]",
    }
    assert metric_lines(tmp_path / "none.toml") == {}


ACCEPT = """
import sys
from diagnose import gate
from diagnose.errors import InputError
gate.accept(sys.argv[1], "note", sys.argv[2], "by " + sys.argv[2])
"""


@pytest.mark.slow
def test_processes_that_accept_at_once_lose_nothing(noisy):
    noisy.level = 0.0
    noisy.render(0)
    gate.record(noisy.suite)
    noisy.level = 0.01
    noisy.render(1, lambda samples: samples * 2)
    (case,) = gate.check(noisy.suite).cases
    failed = [check.metric for check in case.checks if check.verdict == "FAIL"][:6]
    assert len(failed) == 6

    def accept(metric):
        command = [sys.executable, "-c", ACCEPT, str(noisy.suite), metric]
        return subprocess.run(command, capture_output=True, text=True, timeout=600)

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(accept, failed))
    assert [one.stderr for one in done if one.returncode] == []
    assert sorted(entry.metric for entry in load_golden(noisy.golden).accepted) == sorted(failed)
    (case,) = gate.check(noisy.suite).cases
    assert not {check.metric for check in case.checks if check.verdict == "FAIL"} & set(failed)


@pytest.mark.slow
def test_processes_that_record_at_once_write_one_golden(noisy):
    noisy.render(0)
    code = "import sys; from diagnose import gate; print(len(gate.record(sys.argv[1])[0]))"
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(noisy.suite)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    recorded = [int(process.communicate(timeout=600)[0]) for process in running]
    assert sum(recorded) == 1
    assert gate.check(noisy.suite).verdict == "PASS"


def test_a_schema_of_a_later_version_is_refused(tmp_path):
    path = tmp_path / "case.toml"
    save_golden(path, msgspec.structs.replace(Golden(SCHEMA, "a", "0", "b", "c", "d", {}), schema="diagnose.golden/2"))
    with pytest.raises(InputError, match=r"schema .diagnose\.golden/2"):
        load_golden(path)
