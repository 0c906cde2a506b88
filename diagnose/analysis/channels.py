"""Channels: which channel of the reference each channel of the generated sound holds, how loud, and what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.analysis.moments import DB_FLOOR, decibels
from diagnose.audio import BLOCK, Audio, blocks
from diagnose.spectrogram import hann, log_band_edges
from diagnose.timeline import loudest_start, peak_correlation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.audio import Samples

MEAN, DIFFERENCE = "mean", "difference"
SILENT = 1e-6  # of the loudest channel's power: -60 dB
SAME = 1.6  # times what another channel leaves: 2 dB, which a codec turns about
SAME_MIX = 4.0  # times what a mix of the channels leaves: a codec of joint stereo brings each nearer to their mean
NEARLY_LEFT = 0.01  # -20 dB: such a copy lies nowhere else
LEAST_LEFT = 1e-4  # share of the power: channels that differ by less than -40 dB sound alike
EXPLAINED = 0.5  # share of the power that a copy leaves over at most
# Beyond these, the channels were not treated alike.  Of 40 copies by codecs of eight stereo sounds the largest are
# 0.2 dB and a factor of 5 in what is left.
UNEVEN_GAIN_DB = 0.9  # just under what channel_level_db warns of
UNEVEN_LEFT = 6.0
UNEVEN_BIAS = 0.05  # of the RMS: a quarter of a percent of the power
AUDIBLE_LEFT = 1e-5  # -50 dB: what is less is a rounding of one channel
UNEVEN_BAND_DB = 4.0  # a vocoder that is run on each channel differs by up to 2
BAND_RANGE_DB = 40.0
EXACT_DB = 0.1
CELL, BANDS = 2048, 24
LEAST_CELLS = 64  # bins times frames of a band, whose mean is good to 0.5 dB
EXCERPT = 1 << 16  # samples
MOST_LATE = 8  # channels, up to which each is searched for late in each
LAG_S = 0.1  # by which a channel is searched for; by more, the two are heard apart


class Held(msgspec.Struct, frozen=True):
    """What one channel of the generated sound holds.

    channel: from 1.  source: the channel of the reference that it is a copy of, from 1; "mean" or "difference" of
    all of them; None where either of the two is silent.  expected: what it should be.
    power: mean square, 0 where it is silent.  level_db: over the source.
    gain: signed, linear, by least squares.  left: share of its power that source times gain leaves over, 0 to 1.
    lag: samples, > 0 where it is later than the mix is, where it lies better there.
    bias: its mean less gain times the source's.
    """

    channel: int
    source: int | str | None
    expected: int | str
    power: float = 0.0
    level_db: float = 0.0
    gain: float = 1.0
    left: float = 0.0
    lag: int = 0
    bias: float = 0.0

    @property
    def in_place(self) -> bool:
        return self.source == self.expected

    @property
    def is_copy(self) -> bool:
        """Whether it has the waveform of its source; else it has neither a gain nor a polarity of its own."""
        return self.source is not None and self.left <= EXPLAINED

    @property
    def exact(self) -> bool:
        """Whether nothing was done to what it holds that could be heard."""
        same = abs(self.level_db) <= EXACT_DB and self.gain > 0 and self.lag == 0
        return same and self.left <= AUDIBLE_LEFT and abs(self.bias) <= UNEVEN_BIAS * self.power**0.5


class Channels(msgspec.Struct, frozen=True, eq=False):
    """All channels of a pair.

    held: of each generated channel.  before, after: Pearson's r of each two channels [shape=(channels, channels)] of
    the reference and of the generated sound; of a channel without power, 0.  delay: at which they are laid, samples.
    """

    held: tuple[Held, ...]
    before: Floats
    after: Floats
    delay: float = 0.0
    uneven_bands: bool = False

    @property
    def copies(self) -> bool:
        """Whether each channel that sounds is all but exactly what it holds, and one of them where it is laid."""
        nearly = all(each.left <= NEARLY_LEFT for each in self.sounding)
        return nearly and any(each.lag == 0 for each in self.sounding)

    @property
    def left(self) -> float:
        """What all channels that sound leave over, together."""
        return sum(each.left for each in self.sounding)

    @property
    def differ(self) -> bool:
        """Whether something was done to one channel that was not done to the others."""
        return self.uneven_bands or not all(each.in_place for each in self.held) or bool(_standing_out(self.sounding))

    @property
    def sounding(self) -> list[Held]:
        """The channels that sound, in the reference too."""
        return [each for each in self.held if each.source is not None and each.power > 0]

    @property
    def worth_asking(self) -> list[Held]:
        """The channels that are not exactly what they hold: of more than two, those that stand out, and the loudest of
        the others.  Where each is, the loudest.
        """
        sounding = self.sounding
        asked = [each for each in sounding if not each.exact]
        if len(asked) > 2 and not self.uneven_bands:
            out = _standing_out(sounding) | {each.channel for each in sounding if not each.in_place}
            rest = [each for each in asked if each.channel not in out]
            out |= {max(rest, key=lambda each: each.power).channel} if rest else set()
            asked = [each for each in asked if each.channel in out]
        return asked or sorted(sounding, key=lambda each: -each.power)[:1]


def usual(values: Sequence[float]) -> float:
    """The median; of two, the one nearer to 0, for the other is what stands out."""
    return min(values, key=abs) if len(values) == 2 else sorted(values)[len(values) // 2]


def _standing_out(sounding: Sequence[Held]) -> set[int]:
    """The channels whose gain, polarity, or share left over, is not that of most."""
    copies = [each for each in sounding if each.is_copy]
    out = set()
    if copies:
        level = usual([each.level_db for each in copies])
        turned = sum(each.gain < 0 for each in copies) * 2 > len(copies)
        out |= {each.channel for each in copies if abs(each.level_db - level) > UNEVEN_GAIN_DB}
        lag = usual([each.lag for each in copies])
        out |= {each.channel for each in copies if (each.gain < 0) != turned or each.lag != lag}
        bias = usual([each.bias for each in copies])
        out |= {each.channel for each in copies if abs(each.bias - bias) > UNEVEN_BIAS * each.power**0.5}
    left = usual([each.left for each in sounding]) if sounding else 0.0
    return out | {each.channel for each in sounding if each.left > max(UNEVEN_LEFT * left, AUDIBLE_LEFT)}


def match_channels(
    reference: Sequence[Samples], generated: Sequence[Samples], rate: int, delay: float = 0.0
) -> Channels:
    """What each channel of the generated sound holds; the channels of both [shape=(n,) each] laid on each other.

    One channel of the reference is expected in every channel of the generated sound; in the only one of that, the
    mean of the reference's; else each in its place.  A channel is taken for what is expected unless another channel
    leaves less than a 1.6th, or a mix a quarter, of what that leaves over.
    delay: at which they are laid, samples.  Where the waveforms are not kept, long-term spectra are compared as well.
    """
    products, means = _covariance([*reference, *generated])
    count = len(reference)
    ours, cross, theirs = products[:count, :count], products[count:, :count], products[count:, count:]
    loudest = float(theirs.diagonal().max())
    held = []
    for index in range(len(generated)):
        expected = 1 if count == 1 else MEAN if len(generated) == 1 else index + 1
        power, before = float(theirs[index, index]), ours.diagonal()
        silent_before = isinstance(expected, int) and before[expected - 1] <= SILENT * before.max()
        if power <= SILENT * loudest:
            # Silent in both: as it should be.
            held.append(Held(index + 1, expected if silent_before else None, expected, level_db=DB_FLOOR))
            continue
        fits = _fits(ours, cross[index], power)
        # Its own first, which may be late; another's only where its own is not there.
        others = [each for each in fits if isinstance(each, int) and each != expected] if count <= MOST_LATE else []
        for source in [each for each in (expected,) if isinstance(each, int)] + others:
            if min(fit.left for fit in fits.values()) > (LEAST_LEFT if source == expected else EXPLAINED):
                fits[source] = _at_its_lag(fits[source], reference[source - 1], generated[index], power, rate)
        held.append(_held(index + 1, expected, fits, power, SILENT * float(before.max())))
    held = [_with_bias(each, means, count) for each in held]
    found = Channels(tuple(held), _correlations(ours), _correlations(theirs), delay)
    if any(each.is_copy for each in found.sounding) or len(generated) != count:
        return found
    return msgspec.structs.replace(found, uneven_bands=_uneven_bands(reference, generated))


def _with_bias(held: Held, means: Floats, count: int) -> Held:
    if not held.is_copy or not isinstance(held.source, int) or held.power == 0:
        return held
    over = means[count + held.channel - 1] - held.gain * means[held.source - 1]
    return msgspec.structs.replace(held, bias=float(over))


class _Fit(msgspec.Struct, frozen=True):
    """A source in a channel: its energy, its signed gain, what it leaves over, and its lag, as in Held."""

    energy: float
    gain: float
    left: float
    lag: int = 0


def _fits(ours: Floats, cross: Floats, power: float) -> dict[int | str, _Fit]:
    found = {}
    for source, weights in _sources(len(ours)).items():
        energy, product = float(weights @ ours @ weights), float(cross @ weights)
        gain = product / energy if energy > 0 else 0.0
        found[source] = _Fit(energy, gain, min(max(1.0 - gain * product / power, 0.0), 1.0))
    return found


def _at_its_lag(fit: _Fit, ours: Samples, theirs: Samples, power: float, rate: int) -> _Fit:
    """The fit at the delay within LAG_S of the mix's where the loudest second or so lies best."""
    size, reach = min(EXCERPT, ours.size), round(LAG_S * rate)
    start = loudest_start(ours, size)
    first = max(start - reach, 0)
    parts = [ours[start : start + size], theirs[first : start + size + reach]]
    parts = [part - part.mean(dtype=np.float64, keepdims=True).astype(np.float32) for part in parts]
    lag, r = peak_correlation(parts[0][None], parts[1][None], absolute=True, offset=first - start, reach=reach)
    left = 1.0 - r * r
    if lag == 0 or left * SAME >= fit.left or left > EXPLAINED or fit.energy <= 0:
        return fit
    return _Fit(fit.energy, r * (power / fit.energy) ** 0.5, left, lag)


