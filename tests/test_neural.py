"""The break points of models are what their first lines say, each time the same; not what diagnose says of them."""

from __future__ import annotations

import json
import re

import neural
import neural_after
import neural_frames
import neural_kinds
import neural_mel
import neural_report
import neural_voice
import neural_weights
import neural_world
import numpy as np
import pytest
from neural_catalogue import KINDS, MODULES, PLANNED

from diagnose.faults import CATALOGUE

VOICE = [name for name, kind in KINDS.items() if "hibari" in kind.needs and kind.family != "weights"]
WEIGHTS = [name for name, kind in KINDS.items() if kind.family == "weights"]
MELS = [name for name, kind in KINDS.items() if "librosa" in kind.needs]
WORLDS = [name for name, kind in KINDS.items() if "pyworld" in kind.needs]
CODECS = [name for name, kind in KINDS.items() if not kind.needs]
SHORT = "said_morning"
needs_voice = pytest.mark.skipif(not neural_kinds.installed("hibari"), reason="hibari-tts is not installed")
needs_world = pytest.mark.skipif(bool(KINDS[WORLDS[0]].missing), reason="pyworld is not installed")


def pair(name, sound, amount=None):
    kind = KINDS[name]
    return neural.pair_of(neural.Case(name, kind.amounts[0] if amount is None else amount, sound, kind.against[0]))


def assert_sane(name, sound):
    reference, rate, generated, other = pair(name, sound)
    again = pair(name, sound)
    assert np.array_equal(reference, again[0])
    assert np.array_equal(generated, again[2], equal_nan=True)
    assert np.isfinite(reference).all()
    assert np.isfinite(generated).all() == ("non-finite" not in KINDS[name].right)
    assert reference.ndim == generated.ndim == 1
    assert 0.3 < (generated.size / other) / (reference.size / rate) < 3.5
    assert np.nanmax(np.abs(generated)) > 1e-4


# The catalogue


def test_there_are_break_points_enough_and_every_field_is_filled():
    assert sum(bool(kind.right) for kind in KINDS.values()) >= 60
    assert sum(not kind.right for kind in KINDS.values()) >= 12
    for kind in KINDS.values():
        assert kind.what.endswith(".")
        assert 1 <= len(kind.amounts) <= 2
        assert len(kind.pool) >= 6
        assert set(kind.pool) <= {*neural_kinds.SENTENCES, *neural_kinds.PLAYED}


def test_right_ids_are_in_the_catalogue_or_planned():
    for kind in KINDS.values():
        assert set(kind.right) | set(kind.traces) <= set(CATALOGUE) | PLANNED
        assert "unknown" not in kind.right
        assert not set(kind.right) & set(kind.traces)


def test_a_pool_has_held_out_sounds_and_others():
    held = neural_kinds.held_sounds()
    for kind in KINDS.values():
        assert 1 <= len(held & set(kind.pool)) <= len(kind.pool) / 2
    assert len(neural_kinds.SENTENCES) >= 6
    assert all(re.fullmatch(r"[A-Z][a-z, A-Z]+[.?]", text) for text in neural_kinds.SENTENCES.values())


def test_a_kind_with_an_id_that_nobody_has_is_refused():
    def slip():
        """No such id."""

    with pytest.raises(ValueError, match="no ids of causes"):
        neural_kinds.keep(slip, "x", ["vocoder-scale"], [1], traces=(), pool=(), against=(), needs=(), pipeline=None)


# What they make


@needs_voice
@pytest.mark.parametrize("name", VOICE)
def test_a_broken_voice_is_a_sound_and_the_same_each_time(name):
    assert_sane(name, SHORT)


@needs_voice
@pytest.mark.slow
@pytest.mark.parametrize("name", WEIGHTS)
def test_a_voice_with_broken_weights_is_a_sound_and_the_same_each_time(name):
    assert_sane(name, SHORT)


