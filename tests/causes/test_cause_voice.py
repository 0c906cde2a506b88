"""Octave errors, flattened melodies and whispers in a voice that is made here, and how sure each of them is."""

from types import SimpleNamespace

import numpy as np
import pytest

from diagnose.causes.voice import (
    FEW_LOST,
    KEPT_DB,
    LATE,
    MELODY_CENTS,
    MOVED_DB,
    STEADY_VOICE,
    UNKNOWN,
    octave_error,
    pitch_flattened,
    voicing_lost,
)

# What is drawn


def drawn(**changes):
    """Evidence of voices that are as they should be, but for these figures."""
    voices = {
        "has_voice": True,
        "octave_share": 0.0,
        "harmonics_moved_db": 0.0,
        "octave_up": np.zeros(100, bool),
        "octave_down": np.zeros(100, bool),
        "same_share": 1.0,
        "lost_share": 0.0,
        "gained_share": 0.0,
        "spreads_cents": (200.0, 200.0),
        "unvoiced_db": 0.0,
    }
    periodicity = changes.pop("periodicity", 0.95)
    rest = {name: changes.pop(name, value) for name, value in (("brief", False), ("exact", 0.0), ("unrelated", False))}
    envelope = changes.pop("envelope", 1.0)
    pitch = SimpleNamespace(voiced=np.ones(9, bool), periodicity=np.full(9, periodicity))
    pair = SimpleNamespace(
        voices=SimpleNamespace(**{"shift_cents": 0.0, "is_late": False, **voices, **changes}),
        reference=SimpleNamespace(pitch=pitch),
        unrelated=rest["unrelated"],
    )
    return SimpleNamespace(pair=pair, brief=rest["brief"], exact=rest["exact"], change=lambda name, default: envelope)


def strength(hypothesis, **changes):
    found = hypothesis(drawn(**changes))
    return 0.0 if found is None else found.confidence


JUMPED = {"octave_share": 0.3, "same_share": 0.7, "harmonics_moved_db": 20.0, "octave_up": np.ones(100, bool)}
FLAT = {"spreads_cents": (200.0, 60.0), "same_share": 0.4}
WHISPERED = {"lost_share": 0.9, "envelope": 0.9}
CASES = {octave_error: JUMPED, pitch_flattened: FLAT, voicing_lost: WHISPERED}


@pytest.mark.parametrize(("hypothesis", "case"), CASES.items())
def test_each_is_sure_of_its_own_and_silent_of_the_others(hypothesis, case):
    assert strength(hypothesis, **case) == 1.0
    assert strength(hypothesis) == 0.0
    for other, case in CASES.items():
        assert other is hypothesis or strength(hypothesis, **case) == 0.0


@pytest.mark.parametrize(("hypothesis", "case"), CASES.items())
@pytest.mark.parametrize(
    "changes",
    [{"brief": True}, {"exact": 0.6}, {"unrelated": True}, {"has_voice": False}, {"periodicity": STEADY_VOICE - 0.02}],
    ids=str,
)
def test_nothing_is_said_of_what_is_no_voice_or_a_copy(hypothesis, case, changes):
    assert hypothesis(drawn(**case, **changes)) is None


@pytest.mark.parametrize(("hypothesis", "case"), CASES.items())
def test_a_voice_is_periodic_by_seven_tenths(hypothesis, case):
    assert strength(hypothesis, **case, periodicity=STEADY_VOICE + 0.02) == 1.0
    assert STEADY_VOICE == 0.7


HALF = {  # of each ramp: what is in its middle gives half, and its ends none and all
    "moved": (octave_error, JUMPED, "harmonics_moved_db", MOVED_DB),
    "share": (octave_error, JUMPED, "octave_share", (0.04, 0.1)),
    "moves": (pitch_flattened, FLAT, "spreads_cents", [(cents, 0.3 * cents) for cents in MELODY_CENTS]),
    "left": (pitch_flattened, FLAT, "spreads_cents", [(200, 150), (200, 110)]),
    "same": (pitch_flattened, FLAT, "same_share", (0.85, 0.65)),
    "octaves": (pitch_flattened, FLAT, "octave_share", (0.2, 0.1)),
    "lost": (voicing_lost, WHISPERED, "lost_share", (0.3, 0.5)),
    "kept": (voicing_lost, WHISPERED, "unvoiced_db", KEPT_DB),
    "envelope": (voicing_lost, WHISPERED, "envelope", (0.3, 0.5)),
    "lost octave": (octave_error, JUMPED, "lost_share", (2 * FEW_LOST, FEW_LOST)),
    "lost melody": (pitch_flattened, FLAT, "lost_share", (2 * FEW_LOST, FEW_LOST)),
}


@pytest.mark.parametrize("name", HALF)
def test_a_ramp_goes_from_none_to_all(name):
    hypothesis, case, figure, ends = HALF[name]
    none, full = (np.array(each, float) for each in ends)
    if name == "share":
        case = {**case, "same_share": 0.9}
    values = [none + share * (full - none) for share in (0.0, 0.5, 1.0)]
    told = [tuple(value) if value.ndim else float(value) for value in values]
    found = [strength(hypothesis, **{**case, figure: each}) for each in told]
    assert found[0] == pytest.approx(0, abs=0.01)
    assert found[1] == pytest.approx(0.5, abs=0.03)
    assert found[2] == pytest.approx(1, abs=0.01)


