"""A melody, its faulty copies, what is measured on a pair, and what is named."""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
import pytest

import diagnose
from diagnose import example
from diagnose.analysis import Pair, Signal
from diagnose.audio import Audio, from_array
from diagnose.causes import Evidence
from diagnose.comparison import judge_pair
from diagnose.faults import INJECTORS
from diagnose.profile import default_profile

RATE = 22050
# (pitch in Hz, length in s, level): no two bars alike, so that neither backwards nor late nor stretched fits.
NOTES = ((220.0, 0.45, 1.0), (329.6, 0.3, 0.5), (261.6, 0.55, 0.8), (174.6, 0.35, 0.35), (293.7, 0.4, 0.6))


def played(notes):
    return Audio(np.concatenate([level * example.bowed_string(hz, s, RATE).samples for hz, s, level in notes], 1), RATE)


@pytest.fixture(scope="session")
def melody():
    """Five bowed notes, 2.05 s, mono."""
    return played(NOTES)


@pytest.fixture(scope="session")
def stereo(melody):
    """The melody on the left, and the same a little later and softer on the right."""
    return Audio(np.stack([melody.mono, 0.6 * np.roll(melody.mono, 40)]).astype(np.float32), RATE)


@pytest.fixture(scope="session")
def sound():
    """sound(samples): Audio at 22,050 Hz."""
    return lambda samples, rate=RATE: samples if isinstance(samples, Audio) else from_array(samples, rate)


@pytest.fixture(scope="session")
def pair(sound):
    """pair(reference, generated): a Pair of samples at 22,050 Hz, or of sounds of one rate."""
    return lambda ours, theirs, rate=RATE: Pair(Signal(sound(ours, rate)), Signal(sound(theirs, rate)))


@pytest.fixture(scope="session")
def evidence(sound):
    """evidence(reference, generated): what every hypothesis looks at."""

    def make(ours, theirs, rate=RATE):
        judged = judge_pair((Signal(sound(ours, rate)), Signal(sound(theirs, rate))), default_profile())
        return Evidence(judged.pair, {row.name: row for row in judged.rows})

    return make


@pytest.fixture(scope="session")
def broken(melody, stereo):
    """broken("white_noise", 0.5): the melody with a fault; a stereo one where the fault needs two channels."""

    @cache
    def make(fault, severity=0.5):
        whole = melody if INJECTORS[fault].fits(melody) else stereo
        return whole, INJECTORS[fault].inject(whole, severity, np.random.default_rng(1))

    return make


@pytest.fixture(scope="session")
def report(broken):
    """report("white_noise", 0.5): the melody compared with its faulty copy, once."""
    return lru_cache(maxsize=None)(lambda fault, severity=0.5: diagnose.compare(*broken(fault, severity)))


@pytest.fixture(scope="session")
def clues(report):
    """clues("white_noise", 0.5): the Evidence of that."""

    @cache
    def make(fault, severity=0.5):
        found = report(fault, severity)
        return Evidence(found.pair, {row.name: row for row in found.metrics})

    return make


@pytest.fixture(scope="session")
def same(melody, evidence):
    """Evidence of the melody against itself."""
    return evidence(melody, melody)
