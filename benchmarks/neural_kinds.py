"""What a break point of a model is: a kind, on a sound, at an amount, against one of two references.

    @voice_kind("scale", ("vocoder-input-scale",), (0.0, 1.0))      # neural_voice.py; there is one a pipeline
    def log10_for_ln(given, rng, amount):
        '''log10 given where natural logarithms are read.'''
        return changed features, or samples, or (samples, rate)

right: the ids that a strict but fair expert would accept as the first answer; of two that give the same sound, both.
traces: ids that are true of the pair and are not what is wrong, such as phases that Griffin-Lim makes anew: they are
not right, and not wrong either.  A kind without ids of its own is harmless: no FAIL, and nothing named at 0.8 or more
that is not a trace.  Nothing here asks diagnose what it thinks.
"""

from __future__ import annotations

import importlib.util
import zlib
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import sounds
from reported_kinds import DATA, IDS, rms

from diagnose.faults import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rng = np.random.Generator
    Made = tuple[Floats, int, Floats, int]
    # (sound, generator, amount, against): reference, its rate, generated, its rate
    Pipeline = Callable[[str, Rng, float, str], Made]

PLANNED = IDS - set(CATALOGUE) - {"unknown"}  # listed in the design, and not in the catalogue yet

# Own sentences, of 1 to 4 s; their names are those of sounds.
SENTENCES = {
    "said_ferry": "The ferry leaves at seven and the harbour is still dark.",
    "said_morning": "Good morning.",
    "said_umbrella": "Where did you put the green umbrella?",
    "said_boats": "Five small boats were tied to the wooden pier.",
    "said_lamp": "Please turn the lamp off before you go.",
    "said_snow": "Snow fell on the hills all night, and by dawn the road was gone.",
}
PLAYED = ("singing_voice", "plucked_melody", "flute", "hall_ensemble", "spoken_syllables", "reed_organ")
REAL = ("trumpet.ogg", "violin.wav", "speech.ogg")

PIPELINE, RECORDING = "pipeline", "recording"


class Kind(msgspec.Struct, frozen=True):
    """One break point.

    family: of the table of figures.  what: one line.  pool: names of the sounds it is tried on.  amounts: mild, then
    strong, or one where there is no degree.  against: the references it is tried with.  needs: modules that have to be
    installed for any of its pool.
    """

    name: str
    family: str
    what: str
    right: tuple[str, ...]
    traces: tuple[str, ...]
    amounts: tuple[float, ...]
    pool: tuple[str, ...]
    against: tuple[str, ...]
    needs: tuple[str, ...]
    pipeline: Pipeline

    @property
    def held_out(self) -> bool:
        return zlib.crc32(self.name.encode()) % 3 == 0

    @property
    def missing(self) -> list[str]:
        """Modules that are not installed."""
        return [module for module in self.needs if not installed(module)]

    def make(self, sound: str, amount: float, against: str, rng: Rng) -> Made:
        """(reference, its rate, generated, its rate), float64, one channel each."""
        reference, rate, generated, other = self.pipeline(sound, rng, amount, against)
        return np.asarray(reference, np.float64), rate, np.asarray(generated, np.float64), other


KINDS: dict[str, Kind] = {}


def keep(
    maker: Callable[..., object],
    family: str,
    right: Sequence[str],
    amounts: Sequence[float],
    *,
    traces: Sequence[str],
    pool: Sequence[str],
    against: Sequence[str],
    needs: Sequence[str],
    pipeline: Pipeline,
) -> None:
    """A function as a kind, under its name; the first paragraph of its docstring says what is broken."""
    what = " ".join((maker.__doc__ or "").split("\n\n")[0].split())
    name = maker.__name__
    if name in KINDS:
        raise ValueError(f"two kinds are called {name}")
    if unknown := (set(right) | set(traces)) - IDS:
        raise ValueError(f"{name}: no ids of causes: {sorted(unknown)}")
    KINDS[name] = Kind(
        name,
        family,
        what,
        tuple(right),
        tuple(traces),
        tuple(amounts),
        tuple(pool),
        tuple(against),
        tuple(needs),
        pipeline,
    )


