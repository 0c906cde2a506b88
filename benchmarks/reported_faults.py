"""Faults as other people report them of audio, speech synthesis, vocoders and streaming: all kinds, by name.

    made = KINDS["cast_wraps"].make(samples, rate, rng, 1.3)     # (reference, its rate, generated, its rate)

They are written from what the reports say the code did, not from what diagnose looks for.  Only faults that keep the
waveform, where anything is kept.  Each file adds its own when it is imported.
"""

from __future__ import annotations

import reported_data  # noqa: F401
import reported_levels  # noqa: F401
import reported_spectrum  # noqa: F401
import reported_streams  # noqa: F401
from reported_kinds import KINDS, Kind

__all__ = ["KINDS", "Kind"]
