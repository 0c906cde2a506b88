"""One zero-phase filter, fitted in bands, and named by its shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.arrays import fast_size
from diagnose.operations.operation import Fitted
from diagnose.operations.scene import N_FFT, PER_OCTAVE, in_phase, power_of, sixth_octaves
from diagnose.operations.shape import shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.operations.operation import Predicted
    from diagnose.operations.scene import Scene

ROUNDS = 3  # of reweighting
CORRECTED = 3.0  # times, at most, that a round after the first changes a band's gain
LARGEST, SMALLEST = 30.0, 1e-5  # gains of a band
EDGE = 2.0  # times from band to band: an edge, which is then fitted bin by bin
MOST_EDGES = 2
AUDIBLE = 10.0  # times ordinary loss: of a band that is less, nothing tells the gain
PARTLY = 0.3  # standard deviation of a gain that nothing tells
LEAST_UNDONE = 0.03  # gain below which a band is not made louder again


class _Bands(msgspec.Struct, frozen=True, eq=False):
    """Gains of bands, the places of these in bins from 0.5 (of 0 Hz), and the standard deviation of each gain; of the
    bands alone that are heard.
    """

    gains: Floats
    places: Floats
    certain: Floats


def filtered(scene: Scene, before: Predicted) -> Fitted | None:
    """B(f) = h(f) A(f), h real and >= 0; h in dB is linear over log f between the middles of bands of a sixth octave,
    and of single bins where it has an edge.
    """
    edges = sixth_octaves()
    coarse = _gains(scene, before, edges)
    if coarse.gains.size < PER_OCTAVE:
        return None
    jumps = np.abs(np.diff(np.log(np.maximum(coarse.gains, coarse.certain))))
    sharp = np.argsort(-jumps)[: min(MOST_EDGES, int((jumps > np.log(EDGE)).sum()))]
    fine = coarse
    if sharp.size:
        steps = [np.arange(*_bins_about(edges, coarse.places[at : at + 2])) for at in sharp]
        fine = _gains(scene, before, np.unique(np.concatenate([edges, *steps])))
    to_hz = scene.rate / N_FFT
    names, parameters = shape((coarse.places - 0.5) * to_hz, np.maximum(coarse.gains, coarse.certain))
    if not names:
        return None
    hz, gains = (fine.places - 0.5) * to_hz, fine.gains
    return Fitted(
        names[0],
        lambda x: through(x, hz, gains, scene.rate),
        gains.size,
        parameters,
        undo=lambda x: through(x, hz, 1 / np.maximum(gains, LEAST_UNDONE), scene.rate),
        also=names[1:],
    )


def _bins_about(edges: NDArray[np.intp], places: Floats) -> tuple[int, int]:
    """The first bin of the band that the first place lies in, and the end of that of the second."""
    first, last = np.searchsorted(edges, places - 0.5, side="right")
    return int(edges[first - 1]), int(edges[min(last, edges.size - 1)])


def _gains(scene: Scene, before: Predicted, edges: NDArray[np.intp]) -> _Bands:
    """Least squares, reweighted; each round corrects every band's gain by what the curve of all leaves in it, so that
    a slope inside a band is no error.
    """
    product, power = in_phase(before.spectra, scene.spectra), power_of(before.spectra)
    bins = np.arange(1, power.shape[1] + 1) - 0.5  # the lowest band is one bin, at 0 Hz
    # What is off by more than all there is says how far the level is off, and not which cells are wild.
    weights = scene.weights(np.minimum(before.error, power_of(scene.spectra)), before.variance)
    seen = np.maximum((weights * power).sum(axis=0, dtype=np.float64), 1e-30)
    places = np.add.reduceat(seen * bins, edges[:-1]) / np.add.reduceat(seen, edges[:-1])
    gains, curve = np.ones(edges.size - 1), np.ones(power.shape[1])
    for done in range(ROUNDS):
        weighted = (weights * power).sum(axis=0, dtype=np.float64)
        possible = np.add.reduceat(weighted * curve**2, edges[:-1])
        fitted = np.add.reduceat((weights * product).sum(axis=0, dtype=np.float64) * curve, edges[:-1])
        factor = np.where(possible > 0, fitted / np.maximum(possible, 1e-30), 1.0)
        gains = np.clip(gains * (np.clip(factor, 1 / CORRECTED, CORRECTED) if done else factor), SMALLEST, LARGEST)
        curve = np.exp(np.interp(np.log(bins), np.log(places), np.log(gains)))
        weights = scene.weights(scene.error_of(before.spectra * curve.astype(np.float32)), before.variance)
    audible = np.add.reduceat((power / scene.ordinary).mean(axis=0), edges[:-1]) / np.diff(edges) > AUDIBLE
    known = np.add.reduceat((weights * power).sum(axis=0, dtype=np.float64), edges[:-1])
    certain = 1 / np.sqrt(np.maximum(known, 1e-30))
    heard = audible & (certain < PARTLY)
    return _Bands(gains[heard], places[heard], certain[heard])


def through(samples: Floats, hz: Floats, gains: Floats, rate: int) -> Floats:
    """The samples through the filter, by one transform of all of them."""
    size = fast_size(samples.size + N_FFT)
    octaves = np.log(np.maximum(np.fft.rfftfreq(size, 1 / rate), 1.0))
    transfer = np.exp(np.interp(octaves, np.log(np.maximum(hz, 1.0)), np.log(gains)))
    return np.fft.irfft(np.fft.rfft(samples, size) * transfer, size)[: samples.size]
