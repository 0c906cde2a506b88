"""Verdicts: a wrong profile is refused in one line, judge() against its definition, every shipped rule fires."""

from __future__ import annotations

import math
import tomllib
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.audio import from_array, resample
from diagnose.comparison import compare
from diagnose.errors import InputError
from diagnose.metrics import METRICS, Measurement, fill, places
from diagnose.profile import DEFAULT_PROFILE, default_profile, load_profile
from diagnose.results.limit import Limit, Threshold
from diagnose.results.verdict import RANK, overall
from diagnose.verdicts import Figures, Judgement, change_of, judge

RATE = 22050
with open(DEFAULT_PROFILE, "rb") as file:
    TABLES = tomllib.load(file)["metric"]

CENTROID = METRICS["spectral_centroid_hz"]  # a difference, ideal 0
RATIO = METRICS["rms_ratio"]  # a quotient, ideal 1
CORRELATION = METRICS["envelope_correlation"]  # ideal 1, of the pair


def limit(direction, warn=None, fail=None):
    return Limit("unit", direction, "a test", warn, fail)


def verdict(metric, change, limits, reference=100.0):
    return judge(metric, Figures(reference, None, change), limits).verdict


def table(name="spectral_centroid_hz", **changes):
    """A profile of one table; a value of None leaves the key out."""
    keys = {"unit": f'"{METRICS[name].unit}"', "direction": '"both"', "warn": "1.0", "fail": "2.0", "reason": '"why"'}
    lines = [f"{key} = {text}" for key, text in (keys | changes).items() if text is not None]
    return "\n".join([f"[metric.{name}]", *lines])


# Reading a profile


@pytest.fixture
def profile(tmp_path):
    def write(text):
        path = tmp_path / "limits.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def refused(path):
    with pytest.raises(InputError) as caught:
        load_profile(path)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    assert caught.value.exit_code == 2
    return text


def test_a_profile_is_read_as_it_is_written(profile):
    path = profile(
        table("rms_ratio", warn="1.2", fail="{ absolute = 2 }", tolerance="0.01")
        + "\n[profile]\nname = 'mine'\n"
        + table("crest_db", direction='"lower"', warn="-1", fail=None)
    )
    assert load_profile(path) == {
        "rms_ratio": Limit("ratio", "both", "why", 1.2, Threshold(2.0), 0.01),
        "crest_db": Limit("dB", "lower", "why", -1.0, None, 0.0),
    }


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[metrics.rms_ratio]\n", ["'metrics'"]),
        ("metric = 3\n", ["metric", "table"]),
        ("[metric]\nrms_ratio = 3\n", ["metric.rms_ratio"]),
        (table() + "\nwarm = 1.0", ["metric.spectral_centroid_hz", "warm"]),
        (table(warn="{ relativ = 0.1 }"), ["metric.spectral_centroid_hz.warn", "relativ"]),
        (table(direction='"up"'), ["metric.spectral_centroid_hz.direction", "up"]),
        (table(direction=None), ["metric.spectral_centroid_hz", "direction"]),
        (table(reason=None), ["metric.spectral_centroid_hz", "reason"]),
        (table(unit=None), ["metric.spectral_centroid_hz", "unit"]),
        (table(unit='"kHz"'), ["metric.spectral_centroid_hz.unit", "'kHz'", "'Hz'"]),
        (table(warn='"5 %"'), ["metric.spectral_centroid_hz.warn"]),
        (table(fail="true"), ["metric.spectral_centroid_hz.fail"]),
        (table(tolerance="-0.1"), ["metric.spectral_centroid_hz.tolerance", "negative"]),
        (table(tolerance="{ relative = -0.1 }"), ["metric.spectral_centroid_hz.tolerance", "negative"]),
        *(
            (table(**{key: text}), [f"metric.spectral_centroid_hz.{key}", "finite"])
            for key in ("warn", "fail", "tolerance")
            for text in ("nan", "inf", "-inf", "{ relative = nan }", "{ absolute = inf }")
        ),
        ("[metric.rms_ratio\n", ["not valid TOML", "line 1"]),
        (table() + "\n" + table(), ["not valid TOML"]),
        (b"reason = '\xff'\n", ["not valid TOML"]),
    ],
)
def test_a_wrong_profile_is_refused_by_file_and_key(profile, text, named):
    message = refused(profile(text))
    assert [word for word in named if word not in message] == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [("spectral_centroid", "spectral_centroid_hz"), ("rms_ration", "rms_ratio"), ("clicks_s", "clicks_per_s")],
)
def test_a_metric_nearly_named_is_suggested(profile, name, meant):
    assert f"metric.{name}: no such metric; did you mean {meant!r}?" in refused(
        profile(f"[metric.{name}]\nunit = 'dB'\n")
    )