def _held(channel: int, expected: int | str, fits: dict[int | str, _Fit], power: float, silent: float) -> Held:
    """What a channel holds; silent: the energy up to which a source is silent."""
    doubt = {each: 1.0 if each == expected else SAME if isinstance(each, int) else SAME_MIX for each in fits}
    likeliest = min(fits, key=lambda each: doubt[each] * fits[each].left)
    source = expected if fits[expected].left <= LEAST_LEFT else likeliest
    fit = fits[source]
    if fit.energy <= silent:
        return Held(channel, None, expected, power)
    level = decibels(fit.gain**2 if fit.left <= EXPLAINED else power / fit.energy)
    return Held(channel, source, expected, power, float(level), fit.gain, fit.left, fit.lag)


def _sources(count: int) -> dict[int | str, Floats]:
    """Weights of the reference's channels: each alone, and what two can be mixed to."""
    alone: dict[int | str, Floats] = {index + 1: np.eye(count)[index] for index in range(count)}
    if count > 1:
        alone[MEAN] = np.full(count, 1 / count)
    if count == 2:
        alone[DIFFERENCE] = np.array([0.5, -0.5])
    return alone


def loudest_channel(sound: Audio) -> int:
    """Number, from 1, of the channel with the largest sum of squares."""
    return 1 + int(np.argmax([float(np.dot(channel, channel)) for channel in sound.samples]))