@needs_world
@pytest.mark.parametrize("name", WORLDS)
def test_a_broken_world_is_a_sound_and_the_same_each_time(name):
    assert_sane(name, "spoken_syllables")


@pytest.mark.slow
@pytest.mark.parametrize("name", MELS)
def test_a_broken_mel_is_a_sound_and_the_same_each_time(name):
    pytest.importorskip("librosa")
    assert_sane(name, "singing_voice")


@pytest.mark.parametrize("name", CODECS)
def test_a_coded_sound_is_a_sound_and_the_same_each_time(name):
    assert_sane(name, "singing_voice")


@needs_voice
def test_the_unbroken_voice_is_what_its_package_says():
    text = neural_kinds.SENTENCES[SHORT]
    assert np.allclose(neural_voice.said(SHORT), neural_voice.voice()(text, seed=neural_voice.SEED), atol=1e-6)


@needs_voice
def test_an_envelope_through_the_harmonics_keeps_the_magnitudes():
    given = neural_voice.features(SHORT)
    spectra = [np.abs(np.fft.rfft(neural_voice.sounded(one))) for one in (given, neural_voice.enveloped(given))]
    bands = [np.log(np.add.reduceat(one**2, np.arange(100, one.size - 400, 400))) for one in spectra]
    assert np.abs(bands[0] - bands[1]).mean() < 0.5


@needs_voice
def test_weights_that_are_not_changed_make_the_same_features():
    session = neural_weights.changed(("/dec.",), lambda weights: weights)
    same = neural_voice.run_network(session, SHORT)
    assert np.array_equal(same.lh, neural_voice.features(SHORT).lh)


@needs_voice
def test_only_the_decoder_is_broken_so_that_the_timing_is_kept():
    broken = KINDS["first_blocks_without_weights"].make(SHORT, 8.0, "pipeline", np.random.default_rng(0))
    assert broken[0].size == broken[2].size


def test_magnitudes_have_the_mel_that_they_were_found_from():
    time = np.arange(12_000) / 24_000
    values = np.exp(neural_mel.mel_of(0.2 * np.sin(2 * np.pi * 440 * time) * np.exp(-3 * time)))
    again = neural_mel._bank(neural_mel.GRID) @ neural_mel.magnitudes(values)
    assert np.linalg.norm(again - values) < 0.05 * np.linalg.norm(values)


def test_windows_of_the_right_length_add_up():
    """The ripple that windows_do_not_add_up multiplies by is flat where the window is that of the transform."""
    ripple = neural_after.ripple_of(1200)
    assert np.ptp(ripple) < 1e-9
    assert np.ptp(neural_after.ripple_of(400)) > 0.5


def test_tools():
    values = np.random.default_rng(1).standard_normal((40, 30))
    assert neural_kinds.blurred(np.ones((4, 30)), 2.0, 1) == pytest.approx(np.ones((4, 30)))
    assert neural_kinds.blurred(values, 3.0, 0).std() < 0.5 * values.std()
    assert neural_kinds.few_cosines(values, 40) == pytest.approx(values)
    assert np.linalg.matrix_rank(neural_kinds.few_cosines(values, 3)) == 3
    smooth = neural_kinds.lowered_rank(values, 2)
    assert np.linalg.matrix_rank(smooth - smooth.mean(axis=1, keepdims=True)) == 2
    assert neural_kinds.read_rows(values, np.array([0.0, 1.5, 99.0])) == pytest.approx(
        np.stack([values[0], (values[1] + values[2]) / 2, values[-1]])
    )


def test_fields_of_a_protocol_buffer():
    data = bytes([0x08, 0x96, 0x01, 0x12, 0x02, 0x61, 0x62, 0x1D, 1, 2, 3, 4])  # 1: 150, 2: b"ab", 3: four bytes
    assert list(neural_weights.fields(data, 0, len(data))) == [(1, 150, -1), (2, 5, 7), (3, 8, 12)]


def test_few_bits_leave_few_values():
    weights = np.arange(-127, 128.0)
    assert np.unique(neural_weights.steps_of(2)(weights)).tolist() == [-95.25, -31.75, 31.75, 95.25]


