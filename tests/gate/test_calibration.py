"""Tolerances that are earned: no false alarm, and nothing that is heard gets through."""

from __future__ import annotations

import shutil
import statistics
import sys
from collections import namedtuple

import numpy as np
import pytest

from diagnose import gate
from diagnose.comparison import compare
from diagnose.errors import InputError
from diagnose.gate import spread
from diagnose.gate.golden import SCHEMA, Baseline, Golden, load_golden, save_golden
from diagnose.results.report import AlignmentFacts, MetricRow, Report, SoundFacts

RUNS = 20


def verdicts(suite):
    (case,) = gate.check(suite).cases
    return {check.metric: check.verdict for check in case.checks}


def failing(suite):
    return {metric for metric, verdict in verdicts(suite).items() if verdict != "PASS"}


def gain(samples):
    """1 dB louder."""
    return samples * np.float32(10 ** (1 / 20))


def lowpass(samples):
    """Nothing above 4 kHz."""
    spectrum = np.fft.rfft(samples, axis=1)
    spectrum[:, np.fft.rfftfreq(samples.shape[1], 1 / 22050) > 4000] = 0
    return np.fft.irfft(spectrum, samples.shape[1], axis=1).astype(np.float32)


@pytest.mark.parametrize("runs", [25, pytest.param(200, marks=pytest.mark.slow)])
def test_more_runs_raise_no_alarm(calibrated, runs):
    alarms = {}
    for seed in range(1000, 1000 + runs):
        calibrated.render(seed)
        if found := failing(calibrated.suite):
            alarms[seed] = found
    assert alarms == {}


@pytest.mark.parametrize(
    ("change", "metrics"),
    [(gain, {"rms_ratio", "loudness_lufs"}), (lowpass, {"cutoff_hz", "band_4096_8192_db", "band_deficit_db"})],
    ids=["1 dB of gain", "a 4 kHz low-pass"],
)
def test_what_is_heard_is_still_caught_in_every_run(calibrated, change, metrics):
    for seed in range(2000, 2010):
        calibrated.render(seed, change)
        assert metrics <= failing(calibrated.suite), seed


def test_without_calibration_the_noise_does_raise_alarms(noisy):
    # So the test above would see tolerances that were not earned.
    noisy.render(0)
    gate.record(noisy.suite)
    assert load_golden(noisy.golden).calibration is None
    found = set()
    for seed in range(1, 15):
        noisy.render(seed)
        found |= failing(noisy.suite)
    assert found


def test_mean_spread_and_method_are_kept(noisy):
    measured = []

    def render(run):
        noisy.render(run)
        measured.append(compare(noisy.folder / "reference.wav", noisy.folder / "generated.wav"))

    earned = gate.calibrate(noisy.suite, 4, render, "make sounds")
    kept = load_golden(noisy.golden)
    for name in ("rms_ratio", "spectral_centroid_hz", "hnr_db"):
        changes = [report[name].change for report in measured]
        baseline = kept.metric[name]
        assert baseline.change == pytest.approx(statistics.fmean(changes), rel=1e-6)
        assert baseline.spread == pytest.approx(statistics.stdev(changes), rel=1e-6)
        assert baseline.measured == 4
    assert (kept.calibration.runs, kept.calibration.command) == (4, "make sounds")
    assert "t s sqrt(1 + 1/N)" in kept.calibration.method
    assert kept.calibration.who
    assert {one.metric for one in earned} == set(kept.metric)
    assert "noise" in kept.causes


