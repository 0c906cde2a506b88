"""The gate inside pytest: a fixture that compares a sound with its golden, and a check for unused goldens.

    @pytest.mark.audio_golden(reference="sounds/violin.wav")
    def test_violin(audio_golden):
        audio_golden(vocoder(mel), 22050)

    pytest                                    fails: there is no golden yet
    pytest --audio-golden-update              writes golden/test_vocoder/test_violin.toml, and fails: review it
    pytest                                    passes; from now on fails if a metric moves, with the likely cause
    pytest --audio-golden-report out          also writes out/audio-golden.html: failures with pictures and players

It is loaded at every start of pytest, so nothing of it imports NumPy before a test calls the fixture.
PYTEST_DONT_REWRITE: it has no assertions to explain, and may have been imported before pytest begins.
"""

from __future__ import annotations

import os

import pytest

from diagnose.pytest_plugin.fixture import AudioGolden
from diagnose.pytest_plugin.session import WATCH, Watch

__all__ = ["AudioGolden"]

MARKER = (
    "audio_golden(reference=None, case=None, profile=None, dir=None, limits=None): default arguments of the fixture "
    "audio_golden; every test that uses the fixture gets this marker, so `-m audio_golden` selects these tests"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("audio goldens (timbre-diagnose)")
    group.addoption(
        "--audio-golden-update",
        action="store_true",
        help="Write missing goldens, and replace values that fail by the measured ones; a test that writes one fails.",
    )
    group.addoption(
        "--audio-golden-report",
        metavar="DIR",
        help="Write DIR/audio-golden.html: every failure with its likely cause, pictures and players.",
    )
    about = "Directory of the goldens, below the directory of each test file (default: golden)."
    parser.addini("audio_golden_dir", about, default="golden")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    watch = Watch(config)
    config.stash[WATCH] = watch
    config.pluginmanager.register(watch, "audio_golden_watch")


@pytest.fixture
def audio_golden(request: pytest.FixtureRequest) -> AudioGolden:
    """Compare a sound with its golden, and fail the test if a metric differs by more than its tolerance.

        audio_golden(generated, rate=None, *, reference=None, case=None, profile=None) -> Report

        def test_violin(audio_golden):
            report = audio_golden(samples, 22050, reference="sounds/violin.wav")
            assert report["duration_s"].generated < 2

    generated, reference: a path, a diagnose.audio.Audio, or an array (n,) or (channels, n) with its rate in Hz.
    case: names the golden, golden/<test file>/<case>.toml; by default the test and its parameters.
    profile: a TOML file with limits and tolerances; the built-in profile by default.
    A relative reference or profile is relative to the test file, a relative generated to the working directory.
    """
    item = request.node
    return AudioGolden(item, item.config.stash[WATCH], os.fspath(item.path))
