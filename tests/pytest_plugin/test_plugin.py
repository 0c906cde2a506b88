"""The plugin as a user meets it: pytest runs inside pytest, through missing, update, pass, break; nothing drops out."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from diagnose import audio, compare, example
from diagnose.audio import Audio
from diagnose.errors import InputError
from diagnose.files import locked
from diagnose.gate import commands
from diagnose.profile import default_profile
from diagnose.pytest_plugin import golden_check
from diagnose.render import failures
from diagnose.results.suite import Case

JUDGED = len(default_profile())

for name in ("tomli_w", "filelock", "diagnose.pytest_plugin.page", "diagnose.render.terminal"):
    importlib.import_module(name)

RATE = 8000
OTHERS = ("benchmark", "hypothesispytest", "randomly")  # plugins: the order of these runs is part of the tests
WORDS = ("-p", "diagnose.pytest_plugin", *(word for name in OTHERS for word in ("-p", f"no:{name}")), "-W", "error")
SOUNDS = """
    import os
    import numpy as np

    RATE = 8000

    def note(gain=1.0, hz=220.0):
        time = np.arange(2400) / RATE
        tone = np.sin(2 * np.pi * hz * time) + 0.3 * np.sin(6 * np.pi * hz * time)
        return (0.3 * gain * tone).astype(np.float32)

    def now():
        return note(float(os.environ["GAIN"]))
