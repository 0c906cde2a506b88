from __future__ import annotations

import json

import msgspec
import pytest

from diagnose.mel.candidate import Candidate, Inference, Sign
from diagnose.mel.check import ContractCheck
from diagnose.mel.contract import ValueScale, load, names
from diagnose.mel.differences import Difference
from diagnose.render.mel import contracts_json, print_contracts, print_mel, to_json, words
from diagnose.spectrogram import MelGrid

WANTED = load("bigvgan_base_22khz_80band")
KEYS = ["schema", "tool", "array", "audio", "best", "candidates", "ambiguous", "signs", "wanted", "differences"]
KEYS += ["unchecked", "misfit_db", "converted", "verdict"]
DB_MAX = ValueScale("power-db", reference="max", top_db=80.0)


def candidate(levels=DB_MAX, grid=None, **more):
    pooled = "power" if grid else None
    fit = {"residual_db": 0.0123456, "slope": 4.3, "offset": 0.1} if grid else {}
    return Candidate(levels, pooled, 80, grid, **fit, **more)


def inference(best=None, **changes):
    found = Inference(
        best=best,
        candidates=(best,) if best else (),
        signs=(),
        ambiguous=(),
        shape=(80, 83),
        axes="bands, frames",
        bands=80,
        frames=83,
        items=1,
        lowest=-80.0,
        highest=0.0,
    )
    return msgspec.structs.replace(found, **changes)


def shown(capsys, *arguments):
    print_mel(*arguments)
    out, err = capsys.readouterr()
    assert err == ""
    assert "\x1b" not in out
    return out.splitlines()


def parsed(*arguments):
    text = to_json(*arguments)
    assert text.endswith("}\n")
    return json.loads(text, parse_constant=pytest.fail)


# JSON


def test_the_object_has_these_keys_in_this_order():
    found = parsed("a.npy", inference(candidate()), None)
    assert list(found) == KEYS
    assert found["schema"] == "diagnose.mel/1"
    assert found["array"] == {
        "path": "a.npy",
        "shape": [80, 83],
        "axes": "bands, frames",
        "bands": 80,
        "frames": 83,
        "items": 1,
        "item": 0,
        "lowest": -80.0,
        "highest": 0.0,
    }
    assert (found["wanted"], found["verdict"], found["misfit_db"], found["converted"]) == (None, None, None, None)


def test_fields_without_the_sound_are_null():
    best = parsed("a.npy", inference(candidate()), None)["best"]
    assert {name for name, value in best.items() if value is None} == {
        "clip",
        "rate_hz",
        "n_fft",
        "hop",
        "fmin_hz",
        "fmax_hz",
        "formula",
        "norm",
        "centred",
        "padding",
        "pooled",
        "range",
        "range_db",
        "residual_db",
    }
    assert (best["scale"], best["log_base"], best["reference"], best["top_db"]) == ("power-db", "10", "max", 80.0)


def test_fields_with_the_sound():
    best = parsed("a.npy", inference(candidate(grid=MelGrid(22050, fmax=11025.004, padding="centre"))), None)["best"]
    assert (best["rate_hz"], best["n_fft"], best["hop"], best["fmin_hz"], best["fmax_hz"]) == (
        22050,
        1024,
        256,
        0,
        11025,
    )
    assert (best["formula"], best["norm"], best["centred"], best["padding"]) == ("slaney", "slaney", True, "centre")
    assert best["residual_db"] == 0.0123


def test_a_field_that_is_unknown_is_null_and_false_is_not():
    grid = MelGrid(22050)
    best = parsed("a.npy", inference(candidate(grid=grid, unknown=frozenset({"padding", "norm"}))), None)["best"]
    assert (best["padding"], best["norm"], best["centred"]) == (None, None, False)


@pytest.mark.parametrize(
    ("scale", "base"),
    [
        ("power", None),
        ("magnitude", None),
        ("power-db", "10"),
        ("magnitude-db", "10"),
        ("ln-magnitude", "e"),
        ("log10-magnitude", "10"),
        ("ln-power", "e"),
    ],
)
def test_the_base_of_a_logarithm(scale, base):
    assert parsed("a", inference(candidate(ValueScale(scale))), None)["best"]["log_base"] == base


def test_differences_are_as_they_are():
    found = inference(candidate())
    one = Difference("fmax_hz", 11025.0, 8000.0, "band 60 sits elsewhere")
    two = Difference("centred", True, False, "late")
    held = parsed("a", found, ContractCheck(found, WANTED, (one, two), ("hop",), 1.23456789), "x.npy: exact")
    assert held["differences"] == [
        {"field": "fmax_hz", "is": 11025.0, "should_be": 8000.0, "consequence": "band 60 sits elsewhere"},
        {"field": "centred", "is": True, "should_be": False, "consequence": "late"},
    ]
    assert (held["wanted"], held["verdict"]) == (WANTED.name, "FAIL")
    assert (held["unchecked"], held["misfit_db"], held["converted"]) == (["hop"], 1.2346, "x.npy: exact")


def test_no_difference_is_a_pass():
    found = inference(candidate())
    assert parsed("a", found, ContractCheck(found, WANTED, (), ()))["verdict"] == "PASS"


def test_nothing_is_null_and_signs_are_kept():
    found = inference(None, signs=(Sign("constant", "every value is 0", wrong=True),))
    held = parsed("a", found, None)
    assert (held["best"], held["candidates"]) == (None, [])
    assert held["signs"] == [{"id": "constant", "says": "every value is 0", "wrong": True}]


@pytest.mark.parametrize("path", ['"quoted"', "a\nb", "\x1b[31m", "\udcff", "ünï", "</script>", "\\"])
def test_any_name_is_kept_in_json(path):
    assert parsed(path, inference(candidate()), None)["array"]["path"] == path


