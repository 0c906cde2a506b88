"""Griffin-Lim: a vocoder without weights, for any contract whose level is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.audio import Audio
from diagnose.resynthesis import sound_from_mel
from tnca.vocoders.vocoder import Mel, check

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.mel.contract import MelContract


class GriffinLim:
    """Deterministic: the phases start at random from one seed, or where they are given.

    A contract with reference "max" holds no level; its loudest sum is taken for 1, as `db_to_power(ref=1)` does.
    """

    name = "griffinlim"

    def __init__(self, contract: MelContract, seed: int = 0) -> None:
        self.contract, self.seed = contract, seed

    def __call__(self, mel: Mel, phases: Floats | None = None, *, hold: bool = False) -> Audio:
        """The sound [hop * frames samples] of a mel; phases and hold as in diagnose.resynthesis.sound_from_mel."""
        check(mel, self)
        grid, levels = self.contract.grid, self.contract.levels
        values = np.asarray(mel.values, np.float64)
        if levels.name in ("power", "magnitude"):  # a rule with a linear output may go below 0, a sum cannot
            values = np.maximum(values, 0)
        power = levels.scale(1.0).to_power(values)
        rng = np.random.default_rng(self.seed)
        frames = mel.values.shape[1]
        length = self._length(frames)
        samples = sound_from_mel(levels.pooled.from_power(power), grid, length, rng, levels.pooled, phases, hold=hold)
        return Audio(samples.astype(np.float32)[None], grid.rate, self.name)

    def _length(self, frames: int) -> int:
        """Samples that so many frames were taken from."""
        grid = self.contract.grid
        if grid.padding == "none":
            return grid.hop * (frames - 1) + grid.n_fft
        # Centred, there is a frame more than hops: the last lies at the sound's end.
        return grid.hop * (frames - 1 if grid.padding.startswith("centre") and frames > 1 else frames)
