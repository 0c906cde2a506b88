"""What may have been done to a copy: operations that are fitted to a scene, applied, and undone.

An operation reads its own parameters off a pair, given what a chain so far predicts (Scene, Predicted), and gives the
fitted step (Fitted).  Which cause each is stands in diagnose/faults; diagnose/explain looks for the shortest chain.
"""

from diagnose.operations import (
    added,
    curve,
    echo,
    gain_curve,
    law,
    level,
    local,
    operation,
    resampled,
    scene,
    shape,
    spectrum,
)
from diagnose.operations.operation import Fitted, Operation, Predicted
from diagnose.operations.scene import Scene

__all__ = [
    "Fitted",
    "Operation",
    "Predicted",
    "Scene",
    "added",
    "curve",
    "echo",
    "gain_curve",
    "law",
    "level",
    "local",
    "operation",
    "resampled",
    "scene",
    "shape",
    "spectrum",
]
