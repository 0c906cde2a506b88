"""mu-law and A-law, one way: against libsndfile's tables, and read off a pair."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from diagnose.operations.law import LAWS, companded, decode_a, decode_mu, encode_a, encode_mu, through_a, through_mu

RATE = 16_000
PAIRS = {"mu": (encode_mu, decode_mu), "A": (encode_a, decode_a)}
CURVES = [name for name in LAWS if name.endswith("coded")]
ROUNDED = {"mu-law rounded": through_mu, "A-law rounded": through_a}
MISREAD = {"mu-law misread": through_mu, "A-law misread": through_a}  # and what is left when it is undone
STEPS = [*ROUNDED, *MISREAD]
LOUD = st.floats(-1.0, 1.0, allow_subnormal=False)


def table(subtype):
    """The 256 values that libsndfile reads from the bytes of one law."""
    file = io.BytesIO(bytes(range(256)))
    return soundfile.read(file, samplerate=RATE, channels=1, format="RAW", subtype=subtype)[0]


@pytest.mark.parametrize("law", PAIRS)
@given(LOUD)
def test_each_law_and_its_inverse_give_the_sample_back(law, value):
    encode, decode = PAIRS[law]
    sample = np.array([value])
    assert decode(encode(sample)) == pytest.approx(sample, abs=1e-9)
    assert encode(decode(sample)) == pytest.approx(sample, abs=1e-9)
    assert np.abs(encode(sample)) <= 1 + 1e-12


@pytest.mark.parametrize("law", PAIRS)
@given(LOUD, LOUD)
def test_a_law_is_odd_and_rises(law, one, other):
    for curve in PAIRS[law]:
        assert curve(np.array([-one])) == pytest.approx(-curve(np.array([one])))
        low, high = sorted((one, other))
        assert curve(np.array([low])) <= curve(np.array([high]))


@pytest.mark.parametrize(("subtype", "decode"), [("ULAW", decode_mu), ("ALAW", decode_a)])
def test_the_curve_is_that_of_the_bytes_of_the_law(subtype, decode):
    """G.711's segments of straight lines lie within a few per cent of the curves; 128 codes of each sign, evenly."""
    positive = np.sort(table(subtype)[table(subtype) > 0])
    assert positive.size in (127, 128)  # one of the codes of mu-law is 0
    curve = decode((np.arange(128)[-positive.size :] + 0.5) / 128)
    loud = positive > 0.01
    assert curve[loud] == pytest.approx(positive[loud], rel=0.07)


@pytest.mark.parametrize(("law", "at", "value"), [(encode_mu, 1 / 255, 0.125), (encode_a, 1 / 87.6, 1 / 5.47277)])
def test_the_constants_are_those_of_g_711(law, at, value):
    """ln 2 / ln 256 is an eighth; the straight part of the A-law ends at 1 / (1 + ln 87.6)."""
    assert law(np.array([at]))[0] == pytest.approx(value, abs=1e-5)


def test_a_law_is_a_curve_or_goes_by_steps():
    assert {*CURVES, *STEPS} == set(LAWS)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("peak", [0.5, 0.95])
def test_a_sound_through_a_law_is_read_and_undone(chords, asked, over_db, off_db, beside, name, peak):
    law, _ = LAWS[name]
    sound = chords * peak / 0.5
    broken = beside(law(sound))
    found = asked(companded, sound, broken)
    assert found.id == "companding"
    assert set(found.parameters) == {name}
    assert found.parameters[name][0] == pytest.approx(10 ** (beside.gain_db / 20), rel=1e-3)
    if beside.name == "noise":  # that of the quiet parts is heard again, and is no part of the law
        assert off_db(found.apply(sound), law(sound)) < -60
    else:
        assert over_db(sound, broken, found) < 1
    if name.endswith("decoded") and beside.name not in ("alone", "a gain"):
        return  # encoding again lifts what is added
    assert off_db(found.undo(broken), sound) < -38


@pytest.mark.parametrize(("subtype", "other"), [("ULAW", "ALAW"), ("ALAW", "ULAW")])
def test_each_byte_of_a_law_is_kept_and_read_as_that_of_the_other(subtype, other):
    """Of 256 codes, of which two of mu-law are 0."""
    name = {"ULAW": "mu-law", "ALAW": "A-law"}[subtype]
    values = table(subtype)
    assert np.array_equal(LAWS[f"{name} rounded"][0](values), values)
    misread = LAWS[f"{name} misread"][0](values)
    told = np.arange(256) != 0x7F  # the other zero of mu-law is written as 0xFF
    assert np.array_equal(misread[told], table(other)[told])


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("peak", [0.5, 0.95])
def test_a_sound_through_the_bytes_of_a_law_is_read_step_by_step(chords, asked, over_db, off_db, beside, name, peak):
    """What is read has 16 bits at most, so that rounding to these changes nothing."""
    sound = chords * peak / 0.5
    law, _ = LAWS[name]
    broken = beside(law(sound))
    found = asked(companded, sound, broken)
    assert found.id == "companding"
    assert set(found.parameters) == {name}
    assert found.parameters[name][0] == pytest.approx(10 ** (beside.gain_db / 20), rel=1e-3)
    if beside.name == "noise":
        assert off_db(found.apply(sound), law(sound)) < -90
        return
    assert found.apply(sound) == pytest.approx(broken, abs=1e-6)
    assert over_db(sound, broken, found) < 0.1


