"""What thresholds catch: gains are caught where arithmetic says, and what no metric looks at passes with a hint."""

from __future__ import annotations

import json
import re
import tomllib

import numpy as np
import pytest

from diagnose import audio, comparison, example
from diagnose.audio import Audio
from diagnose.errors import InputError
from diagnose.faults import INJECTORS
from diagnose.gate import sensitivity
from diagnose.profile import default_profile, load_profile
from diagnose.render.sensitivity import tables_to_copy, to_json
from diagnose.results.sensitivity import Hint

RATE = 22050
RMS = '[metric.rms_ratio]\nunit = "ratio"\ndirection = "both"\nwarn = 1.5\nfail = 2.0\nreason = "a test"\n'
CORRELATION = '[metric.waveform_correlation]\nunit = "r"\ndirection = "lower"\nfail = 0.9\nreason = "a test"\n'
TOP = '[metric.band_8192_nyquist_db]\nunit = "dB"\ndirection = "lower"\nfail = -10.0\nreason = "a test"\n'


@pytest.fixture(scope="module")
def note():
    return example.bowed_string(seconds=0.5, rate=RATE)


@pytest.fixture
def suite(tmp_path, note):
    """suite(profile, {case: (sound or file, its own limits)}) -> path; only references are written."""

    def write(profile=RMS, cases=None):
        text = '[suite]\nname = "strings"\n' + ('profile = "profile.toml"\n' if profile is not None else "")
        (tmp_path / "profile.toml").write_text(profile or "")
        for case, (sound, limits) in ({"note": (note, "")} if cases is None else cases).items():
            file = sound if isinstance(sound, str) else f"{case}.wav"
            if isinstance(sound, Audio):
                audio.write(tmp_path / file, sound, "FLOAT")
            text += f'\n[[case]]\nid = "{case}"\nreference = "{file}"\ngenerated = "not-asked-for.wav"\n{limits}'
        (tmp_path / "suite.toml").write_text(text)
        return str(tmp_path / "suite.toml")

    return write


# What is caught


def test_a_gain_is_caught_on_the_first_rung_over_the_limit(suite):
    found = sensitivity.probe(suite(), ["gain_up", "gain_down"])
    # 2 to 12 dB in steps of 1.25: 4.5 is the first over 1.5 (3.52 dB), 7 the first over 2 (6.02 dB).
    (up,) = found["gain_up"].cases
    assert (up.warn.amount, up.fail.amount) == (pytest.approx(4.5), pytest.approx(7.0))
    assert (up.warn.severity, up.fail.severity) == (0.25, 0.5)
    assert up.fail.metric == "rms_ratio"
    assert up.fail.change == pytest.approx(10 ** (7 / 20), rel=1e-4)
    assert up.hint is None
    # -2 to -20 in steps of -2.25.
    (down,) = found["gain_down"].cases
    assert (down.warn.amount, down.fail.amount) == (pytest.approx(-4.25), pytest.approx(-6.5))
    assert [fault.caught for fault in found.faults] == ["everywhere", "everywhere"]


def test_what_has_no_limit_passes(suite):
    found = sensitivity.probe(suite(), ["polarity", "delay", "gain_up"])
    for name in ("polarity", "delay"):
        (case,) = found[name].cases
        assert (case.warn, case.fail, found[name].caught) == (None, None, "nowhere")
    assert [fault.name for fault in found.blind] == ["polarity", "delay"]


def test_the_hint_is_the_metric_that_a_comparison_finds_furthest_over_its_limit(suite, note):
    found = sensitivity.probe(suite(), ["polarity", "delay", "clicks", "truncated"])
    assert len(found.blind) == 4
    for fault in found.blind:
        hint = fault.cases[0].hint
        copy = INJECTORS[fault.name].inject(note, 1.0, np.random.default_rng(0))
        worst = comparison.compare(note, copy).worst_first[0]
        assert (hint.metric, hint.verdict, hint.tightens) == (worst.name, "FAIL", False), fault.name
        assert hint.limit == default_profile()[hint.metric]
    hints = {fault.name: fault.cases[0].hint for fault in found.blind}
    assert hints["polarity"].metric == "waveform_correlation"
    assert hints["polarity"].change == pytest.approx(-1, abs=1e-6)
    assert hints["clicks"].metric == "clicks_per_s"
    assert hints["truncated"].metric == "lost_s"