"""
HEAD = "import pytest\nimport numpy as np\nfrom tones_of_the_plugin import RATE, note, now\n\n"
ONE = HEAD + "def test_note(audio_golden):\n    audio_golden(now(), RATE, reference=note())\n"
TWO = ONE + "\n\ndef test_other(audio_golden):\n    audio_golden(now(), RATE, reference=note())\n"
UPDATE = "--audio-golden-update"


@pytest.fixture(scope="module", autouse=True)
def loaded():
    """All that an inner run in this process would import: pytester makes it forgotten again when that ends, and a
    C extension, once forgotten, cannot be loaded by any later test.
    """
    reference = example.bowed_string(seconds=0.3, rate=RATE)
    report = compare(reference, example.misfed_vocoder(reference))
    assert failures.section(Case("note", "FAIL", causes=report.causes), report).count("<audio") == 3


class Runs:
    """run("-k", "x", gain=2) -> what pytest said; the generated sound is gain times the reference."""

    def __init__(self, pytester, monkeypatch):
        self.pytester, self.monkeypatch = pytester, monkeypatch
        pytester.makepyfile(tones_of_the_plugin=SOUNDS)
        self.folder = pytester.path

    def __call__(self, *words, gain=0.9, process=False, **outcomes):
        self.monkeypatch.setenv("GAIN", str(gain))
        run = self.pytester.runpytest_subprocess if process else self.pytester.runpytest_inprocess
        done = run(*WORDS, "--strict-markers", *words)
        if outcomes:
            done.assert_outcomes(**outcomes)
        return done

    def write(self, **files):
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text)

    def golden(self, name="test_note", file="test_a"):
        return self.folder / "golden" / file / f"{name}.toml"

    def goldens(self):
        return sorted(str(path.relative_to(self.folder / "golden")) for path in (self.folder / "golden").rglob("*.*"))


@pytest.fixture
def run(pytester, monkeypatch):
    return Runs(pytester, monkeypatch)


@pytest.fixture
def recorded(run):
    """Two tests with their goldens, and one golden that no test uses."""
    run.write(test_a=TWO)
    run(UPDATE, failed=2)
    old = run.golden().read_text().replace("test_note", "test_old")
    run.golden("test_old").write_text(old)
    return run


def text(done):
    return done.stdout.str()


UNUSED = "FAIL  golden/test_a/test_old.toml: no test used it; delete it, or restore its test"


# The cycle


def test_an_update_is_never_green_not_even_of_a_test_that_is_expected_to_fail(run):
    run.write(test_a=ONE.replace("def test_note", "@pytest.mark.xfail\ndef test_note"))
    done = run(UPDATE, xfailed=1)
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    assert "WROTE golden/test_a/test_note.toml: review it" in text(done)
    assert run(xpassed=1).ret == 0


def test_missing_update_pass_break_update_pass(run):
    run.write(test_a=ONE)
    missing = run(failed=1)
    assert "FAIL  test_note: no golden at golden/test_a/test_note.toml" in text(missing)
    assert "to write it: pytest --audio-golden-update test_a.py::test_note" in text(missing)
    assert not (run.folder / "golden").exists()

    written = run(UPDATE, failed=1)
    assert f"wrote golden/test_a/test_note.toml: new, {JUDGED} metrics" in text(written)
    document = tomllib.loads(run.golden().read_text())
    assert (document["case"], document["accepted"]) == ("test_note", [])
    assert document["metric"]["rms_ratio"]["change"] == pytest.approx(0.9, rel=1e-6)
    before = run.golden().read_bytes()

    for words in ([], [UPDATE]):  # what holds is not written
        done = run(*words, passed=1)
        assert done.ret == 0
        assert "audio goldens" not in text(done)
    broken = run(gain=1.8, failed=1)
    assert "  FAIL  rms_ratio: 0.9 -> 1.8, tolerance 0.02" in text(broken)
    assert re.search(r"  cause  gain \(\d+ %\): 1.8 times too loud", text(broken))
    assert "  fix    multiply the output by 0.556" in text(broken)
    assert "if the new sound is right: pytest --audio-golden-update test_a.py::test_note" in text(broken)
    assert "Traceback" not in text(broken)
    assert run.golden().read_bytes() == before

    moved = run(UPDATE, gain=1.8, failed=1)
    assert "  rms_ratio: 0.9 -> 1.8" in text(moved)
    document = tomllib.loads(run.golden().read_text())
    entry = next(entry for entry in document["accepted"] if entry["metric"] == "rms_ratio")
    assert (entry["old"], entry["new"]) == (pytest.approx(0.9), pytest.approx(1.8))
    assert entry["reason"] == "pytest --audio-golden-update"
    assert run(gain=1.8, passed=1).ret == 0


def test_a_place_is_named(run):
    click = "def test_click(audio_golden):\n    sound = now()\n    sound[1200:1210] += 0.4\n"
    clean = click.replace("    sound[1200:1210] += 0.4\n", "")
    call = "    audio_golden(sound, RATE, reference=note())\n"
    run.write(test_a=HEAD + clean + call)
    run(UPDATE, gain=1, failed=1)
    run.write(test_a=HEAD + click + call)
    done = run(gain=1, failed=1)
    start, end = map(float, re.search(r"  where  ([\d.]+) to ([\d.]+) s", text(done)).groups())
    assert start <= 0.15 <= end


def limits_of(**units):
    """A profile of these metrics, of which a lower value is better."""
    table = '[metric.{}]\nunit = "{}"\ndirection = "higher"\ntolerance = 0.02\nreason = "a test"\n'
    return "".join(table.format(name, unit) for name, unit in units.items())


def test_the_report_comes_back_and_better_passes_with_a_note_until_an_update_takes_it_over(run):
    (run.folder / "limits.toml").write_text(limits_of(rms_ratio="ratio"))
    body = HEAD + "import os\n\ndef test_note(audio_golden):\n"
    body += "    report = audio_golden(now(), RATE, reference=note(), profile='limits.toml')\n"
    body += "    assert report['rms_ratio'].change == pytest.approx(float(os.environ['GAIN']), rel=1e-3)\n"
    run.write(test_a=body)
    run(UPDATE, failed=1)
    better = run(gain=0.5, passed=1)
    assert "note: test_a.py::test_note: rms_ratio: 0.9 -> 0.5, tolerance 0.02; better than recorded" in text(better)
    run(UPDATE, gain=0.5, failed=1)
    assert "note: " not in text(run(gain=0.5, passed=1))
    assert "FAIL  rms_ratio: 0.5 -> 0.9" in text(run(failed=1))


def test_a_vanished_metric_fails_and_so_does_a_new_one(run):
    run.write(test_a=ONE.replace("note())", "note(), profile='limits.toml')"))
    limits = run.folder / "limits.toml"
    limits.write_text(limits_of(rms_ratio="ratio", duration_s="s"))
    run(UPDATE, failed=1)
    limits.write_text(limits_of(rms_ratio="ratio"))
    assert "FAIL  duration_s: was recorded, but is no longer measured" in text(run(failed=1))
    limits.write_text(limits_of(rms_ratio="ratio", duration_s="s", dc_share="share"))
    assert "FAIL  dc_share: is not in the golden" in text(run(failed=1))


@pytest.mark.slow
def test_another_reference_fails_until_an_update(run):
    run.write(test_a=ONE)
    run(UPDATE, failed=1)
    run.write(test_a=ONE.replace("reference=note()", "reference=note() * np.float32(1.0001)"))
    done = run(failed=1)
    assert "ERROR  reference: is another file" in text(done)
    assert "pytest --audio-golden-update" in text(done)
    run(UPDATE, failed=1)
    run(passed=1)


def test_a_golden_that_cannot_be_read_is_not_overwritten(run):
    run.write(test_a=ONE)
    run(UPDATE, failed=1)
    run.golden().write_text("<<<<<<< HEAD\n")
    for words in ([], [UPDATE]):
        done = run(*words, failed=1)
        assert "ERROR  test_note: " in text(done)
        assert "not valid TOML" in text(done)
    assert run.golden().read_text() == "<<<<<<< HEAD\n"


# What a call takes


def test_a_path_and_an_array_with_nan_fail_and_are_no_errors(run):
    broken = np.sin(np.arange(2400) / 8).astype(np.float32)
    soundfile.write(run.folder / "reference.wav", broken, RATE, "FLOAT")
    broken[100:110] = np.nan
    soundfile.write(run.folder / "broken.wav", broken, RATE, "FLOAT")
    call = "def test_%s(audio_golden):\n    audio_golden(%s, reference='reference.wav')\n\n\n"
    read = "__import__('soundfile').read('broken.wav')[0], RATE"
    run.write(test_a=HEAD + call % ("path", "'broken.wav'") + call % ("array", read))
    run(UPDATE, failed=2)
    for name in ("path", "array"):
        document = tomllib.loads(run.golden(f"test_{name}").read_text())
        assert document["metric"]["nonfinite_share"]["change"] == pytest.approx(10 / 2400)
        assert document["causes"][0] == "non-finite"
    run(passed=2)


def test_paths_audio_arrays_stereo_and_tensors(run):
    rng = np.random.default_rng(3)
    sound = Audio(rng.uniform(-0.3, 0.3, (2, 2400)).astype(np.float32), RATE)
    (run.folder / "tests").mkdir()
    audio.write(run.folder / "tests" / "reference.wav", sound, "FLOAT")
    audio.write(run.folder / "generated.wav", sound, "FLOAT")
    body = """