def test_a_metric_like_no_other_is_refused_without_a_guess(profile):
    assert refused(profile("[metric.zzzzzz]\n")).endswith("metric.zzzzzz: no such metric")


@pytest.mark.parametrize(
    ("name", "direction", "level"),
    [
        ("spectral_centroid_hz", "lower", "3.0"),
        ("spectral_centroid_hz", "higher", "-3.0"),
        ("spectral_centroid_hz", "both", "-3.0"),
        ("spectral_centroid_hz", "lower", "{ relative = 0.1 }"),
        ("spectral_centroid_hz", "both", "{ absolute = 1.0, relative = -0.1 }"),
        ("rms_ratio", "both", "-1.4"),
        ("rms_ratio", "higher", "0.0"),
        ("rms_ratio", "both", "{ absolute = -1.4 }"),
        ("rms_ratio", "lower", "1.4"),
        ("rms_ratio", "higher", "0.7"),
        ("envelope_correlation", "lower", "1.2"),
        ("envelope_correlation", "higher", "0.5"),
    ],
)
@pytest.mark.parametrize("key", ["warn", "fail"])
def test_a_level_on_the_wrong_side_of_the_ideal_is_refused(profile, name, direction, level, key):
    levels = {"warn": None, "fail": None, key: level}
    assert f"metric.{name}.{key}" in refused(profile(table(name, direction=f'"{direction}"', **levels)))


@pytest.mark.parametrize("name", ["envelope_correlation", "rms_ratio", "f0_deviation_cents"])
def test_a_share_of_a_reference_that_does_not_exist_is_refused(profile, name):
    """A pair metric has no reference value, and a quotient is not in the unit of its reference."""
    lower = name == "envelope_correlation"
    text = table(name, direction='"lower"' if lower else '"both"', warn="{ relative = 0.5 }", fail=None)
    assert f"metric.{name}.warn" in refused(profile(text))


def test_what_is_no_readable_file_is_refused(tmp_path):
    assert "No such file" in refused(tmp_path / "none.toml")
    assert "directory" in refused(tmp_path)


# change_of


def number(value, reason=None):
    return Measurement(value, "unit", reason=reason)


@pytest.mark.parametrize(
    ("metric", "before", "after", "change"),
    [(CENTROID, 1000.0, 900.0, -100.0), (CENTROID, 0.0, 5.0, 5.0), (RATIO, 0.1, 0.4, 4.0), (RATIO, 0.1, 0.0, 0.0)],
)
def test_the_change_is_a_difference_or_a_quotient(metric, before, after, change):
    assert change_of(metric, number(before), number(after)) == Figures(before, after, pytest.approx(change))


def test_nothing_is_divided_by_0():
    figures = change_of(RATIO, number(0.0), number(0.4))
    assert (figures.reference, figures.generated, figures.change) == (0.0, 0.4, None)
    assert "reference" in figures.reason


def test_a_missing_number_leaves_no_change_and_says_whose_and_why():
    assert change_of(CENTROID, number(3.0), number(None, "silence")) == Figures(3.0, None, None, "generated: silence")
    both = change_of(CENTROID, number(None, "short"), number(None, "silence"))
    assert both == Figures(None, None, None, "reference: short; generated: silence")


# judge


@pytest.mark.parametrize(
    ("direction", "warn", "fail", "verdicts"),
    [
        ("both", 10.0, 30.0, {-31: "FAIL", -29: "WARN", -9: "PASS", 0: "PASS", 9: "PASS", 11: "WARN", 31: "FAIL"}),
        ("higher", 10.0, 30.0, {-1e9: "PASS", 9: "PASS", 11: "WARN", 31: "FAIL"}),
        ("lower", -10.0, -30.0, {1e9: "PASS", -9: "PASS", -11: "WARN", -31: "FAIL"}),
        ("both", None, 30.0, {-31: "FAIL", 29: "PASS"}),
        ("both", 10.0, None, {-1e9: "WARN", 9: "PASS"}),
        ("higher", 0.0, 1.0, {-1: "PASS", 0: "PASS", 0.01: "WARN", 1.01: "FAIL"}),
        ("higher", 10.0, 30.0, {10: "WARN", 30: "FAIL"}),
    ],
)
def test_a_difference_is_held_to_its_levels(direction, warn, fail, verdicts):
    limits = limit(direction, warn, fail)
    assert {change: verdict(CENTROID, change, limits) for change in verdicts} == verdicts


