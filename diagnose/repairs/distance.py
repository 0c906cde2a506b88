"""How far a sound is from its reference: what a repair is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.explain import Judgement, Scene
from diagnose.operations.scene import HOP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.arrays import Floats

SHORTEST = 4 * HOP  # samples: less has no spectrum to speak of


class Ruler:
    """The distance of a sound from the reference as Judgement.distance_db of a Scene of both has it, in dB of the
    reference, -120 and up; start on start, neither delay nor gain taken away first.

    It is the distance in which the engine explains, and not the public log_spectral_distance_db: that one takes the
    gain away and knows no phases, so that a gain, a polarity or a delay undone would be no progress by it.

    references: what each channel of the sound should be, by its number [shape=(n,) each].  rate: of these, in Hz.
    longest: samples of the longest sound that is to be measured: all are measured on as many frames.
    """

    def __init__(self, references: Mapping[int, Floats], rate: int, longest: int) -> None:
        self.references = references
        self.rate = rate
        self.size = max([longest, *(each.size for each in references.values())])

    @property
    def measures(self) -> bool:
        """Whether there is something to be measured by."""
        return all(each.size >= SHORTEST and np.ptp(each) > 0 for each in self.references.values())

    def distance_db(self, rows: Mapping[int, Floats]) -> float:
        """Of some channels together: by the mean of what they leave over, nats a cell of the reference.

        rows: channels by their number, at the rate of the references [shape=(n,) each].
        """
        left = [self._left(self.references[number], samples) for number, samples in rows.items()]
        return Judgement(0.0, float(np.mean(left)), np.zeros(0)).distance_db

    def _left(self, reference: Floats, samples: Floats) -> float:
        """Nats a cell of the reference; what lies beyond its end counts too."""
        size = max(self.size, samples.size)
        ours, theirs = (np.pad(each, (0, size - each.size)) for each in (reference, samples))
        scene = Scene(ours, theirs, self.rate)
        judged = scene.judge(scene.error_of(scene.spectra_of(scene.reference)))
        frames = -(-reference.size // HOP) + 1
        return max(judged.left, 0.0) * float(scene.stands_for.sum()) / frames
