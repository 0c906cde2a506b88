"""The gate's whole life: record, check, break, accept; and that nothing drops out of it unseen."""

from __future__ import annotations

import hashlib
import re
import shutil
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile
from markdown_it import MarkdownIt

import diagnose as front_door
from diagnose import audio, example, gate, git
from diagnose.audio import Audio
from diagnose.gate.golden import load_golden

RATE = 22050
OURS = Path(__file__).parents[1] / "golden"

PROFILE = {
    "rms_ratio": 'unit = "ratio"\ndirection = "both"\ntolerance = 0.02',
    "dc_share": 'unit = "share"\ndirection = "higher"\ntolerance = 0.002',
    "spectral_centroid_hz": 'unit = "Hz"\ndirection = "both"\ntolerance = 5.0',
    "mel_cepstral_distortion_db": 'unit = "dB"\ndirection = "higher"\ntolerance = 0.1',
}
SUITE = """
[suite]
name = "strings"
profile = "profile.toml"

[[case]]
id = "note"
reference = "reference.wav"
generated = "generated.wav"
"""


def profile_text(*names):
    return "".join(f'[metric.{name}]\n{PROFILE[name]}\nreason = "a test"\n\n' for name in names or PROFILE)


def digest(folder):
    """Every file below folder with its bytes and its time of change."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in files
    }


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A folder with a suite of one case, just recorded; to be copied, not touched."""
    folder = tmp_path_factory.mktemp("recorded")
    note = example.bowed_string(seconds=0.4, rate=RATE)
    audio.write(folder / "reference.wav", note, "FLOAT")
    audio.write(folder / "generated.wav", Audio(note.samples * np.float32(0.9), RATE), "FLOAT")
    (folder / "suite.toml").write_text(SUITE)
    (folder / "profile.toml").write_text(profile_text())
    assert gate.record(folder / "suite.toml") == (["note"], [])
    return folder


@pytest.fixture
def folder(recorded, tmp_path):
    shutil.copytree(recorded, tmp_path / "suite")
    return tmp_path / "suite"


def rewrite(folder, gain=0.9, bias=0.0, name="generated.wav"):
    """The generated file anew: gain times the reference, plus a bias."""
    note = audio.read(folder / "reference.wav")
    audio.write(folder / name, Audio(note.samples * np.float32(gain) + np.float32(bias), RATE), "FLOAT")


def spoil(folder, count=1):
    """The generated file with NaN in its first samples."""
    samples, rate = soundfile.read(folder / "generated.wav")
    samples[:count] = np.nan
    soundfile.write(folder / "generated.wav", samples, rate, "FLOAT")


def stored(folder):
    return tomllib.loads((folder / "golden" / "note.toml").read_text())


def one_line(text):
    """Without line breaks, and the spaces that stand beside them."""
    return re.sub(r"\s+", "", text)


def verdicts(folder):
    """{metric: verdict} of the first case of a check."""
    (case, *_) = gate.check(folder / "suite.toml").cases
    return {check.metric: check.verdict for check in case.checks}


# Record


def test_a_golden_holds_the_figures_of_the_profile(folder):
    document = stored(folder)
    assert list(document["metric"]) == list(PROFILE)
    assert document["metric"]["rms_ratio"] == {
        "unit": "ratio",
        "version": 1,
        "change": pytest.approx(0.9, rel=1e-6),
    }
    assert document["reference_sha256"] == hashlib.sha256((folder / "reference.wav").read_bytes()).hexdigest()
    assert (document["schema"], document["case"], document["accepted"]) == ("diagnose.golden/1", "note", [])
    assert document["recorded_by"]
    age = datetime.now(UTC) - datetime.fromisoformat(document["recorded_at"])
    assert timedelta(0) <= age < timedelta(minutes=10)


def test_recording_tells_what_it_wrote_and_never_overwrites(diagnose, folder):
    rewrite(folder, gain=0.5)
    text = (folder / "suite.toml").read_text()
    (folder / "suite.toml").write_text(text + text[text.index("[[case]]") :].replace('"note"', '"note-2"'))
    before = (folder / "golden" / "note.toml").read_bytes()
    done = diagnose("record", folder / "suite.toml")
    assert (done.code, done.out) == (0, "recorded note-2\n")
    assert "unchanged: note" in done.err
    assert (folder / "golden" / "note.toml").read_bytes() == before
    tree = digest(folder)
    assert diagnose("record", folder / "suite.toml").code == 0
    assert digest(folder) == tree


