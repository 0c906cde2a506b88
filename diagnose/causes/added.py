"""Causes that added something: noise, hum, clicks, bursts at the borders."""

from __future__ import annotations

import numpy as np

from diagnose.analysis.comb import fine_spectrum
from diagnose.causes.evidence import Evidence, ramp
from diagnose.causes.places import at_times, locally
from diagnose.causes.residual import MAINS_HZ, mains_share
from diagnose.causes.words import decibels, milliseconds, percent
from diagnose.results.cause import Cause, cause

CLICKS_FIX = (
    "look at how chunks are joined (cross-fade them), at buffers that run dry, and at single wrapped samples "
    "(int16 overflow)"
)


def noise(e: Evidence) -> Cause | None:
    """Something steady and without lines lies under the sound, wherever the sound is.

    Misleads: noise that follows the sound (a codec's, or that of bent phases) is not this; 8 bits sound like it.
    """
    rest = e.residual
    if rest is None:
        return _noise_without_copy(e)
    strength = ramp(rest.level_db, -65, -50) * ramp(rest.follows, 0.5, 0.3) * ramp(rest.unsteadiness_db, 6, 3)
    strength *= ramp(rest.loudest_share, 0.25, 0.12) * ramp(rest.lined, 0.5, 0.25) * ramp(rest.tonal, 0.8, 0.6)
    return cause(
        "noise",
        strength,
        f"noise {decibels(-rest.level_db)} under the sound",
        [
            f"what a gain leaves over lies at {decibels(rest.level_db)} of the sound",
            (
                f"its level is steady to {decibels(rest.unsteadiness_db)} and does not follow the sound "
                f"(slope {rest.follows:.2f})"
            ),
            f"flatness {e.before('spectral_flatness'):.3g} before, {e.after('spectral_flatness'):.3g} after",
        ],
        (
            "look for dither or noise injection left on at inference, a noisy source term of the "
            "vocoder, or too short a training"
        ),
    )


def _noise_without_copy(e: Evidence) -> Cause | None:
    """Where no waveform can be subtracted: quiet cells were filled, loud ones are as they were."""
    levels = e.levels
    filled = (
        ramp(levels.slope, 0.85, 0.6)
        * ramp(levels.top_slope, 0.6, 0.8)
        * ramp(e.change("spectral_flatness"), 0.01, 0.05)
    )
    return cause(
        "noise",
        0.5 * filled,
        "the quiet parts are filled with noise",
        [
            f"flatness {e.before('spectral_flatness'):.3g} before, {e.after('spectral_flatness'):.3g} after",
            (
                f"loud cells follow the reference (slope {levels.top_slope:.2f}), quiet ones do not "
                f"(slope {levels.slope:.2f} over all)"
            ),
        ],
        "look for a noise floor in the vocoder's input or a clip of the mel that is too high",
    )


def hum(e: Evidence) -> Cause | None:
    """Lines on the multiples of 50 or 60 Hz that the reference does not have.

    Misleads: a note on G1 (49 Hz) or B1 (61.7 Hz) has lines near there; they are told apart from windows of 0.75 s on.
    """
    rest = e.residual
    shares = rest.lines if rest is not None and e.copied > 0 else _new_lines(e)
    if not shares:
        return None
    mains = max(shares, key=lambda hz: shares[hz])
    audible = ramp(rest.level_db, -60, -50) if rest is not None else 1.0
    low, high = (0.4, 0.7) if rest is not None else (0.15, 0.35)
    return cause(
        "hum",
        ramp(shares[mains], low, high) * audible,
        f"a hum at {mains:.0f} Hz and its multiples",
        [
            f"{percent(shares[mains])} of what was added lies on the multiples of {mains:.0f} Hz",
            *([f"it lies {decibels(-rest.level_db)} under the sound"] if rest is not None else []),
        ],
        f"a ground loop or a badly shielded source; remove it with a comb of notches at {mains:.0f} Hz",
    )


def _new_lines(e: Evidence) -> dict[float, float]:
    """Share of the generated sound on the multiples of the mains that the reference lacks."""
    found = [
        fine_spectrum(signal.mono, signal.rate, signal.moments.mean) for signal in (e.pair.reference, e.pair.generated)
    ]
    if found[0] is None or found[1] is None:
        return {}
    before, after = found[0], found[1]
    return {mains: mains_share(*after, mains) - mains_share(*before, mains) for mains in MAINS_HZ}


