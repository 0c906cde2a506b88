"""Which tests have to notice a change of which source, for mutation.py."""

from __future__ import annotations

# They compare pairs of sounds by the dozen, and the fixture of 20 runs with them; what is drawn has to hold the lines.
LEFT_OUT = tuple(
    f"--deselect=tests/gate/test_calibration.py::test_{name}"
    for name in (
        "more_runs_raise_no_alarm",
        "what_is_heard_is_still_caught_in_every_run",
        "without_calibration_the_noise_does_raise_alarms",
        "mean_spread_and_method_are_kept",
        "a_difference_has_to_pass_threshold_and_spread",
        "a_metric_that_some_runs_lack_may_be_missing_later",
        "a_metric_that_hardly_any_run_has_is_not_held",
        "a_regression_is_not_learnt",
        "calibrating_again_and_again_moves_no_recorded_value",
        "an_accepted_value_keeps_its_spread_and_is_one_run",
        "the_command_is_run_n_times_each_with_its_number",
        "what_cannot_be_calibrated_is_one_line_and_nothing_is_written",
    )
) + tuple(
    f"--deselect=tests/gate/test_golden_file.py::test_processes_that_{name}"
    for name in ("accept_at_once_lose_nothing", "record_at_once_write_one_golden")
)
PYTEST = (
    *("-q", "-p", "no:cacheprovider", "--tb=no", "--no-header", "--no-summary"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
    *LEFT_OUT,
)

PHRASES = "tests/metrics/test_metric_phrases.py"
EVERY = ("tests/metrics/test_metric.py", PHRASES)
DISTANCES = ("tests/analysis/test_distances.py", "tests/metrics/test_distance.py")
SPECTRA = ("tests/analysis/test_spectra.py", "tests/metrics/test_spectrum.py")
PITCH = ("tests/analysis/test_pitch_track.py", "tests/metrics/test_pitch.py")
TESTS: dict[str, tuple[str, ...]] = {
    **{
        f"diagnose/metrics/{name}.py": (f"tests/metrics/test_{name}.py", *EVERY)
        for name in ("clicks", "comb", "dynamics", "edges", "level", "loudness", "metric")
    },
    "diagnose/metrics/bands.py": ("tests/metrics/test_bands.py", PHRASES),
    "diagnose/metrics/__init__.py": EVERY,
    "diagnose/metrics/distance.py": (*DISTANCES, PHRASES),
    "diagnose/metrics/pitch.py": PITCH,
    "diagnose/metrics/spectrum.py": (*SPECTRA, PHRASES),
    "diagnose/analysis/bands.py": ("tests/metrics/test_bands.py",),
    "diagnose/analysis/clicks.py": ("tests/analysis/test_click_times.py", "tests/metrics/test_clicks.py"),
    "diagnose/analysis/comb.py": ("tests/analysis/test_comb_shares.py", "tests/metrics/test_comb.py"),
    "diagnose/analysis/distances.py": DISTANCES,
    "diagnose/analysis/mel_grid.py": (*DISTANCES, "tests/metrics/test_dynamics.py"),
    "diagnose/analysis/moments.py": ("tests/analysis/test_moments.py", "tests/metrics/test_level.py"),
    "diagnose/analysis/pair.py": ("tests/analysis/test_pair.py", *DISTANCES),
    "diagnose/analysis/pitch.py": PITCH,
    "diagnose/analysis/signal.py": ("tests/metrics/test_metric.py", *SPECTRA),
    "diagnose/analysis/spectra.py": SPECTRA,
    "diagnose/verdicts.py": ("tests/test_verdicts.py",),
    "diagnose/profile.py": ("tests/test_profile.py", "tests/test_verdicts.py"),
    "diagnose/results/limit.py": ("tests/test_profile.py", "tests/test_verdicts.py"),
    "diagnose/results/verdict.py": ("tests/test_verdicts.py",),
    "diagnose/gate/checks.py": ("tests/gate/test_checks.py",),
    "diagnose/gate/golden.py": ("tests/gate/test_golden_file.py", "tests/gate/test_checks.py"),
    "diagnose/gate/spread.py": ("tests/gate/test_spread.py",),
    "diagnose/gate/calibration.py": ("tests/gate/test_calibration.py",),
    "diagnose/scale.py": ("tests/test_scale.py",),
    "diagnose/mel/ranking.py": ("tests/mel/test_ranking.py",),
}
PRELOADED = (
    "scipy.signal", "scipy.stats", "scipy.fft", "soxr", "soundfile", "librosa", "librosa.feature", "librosa.filters",
    "librosa.onset", "pyloudnorm", "click", "rich.console", "jinja2", "tomli_w", "filelock", "hypothesis",
    "hypothesis.strategies",
)  # fmt: skip