def test_one_unreadable_case_leaves_nothing_half_recorded(diagnose, folder):
    text = SUITE + SUITE[SUITE.index("[[case]]") :].replace('"note"', '"lost"').replace("generated.wav", "lost.wav")
    (folder / "suite.toml").write_text(text)
    shutil.rmtree(folder / "golden")
    done = diagnose("record", folder / "suite.toml")
    assert (done.code, done.out) == (2, "")
    assert done.err == f"diagnose: {folder / 'lost.wav'}: No such file or directory\n"
    assert not (folder / "golden").exists()


def test_recording_needs_no_user_name(folder, monkeypatch):
    # A container's user may have neither git, nor a name, nor an entry in /etc/passwd.
    def nobody():
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(git.getpass, "getuser", nobody)
    monkeypatch.setenv("PATH", str(folder))
    (folder / "golden" / "note.toml").unlink()
    assert gate.record(folder / "suite.toml") == (["note"], [])
    assert stored(folder)["recorded_by"]


def test_each_file_is_hashed_once_as_it_was_read(folder, monkeypatch):
    hashed = []

    def counted(file, name):
        hashed.append(Path(file.name).name)
        return whole(file, name)

    whole = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", counted)
    assert gate.check(folder / "suite.toml").verdict == "PASS"
    assert hashed == ["reference.wav", "generated.wav"]


def test_the_hash_is_that_of_the_reference_that_was_measured(folder, monkeypatch):
    """Whoever replaces the file while it is compared does not get figures of the one under the hash of the other."""
    measured = hashlib.sha256((folder / "reference.wav").read_bytes()).hexdigest()

    def replaced(reference, *rest, **named):
        report = front_door.compare(reference, *rest, **named)
        rewrite(folder, gain=0.5, name="reference.wav")
        return report

    monkeypatch.setattr("diagnose.gate.commands.compare", replaced)
    (folder / "golden" / "note.toml").unlink()
    gate.record(folder / "suite.toml")
    assert stored(folder)["reference_sha256"] == measured


# Check


def test_what_was_recorded_passes_and_nothing_is_written(diagnose, folder):
    tree = digest(folder)
    done = diagnose("check", folder / "suite.toml")
    assert (done.code, done.err) == (0, "")
    assert "PASS  note: 4 metrics judged, 0 not passed" in done.out
    assert digest(folder) == tree


def test_a_broken_file_fails_and_the_metric_is_named(diagnose, folder):
    rewrite(folder, gain=0.45)
    tree = digest(folder)
    done = diagnose("check", folder / "suite.toml")
    assert done.code == 1
    assert "FAIL  rms_ratio: 0.9 -> 0.45, tolerance 0.02" in done.out
    assert "spectral_centroid_hz" not in done.out
    assert digest(folder) == tree
    assert diagnose("check", folder / "suite.toml").code == 1


def test_the_whole_life_of_a_golden(diagnose, folder):
    rewrite(folder, gain=0.45)
    assert diagnose("check", folder / "suite.toml").code == 1
    before = stored(folder)
    done = diagnose("accept", folder / "suite.toml", "note", "--reason", " the new model is softer\n", "--who", "Ada")
    assert (done.code, done.out) == (0, "accepted note::rms_ratio: 0.9 -> 0.45\n")
    after = stored(folder)
    (entry,) = after["accepted"]
    when = datetime.fromisoformat(entry.pop("when"))
    assert datetime.now(UTC) - when < timedelta(minutes=10)
    assert entry == {
        "metric": "rms_ratio",
        "who": "Ada",
        "reason": "the new model is softer",
        "old": pytest.approx(0.9, rel=1e-6),
        "new": pytest.approx(0.45, rel=1e-6),
    }
    assert after["metric"]["rms_ratio"]["change"] == pytest.approx(0.45, rel=1e-6)
    for name in set(PROFILE) - {"rms_ratio"}:
        assert after["metric"][name] == before["metric"][name]
    assert after["recorded_at"] == before["recorded_at"]
    assert diagnose("check", folder / "suite.toml").code == 0
    rewrite(folder, gain=0.9)
    assert diagnose("check", folder / "suite.toml").code == 1
    assert diagnose("accept", folder / "suite.toml", "note::rms_ratio", "--reason", "and back").code == 0
    assert [entry["reason"] for entry in stored(folder)["accepted"]] == ["the new model is softer", "and back"]


