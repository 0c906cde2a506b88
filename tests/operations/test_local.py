"""Holes and clicks in what is new of them: those on one beat are seams, and holes in the soft parts are a gate's."""

import numpy as np
import pytest

from diagnose.operations.local import clicks, dropout

RATE = 16_000


def zeroed(sound, places):
    broken = sound.copy()
    broken[np.asarray(places)] = 0.0
    return broken


def clicked(sound, places):
    broken = sound.copy()
    broken[np.asarray(places)] += 0.6
    return broken


@pytest.mark.parametrize("period", [320, 441, 1000, 2000])
def test_clicks_on_one_beat_are_seams_with_their_period(chords, asked, beside, period):
    broken = clicked(chords, np.arange(period // 2, chords.size, period))
    if beside.name == "a gain":
        return  # what is softer everywhere is fitted first; here each difference would be a click
    found = asked(clicks, chords, beside(broken))
    assert found.id == "chunk-seams"
    assert found.parameters["period"][0] * RATE == pytest.approx(period, rel=1e-4)
    assert found.parameters["first"][0] * RATE == pytest.approx(period // 2, abs=2)
    assert found.parameters["clicks"][0] == len(range(period // 2, chords.size, period))
    assert found.copied == 0
    assert np.abs(found.undo(broken) - chords).max() < 2e-3


@pytest.mark.parametrize("period", [320, 800])
def test_seams_that_are_covered_are_known_by_the_beat(chords, asked, over_db, period):
    """Samples set to 0 where the sound is near it already show nowhere, and are mended all the same."""
    broken = zeroed(chords, np.arange(period - 1, chords.size, period))
    found = asked(clicks, chords, broken)
    assert found.id == "chunk-seams"
    assert over_db(chords, broken, found) < 0.1
    assert np.abs(found.undo(broken) - chords).max() < 1e-6


@pytest.mark.parametrize(("count", "name"), [(6, "clicks"), (10, "chunk-seams")])
def test_a_beat_has_eight_clicks(white, asked, count, name):
    assert asked(clicks, white, clicked(white, 500 + 2000 * np.arange(count))).id == name


@pytest.mark.parametrize(("missing", "name"), [(0.55, "chunk-seams"), (0.85, "clicks")])
def test_three_tenths_of_the_beats_have_a_click(white, asked, rng, missing, name):
    places = np.arange(200, white.size, 400)
    kept = places[np.sort(rng.permutation(places.size)[: round((1 - missing) * places.size)])]
    assert asked(clicks, white, clicked(white, kept)).id == name


@pytest.mark.parametrize(("off", "name"), [(0.06, "chunk-seams"), (0.16, "clicks")])
def test_nine_tenths_of_the_clicks_are_on_the_beat(white, asked, rng, off, name):
    places = np.arange(200, white.size, 400)
    some = 1 + rng.permutation(places.size - 1)[: round(off * places.size)]
    places[some] += rng.choice([-130, 130], some.size)
    assert asked(clicks, white, clicked(white, np.sort(places))).id == name


@pytest.mark.parametrize(("share", "name"), [(0.012, "chunk-seams"), (0.035, "clicks")])
def test_a_click_may_be_off_the_beat_by_a_fiftieth(white, asked, rng, share, name):
    places = 1000 + 2000 * np.arange(15)
    places[1:-1] += np.rint(2000 * share * rng.choice([-1, 1], 13)).astype(int)
    assert asked(clicks, white, clicked(white, places)).id == name


def test_clicks_by_chance_are_no_seams(white, asked, rng):
    found = asked(clicks, white, clicked(white, np.sort(rng.choice(white.size, 40, replace=False))))
    assert found.id == "clicks"
    assert found.copied > 0
    assert "period" not in found.parameters


@pytest.mark.parametrize(("hundredths", "is_read"), [(1.3, True), (3.0, False)])
def test_so_many_samples_are_clicks_and_more_are_not(white, asked, hundredths, is_read):
    """Each single one bends three samples; two hundredths may bend."""
    step = round(3 / (hundredths / 100))
    assert (asked(clicks, white, clicked(white, np.arange(50, white.size, step))) is not None) is is_read


def bars(white, soft=0.1):
    """A tenth of a second loud, a tenth soft, ten times."""
    loud = np.arange(white.size) // 1600 % 2 == 0
    return loud, white * np.where(loud, 1.0, soft)


def test_a_gate_silences_the_soft_parts(white, asked, over_db):
    loud, sound = bars(white)
    found = asked(dropout, sound, sound * loud)
    assert found.id == "gated"
    assert found.parameters["holes"][0] == 10
    assert found.parameters["length"][0] == pytest.approx(1.0, abs=0.03)
    assert over_db(sound, sound * loud, found) < 1


def test_holes_in_the_loud_parts_are_no_gate(white, asked):
    loud, sound = bars(white)
    assert asked(dropout, sound, np.where(loud, 0, sound)).id == "dropout"


@pytest.mark.parametrize(("count", "name"), [(2, "dropout"), (4, "gated")])
def test_a_gate_has_three_holes(white, asked, count, name):
    """Soft parts, as many, each of a tenth of a second."""
    shut = (np.arange(white.size) // 1600 % 4 == 3) & (np.arange(white.size) < 6400 * count)
    sound = white * np.where(shut, 0.1, 1.0)
    assert asked(dropout, sound, np.where(shut, 0.0, sound)).id == name


def test_a_gate_measures_over_20_ms(white, asked):
    """Soft moments of 5 ms, in which a gate does not close, have holes: they fell out."""
    gone = np.arange(white.size) % 1600 < 80
    sound = white * np.where(gone, 0.1, 1.0)
    assert asked(dropout, sound, np.where(gone, 0.0, sound)).id == "dropout"


@pytest.mark.parametrize("fade", [0, 16, 48])
def test_a_hole_is_read_with_its_fades(white, asked, over_db, fade):
    time = np.arange(white.size)
    mask = np.clip(np.maximum((8000 - time) / max(fade, 1), (time - 9600) / max(fade, 1)), 0, 1)
    found = asked(dropout, white, mask * white)
    assert found.parameters["length"][0] == pytest.approx(0.1, abs=0.004)
    assert over_db(white, mask * white, found) < 1


@pytest.mark.parametrize("operation", [clicks, dropout])
def test_what_is_hardly_a_sound_crashes_nothing(asked, hardly, operation):
    found = asked(operation, *hardly)
    if found is not None:
        assert np.isfinite(found.apply(hardly[0].astype(float))).all()
        assert np.isfinite(found.undo(hardly[1].astype(float))).all()
