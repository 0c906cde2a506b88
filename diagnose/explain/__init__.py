"""Explaining a copy by undoing: the operations that, applied to the reference, give the generated sound.

A cause that is found so is proven: what it says was done to the reference, and the result is the generated sound.
"""

from diagnose.explain.by_levels import with_levels
from diagnose.explain.proof import with_proof
from diagnose.explain.search import Explanation, Step, explain
from diagnose.explain.spaces import LOG_MEL, WAVEFORM, Space
from diagnose.operations.operation import Fitted
from diagnose.operations.scene import Judgement, Scene

__all__ = [
    "LOG_MEL",
    "WAVEFORM",
    "Explanation",
    "Fitted",
    "Judgement",
    "Scene",
    "Space",
    "Step",
    "explain",
    "with_levels",
    "with_proof",
]
