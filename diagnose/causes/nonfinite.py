"""The cause of samples that are no numbers: NaN or infinite; or stuck at full scale, which NaN becomes in a cast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.causes.level import SURE
from diagnose.causes.rank import FOLLOWS, LEVEL_OF_THE_WHOLE
from diagnose.causes.words import milliseconds, percent
from diagnose.results.cause import Cause, Explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.broken import Broken
    from diagnose.causes.evidence import Evidence

LIKELY = 0.75  # of a stuck stretch: a buffer that is stuck, or silence that was read wrongly, look the same
BRIEF_S = 0.001  # a shorter stretch is filled by a line that is hardly heard
FEW = 1e-3  # share of such short stretches from which on they are heard: they are 30 dB under the sound
MUCH = 0.01  # share from which on they move the level and the spectrum of the whole: by 0.04 dB
AUDIBLE_DB = 1.0
SOURCES = "fp16 overflow, log of 0, 0 / 0, a filter or a normalisation fed with either"


def non_finite(e: Evidence) -> Cause | None:
    """Samples that are NaN or infinite; or a stretch of 5 ms or more at one value of full scale, NaN after a cast.

    Misleads: a buffer that is stuck at full scale looks as NaN does after a cast.
    """
    broken = e.pair.files[1].audio.broken
    return _stuck(e) if broken is None else _broken(broken, e)


def _broken(broken: Broken, e: Evidence) -> Cause:
    file = e.pair.files[1].audio
    start, end = broken.longest
    if broken.share == 1:
        said = "every sample is NaN or infinite"
    elif broken.count == 1:
        said = f"1 sample is NaN or infinite, at {broken.first_s:.3f} s"
    else:
        said = f"{percent(broken.share)} of the samples are NaN or infinite, from {broken.first_s:.3f} s on"
    return Cause(
        "non-finite",
        SURE,
        said,
        (
            f"{broken.count} of {file.samples.size} samples, from {broken.first_s:.3f} s on; none in the reference",
            f"the longest stretch is {start:.3f} to {end:.3f} s ({_length(end - start)})",
            f"channel {', '.join(map(str, broken.channels))} of {file.channels}",
        ),
        f"find the first stage whose output is not finite ({SOURCES}): check np.isfinite(x).all() after each, from the "
        "mel to the vocoder, and refuse to write what fails np.isfinite(audio).all()",
        channel=broken.channels[0] if len(broken.channels) == 1 < file.channels else None,
    )


def _stuck(e: Evidence) -> Cause | None:
    row = e.rows["stuck_share"]
    if row.verdict not in ("WARN", "FAIL") or not row.generated:
        return None
    first, start, end, value = (float(row.detail[name]) for name in ("first_s", "start_s", "end_s", "value"))
    if row.generated == 1:
        said = f"every sample is {value:+.4g}"
    else:
        said = f"{percent(row.generated)} of the samples are stuck at {value:+.4g}, from {first:.3f} s on"
    return Cause(
        "non-finite",
        SURE if row.generated == 1 else LIKELY,
        f"{said}: what NaN becomes as an integer",
        (
            f"stuck_share {percent(row.generated)}, the reference has {percent(row.reference or 0.0)}",
            f"the longest stretch is {start:.3f} to {end:.3f} s ({_length(end - start)})",
            "a buffer that is stuck at full scale looks the same",
        ),
        f"look for NaN or Inf before the cast to integers ({SOURCES}): check np.isfinite(audio).all()",
    )


def _length(seconds: float) -> str:
    return f"{1000 * seconds:.2g} ms" if seconds < 0.001 else milliseconds(seconds)


def with_what_follows(head: Cause, found: Sequence[Cause], e: Evidence) -> tuple[Cause, list[Cause]]:
    """head, with what follows from it folded under it; and the others that were found."""
    if _share(e) == 1:
        return head, []
    ids = _following(e)
    folded = sorted((cause for cause in found if cause.id in ids), key=lambda cause: -cause.confidence)
    explains = tuple(Explained(cause.id, cause.summary) for cause in folded)
    return msgspec.structs.replace(head, explains=explains), [cause for cause in found if cause.id not in ids]


def _following(e: Evidence) -> set[str]:
    """Ids of what so many samples, in such stretches, can have done."""
    share = _share(e)
    if share < FEW and _longest_s(e) < BRIEF_S:
        return set()
    ids = set(FOLLOWS["non-finite"])
    if share < MUCH:
        ids -= set(LEVEL_OF_THE_WHOLE)
    elif e.after("nonfinite_share") and _has_a_gain(e):
        ids.discard("gain")
    return ids


def _has_a_gain(e: Evidence) -> bool:
    """Whether the median frame is louder or quieter than the reference's; not where half of them may be broken."""
    half = 0.5 * e.pair.files[1].audio.duration_s
    if e.method not in ("waveform", "spectrogram") or _longest_s(e) > half:
        return False
    frames = e.pair.distances
    heard = frames.sounding & ~frames.gone
    if not heard.any():
        return False
    ratio = float(np.median(frames.generated_energy[heard] / frames.reference_energy[heard]))
    return abs(20 * np.log10(e.pair.gain) + 10 * np.log10(ratio)) > AUDIBLE_DB


def _share(e: Evidence) -> float:
    return max(e.change("nonfinite_share"), e.change("stuck_share"))


def _longest_s(e: Evidence) -> float:
    details = [e.rows[name].detail for name in ("nonfinite_share", "stuck_share")]
    return max(float(detail.get("end_s", 0)) - float(detail.get("start_s", 0)) for detail in details)
