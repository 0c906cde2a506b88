"""Losses on textures: Gram matrices of fixed random convolutions.

    G = F F' / (channels * height * width),  loss = mean (G_grown - G_target)**2

After Gatys et al., Texture synthesis using convolutional neural networks, 2015; random filters: Ustyuzhaninov et al.,
2016.  A Gram matrix forgets where things are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from tnca.losses.spectral import mask

if TYPE_CHECKING:
    from tnca.config import Gram as GramTerm
    from tnca.config import MultiscaleGram as MultiscaleTerm
    from tnca.target import Target

# (channels in, channels out, kernel, stride): as the first notebook has them, and without its 8-fold downsampling.
FIRST = ((1, 16, 7, 2), (16, 32, 5, 2), (32, 64, 3, 2))
FLAT = ((1, 16, 3, 1), (16, 32, 3, 1))
SCALES = 3


class Gram:
    """The first perceptual loss: one Gram matrix behind three stride-2 convolutions."""

    def __init__(self, term: GramTerm, target: Target) -> None:
        self.mask = mask(target, term.mask_db)
        self.layers = convolutions(FIRST, term.seed)
        self.wanted = gram(self._features(torch.from_numpy(target.values)[None] * self.mask))

    def to(self, device: torch.device) -> Gram:
        self.mask, self.wanted = self.mask.to(device), self.wanted.to(device)
        self.layers = [(weight.to(device), bias.to(device), stride) for weight, bias, stride in self.layers]
        return self

    def __call__(self, grown: Tensor) -> Tensor:
        found = gram(self._features(grown * self.mask))
        return functional.mse_loss(found, self.wanted.expand_as(found))

    def _features(self, values: Tensor) -> Tensor:
        seen = values[:, None]
        for weight, bias, stride in self.layers:
            seen = functional.relu(functional.conv2d(seen, weight, bias, stride, padding=weight.shape[-1] // 2))
        return seen


class MultiscaleGram:
    """Gram matrices of every layer at full, half and quarter resolution, each error over its wanted square, summed."""

    def __init__(self, term: MultiscaleTerm, target: Target) -> None:
        self.mask = mask(target, term.mask_db)
        self.layers = convolutions(FLAT, term.seed)
        self.centre, self.spread = float(target.values.mean()), float(target.values.std())
        self.wanted = [gram(each) for each in self._features(torch.from_numpy(target.values)[None])]

    def to(self, device: torch.device) -> MultiscaleGram:
        self.mask = self.mask.to(device)
        self.wanted = [each.to(device) for each in self.wanted]
        self.layers = [(weight.to(device), bias.to(device), stride) for weight, bias, stride in self.layers]
        return self

    def __call__(self, grown: Tensor) -> Tensor:
        found = [gram(each) for each in self._features(grown)]
        parts = [(a - b).square().mean() / b.square().mean() for a, b in zip(found, self.wanted, strict=True)]
        return torch.stack(parts).sum()

    def _features(self, values: Tensor) -> list[Tensor]:
        image = ((values - self.centre) / self.spread * self.mask)[:, None]
        features = []
        for scale in range(SCALES):
            seen = functional.avg_pool2d(image, 2**scale, ceil_mode=True) if scale else image
            for weight, bias, stride in self.layers:
                seen = functional.relu(functional.conv2d(seen, weight, bias, stride, padding=weight.shape[-1] // 2))
                features.append(seen)
        return features


def gram(features: Tensor) -> Tensor:
    """F F' / (c h w) of features [shape=(B, c, h, w) -> (B, c, c)]."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


def convolutions(shapes: tuple[tuple[int, int, int, int], ...], seed: int) -> list[tuple[Tensor, Tensor, int]]:
    """(weight, bias, stride) of each layer, drawn as torch's Conv2d draws its own."""
    rng = torch.Generator().manual_seed(seed)
    layers = []
    for inputs, outputs, kernel, stride in shapes:
        weight, bias = torch.empty(outputs, inputs, kernel, kernel), torch.empty(outputs)
        nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=rng)
        most = 1 / math.sqrt(inputs * kernel * kernel)
        nn.init.uniform_(bias, -most, most, generator=rng)
        layers.append((weight, bias, stride))
    return layers