def mixed(sound: Audio, source: int | str) -> Audio:
    """The sound of one source: a channel of this sound, from 1, or the mean or the difference of all."""
    if source == MEAN:
        return Audio(sound.mono[None], sound.rate, sound.name)
    if isinstance(source, int):
        return Audio(sound.samples[source - 1 : source], sound.rate, sound.name)
    return Audio((sound.samples[:1] - sound.samples[1:2]) * np.float32(0.5), sound.rate, sound.name)


def _covariance(rows: Sequence[Samples]) -> tuple[Floats, Floats]:
    """(Covariances of each two rows, their means), in double precision."""
    length = rows[0].size
    total, sums = np.zeros((len(rows), len(rows))), np.zeros(len(rows))
    for part in blocks(length, BLOCK // len(rows)):
        block = np.stack([row[part] for row in rows]).astype(np.float64)
        total += block @ block.T
        sums += block.sum(axis=1)
    means = sums / max(length, 1)
    return total / max(length, 1) - np.outer(means, means), means


def _correlations(products: Floats) -> Floats:
    norm = np.sqrt(np.maximum(products.diagonal(), 0.0))
    scale = np.outer(norm, norm)
    return np.where(scale > 0, products / np.where(scale > 0, scale, 1.0), 0.0)


def _uneven_bands(reference: Sequence[Samples], generated: Sequence[Samples]) -> bool:
    """Whether the long-term spectrum of one channel was changed otherwise than that of another, by over 4 dB.

    In bands of 1/24 of the log-frequency axis that lie within 40 dB of the channel's strongest in the reference.
    """
    if reference[0].size < CELL:
        return False
    ours, theirs = (np.stack([_bands(channel) for channel in part]) for part in (reference, generated))
    change = 10 * np.log10((theirs + 1e-20) / (ours + 1e-20))
    heard = ours > ours.max(axis=1, keepdims=True) * 10 ** (-BAND_RANGE_DB / 10)
    heard &= np.diff(_borders()) * (reference[0].size // CELL) >= LEAST_CELLS
    spread = [np.ptp(change[heard[:, band], band]) for band in range(ours.shape[1]) if heard[:, band].sum() > 1]
    return max(spread, default=0.0) > UNEVEN_BAND_DB


def _borders() -> NDArray[np.intp]:
    return log_band_edges(4, CELL // 2, BANDS)


def _bands(samples: Samples) -> Floats:
    """Mean power in 24 bands, of cells of 2048 samples that do not overlap."""
    borders = _borders()
    total = np.zeros(borders.size - 1)
    whole = samples[: samples.size // CELL * CELL].reshape(-1, CELL)
    for part in blocks(len(whole), 128):
        power = np.square(np.abs(np.fft.rfft(whole[part] * hann(CELL))))
        total += np.add.reduceat(power, borders[:-1], axis=1).sum(axis=0)
    return total / max(len(whole), 1)
