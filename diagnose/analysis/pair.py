"""Pair: two aligned sounds, with the quantities that several metrics of the pair share."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from diagnose.analysis.cells import measure_cells
from diagnose.analysis.channels import MEAN, loudest_channel, match_channels, mixed
from diagnose.analysis.distances import measure_spectra
from diagnose.analysis.folding import measure_folding
from diagnose.analysis.places import find_places
from diagnose.analysis.signal import Signal
from diagnose.analysis.swings import measure_swings
from diagnose.analysis.voices import Voices
from diagnose.arrays import window_sums
from diagnose.audio import resample
from diagnose.stft_cache import StftCache
from diagnose.timeline import laid, lay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from diagnose.analysis.cells import Cells
    from diagnose.analysis.channels import Channels, Held
    from diagnose.analysis.distances import SpectralDistance
    from diagnose.analysis.folding import Folded
    from diagnose.analysis.places import Place
    from diagnose.analysis.swings import Swings
    from diagnose.audio import Samples
    from diagnose.timeline import Laid, Timeline


BIASED = 0.05  # share of the power that is DC; a sound has none


class Pair:
    """Reference and generated sound at one rate; every metric of a pair is a function of this.

    files: both as they were read, at their own rates and with all their channels.  native: the reference's one channel
    at its own rate, where that is not the mean of all.
    """

    def __init__(
        self,
        reference: Signal,
        generated: Signal,
        files: tuple[Signal, Signal] | None = None,
        native: Signal | None = None,
    ) -> None:
        if reference.rate != generated.rate:
            raise ValueError(f"both sounds of a pair must have one rate, not {reference.rate} and {generated.rate}")
        self.reference = reference
        self.generated = generated
        self.files = files or (reference, generated)
        self.native = native or self.files[0]

    @property
    def rate(self) -> int:
        return self.reference.rate

    @property
    def means(self) -> tuple[float, float]:
        return self.reference.moments.mean, self.generated.moments.mean

    @cached_property
    def timeline(self) -> Timeline:
        """How both lie to each other."""
        return lay(self.reference.stft, self.generated.stft, self.rate)

    @cached_property
    def laid(self) -> Laid:
        """The matched parts of both mono mixes, joined; neither mean nor gain removed."""
        return laid(self.timeline, self.reference.mono, self.generated.mono)

    @cached_property
    def channels(self) -> Channels | None:
        """What each channel of the generated sound holds; None where neither has two, or both have, and not as many."""
        counts = [file.audio.channels for file in self.files]
        if max(counts) == 1 or (min(counts) > 1 and counts[0] != counts[1]):
            return None
        ours, theirs = (resample(file.audio, self.rate).samples for file in self.files)
        length = min(ours.shape[1], theirs.shape[1])
        found = match_channels(list(ours[:, :length]), list(theirs[:, :length]), self.rate)
        # Where each channel is a copy, start on start, that is how they lie, and the mix need not be asked.
        if found.copies or self.timeline.method != "waveform":
            return found
        as_mixed = match_channels(*self._channels_laid(ours, theirs), self.rate, self.timeline.delay)
        return min(found, as_mixed, key=lambda each: each.left)

    def _channels_laid(self, ours: Samples, theirs: Samples) -> tuple[list[Samples], list[Samples]]:
        """Every channel of both, laid on each other as the mixes are."""
        count = max(len(ours), len(theirs))
        parts = [
            laid(self.timeline, ours[min(index, len(ours) - 1)], theirs[min(index, len(theirs) - 1)])
            for index in range(count)
        ]
        return [part.reference for part in parts[: len(ours)]], [part.generated for part in parts[: len(theirs)]]

    @cached_property
    def apart(self) -> Mapping[int, Pair]:
        """{channel of the generated sound, from 1: it against what it holds of the reference}; {} where all channels
        were treated alike.  Of more than two, those that stand out, and the loudest of the others; no silent one.
        """
        channels = self.channels
        if channels is None or not channels.differ or self.unrelated:
            return {}
        return {held.channel: self.of_channel(held) for held in channels.worth_asking}

    def of_channel(self, held: Held) -> Pair:
        """One channel of the generated sound against what it holds of the reference, which has to be something."""
        assert held.source is not None
        sides = (mixed(self.files[0].audio, held.source), mixed(self.files[1].audio, held.channel))
        files = Signal(sides[0]), Signal(sides[1])
        common = [file if file.rate == self.rate else Signal(resample(file.audio, self.rate)) for file in files]
        return Pair(common[0], common[1], files)

    @property
    def gain(self) -> float:
        """Amplitude of the generated sound over the reference, bias aside; removed before every distance."""
        return self.timeline.gain

    @property
    def overlap(self) -> tuple[Samples, Samples]:
        """The matched parts of both mono mixes, of one length; neither mean nor gain removed."""
        return self.laid.reference, self.laid.generated

    @property
    def loudest_overlap(self) -> tuple[Samples, Samples]:
        """As overlap, of the generated sound's loudest channel: what was done to each is not done to their mean."""
        counts = [file.audio.channels for file in self.files]
        if max(counts) == 1 or counts[0] != counts[1]:
            return self.overlap
        channel = loudest_channel(self.files[1].audio)
        ours, theirs = (resample(mixed(file.audio, channel), self.rate).samples[0] for file in self.files)
        found = laid(self.timeline, ours, theirs)
        return found.reference, found.generated

    def to_reference_s(self, seconds: float) -> float:
        """Time in the reference of a time on the overlap, s."""
        return self.laid.to_reference(seconds * self.rate) / self.rate

    def to_overlap_s(self, seconds: float) -> float:
        """Time on the overlap of a time in the reference, s."""
        return self.laid.to_joined(seconds * self.rate) / self.rate

    def frames_laid(self, hop_s: float, ours: int, theirs: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Indices of the frames of both sounds that lie on each other, where both are matched.

        hop_s: of both; ours, theirs: how many frames each has.
        """
        pairs = []
        for piece in self.laid.pieces:
            shift = round((piece.generated - piece.reference) / self.rate / hop_s)
            whole = len(self.laid.pieces) == 1
            first = 0 if whole else math.ceil(piece.reference / self.rate / hop_s)
            last = ours if whole else math.ceil((piece.reference + piece.length) / self.rate / hop_s)
            index = np.arange(max(first, -shift, 0), min(last, ours, theirs - shift))
            pairs.append((index, index + shift))
        if not pairs:
            return np.zeros(0, np.intp), np.zeros(0, np.intp)
        return np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])

    @cached_property
    def overlap_stfts(self) -> tuple[StftCache, StftCache]:
        """Power spectra of the overlap, neither level nor delay left in; a signal's own where it is in it whole."""
        first, second = (
            signal.stft if _is_whole(part, signal.mono) else StftCache(part, mean)
            for signal, part, mean in zip((self.reference, self.generated), self.overlap, self.means, strict=True)
        )
        return first, second

    @cached_property
    def distances(self) -> SpectralDistance:
        """One pass over both spectra at three resolutions."""
        return measure_spectra(*self.overlap_stfts, self.gain, self.rate)

    @cached_property
    def swings(self) -> Swings:
        """Where the level dips under the reference's, or bursts over it, on the overlap."""
        return measure_swings(self.cells)

    @cached_property
    def voices(self) -> Voices:
        """The pitch of both, frame on frame."""
        signals = self.reference, self.generated
        tracks = [signal.pitch for signal in signals]
        hop_s = tracks[0].hop_s
        places = self.frames_laid(hop_s, tracks[0].f0_hz.size, tracks[1].f0_hz.size)
        ours, theirs = (track.f0_hz[place] for track, place in zip(tracks, places, strict=True))
        return Voices(signals, (ours, theirs), hop_s, places)

    @cached_property
    def folded(self) -> Folded:
        """What of the reference above the lower rate's range is heard inside it, of a copy at that rate."""
        ratio = self.native.rate / self.rate
        return measure_folding(self.native.mono, self.reference.mono, self.laid, ratio, self.means, self._signed_gain)

    @property
    def _signed_gain(self) -> float:
        return self.gain * (self.timeline.polarity or 1)

    @cached_property
    def cells(self) -> Cells:
        """Short-time powers of the overlap by octaves, and of a copy what a gain leaves over."""
        copy = self.timeline.method == "waveform"
        return measure_cells(*self.overlap, self.means, self._signed_gain, self.rate, copy=copy)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Where a copy is locally wrong, on the overlap; none where it is no copy."""
        if self.timeline.method != "waveform":
            return ()
        joints = [piece.joined for piece in self.laid.pieces[1:]]
        return find_places(self.cells, self.overlap, self.means, self._signed_gain, joints)

    def worst_stretch(self, size: int) -> slice:
        """The size samples of the overlap with the largest log-spectral distance; all of a shorter one."""
        length = self.overlap[0].size
        if length <= size:
            return slice(0, length)
        distances = self.distances.log_spectral
        frames = max(round(size / length * distances.size), 1)
        worst = int(np.argmax(window_sums(distances, frames)))
        start = min(round(worst / distances.size * length), length - size)
        return slice(start, start + size)

    def forget_stfts(self) -> None:
        """Let all power spectra go, ten times as large as the samples; what was measured stays."""
        for stft in (*self.__dict__.get("overlap_stfts", ()), *(signal.stft for signal in self.files)):
            stft.forget()
        self.reference.stft.forget()
        self.generated.stft.forget()
        for pair in self.__dict__.get("apart", {}).values():
            pair.forget_stfts()

    @property
    def caveat(self) -> str | None:
        """What to read with a number that needs the two sounds laid on each other."""
        if self.timeline.method != "none":
            return None
        return f"not aligned: no delay correlates (best r {self.timeline.correlation:.2f}); both start at 0 s"

    @property
    def unrelated(self) -> bool:
        """Whether the generated sound is one of its own; not where a bias says that something is broken."""
        if self.channels is not None and self.channels.copies:
            return False
        now, before = self.generated.moments, self.reference.moments
        biased = now.mean**2 > BIASED * now.mean_square and before.mean**2 <= BIASED * before.mean_square
        return self.timeline.other and not biased

    @property
    def silent(self) -> bool:
        """Whether either sound has no energy beside its bias."""
        return self.reference.moments.silent or self.generated.moments.silent


def pair_of(files: tuple[Signal, Signal]) -> Pair:
    """Both mixes at the lower of the two rates, so that nothing is compared that one of them cannot hold.

    Where the channels of either cancel each other, the mean says nothing: then it is the reference's loudest channel.
    """
    rate = min(file.rate for file in files)
    alone = loudest_channel(files[0].audio) if any(file.cancels for file in files) else None
    native = [
        file
        if alone is None or file.audio.channels == 1
        else Signal(mixed(file.audio, min(alone, file.audio.channels)))
        for file in files
    ]
    common = [each if each.rate == rate else Signal(resample(mixed(each.audio, MEAN), rate)) for each in native]
    return Pair(common[0], common[1], files, native[0])


def _is_whole(part: Samples, samples: Samples) -> bool:
    """Whether part is a view of all samples."""
    return part.size == samples.size and np.may_share_memory(part, samples)