@pytest.mark.parametrize(
    ("direction", "warn", "fail", "verdicts"),
    [
        (
            "both",
            2.0,
            4.0,
            {0: "FAIL", 0.24: "FAIL", 0.26: "WARN", 0.51: "PASS", 1: "PASS", 1.99: "PASS", 2.01: "WARN"},
        ),
        ("both", 0.5, 0.25, {0.24: "FAIL", 0.51: "PASS", 1.99: "PASS", 2.01: "WARN", 4.01: "FAIL"}),
        ("higher", 2.0, 4.0, {0: "PASS", 0.01: "PASS", 2.01: "WARN", 4.01: "FAIL"}),
        ("lower", 0.5, 0.25, {100: "PASS", 0.51: "PASS", 0.49: "WARN", 0.24: "FAIL", 0: "FAIL"}),
    ],
)
def test_a_ratio_and_its_inverse_are_equally_far_from_1(direction, warn, fail, verdicts):
    limits = limit(direction, warn, fail)
    assert {change: verdict(RATIO, change, limits) for change in verdicts} == verdicts


@pytest.mark.parametrize(("direction", "past"), [("both", 1.001), ("higher", 1.001), ("lower", 0.999)])
def test_any_step_past_a_ratio_of_1_counts_where_that_is_the_level(direction, past):
    limits = limit(direction, None, 1.0)
    assert [verdict(RATIO, change, limits) for change in (1.0, past)] == ["PASS", "FAIL"]
    assert judge(RATIO, Figures(1.0, None, 1.0), limits).severity == 0


def test_a_ratio_of_1_and_a_little_is_held_to_a_level_as_near():
    limits = limit("higher", None, 1.01)
    assert [verdict(RATIO, change, limits) for change in (1.009, 1.011)] == ["PASS", "FAIL"]


def test_without_a_verdict_there_is_no_severity():
    assert Judgement() == Judgement(None, None, None, 0.0)


@given(ratio=st.floats(1e-3, 1e3), level=st.floats(1.01, 100))
def test_severity_is_the_same_for_a_ratio_and_its_inverse(ratio, level):
    limits = limit("both", None, level)
    severities = [judge(RATIO, Figures(1.0, None, change), limits).severity for change in (ratio, 1 / ratio)]
    assert severities[0] == pytest.approx(severities[1], abs=1e-9)
    assert severities[0] == pytest.approx(abs(math.log(ratio)) / math.log(level), abs=1e-9)


def test_a_correlation_is_held_to_levels_of_itself():
    held = {1: "PASS", 0.91: "PASS", 0.89: "WARN", 0.51: "WARN", 0.49: "FAIL", -1: "FAIL"}
    limits = limit("lower", 0.9, 0.5)
    assert {change: verdict(CORRELATION, change, limits, reference=None) for change in held} == held


@pytest.mark.parametrize(("reference", "level"), [(100.0, 20.0), (1000.0, 100.0), (-1000.0, 100.0), (0.0, 20.0)])
@pytest.mark.parametrize(("direction", "sign"), [("both", 1), ("higher", 1), ("lower", -1)])
def test_of_absolute_and_relative_the_wider_holds(direction, sign, reference, level):
    limits = limit(direction, None, Threshold(absolute=sign * 20.0, relative=sign * 0.1))
    judged = judge(CENTROID, Figures(reference, None, sign * 0.99 * level), limits)
    assert (judged.verdict, judged.fail) == ("PASS", pytest.approx(sign * level))
    assert verdict(CENTROID, sign * 1.01 * level, limits, reference) == "FAIL"


def test_a_number_that_was_lost_is_a_warning_and_one_that_never_was_is_none():
    limits = limit("both", 10.0, 30.0)
    assert judge(CENTROID, Figures(5.0, None, None, "gone"), limits) == Judgement("WARN", 10.0, 30.0)
    assert judge(CENTROID, Figures(None, None, None, "gone"), limits) == Judgement(None, 10.0, 30.0)
    assert judge(CENTROID, Figures(None, 5.0, None, "gone"), limits) == Judgement(None, 10.0, 30.0)


