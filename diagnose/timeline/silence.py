"""Whether a stretch of a sound is silence, with or without noise in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.audio import Samples
    from diagnose.timeline.path import Copy
    from diagnose.timeline.segment import Span

    Quiet = Callable[[int, int], bool]
    Heard = Callable[[Span, int, int], bool]

SILENT = 1e-4  # of the loud frames' energy: 40 dB lower
CHANCE = 40.0  # times a sample's noise, by which one place explains a noisy sound better than another by chance
NOISY = 2.0  # times the noise's energy, under which a stretch is silence with noise


def quiet_in(copy: Copy) -> tuple[Quiet, Quiet]:
    """Of both sounds, whether samples [start, end) are silence; in the generated one, or the noise under all of it."""
    silent, noise = (energy / (3 * copy.hop) for energy in (SILENT * copy.loud, NOISY * copy.noise))
    return _under(copy.reference, silent / copy.gain**2), _under(copy.generated, max(silent, noise))


def heard_in(copy: Copy) -> Heard:
    """Whether a span of the reference explains generated samples better than silence does, and not by chance."""

    def heard(source: Span, start: int, end: int) -> bool:
        length = min(source[1] - source[0], end - start)
        there = copy.generated[start : start + length].astype(np.float64)
        ours = copy.gain * copy.reference[source[0] : source[0] + length].astype(np.float64)
        if ours.size != there.size:
            return False
        better = float(np.square(there).sum() - np.square(there - ours).sum())
        return better > CHANCE * copy.sample_noise

    return heard


def never(_source: Span, _start: int, _end: int) -> bool:
    """Of sounds whose phases are their own."""
    return False


def quiet(samples: Samples) -> Quiet:
    """Whether samples [start, end) lie 40 dB under the loudest twentieth of the sound, which is without its mean."""
    size = 256
    power = np.square(samples[: samples.size // size * size].reshape(-1, size), dtype=np.float64).mean(axis=1)
    rank = max(power.size // 20, 1)
    return _under(samples, SILENT * float(np.partition(power, -rank)[-rank]) if power.size else 0.0)


def _under(samples: Samples, limit: float) -> Quiet:
    """Whether the variance of a stretch is under a limit: zeros are silence beside a bias that was taken off, too."""

    def quiet(start: int, end: int) -> bool:
        margin = (end - start) // 8  # a border lies a few samples in the sound beside it
        return bool(np.var(samples[start + margin : end - margin], dtype=np.float64) <= limit)

    return quiet