def test_a_difference_has_to_pass_threshold_and_spread(calibrated, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(calibrated.folder, folder)
    baseline = load_golden(folder / "golden" / "note.toml").metric["spectral_flatness"]
    calibrated.render(3000)
    (case,) = gate.check(calibrated.suite).cases
    (check,) = [check for check in case.checks if check.metric == "rms_ratio"]
    assert "tolerance 0.02" in check.text  # the profile's: wider than what the noise earned
    assert check.tolerance == pytest.approx(0.02, rel=0.01)
    (check,) = [check for check in case.checks if check.metric == "spectral_flatness"]
    assert check.tolerance >= baseline.tolerance


def test_a_metric_that_some_runs_lack_may_be_missing_later(noisy):
    def render(run):
        noisy.render(run, lambda samples: samples * 0 if run % 2 else samples)

    gate.calibrate(noisy.suite, 8, render, "x")
    baseline = load_golden(noisy.golden).metric["spectral_centroid_hz"]
    assert baseline.measured == 4
    assert baseline.change is not None
    assert "silence" in baseline.unmeasured
    noisy.render(0, lambda samples: samples * 0)
    assert verdicts(noisy.suite)["spectral_centroid_hz"] == "PASS"
    noisy.render(100)
    assert verdicts(noisy.suite)["spectral_centroid_hz"] == "PASS"


def test_a_metric_that_hardly_any_run_has_is_not_held(noisy):
    gate.calibrate(noisy.suite, 5, lambda run: noisy.render(run, lambda s: s * (0 if run else 1)), "x")
    baseline = load_golden(noisy.golden).metric["spectral_centroid_hz"]
    assert (baseline.change, baseline.measured) == (None, 1)
    assert baseline.unmeasured.startswith("measurable in 1 of 5 runs: ")
    for seed in (100, 101):
        noisy.render(seed, lambda samples, seed=seed: samples * (seed - 100))
        assert verdicts(noisy.suite)["spectral_centroid_hz"] == "PASS"


def test_a_regression_is_not_learnt(calibrated, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(calibrated.folder, folder)
    before = (folder / "golden" / "note.toml").read_bytes()

    def louder(run):
        calibrated.render(run, gain)
        shutil.copy(calibrated.folder / "generated.wav", folder / "generated.wav")

    with pytest.raises(InputError, match=r"note::rms_ratio: .*1\.0012") as error:
        gate.calibrate(folder / "suite.toml", 3, louder, "x")
    assert "accept it first" in str(error.value)
    assert (folder / "golden" / "note.toml").read_bytes() == before


def test_a_vanished_metric_is_not_learnt(noisy):
    noisy.suite.write_text(noisy.suite.read_text().replace("[[case]]", 'profile = "limits.toml"\n\n[[case]]'))
    limits = '[metric.spectral_centroid_hz]\nunit = "Hz"\ndirection = "both"\ntolerance = 5.0\nreason = "a test"\n'
    (noisy.folder / "limits.toml").write_text(limits)
    noisy.render(0)
    gate.record(noisy.suite)
    before = noisy.golden.read_bytes()
    with pytest.raises(InputError, match=r"note::spectral_centroid_hz: was recorded.*silence.*; accept it first"):
        gate.calibrate(noisy.suite, 3, lambda run: noisy.render(run, lambda samples: samples * 0), "x")
    assert noisy.golden.read_bytes() == before


def test_calibrating_again_and_again_moves_no_recorded_value(noisy):
    noisy.render(0)
    gate.record(noisy.suite)
    before = {name: one.change for name, one in load_golden(noisy.golden).metric.items()}
    for first in (100, 200, 300):
        gate.calibrate(noisy.suite, 5, lambda run, first=first: noisy.render(first + run), "x")
    after = load_golden(noisy.golden).metric
    assert {name: one.change for name, one in after.items()} == before
    assert after["spectral_centroid_hz"].tolerance > 0
    noisy.render(400)
    assert failing(noisy.suite) == set()


def test_an_accepted_value_keeps_its_spread_and_is_one_run(calibrated, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(calibrated.folder, folder)
    path = folder / "golden" / "note.toml"
    before = load_golden(path).metric["rms_ratio"]
    calibrated.render(4000, gain)
    shutil.copy(calibrated.folder / "generated.wav", folder / "generated.wav")
    gate.accept(folder / "suite.toml", "note", "rms_ratio", "louder on purpose")
    after = load_golden(path).metric["rms_ratio"]
    assert after.change == pytest.approx(before.change * 10 ** (1 / 20), rel=0.01)
    assert (after.spread, after.measured) == (before.spread, RUNS)
    assert after.tolerance == pytest.approx(before.tolerance * (2 / (1 + 1 / RUNS)) ** 0.5, rel=1e-3)


def test_another_reference_is_refused(noisy):
    gate.calibrate(noisy.suite, 3, noisy.render, "x")
    noisy.note.samples[:] *= np.float32(0.5)
    type(noisy)(noisy.folder)  # writes the reference anew
    (noisy.folder / "reference.wav").write_bytes((noisy.folder / "generated.wav").read_bytes())
    with pytest.raises(InputError, match="the reference is another file"):
        gate.calibrate(noisy.suite, 3, noisy.render, "x")


# Drawn figures: one metric, whose change in each run is given

LIMITS = '[metric.spectral_centroid_hz]\nunit = "Hz"\ndirection = "both"\ntolerance = {}\nreason = "a test"\n'
FACTS = SoundFacts("a.wav", 22050, 1, 1.0, {}, "0" * 64)
ALIGNED = AlignmentFacts(22050, 1.0, 0.0, 0.0, 1, "waveform", 1.0, None, None)


@pytest.fixture
def drawn(noisy, monkeypatch):
    """drawn(changes, recorded, tolerance) calibrates over runs of those changes, and gives the earned figures."""
    monkeypatch.setattr("diagnose.gate.checks.causes_of", lambda report: ())
    noisy.render(99)

    def calibrate(changes, recorded=None, tolerance=0.5, reference=1000.0):
        def compared(*_, **__):
            change = left.pop(0)
            reason = None if change else "silence"
            row = MetricRow("spectral_centroid_hz", "Hz", reference, change=change, reason=reason)
            return Report("0", FACTS, FACTS, ALIGNED, (row,), "PASS")

        left = list(changes)
        monkeypatch.setattr("diagnose.gate.calibration.compare", compared)
        head = noisy.suite.read_text().partition("[[case]]")[2]
        noisy.suite.write_text('[suite]\nname = "noisy"\nprofile = "limits.toml"\n\n[[case]]' + head)
        (noisy.folder / "limits.toml").write_text(LIMITS.format(tolerance))
        if recorded:
            sha = FACTS.sha256
            metric = {"spectral_centroid_hz": recorded}
            save_golden(noisy.golden, Golden(SCHEMA, "note", "0", "me", "then", sha, metric))
        (earned,) = gate.calibrate(noisy.suite, len(changes), noisy.render, "x")
        return earned

    return calibrate


Known = namedtuple("Known", "id")
# The mean of these runs is 10 and their sample standard deviation 1.
RUNS_OF_10 = [9.0, 10.0, 11.0]


@pytest.mark.parametrize(
    ("tolerance", "earlier", "furthest"),
    [
        (0.5, None, 6.0),  # six standard deviations of the runs
        (8.0, None, 8.0),  # or the profile's tolerance
        (0.5, 2.0, 2.0),  # or, where one was earned before, that: a second calibration is no way round the first
        (0.5, 7.0, 7.0),
        (3.0, 2.0, 3.0),
    ],
)
@pytest.mark.parametrize("side", [-1, 1])
def test_a_recorded_value_is_one_of_the_runs_up_to_so_far_from_them(drawn, noisy, tolerance, earlier, furthest, side):
    within, beyond = (
        Baseline("Hz", 1, 10.0 + side * (furthest + off), tolerance=earlier, spread=earlier, measured=earlier and 5)
        for off in (-0.01, 0.01)
    )
    earned = drawn(RUNS_OF_10, within, tolerance)
    assert earned.mean == within.change
    assert earned.tolerance == pytest.approx(spread.tolerance(RUNS_OF_10, 1) + furthest - 0.01, rel=1e-6)
    assert (earned.spread, earned.threshold) == (1.0, tolerance)
    with pytest.raises(InputError, match=r"spectral_centroid_hz: the mean of the runs is 10, .*recorded"):
        drawn(RUNS_OF_10, beyond, tolerance)


def test_runs_all_alike_explain_no_difference_but_the_profiles_tolerance(drawn):
    assert drawn([10.0, 10.0, 10.0], Baseline("Hz", 1, 10.49)).tolerance == pytest.approx(0.49)
    with pytest.raises(InputError, match="spread"):
        drawn([10.0, 10.0, 10.0], Baseline("Hz", 1, 10.51))


def test_the_furthest_that_is_explained_still_is(drawn):
    assert drawn([10.0, 10.0, 10.0], Baseline("Hz", 1, 10.5)).mean == 10.5


def test_what_is_wrong_is_kept_as_it_was_in_the_last_run(drawn, noisy, monkeypatch):
    monkeypatch.setattr("diagnose.gate.checks.causes_of", lambda report: [Known(f"at {report.metrics[0].change:g}")])
    drawn(RUNS_OF_10)
    assert load_golden(noisy.golden).causes == ["at 11"]


def test_a_share_of_nothing_is_no_threshold(drawn):
    assert drawn([None] * 3, tolerance="{ relative = 0.01 }", reference=None).threshold == 0
    assert drawn([None] * 3, tolerance="{ relative = 0.01 }").threshold == pytest.approx(10.0)


def test_without_a_golden_the_mean_is_recorded(drawn, noisy):
    earned = drawn([1.0, 2.0, 6.0])
    assert (earned.mean, earned.spread) == (3.0, pytest.approx(7**0.5, rel=1e-8))
    assert load_golden(noisy.golden).metric["spectral_centroid_hz"].measured == 3


@pytest.mark.parametrize(("found", "mean"), [(2, None), (3, 10.0)])
def test_a_spread_takes_three_runs_that_have_the_figure(drawn, noisy, found, mean):
    earned = drawn([10.0] * found + [None] * (5 - found))
    assert earned.mean == mean
    kept = load_golden(noisy.golden).metric["spectral_centroid_hz"]
    assert kept.measured == found
    assert kept.unmeasured == ("silence" if mean else "measurable in 2 of 5 runs: silence")
    assert kept.spread == (0.0 if mean else None)


def test_a_figure_that_no_run_has_stays_so(drawn, noisy):
    assert drawn([None] * 3).mean is None
    assert load_golden(noisy.golden).metric["spectral_centroid_hz"] == Baseline("Hz", 1, unmeasured="silence")
    assert drawn([None] * 3, Baseline("Hz", 1, unmeasured="short")).mean is None
    earned = drawn(RUNS_OF_10, Baseline("Hz", 1, unmeasured="short"))  # nothing was recorded that it could move
    assert (earned.mean, earned.tolerance) == (10.0, pytest.approx(spread.tolerance(RUNS_OF_10, 1), rel=1e-6))


@pytest.mark.parametrize(
    ("changes", "recorded", "said"),
    [
        ([None] * 3, Baseline("Hz", 1, 10.0), "silence"),
        (RUNS_OF_10, Baseline("Hz", 2, 10.0), "version"),
        (RUNS_OF_10, Baseline("Hz", 2, unmeasured="short"), "version"),
    ],
)
def test_what_was_recorded_and_cannot_be_held_is_refused(drawn, changes, recorded, said):
    with pytest.raises(InputError, match=f"spectral_centroid_hz: was recorded.*{said}.*; accept it first"):
        drawn(changes, recorded)


def test_a_run_that_is_not_finite_earns_no_tolerance(noisy):
    def render(run):
        noisy.render(run, lambda samples: np.where(np.arange(samples.shape[1]) == run - 1, np.nan, samples))

    with pytest.raises(InputError, match=r"generated.wav: non-finite samples .*the first at 0.000 s"):
        gate.calibrate(noisy.suite, 3, render, "x")
    assert not noisy.golden.exists()


def test_progress_is_told_before_each_run(noisy):
    told = []
    gate.calibrate(noisy.suite, 3, noisy.render, "x", lambda *step: told.append(step))
    assert told == [(0, 3, "rendering"), (1, 3, "rendering"), (2, 3, "rendering")]


def test_a_suite_without_cases_has_nothing_to_calibrate(tmp_path):
    (tmp_path / "suite.toml").write_text('[suite]\nname = "none"\n')
    with pytest.raises(InputError, match="to calibrate"):
        gate.calibrate(tmp_path / "suite.toml", 3, lambda run: None, "x")


# The command


def render_script(folder):
    (folder / "render.py").write_text(
        "import os, numpy, soundfile\n"
        "samples, rate = soundfile.read('reference.wav')\n"
        "rng = numpy.random.default_rng(int(os.environ['DIAGNOSE_RUN']))\n"
        "soundfile.write('generated.wav', samples + 0.001 * rng.standard_normal(len(samples)), rate, 'FLOAT')\n"
    )


def test_the_command_is_run_n_times_each_with_its_number(diagnose, noisy, monkeypatch):
    monkeypatch.chdir(noisy.folder)
    render_script(noisy.folder)
    done = diagnose("calibrate", "suite.toml", "--runs", "3", "--", sys.executable, "render.py")
    assert done.code == 0, done.err
    assert done.out.startswith("calibrated note: ")
    kept = load_golden(noisy.golden)
    assert kept.calibration.runs == 3
    assert kept.calibration.command == f"{sys.executable} render.py"
    assert kept.metric["rms_ratio"].spread > 0


WRONG = {
    "no command": (["--runs", "3"], "Missing argument"),
    "two runs": (["--runs", "2", "--", "true"], "--runs 2: a spread takes at least 3 runs"),
    "a command that is not there": (["--", "no-such-program"], "no-such-program: cannot be run"),
    "one that fails": (["--", sys.executable, "-c", "raise SystemExit('no GPU')"], "ended with 1 in .: no GPU"),
    "one that writes nothing": (["--", "true"], "run 1 of the command did not write it"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_calibrated_is_one_line_and_nothing_is_written(diagnose, noisy, monkeypatch, kind):
    monkeypatch.chdir(noisy.folder)
    noisy.render(0)
    words, said = WRONG[kind]
    done = diagnose("calibrate", "suite.toml", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert said in done.err
    assert not noisy.golden.exists()
