"""From strengths to an order and to confidences: who explains whom, and how often such a finding was right."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from diagnose.results.cause import Cause, Explained

if TYPE_CHECKING:
    from collections.abc import Sequence

# What a resynthesis does to a sound by itself: phases made up, a mel's upper end, a smeared spectrum, one channel.
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
    "dropout",
    "modulation",
)
# What another length or order of the frames looks like.
MISPLACED = ("delay", "truncated", "padded", "time-structure-lost")
# What a fault of the whole leaves where it is worst.
MOMENTS = ("chunk-seams", "segment-replaced")
BANDS = (
    "gain",
    "tilt",
    "phase-incoherent",
    "noise",
    "edge-artifact",
    "spectral-holes",
    "dropout",
    "time-structure-lost",
    "delay",
)
# What an edit of the time axis does to the whole, and to its borders.
EDITED = (*MISPLACED, "clicks", "edge-artifact", "time-stretch", "sample-rate", "phase-incoherent", "gain")
# What stretches look like that are gone, or stuck at full scale; and, where they are much, what they do to the whole.
GONE_OR_STUCK = (
    "dropout",
    "clicks",
    "chunk-seams",
    "segment-replaced",
    "clipping",
    "segment-lost",
    "segment-inserted",
    "segment-repeated",
    "truncated",
    "padded",
    "edge-artifact",
    "modulation",
    "noise",
    "phase-incoherent",
    "spectral-holes",
    "band-gap",
    "time-structure-lost",
)
LEVEL_OF_THE_WHOLE = ("dc-offset", "different-content", "gain", "high-frequency-loss", "mono-stereo", "tilt")
# What follows from what.  A cause comes before those it explains, and they are folded under it.
FOLLOWS: dict[str, tuple[str, ...]] = {
    "non-finite": (*GONE_OR_STUCK, *LEVEL_OF_THE_WHOLE),
    "vocoder-input-scale": (
        *MADE_UP,
        *MISPLACED,
        "dc-offset",
        "clipping",
        "frame-rate-hum",
        "pitch",
        "mel-range",
        "time-stretch",
        "hum",
        "level-reference-lost",
        "power-magnitude",
        "sample-rate",
    ),
    "segment-lost": (*EDITED, "segment-inserted"),
    "segment-inserted": EDITED,
    "tail-added": (*EDITED, "frame-rate-hum", "hum", "noise", "padded", "modulation", "time-structure-lost"),
    "foreign-data": (
        *EDITED,
        *GONE_OR_STUCK,
        *LEVEL_OF_THE_WHOLE,
        "tail-added",
        "clicks",
        "noise",
        "edge-artifact",
        "chunk-seams",
        "gain",
        "segment-inserted",
        "segment-replaced",
    ),
    "segment-repeated": (*EDITED, "segment-lost", "segment-inserted"),
    "sample-rate": (
        *MADE_UP,
        *MISPLACED,
        *EDITED,
        "spectral-holes",
        "pitch",
        "time-stretch",
        "mel-range",
        "power-magnitude",
    ),
    "wow": (
        *MADE_UP,
        *MISPLACED,
        *EDITED,
        "pitch",
        "segment-lost",
        "segment-inserted",
        "segment-repeated",
        "time-stretch",
    ),
    "time-stretch": (*MADE_UP, *MISPLACED, "level-reference-lost", "power-magnitude"),
    "mel-range": (*MADE_UP, "pitch", "level-reference-lost"),
    "power-magnitude": (*MADE_UP, "time-structure-lost", "clipping", "level-reference-lost"),
    "level-reference-lost": MADE_UP,
    "time-structure-lost": (
        *MADE_UP,
        *MISPLACED,
        "segment-lost",
        "segment-inserted",
        "tail-added",
        "time-stretch",
        "pitch-flattened",
    ),
    "pitch": (*MADE_UP, "frame-rate-hum"),
    "octave-error": (*MADE_UP, "pitch", "frame-rate-hum", "hum", "spectral-holes"),
    "pitch-flattened": (*MADE_UP, "pitch", "frame-rate-hum", "hum", "spectral-holes"),
    "voicing-lost": (*MADE_UP, "pitch", "spectral-holes", "level-reference-lost", "clipping"),
    "phase-incoherent": ("noise", "edge-artifact", "tilt", "clicks", "pitch", "mono-stereo"),
    "clipping": (
        "modulation",
        "gain",
        "dc-offset",
        "noise",
        "edge-artifact",
        "dropout",
        "phase-incoherent",
        "tilt",
        "high-frequency-loss",
        *MOMENTS,
    ),
    "quantisation": (*MOMENTS, "clicks", "modulation", "noise", "dropout", "spectral-holes", "gain", "edge-artifact"),
    "dropout": ("modulation", *BANDS, "high-frequency-loss", "band-gap", "truncated", "clicks"),
    "high-frequency-loss": tuple(cause for cause in BANDS if cause != "spectral-holes"),
    "band-gap": tuple(cause for cause in BANDS if cause != "spectral-holes"),
    "spectral-holes": (*MOMENTS, *BANDS, "high-frequency-loss", "band-gap"),
    "tilt": (*MOMENTS, "gain", "dropout", "phase-incoherent", "edge-artifact", "spectral-holes", "clipping"),
    "hum": (
        "frame-rate-hum",
        "edge-artifact",
        "noise",
        "pitch",
        "gain",
        "tilt",
        "phase-incoherent",
        "band-gap",
        "high-frequency-loss",
    ),
    "frame-rate-hum": ("hum", "edge-artifact", "noise", "pitch", "gain", "tilt", "phase-incoherent", "spectral-holes"),
    "noise": (*MOMENTS, "gain", "edge-artifact", "tilt", "phase-incoherent"),
    "clicks": ("gain", "noise", "edge-artifact", "phase-incoherent"),
    "edge-artifact": (*MOMENTS, "gain", "noise", "clicks", "phase-incoherent"),
    "delay": ("truncated",),
    "dc-offset": ("gain",),
    "polarity": ("gain",),
    "truncated": ("gain", "delay"),
    "padded": ("gain",),
    "modulation": (*MOMENTS, "gain", "phase-incoherent", "noise", "edge-artifact", "spectral-holes", "tilt"),
    "mono-stereo": ("gain", "modulation", "phase-incoherent", "dropout", "noise", "spectral-holes"),
    "chunk-seams": ("clicks", "dropout", "segment-replaced", "edge-artifact", "modulation", "phase-incoherent", "gain"),
    "segment-replaced": ("edge-artifact", "modulation", "phase-incoherent", "gain", "noise"),
    "aliasing": ("clicks", "noise", "phase-incoherent", "chunk-seams", "segment-replaced", "high-frequency-loss"),
}
EXPLAINING = 0.45
LEAST = 0.03
DOUBT = 0.02  # the weight of all causes that are not in the list
# (weight, how often such a cause was right): isotonic regression over benchmarks/faults.py, sounds not held out, all
# severities.
CALIBRATION = (
    (0.0, 0.0),
    (0.02, 0.10),
    (0.05, 0.25),
    (0.10, 0.40),
    (0.65, 0.47),
    (0.75, 0.74),
    (0.85, 0.80),
    (0.90, 0.90),
    (0.93, 0.98),
    (1.0, 0.99),
)


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
    judged = (msgspec.structs.replace(cause, confidence=confidence(cause, kept)) for cause in kept)
    return tuple(cause for cause in judged if cause.confidence >= LEAST)


def _explains(one: Cause, other: Cause) -> bool:
    if one is other or other.id not in FOLLOWS.get(one.id, ()):
        return False
    mutual = one.id in FOLLOWS.get(other.id, ())
    return one.confidence >= EXPLAINING and one.confidence >= (1.0 if mutual else 0.6) * other.confidence


def confidence(cause: Cause, rivals: Sequence[Cause]) -> float:
    """How often a finding of this weight was right; weight: strength times its part of all strengths squared."""
    total = sum(rival.confidence**2 for rival in rivals) + DOUBT
    weight = cause.confidence**3 / total
    for (low, was), (high, becomes) in pairwise(CALIBRATION):
        if weight <= high:
            return round(was + (becomes - was) * (weight - low) / (high - low), 3)
    return CALIBRATION[-1][1]
