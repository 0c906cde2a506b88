"""One operation: samples through mu-law or A-law, one way, as if the result were linear."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from diagnose.operations.operation import Fitted, left_and_gain

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.arrays import Floats
    from diagnose.operations.operation import Predicted
    from diagnose.operations.scene import Scene

MU, A = 255.0, 87.6  # of ITU-T G.711
LEFT = 0.1  # of the power, at most, that a law leaves, and
LESS = 0.25  # of what a gain leaves


def encode_mu(samples: Floats) -> Floats:
    """sign(x) ln(1 + mu |x|) / ln(1 + mu), |x| up to 1."""
    return np.asarray(np.sign(samples) * np.log1p(MU * np.abs(samples)) / np.log1p(MU))


def decode_mu(samples: Floats) -> Floats:
    """The inverse of encode_mu."""
    return np.asarray(np.sign(samples) * np.expm1(np.abs(samples) * np.log1p(MU)) / MU)


def encode_a(samples: Floats) -> Floats:
    """sign(x) A |x| / (1 + ln A) below 1 / A, else sign(x) (1 + ln(A |x|)) / (1 + ln A)."""
    size = np.abs(samples)
    bent = np.where(size < 1 / A, A * size, 1 + np.log(np.maximum(A * size, 1e-30)))
    return np.asarray(np.sign(samples) * bent / (1 + np.log(A)))


def decode_a(samples: Floats) -> Floats:
    """The inverse of encode_a."""
    size = np.abs(samples) * (1 + np.log(A))
    return np.asarray(np.sign(samples) * np.where(size < 1, size, np.exp(np.minimum(size, 50.0) - 1)) / A)


def _through_bytes(samples: Floats, written: str, read: str) -> Floats:
    """The samples written as bytes of one law, and read as those of the other; libsndfile knows both."""
    data = io.BytesIO()
    soundfile.write(data, np.clip(samples, -1.0, 1.0), 8000, format="RAW", subtype=written)
    data.seek(0)
    made, _ = soundfile.read(data, samplerate=8000, channels=1, format="RAW", subtype=read, dtype="float64")
    return np.asarray(made)


def mu_as_a(samples: Floats) -> Floats:
    """Bytes of mu-law read as A-law."""
    return _through_bytes(samples, "ULAW", "ALAW")


def a_as_mu(samples: Floats) -> Floats:
    """Bytes of A-law read as mu-law."""
    return _through_bytes(samples, "ALAW", "ULAW")


def through_mu(samples: Floats) -> Floats:
    """To eight bits of mu-law and back."""
    return _through_bytes(samples, "ULAW", "ULAW")


def through_a(samples: Floats) -> Floats:
    """To eight bits of A-law and back."""
    return _through_bytes(samples, "ALAW", "ALAW")


# name of the parameter: (what was done, what undoes it)
LAWS: dict[str, tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]] = {
    "mu-law encoded": (encode_mu, decode_mu),
    "mu-law decoded": (decode_mu, encode_mu),
    "A-law encoded": (encode_a, decode_a),
    "A-law decoded": (decode_a, encode_a),
    "mu-law rounded": (through_mu, np.copy),
    "A-law rounded": (through_a, np.copy),
    "mu-law misread": (mu_as_a, a_as_mu),
    "A-law misread": (a_as_mu, mu_as_a),
}


def companded(scene: Scene, before: Predicted) -> Fitted | None:
    """b = g law(a), of these laws that which leaves the least, where it leaves far less than a gain does."""
    straight = left_and_gain(before.samples, scene.generated)[0]
    tried = {name: left_and_gain(law(before.samples), scene.generated) for name, (law, _) in LAWS.items()}
    name = min(tried, key=lambda each: tried[each][0])
    (left, gain), (law, inverse) = tried[name], LAWS[name]
    if left > min(LEFT, LESS * straight) or gain <= 0:
        return None
    return Fitted(
        "companding",
        lambda x: gain * law(x),
        2,
        {name: (gain, "gain")},
        undo=lambda y: inverse(np.clip(y / gain, -1.0, 1.0)),
    )
