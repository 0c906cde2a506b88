"""Order, folding and calibration: nothing is lost, a circle loses nothing, and more is never worth less."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.causes import CERTAIN, COSTLY, HYPOTHESES, OF_TIMING
from diagnose.causes.rank import CALIBRATION, DOUBT, EXPLAINING, FOLLOWS, LEAST, confidence, ranked
from diagnose.results.cause import Cause

IDS = sorted({*FOLLOWS, *(one for others in FOLLOWS.values() for one in others)})


def cause(name, strength):
    return Cause(name, strength, f"{name} is wrong", (f"strength {strength}",), "mend it")


def shape(causes):
    return {found.id: [one.id for one in found.explains] for found in causes}


def rank(**strengths):
    return ranked([cause(name.replace("_", "-"), strength) for name, strength in strengths.items()])


# Folding


def test_nothing_found_is_nothing_named():
    assert ranked([]) == ()


def test_what_follows_is_folded_under_its_cause_with_its_summary():
    (found,) = rank(dc_offset=1.0, frame_rate_hum=0.8, vocoder_input_scale=1.0, gain=0.25)
    assert found.id == "vocoder-input-scale"
    assert [one.id for one in found.explains] == ["dc-offset", "frame-rate-hum", "gain"]
    assert found.explains[0].summary == "dc-offset is wrong"
    assert (found.summary, found.evidence, found.fix) == ("vocoder-input-scale is wrong", ("strength 1.0",), "mend it")


def test_what_explains_comes_first_even_where_it_is_weaker():
    assert shape(rank(gain=1.0, tilt=0.7)) == {"tilt": ["gain"]}
    assert list(shape(rank(tilt=0.5, gain=1.0))) == ["gain", "tilt"]  # under 0.6 of it


def test_what_is_explained_twice_is_folded_under_what_nothing_explains():
    # the scale explains the hum, and the hum would explain the noise
    assert shape(rank(noise=0.9, frame_rate_hum=1.0, vocoder_input_scale=0.9)) == {
        "vocoder-input-scale": ["frame-rate-hum", "noise"]
    }


def test_what_runs_slower_goes_on_after_the_end():
    assert shape(rank(sample_rate=1.0, tail_added=0.85)) == {"sample-rate": ["tail-added"]}
    assert shape(rank(sample_rate=0.8, tail_added=0.85)) == {"tail-added": ["sample-rate"]}


def test_another_speed_lies_in_pieces_and_pieces_are_another_speed_where_they_are_surer():
    pieces = ["segment-lost", "segment-inserted", "segment-repeated"]
    (found,) = rank(time_stretch=1.0, segment_lost=0.75, segment_repeated=0.75, polarity=1.0, spectral_holes=1.0)
    assert (found.id, len(found.explains)) == ("time-stretch", 4)
    assert [next(iter(shape(ranked([cause("time-stretch", 0.7), cause(each, 0.75)])))) for each in pieces] == pieces


def test_of_two_that_explain_alike_the_stronger_gets_it():
    assert shape(rank(noise=0.5, clicks=0.9, clipping=0.8)) == {"clicks": ["noise"], "clipping": []}
    assert shape(rank(noise=0.5, clicks=0.8, clipping=0.9)) == {"clipping": ["noise"], "clicks": []}


def test_under_45_of_100_nothing_is_explained():
    assert set(shape(rank(tilt=EXPLAINING - 0.01, gain=0.4))) == {"tilt", "gain"}
    assert set(shape(rank(tilt=EXPLAINING, gain=0.4))) == {"tilt"}


@pytest.mark.parametrize(("hum", "comb", "kept"), [(0.9, 0.8, "hum"), (0.8, 0.9, "frame-rate-hum"), (0.9, 0.9, "hum")])
def test_of_two_that_explain_each_other_the_stronger_stays_and_of_equals_the_first(hum, comb, kept):
    (found,) = rank(hum=hum, frame_rate_hum=comb)
    assert found.id == kept
    assert len(found.explains) == 1


@pytest.mark.parametrize(
    "ids", [("clicks", "edge-artifact"), ("edge-artifact", "clicks"), ("noise", "clicks", "edge-artifact")]
)
def test_a_circle_of_equals_loses_none(ids):
    found = ranked([cause(name, 0.9) for name in ids])
    assert {*shape(found), *(one for others in shape(found).values() for one in others)} == set(ids)


def test_equals_stay_in_the_order_of_their_hypotheses():
    assert list(shape(rank(delay=0.8, dc_offset=0.8, polarity=0.8))) == ["delay", "dc-offset", "polarity"]
    assert list(shape(rank(polarity=0.8, dc_offset=0.8, delay=0.8))) == ["polarity", "dc-offset", "delay"]


def test_every_cause_that_follows_or_is_followed_can_be_named():
    assert set(IDS) <= {hypothesis.__name__.replace("_", "-") for hypothesis in HYPOTHESES}


def test_the_strength_of_what_is_spared_could_only_be_folded_away():
    for hypothesis, name in COSTLY.items():
        assert hypothesis in HYPOTHESES
        assert hypothesis.__name__.replace("_", "-") == name


@pytest.mark.parametrize(
    "fault", ["mel_linear_hum", "mel_log10", "rate_label_high", "slower", "mel_shuffled", "mel_htk"]
)
def test_what_was_not_asked_would_have_changed_no_cause(clues, report, fault):
    if report(fault).causes[0].confidence == CERTAIN:  # shown by reading anew: nothing else is asked
        return
    asked = OF_TIMING if clues(fault).method == "warped" else HYPOTHESES
    every = ranked([found for found in (hypothesis(clues(fault)) for hypothesis in asked) if found])
    assert [one.id for one in every] == [one.id for one in report(fault).causes]


# Calibration


def test_the_calibration_rises_from_nothing_to_under_certain():
    assert CALIBRATION[0] == (0.0, 0.0)
    assert CALIBRATION[-1][0] == 1.0
    assert CALIBRATION[-1][1] <= 0.99
    assert all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(CALIBRATION))


@pytest.mark.parametrize(("weight", "right"), CALIBRATION[1:-1])
def test_a_weight_of_the_table_has_its_confidence(weight, right):
    # a strength of 1 beside rivals whose squares make up the rest: 1 / (1 + rest + doubt) = weight
    rest = 1 / weight - 1 - DOUBT
    one = cause("gain", 1.0)
    assert confidence(one, [one, cause("noise", rest**0.5)]) == pytest.approx(right, abs=0.001)


def test_a_weight_between_two_lies_on_the_line_between():
    (low, was), (high, becomes) = CALIBRATION[4:6]
    one = cause("gain", 1.0)
    rival = (2 / (low + high) - 1 - DOUBT) ** 0.5
    assert confidence(one, [one, cause("noise", rival)]) == pytest.approx((was + becomes) / 2, abs=0.001)


def test_a_lone_cause_is_surer_the_stronger_it_is():
    values = [confidence(cause("gain", s / 50), [cause("gain", s / 50)]) for s in range(1, 51)]
    assert values == sorted(values)
    assert values[0] < LEAST < values[-1] <= 0.99


@pytest.mark.parametrize("rivals", [1, 2, 5])
def test_each_rival_takes_from_it(rivals):
    one = cause("gain", 0.9)
    others = [cause("noise", 0.9)] * rivals
    assert confidence(one, [one, *others]) < confidence(one, [one, *others[1:]])


def test_a_weak_cause_beside_a_sure_one_is_not_named():
    assert list(shape(rank(vocoder_input_scale=1.0, polarity=0.1))) == ["vocoder-input-scale"]
    assert list(shape(rank(polarity=0.05))) == []


# For any list of causes

found_lists = st.lists(
    st.tuples(st.sampled_from(IDS), st.floats(0.05, 1.0)), unique_by=lambda one: one[0], max_size=len(IDS)
)


@settings(max_examples=settings.default.max_examples * 3)
@given(found_lists)
def test_nothing_is_named_twice_or_made_up_and_the_order_never_rises(strengths):
    found = ranked([cause(*one) for one in strengths])
    named = [one.id for one in found] + [one.id for each in found for one in each.explains]
    assert len(set(named)) == len(named)
    assert set(named) <= {name for name, _ in strengths}
    confidences = [one.confidence for one in found]
    assert confidences == sorted(confidences, reverse=True)
    assert all(LEAST <= value <= 0.99 for value in confidences)


@settings(max_examples=settings.default.max_examples * 3)
@given(found_lists)
def test_what_is_neither_kept_nor_folded_weighs_too_little_or_is_folded_under_what_does(strengths):
    found = ranked([cause(*one) for one in strengths])
    named = {one.id for one in found} | {one.id for each in found for one in each.explains}
    given = dict(strengths)
    kept = [cause(one.id, given[one.id]) for one in found]
    for name in set(given) - named:
        explainers = [
            other for other in set(given) - named if name in FOLLOWS.get(other, ()) and given[other] >= EXPLAINING
        ]
        # Rivals that were dropped would only lower it further.
        weighed = confidence(cause(name, given[name]), [*kept, cause(name, given[name])])
        assert weighed < 0.1 or explainers


@settings(max_examples=settings.default.max_examples * 3)
@given(found_lists)
def test_the_weights_of_all_that_is_kept_stay_under_1(strengths):
    kept = [strength for _, strength in strengths]
    total = sum(strength**2 for strength in kept) + DOUBT
    assert sum(strength**3 / total for strength in kept) < 1


@settings(max_examples=settings.default.max_examples * 2)
@given(found_lists, st.randoms(use_true_random=False))
def test_the_order_in_which_they_were_found_only_breaks_ties(strengths, random):
    by_strength = {strength for _, strength in strengths}
    if len(by_strength) < len(strengths):
        return
    shuffled = list(strengths)
    random.shuffle(shuffled)
    first, second = (ranked([cause(*one) for one in each]) for each in (strengths, shuffled))
    assert shape(first) == shape(second)


@settings(max_examples=settings.default.max_examples * 2)
@given(found_lists)
def test_only_what_follows_is_folded(strengths):
    given = dict(strengths)
    for one in ranked([cause(*each) for each in strengths]):
        for other in one.explains:
            assert other.id in FOLLOWS[one.id]
            assert given[one.id] >= EXPLAINING
            assert given[one.id] >= 0.6 * given[other.id]