def test_drift_inside_the_tolerance_passes_and_is_not_ratcheted(diagnose, folder):
    tree = digest(folder / "golden")
    for gain, verdict in [(0.91, "PASS"), (0.919, "PASS"), (0.885, "PASS"), (0.925, "FAIL"), (0.875, "FAIL")]:
        rewrite(folder, gain=gain)
        assert verdicts(folder)["rms_ratio"] == verdict, gain
    assert digest(folder / "golden") == tree
    rewrite(folder, gain=0.915, bias=0.012)
    assert diagnose("accept", folder / "suite.toml", "note", "--reason", "biased").code == 0
    assert [entry["metric"] for entry in stored(folder)["accepted"]] == ["dc_share"]
    assert stored(folder)["metric"]["rms_ratio"]["change"] == pytest.approx(0.9, rel=1e-6)


def test_better_than_recorded_passes_and_can_be_accepted(diagnose, folder):
    rewrite(folder, bias=0.05)
    assert diagnose("accept", folder / "suite.toml", "note", "--reason", "the bias of the new vocoder").code == 0
    rewrite(folder, bias=0.0)
    (case,) = gate.check(folder / "suite.toml").cases
    (check,) = [check for check in case.checks if check.metric == "dc_share"]
    assert check.verdict == "PASS"
    assert "better than recorded" in check.text
    assert diagnose("accept", folder / "suite.toml", "note::dc_share", "--reason", "mended").code == 0
    assert stored(folder)["metric"]["dc_share"]["change"] == pytest.approx(0, abs=1e-6)


def test_a_missing_golden_fails_and_is_not_written(diagnose, folder):
    (folder / "golden" / "note.toml").unlink()
    tree = digest(folder)
    done = diagnose("check", folder / "suite.toml")
    assert done.code == 1
    assert "FAIL  note: no golden at" in done.out
    assert digest(folder) == tree


def test_a_vanished_metric_fails(diagnose, folder):
    (folder / "profile.toml").write_text(profile_text("rms_ratio", "dc_share"))
    done = diagnose("check", folder / "suite.toml")
    assert done.code == 1
    assert "FAIL  spectral_centroid_hz: was recorded, but is no longer measured" in done.out
    assert verdicts(folder)["rms_ratio"] == "PASS"
    assert diagnose("accept", folder / "suite.toml", "note", "--reason", "not needed").code == 0
    assert list(stored(folder)["metric"]) == ["rms_ratio", "dc_share"]
    assert diagnose("check", folder / "suite.toml").code == 0


def test_a_new_metric_without_a_baseline_fails(diagnose, folder):
    table = '[metric.crest_db]\nunit = "dB"\ndirection = "lower"\nreason = "a test"\n'
    (folder / "profile.toml").write_text(profile_text() + table)
    done = diagnose("check", folder / "suite.toml")
    assert done.code == 1
    assert "FAIL  crest_db: is not in the golden; accept it" in done.out
    assert diagnose("accept", folder / "suite.toml", "note::crest_db", "--reason", "new").code == 0
    assert diagnose("check", folder / "suite.toml").code == 0
    assert stored(folder)["accepted"][0]["old"] == "not recorded"


def test_an_unused_golden_fails(diagnose, folder):
    shutil.copy(folder / "golden" / "note.toml", folder / "golden" / "renamed.toml")
    done = diagnose("check", folder / "suite.toml")
    assert done.code == 1
    assert one_line("no case uses this golden") in one_line(done.out)
    assert "PASS  note" in done.out