def test_the_limits_to_copy_catch_what_was_missed(suite, tmp_path):
    names = ["polarity", "clicks"]
    found = sensitivity.probe(suite(), names)
    tables = tables_to_copy(found)
    assert [table.splitlines()[0] for table in tables] == ["[metric.waveform_correlation]", "[metric.clicks_per_s]"]
    path = suite("\n".join([RMS, *tables]))
    assert load_profile(tmp_path / "profile.toml")["clicks_per_s"].fail == default_profile()["clicks_per_s"].fail
    again = sensitivity.probe(path, names)
    assert [fault.caught for fault in again.faults] == ["everywhere"] * 2


def test_every_builtin_limit_can_be_copied():
    for name, limit in default_profile().items():
        if limit.fail is None:
            continue
        found = sensitivity.Sensitivity("1", "s", (), (), (_blind(Hint(name, "FAIL", 1.0, limit, False)),))
        (table,) = tables_to_copy(found)
        assert tomllib.loads(table)["metric"][name]["unit"] == limit.unit


def _blind(hint):
    return sensitivity.FaultFinding("f", "gain", "a", "dB", (sensitivity.CaseFinding("c", hint=hint),))


def test_a_limit_that_is_too_wide_is_to_be_tightened(suite):
    wide = CORRELATION.replace("fail = 0.9", "fail = -1.5")
    hint = sensitivity.probe(suite(wide), ["polarity"])["polarity"].cases[0].hint
    assert (hint.metric, hint.tightens) == ("waveform_correlation", True)


def test_a_fault_that_only_warns_by_default_gets_the_warn_level_as_hint(suite, note):
    # Two channels that go mono only WARN; the mix is as it was.
    stereo = np.concatenate([note.samples, 0.9 * note.samples + 0.02 * np.roll(note.samples, 30)]).astype(np.float32)
    found = sensitivity.probe(suite(None, {"both": (Audio(stereo, RATE), "")}), ["to_mono"])
    (case,) = found["to_mono"].cases
    assert case.fail is None
    assert case.warn.metric == case.hint.metric == "mixed_channels"
    assert case.hint.verdict == "WARN"
    limit = default_profile()[case.hint.metric]
    assert (case.hint.limit.warn, case.hint.limit.fail) == (None, limit.warn)
    assert case.hint.tightens


def test_a_limit_of_the_case_catches_what_the_profile_does_not(suite, note):
    own = "[case.limits." + CORRELATION.removeprefix("[metric.")
    path = suite(RMS, {"plain": (note, ""), "strict": (note, own)})
    found = sensitivity.probe(path, ["polarity", "gain_up"])
    plain, strict = found["polarity"].cases
    assert (plain.case, plain.fail) == ("plain", None)
    assert (strict.case, strict.fail.metric, strict.fail.amount) == ("strict", "waveform_correlation", None)
    assert found["polarity"].caught == "somewhere"
    assert [case.fail.metric for case in found["gain_up"].cases] == ["rms_ratio", "rms_ratio"]


def test_the_stricter_of_two_limits_on_a_metric_decides(suite, note):
    own = "[case.limits." + RMS.removeprefix("[metric.").replace("1.5", "1.1").replace("2.0", "1.2")
    found = sensitivity.probe(suite(RMS, {"note": (note, own)}), ["gain_up"])
    assert found["gain_up"].cases[0].fail.amount == 2.0  # 1.26


@pytest.mark.slow
def test_the_worst_case_is_the_one_that_needs_most(suite, note, rng):
    noisy = Audio(note.samples + 0.5 * rng.standard_normal(note.samples.shape).astype(np.float32), RATE)
    flat = '[metric.spectral_flatness]\nunit = "share"\ndirection = "higher"\nfail = 0.02\nreason = "a test"\n'
    found = sensitivity.probe(suite(flat, {"clean": (note, ""), "noisy": (noisy, "")}), ["white_noise"])
    clean, masked = (case.fail for case in found["white_noise"].cases)
    assert masked is None or masked.severity > clean.severity
    case, rung = found["white_noise"].worst("fail")
    assert (case, rung) == (("clean", clean) if masked is None else ("noisy", masked))


# What is no catch


