"""Rank readings that fit equally well by how common they are, and name what cannot be distinguished."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from diagnose.mel.known import COMMON_RATES, FMAXES, FMINS, HOPS, N_FFTS

if TYPE_CHECKING:
    from diagnose.mel.candidate import Candidate
    from diagnose.mel.fit import Fit, Sound

NEAR_DB = 0.002
NEAR_FACTOR = 1.15
LEAST_ODDS = 1.0
CELLS_ALIKE = 20
RESAMPLED = 1e-7  # misfit that a resampler may leave
ROUND_HZ = 500
SAME_BINS = 0.1
SAME_NUMBER = 0.02
MOST_SAID = 3
MOST_RANKED = 40


def near(fits: list[Fit]) -> list[Fit]:
    """Those that fit nearly as well as the best, which comes first."""
    most = NEAR_FACTOR * fits[0].residual_db + NEAR_DB
    return [fit for fit in fits if fit.residual_db <= most]


def evidence(fit: Fit, best: Fit, cells: int) -> float:
    """Logarithm of the likelihood of a fit over the best one's: -n/2 ln(misfit / misfit of the best), n = cells / 20.

    Neighbouring cells err alike, so that one in twenty counts; what a resampler leaves tells nothing.
    """
    return -0.5 * cells / CELLS_ALIKE * math.log((fit.misfit + RESAMPLED) / (best.misfit + RESAMPLED))


def preference(candidate: Candidate, sound: Sound, frames: int, known: bool) -> float:
    """Which of two readings that fit alike people would rather have made: the logarithm of the odds.

    frames: of the array.  known: a contract with a name has this grid.
    """
    grid, levels = candidate.grid, candidate.levels
    assert grid is not None
    return sum(
        (
            3.0 * (levels.reference == 1.0 and levels.name != "normalised"),
            2.0 * (grid.rate == sound.rate),
            0.7 * (grid.rate in COMMON_RATES),
            -3.0 * (grid.rate > sound.rate),
            # 11,025 Hz is half of a rate and nothing else; 8,000 and 12,000 are round numbers too.
            (0.8 if grid.fmax % ROUND_HZ == 0 else 4.0) * (grid.fmax == grid.rate / 2),
            2.0 * (grid.fmax in FMAXES) + 2.0 * (grid.fmin in FMINS),
            1.5 * (grid.n_fft in N_FFTS) + 0.7 * (grid.n_fft & (grid.n_fft - 1) == 0),
            1.5 * (grid.hop in HOPS),
            2.0 * (grid.framing.count(sound.length(grid.rate)) == frames),
            1.0 * (candidate.pooled == levels.summed),
            1.5 * known,
        )
    )


def settled(scored: list[tuple[Candidate, float]]) -> tuple[list[Candidate], list[str]]:
    """Candidates with probabilities, the best first; what an equal has otherwise is unknown, and told in words."""
    ranked = sorted(scored, key=lambda pair: -pair[1])
    highest = ranked[0][1]
    total = sum(math.exp(score - highest) for _, score in ranked)
    found: list[Candidate] = []
    unknown: dict[tuple[str, ...], str] = {}
    for candidate, score in ranked[:MOST_RANKED]:
        if any(not differing(candidate, other) for other in found):
            continue
        if found and score > highest - LEAST_ODDS:
            fields = differing(found[0], candidate)
            unknown.setdefault(fields, _told(fields, found[0].fields(), candidate.fields()))
        found.append(msgspec.structs.replace(candidate, probability=math.exp(score - highest) / total))
    names = frozenset(name for fields in unknown for name in fields)
    found[0] = msgspec.structs.replace(found[0], unknown=names)
    return found, list(unknown.values())[:MOST_SAID]


def differing(one: Candidate, other: Candidate) -> tuple[str, ...]:
    """Names of the fields in which two readings differ; not for a tenth of a bin, nor for 2 % of a level."""
    assert one.grid is not None
    bin_hz = one.grid.rate / one.grid.n_fft
    ours, theirs = one.fields(), other.fields()
    return tuple(name for name in ours if not _same(name, ours[name], theirs[name], bin_hz))


def _same(name: str, ours: Any, theirs: Any, bin_hz: float) -> bool:
    if name in ("fmin_hz", "fmax_hz"):
        return abs(ours - theirs) < SAME_BINS * bin_hz
    if name == "range_db" or (name in ("clip", "reference") and isinstance(ours, float) and isinstance(theirs, float)):
        return True if name == "range_db" else math.isclose(ours, theirs, rel_tol=SAME_NUMBER)
    return bool(ours == theirs)


def _told(names: tuple[str, ...], ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    first, second = (", ".join(f"{name} {_shown(each[name])}" for name in names) for each in (ours, theirs))
    return f"cannot distinguish {first} from {second}"


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
