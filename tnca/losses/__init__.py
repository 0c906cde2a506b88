"""The loss of a run: named terms, each with its weight, summed in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

import torch

from tnca.config import L1, L2, Boundary, Gram, MultiscaleGram, Stft, Temporal
from tnca.losses import audio, spectral, structure, texture

if TYPE_CHECKING:
    from torch import Tensor

    from tnca.config import AnyTerm, Loss
    from tnca.target import Target


class TermFunction(Protocol):
    """A number for grown [shape=(B, bands, frames)]; what can be computed once is, when it is made."""

    def __call__(self, grown: Tensor) -> Tensor: ...

    def to(self, device: torch.device) -> Self: ...


class Losses:
    """sum of weight * term, and each term by name.

    weighting_after_reduction multiplies the sum by the mean of a ramp: what the first notebook took for a frequency
    weighting, `((2 p + 0.1 l1) * weights).mean()`.
    """

    def __init__(self, settings: Loss, target: Target, device: torch.device | None = None) -> None:
        self.names = names(settings.terms)
        self.weights = [term.weight for term in settings.terms]
        where = device or torch.device("cpu")
        self.terms = [make(term, target).to(where) for term in settings.terms]
        shape, top = settings.weighting_shape, settings.weighting_after_reduction
        self.ramp = spectral.frequency_weights(shape, top, target.values.shape[0]).to(where)

    def __call__(self, grown: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """(the loss, each term unweighted)."""
        parts = {name: term(grown) for name, term in zip(self.names, self.terms, strict=True)}
        total = torch.stack([weight * part for weight, part in zip(self.weights, parts.values(), strict=True)]).sum()
        return (total * self.ramp).mean(), {name: part.detach() for name, part in parts.items()}


def make(term: AnyTerm, target: Target) -> TermFunction:
    """The function of a term of the configuration."""
    match term:
        case L1():
            return spectral.PerBin(term, target, power=1)
        case L2():
            return spectral.PerBin(term, target, power=2)
        case Gram():
            return texture.Gram(term, target)
        case MultiscaleGram():
            return texture.MultiscaleGram(term, target)
        case Boundary():
            return structure.Boundary(term, target)
        case Temporal():
            return structure.Temporal(target)
        case Stft():
            return audio.MultiResolutionStft(term, target)


def names(terms: tuple[AnyTerm, ...]) -> list[str]:
    """The terms' names; a second one of a kind is numbered."""
    tags = [str(term.__struct_config__.tag) for term in terms]
    return [tag if tags[:at].count(tag) == 0 else f"{tag}-{tags[:at].count(tag) + 1}" for at, tag in enumerate(tags)]