def test_what_a_faultless_round_trip_fails_is_no_catch_of_a_fault_at_the_mel(suite):
    # A mel to 8 kHz holds nothing above, so the band above fails with the right values too.
    names = ["low_pass", "mel_htk", "mel_linear_magnitude"]
    found = sensitivity.probe(suite(TOP + RMS), names)
    assert found.cases[0].vocoder_alarms == ("band_8192_nyquist_db",)
    assert found.cases[0].alarms == ()
    assert found["low_pass"].cases[0].fail.metric == "band_8192_nyquist_db"
    assert found["mel_htk"].caught == "nowhere"
    assert found["mel_htk"].cases[0].hint.metric != "band_8192_nyquist_db"
    assert found["mel_linear_magnitude"].cases[0].fail.metric == "rms_ratio"


def test_the_round_trip_keeps_the_sound(note):
    trip = sensitivity.faultless_round_trip(note)
    assert trip.length == note.length
    rows = {row.name: row.change for row in comparison.compare(note, trip).metrics}
    assert rows["rms_ratio"] == pytest.approx(1, abs=0.1)
    assert abs(rows["f0_deviation_cents"]) < 15


def test_a_fault_that_cannot_happen_or_be_heard_is_not_asked(suite, tone):
    dull = Audio(tone(300, RATE, 0.5, 0.5)[None] * np.hanning(RATE // 2).astype(np.float32), RATE)
    found = sensitivity.probe(suite(RMS, {"dull": (dull, "")}), ["to_mono", "low_pass"])
    assert found["to_mono"].cases[0].skipped == "does not apply to this sound"
    assert found["low_pass"].cases[0].skipped == "changes less than -50 dB of this sound"
    assert [fault.caught for fault in found.faults] == ["does not apply"] * 2
    assert not found.blind


def test_no_limits_catch_nothing(suite):
    assert sensitivity.probe(suite(""), ["gain_up"])["gain_up"].caught == "nowhere"


# References


def test_a_reference_that_cannot_be_probed_is_an_error_of_its_case_alone(suite, note):
    silent = Audio(np.zeros((1, RATE), np.float32), RATE)
    short = Audio(note.samples[:, 5000:5200], RATE)
    cases = {"gone": ("gone.wav", ""), "silent": (silent, ""), "short": (short, ""), "note": (note, "")}
    found = sensitivity.probe(suite(RMS, cases), ["gain_up"])
    errors = [case.error for case in found.cases]
    assert [case.id for case in found.cases] == list(cases)
    assert "gone.wav: No such file" in errors[0]
    assert "it is silent" in errors[1]
    assert "at least 20 ms" in errors[2]
    assert errors[3] is None
    assert [case.case for case in found["gain_up"].cases] == ["note"]


@pytest.mark.slow
def test_of_a_long_reference_the_first_10_s_that_sound_are_used(suite, tone):
    quiet = np.zeros(2 * 8000, np.float32)
    long = Audio(np.concatenate([quiet, tone(440, 8000, 11.0, 0.5)])[None], 8000)
    case = sensitivity.probe(suite(RMS, {"long": (long, "")}), ["gain_up"]).cases[0]
    assert (case.duration_s, case.probed_s) == (13, 10)
    assert case.start_s == pytest.approx(1.99, abs=0.001)


def test_one_reference_with_the_same_limits_is_probed_once(suite, note):
    told = []
    path = suite(RMS, {"first": (note, ""), "second": ("first.wav", ""), "third": (note, "")})
    found = sensitivity.probe(path, ["gain_up", "polarity"], lambda *words: told.append(words))
    assert told == [
        (0, 4, "first gain_up"),
        (1, 4, "first polarity"),
        (2, 4, "first"),
        (2, 4, "third gain_up"),
        (3, 4, "third polarity"),
        (4, 4, "third"),
    ]
    assert [case.case for case in found["gain_up"].cases] == ["first", "second", "third"]
    assert len({case.fail for case in found["gain_up"].cases}) == 1


def test_the_same_suite_gives_the_same_answer_whatever_its_cases_are_called(suite, note):
    names = ["white_noise", "drop_out", "random_phase"]
    first, again = (sensitivity.probe(suite(None), names) for _ in range(2))
    assert to_json(first) == to_json(again)
    other = sensitivity.probe(suite(None, {"renamed": (note, "")}), names)
    for name in names:
        assert other[name].cases[0].fail == first[name].cases[0].fail


def test_an_unknown_fault_is_named_with_its_nearest(suite):
    with pytest.raises(InputError, match=r"^no fault 'polarty'; did you mean 'polarity'\?$"):
        sensitivity.probe(suite(), ["gain_up", "polarty"])


# The command


def test_the_json_is_one_object_of_its_schema(diagnose, suite):
    path = suite()
    done = diagnose("sensitivity", path, "--fault", "polarity", "--fault", "gain_up", "--json", "-")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out, parse_constant=pytest.fail)
    assert (found["schema"], found["suite"]) == ("diagnose.sensitivity/1", "strings")
    assert found["ladder"] == [step / 8 for step in range(9)]
    assert [case["id"] for case in found["cases"]] == ["note"]
    gain, polarity = found["faults"]
    assert (gain["name"], gain["cause"], gain["unit"], gain["caught"]) == ("gain_up", "gain", "dB", "everywhere")
    assert gain["fail"] == {"case": "note"} | gain["cases"][0]["fail"]
    assert gain["fail"]["amount"] == pytest.approx(7)
    assert (polarity["unit"], polarity["caught"], polarity["fail"]) == (None, "nowhere", None)
    hint = polarity["cases"][0]["hint"]
    assert hint["limit"]["fail"] == 0.0
    assert (hint["metric"], hint["limit"]["unit"]) == ("waveform_correlation", "r")


def test_the_table_says_what_is_caught_and_the_list_what_is_not(diagnose, suite, tmp_path):
    done = diagnose("sensitivity", suite(), "--fault", "gain_up", "--fault", "polarity", "--json", tmp_path / "out")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert re.fullmatch(r"gain_up +too loud +4\.5 +7\.0 +dB +rms_ratio *", lines[1])
    assert lines[2].startswith("BLIND to 1 fault")
    assert lines[3].startswith("  polarity (inverted): add a limit on waveform_correlation, -1 at the highest")
    assert "[metric.waveform_correlation]" in lines
    assert lines[-1] == "strings: 1 of 2 faults FAIL, 1 pass"
    assert json.loads((tmp_path / "out").read_text())["schema"] == "diagnose.sensitivity/1"


def test_several_cases_are_counted_and_the_missing_one_is_named(diagnose, suite, note):
    own = "[case.limits." + CORRELATION.removeprefix("[metric.")
    path = suite(RMS, {"plain": (note, ""), "strict": (note, own), "gone": ("gone.wav", "")})
    done = diagnose("sensitivity", path, "--fault", "polarity", "--fault", "gain_up")
    assert done.code == 0
    assert re.search(r"^ERROR  gone: .*gone\.wav: No such file or directory$", done.out, re.MULTILINE)
    assert re.search(r"^polarity +inverted +yes +yes +waveform_correlation +1 of 2 +strict", done.out, re.MULTILINE)
    assert "  polarity (inverted) in plain: add a limit on waveform_correlation" in done.out
    assert done.out.splitlines()[-1] == "strings: 1 of 2 faults FAIL on every case, 1 on some, 0 on none"


def test_where_nothing_was_probed_it_exits_3_and_still_says_why(diagnose, suite):
    done = diagnose("sensitivity", suite(RMS, {"gone": ("gone.wav", "")}))
    assert (done.code, done.err) == (3, "")
    assert done.out.startswith("ERROR  gone: ")
    assert done.out.splitlines()[-1] == "strings: no reference could be used"
    done = diagnose("sensitivity", suite(RMS, {}), "--json", "-")
    assert (done.code, json.loads(done.out)["cases"]) == (3, [])


def test_a_hostile_name_cannot_steer_the_terminal(diagnose, suite, tmp_path):
    path = suite(RMS, {"gone": ("gone.wav", "")})
    text = (tmp_path / "suite.toml").read_text()
    text = text.replace('"strings"', '"\\u001b[31m[bold]x"').replace("gone.wav", "\\u001b[2Jgone[/].wav")
    (tmp_path / "suite.toml").write_text(text)
    done = diagnose("sensitivity", path)
    assert done.code == 3
    assert "\x1b" not in done.out
    assert r"\x1b[31m[bold]x: no reference could be used" in done.out
    assert "gone[/].wav" in done.out