from pathlib import Path
from diagnose import audio

class Tensor:  # what numpy takes of torch
    def __init__(self, values):
        self.values = values
    def __array__(self, dtype=None, copy=None):
        return self.values

SOUND = audio.read("generated.wav")

def test_paths(audio_golden):
    assert audio_golden("generated.wav", reference="reference.wav").verdict == "PASS"

def test_audio(audio_golden):
    assert audio_golden(SOUND, reference=Path("reference.wav")).generated.channels == 2

def test_stereo(audio_golden):
    audio_golden(SOUND.samples, 8000, reference=SOUND)

def test_tensor(audio_golden):
    audio_golden(Tensor(SOUND.samples), 8000, reference=Tensor(SOUND.samples[0]))
"""
    (run.folder / "tests" / "test_b.py").write_text(body)
    run(UPDATE, failed=4)
    assert run(passed=4).ret == 0
    folder = run.folder / "tests" / "golden" / "test_b"
    assert {path.stem for path in folder.iterdir()} == {"test_paths", "test_audio", "test_stereo", "test_tensor"}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("now(), RATE", "no reference for test_note; give reference= in the call"),
        ("now(), reference=note()", "an array has no sampling rate"),
        ("'absent.wav', reference=note()", "absent.wav: No such file"),
        ("now(), RATE, reference=0 * note()", "cannot be used as the reference: it is silent"),
        ("object(), RATE, reference=note()", "generated: dtype object"),
        (
            "Cuda(), RATE, reference=note()",
            "generated: not an array of numbers (on a GPU); expected (n,) or (channels, n)",
        ),
        ("now(), RATE, reference=note(), case=''", "case='': expected a name"),
        ("now(), RATE, reference=note(), profile='absent.toml'", "absent.toml: No such file"),
    ],
)
def test_a_mistake_in_a_call_is_one_line(run, call, said):
    cuda = "class Cuda:\n    def __array__(self, dtype=None, copy=None):\n        raise TypeError('on a GPU')\n\n"
    run.write(test_a=ONE.replace("def test", cuda + "def test", 1).replace("now(), RATE, reference=note()", call))
    done = run(UPDATE, failed=1)
    assert said in text(done)
    assert "Traceback" not in text(done)
    assert "hold.py" not in text(done)
    assert not run.golden().exists()


@pytest.mark.slow
def test_several_calls_in_a_test_each_have_a_case(run):
    body = HEAD + "def test_notes(audio_golden):\n"
    body += "    for hz in (220, 330):\n"
    body += "        audio_golden(note(0.9, hz), RATE, reference=note(hz=hz), case=f'note {hz}')\n"
    run.write(test_a=body)
    run(UPDATE, failed=1)
    run(UPDATE, failed=1)  # the first failure ended the test
    assert run(passed=1).ret == 0
    assert [re.sub(r"-[0-9a-f]{8}\.", ".", name) for name in run.goldens()] == [
        "test_a/note-220.toml",
        "test_a/note-330.toml",
    ]
    again = ONE + "    audio_golden(now(), RATE, reference=note()CASE)\n"
    run.write(test_a=again.replace("CASE", ""))
    run("-k", "note", UPDATE, failed=1)
    assert "called again without a case" in text(run(failed=1))
    run.write(test_a=again.replace("CASE", ", case='test_note'"))
    assert "case 'test_note' is used" in text(run(failed=1))


def test_two_tests_do_not_share_a_case(run):
    body = TWO.replace("note())", "note(), case='same')")
    run.write(test_a=body)
    run(UPDATE, failed=2)
    done = run(passed=1, failed=1)
    assert "case 'same' is also used" in text(done)


@pytest.mark.slow
def test_parameters_classes_and_hostile_names_have_files_of_their_own(run):
    body = HEAD + "class TestOf:\n    @pytest.mark.parametrize('name', NAMES, ids=NAMES)\n"
    body += "    def test_x(self, audio_golden, name):\n        audio_golden(now(), RATE, reference=note())\n"
    names = ["plain-1.5_x", "a/b", "a b", "../../up", "é", "x" * 120, "a::b[c]", "\\x1b[31m", "<script>"]
    run.write(test_a=f"NAMES = {names!r}\n{body}")
    run(UPDATE, failed=len(names))
    assert run(passed=len(names)).ret == 0
    found = [path.name for path in (run.folder / "golden" / "test_a").iterdir()]
    assert len(found) == len(names)
    assert "TestOf.test_x-plain-1.5_x.toml" in found
    assert all(re.fullmatch(r"TestOf\.test_x[A-Za-z0-9._-]+\.toml", name) for name in found)
    run("-k", "script", "--audio-golden-report", "out", gain=1.8, failed=1)
    assert "test_x[&lt;script&gt;]" in page_of(run)
    assert "[<script>]" not in page_of(run)


# The marker


def test_the_closest_marker_gives_the_defaults(run):
    limit = {"rms_ratio": {"unit": "ratio", "direction": "both", "fail": 1.5, "reason": "a test"}}
    body = HEAD + "pytestmark = pytest.mark.audio_golden(reference=note(), dir='sounds/of')\n\n"
    body += f"@pytest.mark.audio_golden(case='loud', limits={limit})\n"
    body += "def test_note(audio_golden):\n    audio_golden(now(), RATE)\n\n"
    body += "def test_plain():\n    pass\n\ndef test_third(audio_golden):\n    audio_golden(note(0.8), RATE)\n"
    run.write(test_a=body)
    done = run(UPDATE, gain=0.5, passed=1, failed=2)
    assert "does not change the limits of the marker:" in text(done)
    folder = run.folder / "sounds" / "of" / "test_a"
    assert {path.name for path in folder.iterdir()} == {"loud.toml", "test_third.toml"}
    limited = run(gain=0.5, passed=2, failed=1)
    assert "FAIL  rms_ratio (limit): change 0.5 against the case's own limit: a test" in text(limited)
    assert "if the new sound is right" not in text(limited)


def test_every_test_with_the_fixture_has_the_marker(run):
    run.write(test_a=ONE + "\n\ndef test_plain():\n    pass\n")
    run("-m", "audio_golden", failed=1, deselected=1)
    run("-m", "not audio_golden", passed=1, deselected=1)


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("refrence=1", "no such keyword 'refrence'"),
        ("'a.wav'", "takes keyword arguments only"),
        ("dir='../shared'", "dir: ../shared is not below the test file's directory"),
        ("dir=3", "dir: 3: expected a directory name"),
    ],
)
def test_a_mistake_in_a_marker_is_one_line(run, marker, said):
    run.write(test_a=ONE.replace("def test", f"@pytest.mark.audio_golden({marker})\ndef test"))
    done = run(errors=1)
    assert f"marker audio_golden: {said}" in text(done)
    assert "fixture.py" not in text(done)


def test_limits_that_are_wrong_name_their_key(run):
    wrong = "@pytest.mark.audio_golden(limits={'rms_ration': {}})\ndef test"
    run.write(test_a=ONE.replace("def test", wrong))
    said = "marker audio_golden: limits.rms_ration: no such metric; did you mean 'rms_ratio'?"
    assert said in text(run(UPDATE, failed=1))


def test_the_folder_is_an_option(run):
    run.pytester.makeini("[pytest]\naudio_golden_dir = recorded/sounds\n")
    run.write(test_a=ONE)
    run(UPDATE, failed=1)
    assert (run.folder / "recorded" / "sounds" / "test_a" / "test_note.toml").is_file()
    assert run(passed=1).ret == 0
    run.pytester.makeini("[pytest]\naudio_golden_dir = ../sounds\n")
    wrong = run()
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    assert "audio_golden_dir: ../sounds is not below the test file's directory" in wrong.stderr.str()


# Goldens that no test used


def test_an_unused_golden_fails_the_session(recorded):
    done = recorded(passed=2)
    assert done.ret == 1
    assert UNUSED in text(done)
    recorded.golden("test_old").unlink()
    assert recorded(passed=2).ret == 0


SHARD = "def pytest_collection_modifyitems(items):\n    items[:] = items[:1]\n"
SKIP = TWO.replace("def test_other", "@pytest.mark.skip\ndef test_other")
ERROR = TWO.replace("def test_other(audio_golden)", "def test_other(audio_golden, absent)")
EARLY = TWO.replace("def test_other(audio_golden):", "def test_other(audio_golden):\n    assert not RATE")
DYNAMIC = TWO.replace("def test_other(audio_golden):", "def test_other(request):\n    pytest.skip('first')")
BROKEN = TWO + "\n\nclass TestOf:\n    @pytest.mark.parametrize('x', [1])\n    def test_x(self):\n        pass\n"
FIRST_FAILS = TWO.replace("def test_note(audio_golden):", "def test_note(audio_golden):\n    assert not RATE")


@pytest.mark.parametrize(
    ("words", "files", "why"),
    [
        (["-k", "note"], {}, "1 not run"),
        (["-m", "audio_golden", "--deselect", "test_a.py::test_other"], {}, "1 not run"),
        (["test_a.py::test_note"], {}, "named by node id"),
        (["-x"], {"test_a": FIRST_FAILS}, "1 not run, 1 failed"),
        ([], {"conftest": SHARD}, "1 not run"),
        ([], {"test_a": SKIP}, "1 skipped"),
        ([], {"test_a": ERROR}, "1 failed"),
        ([], {"test_a": EARLY}, "1 failed"),
        ([], {"test_a": DYNAMIC}, "1 skipped"),
        (["--continue-on-collection-errors"], {"test_a": BROKEN}, "collection failed"),
    ],
    ids=["k", "deselect", "node id", "x", "shard", "skip", "error", "early failure", "getfixturevalue", "broken"],
)
def test_a_file_that_is_not_known_whole_is_not_judged(recorded, words, files, why):
    recorded.write(**files)
    done = recorded(*words)
    assert "delete it" not in text(done)
    line = r"1 test file not checked for unused goldens, [1-3] goldens? unused \(test_a.py: (.*)\)"
    assert re.search(line, text(done))[1] == why
    failing = done.parseoutcomes().keys() & {"failed", "errors"}
    assert done.ret == (1 if failing else 0)


def test_the_last_failed_are_not_all(recorded):
    recorded.write(test_b=ONE.replace("test_note", "test_b"))
    recorded(UPDATE, "test_b.py", failed=1)
    recorded.golden("test_older", "test_b").write_text(recorded.golden("test_old").read_text())
    recorded.write(test_a=EARLY)
    recorded(passed=2, failed=1)  # the cache knows now what failed last
    recorded.write(test_a=TWO)
    done = recorded("--lf", passed=1)
    assert done.ret == 0
    assert "test_b.py: --last-failed" in text(done)
    assert "--last-failed" in text(done)
    assert "delete it" not in text(done)


def test_another_file_is_judged_all_the_same_and_nothing_is_said_where_nothing_is_in_question(recorded):
    recorded.write(test_b=SKIP)
    done = recorded("test_a.py", "test_b.py::test_note")
    assert UNUSED in text(done)
    assert "--last-failed" not in text(done)


def test_a_test_that_moves_is_seen_at_once(recorded):
    recorded.write(test_a=TWO.replace("test_other", "test_renamed"))
    done = recorded(passed=1, failed=1)
    assert "FAIL  test_renamed: no golden at golden/test_a/test_renamed.toml" in text(done)
    assert "FAIL  golden/test_a/test_other.toml: no test used it" in text(done)


def test_goldens_of_a_file_without_tests_and_of_one_that_is_gone_are_unused(recorded):
    recorded.golden("test_old").unlink()
    recorded.write(test_b=ONE)
    (recorded.folder / "test_a.py").rename(recorded.folder / "test_c.py")
    folder = recorded.folder / "golden"
    (folder / "violins").mkdir()  # a suite's, perhaps: no test file would be named so
    (folder / "violins" / "a.toml").write_text(recorded.golden().read_text())
    (folder / "test_a" / "own.toml").write_text("a = 1\n")  # no golden
    recorded.write(test_c="\n")
    (folder / "test_c").mkdir()
    (folder / "test_c" / "gone.toml").write_text(recorded.golden().read_text())
    recorded(UPDATE, failed=1)
    done = recorded(passed=1)
    assert done.ret == 1
    unused = re.findall(r"FAIL  golden/(\S+): no test used it", text(done))
    assert unused == ["test_a/test_note.toml", "test_a/test_other.toml", "test_c/gone.toml"]


def test_a_module_that_skips_itself_is_not_without_tests(recorded):
    recorded.write(test_a=HEAD + "pytest.importorskip('absent_package')\n" + TWO)
    done = recorded()
    assert "delete it" not in text(done)


def test_only_collecting_judges_nothing(recorded):
    done = recorded("--collect-only", "--audio-golden-report", "out")
    assert done.ret == 0
    assert "delete it" not in text(done)
    assert list((recorded.folder / "out").iterdir()) == []


# The page


def page_of(run):
    return (run.folder / "out" / "audio-golden.html").read_text()


def test_the_page_has_every_failure_and_says_when_there_is_none(recorded):
    broken = recorded("--audio-golden-report", "out", gain=1.8, failed=2)
    assert "report: out/audio-golden.html" in text(broken)
    page = page_of(recorded)
    assert page.count("<section id=") == 2
    assert page.count("<audio") >= 4
    assert "audio goldens: 3 FAIL" in page
    assert "1.8 times too loud" in page
    assert "no test used this golden" in page
    recorded.golden("test_old").unlink()
    recorded("--audio-golden-report", "out", passed=2)
    page = page_of(recorded)
    assert "audio goldens: 2 PASS" in page
    assert "<audio" not in page
    assert [path.name for path in (recorded.folder / "out").iterdir()] == ["audio-golden.html"]


def test_the_page_of_an_update_shows_what_to_review(run):
    run.write(test_a=ONE)
    run(UPDATE, "--audio-golden-report", "out", failed=1)
    assert f"wrote golden/test_a/test_note.toml: new, {JUDGED} metrics; review it" in page_of(run)
    assert "<audio" in page_of(run)


def test_a_page_that_cannot_be_written_is_said(run):
    run.write(test_a=ONE)
    (run.folder / "taken").write_text("")
    done = run("--audio-golden-report", "taken")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert "--audio-golden-report" in done.stderr.str()
    (run.folder / "out" / "audio-golden.html").mkdir(parents=True)
    run(UPDATE, failed=1)
    done = run("--audio-golden-report", "out", passed=1)
    assert done.ret == 1
    assert re.search(r"ERROR .*audio-golden.html: cannot be written", text(done))


def test_junit_carries_the_failure(recorded):
    recorded("--junitxml", "junit.xml", gain=1.8, failed=2)
    junit = (recorded.folder / "junit.xml").read_text()
    assert "FAIL  rms_ratio: 0.9 -&gt; 1.8" in junit
    assert '<property name="audio_golden" value="FAIL test_note" />' in junit


# Processes


def test_loading_the_plugin_loads_no_numpy():
    code = "import sys, diagnose.pytest_plugin; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    ours = {"numpy", "soundfile", "soxr", "msgspec", "rich", "jinja2", "click", "PIL", "torch"}
    assert ours & {name.split(".")[0] for name in done.stdout.split()} == set()


@pytest.mark.slow
def test_workers_find_the_unused_golden(recorded):
    done = recorded("-n", "2", "--audio-golden-report", "out", process=True, passed=2)
    assert done.ret == 1
    assert UNUSED in text(done)
    assert "audio goldens: 2 PASS, 1 FAIL" in page_of(recorded)


@pytest.mark.slow
def test_workers_pass_together_with_the_entry_point(recorded):
    """The entry point and `-p` are one plugin; loadgroup gives a test another id than it was collected with."""
    folder = recorded.folder / "site" / "timbre_test-1.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: timbre-test\nVersion: 1\n")
    (folder / "entry_points.txt").write_text("[pytest11]\ndiagnose.pytest_plugin = diagnose.pytest_plugin\n")
    recorded.monkeypatch.syspath_prepend(folder.parent)
    recorded.monkeypatch.setenv("PYTHONPATH", str(folder.parent), prepend=":")
    recorded.golden("test_old").unlink()
    recorded.write(test_a=TWO.replace("def test_other", "@pytest.mark.xdist_group('one')\ndef test_other"))
    done = recorded("-n", "2", "--dist", "loadgroup", process=True, passed=2)
    assert done.ret == 0
    assert "audio goldens" not in text(done)


@pytest.mark.slow
def test_a_worker_that_crashes_leaves_its_file_unjudged(recorded):
    crash = "\n\ndef test_crash(audio_golden):\n    import os\n    os._exit(3)\n"
    recorded.write(test_a=TWO + crash)
    done = recorded("-n", "1", "--max-worker-restart", "0", process=True)
    assert done.ret == 1
    assert "delete it" not in text(done)


@pytest.mark.slow
def test_two_workers_that_use_one_case_are_found_and_their_page_is_joined(run):
    run.write(test_a=ONE.replace("note())", "note(), case='same')"))
    run(UPDATE, failed=1)
    body = TWO.replace("note())", "note(), case='same')")
    for name in ("note", "other"):
        body = body.replace(f"def test_{name}", f"@pytest.mark.xdist_group('{name}')\ndef test_{name}")
    run.write(test_a=body)
    words = ("-n", "2", "--dist", "loadgroup", "--audio-golden-report", "out")
    done = run(*words, gain=1.8, process=True, failed=2)
    same = "FAIL  golden/test_a/same.toml: used by test_a.py::test_(note and test_a.py::test_other|other and .*note);"
    assert re.search(same, text(done))
    assert page_of(run).count("<section id=") == 2
    assert page_of(run).count("<audio") >= 4


@pytest.mark.slow
def test_a_golden_is_locked_from_its_reading_to_its_writing(run, monkeypatch):
    run.write(test_a=ONE)
    run(UPDATE, failed=1)
    tried = []

    def merged(*arguments):
        with pytest.raises(InputError, match="locked by another process"), locked(run.golden(), wait_s=0):
            pass
        tried.append(run.golden())
        return commands.merge_accepted(*arguments)

    monkeypatch.setattr(golden_check, "merge_accepted", merged)
    run(UPDATE, gain=1.8, failed=1)
    assert tried == [run.golden()]
    with locked(run.golden(), wait_s=0):
        assert "0.9 -> 1.8" not in text(run(gain=1.8, passed=1))


@pytest.mark.slow
def test_two_sessions_that_update_at_once_lose_nothing(run):
    """Each has a profile of one metric, so it drops the other's and adds its own: two entries in the log, each."""
    body = HEAD + "import os\n\ndef test_note(audio_golden):\n"
    body += "    audio_golden(now(), RATE, reference=note(), profile=os.environ['LIMITS'])\n"
    run.write(test_a=body)
    units = {"rms_ratio": "ratio", "peak_dbfs": "dBFS"}
    for name, unit in units.items():
        (run.folder / f"{name}.toml").write_text(limits_of(**{name: unit}))
    (run.folder / "both.toml").write_text(limits_of(**units))
    run.monkeypatch.setenv("LIMITS", "both.toml")
    run(UPDATE, failed=1)
    run.monkeypatch.setenv("GAIN", "0.5")

    def session(name):
        environment = {**os.environ, "LIMITS": f"{name}.toml"}
        words = [sys.executable, "-m", "pytest", *WORDS, "-p", "no:cacheprovider", UPDATE]
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=600)

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(session, units))
    assert [done.returncode for done in both] == [1, 1], both[0].stdout + both[1].stdout
    log = [entry["metric"] for entry in tomllib.loads(run.golden().read_text())["accepted"]]
    assert sorted(log) == ["peak_dbfs", "peak_dbfs", "rms_ratio", "rms_ratio"]
