"""A melody, mono and stereo, that faults are put into."""

import numpy as np
import pytest

from diagnose import example
from diagnose.audio import Audio

RATE = 22_050
# (pitch in Hz, length in s, level): no two bars alike.
NOTES = ((220.0, 0.45, 1.0), (329.6, 0.3, 0.5), (261.6, 0.55, 0.8), (174.6, 0.35, 0.35), (293.7, 0.4, 0.6))


@pytest.fixture(scope="package")
def melody():
    """Five bowed notes, 2.05 s."""
    return Audio(np.concatenate([level * example.bowed_string(hz, s, RATE).samples for hz, s, level in NOTES], 1), RATE)


@pytest.fixture(scope="package")
def stereo(melody):
    """The melody on the left, and the same a little later and softer on the right."""
    return Audio(np.stack([melody.mono, 0.6 * np.roll(melody.mono, 40)]).astype(np.float32), RATE)