@pytest.mark.parametrize("limits", [None, limit("both")])
def test_without_levels_there_is_no_verdict(limits):
    assert judge(CENTROID, Figures(1.0, 1e9, 1e9), limits) == Judgement()


@given(share=st.floats(0, 5), warn=st.floats(0.05, 1))
def test_severity_is_the_share_of_the_way_to_the_fail_level(share, warn):
    fails = judge(CENTROID, Figures(1.0, None, 30 * share), limit("both", 30 * warn, 30.0))
    assert fails.severity == pytest.approx(max(share, share / warn / 10))
    warns = judge(CENTROID, Figures(1.0, None, 30 * share), limit("both", 30.0, None))
    assert warns.severity == pytest.approx(share / 10)


LEVELS = st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)).map(sorted)


@given(
    case=st.sampled_from([(CENTROID, "both"), (CENTROID, "higher"), (CENTROID, "lower"), (CORRELATION, "lower")])
    | st.sampled_from([(RATIO, "both"), (RATIO, "higher"), (RATIO, "lower")]),
    levels=LEVELS,
    distances=st.tuples(st.floats(0, 300), st.floats(0, 300)).map(sorted),
    upwards=st.booleans(),
)
def test_a_change_further_from_the_ideal_is_never_judged_better(case, levels, distances, upwards):
    metric, direction = case
    sign = {"both": 1 if upwards else -1, "higher": 1, "lower": -1}[direction]

    def at(distance, sign):
        return math.exp(sign * distance) if metric is RATIO else metric.ideal + sign * distance

    limits = limit(direction, *(at(level, 1 if direction == "both" else sign) for level in levels))
    nearer, further = (judge(metric, Figures(1.0, None, at(distance, sign)), limits) for distance in distances)
    assert RANK[nearer.verdict] <= RANK[further.verdict]
    assert nearer.severity <= further.severity
    if direction != "both":
        assert judge(metric, Figures(1.0, None, at(distances[1], -sign)), limits) == judge(
            metric, Figures(1.0, None, metric.ideal), limits
        )


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        (["PASS", "WARN", None, "FAIL", "ERROR"], "FAIL"),
        (["PASS", "ERROR", "WARN"], "ERROR"),
        (["PASS", "WARN", None], "WARN"),
        ([None, "PASS"], "PASS"),
        ([None], "ERROR"),
        ([], "ERROR"),
    ],
)
def test_the_worst_verdict_holds_and_nothing_judged_is_an_error(verdicts, worst):
    assert overall(verdicts) == worst


def test_the_worst_holds_in_any_order_and_no_verdict_is_no_worse_than_a_pass():
    assert RANK[None] == RANK["PASS"] < RANK["WARN"] < RANK["ERROR"] < RANK["FAIL"]
    for worse, better in [("FAIL", "ERROR"), ("ERROR", "WARN"), ("WARN", "PASS")]:
        assert overall([worse, better]) == overall([better, worse]) == worse


# The shipped profile


RULES = [(name, key) for name, keys in TABLES.items() for key in ("warn", "fail") if key in keys]
ON_THE_IDEAL = {"nonfinite_share", "stuck_share"}  # where the first sample counts: nothing warns, nothing is tolerated


def shipped_level(name, key, reference):
    level = TABLES[name][key]
    if not isinstance(level, dict):
        return level
    return max(level.get("absolute", 0.0), level.get("relative", 0.0) * abs(reference), key=abs)


def partway(name, level, share):
    """The change at a share of the way from the ideal to the level."""
    if METRICS[name].unit == "ratio" and METRICS[name].ideal == 1:
        return level**share
    return METRICS[name].ideal + share * (level - METRICS[name].ideal)


def mirrored(name, change):
    of_a_quotient = METRICS[name].unit == "ratio" and METRICS[name].ideal == 1
    return 1 / change if of_a_quotient else 2 * METRICS[name].ideal - change


@pytest.mark.parametrize("reference", [0.01, 0.5, 1000.0])
@pytest.mark.parametrize(("name", "key"), [rule for rule in RULES if rule[0] not in ON_THE_IDEAL])
def test_each_shipped_rule_fires_just_over_its_level_and_not_just_inside(name, key, reference):
    shipped, direction = default_profile()[name], TABLES[name]["direction"]
    reference = reference if METRICS[name].of == "signal" else None
    level = shipped_level(name, key, reference or 0.0)
    inside, over = (partway(name, level, share) for share in (0.999, 1.001))
    expected = {"warn": ("PASS", "WARN"), "fail": ("WARN", "FAIL")}[key]
    judged = [verdict(METRICS[name], change, shipped, reference) for change in (inside, over)]
    assert tuple(judged) == expected
    judged = [verdict(METRICS[name], mirrored(name, change), shipped, reference) for change in (inside, over)]
    assert tuple(judged) == (expected if direction == "both" else ("PASS", "PASS"))


