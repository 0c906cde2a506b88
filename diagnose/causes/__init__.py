"""Root causes: one function a hypothesis, from Evidence to a Cause or None; name_causes() asks all and orders them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from diagnose.causes import (
    added,
    clock,
    foreign,
    level,
    mel,
    nonfinite,
    places,
    reading,
    spectrum,
    time,
    timeline,
    turned,
    voice,
)
from diagnose.causes.channels import name_channel_causes, with_broken_samples
from diagnose.causes.evidence import Evidence
from diagnose.causes.rank import FOLLOWS, ranked
from diagnose.causes.reading import Reread, right_reading
from diagnose.causes.unknown import unknown_cause
from diagnose.results.cause import Cause

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from diagnose.analysis import Pair
    from diagnose.results.report import MetricRow

Hypothesis = Callable[[Evidence], Cause | None]
HYPOTHESES: tuple[Hypothesis, ...] = (
    nonfinite.non_finite,
    mel.vocoder_input_scale,
    mel.power_magnitude,
    mel.level_reference_lost,
    mel.mel_range,
    turned.axes_exchanged,
    reading.misread,
    timeline.different_content,
    timeline.segment_lost,
    timeline.segment_inserted,
    timeline.segment_repeated,
    timeline.tail_added,
    foreign.foreign_data,
    clock.wow,
    time.sample_rate,
    time.time_stretch,
    time.time_structure_lost,
    time.delay,
    time.truncated,
    time.padded,
    time.dropout,
    time.modulation,
    level.gain,
    level.dc_offset,
    level.clipping,
    level.polarity,
    level.quantisation,
    level.mono_stereo,
    spectrum.high_frequency_loss,
    spectrum.tilt,
    spectrum.band_gap,
    spectrum.spectral_holes,
    spectrum.phase_incoherent,
    voice.octave_error,
    voice.pitch_flattened,
    voice.voicing_lost,
    spectrum.pitch,
    added.noise,
    added.hum,
    added.frame_rate_hum,
    added.clicks,
    added.edge_artifact,
    places.chunk_seams,
    places.segment_replaced,
    places.aliasing,
)

COSTLY: dict[Hypothesis, str] = {
    mel.mel_range: "mel-range",
    time.sample_rate: "sample-rate",
    time.time_stretch: "time-stretch",
    time.time_structure_lost: "time-structure-lost",
    spectrum.pitch: "pitch",
    spectrum.phase_incoherent: "phase-incoherent",
    spectrum.high_frequency_loss: "high-frequency-loss",
    spectrum.tilt: "tilt",
    spectrum.band_gap: "band-gap",
    added.hum: "hum",
    added.clicks: "clicks",
}
OF_TIMING: tuple[Hypothesis, ...] = (clock.wow, places.chunk_seams, time.sample_rate, time.time_stretch)
ALONE: tuple[Hypothesis, ...] = (reading.misread, turned.axes_exchanged, timeline.different_content)
APART: tuple[Hypothesis, ...] = (nonfinite.non_finite, *ALONE)
CERTAIN = 0.95
LIKELY_ALONE = 0.3  # of what stands alone: with less, the others are asked


def name_causes(pair: Pair, rows: Mapping[str, MetricRow], without: Collection[str] = ()) -> tuple[Cause, ...]:
    """What most likely broke, most likely first; () where no hypothesis holds.

    without: ids that are not known, to see what is said of what the catalogue does not have.
    """
    evidence = Evidence(pair, rows)
    alone = _alone(evidence, without)
    found = _asked(evidence, without) if alone is None else [alone]
    broken = None if "non-finite" in without else nonfinite.non_finite(evidence)
    if (
        alone is not None
        and alone.id in ("bytes-misread", "companding")
        and evidence.pair.files[1].audio.broken is None
    ):
        broken = None  # silence that was read as full scale
    if broken is not None:
        broken, found = nonfinite.with_what_follows(broken, found, evidence)
    others = ranked(found) if alone is None else tuple(found)
    return others if broken is None else (broken, *others)


def _alone(evidence: Evidence, without: Collection[str]) -> Cause | None:
    """The cause beside which no other could be told."""
    if evidence.silent or evidence.faint:
        return level.silence(evidence)
    # What was misread, or is another sound altogether, has no other fault that could be told.
    for first in ALONE:
        if (alone := first(evidence)) and alone.id not in without and alone.confidence >= LIKELY_ALONE:
            return msgspec.structs.replace(alone, confidence=CERTAIN * min(alone.confidence / CERTAIN, 1.0))
    return None


def _asked(evidence: Evidence, without: Collection[str]) -> list[Cause]:
    """The answers of the hypotheses on the samples that are numbers."""
    found: list[Cause] = []
    # What is another reading of the same content has no waveform or spectrum that ought to be the reference's.
    asked = OF_TIMING if evidence.method == "warped" else HYPOTHESES
    for hypothesis in asked:
        if hypothesis not in APART and not _settled(hypothesis, found) and (cause := hypothesis(evidence)):
            found.append(cause)
    found = [cause for cause in found if cause.id not in without]
    strongest = {cause.id: cause for cause in sorted(found, key=lambda cause: cause.confidence)}
    return [cause for cause in found if strongest[cause.id] is cause]


def _settled(hypothesis: Hypothesis, found: list[Cause]) -> bool:
    """Whether the answer would be folded away in any case: then the costly reading of two spectrograms is spared."""
    id = COSTLY.get(hypothesis)  # noqa: A001 - the contract's word
    return any(cause.confidence >= CERTAIN and id in FOLLOWS.get(cause.id, ()) for cause in found)


__all__ = [
    "HYPOTHESES",
    "Evidence",
    "Reread",
    "name_causes",
    "name_channel_causes",
    "right_reading",
    "unknown_cause",
    "with_broken_samples",
]
