"""Every break point, in the order of the pipelines: importing the modules keeps their kinds."""

from __future__ import annotations

import neural_after
import neural_frames
import neural_harmless
import neural_mel
import neural_pitch
import neural_scale
import neural_weights
import neural_world
from neural_kinds import KINDS, PLANNED

MODULES = (
    *(neural_scale, neural_frames, neural_pitch, neural_weights),
    *(neural_after, neural_mel, neural_world, neural_harmless),
)

__all__ = ["KINDS", "MODULES", "PLANNED"]
