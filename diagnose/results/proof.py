"""Proof: what undoing came to, beside the causes that it named."""

from __future__ import annotations

import msgspec


class Left(msgspec.Struct, frozen=True):
    """What no step explains: its distance in dB of the reference, what it looks like, and the distance of the whole."""

    db: float
    summary: str
    before_db: float


class Proof(msgspec.Struct, frozen=True):
    """The chain of causes that was applied to the reference, as far as it goes.

    space: in which its distances were taken: "waveform", in dB of the reference, or "log-mel", the dB by which levels
    are apart (root of a mean square); figures of two spaces are never compared.
    alternatives: chains of cause ids that cannot be told from this one.
    """

    space: str
    left: Left
    alternatives: tuple[tuple[str, ...], ...] = ()