@pytest.mark.parametrize(
    ("name", "reference", "change", "judged"),
    [
        *(("nonfinite_share", 0.0, 0.0, "PASS"), ("nonfinite_share", 0.0, 1e-9, "FAIL")),
        *(("stuck_share", 0.0, 0.0, "PASS"), ("stuck_share", 0.0, 1e-9, "FAIL")),
        *(
            ("stuck_share", 0.5, -0.5, "PASS"),
            ("stuck_share", 0.5, 0.0499, "PASS"),
            ("stuck_share", 0.5, 0.0501, "FAIL"),
        ),
    ],
)
def test_a_level_on_the_ideal_itself_fails_at_the_first_step_past_it(name, reference, change, judged):
    assert verdict(METRICS[name], change, default_profile()[name], reference) == judged


@pytest.mark.parametrize("name", sorted(ON_THE_IDEAL))
def test_the_first_step_past_a_level_on_the_ideal_is_the_most_severe(name):
    found = judge(METRICS[name], Figures(0.0, 1e-6, 1e-6), default_profile()[name])
    assert (found.verdict, found.fail, found.severity) == ("FAIL", 0.0, math.inf)
    assert judge(METRICS[name], Figures(0.0, 0.0, 0.0), default_profile()[name]).severity == 0


@pytest.mark.parametrize("name", sorted(TABLES.keys() - ON_THE_IDEAL))
def test_each_shipped_table_can_warn_before_it_fails_and_holds_a_golden(name):
    assert {"warn", "fail"} <= TABLES[name].keys() or not {"warn", "fail"} & TABLES[name].keys()
    tolerance = TABLES[name]["tolerance"]
    assert max(tolerance.values() if isinstance(tolerance, dict) else [tolerance]) > 0
    assert verdict(METRICS[name], METRICS[name].ideal, default_profile()[name]) in ("PASS", None)


@cache
def bowed(seconds=2.0, hz=294.0):
    """A steady note with partials up to 10 kHz that swells twice, over a little noise: mean 0, RMS about 0.1."""
    time = np.arange(round(seconds * RATE)) / RATE
    note = sum(np.sin(2 * np.pi * k * hz * time + k * k) / k**1.5 for k in range(1, int(10000 / hz)))
    note *= 0.15 * (0.02 + np.sin(np.pi * time) ** 2)
    return note + 1e-4 * np.random.default_rng(7).standard_normal(time.size)


def noise_like(samples, level):
    return level * np.random.default_rng(8).standard_normal(samples.size)


def filtered(samples, low_hz, high_hz, gain=0.0):
    spectrum, hz = np.fft.rfft(samples), np.fft.rfftfreq(samples.size, 1 / RATE)
    spectrum[(hz < low_hz) | (hz > high_hz)] *= gain
    return np.fft.irfft(spectrum, samples.size)


