"""What a chain in log-mel cells makes of the causes: chains that are drawn, and a voice through a vocoder."""

from types import SimpleNamespace

import numpy as np
import pytest
from msgspec import structs

import diagnose
from diagnose.audio import Audio
from diagnose.explain import LOG_MEL, Explanation, Fitted, Step, by_levels, explain, with_levels
from diagnose.explain.by_levels import (
    BURIED,
    LIKELY,
    MOST_UNLIKE,
    OF_A_VOICE,
    OF_FRAMES_MOVED,
    OF_OTHER_KINDS,
    OF_SAMPLES,
    OF_THE_MODEL,
    SLIGHT_DB,
    SLIGHTLY,
    SURE,
)
from diagnose.explain.confidence import BELIEFS, Basis
from diagnose.explain.search import MOST_COPIED, NOTHING_ALIKE, PROVEN_DB, STEADY
from diagnose.faults import CATALOGUE
from diagnose.injectors import mel
from diagnose.log_mel.scene import LogMelScene
from diagnose.operations.scene import ORDINARY_DB
from diagnose.results.cause import Cause
from diagnose.results.proof import Left, Proof

NOTHING_LEFT, NEARLY_NOTHING_LEFT, MUCH_EXPLAINED, BESIDE, UNCONFIRMED = (
    BELIEFS[basis].most
    for basis in (
        Basis.LEVELS_WHOLE,
        Basis.LEVELS_NEARLY,
        Basis.LEVELS_MOST,
        Basis.LEVELS_BESIDE,
        Basis.LEVELS_UNCONFIRMED,
    )
)
FIGURES = {
    "vocoder-input-scale": {"slope": (0.434, ""), "offset": (1.0, "nats")},
    "power-magnitude": {"slope": (0.5, ""), "offset": (1.0, "nats")},
    "over-smoothed": {"time": (100.0, "ms")},
    "dropout": {"holes": (1.0, ""), "silence": (0.1, "s")},
    "gain": {"gain": (-6.0, "dB")},
    "noise": {"signal_to_noise": (20.0, "dB")},
    "tilt": {"least": (-6.0, "dB"), "most": (3.0, "dB")},
}


def step(id, worth=100.0, **changes):  # noqa: A002 - the contract's word
    return structs.replace(Step(Fitted(id, lambda z: z, 1, FIGURES.get(id, {})), worth, 9.0, 2.0), **changes)


def chain(*steps, leaves_db=0.0, close=True, **changes):
    """An explanation by these steps, a proof that leaves nothing unless it is said otherwise."""
    found = Explanation(
        steps,
        before_db=12.0,
        left_db=2.0,
        over_db=10.0,
        close=close,
        unsteady=0.0,
        samples=8000,
        unlike=0.01,
        leaves_db=leaves_db,
        fall_db=12.0,
        predicted=None,
    )
    return structs.replace(found, **changes)


OPEN = {"leaves_db": 5.0, "close": False}


def cause(id, confidence=0.8):  # noqa: A002 - the contract's word
    return Cause(id, confidence, f"it is {id}", ("seen",), "look there")


@pytest.fixture
def told(monkeypatch):
    """told(explanation, *causes, method=, unrelated=): what is made of causes that were named."""

    def make(found, *named, method="spectrogram", unrelated=False, proof=None):
        asked = []
        monkeypatch.setattr(by_levels, "log_mel_scene", lambda pair: "scene")
        monkeypatch.setattr(by_levels, "explain", lambda *of: asked.append(of) or found)
        pair = SimpleNamespace(unrelated=unrelated, timeline=SimpleNamespace(method=method))
        causes, proof = with_levels(pair, named, proof)
        return SimpleNamespace(causes=causes, proof=proof, asked=asked, ids=[each.id for each in causes])

    return make


# How sure


