import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.scale import Decibel, LogMagnitude, LogPower, Magnitude, Normalised, Power, convert

SCALES = [
    Power(),
    Magnitude(),
    Decibel(),
    Decibel(ref=42.0, floor_db=-80.0),
    LogMagnitude(),
    LogMagnitude(clip=1e-3),
    LogMagnitude(clip=1e-10, base=10),
    LogPower(),
    LogPower(clip=1e-6, base=10),
    Normalised(Decibel(floor_db=-100.0), low=-100, high=0, bottom=-4, top=4),
    Normalised(LogPower(base=10), low=-4, high=0),
]

powers = st.lists(st.floats(0, 1e10), min_size=1, max_size=10).map(np.array)


def lowest_power(scale):
    """What the floor or the clip of a scale leaves of no power at all."""
    match scale:
        case Decibel():
            return scale.ref * 10 ** (scale.floor_db / 10)
        case LogMagnitude():
            return scale.clip**2
        case LogPower():
            return scale.clip
        case Normalised():
            return lowest_power(scale.of)
        case _:
            return 0.0


@pytest.mark.parametrize(
    ("scale", "value"),
    [
        (Power(), 100.0),
        (Magnitude(), 10.0),
        (Decibel(), 20.0),
        (Decibel(ref=1000.0), -10.0),
        (LogMagnitude(), np.log(10.0)),
        (LogMagnitude(base=10), 1.0),
        (LogPower(), np.log(100.0)),
        (LogPower(base=10), 2.0),
        (Normalised(Decibel(), low=-60, high=20), 1.0),
        (Normalised(Decibel(), low=0, high=40, bottom=-4, top=4), 0.0),
    ],
)
def test_power_of_100_on_every_scale(scale, value):
    assert convert(np.array([100.0]), Power(), scale) == pytest.approx(value, rel=1e-12)
    assert convert(np.array([value]), scale, Power()) == pytest.approx(100.0, rel=1e-12)


@pytest.mark.parametrize("scale", SCALES, ids=str)
@given(power=powers)
def test_round_trip_is_exact_above_the_floor_and_the_floor_below(scale, power):
    back = convert(convert(power, Power(), scale), scale, Power())
    np.testing.assert_allclose(back, np.maximum(power, lowest_power(scale)), rtol=1e-11)


PAIRS = [  # each is a source and a target once in the ordinary run
    pytest.param(source, target, marks=() if (at + 4 - to) % len(SCALES) == 0 else pytest.mark.slow)
    for at, source in enumerate(SCALES)
    for to, target in enumerate(SCALES)
]


@pytest.mark.parametrize(("source", "target"), PAIRS, ids=str)
@settings(max_examples=20)
@given(power=powers)
def test_any_scale_to_any_other_is_the_way_through_power(source, target, power):
    there = convert(convert(power, Power(), source), source, target)
    floored = np.maximum(power, lowest_power(source))
    np.testing.assert_allclose(there, convert(floored, Power(), target), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_silence_in_float32_is_the_floor_and_stays_float32(scale):
    silent = convert(np.zeros(3, np.float32), Power(), scale)
    assert silent.dtype == np.float32
    np.testing.assert_allclose(convert(silent, scale, Power()), lowest_power(scale), rtol=1e-4)


def test_decibel_with_a_floor_is_librosas_top_db(rng):
    power = rng.random((20, 30)) ** 20
    ours = convert(power, Power(), Decibel(ref=power.max(), floor_db=-80.0))
    np.testing.assert_allclose(ours, librosa.power_to_db(power, ref=np.max, amin=1e-30, top_db=80), atol=1e-9)


def test_log_magnitude_is_what_bigvgan_reads(rng):
    magnitude = rng.random(1000) ** 20
    expected = np.log(np.clip(magnitude, 1e-5, None))  # its dynamic_range_compression
    np.testing.assert_allclose(convert(magnitude, Magnitude(), LogMagnitude()), expected, atol=1e-9)


def test_a_scale_to_itself_changes_not_one_bit(rng):
    below_the_floor = rng.standard_normal(5) - 500
    assert convert(below_the_floor, Decibel(), Decibel()) is below_the_floor


@pytest.mark.parametrize("base", [1.0, 0.5, -2.0, np.inf, np.nan])
@pytest.mark.parametrize("scale", [LogMagnitude, LogPower])
def test_the_base_of_a_logarithm_is_above_1_and_finite(scale, base):
    with pytest.raises(ValueError, match="above 1"):
        scale(base=base)
    assert scale(base=1.5).base == 1.5


@pytest.mark.parametrize("ends", [{"low": 0}, {"low": 1}, {"bottom": 1.0}, {"bottom": 2.0}])
def test_the_ends_of_a_range_rise(ends):
    with pytest.raises(ValueError, match="must rise"):
        Normalised(Decibel(), **{"low": -60, "high": 0, "bottom": 0.0, "top": 1.0} | ends)


def test_what_is_clipped_where_nothing_else_is_said():
    assert convert(np.zeros(1), Power(), LogMagnitude()) == pytest.approx(np.log(1e-5))
    assert convert(np.zeros(1), Power(), LogPower()) == pytest.approx(np.log(1e-10))


@pytest.mark.parametrize("value", [0.0, -1.0, np.inf, np.nan])
@pytest.mark.parametrize("scale", [lambda value: Decibel(ref=value), LogMagnitude], ids=["ref", "clip"])
def test_reference_and_clip_have_to_be_positive_and_finite(scale, value):
    with pytest.raises(ValueError, match="above 0"):
        scale(value)


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_torch_and_numpy_agree(scale, rng):
    torch = pytest.importorskip("torch", reason="torch is not installed: only numpy is tested")
    power = rng.random(100) ** 20
    ours = convert(power, Power(), scale)
    theirs = convert(torch.from_numpy(power), Power(), scale)
    assert isinstance(theirs, torch.Tensor)
    np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-12)
    np.testing.assert_allclose(convert(theirs, scale, Power()).numpy(), convert(ours, scale, Power()), rtol=1e-12)
