"""Random mel conventions, computed by librosa: the oracle that the inference is asked against.

Nothing here calls diagnose's own STFT, filterbank or scales, so a mistake that both share would have to be librosa's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import librosa
import msgspec
import numpy as np

if TYPE_CHECKING:
    from diagnose.arrays import Floats

# Rates with the (n_fft, hop) that people use at them.
FRAMINGS: dict[int, tuple[tuple[int, int], ...]] = {
    16_000: ((400, 160), (512, 128), (512, 160), (800, 200), (1024, 256), (1024, 200), (400, 200), (1280, 320)),
    22_050: ((1024, 256), (1024, 256), (2048, 512), (1024, 512), (2048, 275), (1024, 220), (512, 128)),
    24_000: ((1024, 256), (2048, 300), (1200, 300), (1024, 240), (2048, 512), (1920, 480)),
    32_000: ((1024, 320), (2048, 512), (1024, 256)),
    44_100: ((2048, 512), (1024, 256), (2048, 441), (2048, 1024), (4096, 1024)),
    48_000: ((2048, 512), (1024, 256), (2048, 480), (1024, 480), (4096, 1200)),
}
BANDS = (40, 64, 80, 80, 80, 96, 100, 128, 128)
FMIN = (0.0, 0.0, 0.0, 20.0, 30.0, 40.0, 50.0, 55.0, 80.0, 80.0, 125.0)
FILTERS = (("slaney", "slaney"),) * 4 + (("htk", "none"),) * 3 + (("slaney", "none"), ("htk", "slaney"))
PADDINGS = ("centre", "centre-reflect", "same-reflect", "none")
SCALES = (
    "power",
    "magnitude",
    "power-db",
    "magnitude-db",
    "ln-magnitude",
    "log10-magnitude",
    "ln-power",
    "normalised",
)


class Convention(msgspec.Struct, frozen=True):
    """What a program computes; the names are those of `diagnose.mel/1`."""

    scale: str
    rate_hz: int
    n_fft: int
    hop: int
    bands: int
    fmin_hz: float
    fmax_hz: float
    formula: str
    norm: str
    padding: str
    clip: float | None = None
    reference: float | str = 1.0
    top_db: float | None = None
    spread: tuple[float, float] = (0.0, 1.0)  # what a normalised array is laid on
    range_db: float = 100.0

    @property
    def centred(self) -> bool:
        return self.padding.startswith("centre")


def draw(rng: np.random.Generator, scale: str) -> Convention:
    """A convention of that scale, its other fields drawn from what is in use; one fmax in five is any number."""
    rate = int(rng.choice(list(FRAMINGS)))
    n_fft, hop = FRAMINGS[rate][rng.integers(len(FRAMINGS[rate]))]
    bands = int(rng.choice(BANDS))
    while n_fft < 5 * bands:  # filters narrower than a bin are empty
        bands = int(rng.choice(BANDS))
    fmax = [hz for hz in (7600.0, 8000.0, 8000.0, 12_000.0, 16_000.0) if hz <= rate / 2] + [rate / 2, rate / 2]
    fmax.append(round(float(rng.uniform(0.25, 0.5)) * rate))
    formula, norm = FILTERS[rng.integers(len(FILTERS))]
    made = Convention(
        scale,
        rate,
        n_fft,
        hop,
        bands,
        float(rng.choice(FMIN)),
        float(fmax[rng.integers(len(fmax))]),
        formula,
        norm,
        str(rng.choice(PADDINGS)),
    )
    return _levels(made, rng)


def _levels(made: Convention, rng: np.random.Generator) -> Convention:
    def change(**fields: Any) -> Convention:
        return msgspec.convert({**msgspec.to_builtins(made), **fields}, Convention)

    match made.scale:
        case "power-db" | "magnitude-db":
            amin = 1e-10 if made.scale == "power-db" else 1e-5
            reference = "max" if rng.random() < 0.5 else 1.0
            return change(reference=reference, clip=amin, top_db=80.0 if rng.random() < 0.7 else None)
        case "ln-magnitude":
            return change(clip=float(rng.choice([1e-5, 1e-5, 1e-7, 1e-10])))
        case "log10-magnitude":
            return change(clip=float(rng.choice([1e-5, 1e-10])))
        case "ln-power":
            return change(clip=float(rng.choice([1e-10, 1e-5, 2.0**-24])))
        case "normalised":
            spread = ((0.0, 1.0), (-1.0, 1.0), (-4.0, 4.0))[rng.integers(3)]
            return change(spread=spread, range_db=float(rng.choice([80.0, 100.0])))
    return made


def mel(samples: Floats, made: Convention) -> Floats:
    """Values [shape=(bands, frames)], float32, of samples at the convention's rate."""
    spectra = np.abs(_stft(np.asarray(samples, np.float32), made))
    pooled = spectra**2 if made.scale in ("power", "power-db", "ln-power") else spectra
    basis = librosa.filters.mel(
        sr=made.rate_hz,
        n_fft=made.n_fft,
        n_mels=made.bands,
        fmin=made.fmin_hz,
        fmax=made.fmax_hz,
        htk=made.formula == "htk",
        norm=None if made.norm == "none" else "slaney",
    )
    return np.asarray(_scaled(basis @ pooled, made), np.float32)


def _stft(samples: Floats, made: Convention) -> Floats:
    if made.padding == "same-reflect":
        samples = np.pad(samples, (made.n_fft - made.hop) // 2, mode="reflect")
    return librosa.stft(
        samples,
        n_fft=made.n_fft,
        hop_length=made.hop,
        center=made.centred,
        pad_mode="reflect" if made.padding == "centre-reflect" else "constant",
    )


def _scaled(pooled: Floats, made: Convention) -> Floats:
    reference = np.max if made.reference == "max" else 1.0
    match made.scale:
        case "power-db":
            return librosa.power_to_db(pooled, ref=reference, amin=made.clip, top_db=made.top_db)
        case "magnitude-db":
            return librosa.amplitude_to_db(pooled, ref=reference, amin=made.clip, top_db=made.top_db)
        case "ln-magnitude" | "ln-power":
            return np.log(np.maximum(pooled, made.clip))
        case "log10-magnitude":
            return np.log10(np.maximum(pooled, made.clip))
        case "normalised":  # Rayhane's Tacotron 2: 20 dB is the reference level, range_db under it the bottom
            level = 20 * np.log10(np.maximum(pooled, 1e-5)) - 20
            low, high = made.spread
            return np.clip(low + (high - low) * (level + made.range_db) / made.range_db, low, high)
    return pooled