@pytest.mark.parametrize(
    ("changes", "believed"),
    [
        ({}, NOTHING_LEFT),
        ({"close": False}, NEARLY_NOTHING_LEFT),
        ({"close": False, "leaves_db": 0.9 * PROVEN_DB}, NEARLY_NOTHING_LEFT),
        ({"close": False, "leaves_db": 1.2 * PROVEN_DB}, MUCH_EXPLAINED),
        ({"unlike": 0.2}, NOTHING_LEFT),
        ({"unlike": 0.28}, MUCH_EXPLAINED),
    ],
)
def test_a_proof_is_believed_by_what_it_leaves(told, changes, believed):
    found = told(chain(step("vocoder-input-scale"), **changes)).causes
    assert [(each.id, each.confidence, each.step) for each in found] == [("vocoder-input-scale", believed, 1)]


def test_these_are_the_confidences():
    assert (NOTHING_LEFT, NEARLY_NOTHING_LEFT, MUCH_EXPLAINED) == (0.95, 0.85, 0.6)
    assert (UNCONFIRMED, BESIDE, SURE) == (0.6, 0.45, 0.9)
    assert (PROVEN_DB, MOST_UNLIKE, STEADY) == (2.0, 0.3, 1.6)


def test_a_step_has_its_figures_its_words_and_its_distances(told):
    found = told(chain(step("vocoder-input-scale")))
    first = found.causes[0]
    assert first.parameters["slope"].value == 0.434
    assert first.explains_db == (9.0, 2.0)
    assert "0.43" in first.summary
    assert first.evidence[-1].endswith("differ by 2.0 dB with this step, by 9.0 dB without it")
    assert first.fix.endswith(CATALOGUE[first.id].fix)
    assert found.proof == Proof("log-mel", Left(2.0, "no more than a good vocoder leaves", 12.0), ())


@pytest.mark.parametrize(
    ("changes", "said"),
    [({}, "no more than"), ({"close": False}, "little more than"), (OPEN, "not explained")],
)
def test_what_is_left_is_said_in_words(told, changes, said):
    assert told(chain(step("over-smoothed"), **changes)).proof.left.summary.startswith(said)


def test_who_recognised_a_step_keeps_its_evidence_and_fix(told):
    first = told(chain(step("over-smoothed")), cause("over-smoothed")).causes[0]
    assert first.evidence[0] == "seen"
    assert len(first.evidence) == 2
    assert first.fix == "look there"


def test_what_a_model_did_stands_before_what_is_worth_more(told):
    found = told(chain(step("tilt", 500.0), step("gain", 300.0), step("over-smoothed", 50.0)))
    assert found.ids == ["over-smoothed", "tilt", "gain"]
    assert [each.step for each in found.causes] == [3, 1, 2]


# What else was recognised


@pytest.mark.parametrize("other", ["noise", "clicks", "aliasing", "spectral-holes"])
def test_a_proof_folds_what_is_of_its_kind(told, other):
    found = told(chain(step("vocoder-input-scale")), cause(other))
    assert found.ids == ["vocoder-input-scale"]
    assert [each.id for each in found.causes[0].explains] == [other]


def test_a_pitch_that_a_wrong_scale_buries_follows_from_it(told):
    found = told(chain(step("vocoder-input-scale")), cause("voicing-lost"))
    assert [each.id for each in found.causes[0].explains] == ["voicing-lost"]
    assert set(BURIED) <= set(OF_THE_MODEL)


@pytest.mark.parametrize("other", [each for each in OF_OTHER_KINDS if each not in (*OF_SAMPLES, *OF_A_VOICE)])
def test_what_levels_say_nothing_of_stands_beside_a_proof(told, other):
    found = told(chain(step("over-smoothed")), cause(other), cause("octave-error", 0.2))
    assert [each.confidence for each in found.causes] == [NOTHING_LEFT, BESIDE, 0.2]
    assert found.causes[0].explains == ()


def test_what_levels_say_nothing_of_is_in_the_catalogue_and_no_step():
    assert set(OF_OTHER_KINDS) | set(OF_THE_MODEL) <= set(CATALOGUE)
    assert not set(OF_OTHER_KINDS) & set(LOG_MEL.by_cause)
    assert set(OF_THE_MODEL) <= set(LOG_MEL.by_cause)