def test_another_reference_file_does_not_pass(diagnose, folder):
    note = audio.read(folder / "reference.wav")
    audio.write(folder / "reference.wav", note, "PCM_24")  # the same sound in other bytes
    done = diagnose("check", folder / "suite.toml")
    assert done.code == 3
    assert "ERROR  reference: is another file" in done.out
    assert diagnose("accept", folder / "suite.toml", "note", "--reason", "24 bits are enough").code == 0
    assert [entry["metric"] for entry in stored(folder)["accepted"]] == ["reference"]
    assert diagnose("check", folder / "suite.toml").code == 0


def test_another_version_of_a_metric_does_not_pass(diagnose, folder):
    path = folder / "golden" / "note.toml"
    path.write_text(re.sub(r'(\[metric\.dc_share\]\nunit = "share"\nversion = )1', r"\g<1>7", path.read_text()))
    done = diagnose("check", folder / "suite.toml")
    assert done.code == 3
    assert "ERROR  dc_share: recorded with version 7 of the metric, measured with 1" in done.out


def test_a_number_that_is_lost_or_found_fails(diagnose, folder):
    audio.write(folder / "generated.wav", Audio(np.zeros((1, RATE), np.float32), RATE))
    (case,) = gate.check(folder / "suite.toml").cases
    lost = {check.metric: check.text for check in case.checks if check.verdict == "FAIL"}
    assert "no longer measurable: generated: silence" in lost["spectral_centroid_hz"]
    assert diagnose("accept", folder / "suite.toml", "note", "--reason", "silent for a test").code == 0
    assert "silence" in stored(folder)["metric"]["spectral_centroid_hz"]["unmeasured"]
    assert diagnose("check", folder / "suite.toml").code == 0
    rewrite(folder)
    assert verdicts(folder)["spectral_centroid_hz"] == "FAIL"


def test_no_case_is_nothing_compared(diagnose, folder):
    (folder / "suite.toml").write_text('[suite]\nname = "empty"\ngolden = "none"\n')
    done = diagnose("check", folder / "suite.toml")
    assert done.code == 3
    assert "nothing was compared" in done.out
    done = diagnose("record", folder / "suite.toml")
    assert (done.code, done.out) == (2, "")
    assert "has no [[case]]" in done.err


def test_an_unreadable_file_is_an_error_and_the_other_cases_are_checked(diagnose, folder):
    (folder / "suite.toml").write_text(
        SUITE.replace("strings", "two")
        + SUITE[SUITE.index("[[case]]") :].replace('"note"', '"other"').replace('"generated.wav"', '"other.wav"')
    )
    rewrite(folder, name="other.wav")
    assert diagnose("record", folder / "suite.toml").code == 0
    assert diagnose("check", folder / "suite.toml").code == 0
    (folder / "generated.wav").write_bytes(b"not audio")
    done = diagnose("check", folder / "suite.toml")
    assert done.code == 3
    assert one_line(f"ERROR  note: {folder / 'generated.wav'}: not a") in one_line(done.out)
    assert "PASS  other" in done.out


def test_junit_and_markdown_come_out_of_a_check(diagnose, folder):
    rewrite(folder, gain=0.45)
    done = diagnose("check", folder / "suite.toml", "--junit", "-")
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith("<?xml")
    assert 'failures="1"' in done.out
    done = diagnose("check", folder / "suite.toml", "--markdown", "-")
    assert done.out.startswith("## ❌ FAIL: strings")
    assert "| ❌ | note | rms\\_ratio |" in done.out
    out = folder / "out.md"
    assert diagnose("check", folder / "suite.toml", "--markdown", out, "--junit", folder / "out.xml").code == 1
    assert out.read_text() == done.out


# The case's own limits


@pytest.mark.parametrize(("fail", "code", "said"), [(1.05, 1, "FAIL"), (1.5, 0, None)])
def test_the_limits_of_a_case_are_judged_beside_the_golden(diagnose, folder, fail, code, said):
    limits = f'[case.limits.rms_ratio]\nunit = "ratio"\ndirection = "both"\nfail = {fail}\nreason = "by ear"\n'
    (folder / "suite.toml").write_text(SUITE + limits)
    done = diagnose("check", folder / "suite.toml")
    assert done.code == code
    assert verdicts(folder)["rms_ratio"] == "PASS"
    if said:
        assert "FAIL  rms_ratio (limit): change 0.9 against the case's own limit: by ear" in done.out


