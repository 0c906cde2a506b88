"""Known ways to break a sound by a stated amount.  Which cause each is, and how it is graded, stands in faults/.

injectors.level.gain(audio, -6.0, rng) -> Audio
"""

from diagnose.injectors import added, injector, level, mel, spectrum, time
from diagnose.injectors.injector import Injector

__all__ = ["Injector", "added", "injector", "level", "mel", "spectrum", "time"]