def test_what_is_no_proof_folds_nothing(told):
    found = told(chain(step("vocoder-input-scale"), **OPEN), cause("noise"), cause("clicks", 0.3))
    assert [(each.id, each.confidence) for each in found.causes] == [
        ("vocoder-input-scale", MUCH_EXPLAINED),
        ("noise", BESIDE),
        ("clicks", 0.3),
    ]


def test_a_proof_on_samples_that_is_not_sure_gives_its_steps_up(told):
    before = structs.replace(cause("noise"), step=1, explains_db=(-3.0, -20.0))
    found = told(chain(step("vocoder-input-scale"), **OPEN), before).causes[1]
    assert (found.step, found.explains_db) == (None, None)


# When levels are asked


@pytest.mark.parametrize(("confidence", "asked"), [(SURE - 0.02, 1), (SURE, 0), (0.99, 0)])
def test_nothing_is_asked_of_levels_where_a_cause_is_sure(told, confidence, asked):
    named = cause("sample-rate", confidence)
    proof = Proof("waveform", Left(-20.0, "not explained", -6.0), ())
    found = told(chain(step("vocoder-input-scale")), named, proof=proof)
    assert len(found.asked) == asked
    assert ((found.causes, found.proof) == ((named,), proof)) is (not asked)


def test_nothing_is_asked_of_two_other_sounds_or_of_what_is_too_short(told, monkeypatch):
    assert told(chain(step("gain")), cause("noise"), unrelated=True).asked == []
    monkeypatch.setattr(by_levels, "log_mel_scene", lambda pair: None)
    pair = SimpleNamespace(unrelated=False, timeline=None)
    assert with_levels(pair, [cause("noise")], None) == ((cause("noise"),), None)


def test_it_is_asked_in_log_mel_cells_without_what_is_not_known(monkeypatch):
    seen = []
    monkeypatch.setattr(by_levels, "log_mel_scene", lambda pair: "scene")
    monkeypatch.setattr(by_levels, "explain", lambda *of: seen.append(of) or chain())
    with_levels(SimpleNamespace(unrelated=False, timeline=SimpleNamespace(method="none")), (), None, ("gain",))
    assert seen == [("scene", (), ("gain",), LOG_MEL)]


@pytest.mark.parametrize(
    ("ids", "proven", "of_a_copy", "of_another"),
    [
        *[((each,), proven, True, True) for each in OF_THE_MODEL for proven in (True, False)],
        (("tilt", "over-smoothed"), False, True, True),
        (("dropout",), True, True, True),
        (("dropout",), False, True, True),
        (("gain", "dropout"), True, False, True),
        (("tilt",), True, False, True),
        (("tilt",), False, False, False),
        ((), True, False, False),
    ],
)
def test_of_a_copy_only_what_a_model_did_and_a_hole_is_told(told, ids, proven, of_a_copy, of_another):
    found = chain(*map(step, ids), **({} if proven else OPEN))
    for method, is_told in (("waveform", of_a_copy), ("spectrogram", of_another)):
        assert (told(found, cause("delay"), method=method).proof is not None) is is_told


@pytest.mark.parametrize(
    ("id", "steps", "method", "believed"),
    [
        ("noise", (), "spectrogram", UNCONFIRMED),
        ("noise", (), "waveform", 0.8),  # samples have said it
        ("delay", (), "spectrogram", 0.8),  # no operation of levels
        ("gain", ("gain",), "spectrogram", 0.8),  # it explains a part
        ("noise", ("gain",), "spectrogram", UNCONFIRMED),
    ],
)
def test_what_its_operation_does_not_confirm_is_believed_less(told, id, steps, method, believed):  # noqa: A002
    found = told(chain(*map(step, steps), **OPEN), cause(id), method=method)
    assert [(each.id, each.confidence) for each in found.causes] == [(id, believed)]
    assert found.proof is None


