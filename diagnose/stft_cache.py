"""StftCache: the power spectra of one signal, each grid computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.audio import blocks
from diagnose.spectrogram import Framing, frames_per_block, locked, power_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from diagnose.arrays import Floats

    Powers = NDArray[np.float32]

# Samples of a signal whose spectra are kept, 24 s at 44.1 kHz: 8 bytes a sample and grid.  Those of a longer one are
# computed at each pass, so that the memory of an hour is that of its samples.
KEPT = 1 << 20
OVERLAP = 4  # frames that hold a sample, as nearly every measure has it; a wider hop takes some of them
STEPS = (1, 2, 4)


class StftCache:
    """|STFT|**2 of samples - mean [shape=(n,)].  A grid with 2 or 4 times the hop of another is taken from it."""

    def __init__(self, samples: Floats, mean: float) -> None:
        self.samples = samples
        self.mean = mean
        self._kept: dict[Framing, Powers] = {}

    def cut(self, part: slice) -> StftCache:
        """Spectra of a part of the samples; these where it is the whole."""
        samples = self.samples[part]
        return self if samples.size == self.samples.size else StftCache(samples, self.mean)

    def power(self, framing: Framing) -> Iterator[Powers]:
        """Blocks [shape=(frames, n_fft/2 + 1)] in order, not to be written to; see power_blocks."""
        if self.samples.size > KEPT:
            return power_blocks(self.samples, framing, self.mean)
        finer = [msgspec.structs.replace(framing, hop=framing.hop // step) for step in STEPS if framing.hop % step == 0]
        finer = [each for each in finer if each.margin == framing.margin]  # else no frame of the one is the other's
        source = next((each for each in finer if each in self._kept), None)
        if source is None:
            source = next((each for each in finer if each.hop * OVERLAP == each.n_fft), framing)
            self._kept[source] = self._computed(source)
        frames = self._kept[source][:: framing.hop // source.hop]
        return (frames[part] for part in blocks(len(frames), frames_per_block(framing)))

    def _computed(self, framing: Framing) -> Powers:
        parts = list(power_blocks(self.samples, framing, self.mean))
        if len(parts) == 1:  # nothing to join
            return locked(parts[0])
        return locked(np.concatenate(parts) if parts else np.zeros((0, framing.n_fft // 2 + 1), np.float32))

    @property
    def kept_bytes(self) -> int:
        """Size of what is kept."""
        return sum(frames.nbytes for frames in self._kept.values())

    def forget(self) -> None:
        """Let the spectra go; who asks for them again computes them again."""
        self._kept.clear()
