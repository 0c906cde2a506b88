"""From strengths to an order and to confidences: who explains whom, and how often such a finding was right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.causes.cause import Cause, Explained

if TYPE_CHECKING:
    from collections.abc import Sequence

MEL = ("vocoder-input-scale", "power-magnitude", "level-reference-lost", "mel-range")
MADE_UP = (
    "phase-incoherent",
    "high-frequency-loss",
    "gain",
    "tilt",
    "noise",
    "edge-artifact",
    "band-gap",
    "clicks",
    "mono-stereo",
)
# What follows from what.  A cause in the table comes before those it explains, and they are folded under it.
EXPLAINS: dict[str, frozenset[str]] = {
    "vocoder-input-scale": frozenset(
        {
            *MADE_UP,
            "dc-offset",
            "clipping",
            "frame-rate-hum",
            "time-structure-lost",
            "dropout",
            "pitch",
            "mel-range",
            "time-stretch",
            "delay",
            "truncated",
            "padded",
            "hum",
            "level-reference-lost",
            "power-magnitude",
            "sample-rate",
        }
    ),
    "sample-rate": frozenset(
        {
            *MADE_UP,
            "pitch",
            "time-stretch",
            "delay",
            "truncated",
            "padded",
            "time-structure-lost",
            "mel-range",
            "dropout",
            "power-magnitude",
        }
    ),
    "time-stretch": frozenset(
        {
            *MADE_UP,
            "delay",
            "truncated",
            "padded",
            "time-structure-lost",
            "dropout",
            "level-reference-lost",
            "power-magnitude",
        }
    ),
    "mel-range": frozenset({*MADE_UP, "pitch", "dropout", "level-reference-lost"}),
    "power-magnitude": frozenset({*MADE_UP, "dropout", "time-structure-lost", "clipping", "level-reference-lost"}),
    "level-reference-lost": frozenset(MADE_UP),
    "time-structure-lost": frozenset({*MADE_UP, "delay", "dropout", "time-stretch", "truncated", "padded"}),
    "pitch": frozenset({*MADE_UP, "dropout"}),
    "phase-incoherent": frozenset({"gain", "noise", "edge-artifact", "tilt", "clicks", "pitch"}),
    "clipping": frozenset(
        {"gain", "noise", "edge-artifact", "dropout", "phase-incoherent", "tilt", "high-frequency-loss"}
    ),
    "quantisation": frozenset({"noise", "dropout", "spectral-holes", "gain", "edge-artifact"}),
    "dropout": frozenset(
        {"gain", "clicks", "spectral-holes", "phase-incoherent", "noise", "edge-artifact", "time-structure-lost"}
    ),
    "high-frequency-loss": frozenset(
        {
            "gain",
            "dropout",
            "spectral-holes",
            "phase-incoherent",
            "tilt",
            "time-structure-lost",
            "noise",
            "edge-artifact",
            "delay",
        }
    ),
    "band-gap": frozenset({"gain", "dropout", "spectral-holes", "phase-incoherent", "tilt", "noise"}),
    "tilt": frozenset({"gain", "dropout", "spectral-holes", "phase-incoherent", "edge-artifact"}),
    "spectral-holes": frozenset({"high-frequency-loss", "gain", "phase-incoherent", "noise"}),
    "hum": frozenset({"frame-rate-hum", "edge-artifact", "noise", "pitch", "gain", "tilt", "phase-incoherent"}),
    "frame-rate-hum": frozenset(
        {"hum", "edge-artifact", "noise", "pitch", "gain", "tilt", "phase-incoherent", "spectral-holes"}
    ),
    "noise": frozenset({"edge-artifact", "tilt"}),
    "clicks": frozenset({"noise", "edge-artifact", "phase-incoherent"}),
    "edge-artifact": frozenset({"noise", "clicks"}),
    "delay": frozenset({"truncated"}),
    "mono-stereo": frozenset({"gain"}),
}
EXPLAINING = 0.45


def ranked(found: Sequence[Cause]) -> tuple[Cause, ...]:
    """Strongest first, what others explain folded under the strongest of them; confidences in place of strengths."""
    remaining = sorted(found, key=lambda cause: -cause.confidence)
    kept: list[Cause] = []
    while remaining:
        # What nothing that is left explains; in a circle, the strongest.
        head = next((c for c in remaining if not any(_explains(other, c) for other in remaining)), remaining[0])
        folded = [other for other in remaining if _explains(head, other)]
        explains = tuple(Explained(other.id, other.summary) for other in folded)
        kept.append(msgspec.structs.replace(head, explains=explains))
        remaining = [other for other in remaining if other is not head and other not in folded]
    kept.sort(key=lambda cause: -cause.confidence)
    return tuple(msgspec.structs.replace(cause, confidence=confidence(cause, kept)) for cause in kept)


def _explains(one: Cause, other: Cause) -> bool:
    if one is other or other.id not in EXPLAINS.get(one.id, ()):
        return False
    mutual = one.id in EXPLAINS.get(other.id, ())
    return one.confidence >= EXPLAINING and one.confidence >= (1.0 if mutual else 0.6) * other.confidence


def confidence(cause: Cause, rivals: Sequence[Cause]) -> float:
    """Strength times its part of all strengths squared."""
    total = sum(rival.confidence**2 for rival in rivals) + 0.02
    return round(float(cause.confidence * cause.confidence**2 / total), 3)
