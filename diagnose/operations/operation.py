"""What operations are given and what they return: a prediction of the copy so far, and one fitted step."""

from __future__ import annotations

from collections.abc import Callable, Mapping  # noqa: TC003 - msgspec reads the types
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import msgspec
import numpy as np

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.operations.scene import Judgement, Powers, Spectra


class Predicted(msgspec.Struct, frozen=True, eq=False):
    """What a chain makes of the reference.

    samples [shape=(n,)], their frames that are looked at and |e|**2 of these [shape=(frames, bins)].
    variance: of what the chain says was added at random, by bin [shape=(1, bins)]; None without noise.
    """

    samples: Floats
    spectra: Spectra
    error: Powers
    variance: Floats | None = None


class Fitted(msgspec.Struct, frozen=True, eq=False):
    """A step of a chain.

    id: the cause that it is.  apply: from what the sound was before it to what it was after.  charged: parameters, and
    samples that it copies from the generated sound (each as two: where and what).  parameters: {name: (value, unit)}.
    undo: from after to before, where that can be had.
    variance: where it adds something at random, its power by bin [shape=(1, bins)].
    copied: samples that it takes from the generated sound; whoever copies all of it has explained nothing.
    also: causes that the same operation holds beside it: a filter whose passband is louder is a gain too.
    """

    id: str
    apply: Callable[[Floats], Floats]
    charged: int
    parameters: Mapping[str, tuple[float, str]] = {}
    undo: Callable[[Floats], Floats] | None = None
    variance: Floats | None = None
    also: tuple[str, ...] = ()
    copied: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        return (self.id, *self.also)


class Scored(Protocol):
    """What a chain asks of a scene: diagnose/operations/scene.py and diagnose/log_mel/scene.py say what each is."""

    @property
    def reference(self) -> Floats: ...
    @property
    def generated(self) -> Floats: ...
    @property
    def correlation(self) -> float: ...
    @property
    def charge(self) -> float: ...
    def towards(self, target: Floats) -> Any: ...
    def spectra_of(self, samples: Floats) -> Any: ...
    def error_of(self, predicted: Any) -> Floats: ...
    def judge(self, error: Floats, variance: Floats | None = None) -> Judgement: ...
    def unsteadiness(self, predicted: Predicted) -> float: ...
    def unlike(self, predicted: Predicted) -> float: ...


# From a scene, of whichever space the operation is in, and what the chain so far predicts to the fitted step, or None.
Operation: TypeAlias = "Callable[[Any, Predicted], Fitted | None]"


def price_of(scene: Scored, before: Predicted, samples: Floats, charged: int) -> float:
    """Nats that these samples cost as the prediction in place of the one before, with so many parameters."""
    error = scene.error_of(scene.spectra_of(samples))
    return scene.judge(error, before.variance).cost + charged * scene.charge


def left_and_gain(predicted: Floats, target: Floats) -> tuple[float, float]:
    """(share of the target's power that a multiple of the prediction leaves, the multiple)."""
    power, product = float(np.dot(predicted, predicted)), float(np.dot(predicted, target))
    gain = product / power if power > 0 else 0.0
    return 1 - gain * product / max(float(np.dot(target, target)), 1e-30), gain
