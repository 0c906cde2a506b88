"""What every kernel is given: the layers of a rule, where its cells are, and what lies beyond the border."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

VALUE, ALPHA = 0, 1


class Params(NamedTuple):
    """The layers of one or several rules of one size, and the positions of the cells.

    weights: of each layer [shape=(rules, out, in)]; the first reads (4 C + P) numbers, the last gives C.
    biases [shape=(rules, out)].  where [shape=(P, bands, frames)]: the positional channels, P may be 0.
    A state of a batch of B holds rules * n states, those of the first rule first.
    """

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]
    where: Tensor

    @property
    def rules(self) -> int:
        return self.weights[0].shape[0]

    @property
    def widths(self) -> tuple[int, ...]:
        """Of what each layer reads, and of what the last one gives."""
        return (self.weights[0].shape[2], *(weight.shape[1] for weight in self.weights))

    def of(self, rule: int) -> Params:
        """One rule of them."""
        one = slice(rule, rule + 1)
        return Params(tuple(w[one] for w in self.weights), tuple(b[one] for b in self.biases), self.where)


class Padding(NamedTuple):
    """What a cell at the border sees beyond it, for each axis one of tnca.kernels.padding.MODES."""

    time: str = "zero"
    frequency: str = "zero"
