"""Explaining a copy by undoing: the operations that, applied to the reference, give the generated sound.

A cause that is found so is proven: what it says was done to the reference, and the result is the generated sound.
"""

from diagnose.explain.operation import Fitted
from diagnose.explain.proof import with_proof
from diagnose.explain.scene import Judgement, Scene
from diagnose.explain.search import OPERATIONS, Explanation, Step, explain

__all__ = ["OPERATIONS", "Explanation", "Fitted", "Judgement", "Scene", "Step", "explain", "with_proof"]