def with_clicks(samples):
    clicked = samples.copy()
    clicked[RATE // 10 :: RATE // 5] += 0.8
    return clicked


def with_loud_ends(samples):
    ends = np.abs(np.arange(samples.size) - samples.size / 2) > samples.size / 2 - 0.02 * RATE
    return samples + ends * noise_like(samples, 0.8)


MUTATIONS = {
    "longer": (lambda x: np.r_[x, x[: x.size // 5]], ["duration_s"]),
    "louder": (lambda x: 2 * x, ["rms_ratio", "loudness_lufs"]),
    "softer": (lambda x: x / 2, ["rms_ratio", "loudness_lufs"]),
    "biased": (lambda x: x + 0.3, ["dc_share", "rms_ratio"]),
    "clipped": (lambda x: np.clip(x, -0.02, 0.02), ["clipped_share", "crest_db"]),
    "noisy": (
        lambda x: x + noise_like(x, 0.03),
        [
            *("hnr_db", "spectral_flatness", "spectral_centroid_hz", "spectral_bandwidth_hz", "rolloff85_hz"),
            *("rolloff95_hz", "band_4096_8192_db", "band_8192_nyquist_db", "log_spectral_distance_db"),
        ],
    ),
    "dull": (lambda x: filtered(x, 0, 900), ["cutoff_hz", "band_deficit_db", "band_1024_4096_db", "rolloff95_hz"]),
    "thin": (
        lambda x: filtered(x, 1500, RATE, 0.01),
        ["band_0_1024_db", "band_deficit_db", "mel_cepstral_distortion_db"],
    ),
    "loud ends": (with_loud_ends, ["edge_left_db", "edge_right_db"]),
    "clicks": (with_clicks, ["clicks_per_s"]),
    "frame-rate hum": (
        lambda x: (np.arange(x.size) % 256 == 0) - 1 / 256,
        [
            *("comb_share", "envelope_correlation", "frame_energy_spread_db", "spectral_convergence"),
            "log_mel_spread_nats",
        ],
    ),
    "late": (lambda x: np.r_[np.zeros(RATE * 2 // 5), x], ["delay_s"]),
    "a part lost": (lambda x: np.r_[x[: x.size // 2], x[x.size // 2 + RATE // 8 :]], ["lost_s"]),
    "a part twice": (lambda x: np.r_[x[: x.size // 2], x[x.size // 2 - RATE // 8 :]], ["repeated_s"]),
    "a pause": (lambda x: np.insert(x, x.size // 2, np.zeros(RATE // 8)), ["inserted_s"]),
    "turned round": (lambda x: -x, ["waveform_correlation"]),
    "hum": (lambda x: x + 0.1 * np.sin(2 * np.pi * 60 * np.arange(x.size) / RATE), ["band_excess_db"]),
    "a hole": (lambda x: np.where(np.abs(np.arange(x.size) / x.size - 0.5) < 0.1, 0, x), ["missing_share"]),
    "a NaN": (lambda x: np.where(np.arange(x.size) == 5000, np.nan, x), ["nonfinite_share"]),
    "stuck": (lambda x: np.where(np.arange(x.size) // 200 == 50, -1, x), ["stuck_share"]),
    "dead channel": (lambda x: np.stack([x, 0 * x]), ["side_share"]),
    "noise instead": (lambda x: noise_like(x, 0.3), ["voiced_share", "worst_second_distance_db"]),
    "a rate too low": (lambda x: resample(from_array(x, RATE), 2000), ["beyond_rate_share"]),
    "out of tune": (lambda x: bowed(hz=294.0 * 2 ** (70 / 1200)), ["f0_deviation_cents"]),
}


OF_MOMENTS = {"clicks_added"} | {metric.name for metric in (*places.METRICS, *fill.METRICS)}
OF_CHANNELS = {name for name, _ in RULES if name.startswith("channel_") or name.endswith("_channels")}


def failing(generated):
    report = compare(bowed(), generated, rate=RATE)
    return {row.name for row in report.metrics if row.verdict == "FAIL"}


@pytest.mark.parametrize("fault", MUTATIONS)
def test_a_fault_in_the_sound_fails_the_rules_that_are_there_for_it(fault):
    mutate, names = MUTATIONS[fault]
    assert set(names) - failing(mutate(bowed())) == set()


def test_a_copy_fails_nothing():
    report = compare(bowed(), bowed(), rate=RATE)
    assert report.verdict == "PASS"
    assert {row.name for row in report.metrics if row.verdict == "PASS"} == {
        name for name, _ in RULES
    } - OF_CHANNELS - {
        "folded_db"  # of another rate
    }


def test_some_fault_is_there_for_every_rule():
    of_long_sounds = {"tempo_ratio", "content_distance", "clock_drift_ppm"}  # tests/metrics/test_timing.py
    of_long_sounds |= OF_CHANNELS | OF_MOMENTS  # tests/metrics/test_channels.py, test_moments_gone_wrong.py
    named = {name for _, names in MUTATIONS.values() for name in names}
    assert named | of_long_sounds == {name for name, _ in RULES}


@pytest.mark.parametrize(("direction", "better", "worse"), [("higher", 0.9, 1.1), ("lower", 1.1, 0.9)])
def test_a_ratio_on_the_better_side_of_a_level_of_1_passes(direction, better, worse):
    limits = limit(direction, None, 1.0)
    assert judge(RATIO, Figures(1.0, None, better), limits).verdict == "PASS"
    assert judge(RATIO, Figures(1.0, None, worse), limits).verdict == "FAIL"
