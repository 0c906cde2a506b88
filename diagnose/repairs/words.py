"""What cannot be undone, and why."""

from __future__ import annotations

LEAST_CONFIDENCE = 0.3  # of a cause that is worth saying that it stays

NO_COPY = "the waveform is not the reference's: nothing can be undone sample by sample"
NO_WAY = "it is not among the steps that can be undone"
NO_NEARER = "undone, the sound would be no nearer to the reference"
FARTHEST = "what lies over 30 dB too low is made louder by no more than that, for it would be noise"

# Causes whose step is taken back in part or not at all, though it is known.
LOST: dict[str, str] = {
    "noise": "noise is known by its level alone, not sample by sample",
    "clipping": "what was cut flat is lost",
    "dropout": "what was silenced is lost",
    "gated": "what was silenced is lost",
    "quantisation": "what was rounded off is lost",
    "silent": "there is nothing that could be made louder",
    "spectral-holes": "what was left out is lost",
    "truncated": "what was cut off is lost",
    "segment-lost": "what was there is lost",
    "segment-replaced": "what was there is lost",
    "non-finite": "those samples are lost; the others lie beside what was put in their place",
    "mono-stereo": "how the channels differed is lost",
    "different-content": "it is another sound",
    "phase-incoherent": "the phases are lost",
    "time-structure-lost": "the order in time is lost",
    "over-smoothed": "the detail is lost",
}
# Filters: their inverse is held to +30 dB (LEAST_UNDONE of explain.spectrum), so that it is no amplifier of noise.
IN_PART: dict[str, str] = dict.fromkeys(("high-frequency-loss", "low-frequency-loss", "band-gap"), FARTHEST)


def why_left(id: str, *, copy: bool) -> str:  # noqa: A002 - the contract's word
    """Why a cause is not undone; copy: whether the generated sound has the reference's waveform."""
    return LOST.get(id) or (NO_WAY if copy else NO_COPY)
