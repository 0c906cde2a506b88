"""The gate inside pytest: a fixture that holds a sound against its golden, and a session that sees what no test used.

    @pytest.mark.audio_golden(reference="sounds/violin.wav")
    def test_violin(audio_golden):
        audio_golden(vocoder(mel), 22050)

    pytest                                    fails: there is no golden yet
    pytest --audio-golden-update              writes golden/test_vocoder/test_violin.toml, and fails: review it
    pytest                                    passes; from now on fails where a figure moves, with the likely cause
    pytest --audio-golden-report out          besides, out/audio-golden.html: every failure with pictures and players

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
    "audio_golden(reference=None, case=None, profile=None, dir=None, limits=None): defaults of the calls of the "
    "fixture audio_golden; every test that uses the fixture has the marker, so `-m audio_golden` selects them"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("audio goldens (timbre-diagnose)")
    group.addoption(
        "--audio-golden-update",
        action="store_true",
        help="Write what is measured now into the goldens that do not hold; every test that wrote one fails.",
    )
    group.addoption(
        "--audio-golden-report",
        metavar="DIR",
        help="Write DIR/audio-golden.html: every failure, with its cause, pictures and players.",
    )
    about = "Folder of the goldens, beside each test file and below its folder (default: golden)."
    parser.addini("audio_golden_dir", about, default="golden")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    watch = Watch(config)
    config.stash[WATCH] = watch
    config.pluginmanager.register(watch, "audio_golden_watch")


@pytest.fixture
def audio_golden(request: pytest.FixtureRequest) -> AudioGolden:
    """Hold a sound against its golden: measure it, and fail the test where the figures do not hold the recorded ones.

        audio_golden(generated, rate=None, *, reference=None, case=None, profile=None) -> Report

        def test_violin(audio_golden):
            report = audio_golden(samples, 22050, reference="sounds/violin.wav")
            assert report["duration_s"].generated < 2

    generated, reference: a path, a diagnose.audio.Audio, or an array (n,) or (channels, n) with its rate in Hz.
    case: names the golden, golden/<test file>/<case>.toml; by default the test and its parameters.
    profile: the TOML file of the limits whose tolerances hold; the built-in ones by default.
    A relative reference or profile lies beside the test file; a relative generated in the working folder.
    """
    item = request.node
    return AudioGolden(item, item.config.stash[WATCH], os.fspath(item.path))