def test_accepting_does_not_lift_a_limit(diagnose, folder):
    limits = '[case.limits.rms_ratio]\nunit = "ratio"\ndirection = "both"\nfail = 1.05\nreason = "by ear"\n'
    (folder / "suite.toml").write_text(SUITE + limits)
    done = diagnose("accept", folder / "suite.toml", "note", "--reason", "please")
    assert (done.code, done.out) == (2, "")
    assert "nothing to accept" in done.err


# Accept


def test_accepting_one_metric_touches_only_that_metric(diagnose, folder):
    rewrite(folder, gain=0.45, bias=0.05)
    before = stored(folder)
    assert [name for name, verdict in verdicts(folder).items() if verdict == "FAIL"] == ["rms_ratio", "dc_share"]
    done = diagnose("accept", folder / "suite.toml", "note::dc_share", "--reason", "known bias")
    assert done.code == 0
    after = stored(folder)
    assert after["metric"]["dc_share"] != before["metric"]["dc_share"]
    after["metric"]["dc_share"] = before["metric"]["dc_share"]
    after["accepted"] = []
    assert after == before
    assert [name for name, verdict in verdicts(folder).items() if verdict == "FAIL"] == ["rms_ratio"]


REFUSED = {
    "nothing changed": (["note"], "note: already matches its golden"),
    "the metric holds": (["note::rms_ratio"], "note::rms_ratio: already matches its golden"),
    "no such metric": (["note::loudness"], "note::loudness"),
    "no such case": (["nope"], "no case 'nope'; the cases are: note"),
    "a blank reason": (["note", "--reason", "  "], "--reason is empty"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_accept_refuses_what_means_nothing(diagnose, folder, kind):
    arguments, said = REFUSED[kind]
    tree = digest(folder)
    done = diagnose(
        "accept", folder / "suite.toml", *(["--reason", "why not"] if len(arguments) == 1 else []), *arguments
    )
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert digest(folder) == tree


def test_accept_needs_a_reason_and_a_golden(diagnose, folder):
    assert diagnose("accept", folder / "suite.toml", "note").code == 2
    (folder / "golden" / "note.toml").unlink()
    done = diagnose("accept", folder / "suite.toml", "note", "--reason", "why not")
    assert done.code == 2
    assert "no golden yet; run `diagnose record`" in done.err


# Several suites in one folder


def second(folder, case="other", golden=None, name="second.toml"):
    """A second suite beside the first, of one case."""
    where = f'golden = "{golden}"\n' if golden else ""
    text = SUITE.replace('name = "strings"\n', f'name = "second"\n{where}').replace('"note"', f'"{case}"')
    (folder / name).write_text(text)
    return folder / name


def test_two_suites_in_one_folder_do_not_fail_on_each_other_s_goldens(diagnose, folder):
    path = second(folder)
    assert gate.record(path) == (["other"], [])
    assert sorted(file.name for file in (folder / "golden").iterdir()) == ["note.toml", "other.toml"]
    for suite, case in ((folder / "suite.toml", "note"), (path, "other")):
        done = diagnose("check", suite)
        assert (done.code, done.err) == (0, "")
        assert f"PASS  {case}: 4 metrics judged, 0 not passed" in done.out
        assert [(each.id, each.verdict) for each in gate.check(suite).cases] == [(case, "PASS")]


def lost(suite):
    return [(case.id, case.verdict) for case in gate.check(suite).cases if "no case uses" in (case.error or "")]


def test_a_lost_case_fails_in_every_suite_that_could_have_had_it(folder):
    path = second(folder)
    gate.record(path)
    second(folder, "renamed")
    gate.record(path)
    assert lost(folder / "suite.toml") == lost(path) == [("other", "FAIL")]
    path.unlink()
    assert lost(folder / "suite.toml") == [("other", "FAIL"), ("renamed", "FAIL")]


def test_a_golden_of_a_suite_with_another_folder_is_none_of_ours(folder):
    path = second(folder, golden="elsewhere")
    gate.record(path)
    shutil.copy(folder / "elsewhere" / "other.toml", folder / "golden")
    assert lost(folder / "suite.toml") == [("other", "FAIL")]
    assert gate.check(path).verdict == "PASS"


@pytest.mark.parametrize(
    "text",
    [
        b"[suite",
        b"\xff\xfe",
        b"",
        b"suite = 3\ncase = 4",
        b"[suite]\ngolden = 3\n[[case]]\nid = 'other'",
        b"[suite]\ngolden = '\\u0000'\n[[case]]\nid = 'other'",
        b'[suite]\ngolden = "\\u0000"\n[[case]]\nid = "other"',
        b"[suite]\n[case]\nid = 'other'",
        b"[suite]\n[[case]]\nid = 3\n[[case]]\nref = 'x'",
        b"case = [1, 'other']\n[suite]",
        None,
    ],
)
def test_a_file_beside_a_suite_that_is_none_hides_no_lost_case(folder, text):
    shutil.copy(folder / "golden" / "note.toml", folder / "golden" / "other.toml")
    if text is None:
        (folder / "second.toml").mkdir()
    else:
        (folder / "second.toml").write_bytes(text)
    assert [(case.id, case.verdict) for case in gate.check(folder / "suite.toml").cases] == [
        ("note", "PASS"),
        ("other", "FAIL"),
    ]


def test_a_second_suite_is_read_though_its_limits_are_wrong(folder):
    gate.record(second(folder))
    (folder / "second.toml").write_text((folder / "second.toml").read_text().replace("profile.toml", "none.toml"))
    assert gate.check(folder / "suite.toml").verdict == "PASS"


@pytest.mark.parametrize("command", [["record"], ["check"], ["accept", "note", "--reason", "r"]], ids=lambda x: x[0])
@pytest.mark.parametrize("golden", [None, "golden/", "./golden", "other/../golden"])
def test_one_id_in_two_suites_with_one_golden_folder_is_an_error(diagnose, folder, command, golden):
    (folder / "other").mkdir()
    path = second(folder, "note", golden)
    path.write_text(path.read_text().replace("generated.wav", "another.wav"))
    tree = digest(folder)
    for suite, other in ((folder / "suite.toml", "second.toml"), (path, "suite.toml")):
        done = diagnose(command[0], suite, *command[1:])
        assert (done.code, done.out) == (2, "")
        assert done.err.count("\n") == 1
        assert done.err.startswith(f"diagnose: {suite}: case id 'note' is also in {other}, with other sounds")
        assert done.err.endswith("rename one, or give one suite another golden folder\n")
    assert digest(folder) == tree


def test_one_case_in_two_suites_is_one_golden(folder):
    path = second(folder, "note", None)
    assert gate.check(folder / "suite.toml").verdict == gate.check(path).verdict == "PASS"


def test_one_id_in_two_suites_with_a_golden_folder_each_is_well(folder):
    path = second(folder, "note", "elsewhere")
    assert gate.record(path) == (["note"], [])
    assert gate.check(folder / "suite.toml").verdict == gate.check(path).verdict == "PASS"


def test_a_link_to_the_suite_is_the_suite(folder):
    (folder / "link.toml").symlink_to(folder / "suite.toml")
    assert gate.check(folder / "link.toml").verdict == gate.check(folder / "suite.toml").verdict == "PASS"


# A suite that is wrong


CASE = '[[case]]\nid = "a"\nreference = "r.wav"\ngenerated = "g.wav"\n'
WRONG_SUITES = {
    "broken TOML": ("[suite\n", "not valid TOML"),
    "not UTF-8": (b"[suite]\nname = '\xff'\n", "not valid TOML"),
    "no suite": (CASE, "suite: Object missing required field `name`"),
    "suite is no table": ("suite = 3\n", "suite: Expected `object`, got `int`"),
    "unknown table": ('[suite]\nname = "s"\n[cases]\n', "unknown key 'cases'"),
    "unknown key": ('[suite]\nname = "s"\nprofil = "p"\n', "suite: Object contains unknown field `profil`"),
    "unknown case key": (
        '[suite]\nname = "s"\n' + CASE + "gain = 1\n",
        "case[0]: Object contains unknown field `gain`",
    ),
    "no id": ('[suite]\nname = "s"\n[[case]]\nreference = "r"\ngenerated = "g"\n', "case[0]: Object missing required"),
    "a number as path": (
        '[suite]\nname = "s"\n' + CASE.replace('"g.wav"', "3"),
        "case[0].generated: Expected `str`, got `int`",
    ),
    "one case twice": ('[suite]\nname = "s"\n' + CASE + CASE, "case id 'a' is used more than once"),
    "one table, not many": ('[suite]\nname = "s"\n[case]\nid = "a"\n', "write [[case]]"),
    "limits of no metric": (
        '[suite]\nname = "s"\n' + CASE + "[case.limits.rms]\n",
        "case[0].limits.rms: no such metric",
    ),
    "limits in a wrong unit": (
        '[suite]\nname = "s"\n' + CASE + '[case.limits.f0_hz]\nunit = "dB"\ndirection = "both"\nreason = "r"\n',
        "case[0].limits.f0_hz.unit: is 'dB'; the unit of this metric is 'Hz'",
    ),
    "no such profile": ('[suite]\nname = "s"\nprofile = "none.toml"\n', "none.toml: No such file or directory"),
}


@pytest.mark.parametrize("command", ["record", "check"])
@pytest.mark.parametrize("kind", WRONG_SUITES)
def test_a_wrong_suite_is_one_line_that_names_file_and_key(diagnose, tmp_path, kind, command):
    text, said = WRONG_SUITES[kind]
    path = tmp_path / "suite.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = diagnose(command, path)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert done.err.startswith(f"diagnose: {tmp_path}")
    assert said in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["suite.toml"]


@pytest.mark.parametrize("case", ["../a", "a/b", "", ".hidden", "a b", "a\\\\b", "é", "a" * 101, "a\\n"])
def test_an_id_names_a_file_and_cannot_leave_the_folder(diagnose, tmp_path, case):
    path = tmp_path / "suite.toml"
    path.write_text('[suite]\nname = "s"\n' + CASE.replace('id = "a"', f'id = "{case}"'))
    done = diagnose("record", path)
    assert (done.code, done.out) == (2, "")
    assert "case[0].id: " in done.err
    assert "use letters, digits, '.', '_' and '-'" in done.err


WRONG_GOLDENS = {
    "broken TOML": ("[metric", "not valid TOML"),
    "another schema": ("schema", "schema 'diagnose.golden/2'; this version reads 'diagnose.golden/1'"),
    "unknown key": ("unknown", "Object contains unknown field `extra`"),
    "a folder": (None, "Is a directory"),
}


@pytest.mark.parametrize("kind", WRONG_GOLDENS)
def test_a_wrong_golden_never_passes_and_is_named(diagnose, folder, kind):
    path, (text, said) = folder / "golden" / "note.toml", WRONG_GOLDENS[kind]
    now = path.read_text()
    path.unlink()
    if text is None:
        path.mkdir()
    else:
        changed = {"schema": now.replace("golden/1", "golden/2"), "unknown": "extra = 1\n" + now}
        path.write_text(changed.get(text, text))
    (case,) = gate.check(folder / "suite.toml").cases
    assert case.verdict == "ERROR"
    assert str(path) in case.error
    assert said in case.error
    assert diagnose("check", folder / "suite.toml").code in (2, 3)
    done = diagnose("accept", folder / "suite.toml", "note", "--reason", "why not")
    assert done.code == 2
    assert str(path) in done.err


@pytest.mark.parametrize("form", ["junit", "markdown"])
def test_a_hostile_golden_cannot_write_into_a_report(diagnose, folder, form):
    # A golden comes with a pull request, and its keys are shown.
    path = folder / "golden" / "note.toml"
    path.write_text(
        path.read_text() + '\n[metric."x`|<img src=x>\\u001b[2J\\u0001"]\nunit = "dB"\nversion = 1\nchange = 1.0\n'
    )
    done = diagnose("check", folder / "suite.toml", f"--{form}", "-")
    assert done.code in (1, 2, 3)
    page = MarkdownIt("commonmark").enable("table").render(done.out) if form == "markdown" else done.out
    assert "<img" not in page
    assert "\x1b" not in done.out + done.err + diagnose("check", folder / "suite.toml").out
    assert "\x01" not in done.out


# Our own gate


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """tests/golden with its sounds beside it: the shipped example, its broken and its faultless copy."""
    folder = tmp_path_factory.mktemp("ours") / "golden"
    shutil.copytree(OURS, folder)
    write_example_sounds(folder)
    return folder


def write_example_sounds(folder):
    """reference.wav, generated.wav (misfed) and copy.wav (faultless: half the rate, 5 ms late), 16 bits each."""
    note = example.bowed_string()
    audio.write(folder / "reference.wav", note)
    audio.write(folder / "generated.wav", example.misfed_vocoder(note))
    half = audio.resample(note, 22_050)
    late = np.pad(half.samples, ((0, 0), (110, 0)))[:, : half.length]
    audio.write(folder / "copy.wav", Audio(late, half.rate))


def test_our_own_goldens_hold(ours):
    tree = digest(ours)
    suite = gate.check(ours / "suite.toml")
    problems = [(case.id, check) for case in suite.cases for check in case.checks if check.verdict != "PASS"]
    assert problems == []
    assert [(case.id, case.verdict, case.error) for case in suite.cases] == [
        ("misfed-vocoder", "PASS", None),
        ("faultless-copy", "PASS", None),
    ]
    assert digest(ours) == tree


def test_our_own_goldens_were_recorded_by_the_tool():
    names = sorted(path.stem for path in (OURS / "golden").glob("*.toml"))
    assert names == ["faultless-copy", "misfed-vocoder"]
    for name in names:
        document = load_golden(OURS / "golden" / f"{name}.toml")
        assert (document.case, document.recorded_by) == (name, "timbre-diagnose")
        assert len(document.metric) > 25
        assert all(baseline.change is not None or baseline.unmeasured for baseline in document.metric.values())


def test_our_own_gate_would_see_the_copies_swapped(ours, tmp_path):
    shutil.copytree(ours, tmp_path / "swapped")
    shutil.copy(ours / "copy.wav", tmp_path / "swapped" / "generated.wav")
    shutil.copy(ours / "generated.wav", tmp_path / "swapped" / "copy.wav")
    suite = gate.check(tmp_path / "swapped" / "suite.toml")
    failed = {case.id: {check.metric for check in case.checks if check.verdict == "FAIL"} for case in suite.cases}
    assert {"rms_ratio", "spectral_centroid_hz", "f0_deviation_cents"} <= failed["misfed-vocoder"]
    assert {"rms_ratio", "dc_share", "comb_share", "spectral_convergence"} <= failed["faultless-copy"]


# Sounds that are not finite


def test_a_sound_that_is_not_finite_fails_though_golden_and_profile_are_older(folder, diagnose):
    spoil(folder)
    done = diagnose("check", folder / "suite.toml")
    assert done.code == 1
    assert "FAIL  nonfinite_share: is not in the golden; accept it" in done.out
    assert "cause  non-finite (99 %): 1 sample is NaN or infinite" in done.out


def test_such_a_sound_is_accepted_with_its_share_and_held_to_it(folder):
    spoil(folder, 2)
    (entry,) = gate.accept(folder / "suite.toml", "note", "nonfinite_share", "known")
    assert (entry.metric, entry.old) == ("nonfinite_share", "not recorded")
    assert gate.check(folder / "suite.toml").verdict == "PASS"
    spoil(folder, 3)
    assert gate.check(folder / "suite.toml").verdict == "FAIL"
    rewrite(folder)
    (case,) = gate.check(folder / "suite.toml").cases
    assert [check.metric for check in case.checks if check.better] == ["nonfinite_share"]
    assert case.verdict == "PASS"


def test_a_golden_of_such_a_sound_says_what_is_wrong_with_it(folder):
    (folder / "golden" / "note.toml").unlink()
    spoil(folder)
    gate.record(folder / "suite.toml")
    assert "non-finite" in stored(folder)["causes"]
    assert stored(folder)["metric"]["nonfinite_share"]["change"] > 0


def test_a_reference_that_is_not_finite_is_an_error_of_its_case(folder, diagnose):
    spoil(folder)
    shutil.copy(folder / "generated.wav", folder / "reference.wav")
    done = diagnose("check", folder / "suite.toml")
    assert done.code == 3
    assert "reference.wav:non-finitesamples" in one_line(done.out)