# The runner


def test_cases_are_the_same_each_time_and_in_four_groups(monkeypatch):
    monkeypatch.setattr(neural, "present", lambda _: True)
    monkeypatch.setattr(neural_kinds, "installed", lambda _: True)
    cases = neural.planned("all", list(KINDS), 6)
    assert cases == neural.planned("all", list(KINDS), 6)
    assert {case.group for case in cases} == set(neural.GROUPS)
    tuned, held = (neural.planned(part, list(KINDS), 6) for part in ("tuned", "held-out"))
    assert len(tuned) + len(held) == len(cases)
    assert not any(case.of.held_out or case.sound in neural_kinds.held_sounds() for case in tuned)
    both = {case.against for case in cases if case.kind == "mel_fmax"}
    assert both == {neural_kinds.RECORDING, neural_kinds.PIPELINE}


def test_what_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(neural_kinds, "installed", lambda _: False)
    assert {case.kind for case in neural.planned("all", list(KINDS), 6)} == set(CODECS)


def outcome(name, verdict, *causes, sound="said_ferry"):
    kind = KINDS[name]
    return neural.Outcome(neural.Case(name, kind.amounts[0], sound, kind.against[0]), verdict, causes)


def test_scoring():
    assert outcome("f0_doubled", "FAIL", ("pitch", 0.5), ("noise", 0.9)).right
    assert not outcome("f0_doubled", "FAIL", ("noise", 0.5), ("pitch", 0.4)).right
    assert outcome("f0_doubled", "FAIL", ("noise", 0.5), ("pitch", 0.4)).among_three
    assert outcome("f0_doubled", "FAIL", ("noise", 0.8)).sure_wrong
    assert not outcome("f0_doubled", "FAIL", ("unknown", 0.8)).sure_wrong
    assert not outcome("f0_doubled", "FAIL", ("noise", 0.79)).sure_wrong
    assert not outcome("mel_fmax", "FAIL", ("phase-incoherent", 0.9)).sure_wrong  # a trace
    assert not outcome("mel_fmax", "FAIL", ("phase-incoherent", 0.9)).right
    assert outcome("another_seed", "WARN", ("noise", 0.5)).right
    assert not outcome("another_seed", "FAIL").right
    assert not outcome("another_seed", "PASS", ("noise", 0.8)).right
    assert outcome("copied_by_world", "WARN", ("phase-incoherent", 0.9)).right


def test_reliability_is_of_first_causes():
    found = [
        outcome("f0_doubled", "FAIL", ("pitch", 0.85)),
        outcome("f0_doubled", "FAIL", ("noise", 0.85), ("gain", 0.1)),
    ]
    result = neural_report.reliability(found)
    assert result["bins"] == [{"from": 0.8, "to": 0.9, "named": 2, "said": 0.85, "right": 0.5}]
    assert result["expected_calibration_error"] == pytest.approx(0.35)


def test_kinds_that_are_held_out_are_not_told_unless_asked():
    held = next(name for name, kind in KINDS.items() if kind.held_out and kind.right)
    free = next(name for name, kind in KINDS.items() if not kind.held_out and "said_ferry" in kind.pool and kind.right)
    found = [outcome(name, "FAIL", ("hum", 0.9)) for name in (held, free)]
    result = neural.result_of(found, show=False)
    assert held not in neural_report.written(result)
    assert held not in neural_report.printed(result)
    assert held in neural_report.printed(neural.result_of(found, show=True))
    again = json.loads(neural_report.written(result))
    assert again["answers"] == [
        [free, KINDS[free].amounts[0], "said_ferry", KINDS[free].against[0], "FAIL", [["hum", 0.9]], ""]
    ]


def test_modules_are_those_of_the_catalogue():
    assert neural_frames.__name__ in {module.__name__ for module in MODULES}
    assert neural_world.FRAME_MS == 5.0