# What there is


@cache
def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def held_sounds() -> set[str]:
    """Every third of the sentences and of the played sounds, and of the real ones."""
    return {name for group in (list(SENTENCES), PLAYED, REAL) for name in sounds.held_out(list(group))}


def present(sound: str) -> bool:
    """Whether a sound can be made here: a sentence needs the voice, a real one its file."""
    if sound in SENTENCES:
        return installed("hibari")
    return sound in sounds.SOUNDS or sound in sounds.real_sounds(DATA)


@lru_cache(maxsize=16)
def recorded(sound: str) -> tuple[Floats, int]:
    """(samples of one channel, rate) of a sound that is not a sentence."""
    audio = sounds.SOUNDS[sound]() if sound in sounds.SOUNDS else sounds.real_sounds(DATA)[sound]
    return audio.samples.mean(axis=0, dtype=np.float64), audio.rate


# What the makers share


def to_peak_of(x: Floats, peak: float = 0.95) -> Floats:
    """x at a peak, as many programs write their files."""
    return x * (peak / max(float(np.abs(x).max()), 1e-12))


def to_rms_of(x: Floats, other: Floats) -> Floats:
    """x at the level of another."""
    return x * (rms(other) / max(rms(x), 1e-12))


def blurred(values: Floats, sigma: float, axis: int) -> Floats:
    """Convolved with a Gaussian along an axis; the edges are repeated."""
    reach = int(np.ceil(3 * sigma))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    taps /= taps.sum()
    turned = np.moveaxis(values, axis, -1)
    padded = np.pad(turned, [(0, 0)] * (turned.ndim - 1) + [(reach, reach)], mode="edge")
    smooth = sum(tap * padded[..., at : at + turned.shape[-1]] for at, tap in enumerate(taps))
    return np.moveaxis(np.asarray(smooth), -1, axis)


def lowered_rank(values: Floats, rank: int) -> Floats:
    """Mean of each row + the first components of the singular value decomposition of the rest."""
    mean = values.mean(axis=-1, keepdims=True)
    left, sizes, right = np.linalg.svd(values - mean, full_matrices=False)
    return mean + (left[:, :rank] * sizes[:rank]) @ right[:rank]


def few_cosines(values: Floats, count: int) -> Floats:
    """The first coefficients of a cosine transform along the first axis, turned back: a smooth envelope."""
    from scipy.fft import dct, idct

    coefficients = dct(values, axis=0, norm="ortho")
    coefficients[count:] = 0
    return np.asarray(idct(coefficients, axis=0, norm="ortho"))


def read_rows(values: Floats, places: NDArray[Any]) -> Floats:
    """values[places] along the first axis, on straight lines between rows; beyond the last row the last."""
    places = np.clip(places, 0, len(values) - 1)
    low = np.minimum(places.astype(np.int64), max(len(values) - 2, 0))
    part = (places - low).reshape(-1, *[1] * (values.ndim - 1))
    return values[low] * (1 - part) + values[np.minimum(low + 1, len(values) - 1)] * part


def doubled_in_part(f0: Floats, voiced: NDArray[np.bool_], share: float, rng: Rng) -> Floats:
    """f0 with a share of its voiced frames, in one stretch, an octave up."""
    places = np.flatnonzero(voiced)
    size = max(int(share * places.size), 2)
    start = middle_of(places.size, size, rng)
    doubled = f0.copy()
    doubled[places[start : start + size]] *= 2
    return doubled


def middle_of(count: int, size: int, rng: Rng) -> int:
    """Where a stretch of size begins, so that it lies within the middle half of count."""
    return int(rng.uniform(0.25, 0.7) * max(count - size, 1))
