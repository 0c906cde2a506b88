"""Axes of the mel exchanged or turned round: time where frequency should be, in each way that code gets there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.analysis.mel_grid import mel_grid
from diagnose.causes.evidence import Evidence, ramp
from diagnose.results.cause import Cause, cause
from diagnose.spectrogram import Framing, mel_filterbank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.arrays import Floats
    from diagnose.stft_cache import StftCache

CELLS = 64  # times and bands of the pictures that are compared
BLOCKS = (64, 80, 100, 128)  # bands of mels in use: as many frames of a mel that was transposed block by block
FITS = (0.42, 0.55)  # r of a turned picture: two sounds that have nothing in common reach 0.4
BETTER = (0.15, 0.3)  # by how much more than as they lie
RANGE = 9.0  # nats, 78 dB, under the loudest cell
FAINTEST = 1e-5
LONGEST = 1 << 18  # samples that are looked at: pictures of more need more memory than the sounds
FEWEST_BLOCKS = 3  # with fewer, a picture of one block fits by chance
HUMS = 0.1  # rise of comb_share: one waveform a frame is a vocoder that was misfed otherwise
COPIED = 0.3  # whose waveform is kept that far, is no picture that was turned


class Turned(msgspec.Struct, frozen=True):
    """How the reference's picture was turned, and r of it with the generated one, -1 to 1."""

    how: str
    r: float


def axes_exchanged(e: Evidence) -> Cause | None:
    """The generated spectrogram is the reference's with time and frequency exchanged, or with its bands upside down.

    Misleads: a steady noise fits neither way; two sounds with few parts each may fit by chance to r = 0.4.
    """
    if e.copied > COPIED or e.brief or e.silent or e.change("comb_share") > HUMS:
        return None
    as_it_is, best = turns(e.pair.reference.stft, e.pair.generated.stft, e.pair.rate)
    return cause(
        "axes-exchanged",
        ramp(best.r, *FITS) * ramp(best.r - as_it_is, *BETTER),
        f"{best.how}: turned so, the spectrograms fit",
        [f"turned so, the spectrograms fit with r = {best.r:.2f}; as they are, with {as_it_is:.2f}"],
        "turn the mel before the vocoder, mel = mel.T and never reshape, and assert mel.shape[0] == n_mels where it is "
        "made",
    )


def turns(reference: StftCache, generated: StftCache, rate: int) -> tuple[float, Turned]:
    """(r as they lie, the way of turning that fits best), by pictures along mel bands and along linear frequency."""
    mels, spectra = ((_levels(reference, rate, mel), _levels(generated, rate, mel)) for mel in (True, False))
    as_it_is = max(_r(_picture(ours), _picture(theirs)) for ours, theirs in (mels, spectra))
    found = [Turned(how, _r(made, target)) for sides in (mels, spectra) for how, made, target in _pictures(*sides)]
    return as_it_is, max(found, key=lambda turned: turned.r)


def _levels(sound: StftCache, rate: int, mel: bool) -> Floats:
    """ln of magnitudes [shape=(frames, bands or bins)], no deeper than 9 nats under the loudest."""
    grid = mel_grid(rate)
    cut = sound.cut(slice(0, LONGEST))
    power = np.concatenate(list(cut.power(Framing(grid.n_fft, grid.hop, "centre"))))
    magnitudes = np.sqrt(power) @ mel_filterbank(grid).T if mel else np.sqrt(power)
    levels = np.log(np.maximum(magnitudes, FAINTEST))
    return np.asarray(np.maximum(levels, levels.max() - RANGE))


def _pictures(reference: Floats, generated: Floats) -> Iterator[tuple[str, Floats, Floats]]:
    whole = _picture(generated)
    yield "bands and frames are exchanged", _picture(reference.T), whole
    yield "the bands are upside down", _picture(reference[:, ::-1]), whole
    frames = min(len(reference), len(generated))
    for size in BLOCKS:
        starts = range(0, frames - size + 1, size)
        if len(starts) >= FEWEST_BLOCKS:
            made, target = (
                np.concatenate(
                    [_picture(side[start : start + size].T if turn else side[start : start + size]) for start in starts]
                )
                for side, turn in ((reference, True), (generated, False))
            )
            yield f"bands and frames are exchanged in blocks of {size} frames", made, target


def _picture(levels: Floats) -> Floats:
    """Levels on a grid of 64 x 64: means, or parts of one where there are fewer."""
    for _ in range(2):
        edges = np.linspace(0, len(levels), CELLS + 1)
        sums = np.concatenate((np.zeros((1, levels.shape[1])), np.cumsum(levels, axis=0, dtype=np.float64)))
        whole = np.minimum(edges.astype(int), len(levels) - 1)
        at = sums[whole] + (edges - whole)[:, None] * levels[whole]
        levels = (np.diff(at, axis=0) / np.diff(edges)[:, None]).T
    return levels


def _r(made: Floats, target: Floats) -> float:
    ours, theirs = (each - each.mean() for each in (made, target))
    power = float(np.square(ours).sum()) * float(np.square(theirs).sum())
    return float((ours * theirs).sum()) / max(power**0.5, 1e-30)
