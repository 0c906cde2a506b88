"""The two sounds of a scene, sample on sample: as the timeline lays them, or, where a filter hides them, by phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.arrays import fast_size
from diagnose.operations.scene import HOP, N_FFT, Scene, power_of
from diagnose.spectrogram import hann

if TYPE_CHECKING:
    from diagnose.analysis import Pair
    from diagnose.arrays import Floats
    from diagnose.operations.scene import Spectra

SHORTEST = 4 * HOP  # samples: less has no spectrum to speak of
HEARD = 1e-4  # of the largest bin, that both have to have to say anything of the delay
STANDS = 12.0  # times the RMS of all lags, that the true one has
LEAST_COHERENCE = 0.5  # mean over bins, each as loud as it is: of two sounds with nothing in common it is 1 / frames
FEWEST_FRAMES = 12
MOST_SAMPLES = 1 << 21  # of each: a chain of a longer sound is not looked for here
EXCERPT = 1 << 17  # samples in which the delay and the coherence are read


def scene_of(pair: Pair) -> Scene | None:
    """The loudest channel of both, where one is a copy of the other; None where it is none."""
    if pair.silent or pair.files[1].audio.broken is not None:  # what was filled is no copy
        return None
    if pair.timeline.method == "waveform":
        ours, theirs = pair.loudest_overlap
        return Scene(ours, theirs, pair.rate) if ours.size >= SHORTEST else None
    if pair.timeline.method == "warped":
        return None
    found = laid_by_phase(pair.reference.mono.astype(np.float64), pair.generated.mono.astype(np.float64))
    return None if found is None else Scene(*found, pair.rate)


def laid_by_phase(ours: Floats, theirs: Floats) -> tuple[Floats, Floats] | None:
    """Both from where they begin together to where one ends, if one is the other through some filter.

    The delay is the highest peak of the cross-correlation of the phases alone (Knapp and Carter, The generalized
    correlation method for estimation of time delay, 1976); a filter keeps both coherent, frame by frame.
    """
    if not SHORTEST <= min(ours.size, theirs.size) <= max(ours.size, theirs.size) <= MOST_SAMPLES:
        return None
    lag = _lag(*_excerpts(ours, theirs))
    if lag is None:
        return None
    start, begins = max(-lag, 0), max(lag, 0)
    length = min(ours.size - start, theirs.size - begins)
    if length < max(SHORTEST, FEWEST_FRAMES * HOP):
        return None
    sides = ours[start : start + length], theirs[begins : begins + length]
    alike = _coherence(*(_spectra(side) for side in _excerpts(*sides)))
    return sides if alike > LEAST_COHERENCE else None


def _excerpts(ours: Floats, theirs: Floats) -> tuple[Floats, Floats]:
    """The same few seconds of both, about the loudest moment of the reference: enough to tell, and soon transformed."""
    at = int(np.argmax(np.abs(ours)))
    first = max(min(at - EXCERPT // 2, min(ours.size, theirs.size) - EXCERPT), 0)
    return ours[first : first + EXCERPT], theirs[first : first + EXCERPT]


def _lag(ours: Floats, theirs: Floats) -> int | None:
    """By how many samples the second is late, by the phases; None where no delay stands out."""
    size = fast_size(ours.size + theirs.size)
    first, second = np.fft.rfft(ours - ours.mean(), size), np.fft.rfft(theirs - theirs.mean(), size)
    cross = first.conj() * second
    sizes = [np.abs(each) for each in (first, second)]
    heard = (sizes[0] > HEARD * sizes[0].max()) & (sizes[1] > HEARD * sizes[1].max())
    if not heard.any():
        return None
    phases = np.fft.irfft(np.where(heard, cross / np.maximum(np.abs(cross), 1e-30), 0.0), size)
    lag = int(np.argmax(np.abs(phases)))
    if abs(float(phases[lag])) < STANDS * float(np.sqrt(np.square(phases).mean())):
        return None
    return lag - size if lag > size // 2 else lag


def _spectra(samples: Floats) -> Spectra:
    frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP]
    return np.fft.rfft(frames * hann(N_FFT)).astype(np.complex64)


def _coherence(ours: Spectra, theirs: Spectra) -> float:
    """|sum conj(X) Y|**2 / (sum |X|**2 sum |Y|**2) of each bin, averaged over bins by the generated sound's power."""
    both = np.square(np.abs((ours.conj() * theirs).sum(axis=0)))
    powers = power_of(ours).sum(axis=0, dtype=np.float64), power_of(theirs).sum(axis=0, dtype=np.float64)
    each = both / np.maximum(powers[0] * powers[1], 1e-30)
    return float((each * powers[1]).sum() / max(float(powers[1].sum()), 1e-30))