# The terminal


def test_the_verdict_is_first_and_each_difference_a_line(capsys):
    found = inference(candidate())
    one = Difference("fmax_hz", 11025.0, 8000.0, "band 60 is at 4.73 kHz instead of 3.71")
    two = Difference("centred", True, False, "late")
    lines = shown(capsys, "a.npy", found, ContractCheck(found, WANTED, (one, two), ()))
    assert lines[:4] == [
        f"FAIL  the mel does not match {WANTED.name}: 2 differences",
        "differs    fmax_hz 11025, not 8000: band 60 is at 4.73 kHz instead of 3.71",
        "differs    frames are centred, but should not be: late",
        "array      a.npy  (80, 83) (bands, frames), values -80 to 0",
    ]
    (first, *_) = shown(capsys, "a.npy", found, ContractCheck(found, WANTED, (one,), ()))
    assert first == f"FAIL  the mel does not match {WANTED.name}: 1 difference"


def test_a_pass_says_what_was_not_checked(capsys):
    found = inference(candidate())
    (first, *_) = shown(capsys, "a.npy", found, ContractCheck(found, WANTED, (), ("hop", "norm")))
    assert first == f"PASS  no difference from {WANTED.name} found; not checked: hop, norm"
    (first, *_) = shown(capsys, "a.npy", found, ContractCheck(found, WANTED, (), (), 0.0004))
    assert first == f"PASS  the mel matches {WANTED.name}"


def test_notes_signs_and_the_measure(capsys):
    found = inference(
        candidate(grid=MelGrid(22050)),
        signs=(Sign("floor", "many are the lowest"),),
        ambiguous=("cannot tell a and b",),
    )
    lines = shown(capsys, "a.npy", found, ContractCheck(found, WANTED, (), (), 0.0123456), "out.npy: exact")
    assert "note       cannot tell a and b" in lines
    assert "sign       many are the lowest" in lines
    assert f"measured   0.0123 dB rms from the mel of the sound by {WANTED.name}" in lines
    assert lines[-1] == "converted  out.npy: exact"
    assert not [line for line in lines if "give --audio" in line]


def test_the_item_of_a_batch_is_named(capsys):
    text = " ".join(shown(capsys, "a.npy", inference(candidate(), shape=(3, 80, 83), items=3), None))
    assert "(3, 80, 83)" in text
    assert "of 3" in text


def test_nothing_reads_as_nothing(capsys):
    lines = shown(capsys, "a.npy", inference(None), None)
    assert "reads as   nothing: every value is the same" in lines


@pytest.mark.parametrize(
    "text",
    ["[bold]x[/bold]", "[/]", "\x1b[31mred", "a\nb", "\u202eright to left", "<b>", ":smile:", "http://x.example"],
)
def test_text_from_outside_is_text(capsys, text):
    """Names and what an error says never become markup, a colour or another line."""
    found = inference(candidate(), signs=(Sign("x", text),), ambiguous=(text,))
    lines = shown(capsys, f"{text}.npy", found, None, text)
    plain = shown(capsys, "a.npy", inference(candidate(), signs=(Sign("x", "y"),), ambiguous=("y",)), None, "y")
    assert len(lines) == len(plain)
    assert not any("\x1b" in line or "\u202e" in line for line in lines)
    if text.isprintable():
        assert f"sign       {text}" in lines
        assert f"converted  {text}" in lines


def test_a_candidate_in_words():
    assert words(candidate()) == (
        "power-db with reference max, top_db 80, 80 bands, 100% probable, from the values alone"
    )
    grid = MelGrid(22050, fmax=11025.0, padding="centre")
    assert words(candidate(grid=grid)) == (
        "power-db with reference max, top_db 80, 22050 Hz, n_fft 1024, hop 256, 80 bands, 0 to 11025 Hz, "
        "slaney formula, norm slaney, frames centred, fits within 0.012 dB"
    )
    ln = ValueScale("ln-magnitude", clip=1e-5)
    assert words(Candidate(ln, "power", 80, probability=0.914)) == (
        "ln-magnitude of a power sum, clipped at 1e-05, 80 bands, 91% probable, from the values alone"
    )


def test_what_is_not_known_of_a_grid_is_a_question_mark():
    said = words(candidate(grid=MelGrid(22050), unknown=frozenset({"n_fft", "norm", "centred"})))
    assert "n_fft ?" in said
    assert "norm ?" in said
    assert "centred" not in said


def test_a_normalised_one_says_of_what():
    levels = ValueScale("normalised", of="magnitude-db", low=-100.0, high=20.0, bottom=-4.0, top=4.0)
    said = words(Candidate(levels, "magnitude", 80, MelGrid(22050), residual_db=0.1))
    assert said.startswith("normalised to -4..4 (magnitude-db of -100.0 to 20.0 dB), 22050 Hz")


# Contracts


def test_a_line_a_contract(capsys):
    print_contracts([load(name) for name in names()])
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[0].split()[:6] == ["contract", "rate", "n_fft", "hop", "bands", "Hz"]
    assert [line.split()[0] for line in lines[1:]] == names()
    (base,) = (line.split() for line in lines if line.startswith(f"{WANTED.name} "))
    assert base[1:8] == ["22050", "1024", "256", "80", "0..8000", "slaney", "same-reflect"]


def test_contracts_as_json_say_all():
    found = json.loads(contracts_json([WANTED]), parse_constant=pytest.fail)
    assert found["schema"] == "diagnose.contracts/1"
    (one,) = found["contracts"]
    assert one["name"] == WANTED.name
    assert one["grid"] == msgspec.to_builtins(WANTED.grid)
    assert one["levels"]["name"] == "ln-magnitude"
    assert one["bin_epsilon"] == 1e-9
