"""Smooth log-mels, and scenes of two of them."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.log_mel.scene import LogMelScene
from diagnose.operations.operation import Predicted

FRAMES, BANDS = 240, 80
FRAME_S = 0.01


def smooth(seed, low, high, every=(12, 8), frames=FRAMES):
    """Random levels between two, smooth along both axes [shape=(frames, bands)]."""
    rng = np.random.default_rng(seed)
    knots = rng.uniform(size=(frames // every[0] + 2, BANDS // every[1] + 2))
    bands = [np.interp(np.arange(BANDS) / every[1], np.arange(knots.shape[1]), row) for row in knots]
    at = np.arange(frames) / every[0]
    found = np.stack([np.interp(at, np.arange(len(bands)), each) for each in np.transpose(bands)], axis=1)
    return np.float32(low + (high - low) * (found - found.min()) / np.ptp(found))


def start(ours, theirs, frame_s=FRAME_S):
    """The scene, and the reference as the prediction that a chain without steps makes."""
    scene = LogMelScene(ours, theirs, frame_s)
    spectra = scene.spectra_of(scene.reference)
    return scene, Predicted(scene.reference, spectra, scene.error_of(spectra))


@pytest.fixture(scope="session")
def begun():
    """begun(reference, generated): (LogMelScene, Predicted)."""
    return start


@pytest.fixture(scope="session")
def fitted():
    """fitted(operation, reference, generated): what the operation fits to them, or None."""
    return lambda operation, ours, theirs, frame_s=FRAME_S: operation(*start(ours, theirs, frame_s))


@pytest.fixture(scope="session")
def levels():
    """Levels of 2.4 s in 80 bands, from -5 to 1 nats, smooth in time and along the bands."""
    return smooth(4, -5.0, 1.0)


@pytest.fixture(scope="session")
def rough():
    """Levels that change from frame to frame and from band to band."""
    return smooth(5, -5.0, 1.0, (2, 2))


@pytest.fixture(scope="session")
def smooth_levels():
    """smooth_levels(seed, low, high, every, frames)."""
    return smooth