def test_the_ends_of_the_ramps_are_these():
    assert (MOVED_DB, MELODY_CENTS, KEPT_DB, FEW_LOST) == ((3.0, 8.0), (40.0, 80.0), (6.0, 3.0), 0.35)


def test_a_voice_without_a_pause_is_half_as_sure_to_be_whispered():
    assert strength(voicing_lost, **{**WHISPERED, "unvoiced_db": None}) == UNKNOWN == 0.5
    assert "throughout" in voicing_lost(drawn(**{**WHISPERED, "unvoiced_db": None})).evidence[0]


@pytest.mark.parametrize(("share", "same"), [(0.3, 0.3), (0.3, 0.5)])
def test_pitches_that_are_neither_the_same_nor_an_octave_off_are_no_octave_error(share, same):
    found = strength(octave_error, **{**JUMPED, "octave_share": share, "same_share": same})
    assert found == pytest.approx(5 * (share + same - 0.6), abs=1e-6)


def test_the_words_name_the_figures():
    up = octave_error(drawn(**JUMPED))
    assert up.summary == "the pitch is an octave up in 30 % of the voiced frames"
    assert "by 20 dB" in up.evidence[1]
    down = octave_error(drawn(**{**JUMPED, "octave_up": np.zeros(9, bool), "octave_down": np.ones(9, bool)}))
    assert "octave down" in down.summary
    assert "60 cents where the reference's moves by 200" in pitch_flattened(drawn(**FLAT)).summary
    assert "30 %" in pitch_flattened(drawn(**FLAT)).evidence[0]
    assert "90 %" in voicing_lost(drawn(**WHISPERED)).summary


# What is spoken

RATE = 22_050
SECONDS = 2.0


def moving(depth):
    """Pitch of 140 Hz that swings by so many octaves."""
    time = np.arange(round(SECONDS * RATE)) / RATE
    return 140 * 2 ** (depth * np.sin(2 * np.pi * 0.8 * time) + 0.4 * depth * np.sin(2 * np.pi * 2.1 * time))


def envelope(hz):
    return sum(np.exp(-(((hz - middle) / 350) ** 2)) for middle in (600.0, 1500.0, 2800.0)) + 0.03


def spoken(f0, voiced=True, seed=0):
    """A voice of harmonics under three formants, with a hiss in its pauses; whispered where it is not voiced."""
    time = np.arange(f0.size) / RATE
    rng = np.random.default_rng(seed)
    is_voiced = (time % 0.5) < 0.38
    shape = np.convolve(is_voiced, np.hanning(441) / np.hanning(441).sum(), "same")
    hiss = rng.standard_normal(f0.size)
    bins = np.fft.rfftfreq(f0.size, 1 / RATE)
    high = np.fft.irfft(np.fft.rfft(hiss) / (1 + (3000 / np.maximum(bins, 1)) ** 4), f0.size)
    if voiced:
        phase = 2 * np.pi * np.cumsum(f0) / RATE
        said = sum(
            (k * f0 < 9000) * envelope(k * f0) * np.sin(k * phase + rng.uniform(0, 6)) for k in range(1, 90)
        ) * np.sqrt(f0 / 140)
    else:
        said = np.fft.irfft(np.fft.rfft(rng.standard_normal(f0.size)) * envelope(bins), f0.size)
    said *= 0.1 / said.std()
    return np.float32(shape * said + (1 - shape) * 0.03 * high / high.std() + 1e-4 * hiss)


@pytest.fixture(scope="module")
def voice():
    return spoken(moving(0.3))


BROKEN = {
    octave_error: lambda: spoken(2 * moving(0.3), seed=3),
    pitch_flattened: lambda: spoken(moving(0.06), seed=3),
    voicing_lost: lambda: spoken(moving(0.3), voiced=False, seed=3),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_voice_that_is_broken_is_told_by_its_own_hypothesis(voice, evidence, broken):
    e = evidence(voice, BROKEN[broken]())
    found = {each.__name__: each(e).confidence if each(e) else 0.0 for each in BROKEN}
    assert max(found, key=found.get) == broken.__name__
    assert found[broken.__name__] > 0.5
    assert sum(confidence > 0.3 for confidence in found.values()) == 1


def test_an_octave_down_is_told_too(evidence):
    e = evidence(spoken(2 * moving(0.2)), spoken(moving(0.2), seed=3))
    found = octave_error(e)
    assert "octave down" in found.summary
    assert e.pair.voices.harmonics_moved_db > 8


def test_the_same_voice_from_other_phases_has_no_such_fault(voice, evidence):
    e = evidence(voice, spoken(moving(0.3), seed=3))
    assert e.pair.voices.same_share > 0.9
    assert [each(e) for each in BROKEN] == [None] * 3


@pytest.mark.parametrize(("cents", "told"), [(0.0, 1.0), (-150.0, 1.0), (220.0, 0.75), (-290.0, 0.0)])
def test_a_melody_in_another_key_is_not_flattened(cents, told):
    assert strength(pitch_flattened, **FLAT, shift_cents=cents) == pytest.approx(told, abs=0.01)


def test_a_melody_that_comes_late_is_hardly_flattened():
    assert strength(pitch_flattened, **FLAT, is_late=True) == pytest.approx(LATE)
    assert LATE == 0.3