@pytest.mark.parametrize(("left_db", "asked"), [(ORDINARY_DB + PROVEN_DB - 1, 0), (ORDINARY_DB + PROVEN_DB + 1, 1)])
def test_what_is_proven_on_samples_is_not_asked_of_levels(told, left_db, asked):
    proof = Proof("waveform", Left(left_db, "little", -6.0), ())
    found = told(chain(step("vocoder-input-scale")), cause("gain"), proof=proof, method="waveform")
    assert len(found.asked) == asked
    assert (found.proof is proof) is (not asked)


@pytest.mark.parametrize(("factor", "is_told"), [(0.9, False), (1.1, True)])
def test_a_proof_of_what_samples_show_too_takes_four_decibels_away(told, factor, is_told):
    falls = {"fall_db": factor * LOG_MEL.least_fall_db}
    assert (told(chain(step("tilt"), **falls), cause("phase-incoherent")).proof is not None) is is_told
    for other in ("dropout", "over-smoothed"):
        assert told(chain(step(other), **falls)).proof is not None


@pytest.mark.parametrize("other", OF_FRAMES_MOVED)
@pytest.mark.parametrize(("confidence", "is_told"), [(LIKELY - 0.05, True), (LIKELY + 0.05, False)])
def test_where_frames_moved_only_a_proof_is_told(told, other, confidence, is_told):
    found = told(chain(step("over-smoothed"), **OPEN), cause(other, confidence))
    assert (found.proof is not None) is is_told
    assert told(chain(step("over-smoothed")), cause(other, confidence)).proof is not None


# A proof


@pytest.mark.parametrize(
    ("copied", "rest_proves", "proven"),
    [(0.8, False, True), (1.3, False, False), (1.3, True, True)],
)
def test_what_is_copied_spoils_a_proof_unless_the_rest_is_one(copied, rest_proves, proven):
    fitted = Fitted("clicks", lambda z: z, 1, copied=round(copied * MOST_COPIED * 8000))
    found = chain(step("gain"), Step(fitted, 50.0, 3.0, 2.0, rest_proves))
    assert found.proven is proven


def test_nothing_and_what_is_unsteady_prove_nothing():
    assert chain(step("noise"), unsteady=0.9 * STEADY).proven
    assert not chain(step("noise"), unsteady=1.1 * STEADY).proven
    assert not chain().proven


# Chains that are searched


def smooth(seed):
    """Levels of 2.4 s, from -4 to 0 nats."""
    rng = np.random.default_rng(seed)
    knots = rng.uniform(-4, 0, (32, 12))
    bands = np.stack([np.interp(np.arange(80) / 8, np.arange(12), row) for row in knots])
    return np.stack([np.interp(np.arange(240) / 8, np.arange(32), bands[:, band]) for band in range(80)], axis=1)


@pytest.mark.parametrize(
    ("made", "ids"),
    [
        (lambda z: 0.434 * z - 1, ("vocoder-input-scale",)),
        (lambda z: 0.5 * z + 1, ("power-magnitude",)),
        (lambda z: z - 1.5, ("gain",)),
        (lambda z: np.where(np.abs(np.arange(240)[:, None] - 90) < 12, -20.0, z), ("dropout",)),
    ],
)
def test_what_was_done_to_levels_is_the_chain(made, ids):
    levels = smooth(1)
    found = explain(LogMelScene(levels, made(levels), 0.01), space=LOG_MEL)
    assert found.ids == ids
    assert found.proven
    assert found.close
    assert found.leaves_db < -10
    assert found.fall_db > 20


def test_what_is_not_known_is_not_said():
    levels = smooth(1)
    found = explain(LogMelScene(levels, levels - 1.5, 0.01), (), ("gain",), LOG_MEL)
    assert "gain" not in found.ids


def test_levels_that_are_alike_but_for_ordinary_loss_get_no_step():
    levels = smooth(1)
    loss = np.random.default_rng(0).normal(0, 0.15, (60, 40)).repeat(4, axis=0).repeat(2, axis=1)
    assert explain(LogMelScene(levels, levels + loss, 0.01), space=LOG_MEL).steps == ()


