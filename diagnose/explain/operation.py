"""Fitted: one operation with the parameters that a pair gave it, to be applied to any sound of that length."""

from __future__ import annotations

from collections.abc import Callable, Mapping  # noqa: TC003 - msgspec reads the types
from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.explain.scene import Scene


class Fitted(msgspec.Struct, frozen=True, eq=False):
    """A step of a chain.

    id: the cause that it is.  apply: from what the sound was before it to what it was after.  charged: parameters, and
    samples that it copies from the generated sound (each as two: where and what).  parameters: {name: (value, unit)}.
    variance: where it adds something at random, its power by bin [shape=(1, bins)].
    copied: samples that it takes from the generated sound; whoever copies all of it has explained nothing.
    also: causes that the same operation holds beside it: a filter whose passband is louder is a gain too.
    """

    id: str
    apply: Callable[[Floats], Floats]
    charged: int
    parameters: Mapping[str, tuple[float, str]] = {}
    variance: Floats | None = None
    also: tuple[str, ...] = ()
    copied: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        return (self.id, *self.also)


# From (scene, what the chain so far predicts, the variance that it states) to the fitted step, or None.
Operation: TypeAlias = "Callable[[Scene, Floats, Floats | None], Fitted | None]"