@pytest.mark.parametrize("name", ROUNDED)
@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_what_was_rounded_is_given_as_it_is_but_for_the_gain(chords, asked, off_db, name, gain):
    law, _ = LAWS[name]
    undone = asked(companded, chords, gain * law(chords)).undo(gain * law(chords))
    assert undone == pytest.approx(law(chords), abs=1e-6)
    assert -40 < off_db(undone, chords) < -36  # 38 dB is what G.711 has


@pytest.mark.parametrize("name", MISREAD)
@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_what_was_misread_is_rounded_when_it_is_read_as_it_was_written(chords, asked, name, gain):
    """Both zeros of mu-law are one sample, so that what A-law it was is not known there."""
    misread = gain * LAWS[name][0](chords)
    undone = asked(companded, chords, misread).undo(misread)
    known = misread != 0
    assert known.mean() > 0.95
    assert undone[known] == pytest.approx(MISREAD[name](chords)[known], abs=1e-6)


@pytest.mark.parametrize("name", STEPS)
def test_noise_before_the_bytes_moves_samples_to_other_steps(chords, asked, off_db, rng, name):
    """At -50 dB: more than what rounding leaves is then left, and next to nothing of what misreading leaves."""
    law, _ = LAWS[name]
    broken = law(chords + 10 ** (-50 / 20) * chords.std() * rng.standard_normal(chords.size))
    found = asked(companded, chords, broken)
    if name in ROUNDED:
        assert found is None
    else:
        assert set(found.parameters) == {name}
        assert found.parameters[name][0] == pytest.approx(1.0, abs=0.005)
        assert off_db(found.apply(chords), broken) == pytest.approx(-24, abs=2)


@pytest.mark.parametrize("name", STEPS)
def test_a_gain_before_the_bytes_is_no_law(chords, asked, name):
    assert asked(companded, chords, LAWS[name][0](0.7 * chords)) is None


@pytest.mark.parametrize("subtype", ["ULAW", "ALAW"])
def test_bytes_that_libsndfile_encoded_and_read_evenly_are_an_encoding(chords, asked, subtype):
    """Each byte taken for one of 256 even steps, as a file of 8 bits has them."""
    file = io.BytesIO()
    soundfile.write(file, 1.8 * chords, RATE, format="RAW", subtype=subtype)
    values = table(subtype)
    rank = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    even = (rank[np.frombuffer(file.getvalue(), np.uint8)] - 127.5) / 128
    found = asked(companded, 1.8 * chords, even)
    assert set(found.parameters) == {"mu-law encoded" if subtype == "ULAW" else "A-law encoded"}
    assert found.parameters.popitem()[1][0] == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(("share", "is_read"), [(0.075, True), (0.13, False)])
def test_a_law_may_leave_a_tenth_of_the_power(chords, asked, rng, share, is_read):
    broken = decode_mu(1.9 * chords)
    noise = rng.standard_normal(broken.size)
    noise *= (np.square(broken).sum() / np.square(noise).sum() * share / (1 - share)) ** 0.5
    assert (asked(companded, 1.9 * chords, broken + noise) is not None) is is_read


@pytest.mark.parametrize(("ratio", "is_read"), [(0.2, True), (0.32, False)])
def test_a_law_has_to_leave_a_quarter_of_what_a_gain_leaves(chords, asked, rng, ratio, is_read):
    """Noise of a share v of the power: of what a gain leaves, s without it, (1 - v) s + v, the law leaves v."""
    broken = encode_mu(chords)
    straight = 1 - np.dot(chords, broken) ** 2 / (np.dot(chords, chords) * np.dot(broken, broken))
    share = ratio * straight / (1 - ratio + ratio * straight)
    assert share < 0.1
    noise = rng.standard_normal(broken.size)
    noise *= (np.square(broken).sum() / np.square(noise).sum() * share / (1 - share)) ** 0.5
    assert (asked(companded, chords, broken + noise) is not None) is is_read


def test_a_law_turned_around_is_none(chords, asked):
    assert asked(companded, chords, -encode_mu(chords)) is None


def test_other_faults_are_no_law(chords, asked, others):
    found = {name: asked(companded, chords, broken) for name, broken in others.items()}
    assert {name: set(law.parameters) for name, law in found.items() if law} == {"mu-law": {"mu-law rounded"}}


def test_what_is_hardly_a_sound_crashes_nothing(asked, hardly):
    found = asked(companded, *hardly)
    if found is not None:
        assert np.isfinite(found.apply(hardly[0].astype(float))).all()
        assert np.isfinite(found.undo(hardly[1].astype(float))).all()