def test_two_others_get_no_chain():
    found = explain(LogMelScene(smooth(1), -smooth(1), 0.01), space=LOG_MEL)
    assert found.steps == ()
    assert NOTHING_ALIKE == 0.8


# A voice through a vocoder

RATE = 22_050


def voice():
    """Harmonics of a moving pitch under three moving formants, in syllables, with a hiss between."""
    time = np.arange(round(1.6 * RATE)) / RATE
    rng = np.random.default_rng(2)
    f0 = 150 * 2 ** (0.3 * np.sin(2 * np.pi * 0.9 * time))
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    said = np.zeros(time.size)
    for k in range(1, 50):
        hz = k * f0
        formants = sum(
            np.exp(-(((hz - middle * (1 + 0.25 * np.sin(2 * np.pi * rate * time))) / 300) ** 2))
            for middle, rate in ((600.0, 1.3), (1600.0, 1.9), (2900.0, 0.7))
        )
        said += (hz < 7500) * (formants + 0.02) * np.sin(k * phase + rng.uniform(0, 6))
    said *= np.clip(1.2 * np.sin(np.pi * (time % 0.4) / 0.4), 0, 1) ** 2
    said = 0.5 * said / np.abs(said).max() + 3e-4 * rng.standard_normal(time.size)
    return Audio(said[None].astype(np.float32), RATE)


@pytest.mark.parametrize(
    ("values", "first", "slope"),
    [(np.log10, "vocoder-input-scale", 0.434), (lambda m: 0.5 * np.log(m), "power-magnitude", 0.5)],
)
def test_a_vocoder_that_was_given_another_logarithm_is_found(values, first, slope):
    sound = voice()
    made = mel.spoken(values(mel.magnitudes(sound)), sound.mono.size, np.random.default_rng(0))
    report = diagnose.compare(sound, made)
    assert report.causes[0].id == first
    assert report.causes[0].parameters["slope"].value == pytest.approx(slope, rel=0.07)
    assert report.causes[0].confidence >= NEARLY_NOTHING_LEFT
    assert report.proof.space == "log-mel"
    assert report.as_dict()["space"] == "log-mel"


def test_a_vocoder_that_was_given_what_it_reads_has_no_fault():
    sound = voice()
    made = mel.spoken(np.log(mel.magnitudes(sound)), sound.mono.size, np.random.default_rng(0))
    report = diagnose.compare(sound, made)
    assert not [each for each in report.causes if each.step is not None]
    assert report.proof is None


@pytest.mark.parametrize("law", OF_SAMPLES)
@pytest.mark.parametrize(("confidence", "asked"), [(LIKELY - 0.02, 1), (LIKELY + 0.02, 0)])
def test_a_likely_law_of_single_samples_is_no_scale(told, law, confidence, asked):
    found = told(chain(step("vocoder-input-scale")), cause(law, confidence))
    assert len(found.asked) == asked


@pytest.mark.parametrize(("without_db", "believed"), [(2.9, SLIGHTLY), (3.1, NOTHING_LEFT)])
def test_a_step_that_brings_little_beside_others_is_believed_little(told, without_db, believed):
    beside = step("noise", 10.0, without_db=without_db, with_db=2.0)
    found = told(chain(step("vocoder-input-scale"), beside)).causes
    assert {each.id: each.confidence for each in found} == {"vocoder-input-scale": NOTHING_LEFT, "noise": believed}
    assert SLIGHT_DB == 1.0


@pytest.mark.parametrize("recognised", ["tilt", "noise", *OF_A_VOICE])
def test_what_levels_can_confirm_is_asked_however_sure_it_is(told, recognised):
    assert len(told(chain(step("vocoder-input-scale")), cause(recognised, 0.99)).asked) == 1
    proven = structs.replace(cause(recognised, 0.99), step=1)
    assert told(chain(step("vocoder-input-scale")), proven).asked == []


def test_a_scale_that_was_recognised_surely_stays_where_no_step_has_it(told):
    named = cause("vocoder-input-scale", 0.99)
    assert told(chain(step("noise")), named).causes == (named,)
    assert told(chain(), named).causes == (named,)
