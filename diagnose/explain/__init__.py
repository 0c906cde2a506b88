"""Explaining a copy by undoing: the operations that, applied to the reference, give the generated sound.

A cause that is found so is proven: what it says was done to the reference, and the result is the generated sound.
"""

from diagnose.explain.proof import with_proof
from diagnose.explain.search import OPERATIONS, Explanation, Step, explain
from diagnose.operations.operation import Fitted
from diagnose.operations.scene import Judgement, Scene

__all__ = ["OPERATIONS", "Explanation", "Fitted", "Judgement", "Scene", "Step", "explain", "with_proof"]