def frame_rate_hum(e: Evidence) -> Cause | None:
    """Lines on the multiples of rate / hop: a vocoder's upsampling leaves one waveform in every frame.

    Misleads: a note whose pitch is the frame rate.  Where the whole sound is such a hum, the input was wrong, not
    the upsampling: that is vocoder-input-scale.
    """
    rest = e.residual
    if rest is not None and rest.comb is not None and e.copied > 0:
        comb, strength = rest.comb, ramp(rest.comb.value, 0.25, 0.5) * ramp(rest.level_db, -60, -50)
        what = f"{percent(comb.value)} of what was added"
    else:
        row = e.rows["comb_share"]
        comb, strength = None, 0.8 * ramp(e.change("comb_share"), 0.1, 0.3)
        what = f"{percent(e.after('comb_share'))} of the sound ({percent(e.before('comb_share'))} before)"
    detail = comb.detail if comb is not None else row.detail
    hop, spacing = detail.get("hop_samples", 0), float(detail.get("spacing_hz", 0.0))
    return cause(
        "frame-rate-hum",
        strength,
        f"a hum on multiples of {spacing:.2f} Hz, the frame rate at hop {hop}",
        [f"{what} lies on multiples of {spacing:.2f} Hz"],
        (
            "use resize-convolution or anti-aliased upsampling in the vocoder, or train longer: "
            "transposed convolutions leave the stride"
        ),
    )


def clicks(e: Evidence) -> Cause | None:
    """Nearly all of the difference lies in a few samples.

    Misleads: a single loud burst; plosives and plucks count where no waveform can be subtracted.
    """
    rest = e.residual
    if rest is not None:
        alone = ramp(max(rest.edge_shares), 0.5, 0.2) * ramp(rest.curve_share, 0.7, 0.4)
        strength = ramp(rest.loudest_share, 0.5, 0.75) * alone * ramp(rest.level_db, -60, -45)
        strength *= e.local.are(e.local.clicks, 0.2, 0.5)
        few = 0.9 * locally(e) * ramp(e.local.share(e.local.clicks), 0.5, 0.8)
        if few > strength:
            return _few_clicks(e, few)
        evidence = [f"{percent(rest.loudest_share)} of the difference lies in its loudest 0.2 % of the samples"]
    else:
        strength = 0.6 * ramp(e.change("clicks_per_s"), 1.0, 3.0)
        evidence = []
    times = e.pair.generated.clicks if strength else np.zeros(0)
    return cause(
        "clicks",
        strength,
        f"{times.size} clicks" if times.size else "clicks",
        [
            *evidence,
            f"{e.after('clicks_per_s'):.1f} clicks a second, {e.before('clicks_per_s'):.1f} in the reference",
            *([f"at {', '.join(f'{at:.3f}' for at in times[:5])} s"] if times.size else []),
        ],
        CLICKS_FIX,
    )


def _few_clicks(e: Evidence, strength: float) -> Cause | None:
    """Clicks that are little of the difference: under a codec's noise, or in a long sound."""
    found = e.local.clicks
    worst = max(found, key=lambda click: click.excess_db)
    return cause(
        "clicks",
        strength,
        "a click" if len(found) == 1 else f"{len(found)} clicks",
        [
            at_times(e, found),
            f"the worst lasts {1000 * worst.length:.1f} ms and is {worst.residual_db:+.1f} dB over the reference there",
        ],
        CLICKS_FIX,
    )


def edge_artifact(e: Evidence) -> Cause | None:
    """The difference lies in the first or the last 20 ms.

    Misleads: a sound cut off at full level is loud at its edge by itself; the cut is then named.
    """
    rest = e.residual
    changes = e.change("edge_left_db"), e.change("edge_right_db")
    side = "right" if changes[1] > changes[0] else "left"
    evidence = [f"edge_{side}_db {max(changes):+.1f} dB against the reference's"]
    if rest is not None:
        side = "right" if rest.edge_shares[1] > rest.edge_shares[0] else "left"
        share = max(rest.edge_shares)
        strength = ramp(share, 0.4, 0.7) * ramp(rest.level_db, -60, -45)
        evidence.append(f"{percent(share)} of the difference lies there")
    else:
        strength = 0.3 * ramp(max(changes), 8, 20)
    width = milliseconds(0.020)
    return cause(
        "edge-artifact",
        strength,
        f"a burst in the {'last' if side == 'right' else 'first'} {width}",
        evidence,
        (
            "look at the padding of the frames (zeros, reflection), at a loss mask that leaves the "
            "border free, and trim or fade it"
        ),
    )
