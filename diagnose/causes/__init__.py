"""Root causes: one function a hypothesis, from Evidence to a Cause or None; name_causes() asks all and orders them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.causes import added, level, mel, spectrum, time
from diagnose.causes.cause import Cause, Explained
from diagnose.causes.evidence import Evidence
from diagnose.causes.rank import ranked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from diagnose.metrics import Pair
    from diagnose.verdicts import MetricRow

HYPOTHESES: tuple[Callable[[Evidence], Cause | None], ...] = (
    mel.vocoder_input_scale,
    mel.power_magnitude,
    mel.level_reference_lost,
    mel.mel_range,
    time.sample_rate,
    time.time_stretch,
    time.time_structure_lost,
    time.delay,
    time.truncated,
    time.padded,
    time.dropout,
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
    spectrum.pitch,
    added.noise,
    added.hum,
    added.frame_rate_hum,
    added.clicks,
    added.edge_artifact,
)


def name_causes(pair: Pair, rows: Mapping[str, MetricRow]) -> tuple[Cause, ...]:
    """What most likely broke, most likely first; () where no hypothesis holds."""
    evidence = Evidence(pair, rows)
    if evidence.silent:
        return ()
    return ranked([found for found in (hypothesis(evidence) for hypothesis in HYPOTHESES) if found])


__all__ = ["HYPOTHESES", "Cause", "Evidence", "Explained", "name_causes"]
