"""One operation: a filter with phases of its own, as its impulse response: an echo, a room, or an analogue filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.arrays import fast_size, median
from diagnose.operations.operation import Fitted, price_of
from diagnose.operations.scene import N_FFT, power_of, sixth_octaves
from diagnose.operations.shape import shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.operations.operation import Predicted
    from diagnose.operations.scene import Scene

AHEAD = 64  # samples before the direct sound: of a filter of linear phase, or of a delay that was read a little off
LENGTHS_S = (0.01, 0.06, 0.5)  # of the responses that are tried: filters, echoes of a device, rooms
LEAST_PARTS = 4  # times the response, that the sound is long
FLOOR = 1e-6  # of the mean power of a whitened bin
ROUNDS = 2
STANDS = 0.003  # r**2 with what is left over, of a single late echo
LATE_SHARE, LATE_CHANCE = 0.03, 2.0  # sum of r**2 of a room: share, and times what chance gives
AUDIBLE = 0.1  # weight of a bin's power beside ordinary loss in the whitening: where a is nothing, b tells nothing
STEPS = 25  # of conjugate gradients
DONE = 1e-5  # of the residual's norm at the start
RIDGE = 1e-4  # of the power, on the diagonal: what has no power is not told
SPIKE = 8.0  # times the median of all |taps|
LEAST_TAP = 0.01  # of the largest
MOST_TAPS = 96  # of a response that is some echoes and nothing between
LATE_S = 0.02  # after the direct sound: a room, and no filter that rings
ECHO_S = 0.002  # after it: a tap that stands alone there is an echo
ABOUT_S, NEAR_S = 0.0015, 0.0002  # of a tap: what it has to stand out of, and what is it yet
STANDS_OUT = 6.0  # times the RMS of the taps about it
LATE_ECHO, LATE = 1e-3, 1e-2  # power of what is late over all: of an echo, and of a room, for a steep filter rings
ONSET = 0.5  # of the largest tap
HEARD = 10.0  # times ordinary loss: of a band that is less, nothing tells the gain
ALONE = 1e-3  # power of all but the direct sound, over it: less is a gain
BESIDE_DB = 1.0  # of the direct sound, that is a gain beside the echo
UNDONE = 1e-3  # of the largest power of the response, below which it is not inverted
DECAY_DB = 60.0
EARLY_DB, FAR_DB = -3.0, -23.0  # of the energy that is left, between which the decay is read off


class _Response(msgspec.Struct, frozen=True, eq=False):
    """taps [shape=(n,)], the first of them ahead samples early; free: how many of them were fitted."""

    taps: Floats
    ahead: int
    free: int

    @property
    def direct(self) -> int:
        """The first tap of half the size of the largest: an echo, or the swing of a filter, may be larger."""
        size = np.abs(self.taps)
        return int(np.argmax(size > ONSET * size.max()))


def echoed(scene: Scene, before: Predicted) -> Fitted | None:
    """b = h * a, h by least squares over whitened samples; of its lengths and of few taps or all, the cheapest."""
    best, least = None, scene.judge(before.error, before.variance).cost
    for response in _responses(scene, before):
        price = price_of(scene, before, _through(before.samples, response), response.free)
        if price < least:
            best, least = response, price
    return None if best is None else _fitted(scene, best)


def _fitted(scene: Scene, response: _Response) -> Fitted | None:
    taps, direct = response.taps, response.direct
    power = float(np.square(taps).sum())
    if taps[direct] <= 0 or power - taps[direct] ** 2 < ALONE * power:
        return None
    # A sound that repeats itself tells a response but at its own partials: only few taps, or a long tail, are a room.
    few = response.free < taps.size
    alone = few and _alone(taps, direct, scene.rate)
    late = taps.copy()
    late[: direct + round((ECHO_S if alone else LATE_S) * scene.rate)] = 0.0
    if float(np.square(late).sum()) > (LATE_ECHO if few else LATE) * power:
        names, parameters = _of_room(scene, response, late)
    else:
        names, parameters = _of_filter(scene, response)
    if not names:
        return None
    return Fitted(
        names[0],
        lambda x: _through(x, response),
        response.free,
        parameters,
        undo=lambda y: _through(y, response, inverse=True),
        also=names[1:],
    )


def _alone(taps: Floats, direct: int, rate: int) -> bool:
    """Whether the largest tap that is late enough to be an echo stands out of those about it."""
    start = direct + round(ECHO_S * rate)
    if start >= taps.size:
        return False
    at = start + int(np.argmax(np.abs(taps[start:])))
    about, near = round(ABOUT_S * rate), max(round(NEAR_S * rate), 2)
    beside = np.concatenate((taps[max(at - about, 0) : at - near], taps[at + near + 1 : at + about]))
    return abs(float(taps[at])) > STANDS_OUT * float(np.sqrt(np.square(beside).mean())) if beside.size else True


def _of_room(scene: Scene, response: _Response, late: Floats) -> tuple[tuple[str, ...], dict[str, tuple[float, str]]]:
    direct, height = response.direct, float(response.taps[response.direct])
    strongest = int(np.argmax(np.abs(late)))
    level = 10 * float(np.log10(np.square(late).sum())) - 20 * float(np.log10(height))
    parameters = {"level": (level, "dB"), "delay": ((strongest - direct) / scene.rate, "s")}
    left = np.cumsum(np.square(late)[::-1])[::-1]
    decibels = 10 * np.log10(np.maximum(left / left[0], 1e-12))
    falling = np.flatnonzero((decibels < EARLY_DB) & (decibels > FAR_DB))
    if response.free > MOST_TAPS and falling.size > 1:  # a room; of single echoes there is no decay
        slope = (decibels[falling[0]] - decibels[falling[-1]]) / (falling[-1] - falling[0])
        parameters["decay"] = (DECAY_DB / float(slope) / scene.rate, "s")
    gain_db = 20 * float(np.log10(height))
    if abs(gain_db) > BESIDE_DB:
        return ("reverberation", "gain"), {**parameters, "gain": (gain_db, "dB")}
    return ("reverberation",), parameters


def _of_filter(scene: Scene, response: _Response) -> tuple[tuple[str, ...], dict[str, tuple[float, str]]]:
    power = np.square(np.abs(np.fft.rfft(response.taps, max(N_FFT, fast_size(response.taps.size)))))
    bins = np.linspace(0, power.size - 1, N_FFT // 2 + 1).round().astype(np.intp)
    edges = sixth_octaves()
    gains = np.sqrt(np.add.reduceat(power[bins], edges[:-1]) / np.diff(edges))
    heard = np.add.reduceat((scene.power / scene.ordinary).mean(axis=0), edges[:-1]) / np.diff(edges) > HEARD
    places = (edges[:-1] + edges[1:] - 1) / 2 * scene.rate / N_FFT
    return shape(places[heard], gains[heard])


def _responses(scene: Scene, before: Predicted) -> Iterator[_Response]:
    """Responses of each length, with all taps, and with those that stand out alone."""
    count = before.samples.size
    lengths = sorted({min(round(each * scene.rate), count // LEAST_PARTS) for each in LENGTHS_S})
    problem = _Problem(scene, before, max(lengths) + AHEAD)
    response = problem.gain()
    for length in lengths:
        if not problem.is_late(response):
            return
        response = problem.solve(_Response(np.zeros(length + AHEAD), AHEAD, length + AHEAD), None)
        yield response
        size = np.abs(response.taps)
        apart = np.flatnonzero(size > max(SPIKE * median(size), LEAST_TAP * size.max()))
        if 0 < apart.size <= MOST_TAPS:
            yield problem.solve(_Response(np.zeros(length + AHEAD), AHEAD, 2 * apart.size), apart)


class _Problem:
    """Least squares of h * a - b, whitened by the mean spectrum of a."""

    def __init__(self, scene: Scene, before: Predicted, lags: int) -> None:
        self.sound, self.target = before.samples, scene.generated
        self.size = fast_size(self.sound.size + 2 * lags)
        mean = (scene.stands_for * (scene.ordinary + AUDIBLE * power_of(before.spectra))).sum(axis=0, dtype=np.float64)
        mean = np.maximum(mean, FLOOR * mean.mean())
        self.spectrum = np.fft.rfft(self.sound, self.size)
        bins = np.linspace(0, 1, self.spectrum.size)
        self.whitening = 1 / np.interp(bins, np.linspace(0, 1, mean.size), mean)
        self.power = np.fft.irfft(np.square(np.abs(self.spectrum)) * self.whitening, self.size)[:lags]

    def gain(self) -> _Response:
        """The direct sound alone, which reaches nowhere."""
        taps = np.zeros(1)
        taps[0] = float(np.dot(self.sound, self.target)) / max(float(np.dot(self.sound, self.sound)), 1e-30)
        return _Response(taps, 0, 1)

    def is_late(self, response: _Response) -> bool:
        """Whether what the response leaves follows the sound, later than the response reaches."""
        left = self.target - _through(self.sound, response)
        spectrum = np.fft.rfft(left, self.size)
        product = np.fft.irfft(spectrum * self.spectrum.conj() * self.whitening, self.size)
        power = 2 * float((np.square(np.abs(spectrum)) * self.whitening).sum()) / self.size
        late = product[response.taps.size - response.ahead : self.power.size]
        follows = np.square(late) / max(power * float(self.power[0]), 1e-30)
        by_chance = late.size / self.sound.size
        return bool(follows.max() > STANDS or follows.sum() > LATE_SHARE + LATE_CHANCE * by_chance)

    def solve(self, response: _Response, apart: NDArray[np.intp] | None) -> _Response:
        """The response with its taps, all or these alone, solved for.

        The correlations take the sound as if it went on: so what is left over is solved for again, as it is.
        """
        for _ in range(ROUNDS):
            left = self.target - _through(self.sound, response)
            product = np.fft.irfft(np.fft.rfft(left, self.size) * self.spectrum.conj() * self.whitening, self.size)
            right = np.roll(product, response.ahead)[: response.taps.size]
            taps = response.taps.copy()
            if apart is None:
                taps += _solved(self.power[: taps.size], right)
            else:
                normal = self.power[np.abs(apart[:, None] - apart[None, :])]
                normal += RIDGE * self.power[0] * np.eye(apart.size)
                taps[apart] += np.linalg.solve(normal, right[apart])
            response = msgspec.structs.replace(response, taps=taps)
        return response


def _solved(power: Floats, right: Floats) -> Floats:
    """T h = right, T the Toeplitz matrix of the correlations, by conjugate gradients (Hestenes and Stiefel, 1952)."""
    size = fast_size(2 * power.size)
    column = np.zeros(size)
    column[: power.size] = power
    column[0] *= 1 + RIDGE
    column[-power.size + 1 :] = power[:0:-1]
    symbol = np.fft.rfft(column).real
    found, left = np.zeros(right.size), right.copy()
    way, norm = left.copy(), float(np.dot(left, left))
    done = DONE**2 * norm
    for _ in range(STEPS):
        if norm <= done:
            break
        turned = np.fft.irfft(np.fft.rfft(way, size) * symbol, size)[: right.size]
        length = norm / float(np.dot(way, turned))
        found += length * way
        left -= length * turned
        norm, last = float(np.dot(left, left)), norm
        way = left + norm / last * way
    return found


def _through(samples: Floats, response: _Response, inverse: bool = False) -> Floats:
    """The samples through the response, or through what undoes it where it passes anything."""
    size = fast_size(samples.size + response.taps.size)
    transfer = np.fft.rfft(np.roll(np.pad(response.taps, (0, size - response.taps.size)), -response.ahead))
    if inverse:
        power = np.square(np.abs(transfer))
        transfer = transfer.conj() / (power + UNDONE * power.max())
    return np.fft.irfft(np.fft.rfft(samples, size) * transfer, size)[: samples.size]
